//! From Lua values to Rust ones, with errors that name the argument, what was expected and what was given.

use std::path::PathBuf;

use mlua::{AnyUserData, Function, Table, UserDataRef, UserDataRefMut, Value};
use serde_json::Value as Json;

use super::class::Class;
use super::spec::ValueType;
use super::words::with_article;
use crate::error::{Choice, Error, Result, nearest};

/// A type that natives take as an argument, option or list entry.
pub trait FromScript: Sized {
    /// What errors call it, with its article: "a string".
    fn expected() -> String;

    /// Whether it may be left out.
    const OPTIONAL: bool = false;

    /// Its type, for the documentation and for checks of numbers.
    fn kind() -> ValueType;

    /// `None` when the value is of another type. Most types need only this.
    fn accept(value: &Value) -> Option<Self>;

    /// As a default is shown; `Null` for what has no short form.
    fn literal(&self) -> Json {
        Json::Null
    }

    /// `name` is what an error calls the value.
    ///
    /// # Errors
    /// When the value is of another type.
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        Self::accept(value).ok_or_else(|| Error::argument(name, Self::expected(), describe(value)))
    }
}

/// A value as errors show it: `"abc" (string)`, `3 (integer)`, `a table`, `a Raster`, `nil`.
pub fn describe(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_string(),
        Value::Boolean(b) => format!("{b} (boolean)"),
        Value::Integer(i) => format!("{i} (integer)"),
        Value::Number(n) => format!("{} (number)", number_text(*n)),
        Value::String(s) => {
            let text = s.to_string_lossy();
            match text.char_indices().nth(60) {
                Some((end, _)) => format!("{:?}… (string)", &text[..end]),
                None => format!("{text:?} (string)"),
            }
        }
        Value::Table(t) => match (t.raw_len(), t.is_empty()) {
            (_, true) => "an empty table".to_string(),
            (0, false) => "a table".to_string(),
            (n, false) => format!("a list of {n}"),
        },
        Value::Function(_) => "a function".to_string(),
        Value::UserData(u) => match u.type_name() {
            Ok(name) => with_article(&name.to_string_lossy()),
            Err(_) => "a userdata".to_string(),
        },
        other => format!("a {}", other.type_name()),
    }
}

/// A float the way Lua prints it, but with all digits that tell it apart.
pub fn number_text(n: f64) -> String {
    if n.is_nan() {
        "nan".to_string()
    } else if n.is_infinite() {
        (if n > 0.0 { "inf" } else { "-inf" }).to_string()
    } else if n != 0.0 && !(1e-5..1e15).contains(&n.abs()) {
        format!("{n:e}")
    } else {
        format!("{n:?}")
    }
}

macro_rules! accept {
    ($type:ty, $kind:expr, $expected:expr, $value:ident => $body:expr $(, $this:ident => $literal:expr)?) => {
        impl FromScript for $type {
            fn expected() -> String {
                $expected.to_string()
            }
            fn kind() -> ValueType {
                $kind
            }
            fn accept($value: &Value) -> Option<Self> {
                $body
            }
            $(fn literal(&self) -> Json {
                let $this = self;
                Json::from($literal)
            })?
        }
    };
}

accept!(bool, ValueType::Boolean, "true or false", value => value.as_boolean(), this => *this);
accept!(String, ValueType::String, "a string", value => match value {
    Value::String(s) => s.to_str().ok().map(|s| s.to_string()),
    _ => None,
}, this => this.as_str());
accept!(mlua::LuaString, ValueType::String, "a string", value => value.as_string().cloned());
accept!(PathBuf, ValueType::Path, "a path (string)", value => String::accept(value).map(PathBuf::from));
accept!(f64, ValueType::Number, "a number", value => match value {
    Value::Integer(i) => Some(*i as f64),
    Value::Number(n) => Some(*n),
    _ => None,
}, this => *this);
accept!(f32, ValueType::Number, "a number", value => f64::accept(value).map(|n| n as f32), this => *this);
accept!(i64, ValueType::Integer, "an integer", value => match value {
    Value::Integer(i) => Some(*i),
    // 2⁶³ is the first float beyond every integer.
    Value::Number(n) if n.fract() == 0.0 && n.abs() < 9_223_372_036_854_775_808.0 => Some(*n as i64),
    _ => None,
}, this => *this);
accept!(i32, ValueType::Integer, "an integer", value => i64::accept(value).and_then(|i| i.try_into().ok()), this => *this);
accept!(Table, ValueType::Of("table".into()), "a table", value => value.as_table().cloned());
accept!(Function, ValueType::Of("function".into()), "a function", value => value.as_function().cloned());
accept!(AnyUserData, ValueType::Of("userdata".into()), "an object", value => value.as_userdata().cloned());

macro_rules! accept_counts {
    ($($type:ty),*) => {
        $(accept!($type, ValueType::Integer, "an integer of at least 0",
            value => i64::accept(value).and_then(|i| i.try_into().ok()), this => *this);)*
    };
}

accept_counts!(usize, u64, u32);

/// One of a few names; an error lists them, and the one that was nearly given.
impl<T: Choice> FromScript for T {
    fn expected() -> String {
        let quoted: Vec<String> = T::names().map(|name| format!("{name:?}")).collect();
        quoted.join(" or ")
    }
    fn kind() -> ValueType {
        match T::DOCUMENTED {
            Some(name) => ValueType::Of(name.into()),
            None => {
                let quoted: Vec<String> = T::names().map(|name| format!("{name:?}")).collect();
                ValueType::Of(quoted.join("|").into())
            }
        }
    }
    fn accept(value: &Value) -> Option<Self> {
        String::accept(value).as_deref().and_then(T::named)
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        T::accept(value).ok_or_else(|| {
            let given = String::accept(value);
            let near = given.as_deref().and_then(|given| nearest(given, T::names()));
            let hint = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
            Error::argument(name, T::expected(), format!("{}{hint}", describe(value)))
        })
    }
    fn literal(&self) -> Json {
        Json::from(self.name())
    }
}

impl FromScript for Value {
    fn expected() -> String {
        "a value".to_string()
    }
    fn kind() -> ValueType {
        ValueType::Of("any".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

/// `nil` and what was left out become `None`.
impl<T: FromScript> FromScript for Option<T> {
    const OPTIONAL: bool = true;

    fn expected() -> String {
        T::expected()
    }
    fn kind() -> ValueType {
        T::kind()
    }
    fn accept(value: &Value) -> Option<Self> {
        match value {
            Value::Nil => Some(None),
            other => T::accept(other).map(Some),
        }
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match value {
            Value::Nil => Ok(None),
            other => T::from_script(other, name).map(Some),
        }
    }
}

/// Lists; an error names the entry: `radii[2] must be a number, got "x" (string)`.
impl<T: FromScript> FromScript for Vec<T> {
    fn expected() -> String {
        format!("a list (each {})", T::expected())
    }
    fn kind() -> ValueType {
        ValueType::List(Box::new(T::kind()))
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let wrong = || Error::argument(name, Self::expected(), describe(value));
        let Value::Table(table) = value else {
            return Err(wrong());
        };
        if table.raw_len() == 0 && !table.is_empty() {
            return Err(wrong());
        }
        (1..=table.raw_len())
            .map(|i| T::from_script(&table.raw_get::<Value>(i)?, &format!("{name}[{i}]")))
            .collect()
    }
}

/// Lists of a fixed length.
impl<T: FromScript, const N: usize> FromScript for [T; N] {
    fn expected() -> String {
        format!("a list of {N} (each {})", T::expected())
    }
    fn kind() -> ValueType {
        ValueType::List(Box::new(T::kind()))
    }
    fn literal(&self) -> Json {
        self.iter().map(T::literal).collect()
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let wrong = || Error::argument(name, Self::expected(), describe(value));
        match value {
            Value::Table(_) => Vec::<T>::from_script(value, name)?
                .try_into()
                .map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

/// One value or a list of them.
pub struct Several<T>(pub Vec<T>);

impl<T: FromScript> FromScript for Several<T> {
    fn expected() -> String {
        format!("{} or a list", T::expected())
    }
    fn kind() -> ValueType {
        let one = T::kind();
        let list = ValueType::List(Box::new(one.clone()));
        ValueType::Of(format!("{}|{}", one.lua_type(), list.lua_type()).into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match value {
            Value::Table(_) => Vec::<T>::from_script(value, name).map(Several),
            other => T::accept(other)
                .map(|one| Several(vec![one]))
                .ok_or_else(|| Error::argument(name, Self::expected(), describe(other))),
        }
    }
    fn literal(&self) -> Json {
        self.0.iter().map(T::literal).collect()
    }
}

/// An object of a class, borrowed for as long as the native runs.
impl<T: Class> FromScript for UserDataRef<T> {
    fn expected() -> String {
        with_article(T::NAME)
    }
    fn kind() -> ValueType {
        ValueType::Of(T::NAME.into())
    }
    fn accept(value: &Value) -> Option<Self> {
        value.as_userdata().and_then(|u| u.borrow().ok())
    }
}

/// As `UserDataRef`, to be changed.
impl<T: Class> FromScript for UserDataRefMut<T> {
    fn expected() -> String {
        with_article(T::NAME)
    }
    fn kind() -> ValueType {
        ValueType::Of(T::NAME.into())
    }
    fn accept(value: &Value) -> Option<Self> {
        value.as_userdata().and_then(|u| u.borrow_mut().ok())
    }
}
