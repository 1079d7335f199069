//! Files that are read.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::fstatfs;

use super::folder::login;
use super::{Policy, held, path_of, through};

const PROC: i64 = 0x9fa0;
const SYSFS: i64 = 0x6265_6572;

/// Opens a file of data. It is judged by what was opened, by whatever name that was reached.
///
/// # Errors
/// When it is a folder, a device, a pipe, a file of the system (/proc, /sys) or one of logins.
pub fn open(path: &Path) -> io::Result<File> {
    let found = find(path)?;
    held().map_or_else(|| Policy::default().judge(&found), |policy| policy.judge(&found))?;
    reopen(&found)
}

/// Opens the place of a file and not the file, to judge it: opening a pipe waits for a writer, and opening a device may do something.
///
/// # Errors
/// When nothing is there.
pub fn find(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(libc::O_PATH).open(path)
}

/// The very file that was found, to be read.
///
/// # Errors
/// When it may not be read.
pub fn reopen(found: &File) -> io::Result<File> {
    File::open(through(found.as_fd()))
}

impl Policy {
    /// Whether an open file may be read, whatever its name.
    ///
    /// # Errors
    /// When it is a folder, a device, a pipe, a file of the system (/proc, /sys), one of logins, or one that the script was not granted.
    pub fn judge(&self, file: &File) -> io::Result<()> {
        let data = file.metadata()?;
        if data.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::EISDIR));
        }
        if !data.is_file() {
            return Err(io::Error::other("is a device or a pipe, not a file"));
        }
        // The type of the number differs between machines.
        #[allow(clippy::unnecessary_cast)]
        let system = fstatfs(file)?.f_type as i64;
        if matches!(system, PROC | SYSFS) {
            return Err(io::Error::other("is a file of the system, not of data"));
        }
        if self.is_login_file(&data) {
            return Err(login());
        }
        let Ok(real) = path_of(file) else { return Ok(()) };
        if self.is_closed(&real) {
            return Err(login());
        }
        if !self.may_read(&real) {
            return Err(not_granted());
        }
        match data.nlink() > 1 && self.foreign.iter().any(|folder| real.starts_with(folder)) {
            true => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "has a second name elsewhere (a hard link), so that it need not be the script's own; copy it",
            )),
            false => Ok(()),
        }
    }
}

fn not_granted() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "was not granted to this script to read",
    )
}

/// All of such a file.
///
/// # Errors
/// As `open`, or when it cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_data_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (file, pipe) = (folder.path().join("a"), folder.path().join("pipe"));
        std::fs::write(&file, "a").unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert_eq!(read(&file).unwrap(), b"a");
        std::os::unix::fs::symlink("/proc/self/environ", folder.path().join("link")).unwrap();
        for name in [
            "/proc/self/environ",
            "/proc/self/mem",
            "/dev/zero",
            "/proc/self/cwd",
        ] {
            assert!(open(Path::new(name)).is_err(), "{name}");
        }
        for path in [&pipe, &folder.path().join("link"), folder.path()] {
            assert!(open(path).is_err(), "{}", path.display());
        }
    }
}
