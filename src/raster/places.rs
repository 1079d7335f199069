//! Where the pixels of a grid lie in another CRS, and how that changes from place to place.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::describe::{Described, Description, Site, from_json, to_json};
use super::image::{Band, Raster};
use super::mapping::transform;
use super::operation::Operation;
use super::synthetic::unit_of_coordinates;
use super::{Crs, DType, Grid, Kind, Pixels, Port, Transformer, Unit, View, Window};
use crate::described;
use crate::error::Result;

/// The names of the partial derivatives, in the order of the results: of x by x here, of x by y, of y by x, of y by y.
const DERIVATIVES: [&str; 4] = ["dx_dx", "dx_dy", "dy_dx", "dy_dy"];

struct Places {
    grid: Arc<Grid>,
    crs: Crs,
    derivatives: bool,
    /// Of longitudes, which jump by as much somewhere.
    turn: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Parameters {
    crs: String,
    derivatives: bool,
}

impl Described for Places {
    const NAME: &'static str = "raster.coordinates_in";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Parameters {
            crs: self.crs.wkt().to_string(),
            derivatives: self.derivatives,
        })
    }

    fn again(parameters: &Json, site: &Site) -> Result<Places> {
        let p: Parameters = from_json(Self::NAME, parameters)?;
        Places::new(site.grid.clone(), Crs::from_wkt(&p.crs)?, p.derivatives)
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(0).map(drop)
    }
}

described!(Places, Tiles);

impl Places {
    fn new(grid: Arc<Grid>, crs: Crs, derivatives: bool) -> Result<Places> {
        // Whether there is a way at all.
        Transformer::new(grid.crs()?, &crs)?;
        let turn = crs.turn();
        Ok(Places {
            grid,
            crs,
            derivatives,
            turn,
        })
    }

    fn difference(&self, before: f64, after: f64, step: f64) -> f64 {
        let d = after - before;
        let d = self.turn.map_or(d, |turn| d - turn * (d / turn).round());
        d / step
    }
}

impl Operation for Places {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("coordinates in {}", self.crs)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        Kind::F64
    }

    fn outputs(&self) -> usize {
        if self.derivatives { 6 } else { 2 }
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        let mut made = vec![Array2::from_elem((out.rows, out.cols), f64::NAN); self.outputs()];
        let (width, height) = self.grid.resolution();
        // Half a pixel to either side: near enough that nothing bends, far enough for the digits of a coordinate.
        let steps: &[(f64, f64)] = match self.derivatives {
            true => &[(0.0, 0.0), (-0.5, 0.0), (0.5, 0.0), (0.0, -0.5), (0.0, 0.5)],
            false => &[(0.0, 0.0)],
        };
        let from = self.grid.crs.clone();
        let to = Some(self.crs.clone());
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        for r in 0..out.rows {
            xs.clear();
            ys.clear();
            for c in 0..out.cols {
                let (x, y) = self.grid.pixel_centre(out.row + r as isize, out.col + c as isize);
                for (dx, dy) in steps {
                    xs.push(x + dx * width);
                    ys.push(y + dy * height);
                }
            }
            transform(&from, &to, &mut xs, &mut ys);
            for c in 0..out.cols {
                let i = c * steps.len();
                made[0][[r, c]] = xs[i];
                made[1][[r, c]] = ys[i];
                if self.derivatives {
                    made[2][[r, c]] = self.difference(xs[i + 1], xs[i + 2], width);
                    made[3][[r, c]] = self.difference(xs[i + 3], xs[i + 4], height);
                    // Latitudes do not jump, and no difference of theirs comes near a turn.
                    made[4][[r, c]] = self.difference(ys[i + 1], ys[i + 2], width);
                    made[5][[r, c]] = self.difference(ys[i + 3], ys[i + 4], height);
                }
            }
        }
        Ok(made.into_iter().map(Pixels::F64).collect())
    }
}

/// Bands `x` and `y`: where the pixel centres lie in `crs`; masked where that has no such place. With `derivatives`, `dx_dx`, `dx_dy`, `dy_dx`
/// and `dy_dy` follow: how much x (y) there grows with a unit of x (y) here, by differences over one pixel.
///
/// # Errors
/// A grid without CRS; no way from its CRS to the other.
pub fn coordinates_in(grid: &Arc<Grid>, crs: &Crs, derivatives: bool) -> Result<Raster> {
    let operation = Places::new(grid.clone(), crs.clone(), derivatives)?;
    let ports = Port::tiles(grid, Arc::new(operation), Vec::new());
    let unit = unit_of_coordinates(Some(crs));
    let names = ["x", "y"].into_iter().chain(DERIVATIVES);
    let bands = names
        .zip(ports)
        .enumerate()
        .map(|(i, (name, port))| Band {
            name: name.into(),
            dtype: DType::F64,
            unit: if i < 2 { unit.clone() } else { Unit::Unknown },
            nodata: None,
            port,
        })
        .collect();
    Ok(Raster::new(grid.clone(), bands))
}
