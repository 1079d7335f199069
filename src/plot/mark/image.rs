//! Pixels in a colour map.

use ndarray::Array2;

use super::{Ink, Mark, Page, Valued, fits_grid};
use crate::error::Result;
use crate::plot::bitmap::{colored, covered, filling, sampled};
use crate::plot::colormap::Colormap;
use crate::plot::place::{Frame, Obstacles};
use crate::plot::reach::Extent;
use crate::plot::scene::Item;
use crate::plot::stretch::{Norm, Stretch};
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
    pub norm: Norm,
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
            norm: Norm::default(),
            opacity: 1.0,
            nearest: false,
        }
    }
}

impl Mark for Image {
    fn check(&self) -> Result<()> {
        fits_grid(self.grid.as_ref(), self.values.dim())
    }

    fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    fn reach(&self, extent: &mut Extent) {
        extent.image(self.grid.as_ref(), self.values.dim());
    }

    fn valued(&self) -> Option<Valued<'_>> {
        Some(Valued {
            values: Box::new(self.values.iter()),
            colormap: &self.colormap,
            stretch: self.stretch,
            norm: self.norm,
        })
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        let transform = self.grid.as_ref().map(|g| &g.transform);
        out.0.extend(covered(&self.values, transform, frame));
    }

    fn draw(&self, ink: &Ink, frame: &Frame, page: &Page) -> Vec<Item> {
        let transform = self.grid.as_ref().map(|g| &g.transform);
        let (values, shares) = sampled(&self.values, transform, frame, page.cells, !self.nearest);
        let Some(&limits) = ink.limits.first() else {
            return Vec::new();
        };
        let picture = colored(&values, &shares, &self.colormap, limits, self.opacity);
        filling(frame, picture)
    }
}
