//! Values between pixels: the kernels, and the sums that they weigh.
//!
//! `interpolate` is the definition. [`Lines`] does the same sums for many positions where all pixels that a kernel reaches are valid, and
//! leaves the others: in the same order for kernels that are not widened, or hardly; column by column, so that they differ by the
//! rounding of f64, where a kernel reaches more.

mod lines;

pub use lines::Lines;

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

use num_complex::Complex32;

use super::tile::{MASKED_COMPLEX, MASKED_INTEGER, f64_to_integer};
use crate::error::Choice;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resampling {
    Nearest,
    Bilinear,
    Cubic,
    Average,
    Mode,
    Minimum,
    Maximum,
    Median,
}

impl Choice for Resampling {
    const ALL: &'static [(&'static str, Self)] = &[
        ("nearest", Resampling::Nearest),
        ("bilinear", Resampling::Bilinear),
        ("cubic", Resampling::Cubic),
        ("average", Resampling::Average),
        ("mode", Resampling::Mode),
        ("min", Resampling::Minimum),
        ("max", Resampling::Maximum),
        ("median", Resampling::Median),
    ];
    const DOCUMENTED: Option<&'static str> = Some("Resampling");
}

impl Resampling {
    /// Whether its results are values of the image, never something between them.
    pub fn keeps_values(self) -> bool {
        use Resampling::*;
        matches!(self, Nearest | Mode | Minimum | Maximum)
    }
}

/// The value at pixel coordinates (x, y), corners at whole numbers, by `nearest`, `bilinear` or `cubic`, of pixels that `at` gives by
/// (row, col); kernels are widened by `stretch` (cols, rows).
pub fn interpolate<T: Sample>(
    method: Resampling,
    at: (f64, f64),
    stretch: (f64, f64),
    pixel: impl Fn(isize, isize) -> T,
) -> T {
    match method {
        Resampling::Bilinear => weighed::<T, Triangle>(at, stretch, pixel),
        Resampling::Cubic => weighed::<T, Keys>(at, stretch, pixel),
        _ => pixel(at.1.floor() as isize, at.0.floor() as isize),
    }
}

fn weighed<T: Sample, K: Kernel>(
    (x, y): (f64, f64),
    stretch: (f64, f64),
    pixel: impl Fn(isize, isize) -> T,
) -> T {
    let taps = |centre: f64, stretch: f64| {
        let (first, last) = (
            (centre - 0.5 - K::HALF * stretch).ceil(),
            (centre - 0.5 + K::HALF * stretch).floor(),
        );
        (first as isize, last as isize)
    };
    let (c0, c1) = taps(x, stretch.0);
    let (r0, r1) = taps(y, stretch.1);
    let (mut sum, mut weight, mut full) = (T::Sum::default(), 0.0, 0.0);
    for row in r0..=r1 {
        let wy = K::at((row as f64 + 0.5 - y) / stretch.1);
        if wy == 0.0 {
            continue;
        }
        for col in c0..=c1 {
            let w = wy * K::at((col as f64 + 0.5 - x) / stretch.0);
            full += w;
            let value = pixel(row, col);
            if w != 0.0 && !value.is_masked() {
                value.add_to(&mut sum, w);
                weight += w;
            }
        }
    }
    if weight < 0.5 * full || weight <= 0.0 {
        T::MASKED
    } else {
        T::of_sum(&sum, weight)
    }
}

trait Kernel {
    /// Where it ends.
    const HALF: f64;
    fn at(t: f64) -> f64;
    /// At the distance of the tap `k`, of those that a kernel reaches that is not widened.
    #[inline(always)]
    fn at_tap(_k: usize, t: f64) -> f64 {
        Self::at(t)
    }
}

struct Triangle;

impl Kernel for Triangle {
    const HALF: f64 = 1.0;

    #[inline(always)]
    fn at(t: f64) -> f64 {
        (1.0 - t.abs()).max(0.0)
    }
}

/// Cubic convolution with a = −1/2 (Keys 1981, doi:10.1109/TASSP.1981.1163711, equation 15).
struct Keys;

impl Keys {
    #[inline(always)]
    fn inner(t: f64) -> f64 {
        (1.5 * t - 2.5) * t * t + 1.0
    }

    #[inline(always)]
    fn outer(t: f64) -> f64 {
        ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    }
}

impl Kernel for Keys {
    const HALF: f64 = 2.0;

    #[inline(always)]
    fn at(t: f64) -> f64 {
        let t = t.abs();
        let inside = if t <= 1.0 { Keys::inner(t) } else { Keys::outer(t) };
        if t < 2.0 { inside } else { 0.0 }
    }

    #[inline(always)]
    fn at_tap(k: usize, t: f64) -> f64 {
        match k {
            1 | 2 => Keys::inner(t.abs()),
            _ => Keys::outer(t.abs()),
        }
    }
}

/// Covered by less than this, a pixel is not covered.
pub const HAIR: f64 = 1e-9;

/// The pixels along one axis that something from `low` to `high` covers, and how much of each.
pub fn shares(low: f64, high: f64) -> impl Iterator<Item = (isize, f64)> {
    let (first, end) = ((low + HAIR).floor() as isize, (high - HAIR).ceil() as isize);
    let share = move |i: isize| (high.min((i + 1) as f64) - low.max(i as f64)).max(0.0);
    (first..end.max(first + 1)).map(move |i| (i, share(i)))
}

/// A pixel that can be averaged.
pub trait Sample: Copy {
    const MASKED: Self;
    type Sum: Default + Copy;
    fn is_masked(self) -> bool;
    fn add_to(self, sum: &mut Self::Sum, weight: f64);
    /// Adds a sum of others.
    fn add_sum(sum: &mut Self::Sum, other: &Self::Sum, weight: f64);
    fn of_sum(sum: &Self::Sum, weight: f64) -> Self;
    /// By the value, of complex ones by the magnitude.
    fn order(&self, other: &Self) -> Ordering;
}

macro_rules! real_sample {
    ($t:ty) => {
        impl Sample for $t {
            const MASKED: $t = <$t>::NAN;
            type Sum = f64;
            #[inline(always)]
            fn is_masked(self) -> bool {
                self.is_nan()
            }
            #[inline(always)]
            fn add_to(self, sum: &mut f64, weight: f64) {
                *sum += f64::from(self) * weight;
            }
            #[inline(always)]
            fn add_sum(sum: &mut f64, other: &f64, weight: f64) {
                *sum += other * weight;
            }
            #[inline(always)]
            fn of_sum(sum: &f64, weight: f64) -> $t {
                (*sum / weight) as $t
            }
            fn order(&self, other: &$t) -> Ordering {
                // −0 and 0 are one value.
                self.partial_cmp(other).unwrap_or(Ordering::Equal)
            }
        }
    };
}
real_sample!(f32);
real_sample!(f64);

impl Sample for Complex32 {
    const MASKED: Complex32 = MASKED_COMPLEX;
    type Sum = (f64, f64);
    #[inline(always)]
    fn is_masked(self) -> bool {
        self.re.is_nan()
    }
    #[inline(always)]
    fn add_to(self, sum: &mut (f64, f64), weight: f64) {
        sum.0 += f64::from(self.re) * weight;
        sum.1 += f64::from(self.im) * weight;
    }
    #[inline(always)]
    fn add_sum(sum: &mut (f64, f64), other: &(f64, f64), weight: f64) {
        sum.0 += other.0 * weight;
        sum.1 += other.1 * weight;
    }
    #[inline(always)]
    fn of_sum(sum: &(f64, f64), weight: f64) -> Complex32 {
        Complex32::new((sum.0 / weight) as f32, (sum.1 / weight) as f32)
    }
    fn order(&self, other: &Complex32) -> Ordering {
        self.norm().total_cmp(&other.norm())
    }
}

/// Taken by the methods that choose; sums are for those that do not.
impl Sample for i128 {
    const MASKED: i128 = MASKED_INTEGER;
    type Sum = f64;
    fn is_masked(self) -> bool {
        self == MASKED_INTEGER
    }
    fn add_to(self, sum: &mut f64, weight: f64) {
        *sum += self as f64 * weight;
    }
    #[inline(always)]
    fn add_sum(sum: &mut f64, other: &f64, weight: f64) {
        *sum += other * weight;
    }
    fn of_sum(sum: &f64, weight: f64) -> i128 {
        f64_to_integer(sum / weight)
    }
    fn order(&self, other: &i128) -> Ordering {
        self.cmp(other)
    }
}

/// A pixel that can be between others.
pub trait Blend: Sample {}
impl Blend for f32 {}
impl Blend for f64 {}
impl Blend for Complex32 {}
