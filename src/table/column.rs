//! A column: values of one type, any of which may be missing, in Arrow's arrays.

use std::cmp::Ordering;

use arrow_array::{Array, BooleanArray, Float64Array, Int64Array, StringViewArray, UInt64Array};
use arrow_select::take::take;

use super::kind::ColumnType;
use super::ledger::Ledger;
use super::times::Times;
use super::value::Value;

/// In a column of numbers NaN is the missing value; there is no other. Copies share their values.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    Bool(BooleanArray),
    Integer(Int64Array),
    Float(Float64Array),
    Text(StringViewArray),
    Time(Times),
}

impl Column {
    pub fn bools(values: impl IntoIterator<Item = Option<bool>>) -> Column {
        Column::Bool(values.into_iter().collect())
    }

    pub fn integers(values: impl IntoIterator<Item = Option<i64>>) -> Column {
        Column::Integer(values.into_iter().collect())
    }

    pub fn floats(values: Vec<f64>) -> Column {
        Column::Float(Float64Array::from(values))
    }

    pub(super) fn array(&self) -> &dyn Array {
        match self {
            Column::Bool(values) => values,
            Column::Integer(values) => values,
            Column::Float(values) => values,
            Column::Text(values) => values,
            Column::Time(values) => &values.units,
        }
    }

    /// Enters what it holds into the ledger of memory, once however many columns share it, for as long as any does.
    pub(super) fn entered(self) -> Column {
        self.array().claim(&Ledger);
        self
    }

    /// Bytes that it holds, those that it shares included.
    pub(super) fn bytes(&self) -> usize {
        self.array().get_buffer_memory_size()
    }

    pub fn len(&self) -> usize {
        self.array().len()
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
        if self.is_missing(row) {
            return Value::Missing;
        }
        match self {
            Column::Bool(v) => Value::Bool(v.value(row)),
            Column::Integer(v) => Value::Integer(v.value(row)),
            Column::Float(v) => Value::Float(v.value(row)),
            Column::Text(v) => Value::Text(v.value(row).to_string()),
            Column::Time(v) => v.get(row).map_or(Value::Missing, Value::Time),
        }
    }

    pub fn values(&self) -> impl Iterator<Item = Value> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }

    #[inline]
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Column::Float(v) => v.value(row).is_nan(),
            other => other.array().is_null(row),
        }
    }

    /// How many values are not missing.
    pub fn present(&self) -> usize {
        match self {
            Column::Float(v) => v.values().iter().filter(|x| !x.is_nan()).count(),
            other => other.len() - other.array().null_count(),
        }
    }

    /// Whether it holds times that are all midnights, UTC, which are written as dates.
    pub fn is_dates(&self) -> bool {
        matches!(self, Column::Time(times) if times.are_dates())
    }

    /// Numbers as f64, NaN where missing; None for columns that are not numeric.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        match self {
            Column::Integer(v) => Some(v.iter().map(|i| i.map_or(f64::NAN, |i| i as f64)).collect()),
            Column::Float(v) => Some(v.values().to_vec()),
            _ => None,
        }
    }

    /// The number at a row, None where it is missing or none.
    #[inline]
    pub(super) fn number(&self, row: usize) -> Option<f64> {
        match self {
            Column::Integer(v) => v.is_valid(row).then(|| v.value(row) as f64),
            Column::Float(v) => Some(v.value(row)).filter(|x| !x.is_nan()),
            _ => None,
        }
    }

    pub fn take(&self, rows: &[usize]) -> Column {
        self.gathered(&rows.iter().map(|row| *row as u64).collect::<Vec<u64>>().into())
    }

    /// The rows at the positions given, missing where there is none.
    pub(super) fn take_optional(&self, rows: &[Option<usize>]) -> Column {
        self.gathered(&rows.iter().map(|row| row.map(|row| row as u64)).collect())
    }

    fn gathered(&self, rows: &UInt64Array) -> Column {
        fn of<T: Array + Clone + 'static>(values: &T, rows: &UInt64Array) -> T {
            let taken = take(values, rows, None);
            let taken = taken.unwrap_or_else(|e| unreachable!("rows are those of the table: {e}"));
            taken
                .as_any()
                .downcast_ref::<T>()
                .cloned()
                .unwrap_or_else(|| unreachable!("taking keeps the type"))
        }
        match self {
            Column::Bool(v) => Column::Bool(of(v, rows)),
            Column::Integer(v) => Column::Integer(of(v, rows)),
            Column::Float(v) => Column::Float(nan_for_null(of(v, rows))),
            Column::Text(v) => Column::Text(compacted(of(v, rows))),
            Column::Time(v) => Column::Time(v.with_units(of(&v.units, rows))),
        }
    }

    /// A run of rows, which shares the values.
    pub(super) fn slice(&self, first: usize, count: usize) -> Column {
        match self {
            Column::Bool(v) => Column::Bool(v.slice(first, count)),
            Column::Integer(v) => Column::Integer(v.slice(first, count)),
            Column::Float(v) => Column::Float(v.slice(first, count)),
            Column::Text(v) => Column::Text(v.slice(first, count)),
            Column::Time(v) => Column::Time(v.with_units(v.units.slice(first, count))),
        }
    }

    /// Order of two rows; missing values are last in both directions.
    pub(super) fn compare(&self, a: usize, b: usize, descending: bool) -> Ordering {
        match (self.is_missing(a), self.is_missing(b)) {
            (false, false) => {}
            (a, b) => return a.cmp(&b),
        }
        let order = match self {
            Column::Bool(v) => v.value(a).cmp(&v.value(b)),
            Column::Integer(v) => v.value(a).cmp(&v.value(b)),
            Column::Float(v) => v.value(a).partial_cmp(&v.value(b)).unwrap_or(Ordering::Equal),
            Column::Text(v) => v.value(a).cmp(v.value(b)),
            Column::Time(v) => v.units.value(a).cmp(&v.units.value(b)),
        };
        if descending { order.reverse() } else { order }
    }
}

/// Missing numbers are NaN.
pub(super) fn nan_for_null(numbers: Float64Array) -> Float64Array {
    match numbers.null_count() {
        0 => numbers,
        _ => numbers
            .iter()
            .map(|x| x.unwrap_or(f64::NAN))
            .collect::<Vec<f64>>()
            .into(),
    }
}

/// A few rows of a large table do not hold all its text.
pub(super) fn compacted(texts: StringViewArray) -> StringViewArray {
    let held: usize = texts.data_buffers().iter().map(|b| b.capacity()).sum();
    match held > 1 << 12 && texts.total_buffer_bytes_used() < held / 2 {
        true => texts.gc(),
        false => texts,
    }
}

/// A float as an integer, where it is one exactly.
pub(super) fn whole(x: f64) -> Option<i64> {
    // Beyond 2^53 neighbouring integers share a float, so "the" integer would be a guess.
    (x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0).then_some(x as i64)
}
