//! Decoded blocks that are kept for the next tiles: in memory, or in a scratch file that all runs of the process share.

use std::collections::HashMap;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::{fs::File, mem::size_of};

use bytemuck::Pod;
use ndarray::{Array2, CowArray, Ix2, s};
use num_complex::Complex32;

use crate::error::{Error, Result};
use crate::raster::store::scratch_file;
use crate::raster::{Kind, Pixels};

/// The pixels of a block.
pub enum Kept {
    Memory(Pixels),
    Scratch {
        kind: Kind,
        dim: (usize, usize),
        slot: Slot,
    },
}

/// Whole rows of a block.
pub enum Rows<'a> {
    I128(CowArray<'a, i128, Ix2>),
    F32(CowArray<'a, f32, Ix2>),
    F64(CowArray<'a, f64, Ix2>),
    C32(CowArray<'a, Complex32, Ix2>),
}

impl Kept {
    /// # Errors
    /// When the scratch file cannot be made or written.
    pub fn of(pixels: Pixels, in_memory: bool) -> Result<Kept> {
        if in_memory {
            return Ok(Kept::Memory(pixels));
        }
        let (kind, dim) = (pixels.kind(), pixels.dim());
        let slot = match &pixels {
            Pixels::I128(a) => Slot::with(a),
            Pixels::F32(a) => Slot::with(a),
            Pixels::F64(a) => Slot::with(a),
            Pixels::C32(a) => Slot::with(a),
        }?;
        Ok(Kept::Scratch { kind, dim, slot })
    }

    /// # Errors
    /// When the scratch file cannot be read.
    pub fn rows(&self, rows: Range<usize>) -> Result<Rows<'_>> {
        let part = s![rows.clone(), ..];
        Ok(match self {
            Kept::Memory(Pixels::I128(a)) => Rows::I128(a.slice(part).into()),
            Kept::Memory(Pixels::F32(a)) => Rows::F32(a.slice(part).into()),
            Kept::Memory(Pixels::F64(a)) => Rows::F64(a.slice(part).into()),
            Kept::Memory(Pixels::C32(a)) => Rows::C32(a.slice(part).into()),
            Kept::Scratch {
                kind,
                dim: (_, cols),
                slot,
            } => match kind {
                Kind::I128 => Rows::I128(slot.rows(rows, *cols)?.into()),
                Kind::F32 => Rows::F32(slot.rows(rows, *cols)?.into()),
                Kind::F64 => Rows::F64(slot.rows(rows, *cols)?.into()),
                Kind::C32 => Rows::C32(slot.rows(rows, *cols)?.into()),
            },
        })
    }
}

/// A file without a name, and what is free in it.
struct Scratch {
    file: File,
    path: PathBuf,
    free: Mutex<Free>,
}

#[derive(Default)]
struct Free {
    end: u64,
    /// Places that blocks of so many bytes have left.
    left: HashMap<usize, Vec<u64>>,
}

impl Scratch {
    /// The file of those that are kept now, or a new one.
    fn shared() -> Result<Arc<Scratch>> {
        static SHARED: Mutex<Weak<Scratch>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scratch) = shared.upgrade() {
            return Ok(scratch);
        }
        let (file, path) = scratch_file(0)?;
        let scratch = Arc::new(Scratch {
            file,
            path,
            free: Mutex::default(),
        });
        *shared = Arc::downgrade(&scratch);
        Ok(scratch)
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A block's place in the file, which the next block of that size takes once this one is gone.
pub struct Slot {
    scratch: Arc<Scratch>,
    at: u64,
    bytes: usize,
}

impl Slot {
    fn with<T: Pod>(pixels: &Array2<T>) -> Result<Slot> {
        let pixels = pixels.as_standard_layout();
        let bytes: &[u8] = bytemuck::cast_slice(pixels.as_slice().unwrap_or_default());
        let scratch = Scratch::shared()?;
        let mut free = scratch.free();
        let left = free.left.get_mut(&bytes.len()).and_then(Vec::pop);
        let at = left.unwrap_or(free.end);
        free.end = free.end.max(at + bytes.len() as u64);
        drop(free);
        let slot = Slot {
            scratch,
            at,
            bytes: bytes.len(),
        };
        let (file, path) = (&slot.scratch.file, &slot.scratch.path);
        file.write_all_at(bytes, at).map_err(|e| Error::io(path, e))?;
        Ok(slot)
    }

    fn rows<T: Pod>(&self, rows: Range<usize>, cols: usize) -> Result<Array2<T>> {
        let mut out = Array2::from_elem((rows.len(), cols), T::zeroed());
        let at = self.at + (rows.start * cols * size_of::<T>()) as u64;
        let bytes = bytemuck::cast_slice_mut(out.as_slice_mut().unwrap_or_default());
        let (file, path) = (&self.scratch.file, &self.scratch.path);
        file.read_exact_at(bytes, at).map_err(|e| Error::io(path, e))?;
        Ok(out)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.scratch
            .free()
            .left
            .entry(self.bytes)
            .or_default()
            .push(self.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn blocks_come_back_from_memory_and_from_scratch() {
        let pixels = array![[1.0_f32, 2.0], [3.0, f32::NAN], [5.0, 6.0]];
        for in_memory in [true, false] {
            let kept = Kept::of(Pixels::F32(pixels.clone()), in_memory).unwrap();
            let Rows::F32(rows) = kept.rows(1..3).unwrap() else {
                panic!("other numbers");
            };
            assert_eq!(
                format!("{rows:?}"),
                format!("{:?}", pixels.slice(s![1.., ..]).to_owned().view())
            );
        }
        let kept = Kept::of(Pixels::I128(array![[i128::MIN, 7]]), false).unwrap();
        let Rows::I128(rows) = kept.rows(0..1).unwrap() else {
            panic!("other numbers");
        };
        assert_eq!(rows, array![[i128::MIN, 7]]);
    }

    #[test]
    fn places_are_taken_again() {
        let block = |value: f32| Slot::with(&Array2::from_elem((3, 5), value)).unwrap();
        let (first, second) = (block(1.0), block(2.0));
        let at = first.at;
        drop(first);
        let third = block(3.0);
        // Other tests may have come between, which have places of other sizes.
        assert_eq!(third.at, at);
        assert_eq!(
            second.rows::<f32>(0..3, 5).unwrap(),
            Array2::from_elem((3, 5), 2.0)
        );
        assert_eq!(
            third.rows::<f32>(1..2, 5).unwrap(),
            Array2::from_elem((1, 5), 3.0)
        );
    }
}
