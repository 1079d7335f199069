//! The texts of the chunks that a virtual machine runs, kept to show the line of an error.

use std::collections::HashMap;

use mlua::Lua;

#[derive(Default)]
struct Sources(HashMap<String, String>);

/// Keeps `text` under the name that errors use: `s1.lua`, `prompt`.
pub fn remember(lua: &Lua, name: &str, text: &str) {
    if lua.app_data_ref::<Sources>().is_none() {
        lua.set_app_data(Sources::default());
    }
    if let Some(mut sources) = lua.app_data_mut::<Sources>() {
        sources.0.insert(shown_name(name).to_string(), text.to_string());
    }
}

pub fn text(lua: &Lua, name: &str) -> Option<String> {
    lua.app_data_ref::<Sources>()?.0.get(shown_name(name)).cloned()
}

/// A chunk name without the mark that says what kind it is.
pub fn shown_name(name: &str) -> &str {
    name.strip_prefix(['@', '=']).unwrap_or(name)
}

/// Name and line of the chunk of Lua that calls a native; the host's own are passed over.
pub fn caller(lua: &Lua) -> Option<(String, usize)> {
    (1..8).find_map(|level| {
        lua.inspect_stack(level, |frame| {
            let name = frame.source().source?.to_string();
            let line = frame.current_line().filter(|_| name != "=perilune")?;
            Some((name, line))
        })?
    })
}
