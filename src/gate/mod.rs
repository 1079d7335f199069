//! Where every file passes that a script has read or written: what is checked is what is opened.
//!
//! A path that was found good may lead elsewhere a moment later. So what is written goes through folders that are open ([`Folder`],
//! [`FolderEntry`]), and what is read is judged by what was opened ([`open`]).

mod folder;
mod reading;

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

pub use folder::{Folder, FolderEntry};
pub use reading::{find, open, read, reopen};

/// Folders with all that lies below them, and single files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub folders: Vec<PathBuf>,
    /// Each with what belongs to it: the files beside it that have its name but for what follows a dot.
    pub files: Vec<PathBuf>,
}

impl Places {
    pub fn hold(&self, real: &Path) -> bool {
        self.folders.iter().any(|folder| real.starts_with(folder))
            || self.files.iter().any(|file| belongs_to(file, real))
    }
}

/// What the names of drafts begin with.
pub const DRAFT: &str = ".draft-";

/// Whether `real` is `file`, or one of those that formats write beside it: `a.tif.aux.xml`, `a.prj`.
pub fn belongs_to(file: &Path, real: &Path) -> bool {
    let beside = || {
        let (stem, name) = (file.file_stem()?, real.file_name()?);
        let rest = name.as_encoded_bytes().strip_prefix(stem.as_encoded_bytes())?;
        Some(real.parent() == file.parent() && rest.starts_with(b"."))
    };
    real == file || beside().unwrap_or(false)
}

/// Devices and numbers of files.
#[derive(Debug, Clone, Default)]
pub struct Numbers(Arc<OnceLock<HashSet<(u64, u64)>>>);

/// What a script may touch. All paths are real ones, without links.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Where scripts write.
    pub writes: Places,
    /// Where they read; none for everywhere. What is written may be read.
    pub reads: Option<Places>,
    /// What was refused on the command line, whatever is granted.
    pub denied_reads: Vec<PathBuf>,
    pub denied_writes: Vec<PathBuf>,
    /// Folders that came with a script of others. A file in them that has a second name may be one from elsewhere, and is not read.
    pub foreign: Vec<PathBuf>,
    /// The user's files of logins, whether they are there or not: the host reads them, scripts do not.
    pub logins: Vec<PathBuf>,
    /// Files and folders of keys and logins that nobody here reads.
    pub closed: Vec<PathBuf>,
    /// Numbers of the files in the closed folders, found when the first file with several names is opened, or before.
    pub numbers: Numbers,
}

impl Policy {
    pub fn may_write(&self, real: &Path) -> bool {
        let draft = |file: &PathBuf| {
            let rest = file.parent().and_then(|folder| real.strip_prefix(folder).ok());
            rest.and_then(|rest| rest.iter().next())
                .is_some_and(|name| name.as_encoded_bytes().starts_with(DRAFT.as_bytes()))
        };
        !self.denied_writes.iter().any(|denied| real.starts_with(denied))
            && (self.writes.hold(real) || self.writes.files.iter().any(draft))
    }

    /// Whether the folder `real` may be opened to write in: what, its names tell.
    fn may_enter(&self, real: &Path) -> bool {
        self.may_write(real) || self.writes.files.iter().any(|file| file.parent() == Some(real))
    }

    pub fn may_read(&self, real: &Path) -> bool {
        let granted = match &self.reads {
            None => true,
            Some(reads) => reads.hold(real) || self.may_write(real),
        };
        granted && !self.denied_reads.iter().any(|denied| real.starts_with(denied))
    }

    /// Whether `real` is a file of logins, by its name or by what it is.
    pub fn is_login(&self, real: &Path) -> bool {
        // Of some file systems `.NETRC` is the same file.
        let named = |file: &PathBuf| file.as_os_str().eq_ignore_ascii_case(real);
        self.logins.iter().any(named)
            || self.is_closed(real)
            || std::fs::metadata(real).is_ok_and(|data| data.is_file() && self.is_login_file(&data))
    }

    /// Whether `real` is, or lies in, what is closed.
    fn is_closed(&self, real: &Path) -> bool {
        let real = real.as_os_str().as_bytes();
        let within = |folder: &PathBuf| {
            let folder = folder.as_os_str().as_bytes();
            real.get(..folder.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(folder))
                && matches!(real.get(folder.len()), None | Some(b'/'))
        };
        self.closed.iter().any(within)
    }

    /// The same of an open file, whatever its names.
    fn is_login_file(&self, data: &Metadata) -> bool {
        let number = (data.dev(), data.ino());
        let same =
            |file: &PathBuf| std::fs::metadata(file).is_ok_and(|data| (data.dev(), data.ino()) == number);
        self.logins.iter().any(same) || (data.nlink() > 1 && self.numbers().contains(&number))
    }

    /// Finds the numbers of closed files now, for a process that will not be able to list their folders.
    pub fn find_numbers(&self) {
        self.numbers();
    }

    fn numbers(&self) -> &HashSet<(u64, u64)> {
        self.numbers.0.get_or_init(|| {
            let (mut found, mut left) = (HashSet::new(), self.closed.clone());
            while let Some(path) = left.pop() {
                let Ok(data) = std::fs::symlink_metadata(&path) else {
                    continue;
                };
                if data.is_dir() {
                    let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
                    left.extend(entries.map(|entry| entry.path()));
                } else if data.is_file() {
                    found.insert((data.dev(), data.ino()));
                }
            }
            found
        })
    }
}

static HELD: RwLock<Option<Arc<Policy>>> = RwLock::new(None);

/// Holds this process to `policy` from here on. Before, as in commands that run no script, all is open.
pub fn hold(policy: Policy) {
    *HELD.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(policy));
}

/// What this process is held to.
pub fn held() -> Option<Arc<Policy>> {
    HELD.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Whether scripts may learn that there is something at `path`. Asked by what lists and looks up names for libraries.
pub fn may_see(path: &Path) -> bool {
    match held() {
        Some(policy) if policy.reads.is_some() || !policy.denied_reads.is_empty() => {
            policy.may_read(&settle(path))
        }
        _ => true,
    }
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
