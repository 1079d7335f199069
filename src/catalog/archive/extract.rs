//! Members become files: first in a hidden folder, then all under their names.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use zip::ZipArchive;

use super::names::{self, Planned};
use super::{Limits, wrong};
use crate::error::{Error, Result, free_space, shown_bytes};
use crate::gate::{self, Folder};
use crate::{files, interrupt};

#[derive(Debug, Clone)]
pub struct UnzipOptions {
    /// The folder, which is made where it is not there.
    pub into: PathBuf,
    /// Names of members, in which `*` and `?` stand for any text and one character; empty means all.
    pub members: Vec<String>,
    /// Remove the archive once its members are on the disk.
    pub delete: bool,
    /// Replace files that are there.
    pub overwrite: bool,
    pub limits: Limits,
}

impl UnzipOptions {
    pub fn new(into: impl Into<PathBuf>) -> UnzipOptions {
        UnzipOptions {
            into: into.into(),
            members: Vec::new(),
            delete: false,
            overwrite: false,
            limits: Limits::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Extracted {
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
    /// It was there already, with this size and CRC-32.
    pub present: bool,
}

/// `towards`: told where the bytes of the next member end.
pub fn extract<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    what: &str,
    packed: u64,
    options: &UnzipOptions,
    towards: &mut dyn FnMut(u64),
) -> Result<Vec<Extracted>> {
    let planned = names::plan(archive, what, packed, &options.limits)?;
    let chosen = choose(&planned, &options.members, what)?;
    let missing: u64 = chosen.iter().map(|member| member.bytes).sum();
    let root = Folder::make(&options.into)?;
    let present = look(&root, &chosen, what, options.overwrite)?;
    if let Some(free) = free_space(&root.path())
        && free < missing
        && present.len() < chosen.len()
    {
        return Err(Error::file(
            &options.into,
            format!(
                "the disk has {} free, and {what} unpacks to {}",
                shown_bytes(free),
                shown_bytes(missing)
            ),
        ));
    }
    let scratch = Scratch::new(&root)?;
    let mut out = Vec::new();
    for member in &chosen {
        let path = options.into.join(&member.path);
        let there = present.contains(&member.index);
        if !there {
            let target = scratch.0.join(&member.path);
            let failed = |e| Error::io(&path, e);
            if member.folder {
                fs::create_dir_all(&target).map_err(failed)?;
            } else {
                towards(member.ends);
                write(archive, what, member, &target, &path)?;
            }
        }
        if !member.folder {
            out.push(Extracted {
                name: member.name.clone(),
                path,
                bytes: member.bytes,
                present: there,
            });
        }
    }
    // One sync for all files, before any has its name and before the archive goes.
    let synced =
        File::open(&scratch.0).and_then(|folder| rustix::fs::syncfs(&folder).map_err(io::Error::from));
    synced.map_err(|e| Error::io(&options.into, e))?;
    let mut renamed = Renamed::default();
    if let Err(reason) = publish(&scratch.0, &root, &scratch.0, &mut renamed) {
        renamed.undo();
        return Err(reason);
    }
    let _ = File::open(root.path()).and_then(|folder| rustix::fs::syncfs(&folder).map_err(io::Error::from));
    Ok(out)
}

/// The members that are wanted.
fn choose<'a>(planned: &'a [Planned], patterns: &[String], what: &str) -> Result<Vec<&'a Planned>> {
    if patterns.is_empty() {
        return Ok(planned.iter().collect());
    }
    for pattern in patterns {
        if !planned
            .iter()
            .any(|member| !member.folder && files::fits(pattern, &member.name))
        {
            let names = planned
                .iter()
                .filter(|member| !member.folder)
                .map(|member| member.name.clone());
            return Err(Error::message(format!(
                "{what} has {}",
                Error::not_found("member", pattern, names)
            )));
        }
    }
    let wanted = |member: &&Planned| {
        !member.folder && patterns.iter().any(|pattern| files::fits(pattern, &member.name))
    };
    Ok(planned.iter().filter(wanted).collect())
}

/// The members that are there already, by their indices.
///
/// # Errors
/// When something else is in the place of one, a link is on the way to it, or it would be a file of logins.
fn look(root: &Folder, chosen: &[&Planned], what: &str, overwrite: bool) -> Result<Vec<usize>> {
    let mut present = Vec::new();
    let mut seen: BTreeSet<&Path> = BTreeSet::new();
    for member in chosen {
        let (path, target) = (root.path().join(&member.path), root.shown().join(&member.path));
        if gate::may_hold_logins(&target) {
            return Err(Error::file(
                &target,
                format!("is a file of logins, and no member of {what} takes its place; nothing was unpacked"),
            ));
        }
        let above = member
            .path
            .ancestors()
            .skip(1)
            .filter(|folder| folder.iter().next().is_some());
        for folder in above {
            if seen.insert(folder) && root.path().join(folder).is_symlink() {
                return Err(Error::file(
                    root.shown().join(folder),
                    "is a link, and nothing is unpacked through links; move it away",
                ));
            }
        }
        let Ok(meta) = fs::symlink_metadata(&path) else {
            continue;
        };
        let other = |text: &str| {
            Error::file(
                &target,
                format!(
                    "{text} is there already, and is not what {what} holds; move it away, or use `overwrite = true`"
                ),
            )
        };
        match (member.folder, meta.is_dir()) {
            (true, true) => present.push(member.index),
            (true, false) => return Err(other("a file of this name")),
            (false, true) => return Err(other("a folder of this name")),
            (false, false) => {
                if meta.is_file() && meta.len() == member.bytes && crc32(&path)? == member.crc32 {
                    present.push(member.index);
                } else if !overwrite {
                    return Err(other("another file of this name"));
                }
            }
        }
    }
    Ok(present)
}

fn crc32(path: &Path) -> Result<u32> {
    let failed = |e| Error::io(path, e);
    let mut file = gate::open(path).map_err(failed)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut block = vec![0; 1 << 18];
    loop {
        interrupt::check()?;
        match file.read(&mut block).map_err(failed)? {
            0 => return Ok(hasher.finalize()),
            n => hasher.update(&block[..n]),
        }
    }
}

/// Writes one member; its size and CRC-32 are those of the directory or it is an error.
fn write<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    what: &str,
    member: &Planned,
    target: &Path,
    shown: &Path,
) -> Result<()> {
    let failed = |e| Error::io(shown, e);
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut reader = archive
        .by_index(member.index)
        .map_err(|e| wrong(what, Some(&member.name), e))?;
    let mut file = File::create_new(target).map_err(failed)?;
    let mut block = vec![0; 1 << 18];
    let mut written = 0_u64;
    loop {
        interrupt::check()?;
        let n = match reader.read(&mut block) {
            Ok(0) => break,
            Ok(n) => n,
            Err(_) if interrupt::requested() => return Err(Error::Interrupted),
            Err(e) => {
                return Err(Error::message(format!(
                    "{what}: the member `{}` is damaged after {written} bytes: {e}; fetch the archive again",
                    member.name
                )));
            }
        };
        written += n as u64;
        if written > member.bytes {
            return Err(Error::message(format!(
                "{what}: the member `{}` unpacks to more than the {} bytes that it says; nothing was unpacked",
                member.name, member.bytes
            )));
        }
        file.write_all(&block[..n]).map_err(failed)?;
    }
    if written != member.bytes {
        return Err(Error::message(format!(
            "{what}: the member `{}` unpacks to {written} bytes, not to the {} that it says; fetch the archive again",
            member.name, member.bytes
        )));
    }
    Ok(())
}

/// What has been renamed, from where to where, and the folders that those paths lead through.
#[derive(Default)]
struct Renamed {
    steps: Vec<(PathBuf, PathBuf)>,
    folders: Vec<Folder>,
}

impl Renamed {
    fn rename(&mut self, from: PathBuf, to: PathBuf) -> io::Result<()> {
        fs::rename(&from, &to)?;
        self.steps.push((from, to));
        Ok(())
    }

    fn undo(self) {
        for (from, to) in self.steps.iter().rev() {
            // Whatever hinders this is what stopped the renaming, and is told.
            let _ = fs::rename(to, from);
        }
    }
}

/// Gives all that lies in `from` its name in `to`: whole folders where none of that name is there. Files that are replaced are put aside.
fn publish(from: &Path, to: &Folder, aside: &Path, renamed: &mut Renamed) -> Result<()> {
    // All before the first step: what is put aside is not among them.
    let entries: io::Result<Vec<fs::DirEntry>> = fs::read_dir(from).and_then(Iterator::collect);
    for entry in entries.map_err(|e| Error::io(to.shown(), e))? {
        let name = entry.file_name();
        let failed = |e| Error::io(to.shown().join(&name), e);
        let place = to.place(&name).map_err(failed)?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_there = fs::symlink_metadata(&place).is_ok();
        if is_folder && is_there {
            let inside = to.enter(&name).map_err(failed)?;
            let published = publish(&entry.path(), &inside, aside, renamed);
            renamed.folders.push(inside);
            published?;
            continue;
        }
        if is_there {
            let old = aside.join(format!(".replaced-{}", renamed.steps.len()));
            renamed.rename(place.clone(), old).map_err(failed)?;
        }
        renamed.rename(entry.path(), place).map_err(failed)?;
    }
    Ok(())
}

/// A hidden folder, by its path through the open one around it, that goes when it is dropped; those of killed processes are swept first.
struct Scratch(PathBuf);

impl Scratch {
    fn new(root: &Folder) -> Result<Scratch> {
        for entry in fs::read_dir(root.path()).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name
                .strip_prefix(".unzip-")
                .and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
            if process.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let path = root.path().join(format!(
            ".unzip-{}-{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir(&path).map_err(|e| Error::io(root.shown(), e))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
