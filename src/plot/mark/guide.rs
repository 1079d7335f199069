//! A straight line across the panel.

use super::look::Dash;
use super::{Ink, Mark, Page};
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, stroked};
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Stroke};

/// A straight line across the whole panel: a threshold, a date.
#[derive(Debug, Clone)]
pub struct Guide {
    pub at: f64,
    /// At an x (true) or a y.
    pub vertical: bool,
    pub label: String,
    pub color: Color,
    pub width: f64,
    pub dash: Dash,
}

impl Guide {
    pub const COLOR: Color = Color::grey(60);
    pub const WIDTH: f64 = 1.0;

    pub fn new(at: f64, vertical: bool) -> Guide {
        Guide {
            at,
            vertical,
            label: String::new(),
            color: Guide::COLOR,
            width: Guide::WIDTH,
            dash: Dash::Dashed,
        }
    }

    fn ends(&self, frame: &Frame) -> [(f64, f64); 2] {
        let r = frame.rect;
        if self.vertical {
            let x = r.x + frame.x.position(self.at) * r.width;
            [(x, r.bottom()), (x, r.y)]
        } else {
            let y = r.bottom() - frame.y.position(self.at) * r.height;
            [(r.x, y), (r.right(), y)]
        }
    }
}

impl Mark for Guide {
    fn reach(&self, extent: &mut Extent) {
        match self.vertical {
            true => extent.x.points(&[self.at]),
            false => extent.y.points(&[self.at]),
        }
    }

    fn entries(&self, _: &Ink) -> Vec<LegendEntry> {
        let key = Key::Line {
            color: self.color,
            width: self.width,
            dash: self.dash,
            marker: None,
            halo: None,
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        out.path(&self.ends(frame), frame);
    }

    fn draw(&self, _: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let stroke = Stroke {
            color: self.color,
            width: self.width,
            dash: self.dash.pattern(self.width),
        };
        stroked(frame.line(&self.ends(frame), false), stroke)
            .into_iter()
            .collect()
    }
}
