//! Work that goes on where a run that was killed has stopped.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The file that is written, and what tells its graph from others. What takes long keeps its parts beside the file.
#[derive(Debug)]
pub struct Resumption {
    pub target: PathBuf,
    pub identity: String,
    next: AtomicUsize,
}

impl Resumption {
    pub fn new(target: PathBuf, identity: String) -> Resumption {
        Resumption {
            target,
            identity,
            next: AtomicUsize::new(0),
        }
    }

    /// A number for each that keeps something, the same whenever the same graph is run.
    pub fn number(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}
