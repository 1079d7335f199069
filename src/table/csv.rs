//! Tables from and to CSV text.

use std::io::Write;
use std::path::Path;

use super::column::{Column, infer};
use super::value::is_midnight;
use super::{ColumnType, Table};
use crate::bounds;
use crate::error::{Error, Result};
use crate::files;

/// What a byte of a file may become while its cells are told apart and typed: a cell of one digit and its comma is two bytes, and some
/// thirty in memory.
const HELD_PER_BYTE: usize = 16;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct CsvOptions {
    /// The character between cells. None when reading: of comma, semicolon, tab and `|` the one that is most frequent
    /// in the first line (comma when there is none). None when writing: tab for `.tsv` and `.tab`, else comma.
    pub delimiter: Option<char>,
    /// Further texts that stand for a missing value when reading, such as `NA` or `-9999`. Empty cells are missing anyway,
    /// and `NaN` in a column of numbers.
    pub missing: Vec<String>,
    /// Columns whose type is not to be inferred.
    pub types: Vec<(String, ColumnType)>,
}

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

impl Table {
    /// Reads a CSV file (RFC 4180, UTF-8 with or without a byte order mark). The first line holds the names of the
    /// columns; a column without one is called `column_3` after its position, and a repeated name gets `_2`. A column
    /// gets the narrowest type that each of its cells allows: boolean, integer, number, time, else string; numbers
    /// with leading zeros (`007`) are strings. Lines without any character are skipped.
    ///
    /// # Errors
    /// When the file cannot be read, is not UTF-8, has no header, or a line has more or fewer cells than the header;
    /// the line is named.
    pub fn read_csv(path: &Path, options: &CsvOptions) -> Result<Table> {
        if !path.try_exists().map_err(|e| Error::io(path, e))? {
            return Err(Error::NoSuchFile {
                path: path.to_path_buf(),
                looked_in: std::env::current_dir().unwrap_or_default(),
            });
        }
        let bytes = bounds::read_file(
            path,
            HELD_PER_BYTE,
            "read fewer rows at a time, line by line with fs.lines",
        )?;
        parse(&bytes, options, &|message| Error::file(path, message))
    }

    /// The same for text at hand.
    pub fn from_csv(text: &str, options: &CsvOptions) -> Result<Table> {
        parse(text.as_bytes(), options, &|message| {
            Error::message(format!("CSV text: {message}"))
        })
    }

    /// Writes a CSV file, atomically. Numbers are written in the shortest form that reads back the same, missing values
    /// as empty cells, times as ISO 8601 in UTC (as dates where the whole column is at midnight).
    pub fn write_csv(&self, path: &Path, options: &CsvOptions) -> Result<()> {
        let tabs = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("tsv") || e.eq_ignore_ascii_case("tab"));
        let delimiter = options.delimiter.unwrap_or(if tabs { '\t' } else { ',' });
        let delimiter = delimiter_byte(delimiter)?;
        files::write_atomically(path, |out| self.write_records(out, delimiter))
    }

    /// The CSV text that `write_csv` would write.
    pub fn to_csv(&self, options: &CsvOptions) -> Result<String> {
        let mut out = Vec::new();
        self.write_records(&mut out, delimiter_byte(options.delimiter.unwrap_or(','))?)
            .map_err(|e| Error::message(format!("CSV text: {e}")))?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    fn write_records(&self, out: &mut dyn Write, delimiter: u8) -> std::io::Result<()> {
        if self.columns().is_empty() {
            return Ok(());
        }
        let mut writer = ::csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
        writer.write_record(self.names())?;
        let dates: Vec<bool> = self.columns().iter().map(|(_, c)| all_midnight(c)).collect();
        for row in 0..self.rows() {
            let cells = self
                .columns()
                .iter()
                .zip(&dates)
                .map(|((_, column), dates)| match column {
                    Column::Time(times) if !dates => times[row].map_or(String::new(), |t| t.to_string()),
                    column => column.get(row).to_string(),
                });
            writer.write_record(cells)?;
        }
        writer.flush()
    }
}

/// True for times that are all dates, so that they are written as dates.
pub(super) fn all_midnight(column: &Column) -> bool {
    matches!(column, Column::Time(times) if times.iter().flatten().all(|t| is_midnight(*t)))
}

fn delimiter_byte(delimiter: char) -> Result<u8> {
    u8::try_from(delimiter)
        .ok()
        .filter(|d| d.is_ascii() && !matches!(d, b'"' | b'\n' | b'\r'))
        .ok_or_else(|| {
            Error::argument(
                "delimiter",
                "one ASCII character other than a quote or a line end",
                format!("`{delimiter}`"),
            )
        })
}

fn parse(bytes: &[u8], options: &CsvOptions, error: &dyn Fn(String) -> Error) -> Result<Table> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(error("is UTF-16; save it as UTF-8".into()));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    if let Err(e) = std::str::from_utf8(bytes) {
        let line = 1 + bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        return Err(error(format!(
            "line {line} is not UTF-8; convert it, for instance with `iconv -f latin1 -t utf-8`"
        )));
    }
    let delimiter = options
        .delimiter
        .map_or_else(|| Ok(guess_delimiter(bytes)), delimiter_byte)?;
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let mut records = reader.records();
    let header = match records.next() {
        Some(record) => record.map_err(|e| error(e.to_string()))?,
        None => {
            return Err(error(
                "is empty; a table needs a line with the names of its columns".into(),
            ));
        }
    };
    let names = unique_names(header.iter());
    let mut rows = Vec::new();
    for record in records {
        let record = record.map_err(|e| error(e.to_string()))?;
        if record.len() != names.len() {
            let line = record.position().map_or(0, |p| p.line());
            return Err(error(format!(
                "line {line} has {} cells, the header has {} (delimiter `{}`)",
                record.len(),
                names.len(),
                (delimiter as char).escape_default(),
            )));
        }
        rows.push(record);
    }
    if let Some((name, _)) = options.types.iter().find(|(name, _)| !names.contains(name)) {
        return Err(Error::not_found("column", name, &names));
    }
    let mut table = Table::default();
    for (index, name) in names.iter().enumerate() {
        let cells: Vec<Option<&str>> = rows
            .iter()
            .map(|row| {
                row.get(index)
                    .filter(|c| !c.trim().is_empty() && !options.missing.iter().any(|m| m == c.trim()))
            })
            .collect();
        let kind = options
            .types
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, kind)| *kind);
        let column = match kind {
            None => infer(&cells),
            Some(kind) => {
                let text = Column::Text(cells.iter().map(|c| c.map(str::to_string)).collect());
                text.cast(kind).map_err(|(row, value)| {
                    let line = rows[row].position().map_or(0, |p| p.line());
                    error(format!(
                        "line {line}, column `{name}`: `{value}` is not {}",
                        kind.with_article()
                    ))
                })?
            }
        };
        table = Table {
            rows: column.len(),
            ..table
        }
        .with_column(name, column)?;
    }
    Ok(table)
}

/// The likeliest delimiter of the first line, quoted parts left out.
fn guess_delimiter(bytes: &[u8]) -> u8 {
    let mut counts = [0usize; DELIMITERS.len()];
    let mut quoted = false;
    for &byte in bytes {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => {
                if let Some(i) = DELIMITERS.iter().position(|d| *d == byte) {
                    counts[i] += 1;
                }
            }
            _ => {}
        }
    }
    // The first of equals: comma before the others.
    (0..DELIMITERS.len())
        .rev()
        .max_by_key(|&i| counts[i])
        .map_or(b',', |i| DELIMITERS[i])
}

fn unique_names<'a>(header: impl Iterator<Item = &'a str>) -> Vec<String> {
    let header: Vec<&str> = header.map(str::trim).collect();
    let mut names: Vec<String> = Vec::new();
    for (index, name) in header.iter().enumerate() {
        let base = if name.is_empty() {
            format!("column_{}", index + 1)
        } else {
            name.to_string()
        };
        let free = |n: &String| !names.contains(n) && (*n == base || !header.contains(&n.as_str()));
        let name = std::iter::once(base.clone())
            .chain((2..).map(|i| format!("{base}_{i}")))
            .find(free);
        names.push(name.unwrap_or_default());
    }
    names
}
