//! Records that lie beside files whose format has no room for them, hidden, so that a folder of tables looks like one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::fingerprint;
use super::record::{Record, sorted};
use crate::error::{Error, Result};
use crate::files;

/// What the name of a file is lengthened by, after a dot before it.
const ENDING: &str = ".provenance.json";

/// Where the record of a file lies.
pub fn path_of(file: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(ENDING);
    file.with_file_name(name)
}

/// Whether a file is such a record.
pub fn is_one(file: &Path) -> bool {
    file.to_string_lossy().ends_with(ENDING)
}

/// # Errors
/// When the file cannot be read, or the record not be written.
pub fn write(file: &Path, record: &mut Record) -> Result<()> {
    let hash = fingerprint::whole(file).map_err(|e| Error::io(file, e))?;
    record.sha256 = Some(hash);
    let json = serde_json::to_value(&*record).map_err(|e| Error::message(e.to_string()))?;
    let text = serde_json::to_string_pretty(&sorted(json)).map_err(|e| Error::message(e.to_string()))?;
    files::write_whole(&path_of(file), format!("{text}\n").as_bytes())
}
