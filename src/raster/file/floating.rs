//! Blocks of GeoTIFFs that hold floating-point numbers by differences of their bytes (predictor 3), decoded past GDAL: libtiff takes longer
//! to undo the differences than to inflate the rest.
//!
//! # Source
//! Adobe Photoshop TIFF Technical Note 3, 2005: the bytes of a row are sorted by significance, the most significant ones of all its numbers
//! first, and each is stored as the difference from the one before it.

use std::ffi::{CStr, CString, c_void};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use gdal::{Dataset, Metadata};
use gdal_sys::GDALRasterBandH;
use ndarray::{Array2, s};

use super::layout::driver_of;
use crate::gate;
use crate::raster::Window;

/// A file with such blocks.
pub struct Blocks {
    file: File,
    /// Of the image and of its blocks.
    rows: usize,
    cols: usize,
    block_rows: usize,
    block_cols: usize,
}

/// A number of that many bytes.
pub trait Number: Copy + Default {
    /// From its bytes, the most significant first, of each a plane.
    fn join(planes: &[u8], out: &mut [Self]);
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
}

impl Number for f64 {
    const BYTES: usize = 8;

    fn join(planes: &[u8], out: &mut [f64]) {
        let n = out.len();
        for (i, out) in out.iter_mut().enumerate() {
            *out = f64::from_be_bytes(std::array::from_fn(|k| planes[k * n + i]));
        }
    }
}

impl Blocks {
    /// None where the blocks are of another kind.
    pub fn of(name: &str, dataset: &Dataset, (block_rows, block_cols): (usize, usize)) -> Option<Blocks> {
        let is =
            |key: &str, value: &str| dataset.metadata_item(key, "IMAGE_STRUCTURE").as_deref() == Some(value);
        let is_one = dataset.raster_count() == 1 || is("INTERLEAVE", "BAND");
        if driver_of(dataset) != "GTiff" || !is("COMPRESSION", "DEFLATE") || !is("PREDICTOR", "3") || !is_one
        {
            return None;
        }
        let (cols, rows) = dataset.raster_size();
        Some(Blocks {
            file: gate::open(Path::new(name)).ok()?,
            rows,
            cols,
            block_rows,
            block_cols,
        })
    }

    /// A window of whole blocks, of a band whose numbers are of this type. None where it is not one, or anything is not as expected: GDAL
    /// knows better then.
    ///
    /// # Safety
    /// `band` belongs to an open dataset of the file that no other thread uses meanwhile.
    pub unsafe fn read<T: Number>(&self, band: GDALRasterBandH, window: Window) -> Option<Array2<T>> {
        let (row, col) = (
            usize::try_from(window.row).ok()?,
            usize::try_from(window.col).ok()?,
        );
        let (row_end, col_end) = (row + window.rows, col + window.cols);
        let ends = |end: usize, block: usize, size: usize| end % block == 0 || end == size;
        let is_whole = row % self.block_rows == 0
            && col % self.block_cols == 0
            && ends(row_end, self.block_rows, self.rows)
            && ends(col_end, self.block_cols, self.cols);
        if !is_whole || row_end > self.rows || col_end > self.cols || window.is_empty() {
            return None;
        }
        let mut out = Array2::from_elem((window.rows, window.cols), T::default());
        let (mut stored, mut bytes) = (Vec::new(), Vec::new());
        let mut line = vec![T::default(); self.block_cols];
        for y in row / self.block_rows..row_end.div_ceil(self.block_rows) {
            for x in col / self.block_cols..col_end.div_ceil(self.block_cols) {
                // SAFETY: the caller's promise.
                unsafe { self.inflate(band, (x, y), T::BYTES, &mut stored, &mut bytes)? };
                let (top, left) = (y * self.block_rows, x * self.block_cols);
                let rows = self.block_rows.min(self.rows - top);
                let cols = self.block_cols.min(self.cols - left);
                let mut part = out.slice_mut(s![top - row..top - row + rows, left - col..left - col + cols]);
                for (bytes, mut part) in bytes
                    .chunks_exact_mut(self.block_cols * T::BYTES)
                    .zip(part.rows_mut())
                {
                    sum_up(bytes);
                    match part.as_slice_mut() {
                        Some(whole) if cols == self.block_cols => T::join(bytes, whole),
                        _ => {
                            T::join(bytes, &mut line);
                            part.iter_mut().zip(&line).for_each(|(out, value)| *out = *value);
                        }
                    }
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
        let number = |what: &str| {
            let key = CString::new(format!("BLOCK_{what}_{x}_{y}")).ok()?;
            // SAFETY: the caller's promise; GDAL's string is looked at before anything else is asked of the dataset.
            let text = unsafe {
                let text = gdal_sys::GDALGetMetadataItem(band, key.as_ptr(), c"TIFF".as_ptr());
                (!text.is_null()).then(|| CStr::from_ptr(text))?
            };
            text.to_str().ok()?.parse::<u64>().ok()
        };
        // A block that is not there has neither.
        let (place, size) = (number("OFFSET")?, number("SIZE")?);
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
        (!inflated.is_null() && (filled as usize == all || filled as usize == least)).then_some(())
    }
}

fn sum_up(bytes: &mut [u8]) {
    let mut sum = 0u8;
    for byte in bytes {
        sum = sum.wrapping_add(*byte);
        *byte = sum;
    }
}
