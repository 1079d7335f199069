//! A percentile of a whole band as a node of the graph: what a scene says of itself is computed when it is wanted, not while the graph is built.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Description, Site};
use super::whole::{Inputs, WholeOperation};
use super::{Affine, Grid, Port, stats};
use crate::described;
use crate::error::{Domain, Error, Result};

#[derive(Serialize, Deserialize)]
struct Percentile(f64);

described!(Percentile, Whole, "raster.percentile", 1, Percentile::check);

impl Percentile {
    fn new(percentile: f64) -> Result<Percentile> {
        Domain::PERCENT.check("percentile", percentile).map(Percentile)
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(1)?.real()?;
        if (site.grid.rows, site.grid.cols) != (1, 1) {
            return Err(Error::argument(
                "the grid of a percentile",
                "one of one pixel",
                site.grid,
            ));
        }
        Percentile::new(self.0).map(drop)
    }
}

impl WholeOperation for Percentile {
    fn name(&self) -> String {
        format!("percentile({})", self.0)
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn outputs(&self) -> usize {
        1
    }

    fn run(&self, inputs: &Inputs<'_>) -> Result<Vec<Array2<f32>>> {
        let found = stats::percentiles(&inputs.raster(0), &[self.0])?;
        Ok(vec![Array2::from_elem((1, 1), found[0] as f32)])
    }
}

/// The percentile, 0 to 100, of all valid pixels of a port, as an image of one pixel.
///
/// # Errors
/// A percentile that is not from 0 to 100.
pub fn percentile_of(port: &Port, percentile: f64) -> Result<Port> {
    let percentile = Percentile::new(percentile)?;
    let grid = Arc::new(Grid::new(None, Affine::PIXELS, 1, 1)?);
    Ok(Port::whole(&grid, Arc::new(percentile), vec![port.clone()]).swap_remove(0))
}
