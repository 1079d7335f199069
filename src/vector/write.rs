//! Features to files, by GDAL's vector drivers and our own GeoJSON writer.

use std::ffi::{CString, OsStr, OsString};
use std::path::Path;

use gdal::errors::GdalError;
use gdal::vector::{LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType};
use gdal::{Dataset, DriverManager};
use geo::Geometry as Shape;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::encoding::{self, SHAPEFILE};
use super::geometry::type_name;
use super::overlay::{last_message, quietly, to_gdal};
use super::read::reason;
use super::{Feature, Features, GeoJsonOptions};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::raster::Crs;
use crate::table::{Column, ColumnType, Value};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteOptions {
    /// Name of the layer; None for the file's name without extension.
    pub layer: Option<String>,
    /// For GeoJSON only.
    pub geojson: GeoJsonOptions,
    /// For Shapefiles only: that of their text, which a file `.cpg` beside them says. None for UTF-8.
    pub encoding: Option<String>,
}

const EXTENSIONS: [(&str, &str); 6] = [
    ("gpkg", "GPKG"),
    ("shp", SHAPEFILE),
    ("fgb", "FlatGeobuf"),
    ("kml", "KML"),
    ("gml", "GML"),
    ("geojsonl", "GeoJSONSeq"),
];

const UTF_8: &str = "UTF-8";

/// The formats that are longitude and latitude by definition.
const LONLAT_DRIVERS: [&str; 2] = ["KML", "GeoJSONSeq"];

impl Features {
    /// Writes a file, in place of what was there, atomically. The extension says the format: `geojson` or `json`, `gpkg`,
    /// `shp`, `fgb` (FlatGeobuf), `kml`, `gml`, `geojsonl` (one GeoJSON feature a line). GeoJSON and KML are in
    /// longitude and latitude, into which features are transformed; the others keep the CRS.
    ///
    /// Properties become one field each, of the type that holds all of its values; lists and objects become text. A
    /// Shapefile cuts names to 10 characters, has no times of day, and holds one type of geometry.
    ///
    /// # Errors
    /// When the extension is not known, the file cannot be written, or the format cannot hold the features.
    pub fn write(&self, path: &Path, options: &WriteOptions) -> Result<()> {
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        if matches!(extension.as_str(), "geojson" | "json") && options.encoding.is_none() {
            return self.write_geojson(path, &options.geojson);
        }
        if let Some(encoding) = options.encoding.as_deref() {
            encoding::check(encoding)?;
            if extension != "shp" {
                let expected = "left out: only the text of Shapefiles (.shp) can be in another than UTF-8";
                return Err(Error::argument("encoding", expected, format!("{encoding:?}")));
            }
        }
        let Some((_, driver)) = EXTENSIONS.iter().find(|(e, _)| *e == extension) else {
            let known: Vec<&str> = ["geojson"]
                .into_iter()
                .chain(EXTENSIONS.iter().map(|(e, _)| *e))
                .collect();
            return Err(Error::argument(
                "path",
                format!("a name that ends in one of .{}", known.join(", .")),
                format!("`{}`", path.display()),
            ));
        };
        let transformed;
        let features = match &self.crs {
            Some(crs) if LONLAT_DRIVERS.contains(driver) && *crs != Crs::wgs84()? => {
                transformed = self.to_crs(&Crs::wgs84()?, None)?;
                &transformed
            }
            _ => self,
        };
        let draft = DraftFolder::new(path)?;
        let stem = path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        let layer = options.layer.as_deref().unwrap_or(&stem);
        let encoding = options.encoding.as_deref().unwrap_or(UTF_8);
        let failed =
            |e: GdalError| Error::file(path, format!("cannot be written as {driver} ({})", reason(&e)));
        crate::raster::file::initialise();
        let written = quietly(|| {
            let gdal_driver = DriverManager::get_driver_by_name(driver).map_err(failed)?;
            let dataset = gdal_driver.create_vector_only(draft.path()).map_err(failed)?;
            fill(features, dataset, driver, layer, encoding).map_err(|e| match e {
                Error::Gdal { message, .. } => {
                    Error::file(path, format!("cannot be written as {driver} ({message})"))
                }
                other => other,
            })?;
            verify(draft.path(), driver, &features.features)
                .map_err(|reason| Error::file(path, format!("is not whole ({reason}); nothing was written")))
        });
        draft.checked(written)?;
        draft.publish(&companions(path, driver))
    }
}

/// Reads back what was written: closing a file does not report all that has gone wrong.
fn verify(path: &Path, driver: &str, features: &[Feature]) -> Result<(), String> {
    // A line for each feature: GDAL reads one line as GeoJSON, and none as no file of features.
    let in_lines = driver == "GeoJSONSeq";
    if in_lines && features.is_empty() {
        let length = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
        return match length {
            0 => Ok(()),
            bytes => Err(format!("{bytes} bytes for no feature")),
        };
    }
    let drivers: &[&str] = if in_lines { &[driver, "GeoJSON"] } else { &[driver] };
    let dataset = Dataset::open_ex(
        path,
        gdal::DatasetOptions {
            open_flags: gdal::GdalOpenFlags::GDAL_OF_VECTOR,
            allowed_drivers: Some(drivers),
            ..Default::default()
        },
    )
    .map_err(|e| reason(&e))?;
    // Some formats have no layer where they have no features.
    if features.is_empty() {
        return Ok(());
    }
    // These two do not give back features without a place.
    let least = match driver {
        "KML" | "FlatGeobuf" => {
            let placed = features.iter().filter_map(|f| f.shape.as_ref());
            placed
                .filter(|shape| !geo::HasDimensions::is_empty(*shape))
                .count()
        }
        _ => features.len(),
    };
    let mut layer = dataset.layer(0).map_err(|e| reason(&e))?;
    // Read, not asked for: a FlatGeobuf cut in half still says in its head how many it had.
    let found = layer.features().count() as u64;
    if (least as u64..=features.len() as u64).contains(&found) {
        Ok(())
    } else {
        Err(format!("{found} of {} features can be read", features.len()))
    }
}

/// Files that belong to one of this name and would be wrong beside a new one: indices, code pages, journals.
fn companions(path: &Path, driver: &str) -> Vec<OsString> {
    let (start, ends): (_, &[&str]) = match driver {
        SHAPEFILE => (
            path.file_stem(),
            &[
                ".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".qpj", ".idm", ".ind", ".shp.xml",
            ],
        ),
        "GML" => (path.file_stem(), &[".xsd", ".gfs"]),
        "GPKG" => (path.file_name(), &["-wal", "-shm", "-journal"]),
        _ => (None, &[]),
    };
    let named = |end: &&str| start.map(|start| [start, OsStr::new(end)].into_iter().collect());
    ends.iter().filter_map(named).collect()
}

fn fill(features: &Features, mut dataset: Dataset, driver: &str, name: &str, encoding: &str) -> Result<()> {
    let what = || "writing features".to_string();
    let gdal = |e: GdalError| Error::Gdal {
        what: what(),
        message: reason(&e),
    };
    let reference = features.crs.as_ref().map(Crs::spatial_ref).transpose()?;
    let geometry = layer_type(&features.features);
    if driver == SHAPEFILE && geometry == OGRwkbGeometryType::wkbUnknown {
        let mut kinds: Vec<&str> = features
            .features
            .iter()
            .filter_map(|f| f.shape.as_ref())
            .map(type_name)
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        return Err(Error::message(format!(
            "a Shapefile holds one type of geometry, these are {}; filter them or write another format (.gpkg)",
            kinds.join(", ")
        )));
    }
    let fields = columns(features);
    // Columns of a GeoPackage's own, which a property must not meet.
    let mut layer_options = Vec::new();
    if driver == "GPKG" {
        for (option, own) in [("FID", "fid"), ("GEOMETRY_NAME", "geom")] {
            if fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(own)) {
                layer_options.push(format!("{option}={own}_of_layer"));
            }
        }
    }
    if driver == SHAPEFILE {
        layer_options.push(format!("ENCODING={encoding}"));
        if encoding != UTF_8 {
            check_text(&fields, encoding)?;
        }
    }
    let layer_options: Vec<&str> = layer_options.iter().map(String::as_str).collect();
    let mut layer = dataset
        .create_layer(LayerOptions {
            name,
            srs: reference.as_ref(),
            ty: geometry,
            options: Some(&layer_options)
                .filter(|o| !o.is_empty())
                .map(|o| o.as_slice()),
        })
        .map_err(gdal)?;
    for (name, column) in &fields {
        create_field(&layer, name, column)?;
    }
    // SAFETY: the layer is alive; drivers without transactions ignore both calls.
    let in_transaction =
        unsafe { gdal_sys::OGR_L_StartTransaction(layer.c_layer()) } == gdal_sys::OGRErr::OGRERR_NONE;
    let keep_ids = driver == "GPKG" && distinct_ids(&features.features);
    for (row, feature) in features.features.iter().enumerate() {
        write_feature(&mut layer, feature, row, &fields, geometry, keep_ids).map_err(|e| Error::Gdal {
            what: what(),
            message: format!("feature {}: {}", row + 1, e),
        })?;
    }
    // SAFETY: the layer is alive.
    if in_transaction
        && unsafe { gdal_sys::OGR_L_CommitTransaction(layer.c_layer()) } != gdal_sys::OGRErr::OGRERR_NONE
    {
        return Err(Error::Gdal {
            what: what(),
            message: last_message(),
        });
    }
    // Before GDAL 3.7 closing does not return its failures (a full disk), but leaves them as the last error.
    // SAFETY: both calls take nothing and touch this thread's last error only.
    unsafe { gdal_sys::CPLErrorReset() };
    dataset.close().map_err(gdal)?;
    // SAFETY: as above.
    if unsafe { gdal_sys::CPLGetLastErrorType() } >= gdal_sys::CPLErr::CE_Failure {
        return Err(Error::Gdal {
            what: what(),
            message: last_message(),
        });
    }
    Ok(())
}

/// GDAL writes a question mark for what an encoding does not have.
fn check_text(fields: &[(String, Column)], encoding: &str) -> Result<()> {
    for (name, column) in fields {
        for row in 0..column.len() {
            if let Value::Text(text) = column.get(row)
                && !encoding::holds(encoding, &text)
            {
                return Err(Error::message(format!(
                    "feature {}: {encoding} cannot hold the text of `{name}`, `{text}`; leave `encoding` out for UTF-8",
                    row + 1
                )));
            }
        }
    }
    Ok(())
}

/// Properties as columns, by way of the table's rules for types.
fn columns(features: &Features) -> Vec<(String, Column)> {
    let mut out = Vec::new();
    let text_ids = features
        .features
        .iter()
        .any(|f| matches!(f.id, Some(Value::Text(_))));
    let names = features.property_names();
    if text_ids && !names.iter().any(|n| n.eq_ignore_ascii_case("id")) {
        let ids = features
            .features
            .iter()
            .map(|f| f.id.clone().unwrap_or(Value::Missing));
        out.push(("id".to_string(), Column::from_values(ids.collect())));
    }
    for name in names {
        let values = features
            .features
            .iter()
            .map(|f| f.properties.get(&name).cloned().unwrap_or(Value::Missing));
        let column = Column::from_values(values.collect());
        out.push((name, column));
    }
    out
}

fn create_field(layer: &gdal::vector::Layer<'_>, name: &str, column: &Column) -> Result<()> {
    let dates_only = column.is_dates();
    let kind = match column.kind() {
        ColumnType::Bool => OGRFieldType::OFTInteger,
        ColumnType::Integer => OGRFieldType::OFTInteger64,
        ColumnType::Float => OGRFieldType::OFTReal,
        ColumnType::Text => OGRFieldType::OFTString,
        ColumnType::Time if dates_only => OGRFieldType::OFTDate,
        ColumnType::Time => OGRFieldType::OFTDateTime,
    };
    let c_name = CString::new(name).map_err(|_| {
        Error::argument(
            "property name",
            "text without zero characters",
            format!("`{}`", name.escape_debug()),
        )
    })?;
    // SAFETY: the definition is made, used and freed here; the layer copies it.
    let status = unsafe {
        let definition = gdal_sys::OGR_Fld_Create(c_name.as_ptr(), kind);
        if column.kind() == ColumnType::Bool {
            gdal_sys::OGR_Fld_SetSubType(definition, gdal_sys::OGRFieldSubType::OFSTBoolean);
        }
        let status = gdal_sys::OGR_L_CreateField(layer.c_layer(), definition, 1);
        gdal_sys::OGR_Fld_Destroy(definition);
        status
    };
    match status {
        gdal_sys::OGRErr::OGRERR_NONE => Ok(()),
        _ => Err(Error::Gdal {
            what: "writing features".into(),
            message: format!("field `{name}`: {}", last_message()),
        }),
    }
}

fn write_feature(
    layer: &mut gdal::vector::Layer<'_>,
    feature: &Feature,
    row: usize,
    fields: &[(String, Column)],
    geometry: OGRwkbGeometryType::Type,
    keep_id: bool,
) -> Result<()> {
    let gdal = |e: GdalError| Error::message(reason(&e));
    let mut out = gdal::vector::Feature::new(layer.defn()).map_err(gdal)?;
    if let (true, Some(Value::Integer(id))) = (keep_id, &feature.id) {
        // SAFETY: the feature was made above.
        unsafe { gdal_sys::OGR_F_SetFID(out.c_feature(), *id) };
    }
    for (index, (_, column)) in fields.iter().enumerate() {
        match column.get(row) {
            Value::Missing => out.set_field_null(index),
            Value::Bool(b) => out.set_field_integer(index, b.into()),
            Value::Integer(i) => out.set_field_integer64(index, i),
            Value::Float(x) => out.set_field_double(index, x),
            Value::Time(t) => {
                set_time(&mut out, index, t);
                Ok(())
            }
            text => out.set_field_string(index, &text.to_string().replace('\0', "")),
        }
        .map_err(gdal)?;
    }
    if let Some(shape) = &feature.shape {
        let shape = promoted(shape, geometry);
        out.set_geometry(to_gdal(&shape, "writing")?).map_err(gdal)?;
    }
    // SAFETY: both are alive and of one definition.
    match unsafe { gdal_sys::OGR_L_CreateFeature(layer.c_layer(), out.c_feature()) } {
        gdal_sys::OGRErr::OGRERR_NONE => Ok(()),
        _ => Err(Error::message(last_message())),
    }
}

fn set_time(feature: &mut gdal::vector::Feature<'_>, index: usize, time: Timestamp) {
    let t = time.to_zoned(TimeZone::UTC);
    let second = f32::from(t.second()) + t.millisecond() as f32 / 1000.0;
    const UTC: i32 = 100;
    // SAFETY: the feature is alive and the index is of one of its fields.
    unsafe {
        gdal_sys::OGR_F_SetFieldDateTimeEx(
            feature.c_feature(),
            index as i32,
            t.year().into(),
            t.month().into(),
            t.day().into(),
            t.hour().into(),
            t.minute().into(),
            second,
            UTC,
        );
    }
}

fn distinct_ids(features: &[Feature]) -> bool {
    let mut seen = std::collections::HashSet::new();
    features
        .iter()
        .all(|f| matches!(f.id, Some(Value::Integer(i)) if i >= 0 && seen.insert(i)))
}

/// The one type of all geometries, the multi-part one where both forms occur; unknown for other mixtures.
fn layer_type(features: &[Feature]) -> OGRwkbGeometryType::Type {
    use OGRwkbGeometryType::*;
    let of = |shape: &Shape<f64>| match type_name(shape) {
        "Point" => wkbPoint,
        "LineString" => wkbLineString,
        "Polygon" => wkbPolygon,
        "MultiPoint" => wkbMultiPoint,
        "MultiLineString" => wkbMultiLineString,
        "MultiPolygon" => wkbMultiPolygon,
        _ => wkbGeometryCollection,
    };
    // The code of a multi-part type is that of its members plus 3.
    let mut kinds: Vec<u32> = features.iter().filter_map(|f| f.shape.as_ref()).map(of).collect();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.as_slice() {
        [] => wkbUnknown,
        [one] => *one,
        [one, many] if *many == *one + 3 => *many,
        _ => wkbUnknown,
    }
}

fn promoted(shape: &Shape<f64>, to: OGRwkbGeometryType::Type) -> Shape<f64> {
    match (shape, to) {
        (Shape::Point(p), OGRwkbGeometryType::wkbMultiPoint) => Shape::MultiPoint((*p).into()),
        (Shape::LineString(l), OGRwkbGeometryType::wkbMultiLineString) => {
            Shape::MultiLineString(geo::MultiLineString::new(vec![l.clone()]))
        }
        (Shape::Polygon(p), OGRwkbGeometryType::wkbMultiPolygon) => Shape::MultiPolygon(p.clone().into()),
        (other, _) => other.clone(),
    }
}

#[cfg(test)]
mod tests;
