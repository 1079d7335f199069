//! A column: values of one type, any of which may be missing.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;

use super::value::{Value, parse_time};

/// In a column of numbers NaN is the missing value; there is no other.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    Bool(Vec<Option<bool>>),
    Integer(Vec<Option<i64>>),
    Float(Vec<f64>),
    Text(Vec<Option<String>>),
    Time(Vec<Option<Timestamp>>),
}

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

/// Calls `$body` with the vector of whichever type it is.
macro_rules! each {
    ($column:expr, $values:ident => $body:expr) => {
        match $column {
            Column::Bool($values) => $body,
            Column::Integer($values) => $body,
            Column::Float($values) => $body,
            Column::Text($values) => $body,
            Column::Time($values) => $body,
        }
    };
}

impl Column {
    /// The type is that of the values: integers with other numbers make numbers; any other mixture, and lists or
    /// objects, make strings; only missing values make numbers.
    pub fn from_values(values: Vec<Value>) -> Column {
        let mut kind: Option<ColumnType> = None;
        for value in &values {
            let this = match value {
                Value::Missing => continue,
                Value::Bool(_) => ColumnType::Bool,
                Value::Integer(_) => ColumnType::Integer,
                Value::Float(_) => ColumnType::Float,
                Value::Text(_) | Value::Nested(_) => ColumnType::Text,
                Value::Time(_) => ColumnType::Time,
            };
            kind = Some(kind.map_or(this, |kind| common(kind, this)));
        }
        Column::collect(kind.unwrap_or(ColumnType::Float), values.into_iter())
    }

    /// A column without values yet.
    pub fn empty(kind: ColumnType) -> Column {
        Column::with_capacity(kind, 0)
    }

    pub(super) fn with_capacity(kind: ColumnType, rows: usize) -> Column {
        match kind {
            ColumnType::Bool => Column::Bool(Vec::with_capacity(rows)),
            ColumnType::Integer => Column::Integer(Vec::with_capacity(rows)),
            ColumnType::Float => Column::Float(Vec::with_capacity(rows)),
            ColumnType::Text => Column::Text(Vec::with_capacity(rows)),
            ColumnType::Time => Column::Time(Vec::with_capacity(rows)),
        }
    }

    /// Adds text read as the column's type, as `cast` reads it; false where it has no meaning there.
    pub(super) fn push(&mut self, cell: Option<&str>) -> bool {
        fn one<T>(
            values: &mut Vec<Option<T>>,
            cell: Option<&str>,
            parse: impl Fn(&str) -> Option<T>,
        ) -> bool {
            let value = cell.and_then(parse);
            let good = value.is_some() == cell.is_some();
            values.push(value);
            good
        }
        match self {
            Column::Bool(values) => one(values, cell, parse_bool),
            Column::Integer(values) => one(values, cell, |s| s.trim().parse().ok()),
            Column::Float(values) => {
                let value = cell.map_or(Ok(f64::NAN), |s| s.trim().parse());
                let good = value.is_ok();
                values.push(value.unwrap_or(f64::NAN));
                good
            }
            Column::Text(values) => one(values, cell, |s| Some(s.to_string())),
            Column::Time(values) => one(values, cell, parse_time),
        }
    }

    /// Values that fit `kind` (an integer fits a number, everything fits a string); others become missing.
    fn collect(kind: ColumnType, values: impl Iterator<Item = Value>) -> Column {
        match kind {
            ColumnType::Bool => Column::Bool(
                values
                    .map(|v| if let Value::Bool(b) = v { Some(b) } else { None })
                    .collect(),
            ),
            ColumnType::Integer => Column::Integer(
                values
                    .map(|v| if let Value::Integer(i) = v { Some(i) } else { None })
                    .collect(),
            ),
            ColumnType::Float => Column::Float(values.map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()),
            ColumnType::Text => Column::Text(
                values
                    .map(|v| match v {
                        Value::Text(s) => Some(s),
                        v if v.is_missing() => None,
                        v => Some(v.to_string()),
                    })
                    .collect(),
            ),
            ColumnType::Time => Column::Time(
                values
                    .map(|v| if let Value::Time(t) = v { Some(t) } else { None })
                    .collect(),
            ),
        }
    }

    pub fn len(&self) -> usize {
        each!(self, values => values.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn kind(&self) -> ColumnType {
        match self {
            Column::Bool(_) => ColumnType::Bool,
            Column::Integer(_) => ColumnType::Integer,
            Column::Float(_) => ColumnType::Float,
            Column::Text(_) => ColumnType::Text,
            Column::Time(_) => ColumnType::Time,
        }
    }

    /// The value at a row, `Missing` where there is none (NaN included).
    pub fn get(&self, row: usize) -> Value {
        match self {
            Column::Bool(v) => v[row].map_or(Value::Missing, Value::Bool),
            Column::Integer(v) => v[row].map_or(Value::Missing, Value::Integer),
            Column::Float(v) if v[row].is_nan() => Value::Missing,
            Column::Float(v) => Value::Float(v[row]),
            Column::Text(v) => v[row].as_ref().map_or(Value::Missing, |s| Value::Text(s.clone())),
            Column::Time(v) => v[row].map_or(Value::Missing, Value::Time),
        }
    }

    pub fn values(&self) -> impl Iterator<Item = Value> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }

    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Column::Bool(v) => v[row].is_none(),
            Column::Integer(v) => v[row].is_none(),
            Column::Float(v) => v[row].is_nan(),
            Column::Text(v) => v[row].is_none(),
            Column::Time(v) => v[row].is_none(),
        }
    }

    /// How many values are not missing.
    pub fn present(&self) -> usize {
        (0..self.len()).filter(|&row| !self.is_missing(row)).count()
    }

    /// Numbers as f64, NaN where missing; None for columns that are not numeric.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        match self {
            Column::Integer(v) => Some(v.iter().map(|i| i.map_or(f64::NAN, |i| i as f64)).collect()),
            Column::Float(v) => Some(v.clone()),
            _ => None,
        }
    }

    pub fn take(&self, rows: &[usize]) -> Column {
        match self {
            Column::Bool(v) => Column::Bool(rows.iter().map(|&r| v[r]).collect()),
            Column::Integer(v) => Column::Integer(rows.iter().map(|&r| v[r]).collect()),
            Column::Float(v) => Column::Float(rows.iter().map(|&r| v[r]).collect()),
            Column::Text(v) => Column::Text(rows.iter().map(|&r| v[r].clone()).collect()),
            Column::Time(v) => Column::Time(rows.iter().map(|&r| v[r]).collect()),
        }
    }

    /// The rows at the positions given, missing where there is none.
    pub(super) fn take_optional(&self, rows: &[Option<usize>]) -> Column {
        Column::collect(
            self.kind(),
            rows.iter().map(|r| r.map_or(Value::Missing, |r| self.get(r))),
        )
    }

    pub(super) fn missing_like(&self, rows: usize) -> Column {
        Column::collect(self.kind(), std::iter::repeat_n(Value::Missing, rows))
    }

    pub(super) fn append(&self, more: &Column) -> Column {
        Column::collect(
            common(self.kind(), more.kind()),
            self.values().chain(more.values()),
        )
    }

    /// Order of two rows; missing values are last in both directions.
    pub(super) fn compare(&self, a: usize, b: usize, descending: bool) -> Ordering {
        fn of<T: PartialOrd>(a: Option<T>, b: Option<T>, descending: bool) -> Ordering {
            match (a, b) {
                (Some(a), Some(b)) => {
                    let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
                    if descending { order.reverse() } else { order }
                }
                (a, b) => a.is_none().cmp(&b.is_none()),
            }
        }
        let number = |x: f64| Some(x).filter(|x| !x.is_nan());
        match self {
            Column::Bool(v) => of(v[a], v[b], descending),
            Column::Integer(v) => of(v[a], v[b], descending),
            Column::Float(v) => of(number(v[a]), number(v[b]), descending),
            Column::Text(v) => of(v[a].as_deref(), v[b].as_deref(), descending),
            Column::Time(v) => of(v[a], v[b], descending),
        }
    }

    /// The same values in another type; the row and value of the first that has no meaning there.
    pub(super) fn cast(&self, to: ColumnType) -> Result<Column, (usize, Value)> {
        if to == self.kind() {
            return Ok(self.clone());
        }
        let values = self
            .values()
            .enumerate()
            .map(|(row, value)| match value {
                Value::Missing => Ok(Value::Missing),
                value => cast_value(&value, to).ok_or((row, value)),
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Column::collect(to, values.into_iter()))
    }
}

/// The type that holds values of both.
fn common(a: ColumnType, b: ColumnType) -> ColumnType {
    match (a, b) {
        (a, b) if a == b => a,
        (a, b) if a.is_numeric() && b.is_numeric() => ColumnType::Float,
        _ => ColumnType::Text,
    }
}

/// Text is read as `parse_cell` reads it, but leading zeros are allowed; booleans are 0 and 1 as numbers;
/// numbers become integers only where they are whole. Times and numbers do not mix: the unit would be a guess.
fn cast_value(value: &Value, to: ColumnType) -> Option<Value> {
    match (value, to) {
        (Value::Text(s), ColumnType::Bool) => parse_bool(s).map(Value::Bool),
        (Value::Text(s), ColumnType::Integer) => s.trim().parse().ok().map(Value::Integer),
        (Value::Text(s), ColumnType::Float) => s.trim().parse().ok().map(Value::Float),
        (Value::Text(s), ColumnType::Time) => parse_time(s).map(Value::Time),
        (Value::Bool(b), ColumnType::Integer) => Some(Value::Integer((*b).into())),
        (Value::Bool(b), ColumnType::Float) => Some(Value::Float((*b as u8).into())),
        (Value::Integer(i), ColumnType::Float) => Some(Value::Float(*i as f64)),
        (Value::Integer(0), ColumnType::Bool) => Some(Value::Bool(false)),
        (Value::Integer(1), ColumnType::Bool) => Some(Value::Bool(true)),
        (Value::Float(x), ColumnType::Integer) => whole(*x).map(Value::Integer),
        (value, ColumnType::Text) => Some(Value::Text(value.to_string())),
        _ => None,
    }
}

/// A float as an integer, where it is one exactly.
pub(super) fn whole(x: f64) -> Option<i64> {
    // Beyond 2^53 neighbouring integers share a float, so "the" integer would be a guess.
    (x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0).then_some(x as i64)
}

pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text.trim() {
        t if t.eq_ignore_ascii_case("true") => Some(true),
        t if t.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// What the cells of a column of text were so far. Its type is the narrowest that each present one allows, in this order: boolean
/// (`true`, `false`), integer, number (also `nan` and `inf`), time (see `parse_time`), else string. Numbers with leading zeros (`007`)
/// are codes and stay strings, and so do whole numbers beyond 64 bits, which would lose digits.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    present: usize,
    /// Bytes of the present cells.
    text: usize,
    /// What some cell was not.
    not_bool: bool,
    not_integer: bool,
    not_float: bool,
    not_time: bool,
}

impl Seen {
    pub fn add(&mut self, cell: Option<&str>) {
        let Some(cell) = cell else { return };
        self.present += 1;
        self.text += cell.len();
        let number = cell.trim();
        let code = is_code(number);
        self.not_bool = self.not_bool || parse_bool(cell).is_none();
        self.not_integer = self.not_integer || code || number.parse::<i64>().is_err();
        self.not_float = self.not_float || code || number.parse::<f64>().is_err();
        self.not_time = self.not_time || parse_time(cell).is_none();
    }

    pub fn kind(&self) -> ColumnType {
        match self {
            Seen { present: 0, .. } => ColumnType::Float,
            Seen { not_bool: false, .. } => ColumnType::Bool,
            Seen {
                not_integer: false, ..
            } => ColumnType::Integer,
            Seen { not_float: false, .. } => ColumnType::Float,
            Seen { not_time: false, .. } => ColumnType::Time,
            _ => ColumnType::Text,
        }
    }

    /// What these cells and the missing ones take in memory as a column of `kind`.
    pub fn bytes(&self, kind: ColumnType, rows: usize) -> usize {
        // Allocators give no piece without a header, and none below this.
        const LEAST: usize = 24;
        let (each, text) = match kind {
            ColumnType::Bool => (size_of::<Option<bool>>(), 0),
            ColumnType::Integer => (size_of::<Option<i64>>(), 0),
            ColumnType::Float => (size_of::<f64>(), 0),
            ColumnType::Text => (size_of::<Option<String>>(), self.text + LEAST * self.present),
            ColumnType::Time => (size_of::<Option<Timestamp>>(), 0),
        };
        rows.saturating_mul(each).saturating_add(text)
    }
}

/// Digits that are a name rather than a quantity.
fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let bytes = digits.as_bytes();
    let leading_zero = bytes.len() > 1 && bytes[0] == b'0' && bytes[1].is_ascii_digit();
    let whole = bytes.iter().all(u8::is_ascii_digit);
    leading_zero || (whole && text.parse::<i64>().is_err())
}
