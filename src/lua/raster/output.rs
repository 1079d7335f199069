//! Raster's methods that compute: write, read, statistics, samples.

use std::path::PathBuf;

use mlua::{Lua, Table, Value};

use super::array::{Array, Held};
use super::values::window;
use crate::error::{Error, Result};
use crate::lua::args::{Args, Options};
use crate::lua::class::Builder;
use crate::lua::geometry::features::zonal_options;
use crate::lua::value::{FromScript, describe};
use crate::lua::access;
use crate::raster::file::write::{WriteOptions, write, write_all};
use crate::raster::{Crs, DType, Property, Raster, Transformer, explain, stats};
use crate::table;
use crate::vector::{Feature, Features, zonal_statistics};

pub fn define(c: &mut Builder<Raster>) {
    c.method("write(path, options?)", |lua, this, args| {
        let path: PathBuf = args.get("path")?;
        let options = args.options(write_options)?;
        write(this, &access(lua).write(&path)?, &options)?;
        Ok(path.display().to_string())
    })
    .method("read(options?)", |lua, this, args| {
        let window = args.options(|o| window(o, &this.grid))?;
        Array::read(lua, this, window)
    })
    .method("chips(centres, size)", chips)
    .method("stats()", |lua, this, _| band_stats(lua, this))
    .method("histogram(options?)", histogram)
    .method("percentile(p)", |lua, this, args| match args.get::<Value>("p")? {
        value @ Value::Table(_) => {
            let found = stats::percentiles(this, &Vec::from_script(&value, "p")?)?;
            Ok(Value::Table(lua.create_sequence_from(found)?))
        }
        value => {
            let found = stats::percentiles(this, &[f64::from_script(&value, "p")?])?;
            Ok(Value::Number(found[0]))
        }
    })
    .method("sample(points, options?)", sample)
    .method("zonal(features, options?)", |_, this, args| {
        let features: Features = args.get("features")?;
        zonal_statistics(this, &features, &args.options(zonal_options)?)
    })
    .method("explain()", |_, this, _| explain::explain(this));
}

/// The options of `write`.
pub fn write_options(o: &Options) -> Result<WriteOptions> {
    let default = WriteOptions::default();
    Ok(WriteOptions {
        format: o.get("format")?,
        compress: o.get_or("compress", default.compress)?,
        predictor: o.get_or("predictor", default.predictor)?,
        overviews: o.get_or("overviews", default.overviews)?,
        overview_resampling: o
            .choice("overview_resampling", OVERVIEW_METHODS)?
            .map_or(default.overview_resampling, str::to_string),
        statistics: o.get_or("statistics", default.statistics)?,
        dtype: o.get::<DType>("dtype")?,
        nodata: o.get("nodata")?,
        tags: tags(o)?,
    })
}

/// `raster:chips(centres, size)`
fn chips(lua: &Lua, this: &Raster, args: &Args) -> Result<Raster> {
    let size: Value = args.get("size")?;
    let whole = |n: &usize| (1..=65_536).contains(n);
    let [rows, cols] = match usize::accept(&size) {
        Some(side) => [side; 2],
        None => <[usize; 2]>::from_script(&size, "size")?,
    };
    if !whole(&rows) || !whole(&cols) {
        return Err(Error::argument("size", "from 1 to 65536 pixels, or { rows, cols } of such", format!("{rows} × {cols}")));
    }
    let centres: Vec<Table> = args.get("centres")?;
    let mut corners = Vec::with_capacity(centres.len());
    for (i, centre) in centres.iter().enumerate() {
        let part = |position: usize, name: &str| -> Result<isize> {
            let value = match centre.raw_get::<Value>(position)? {
                Value::Nil => centre.raw_get::<Value>(name)?,
                value => value,
            };
            Ok(i64::from_script(&value, &format!("{name} of centres[{}]", i + 1))? as isize)
        };
        corners.push((part(2, "y")? - (rows / 2) as isize, part(1, "x")? - (cols / 2) as isize));
    }
    let pixel: usize = this.bands.iter().map(|b| b.kind().bytes()).sum();
    let bytes = corners.len().saturating_mul(rows).saturating_mul(cols).saturating_mul(2 * pixel);
    let _held = Held::reserve(lua, bytes, || format!("{} chips of {rows} × {cols} (rows × cols)", corners.len()))?;
    crate::raster::chips::chips(this, &corners, rows, cols)
}

/// What every GDAL from 3.6 on can make overviews with.
const OVERVIEW_METHODS: &[&str] = &[
    "average", "nearest", "mode", "bilinear", "cubic", "cubicspline", "lanczos", "gauss", "rms",
];

fn tags(o: &Options) -> Result<Vec<(String, String)>> {
    let mut tags = Vec::new();
    if let Some(table) = o.get::<Table>("tags")? {
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            let key = String::from_script(&key, "each name in tags")?;
            let value = Property::from_script(&value, &format!("tags.{key}"))?;
            tags.push((key, value.to_string()));
        }
    }
    tags.sort();
    Ok(tags)
}

/// `raster.write_all{ { image, path, options }, … }`
pub fn write_many(lua: &Lua, args: &Args) -> Result<Vec<String>> {
    let list: Vec<Table> = args.get("jobs")?;
    let (mut jobs, mut shown) = (Vec::new(), Vec::new());
    for (i, job) in list.iter().enumerate() {
        let name = |part: &str| format!("jobs[{}]: {part}", i + 1);
        let raster = Raster::from_script(&job.raw_get::<Value>(1)?, &name("the image"))?;
        let path = PathBuf::from_script(&job.raw_get::<Value>(2)?, &name("the path"))?;
        let options: Value = job.raw_get(3)?;
        let options = Options::read(&options, "options", write_options)?;
        if job.raw_len() > 3 || job.pairs::<Value, Value>().count() != job.raw_len() {
            return Err(Error::argument(
                format!("jobs[{}]", i + 1),
                "{ image, path, options }",
                describe(&Value::Table(job.clone())),
            ));
        }
        shown.push(path.display().to_string());
        jobs.push((raster, access(lua).write(&path)?, options));
    }
    write_all(&jobs)?;
    Ok(shown)
}

fn band_stats(lua: &Lua, raster: &Raster) -> Result<Table> {
    let found = stats::stats(raster)?;
    let bands = lua.create_table()?;
    for (band, moments) in raster.bands.iter().zip(&found) {
        let table = lua.create_table()?;
        table.raw_set("count", moments.count)?;
        if moments.count > 0 {
            table.raw_set("min", moments.min)?;
            table.raw_set("max", moments.max)?;
            table.raw_set("mean", moments.mean)?;
            table.raw_set("std", moments.std())?;
        }
        bands.raw_set(band.name.as_str(), table)?;
    }
    Ok(bands)
}

fn histogram(lua: &Lua, this: &Raster, args: &Args) -> Result<Table> {
    let (bins, min, max) = args.options(|o| {
        Ok((o.count("bins")?.unwrap_or(256), o.get::<f64>("min")?, o.get::<f64>("max")?))
    })?;
    let range = match (min, max) {
        (None, None) => None,
        (Some(min), Some(max)) => Some((min, max)),
        _ => return Err(Error::message("give both min and max, or neither")),
    };
    let found = stats::histogram(this, bins, range)?;
    let width = (found.high - found.low) / bins as f64;
    let table = lua.create_table()?;
    table.raw_set("min", found.low)?;
    table.raw_set("max", found.high)?;
    table.raw_set("below", found.below)?;
    table.raw_set("above", found.above)?;
    let edges = (0..=bins).map(|i| if i == bins { found.high } else { found.low + i as f64 * width });
    table.raw_set("edges", lua.create_sequence_from(edges)?)?;
    table.raw_set("counts", lua.create_sequence_from(found.counts)?)?;
    Ok(table)
}

/// Places on the map, with what came with them.
pub struct Points {
    pub places: Vec<Place>,
    crs: Option<Crs>,
}

pub struct Place {
    x: f64,
    y: f64,
    /// What else was said of it.
    extra: Vec<(String, table::Value)>,
}

impl Place {
    /// The first cells of a row about it: its names, then its coordinates.
    pub fn cells(&self) -> impl Iterator<Item = (String, table::Value)> {
        let place = [("x", self.x), ("y", self.y)];
        let place = place.map(|(name, v)| (name.to_string(), table::Value::Float(v)));
        self.extra.iter().cloned().chain(place)
    }
}

impl Points {
    /// The argument `points` and the option `crs`.
    pub fn read(args: &Args) -> Result<Points> {
        let crs = args.options(|o| o.get::<Crs>("crs"))?;
        let value: Value = args.get("points")?;
        if let Some(features) = Features::accept(&value) {
            let crs = features.crs.clone().or(crs);
            return Ok(Points {
                places: feature_places(&features)?,
                crs,
            });
        }
        let list = Vec::<Table>::from_script(&value, "points").map_err(|_| {
            Error::argument(
                "points",
                "a list of { x, y } or { x = …, y = …, … }, or Features of points",
                describe(&value),
            )
        })?;
        let mut places = Vec::with_capacity(list.len());
        for (i, point) in list.iter().enumerate() {
            let part = |position: i64, name: &str| {
                let value = match point.raw_get::<Value>(position)? {
                    Value::Nil => point.raw_get::<Value>(name)?,
                    value => value,
                };
                f64::from_script(&value, &format!("points[{}].{name}", i + 1))
            };
            places.push(Place {
                x: part(1, "x")?,
                y: part(2, "y")?,
                extra: named_cells(point)?,
            });
        }
        Ok(Points { places, crs })
    }

    /// One row for each point, one value for each band.
    pub fn sample(&self, raster: &Raster) -> Result<Vec<Vec<f64>>> {
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = self.places.iter().map(|p| (p.x, p.y)).unzip();
        // Of an image that is placed by control points or the like, coordinates are those of the map.
        let stated = self.crs.as_ref().or(raster.grid.crs.as_ref().map(Crs::on_map));
        if let Some(crs) = stated
            && crs != raster.crs()?
        {
            Transformer::new(crs, raster.crs()?)?.apply(&mut xs, &mut ys);
        }
        let points: Vec<(f64, f64)> = xs.into_iter().zip(ys).collect();
        stats::sample(raster, &points)
    }
}

/// Points with the features' properties.
fn feature_places(features: &Features) -> Result<Vec<Place>> {
    let points = features.points()?;
    if points.len() != features.len() {
        return Err(Error::argument(
            "points",
            "features of one point each",
            format!("{} features of {} points", features.len(), points.len()),
        ));
    }
    let place = |(feature, (x, y)): (&Feature, (f64, f64))| Place {
        x,
        y,
        extra: feature
            .properties
            .iter()
            .filter(|(name, _)| *name != "x" && *name != "y")
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect(),
    };
    Ok(features.features.iter().zip(points).map(place).collect())
}

/// What a point has beside its coordinates, by name.
fn named_cells(point: &Table) -> Result<Vec<(String, table::Value)>> {
    let mut cells = Vec::new();
    for pair in point.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if let Some(name) = key.as_string().map(|s| s.to_string_lossy())
            && name != "x"
            && name != "y"
        {
            let value = table::Value::from_script(&value, &name)?;
            cells.push((name, value));
        }
    }
    cells.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(cells)
}

fn sample(_: &Lua, this: &Raster, args: &Args) -> Result<table::Table> {
    let points = Points::read(args)?;
    let values = points.sample(this)?;
    let rows = points.places.iter().zip(values).map(|(place, values)| {
        let bands = this.bands.iter().map(|b| b.name.clone());
        let values = bands.zip(values.into_iter().map(table::Value::Float));
        place.cells().chain(values).collect()
    });
    table::Table::from_rows(rows)
}
