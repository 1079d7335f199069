//! Groups of rows and what is computed of them.

use std::collections::HashSet;

use super::key::Groups;
use super::{Column, Table};
use crate::error::{Error, Result};
use crate::statistics::{Moments, percentile};

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
    ///
    /// # Errors
    /// A name that is none of these; a percentile that is not from 0 to 100.
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
    ///
    /// # Errors
    /// When a key column is not there.
    pub fn groups(&self, keys: &[impl AsRef<str>]) -> Result<Vec<Vec<usize>>> {
        Ok(self.grouped(keys)?.rows())
    }

    fn grouped(&self, keys: &[impl AsRef<str>]) -> Result<Groups> {
        let mut groups: Option<Groups> = None;
        for key in keys {
            let of_key = Groups::of(self.column(key.as_ref())?);
            groups = Some(match groups {
                Some(groups) => groups.within(&of_key),
                None => of_key,
            });
        }
        Ok(groups.unwrap_or_else(|| Groups::whole(self.rows())))
    }

    /// One row a group: the key columns, then the aggregates. Without keys the whole table is one group.
    ///
    /// # Errors
    /// When a column is not there, a sum, mean, std, median or percentile is asked of a column that is not numeric,
    /// or two new columns have the same name.
    pub fn group_by(&self, keys: &[impl AsRef<str>], aggregates: &[Aggregate]) -> Result<Table> {
        let groups = self.grouped(keys)?;
        let mut columns = self.select(keys)?.take(&groups.firsts).columns;
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
            let new_name = new_name
                .clone()
                .unwrap_or_else(|| format!("{}_{name}", aggregation.name()));
            columns.push((new_name, aggregate(column, aggregation, &groups)));
        }
        let mut table = Table::new(columns)?;
        table.rows = groups.count;
        Ok(table)
    }
}

/// One value for each group, missing where there is none to compute of, except counts and sums, which are 0.
pub(super) fn aggregate(column: &Column, aggregation: &Aggregation, groups: &Groups) -> Column {
    let rows = || {
        let all = groups.of_row.iter().map(|group| *group as usize).enumerate();
        all.filter(|(row, _)| !column.is_missing(*row))
    };
    match aggregation {
        Aggregation::Count => {
            let mut counts = vec![0i64; groups.count];
            rows().for_each(|(_, group)| counts[group] += 1);
            whole_numbers(counts)
        }
        Aggregation::Distinct => {
            let mut counts = vec![0i64; groups.count];
            let values = Groups::of(column);
            let mut seen = HashSet::new();
            for (row, group) in rows() {
                if seen.insert((group, values.of_row[row])) {
                    counts[group] += 1;
                }
            }
            whole_numbers(counts)
        }
        Aggregation::Sum => match column {
            // Whole numbers stay whole as long as 64 bits hold them.
            Column::Integer(v) => {
                let mut sums = vec![0i128; groups.count];
                rows().for_each(|(row, group)| sums[group] += i128::from(v.value(row)));
                let whole = |sum: &i128| i64::try_from(*sum).ok();
                match sums.iter().all(|sum| whole(sum).is_some()) {
                    true => Column::integers(sums.iter().map(whole)),
                    false => Column::floats(sums.iter().map(|sum| *sum as f64).collect()),
                }
            }
            _ => Column::floats(moments(column, groups).iter().map(Moments::sum).collect()),
        },
        Aggregation::Mean => Column::floats(moments(column, groups).iter().map(Moments::mean).collect()),
        Aggregation::Std => Column::floats(moments(column, groups).iter().map(Moments::std).collect()),
        Aggregation::Min => picked(column, groups, |new, old| column.compare(new, old, false).is_lt()),
        // The first of equals, as for the minimum.
        Aggregation::Max => picked(column, groups, |new, old| column.compare(new, old, true).is_lt()),
        Aggregation::Median => percentiles(column, groups, 50.0),
        Aggregation::Percentile(p) => percentiles(column, groups, *p),
        Aggregation::First => picked(column, groups, |_, _| false),
        Aggregation::Last => picked(column, groups, |_, _| true),
    }
}

fn whole_numbers(numbers: Vec<i64>) -> Column {
    Column::integers(numbers.into_iter().map(Some))
}

fn numbers<'a>(column: &'a Column, groups: &'a Groups) -> impl Iterator<Item = (usize, f64)> + 'a {
    let rows = groups.of_row.iter().enumerate();
    rows.filter_map(|(row, group)| Some((*group as usize, column.number(row)?)))
}

fn moments(column: &Column, groups: &Groups) -> Vec<Moments> {
    let mut moments = vec![Moments::default(); groups.count];
    numbers(column, groups).for_each(|(group, x)| moments[group].add(x));
    moments
}

fn percentiles(column: &Column, groups: &Groups, percent: f64) -> Column {
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); groups.count];
    numbers(column, groups).for_each(|(group, x)| values[group].push(x));
    Column::floats(
        values
            .iter_mut()
            .map(|values| percentile(values, percent))
            .collect(),
    )
}

/// Of each group the value of the row that no later one is `better` than.
fn picked(column: &Column, groups: &Groups, better: impl Fn(usize, usize) -> bool) -> Column {
    let mut rows: Vec<Option<usize>> = vec![None; groups.count];
    for (row, group) in groups.of_row.iter().enumerate() {
        let best = &mut rows[*group as usize];
        if !column.is_missing(row) && best.is_none_or(|best| better(row, best)) {
            *best = Some(row);
        }
    }
    column.take_optional(&rows)
}
