//! The Lua module `raster`: images, grids, stacks and arrays.

use std::path::Path;
use std::sync::Arc;

use mlua::{Lua, Table, Value};

use self::array::Array;
use super::access;
use super::args::Args;
use super::module::Module;
use super::spec::ValueType;
use super::value::{FromScript, Several, describe};
use crate::options;
use crate::lua::rehearsal;
use crate::error::{Error, Result};
use crate::raster::element::Binary;
use crate::raster::file::cube;
use crate::raster::file::open::{self, OpenOptions};
use crate::raster::math::{self, Operand};
use crate::raster::mosaic::{Overlap, mosaic};
use crate::raster::stack::Stack;
use crate::raster::warp::Resampling;
use crate::raster::{Grid, Raster, Unit, complex};

pub mod array;
mod arrays;
mod classes;
mod elements;
mod exchange;
mod find;
mod grid;
mod histogram;
mod image;
mod netcdf;
mod hints;
mod output;
mod of_items;
mod over_time;
mod place;
mod reductions;
mod regions;
mod sample;
mod show;
mod sources;
pub mod stack;
pub mod values;

pub use self::output::Tags;

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<Raster>();
    m.class::<Grid>();
    m.class::<Array>();
    m.class::<Stack>();
    m.table::<netcdf::OneVariable>();
    m.function_with("open(path, options?)", |lua, args, o: OpenTable| {
        open_path(lua, &args.get::<String>("path")?, &o.opening())
    })?;
    m.function("subdatasets(path)", subdatasets)?;
    m.function("arrays(path)", arrays::list)?;
    m.function("read_array(path, names)", arrays::read)?;
    m.function("read_attribute(path, names)", arrays::read_attribute)?;
    m.function_with("write_hdf5(path, contents, options?)", arrays::write)?;
    m.function_with("write_netcdf(path, variables, options?)", netcdf::write)?;
    m.function_with("grid(options)", |_, _, wanted: grid::Wanted| wanted.grid())?;
    m.function("constant(grid, value)", |_, args| {
        Ok(Raster::constant(args.get::<Arc<Grid>>("grid")?, args.get("value")?))
    })?;
    m.function_with("from_table(grid, rows, options?)", array::from_table)?;
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
    m.function_with("mosaic(images, options?)", |_, args, o: MosaicOptions| {
        let images: Vec<Raster> = args.get("images")?;
        o.mosaic(&images)
    })?;
    m.function_with("threshold(histogram, options?)", histogram::of_histogram)?;
    m.function_with("mixture(histogram, options?)", histogram::mixture_of_histogram)?;
    m.function_with("stack(images, options?)", sources::stack)?;
    m.function_with("random(grid, options?)", sources::random)?;
    m.function_with("coordinates(grid, options?)", sources::coordinates)?;
    m.function_with("find(folder, options?)", find::find)?;
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

impl Opening {
    fn options(&self) -> &OpenOptions {
        &self.options
    }

    fn is_raw(&self) -> bool {
        self.options.raw
    }

    /// Of a cube these variables, where they are named.
    ///
    /// # Errors
    /// Where `subdataset` names others.
    fn of_variables(self, variables: Option<Several<String>>) -> Result<Opening> {
        let Some(Several(variables)) = variables else {
            return Ok(self);
        };
        if self.options.subdataset.is_some() || !self.subdatasets.is_empty() {
            return Err(Error::message("say which variables are wanted once: either by variables or by subdataset"));
        }
        Ok(Opening {
            subdatasets: variables,
            ..self
        })
    }
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

options! {
    /// How a file is opened.
    pub struct OpenTable("raster.OpenOptions") {
        /// Names or numbers (from 1) of the bands wanted. Default all.
        bands: Option<BandList>,
        /// New names for these bands, in order.
        names: Option<Several<String>>,
        /// Variable of a container (netCDF, HDF5, Zarr); of several, which lie on one grid, the bands together.
        subdataset: Option<Variables>,
        /// Unit of all bands, where the file does not say it or says it wrongly: `power`, `amplitude`, `dB`, `deg`, `m`…
        unit: Option<Unit>,
        /// Value of masked pixels, instead of the file's.
        nodata: Option<f64>,
        /// Leave the file's scale and offset unapplied.
        raw: bool = false,
        /// Where the pixels lie, for files that do not carry it, as many HDF5 products. Rows and columns must be the file's.
        grid: Option<Arc<Grid>>,
        /// Longitude and latitude of every pixel centre, as two bands, where another file holds them, as of Sentinel-3. They are read
        /// at once.
        geolocation: Option<Raster>,
    }
}

impl OpenTable {
    pub fn opening(self) -> Opening {
        let (subdataset, subdatasets) = match self.subdataset {
            Some(Variables::One(name)) => (Some(name), Vec::new()),
            Some(Variables::Together(names)) => (None, names),
            None => (None, Vec::new()),
        };
        Opening {
            options: OpenOptions {
                bands: self.bands.map(|BandList(list)| list),
                names: self.names.map(|Several(names)| names),
                subdataset,
                unit: self.unit,
                nodata: self.nodata,
                raw: self.raw,
                grid: self.grid,
                geolocation: self.geolocation,
            },
            subdatasets,
        }
    }
}

/// A variable of a container, or those that become the bands of one image.
pub enum Variables {
    One(String),
    Together(Vec<String>),
}

impl FromScript for Variables {
    fn expected() -> String {
        "a string, or a list of strings".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|string[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match value {
            Value::Table(_) => Vec::from_script(value, name).map(Variables::Together),
            value => String::from_script(value, name).map(Variables::One),
        }
    }
}

/// Names or numbers of a file's bands: one, or a list.
pub struct BandList(Vec<String>);

impl FromScript for BandList {
    fn expected() -> String {
        "names or numbers (from 1)".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|integer|(string|integer)[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let list = match value {
            Value::Table(list) => list.sequence_values::<Value>().collect::<Result<Vec<_>, _>>()?,
            one => vec![one.clone()],
        };
        let one = |value: &Value| match value {
            Value::Integer(number) => Ok(number.to_string()),
            Value::String(name) => Ok(name.to_string_lossy()),
            other => Err(Error::argument(name, Self::expected(), describe(other))),
        };
        match list.is_empty() {
            true => Err(Error::argument(name, Self::expected(), describe(value))),
            false => list.iter().map(one).collect::<Result<_>>().map(BandList),
        }
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

options! {
    pub struct MosaicOptions("raster.MosaicOptions") {
        /// What counts where several images are valid.
        method: Overlap = Overlap::First,
        /// Where the result lies. Default the first image's CRS and pixels over the area of all.
        grid: Option<Arc<Grid>>,
        /// For images that lie on other pixels.
        resampling: Resampling = Resampling::Nearest,
    }
}

impl MosaicOptions {
    pub fn mosaic(self, images: &[Raster]) -> Result<Raster> {
        mosaic(images, self.method, self.grid, self.resampling)
    }
}
