//! Open folders, and names in them.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use super::{held, settle, through};
use crate::error::{Error, Result};

/// A folder that may be written in, held open: whatever is put in the place of its path, this folder it stays.
#[derive(Debug)]
pub struct Folder {
    opened: OwnedFd,
    /// Where it was when it was opened.
    real: PathBuf,
}

impl Folder {
    /// # Errors
    /// When it is not there, is no folder, or may not be written in.
    pub fn open(path: &Path) -> Result<Folder> {
        walk(path, false)
    }

    /// The same, making it and the folders above it where they are not there.
    ///
    /// # Errors
    /// As `open`, or when it cannot be made.
    pub fn make(path: &Path) -> Result<Folder> {
        walk(path, true)
    }

    /// A folder in this one, not through a link.
    ///
    /// # Errors
    /// When it is not there, or is no folder.
    pub fn enter(&self, name: &OsStr) -> io::Result<Folder> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Folder {
            opened: openat(&self.opened, name, flags, Mode::empty())?,
            real: self.real.join(name),
        })
    }

    /// The same, making it where it is not there. The answer says whether it was made.
    ///
    /// # Errors
    /// When something else is there, or it cannot be made.
    pub fn enter_or_make(&self, name: &OsStr) -> io::Result<(Folder, bool)> {
        let made = match mkdirat(&self.opened, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => true,
            Err(rustix::io::Errno::EXIST) => false,
            Err(e) => return Err(e.into()),
        };
        match self.enter(name) {
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => Err(io::Error::new(
                e.kind(),
                "is a link or a file, and a folder of this name is needed; nothing is written through links here",
            )),
            entered => entered.map(|folder| (folder, made)),
        }
    }

    /// A path that leads through the open folder, for libraries that take no descriptors. It holds for as long as the folder lives.
    pub fn path(&self) -> PathBuf {
        through(self.opened.as_fd())
    }

    /// Where the folder was when it was opened, for errors.
    pub fn shown(&self) -> &Path {
        &self.real
    }

    /// The path of a name in this folder that may be written to. It holds for as long as the folder lives.
    ///
    /// # Errors
    /// When the name is that of a file of logins, or may not be written.
    pub fn place(&self, name: &OsStr) -> io::Result<PathBuf> {
        let real = self.real.join(name);
        match held() {
            Some(policy) if policy.is_login(&real) => Err(login()),
            // Of a folder with a single file that may be written.
            Some(policy) if !policy.may_write(&real) => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "was not granted to this script to write",
            )),
            _ => Ok(self.path().join(name)),
        }
    }

    /// Opens a file of the program's own in this folder.
    ///
    /// # Errors
    /// When a link, or anything but a file with this one name, is there.
    pub fn open_own(&self, name: &str, options: &mut OpenOptions) -> io::Result<File> {
        let path = self.path().join(name);
        let file = options
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)?;
        let data = file.metadata()?;
        match data.is_file() && data.nlink() == 1 {
            true => Ok(file),
            false => Err(io::Error::other(format!(
                "{} is a link, or no file, and not perilune's own; move it away",
                self.real.join(name).display()
            ))),
        }
    }
}

/// The path is resolved once, and walked a second time without following links: what was put there in between is refused.
/// (`openat2` would do the walk in one call, where kernel and container have it; this is the same everywhere.)
fn walk(path: &Path, make: bool) -> Result<Folder> {
    let absolute = std::path::absolute(path).map_err(|e| Error::io(path, e))?;
    let real = settle(&absolute);
    if let Some(policy) = held()
        && !policy.may_enter(&real)
    {
        return Err(outside(path));
    }
    let failed = |e: io::Error| Error::io(path, e);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = Folder {
        opened: openat(CWD, "/", flags, Mode::empty()).map_err(|e| failed(e.into()))?,
        real: PathBuf::from("/"),
    };
    for part in real.components() {
        let Component::Normal(name) = part else { continue };
        folder = match folder.enter(name) {
            Err(e) if make && e.kind() == io::ErrorKind::NotFound => {
                folder.enter_or_make(name).map_err(failed)?.0
            }
            entered => entered.map_err(failed)?,
        };
    }
    Ok(folder)
}

fn outside(path: &Path) -> Error {
    Error::file(
        path,
        "lies outside the folders that scripts write in; start perilune there, or with --allow-write",
    )
}

/// A name in an open folder, which may be written to.
#[derive(Debug)]
pub struct FolderEntry {
    folder: Folder,
    name: OsString,
}

impl FolderEntry {
    /// The name that `path` ends in itself: a link of that name is what is replaced, moved or removed.
    ///
    /// # Errors
    /// When its folder is not there or may not be written in, or the name is that of a file of logins.
    pub fn of(path: &Path) -> Result<FolderEntry> {
        let absolute = std::path::absolute(path).map_err(|e| Error::io(path, e))?;
        let name = absolute
            .file_name()
            .ok_or_else(|| Error::argument("path", "the name of a file", format!("`{}`", path.display())))?;
        let folder = Folder::open(absolute.parent().unwrap_or(Path::new("/")))?;
        FolderEntry::in_folder(folder, name).map_err(|e| Error::io(path, e))
    }

    /// What `path` leads to, links followed.
    ///
    /// # Errors
    /// As `of`.
    pub fn behind(path: &Path) -> Result<FolderEntry> {
        let absolute = std::path::absolute(path).map_err(|e| Error::io(path, e))?;
        FolderEntry::of(&settle(&absolute))
    }

    /// # Errors
    /// When the name is that of a file of logins.
    pub fn in_folder(folder: Folder, name: &OsStr) -> io::Result<FolderEntry> {
        folder.place(name)?;
        Ok(FolderEntry {
            folder,
            name: name.to_os_string(),
        })
    }

    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A path that leads through the open folder. It holds for as long as the entry lives.
    pub fn path(&self) -> PathBuf {
        self.beside(&self.name)
    }

    /// The same for another name in the folder.
    pub fn beside(&self, name: &OsStr) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(super) fn login() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "may hold logins: scripts cannot read or change it; `perilune login` stores logins, which the catalogues use without showing them",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_stays_the_one_that_was_opened() {
        let around = tempfile::tempdir().unwrap();
        let (here, other) = (around.path().join("here"), around.path().join("other"));
        fs::create_dir_all(&here).unwrap();
        fs::create_dir_all(&other).unwrap();
        let entry = FolderEntry::of(&here.join("a.txt")).unwrap();
        // The swap between check and use.
        fs::rename(&here, around.path().join("moved")).unwrap();
        symlink(&other, &here).unwrap();
        fs::write(entry.path(), "a").unwrap();
        assert_eq!(
            fs::read_to_string(around.path().join("moved/a.txt")).unwrap(),
            "a"
        );
        assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
    }

    #[test]
    fn names_that_are_links_are_not_followed() {
        let around = tempfile::tempdir().unwrap();
        let kept = around.path().join("kept");
        fs::write(&kept, "kept").unwrap();
        symlink(&kept, around.path().join("lock")).unwrap();
        fs::hard_link(&kept, around.path().join("hard")).unwrap();
        symlink(around.path(), around.path().join("folder")).unwrap();
        let folder = Folder::open(around.path()).unwrap();
        for name in ["lock", "hard"] {
            let opened = folder.open_own(name, File::options().write(true).create(true));
            assert!(opened.is_err(), "{name}");
        }
        assert!(folder.enter(OsStr::new("folder")).is_err());
        assert!(folder.enter_or_make(OsStr::new("folder")).is_err());
        let own = folder.open_own("own", File::options().write(true).create(true));
        assert!(own.is_ok());
        assert_eq!(fs::read_to_string(kept).unwrap(), "kept");
    }

    #[test]
    fn folders_are_made_where_they_lead() {
        let around = tempfile::tempdir().unwrap();
        fs::create_dir(around.path().join("there")).unwrap();
        symlink("there", around.path().join("link")).unwrap();
        Folder::make(&around.path().join("link/a/b")).unwrap();
        assert!(around.path().join("there/a/b").is_dir());
        assert!(Folder::open(&around.path().join("c")).is_err());
    }
}
