//! Statistics that can be put together from parts (sums, counts, extremes): each row of the kernel is reduced
//! for all output columns at once, growing from its centre outwards, then the rows are merged from top to
//! bottom. That order belongs to the output pixel alone, so floating-point results do not depend on the
//! tiling.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::kernel::FocalKernel;
use crate::interrupt;

/// Output columns that are reduced together.
const LANES: usize = 8;
/// Groups of output columns in a strip: enough to use whole cache lines, few enough to keep a strip in the
/// cache.
const STRIP: usize = 16;

type Row = [f32; LANES];

/// A part of a statistic of `LANES` neighbouring output pixels.
pub(super) trait Part: Copy {
    /// Of no pixel.
    const EMPTY: Self;
    /// What stands in for a masked pixel: a value that changes nothing.
    const MASKED: f32 = 0.0;
    /// Adds a pixel to each lane.
    fn add(&mut self, pixels: &Row);
    fn merge(&mut self, other: &Self);
    /// The result of lane `i`, put together from `n` pixels.
    fn finish(&self, i: usize, n: f64) -> f32;
}

#[derive(Clone, Copy)]
pub(super) struct Minimum(Row);

impl Part for Minimum {
    const EMPTY: Self = Minimum([f32::INFINITY; LANES]);
    const MASKED: f32 = f32::INFINITY;
    #[inline(always)]
    fn add(&mut self, pixels: &Row) {
        for i in 0..LANES {
            self.0[i] = if pixels[i] < self.0[i] {
                pixels[i]
            } else {
                self.0[i]
            };
        }
    }
    #[inline(always)]
    fn merge(&mut self, other: &Self) {
        self.add(&other.0);
    }
    #[inline(always)]
    fn finish(&self, i: usize, _n: f64) -> f32 {
        self.0[i]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Maximum(Row);

impl Part for Maximum {
    const EMPTY: Self = Maximum([f32::NEG_INFINITY; LANES]);
    const MASKED: f32 = f32::NEG_INFINITY;
    #[inline(always)]
    fn add(&mut self, pixels: &Row) {
        for i in 0..LANES {
            self.0[i] = if pixels[i] > self.0[i] {
                pixels[i]
            } else {
                self.0[i]
            };
        }
    }
    #[inline(always)]
    fn merge(&mut self, other: &Self) {
        self.add(&other.0);
    }
    #[inline(always)]
    fn finish(&self, i: usize, _n: f64) -> f32 {
        self.0[i]
    }
}

/// f32 counts exactly to 2²⁴, more than any kernel has pixels.
#[derive(Clone, Copy)]
struct Number(Row);

impl Part for Number {
    const EMPTY: Self = Number([0.0; LANES]);
    #[inline(always)]
    fn add(&mut self, pixels: &Row) {
        for i in 0..LANES {
            self.0[i] += pixels[i];
        }
    }
    #[inline(always)]
    fn merge(&mut self, other: &Self) {
        self.add(&other.0);
    }
    #[inline(always)]
    fn finish(&self, i: usize, _n: f64) -> f32 {
        self.0[i]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Sum([f64; LANES]);

impl Part for Sum {
    const EMPTY: Self = Sum([0.0; LANES]);
    #[inline(always)]
    fn add(&mut self, pixels: &Row) {
        for i in 0..LANES {
            self.0[i] += f64::from(pixels[i]);
        }
    }
    #[inline(always)]
    fn merge(&mut self, other: &Self) {
        for i in 0..LANES {
            self.0[i] += other.0[i];
        }
    }
    #[inline(always)]
    fn finish(&self, i: usize, n: f64) -> f32 {
        (self.0[i] / n) as f32
    }
}

/// Sum, and sum of squares in two terms. A square of an f32 is exact in f64; the rounding errors of their sum
/// are kept in `squares_low` (Knuth's TwoSum), because the variance is the small difference of two large
/// numbers where an image is far from 0 compared with its spread (heights, temperatures, dB).
#[derive(Clone, Copy)]
pub(super) struct Moments {
    sum: [f64; LANES],
    squares: [f64; LANES],
    squares_low: [f64; LANES],
}

impl Moments {
    #[inline(always)]
    fn add_squares(&mut self, i: usize, squares: f64, low: f64) {
        let total = self.squares[i] + squares;
        let part = total - self.squares[i];
        let error = (self.squares[i] - (total - part)) + (squares - part);
        self.squares[i] = total;
        self.squares_low[i] += error + low;
    }

    /// Population variance of the `n` pixels of lane `i`.
    ///
    /// Where the spread is far smaller than the mean, all pixels have nearly the same exponent and `sum` is
    /// exact; its square is then taken in two terms as well. Elsewhere nothing cancels and the rounding
    /// of `sum` does no harm.
    #[inline(always)]
    fn variance(&self, i: usize, n: f64) -> f64 {
        let sum = self.sum[i];
        let square = sum * sum;
        let square_low = sum.mul_add(sum, -square);
        let scaled = n * self.squares[i];
        let scaled_low = n.mul_add(self.squares[i], -scaled) + n * self.squares_low[i];
        (((scaled - square) + (scaled_low - square_low)) / (n * n)).max(0.0)
    }
}

impl Part for Moments {
    const EMPTY: Self = Moments {
        sum: [0.0; LANES],
        squares: [0.0; LANES],
        squares_low: [0.0; LANES],
    };
    #[inline(always)]
    fn add(&mut self, pixels: &Row) {
        for i in 0..LANES {
            let pixel = f64::from(pixels[i]);
            self.sum[i] += pixel;
            self.add_squares(i, pixel * pixel, 0.0);
        }
    }
    #[inline(always)]
    fn merge(&mut self, other: &Self) {
        for i in 0..LANES {
            self.sum[i] += other.sum[i];
            self.add_squares(i, other.squares[i], other.squares_low[i]);
        }
    }
    #[inline(always)]
    fn finish(&self, i: usize, n: f64) -> f32 {
        self.variance(i, n).sqrt() as f32
    }
}

/// The statistic `P` of every output pixel that is valid.
#[multiversion(targets("x86_64+avx2+fma"))]
pub(super) fn reduce<P: Part>(padded: ArrayView2<f32>, kernel: &FocalKernel) -> Array2<f32> {
    let (hy, hx) = kernel.halo();
    let rows = padded.nrows().saturating_sub(2 * hy);
    let cols = padded.ncols().saturating_sub(2 * hx);
    let mut out = Array2::from_elem((rows, cols), f32::NAN);
    if out.is_empty() {
        return out;
    }
    let spans = Spans::new(kernel);
    let mut parts = vec![[P::EMPTY; STRIP]; rows];
    let mut numbers = vec![[Number::EMPTY; STRIP]; rows];
    for first in (0..cols).step_by(STRIP * LANES) {
        let width = (STRIP * LANES).min(cols - first);
        let around = padded.slice(ndarray::s![.., first..first + width + 2 * hx]);
        if interrupt::requested() {
            return out;
        }
        spans.fill(around, &mut parts, |value| value);
        let masked = around.iter().any(|value| !value.is_finite());
        if masked {
            spans.fill(around, &mut numbers, |_| 1.0);
        }
        for (y, (parts, numbers)) in parts.iter().zip(&numbers).enumerate() {
            let mut results = [0.0; STRIP * LANES];
            for (group, results) in results.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                for i in 0..LANES {
                    let n = if masked {
                        f64::from(numbers[group].0[i])
                    } else {
                        spans.pixels
                    };
                    results[i] = parts[group].finish(i, n);
                }
            }
            let centres = around.slice(ndarray::s![y + hy, hx..hx + width]);
            let out = out.slice_mut(ndarray::s![y, first..first + width]);
            for ((out, &result), centre) in out.into_iter().zip(&results).zip(centres) {
                *out = if centre.is_finite() { result } else { f32::NAN };
            }
        }
    }
    out
}

/// The rows of a kernel.
struct Spans {
    hy: usize,
    hx: usize,
    pixels: f64,
    /// The different half widths, growing.
    levels: Vec<usize>,
    /// Which of them each row of the kernel has.
    level_of: Vec<usize>,
}

impl Spans {
    fn new(kernel: &FocalKernel) -> Spans {
        let (hy, hx) = kernel.halo();
        let half_widths = kernel.half_widths();
        let mut levels: Vec<usize> = half_widths.iter().rev().copied().collect();
        levels.dedup();
        let level_of = (0..=2 * hy)
            .map(|j| levels.partition_point(|&level| level < half_widths[j.abs_diff(hy)]))
            .collect();
        Spans {
            hy,
            hx,
            pixels: kernel.pixels() as f64,
            levels,
            level_of,
        }
    }

    /// The part of every output pixel of a strip, whose pixels with their halo are `around`; a valid pixel
    /// counts as `pixel` of it. Ends early once a stop was asked for.
    #[inline(always)]
    fn fill<P: Part>(&self, around: ArrayView2<f32>, parts: &mut [[P; STRIP]], pixel: impl Fn(f32) -> f32) {
        let rows = parts.len();
        let mut pixels = vec![P::MASKED; STRIP * LANES + 2 * self.hx];
        let mut spans = vec![[P::EMPTY; STRIP]; self.levels.len()];
        parts.fill([P::EMPTY; STRIP]);
        for (source, row) in around.rows().into_iter().enumerate() {
            if interrupt::requested() {
                return;
            }
            for (to, &value) in pixels.iter_mut().zip(row) {
                *to = if value.is_finite() {
                    pixel(value)
                } else {
                    P::MASKED
                };
            }
            for group in 0..STRIP {
                let centre = group * LANES + self.hx;
                let mut part = P::EMPTY;
                part.add(lanes(&pixels, centre));
                let mut width = 0;
                for (&level, span) in self.levels.iter().zip(&mut spans) {
                    while width < level {
                        width += 1;
                        part.add(lanes(&pixels, centre - width));
                        part.add(lanes(&pixels, centre + width));
                    }
                    span[group] = part;
                }
            }
            // This row is row j of the kernel for output row source − j.
            for j in source.saturating_sub(rows - 1)..=source.min(2 * self.hy) {
                for (part, span) in parts[source - j].iter_mut().zip(&spans[self.level_of[j]]) {
                    part.merge(span);
                }
            }
        }
    }
}

#[inline(always)]
fn lanes(pixels: &[f32], start: usize) -> &Row {
    pixels[start..]
        .first_chunk()
        .expect("a strip is as wide as its groups and the kernel")
}
