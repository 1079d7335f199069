//! What a training has come to, as tables, a figure and text.

use std::fmt::Write;

use super::history::{Epoch, Pace};
use crate::error::Result;
use crate::learning::network::UNet;
use crate::plot::{Axes, Axis, Figure, Line};
use crate::table::{DisplayOptions, Table, Value};

/// Of one training, whichever runs it was done in.
#[derive(Debug, Clone)]
pub struct Report {
    pub network: UNet,
    pub classes: Vec<String>,
    pub epochs: Vec<Epoch>,
    /// The number of the best epoch, from 1 on.
    pub best: usize,
    /// Of the epochs of this run.
    pub pace: Pace,
}

fn number(name: impl Into<String>, value: f64) -> (String, Value) {
    (name.into(), Value::Float(value))
}

impl Report {
    /// Of a training that has not begun.
    pub fn none(network: UNet, classes: &[String]) -> Report {
        Report {
            network,
            classes: classes.to_vec(),
            epochs: Vec::new(),
            best: 0,
            pace: Pace::default(),
        }
    }

    /// The epoch whose model was kept.
    pub fn best(&self) -> Option<&Epoch> {
        self.epochs.get(self.best.checked_sub(1)?)
    }

    /// A row for each epoch: learning rate, losses, and of the validation chips accuracy, mean IoU, and IoU of each class.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn history(&self) -> Result<Table> {
        Table::from_rows(self.epochs.iter().enumerate().map(|(i, epoch)| {
            let confusion = epoch.confusion();
            let overall = confusion.overall();
            let mut row = vec![
                ("epoch".to_string(), Value::Integer(i as i64 + 1)),
                number("learning_rate", epoch.learning_rate),
                number("training_loss", epoch.training_loss),
                number("validation_loss", epoch.validation_loss),
                number("accuracy", overall.accuracy),
                number("mean_iou", overall.mean_iou),
            ];
            let named = self.classes.iter().enumerate();
            row.extend(named.map(|(class, name)| number(format!("iou {name}"), confusion.class(class).iou)));
            row
        }))
    }

    /// Precision, recall, F1 and IoU of each class, of the best epoch's validation chips.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn by_class(&self) -> Result<Table> {
        let confusion = self.best().map(Epoch::confusion);
        let rows = self.classes.iter().enumerate().filter_map(|(class, name)| {
            let confusion = confusion.as_ref()?;
            let of = confusion.class(class);
            Some(vec![
                ("class".to_string(), Value::Text(name.clone())),
                (
                    "labelled".to_string(),
                    Value::Integer(confusion.labelled(class) as i64),
                ),
                number("precision", of.precision),
                number("recall", of.recall),
                number("f1", of.f1),
                number("iou", of.iou),
            ])
        });
        Table::from_rows(rows)
    }

    /// Of the time of this run, the share that the device has waited for chips.
    pub fn waited(&self) -> f64 {
        self.pace.waited / self.pace.seconds
    }

    pub fn line(&self) -> String {
        let Some(best) = self.best() else {
            return format!("{}, not trained", self.network);
        };
        let overall = best.confusion().overall();
        format!(
            "{}: {} epochs, the best the {}. with validation loss {:.4}, mean IoU {:.3}, accuracy {:.3}",
            self.network,
            self.epochs.len(),
            self.best,
            best.validation_loss,
            overall.mean_iou,
            overall.accuracy
        )
    }

    /// The line, and the measures of each class.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn listing(&self) -> Result<String> {
        let mut text = self.line();
        if self.pace.seconds > 0.0 {
            let _ = write!(
                text,
                "\n{:.1} chips a second; the device waited {:.1} % of the time",
                self.pace.samples as f64 / self.pace.seconds,
                100.0 * self.waited()
            );
        }
        let _ = write!(text, "\n{}", self.by_class()?.render(&DisplayOptions::default()));
        Ok(text)
    }

    /// Losses on the left, IoU on the right, by epoch.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn figure(&self) -> Result<Figure> {
        let x: Vec<f64> = (1..=self.epochs.len()).map(|epoch| epoch as f64).collect();
        let line = |label: &str, of: &dyn Fn(&Epoch) -> f64| {
            let mut line = Line::new(x.clone(), self.epochs.iter().map(of).collect());
            line.label = label.to_string();
            line
        };
        let axis = |label: &str| Axis {
            label: label.to_string(),
            ..Axis::default()
        };
        let (mut losses, mut measures) = (Axes::chart(), Axes::chart());
        losses.add(line("Training", &|epoch| epoch.training_loss));
        losses.add(line("Validation", &|epoch| epoch.validation_loss));
        (losses.x, losses.y) = (axis("Epoch"), axis("Loss"));
        for (class, name) in self.classes.iter().enumerate() {
            measures.add(line(name, &|epoch| epoch.confusion().class(class).iou));
        }
        (measures.x, measures.y) = (axis("Epoch"), axis("IoU of the validation chips"));
        measures.y.limits = Some((0.0, 1.0));
        let mut figure = Figure::new(1, 2);
        figure.share_axes = false;
        figure.axes = vec![losses, measures];
        Ok(figure)
    }
}
