//! Two tables joined on a key.

use std::collections::HashMap;

use super::key::Key;
use super::{Column, Table};
use crate::bounds;
use crate::error::{Choice, Error, Result, counted};

/// What a cell of a column holds, texts aside.
const CELL_BYTES: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// Rows whose key is in both tables.
    Inner,
    /// All rows of the left table; what the right one lacks is missing.
    Left,
}

impl Choice for JoinKind {
    const ALL: &'static [(&'static str, Self)] = &[("inner", JoinKind::Inner), ("left", JoinKind::Left)];
}

impl Table {
    /// The rows of this table with the columns of `other` for the same key. A key that `other` has several times makes
    /// several rows. Missing keys meet nothing. Rows are in the order of this table, then of the other. A column name
    /// that both have gets `_2` for the second; the key columns of `other` are left out.
    ///
    /// # Errors
    /// When a key column is not there, or its types cannot be equal in the two tables (a string and a number).
    pub fn join(&self, other: &Table, keys: &[impl AsRef<str>], kind: JoinKind) -> Result<Table> {
        if keys.is_empty() {
            return Err(Error::argument("key columns", "at least one name", "none"));
        }
        let key_columns = |table: &'_ Table| -> Result<Vec<Column>> {
            keys.iter().map(|k| table.column(k.as_ref()).cloned()).collect()
        };
        let (left, right) = (key_columns(self)?, key_columns(other)?);
        for ((a, b), name) in left.iter().zip(&right).zip(keys) {
            if a.kind() != b.kind() && !(a.kind().is_numeric() && b.kind().is_numeric()) {
                return Err(Error::argument(
                    format!("key column `{}`", name.as_ref()),
                    format!(
                        "of one type in both tables (see cast); it is {} here",
                        a.kind().with_article()
                    ),
                    format!("{} there", b.kind().with_article()),
                ));
            }
        }
        // Keys are numbered one column after the other, so that each is told from the others by one number.
        let (mut of_left, mut of_right) = (vec![Some(0); self.rows()], vec![Some(0); other.rows()]);
        for (left, right) in left.iter().zip(&right) {
            let mut numbers: HashMap<(u32, Key), u32> = HashMap::new();
            for (row, number) in of_right.iter_mut().enumerate() {
                let next = numbers.len() as u32;
                *number = pair(*number, right, row).map(|key| *numbers.entry(key).or_insert(next));
            }
            for (row, number) in of_left.iter_mut().enumerate() {
                *number = pair(*number, left, row).and_then(|key| numbers.get(&key).copied());
            }
        }
        let mut rows_of: Vec<Vec<usize>> = Vec::new();
        for (row, number) in of_right.iter().enumerate() {
            if let Some(number) = number.map(|n| n as usize) {
                rows_of.resize_with(rows_of.len().max(number + 1), Vec::new);
                rows_of[number].push(row);
            }
        }
        let matches = |row: usize| of_left[row].map(|number: u32| &rows_of[number as usize]);
        // Keys that both tables have k times make k × k rows: counted before they are made.
        let mut rows = 0usize;
        for row in 0..self.rows() {
            rows = rows.saturating_add(match matches(row) {
                Some(matches) => matches.len(),
                None => usize::from(kind == JoinKind::Left),
            });
        }
        let cells = self.columns().len() + other.columns().len();
        let bytes = size_of::<usize>() * 3 + cells * CELL_BYTES;
        let way_out = "join on keys that one of the tables has once";
        bounds::fits(
            format!("a join of {}", counted(rows, "row")),
            rows,
            bytes,
            way_out,
        )?;
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for row in 0..self.rows() {
            match matches(row) {
                Some(matches) => {
                    here.extend(std::iter::repeat_n(row, matches.len()));
                    there.extend(matches.iter().map(|m| Some(*m)));
                }
                None if kind == JoinKind::Left => {
                    here.push(row);
                    there.push(None);
                }
                None => {}
            }
        }
        let rest = other.drop(keys)?;
        let columns = rest
            .columns()
            .iter()
            .map(|(n, c)| (n.clone(), c.take_optional(&there)))
            .collect();
        let rest = Table::of(columns, there.len());
        self.take(&here).beside(&rest)
    }
}

/// The key of a row in a column, after the number of those before; None where something is missing.
fn pair(number: Option<u32>, column: &Column, row: usize) -> Option<(u32, Key<'_>)> {
    let key = Key::of(column, row);
    number.filter(|_| key != Key::Missing).map(|number| (number, key))
}
