//! One axis of a panel: which values it covers, and where on it a value lies.

use super::axis::{Axis, Scale};
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Value at the axis's start (left or bottom) and end; the start may be the larger.
    pub start: f64,
    pub end: f64,
    pub scale: Scale,
}

impl Span {
    pub fn linear(start: f64, end: f64) -> Span {
        Span {
            start,
            end,
            scale: Scale::Linear,
        }
    }

    /// Smaller and larger end.
    pub fn ends(&self) -> (f64, f64) {
        (self.start.min(self.end), self.start.max(self.end))
    }

    /// 0 at the start, 1 at the end; NaN for what a logarithm cannot show.
    pub fn position(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Log if value > 0.0 => (value / self.start).ln() / (self.end / self.start).ln(),
            Scale::Log => f64::NAN,
            Scale::SymLog { linear } => {
                let at = |v| symmetric(v, linear);
                (at(value) - at(self.start)) / (at(self.end) - at(self.start))
            }
            _ => (value - self.start) / (self.end - self.start),
        }
    }

    /// The value at a position.
    pub fn value(&self, position: f64) -> f64 {
        match self.scale {
            Scale::Log => self.start * (self.end / self.start).powf(position),
            Scale::SymLog { linear } => {
                let (start, end) = (symmetric(self.start, linear), symmetric(self.end, linear));
                symmetric_value(start + (end - start) * position, linear)
            }
            _ => self.start + (self.end - self.start) * position,
        }
    }

    /// The span for data from `low` to `high` (None without data), moved apart by `pad` of its length at the ends
    /// that may move. Limits that the user gave come first.
    ///
    /// # Errors
    /// Given limits that coincide, are not finite, or, on a logarithmic axis, not positive.
    pub fn of(axis: &Axis, name: &str, data: Option<(f64, f64)>, pad: (f64, f64)) -> Result<Span> {
        let scale = axis.scale;
        if let Some((start, end)) = axis.limits {
            let usable = start.is_finite() && end.is_finite() && start != end;
            if !usable || (scale == Scale::Log && (start <= 0.0 || end <= 0.0)) {
                let expected = match scale {
                    Scale::Log => "two different positive numbers",
                    _ => "two different finite numbers",
                };
                return Err(Error::argument(
                    format!("{name} limits"),
                    expected,
                    format!("{start} and {end}"),
                ));
            }
            return Ok(Span { start, end, scale });
        }
        let fallback = match scale {
            Scale::Log => (1.0, 10.0),
            Scale::Time => (0.0, 86_400.0),
            Scale::Linear | Scale::SymLog { .. } => (0.0, 1.0),
        };
        let (low, high) = data.unwrap_or(fallback);
        let (start, end) = match scale {
            Scale::Log => {
                let (low, high) = if low < high {
                    (low, high)
                } else {
                    (low / 2.0, high * 2.0)
                };
                let ratio = high / low;
                (low / ratio.powf(pad.0), high * ratio.powf(pad.1))
            }
            _ if low < high => {
                let length = high - low;
                (low - length * pad.0, high + length * pad.1)
            }
            Scale::Time => (low - 43_200.0, high + 43_200.0),
            Scale::Linear | Scale::SymLog { .. } => {
                let half = (0.05 * low.abs()).max(0.5);
                (low - half, high + half)
            }
        };
        Ok(Span { start, end, scale })
    }
}

/// Length of the linear part on one side of zero, in decades: that of matplotlib's SymLogNorm (linscale 1, base 10).
const LINEAR_DECADES: f64 = 1.0 / 0.9;

/// Decades from zero: linear up to `linear`, logarithmic beyond.
fn symmetric(value: f64, linear: f64) -> f64 {
    let size = value.abs();
    if size <= linear {
        return LINEAR_DECADES * value / linear;
    }
    // NaN comes here, too, and stays.
    value.signum() * (LINEAR_DECADES + (size / linear).log10())
}

fn symmetric_value(decades: f64, linear: f64) -> f64 {
    let size = decades.abs();
    if size <= LINEAR_DECADES {
        return decades / LINEAR_DECADES * linear;
    }
    decades.signum() * linear * 10f64.powf(size - LINEAR_DECADES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(scale: Scale, limits: Option<(f64, f64)>) -> Axis {
        Axis {
            scale,
            limits,
            ..Axis::default()
        }
    }

    #[test]
    fn position_and_value_are_inverse() {
        for span in [
            Span::linear(-3.0, 9.0),
            Span::linear(9.0, -3.0),
            Span {
                start: 0.01,
                end: 300.0,
                scale: Scale::Log,
            },
        ] {
            for p in [0.0, 0.2, 0.75, 1.0] {
                assert!((span.position(span.value(p)) - p).abs() < 1e-12);
            }
        }
        let log = Span {
            start: 1.0,
            end: 100.0,
            scale: Scale::Log,
        };
        assert!((log.position(10.0) - 0.5).abs() < 1e-12);
        assert!(log.position(-1.0).is_nan());
    }

    #[test]
    fn data_gets_room_and_limits_come_first() {
        let span = Span::of(&axis(Scale::Linear, None), "x", Some((0.0, 10.0)), (0.0, 0.05)).unwrap();
        assert_eq!((span.start, span.end), (0.0, 10.5));
        let span = Span::of(
            &axis(Scale::Linear, Some((5.0, 1.0))),
            "x",
            Some((0.0, 10.0)),
            (0.1, 0.1),
        )
        .unwrap();
        assert_eq!((span.start, span.end), (5.0, 1.0));
        let single = Span::of(&axis(Scale::Linear, None), "x", Some((4.0, 4.0)), (0.0, 0.0)).unwrap();
        assert_eq!((single.start, single.end), (3.5, 4.5));
    }

    #[test]
    fn senseless_limits_are_refused() {
        for (scale, limits) in [
            (Scale::Linear, (1.0, 1.0)),
            (Scale::Linear, (f64::NAN, 1.0)),
            (Scale::Log, (0.0, 1.0)),
        ] {
            let error = Span::of(&axis(scale, Some(limits)), "y", None, (0.0, 0.0)).unwrap_err();
            assert!(
                error.to_string().starts_with("y limits must be two different"),
                "{error}"
            );
        }
    }
}
