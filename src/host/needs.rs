//! `needs { … }`: what a script states that it needs, read before it runs, and looked at again when it does.

use mlua::{Lua, LuaSerdeExt, Value};

use super::literal::argument_of;
use crate::error::{Error, Result};
use crate::lua::Args;
use crate::lua::module::Module;
use crate::share::permissions::Needs;

/// In app data: what a script of others stated before it ran.
struct Stated(Needs);

/// What a script states, without running it. None where it states nothing.
///
/// # Errors
/// When what it states has to be computed, or is no statement of needs.
pub fn stated(script: &str, source: &str) -> Result<Option<Needs>> {
    let at = |error: Error| Error::message(format!("{script}: {error}"));
    let Some((literal, line)) = argument_of(source, "needs").map_err(at)? else {
        return Ok(None);
    };
    let json = literal.to_json().ok_or_else(|| {
        at(Error::message(format!(
            "line {line}: needs {{ … }} mixes entries with and without names"
        )))
    })?;
    let needs = Needs::from_json(&json).map_err(|e| at(Error::message(format!("line {line}: {e}"))))?;
    Ok(Some(needs))
}

/// # Errors
/// When Lua is out of memory.
pub fn install(lua: &Lua) -> Result<()> {
    let needs = Module::alone(lua, "", "needs(declaration)", needs)?;
    Ok(lua.globals().raw_set("needs", needs)?)
}

/// Holds the script that is about to run to what it stated.
pub fn hold(lua: &Lua, stated: Needs) {
    lua.set_app_data(Stated(stated));
}

fn needs(lua: &Lua, args: &Args) -> Result<()> {
    let declaration: Value = args.get("declaration")?;
    if !declaration.is_table() {
        return Err(Error::argument(
            "declaration",
            "a table such as { read = { \"data\" } }",
            crate::lua::describe(&declaration),
        ));
    }
    let json = lua
        .from_value(declaration)
        .map_err(|e| Error::message(e.to_string()))?;
    let needs = Needs::from_json(&json)?;
    if let Some(version) = &needs.version {
        version.check()?;
    }
    match lua.app_data_ref::<Stated>() {
        Some(stated) => needs.within(&stated.0),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_script_and_line() {
        for (source, said) in [
            (
                "\nneeds { read = f() }",
                "a.lua: line 2: needs { … } is read before the script runs",
            ),
            (
                "needs { reed = {} }",
                "a.lua: line 1: needs has no `reed`; did you mean `read`?",
            ),
            ("needs { 'a', read = {} }", "mixes entries"),
        ] {
            let error = stated("a.lua", source).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let needs = stated("a.lua", "needs { read = { 'a' } } needz {}")
            .unwrap()
            .unwrap();
        assert_eq!(needs.read, ["a"]);
        assert!(stated("a.lua", "x = 1").unwrap().is_none());
    }
}
