//! The types of columns.

use std::fmt;

use crate::error::Choice;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    Bool,
    Integer,
    Float,
    Text,
    Time,
}

impl Choice for ColumnType {
    const ALL: &'static [(&'static str, Self)] = &[
        ("boolean", ColumnType::Bool),
        ("integer", ColumnType::Integer),
        ("number", ColumnType::Float),
        ("string", ColumnType::Text),
        ("time", ColumnType::Time),
    ];
}

impl ColumnType {
    pub fn is_numeric(self) -> bool {
        matches!(self, ColumnType::Integer | ColumnType::Float)
    }

    /// The type that holds values of both: numbers where both are numeric, else strings.
    pub(super) fn common(self, other: ColumnType) -> ColumnType {
        match (self, other) {
            (a, b) if a == b => a,
            (a, b) if a.is_numeric() && b.is_numeric() => ColumnType::Float,
            _ => ColumnType::Text,
        }
    }

    pub(super) fn with_article(self) -> String {
        let article = if self == ColumnType::Integer { "an" } else { "a" };
        format!("{article} {}", self.name())
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
