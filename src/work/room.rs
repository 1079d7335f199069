//! Room for decoded blocks, which the ledger notes.

use std::sync::Arc;

use super::budget::Held;
use super::context::current;
use super::decoded::Decoded;

/// Room for blocks, for as long as this lives.
pub struct Room {
    memory: usize,
    scratch: usize,
    decoded: Arc<Decoded>,
    _held: Held,
}

impl Room {
    /// Makes room in this thread's context for so many bytes in memory, which its ledger notes, and in scratch.
    #[must_use]
    pub fn of(memory: usize, scratch: usize) -> Room {
        let decoded = current().decoded().clone();
        decoded.widen(memory, scratch);
        Room {
            memory,
            scratch,
            decoded,
            _held: Held::hold(memory),
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.decoded.narrow(self.memory, self.scratch);
    }
}
