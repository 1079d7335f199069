//! Pixels between a buffer and a band of an open file, by the shortest way that GDAL has.

use std::ffi::{CStr, c_int, c_void};
use std::ops::Range;

use gdal_sys::{CPLErr, GDALDataType as Gdt, GDALRWFlag, GDALRasterBandH};

use super::{last_message, reset_message};
use crate::raster::Window;
use crate::raster::operation::PicturePart;
use crate::{bytes, interrupt};

/// What is made of a window: all of its pixels, or some rows of a picture of it in fewer.
pub struct Part {
    pub window: Window,
    /// (rows, cols) of the whole picture.
    shape: (usize, usize),
    rows: Range<usize>,
}

impl Part {
    pub fn all(window: Window) -> Part {
        Part {
            window,
            shape: (window.rows, window.cols),
            rows: 0..window.rows,
        }
    }

    /// True of pixels that are made of one pixel each.
    pub fn is_all(&self) -> bool {
        self.shape == (self.window.rows, self.window.cols)
    }

    pub fn of_picture(window: Window, part: &PicturePart) -> Part {
        let rows = &part.rows;
        if part.shape == (window.rows, window.cols) {
            let first = window.row + rows.start as isize;
            return Part::all(Window::new(first, window.col, rows.len(), window.cols));
        }
        Part {
            window,
            shape: part.shape,
            rows: part.rows.clone(),
        }
    }

    /// The same of an image of `rows` whose first row is the last one of its file; what is made has its last row first, too.
    pub fn turned(&self, rows: usize) -> Part {
        Part {
            window: Window {
                row: rows as isize - self.window.row_end(),
                ..self.window
            },
            shape: self.shape,
            rows: self.shape.0 - self.rows.end..self.shape.0 - self.rows.start,
        }
    }

    /// (rows, cols) of what is made.
    pub fn dim(&self) -> (usize, usize) {
        (self.rows.len(), self.shape.1)
    }
}

/// Reads or writes a part of `band` from or to the buffer of type `data_type` at `buffer`. Pictures are read only, and hold nearest
/// pixels, from overviews where the file has them.
///
/// A window that is one whole block of the file, in the file's own type, does not pass through GDAL's block cache:
/// that is a copy of every pixel, and memory, for nothing. Measured on (a − b)/(a + b) of two 8192² images, where
/// little else is to be done: 0.25 s of user time become 0.15 s, and 130 MiB become 70.
///
/// # Safety
/// `band` belongs to an open dataset that no other thread uses meanwhile; `buffer` holds the values of `part.dim()` in
/// `data_type`, one row after the other.
pub unsafe fn transfer(
    band: GDALRasterBandH,
    direction: GDALRWFlag::Type,
    part: &Part,
    data_type: Gdt::Type,
    buffer: *mut c_void,
) -> Result<(), String> {
    let window = part.window;
    reset_message();
    bytes::forget_refusals();
    // SAFETY: the caller's promise; GDAL checks that the window lies inside the image, and `whole_block` that a block
    // has the buffer's shape and type.
    let status = unsafe {
        if !part.is_all() {
            return picked(band, part, data_type, buffer);
        }
        match whole_block(band, window, data_type) {
            Some((x, y)) if direction == GDALRWFlag::GF_Write => gdal_sys::GDALWriteBlock(band, x, y, buffer),
            Some((x, y)) => gdal_sys::GDALReadBlock(band, x, y, buffer),
            None => gdal_sys::GDALRasterIO(
                band,
                direction,
                window.col as c_int,
                window.row as c_int,
                window.cols as c_int,
                window.rows as c_int,
                buffer,
                window.cols as c_int,
                window.rows as c_int,
                data_type,
                0,
                0,
            ),
        }
    };
    done(status)
}

fn done(status: CPLErr::Type) -> Result<(), String> {
    match status {
        // Drivers may take what a server did not send for what the file does not have.
        CPLErr::CE_None => bytes::broken().map_or(Ok(()), |broken| Err(broken.to_string())),
        // Of a file that a virtual file names and that is opened only now.
        _ => Err(bytes::reason().map_or_else(last_message, |reason| reason.to_string())),
    }
}

/// Reads a part of a picture by as many columns of blocks at once as GDAL's cache holds. GDAL goes through the picture row by row: where
/// a row of blocks is larger than its cache, it would decode all of them again for each row.
///
/// # Safety
/// As `transfer`.
unsafe fn picked(
    band: GDALRasterBandH,
    part: &Part,
    data_type: Gdt::Type,
    buffer: *mut c_void,
) -> Result<(), String> {
    let (window, (rows, cols)) = (part.window, part.shape);
    // SAFETY: plain numbers of an open band, and of a type that GDAL has.
    let (at_once, bytes) = unsafe {
        (
            cached_columns(band),
            gdal_sys::GDALGetDataTypeSizeBytes(data_type),
        )
    };
    let (down, across) = (window.rows as f64 / rows as f64, window.cols as f64 / cols as f64);
    let source = |col: usize| window.col as usize + ((col as f64 + 0.5) * across) as usize;
    let span = |first: f64, end: f64, most: isize| {
        let (start, stop) = (first.floor() as isize, (end.ceil() as isize).min(most));
        (start as c_int, (stop - start).max(1) as c_int)
    };
    let (top, bottom) = (
        window.row as f64 + part.rows.start as f64 * down,
        window.row as f64 + part.rows.end as f64 * down,
    );
    let (y, y_size) = span(top, bottom, window.row_end());
    let mut first = 0;
    while first < cols {
        if interrupt::requested() {
            return Err("interrupted".into());
        }
        let boundary = (source(first) / at_once + 1).saturating_mul(at_once);
        let end = (first + 1..cols)
            .find(|&col| source(col) >= boundary)
            .unwrap_or(cols);
        let (left, right) = (
            window.col as f64 + first as f64 * across,
            window.col as f64 + end as f64 * across,
        );
        let (x, x_size) = span(left, right, window.col_end());
        // SAFETY: numbers and pointers that may be zero; later versions of GDAL have more of them.
        let mut exact: gdal_sys::GDALRasterIOExtraArg = unsafe { std::mem::zeroed() };
        exact.nVersion = 1;
        exact.eResampleAlg = gdal_sys::GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        exact.bFloatingPointWindowValidity = 1;
        (exact.dfXOff, exact.dfXSize) = (left, right - left);
        (exact.dfYOff, exact.dfYSize) = (top, bottom - top);
        // SAFETY: the caller's promise; the columns from `first` to `end` lie inside the buffer, whose rows are `cols` values long.
        let status = unsafe {
            gdal_sys::GDALRasterIOEx(
                band,
                GDALRWFlag::GF_Read,
                x,
                y,
                x_size,
                y_size,
                buffer.cast::<u8>().add(first * bytes as usize).cast(),
                (end - first) as c_int,
                part.rows.len() as c_int,
                data_type,
                i64::from(bytes),
                i64::from(bytes) * cols as i64,
                &mut exact,
            )
        };
        done(status)?;
        first = end;
    }
    Ok(())
}

/// Columns of whole blocks of which a row of blocks fits GDAL's cache, with those of the bands that are decoded with it.
///
/// # Safety
/// `band` belongs to an open dataset that no other thread uses meanwhile.
unsafe fn cached_columns(band: GDALRasterBandH) -> usize {
    let (mut block_cols, mut block_rows): (c_int, c_int) = (0, 0);
    // SAFETY: the caller's promise.
    let (bytes, bands, cache) = unsafe {
        gdal_sys::GDALGetBlockSize(band, &mut block_cols, &mut block_rows);
        let dataset = gdal_sys::GDALGetBandDataset(band);
        let bands = match dataset.is_null() {
            true => 1,
            false => gdal_sys::GDALGetRasterCount(dataset),
        };
        let bytes = gdal_sys::GDALGetDataTypeSizeBytes(gdal_sys::GDALGetRasterDataType(band));
        (bytes, bands, gdal_sys::GDALGetCacheMax64())
    };
    let positive = |n: c_int| n.max(1) as usize;
    let block = positive(block_cols) * positive(block_rows) * positive(bytes) * positive(bands);
    let blocks = usize::try_from(cache).unwrap_or(0) / 2 / block;
    positive(block_cols) * blocks.max(1)
}

/// Column and row of the block that `window` is, if it is one, lies wholly inside the image, has the type asked for, and
/// does not hold the pixels of other bands too (those are decoded together and kept in GDAL's cache for their readers).
///
/// # Safety
/// `band` belongs to an open dataset that no other thread uses meanwhile.
unsafe fn whole_block(band: GDALRasterBandH, window: Window, data_type: Gdt::Type) -> Option<(c_int, c_int)> {
    let (mut block_cols, mut block_rows): (c_int, c_int) = (0, 0);
    // SAFETY: the caller's promise; strings of GDAL's live until the dataset changes and are looked at here only.
    unsafe {
        gdal_sys::GDALGetBlockSize(band, &mut block_cols, &mut block_rows);
        let dataset = gdal_sys::GDALGetBandDataset(band);
        if gdal_sys::GDALGetRasterDataType(band) != data_type || dataset.is_null() {
            return None;
        }
        if gdal_sys::GDALGetRasterCount(dataset) > 1 {
            let interleave =
                gdal_sys::GDALGetMetadataItem(dataset, c"INTERLEAVE".as_ptr(), c"IMAGE_STRUCTURE".as_ptr());
            if interleave.is_null() || CStr::from_ptr(interleave) != c"BAND" {
                return None;
            }
        }
        let inside = window.row >= 0
            && window.col >= 0
            && window.row_end() <= gdal_sys::GDALGetRasterBandYSize(band) as isize
            && window.col_end() <= gdal_sys::GDALGetRasterBandXSize(band) as isize;
        if !inside || (window.rows, window.cols) != (block_rows as usize, block_cols as usize) {
            return None;
        }
    }
    let (row, col) = (window.row as usize, window.col as usize);
    (row % window.rows == 0 && col % window.cols == 0)
        .then_some(((col / window.cols) as c_int, (row / window.rows) as c_int))
}
