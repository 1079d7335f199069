//! What the functions of `catalog` take: areas, times, one name or several.

use geo::Geometry as Shape;
use jiff::{Timestamp, Unit};
use mlua::Value as LuaValue;

use crate::catalog::footprint;
use crate::error::{Error, Result};
use crate::lua::geometry::Shapes;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, Several, describe};
use crate::lua::Args;
use crate::options;
use crate::raster::Crs;
use crate::time::Stretch;
use crate::vector::{Features, Geometry};

/// The list behind an option, empty where it was left out.
pub fn listed<T>(several: Option<Several<T>>) -> Vec<T> {
    several.map_or(Vec::new(), |Several(list)| list)
}

/// An area as an option.
pub struct AreaShape(pub Shape);

impl FromScript for AreaShape {
    fn expected() -> String {
        AREA.into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Geometry|Features|string|table".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &LuaValue, name: &str) -> Result<Self> {
        area(value, name).map(AreaShape)
    }
}

const AREA: &str = "an area in longitude and latitude: a Geometry, Features, WKT or GeoJSON";

/// An area in longitude and latitude: a Geometry, Features, WKT or GeoJSON text, or a GeoJSON table.
pub fn area(value: &LuaValue, name: &str) -> Result<Shape> {
    let geometry = match value {
        LuaValue::String(text) => {
            let text = text.to_string_lossy();
            let read = match text.trim_start().starts_with('{') {
                true => Features::from_geojson(&text).and_then(|f| Shapes(f).geometry()),
                false => Geometry::from_wkt(&text),
            };
            read.map_err(|e| Error::message(format!("{name}: {e}")))?
        }
        LuaValue::Table(_) => {
            let json = serde_json::to_value(value).map_err(|_| wrong(value, name))?;
            let read = Features::from_geojson(&json.to_string()).and_then(|f| Shapes(f).geometry());
            read.map_err(|e| Error::message(format!("{name}: {e}")))?
        }
        other => Shapes::accept(other).ok_or_else(|| wrong(value, name))?.geometry()?,
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
    Error::argument(name, AREA, describe(value))
}

/// The area of an argument.
pub fn area_argument(args: &Args, name: &str) -> Result<Shape> {
    area(&args.get::<LuaValue>(name)?, name)
}

/// A length of time in seconds, from `"1d"`, `"36h"`, `"90m"` or a number of seconds. A day has 24 hours.
pub struct Length(pub f64);

impl FromScript for Length {
    fn expected() -> String {
        "a length of time such as \"1d\", \"12h\", or a number of seconds".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|number".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &LuaValue, name: &str) -> Result<Self> {
        if let Some(number) = f64::accept(value) {
            return Ok(Length(number));
        }
        let wrong = || Error::argument(name, Self::expected(), describe(value));
        let text = String::accept(value).ok_or_else(wrong)?;
        let span: jiff::Span = text.parse().map_err(|_| wrong())?;
        let start = jiff::civil::date(2000, 1, 1);
        span.total((Unit::Second, start)).map(Length).map_err(|_| wrong())
    }
}

options! {
    /// A stretch of time.
    pub struct Period("catalog.PeriodOptions") {
        /// The first time, UTC: of a day, a month or a year its first moment.
        start: Option<Stretch>,
        /// The last time, UTC; a day, a month or a year means all of it.
        end: Option<Stretch>,
    }
}

impl Period {
    /// Its first moment and its last.
    pub fn ends(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.start.as_ref().map(|s| s.first), self.end.as_ref().map(|s| s.last))
    }
}
