//! The ledger of pixels that live on between runs: scenes and results that are kept, arrays of scripts, GDAL's cache of blocks. Runs share
//! what it leaves of the ceiling.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::settings;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// Bytes in the ledger, for as long as this lives.
#[derive(Debug)]
pub struct Held(usize);

impl Held {
    /// Notes bytes that are taken in any case.
    pub fn hold(bytes: usize) -> Held {
        HELD.fetch_add(bytes, Ordering::Relaxed);
        Held(bytes)
    }

    /// None where more than `most` bytes would be held in all.
    pub fn within(bytes: usize, most: usize) -> Option<Held> {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= most);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        HELD.fetch_update(set, fetch, more).ok().map(|_| Held(bytes))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// What a run may take, in bytes. Never less than an eighth of the ceiling: a script that fills it with arrays can still look at them.
pub fn left() -> usize {
    let memory = settings::memory();
    memory
        .saturating_sub(HELD.load(Ordering::Relaxed))
        .max(memory / 8)
}
