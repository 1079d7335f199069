//! CSV text of tables, of several runs of rows at a time.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use super::{CsvOptions, delimiter_byte};
use crate::error::{Error, Result};
use crate::files;
use crate::table::{Column, Table, value};
use crate::work::{self, provenance, workers};

/// Rows whose text is made at a time by one thread.
const RUN: usize = 1 << 14;

impl Table {
    /// Writes a CSV file, atomically. Numbers are written in the shortest form that reads back the same, missing values
    /// as empty cells, times as ISO 8601 in UTC (as dates where the whole column is at midnight).
    ///
    /// # Errors
    /// A delimiter that is no ASCII character, or a quote or line end; a folder that is not there or cannot be written; a full
    /// disk.
    pub fn write_csv(&self, path: &Path, options: &CsvOptions) -> Result<()> {
        let tabs = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("tsv") || e.eq_ignore_ascii_case("tab"));
        let delimiter = options.delimiter.unwrap_or(if tabs { '\t' } else { ',' });
        let delimiter = delimiter_byte(delimiter)?;
        files::write_atomically(path, |out| self.write_records(out, delimiter))?;
        provenance::write_beside(path)
    }

    /// The CSV text that `write_csv` would write.
    ///
    /// # Errors
    /// A delimiter that is no ASCII character, or a quote or line end.
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
        let mut header = Vec::new();
        for name in self.names() {
            write_text(&mut header, name, delimiter);
            header.push(delimiter);
        }
        end_line(&mut header, self.columns().len());
        out.write_all(&header)?;
        let columns: Vec<Cells> = self
            .columns()
            .iter()
            .map(|(_, column)| Cells::of(column))
            .collect();
        let threads = work::threads();
        let runs: Vec<usize> = (0..self.rows()).step_by(RUN).collect();
        let mut texts: Vec<Mutex<Vec<u8>>> = (0..threads).map(|_| Mutex::default()).collect();
        for runs in runs.chunks(threads) {
            let one = |_: &mut (), i: usize| {
                let mut text = texts[i].lock().unwrap_or_else(|e| e.into_inner());
                text.clear();
                for row in runs[i]..(runs[i] + RUN).min(self.rows()) {
                    for column in &columns {
                        column.write(&mut text, row, delimiter);
                        text.push(delimiter);
                    }
                    end_line(&mut text, columns.len());
                }
                Ok(())
            };
            workers::for_each(threads, runs.len(), || (), one).map_err(std::io::Error::other)?;
            for text in &mut texts[..runs.len()] {
                out.write_all(text.get_mut().unwrap_or_else(|e| e.into_inner()))?;
            }
        }
        Ok(())
    }
}

/// Takes the delimiter behind the last cell for the end of the line. A line must not look empty.
fn end_line(text: &mut Vec<u8>, cells: usize) {
    text.pop();
    if cells == 1 && text.last().is_none_or(|end| *end == b'\n') {
        text.extend_from_slice(b"\"\"");
    }
    text.push(b'\n');
}

/// A column whose cells are written.
struct Cells<'a> {
    column: &'a Column,
    dates: bool,
}

impl<'a> Cells<'a> {
    fn of(column: &'a Column) -> Cells<'a> {
        Cells {
            column,
            dates: column.is_dates(),
        }
    }

    /// As `Value` shows itself; whole seconds of times in a column that is not all dates.
    fn write(&self, text: &mut Vec<u8>, row: usize, delimiter: u8) {
        if self.column.is_missing(row) {
            return;
        }
        match self.column {
            Column::Bool(v) => text.extend_from_slice(if v.value(row) { b"true" } else { b"false" }),
            Column::Integer(v) => write_integer(text, v.value(row)),
            Column::Float(v) => write_float(text, v.value(row)),
            Column::Text(v) => write_text(text, v.value(row), delimiter),
            Column::Time(v) => {
                if let Some(time) = v.get(row) {
                    value::write_time(text, time, self.dates);
                }
            }
        }
    }
}

fn write_integer(text: &mut Vec<u8>, value: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut left = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        text.push(b'-');
    }
    text.extend_from_slice(&digits[at..]);
}

fn write_float(text: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if (1e-4..1e16).contains(&size) {
        text.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        // Writing into memory does not fail.
        let _ = write!(text, "{value:?}");
    }
}

fn write_text(text: &mut Vec<u8>, value: &str, delimiter: u8) {
    let bytes = value.as_bytes();
    let plain =
        memchr::memchr3(b'"', b'\n', b'\r', bytes).is_none() && memchr::memchr(delimiter, bytes).is_none();
    if plain {
        text.extend_from_slice(bytes);
        return;
    }
    text.push(b'"');
    for &byte in bytes {
        if byte == b'"' {
            text.push(b'"');
        }
        text.push(byte);
    }
    text.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_the_shortest_that_read_back_the_same(x in proptest::num::f64::ANY, near in -1e6f64..1e6, i in any::<i64>()) {
            for x in [x, near, near.round(), 1e-4, 1e-5, 9999999999999998.0, 1e16, -0.0] {
                let mut text = Vec::new();
                write_float(&mut text, x);
                let text = String::from_utf8(text).unwrap();
                // Of two that are as near, either may be taken.
                prop_assert_eq!(text.len(), format!("{x:?}").len());
                let back: f64 = text.parse().unwrap();
                prop_assert!(back.to_bits() == x.to_bits() || (back.is_nan() && x.is_nan()), "{} {}", text, x);
            }
            for i in [i, 0, i64::MIN, i64::MAX] {
                let mut text = Vec::new();
                write_integer(&mut text, i);
                prop_assert_eq!(String::from_utf8(text).unwrap(), i.to_string());
            }
        }

        #[test]
        fn cells_are_written_as_by_the_crate_csv(cells in prop::collection::vec(prop::collection::vec("[a,;\"\n\r é]{0,4}", 2), 0..4), one in "[a,\"\n]{0,3}") {
            let column = |i: usize| Column::texts(cells.iter().map(|row| Some(&row[i])));
            let ours = Table::new(vec![("a".into(), column(0)), ("b".into(), column(1))]).unwrap();
            let mut theirs = csv::Writer::from_writer(Vec::new());
            theirs.write_record(["a", "b"]).unwrap();
            cells.iter().for_each(|row| theirs.write_record(row).unwrap());
            prop_assert_eq!(ours.to_csv(&CsvOptions::default()).unwrap(), String::from_utf8(theirs.into_inner().unwrap()).unwrap());

            let ours = Table::new(vec![("a".into(), Column::texts([Some(&one)]))]).unwrap();
            let mut theirs = csv::Writer::from_writer(Vec::new());
            theirs.write_record(["a"]).unwrap();
            theirs.write_record([&one]).unwrap();
            prop_assert_eq!(ours.to_csv(&CsvOptions::default()).unwrap(), String::from_utf8(theirs.into_inner().unwrap()).unwrap());
        }
    }
}
