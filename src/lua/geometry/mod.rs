//! Module `geometry`: shapes with a CRS, features with properties, vector files.

mod feature;
pub mod features;
mod shape;
pub mod values;

use std::path::PathBuf;

use geo::{Coord, LineString, Polygon};
use mlua::{Lua, Value as LuaValue};

use self::values::positions;
use super::{Args, FromScript, Module, Options, access};
use crate::error::{Error, Result};
use crate::lua::value::describe;
use crate::options;
use crate::raster::{Bounds, Crs};
use crate::vector::{Features, Geometry, Properties, ReadOptions};

pub use self::values::Shapes;

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<Geometry>();
    m.class::<Features>();
    m.class::<feature::OneFeature>();
    m.function_with("read(path, options?)", read)?;
    m.function("from_geojson(text)", |_, args| Features::from_geojson(&args.get::<String>("text")?))?;
    m.function("from_wkt(text, crs?)", |_, args| {
        let geometry = Geometry::from_wkt(&args.get::<String>("text")?)?;
        Ok(match args.get::<Option<Crs>>("crs")? {
            Some(crs) => geometry.with_crs(crs),
            None => geometry,
        })
    })?;
    m.function("point(x, y, crs?)", |_, args| Geometry::point(args.get("x")?, args.get("y")?, crs(args)?))?;
    m.function("bbox(min_x, min_y, max_x, max_y, crs?)", |_, args| {
        let bounds = Bounds {
            min_x: args.get("min_x")?,
            min_y: args.get("min_y")?,
            max_x: args.get("max_x")?,
            max_y: args.get("max_y")?,
        };
        Geometry::bbox(bounds, crs(args)?)
    })?;
    m.function("line(positions, crs?)", |_, args| {
        let line = positions(&args.get("positions")?, "positions", 2)?;
        Ok(Geometry::new(LineString::new(line), crs(args)?))
    })?;
    m.function("polygon(ring, crs?, holes?)", |_, args| {
        let ring: Vec<Coord> = positions(&args.get("ring")?, "ring", 3)?;
        let holes: Vec<LuaValue> = args.get::<Option<Vec<LuaValue>>>("holes")?.unwrap_or_default();
        let holes = holes.iter().enumerate().map(|(i, hole)| {
            positions(hole, &format!("holes[{}]", i + 1), 3).map(LineString::new)
        });
        let polygon = Polygon::new(LineString::new(ring), holes.collect::<Result<_>>()?);
        Ok(Geometry::new(polygon, crs(args)?))
    })?;
    m.function("features(list)", collect)?;
    Ok(())
}

/// Longitude and latitude where nothing else is said.
fn crs(args: &Args) -> Result<Option<Crs>> {
    match args.get::<Option<Crs>>("crs")? {
        Some(crs) => Ok(Some(crs)),
        None => Crs::wgs84().map(Some),
    }
}

options! {
    struct Reading("geometry.ReadOptions") {
        /// The layer, where the file has several.
        layer: Option<String>,
        /// A condition on the attributes in SQL: `"Area > 1.5 AND Name LIKE 'K%'"`.
        r#where: Option<String>,
        /// In the layer's CRS: only features whose own bounds meet these.
        bounds: Option<Bounds>,
        /// For Shapefiles: the encoding of their text, such as `"ISO-8859-1"` or `"CP1252"`. Default: what the file says (`.cpg`, or
        /// the head of `.dbf`); where it says nothing UTF-8 if all text can be that, else ISO-8859-1.
        encoding: Option<String>,
    }
}

fn read(lua: &Lua, args: &Args, o: Reading) -> Result<Features> {
    let path = access(lua).read(args.get::<PathBuf>("path")?)?;
    let options = ReadOptions {
        layer: o.layer,
        filter: o.r#where,
        bounds: o.bounds,
        encoding: o.encoding,
    };
    Features::read(&path, &options)
}

/// Geometries, or tables `{ geometry = …, properties = { … }, id = … }`.
fn collect(_: &Lua, args: &Args) -> Result<Features> {
    let list: Vec<LuaValue> = args.get("list")?;
    let mut geometries = Vec::new();
    let mut rest = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let label = format!("list[{}]", index + 1);
        if let Some(geometry) = Geometry::accept(entry) {
            geometries.push(geometry);
            rest.push((Properties::new(), None));
            continue;
        }
        if !entry.is_table() {
            let expected = "a Geometry, or { geometry = …, properties = { … } }";
            return Err(Error::argument(label, expected, describe(entry)));
        }
        let (geometry, properties, id) =
            Options::read(entry, &label, |o| Ok((o.raw("geometry")?, o.raw("properties")?, o.raw("id")?)))?;
        geometries.push(Geometry::from_script(&geometry, &format!("{label}.geometry"))?);
        let properties = values::properties(&properties, &format!("{label}.properties"))?;
        let id = crate::table::Value::from_script(&id, &format!("{label}.id"))?;
        rest.push((properties, Some(id).filter(|id| !id.is_missing())));
    }
    let mut out = Features::from_geometries(geometries)?;
    for (feature, (properties, id)) in out.features.iter_mut().zip(rest) {
        feature.properties = properties;
        feature.id = id;
    }
    Ok(out)
}
