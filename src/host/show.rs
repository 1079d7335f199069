//! How values show themselves, at the prompt and by `print`, `tostring` and `display`.

use mlua::{Function, Lua, Table, Value};

use crate::host::lexer;
use crate::host::{documentation, loader};
use crate::lua::contents;
use crate::lua::names::with_names;
use crate::lua::value::number_text;
use crate::work::{self, Display, Form};

const MAX_DEPTH: usize = 4;
const MAX_ENTRIES: usize = 24;
const MAX_TEXT: usize = 4000;

/// A value as outputs show it. Errors of objects' own functions stand in its place.
pub fn display(lua: &Lua, value: &Value, width: usize) -> Display {
    if let Value::UserData(object) = value
        && let Ok(name) = object.type_name()
    {
        let name = name.to_string_lossy();
        let class = with_names(lua, |names| names.classes.get(name.as_str()).cloned());
        if let Some(show) = class.and_then(|class| class.show) {
            return show(lua, object).unwrap_or_else(|error| Display::new(format!("({error})")));
        }
    }
    Display::new(match value {
        Value::String(s) => quote(&s.to_string_lossy(), MAX_TEXT),
        Value::Table(table) => match (loader::module_of(lua, table), own_text(table)) {
            (Some(name), _) => match documentation::show(&name, width) {
                Ok(text) => text,
                Err(_) => format!("module {name}"),
            },
            (None, Some(text)) => text,
            (None, None) => entries(lua, table, width),
        },
        Value::Function(function) => function_text(lua, function),
        other => as_text(other),
    })
}

/// The text in which the output of this thread's context shows a value, of several lines where it helps.
pub fn text(lua: &Lua, value: &Value, width: usize) -> String {
    let output = work::output();
    let forms = output.forms().iter().filter(|form| **form == Form::Terminal);
    let forms: Vec<Form> = forms.copied().collect();
    match display(lua, value, width).bundle(&forms) {
        Ok(bundle) => bundle.for_terminal().to_string(),
        Err(error) => format!("({error})"),
    }
}

/// What `tostring` gives for a table that has no text of its own.
pub fn table_text(lua: &Lua, table: &Table, width: usize) -> Option<String> {
    if let Some(name) = loader::module_of(lua, table) {
        return Some(format!("module {name}"));
    }
    let meta = table.metatable();
    let named = meta.is_some_and(|meta| {
        let has = |name: &str| meta.raw_get::<Value>(name).is_ok_and(|value| !value.is_nil());
        has("__tostring") || has("__name") && !is_guarded(table)
    });
    (!named).then(|| entries(lua, table, width))
}

fn entries(lua: &Lua, table: &Table, width: usize) -> String {
    let mut printer = Printer {
        lua,
        width,
        seen: Vec::new(),
    };
    printer.table(table, 0, 0)
}

/// Whether what it holds stands behind a metatable that scripts cannot reach, as that of parameters does.
fn is_guarded(table: &Table) -> bool {
    let closed = |meta: Table| {
        meta.raw_get::<Value>("__metatable")
            .is_ok_and(|value| value == Value::Boolean(false))
    };
    table.is_empty() && table.metatable().is_some_and(closed)
}

/// Through `__repl` or `__tostring`, where a table made in Lua has them.
fn own_text(table: &Table) -> Option<String> {
    let meta = table.metatable()?;
    for name in ["__repl", "__tostring"] {
        if let Ok(Value::Function(function)) = meta.raw_get::<Value>(name) {
            return Some(match function.call::<mlua::LuaString>(table) {
                Ok(text) => text.to_string_lossy(),
                Err(error) => format!("({})", crate::error::Error::from(error)),
            });
        }
    }
    None
}

struct Printer<'a> {
    lua: &'a Lua,
    width: usize,
    /// The tables around the one being printed, so that a loop ends.
    seen: Vec<Table>,
}

impl Printer<'_> {
    fn table(&mut self, table: &Table, depth: usize, indent: usize) -> String {
        let inside = is_guarded(table).then(|| contents(table)).flatten();
        let table = inside.as_ref().unwrap_or(table);
        if self.seen.contains(table) {
            return "{ … itself … }".to_string();
        }
        if table.is_empty() {
            return "{}".to_string();
        }
        if depth >= MAX_DEPTH {
            return "{ … }".to_string();
        }
        self.seen.push(table.clone());
        let (entries, left_out) = self.entries(table, depth, indent + 2);
        self.seen.pop();
        let more = match left_out {
            0 => None,
            n => Some(format!("… ({n} more)")),
        };
        let parts: Vec<&str> = entries
            .iter()
            .map(String::as_str)
            .chain(more.as_deref())
            .collect();
        let one_line = format!("{{ {} }}", parts.join(", "));
        if !one_line.contains('\n') && indent + one_line.chars().count() <= self.width {
            return one_line;
        }
        let space = " ".repeat(indent + 2);
        format!(
            "{{\n{space}{}\n{}}}",
            parts.join(&format!(",\n{space}")),
            " ".repeat(indent)
        )
    }

    /// The list part in order, then names sorted; and how many did not fit.
    fn entries(&mut self, table: &Table, depth: usize, indent: usize) -> (Vec<String>, usize) {
        let length = table.raw_len();
        let mut shown = Vec::new();
        for i in 1..=length.min(MAX_ENTRIES) {
            let value = table.raw_get::<Value>(i).unwrap_or(Value::Nil);
            shown.push(self.value(&value, depth, indent));
        }
        let mut named: Vec<(String, Value)> = Vec::new();
        for pair in table.pairs::<Value, Value>() {
            match pair {
                Ok((Value::Integer(i), _)) if i >= 1 && i as usize <= length => {}
                Ok((key, value)) => named.push((self.key(&key), value)),
                Err(_) => break,
            }
        }
        named.sort_by(|a, b| a.0.cmp(&b.0));
        let room = MAX_ENTRIES.saturating_sub(shown.len());
        let total = length + named.len();
        for (key, value) in named.into_iter().take(room) {
            let value = self.value(&value, depth, indent);
            shown.push(format!("{key} = {value}"));
        }
        let left_out = total - shown.len();
        (shown, left_out)
    }

    fn key(&self, key: &Value) -> String {
        match key {
            Value::String(name) => {
                let name = name.to_string_lossy();
                let plain = matches!(lexer::tokens(&name).as_slice(), [one] if one.kind == lexer::TokenKind::Name && one.text == name);
                if plain {
                    name
                } else {
                    format!("[{}]", quote(&name, 60))
                }
            }
            other => format!("[{}]", as_text(other)),
        }
    }

    fn value(&mut self, value: &Value, depth: usize, indent: usize) -> String {
        match value {
            Value::String(s) => quote(&s.to_string_lossy(), 200),
            Value::Table(table) => match (loader::module_of(self.lua, table), own_text(table)) {
                (Some(name), _) => format!("module {name}"),
                (None, Some(text)) => first_line(&text),
                (None, None) => self.table(table, depth + 1, indent),
            },
            Value::Function(function) => function_text(self.lua, function),
            other => first_line(&as_text(other)),
        }
    }
}

/// `function filter.lee(raster, options?)`, or where it was written.
fn function_text(lua: &Lua, function: &Function) -> String {
    if let Some(name) = loader::name_of(lua, function) {
        return match documentation::find(&name) {
            Some(entry) => format!("function {}", entry.signature()),
            None => format!("function {name}"),
        };
    }
    let info = function.info();
    match (info.short_src, info.line_defined) {
        (Some(source), Some(line)) if info.what != "C" => format!("function ({source}:{line})"),
        _ => "function (built in)".to_string(),
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Number(n) => number_text(*n),
        other => other.to_string().unwrap_or_else(|error| format!("({error})")),
    }
}

fn first_line(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or("").to_string();
    if lines.next().is_some() {
        format!("{first} …")
    } else {
        first
    }
}

fn quote(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{:?}… ({} bytes)", &text[..end], text.len()),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(code: &str) -> String {
        let lua = Lua::new();
        let value: Value = lua.load(format!("return {code}")).eval().unwrap();
        display(&lua, &value, 40).text().to_string()
    }

    #[test]
    fn values_are_readable() {
        for (code, expected) in [
            ("1", "1"),
            ("0.1 + 0.2", "0.30000000000000004"),
            ("2.0", "2.0"),
            ("'a\\nb'", "\"a\\nb\""),
            (
                "{ 1, 2, x = 'y', ['a b'] = true }",
                "{ 1, 2, [\"a b\"] = true, x = \"y\" }",
            ),
            ("{}", "{}"),
            ("{ { { { { 1 } } } } }", "{ { { { { … } } } } }"),
            (
                "(function() local t = {} t.t = t return t end)()",
                "{ t = { … itself … } }",
            ),
            (
                "setmetatable({}, { __tostring = function() return 'me' end })",
                "me",
            ),
            (
                "{ 'aaaaaaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbbbb' }",
                "{\n  \"aaaaaaaaaaaaaaaaaaaa\",\n  \"bbbbbbbbbbbbbbbbbbbbbb\"\n}",
            ),
        ] {
            assert_eq!(shown(code), expected, "{code}");
        }
        assert!(
            shown("(function() local t = {} for i = 1, 99 do t[i] = i end return t end)()")
                .contains("… (75 more)")
        );
        assert!(shown("function() end").starts_with("function ("));
    }
}
