//! What lattices have made while a file is written, kept beside it, so that a run that was killed goes on where it was.
//!
//! In `.perilune` of the file's folder lies for each lattice a file of each output and a ledger. A line of the ledger says how many rows are
//! there; it is written after they are synced, so that the ledger may know less than the disk, never more. A line that is torn counts for nothing.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::gate::{Folder, FolderEntry};
use crate::work::Resumption;

const FOLDER: &str = ".perilune";

/// The rows of one lattice.
pub struct Journal {
    /// Locked for as long as this lives.
    ledger: Mutex<File>,
    shown: PathBuf,
    /// Of each output, and what it is called in errors.
    pub data: Vec<(File, PathBuf)>,
    /// Rows that are there already.
    pub rows: usize,
}

/// What names of files of a target begin with.
fn prefix(target: &Path) -> String {
    let name = target
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    format!("{name}-lattice-")
}

fn folder(target: &Path) -> Result<Folder> {
    let beside = FolderEntry::of(target)?;
    let own = beside.folder().enter_or_make(FOLDER.as_ref());
    own.map(|(folder, _)| folder).map_err(|e| Error::io(target, e))
}

fn line(rows: usize) -> String {
    let digest = Sha256::digest(rows.to_string());
    let sum: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{rows} {sum}\n")
}

impl Journal {
    /// The next journal of a resumption, of so many outputs.
    ///
    /// # Errors
    /// When the files cannot be made or are not perilune's own, and when another process writes them.
    pub fn open(resumption: &Resumption, outputs: usize) -> Result<Journal> {
        let folder = folder(&resumption.target)?;
        let name = format!(
            "{}{}-{}",
            prefix(&resumption.target),
            resumption.identity.get(..16).unwrap_or(&resumption.identity),
            resumption.number()
        );
        let open = |name: &str| {
            let mut options = File::options();
            options.create(true).truncate(false).read(true).write(true);
            let file = folder.open_own(name, &mut options);
            let shown = folder.shown().join(name);
            file.map(|file| (file, shown.clone()))
                .map_err(|e| Error::io(shown, e))
        };
        let (mut ledger, shown) = open(&format!("{name}.ledger"))?;
        match ledger.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::message(format!(
                    "{} is being written by another process",
                    resumption.target.display()
                )));
            }
            Err(TryLockError::Error(e)) => return Err(Error::io(shown, e)),
        }
        let mut text = String::new();
        ledger
            .read_to_string(&mut text)
            .map_err(|e| Error::io(&shown, e))?;
        let whole = |text: &str| {
            let rows = text.split(' ').next()?.parse().ok()?;
            (line(rows) == text).then_some(rows)
        };
        let rows = text.split_inclusive('\n').filter_map(whole).max().unwrap_or(0);
        if !text.is_empty() && !text.ends_with('\n') {
            ledger.write_all(b"\n").map_err(|e| Error::io(&shown, e))?;
        }
        let data = (0..outputs).map(|output| open(&format!("{name}.{output}")));
        Ok(Journal {
            data: data.collect::<Result<_>>()?,
            ledger: Mutex::new(ledger),
            shown,
            rows,
        })
    }

    /// All rows above `rows` are written.
    ///
    /// # Errors
    /// When they cannot be synced, or the ledger not written.
    pub fn record(&self, rows: usize) -> Result<()> {
        for (file, path) in &self.data {
            file.sync_data().map_err(|e| Error::io(path, e))?;
        }
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger
            .write_all(line(rows).as_bytes())
            .map_err(|e| Error::io(&self.shown, e))
    }
}

/// Removes what is kept for a file, of this graph and of others that were to be written there.
///
/// # Errors
/// When the folder cannot be read, or a file not removed.
pub fn sweep(target: &Path) -> Result<()> {
    let folder = folder(target)?;
    let failed = |e: io::Error| Error::io(folder.shown(), e);
    let prefix = prefix(target);
    for entry in std::fs::read_dir(folder.path()).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            std::fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    // Other work may have something there.
    let _ = std::fs::remove_dir(folder.shown());
    Ok(())
}
