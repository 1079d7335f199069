//! One step of an array as a source of tiles: the image at one place along all axes but two.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use half::f16;
use ndarray::{Array2, s};
use num_complex::{Complex32, Complex64};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::array::{Array, Block, Wanted};
use super::metadata::Element;
use super::recent::chunks_of;
use super::store::Zarr;
use crate::described;
use crate::error::{Error, Result};
use crate::raster::describe::{Described, Description, Site, from_json, to_json};
use crate::raster::file::encoding::Encoding;
use crate::raster::file::zarr::place::open_store;
use crate::raster::operation::{Chunks, Operation, PicturePart, ReadFile};
use crate::raster::tile::{MASKED_COMPLEX, MASKED_INTEGER, integer_to_f64};
use crate::raster::{DType, Kind, Pixels, View, Window};

/// Which two axes are rows and columns, and whether they run against the array's own order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    pub y: usize,
    pub x: usize,
    pub flip_y: bool,
    pub flip_x: bool,
}

pub struct Step {
    array: Arc<Array>,
    frame: Frame,
    /// Places along the other axes, in their order.
    index: Vec<usize>,
    encoding: Arc<Encoding>,
    kind: Kind,
    /// The number of the chunk at its first row and column, and where its elements begin there.
    first: u64,
    offset: usize,
}

/// What a step is.
#[derive(Serialize, Deserialize)]
struct Source {
    path: String,
    array: String,
    /// Of what is said of the array.
    state: String,
    frame: Frame,
    index: Vec<usize>,
    encoding: Encoding,
}

impl Described for Step {
    const NAME: &'static str = "raster.open_zarr";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Source {
            path: self.array.path.clone(),
            array: self.array.name.clone(),
            state: self.array.state(),
            frame: self.frame,
            index: self.index.clone(),
            encoding: self.encoding.as_ref().clone(),
        })
    }

    fn again(parameters: &Json, site: &Site) -> Result<Step> {
        let source: Source = from_json(Self::NAME, parameters)?;
        let path = (site.file)(&source.path)?;
        let changed = || {
            Error::file(
                &source.path,
                format!(
                    "its array {} has changed since the graph was described; open it again",
                    source.array
                ),
            )
        };
        let array = opened(&path)?.array(&source.array)?.ok_or_else(changed)?;
        if array.state() != source.state {
            return Err(changed());
        }
        let Frame { y, x, .. } = source.frame;
        let shape = &array.metadata.shape;
        let others: Vec<usize> = (0..shape.len()).filter(|axis| *axis != y && *axis != x).collect();
        let fits = y != x
            && shape.get(y) == Some(&site.grid.rows)
            && shape.get(x) == Some(&site.grid.cols)
            && source.index.len() == others.len()
            && others
                .iter()
                .zip(&source.index)
                .all(|(axis, at)| *at < shape[*axis])
            && array.metadata.element.dtype() == Some(source.encoding.stored());
        match fits {
            true => Ok(Step::new(
                &array,
                source.frame,
                source.index,
                &Arc::new(source.encoding),
            )),
            false => Err(changed()),
        }
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(0).map(drop)
    }
}

described!(Step, Tiles);

/// A graph has many steps of one Zarr, which is opened once.
fn opened(path: &str) -> Result<Arc<Zarr>> {
    static LAST: Mutex<Option<(String, Weak<Zarr>)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, zarr)) = last.as_ref()
        && of == path
        && let Some(zarr) = zarr.upgrade()
    {
        return Ok(zarr);
    }
    let zarr = open_store(path)?;
    *last = Some((path.to_string(), Arc::downgrade(&zarr)));
    Ok(zarr)
}

impl Step {
    /// `index` and `frame` lie in the array.
    pub fn new(array: &Arc<Array>, frame: Frame, index: Vec<usize>, encoding: &Arc<Encoding>) -> Step {
        let chunk = &array.metadata.chunk;
        let (mut first, mut offset) = (0, 0);
        let mut places = index.iter();
        for (axis, &length) in chunk.iter().enumerate() {
            let at = match axis == frame.y || axis == frame.x {
                true => 0,
                false => places.next().copied().unwrap_or(0),
            };
            first += (at / length) as u64 * array.stride(axis);
            offset = offset * length + at % length;
        }
        Step {
            array: array.clone(),
            frame,
            index,
            kind: encoding.kind(),
            encoding: encoding.clone(),
            first,
            offset,
        }
    }

    fn size(&self) -> (usize, usize) {
        let shape = &self.array.metadata.shape;
        (shape[self.frame.y], shape[self.frame.x])
    }

    /// A window of the image in the array, and the other way round.
    fn in_array(&self, window: Window) -> (Range<usize>, Range<usize>) {
        let (rows, cols) = self.size();
        let along = |first: isize, end: isize, size: usize, flip: bool| match flip {
            true => size - end as usize..size - first as usize,
            false => first as usize..end as usize,
        };
        (
            along(window.row, window.row_end(), rows, self.frame.flip_y),
            along(window.col, window.col_end(), cols, self.frame.flip_x),
        )
    }

    fn block_of(&self, rows: &Range<usize>, cols: &Range<usize>) -> Block {
        let chunk = &self.array.metadata.chunk;
        let chunks = |range: &Range<usize>, size: usize| range.start / size..range.end.div_ceil(size);
        Block {
            array: self.array.clone(),
            first: self.first,
            axes: (self.frame.y, self.frame.x),
            rows: chunks(rows, chunk[self.frame.y]),
            cols: chunks(cols, chunk[self.frame.x]),
        }
    }

    fn read(&self, window: Window) -> Result<Pixels> {
        let stored = match &self.array.metadata.element {
            Element::Half => {
                return self
                    .read_as::<f16, f32>(window, f16::to_f32)
                    .map(|(a, h)| self.of_f32(a, &h));
            }
            element => element.dtype(),
        };
        let wide = |(mut a, holes): (Array2<i128>, Vec<Hole>)| {
            a.mapv_inplace(|v| self.encoding.decode_integer(v));
            masked(&mut a, &holes, MASKED_INTEGER);
            match self.kind {
                Kind::I128 => Pixels::I128(a),
                _ => Pixels::F64(a.mapv(|v| self.encoding.scaled(integer_to_f64(v)))),
            }
        };
        let double = |(a, holes): (Array2<f64>, Vec<Hole>)| self.of_f64(a, &holes);
        let single = |(a, holes): (Array2<f32>, Vec<Hole>)| self.of_f32(a, &holes);
        Ok(match (stored, self.kind) {
            (Some(DType::I64), _) => wide(self.read_as::<i64, i128>(window, i128::from)?),
            (Some(DType::U64), _) => wide(self.read_as::<u64, i128>(window, i128::from)?),
            (Some(DType::U8), Kind::F64) => double(self.read_as::<u8, f64>(window, f64::from)?),
            (Some(DType::I8), Kind::F64) => double(self.read_as::<i8, f64>(window, f64::from)?),
            (Some(DType::U16), Kind::F64) => double(self.read_as::<u16, f64>(window, f64::from)?),
            (Some(DType::I16), Kind::F64) => double(self.read_as::<i16, f64>(window, f64::from)?),
            (Some(DType::U8), _) => single(self.read_as::<u8, f32>(window, f32::from)?),
            (Some(DType::I8), _) => single(self.read_as::<i8, f32>(window, f32::from)?),
            (Some(DType::U16), _) => single(self.read_as::<u16, f32>(window, f32::from)?),
            (Some(DType::I16), _) => single(self.read_as::<i16, f32>(window, f32::from)?),
            (Some(DType::F32), _) => single(self.read_as::<f32, f32>(window, |v| v)?),
            (Some(DType::U32), _) => double(self.read_as::<u32, f64>(window, f64::from)?),
            (Some(DType::I32), _) => double(self.read_as::<i32, f64>(window, f64::from)?),
            (Some(DType::F64), _) => double(self.read_as::<f64, f64>(window, |v| v)?),
            (Some(DType::C32), _) => self.of_c32(self.read_as::<Complex32, Complex32>(window, |z| z)?),
            (Some(DType::C64), _) => self.of_c32(
                self.read_as::<Complex64, Complex32>(window, |z| Complex32::new(z.re as f32, z.im as f32))?,
            ),
            (None, _) => {
                return Err(Error::file(
                    &self.array.path,
                    format!("{} is no array of numbers", self.array.name),
                ));
            }
        })
    }

    fn of_f32(&self, mut a: Array2<f32>, holes: &[Hole]) -> Pixels {
        self.encoding.decode(&mut a);
        masked(&mut a, holes, f32::NAN);
        Pixels::F32(a)
    }

    fn of_f64(&self, mut a: Array2<f64>, holes: &[Hole]) -> Pixels {
        self.encoding.decode(&mut a);
        masked(&mut a, holes, f64::NAN);
        Pixels::F64(a)
    }

    fn of_c32(&self, (mut a, holes): (Array2<Complex32>, Vec<Hole>)) -> Pixels {
        a.mapv_inplace(|z| match self.encoding.is_missing(z) {
            true => MASKED_COMPLEX,
            false => z,
        });
        masked(&mut a, &holes, MASKED_COMPLEX);
        Pixels::C32(a)
    }

    /// Stored numbers of a window, and where there are none.
    fn read_as<S: Stored, T: Copy + Default>(
        &self,
        window: Window,
        make: impl Fn(S) -> T + Copy,
    ) -> Result<(Array2<T>, Vec<Hole>)> {
        let (rows, cols) = self.in_array(window);
        let block = self.block_of(&rows, &cols);
        let chunks = chunks_of(&block)?;
        let Frame { y, x, flip_y, flip_x } = self.frame;
        let metadata = &self.array.metadata;
        let (height, width) = (metadata.chunk[y], metadata.chunk[x]);
        let stride = |axis: usize| metadata.chunk[axis + 1..].iter().product::<usize>();
        let (down, across) = (stride(y), stride(x));
        let mut out = Array2::from_elem((window.rows, window.cols), T::default());
        let mut holes = Vec::new();
        let fill = metadata.fill.as_deref().and_then(|bytes| S::first(bytes));
        let places = block
            .rows
            .clone()
            .flat_map(|row| block.cols.clone().map(move |col| (row, col)));
        for ((chunk_row, chunk_col), chunk) in places.zip(chunks.iter()) {
            let (top, left) = (chunk_row * height, chunk_col * width);
            let (first, end) = (rows.start.max(top), rows.end.min(top + height));
            let (begin, stop) = (cols.start.max(left), cols.end.min(left + width));
            // Where they are in what is made.
            let turned = |first: usize, end: usize, range: &Range<usize>, flip: bool| match flip {
                true => range.end - end..range.end - first,
                false => first - range.start..end - range.start,
            };
            let hole = (
                turned(first, end, &rows, flip_y),
                turned(begin, stop, &cols, flip_x),
            );
            let mut target = out.slice_mut(s![hole.0.clone(), hole.1.clone()]);
            let Some(bytes) = &chunk.bytes else {
                match fill {
                    Some(fill) => target.fill(make(fill)),
                    None => holes.push(hole),
                }
                continue;
            };
            let from = self.offset_of(first - top, begin - left);
            let count = stop - begin;
            for (i, mut line) in target.rows_mut().into_iter().enumerate() {
                let row = if flip_y { end - first - 1 - i } else { i };
                let at = from + row * down;
                let Some(line) = line.as_slice_mut() else {
                    return Err(Error::message("the rows of a tile lie apart"));
                };
                let last = at + (count - 1) * across;
                let Some(source) = bytes.get(at * size_of::<S>()..(last + 1) * size_of::<S>()) else {
                    return Err(Error::file(
                        &self.array.path,
                        format!("a chunk of {} ends before its time", self.array.name),
                    ));
                };
                if across == 1 {
                    S::each(source, 1, line, make);
                } else {
                    S::each(source, across, line, make);
                }
                if flip_x {
                    line.reverse();
                }
            }
        }
        Ok((out, holes))
    }

    /// The number of an element in its chunk.
    fn offset_of(&self, row: usize, col: usize) -> usize {
        let chunk = &self.array.metadata.chunk;
        let stride = |axis: usize| chunk[axis + 1..].iter().product::<usize>();
        self.offset + row * stride(self.frame.y) + col * stride(self.frame.x)
    }
}

/// Rows and columns of what is made that no chunk has numbers of.
type Hole = (Range<usize>, Range<usize>);

fn masked<T: Clone>(a: &mut Array2<T>, holes: &[Hole], masked: T) {
    for (rows, cols) in holes {
        a.slice_mut(s![rows.clone(), cols.clone()]).fill(masked.clone());
    }
}

/// A number as it is stored, little-endian.
trait Stored: Copy {
    fn first(bytes: &[u8]) -> Option<Self>;

    /// Every so many of the numbers in `bytes`, made into others.
    fn each<T: Copy>(bytes: &[u8], step: usize, out: &mut [T], make: impl Fn(Self) -> T);
}

macro_rules! stored {
    ($type:ty, $bytes:literal, $of:expr) => {
        impl Stored for $type {
            fn first(bytes: &[u8]) -> Option<Self> {
                let of: fn([u8; $bytes]) -> $type = $of;
                bytes.first_chunk::<$bytes>().copied().map(of)
            }

            #[inline(always)]
            fn each<T: Copy>(bytes: &[u8], step: usize, out: &mut [T], make: impl Fn(Self) -> T) {
                let of: fn([u8; $bytes]) -> $type = $of;
                let (numbers, _) = bytes.as_chunks::<$bytes>();
                if step == 1 {
                    for (out, number) in out.iter_mut().zip(numbers) {
                        *out = make(of(*number));
                    }
                } else {
                    for (out, number) in out.iter_mut().zip(numbers.iter().step_by(step)) {
                        *out = make(of(*number));
                    }
                }
            }
        }
    };
}

stored!(u8, 1, u8::from_le_bytes);
stored!(i8, 1, i8::from_le_bytes);
stored!(u16, 2, u16::from_le_bytes);
stored!(i16, 2, i16::from_le_bytes);
stored!(f16, 2, f16::from_le_bytes);
stored!(u32, 4, u32::from_le_bytes);
stored!(i32, 4, i32::from_le_bytes);
stored!(f32, 4, f32::from_le_bytes);
stored!(u64, 8, u64::from_le_bytes);
stored!(i64, 8, i64::from_le_bytes);
stored!(f64, 8, f64::from_le_bytes);
stored!(Complex32, 8, |b: [u8; 8]| Complex32::new(
    f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
    f32::from_le_bytes([b[4], b[5], b[6], b[7]])
));
stored!(Complex64, 16, |b: [u8; 16]| {
    let [re, im] = [0, 8].map(|at| f64::from_le_bytes(std::array::from_fn(|i| b[at + i])));
    Complex64::new(re, im)
});

impl Operation for Step {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        let index = self
            .index
            .iter()
            .map(|i| (i + 1).to_string())
            .collect::<Vec<_>>()
            .join(", ");
        match index.is_empty() {
            true => format!("{} {}", self.array.path, self.array.name),
            false => format!("{} {} step {index}", self.array.path, self.array.name),
        }
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        self.kind
    }

    fn file(&self) -> Option<ReadFile> {
        Some(ReadFile {
            path: self.array.path.clone(),
            size: None,
            is_remote: self.array.objects.is_remote(),
        })
    }

    fn chunks(&self) -> Option<Chunks> {
        let metadata = &self.array.metadata;
        Some(Chunks {
            shared_by: (self.array.id(), self.first),
            rows: metadata.chunk[self.frame.y],
            cols: metadata.chunk[self.frame.x],
            bytes: metadata.chunk_bytes(),
        })
    }

    fn want(&self, out: Window, wanted: &mut Wanted) {
        let (rows, cols) = self.size();
        let out = out.intersect(&Window::new(0, 0, rows, cols));
        if !out.is_empty() {
            let (rows, cols) = self.in_array(out);
            wanted.add(self.block_of(&rows, &cols));
        }
    }

    fn can_reduce(&self) -> bool {
        true
    }

    fn reduced(&self, part: &PicturePart) -> Result<Vec<Pixels>> {
        let (rows, cols) = self.size();
        let nearest = |i: usize, of: usize, size: usize| {
            (((i as f64 + 0.5) * size as f64 / of as f64) as usize).min(size - 1)
        };
        let mut made = Pixels::masked(self.kind, part.rows.len(), part.shape.1);
        let columns: Vec<usize> = (0..part.shape.1)
            .map(|i| nearest(i, part.shape.1, cols))
            .collect();
        for (i, row) in part.rows.clone().enumerate() {
            let at = nearest(row, part.shape.0, rows) as isize;
            let line = self.read(Window::new(at, 0, 1, cols))?;
            fn pick<T: Copy>(to: &mut Array2<T>, from: &Array2<T>, row: usize, columns: &[usize]) {
                for (target, &col) in to.row_mut(row).iter_mut().zip(columns) {
                    *target = from[(0, col)];
                }
            }
            match (&mut made, &line) {
                (Pixels::I128(to), Pixels::I128(from)) => pick(to, from, i, &columns),
                (Pixels::F32(to), Pixels::F32(from)) => pick(to, from, i, &columns),
                (Pixels::F64(to), Pixels::F64(from)) => pick(to, from, i, &columns),
                (Pixels::C32(to), Pixels::C32(from)) => pick(to, from, i, &columns),
                _ => return Err(Error::message("a picture is of another kind than its array")),
            }
        }
        Ok(vec![made])
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn scratch_bytes(&self, out: Window) -> usize {
        let wide = if matches!(self.kind, Kind::I128) { 16 } else { 0 };
        out.len().saturating_mul(wide)
    }

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        self.read(out).map(|p| vec![p])
    }
}
