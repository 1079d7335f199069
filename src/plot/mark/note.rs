//! Text at a point.

use std::sync::Arc;

use super::{Ink, Mark, Page};
use crate::error::{Domain, Result};
use crate::plot::color::Color;
use crate::plot::place::{Frame, Obstacles};
use crate::plot::reach::Extent;
use crate::plot::scene::{Anchor, Item, Level, Text};
use crate::plot::turned;
use crate::raster::{Bounds, Transformer};

/// Text at a point.
#[derive(Debug, Clone)]
pub struct Note {
    pub x: f64,
    pub y: f64,
    pub text: String,
    pub color: Color,
    /// Font size in points; None for the figure's.
    pub size: Option<f64>,
    pub anchor: Anchor,
    pub level: Level,
    pub rotation: f64,
    /// Outline of the letters, for legibility on images.
    pub halo: Option<Color>,
}

impl Note {
    pub const SIZES: Domain = Domain::above(0.0).in_unit("points");

    pub fn new(x: f64, y: f64, text: impl Into<String>) -> Note {
        Note {
            x,
            y,
            text: text.into(),
            color: Color::BLACK,
            size: None,
            anchor: Anchor::Start,
            level: Level::Baseline,
            rotation: 0.0,
            halo: None,
        }
    }
}

impl Mark for Note {
    fn reach(&self, extent: &mut Extent) {
        extent.points(&[self.x], &[self.y]);
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        out.points(&[frame.place(self.x, self.y)], frame);
    }

    fn is_text(&self) -> bool {
        true
    }

    fn draw(&self, _: &Ink, frame: &Frame, page: &Page) -> Vec<Item> {
        let (x, y) = frame.place(self.x, self.y);
        if !frame.rect.contains(x, y) {
            return Vec::new();
        }
        let size = self.size.unwrap_or(page.style.label);
        let mut text = Text::new(&self.text, x, y, size).anchored(self.anchor, self.level);
        text.color = self.color;
        text.rotation = self.rotation;
        text.halo = self.halo.map(|c| (c, size * 0.14));
        vec![Item::Text(text)]
    }

    fn transformed(&self, transformer: &Transformer, _: Option<f64>) -> Result<Option<Arc<dyn Mark>>> {
        let (mut x, mut y) = ([self.x], [self.y]);
        transformer.apply(&mut x, &mut y);
        Ok(Some(Arc::new(Note {
            x: x[0],
            y: y[0],
            ..self.clone()
        })))
    }

    fn turned(&self, images: &Bounds, turn: f64) -> Option<Arc<dyn Mark>> {
        let x = turned::points(&[self.x], images, turn)?[0];
        Some(Arc::new(Note { x, ..self.clone() }))
    }
}
