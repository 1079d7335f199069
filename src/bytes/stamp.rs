//! What tells whether a file or a folder is the one that it was, and holds what it held.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file or a folder as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    number: u64,
    bytes: u64,
    /// Of what it holds, which can be set to anything, and of itself.
    changed: [(i64, i64); 2],
}

impl Stamp {
    /// # Errors
    /// When there is none.
    pub fn of(path: &Path) -> io::Result<Stamp> {
        fs::metadata(path).map(|data| Stamp::from(&data))
    }

    /// None for what is no file: folders change without showing it.
    pub fn of_file(path: &str) -> Option<Stamp> {
        let data = fs::metadata(path).ok().filter(Metadata::is_file)?;
        Some(Stamp::from(&data))
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When what it holds was changed last, in nanoseconds since 1970.
    pub fn modified(&self) -> i64 {
        let (seconds, nanoseconds) = self.changed[0];
        seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
    }

    /// How long ago that was; None for what is to come.
    pub fn age(&self) -> Option<Duration> {
        let since = Duration::from_nanos(self.modified().try_into().ok()?);
        SystemTime::now().duration_since(UNIX_EPOCH + since).ok()
    }

    /// Whether it is one and the same, however it has changed.
    pub fn is_same(&self, other: &Stamp) -> bool {
        (self.device, self.number) == (other.device, other.number)
    }

    /// Whether it holds the same as far as size and time tell: a copy does, and a file that has got another name or other rights.
    pub fn holds_the_same(&self, other: &Stamp) -> bool {
        (self.bytes, self.changed[0]) == (other.bytes, other.changed[0])
    }
}

impl From<&Metadata> for Stamp {
    fn from(data: &Metadata) -> Stamp {
        Stamp {
            device: data.dev(),
            number: data.ino(),
            bytes: data.len(),
            changed: [
                (data.mtime(), data.mtime_nsec()),
                (data.ctime(), data.ctime_nsec()),
            ],
        }
    }
}
