//! Files of settings that are their user's alone, and that several processes change.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::Draft;
use crate::error::{Error, Result};

/// Keeps other processes from changing the file at `path` until the answer is dropped. What is locked is a file of its own, because every change puts a
/// new file in the place of the old one. The folder is made where it is not there.
///
/// # Errors
/// When the folder or the lock cannot be made.
pub fn lock(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|e| Error::io(folder, e))?;
    }
    let path = path.with_extension("lock");
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW);
    let file = options.open(&path).map_err(|e| Error::io(&path, e))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|e| Error::io(&path, e.into()))?;
    Ok(file)
}

/// Puts a line-ended text in the place of the file, for its owner's eyes alone.
///
/// # Errors
/// When it cannot be written; then the file is as it was.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let failed = |e| Error::io(path, e);
    let draft = Draft::private(path)?;
    let mut file = draft.open().map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .map_err(failed)?;
    draft.publish()
}
