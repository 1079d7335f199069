//! Columns of values, and of other columns.

use jiff::Timestamp;

use super::builder::{self, Builder};
use super::cell;
use super::column::{Column, whole};
use super::kind::ColumnType;
use super::value::{Value, parse_time};

impl Column {
    pub fn texts(values: impl IntoIterator<Item = Option<impl AsRef<str>>>) -> Column {
        let mut builder = Builder::new(ColumnType::Text);
        for value in values {
            match value {
                Some(text) if builder.parse(text.as_ref()) => {}
                _ => builder.push_null(1),
            }
        }
        builder.finish()
    }

    /// Texts where no unit holds all of the times: fractions finer than microseconds beyond the years 1677 to 2262.
    pub fn times(values: impl Iterator<Item = Option<Timestamp>> + Clone) -> Column {
        builder::times(values)
    }

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
            kind = Some(kind.map_or(this, |kind| kind.common(this)));
        }
        Column::collect(kind.unwrap_or(ColumnType::Float), values.iter())
    }

    /// A column without values yet.
    pub fn empty(kind: ColumnType) -> Column {
        Builder::new(kind).finish()
    }

    /// Values that fit `kind` (an integer fits a number, everything fits a string); others become missing.
    fn collect<'a>(kind: ColumnType, values: impl Iterator<Item = &'a Value> + Clone) -> Column {
        match kind {
            ColumnType::Bool => Column::bools(values.map(|v| match v {
                Value::Bool(b) => Some(*b),
                _ => None,
            })),
            ColumnType::Integer => Column::integers(values.map(|v| match v {
                Value::Integer(i) => Some(*i),
                _ => None,
            })),
            ColumnType::Float => Column::floats(values.map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()),
            ColumnType::Text => Column::texts(values.map(|v| match v {
                v if v.is_missing() => None,
                v => Some(v.to_string()),
            })),
            ColumnType::Time => Column::times(values.map(|v| match v {
                Value::Time(t) => Some(*t),
                _ => None,
            })),
        }
    }

    pub(super) fn missing_like(&self, rows: usize) -> Column {
        let mut builder = Builder::new(self.kind());
        builder.push_null(rows);
        builder.finish()
    }

    pub(super) fn append(&self, more: &Column) -> Column {
        let kind = self.kind().common(more.kind());
        let mut builder = Builder::new(kind);
        let appended = [self, more]
            .into_iter()
            .all(|part| builder.append(&part.widened(kind)));
        match appended {
            true => builder.finish(),
            // Times of which no unit holds all.
            false => self
                .widened(ColumnType::Text)
                .append(&more.widened(ColumnType::Text)),
        }
    }

    /// As a type that holds every value of this one.
    pub(super) fn widened(&self, to: ColumnType) -> Column {
        match (self, to) {
            (column, to) if column.kind() == to => column.clone(),
            (_, ColumnType::Float) if self.kind().is_numeric() => {
                Column::floats(self.to_f64().unwrap_or_default())
            }
            _ => Column::texts(self.values().map(|v| (!v.is_missing()).then(|| v.to_string()))),
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
        Ok(Column::collect(to, values.iter()))
    }
}

/// Text is read as a cell of CSV is, but leading zeros are allowed; booleans are 0 and 1 as numbers;
/// numbers become integers only where they are whole. Times and numbers do not mix: the unit would be a guess.
fn cast_value(value: &Value, to: ColumnType) -> Option<Value> {
    match (value, to) {
        (Value::Text(s), ColumnType::Bool) => cell::boolean(s).map(Value::Bool),
        (Value::Text(s), ColumnType::Integer) => cell::integer(s).map(Value::Integer),
        (Value::Text(s), ColumnType::Float) => cell::float(s).map(Value::Float),
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
