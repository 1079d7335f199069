//! One declared parameter: its type, limits and default, and how text from a command line becomes its value.

use mlua::{Lua, Table, Value};
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::lua::{Options, describe};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Number,
    Integer,
    Boolean,
    String,
    Path,
    /// yyyy-mm-dd
    Date,
    List(Box<Kind>),
}

const KINDS: &[&str] = &["number", "integer", "boolean", "string", "path", "date", "list"];

#[derive(Debug, Clone)]
pub struct Spec {
    pub name: String,
    pub kind: Kind,
    /// `Null` when there is none.
    pub default: Json,
    pub required: bool,
    pub unit: Option<String>,
    pub choices: Vec<Json>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub help: String,
}

impl Spec {
    /// From `name = default` or `name = { default = …, type = …, unit = …, choices = …, min = …, max = …, help = … }`.
    pub fn declare(lua: &Lua, name: &str, declared: &Value) -> Result<Self> {
        let Value::Table(table) = declared else {
            return Spec::bare(name, declared);
        };
        if table.raw_len() > 0 && count(table)? == table.raw_len() {
            return Spec::bare(name, declared);
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
                name: name.to_string(),
                kind,
                default: Json::Null,
                required: o.get_or("required", false)?,
                unit: o.get("unit")?,
                choices: Vec::new(),
                min: o.get("min")?,
                max: o.get("max")?,
                help: o.get("help")?.unwrap_or_default(),
            };
            for choice in o.get::<Vec<Value>>("choices")?.unwrap_or_default() {
                spec.choices.push(spec.convert(&choice)?);
            }
            if !default.is_nil() {
                spec.default = spec.accept(&default)?;
            }
            Ok(spec)
        })
    }

    fn bare(name: &str, default: &Value) -> Result<Self> {
        let mut spec = Spec {
            name: name.to_string(),
            kind: kind_of(name, default)?,
            default: Json::Null,
            required: false,
            unit: None,
            choices: Vec::new(),
            min: None,
            max: None,
            help: String::new(),
        };
        spec.default = spec.accept(default)?;
        Ok(spec)
    }

    /// A value from Lua, checked.
    pub fn accept(&self, value: &Value) -> Result<Json> {
        let converted = self.convert(value)?;
        self.check(converted, || describe(value))
    }

    fn convert(&self, value: &Value) -> Result<Json> {
        let wrong = || self.wrong(describe(value));
        convert(&self.kind, value)?.ok_or_else(wrong)
    }

    /// Text from a command line, checked.
    pub fn parse(&self, text: &str) -> Result<Json> {
        let wrong = || self.wrong(format!("{text:?}"));
        let value = parse(&self.kind, text).ok_or_else(wrong)?;
        self.check(value, || format!("{text:?}"))
    }

    fn check(&self, value: Json, shown: impl Fn() -> String) -> Result<Json> {
        let entries = match &value {
            Json::Array(entries) => entries.as_slice(),
            single => std::slice::from_ref(single),
        };
        let allowed = |entry: &Json| {
            let number = entry.as_f64();
            let in_choices = self.choices.is_empty() || self.choices.iter().any(|c| same(c, entry));
            let above = number.zip(self.min).is_none_or(|(n, min)| n >= min);
            let below = number.zip(self.max).is_none_or(|(n, max)| n <= max);
            in_choices && above && below
        };
        if entries.iter().all(allowed) {
            Ok(value)
        } else {
            Err(self.wrong(shown()))
        }
    }

    fn wrong(&self, got: String) -> Error {
        Error::argument(format!("parameter {}", self.name), self.expected(), got)
    }

    /// "a number of at least 0 (m)", `"focal", "lee" or "none"`.
    pub fn expected(&self) -> String {
        let mut text = if self.choices.is_empty() {
            match &self.kind {
                Kind::Number => "a number".to_string(),
                Kind::Integer => "an integer".to_string(),
                Kind::Boolean => "true or false".to_string(),
                Kind::String => "a string".to_string(),
                Kind::Path => "a path".to_string(),
                Kind::Date => "a date (yyyy-mm-dd)".to_string(),
                Kind::List(of) => format!("a list of {}s", type_name(of)),
            }
        } else {
            let shown: Vec<String> = self.choices.iter().map(Json::to_string).collect();
            match &self.kind {
                Kind::List(_) => format!("a list of {}", shown.join(", ")),
                _ => shown.join(" or "),
            }
        };
        match (self.min, self.max) {
            (Some(min), Some(max)) => text.push_str(&format!(" from {min} to {max}")),
            (Some(min), None) => text.push_str(&format!(" of at least {min}")),
            (None, Some(max)) => text.push_str(&format!(" of at most {max}")),
            (None, None) => {}
        }
        if let Some(unit) = &self.unit {
            text.push_str(&format!(" ({unit})"));
        }
        text
    }
}

pub fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Number => "number".to_string(),
        Kind::Integer => "integer".to_string(),
        Kind::Boolean => "boolean".to_string(),
        Kind::String => "string".to_string(),
        Kind::Path => "path".to_string(),
        Kind::Date => "date".to_string(),
        Kind::List(of) => format!("list of {}s", type_name(of)),
    }
}

fn named_kind(name: &str, of: Option<&str>, default: &Value) -> Kind {
    match name {
        "number" => Kind::Number,
        "integer" => Kind::Integer,
        "boolean" => Kind::Boolean,
        "path" => Kind::Path,
        "date" => Kind::Date,
        "list" => {
            let inside = match (of, default) {
                (Some(of), _) => named_kind(of, None, &Value::Nil),
                (None, Value::Table(list)) => list
                    .raw_get::<Value>(1)
                    .ok()
                    .and_then(|first| kind_of("", &first).ok())
                    .unwrap_or(Kind::String),
                _ => Kind::String,
            };
            Kind::List(Box::new(inside))
        }
        _ => Kind::String,
    }
}

/// The type that a default shows. A whole number as default still lets the user give a fraction.
fn kind_of(name: &str, default: &Value) -> Result<Kind> {
    Ok(match default {
        Value::Integer(_) | Value::Number(_) => Kind::Number,
        Value::Boolean(_) => Kind::Boolean,
        Value::String(_) | Value::Nil => Kind::String,
        Value::Table(list) => {
            let first: Value = list.raw_get(1)?;
            Kind::List(Box::new(kind_of(name, &first)?))
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

fn convert(kind: &Kind, value: &Value) -> Result<Option<Json>> {
    Ok(match (kind, value) {
        (Kind::Number | Kind::Integer, Value::Integer(i)) => Some(Json::from(*i)),
        (Kind::Number, Value::Number(n)) => Some(Json::from(*n)).filter(|n| !n.is_null()),
        (Kind::Integer, Value::Number(n)) if n.fract() == 0.0 && n.abs() < 9e15 => {
            Some(Json::from(*n as i64))
        }
        (Kind::Boolean, Value::Boolean(b)) => Some(Json::from(*b)),
        (Kind::String | Kind::Path, Value::String(s)) => Some(Json::from(s.to_string_lossy())),
        (Kind::Date, Value::String(s)) => parse(kind, &s.to_string_lossy()),
        (Kind::List(of), Value::Table(list)) => {
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

fn parse(kind: &Kind, text: &str) -> Option<Json> {
    let trimmed = text.trim();
    match kind {
        Kind::Integer => trimmed.parse::<i64>().ok().map(Json::from),
        Kind::Number => match trimmed.parse::<i64>() {
            Ok(integer) => Some(Json::from(integer)),
            Err(_) => trimmed
                .parse::<f64>()
                .ok()
                .filter(|n| n.is_finite())
                .map(Json::from),
        },
        Kind::Boolean => match trimmed {
            "true" | "yes" | "1" => Some(Json::from(true)),
            "false" | "no" | "0" => Some(Json::from(false)),
            _ => None,
        },
        Kind::String | Kind::Path => Some(Json::from(text)),
        Kind::Date => {
            let date: jiff::civil::Date = match trimmed.len() {
                8 => jiff::civil::Date::strptime("%Y%m%d", trimmed).ok()?,
                _ => trimmed.parse().ok()?,
            };
            Some(Json::from(date.to_string()))
        }
        Kind::List(of) => {
            let entries: Option<Vec<Json>> = trimmed
                .split(',')
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(|entry| parse(of, entry))
                .collect();
            entries.map(Json::from)
        }
    }
}

/// 1 and 1.0 are the same choice.
fn same(a: &Json, b: &Json) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a == b)
}
