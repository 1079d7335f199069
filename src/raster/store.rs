//! Images that are made once and read often: in memory where the budget has room for them, else in a scratch file. Those that live on
//! between runs give way to others: the one that was not read for the longest time goes to scratch.

use std::borrow::Cow;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytemuck::Pod;

use ndarray::{Array2, ArrayView2};

use super::Window;
use crate::error::{Error, Result, free_space};
use crate::scratch;
use crate::work::budget::{self, Movable};
use crate::work::{self, Held};

/// An image, row by row. Rows can be read from many threads.
pub struct Store<T> {
    rows: usize,
    cols: usize,
    samples: Arc<Samples<T>>,
}

struct Samples<T> {
    kept: RwLock<Kept<T>>,
    /// When they were last read.
    used: AtomicU64,
}

enum Kept<T> {
    Memory {
        all: Vec<T>,
        /// In the ledger, unless somebody else has noted them.
        held: Option<Held>,
    },
    Scratch {
        file: File,
        path: PathBuf,
    },
}

impl<T> Samples<T> {
    fn reading(&self) -> RwLockReadGuard<'_, Kept<T>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, Kept<T>> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Pod + Send + Sync> Movable for Samples<T> {
    fn bytes(&self) -> usize {
        match &*self.reading() {
            Kept::Memory { held, .. } => held.as_ref().map_or(0, Held::bytes),
            Kept::Scratch { .. } => 0,
        }
    }

    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn leave(&self) -> Result<()> {
        let mut kept = self.writing();
        if let Kept::Memory { all, .. } = &*kept {
            let bytes: &[u8] = bytemuck::cast_slice(all);
            let (file, path) = scratch_file(bytes.len() as u64)?;
            file.write_all_at(bytes, 0).map_err(|e| Error::io(&path, e))?;
            *kept = Kept::Scratch { file, path };
        }
        Ok(())
    }
}

impl<T: Pod + Send + Sync> Store<T> {
    /// Room for an image that lives on between runs: in memory where it takes at most a quarter of the ceiling, and all that is kept at most
    /// half of it, when what was not read for longest has gone to scratch.
    ///
    /// # Errors
    /// When the scratch file cannot be made, or its disk has no room.
    pub fn kept((rows, cols): (usize, usize)) -> Result<Store<T>> {
        let bytes = rows.saturating_mul(cols).saturating_mul(size_of::<T>());
        let memory = work::memory();
        let most = if bytes <= memory / 4 { memory / 2 } else { 0 };
        Store::kept_within((rows, cols), most)
    }

    /// The same, in memory where all that is kept takes at most so many bytes.
    fn kept_within((rows, cols): (usize, usize), most: usize) -> Result<Store<T>> {
        let bytes = rows.saturating_mul(cols).saturating_mul(size_of::<T>());
        let held = Held::within(bytes, most);
        let is_held = held.is_some();
        let store = Store::made((rows, cols), is_held, held)?;
        if is_held {
            let samples: Arc<dyn Movable> = store.samples.clone();
            work::current().budget().note(Arc::downgrade(&samples));
        }
        Ok(store)
    }
}

impl<T: Pod> Store<T> {
    /// Room for an image, in memory if it takes at most `memory` bytes. Rows that are never written are zero.
    ///
    /// # Errors
    /// When the scratch file cannot be made, or its disk has no room.
    pub fn new((rows, cols): (usize, usize), memory: usize) -> Result<Store<T>> {
        let bytes = rows.saturating_mul(cols).saturating_mul(size_of::<T>());
        Store::made((rows, cols), bytes <= memory, None)
    }

    fn made((rows, cols): (usize, usize), in_memory: bool, held: Option<Held>) -> Result<Store<T>> {
        let kept = if in_memory {
            Kept::Memory {
                all: vec![T::zeroed(); rows * cols],
                held,
            }
        } else {
            let bytes = rows.saturating_mul(cols).saturating_mul(size_of::<T>());
            let (file, path) = scratch_file(bytes as u64)?;
            Kept::Scratch { file, path }
        };
        Ok(Store {
            rows,
            cols,
            samples: Arc::new(Samples {
                kept: RwLock::new(kept),
                used: AtomicU64::new(budget::tick()),
            }),
        })
    }

    /// An image in a file that has its rows, or will: they are there again when it is opened another time.
    ///
    /// # Errors
    /// When the file cannot be made as long as they are.
    pub fn in_file((rows, cols): (usize, usize), file: File, path: PathBuf) -> Result<Store<T>> {
        let bytes = rows.saturating_mul(cols).saturating_mul(size_of::<T>());
        file.set_len(bytes as u64).map_err(|e| Error::io(&path, e))?;
        Ok(Store {
            rows,
            cols,
            samples: Arc::new(Samples {
                kept: RwLock::new(Kept::Scratch { file, path }),
                used: AtomicU64::new(budget::tick()),
            }),
        })
    }

    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    pub fn is_in_memory(&self) -> bool {
        matches!(&*self.samples.reading(), Kept::Memory { .. })
    }

    /// Writes whole rows, as many as `samples` holds, from row `first` on.
    ///
    /// # Errors
    /// When the scratch file cannot be written.
    pub fn write(&mut self, first: usize, samples: &[T]) -> Result<()> {
        let start = first * self.cols;
        match &mut *self.samples.writing() {
            Kept::Memory { all, .. } => {
                all[start..start + samples.len()].copy_from_slice(samples);
                Ok(())
            }
            Kept::Scratch { file, path } => file
                .write_all_at(bytemuck::cast_slice(samples), (start * size_of::<T>()) as u64)
                .map_err(|e| Error::io(&*path, e)),
        }
    }

    /// Writes a part of the image from (row, col) on.
    ///
    /// # Errors
    /// When the scratch file cannot be written.
    pub fn patch(&self, (row, col): (usize, usize), part: ArrayView2<'_, T>) -> Result<()> {
        let mut kept = self.samples.writing();
        for (r, samples) in part.rows().into_iter().enumerate() {
            let start = (row + r) * self.cols + col;
            let samples = samples
                .to_slice()
                .map_or_else(|| samples.to_vec().into(), Cow::Borrowed);
            match &mut *kept {
                Kept::Memory { all, .. } => all[start..start + samples.len()].copy_from_slice(&samples),
                Kept::Scratch { file, path } => file
                    .write_all_at(bytemuck::cast_slice(&samples), (start * size_of::<T>()) as u64)
                    .map_err(|e| Error::io(&*path, e))?,
            }
        }
        Ok(())
    }

    /// A part of the image.
    ///
    /// # Errors
    /// When the scratch file cannot be read.
    pub fn window(&self, window: Window) -> Result<Array2<T>> {
        let (row, col) = (window.row as usize, window.col as usize);
        let mut out = Array2::from_elem((window.rows, window.cols), T::zeroed());
        self.samples.used.store(budget::tick(), Ordering::Relaxed);
        let kept = self.samples.reading();
        for (r, mut target) in out.rows_mut().into_iter().enumerate() {
            let start = (row + r) * self.cols + col;
            let Some(target) = target.as_slice_mut() else {
                continue;
            };
            match &*kept {
                Kept::Memory { all, .. } => target.copy_from_slice(&all[start..start + window.cols]),
                Kept::Scratch { file, path } => file
                    .read_exact_at(bytemuck::cast_slice_mut(target), (start * size_of::<T>()) as u64)
                    .map_err(|e| Error::io(path, e))?,
            }
        }
        Ok(out)
    }

    /// Replaces `out` by whole rows.
    ///
    /// # Errors
    /// When the scratch file cannot be read.
    pub fn read(&self, rows: Range<usize>, out: &mut Vec<T>) -> Result<()> {
        let (start, end) = (rows.start * self.cols, rows.end * self.cols);
        self.samples.used.store(budget::tick(), Ordering::Relaxed);
        match &*self.samples.reading() {
            Kept::Memory { all, .. } => {
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

/// Whether so many bytes take at most half of what is free for scratch files.
pub fn has_scratch(bytes: usize) -> bool {
    let left = scratch::folder().map(|folder| free_space(&folder));
    left.is_ok_and(|left| left.is_none_or(|left| bytes as u64 <= left / 2))
}

/// A file of `bytes` zeros that has no name any more, and the name that it had, for messages.
///
/// # Errors
/// A folder for scratch that cannot be made, has no room for so many bytes, or cannot be written.
pub fn scratch_file(bytes: u64) -> Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = scratch::folder()?;
    // A file of any size can be made; what is written to it has to fit.
    if let Some(left) = free_space(&folder).filter(|left| bytes > *left) {
        return Err(Error::message(format!(
            "an image that is gone over several times needs {} MiB of scratch space; {} has {} MiB free; take a part of it, or resample it first",
            bytes >> 20,
            folder.display(),
            left >> 20
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

    /// A store whose samples are all `value`; two of them are kept in memory.
    fn kept(rows: usize, value: f32) -> Store<f32> {
        let most = budget::shared() + 2 * rows * 64 * size_of::<f32>();
        let mut store = Store::kept_within((rows, 64), most).unwrap();
        store.write(0, &vec![value; rows * 64]).unwrap();
        store
    }

    fn holds(store: &Store<f32>, value: f32) -> bool {
        let (rows, cols) = store.shape();
        let all = store.window(Window::new(0, 0, rows, cols)).unwrap();
        all.iter().all(|v| *v == value)
    }

    #[test]
    fn what_was_not_read_for_longest_goes_to_scratch_and_is_what_it_was() {
        let rows = 1000;
        // What GDAL's cache takes of the ledger is known from here on.
        crate::raster::file::initialise();
        let context = work::Context::new().with_memory(1 << 30);
        let _entered = context.enter();
        let (mut a, b) = (kept(rows, 1.0), kept(rows, 2.0));
        assert!(a.is_in_memory() && b.is_in_memory());
        assert!(holds(&a, 1.0));
        let c = kept(rows, 3.0);
        assert!(a.is_in_memory() && !b.is_in_memory() && c.is_in_memory());
        assert!(holds(&b, 2.0) && holds(&c, 3.0));
        // Written after it has gone.
        let d = kept(rows, 4.0);
        assert!(!a.is_in_memory() && d.is_in_memory());
        a.write(rows - 1, &[9.0; 64]).unwrap();
        let mut last = Vec::new();
        a.read(rows - 2..rows, &mut last).unwrap();
        assert_eq!((last[0], last[64]), (1.0, 9.0));
        // What nobody has any more needs no scratch; what has no room in any case moves nobody.
        drop(d);
        assert!(kept(rows, 5.0).is_in_memory() && c.is_in_memory());
        let large = Store::<f32>::kept_within((3 * rows, 64), budget::shared() + 2 * rows * 64 * 4).unwrap();
        assert!(!large.is_in_memory() && c.is_in_memory());
        drop((a, b, c));
        assert!(format!("{:?}", context.budget()).starts_with("0 of"));
    }

    #[test]
    fn many_read_while_others_need_their_room() {
        let rows = 200;
        // What GDAL's cache takes of the ledger is known from here on.
        crate::raster::file::initialise();
        let context = work::Context::new().with_memory(1 << 30);
        let _entered = context.enter();
        let stores: Vec<Store<f32>> = (0..8).map(|i| kept(rows, i as f32)).collect();
        assert_eq!(stores.iter().filter(|store| store.is_in_memory()).count(), 2);
        work::workers::for_each(
            8,
            800,
            || (),
            |(), i| {
                assert!(holds(&stores[i % 8], (i % 8) as f32));
                if i % 10 == 0 {
                    assert!(holds(&kept(rows, -1.0), -1.0));
                }
                Ok(())
            },
        )
        .unwrap();
    }
}
