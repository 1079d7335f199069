//! `string.find`, `match`, `gmatch`, `gsub` and `rep` of scripts: as Lua's own, but stoppable at any time and with the heap's
//! limit in view.

pub mod format;
mod matcher;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use mlua::{Function, Lua, LuaString, MultiValue, Table, Value};

use super::Limits;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::lua::native::{OUT_OF_MEMORY, plain};
use matcher::{Capture, Matcher};

/// Makes `gsub` for every kind of replacement from the one for strings and from `matches`.
pub const GSUB: &str = include_str!("gsub.lua");

/// Replaces the functions of `string`. `gsub` with a function or a table is the prelude's, so that what a function raises
/// passes through unchanged; it gets the `matches` that it steps through.
pub fn install(lua: &Lua, string: &Table) -> Result<Function> {
    string.raw_set(
        "find",
        plain(lua, |lua, args| find(lua, &Arguments::new("find", args), true))?,
    )?;
    string.raw_set(
        "match",
        plain(lua, |lua, args| find(lua, &Arguments::new("match", args), false))?,
    )?;
    string.raw_set(
        "gmatch",
        plain(lua, |lua, args| gmatch(lua, &Arguments::new("gmatch", args)))?,
    )?;
    string.raw_set(
        "gsub",
        plain(lua, |lua, args| gsub(lua, &Arguments::new("gsub", args)))?,
    )?;
    string.raw_set(
        "rep",
        plain(lua, |lua, args| repeat(lua, &Arguments::new("rep", args)))?,
    )?;
    Ok(plain(lua, |lua, args| {
        matches(lua, Arguments::new("gsub", args))
    })?)
}

/// The arguments of a function of Lua's library, with that library's rules and messages.
struct Arguments {
    function: &'static str,
    values: Vec<Value>,
}

impl Arguments {
    fn new(function: &'static str, values: MultiValue) -> Self {
        Arguments {
            function,
            values: values.into_vec(),
        }
    }

    fn value(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Nil)
    }

    fn wrong(&self, index: usize, expected: &str) -> Error {
        let got = match self.values.get(index) {
            Some(value) => crate::lua::describe(value),
            None => "no value".to_string(),
        };
        Error::message(format!(
            "bad argument #{} to '{}' ({expected} expected, got {got})",
            index + 1,
            self.function
        ))
    }

    fn text(&self, lua: &Lua, index: usize) -> Result<LuaString> {
        match self.value(index) {
            Value::String(text) => Ok(text.clone()),
            value @ (Value::Integer(_) | Value::Number(_)) => lua
                .coerce_string(value.clone())?
                .ok_or_else(|| self.wrong(index, "string")),
            _ => Err(self.wrong(index, "string")),
        }
    }

    fn integer(&self, lua: &Lua, index: usize, default: Option<i64>) -> Result<i64> {
        match (self.value(index), default) {
            (Value::Integer(number), _) => Ok(*number),
            (Value::Nil, Some(default)) => Ok(default),
            (value, _) => match lua.coerce_integer(value.clone())? {
                Some(number) => Ok(number),
                None if matches!(value, Value::Number(_)) => Err(Error::message(format!(
                    "bad argument #{} to '{}' (number has no integer representation)",
                    index + 1,
                    self.function
                ))),
                None => Err(self.wrong(index, "number")),
            },
        }
    }

    /// The start that an optional third argument gives, counted from 0; a negative one counts from the end.
    fn start(&self, lua: &Lua, length: usize) -> Result<usize> {
        let given = self.integer(lua, 2, Some(1))?;
        Ok(match given {
            1.. => usize::try_from(given - 1).unwrap_or(usize::MAX),
            0 => 0,
            _ => length.saturating_sub(usize::try_from(given.unsigned_abs()).unwrap_or(usize::MAX)),
        })
    }
}

fn value(lua: &Lua, subject: &[u8], capture: Capture) -> Result<Value> {
    Ok(match capture {
        Capture::Position(at) => Value::Integer(at as i64),
        Capture::Text(from, to) => Value::String(lua.create_string(&subject[from..to])?),
    })
}

fn captured(lua: &Lua, subject: &[u8], found: &Matcher, start: usize, end: usize) -> Result<Vec<Value>> {
    let captures = found.captures(start, end)?;
    captures.into_iter().map(|c| value(lua, subject, c)).collect()
}

/// The pattern without its anchor, and whether it had one.
fn anchored(pattern: &[u8]) -> (&[u8], bool) {
    match pattern.strip_prefix(b"^") {
        Some(rest) => (rest, true),
        None => (pattern, false),
    }
}

fn find(lua: &Lua, args: &Arguments, positions: bool) -> Result<MultiValue> {
    let (subject, pattern) = (args.text(lua, 0)?, args.text(lua, 1)?);
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let (subject, pattern): (&[u8], &[u8]) = (&subject, &pattern);
    let nothing = || Ok(MultiValue::from_vec(vec![Value::Nil]));
    let start = args.start(lua, subject.len())?;
    if start > subject.len() {
        return nothing();
    }
    let range = |from: usize, to: usize| vec![Value::Integer(from as i64 + 1), Value::Integer(to as i64)];
    let literal = !matches!(args.value(3), Value::Nil | Value::Boolean(false));
    if positions && (literal || !pattern.iter().any(|c| b"^$*+?.([%-".contains(c))) {
        return match plain_find(&subject[start..], pattern)? {
            Some(at) => Ok(MultiValue::from_vec(range(
                start + at,
                start + at + pattern.len(),
            ))),
            None => nothing(),
        };
    }
    let (pattern, anchor) = anchored(pattern);
    let mut matcher = Matcher::new(subject, pattern);
    for from in start..=subject.len() {
        if let Some(to) = matcher.at(from)? {
            let mut values = if positions { range(from, to) } else { Vec::new() };
            if !positions || matcher.has_captures() {
                values.extend(captured(lua, subject, &matcher, from, to)?);
            }
            return Ok(MultiValue::from_vec(values));
        }
        if anchor {
            break;
        }
    }
    nothing()
}

/// Where `wanted` stands as it is written.
fn plain_find(subject: &[u8], wanted: &[u8]) -> Result<Option<usize>> {
    let Some((&first, rest)) = wanted.split_first() else {
        return Ok(Some(0));
    };
    // A subject of a million equal letters and a text of half as many make a long search.
    let mut compared = 0;
    let mut from = 0;
    while let Some(at) = subject[from..].iter().position(|c| *c == first) {
        let at = from + at;
        if subject[at + 1..].starts_with(rest) {
            return Ok(Some(at));
        }
        compared += rest.len() + 1;
        if compared > 1 << 20 {
            compared = 0;
            interrupt::check()?;
        }
        from = at + 1;
    }
    Ok(None)
}

/// The matches of a pattern one after the other, of which none ends where the last one ended.
struct Matches {
    subject: LuaString,
    pattern: LuaString,
    at: Cell<usize>,
    last: Cell<Option<usize>>,
    /// Whether the first capture is enough, which is all that a table is asked with.
    first: bool,
}

impl Matches {
    fn captures(&self, lua: &Lua, found: &Matcher, start: usize, end: usize) -> Result<Vec<Value>> {
        let subject = self.subject.as_bytes();
        if self.first {
            return Ok(vec![value(lua, &subject, found.capture(0, start, end)?)?]);
        }
        captured(lua, &subject, found, start, end)
    }

    /// Start, end and captures of the next.
    fn next(&self, lua: &Lua) -> Result<Option<(usize, usize, Vec<Value>)>> {
        let (subject, pattern) = (self.subject.as_bytes(), self.pattern.as_bytes());
        let mut matcher = Matcher::new(&subject, &pattern);
        for from in self.at.get()..=subject.len() {
            if let Some(to) = matcher.at(from)?
                && self.last.get() != Some(to)
            {
                self.at.set(to);
                self.last.set(Some(to));
                return Ok(Some((from, to, self.captures(lua, &matcher, from, to)?)));
            }
        }
        self.at.set(subject.len() + 1);
        Ok(None)
    }
}

fn gmatch(lua: &Lua, args: &Arguments) -> Result<MultiValue> {
    let (subject, pattern) = (args.text(lua, 0)?, args.text(lua, 1)?);
    let at = args.start(lua, subject.as_bytes().len())?;
    let matches = Matches {
        subject,
        pattern,
        at: Cell::new(at),
        last: Cell::new(None),
        first: false,
    };
    let next = plain(lua, move |lua, _| {
        Ok(match matches.next(lua)? {
            Some((_, _, captures)) => MultiValue::from_vec(captures),
            None => MultiValue::new(),
        })
    })?;
    Ok(MultiValue::from_vec(vec![Value::Function(next)]))
}

/// How much a string that is being made may grow.
struct Room {
    limit: usize,
}

impl Room {
    fn of(lua: &Lua) -> Room {
        let limit = lua
            .app_data_ref::<Limits>()
            .map_or(usize::MAX, |limits| limits.heap);
        Room {
            limit: limit.saturating_sub(lua.used_memory()),
        }
    }

    fn check(&self, length: usize) -> Result<()> {
        if length > self.limit {
            return Err(Error::message(OUT_OF_MEMORY));
        }
        Ok(())
    }
}

/// With a string as the replacement.
fn gsub(lua: &Lua, args: &Arguments) -> Result<MultiValue> {
    let (source, pattern) = (args.text(lua, 0)?, args.text(lua, 1)?);
    if !matches!(
        args.value(2),
        Value::String(_) | Value::Integer(_) | Value::Number(_)
    ) {
        return Err(args.wrong(2, "string/function/table"));
    }
    let replacement = args.text(lua, 2)?;
    let (subject, pattern, replacement) = (source.as_bytes(), pattern.as_bytes(), replacement.as_bytes());
    let most = args.integer(lua, 3, Some(subject.len() as i64 + 1))?;
    let (pattern, anchor) = anchored(&pattern);
    let room = Room::of(lua);
    let mut matcher = Matcher::new(&subject, pattern);
    let (mut out, mut at, mut last, mut count) = (Vec::new(), 0, None, 0);
    while count < most {
        match matcher.at(at)? {
            Some(end) if last != Some(end) => {
                count += 1;
                replace(&mut out, &replacement, &subject, &matcher, at, end)?;
                room.check(out.len())?;
                at = end;
                last = Some(end);
            }
            _ if at < subject.len() => {
                out.push(subject[at]);
                at += 1;
            }
            _ => break,
        }
        if anchor {
            break;
        }
    }
    let result = if count == 0 {
        source.clone()
    } else {
        out.extend_from_slice(&subject[at..]);
        lua.create_string(&out)?
    };
    Ok(MultiValue::from_vec(vec![
        Value::String(result),
        Value::Integer(count),
    ]))
}

/// Appends `replacement`, with what `%0` to `%9` stand for in it.
fn replace(
    out: &mut Vec<u8>,
    replacement: &[u8],
    subject: &[u8],
    found: &Matcher,
    start: usize,
    end: usize,
) -> Result<()> {
    let mut rest = replacement;
    while let Some(at) = rest.iter().position(|c| *c == b'%') {
        out.extend_from_slice(&rest[..at]);
        match rest.get(at + 1) {
            Some(b'%') => out.push(b'%'),
            Some(b'0') => out.extend_from_slice(&subject[start..end]),
            Some(digit @ b'1'..=b'9') => match found.capture(usize::from(digit - b'1'), start, end) {
                Ok(Capture::Position(position)) => out.extend_from_slice(position.to_string().as_bytes()),
                Ok(Capture::Text(from, to)) => out.extend_from_slice(&subject[from..to]),
                Err(Error::Message(text)) if text.starts_with("invalid capture index") => {
                    return Err(Error::message(format!("{text} in replacement string")));
                }
                Err(error) => return Err(error),
            },
            _ => return Err(Error::message("invalid use of '%' in replacement string")),
        }
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// `gsub` in steps (s, pattern, whether the first capture is enough, n): each call of the function that this gives takes the value for the last match and gives `true` and the
/// captures of the next one, or `false`, the whole result and the count.
fn matches(lua: &Lua, args: Arguments) -> Result<MultiValue> {
    let (subject, pattern) = (args.text(lua, 0)?, args.text(lua, 1)?);
    let most = args.integer(lua, 3, Some(subject.as_bytes().len() as i64 + 1))?;
    let (rest, anchor) = {
        let bytes = pattern.as_bytes();
        let (rest, anchor) = anchored(&bytes);
        (lua.create_string(rest)?, anchor)
    };
    let room = Room::of(lua);
    let state = Matches {
        subject,
        pattern: rest,
        at: Cell::new(0),
        last: Cell::new(None),
        first: matches!(args.value(2), Value::Boolean(true)),
    };
    let (out, pending, copied) = (RefCell::new(Vec::new()), Cell::new(None), Cell::new(0));
    let (count, changed) = (Cell::new(0), Cell::new(false));
    let step = plain(lua, move |lua, args| {
        let subject = state.subject.as_bytes();
        let mut out = out.borrow_mut();
        if let Some((from, to)) = pending.take() {
            out.extend_from_slice(&subject[copied.get()..from]);
            copied.set(to);
            match args.front().unwrap_or(&Value::Nil) {
                Value::Nil | Value::Boolean(false) => out.extend_from_slice(&subject[from..to]),
                value @ (Value::String(_) | Value::Integer(_) | Value::Number(_)) => {
                    if let Some(text) = lua.coerce_string(value.clone())? {
                        out.extend_from_slice(&text.as_bytes());
                    }
                    changed.set(true);
                }
                other => {
                    return Err(Error::message(format!(
                        "invalid replacement value (a {})",
                        other.type_name()
                    )));
                }
            }
            room.check(out.len())?;
        }
        if count.get() < most && !(anchor && state.last.get().is_some()) {
            let next = if anchor {
                state.anchored(lua)?
            } else {
                state.next(lua)?
            };
            if let Some((from, to, captures)) = next {
                count.set(count.get() + 1);
                pending.set(Some((from, to)));
                let mut values = MultiValue::from_vec(captures);
                values.push_front(Value::Boolean(true));
                return Ok(values);
            }
        }
        let result = if changed.get() {
            out.extend_from_slice(&subject[copied.get()..]);
            lua.create_string(&*out)?
        } else {
            state.subject.clone()
        };
        Ok(MultiValue::from_vec(vec![
            Value::Boolean(false),
            Value::String(result),
            Value::Integer(count.get()),
        ]))
    })?;
    Ok(MultiValue::from_vec(vec![Value::Function(step)]))
}

impl Matches {
    /// The match at the start alone.
    fn anchored(&self, lua: &Lua) -> Result<Option<(usize, usize, Vec<Value>)>> {
        let (subject, pattern) = (self.subject.as_bytes(), self.pattern.as_bytes());
        let mut matcher = Matcher::new(&subject, &pattern);
        let Some(to) = matcher.at(0)? else { return Ok(None) };
        self.last.set(Some(to));
        Ok(Some((0, to, self.captures(lua, &matcher, 0, to)?)))
    }
}

/// Lua's own asks for the memory first, and repeats an empty string in a loop that no hook can stop.
fn repeat(lua: &Lua, args: &Arguments) -> Result<MultiValue> {
    let piece = args.text(lua, 0)?;
    let times = usize::try_from(args.integer(lua, 1, None)?.max(0)).unwrap_or(usize::MAX);
    let separator = match args.value(2) {
        Value::Nil => lua.create_string("")?,
        _ => args.text(lua, 2)?,
    };
    let (piece, separator) = (piece.as_bytes(), separator.as_bytes());
    let unit = [&*separator, &*piece].concat();
    let whole = |text: &[u8]| {
        Ok(MultiValue::from_vec(vec![Value::String(
            lua.create_string(text)?,
        )]))
    };
    if times == 0 || unit.is_empty() {
        return whole(b"");
    }
    let length = times.saturating_mul(unit.len());
    Room::of(lua).check(length)?;
    // Separator and piece, over and over, without the first separator.
    whole(&unit.repeat(times)[separator.len()..])
}
