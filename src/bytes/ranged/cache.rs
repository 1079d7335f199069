//! Blocks of files on servers, kept for the next reader: the ones that were used last, in the ledger of memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::work;
use crate::work::Held;

/// Bytes of a block; the last one of a file may be shorter.
pub const BLOCK: u64 = 16 << 10;

/// The number of a file, and that of a block in it.
type Key = (u64, u64);

struct Kept {
    bytes: Box<[u8]>,
    used: u64,
    _held: Held,
}

#[derive(Default)]
pub struct Cache {
    blocks: HashMap<Key, Kept>,
    /// By the time of their last use.
    order: BTreeMap<u64, Key>,
    bytes: usize,
    clock: u64,
}

static CACHE: Mutex<Option<Cache>> = Mutex::new(None);

/// Bytes that are kept at most.
pub fn capacity() -> usize {
    (work::memory() / 16).clamp(8 << 20, 64 << 20)
}

/// What `look` finds or puts there. Nobody waits for the network meanwhile.
pub fn with<T>(look: impl FnOnce(&mut Cache) -> T) -> T {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    look(cache.get_or_insert_default())
}

impl Cache {
    pub fn has(&self, file: u64, block: u64) -> bool {
        self.blocks.contains_key(&(file, block))
    }

    pub fn get(&mut self, file: u64, block: u64) -> Option<&[u8]> {
        let kept = self.blocks.get_mut(&(file, block))?;
        self.clock += 1;
        self.order.remove(&kept.used);
        kept.used = self.clock;
        self.order.insert(self.clock, (file, block));
        Some(&kept.bytes)
    }

    pub fn put(&mut self, file: u64, block: u64, bytes: &[u8]) {
        self.remove((file, block));
        self.clock += 1;
        self.bytes += bytes.len();
        self.order.insert(self.clock, (file, block));
        let kept = Kept {
            bytes: bytes.into(),
            used: self.clock,
            _held: Held::hold(bytes.len()),
        };
        self.blocks.insert((file, block), kept);
        while self.bytes > capacity() {
            let Some((_, &oldest)) = self.order.first_key_value() else {
                break;
            };
            self.remove(oldest);
        }
    }

    pub fn forget(&mut self, file: u64) {
        let of_file: Vec<Key> = self.blocks.keys().filter(|key| key.0 == file).copied().collect();
        for key in of_file {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: Key) {
        if let Some(kept) = self.blocks.remove(&key) {
            self.order.remove(&kept.used);
            self.bytes -= kept.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let mut cache = Cache::default();
        let block = vec![7; BLOCK as usize];
        let most = capacity() as u64 / BLOCK;
        for number in 0..most {
            cache.put(1, number, &block);
        }
        assert!(cache.get(1, 0).is_some());
        cache.put(1, most, &block);
        assert!(cache.has(1, 0) && !cache.has(1, 1) && cache.has(1, most));
        assert_eq!(cache.bytes as u64, most * BLOCK);
        cache.forget(1);
        assert_eq!((cache.bytes, cache.blocks.len(), cache.order.len()), (0, 0, 0));
    }
}
