//! Reading HDF5, which netCDF-4 is as well, without the C libraries: these let one thread work at a time, whichever file it reads, and keep megabytes of each open file.
//!
//! The crate rust-hdf5 reads what is here. What it does not read, or might read otherwise than GDAL does, is left to GDAL, which also says what is wrong with a file.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{Array2, ShapeBuilder};
use rust_hdf5::format::messages::datatype::DatatypeMessage;
use rust_hdf5::types::H5Type;
use rust_hdf5::{FileLocking, H5Attribute, H5Dataset, H5File, Hdf5Error, LinkClass, StorageLayout};

use crate::bounds;
use crate::bytes::stamp::Stamp;
use crate::error::{Error, Result};
use crate::raster::{DType, Window};
use crate::{gate, panics};

/// Files that stay open in between, by their names, as they were when they were opened.
const KEPT_OPEN: usize = 16;
static OPEN: Mutex<VecDeque<(String, Stamp, H5File)>> = Mutex::new(VecDeque::new());

fn open_files() -> MutexGuard<'static, VecDeque<(String, Stamp, H5File)>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Errors
/// What must not be read, is not there, or is no HDF5.
pub fn open(path: &Path) -> Result<H5File> {
    let judged = gate::open(path).map_err(|e| Error::io(path, e))?;
    // A lock would keep others from writing the file for as long as it stays open.
    let options = H5File::options().locking(FileLocking::Disabled);
    let opened = options.open(gate::opened_again(&judged));
    opened.map_err(|e| Error::file(path, format!("is no HDF5 that can be read: {e}")))
}

/// What `ask` answers of a file of the system, which this thread alone has meanwhile. None where it is no such HDF5 file.
fn with<R>(path: &str, ask: impl FnOnce(&H5File) -> Option<R>) -> Option<R> {
    let stamp = Stamp::of_file(path)?;
    let idle = {
        let mut open = open_files();
        let found = open.iter().position(|(name, _, _)| name == path);
        found.and_then(|i| open.remove(i))
    };
    let same = idle.filter(|(_, of, _)| *of == stamp).map(|(_, _, file)| file);
    let answered = panics::caught(|| {
        let file = match same {
            Some(file) => Some(file),
            None => open(Path::new(path)).ok(),
        };
        Ok(file.and_then(|file| ask(&file).map(|answer| (answer, file))))
    });
    let (answer, file) = answered.ok().flatten()?;
    let mut open = open_files();
    open.push_front((path.to_string(), stamp, file));
    let last = match open.len() > KEPT_OPEN {
        true => open.pop_back(),
        false => None,
    };
    drop(open);
    drop(last);
    Some(answer)
}

/// A dataset by its full name, if there is one. None where links lead to it, out of the file perhaps.
fn dataset(file: &H5File, name: &str) -> Option<Option<H5Dataset>> {
    let name = name.trim_matches('/');
    let mut group = file.root_group();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        match group.link_class(part) {
            Ok(LinkClass::Hard) => {}
            Ok(_) => return None,
            Err(Hdf5Error::NotFound(_)) => return Some(None),
            Err(_) => return None,
        }
        if parts.peek().is_some() {
            group = group.group(part).ok()?;
        }
    }
    file.dataset(name).ok().map(Some)
}

/// What an attribute says; of a list its first element.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Integer(i64),
    Number(f64),
    Text(String),
}

/// What attributes say, each of an array by its full name. None where GDAL has to be asked: of those of the file itself no type is told here.
pub fn attributes(path: &str, names: &[(&str, &str)]) -> Option<Vec<Option<Attribute>>> {
    if names.iter().any(|(array, _)| array.trim_matches('/').is_empty()) {
        return None;
    }
    with(path, |file| {
        /// A dataset and the names of its attributes.
        type Known = (H5Dataset, Vec<String>);
        let mut last: Option<(&str, Option<Known>)> = None;
        let mut found = Vec::with_capacity(names.len());
        for (array, attribute) in names {
            let known = match &last {
                Some((name, known)) if name == array => known,
                _ => {
                    let made = match dataset(file, array)? {
                        Some(dataset) => {
                            let names = dataset.attr_names().ok()?;
                            Some((dataset, names))
                        }
                        None => None,
                    };
                    &last.insert((array, made)).1
                }
            };
            found.push(match known {
                Some((dataset, names)) if names.iter().any(|name| name == attribute) => {
                    Some(value(&dataset.attr(attribute).ok()?)?)
                }
                _ => None,
            });
        }
        Some(found)
    })
}

/// None for what GDAL tells better.
fn value(attribute: &H5Attribute) -> Option<Attribute> {
    let datatype = attribute.datatype().ok()?;
    let text = || {
        let text = attribute.read_string().ok()?;
        Some(Attribute::Text(text.trim_end_matches('\0').to_string()))
    };
    match &datatype {
        DatatypeMessage::FixedPoint { .. } => {
            let first = *attribute.read_numeric_as::<i64>().ok()?.first()?;
            (first.unsigned_abs() < 9_000_000_000_000_000).then_some(Attribute::Integer(first))
        }
        DatatypeMessage::FloatingPoint { .. } => Some(Attribute::Number(
            *attribute.read_numeric_as::<f64>().ok()?.first()?,
        )),
        // Of a list of texts the crate makes one.
        DatatypeMessage::FixedString { size, .. } => {
            (attribute.read_raw().ok()?.len() == *size as usize).then(text)?
        }
        DatatypeMessage::VarLenString { .. } => text(),
        _ => None,
    }
}

/// An array whose last two axes, in either order, are an image, and each step of the others one band of it.
#[derive(Debug)]
pub struct StoredImage {
    path: String,
    array: String,
    shape: Vec<usize>,
    rows: Side,
    cols: Side,
    number: DType,
}

/// Rows or columns of an image among the axes of its array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side {
    pub axis: usize,
    /// Against the array's own order.
    pub is_turned: bool,
}

/// What pixels are made of.
pub trait Pixel: Copy {
    fn of_f64(value: f64) -> Self;
    fn of_f32(value: f32) -> Self;
}

impl Pixel for f32 {
    fn of_f64(value: f64) -> f32 {
        value as f32
    }

    fn of_f32(value: f32) -> f32 {
        value
    }
}

impl Pixel for f64 {
    fn of_f64(value: f64) -> f64 {
        value
    }

    fn of_f32(value: f32) -> f64 {
        f64::from(value)
    }
}

impl StoredImage {
    /// None where the file is no plain HDF5 file, or the array one that is read by GDAL.
    pub fn of(path: &str, array: &str, rows: Side, cols: Side) -> Option<StoredImage> {
        with(path, |file| {
            let dataset = dataset(file, array)??;
            let shape = dataset.shape();
            let chunk = match dataset.storage_layout().ok()? {
                StorageLayout::Chunked => dataset.chunk_dims()?,
                StorageLayout::Contiguous if dataset.external_files().ok()?.is_empty() => Vec::new(),
                _ => return None,
            };
            let known = |filter: &rust_hdf5::Filter| matches!(filter.id, DEFLATE | SHUFFLE | FLETCHER32);
            let ends = [shape.len().checked_sub(2)?, shape.len() - 1];
            if !dataset.filters().ok()?.iter().all(known)
                || !ends.contains(&rows.axis)
                || !ends.contains(&cols.axis)
            {
                return None;
            }
            // GDAL has ways of its own with signed numbers of one byte, and those of 64 bits are read as integers.
            let number = number_of(&dataset.datatype().ok()?)
                .filter(|number| !matches!(number, DType::I8 | DType::I64 | DType::U64))?;
            // A chunk is decoded whole.
            let elements = chunk.iter().fold(1_usize, |all, side| all.saturating_mul(*side));
            bounds::fits("a chunk", elements, 2 * number.bytes(), "").ok()?;
            Some(StoredImage {
                path: path.to_string(),
                array: array.to_string(),
                shape,
                rows,
                cols,
                number,
            })
        })
    }

    /// The type of its numbers, and (rows, cols).
    pub fn holds(&self) -> (DType, (usize, usize)) {
        (
            self.number,
            (self.shape[self.rows.axis], self.shape[self.cols.axis]),
        )
    }

    /// A window of a band, which is counted from 1, as it is stored. None where it cannot be read.
    pub fn read<T: Pixel>(&self, band: usize, window: Window) -> Option<Array2<T>> {
        let (rows, cols) = self.holds().1;
        if window.is_empty() || window.intersect(&Window::new(0, 0, rows, cols)) != window {
            return None;
        }
        let mut starts = vec![0; self.shape.len()];
        let mut counts = vec![1; self.shape.len()];
        let mut step = band.checked_sub(1)?;
        for axis in (0..self.shape.len() - 2).rev() {
            starts[axis] = step % self.shape[axis].max(1);
            step /= self.shape[axis].max(1);
        }
        if step > 0 {
            return None;
        }
        let mut along = |side: Side, first: usize, end: usize| {
            starts[side.axis] = if side.is_turned {
                self.shape[side.axis] - end
            } else {
                first
            };
            counts[side.axis] = end - first;
        };
        along(self.rows, window.row as usize, window.row_end() as usize);
        along(self.cols, window.col as usize, window.col_end() as usize);
        let pixels = with(&self.path, |file| {
            let dataset = dataset(file, &self.array)??;
            if dataset.shape() != self.shape || number_of(&dataset.datatype().ok()?) != Some(self.number) {
                return None;
            }
            let slice = (starts.as_slice(), counts.as_slice());
            match self.number {
                DType::U8 => numbers::<u8, T>(&dataset, slice, |v| T::of_f32(v.into())),
                DType::U16 => numbers::<u16, T>(&dataset, slice, |v| T::of_f32(v.into())),
                DType::I16 => numbers::<i16, T>(&dataset, slice, |v| T::of_f32(v.into())),
                DType::U32 => numbers::<u32, T>(&dataset, slice, |v| T::of_f64(v.into())),
                DType::I32 => numbers::<i32, T>(&dataset, slice, |v| T::of_f64(v.into())),
                DType::F32 => numbers::<f32, T>(&dataset, slice, T::of_f32),
                DType::F64 => numbers::<f64, T>(&dataset, slice, T::of_f64),
                _ => None,
            }
        })?;
        let shape = (window.rows, window.cols);
        let mut image = match self.rows.axis < self.cols.axis {
            true => Array2::from_shape_vec(shape, pixels).ok()?,
            false => Array2::from_shape_vec(shape.f(), pixels)
                .ok()?
                .as_standard_layout()
                .into_owned(),
        };
        if self.rows.is_turned {
            image.invert_axis(ndarray::Axis(0));
        }
        if self.cols.is_turned {
            image.invert_axis(ndarray::Axis(1));
        }
        Some(match image.is_standard_layout() {
            true => image,
            false => image.as_standard_layout().into_owned(),
        })
    }
}

/// Filters of HDF5 that the crate undoes as the library does.
const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;
const FLETCHER32: u16 = 3;

fn numbers<S: H5Type, T: Pixel>(
    dataset: &H5Dataset,
    (starts, counts): (&[usize], &[usize]),
    number: impl Fn(S) -> T,
) -> Option<Vec<T>> {
    Some(
        dataset
            .read_slice::<S>(starts, counts)
            .ok()?
            .into_iter()
            .map(number)
            .collect(),
    )
}

/// The type of numbers that fill their bytes; None of what is no such number.
pub fn number_of(datatype: &DatatypeMessage) -> Option<DType> {
    match datatype {
        DatatypeMessage::FixedPoint {
            size,
            signed,
            bit_offset: 0,
            bit_precision,
            ..
        } if u32::from(*bit_precision) == 8 * size => match (size, signed) {
            (1, false) => Some(DType::U8),
            (1, true) => Some(DType::I8),
            (2, false) => Some(DType::U16),
            (2, true) => Some(DType::I16),
            (4, false) => Some(DType::U32),
            (4, true) => Some(DType::I32),
            (8, false) => Some(DType::U64),
            (8, true) => Some(DType::I64),
            _ => None,
        },
        DatatypeMessage::FloatingPoint {
            size: 4,
            exponent_size: 8,
            mantissa_size: 23,
            exponent_bias: 127,
            ..
        } => Some(DType::F32),
        DatatypeMessage::FloatingPoint {
            size: 8,
            exponent_size: 11,
            mantissa_size: 52,
            exponent_bias: 1023,
            ..
        } => Some(DType::F64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::array;

    use super::*;
    use crate::raster::file::hdf5::{Content, Hdf5Options, write};
    use crate::raster::file::pool::SourceFile;
    use crate::raster::memory::from_arrays;
    use crate::raster::{Affine, Grid, Pixels, Unit};

    const ROWS: usize = 5;
    const COLS: usize = 7;

    fn value(row: usize, col: usize) -> f32 {
        (10 * row + col) as f32
    }

    /// A file of one image in chunks that its sides are no multiples of, and of a text.
    fn made(path: &Path, more: f32) {
        let grid = Grid::new(None, Affine::north_up(0.0, 0.0, 1.0, 1.0), ROWS, COLS).unwrap();
        let pixels = Array2::from_shape_fn((ROWS, COLS), |(r, c)| value(r, c) + more);
        let image = from_arrays(
            Arc::new(grid),
            vec![("a".into(), Pixels::F32(pixels), Unit::Unknown)],
        )
        .unwrap();
        let contents = [
            ("/data/a".to_string(), Content::Image(image)),
            ("/data/text".to_string(), Content::Text("word".into())),
        ];
        let options = Hdf5Options {
            chunk: (2, 3),
            deflate: Some(4),
            attributes: vec![("/data/a".into(), "units".into(), "m/y".into())],
        };
        write(path, &contents, &options).unwrap();
    }

    fn side(axis: usize, is_turned: bool) -> Side {
        Side { axis, is_turned }
    }

    #[test]
    fn windows_are_those_of_the_array_whichever_way_its_axes_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        made(&path, 0.0);
        let path = path.to_str().unwrap();
        let window = Window::new(1, 2, 3, 3);
        let read = |rows, cols| {
            let image = StoredImage::of(path, "/data/a", rows, cols).unwrap();
            image.read::<f64>(1, window).unwrap()
        };
        let expected = |of: &dyn Fn(usize, usize) -> f32| {
            Array2::from_shape_fn((3, 3), |(r, c)| f64::from(of(r + 1, c + 2)))
        };
        assert_eq!(read(side(0, false), side(1, false)), expected(&value));
        assert_eq!(
            read(side(0, true), side(1, true)),
            expected(&|r, c| value(ROWS - 1 - r, COLS - 1 - c))
        );
        // The image of a transposed array has as many rows as it has columns.
        assert_eq!(
            read(side(1, false), side(0, false)),
            expected(&|r, c| value(c, r))
        );
        assert_eq!(
            read(side(1, true), side(0, false)),
            expected(&|r, c| value(c, COLS - 1 - r))
        );
        let image = StoredImage::of(path, "data/a", side(0, false), side(1, false)).unwrap();
        assert_eq!(image.holds(), (DType::F32, (ROWS, COLS)));
        assert_eq!(image.read::<f32>(1, Window::new(4, 5, 2, 2)), None);
        assert_eq!(image.read::<f32>(2, window), None);
        assert_eq!(
            image.read::<f32>(1, Window::new(4, 6, 1, 1)),
            Some(array![[46.0]])
        );
    }

    #[test]
    fn what_is_another_thing_is_left_to_gdal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        made(&path, 0.0);
        let path = path.to_str().unwrap();
        let (rows, cols) = (side(0, false), side(1, false));
        for name in ["/data/text", "/data", "/data/b", "/"] {
            assert!(StoredImage::of(path, name, rows, cols).is_none(), "{name}");
        }
        let text = folder.path().join("b.h5");
        std::fs::write(&text, "no HDF5").unwrap();
        assert!(StoredImage::of(text.to_str().unwrap(), "/data/a", rows, cols).is_none());
        assert!(StoredImage::of("nowhere.h5", "/data/a", rows, cols).is_none());
        assert_eq!(
            attributes(
                path,
                &[("/data/a", "units"), ("/data/a", "none"), ("/data/none", "units")]
            ),
            Some(vec![Some(Attribute::Text("m/y".into())), None, None])
        );
        assert_eq!(attributes(path, &[("/", "title")]), None);
    }

    #[test]
    fn a_file_that_is_written_anew_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        made(&path, 0.0);
        let name = path.to_str().unwrap();
        let image = StoredImage::of(name, "/data/a", side(0, false), side(1, false)).unwrap();
        let pixel = || image.read::<f32>(1, Window::new(0, 0, 1, 1)).unwrap()[(0, 0)];
        assert_eq!(pixel(), 0.0);
        made(&path, 1000.0);
        assert_eq!(pixel(), 1000.0);
    }

    /// GDAL's datasets take megabytes each.
    #[test]
    fn no_dataset_stays_open_for_what_is_read_here() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        made(&path, 0.0);
        let path = path.to_str().unwrap();
        let name = format!("HDF5:\"{path}\"://data/a");
        let (left, lent) = SourceFile::open(path, &name).unwrap();
        drop(lent);
        assert!(left.is_idle());
        let (read, lent) = SourceFile::open(path, &name).unwrap();
        let image = StoredImage::of(path, "/data/a", side(0, false), side(1, false)).unwrap();
        read.stored.set(image).unwrap();
        drop(lent);
        assert!(!read.is_idle());
    }
}
