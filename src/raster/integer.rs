//! 64-bit integers, exactly: comparisons, masks, choices and conversions, pixel by pixel and not fused. What leaves the whole
//! numbers (division, logarithms) is computed in float64, as of all other bands.

use std::cmp::Ordering;
use std::sync::Arc;

use ndarray::{Array2, Zip};
use serde::{Deserialize, Serialize};

use super::describe::{Description, Site};
use super::element::{Binary, Element, Unary};
use super::operation::Operation;
use super::tile::{MASKED_INTEGER, f64_to_integer};
use super::{DType, Kind, Pixels, PixelsView, Port, View, Window};
use crate::described;
use crate::error::{Error, Result};

/// True for the types that no float holds.
pub fn is_wide(dtype: DType) -> bool {
    matches!(dtype, DType::I64 | DType::U64)
}

/// Which of many values at a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    First,
    Last,
    Min,
    Max,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Integers {
    Constant(i128),
    Element(Element),
    Chosen(Choice),
}

described!(Integers, Tiles, "raster.integers", 1, Integers::check);

impl Integers {
    fn check(&self, site: &Site) -> Result<()> {
        site.on_grid()?.real()?;
        match self {
            Integers::Constant(_) => site.takes(0).map(drop),
            Integers::Chosen(_) if site.inputs.is_empty() => Err(site.wrong_inputs("at least 1")),
            Integers::Chosen(_) => Ok(()),
            Integers::Element(one) => {
                one.check()?;
                site.takes(one.inputs())?;
                let kinds: Vec<Kind> = site.inputs.iter().map(Port::kind).collect();
                match element(*one, &kinds) {
                    Some(_) => Ok(()),
                    None => Err(Error::argument(
                        format!("inputs of {}", one.name()),
                        "such as it keeps exact, 64-bit integers",
                        "others",
                    )),
                }
            }
        }
    }
}

impl Operation for Integers {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        match self {
            Integers::Constant(v) => v.to_string(),
            Integers::Element(element) => element.name(),
            Integers::Chosen(choice) => format!("{choice:?}").to_lowercase(),
        }
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        match self {
            Integers::Element(Element::Binary(op)) if op.is_comparison() => Kind::F32,
            Integers::Element(Element::Binary(Binary::Add | Binary::Subtract | Binary::Multiply)) => {
                Kind::F64
            }
            _ => Kind::I128,
        }
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        Ok(vec![match self {
            Integers::Constant(v) => Pixels::I128(Array2::from_elem((out.rows, out.cols), *v)),
            Integers::Element(Element::Binary(op)) if op.is_comparison() => {
                Pixels::F32(compared(*op, &inputs[0], &inputs[1]))
            }
            Integers::Element(Element::Binary(Binary::Mask)) => {
                let (a, mask) = (inputs[0].i128(), inputs[1].f64());
                Pixels::I128(
                    Zip::from(&a)
                        .and(&mask)
                        .map_collect(|&a, &m| if m.is_nan() || m == 0.0 { MASKED_INTEGER } else { a }),
                )
            }
            Integers::Element(Element::Binary(op)) => {
                let result = Zip::from(&inputs[0].i128())
                    .and(&inputs[1].i128())
                    .map_collect(|&a, &b| combined(*op, a, b));
                let result = Pixels::I128(result);
                match self.kind(&[]) {
                    // Sums and products are exact before they are rounded.
                    Kind::F64 => Pixels::F64(result.into_f64()),
                    _ => result,
                }
            }
            Integers::Element(Element::Where) => {
                let (condition, a, b) = (inputs[0].f64(), inputs[1].i128(), inputs[2].i128());
                Pixels::I128(Zip::from(&condition).and(&a).and(&b).map_collect(|&c, &a, &b| {
                    if c.is_nan() {
                        MASKED_INTEGER
                    } else if c != 0.0 {
                        a
                    } else {
                        b
                    }
                }))
            }
            Integers::Element(Element::Unary(op)) => Pixels::I128(inputs[0].i128().mapv(|v| changed(*op, v))),
            Integers::Element(Element::Constant(v)) => {
                Pixels::I128(Array2::from_elem((out.rows, out.cols), f64_to_integer(*v)))
            }
            Integers::Chosen(choice) => {
                let mut chosen = Array2::from_elem((out.rows, out.cols), MASKED_INTEGER);
                for view in inputs {
                    Zip::from(&mut chosen).and(&view.i128()).for_each(|old, &new| {
                        let takes = match choice {
                            _ if new == MASKED_INTEGER => false,
                            _ if *old == MASKED_INTEGER => true,
                            Choice::Min => new < *old,
                            Choice::Max => new > *old,
                            Choice::Last => true,
                            Choice::First => false,
                        };
                        if takes {
                            *old = new
                        }
                    });
                }
                Pixels::I128(chosen)
            }
        }])
    }
}

fn combined(op: Binary, a: i128, b: i128) -> i128 {
    let one_masked = a == MASKED_INTEGER || b == MASKED_INTEGER;
    match op {
        Binary::Fill if a == MASKED_INTEGER => b,
        Binary::Fill => a,
        _ if one_masked => MASKED_INTEGER,
        Binary::BitAnd => a & b,
        Binary::BitOr => a | b,
        Binary::Minimum => a.min(b),
        Binary::Maximum => a.max(b),
        // Of 65 bits and the product of 128 at most, and −2¹²⁷ is none of them.
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a.checked_mul(b).unwrap_or(MASKED_INTEGER),
        _ => MASKED_INTEGER,
    }
}

fn changed(op: Unary, v: i128) -> i128 {
    match op {
        Unary::Unmask(value) if v == MASKED_INTEGER => f64_to_integer(value),
        Unary::Unmask(_) => v,
        _ if v == MASKED_INTEGER => v,
        Unary::Clamp(low, high) => v.clamp(
            f64_to_integer(low.ceil()),
            f64_to_integer(high.floor()).max(f64_to_integer(low.ceil())),
        ),
        Unary::MaskOutside(low, high) => match (order(v, low), order(v, high)) {
            (Ordering::Greater, Ordering::Less) => v,
            _ => MASKED_INTEGER,
        },
        Unary::Cast(DType::U64) => v.clamp(0, u64::MAX.into()),
        Unary::Cast(_) => v.clamp(i64::MIN.into(), i64::MAX.into()),
        bits => bits.of_bits(v),
    }
}

/// Of an integer and a float that is not NaN.
fn order(v: i128, float: f64) -> Ordering {
    let floor = float.floor();
    let below = if float > floor {
        Ordering::Less
    } else {
        Ordering::Equal
    };
    v.cmp(&(floor as i128)).then(below)
}

/// Integers are compared with floats as real numbers, without rounding either.
fn compared(op: Binary, a: &View<'_>, b: &View<'_>) -> Array2<f32> {
    let truth = |order: Ordering| f32::from(op.holds(order));
    match (&a.pixels, &b.pixels) {
        (PixelsView::I128(a), PixelsView::I128(b)) => Zip::from(a).and(b).map_collect(|&a, &b| {
            if a == MASKED_INTEGER || b == MASKED_INTEGER {
                f32::NAN
            } else {
                truth(a.cmp(&b))
            }
        }),
        (PixelsView::I128(a), _) => Zip::from(a).and(&b.f64()).map_collect(|&a, &b| {
            if a == MASKED_INTEGER || b.is_nan() {
                f32::NAN
            } else {
                truth(order(a, b))
            }
        }),
        _ => Zip::from(&a.f64()).and(&b.i128()).map_collect(|&a, &b| {
            if a.is_nan() || b == MASKED_INTEGER {
                f32::NAN
            } else {
                truth(order(b, a).reverse())
            }
        }),
    }
}

/// An operation that gives one whole number.
pub fn constant(value: i128) -> Arc<dyn Operation> {
    Arc::new(Integers::Constant(value))
}

/// `element` of inputs of these kinds, where it is one that keeps 64-bit integers exact.
pub fn element(element: Element, inputs: &[Kind]) -> Option<Arc<dyn Operation>> {
    let wide: Vec<bool> = inputs.iter().map(|kind| *kind == Kind::I128).collect();
    let exact = match element {
        Element::Constant(_) => false,
        Element::Binary(op) if op.is_comparison() => wide.contains(&true),
        Element::Binary(Binary::Mask) => wide[0],
        Element::Binary(Binary::BitAnd | Binary::BitOr) => wide.contains(&true),
        Element::Binary(
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Minimum
            | Binary::Maximum
            | Binary::Fill,
        ) => wide == [true, true],
        Element::Binary(_) => false,
        Element::Where => wide[1..] == [true, true],
        Element::Unary(Unary::Cast(dtype)) => is_wide(dtype),
        Element::Unary(Unary::Clamp(..) | Unary::MaskOutside(..)) => wide[0],
        Element::Unary(Unary::BitNot(_) | Unary::ShiftLeft(_) | Unary::ShiftRight(_) | Unary::Bits(..)) => {
            wide[0]
        }
        Element::Unary(Unary::Unmask(value)) => wide[0] && value.fract() == 0.0,
        Element::Unary(_) => false,
    };
    exact.then(|| Arc::new(Integers::Element(element)) as Arc<dyn Operation>)
}

/// The first, last, least or greatest of many.
pub fn chosen(choice: Choice) -> Arc<dyn Operation> {
    Arc::new(Integers::Chosen(choice))
}

/// The whole number that a float is, if it is one that 64 bits hold.
pub fn whole(v: f64) -> Option<i128> {
    (v.fract() == 0.0 && v.abs() <= u64::MAX as f64).then_some(v as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_floats_are_compared_as_numbers() {
        let large = (1i128 << 53) + 1;
        assert_eq!(order(large, 9_007_199_254_740_992.0), Ordering::Greater);
        assert_eq!(order(large - 1, 9_007_199_254_740_992.0), Ordering::Equal);
        assert_eq!(order(2, 2.5), Ordering::Less);
        assert_eq!(order(3, 2.5), Ordering::Greater);
        assert_eq!(order(-3, -2.5), Ordering::Less);
        assert_eq!(order(u64::MAX.into(), 1e300), Ordering::Less);
        assert_eq!((whole(0.5), whole(-3.0)), (None, Some(-3)));
    }
}
