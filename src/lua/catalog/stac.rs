//! `catalog.stac` and `catalog.open`.

use std::path::PathBuf;
use std::sync::Arc;

use mlua::serde::SerializeOptions;
use mlua::{Lua, LuaSerdeExt, Value as LuaValue};
use serde_json::Value;

use super::item::LuaItem;
use super::items::LuaItems;
use super::search::LuaSearch;
use super::values::{area_option, several};
use crate::bind_class;
use crate::bytes::http::{Http, wait};
use crate::catalog::item::Invalid;
use crate::catalog::items::Items;
use crate::catalog::pages::Limits;
use crate::catalog::stac::{
    Area, Client, CollectionQuery, Feature, Fields, Filter, Interval, PAGE, Query, SortKey, open as open_items, query_json, query_text,
};
use crate::error::{Error, Result};
use crate::lua::value::{FromScript, describe};
use crate::lua::{Args, Builder, Class, Options, access};

/// A STAC API service.
pub struct LuaService(Client);

bind_class!(LuaService);

/// Reads the landing page at `url`.
pub fn open_service(_: &Lua, args: &Args) -> Result<LuaService> {
    let url: String = args.get("url")?;
    let http = Http::shared()?;
    wait(Client::open(http, &url)).map(LuaService)
}

/// Items in files and catalogues of files.
pub fn open(lua: &Lua, args: &Args) -> Result<LuaItems> {
    let mut text: String = args.get("path")?;
    let invalid = args.options(skip_invalid)?;
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
    wait(open_items(http, &text, invalid)).map(LuaItems::new)
}

fn skip_invalid(o: &Options) -> Result<Invalid> {
    Ok(if o.get_or("skip_invalid", false)? { Invalid::Skip } else { Invalid::Refuse })
}

impl Class for LuaService {
    const NAME: &'static str = "Service";

    fn define(c: &mut Builder<Self>) {
        c.field("url", |_, this| Ok(this.0.address()))
            .field("title", |_, this| Ok(this.0.title().map(str::to_string)))
            .method("conforms(feature?)", conforms)
            .method("collections(options?)", |lua, this, args| {
                let query = args.options(collection_query)?;
                to_lua(lua, &wait(this.0.collections(Http::shared()?, &query))?.into())
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
                let items = Arc::new(Items::new(vec![item]));
                Ok(LuaItem { items, index: 0 })
            })
            .method("search(options?)", |_, this, args| {
                let (query, limits, method) = args.options(read)?;
                Ok(LuaSearch::new(match method {
                    Some("GET") => this.0.search_by_get(&query, limits)?,
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

fn collection_query(o: &Options) -> Result<CollectionQuery> {
    Ok(CollectionQuery {
        text: o.get("text")?,
        bbox: o.get("bbox")?,
        datetime: interval(o)?,
    })
}

/// One text, or a list of the two ends.
fn interval(o: &Options) -> Result<Option<Interval>> {
    let ends: Vec<String> = several(o, "datetime")?;
    match ends.len() {
        0 => Ok(None),
        1 | 2 => Interval::parse(&ends.join("/")).map(Some),
        n => Err(Error::argument("datetime", "one time or stretch of time, or the two ends of one", format!("{n} values"))),
    }
}

fn read(o: &Options) -> Result<(Query, Limits, Option<&'static str>)> {
    let area = match (o.get::<Vec<f64>>("bbox")?, area_option(o, "intersects")?) {
        (Some(_), Some(_)) => {
            return Err(Error::argument("bbox", "left out where `intersects` is given: a search has one area", "both"));
        }
        (Some(numbers), None) => Some(Area::bbox(&numbers)?),
        (None, Some(shape)) => Some(Area::shape(&shape)?),
        (None, None) => None,
    };
    let sortby: Vec<String> = several(o, "sortby")?;
    let query = Query {
        collections: names(o, "collections")?,
        ids: names(o, "ids")?,
        area,
        datetime: interval(o)?,
        query: query(o)?,
        filter: filter(o)?,
        sortby: sortby.iter().map(|key| SortKey::parse(key)).collect::<Result<_>>()?,
        fields: fields(o)?,
        invalid: skip_invalid(o)?,
    };
    let limits = Limits {
        page: o.checked("limit", "an integer from 1 to 10000", |n: &usize| (1..=10_000).contains(n))?.unwrap_or(PAGE),
        most: o.count("max_items")?,
        partial: o.get_or("partial", false)?,
    };
    Ok((query, limits, o.choice("method", &["POST", "GET"])?))
}

/// Names, at least one where the option is there: an empty list of ids must not find everything.
fn names(o: &Options, name: &str) -> Result<Vec<String>> {
    let list: Vec<String> = several(o, name)?;
    match list.is_empty() && !o.raw(name)?.is_nil() {
        true => Err(Error::argument(name, "at least one name (leave it out to search all)", "an empty list")),
        false => Ok(list),
    }
}

fn json(value: &LuaValue, name: &str, expected: &str) -> Result<Value> {
    serde_json::to_value(value).map_err(|_| Error::argument(name, expected, describe(value)))
}

fn filter(o: &Options) -> Result<Option<Filter>> {
    let expected = "CQL2 as text or as a table";
    match o.raw("filter")? {
        LuaValue::Nil => Ok(None),
        LuaValue::Table(table) => Filter::json(json(&LuaValue::Table(table), "filter", expected)?).map(Some),
        other => match String::accept(&other) {
            Some(text) => Filter::text(&text).map(Some),
            None => Err(Error::argument("filter", expected, describe(&other))),
        },
    }
}

/// Comparisons as texts, or as a table by property.
fn query(o: &Options) -> Result<serde_json::Map<String, Value>> {
    let value = o.raw("query")?;
    let expected = "comparisons such as \"eo:cloud_cover<30\", or a table of them by property";
    let is_table = matches!(&value, LuaValue::Table(table) if table.raw_len() == 0);
    if is_table {
        return query_json(json(&value, "query", expected)?);
    }
    let mut out = serde_json::Map::new();
    for text in several::<String>(o, "query")? {
        query_text(&text, &mut out)?;
    }
    Ok(out)
}

/// `{ "id", "-assets" }` or `{ include = {…}, exclude = {…} }`.
fn fields(o: &Options) -> Result<Option<Fields>> {
    match o.raw("fields")? {
        LuaValue::Nil => Ok(None),
        LuaValue::Table(table) if table.raw_len() == 0 => {
            let read = |f: &Options| {
                Ok(Fields {
                    include: several(f, "include")?,
                    exclude: several(f, "exclude")?,
                })
            };
            o.nested("fields", read)?.map(Fields::checked).transpose()
        }
        _ => Fields::parse(&several(o, "fields")?).map(Some),
    }
}
