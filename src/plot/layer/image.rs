//! Layers of pixels.

use ndarray::Array2;

use crate::error::{Domain, Result};
use crate::plot::color::Color;
use crate::plot::colormap::Colormap;
use crate::plot::stretch::{Limits, Stretch};
use crate::raster::Grid;

/// Values in a colour map; masked pixels (NaN) are transparent.
#[derive(Debug, Clone)]
pub struct Image {
    /// (rows, cols)
    pub values: Array2<f32>,
    /// Where the pixels lie; None puts pixel (row, col) at x = col to col + 1, y = row to row + 1, y downwards.
    pub grid: Option<Grid>,
    pub colormap: Colormap,
    pub stretch: Stretch,
    pub opacity: f64,
    /// Shows of several pixels the middle one: what runs in a circle has no mean.
    pub nearest: bool,
}

impl Image {
    pub fn new(values: Array2<f32>, grid: Option<Grid>) -> Image {
        Image {
            values,
            grid,
            colormap: Colormap::default(),
            stretch: Stretch::default(),
            opacity: 1.0,
            nearest: false,
        }
    }

    /// # Errors
    /// Limits or percentiles that are not finite or do not rise; percentiles beyond 0 to 100.
    pub fn limits(&self) -> Result<Limits> {
        self.stretch.limits(&self.values)
    }
}

/// Red, green and blue from three bands on one grid; a pixel masked in one is transparent.
#[derive(Debug, Clone)]
pub struct Rgb {
    pub bands: [Array2<f32>; 3],
    pub grid: Option<Grid>,
    pub stretch: Stretch,
    /// One pair of limits for all three bands (keeps colours true) instead of one each (uses the whole range).
    pub common: bool,
    /// Brightness is position^(1 / gamma).
    pub gamma: f64,
}

impl Rgb {
    pub const GAMMAS: Domain = Domain::above(0.0);

    /// Each band from its 2nd to its 98th percentile.
    pub fn new(bands: [Array2<f32>; 3], grid: Option<Grid>) -> Rgb {
        Rgb {
            bands,
            grid,
            stretch: Stretch::Percentiles(2.0, 98.0),
            common: false,
            gamma: 1.0,
        }
    }
}

/// One value of a classified image.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    pub value: i64,
    pub name: String,
    pub color: Color,
}

/// Whole-numbered classes, each with its colour; pixels of no listed class are transparent.
#[derive(Debug, Clone)]
pub struct Classes {
    pub values: Array2<f32>,
    pub grid: Option<Grid>,
    pub classes: Vec<Class>,
}
