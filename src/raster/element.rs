//! Elementwise operations: what each computes for one pixel, in f32 or f64.
//!
//! Masked (NaN) operands give masked results, except where said. A result that is not finite is masked: x / 0,
//! log 0, an overflow.

use serde::{Deserialize, Serialize};

use super::{DType, Kind};
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Element {
    Constant(f64),
    Unary(Unary),
    Binary(Binary),
    /// condition, then, otherwise: masked where the condition is, or where the chosen branch is.
    Where,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unary {
    Negate,
    Abs,
    Sqrt,
    Square,
    Exp,
    Log,
    Log10,
    Round,
    Floor,
    Ceil,
    Sin,
    Cos,
    Tan,
    Atan,
    /// 1 where 0, 0 elsewhere.
    Not,
    /// 10·log10(x); masked where x ≤ 0.
    PowerToDb,
    /// 20·log10(x); masked where x ≤ 0.
    AmplitudeToDb,
    /// 10^(x/10)
    DbToPower,
    /// Limits to [low, high].
    Clamp(f64, f64),
    /// Masks what is not strictly between low and high.
    MaskOutside(f64, f64),
    /// Gives masked pixels a value.
    Unmask(f64),
    /// 1 where valid, 0 where masked.
    IsValid,
    /// Rounds and limits to the type's range; the compute kind follows the type.
    Cast(DType),
    /// All bits of an integer of this type the other way.
    BitNot(DType),
    ShiftLeft(u32),
    /// Keeps the sign.
    ShiftRight(u32),
    /// That many bits, from the first on, as a number.
    Bits(u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Modulo,
    Minimum,
    Maximum,
    Atan2,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    /// 1 where both are other than 0.
    And,
    /// 1 where one is other than 0.
    Or,
    /// The bits that both integers have.
    BitAnd,
    /// The bits that one of the integers has.
    BitOr,
    /// The left one, masked where the right one is 0 or masked.
    Mask,
    /// The left one; where it is masked, the right one.
    Fill,
}

impl Element {
    /// # Errors
    /// Parameters that have no meaning.
    pub fn check(&self) -> Result<()> {
        let Element::Unary(unary) = self else {
            return Ok(());
        };
        let integers = |dtype: DType| dtype.integer_range().is_some();
        let wrong = match *unary {
            Unary::Clamp(low, high) | Unary::MaskOutside(low, high) => {
                (low > high || low.is_nan() || high.is_nan()).then(|| {
                    (
                        "low and high",
                        "numbers, low not above high",
                        format!("{low} and {high}"),
                    )
                })
            }
            Unary::Cast(dtype) => dtype
                .is_complex()
                .then(|| ("dtype", "a real type", dtype.to_string())),
            Unary::BitNot(dtype) => {
                (!integers(dtype)).then(|| ("dtype", "a type of integers", dtype.to_string()))
            }
            Unary::ShiftLeft(by) | Unary::ShiftRight(by) => {
                (by > 64).then(|| ("shift", "from 0 to 64", by.to_string()))
            }
            Unary::Bits(first, width) => (width == 0 || first.saturating_add(width) > 64)
                .then(|| ("bits", "some of 64", format!("{width} from {first} on"))),
            _ => None,
        };
        match wrong {
            Some((name, expected, got)) => Err(Error::argument(name, expected, got)),
            None => Ok(()),
        }
    }

    /// How many operands it has.
    pub fn inputs(&self) -> usize {
        match self {
            Element::Constant(_) => 0,
            Element::Unary(_) => 1,
            Element::Binary(_) => 2,
            Element::Where => 3,
        }
    }

    pub fn kind(&self, inputs: Option<Kind>) -> Kind {
        match self {
            Element::Unary(Unary::Cast(dtype)) => kind_of(*dtype),
            _ => inputs.unwrap_or(Kind::F32).floating(),
        }
    }

    pub fn name(&self) -> String {
        match self {
            Element::Constant(v) => format!("{v}"),
            Element::Where => "where".into(),
            Element::Unary(u) => match u {
                Unary::Clamp(lo, hi) => format!("clamp({lo}, {hi})"),
                Unary::MaskOutside(lo, hi) => format!("mask_outside({lo}, {hi})"),
                Unary::Unmask(v) => format!("unmask({v})"),
                Unary::Cast(dtype) => format!("cast({dtype})"),
                Unary::BitNot(_) => "~".into(),
                Unary::ShiftLeft(n) => format!("<< {n}"),
                Unary::ShiftRight(n) => format!(">> {n}"),
                Unary::Bits(first, width) => format!("bits({first}, {})", first + width - 1),
                Unary::PowerToDb | Unary::AmplitudeToDb => "to_db".into(),
                Unary::DbToPower => "to_power".into(),
                Unary::IsValid => "is_valid".into(),
                other => format!("{other:?}").to_lowercase(),
            },
            Element::Binary(b) => match b {
                Binary::Add => "+".into(),
                Binary::Subtract => "-".into(),
                Binary::Multiply => "*".into(),
                Binary::Divide => "/".into(),
                Binary::Power => "^".into(),
                Binary::Modulo => "%".into(),
                Binary::Less => "lt".into(),
                Binary::LessEqual => "le".into(),
                Binary::Greater => "gt".into(),
                Binary::GreaterEqual => "ge".into(),
                Binary::Equal => "eq".into(),
                Binary::NotEqual => "ne".into(),
                Binary::And | Binary::BitAnd => "&".into(),
                Binary::Or | Binary::BitOr => "|".into(),
                other => format!("{other:?}").to_lowercase(),
            },
        }
    }
}

/// The compute kind that holds every value of a file type: f32 has 24 bits, so wider integers need f64, and f64 has 53.
pub fn kind_of(dtype: DType) -> Kind {
    match dtype {
        DType::U8 | DType::I8 | DType::U16 | DType::I16 | DType::F32 => Kind::F32,
        DType::U32 | DType::I32 | DType::F64 => Kind::F64,
        DType::U64 | DType::I64 => Kind::I128,
        DType::C32 | DType::C64 => Kind::C32,
    }
}

/// The two real types that elementwise programs run in.
pub trait Real: num_traits::Float + Send + Sync + 'static {
    fn of(v: f64) -> Self;
    /// x^(1/10)-style decibel conversion needs more digits than f32 has in between.
    fn exp10_tenth(self) -> Self;
    /// log10, NaN where x ≤ 0; free of branches, so that the compiler makes it run on vectors.
    fn log10_of_positive(self) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn of(v: f64) -> f32 {
        v as f32
    }
    #[inline(always)]
    fn exp10_tenth(self) -> f32 {
        (f64::from(self) * (std::f64::consts::LOG2_10 / 10.0)).exp2() as f32
    }
    /// ln m = 2·artanh((m − 1)/(m + 1)) for the mantissa m in √½…√2: six terms leave an error below 2e-11, far under the
    /// rounding to f32.
    #[inline(always)]
    fn log10_of_positive(self) -> f32 {
        const ROOT_HALF: u32 = 0x3f35_04f3;
        let subnormal = self < f32::MIN_POSITIVE;
        let bits = (if subnormal { self * 16_777_216.0 } else { self }).to_bits();
        let exponent = (bits.wrapping_sub(ROOT_HALF) as i32) >> 23;
        let m = f64::from(f32::from_bits(bits.wrapping_sub((exponent as u32) << 23)));
        let t = (m - 1.0) / (m + 1.0);
        let s = t * t;
        let series = ((((s / 11.0 + 1.0 / 9.0) * s + 1.0 / 7.0) * s + 1.0 / 5.0) * s + 1.0 / 3.0) * s + 1.0;
        let exponent = f64::from(exponent) - if subnormal { 24.0 } else { 0.0 };
        let log = 2.0 * t * series * std::f64::consts::LOG10_E + exponent * std::f64::consts::LOG10_2;
        if self > 0.0 { log as f32 } else { f32::NAN }
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(v: f64) -> f64 {
        v
    }
    #[inline(always)]
    fn exp10_tenth(self) -> f64 {
        10f64.powf(self / 10.0)
    }
    #[inline(always)]
    fn log10_of_positive(self) -> f64 {
        if self > 0.0 { self.log10() } else { f64::NAN }
    }
}

/// Infinities become masked.
#[inline(always)]
fn finite<T: Real>(v: T) -> T {
    if v.abs() < T::infinity() { v } else { T::nan() }
}

#[inline(always)]
fn truth<T: Real>(v: bool) -> T {
    if v { T::one() } else { T::zero() }
}

#[inline(always)]
fn map<T: Real>(out: &mut [T], a: &[T], f: impl Fn(T) -> T) {
    for (o, &x) in out.iter_mut().zip(a) {
        *o = f(x);
    }
}

#[inline(always)]
fn zip<T: Real>(out: &mut [T], a: &[T], b: &[T], f: impl Fn(T, T) -> T) {
    for ((o, &x), &y) in out.iter_mut().zip(a).zip(b) {
        *o = f(x, y);
    }
}

impl Unary {
    #[inline(always)]
    pub fn apply<T: Real>(self, out: &mut [T], a: &[T]) {
        let nan = T::nan();
        match self {
            Unary::Negate => map(out, a, |x| -x),
            Unary::Abs => map(out, a, |x| x.abs()),
            Unary::Sqrt => map(out, a, |x| x.sqrt()),
            Unary::Square => map(out, a, |x| finite(x * x)),
            Unary::Exp => map(out, a, |x| finite(x.exp())),
            Unary::Log => map(out, a, |x| finite(x.ln())),
            Unary::Log10 => map(out, a, |x| finite(x.log10())),
            Unary::Round => map(out, a, |x| x.round()),
            Unary::Floor => map(out, a, |x| x.floor()),
            Unary::Ceil => map(out, a, |x| x.ceil()),
            Unary::Sin => map(out, a, |x| x.sin()),
            Unary::Cos => map(out, a, |x| x.cos()),
            Unary::Tan => map(out, a, |x| finite(x.tan())),
            Unary::Atan => map(out, a, |x| x.atan()),
            Unary::Not => map(out, a, |x| if x.is_nan() { nan } else { truth(x == T::zero()) }),
            Unary::PowerToDb => map(out, a, |x| finite(T::of(10.0) * x.log10_of_positive())),
            Unary::AmplitudeToDb => map(out, a, |x| finite(T::of(20.0) * x.log10_of_positive())),
            Unary::DbToPower => map(out, a, |x| finite(x.exp10_tenth())),
            Unary::Clamp(lo, hi) => {
                let (lo, hi) = (T::of(lo), T::of(hi));
                map(out, a, |x| {
                    if x < lo {
                        lo
                    } else if x > hi {
                        hi
                    } else {
                        x
                    }
                });
            }
            Unary::MaskOutside(lo, hi) => {
                let (lo, hi) = (T::of(lo), T::of(hi));
                map(out, a, |x| if x > lo && x < hi { x } else { nan });
            }
            Unary::Unmask(v) => {
                let v = T::of(v);
                map(out, a, |x| if x.is_nan() { v } else { x });
            }
            Unary::IsValid => map(out, a, |x| truth(!x.is_nan())),
            Unary::Cast(dtype) => match dtype.integer_range() {
                Some((lo, hi)) => {
                    let (lo, hi) = (T::of(lo), T::of(hi));
                    map(out, a, |x| {
                        if x.is_nan() {
                            nan
                        } else {
                            x.round().max(lo).min(hi)
                        }
                    });
                }
                None => map(out, a, finite),
            },
            // Wider integers are not computed here, see `integer`.
            Unary::BitNot(_) | Unary::ShiftLeft(_) | Unary::ShiftRight(_) | Unary::Bits(..) => {
                map(out, a, |x| match x.to_i64() {
                    Some(v) => T::of(self.of_bits(v.into()) as f64),
                    None => nan,
                });
            }
        }
    }
}

impl Unary {
    /// What becomes of an integer; of other operations, the integer.
    pub fn of_bits(self, v: i128) -> i128 {
        match self {
            Unary::BitNot(dtype) => match dtype.integer_range() {
                Some((low, _)) if low < 0.0 => !v,
                _ => (1 << (8 * dtype.bytes())) - 1 - v,
            },
            Unary::ShiftLeft(n) => v << n,
            Unary::ShiftRight(n) => v >> n,
            Unary::Bits(first, width) => v >> first & ((1 << width) - 1),
            _ => v,
        }
    }
}

impl Binary {
    /// True for those that ask for the order of two values; the answer is 1 or 0.
    pub fn is_comparison(self) -> bool {
        use Binary::*;
        matches!(self, Less | LessEqual | Greater | GreaterEqual | Equal | NotEqual)
    }

    /// What a comparison says of two values in this order.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Binary::Less => order.is_lt(),
            Binary::LessEqual => order.is_le(),
            Binary::Greater => order.is_gt(),
            Binary::GreaterEqual => order.is_ge(),
            Binary::Equal => order.is_eq(),
            _ => order.is_ne(),
        }
    }

    #[inline(always)]
    pub fn apply<T: Real>(self, out: &mut [T], a: &[T], b: &[T]) {
        let nan = T::nan();
        #[inline(always)]
        fn compare<T: Real>(out: &mut [T], a: &[T], b: &[T], f: impl Fn(T, T) -> bool) {
            zip(out, a, b, |x, y| {
                if x.is_nan() || y.is_nan() {
                    T::nan()
                } else {
                    truth(f(x, y))
                }
            });
        }
        let zero = T::zero();
        match self {
            Binary::Add => zip(out, a, b, |x, y| finite(x + y)),
            Binary::Subtract => zip(out, a, b, |x, y| finite(x - y)),
            Binary::Multiply => zip(out, a, b, |x, y| finite(x * y)),
            Binary::Divide => zip(out, a, b, |x, y| finite(x / y)),
            // IEEE says pow(NaN, 0) = 1; here a masked pixel stays masked.
            Binary::Power => zip(out, a, b, |x, y| {
                if x.is_nan() || y.is_nan() {
                    nan
                } else {
                    finite(x.powf(y))
                }
            }),
            // The sign of the divisor, as Lua's and Python's %.
            Binary::Modulo => zip(out, a, b, |x, y| finite(x - (x / y).floor() * y)),
            Binary::Minimum => zip(out, a, b, |x, y| {
                if x.is_nan() || y.is_nan() {
                    nan
                } else if y < x {
                    y
                } else {
                    x
                }
            }),
            Binary::Maximum => zip(out, a, b, |x, y| {
                if x.is_nan() || y.is_nan() {
                    nan
                } else if y > x {
                    y
                } else {
                    x
                }
            }),
            Binary::Atan2 => zip(out, a, b, |x, y| x.atan2(y)),
            Binary::Less => compare(out, a, b, |x, y| x < y),
            Binary::LessEqual => compare(out, a, b, |x, y| x <= y),
            Binary::Greater => compare(out, a, b, |x, y| x > y),
            Binary::GreaterEqual => compare(out, a, b, |x, y| x >= y),
            Binary::Equal => compare(out, a, b, |x, y| x == y),
            Binary::NotEqual => compare(out, a, b, |x, y| x != y),
            Binary::And => compare(out, a, b, |x, y| x != zero && y != zero),
            Binary::Or => compare(out, a, b, |x, y| x != zero || y != zero),
            Binary::BitAnd | Binary::BitOr => zip(out, a, b, |x, y| match (x.to_i64(), y.to_i64()) {
                (Some(x), Some(y)) if self == Binary::BitAnd => T::of((x & y) as f64),
                (Some(x), Some(y)) => T::of((x | y) as f64),
                _ => nan,
            }),
            Binary::Mask => zip(out, a, b, |x, m| if m.is_nan() || m == zero { nan } else { x }),
            Binary::Fill => zip(out, a, b, |x, y| if x.is_nan() { y } else { x }),
        }
    }
}

/// `out = condition ≠ 0 ? a : b`, masked where the condition is.
#[inline(always)]
pub fn choose<T: Real>(out: &mut [T], condition: &[T], a: &[T], b: &[T]) {
    for (((o, &c), &x), &y) in out.iter_mut().zip(condition).zip(a).zip(b) {
        *o = if c.is_nan() {
            T::nan()
        } else if c != T::zero() {
            x
        } else {
            y
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_double_precision_rounded() {
        // Every exponent, subnormals included, with mantissas all over.
        for bits in (1u32..0x7f80_0000).step_by(9973) {
            let x = f32::from_bits(bits);
            let (got, want) = (x.log10_of_positive(), f64::from(x).log10());
            assert!(
                (f64::from(got) - want).abs() <= 6e-8 * want.abs() + 1e-12,
                "{x:e}: {got}, not {want}"
            );
        }
        assert!(
            [0.0, -0.0, -1.0, f32::NAN]
                .iter()
                .all(|x| x.log10_of_positive().is_nan())
        );
        assert_eq!((1f32.log10_of_positive(), 100f32.log10_of_positive()), (0.0, 2.0));
    }
}
