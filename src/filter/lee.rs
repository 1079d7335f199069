//! Lee speckle filter.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::moments::filter_rows;
use super::speckle::{Filter, check_filter, check_looks, check_size, filter_bands};
use crate::described;
use crate::error::Result;
use crate::raster::Raster;
use serde::{Deserialize, Serialize};

/// Lee filter: each pixel is weighed against the mean of its neighbourhood, by how much more it varies than speckle.
///
/// `padded`: backscatter as power, grown by (size − 1) / 2 pixels on every side, NaN outside the image and where masked.
/// `size`: width of the square window in pixels, odd. `looks`: the (equivalent) number of looks L of the image.
/// Returns the filtered power, without the halo.
///
/// With μ and v the mean and the (population) variance of the window, and Cu² = 1/L the squared coefficient of
/// variation of speckle, the result is μ + w·(z − μ), w = 1 − Cu²·μ²/v, and 0 where v ≤ Cu²·μ²: a window that varies no
/// more than speckle becomes its mean.
///
/// # Nodata
/// Masked pixels and those outside the image drop out of the window; a masked pixel stays masked.
///
/// # Source
/// J.-S. Lee, "Digital image enhancement and noise filtering by use of local statistics", IEEE PAMI 2(2), 1980,
/// doi:10.1109/TPAMI.1980.4766994, multiplicative noise in the linear model z ≈ x + x̄·(n − 1); the weight in the form of
/// Lopes, Touzi and Nezry, "Adaptive speckle filters and scene heterogeneity", IEEE TGRS 28(6), 1990,
/// doi:10.1109/36.62623.
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
        let (m, v) = (mean[c], variance[c]);
        let speckle = m * m / looks;
        let weight = if v > speckle { 1.0 - speckle / v } else { 0.0 };
        out[c] = (m + weight * (f64::from(pixels[c]) - m)) as f32;
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Lee {
    size: usize,
    looks: f64,
}

described!(Lee, Tiles, "filter.lee", 1, check_filter);

impl Filter for Lee {
    fn label(&self) -> String {
        format!("filter.lee(size {}, looks {})", self.size, self.looks)
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

/// Every band of an image in power through the Lee filter; see `filter_tile`.
///
/// # Errors
/// Bands in dB, amplitude or complex; a size that is even, below 3 or above 101; looks that are not above 0.
pub fn lee(raster: &Raster, size: usize, looks: f64) -> Result<Raster> {
    filter_bands(raster, Lee { size, looks })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn slow(image: &Array2<f32>, row: usize, col: usize, size: usize, looks: f64) -> f64 {
        let pixels = window(image, row, col, size);
        let (mean, variance) = mean_and_variance(pixels.iter().map(|p| p.2));
        let speckle = mean * mean / looks;
        let weight = if variance > speckle {
            1.0 - speckle / variance
        } else {
            0.0
        };
        mean + weight * (f64::from(image[(row, col)]) - mean)
    }

    #[test]
    fn equals_the_formula() {
        for (size, looks) in [(3, 1.0), (7, 4.4), (9, 2.0)] {
            check_against(
                size / 2,
                |p| filter_tile(p, size, looks),
                |image, r, c| slow(image, r, c, size, looks),
                1e-6,
            );
        }
    }

    #[test]
    fn tiles_do_not_show() {
        check_tiles(3, |p| filter_tile(p, 7, 3.0));
    }

    #[test]
    fn keeps_the_mean_of_speckle_and_smooths_it() {
        check_speckle(3, 4, 0.02, 8.0, |p| filter_tile(p, 7, 4.0));
    }

    #[test]
    fn leaves_a_constant_alone() {
        check_constant(3, |p| filter_tile(p, 7, 4.0));
    }

    #[test]
    fn refuses_windows_and_looks_that_mean_nothing() {
        for (size, looks) in [(4, 1.0), (1, 1.0), (103, 1.0), (7, 0.0), (7, f64::NAN), (7, -1.0)] {
            assert!(lee(&power_image(), size, looks).is_err(), "{size} {looks}");
        }
        assert!(lee(&power_image(), 7, 4.4).is_ok());
    }
}
