//! An evaluation as tables and as text.

use std::fmt::{self, Write};

use super::Evaluation;
use super::interval::{of_all, of_class};
use crate::error::{Result, counted};
use crate::learning::confusion::Confusion;
use crate::table::{DisplayOptions, Table, Value};

const OF_CLASS: [&str; 4] = ["precision", "recall", "f1", "iou"];
const OVERALL: [&str; 4] = ["accuracy", "kappa", "mean_f1", "mean_iou"];

type Row = Vec<(String, Value)>;

fn text(name: &str, value: &str) -> (String, Value) {
    (name.to_string(), Value::Text(value.to_string()))
}

fn number(name: &str, value: f64) -> (String, Value) {
    (name.to_string(), Value::Float(value))
}

fn pixels(name: &str, count: u64) -> (String, Value) {
    (name.to_string(), Value::Integer(count as i64))
}

/// Each measure, followed by the ends of its interval where there are any.
fn measures(names: [&str; 4], values: [f64; 4], ends: Option<[(f64, f64); 4]>) -> Row {
    let mut row = Row::new();
    for (i, (name, value)) in names.into_iter().zip(values).enumerate() {
        row.push(number(name, value));
        if let Some(ends) = ends {
            row.push(number(&format!("{name}_low"), ends[i].0));
            row.push(number(&format!("{name}_high"), ends[i].1));
        }
    }
    row
}

impl Evaluation {
    /// A row for each class of the labels: the pixels predicted as each class.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn matrix(&self) -> Result<Table> {
        let names = self.classes.names();
        Table::from_rows(names.iter().enumerate().map(|(label, name)| {
            let predicted = names.iter().enumerate();
            let counts = predicted.map(|(p, name)| pixels(&format!("as {name}"), self.total.get(label, p)));
            std::iter::once(text("labelled", name)).chain(counts).collect()
        }))
    }

    /// A row for each class: its pixels, precision, recall, F1 and IoU, with their intervals.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn by_class(&self) -> Result<Table> {
        Table::from_rows(self.classes.names().iter().enumerate().map(|(class, name)| {
            let ends = self.intervals.as_ref().map(|intervals| intervals.classes[class]);
            let mut row = vec![
                text("class", name),
                pixels("labelled", self.total.labelled(class)),
                pixels("predicted", self.total.predicted(class)),
            ];
            row.extend(measures(OF_CLASS, of_class(self.total.class(class)), ends));
            row
        }))
    }

    /// A row for each measure of all classes together.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn overall(&self) -> Result<Table> {
        let values = of_all(self.total.overall());
        Table::from_rows(
            OVERALL
                .into_iter()
                .zip(values)
                .enumerate()
                .map(|(i, (name, value))| {
                    let mut row = vec![text("measure", name), number("value", value)];
                    if let Some(intervals) = &self.intervals {
                        let (low, high) = intervals.overall[i];
                        row.extend([number("low", low), number("high", high)]);
                    }
                    row
                }),
        )
    }

    /// A row for each group.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn by_group(&self) -> Result<Table> {
        Table::from_rows(self.groups.iter().map(|(group, confusion)| {
            let mut row = vec![text("group", group)];
            row.extend(self.of(confusion));
            row
        }))
    }

    /// A row for each stratum.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn by_stratum(&self) -> Result<Table> {
        Table::from_rows(self.strata.iter().map(|(stratum, confusion)| {
            let mut row = vec![("stratum".to_string(), Value::Integer(*stratum))];
            row.extend(self.of(confusion));
            row
        }))
    }

    fn of(&self, confusion: &Confusion) -> Row {
        let mut row = vec![pixels("pixels", confusion.pixels())];
        row.extend(measures(OVERALL, of_all(confusion.overall()), None));
        for (class, name) in self.classes.names().iter().enumerate() {
            let m = confusion.class(class);
            for (measure, value) in OF_CLASS.into_iter().zip(of_class(m)) {
                row.push(number(&format!("{measure} {name}"), value));
            }
        }
        row
    }

    /// Numbers of all classes together, in one line.
    pub fn line(&self) -> String {
        let m = self.total.overall();
        format!(
            "Evaluation of {} in {}: accuracy {:.4}, kappa {:.4}, mean IoU {:.4}",
            counted(self.total.pixels() as usize, "pixel"),
            counted(self.groups.len(), "group"),
            m.accuracy,
            m.kappa,
            m.mean_iou
        )
    }

    /// Everything, for people.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn listing(&self) -> Result<String> {
        let (out, left) = (&mut String::new(), self.left_out);
        self.write(out, left)
            .map_err(|e| crate::error::Error::message(e.to_string()))?;
        Ok(std::mem::take(out))
    }

    fn write(&self, out: &mut String, left: super::LeftOut) -> fmt::Result {
        let ends = |ends: Option<(f64, f64)>| {
            ends.map_or(String::new(), |(low, high)| format!(" ({low:.3}–{high:.3})"))
        };
        writeln!(out, "{}", self.line())?;
        let share = |name: &str, value: f64, at: Option<(f64, f64)>| {
            let value = match value.is_nan() {
                true => "–".to_string(),
                false => format!("{value:.4}"),
            };
            text(name, &(value + &ends(at)))
        };
        let rows = self.classes.names().iter().enumerate().map(|(class, name)| {
            let mut row: Row = vec![text("class", name)];
            let at = self.intervals.as_ref().map(|intervals| intervals.classes[class]);
            for (i, (name, value)) in OF_CLASS
                .into_iter()
                .zip(of_class(self.total.class(class)))
                .enumerate()
            {
                row.push(share(name, value, at.map(|at| at[i])));
            }
            for (p, predicted) in self.classes.names().iter().enumerate() {
                row.push(pixels(&format!("as {predicted}"), self.total.get(class, p)));
            }
            row
        });
        let wide = DisplayOptions {
            max_rows: self.classes.len(),
            max_width: 140,
            ..DisplayOptions::default()
        };
        let table = Table::from_rows(rows).map_err(|_| fmt::Error)?.render(&wide);
        // Its size and the types of its columns say nothing here.
        for line in table
            .lines()
            .enumerate()
            .filter(|(i, _)| *i != 0 && *i != 2)
            .map(|(_, line)| line)
        {
            writeln!(out, "{line}")?;
        }
        let at = self.intervals.as_ref().map(|intervals| intervals.overall);
        let overall = OVERALL.into_iter().zip(of_all(self.total.overall())).enumerate();
        let words: Vec<String> = overall
            .map(|(i, (name, value))| format!("{} {value:.4}{}", spoken(name), ends(at.map(|at| at[i]))))
            .collect();
        writeln!(out, "{}", words.join(", "))?;
        write!(
            out,
            "left out: {} without a label, {} without a prediction, {} ignored",
            left.unlabelled, left.unpredicted, left.ignored
        )?;
        if let Some(intervals) = &self.intervals {
            let groups = self.groups.len();
            write!(
                out,
                "\n{} % intervals: percentile bootstrap over {groups} groups ({} resamples, seed {})",
                100.0 * intervals.confidence,
                intervals.resamples,
                intervals.seed
            )?;
            if groups < FEW {
                write!(out, "; of fewer than {FEW} groups they are too narrow")?;
            }
        }
        Ok(())
    }
}

fn spoken(measure: &str) -> &str {
    match measure {
        "mean_f1" => "mean F1",
        "mean_iou" => "mean IoU",
        other => other,
    }
}

/// Below this a bootstrap has too few groups to draw from: its intervals hold the truth less often than they say.
const FEW: usize = 10;
