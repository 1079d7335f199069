//! Arguments and options, against what the comments of a function ask for.

use super::Rule;
use super::check::Checker;
use super::scope::address;
use super::types::{Type, admits};
use crate::error::{Error, counted, nearest};
use crate::host::documentation::declared;
use crate::host::documentation::{Entry as Documentation, Field, Kind as Documented};
use crate::host::syntax::{Entry, Expression, Kind};
use crate::lua::spec::{Spec, ValueType};

impl<'a> Checker<'a> {
    pub fn arguments(&mut self, entry: &'a Documentation, given: &'a [Expression<'a>], start: usize) {
        let parameters = &entry.parameters;
        for (i, value) in given.iter().enumerate() {
            let rest = parameters.last().filter(|last| last.name == "...");
            let Some(parameter) = parameters.get(i).or(rest) else {
                let message = format!(
                    "{} takes {}, got {}",
                    entry.name,
                    counted(parameters.len(), "argument"),
                    given.len()
                );
                self.report(value.start, Rule::RedundantParameter, message);
                break;
            };
            // Several values may stand for those that follow, too.
            if !(value.is_several() && i + 1 == given.len()) || parameter.name != "..." {
                self.value(value, parameter, &parameter.name, &entry.name);
            }
        }
        if entry.name == "params" {
            self.declarations(given);
        }
        let open = given.last().is_some_and(Expression::is_several);
        let missing = parameters
            .iter()
            .skip(given.len())
            .find(|parameter| is_required(parameter));
        if let Some(parameter) = missing.filter(|_| !open) {
            let message = format!("{}: the argument {} is missing", entry.name, parameter.name);
            self.report(start, Rule::MissingParameter, message);
        }
    }

    /// One argument or option. `label` is what errors call it: `options.size`.
    fn value(&mut self, value: &'a Expression<'a>, field: &Field, label: &str, function: &str) {
        if field.type_name.is_empty() {
            return;
        }
        let spec = declared::spec(field);
        if matches!(value.kind, Kind::Nil) && !spec.required {
            return;
        }
        let got = match &value.kind {
            Kind::Nil if admits_nil(&field.type_name) => return,
            Kind::Nil => Some("nil".to_string()),
            _ => self.misfit(value, &spec),
        };
        if let Some(got) = got {
            let error = Error::argument(label, spec.expected(), got);
            return self.report(
                value.start,
                Rule::ParamTypeMismatch,
                format!("{function}: {error}"),
            );
        }
        match &value.kind {
            Kind::Function(body) => {
                if let Some(types) = self.callback(&spec.kind) {
                    self.types.parameters.borrow_mut().insert(address(body), types);
                }
            }
            Kind::Table(entries) => self.inside(entries, value.start, &spec.kind, label, function),
            _ => {}
        }
    }

    /// What there is instead of what was asked for.
    fn misfit(&self, value: &'a Expression<'a>, spec: &Spec) -> Option<String> {
        let number = number(value);
        let beyond = |number: f64| match &spec.kind {
            ValueType::Integer if number.fract() != 0.0 => true,
            ValueType::Integer | ValueType::Number => !spec.domain.admit(number),
            _ => false,
        };
        if let Some(number) = number.filter(|number| beyond(*number)) {
            return Some(number.to_string());
        }
        if let Some(text) = value.plain_text() {
            let choices = self.choices(&spec.kind, 0);
            if let Some(choices) = choices
                && !choices.iter().any(|choice| choice == text)
            {
                let near = nearest(text, choices.iter().map(String::as_str));
                let hint = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
                return Some(format!("{text:?}{hint}"));
            }
        }
        if let (Kind::Table(entries), ValueType::List(of)) = (&value.kind, &spec.kind) {
            return entries.iter().find_map(|entry| match entry {
                Entry::Item(item) => {
                    let inside = Spec {
                        domain: spec.domain,
                        ..Spec::new(&spec.name, (**of).clone())
                    };
                    self.misfit(item, &inside).map(|got| format!("{got} in it"))
                }
                _ => None,
            });
        }
        let found = match self.types.of(value) {
            Type::Class(class) if class == "Stack" && self.each => Type::Class("Raster".to_string()),
            found => found,
        };
        match admits(&spec.kind, &found, self.known) {
            true => None,
            false => Some(match (&value.kind, number, value.plain_text()) {
                (Kind::Boolean(yes), ..) => format!("{yes} (boolean)"),
                (_, Some(number), _) => format!("{number} (number)"),
                (.., Some(text)) => format!("{text:?} (string)"),
                _ => found.shown(self.known)?,
            }),
        }
    }

    /// The texts that a value may be, where it may be nothing else that is a text.
    fn choices(&self, kind: &ValueType, depth: usize) -> Option<Vec<String>> {
        if depth > 4 {
            return None;
        }
        let alternatives = kind.alternatives();
        let mut found = Vec::new();
        for one in &alternatives {
            match one {
                ValueType::String | ValueType::Path | ValueType::Date => return None,
                ValueType::Of(name) => match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
                    Some(choice) => found.push(choice.to_string()),
                    None if matches!(name.as_ref(), "any" | "T") => return None,
                    None => {
                        let alias = self
                            .known
                            .entry(name)
                            .filter(|entry| entry.kind == Documented::Alias);
                        if let Some(alias) = alias {
                            found.extend(self.choices(&ValueType::parse(alias.stands_for()), depth + 1)?);
                        }
                    }
                },
                _ => {}
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// The types of what a function is called with.
    fn callback(&self, kind: &ValueType) -> Option<Vec<Type>> {
        kind.alternatives().iter().find_map(|one| {
            let ValueType::Of(text) = one else { return None };
            let inside = text.trim().strip_prefix("fun(")?;
            let end = inside.find("):").or_else(|| inside.rfind(')'))?;
            let types = split(&inside[..end]).into_iter().map(|parameter| {
                let written = parameter.split_once(':').map_or("", |(_, written)| written);
                Type::of(written, self.known)
            });
            Some(types.collect())
        })
    }

    /// A table where one with documented fields is asked for, or a list of such.
    fn inside(
        &mut self,
        entries: &'a [Entry<'a>],
        start: usize,
        kind: &ValueType,
        label: &str,
        function: &str,
    ) {
        let alternatives = kind.alternatives();
        let mut tables = alternatives
            .iter()
            .filter(|one| admits(one, &Type::Table, self.known));
        let (Some(only), None) = (tables.next(), tables.next()) else {
            return;
        };
        match only {
            ValueType::List(of) => {
                for (i, entry) in entries.iter().enumerate() {
                    if let Entry::Item(Expression {
                        kind: Kind::Table(inner),
                        start,
                    }) = entry
                    {
                        self.inside(inner, *start, of, &format!("{label}[{}]", i + 1), function);
                    }
                }
            }
            ValueType::Of(name) => {
                if let Some(table) = self.table(name) {
                    self.options(entries, start, table, label, function);
                }
            }
            _ => {}
        }
    }

    fn options(
        &mut self,
        entries: &'a [Entry<'a>],
        start: usize,
        table: &'a Documentation,
        label: &str,
        function: &str,
    ) {
        // The table at the end of the arguments needs no name.
        let within = if label == "options" {
            String::new()
        } else {
            format!("{label}.")
        };
        let any = table.fields.iter().any(|field| field.name.starts_with('['));
        let mut complete = true;
        for entry in entries {
            let Entry::Named(name, value) = entry else {
                complete = false;
                continue;
            };
            match table.fields.iter().find(|field| field.name == name.text) {
                Some(field) => self.value(value, field, &format!("{within}{}", name.text), function),
                None if any => {}
                None => {
                    // It may be the one that would be missing.
                    complete = false;
                    let error = Error::UnknownOption {
                        within: within.clone(),
                        name: name.text.to_string(),
                        candidates: table.fields.iter().map(|field| field.name.clone()).collect(),
                    };
                    self.report(name.start, Rule::UnknownOption, format!("{function}: {error}"));
                }
            }
        }
        let given = |field: &&Field| {
            entries
                .iter()
                .any(|entry| matches!(entry, Entry::Named(name, _) if name.text == field.name))
        };
        let mut missing = table
            .fields
            .iter()
            .filter(|field| is_required(field) && !field.name.starts_with('['));
        if let Some(field) = missing.find(|field| !given(field)).filter(|_| complete) {
            let message = format!("{function}: the option {within}{} is missing", field.name);
            self.report(start, Rule::MissingFields, message);
        }
    }

    /// What `params` is told of each parameter.
    fn declarations(&mut self, given: &'a [Expression<'a>]) {
        let (Some(Kind::Table(entries)), Some(table)) =
            (given.first().map(|e| &e.kind), self.table("params.Parameter"))
        else {
            return;
        };
        for entry in entries {
            if let Entry::Named(
                name,
                Expression {
                    kind: Kind::Table(inner),
                    start,
                },
            ) = entry
                && inner.iter().any(|entry| matches!(entry, Entry::Named(..)))
            {
                self.options(inner, *start, table, name.text, "params");
            }
        }
    }
}

fn is_required(field: &Field) -> bool {
    !field.optional && !field.type_name.is_empty() && field.name != "..." && !admits_nil(&field.type_name)
}

fn admits_nil(type_name: &str) -> bool {
    let alternatives = ValueType::parse(type_name).alternatives();
    type_name.ends_with('?') || alternatives.iter().any(|one| matches!(one, ValueType::Of(name) if matches!(name.as_ref(), "any" | "nil") || name.ends_with('?')))
}

/// A number as it is written, with its sign.
fn number(e: &Expression) -> Option<f64> {
    match &e.kind {
        Kind::Number(text) => text.parse().ok(),
        Kind::Unary("-", of) => number(of).map(|number| -number),
        Kind::Parenthesised(of) => number(of),
        _ => None,
    }
}

/// Parts between commas that stand in no brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (i, c) in text.char_indices() {
        match c {
            '(' | '<' | '{' => depth += 1,
            ')' | '>' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}
