//! Many positions beside each other, where all pixels around them are valid.

use multiversion::multiversion;
use ndarray::ArrayView2;

use super::{Blend, HAIR, Kernel, Keys, Resampling, Sample, Triangle, shares};
use crate::raster::mapping::Rectangles;
use crate::raster::{Bounds, Window};

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
    /// `interpolate` may know better.
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
            Bilinear => wide_line::<T, Triangle>(self, stretch, xs, ys, out),
            Cubic if widest == 1.0 => line::<T, Keys, 4, false>(self, stretch, xs, ys, out),
            Cubic if widest <= 1.25 => line::<T, Keys, 5, true>(self, stretch, xs, ys, out),
            Cubic => wide_line::<T, Keys>(self, stretch, xs, ys, out),
            _ => out.fill(T::MASKED),
        }
    }

    /// Means of the pixels that rectangles cover, weighed by how much of each; masked where one of the pixels is masked or missing, or there
    /// is no rectangle.
    pub fn cover(&self, rectangles: &Rectangles, out: &mut [T])
    where
        T: Blend,
    {
        let mut weights = Weights::default();
        covers(self, rectangles.sides(), out, &mut |first, out| {
            for (i, out) in out.iter_mut().enumerate() {
                let mean = rectangles
                    .get(first + i)
                    .and_then(|b| self.of_one(b, &mut weights));
                *out = mean.unwrap_or(T::MASKED);
            }
        });
    }

    fn of_one(&self, b: Bounds, weights: &mut Weights<T>) -> Option<T> {
        fn fill(weights: &mut Vec<f64>, low: f64, high: f64) -> Option<isize> {
            weights.clear();
            weights.extend(shares(low, high).map(|(_, share)| share));
            shares(low, high).next().map(|(first, _)| first)
        }
        let row = fill(&mut weights.down, b.min_y, b.max_y)?;
        let col = fill(&mut weights.across, b.min_x, b.max_x)?;
        self.mean((row, col), weights)
    }

    /// The mean of the pixels from (row, col) on, weighed by the products of both weights. None where one is masked or missing.
    fn mean(&self, corner: (isize, isize), weights: &mut Weights<T>) -> Option<T> {
        let (r, c) = (
            usize::try_from(corner.0 - self.window.row).ok()?,
            usize::try_from(corner.1 - self.window.col).ok()?,
        );
        let rows = self.rows.get(r..r + weights.down.len())?;
        rows.first()?.get(c..c + weights.across.len())?;
        let mean = mean(rows, c, weights);
        (!mean.is_masked()).then_some(mean)
    }
}

/// The weights of the rows and columns of a window, used again from pixel to pixel.
struct Weights<T: Sample> {
    down: Vec<f64>,
    across: Vec<f64>,
    sums: Vec<T::Sum>,
}

impl<T: Sample> Default for Weights<T> {
    fn default() -> Self {
        Weights {
            down: Vec::new(),
            across: Vec::new(),
            sums: Vec::new(),
        }
    }
}

/// Down each column first, so that no addition waits for the one before it.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn mean<T: Sample>(rows: &[&[T]], col: usize, weights: &mut Weights<T>) -> T {
    let Weights { down, across, sums } = weights;
    sums.clear();
    sums.resize(across.len(), T::Sum::default());
    for (row, &w) in rows.iter().zip(&*down) {
        for (value, sum) in row[col..].iter().zip(&mut *sums) {
            value.add_to(sum, w);
        }
    }
    let (mut sum, mut width) = (T::Sum::default(), 0.0);
    for (column, &w) in sums.iter().zip(&*across) {
        T::add_sum(&mut sum, column, w);
        width += w;
    }
    T::of_sum(&sum, width * down.iter().sum::<f64>())
}

/// By kernels of any width.
fn wide_line<T: Blend, K: Kernel>(
    lines: &Lines<'_, T>,
    stretch: (f64, f64),
    xs: &[f64],
    ys: &[f64],
    out: &mut [T],
) {
    fn fill<K: Kernel>(weights: &mut Vec<f64>, at: f64, stretch: f64) -> isize {
        let half = K::HALF * stretch;
        let first = (at - 0.5 - half).floor() + 1.0;
        let count = (2.0 * half).ceil() as usize;
        weights.clear();
        weights.extend((0..count).map(|k| K::at((first + k as f64 + 0.5 - at) / stretch)));
        first as isize
    }
    let mut weights = Weights::default();
    for ((out, &x), &y) in out.iter_mut().zip(xs).zip(ys) {
        let col = fill::<K>(&mut weights.across, x, stretch.0);
        let row = fill::<K>(&mut weights.down, y, stretch.1);
        *out = match x.is_nan() || y.is_nan() {
            true => T::MASKED,
            false => lines.mean((row, col), &mut weights).unwrap_or(T::MASKED),
        };
    }
}

/// Positions that are taken beside each other.
const SIDE_BY_SIDE: usize = 32;

/// Pixels along one axis, for as many positions: the first of each, and the weights of those from there on.
struct Taps<const COUNT: usize> {
    first: [f64; SIDE_BY_SIDE],
    weights: [[f64; SIDE_BY_SIDE]; COUNT],
}

impl<const COUNT: usize> Taps<COUNT> {
    const NONE: Self = Taps {
        first: [0.0; SIDE_BY_SIDE],
        weights: [[0.0; SIDE_BY_SIDE]; COUNT],
    };

    /// Those that a kernel at each position reaches.
    #[inline(always)]
    fn of_kernel<K: Kernel, const WIDENED: bool>(&mut self, at: &[f64; SIDE_BY_SIDE], stretch: f64) {
        let half = if WIDENED { K::HALF * stretch } else { K::HALF };
        for (first, at) in self.first.iter_mut().zip(at) {
            // What lies at the very end of a kernel has no weight.
            *first = (at - 0.5 - half).floor() + 1.0;
        }
        for k in 0..COUNT {
            let places = self.first.iter().zip(at);
            for (weight, (first, at)) in self.weights[k].iter_mut().zip(places) {
                let distance = first + k as f64 + 0.5 - at;
                *weight = match WIDENED {
                    true => K::at(distance / stretch),
                    false => K::at_tap(k, distance),
                };
            }
        }
    }

    /// Those that what reaches from `low` to `high` covers, as in `shares`.
    #[inline(always)]
    fn of_cover(&mut self, low: &[f64; SIDE_BY_SIDE], high: &[f64; SIDE_BY_SIDE]) {
        for (first, low) in self.first.iter_mut().zip(low) {
            *first = (low + HAIR).floor();
        }
        for k in 0..COUNT {
            let places = self.first.iter().zip(low.iter().zip(high));
            for (weight, (first, (&low, &high))) in self.weights[k].iter_mut().zip(places) {
                let pixel = first + k as f64;
                let (from, to) = (larger(low, pixel), smaller(high, pixel + 1.0));
                let is_covered = k == 0 || pixel < (high - HAIR).ceil();
                *weight = if is_covered { larger(to - from, 0.0) } else { 0.0 };
            }
        }
    }
}

#[inline(always)]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// Weighed means of as many pixels down and across; masked where one of them is masked or missing, or a position is NaN.
#[inline(always)]
fn means<T: Blend, const ROWS: usize, const COLS: usize>(
    lines: &Lines<'_, T>,
    down: &Taps<ROWS>,
    across: &Taps<COLS>,
    out: &mut [T],
) {
    let corner = (lines.window.col as f64, lines.window.row as f64);
    let cols = lines.rows.first().map_or(0, |row| row.len());
    let last = (cols as f64 - COLS as f64, lines.rows.len() as f64 - ROWS as f64);
    let mut values = [[[T::MASKED; SIDE_BY_SIDE]; COLS]; ROWS];
    for i in 0..out.len() {
        let (c, r) = (across.first[i] - corner.0, down.first[i] - corner.1);
        // NaN is nowhere.
        if c >= 0.0 && r >= 0.0 && c <= last.0 && r <= last.1 {
            let (c, r) = (c as usize, r as usize);
            for (values, row) in values.iter_mut().zip(&lines.rows[r..r + ROWS]) {
                for (values, value) in values.iter_mut().zip(&row[c..c + COLS]) {
                    values[i] = *value;
                }
            }
        } else {
            values[0][0][i] = T::MASKED;
        }
    }
    let mut sums = [T::Sum::default(); SIDE_BY_SIDE];
    let mut weights = [0.0; SIDE_BY_SIDE];
    for (values, down) in values.iter().zip(&down.weights) {
        for (values, across) in values.iter().zip(&across.weights) {
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

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn line<T: Blend, K: Kernel, const TAPS: usize, const WIDENED: bool>(
    lines: &Lines<'_, T>,
    stretch: (f64, f64),
    xs: &[f64],
    ys: &[f64],
    out: &mut [T],
) {
    let (mut x, mut y) = ([0.0; SIDE_BY_SIDE], [0.0; SIDE_BY_SIDE]);
    let (mut down, mut across) = (Taps::<TAPS>::NONE, Taps::<TAPS>::NONE);
    let parts = xs.chunks(SIDE_BY_SIDE).zip(ys.chunks(SIDE_BY_SIDE));
    for (out, (xs, ys)) in out.chunks_mut(SIDE_BY_SIDE).zip(parts) {
        x[..xs.len()].copy_from_slice(xs);
        y[..ys.len()].copy_from_slice(ys);
        across.of_kernel::<K, WIDENED>(&x, stretch.0);
        down.of_kernel::<K, WIDENED>(&y, stretch.1);
        means(lines, &down, &across, out);
    }
}

/// The most pixels that any of what reaches from `low` to `high` covers.
#[inline(always)]
fn most_covered(low: &[f64; SIDE_BY_SIDE], high: &[f64; SIDE_BY_SIDE]) -> f64 {
    let mut most = [0.0; SIDE_BY_SIDE];
    for (most, (low, high)) in most.iter_mut().zip(low.iter().zip(high)) {
        // Not of NaN.
        *most = larger((high - HAIR).ceil() - (low + HAIR).floor(), *most);
    }
    most.into_iter().fold(0.0, larger)
}

/// Of rectangles by their `sides`. Neighbours cover alike: those that are taken beside each other have as many taps as the largest of them needs.
/// `wide`, called with the first's number, fills in those of more pixels than four a side.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn covers<T: Blend>(
    lines: &Lines<'_, T>,
    sides: [&[f64]; 4],
    out: &mut [T],
    wide: &mut dyn FnMut(usize, &mut [T]),
) {
    let mut tail = [[0.0; SIDE_BY_SIDE]; 4];
    for (part, out) in out.chunks_mut(SIDE_BY_SIDE).enumerate() {
        let first = part * SIDE_BY_SIDE;
        if out.len() < SIDE_BY_SIDE {
            for (tail, side) in tail.iter_mut().zip(sides) {
                tail[..out.len()].copy_from_slice(&side[first..first + out.len()]);
            }
        }
        let mut ends = tail.each_ref();
        for (end, side) in ends.iter_mut().zip(sides) {
            *end = side[first..].first_chunk().unwrap_or(*end);
        }
        let [min_x, min_y, max_x, max_y] = ends;
        match (most_covered(min_y, max_y), most_covered(min_x, max_x)) {
            (..=2.0, ..=2.0) => cover::<T, 2, 2>(lines, ends, out),
            (..=2.0, ..=3.0) => cover::<T, 2, 3>(lines, ends, out),
            (..=3.0, ..=2.0) => cover::<T, 3, 2>(lines, ends, out),
            (..=3.0, ..=3.0) => cover::<T, 3, 3>(lines, ends, out),
            (..=4.0, ..=4.0) => cover::<T, 4, 4>(lines, ends, out),
            _ => wide(first, out),
        }
    }
}

#[inline(always)]
fn cover<T: Blend, const ROWS: usize, const COLS: usize>(
    lines: &Lines<'_, T>,
    [min_x, min_y, max_x, max_y]: [&[f64; SIDE_BY_SIDE]; 4],
    out: &mut [T],
) {
    let (mut down, mut across) = (Taps::<ROWS>::NONE, Taps::<COLS>::NONE);
    across.of_cover(min_x, max_x);
    down.of_cover(min_y, max_y);
    means(lines, &down, &across, out);
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use num_complex::Complex32;

    use super::super::interpolate;
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
            v if v < 0.004 => T::MASKED,
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
                assert!(found > places / 20, "{method:?} {stretch:?}: {found} of {places}");
            }
        }
    }

    #[test]
    fn many_positions_at_once_are_those_one_by_one() {
        same(|v| v as f32, |a, b| f64::from((a - b).abs()), 1e-6);
        same(|v| v, |a, b| (a - b).abs(), 1e-12);
        same(
            |v| Complex32::new(v as f32, 1.0 - v as f32),
            |a, b| f64::from((a - b).norm()),
            1e-6,
        );
    }

    #[test]
    fn covers_are_those_of_the_obvious_loop() {
        let mut seed = 3;
        let window = Window::new(-2, 4, 30, 40);
        let pixels = Array2::from_shape_simple_fn((30, 40), || match random(&mut seed) {
            v if v < 0.01 => f32::NAN,
            v => v as f32,
        });
        let view = pixels.view();
        let lines = Lines::new(window, &view);
        for size in [0.3, 1.0, 1.9, 2.7, 7.5] {
            let list: Vec<Option<Bounds>> = (0..200)
                .map(|i| {
                    let on_edges = i % 5 == 0;
                    let place = |v: f64| if on_edges { v.floor() } else { v };
                    let (x, y) = (
                        place(4.0 + 40.0 * random(&mut seed)),
                        place(-2.0 + 30.0 * random(&mut seed)),
                    );
                    let around = Bounds {
                        min_x: x,
                        min_y: y,
                        max_x: x + size,
                        max_y: y + size,
                    };
                    (i % 17 > 0).then_some(around)
                })
                .collect();
            let mut out = vec![9.0; list.len()];
            lines.cover(&Rectangles::of(&list), &mut out);
            let mut found = 0;
            for (&mean, b) in out.iter().zip(&list) {
                let (mut sum, mut weight) = (0.0, 0.0);
                let Some(b) = b else {
                    assert!(mean.is_nan());
                    continue;
                };
                for row in -2..60 {
                    for col in 4..80 {
                        let (r, c) = (f64::from(row), f64::from(col));
                        let w = ((b.max_y.min(r + 1.0) - b.min_y.max(r)).max(0.0))
                            * ((b.max_x.min(c + 1.0) - b.min_x.max(c)).max(0.0));
                        if w > 1e-12 {
                            let value = pixels.get(((row + 2) as usize, (col - 4) as usize));
                            sum += w * f64::from(*value.unwrap_or(&f32::NAN));
                            weight += w;
                        }
                    }
                }
                let expected = (sum / weight) as f32;
                // Those at the end of the window may be left.
                assert!(
                    mean.is_nan() || (mean - expected).abs() < 1e-6,
                    "{b:?}: {mean} {expected}"
                );
                found += usize::from(!mean.is_nan());
            }
            assert!(found > 30, "{found} of size {size}");
        }
    }

    #[test]
    fn a_mean_is_that_of_its_sum() {
        let pixels = Array2::from_shape_fn((4, 5), |(r, c)| (r * 5 + c) as f32);
        let view = pixels.view();
        let lines = Lines::new(Window::new(10, 20, 4, 5), &view);
        // Of 6, 7, 11 and 12 by the products of the weights.
        let expected = (6.0 * 0.25 + 7.0 * 0.5 + 11.0 * 0.5 + 12.0) / 2.25;
        let mean = |corner, down: &[f64], across: &[f64]| {
            let (down, across) = (down.to_vec(), across.to_vec());
            lines.mean(
                corner,
                &mut Weights {
                    down,
                    across,
                    ..Weights::default()
                },
            )
        };
        assert_eq!(mean((11, 21), &[0.5, 1.0], &[0.5, 1.0]), Some(expected as f32));
        assert_eq!(mean((9, 21), &[1.0], &[1.0]), None);
        assert_eq!(mean((13, 21), &[1.0, 1.0], &[1.0]), None);
        assert_eq!(mean((11, 24), &[1.0], &[1.0, 1.0]), None);
    }
}
