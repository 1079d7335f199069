//! Raster's methods on connected regions: polygons of classes, and what hangs together with seeds.

use std::path::PathBuf;

use mlua::{Lua, Value};

use crate::error::{Domain, Error, Result};
use crate::lua::args::Args;
use crate::lua::class::Builder;
use crate::lua::geometry::features::Writing;
use crate::lua::rehearsal::is_told;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::lua::access;
use crate::options;
use crate::raster::Raster;
use crate::raster::grow::grow;
use crate::raster::sieve::sieve;
use crate::vector::{Features, PolygonizeOptions, polygonize, write_polygons};

pub fn define(c: &mut Builder<Raster>) {
    c.method_with("polygonize(options?)", |_, this, _, o: Polygonize| -> Result<Features> {
        polygonize(this, o.mean.as_ref(), &o.options())
    })
    .method_with("write_polygons(path, options?)", write)
    .method_with("grow(within, options?)", |_, this, args, o: Growing| {
        grow(this, &args.get::<Raster>("within")?, o.connectivity.by_corners)
    })
    .method_with("sieve(options)", |_, this, _, o: Sieving| {
        sieve(this, o.minimum_pixels.into(), o.connectivity.by_corners)
    });
}

options! {
    struct Polygonize("raster.PolygonizeOptions") {
        /// 4: pixels that share an edge are one region. 8: those that meet in a corner, too.
        connectivity: Connectivity = Connectivity { by_corners: false },
        /// The values wanted, as a list or by name, `{ water = 1 }`, which makes a property `class_name`. Default all.
        classes: Option<Classes>,
        /// Regions with less are left out, m²; square units of the coordinates of images without CRS.
        minimum_area: f64 = 0.0; Domain::at_least(0.0),
        /// Regions with fewer pixels are left out.
        minimum_pixels: u32 = 1,
        /// Fewer corners: those go whose triangle with their neighbours is smaller than a square of this side, in units of the CRS.
        simplify: Option<f64>; Domain::above(0.0),
        /// Another image on the grid, such as a probability: of each of its bands a property, `probability_mean`.
        mean: Option<Raster>,
    }
}

impl Polygonize {
    fn options(&self) -> PolygonizeOptions {
        PolygonizeOptions {
            by_corners: self.connectivity.by_corners,
            classes: self.classes.as_ref().map(|Classes(list)| list.clone()),
            minimum_area: self.minimum_area,
            minimum_pixels: self.minimum_pixels.into(),
            simplify: self.simplify,
        }
    }
}

options! {
    struct WritePolygons("raster.WritePolygonsOptions") {
        ..polygonize: Polygonize,
        ..writing: Writing,
    }
}

fn write(lua: &Lua, this: &Raster, args: &Args, o: WritePolygons) -> Result<u64> {
    let path = access(lua).write(args.get::<PathBuf>("path")?)?;
    match is_told(lua, "write", &path) {
        true => Ok(0),
        false => write_polygons(
            this,
            o.polygonize.mean.as_ref(),
            &o.polygonize.options(),
            &path,
            &o.writing.into(),
        ),
    }
}

options! {
    struct Growing("raster.GrowOptions") {
        /// 4: through pixels that share an edge. 8: through corners, too.
        connectivity: Connectivity = Connectivity { by_corners: false },
    }
}

options! {
    struct Sieving("raster.SieveOptions") {
        /// Patches with fewer pixels go.
        minimum_pixels: u32,
        /// 4: pixels that share an edge are one patch. 8: those that meet in a corner, too.
        connectivity: Connectivity = Connectivity { by_corners: false },
    }
}

#[derive(Clone, Copy)]
struct Connectivity {
    by_corners: bool,
}

impl FromScript for Connectivity {
    fn expected() -> String {
        "4 (pixels that share an edge) or 8 (or a corner)".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("4|8".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match f64::accept(value)? {
            4.0 => Some(Connectivity { by_corners: false }),
            8.0 => Some(Connectivity { by_corners: true }),
            _ => None,
        }
    }
    fn literal(&self) -> serde_json::Value {
        if self.by_corners { 8.into() } else { 4.into() }
    }
}

/// Values of pixels, with the names of those that have one.
struct Classes(Vec<(i64, Option<String>)>);

impl FromScript for Classes {
    fn expected() -> String {
        "a list of whole numbers, or whole numbers by name, { water = 1 }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("integer[]|table<string, integer>".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let bad = |got: &Value| Error::argument(name, Self::expected(), describe(got));
        let Value::Table(table) = value else { return Err(bad(value)) };
        let mut classes = Vec::new();
        for pair in table.pairs::<Value, Value>() {
            let (key, class) = pair?;
            let number = i64::accept(&class).ok_or_else(|| bad(&class))?;
            classes.push((number, key.as_string().map(|text| text.to_string_lossy())));
        }
        // Tables have no order.
        classes.sort_unstable();
        match classes.is_empty() {
            true => Err(bad(value)),
            false => Ok(Classes(classes)),
        }
    }
}
