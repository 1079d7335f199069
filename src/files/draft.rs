//! What becomes a file: written under a temporary name in the target folder, synced, renamed.

mod whole;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::failed;
use crate::error::{Error, Result, said};
use crate::gate::{self, DRAFT, Folder, FolderEntry};

/// The drafts that exist, so that a process which has to be ended can remove them.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// In a folder of drafts: where the old parts are kept while the new ones take their names.
const REPLACED: &str = ".replaced";
/// Bytes of the longest header that is looked through.
const LONGEST_HEADER: u64 = 64 << 10;

/// Whether `path` is a draft, or in a folder of drafts.
pub fn is_in_draft(path: &Path) -> bool {
    let is_draft = |part: &OsStr| part.as_encoded_bytes().starts_with(DRAFT.as_bytes());
    // A way back up would lead elsewhere.
    let plain = !path.components().any(|part| part == Component::ParentDir);
    plain && path.iter().any(is_draft)
}

/// A library's words about a draft, with the name that the user gave in its place.
pub fn shown(text: &str) -> String {
    let text = gate::shown(text);
    let mut parts = text.split(DRAFT);
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let mut numbers = part.splitn(3, '-');
        let (process, counter, rest) = (numbers.next(), numbers.next(), numbers.next());
        let numeric = |part: Option<&str>| part.is_some_and(|part| part.parse::<u64>().is_ok());
        let Some(name) = rest.filter(|_| numeric(process) && numeric(counter)) else {
            out.push_str(DRAFT);
            out.push_str(part);
            continue;
        };
        // A folder of drafts has the name of the file that is made in it.
        out.push_str(match name.split_once('/') {
            Some((folder, file)) if file.starts_with(folder) => file,
            _ => name,
        });
    }
    out
}

fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Removes every draft of this process, before it is ended without destructors.
pub fn abandon_drafts() {
    for draft in std::mem::take(&mut *live()) {
        if holds_old_parts(&draft) {
            continue;
        }
        let _ = fs::remove_file(&draft);
        let _ = fs::remove_dir_all(&draft);
    }
}

/// A file being written. Until `publish` the target is untouched, and dropping the draft removes it; a killed
/// process leaves at most a hidden file whose name starts with a dot, which the next draft of the same target removes.
#[derive(Debug)]
pub struct Draft {
    entry: FolderEntry,
    temporary: PathBuf,
    target: PathBuf,
    published: bool,
}

impl Draft {
    /// An empty draft of `target`. The temporary name keeps the target's extension, because many writers choose
    /// the format by it. The file is made here, so that no writer follows a link that somebody has put under its name.
    ///
    /// # Errors
    /// When the target has no file name, is a folder, or its folder does not exist or cannot be written.
    pub fn new(target: &Path) -> Result<Draft> {
        Draft::with_mode(target, 0o666)
    }

    /// A draft that only its owner can open, from the first byte on.
    ///
    /// # Errors
    /// As `new`.
    pub fn private(target: &Path) -> Result<Draft> {
        Draft::with_mode(target, 0o600)
    }

    fn with_mode(target: &Path, mode: u32) -> Result<Draft> {
        check_no_folder(target)?;
        let (entry, temporary) = unused(target, |path| {
            let mut options = fs::OpenOptions::new();
            options
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(path)
                .map(drop)
        })?;
        Ok(Draft {
            entry,
            temporary,
            target: target.to_path_buf(),
            published: false,
        })
    }

    /// The empty file, to be filled.
    ///
    /// # Errors
    /// When it is no longer there, or has become a link.
    pub fn open(&self) -> io::Result<File> {
        let mut options = fs::OpenOptions::new();
        options.write(true).custom_flags(libc::O_NOFOLLOW);
        options.open(&self.temporary)
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Where it will appear.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// As `DraftFolder::checked`.
    ///
    /// # Errors
    /// Those of `made`, or the file system's.
    pub fn checked<T>(&self, made: Result<T>) -> Result<T> {
        checked(&self.temporary, &self.target, made)
    }

    /// Syncs the draft to disk and gives it its name, in place of what was there.
    ///
    /// # Errors
    /// A write that failed before; a draft that cannot be synced or named. Then the target is as it was.
    pub fn publish(mut self) -> Result<()> {
        self.checked(Ok(()))?;
        let failed = |e| Error::io(&self.target, e);
        File::open(&self.temporary)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        fs::rename(&self.temporary, self.entry.path()).map_err(failed)?;
        self.published = true;
        live().remove(&self.temporary);
        sync_folder(self.entry.folder());
        Ok(())
    }
}

fn checked<T>(draft: &Path, target: &Path, made: Result<T>) -> Result<T> {
    let unwritten = |e: io::Error| {
        Err(Error::file(
            target,
            format!("cannot be written: {}", said(target, &e)),
        ))
    };
    if let Some(reason) = failed::failure(draft) {
        return unwritten(reason);
    }
    match made {
        Err(Error::Interrupted) | Ok(_) => made,
        // A library that writes files itself says little of why it failed; a full disk is still full.
        Err(_) => match probe(draft) {
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                ) =>
            {
                Err(Error::io(target, e))
            }
            _ => made,
        },
    }
}

/// Whether the disk of a draft that is given up takes more bytes.
fn probe(draft: &Path) -> io::Result<()> {
    let file = match draft.is_dir() {
        true => draft.join(".room"),
        false => draft.to_path_buf(),
    };
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .append(true)
        .create(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(file)?;
    io::Write::write_all(&mut file, &[0; 1 << 16])?;
    file.sync_data()
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // Nobody asks any more.
            let _ = failed::failure(&self.temporary);
            let _ = fs::remove_file(&self.temporary);
            live().remove(&self.temporary);
        }
    }
}

/// A hidden folder beside the target in which a writer makes its file and whatever goes with it (a Shapefile's
/// five, a schema): all of them appear together, the named one last, or none.
#[derive(Debug)]
pub struct DraftFolder {
    entry: FolderEntry,
    /// Where it lies under its hidden name, and itself, open.
    folder: PathBuf,
    inside: Folder,
    file: PathBuf,
    target: PathBuf,
    /// True where it holds old parts that could not be put back.
    kept: bool,
}

impl DraftFolder {
    /// # Errors
    /// As `Draft::new`.
    pub fn new(target: &Path) -> Result<DraftFolder> {
        check_no_folder(target)?;
        DraftFolder::of_folder(target)
    }

    /// The same of what becomes a folder itself, of formats that are folders, and may take the place of one.
    ///
    /// # Errors
    /// As `Draft::new`.
    pub fn of_folder(target: &Path) -> Result<DraftFolder> {
        let (entry, folder) = unused(target, |path| fs::create_dir(path))?;
        let inside = entry.folder().enter(folder.file_name().unwrap_or_default());
        let inside = inside.map_err(|e| Error::io(target, e))?;
        // `unused` has seen to the name.
        let file = inside.path().join(target.file_name().unwrap_or_default());
        Ok(DraftFolder {
            entry,
            folder,
            inside,
            file,
            target: target.to_path_buf(),
            kept: false,
        })
    }

    /// Where to write the named file.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// The first write to a file of the folder that failed: GDAL was not told of it, since it would not get over it.
    ///
    /// # Errors
    /// It is told once, so the draft is given up with it.
    pub fn check(&self) -> Result<()> {
        self.checked(Ok(()))
    }

    /// `made`, unless the file system failed beneath whoever made it: then what it said, which libraries pass on badly.
    ///
    /// # Errors
    /// Those of `made`, or the file system's.
    pub fn checked<T>(&self, made: Result<T>) -> Result<T> {
        checked(&self.inside.path().join(""), &self.target, made)
    }

    /// Syncs all files to disk and gives them their names, in place of what was there. Files beside the target whose
    /// names are `stale`, parts of the old file that the new one does not have, go.
    ///
    /// # Errors
    /// When a file cannot be synced or named; the old parts are then back under their names.
    pub fn publish(mut self, stale: &[OsString]) -> Result<()> {
        self.check()?;
        let failed = |e| Error::io(&self.target, e);
        let inside = self.inside.path();
        let mut names = Vec::new();
        for entry in fs::read_dir(&inside).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            forget_place(&entry.path(), &inside).map_err(failed)?;
            sync(&entry.path()).map_err(failed)?;
            names.push(entry.file_name());
        }
        names.sort_by_key(|name| Some(name.as_os_str()) == self.target.file_name());
        let parent = self.entry.folder().path();
        for name in names.iter().chain(stale) {
            self.entry.folder().place(name).map_err(failed)?;
        }
        let is_stale =
            |name: &&OsString| !names.contains(name) && parent.join(name).symlink_metadata().is_ok();
        let stale: Vec<&OsString> = stale.iter().filter(is_stale).collect();
        if let ([name], []) = (names.as_slice(), stale.as_slice()) {
            fs::rename(inside.join(name), parent.join(name)).map_err(failed)?;
            sync_folder(self.entry.folder());
            return Ok(());
        }
        let aside = inside.join(REPLACED);
        fs::create_dir(&aside).map_err(failed)?;
        // Links, so that a part is never without its name, whenever the process ends.
        for name in names.iter().chain(stale.iter().copied()) {
            match keep(&parent.join(name), &aside.join(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
                _ => {}
            }
        }
        let mut done = Vec::new();
        let replace = |done: &mut Vec<OsString>| {
            for name in &names {
                fs::rename(inside.join(name), parent.join(name))?;
                done.push(name.clone());
            }
            for name in &stale {
                match fs::remove_file(parent.join(name)) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                    _ => done.push((*name).clone()),
                }
            }
            Ok(())
        };
        let Err(reason) = replace(&mut done) else {
            sync_folder(self.entry.folder());
            return Ok(());
        };
        for name in done.iter().rev() {
            let back = match fs::rename(aside.join(name), parent.join(name)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => fs::remove_file(parent.join(name)),
                other => other,
            };
            if let Err(e) = back.or_else(|e| match e.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(e),
            }) {
                self.kept = true;
                return Err(Error::file(
                    &self.target,
                    format!(
                        "{}; the old {} could not be put back ({e}), it is in {}",
                        said(&self.target, &reason),
                        name.to_string_lossy(),
                        self.inside.shown().join(REPLACED).display()
                    ),
                ));
            }
        }
        Err(failed(reason))
    }
}

impl Drop for DraftFolder {
    fn drop(&mut self) {
        let _ = failed::failure(&self.inside.path().join(""));
        if !self.kept {
            let _ = fs::remove_dir_all(&self.folder);
        }
        live().remove(&self.folder);
    }
}

/// Headers of text describe an image by the path that it was written under, which is nobody's to know: the name alone is left.
fn forget_place(path: &Path, place: &Path) -> io::Result<()> {
    let data = fs::symlink_metadata(path)?;
    if !data.is_file() || data.len() > LONGEST_HEADER {
        return Ok(());
    }
    let Ok(text) = String::from_utf8(fs::read(path)?) else {
        return Ok(());
    };
    let place = format!("{}/", place.display());
    match text.contains('\0') || !text.contains(&place) {
        true => Ok(()),
        false => fs::write(path, text.replace(&place, "")),
    }
}

/// A file, or all files of a folder: some formats are folders.
fn sync(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            sync(&entry?.path())?;
        }
    }
    file.sync_all()
}

fn check_no_folder(target: &Path) -> Result<()> {
    match target.is_dir() {
        true => Err(Error::file(target, "is a folder, not a file to write")),
        false => Ok(()),
    }
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A second name for a file, or a copy where the file system has no such names.
fn keep(file: &Path, aside: &Path) -> io::Result<()> {
    match fs::hard_link(file, aside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => fs::copy(file, aside).map(drop),
        other => other,
    }
}

/// A rename is durable only once the folder is; a file system that cannot sync folders says so here, and the file is
/// complete all the same.
fn sync_folder(folder: &Folder) {
    let _ = File::open(folder.path()).and_then(|folder| folder.sync_all());
}

/// Makes something under a hidden name of this process beside `target`, a name that nothing has yet. What killed
/// processes have left under such names for the same target is removed first.
fn unused(target: &Path, make: impl Fn(&Path) -> io::Result<()>) -> Result<(FolderEntry, PathBuf)> {
    let name = target
        .file_name()
        .ok_or_else(|| Error::argument("path", "the name of a file", format!("`{}`", target.display())))?;
    let folder = folder_of(target);
    if !folder.is_dir() {
        return Err(Error::file(
            target,
            format!("the folder {} does not exist; create it first", folder.display()),
        ));
    }
    let entry = FolderEntry::of(target)?;
    sweep(entry.folder(), &name.to_string_lossy());
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let hidden = format!(
            "{DRAFT}{}-{}-{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed),
            name.to_string_lossy()
        );
        let path = entry.beside(hidden.as_ref());
        match make(&path) {
            Ok(()) => {
                live().insert(path.clone());
                return Ok((entry, path));
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => {
                return Err(Error::file(
                    target,
                    format!("cannot be created: {}", said(target, &e)),
                ));
            }
        }
    }
}

/// Such a folder is the user's: a process ended while it replaced them, or could not put them back.
fn holds_old_parts(draft: &Path) -> bool {
    draft.join(REPLACED).exists()
}

/// Removes the drafts of `name` that killed processes have left.
fn sweep(folder: &Folder, name: &str) {
    let Ok(entries) = fs::read_dir(folder.path()) else {
        return;
    };
    for entry in entries.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let process = file.strip_prefix(DRAFT).and_then(|rest| {
            let (process, rest) = rest.split_once('-')?;
            let (_, of) = rest.split_once('-')?;
            (of == name).then(|| process.parse::<u32>().ok())?
        });
        if process.is_none_or(|id| Path::new(&format!("/proc/{id}")).exists()) {
            continue;
        }
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_dir() && holds_old_parts(&entry.path()) => Ok(()),
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(entry.path()),
            _ => fs::remove_file(entry.path()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_atomically;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
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
    fn words_about_drafts_name_the_users_file() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let target = folder.path().join("a-1-2.shp");
        let (file, parts) = (Draft::new(&target).unwrap(), DraftFolder::new(&target).unwrap());
        for path in [file.path(), parts.path()] {
            assert_eq!(
                shown(&format!("{}: no space, {0}.", path.display())),
                format!("{}: no space, {0}.", real.join("a-1-2.shp").display())
            );
        }
        for other in ["nothing", "/proc/self/fd/x", ".draft-notes.txt", ".draft-1-2"] {
            assert_eq!(shown(other), other);
        }
    }

    #[test]
    fn the_draft_keeps_the_extension() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::new(&folder.path().join("a.gpkg")).unwrap();
        assert_eq!(draft.path().extension().unwrap(), "gpkg");
    }

    #[test]
    fn a_link_under_the_name_of_a_draft_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, victim) = (folder.path().join("a.csv"), folder.path().join("victim"));
        fs::write(&victim, "mine").unwrap();
        let at = Draft::new(&target).unwrap();
        fs::remove_file(at.path()).unwrap();
        std::os::unix::fs::symlink(&victim, at.path()).unwrap();
        assert!(at.open().is_err());
        drop(at);
        // A thousand names ahead are taken by links; whichever a draft gets, it is a file of its own.
        for n in 0..1000 {
            let planted = folder
                .path()
                .join(format!(".draft-{}-{n}-a.csv", std::process::id()));
            let _ = std::os::unix::fs::symlink(&victim, planted);
        }
        write_atomically(&target, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert!(fs::symlink_metadata(&target).unwrap().is_file());
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
    }

    #[test]
    fn drafts_of_dead_processes_go_with_the_next_write() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        // Larger than any process's number can be.
        let dead = u32::MAX;
        fs::write(root.join(format!(".draft-{dead}-0-a.csv")), "").unwrap();
        fs::create_dir(root.join(format!(".draft-{dead}-2-a.csv"))).unwrap();
        fs::write(root.join(format!(".draft-{dead}-2-a.csv/part")), "").unwrap();
        let others = [".draft-1-0-a.csv".to_string(), format!(".draft-{dead}-3-b.csv")];
        others
            .iter()
            .for_each(|name| fs::write(root.join(name), "").unwrap());
        write_atomically(&root.join("a.csv"), |out| out.write_all(b"new")).unwrap();
        let mut expected = vec!["a.csv".to_string()];
        expected.extend(others);
        expected.sort();
        assert_eq!(names(root), expected);
    }

    #[test]
    fn parts_are_replaced_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |stale: &[OsString]| {
            let draft = DraftFolder::new(&root.join("a.shp")).unwrap();
            for name in ["a.shp", "a.dbf"] {
                fs::write(draft.path().with_file_name(name), "new").unwrap();
            }
            draft.publish(stale)
        };
        fs::write(root.join("a.shp"), "old").unwrap();
        fs::write(root.join("a.cpg"), "old").unwrap();
        // A part that cannot be replaced.
        fs::create_dir_all(root.join("a.dbf/x")).unwrap();
        let stale = [OsString::from("a.cpg")];
        assert!(write(&stale).is_err());
        assert_eq!(fs::read(root.join("a.shp")).unwrap(), b"old");
        assert_eq!(names(root), ["a.cpg", "a.dbf", "a.shp"]);
        fs::remove_dir_all(root.join("a.dbf")).unwrap();
        write(&stale).unwrap();
        assert_eq!(names(root), ["a.dbf", "a.shp"]);
        assert_eq!(fs::read(root.join("a.shp")).unwrap(), b"new");
    }
}
