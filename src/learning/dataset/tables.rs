//! A dataset as tables and as text.

use std::fmt::Write;

use super::{Dataset, Side, codes_text};
use crate::error::{Choice, Result, counted};
use crate::table::{DisplayOptions, Table, Value};

type Row = Vec<(String, Value)>;

fn integer(name: &str, n: u64) -> (String, Value) {
    (name.to_string(), Value::Integer(n as i64))
}

fn text(name: &str, value: &str) -> (String, Value) {
    (name.to_string(), Value::Text(value.to_string()))
}

impl Dataset {
    fn sides(&self) -> impl Iterator<Item = Side> + '_ {
        let sides = Side::ALL.iter().map(|(_, side)| *side);
        sides.filter(|side| self.chips.iter().any(|chip| chip.side == *side))
    }

    /// A row for each side: scenes, chips, labelled pixels, and the share of each class among them.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn table(&self) -> Result<Table> {
        Table::from_rows(self.sides().map(|side| {
            let chips = self.chips.iter().filter(|chip| chip.side == side);
            let mut scenes: Vec<usize> = chips.clone().map(|chip| chip.scene).collect();
            scenes.dedup();
            let counts = self.counts(side);
            let labelled: u64 = counts.iter().sum();
            let mut row: Row = vec![
                text("side", side.name()),
                integer("scenes", scenes.len() as u64),
                integer("chips", chips.count() as u64),
                integer("labelled", labelled),
            ];
            for (name, n) in self.classes.names().iter().zip(&counts) {
                row.push((format!("share {name}"), Value::Float(*n as f64 / labelled as f64)));
            }
            row
        }))
    }

    /// A row for each chip (of one side): number, side, scene, group, first row and column, share of labelled pixels, and of each class among them.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn chip_table(&self, side: Option<Side>) -> Result<Table> {
        let chips = self.chips.iter().enumerate();
        let wanted = chips.filter(|(_, chip)| side.is_none_or(|side| chip.side == side));
        Table::from_rows(wanted.map(|(number, chip)| {
            let labelled = chip.labelled();
            let mut row: Row = vec![
                integer("chip", number as u64 + 1),
                text("side", chip.side.name()),
                integer("scene", chip.scene as u64 + 1),
                text("group", &self.scenes[chip.scene].group),
                (String::from("row"), Value::Integer(chip.window.row as i64)),
                (String::from("col"), Value::Integer(chip.window.col as i64)),
                (
                    String::from("labelled"),
                    Value::Float(labelled as f64 / (self.chip * self.chip) as f64),
                ),
            ];
            for (name, n) in self.classes.names().iter().zip(&chip.counts) {
                row.push((format!("share {name}"), Value::Float(*n as f64 / labelled as f64)));
            }
            row
        }))
    }

    pub fn line(&self) -> String {
        let of_sides = self
            .sides()
            .map(|side| format!("{} {}", self.of(side).len(), side.name()));
        format!(
            "Dataset of {} ({}) of {} × {} pixels in {}",
            counted(self.chips.len(), "chip"),
            of_sides.collect::<Vec<_>>().join(", "),
            self.chip,
            self.chip,
            counted(self.scenes.len(), "scene")
        )
    }

    /// Everything, for people.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn listing(&self) -> Result<String> {
        let table = self.table()?.render(&DisplayOptions::default());
        // Its size and the types of its columns say nothing here.
        let mut out = format!("{}\n", self.line());
        for (_, line) in table.lines().enumerate().filter(|(i, _)| *i != 0 && *i != 2) {
            let _ = writeln!(out, "{line}");
        }
        let bands = self
            .scenes
            .first()
            .map_or_else(Vec::new, |scene| scene.image.band_names());
        let classes: Vec<String> = self
            .classes
            .names()
            .iter()
            .enumerate()
            .map(|(i, name)| format!("{i} {name}"))
            .collect();
        let _ = write!(out, "bands {}; classes {}", bands.join(", "), classes.join(", "));
        let _ = write!(
            out,
            "\n{} left out with labels in less than {} % of their pixels",
            counted(self.too_few, "chip"),
            100.0 * self.minimum_labelled
        );
        if self.dropped > 0 {
            let _ = write!(
                out,
                ", {} because they share ground with another side",
                self.dropped
            );
        }
        if !self.strangers.is_empty() {
            let _ = write!(out, "\nnot taken for labels: {}", codes_text(&self.strangers));
        }
        for names in &self.joined {
            let _ = write!(
                out,
                "\non one side, because they share ground: {}",
                names.join(", ")
            );
        }
        Ok(out)
    }
}
