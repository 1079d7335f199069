//! What is correlated: real pixels, and which of them are valid.

use std::borrow::Cow;

use multiversion::multiversion;
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::cross::Image;
use super::oversample::Measure;
use super::settings::Extent;

/// What the pixels of the images are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Signal {
    /// Complex: magnitudes are correlated, and pixels that are exactly 0 are empty.
    Complex,
    /// Real values, correlated as they are.
    Real,
}

/// How pixels become what is correlated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub signal: Signal,
    /// Magnitudes are correlated, else real parts.
    pub is_magnitude: bool,
    /// Masked and empty pixels take no part, else they do as zeros.
    pub masks: bool,
}

/// Real pixels, row-major.
#[derive(Debug, Default)]
pub(super) struct Plane {
    pub extent: Extent,
    /// Masked pixels are 0.
    pub values: Vec<f32>,
    /// 1 where a pixel is valid, else 0; empty where all are.
    pub valid: Vec<f32>,
}

impl Rule {
    pub fn of(signal: Signal) -> Rule {
        Rule {
            signal,
            is_magnitude: signal == Signal::Complex,
            masks: true,
        }
    }

    /// Exact zeros are what processors write where a complex image has nothing; a real 0 can be a value.
    pub fn is_valid(self, z: Complex32) -> bool {
        z.re.is_finite() && !(self.is_magnitude && z == Complex32::ZERO)
    }

    /// How many are valid.
    pub fn count(self, pixels: &[Complex32]) -> usize {
        count_valid(pixels, self.is_magnitude)
    }

    /// What becomes of a pixel.
    pub fn measure(self) -> Measure {
        match self.is_magnitude {
            true => Measure::Magnitude,
            false => Measure::Real,
        }
    }

    /// Fills `out` from rows of pixels, and counts the valid ones.
    pub fn fill<'a>(
        self,
        rows: impl Iterator<Item = &'a [Complex32]> + Clone,
        extent: Extent,
        out: &mut Plane,
    ) -> usize {
        out.extent = extent;
        out.values.clear();
        out.valid.clear();
        let mut count = 0;
        for row in rows.clone() {
            count += self.count(row);
            let first = out.values.len();
            out.values.resize(first + row.len(), 0.0);
            self.measure().apply(row, &mut out.values[first..]);
        }
        if count == extent.len() {
            return count;
        }
        if self.masks {
            let flag = |z: &Complex32| f32::from(u8::from(self.is_valid(*z)));
            rows.for_each(|row| out.valid.extend(row.iter().map(flag)));
        }
        for v in &mut out.values {
            *v = if v.is_finite() { *v } else { 0.0 };
        }
        count
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn count_valid(pixels: &[Complex32], is_magnitude: bool) -> usize {
    let mut counts = [0u32; 16];
    let one = |z: &Complex32| {
        let is_empty = is_magnitude & (z.re == 0.0) & (z.im == 0.0);
        u32::from(z.re.is_finite() & !is_empty)
    };
    let (chunks, rest) = pixels.as_chunks::<16>();
    for chunk in chunks {
        for (count, z) in counts.iter_mut().zip(chunk) {
            *count += one(z);
        }
    }
    let total: u32 = counts.iter().sum::<u32>() + rest.iter().map(one).sum::<u32>();
    total as usize
}

impl Plane {
    pub fn image(&self) -> Image<'_> {
        Image::new(self.extent.rows, self.extent.cols, &self.values)
    }

    /// 1 for a valid pixel, 0 for a masked one.
    pub fn validity(&self) -> Cow<'_, [f32]> {
        match self.valid.is_empty() {
            true => Cow::Owned(vec![1.0; self.values.len()]),
            false => Cow::Borrowed(&self.valid),
        }
    }

    /// Means of the valid pixels of every `looks` of them; masked where there is none. `looks` must divide the extent.
    pub fn average(&mut self, looks: Extent) {
        let (wide, cols) = (self.extent.cols, self.extent.cols / looks.cols);
        let rows = self.extent.rows / looks.rows;
        let mut sums = vec![(0f32, 0f32); rows * cols];
        for (i, &v) in self.values.iter().enumerate() {
            let weight = self.valid.get(i).copied().unwrap_or(1.0);
            let sum = &mut sums[i / wide / looks.rows * cols + i % wide / looks.cols];
            *sum = (sum.0 + v * weight, sum.1 + weight);
        }
        self.extent = Extent::new(rows, cols);
        self.values = sums.iter().map(|s| s.0 / s.1.max(1.0)).collect();
        self.valid = match sums.iter().all(|s| s.1 > 0.0) {
            true => Vec::new(),
            false => sums.iter().map(|s| f32::from(u8::from(s.1 > 0.0))).collect(),
        };
    }

    /// The mask of a plane `factor` times as fine, of this extent: a pixel between two others is valid where both are.
    pub fn refine_mask(&mut self, coarse: &[bool], cols: usize, factor: usize) {
        let rows = coarse.len() / cols;
        let valid = |r: usize, c: usize| coarse[r.min(rows - 1) * cols + c.min(cols - 1)];
        self.valid.clear();
        for r in 0..rows * factor {
            let below = (r / factor, r.div_ceil(factor));
            for c in 0..cols * factor {
                let beside = (c / factor, c.div_ceil(factor));
                let all = valid(below.0, beside.0)
                    && valid(below.0, beside.1)
                    && valid(below.1, beside.0)
                    && valid(below.1, beside.1);
                self.valid.push(f32::from(u8::from(all)));
            }
        }
    }
}
