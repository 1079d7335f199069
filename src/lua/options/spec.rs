//! What an option may be: one declaration, from which its checks, its errors, its help and its documentation are made.

use mlua::Value;
use serde_json::Value as Json;

use crate::error::{Domain, Error, Result};
use crate::lua::value::{FromScript, describe};
use crate::lua::value_type::ValueType;

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

    /// What a field of a table of options declares; `default` is nothing where it has none.
    pub fn of<T: FromScript>(name: &str, help: &str, default: Option<T>, domain: Domain) -> Spec {
        Spec {
            required: default.is_none() && !T::OPTIONAL,
            default: default.map_or(Json::Null, |value| value.literal()),
            domain,
            help: help.split_whitespace().collect::<Vec<_>>().join(" "),
            ..Spec::new(name.strip_prefix("r#").unwrap_or(name), T::kind())
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
        let mut text = format!(
            "---@field {}{mark} {} {}",
            self.name,
            self.kind.lua_type(),
            self.help
        );
        if let Some(fact) = self.domain.fact() {
            let mut letters = fact.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string());
            text.push_str(&format!(" {}{}.", first.unwrap_or_default(), letters.as_str()));
        }
        if !self.default.is_null() {
            text.push_str(&format!(" Default {}.", lua_literal(&self.default)));
        }
        text
    }
}

/// Reads one field of a table of options from what a script gave.
///
/// # Errors
/// When the value is of another type, or beyond the domain.
pub(super) fn read<T: FromScript>(value: &Value, label: &str, domain: &Domain) -> Result<T> {
    let noun = match T::kind() {
        ValueType::Integer => "integer",
        ValueType::Number => "number",
        _ => {
            limited(value, label, domain)?;
            return T::from_script(value, label);
        }
    };
    let admitted = |value: &Value| f64::accept(value).is_none_or(|number| domain.admit(number));
    match T::accept(value).filter(|_| admitted(value)) {
        Some(found) => Ok(found),
        None if domain.any() => Err(Error::argument(label, T::expected(), describe(value))),
        None => Err(Error::argument(label, domain.expected(noun), describe(value))),
    }
}

/// The numbers of a value that may be one or several of them.
fn limited(value: &Value, label: &str, domain: &Domain) -> Result<()> {
    let wrong =
        |label: &str, value: &Value| Err(Error::argument(label, domain.expected("number"), describe(value)));
    let beyond = |value: &Value| match value {
        Value::Integer(_) | Value::Number(_) => {
            f64::accept(value).is_some_and(|number| !domain.admit(number))
        }
        _ => false,
    };
    if domain.any() {
        return Ok(());
    }
    if let Value::Table(list) = value {
        for i in 1..=list.raw_len() {
            let entry: Value = list.raw_get(i)?;
            if beyond(&entry) {
                return wrong(&format!("{label}[{i}]"), &entry);
            }
        }
    }
    match beyond(value) {
        true => wrong(label, value),
        false => Ok(()),
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
