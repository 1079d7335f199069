//! What of Lua's own library a script gets: no programs, no bytecode, no files but through the host.

use std::io::Write;

use mlua::{Function, Lua, Table, Value};

use super::{Limits, loader};
use crate::console;
use crate::error::{Error, Result, nearest};
use crate::interrupt;
use crate::lua::module::{Module, guard};
use crate::lua::native::OUT_OF_MEMORY;

/// Names that Lua has elsewhere, and why they are not here.
const WITHHELD: &[(&str, &[(&str, &str)])] = &[
    (
        "os",
        &[
            ("execute", "scripts cannot start programs"),
            (
                "exit",
                "end a script with `return`, or with `error(message)` for exit code 1",
            ),
            (
                "getenv",
                "the environment may hold credentials; declare a parameter with `params`",
            ),
            ("remove", "use fs.remove"),
            ("rename", "use fs.rename"),
            (
                "setlocale",
                "numbers and dates are written the same way everywhere",
            ),
            ("tmpname", "use fs.temporary"),
        ],
    ),
    (
        "io",
        &[
            ("close", "use the module fs"),
            ("input", "use the module fs"),
            ("lines", "use fs.lines"),
            ("open", "use fs.read and fs.write"),
            ("output", "use fs.write"),
            ("popen", "scripts cannot start programs"),
            ("read", "declare a parameter with `params`"),
            ("tmpfile", "use fs.temporary"),
        ],
    ),
    (
        "package",
        &[
            ("loadlib", "scripts cannot load native code"),
            ("searchpath", "`require` names where it looked"),
        ],
    ),
    ("string", &[("dump", "scripts are text, never bytecode")]),
];

const PRELUDE: &str = include_str!("prelude.lua");

pub fn install(lua: &Lua) -> Result<()> {
    let globals = lua.globals();
    for name in ["dofile", "loadfile"] {
        withhold(lua, &globals, "", name, "use `require`")?;
    }
    for (library, names) in WITHHELD {
        let table = match globals.raw_get::<Value>(*library)? {
            Value::Table(table) => table,
            _ => {
                let table = lua.create_table()?;
                globals.raw_set(*library, &table)?;
                table
            }
        };
        for (name, reason) in *names {
            withhold(lua, &table, &format!("{library}."), name, reason)?;
        }
    }
    globals.raw_set("print", print(lua)?)?;
    let io: Table = globals.raw_get("io")?;
    io.raw_set("write", write(lua)?)?;

    let string: Table = globals.raw_get("string")?;
    string.raw_set("rep", repeat(lua)?)?;

    let debug = lua.create_table()?;
    let traceback = lua.create_function(|lua, (message, level): (Option<String>, Option<usize>)| {
        lua.traceback(message.as_deref(), level.unwrap_or(1))
    })?;
    debug.raw_set("traceback", traceback)?;
    globals.raw_set("debug", debug)?;
    lua.load(PRELUDE).set_name("=perilune").exec()?;
    Ok(())
}

fn withhold(lua: &Lua, table: &Table, prefix: &str, name: &str, reason: &'static str) -> Result<()> {
    let function = Module::alone(lua, prefix, &format!("{name}(...)"), move |_, _| {
        Err::<(), _>(Error::message(format!("not available: {reason}")))
    })?;
    Ok(table.raw_set(name, function)?)
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
        put(&line)
    })
}

fn write(lua: &Lua) -> Result<Function> {
    Module::alone(lua, "io.", "write(...)", |lua, args| {
        for value in args.rest() {
            match lua.coerce_string(value.clone())? {
                Some(text) => put(&text.as_bytes())?,
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
    })
}

/// `string.rep` with the heap's limit in view. Lua's own asks for the memory first, and repeats an empty string in a
/// loop that no hook can stop.
fn repeat(lua: &Lua) -> Result<Function> {
    Module::alone(lua, "string.", "rep(s, n, sep?)", |lua, args| {
        let text = |name: &str| -> Result<Option<mlua::LuaString>> {
            match args.get::<Option<Value>>(name)? {
                Some(value @ (Value::String(_) | Value::Integer(_) | Value::Number(_))) => {
                    Ok(lua.coerce_string(value)?)
                }
                Some(value) => Err(Error::argument(name, "a string", crate::lua::describe(&value))),
                None => Ok(None),
            }
        };
        let Some(piece) = text("s")? else {
            return Err(Error::argument("s", "a string", "nil"));
        };
        let times = args.get::<i64>("n")?.max(0) as usize;
        let (piece, separator) = (
            piece.as_bytes().to_vec(),
            text("sep")?.map(|s| s.as_bytes().to_vec()).unwrap_or_default(),
        );
        if times == 0 || piece.len() + separator.len() == 0 {
            return Ok(lua.create_string("")?);
        }
        let limit = lua
            .app_data_ref::<Limits>()
            .map_or(usize::MAX, |limits| limits.heap);
        let needed = times.saturating_mul(piece.len() + separator.len());
        if needed.saturating_add(lua.used_memory()) > limit {
            return Err(Error::message(OUT_OF_MEMORY));
        }
        let mut out = Vec::with_capacity(needed);
        for i in 0..times {
            if i > 0 {
                out.extend_from_slice(&separator);
            }
            out.extend_from_slice(&piece);
        }
        Ok(lua.create_string(out)?)
    })
}

/// Writes to standard output. A reader that has gone, as in `| head`, ends the script without a word.
fn put(bytes: &[u8]) -> Result<()> {
    match console::above(|| std::io::stdout().lock().write_all(bytes)) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => {
            interrupt::request(interrupt::Reason::ReaderGone);
            Err(Error::Interrupted)
        }
        Err(e) => Err(Error::io("standard output", e)),
        Ok(()) => Ok(()),
    }
}

/// Makes reading a global that was never set an error with a suggestion. With `modules`, as at the prompt, a module's
/// name loads it; in scripts the error names the `require` that is missing.
pub fn strict(lua: &Lua, modules: bool) -> Result<()> {
    let globals = lua.globals();
    // A variable that was given nil on purpose is nil, not unknown.
    let assigned = lua.create_table()?;
    let known = assigned.clone();
    let newindex = guard(lua, "__newindex(table, key, value?)", move |lua, args| {
        let key: Value = args.get("key")?;
        known.raw_set(&key, true)?;
        Ok(lua.globals().raw_set(key, args.get::<Value>("value")?)?)
    })?;
    let index = guard(lua, "__index(table, key)", move |lua, args| {
        let key: Value = args.get("key")?;
        let Value::String(name) = &key else {
            return Ok(Value::Nil);
        };
        if assigned.contains_key(&key)? {
            return Ok(Value::Nil);
        }
        let name = name.to_string_lossy();
        let known = loader::module_names();
        if known.contains(&name) {
            if modules {
                let module = loader::load(lua, &name)?;
                lua.globals().raw_set(name, &module)?;
                return Ok(module);
            }
            return Err(Error::message(format!(
                "no variable `{name}`; for the module write `local {name} = require \"{name}\"`"
            )));
        }
        let mut names: Vec<String> = if modules { known } else { Vec::new() };
        for pair in lua.globals().pairs::<Value, Value>() {
            if let Value::String(name) = pair?.0 {
                names.push(name.to_string_lossy());
            }
        }
        let hint = match nearest(&name, names.iter().map(String::as_str)) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        Err(Error::message(format!("no variable `{name}`{hint}")))
    })?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", index)?;
    meta.raw_set("__newindex", newindex)?;
    globals.set_metatable(Some(meta))?;
    Ok(())
}
