//! Rows of samples that are made once and read often: in memory where they fit, else in a scratch file.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bytemuck::Pod;

use super::scene::scratch_file;
use crate::error::{Error, Result};

/// An image, row by row. Rows can be read from many threads.
pub struct Store<T> {
    rows: usize,
    cols: usize,
    kept: Kept<T>,
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
        Ok(Store { rows, cols, kept })
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
        }
    }
}
