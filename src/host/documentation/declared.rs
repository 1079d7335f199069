//! Comments as declarations: what `---@field size? integer Of the window. Odd, from 3 to 9. Default 7.` says of an option, read back.

use mlua::{Lua, LuaSerdeExt, Table, Value};
use serde_json::Value as Json;

use super::{Entry, Field, Kind};
use crate::error::{Domain, Error, Result, nearest};
use crate::lua::spec::{Spec, ValueType};
use crate::lua::{FromScript, Options, describe};

/// The values of `options` that `fields` declare, with the defaults of those that were left out.
///
/// # Errors
/// A value that is missing, of another type, none of the choices or beyond its limits.
pub fn read(lua: &Lua, options: &Options, fields: &[Field], all: &[Entry]) -> Result<Table> {
    let values = lua.create_table()?;
    for field in fields {
        let spec = spec(field);
        let value = options.raw(&spec.name)?;
        if !value.is_nil() {
            check(&value, &options.label(&spec.name), &spec, all)?;
            values.raw_set(spec.name.as_str(), value)?;
        } else if spec.required {
            return Err(options.missing(&spec.name, &spec.expected()));
        } else if !spec.default.is_null() {
            values.raw_set(spec.name.as_str(), lua.to_value(&spec.default)?)?;
        }
    }
    Ok(values)
}

/// What a line of a comment declares.
pub fn spec(field: &Field) -> Spec {
    let kind = ValueType::parse(&field.type_name);
    let mut spec = Spec {
        required: !field.optional && !field.type_name.ends_with('?'),
        choices: choices(&kind),
        help: field.text.clone(),
        ..Spec::new(&field.name, kind)
    };
    for sentence in sentences(&field.text) {
        if let Some(default) = sentence.strip_prefix("Default ") {
            spec.default = literal(default.trim_matches('`')).unwrap_or(Json::Null);
        } else if let Some(domain) = Domain::of_fact(&lower_first(sentence)) {
            spec.domain = domain;
        }
    }
    spec
}

/// The texts that a type lists, where it lists nothing else.
fn choices(kind: &ValueType) -> Vec<Json> {
    let quoted = |part: &ValueType| match part {
        ValueType::Of(name) => name.strip_prefix('"')?.strip_suffix('"').map(Json::from),
        _ => None,
    };
    let found: Option<Vec<Json>> = kind.alternatives().iter().map(quoted).collect();
    found.unwrap_or_default()
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(". ")
        .map(|sentence| sentence.trim().trim_end_matches('.'))
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// A value as a comment writes it: `7`, `true`, `"first"`, `{ "VV", "VH" }`.
fn literal(text: &str) -> Option<Json> {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(list) => list
            .split(',')
            .map(|entry| serde_json::from_str::<Json>(entry.trim()).ok())
            .collect::<Option<Vec<Json>>>()
            .map(Json::from),
        None => serde_json::from_str(text).ok(),
    }
}

fn check(value: &Value, label: &str, spec: &Spec, all: &[Entry]) -> Result<()> {
    let wrong = |got: String| Err(Error::argument(label, spec.expected(), got));
    if !spec.choices.is_empty() {
        let given = String::accept(value);
        let names: Vec<&str> = spec.choices.iter().filter_map(Json::as_str).collect();
        return match given.as_deref() {
            Some(given) if names.contains(&given) => Ok(()),
            given => match given.and_then(|given| nearest(given, names)) {
                Some(near) => wrong(format!("{}; did you mean {near:?}?", describe(value))),
                None => wrong(describe(value)),
            },
        };
    }
    if !fits(value, &spec.kind, all)? {
        return wrong(describe(value));
    }
    // Tables of options inside.
    let described = |kind: &ValueType| {
        let name = kind.lua_type();
        all.iter().find(|e| e.kind == Kind::Table && e.name == name)
    };
    let kinds = spec.kind.alternatives();
    let listed = kinds.iter().find_map(|kind| match kind {
        ValueType::List(of) => described(of),
        _ => None,
    });
    match (value, kinds.iter().find_map(described), listed) {
        (Value::Table(list), _, Some(table)) if list.raw_len() > 0 => {
            for i in 1..=list.raw_len() {
                let entry: Value = list.raw_get(i)?;
                if entry.is_table() {
                    inside(&entry, &format!("{label}[{i}]"), table, all)?;
                }
            }
            return Ok(());
        }
        (Value::Table(_), Some(table), _) => return inside(value, label, table, all),
        _ => {}
    }
    let entries: Vec<Value> = match value {
        Value::Table(list) => list.sequence_values().collect::<Result<_, _>>()?,
        one => vec![one.clone()],
    };
    let number = |value: &Value| match value {
        Value::Integer(_) | Value::Number(_) => f64::accept(value),
        _ => None,
    };
    match entries
        .iter()
        .find(|entry| number(entry).is_some_and(|n| !spec.domain.admit(n)))
    {
        Some(beyond) => wrong(describe(beyond)),
        None => Ok(()),
    }
}

/// Checks a table of options that is a value, or an entry of one.
fn inside(value: &Value, label: &str, table: &Entry, all: &[Entry]) -> Result<()> {
    Options::read(value, label, |o| {
        let given = table
            .fields
            .iter()
            .map(|field| {
                let spec = spec(field);
                Ok((o.raw(&spec.name)?, spec))
            })
            .collect::<Result<Vec<_>>>()?;
        given.into_iter().try_for_each(|(value, spec)| match value {
            Value::Nil if spec.required => Err(o.missing(&spec.name, &spec.expected())),
            Value::Nil => Ok(()),
            value => check(&value, &o.label(&spec.name), &spec, all),
        })
    })
}

/// Whether a value is of a type.
fn fits(value: &Value, kind: &ValueType, all: &[Entry]) -> Result<bool> {
    Ok(match kind {
        ValueType::Number => f64::accept(value).is_some(),
        ValueType::Integer => i64::accept(value).is_some(),
        ValueType::Boolean => value.is_boolean(),
        ValueType::String | ValueType::Path | ValueType::Date => value.is_string(),
        ValueType::Table(_) => value.is_table(),
        ValueType::List(of) => match value {
            Value::Table(list) if list.raw_len() > 0 || list.is_empty() => {
                for entry in list.sequence_values::<Value>() {
                    if !fits(&entry?, of, all)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => false,
        },
        ValueType::Of(name) => {
            let alternatives = kind.alternatives();
            if alternatives.len() > 1 {
                for one in &alternatives {
                    if fits(value, one, all)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            named(value, name, all)?
        }
    })
}

/// Whether a value is of a type that has a name, is a text, or is one of the language's own.
fn named(value: &Value, name: &str, all: &[Entry]) -> Result<bool> {
    if let Some(text) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        return Ok(String::accept(value).as_deref() == Some(text));
    }
    if name == "any" {
        return Ok(true);
    }
    if name == "function" || name.starts_with("fun(") {
        return Ok(value.is_function());
    }
    if name.starts_with("table") || name.starts_with('{') {
        return Ok(value.is_table());
    }
    match all.iter().find(|entry| entry.name == name) {
        Some(entry) if entry.kind == Kind::Alias => {
            fits(value, &ValueType::parse(&entry.operators.concat()), all)
        }
        Some(entry) if entry.kind == Kind::Table => Ok(value.is_table()),
        _ => Ok(match value {
            Value::UserData(object) => object.type_name().is_ok_and(|own| own.to_string_lossy() == name),
            _ => false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::documentation::entries;

    fn field(type_name: &str, text: &str) -> Field {
        Field {
            name: "size".into(),
            optional: true,
            type_name: type_name.into(),
            text: text.into(),
        }
    }

    #[test]
    fn what_a_line_says_is_read_back() {
        let odd = spec(&field(
            "integer",
            "Of the window, e.g. of a filter. Odd, from 3 to 9. Default 7.",
        ));
        assert_eq!(
            (odd.default.clone(), odd.domain),
            (Json::from(7), Domain::within(3.0, 9.0).odd())
        );
        assert_eq!(odd.expected(), "an odd number from 3 to 9");
        let named = spec(&field("\"first\"|\"last\"", "Which. Default `\"first\"`."));
        assert_eq!(
            (named.default.clone(), named.expected()),
            (Json::from("first"), "\"first\" or \"last\"".into())
        );
        assert_eq!(
            spec(&field("string[]", "Default `{ \"VV\", \"VH\" }`.")).default,
            serde_json::json!(["VV", "VH"])
        );
        assert_eq!(
            spec(&field("string", "Default the working folder.")).default,
            Json::Null
        );
        assert_eq!(
            spec(&field("number|Raster|string[]", "")).expected(),
            "a number or a Raster or a list of strings"
        );
    }

    /// A list of tables of options, one such table, or either; in them a text of a few and another such table.
    #[test]
    fn tables_inside_of_tables_are_checked_wherever_they_lie() {
        let text = "--- A module.\nlocal M = {}\n\n\
            ---@class inner.Part\n---@field name string What.\n---@field sides? inner.Sides Which.\n\n\
            ---@class inner.Sides\n---@field left? integer From 1 to 3.\n---@field right? integer\n\n\
            ---@class inner.Options\n---@field part? inner.Part One.\n---@field parts? inner.Part[] Several.\n\
            ---@field either? inner.Part|inner.Part[] One or several.\n\n\
            --- Does it.\n---@param options inner.Options\nfunction M.all(options) end\nreturn M\n";
        let all = super::super::with_others("inner", text);
        let table = all.iter().find(|e| e.name == "inner.Options").unwrap();
        let lua = Lua::new();
        let asked = |code: &str| {
            let given: Value = lua.load(code).eval().unwrap();
            Options::read(&given, "options", |o| read(&lua, o, &table.fields, &all))
        };
        for right in [
            "{ part = { name = 'a' } }",
            "{ parts = { { name = 'a' }, { name = 'b', sides = { left = 2 } } } }",
            "{ parts = {}, either = { name = 'a' } }",
            "{ either = { { name = 'a' } } }",
        ] {
            assert!(asked(right).is_ok(), "{right}: {:?}", asked(right).err());
        }
        for (wrong, said) in [
            ("{ prts = {} }", "unknown option `prts`; did you mean `parts`?"),
            (
                "{ part = { nam = 'a' } }",
                "unknown option `part.nam`; did you mean `part.name`?",
            ),
            (
                "{ parts = { { name = 'a' }, { name = 'b', side = {} } } }",
                "unknown option `parts[2].side`; did you mean `parts[2].sides`? The options are: parts[2].name, parts[2].sides",
            ),
            (
                "{ parts = { { name = 'a', sides = { rigt = 1 } } } }",
                "unknown option `parts[1].sides.rigt`; did you mean `parts[1].sides.right`?",
            ),
            (
                "{ parts = { { name = 'a', sides = { left = 4 } } } }",
                "parts[1].sides.left must be an integer from 1 to 3, got 4",
            ),
            ("{ parts = { {} } }", "the option parts[1].name is missing"),
            (
                "{ either = { { nmae = 'a' } } }",
                "unknown option `either[1].nmae`; did you mean `either[1].name`?",
            ),
            (
                "{ either = { nmae = 'a' } }",
                "unknown option `either.nmae`; did you mean `either.name`?",
            ),
            ("{ part = { 'a' } }", "part must be a table of named options"),
            ("{ parts = { 'a' } }", "parts must be a list"),
        ] {
            let error = asked(wrong).unwrap_err().to_string();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    /// Every line that the natives' declarations wrote says what they declared.
    #[test]
    fn the_lines_of_declared_options_are_read_back() {
        let tables = entries()
            .iter()
            .filter(|e| e.kind == Kind::Table && e.name.ends_with("Options"));
        let specs: Vec<Spec> = tables.flat_map(|e| e.fields.iter().map(spec)).collect();
        assert!(specs.iter().filter(|s| !s.domain.any()).count() > 50);
        assert!(specs.iter().filter(|s| !s.default.is_null()).count() > 100);
    }
}
