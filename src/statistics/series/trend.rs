//! Trends that ask nothing of the distribution of the values: the test of Mann and Kendall, the line of Theil and Sen.

use std::f64::consts::SQRT_2;

use multiversion::multiversion;

/// Of a series of at least two values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// S / (n (n − 1) / 2): 1 where each value is above all before it.
    pub tau: f64,
    /// S moved by one towards 0, over its standard deviation.
    pub z: f64,
    /// Of a |z| at least as large without a trend.
    pub p_value: f64,
}

/// The test of Mann (1945, doi:10.2307/1907187) and Kendall (Rank Correlation Methods, 1975) of values in order of time, none NaN: S counts pairs that rise less
/// those that fall; its variance is that of independent values, ties taken into account. None below two values.
pub fn mann_kendall(values: &[f64], scratch: &mut Vec<f64>) -> Option<MannKendall> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let s = rises(values);
    scratch.clear();
    scratch.extend_from_slice(values);
    let ties: f64 = ties(scratch, |t| t * (t - 1.0) * (2.0 * t + 5.0));
    let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - ties) / 18.0;
    let z = match variance > 0.0 {
        true => (s - s.signum() * f64::from(u8::from(s != 0.0))) / variance.sqrt(),
        false => 0.0,
    };
    Some(MannKendall {
        tau: s / (n * (n - 1.0) / 2.0),
        z,
        p_value: libm::erfc(z.abs() / SQRT_2),
    })
}

/// Pairs whose later value is larger, less those whose is smaller.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn rises(values: &[f64]) -> f64 {
    let mut all = 0i64;
    for (i, first) in values.iter().enumerate() {
        let mut sum = 0i64;
        for later in &values[i + 1..] {
            sum += i64::from(later > first) - i64::from(later < first);
        }
        all += sum;
    }
    all as f64
}

/// The sum of `f` over the sizes of groups of equal values, which it sorts.
fn ties(values: &mut [f64], f: impl Fn(f64) -> f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values
        .chunk_by(|a, b| a == b)
        .map(|group| f(group.len() as f64))
        .sum()
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TheilSen {
    pub slope: f64,
    /// The median of the values less the slope times the median of the times.
    pub offset: f64,
    /// Between which the slope lies with a confidence of 95 %.
    pub low: f64,
    pub high: f64,
}

/// The median of the slopes between all pairs of other times (Theil 1950; Sen 1968, doi:10.1080/01621459.1968.10480934, whose bounds from Kendall's S these are).
/// None where all are of one time.
pub fn theil_sen(times: &[f64], values: &[f64], scratch: &mut Vec<f64>) -> Option<TheilSen> {
    /// Of the normal distribution, for 95 % on both sides.
    const Z: f64 = 1.959_963_984_540_054;
    scratch.clear();
    for (i, (t, v)) in times.iter().zip(values).enumerate() {
        for (later_t, later_v) in times[i + 1..].iter().zip(&values[i + 1..]) {
            let between = later_t - t;
            if between != 0.0 {
                scratch.push((later_v - v) / between);
            }
        }
    }
    if scratch.is_empty() {
        return None;
    }
    let pairs = scratch.len();
    let slope = middle(scratch);
    let n = values.len() as f64;
    let size = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    // The slopes are still needed.
    let mut sorted = values.to_vec();
    let tied_values = ties(&mut sorted, size);
    let of_values = middle(&mut sorted);
    sorted.clear();
    sorted.extend_from_slice(times);
    let tied_times = ties(&mut sorted, size);
    let of_times = middle(&mut sorted);
    let variance = (size(n) - tied_values - tied_times) / 18.0;
    let (low, high) = match variance > 0.0 {
        true => {
            let half = Z * variance.sqrt();
            let upper = (((pairs as f64 + half) / 2.0).round_ties_even() as usize).min(pairs - 1);
            let lower = (((pairs as f64 - half) / 2.0).round_ties_even() as usize).max(1) - 1;
            (nth(scratch, lower), nth(scratch, upper))
        }
        false => (f64::NAN, f64::NAN),
    };
    Some(TheilSen {
        slope,
        offset: of_values - slope * of_times,
        low,
        high,
    })
}

fn nth(values: &mut [f64], at: usize) -> f64 {
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

/// Of at least one value.
fn middle(values: &mut [f64]) -> f64 {
    let (half, even) = (values.len() / 2, values.len().is_multiple_of(2));
    let (below, high, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let high = *high;
    match even {
        false => high,
        true => (below.iter().copied().fold(f64::NEG_INFINITY, f64::max) + high) / 2.0,
    }
}
