//! How a script says something: `print`, `io.write`, `display`.

use mlua::{Function, Lua, Table};

use super::show;
use crate::error::{Error, Result};
use crate::lua::module::Module;
use crate::work::{self, Stream};

pub fn install(lua: &Lua) -> Result<()> {
    let globals = lua.globals();
    globals.raw_set("print", print(lua)?)?;
    globals.raw_set("display", Module::alone(lua, "", "display(...)", display)?)?;
    let io: Table = globals.raw_get("io")?;
    Ok(io.raw_set("write", Module::alone(lua, "io.", "write(...)", write)?)?)
}

fn print(lua: &Lua) -> Result<Function> {
    let tostring: Function = lua.globals().raw_get("tostring")?;
    Module::alone(lua, "", "print(...)", move |_, args| {
        let mut line = Vec::new();
        for (i, value) in args.rest().iter().enumerate() {
            if i > 0 {
                line.push(b'\t');
            }
            let text: mlua::LuaString = tostring.call(value)?;
            line.extend_from_slice(&text.as_bytes());
        }
        line.push(b'\n');
        work::output().write(Stream::Stdout, &line)
    })
}

fn write(lua: &Lua, args: &crate::lua::Args) -> Result<()> {
    for value in args.rest() {
        match lua.coerce_string(value.clone())? {
            Some(text) => work::output().write(Stream::Stdout, &text.as_bytes())?,
            None => {
                return Err(Error::argument(
                    "each value",
                    "a string or a number",
                    crate::lua::describe(value),
                ));
            }
        }
    }
    Ok(())
}

/// Each value as the prompt shows it. A dry run gets the texts alone: pictures are made of pixels.
fn display(lua: &Lua, args: &crate::lua::Args) -> Result<()> {
    let output = work::output();
    for value in args.rest() {
        let display = show::display(lua, value, output.columns());
        match work::rehearsal() {
            Some(_) => output.show(display.bundle(&[])?)?,
            None => output.display(&display)?,
        }
    }
    Ok(())
}
