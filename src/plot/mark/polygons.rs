//! Outlines of areas, and lines.

use std::sync::Arc;

use super::look::Dash;
use super::{Ink, Mark, Page};
use crate::error::Result;
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, clip_polygon, stroked};
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Path, Stroke};
use crate::plot::style::HALO;
use crate::plot::turned;
use crate::raster::follow::follow;
use crate::raster::{Bounds, Transformer};

/// Footprints, coastlines, areas: each polygon is a list of rings, the first its shell and the others holes.
#[derive(Debug, Clone)]
pub struct Polygons {
    pub polygons: Vec<Vec<Vec<(f64, f64)>>>,
    /// Rings that are lines: not closed, not filled.
    pub open: bool,
    pub label: String,
    /// Outline; None takes black.
    pub color: Option<Color>,
    /// Beneath the outline and a little wider, so that it shows on any ground.
    pub halo: Option<Color>,
    pub fill: Color,
    /// Points.
    pub width: f64,
    pub dash: Dash,
}

impl Polygons {
    pub const WIDTH: f64 = 1.0;

    pub fn new(polygons: Vec<Vec<Vec<(f64, f64)>>>) -> Polygons {
        Polygons {
            polygons,
            open: false,
            label: String::new(),
            color: None,
            halo: None,
            fill: Color::TRANSPARENT,
            width: Polygons::WIDTH,
            dash: Dash::Solid,
        }
    }

    /// A rectangle.
    pub fn rectangle(bounds: Bounds) -> Polygons {
        let b = bounds;
        let ring = vec![
            (b.min_x, b.min_y),
            (b.max_x, b.min_y),
            (b.max_x, b.max_y),
            (b.min_x, b.max_y),
        ];
        Polygons::new(vec![vec![ring]])
    }
}

impl Polygons {
    fn drawn(&self, frame: &Frame) -> Vec<Item> {
        let mut items = Vec::new();
        if let Some(color) = self.halo.filter(|_| self.width > 0.0) {
            let halo = Polygons {
                color: Some(color),
                halo: None,
                fill: Color::TRANSPARENT,
                width: self.width + HALO,
                ..self.clone()
            };
            items = halo.drawn(frame);
        }
        for polygon in &self.polygons {
            let rings: Vec<Vec<(f64, f64)>> = polygon
                .iter()
                .map(|ring| ring.iter().map(|(x, y)| frame.place(*x, *y)).collect())
                .collect();
            if self.fill.a > 0 && !self.open {
                let near = frame.rect.grown(50.0);
                let steps = rings
                    .iter()
                    .flat_map(|ring| Path::polygon(clip_polygon(ring, &near)).0)
                    .collect();
                let path = Path(steps);
                if path.0.len() > 3 {
                    items.push(Item::Path {
                        path,
                        fill: self.fill,
                        stroke: None,
                    });
                }
            }
            if self.width > 0.0 {
                let color = self.color.unwrap_or(Color::BLACK);
                let steps = rings
                    .iter()
                    .flat_map(|ring| frame.line(ring, !self.open).0)
                    .collect();
                let stroke = Stroke {
                    color,
                    width: self.width,
                    dash: self.dash.pattern(self.width),
                };
                items.extend(stroked(Path(steps), stroke));
            }
        }
        items
    }
}

impl Mark for Polygons {
    fn reach(&self, extent: &mut Extent) {
        for ring in self.polygons.iter().flatten() {
            let (xs, ys): (Vec<f64>, Vec<f64>) = ring.iter().copied().unzip();
            extent.points(&xs, &ys);
        }
    }

    fn entries(&self, _: &Ink) -> Vec<LegendEntry> {
        let color = self.color.unwrap_or(Color::BLACK);
        let key = match self.open || self.fill.a == 0 {
            true => Key::Line {
                color,
                width: self.width,
                dash: self.dash,
                marker: None,
                halo: self.halo,
            },
            false => Key::Patch {
                fill: self.fill,
                outline: Some(color),
            },
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        for ring in self.polygons.iter().flatten() {
            let placed: Vec<_> = ring.iter().map(|(x, y)| frame.place(*x, *y)).collect();
            out.path(&placed, frame);
        }
    }

    fn draw(&self, _: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        self.drawn(frame)
    }

    fn transformed(
        &self,
        transformer: &Transformer,
        tolerance: Option<f64>,
    ) -> Result<Option<Arc<dyn Mark>>> {
        let apply = |ring: &[(f64, f64)]| -> Vec<(f64, f64)> {
            let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = ring.iter().copied().unzip();
            transformer.apply(&mut xs, &mut ys);
            xs.into_iter().zip(ys).collect()
        };
        let tolerance = tolerance.or_else(|| {
            let vertices: Vec<(f64, f64)> = self.polygons.iter().flatten().flatten().copied().collect();
            let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
            let b = Bounds::around(apply(&vertices).into_iter().filter(finite))?;
            Some(1e-4 * b.width().max(b.height())).filter(|t| *t > 0.0)
        });
        let mut moved = self.clone();
        for ring in moved.polygons.iter_mut().flatten() {
            if !self.open && ring.first() != ring.last() {
                ring.extend(ring.first().copied());
            }
            *ring = match tolerance {
                Some(tolerance) => apply(&follow(ring, transformer, tolerance)?),
                None => apply(ring),
            };
        }
        Ok(Some(Arc::new(moved)))
    }

    fn turned(&self, images: &Bounds, turn: f64) -> Option<Arc<dyn Mark>> {
        let polygons = turned::areas(&self.polygons, images, turn)?;
        Some(Arc::new(Polygons {
            polygons,
            ..self.clone()
        }))
    }
}
