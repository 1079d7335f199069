//! The class Item: one granule, scene or tile of an archive.

use std::sync::Arc;

use mlua::{Lua, LuaSerdeExt, Table as LuaTable, Value as LuaValue};

use crate::bind_class;
use crate::catalog::item::{Item, checksum, data_assets, property, Span, size, without_data};
use crate::catalog::items::Items;
use crate::catalog::footprint;
use crate::error::{Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::value::describe;
use crate::lua::{Builder, Class, FromScript};
use crate::raster::Crs;
use crate::table::format_time;
use crate::vector::Geometry;

/// One of a search's items, which stays where the search put it.
#[derive(Clone)]
pub struct LuaItem {
    pub items: Arc<Items>,
    pub index: usize,
}

bind_class!(LuaItem);

impl LuaItem {
    pub fn get(&self) -> Result<Arc<Item>> {
        self.items.items.get(self.index)
    }

    fn id(&self) -> &str {
        self.items.items.id(self.index)
    }

    fn span(&self) -> Option<Span> {
        self.items.items.span(self.index)
    }
}

impl Class for LuaItem {
    const NAME: &'static str = "Item";

    fn define(c: &mut Builder<Self>) {
        c.field("id", |_, this| Ok(this.id().to_string()))
            .field("collection", |_, this| Ok(this.get()?.collection.clone()))
            .field("datetime", |_, this| Ok(this.span().map(|s| format_time(s.start))))
            .field("end_datetime", |_, this| Ok(this.span().map(|s| format_time(s.end))))
            .field("geometry", |_, this| geometry(this))
            .field("bounds", |lua, this| {
                let bounds = geometry(this)?.and_then(|g| g.bounds());
                let list = bounds.map(|b| lua.create_sequence_from([b.min_x, b.min_y, b.max_x, b.max_y]));
                Ok(list.transpose()?)
            })
            .field("properties", |lua, this| Ok(lua.to_value_with(&this.get()?.properties, options())?))
            .field("assets", |lua, this| {
                let out = lua.create_table()?;
                for name in this.get()?.assets.keys() {
                    out.raw_set(name.as_str(), asset(lua, this, name)?)?;
                }
                Ok(out)
            })
            .text(|this| match this.span() {
                Some(s) => format!("item {} of {}", this.id(), format_time(s.start)),
                None => format!("item {}", this.id()),
            })
            .show(|_, this| {
                let item = this.get()?;
                let mut text = format!("item {}", item.id);
                if let Some(collection) = &item.collection {
                    text.push_str(&format!(" ({collection})"));
                }
                let json = serde_json::to_value(&item.properties).unwrap_or_default();
                for (name, value) in json.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
                    text.push_str(&format!("\n  {name}: {value}"));
                }
                let names: Vec<&str> = item.assets.keys().map(String::as_str).collect();
                text.push_str(&format!("\n  assets: {}", names.join(", ")));
                Ok(text)
            });
        c.method("asset(name?)", |lua, this, args| {
            let name = match args.get::<Option<String>>("name")? {
                Some(name) => name,
                None => {
                    let item = this.get()?;
                    match data_assets(&item).first() {
                        Some(name) => name.to_string(),
                        None => return Err(without_data(&item, "in `asset(name)`")),
                    }
                }
            };
            asset(lua, this, &name)
        })
        .method("property(name)", |lua, this, args| {
            Ok(match property(&*this.get()?, &args.get::<String>("name")?) {
                Some(value) => lua.to_value(&value)?,
                None => LuaValue::Nil,
            })
        })
        .method("footprint()", |_, this, _| match footprint::of(&*this.get()?)? {
            Some(shape) => Ok(Some(Geometry::new(shape, Some(Crs::parse("EPSG:4326")?)))),
            None => Ok(None),
        });
    }
}

fn options() -> mlua::serde::SerializeOptions {
    mlua::serde::SerializeOptions::new().serialize_none_to_null(false)
        .serialize_unit_to_null(false)
}

fn geometry(this: &LuaItem) -> Result<Option<Geometry>> {
    let item = this.get()?;
    match &item.geometry {
        Some(given) => {
            let text = serde_json::to_string(given).map_err(|e| Error::message(e.to_string()))?;
            Ok(Some(Geometry::from_geojson(&text)?))
        }
        None => Ok(footprint::of(&item)?.map(|shape| Geometry::new(shape, Crs::parse("EPSG:4326").ok()))),
    }
}

/// `{ name, href, type, title, roles, size, checksum, … }`.
fn asset(lua: &Lua, this: &LuaItem, name: &str) -> Result<LuaTable> {
    let item = this.get()?;
    let Some(found) = item.assets.get(name) else {
        return Err(Error::message(format!(
            "item {}: {}",
            item.id,
            Error::not_found("asset", name, item.assets.keys())
        )));
    };
    let LuaValue::Table(table) = lua.to_value_with(found, options())? else {
        return Err(Error::message(format!("the asset `{name}` of the item {} is no table", item.id)));
    };
    table.raw_set("name", name)?;
    table.raw_set("size", size(found))?;
    if let Some((kind, digits)) = checksum(found) {
        table.raw_set("checksum", format!("{kind}:{digits}"))?;
    }
    Ok(table)
}

impl FromScript for LuaItem {
    fn expected() -> String {
        "an Item".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Item".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        value.as_userdata()?.borrow::<LuaItem>().ok().map(|item| item.clone())
    }
    fn from_script(value: &LuaValue, name: &str) -> Result<Self> {
        Self::accept(value).ok_or_else(|| Error::argument(name, Self::expected(), describe(value)))
    }
}
