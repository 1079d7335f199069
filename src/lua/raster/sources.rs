//! `raster.stack` and `raster.random`: images from many files, and from nothing.

use std::path::Path;
use std::sync::Arc;

use mlua::{Function, Lua, Table, Value};

use super::of_items::{self, ItemsOptions, items_of};
use super::values::{set_properties, set_property};
use super::{OpenTable, Opening, open_path, open_slices};
use crate::error::{Choice, Domain, Error, Result};
use crate::files::glob;
use crate::interrupt;
use crate::lua::access;
use crate::lua::args::Args;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, Several, describe};
use crate::options;
use crate::raster::file::cube::CALENDAR;
use crate::raster::file::zarr::is_zarr;
use crate::raster::image::Property;
use crate::raster::places::coordinates_in;
use crate::raster::stack::{NamePattern, Stack};
use crate::raster::synthetic::{self, Distribution};
use crate::raster::{Crs, Grid, Raster, Unit};

/// How the images of a stack are opened and described.
struct Source<'a> {
    lua: &'a Lua,
    open: Opening,
    pattern: Option<NamePattern>,
    properties: Option<Function>,
}

options! {
    pub struct StackOptions("raster.StackOptions") {
        ..open: OpenTable,
        ..items: ItemsOptions,
        /// Of a cube, those that become the bands of each image, as `subdataset` says them. Default all with a time axis.
        variables: Option<Several<String>>,
        /// What the file names are made of: `S1_{platform}_{date:yyyymmdd}_*.tif`. `{name}` is text up to the next literal character,
        /// `{name:yyyymmdd}`, `{name:yyyy-mm-dd}` and `{name:yyyymmddThhmmss}` are times, `*` stands for anything and `?` for one
        /// character. The parts become properties, the first time the image's time.
        pattern: Option<String>,
        /// Called with each path: a table of properties (`time` is the image's time), or false to leave the file out.
        properties: Option<Properties>,
    }
}

/// A function that says what is known of a file.
pub struct Properties(Function);

impl FromScript for Properties {
    fn expected() -> String {
        Function::expected()
    }
    fn kind() -> ValueType {
        ValueType::Of("fun(path: string): table|false|nil".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Function::accept(value).map(Properties)
    }
}

/// `raster.stack(images, options?)`
pub fn stack(lua: &Lua, args: &Args, o: StackOptions) -> Result<Stack> {
    if let Some(items) = items_of(&args.get::<Value>("images")?) {
        if o.pattern.is_some() || o.properties.is_some() {
            return Err(Error::message("pattern and properties are of files; what a catalogue says of its items becomes their properties"));
        }
        return of_items::stack(lua, &items, o.items, &o.open.opening());
    }
    if let Some(name) = o.items.given() {
        return Err(Error::message(format!("{name} is for the Items of a search; images are brought onto a grid by `stack:align(grid)`")));
    }
    let source = Source {
        lua,
        open: o.open.opening().of_variables(o.variables)?,
        pattern: o.pattern.map(|p| NamePattern::parse(&p)).transpose()?,
        properties: o.properties.map(|Properties(function)| function),
    };
    let entries: Vec<Value> = match args.get::<Value>("images")? {
        Value::String(text) => paths(lua, &text.to_string_lossy())?
            .into_iter()
            .map(|path| Ok(Value::String(lua.create_string(path)?)))
            .collect::<Result<_>>()?,
        Value::Table(list) if list.raw_len() > 0 || list.is_empty() => {
            list.sequence_values::<Value>().collect::<Result<_, _>>()?
        }
        other => {
            return Err(Error::argument(
                "images",
                "a list of paths and Rasters, a folder, a pattern such as \"data/*.tif\", or the Items of a search",
                describe(&other),
            ));
        }
    };
    let mut items = Vec::with_capacity(entries.len());
    let mut dated: Option<Raster> = None;
    for (i, entry) in entries.iter().enumerate() {
        interrupt::check()?;
        let images = source.images(entry, i + 1)?;
        // Whoever hands images over knows of their times.
        if !matches!(entry, Value::UserData(_))
            && let Some(image) = images.iter().find(|image| is_dated(image))
        {
            check_calendar(dated.get_or_insert_with(|| image.clone()), image)?;
        }
        items.extend(images);
    }
    Ok(Stack { items })
}

fn is_dated(image: &Raster) -> bool {
    image.time.is_some() || image.properties.contains_key("date")
}

/// Dates of two calendars are called alike, but days between them are counted otherwise.
fn check_calendar(first: &Raster, other: &Raster) -> Result<()> {
    let said = |image: &Raster, name: &str| match image.properties.get(name) {
        Some(Property::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let (one, two) = (said(first, CALENDAR), said(other, CALENDAR));
    if one == two {
        return Ok(());
    }
    let words = |image: &Raster, calendar: Option<String>| {
        let path = said(image, "path").unwrap_or_default();
        let calendar = calendar.map_or("that of every day".to_string(), |name| format!("`{name}`"));
        format!("{path} by the calendar {calendar}")
    };
    Err(Error::message(format!(
        "the files count their days differently: {}, {}; make a stack of each kind, or of their images: raster.stack {{ a[1], b[1] }}",
        words(first, one),
        words(other, two)
    )))
}

/// The images of a folder, or the files that a pattern names.
fn paths(lua: &Lua, text: &str) -> Result<Vec<String>> {
    let folder = access(lua).read(text)?;
    // A Zarr is a folder, too, but one image or cube.
    if folder.is_dir() && !is_zarr(&folder.to_string_lossy()) {
        let images = glob(&folder.join("*"))?.into_iter().filter(|path| {
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            matches!(extension.as_deref(), Some("tif" | "tiff" | "vrt" | "img" | "jp2"))
        });
        let found: Vec<String> = images.map(|p| p.to_string_lossy().into_owned()).collect();
        if found.is_empty() {
            return Err(Error::file(
                text,
                "holds no .tif, .tiff, .vrt, .img or .jp2 file; name others with a pattern such as \"folder/*.nc\"",
            ));
        }
        return Ok(found);
    }
    if !text.contains(['*', '?']) {
        return Ok(vec![text.to_string()]);
    }
    let found = glob(&folder)?;
    if found.is_empty() {
        let working = access(lua).working().display().to_string();
        return Err(Error::message(format!("no file fits {text} (looked in {working})")));
    }
    Ok(found.into_iter().map(|p| p.to_string_lossy().into_owned()).collect())
}

impl Source<'_> {
    /// None where the properties function says false; of a time axis every step.
    fn images(&self, entry: &Value, position: usize) -> Result<Vec<Raster>> {
        let name = format!("images[{position}]");
        match entry {
            Value::String(path) => self.file(&path.to_string_lossy()),
            Value::UserData(_) => Ok(vec![Raster::from_script(entry, &name)?]),
            Value::Table(table) => self.described(table, &name),
            other => Err(Error::argument(
                name,
                "a path, a Raster, or { path = … } with its time and properties",
                describe(other),
            )),
        }
    }

    fn file(&self, path: &str) -> Result<Vec<Raster>> {
        let parts = match &self.pattern {
            None => None,
            Some(pattern) => {
                let file_name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
                let parts = pattern.matches(&file_name)?;
                // What is not there at all has no name to fit.
                if parts.is_none() {
                    open_path(self.lua, path, &self.open)?;
                }
                Some(parts.ok_or_else(|| {
                    Error::file(
                        path,
                        format!("the name does not fit the pattern `{}`", pattern.text()),
                    )
                })?)
            }
        };
        let said = match &self.properties {
            None => Value::Nil,
            Some(function) => function.call(path)?,
        };
        if let Value::Boolean(false) = said {
            return Ok(Vec::new());
        }
        let mut images = open_slices(self.lua, path, &self.open)?;
        if let Some(parts) = parts {
            // What an axis says of its steps is finer than what the file's name says of all.
            let named = parts.time.filter(|_| images.len() == 1);
            for image in &mut images {
                image.time = named.or(image.time);
                if named.is_some() {
                    image.properties.remove(CALENDAR);
                }
                image.properties.extend(parts.properties.iter().cloned());
            }
        }
        match said {
            Value::Nil => {}
            Value::Table(values) => {
                for image in &mut images {
                    set_properties(image, &values)?;
                }
            }
            other => {
                return Err(Error::argument(
                    "what properties returns",
                    "a table, nil, or false to leave the file out",
                    describe(&other),
                ));
            }
        }
        Ok(images)
    }

    /// `{ path = …, time = …, … }`, or a Raster or a path in the first place.
    fn described(&self, table: &Table, name: &str) -> Result<Vec<Raster>> {
        let source = match table.raw_get::<Value>("path")? {
            Value::Nil => table.raw_get::<Value>(1)?,
            path => path,
        };
        let mut images = match &source {
            Value::String(path) => self.file(&path.to_string_lossy())?,
            Value::UserData(_) => vec![Raster::from_script(&source, name)?],
            _ => {
                return Err(Error::argument(
                    name,
                    "{ path = … } or { image, … } with its time and properties",
                    describe(&Value::Table(table.clone())),
                ));
            }
        };
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            if let Value::String(key) = key
                && key.as_bytes() != b"path"
            {
                for image in &mut images {
                    // A time that is given is of every day's calendar.
                    if key.as_bytes() == b"time" {
                        image.properties.remove(CALENDAR);
                    }
                    set_property(image, &key.to_string_lossy(), &value)?;
                }
            }
        }
        Ok(images)
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum Noise {
    Uniform,
    Normal,
    Speckle,
    Smooth,
}

impl Choice for Noise {
    const ALL: &'static [(&'static str, Self)] = &[
        ("uniform", Noise::Uniform),
        ("normal", Noise::Normal),
        ("speckle", Noise::Speckle),
        ("smooth", Noise::Smooth),
    ];
}

options! {
    pub struct Random("raster.RandomOptions") {
        /// Of the values: `"uniform"` from 0 to 1, `"normal"` with mean 0 and standard deviation 1, `"speckle"`, or `"smooth"` noise.
        distribution: Noise = Noise::Uniform,
        /// Of speckle: gamma distributed with mean 1 and variance 1/looks.
        looks: f64 = 1.0; Domain::above(0.0),
        /// Of smooth noise: size of its largest features in pixels.
        scale: f64 = 64.0; Domain::above(0.0),
        /// Of smooth noise: how many sizes, each half the one before and half as strong.
        octaves: u32 = 4; Domain::at_least(1.0),
        /// Another seed, another image.
        seed: i64 = 1,
        /// Of the band.
        name: String = "random".to_string(),
        /// Of its values: `power`, `dB`, `m`…
        unit: Option<Unit>,
    }
}

/// `raster.random(grid, options?)`
pub fn random(_: &Lua, args: &Args, o: Random) -> Result<Raster> {
    let grid: Arc<Grid> = args.get("grid")?;
    let distribution = match o.distribution {
        Noise::Uniform => Distribution::Uniform,
        Noise::Normal => Distribution::Normal,
        Noise::Speckle => Distribution::Speckle { looks: o.looks },
        Noise::Smooth => Distribution::Smooth {
            scale: o.scale,
            octaves: o.octaves,
        },
    };
    let image = synthetic::random(grid, distribution, o.seed as u64)?;
    Ok(image.rename(&[o.name])?.with_unit(&o.unit.unwrap_or(Unit::Unknown)))
}

options! {
    pub struct Coordinates("raster.CoordinatesOptions") {
        /// What they are in. Default the grid's own.
        crs: Option<Crs>,
        /// Four bands more: how much they grow with a unit along each axis of the grid's CRS.
        derivatives: bool = false,
    }
}

/// `raster.coordinates(grid, options?)`
pub fn coordinates(_: &Lua, args: &Args, o: Coordinates) -> Result<Raster> {
    let grid: Arc<Grid> = args.get("grid")?;
    match (o.crs, o.derivatives) {
        (None, false) => Ok(synthetic::coordinates(grid)),
        (Some(crs), derivatives) => coordinates_in(&grid, &crs, derivatives),
        (None, true) => {
            let own = grid.crs()?.clone();
            coordinates_in(&grid, &own, true)
        }
    }
}
