//! Layers of outlines, text and straight lines.

use super::Dash;
use crate::error::Domain;
use crate::plot::color::Color;
use crate::plot::scene::{Anchor, Level};
use crate::raster::Bounds;

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
}
