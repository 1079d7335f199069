//! `string.format`, which shows tables as `tostring` does.

use mlua::{Function, Lua, MultiValue, Value};

use crate::error::{Error, Result};
use crate::lua::native::plain;

/// `string.format` with `original` beneath and `tostring` for the tables of `%s`.
pub fn install(lua: &Lua, original: Function, tostring: Function) -> Result<Function> {
    Ok(plain(lua, move |_, args| format(&original, &tostring, args))?)
}

fn format(original: &Function, tostring: &Function, args: MultiValue) -> Result<MultiValue> {
    let mut values = args.into_vec();
    if let Some(Value::String(text)) = values.first() {
        let kinds = kinds(&text.as_bytes());
        for (value, _) in values[1..]
            .iter_mut()
            .zip(kinds)
            .filter(|(_, kind)| *kind == b's')
        {
            if let Value::Table(table) = value {
                *value = tostring.call(table.clone())?;
            }
        }
    }
    original
        .call(MultiValue::from_vec(values))
        .map_err(|error| match &error {
            // Lua does not know by which name it was called.
            mlua::Error::RuntimeError(text) if text.starts_with("bad argument #") => {
                let first = text.lines().next().unwrap_or_default();
                Error::message(first.replacen(" to '?' (", " to 'format' (", 1))
            }
            _ => error.into(),
        })
}

/// What each conversion of a format is for: `d`, `s`.
fn kinds(text: &[u8]) -> Vec<u8> {
    let (mut kinds, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.iter().position(|&c| c == b'%') {
        rest = &rest[at + 1..];
        let flags = rest.iter().take_while(|c| b"-+ #0123456789.".contains(c)).count();
        let Some(&kind) = rest.get(flags) else { break };
        if kind != b'%' {
            kinds.push(kind);
        }
        rest = &rest[flags + 1..];
    }
    kinds
}
