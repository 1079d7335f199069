//! A table as HTML, for notebooks and reports.

use std::fmt::Write;

use super::Table;
use super::display::Excerpt;
use crate::error::counted;
use crate::work::markup::escaped;

/// More columns than this are named below the table.
const MOST_COLUMNS: usize = 40;
/// Longer strings are cut.
const MOST_CHARACTERS: usize = 80;
/// At most this many rows; of a longer table the first and the last.
const MOST_ROWS: usize = 20;

const RIGHT: &str = "text-align: right";
const LEFT: &str = "text-align: left";

impl Table {
    /// A fragment for a page's body: the size, then names and types above the rows that the text shows too. Numbers stand to the right and
    /// have at most 6 significant digits; missing values are a dash.
    pub fn html(&self) -> String {
        self.html_below(&self.size_text())
    }

    /// The same below other words.
    pub fn html_below(&self, title: &str) -> String {
        let title: Vec<String> = title.lines().map(escaped).collect();
        let mut out = format!("<p>{}</p>\n", title.join("<br>"));
        if self.columns().is_empty() {
            return out;
        }
        let Excerpt {
            first,
            left_out,
            rows,
        } = self.excerpt(MOST_ROWS);
        let columns = &self.columns()[..self.columns().len().min(MOST_COLUMNS)];
        let shown: Vec<(&str, Vec<String>)> = columns
            .iter()
            .map(|(name, column)| {
                let align = if column.kind().is_numeric() { RIGHT } else { LEFT };
                (align, self.cells(name, column, &rows, MOST_CHARACTERS))
            })
            .collect();
        out.push_str("<table>\n<thead>\n<tr>");
        for (align, cells) in &shown {
            let (name, kind) = (escaped(&cells[0]), escaped(&cells[1]));
            let _ = write!(out, "<th style=\"{align}\">{name}<br><small>{kind}</small></th>");
        }
        out.push_str("</tr>\n</thead>\n<tbody>\n");
        for i in 0..rows.len() {
            if i == first && left_out > 0 {
                let _ = writeln!(
                    out,
                    "<tr><td colspan=\"{}\" style=\"text-align: center\">… {} …</td></tr>",
                    shown.len(),
                    counted(left_out, "row")
                );
            }
            out.push_str("<tr>");
            for (align, cells) in &shown {
                let _ = write!(out, "<td style=\"{align}\">{}</td>", escaped(&cells[i + 2]));
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table>\n");
        let more: Vec<&str> = self.names().skip(MOST_COLUMNS).collect();
        if !more.is_empty() {
            let count = counted(more.len(), "column");
            let _ = writeln!(out, "<p>… and {count}: {}</p>", escaped(&more.join(", ")));
        }
        out
    }
}
