//! Tables: rows in order, columns with a name and one type each in Arrow's arrays, missing values, CSV and Parquet in and out.

mod builder;
mod cell;
mod column;
mod csv;
mod display;
mod exchange;
mod file;
mod group;
mod html;
mod join;
mod key;
mod kind;
mod ledger;
mod making;
mod parquet;
mod sort;
mod times;
mod value;

use std::collections::{HashMap, HashSet};

pub use self::column::Column;
pub use self::csv::CsvOptions;
pub use self::display::DisplayOptions;
pub use self::exchange::{column_of, is_readable};
pub use self::group::{Aggregate, Aggregation};
pub use self::join::JoinKind;
use self::key::Groups;
pub use self::kind::ColumnType;
pub use self::parquet::{Large, MOST_BYTES as MOST_BYTES_OF_VALUE, Part as ParquetFile, RowGroups};
pub use self::sort::SortKey;
pub use self::value::{Value, format_time, parse_time};
use crate::error::{Choice, Error, Result};

/// Named, typed columns of one length. Names are unique. The order of rows and columns is kept by every operation
/// that does not say otherwise.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Column)>,
    rows: usize,
}

impl Table {
    /// # Errors
    /// When two columns share a name or differ in length.
    pub fn new(columns: Vec<(String, Column)>) -> Result<Table> {
        let rows = columns.first().map_or(0, |(_, c)| c.len());
        let mut names = HashSet::new();
        for (name, column) in &columns {
            if !names.insert(name) {
                return Err(Error::argument(
                    "columns",
                    "names that differ",
                    format!("`{name}` twice"),
                ));
            }
            check_length(name, column, rows)?;
        }
        Ok(Table::of(columns, rows))
    }

    /// Columns that are as they should be.
    fn of(columns: Vec<(String, Column)>, rows: usize) -> Table {
        let columns = columns.into_iter().map(|(name, column)| (name, column.entered()));
        Table {
            columns: columns.collect(),
            rows,
        }
    }

    /// A table of rows, each a list of (name, value). Columns are in the order of their first appearance; a name
    /// that a row lacks is missing there. The type of a column is that of its values: integers with other numbers
    /// make numbers, any other mixture makes strings.
    ///
    /// # Errors
    /// As `new`; rows of themselves give nothing that it refuses.
    pub fn from_rows(rows: impl IntoIterator<Item = Vec<(String, Value)>>) -> Result<Table> {
        let mut names: Vec<String> = Vec::new();
        let mut values: Vec<Vec<Value>> = Vec::new();
        let mut position = HashMap::new();
        let mut count = 0;
        for row in rows {
            for (name, value) in row {
                let index = *position.entry(name).or_insert_with_key(|name| {
                    names.push(name.clone());
                    values.push(vec![Value::Missing; count]);
                    names.len() - 1
                });
                // A name given twice in a row keeps its last value.
                values[index].truncate(count);
                values[index].push(value);
            }
            count += 1;
            values.iter_mut().for_each(|v| v.resize(count, Value::Missing));
        }
        let columns = names
            .into_iter()
            .zip(values.into_iter().map(Column::from_values))
            .collect();
        Ok(Table {
            rows: count,
            ..Table::new(columns)?
        })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(n, _)| n == name)
    }

    /// # Errors
    /// `NotFound` with the names that there are.
    pub fn column(&self, name: &str) -> Result<&Column> {
        Ok(&self.columns[self.index_of(name)?].1)
    }

    /// The value at a row (from 0) of a column.
    ///
    /// # Errors
    /// A column that is not there; a row beyond the last.
    pub fn value(&self, row: usize, name: &str) -> Result<Value> {
        let column = self.column(name)?;
        if row >= self.rows {
            return Err(Error::argument("row", format!("below {}", self.rows), row));
        }
        Ok(column.get(row))
    }

    /// One row (from 0) as (name, value) pairs.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (&str, Value)> {
        self.columns
            .iter()
            .map(move |(name, column)| (name.as_str(), column.get(row)))
    }

    /// The named columns, in the order given.
    ///
    /// # Errors
    /// A column that is not there, or that is named twice.
    pub fn select(&self, names: &[impl AsRef<str>]) -> Result<Table> {
        let columns = names
            .iter()
            .map(|name| Ok(self.columns[self.index_of(name.as_ref())?].clone()))
            .collect::<Result<Vec<_>>>()?;
        Ok(Table {
            rows: self.rows,
            ..Table::new(columns)?
        })
    }

    /// Without the named columns.
    ///
    /// # Errors
    /// A column that is not there.
    pub fn drop(&self, names: &[impl AsRef<str>]) -> Result<Table> {
        let mut out = self.clone();
        for name in names {
            let index = out.index_of(name.as_ref())?;
            out.columns.remove(index);
        }
        Ok(out)
    }

    /// # Errors
    /// A column that is not there; a new name that another one has.
    pub fn rename(&self, from: &str, to: &str) -> Result<Table> {
        let index = self.index_of(from)?;
        if from != to && self.has(to) {
            return Err(Error::argument(
                "new name",
                "a name that no column has",
                format!("`{to}`"),
            ));
        }
        let mut out = self.clone();
        out.columns[index].0 = to.to_string();
        Ok(out)
    }

    /// With a column more, at the end, or in place of the column of that name. A table without columns takes
    /// the column's length.
    ///
    /// # Errors
    /// A column that is not as long as the others.
    pub fn with_column(&self, name: &str, column: Column) -> Result<Table> {
        let mut out = self.clone();
        if out.columns.is_empty() && out.rows == 0 {
            out.rows = column.len();
        }
        check_length(name, &column, out.rows)?;
        let column = column.entered();
        match out.columns.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = column,
            None => out.columns.push((name.to_string(), column)),
        }
        Ok(out)
    }

    /// The columns of both tables, side by side. A name that both have gets `_2` (or the next number that is free)
    /// in the second.
    ///
    /// # Errors
    /// When the other has another number of rows.
    pub fn beside(&self, other: &Table) -> Result<Table> {
        let mut out = self.clone();
        let mut taken: HashSet<String> = self.names().map(str::to_string).collect();
        let mut next: HashMap<&str, usize> = HashMap::new();
        for (name, column) in &other.columns {
            check_length(name, column, out.rows)?;
            let mut free = name.clone();
            while taken.contains(&free) {
                let number = next.entry(name).or_insert(2);
                free = format!("{name}_{number}");
                *number += 1;
            }
            taken.insert(free.clone());
            out.columns.push((free, column.clone()));
        }
        Ok(out)
    }

    /// The rows of both tables, one after the other. Columns that one of them lacks are missing there; columns of
    /// different types become numbers where both are numeric, else strings.
    pub fn append(&self, other: &Table) -> Table {
        let mut columns = Vec::new();
        for (name, column) in &self.columns {
            let column = match other.columns.iter().find(|(n, _)| n == name) {
                Some((_, more)) => column.append(more),
                None => column.append(&column.missing_like(other.rows)),
            };
            columns.push((name.clone(), column));
        }
        for (name, column) in other.columns.iter().filter(|(n, _)| !self.has(n)) {
            columns.push((name.clone(), column.missing_like(self.rows).append(column)));
        }
        Table::of(columns, self.rows + other.rows)
    }

    /// The rows at the given positions (from 0), in that order; a position may come more than once.
    pub fn take(&self, rows: &[usize]) -> Table {
        self.with_each(|column| column.take(rows), rows.len())
    }

    /// So many rows from one on (from 0), which share the values.
    fn run(&self, first: usize, count: usize) -> Table {
        self.with_each(|column| column.slice(first, count), count)
    }

    fn with_each(&self, column: impl Fn(&Column) -> Column, rows: usize) -> Table {
        let columns = self.columns.iter().map(|(name, c)| (name.clone(), column(c)));
        Table::of(columns.collect(), rows)
    }

    /// The rows for which `keep` is true.
    ///
    /// # Errors
    /// Those of `keep`.
    pub fn filter(&self, mut keep: impl FnMut(usize) -> Result<bool>) -> Result<Table> {
        let mut rows = Vec::new();
        for row in 0..self.rows {
            if keep(row)? {
                rows.push(row);
            }
        }
        Ok(self.take(&rows))
    }

    pub fn head(&self, count: usize) -> Table {
        self.run(0, count.min(self.rows))
    }

    pub fn tail(&self, count: usize) -> Table {
        let first = self.rows.saturating_sub(count);
        self.run(first, self.rows - first)
    }

    /// With a column's values as another type.
    ///
    /// # Errors
    /// When a value has no meaning in that type (`abc` as a number); the row is named.
    pub fn cast(&self, name: &str, to: ColumnType) -> Result<Table> {
        let column = self.column(name)?.cast(to).map_err(|(row, value)| {
            Error::argument(
                format!("row {} of column `{name}`", row + 1),
                format!("something that can be read as {}", to.with_article()),
                format!("`{value}`"),
            )
        })?;
        self.with_column(name, column)
    }

    /// One row a column: its type, how many values are there and are missing, how many differ, and for numbers
    /// mean, standard deviation (of the population), minimum, median and maximum.
    pub fn summary(&self) -> Table {
        let mut out: Vec<(String, Vec<Value>)> = [
            "column", "type", "count", "missing", "distinct", "mean", "std", "min", "median", "max",
        ]
        .map(|n| (n.to_string(), Vec::new()))
        .into();
        for (name, column) in &self.columns {
            let present = column.present();
            let all = Groups::whole(self.rows);
            let one = |a: Aggregation| group::aggregate(column, &a, &all).get(0);
            let number = |a: Aggregation| match column.kind().is_numeric() {
                true => one(a),
                false => Value::Missing,
            };
            let row = [
                Value::Text(name.clone()),
                Value::Text(column.kind().name().to_string()),
                Value::Integer(present as i64),
                Value::Integer((self.rows - present) as i64),
                one(Aggregation::Distinct),
                number(Aggregation::Mean),
                number(Aggregation::Std),
                number(Aggregation::Min),
                number(Aggregation::Median),
                number(Aggregation::Max),
            ];
            out.iter_mut()
                .zip(row)
                .for_each(|((_, values), value)| values.push(value));
        }
        let rows = self.columns.len();
        let columns = out.into_iter();
        Table::of(
            columns
                .map(|(name, values)| (name, Column::from_values(values)))
                .collect(),
            rows,
        )
    }

    fn index_of(&self, name: &str) -> Result<usize> {
        self.columns
            .iter()
            .position(|(n, _)| n == name)
            .ok_or_else(|| Error::not_found("column", name, self.names()))
    }
}

fn check_length(name: &str, column: &Column, rows: usize) -> Result<()> {
    if column.len() != rows {
        return Err(Error::argument(
            format!("column `{name}`"),
            format!("{rows} values long, as the other columns are"),
            column.len(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
