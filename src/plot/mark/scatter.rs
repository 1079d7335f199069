//! Points.

use std::sync::Arc;

use super::look::Marker;
use super::{Ink, Mark, Page, Valued, same_length};
use crate::error::Result;
use crate::plot::color::Color;
use crate::plot::colormap::Colormap;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles};
use crate::plot::reach::Extent;
use crate::plot::scene::Item;
use crate::plot::stretch::{Norm, Stretch};
use crate::plot::symbols::symbols;
use crate::plot::turned;
use crate::raster::{Bounds, Transformer};

/// Points, in one colour or by value in a colour map.
#[derive(Debug, Clone)]
pub struct Scatter {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// One value a point, shown in the colour map; points whose value is NaN are left out.
    pub values: Option<Vec<f32>>,
    pub colormap: Colormap,
    pub stretch: Stretch,
    pub norm: Norm,
    pub label: String,
    pub color: Option<Color>,
    pub marker: Marker,
    /// Diameter in points.
    pub size: f64,
    pub opacity: f64,
    /// Colour of a thin line around each mark, for legibility on images.
    pub outline: Option<Color>,
}

impl Scatter {
    pub const MARKER_SIZE: f64 = 5.0;

    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Scatter {
        Scatter {
            x,
            y,
            values: None,
            colormap: Colormap::default(),
            stretch: Stretch::default(),
            norm: Norm::default(),
            label: String::new(),
            color: None,
            marker: Marker::Circle,
            size: Scatter::MARKER_SIZE,
            opacity: 1.0,
            outline: None,
        }
    }
}

impl Mark for Scatter {
    fn check(&self) -> Result<()> {
        same_length("y", self.x.len(), self.y.len())?;
        match &self.values {
            Some(values) => same_length("values", self.x.len(), values.len()),
            None => Ok(()),
        }
    }

    fn reach(&self, extent: &mut Extent) {
        extent.points(&self.x, &self.y);
    }

    fn colors(&self) -> Vec<Option<Color>> {
        match self.values {
            Some(_) => Vec::new(),
            None => vec![self.color],
        }
    }

    fn valued(&self) -> Option<Valued<'_>> {
        self.values.as_ref().map(|values| Valued {
            values: Box::new(values.iter()),
            colormap: &self.colormap,
            stretch: self.stretch,
            norm: self.norm,
        })
    }

    fn entries(&self, ink: &Ink) -> Vec<LegendEntry> {
        let key = Key::Mark {
            color: match &self.values {
                Some(_) => self.colormap.color(0.5),
                None => ink.color().with_opacity(self.opacity),
            },
            marker: self.marker,
            size: self.size,
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        out.points(&frame.points(&self.x, &self.y), frame);
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let color = ink.color();
        let points = frame.points(&self.x, &self.y);
        let (Some(values), Some(limits)) = (&self.values, ink.limits.first()) else {
            let at = frame.visible(&points, self.size);
            return vec![symbols(
                self.marker,
                self.size,
                at,
                vec![color.with_opacity(self.opacity)],
                self.outline,
            )];
        };
        let near = frame.rect.grown(self.size);
        let (at, fills): (Vec<_>, Vec<_>) = points
            .iter()
            .zip(values)
            .filter(|((x, y), v)| near.contains(*x, *y) && v.is_finite())
            .map(|(p, v)| {
                let fill = self.colormap.color(limits.position(f64::from(*v)));
                (*p, fill.with_opacity(self.opacity))
            })
            .unzip();
        vec![symbols(self.marker, self.size, at, fills, self.outline)]
    }

    fn transformed(&self, transformer: &Transformer, _: Option<f64>) -> Result<Option<Arc<dyn Mark>>> {
        let mut moved = self.clone();
        transformer.apply(&mut moved.x, &mut moved.y);
        Ok(Some(Arc::new(moved)))
    }

    fn turned(&self, images: &Bounds, turn: f64) -> Option<Arc<dyn Mark>> {
        let x = turned::points(&self.x, images, turn)?;
        Some(Arc::new(Scatter { x, ..self.clone() }))
    }
}
