//! Messages of a script on standard error.

use std::cell::Cell;

use mlua::{Lua, Value};

use super::{Args, Module};
use crate::error::{Error, Result};
use crate::work;

const LEVELS: [&str; 4] = ["debug", "info", "warn", "error"];

/// In app data: the least level that is shown, as a position in `LEVELS`.
struct Threshold(Cell<usize>);

pub fn define(m: &mut Module) -> Result<()> {
    m.lua().set_app_data(Threshold(Cell::new(1)));
    for (level, signature) in ["debug(...)", "info(...)", "warn(...)", "error(...)"].into_iter().enumerate() {
        m.function(signature, move |lua, args| say(lua, args, level))?;
    }
    m.function("level(name?)", set_level)?;
    Ok(())
}

/// Values with spaces between, or a format and its values where the first string holds a `%`.
fn say(lua: &Lua, args: &Args, level: usize) -> Result<()> {
    if lua.app_data_ref::<Threshold>().is_some_and(|t| level < t.0.get()) {
        return Ok(());
    }
    let values = args.rest();
    let text = match values {
        [Value::String(format), _, ..] if format.to_string_lossy().contains('%') => {
            let string: mlua::Table = lua.globals().raw_get("string")?;
            let format: mlua::Function = string.raw_get("format")?;
            format.call::<mlua::LuaString>(mlua::Variadic::from_iter(values.iter().cloned()))?.to_string_lossy()
        }
        values => {
            let texts: mlua::Result<Vec<String>> = values.iter().map(|v| v.to_string()).collect();
            texts?.join(" ")
        }
    };
    work::tell(&match level {
        1 => text,
        level => format!("{}: {text}", ["debug", "", "warning", "error"][level]),
    });
    Ok(())
}

fn set_level(lua: &Lua, args: &Args) -> Result<&'static str> {
    let threshold = lua.app_data_ref::<Threshold>();
    let Some(threshold) = threshold else {
        return Err(Error::message("the log is not set up"));
    };
    if let Some(name) = args.choice("name", &LEVELS)? {
        threshold.0.set(LEVELS.iter().position(|level| *level == name).unwrap_or(1));
    }
    Ok(LEVELS[threshold.0.get()])
}
