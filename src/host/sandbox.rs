//! What of Lua's own library a script gets: no programs, no bytecode, no files but through the host.

use mlua::{Function, IntoLuaMulti, Lua, MultiValue, Table, Value};

use super::show::table_text;
use super::{advice, lists, loader, output, text};
use crate::error::{Error, Result, nearest};
use crate::lua::module::{Module, guard};
use crate::lua::native::plain;
use crate::work;

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

/// # Errors
/// When Lua is out of memory.
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
    lua.load(PRELUDE)
        .set_name("=perilune")
        .call::<()>(plain(lua, shown)?)?;
    output::install(lua)?;

    let string: Table = globals.raw_get("string")?;
    let matches = text::install(lua, &string)?;
    let gsub: Function = string.raw_get("gsub")?;
    let gsub: Function = lua.load(text::GSUB).set_name("=perilune").call((gsub, matches))?;
    string.raw_set("gsub", gsub)?;
    let format = text::format::install(lua, string.raw_get("format")?, globals.raw_get("tostring")?)?;
    string.raw_set("format", format)?;
    lists::install(lua, &globals.raw_get("table")?)?;

    let debug = lua.create_table()?;
    let traceback = lua.create_function(|lua, (message, level): (Option<String>, Option<usize>)| {
        lua.traceback(message.as_deref(), level.unwrap_or(1))
    })?;
    debug.raw_set("traceback", traceback)?;
    globals.raw_set("debug", debug)?;
    Ok(())
}

/// Why a function of Lua's own library is not here.
pub fn withheld(library: &str, name: &str) -> Option<&'static str> {
    let (_, names) = WITHHELD.iter().find(|(known, _)| *known == library)?;
    names
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, reason)| *reason)
}

/// A table as `tostring` shows it, or nil where it says itself how.
fn shown(lua: &Lua, values: MultiValue) -> Result<MultiValue> {
    let text = match values.front() {
        Some(Value::Table(table)) => table_text(lua, table, work::output().columns()),
        _ => None,
    };
    Ok(text.into_lua_multi(lua)?)
}

fn withhold(lua: &Lua, table: &Table, prefix: &str, name: &str, reason: &'static str) -> Result<()> {
    let function = Module::alone(lua, prefix, &format!("{name}(...)"), move |_, _| {
        Err::<(), _>(Error::message(format!("not available: {reason}")))
    })?;
    Ok(table.raw_set(name, function)?)
}

/// Makes reading a global that was never set an error with a suggestion. With `modules`, as at the prompt, a module's
/// name loads it; in scripts the error names the `require` that is missing.
///
/// # Errors
/// When Lua is out of memory.
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
        let near = nearest(&name, names.iter().map(String::as_str));
        let hint = match (advice::of_name(&name), near) {
            (Some(advice), _) => format!("; {advice}"),
            (None, Some(near)) => format!("; did you mean `{near}`?"),
            (None, None) => String::new(),
        };
        Err(Error::message(format!("no variable `{name}`{hint}")))
    })?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", index)?;
    meta.raw_set("__newindex", newindex)?;
    globals.set_metatable(Some(meta))?;
    Ok(())
}
