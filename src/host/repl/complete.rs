//! What Tab offers: names, fields and methods, options of the function being called, files inside strings, commands.
//! Nothing is called to find out; only plain names and fields are looked up.

use mlua::{Lua, Table, Value};

use super::commands::COMMANDS;
use super::resolve;
use crate::host::documentation::{self, Kind as EntryKind};
use crate::host::lexer::{Token, TokenKind, tokens};
use crate::host::loader;
use crate::lua::access;
use crate::lua::names::{What, with_names};

/// Where the word being completed starts, and what it may become.
pub fn complete(lua: &Lua, text: &str) -> (usize, Vec<String>) {
    if let Some((start, found)) = command(lua, text) {
        return (start, found);
    }
    let all = tokens(text);
    let mut before: &[Token] = &all;
    if let Some(last) = all.last().filter(|t| t.unfinished) {
        if last.kind == TokenKind::Comment {
            return (text.len(), Vec::new());
        }
        let inside = last.start + 1;
        let choices = choices(lua, &all[..all.len() - 1], &text[inside..]);
        if !choices.is_empty() {
            return (inside, choices);
        }
        return files(lua, text, inside);
    }
    // The word under the cursor, which may be empty.
    let mut start = text.len();
    if let Some(last) = all
        .last()
        .filter(|t| matches!(t.kind, TokenKind::Name | TokenKind::Keyword) && t.end() == text.len())
    {
        start = last.start;
        before = &all[..all.len() - 1];
    }
    let word = &text[start..];
    let mut found = match before.last() {
        Some(dot) if dot.is(".") || dot.is(":") => members(lua, before),
        _ => {
            let options = options(lua, before);
            if options.is_empty() { names(lua) } else { options }
        }
    };
    found.retain(|name| name.starts_with(word));
    found.sort();
    found.dedup();
    (start, found)
}

/// `:load fi`, `?filter.l`
fn command(lua: &Lua, text: &str) -> Option<(usize, Vec<String>)> {
    if let Some(name) = text.strip_prefix('?') {
        return Some(asked(lua, name, 1));
    }
    let rest = text.strip_prefix(':')?;
    let Some((name, argument)) = rest.split_once(' ') else {
        let names = COMMANDS.iter().map(|c| format!("{} ", c.name));
        return Some((1, names.filter(|name| name.starts_with(rest)).collect()));
    };
    let start = text.len() - argument.len();
    Some(match name {
        "load" | "save" | "save!" => files(lua, text, start),
        "doc" => asked(lua, argument, start),
        "time" => {
            let (inner, found) = complete(lua, argument);
            (start + inner, found)
        }
        _ => (text.len(), Vec::new()),
    })
}

/// What help may be asked about: names of the documentation, or else what stands at hand.
fn asked(lua: &Lua, name: &str, start: usize) -> (usize, Vec<String>) {
    let found = documented(name);
    if !found.is_empty() || name.is_empty() {
        return (start, found);
    }
    let (inner, found) = complete(lua, name);
    (start + inner, found)
}

fn documented(prefix: &str) -> Vec<String> {
    documentation::entries()
        .iter()
        .filter(|e| e.name.starts_with(prefix) && e.kind != EntryKind::Alias)
        .map(|e| e.name.clone())
        .collect()
}

/// Variables, modules and words of the language.
fn names(lua: &Lua) -> Vec<String> {
    let mut names = loader::module_names();
    for pair in lua.globals().pairs::<Value, Value>() {
        if let Ok((Value::String(name), _)) = pair {
            names.push(name.to_string_lossy());
        }
    }
    names.extend(
        [
            "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local",
            "nil", "not",
        ]
        .map(String::from),
    );
    names.extend(["or", "repeat", "return", "then", "true", "until", "while"].map(String::from));
    names
}

/// What may follow the `.` or `:` that ends `before`.
fn members(lua: &Lua, before: &[Token]) -> Vec<String> {
    let Some((dot, object)) = before.split_last() else {
        return Vec::new();
    };
    let methods_only = dot.is(":");
    let module = || loader::load(lua, &resolve::required(object)?).ok();
    if let Some(value) = resolve::value_of(lua, object).or_else(module) {
        return members_of(lua, &value, methods_only);
    }
    match resolve::class_of(lua, object) {
        Some(class) => class_members(&class, methods_only),
        None => Vec::new(),
    }
}

fn members_of(lua: &Lua, value: &Value, methods_only: bool) -> Vec<String> {
    match value {
        Value::UserData(object) => {
            let Ok(class) = object.type_name() else {
                return Vec::new();
            };
            let class = class.to_string_lossy();
            with_names(lua, |names| match names.classes.get(class.as_str()) {
                Some(info) => {
                    let entries = info
                        .entries
                        .iter()
                        .filter(|e| (e.what == What::Method) == methods_only);
                    let mut found: Vec<String> = entries.map(|e| e.name.clone()).collect();
                    if let (false, Some(dynamic)) = (methods_only, &info.dynamic) {
                        found.extend(dynamic(object));
                    }
                    found
                }
                None => class_members(&class, methods_only),
            })
        }
        Value::String(_) => lua
            .globals()
            .raw_get("string")
            .map(|t: Table| keys(&t))
            .unwrap_or_default(),
        Value::Table(table) => match loader::module_of(lua, table).map(|name| loader::contents(lua, &name)) {
            Some(Some(contents)) => keys(&contents),
            _ => keys(table),
        },
        _ => Vec::new(),
    }
}

fn keys(table: &Table) -> Vec<String> {
    let pairs = table.pairs::<Value, Value>();
    pairs
        .filter_map(|pair| match pair {
            Ok((Value::String(name), _)) => Some(name.to_string_lossy()),
            _ => None,
        })
        .filter(|name| !name.starts_with("__"))
        .collect()
}

fn class_members(class: &str, methods_only: bool) -> Vec<String> {
    let Some(entry) = documentation::find(class) else {
        return Vec::new();
    };
    if !methods_only {
        return entry.fields.iter().map(|f| f.name.clone()).collect();
    }
    let prefix = format!("{class}:");
    let methods = documentation::entries()
        .iter()
        .filter(|e| e.name.starts_with(&prefix));
    methods.map(|e| e.short_name().to_string()).collect()
}

/// The options that may stand next, where a name is due.
fn options(lua: &Lua, before: &[Token]) -> Vec<String> {
    if !before.last().is_some_and(|t| t.is("{") || t.is(",") || t.is(";")) {
        return Vec::new();
    }
    let Some((fields, inside)) = resolve::open_options(lua, before) else {
        return Vec::new();
    };
    let given = |name: &str| inside.windows(2).any(|pair| pair[0].is(name) && pair[1].is("="));
    fields
        .iter()
        .filter(|f| !given(&f.name))
        .map(|f| format!("{} = ", f.name))
        .collect()
}

/// The words that an option or argument takes, inside its quotes: `unit = "p`. Those of its type, or else those that its
/// text gives as examples.
fn choices(lua: &Lua, before: &[Token], prefix: &str) -> Vec<String> {
    let Some(field) = resolve::field_at(lua, before) else {
        return Vec::new();
    };
    let mut words = documentation::choices(&field.type_name);
    if words.is_empty() {
        let code = field.text.split('`').skip(1).step_by(2);
        words.extend(code.filter_map(|code| Some(code.strip_prefix('"')?.strip_suffix('"')?.to_string())));
    }
    words.retain(|word| word.starts_with(prefix) && !word.contains('"'));
    words
}

/// Files that the text from `start` on may name.
fn files(lua: &Lua, text: &str, start: usize) -> (usize, Vec<String>) {
    let typed = &text[start..];
    let (folder, prefix) = match typed.rfind('/') {
        Some(slash) => typed.split_at(slash + 1),
        None => ("", typed),
    };
    let Ok(path) = access(lua).read(if folder.is_empty() { "." } else { folder }) else {
        return (text.len(), Vec::new());
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(prefix) && (!name.starts_with('.') || prefix.starts_with('.')) {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            found.push(format!("{name}{slash}"));
        }
    }
    found.sort();
    (start + folder.len(), found)
}

/// What is still to be given to the function whose parenthesis was just opened: ` raster, options?)`.
pub fn hint(lua: &Lua, text: &str) -> Option<String> {
    let all = tokens(text);
    let (last, callee) = all.split_last()?;
    if !last.is("(") || last.end() != text.len() {
        return None;
    }
    let entry = resolve::callee_entry(lua, callee)?;
    let signature = entry.signature();
    signature.split_once('(').map(|(_, rest)| rest.to_string())
}
