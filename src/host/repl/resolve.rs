//! What a piece of code at the prompt speaks of: the value of a variable, the class of an object, the documentation of a
//! function. Nothing is called to find out; only names, fields and entries are looked up.

use mlua::{Lua, Value};

use crate::host::documentation::{self, Entry, Field, Kind as EntryKind};
use crate::host::lexer::{Token, TokenKind};
use crate::host::loader;

/// A step on the way to a value: `.name`, `[1]`, `["name"]`.
enum Step<'a> {
    Name(&'a str),
    Position(i64),
}

/// The value of `a.b[1].c` at the end of `tokens`, where that is all there is to it.
pub fn value_of(lua: &Lua, tokens: &[Token]) -> Option<Value> {
    let path = path(tokens)?;
    let (Step::Name(first), rest) = path.split_first()? else {
        return None;
    };
    let mut value: Value = lua.globals().raw_get(*first).ok()?;
    if value.is_nil() && loader::module_names().iter().any(|name| name == first) {
        value = loader::load(lua, first).ok()?;
    }
    for step in rest {
        value = match (&value, step) {
            (Value::Table(table), Step::Name(name)) => match loader::module_of(lua, table) {
                Some(module) => loader::contents(lua, &module)?.raw_get(*name).ok()?,
                // Parameters keep theirs behind a guard, which `raw_get` would not pass.
                None => table.get(*name).ok()?,
            },
            (Value::Table(table), Step::Position(i)) => table.raw_get(*i).ok()?,
            // A field or entry of an object is a property of it, without effects.
            (Value::UserData(object), Step::Name(name)) => mlua::ObjectLike::get(object, *name).ok()?,
            (Value::UserData(object), Step::Position(i)) => mlua::ObjectLike::get(object, *i).ok()?,
            _ => return None,
        };
    }
    (!value.is_nil()).then_some(value)
}

fn path<'a>(tokens: &[Token<'a>]) -> Option<Vec<Step<'a>>> {
    let mut steps = Vec::new();
    let mut at = tokens.len();
    loop {
        let last = tokens[..at].last()?;
        if last.is("]") {
            let [.., open, key, _] = &tokens[..at] else {
                return None;
            };
            steps.push(match key.kind {
                _ if !open.is("[") => return None,
                TokenKind::Number => Step::Position(key.text.parse().ok()?),
                TokenKind::String => Step::Name(inside(key)?),
                _ => return None,
            });
            at -= 3;
            continue;
        }
        if last.kind != TokenKind::Name {
            return None;
        }
        steps.push(Step::Name(last.text));
        at -= 1;
        match tokens[..at].last() {
            Some(t) if t.is(".") => at -= 1,
            Some(t) if t.is(":") => return None,
            _ => break,
        }
    }
    steps.reverse();
    Some(steps)
}

/// The text of a string without escapes.
fn inside<'a>(token: &Token<'a>) -> Option<&'a str> {
    let quoted = token.text.strip_prefix(['"', '\''])?;
    let text = quoted.strip_suffix(['"', '\''])?;
    (!text.contains('\\')).then_some(text)
}

/// The class of the object that ends `tokens`: of a variable, or of what a call returns by its documentation, as in
/// `raster.open("a"):clamp(0, 1)`.
pub fn class_of(lua: &Lua, tokens: &[Token]) -> Option<String> {
    if let Some(Value::UserData(object)) = value_of(lua, tokens) {
        return Some(object.type_name().ok()?.to_string_lossy());
    }
    let entry = callee_entry(lua, callee(tokens)?)?;
    let class = entry.returns.first()?.type_name.trim_end_matches('?').to_string();
    documentation::find(&class).filter(|e| e.kind == EntryKind::Class)?;
    Some(class)
}

/// What to write in place of a comparison of an image with a number, which Lua decides alone: it is never true.
pub fn compared(lua: &Lua, tokens: &[Token]) -> Option<String> {
    let is_image = |tokens: &[Token]| class_of(lua, tokens).is_some_and(|class| class == "Raster");
    tokens.windows(2).enumerate().find_map(|(i, pair)| {
        let (left, [operator, number]) = (&tokens[..i], pair) else {
            return None;
        };
        let method = match operator.text {
            "==" => "eq",
            "~=" => "ne",
            _ => return None,
        };
        // `#a == 2` compares a number.
        let plain = operator.kind == TokenKind::Symbol && number.kind == TokenKind::Number && !left.iter().any(|t| t.is("#"));
        (plain && is_image(left)).then(|| {
            format!(
                "an image is never `{0}` a number; to compare its pixels: `:{method}({1})`, as in `image:{method}({1})`",
                operator.text, number.text
            )
        })
    })
}

/// The function of the call that ends `tokens`.
fn callee<'a, 'b>(tokens: &'b [Token<'a>]) -> Option<&'b [Token<'a>]> {
    let (last, before) = tokens.split_last()?;
    if last.kind == TokenKind::String {
        return Some(before);
    }
    if !(last.is(")") || last.is("}")) {
        return None;
    }
    let mut depth = 1;
    let open = before.iter().rposition(|t| {
        match t.text {
            ")" | "}" | "]" if t.kind == TokenKind::Symbol => depth += 1,
            "(" | "{" | "[" if t.kind == TokenKind::Symbol => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    Some(&before[..open])
}

/// The module that `require "name"` or `require("name")` at the end of `tokens` gives.
pub fn required(tokens: &[Token]) -> Option<String> {
    let name = match tokens {
        [.., require, name] if require.is("require") => name,
        [.., require, open, name, close] if require.is("require") && open.is("(") && close.is(")") => name,
        _ => return None,
    };
    inside(name).map(str::to_string)
}

/// The documentation of the function whose name ends `tokens`.
pub fn callee_entry(lua: &Lua, tokens: &[Token]) -> Option<&'static Entry> {
    if let Some(Value::Function(function)) = value_of(lua, tokens)
        && let Some(name) = loader::name_of(lua, &function)
    {
        return documentation::find(&name);
    }
    let (name, before) = tokens.split_last()?;
    if name.kind != TokenKind::Name {
        return None;
    }
    let Some((mark, object)) = before
        .split_last()
        .filter(|(mark, _)| mark.is(":") || mark.is("."))
    else {
        return documentation::find(name.text);
    };
    if let Some(module) = required(object) {
        return documentation::find(&format!("{module}.{}", name.text));
    }
    if let Some(class) = class_of(lua, object) {
        return documentation::find(&format!("{class}:{}", name.text));
    }
    if mark.is(".") && object.len() == 1 {
        return documentation::find(&format!("{}.{}", object[0].text, name.text));
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

/// The innermost bracket that is open at the end of `before`.
pub fn open_bracket(before: &[Token]) -> Option<usize> {
    let mut depth = 0;
    before.iter().rposition(|t| {
        match t.text {
            ")" | "}" | "]" if t.kind == TokenKind::Symbol => depth += 1,
            "(" | "{" | "[" if t.kind == TokenKind::Symbol => depth -= 1,
            _ => {}
        }
        depth < 0
    })
}

/// The unclosed `{` at the end of a call's arguments: the options of the function called, and the tokens inside.
pub fn open_options<'a, 'b>(
    lua: &Lua,
    before: &'b [Token<'a>],
) -> Option<(&'static [Field], &'b [Token<'a>])> {
    let open = open_bracket(before).filter(|&open| before[open].is("{"))?;
    // `f { … }` or `f(a, { … })`
    let callee = match before[..open].last() {
        Some(t) if t.kind == TokenKind::Name => &before[..open],
        _ => {
            let parenthesis = open_bracket(&before[..open])?;
            before[parenthesis].is("(").then_some(&before[..parenthesis])?
        }
    };
    let entry = callee_entry(lua, callee)?;
    let mut types = entry.parameters.iter().rev().map(|p| p.type_name.as_str());
    let table = types.find_map(|name| documentation::table_in(documentation::entries(), name))?;
    Some((&table.fields, &before[open + 1..]))
}

/// The parameter or option that the value after `before` is for: `f("a", `, `f(a, { unit = `, `f(a, { list = { `.
pub fn field_at(lua: &Lua, before: &[Token]) -> Option<&'static Field> {
    if let [.., name, equals] = before
        && equals.is("=")
    {
        let (fields, _) = open_options(lua, before)?;
        return fields.iter().find(|f| f.name == name.text);
    }
    // `f "text"`
    if let Some(entry) = before
        .last()
        .filter(|t| t.kind == TokenKind::Name)
        .and_then(|_| callee_entry(lua, before))
    {
        return entry.parameters.first();
    }
    let open = open_bracket(before)?;
    if before[open].is("(") {
        let entry = callee_entry(lua, &before[..open])?;
        let mut depth = 0;
        let commas = before[open + 1..]
            .iter()
            .filter(|t| t.kind == TokenKind::Symbol)
            .filter(|t| {
                match t.text {
                    "(" | "{" | "[" => depth += 1,
                    ")" | "}" | "]" => depth -= 1,
                    _ => {}
                }
                depth == 0 && t.text == ","
            });
        return entry.parameters.get(commas.count());
    }
    // An entry of a list that is the value of an option or an argument.
    field_at(lua, &before[..open])
}
