//! Files that appear complete or not at all: written under a temporary name in the target folder, synced, renamed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::error::{Error, Result};

/// The drafts that exist, so that a process which has to be ended can remove them.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Removes every draft of this process, before it is ended without destructors.
pub fn abandon_drafts() {
    for draft in std::mem::take(&mut *live()) {
        let _ = fs::remove_file(&draft);
        let _ = fs::remove_dir_all(&draft);
        remove_companions(&draft);
    }
}

/// What a writer has put beside the draft under names of its own: `<draft>.aux.xml`.
fn remove_companions(draft: &Path) {
    let (Some(folder), Some(name)) = (draft.parent(), draft.file_name()) else {
        return;
    };
    let start = format!("{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&start) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What the names of drafts begin with.
const DRAFT: &str = ".draft-";

/// Whether `path` is a draft, a file that a writer makes beside one (`….aux.xml`), or in a folder of drafts.
pub fn is_in_draft(path: &Path) -> bool {
    let is_draft = |part: &std::ffi::OsStr| part.as_encoded_bytes().starts_with(DRAFT.as_bytes());
    let folder = path.parent().and_then(Path::file_name);
    // A way back up would lead elsewhere.
    let plain = !path
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    plain && path.file_name().into_iter().chain(folder).any(is_draft)
}

/// A file being written. Until `publish` the target is untouched, and dropping the draft removes it; a killed
/// process leaves at most a hidden file whose name starts with a dot.
#[derive(Debug)]
pub struct Draft {
    temporary: PathBuf,
    target: PathBuf,
    published: bool,
}

impl Draft {
    /// A draft of `target`. The temporary name keeps the target's extension, because many writers choose
    /// the format by it. Nothing is created yet.
    ///
    /// # Errors
    /// When the target has no file name, is a folder, or its folder does not exist.
    pub fn new(target: &Path) -> Result<Draft> {
        let name = target.file_name().ok_or_else(|| {
            Error::argument("path", "the name of a file", format!("`{}`", target.display()))
        })?;
        if target.is_dir() {
            return Err(Error::file(target, "is a folder, not a file to write"));
        }
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(Error::file(
                target,
                format!("the folder {} does not exist; create it first", folder.display()),
            ));
        }
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let temporary = folder.join(format!(
            "{DRAFT}{}-{}-{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed),
            name.to_string_lossy()
        ));
        live().insert(temporary.clone());
        Ok(Draft {
            temporary,
            target: target.to_path_buf(),
            published: false,
        })
    }

    /// Removes the drafts of `target` that killed processes have left.
    pub fn sweep(target: &Path) {
        let Some(name) = target.file_name().map(|n| n.to_string_lossy()) else {
            return;
        };
        let folder = target
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            // Some writers put files of their own beside the draft: `<draft>.ovr.tmp`.
            let process = file.strip_prefix(".draft-").and_then(|rest| {
                let (process, rest) = rest.split_once('-')?;
                let (_, rest) = rest.split_once('-')?;
                let beside = rest.strip_prefix(name.as_ref())?;
                if !beside.is_empty() && !beside.starts_with('.') {
                    return None;
                }
                process.parse::<u32>().ok()
            });
            if process.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Where it will appear.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Syncs the draft to disk and gives it its name, in place of what was there.
    pub fn publish(mut self) -> Result<()> {
        let failed = |e| Error::io(&self.target, e);
        File::open(&self.temporary)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        fs::rename(&self.temporary, &self.target).map_err(failed)?;
        self.published = true;
        live().remove(&self.temporary);
        // The rename itself is durable only once the folder is; a file system that cannot sync folders says so
        // here, and the file is complete all the same.
        if let Some(folder) = self.temporary.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.temporary);
            remove_companions(&self.temporary);
            live().remove(&self.temporary);
        }
    }
}

/// A hidden folder beside the target in which a writer makes its file and whatever goes with it (a Shapefile's
/// five, a schema): all of them appear together, the named one last.
#[derive(Debug)]
pub struct DraftFolder {
    folder: PathBuf,
    file: PathBuf,
    target: PathBuf,
}

impl DraftFolder {
    /// # Errors
    /// As `Draft::new`, or when the folder cannot be made.
    pub fn new(target: &Path) -> Result<DraftFolder> {
        let folder = Draft::new(target)?.temporary.clone();
        fs::create_dir(&folder).map_err(|e| Error::io(target, e))?;
        live().insert(folder.clone());
        // `Draft::new` has seen to the name.
        let file = folder.join(target.file_name().unwrap_or_default());
        Ok(DraftFolder {
            folder,
            file,
            target: target.to_path_buf(),
        })
    }

    /// Where to write the named file.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Syncs all files to disk and gives them their names, in place of what was there.
    pub fn publish(self) -> Result<()> {
        let failed = |e| Error::io(&self.target, e);
        let parent = self.target.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            File::open(entry.path())
                .and_then(|f| f.sync_all())
                .map_err(failed)?;
            names.push(entry.file_name());
        }
        names.sort_by_key(|name| Some(name.as_os_str()) == self.target.file_name());
        for name in names {
            fs::rename(self.folder.join(&name), parent.join(&name)).map_err(failed)?;
        }
        Ok(())
    }
}

impl Drop for DraftFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        live().remove(&self.folder);
    }
}

/// Writes a whole file through a `Draft`: `write` gets the open temporary file.
pub fn write_atomically(
    target: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<()> {
    let draft = Draft::new(target)?;
    let fill = || {
        let mut out = io::BufWriter::new(File::create(draft.path())?);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error).map(drop)
    };
    fill().map_err(|e| Error::io(target, e))?;
    draft.publish()
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

    #[test]
    fn a_missing_folder_and_a_folder_as_target_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Draft::new(&folder.path().join("no/a.csv"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("does not exist; create it first"), "{error}");
        let error = Draft::new(folder.path()).unwrap_err().to_string();
        assert!(error.contains("is a folder"), "{error}");
    }

    #[test]
    fn the_draft_keeps_the_extension() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::new(&folder.path().join("a.gpkg")).unwrap();
        assert_eq!(draft.path().extension().unwrap(), "gpkg");
    }
}
