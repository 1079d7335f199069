//! A table as aligned text, for people.

use std::fmt;

use super::{Column, Table, Value};
use crate::error::{Choice, Domain, counted};

/// How much of a table to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisplayOptions {
    /// At most this many rows, and one more where only that would be left out; of a longer table the first and the last.
    pub max_rows: usize,
    /// At most this many characters a line; the columns that do not fit are named below.
    pub max_width: usize,
    /// Longer strings are cut.
    pub max_cell: usize,
}

impl DisplayOptions {
    pub const ROWS: usize = 20;
    pub const WIDTH: usize = 100;
    pub const CELL: usize = 32;

    /// Of all three.
    pub const COUNTS: Domain = Domain::at_least(1.0);
}

impl Default for DisplayOptions {
    fn default() -> Self {
        DisplayOptions {
            max_rows: DisplayOptions::ROWS,
            max_width: DisplayOptions::WIDTH,
            max_cell: DisplayOptions::CELL,
        }
    }
}

impl Table {
    /// `table: 12 × 3 (rows × columns)`
    pub fn size_text(&self) -> String {
        format!(
            "table: {} × {} (rows × columns)",
            self.rows(),
            self.columns().len()
        )
    }

    /// Size, names, types and rows. Numbers have at most 6 significant digits, missing values are a dash.
    pub fn render(&self, options: &DisplayOptions) -> String {
        let mut out = self.size_text();
        if self.columns().is_empty() {
            return out;
        }
        let Excerpt {
            first,
            left_out: rows_left_out,
            rows: shown,
        } = self.excerpt(options.max_rows);
        let mut lines: Vec<String> = vec![String::new(); shown.len() + 2];
        let mut width = 0;
        let mut left_out = Vec::new();
        for (name, column) in self.columns() {
            let cells = self.cells(name, column, &shown, options.max_cell);
            let cell_width = cells.iter().map(|c| c.chars().count()).max().unwrap_or(0);
            let gap = if width == 0 { 0 } else { 2 };
            if !left_out.is_empty() || (width > 0 && width + gap + cell_width > options.max_width) {
                left_out.push(name.as_str());
                continue;
            }
            width += gap + cell_width;
            let right = column.kind().is_numeric();
            for (line, cell) in lines.iter_mut().zip(&cells) {
                let padding = " ".repeat(cell_width - cell.chars().count());
                line.push_str(&" ".repeat(gap));
                line.push_str(&if right {
                    padding + cell
                } else {
                    cell.clone() + &padding
                });
            }
        }
        if rows_left_out > 0 {
            lines.insert(first + 2, format!("… {} …", counted(rows_left_out, "row")));
        }
        for line in lines {
            out.push('\n');
            out.push_str(line.trim_end());
        }
        if !left_out.is_empty() {
            let plural = if left_out.len() == 1 { "column" } else { "columns" };
            out.push_str(&format!("\n… and {} {plural}: ", left_out.len()));
            let names = left_out.join(", ");
            out.push_str(&cut(&names, options.max_width.saturating_sub(20).max(20)));
        }
        out
    }

    /// The first and the last rows, at most `max_rows`; one more where only that would be left out.
    pub(super) fn excerpt(&self, max_rows: usize) -> Excerpt {
        let max_rows = max_rows.max(2);
        // A line that says "… 1 row …" takes the place of that row.
        let (first, last) = match self.rows() <= max_rows + 1 {
            true => (self.rows(), 0),
            false => (max_rows - max_rows / 3, max_rows / 3),
        };
        Excerpt {
            first,
            left_out: self.rows() - first - last,
            rows: (0..first).chain(self.rows() - last..self.rows()).collect(),
        }
    }

    /// A column's name, its type and its values at some rows.
    pub(super) fn cells(&self, name: &str, column: &Column, rows: &[usize], max_cell: usize) -> Vec<String> {
        let dates = column.is_dates();
        let cell = |&row: &usize| match column.get(row) {
            Value::Missing => "–".to_string(),
            Value::Float(x) => six_digits(x),
            Value::Time(t) if !dates => t.to_string(),
            Value::Text(s) => cut(
                &s.escape_debug()
                    .to_string()
                    .replace("\\\"", "\"")
                    .replace("\\'", "'"),
                max_cell,
            ),
            value => value.to_string(),
        };
        [cut(name, max_cell), column.kind().name().to_string()]
            .into_iter()
            .chain(rows.iter().map(cell))
            .collect()
    }
}

/// The rows of a table that are shown.
pub(super) struct Excerpt {
    /// So many stand before those that are left out.
    pub first: usize,
    pub left_out: usize,
    pub rows: Vec<usize>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&DisplayOptions::default()))
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// At most six significant digits, without trailing zeros; very large and very small numbers with an exponent.
fn six_digits(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let scientific = format!("{x:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |s: &str| match s.contains('.') {
        true => s.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => s.to_string(),
    };
    match exponent {
        -4..=8 => trim(&format!("{x:.*}", (5 - exponent).max(0) as usize)),
        _ => format!("{}e{exponent}", trim(mantissa)),
    }
}
