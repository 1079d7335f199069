//! Frost speckle filter.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::moments::{LocalMoments, filter_rows};
use super::padded::Padded;
use super::speckle::{Filter, check_filter, check_size, filter_bands};
use crate::described;
use crate::error::{Domain, Result};
use crate::raster::Raster;
use serde::{Deserialize, Serialize};

/// Frost filter: a weighted mean whose weights fall off with distance, the faster the more the neighbourhood varies.
///
/// `padded`: backscatter as power, grown by (size − 1) / 2 pixels on every side, NaN outside the image and where masked.
/// `size`: width of the square window in pixels, odd. `damping`: K, at least 0; larger values keep more detail.
/// Returns the filtered power, without the halo.
///
/// With μ and v the mean and the (population) variance of the window, a pixel at distance d from the centre (in pixels,
/// Euclidean) has the weight exp(−K·d·v/μ²). Where the variance is 0 the result is the mean; where it is not and the mean is
/// 0, which powers below 0 make possible, it is the pixel itself.
///
/// # Nodata
/// Masked pixels and those outside the image have no weight; a masked pixel stays masked.
///
/// # Source
/// V. S. Frost, J. A. Stiles, K. S. Shanmugan and J. C. Holtzman, "A model for radar images and its application to
/// adaptive digital filtering of multiplicative noise", IEEE PAMI 4(2), 1982, doi:10.1109/TPAMI.1982.4767223, in the
/// form of Lopes, Touzi and Nezry, IEEE TGRS 28(6), 1990, doi:10.1109/36.62623.
pub fn filter_tile(padded: ArrayView2<'_, f32>, size: usize, damping: f64) -> Array2<f32> {
    let rings = rings(size);
    let mut state = RowState::new(padded.ncols().saturating_sub(size - 1));
    filter_rows(padded, size, |tile, row, local, out| {
        filter_row(tile, row, &rings, damping, local, &mut state, out);
    })
}

/// The pixels of a window that are equally far from its centre.
struct Ring {
    distance: f32,
    /// (row, col) from the window's upper left corner.
    offsets: Vec<(usize, usize)>,
}

/// The rings of a window, from the centre outwards.
fn rings(size: usize) -> Vec<Ring> {
    let middle = size / 2;
    let mut by_square: std::collections::BTreeMap<usize, Vec<(usize, usize)>> = Default::default();
    for y in 0..size {
        for x in 0..size {
            let square = y.abs_diff(middle).pow(2) + x.abs_diff(middle).pow(2);
            by_square.entry(square).or_default().push((y, x));
        }
    }
    let ring = |(square, offsets)| Ring {
        distance: f64::sqrt(square as f64) as f32,
        offsets,
    };
    by_square.into_iter().map(|(s, o)| ring((s, o))).collect()
}

/// What is known of the pixels of one output row.
struct RowState {
    /// K·v/μ².
    decay: Vec<f32>,
    weight: Vec<f32>,
    /// Of one ring: the pixels' sum, and how many are valid.
    ring: Vec<f64>,
    ring_count: Vec<f64>,
    /// Of all rings: the sum of weights × pixels, and of weights.
    sum: Vec<f64>,
    weights: Vec<f64>,
}

impl RowState {
    fn new(cols: usize) -> RowState {
        RowState {
            decay: vec![0.0; cols],
            weight: vec![0.0; cols],
            ring: vec![0.0; cols],
            ring_count: vec![0.0; cols],
            sum: vec![0.0; cols],
            weights: vec![0.0; cols],
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn filter_row(
    tile: &Padded,
    row: usize,
    rings: &[Ring],
    damping: f64,
    local: &LocalMoments,
    state: &mut RowState,
    out: &mut [f32],
) {
    let cols = out.len();
    let (mean, variance) = (&local.mean[..cols], &local.variance[..cols]);
    let (decay, weight) = (&mut state.decay[..cols], &mut state.weight[..cols]);
    let (ring_sum, ring_count) = (&mut state.ring[..cols], &mut state.ring_count[..cols]);
    let (sum, weights) = (&mut state.sum[..cols], &mut state.weights[..cols]);
    for c in 0..cols {
        let (m, v) = (mean[c], variance[c]);
        decay[c] = if v > 0.0 {
            (damping * v / (m * m)) as f32
        } else {
            0.0
        };
    }
    sum.fill(0.0);
    weights.fill(0.0);
    for ring in rings {
        ring_sum.fill(0.0);
        for &(y, x) in &ring.offsets {
            add(&tile.row(row + y)[x..], ring_sum);
        }
        if tile.is_complete() {
            ring_count.fill(ring.offsets.len() as f64);
        } else {
            ring_count.fill(0.0);
            for &(y, x) in &ring.offsets {
                add(&tile.weight_row(row + y)[x..], ring_count);
            }
        }
        if ring.distance == 0.0 {
            weight.fill(1.0);
        } else {
            for c in 0..cols {
                weight[c] = exp_of_negative(-decay[c] * ring.distance);
            }
        }
        for c in 0..cols {
            let w = f64::from(weight[c]);
            sum[c] += w * ring_sum[c];
            weights[c] += w * ring_count[c];
        }
    }
    for c in 0..cols {
        out[c] = (sum[c] / weights[c]) as f32;
    }
}

#[inline(always)]
fn add(pixels: &[f32], sums: &mut [f64]) {
    let n = sums.len();
    let pixels = &pixels[..n];
    for c in 0..n {
        sums[c] += f64::from(pixels[c]);
    }
}

/// e^x for x ≤ 0, to 2e-7 of its value; below −87, where f32 ends, e^−87. Written out because the library's function
/// keeps the loop around it from becoming vector code.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5 · 2²³ rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > -87.0 { x } else { -87.0 };
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    // The Taylor series; |r| ≤ ln 2 / 2.
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * tail)));
    // Times 2ⁿ: n lies in −126..=0, so the exponent's bits do not run over.
    series * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

/// How fast weights fall off with distance.
pub const DAMPING: Domain = Domain::at_least(0.0);

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Frost {
    size: usize,
    damping: f64,
}

described!(Frost, Tiles, "filter.frost", 1, check_filter);

impl Filter for Frost {
    fn label(&self) -> String {
        format!("filter.frost(size {}, damping {})", self.size, self.damping)
    }

    fn check(&self) -> Result<()> {
        DAMPING.check("damping", self.damping)?;
        check_size(self.size).map(drop)
    }

    fn halo(&self) -> usize {
        self.size / 2
    }

    fn filter(&self, padded: ArrayView2<'_, f32>) -> Array2<f32> {
        filter_tile(padded, self.size, self.damping)
    }
}

/// Every band of an image in power through the Frost filter; see `filter_tile`.
///
/// # Errors
/// Bands in dB, amplitude or complex; a size that is even, below 3 or above 101; a damping below 0.
pub fn frost(raster: &Raster, size: usize, damping: f64) -> Result<Raster> {
    filter_bands(raster, Frost { size, damping })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn slow(image: &Array2<f32>, row: usize, col: usize, size: usize, damping: f64) -> f64 {
        let pixels = window(image, row, col, size);
        let (mean, variance) = mean_and_variance(pixels.iter().map(|p| p.2));
        let decay = if variance > 0.0 {
            damping * variance / (mean * mean)
        } else {
            0.0
        };
        let (mut sum, mut weights) = (0.0, 0.0);
        for (dy, dx, v) in pixels {
            let weight = (-decay * f64::sqrt((dy * dy + dx * dx) as f64)).exp();
            sum += weight * v;
            weights += weight;
        }
        sum / weights
    }

    #[test]
    fn equals_the_formula() {
        for (size, damping) in [(3, 2.0), (7, 1.0), (9, 4.0), (5, 0.0)] {
            check_against(
                size / 2,
                |p| filter_tile(p, size, damping),
                |image, r, c| slow(image, r, c, size, damping),
                2e-6,
            );
        }
    }

    #[test]
    fn exponential_is_exact_to_single_precision() {
        let mut x = 0.0f32;
        while x > -86.9 {
            let (got, want) = (f64::from(exp_of_negative(x)), f64::from(x).exp());
            assert!((got / want - 1.0).abs() < 2e-7, "{x}: {got} {want}");
            x -= 0.0137;
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
        for x in [-100.0, -1e30, f32::NEG_INFINITY] {
            assert_eq!(exp_of_negative(x), exp_of_negative(-87.0));
        }
    }

    #[test]
    fn tiles_do_not_show() {
        check_tiles(3, |p| filter_tile(p, 7, 2.0));
    }

    #[test]
    fn keeps_the_mean_of_speckle_and_smooths_it() {
        check_speckle(3, 4, 0.02, 5.0, |p| filter_tile(p, 7, 1.0));
    }

    #[test]
    fn leaves_a_constant_alone() {
        check_constant(3, |p| filter_tile(p, 7, 2.0));
    }

    #[test]
    fn refuses_a_damping_below_zero() {
        for damping in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(frost(&power_image(), 7, damping).is_err());
        }
        assert!(frost(&power_image(), 7, 0.0).is_ok());
    }
}
