//! A run that computes, downloads and writes nothing, and tells what it would.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Something that the run itself would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlannedStep {
    /// `write`, `download`.
    pub does: &'static str,
    pub path: String,
    /// What is written or downloaded: `1200 × 800 × 2`, `12 files`.
    pub what: String,
    /// Bytes that are read, downloaded, written before compression, and held at a time; None where they are not known.
    pub reads: Option<u64>,
    pub downloads: Option<u64>,
    pub writes: Option<u64>,
    pub memory: Option<u64>,
    pub seconds: Option<f64>,
    /// What requester-pays buckets take for it.
    pub cost_usd: Option<f64>,
}

/// What has been told so far.
#[derive(Default)]
pub struct Rehearsal {
    steps: Mutex<Vec<PlannedStep>>,
    /// Files that would be there by now.
    promised: Mutex<HashSet<PathBuf>>,
    /// What first could not be had without computing.
    wanted: Mutex<Option<String>>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rehearsal {
    pub fn tell(&self, step: PlannedStep) {
        lock(&self.steps).push(step);
    }

    pub fn steps(&self) -> Vec<PlannedStep> {
        lock(&self.steps).clone()
    }

    /// Says that the run would have made a file by now.
    pub fn promise(&self, path: &Path) {
        lock(&self.promised).insert(path.to_path_buf());
    }

    pub fn has_promised(&self, path: &Path) -> bool {
        lock(&self.promised).contains(path)
    }

    /// # Errors
    /// When the run itself would have made the file, which is read now.
    pub fn check(&self, path: &Path) -> Result<()> {
        match self.has_promised(path) {
            true => Err(self.wants(format!("the file {}", path.display()))),
            false => Ok(()),
        }
    }

    /// The error of what the run itself would have computed or made.
    pub fn wants(&self, what: String) -> Error {
        let error = Error::message(format!("the dry run ends here, for want of {what}"));
        lock(&self.wanted).get_or_insert(what);
        error
    }

    pub fn wanted(&self) -> Option<String> {
        lock(&self.wanted).clone()
    }
}
