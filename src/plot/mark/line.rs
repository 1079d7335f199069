//! A line through points.

use std::sync::Arc;

use super::look::{Dash, Marker};
use super::{Ink, Mark, Page, Scatter, same_length};
use crate::error::Result;
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, stroked};
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Stroke};
use crate::plot::symbols::symbols;
use crate::plot::turned;
use crate::raster::{Bounds, Transformer};

/// A line through points in their order.
#[derive(Debug, Clone)]
pub struct Line {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// Name in the legend; empty for none.
    pub label: String,
    /// None takes the next colour of the cycle.
    pub color: Option<Color>,
    /// Points; 0 draws the markers only.
    pub width: f64,
    pub dash: Dash,
    pub marker: Option<Marker>,
    /// Diameter in points.
    pub marker_size: f64,
}

impl Line {
    pub const WIDTH: f64 = 1.4;

    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Line {
        Line {
            x,
            y,
            label: String::new(),
            color: None,
            width: Line::WIDTH,
            dash: Dash::Solid,
            marker: None,
            marker_size: Scatter::MARKER_SIZE,
        }
    }
}

impl Mark for Line {
    fn check(&self) -> Result<()> {
        same_length("y", self.x.len(), self.y.len())
    }

    fn reach(&self, extent: &mut Extent) {
        extent.points(&self.x, &self.y);
    }

    fn colors(&self) -> Vec<Option<Color>> {
        vec![self.color]
    }

    fn entries(&self, ink: &Ink) -> Vec<LegendEntry> {
        let key = Key::Line {
            color: ink.color(),
            width: self.width,
            dash: self.dash,
            marker: self.marker.map(|m| (m, self.marker_size)),
            halo: None,
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        out.path(&frame.points(&self.x, &self.y), frame);
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let color = ink.color();
        let points = frame.points(&self.x, &self.y);
        let mut items = Vec::new();
        if self.width > 0.0 {
            let stroke = Stroke {
                color,
                width: self.width,
                dash: self.dash.pattern(self.width),
            };
            items.extend(stroked(frame.line(&points, false), stroke));
        }
        if let Some(marker) = self.marker {
            let at = frame.visible(&points, self.marker_size);
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
        let offsets = turned::offsets(self.x.iter().copied(), images, turn);
        if offsets == [0.0] {
            return None;
        }
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        for offset in offsets {
            if !xs.is_empty() {
                // A gap.
                xs.push(f64::NAN);
                ys.push(f64::NAN);
            }
            xs.extend(self.x.iter().map(|x| x + offset));
            ys.extend_from_slice(&self.y);
        }
        Some(Arc::new(Line {
            x: xs,
            y: ys,
            ..self.clone()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_images_round_the_globe_and_stays_where_they_are_not() {
        let images = |max_x: f64| Bounds {
            min_x: 0.0,
            min_y: -90.0,
            max_x,
            max_y: 90.0,
        };
        let line = Line::new(vec![-10.0, -20.0], vec![1.0, 2.0]);
        let moved = line.turned(&images(360.0), 360.0).unwrap();
        let mut extent = Extent::new(Default::default(), Default::default());
        moved.reach(&mut extent);
        assert_eq!(extent.x.extent(), Some((340.0, 350.0)));
        assert!(line.turned(&images(40.0), 360.0).is_none());
    }
}
