//! Drafts that become folders.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{RenameFlags, renameat_with};

use super::{DraftFolder, REPLACED, sync, sync_folder};
use crate::error::{Error, Result};

impl DraftFolder {
    /// Syncs a folder that was made under `path` to disk and gives it its name, in place of the folder that was there.
    ///
    /// # Errors
    /// When a file cannot be synced, or the folder named; what was there then still is.
    pub fn publish_folder(self) -> Result<()> {
        self.check()?;
        let failed = |e| Error::io(&self.target, e);
        sync(&self.file).map_err(failed)?;
        let place = self.entry.path();
        if place.is_dir() {
            // Both change places at once; the old one goes with the draft.
            let here = rustix::fs::CWD;
            match renameat_with(here, &self.file, here, &place, RenameFlags::EXCHANGE) {
                Ok(()) => {}
                // A file system that cannot: there is a moment without either.
                Err(_) => {
                    let aside = self.inside.path().join(REPLACED);
                    fs::rename(&place, &aside).map_err(failed)?;
                    if let Err(e) = fs::rename(&self.file, &place) {
                        fs::rename(&aside, &place).map_err(failed)?;
                        return Err(failed(e));
                    }
                }
            }
        } else {
            fs::rename(&self.file, &place).map_err(failed)?;
        }
        sync_folder(self.entry.folder());
        Ok(())
    }

    /// Syncs the files of a folder that was made under `path` to disk and gives each its name in the folder that is there, those that are
    /// `last` (names without folders) after all others.
    ///
    /// # Errors
    /// When a file cannot be synced or named: those named before stay.
    pub fn publish_into(self, last: &[&str]) -> Result<()> {
        self.check()?;
        let failed = |e| Error::io(&self.target, e);
        sync(&self.file).map_err(failed)?;
        let mut files = Vec::new();
        list(&self.file, Path::new(""), &mut files).map_err(failed)?;
        let turn = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let at_root = path.components().count() == 1;
            (last.contains(&name.as_ref()), at_root)
        };
        files.sort_by_key(turn);
        let place = self.entry.path();
        for file in files {
            let to = place.join(&file);
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(failed)?;
            }
            fs::rename(self.file.join(&file), to).map_err(failed)?;
        }
        sync(&place).map_err(failed)
    }
}

/// The files of a folder and of those in it, by their paths below it.
fn list(folder: &Path, below: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => list(&entry.path(), &path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
