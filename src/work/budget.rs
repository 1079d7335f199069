//! The ledger of pixels that live on between runs: scenes and results that are kept, arrays of scripts, the caches of libraries. Runs share
//! what it leaves of the ceiling.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::context::current;
use crate::error::Result;

/// What the caches of libraries hold, which all budgets of the process share.
static SHARED: AtomicUsize = AtomicUsize::new(0);

/// Notes bytes that a library's cache may take from now on, to the end of the process.
pub fn share(bytes: usize) {
    SHARED.fetch_add(bytes, Ordering::Relaxed);
}

/// What is kept in memory, and can go elsewhere.
pub trait Movable: Send + Sync {
    /// Bytes that the ledger notes of it; none once it has gone.
    fn bytes(&self) -> usize;

    /// When it was last read, by `tick`.
    fn used(&self) -> u64;

    /// Goes, and gives its bytes back to the ledger.
    ///
    /// # Errors
    /// Where there is no place to go to; it has stayed.
    fn leave(&self) -> Result<()>;
}

/// A moment that is later than all before.
pub fn tick() -> u64 {
    static NOW: AtomicU64 = AtomicU64::new(0);
    NOW.fetch_add(1, Ordering::Relaxed)
}

/// A ceiling, and what is held beneath it.
pub struct Budget {
    ceiling: usize,
    held: AtomicUsize,
    movable: Mutex<Vec<Weak<dyn Movable>>>,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} bytes held",
            self.held.load(Ordering::Relaxed),
            self.ceiling
        )
    }
}

impl Budget {
    pub fn new(ceiling: usize) -> Budget {
        Budget {
            ceiling,
            held: AtomicUsize::new(0),
            movable: Mutex::default(),
        }
    }

    /// Notes what gives way when others need its room.
    pub fn note(&self, movable: Weak<dyn Movable>) {
        let mut all = self.movable.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|movable| movable.strong_count() > 0);
        all.push(movable);
    }

    /// Those that are still in memory.
    fn movable(&self) -> Vec<Arc<dyn Movable>> {
        let all = self.movable.lock().unwrap_or_else(PoisonError::into_inner);
        let here = all.iter().filter_map(Weak::upgrade);
        here.filter(|movable| movable.bytes() > 0).collect()
    }

    /// Has what was not read for the longest time give way. False where nothing can.
    fn give_way(&self) -> bool {
        let mut all = self.movable();
        all.sort_by_key(|movable| movable.used());
        all.iter().any(|movable| movable.leave().is_ok())
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

    /// None where more than `most` bytes would be held in all, even if what can has given way.
    pub fn within(bytes: usize, most: usize) -> Option<Held> {
        let budget = current().budget().clone();
        let shared = shared();
        loop {
            if let Some(held) = Held::at_once(&budget, bytes, most, shared) {
                return Some(held);
            }
            // Nothing gives way in vain.
            let movable: usize = budget.movable().iter().map(|movable| movable.bytes()).sum();
            let stays = budget.held.load(Ordering::Relaxed).saturating_sub(movable);
            let least = stays.saturating_add(bytes).saturating_add(shared);
            if least > most || !budget.give_way() {
                return None;
            }
        }
    }

    fn at_once(budget: &Arc<Budget>, bytes: usize, most: usize, shared: usize) -> Option<Held> {
        let more = |held: usize| {
            held.checked_add(bytes)
                .filter(|held| held.saturating_add(shared) <= most)
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let found = budget.held.fetch_update(set, fetch, more);
        found.ok().map(|_| Held {
            bytes,
            budget: budget.clone(),
        })
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What the caches of libraries take of the ceiling of this thread's context.
pub fn shared() -> usize {
    SHARED.load(Ordering::Relaxed).min(current().budget().ceiling / 2)
}

/// Has what was not read for the longest time give way to a run of this thread's context. False where nothing can.
pub fn give_way() -> bool {
    current().budget().give_way()
}

/// What a run of this thread's context may take; see `Budget::left`.
pub fn left() -> usize {
    current().budget().left()
}
