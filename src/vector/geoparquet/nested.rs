//! Columns as properties: plain ones as a table has them, lists and structures as JSON.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_schema::DataType;
use serde_json::{Map, Value as Json};

use crate::table::{Value, column_of, is_readable};

/// Whether there are properties of this type: not of bytes, and of what measures time without a date.
pub fn is_property(kind: &DataType) -> bool {
    match kind {
        DataType::Struct(fields) => fields.iter().all(|field| is_property(field.data_type())),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => is_property(field.data_type()),
        kind => is_readable(kind),
    }
}

/// # Errors
/// What is wrong with the column's values.
pub fn properties(array: &ArrayRef) -> Result<Vec<Value>, String> {
    match is_readable(array.data_type()) {
        true => Ok(column_of(array)?.values().collect()),
        false => Ok(json(array)?.into_iter().map(Value::from_json).collect()),
    }
}

fn json(array: &ArrayRef) -> Result<Vec<Json>, String> {
    match array.data_type() {
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(json);
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let object = |row: usize| {
                let members = fields.iter().zip(&columns);
                let members =
                    members.filter_map(|(f, values)| Some((f.name().clone(), values.get(row)?.clone())));
                Json::Object(members.collect())
            };
            Ok(where_valid(array, object))
        }
        DataType::List(_) => lists(array, offsets::<i32>(array), array.as_list::<i32>().values()),
        DataType::LargeList(_) => lists(array, offsets::<i64>(array), array.as_list::<i64>().values()),
        DataType::FixedSizeList(_, size) => {
            let size = usize::try_from(*size).map_err(|e| e.to_string())?;
            let offsets = (0..=array.len()).map(|row| row * size).collect();
            lists(array, offsets, array.as_fixed_size_list().values())
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let (keys, values) = (json(map.keys())?, json(map.values())?);
            let offsets: Vec<usize> = map.offsets().iter().map(|at| *at as usize).collect();
            let object = |row: usize| {
                let members = (offsets[row]..offsets[row + 1]).filter_map(|at| {
                    let name = match keys.get(at)? {
                        Json::String(text) => text.clone(),
                        other => other.to_string(),
                    };
                    Some((name, values.get(at)?.clone()))
                });
                Json::Object(members.collect::<Map<_, _>>())
            };
            Ok(where_valid(array, object))
        }
        _ => Ok(column_of(array)?.values().map(|value| value.to_json()).collect()),
    }
}

fn offsets<T: OffsetSizeTrait>(array: &ArrayRef) -> Vec<usize> {
    array
        .as_list::<T>()
        .offsets()
        .iter()
        .map(|at| at.as_usize())
        .collect()
}

fn lists(array: &ArrayRef, offsets: Vec<usize>, values: &ArrayRef) -> Result<Vec<Json>, String> {
    let values = json(values)?;
    let list = |row: usize| {
        let of = offsets[row]..offsets[row + 1];
        Json::Array(values.get(of).unwrap_or_default().to_vec())
    };
    Ok(where_valid(array, list))
}

fn where_valid(array: &ArrayRef, value: impl Fn(usize) -> Json) -> Vec<Json> {
    let one = |row| match array.is_valid(row) {
        true => value(row),
        false => Json::Null,
    };
    (0..array.len()).map(one).collect()
}
