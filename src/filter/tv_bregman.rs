//! Total-variation denoising by the split Bregman method.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use super::bregman_row::{BORDER, Line, Scratch, Step, sweep};
use crate::error::{Error, Result};
use crate::raster::{Raster, Scene, SceneOperation};

/// How many iterations the first pass over a scene tries before it is known how many are needed.
const FIRST_TRY: usize = 32;

/// Total-variation denoising: the image u that minimises Σ|∇u| + w/…
#[derive(Debug, Clone, Copy)]
pub struct TvBregman {
    weight: f64,
    max_iterations: usize,
    tolerance: f64,
    isotropic: bool,
}

impl TvBregman {
    pub fn new(weight: f64, max_iterations: usize, tolerance: f64, isotropic: bool) -> Result<TvBregman> {
        Ok(TvBregman {
            weight,
            max_iterations,
            tolerance,
            isotropic,
        })
    }

    /// Runs `iterations` over the scene, in one pass, and hands the rows of the last solution to `take`, in order.
    /// Returns the root mean square change of each.
    ///
    /// Iteration k on row r needs iteration k on row r − 1 and iteration k − 1 on row r + 1. So while row t is read,
    /// iteration k works on row t − k, and rows older than that are done: a band of `iterations` rows is all
    /// that is held.
    fn pass(
        &self,
        (rows, cols): (usize, usize),
        iterations: usize,
        read: &mut dyn FnMut(usize, &mut [f32]) -> Result<()>,
        take: &mut dyn FnMut(usize, &[f32]) -> Result<()>,
    ) -> Result<Vec<f64>> {
        let step = Step::new(self.weight, self.isotropic);
        let mut scratch = Scratch::new(cols);
        // Row r is line r + 1 modulo their number; row −1 and row `rows` are the borders.
        let held = iterations + 3;
        let mut lines: Vec<Line> = (0..held.min(rows + 2)).map(|_| Line::new(cols)).collect();
        let held = lines.len();
        let mut pixels = vec![0f32; cols];
        let mut sums = vec![0f64; iterations];
        let mut count = 0;
        for t in 0..rows + iterations {
            if t < rows {
                read(t, &mut pixels)?;
                lines[(t + 1) % held].load(&pixels);
                count += lines[(t + 1) % held].count();
            }
            // The borders: the second row above, the last row below, as they came.
            if t == 1 && rows > 1 {
                let [border, second] = pick(&mut lines, [0, 2])?;
                border.u.copy_from_slice(&second.noisy);
            }
            if t == rows {
                let [last, border] = pick(&mut lines, [rows % held, (rows + 1) % held])?;
                border.load(&last.noisy[BORDER..BORDER + cols]);
            }
            let newest = t.min(iterations);
            for k in 1..=newest {
                let row = t - k;
                if row < rows {
                    let around = [row % held, (row + 1) % held, (row + 2) % held];
                    let [above, line, below] = pick(&mut lines, around)?;
                    sums[k - 1] += sweep(above, line, below, &step, &mut scratch);
                }
            }
            if t >= iterations {
                let row = t - iterations;
                take(row, &lines[(row + 1) % held].u[BORDER..BORDER + cols])?;
            }
        }
        let count = (count as f64).max(1.0);
        Ok(sums.into_iter().map(|s| (s / count).sqrt()).collect())
    }
}

fn pick<const N: usize>(lines: &mut [Line], indices: [usize; N]) -> Result<[&mut Line; N]> {
    lines
        .get_disjoint_mut(indices)
        .map_err(|e| Error::message(format!("filter.tv_bregman: {e}")))
}

/// x
pub fn denoise(image: ArrayView2<'_, f32>, parameters: &TvBregman) -> Result<Array2<f32>> {
    let (rows, cols) = image.dim();
    let mut out = Array2::zeros((rows, cols));
    let mut read = |row: usize, into: &mut [f32]| {
        for (o, &v) in into.iter_mut().zip(image.row(row)) {
            *o = v;
        }
        Ok(())
    };
    let rms = parameters.pass((rows, cols), FIRST_TRY, &mut read, &mut |_, _| Ok(()))?;
    let n = rms
        .iter()
        .position(|r| *r <= parameters.tolerance)
        .map_or(FIRST_TRY, |i| i + 1);
    parameters.pass((rows, cols), n, &mut read, &mut |row, pixels| {
        for (o, &v) in out.row_mut(row).iter_mut().zip(pixels) {
            *o = v;
        }
        Ok(())
    })?;
    Ok(out)
}
