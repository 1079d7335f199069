//! `catalog.stac` and `catalog.open`.

use std::path::PathBuf;
use std::sync::Arc;

use mlua::serde::SerializeOptions;
use mlua::{Lua, LuaSerdeExt, Value as LuaValue};
use serde_json::Value;

use super::item::LuaItem;
use super::items::LuaItems;
use super::search::LuaSearch;
use super::values::{AreaShape, listed};
use crate::bind_class;
use crate::bytes::http::{Http, wait};
use crate::catalog::item::Invalid;
use crate::catalog::items::Items;
use crate::catalog::pages::Limits;
use crate::catalog::stac::{
    Area, Client, CollectionQuery, Feature, Fields, Filter, Interval, PAGE, Query, SortKey, open as open_items, query_json, query_text,
};
use crate::error::{Choice, Domain, Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, Several, describe};
use crate::lua::{Args, Builder, Class, Options, access};
use crate::options;

/// A STAC API service.
pub struct LuaService(Client);

bind_class!(LuaService);

/// Reads the landing page at `url`.
pub fn open_service(_: &Lua, args: &Args) -> Result<LuaService> {
    let url: String = args.get("url")?;
    let http = Http::shared()?;
    wait(Client::open(http, &url)).map(LuaService)
}

options! {
    pub struct OpenTable("catalog.OpenOptions") {
        /// Leave out what is no STAC item and name it in `notes`, in place of an error.
        skip_invalid: bool = false,
    }
}

impl OpenTable {
    fn invalid(&self) -> Invalid {
        if self.skip_invalid { Invalid::Skip } else { Invalid::Refuse }
    }
}

/// Items in files and catalogues of files.
pub fn open(lua: &Lua, args: &Args, o: OpenTable) -> Result<LuaItems> {
    let mut text: String = args.get("path")?;
    if !text.contains("://") {
        let access = access(lua);
        let path = access.read(PathBuf::from(&text))?;
        if !path.exists() {
            return Err(Error::NoSuchFile {
                path: PathBuf::from(text),
                looked_in: access.working().to_path_buf(),
            });
        }
        text = path.display().to_string();
    }
    let http = Http::shared()?;
    wait(open_items(http, &text, o.invalid())).map(LuaItems::new)
}

impl Class for LuaService {
    const NAME: &'static str = "Service";

    fn define(c: &mut Builder<Self>) {
        c.field("url", |_, this| Ok(this.0.address()))
            .field("title", |_, this| Ok(this.0.title().map(str::to_string)))
            .method("conforms(feature?)", conforms)
            .method_with("collections(options?)", |lua, this, _, o: CollectionTable| {
                to_lua(lua, &wait(this.0.collections(Http::shared()?, &o.query()?))?.into())
            })
            .method("collection(id)", |lua, this, args| {
                let id: String = args.get("id")?;
                to_lua(lua, &wait(this.0.collection(Http::shared()?, &id))?)
            })
            .method("queryables(collection?)", |lua, this, args| {
                let id: Option<String> = args.get("collection")?;
                to_lua(lua, &wait(this.0.queryables(Http::shared()?, id.as_deref()))?)
            })
            .method("item(collection, id)", |_, this, args| {
                let (collection, id): (String, String) = (args.get("collection")?, args.get("id")?);
                let item = wait(this.0.item(Http::shared()?, &collection, &id))?;
                let items = Arc::new(Items::new(vec![item])?);
                Ok(LuaItem { items, index: 0 })
            })
            .method_with("search(options?)", |_, this, _, o: StacTable| {
                let (method, limits) = (o.method, o.limits());
                let query = o.query()?;
                Ok(LuaSearch::new(match method {
                    Some(Method::Get) => this.0.search_by_get(&query, limits)?,
                    _ => this.0.search(&query, limits)?,
                }))
            })
            .text(|this| format!("STAC service {} ({})", this.0.address(), this.0.title().unwrap_or("without a title")));
    }
}

fn to_lua(lua: &Lua, value: &Value) -> Result<LuaValue> {
    let options = SerializeOptions::new().serialize_none_to_null(false).serialize_unit_to_null(false);
    Ok(lua.to_value_with(value, options)?)
}

/// Whether the service has a part of the API; without a name, its conformance classes.
fn conforms(lua: &Lua, this: &LuaService, args: &Args) -> Result<LuaValue> {
    let names = Feature::ALL.map(Feature::name);
    match args.choice("feature", &names)? {
        Some(name) => {
            let feature = Feature::ALL.into_iter().find(|f| f.name() == name);
            Ok(LuaValue::Boolean(feature.is_some_and(|f| this.0.conformance.has(f))))
        }
        None => Ok(LuaValue::Table(lua.create_sequence_from(this.0.conformance.classes.clone())?)),
    }
}

options! {
    struct CollectionTable("catalog.CollectionOptions") {
        /// Words in the id, title, description or keywords.
        text: Option<String>,
        /// West, south, east, north in degrees.
        bbox: Option<[f64; 4]>,
        /// As in `Service:search`.
        datetime: Option<Several<String>>,
    }
}

impl CollectionTable {
    fn query(self) -> Result<CollectionQuery> {
        Ok(CollectionQuery {
            text: self.text,
            bbox: self.bbox,
            datetime: interval(listed(self.datetime))?,
        })
    }
}

/// One text, or the two ends.
fn interval(ends: Vec<String>) -> Result<Option<Interval>> {
    match ends.len() {
        0 => Ok(None),
        1 | 2 => Interval::parse(&ends.join("/")).map(Some),
        n => Err(Error::argument("datetime", "one time or stretch of time, or the two ends of one", format!("{n} values"))),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Post,
    Get,
}

impl Choice for Method {
    const ALL: &'static [(&'static str, Self)] = &[("POST", Method::Post), ("GET", Method::Get)];
}

options! {
    struct StacTable("catalog.StacOptions") {
        /// Collections to search. Default: all.
        collections: Option<Several<String>>,
        /// Items to find by their ids.
        ids: Option<Several<String>>,
        /// West, south, east, north in degrees (or six numbers, with heights in metres). West > east is a box over the antimeridian; it is
        /// sent as the two on its sides.
        bbox: Option<Vec<f64>>,
        /// The area: a Geometry, WKT or GeoJSON in longitude and latitude.
        intersects: Option<AreaShape>,
        /// `"2020"`, `"2020-06"`, `"2020-06-01"` (all of it), `"2020-06-01T10:00:00Z"`, two of them as `"2020-06/2020-08"` or
        /// `{ "2020-06", "2020-08" }`, open as `"2020/.."`. UTC.
        datetime: Option<Several<String>>,
        /// CQL2 as text (`"eo:cloud_cover < 30 AND platform = 'landsat-8'"`) or as a table of CQL2 JSON; sent as the service reads it.
        filter: Option<Cql>,
        /// The older filter: `"eo:cloud_cover<30"`, a list of such, or `{ ["eo:cloud_cover"] = { lt = 30 } }`.
        query: Option<Comparisons>,
        /// Fields, each with `-` in front where the largest comes first: `"-properties.datetime"`.
        sortby: Option<Several<String>>,
        /// Parts of the items to get or (`"-assets"`) to leave out.
        fields: Option<Parts>,
        /// Items a request; fewer where the server gives up.
        limit: usize = PAGE; Domain::within(1.0, 10_000.0),
        /// Stop here. Default: all.
        max_items: Option<usize>; Domain::at_least(1.0),
        /// How the search is sent. Default POST, and GET where the service does not take it.
        method: Option<Method>,
        /// Give an answer that has fewer items than the server counts, with a note, in place of an error.
        partial: bool = false,
        /// Leave out what is no STAC item and name it in `notes`, in place of an error.
        skip_invalid: bool = false,
    }
}

impl StacTable {
    fn limits(&self) -> Limits {
        Limits {
            page: self.limit,
            most: self.max_items,
            partial: self.partial,
        }
    }

    fn query(self) -> Result<Query> {
        let area = match (self.bbox, self.intersects) {
            (Some(_), Some(_)) => {
                return Err(Error::argument("bbox", "left out where `intersects` is given: a search has one area", "both"));
            }
            (Some(numbers), None) => Some(Area::bbox(&numbers)?),
            (None, Some(AreaShape(shape))) => Some(Area::shape(&shape)?),
            (None, None) => None,
        };
        let sortby = listed(self.sortby);
        Ok(Query {
            collections: names(self.collections, "collections")?,
            ids: names(self.ids, "ids")?,
            area,
            datetime: interval(listed(self.datetime))?,
            query: self.query.map_or(serde_json::Map::new(), |Comparisons(map)| map),
            filter: self.filter.map(|Cql(filter)| filter),
            sortby: sortby.iter().map(|key| SortKey::parse(key)).collect::<Result<_>>()?,
            fields: self.fields.map(|Parts(fields)| fields),
            invalid: if self.skip_invalid { Invalid::Skip } else { Invalid::Refuse },
        })
    }
}

/// Names, at least one where the option is there: an empty list of ids must not find everything.
fn names(given: Option<Several<String>>, name: &str) -> Result<Vec<String>> {
    match given {
        Some(Several(list)) if list.is_empty() => {
            Err(Error::argument(name, "at least one name (leave it out to search all)", "an empty list"))
        }
        given => Ok(listed(given)),
    }
}

fn json(value: &LuaValue, name: &str, expected: String) -> Result<Value> {
    serde_json::to_value(value).map_err(|_| Error::argument(name, expected, describe(value)))
}

/// A filter in the query language of OGC.
struct Cql(Filter);

impl FromScript for Cql {
    fn expected() -> String {
        "CQL2 as text or as a table".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|table".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Self::from_script(value, "filter").ok()
    }
    fn from_script(value: &LuaValue, name: &str) -> Result<Self> {
        match (value, String::accept(value)) {
            (LuaValue::Table(_), _) => Filter::json(json(value, name, Self::expected())?).map(Cql),
            (_, Some(text)) => Filter::text(&text).map(Cql),
            _ => Err(Error::argument(name, Self::expected(), describe(value))),
        }
    }
}

/// Comparisons as texts, or as a table by property.
struct Comparisons(serde_json::Map<String, Value>);

impl FromScript for Comparisons {
    fn expected() -> String {
        "comparisons such as \"eo:cloud_cover<30\", or a table of them by property".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string|string[]|table".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Self::from_script(value, "query").ok()
    }
    fn from_script(value: &LuaValue, name: &str) -> Result<Self> {
        if matches!(value, LuaValue::Table(table) if table.raw_len() == 0) {
            return query_json(json(value, name, Self::expected())?).map(Comparisons);
        }
        let Several(texts) = Several::<String>::from_script(value, name)?;
        let mut out = serde_json::Map::new();
        for text in texts {
            query_text(&text, &mut out)?;
        }
        Ok(Comparisons(out))
    }
}

/// `{ "id", "-assets" }` or `{ include = {…}, exclude = {…} }`.
struct Parts(Fields);

impl FromScript for Parts {
    fn expected() -> String {
        "a list of names, or { include = …, exclude = … }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("string[]|{ include: string[], exclude: string[] }".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        Self::from_script(value, "fields").ok()
    }
    fn from_script(value: &LuaValue, name: &str) -> Result<Self> {
        let fields = match value {
            LuaValue::Table(table) if table.raw_len() == 0 => Options::read(value, name, |o| {
                Ok(Fields {
                    include: listed(o.get("include")?),
                    exclude: listed(o.get("exclude")?),
                })
            })?
            .checked()?,
            value => Fields::parse(&Several::<String>::from_script(value, name)?.0)?,
        };
        Ok(Parts(fields))
    }
}
