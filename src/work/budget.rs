//! The ledger of pixels that live on between runs: scenes and results that are kept, arrays of scripts, the caches of libraries. Runs share
//! what it leaves of the ceiling.

use std::sync::Arc;

use super::context::current;
pub use super::ledger::{Budget, Movable, share, tick};

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
        budget.take(bytes);
        Held { bytes, budget }
    }

    /// None where more than `most` bytes would be held in all, even if what can has given way.
    pub fn within(bytes: usize, most: usize) -> Option<Held> {
        let budget = current().budget().clone();
        loop {
            if budget.take_within(bytes, most) {
                return Some(Held { bytes, budget });
            }
            // Nothing gives way in vain.
            let movable: usize = budget.movable().iter().map(|movable| movable.bytes()).sum();
            let stays = budget.held().saturating_sub(movable);
            let least = stays.saturating_add(bytes).saturating_add(budget.shared());
            if least > most || !budget.give_way() {
                return None;
            }
        }
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

/// What the caches of libraries take of the ceiling of this thread's context.
pub fn shared() -> usize {
    current().budget().shared()
}

/// Has what was not read for the longest time give way to a run of this thread's context. False where nothing can.
pub fn give_way() -> bool {
    current().budget().give_way()
}

/// What a run of this thread's context may take; see `Budget::left`.
pub fn left() -> usize {
    current().budget().left()
}
