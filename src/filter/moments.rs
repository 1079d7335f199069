//! Mean and variance of the pixels around each pixel of a row.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::padded::Padded;

/// Filters a tile row by row with its local statistics: `combine(tile, row, moments, out)` fills an output row from a window
/// of `size` × `size`; masked pixels of the tile stay masked. `padded` has a halo of (size − 1) / 2, `size` odd.
pub(super) fn filter_rows(
    padded: ArrayView2<'_, f32>,
    size: usize,
    mut combine: impl FnMut(&Padded, usize, &LocalMoments, &mut [f32]),
) -> Array2<f32> {
    let tile = Padded::new(padded, size / 2);
    let mut local = LocalMoments::new(&tile, size);
    tile.rows(|row, out| {
        local.compute(&tile, row);
        combine(&tile, row, &local, out);
        tile.mask_row(row, out);
    })
}

/// Local statistics of one output row, over the valid pixels of a window of `size` × `size`. All sums are in f64, over
/// rows first and then over columns, always in the same order: the tiling cannot be seen in them.
pub(super) struct LocalMoments {
    size: usize,
    /// Of each column of the tile, over the rows of the window: valid pixels, their sum, the sum of their squares.
    columns: [Vec<f64>; 3],
    counts: Vec<f64>,
    /// NaN where the window holds no valid pixel.
    pub mean: Vec<f64>,
    /// The population variance, at least 0.
    pub variance: Vec<f64>,
}

impl LocalMoments {
    /// For tiles with a halo of (size − 1) / 2, `size` odd.
    pub fn new(tile: &Padded, size: usize) -> LocalMoments {
        LocalMoments {
            size,
            columns: std::array::from_fn(|_| vec![0.0; tile.width]),
            counts: vec![(size * size) as f64; tile.cols],
            mean: vec![0.0; tile.cols],
            variance: vec![0.0; tile.cols],
        }
    }

    /// Fills `mean` and `variance` for an output row.
    pub fn compute(&mut self, tile: &Padded, row: usize) {
        compute(self, tile, row);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn compute(local: &mut LocalMoments, tile: &Padded, row: usize) {
    let (width, cols) = (tile.width, tile.cols);
    let size = local.size;
    let [counts, sums, squares] = &mut local.columns;
    let (sums, squares) = (&mut sums[..width], &mut squares[..width]);
    sums.fill(0.0);
    squares.fill(0.0);
    for y in row..row + size {
        let pixels = &tile.row(y)[..width];
        for c in 0..width {
            let v = f64::from(pixels[c]);
            sums[c] += v;
            squares[c] += v * v;
        }
    }
    if !tile.is_complete() {
        counts.fill(0.0);
        for y in row..row + size {
            for (count, &w) in counts.iter_mut().zip(tile.weight_row(y)) {
                *count += f64::from(w);
            }
        }
        along_row(counts, size, &mut local.counts);
    }
    along_row(sums, size, &mut local.mean);
    along_row(squares, size, &mut local.variance);
    let (counts, mean, variance) = (
        &local.counts[..cols],
        &mut local.mean[..cols],
        &mut local.variance[..cols],
    );
    for c in 0..cols {
        let m = mean[c] / counts[c];
        let v = variance[c] / counts[c] - m * m;
        mean[c] = m;
        variance[c] = if v > 0.0 { v } else { 0.0 };
    }
}

/// out[c] = columns[c] + … + columns[c + size − 1].
#[inline(always)]
fn along_row(columns: &[f64], size: usize, out: &mut [f64]) {
    let cols = out.len();
    out.fill(0.0);
    for x in 0..size {
        let shifted = &columns[x..x + cols];
        for c in 0..cols {
            out[c] += shifted[c];
        }
    }
}
