//! The class Items: what a search found.

use std::path::PathBuf;
use std::sync::Arc;

use geo::Intersects;
use jiff::Timestamp;
use mlua::{IntoLua, Lua, Value as LuaValue};

use super::item::LuaItem;
use super::values::area_argument;
use crate::bind_class;
use crate::catalog::footprint;
use crate::catalog::item::{self, Item, data_assets, property, size};
use crate::catalog::items::Items;
use crate::catalog::snapshot;
use crate::error::{Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::rehearsal::is_told;
use crate::lua::raster::values::time_range;
use crate::lua::tables::values::{Filter, equal};
use crate::lua::value::describe;
use crate::lua::{Args, Builder, Class, FromScript, access};
use crate::options;
use crate::raster::Crs;
use crate::table::{Table, Value, parse_time};
use crate::vector::{Feature, Features, Properties};
use crate::work::{Display, Form};

#[derive(Clone)]
pub struct LuaItems(pub Arc<Items>);

bind_class!(LuaItems);

impl LuaItems {
    pub fn new(items: Items) -> LuaItems {
        LuaItems(Arc::new(items))
    }

    pub fn item(&self, index: usize) -> LuaItem {
        LuaItem {
            items: self.0.clone(),
            index,
        }
    }
}

impl FromScript for LuaItems {
    fn expected() -> String {
        "Items".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Items".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        value.as_userdata()?.borrow::<LuaItems>().ok().map(|items| items.clone())
    }
}

impl Class for LuaItems {
    const NAME: &'static str = "Items";

    fn define(c: &mut Builder<Self>) {
        c.length(|this| this.0.len())
            .items(|lua, this, index| {
                let found = usize::try_from(index - 1).ok().filter(|i| *i < this.0.len());
                Ok(found.map(|i| this.item(i).into_lua(lua)).transpose()?)
            })
            .field("matched", |_, this| Ok(this.0.matched))
            .field("notes", |lua, this| Ok(lua.create_sequence_from(this.0.notes.clone())?))
            .text(title)
            .listing(|this| {
                let mut head = title(this);
                for note in &this.0.notes {
                    head.push_str(&format!("\nnote: {note}"));
                }
                let first: Vec<usize> = (0..this.0.len().min(5)).collect();
                if first.is_empty() {
                    return Ok(Display::new(head));
                }
                let table = table(&this.0.take(&first))?;
                let kept = ["id", "collection", "datetime", "size_bytes"];
                let kept: Vec<&str> = kept.into_iter().filter(|n| table.has(n)).collect();
                let table = table.select(&kept)?;
                let display = Display::new(format!("{head}\n{table}"));
                Ok(display.with(Form::Html, move || Ok(Some(table.html_below(&head).into()))))
            });
        c.method("filter(condition)", filter)
            .method_with("sort(property, options?)", sort)
            .method("head(count)", |_, this, args| {
                let count = args.get::<usize>("count")?.min(this.0.len());
                Ok(LuaItems::new(this.0.take(&(0..count).collect::<Vec<_>>())))
            })
            .method("append(other)", |_, this, args| {
                Ok(LuaItems::new(this.0.append(&args.get::<LuaItems>("other")?.0)))
            })
            .method("between(start, stop)", between)
            .method("intersecting(area)", intersecting)
            .method("ids()", |lua, this, _| {
                Ok(lua.create_sequence_from(this.0.items.ids())?)
            })
            .method("table()", |_, this, _| table(&this.0))
            .method("features()", |_, this, _| features(&this.0))
            .method("bytes()", |_, this, _| {
                let mut bytes = 0;
                for item in this.0.items.iter() {
                    let item = item?;
                    bytes += data_assets(&item).into_iter().filter_map(|name| size(&item.assets[name])).sum::<u64>();
                }
                Ok(bytes)
            })
            .method("save(path)", |lua, this, args| {
                let path = access(lua).write(args.get::<PathBuf>("path")?)?;
                match is_told(lua, "write", &path) {
                    true => Ok(()),
                    false => snapshot::save(&this.0, &path),
                }
            });
    }
}

fn title(this: &LuaItems) -> String {
    let count = this.0.len();
    let noun = if count == 1 { "item" } else { "items" };
    let spans: Vec<_> = (0..count).filter_map(|i| this.0.items.span(i)).collect();
    let first = spans.iter().map(|s| s.start).min();
    let last = spans.iter().map(|s| s.end).max();
    let mut text = format!("{count} {noun}");
    if let Some(matched) = this.0.matched.filter(|m| *m as usize != count) {
        text.push_str(&format!(" of {matched}"));
    }
    if let (Some(first), Some(last)) = (first, last) {
        let day = |t: Timestamp| t.to_zoned(jiff::tz::TimeZone::UTC).date();
        text.push_str(&format!(", {} to {}", day(first), day(last)));
    }
    text
}

/// Times are known by the names of their properties, numbers and lists by what they are.
fn value(name: &str, json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::String(text) if name.ends_with("datetime") || name.ends_with("_date") => {
            parse_time(&text).map_or(Value::Text(text), Value::Time)
        }
        other => Value::from_json(other),
    }
}

fn filter(lua: &Lua, this: &LuaItems, args: &Args) -> Result<LuaItems> {
    let mut kept = Vec::new();
    let condition: Filter = args.get("condition")?;
    for index in 0..this.0.len() {
        let keep = match &condition {
            Filter::Equal(wanted) => {
                let item = this.0.items.get(index)?;
                wanted.iter().all(|(name, wanted)| property(&item, name).is_some_and(|found| equal(&value(name, found), wanted)))
            }
            Filter::Function(function) => {
                let answer: LuaValue = function.call((this.item(index).into_lua(lua)?, index + 1))?;
                !matches!(answer, LuaValue::Nil | LuaValue::Boolean(false))
            }
        };
        if keep {
            kept.push(index);
        }
    }
    Ok(LuaItems::new(this.0.take(&kept)))
}

options! {
    struct SortTable("catalog.SortOptions") {
        /// The largest first.
        descending: bool = false,
    }
}

/// Items without the property come last.
fn sort(_: &Lua, this: &LuaItems, args: &Args, o: SortTable) -> Result<LuaItems> {
    let name: String = args.get("property")?;
    let descending = o.descending;
    let key = |item: Result<Arc<Item>>| Ok(property(&*item?, &name).map(|v| value(&name, v)));
    let keys: Vec<Option<Value>> = this.0.items.iter().map(key).collect::<Result<_>>()?;
    if !keys.is_empty() && keys.iter().all(Option::is_none) {
        return Err(Error::message(format!("no item has the property `{name}`")));
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let compared = match (&keys[a], &keys[b]) {
            (None, None) => return Equal,
            (None, _) => return Greater,
            (_, None) => return Less,
            (Some(Value::Time(a)), Some(Value::Time(b))) => a.cmp(b),
            (Some(a), Some(b)) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => a.to_string().cmp(&b.to_string()),
            },
        };
        if descending { compared.reverse() } else { compared }
    });
    Ok(LuaItems::new(this.0.take(&order)))
}

fn between(_: &Lua, this: &LuaItems, args: &Args) -> Result<LuaItems> {
    let wanted = time_range(args)?;
    let inside = |i: &usize| this.0.items.span(*i).is_some_and(|s| s.start <= wanted.last && s.end >= wanted.first);
    let kept: Vec<usize> = (0..this.0.len()).filter(inside).collect();
    Ok(LuaItems::new(this.0.take(&kept)))
}

fn intersecting(_: &Lua, this: &LuaItems, args: &Args) -> Result<LuaItems> {
    let area = footprint::settle_area(&area_argument(args, "area")?)?;
    let mut kept = Vec::new();
    for (index, item) in this.0.items.iter().enumerate() {
        if footprint::of(&*item?)?.is_some_and(|shape| shape.intersects(&area)) {
            kept.push(index);
        }
    }
    Ok(LuaItems::new(this.0.take(&kept)))
}

fn cells(item: &Item) -> Vec<(String, Value)> {
    let json = serde_json::to_value(&item.properties).unwrap_or_default();
    let mut cells = vec![("id".to_string(), Value::Text(item.id.clone()))];
    cells.extend(item.collection.clone().map(|c| ("collection".to_string(), Value::Text(c))));
    for (name, found) in json.as_object().into_iter().flatten() {
        if !found.is_null() {
            cells.push((name.clone(), value(name, found.clone())));
        }
    }
    cells
}

/// One row an item: id, collection, the properties, and size and address of the main asset.
fn table(items: &Items) -> Result<Table> {
    let row = |item: Result<Arc<Item>>| {
        let item = item?;
        let mut row = cells(&item);
        if let Some(asset) = data_assets(&item).first().map(|name| &item.assets[*name]) {
            row.extend(size(asset).map(|s| ("size_bytes".to_string(), Value::Integer(s as i64))));
            row.push(("url".to_string(), Value::Text(asset.href.clone())));
        }
        Ok(row)
    };
    let mut failed = None;
    let rows = items.items.iter().map_while(|item| row(item).map_err(|e| failed = Some(e)).ok());
    let table = Table::from_rows(rows)?;
    failed.map_or(Ok(table), Err)
}

fn features(items: &Items) -> Result<Features> {
    let mut features = Vec::new();
    for item in items.items.iter() {
        let item = item?;
        let properties: Properties = cells(&item).into_iter().collect();
        features.push(Feature::new(footprint::of(&item)?, properties));
    }
    Ok(Features::new(features, Some(Crs::parse("EPSG:4326")?)))
}

/// Items of a list of them, or of STAC items as tables.
pub fn from_list(_: &Lua, args: &Args) -> Result<LuaItems> {
    let list: Vec<LuaValue> = args.get("list")?;
    let mut items = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        if let Some(item) = LuaItem::accept(entry) {
            items.push(Item::clone(&*item.get()?));
            continue;
        }
        let name = format!("list[{}]", index + 1);
        let wrong = |what: String| Error::argument(&name, "an Item, or a STAC item as a table", what);
        let LuaValue::Table(_) = entry else {
            return Err(wrong(describe(entry)));
        };
        let mut json = serde_json::to_value(entry).map_err(|e| wrong(e.to_string()))?;
        // An empty table of Lua's may be either; here it is a list.
        for name in ["links", "stac_extensions"] {
            if json[name].as_object().is_some_and(serde_json::Map::is_empty) {
                json[name] = serde_json::Value::Array(Vec::new());
            }
        }
        items.push(item::read(json).map_err(|text| Error::message(format!("{name} {text}")))?);
    }
    Ok(LuaItems::new(Items::new(items)?))
}
