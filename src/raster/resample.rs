//! Values between pixels: the kernels, and the sums that they weigh.
//!
//! `interpolate` is the definition. `Lines` does the same sums, in the same order, for many positions beside each other where all pixels
//! that a kernel reaches are valid, and leaves the others.

use std::cmp::Ordering;

use multiversion::multiversion;
use ndarray::ArrayView2;
use num_complex::Complex32;

use super::Window;
use super::tile::{MASKED_COMPLEX, MASKED_INTEGER, f64_to_integer};
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Resampling {
    pub const NAMES: [&'static str; 8] = [
        "nearest", "bilinear", "cubic", "average", "mode", "min", "max", "median",
    ];

    pub fn parse(name: &str) -> Result<Resampling> {
        use Resampling::*;
        let all = [Nearest, Bilinear, Cubic, Average, Mode, Minimum, Maximum, Median];
        let index = Self::NAMES.iter().position(|n| *n == name);
        index
            .map(|i| all[i])
            .ok_or_else(|| Error::not_found("resampling method", name, Self::NAMES))
    }

    /// Whether its results are values of the image, never something between them.
    pub fn keeps_values(self) -> bool {
        use Resampling::*;
        matches!(self, Nearest | Mode | Minimum | Maximum)
    }

    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
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

/// The pixels of a window, as rows.
pub struct Lines<'a, T> {
    window: Window,
    rows: Vec<&'a [T]>,
}

impl<'a, T: Sample> Lines<'a, T> {
    pub fn new(window: Window, pixels: &'a ArrayView2<'_, T>) -> Lines<'a, T> {
        let rows = pixels.rows().into_iter().map_while(|row| row.to_slice());
        Lines {
            window,
            rows: rows.collect(),
        }
    }

    /// Values at (xs, ys), as `interpolate` gives them; masked where a kernel meets a masked pixel or the edge of the window, where
    /// `interpolate` may know better. Kernels that are widened by more than a quarter (a half, of `bilinear`) leave all masked.
    pub fn interpolate(
        &self,
        method: Resampling,
        stretch: (f64, f64),
        (xs, ys): (&[f64], &[f64]),
        out: &mut [T],
    ) where
        T: Blend,
    {
        use Resampling::{Bilinear, Cubic};
        let widest = stretch.0.max(stretch.1);
        match method {
            Bilinear if widest == 1.0 => line::<T, Triangle, 2, false>(self, stretch, xs, ys, out),
            Bilinear if widest <= 1.5 => line::<T, Triangle, 3, true>(self, stretch, xs, ys, out),
            Cubic if widest == 1.0 => line::<T, Keys, 4, false>(self, stretch, xs, ys, out),
            Cubic if widest <= 1.25 => line::<T, Keys, 5, true>(self, stretch, xs, ys, out),
            _ => out.fill(T::MASKED),
        }
    }

    /// The mean of the pixels from (row, col) on, weighed by the products of both weights. None where one is masked or missing.
    pub fn mean(&self, (row, col): (isize, isize), down: &[f64], across: &[f64]) -> Option<T> {
        let (r, c) = (
            usize::try_from(row - self.window.row).ok()?,
            usize::try_from(col - self.window.col).ok()?,
        );
        let rows = self.rows.get(r..r + down.len())?;
        let (mut sum, mut weight) = (T::Sum::default(), 0.0);
        for (row, wy) in rows.iter().zip(down) {
            for (value, wx) in row.get(c..c + across.len())?.iter().zip(across) {
                let w = wy * wx;
                value.add_to(&mut sum, w);
                weight += w;
            }
        }
        let mean = T::of_sum(&sum, weight);
        (!mean.is_masked()).then_some(mean)
    }
}

/// Positions that are taken beside each other.
const SIDE_BY_SIDE: usize = 32;

/// The first of the `TAPS` pixels along one axis that a kernel at each position reaches, and their weights.
#[inline(always)]
fn taps<K: Kernel, const TAPS: usize, const WIDENED: bool>(
    at: &[f64; SIDE_BY_SIDE],
    stretch: f64,
    weights: &mut [[f64; SIDE_BY_SIDE]; TAPS],
) -> [f64; SIDE_BY_SIDE] {
    let half = if WIDENED { K::HALF * stretch } else { K::HALF };
    // What lies at the very end of a kernel has no weight.
    let first = std::array::from_fn(|i| (at[i] - 0.5 - half).floor() + 1.0);
    for (k, weights) in weights.iter_mut().enumerate() {
        for i in 0..SIDE_BY_SIDE {
            let distance = first[i] + k as f64 + 0.5 - at[i];
            weights[i] = match WIDENED {
                true => K::at(distance / stretch),
                false => K::at_tap(k, distance),
            };
        }
    }
    first
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn line<T: Blend, K: Kernel, const TAPS: usize, const WIDENED: bool>(
    lines: &Lines<'_, T>,
    stretch: (f64, f64),
    xs: &[f64],
    ys: &[f64],
    out: &mut [T],
) {
    let corner = (lines.window.col as f64, lines.window.row as f64);
    let cols = lines.rows.first().map_or(0, |row| row.len());
    let last = (cols as f64 - TAPS as f64, lines.rows.len() as f64 - TAPS as f64);
    let (mut x, mut y) = ([0.0; SIDE_BY_SIDE], [0.0; SIDE_BY_SIDE]);
    let mut across = [[0.0; SIDE_BY_SIDE]; TAPS];
    let mut down = [[0.0; SIDE_BY_SIDE]; TAPS];
    let mut values = [[[T::MASKED; SIDE_BY_SIDE]; TAPS]; TAPS];
    let parts = xs.chunks(SIDE_BY_SIDE).zip(ys.chunks(SIDE_BY_SIDE));
    for (out, (xs, ys)) in out.chunks_mut(SIDE_BY_SIDE).zip(parts) {
        x[..xs.len()].copy_from_slice(xs);
        y[..ys.len()].copy_from_slice(ys);
        let cols = taps::<K, TAPS, WIDENED>(&x, stretch.0, &mut across);
        let rows = taps::<K, TAPS, WIDENED>(&y, stretch.1, &mut down);
        for i in 0..xs.len() {
            let (c, r) = (cols[i] - corner.0, rows[i] - corner.1);
            // NaN is nowhere.
            if c >= 0.0 && r >= 0.0 && c <= last.0 && r <= last.1 {
                let (c, r) = (c as usize, r as usize);
                for (values, row) in values.iter_mut().zip(&lines.rows[r..r + TAPS]) {
                    for (values, value) in values.iter_mut().zip(&row[c..c + TAPS]) {
                        values[i] = *value;
                    }
                }
            } else {
                values[0][0][i] = T::MASKED;
            }
        }
        let mut sums = [T::Sum::default(); SIDE_BY_SIDE];
        let mut weights = [0.0; SIDE_BY_SIDE];
        for (values, down) in values.iter().zip(&down) {
            for (values, across) in values.iter().zip(&across) {
                for i in 0..SIDE_BY_SIDE {
                    let w = down[i] * across[i];
                    values[i].add_to(&mut sums[i], w);
                    weights[i] += w;
                }
            }
        }
        for (i, out) in out.iter_mut().enumerate() {
            *out = T::of_sum(&sums[i], weights[i]);
        }
    }
}

/// A pixel that can be averaged.
pub trait Sample: Copy {
    const MASKED: Self;
    type Sum: Default + Copy;
    fn is_masked(self) -> bool;
    fn add_to(self, sum: &mut Self::Sum, weight: f64);
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

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn random(seed: &mut u64) -> f64 {
        *seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (*seed >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Many at once against one by one: the same bits where a kernel is not widened; where it is, a tap at its very end may count in one of
    /// the two, with a weight of rounding.
    fn same<T: Blend + std::fmt::Debug>(value: impl Fn(f64) -> T, off: impl Fn(T, T) -> f64, hair: f64) {
        let mut seed = 7;
        let window = Window::new(5, -3, 60, 75);
        let pixels = Array2::from_shape_simple_fn((window.rows, window.cols), || match random(&mut seed) {
            v if v < 0.02 => T::MASKED,
            v => value(v),
        });
        let view = pixels.view();
        let lines = Lines::new(window, &view);
        let at = |row: isize, col: isize| {
            let inside =
                row >= window.row && row < window.row_end() && col >= window.col && col < window.col_end();
            match inside {
                true => pixels[((row - window.row) as usize, (col - window.col) as usize)],
                false => T::MASKED,
            }
        };
        for stretch in [
            (1.0, 1.0),
            (1.0, 1.2),
            (1.00037, 1.00037),
            (1.25, 1.1),
            (1.5, 1.5),
            (3.0, 2.0),
        ] {
            for method in [Resampling::Bilinear, Resampling::Cubic] {
                let widest = if method == Resampling::Bilinear { 1.5 } else { 1.25 };
                let (mut found, mut places) = (0, 0);
                for _ in 0..60 {
                    let count = 1 + (random(&mut seed) * 70.0) as usize;
                    // On and between centres and corners, beyond the edge, nowhere.
                    let mut place = |size: f64| match (40.0 * random(&mut seed)) as u32 {
                        0 => f64::NAN,
                        1..10 => (size * random(&mut seed)).floor() + 0.5,
                        10..15 => (size * random(&mut seed)).floor(),
                        _ => size * 1.2 * random(&mut seed) - 0.1 * size,
                    };
                    let xs: Vec<f64> = (0..count).map(|_| place(75.0) - 3.0).collect();
                    let ys: Vec<f64> = (0..count).map(|_| place(60.0) + 5.0).collect();
                    let mut out = vec![value(0.5); count];
                    lines.interpolate(method, stretch, (&xs, &ys), &mut out);
                    for (i, &many) in out.iter().enumerate() {
                        places += 1;
                        if many.is_masked() {
                            continue;
                        }
                        found += 1;
                        let one = interpolate(method, (xs[i], ys[i]), stretch, at);
                        let allowed = if stretch == (1.0, 1.0) { 0.0 } else { hair };
                        assert!(
                            off(many, one) <= allowed,
                            "{method:?} {stretch:?}: {many:?} {one:?}"
                        );
                    }
                }
                let is_wider = stretch.0.max(stretch.1) > widest;
                assert!(
                    if is_wider { found == 0 } else { found > places / 4 },
                    "{found} of {places}"
                );
            }
        }
    }

    #[test]
    fn many_positions_at_once_are_those_one_by_one() {
        same(|v| v as f32, |a, b| f64::from((a - b).abs()), 0.0);
        same(|v| v, |a, b| (a - b).abs(), 1e-12);
        same(
            |v| Complex32::new(v as f32, 1.0 - v as f32),
            |a, b| f64::from((a - b).norm()),
            0.0,
        );
    }

    #[test]
    fn a_mean_is_that_of_its_sum() {
        let pixels = Array2::from_shape_fn((4, 5), |(r, c)| (r * 5 + c) as f32);
        let view = pixels.view();
        let lines = Lines::new(Window::new(10, 20, 4, 5), &view);
        // Of 6, 7, 11 and 12 by the products of the weights.
        let expected = (6.0 * 0.25 + 7.0 * 0.5 + 11.0 * 0.5 + 12.0) / 2.25;
        assert_eq!(
            lines.mean((11, 21), &[0.5, 1.0], &[0.5, 1.0]),
            Some(expected as f32)
        );
        assert_eq!(lines.mean((9, 21), &[1.0], &[1.0]), None);
        assert_eq!(lines.mean((13, 21), &[1.0, 1.0], &[1.0]), None);
        assert_eq!(lines.mean((11, 24), &[1.0], &[1.0, 1.0]), None);
    }
}
