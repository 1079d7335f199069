//! Features to files, by GDAL's vector drivers and our own writers of GeoJSON and GeoParquet.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use gdal::errors::GdalError;
use gdal::vector::{LayerAccess, OGRwkbGeometryType};
use gdal::{Dataset, DriverManager, Metadata};
use geo::Geometry as Shape;

use super::encoding::{self, SHAPEFILE};
use super::geometry::type_name;
use super::overlay::quietly;
use super::read::{ReadOptions, reason};
use super::{Feature, Features, GeoJsonOptions, geoparquet};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::raster::Crs;
use crate::table::{Column, Value};
use crate::work::provenance;

mod layer;

use self::layer::field_type;
pub(super) use self::layer::{Counts, FieldType, Layer, Row, RowShape};

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

pub(super) const UTF_8: &str = "UTF-8";

/// The formats that are longitude and latitude by definition.
pub(super) const LONLAT_DRIVERS: [&str; 2] = ["KML", "GeoJSONSeq"];

impl Features {
    /// Writes a file, in place of what was there, atomically. The extension says the format: `geojson` or `json`, `gpkg`,
    /// `shp`, `fgb` (FlatGeobuf), `kml`, `gml`, `geojsonl` (one GeoJSON feature a line), `parquet` or `geoparquet`. GeoJSON and KML are in
    /// longitude and latitude, into which features are transformed; the others keep the CRS.
    ///
    /// Properties become one field each, of the type that holds all of its values; lists and objects become text. A
    /// Shapefile cuts names to 10 characters, has no times of day, and holds one type of geometry.
    ///
    /// # Errors
    /// When the extension is not known, the file cannot be written, or the format cannot hold the features.
    pub fn write(&self, path: &Path, options: &WriteOptions) -> Result<()> {
        let extension = extension(path);
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
        if geoparquet::EXTENSIONS.contains(&extension.as_str()) {
            let columns = columns(self);
            let fields = columns
                .iter()
                .map(|(name, column)| (name.clone(), geoparquet::kind_of_column(column)));
            return geoparquet::write(
                path,
                self.crs.as_ref(),
                &fields.collect::<Vec<_>>(),
                rows(self, &columns),
            );
        }
        let driver = driver_of(path)?;
        let transformed;
        let features = match &self.crs {
            Some(crs) if LONLAT_DRIVERS.contains(&driver) && *crs != Crs::wgs84()? => {
                transformed = self.to_crs(&Crs::wgs84()?, None)?;
                &transformed
            }
            _ => self,
        };
        let geometry = layer_type(&features.features);
        if driver == SHAPEFILE && geometry == OGRwkbGeometryType::wkbUnknown {
            return Err(mixed(&features.features));
        }
        let columns = columns(features);
        let encoding = options.encoding.as_deref().unwrap_or(UTF_8);
        if driver == SHAPEFILE && encoding != UTF_8 {
            check_text(&columns, encoding)?;
        }
        let layer = Layer {
            name: options.layer.as_deref(),
            crs: features.crs.as_ref(),
            geometry,
            fields: columns
                .iter()
                .map(|(name, column)| (name.clone(), field_type(column)))
                .collect(),
            keep_ids: driver == "GPKG" && distinct_ids(&features.features),
            encoding,
        };
        write_layer(path, driver, &layer, rows(features, &columns))
    }
}

/// Of features whose properties are these columns.
fn rows<'a>(
    features: &'a Features,
    columns: &'a [(String, Column)],
) -> impl Iterator<Item = Result<Row<'a>>> {
    features.features.iter().enumerate().map(|(row, feature)| {
        Ok(Row {
            shape: feature
                .shape
                .as_ref()
                .map(|shape| RowShape::Whole(Cow::Borrowed(shape))),
            id: feature.id.as_ref(),
            values: columns.iter().map(|(_, column)| column.get(row)).collect(),
        })
    })
}

/// The driver for a file's extension.
///
/// # Errors
/// An extension that is not known.
pub(super) fn driver_of(path: &Path) -> Result<&'static str> {
    let extension = extension(path);
    let known = EXTENSIONS.iter().find(|(e, _)| *e == extension);
    known.map(|(_, driver)| *driver).ok_or_else(|| {
        let known: Vec<&str> = ["geojson"]
            .into_iter()
            .chain(geoparquet::EXTENSIONS)
            .chain(EXTENSIONS.iter().map(|(e, _)| *e))
            .collect();
        Error::argument(
            "path",
            format!("a name that ends in one of .{}", known.join(", .")),
            format!("`{}`", path.display()),
        )
    })
}

/// In lower case.
pub(super) fn extension(path: &Path) -> String {
    path.extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}

/// Writes a file of one layer, atomically, and reads it back.
///
/// # Errors
/// A file that cannot be written; those of `rows`.
pub(super) fn write_layer<'a>(
    path: &Path,
    driver: &str,
    layer: &Layer<'_>,
    rows: impl Iterator<Item = Result<Row<'a>>>,
) -> Result<()> {
    let draft = DraftFolder::new(path)?;
    let failed = |e: GdalError| Error::file(path, format!("cannot be written as {driver} ({})", reason(&e)));
    crate::raster::file::initialise();
    // Of these formats GeoPackages alone have a place for such texts.
    let has_room = driver == "GPKG";
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
    let written = quietly(|| {
        let gdal_driver = DriverManager::get_driver_by_name(driver).map_err(failed)?;
        let mut dataset = gdal_driver.create_vector_only(draft.path()).map_err(failed)?;
        if let (true, Some(record)) = (has_room, provenance::record(path)) {
            dataset
                .set_metadata_item(provenance::RECORD, &record, "")
                .map_err(failed)?;
        }
        let counts = layer
            .fill(dataset, driver, &stem.unwrap_or_default(), rows)
            .map_err(|e| match e {
                Error::Gdal { message, .. } => {
                    Error::file(path, format!("cannot be written as {driver} ({message})"))
                }
                other => other,
            })?;
        verify(draft.path(), driver, counts)
            .map_err(|reason| Error::file(path, format!("is not whole ({reason}); nothing was written")))
    });
    draft.checked(written)?;
    draft.publish(&companions(path, driver))?;
    match has_room {
        true => Ok(()),
        false => provenance::write_beside(path),
    }
}

/// The features for which a condition in SQL holds, as SQLite finds them in a GeoPackage for the time being.
///
/// # Errors
/// A condition that does not parse, or names what is no property.
pub(super) fn matching(features: Features, filter: &str) -> Result<Features> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let failed = |e: GdalError| Error::message(format!("filter `{filter}`: {}", reason(&e)));
    crate::raster::file::initialise();
    let name = format!("filter-{}.gpkg", NEXT.fetch_add(1, Ordering::Relaxed));
    let path = crate::scratch::folder()?.join(name);
    let columns = columns(&features);
    let layer = Layer {
        name: None,
        crs: None,
        geometry: OGRwkbGeometryType::wkbNone,
        fields: columns
            .iter()
            .map(|(name, column)| (name.clone(), field_type(column)))
            .collect(),
        keep_ids: true,
        encoding: UTF_8,
    };
    let places: Vec<Value> = (0..features.len())
        .map(|place| Value::Integer(place as i64))
        .collect();
    let rows = rows(&features, &columns).zip(&places).map(|(row, id)| {
        let id = Some(id);
        Ok(Row {
            shape: None,
            id,
            ..row?
        })
    });
    let found = quietly(|| {
        let driver = DriverManager::get_driver_by_name("GPKG").map_err(failed)?;
        let dataset = driver.create_vector_only(&path).map_err(failed)?;
        layer.fill(dataset, "GPKG", "features", rows)?;
        let filter = Some(filter.to_string());
        Features::read(
            &path,
            &ReadOptions {
                filter,
                ..Default::default()
            },
        )
    });
    let _ = std::fs::remove_file(&path);
    let kept: HashSet<i64> = found?
        .features
        .iter()
        .filter_map(|feature| match feature.id {
            Some(Value::Integer(place)) => Some(place),
            _ => None,
        })
        .collect();
    features.filter(|place, _| Ok(kept.contains(&(place as i64))))
}

/// Of a Shapefile that would hold several types of geometry.
fn mixed(features: &[Feature]) -> Error {
    let mut kinds: Vec<&str> = features
        .iter()
        .filter_map(|f| f.shape.as_ref())
        .map(type_name)
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    Error::message(format!(
        "a Shapefile holds one type of geometry, these are {}; filter them or write another format (.gpkg)",
        kinds.join(", ")
    ))
}

/// Reads back what was written: closing a file does not report all that has gone wrong.
fn verify(path: &Path, driver: &str, counts: Counts) -> Result<(), String> {
    // A line for each feature: GDAL reads one line as GeoJSON, and none as no file of features.
    let in_lines = driver == "GeoJSONSeq";
    if in_lines && counts.all == 0 {
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
    if counts.all == 0 {
        return Ok(());
    }
    // These two do not give back features without a place.
    let least = match driver {
        "KML" | "FlatGeobuf" => counts.placed,
        _ => counts.all,
    };
    let mut layer = dataset.layer(0).map_err(|e| reason(&e))?;
    // Read, not asked for: a FlatGeobuf cut in half still says in its head how many it had.
    let found = layer.features().count();
    if (least..=counts.all).contains(&found) {
        Ok(())
    } else {
        Err(format!("{found} of {} features can be read", counts.all))
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

fn distinct_ids(features: &[Feature]) -> bool {
    let mut seen = HashSet::new();
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

#[cfg(test)]
mod tests;
