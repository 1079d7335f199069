//! Where axes carry marks, and what the marks say.

use crate::earth::antimeridian::wrapped;

/// A labelled mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    pub at: f64,
    pub label: String,
}

/// The marks of one axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ticks {
    pub major: Vec<Tick>,
    /// Marks without labels.
    pub minor: Vec<f64>,
    /// What every label is to be multiplied by (`×10⁶`); empty for 1.
    pub factor: String,
}

/// Thin space: the separator of thousands (ISO 80000-1, 7.3.1).
pub const THIN_SPACE: char = '\u{2009}';

/// Steps of 1, 2 and 5 times a power of ten, from the first that cuts the range into at most `most` parts, upwards.
pub fn steps(span: f64, most: usize) -> impl Iterator<Item = f64> {
    let raw = span.abs().clamp(f64::MIN_POSITIVE, f64::MAX) / most.max(1) as f64;
    let decade = raw.log10().floor() as i32;
    (decade..decade + 4)
        .flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(e)))
        // A hair of slack: ten steps of 0.1 do fit into 1.
        .filter(move |step| *step >= raw * (1.0 - 1e-9))
}

/// More marks than an axis has pixels.
const MOST: f64 = 1e5;

/// The multiples of `step` from `low` to `high`, ends included.
pub fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    let span = (high - low).abs();
    // Where the numbers are too large to subtract, or the steps too many to see, no marks say more than these.
    let count = span / step;
    if count.is_nan() || count > MOST {
        return Vec::new();
    }
    let slack = 1e-9 * span.max(step);
    let (first, last) = (
        ((low - slack) / step).ceil() as i64,
        ((high + slack) / step).floor() as i64,
    );
    // Dividing by the inverse gives 0.3 where multiplying by 0.1 gives 0.30000000000000004.
    let inverse = (1.0 / step).round();
    (first..=last)
        .map(|i| {
            if step < 1.0 && (inverse * step - 1.0).abs() < 1e-9 {
                i as f64 / inverse
            } else {
                i as f64 * step
            }
        })
        .collect()
}

/// Decimals that tell multiples of `step` apart.
pub fn decimals(step: f64) -> usize {
    (0..15)
        .find(|d| {
            let scaled = step * 10f64.powi(*d);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1e-300) && scaled.round() >= 1.0
        })
        .unwrap_or(15) as usize
}

/// A number as print has it: true minus sign, thin spaces between thousands from five digits on.
pub fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    if whole.len() < 5 {
        out.push_str(whole);
    } else {
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                out.push(THIN_SPACE);
            }
            out.push(digit);
        }
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// `×10⁶`-like factor.
pub fn power_of_ten(exponent: i32) -> String {
    let digits: String = exponent
        .to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            other => char::from_u32('⁰' as u32 + other as u32 - '0' as u32).unwrap_or('⁰'),
        })
        .collect();
    format!("10{digits}")
}

/// Labelled multiples of `step`; very large and very small numbers share a power of ten.
pub fn linear(low: f64, high: f64, step: f64) -> Ticks {
    let at = multiples(low, high, step);
    let largest = at.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let exponent = if largest > 0.0 {
        largest.log10().floor() as i32
    } else {
        0
    };
    let exponent = if (-3..6).contains(&exponent) { 0 } else { exponent };
    let scale = 10f64.powi(exponent);
    let decimals = decimals(step / scale);
    Ticks {
        major: at
            .iter()
            .map(|&at| Tick {
                at,
                label: plain(at / scale, decimals),
            })
            .collect(),
        minor: Vec::new(),
        factor: if exponent == 0 {
            String::new()
        } else {
            format!("×{}", power_of_ten(exponent))
        },
    }
}

/// The finest of the candidates whose labels `fit`; failing all, the coarsest.
pub fn finest(candidates: impl IntoIterator<Item = Ticks>, fit: impl Fn(&Ticks) -> bool) -> Ticks {
    let mut last = Ticks::default();
    for ticks in candidates {
        if ticks.major.is_empty() && !last.major.is_empty() {
            break;
        }
        if fit(&ticks) {
            return ticks;
        }
        last = ticks;
    }
    last
}

/// Candidates for a linear axis, finest first.
pub fn linear_candidates(low: f64, high: f64, most: usize) -> impl Iterator<Item = Ticks> {
    steps(high - low, most).map(move |step| linear(low, high, step))
}

/// Candidates for a logarithmic axis over positive values, finest first.
pub fn log_candidates(low: f64, high: f64, most: usize) -> Vec<Ticks> {
    let (first, last) = (low.log10(), high.log10());
    let decades = last - first;
    if decades < 1.0 {
        return linear_candidates(low, high, most).collect();
    }
    // Either all labels are powers or none is.
    let short = low >= 1e-3 && high <= 1e4;
    let label = |e: i32| match short {
        true => plain(10f64.powi(e), (-e).max(0) as usize),
        false => power_of_ten(e),
    };
    let minor: Vec<f64> = (first.floor() as i32..=last.floor() as i32)
        .flat_map(|e| (2..10).map(move |m| f64::from(m) * 10f64.powi(e)))
        .filter(|v| *v >= low && *v <= high)
        .collect();
    let every = |n: i32| -> Ticks {
        let slack = 1e-9;
        let major = ((first - slack).ceil() as i32..=(last + slack).floor() as i32)
            .filter(|e| e.rem_euclid(n) == 0)
            .map(|e| Tick {
                at: 10f64.powi(e),
                label: label(e),
            })
            .collect();
        Ticks {
            major,
            minor: if n == 1 { minor.clone() } else { Vec::new() },
            factor: String::new(),
        }
    };
    let mut out = Vec::new();
    if decades < 2.0 {
        let mut with_steps = every(1);
        for e in first.floor() as i32..=last.ceil() as i32 {
            for m in [2.0, 5.0] {
                let at = m * 10f64.powi(e);
                if at >= low && at <= high {
                    with_steps.major.push(Tick {
                        at,
                        label: plain(at, (-e).max(0) as usize),
                    });
                }
            }
        }
        with_steps.major.sort_by(|a, b| a.at.total_cmp(&b.at));
        out.push(with_steps);
    }
    out.extend(
        (1..=decades.ceil() as i32 + 1)
            .map(every)
            .filter(|t| t.major.len() <= most.max(2)),
    );
    out
}

/// Candidates for an axis that is linear up to `linear` and logarithmic beyond, on both sides of zero, finest first: zero, and the powers of ten
/// from that in which `linear` lies on.
pub fn symmetric_candidates(low: f64, high: f64, linear: f64, most: usize) -> Vec<Ticks> {
    let first = (linear.log10() + 1e-9).floor() as i32;
    let last = (low.abs().max(high.abs()).log10() + 1e-9).floor() as i32;
    let within = |v: f64| (low..=high).contains(&v);
    if last - first < 1 || (low.abs() <= linear && high.abs() <= linear) {
        return linear_candidates(low, high, most).take(12).collect();
    }
    // Either all labels are powers or none is.
    let short = first >= -3 && last <= 4;
    let label = |v: f64, e: i32| match (short, v < 0.0) {
        (true, _) => plain(v, (-e).max(0) as usize),
        (false, true) => format!("−{}", power_of_ten(e)),
        (false, false) => power_of_ten(e),
    };
    let minor = (first..=last)
        .flat_map(|e| (2..10).map(move |m| f64::from(m) * 10f64.powi(e)))
        .filter(|v| *v > linear)
        .flat_map(|v| [-v, v])
        .filter(|v| within(*v))
        .collect::<Vec<_>>();
    let every = |n: i32| {
        let powers = (first..=last).rev().step_by(n as usize);
        let mut major: Vec<Tick> = powers
            .flat_map(|e| [-1.0, 1.0].map(|sign| (sign * 10f64.powi(e), e)))
            .filter(|(at, _)| within(*at))
            .map(|(at, e)| Tick {
                at,
                label: label(at, e),
            })
            .collect();
        if within(0.0) {
            major.push(Tick {
                at: 0.0,
                label: "0".into(),
            });
        }
        major.sort_by(|a, b| a.at.total_cmp(&b.at));
        Ticks {
            major,
            minor: if n == 1 { minor.clone() } else { Vec::new() },
            factor: String::new(),
        }
    };
    (1..=last - first + 1)
        .map(every)
        .filter(|t| t.major.len() <= 2 * most.max(2))
        .collect()
}

/// The largest of 1, 2 or 5 times a power of ten that is no larger than `most`.
pub fn round_below(most: f64) -> f64 {
    let decade = 10f64.powf(most.log10().floor());
    [5.0, 2.0, 1.0]
        .into_iter()
        .map(|m| m * decade)
        .find(|v| *v <= most * (1.0 + 1e-9))
        .unwrap_or(decade)
}

/// Round steps in degrees, from the first that cuts the range into at most `most` parts, upwards.
pub fn degree_steps(span: f64, most: usize) -> Vec<f64> {
    let raw = span / most.max(1) as f64;
    if raw <= 5.0 {
        return steps(span, most)
            .take_while(|s| *s <= 10.0)
            .chain([20.0, 30.0, 60.0, 90.0])
            .collect();
    }
    [10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 180.0]
        .into_iter()
        .filter(|s| *s >= raw)
        .collect()
}

/// `115.2°W` (for any turn of the circle: 244.8 is the same).
pub fn longitude(degrees: f64, decimals: usize) -> String {
    let wrapped = wrapped(degrees);
    let text = plain(wrapped.abs(), decimals);
    if is_zero(&text) || (wrapped.abs() - 180.0).abs() < 1e-9 {
        return format!("{text}°");
    }
    format!("{text}°{}", if wrapped < 0.0 { 'W' } else { 'E' })
}

/// `34.05°N`.
pub fn latitude(degrees: f64, decimals: usize) -> String {
    let text = plain(degrees.abs(), decimals);
    if is_zero(&text) {
        return format!("{text}°");
    }
    format!("{text}°{}", if degrees < 0.0 { 'S' } else { 'N' })
}

fn is_zero(text: &str) -> bool {
    !text.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &Ticks) -> Vec<&str> {
        ticks.major.iter().map(|t| t.label.as_str()).collect()
    }

    fn first(low: f64, high: f64, most: usize) -> Ticks {
        linear_candidates(low, high, most).next().unwrap()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(labels(&first(-25.0, -5.0, 5)), ["−25", "−20", "−15", "−10", "−5"]);
        assert_eq!(labels(&first(0.0, 1.0, 10)).len(), 11);
        assert_eq!(labels(&first(0.03, 0.41, 5)), ["0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(labels(&first(-0.3, 0.3, 6))[2], "−0.1");
        assert_eq!(labels(&first(-0.3, 0.3, 6))[3], "0.0");
    }

    #[test]
    fn large_and_small_numbers_share_a_factor() {
        let ticks = first(0.0, 4e6, 4);
        assert_eq!(
            (labels(&ticks), ticks.factor.as_str()),
            (vec!["0", "1", "2", "3", "4"], "×10⁶")
        );
        let ticks = first(0.0, 3e-5, 3);
        assert_eq!(
            (labels(&ticks), ticks.factor.as_str()),
            (vec!["0", "1", "2", "3"], "×10⁻⁵")
        );
        let ticks = first(500_000.0, 500_400.0, 2);
        assert_eq!(labels(&ticks)[1], "500\u{2009}200");
        assert_eq!(ticks.factor, "");
    }

    #[test]
    fn every_range_gets_ticks_inside_it_on_multiples() {
        for (low, high) in [
            (0.0, 1.0),
            (-7.3, 2.9),
            (1e-7, 3e-7),
            (612_345.0, 619_999.0),
            (1e9, 1.0001e9),
        ] {
            for most in 1..12 {
                let step = steps(high - low, most).next().unwrap();
                let at = multiples(low, high, step);
                assert!(at.len() <= most + 1, "{low}..{high} by {step}: {at:?}");
                assert!(
                    at.iter()
                        .all(|v| *v >= low - 1e-9 * step && *v <= high + 1e-9 * step)
                );
                assert!(at.iter().all(|v| ((v / step) - (v / step).round()).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn minus_zero_is_zero() {
        assert_eq!(plain(-0.0001, 2), "0.00");
        assert_eq!(plain(-1234.5, 1), "−1234.5");
        assert_eq!(plain(-12345.0, 0), "−12\u{2009}345");
    }

    #[test]
    fn degrees_carry_their_hemisphere() {
        assert_eq!(longitude(-115.2, 1), "115.2°W");
        assert_eq!(longitude(244.8, 1), "115.2°W");
        assert_eq!(longitude(180.0, 0), "180°");
        assert_eq!(longitude(-180.0, 0), "180°");
        assert_eq!(longitude(0.0, 0), "0°");
        assert_eq!(latitude(-75.25, 2), "75.25°S");
        assert_eq!(degree_steps(340.0, 7)[0], 60.0);
        assert_eq!(degree_steps(0.9, 5)[0], 0.2);
        assert_eq!(degree_steps(40.0, 5)[0], 10.0);
    }

    #[test]
    fn logarithmic_ticks_are_powers() {
        let ticks = log_candidates(0.001, 100.0, 8).remove(0);
        assert_eq!(labels(&ticks), ["0.001", "0.01", "0.1", "1", "10", "100"]);
        assert!(ticks.minor.contains(&0.002) && ticks.minor.iter().all(|v| *v <= 100.0));
        let ticks = log_candidates(10.0, 2e6, 8).remove(0);
        assert_eq!(labels(&ticks), ["10¹", "10²", "10³", "10⁴", "10⁵", "10⁶"]);
        let ticks = log_candidates(1.0, 50.0, 8).remove(0);
        assert_eq!(labels(&ticks), ["1", "2", "5", "10", "20", "50"]);
    }

    /// Of its SymmetricalLogLocator: tests/reference/plots.py.
    #[test]
    fn symmetric_ticks_are_those_of_matplotlib() {
        let recorded = include_str!("../../tests/fixtures/plots/norms.txt");
        let mut compared = 0;
        for line in recorded.lines() {
            let parts: Vec<&str> = line.split('|').collect();
            let numbers =
                |text: &str| -> Vec<f64> { text.split_whitespace().filter_map(|n| n.parse().ok()).collect() };
            let [low, high, linear] = numbers(parts[0])[..] else {
                continue;
            };
            let found = symmetric_candidates(low, high, linear, 9).remove(0);
            let found: Vec<f64> = found.major.iter().map(|t| t.at).collect();
            let expected = numbers(parts[2]);
            assert_eq!(found.len(), expected.len(), "{line}: {found:?}");
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() <= 1e-9 * b.abs(), "{line}: {found:?}");
            }
            compared += 1;
        }
        assert_eq!(compared, 6);
        let labelled = symmetric_candidates(-2e5, 10.0, 3.0, 9).remove(0);
        assert_eq!(
            labels(&labelled),
            ["−10⁵", "−10⁴", "−10³", "−10²", "−10¹", "−10⁰", "0", "10⁰", "10¹"]
        );
    }

    #[test]
    fn the_finest_that_fits_is_taken() {
        let ticks = finest(linear_candidates(0.0, 10.0, 10), |t| t.major.len() <= 6);
        assert_eq!(labels(&ticks), ["0", "2", "4", "6", "8", "10"]);
    }
}
