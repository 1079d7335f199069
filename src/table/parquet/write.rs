//! Tables, and whatever else comes in arrays, to Parquet files.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::arrow_writer::{
    ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriter, ArrowWriterOptions, compute_leaves,
};
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::ColumnPath;
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow_schema::{Field, Fields, Schema};

use super::RUN;
use super::large::{Large, level};
use crate::error::Result;
use crate::files;
use crate::interrupt;
use crate::table::{Column, Table};
use crate::work::provenance;

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
            let record = provenance::record(path).map(|record| (provenance::RECORD.to_string(), record));
            groups.finish(record)
        })
    }
}

/// A file of Parquet that grows by arrays of a few rows. It holds no more than a group of them.
pub struct RowGroups<W: Write + Send> {
    file: SerializedFileWriter<W>,
    groups: ArrowRowGroupWriterFactory,
    /// The columns of the group that has begun.
    open: Vec<ArrowColumnWriter>,
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
            .set_compression(Compression::ZSTD(level()))
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
        let (file, groups) = writer.into_serialized_writer().map_err(failed)?;
        Ok(RowGroups {
            file,
            groups,
            open: Vec::new(),
            schema,
        })
    }

    /// More rows: an array for each field.
    ///
    /// # Errors
    /// Arrays of other types or lengths; a full disk; `Interrupted`.
    pub fn write(&mut self, arrays: Vec<ArrayRef>) -> io::Result<()> {
        interrupt::check().map_err(io::Error::other)?;
        let rows = RecordBatch::try_new(self.schema.clone(), arrays).map_err(io::Error::other)?;
        if self.open.is_empty() {
            self.open = self.columns().map_err(failed)?;
        }
        pack(&self.schema, rows.columns(), &mut self.open).map_err(failed)?;
        let bytes = self.open.iter().map(ArrowColumnWriter::get_estimated_total_bytes);
        if bytes.sum::<usize>() >= GROUP {
            self.flush()?;
        }
        Ok(())
    }

    /// One row, of which a value of bytes is in scratch: that of a column without others inside, for which `arrays` have anything. It becomes a
    /// group of its own.
    ///
    /// # Errors
    /// As `write`.
    pub fn write_large(&mut self, arrays: Vec<ArrayRef>, column: usize, large: &Large) -> io::Result<()> {
        interrupt::check().map_err(io::Error::other)?;
        self.flush()?;
        let rows = RecordBatch::try_new(self.schema.clone(), arrays).map_err(io::Error::other)?;
        let mut packed = self.columns().map_err(failed)?;
        pack(&self.schema, rows.columns(), &mut packed).map_err(failed)?;
        self.append(packed, Some((column, large))).map_err(failed)
    }

    fn columns(&self) -> Result<Vec<ArrowColumnWriter>, ParquetError> {
        self.groups
            .create_column_writers(self.file.flushed_row_groups().len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let open = std::mem::take(&mut self.open);
        match open.is_empty() {
            true => Ok(()),
            false => self.append(open, None).map_err(failed),
        }
    }

    /// Adds a group; a value in scratch comes in the place of its column.
    fn append(
        &mut self,
        columns: Vec<ArrowColumnWriter>,
        large: Option<(usize, &Large)>,
    ) -> Result<(), ParquetError> {
        // Fields inside one are columns of their own.
        let name = |at: usize| self.schema.fields().get(at).map(|field| field.name().as_str());
        let described = self.file.schema_descr().columns().to_vec();
        let large = large.and_then(|(at, large)| Some((name(at)?, large)));
        let mut group = self.file.next_row_group()?;
        for (column, described) in columns.into_iter().zip(described) {
            match large {
                Some((name, large)) if described.path().parts() == [name] => {
                    group.append_column(large.file(), large.column(described)?)?;
                }
                _ => column.close()?.append_to_row_group(&mut group)?,
            }
        }
        group.close().map(|_| ())
    }

    /// The end, with what is said of the file as a whole, by name.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(mut self, said: impl IntoIterator<Item = (String, String)>) -> io::Result<()> {
        for (name, text) in said {
            self.file.append_key_value_metadata(KeyValue::new(name, text));
        }
        self.flush()?;
        self.file.close().map(|_| ()).map_err(failed)
    }
}

/// An array for each field, into the columns that those have.
fn pack(schema: &Schema, arrays: &[ArrayRef], columns: &mut [ArrowColumnWriter]) -> Result<(), ParquetError> {
    let mut columns = columns.iter_mut();
    for (field, array) in schema.fields().iter().zip(arrays) {
        for (leaf, column) in compute_leaves(field, array)?.iter().zip(&mut columns) {
            column.write(leaf)?;
        }
    }
    Ok(())
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
