//! A netCDF file that takes an image tile by tile: each band a variable of its own type. Chunks are compressed as tiles come, on the threads that compute
//! these, and put into the file in their order.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::code::Seen;
use super::file::{File, Handle};
use super::image::{Layer, clash};
use super::{
    Attribute, CONVENTIONS, Definition, Fill, Header, LEVEL, Storage, begin, check, check_real, check_whole,
};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::raster::file::blocks::{
    Blocks, Encoder, Method, Packed, Plan, SIDE, Scratch, blocks_of, suited, unwritten,
};
use crate::raster::file::creation::fill_of;
use crate::raster::file::creation::{check_space, level_of};
use crate::raster::file::write::{Packing, WriteOptions};
use crate::raster::stats::{Moments, TileMoments};
use crate::raster::{Grid, Pixels, Raster, Window, provenance};
use crate::work::{self, Held};

pub struct Tiles {
    path: PathBuf,
    grid: Arc<Grid>,
    // Before the draft: fields are dropped in their order, and closing writes.
    open: Mutex<Open>,
    draft: DraftFolder,
    bands: Vec<BandTiles>,
    /// As many as bands.
    waiting: Vec<Waiting>,
    statistics: bool,
    /// Whether all pixels are of one time, the only step of its axis.
    has_time: bool,
    _held: Held,
}

struct Open {
    // Before the file that they belong to.
    layers: Vec<Layer>,
    dimensions: Vec<Handle>,
    file: File,
}

struct BandTiles {
    what: Definition,
    moments: TileMoments,
    seen: Mutex<Seen>,
}

/// Blocks of a band that have come, and where they wait.
struct Waiting {
    blocks: Box<dyn Blocks>,
    scratch: Arc<Scratch>,
}

impl Tiles {
    /// A file of the bands of `raster`.
    ///
    /// # Errors
    /// What netCDF cannot hold, and options that it has no use for.
    pub fn create(raster: &Raster, path: &Path, options: &WriteOptions) -> Result<Tiles> {
        check_options(options)?;
        let level = match options.compress.to_lowercase().as_str() {
            "none" => None,
            _ => Some(options.level.unwrap_or(LEVEL)),
        };
        let mut bands = Vec::with_capacity(raster.bands.len());
        let mut bytes = 0;
        for band in &raster.bands {
            let dtype = options.dtype.unwrap_or(band.dtype);
            check_real(band, dtype)?;
            let (fill, declared) = fill_of(band.nodata, dtype, options)?;
            let unit = band.unit.symbol();
            let mut attributes = Vec::new();
            if !unit.is_empty() {
                attributes.push(("units".to_string(), Attribute::Text(unit.to_string())));
            }
            attributes.extend(options.packing.into_iter().flat_map(Packing::said));
            bytes += raster.grid.window().len() as u64 * dtype.bytes() as u64;
            bands.push(BandTiles {
                what: Definition {
                    name: band.name.clone(),
                    dtype,
                    fill: if declared {
                        Fill::Given(fill)
                    } else {
                        Fill::Spare(fill)
                    },
                    // What comes here is packed.
                    packing: None,
                    attributes,
                },
                moments: TileMoments::default(),
                seen: Mutex::default(),
            });
        }
        if bands.is_empty() {
            return Err(Error::argument(
                "raster",
                "an image with bands",
                "one without any",
            ));
        }
        check_space(path, bytes, options)?;
        let header = header(raster, path, options);
        let definitions: Vec<&Definition> = bands.iter().map(|band| &band.what).collect();
        check(&raster.grid, &header, &definitions)?;
        let draft = DraftFolder::new(path)?;
        let opened = draft.checked(open(path, draft.path(), raster, &header, &bands, level))?;
        let waiting = waiting(&opened.file, &raster.grid, &bands, level.unwrap_or_default());
        let widest = bands
            .iter()
            .map(|band| band.what.dtype.bytes())
            .max()
            .unwrap_or(1);
        Ok(Tiles {
            path: path.to_path_buf(),
            grid: raster.grid.clone(),
            waiting: draft.checked(waiting.map_err(|e| unwritten(path, &e)))?,
            open: Mutex::new(opened),
            draft,
            bands,
            statistics: options.statistics,
            has_time: header.times.is_some(),
            // A block of each thread, what is made of it, and what it is compressed into.
            _held: Held::hold(3 * SIDE * SIDE * widest * work::threads()),
        })
    }

    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Takes the pixels of a band in a tile, from any thread.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn write(&self, window: Window, band: usize, pixels: Pixels) -> Result<()> {
        let target = &self.bands[band];
        if self.statistics {
            target.moments.add(&Moments::of(&pixels));
        }
        let pixels = suited(pixels, target.what.dtype);
        let seen = self.waiting[band].blocks.take(window, vec![pixels]);
        let seen = seen.map_err(|e| unwritten(&self.path, &e))?;
        let mut all = target.seen.lock().unwrap_or_else(|e| e.into_inner());
        seen.into_iter().for_each(|part| all.add(part));
        Ok(())
    }

    /// What is known at the end; the answer has everything but its name.
    pub fn finish(self) -> Result<DraftFolder> {
        let Tiles {
            path,
            grid,
            open,
            draft,
            bands,
            waiting,
            statistics,
            has_time,
            ..
        } = self;
        let open = open.into_inner().unwrap_or_else(|e| e.into_inner());
        let closed = (|| {
            for (band, layer) in bands.iter().zip(&open.layers) {
                let (what, seen) = (&band.what, *band.seen.lock().unwrap_or_else(|e| e.into_inner()));
                if seen.masked && seen.clashes > 0 {
                    return Err(clash(&path, what, seen, "nodata"));
                }
                let mut late = Vec::new();
                if let (Fill::Spare(fill), true) = (what.fill, seen.masked) {
                    late.push(("missing_value".to_string(), Attribute::Own(fill)));
                }
                let m = band.moments.total();
                if statistics && m.count() > 0 {
                    late.extend(
                        [
                            ("MINIMUM", m.min()),
                            ("MAXIMUM", m.max()),
                            ("MEAN", m.mean()),
                            ("STDDEV", m.std()),
                        ]
                        .map(|(key, value)| (format!("STATISTICS_{key}"), Attribute::Number(value))),
                    );
                }
                open.file.add_attributes(layer, what.dtype, &late)?;
            }
            let Open {
                layers,
                dimensions,
                mut file,
            } = open;
            drop((layers, dimensions));
            for (band, Waiting { blocks, scratch }) in bands.iter().zip(&waiting) {
                for ((_, cols), places) in blocks.images() {
                    let columns = cols.div_ceil(SIDE);
                    let start = |i: usize| [0, i / columns * SIDE, i % columns * SIDE];
                    let chunks = places.into_iter().enumerate();
                    let chunks = chunks.map(|(i, place)| (start(i), place));
                    file.put_chunks(&band.what.name, has_time, &scratch.packed, chunks)?;
                }
            }
            file.finish()
        })();
        draft.checked(closed)?;
        let names = bands.iter().map(|band| band.what.name.as_str());
        draft.checked(check_whole(&path, draft.path(), &grid, names))?;
        Ok(draft)
    }
}

fn open(
    path: &Path,
    draft: &Path,
    raster: &Raster,
    header: &Header,
    bands: &[BandTiles],
    level: Option<u32>,
) -> Result<Open> {
    let grid = &raster.grid;
    let (file, dimensions) = begin(path, draft, grid, header)?;
    let mapping = grid.crs.as_ref().map(|_| header.mapping.as_str());
    let storage = Storage {
        depth: 1,
        chunk: chunk(grid),
        level,
    };
    let layers = bands
        .iter()
        .map(|band| file.layer(&band.what, &dimensions, mapping, storage))
        .collect::<Result<_>>()?;
    Ok(Open {
        layers,
        dimensions,
        file,
    })
}

/// Rows and columns of a chunk, which are no more than the image has.
fn chunk(grid: &Grid) -> (usize, usize) {
    (grid.rows.min(SIDE), grid.cols.min(SIDE))
}

/// Where blocks of each band wait, encoded as the library of this file wants them.
fn waiting(file: &File, grid: &Grid, bands: &[BandTiles], level: u32) -> io::Result<Vec<Waiting>> {
    file.synchronise()?;
    let folder = file.draft.parent().unwrap_or(Path::new("."));
    let plan = Plan {
        sizes: vec![(grid.rows, grid.cols)],
        side: SIDE,
        method: Method::Nearest,
    };
    // Blocks of pixels of one width share their scratch files.
    let mut scratches: BTreeMap<usize, Arc<Scratch>> = BTreeMap::new();
    let of = |(number, band): (usize, &BandTiles)| {
        let (what, width) = (&band.what, band.what.dtype.bytes());
        let (codec, predictor) = file.encoding(&what.name, level)?;
        let encoder = Encoder::new(codec, predictor, width, 1, SIDE).keeping(chunk(grid));
        let scratch = match scratches.get(&width) {
            Some(known) => Arc::clone(known),
            None => {
                let packed = Packed::new(tempfile::tempfile_in(folder)?);
                let made = Arc::new(Scratch::new(folder, packed, SIDE, width)?);
                scratches.insert(width, Arc::clone(&made));
                made
            }
        };
        let fill = (what.fill.value(), matches!(what.fill, Fill::Given(_)));
        let blocks = blocks_of(what.dtype, &plan, encoder, (number, None), &[fill], &scratch)?;
        Ok(Waiting { blocks, scratch })
    };
    bands.iter().enumerate().map(of).collect()
}

/// Options of other formats are errors: what was asked for would not be there.
fn check_options(options: &WriteOptions) -> Result<()> {
    let compress = options.compress.to_lowercase();
    if !matches!(compress.as_str(), "deflate" | "none") {
        return Err(Error::argument(
            "compress",
            "`deflate` or `none` in a netCDF file",
            format!("`{}`", options.compress),
        ));
    }
    level_of(options)?;
    if let Some(predictor) = options.predictor {
        return Err(Error::argument(
            "predictor",
            "left out: netCDF shuffles bytes before it deflates them, and has no other",
            predictor,
        ));
    }
    let none = "left out: a netCDF file has no overviews (a COG has)";
    if options.overviews {
        return Err(Error::argument("overviews", none, true));
    }
    if let Some(method) = &options.overview_resampling {
        return Err(Error::argument("overview_resampling", none, method));
    }
    Ok(())
}

fn header(raster: &Raster, path: &Path, options: &WriteOptions) -> Header {
    let own = provenance::tags(path, std::slice::from_ref(raster));
    // A tag of an image that this one was made of does not stand for its own.
    let others = options
        .tags
        .iter()
        .filter(|(key, _)| own.iter().all(|(name, _)| name != key))
        .cloned();
    let others: Vec<_> = others.collect();
    let tags = own
        .into_iter()
        .chain(others)
        .map(|(key, value)| (key, Attribute::Text(value)));
    let mut attributes: Vec<_> = tags.collect();
    if !attributes.iter().any(|(key, _)| key == "Conventions") {
        attributes.insert(
            0,
            (
                "Conventions".to_string(),
                Attribute::Text(CONVENTIONS.to_string()),
            ),
        );
    }
    Header {
        times: raster.time.map(|time| vec![time]),
        records: Vec::new(),
        attributes,
        mapping: "spatial_ref".to_string(),
    }
}
