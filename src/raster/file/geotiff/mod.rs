//! GeoTIFFs, plain and Cloud Optimised, put together here: blocks are compressed as tiles come, on the threads that compute these, and lie compressed until
//! their order is known, so that the same pixels are the same file. GDAL writes a GeoTIFF without pixels, of which the image takes all that it says beside them.

mod directory;

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gdal::raster::RasterCreationOptions;

use self::directory::{Arrangement, FIRST, Image, Layout, TILE_BYTES, TILE_OFFSETS, framed};
use super::blocks::{
    Blocks, Codec, Encoder, Filled, LARGEST_BLOCK, Method, Packed, Place, Plan, Predictor, SIDE, Scratch,
    blocks_of, sizes, suited, unwritten,
};
use super::creation::{block_side, check_space, common_dtype, create, has_predictor, level_of};
use super::described::{Open, Seen, StagedBand, complete, describe, resampled, staged_bands};
use super::finish::close;
use super::options::WriteOptions;
use super::{gdal_type, has_signed_bytes, tiff, whole};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::interrupt;
use crate::raster::stats::Moments;
use crate::raster::{DType, Pixels, Raster, Window};
use crate::work::{self, Held};

/// A GeoTIFF that is being made.
pub struct GeoTiff {
    path: PathBuf,
    driver: String,
    // Before its folder: fields are dropped in their order, and closing writes.
    header: Mutex<Open>,
    /// What is said beside pixels, and what waits to be put together.
    aside: DraftFolder,
    /// What becomes the file.
    draft: DraftFolder,
    scratch: Arc<Scratch>,
    /// One of all bands, or one for each.
    blocks: Vec<Box<dyn Blocks>>,
    arrangement: Arrangement,
    options: WriteOptions,
    bands: Vec<StagedBand>,
    size: (usize, usize),
    _held: Held,
}

/// How such an image is encoded, and its overviews made; None where that is left to GDAL.
fn plan(
    raster: &Raster,
    options: &WriteOptions,
    dtype: DType,
    is_cog: bool,
) -> Result<Option<(Codec, Plan)>> {
    // Of zlib's levels libtiff takes the next of libdeflate's from the usual one on. Of floats that finds 1 % in half as much time again.
    let codec = match options.compress.to_lowercase().as_str() {
        "none" => Codec::None,
        "deflate" => Codec::Deflate(match options.level.map(|level| level as i32) {
            Some(level @ 6..) => level + 1,
            Some(level) => level,
            None if dtype.is_float() => 6,
            None => 7,
        }),
        "zstd" => Codec::Zstd(options.level.map_or(9, |level| level as i32)),
        _ => return Ok(None),
    };
    let has_overviews = is_cog || options.overviews;
    let has_classes = raster.bands.iter().any(|band| !band.unit.classes().is_empty());
    let method = match options.resampling().to_lowercase().as_str() {
        _ if !has_overviews => Method::Nearest,
        // GDAL averages the colours of classes, and takes the class whose colour is nearest.
        "average" if !has_classes => Method::Average,
        "mode" => Method::Mode,
        "nearest" => Method::Nearest,
        _ => return Ok(None),
    };
    let size = (raster.grid.rows, raster.grid.cols);
    let side = if is_cog { SIDE } else { block_side(size) };
    let together = if is_cog { raster.bands.len() } else { 1 };
    let bytes = (side * side * together).saturating_mul(dtype.bytes());
    if dtype.is_complex() || bytes > LARGEST_BLOCK || cfg!(target_endian = "big") {
        return Ok(None);
    }
    level_of(options)?;
    let sizes = if has_overviews { sizes(size) } else { vec![size] };
    Ok(Some((codec, Plan { sizes, side, method })))
}

impl GeoTiff {
    /// The file as it begins, of GDAL's driver `GTiff` or `COG`; None where GDAL makes it as a whole.
    ///
    /// # Errors
    /// What the format cannot hold, and what the file system says.
    pub fn create(
        raster: &Raster,
        path: &Path,
        driver: &str,
        options: &WriteOptions,
    ) -> Result<Option<GeoTiff>> {
        let is_cog = match driver {
            "COG" => true,
            "GTiff" => false,
            _ => return Ok(None),
        };
        let dtype = common_dtype(&raster.bands, options)?;
        let options = resampled(&raster.bands, dtype, options);
        let Some((codec, plan)) = plan(raster, &options, dtype, is_cog)? else {
            return Ok(None);
        };
        let size = (raster.grid.rows, raster.grid.cols);
        let bytes = size.0 as u64 * size.1 as u64 * raster.bands.len() as u64 * dtype.bytes() as u64;
        let aside = DraftFolder::new(path)?;
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
            aside.path(),
            sides,
            bands.len(),
            gdal_type(dtype),
            &creation(codec, predictor, dtype, plan.side, is_cog),
        )
        .map_err(|text| Error::file(path, format!("cannot be created: {text}")));
        let mut header = aside.checked(header)?;
        let described = describe(&mut header, raster, (path, driver), &options, &bands);
        let header = Mutex::new(Open(Some(header)));
        aside.checked(described)?;
        let draft = DraftFolder::new(path)?;
        let arrangement = match (is_cog, codec, plan.sizes.len()) {
            (true, ..) => Arrangement::Cog,
            // All are as long.
            (false, Codec::None, 1) => Arrangement::Behind,
            (false, ..) => Arrangement::Plain,
        };
        let together = if is_cog { bands.len() } else { 1 };
        let block = plan.side * plan.side * together * dtype.bytes();
        let scratch = || {
            let folder = aside.path().parent().unwrap_or(Path::new("."));
            let packed = match arrangement {
                Arrangement::Behind => new_file(draft.path())?,
                Arrangement::Cog | Arrangement::Plain => tempfile::tempfile_in(folder)?,
            };
            let packed = Packed::new(packed);
            Scratch::new(folder, packed, plan.side, together * dtype.bytes()).map(Arc::new)
        };
        let scratch = scratch().map_err(|e| Error::io(path, e))?;
        let blocks_of_band = size.0.div_ceil(plan.side) * size.1.div_ceil(plan.side);
        let blocks = bands.chunks(together).enumerate().map(|(i, bands)| {
            let encoder = Encoder::new(codec, predictor, dtype.bytes(), bands.len(), plan.side);
            let number = i * together;
            let placed = (arrangement == Arrangement::Behind)
                .then(|| FIRST + number as u64 * blocks_of_band as u64 * block as u64);
            let fills: Vec<Filled> = bands.iter().map(|band| (band.fill, band.declared)).collect();
            blocks_of(dtype, &plan, encoder, (number, placed), &fills, &scratch)
                .map_err(|e| Error::io(path, e))
        });
        Ok(Some(GeoTiff {
            path: path.to_path_buf(),
            driver: driver.to_string(),
            header,
            aside,
            draft,
            blocks: blocks.collect::<Result<_>>()?,
            scratch,
            arrangement,
            options,
            bands,
            size,
            // A block of each thread, what is made of it, and what it is compressed into.
            _held: Held::hold(3 * block * work::threads()),
        }))
    }

    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Whether more is made of the pixels when all are there.
    pub fn has_second_step(&self) -> bool {
        self.blocks
            .first()
            .is_some_and(|blocks| blocks.images().len() > 1)
            || self.arrangement == Arrangement::Cog
    }

    /// Takes the pixels of all bands in a tile, from any thread.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn write(&self, window: Window, pixels: Vec<Pixels>) -> Result<()> {
        if self.options.statistics {
            for (band, pixels) in self.bands.iter().zip(&pixels) {
                band.moments.add(&Moments::of(pixels));
            }
        }
        let bands = self.bands.iter();
        let mut pixels = pixels
            .into_iter()
            .zip(bands)
            .map(|(pixels, band)| suited(pixels, band.dtype));
        let mut seen: Vec<Seen> = Vec::with_capacity(self.bands.len());
        for blocks in &self.blocks {
            let own = pixels.by_ref().take(blocks.bands()).collect();
            seen.extend(blocks.take(window, own).map_err(|e| unwritten(&self.path, &e))?);
        }
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
        self.aside.checked(close(header).map_err(fail))?;
        let fields = File::open(self.aside.path())
            .ok()
            .and_then(|file| tiff::fields(&file, &[TILE_OFFSETS, TILE_BYTES]))
            .ok_or_else(|| fail("its header cannot be read".into()))?;
        let is_long = self.has_second_step();
        if is_long {
            let count = |blocks: &Vec<(_, Vec<Place>)>| -> (usize, usize) {
                let all = blocks.iter().map(|(_, places)| places.len()).sum();
                (all, blocks.first().map_or(0, |(_, places)| places.len()))
            };
            let (all, first) = count(&self.images());
            let name = self
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            work::progress().start((2 * all - first) as u64, &format!("{name}, step 2 of 2"));
        }
        let made = self.reduce().and_then(|()| self.put_together(&fields));
        if is_long {
            work::progress().finish();
        }
        made?;
        let failed = |e| unwritten(&self.path, &e);
        move_beside(self.aside.path(), self.draft.path()).map_err(failed)?;
        // What lies beside it is of no more use, and its room may be.
        let GeoTiff {
            path,
            driver,
            aside,
            draft,
            scratch,
            blocks,
            bands,
            size,
            ..
        } = self;
        drop((blocks, scratch, aside));
        let shape = ((size.1, size.0), bands.len());
        let read = whole::image(draft.path(), &driver, shape);
        draft.checked(read.map_err(|reason| whole::error(&path, &reason)))?;
        Ok(draft)
    }

    fn reduce(&self) -> Result<()> {
        let masked: Vec<bool> = self.bands.iter().map(|band| band.seen().masked).collect();
        let mut masked = masked.as_slice();
        for blocks in &self.blocks {
            let (own, rest) = masked.split_at(blocks.bands());
            blocks.reduce(own, &self.path)?;
            masked = rest;
        }
        Ok(())
    }

    /// The image and its overviews, with the places of all blocks of each, band by band.
    fn images(&self) -> Vec<((usize, usize), Vec<Place>)> {
        let mut all: Vec<((usize, usize), Vec<Place>)> = Vec::new();
        for blocks in &self.blocks {
            for (level, (size, places)) in blocks.images().into_iter().enumerate() {
                match all.get_mut(level) {
                    Some((_, known)) => known.extend(places),
                    None => all.push((size, places)),
                }
            }
        }
        all
    }

    fn put_together(&self, fields: &[tiff::Field]) -> Result<()> {
        let failed = |e: io::Error| unwritten(&self.path, &e);
        let images = self.images();
        let sized = images.iter().map(|(size, blocks)| Image {
            size: *size,
            blocks: blocks.iter().map(|place| place.bytes).collect(),
        });
        let sized: Vec<Image> = sized.collect();
        let Layout { head, tail, .. } = Layout::new(fields, &sized, self.arrangement);
        if self.arrangement == Arrangement::Behind {
            let file = &self.scratch.packed.file;
            let blocks = sized.iter().flat_map(|image| &image.blocks);
            let end = FIRST + blocks.map(|bytes| u64::from(*bytes)).sum::<u64>();
            let written = file.write_all_at(&head, 0);
            return written
                .and_then(|()| file.write_all_at(&tail, end))
                .and_then(|()| file.sync_all())
                .map_err(failed);
        }
        let out = new_file(self.draft.path()).map_err(failed)?;
        let mut out = BufWriter::with_capacity(1 << 20, out);
        out.write_all(&head).map_err(failed)?;
        let (mut block, mut frame) = (Vec::new(), Vec::new());
        for place in images.iter().rev().flat_map(|(_, blocks)| blocks) {
            interrupt::check()?;
            self.scratch.packed.read(*place, &mut block).map_err(failed)?;
            if self.arrangement == Arrangement::Cog {
                frame.clear();
                framed(&block, &mut frame);
                out.write_all(&frame).map_err(failed)?;
            } else {
                out.write_all(&block).map_err(failed)?;
            }
            work::progress().advance(1);
        }
        let out = out.into_inner().map_err(|e| failed(e.into_error()))?;
        // Closing says nothing of what is lost.
        out.sync_all().map_err(failed)
    }
}

/// A new file, which is no link that somebody has put there.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create_new(true)
        .custom_flags(libc::O_NOFOLLOW);
    options.open(path)
}

/// What GDAL keeps beside a file, such as names of classes, goes with it.
fn move_beside(header: &Path, file: &Path) -> io::Result<()> {
    let (Some(from), Some(to)) = (header.parent(), file.parent()) else {
        return Ok(());
    };
    for entry in std::fs::read_dir(from)? {
        let name = entry?.file_name();
        if Some(name.as_os_str()) != header.file_name() {
            std::fs::rename(from.join(&name), to.join(&name))?;
        }
    }
    Ok(())
}

/// Creation options of the GeoTIFF that holds everything but pixels.
fn creation(
    codec: Codec,
    predictor: Predictor,
    dtype: DType,
    side: usize,
    is_cog: bool,
) -> RasterCreationOptions {
    let side = side.to_string();
    let mut list = vec![
        ("TILED", "YES"),
        ("BLOCKXSIZE", &side),
        ("BLOCKYSIZE", &side),
        // A tile of one band is one block of a plain file.
        ("INTERLEAVE", if is_cog { "PIXEL" } else { "BAND" }),
        ("SPARSE_OK", "TRUE"),
        ("BIGTIFF", "YES"),
    ];
    match codec {
        Codec::None => {}
        Codec::Deflate(_) => list.push(("COMPRESS", "DEFLATE")),
        Codec::Zstd(_) => list.push(("COMPRESS", "ZSTD")),
    }
    match predictor {
        // Shuffled are blocks of HDF5 alone.
        Predictor::None | Predictor::Shuffled => {}
        Predictor::Horizontal => list.push(("PREDICTOR", "2")),
        Predictor::Floating => list.push(("PREDICTOR", "3")),
    }
    if dtype == DType::I8 && !has_signed_bytes() {
        list.push(("PIXELTYPE", "SIGNEDBYTE"));
    }
    RasterCreationOptions::from_iter(list.into_iter().map(|(key, value)| format!("{key}={value}")))
}
