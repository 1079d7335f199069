//! What the library in stdlib/ has beyond scripts: errors with the script's line, options checked as natives check them.
//! `require "library"` gives it; it is no part of the API.

use mlua::{Lua, Table, Value};

use super::{Args, Module, Options, describe};
use crate::error::{Error, Result};

pub fn load(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    // Natives pass over the frames of the library when they look for the line to name.
    table.raw_set("fail", super::module::guard(lua, "fail(message)", fail)?)?;
    table.raw_set(
        "options",
        super::module::guard(lua, "options(owner, given?, known?)", options)?,
    )?;
    table.raw_set(
        "describe",
        Module::alone(lua, "", "describe(...)", |_, args| {
            Ok(describe(args.rest().first().unwrap_or(&Value::Nil)))
        })?,
    )?;
    Ok(table)
}

fn fail(_: &Lua, args: &Args) -> Result<()> {
    Err(Error::message(args.get::<String>("message")?))
}

/// The table of options as it came, or an empty one; unknown names are errors that suggest.
fn options(lua: &Lua, args: &Args) -> Result<Table> {
    let owner: String = args.get("owner")?;
    let known: Vec<String> = args.get("known")?;
    let given: Value = args.get("given")?;
    let check = |o: &Options| known.iter().try_for_each(|name| o.raw(name).map(|_| ()));
    Options::read(&given, "options", check).map_err(|e| Error::message(format!("{owner}: {e}")))?;
    match given {
        Value::Table(table) => Ok(table),
        _ => Ok(lua.create_table()?),
    }
}
