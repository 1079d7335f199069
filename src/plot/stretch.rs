//! How values become positions in a colour map: limits, percentiles, linear or logarithmic.

use super::axis::Scale;
use super::span::Span;
use crate::error::{Domain, Error, Result};
use crate::statistics;

/// Where the ends of a colour map lie.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Stretch {
    /// Smallest and largest finite value.
    #[default]
    MinMax,
    /// Percentiles (low, high) in 0 to 100 of the finite values.
    Percentiles(f64, f64),
    /// Given values; an end that is None is the data's own.
    Fixed(Option<f64>, Option<f64>),
    /// Percentile in 0 to 100 of the absolute values, on both sides of zero: for differences and velocities.
    Symmetric(f64),
}

/// Values at both ends of a colour map; `low` < `high`, both finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub low: f64,
    pub high: f64,
    pub scale: Scale,
}

/// How values are spread over a colour map.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Norm {
    #[default]
    Linear,
    /// By their logarithms; those that have none are transparent.
    Log,
    /// Linear up to `linear` (a hundredth of the larger limit without), logarithmic beyond, on both sides of zero.
    SymLog { linear: Option<f64> },
}

impl Norm {
    /// The width of the linear part.
    pub const LINEAR: Domain = Domain::above(0.0);

    /// The limits for these values; NaN and infinities do not count, for logarithms neither do values of 0 and below. Without any value that
    /// counts, 0 to 1, or 0.1 to 1 for logarithms.
    ///
    /// # Errors
    /// As `Stretch::limits`; limits without a logarithm.
    pub fn limits<'a>(self, stretch: Stretch, values: impl IntoIterator<Item = &'a f32>) -> Result<Limits> {
        match self {
            Norm::Linear => stretch.limits(values),
            Norm::SymLog { linear } => {
                let limits = stretch.limits(values)?;
                let linear = linear.unwrap_or(limits.low.abs().max(limits.high.abs()) / 100.0);
                Norm::LINEAR.check("linear_within", linear)?;
                Ok(Limits {
                    scale: Scale::SymLog { linear },
                    ..limits
                })
            }
            Norm::Log => {
                if let Stretch::Symmetric(_) = stretch {
                    return Err(Error::message(
                        "limits on both sides of zero have no logarithms; ask for the norm \"symlog\"",
                    ));
                }
                if let Stretch::Fixed(low, high) = stretch
                    && let Some(limit) = [low, high].into_iter().flatten().find(|limit| *limit <= 0.0)
                {
                    return Err(Error::argument(
                        "colour limits",
                        "above 0 for logarithms (the norm \"symlog\" has both signs)",
                        limit,
                    ));
                }
                let limits = stretch.limits(values.into_iter().filter(|v| **v > 0.0))?;
                Ok(Limits {
                    // What constant or no values were widened to may reach below zero.
                    low: if limits.low > 0.0 {
                        limits.low
                    } else {
                        limits.high / 10.0
                    },
                    scale: Scale::Log,
                    ..limits
                })
            }
        }
    }
}

impl Limits {
    pub fn linear(low: f64, high: f64) -> Limits {
        Limits {
            low,
            high,
            scale: Scale::Linear,
        }
    }

    /// The axis of a colour bar.
    pub fn span(&self) -> Span {
        Span {
            start: self.low,
            end: self.high,
            scale: self.scale,
        }
    }

    /// Position of a value between the limits, 0 at `low` and 1 at `high`; NaN stays NaN, and what a logarithm cannot
    /// show becomes it.
    pub fn position(&self, value: f64) -> f64 {
        self.span().position(value)
    }

    /// Limits that a colour map can use: ends that coincide move apart by half a unit (or 5 % of a large value).
    fn widened(low: f64, high: f64) -> Limits {
        if low < high {
            return Limits::linear(low, high);
        }
        let half = (0.05 * low.abs()).max(0.5);
        Limits::linear(low - half, high + half)
    }
}

impl Stretch {
    /// The limits for these values; NaN and infinities do not count. Without any finite value, 0 to 1.
    ///
    /// # Errors
    /// Percentiles outside 0 to 100 or in the wrong order; fixed limits that are not finite or not in order.
    pub fn limits<'a>(&self, values: impl IntoIterator<Item = &'a f32>) -> Result<Limits> {
        self.check()?;
        let finite = values.into_iter().copied().filter(|v| v.is_finite());
        let ends = match *self {
            Stretch::Fixed(Some(low), Some(high)) => Some((low, high)),
            Stretch::MinMax | Stretch::Fixed(..) => finite
                .fold(None, |ends: Option<(f32, f32)>, v| {
                    Some(ends.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
                })
                .map(|(low, high)| (f64::from(low), f64::from(high))),
            Stretch::Percentiles(low, high) => {
                let mut sorted: Vec<f32> = finite.collect();
                percentile(&mut sorted, low).zip(percentile(&mut sorted, high))
            }
            Stretch::Symmetric(p) => {
                let mut sizes: Vec<f32> = finite.map(f32::abs).collect();
                percentile(&mut sizes, p).map(|size| (-size, size))
            }
        };
        let (low, high) = ends.unwrap_or((0.0, 1.0));
        Ok(match *self {
            Stretch::Fixed(given_low, given_high) => {
                let low = given_low.unwrap_or(if low < given_high.unwrap_or(high) {
                    low
                } else {
                    given_high.unwrap_or(high) - 1.0
                });
                let high = given_high.unwrap_or(if high > low { high } else { low + 1.0 });
                Limits::linear(low, high)
            }
            _ => Limits::widened(low, high),
        })
    }

    fn check(&self) -> Result<()> {
        let share = |p: f64| Domain::PERCENT.admit(p);
        match *self {
            Stretch::Percentiles(low, high) if !(share(low) && share(high) && low < high) => {
                Err(Error::argument(
                    "percentiles",
                    "two numbers from 0 to 100, the lower first",
                    format!("{low} and {high}"),
                ))
            }
            Stretch::Symmetric(p) if !(share(p) && p > 0.0) => {
                Err(Error::argument("percentile", "a number above 0, up to 100", p))
            }
            Stretch::Fixed(Some(v), _) | Stretch::Fixed(_, Some(v)) if !v.is_finite() => {
                Err(Error::argument("colour limits", "finite numbers", v))
            }
            Stretch::Fixed(Some(low), Some(high)) if low >= high => Err(Error::argument(
                "colour limits",
                "finite numbers, the lower first",
                format!("{low} and {high}"),
            )),
            _ => Ok(()),
        }
    }
}

/// None where there are no values.
fn percentile(values: &mut [f32], p: f64) -> Option<f64> {
    (!values.is_empty()).then(|| statistics::percentile(values, p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_numpy() {
        // numpy.percentile([3, 1, 4, 1, 5, 9, 2, 6], [0, 2, 10, 37.5, 50, 98, 100])
        let expected = [
            (0.0, 1.0),
            (2.0, 1.0),
            (10.0, 1.0),
            (37.5, 2.625),
            (50.0, 3.5),
            (98.0, 8.58),
            (100.0, 9.0),
        ];
        for (p, want) in expected {
            let mut values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
            let got = percentile(&mut values, p).unwrap();
            assert!((got - want).abs() < 1e-9, "{p}: {got}, numpy has {want}");
        }
        assert_eq!(percentile(&mut [], 50.0), None);
        assert_eq!(percentile(&mut [7.0], 98.0), Some(7.0));
    }

    #[test]
    fn limits_skip_what_is_masked() {
        let values = [f32::NAN, -2.0, 8.0, f32::INFINITY, 3.0];
        let limits = Stretch::MinMax.limits(&values).unwrap();
        assert_eq!((limits.low, limits.high), (-2.0, 8.0));
        assert_eq!(limits.position(3.0), 0.5);
        let both = Stretch::Symmetric(100.0).limits(&values).unwrap();
        assert_eq!((both.low, both.high), (-8.0, 8.0));
    }

    #[test]
    fn constant_and_empty_images_have_limits() {
        let flat = Stretch::Percentiles(2.0, 98.0).limits(&[4.0; 9]).unwrap();
        assert_eq!((flat.low, flat.high), (3.5, 4.5));
        let none = Stretch::MinMax.limits(&[f32::NAN; 3]).unwrap();
        assert_eq!((none.low, none.high), (0.0, 1.0));
        let half = Stretch::Fixed(Some(5.0), None).limits(&[1.0, 2.0]).unwrap();
        assert_eq!((half.low, half.high), (5.0, 6.0));
        let half = Stretch::Fixed(None, Some(-5.0)).limits(&[1.0, 2.0]).unwrap();
        assert_eq!((half.low, half.high), (-6.0, -5.0));
    }

    #[test]
    fn logarithms_take_what_has_one() {
        let values = [-3.0, 0.0, 0.5, 20.0, f32::NAN];
        let log = Norm::Log.limits(Stretch::MinMax, &values).unwrap();
        assert_eq!((log.low, log.high, log.scale), (0.5, 20.0, Scale::Log));
        assert!(log.position(-3.0).is_nan() && log.position(0.0).is_nan());
        assert!((log.position(10f64.sqrt()) - 0.5).abs() < 1e-12);
        let none = Norm::Log.limits(Stretch::MinMax, &[-1.0]).unwrap();
        assert_eq!((none.low, none.high), (0.1, 1.0));
        let one = Norm::Log.limits(Stretch::MinMax, &[0.2]).unwrap();
        assert!(one.low > 0.0 && one.low < 0.2 && one.high > 0.2);
        assert!(
            Norm::Log
                .limits(Stretch::Fixed(Some(0.0), None), &values)
                .is_err()
        );
        assert!(Norm::Log.limits(Stretch::Symmetric(98.0), &values).is_err());
        let both = Norm::SymLog { linear: None };
        let both = both.limits(Stretch::Symmetric(100.0), &values).unwrap();
        assert_eq!(both.scale, Scale::SymLog { linear: 0.2 });
        assert_eq!(both.position(0.0), 0.5);
        assert!(
            Norm::SymLog { linear: Some(0.0) }
                .limits(Stretch::MinMax, &values)
                .is_err()
        );
    }

    /// Of matplotlib's LogNorm and SymLogNorm: tests/reference/plots.py.
    #[test]
    fn positions_are_those_of_matplotlib() {
        let mut compared = 0;
        for line in include_str!("../../tests/fixtures/plots/norms.txt").lines() {
            if line.starts_with('#') {
                continue;
            }
            let parts: Vec<&str> = line.split('|').collect();
            let head: Vec<f64> = parts[0]
                .split_whitespace()
                .filter_map(|n| n.parse().ok())
                .collect();
            let (low, high, norm) = match head.as_slice() {
                [low, high, linear] => (
                    *low,
                    *high,
                    Norm::SymLog {
                        linear: Some(*linear),
                    },
                ),
                _ => (0.01, 50.0, Norm::Log),
            };
            let limits = norm.limits(Stretch::Fixed(Some(low), Some(high)), &[]).unwrap();
            for pair in parts[1].split_whitespace() {
                let (value, position) = pair.split_once(':').unwrap();
                let (value, position): (f64, f64) = (value.parse().unwrap(), position.parse().unwrap());
                let found = limits.position(value);
                assert!((found - position).abs() < 1e-7, "{line}: {value} at {found}");
                assert!(
                    (limits.span().value(found) - value).abs() < 1e-6 * (high - low),
                    "{value}"
                );
                compared += 1;
            }
        }
        assert!(compared > 50, "{compared}");
    }

    #[test]
    fn senseless_stretches_are_refused() {
        assert!(Stretch::Percentiles(98.0, 2.0).limits(&[1.0]).is_err());
        assert!(Stretch::Percentiles(-1.0, 98.0).limits(&[1.0]).is_err());
        assert!(Stretch::Fixed(Some(2.0), Some(2.0)).limits(&[1.0]).is_err());
        assert!(Stretch::Fixed(Some(f64::NAN), None).limits(&[1.0]).is_err());
        assert!(Stretch::Symmetric(0.0).limits(&[1.0]).is_err());
    }
}
