//! The class Features.

use std::path::PathBuf;
use std::sync::Arc;

use mlua::{Lua, UserDataRef, Value as LuaValue};

use super::feature::OneFeature;
use super::values::{GeoJson, Shapes, Transform, bounds_list};
use crate::bind_class;
use crate::error::{Error, Result, counted};
use crate::lua::rehearsal::is_told;
use crate::lua::tables::values::{Filter, Names, new_values};
use crate::lua::value::describe;
use crate::lua::spec::ValueType;
use crate::lua::{Args, Builder, Class, FromScript, access};
use crate::options;
use crate::raster::{Bounds, Crs, Grid, Raster};
use crate::table::{Aggregation, Table};
use crate::vector::{BurnOptions, BurnValue, Features, WriteOptions, ZonalOptions, rasterize_image, zonal_statistics};
use crate::work::{Display, Form};

bind_class!(Features);

impl Class for Features {
    const NAME: &'static str = "Features";

    fn define(c: &mut Builder<Self>) {
        c.field("crs", |_, this| Ok(this.crs.as_ref().map(|crs| crs.name().to_string())))
            .field("names", |lua, this| Ok(lua.create_sequence_from(this.property_names())?))
            .length(Features::len)
            .items(|lua, this, index| {
                let one = usize::try_from(index - 1).ok().and_then(|i| OneFeature::of(this, i));
                one.map(|feature| feature.into_value(lua)).transpose()
            })
            .text(|this| this.to_string().lines().next().unwrap_or_default().to_string())
            .listing(|this| {
                let (head, table) = (this.to_string(), this.to_table()?.head(5));
                Ok(match table.columns().is_empty() {
                    true => Display::new(head),
                    false => Display::new(format!("{head}\n{table}"))
                        .with(Form::Html, move || Ok(Some(table.html_below(&head).into()))),
                })
            });
        c.method("filter(condition)", filter)
            .method_with("within(area, options?)", within)
            .method("intersecting(place)", |_, this, args| this.intersecting(&args.get::<Shapes>("place")?.geometry()?))
            .method("clip(place)", |_, this, args| this.clip(&args.get::<Shapes>("place")?.geometry()?))
            .method_with("to_crs(crs, options?)", |_, this, args, o: Transform| {
                this.to_crs(&args.get::<Crs>("crs")?, o.densify)
            })
            .method("set_crs(crs)", |_, this, args| Ok(Features { crs: Some(args.get("crs")?), ..this.clone() }))
            .method("make_valid()", |_, this, _| this.make_valid())
            .method("bounds()", |lua, this, _| bounds_list(lua, this.bounds()))
            .method("union()", |_, this, _| this.union())
            .method("points()", |lua, this, _| {
                let points = this.points()?.into_iter().map(|(x, y)| [x, y]);
                Ok(lua.create_sequence_from(points)?)
            });
        c.method("with_property(name, values)", |lua, this, args| {
            let given: LuaValue = args.get("values")?;
            let values = new_values(&given, this.len(), |i| match OneFeature::of(this, i) {
                Some(feature) => feature.into_value(lua),
                None => Ok(LuaValue::Nil),
            })?;
            let name: String = args.get("name")?;
            let mut out = this.clone();
            out.features.iter_mut().zip(values).for_each(|(f, value)| f.properties.set(name.clone(), value));
            Ok(out)
        })
        .method("with_table(table)", with_table)
        .method("append(other)", |_, this, args| {
            let other: Features = args.get("other")?;
            this.append(&other)
        })
        .method("table()", |_, this, _| this.to_table())
        .method_with("to_geojson(options?)", |_, this, _, o: GeoJson| this.to_geojson(&o.into()))
        .method_with("write(path, options?)", write)
        .method_with("rasterize(grid, options?)", rasterize)
        .method_with("statistics(raster, options?)", |_, this, args, o: Zonal| {
            let raster: UserDataRef<Raster> = args.get("raster")?;
            zonal_statistics(&raster, this, &o.into())
        });
    }
}

fn filter(lua: &Lua, this: &Features, args: &Args) -> Result<Features> {
    match args.get("condition")? {
        Filter::Equal(wanted) => {
            let mut out = this.clone();
            for (name, value) in wanted {
                if !this.is_empty() && !this.property_names().contains(&name) {
                    return Err(Error::not_found("property", name, this.property_names()));
                }
                out = out.having(&name, &value)?;
            }
            Ok(out)
        }
        Filter::Function(function) => this.filter(|i, _| {
            let Some(feature) = OneFeature::of(this, i) else { return Ok(false) };
            let keep: LuaValue = function.call((feature.into_value(lua)?, i + 1))?;
            Ok(!matches!(keep, LuaValue::Nil | LuaValue::Boolean(false)))
        }),
    }
}

options! {
    struct Within("Features.WithinOptions") {
        /// The CRS of the bounds, where they are a list. Default: that of the features.
        crs: Option<Crs>,
    }
}

fn within(_: &Lua, this: &Features, args: &Args, o: Within) -> Result<Features> {
    let area: LuaValue = args.get("area")?;
    if let Some(Shapes(place)) = Shapes::accept(&area) {
        let turn = place.crs.as_ref().and_then(Crs::turn);
        let mut bounds = place
            .arc_bounds(turn)
            .ok_or_else(|| Error::argument("area", "one that is not empty", "an empty one"))?;
        // West is greater than east where the area crosses the antimeridian.
        if let Some(turn) = turn.filter(|turn| bounds.max_x > turn / 2.0 && bounds.width() < *turn) {
            bounds.max_x -= turn;
        }
        return this.within(bounds, place.crs.as_ref());
    }
    let Some([min_x, min_y, max_x, max_y]) = <[f64; 4]>::accept(&area) else {
        let expected = "bounds { min_x, min_y, max_x, max_y }, a Geometry or Features";
        return Err(Error::argument("area", expected, describe(&area)));
    };
    this.within(Bounds { min_x, min_y, max_x, max_y }, o.crs.as_ref())
}

fn with_table(_: &Lua, this: &Features, args: &Args) -> Result<Features> {
    let table: UserDataRef<Table> = args.get("table")?;
    if table.rows() != this.len() {
        let expected = format!("one of {}, one a feature", counted(this.len(), "row"));
        return Err(Error::argument("table", expected, table.rows()));
    }
    let mut out = this.clone();
    for (row, feature) in out.features.iter_mut().enumerate() {
        for (name, value) in table.row(row) {
            feature.properties.set(name, value);
        }
    }
    Ok(out)
}

options! {
    pub struct Writing("Features.WriteOptions") {
        ..geojson: GeoJson,
        /// The name of the layer. Default: that of the file.
        layer: Option<String>,
        /// For Shapefiles: the encoding of their text, which a file `.cpg` beside them says. Default `"UTF-8"`.
        encoding: Option<String>,
    }
}

impl From<Writing> for WriteOptions {
    fn from(o: Writing) -> WriteOptions {
        WriteOptions {
            layer: o.layer,
            geojson: o.geojson.into(),
            encoding: o.encoding,
        }
    }
}

fn write(lua: &Lua, this: &Features, args: &Args, o: Writing) -> Result<()> {
    let path = access(lua).write(args.get::<PathBuf>("path")?)?;
    match is_told(lua, "write", &path) {
        true => Ok(()),
        false => this.write(&path, &o.into()),
    }
}

options! {
    struct Burning("Features.RasterizeOptions") {
        /// What the features give to their pixels. Default 1.
        value: Option<f64>,
        /// A property to take the value from, a number or a boolean.
        property: Option<String>,
        /// Take the position of each feature, from 1.
        index: bool = false,
        /// The value where no feature is. Default: masked.
        background: Option<f64>,
        /// Take every pixel that a feature touches, not only those whose centre it covers.
        all_touched: bool = false,
        /// The name of the band.
        name: String = "features".to_string(),
    }
}

fn rasterize(_: &Lua, this: &Features, args: &Args, o: Burning) -> Result<Raster> {
    let grid: Arc<Grid> = args.get("grid")?;
    let value = match (o.value, o.property) {
        (Some(_), Some(_)) => return Err(Error::message("give value or property, not both")),
        _ if o.index => BurnValue::Index,
        (Some(value), None) => BurnValue::Constant(value),
        (None, Some(name)) => BurnValue::Property(name),
        (None, None) => BurnValue::Constant(1.0),
    };
    let options = BurnOptions {
        value,
        background: o.background.unwrap_or(f64::NAN),
        all_touched: o.all_touched,
    };
    rasterize_image(this, &grid, &o.name, &options)
}

options! {
    pub struct Zonal("Features.StatisticsOptions") {
        /// Of `count`, `sum`, `mean`, `std` (of the population), `min`, `max`, `median`, `p90` (any percentile, exact).
        statistics: Statistics = Statistics(ZonalOptions::default().statistics),
        /// Also the number of pixels of each value, as columns `class_3`…, for bands of whole numbers.
        classes: bool = false,
        /// Take every pixel that a feature touches, not only those whose centre it covers.
        all_touched: bool = false,
    }
}

impl From<Zonal> for ZonalOptions {
    fn from(o: Zonal) -> ZonalOptions {
        ZonalOptions {
            statistics: o.statistics.0,
            classes: o.classes,
            all_touched: o.all_touched,
        }
    }
}

/// What is computed of each zone: one name or a list.
pub struct Statistics(Vec<Aggregation>);

impl FromScript for Statistics {
    fn expected() -> String {
        Names::expected()
    }
    fn kind() -> ValueType {
        ValueType::Of("ZonalStatistic|ZonalStatistic[]".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &LuaValue, name: &str) -> Result<Self> {
        let Names(names) = Names::from_script(value, name)?;
        let found = names.iter().map(|name| Aggregation::parse(name));
        found.collect::<Result<_>>().map(Statistics)
    }
    fn literal(&self) -> serde_json::Value {
        self.0.iter().map(Aggregation::name).collect()
    }
}
