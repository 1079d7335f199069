//! What an option may be: one declaration, from which its checks, its errors, its help and its documentation are made.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::words::with_article;
use crate::error::{Domain, Error, Result};

/// The type of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueType {
    Number,
    Integer,
    Boolean,
    String,
    Path,
    /// yyyy-mm-dd
    Date,
    List(Box<ValueType>),
    /// A table of options inside another.
    Table(Declared),
    /// Anything else, by its name in the documentation: `Raster`, `"px"|"m"`.
    Of(Cow<'static, str>),
}

impl ValueType {
    /// As the documentation of the scripts' interface writes it.
    pub fn lua_type(&self) -> Cow<'static, str> {
        match self {
            ValueType::Number => "number".into(),
            ValueType::Integer => "integer".into(),
            ValueType::Boolean => "boolean".into(),
            ValueType::String | ValueType::Path | ValueType::Date => "string".into(),
            ValueType::Table(table) => table.name.into(),
            ValueType::Of(name) => name.clone(),
            ValueType::List(of) => match of.lua_type() {
                one if one.contains('|') => format!("({one})[]").into(),
                one => format!("{one}[]").into(),
            },
        }
    }

    /// The table of options that it is, or of which it is a list.
    fn table(&self) -> Option<Declared> {
        match self {
            ValueType::Table(table) => Some(*table),
            ValueType::List(of) => of.table(),
            _ => None,
        }
    }

    /// "number", "list of numbers".
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            ValueType::Path => "path".into(),
            ValueType::Date => "date".into(),
            ValueType::List(of) => format!("list of {}s", of.name()).into(),
            kind => kind.lua_type(),
        }
    }

    /// With its article, as errors say what was expected.
    pub fn expected(&self) -> Cow<'static, str> {
        match self {
            ValueType::Integer => "an integer".into(),
            ValueType::Boolean => "true or false".into(),
            ValueType::Date => "a date (yyyy-mm-dd)".into(),
            ValueType::Of(_) => {
                let parts = self.alternatives();
                let expected = parts.iter().map(|part| match part {
                    ValueType::Of(name) if name.starts_with('"') => name.to_string(),
                    ValueType::Of(name) if name.starts_with("fun(") => "a function".to_string(),
                    ValueType::Of(name) if name.starts_with("table") || name.starts_with('{') => {
                        "a table".to_string()
                    }
                    ValueType::Of(name) => with_article(name),
                    part => part.expected().into_owned(),
                });
                expected.collect::<Vec<_>>().join(" or ").into()
            }
            kind => format!("a {}", kind.name()).into(),
        }
    }

    /// What the documentation writes: `number`, `string[]`, `integer|Raster`.
    pub fn parse(text: &str) -> ValueType {
        let text = text.trim().trim_end_matches('?');
        match text {
            "number" => return ValueType::Number,
            "integer" => return ValueType::Integer,
            "boolean" => return ValueType::Boolean,
            "string" => return ValueType::String,
            _ => {}
        }
        match text.strip_suffix("[]") {
            Some(of) if pieces(text).len() == 1 => {
                let inside = of.strip_prefix('(').and_then(|of| of.strip_suffix(')'));
                ValueType::List(Box::new(ValueType::parse(inside.unwrap_or(of))))
            }
            _ => ValueType::Of(text.to_string().into()),
        }
    }

    /// The types of which it is one.
    pub fn alternatives(&self) -> Vec<ValueType> {
        match self {
            ValueType::Of(text) => match pieces(text).as_slice() {
                [_] => vec![self.clone()],
                several => several.iter().map(|piece| ValueType::parse(piece)).collect(),
            },
            kind => vec![kind.clone()],
        }
    }
}

/// The parts between `|` that are not inside of anything.
fn pieces(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0, false);
    for (i, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' | '{' | '<' if !quoted => depth += 1,
            ')' | '}' | '>' if !quoted => depth -= 1,
            // What a function returns goes on to the end.
            '|' if depth == 0 && !quoted && !text[start..].starts_with("fun(") => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// One declared option.
#[derive(Debug, Clone)]
pub struct Spec {
    pub name: String,
    pub kind: ValueType,
    /// `Null` when there is none.
    pub default: Json,
    pub required: bool,
    /// The symbol behind its values: `m`.
    pub unit: Option<String>,
    pub choices: Vec<Json>,
    /// Of numbers, and of the numbers of lists.
    pub domain: Domain,
    pub help: String,
}

impl Spec {
    pub fn new(name: &str, kind: ValueType) -> Spec {
        Spec {
            name: name.to_string(),
            kind,
            default: Json::Null,
            required: false,
            unit: None,
            choices: Vec::new(),
            domain: Domain::ANY,
            help: String::new(),
        }
    }

    /// # Errors
    /// When `value` is none of the choices, or beyond the domain.
    pub fn check(&self, value: Json, shown: impl Fn() -> String) -> Result<Json> {
        let entries = match &value {
            Json::Array(entries) => entries.as_slice(),
            single => std::slice::from_ref(single),
        };
        let allowed = |entry: &Json| {
            let in_choices = self.choices.is_empty() || self.choices.iter().any(|c| same(c, entry));
            in_choices && entry.as_f64().is_none_or(|number| self.domain.admit(number))
        };
        match entries.iter().all(allowed) {
            true => Ok(value),
            false => Err(self.wrong(shown())),
        }
    }

    pub fn wrong(&self, got: String) -> Error {
        Error::argument(format!("parameter {}", self.name), self.expected(), got)
    }

    /// "a number of at least 0 (m)", `"focal", "lee" or "none"`.
    pub fn expected(&self) -> String {
        let shown: Vec<String> = self.choices.iter().map(Json::to_string).collect();
        let mut text = match (&self.kind, shown.is_empty()) {
            (ValueType::List(_), false) => format!("a list of {}", shown.join(", ")),
            (_, false) => shown.join(" or "),
            (ValueType::Number | ValueType::Integer, true) => self.domain.expected(&self.kind.lua_type()),
            (kind, true) => kind.expected().into_owned(),
        };
        if let (ValueType::List(_), Some(fact)) = (&self.kind, self.domain.fact()) {
            text.push_str(&format!(" {fact}"));
        }
        if let Some(unit) = &self.unit {
            text.push_str(&format!(" ({unit})"));
        }
        text
    }

    /// What is known of it beside its help, such as "from 0 to 1", "default 0.5".
    pub fn facts(&self) -> Vec<String> {
        let mut facts = Vec::new();
        if let Some(unit) = &self.unit {
            facts.push(format!("unit {unit}"));
        }
        if !self.choices.is_empty() && matches!(self.kind, ValueType::List(_)) {
            let choices: Vec<String> = self.choices.iter().map(plain).collect();
            facts.push(format!("of {}", choices.join(", ")));
        }
        facts.extend(self.domain.fact());
        match &self.default {
            Json::Null if self.required => facts.push("required".to_string()),
            Json::Null => facts.push("optional".to_string()),
            default => facts.push(format!("default {}", plain(default))),
        }
        facts
    }

    /// Its line in stdlib/_meta.
    pub fn stub(&self) -> String {
        let mark = if self.required { "" } else { "?" };
        // A default that only words can say stands last, too.
        let words = self.help.rfind(" Default").unwrap_or(self.help.len());
        let (help, default) = self.help.split_at(words);
        let mut text = format!("---@field {}{mark} {} {help}", self.name, self.kind.lua_type());
        if let Some(fact) = self.domain.fact() {
            let mut letters = fact.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string());
            text.push_str(&format!(" {}{}.", first.unwrap_or_default(), letters.as_str()));
        }
        text.push_str(default);
        if !self.default.is_null() {
            text.push_str(&format!(" Default {}.", lua_literal(&self.default)));
        }
        text
    }
}

/// A value as one would type it at a command line.
pub fn plain(value: &Json) -> String {
    match value {
        Json::String(s) => s.clone(),
        Json::Array(entries) => entries.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A value as a script writes it.
fn lua_literal(value: &Json) -> String {
    match value {
        Json::String(s) => format!("`\"{s}\"`"),
        Json::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(Json::to_string).collect();
            format!("`{{ {} }}`", entries.join(", "))
        }
        Json::Number(n) => match n.as_f64() {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => format!("{whole}"),
            _ => n.to_string(),
        },
        other => other.to_string(),
    }
}

/// 1 and 1.0 are the same choice.
fn same(a: &Json, b: &Json) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a == b)
}

/// A table of options without its type, for the registry of names.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    pub name: &'static str,
    pub bases: fn() -> Vec<Declared>,
    pub specs: fn() -> Vec<Spec>,
}

/// Names are of one table each.
impl PartialEq for Declared {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Declared {}

impl Declared {
    /// The tables that it builds on, and those of its fields.
    pub fn tables(&self) -> Vec<Declared> {
        let inside = (self.specs)().into_iter().filter_map(|spec| spec.kind.table());
        (self.bases)().into_iter().chain(inside).collect()
    }

    /// Whether a call cannot leave the table out.
    pub fn required(&self) -> bool {
        (self.specs)().iter().any(|spec| spec.required) || (self.bases)().iter().any(Declared::required)
    }

    /// Its block in stdlib/_meta: the line of the class and one for each field.
    pub fn stub(&self) -> String {
        let bases: Vec<&str> = (self.bases)().iter().map(|base| base.name).collect();
        let mut text = format!("---@class {}", self.name);
        if !bases.is_empty() {
            text.push_str(&format!(": {}", bases.join(", ")));
        }
        text.push('\n');
        for spec in (self.specs)() {
            text.push_str(&spec.stub());
            text.push('\n');
        }
        text
    }
}
