//! The regions of an image as features, in memory or to a file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::labels::{Areas, Labels, Sums};
use super::outline::{Drawing, Placement};
use super::rings::Tracer;
use super::scan::Scan;
use super::{Region, Visit};
use crate::error::{Error, Remedy, Result, counted};
use crate::interrupt;
use crate::raster::execute::Run;
use crate::raster::{Pixels, Raster, Window};
use crate::table::{ColumnType, Value};
use crate::vector::stream::{Drawn, Schema, write_stream};
use crate::vector::{Feature, Features, Properties, WriteOptions};
use crate::work::{self, Held};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolygonizeOptions {
    /// Pixels that meet in a corner are one region (8-connected), not only those that share an edge (4-connected).
    pub by_corners: bool,
    /// The classes wanted, with the names of some; None for all.
    pub classes: Option<Vec<(i64, Option<String>)>>,
    /// Smaller regions are left out: m² (square units of images without CRS), and pixels.
    pub minimum_area: f64,
    pub minimum_pixels: u64,
    /// Corners go whose triangle with their neighbours has at most the area of a square of this side, in units of the CRS.
    pub simplify: Option<f64>,
}

/// Polygons may take this share of the memory ceiling, and the borders of regions that are not whole yet another.
const SHARE: usize = 2;

/// The connected regions of an image of one band of whole numbers as polygons, in the order of their first pixels, by rows. The
/// corners are those of pixels; masked pixels belong to no region.
///
/// Of 8-connected regions, parts that meet in corners alone become the polygons of a MultiPolygon: all geometries are valid by OGC
/// 06-103r4. Simplified ones are, too, and neighbours keep their common borders.
///
/// Properties: `class`, `class_name` where names are given, `pixels`, `area_m2` (of the pixels: on the WGS 84 ellipsoid in longitude and
/// latitude, else in the plane of the CRS; `area` without one), `VV_mean` for each band of `means` (of its valid pixels), and `time`,
/// where the image has one.
///
/// # Errors
/// An image of several bands, or placed by control points; values that are not whole numbers; means on another grid; polygons that do not
/// fit the memory ceiling; what computing the image fails with; `Interrupted`.
pub fn polygonize(raster: &Raster, means: Option<&Raster>, options: &PolygonizeOptions) -> Result<Features> {
    let tracing = Tracing::new(raster, means, options)?;
    let placement = Placement::new(&raster.grid, options.simplify.is_some());
    let mut tracer = Tracer::default();
    let (mut firsts, mut found) = (Vec::new(), Vec::new());
    let (mut bytes, most) = (0, work::memory() / SHARE);
    let mut held = Held::hold(0);
    let around = size_of::<(u32, u32)>()
        + size_of::<Feature>()
        + tracing.fields.len() * size_of::<(Arc<str>, Value)>();
    let check = |bytes: usize| match bytes > most {
        true => Err(Error::message(format!(
            "the polygons take more than {} MiB, which is what the memory ceiling leaves them; {}, leave small ones out \
             (minimum_area) or give perilune more (--memory)",
            most >> 20,
            Remedy::StreamPolygons
        ))),
        false => Ok(()),
    };
    tracing.run(&mut |region, values| {
        check(bytes + placement.large_bytes(&region, &mut tracer))?;
        let (shape, size) = placement.shape(&region, &mut tracer);
        bytes += around + size;
        check(bytes)?;
        if bytes > held.bytes() + (1 << 24) {
            held = Held::hold(bytes);
        }
        let names = tracing.fields.iter().map(|(name, _)| name.clone());
        let properties = Properties::of(names.zip(values.drain(..)).collect());
        firsts.push(region.first);
        found.push(Feature::new(Some(shape), properties));
        Ok(())
    })?;
    // No two regions have one first pixel.
    let mut order: Vec<((u32, u32), u32)> = firsts.into_iter().zip(0..).collect();
    order.sort_unstable();
    arrange(
        &mut found,
        order.into_iter().map(|(_, from)| from as usize).collect(),
    );
    Ok(Features::new(found, raster.grid.crs.clone()))
}

/// Puts at each place what is at the place that `from` has there, without a second list.
fn arrange<T>(list: &mut [T], mut from: Vec<usize>) {
    for start in 0..list.len() {
        let mut at = start;
        while from[at] != start {
            let next = std::mem::replace(&mut from[at], at);
            list.swap(at, next);
            at = next;
        }
        from[at] = at;
    }
}

/// As `polygonize`, each written as soon as its last row is past, in that order: memory is bounded by what is still open. The number of
/// polygons.
///
/// # Errors
/// As `polygonize`; as `Features::write`.
pub fn write_polygons(
    raster: &Raster,
    means: Option<&Raster>,
    options: &PolygonizeOptions,
    path: &Path,
    write: &WriteOptions,
) -> Result<u64> {
    let tracing = Tracing::new(raster, means, options)?;
    let placement = Placement::new(&raster.grid, options.simplify.is_some());
    let schema = Schema {
        fields: tracing.fields.clone(),
        is_multi: options.by_corners,
        crs: raster.grid.crs.clone(),
    };
    let mut count = 0;
    write_stream(path, &schema, write, |take| {
        tracing.run(&mut |region, values| {
            count += 1;
            take(Drawn {
                outline: Box::new(Drawing::new(region, &placement)),
                values: std::mem::take(values),
            })
        })
    })?;
    Ok(count)
}

struct Tracing<'a> {
    raster: &'a Raster,
    means: usize,
    /// Names and types of the properties.
    fields: Vec<(Arc<str>, ColumnType)>,
    has_names: bool,
    /// The image's band, then those of the means.
    all: Raster,
    options: &'a PolygonizeOptions,
}

impl<'a> Tracing<'a> {
    fn new(
        raster: &'a Raster,
        means: Option<&Raster>,
        options: &'a PolygonizeOptions,
    ) -> Result<Tracing<'a>> {
        raster.only_band("the image")?;
        if raster
            .grid
            .crs
            .as_ref()
            .is_some_and(|crs| crs.locator().is_some())
        {
            return Err(Error::message(format!(
                "polygons need pixels on a grid of a CRS, and control points place this image; {}",
                Remedy::Reproject
            )));
        }
        let mut bands = raster.bands.clone();
        if let Some(means) = means {
            raster.check_grid(means)?;
            bands.extend(means.bands.iter().cloned());
        }
        let mut classes = options.classes.iter().flatten();
        let has_names = classes.any(|(_, name)| name.is_some());
        let means = means.map_or(Vec::new(), Raster::band_names);
        let area = if raster.grid.crs.is_some() {
            "area_m2"
        } else {
            "area"
        };
        let mut fields: Vec<(Arc<str>, ColumnType)> = vec![("class".into(), ColumnType::Integer)];
        fields.extend(has_names.then(|| (Arc::from("class_name"), ColumnType::Text)));
        fields.push(("pixels".into(), ColumnType::Integer));
        fields.push((area.into(), ColumnType::Float));
        fields.extend(
            means
                .iter()
                .map(|name| (Arc::from(format!("{name}_mean")), ColumnType::Float)),
        );
        fields.extend(raster.time.map(|_| (Arc::from("time"), ColumnType::Time)));
        Ok(Tracing {
            raster,
            means: means.len(),
            fields,
            has_names,
            all: raster.with_bands(bands),
            options,
        })
    }

    /// Calls `take` with each region and its properties, in the order in which they end.
    fn run(&self, take: &mut Take<'_>) -> Result<()> {
        let grid = &self.raster.grid;
        let run = Run::prepare(grid, &self.all.ports(), grid.window())?;
        let t = &grid.transform;
        let pixel = (t.dx * t.dy - t.rx * t.ry).abs();
        let area = self.options.simplify.map(|side| side * side / pixel);
        let rows = Rows {
            tracing: self,
            labels: Labels::new(self.options.classes.clone()),
            areas: Areas::new(grid),
            scan: Scan::new(grid.cols, self.options.by_corners, area),
            waiting: BTreeMap::new(),
            next: 0,
            held: Held::hold(0),
            values: Vec::new(),
            take,
        };
        let rows = Mutex::new(rows);
        run.for_each("polygons", &|_, window, pixels| {
            let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
            rows.tile(window, pixels)
        })?;
        rows.into_inner().unwrap_or_else(PoisonError::into_inner).finish()
    }
}

type Take<'a> = dyn FnMut(Region<Sums>, &mut Vec<Value>) -> Result<()> + Send + 'a;

/// Tiles in any order made rows in theirs.
struct Rows<'a> {
    tracing: &'a Tracing<'a>,
    labels: Labels,
    areas: Areas,
    scan: Scan<Sums>,
    /// Rows of tiles that are not whole, or come after one that is not, by their first row: tiles by their first column.
    waiting: BTreeMap<usize, BTreeMap<usize, (Window, Vec<Pixels>)>>,
    next: usize,
    held: Held,
    /// Of the properties of a region; of each the room is used again.
    values: Vec<Value>,
    take: &'a mut Take<'a>,
}

impl Rows<'_> {
    fn tile(&mut self, window: Window, pixels: Vec<Pixels>) -> Result<()> {
        let tiles = self.waiting.entry(window.row as usize).or_default();
        tiles.insert(window.col as usize, (window, pixels));
        let cols = self.tracing.raster.grid.cols;
        while let Some(tiles) = self.waiting.get(&self.next)
            && tiles.values().map(|(window, _)| window.cols).sum::<usize>() == cols
        {
            let tiles = self.waiting.remove(&self.next).unwrap_or_default();
            let tiles: Vec<(Window, Vec<Pixels>)> = tiles.into_values().collect();
            self.rows(&tiles)?;
            self.next += tiles.first().map_or(0, |(window, _)| window.rows);
        }
        Ok(())
    }

    /// A row of tiles.
    fn rows(&mut self, tiles: &[(Window, Vec<Pixels>)]) -> Result<()> {
        let height = tiles.first().map_or(0, |(window, _)| window.rows);
        let mut labels = Vec::new();
        for row in 0..height {
            interrupt::check()?;
            let at = self.next + row;
            labels.clear();
            for (window, pixels) in tiles {
                self.labels
                    .row(&pixels[0], row, (at, window.col as usize), &mut labels)?;
            }
            let mut visitor = Visitor {
                tracing: self.tracing,
                labels: &self.labels,
                areas: self.areas.row(at)?,
                tiles,
                row,
                values: &mut self.values,
                take: self.take,
            };
            self.scan.row(&labels, &mut visitor)?;
        }
        let bytes = self.scan.bytes();
        if bytes > work::memory() / SHARE {
            return Err(Error::message(format!(
                "row {}: the borders of regions that are not whole yet take {} MiB, more than the memory ceiling leaves them; sieve or filter \
                 the classes first, polygonize parts of the image, or give perilune more (--memory)",
                self.next + height,
                bytes >> 20
            )));
        }
        self.held = Held::hold(bytes);
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        let mut visitor = Visitor {
            tracing: self.tracing,
            labels: &self.labels,
            areas: &[],
            tiles: &[],
            row: 0,
            values: &mut self.values,
            take: self.take,
        };
        self.scan.finish(&mut visitor)
    }
}

struct Visitor<'a, 'b> {
    tracing: &'a Tracing<'a>,
    labels: &'a Labels,
    areas: &'a [f64],
    tiles: &'a [(Window, Vec<Pixels>)],
    /// Of the tiles.
    row: usize,
    values: &'a mut Vec<Value>,
    take: &'a mut Take<'b>,
}

impl Visit<Sums> for Visitor<'_, '_> {
    fn add(&mut self, sums: &mut Sums, cols: Range<usize>) {
        sums.pixels += cols.len() as u64;
        sums.area += match self.areas {
            [all] => all * cols.len() as f64,
            each => each[cols.clone()].iter().sum(),
        };
        let bands = self.tracing.means;
        if bands == 0 {
            return;
        }
        sums.bands.resize(bands, (0.0, 0));
        for (window, pixels) in self.tiles {
            let first = cols.start.max(window.col as usize);
            let end = cols.end.min(window.col_end() as usize);
            if first < end {
                let part = first - window.col as usize..end - window.col as usize;
                for (to, pixels) in sums.bands.iter_mut().zip(&pixels[1..]) {
                    add_valid(to, pixels, self.row, part.clone());
                }
            }
        }
    }

    fn is_wanted(&mut self, sums: &Sums) -> bool {
        let options = self.tracing.options;
        sums.pixels >= options.minimum_pixels && sums.area >= options.minimum_area
    }

    fn take(&mut self, region: Region<Sums>) -> Result<()> {
        // Places of arcs are numbers of four bytes.
        if region.parts().any(|arcs| arcs.len() > u32::MAX as usize) {
            return Err(Error::message(format!(
                "the borders of a polygon of {} take more than 4 GiB; sieve or filter the classes first, or leave its class out",
                counted(region.tally.pixels as usize, "pixel")
            )));
        }
        self.describe(&region);
        (self.take)(region, self.values)
    }
}

impl Visitor<'_, '_> {
    /// The values of its properties.
    fn describe(&mut self, region: &Region<Sums>) {
        let (tracing, sums) = (self.tracing, &region.tally);
        let class = self.labels.value(region.label);
        let values = &mut *self.values;
        values.clear();
        values.reserve(tracing.fields.len());
        values.push(i64::try_from(class).map_or(Value::Float(class as f64), Value::Integer));
        if tracing.has_names {
            let name = self.labels.name(region.label).map(str::to_string);
            values.push(name.map_or(Value::Missing, Value::Text));
        }
        values.push(Value::Integer(sums.pixels as i64));
        values.push(Value::Float(sums.area));
        values.extend(sums.bands.iter().map(|&(sum, count)| match count {
            0 => Value::Missing,
            count => Value::Float(sum / count as f64),
        }));
        values.extend(tracing.raster.time.map(Value::Time));
    }
}

fn add_valid((sum, count): &mut (f64, u64), pixels: &Pixels, row: usize, cols: Range<usize>) {
    let mut add = |value: f64| {
        if value.is_finite() {
            *sum += value;
            *count += 1;
        }
    };
    match pixels {
        Pixels::F32(a) => cols.for_each(|col| add(a[(row, col)].into())),
        Pixels::F64(a) => cols.for_each(|col| add(a[(row, col)])),
        Pixels::I128(a) => cols.for_each(|col| add(crate::raster::tile::integer_to_f64(a[(row, col)]))),
        Pixels::C32(a) => cols.for_each(|col| add(a[(row, col)].norm().into())),
    }
}
