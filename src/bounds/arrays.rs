//! Memory of arrays of pixels: each a piece of its own from the system, so that what is given back is gone, but for the last few, which the
//! next tiles take again.
//!
//! In the heap of the C library, arrays of a tile's size that live long (decoded blocks) and that live for a tile lie side by side, in one heap for
//! each thread; what becomes free between them stays with the process. A median over 100 files held a fifth more than its ledger that way. Pieces that go back to
//! the system at once would come again as fresh pages, which the system has to zero: a quarter of the CPU time of (a − b)/(a + b) over
//! large images.

use std::alloc::Layout;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::work::budget;

/// Smaller ones are the C library's.
const LEAST: usize = 256 << 10;
const PAGE: usize = 4096;
/// Pieces that are kept at most.
const SLOTS: usize = 128;

/// Bytes of all that are kept in any case, at most.
static MOST: AtomicUsize = AtomicUsize::new(0);
/// Bytes that are kept beside these, at most, where arrays took more before.
static AGAIN: AtomicUsize = AtomicUsize::new(0);

static KEPT: Mutex<Kept> = Mutex::new(Kept {
    pieces: [Piece { at: 0, bytes: 0 }; SLOTS],
    count: 0,
    bytes: 0,
    live: 0,
    peak: 0,
});

#[derive(Clone, Copy)]
struct Piece {
    at: usize,
    bytes: usize,
}

/// Pieces that nobody has, in the order in which they came. All of it stands here: an allocator cannot allocate.
struct Kept {
    pieces: [Piece; SLOTS],
    count: usize,
    bytes: usize,
    /// Bytes that somebody has, now and at most so far.
    live: usize,
    peak: usize,
}

/// Sets what may be kept from the ceiling of memory, and notes it there: what the tiles of all threads need at a time, and little of the ceiling.
///
/// What one tile has given back and the next will take is not noted again: together with what is in use it never takes more than arrays
/// took at once before. A part of the ceiling bounds it, since other memory may have grown since.
pub fn keep_within(memory: usize, threads: usize) {
    let threads = threads.max(1);
    AGAIN.store(
        (memory / 4).min(threads.saturating_mul(64 << 20)),
        Ordering::Relaxed,
    );
    let bytes = (memory / 32).min(threads.saturating_mul(16 << 20));
    let before = MOST.swap(bytes, Ordering::Relaxed);
    budget::share(bytes.saturating_sub(before));
}

/// Whether memory of this layout is an array's.
pub(super) fn takes(layout: Layout) -> bool {
    layout.size() >= LEAST && layout.align() <= PAGE
}

/// Bytes of the piece that so many bytes lie in: an eighth more at most, so that arrays of nearly one size take the place of one another.
fn piece(size: usize) -> usize {
    let step = (size.next_power_of_two() / 16).max(PAGE);
    size.checked_next_multiple_of(step).unwrap_or(usize::MAX)
}

pub(super) fn take(size: usize) -> *mut u8 {
    let bytes = piece(size);
    let again = kept().take(bytes);
    again.unwrap_or_else(|| fresh(bytes))
}

pub(super) fn take_zeroed(size: usize) -> *mut u8 {
    let bytes = piece(size);
    let again = kept().take(bytes);
    match again {
        Some(memory) => {
            // SAFETY: the piece is `bytes` long, which are no fewer, and nobody else has it.
            unsafe { memory.write_bytes(0, size) };
            memory
        }
        // The system's are zero.
        None => fresh(bytes),
    }
}

/// # Safety
/// `memory` was taken here for `size` bytes, and is not used any more.
pub(super) unsafe fn give_back(memory: *mut u8, size: usize) {
    let piece = Piece {
        at: memory.expose_provenance(),
        bytes: piece(size),
    };
    let mut kept = kept();
    kept.live = kept.live.saturating_sub(piece.bytes);
    let most = kept.most();
    if piece.bytes > most / 2 {
        drop(kept);
        return release(piece);
    }
    if kept.count == SLOTS {
        release(kept.remove(0));
    }
    kept.shrink(most - piece.bytes);
    let count = kept.count;
    kept.pieces[count] = piece;
    kept.count += 1;
    kept.bytes += piece.bytes;
}

/// The memory with room for `wanted` bytes, and what it held.
///
/// # Safety
/// `memory` was taken here for `size` bytes.
pub(super) unsafe fn resize(memory: *mut u8, size: usize, wanted: usize) -> *mut u8 {
    let (old, new) = (piece(size), piece(wanted));
    if old == new {
        return memory;
    }
    // SAFETY: the piece is a mapping of `old` bytes of this process; its pages move with what they hold.
    let moved = unsafe { libc::mremap(memory.cast(), old, new, libc::MREMAP_MAYMOVE) };
    if moved == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    let mut kept = kept();
    kept.live = kept.live.saturating_sub(old);
    kept.grow(new);
    moved.cast()
}

/// Gives all that is kept back to the system.
pub(super) fn trim() {
    let mut kept = kept();
    while kept.count > 0 {
        let last = kept.count - 1;
        release(kept.remove(last));
    }
}

fn kept() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    /// Bytes that may be kept now.
    fn most(&self) -> usize {
        let again = AGAIN.load(Ordering::Relaxed);
        MOST.load(Ordering::Relaxed) + self.peak.saturating_sub(self.live).min(again)
    }

    /// Notes that somebody has so many bytes more, for which others may have to go.
    fn grow(&mut self, bytes: usize) {
        self.live = self.live.saturating_add(bytes);
        self.peak = self.peak.max(self.live);
        self.shrink(self.most());
    }

    /// Gives the oldest back to the system, until so many bytes are kept at most.
    fn shrink(&mut self, most: usize) {
        while self.count > 0 && self.bytes > most {
            release(self.remove(0));
        }
    }

    /// The one of that many bytes that came last: the caches of the processor know it best.
    fn take(&mut self, bytes: usize) -> Option<*mut u8> {
        let found = self.pieces[..self.count]
            .iter()
            .rposition(|piece| piece.bytes == bytes);
        let Some(found) = found else {
            self.grow(bytes);
            return None;
        };
        self.live = self.live.saturating_add(bytes);
        self.peak = self.peak.max(self.live);
        Some(ptr::with_exposed_provenance_mut(self.remove(found).at))
    }

    fn remove(&mut self, index: usize) -> Piece {
        let piece = self.pieces[index];
        self.pieces.copy_within(index + 1..self.count, index);
        self.count -= 1;
        self.bytes -= piece.bytes;
        piece
    }
}

/// Null where the system has no more.
fn fresh(bytes: usize) -> *mut u8 {
    let (read_write, own) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: a new mapping, which overlaps nothing.
    let memory = unsafe { libc::mmap(ptr::null_mut(), bytes, read_write, own, -1, 0) };
    match memory == libc::MAP_FAILED {
        true => ptr::null_mut(),
        false => memory.cast(),
    }
}

fn release(piece: Piece) {
    let memory = ptr::with_exposed_provenance_mut::<libc::c_void>(piece.at);
    // SAFETY: a whole mapping of ours that nobody has.
    unsafe { libc::munmap(memory, piece.bytes) };
}

#[cfg(test)]
mod tests {
    use std::alloc::GlobalAlloc;

    use proptest::prelude::*;

    use super::*;
    use crate::bounds::heap::Heap;

    /// The library's tests have no command line that would set it.
    const KEPT_IN_TESTS: usize = 8 << 20;

    #[test]
    fn pieces_hold_what_is_asked_and_little_more() {
        for size in [LEAST, LEAST + 1, 1 << 20, (1 << 20) + 1, 3_000_000, 1 << 40] {
            let piece = piece(size);
            assert!(
                piece >= size && piece <= size + size / 8 + PAGE,
                "{size}: {piece}"
            );
            assert_eq!(piece % PAGE, 0, "{size}");
        }
        // What cannot be is refused, not wrapped round to something small.
        assert!(fresh(piece(isize::MAX as usize)).is_null());
    }

    proptest! {
        /// Beside arrays of the usual way: whatever is asked for, grown, shrunk and given back, each holds its own bytes.
        #[test]
        fn arrays_keep_their_bytes(steps in prop::collection::vec((0usize..6, 0usize..3, 1usize..1_500_000, any::<u8>()), 1..60)) {
            MOST.store(KEPT_IN_TESTS / 2, Ordering::Relaxed);
            AGAIN.store(KEPT_IN_TESTS / 2, Ordering::Relaxed);
            let layout = |size| Layout::from_size_align(size, 8).unwrap();
            let mut held: Vec<Option<(*mut u8, usize, u8)>> = vec![None; 6];
            let check = |memory: *mut u8, size: usize, mark: u8| {
                // SAFETY: allocated below with this size.
                let bytes = unsafe { std::slice::from_raw_parts(memory, size) };
                assert!(bytes.iter().all(|byte| *byte == mark));
            };
            for (slot, what, size, mark) in steps {
                // SAFETY: each piece goes back once, with the layout it has.
                unsafe {
                    held[slot] = match (held[slot].take(), what) {
                        (Some((memory, old, was)), 0) => {
                            check(memory, old, was);
                            let memory = Heap.realloc(memory, layout(old), size);
                            check(memory, old.min(size), was);
                            memory.write_bytes(mark, size);
                            Some((memory, size, mark))
                        }
                        (Some((memory, old, was)), _) => {
                            check(memory, old, was);
                            Heap.dealloc(memory, layout(old));
                            None
                        }
                        (None, 1) => {
                            let memory = Heap.alloc_zeroed(layout(size));
                            check(memory, size, 0);
                            memory.write_bytes(mark, size);
                            Some((memory, size, mark))
                        }
                        (None, _) => {
                            let memory = Heap.alloc(layout(size));
                            memory.write_bytes(mark, size);
                            Some((memory, size, mark))
                        }
                    };
                }
            }
            for (memory, size, mark) in held.into_iter().flatten() {
                check(memory, size, mark);
                // SAFETY: as above.
                unsafe { Heap.dealloc(memory, layout(size)) };
            }
            let kept = kept();
            prop_assert!(kept.bytes <= MOST.load(Ordering::Relaxed) + AGAIN.load(Ordering::Relaxed) && kept.count <= SLOTS);
        }
    }
}
