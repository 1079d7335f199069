//! Places along a line.

use crate::bounds;
use crate::error::{Error, Result};
use crate::raster::{Crs, Grid, Transformer};

use super::measure::geodesic_distance;

/// A place on a line: how far along it, in metres on the ground (in units of the coordinates without a CRS), and where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    pub distance: f64,
    pub x: f64,
    pub y: f64,
}

/// Pieces in which an edge is measured: straight in its CRS, it is no shortest way on the ground.
const PIECES: usize = 32;

/// Places along a line of vertices in `crs`: its vertices, and between them places at equal distances of at most `step` metres (units
/// of the coordinates without a CRS). Edges are straight in `crs`. The default step is a pixel of `grid`, the shorter side.
///
/// # Errors
/// A line of less than two vertices, a step that is not above 0, a vertex without longitude and latitude.
pub fn stations(
    line: &[(f64, f64)],
    crs: Option<&Crs>,
    grid: &Grid,
    step: Option<f64>,
) -> Result<Vec<Station>> {
    if line.len() < 2 {
        return Err(Error::argument(
            "line",
            "at least two points { x, y }",
            line.len(),
        ));
    }
    let to_lonlat = match crs {
        Some(crs) => Some(Transformer::new(crs, &Crs::wgs84()?)?),
        None => None,
    };
    let length = |points: &[(f64, f64)]| -> Result<Vec<f64>> {
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        if let Some(transformer) = &to_lonlat {
            transformer.apply(&mut xs, &mut ys);
            if let Some(bad) = xs.iter().position(|x| x.is_nan()) {
                let expected = "places that have a longitude and a latitude";
                return Err(Error::argument(
                    "line",
                    expected,
                    format!("({}, {})", points[bad].0, points[bad].1),
                ));
            }
        }
        let ends = xs.windows(2).zip(ys.windows(2));
        Ok(ends
            .map(|(x, y)| match to_lonlat {
                Some(_) => geodesic_distance((x[0], y[0]), (x[1], y[1])),
                None => (x[1] - x[0]).hypot(y[1] - y[0]),
            })
            .collect())
    };
    let step = match step {
        Some(step) => step,
        None => pixel(grid)?,
    };
    if !(step > 0.0 && step.is_finite()) {
        return Err(Error::argument("step", "a length above 0, in metres", step));
    }
    let mut counts = Vec::with_capacity(line.len() - 1);
    for edge in line.windows(2) {
        let metres: f64 = length(&divided(edge[0], edge[1], PIECES))?.iter().sum();
        counts.push((metres / step - 1e-9).ceil().max(1.0));
    }
    bounds::fits(
        format!("a profile with a place every {step} m"),
        counts.iter().sum::<f64>() as usize,
        4 * size_of::<Station>(),
        "take a longer step",
    )?;
    let mut out = vec![Station {
        distance: 0.0,
        x: line[0].0,
        y: line[0].1,
    }];
    let mut distance = 0.0;
    for (edge, count) in line.windows(2).zip(counts) {
        let places = divided(edge[0], edge[1], count as usize);
        for (&(x, y), metres) in places[1..].iter().zip(length(&places)?) {
            distance += metres;
            out.push(Station { distance, x, y });
        }
    }
    Ok(out)
}

/// Equal pieces of an edge, both ends among their ends.
fn divided(a: (f64, f64), b: (f64, f64), count: usize) -> Vec<(f64, f64)> {
    let at = |i: usize| {
        let t = i as f64 / count as f64;
        (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
    };
    (0..count).map(at).chain([b]).collect()
}

/// The shorter side of the pixel at the middle of a grid, in metres on the ground.
fn pixel(grid: &Grid) -> Result<f64> {
    let (row, col) = (grid.rows as f64 / 2.0, grid.cols as f64 / 2.0);
    let corners = [(col, row), (col + 1.0, row), (col, row + 1.0)].map(|(c, r)| grid.transform.apply(c, r));
    let [(mut xs, mut ys)]: [(Vec<f64>, Vec<f64>); 1] = [corners.into_iter().unzip()];
    let Some(crs) = &grid.crs else {
        let (width, height) = grid.resolution();
        return Ok(width.min(height));
    };
    Transformer::new(crs, &Crs::wgs84()?)?.apply(&mut xs, &mut ys);
    let to = |i: usize| geodesic_distance((xs[0], ys[0]), (xs[i], ys[i]));
    Ok(to(1).min(to(2)))
}
