//! Images that are made once and read often: in memory where the budget has room for them, else in a scratch file.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bytemuck::Pod;

use ndarray::Array2;

use super::Window;
use crate::error::{Error, Result};
use crate::scratch;
use crate::work::{self, Held};
use std::sync::atomic::{AtomicU64, Ordering};

/// An image, row by row. Rows can be read from many threads.
pub struct Store<T> {
    rows: usize,
    cols: usize,
    kept: Kept<T>,
    /// In the ledger, where it is in memory and nobody else has noted it.
    _held: Option<Held>,
}

enum Kept<T> {
    Memory(Vec<T>),
    Scratch { file: File, path: PathBuf },
}

impl<T: Pod> Store<T> {
    /// Room for an image, in memory if it takes at most `memory` bytes. Rows that are never written are zero.
    pub fn new((rows, cols): (usize, usize), memory: usize) -> Result<Store<T>> {
        let bytes = rows.saturating_mul(cols).saturating_mul(size_of::<T>());
        let kept = if bytes <= memory {
            Kept::Memory(vec![T::zeroed(); rows * cols])
        } else {
            let (file, path) = scratch_file(bytes as u64)?;
            Kept::Scratch { file, path }
        };
        Ok(Store {
            rows,
            cols,
            kept,
            _held: None,
        })
    }

    /// Room for an image that lives on between runs: in memory where it takes at most a quarter of the ceiling, and all that is kept at most
    /// half of it.
    pub fn kept((rows, cols): (usize, usize)) -> Result<Store<T>> {
        let bytes = rows.saturating_mul(cols).saturating_mul(size_of::<T>());
        let memory = work::memory();
        let held = match bytes <= memory / 4 {
            true => Held::within(bytes, memory / 2),
            false => None,
        };
        let room = if held.is_some() { bytes } else { 0 };
        Ok(Store {
            _held: held,
            ..Store::new((rows, cols), room)?
        })
    }

    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    pub fn is_in_memory(&self) -> bool {
        matches!(self.kept, Kept::Memory(_))
    }

    /// Writes whole rows, as many as `samples` holds, from row `first` on.
    pub fn write(&mut self, first: usize, samples: &[T]) -> Result<()> {
        let start = first * self.cols;
        match &mut self.kept {
            Kept::Memory(all) => {
                all[start..start + samples.len()].copy_from_slice(samples);
                Ok(())
            }
            Kept::Scratch { file, path } => file
                .write_all_at(bytemuck::cast_slice(samples), (start * size_of::<T>()) as u64)
                .map_err(|e| Error::io(&*path, e)),
        }
    }

    /// A part of the image.
    pub fn window(&self, window: Window) -> Result<Array2<T>> {
        let (row, col) = (window.row as usize, window.col as usize);
        let mut out = Array2::from_elem((window.rows, window.cols), T::zeroed());
        for (r, mut target) in out.rows_mut().into_iter().enumerate() {
            let start = (row + r) * self.cols + col;
            let Some(target) = target.as_slice_mut() else {
                continue;
            };
            match &self.kept {
                Kept::Memory(all) => target.copy_from_slice(&all[start..start + window.cols]),
                Kept::Scratch { file, path } => file
                    .read_exact_at(bytemuck::cast_slice_mut(target), (start * size_of::<T>()) as u64)
                    .map_err(|e| Error::io(path, e))?,
            }
        }
        Ok(out)
    }

    /// Replaces `out` by whole rows.
    pub fn read(&self, rows: Range<usize>, out: &mut Vec<T>) -> Result<()> {
        let (start, end) = (rows.start * self.cols, rows.end * self.cols);
        match &self.kept {
            Kept::Memory(all) => {
                out.clear();
                out.extend_from_slice(&all[start..end]);
                Ok(())
            }
            Kept::Scratch { file, path } => {
                out.resize(end - start, T::zeroed());
                file.read_exact_at(bytemuck::cast_slice_mut(out), (start * size_of::<T>()) as u64)
                    .map_err(|e| Error::io(path, e))
            }
        }
    }
}

/// A file of `bytes` zeros that has no name any more, and the name that it had, for messages.
fn scratch_file(bytes: u64) -> Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = scratch::folder()?;
    // A file of any size can be made; what is written to it has to fit.
    if let Ok(disk) = rustix::fs::statvfs(&folder)
        && disk.f_blocks > 0
        && bytes / disk.f_frsize > disk.f_bavail
    {
        return Err(Error::message(format!(
            "an image that is gone over several times needs {} MiB of scratch space; {} has {} MiB free; take a part of it, or resample it first",
            bytes >> 20,
            folder.display(),
            (disk.f_bavail * disk.f_frsize) >> 20
        )));
    }
    let path = folder.join(format!("rows-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let io = |e| Error::io(&path, e);
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(io)?;
    std::fs::remove_file(&path).map_err(io)?;
    file.set_len(bytes).map_err(io)?;
    Ok((file, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_from_memory_and_from_scratch() {
        for memory in [0, 1 << 20] {
            let mut store = Store::<f32>::new((5, 3), memory).unwrap();
            assert_eq!(store.is_in_memory(), memory > 0);
            store.write(1, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
            let mut rows = Vec::new();
            store.read(2..4, &mut rows).unwrap();
            assert_eq!(rows, [4.0, 5.0, 6.0, 0.0, 0.0, 0.0]);
            assert_eq!(
                store.window(Window::new(1, 1, 2, 2)).unwrap(),
                ndarray::array![[2.0, 3.0], [5.0, 6.0]]
            );
        }
    }
}
