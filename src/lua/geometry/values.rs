//! Geometries, features, positions and properties as Lua values and back.

use geo::Coord;
use mlua::{Lua, Table as LuaTable, UserDataRef, Value as LuaValue};

use crate::error::{Error, Result};
use crate::lua::tables::values::to_lua;
use crate::lua::value::{FromScript, describe};
use crate::lua::spec::ValueType;
use crate::options;
use crate::raster::Bounds;
use crate::table::Value;
use crate::vector::{Features, GeoJsonOptions, Geometry, Properties};

impl FromScript for Geometry {
    fn expected() -> String {
        "a Geometry".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Geometry".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        match UserDataRef::<Geometry>::accept(value) {
            Some(geometry) => Some(geometry.clone()),
            None => UserDataRef::<super::feature::OneFeature>::accept(value)?.0.geometry(0),
        }
    }
}

impl FromScript for Features {
    fn expected() -> String {
        "Features (see the module geometry)".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Features".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        match UserDataRef::<Features>::accept(value) {
            Some(features) => Some(features.clone()),
            None => match UserDataRef::<super::feature::OneFeature>::accept(value) {
                Some(feature) => Some(feature.0.clone()),
                None => Geometry::accept(value).map(Features::from_geometry),
            },
        }
    }
}

/// Some part of the map: a geometry, or features taken as one.
pub struct Shapes(pub Features);

impl FromScript for Shapes {
    fn expected() -> String {
        "a Geometry or Features".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Geometry|Features".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Features::accept(value).map(Shapes)
    }
}

impl Shapes {
    /// One geometry that covers it.
    pub fn geometry(self) -> Result<Geometry> {
        match self.0.geometry(0) {
            Some(geometry) if self.0.len() == 1 => Ok(geometry),
            _ => self.0.union(),
        }
    }
}

/// `{ { x, y }, { x, y }, … }`.
pub fn positions(value: &LuaValue, name: &str, least: usize) -> Result<Vec<Coord>> {
    let list = Vec::<LuaValue>::accept(value).filter(|l| l.len() >= least).ok_or_else(|| {
        let expected = format!("a list of at least {least} positions {{ x, y }}");
        Error::argument(name, expected, describe(value))
    })?;
    let one = |(i, value): (usize, &LuaValue)| {
        let label = format!("{name}[{}]", i + 1);
        let [x, y] = <[f64; 2]>::from_script(value, &label)?;
        match x.is_finite() && y.is_finite() {
            true => Ok(Coord { x, y }),
            false => Err(Error::argument(label, "two finite numbers", format!("{{ {x}, {y} }}"))),
        }
    };
    list.iter().enumerate().map(one).collect()
}

pub fn bounds_list(lua: &Lua, bounds: Option<Bounds>) -> Result<Option<LuaTable>> {
    bounds.map(|b| Ok(lua.create_sequence_from([b.min_x, b.min_y, b.max_x, b.max_y])?)).transpose()
}

/// By name; a table of the script's has no order, so names come alphabetically.
pub fn properties(value: &LuaValue, name: &str) -> Result<Properties> {
    let mut pairs = Vec::new();
    match value {
        LuaValue::Nil => {}
        LuaValue::Table(table) => {
            for pair in table.pairs::<LuaValue, LuaValue>() {
                let (key, value) = pair?;
                let key = String::from_script(&key, &format!("a name in {name}"))?;
                let value = Value::from_script(&value, &format!("{name}.{key}"))?;
                pairs.push((key, value));
            }
        }
        other => return Err(Error::argument(name, "a table of values by name", describe(other))),
    }
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(pairs.into_iter().collect())
}

pub fn properties_table(lua: &Lua, properties: &Properties) -> Result<LuaTable> {
    let out = lua.create_table()?;
    for (name, value) in properties.iter() {
        out.raw_set(name, to_lua(lua, value)?)?;
    }
    Ok(out)
}

options! {
    pub struct GeoJson("geometry.GeoJsonOptions") {
        /// Of GeoJSON: coordinates rounded to this many decimals. Default: so that they read back the same.
        decimals: Option<u32>; GeoJsonOptions::DECIMALS,
        /// Of GeoJSON: leave the coordinates in their CRS and name it in a `crs` member, as GeoJSON did in 2008, rather than write
        /// longitude and latitude.
        keep_crs: bool = false,
    }
}

impl From<GeoJson> for GeoJsonOptions {
    fn from(o: GeoJson) -> GeoJsonOptions {
        GeoJsonOptions {
            decimals: o.decimals,
            keep_crs: o.keep_crs,
        }
    }
}

options! {
    pub struct Transform("geometry.TransformOptions") {
        /// Adds vertices first, so that no edge is longer than this, in units of the present CRS: straight edges become curves in
        /// another CRS. Default: vertices only.
        densify: Option<f64>; Geometry::LONGEST_EDGES,
    }
}
