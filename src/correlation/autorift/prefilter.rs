//! Filters that bring out what can be tracked: applied to both images before they are compared.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::gaps;
use crate::error::{Choice, Domain, Result};

/// A filter, with the side of its window in pixels (odd).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefilter {
    /// The image as it is.
    None,
    /// The image less the mean of the window: autoRIFT's own choice.
    HighPass { width: usize },
    /// The same divided by the standard deviation of the window.
    Wallis { width: usize },
    /// The same, with gaps between scan lines (Landsat 7 after 2003) and windows with a standard deviation below `cutoff`
    /// filled with noise.
    WallisFill { width: usize, cutoff: f32 },
    /// The sum of both first derivatives.
    Sobel { width: usize },
    /// The Laplacian of 20 log₁₀ of the image.
    LogLaplacian { width: usize },
    /// 20 log₁₀ of the image.
    Decibel,
}

/// The filters without their windows, as users know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    None,
    HighPass,
    Wallis,
    WallisFill,
    Sobel,
    LogLaplacian,
    Decibel,
}

impl Choice for Method {
    const ALL: &'static [(&'static str, Self)] = &[
        ("high_pass", Method::HighPass),
        ("wallis", Method::Wallis),
        ("wallis_fill", Method::WallisFill),
        ("sobel", Method::Sobel),
        ("log_laplacian", Method::LogLaplacian),
        ("db", Method::Decibel),
        ("none", Method::None),
    ];
}

/// Sides of the window; of derivatives to 31, since their coefficients grow as 2^width.
pub const WIDTH: Domain = Domain::within(3.0, 101.0).odd().in_unit("pixels");
pub const CUTOFF: Domain = Domain::at_least(0.0);

impl Prefilter {
    /// # Errors
    /// A width that is even or not from 3 to 101, for derivatives to 31; a cutoff below 0.
    pub fn new(method: Method, width: usize, cutoff: f32) -> Result<Prefilter> {
        let filter = match method {
            Method::None => Prefilter::None,
            Method::HighPass => Prefilter::HighPass { width },
            Method::Wallis => Prefilter::Wallis { width },
            Method::WallisFill => Prefilter::WallisFill { width, cutoff },
            Method::Sobel => Prefilter::Sobel { width },
            Method::LogLaplacian => Prefilter::LogLaplacian { width },
            Method::Decibel => Prefilter::Decibel,
        };
        filter.check()?;
        Ok(filter)
    }

    /// # Errors
    /// A width that is even or not from 3 to 101, for derivatives to 31; a cutoff below 0.
    pub fn check(&self) -> Result<()> {
        let (width, domain) = match *self {
            Prefilter::None | Prefilter::Decibel => return Ok(()),
            Prefilter::Sobel { width } | Prefilter::LogLaplacian { width } => (width, WIDTH.up_to(31.0)),
            Prefilter::HighPass { width } | Prefilter::Wallis { width } => (width, WIDTH),
            Prefilter::WallisFill { width, .. } => (width, WIDTH),
        };
        domain.check_count("prefilter_width", width)?;
        match *self {
            Prefilter::WallisFill { cutoff, .. } => {
                CUTOFF.check("prefilter_cutoff", f64::from(cutoff)).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// How far around a pixel its result looks.
    pub fn halo(&self) -> usize {
        match *self {
            Prefilter::None | Prefilter::Decibel => 0,
            Prefilter::HighPass { width }
            | Prefilter::Wallis { width }
            | Prefilter::Sobel { width }
            | Prefilter::LogLaplacian { width } => width / 2,
            Prefilter::WallisFill { width, .. } => gaps::halo(width),
        }
    }

    /// Filters rows of an image. `strip` holds whole rows, with `halo` more above and below, less those that the image does
    /// not have: `missing` (above, below). Returns the rows without the halo. `first_row` is the first of them in the image.
    ///
    /// What is outside the image drops out of means, is 0 in derivatives and the image's reflection in standard deviations.
    /// (autoRIFT has 0 in means too, so that the frame of an image becomes a feature that never moves.)
    ///
    /// # Nodata
    /// NaN is masked, left out of means and standard deviations, and stays NaN, but for the gaps that are filled. A derivative
    /// that touches it is NaN. A window without variance is NaN for the Wallis filters.
    pub fn apply(&self, strip: ArrayView2<f32>, missing: (usize, usize), first_row: usize) -> Array2<f32> {
        let decibel = |v: f32| {
            let v = 20.0 * v.log10();
            if v.is_finite() { v } else { f32::NAN }
        };
        match *self {
            Prefilter::None => strip.to_owned(),
            Prefilter::Decibel => strip.map(|&v| decibel(v)),
            Prefilter::HighPass { width } => {
                let mut around = Bordered::new(strip, missing, width / 2, Border::Masked);
                around.local(width, |v, mean, _| v - mean as f32)
            }
            Prefilter::Wallis { width } => wallis(strip, missing, width).0,
            Prefilter::WallisFill { width, cutoff } => {
                gaps::wallis_fill(strip, missing, first_row, width, cutoff)
            }
            Prefilter::Sobel { width } => {
                let (d, s) = (derivative(1, width), derivative(0, width));
                Bordered::new(strip, missing, width / 2, Border::Zero).separable(&[(&d, &s), (&s, &d)])
            }
            Prefilter::LogLaplacian { width } => {
                let logarithm = strip.map(|&v| decibel(v));
                let (d, s) = (derivative(2, width), derivative(0, width));
                Bordered::new(logarithm.view(), missing, width / 2, Border::Zero)
                    .separable(&[(&d, &s), (&s, &d)])
            }
        }
    }
}

/// (image − local mean) / local standard deviation, and that deviation.
pub(super) fn wallis(
    strip: ArrayView2<f32>,
    missing: (usize, usize),
    width: usize,
) -> (Array2<f32>, Array2<f32>) {
    let deviation = Bordered::new(strip, missing, width / 2, Border::Reflect)
        .local(width, |_, _, variance| variance.sqrt() as f32);
    let mut out =
        Bordered::new(strip, missing, width / 2, Border::Masked).local(width, |v, mean, _| v - mean as f32);
    out.zip_mut_with(&deviation, |v, &std| {
        *v = if std > 1e-6 * v.abs().max(f32::MIN_POSITIVE) {
            *v / std
        } else {
            f32::NAN
        };
    });
    (out, deviation)
}

/// Coefficients of the binomial derivative of this order over `width` pixels.
fn derivative(order: usize, width: usize) -> Vec<f32> {
    let mut out = vec![1.0];
    for step in 0..width - 1 {
        let (a, b) = if step < order { (-1.0, 1.0) } else { (1.0, 1.0) };
        let mut next = vec![0.0; out.len() + 1];
        for (i, v) in out.iter().enumerate() {
            next[i] += a * v;
            next[i + 1] += b * v;
        }
        out = next;
    }
    out
}

/// What stands outside the image.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Border {
    Zero,
    /// Nothing: it drops out of means.
    Masked,
    /// The image mirrored at its edge, the edge's pixel twice.
    Reflect,
}

/// Rows with a border all around.
pub(super) struct Bordered {
    halo: usize,
    rows: usize,
    cols: usize,
    /// Columns of a row here.
    width: usize,
    /// 0 where masked.
    values: Vec<f32>,
    /// 1 where valid; empty where all are. Zeros outside the image are valid.
    weights: Vec<f32>,
}

impl Bordered {
    pub fn new(strip: ArrayView2<f32>, missing: (usize, usize), halo: usize, border: Border) -> Bordered {
        let (height, cols) = strip.dim();
        let total = height + missing.0 + missing.1;
        let width = cols + 2 * halo;
        let mut out = Bordered {
            halo,
            rows: total.saturating_sub(2 * halo),
            cols,
            width,
            values: vec![if border == Border::Masked { f32::NAN } else { 0.0 }; total * width],
            weights: Vec::new(),
        };
        if height == 0 || cols == 0 {
            return out;
        }
        for (r, row) in out.values.chunks_exact_mut(width).enumerate() {
            let source = r as isize - missing.0 as isize;
            let source = match border {
                Border::Reflect => mirror(source, height),
                _ if (0..height as isize).contains(&source) => source as usize,
                _ => continue,
            };
            for (o, &v) in row[halo..].iter_mut().zip(strip.row(source)) {
                *o = v;
            }
            if border == Border::Reflect {
                for i in 0..halo {
                    row[i] = row[halo + mirror(i as isize - halo as isize, cols)];
                    row[halo + cols + i] = row[halo + mirror((cols + i) as isize, cols)];
                }
            }
        }
        if out.values.iter().any(|v| v.is_nan()) {
            out.weights = out
                .values
                .iter()
                .map(|v| f32::from(u8::from(!v.is_nan())))
                .collect();
            out.values
                .iter_mut()
                .filter(|v| v.is_nan())
                .for_each(|v| *v = 0.0);
        }
        out
    }

    /// For every valid pixel `of(value, mean, sample variance)` of the window around it.
    pub fn local(&mut self, size: usize, of: impl Fn(f32, f64, f64) -> f32) -> Array2<f32> {
        let mut out = Array2::from_elem((self.rows, self.cols), f32::NAN);
        let (mut sums, mut squares, mut counts) = (
            vec![0f64; self.cols],
            vec![0f64; self.cols],
            vec![0f64; self.cols],
        );
        counts.fill((size * size) as f64);
        let mut columns = vec![0f64; self.width];
        for (r, mut out) in out.rows_mut().into_iter().enumerate() {
            let window = &self.values[r * self.width..(r + size) * self.width];
            window_sums::<false>(window, size, &mut columns, &mut sums);
            window_sums::<true>(window, size, &mut columns, &mut squares);
            if !self.weights.is_empty() {
                let window = &self.weights[r * self.width..(r + size) * self.width];
                window_sums::<false>(window, size, &mut columns, &mut counts);
            }
            let centre = (r + self.halo) * self.width + self.halo;
            for (c, o) in out.iter_mut().enumerate() {
                if self.weights.is_empty() || self.weights[centre + c] == 1.0 {
                    let n = counts[c];
                    let mean = sums[c] / n;
                    let variance = ((squares[c] / n - mean * mean).max(0.0)) * n / (n - 1.0);
                    *o = of(self.values[centre + c], mean, variance);
                }
            }
        }
        out
    }

    /// The sum of separable correlations (down, across); NaN where they touch a masked pixel.
    fn separable(&self, kernels: &[(&[f32], &[f32])]) -> Array2<f32> {
        let mut out = Array2::zeros((self.rows, self.cols));
        let mut column = vec![0f32; self.width];
        for (r, mut out) in out.rows_mut().into_iter().enumerate() {
            for (down, across) in kernels {
                column.fill(0.0);
                for (k, w) in down.iter().enumerate() {
                    let row = &self.values[(r + k) * self.width..][..self.width];
                    column.iter_mut().zip(row).for_each(|(o, v)| *o += w * v);
                }
                for (c, o) in out.iter_mut().enumerate() {
                    *o += across.iter().zip(&column[c..]).map(|(w, v)| w * v).sum::<f32>();
                }
            }
            if !self.weights.is_empty() {
                let size = 2 * self.halo + 1;
                for (c, o) in out.iter_mut().enumerate() {
                    let touches =
                        (r..r + size).any(|y| self.weights[y * self.width + c..][..size].contains(&0.0));
                    if touches {
                        *o = f32::NAN;
                    }
                }
            }
        }
        out
    }
}

/// The pixel that stands at i of n, the image mirrored at its edges.
fn mirror(i: isize, n: usize) -> usize {
    let period = 2 * n as isize;
    let i = i.rem_euclid(period);
    if i < n as isize {
        i as usize
    } else {
        (period - 1 - i) as usize
    }
}

/// out[c] = the sum over `size` rows and columns from c of values, or of their squares. f64, so that a large mean leaves
/// the variance its digits; down first and then across, always in one order.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn window_sums<const SQUARED: bool>(window: &[f32], size: usize, columns: &mut [f64], out: &mut [f64]) {
    let width = columns.len();
    columns.fill(0.0);
    for row in window.chunks_exact(width) {
        for c in 0..width {
            let v = f64::from(row[c]);
            columns[c] += if SQUARED { v * v } else { v };
        }
    }
    let cols = out.len();
    out.fill(0.0);
    for x in 0..size {
        let shifted = &columns[x..x + cols];
        for c in 0..cols {
            out[c] += shifted[c];
        }
    }
}
