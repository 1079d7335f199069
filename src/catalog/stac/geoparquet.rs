//! stac-geoparquet: a row for an item, the properties as columns of their own beside `id`, `assets` and the rest.
use bytes::Bytes;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Value, json};

use crate::earth::wkb;
use crate::panics;

/// What a STAC item has outside its properties.
const OUTSIDE: &[&str] = &[
    "type",
    "stac_version",
    "stac_extensions",
    "id",
    "geometry",
    "bbox",
    "links",
    "assets",
    "collection",
];

/// The items of a file as GeoJSON features.
///
/// # Errors
/// When it is no Parquet, or has a column of a kind that STAC has no use for: its name and what is wrong.
pub fn features(bytes: Bytes) -> Result<Vec<Value>, String> {
    // The reader of rows panics on column types that it does not know and on some broken pages.
    panics::caught(|| Ok(read(bytes)))
        .unwrap_or_else(|_| Err("its pages are broken, or a column has a type that is not read".into()))
}

fn read(bytes: Bytes) -> Result<Vec<Value>, String> {
    let said = |e: ParquetError| e.to_string();
    let file = SerializedFileReader::new(bytes).map_err(said)?;
    let columns = file
        .metadata()
        .file_metadata()
        .schema_descr()
        .root_schema()
        .get_fields();
    let nanoseconds: Vec<&str> = columns
        .iter()
        .filter(|column| {
            let kind = column.get_basic_info().logical_type_ref();
            matches!(kind, Some(LogicalType::Timestamp(time)) if time.unit == TimeUnit::NANOS)
        })
        .map(|column| column.name())
        .collect();
    let rows = file.get_row_iter(None).map_err(said)?;
    rows.map(|row| feature(row.map_err(said)?, &nanoseconds))
        .collect()
}

fn feature(row: Row, nanoseconds: &[&str]) -> Result<Value, String> {
    let mut item = Map::new();
    let mut properties = Map::new();
    for (name, field) in row.into_columns() {
        let wrong = |text: String| format!("column `{name}`: {text}");
        let value = match (name.as_str(), field) {
            (_, Field::Null) => continue,
            ("type", _) => "Feature".into(),
            (_, Field::Bytes(wkb)) => geometry(wkb.data()).map_err(wrong)?,
            (_, Field::Long(time)) if nanoseconds.contains(&name.as_str()) => {
                instant(i128::from(time)).map_err(wrong)?
            }
            ("bbox", Field::Group(corners)) => bbox(value(Field::Group(corners)).map_err(wrong)?),
            (_, field) => value(field).map_err(wrong)?,
        };
        let value = match (name.as_str(), value) {
            ("id", id) if !id.is_string() => id.to_string().into(),
            // Some writers keep lists and objects as JSON.
            ("stac_extensions" | "links" | "assets", Value::String(text)) => {
                serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?
            }
            // A column of its own for every asset that any item has.
            ("assets", Value::Object(mut assets)) => {
                assets.retain(|_, asset| asset.is_object());
                assets.into()
            }
            (_, value) => value,
        };
        match OUTSIDE.contains(&name.as_str()) {
            true => item.insert(name, value),
            // From writers that left the properties as they were.
            false if name == "properties" && value.is_object() => {
                properties.extend(value.as_object().cloned().into_iter().flatten());
                None
            }
            false => properties.insert(name, value),
        };
    }
    item.insert("properties".into(), properties.into());
    Ok(item.into())
}

/// Members that are null are left out: a struct of Parquet has the members of all its rows.
fn value(field: Field) -> Result<Value, String> {
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(v) => v.into(),
        Field::Byte(v) => v.into(),
        Field::Short(v) => v.into(),
        Field::Int(v) => v.into(),
        Field::Long(v) => v.into(),
        Field::UByte(v) => v.into(),
        Field::UShort(v) => v.into(),
        Field::UInt(v) => v.into(),
        Field::ULong(v) => v.into(),
        Field::Float16(v) => f64::from(v).into(),
        Field::Float(v) => f64::from(v).into(),
        Field::Double(v) => v.into(),
        Field::Str(v) => v.into(),
        Field::Date(days) => {
            let date = jiff::civil::Date::new(1970, 1, 1)
                .and_then(|d| d.checked_add(jiff::Span::new().try_days(days)?));
            date.map_err(|e| e.to_string())?.to_string().into()
        }
        Field::TimestampMillis(v) => instant(i128::from(v) * 1_000_000)?,
        Field::TimestampMicros(v) => instant(i128::from(v) * 1_000)?,
        Field::Group(row) => members(row.into_columns().into_iter())?,
        Field::ListInternal(list) => {
            let elements: Result<Vec<Value>, String> = list.elements().iter().cloned().map(value).collect();
            elements?.into()
        }
        Field::MapInternal(map) => members(map.entries().iter().cloned().map(|(key, value)| match key {
            Field::Str(key) => (key, value),
            other => (other.to_string(), value),
        }))?,
        other @ (Field::Bytes(_) | Field::Decimal(_) | Field::TimeMillis(_) | Field::TimeMicros(_)) => {
            return Err(format!("{other} has no place in a STAC item"));
        }
    })
}

fn members(fields: impl Iterator<Item = (String, Field)>) -> Result<Value, String> {
    let mut out = Map::new();
    for (name, field) in fields.filter(|(_, field)| !matches!(field, Field::Null)) {
        let member = value(field).map_err(|text| format!("`{name}`: {text}"))?;
        out.insert(name, member);
    }
    Ok(out.into())
}

fn instant(nanoseconds: i128) -> Result<Value, String> {
    let time = jiff::Timestamp::from_nanosecond(nanoseconds).map_err(|e| e.to_string())?;
    Ok(time.to_string().into())
}

fn geometry(bytes: &[u8]) -> Result<Value, String> {
    let shape = wkb::decode(bytes).map_err(|e| e.to_string())?;
    serde_json::to_value(geojson::Geometry::from(&shape)).map_err(|e| e.to_string())
}

fn bbox(corners: Value) -> Value {
    let list =
        |names: &[&str]| -> Option<Vec<f64>> { names.iter().map(|name| corners[*name].as_f64()).collect() };
    match list(&["xmin", "ymin", "zmin", "xmax", "ymax", "zmax"])
        .or_else(|| list(&["xmin", "ymin", "xmax", "ymax"]))
    {
        Some(numbers) => json!(numbers),
        None => corners,
    }
}
