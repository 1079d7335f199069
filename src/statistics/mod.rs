//! Sums whose result does not depend on the order of the values, moments, and percentiles.

mod gamma;
pub mod random;
pub mod series;
pub mod threshold;

use std::cmp::Ordering;

use multiversion::multiversion;

/// A sum carried in two f64 (about 32 digits), so that any order or grouping of the terms gives the same f64
/// in the end, and the square sum of a nearly constant series keeps its digits.
///
/// Source: T. J. Dekker, A floating-point technique for extending the available precision, Numerische Mathematik
/// 18, 1971, doi:10.1007/BF01397083 (double-length addition); the product's error by fused multiply-add.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    #[inline]
    pub fn add(&mut self, x: f64) {
        let (sum, error) = two_sum(self.high, x);
        if !sum.is_finite() {
            // An infinite term makes an infinite sum; its rounding error would be NaN.
            *self = Sum { high: sum, low: 0.0 };
            return;
        }
        let (high, low) = quick_two_sum(sum, error + self.low);
        *self = Sum { high, low };
    }

    #[inline]
    pub fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(product);
        self.add(a.mul_add(b, -product));
    }

    pub fn merge(&mut self, other: &Sum) {
        self.add(other.high);
        self.add(other.low);
    }

    pub fn value(&self) -> f64 {
        self.high + self.low
    }
}

/// a + b and its rounding error, whatever their sizes.
#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// The same for |a| ≥ |b|.
#[inline(always)]
fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// Count, sum, mean, standard deviation and extremes of a stream of values. NaN must be left out by the caller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    pub count: u64,
    sum: Sum,
    squares: Sum,
    min: f64,
    max: f64,
}

/// A type of values whose moments are taken many at a time.
pub trait Term: Copy + Into<f64> {
    /// Whether its squares are exact in f64.
    const EXACT_SQUARES: bool;
}

impl Term for f32 {
    const EXACT_SQUARES: bool = true;
}

impl Term for f64 {
    const EXACT_SQUARES: bool = false;
}

/// As many sums run beside each other: no addition waits for the one before it.
const LANES: usize = 16;

/// Of each lane the sum, its low part, those of the squares, the least and the greatest value.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn moments_of<T: Term>(values: &[[T; LANES]]) -> [[f64; LANES]; 6] {
    let [mut high, mut low, mut squares, mut squares_low] = [[0.0; LANES]; 4];
    let [mut min, mut max] = [[f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]];
    for values in values {
        for i in 0..LANES {
            let x: f64 = values[i].into();
            (high[i], low[i]) = added((high[i], low[i]), x);
            let square = x * x;
            (squares[i], squares_low[i]) = added((squares[i], squares_low[i]), square);
            if !T::EXACT_SQUARES {
                (squares[i], squares_low[i]) = added((squares[i], squares_low[i]), x.mul_add(x, -square));
            }
            min[i] = if x < min[i] { x } else { min[i] };
            max[i] = if x > max[i] { x } else { max[i] };
        }
    }
    [high, low, squares, squares_low, min, max]
}

/// A sum of two parts, whose high one is finite, and a term.
#[inline(always)]
fn added((high, low): (f64, f64), x: f64) -> (f64, f64) {
    let (sum, error) = two_sum(high, x);
    quick_two_sum(sum, error + low)
}

impl Default for Moments {
    fn default() -> Self {
        Moments {
            count: 0,
            sum: Sum::default(),
            squares: Sum::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Moments {
    #[inline]
    pub fn add(&mut self, x: f64) {
        self.count += 1;
        self.sum.add(x);
        self.squares.add_product(x, x);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
    }

    /// As `add` of each value.
    pub fn add_all<T: Term>(&mut self, values: &[T]) {
        let (lanes, rest) = values.as_chunks::<LANES>();
        let [high, low, squares, squares_low, min, max] = moments_of(lanes);
        let sums = high.iter().zip(&low).chain(squares.iter().zip(&squares_low));
        // Sums beyond all numbers are found again one by one, by the rule of `Sum::add`.
        if sums.clone().all(|(high, low)| (high + low).is_finite()) {
            let part = |i: usize| Moments {
                count: lanes.len() as u64,
                sum: Sum {
                    high: high[i],
                    low: low[i],
                },
                squares: Sum {
                    high: squares[i],
                    low: squares_low[i],
                },
                min: min[i],
                max: max[i],
            };
            (0..LANES).for_each(|i| self.merge(&part(i)));
        } else {
            lanes.as_flattened().iter().for_each(|&v| self.add(v.into()));
        }
        rest.iter().for_each(|&v| self.add(v.into()));
    }

    pub fn merge(&mut self, other: &Moments) {
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// 0 for no values.
    pub fn sum(&self) -> f64 {
        self.sum.value()
    }

    /// NaN for no values, as are the following.
    pub fn mean(&self) -> f64 {
        self.sum.value() / self.count as f64
    }

    /// Of the population: the mean square deviation divides by the count, not by one less.
    pub fn std(&self) -> f64 {
        if self.count == 0 {
            return f64::NAN;
        }
        // Σx² − (Σx)²/n in double length; the rounding of the quotient enters as its residual.
        let n = self.count as f64;
        let (high, low) = (self.sum.high, self.sum.low);
        let mut deviations = self.squares;
        let quotient = high / n;
        let residual = (-quotient).mul_add(n, high) / n;
        for (a, b) in [
            (high, quotient),
            (high, residual),
            (low, quotient),
            (low, quotient + low / n),
        ] {
            deviations.add_product(-a, b);
        }
        // Rounding may leave a hair below zero; NaN (of infinite values) must stay.
        let deviations = deviations.value();
        if deviations < 0.0 {
            0.0
        } else {
            (deviations / n).sqrt()
        }
    }

    pub fn min(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.min }
    }

    pub fn max(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.max }
    }
}

/// The value below which `percent` of the values lie, interpolated linearly between the two nearest ranks: with n
/// values, rank percent/100·(n − 1) counted from 0 (the default of NumPy and R's type 7). NaN for no values.
/// Sorts `values` partly, in place; they must not be NaN.
///
/// Source: R. J. Hyndman and Y. Fan, Sample quantiles in statistical packages, The American Statistician 50, 1996,
/// definition 7, doi:10.1080/00031305.1996.10473566.
pub fn percentile<T: Copy + PartialOrd + Into<f64>>(values: &mut [T], percent: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(Ordering::Equal);
    let rank = percent.clamp(0.0, 100.0) / 100.0 * (values.len() - 1) as f64;
    let below = rank.floor() as usize;
    let (_, at, above) = values.select_nth_unstable_by(below, order);
    let at: f64 = (*at).into();
    let fraction = rank - below as f64;
    if fraction == 0.0 {
        return at;
    }
    let next = above.iter().copied().min_by(order).map_or(at, Into::into);
    if at == next {
        // Also keeps two equal infinities from making NaN.
        return at;
    }
    at + (next - at) * fraction
}

/// A number whose order is that of an integer, of which so many bits count.
pub trait Ordered: Copy {
    const BITS: u32;
    fn order(self) -> u64;
    fn of_order(order: u64) -> Self;
}

impl Ordered for f32 {
    const BITS: u32 = 32;

    fn order(self) -> u64 {
        let bits = self.to_bits();
        u64::from(if bits >> 31 == 1 { !bits } else { bits | 1 << 31 })
    }

    fn of_order(order: u64) -> f32 {
        let order = order as u32;
        f32::from_bits(if order >> 31 == 1 {
            order & !(1 << 31)
        } else {
            !order
        })
    }
}

impl Ordered for f64 {
    const BITS: u32 = 64;

    fn order(self) -> u64 {
        let bits = self.to_bits();
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    }

    fn of_order(order: u64) -> f64 {
        f64::from_bits(if order >> 63 == 1 {
            order & !(1 << 63)
        } else {
            !order
        })
    }
}

/// The value in the middle; of two the mean. NaN for no values. Sorts `values` partly, in place; they must not be NaN.
pub fn median<T: Copy + PartialOrd + Into<f64>>(values: &mut [T]) -> f64 {
    let count = values.len();
    if count == 0 {
        return f64::NAN;
    }
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(Ordering::Equal);
    let (below, upper, _) = values.select_nth_unstable_by(count / 2, order);
    let upper: f64 = (*upper).into();
    match below.iter().copied().max_by(order) {
        Some(lower) if count.is_multiple_of(2) => (lower.into() + upper) / 2.0,
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn medians_of_known_lists() {
        // numpy.median
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [3.0f32, 1.0, 4.0, 2.0]), 2.5);
        assert_eq!(median(&mut [7.0]), 7.0);
        assert!(median::<f64>(&mut []).is_nan());
    }

    #[test]
    fn std_of_a_nearly_constant_series_keeps_its_digits() {
        let mut m = Moments::default();
        for i in 0..1000 {
            m.add(1e6 + (i % 2) as f64 * 1e-3);
        }
        // The two values as f64 hold them; half their difference is the deviation.
        let expected = ((1e6f64 + 1e-3) - 1e6) / 2.0;
        assert!((m.std() / expected - 1.0).abs() < 1e-9, "{} {expected}", m.std());
    }

    #[test]
    fn sums_beyond_all_numbers_are_the_same_many_at_once() {
        let values: Vec<f64> = (0..100).map(|i| if i % 7 == 3 { 1e308 } else { 1.0 }).collect();
        let (mut one_by_one, mut at_once) = (Moments::default(), Moments::default());
        values.iter().for_each(|&x| one_by_one.add(x));
        at_once.add_all(&values);
        assert_eq!(at_once.sum(), f64::INFINITY);
        assert_eq!(
            (one_by_one.sum(), one_by_one.count),
            (at_once.sum(), at_once.count)
        );
        assert!(one_by_one.std().is_nan() && at_once.std().is_nan());
    }

    #[test]
    fn percentiles_of_a_known_list() {
        let mut v = [15.0, 20.0, 35.0, 40.0, 50.0];
        // numpy.percentile([15, 20, 35, 40, 50], [0, 40, 50, 90, 100])
        for (p, expected) in [
            (0.0, 15.0),
            (40.0, 29.0),
            (50.0, 35.0),
            (90.0, 46.0),
            (100.0, 50.0),
        ] {
            assert!((percentile(&mut v, p) - expected).abs() < 1e-12);
        }
        assert!(percentile::<f64>(&mut [], 50.0).is_nan());
        assert_eq!(percentile(&mut [7.0f32], 99.0), 7.0);
    }

    #[test]
    fn no_values() {
        let m = Moments::default();
        assert_eq!(m.sum(), 0.0);
        assert!(m.mean().is_nan() && m.std().is_nan() && m.min().is_nan() && m.max().is_nan());
    }

    proptest! {
        #[test]
        fn moments_do_not_depend_on_the_order(mut values in prop::collection::vec(-1e6f64..1e6, 1..200), cut in 0usize..200) {
            let mut whole = Moments::default();
            values.iter().for_each(|&x| whole.add(x));
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            prop_assert!((whole.mean() - mean).abs() <= 1e-9 * mean.abs().max(1.0));
            prop_assert!((whole.std() - variance.sqrt()).abs() <= 1e-9 * variance.sqrt().max(1.0));
            values.reverse();
            let (left, right) = values.split_at(cut.min(values.len()));
            let (mut a, mut b) = (Moments::default(), Moments::default());
            left.iter().for_each(|&x| a.add(x));
            right.iter().for_each(|&x| b.add(x));
            b.merge(&a);
            prop_assert_eq!(whole.sum(), b.sum());
            prop_assert_eq!(whole.std(), b.std());
            prop_assert_eq!((whole.count, whole.min(), whole.max()), (b.count, b.min(), b.max()));
        }

        #[test]
        fn many_values_at_once_are_those_one_by_one(values in prop::collection::vec(-1e6f64..1e6, 0..200)) {
            let (mut one_by_one, mut at_once) = (Moments::default(), Moments::default());
            values.iter().for_each(|&x| one_by_one.add(x));
            at_once.add_all(&values);
            let shown = |m: &Moments| [m.sum(), m.std(), m.min(), m.max()].map(f64::to_bits);
            prop_assert_eq!((one_by_one.count, shown(&one_by_one)), (at_once.count, shown(&at_once)));
            let singles: Vec<f32> = values.iter().map(|&v| v as f32).filter(|v| v.is_finite()).collect();
            let (mut one_by_one, mut at_once) = (Moments::default(), Moments::default());
            singles.iter().for_each(|&x| one_by_one.add(f64::from(x)));
            at_once.add_all(&singles);
            prop_assert_eq!((one_by_one.count, shown(&one_by_one)), (at_once.count, shown(&at_once)));
        }

        #[test]
        fn percentile_equals_interpolation_in_the_sorted_list(mut values in prop::collection::vec(-100f64..100.0, 1..60), p in 0f64..=100.0) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = p / 100.0 * (sorted.len() - 1) as f64;
            let (low, high) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
            let expected = low + (high - low) * (rank - rank.floor());
            prop_assert!((percentile(&mut values, p) - expected).abs() < 1e-9);
        }
    }
}
