//! Decoded chunks that are kept for other windows and other steps of time, as far as the ledger has room for them. Each is decoded once, by the
//! first that asks, while the others wait.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::error::Result;
use crate::interrupt;
use crate::work::budget::{self, Movable};
use crate::work::{self, Held};

/// Array and number of a chunk.
pub type Key = (u64, u64);

/// The elements of a chunk, little-endian in C order; those beyond the array's end along its first axis may be left out.
pub struct Chunk {
    /// None of a chunk that was never written.
    pub bytes: Option<Vec<u8>>,
    _held: Held,
}

impl Chunk {
    fn size(&self) -> usize {
        self.bytes.as_ref().map_or(0, Vec::len) + size_of::<Chunk>()
    }
}

#[derive(Default)]
pub struct Cache {
    kept: Mutex<Kept>,
    /// A chunk has come, or will not.
    changed: Condvar,
}

#[derive(Default)]
struct Kept {
    chunks: HashMap<Key, Entry>,
    /// Of those that are kept for nobody in particular.
    bytes: usize,
    used: u64,
}

enum Entry {
    Awaited,
    Here {
        chunk: Weak<Chunk>,
        /// As long as it has room.
        kept: Option<Arc<Chunk>>,
        used: u64,
    },
}

impl Kept {
    fn take(&mut self, key: Key) -> Option<Arc<Chunk>> {
        let now = budget::tick();
        match self.chunks.get_mut(&key)? {
            Entry::Awaited => None,
            Entry::Here { chunk, used, .. } => {
                let chunk = chunk.upgrade()?;
                (*used, self.used) = (now, now);
                Some(chunk)
            }
        }
    }

    /// Lets go what was not read for the longest time, so many bytes at least, and answers it: it is dropped outside the lock.
    fn let_go(&mut self, bytes: usize) -> Vec<Arc<Chunk>> {
        let mut oldest: Vec<(u64, Key)> = self
            .chunks
            .iter()
            .filter_map(|(key, entry)| match entry {
                Entry::Here {
                    kept: Some(_), used, ..
                } => Some((*used, *key)),
                _ => None,
            })
            .collect();
        oldest.sort_unstable();
        let (mut gone, mut freed) = (Vec::new(), 0);
        for (_, key) in oldest {
            if freed >= bytes {
                break;
            }
            if let Some(Entry::Here { kept, .. }) = self.chunks.get_mut(&key)
                && let Some(chunk) = kept.take()
            {
                freed += chunk.size();
                gone.push(chunk);
            }
        }
        self.bytes -= freed.min(self.bytes);
        gone
    }

    /// Forgets those that nobody has any more.
    fn tidy(&mut self) {
        self.chunks.retain(|_, entry| match entry {
            Entry::Awaited => true,
            Entry::Here { chunk, .. } => chunk.strong_count() > 0,
        });
    }
}

/// What came of asking for a chunk.
pub enum Asked {
    Here(Arc<Chunk>),
    /// The asker makes it.
    Yours,
    /// Another thread makes it.
    Awaited,
}

impl Cache {
    /// An empty one, which gives way to what else needs room in this thread's context.
    pub fn new() -> Arc<Cache> {
        let cache = Arc::new(Cache::default());
        let movable: Arc<dyn Movable> = cache.clone();
        work::current().budget().note(Arc::downgrade(&movable));
        cache
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chunk, where it is here.
    pub fn get(&self, key: Key) -> Option<Arc<Chunk>> {
        self.kept().take(key)
    }

    /// For each of the chunks, whether it is here or who makes it.
    pub fn ask(&self, keys: &[Key]) -> Vec<Asked> {
        let mut kept = self.kept();
        let one = |key: &Key| {
            if let Some(chunk) = kept.take(*key) {
                return Asked::Here(chunk);
            }
            match kept.chunks.get(key) {
                Some(Entry::Awaited) => Asked::Awaited,
                _ => {
                    kept.chunks.insert(*key, Entry::Awaited);
                    Asked::Yours
                }
            }
        };
        keys.iter().map(one).collect()
    }

    /// Keeps a chunk that `ask` left to the caller. It stays for as long as somebody has it, and beyond where there is room.
    pub fn put(&self, key: Key, bytes: Option<Vec<u8>>) -> Arc<Chunk> {
        let size = bytes.as_ref().map_or(0, Vec::len) + size_of::<Chunk>();
        // As all that lives on between runs: half of the ceiling at most.
        let most = work::memory() / 2;
        let mut held = Held::within(size, most);
        if held.is_none() {
            drop(self.kept().let_go(size));
            held = Held::within(size, most);
        }
        let stays = held.is_some();
        let chunk = Arc::new(Chunk {
            bytes,
            _held: held.unwrap_or_else(|| Held::hold(size)),
        });
        let mut kept = self.kept();
        if kept.chunks.len() > 1 << 16 && kept.chunks.len().is_power_of_two() {
            kept.tidy();
        }
        let now = budget::tick();
        kept.used = now;
        if stays {
            kept.bytes += size;
        }
        let entry = Entry::Here {
            chunk: Arc::downgrade(&chunk),
            kept: stays.then(|| chunk.clone()),
            used: now,
        };
        kept.chunks.insert(key, entry);
        drop(kept);
        self.changed.notify_all();
        chunk
    }

    /// Says of chunks that `ask` left to the caller that they do not come.
    pub fn give_up(&self, keys: impl Iterator<Item = Key>) {
        let mut kept = self.kept();
        for key in keys {
            if matches!(kept.chunks.get(&key), Some(Entry::Awaited)) {
                kept.chunks.remove(&key);
            }
        }
        drop(kept);
        self.changed.notify_all();
    }

    /// Waits until something has come, or a moment.
    ///
    /// # Errors
    /// `Interrupted`.
    pub fn wait(&self, key: Key) -> Result<()> {
        let kept = self.kept();
        if matches!(kept.chunks.get(&key), Some(Entry::Awaited)) {
            let _ = self.changed.wait_timeout(kept, Duration::from_millis(50));
        }
        interrupt::check()
    }
}

impl Movable for Cache {
    fn bytes(&self) -> usize {
        self.kept().bytes
    }

    fn used(&self) -> u64 {
        self.kept().used
    }

    /// The older half goes: those that are left are likelier to be read again.
    fn leave(&self) -> Result<()> {
        let mut kept = self.kept();
        let half = (kept.bytes / 2).max(1);
        let gone = kept.let_go(half);
        kept.tidy();
        drop(kept);
        drop(gone);
        Ok(())
    }
}
