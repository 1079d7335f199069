//! Files that appear complete or not at all, and the files that a pattern names.

mod draft;
pub(crate) mod failed;
pub mod private;

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub use draft::{Draft, DraftFolder, abandon_drafts, is_in_draft, shown};
pub use failed::has_failed;

use crate::error::{Error, Result, said, shown_bytes};
use crate::gate::FolderEntry;

/// Writes a whole file through a `Draft`: `write` gets the open temporary file.
///
/// # Errors
/// A target without a name, or in a folder that is not there or cannot be written; those of `write`; a full disk. Then the
/// target is as it was.
pub fn write_atomically(
    target: &Path,
    write: impl FnOnce(&mut (dyn io::Write + Send)) -> io::Result<()>,
) -> Result<()> {
    let draft = Draft::new(target)?;
    let fill = || {
        let mut out = io::BufWriter::new(Tail::of(draft.open()?));
        write(&mut out)?;
        let written = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        written.is_in(draft.path())
    };
    fill().map_err(|e| Error::io(target, e))?;
    draft.publish()
}

/// Writes a whole file as `write_atomically` does. Where the disk is full, the error says how large it is.
///
/// # Errors
/// As `write_atomically`.
pub fn write_whole(target: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically(target, |out| out.write_all(bytes)).map_err(|e| match &e {
        Error::Io { path, source }
            if matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ) =>
        {
            let needed = shown_bytes(bytes.len() as u64);
            Error::file(path, format!("it takes {needed}, and {}", said(path, source)))
        }
        _ => e,
    })
}

/// Adds to the end of a file, which is made where it is not there. What cannot be written whole is taken back.
///
/// # Errors
/// When the file cannot be opened, or its disk is full; names the length that it had where a part could not be taken back.
pub fn append(target: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e| Error::io(target, e);
    let entry = FolderEntry::behind(target)?;
    let place = entry.path();
    let is_new = place.symlink_metadata().is_err();
    let mut options = fs::OpenOptions::new();
    options
        .append(true)
        .create(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let mut file = options.open(&place).map_err(failed)?;
    let before = file.metadata().map_err(failed)?.len();
    let Err(reason) = io::Write::write_all(&mut file, bytes) else {
        return Ok(());
    };
    let undone = match is_new {
        true => fs::remove_file(&place),
        false => file.set_len(before),
    };
    match undone {
        Ok(()) => Err(failed(reason)),
        Err(e) => Err(Error::file(
            target,
            format!(
                "{}; what was written of it could not be taken back ({e}): the file was {before} bytes long before",
                said(target, &reason)
            ),
        )),
    }
}

/// A file with the number and the last of the bytes that were written to it.
struct Tail {
    file: fs::File,
    bytes: u64,
    last: Vec<u8>,
}

impl Tail {
    const MOST: usize = 4096;

    fn of(file: fs::File) -> Tail {
        Tail {
            file,
            bytes: 0,
            last: Vec::new(),
        }
    }

    /// Opens the file again and looks whether it is as long as what was written, and ends like it.
    fn is_in(&self, path: &Path) -> io::Result<()> {
        let again = fs::File::open(path)?;
        let length = again.metadata()?.len();
        let mut end = vec![0; self.last.len()];
        if length == self.bytes {
            again.read_exact_at(&mut end, length - self.last.len() as u64)?;
        }
        if length == self.bytes && end == self.last {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "the file system holds {length} bytes that are not the {} written",
            self.bytes
        )))
    }
}

impl io::Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.bytes += n as u64;
        self.last
            .extend_from_slice(&bytes[n.saturating_sub(Tail::MOST)..n]);
        let beyond = self.last.len().saturating_sub(Tail::MOST);
        self.last.drain(..beyond);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The files that a pattern names, sorted: in any part of the path `*` stands for any text and `?` for one character.
/// Hidden files (`.name`) are left out unless the pattern names the dot.
///
/// # Errors
/// When a folder that exists cannot be read. A pattern that nothing fits gives an empty list.
pub fn glob(pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !text.contains(['*', '?']) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let mut inside = Vec::new();
        for folder in found {
            let folder_read = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &folder
            };
            let entries = match fs::read_dir(folder_read) {
                Ok(entries) => entries,
                Err(_) if !folder_read.is_dir() => continue,
                Err(e) => return Err(Error::io(folder_read, e)),
            };
            for entry in entries {
                let name = entry.map_err(|e| Error::io(folder_read, e))?.file_name();
                let shown = name.to_string_lossy();
                if fits(&text, &shown) && (text.starts_with('.') || !shown.starts_with('.')) {
                    inside.push(folder.join(name));
                }
            }
        }
        inside.sort();
        found = inside;
    }
    found.retain(|path| path.exists());
    Ok(found)
}

/// Whether a name fits a pattern with `*` and `?`. Linear in practice: only the last `*` is ever tried again.
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((star_p, star_n)) => {
                    star = Some((star_p, star_n + 1));
                    p = star_p + 1;
                    n = star_n + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, expected) in [
            ("*.tif", "a.tif", true),
            ("*.tif", "a.tiff", false),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
            ("*_VV*_30*.tif", "x_VV_y_30_z.tif", true),
            ("*_VV*_30*.tif", "x_VH_y_30_z.tif", false),
            ("*", "", true),
            ("a", "", false),
            ("**a", "bbba", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn glob_lists_sorted_files_through_folders() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "b/2.tif",
            "b/1.tif",
            "a/3.tif",
            "a/3.txt",
            "b/.hidden.tif",
            "c/x/4.tif",
        ] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = glob(&root.join(pattern)).unwrap();
            let shown = found
                .iter()
                .map(|p| p.strip_prefix(root).unwrap().display().to_string());
            shown.collect()
        };
        assert_eq!(names("*/*.tif"), ["a/3.tif", "b/1.tif", "b/2.tif"]);
        assert_eq!(names("b/?.tif"), ["b/1.tif", "b/2.tif"]);
        assert_eq!(names("*/x/*"), ["c/x/4.tif"]);
        assert_eq!(names("a/3.txt"), ["a/3.txt"]);
        assert!(names("nothing/*.tif").is_empty());
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_debris() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.csv");
        write_atomically(&target, |out| out.write_all(b"old")).unwrap();
        let failed = write_atomically(&target, |out| {
            out.write_all(b"half of the n")?;
            Err(io::Error::other("disk full"))
        });
        assert_eq!(
            failed.unwrap_err().to_string(),
            format!("{}: disk full", target.display())
        );
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.csv"]);
        write_atomically(&target, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }
}
