//! Operations that move pixels by whole pixels or rename where they lie: shift, crop, new CRS. No value changes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::describe::{Description, Site};
use super::grid::LARGEST_SIDE;
use super::image::{Band, Raster};
use super::operation::Operation;
use super::{Grid, Kind, Pixels, Port, View, Window};
use crate::described;
use crate::error::{Error, Result};

/// Output pixel (r, c) is input pixel (r + rows, c + cols); outside the input it is masked.
#[derive(Serialize, Deserialize)]
struct Move {
    rows: isize,
    cols: isize,
}

described!(Move, Tiles, "raster.move", 1, Move::check);

impl Move {
    /// Farther than this lies nothing of an image.
    const FARTHEST: isize = 2 * LARGEST_SIDE as isize;

    fn new(rows: isize, cols: isize) -> Move {
        let near = |by: isize| by.clamp(-Move::FARTHEST, Move::FARTHEST);
        Move {
            rows: near(rows),
            cols: near(cols),
        }
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(1)?;
        let near = Move::new(self.rows, self.cols);
        match (near.rows, near.cols) == (self.rows, self.cols) {
            true => Ok(()),
            false => Err(Error::argument(
                "rows and cols of a move",
                format!("at most {} either way", Move::FARTHEST),
                format!("{} and {}", self.rows, self.cols),
            )),
        }
    }
}

impl Operation for Move {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        if (self.rows, self.cols) == (0, 0) {
            "same pixels".into()
        } else {
            format!("move({} rows, {} cols)", self.rows, self.cols)
        }
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        inputs.first().copied().unwrap_or(Kind::F32)
    }

    fn is_pointwise(&self) -> bool {
        (self.rows, self.cols) == (0, 0)
    }

    fn keeps_values(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out.shifted(self.rows, self.cols)
    }

    fn compute(&self, _: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        Ok(vec![inputs[0].to_pixels()])
    }
}

/// `raster`'s pixels moved onto `grid`: pixel (r, c) of the result is pixel (r + rows, c + cols) of the raster.
pub fn moved(raster: &Raster, grid: Arc<Grid>, rows: isize, cols: isize) -> Raster {
    let operation: Arc<dyn Operation> = Arc::new(Move::new(rows, cols));
    let one = |b: &Band| Band {
        port: Port::tiles(&grid, operation.clone(), vec![b.port.clone()]).swap_remove(0),
        ..b.clone()
    };
    raster.with_grid(grid.clone(), raster.bands.iter().map(one).collect())
}

/// The same pixels on a grid of the same size.
///
/// # Errors
/// When it has another size.
pub fn onto(raster: &Raster, grid: Arc<Grid>) -> Result<Raster> {
    if (grid.rows, grid.cols) != (raster.grid.rows, raster.grid.cols) {
        return Err(Error::GridMismatch {
            left: raster.grid.to_string(),
            right: grid.to_string(),
        });
    }
    Ok(moved(raster, grid, 0, 0))
}

/// The part of the raster in a pixel window of its grid.
///
/// # Errors
/// When the window does not overlap the image.
pub fn crop(raster: &Raster, window: Window) -> Result<Raster> {
    let inside = window.intersect(&raster.grid.window());
    if inside.is_empty() {
        return Err(Error::argument(
            "window",
            format!("one that overlaps the image ({})", raster.grid),
            window,
        ));
    }
    if inside == raster.grid.window() {
        return Ok(raster.clone());
    }
    Ok(moved(
        raster,
        Arc::new(raster.grid.subgrid(&inside)),
        inside.row,
        inside.col,
    ))
}

/// The image displaced by whole pixels on its own grid: what was at (row, col) is now at (row + rows, col + cols).
pub fn shift(raster: &Raster, rows: isize, cols: isize) -> Raster {
    moved(
        raster,
        raster.grid.clone(),
        rows.saturating_neg(),
        cols.saturating_neg(),
    )
}
