//! `raster.write_netcdf`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mlua::{Lua, Table, Value};

use crate::error::{Error, Result};
use crate::lua::rehearsal::are_told;
use crate::lua::access;
use crate::lua::args::{Args, Options};
use crate::lua::value::{FromScript, describe};
use crate::raster::file::netcdf::{
    self, Attribute, Attributes, CONVENTIONS, Definition, Fill, Header, LEVEL, NetCdf, Variable,
};
use crate::raster::element::kind_of;
use crate::raster::stack::{Cube, Stack};
use crate::raster::{DType, Kind, Raster};

/// `raster.write_netcdf(path, variables, options?)`
pub fn write(lua: &Lua, args: &Args) -> Result<String> {
    let path: PathBuf = args.get("path")?;
    let variables: Vec<Table> = args.get("variables")?;
    let variables = variables
        .into_iter()
        .enumerate()
        .map(|(i, table)| {
            Options::read(&Value::Table(table), &format!("variables[{}]", i + 1), variable)
        })
        .collect::<Result<_>>()?;
    let contents = args.options(|o| contents(o, variables, None))?;
    write_contents(lua, &path, &contents)
}

/// `stack:write(path, options?)`
pub fn write_stack(lua: &Lua, stack: &Stack, args: &Args) -> Result<String> {
    let path: PathBuf = args.get("path")?;
    let contents = args.options(|o| {
        let (dtype, fill) = (o.get::<String>("dtype")?, o.get::<f64>("fill")?);
        let dtype = dtype.map(|name| DType::parse(&name)).transpose()?;
        let Cube { times, bands } = stack.cube()?;
        let variables = bands.into_iter().map(|(name, images)| {
            let stated: Vec<DType> = images.iter().flat_map(|i| &i.bands).map(|b| b.dtype).collect();
            // A float type where the images differ.
            let one = stated.first().copied().filter(|first| stated.iter().all(|dtype| dtype == first));
            let wide = stated.iter().any(|dtype| kind_of(*dtype) == Kind::F64);
            let dtype = dtype.or(one).unwrap_or(if wide { DType::F64 } else { DType::F32 });
            let band = images.first().and_then(|image| image.bands.first());
            let unit = band.map(|band| band.unit.symbol().to_string()).filter(|unit| !unit.is_empty());
            let what = Definition {
                name,
                fill: fill_value(fill, band.and_then(|band| band.nodata), dtype)?,
                dtype,
                attributes: unit.into_iter().map(|unit| ("units".to_string(), Attribute::Text(unit))).collect(),
            };
            Ok(Variable { what, images })
        });
        let mut contents = contents(o, variables.collect::<Result<_>>()?, Some(times))?;
        let stated = &mut contents.header.attributes;
        if !stated.iter().any(|(name, _)| name == "Conventions") {
            stated.push(("Conventions".to_string(), Attribute::Text(CONVENTIONS.to_string())));
        }
        Ok(contents)
    })?;
    write_contents(lua, &path, &contents)
}

fn write_contents(lua: &Lua, path: &Path, contents: &NetCdf) -> Result<String> {
    let target = access(lua).write(path)?;
    let images: Vec<Raster> = contents.variables.iter().flat_map(|v| v.images.iter().cloned()).collect();
    if !are_told(lua, &target, &images)? {
        netcdf::write(&target, contents)?;
    }
    Ok(path.display().to_string())
}

fn contents(o: &Options, variables: Vec<Variable>, times: Option<Vec<Timestamp>>) -> Result<NetCdf> {
    Ok(NetCdf {
        variables,
        header: Header {
            times,
            records: records(o)?,
            attributes: attributes(o, "attributes")?,
            mapping: o.get_or("mapping", "mapping".to_string())?,
        },
        chunk_rows: o.count("chunk_rows")?,
        level: o.checked("level", "from 1 to 9", |n: &u32| (1..=9).contains(n))?.unwrap_or(LEVEL),
    })
}

/// What stands for masked pixels: what was asked for, or the band's own, or NaN, or an end of the type's range.
fn fill_value(asked: Option<f64>, own: Option<f64>, dtype: DType) -> Result<Fill> {
    let value = match (asked.or(own), dtype.integer_range()) {
        (Some(fill), Some((low, high))) if !(low..=high).contains(&fill) || fill.fract() != 0.0 => {
            return Err(Error::argument("fill", format!("a whole number that {dtype} holds"), fill));
        }
        (Some(fill), _) => fill,
        (None, Some((low, _))) if low < 0.0 => low,
        (None, Some((_, high))) => high,
        (None, None) => f64::NAN,
    };
    Ok(match (asked, dtype.integer_range()) {
        (None, Some(_)) => Fill::Default(value),
        _ => Fill::Given(value),
    })
}

fn variable(o: &Options) -> Result<Variable> {
    let image: Raster = o.require("image")?;
    let band = image.only_band("image")?;
    let dtype = match o.get::<String>("dtype")? {
        Some(name) => DType::parse(&name)?,
        None => band.dtype,
    };
    let what = Definition {
        name: o.get("name")?.unwrap_or_else(|| band.name.clone()),
        attributes: attributes(o, "attributes")?,
        dtype,
        fill: fill_value(o.get("fill")?, None, dtype)?,
    };
    Ok(Variable {
        what,
        images: vec![image],
    })
}

fn records(o: &Options) -> Result<Vec<(String, Attributes)>> {
    let list: Vec<Table> = o.get("records")?.unwrap_or_default();
    list.into_iter()
        .enumerate()
        .map(|(i, table)| {
            Options::read(&Value::Table(table), &format!("records[{}]", i + 1), |o| {
                Ok((o.require("name")?, attributes(o, "attributes")?))
            })
        })
        .collect()
}

/// By their names, since a Lua table has no order.
fn attributes(o: &Options, name: &str) -> Result<Attributes> {
    let Some(table) = o.get::<Table>(name)? else {
        return Ok(Attributes::new());
    };
    let mut out = Attributes::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let key = String::from_script(&key, &format!("each name in {name}"))?;
        let value = attribute(&value, &format!("{name}.{key}"))?;
        out.push((key, value));
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(out)
}

fn attribute(value: &Value, name: &str) -> Result<Attribute> {
    Ok(match value {
        Value::String(_) => Attribute::Text(String::from_script(value, name)?),
        Value::Integer(v) => Attribute::Integer(*v),
        Value::Number(v) => Attribute::Number(*v),
        Value::Table(_) => Attribute::Flags(Vec::from_script(value, name)?),
        other => {
            return Err(Error::argument(
                name,
                "a string, a number, or a list of whole numbers",
                describe(other),
            ));
        }
    })
}
