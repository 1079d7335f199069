//! Rows in order.

use std::cmp::Ordering;

use super::{Column, Table};
use crate::error::Result;

/// One column to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    pub column: String,
    pub descending: bool,
}

impl Table {
    /// Sorted by the keys, the first one first. Equal rows keep their order; missing values come last, whatever
    /// the direction. Strings are in the order of their Unicode code points.
    ///
    /// # Errors
    /// When a key column is not there.
    pub fn sort(&self, keys: &[SortKey]) -> Result<Table> {
        let keys = keys
            .iter()
            .map(|key| Ok((self.column(&key.column)?, key.descending)))
            .collect::<Result<Vec<_>>>()?;
        let Some((first, descending)) = keys.first() else {
            return Ok(self.clone());
        };
        // Most comparisons end at the first key, which lies beside the number of its row.
        let mut order: Vec<(bool, u64, usize)> = (0..self.rows())
            .map(|row| {
                let rank = rank(first, row);
                let rank = if *descending { !rank } else { rank };
                (first.is_missing(row), rank, row)
            })
            .collect();
        order.sort_by(|a, b| {
            (a.0, if a.0 { 0 } else { a.1 })
                .cmp(&(b.0, if b.0 { 0 } else { b.1 }))
                .then_with(|| {
                    keys.iter()
                        .map(|(column, descending)| column.compare(a.2, b.2, *descending))
                        .find(|o| o.is_ne())
                        .unwrap_or(Ordering::Equal)
                })
        });
        Ok(self.take(&order.into_iter().map(|(_, _, row)| row).collect::<Vec<_>>()))
    }
}

/// A number that is never greater for a lesser value of the column, and often tells two values apart.
fn rank(column: &Column, row: usize) -> u64 {
    const SIGN: u64 = 1 << 63;
    match column {
        Column::Bool(v) => v.value(row).into(),
        Column::Integer(v) => v.value(row) as u64 ^ SIGN,
        Column::Time(v) => v.units.value(row) as u64 ^ SIGN,
        Column::Float(v) => {
            // Both zeros are one.
            let bits = (v.value(row) + 0.0).to_bits();
            if bits & SIGN == 0 { bits | SIGN } else { !bits }
        }
        Column::Text(v) => {
            let text = v.value(row).as_bytes();
            let mut start = [0; 8];
            let length = text.len().min(8);
            start[..length].copy_from_slice(&text[..length]);
            u64::from_be_bytes(start)
        }
    }
}
