//! The Lua module `raster`: images, grids, stacks and arrays.

use std::path::Path;
use std::sync::Arc;

use mlua::{Lua, Table, Value};

use self::array::Array;
use super::access;
use super::args::{Args, Options};
use super::module::Module;
use super::value::{FromScript, describe};
use crate::lua::rehearsal;
use crate::error::{Error, Result};
use crate::raster::element::Binary;
use crate::raster::file::cube;
use crate::raster::file::open::{self, OpenOptions};
use crate::raster::math::{self, Operand};
use crate::raster::mosaic::{Overlap, mosaic};
use crate::raster::stack::Stack;
use crate::raster::warp::Resampling;
use crate::raster::synthetic::coordinates;
use crate::raster::{Grid, Raster, complex};

pub mod array;
mod arrays;
mod elements;
mod exchange;
mod find;
mod grid;
mod image;
mod netcdf;
mod hints;
mod output;
mod place;
mod sample;
mod sources;
pub mod stack;
pub mod values;

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<Raster>();
    m.class::<Grid>();
    m.class::<Array>();
    m.class::<Stack>();
    m.function("open(path, options?)", open)?;
    m.function("subdatasets(path)", subdatasets)?;
    m.function("arrays(path)", arrays::list)?;
    m.function("read_array(path, names)", arrays::read)?;
    m.function("write_hdf5(path, contents, options?)", arrays::write)?;
    m.function("write_netcdf(path, variables, options?)", netcdf::write)?;
    m.function("grid(options)", grid::grid)?;
    m.function("constant(grid, value)", |_, args| {
        Ok(Raster::constant(args.get::<Arc<Grid>>("grid")?, args.get("value")?))
    })?;
    m.function("from_table(grid, rows, options?)", array::from_table)?;
    m.function("bands(...)", bands)?;
    m.function("where(condition, yes, no)", |_, args| {
        let condition: Raster = args.get("condition")?;
        math::choose(&condition, &args.get("yes")?, &args.get("no")?)
    })?;
    m.function("min(...)", |_, args| fold(args, Binary::Minimum))?;
    m.function("max(...)", |_, args| fold(args, Binary::Maximum))?;
    m.function("atan2(y, x)", |_, args| {
        math::binary(&args.get("y")?, Binary::Atan2, &args.get("x")?, false)
    })?;
    m.function("complex(real, imaginary)", |_, args| {
        complex::compose(&args.get("real")?, &args.get("imaginary")?)
    })?;
    m.function("mosaic(images, options?)", |_, args| {
        let images: Vec<Raster> = args.get("images")?;
        args.options(MosaicOptions::read)?.mosaic(&images)
    })?;
    m.function("stack(images, options?)", sources::stack)?;
    m.function("random(grid, options?)", sources::random)?;
    m.function("coordinates(grid)", |_, args| {
        Ok(coordinates(args.get("grid")?))
    })?;
    m.function("find(folder, options?)", find::find)?;
    m.function("match_name(name, pattern)", find::match_name)?;
    m.function("write_all(jobs)", output::write_many)?;
    m.function("from_json(text)", exchange::from_json)?;
    Ok(())
}

/// How to open a file. Several subdatasets become the bands of one image.
pub struct Opening {
    options: OpenOptions,
    subdatasets: Vec<String>,
}

/// Opens a path as a script wrote it: relative to the working folder, under the host's policy.
pub fn open_path(lua: &Lua, path: &str, opening: &Opening) -> Result<Raster> {
    let access = access(lua);
    if let Some(image) = access.write(path).ok().and_then(|target| rehearsal::written(lua, &target)) {
        return Ok(image);
    }
    let resolved = access.read(path)?;
    let resolved = resolved.to_string_lossy();
    let opened = match opening.subdatasets.as_slice() {
        [] => open::open(&resolved, &opening.options),
        several => cube::together(&resolved, &opening.options, several),
    };
    opened.map_err(|e| as_written(e, path, access.working()))
}

/// The same, every step of a time axis an image of its own.
pub fn open_slices(lua: &Lua, path: &str, opening: &Opening) -> Result<Vec<Raster>> {
    let access = access(lua);
    let resolved = access.read(path)?;
    let one = opening.options.subdataset.as_slice();
    let variables = if one.is_empty() { &opening.subdatasets } else { one };
    cube::slices(&resolved.to_string_lossy(), &opening.options, variables)
        .map_err(|e| as_written(e, path, access.working()))
}

/// Missing files are named as the script named them.
fn as_written(error: Error, path: &str, working: &Path) -> Error {
    match error {
        Error::NoSuchFile { .. } => Error::NoSuchFile {
            path: path.into(),
            looked_in: working.to_path_buf(),
        },
        other => other,
    }
}

fn open(lua: &Lua, args: &Args) -> Result<Raster> {
    let path: String = args.get("path")?;
    open_path(lua, &path, &args.options(opening)?)
}

/// The options of `open`.
pub fn opening(o: &Options) -> Result<Opening> {
    let (subdataset, subdatasets) = match o.raw("subdataset")? {
        list @ Value::Table(_) => (None, Vec::from_script(&list, "subdataset")?),
        value => (Option::from_script(&value, "subdataset")?, Vec::new()),
    };
    Ok(Opening {
        options: OpenOptions {
            bands: band_list(&o.raw("bands")?)?,
            names: names(&o.raw("names")?)?,
            subdataset,
            unit: o.get("unit")?,
            nodata: o.get("nodata")?,
            raw: o.get_or("raw", false)?,
            grid: o.get("grid")?,
            geolocation: o.get("geolocation")?,
        },
        subdatasets,
    })
}

/// Names or numbers of a file's bands: one, or a list.
fn band_list(value: &Value) -> Result<Option<Vec<String>>> {
    let list = match value {
        Value::Nil => return Ok(None),
        Value::Table(list) => list.sequence_values::<Value>().collect::<Result<Vec<_>, _>>()?,
        one => vec![one.clone()],
    };
    let one = |value: &Value| match value {
        Value::Integer(number) => Ok(number.to_string()),
        Value::String(name) => Ok(name.to_string_lossy()),
        other => Err(Error::argument("bands", "names or numbers (from 1)", describe(other))),
    };
    if list.is_empty() {
        return Err(Error::argument("bands", "names or numbers (from 1)", describe(value)));
    }
    list.iter().map(one).collect::<Result<_>>().map(Some)
}

fn names(value: &Value) -> Result<Option<Vec<String>>> {
    match value {
        Value::String(one) => Ok(Some(vec![one.to_string_lossy()])),
        value => Option::from_script(value, "names"),
    }
}

fn subdatasets(lua: &Lua, args: &Args) -> Result<Table> {
    let path: String = args.get("path")?;
    let access = access(lua);
    let resolved = access.read(&path)?;
    let found = open::subdatasets(&resolved.to_string_lossy())
        .map_err(|e| as_written(e, &path, access.working()))?;
    let list = lua.create_table()?;
    for subdataset in found {
        let entry = lua.create_table()?;
        entry.raw_set("name", subdataset.name)?;
        entry.raw_set("description", subdataset.description)?;
        entry.raw_set("path", subdataset.gdal_name)?;
        list.raw_push(entry)?;
    }
    Ok(list)
}

fn bands(_: &Lua, args: &Args) -> Result<Raster> {
    let images: Vec<Raster> = listed(args)?;
    let (first, rest) = images
        .split_first()
        .ok_or_else(|| Error::message("needs at least one image: raster.bands(a, b, …)"))?;
    rest.iter().try_fold(first.clone(), |all, image| all.add_bands(image))
}

fn fold(args: &Args, op: Binary) -> Result<Raster> {
    let operands: Vec<Operand> = listed(args)?;
    let mut operands = operands.into_iter();
    let mut result = operands
        .next()
        .ok_or_else(|| Error::message("needs at least one image"))?;
    for operand in operands {
        result = match (&result, &operand) {
            (Operand::Number(a), Operand::Number(b)) => Operand::Number(match op {
                Binary::Minimum => a.min(*b),
                _ => a.max(*b),
            }),
            _ => Operand::Raster(math::binary(&result, op, &operand, false)?),
        };
    }
    match result {
        Operand::Raster(raster) => Ok(raster),
        _ => Err(Error::message("needs at least one image; `math.min` and `math.max` take numbers")),
    }
}

/// Arguments in a row, or one list of them.
fn listed<T: FromScript>(args: &Args) -> Result<Vec<T>> {
    match args.rest() {
        [list @ Value::Table(_)] => Vec::from_script(list, "images"),
        values => values
            .iter()
            .enumerate()
            .map(|(i, value)| T::from_script(value, &format!("image {}", i + 1)))
            .collect(),
    }
}

/// The options `method`, `grid` and `resampling` of a mosaic.
pub struct MosaicOptions {
    overlap: Overlap,
    grid: Option<Arc<Grid>>,
    resampling: Resampling,
}

impl MosaicOptions {
    pub fn read(o: &Options) -> Result<Self> {
        let method = o.choice("method", &Overlap::NAMES)?.unwrap_or("first");
        Ok(MosaicOptions {
            overlap: Overlap::parse(method)?,
            grid: o.get("grid")?,
            resampling: values::resampling(o)?,
        })
    }

    pub fn mosaic(self, images: &[Raster]) -> Result<Raster> {
        mosaic(images, self.overlap, self.grid, self.resampling)
    }
}
