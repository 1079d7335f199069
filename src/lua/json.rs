//! JSON text to Lua values and back.

use mlua::{Lua, LuaSerdeExt, Table, Value};

use super::{Args, Module};
use crate::error::{Error, Result};
use crate::options;

pub fn define(m: &mut Module) -> Result<()> {
    m.value("null", m.lua().null())?;
    m.function("decode(text)", decode)?;
    m.function_with("encode(value?, options?)", encode)?;
    m.function("array(list?)", array)?;
    Ok(())
}

fn decode(lua: &Lua, args: &Args) -> Result<Value> {
    let text: String = args.get("text")?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Error::message(format!("not JSON: {e}")))?;
    Ok(lua.to_value(&value)?)
}

options! {
    struct Encoding("json.EncodeOptions") {
        /// Break and indent lines.
        pretty: bool = false,
    }
}

fn encode(_: &Lua, args: &Args, o: Encoding) -> Result<String> {
    let value: Value = args.get("value")?;
    // The order in a Lua table differs from run to run; a file should not.
    let value = value.to_serializable().sort_keys(true);
    let text = if o.pretty {
        serde_json::to_string_pretty(&value)
    } else {
        serde_json::to_string(&value)
    };
    text.map_err(|e| Error::message(format!("cannot be written as JSON: {e}")))
}

/// Marks a table as a list, which only matters for empty ones: `{}` is an object.
fn array(lua: &Lua, args: &Args) -> Result<Table> {
    let table = match args.get::<Option<Table>>("list")? {
        Some(table) => table,
        None => lua.create_table()?,
    };
    table.set_metatable(Some(lua.array_metatable()))?;
    Ok(table)
}
