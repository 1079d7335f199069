//! Lua values as images, grids, areas, times and properties, and back.

use std::sync::Arc;

use jiff::Timestamp;
use mlua::{IntoLua, Lua, Table, UserDataRef, Value};

use crate::error::{Choice, Domain, Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::args::Args;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::raster::extent::transform_bounds;
use crate::raster::math::Operand;
use crate::raster::reduce::Reducer;
use crate::raster::warp::Resampling;
use crate::raster::{Bounds, Crs, DType, Grid, Properties, Property, Raster, Unit, Window};
use crate::table::{format_time, parse_time};
use crate::time::Stretch;
use crate::vector::Features;

/// A copy of the object's handle: cheap, and the object stays free for callbacks.
impl FromScript for Raster {
    fn expected() -> String {
        "a Raster".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Raster".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        UserDataRef::<Raster>::accept(value).map(|raster| raster.clone())
    }
}

/// What an image is combined with.
impl FromScript for Operand {
    fn expected() -> String {
        "a Raster or a number".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Raster|number".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        // As a whole f64 and back: what does not come back the same is beyond its 53 bits.
        if let Value::Integer(v) = value
            && *v as f64 as i128 != i128::from(*v)
        {
            return Some(Operand::Integer(*v));
        }
        match f64::accept(value) {
            Some(number) => Some(Operand::Number(number)),
            None => Raster::accept(value).map(Operand::Raster),
        }
    }
}

/// A grid, or that of an image.
impl FromScript for Arc<Grid> {
    fn expected() -> String {
        "a Grid or a Raster".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Grid|Raster".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match UserDataRef::<Grid>::accept(value) {
            Some(grid) => Some(Arc::new(grid.clone())),
            None => UserDataRef::<Raster>::accept(value).map(|raster| raster.grid.clone()),
        }
    }
}

/// Types that are written as text and have errors of their own for text that is wrong.
macro_rules! from_text {
    ($type:ty, $kind:expr, $expected:expr, $parse:expr $(, $literal:expr)?) => {
        impl FromScript for $type {
            fn expected() -> String {
                $expected.into()
            }
            fn kind() -> ValueType {
                $kind
            }
            fn accept(value: &Value) -> Option<Self> {
                Self::from_script(value, "").ok()
            }
            fn from_script(value: &Value, name: &str) -> Result<Self> {
                match String::accept(value) {
                    Some(text) => $parse(&text),
                    None => Err(Error::argument(name, Self::expected(), describe(value))),
                }
            }
            $(fn literal(&self) -> serde_json::Value {
                $literal(*self).into()
            })?
        }
    };
}

from_text!(DType, ValueType::String, "a data type such as \"float32\"", DType::parse, DType::name);
from_text!(
    Reducer,
    ValueType::Of("Reducer".into()),
    "a reducer such as \"mean\"",
    Reducer::parse,
    Reducer::name
);
from_text!(Unit, ValueType::String, "a unit such as \"dB\"", |text: &str| Ok(Unit::parse(text)));

impl FromScript for Crs {
    fn expected() -> String {
        "a CRS: an EPSG code (\"EPSG:32611\" or 32611), WKT or a PROJ string".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|integer".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match value {
            Value::Integer(code) => Crs::parse(&code.to_string()),
            Value::String(text) => Crs::parse(&text.to_string_lossy()),
            other => Err(Error::argument(name, Self::expected(), describe(other))),
        }
    }
}

/// Text as ISO 8601 writes it, or seconds since 1970 as `os.time()` counts them.
impl FromScript for Timestamp {
    fn expected() -> String {
        "a time: \"2024-03-17\", \"2024-03-17T01:58:25Z\", or seconds since 1970".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|number".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => parse_time(&text.to_string_lossy()),
            Value::Integer(seconds) => Timestamp::from_second(*seconds).ok(),
            Value::Number(seconds) if seconds.is_finite() => {
                Timestamp::from_nanosecond((seconds * 1e9) as i128).ok()
            }
            _ => None,
        }
    }
}

/// As a time, and all of a day, a month or a year.
impl FromScript for Stretch {
    fn expected() -> String {
        "a time, a day, a month or a year: \"2024-03-17T01:58:25Z\", \"2024-03-17\", \"2024-03\", \"2024\", or seconds since 1970".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|number".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Stretch::parse(&text.to_string_lossy()),
            // Nobody means the first hours of 1970.
            Value::Integer(year @ 1000..=9999) => Stretch::parse(&year.to_string()),
            other => Timestamp::accept(other).map(Stretch::instant),
        }
    }
}

/// The arguments `start` and `stop` as one stretch of time, from the first moment of the one to the last of the other.
pub fn time_range(args: &Args) -> Result<Stretch> {
    let (start, stop): (Stretch, Stretch) = (args.get("start")?, args.get("stop")?);
    if stop.last < start.first {
        let expected = format!("a time after the start, {}", format_time(start.first));
        return Err(Error::argument("stop", expected, format_time(stop.first)));
    }
    Ok(Stretch { first: start.first, last: stop.last })
}

impl FromScript for Property {
    fn expected() -> String {
        "a string, a number, or true or false".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|number|boolean".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match value {
            Value::Boolean(v) => Some(Property::Boolean(*v)),
            Value::Integer(v) => Some(Property::Integer(*v)),
            Value::Number(v) => Some(Property::Number(*v)),
            Value::String(v) => Some(Property::Text(v.to_string_lossy())),
            _ => None,
        }
    }
}

impl FromScript for Bounds {
    fn expected() -> String {
        "bounds: { min_x, min_y, max_x, max_y } with min < max".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Bounds".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        let [min_x, min_y, max_x, max_y] = <[f64; 4]>::accept(value)?;
        let whole = [min_x, min_y, max_x, max_y].iter().all(|v| v.is_finite());
        (whole && min_x < max_x && min_y < max_y).then_some(Bounds {
            min_x,
            min_y,
            max_x,
            max_y,
        })
    }
}

/// A pixel size: one number for both directions, or `{ x, y }`.
pub struct Resolution(pub f64, pub f64);

impl FromScript for Resolution {
    fn expected() -> String {
        "a positive pixel size: a number, or { x, y }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number|number[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        let (x, y) = match f64::accept(value) {
            Some(size) => (size, size),
            None => <[f64; 2]>::accept(value).map(|[x, y]| (x, y))?,
        };
        (x > 0.0 && y > 0.0 && x.is_finite() && y.is_finite()).then_some(Resolution(x, y))
    }
}

/// A part of the map: bounds in some CRS, what a grid or an image covers, or shapes.
pub enum Area {
    Bounds(Bounds),
    Grid(Arc<Grid>),
    Features(Features),
}

/// Longitudes from a west to an east that is on the other side of the antimeridian, as in GeoJSON (RFC 7946, section 5.2).
fn across(value: &Value) -> Option<Bounds> {
    let [min_x, min_y, max_x, max_y] = <[f64; 4]>::accept(value)?;
    let whole = [min_x, min_y, max_x, max_y].iter().all(|v| v.is_finite());
    (whole && min_x > max_x && min_y < max_y).then_some(Bounds {
        min_x,
        min_y,
        max_x,
        max_y,
    })
}

impl FromScript for Area {
    fn expected() -> String {
        "bounds { min_x, min_y, max_x, max_y } with min < max, a Geometry, Features, a Grid or a Raster".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Bounds|Geometry|Features|Grid|Raster".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        let bounds = Bounds::accept(value).or_else(|| across(value)).map(Area::Bounds);
        bounds
            .or_else(|| Arc::<Grid>::accept(value).map(Area::Grid))
            .or_else(|| Features::accept(value).map(Area::Features))
    }
}

impl Area {
    /// Its bounds in the coordinates of `target`. Plain bounds are in `crs`, or in the target's own: on the map, where it is placed by
    /// control points or the like. Longitudes from west to east may cross the antimeridian.
    pub fn bounds_on(&self, target: &Grid, crs: Option<&Crs>) -> Result<Bounds> {
        let own = crs.or(target.crs.as_ref().map(Crs::on_map));
        let (bounds, from) = match self {
            Area::Bounds(bounds) if bounds.min_x > bounds.max_x => {
                let turn = own.and_then(Crs::turn).ok_or_else(|| {
                    Error::argument("area", Area::expected(), format!("bounds with {bounds}"))
                })?;
                let max_x = bounds.max_x + turn;
                (Bounds { max_x, ..*bounds }, own)
            }
            Area::Bounds(bounds) => (*bounds, own),
            Area::Grid(grid) => (grid.bounds(), grid.crs.as_ref()),
            Area::Features(features) => {
                let bounds = features.bounds_over(target)?;
                return bounds.ok_or_else(|| Error::argument("area", "shapes", "no geometry"));
            }
        };
        match (from, &target.crs) {
            (Some(from), Some(to)) => transform_bounds(&bounds, from, to),
            (None, _) => Ok(bounds),
            (Some(from), None) => Err(Error::message(format!(
                "the area is in {from} but the image has no CRS; give it one with `:set_crs(\"EPSG:…\")`"
            ))),
        }
    }
}

options! {
    /// Some of an image's pixels.
    pub struct WindowOptions("raster.WindowOptions") {
        /// First row, from 0.
        row: usize = 0,
        /// First column, from 0.
        col: usize = 0,
        /// How many rows. Default all that follow.
        rows: Option<usize>; Domain::at_least(1.0),
        /// How many columns. Default all that follow.
        cols: Option<usize>; Domain::at_least(1.0),
    }
}

impl WindowOptions {
    /// # Errors
    /// When it reaches out of the image.
    pub fn on(&self, grid: &Grid) -> Result<Window> {
        for (name, first, count, size) in [
            ("row", self.row, self.rows, grid.rows),
            ("col", self.col, self.cols, grid.cols),
        ] {
            let end = first.saturating_add(count.unwrap_or(1));
            if first >= size || end > size {
                let got = match count {
                    Some(count) => format!("{name} = {first}, {name}s = {count}"),
                    None => format!("{name} = {first}"),
                };
                return Err(Error::argument(
                    "window",
                    format!("inside the image: {name}s 0 to {}", size - 1),
                    got,
                ));
            }
        }
        Ok(Window::new(
            self.row as isize,
            self.col as isize,
            self.rows.unwrap_or(grid.rows - self.row),
            self.cols.unwrap_or(grid.cols - self.col),
        ))
    }
}

options! {
    pub struct AlignOptions("raster.AlignOptions") {
        /// How values between pixel centres are found.
        resampling: Resampling = Resampling::Nearest,
    }
}

options! {
    pub struct AreaOptions("raster.AreaOptions") {
        /// Of bounds, and of shapes that have none. Default the image's own.
        crs: Option<Crs>,
    }
}

/// How values between pixel centres are found at points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interpolation {
    Nearest,
    Bilinear,
    Cubic,
}

impl Choice for Interpolation {
    const ALL: &'static [(&'static str, Self)] = &[
        ("nearest", Interpolation::Nearest),
        ("bilinear", Interpolation::Bilinear),
        ("cubic", Interpolation::Cubic),
    ];
}

impl From<Interpolation> for Resampling {
    fn from(method: Interpolation) -> Resampling {
        match method {
            Interpolation::Nearest => Resampling::Nearest,
            Interpolation::Bilinear => Resampling::Bilinear,
            Interpolation::Cubic => Resampling::Cubic,
        }
    }
}

pub fn property_value(lua: &Lua, property: &Property) -> Result<Value> {
    Ok(match property {
        Property::Number(v) => Value::Number(*v),
        Property::Integer(v) => Value::Integer(*v),
        Property::Boolean(v) => Value::Boolean(*v),
        Property::Text(v) => v.as_str().into_lua(lua)?,
        Property::Computed(_) => return property_value(lua, &property.now()?),
    })
}

pub fn properties_table(lua: &Lua, properties: &Properties) -> Result<Table> {
    let table = lua.create_table()?;
    for (name, property) in properties {
        table.raw_set(name.as_str(), property_value(lua, property)?)?;
    }
    Ok(table)
}

/// Takes over named values as properties; `time` becomes the image's time.
pub fn set_properties(raster: &mut Raster, values: &Table) -> Result<()> {
    for pair in values.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Some(name) = key.as_string().map(|s| s.to_string_lossy()) else {
            return Err(Error::argument("property names", "strings", describe(&key)));
        };
        set_property(raster, &name, &value)?;
    }
    Ok(())
}

pub fn set_property(raster: &mut Raster, name: &str, value: &Value) -> Result<()> {
    if name == "time" {
        raster.time = Some(Timestamp::from_script(value, name)?);
    } else {
        raster
            .properties
            .insert(name.to_string(), Property::from_script(value, name)?);
    }
    Ok(())
}

pub fn time_text(time: Option<Timestamp>) -> Option<String> {
    time.map(format_time)
}

/// Names or positions (from 1) of bands, as arguments in a row or as one list.
pub fn band_names(raster: &Raster, values: &[Value]) -> Result<Vec<String>> {
    let list = match values {
        [Value::Table(list)] => list.sequence_values::<Value>().collect::<Result<Vec<_>, _>>()?,
        values => values.to_vec(),
    };
    let one = |value: &Value| match value {
        Value::Integer(i) => usize::try_from(*i - 1)
            .ok()
            .and_then(|i| raster.bands.get(i))
            .map(|band| band.name.clone())
            .ok_or_else(|| {
                Error::argument(
                    "band",
                    format!("from 1 to {}, or a name", raster.bands.len()),
                    i,
                )
            }),
        Value::String(name) => Ok(name.to_string_lossy()),
        other => Err(Error::argument("band", "a name or a position", describe(other))),
    };
    if list.is_empty() {
        let known = raster.band_names().join(", ");
        return Err(Error::argument("bands", format!("at least one of: {known}"), "none"));
    }
    list.iter().map(one).collect()
}
