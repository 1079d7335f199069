//! Columns that grow.

use arrow_array::Array;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringViewBuilder};
use jiff::Timestamp;

use super::cell;
use super::column::Column;
use super::kind::ColumnType;
use super::times::TimeBuilder;

#[derive(Debug)]
pub(super) enum Builder {
    Bool(BooleanBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Text(StringViewBuilder),
    Time(TimeBuilder),
}

impl Builder {
    pub fn new(kind: ColumnType) -> Builder {
        Builder::with_capacity(kind, 0)
    }

    /// With room for about so many rows. Memory that nobody writes to is not taken.
    pub fn with_capacity(kind: ColumnType, rows: usize) -> Builder {
        match kind {
            ColumnType::Bool => Builder::Bool(BooleanBuilder::with_capacity(rows)),
            ColumnType::Integer => Builder::Integer(Int64Builder::with_capacity(rows)),
            ColumnType::Float => Builder::Float(Float64Builder::with_capacity(rows)),
            ColumnType::Text => Builder::Text(StringViewBuilder::with_capacity(rows)),
            ColumnType::Time => Builder::Time(TimeBuilder::with_capacity(rows)),
        }
    }

    /// Adds text read as the column's type; false, and nothing done, where it has no meaning there.
    #[inline]
    pub fn parse(&mut self, text: &str) -> bool {
        match self {
            Builder::Bool(values) => cell::boolean(text).map(|v| values.append_value(v)).is_some(),
            Builder::Integer(values) => cell::integer(text).map(|v| values.append_value(v)).is_some(),
            Builder::Float(values) => cell::float(text).map(|v| values.append_value(v)).is_some(),
            Builder::Text(values) => values.try_append_value(text).is_ok(),
            Builder::Time(values) => cell::time(text).is_some_and(|v| values.push(v)),
        }
    }

    /// Missing values.
    pub fn push_null(&mut self, count: usize) {
        match self {
            Builder::Bool(values) => values.append_nulls(count),
            Builder::Integer(values) => values.append_nulls(count),
            Builder::Float(values) => values.append_value_n(f64::NAN, count),
            Builder::Text(values) => (0..count).for_each(|_| values.append_null()),
            Builder::Time(values) => values.push_null(count),
        }
    }

    /// Adds the values of a column of the same type; false, and nothing done, where it is of another, or no unit holds all times.
    pub fn append(&mut self, column: &Column) -> bool {
        match (self, column) {
            (Builder::Bool(values), Column::Bool(more)) => values.append_array(more),
            (Builder::Integer(values), Column::Integer(more)) => values.append_array(more),
            (Builder::Float(values), Column::Float(more)) => values.append_array(more),
            (Builder::Text(values), Column::Text(more)) => values.append_array(more),
            (Builder::Time(values), Column::Time(more)) => return values.append(more),
            _ => return false,
        }
        true
    }

    pub fn kind(&self) -> ColumnType {
        match self {
            Builder::Bool(_) => ColumnType::Bool,
            Builder::Integer(_) => ColumnType::Integer,
            Builder::Float(_) => ColumnType::Float,
            Builder::Text(_) => ColumnType::Text,
            Builder::Time(_) => ColumnType::Time,
        }
    }

    pub fn len(&self) -> usize {
        use arrow_array::builder::ArrayBuilder;
        match self {
            Builder::Bool(values) => values.len(),
            Builder::Integer(values) => values.len(),
            Builder::Float(values) => values.len(),
            Builder::Text(values) => values.len(),
            Builder::Time(values) => values.len(),
        }
    }

    pub fn finish(self) -> Column {
        macro_rules! finished {
            ($builder:expr) => {{
                let mut builder = $builder;
                let mut array = builder.finish();
                array.shrink_to_fit();
                array
            }};
        }
        match self {
            Builder::Bool(values) => Column::Bool(finished!(values)),
            Builder::Integer(values) => Column::Integer(finished!(values)),
            Builder::Float(values) => Column::Float(finished!(values)),
            Builder::Text(values) => Column::Text(finished!(values)),
            Builder::Time(values) => Column::Time(values.finish()),
        }
    }
}

/// Times where a unit holds all of them, else their texts.
pub(super) fn times(values: impl Iterator<Item = Option<Timestamp>> + Clone) -> Column {
    let mut builder = TimeBuilder::with_capacity(0);
    let held = values.clone().all(|value| match value {
        Some(time) => builder.push(time),
        None => {
            builder.push_null(1);
            true
        }
    });
    match held {
        true => Column::Time(builder.finish()),
        false => Column::texts(values.map(|time| time.map(super::format_time))),
    }
}
