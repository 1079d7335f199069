//! Tables of plain texts, numbers and tables, read out of a script's text before any of it runs.

use mlua::{Lua, Value};
use serde_json::{Map, Value as Json};

use super::lexer::{Token, TokenKind, tokens};
use crate::error::{Error, Result};

/// A value that needs no running.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Nil,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    /// Entries with their names; those without are the list.
    Table(Vec<(Option<String>, Literal)>),
}

/// The table that the script gives to `name { … }`, with its line. The call stands at the top of the script: outside functions, blocks and other
/// calls. None where there is no call.
///
/// # Errors
/// When it is called twice, further inside, or with what has to be computed.
pub fn argument_of(source: &str, name: &str) -> Result<Option<(Literal, usize)>> {
    let all: Vec<Token> = tokens(source)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let mut found = None;
    let (mut blocks, mut brackets) = (0i64, 0i64);
    for (i, token) in all.iter().enumerate() {
        match (token.kind, token.text) {
            (TokenKind::Keyword, "function" | "do" | "then" | "repeat") => blocks += 1,
            (TokenKind::Keyword, "end" | "until" | "elseif") => blocks -= 1,
            (TokenKind::Symbol, "(" | "{" | "[") => brackets += 1,
            (TokenKind::Symbol, ")" | "}" | "]") => brackets -= 1,
            _ => {}
        }
        if !is_call(&all, i, name) {
            continue;
        }
        let at = |what: &str| Error::message(format!("line {}: {name} {{ … }} {what}", token.line));
        if blocks != 0 || brackets != 0 {
            return Err(at(
                "is read before the script runs: it stands at the top of the script, outside functions and blocks",
            ));
        }
        if found.is_some() {
            return Err(at("stands in the script a second time; a script has one"));
        }
        let (open, wrapped) = match all[i + 1].is("(") {
            true => (i + 2, true),
            false => (i + 1, false),
        };
        let mut reader = Reader {
            tokens: &all,
            at: open,
            name,
        };
        if !reader.next_is("{") {
            return Err(reader.not_literal());
        }
        let table = reader.value(0)?;
        if wrapped && !reader.next_is(")") {
            return Err(reader.not_literal());
        }
        found = Some((table, token.line));
    }
    Ok(found)
}

/// Whether the global function `name` is called here.
fn is_call(all: &[Token], i: usize, name: &str) -> bool {
    let before = i.checked_sub(1).map(|i| all[i]);
    let foreign =
        before.is_some_and(|t| t.is(".") || t.is(":") || t.is("function") || t.is("goto") || t.is("::"));
    all[i].kind == TokenKind::Name
        && all[i].text == name
        && !foreign
        && all
            .get(i + 1)
            .is_some_and(|next| next.is("(") || next.is("{") || next.kind == TokenKind::String)
}

/// Deeper tables are nobody's to read.
const DEEPEST: usize = 16;

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    name: &'a str,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    fn next_is(&self, text: &str) -> bool {
        self.peek().is_some_and(|token| token.is(text))
    }

    fn skip(&mut self, text: &str) -> bool {
        let is = self.next_is(text);
        self.at += usize::from(is);
        is
    }

    fn not_literal(&self) -> Error {
        let (line, what) = match self.peek() {
            Some(token) => (token.line, token.text.chars().take(40).collect::<String>()),
            None => (
                self.tokens.last().map_or(1, |t| t.line),
                "the end of the script".into(),
            ),
        };
        Error::message(format!(
            "line {line}: {} {{ … }} is read before the script runs, so that it holds plain texts, numbers, true, false and tables of them: {what:?} is \
             none of these",
            self.name
        ))
    }

    fn value(&mut self, depth: usize) -> Result<Literal> {
        let Some(token) = self.peek() else {
            return Err(self.not_literal());
        };
        if depth > DEEPEST {
            return Err(self.not_literal());
        }
        let value = match token.kind {
            TokenKind::Keyword if token.text == "nil" => Literal::Nil,
            TokenKind::Keyword if matches!(token.text, "true" | "false") => {
                Literal::Boolean(token.text == "true")
            }
            TokenKind::Number => number(token.text, false).ok_or_else(|| self.not_literal())?,
            TokenKind::String if !token.unfinished => {
                Literal::Text(text(token.text).ok_or_else(|| self.not_literal())?)
            }
            TokenKind::Symbol if token.text == "-" => {
                self.at += 1;
                let negative = self.peek().filter(|t| t.kind == TokenKind::Number);
                negative
                    .and_then(|token| number(token.text, true))
                    .ok_or_else(|| self.not_literal())?
            }
            TokenKind::Symbol if token.text == "{" => return self.table(depth),
            _ => return Err(self.not_literal()),
        };
        self.at += 1;
        Ok(value)
    }

    fn table(&mut self, depth: usize) -> Result<Literal> {
        let mut entries = Vec::new();
        self.at += 1;
        while !self.skip("}") {
            let is_named = self.peek().is_some_and(|t| t.kind == TokenKind::Name)
                && self.tokens.get(self.at + 1).is_some_and(|t| t.is("="));
            let key = if is_named {
                let name = self.peek().map(|t| t.text.to_string());
                self.at += 2;
                name
            } else if self.skip("[") {
                let Literal::Text(name) = self.value(depth + 1)? else {
                    return Err(self.not_literal());
                };
                if !(self.skip("]") && self.skip("=")) {
                    return Err(self.not_literal());
                }
                Some(name)
            } else {
                None
            };
            entries.push((key, self.value(depth + 1)?));
            if !(self.skip(",") || self.skip(";") || self.next_is("}")) {
                return Err(self.not_literal());
            }
        }
        Ok(Literal::Table(entries))
    }
}

fn number(text: &str, negative: bool) -> Option<Literal> {
    let lower = text.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        let value = i64::from_str_radix(hex, 16).ok()?;
        return Some(Literal::Integer(if negative { -value } else { value }));
    }
    if let Ok(value) = lower.parse::<i64>() {
        return Some(Literal::Integer(if negative { -value } else { value }));
    }
    let value: f64 = lower.parse().ok()?;
    Some(Literal::Number(if negative { -value } else { value }))
}

/// What a string of Lua holds, with its escapes read; none where they are wrong, or it is not UTF-8.
fn text(token: &str) -> Option<String> {
    if let Some(long) = token.strip_prefix('[') {
        let level = long.len() - long.trim_start_matches('=').len();
        let inside = &token[level + 2..token.len().checked_sub(level + 2)?];
        // The first end of a line is not of the text.
        let inside = inside
            .strip_prefix("\r\n")
            .or_else(|| inside.strip_prefix('\n'))
            .unwrap_or(inside);
        return Some(inside.replace("\r\n", "\n"));
    }
    let inside = token.get(1..token.len() - 1)?;
    let (mut out, mut rest) = (Vec::new(), inside);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        match escape {
            'a' => out.push(7),
            'b' => out.push(8),
            'f' => out.push(12),
            'n' | '\n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            '\\' | '"' | '\'' => out.push(escape as u8),
            'x' => {
                out.push(u8::from_str_radix(rest.get(..2)?, 16).ok()?);
                rest = &rest[2..];
            }
            'z' => rest = rest.trim_start(),
            'u' => {
                let (hex, after) = rest.strip_prefix('{')?.split_once('}')?;
                let c = char::from_u32(u32::from_str_radix(hex, 16).ok()?)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
            }
            '0'..='9' => {
                let digits: String = std::iter::once(escape)
                    .chain(rest.chars().take(2).take_while(char::is_ascii_digit))
                    .collect();
                rest = &rest[digits.len() - 1..];
                out.push(digits.parse().ok()?);
            }
            _ => return None,
        }
    }
    String::from_utf8(out).ok()
}

impl Literal {
    /// A table with names is an object, any other a list; what has both is none.
    pub fn to_json(&self) -> Option<Json> {
        Some(match self {
            Literal::Nil => Json::Null,
            Literal::Boolean(value) => Json::from(*value),
            Literal::Integer(value) => Json::from(*value),
            Literal::Number(value) => Json::from(*value),
            Literal::Text(text) => Json::from(text.as_str()),
            Literal::Table(entries) if entries.iter().all(|(key, _)| key.is_none()) => {
                let list: Option<Vec<Json>> = entries.iter().map(|(_, value)| value.to_json()).collect();
                Json::from(list?)
            }
            Literal::Table(entries) => {
                let mut fields = Map::new();
                for (key, value) in entries {
                    fields.insert(key.clone()?, value.to_json()?);
                }
                Json::Object(fields)
            }
        })
    }

    /// # Errors
    /// When Lua is out of memory.
    pub fn to_lua(&self, lua: &Lua) -> Result<Value> {
        Ok(match self {
            Literal::Nil => Value::Nil,
            Literal::Boolean(value) => Value::Boolean(*value),
            Literal::Integer(value) => Value::Integer(*value),
            Literal::Number(value) => Value::Number(*value),
            Literal::Text(text) => Value::String(lua.create_string(text)?),
            Literal::Table(entries) => {
                let table = lua.create_table()?;
                for (key, value) in entries {
                    match key {
                        Some(key) => table.raw_set(key.as_str(), value.to_lua(lua)?)?,
                        None => table.raw_push(value.to_lua(lua)?)?,
                    }
                }
                Value::Table(table)
            }
        })
    }

    /// The named entries of a table, in their order.
    pub fn fields(&self) -> Vec<(&str, &Literal)> {
        match self {
            Literal::Table(entries) => entries
                .iter()
                .filter_map(|(key, value)| Some((key.as_deref()?, value)))
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn needs(source: &str) -> Result<Option<Json>> {
        let found = argument_of(source, "needs")?;
        Ok(found.map(|(literal, _)| literal.to_json().expect("one kind of table")))
    }

    #[test]
    fn plain_tables_are_read() {
        let source = "-- needs { read = f() }\nlocal raster = require 'raster'\nfunction f() return x.needs(2) end\n\
                      needs({ read = { 'a\\n\\065\\x42\\u{43}\\z  d', [[b]], [=[\nc]=] }, ['write'] = {}; memory = \"2GiB\", n = -3, h = 0x10, f = 1.5, yes = true, })";
        let expected = json!({
            "read": ["a\nABCd", "b", "c"], "write": [], "memory": "2GiB", "n": -3, "h": 16, "f": 1.5, "yes": true
        });
        assert_eq!(needs(source).unwrap(), Some(expected));
        assert_eq!(
            needs("local needs = 1 t.needs = needs print(needs)").unwrap(),
            None
        );
        let (_, line) = argument_of("\n\nneeds {}", "needs").unwrap().unwrap();
        assert_eq!(line, 3);
    }

    #[test]
    fn what_has_to_be_computed_is_refused() {
        for source in [
            "needs { read = { os.time() } }",
            "needs { read = x }",
            "needs { read = { 'a' .. 'b' } }",
            "needs { read = { ('a') } }",
            "needs { 'a', ['b' .. 'c'] = 1 }",
            "needs(x)",
            "needs 'a'",
            "needs({}, {})",
            "needs { read = { 'a'",
            "needs { read = { 'a\\q' } }",
            "needs { read = { '\\255' } }",
            "needs {} needs {}",
            "if x then needs {} end",
            "function f() needs {} end",
            "print(needs {})",
            "for i = 1, 2 do needs {} end",
            "repeat needs {} until true",
            "if x then elseif y then needs {} end",
            "needs { read = function() end }",
        ] {
            assert!(argument_of(source, "needs").is_err(), "{source}");
        }
        // The blocks before it are closed.
        let after = "if a then b() elseif c then d() else e() end for i = 1, 2 do end while x do end repeat until y needs {}";
        assert!(argument_of(after, "needs").unwrap().is_some());
    }
}
