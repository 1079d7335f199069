//! Blocks of GeoTIFFs that hold floating-point numbers by differences of their bytes (predictor 3), decoded past GDAL: libtiff takes longer
//! to undo the differences than to inflate the rest.
//!
//! # Source
//! Adobe Photoshop TIFF Technical Note 3, 2005: the bytes of a row are sorted by significance, the most significant ones of all its numbers
//! first, and each is stored as the difference from the one before it.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gdal::{Dataset, Metadata};
use gdal_sys::GDALRasterBandH;
use ndarray::{Array2, s};

use super::plain::{holds_bands_apart, place_of};
use crate::gate;
use crate::raster::Window;
use crate::work;
use crate::work::Held;

/// Pixels of a window that is read of blocks that are kept.
const MOST_FEW: usize = 80 * 80;

/// (file, band, column, row)
type Key = (u64, i32, usize, usize);
/// Bytes of blocks, whose differences are undone, the last one first.
static KEPT: Mutex<VecDeque<(Key, Arc<Vec<u8>>)>> = Mutex::new(VecDeque::new());

/// What they may take, which is never given back.
fn kept_bytes() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| {
        let bytes = (work::memory() / 64).clamp(1 << 20, 16 << 20);
        std::mem::forget(Held::hold(bytes));
        bytes
    })
}

fn kept(key: &Key) -> Option<Arc<Vec<u8>>> {
    let blocks = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    blocks
        .iter()
        .find(|(of, _)| of == key)
        .map(|(_, bytes)| Arc::clone(bytes))
}

fn keep(key: Key, bytes: Arc<Vec<u8>>) {
    let mut blocks = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    blocks.push_front((key, bytes));
    while blocks.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > kept_bytes() {
        blocks.pop_back();
    }
}

/// A file with such blocks.
pub struct Blocks {
    id: u64,
    file: File,
    /// Of the image and of its blocks.
    rows: usize,
    cols: usize,
    block_rows: usize,
    block_cols: usize,
}

/// A number of that many bytes.
pub trait Number: Copy + Default {
    /// Row `out` from the planes of its bytes, the most significant first.
    fn join(planes: &[u8], out: &mut [Self]);
    /// One number of a row of `count`.
    fn at(planes: &[u8], count: usize, i: usize) -> Self;
    const BYTES: usize;
}

impl Number for f32 {
    const BYTES: usize = 4;

    fn join(planes: &[u8], out: &mut [f32]) {
        let n = out.len();
        let (a, b, c, d) = (
            &planes[..n],
            &planes[n..2 * n],
            &planes[2 * n..3 * n],
            &planes[3 * n..4 * n],
        );
        for i in 0..n {
            out[i] = f32::from_be_bytes([a[i], b[i], c[i], d[i]]);
        }
    }

    fn at(planes: &[u8], count: usize, i: usize) -> f32 {
        f32::from_be_bytes(std::array::from_fn(|k| planes[k * count + i]))
    }
}

impl Number for f64 {
    const BYTES: usize = 8;

    fn join(planes: &[u8], out: &mut [f64]) {
        let n = out.len();
        for (i, out) in out.iter_mut().enumerate() {
            *out = f64::at(planes, n, i);
        }
    }

    fn at(planes: &[u8], count: usize, i: usize) -> f64 {
        f64::from_be_bytes(std::array::from_fn(|k| planes[k * count + i]))
    }
}

impl Blocks {
    /// None where the blocks are of another kind.
    pub fn of(name: &str, dataset: &Dataset, (block_rows, block_cols): (usize, usize)) -> Option<Blocks> {
        let is =
            |key: &str, value: &str| dataset.metadata_item(key, "IMAGE_STRUCTURE").as_deref() == Some(value);
        if !holds_bands_apart(dataset) || !is("COMPRESSION", "DEFLATE") || !is("PREDICTOR", "3") {
            return None;
        }
        let (cols, rows) = dataset.raster_size();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Some(Blocks {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            file: gate::open(Path::new(name)).ok()?,
            rows,
            cols,
            block_rows,
            block_cols,
        })
    }

    /// A window of a band whose numbers are of this type. None where it is not most of each block that it has pixels of: such blocks are
    /// worth keeping, as GDAL does. None also where anything is not as expected: GDAL knows better then.
    ///
    /// # Safety
    /// `band` belongs to an open dataset of the file that no other thread uses meanwhile.
    pub unsafe fn read<T: Number>(&self, band: GDALRasterBandH, window: Window) -> Option<Array2<T>> {
        let whole = Window::new(0, 0, self.rows, self.cols);
        if window.is_empty() || window.intersect(&whole) != window {
            return None;
        }
        let places =
            |first: isize, end: isize, block: usize| first as usize / block..(end as usize).div_ceil(block);
        let (down, across) = (
            places(window.row, window.row_end(), self.block_rows),
            places(window.col, window.col_end(), self.block_cols),
        );
        let blocks: Vec<(usize, usize)> = down.flat_map(|y| across.clone().map(move |x| (x, y))).collect();
        let area = |(x, y): (usize, usize)| {
            let (row, col) = ((y * self.block_rows) as isize, (x * self.block_cols) as isize);
            Window::new(row, col, self.block_rows, self.block_cols).intersect(&whole)
        };
        let is_most =
            |block: &(usize, usize)| 2 * area(*block).intersect(&window).len() >= area(*block).len();
        if !blocks.iter().all(is_most) {
            // SAFETY: the caller's promise.
            return unsafe { self.read_few(band, window, &blocks) };
        }
        let mut out = Array2::from_elem((window.rows, window.cols), T::default());
        let (mut stored, mut bytes) = (Vec::new(), Vec::new());
        let mut line = vec![T::default(); self.block_cols];
        for block in blocks {
            // SAFETY: the caller's promise.
            unsafe { self.inflate(band, block, T::BYTES, &mut stored, &mut bytes)? };
            let (area, part) = (area(block), area(block).intersect(&window));
            let from = |of: &Window| ((part.row - of.row) as usize, (part.col - of.col) as usize);
            let ((top, left), (row, col)) = (from(&area), from(&window));
            let mut part = out.slice_mut(s![row..row + part.rows, col..col + part.cols]);
            let rows = bytes.chunks_exact_mut(self.block_cols * T::BYTES).skip(top);
            for (bytes, mut part) in rows.zip(part.rows_mut()) {
                sum_up(bytes);
                match part.as_slice_mut() {
                    Some(whole) if whole.len() == self.block_cols => T::join(bytes, whole),
                    _ => {
                        T::join(bytes, &mut line);
                        part.iter_mut()
                            .zip(&line[left..])
                            .for_each(|(out, value)| *out = *value);
                    }
                }
            }
        }
        Some(out)
    }

    /// A window of few pixels, such as around a point: of blocks that are kept for the next ones.
    ///
    /// # Safety
    /// As `read`.
    unsafe fn read_few<T: Number>(
        &self,
        band: GDALRasterBandH,
        window: Window,
        blocks: &[(usize, usize)],
    ) -> Option<Array2<T>> {
        let width = self.block_cols * T::BYTES;
        if window.len() > MOST_FEW || blocks.len() > 4 || width * self.block_rows > kept_bytes() / 4 {
            return None;
        }
        let mut out = Array2::from_elem((window.rows, window.cols), T::default());
        for &(x, y) in blocks {
            // SAFETY: the caller's promise.
            let number = unsafe { gdal_sys::GDALGetBandNumber(band) };
            let key = (self.id, number, x, y);
            let bytes = match kept(&key) {
                Some(bytes) => bytes,
                None => {
                    let mut bytes = Vec::new();
                    // SAFETY: the caller's promise.
                    unsafe { self.inflate(band, (x, y), T::BYTES, &mut Vec::new(), &mut bytes)? };
                    bytes.chunks_exact_mut(width).for_each(sum_up);
                    let bytes = Arc::new(bytes);
                    keep(key, Arc::clone(&bytes));
                    bytes
                }
            };
            let (top, left) = ((y * self.block_rows) as isize, (x * self.block_cols) as isize);
            let part = Window::new(top, left, self.block_rows, self.block_cols).intersect(&window);
            for row in part.row..part.row_end() {
                let planes = bytes.chunks_exact(width).nth((row - top) as usize)?;
                for col in part.col..part.col_end() {
                    let place = ((row - window.row) as usize, (col - window.col) as usize);
                    out[place] = T::at(planes, self.block_cols, (col - left) as usize);
                }
            }
        }
        Some(out)
    }

    /// The bytes of one block, as they were deflated; those of the last strip may be fewer than a block's.
    ///
    /// # Safety
    /// As `read`.
    unsafe fn inflate(
        &self,
        band: GDALRasterBandH,
        (x, y): (usize, usize),
        width: usize,
        stored: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        // SAFETY: the caller's promise.
        let (place, size) = unsafe { place_of(band, (x, y))? };
        let all = self.block_cols * self.block_rows * width;
        let least = self.block_cols * self.block_rows.min(self.rows - y * self.block_rows) * width;
        // Deflated numbers are hardly longer than they are.
        let size = usize::try_from(size)
            .ok()
            .filter(|size| *size <= all + all / 8 + 1024)?;
        stored.resize(size, 0);
        self.file.read_exact_at(stored, place).ok()?;
        out.resize(all, 0);
        let mut filled = 0;
        // SAFETY: both buffers are as long as is said, and outlive the call.
        let inflated = unsafe {
            gdal_sys::CPLZLibInflate(
                stored.as_ptr().cast::<c_void>(),
                stored.len(),
                out.as_mut_ptr().cast::<c_void>(),
                out.len(),
                &mut filled,
            )
        };
        (!inflated.is_null() && (filled == all || filled == least)).then_some(())
    }
}

fn sum_up(bytes: &mut [u8]) {
    let mut sum = 0u8;
    for byte in bytes {
        sum = sum.wrapping_add(*byte);
        *byte = sum;
    }
}
