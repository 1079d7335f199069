//! Three bands as one picture.

use ndarray::Array2;

use super::{Ink, Mark, Page, fits_grid};
use crate::error::{Domain, Error, Result};
use crate::plot::bitmap::{covered, fill_pixels, filling, sampled};
use crate::plot::color::Color;
use crate::plot::picture::Picture;
use crate::plot::place::{Frame, Obstacles};
use crate::plot::reach::Extent;
use crate::plot::scene::Item;
use crate::plot::stretch::{Limits, Stretch};
use crate::raster::Grid;

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

impl Mark for Rgb {
    fn check(&self) -> Result<()> {
        if self.bands.iter().any(|b| b.dim() != self.bands[0].dim()) {
            return Err(Error::argument(
                "bands",
                "three of the same size",
                format!("{:?}", self.bands.each_ref().map(|b| b.dim())),
            ));
        }
        fits_grid(self.grid.as_ref(), self.bands[0].dim())
    }

    fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    fn reach(&self, extent: &mut Extent) {
        extent.image(self.grid.as_ref(), self.bands[0].dim());
    }

    fn limits(&self, _: Option<Limits>) -> Result<Vec<Limits>> {
        if self.common {
            return Ok(vec![self.stretch.limits(self.bands.iter().flatten())?; 3]);
        }
        self.bands.iter().map(|band| self.stretch.limits(band)).collect()
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        let transform = self.grid.as_ref().map(|g| &g.transform);
        out.0.extend(covered(&self.bands[0], transform, frame));
    }

    fn draw(&self, ink: &Ink, frame: &Frame, page: &Page) -> Vec<Item> {
        let cells = page.cells;
        let transform = self.grid.as_ref().map(|g| &g.transform);
        let bands = self
            .bands
            .each_ref()
            .map(|b| sampled(b, transform, frame, cells, true));
        let levels: [Vec<u8>; 3] = [0, 1, 2].map(|b| {
            let limits = ink.limits[b];
            bands[b]
                .0
                .iter()
                .map(|v| {
                    let t = limits.position(f64::from(*v)).clamp(0.0, 1.0);
                    (t.powf(1.0 / self.gamma) * 255.0).round() as u8
                })
                .collect()
        });
        let shares: Vec<f32> = bands[0]
            .1
            .iter()
            .zip(&bands[1].1)
            .zip(&bands[2].1)
            .map(|((a, b), c)| a.min(*b).min(*c))
            .collect();
        let mut picture = Picture::new(cells.0, cells.1);
        fill_pixels(&mut picture, |i| {
            Color::rgb(levels[0][i], levels[1][i], levels[2][i]).with_opacity(f64::from(shares[i]))
        });
        filling(frame, picture)
    }
}
