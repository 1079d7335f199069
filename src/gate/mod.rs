//! Where every file passes that a script has read or written: what is checked is what is opened.
//!
//! A path that was found good may lead elsewhere a moment later. So what is written goes through folders that are open ([`Folder`],
//! [`FolderEntry`]), and what is read is judged by what was opened ([`open`]).

mod folder;
mod reading;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{PoisonError, RwLock};

pub use folder::{Folder, FolderEntry};
pub use reading::{find, open, read, reopen};

/// What a script may touch. All paths are real ones, without links.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The folders that scripts write in.
    pub folders: Vec<PathBuf>,
    /// The user's files of logins, whether they are there or not: the host reads them, scripts do not.
    pub logins: Vec<PathBuf>,
}

impl Policy {
    pub fn may_write(&self, real: &Path) -> bool {
        self.folders.iter().any(|folder| real.starts_with(folder))
    }

    /// Whether `real` is a file of logins, by its name or by what it is.
    pub fn is_login(&self, real: &Path) -> bool {
        // Of some file systems `.NETRC` is the same file.
        let named = |file: &PathBuf| file.as_os_str().eq_ignore_ascii_case(real);
        self.logins.iter().any(named)
            || std::fs::metadata(real)
                .is_ok_and(|data| data.is_file() && self.is_login_file(data.dev(), data.ino()))
    }

    /// The same of an open file, whatever its names.
    fn is_login_file(&self, device: u64, number: u64) -> bool {
        let same = |file: &PathBuf| {
            std::fs::metadata(file).is_ok_and(|data| (data.dev(), data.ino()) == (device, number))
        };
        self.logins.iter().any(same)
    }
}

static HELD: RwLock<Option<Policy>> = RwLock::new(None);

/// Holds this process to `policy` from here on. Before, as in commands that run no script, all is open.
pub fn hold(policy: Policy) {
    *HELD.write().unwrap_or_else(PoisonError::into_inner) = Some(policy);
}

fn held() -> Option<Policy> {
    HELD.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Whether scripts of this process write where `real` lies.
pub fn may_scripts_write(real: &Path) -> bool {
    held().is_some_and(|policy| policy.may_write(real))
}

/// Whether `real` is a file of logins, which this process neither shows nor changes.
pub fn may_hold_logins(real: &Path) -> bool {
    held().is_some_and(|policy| policy.is_login(real))
}

/// Whether `real` shows the system or this process instead of data: /proc, /sys and the devices.
pub fn is_of_system(real: &Path) -> bool {
    let within = |folder: &str| real.starts_with(folder);
    (within("/proc") || within("/sys") || (within("/dev") && !within("/dev/shm")))
        && std::fs::metadata(real).is_ok_and(|data| !data.is_dir())
}

/// The real path of the part that exists, with the rest behind it: what a write to `path` would touch.
pub fn settle(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    // As many as Linux follows.
    settle_links(path, 40)
}

fn settle_links(path: &Path, links: usize) -> PathBuf {
    let mut settled = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                settled.pop();
            }
            part => {
                settled.push(part);
                if let Ok(real) = settled.canonicalize() {
                    settled = real;
                } else if let (true, Ok(target)) = (links > 0, settled.read_link()) {
                    // A link to what is not there yet: a write would make it there.
                    settled.pop();
                    settled = settle_links(&settled.join(target), links - 1);
                }
            }
        }
    }
    settled
}

/// Where an open file lies, whatever name it was reached by.
///
/// # Errors
/// When the system does not show it.
pub fn path_of(file: &File) -> io::Result<PathBuf> {
    std::fs::read_link(through(file.as_fd()))
}

/// A library's words, with the paths that lead through open folders as the user knows them.
pub fn shown(text: &str) -> String {
    let mut parts = text.split(OPENED);
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let opened = format!("{OPENED}{}", &part[..part.len() - rest.len()]);
        match std::fs::read_link(&opened) {
            Ok(folder) => out.push_str(&folder.to_string_lossy()),
            Err(_) => out.push_str(&opened),
        }
        out.push_str(rest);
    }
    out
}

const OPENED: &str = "/proc/self/fd/";

/// A path by which a library opens the very file that was judged, whatever its name leads to by now. It holds while `file` is open.
pub fn opened_again(file: &File) -> PathBuf {
    through(file.as_fd())
}

/// The path of what a descriptor has open. The kernel takes it to that, wherever it was moved to.
fn through(descriptor: BorrowedFd<'_>) -> PathBuf {
    Path::new(OPENED).join(descriptor.as_raw_fd().to_string())
}
