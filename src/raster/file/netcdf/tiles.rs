//! A netCDF file that takes an image tile by tile: each band a variable of its own type.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::code::{Seen, stored};
use super::file::{File, Handle};
use super::image::{CHUNK, Layer, clash};
use super::{
    Attribute, CONVENTIONS, Definition, Fill, Header, LEVEL, Storage, begin, check, check_real, check_whole,
};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::raster::file::creation::fill_of;
use crate::raster::file::creation::{check_space, level_of};
use crate::raster::file::write::{Packing, WriteOptions};
use crate::raster::stats::{Moments, TileMoments, stated};
use crate::raster::{Grid, Pixels, Raster, Window, provenance};

pub struct Tiles {
    path: PathBuf,
    grid: Arc<Grid>,
    // Before the draft: fields are dropped in their order, and closing writes.
    open: Mutex<Open>,
    draft: DraftFolder,
    bands: Vec<BandTiles>,
    statistics: bool,
    /// Where all pixels are of one time, the only step of its axis.
    step: Option<u64>,
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

impl Tiles {
    /// A file of the bands of `raster`, in chunks that divide tiles of this size.
    ///
    /// # Errors
    /// What netCDF cannot hold, and options that it has no use for.
    pub fn create(
        raster: &Raster,
        path: &Path,
        options: &WriteOptions,
        tile: (usize, usize),
    ) -> Result<Tiles> {
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
        let opened = open(path, draft.path(), raster, &header, &bands, tile, level);
        Ok(Tiles {
            path: path.to_path_buf(),
            grid: raster.grid.clone(),
            open: Mutex::new(draft.checked(opened)?),
            draft,
            bands,
            statistics: options.statistics,
            step: header.times.map(|_| 0),
        })
    }

    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    pub fn write(&self, index: usize, window: Window, band: usize, pixels: Pixels) -> Result<()> {
        let target = &self.bands[band];
        if self.statistics {
            target.moments.add(index, Moments::of(&pixels));
        }
        let (values, seen) = stored(&target.what, pixels);
        target.seen.lock().unwrap_or_else(|e| e.into_inner()).add(seen);
        let open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        let layer = &open.layers[band];
        self.draft
            .checked(open.file.put_window(layer, self.step, window, &values))
    }

    /// What is known at the end; the answer has everything but its name.
    pub fn finish(self) -> Result<DraftFolder> {
        let Tiles {
            path,
            grid,
            open,
            draft,
            bands,
            statistics,
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
                if statistics && m.count > 0 {
                    late.extend(
                        [
                            ("MINIMUM", m.min),
                            ("MAXIMUM", m.max),
                            ("MEAN", stated(m.mean)),
                            ("STDDEV", stated(m.std())),
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
    tile: (usize, usize),
    level: Option<u32>,
) -> Result<Open> {
    let grid = &raster.grid;
    let (file, dimensions) = begin(path, draft, grid, header)?;
    let mapping = grid.crs.as_ref().map(|_| header.mapping.as_str());
    let layers = bands
        .iter()
        .map(|band| {
            let chunk = chunk((grid.rows, grid.cols), tile, band.what.dtype.bytes());
            let storage = Storage {
                depth: 1,
                chunk,
                level,
            };
            file.layer(&band.what, &dimensions, mapping, storage)
        })
        .collect::<Result<_>>()?;
    Ok(Open {
        layers,
        dimensions,
        file,
    })
}

/// Rows and columns of the chunks of a variable: as many make a tile, so that each is written whole, once.
fn chunk(size: (usize, usize), tile: (usize, usize), bytes: usize) -> (usize, usize) {
    // A tile that is as long as the image need not be divided evenly.
    let part = |size: usize, tile: usize, most: usize| match tile < size {
        true => (tile.div_ceil(most)..=tile)
            .find(|n| tile.is_multiple_of(*n))
            .map_or(1, |n| tile / n),
        false => size.div_ceil(size.div_ceil(most)),
    };
    let rows = part(size.0, tile.0, 512);
    let cols = part(size.1, tile.1, (CHUNK / bytes / rows).max(512));
    (rows, cols)
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
