//! Groups of rows and what is computed of them.

use std::collections::HashMap;

use super::column::whole;
use super::statistics::{Moments, percentile};
use super::{Column, Table, Value};
use crate::error::{Error, Result};

/// What to compute of the values of a group. Missing values are left out of all of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Aggregation {
    /// How many values there are.
    Count,
    /// How many different values there are.
    Distinct,
    Sum,
    Mean,
    /// Standard deviation of the population (divides by the count).
    Std,
    Min,
    Max,
    Median,
    /// Percent, 0 to 100; see `statistics::percentile`.
    Percentile(f64),
    First,
    Last,
}

impl Aggregation {
    pub const NAMES: [&'static str; 11] = [
        "count",
        "distinct",
        "sum",
        "mean",
        "std",
        "min",
        "max",
        "median",
        "percentile",
        "first",
        "last",
    ];

    /// `mean`, `median`…; percentiles as `p90` or `percentile_90`.
    pub fn parse(text: &str) -> Result<Aggregation> {
        let percent = |t: &str| t.parse::<f64>().ok().filter(|p| (0.0..=100.0).contains(p));
        Ok(match text {
            "count" => Aggregation::Count,
            "distinct" => Aggregation::Distinct,
            "sum" => Aggregation::Sum,
            "mean" => Aggregation::Mean,
            "std" => Aggregation::Std,
            "min" => Aggregation::Min,
            "max" => Aggregation::Max,
            "median" => Aggregation::Median,
            "first" => Aggregation::First,
            "last" => Aggregation::Last,
            _ => {
                let number = text
                    .strip_prefix("percentile_")
                    .or_else(|| text.strip_prefix('p'));
                match number.and_then(percent) {
                    Some(p) => Aggregation::Percentile(p),
                    None => {
                        let names = Self::NAMES.map(|n| if n == "percentile" { "p90" } else { n });
                        return Err(Error::not_found("aggregation", text, names));
                    }
                }
            }
        })
    }

    /// The name that `parse` reads.
    pub fn name(&self) -> String {
        match self {
            Aggregation::Count => "count".into(),
            Aggregation::Distinct => "distinct".into(),
            Aggregation::Sum => "sum".into(),
            Aggregation::Mean => "mean".into(),
            Aggregation::Std => "std".into(),
            Aggregation::Min => "min".into(),
            Aggregation::Max => "max".into(),
            Aggregation::Median => "median".into(),
            Aggregation::Percentile(p) => format!("p{p}"),
            Aggregation::First => "first".into(),
            Aggregation::Last => "last".into(),
        }
    }

    fn needs_numbers(&self) -> bool {
        use Aggregation::*;
        matches!(self, Sum | Mean | Std | Median | Percentile(_))
    }
}

/// One column of a grouped table.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub column: String,
    pub aggregation: Aggregation,
    /// Name of the new column; None for `mean_height`-like names.
    pub name: Option<String>,
}

impl Table {
    /// The rows of each combination of values of the key columns, in the order of first appearance. Missing values
    /// make a group of their own.
    pub fn groups(&self, keys: &[impl AsRef<str>]) -> Result<Vec<Vec<usize>>> {
        let columns = keys
            .iter()
            .map(|k| self.column(k.as_ref()))
            .collect::<Result<Vec<_>>>()?;
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut position: HashMap<Vec<Key>, usize> = HashMap::new();
        for row in 0..self.rows() {
            let key = columns.iter().map(|c| Key::of(&c.get(row))).collect();
            let index = *position.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[index].push(row);
        }
        Ok(groups)
    }

    /// One row a group: the key columns, then the aggregates. Without keys the whole table is one group.
    ///
    /// # Errors
    /// When a column is not there, a sum, mean, std, median or percentile is asked of a column that is not numeric,
    /// or two new columns have the same name.
    pub fn group_by(&self, keys: &[impl AsRef<str>], aggregates: &[Aggregate]) -> Result<Table> {
        let groups = match keys.is_empty() {
            true => vec![(0..self.rows()).collect()],
            false => self.groups(keys)?,
        };
        let firsts: Vec<usize> = if keys.is_empty() {
            Vec::new()
        } else {
            groups.iter().map(|g| g[0]).collect()
        };
        let mut columns = self.select(keys)?.take(&firsts).columns;
        for Aggregate {
            column: name,
            aggregation,
            name: new_name,
        } in aggregates
        {
            let column = self.column(name)?;
            if aggregation.needs_numbers() && !column.kind().is_numeric() {
                return Err(Error::argument(
                    format!("column `{name}`"),
                    format!("numeric for `{}`", aggregation.name()),
                    column.kind().with_article(),
                ));
            }
            let values = groups
                .iter()
                .map(|rows| aggregate(column, aggregation, rows))
                .collect();
            let new_name = new_name
                .clone()
                .unwrap_or_else(|| format!("{}_{name}", aggregation.name()));
            columns.push((new_name, Column::from_values(values)));
        }
        let mut table = Table::new(columns)?;
        table.rows = groups.len();
        Ok(table)
    }
}

/// Of the rows given; `Missing` where there is no value to compute of, except counts and sums, which are 0.
pub(super) fn aggregate(column: &Column, aggregation: &Aggregation, rows: &[usize]) -> Value {
    let present = || rows.iter().copied().filter(|&row| !column.is_missing(row));
    let numbers = || present().filter_map(|row| column.get(row).as_f64());
    let moments = || {
        let mut moments = Moments::default();
        numbers().for_each(|x| moments.add(x));
        moments
    };
    let get = |row: Option<usize>| row.map_or(Value::Missing, |row| column.get(row));
    match aggregation {
        Aggregation::Count => Value::Integer(present().count() as i64),
        Aggregation::Distinct => {
            let keys: std::collections::HashSet<Key> =
                present().map(|row| Key::of(&column.get(row))).collect();
            Value::Integer(keys.len() as i64)
        }
        Aggregation::Sum => match column {
            // Whole numbers stay whole as long as 64 bits hold them.
            Column::Integer(v) => match present().filter_map(|r| v[r]).try_fold(0i64, i64::checked_add) {
                Some(sum) => Value::Integer(sum),
                None => Value::Float(moments().sum()),
            },
            _ => Value::Float(moments().sum()),
        },
        Aggregation::Mean => Value::Float(moments().mean()),
        Aggregation::Std => Value::Float(moments().std()),
        Aggregation::Min => get(present().min_by(|&a, &b| column.compare(a, b, false))),
        // The first of equals, as for the minimum.
        Aggregation::Max => get(present().min_by(|&a, &b| column.compare(a, b, true))),
        Aggregation::Median => Value::Float(percentile(&mut numbers().collect::<Vec<_>>(), 50.0)),
        Aggregation::Percentile(p) => Value::Float(percentile(&mut numbers().collect::<Vec<_>>(), *p)),
        Aggregation::First => get(present().next()),
        Aggregation::Last => get(present().next_back()),
    }
}

/// A value as a key: whole floats equal integers, so that `1` meets `1.0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Missing,
    Bool(bool),
    Integer(i64),
    Float(u64),
    Text(String),
    Time(jiff::Timestamp),
}

impl Key {
    pub(super) fn of(value: &Value) -> Key {
        match value {
            value if value.is_missing() => Key::Missing,
            Value::Missing => Key::Missing,
            Value::Bool(b) => Key::Bool(*b),
            Value::Integer(i) => Key::Integer(*i),
            Value::Float(x) => whole(*x).map_or(Key::Float(x.to_bits()), Key::Integer),
            Value::Text(s) => Key::Text(s.clone()),
            Value::Time(t) => Key::Time(*t),
            Value::Nested(v) => Key::Text(v.to_string()),
        }
    }
}
