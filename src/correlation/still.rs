//! What ground that is known to be still says of velocities, as a node of the graph: it is computed when it is wanted.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::described;
use crate::error::{Error, Result};
use crate::raster::describe::{Description, Site};
use crate::raster::image::Computed;
use crate::raster::whole::{Inputs, WholeOperation};
use crate::raster::{Affine, Grid, Pixels, Port, Property};
use crate::statistics::median;

/// Outputs, of one pixel each: the medians of vx and vy, the root mean squares about them, and 1.4826 times the median absolute
/// deviations, m/yr; how many nodes there are.
const OUTPUTS: [&str; 7] = [
    "stable_shift_vx",
    "stable_shift_vy",
    "stable_rmse_vx",
    "stable_rmse_vy",
    "stable_nmad_vx",
    "stable_nmad_vy",
    "stable_count",
];

/// Inputs: vx, vy, and 1 where the ground is still.
#[derive(Serialize, Deserialize)]
struct StillGround {
    /// Fewer nodes with an offset on still ground are an error.
    least: usize,
}

described!(
    StillGround,
    Whole,
    "correlation.still_ground",
    1,
    |_, site: &Site| {
        site.takes(3)?.real()?;
        let nodes = &site.inputs[0].node.grid;
        Site { grid: nodes, ..*site }.on_grid()?;
        match (site.grid.rows, site.grid.cols) {
            (1, 1) => Ok(()),
            _ => Err(Error::argument(
                "the grid of still ground",
                "one of one pixel",
                site.grid,
            )),
        }
    }
);

/// The first four are what a velocity takes.
pub struct Still(Vec<Port>);

impl Still {
    /// Of velocities `vx` and `vy`; `still`, on their grid, is above 0 on still ground.
    pub fn of(vx: Port, vy: Port, still: Port, least: usize) -> Result<Still> {
        let grid = Arc::new(Grid::new(None, Affine::PIXELS, 1, 1)?);
        let operation = Arc::new(StillGround { least });
        Ok(Still(Port::whole(&grid, operation, vec![vx, vy, still])))
    }

    /// The shift and the root mean square about it, in x and y.
    pub fn ports(&self) -> impl Iterator<Item = Port> {
        self.0.iter().take(4).cloned()
    }

    pub fn properties(&self) -> impl Iterator<Item = (String, Property)> {
        let named = OUTPUTS.iter().zip(&self.0);
        named.map(|(name, port)| {
            let computed = Computed {
                port: port.clone(),
                whole: *name == "stable_count",
            };
            ((*name).to_string(), Property::Computed(computed))
        })
    }
}

impl WholeOperation for StillGround {
    fn name(&self) -> String {
        "still ground".into()
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn outputs(&self) -> usize {
        OUTPUTS.len()
    }

    fn run(&self, inputs: &Inputs<'_>) -> Result<Vec<Array2<f32>>> {
        let window = inputs.grid(0).window();
        let mut arrays = inputs.read_together(window)?.into_iter().map(Pixels::into_f64);
        let mut next = || arrays.next().unwrap_or_default();
        let (vx, vy, still) = (next(), next(), next());
        let on = |field: &Array2<f64>| -> Vec<f64> {
            let known = field.iter().zip(&still).filter(|(v, s)| !v.is_nan() && **s > 0.0);
            known.map(|(v, _)| *v).collect()
        };
        let (mut xs, mut ys) = (on(&vx), on(&vy));
        if xs.len() < self.least.max(1) {
            let marked = still.iter().filter(|s| **s > 0.0).count();
            return Err(Error::message(format!(
                "still ground has {} reliable offsets at its {marked} nodes, fewer than min_stable = {}; mark more of it, take \
                 smaller chips, or leave `stable` out",
                xs.len(),
                self.least
            )));
        }
        let (x, y) = (spread(&mut xs), spread(&mut ys));
        let found = [x[0], y[0], x[1], y[1], x[2], y[2], xs.len() as f64];
        Ok(found
            .iter()
            .map(|v| Array2::from_elem((1, 1), *v as f32))
            .collect())
    }
}

/// Median, root mean square about it, normalised median absolute deviation. Reorders the values, of which there is one.
fn spread(values: &mut [f64]) -> [f64; 3] {
    let shift = median(values);
    let squares: f64 = values.iter().map(|v| (v - shift).powi(2)).sum();
    let rmse = (squares / values.len() as f64).sqrt();
    let mut apart: Vec<f64> = values.iter().map(|v| (v - shift).abs()).collect();
    [shift, rmse, 1.4826 * median(&mut apart)]
}
