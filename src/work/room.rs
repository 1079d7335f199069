//! Room for decoded blocks, which the ledger notes.

use std::sync::Arc;

use super::budget::Held;
use super::context::current;
use super::decoded::Decoded;

/// Room for blocks, for as long as this lives.
pub struct Room {
    bytes: usize,
    decoded: Arc<Decoded>,
    _held: Held,
}

impl Room {
    /// Makes room for so many bytes in this thread's context, which its ledger notes.
    #[must_use]
    pub fn of(bytes: usize) -> Room {
        let decoded = current().decoded().clone();
        decoded.widen(bytes);
        Room {
            bytes,
            decoded,
            _held: Held::hold(bytes),
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.decoded.narrow(self.bytes);
    }
}
