//! Features to GeoParquet, a few thousand at a time.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::BinaryBuilder;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, StructArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::{CORNERS, METADATA};
use crate::earth::wkb;
use crate::error::{Error, Result};
use crate::files;
use crate::raster::{Bounds, Crs};
use crate::table::{Column, ColumnType, Large, MOST_BYTES_OF_VALUE, RowGroups, Value};
use crate::vector::geometry::{shape_bounds, type_name};
use crate::vector::outline::write_wkb;
use crate::vector::write::{Row, RowShape};
use crate::work::provenance;

/// Features are packed as soon as there are so many, or their shapes have so many bytes.
const ROWS: usize = 1 << 14;
const BYTES: usize = 8 << 20;

/// A shape of more bytes goes to the file by way of scratch: packed with others, Parquet's writer would hold it four times over, as an array, as a page,
/// with what stands before it, and compressed.
const LARGE: usize = 16 << 20;

/// What a property is in a file, where only its type is known.
pub fn kind_of(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Text => DataType::Utf8,
        ColumnType::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

/// The same, where its values are: midnights are dates, and times have nanoseconds as long as those reach.
pub fn kind_of_column(column: &Column) -> DataType {
    let reach = |value| match value {
        Value::Time(time) => nanoseconds(time).is_some(),
        _ => true,
    };
    match column.kind() {
        ColumnType::Time if column.is_dates() => DataType::Date32,
        ColumnType::Time if column.values().all(reach) => {
            DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
        }
        kind => kind_of(kind),
    }
}

fn nanoseconds(time: Timestamp) -> Option<i64> {
    i64::try_from(time.as_nanosecond()).ok()
}

/// Writes a file, atomically: the properties, a column of WKB, and one of each shape's bounds, by which readers skip what they do not
/// need. A row has a value for each field, of its type or missing.
///
/// # Errors
/// A file that cannot be written, a CRS that cannot be told; a shape of 2 GiB; those of `rows`.
pub fn write<'a>(
    path: &Path,
    crs: Option<&Crs>,
    fields: &[(String, DataType)],
    rows: impl Iterator<Item = Result<Row<'a>>>,
) -> Result<()> {
    let crs = crs.map(projjson).transpose()?;
    let free = |name: &str| match fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
        true => format!("{name}_of_feature"),
        false => name.to_string(),
    };
    let (geometry, bbox) = (free("geometry"), free("bbox"));
    let mut failure = None;
    let written = files::write_atomically(path, |out| {
        let properties = fields
            .iter()
            .map(|(name, kind)| Field::new(name, kind.clone(), true));
        let shapes = [
            Field::new(&geometry, DataType::Binary, true),
            Field::new(&bbox, DataType::Struct(corners()), true),
        ];
        let mut groups = RowGroups::new(out, properties.chain(shapes).collect(), &[&geometry])?;
        let mut batch = Batch::new(fields);
        let mut seen = Seen::default();
        for (index, row) in rows.enumerate() {
            let added = row.and_then(|row| {
                let at = |e| Error::message(format!("feature {}: {e}", index + 1));
                batch.add(row, &mut seen).map_err(at)
            });
            let large = match added {
                Ok(large) => large,
                Err(e) => {
                    failure = Some(e);
                    return Err(io::Error::other("the features end"));
                }
            };
            if let Some(shape) = large {
                let last = batch.split_last();
                if batch.rows > 0 {
                    groups.write(batch.take())?;
                }
                let (packed, bounds) = Large::new(shape.bytes, |out| shape.encode(out))?;
                batch.values = last;
                batch.shapes.append_null();
                batch.end_row(bounds, &mut seen);
                groups.write_large(batch.take(), fields.len(), &packed)?;
            }
            if batch.rows == ROWS || batch.bytes >= BYTES {
                groups.write(batch.take())?;
            }
        }
        if batch.rows > 0 {
            groups.write(batch.take())?;
        }
        let metadata = seen.metadata(&geometry, &bbox, crs);
        let record = provenance::record(path).map(|record| (provenance::RECORD.to_string(), record));
        groups.finish(
            [(METADATA.to_string(), metadata.to_string())]
                .into_iter()
                .chain(record),
        )
    });
    failure.map_or(written, Err)
}

fn projjson(crs: &Crs) -> Result<Json> {
    let failed = |e: String| Error::message(format!("CRS {crs} cannot be written as PROJJSON ({e})"));
    let text = crs.spatial_ref()?.to_projjson();
    let text = text.map_err(|e| failed(crate::vector::read::reason(&e)))?;
    serde_json::from_str(&text).map_err(|e| failed(e.to_string()))
}

fn corners() -> Fields {
    CORNERS
        .iter()
        .map(|name| Field::new(*name, DataType::Float64, true))
        .collect()
}

/// What the metadata say of all shapes.
#[derive(Default)]
struct Seen {
    types: BTreeSet<&'static str>,
    bounds: Option<Bounds>,
}

impl Seen {
    fn metadata(&self, geometry: &str, bbox: &str, crs: Option<Json>) -> Json {
        let covering: Map<String, Json> = CORNERS
            .iter()
            .map(|corner| (corner.to_string(), json!([bbox, corner])))
            .collect();
        // A CRS that is null is unknown; one that is left out would be longitude and latitude.
        let mut column = json!({
            "encoding": "WKB",
            "geometry_types": self.types,
            "crs": crs,
            "covering": { "bbox": covering },
        });
        if let Some(b) = self.bounds {
            column["bbox"] = json!([b.min_x, b.min_y, b.max_x, b.max_y]);
        }
        json!({ "version": "1.1.0", "primary_column": geometry, "columns": { geometry: column } })
    }
}

/// Features that are not packed yet.
struct Batch<'a> {
    fields: &'a [(String, DataType)],
    /// Of each field.
    values: Vec<Vec<Value>>,
    shapes: BinaryBuilder,
    bounds: Vec<Option<Bounds>>,
    rows: usize,
    bytes: usize,
    /// Of the shape that is being added.
    wkb: Vec<u8>,
}

impl Batch<'_> {
    fn new(fields: &[(String, DataType)]) -> Batch<'_> {
        Batch {
            fields,
            values: vec![Vec::new(); fields.len()],
            shapes: BinaryBuilder::new(),
            bounds: Vec::new(),
            rows: 0,
            bytes: 0,
            wkb: Vec::new(),
        }
    }

    /// Takes a row; gives its shape back where that is large.
    fn add<'r>(&mut self, row: Row<'r>, seen: &mut Seen) -> Result<Option<Binary<'r>>> {
        for ((values, (name, kind)), value) in self.values.iter_mut().zip(self.fields).zip(row.values) {
            if !is_of(&value, kind) {
                return Err(Error::message(format!(
                    "`{name}` is {value}, which a column of {kind} does not hold"
                )));
            }
            values.push(value);
        }
        let Some(shape) = row.shape else {
            self.shapes.append_null();
            self.end_row(None, seen);
            return Ok(None);
        };
        let shape = Binary::new(shape)?;
        seen.types.insert(shape.type_name());
        if shape.bytes > LARGE {
            return Ok(Some(shape));
        }
        self.wkb.clear();
        let bounds = shape
            .encode(&mut self.wkb)
            .map_err(|e| Error::message(e.to_string()))?;
        self.bytes += self.wkb.len();
        self.shapes.append_value(&self.wkb);
        self.end_row(bounds, seen);
        Ok(None)
    }

    fn end_row(&mut self, bounds: Option<Bounds>, seen: &mut Seen) {
        if let Some(b) = &bounds {
            seen.bounds = Some(seen.bounds.map_or(*b, |all| all.union(b)));
        }
        self.bounds.push(bounds);
        self.rows += 1;
    }

    /// Takes out the values of a row that has not ended.
    fn split_last(&mut self) -> Vec<Vec<Value>> {
        self.values
            .iter_mut()
            .map(|values| values.split_off(self.rows))
            .collect()
    }

    /// As arrays, in the order of the file's columns; empty from here on.
    fn take(&mut self) -> Vec<ArrayRef> {
        let values = self.values.iter_mut().zip(self.fields);
        let mut arrays: Vec<ArrayRef> = values
            .map(|(values, (_, kind))| array(kind, &std::mem::take(values)))
            .collect();
        arrays.push(Arc::new(self.shapes.finish()));
        let bounds = std::mem::take(&mut self.bounds);
        let each = |corner: fn(&Bounds) -> f64| -> ArrayRef {
            Arc::new(
                bounds
                    .iter()
                    .map(|b| b.as_ref().map(corner))
                    .collect::<Float64Array>(),
            )
        };
        let boxes = vec![
            each(|b| b.min_x),
            each(|b| b.min_y),
            each(|b| b.max_x),
            each(|b| b.max_y),
        ];
        let present: NullBuffer = bounds.iter().map(Option::is_some).collect::<Vec<_>>().into();
        arrays.push(Arc::new(StructArray::new(corners(), boxes, Some(present))));
        (self.rows, self.bytes) = (0, 0);
        arrays
    }
}

/// A shape, and how many bytes it has as WKB.
struct Binary<'a> {
    shape: RowShape<'a>,
    bytes: usize,
    /// Of an outline.
    polygons: usize,
}

impl Binary<'_> {
    fn new(mut shape: RowShape<'_>) -> Result<Binary<'_>> {
        let (bytes, polygons) = match &mut shape {
            RowShape::Whole(shape) => (wkb::size(shape), 0),
            RowShape::Outline(outline) => {
                let size = outline.size()?;
                (size.wkb_bytes(size.polygons > 1), size.polygons)
            }
        };
        match bytes > MOST_BYTES_OF_VALUE {
            true => Err(Error::message(format!(
                "its shape takes {} MiB, and one in Parquet has less than 2 GiB",
                bytes >> 20
            ))),
            false => Ok(Binary {
                shape,
                bytes,
                polygons,
            }),
        }
    }

    fn type_name(&self) -> &'static str {
        match &self.shape {
            RowShape::Whole(shape) => type_name(shape),
            RowShape::Outline(_) if self.polygons > 1 => "MultiPolygon",
            RowShape::Outline(_) => "Polygon",
        }
    }

    /// Writes it; its bounds.
    fn encode(self, mut out: &mut dyn io::Write) -> io::Result<Option<Bounds>> {
        match self.shape {
            RowShape::Whole(shape) => wkb::write(&shape, &mut out).map(|()| shape_bounds(&shape)),
            RowShape::Outline(mut outline) => {
                let multi = (self.polygons > 1).then_some(self.polygons);
                write_wkb(&mut *outline, multi, out)
            }
        }
    }
}

fn is_of(value: &Value, kind: &DataType) -> bool {
    match (value, kind) {
        (Value::Missing, _) | (_, DataType::Utf8) => true,
        (Value::Bool(_), DataType::Boolean) | (Value::Integer(_), DataType::Int64 | DataType::Float64) => {
            true
        }
        (Value::Float(x), DataType::Int64) => x.is_nan(),
        (Value::Float(_), DataType::Float64) => true,
        (Value::Time(_), DataType::Date32 | DataType::Timestamp(..)) => true,
        _ => false,
    }
}

/// Of values that `is_of` has passed.
fn array(kind: &DataType, values: &[Value]) -> ArrayRef {
    const DAY: i64 = 86_400;
    let time = |value: &Value| match value {
        Value::Time(time) => Some(*time),
        _ => None,
    };
    let values = values.iter();
    match kind {
        DataType::Boolean => {
            let of = |value: &Value| match value {
                Value::Bool(b) => Some(*b),
                _ => None,
            };
            Arc::new(values.map(of).collect::<BooleanArray>())
        }
        DataType::Int64 => {
            let of = |value: &Value| match value {
                Value::Integer(i) => Some(*i),
                _ => None,
            };
            Arc::new(values.map(of).collect::<Int64Array>())
        }
        DataType::Float64 => Arc::new(values.map(Value::as_f64).collect::<Float64Array>()),
        // All of jiff's years fit.
        DataType::Date32 => {
            let of = |value| Some(time(value)?.as_second().div_euclid(DAY) as i32);
            Arc::new(values.map(of).collect::<Date32Array>())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            let of = |value| nanoseconds(time(value)?);
            let times: TimestampNanosecondArray = values.map(of).collect();
            Arc::new(times.with_timezone_opt(zone.clone()))
        }
        DataType::Timestamp(_, zone) => {
            let of = |value| Some(time(value)?.as_microsecond());
            let times: TimestampMicrosecondArray = values.map(of).collect();
            Arc::new(times.with_timezone_opt(zone.clone()))
        }
        _ => {
            let of = |value: &Value| (!value.is_missing()).then(|| value.to_string());
            Arc::new(values.map(of).collect::<StringArray>())
        }
    }
}
