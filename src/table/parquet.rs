//! Tables from Parquet files, and to them.

mod large;
mod write;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{ChunkReader, Length};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_schema::{DataType, Field, Fields, Schema};
use bytes::Bytes;

use super::builder::Builder;
use super::column::Column;
use super::exchange::{column_of, is_readable};
use super::ledger;
use super::{ColumnType, Table};
use crate::bounds;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::panics;
use crate::work::{self, Held, workers};

pub use self::large::{Large, MOST_BYTES};
pub use self::write::RowGroups;

/// Rows that are read or written at a time.
const RUN: usize = 1 << 16;

impl Table {
    /// Reads a Parquet file: all columns in their order, or those named, in that order. Integers of up to 64 bits are integers (those of
    /// unsigned columns beyond them make strings), floats and decimals with a fraction numbers, timestamps and dates times
    /// (UTC where they have no zone), strings strings; nulls are missing.
    ///
    /// # Errors
    /// When the file cannot be read, has no such column, or one of a type that no column of a table is of (binary, lists, durations);
    /// a table that does not fit the memory ceiling.
    pub fn read_parquet(path: &Path, columns: Option<&[String]>) -> Result<Table> {
        let file = Part::open(path)?;
        Reading { path, file }.table(columns)
    }

    /// The same for a file's bytes; errors name it so.
    ///
    /// # Errors
    /// As `read_parquet`, but for those of the file.
    pub fn from_parquet(bytes: Bytes, name: &Path) -> Result<Table> {
        Reading {
            path: name,
            file: bytes,
        }
        .table(None)
    }

    /// Whether a file says of itself that it is Parquet.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub fn is_parquet(path: &Path) -> Result<bool> {
        let mut start = Vec::new();
        let read = bounds::open(path)?.take(4).read_to_end(&mut start);
        read.map_err(|e| Error::io(path, e))?;
        Ok(start == b"PAR1")
    }

    /// What a Parquet file says beside its columns under a name.
    ///
    /// # Errors
    /// When the file cannot be opened, or is no whole Parquet file.
    pub fn said_in_parquet(path: &Path, name: &str) -> Result<Option<String>> {
        let file =
            SerializedFileReader::new(Part::open(path)?).map_err(|e| Error::file(path, e.to_string()))?;
        let said = file.metadata().file_metadata().key_value_metadata();
        let mut said = said.into_iter().flatten();
        Ok(said
            .find(|pair| pair.key == name)
            .and_then(|pair| pair.value.clone()))
    }
}

/// A file that several threads read at their own places.
#[derive(Clone)]
pub struct Part {
    file: Arc<File>,
    length: u64,
}

impl Part {
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Part> {
        let file = bounds::open(path)?;
        let length = file.metadata().map_err(|e| Error::io(path, e))?.len();
        Ok(Part {
            file: Arc::new(file),
            length,
        })
    }
}

impl Length for Part {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Part {
    type T = At;

    fn get_read(&self, start: u64) -> ::parquet::errors::Result<At> {
        Ok(At {
            file: self.file.clone(),
            at: start,
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ::parquet::errors::Result<Bytes> {
        // What a damaged file says about itself may be more than there is.
        if start
            .checked_add(length as u64)
            .is_none_or(|end| end > self.length)
        {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at {start} of a file of {} bytes",
                self.length
            )));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

pub struct At {
    file: Arc<File>,
    at: u64,
}

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

struct Reading<'a, R> {
    path: &'a Path,
    file: R,
}

impl<R: ChunkReader + Clone + 'static> Reading<'_, R> {
    fn failed(&self, error: impl std::fmt::Display) -> Error {
        Error::file(self.path, format!("cannot be read as Parquet: {error}"))
    }

    /// The library panics on some broken files.
    fn caught<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        panics::caught(|| Ok(read())).unwrap_or_else(|_| Err(self.failed("its pages are broken")))
    }

    fn table(&self, columns: Option<&[String]>) -> Result<Table> {
        let found = self.caught(|| {
            let found = ArrowReaderMetadata::load(&self.file, ArrowReaderOptions::new());
            found.map_err(|e| self.failed(e))
        })?;
        let fields = found.schema().fields().clone();
        let names: Vec<&String> = fields.iter().map(|field| field.name()).collect();
        let wanted: Vec<usize> = match columns {
            None => (0..fields.len()).collect(),
            Some(columns) => {
                let place = |name: &String| names.iter().position(|n| *n == name);
                let place =
                    |name| place(name).ok_or_else(|| Error::not_found("column", name, names.iter().copied()));
                columns.iter().map(place).collect::<Result<_>>()?
            }
        };
        if let Some(field) = wanted
            .iter()
            .map(|i| &fields[*i])
            .find(|field| !is_readable(field.data_type()))
        {
            let readable = fields.iter().filter(|field| is_readable(field.data_type()));
            let readable: Vec<&str> = readable.map(|field| field.name().as_str()).collect();
            return Err(Error::file(
                self.path,
                format!(
                    "column `{}` is of type {}, which no column of a table holds; name the columns to read, of: {}",
                    field.name(),
                    field.data_type(),
                    readable.join(", ")
                ),
            ));
        }
        let rows = found.metadata().file_metadata().num_rows();
        let rows =
            usize::try_from(rows).map_err(|_| self.failed(format!("it says that it has {rows} rows")))?;
        // No type but booleans takes less than this; texts take more.
        let least = rows.saturating_mul(wanted.len());
        if least > work::memory() {
            return Err(ledger::no_room(rows, wanted.len(), least));
        }
        // All strings come alike.
        let alike = fields.iter().map(|field| match field.data_type() {
            kind if is_text(kind) => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
            _ => field.clone(),
        });
        let schema = Arc::new(Schema::new(alike.collect::<Fields>()));
        let options = ArrowReaderOptions::new().with_schema(schema);
        let found =
            ArrowReaderMetadata::try_new(found.metadata().clone(), options).map_err(|e| self.failed(e))?;
        let read: Vec<Mutex<Option<Column>>> = wanted.iter().map(|_| Mutex::default()).collect();
        let all = Mutex::new(0);
        let one = |_: &mut (), i: usize| {
            let column = self.caught(|| self.column(&found, wanted[i], rows, wanted.len(), &all))?;
            *read[i].lock().unwrap_or_else(|e| e.into_inner()) = Some(column);
            Ok(())
        };
        workers::for_each(work::threads(), wanted.len(), || (), one)?;
        let columns = wanted.iter().zip(read).filter_map(|(i, column)| {
            let column = column.into_inner().unwrap_or_else(|e| e.into_inner())?;
            Some((names[*i].clone(), column))
        });
        Ok(Table {
            rows,
            ..Table::new(columns.collect())?
        })
    }

    /// One column of all rows; `all` counts the bytes of all columns.
    fn column(
        &self,
        found: &ArrowReaderMetadata,
        index: usize,
        rows: usize,
        columns: usize,
        all: &Mutex<usize>,
    ) -> Result<Column> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), found.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), [index]);
        let batches = builder.with_projection(mask).with_batch_size(RUN).build();
        let mut out: Option<Builder> = None;
        let mut held = Vec::new();
        for batch in batches.map_err(|e| self.failed(e))? {
            interrupt::check()?;
            let batch = batch.map_err(|e| self.failed(e))?;
            let name = found.schema().field(index).name();
            let part =
                column_of(batch.column(0)).map_err(|why| self.failed(format!("column `{name}` {why}")))?;
            let bytes = part.bytes();
            let so_far = {
                let mut all = all.lock().unwrap_or_else(|e| e.into_inner());
                *all += bytes;
                *all
            };
            match Held::within(bytes, work::memory()) {
                Some(part) => held.push(part),
                None => {
                    let read = out.as_ref().map_or(0, Builder::len) + part.len();
                    let whole = so_far as f64 * (rows as f64 / read as f64).max(1.0);
                    return Err(ledger::no_room(rows, columns, whole as usize));
                }
            }
            out = Some(match out {
                None => grown(Builder::new(part.kind()), &part),
                Some(out) => grown(out, &part),
            });
        }
        let column = out.map_or_else(
            || Column::empty(kind_of_none(found.schema().field(index))),
            Builder::finish,
        );
        if column.len() != rows {
            return Err(self.failed(format!(
                "it says that it has {rows} rows, and holds {}",
                column.len()
            )));
        }
        Ok(column.entered())
    }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The type of a column without rows.
fn kind_of_none(field: &Field) -> ColumnType {
    let none = arrow_array::new_empty_array(field.data_type());
    column_of(&none).map_or(ColumnType::Float, |column| column.kind())
}

/// With more values, as what both are where they differ.
fn grown(mut builder: Builder, more: &Column) -> Builder {
    let kind = builder.kind();
    if kind.common(more.kind()) == kind && builder.append(&more.widened(kind)) {
        return builder;
    }
    let both = builder.finish().append(more);
    let mut builder = Builder::new(both.kind());
    builder.append(&both);
    builder
}
