//! Tables, and whatever else comes in arrays, to Parquet files.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow_schema::{Field, Fields, Schema};

use super::RUN;
use crate::error::Result;
use crate::files;
use crate::interrupt;
use crate::table::{Column, Table};

/// Rows that are written are kept, packed, until they have so many bytes: what a reader may skip is a group of them.
const GROUP: usize = 64 << 20;

impl Table {
    /// Writes a Parquet file, atomically, compressed with ZSTD. Missing values are nulls; times are timestamps in UTC, of nanoseconds, or
    /// of microseconds where one lies beyond the years 1677 to 2262.
    ///
    /// # Errors
    /// A folder that is not there or cannot be written; a full disk; `Interrupted`.
    pub fn write_parquet(&self, path: &Path) -> Result<()> {
        files::write_atomically(path, |out| {
            let fields = self.columns().iter().map(|(name, column)| {
                let kind = match column {
                    Column::Time(times) => times.to_arrow().data_type().clone(),
                    column => column.array().data_type().clone(),
                };
                Field::new(name, kind, true)
            });
            let mut groups = RowGroups::new(out, fields.collect(), &[])?;
            for first in (0..self.rows()).step_by(RUN) {
                let count = RUN.min(self.rows() - first);
                let arrays = self
                    .columns()
                    .iter()
                    .map(|(_, column)| to_arrow(&column.slice(first, count)));
                groups.write(arrays.collect())?;
            }
            groups.finish([])
        })
    }
}

/// A file of Parquet that grows by arrays of a few rows. It holds no more than a group of them.
pub struct RowGroups<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: Arc<Schema>,
}

impl<W: Write + Send> RowGroups<W> {
    /// The values of `opaque` columns are bytes that differ and that nobody compares.
    ///
    /// # Errors
    /// When nothing can be written; types that Parquet does not have.
    pub fn new(out: W, fields: Fields, opaque: &[&str]) -> io::Result<RowGroups<W>> {
        let schema = Arc::new(Schema::new(fields));
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::Chunk);
        for name in opaque {
            let column = ColumnPath::from(vec![name.to_string()]);
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_statistics_enabled(column, EnabledStatistics::None);
        }
        // Arrow's own names of types are left out: others take strings for what Parquet says they are.
        let options = ArrowWriterOptions::new()
            .with_properties(properties.build())
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(out, schema.clone(), options).map_err(failed)?;
        Ok(RowGroups { writer, schema })
    }

    /// More rows: an array for each field.
    ///
    /// # Errors
    /// Arrays of other types or lengths; a full disk; `Interrupted`.
    pub fn write(&mut self, arrays: Vec<ArrayRef>) -> io::Result<()> {
        interrupt::check().map_err(io::Error::other)?;
        let rows = RecordBatch::try_new(self.schema.clone(), arrays).map_err(io::Error::other)?;
        self.writer.write(&rows).map_err(failed)?;
        if self.writer.in_progress_size() >= GROUP {
            self.writer.flush().map_err(failed)?;
        }
        Ok(())
    }

    /// The end, with what is said of the file as a whole, by name.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(mut self, said: impl IntoIterator<Item = (String, String)>) -> io::Result<()> {
        for (name, text) in said {
            self.writer.append_key_value_metadata(KeyValue::new(name, text));
        }
        self.writer.close().map(|_| ()).map_err(failed)
    }
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(e) => match e.downcast::<io::Error>() {
            Ok(e) => *e,
            Err(e) => io::Error::other(e),
        },
        e => io::Error::other(e),
    }
}

/// As Arrow has it, with nulls for missing numbers.
fn to_arrow(column: &Column) -> ArrayRef {
    match column {
        Column::Bool(values) => Arc::new(values.clone()),
        Column::Integer(values) => Arc::new(values.clone()),
        Column::Float(values) => {
            let present = |x: &f64| Some(*x).filter(|x| !x.is_nan());
            Arc::new(values.values().iter().map(present).collect::<Float64Array>())
        }
        Column::Text(values) => Arc::new(values.clone()),
        Column::Time(times) => times.to_arrow(),
    }
}
