//! `raster.write_netcdf`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mlua::{Lua, Table, Value};

use crate::error::{Domain, Error, Result};
use crate::lua::rehearsal::are_told;
use crate::lua::access;
use crate::lua::args::Args;
use crate::lua::options::Nested;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::raster::file::netcdf::{
    self, Attribute, Attributes, CONVENTIONS, Definition, Fill, Header, LEVEL, NetCdf, Variable,
};
use crate::raster::file::options::Packing;
use crate::raster::file::zarr_write::{self, ZarrOptions};
use crate::raster::element::kind_of;
use crate::raster::stack::{Cube, Stack};
use crate::raster::{DType, Kind, Raster, provenance};
use crate::work::provenance::RECORD;

options! {
    /// How a netCDF file is laid out.
    pub struct NetcdfTable("raster.NetcdfOptions") {
        /// Of the file.
        attributes: Option<Named>,
        /// Text variables that only carry attributes.
        records: Option<Vec<Nested<Record>>>,
        /// Name of the grid mapping.
        mapping: String = "mapping".to_string(),
        /// Rows of a chunk, which is as wide as the image. Default 512, or as many as 1 MiB holds.
        chunk_rows: Option<usize>; Domain::at_least(1.0),
        /// Of deflate.
        level: u32 = LEVEL; Domain::within(1.0, 9.0),
    }
}

options! {
    pub struct Record("raster.NetcdfRecord") {
        /// Of the variable.
        name: String,
        /// Numbers with a point become doubles, others 64-bit integers.
        attributes: Option<Named>,
    }
}

options! {
    pub struct OneVariable("raster.NetcdfVariable") {
        /// Of one band. All variables lie on one grid.
        image: Raster,
        /// Of the variable. Default: the band's name.
        name: Option<String>,
        /// Pixel type; values are rounded for whole numbers and limited to what they hold. Default: the band's own.
        dtype: Option<DType>,
        /// What stands for masked pixels. Default: NaN, or an end of the type's range.
        fill: Option<f64>,
        /// Numbers with a point become doubles, others 64-bit integers, lists the variable's own type.
        attributes: Option<Named>,
    }
}

options! {
    /// `stack:write(path, options?)`
    pub struct CubeTable("raster.CubeOptions") {
        ..file: NetcdfTable,
        /// Of a Zarr: 3, in shards, or 2.
        version: u32 = 3; Domain::within(2.0, 3.0),
        /// `{ times, rows, cols }` of a chunk. Default, of a Zarr: up to 128 times, and 32 × 32 pixels (of version 2, 64 × 64); of a netCDF file 1 MiB, in as many
        /// chunks along a series as over a map.
        chunks: Option<[usize; 3]>; Domain::at_least(1.0),
        /// Adds the images, which are later than its own, to the file that is there. Where there is none, it is made.
        append: bool = false,
        /// Pixel type of all variables. Default: the bands' own; where the images of a band differ, a float type.
        dtype: Option<DType>,
        /// What stands for masked pixels. Default: the bands' nodata value, else NaN or an end of the type's range.
        fill: Option<f64>,
        /// Packs values into a `dtype` of whole numbers: a value is stored as (value − offset) / scale, rounded. The file says so, and readers
        /// undo it; `fill` is of stored numbers. Default 1.
        scale: Option<f64>; Domain::NOT_ZERO,
        /// What is taken off before values are packed. Default 0.
        offset: Option<f64>; Domain::FINITE,
    }
}

/// `raster.write_netcdf(path, variables, options?)`
pub fn write(lua: &Lua, args: &Args, o: NetcdfTable) -> Result<String> {
    let path: PathBuf = args.get("path")?;
    let variables: Vec<Nested<OneVariable>> = args.get("variables")?;
    let variables = variables.into_iter().map(|Nested(variable)| variable.variable());
    let contents = o.contents(variables.collect::<Result<_>>()?, None);
    write_contents(lua, &path, contents)
}

/// `stack:write(path, options?)`
pub fn write_stack(lua: &Lua, stack: &Stack, args: &Args, o: CubeTable) -> Result<String> {
    let path: PathBuf = args.get("path")?;
    let Cube { times, bands } = stack.cube()?;
    let packing = (o.scale.is_some() || o.offset.is_some()).then(|| Packing {
        scale: o.scale.unwrap_or(1.0),
        offset: o.offset.unwrap_or(0.0),
    });
    let variables = bands.into_iter().map(|(name, images)| {
        let stated: Vec<DType> = images.iter().flat_map(|i| &i.bands).map(|b| b.dtype).collect();
        // A float type where the images differ.
        let one = stated.first().copied().filter(|first| stated.iter().all(|dtype| dtype == first));
        let wide = stated.iter().any(|dtype| kind_of(*dtype) == Kind::F64);
        let dtype = o.dtype.or(one).unwrap_or(if wide { DType::F64 } else { DType::F32 });
        if packing.is_some() && dtype.integer_range().is_none() {
            return Err(Error::argument(
                "dtype",
                "one of whole numbers, as int16, where values are packed by { scale = …, offset = … }",
                dtype,
            ));
        }
        let band = images.first().and_then(|image| image.bands.first());
        let unit = band.map(|band| band.unit.symbol().to_string()).filter(|unit| !unit.is_empty());
        let units = unit.map(|unit| ("units".to_string(), Attribute::Text(unit)));
        // A band's own value is of values, not of packed numbers.
        let own = band.and_then(|band| band.nodata).filter(|_| packing.is_none());
        let what = Definition {
            name,
            fill: fill_value(o.fill, own, dtype)?,
            dtype,
            packing,
            attributes: units.into_iter().chain(packing.into_iter().flat_map(Packing::said)).collect(),
        };
        Ok(Variable { what, images, stored: 0 })
    });
    let mut contents = o.file.contents(variables.collect::<Result<_>>()?, Some(times));
    let target = access(lua).write(&path)?;
    let images: Vec<Raster> = contents.variables.iter().flat_map(|v| v.images.iter().cloned()).collect();
    let stated = &mut contents.header.attributes;
    let mut say = |name: &str, text: String| {
        if !stated.iter().any(|(other, _)| other == name) {
            stated.push((name.to_string(), Attribute::Text(text)));
        }
    };
    say("Conventions", CONVENTIONS.to_string());
    provenance::tags(&target, &images).into_iter().for_each(|(name, text)| say(&name, text));
    contents.chunks = o.chunks;
    if o.chunks.is_some() && contents.chunk_rows.is_some() {
        return Err(Error::message("chunks and chunk_rows both say how the chunks are cut; give one of them"));
    }
    let is_zarr = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zarr"));
    if is_zarr && contents.chunk_rows.is_some() {
        return Err(Error::message("chunk_rows is an option of netCDF; a Zarr takes chunks = { times, rows, cols }"));
    }
    if are_told(lua, &target, &images)? {
        return Ok(path.display().to_string());
    }
    if is_zarr {
        let options = ZarrOptions {
            version: o.version as u8,
            chunks: o.chunks,
            append: o.append,
        };
        zarr_write::write(&target, &contents, &options)?;
    } else if o.append && target.exists() {
        netcdf::append(&target, contents)?;
    } else {
        netcdf::write(&target, &contents)?;
    }
    Ok(path.display().to_string())
}

fn write_contents(lua: &Lua, path: &Path, mut contents: NetCdf) -> Result<String> {
    let target = access(lua).write(path)?;
    let images: Vec<Raster> = contents.variables.iter().flat_map(|v| v.images.iter().cloned()).collect();
    if !are_told(lua, &target, &images)? {
        let record = provenance::tags(&target, &images).into_iter().find(|(name, _)| name == RECORD);
        contents.header.attributes.extend(record.map(|(name, text)| (name, Attribute::Text(text))));
        netcdf::write(&target, &contents)?;
    }
    Ok(path.display().to_string())
}

impl NetcdfTable {
    fn contents(self, variables: Vec<Variable>, times: Option<Vec<Timestamp>>) -> NetCdf {
        let records = self.records.unwrap_or_default().into_iter();
        NetCdf {
            variables,
            header: Header {
                times,
                records: records.map(|Nested(record)| (record.name, listed(record.attributes))).collect(),
                attributes: listed(self.attributes),
                mapping: self.mapping,
            },
            chunk_rows: self.chunk_rows,
            chunks: None,
            level: self.level,
        }
    }
}

fn listed(named: Option<Named>) -> Attributes {
    named.map_or(Attributes::new(), |Named(list)| list)
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

impl OneVariable {
    fn variable(self) -> Result<Variable> {
        let band = self.image.only_band("image")?;
        let dtype = self.dtype.unwrap_or(band.dtype);
        let what = Definition {
            name: self.name.unwrap_or_else(|| band.name.clone()),
            attributes: listed(self.attributes),
            dtype,
            packing: None,
            fill: fill_value(self.fill, None, dtype)?,
        };
        Ok(Variable {
            what,
            stored: 0,
            images: vec![self.image],
        })
    }
}

/// Attributes by their names, since a Lua table has no order.
pub struct Named(Attributes);

impl FromScript for Named {
    fn expected() -> String {
        "a table such as { name = value }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("table<string, string|number|integer[]>".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "attributes").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let mut out = Attributes::new();
        for pair in Table::from_script(value, name)?.pairs::<Value, Value>() {
            let (key, value) = pair?;
            let key = String::from_script(&key, &format!("each name in {name}"))?;
            let value = attribute(&value, &format!("{name}.{key}"))?;
            out.push((key, value));
        }
        out.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Named(out))
    }
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
