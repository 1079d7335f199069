//! Later steps of time for a Zarr that is there. Chunks come first and what says that they are there last: until then a reader sees what was.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::super::alike;
use super::super::netcdf::axes::{MICROSECONDS, SECONDS};
use super::super::netcdf::file::encoded;
use super::super::netcdf::{Attribute, Attributes, Fill, NetCdf, Variable};
use super::super::open::OpenOptions;
use super::super::zarr;
use super::document::{TIMES, object};
use super::{Layout, Target, ZarrOptions, put};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::raster::zarr::array::Array;
use crate::raster::zarr::codec::{Codec, Codecs};
use crate::raster::zarr::metadata::Element;
use crate::raster::{Grid, Raster};

/// What is changed last, the document of the whole after those of its arrays.
const DOCUMENTS: [&str; 5] = [".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json"];

/// Adds the images of `contents` behind those of the Zarr at `path`.
///
/// # Errors
/// A Zarr that `write` has not written; other variables, types, fill values or another grid than its own; times that are not later than its own.
pub fn append(path: &Path, contents: &NetCdf, options: &ZarrOptions, grid: &Grid) -> Result<()> {
    let shown = path.to_string_lossy();
    let store = zarr::open_store(&shown)?;
    let other = |what: String| Error::file(path, format!("{what}: nothing is added to it"));
    let names: Vec<String> = contents.variables.iter().map(|v| v.what.name.clone()).collect();
    let mut layout = None;
    let mut variables = Vec::with_capacity(names.len());
    for variable in &contents.variables {
        let name = &variable.what.name;
        let array = store
            .array(name)?
            .ok_or_else(|| other(format!("holds no variable `{name}`")))?;
        let own = layout_of(&array, store.version, grid).ok_or_else(|| {
            other(format!(
                "its variable `{name}` was not written by `Stack:write`, or lies on another grid"
            ))
        })?;
        if *layout.get_or_insert(own) != own {
            return Err(other("its variables are in chunks of several sizes".into()));
        }
        if array.metadata.element != Element::Number(variable.what.dtype) {
            let (has, is) = (array.metadata.element.name(), variable.what.dtype);
            return Err(other(format!(
                "its variable `{name}` is of type {has}, the images are of type {is}"
            )));
        }
        alike::check(path, &variable.what, &said_of(&array))?;
        variables.push(with_fill_of(path, variable, &array)?);
    }
    let more = zarr::images(&shown)?
        .into_iter()
        .find(|image| !names.contains(&image.name));
    if let Some(more) = more {
        return Err(other(format!(
            "has the variable `{}`, which the images have not",
            more.name
        )));
    }
    let layout = layout.ok_or_else(|| other("holds no variable".into()))?;
    if options.chunks.is_some_and(|chunks| chunks != layout.chunk) {
        return Err(Error::argument(
            "chunks",
            format!("{:?}, as the Zarr has them", layout.chunk),
            format!("{:?}", options.chunks.unwrap_or_default()),
        ));
    }
    let raw = OpenOptions {
        raw: true,
        ..OpenOptions::default()
    };
    let old = zarr::slices(&shown, &raw, &names)?;
    if let (Some(old), Some(new)) = (
        old.first(),
        contents.variables.iter().flat_map(|v| &v.images).next(),
    ) {
        old.check_grid(new)?;
    }
    let times = contents.header.times.as_deref().unwrap_or_default();
    let last = old.last().and_then(|image| image.time);
    if let (Some(last), Some(first)) = (last, times.first())
        && *first <= last
    {
        return Err(other(format!(
            "ends at {last}, and the first of the images is of {first}; only later ones are added"
        )));
    }
    let seconds = steps(path, &store.array("time")?, times)?;
    let depth = layout.chunk[0];
    let begin = old.len() / depth * depth;
    // What shares chunks with the new images is written again with them.
    for (i, variable) in variables.iter_mut().enumerate() {
        let again = old[begin..]
            .iter()
            .map(|image| image.with_bands(vec![image.bands[i].clone()]));
        let mut images: Vec<Raster> = again.collect();
        variable.stored = images.len();
        images.append(&mut variable.images);
        variable.images = images;
    }
    let draft = DraftFolder::of_folder(path)?;
    let written = (|| {
        fs::create_dir(draft.path()).map_err(|e| Error::io(path, e))?;
        let target = Target {
            path,
            draft: draft.path(),
            layout,
            level: contents.level,
        };
        target.pixels(&variables, begin)?;
        let first = old.len() / TIMES * TIMES;
        for (i, chunk) in seconds[first..].chunks(TIMES).enumerate() {
            let number = first / TIMES + i;
            let key = if store.version == 3 {
                format!("time/c/{number}")
            } else {
                format!("time/{number}")
            };
            let mut bytes: Vec<u8> = chunk.iter().flat_map(|v| v.to_ne_bytes()).collect();
            bytes.resize(TIMES * 8, 0);
            put(path, &draft.path().join(key), &bytes)?;
        }
        let lengthened: Vec<&str> = names.iter().map(String::as_str).chain(["time"]).collect();
        let own = attributes_of(&store.attributes);
        let own = alike::extended(own, contents.header.attributes.clone(), old.len());
        documents(
            path,
            draft.path(),
            store.version,
            (&lengthened, old.len() + times.len()),
            &own,
        )
    })();
    draft.checked(written)?;
    draft.publish_into(&DOCUMENTS)
}

/// The chunks of an array that `write` has written; None of others.
fn layout_of(array: &Array, version: u8, grid: &Grid) -> Option<Layout> {
    let metadata = &array.metadata;
    let [_, rows, cols] = metadata.shape[..] else {
        return None;
    };
    let chunk: [usize; 3] = metadata.chunk.clone().try_into().ok()?;
    let is_own = |codecs: &Codecs| {
        codecs.order.is_none()
            && codecs.big_endian == cfg!(target_endian = "big")
            && matches!(codecs.bytes[..], [Codec::Zstd(_)])
    };
    let shard = match (&metadata.shards, version) {
        (Some(shards), 3) if shards.index_at_end && shards.index.bytes == [Codec::Crc32c] => {
            shards.shape.clone().try_into().ok()?
        }
        (None, 2) => Layout::in_chunks(2, chunk, grid).shard,
        _ => return None,
    };
    let separators = if version == 3 { '/' } else { '.' };
    let fits = is_own(&metadata.codecs)
        && (rows, cols) == (grid.rows, grid.cols)
        && metadata.keys.separator == separators
        && metadata.keys.prefixed == (version == 3)
        && shard[0] == chunk[0];
    fits.then_some(Layout {
        version,
        chunk,
        shard,
    })
}

/// A variable whose masked pixels are stored as those of the array are.
fn with_fill_of(path: &Path, variable: &Variable, array: &Array) -> Result<Variable> {
    let mut variable = variable.clone();
    let what = &mut variable.what;
    let bytes = |fill: f64| encoded(what.dtype, std::iter::once(fill));
    let own = array.metadata.fill.clone().unwrap_or_default();
    let stored = zarr::numbers_of(&array.metadata.element, &own).and_then(|numbers| numbers.first().copied());
    match (what.fill, stored) {
        (Fill::Given(fill), _) if bytes(fill) == own || fill.is_nan() && stored.is_some_and(f64::is_nan) => {}
        (Fill::Default(_) | Fill::Spare(_), Some(stored)) => what.fill = Fill::Default(stored),
        (Fill::Given(_), Some(stored)) if stored.is_nan() => what.fill = Fill::Given(stored),
        (fill, stored) => {
            let expected = format!(
                "{}, as {} has it for `{}`",
                stored.unwrap_or(f64::NAN),
                path.display(),
                what.name
            );
            return Err(Error::argument("fill", expected, fill.value()));
        }
    }
    Ok(variable)
}

/// All times of the Zarr and then the new ones, in its units.
fn steps(path: &Path, time: &Option<std::sync::Arc<Array>>, times: &[Timestamp]) -> Result<Vec<i64>> {
    let foreign = || {
        Error::file(
            path,
            "its times were not written by `Stack:write`: nothing is added to it",
        )
    };
    let time = time.as_ref().ok_or_else(foreign)?;
    let metadata = &time.metadata;
    let units = metadata
        .attributes
        .get("units")
        .and_then(Json::as_str)
        .unwrap_or("");
    let is_own = metadata.element == Element::Number(crate::raster::DType::I64)
        && metadata.chunk == [TIMES]
        && metadata.codecs.bytes.is_empty();
    let new: Vec<i64> = match units {
        SECONDS if is_own => {
            if let Some(time) = times.iter().find(|time| time.subsec_nanosecond() != 0) {
                return Err(Error::argument(
                    "times",
                    "whole seconds, as those of the Zarr",
                    time,
                ));
            }
            times.iter().map(|time| time.as_second()).collect()
        }
        MICROSECONDS if is_own => times.iter().map(|time| time.as_microsecond()).collect(),
        _ => return Err(foreign()),
    };
    let old = time.whole()?;
    let (old, _) = old.as_chunks::<8>();
    Ok(old.iter().map(|b| i64::from_le_bytes(*b)).chain(new).collect())
}

/// What is said of an array, as far as it is text or numbers.
fn said_of(array: &Array) -> Attributes {
    attributes_of(&array.metadata.attributes)
}

fn attributes_of(said: &serde_json::Map<String, Json>) -> Attributes {
    let one = |(name, value): (&String, &Json)| {
        let value = match value {
            Json::String(text) => Attribute::Text(text.clone()),
            Json::Number(number) => match number.as_i64() {
                Some(v) => Attribute::Integer(v),
                None => Attribute::Number(number.as_f64()?),
            },
            _ => return None,
        };
        Some((name.clone(), value))
    };
    said.iter().filter_map(one).collect()
}

/// The documents of a Zarr some of whose arrays have become longer, which says this of itself beside what it said.
fn documents(
    path: &Path,
    draft: &Path,
    version: u8,
    (names, steps): (&[&str], usize),
    said: &Attributes,
) -> Result<()> {
    let fail = |e: std::io::Error| Error::io(path, e);
    let read = |name: &str| -> Result<Json> {
        let bytes = fs::read(path.join(name)).map_err(fail)?;
        serde_json::from_slice(&bytes).map_err(|e| Error::file(path, format!("its {name} is no JSON: {e}")))
    };
    let write = |name: &str, json: &Json| {
        let bytes = serde_json::to_vec_pretty(json).map_err(|e| Error::message(e.to_string()))?;
        put(path, &draft.join(name), &bytes)
    };
    let lengthen = |array: Option<&mut Json>| {
        if let Some(size) = array
            .and_then(|array| array.get_mut("shape"))
            .and_then(|shape| shape.get_mut(0))
        {
            *size = Json::from(steps);
        }
    };
    let (own, all) = match version {
        3 => ("zarr.json", "zarr.json"),
        _ => (".zarray", ".zmetadata"),
    };
    let mut whole = read(all)?;
    for name in names {
        let mut document = read(&format!("{name}/{own}"))?;
        lengthen(Some(&mut document));
        write(&format!("{name}/{own}"), &document)?;
        let nodes = match version {
            3 => whole
                .get_mut("consolidated_metadata")
                .and_then(|c| c.get_mut("metadata")),
            _ => whole.get_mut("metadata"),
        };
        let key = if version == 3 {
            name.to_string()
        } else {
            format!("{name}/.zarray")
        };
        lengthen(nodes.and_then(|nodes| nodes.get_mut(&key)));
    }
    let said = object(said, None);
    let add = |own: Option<&mut Json>| {
        if let Some(own) = own.and_then(Json::as_object_mut) {
            own.extend(said.clone());
        }
    };
    if version == 3 {
        add(whole.get_mut("attributes"));
    } else {
        add(whole
            .get_mut("metadata")
            .and_then(|nodes| nodes.get_mut(".zattrs")));
        let mut own = read(".zattrs")?;
        add(Some(&mut own));
        write(".zattrs", &own)?;
    }
    write(all, &whole)
}
