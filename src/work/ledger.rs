//! A ceiling of memory, and the ledger of what is held beneath it.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

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
    pub(super) fn movable(&self) -> Vec<Arc<dyn Movable>> {
        let all = self.movable.lock().unwrap_or_else(PoisonError::into_inner);
        let here = all.iter().filter_map(Weak::upgrade);
        here.filter(|movable| movable.bytes() > 0).collect()
    }

    /// Has what was not read for the longest time give way. False where nothing can.
    pub(super) fn give_way(&self) -> bool {
        let mut all = self.movable();
        all.sort_by_key(|movable| movable.used());
        all.iter().any(|movable| movable.leave().is_ok())
    }

    /// Notes bytes that are taken in any case.
    pub(super) fn take(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes bytes where no more than `most` are held then, with what libraries share. False where they would be.
    pub(super) fn take_within(&self, bytes: usize, most: usize) -> bool {
        let shared = self.shared();
        let more = |held: usize| {
            held.checked_add(bytes)
                .filter(|held| held.saturating_add(shared) <= most)
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.held.fetch_update(set, fetch, more).is_ok()
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What the caches of libraries take of the ceiling. One that the user has made larger than it leaves runs their half.
    pub(super) fn shared(&self) -> usize {
        SHARED.load(Ordering::Relaxed).min(self.ceiling / 2)
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
        self.ceiling
            .saturating_sub(self.shared())
            .saturating_sub(self.held.load(Ordering::Relaxed))
            .max(self.ceiling / 8)
    }
}
