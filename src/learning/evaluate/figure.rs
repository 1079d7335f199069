//! The confusion matrix as a figure.

use ndarray::Array2;

use super::Evaluation;
use crate::error::Result;
use crate::plot::{
    Anchor, Axes, Axis, ColorBar, Colormap, Figure, Image, Legend, Level, Note, Stretch, TickChoice,
};

/// Of more classes the numbers would be too small to read.
const WRITTEN: usize = 12;

impl Evaluation {
    /// Rows are labels, columns predictions; colours and numbers are shares of the row, so that the diagonal shows recall.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn figure(&self) -> Result<Figure> {
        let (names, n) = (self.classes.names(), self.classes.len());
        let shares = Array2::from_shape_fn((n, n), |(label, predicted)| {
            let of = self.total.labelled(label);
            (self.total.get(label, predicted) as f64 / of as f64) as f32
        });
        let mut image = Image::new(shares.clone(), None);
        image.colormap = Colormap::named("blues")?;
        image.stretch = Stretch::Fixed(Some(0.0), Some(1.0));
        let colors = image.colormap.clone();
        let mut axes = Axes::chart();
        axes.add(image);
        if n <= WRITTEN {
            for ((label, predicted), &share) in shares.indexed_iter() {
                let (x, y) = (predicted as f64 + 0.5, label as f64 + 0.5);
                let pixels = self.total.get(label, predicted);
                let written = match share.is_nan() {
                    true => "no labels".to_string(),
                    false => format!("{:.1} %\n{}", 100.0 * share, grouped(pixels)),
                };
                let mut note = Note::new(x, y, written);
                (note.anchor, note.level) = (Anchor::Middle, Level::Middle);
                note.color = match share.is_nan() {
                    true => crate::plot::Color::BLACK,
                    false => colors.color(f64::from(share)).contrast(),
                };
                axes.add(note);
            }
        }
        let ticks = || {
            TickChoice::At(
                names
                    .iter()
                    .enumerate()
                    .map(|(i, n)| (i as f64 + 0.5, n.clone()))
                    .collect(),
            )
        };
        let side = |label: &str| Axis {
            label: label.to_string(),
            ticks: ticks(),
            ..Axis::default()
        };
        axes.x = side("Predicted");
        axes.y = side("Labelled");
        axes.y.limits = Some((n as f64, 0.0));
        axes.x.limits = Some((0.0, n as f64));
        axes.legend = Legend::None;
        axes.color_bar = Some(ColorBar::new("Share of the labelled pixels"));
        let m = self.total.overall();
        axes.title = format!(
            "Accuracy {:.3}, kappa {:.3}, mean IoU {:.3}",
            m.accuracy, m.kappa, m.mean_iou
        );
        let mut figure = Figure::of(axes);
        let side = (n as f64 * 0.9).clamp(2.2, 6.0);
        (figure.width, figure.height) = (Some(side + 1.8), Some(side + 0.9));
        Ok(figure)
    }
}

/// 1234567 as 1 234 567.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}
