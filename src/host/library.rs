//! What the library in stdlib/ has beyond scripts: errors with the script's line, options that are what their comments declare.
//! `require "library"` gives it; it is no part of the API.

use std::collections::HashMap;
use std::rc::Rc;

use mlua::{Lua, Table, Value};

use super::documentation::{self, Entry, declared};
use super::sources;
use crate::error::{Error, Result};
use crate::lua::module::guard;
use crate::lua::{Args, Module, Options, describe};

pub fn load(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    // Natives pass over the frames of the library when they look for the line to name.
    table.raw_set("fail", guard(lua, "fail(message)", fail)?)?;
    table.raw_set("options", guard(lua, "options(owner, given?)", options)?)?;
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

/// The options of the function `owner`: those that were given, checked against the comments of the function that calls, and the defaults
/// of the others.
fn options(lua: &Lua, args: &Args) -> Result<Table> {
    let owner: String = args.get("owner")?;
    let given: Value = args.get("given")?;
    let entries = comments(lua, &owner)?;
    let fields = entries
        .iter()
        .find(|entry| entry.name == owner)
        .and_then(|entry| entry.parameters.iter().find(|p| p.name == "options"))
        .and_then(|parameter| documentation::table_in(&entries, &parameter.type_name))
        .map(|table| table.fields.as_slice())
        .ok_or_else(|| Error::message(format!("no comment describes the options of {owner}")))?;
    let named = |e: Error| match e {
        Error::Script(_) | Error::Interrupted => e,
        e => Error::message(format!("{owner}: {e}")),
    };
    Options::read(&given, "options", |o| declared::read(lua, o, fields, &entries)).map_err(named)
}

/// What the comments of the calling file document, and with it all that the library documents, read once for each file.
fn comments(lua: &Lua, owner: &str) -> Result<Rc<Vec<Entry>>> {
    #[derive(Default)]
    struct Read(HashMap<String, (String, Rc<Vec<Entry>>)>);
    let (chunk, _) = sources::caller(lua).ok_or_else(|| Error::message("no file calls"))?;
    let text = sources::text(lua, &chunk).unwrap_or_default();
    // A file that was edited and loaded again is another.
    if let Some(read) = lua.app_data_ref::<Read>()
        && let Some((earlier, entries)) = read.0.get(&chunk)
        && *earlier == text
    {
        return Ok(entries.clone());
    }
    let module = owner.split('.').next().unwrap_or(owner);
    let entries = Rc::new(documentation::with_others(module, &text));
    if lua.app_data_ref::<Read>().is_none() {
        lua.set_app_data(Read::default());
    }
    if let Some(mut read) = lua.app_data_mut::<Read>() {
        read.0.insert(chunk, (text, entries.clone()));
    }
    Ok(entries)
}
