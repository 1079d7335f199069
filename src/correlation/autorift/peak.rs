//! What is read off one correlation surface.

use super::pyramid::{PATCH, Pyramid};

/// The match of a chip. Offsets in pixels from the first shift of the surface: right and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    pub dx: f32,
    pub dy: f32,
    /// The correlation at the highest whole shift.
    pub correlation: f32,
    /// Its square over the mean square of the surface, leaving out the 5 × 5 samples around it; NaN where that is nothing.
    pub snr: f32,
    /// Standard deviations of the offset in pixels; see `deviation`.
    pub dx_std: f32,
    pub dy_std: f32,
}

/// The highest sample of a surface of (`rows`, `cols`), the first in row order: (row, col, value).
pub fn highest(surface: &[f32], cols: usize) -> (usize, usize, f32) {
    const LANES: usize = 16;
    let mut best = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = surface.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            best[l] = if chunk[l] > best[l] { chunk[l] } else { best[l] };
        }
    }
    let value = best.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    let at = surface.iter().position(|&v| v == value).unwrap_or(0);
    (at / cols, at % cols, value)
}

/// The match that a surface of (`rows`, `cols`) shifts shows, at least 5 each way, at whole shifts or by a pyramid.
/// `samples` is the number of independent real samples that were compared.
pub fn read(
    surface: &[f32],
    (rows, cols): (usize, usize),
    samples: f64,
    pyramid: Option<&mut Pyramid>,
) -> Match {
    let (row, col, correlation) = highest(surface, cols);
    let Some(pyramid) = pyramid else {
        return Match {
            dx: col as f32,
            dy: row as f32,
            correlation,
            snr: f32::NAN,
            dx_std: f32::NAN,
            dy_std: f32::NAN,
        };
    };
    let first = |at: usize, n: usize| at.saturating_sub(PATCH / 2).min(n - PATCH);
    let (r0, c0) = (first(row, rows), first(col, cols));
    let patch: [[f32; PATCH]; PATCH] =
        std::array::from_fn(|r| std::array::from_fn(|c| surface[(r0 + r) * cols + c0 + c]));
    let (dy, dx) = pyramid.peak(&patch);
    let total: f64 = squares(surface);
    let within: f64 = patch.iter().map(|row| squares(row)).sum();
    let others = (surface.len() - PATCH * PATCH) as f64;
    let snr = f64::from(correlation).powi(2) * others / (total - within).max(0.0);
    let (dx_std, dy_std) = deviation(&patch, (row - r0, col - c0), samples, pyramid.step());
    Match {
        dx: c0 as f32 + dx,
        dy: r0 as f32 + dy,
        correlation,
        snr: if snr.is_finite() { snr as f32 } else { f32::NAN },
        dx_std,
        dy_std,
    }
}

/// Lanes first, so that it is one order on every machine.
fn squares(values: &[f32]) -> f64 {
    let mut sums = [0f64; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (s, &v) in sums.iter_mut().zip(chunk) {
            *s += f64::from(v) * f64::from(v);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>()
}

/// Standard deviations (x, y) of the place of a correlation peak, in pixels.
///
/// With a correlation ρ of n independent samples, and noise of the signal's spectrum, the place has the covariance
/// (1 − ρ²) / (n ρ) · H⁻¹, where H is the curvature of the correlation at its peak, here by differences of its neighbours:
/// for speckle and its coherence γ this is the well-known √(3 / 2N) √(1 − γ²) / (π γ). The step of the refinement adds its
/// variance step² / 12. Neighbouring pixels that are alike count as independent here, so for images blurred
/// beyond a pixel it is a lower bound. NaN where the peak is at the border, flat, or not positive.
///
/// # Source
/// R. Bamler and M. Eineder, "Accuracy of differential shift estimation by correlation and split-bandwidth
/// interferometry for wideband and delta-k SAR systems", IEEE Geoscience and Remote Sensing Letters 2(2), 2005,
/// doi:10.1109/LGRS.2004.843203.
pub fn deviation(
    patch: &[[f32; PATCH]; PATCH],
    (row, col): (usize, usize),
    samples: f64,
    step: f64,
) -> (f32, f32) {
    if !(1..PATCH - 1).contains(&row) || !(1..PATCH - 1).contains(&col) {
        return (f32::NAN, f32::NAN);
    }
    let at = |r: usize, c: usize| f64::from(patch[r][c]);
    let peak = at(row, col);
    let xx = 2.0 * peak - at(row, col - 1) - at(row, col + 1);
    let yy = 2.0 * peak - at(row - 1, col) - at(row + 1, col);
    let xy =
        (at(row - 1, col + 1) + at(row + 1, col - 1) - at(row - 1, col - 1) - at(row + 1, col + 1)) / 4.0;
    let determinant = xx * yy - xy * xy;
    if !(peak > 0.0 && xx > 0.0 && yy > 0.0 && determinant > 0.0) {
        return (f32::NAN, f32::NAN);
    }
    let noise = (1.0 - peak * peak).max(0.0) / (samples * peak);
    let of = |curvature: f64| (noise * curvature / determinant + step * step / 12.0).sqrt() as f32;
    (of(yy), of(xx))
}
