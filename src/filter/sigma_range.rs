//! The range of speckle that a sigma filter takes for the spread of one backscatter.

use crate::error::{Domain, Result};

/// The share of speckle that a range holds.
pub const SIGMA: Domain = Domain::within(0.1, 0.99);

/// A range low..high of unit-mean speckle that holds the share `sigma` of it and whose own mean is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SigmaRange {
    /// I₁, below 1.
    pub low: f64,
    /// I₂, above 1.
    pub high: f64,
    /// η: the root mean square difference from 1 of the speckle inside the range.
    pub deviation: f64,
}

/// The sigma range of multi-look power, whose speckle has the gamma density p(v) = L^L·v^(L−1)·e^(−L·v) / Γ(L).
///
/// `looks`: L, above 0, not only whole numbers. `sigma`: the share of speckle inside, 0.1 to 0.99. The range solves
/// ∫p = σ and ∫v·p = σ over low..high, and η² = 1/σ·∫(v − 1)²·p.
///
/// # Errors
/// Looks or a sigma outside these limits.
///
/// # Source
/// J.-S. Lee, J.-H. Wen, T. L. Ainsworth, K.-S. Chen and A. J. Chen, "Improved sigma filter for speckle filtering of SAR
/// imagery", IEEE TGRS 47(1), 2009, doi:10.1109/TGRS.2008.2002881; its Table I lists the solutions for one to four
/// looks and sigma 0.5 to 0.95.
pub fn sigma_range(looks: f64, sigma: f64) -> Result<SigmaRange> {
    let looks = super::speckle::check_looks(looks)?;
    let sigma = SIGMA.check("sigma", sigma)?;
    // The two conditions differ by F_L − F_(L+1), which is (L·v)^L·e^(−L·v) / Γ(L + 1): it must be the same at both
    // ends, so v·e^(−v) must. That gives the upper end for a lower one; the share then decides which.
    let upper = |low: f64| {
        let level = low.ln() - low;
        bisect(1.0, 800.0, |v| v.ln() - v < level)
    };
    let share = |low: f64| inside(looks, low, upper(low));
    let low = bisect(0.0, 1.0, |low| share(low) < sigma);
    let high = upper(low);
    // v·p is the density of L + 1 looks in L·v, v²·p that of L + 2, but for factors.
    let first = inside_scaled(looks + 1.0, looks * low, looks * high);
    let second = inside_scaled(looks + 2.0, looks * low, looks * high) * (1.0 + 1.0 / looks);
    let share = inside(looks, low, high);
    let deviation = ((second - 2.0 * first + share) / share).max(0.0).sqrt();
    Ok(SigmaRange { low, high, deviation })
}

/// The point of low..high from which on `beyond` holds.
fn bisect(mut low: f64, mut high: f64, beyond: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if beyond(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

/// The share of the speckle of `looks` looks between two values.
fn inside(looks: f64, low: f64, high: f64) -> f64 {
    inside_scaled(looks, looks * low, looks * high)
}

fn inside_scaled(shape: f64, low: f64, high: f64) -> f64 {
    lower_gamma(shape, high) - lower_gamma(shape, low)
}

/// The regularised lower incomplete gamma function P(a, x), by its power series.
/// The sum has only positive terms; a few times x of them are enough, and x stays below some hundreds here.
fn lower_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    // Forty standard deviations above the mean; the first term would underflow further out.
    if x > a + 40.0 * a.sqrt() + 100.0 {
        return 1.0;
    }
    let mut term = (a * x.ln() - x - ln_gamma(a + 1.0)).exp();
    let (mut sum, mut n) = (term, a);
    while term > sum * 1e-17 || n < x {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum.min(1.0)
}

/// ln Γ(x) for x > 0: Stirling's series, at an argument moved above 15.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 0.0);
    while x < 15.0 {
        product += x.ln();
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let tail = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + tail - product
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (I₁, I₂, η) for sigma 0.5, 0.6, 0.7, 0.8, 0.9 and one to four looks: Table I of the paper.
    #[rustfmt::skip]
    const TABLE_1: [[(f64, f64, f64); 5]; 4] = [
        [(0.436, 1.920, 0.4057), (0.343, 2.210, 0.4954), (0.254, 2.582, 0.5911), (0.168, 3.094, 0.6966), (0.084, 3.941, 0.8191)],
        [(0.582, 1.584, 0.2763), (0.501, 1.755, 0.3388), (0.418, 1.972, 0.4062), (0.327, 2.260, 0.4810), (0.221, 2.744, 0.5699)],
        [(0.652, 1.458, 0.2222), (0.580, 1.586, 0.2736), (0.505, 1.751, 0.3280), (0.419, 1.965, 0.3892), (0.313, 2.320, 0.4624)],
        [(0.694, 1.385, 0.1921), (0.630, 1.495, 0.2348), (0.560, 1.627, 0.2825), (0.480, 1.804, 0.3354), (0.378, 2.094, 0.3991)],
    ];

    #[test]
    fn matches_table_1_of_the_paper_to_its_own_accuracy() {
        for (looks, row) in (1..).zip(TABLE_1) {
            for (sigma, (low, high, deviation)) in [0.5, 0.6, 0.7, 0.8, 0.9].into_iter().zip(row) {
                let range = sigma_range(f64::from(looks), sigma).unwrap();
                // The table was stepped to about a hundredth in I₂: its ranges hold up to 0.2 % more than sigma.
                assert!((range.low - low).abs() < 0.0013, "{looks} {sigma} {range:?}");
                assert!(
                    (range.high - high).abs() < 0.005 * high,
                    "{looks} {sigma} {range:?}"
                );
                assert!(
                    (range.deviation - deviation).abs() < 0.0015,
                    "{looks} {sigma} {range:?}"
                );
            }
        }
    }

    #[test]
    fn solves_its_equations() {
        for looks in [0.7, 1.0, 2.5, 4.4, 16.0, 200.0] {
            for sigma in [0.3, 0.5, 0.9, 0.95] {
                let range = sigma_range(looks, sigma).unwrap();
                let density = |v: f64| {
                    (looks * looks.ln() + (looks - 1.0) * v.ln() - looks * v - ln_gamma(looks)).exp()
                };
                let integrate = |f: &dyn Fn(f64) -> f64| {
                    // Simpson's rule in √v, which tames the pole at 0 of fewer than one look.
                    let (a, b, n) = (range.low.sqrt(), range.high.sqrt(), 20_000);
                    let h = (b - a) / f64::from(n);
                    let g = |s: f64| f(s * s) * density(s * s) * 2.0 * s;
                    let inner: f64 = (1..n)
                        .map(|i| g(a + h * f64::from(i)) * if i % 2 == 1 { 4.0 } else { 2.0 })
                        .sum();
                    (g(a) + inner + g(b)) * h / 3.0
                };
                let (share, mean) = (integrate(&|_| 1.0), integrate(&|v| v) / sigma);
                let deviation = (integrate(&|v| (v - 1.0).powi(2)) / sigma).sqrt();
                assert!((share - sigma).abs() < 1e-9, "{looks} {sigma}: share {share}");
                assert!((mean - 1.0).abs() < 1e-9, "{looks} {sigma}: mean {mean}");
                assert!(
                    (deviation - range.deviation).abs() < 1e-8,
                    "{looks} {sigma}: {deviation} {range:?}"
                );
            }
        }
    }

    #[test]
    fn gamma_function_is_the_factorial() {
        let mut factorial = 1.0f64;
        for n in 1..20 {
            assert!(
                (ln_gamma(f64::from(n)) - factorial.ln()).abs() < 1e-13 * factorial.ln().max(1.0),
                "{n}"
            );
            factorial *= f64::from(n);
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-13);
    }

    #[test]
    fn refuses_what_has_no_range() {
        assert!(sigma_range(0.0, 0.9).is_err());
        assert!(sigma_range(f64::NAN, 0.9).is_err());
        assert!(sigma_range(1.0, 1.0).is_err());
        assert!(sigma_range(1.0, f64::NAN).is_err());
    }
}
