//! What is kept beside the file until it is put together: compressed blocks as they come, pixels of overviews, parts of blocks.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::raster::Window;

/// All of it, in files without names that end with the process.
pub struct Scratch {
    pub packed: Packed,
    pub parts: Parts,
    pixels: Arc<File>,
    /// Bytes of `pixels` that belong to canvases.
    taken: AtomicU64,
}

impl Scratch {
    /// In this folder, of blocks of `side`² pixels of so many bytes.
    pub fn new(folder: &Path, packed: Packed, side: usize, pixel: usize) -> io::Result<Scratch> {
        Ok(Scratch {
            packed,
            parts: Parts::new(tempfile::tempfile_in(folder)?, side, pixel),
            pixels: Arc::new(tempfile::tempfile_in(folder)?),
            taken: AtomicU64::new(0),
        })
    }

    /// Room for an image of pixels of so many bytes.
    pub fn canvas(&self, (rows, cols): (usize, usize), pixel: usize) -> Canvas {
        let bytes = rows as u64 * cols as u64 * pixel as u64;
        Canvas {
            file: Arc::clone(&self.pixels),
            start: self.taken.fetch_add(bytes, Ordering::Relaxed),
            cols,
            pixel,
        }
    }
}

/// Where the bytes of a block are, and how many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub start: u64,
    pub bytes: u32,
}

/// Compressed blocks in the order in which they came; of blocks that have their places, the file itself.
pub struct Packed {
    pub file: File,
    /// Where the next one goes.
    end: AtomicU64,
}

impl Packed {
    pub fn new(file: File) -> Packed {
        Packed {
            file,
            end: AtomicU64::new(0),
        }
    }

    /// Adds a block, from any thread.
    pub fn add(&self, block: &[u8]) -> io::Result<Place> {
        let bytes = u32::try_from(block.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let start = self.end.fetch_add(bytes.into(), Ordering::Relaxed);
        self.file.write_all_at(block, start)?;
        Ok(Place { start, bytes })
    }

    /// Writes what has its place.
    pub fn lay(&self, place: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, place)
    }

    pub fn read(&self, place: Place, out: &mut Vec<u8>) -> io::Result<()> {
        out.resize(place.bytes as usize, 0);
        self.file.read_exact_at(out, place.start)
    }
}

/// Pixels as they are, row by row.
pub struct Canvas {
    file: Arc<File>,
    start: u64,
    cols: usize,
    /// Bytes of one.
    pixel: usize,
}

impl Canvas {
    fn place(&self, row: usize, col: usize) -> u64 {
        self.start + (row as u64 * self.cols as u64 + col as u64) * self.pixel as u64
    }

    /// Writes a window, whose rows begin every `stride` pixels.
    pub fn write(&self, window: Window, bytes: &[u8], stride: usize) -> io::Result<()> {
        let (first, col) = (window.row as usize, window.col as usize);
        if window.cols == self.cols && stride == self.cols {
            return self
                .file
                .write_all_at(&bytes[..window.len() * self.pixel], self.place(first, 0));
        }
        for row in 0..window.rows {
            let from = row * stride * self.pixel;
            let line = &bytes[from..from + window.cols * self.pixel];
            self.file.write_all_at(line, self.place(first + row, col))?;
        }
        Ok(())
    }

    /// Reads a window into rows that begin every `stride` pixels.
    pub fn read(&self, window: Window, bytes: &mut [u8], stride: usize) -> io::Result<()> {
        let (first, col) = (window.row as usize, window.col as usize);
        if window.cols == self.cols && stride == self.cols {
            return self
                .file
                .read_exact_at(&mut bytes[..window.len() * self.pixel], self.place(first, 0));
        }
        for row in 0..window.rows {
            let from = row * stride * self.pixel;
            let line = &mut bytes[from..from + window.cols * self.pixel];
            self.file.read_exact_at(line, self.place(first + row, col))?;
        }
        Ok(())
    }
}

/// Blocks that come in parts. They lie in a file, which is as large as there are blocks that wait for a part.
pub struct Parts {
    file: File,
    side: usize,
    pixel: usize,
    waiting: Mutex<Waiting>,
}

/// The first band of a block, its row and its column.
pub type Key = (usize, usize, usize);

#[derive(Default)]
struct Waiting {
    blocks: HashMap<Key, Part>,
    free: Vec<u64>,
    slots: u64,
}

struct Part {
    slot: u64,
    pixels: usize,
    /// Whether a pixel of each band was masked.
    masked: Vec<bool>,
}

impl Parts {
    fn new(file: File, side: usize, pixel: usize) -> Parts {
        Parts {
            file,
            side,
            pixel,
            waiting: Mutex::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn place(&self, slot: u64, row: usize, col: usize) -> u64 {
        (slot * (self.side * self.side) as u64 + (row * self.side + col) as u64) * self.pixel as u64
    }

    /// Takes the pixels of `part`, a window of the image within a block of so many pixels, row by row. True where the block is whole now: then `out` is
    /// filled with it, and `masked` holds for all of it.
    pub fn add(
        &self,
        block: (Key, usize),
        part: Window,
        bytes: &[u8],
        masked: &mut [bool],
        out: &mut [u8],
    ) -> io::Result<bool> {
        let (key, pixels) = block;
        let slot = {
            let mut waiting = self.waiting();
            let Waiting { blocks, free, slots } = &mut *waiting;
            let new = || {
                let slot = free.pop().unwrap_or_else(|| {
                    *slots += 1;
                    *slots - 1
                });
                Part {
                    slot,
                    pixels: 0,
                    masked: vec![false; masked.len()],
                }
            };
            blocks.entry(key).or_insert_with(new).slot
        };
        let (top, left) = (part.row as usize % self.side, part.col as usize % self.side);
        for (row, line) in bytes
            .chunks_exact(part.cols * self.pixel)
            .take(part.rows)
            .enumerate()
        {
            self.file.write_all_at(line, self.place(slot, top + row, left))?;
        }
        let mut waiting = self.waiting();
        if let Some(known) = waiting.blocks.get_mut(&key) {
            known.pixels += part.len();
            known
                .masked
                .iter_mut()
                .zip(masked.iter())
                .for_each(|(all, part)| *all |= *part);
            if known.pixels < pixels {
                return Ok(false);
            }
            masked.copy_from_slice(&known.masked);
        }
        waiting.blocks.remove(&key);
        drop(waiting);
        // Rows of a block at the edge of an image may never have been written, nor what is beyond the end of the file.
        let mut from = 0;
        while from < out.len() {
            match self
                .file
                .read_at(&mut out[from..], self.place(slot, 0, 0) + from as u64)
            {
                Ok(0) => break,
                Ok(bytes) => from += bytes,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.waiting().free.push(slot);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 512;

    #[test]
    fn parts_become_blocks_in_any_order() {
        let parts = Parts::new(tempfile::tempfile().unwrap(), SIDE, 1);
        // The last block of an image of 300 × 700.
        let windows = [(100, 512, 200, 100), (0, 512, 100, 188), (100, 612, 200, 88)]
            .map(|(row, col, rows, cols)| Window::new(row, col, rows, cols));
        for turn in 0..4 {
            let mut out = vec![0; SIDE * SIDE];
            for (i, part) in windows.iter().enumerate() {
                let bytes = vec![i as u8 + 1; part.len()];
                let mut masked = [i == 1];
                let whole = parts
                    .add(((0, 0, turn), 300 * 188), *part, &bytes, &mut masked, &mut out)
                    .unwrap();
                assert_eq!(whole, i == 2);
                assert!(!whole || masked[0]);
            }
            assert_eq!(
                (
                    out[0],
                    out[187],
                    out[100 * SIDE],
                    out[100 * SIDE + 100],
                    out[299 * SIDE + 187]
                ),
                (2, 2, 1, 3, 3)
            );
        }
        assert_eq!(parts.waiting().slots, 1);
    }
}
