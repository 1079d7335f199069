//! Decoded blocks of files that several tiles of a run read. Each is decoded once, by the first that asks, while the others wait. Those that
//! have no room in memory lie in scratch.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::interrupt;

/// (file, band, row, column)
pub type Key = (u64, usize, usize, usize);

/// The blocks of a context, as many as its runs have made room for.
#[derive(Default)]
pub struct Decoded {
    kept: Mutex<Kept>,
    /// Something was decoded, or could not be.
    changed: Condvar,
    total: AtomicU64,
}

#[derive(Default)]
struct Kept {
    blocks: HashMap<Key, Block>,
    bytes: usize,
    room: usize,
    /// Of `bytes` and `room`: what is in memory.
    here: usize,
    memory: usize,
    uses: u64,
}

enum Block {
    Awaited,
    Here {
        pixels: Arc<dyn Any + Send + Sync>,
        bytes: usize,
        in_memory: bool,
        /// The larger, the later.
        used: u64,
    },
}

impl Kept {
    /// Lets those go that were not used for the longest time, until all that is left has room.
    fn fit(&mut self) {
        while self.bytes > self.room {
            let used = |(key, block): (&Key, &Block)| match block {
                Block::Here { used, .. } => Some((*used, *key)),
                Block::Awaited => None,
            };
            let Some((_, oldest)) = self.blocks.iter().filter_map(used).min() else {
                return;
            };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(Block::Here { bytes, in_memory, .. }) = self.blocks.remove(key) {
            self.bytes -= bytes;
            self.here -= if in_memory { bytes } else { 0 };
        }
    }
}

impl Decoded {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn widen(&self, memory: usize, scratch: usize) {
        let mut kept = self.kept();
        kept.room += memory + scratch;
        kept.memory += memory;
    }

    /// Lets blocks go that have no room any more.
    pub(super) fn narrow(&self, memory: usize, scratch: usize) {
        let mut kept = self.kept();
        kept.room -= memory + scratch;
        kept.memory -= memory;
        kept.fit();
    }

    /// False where no run wants blocks to be kept.
    pub fn has_room(&self) -> bool {
        self.kept().room > 0
    }

    /// Notes that so many blocks were decoded.
    pub fn count(&self, blocks: u64) {
        self.total.fetch_add(blocks, Ordering::Relaxed);
    }

    /// How many blocks were decoded so far; one that two tiles read without its being kept counts twice.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Lets go what nobody is going to read again.
    pub fn forget(&self, key: &Key) {
        let mut kept = self.kept();
        if matches!(kept.blocks.get(key), Some(Block::Here { .. })) {
            kept.remove(key);
        }
    }

    /// What `key` stands for, of so many bytes: kept from before, or made now. `make` is told whether it may keep them in memory.
    ///
    /// # Errors
    /// Those of `make`; `Interrupted`.
    pub fn get<T: Any + Send + Sync>(
        &self,
        key: Key,
        bytes: usize,
        make: impl FnOnce(bool) -> Result<T>,
    ) -> Result<Arc<T>> {
        let mut kept = self.kept();
        loop {
            kept.uses += 1;
            let now = kept.uses;
            match kept.blocks.get_mut(&key) {
                Some(Block::Here { pixels, used, .. }) => {
                    *used = now;
                    let other = || Error::message("a block is kept as something else");
                    return pixels.clone().downcast().map_err(|_| other());
                }
                Some(Block::Awaited) => {
                    // A stop wakes nobody.
                    let waited = self.changed.wait_timeout(kept, Duration::from_millis(100));
                    kept = waited.unwrap_or_else(PoisonError::into_inner).0;
                    interrupt::check()?;
                }
                None => break,
            }
        }
        kept.blocks.insert(key, Block::Awaited);
        let in_memory = kept.here + bytes <= kept.memory || kept.memory == kept.room;
        kept.here += if in_memory { bytes } else { 0 };
        drop(kept);
        // Those who wait look for themselves where this ends without a block, however it ends.
        let mut awaited = Awaited {
            decoded: self,
            key,
            here: if in_memory { bytes } else { 0 },
        };
        let made = Arc::new(make(in_memory)?);
        let mut kept = self.kept();
        kept.uses += 1;
        let here = Block::Here {
            pixels: made.clone(),
            bytes,
            in_memory,
            used: kept.uses,
        };
        kept.blocks.insert(key, here);
        awaited.here = 0;
        kept.bytes += bytes;
        kept.fit();
        drop(kept);
        drop(awaited);
        Ok(made)
    }
}

struct Awaited<'a> {
    decoded: &'a Decoded,
    key: Key,
    /// Bytes in memory that are noted for what is not made yet.
    here: usize,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let mut kept = self.decoded.kept();
        if matches!(kept.blocks.get(&self.key), Some(Block::Awaited)) {
            kept.blocks.remove(&self.key);
        }
        kept.here -= self.here;
        self.decoded.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::room::Room;
    use crate::work::{Context, workers};

    #[test]
    fn each_is_made_once_however_many_ask() {
        let context = Context::new().with_memory(1 << 20);
        let _entered = context.enter();
        let (blocks, _room) = (context.decoded().clone(), Room::of(64, 0));
        let made: Vec<AtomicU64> = (0..64).map(|_| AtomicU64::new(0)).collect();
        workers::for_each(
            8,
            64 * 8,
            || (),
            |(), i| {
                let at = i / 8;
                let got = blocks.get((0, 0, 0, at), 1, |_| {
                    std::thread::sleep(Duration::from_millis(1));
                    made[at].fetch_add(1, Ordering::Relaxed);
                    Ok(at)
                })?;
                assert_eq!(*got, at);
                Ok(())
            },
        )
        .unwrap();
        assert!(made.iter().all(|n| n.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn the_one_that_was_not_used_for_longest_goes() {
        let context = Context::new().with_memory(1 << 20);
        let _entered = context.enter();
        let (blocks, room) = (context.decoded().clone(), Room::of(3, 0));
        assert!(format!("{:?}", context.budget()).starts_with("3 of"));
        let made = |at: usize| {
            let mut made = false;
            blocks
                .get((0, 0, 0, at), 1, |_| {
                    made = true;
                    Ok(at)
                })
                .unwrap();
            made
        };
        assert!(made(0) && made(1) && made(2) && !made(0));
        assert!(made(3) && !made(0) && made(1));
        blocks.forget(&(0, 0, 0, 1));
        assert!(made(1) && !made(0));
        drop(room);
        assert!(!blocks.has_room() && blocks.kept().blocks.is_empty() && blocks.kept().bytes == 0);
        assert!(format!("{:?}", context.budget()).starts_with("0 of"));
    }

    #[test]
    fn those_without_room_in_memory_lie_in_scratch() {
        let context = Context::new().with_memory(1 << 20);
        let _entered = context.enter();
        let (blocks, room) = (context.decoded().clone(), Room::of(2, 2));
        assert!(format!("{:?}", context.budget()).starts_with("2 of"));
        let in_memory = |at: usize| *blocks.get((0, 0, 0, at), 1, Ok).unwrap();
        assert_eq!([0, 1, 2, 3].map(in_memory), [true, true, false, false]);
        // As they were made; and the next one where one has gone.
        assert_eq!([3, 0].map(in_memory), [false, true]);
        blocks.forget(&(0, 0, 0, 1));
        assert!(
            blocks
                .get::<bool>((0, 0, 0, 4), 1, |_| Err(Error::message("no")))
                .is_err()
        );
        assert!(in_memory(5));
        drop(room);
        let kept = blocks.kept();
        assert!((kept.bytes, kept.here, kept.memory, kept.room) == (0, 0, 0, 0) && kept.blocks.is_empty());
    }

    #[test]
    fn an_error_is_the_error_of_its_maker_alone() {
        let context = Context::new();
        let _entered = context.enter();
        let (blocks, _room) = (context.decoded().clone(), Room::of(1, 0));
        let failed = blocks.get::<u8>((0, 0, 0, 0), 1, |_| Err(Error::message("no")));
        assert_eq!(failed.unwrap_err().to_string(), "no");
        assert_eq!(*blocks.get((0, 0, 0, 0), 1, |_| Ok(5)).unwrap(), 5);
    }
}
