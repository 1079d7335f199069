//! Arrow's arrays as columns.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Int64Array, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;

use super::builder::Builder;
use super::column::{Column, compacted, nan_for_null};
use super::kind::ColumnType;
use super::times::Times;

/// Whether there is a column for arrays of this type.
pub fn is_readable(kind: &DataType) -> bool {
    use DataType::*;
    match kind {
        Null | Boolean | Date32 | Date64 | Timestamp(..) | Utf8 | LargeUtf8 | Utf8View => true,
        Dictionary(_, values) => matches!(**values, Utf8 | LargeUtf8 | Utf8View),
        kind => kind.is_integer() || kind.is_floating() || kind.is_decimal(),
    }
}

/// # Errors
/// What is wrong with the column's type or values.
pub fn column_of(array: &ArrayRef) -> Result<Column, String> {
    fn whole<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &ArrayRef) -> Column {
        let array: Int64Array = array.as_primitive::<T>().unary(Into::into);
        Column::Integer(array)
    }
    fn instants<T: ArrowPrimitiveType<Native: Into<i64>>>(
        array: &ArrayRef,
        instant: impl Fn(i64) -> Option<Timestamp>,
    ) -> Result<Column, String> {
        let array: &PrimitiveArray<T> = array.as_primitive();
        let times = array.iter().map(|value| match value {
            Some(value) => instant(value.into())
                .map(Some)
                .ok_or_else(|| out_of_range(array.data_type())),
            None => Ok(None),
        });
        let times = times.collect::<Result<Vec<_>, _>>()?;
        Ok(Column::times(times.into_iter()))
    }
    Ok(match array.data_type() {
        DataType::Null => Column::floats(vec![f64::NAN; array.len()]),
        DataType::Boolean => Column::Bool(array.as_boolean().clone()),
        DataType::Int8 => whole::<Int8Type>(array),
        DataType::Int16 => whole::<Int16Type>(array),
        DataType::Int32 => whole::<Int32Type>(array),
        DataType::Int64 => Column::Integer(array.as_primitive::<Int64Type>().clone()),
        DataType::UInt8 => whole::<UInt8Type>(array),
        DataType::UInt16 => whole::<UInt16Type>(array),
        DataType::UInt32 => whole::<UInt32Type>(array),
        DataType::UInt64 => {
            let array = array.as_primitive::<UInt64Type>();
            let fits = |value: u64| i64::try_from(value).ok();
            match array.iter().flatten().all(|value| fits(value).is_some()) {
                true => Column::integers(array.iter().map(|value| value.and_then(fits))),
                false => Column::texts(array.iter().map(|value| value.map(|value| value.to_string()))),
            }
        }
        DataType::Float16 => {
            let array = array.as_primitive::<Float16Type>();
            Column::Float(nan_for_null(array.unary(f64::from)))
        }
        DataType::Float32 => {
            let array = array.as_primitive::<Float32Type>();
            Column::Float(nan_for_null(array.unary(f64::from)))
        }
        DataType::Float64 => Column::Float(nan_for_null(array.as_primitive::<Float64Type>().clone())),
        DataType::Decimal32(_, scale) => decimals(array.as_primitive::<Decimal32Type>(), *scale, |a, i| {
            a.value_as_string(i)
        }),
        DataType::Decimal64(_, scale) => decimals(array.as_primitive::<Decimal64Type>(), *scale, |a, i| {
            a.value_as_string(i)
        }),
        DataType::Decimal128(_, scale) => decimals(array.as_primitive::<Decimal128Type>(), *scale, |a, i| {
            a.value_as_string(i)
        }),
        DataType::Decimal256(_, scale) => decimals(array.as_primitive::<Decimal256Type>(), *scale, |a, i| {
            a.value_as_string(i)
        }),
        DataType::Utf8View => Column::Text(compacted(array.as_string_view().clone())),
        DataType::Utf8 => Column::texts(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => Column::texts(array.as_string::<i64>().iter()),
        DataType::Date32 => instants::<Date32Type>(array, |days| Timestamp::from_second(days * 86400).ok())?,
        DataType::Date64 => instants::<Date64Type>(array, |ms| Timestamp::from_millisecond(ms).ok())?,
        DataType::Timestamp(TimeUnit::Second, _) => {
            instants::<TimestampSecondType>(array, |s| Timestamp::from_second(s).ok())?
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            instants::<TimestampMillisecondType>(array, |ms| Timestamp::from_millisecond(ms).ok())?
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let array = array.as_primitive::<TimestampMicrosecondType>();
            if array
                .iter()
                .flatten()
                .any(|us| Timestamp::from_microsecond(us).is_err())
            {
                return Err(out_of_range(array.data_type()));
            }
            Column::Time(Times::of_microseconds(array))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Column::Time(Times::of_nanoseconds(
            array.as_primitive::<TimestampNanosecondType>(),
        )),
        kind => return Err(format!("is of type {kind}, which no column of a table holds")),
    })
}

fn out_of_range(kind: &DataType) -> String {
    format!("({kind}) holds a time beyond the years -9999 to 9999")
}

/// Whole ones are integers as long as 64 bits hold them, else texts; those with a fraction numbers.
fn decimals<T: DecimalType>(
    array: &PrimitiveArray<T>,
    scale: i8,
    text: impl Fn(&PrimitiveArray<T>, usize) -> String,
) -> Column {
    let of = |kind: ColumnType| {
        let mut builder = Builder::new(kind);
        for row in 0..array.len() {
            match array.is_valid(row) {
                false => builder.push_null(1),
                true if builder.parse(&text(array, row)) => {}
                true => return None,
            }
        }
        Some(builder.finish())
    };
    let kind = if scale <= 0 {
        ColumnType::Integer
    } else {
        ColumnType::Float
    };
    of(kind)
        .or_else(|| of(ColumnType::Text))
        .unwrap_or_else(|| Column::empty(kind))
}
