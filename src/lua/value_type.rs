//! The types of options, as they are declared and documented.

use std::borrow::Cow;

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
            ValueType::Of(name) => name.clone(),
            ValueType::List(of) => match of.lua_type() {
                one if one.contains('|') => format!("({one})[]").into(),
                one => format!("{one}[]").into(),
            },
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
            kind => format!("a {}", kind.name()).into(),
        }
    }
}
