//! The class Raster: what an image is, its bands, its metadata and its operators.

use mlua::{Function, MetaMethod, Table, UserDataRef, Value};

use super::values::{band_names, properties_table, property_value, set_properties, set_property, time_text};
use super::over_time::{ARITHMETIC, operate};
use super::{classes, elements, exchange, output, place, regions, sample, show};
use crate::bind_class;
use crate::error::{Error, Result};
use crate::lua::class::{Builder, Class};
use crate::lua::plot;
use crate::lua::value::FromScript;
use crate::raster::element::Unary;
use crate::raster::bits;
use crate::raster::math;
use crate::raster::{Band, Crs, Raster, Unit};

bind_class!(Raster);

impl Class for Raster {
    const NAME: &'static str = "Raster";

    fn define(c: &mut Builder<Self>) {
        fields(c);
        operators(c);
        bands(c);
        metadata(c);
        elements::define(c);
        place::define(c);
        output::define(c);
        exchange::define(c);
        regions::define(c);
        sample::define(c);
        plot::raster_methods(c);
    }
}

fn fields(c: &mut Builder<Raster>) {
    c.field("grid", |_, this| Ok(this.grid.as_ref().clone()))
        .field("rows", |_, this| Ok(this.grid.rows))
        .field("cols", |_, this| Ok(this.grid.cols))
        .field("crs", |_, this| {
            Ok(this.grid.crs.as_ref().map(|crs| crs.name().to_string()))
        })
        .field("bands", |_, this| {
            Ok(this.bands.iter().map(|b| b.name.clone()).collect::<Vec<_>>())
        })
        .field("units", |lua, this| {
            let named = this.bands.iter().map(|b| (b.name.as_str(), b.unit.symbol()));
            Ok(lua.create_table_from(named)?)
        })
        .field("dtypes", |lua, this| {
            let named = this.bands.iter().map(|b| (b.name.as_str(), b.dtype.name()));
            Ok(lua.create_table_from(named)?)
        })
        .field("classes", classes::field)
        .field("time", |_, this| Ok(time_text(this.time)))
        .field("properties", |lua, this| properties_table(lua, &this.properties))
        .dynamic_fields(
            |lua, this, name| {
                if let Some(band) = this.bands.iter().find(|b| b.name == name) {
                    let raster = this.with_bands(vec![band.clone()]);
                    return Ok(Some(Value::UserData(lua.create_userdata(raster)?)));
                }
                let property = this.properties.get(name);
                property.map(|p| property_value(lua, p)).transpose()
            },
            |this| {
                let bands = this.bands.iter().map(|b| b.name.clone());
                bands.chain(this.properties.keys().cloned()).collect()
            },
        )
        .text(one_line)
        .show(|_, this| Ok(show::display(this)));
}

fn operators(c: &mut Builder<Raster>) {
    for (method, op) in ARITHMETIC {
        c.operator(method, move |lua, args| operate(lua, args, op));
    }
    for (method, sign) in [(MetaMethod::Shl, 1), (MetaMethod::Shr, -1)] {
        c.operator(method, move |_, args| {
            let places = args.checked("right", "a whole number of bits from 0 to 63", |n: &i64| (0..64).contains(n))?;
            bits::shift(&*args.get::<UserDataRef<Raster>>("left")?, sign * places)
        });
    }
    c.operator(MetaMethod::Eq, |_, _| {
        Err::<bool, _>(Error::message("`==` asks whether two names mean one object; to compare pixels write `a:eq(b)`"))
    });
    for (method, op) in [(MetaMethod::Unm, Unary::Negate), (MetaMethod::BNot, Unary::Not)] {
        c.operator(method, move |_, args| {
            math::unary(&*args.get::<UserDataRef<Raster>>("left")?, op)
        });
    }
    for (method, way_out) in [
        (MetaMethod::Lt, "`a:lt(b)`, or `a:gt(b)` for a > b"),
        (MetaMethod::Le, "`a:le(b)`, or `a:ge(b)` for a >= b"),
    ] {
        c.operator(method, move |_, _| {
            Err::<bool, _>(Error::message(format!(
                "Lua's comparisons give true or false, not an image; write {way_out}"
            )))
        });
    }
}

fn bands(c: &mut Builder<Raster>) {
    c.method("select(...)", |_, this, args| {
        this.select(&band_names(this, args.rest())?)
    })
    .method("rename(...)", |_, this, args| {
        let renamed = match args.rest() {
            [Value::Table(map)] if map.raw_len() == 0 => renamed_by_map(this, map)?,
            [Value::Table(list)] => Vec::from_script(&Value::Table(list.clone()), "names")?,
            names => names
                .iter()
                .map(|name| String::from_script(name, "name"))
                .collect::<Result<_>>()?,
        };
        this.rename(&renamed)
    })
    .method("add_bands(...)", |_, this, args| {
        let mut all = this.clone();
        for other in args.rest() {
            all = all.add_bands(&Raster::from_script(other, "other")?)?;
        }
        Ok(all)
    })
    .method("map_bands(fn)", |_, this, args| {
        let function: Function = args.get("fn")?;
        let mut all: Option<Raster> = None;
        for band in &this.bands {
            let one = this.with_bands(vec![band.clone()]);
            let result: Value = function.call((one, band.name.as_str()))?;
            let result = Raster::from_script(&result, "what fn returns")?;
            all = Some(match all {
                None => result,
                Some(all) => all.add_bands(&result)?,
            });
        }
        Ok(all.unwrap_or_else(|| this.clone()))
    })
    .method("set_unit(unit)", |_, this, args| match args.get::<Value>("unit")? {
        Value::Table(map) => {
            let mut raster = this.clone();
            for pair in map.pairs::<Value, Value>() {
                let (name, unit) = pair?;
                let name = String::from_script(&name, "band")?;
                this.band(&name)?;
                let unit = Unit::from_script(&unit, &format!("unit.{name}"))?;
                for band in raster.bands.iter_mut().filter(|b| b.name == name) {
                    band.unit = unit.clone();
                }
            }
            Ok(raster)
        }
        unit => Ok(this.with_unit(&Unit::from_script(&unit, "unit")?)),
    })
    .method("set_classes(classes, band?)", |_, this, args| classes::set(this, args));
}

/// New names of all bands from a table { old = new }.
fn renamed_by_map(raster: &Raster, map: &Table) -> Result<Vec<String>> {
    let mut names: Vec<String> = raster.bands.iter().map(|b| b.name.clone()).collect();
    for pair in map.pairs::<Value, Value>() {
        let (old, new) = pair?;
        let old = String::from_script(&old, "band")?;
        let new = String::from_script(&new, &format!("new name of `{old}`"))?;
        raster.band(&old)?;
        for (name, band) in names.iter_mut().zip(&raster.bands) {
            if band.name == old {
                *name = new.clone();
            }
        }
    }
    Ok(names)
}

fn metadata(c: &mut Builder<Raster>) {
    c.method("set_crs(crs)", |_, this, args| {
        this.set_crs(args.get::<Crs>("crs")?)
    })
    .method("set_time(time)", |_, this, args| {
        let time = args.get("time")?;
        Ok(Raster { time, ..this.clone() })
    })
    .method("set(name, value?)", |_, this, args| {
        let mut raster = this.clone();
        match args.get::<Value>("name")? {
            Value::Table(values) => set_properties(&mut raster, &values)?,
            name => {
                let name = String::from_script(&name, "name")?;
                match args.get::<Value>("value")? {
                    Value::Nil => {
                        raster.properties.remove(&name);
                    }
                    value => set_property(&mut raster, &name, &value)?,
                }
            }
        }
        Ok(raster)
    })
    .method("get(name, default?)", |lua, this, args| {
        let name: String = args.get("name")?;
        match (this.properties.get(&name), args.get::<Value>("default")?) {
            (Some(property), _) => property_value(lua, property),
            (None, Value::Nil) => Err(Error::not_found("property", name, this.properties.keys())),
            (None, default) => Ok(default),
        }
    });
}

fn one_line(raster: &Raster) -> String {
    let bands: Vec<String> = raster.bands.iter().map(describe_band).collect();
    format!("Raster {} × {} (rows × cols){}: {}", raster.grid.rows, raster.grid.cols, crs_part(raster), bands.join(", "))
}

fn crs_part(raster: &Raster) -> String {
    raster.grid.crs.as_ref().map_or(String::new(), |crs| format!(", {crs}"))
}

fn describe_band(band: &Band) -> String {
    match band.unit.symbol() {
        "" => format!("{} ({})", band.name, band.dtype),
        unit => format!("{} ({}, {unit})", band.name, band.dtype),
    }
}
