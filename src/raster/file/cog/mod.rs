//! Cloud Optimised GeoTIFFs, put together here: blocks are compressed as tiles come, on the threads that compute these, and lie compressed until their order
//! is known. GDAL writes a GeoTIFF without pixels, of which the image takes all that it says beside them.

mod directory;
mod encode;
mod levels;
mod pyramid;
mod reduce;
mod scratch;

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use gdal::raster::RasterCreationOptions;

use self::directory::{Image, TILE_BYTES, TILE_OFFSETS, framed, head};
use self::encode::{Codec, Encoder, Predictor};
use self::levels::SIDE;
use self::pyramid::{Blocks, Method, Pyramid};
use self::reduce::Sample;
use super::creation::{check_space, common_dtype, create, has_predictor, level_of};
use super::described::{Open, StagedBand, complete, describe, resampled, staged_bands};
use super::finish::close;
use super::options::WriteOptions;
use super::{gdal_type, has_signed_bytes, tiff, whole};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::interrupt;
use crate::raster::stats::Moments;
use crate::raster::tile::f64_to_integer;
use crate::raster::{DType, Kind, Pixels, Raster, Window};
use crate::work::{self, Held};

/// The most bytes of a block: its length is a number of 32 bits, and several are in memory.
const LARGEST_BLOCK: usize = 1 << 28;

/// A Cloud Optimised GeoTIFF that is being made.
pub struct Cog {
    path: PathBuf,
    // Before the draft: fields are dropped in their order, and closing writes.
    header: Mutex<Open>,
    blocks: Box<dyn Blocks>,
    scratch: DraftFolder,
    options: WriteOptions,
    bands: Vec<StagedBand>,
    size: (usize, usize),
    _held: Held,
}

/// How such an image is encoded, and its overviews made; None where that is left to GDAL.
fn plan(raster: &Raster, options: &WriteOptions, dtype: DType) -> Result<Option<(Codec, Method)>> {
    let level = |usual: i32| options.level.map_or(usual, |level| level as i32);
    let codec = match options.compress.to_lowercase().as_str() {
        "none" => Codec::None,
        "deflate" => Codec::Deflate(level(6)),
        "zstd" => Codec::Zstd(level(9)),
        _ => return Ok(None),
    };
    let has_classes = raster.bands.iter().any(|band| !band.unit.classes().is_empty());
    let method = match options.resampling().to_lowercase().as_str() {
        // GDAL averages the colours of classes, and takes the class whose colour is nearest.
        "average" if !has_classes => Method::Average,
        "mode" => Method::Mode,
        "nearest" => Method::Nearest,
        _ => return Ok(None),
    };
    let bytes = (SIDE * SIDE * raster.bands.len()).saturating_mul(dtype.bytes());
    if dtype.is_complex() || bytes > LARGEST_BLOCK || cfg!(target_endian = "big") {
        return Ok(None);
    }
    level_of(options)?;
    Ok(Some((codec, method)))
}

impl Cog {
    /// The file as it begins; None where GDAL makes it as a whole.
    ///
    /// # Errors
    /// What the format cannot hold, and what the file system says.
    pub fn create(raster: &Raster, path: &Path, options: &WriteOptions) -> Result<Option<Cog>> {
        let dtype = common_dtype(&raster.bands, options)?;
        let options = resampled(&raster.bands, dtype, options);
        let Some((codec, method)) = plan(raster, &options, dtype)? else {
            return Ok(None);
        };
        let size = (raster.grid.rows, raster.grid.cols);
        let bytes = size.0 as u64 * size.1 as u64 * raster.bands.len() as u64 * dtype.bytes() as u64;
        let scratch = DraftFolder::new(path)?;
        check_space(path, bytes, &options)?;
        let too_large = |_| {
            Error::file(
                path,
                format!("an image of {} × {} pixels is too large for GDAL", size.0, size.1),
            )
        };
        let sides = (
            size.1.try_into().map_err(too_large)?,
            size.0.try_into().map_err(too_large)?,
        );
        let bands = staged_bands(&raster.bands, dtype, &options)?;
        let predictor = match (has_predictor(&options, dtype), dtype.is_float()) {
            (false, _) => Predictor::None,
            (true, false) => Predictor::Horizontal,
            (true, true) => Predictor::Floating,
        };
        let header = create(
            scratch.path(),
            sides,
            bands.len(),
            gdal_type(dtype),
            &creation(codec, predictor, dtype),
        )
        .map_err(|text| Error::file(path, format!("cannot be created: {text}")));
        let mut header = scratch.checked(header)?;
        let described = describe(&mut header, raster, (path, "COG"), &options, &bands);
        let header = Mutex::new(Open(Some(header)));
        scratch.checked(described)?;
        let encoder = Encoder::new(codec, predictor, dtype.bytes(), bands.len());
        let blocks = blocks_of(dtype, size, method, encoder, &bands, scratch.path())
            .map_err(|e| Error::io(path, e))?;
        // A block of each thread, what is made of it, and what it is compressed into.
        let block = SIDE * SIDE * bands.len() * dtype.bytes();
        Ok(Some(Cog {
            path: path.to_path_buf(),
            header,
            blocks,
            scratch,
            options,
            bands,
            size,
            _held: Held::hold(3 * block * work::threads()),
        }))
    }

    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Takes the pixels of all bands in a tile, from any thread.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn write(&self, index: usize, window: Window, mut pixels: Vec<Pixels>) -> Result<()> {
        for (band, pixels) in self.bands.iter().zip(&mut pixels) {
            if self.options.statistics {
                band.moments.add(index, Moments::of(pixels));
            }
            // 64-bit integers go into whole numbers as they are, into floats rounded.
            if pixels.kind() == Kind::I128 && band.dtype.integer_range().is_none() {
                let taken = std::mem::replace(pixels, Pixels::masked(Kind::F32, 0, 0));
                *pixels = Pixels::F64(taken.into_f64());
            }
        }
        let seen = self
            .blocks
            .take(window, pixels)
            .map_err(|e| Error::io(&self.path, e))?;
        self.bands
            .iter()
            .zip(seen)
            .for_each(|(band, seen)| band.saw(seen));
        Ok(())
    }

    /// Overviews, and all in its order; the answer has everything but its name.
    ///
    /// # Errors
    /// Pixels that would come back as others, and what cannot be written.
    pub fn finish(self) -> Result<DraftFolder> {
        interrupt::check()?;
        let fail = |text: String| Error::file(&self.path, format!("cannot be written: {text}"));
        let header = self.header.lock().unwrap_or_else(|e| e.into_inner()).0.take();
        let header = header.ok_or_else(|| fail("it was closed".into()))?;
        complete(&header, &self.bands, &self.options, &self.path)?;
        self.scratch.checked(close(header).map_err(fail))?;
        let fields = std::fs::File::open(self.scratch.path())
            .ok()
            .and_then(|file| tiff::fields(&file, &[TILE_OFFSETS, TILE_BYTES]))
            .ok_or_else(|| fail("its header cannot be read".into()))?;
        let images = self.blocks.images();
        let count: usize = images.iter().map(|(_, blocks)| blocks.len()).sum();
        let reduced = count - images.first().map_or(0, |(_, blocks)| blocks.len());
        let name = self
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        work::progress().start((count + reduced) as u64, &format!("{name}, step 2 of 2"));
        let draft = self.put_together(&fields);
        work::progress().finish();
        let draft = draft?;
        // What lies beside it is of no more use, and its room may be.
        let Cog {
            path,
            scratch,
            blocks,
            bands,
            size,
            ..
        } = self;
        drop((blocks, scratch));
        let shape = ((size.1, size.0), bands.len());
        let read = whole::image(draft.path(), "COG", shape);
        draft.checked(read.map_err(|reason| whole::error(&path, &reason)))?;
        Ok(draft)
    }

    fn put_together(&self, fields: &[tiff::Field]) -> Result<DraftFolder> {
        let masked: Vec<bool> = self.bands.iter().map(|band| band.seen().masked).collect();
        let draft = DraftFolder::new(&self.path)?;
        self.blocks.reduce(&masked, &self.path)?;
        let failed = |e: io::Error| Error::io(&self.path, e);
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .custom_flags(libc::O_NOFOLLOW);
        let mut out = BufWriter::with_capacity(1 << 20, options.open(draft.path()).map_err(failed)?);
        let images = self.blocks.images();
        let sized = images.iter().map(|(size, blocks)| Image {
            size: *size,
            blocks: blocks.iter().map(|place| place.bytes).collect(),
        });
        let head = head(fields, &sized.collect::<Vec<_>>());
        out.write_all(&head).map_err(failed)?;
        let (mut block, mut frame) = (Vec::new(), Vec::new());
        for place in images.iter().rev().flat_map(|(_, blocks)| blocks) {
            interrupt::check()?;
            self.blocks.read(*place, &mut block).map_err(failed)?;
            frame.clear();
            framed(&block, &mut frame);
            out.write_all(&frame).map_err(failed)?;
            work::progress().advance(1);
        }
        let out = out.into_inner().map_err(|e| failed(e.into_error()))?;
        // Closing says nothing of what is lost.
        out.sync_all().map_err(failed)?;
        Ok(draft)
    }
}

/// Creation options of the GeoTIFF that holds everything but pixels.
fn creation(codec: Codec, predictor: Predictor, dtype: DType) -> RasterCreationOptions {
    let side = SIDE.to_string();
    let mut list = vec![
        ("TILED", "YES"),
        ("BLOCKXSIZE", &side),
        ("BLOCKYSIZE", &side),
        ("INTERLEAVE", "PIXEL"),
        ("SPARSE_OK", "TRUE"),
        ("BIGTIFF", "YES"),
    ];
    match codec {
        Codec::None => {}
        Codec::Deflate(_) => list.push(("COMPRESS", "DEFLATE")),
        Codec::Zstd(_) => list.push(("COMPRESS", "ZSTD")),
    }
    match predictor {
        Predictor::None => {}
        Predictor::Horizontal => list.push(("PREDICTOR", "2")),
        Predictor::Floating => list.push(("PREDICTOR", "3")),
    }
    if dtype == DType::I8 && !has_signed_bytes() {
        list.push(("PIXELTYPE", "SIGNEDBYTE"));
    }
    RasterCreationOptions::from_iter(list.into_iter().map(|(key, value)| format!("{key}={value}")))
}

fn blocks_of(
    dtype: DType,
    size: (usize, usize),
    method: Method,
    encoder: Encoder,
    bands: &[StagedBand],
    draft: &Path,
) -> io::Result<Box<dyn Blocks>> {
    fn of<T: Sample>(
        size: (usize, usize),
        method: Method,
        encoder: Encoder,
        bands: &[StagedBand],
        draft: &Path,
    ) -> io::Result<Box<dyn Blocks>> {
        let fill = |band: &StagedBand| match band.dtype.integer_range() {
            Some(_) => T::of_integer(f64_to_integer(band.fill)),
            None => T::of(band.fill),
        };
        let fills = bands.iter().map(|band| (fill(band), band.declared)).collect();
        Ok(Box::new(Pyramid::<T>::new(size, method, encoder, fills, draft)?))
    }
    match dtype {
        DType::U8 => of::<u8>(size, method, encoder, bands, draft),
        DType::I8 => of::<i8>(size, method, encoder, bands, draft),
        DType::U16 => of::<u16>(size, method, encoder, bands, draft),
        DType::I16 => of::<i16>(size, method, encoder, bands, draft),
        DType::U32 => of::<u32>(size, method, encoder, bands, draft),
        DType::I32 => of::<i32>(size, method, encoder, bands, draft),
        DType::U64 => of::<u64>(size, method, encoder, bands, draft),
        DType::I64 => of::<i64>(size, method, encoder, bands, draft),
        DType::F32 => of::<f32>(size, method, encoder, bands, draft),
        DType::F64 => of::<f64>(size, method, encoder, bands, draft),
        DType::C32 | DType::C64 => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
}
