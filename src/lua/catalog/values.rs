//! What the functions of `catalog` take: areas, times, one name or several.

use geo::Geometry as Shape;
use jiff::{Timestamp, Unit};
use mlua::Value as LuaValue;

use crate::catalog::footprint;
use crate::error::{Error, Result};
use crate::lua::geometry::Place;
use crate::lua::value::{FromScript, Several, describe};
use crate::lua::{Args, Options};
use crate::raster::Crs;
use crate::time::Stretch;
use crate::vector::{Features, Geometry};

/// The list behind an option, empty where it was left out.
pub fn several<T: FromScript>(o: &Options, name: &str) -> Result<Vec<T>> {
    Ok(o.get::<Several<T>>(name)?.map_or(Vec::new(), |Several(list)| list))
}

/// An area in longitude and latitude: a Geometry, Features, WKT or GeoJSON text, or a GeoJSON table.
pub fn area(value: &LuaValue, name: &str) -> Result<Shape> {
    let geometry = match value {
        LuaValue::String(text) => {
            let text = text.to_string_lossy();
            let read = match text.trim_start().starts_with('{') {
                true => Features::from_geojson(&text).and_then(|f| Place(f).geometry()),
                false => Geometry::from_wkt(&text),
            };
            read.map_err(|e| Error::message(format!("{name}: {e}")))?
        }
        LuaValue::Table(_) => {
            let json = serde_json::to_value(value).map_err(|_| wrong(value, name))?;
            let read = Features::from_geojson(&json.to_string()).and_then(|f| Place(f).geometry());
            read.map_err(|e| Error::message(format!("{name}: {e}")))?
        }
        other => Place::accept(other).ok_or_else(|| wrong(value, name))?.geometry()?,
    };
    let geometry = match &geometry.crs {
        Some(_) => geometry.to_crs(&Crs::parse("EPSG:4326")?, None)?,
        None => geometry,
    };
    // Says now, with the option's name, what would else be said of a request.
    footprint::settle_area(geometry.shape()).map_err(|e| Error::message(format!("{name}: {e}")))?;
    Ok(geometry.shape().clone())
}

fn wrong(value: &LuaValue, name: &str) -> Error {
    let expected = "an area in longitude and latitude: a Geometry, Features, WKT or GeoJSON";
    Error::argument(name, expected, describe(value))
}

/// The area of an option.
pub fn area_option(o: &Options, name: &str) -> Result<Option<Shape>> {
    match o.raw(name)? {
        LuaValue::Nil => Ok(None),
        value => area(&value, name).map(Some),
    }
}

/// The area of an argument.
pub fn area_argument(args: &Args, name: &str) -> Result<Shape> {
    area(&args.get::<LuaValue>(name)?, name)
}

/// A length of time in seconds, from `"1d"`, `"36h"`, `"90m"` or a number of seconds. A day has 24 hours.
pub fn seconds(o: &Options, name: &str) -> Result<Option<f64>> {
    let expected = "a length of time such as \"1d\", \"12h\", or a number of seconds";
    match o.raw(name)? {
        LuaValue::Nil => Ok(None),
        value => {
            if let Some(number) = f64::accept(&value) {
                return Ok(Some(number));
            }
            let text = String::accept(&value).ok_or_else(|| Error::argument(name, expected, describe(&value)))?;
            let span: jiff::Span =
                text.parse().map_err(|_| Error::argument(name, expected, format!("{text:?}")))?;
            let start = jiff::civil::date(2000, 1, 1);
            let total = span.total((Unit::Second, start));
            total.map(Some).map_err(|_| Error::argument(name, expected, format!("{text:?}")))
        }
    }
}

/// The first moment of the option `start` and the last of the option `end`: a day, a month or a year is all of it.
pub fn time_options(o: &Options) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let (start, end) = (o.get::<Stretch>("start")?, o.get::<Stretch>("end")?);
    Ok((start.map(|s| s.first), end.map(|s| s.last)))
}
