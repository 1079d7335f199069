//! Attributes of the arrays of container files, by their names.

use gdal::cpl::CslStringList;
use gdal::raster::Group;

use super::arrays::{self, Container};
use super::open::check_local;
use super::{hdf5_read, message_of, zarr};
use crate::error::{Error, Result};
use crate::raster::DType;
use serde_json::Value as Json;

/// What an attribute says; of a list its first element.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Integer(i64),
    Number(f64),
    Text(String),
}

/// The attributes of these names, each an array's full name, `#` and the attribute's own (`/img_pair_info#date_dt`; `#title` is the
/// file's); None for those that the file does not hold.
///
/// # Errors
/// When the file is missing, truncated, or no container of arrays; a name without `#`.
pub fn read(path: &str, names: &[String]) -> Result<Vec<Option<Attribute>>> {
    let asked = names.iter().map(|name| {
        name.rsplit_once('#').ok_or_else(|| {
            Error::argument(
                "names",
                "an array's name, `#` and an attribute's, such as `/v#units`",
                format!("`{name}`"),
            )
        })
    });
    let asked: Vec<(&str, &str)> = asked.collect::<Result<_>>()?;
    check_local(path)?;
    if zarr::is_zarr(path) {
        return of_zarr(path, &asked);
    }
    if let Some(found) = hdf5_read::attributes(path, &asked) {
        return Ok(found);
    }
    // Not among the containers that are kept: netCDF's library has crashed (in `H5T__conv_vlen`) on opening a file anew whose attributes had been read by it.
    let alone = arrays::open_by(path, Some(&["HDF5"])).ok();
    let container;
    let root = match &alone {
        Some(dataset) => dataset
            .root_group()
            .map_err(|e| Error::file(path, message_of(&e)))?,
        None => {
            container = Container::open(path)?;
            container.root()?
        }
    };
    let of = |(array, attribute): (&str, &str)| {
        let parts: Vec<&str> = array.split('/').filter(|part| !part.is_empty()).collect();
        match parts.split_last() {
            None => root.attribute(attribute).ok().and_then(|a| value(&a)),
            Some((last, groups)) => of_array(&root, groups, last, attribute),
        }
    };
    Ok(asked.into_iter().map(of).collect())
}

fn of_zarr(path: &str, asked: &[(&str, &str)]) -> Result<Vec<Option<Attribute>>> {
    fn value(json: &Json) -> Option<Attribute> {
        match json {
            Json::String(text) => Some(Attribute::Text(text.clone())),
            Json::Number(number) => number
                .as_i64()
                .map(Attribute::Integer)
                .or_else(|| number.as_f64().map(Attribute::Number)),
            Json::Bool(is) => Some(Attribute::Integer(i64::from(*is))),
            Json::Array(list) => value(list.first().filter(|first| !first.is_array())?),
            Json::Null | Json::Object(_) => None,
        }
    }
    let zarr = zarr::open_store(path)?;
    let one = |(array, attribute): &(&str, &str)| {
        let found = match array.trim_matches('/') {
            "" => zarr.attributes.get(*attribute).and_then(value),
            name => zarr
                .array(name)?
                .and_then(|array| array.metadata.attributes.get(*attribute).and_then(value)),
        };
        Ok(found)
    };
    asked.iter().map(one).collect()
}

/// By opening the array, whether GDAL lists it or not: it hides those without dimensions, which in netCDF carry attributes alone.
fn of_array(group: &Group<'_>, groups: &[&str], last: &str, attribute: &str) -> Option<Attribute> {
    match groups.split_first() {
        Some((next, rest)) => {
            let inner = group.open_group(next, CslStringList::new()).ok()?;
            of_array(&inner, rest, last, attribute)
        }
        None => {
            let array = group.open_md_array(last, CslStringList::new()).ok()?;
            value(&array.attribute(attribute).ok()?)
        }
    }
}

/// None for compounds. Numbers that no f64 tells from their neighbours are none of those that attributes hold in practice.
fn value(attribute: &gdal::raster::Attribute) -> Option<Attribute> {
    let datatype = attribute.datatype();
    if datatype.class().is_string() {
        let text = attribute.read_as_string();
        return Some(Attribute::Text(text.trim_end_matches('\0').to_string()));
    }
    if !datatype.class().is_numeric() {
        return None;
    }
    let number = attribute.read_as_f64();
    let is_float = super::dtype_of(datatype.numeric_datatype()).is_some_and(DType::is_float);
    Some(match !is_float && number.fract() == 0.0 && number.abs() < 9e15 {
        true => Attribute::Integer(number as i64),
        false => Attribute::Number(number),
    })
}
