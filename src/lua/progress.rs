//! Progress of loops that a script makes.

use mlua::{Function, Lua, MultiValue, Value};

use super::{Args, Module};
use crate::error::Result;
use crate::interrupt;
use crate::work;

pub fn define(m: &mut Module) -> Result<()> {
    m.function("each(list, label?)", each)?;
    m.function("run(total, label, fn)", run)?;
    Ok(())
}

/// An iterator like that of `ipairs`. Leaving the loop early, by `break` or an error, closes the bar too: the loop's
/// closing value does that.
fn each(lua: &Lua, args: &Args) -> Result<MultiValue> {
    let list: Value = args.get("list")?;
    let label: Option<String> = args.get("label")?;
    let total = match &list {
        Value::Table(table) => table.len()?,
        Value::UserData(object) => {
            let length: Function = lua.load("return function(x) return #x end").set_name("=perilune").eval()?;
            length.call(object)?
        }
        other => {
            return Err(crate::error::Error::argument("list", "a list", super::describe(other)));
        }
    };
    let progress = work::progress();
    progress.start(total.max(0) as u64, label.as_deref().unwrap_or("progress"));
    let next = Module::alone(lua, "progress.", "each(list, index)", |_, args| {
        interrupt::check()?;
        let index: i64 = args.get("index")?;
        if index > 0 {
            work::progress().advance(1);
        }
        let value: Value = match args.get::<Value>("list")? {
            Value::Table(table) => table.get(index + 1)?,
            Value::UserData(object) => mlua::ObjectLike::get(&object, index + 1)?,
            _ => Value::Nil,
        };
        let index = if value.is_nil() { Value::Nil } else { Value::Integer(index + 1) };
        Ok((index, value))
    })?;
    let closing = lua.create_table()?;
    let meta = lua.create_table()?;
    let finish = Module::alone(lua, "progress.", "each(...)", |_, _| {
        work::progress().finish();
        Ok(())
    })?;
    meta.raw_set("__close", finish)?;
    closing.set_metatable(Some(meta))?;
    Ok(MultiValue::from_vec(vec![
        Value::Function(next),
        list,
        Value::Integer(0),
        Value::Table(closing),
    ]))
}

/// Calls `fn(step)`; `step(n?)` says that n more are done.
fn run(lua: &Lua, args: &Args) -> Result<MultiValue> {
    let total: u64 = args.get("total")?;
    let label: String = args.get("label")?;
    let function: Function = args.get("fn")?;
    let step = Module::alone(lua, "progress.", "step(n?)", |_, args| {
        interrupt::check()?;
        work::progress().advance(args.get::<Option<u64>>("n")?.unwrap_or(1));
        Ok(())
    })?;
    work::progress().start(total, &label);
    let result: mlua::Result<MultiValue> = function.call(step);
    work::progress().finish();
    Ok(result?)
}

