//! Decoded blocks of files that several tiles of a run read. Each is decoded once, by the first that asks, while the others wait.

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
    uses: u64,
}

enum Block {
    Awaited,
    Here {
        pixels: Arc<dyn Any + Send + Sync>,
        bytes: usize,
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
            if let Some(Block::Here { bytes, .. }) = self.blocks.remove(&oldest) {
                self.bytes -= bytes;
            }
        }
    }
}

impl Decoded {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn widen(&self, bytes: usize) {
        self.kept().room += bytes;
    }

    /// Lets blocks go that have no room any more.
    pub(super) fn narrow(&self, bytes: usize) {
        let mut kept = self.kept();
        kept.room -= bytes;
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
        if let Some(Block::Here { bytes, .. }) = kept.blocks.get(key) {
            kept.bytes -= *bytes;
            kept.blocks.remove(key);
        }
    }

    /// What `key` stands for, of so many bytes: kept from before, or made now.
    ///
    /// # Errors
    /// Those of `make`; `Interrupted`.
    pub fn get<T: Any + Send + Sync>(
        &self,
        key: Key,
        bytes: usize,
        make: impl FnOnce() -> Result<T>,
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
        drop(kept);
        // Those who wait look for themselves where this ends without a block, however it ends.
        let awaited = Awaited { decoded: self, key };
        let made = Arc::new(make()?);
        let mut kept = self.kept();
        kept.uses += 1;
        let here = Block::Here {
            pixels: made.clone(),
            bytes,
            used: kept.uses,
        };
        kept.blocks.insert(key, here);
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
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let mut kept = self.decoded.kept();
        if matches!(kept.blocks.get(&self.key), Some(Block::Awaited)) {
            kept.blocks.remove(&self.key);
        }
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
        let (blocks, _room) = (context.decoded().clone(), Room::of(64));
        let made: Vec<AtomicU64> = (0..64).map(|_| AtomicU64::new(0)).collect();
        workers::for_each(
            8,
            64 * 8,
            || (),
            |(), i| {
                let at = i / 8;
                let got = blocks.get((0, 0, 0, at), 1, || {
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
        let (blocks, room) = (context.decoded().clone(), Room::of(3));
        assert!(format!("{:?}", context.budget()).starts_with("3 of"));
        let made = |at: usize| {
            let mut made = false;
            blocks
                .get((0, 0, 0, at), 1, || {
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
    fn an_error_is_the_error_of_its_maker_alone() {
        let context = Context::new();
        let _entered = context.enter();
        let (blocks, _room) = (context.decoded().clone(), Room::of(1));
        let failed = blocks.get::<u8>((0, 0, 0, 0), 1, || Err(Error::message("no")));
        assert_eq!(failed.unwrap_err().to_string(), "no");
        assert_eq!(*blocks.get((0, 0, 0, 0), 1, || Ok(5)).unwrap(), 5);
    }
}
