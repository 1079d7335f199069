//! What tells whether a file is the one that it was.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    path: PathBuf,
    device: u64,
    number: u64,
    bytes: u64,
    changed: [(i64, i64); 2],
}

impl Stamp {
    /// None for what is no file: folders change without showing it.
    pub fn of(path: &str) -> Option<Stamp> {
        let data = std::fs::metadata(Path::new(path))
            .ok()
            .filter(|data| data.is_file())?;
        Some(Stamp {
            path: path.into(),
            device: data.dev(),
            number: data.ino(),
            bytes: data.len(),
            changed: [
                (data.mtime(), data.mtime_nsec()),
                (data.ctime(), data.ctime_nsec()),
            ],
        })
    }

    /// Whether it is of the file of this path.
    pub fn is_of(&self, path: &str) -> bool {
        self.path == Path::new(path)
    }
}
