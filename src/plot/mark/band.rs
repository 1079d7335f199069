//! The area between two curves.

use super::{Ink, Mark, Page, same_length};
use crate::error::Result;
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles};
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Path};

/// The area between two curves.
#[derive(Debug, Clone)]
pub struct Band {
    pub x: Vec<f64>,
    pub low: Vec<f64>,
    pub high: Vec<f64>,
    pub label: String,
    pub color: Option<Color>,
    pub opacity: f64,
}

impl Mark for Band {
    fn check(&self) -> Result<()> {
        same_length("low", self.x.len(), self.low.len())?;
        same_length("high", self.x.len(), self.high.len())
    }

    fn reach(&self, extent: &mut Extent) {
        extent.points(&self.x, &self.low);
        extent.y.points(&self.high);
    }

    fn colors(&self) -> Vec<Option<Color>> {
        vec![self.color]
    }

    fn entries(&self, ink: &Ink) -> Vec<LegendEntry> {
        let key = Key::Patch {
            fill: ink.color().with_opacity(self.opacity),
            outline: None,
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        out.path(&frame.points(&self.x, &self.low), frame);
        out.path(&frame.points(&self.x, &self.high), frame);
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let color = ink.color();
        let finite = |i: usize| self.x[i].is_finite() && self.low[i].is_finite() && self.high[i].is_finite();
        let fill = color.with_opacity(self.opacity);
        let indices: Vec<usize> = (0..self.x.len()).collect();
        indices
            .split(|i| !finite(*i))
            .filter(|run| run.len() > 1)
            .map(|run| {
                let upper = run.iter().map(|&i| frame.clamped(self.x[i], self.high[i]));
                let lower = run.iter().rev().map(|&i| frame.clamped(self.x[i], self.low[i]));
                Item::Path {
                    path: Path::polygon(upper.chain(lower)),
                    fill,
                    stroke: None,
                }
            })
            .collect()
    }
}
