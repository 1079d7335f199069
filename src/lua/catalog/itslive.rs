//! `catalog.itslive` and what goes with it: names, filters and cubes of the archive of glacier velocities.

use std::path::PathBuf;

use mlua::{Lua, Table as LuaTable, Value as LuaValue};

use super::items::LuaItems;
use super::search::LuaSearch;
use super::values::{AreaShape, Period, area_argument, listed};
use crate::bind_class;
use crate::bytes::http::{Http, parse_url};
use crate::catalog::itslive::cubes::{CATALOGUE, Cubes, Found};
use crate::catalog::itslive::filter::{by_year, entries_of_urls, month};
use crate::catalog::itslive::query::{platforms, version};
use crate::catalog::itslive::{
    Area, Candidate, Filter, Granule, PAGE, Frame, Preference, Query, STAC_SERVICE, Serialization, StacSearch,
    URL_SERVICE, UrlSearch, names, projection_of,
};
use crate::error::{Choice, Domain, Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, Several, describe};
use crate::lua::{Args, Builder, Class, Module, access};
use crate::options;
use crate::table::{Column, Table, Value};

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<LuaCubes>();
    m.function_with("itslive(options)", search)?;
    m.function("itslive_granule(address)", granule)?;
    m.function_with("itslive_filter(granules, options?)", filter)?;
    m.function("itslive_by_year(granules)", years)?;
    m.function("itslive_cubes(source?)", cubes)?;
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
pub enum Answers {
    Stac,
    Urls,
}

impl Choice for Answers {
    const ALL: &'static [(&'static str, Self)] = &[("stac", Answers::Stac), ("urls", Answers::Urls)];
}

options! {
    pub struct ItsliveTable("catalog.ItsliveOptions") {
        ..period: Period,
        /// `{ west, south, east, north }` in degrees; west > east lies over the dateline.
        bbox: Option<[f64; 4]>,
        /// Corners `{ { lon, lat }, … }`, the numbers in one list, or `"lon,lat,lon,lat,…"`.
        polygon: Option<Ring>,
        /// The area or point: a Geometry, WKT, or GeoJSON. One of bbox, polygon and intersects is needed.
        intersects: Option<AreaShape>,
        /// Days between the acquisitions, at least.
        min_separation: Option<f64>,
        /// Days between the acquisitions, at most.
        max_separation: Option<f64>,
        /// At least this much of the ice has a velocity.
        percent_valid_pixels: Option<f64>; Domain::PERCENT,
        /// `"S2B"`, `"LC08"`, or a whole mission: `"Landsat 8"`, `"sentinel-1"`, `"L8"`. Of the image that the granule names first.
        platform: Option<Several<String>>,
        /// `2`, `"2.1"`.
        version: Option<Version>,
        /// Code of the projection. STAC only.
        epsg: Option<u32>,
        /// Stop here. Default: all.
        max_items: Option<usize>,
        /// The STAC service, or the older service of addresses, of which mirrors may exist.
        service: Answers = Answers::Stac,
        /// Another server than the archive's.
        url: Option<String>,
        /// What the service of addresses is asked to answer with.
        serialization: Serialization = Serialization::Json,
        /// Granules an answer, STAC only; fewer where the server gives up.
        page: usize = PAGE; Domain::at_least(1.0),
        /// Give an answer that has fewer granules than the service counts, with a note, in place of an error.
        partial: bool = false,
    }
}

/// The first time of a pair is the earlier of its acquisitions': pairs whose time between them touches the period.
fn search(_: &Lua, _: &Args, o: ItsliveTable) -> Result<LuaSearch> {
    let endpoint = |default: &str| parse_url("url", o.url.as_deref().unwrap_or(default));
    Ok(match o.service {
        Answers::Urls => {
            let (address, form) = (endpoint(URL_SERVICE)?, o.serialization);
            LuaSearch::new(UrlSearch::new(o.query()?, address, form)?)
        }
        Answers::Stac => {
            let (address, page) = (endpoint(STAC_SERVICE)?, o.page);
            LuaSearch::new(StacSearch::new(o.query()?, address, page)?)
        }
    })
}

impl ItsliveTable {
    fn query(self) -> Result<Query> {
        let mut codes = Vec::new();
        for name in listed(self.platform) {
            codes.extend(platforms(&name)?);
        }
        let (start, end) = self.period.ends();
        // One of them is needed.
        let area = match (self.bbox, self.polygon, self.intersects) {
            (Some(bbox), None, None) => Area::bbox(bbox)?,
            (None, Some(Ring(corners)), None) => Area::polygon(&corners)?,
            (None, None, Some(AreaShape(shape))) => Area::of(shape)?,
            _ => {
                return Err(Error::message(
                    "a search needs one of the options bbox, polygon and intersects",
                ));
            }
        };
        Ok(Query {
            start,
            end,
            min_separation: self.min_separation,
            max_separation: self.max_separation,
            percent_valid_pixels: self.percent_valid_pixels,
            platforms: codes,
            version: self.version.map(|Version(text)| version(&text)).transpose()?,
            epsg: self.epsg,
            most: self.max_items,
            partial: self.partial,
            ..Query::new(area)
        })
    }
}

/// `2`, `2.1`, `"002"`.
pub struct Version(String);

impl FromScript for Version {
    fn expected() -> String {
        "a version such as 2 or \"2.1\"".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number|string".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        match value {
            LuaValue::Integer(number) => Some(Version(number.to_string())),
            LuaValue::Number(number) => Some(Version(number.to_string())),
            other => String::accept(other).map(Version),
        }
    }
}

/// `{ { lon, lat }, … }`, `{ lon, lat, lon, lat, … }`, or those numbers as text, as itslive-explorer writes them.
pub struct Ring(Vec<[f64; 2]>);

impl FromScript for Ring {
    fn expected() -> String {
        "a list of corners { { lon, lat }, … }, or \"lon,lat,lon,lat,…\"".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number[][]|number[]|string".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        let flat = match value {
            LuaValue::String(text) => {
                let numbers = text
                    .to_str()
                    .ok()?
                    .split(',')
                    .map(|n| n.trim().parse().ok())
                    .collect();
                let numbers: Option<Vec<f64>> = numbers;
                numbers?
            }
            other => match Vec::<[f64; 2]>::accept(other) {
                Some(corners) => return Some(Ring(corners)),
                None => Vec::<f64>::accept(other)?,
            },
        };
        let pairs = flat.chunks_exact(2);
        pairs
            .remainder()
            .is_empty()
            .then(|| Ring(pairs.map(|c| [c[0], c[1]]).collect()))
    }
}

fn granule(lua: &Lua, args: &Args) -> Result<LuaTable> {
    let address: String = args.get("address")?;
    let granule = Granule::parse(&address)?;
    let out = lua.create_table()?;
    let scenes = lua.create_table()?;
    for scene in &granule.scenes {
        let one = lua.create_table()?;
        one.raw_set("id", scene.id.as_str())?;
        one.raw_set("platform", scene.platform.as_str())?;
        let format = if scene.to_the_second {
            "%Y-%m-%dT%H:%M:%SZ"
        } else {
            "%Y-%m-%d"
        };
        one.raw_set("datetime", scene.time.strftime(format).to_string())?;
        one.raw_set("relative_orbit", names::orbit(scene))?;
        match &scene.place {
            Frame::PathRow { path, row } => {
                one.raw_set("path", *path)?;
                one.raw_set("row", *row)?;
            }
            Frame::Tile { tile, .. } => one.raw_set("tile", tile.as_str())?,
            Frame::Orbit { absolute, .. } => one.raw_set("absolute_orbit", *absolute)?,
            Frame::Burst { burst, swath } => {
                one.raw_set("burst", *burst)?;
                one.raw_set("swath", swath.as_str())?;
            }
            Frame::TrackFrame { frame, .. } => one.raw_set("frame", *frame)?,
        }
        scenes.raw_push(one)?;
    }
    out.raw_set("id", granule.id.as_str())?;
    out.raw_set("scenes", scenes)?;
    out.raw_set("start", names::stamp(granule.earlier().time))?;
    out.raw_set("end", names::stamp(granule.later().time))?;
    out.raw_set("mid_date", names::stamp(granule.mid_date()))?;
    out.raw_set("separation_days", granule.separation_days())?;
    out.raw_set("spacing_m", granule.spacing_m)?;
    out.raw_set("version", granule.version.as_str())?;
    out.raw_set("percent_valid_pixels", granule.percent_valid_pixels)?;
    out.raw_set("on_demand", granule.on_demand)?;
    out.raw_set("crs", projection_of(&address))?;
    Ok(out)
}

/// What a search found, or addresses.
enum Granules {
    Items(LuaItems),
    Urls(Vec<String>),
}

impl FromScript for Granules {
    fn expected() -> String {
        "Items or a list of addresses".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Items|string[]".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        match LuaItems::accept(value) {
            Some(items) => Some(Granules::Items(items)),
            None => Vec::<String>::accept(value).map(Granules::Urls),
        }
    }
}

impl Granules {
    fn entries(&self) -> Result<Vec<Candidate>> {
        match self {
            Granules::Items(items) => items.0.items.iter().map(|item| Candidate::of_item(&*item?)).collect(),
            Granules::Urls(urls) => entries_of_urls(urls),
        }
    }
}

options! {
    pub struct FilterTable("catalog.ItsliveFilterOptions") {
        /// Months of the mid-date: `{ 11, 12, "January" }`. Default: all.
        months: Option<Several<Month>>,
        /// Years of the mid-date. Default: all.
        years: Option<Several<Year>>,
        /// At most so many of each year of the mid-date. Default: all.
        most_per_year: Option<usize>; Domain::at_least(1.0),
        /// Which of a year's: those with the most valid pixels, the first of the list, or those spread over the year.
        choose: Preference = Preference::Valid,
    }
}

/// Of the sort that was given.
fn filter(lua: &Lua, args: &Args, o: FilterTable) -> Result<LuaValue> {
    use mlua::IntoLua;
    let granules: Granules = args.get("granules")?;
    let filter = Filter {
        most_per_year: o.most_per_year,
        months: listed(o.months).into_iter().map(|Month(m)| m).collect(),
        years: listed(o.years).into_iter().map(|Year(y)| y).collect(),
        choice: o.choose,
    };
    let kept = filter.apply(&granules.entries()?);
    match granules {
        Granules::Items(items) => Ok(LuaItems::new(items.0.take(&kept)).into_lua(lua)?),
        Granules::Urls(urls) => Ok(LuaValue::Table(
            lua.create_sequence_from(kept.into_iter().map(|i| urls[i].as_str()))?,
        )),
    }
}

pub struct Month(i8);

impl FromScript for Month {
    fn expected() -> String {
        "a month, 1 to 12 or its English name".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("integer|string".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        let text = i64::accept(value)
            .map(|n| n.to_string())
            .or_else(|| String::accept(value))?;
        month(&text).ok().map(Month)
    }
}

pub struct Year(i16);

impl FromScript for Year {
    fn expected() -> String {
        "a year".into()
    }
    fn kind() -> ValueType {
        ValueType::Integer
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        i64::accept(value)?.try_into().ok().map(Year)
    }
}

/// One row a year.
fn years(_: &Lua, args: &Args) -> Result<Table> {
    let years = by_year(&args.get::<Granules>("granules")?.entries()?);
    Table::new(vec![
        (
            "year".to_string(),
            Column::from_values(years.keys().map(|y| Value::Integer(i64::from(*y))).collect()),
        ),
        (
            "count".to_string(),
            Column::from_values(
                years
                    .values()
                    .map(|list| Value::Integer(list.len() as i64))
                    .collect(),
            ),
        ),
    ])
}

/// The catalogue of data cubes.
pub struct LuaCubes(Cubes);

bind_class!(LuaCubes);

fn cubes(lua: &Lua, args: &Args) -> Result<LuaCubes> {
    let source: LuaValue = args.get("source")?;
    let text = match &source {
        LuaValue::Nil => CATALOGUE.to_string(),
        other => String::accept(other)
            .ok_or_else(|| Error::argument("source", "a file or an address of the web", describe(other)))?,
    };
    let from_web = text.starts_with("http://") || text.starts_with("https://");
    Ok(LuaCubes(match from_web {
        true => Cubes::fetch(Http::shared()?, &text)?,
        false => Cubes::open(&access(lua).read(PathBuf::from(text))?)?,
    }))
}

impl Class for LuaCubes {
    const NAME: &'static str = "Cubes";

    fn define(c: &mut Builder<Self>) {
        c.length(|this| this.0.cubes.len())
            .method("at(longitude, latitude)", |_, this, args| {
                let (longitude, latitude) = (args.get("longitude")?, args.get("latitude")?);
                let found = this.0.at(longitude, latitude)?;
                table(found.into_iter().map(|cube| Found { cube, share: 1.0 }), false)
            })
            .method("intersecting(area)", |_, this, args| {
                let area = Area::of(area_argument(args, "area")?)?;
                table(this.0.intersecting(&area).into_iter(), true)
            })
            .method("table()", |_, this, _| {
                table(this.0.cubes.iter().map(|cube| Found { cube, share: 1.0 }), false)
            })
            .text(|this| format!("catalogue of {} data cubes", this.0.cubes.len()));
    }
}

/// One row a cube.
fn table<'a>(found: impl Iterator<Item = Found<'a>>, with_share: bool) -> Result<Table> {
    let names = [
        "zarr_url",
        "epsg",
        "min_x",
        "min_y",
        "max_x",
        "max_y",
        "roi_percent_coverage",
        "region",
        "exists",
        "share",
    ];
    let mut columns: Vec<Vec<Value>> = vec![Vec::new(); if with_share { 10 } else { 9 }];
    for Found { cube, share } in found {
        let row = [
            Value::Text(cube.zarr_url.clone()),
            Value::Integer(i64::from(cube.epsg)),
            Value::Float(cube.bounds[0]),
            Value::Float(cube.bounds[1]),
            Value::Float(cube.bounds[2]),
            Value::Float(cube.bounds[3]),
            cube.roi_percent_coverage.map_or(Value::Missing, Value::Float),
            cube.region.clone().map_or(Value::Missing, Value::Text),
            Value::Bool(cube.exists),
            Value::Float(share),
        ];
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let named = names.iter().map(ToString::to_string);
    Table::new(named.zip(columns.into_iter().map(Column::from_values)).collect())
}
