//! Raster's methods that compute: write, read, statistics, samples.

use std::path::PathBuf;

use mlua::{IntoLua, Lua, Table, Value};

use super::array::Array;
use super::values::window;
use crate::error::{Error, Result};
use crate::lua::args::{Args, Options};
use crate::lua::class::Builder;
use crate::lua::value::{FromScript, describe};
use crate::lua::access;
use crate::raster::file::write::{WriteOptions, write, write_all};
use crate::raster::{Crs, DType, Property, Raster, Transformer, explain, stats};
use crate::table;

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
        let list: Vec<Table> = args.get("points")?;
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
        let crs = args.options(|o| o.get::<Crs>("crs"))?;
        Ok(Points { places, crs })
    }

    /// One row for each point, one value for each band.
    pub fn sample(&self, raster: &Raster) -> Result<Vec<Vec<f64>>> {
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = self.places.iter().map(|p| (p.x, p.y)).unzip();
        if let Some(crs) = &self.crs
            && crs != raster.crs()?
        {
            Transformer::new(crs, raster.crs()?)?.apply(&mut xs, &mut ys);
        }
        let points: Vec<(f64, f64)> = xs.into_iter().zip(ys).collect();
        stats::sample(raster, &points)
    }
}

/// What a point has beside its coordinates, by name.
fn named_cells(point: &Table) -> Result<Vec<(String, table::Value)>> {
    let mut cells = Vec::new();
    for pair in point.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Some(name) = key.as_string().map(|s| s.to_string_lossy()) else {
            continue;
        };
        if name != "x" && name != "y" {
            let value = match Property::from_script(&value, &name)? {
                Property::Number(v) => table::Value::Float(v),
                Property::Integer(v) => table::Value::Integer(v),
                Property::Boolean(v) => table::Value::Bool(v),
                Property::Text(v) => table::Value::Text(v),
            };
            cells.push((name, value));
        }
    }
    cells.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(cells)
}

fn sample(lua: &Lua, this: &Raster, args: &Args) -> Result<Value> {
    let points = Points::read(args)?;
    let values = points.sample(this)?;
    let rows = points.places.iter().zip(values).map(|(place, values)| {
        let bands = this.bands.iter().map(|b| b.name.clone());
        let values = bands.zip(values.into_iter().map(table::Value::Float));
        place.cells().chain(values).collect()
    });
    table_value(lua, table::Table::from_rows(rows)?)
}

/// A table as scripts see it: a list of rows, what is missing left out.
pub fn table_value(lua: &Lua, table: table::Table) -> Result<Value> {
    let list = lua.create_table()?;
    for row in 0..table.rows() {
        let cells = lua.create_table()?;
        for (name, column) in table.columns() {
            let value = match column.get(row) {
                table::Value::Missing => continue,
                table::Value::Bool(v) => Value::Boolean(v),
                table::Value::Integer(v) => Value::Integer(v),
                table::Value::Float(v) => Value::Number(v),
                table::Value::Text(v) => v.into_lua(lua)?,
                other => other.to_string().into_lua(lua)?,
            };
            cells.raw_set(name.as_str(), value)?;
        }
        list.raw_push(cells)?;
    }
    Ok(Value::Table(list))
}
