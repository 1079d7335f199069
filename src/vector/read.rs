//! Features from files, by GDAL's vector drivers.

use std::ffi::CStr;
use std::path::Path;

use gdal::vector::{FieldValue, Layer, LayerAccess, OGRFieldType};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

use super::encoding::{self, SHAPEFILE};
use super::overlay::{last_message, quietly};
use super::{Feature, Features, Properties, geoparquet};
use crate::bytes;
use crate::earth::wkb;
use crate::error::{Error, Result};
use crate::files;
use crate::raster::file::probe::{Use, try_out};
use crate::raster::file::{gdal_name, reach, why};
use crate::raster::{Bounds, Crs};
use crate::table::{Table, Value};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadOptions {
    /// The layer by name; None where the file has one.
    pub layer: Option<String>,
    /// A condition on attributes in OGR's SQL: `Area > 1.5 AND Name LIKE 'K%'`.
    pub filter: Option<String>,
    /// Only features whose own bounds meet these, in the layer's CRS.
    pub bounds: Option<Bounds>,
    /// That of a Shapefile's text; None for what the file says.
    pub encoding: Option<String>,
}

impl Features {
    /// Reads a layer of any file that GDAL reads: GeoPackage, Shapefile, GeoJSON, FlatGeobuf, KML, GML, CSV with WKT…, or GeoParquet. Z and M are
    /// dropped, curves become lines. Whole numbers, numbers, strings, booleans, dates and times keep their
    /// types; lists become nested values; binary fields are left out. A date and time without a zone is UTC. The text of a Shapefile
    /// that says no encoding is UTF-8 where all of it can be, else ISO-8859-1.
    ///
    /// # Errors
    /// When text is not in the encoding that the file or `encoding` says; when the file is not there or not a vector file, has several layers and none is chosen, has no layer of the
    /// name, or the filter does not parse.
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Features> {
        let text = path.to_string_lossy();
        // GDAL's own file systems and connection strings are not on disk.
        if !text.starts_with("/vsi") && !text.contains("://") && !path.exists() {
            let looked_in = std::env::current_dir().unwrap_or_default();
            return Err(Error::NoSuchFile {
                path: path.to_path_buf(),
                looked_in,
            });
        }
        if path.is_file() && Table::is_parquet(path)? {
            no_encoding(options.encoding.as_deref())?;
            return geoparquet::read(path, options);
        }
        let features = quietly(|| read(path, options))?;
        // Drivers end a list where a server breaks off.
        bytes::broken().map_or(Ok(features), Err)
    }
}

/// The text that a GeoPackage carries under a name.
///
/// # Errors
/// When it cannot be opened.
pub fn said_in_geopackage(path: &Path, name: &str) -> Result<Option<String>> {
    use gdal::Metadata;
    crate::raster::file::initialise();
    quietly(|| {
        let open = DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
            allowed_drivers: Some(&["GPKG"]),
            ..Default::default()
        };
        let dataset = Dataset::open_ex(path, open).map_err(|e| Error::file(path, reason(&e)))?;
        Ok(dataset.metadata_item(name, ""))
    })
}

fn read(path: &Path, options: &ReadOptions) -> Result<Features> {
    let encoding = options.encoding.as_deref();
    encoding.map_or(Ok(()), encoding::check)?;
    let name = gdal_name(&path.to_string_lossy());
    // Other drivers do not know the option.
    let open = |encoding: Option<&str>| {
        let option = encoding.map(|name| format!("ENCODING={name}"));
        let open_options: Vec<&str> = option.iter().map(String::as_str).collect();
        let open = DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
            open_options: Some(&open_options)
                .filter(|o| !o.is_empty())
                .map(|o| o.as_slice()),
            ..Default::default()
        };
        Dataset::open_ex(&name, open)
    };
    crate::raster::file::initialise();
    reach(&name)?;
    try_out(&name, Use::Features)?;
    bytes::forget_refusals();
    let mut dataset = open(encoding).map_err(|e| {
        if let Some(reason) = why(&name) {
            return reason;
        }
        // Those read any file as any format, so their driver is not there.
        let is_virtual = crate::gate::open(path)
            .and_then(|file| std::io::read_to_string(std::io::Read::take(file, 4096)))
            .is_ok_and(|head| head.contains("<OGRVRTDataSource"));
        match is_virtual {
            true => Error::file(
                path,
                "is a virtual vector source (OGR VRT); read the source that it names itself",
            ),
            false => Error::file(path, format!("cannot be read as a vector file ({})", reason(&e))),
        }
    })?;
    let is_shapefile = dataset.driver().short_name() == SHAPEFILE;
    match encoding {
        encoding if !is_shapefile => no_encoding(encoding)?,
        None if is_shapefile => {
            if let Some(guessed) = encoding::guess(&dataset, |name| open(Some(name)).ok()) {
                dataset = open(Some(guessed)).map_err(|e| Error::file(path, reason(&e)))?;
            }
        }
        _ => {}
    }
    let names: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
    let mut layer = match &options.layer {
        Some(name) => dataset
            .layer_by_name(name)
            .map_err(|_| Error::not_found("layer", name, &names))?,
        None if names.len() == 1 => dataset.layer(0).map_err(|e| Error::file(path, reason(&e)))?,
        None if names.is_empty() => return Err(Error::file(path, "has no layer of features")),
        None => {
            return Err(Error::file(
                path,
                format!("has {} layers, choose one: {}", names.len(), names.join(", ")),
            ));
        }
    };
    let fields = fields(&layer);
    let bad_filter = |filter: &str| {
        let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
        Error::argument(
            "filter",
            format!("a condition in SQL on the attributes {}", names.join(", ")),
            format!("`{filter}` ({})", last_message()),
        )
    };
    if let Some(filter) = &options.filter {
        layer
            .set_attribute_filter(filter)
            .map_err(|_| bad_filter(filter))?;
    }
    if let Some(b) = options.bounds {
        layer.set_spatial_filter_rect(b.min_x, b.min_y, b.max_x, b.max_y);
    }
    let crs = match layer.spatial_ref() {
        Some(reference) => {
            let wkt = reference
                .to_wkt()
                .map_err(|e| Error::file(path, format!("has an unusable CRS ({})", reason(&e))))?;
            Some(Crs::from_wkt(&wkt)?)
        }
        None => None,
    };
    // The end of the features looks the same as a failure to read the next one, but for the last error. Databases
    // find out only here that a filter is no SQL.
    // SAFETY: no arguments.
    unsafe { gdal_sys::CPLErrorReset() };
    let mut features = Vec::new();
    for (index, feature) in layer.features().enumerate() {
        features.push(
            convert(&feature, &fields)
                .map_err(|e| Error::file(path, format!("feature {}: {e}", index + 1)))?,
        );
    }
    // SAFETY: no arguments.
    if unsafe { gdal_sys::CPLGetLastErrorType() } >= gdal_sys::CPLErr::CE_Failure {
        return Err(match &options.filter {
            Some(filter) if features.is_empty() => bad_filter(filter),
            _ => Error::file(
                path,
                format!("after feature {}: {}", features.len(), last_message()),
            ),
        });
    }
    Ok(Features { features, crs })
}

fn no_encoding(encoding: Option<&str>) -> Result<()> {
    let expected = "left out: only Shapefiles need to be told it";
    encoding.map_or(Ok(()), |name| {
        Err(Error::argument("encoding", expected, format!("{name:?}")))
    })
}

struct Field {
    name: String,
    kind: OGRFieldType::Type,
    is_boolean: bool,
    is_json: bool,
}

fn fields(layer: &Layer<'_>) -> Vec<Field> {
    let defn = layer.defn();
    let fields = defn.fields().map(|f| (f.name(), f.field_type()));
    fields
        .enumerate()
        .map(|(i, (name, kind))| {
            // SAFETY: the definition lives as long as the layer, and `i` counts its own fields.
            let subtype = unsafe {
                gdal_sys::OGR_Fld_GetSubType(gdal_sys::OGR_FD_GetFieldDefn(
                    gdal_sys::OGR_L_GetLayerDefn(layer.c_layer()),
                    i as i32,
                ))
            };
            Field {
                name,
                kind,
                is_boolean: subtype == gdal_sys::OGRFieldSubType::OFSTBoolean,
                is_json: subtype == gdal_sys::OGRFieldSubType::OFSTJSON,
            }
        })
        .collect()
}

fn convert(feature: &gdal::vector::Feature<'_>, fields: &[Field]) -> Result<Feature> {
    let mut properties = Properties::new();
    for (index, field) in fields.iter().enumerate() {
        if field.kind == OGRFieldType::OFTBinary {
            continue;
        }
        // SAFETY: the feature is alive and the index is of one of its fields.
        if unsafe { gdal_sys::OGR_F_IsFieldSetAndNotNull(feature.c_feature(), index as i32) } == 0 {
            properties.set(field.name.clone(), Value::Missing);
            continue;
        }
        let value = match field.kind {
            OGRFieldType::OFTTime | OGRFieldType::OFTString => {
                Some(FieldValue::StringValue(text(feature, index, &field.name)?))
            }
            OGRFieldType::OFTDate | OGRFieldType::OFTDateTime => {
                properties.set(
                    field.name.clone(),
                    time(feature, index).map_or(Value::Missing, Value::Time),
                );
                continue;
            }
            _ => feature.field(index).ok().flatten(),
        };
        properties.set(
            field.name.clone(),
            value.map_or(Value::Missing, |v| property(v, field)),
        );
    }
    // SAFETY: the feature is alive.
    let has_geometry = unsafe { !gdal_sys::OGR_F_GetGeometryRef(feature.c_feature()).is_null() };
    let shape = match feature.geometry().filter(|_| has_geometry) {
        None => None,
        Some(geometry) => {
            let plain;
            let geometry = match is_plain(geometry) {
                true => geometry,
                false => {
                    plain = plain_copy(geometry)?;
                    &plain
                }
            };
            let bytes = geometry.iso_wkb().map_err(|e| Error::message(reason(&e)))?;
            Some(wkb::decode(&bytes)?)
        }
    };
    let id = feature
        .fid()
        .and_then(|fid| i64::try_from(fid).ok())
        .map(Value::Integer);
    Ok(Feature {
        shape,
        properties,
        id,
    })
}

/// The text of a field, of which no byte is lost: what is not UTF-8 by now was not in the encoding that the file claims.
fn text(feature: &gdal::vector::Feature<'_>, index: usize, name: &str) -> Result<String> {
    // SAFETY: the feature is alive, the index is of one of its fields; the text is its own and is copied before the next call.
    let bytes = unsafe {
        CStr::from_ptr(gdal_sys::OGR_F_GetFieldAsString(
            feature.c_feature(),
            index as i32,
        ))
    };
    let text = bytes.to_str().map_err(|_| {
        Error::message(format!(
            "the text of `{name}` is not in the encoding of the file: `{}`; say which it is, such as `encoding = \"ISO-8859-1\"` for a Shapefile",
            bytes.to_string_lossy()
        ))
    })?;
    Ok(text.to_string())
}

/// Whether it has neither curves nor surfaces of triangles or polyhedra.
fn is_plain(geometry: &gdal::vector::Geometry) -> bool {
    // SAFETY: the geometry outlives both calls, which look at it.
    let curved = unsafe { gdal_sys::OGR_G_HasCurveGeometry(geometry.c_geometry(), 1) } != 0;
    !curved && !is_surface(geometry.geometry_type())
}

fn is_surface(kind: gdal::vector::OGRwkbGeometryType::Type) -> bool {
    use gdal::vector::OGRwkbGeometryType::*;
    // SAFETY: it computes with a number.
    let flat = unsafe { gdal_sys::OGR_GT_Flatten(kind) };
    [wkbTriangle, wkbTIN, wkbPolyhedralSurface].contains(&flat)
}

/// Curves as chains of straight lines, 4° of arc each (GDAL's default), surfaces as their polygons.
fn plain_copy(geometry: &gdal::vector::Geometry) -> Result<gdal::vector::Geometry> {
    // SAFETY: OGR_G_GetLinearGeometry returns a new geometry, which OGR_G_ForceTo takes for another; its WKB goes into one that the
    // crate owns, and it is freed.
    let bytes = unsafe {
        let mut linear = gdal_sys::OGR_G_GetLinearGeometry(geometry.c_geometry(), 0.0, std::ptr::null_mut());
        if !linear.is_null() && is_surface(gdal_sys::OGR_G_GetGeometryType(linear)) {
            let polygons = gdal_sys::OGRwkbGeometryType::wkbMultiPolygon;
            linear = gdal_sys::OGR_G_ForceTo(linear, polygons, std::ptr::null_mut());
        }
        if linear.is_null() {
            return Err(Error::message("a curve that GDAL cannot make straight"));
        }
        let mut bytes = vec![0u8; gdal_sys::OGR_G_WkbSize(linear) as usize];
        let order = gdal_sys::OGRwkbByteOrder::wkbNDR;
        let status = gdal_sys::OGR_G_ExportToIsoWkb(linear, order, bytes.as_mut_ptr());
        gdal_sys::OGR_G_DestroyGeometry(linear);
        if status != gdal_sys::OGRErr::OGRERR_NONE {
            return Err(Error::message("a curve that GDAL cannot make straight"));
        }
        bytes
    };
    gdal::vector::Geometry::from_wkb(&bytes).map_err(|e| Error::message(reason(&e)))
}

/// A date or a date and time; the crate's own conversion drops fractions of a second and fails on times without a zone.
/// None for what is no date (0000-00-00).
fn time(feature: &gdal::vector::Feature<'_>, index: usize) -> Option<Timestamp> {
    let (mut year, mut month, mut day, mut hour, mut minute, mut zone) = (0, 0, 0, 0, 0, 0);
    let mut second = 0f32;
    // SAFETY: the feature is alive, the index is of one of its fields, and the pointers are to locals.
    let found = unsafe {
        gdal_sys::OGR_F_GetFieldAsDateTimeEx(
            feature.c_feature(),
            index as i32,
            &mut year,
            &mut month,
            &mut day,
            &mut hour,
            &mut minute,
            &mut second,
            &mut zone,
        )
    };
    if found == 0 {
        return None;
    }
    // GDAL keeps milliseconds, in a float.
    let milliseconds = (f64::from(second) * 1000.0).round() as i64;
    let minutes =
        civil::Date::new(year as i16, month as i8, day as i8)
            .ok()?
            .at(hour as i8, minute as i8, 0, 0);
    let time = minutes.to_zoned(TimeZone::UTC).ok()?.timestamp();
    // 100 is UTC, each step a quarter of an hour; 0 is unknown and 1 local time, which say nothing.
    let offset_minutes = if zone > 1 { i64::from(zone - 100) * 15 } else { 0 };
    time.checked_add(SignedDuration::from_millis(
        milliseconds - offset_minutes * 60_000,
    ))
    .ok()
}

fn property(value: FieldValue, field: &Field) -> Value {
    use serde_json::Value as Json;
    fn list<T: Into<Json>>(items: Vec<T>) -> Value {
        Value::Nested(Json::Array(items.into_iter().map(Into::into).collect()))
    }
    match value {
        FieldValue::IntegerValue(i) if field.is_boolean => Value::Bool(i != 0),
        FieldValue::IntegerValue(i) => Value::Integer(i.into()),
        FieldValue::Integer64Value(i) => Value::Integer(i),
        FieldValue::RealValue(x) => Value::Float(x),
        FieldValue::StringValue(s) if field.is_json => match serde_json::from_str(&s) {
            Ok(json) => Value::from_json(json),
            Err(_) => Value::Text(s),
        },
        FieldValue::StringValue(s) => Value::Text(s),
        FieldValue::IntegerListValue(v) => list(v),
        FieldValue::Integer64ListValue(v) => list(v),
        FieldValue::RealListValue(v) => list(v),
        FieldValue::StringListValue(v) => list(v),
        FieldValue::DateValue(_) | FieldValue::DateTimeValue(_) => Value::Missing,
    }
}

/// GDAL's own words, without the crate's around them.
pub(super) fn reason(error: &gdal::errors::GdalError) -> String {
    use gdal::errors::GdalError;
    match error {
        GdalError::CplError { msg, .. } | GdalError::NullPointer { msg, .. } if !msg.is_empty() => {
            files::shown(msg)
        }
        GdalError::OgrError { .. } if !last_message().is_empty() => last_message(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_and_curves_become_plain_shapes() {
        for (text, expected) in [
            (
                "TIN Z (((0 0 0,0 1 0,1 1 0,0 0 0)))",
                "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))",
            ),
            (
                "POLYHEDRALSURFACE (((0 0,0 1,1 1,0 0)),((0 0,1 1,1 0,0 0)))",
                "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)), ((0 0, 1 1, 1 0, 0 0)))",
            ),
            (
                "TRIANGLE ((0 0,0 1,1 1,0 0))",
                "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))",
            ),
        ] {
            let theirs = gdal::vector::Geometry::from_wkt(text).unwrap();
            assert!(!is_plain(&theirs));
            let plain = plain_copy(&theirs).unwrap();
            let ours = wkb::decode(&plain.iso_wkb().unwrap()).unwrap();
            assert_eq!(crate::vector::Geometry::new(ours, None).to_wkt(), expected);
        }
        let arc = gdal::vector::Geometry::from_wkt("CIRCULARSTRING (0 0,1 1,2 0)").unwrap();
        assert!(!is_plain(&arc));
        let plain = plain_copy(&arc).unwrap();
        assert!(
            matches!(wkb::decode(&plain.iso_wkb().unwrap()).unwrap(), geo::Geometry::LineString(line) if line.0.len() > 40)
        );
    }
}
