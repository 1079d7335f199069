//! The class Features.

use std::path::PathBuf;
use std::sync::Arc;

use mlua::{Lua, UserDataRef, Value as LuaValue};

use super::feature::OneFeature;
use super::values::{Place, bounds_list, densify, geojson_options};
use crate::bind_class;
use crate::error::{Error, Result, counted};
use crate::lua::rehearsal::is_told;
use crate::lua::args::Options;
use crate::lua::tables::values::{Filter, Names, new_values};
use crate::lua::value::describe;
use crate::lua::{Args, Builder, Class, FromScript, access};
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
            .method("within(area, options?)", within)
            .method("intersecting(place)", |_, this, args| this.intersecting(&args.get::<Place>("place")?.geometry()?))
            .method("clip(place)", |_, this, args| this.clip(&args.get::<Place>("place")?.geometry()?))
            .method("to_crs(crs, options?)", |_, this, args| this.to_crs(&args.get::<Crs>("crs")?, args.options(densify)?))
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
        .method("to_geojson(options?)", |_, this, args| this.to_geojson(&args.options(geojson_options)?))
        .method("write(path, options?)", write)
        .method("rasterize(grid, options?)", rasterize)
        .method("statistics(raster, options?)", |_, this, args| {
            let raster: UserDataRef<Raster> = args.get("raster")?;
            zonal_statistics(&raster, this, &args.options(zonal_options)?)
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

fn within(_: &Lua, this: &Features, args: &Args) -> Result<Features> {
    let crs = args.options(|o| o.get::<Crs>("crs"))?;
    let area: LuaValue = args.get("area")?;
    if let Some(Place(place)) = Place::accept(&area) {
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
    this.within(Bounds { min_x, min_y, max_x, max_y }, crs.as_ref())
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

fn write(lua: &Lua, this: &Features, args: &Args) -> Result<()> {
    let path = access(lua).write(args.get::<PathBuf>("path")?)?;
    let options = args.options(|o| Ok(WriteOptions { layer: o.get("layer")?, geojson: geojson_options(o)?, encoding: o.get("encoding")? }))?;
    match is_told(lua, "write", &path) {
        true => Ok(()),
        false => this.write(&path, &options),
    }
}

fn rasterize(_: &Lua, this: &Features, args: &Args) -> Result<Raster> {
    let grid: Arc<Grid> = args.get("grid")?;
    let (options, name) = args.options(|o| {
        let value = match (o.get::<f64>("value")?, o.get::<String>("property")?) {
            (Some(_), Some(_)) => return Err(Error::message("give value or property, not both")),
            (Some(value), None) => BurnValue::Constant(value),
            (None, Some(name)) => BurnValue::Property(name),
            (None, None) => BurnValue::Constant(1.0),
        };
        let value = if o.get_or("index", false)? { BurnValue::Index } else { value };
        let background = o.get_or("background", f64::NAN)?;
        let all_touched = o.get_or("all_touched", false)?;
        Ok((BurnOptions { value, background, all_touched }, o.get_or("name", "features".to_string())?))
    })?;
    rasterize_image(this, &grid, &name, &options)
}

/// The options of statistics by zone.
pub fn zonal_options(o: &Options) -> Result<ZonalOptions> {
    let default = ZonalOptions::default();
    let statistics = match o.get::<Names>("statistics")? {
        Some(Names(names)) => names.iter().map(|n| Aggregation::parse(n)).collect::<Result<_>>()?,
        None => default.statistics,
    };
    Ok(ZonalOptions {
        statistics,
        classes: o.get_or("classes", false)?,
        all_touched: o.get_or("all_touched", false)?,
    })
}
