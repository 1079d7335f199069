//! The ledger of pixels that live on between runs: scenes and results that are kept, arrays of scripts, the caches of libraries. Runs share
//! what it leaves of the ceiling.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::context::current;

/// What the caches of libraries hold, which all budgets of the process share.
static SHARED: AtomicUsize = AtomicUsize::new(0);

/// Notes bytes that a library's cache may take from now on, to the end of the process.
pub fn share(bytes: usize) {
    SHARED.fetch_add(bytes, Ordering::Relaxed);
}

/// A ceiling, and what is held beneath it.
#[derive(Debug)]
pub struct Budget {
    ceiling: usize,
    held: AtomicUsize,
}

impl Budget {
    pub fn new(ceiling: usize) -> Budget {
        Budget {
            ceiling,
            held: AtomicUsize::new(0),
        }
    }

    pub fn ceiling(&self) -> usize {
        self.ceiling
    }

    /// What is held by name, the caches of libraries aside.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// What a run may take, in bytes. Never less than an eighth of the ceiling: a script that fills it with arrays can still look at them.
    pub fn left(&self) -> usize {
        // A cache that the user has made larger than the ceiling leaves runs their half.
        let shared = SHARED.load(Ordering::Relaxed).min(self.ceiling / 2);
        self.ceiling
            .saturating_sub(shared)
            .saturating_sub(self.held.load(Ordering::Relaxed))
            .max(self.ceiling / 8)
    }
}

/// Bytes in a ledger, for as long as this lives.
#[derive(Debug)]
pub struct Held {
    bytes: usize,
    budget: Arc<Budget>,
}

impl Held {
    /// Notes bytes that are taken in any case.
    pub fn hold(bytes: usize) -> Held {
        let budget = current().budget().clone();
        budget.held.fetch_add(bytes, Ordering::Relaxed);
        Held { bytes, budget }
    }

    /// None where more than `most` bytes would be held in all.
    pub fn within(bytes: usize, most: usize) -> Option<Held> {
        let budget = current().budget().clone();
        let shared = SHARED.load(Ordering::Relaxed).min(budget.ceiling / 2);
        let more = |held: usize| {
            held.checked_add(bytes)
                .filter(|held| held.saturating_add(shared) <= most)
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let found = budget.held.fetch_update(set, fetch, more);
        found.ok().map(|_| Held { bytes, budget })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What a run of this thread's context may take; see `Budget::left`.
pub fn left() -> usize {
    current().budget().left()
}
