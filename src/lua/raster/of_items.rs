//! Stacks of what a search found: every item an image, or every day a mosaic, on one grid, read where it lies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use mlua::{Lua, Value};
use serde_json::Value as Json;

use super::Opening;
use super::values::{Area, Resolution};
use crate::catalog::footprint;
use crate::catalog::items::Items;
use crate::catalog::item::{Item, Span, data_assets, span, without_data};
use crate::error::{Choice, Domain, Error, Result, counted};
use crate::lua::access;
use crate::lua::catalog::LuaItems;
use crate::lua::options::Nested;
use crate::lua::value::Several;
use crate::options;
use crate::raster::common_grid::{AreaOn, common_grid};
use crate::raster::element::{Binary, Unary};
use crate::raster::file::open;
use crate::raster::image::{Properties, Property};
use crate::raster::align::align;
use crate::raster::math::{self, Operand};
use crate::raster::mosaic::{Overlap, mosaic};
use crate::raster::stack::Stack;
use crate::raster::warp::Resampling;
use crate::raster::{Crs, Grid, Raster, Unit};
use crate::work::{self, workers};

/// Files whose beginnings are asked for at the same time: servers answer some dozen requests of one client as fast as one.
const OPENED_AT_ONCE: usize = 32;

#[derive(Clone, Copy, PartialEq)]
pub enum Missing {
    Error,
    Skip,
}

impl Choice for Missing {
    const ALL: &'static [(&'static str, Self)] = &[("error", Missing::Error), ("skip", Missing::Skip)];
}

/// What becomes one image.
#[derive(Clone, Copy, PartialEq)]
pub enum Slices {
    Item,
    Time,
    SolarDay,
}

impl Choice for Slices {
    const ALL: &'static [(&'static str, Self)] = &[("item", Slices::Item), ("time", Slices::Time), ("solar_day", Slices::SolarDay)];
}

options! {
    pub struct MaskTable("raster.ItemsMask") {
        /// The asset that says what pixels are, such as `SCL` or `qa_pixel`. Brought onto the grid by the nearest pixel.
        asset: String,
        /// Pixels of these values are masked.
        values: Option<Several<i64>>,
        /// Pixels of other values are masked.
        keep: Option<Several<i64>>,
        /// Pixels that have one of these bits, from 0, are masked.
        bits: Option<Several<u32>>; Domain::within(0.0, 31.0),
    }
}

options! {
    pub struct ItemsOptions("raster.ItemsOptions") {
        /// The assets that become bands, by name. Default those of which an item says that they are data.
        assets: Option<Several<String>>,
        /// Only this part: in longitude and latitude, or shapes, a Grid or a Raster in their own CRS. Default the area of all items.
        bounds: Option<Area>,
        /// Default that of most items.
        crs: Option<Crs>,
        /// Of the pixels, in units of the CRS. Default the finest of the assets.
        resolution: Option<Resolution>,
        /// In place of `bounds`, `crs` and `resolution`: the grid of all images.
        target: Option<Arc<Grid>>,
        /// For images that lie on other pixels. Default `"nearest"`.
        resampling: Option<Resampling>,
        /// What an asset says of pixels, to mask those that are not wanted.
        mask: Option<Nested<MaskTable>>,
        /// What becomes one image: an `"item"`; all items of one `"time"`; all of one `"solar_day"`, the day where they lie. The first valid pixel counts. Default `"item"`.
        slices: Option<Slices>,
        /// Of an item that cannot be read or lacks an asset: an error, or a note and a stack without it. Default `"error"`.
        missing: Option<Missing>,
    }
}

impl ItemsOptions {
    /// The first option that was given, for the error where there are no items.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("assets", self.assets.is_some()),
            ("bounds", self.bounds.is_some()),
            ("crs", self.crs.is_some()),
            ("resolution", self.resolution.is_some()),
            ("target", self.target.is_some()),
            ("mask", self.mask.is_some()),
            ("resampling", self.resampling.is_some()),
            ("slices", self.slices.is_some()),
            ("missing", self.missing.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}

/// A file to be opened: which of an item's assets, and where it lies.
struct File {
    item: usize,
    asset: String,
    path: String,
    said: Json,
}

/// What has been opened of an item: its bands, and what says which pixels count.
#[derive(Default)]
struct Slice {
    bands: Vec<Raster>,
    mask: Option<Raster>,
}

/// A stack of the items' images.
pub fn stack(lua: &Lua, items: &Items, o: ItemsOptions, opening: &Opening) -> Result<Stack> {
    if o.target.is_some() && (o.bounds.is_some() || o.crs.is_some() || o.resolution.is_some()) {
        return Err(Error::message("give either target or bounds, crs and resolution"));
    }
    let (missing, slices_of) = (o.missing.unwrap_or(Missing::Error), o.slices.unwrap_or(Slices::Item));
    let resampling = o.resampling.unwrap_or(Resampling::Nearest);
    let mask = o.mask.as_ref().map(|Nested(mask)| mask);
    let assets: Vec<String> = o.assets.as_ref().map_or(Vec::new(), |Several(names)| names.clone());
    let items: Vec<Arc<Item>> = items.items.iter().collect::<Result<_>>()?;
    if items.is_empty() {
        return Ok(Stack::default());
    }
    let mut lost: BTreeMap<usize, Error> = BTreeMap::new();
    let mut files = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match files_of(lua, index, item, &assets, mask) {
            Ok(found) => files.extend(found),
            Err(error) => drop(lost.insert(index, error)),
        }
    }
    if missing == Missing::Error {
        leave_out(&lost, &items, missing)?;
    }
    let is_mask = |file: &File| mask.is_some_and(|mask| mask.asset == file.asset);
    let opened = open_all(&files, opening);
    let mut slices: Vec<Slice> = items.iter().map(|_| Slice::default()).collect();
    for (file, opened) in files.iter().zip(opened) {
        let item = &items[file.item];
        match opened.and_then(|image| as_said(image, &file.asset, &file.said, &item.properties.additional_fields, opening.is_raw())) {
            Ok(image) if is_mask(file) => slices[file.item].mask = Some(image),
            Ok(image) => slices[file.item].bands.push(image),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                lost.entry(file.item).or_insert_with(|| Error::message(format!("the item {}, asset {}: {error}", item.id, file.asset)));
            }
        }
    }
    leave_out(&lost, &items, missing)?;
    let kept: Vec<usize> = (0..items.len()).filter(|index| !lost.contains_key(index)).collect();
    let grid = match &o.target {
        Some(grid) => grid.clone(),
        None => {
            let grids: Vec<Arc<Grid>> = kept.iter().flat_map(|index| &slices[*index].bands).map(|image| image.grid.clone()).collect();
            let degrees = Crs::parse("EPSG:4326")?;
            let bounds_on = |grid: &Grid| o.bounds.as_ref().map(|area| area.bounds_on(grid, Some(&degrees))).unwrap_or_else(|| Ok(grid.bounds()));
            let area: Option<&AreaOn> = o.bounds.as_ref().map(|_| &bounds_on as _);
            Arc::new(common_grid(&grids, o.crs.as_ref(), o.resolution.map(|Resolution(x, y)| (x, y)), area)?)
        }
    };
    let mut groups: BTreeMap<(Option<Timestamp>, String), Vec<usize>> = BTreeMap::new();
    for index in kept {
        groups.entry(key(&items[index], index, slices_of)?).or_default().push(index);
    }
    let one = |members: Vec<usize>| image_of(&members, &items, &slices, &grid, mask, resampling);
    let mut made = groups.into_values().map(one).collect::<Result<Vec<_>>>()?;
    made.sort_by_key(|image| image.time);
    Ok(Stack { items: made })
}

/// The assets of an item that are wanted, that of the mask last.
fn files_of(lua: &Lua, index: usize, item: &Item, assets: &[String], mask: Option<&MaskTable>) -> Result<Vec<File>> {
    let names: Vec<&str> = match assets.is_empty() {
        true => data_assets(item),
        false => assets.iter().map(String::as_str).collect(),
    };
    if names.is_empty() {
        return Err(without_data(item, "with { assets = { … } }"));
    }
    let mask = mask.map(|mask| mask.asset.as_str());
    let names = names.into_iter().filter(|name| Some(*name) != mask).chain(mask);
    names
        .map(|name| {
            let asset = item.assets.get(name).ok_or_else(|| {
                Error::message(format!("the item {}: {}", item.id, Error::not_found("asset", name, item.assets.keys())))
            })?;
            Ok(File {
                item: index,
                asset: name.to_string(),
                path: access(lua).read(&asset.href)?.to_string_lossy().into_owned(),
                said: serde_json::to_value(asset).unwrap_or_default(),
            })
        })
        .collect()
}

/// All at the same time, since over a network it is waiting that takes the time.
fn open_all(files: &[File], opening: &Opening) -> Vec<Result<Raster>> {
    let opened: Vec<Mutex<Option<Result<Raster>>>> = files.iter().map(|_| Mutex::new(None)).collect();
    let done = workers::for_each(OPENED_AT_ONCE, files.len(), || (), |(), i| {
        let found = open::open(&files[i].path, opening.options());
        let stopped = matches!(found, Err(Error::Interrupted));
        *opened[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        if stopped { Err(Error::Interrupted) } else { Ok(()) }
    });
    let left = |one: Mutex<Option<Result<Raster>>>| {
        let found = one.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.unwrap_or_else(|| Err(match &done { Err(Error::Interrupted) | Ok(()) => Error::Interrupted, Err(error) => Error::message(error.to_string()) }))
    };
    opened.into_iter().map(left).collect()
}

fn leave_out(lost: &BTreeMap<usize, Error>, items: &[Arc<Item>], missing: Missing) -> Result<()> {
    let Some((_, first)) = lost.first_key_value() else { return Ok(()) };
    if missing == Missing::Error {
        let others = if lost.len() > 1 { format!(" (and {} more)", lost.len() - 1) } else { String::new() };
        return Err(Error::message(format!("{first}{others}; {{ missing = \"skip\" }} leaves such items out")));
    }
    if lost.len() == items.len() {
        return Err(Error::message(format!("none of {} can be read: {first}", counted(items.len(), "item"))));
    }
    work::warn(&format!("{} of {} left out, the first: {first}", lost.len(), counted(items.len(), "item")));
    Ok(())
}

/// Names, nodata and scale as the catalogue says them, where the file does not.
fn as_said(image: Raster, asset: &str, said: &Json, properties: &serde_json::Map<String, Json>, raw: bool) -> Result<Raster> {
    let fields = |name: &str| said[name].as_array().cloned().unwrap_or_default();
    // `bands` of STAC 1.1, those of the extensions before it.
    let described: Vec<Vec<Json>> = ["bands", "raster:bands", "eo:bands"].map(fields).into_iter().filter(|list| list.len() == image.bands.len()).collect();
    let field = |band: usize, name: &str| described.iter().find_map(|list| list[band].get(name).filter(|value| !value.is_null()));
    let number = |band: usize, name: &str| field(band, name).and_then(Json::as_f64);
    let names: Vec<String> = (0..image.bands.len()).filter_map(|band| field(band, "name")?.as_str().map(str::to_string)).collect();
    let distinct = names.iter().collect::<BTreeSet<_>>().len();
    let names = match image.bands.len() {
        1 => vec![asset.to_string()],
        count if distinct == count => names,
        count => (1..=count).map(|band| format!("{asset}_{band}")).collect(),
    };
    // Earth Search lists the offset of Sentinel-2 also where it has been taken off already, and says so here.
    let is_taken_off = properties.get("earthsearch:boa_offset_applied") == Some(&Json::Bool(true));
    let mut bands = Vec::new();
    for (i, (band, name)) in image.bands.iter().zip(names).enumerate() {
        let mut one = image.with_bands(vec![band.clone()]).rename(&[name])?;
        let nodata = number(i, "nodata").or_else(|| said["nodata"].as_f64());
        if let (None, Some(nodata)) = (band.nodata, nodata) {
            one = masked(&one, &binary(&one, Binary::NotEqual, nodata)?)?;
        }
        let scale = number(i, "scale").unwrap_or(1.0);
        let offset = number(i, "offset").filter(|_| !is_taken_off).unwrap_or(0.0);
        // Of a file that says how its numbers are read they are read so already, as floats.
        let is_stored = band.dtype.integer_range().is_some() && !raw;
        if is_stored && (scale, offset) != (1.0, 0.0) {
            one = binary(&binary(&one.with_unit(&Unit::Unknown), Binary::Multiply, scale)?, Binary::Add, offset)?;
        }
        if one.bands[0].unit == Unit::Unknown && let Some(unit) = field(i, "unit").and_then(Json::as_str) {
            one = one.with_unit(&Unit::parse(unit));
        }
        bands.extend(one.bands);
    }
    Ok(image.with_bands(bands))
}

fn binary(image: &Raster, op: Binary, number: f64) -> Result<Raster> {
    math::binary(&Operand::Raster(image.clone()), op, &Operand::Number(number), true)
}

fn masked(image: &Raster, condition: &Raster) -> Result<Raster> {
    math::binary(&Operand::Raster(image.clone()), Binary::Mask, &Operand::Raster(condition.clone()), true)
}

/// 1 where pixels count.
fn wanted(quality: &Raster, mask: &MaskTable) -> Result<Raster> {
    let or = |conditions: Vec<Raster>| -> Result<Option<Raster>> {
        conditions.into_iter().try_fold(None, |all: Option<Raster>, one| {
            Ok(Some(match all {
                None => one,
                Some(all) => math::binary(&Operand::Raster(all), Binary::Or, &Operand::Raster(one), true)?,
            }))
        })
    };
    let equals = |values: &Option<Several<i64>>| -> Result<Vec<Raster>> {
        let Some(Several(values)) = values else { return Ok(Vec::new()) };
        values.iter().map(|value| math::binary(&Operand::Raster(quality.clone()), Binary::Equal, &Operand::Integer(*value), true)).collect()
    };
    let mut refused = equals(&mask.values)?;
    if let Some(Several(bits)) = &mask.bits {
        let all = bits.iter().fold(0i64, |all, bit| all | 1 << bit);
        let has = math::binary(&Operand::Raster(quality.clone()), Binary::BitAnd, &Operand::Integer(all), true)?;
        refused.push(binary(&has, Binary::NotEqual, 0.0)?);
    }
    if let Some(kept) = or(equals(&mask.keep)?)? {
        refused.push(math::unary(&kept, Unary::Not)?);
    }
    match or(refused)? {
        Some(refused) => math::unary(&refused, Unary::Not),
        None => Err(Error::message("mask: say which pixels count: values, keep or bits")),
    }
}

/// What items of one image have in common.
fn key(item: &Item, index: usize, slices: Slices) -> Result<(Option<Timestamp>, String)> {
    let time = time_of(item);
    let need = || time.ok_or_else(|| Error::message(format!("the item {} has no time, so that it belongs to no {}", item.id, slices.name())));
    Ok(match slices {
        Slices::Item => (None, format!("{index:09}")),
        Slices::Time => (Some(need()?), String::new()),
        Slices::SolarDay => {
            let shape = footprint::of(item)?;
            let middle = shape.as_ref().and_then(geo::Centroid::centroid);
            let longitude = middle.map(|point| point.x()).ok_or_else(|| Error::message(format!("the item {} does not say where it lies", item.id)))?;
            // The Sun goes 15 degrees an hour.
            let local = need()? + SignedDuration::from_secs((longitude * 240.0) as i64);
            (None, local.strftime("%Y-%m-%d").to_string())
        }
    })
}

/// Its `datetime`, or the middle of its stretch of time.
fn time_of(item: &Item) -> Option<Timestamp> {
    let at = item.properties.datetime.and_then(|at| Timestamp::new(at.timestamp(), at.timestamp_subsec_nanos() as i32).ok());
    at.or_else(|| span(item).map(Span::middle))
}

fn image_of(members: &[usize], items: &[Arc<Item>], slices: &[Slice], grid: &Arc<Grid>, mask: Option<&MaskTable>, resampling: Resampling) -> Result<Raster> {
    let of_item = |index: &usize| -> Result<Raster> {
        let Slice { bands, mask: quality } = &slices[*index];
        let named = |e: Error| Error::message(format!("the item {}: {e}", items[*index].id));
        let mut all: Option<Raster> = None;
        for image in bands {
            let image = align(image, grid, resampling).map_err(named)?;
            all = Some(match all {
                None => image,
                Some(all) => all.add_bands(&image).map_err(named)?,
            });
        }
        let all = all.ok_or_else(|| named(Error::message("has no asset beside that of the mask")))?;
        match (quality, mask) {
            (Some(quality), Some(mask)) => masked(&all, &wanted(&align(quality, grid, Resampling::Nearest)?, mask)?).map_err(named),
            _ => Ok(all),
        }
    };
    let images = members.iter().map(of_item).collect::<Result<Vec<_>>>()?;
    let mut image = match images.as_slice() {
        [one] => one.clone(),
        several => mosaic(several, Overlap::First, Some(grid.clone()), resampling)?,
    };
    let mut times = members.iter().filter_map(|index| time_of(&items[*index]));
    image.time = times.next();
    image.properties = properties_of(members, items);
    Ok(image)
}

/// What items say of themselves, as far as all members say the same.
fn properties_of(members: &[usize], items: &[Arc<Item>]) -> Properties {
    let of = |index: &usize| -> Properties {
        let item = &items[*index];
        let json = serde_json::to_value(&item.properties).unwrap_or_default();
        let said = json.as_object().into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), property(value)?)));
        let mut all: Properties = said.collect();
        all.insert("id".into(), Property::Text(item.id.clone()));
        if let Some(collection) = &item.collection {
            all.insert("collection".into(), Property::Text(collection.clone()));
        }
        all
    };
    let mut common = members.first().map(of).unwrap_or_default();
    for other in members.iter().skip(1).map(of) {
        common.retain(|name, value| other.get(name) == Some(value));
    }
    if members.len() > 1 {
        common.insert("items".into(), Property::Integer(members.len() as i64));
    }
    common
}

fn property(value: &Json) -> Option<Property> {
    Some(match value {
        Json::Bool(value) => Property::Boolean(*value),
        Json::String(text) => Property::Text(text.clone()),
        Json::Number(number) => number.as_i64().map(Property::Integer).or_else(|| number.as_f64().map(Property::Number))?,
        _ => return None,
    })
}

/// The items of an argument, where it is such.
pub fn items_of(value: &Value) -> Option<Arc<Items>> {
    value.as_userdata()?.borrow::<LuaItems>().ok().map(|items| items.0.clone())
}
