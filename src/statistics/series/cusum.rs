//! One change of the level of a series: cumulative sums about the mean, and how often chance makes as large ones.

use multiversion::multiversion;

use super::LANES;

/// Sums of residuals of chance orders: integers, so that no order rounds and equal sums are equal.
const WHOLE: f64 = (1 << 30) as f64;

/// Half of the series of a plane: their sums stay in the registers of any machine.
const HALF: usize = LANES / 2;

/// S_t = Σ (x_i − mean) over the valid values up to t, S_0 = 0. A change of level bends S: it lies behind the |S_t| that is largest, and its magnitude is max S − min S.
/// The confidence is the share of random orders of the same values whose magnitude is smaller (Taylor 2000, Change-point analysis: a powerful new
/// tool for detecting changes).
///
/// All series share the orders: without its masked values an order of all times is one of a series' own, each as likely as the others.
pub struct Cusum {
    /// One order of all times after the other.
    orders: Vec<u32>,
    times: usize,
}

impl Cusum {
    /// Magnitude; the number, from 1, of the first time after the change; the mean from there on less the mean before; confidence.
    pub const RESULTS: usize = 4;

    pub fn new(times: usize, permutations: usize, seed: u64) -> Cusum {
        let mut random = Random(seed);
        let mut orders = Vec::with_capacity(times * permutations);
        let mut order: Vec<u32> = (0..times as u32).collect();
        for _ in 0..permutations {
            // Fisher and Yates's, which may begin with any order.
            for i in (1..times).rev() {
                order.swap(i, random.below(i as u64 + 1) as usize);
            }
            orders.extend_from_slice(&order);
        }
        Cusum { orders, times }
    }

    /// Of each of the planes' series; NaN is no value. Series of fewer than two values have NaN for all. Where all values are one there is no change: its magnitude and
    /// confidence are 0, the others NaN.
    pub fn fit(&self, planes: &[[f64; LANES]], out: &mut [[f64; LANES]]) {
        let [mut count, mut sum, mut largest] = [[0.0; LANES]; 3];
        totals(planes, &mut count, &mut sum, &mut largest);
        let mut residuals = planes.to_vec();
        let (mut mean, mut spread) = ([0.0; LANES], [0.0; LANES]);
        for i in 0..LANES {
            mean[i] = sum[i] / count[i].max(1.0);
        }
        center(&mut residuals, &mean, &mut spread);
        let mut scaled = vec![[0i32; LANES]; planes.len()];
        for i in 0..LANES {
            // What is left of equal values is rounding.
            let is_flat = spread[i] <= 4.0 * f64::EPSILON * count[i] * largest[i];
            if count[i] < 2.0 || is_flat {
                let still = if count[i] < 2.0 { f64::NAN } else { 0.0 };
                for (plane, v) in out.iter_mut().zip([still, f64::NAN, f64::NAN, still]) {
                    plane[i] = v;
                }
                continue;
            }
            let found = change(planes, &residuals, i, count[i]);
            for (plane, v) in out.iter_mut().zip(found) {
                plane[i] = v;
            }
            let factor = WHOLE / spread[i];
            for (scaled, left) in scaled.iter_mut().zip(&residuals) {
                scaled[i] = (left[i] * factor).round() as i32;
            }
        }
        let smaller = self.smaller(&scaled);
        let permutations = (self.orders.len() / self.times.max(1)).max(1);
        for i in 0..LANES {
            if out[1][i].is_finite() {
                out[3][i] = f64::from(smaller[i]) / permutations as f64;
            }
        }
    }

    /// How many orders have a smaller magnitude than the order of time.
    fn smaller(&self, scaled: &[[i32; LANES]]) -> [u32; LANES] {
        let mut smaller = [0; LANES];
        for (half, smaller) in smaller.chunks_exact_mut(HALF).enumerate() {
            let part: Vec<[i32; HALF]> = scaled
                .iter()
                .map(|plane| std::array::from_fn(|i| plane[half * HALF + i]))
                .collect();
            // Each value is rounded by a half, and a magnitude is between two sums of so many.
            let allowance = 2 * self.times as i32;
            count_smaller(&part, &self.orders, allowance, smaller);
        }
        smaller
    }
}

/// Of series `i`, which has `count` values, not all equal: magnitude, place and size of the change; its confidence is still to come.
fn change(
    planes: &[[f64; LANES]],
    residuals: &[[f64; LANES]],
    i: usize,
    count: f64,
) -> [f64; Cusum::RESULTS] {
    let [mut s, mut high, mut low, mut seen] = [0.0f64; 4];
    // The largest |S|, behind which the change is; of equal ones the first.
    let (mut most, mut place, mut before, mut seen_before) = (-1.0, 0, 0.0, 0.0);
    for (t, (plane, left)) in planes.iter().zip(residuals).enumerate() {
        if plane[i].is_nan() {
            continue;
        }
        if seen > 0.0 && s.abs() > most {
            (most, place, before, seen_before) = (s.abs(), t + 1, s, seen);
        }
        s += left[i];
        seen += 1.0;
        high = high.max(s);
        low = low.min(s);
    }
    // S is the sum of residuals before, and its negative that of those after.
    let size = -before / (count - seen_before) - before / seen_before;
    [high - low, place as f64, size, f64::NAN]
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn totals(
    planes: &[[f64; LANES]],
    count: &mut [f64; LANES],
    sum: &mut [f64; LANES],
    largest: &mut [f64; LANES],
) {
    for plane in planes {
        for i in 0..LANES {
            let valid = !plane[i].is_nan();
            count[i] += if valid { 1.0 } else { 0.0 };
            sum[i] += if valid { plane[i] } else { 0.0 };
            let size = plane[i].abs();
            largest[i] = if size > largest[i] { size } else { largest[i] };
        }
    }
}

/// Takes the mean off, leaves 0 where there is no value, and sums what is left, without signs.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn center(planes: &mut [[f64; LANES]], mean: &[f64; LANES], spread: &mut [f64; LANES]) {
    for plane in planes {
        for i in 0..LANES {
            let left = plane[i] - mean[i];
            plane[i] = if left.is_nan() { 0.0 } else { left };
            spread[i] += plane[i].abs();
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn count_smaller(part: &[[i32; HALF]], orders: &[u32], allowance: i32, smaller: &mut [u32]) {
    let mut own = [0; HALF];
    let [mut s, mut high, mut low] = [[0i32; HALF]; 3];
    for plane in part {
        for i in 0..HALF {
            s[i] += plane[i];
            high[i] = high[i].max(s[i]);
            low[i] = low[i].min(s[i]);
        }
    }
    for i in 0..HALF {
        own[i] = high[i] - low[i] - allowance;
    }
    let mut count = [0u32; HALF];
    for order in orders.chunks_exact(part.len().max(1)) {
        let [mut s, mut high, mut low] = [[0i32; HALF]; 3];
        for t in order {
            let Some(plane) = part.get(*t as usize) else {
                continue;
            };
            for i in 0..HALF {
                s[i] += plane[i];
                high[i] = high[i].max(s[i]);
                low[i] = low[i].min(s[i]);
            }
        }
        for i in 0..HALF {
            count[i] += u32::from(high[i] - low[i] < own[i]);
        }
    }
    for (smaller, count) in smaller.iter_mut().zip(count) {
        *smaller = count;
    }
}

/// SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `bound`; the bias of a product of 64 bits is some 10⁻¹⁵ here.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}
