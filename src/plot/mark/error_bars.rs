//! Points with their errors.

use std::sync::Arc;

use super::look::Marker;
use super::{Ink, Mark, Page, same_length};
use crate::error::Result;
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, clip_segment, stroked};
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Path, Stroke};
use crate::plot::symbols::symbols;
use crate::plot::turned;
use crate::raster::{Bounds, Transformer};

/// Points with the reach of their error, `(below, above)`, both as positive lengths.
#[derive(Debug, Clone)]
pub struct ErrorBars {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub x_error: Option<(Vec<f64>, Vec<f64>)>,
    pub y_error: Option<(Vec<f64>, Vec<f64>)>,
    pub label: String,
    pub color: Option<Color>,
    pub marker: Option<Marker>,
    pub marker_size: f64,
    pub width: f64,
    /// Width of the bar's ends in points; 0 for none.
    pub cap: f64,
}

impl ErrorBars {
    pub const MARKER_SIZE: f64 = 4.5;

    /// Symmetric errors in y.
    pub fn new(x: Vec<f64>, y: Vec<f64>, error: Vec<f64>) -> ErrorBars {
        ErrorBars {
            x,
            y,
            x_error: None,
            y_error: Some((error.clone(), error)),
            label: String::new(),
            color: None,
            marker: Some(Marker::Circle),
            marker_size: ErrorBars::MARKER_SIZE,
            width: 1.0,
            cap: 5.0,
        }
    }

    /// Widths of the bars and their ends: small markers stand for many points, which thick bars would hide.
    fn thickness(&self) -> (f64, f64) {
        match self.marker {
            Some(_) => (
                self.width.min(0.3 * self.marker_size),
                self.cap.min(1.2 * self.marker_size),
            ),
            None => (self.width, self.cap),
        }
    }
}

impl Mark for ErrorBars {
    fn check(&self) -> Result<()> {
        let x = self.x.len();
        same_length("y", x, self.y.len())?;
        for (below, above) in self.x_error.iter().chain(&self.y_error) {
            same_length("error", x, below.len())?;
            same_length("error", x, above.len())?;
        }
        Ok(())
    }

    fn reach(&self, extent: &mut Extent) {
        extent.x.with_errors(&self.x, self.x_error.as_ref());
        extent.y.with_errors(&self.y, self.y_error.as_ref());
    }

    fn colors(&self) -> Vec<Option<Color>> {
        vec![self.color]
    }

    fn entries(&self, ink: &Ink) -> Vec<LegendEntry> {
        let (width, cap) = self.thickness();
        let key = Key::ErrorBar {
            color: ink.color(),
            width,
            cap,
            marker: self.marker.map(|m| (m, self.marker_size)),
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        for (i, (&x, &y)) in self.x.iter().zip(&self.y).enumerate() {
            let (below, above) = self.y_error.as_ref().map_or((0.0, 0.0), |(b, a)| (b[i], a[i]));
            out.path(&[frame.clamped(x, y - below), frame.clamped(x, y + above)], frame);
        }
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let color = ink.color();
        let mut steps = Vec::new();
        let mut bar = |a: (f64, f64), b: (f64, f64), cap: (f64, f64)| {
            for (from, to) in [
                (a, b),
                ((a.0 - cap.0, a.1 - cap.1), (a.0 + cap.0, a.1 + cap.1)),
                ((b.0 - cap.0, b.1 - cap.1), (b.0 + cap.0, b.1 + cap.1)),
            ] {
                if let Some((from, to)) =
                    clip_segment(from, to, &frame.rect.grown(20.0)).filter(|(a, b)| a != b)
                {
                    steps.extend(Path::polyline([from, to]).0);
                }
            }
        };
        let (width, cap) = self.thickness();
        let half = cap / 2.0;
        for (i, (&x, &y)) in self.x.iter().zip(&self.y).enumerate() {
            if let Some((below, above)) = &self.y_error {
                bar(
                    frame.clamped(x, y - below[i]),
                    frame.clamped(x, y + above[i]),
                    (half, 0.0),
                );
            }
            if let Some((below, above)) = &self.x_error {
                bar(
                    frame.clamped(x - below[i], y),
                    frame.clamped(x + above[i], y),
                    (0.0, half),
                );
            }
        }
        let mut items: Vec<Item> = stroked(Path(steps), Stroke::solid(color, width))
            .into_iter()
            .collect();
        if let Some(marker) = self.marker {
            let at = frame.visible(&frame.points(&self.x, &self.y), self.marker_size);
            items.push(symbols(marker, self.marker_size, at, vec![color], None));
        }
        items
    }

    fn transformed(&self, transformer: &Transformer, _: Option<f64>) -> Result<Option<Arc<dyn Mark>>> {
        let mut moved = self.clone();
        transformer.apply(&mut moved.x, &mut moved.y);
        Ok(Some(Arc::new(moved)))
    }

    fn turned(&self, images: &Bounds, turn: f64) -> Option<Arc<dyn Mark>> {
        let x = turned::points(&self.x, images, turn)?;
        Some(Arc::new(ErrorBars { x, ..self.clone() }))
    }
}
