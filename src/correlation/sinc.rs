//! Sub-sample peaks of correlation surfaces by windowed-sinc interpolation.

use std::f64::consts::PI;

use super::surface::{Peak, Surface};

pub(super) const TAPS: usize = 8;
/// The cut-off at which 8 taps pull peaks the least: by up to 0.002 samples on the correlation of band-limited speckle
/// (sinc² with a main lobe of 4 to 7 samples), 0.005 on Gaussians of 2 to 4 samples.
const CUTOFF: f64 = 0.87;

/// Value of the kernel at `u` samples from its centre: sinc(βu) under a raised cosine of 8 samples.
fn kernel(u: f64, beta: f64) -> f64 {
    if u.abs() >= TAPS as f64 / 2.0 {
        return 0.0;
    }
    let s = PI * beta * u;
    let sinc = if s == 0.0 { 1.0 } else { s.sin() / s };
    sinc * (0.5 + 0.5 * (PI * u / (TAPS as f64 / 2.0)).cos())
}

/// The samples that make the value at `position`, the first of 8 in a row, and their weights, whose sum is 1. `bias` is
/// added to the distances.
pub(super) fn weights(position: f64, bias: f64, beta: f64) -> (isize, [f64; TAPS]) {
    let first = position.floor() as isize - (TAPS as isize / 2 - 1);
    let mut w: [f64; TAPS] =
        std::array::from_fn(|k| kernel(position - (first + k as isize) as f64 + bias, beta));
    let sum: f64 = w.iter().sum();
    w.iter_mut().for_each(|w| *w /= sum);
    (first, w)
}

/// A peak between samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SubsamplePeak {
    /// Samples from the integer peak, across and down.
    pub x: f64,
    pub y: f64,
    /// The interpolated correlation.
    pub value: f64,
}

/// The maximum of the interpolated surface near `peak`, not bound to a lattice: the best of 8 steps a sample, then
/// the tops of paraboloids through nine ever closer points. Outside the surface its border is repeated, and NaN is 0.
pub fn continuous_peak(surface: &Surface, peak: &Peak) -> SubsamplePeak {
    let patch = Patch::new(surface, peak);
    let steps: [f64; 17] = std::array::from_fn(|i| i as f64 / 8.0 - 1.0);
    let values = patch.lattice(&steps, &steps);
    let (mut x, mut y, mut best) = (0.0, 0.0, f64::MIN);
    for (row, &ty) in values.iter().zip(&steps) {
        for (&v, &tx) in row.iter().zip(&steps) {
            if v > best {
                (x, y, best) = (tx, ty, v);
            }
        }
    }
    for h in [1.0 / 16.0, 1.0 / 64.0, 1.0 / 256.0, 1.0 / 1024.0] {
        let [[nw, n, ne], [w, c, e], [sw, s, se]] = patch.lattice(&[x - h, x, x + h], &[y - h, y, y + h]);
        let (gx, gy) = ((e - w) / 2.0, (s - n) / 2.0);
        let (hxx, hyy) = (e + w - 2.0 * c, s + n - 2.0 * c);
        let hxy = (se + nw - ne - sw) / 4.0;
        let determinant = hxx * hyy - hxy * hxy;
        if !(determinant > 0.0 && hxx < 0.0) {
            break;
        }
        let dx = (hxy * gy - hyy * gx) / determinant;
        let dy = (hxy * gx - hxx * gy) / determinant;
        // Steps are bounded, for a paraboloid says little far from its points.
        x = (x + dx.clamp(-2.0, 2.0) * h).clamp(-1.25, 1.25);
        y = (y + dy.clamp(-2.0, 2.0) * h).clamp(-1.25, 1.25);
    }
    let [[value]] = patch.lattice(&[x], &[y]);
    // The kernel is a mild low-pass, and must not make a perfect match less than one.
    let value = value.max(peak.value);
    SubsamplePeak { x, y, value }
}

/// What a kernel of 8 taps within a sample and a quarter of a peak can meet.
struct Patch([[f64; Patch::SIDE]; Patch::SIDE]);

impl Patch {
    const SIDE: usize = 12;
    /// The sample that is the peak.
    const CENTRE: usize = 5;

    fn new(surface: &Surface, peak: &Peak) -> Patch {
        let inside = |at: usize, i: usize, size: usize| {
            (at as isize + i as isize - Self::CENTRE as isize).clamp(0, size as isize - 1) as usize
        };
        Patch(std::array::from_fn(|j| {
            let row = inside(peak.row, j, surface.rows);
            std::array::from_fn(|i| {
                let v = surface.at(row, inside(peak.col, i, surface.cols));
                if v.is_finite() { v } else { 0.0 }
            })
        }))
    }

    /// Interpolated values at every pair of distances from the peak, each within a sample and a quarter.
    fn lattice<const X: usize, const Y: usize>(&self, xs: &[f64; X], ys: &[f64; Y]) -> [[f64; X]; Y] {
        let taps = |at: f64| {
            let (first, w) = weights(Self::CENTRE as f64 + at, 0.0, CUTOFF);
            (first.clamp(0, (Self::SIDE - TAPS) as isize) as usize, w)
        };
        let across = xs.map(taps);
        let rows: [[f64; X]; Self::SIDE] = std::array::from_fn(|row| {
            std::array::from_fn(|i| {
                let (first, w) = &across[i];
                let samples = &self.0[row][*first..];
                w.iter().zip(samples).map(|(w, v)| w * v).sum()
            })
        });
        std::array::from_fn(|j| {
            let (first, w) = taps(ys[j]);
            let mut line = [0.0; X];
            for (w, row) in w.iter().zip(&rows[first..]) {
                for (sum, v) in line.iter_mut().zip(row) {
                    *sum += w * v;
                }
            }
            line
        })
    }
}
