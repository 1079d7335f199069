//! Later steps of time for a netCDF file that is there: it is written anew with them, beside it, and takes its name when it is whole.

use std::path::Path;

use super::axes::{MICROSECONDS, SECONDS, axes_of};
use super::file::encoded;
use super::{Attribute, Attributes, Fill, NetCdf, write};
use crate::error::{Error, Result};
use crate::raster::file::alike;
use crate::raster::file::attributes::{Inside, Written};
use crate::raster::file::cube::slices;
use crate::raster::file::open::OpenOptions;
use crate::raster::{DType, Raster, reframe};

/// Attributes that HDF5 and netCDF keep for themselves, and those that are written anew.
const OWN: [&str; 9] = [
    "_FillValue",
    "grid_mapping",
    "CLASS",
    "NAME",
    "DIMENSION_LIST",
    "REFERENCE_LIST",
    "_Netcdf4Dimid",
    "_Netcdf4Coordinates",
    "_NCProperties",
];

/// Adds the images of `contents` behind those of the file at `path`.
///
/// # Errors
/// A file that `write` has not written; other variables, types, fill values, units or another grid than its own; times that are not later than its
/// own; those of `write`.
pub fn append(path: &Path, mut contents: NetCdf) -> Result<()> {
    let other = |what: String| Error::file(path, format!("{what}: nothing is added to it"));
    let foreign = |what: &str| other(format!("was not written by `Stack:write` ({what})"));
    let inside = Inside::of(path).map_err(|e| other(e.to_string()))?;
    let names: Vec<String> = contents.variables.iter().map(|v| v.what.name.clone()).collect();
    let text = |attributes: &Attributes, wanted: &str| {
        attributes.iter().find_map(|(name, value)| match value {
            Attribute::Text(text) if name == wanted => Some(text.clone()),
            _ => None,
        })
    };
    if let Some(group) = inside.groups.first() {
        return Err(foreign(&format!("it has the group `{group}`")));
    }
    let time = inside
        .arrays
        .iter()
        .find(|array| array.name == "time")
        .ok_or_else(|| foreign("it has no time axis"))?;
    let units = text(&time.attributes, "units");
    if !matches!(units.as_deref(), Some(SECONDS | MICROSECONDS)) || time.dtype != Some(DType::I64) {
        return Err(foreign("its times are of another kind"));
    }
    let mut mapping = None;
    for variable in &mut contents.variables {
        let what = &mut variable.what;
        let own = inside
            .arrays
            .iter()
            .find(|array| array.name == what.name)
            .ok_or_else(|| other(format!("holds no variable `{}`", what.name)))?;
        if own.shape.len() != 3 || own.shape[0] != time.shape.iter().product::<usize>() {
            return Err(foreign(&format!("its variable `{}` is no cube", what.name)));
        }
        if own.dtype != Some(what.dtype) {
            let has = own.dtype.map_or("another type", DType::name);
            return Err(other(format!(
                "its variable `{}` is of type {has}, the images are of type {}; the option `dtype` writes them so",
                what.name, what.dtype
            )));
        }
        alike::check(path, what, &own.attributes)?;
        what.fill = fill_of(path, &what.name, what.dtype, what.fill, own)?;
        mapping = text(&own.attributes, "grid_mapping").or(mapping);
        // What is there is kept, what is said beside it is added.
        let mut kept = kept(&own.attributes);
        for (name, value) in std::mem::take(&mut what.attributes) {
            if !kept.iter().any(|(other, _)| *other == name) {
                kept.push((name, value));
            }
        }
        what.attributes = kept;
    }
    let shown = path.to_string_lossy();
    let options = OpenOptions {
        raw: true,
        ..OpenOptions::default()
    };
    let old = slices(&shown, &options, &names)?;
    let (Some(first), Some(last)) = (old.first(), old.last().and_then(|image| image.time)) else {
        return Err(foreign("its times cannot be told"));
    };
    let grid = first.grid.clone();
    let [y, x] = axes_of(&grid);
    let mapping = mapping.filter(|_| grid.crs.is_some());
    for array in &inside.arrays {
        let is_known = names.contains(&array.name)
            || [y, x, "time"].contains(&array.name.as_str())
            || Some(&array.name) == mapping.as_ref();
        if is_known {
            continue;
        }
        if array.shape.is_empty() && array.dtype.is_none() {
            if !contents
                .header
                .records
                .iter()
                .any(|(name, _)| *name == array.name)
            {
                contents
                    .header
                    .records
                    .push((array.name.clone(), kept(&array.attributes)));
            }
            continue;
        }
        return Err(other(format!(
            "has the variable `{}`, which the images have not",
            array.name
        )));
    }
    if let Some(mapping) = mapping {
        contents.header.mapping = mapping;
    }
    let times = contents.header.times.get_or_insert_default();
    if let Some(first) = times.first().filter(|first| **first <= last) {
        return Err(other(format!(
            "ends at {last}, and the first of the images is of {first}; only later ones are added"
        )));
    }
    let before = old
        .iter()
        .map(|image| image.time.ok_or_else(|| foreign("its times cannot be told")));
    let before = before.collect::<Result<Vec<_>>>()?;
    times.splice(0..0, before);
    for (i, variable) in contents.variables.iter_mut().enumerate() {
        let stored = old
            .iter()
            .map(|image| image.with_bands(vec![image.bands[i].clone()]));
        let mut images: Vec<Raster> = stored.collect();
        variable.stored = images.len();
        for image in &variable.images {
            first.check_grid(image)?;
            images.push(reframe::onto(image, grid.clone())?);
        }
        variable.images = images;
    }
    let now = std::mem::take(&mut contents.header.attributes);
    contents.header.attributes = alike::extended(kept(&inside.attributes), now, old.len());
    write(path, &contents)
}

fn kept(attributes: &Attributes) -> Attributes {
    attributes
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .cloned()
        .collect()
}

/// What stands for masked pixels in the file.
fn fill_of(path: &Path, name: &str, dtype: DType, asked: Fill, own: &Written) -> Result<Fill> {
    let stored = own.attributes.iter().find_map(|(name, value)| match value {
        Attribute::Number(v) | Attribute::Own(v) if name == "_FillValue" => Some(*v),
        Attribute::Integer(v) if name == "_FillValue" => Some(*v as f64),
        _ => None,
    });
    let Some(stored) = stored else {
        return Err(Error::file(
            path,
            format!(
                "was not written by `Stack:write` (its variable `{name}` has no _FillValue): nothing is added to it"
            ),
        ));
    };
    let bytes = |fill: f64| encoded(dtype, std::iter::once(fill));
    let is_same = |fill: f64| bytes(fill) == bytes(stored) || fill.is_nan() && stored.is_nan();
    match asked {
        Fill::Given(fill) if is_same(fill) => Ok(Fill::Given(stored)),
        Fill::Default(_) | Fill::Spare(_) => Ok(Fill::Default(stored)),
        Fill::Given(_) if stored.is_nan() => Ok(Fill::Given(stored)),
        Fill::Given(fill) => Err(Error::argument(
            "fill",
            format!("{stored}, as {} has it for `{name}`", path.display()),
            fill,
        )),
    }
}
