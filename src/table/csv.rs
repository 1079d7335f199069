//! Tables from and to CSV text.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek, Write};
use std::path::Path;

use ::csv::StringRecord;

use super::column::{Column, Seen};
use super::value::is_midnight;
use super::{ColumnType, Table};
use crate::bounds;
use crate::error::{Error, Result, counted};
use crate::files;
use crate::{interrupt, work};

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

/// Bytes of the start in which the delimiter is looked for.
const START: u64 = 1 << 20;

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
        let file = bounds::open(path)?;
        let again = || {
            let mut file = &file;
            file.rewind()
                .map_err(|e| Error::io(path, e))
                .map(|()| Box::new(file) as Box<dyn Read>)
        };
        parse(&again, options, &|message| Error::file(path, message))
    }

    /// The same for text at hand.
    pub fn from_csv(text: &str, options: &CsvOptions) -> Result<Table> {
        parse(&|| Ok(Box::new(text.as_bytes())), options, &|message| {
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

/// Where the text comes from, from its start.
type Again<'a> = dyn Fn() -> Result<Box<dyn Read + 'a>> + 'a;

type Complaint<'a> = dyn Fn(String) -> Error + 'a;

/// Goes over the text twice, so that nothing of it is held but a row: first for what the columns are, then for what is in them.
fn parse(again: &Again, options: &CsvOptions, error: &Complaint) -> Result<Table> {
    let mut start = Vec::new();
    again()?
        .take(START)
        .read_to_end(&mut start)
        .map_err(|e| error(e.to_string()))?;
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Err(error("is UTF-16; save it as UTF-8".into()));
    }
    let delimiter = options
        .delimiter
        .map_or_else(|| Ok(guess_delimiter(&start)), delimiter_byte)?;

    let mut names = Vec::new();
    let mut seen = Vec::new();
    let mut rows = 0;
    records(again, delimiter, error, |header, record| {
        if header {
            names = unique_names(record.iter());
            seen = vec![Seen::default(); names.len()];
            return Ok(());
        }
        if record.len() != names.len() {
            return Err(error(format!(
                "line {} has {} cells, the header has {} (delimiter `{}`)",
                line(record),
                record.len(),
                names.len(),
                (delimiter as char).escape_default(),
            )));
        }
        rows += 1;
        for (seen, cell) in seen.iter_mut().zip(record) {
            seen.add(present(cell, options));
        }
        Ok(())
    })?;
    if names.is_empty() {
        return Err(error(
            "is empty; a table needs a line with the names of its columns".into(),
        ));
    }
    if let Some((name, _)) = options.types.iter().find(|(name, _)| !names.contains(name)) {
        return Err(Error::not_found("column", name, &names));
    }
    let given: HashMap<&str, ColumnType> = options
        .types
        .iter()
        .map(|(n, kind)| (n.as_str(), *kind))
        .collect();
    let kinds: Vec<ColumnType> = names
        .iter()
        .zip(&seen)
        .map(|(name, seen)| given.get(name.as_str()).copied().unwrap_or(seen.kind()))
        .collect();
    bounds::fits(
        format!(
            "a table of {} and {}",
            counted(rows, "row"),
            counted(names.len(), "column")
        ),
        kinds
            .iter()
            .zip(&seen)
            .map(|(kind, seen)| seen.bytes(*kind, rows))
            .sum(),
        1,
        "read fewer rows at a time, line by line with fs.lines",
    )?;

    let mut columns: Vec<Column> = kinds
        .iter()
        .map(|kind| Column::with_capacity(*kind, rows))
        .collect();
    records(again, delimiter, error, |header, record| {
        if header {
            return Ok(());
        }
        for (i, cell) in record.iter().enumerate() {
            // The file may have become another one since.
            let Some(column) = columns.get_mut(i).filter(|column| column.len() < rows) else {
                return Err(error("changed while it was read".into()));
            };
            if !column.push(present(cell, options)) {
                return Err(error(format!(
                    "line {}, column `{}`: `{cell}` is not {}",
                    line(record),
                    names[i],
                    kinds[i].with_article()
                )));
            }
        }
        Ok(())
    })?;
    Table::new(names.into_iter().zip(columns).collect())
}

/// Calls `each` with every record, the first of which is the header.
fn records(
    again: &Again,
    delimiter: u8,
    error: &Complaint,
    mut each: impl FnMut(bool, &StringRecord) -> Result<()>,
) -> Result<()> {
    let left = Cell::new(0);
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(Rationed {
            inner: again()?,
            left: &left,
        });
    let mut record = StringRecord::new();
    let mut header = true;
    loop {
        interrupt::check()?;
        // A record is held up to three times while it grows.
        left.set(work::memory() / 4);
        let more = reader.read_record(&mut record).map_err(|e| match e.kind() {
            ::csv::ErrorKind::Utf8 { pos, .. } => error(format!(
                "line {} is not UTF-8; convert it, for instance with `iconv -f latin1 -t utf-8`",
                pos.as_ref().map_or(0, ::csv::Position::line)
            )),
            ::csv::ErrorKind::Io(_) if left.get() == 0 => {
                let what = format!(
                    "line {}, or a quoted cell that begins there and never ends,",
                    reader.position().line()
                );
                let way_out = "look whether it is a CSV file";
                bounds::fits(what, work::memory(), 2, way_out)
                    .err()
                    .unwrap_or_else(|| error(e.to_string()))
            }
            _ => error(e.to_string()),
        })?;
        if !more {
            return Ok(());
        }
        each(header, &record)?;
        header = false;
    }
}

/// Text that may be read so far and no further.
struct Rationed<'a> {
    inner: Box<dyn Read + 'a>,
    left: &'a Cell<usize>,
}

impl Read for Rationed<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(self.left.get());
        if most == 0 && !into.is_empty() {
            return Err(std::io::Error::other("a row has no end"));
        }
        let read = self.inner.read(&mut into[..most])?;
        self.left.set(self.left.get() - read);
        Ok(read)
    }
}

fn line(record: &StringRecord) -> u64 {
    record.position().map_or(0, ::csv::Position::line)
}

/// The cell, unless it stands for a missing value.
fn present<'a>(cell: &'a str, options: &CsvOptions) -> Option<&'a str> {
    let text = cell.trim();
    (!text.is_empty() && !options.missing.iter().any(|m| m == text)).then_some(cell)
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
    let given: HashSet<&str> = header.iter().copied().collect();
    let mut taken: HashSet<String> = HashSet::new();
    // The number that a repeated name gets next.
    let mut next: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(header.len());
    for (index, name) in header.iter().enumerate() {
        let base = if name.is_empty() {
            format!("column_{}", index + 1)
        } else {
            name.to_string()
        };
        let mut name = base.clone();
        while taken.contains(&name) || (name != base && given.contains(name.as_str())) {
            let number = next.entry(base.clone()).or_insert(2);
            name = format!("{base}_{number}");
            *number += 1;
        }
        taken.insert(name.clone());
        names.push(name);
    }
    names
}
