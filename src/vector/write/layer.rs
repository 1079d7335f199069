//! One layer of a file: its fields and its features, one after the other.

use std::borrow::Cow;
use std::ffi::CString;

use gdal::Dataset;
use gdal::errors::GdalError;
use gdal::vector::{Geometry, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType};
use geo::{Geometry as Shape, HasDimensions};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::SHAPEFILE;
use crate::earth::wkb;
use crate::error::{Error, Result};
use crate::raster::Crs;
use crate::table::{Column, ColumnType, Value};
use crate::vector::outline::{INSTEAD, Outline, Piece};
use crate::vector::overlay::{last_message, of_wkb};
use crate::vector::read::reason;

pub struct Layer<'a> {
    /// None for the file's name without extension.
    pub name: Option<&'a str>,
    pub crs: Option<&'a Crs>,
    /// Of all features; unknown for mixtures.
    pub geometry: OGRwkbGeometryType::Type,
    pub fields: Vec<(String, FieldType)>,
    pub keep_ids: bool,
    /// For Shapefiles only.
    pub encoding: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldType {
    Column(ColumnType),
    /// Times at midnight.
    Date,
}

pub fn field_type(column: &Column) -> FieldType {
    match column.kind() {
        ColumnType::Time if column.is_dates() => FieldType::Date,
        kind => FieldType::Column(kind),
    }
}

/// A feature, with a value for each field.
pub struct Row<'a> {
    pub shape: Option<RowShape<'a>>,
    pub id: Option<&'a Value>,
    pub values: Vec<Value>,
}

pub enum RowShape<'a> {
    Whole(Cow<'a, Shape<f64>>),
    /// Not empty. A MultiPolygon, or else a Polygon where it has one.
    Outline(Box<dyn Outline + 'a>),
}

impl RowShape<'_> {
    fn is_empty(&self) -> bool {
        match self {
            RowShape::Whole(shape) => shape.is_empty(),
            RowShape::Outline(_) => false,
        }
    }
}

/// Features that were written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub all: usize,
    /// Those with a geometry that is not empty.
    pub placed: usize,
}

impl Layer<'_> {
    /// # Errors
    /// What GDAL cannot write; those of `rows`.
    pub fn fill<'a>(
        &self,
        mut dataset: Dataset,
        driver: &str,
        name: &str,
        rows: impl Iterator<Item = Result<Row<'a>>>,
    ) -> Result<Counts> {
        let what = || "writing features".to_string();
        let gdal = |e: GdalError| Error::Gdal {
            what: what(),
            message: reason(&e),
        };
        let reference = self.crs.map(Crs::spatial_ref).transpose()?;
        // Columns of a GeoPackage's own, which a property must not meet.
        let mut layer_options = Vec::new();
        if driver == "GPKG" {
            for (option, own) in [("FID", "fid"), ("GEOMETRY_NAME", "geom")] {
                if self.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(own)) {
                    layer_options.push(format!("{option}={own}_of_layer"));
                }
            }
        }
        if driver == SHAPEFILE {
            layer_options.push(format!("ENCODING={}", self.encoding));
            // Not the day of writing: the same features are the same file.
            layer_options.push("DBF_DATE_LAST_UPDATE=1970-01-01".to_string());
        }
        let layer_options: Vec<&str> = layer_options.iter().map(String::as_str).collect();
        let mut layer = dataset
            .create_layer(LayerOptions {
                name: self.name.unwrap_or(name),
                srs: reference.as_ref(),
                ty: self.geometry,
                options: Some(&layer_options)
                    .filter(|o| !o.is_empty())
                    .map(|o| o.as_slice()),
            })
            .map_err(gdal)?;
        for (name, kind) in &self.fields {
            create_field(&layer, name, *kind)?;
        }
        // SAFETY: the layer is alive; drivers without transactions ignore both calls.
        let in_transaction =
            unsafe { gdal_sys::OGR_L_StartTransaction(layer.c_layer()) } == gdal_sys::OGRErr::OGRERR_NONE;
        let mut counts = Counts::default();
        for row in rows {
            let row = row?;
            counts.all += 1;
            counts.placed += usize::from(row.shape.as_ref().is_some_and(|shape| !shape.is_empty()));
            self.write(&mut layer, row).map_err(|e| Error::Gdal {
                what: what(),
                message: format!("feature {}: {}", counts.all, e),
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
        Ok(counts)
    }

    fn write(&self, layer: &mut gdal::vector::Layer<'_>, row: Row<'_>) -> Result<()> {
        let gdal = |e: GdalError| Error::message(reason(&e));
        let mut out = gdal::vector::Feature::new(layer.defn()).map_err(gdal)?;
        if let (true, Some(Value::Integer(id))) = (self.keep_ids, row.id) {
            // SAFETY: the feature was made above.
            unsafe { gdal_sys::OGR_F_SetFID(out.c_feature(), *id) };
        }
        for (index, value) in row.values.into_iter().enumerate() {
            match value {
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
        let mut _held = None;
        let theirs = match row.shape {
            None => None,
            Some(RowShape::Whole(shape)) => {
                let shape = promoted(shape, self.geometry);
                let bytes = wkb::encode(&shape);
                // One polygon may be most of what a program holds.
                drop(shape);
                Some(of_wkb(&bytes, "writing")?)
            }
            Some(RowShape::Outline(mut outline)) => {
                let size = outline.size()?;
                let bytes = THEIRS_POINT * size.points + THEIRS_RING * size.rings;
                if bytes > NOTED {
                    _held = Some(size.hold(bytes, INSTEAD)?);
                }
                let is_multi = self.geometry == OGRwkbGeometryType::wkbMultiPolygon;
                Some(drawn(&mut *outline, is_multi || size.polygons > 1)?)
            }
        };
        if let Some(theirs) = theirs {
            // SAFETY: the feature is alive and takes the geometry, whatever becomes of it; `set_geometry` would copy it.
            let status =
                unsafe { gdal_sys::OGR_F_SetGeometryDirectly(out.c_feature(), theirs.into_c_geometry()) };
            if status != gdal_sys::OGRErr::OGRERR_NONE {
                return Err(Error::message(last_message()));
            }
        }
        // SAFETY: both are alive and of one definition.
        match unsafe { gdal_sys::OGR_L_CreateFeature(layer.c_layer(), out.c_feature()) } {
            gdal_sys::OGRErr::OGRERR_NONE => Ok(()),
            _ => Err(Error::message(last_message())),
        }
    }
}

/// What GDAL takes of memory for a polygon that it writes. Its geometry has 16 bytes a point and some 110 a ring (the object, its points' block, its
/// place in a list). Of that FlatGeobuf makes a list of points and from this a buffer that grows by copies; a GeoPackage makes a blob, of which
/// SQLite makes a record.
const THEIRS_POINT: usize = 3 * 16;
const THEIRS_RING: usize = 128;
/// Less is not noted in the ledger.
const NOTED: usize = 1 << 20;

/// As GDAL has it, ring after ring, so that nothing is there twice.
fn drawn(outline: &mut dyn Outline, is_multi: bool) -> Result<Geometry> {
    use OGRwkbGeometryType::{wkbLinearRing, wkbMultiPolygon, wkbPolygon};
    let gdal = |e: GdalError| Error::message(reason(&e));
    let empty = |kind| Geometry::empty(kind).map_err(gdal);
    let (mut whole, mut ring) = (Vec::new(), None);
    let (mut count, mut at) = (0, 0);
    outline.pieces(&mut |piece| {
        match piece {
            Piece::Polygon { .. } => whole.push(empty(wkbPolygon)?),
            Piece::Ring { points } => {
                ring = Some(empty(wkbLinearRing)?);
                (count, at) = (points, 0);
            }
            Piece::Points(points) => {
                let Some(open) = &mut ring else { return Ok(()) };
                // The last one first: GDAL takes room for all.
                if let (0, Some(last)) = (at, points.first()) {
                    open.set_point_2d(count - 1, (last.x, last.y));
                }
                for point in points {
                    open.set_point_2d(at, (point.x, point.y));
                    at += 1;
                }
                if at == count
                    && let (Some(ring), Some(polygon)) = (ring.take(), whole.last_mut())
                {
                    polygon.add_geometry(ring).map_err(gdal)?;
                }
            }
        }
        Ok(())
    })?;
    if let (1, false) = (whole.len(), is_multi) {
        return Ok(whole.swap_remove(0));
    }
    let mut all = empty(wkbMultiPolygon)?;
    for polygon in whole {
        all.add_geometry(polygon).map_err(gdal)?;
    }
    Ok(all)
}

fn create_field(layer: &gdal::vector::Layer<'_>, name: &str, kind: FieldType) -> Result<()> {
    let is_bool = kind == FieldType::Column(ColumnType::Bool);
    let kind = match kind {
        FieldType::Date => OGRFieldType::OFTDate,
        FieldType::Column(ColumnType::Bool) => OGRFieldType::OFTInteger,
        FieldType::Column(ColumnType::Integer) => OGRFieldType::OFTInteger64,
        FieldType::Column(ColumnType::Float) => OGRFieldType::OFTReal,
        FieldType::Column(ColumnType::Text) => OGRFieldType::OFTString,
        FieldType::Column(ColumnType::Time) => OGRFieldType::OFTDateTime,
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
        if is_bool {
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

pub(super) fn promoted<'a>(shape: Cow<'a, Shape<f64>>, to: OGRwkbGeometryType::Type) -> Cow<'a, Shape<f64>> {
    let is_single = matches!(
        (&*shape, to),
        (Shape::Point(_), OGRwkbGeometryType::wkbMultiPoint)
            | (Shape::LineString(_), OGRwkbGeometryType::wkbMultiLineString)
            | (Shape::Polygon(_), OGRwkbGeometryType::wkbMultiPolygon)
    );
    if !is_single {
        return shape;
    }
    Cow::Owned(match shape.into_owned() {
        Shape::Point(p) => Shape::MultiPoint(p.into()),
        Shape::LineString(l) => Shape::MultiLineString(geo::MultiLineString::new(vec![l])),
        Shape::Polygon(p) => Shape::MultiPolygon(p.into()),
        other => other,
    })
}
