//! What is kept beside the file until it is put together: compressed blocks as they come, pixels of overviews, parts of blocks.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::levels::SIDE;
use crate::raster::Window;

/// A new file in a draft's folder.
pub fn file(draft: &Path, name: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.custom_flags(libc::O_NOFOLLOW);
    options.open(draft.with_file_name(name))
}

/// Where the bytes of a block are, and how many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub start: u64,
    pub bytes: u32,
}

/// Compressed blocks in the order in which they came.
pub struct Packed {
    file: File,
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

    pub fn read(&self, place: Place, out: &mut Vec<u8>) -> io::Result<()> {
        out.resize(place.bytes as usize, 0);
        self.file.read_exact_at(out, place.start)
    }
}

/// Pixels as they are, row by row.
pub struct Canvas {
    file: File,
    cols: usize,
    /// Bytes of one.
    pixel: usize,
}

impl Canvas {
    pub fn new(file: File, cols: usize, pixel: usize) -> Canvas {
        Canvas { file, cols, pixel }
    }

    fn place(&self, row: usize, col: usize) -> u64 {
        (row as u64 * self.cols as u64 + col as u64) * self.pixel as u64
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
    pixel: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    blocks: HashMap<(usize, usize), Part>,
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
    pub fn new(file: File, pixel: usize) -> Parts {
        Parts {
            file,
            pixel,
            waiting: Mutex::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn place(&self, slot: u64, row: usize, col: usize) -> u64 {
        (slot * (SIDE * SIDE) as u64 + (row * SIDE + col) as u64) * self.pixel as u64
    }

    /// Takes the pixels of `part`, a window of the image within a block of so many pixels, row by row. True where the block is whole now: then `out` is
    /// filled with it, and `masked` holds for all of it.
    pub fn add(
        &self,
        block: ((usize, usize), usize),
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
        let (top, left) = (part.row as usize % SIDE, part.col as usize % SIDE);
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

    #[test]
    fn parts_become_blocks_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let parts = Parts::new(file(&folder.path().join("x"), "parts").unwrap(), 1);
        // The last block of an image of 300 × 700.
        let windows = [(100, 512, 200, 100), (0, 512, 100, 188), (100, 612, 200, 88)]
            .map(|(row, col, rows, cols)| Window::new(row, col, rows, cols));
        for turn in 0..4 {
            let mut out = vec![0; SIDE * SIDE];
            for (i, part) in windows.iter().enumerate() {
                let bytes = vec![i as u8 + 1; part.len()];
                let mut masked = [i == 1];
                let whole = parts
                    .add(((0, turn), 300 * 188), *part, &bytes, &mut masked, &mut out)
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
