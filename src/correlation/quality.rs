//! How good a match is, from the shape of its correlation surface: signal-to-noise ratio and covariance.

use super::surface::{Peak, Surface};

/// Largest signal-to-noise ratio that is reported.
pub const SNR_MAX: f64 = 9999.99999;

/// Peak energy over the mean energy of the correlation around it: peak² / (Σ' c² / (n − 1)), the sum over the n
/// values within `reach` samples of the peak, without the peak. `last` is how many rows and columns of the surface
/// count. NaN values do not count. At most `SNR_MAX`.
pub fn snr(surface: &Surface, peak: &Peak, reach: usize, last: (usize, usize)) -> f64 {
    let rows = peak.row.saturating_sub(reach)..(peak.row + reach + 1).min(last.0);
    let (mut sum, mut count) = (0.0, 0usize);
    for row in rows {
        for col in peak.col.saturating_sub(reach)..(peak.col + reach + 1).min(last.1) {
            let c = surface.at(row, col);
            if c.is_finite() {
                sum += c * c;
                count += 1;
            }
        }
    }
    let energy = peak.value * peak.value;
    let noise = (sum - energy) / (count.max(2) - 1) as f64;
    (energy / noise.max(1e-10)).min(SNR_MAX)
}

/// Covariance of an offset, in squared samples of the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Covariance {
    pub xx: f64,
    pub yy: f64,
    pub xy: f64,
}

/// From the curvature of the surface at its peak and the noise e = 1 − peak, for a template of `pixels` pixels. None
/// where a neighbour of the peak is not defined or the surface is flat there.
///
/// # Source
/// As ROI_PAC's and ISCE2's ampcor computes it: Goldstein's estimate, the curvature matrix inverted twice (once for
/// white noise of power 2e, once for its curvature e²N/2).
pub fn covariance(surface: &Surface, peak: &Peak, pixels: f64) -> Option<Covariance> {
    let (row, col) = (peak.row as isize, peak.col as isize);
    let at = |dy: isize, dx: isize| surface.get(row + dy, col + dx).filter(|c| c.is_finite());
    let c = peak.value;
    let dxx = -(at(0, 1)? + at(0, -1)? - 2.0 * c) * pixels;
    let dyy = -(at(1, 0)? + at(-1, 0)? - 2.0 * c) * pixels;
    let dxy = (at(1, 1)? + at(-1, -1)? - at(-1, 1)? - at(1, -1)?) / 4.0 * pixels;
    let e = (1.0 - c).max(0.0);
    let (n2, n4) = (2.0 * e, e * e * pixels / 2.0);
    let u = dxy * dxy - dxx * dyy;
    if u == 0.0 {
        return None;
    }
    Some(Covariance {
        xx: (-n2 * u * dyy + n4 * (dyy * dyy + dxy * dxy)) / (u * u),
        yy: (-n2 * u * dxx + n4 * (dxx * dxx + dxy * dxy)) / (u * u),
        xy: (n2 * u - n4 * (dxx + dyy)) * dxy / (u * u),
    })
}
