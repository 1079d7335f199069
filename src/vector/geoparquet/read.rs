//! Features from GeoParquet: ours, and those of GeoPandas, GDAL, DuckDB and others, of all versions so far.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use serde_json::Value as Json;

use super::nested::{is_property, properties};
use super::shapes::shapes;
use super::{CORNERS, METADATA};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::panics;
use crate::raster::{Bounds, Crs};
use crate::table::{ParquetFile, Value};
use crate::vector::geometry::shape_bounds;
use crate::vector::write::matching;
use crate::vector::{Feature, Features, Properties, ReadOptions};
use crate::work;

/// Rows that are unpacked at a time: shapes may be large.
const ROWS: usize = 4096;

/// Reads the features of a file by its primary geometries; further ones, and other bytes, are left out.
///
/// # Errors
/// A file that is no Parquet to its end, or has no geometries; another layer than that of the file's name; a CRS that PROJ does not know;
/// shapes that cannot be read, with the number of the feature; a filter that does not parse.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Features> {
    let file = ParquetFile::open(path)?;
    let failed = |e: &dyn std::fmt::Display| Error::file(path, format!("cannot be read as Parquet: {e}"));
    // The library panics on some broken files.
    let read = panics::caught(|| {
        Ok((|| {
            let found =
                ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| failed(&e))?;
            let geo = Geo::of(path, &found)?;
            if let Some(name) = &options.layer {
                geo.check_layer(path, name)?;
            }
            geo.features(path, file, found, options.bounds)
        })())
    });
    let features = read.unwrap_or_else(|_| Err(failed(&"its pages are broken")))?;
    match &options.filter {
        Some(filter) => matching(features, filter),
        None => Ok(features),
    }
}

/// What the metadata say.
struct Geo {
    /// Of the schema.
    primary: usize,
    encoding: String,
    crs: Option<Crs>,
    /// Paths of the columns of boxes: west, south, east, north.
    covering: Option<[String; 4]>,
}

impl Geo {
    fn of(path: &Path, found: &ArrowReaderMetadata) -> Result<Geo> {
        let pairs = found.metadata().file_metadata().key_value_metadata();
        let said = pairs.into_iter().flatten().find(|pair| pair.key == METADATA);
        let Some(text) = said.and_then(|pair| pair.value.as_deref()) else {
            return Err(Error::file(
                path,
                "is a table in Parquet without geometries: it has no metadata `geo`, which GeoParquet has",
            ));
        };
        let wrong = |what: String| Error::file(path, format!("its metadata `geo` {what}"));
        let geo: Json = serde_json::from_str(text).map_err(|e| wrong(format!("are no JSON: {e}")))?;
        let name = geo["primary_column"]
            .as_str()
            .ok_or_else(|| wrong("name no `primary_column`".into()))?;
        let column = geo["columns"]
            .get(name)
            .ok_or_else(|| wrong(format!("say nothing of their primary column `{name}`")))?;
        let primary = found
            .schema()
            .fields()
            .iter()
            .position(|field| field.name() == name);
        let primary = primary.ok_or_else(|| wrong(format!("name a column `{name}`, which is not there")))?;
        if column["edges"] == "spherical" {
            work::warn(&format!(
                "{}: its edges are arcs of great circles; they are taken as straight in longitude and latitude",
                path.display()
            ));
        }
        // Before 1.0 a text of WKT.
        let crs = match column.get("crs") {
            None => Some(Crs::wgs84()?),
            Some(Json::Null) => None,
            Some(crs) if crs["id"]["authority"] == "OGC" && crs["id"]["code"] == "CRS84" => {
                Some(Crs::wgs84()?)
            }
            Some(crs) => {
                let text = crs.as_str().map_or_else(|| crs.to_string(), str::to_string);
                let parsed = Crs::parse(&text);
                Some(parsed.map_err(|_| {
                    wrong(format!(
                        "have a CRS that PROJ does not understand: {}",
                        shortened(&text)
                    ))
                })?)
            }
        };
        let covering = column.get("covering").and_then(|covering| covering.get("bbox"));
        let path_of = |corner: &str| {
            let steps = covering?.get(corner)?.as_array()?.iter();
            Some(steps.map(Json::as_str).collect::<Option<Vec<_>>>()?.join("."))
        };
        let covering = CORNERS.map(path_of);
        Ok(Geo {
            primary,
            encoding: column["encoding"].as_str().unwrap_or("WKB").to_string(),
            crs,
            covering: match covering {
                [Some(west), Some(south), Some(east), Some(north)] => Some([west, south, east, north]),
                _ => None,
            },
        })
    }

    /// A file is one layer, of its own name.
    fn check_layer(&self, path: &Path, name: &str) -> Result<()> {
        let own = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        match own.as_deref() == Some(name) {
            true => Ok(()),
            false => Err(Error::not_found("layer", name, own)),
        }
    }

    fn features(
        &self,
        path: &Path,
        file: ParquetFile,
        found: ArrowReaderMetadata,
        bounds: Option<Bounds>,
    ) -> Result<Features> {
        let failed = |e: &dyn std::fmt::Display| Error::file(path, format!("cannot be read as Parquet: {e}"));
        let expected = found.metadata().file_metadata().num_rows();
        let groups = found.metadata().row_groups().iter().enumerate();
        let groups: Vec<usize> = groups
            .filter(|(_, group)| bounds.is_none_or(|bounds| self.may_meet(group, &bounds)))
            .map(|(index, _)| index)
            .collect();
        let is_whole = groups.len() == found.metadata().num_row_groups();
        let wanted = self.wanted(found.schema());
        let primary = wanted.iter().filter(|index| **index < self.primary).count();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, found);
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let batches = builder
            .with_projection(mask)
            .with_row_groups(groups)
            .with_batch_size(ROWS)
            .build();
        let (mut features, mut read) = (Vec::new(), 0);
        for batch in batches.map_err(|e| failed(&e))? {
            interrupt::check()?;
            let batch = batch.map_err(|e| failed(&e))?;
            self.batch(path, &batch, (primary, read), bounds.as_ref(), &mut features)?;
            read += batch.num_rows();
        }
        if is_whole && i64::try_from(read) != Ok(expected) {
            return Err(failed(&format_args!(
                "it says that it has {expected} rows, and holds {read}"
            )));
        }
        Ok(Features {
            features,
            crs: self.crs.clone(),
        })
    }

    /// The geometries, and the columns that are properties; of two with one name the first.
    fn wanted(&self, schema: &SchemaRef) -> Vec<usize> {
        let boxes = self
            .covering
            .as_ref()
            .and_then(|paths| paths[0].split('.').next());
        let mut seen = HashSet::new();
        let fields = schema.fields().iter().enumerate();
        fields
            .filter(|(index, field)| {
                let is_property = is_property(field.data_type()) && boxes != Some(field.name());
                *index == self.primary || is_property && seen.insert(field.name())
            })
            .map(|(index, _)| index)
            .collect()
    }

    /// False where the statistics of the boxes say that none of a group reaches into the bounds.
    fn may_meet(&self, group: &RowGroupMetaData, bounds: &Bounds) -> bool {
        let Some(paths) = &self.covering else { return true };
        let range = |path: &String| {
            let column = group
                .columns()
                .iter()
                .find(|c| c.column_path().string() == *path)?;
            match column.statistics()? {
                Statistics::Double(s) => Some((*s.min_opt()?, *s.max_opt()?)),
                Statistics::Float(s) => Some((f64::from(*s.min_opt()?), f64::from(*s.max_opt()?))),
                _ => None,
            }
        };
        let [west, south, east, north] = paths.each_ref().map(range);
        let is_beyond = |least: Option<(f64, f64)>, max: f64| least.is_some_and(|(min, _)| min > max);
        let is_before = |most: Option<(f64, f64)>, min: f64| most.is_some_and(|(_, max)| max < min);
        !is_beyond(west, bounds.max_x)
            && !is_beyond(south, bounds.max_y)
            && !is_before(east, bounds.min_x)
            && !is_before(north, bounds.min_y)
    }

    /// `primary` is where the geometries are among the columns of the batch, `before` how many rows came before it.
    fn batch(
        &self,
        path: &Path,
        batch: &RecordBatch,
        (primary, before): (usize, usize),
        bounds: Option<&Bounds>,
        out: &mut Vec<Feature>,
    ) -> Result<()> {
        let found = shapes(batch.column(primary), &self.encoding).map_err(|(row, e)| match row {
            Some(row) => Error::file(path, format!("feature {}: {e}", before + row + 1)),
            None => Error::file(path, e.to_string()),
        })?;
        let schema = batch.schema();
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut columns = Vec::new();
        for (at, (field, array)) in schema.fields().iter().zip(batch.columns()).enumerate() {
            if at != primary {
                let wrong = |why| Error::file(path, format!("column `{}` {why}", field.name()));
                columns.push(properties(array).map_err(wrong)?.into_iter());
                names.push(field.name().as_str().into());
            }
        }
        for shape in found {
            let values = names
                .iter()
                .zip(&mut columns)
                .map(|(name, values)| (name.clone(), values.next().unwrap_or(Value::Missing)));
            let properties = Properties::of(values.collect());
            let own = || shape.as_ref().and_then(shape_bounds);
            if bounds.is_none_or(|bounds| own().is_some_and(|own| meet(&own, bounds))) {
                out.push(Feature::new(shape, properties));
            }
        }
        Ok(())
    }
}

/// Touching is enough: a point has no area.
fn meet(a: &Bounds, b: &Bounds) -> bool {
    a.min_x <= b.max_x && b.min_x <= a.max_x && a.min_y <= b.max_y && b.min_y <= a.max_y
}

fn shortened(text: &str) -> String {
    let mut out: String = text.chars().take(200).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
