//! Gamma MAP speckle filter.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::moments::filter_rows;
use super::speckle::{Filter, check_filter, check_looks, check_size, filter_bands};
use crate::described;
use crate::error::Result;
use crate::raster::Raster;
use serde::{Deserialize, Serialize};

/// Gamma MAP filter: the most probable backscatter of a pixel, where backscatter and speckle are gamma distributed.
///
/// `padded`: backscatter as power, grown by (size − 1) / 2 pixels on every side, NaN outside the image and where masked.
/// `size`: width of the square window in pixels, odd. `looks`: the (equivalent) number of looks L of the image.
/// Returns the filtered power, without the halo.
///
/// With μ and v the mean and the (population) variance of the window, Ci² = v/μ² and Cu² = 1/L:
/// the mean μ where Ci ≤ Cu (nothing but speckle); the pixel itself where Ci ≥ √2·Cu (a point or an edge); else
/// (μ·(α − L − 1) + √(μ²·(α − L − 1)² + 4·α·L·μ·z)) / (2·α) with α = (1 + Cu²) / (Ci² − Cu²).
/// Powers below 0, which noise subtraction leaves behind, can make the root imaginary; it then counts as 0.
///
/// # Nodata
/// Masked pixels and those outside the image drop out of the window; a masked pixel stays masked.
///
/// # Source
/// A. Lopes, E. Nezry, R. Touzi and H. Laur, "Maximum a posteriori speckle filtering and first order texture models in
/// SAR images", IGARSS 1990; "Structure detection and statistical adaptive speckle filtering in SAR images",
/// International Journal of Remote Sensing 14(9), 1993, doi:10.1080/01431169308953999.
pub fn filter_tile(padded: ArrayView2<'_, f32>, size: usize, looks: f64) -> Array2<f32> {
    filter_rows(padded, size, |tile, row, local, out| {
        combine(tile.centre(row), &local.mean, &local.variance, looks, out);
    })
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn combine(pixels: &[f32], mean: &[f64], variance: &[f64], looks: f64, out: &mut [f32]) {
    let n = out.len();
    let (pixels, mean, variance) = (&pixels[..n], &mean[..n], &variance[..n]);
    for c in 0..n {
        let (m, v, z) = (mean[c], variance[c], f64::from(pixels[c]));
        let speckle = m * m / looks;
        let alpha = (m * m + speckle) / (v - speckle);
        let beta = m * (alpha - looks - 1.0);
        let square = beta * beta + 4.0 * alpha * looks * m * z;
        let root = if square > 0.0 { square.sqrt() } else { 0.0 };
        let texture = (beta + root) / (2.0 * alpha);
        let textured = if v >= 2.0 * speckle { z } else { texture };
        out[c] = (if v > speckle { textured } else { m }) as f32;
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct GammaMap {
    size: usize,
    looks: f64,
}

described!(GammaMap, Tiles, "filter.gamma_map", 1, check_filter);

impl Filter for GammaMap {
    fn label(&self) -> String {
        format!("filter.gamma_map(size {}, looks {})", self.size, self.looks)
    }

    fn check(&self) -> Result<()> {
        check_size(self.size)?;
        check_looks(self.looks)?;
        Ok(())
    }

    fn halo(&self) -> usize {
        self.size / 2
    }

    fn filter(&self, padded: ArrayView2<'_, f32>) -> Array2<f32> {
        filter_tile(padded, self.size, self.looks)
    }
}

/// Every band of an image in power through the gamma MAP filter; see `filter_tile`.
///
/// # Errors
/// Bands in dB, amplitude or complex; a size that is even, below 3 or above 101; looks that are not above 0.
pub fn gamma_map(raster: &Raster, size: usize, looks: f64) -> Result<Raster> {
    filter_bands(raster, GammaMap { size, looks })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn slow(image: &Array2<f32>, row: usize, col: usize, size: usize, looks: f64) -> f64 {
        let pixels = window(image, row, col, size);
        let (mean, variance) = mean_and_variance(pixels.iter().map(|p| p.2));
        let z = f64::from(image[(row, col)]);
        let (speckle, scene) = ((1.0 / looks).sqrt(), variance.sqrt() / mean);
        if variance == 0.0 || scene <= speckle {
            return mean;
        }
        if scene >= 2f64.sqrt() * speckle {
            return z;
        }
        let alpha = (1.0 + speckle * speckle) / (scene * scene - speckle * speckle);
        let b = alpha - looks - 1.0;
        (b * mean + (mean * mean * b * b + 4.0 * alpha * looks * mean * z).sqrt()) / (2.0 * alpha)
    }

    #[test]
    fn equals_the_formula() {
        for (size, looks) in [(3, 1.0), (7, 2.2), (9, 1.0)] {
            check_against(
                size / 2,
                |p| filter_tile(p, size, looks),
                |image, r, c| slow(image, r, c, size, looks),
                1e-6,
            );
        }
    }

    #[test]
    fn solves_the_equation_of_the_most_probable_power() {
        // α·x²/μ + (1 + L − α)·x − L·z = 0, where the derivative of the posterior vanishes.
        let (size, looks) = (7, 2.0);
        let image = scene(40, 40, 2, 3);
        let out = filter_tile(padded(image.view(), 3).view(), size, looks);
        let mut between = 0;
        for ((r, c), &x) in out.indexed_iter() {
            let (mean, variance) = mean_and_variance(window(&image, r, c, size).iter().map(|p| p.2));
            let excess = variance / (mean * mean) * looks;
            if excess > 1.01 && excess < 1.99 {
                between += 1;
                let (x, z) = (f64::from(x), f64::from(image[(r, c)]));
                let alpha = (1.0 + 1.0 / looks) / ((excess - 1.0) / looks);
                let residual = alpha * x * x / mean + (1.0 + looks - alpha) * x - looks * z;
                assert!(residual.abs() < 1e-5 * alpha * mean, "({r}, {c}): {residual}");
            }
        }
        assert!(between > 100, "{between}");
    }

    #[test]
    fn powers_below_zero_stay_finite() {
        let mut image = scene(30, 30, 1, 9);
        image.mapv_inplace(|v| v - 0.02);
        let out = filter_tile(padded(image.view(), 3).view(), 7, 1.0);
        assert!(out.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn tiles_do_not_show() {
        check_tiles(3, |p| filter_tile(p, 7, 3.0));
    }

    #[test]
    fn keeps_the_mean_of_speckle_and_smooths_it() {
        // The most probable power is below the mean one: a few per cent for four looks.
        check_speckle(3, 4, 0.03, 8.0, |p| filter_tile(p, 7, 4.0));
    }

    #[test]
    fn leaves_a_constant_alone() {
        check_constant(3, |p| filter_tile(p, 7, 4.0));
    }
}
