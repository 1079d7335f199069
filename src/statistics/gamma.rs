//! The incomplete gamma function, by which tails of gamma and χ² distributions are told.

/// The share of a gamma distribution of shape `a` > 0 and scale 1 that lies above `x`: Γ(a, x) / Γ(a). Tails keep their digits: 1e-200 is not 0.
///
/// Below a + 1 by the power series of the lower part, above by the continued fraction of the upper one (Abramowitz & Stegun 1964, 6.5.29 and 6.5.31), which
/// the method of Lentz evaluates (1976, doi:10.1364/AO.15.000668).
pub fn upper(a: f64, x: f64) -> f64 {
    /// A term this small changes no digit.
    const LEAST: f64 = f64::EPSILON / 4.0;
    /// Terms; a shape of 10⁶ takes some thousands.
    const MOST: usize = 100_000;
    if a.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    let factor = (a * x.ln() - x - libm::lgamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..MOST {
            term *= x / (a + n as f64);
            sum += term;
            if term < sum * LEAST {
                break;
            }
        }
        return (1.0 - factor * sum).clamp(0.0, 1.0);
    }
    // Against divisions by 0.
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for n in 1..MOST {
        let n = n as f64;
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / not_zero(numerator * d + b, TINY);
        c = not_zero(b + numerator / c, TINY);
        let change = d * c;
        fraction *= change;
        if (change - 1.0).abs() < LEAST * 4.0 {
            break;
        }
    }
    (factor * fraction).clamp(0.0, 1.0)
}

fn not_zero(v: f64, tiny: f64) -> f64 {
    if v.abs() < tiny { tiny } else { v }
}

/// The chance of a χ² distribution of `degrees` of freedom to lie above `z`.
pub fn chi2_above(z: f64, degrees: f64) -> f64 {
    upper(degrees / 2.0, z / 2.0)
}
