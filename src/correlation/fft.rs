//! Transforms of images in two directions.

use std::sync::Arc;

use num_complex::Complex32;
use rustfft::{Fft, FftDirection, FftPlanner};

/// Transforms of complex images of one shape, in place; plans and buffers are made once.
pub struct Fft2 {
    rows: usize,
    cols: usize,
    along_rows: [Arc<dyn Fft<f32>>; 2],
    along_cols: [Arc<dyn Fft<f32>>; 2],
    turned: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Fft2 {
    pub fn new(rows: usize, cols: usize) -> Fft2 {
        let mut planner = FftPlanner::new();
        let mut both =
            |n: usize| [FftDirection::Forward, FftDirection::Inverse].map(|d| planner.plan_fft(n, d));
        let (along_rows, along_cols) = (both(cols), both(rows));
        let scratch = along_rows
            .iter()
            .chain(&along_cols)
            .map(|p| p.get_inplace_scratch_len())
            .max();
        Fft2 {
            rows,
            cols,
            along_rows,
            along_cols,
            turned: vec![Complex32::ZERO; rows * cols],
            scratch: vec![Complex32::ZERO; scratch.unwrap_or(0)],
        }
    }

    /// Σ z exp(−2πi …), row-major.
    pub fn forward(&mut self, image: &mut [Complex32]) {
        self.run(image, 0);
    }

    /// Σ z exp(+2πi …), not divided by the number of pixels.
    pub fn inverse(&mut self, image: &mut [Complex32]) {
        self.run(image, 1);
    }

    fn run(&mut self, image: &mut [Complex32], direction: usize) {
        self.along_rows[direction].process_with_scratch(image, &mut self.scratch);
        transpose(image, &mut self.turned, self.rows, self.cols);
        self.along_cols[direction].process_with_scratch(&mut self.turned, &mut self.scratch);
        transpose(&self.turned, image, self.cols, self.rows);
    }
}

/// In blocks, so that lines of the cache are used whole.
fn transpose(from: &[Complex32], to: &mut [Complex32], rows: usize, cols: usize) {
    const BLOCK: usize = 8;
    for r0 in (0..rows).step_by(BLOCK) {
        for c0 in (0..cols).step_by(BLOCK) {
            for c in c0..(c0 + BLOCK).min(cols) {
                for r in r0..(r0 + BLOCK).min(rows) {
                    to[c * rows + r] = from[r * cols + c];
                }
            }
        }
    }
}
