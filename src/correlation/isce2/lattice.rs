//! The peak between samples as ISCE2 finds it: the largest value on a lattice.

use crate::correlation::sinc::{TAPS, weights};
use crate::correlation::surface::{Peak, Surface};

/// Positions between two samples at which ISCE2 tabulates its kernel.
const TABLE: f64 = 4096.0;
/// Cut-off of ISCE2's kernel, in Nyquist frequencies: its interpolation is a mild low-pass, and pulls peaks by up to a
/// fiftieth of a sample.
const CUTOFF: f64 = 0.75;

/// Finds peaks on a lattice of `oversampling` steps a sample, bit by bit as ISCE2's ampcor. Its kernel and tables are
/// made once.
#[derive(Debug)]
pub struct LatticePeak {
    oversampling: usize,
    /// Side of the patch around the peak that is interpolated as if it went on periodically.
    zoom: usize,
    /// For each step −oversampling − 1 ..= oversampling − 1: the samples of the patch (the peak is sample zoom/2) and weights.
    steps: Vec<([usize; TAPS], [f64; TAPS])>,
    rows: Vec<f64>,
    line: Vec<f64>,
}

impl LatticePeak {
    /// `oversampling` and `zoom` are powers of 2; `zoom` is at least 8.
    pub fn new(oversampling: usize, zoom: usize) -> LatticePeak {
        let n = oversampling as isize;
        let steps = (-n - 1..n)
            .map(|q| {
                let position = (zoom / 2) as f64 + q as f64 / n as f64;
                // The table's middle lies half a step beside the kernel's.
                let (first, w) = weights(position, 0.5 / TABLE, CUTOFF);
                let index = |k: usize| (first + k as isize).rem_euclid(zoom as isize) as usize;
                (std::array::from_fn(index), w)
            })
            .collect();
        LatticePeak {
            oversampling,
            zoom,
            steps,
            rows: Vec::new(),
            line: Vec::new(),
        }
    }

    /// (x, y) of the largest magnitude within a sample of `peak`, in samples from it; of equal ones the last. The patch
    /// holds 0 outside the surface.
    pub fn refine(&mut self, surface: &Surface, peak: &Peak) -> (f64, f64) {
        let (zoom, steps) = (self.zoom, self.steps.len());
        let half = (zoom / 2) as isize;
        let value = |row: usize, col: usize| {
            let row = peak.row as isize + row as isize - half;
            let col = peak.col as isize + col as isize - half;
            surface
                .get(row, col)
                .filter(|v| v.is_finite())
                .unwrap_or(0.0)
                .abs()
        };
        self.rows.clear();
        for row in 0..zoom {
            let line: Vec<f64> = (0..zoom).map(|col| value(row, col)).collect();
            self.rows.extend(
                self.steps
                    .iter()
                    .map(|(samples, w)| samples.iter().zip(w).map(|(&s, w)| line[s] * w).sum::<f64>()),
            );
        }
        let (mut best, mut at) = (f64::MIN, (0, 0));
        for (y, (samples, w)) in self.steps.iter().enumerate() {
            self.line.clear();
            self.line.resize(steps, 0.0);
            for (&s, w) in samples.iter().zip(w) {
                for (sum, v) in self.line.iter_mut().zip(&self.rows[s * steps..][..steps]) {
                    *sum += w * v;
                }
            }
            for (x, v) in self.line.iter().enumerate() {
                // ISCE2 compares in single precision, so values that differ by rounding are equal.
                if v.abs() as f32 >= best as f32 {
                    (best, at) = (v.abs(), (x, y));
                }
            }
        }
        let offset = |q: usize| (q as f64 - self.oversampling as f64 - 1.0) / self.oversampling as f64;
        (offset(at.0), offset(at.1))
    }
}
