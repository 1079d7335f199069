//! Blocks of files on servers, kept for the next reader: the ones that were used last, in the ledger of memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::work;
use crate::work::Held;

/// Bytes of a block; the last one of a file may be shorter.
pub const BLOCK: u64 = 16 << 10;

/// The number of a file, and that of a block in it.
type Key = (u64, u64);

/// Slots of a slab.
const SLOTS: usize = 64;

struct Kept {
    /// In the slabs, and how many bytes of it are the block's.
    slot: usize,
    bytes: usize,
    used: u64,
    _held: Held,
}

/// Room for blocks, one slot each: blocks come and go all the time, and pieces of a heap between what comes and goes otherwise would leave it in
/// holes.
#[derive(Default)]
struct Slabs {
    slabs: Vec<Box<[u8]>>,
    free: Vec<usize>,
}

impl Slabs {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            let first = self.slabs.len() * SLOTS;
            self.slabs.push(vec![0; SLOTS * BLOCK as usize].into());
            self.free.extend((first + 1..first + SLOTS).rev());
            first
        });
        self.slot(slot)[..bytes.len()].copy_from_slice(bytes);
        slot
    }

    fn slot(&mut self, slot: usize) -> &mut [u8] {
        let first = slot % SLOTS * BLOCK as usize;
        &mut self.slabs[slot / SLOTS][first..first + BLOCK as usize]
    }
}

#[derive(Default)]
pub struct Cache {
    blocks: HashMap<Key, Kept>,
    slabs: Slabs,
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
        Some(&self.slabs.slot(kept.slot)[..kept.bytes])
    }

    pub fn put(&mut self, file: u64, block: u64, bytes: &[u8]) {
        self.remove((file, block));
        while self.bytes + bytes.len() > capacity() {
            let Some((_, &oldest)) = self.order.first_key_value() else {
                break;
            };
            self.remove(oldest);
        }
        self.clock += 1;
        self.bytes += bytes.len();
        self.order.insert(self.clock, (file, block));
        let kept = Kept {
            slot: self.slabs.put(bytes),
            bytes: bytes.len(),
            used: self.clock,
            _held: Held::hold(bytes.len()),
        };
        self.blocks.insert((file, block), kept);
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
            self.bytes -= kept.bytes;
            self.slabs.free.push(kept.slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let mut cache = Cache::default();
        let block = |number: u64| vec![number as u8; BLOCK as usize - usize::from(number == 3)];
        let most = capacity() as u64 / BLOCK;
        for number in 0..most {
            cache.put(1, number, &block(number));
        }
        assert!(cache.get(1, 0).is_some());
        cache.put(1, most, &block(most));
        assert!(cache.has(1, 0) && !cache.has(1, 1) && cache.has(1, most));
        for number in (0..=most).filter(|number| *number != 1) {
            assert!(cache.get(1, number) == Some(&block(number)[..]), "{number}");
        }
        cache.put(1, 1, &block(1));
        assert!(cache.slabs.slabs.len() as u64 <= most.div_ceil(SLOTS as u64));
        cache.remove((1, 3));
        cache.put(1, 3, &block(0));
        assert_eq!(cache.bytes as u64, most * BLOCK);
        cache.forget(1);
        assert_eq!((cache.bytes, cache.blocks.len(), cache.order.len()), (0, 0, 0));
    }
}
