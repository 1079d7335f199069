//! The types of columns.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    Bool,
    Integer,
    Float,
    Text,
    Time,
}

impl ColumnType {
    pub const NAMES: [&'static str; 5] = ["boolean", "integer", "number", "string", "time"];

    /// The name that scripts use: `boolean`, `integer`, `number`, `string`, `time`.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub fn parse(name: &str) -> Option<ColumnType> {
        use ColumnType::*;
        [Bool, Integer, Float, Text, Time]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

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
