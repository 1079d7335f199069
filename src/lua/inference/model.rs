//! The class Model.

use mlua::{Lua, LuaSerdeExt, Table, Value};
use serde_json::Value as Json;

use super::apply::apply;
use crate::bind_class;
use crate::error::Result;
use crate::inference::{Model, Tensor, sizes};
use crate::lua::{Builder, Class};

bind_class!(Model);

impl Class for Model {
    const NAME: &'static str = "Model";

    fn define(c: &mut Builder<Self>) {
        c.field("path", |_, this| Ok(this.path().display().to_string()))
            .field("inputs", |lua, this| tensors(lua, &this.onnx().inputs))
            .field("outputs", |lua, this| tensors(lua, &this.onnx().outputs))
            .field("bands", |lua, this| part(lua, this, "bands"))
            .field("classes", |lua, this| part(lua, this, "classes"))
            .field("metadata", metadata)
            .field("device", |_, this| Ok(this.device().to_string()))
            .field("opset", |_, this| Ok(this.onnx().opset))
            .method_with("apply(images, options?)", apply)
            .text(|this| this.to_string())
            .show(|_, this| Ok(this.to_string()));
    }
}

/// A list of tables with name, type and shape; 0 is an axis of any size.
fn tensors(lua: &Lua, tensors: &[Tensor]) -> Result<Table> {
    let list = lua.create_table()?;
    for tensor in tensors {
        let table = lua.create_table()?;
        table.set("name", tensor.name.as_str())?;
        table.set("type", tensor.kind)?;
        table.set("shape", sizes(tensor))?;
        list.push(table)?;
    }
    Ok(list)
}

fn json(this: &Model) -> Json {
    serde_json::from_str(&this.metadata().to_json()).unwrap_or_default()
}

fn metadata(lua: &Lua, this: &Model) -> Result<Value> {
    Ok(lua.to_value(&json(this))?)
}

/// A list of the metadata, empty where they have none.
fn part(lua: &Lua, this: &Model, name: &str) -> Result<Value> {
    let list = json(this)
        .get_mut(name)
        .map(Json::take)
        .unwrap_or_else(|| Json::Array(Vec::new()));
    Ok(lua.to_value(&list)?)
}
