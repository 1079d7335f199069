//! Focal statistics of values that float32 does not hold: float64, and integers beyond 24 bits. The plain way, pixel by pixel:
//! the fast ways of the other files rest on 32-bit values.

use ndarray::{Array2, ArrayView2};

use super::kernel::FocalKernel;
use super::operation::Statistic;
use crate::interrupt;
use crate::raster::tile::MASKED_INTEGER;

/// A value that can be masked and ordered.
pub(super) trait Wide: Copy + PartialOrd {
    const MASKED: Self;
    fn is_valid(self) -> bool;
}

impl Wide for f64 {
    const MASKED: f64 = f64::NAN;
    fn is_valid(self) -> bool {
        self.is_finite()
    }
}

impl Wide for i128 {
    const MASKED: i128 = MASKED_INTEGER;
    fn is_valid(self) -> bool {
        self != MASKED_INTEGER
    }
}

/// Statistics that are one of the values: minimum, maximum, mode (the smallest of equals).
pub(super) fn choose<T: Wide>(
    padded: ArrayView2<T>,
    kernel: &FocalKernel,
    statistic: Statistic,
) -> Array2<T> {
    each(padded, kernel, |values: &mut Vec<T>| {
        let (first, rest) = (values[0], &values[1..]);
        match statistic {
            Statistic::Min => rest.iter().fold(first, |a, &b| if b < a { b } else { a }),
            Statistic::Max => rest.iter().fold(first, |a, &b| if b > a { b } else { a }),
            _ => {
                sort(values);
                let (mut best, mut most) = (first, 0);
                for group in values.chunk_by(|a, b| a == b) {
                    if group.len() > most {
                        (best, most) = (group[0], group.len());
                    }
                }
                best
            }
        }
    })
}

/// The others, in float64.
pub(super) fn compute(padded: ArrayView2<f64>, kernel: &FocalKernel, statistic: Statistic) -> Array2<f64> {
    each(padded, kernel, |values: &mut Vec<f64>| {
        let (n, first) = (values.len() as f64, values[0]);
        // Of differences, which are small where the values are large.
        let mean = || values.iter().map(|v| v - first).sum::<f64>() / n + first;
        let quantile = match statistic {
            Statistic::Mean => return mean(),
            Statistic::Std => {
                let mean = mean();
                return (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt();
            }
            Statistic::Percentile(p) => p / 100.0,
            _ => 0.5,
        };
        sort(values);
        let position = (n - 1.0) * quantile;
        let (low, part) = (position.floor() as usize, position.fract());
        let (a, b) = (values[low], values[(low + 1).min(values.len() - 1)]);
        if part == 0.0 { a } else { a + (b - a) * part }
    })
}

fn sort<T: PartialOrd>(values: &mut [T]) {
    values.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
}

/// `statistic` of the valid pixels under the kernel, at least one, around each valid pixel.
fn each<T: Wide>(
    padded: ArrayView2<T>,
    kernel: &FocalKernel,
    statistic: impl Fn(&mut Vec<T>) -> T,
) -> Array2<T> {
    let (hy, hx) = kernel.halo();
    let rows = padded.nrows().saturating_sub(2 * hy);
    let cols = padded.ncols().saturating_sub(2 * hx);
    let mut out = Array2::from_elem((rows, cols), T::MASKED);
    let half_widths = kernel.half_widths();
    let mut values = Vec::with_capacity(kernel.pixels());
    for ((y, x), pixel) in out.indexed_iter_mut() {
        if x == 0 && interrupt::requested() {
            break;
        }
        if !padded[(y + hy, x + hx)].is_valid() {
            continue;
        }
        values.clear();
        for j in 0..=2 * hy {
            let width = half_widths[j.abs_diff(hy)];
            let row = padded.slice(ndarray::s![y + j, x + hx - width..=x + hx + width]);
            values.extend(row.iter().copied().filter(|v| v.is_valid()));
        }
        *pixel = statistic(&mut values);
    }
    out
}
