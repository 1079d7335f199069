//! What Tab offers: names, fields and methods, options of the function being called, files inside strings, commands.
//! Nothing is called to find out; only plain names and fields are looked up.

use mlua::{Lua, Table, Value};

use super::commands::COMMANDS;
use crate::host::documentation::{self, Entry, Field, Kind as EntryKind};
use crate::host::lexer::{Kind, Token, tokens};
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
        if last.kind == Kind::Comment {
            return (text.len(), Vec::new());
        }
        let inside = last.start + 1;
        let choices = choices(&all[..all.len() - 1], &text[inside..]);
        if !choices.is_empty() {
            return (inside, choices);
        }
        return files(lua, text, inside);
    }
    // The word under the cursor, which may be empty.
    let mut start = text.len();
    if let Some(last) = all
        .last()
        .filter(|t| matches!(t.kind, Kind::Name | Kind::Keyword) && t.end() == text.len())
    {
        start = last.start;
        before = &all[..all.len() - 1];
    }
    let word = &text[start..];
    let mut found = match before.last() {
        Some(dot) if dot.is(".") || dot.is(":") => members(lua, before),
        _ => {
            let options = options(before);
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
        return Some((1, documented(name)));
    }
    let rest = text.strip_prefix(':')?;
    let Some((name, argument)) = rest.split_once(' ') else {
        let names = COMMANDS.iter().map(|c| format!("{} ", c.name));
        return Some((1, names.filter(|name| name.starts_with(rest)).collect()));
    };
    let start = text.len() - argument.len();
    Some(match name {
        "load" | "save" => files(lua, text, start),
        "doc" => (start, documented(argument)),
        "time" => {
            let (inner, found) = complete(lua, argument);
            (start + inner, found)
        }
        _ => (text.len(), Vec::new()),
    })
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
    if let Some(value) = value_of(lua, object) {
        return members_of(lua, &value, methods_only);
    }
    let class = match class_of(object) {
        Some(class) => class,
        None => return Vec::new(),
    };
    class_members(&class, methods_only)
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

/// The value of `a.b.c` at the end of `tokens`, where that is all there is to it.
fn value_of(lua: &Lua, tokens: &[Token]) -> Option<Value> {
    let path = path(tokens)?;
    let (first, rest) = path.split_first()?;
    let mut value: Value = lua.globals().raw_get(*first).ok()?;
    if value.is_nil() && loader::module_names().iter().any(|name| name == first) {
        value = loader::load(lua, first).ok()?;
    }
    for name in rest {
        value = match &value {
            Value::Table(table) => match loader::module_of(lua, table) {
                Some(module) => loader::contents(lua, &module)?.raw_get(*name).ok()?,
                None => table.raw_get(*name).ok()?,
            },
            // A field of an object is a property of it, without effects.
            Value::UserData(object) => mlua::ObjectLike::get(object, *name).ok()?,
            _ => return None,
        };
    }
    (!value.is_nil()).then_some(value)
}

/// The names of `a.b.c` at the end of `tokens`.
fn path<'a>(tokens: &[Token<'a>]) -> Option<Vec<&'a str>> {
    let mut names = Vec::new();
    let mut at = tokens.len();
    loop {
        let name = tokens[..at].last().filter(|t| t.kind == Kind::Name)?;
        names.push(name.text);
        at -= 1;
        match tokens[..at].last() {
            Some(t) if t.is(".") => at -= 1,
            Some(t) if t.is(":") || t.is(")") || t.is("]") || t.kind == Kind::String => return None,
            _ => break,
        }
    }
    names.reverse();
    Some(names)
}

/// The class of what a call that ends `tokens` returns, by its documentation: `raster.open("a"):clamp(0, 1)`.
fn class_of(tokens: &[Token]) -> Option<String> {
    let (last, before) = tokens.split_last()?;
    let callee = if last.kind == Kind::String {
        before
    } else if last.is(")") || last.is("}") {
        let mut depth = 1;
        let open = before.iter().rposition(|t| {
            match t.text {
                ")" | "}" | "]" if t.kind == Kind::Symbol => depth += 1,
                "(" | "{" | "[" if t.kind == Kind::Symbol => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        &before[..open]
    } else {
        return None;
    };
    let entry = callee_entry(callee)?;
    let class = entry.returns.first()?.type_name.trim_end_matches('?').to_string();
    documentation::find(&class).filter(|e| e.kind == EntryKind::Class)?;
    Some(class)
}

/// The documentation of the function whose name ends `tokens`.
fn callee_entry(tokens: &[Token]) -> Option<&'static Entry> {
    if let Some(path) = path(tokens) {
        return documentation::find(&path.join("."));
    }
    let (name, before) = tokens.split_last()?;
    let (colon, object) = before.split_last()?;
    if name.kind != Kind::Name || !(colon.is(":") || colon.is(".")) {
        return None;
    }
    if let Some(class) = class_of(object) {
        return documentation::find(&format!("{class}:{}", name.text));
    }
    // Of an object that is not known: the one method of that name, if there is just one.
    let suffix = format!(":{}", name.text);
    let mut found = documentation::entries()
        .iter()
        .filter(|e| e.name.ends_with(&suffix));
    match (found.next(), found.next()) {
        (Some(entry), None) => Some(entry),
        _ => None,
    }
}

/// The unclosed `{` at the end of a call's arguments, as the function called and the tokens inside.
fn open_options<'a, 'b>(before: &'b [Token<'a>]) -> Option<(&'static Entry, &'b [Token<'a>])> {
    let mut depth = 0;
    let open = before.iter().rposition(|t| {
        match t.text {
            ")" | "}" | "]" if t.kind == Kind::Symbol => depth += 1,
            "(" | "{" | "[" if t.kind == Kind::Symbol => depth -= 1,
            _ => {}
        }
        depth < 0
    })?;
    if !before[open].is("{") {
        return None;
    }
    let inside = &before[open + 1..];
    // `f { … }` or `f(a, { … })`
    let callee = match before[..open].last() {
        Some(t) if t.kind == Kind::Name => &before[..open],
        _ => &before[..open_parenthesis(&before[..open])?],
    };
    Some((callee_entry(callee)?, inside))
}

fn open_parenthesis(before: &[Token]) -> Option<usize> {
    let mut depth = 0;
    before
        .iter()
        .rposition(|t| {
            match t.text {
                ")" | "}" | "]" if t.kind == Kind::Symbol => depth += 1,
                "(" | "{" | "[" if t.kind == Kind::Symbol => depth -= 1,
                _ => {}
            }
            depth < 0
        })
        .filter(|&at| before[at].is("("))
}

fn option_fields(entry: &Entry) -> Option<&'static [Field]> {
    let tables = entry
        .parameters
        .iter()
        .rev()
        .map(|p| p.type_name.trim_end_matches('?'));
    tables
        .filter_map(documentation::find)
        .find(|e| e.kind == EntryKind::Table)
        .map(|e| e.fields.as_slice())
}

/// The options that may stand next, where a name is due.
fn options(before: &[Token]) -> Vec<String> {
    if !before.last().is_some_and(|t| t.is("{") || t.is(",") || t.is(";")) {
        return Vec::new();
    }
    let Some((entry, inside)) = open_options(before) else {
        return Vec::new();
    };
    let Some(fields) = option_fields(entry) else {
        return Vec::new();
    };
    let given = |name: &str| inside.windows(2).any(|pair| pair[0].is(name) && pair[1].is("="));
    fields
        .iter()
        .filter(|f| !given(&f.name))
        .map(|f| format!("{} = ", f.name))
        .collect()
}

/// The words that an option takes, inside its quotes: `unit = "p`.
fn choices(before: &[Token], prefix: &str) -> Vec<String> {
    let [.., name, equals] = before else {
        return Vec::new();
    };
    if !equals.is("=") {
        return Vec::new();
    }
    let field = open_options(before)
        .and_then(|(entry, _)| option_fields(entry))
        .and_then(|fields| fields.iter().find(|f| f.name == name.text));
    let words = field.map(|f| f.type_name.split('"').skip(1).step_by(2).map(str::to_string));
    words
        .into_iter()
        .flatten()
        .filter(|word| word.starts_with(prefix))
        .collect()
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
pub fn hint(text: &str) -> Option<String> {
    let all = tokens(text);
    let (last, callee) = all.split_last()?;
    if !last.is("(") || last.end() != text.len() {
        return None;
    }
    let entry = callee_entry(callee)?;
    let signature = entry.signature();
    signature.split_once('(').map(|(_, rest)| rest.to_string())
}
