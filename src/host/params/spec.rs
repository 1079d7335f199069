//! How a script declares a parameter, and how text from a command line becomes its value.

use mlua::{Lua, Table, Value};
use serde_json::Value as Json;

use crate::error::{Domain, Error, Result};
use crate::lua::spec::{Spec, ValueType};
use crate::lua::{Options, describe};

const KINDS: &[&str] = &["number", "integer", "boolean", "string", "path", "date", "list"];

/// From `name = default` or `name = { default = …, type = …, unit = …, choices = …, min = …, max = …, help = … }`.
///
/// # Errors
/// When it cannot be understood, or its default is not what it declares.
pub fn declare(lua: &Lua, name: &str, declared: &Value) -> Result<Spec> {
    let Value::Table(table) = declared else {
        return bare(name, declared);
    };
    if table.raw_len() > 0 && count(table)? == table.raw_len() {
        return bare(name, declared);
    }
    let label = format!("parameter {name}");
    // `{ 100, unit = "m" }` is short for `{ default = 100, unit = "m" }`.
    let first: Value = table.raw_get(1)?;
    let named = without_first(lua, table, &label)?;
    Options::read(&named, &label, |o| {
        let mut default: Value = o.raw("default")?;
        if default.is_nil() {
            default = first;
        }
        let kind = match o.choice("type", KINDS)? {
            Some(kind) => {
                let of = o.choice("of", &KINDS[..6])?;
                named_kind(kind, of, &default)
            }
            None => {
                o.raw("of")?;
                let choices = o.raw("choices")?;
                let sample = match (&default, &choices) {
                    (Value::Nil, Value::Table(choices)) => choices.raw_get(1)?,
                    _ => default.clone(),
                };
                kind_of(name, &sample)?
            }
        };
        let mut spec = Spec {
            required: o.get_or("required", false)?,
            unit: o.get("unit")?,
            domain: match (o.get("min")?, o.get("max")?) {
                (Some(min), Some(max)) => Domain::within(min, max),
                (Some(min), None) => Domain::at_least(min),
                (None, Some(max)) => Domain::ANY.up_to(max),
                (None, None) => Domain::ANY,
            },
            help: o.get("help")?.unwrap_or_default(),
            ..Spec::new(name, kind)
        };
        for choice in o.get::<Vec<Value>>("choices")?.unwrap_or_default() {
            spec.choices.push(converted(&spec, &choice)?);
        }
        if !default.is_nil() {
            spec.default = accept(&spec, &default)?;
        }
        Ok(spec)
    })
}

fn bare(name: &str, default: &Value) -> Result<Spec> {
    let mut spec = Spec::new(name, kind_of(name, default)?);
    spec.default = accept(&spec, default)?;
    Ok(spec)
}

/// A value from Lua, checked.
///
/// # Errors
/// When it is not what the parameter takes.
pub fn accept(spec: &Spec, value: &Value) -> Result<Json> {
    spec.check(converted(spec, value)?, || describe(value))
}

fn converted(spec: &Spec, value: &Value) -> Result<Json> {
    convert(&spec.kind, value)?.ok_or_else(|| spec.wrong(describe(value)))
}

/// The value that a text from a command line means.
///
/// # Errors
/// When it is none, or not what the parameter takes.
pub fn parse(spec: &Spec, text: &str) -> Result<Json> {
    let shown = || format!("{text:?}");
    let value = parsed(&spec.kind, text).ok_or_else(|| spec.wrong(shown()))?;
    spec.check(value, shown)
}

fn named_kind(name: &str, of: Option<&str>, default: &Value) -> ValueType {
    match name {
        "number" => ValueType::Number,
        "integer" => ValueType::Integer,
        "boolean" => ValueType::Boolean,
        "path" => ValueType::Path,
        "date" => ValueType::Date,
        "list" => {
            let inside = match (of, default) {
                (Some(of), _) => named_kind(of, None, &Value::Nil),
                (None, Value::Table(list)) => list
                    .raw_get::<Value>(1)
                    .ok()
                    .and_then(|first| kind_of("", &first).ok())
                    .unwrap_or(ValueType::String),
                _ => ValueType::String,
            };
            ValueType::List(Box::new(inside))
        }
        _ => ValueType::String,
    }
}

/// The type that a default shows. A whole number as default still lets the user give a fraction.
fn kind_of(name: &str, default: &Value) -> Result<ValueType> {
    Ok(match default {
        Value::Integer(_) | Value::Number(_) => ValueType::Number,
        Value::Boolean(_) => ValueType::Boolean,
        Value::String(_) | Value::Nil => ValueType::String,
        Value::Table(list) => {
            let first: Value = list.raw_get(1)?;
            ValueType::List(Box::new(kind_of(name, &first)?))
        }
        other => {
            return Err(Error::argument(
                format!("parameter {name}"),
                "a default (number, string, boolean or list) or a table such as { default = 100, unit = \"m\" }",
                describe(other),
            ));
        }
    })
}

fn count(table: &Table) -> Result<usize> {
    let mut n = 0;
    for pair in table.pairs::<Value, Value>() {
        pair?;
        n += 1;
    }
    Ok(n)
}

/// The named entries of a declaration, for `Options` to read.
fn without_first(lua: &Lua, table: &Table, label: &str) -> Result<Value> {
    match table.raw_len() {
        0 => Ok(Value::Table(table.clone())),
        1 => {
            let named = lua.create_table()?;
            for pair in table.pairs::<Value, Value>() {
                let (key, value) = pair?;
                if key != Value::Integer(1) {
                    named.raw_set(key, value)?;
                }
            }
            Ok(Value::Table(named))
        }
        n => Err(Error::message(format!(
            "{label} has {n} values without names; a list as default is written `default = {{ … }}`"
        ))),
    }
}

fn convert(kind: &ValueType, value: &Value) -> Result<Option<Json>> {
    Ok(match (kind, value) {
        (ValueType::Number | ValueType::Integer, Value::Integer(i)) => Some(Json::from(*i)),
        (ValueType::Number, Value::Number(n)) => Some(Json::from(*n)).filter(|n| !n.is_null()),
        (ValueType::Integer, Value::Number(n)) if n.fract() == 0.0 && n.abs() < 9e15 => {
            Some(Json::from(*n as i64))
        }
        (ValueType::Boolean, Value::Boolean(b)) => Some(Json::from(*b)),
        (ValueType::String | ValueType::Path, Value::String(s)) => Some(Json::from(s.to_string_lossy())),
        (ValueType::Date, Value::String(s)) => parsed(kind, &s.to_string_lossy()),
        (ValueType::List(of), Value::Table(list)) => {
            let mut entries = Vec::new();
            for i in 1..=list.raw_len() {
                match convert(of, &list.raw_get::<Value>(i)?)? {
                    Some(entry) => entries.push(entry),
                    None => return Ok(None),
                }
            }
            Some(Json::from(entries))
        }
        _ => None,
    })
}

fn parsed(kind: &ValueType, text: &str) -> Option<Json> {
    let trimmed = text.trim();
    match kind {
        ValueType::Integer => trimmed.parse::<i64>().ok().map(Json::from),
        ValueType::Number => match trimmed.parse::<i64>() {
            Ok(integer) => Some(Json::from(integer)),
            Err(_) => trimmed
                .parse::<f64>()
                .ok()
                .filter(|n| n.is_finite())
                .map(Json::from),
        },
        ValueType::Boolean => match trimmed {
            "true" | "yes" | "1" => Some(Json::from(true)),
            "false" | "no" | "0" => Some(Json::from(false)),
            _ => None,
        },
        ValueType::String | ValueType::Path => Some(Json::from(text)),
        ValueType::Date => {
            let date: jiff::civil::Date = match trimmed.len() {
                8 => jiff::civil::Date::strptime("%Y%m%d", trimmed).ok()?,
                _ => trimmed.parse().ok()?,
            };
            Some(Json::from(date.to_string()))
        }
        ValueType::List(of) => {
            let entries: Option<Vec<Json>> = trimmed
                .split(',')
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(|entry| parsed(of, entry))
                .collect();
            entries.map(Json::from)
        }
        // Parameters are plain values.
        ValueType::Table(_) | ValueType::Of(_) => None,
    }
}
