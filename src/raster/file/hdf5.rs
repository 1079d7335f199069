//! Writing HDF5: images as chunked datasets, numbers, text and lists beside them, in groups.
//!
//! GDAL reads HDF5 but cannot write it, and its netCDF driver has no fixed-length text, which the products that we write
//! like use. The crate rust-hdf5 writes without the C library, so nothing is shared with GDAL's copy of it, which
//! is not safe to use from two threads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rust_hdf5::format::messages::datatype::DatatypeMessage;
use rust_hdf5::types::{Complex32 as H5Complex32, H5Type, HBool, VarLenUnicode};
use rust_hdf5::{H5Dataset, H5File, H5Group, Hdf5Error};

use super::whole;
use crate::bounds;
use crate::error::{Error, Result};
use crate::files::{self, Draft};
use crate::interrupt;
use crate::raster::execute::Run;
use crate::raster::tile::integer_to_f64;
use crate::raster::{DType, Pixels, Raster, Window, provenance};
use crate::work::provenance::RECORD;

/// One dataset of a file.
#[derive(Clone)]
pub enum Content {
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// Fixed-length text, padded with zero bytes, as numpy's `S` types are.
    Text(String),
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    /// Fixed-length texts of the longest one's length.
    Texts(Vec<String>),
    /// One band: (rows, cols), as float32, float64 or complex64. Masked pixels are NaN.
    Image(Raster),
}

#[derive(Clone)]
pub struct Hdf5Options {
    /// Rows and columns of the chunks of images.
    pub chunk: (usize, usize),
    /// Level of deflate (gzip), after a byte shuffle; None writes plain pixels.
    pub deflate: Option<u32>,
    /// Text attributes: (full name of the dataset, name, text).
    pub attributes: Vec<(String, String, String)>,
}

/// Groups nested deeper than any product has them, and far from the end of the stack.
const MOST_PARTS: usize = 64;

/// What the library holds of a chunk that it has written: where it lies and how long it is.
const HELD_PER_CHUNK: usize = 32;

/// Writes a file of datasets, each given by its full name (`/data/VV`); the groups in the names are made.
///
/// # Errors
/// Names without a part, or of which one is a group and a dataset; images of several bands or of integers; attributes of what
/// is not there; text with zero bytes; and what the file system says. Then nothing is left under `path`.
pub fn write(path: &Path, contents: &[(String, Content)], options: &Hdf5Options) -> Result<()> {
    let draft = Draft::new(path)?;
    draft.checked(fill(path, draft.path(), contents, options))?;
    draft.publish()
}

fn fill(path: &Path, draft: &Path, contents: &[(String, Content)], options: &Hdf5Options) -> Result<()> {
    let fail = |e: Hdf5Error| {
        Error::file(
            path,
            format!("cannot be written: {}", files::shown(&e.to_string())),
        )
    };
    let file = H5File::create(draft).map_err(fail)?;
    let mut groups = Groups {
        path: path.to_path_buf(),
        open: BTreeMap::from([(String::new(), file.root_group())]),
    };
    let mut written = BTreeMap::new();
    for (name, content) in contents {
        interrupt::check()?;
        let name = name.trim_matches('/');
        let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
        if name.is_empty() || name.split('/').any(|part| part.is_empty() || part == ".") {
            return Err(Error::argument(
                "the name of a dataset",
                "a full name such as \"/data/VV\"",
                format!("\"{name}\""),
            ));
        }
        if name.split('/').count() > MOST_PARTS {
            return Err(Error::argument(
                "the name of a dataset",
                format!("a name of at most {MOST_PARTS} parts"),
                name.split('/').count(),
            ));
        }
        let group = groups.of(folder)?;
        let dataset = put(path, group, last, content, options)?;
        written.insert(name.to_string(), dataset);
    }
    for (dataset, name, text) in &options.attributes {
        let dataset = dataset.trim_matches('/');
        let target = written
            .get(dataset)
            .ok_or_else(|| Error::not_found("dataset", dataset, written.keys().map(String::as_str)))?;
        target
            .new_attr::<VarLenUnicode>()
            .shape(())
            .create(name)
            .and_then(|attribute| attribute.write_string(text))
            .map_err(fail)?;
    }
    let images = contents.iter().filter_map(|(_, content)| match content {
        Content::Image(raster) => Some(raster.clone()),
        _ => None,
    });
    let record = provenance::tags(path, &images.collect::<Vec<_>>());
    if let Some((name, text)) = record.into_iter().find(|(name, _)| name == RECORD) {
        file.set_attr_string(&name, &text).map_err(fail)?;
    }
    drop((written, groups));
    file.close().map_err(fail)?;
    is_whole(draft, contents).map_err(|e| whole::error(path, &e.to_string()))
}

/// Opens a closed file again, and reads the last pixel of each image and the shape of all else.
fn is_whole(draft: &Path, contents: &[(String, Content)]) -> rust_hdf5::Result<()> {
    let file = H5File::open(draft)?;
    for (name, content) in contents {
        let dataset = file.dataset(name.trim_matches('/'))?;
        let Content::Image(raster) = content else { continue };
        let last = [raster.grid.rows - 1, raster.grid.cols - 1];
        match raster.bands.first().map(|band| band.dtype) {
            Some(DType::F64) => dataset.read_slice::<f64>(&last, &[1, 1]).map(drop)?,
            Some(DType::C32) => dataset.read_slice::<H5Complex32>(&last, &[1, 1]).map(drop)?,
            _ => dataset.read_slice::<f32>(&last, &[1, 1]).map(drop)?,
        }
    }
    Ok(())
}

/// The groups made so far, by their names without slashes at the ends.
struct Groups {
    path: PathBuf,
    open: BTreeMap<String, H5Group>,
}

impl Groups {
    fn of(&mut self, name: &str) -> Result<&H5Group> {
        if !self.open.contains_key(name) {
            let (parent, last) = name.rsplit_once('/').unwrap_or(("", name));
            let made = self.of(parent)?.create_group(last);
            let made =
                made.map_err(|e| Error::file(&self.path, format!("the group /{name} cannot be made: {e}")))?;
            self.open.insert(name.to_string(), made);
        }
        self.open
            .get(name)
            .ok_or_else(|| Error::file(&self.path, format!("the group /{name} was not made")))
    }
}

fn put(
    path: &Path,
    group: &H5Group,
    name: &str,
    content: &Content,
    options: &Hdf5Options,
) -> Result<H5Dataset> {
    let fail = |e: Hdf5Error| Error::file(path, format!("`{name}` cannot be written: {e}"));
    match content {
        Content::Integer(value) => scalar(group, name, *value).map_err(fail),
        Content::Number(value) => scalar(group, name, *value).map_err(fail),
        Content::Boolean(value) => scalar(group, name, HBool::from(*value)).map_err(fail),
        Content::Integers(values) => list(group, name, values).map_err(fail),
        Content::Numbers(values) => list(group, name, values).map_err(fail),
        Content::Text(text) => {
            let (datatype, bytes) = texts(name, std::slice::from_ref(text))?;
            let made = group.new_dataset::<u8>().scalar().datatype(datatype).create(name);
            made.and_then(|dataset| dataset.write_raw_bytes(&bytes).map(|()| dataset))
                .map_err(fail)
        }
        Content::Texts(list) => {
            let (datatype, bytes) = texts(name, list)?;
            let made = group
                .new_dataset::<u8>()
                .shape([list.len()])
                .datatype(datatype)
                .create(name);
            made.and_then(|dataset| dataset.write_raw_bytes(&bytes).map(|()| dataset))
                .map_err(fail)
        }
        Content::Image(raster) => {
            let band = raster.only_band(name)?;
            let rows_cols = (raster.grid.rows, raster.grid.cols);
            let chunk = chunk_of(rows_cols, options);
            let chunks = rows_cols.0.div_ceil(chunk.0) * rows_cols.1.div_ceil(chunk.1);
            bounds::fits(
                format!("the list of the {chunks} chunks of `{name}`"),
                chunks,
                HELD_PER_CHUNK,
                "take larger chunks",
            )?;
            let made = match band.dtype {
                DType::F32 => image_dataset::<f32>(group, name, rows_cols, options),
                DType::F64 => image_dataset::<f64>(group, name, rows_cols, options),
                DType::C32 => image_dataset::<H5Complex32>(group, name, rows_cols, options),
                other => {
                    return Err(Error::argument(
                        format!("the image `{name}`"),
                        "of type float32, float64 or complex64; change it with :cast(…)",
                        other,
                    ));
                }
            };
            let dataset = made.map_err(fail)?;
            write_image(path, name, raster, &dataset, chunk_of(rows_cols, options))?;
            Ok(dataset)
        }
    }
}

fn scalar<T: H5Type>(group: &H5Group, name: &str, value: T) -> rust_hdf5::Result<H5Dataset> {
    let dataset = group.new_dataset::<T>().scalar().create(name)?;
    dataset.write_raw(&[value])?;
    Ok(dataset)
}

fn list<T: H5Type>(group: &H5Group, name: &str, values: &[T]) -> rust_hdf5::Result<H5Dataset> {
    let dataset = group.new_dataset::<T>().shape([values.len()]).create(name)?;
    dataset.write_raw(values)?;
    Ok(dataset)
}

/// Type and bytes of fixed-length texts, each padded with zero bytes to the longest.
fn texts(name: &str, list: &[String]) -> Result<(DatatypeMessage, Vec<u8>)> {
    if let Some(bad) = list.iter().find(|text| text.contains('\0')) {
        return Err(Error::argument(
            name,
            "text without zero bytes",
            format!("{bad:?}"),
        ));
    }
    // HDF5 has no text of length 0.
    let longest = list.iter().map(String::len).max().unwrap_or(0).max(1);
    let size = u32::try_from(longest).map_err(|_| Error::argument(name, "text below 4 GiB", longest))?;
    let ascii = list.iter().all(|text| text.is_ascii());
    let mut bytes = Vec::with_capacity(longest * list.len());
    for text in list {
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(bytes.len() + longest - text.len(), 0);
    }
    let datatype = DatatypeMessage::FixedString {
        size,
        padding: 1,
        charset: u8::from(!ascii),
    };
    Ok((datatype, bytes))
}

/// Chunks are no larger than the image: HDF5 forbids it.
fn chunk_of((rows, cols): (usize, usize), options: &Hdf5Options) -> (usize, usize) {
    (options.chunk.0.clamp(1, rows), options.chunk.1.clamp(1, cols))
}

fn image_dataset<T: H5Type>(
    group: &H5Group,
    name: &str,
    (rows, cols): (usize, usize),
    options: &Hdf5Options,
) -> rust_hdf5::Result<H5Dataset> {
    let chunk = chunk_of((rows, cols), options);
    let builder = group
        .new_dataset::<T>()
        .shape([rows, cols])
        .chunk(&[chunk.0, chunk.1]);
    let builder = match options.deflate {
        Some(level) => builder.shuffle_deflate(level),
        None => builder,
    };
    builder.create(name)
}

fn write_image(
    path: &Path,
    name: &str,
    raster: &Raster,
    dataset: &H5Dataset,
    chunk: (usize, usize),
) -> Result<()> {
    let run = Run::prepare(&raster.grid, &raster.ports(), raster.grid.window())?;
    // Whole chunks a tile, so that each chunk is written once.
    let (rows, cols) = run.tile();
    let run = run.with_tile(rows.next_multiple_of(chunk.0), cols.next_multiple_of(chunk.1));
    let across = raster.grid.cols.div_ceil(chunk.1);
    let label = format!(
        "{}: {name}",
        path.file_name().unwrap_or_default().to_string_lossy()
    );
    run.for_each(&label, &|_, window, pixels| {
        let pixels = pixels
            .into_iter()
            .next()
            .ok_or_else(|| Error::message("an image without a band"))?;
        for row in (0..window.rows).step_by(chunk.0) {
            for col in (0..window.cols).step_by(chunk.1) {
                let part = Window::new(row as isize, col as isize, chunk.0, chunk.1);
                let index =
                    (window.row as usize + row) / chunk.0 * across + (window.col as usize + col) / chunk.1;
                dataset
                    .write_chunk(index, &chunk_bytes(&pixels, part))
                    .map_err(|e| Error::file(path, format!("`{name}` cannot be written: {e}")))?;
            }
        }
        Ok(())
    })
}

/// The bytes of one chunk, little-endian; what reaches beyond the tile is zero, and never seen.
fn chunk_bytes(pixels: &Pixels, part: Window) -> Vec<u8> {
    fn gather<T: Copy, const N: usize>(
        pixels: &ndarray::Array2<T>,
        part: Window,
        bytes: impl Fn(T) -> [u8; N],
    ) -> Vec<u8> {
        let mut out = vec![0u8; part.len() * N];
        let (row, col) = (part.row as usize, part.col as usize);
        let rows = part.rows.min(pixels.nrows() - row);
        let cols = part.cols.min(pixels.ncols() - col);
        for (r, line) in out.chunks_exact_mut(part.cols * N).take(rows).enumerate() {
            let source = pixels.slice(ndarray::s![row + r, col..col + cols]);
            for (target, &value) in line.chunks_exact_mut(N).zip(source) {
                target.copy_from_slice(&bytes(value));
            }
        }
        out
    }
    match pixels {
        Pixels::I128(a) => gather(a, part, |v| integer_to_f64(v).to_le_bytes()),
        Pixels::F32(a) => gather(a, part, f32::to_le_bytes),
        Pixels::F64(a) => gather(a, part, f64::to_le_bytes),
        Pixels::C32(a) => gather(a, part, |z| {
            let mut both = [0u8; 8];
            both[..4].copy_from_slice(&z.re.to_le_bytes());
            both[4..].copy_from_slice(&z.im.to_le_bytes());
            both
        }),
    }
}
