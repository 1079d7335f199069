//! Types as far as a text tells them, and whether a value of one may stand where comments ask for another.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::known::Known;
use crate::host::documentation::Kind as Documented;
use crate::lua::spec::ValueType;

#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Unknown,
    Nil,
    Boolean,
    Number,
    Text,
    Table,
    List(Box<Type>),
    /// By any key.
    Map(Box<Type>),
    /// An object of a documented class, or a table with documented fields.
    Class(String),
    /// A documented module.
    Module(String),
    /// A module of the script, and what it exports.
    Own(String, Rc<BTreeSet<String>>),
    /// A table of Lua's own library: `string`.
    Library(String),
    /// What `params` gives for the table that begins there.
    Parameters(usize),
    /// A table of the script's whose fields are all known: the variable that holds it.
    Record(usize),
    /// A documented function, by its name.
    Documented(String),
    /// A function of the script, by its address.
    Body(usize),
    /// A function of which only the first result is known.
    Returning(Box<Type>),
}

impl Type {
    /// Of a type as comments write it.
    pub fn of(text: &str, known: &Known) -> Type {
        Type::of_kind(&ValueType::parse(text), known, 0)
    }

    fn of_kind(kind: &ValueType, known: &Known, depth: usize) -> Type {
        if depth > 8 {
            return Type::Unknown;
        }
        let name = match kind {
            ValueType::Number | ValueType::Integer => return Type::Number,
            ValueType::Boolean => return Type::Boolean,
            ValueType::String | ValueType::Path | ValueType::Date => return Type::Text,
            ValueType::Table(_) => return Type::Table,
            ValueType::List(of) => return Type::List(Box::new(Type::of_kind(of, known, depth + 1))),
            ValueType::Of(name) => name.trim(),
        };
        let alternatives = kind.alternatives();
        if alternatives.len() > 1 {
            let some = alternatives
                .iter()
                .filter(|one| !matches!(one, ValueType::Of(name) if name == "nil"));
            let mut types = some.map(|one| Type::of_kind(one, known, depth + 1));
            let first = types.next().unwrap_or(Type::Unknown);
            return match types.all(|other| other == first) {
                true => first,
                false => Type::Unknown,
            };
        }
        if name.starts_with('"') {
            return Type::Text;
        }
        if let Some(returned) = name.strip_prefix("fun(") {
            let result = returned.rsplit_once("):").map_or("", |(_, result)| result);
            return Type::Returning(Box::new(match result.is_empty() || result.contains(',') {
                true => Type::Unknown,
                false => Type::of_kind(&ValueType::parse(result), known, depth + 1),
            }));
        }
        if let Some((_, value)) = name
            .strip_prefix("table<")
            .and_then(|inside| inside.strip_suffix('>')?.split_once(','))
        {
            return Type::Map(Box::new(Type::of_kind(
                &ValueType::parse(value),
                known,
                depth + 1,
            )));
        }
        match (name, known.entry(name).map(|entry| (entry.kind, entry))) {
            ("table", _) => Type::Table,
            ("nil", _) => Type::Nil,
            (_, Some((Documented::Class | Documented::Table, _))) => Type::Class(name.to_string()),
            (_, Some((Documented::Alias, alias))) => {
                Type::of_kind(&ValueType::parse(alias.stands_for()), known, depth + 1)
            }
            _ => Type::Unknown,
        }
    }

    /// What it may be, when either of two ways leads here.
    pub fn or(self, other: Type) -> Type {
        match (self, other) {
            (Type::Nil, one) | (one, Type::Nil) => one,
            (a, b) if a == b => a,
            _ => Type::Unknown,
        }
    }

    fn is_function(&self) -> bool {
        matches!(self, Type::Documented(_) | Type::Body(_) | Type::Returning(_))
    }

    /// With its article, where it is certain.
    pub fn shown(&self, known: &Known) -> Option<String> {
        Some(match self {
            Type::Unknown | Type::Nil => return None,
            Type::Boolean => "a boolean".into(),
            Type::Number => "a number".into(),
            Type::Text => "a string".into(),
            Type::Class(name)
                if known
                    .class(name)
                    .is_some_and(|entry| entry.kind == Documented::Class) =>
            {
                let article = if name.starts_with(['A', 'E', 'I', 'O']) {
                    "an"
                } else {
                    "a"
                };
                format!("{article} {name}")
            }
            Type::Module(name) => format!("the module {name}"),
            one if one.is_function() => "a function".into(),
            _ => "a table".into(),
        })
    }
}

/// Whether what is certain of a value does not keep it from being of `kind`.
pub fn admits(kind: &ValueType, value: &Type, known: &Known) -> bool {
    if matches!(value, Type::Unknown | Type::Nil) {
        return true;
    }
    let name = match kind {
        ValueType::Number | ValueType::Integer => return *value == Type::Number,
        ValueType::Boolean => return *value == Type::Boolean,
        ValueType::String | ValueType::Path | ValueType::Date => return *value == Type::Text,
        ValueType::Table(_) => return is_table(value, known),
        ValueType::List(of) => {
            return match value {
                Type::List(inside) => admits(of, inside, known),
                // Strings by number, or objects that are lists, say so in their comments.
                Type::Table | Type::Record(_) | Type::Map(_) => true,
                Type::Class(name) => known
                    .class(name)
                    .is_some_and(|entry| entry.kind == Documented::Table),
                _ => false,
            };
        }
        ValueType::Of(name) => name.trim(),
    };
    let alternatives = kind.alternatives();
    if alternatives.len() > 1 {
        return alternatives.iter().any(|one| admits(one, value, known));
    }
    if name.starts_with('"') {
        return *value == Type::Text;
    }
    if name == "function" || name.starts_with("fun(") {
        // Some objects can be called.
        return value.is_function() || matches!(value, Type::Table | Type::Record(_));
    }
    if name == "table" || name.starts_with("table<") || name.starts_with('{') {
        return is_table(value, known);
    }
    match name {
        "true" | "false" => return *value == Type::Boolean,
        "nil" => return false,
        _ => {}
    }
    match known.entry(name).map(|entry| (entry.kind, entry)) {
        Some((Documented::Alias, alias)) => {
            let text = alias.stands_for();
            text == name || admits(&ValueType::parse(text), value, known)
        }
        Some((Documented::Class, _)) => match value {
            Type::Class(given) => is_a(given, name, known),
            _ => false,
        },
        Some((Documented::Table, _)) => is_table(value, known),
        _ => true,
    }
}

fn is_table(value: &Type, known: &Known) -> bool {
    match value {
        Type::Class(name) => known
            .class(name)
            .is_some_and(|entry| entry.kind == Documented::Table),
        Type::Boolean | Type::Number | Type::Text => false,
        value => !value.is_function(),
    }
}

fn is_a(given: &str, wanted: &str, known: &Known) -> bool {
    given == wanted
        || known
            .class(given)
            .is_some_and(|entry| entry.parents.iter().any(|parent| is_a(parent, wanted, known)))
}
