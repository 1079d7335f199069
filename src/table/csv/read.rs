//! Tables from CSV text: pieces of it on all threads, in one pass where the types of the first piece hold.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Mutex;

use super::blocks::{BLOCK, Block, Blocks};
use super::growing::{Cells, Growing, Part, Plan};
use super::records::Records;
use super::{CsvOptions, delimiter_byte};
use crate::bounds;
use crate::error::{Error, Result};
use crate::table::cell::{narrowest, trimmed};
use crate::table::kind::ColumnType;
use crate::table::ledger;
use crate::table::{Column, Table};
use crate::work::{self, workers};

/// Bytes of the start in which the delimiter is looked for.
const START: u64 = 1 << 20;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Where the text comes from, from its start, and how long it is.
struct Text<'a, 't> {
    again: &'a (dyn Fn() -> Result<Box<dyn Read + Send + 't>> + Sync),
    bytes: u64,
    error: &'a (dyn Fn(String) -> Error + Sync),
}

impl Table {
    /// Reads a CSV file (RFC 4180, UTF-8 with or without a byte order mark). The first line holds the names of the
    /// columns; a column without one is called `column_3` after its position, and a repeated name gets `_2`. A column
    /// gets the narrowest type that each of its cells allows: boolean, integer, number, time, else string; numbers
    /// with leading zeros (`007`) are strings. Lines without any character are skipped.
    ///
    /// # Errors
    /// When the file cannot be read, is not UTF-8, has no header, or a line has more or fewer cells than the header;
    /// the line is named. A table that does not fit the memory ceiling.
    pub fn read_csv(path: &Path, options: &CsvOptions) -> Result<Table> {
        let file = bounds::open(path)?;
        let failed = |e| Error::io(path, e);
        let bytes = file.metadata().map_err(failed)?.len();
        let text = Text {
            again: &|| {
                let mut file = &file;
                file.rewind().map_err(failed)?;
                Ok(Box::new(file))
            },
            bytes,
            error: &|message| Error::file(path, message),
        };
        text.parse(options)
    }

    /// The same for text at hand.
    ///
    /// # Errors
    /// As `read_csv`, but for those of the file.
    pub fn from_csv(text: &str, options: &CsvOptions) -> Result<Table> {
        let text = Text {
            again: &|| Ok(Box::new(text.as_bytes())),
            bytes: text.len() as u64,
            error: &|message| Error::message(format!("CSV text: {message}")),
        };
        text.parse(options)
    }
}

impl Text<'_, '_> {
    fn parse(&self, options: &CsvOptions) -> Result<Table> {
        let mut start = Vec::new();
        let read = (self.again)()?.take(START).read_to_end(&mut start);
        read.map_err(|e| (self.error)(e.to_string()))?;
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return Err((self.error)("is UTF-16; save it as UTF-8".into()));
        }
        let delimiter = options
            .delimiter
            .map_or_else(|| Ok(guess_delimiter(&start)), delimiter_byte)?;
        drop(start);

        let first = Blocks::new((self.again)()?, delimiter, self.error).next()?;
        let text = first.as_ref().map_or(Ok(""), |block| block.text(self.error))?;
        let mut records = Records::new(text, delimiter, 1);
        if records.next().is_none() {
            return Err((self.error)(
                "is empty; a table needs a line with the names of its columns".into(),
            ));
        }
        let names = unique_names((0..records.len()).map(|i| records.cell(i)));
        let columns = options.columns.as_ref();
        let given: HashMap<&str, ColumnType> = options
            .types
            .iter()
            .map(|(n, kind)| (n.as_str(), *kind))
            .collect();
        for name in columns
            .into_iter()
            .flatten()
            .map(String::as_str)
            .chain(given.keys().copied())
        {
            if !names.iter().any(|n| n == name) {
                return Err(Error::not_found("column", name, &names));
            }
        }
        let wanted = |name: &String| columns.is_none_or(|columns| columns.contains(name));
        let mut plans: Vec<Plan> = names
            .iter()
            .map(|name| match given.get(name.as_str()) {
                _ if !wanted(name) => Plan::Skip,
                Some(kind) => Plan::Given(*kind),
                None => Plan::Guess(None),
            })
            .collect();
        guess(&mut records, &mut plans, options);
        drop(first);

        let reading = Reading {
            text: self,
            delimiter,
            names: &names,
            options,
        };
        let (first, rows) = reading.pass(plans)?;
        // Where a later cell was none of the column's first ones: once more, for those columns alone.
        let again: Vec<Plan> = first.iter().map(Growing::once_more).collect();
        let mut out: Vec<Option<Column>> = first.into_iter().map(|column| column.finish(rows)).collect();
        if again.iter().any(|plan| !matches!(plan, Plan::Skip)) {
            let (second, found) = reading.pass(again)?;
            if found != rows {
                return Err(reading.changed());
            }
            for (out, column) in out.iter_mut().zip(second) {
                if let Some(column) = column.finish(rows) {
                    *out = Some(column);
                }
            }
        }
        let table = Table::new(
            names
                .into_iter()
                .zip(out)
                .filter_map(|(name, c)| Some((name, c?)))
                .collect(),
        )?;
        columns.map_or(Ok(table.clone()), |columns| table.select(columns))
    }
}

/// What the types of the first records are.
fn guess(records: &mut Records, plans: &mut [Plan], options: &CsvOptions) {
    while records.next().is_some() && records.len() == plans.len() {
        for (i, plan) in plans.iter_mut().enumerate() {
            let Plan::Guess(kind) = plan else { continue };
            if *kind == Some(ColumnType::Text) {
                continue;
            }
            if let Some(cell) = present(records.cell(i), options) {
                let this = narrowest(cell);
                *kind = Some(kind.map_or(this, |kind| kind.common(this)));
            }
        }
    }
}

/// One way through the text.
struct Reading<'a, 't> {
    text: &'a Text<'a, 't>,
    delimiter: u8,
    names: &'a [String],
    options: &'a CsvOptions,
}

/// What is known behind the pieces that are read.
struct Found {
    columns: Vec<Growing>,
    rows: usize,
    /// The number of the next piece, and those that came before their turn.
    next: usize,
    early: BTreeMap<usize, (Part, u64)>,
    /// That of the first piece that has one.
    error: Option<(usize, Error)>,
}

impl Reading<'_, '_> {
    fn pass(&self, plans: Vec<Plan>) -> Result<(Vec<Growing>, usize)> {
        let blocks = Blocks::new((self.text.again)()?, self.delimiter, self.text.error);
        let source = Mutex::new((blocks, 0usize));
        let found = Mutex::new(Found {
            columns: plans.into_iter().map(Growing::new).collect(),
            rows: 0,
            next: 0,
            early: BTreeMap::new(),
            error: None,
        });
        let lock = || found.lock().unwrap_or_else(|e| e.into_inner());
        let one = |_: &mut (), _| {
            let (block, index) = {
                let mut source = source.lock().unwrap_or_else(|e| e.into_inner());
                if lock().error.is_some() {
                    return Ok(());
                }
                source.1 += 1;
                (source.0.next(), source.1 - 1)
            };
            let part = match block {
                Ok(None) => return Ok(()),
                Ok(Some(block)) => {
                    let plans: Vec<Plan> = lock().columns.iter().map(|column| column.plan).collect();
                    let read = block.before + block.bytes.len() as u64;
                    self.part(&block, &plans, index == 0).map(|part| (part, read))
                }
                Err(error) => Err(error),
            };
            let mut found = lock();
            let added = part.and_then(|part| {
                found.early.insert(index, part);
                let mut next = found.next;
                while let Some((part, read)) = found.early.remove(&next) {
                    self.add(&mut found, part, read)?;
                    next = found.next;
                }
                Ok(())
            });
            if let Err(error) = added
                && found.error.as_ref().is_none_or(|(first, _)| index < *first)
            {
                found.error = Some((index, error));
            }
            Ok(())
        };
        // Pieces are never shorter than this, but for the last. What a file grows by while it is read is not read.
        let pieces = usize::try_from(self.text.bytes).unwrap_or(usize::MAX) / BLOCK + 2;
        workers::for_each(work::threads(), pieces, || (), one)?;
        let found = found.into_inner().unwrap_or_else(|e| e.into_inner());
        match found.error {
            Some((_, error)) => Err(error),
            None => Ok((found.columns, found.rows)),
        }
    }

    /// The columns of one piece.
    fn part(&self, block: &Block, plans: &[Plan], header: bool) -> Result<Part> {
        let error = self.text.error;
        let mut records = Records::new(block.text(error)?, self.delimiter, block.line);
        if header {
            records.next();
        }
        let mut columns: Vec<Cells> = plans.iter().map(|plan| Cells::new(*plan)).collect();
        let mut rows = 0;
        while let Some(line) = records.next() {
            if records.len() != columns.len() {
                return Err(error(format!(
                    "line {line} has {} cells, the header has {} (delimiter `{}`)",
                    records.len(),
                    columns.len(),
                    (self.delimiter as char).escape_default(),
                )));
            }
            rows += 1;
            for (i, column) in columns.iter_mut().enumerate() {
                if column.is_skipped() {
                    continue;
                }
                let cell = present(records.cell(i), self.options);
                match column.add(cell) {
                    Ok(()) => {}
                    Err(Some(kind)) => {
                        return Err(error(format!(
                            "line {line}, column `{}`: `{}` is not {}",
                            self.names[i],
                            records.cell(i),
                            kind.with_article()
                        )));
                    }
                    Err(None) => return Err(self.changed()),
                }
            }
        }
        Ok(Part {
            rows,
            columns: columns.into_iter().map(Cells::finish).collect(),
        })
    }

    /// Appends the piece whose turn it is, `read` bytes from the start.
    fn add(&self, found: &mut Found, part: Part, read: u64) -> Result<()> {
        found.next += 1;
        let before = found.rows;
        found.rows += part.rows;
        let rows = found.rows;
        // What was read so far tells about how much there is.
        let whole = |part: usize| (part as f64 * (self.text.bytes as f64 / read as f64).max(1.0)) as usize;
        // The widest value takes 16 bytes.
        let most = work::memory() / 16 / self.names.len();
        let expected = (whole(rows) + rows / 16).min(most);
        let mut held = true;
        for ((column, piece), name) in found.columns.iter_mut().zip(part.columns).zip(self.names) {
            let given = matches!(column.plan, Plan::Given(_));
            held &= column.add(piece, before, part.rows, expected);
            if given && matches!(column.plan, Plan::Wider(_)) {
                return Err((self.text.error)(format!(
                    "column `{name}` holds times finer than a microsecond beside times before 1677 or after 2262; read it as a string"
                )));
            }
        }
        if held {
            return Ok(());
        }
        let wanted = found.columns.iter().filter(|column| column.is_wanted()).count();
        let bytes = found.columns.iter().map(Growing::bytes).sum();
        Err(ledger::no_room(whole(rows), wanted, whole(bytes)))
    }

    fn changed(&self) -> Error {
        (self.text.error)("changed while it was read".into())
    }
}

/// The cell, unless it stands for a missing value.
#[inline]
fn present<'a>(cell: &'a str, options: &CsvOptions) -> Option<&'a str> {
    let text = trimmed(cell);
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
