//! Offsets in pixels as metres on the ground.

use crate::earth::ellipsoid::metres_per_degree;
use crate::raster::{Affine, Grid};

/// How a grid's pixels measure in metres.
#[derive(Debug, Clone, Copy)]
pub struct Metres {
    transform: Affine,
    /// Metres per unit of a projected CRS; None for degrees.
    unit: Option<f64>,
}

impl Metres {
    /// None for grids without a CRS, or with one that is neither projected nor geographic.
    pub fn of(grid: &Grid) -> Option<Metres> {
        let crs = grid.crs.as_ref()?;
        let unit = crs.metres_per_unit();
        (unit.is_some() || crs.is_geographic()).then_some(Metres {
            transform: grid.transform,
            unit,
        })
    }

    /// (east, north) in metres of an offset of (dx, dy) pixels at pixel coordinates (col, row), corners at whole numbers.
    /// On a projected grid metres and directions are those of the map; in degrees, those of the WGS 84 ellipsoid at the
    /// latitude there.
    pub fn at(&self, col: f64, row: f64, dx: f64, dy: f64) -> (f64, f64) {
        let t = &self.transform;
        let (x, y) = (dx * t.dx + dy * t.rx, dx * t.ry + dy * t.dy);
        match self.unit {
            Some(metres) => (x * metres, y * metres),
            None => {
                let (_, latitude) = t.apply(col, row);
                let (east, north) = metres_per_degree(latitude);
                (x * east, y * north)
            }
        }
    }
}
