//! Focal statistics: each pixel becomes a statistic of the pixels under a kernel centred on it.
//!
//! Rules that hold for all of them. A pixel is valid if and only if it is finite. Pixels that are masked or
//! outside the image drop out of the statistic, so it is of fewer pixels near borders and gaps. A masked
//! pixel stays masked: gaps are not filled. Every result depends only on the pixels under the kernel, never
//! on how the image is cut into tiles.
//!
//! The functions take the window wanted grown by the kernel's halo on each side (NaN outside the image) and
//! return the window: (rows − 2·halo rows, cols − 2·halo cols); an array that is too small gives an empty
//! result. Once a stop was asked for (`interrupt`) they return at once, and what they return is not finished.

// Lanes run side by side through several arrays, which an index says best.
#![allow(clippy::needless_range_loop)]

mod block;
mod count;
mod kernel;
mod mode;
mod operation;
mod rank;
mod select;
mod sort;
mod span;
mod wide;

use ndarray::{Array2, ArrayView2};

pub use kernel::{BOXCAR_SIZE, FocalKernel, KernelShape};
pub use operation::{Statistic, focal, kernel_in_metres};

/// Median of the valid pixels under the kernel; of an even number of pixels the mean of the middle two.
pub fn focal_median(padded: ArrayView2<f32>, kernel: &FocalKernel) -> Array2<f32> {
    rank::quantile(padded, kernel, 0.5)
}

/// Percentile (0 to 100) of the valid pixels under the kernel, interpolated linearly between order
/// statistics: with n valid pixels the value at position (n − 1)·percentile/100, counted from 0 (numpy's
/// default).
pub fn focal_percentile(padded: ArrayView2<f32>, kernel: &FocalKernel, percentile: f64) -> Array2<f32> {
    rank::quantile(padded, kernel, percentile / 100.0)
}

/// Mean of the valid pixels under the kernel, summed in f64.
pub fn focal_mean(padded: ArrayView2<f32>, kernel: &FocalKernel) -> Array2<f32> {
    span::reduce::<span::Sum>(padded, kernel)
}

/// Smallest valid pixel under the kernel.
pub fn focal_min(padded: ArrayView2<f32>, kernel: &FocalKernel) -> Array2<f32> {
    span::reduce::<span::Minimum>(padded, kernel)
}

/// Largest valid pixel under the kernel.
pub fn focal_max(padded: ArrayView2<f32>, kernel: &FocalKernel) -> Array2<f32> {
    span::reduce::<span::Maximum>(padded, kernel)
}

/// Population standard deviation (divided by n, as numpy's and Earth Engine's `stdDev`) of the n valid pixels
/// under the kernel; 0 of one pixel or of equal pixels. Exact to rounding also where the spread is tiny
/// compared with the mean.
pub fn focal_std(padded: ArrayView2<f32>, kernel: &FocalKernel) -> Array2<f32> {
    span::reduce::<span::Moments>(padded, kernel)
}

/// Most frequent value of the valid pixels under the kernel, the smallest of those that are equally frequent.
/// Values are compared exactly: round continuous values first.
pub fn focal_mode(padded: ArrayView2<f32>, kernel: &FocalKernel) -> Array2<f32> {
    mode::mode(padded, kernel)
}

#[cfg(test)]
mod tests;
