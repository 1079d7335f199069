//! What a script or a file asks for is measured against the memory ceiling before the memory is taken: an allocation that fails ends
//! the process, an error does not.

#[cfg(target_os = "linux")]
mod arrays;
pub mod heap;
pub mod process;
mod size;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::{gate, work};

pub use size::parse_size;

/// Says no where `count` pieces of `bytes` each are more than the memory ceiling allows.
///
/// # Errors
/// Names `what` needs the memory, how much, the ceiling, and the `way_out`.
pub fn fits(what: impl Into<String>, count: usize, bytes: usize, way_out: &str) -> Result<()> {
    let needed = count as u128 * bytes as u128;
    let limit = work::memory();
    if needed <= limit as u128 {
        return Ok(());
    }
    Err(Error::Memory {
        what: what.into(),
        needed_mib: u64::try_from((needed >> 20) + 1).unwrap_or(u64::MAX),
        limit_mib: (limit >> 20) as u64,
        way_out: format!("{way_out}, or raise the limit with --memory"),
    })
}

/// As [`gate::open`], where a file that is not there is an error that says so.
///
/// # Errors
/// `NoSuchFile`, with where it was looked for; what is no plain file or may not be read.
pub fn open(path: &Path) -> Result<File> {
    gate::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile {
            path: path.to_path_buf(),
            looked_in: std::env::current_dir().unwrap_or_default(),
        },
        _ => Error::io(path, e),
    })
}

/// The bytes of a file that becomes `expansion` times its size once it is understood.
///
/// # Errors
/// Those of `open`, or when it is too large for the memory ceiling.
pub fn read_file(path: &Path, expansion: usize, way_out: &str) -> Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let what = format!("reading {}", path.display());
    fits(&what, size, expansion, way_out)?;
    // A file may grow while it is read, and those of /proc say that they are empty.
    read(file, &what, expansion, way_out, |e| Error::io(path, e))
}

/// All bytes of a `source` whose size nobody knows before.
///
/// # Errors
/// Where it has more than the memory ceiling allows, `what` is named; those of reading are worded by `failed`.
pub fn read(
    source: impl Read,
    what: &str,
    expansion: usize,
    way_out: &str,
    failed: impl Fn(std::io::Error) -> Error,
) -> Result<Vec<u8>> {
    let most = work::memory() / expansion.max(1);
    let mut bytes = Vec::new();
    source
        .take((most as u64).saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    fits(what, bytes.len(), expansion, way_out)?;
    Ok(bytes)
}
