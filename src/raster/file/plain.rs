//! Windows of GeoTIFFs that hold numbers as they are, read past GDAL: it reads whole blocks into a cache, of each dataset that a thread has open,
//! and those are many times a window around a point.

use std::collections::{HashMap, VecDeque};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::Pod;
use gdal::{Dataset, Metadata};
use gdal_sys::GDALRasterBandH;
use ndarray::{Array2, s};

use super::layout::driver_of;
use crate::gate;
use crate::raster::Window;

/// Files that stay open between windows.
const KEPT_OPEN: usize = 16;
static OPEN: Mutex<VecDeque<(u64, Arc<File>)>> = Mutex::new(VecDeque::new());

/// Column and row of a block.
type Block = (usize, usize);

/// Whether a dataset is a GeoTIFF each block of which is of one band.
pub fn holds_bands_apart(dataset: &Dataset) -> bool {
    let interleave = || dataset.metadata_item("INTERLEAVE", "IMAGE_STRUCTURE");
    driver_of(dataset) == "GTiff" && (dataset.raster_count() == 1 || interleave().as_deref() == Some("BAND"))
}

/// Where the bytes of a block of a GeoTIFF begin, and how many there are; None where it is not there.
///
/// # Safety
/// `band` belongs to an open dataset that no other thread uses meanwhile.
pub unsafe fn place_of(band: GDALRasterBandH, (x, y): Block) -> Option<(u64, u64)> {
    let number = |what: &str| {
        let key = CString::new(format!("BLOCK_{what}_{x}_{y}")).ok()?;
        // SAFETY: the caller's promise; GDAL's string is looked at before anything else is asked of the dataset.
        let text = unsafe {
            let text = gdal_sys::GDALGetMetadataItem(band, key.as_ptr(), c"TIFF".as_ptr());
            (!text.is_null()).then(|| CStr::from_ptr(text))?
        };
        text.to_str().ok()?.parse::<u64>().ok()
    };
    Some((number("OFFSET")?, number("SIZE")?))
}

/// A file of such blocks.
pub struct Plain {
    id: u64,
    path: PathBuf,
    /// Of the image and of its blocks.
    image: (usize, usize),
    block: (usize, usize),
    /// Where the bytes of blocks begin, by band, as far as they were asked for.
    places: Mutex<HashMap<(usize, Block), u64>>,
}

impl Plain {
    /// None where the blocks are of another kind.
    pub fn of(name: &str, dataset: &Dataset, block: (usize, usize)) -> Option<Plain> {
        let is_compressed = dataset.metadata_item("COMPRESSION", "IMAGE_STRUCTURE").is_some();
        if !holds_bands_apart(dataset) || is_compressed || cfg!(target_endian = "big") {
            return None;
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (cols, rows) = dataset.raster_size();
        let plain = Plain {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            path: name.into(),
            image: (rows, cols),
            block,
            places: Mutex::new(HashMap::new()),
        };
        let mut order = [0; 2];
        plain.file()?.read_exact_at(&mut order, 0).ok()?;
        (&order == b"II").then_some(plain)
    }

    fn file(&self) -> Option<Arc<File>> {
        let open = || OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, file)) = open().iter().find(|(of, _)| *of == self.id) {
            return Some(Arc::clone(file));
        }
        let file = Arc::new(gate::open(Path::new(&self.path)).ok()?);
        let mut open = open();
        open.push_front((self.id, Arc::clone(&file)));
        open.truncate(KEPT_OPEN);
        Some(file)
    }

    /// The blocks that a window within the image has pixels of.
    pub fn blocks(&self, window: Window) -> Vec<Block> {
        let places =
            |first: isize, end: isize, block: usize| first as usize / block..(end as usize).div_ceil(block);
        let down = places(window.row, window.row_end(), self.block.0);
        let across = places(window.col, window.col_end(), self.block.1);
        down.flat_map(|y| across.clone().map(move |x| (x, y))).collect()
    }

    /// Where the bytes of these blocks of a band (from 1) begin; None where they are not all known yet.
    pub fn known(&self, band: usize, blocks: &[Block]) -> Option<Vec<u64>> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |block: &Block| places.get(&(band, *block)).copied();
        blocks.iter().map(place).collect()
    }

    /// The same, asked of GDAL. None where a block is not there, or has not as many bytes as numbers of `width` bytes take.
    ///
    /// # Safety
    /// `handle` is `band` of an open dataset of the file that no other thread uses meanwhile.
    pub unsafe fn ask(
        &self,
        handle: GDALRasterBandH,
        band: usize,
        blocks: &[Block],
        width: usize,
    ) -> Option<Vec<u64>> {
        let mut found = Vec::with_capacity(blocks.len());
        for &(x, y) in blocks {
            // SAFETY: the caller's promise.
            let (place, size) = unsafe { place_of(handle, (x, y))? };
            let line = self.block.1 * width;
            // The last strip may have fewer rows.
            let least = line * self.block.0.min(self.image.0 - y * self.block.0);
            if ![line * self.block.0, least].contains(&usize::try_from(size).ok()?) {
                return None;
            }
            found.push(place);
        }
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.extend(
            blocks
                .iter()
                .zip(&found)
                .map(|(&block, &place)| ((band, block), place)),
        );
        Some(found)
    }

    /// A window of these blocks, which begin at these places. None where they cannot be read: GDAL knows why.
    pub fn read<T: Pod>(&self, window: Window, blocks: &[Block], places: &[u64]) -> Option<Array2<T>> {
        let file = self.file()?;
        let width = size_of::<T>();
        let mut out = Array2::from_elem((window.rows, window.cols), T::zeroed());
        let mut bytes = Vec::new();
        for (&(x, y), &place) in blocks.iter().zip(places) {
            let (top, left) = ((y * self.block.0) as isize, (x * self.block.1) as isize);
            let part = Window::new(top, left, self.block.0, self.block.1).intersect(&window);
            let at =
                |row: usize| ((part.row - top) as usize + row) * self.block.1 + (part.col - left) as usize;
            let (row, col) = ((part.row - window.row) as usize, (part.col - window.col) as usize);
            let mut target = out.slice_mut(s![row..row + part.rows, col..col + part.cols]);
            // Rows with what lies between them at once, where that is little.
            let at_once = if self.block.1 <= 4 * part.cols {
                part.rows
            } else {
                1
            };
            for first in (0..part.rows).step_by(at_once) {
                let numbers = at(first + at_once - 1) + part.cols - at(first);
                bytes.resize(numbers * width, 0u8);
                let from = place.checked_add((at(first) * width) as u64)?;
                file.read_exact_at(&mut bytes, from).ok()?;
                for row in first..first + at_once {
                    let from = &bytes[(at(row) - at(first)) * width..][..part.cols * width];
                    let mut target = target.row_mut(row);
                    bytemuck::cast_slice_mut::<T, u8>(target.as_slice_mut()?).copy_from_slice(from);
                }
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use gdal::DriverManager;
    use gdal::raster::{Buffer, RasterCreationOptions};

    use super::*;
    use crate::raster::file::initialise;

    const ROWS: usize = 53;
    const COLS: usize = 70;

    fn value(band: usize, row: usize, col: usize) -> f32 {
        (band * 10_000 + row * 100 + col) as f32
    }

    fn made(path: &str, options: &[&str]) -> Dataset {
        initialise();
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let options: RasterCreationOptions = options.iter().copied().collect();
        let file = driver
            .create_with_band_type_with_options::<f32, _>(path, COLS, ROWS, 2, &options)
            .unwrap();
        for band in 1..=2 {
            let values = (0..ROWS * COLS)
                .map(|i| value(band, i / COLS, i % COLS))
                .collect();
            let mut buffer = Buffer::new((COLS, ROWS), values);
            let mut band = file.rasterband(band).unwrap();
            band.write((0, 0), (COLS, ROWS), &mut buffer).unwrap();
        }
        file.close().unwrap();
        Dataset::open(path).unwrap()
    }

    #[test]
    fn windows_hold_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif").to_string_lossy().into_owned();
        let strips: &[&str] = &["INTERLEAVE=BAND", "BLOCKYSIZE=20"];
        let tiles = &["INTERLEAVE=BAND", "TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=16"];
        for (options, block) in [(strips, (20, COLS)), (tiles, (16, 32))] {
            let dataset = made(&path, options);
            let plain = Plain::of(&path, &dataset, block).unwrap();
            for (row, col, rows, cols) in [
                (0, 0, 5, 7),
                (14, 30, 20, 9),
                (33, 3, 20, 3),
                (52, 69, 1, 1),
                (0, 0, ROWS, COLS),
            ] {
                let window = Window::new(row as isize, col as isize, rows, cols);
                let blocks = plain.blocks(window);
                for number in 1..=2 {
                    let band = dataset.rasterband(number).unwrap();
                    // SAFETY: the dataset is this test's own.
                    let places = unsafe { plain.ask(band.c_rasterband(), number, &blocks, 4) }.unwrap();
                    assert_eq!(plain.known(number, &blocks).as_ref(), Some(&places));
                    let read = plain.read::<f32>(window, &blocks, &places).unwrap();
                    for ((r, c), read) in read.indexed_iter() {
                        assert_eq!(*read, value(number, row + r, col + c), "{options:?} {window}");
                    }
                    // SAFETY: as above.
                    let of_doubles = unsafe { plain.ask(band.c_rasterband(), number, &blocks, 8) };
                    assert_eq!(of_doubles, None);
                }
            }
        }
    }

    #[test]
    fn other_blocks_are_left_to_gdal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif").to_string_lossy().into_owned();
        for options in [
            ["INTERLEAVE=PIXEL", "TILED=YES"],
            ["INTERLEAVE=BAND", "COMPRESS=DEFLATE"],
            ["INTERLEAVE=BAND", "ENDIANNESS=BIG"],
        ] {
            let dataset = made(&path, &options);
            assert!(Plain::of(&path, &dataset, (16, 16)).is_none(), "{options:?}");
        }
    }
}
