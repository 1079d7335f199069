//! Rows told apart by their values.

use std::collections::HashMap;

use super::Column;
use super::column::whole;

/// A value as a key: whole floats equal integers, so that `1` meets `1.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    Missing,
    Bool(bool),
    Integer(i64),
    Float(u64),
    Text(&'a str),
    Time(jiff::Timestamp),
}

impl Key<'_> {
    pub fn of(column: &Column, row: usize) -> Key<'_> {
        match column {
            Column::Float(v) => {
                let x = v.value(row);
                match whole(x) {
                    _ if x.is_nan() => Key::Missing,
                    Some(i) => Key::Integer(i),
                    None => Key::Float(x.to_bits()),
                }
            }
            column if column.is_missing(row) => Key::Missing,
            Column::Bool(v) => Key::Bool(v.value(row)),
            Column::Integer(v) => Key::Integer(v.value(row)),
            Column::Text(v) => Key::Text(v.value(row)),
            Column::Time(v) => v.get(row).map_or(Key::Missing, Key::Time),
        }
    }
}

/// The group of every row; groups are numbered in the order of their first rows.
#[derive(Debug)]
pub(super) struct Groups {
    pub of_row: Vec<u32>,
    /// The first row of each.
    pub firsts: Vec<usize>,
    pub count: usize,
}

impl Groups {
    /// One group of all rows, also where there is none.
    pub fn whole(rows: usize) -> Groups {
        Groups {
            of_row: vec![0; rows],
            firsts: Vec::new(),
            count: 1,
        }
    }

    /// A group for every value that the column has, missing among them.
    pub fn of(column: &Column) -> Groups {
        let mut groups = Numbering::default();
        let of_row = (0..column.len())
            .map(|row| groups.number(Key::of(column, row), row))
            .collect();
        groups.done(of_row)
    }

    /// A group for every pair of groups that some row is in.
    pub fn within(self, other: &Groups) -> Groups {
        let mut groups = Numbering::default();
        let pairs = self.of_row.iter().zip(&other.of_row).enumerate();
        let of_row = pairs.map(|(row, pair)| groups.number(pair, row)).collect();
        groups.done(of_row)
    }

    /// The rows of each group in order.
    pub fn rows(&self) -> Vec<Vec<usize>> {
        let mut counts = vec![0usize; self.count];
        self.of_row.iter().for_each(|group| counts[*group as usize] += 1);
        let mut rows: Vec<Vec<usize>> = counts.into_iter().map(Vec::with_capacity).collect();
        for (row, group) in self.of_row.iter().enumerate() {
            rows[*group as usize].push(row);
        }
        rows
    }
}

struct Numbering<K> {
    numbers: HashMap<K, u32>,
    firsts: Vec<usize>,
}

impl<K> Default for Numbering<K> {
    fn default() -> Self {
        Numbering {
            numbers: HashMap::new(),
            firsts: Vec::new(),
        }
    }
}

impl<K: std::hash::Hash + Eq> Numbering<K> {
    #[inline]
    fn number(&mut self, key: K, row: usize) -> u32 {
        *self.numbers.entry(key).or_insert_with(|| {
            self.firsts.push(row);
            // A table of more rows than this does not fit any memory.
            (self.firsts.len() - 1) as u32
        })
    }

    fn done(self, of_row: Vec<u32>) -> Groups {
        Groups {
            of_row,
            count: self.firsts.len(),
            firsts: self.firsts,
        }
    }
}
