//! Features to a file as they are found: none is kept once it is written.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use gdal::vector::OGRwkbGeometryType;
use geo::Geometry as Shape;

use super::encoding::{self, SHAPEFILE};
use super::geojson::{TAIL, feature_text, head};
use super::outline::{self, INSTEAD, Outline};
use super::transform::Projection;
use super::write::{
    FieldType, LONLAT_DRIVERS, Layer, Row, RowShape, UTF_8, driver_of, extension, write_layer,
};
use super::{Feature, Properties, WriteOptions, geoparquet};
use crate::error::{Error, Result};
use crate::raster::Crs;
use crate::table::{ColumnType, Value};
use crate::work::provenance;
use crate::{files, panics, work};

/// What all features have in common.
pub struct Schema {
    /// Their properties, in order.
    pub fields: Vec<(Arc<str>, ColumnType)>,
    /// MultiPolygons, or else Polygons.
    pub is_multi: bool,
    pub crs: Option<Crs>,
}

/// A feature with a value for each property.
pub struct Drawn<'a> {
    pub outline: Box<dyn Outline + 'a>,
    pub values: Vec<Value>,
}

/// Features that wait to be written.
const WAITING: usize = 256;

/// Writes a file as `Features::write` does: `make` is called once, and hands on one feature after the other. A thread of its own
/// writes them.
///
/// # Errors
/// Those of `make`; those of `Features::write`.
pub fn write_stream<'a>(
    path: &Path,
    schema: &Schema,
    options: &WriteOptions,
    make: impl FnOnce(&mut (dyn FnMut(Drawn<'a>) -> Result<()> + Send)) -> Result<()>,
) -> Result<()> {
    let (sender, receiver) = mpsc::sync_channel::<Drawn<'a>>(WAITING);
    let is_whole = AtomicBool::new(false);
    let context = work::current();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let _entered = context.enter();
            // Only what was made to its end gets its name.
            let end = || (!is_whole.load(Ordering::Acquire)).then_some(Err(Error::Interrupted));
            let features = receiver
                .into_iter()
                .map(Ok)
                .chain(std::iter::once_with(end).flatten());
            panics::caught(|| write(path, schema, options, features))
        });
        let made = make(&mut |feature| {
            // Refused where the writer has given up, which says why.
            sender.send(feature).map_err(|_| Error::Interrupted)
        });
        is_whole.store(made.is_ok(), Ordering::Release);
        drop(sender);
        let written = writer
            .join()
            .unwrap_or_else(|_| Err(Error::message("the writer has failed")));
        match (made, written) {
            (Err(Error::Interrupted), Err(e)) => Err(e),
            (made, written) => made.and(written),
        }
    })
}

fn write<'a>(
    path: &Path,
    schema: &Schema,
    options: &WriteOptions,
    features: impl Iterator<Item = Result<Drawn<'a>>>,
) -> Result<()> {
    let extension = extension(path);
    if let Some(encoding) = options.encoding.as_deref() {
        encoding::check(encoding)?;
    }
    if matches!(extension.as_str(), "geojson" | "json") {
        return write_geojson(path, schema, options, features);
    }
    if geoparquet::EXTENSIONS.contains(&extension.as_str()) {
        let fields = schema
            .fields
            .iter()
            .map(|(name, kind)| (name.to_string(), geoparquet::kind_of(*kind)));
        let rows = rows(features, None);
        return geoparquet::write(path, schema.crs.as_ref(), &fields.collect::<Vec<_>>(), rows);
    }
    let driver = driver_of(path)?;
    let wgs84 = Crs::wgs84()?;
    let into = match &schema.crs {
        Some(crs) if LONLAT_DRIVERS.contains(&driver) && *crs != wgs84 => Some(&wgs84),
        _ => None,
    };
    let projection = projection(schema, into)?;
    let layer = Layer {
        name: options.layer.as_deref(),
        crs: into.or(schema.crs.as_ref()),
        geometry: match schema.is_multi && driver != SHAPEFILE {
            true => OGRwkbGeometryType::wkbMultiPolygon,
            false => OGRwkbGeometryType::wkbPolygon,
        },
        fields: schema
            .fields
            .iter()
            .map(|(name, kind)| (name.to_string(), FieldType::Column(*kind)))
            .collect(),
        keep_ids: false,
        encoding: options.encoding.as_deref().unwrap_or(UTF_8),
    };
    let rows = rows(features, projection.as_ref());
    write_layer(path, driver, &layer, rows)
}

fn rows<'a, 'p>(
    features: impl Iterator<Item = Result<Drawn<'a>>>,
    projection: Option<&'p Projection<'p>>,
) -> impl Iterator<Item = Result<Row<'a>>> {
    features.map(move |feature| {
        let Drawn { outline, values } = feature?;
        let shape = match projection {
            None => RowShape::Outline(outline),
            Some(_) => RowShape::Whole(Cow::Owned(shape(outline, projection)?)),
        };
        Ok(Row {
            shape: Some(shape),
            id: None,
            values,
        })
    })
}

fn write_geojson<'a>(
    path: &Path,
    schema: &Schema,
    options: &WriteOptions,
    features: impl Iterator<Item = Result<Drawn<'a>>>,
) -> Result<()> {
    let (to, member) = options.geojson.target(schema.crs.as_ref())?;
    let projection = projection(schema, to.as_ref())?;
    let record = provenance::record(path);
    let mut failure = None;
    let features = features.map(|feature| {
        let Drawn { outline, values } = feature?;
        let shape = shape(outline, projection.as_ref())?;
        let names = schema.fields.iter().map(|(name, _)| name.clone());
        let feature = Feature::new(Some(shape), Properties::of(names.zip(values).collect()));
        Ok(feature_text(&feature, &options.geojson))
    });
    let written = files::write_atomically(path, |out| {
        out.write_all(head(member.as_ref(), record.as_deref()).as_bytes())?;
        let mut before = "\n";
        for text in features {
            match text {
                Ok(text) => write!(out, "{before}{text}")?,
                Err(e) => {
                    failure = Some(e);
                    return Err(io::Error::other("the features end"));
                }
            }
            before = ",\n";
        }
        out.write_all(TAIL.as_bytes())
    });
    failure.map_or(written, Err)
}

fn projection<'a>(schema: &'a Schema, into: Option<&'a Crs>) -> Result<Option<Projection<'a>>> {
    let pair = schema.crs.as_ref().zip(into);
    pair.map(|(from, to)| Projection::new(from, to)).transpose()
}

fn shape(mut outline: Box<dyn Outline + '_>, projection: Option<&Projection<'_>>) -> Result<Shape<f64>> {
    let size = outline.size()?;
    // Twice, where it is moved.
    let times = if projection.is_some() { 2 } else { 1 };
    let _held = size.hold(times * size.shape_bytes(), INSTEAD)?;
    let shape = outline::shape(&mut *outline)?;
    drop(outline);
    match projection {
        Some(projection) => projection.transform(&shape, None),
        None => Ok(shape),
    }
}
