//! `&`, `|` and `~`, of masks by their truth and of integers by their bits; shifts, and the bits of quality bands.

use super::element::{Binary, Element, Unary, kind_of};
use super::image::{Band, Raster};
use super::{DType, Port, Unit};
use crate::error::{Error, Remedy, Result};

/// What `&` and `|` need to know of a side.
#[derive(Clone, Copy)]
pub struct Meaning<'a> {
    pub dtype: DType,
    pub unit: &'a Unit,
    pub number: Option<f64>,
}

impl Meaning<'_> {
    fn is_mask(&self) -> bool {
        self.number.is_none() && *self.unit == Unit::Mask && self.dtype == DType::U8
    }

    fn is_integer(&self) -> bool {
        self.number.is_none() && !self.is_mask() && self.dtype.integer_range().is_some()
    }

    fn named(&self) -> String {
        match self.number {
            Some(number) => format!("the number {number}"),
            None if self.is_mask() => "a mask".into(),
            None => format!("a band of {}", self.dtype),
        }
    }
}

/// `&` or `|` as these sides mean it, with the type and unit of the result. Masks come from comparisons, and stay masks.
///
/// # Errors
/// A mask beside integers; floats; numbers that the band's type does not hold.
pub fn meant(op: Binary, a: Meaning<'_>, b: Meaning<'_>) -> Result<(Binary, DType, Unit)> {
    if a.is_mask() && b.is_mask() {
        return Ok((op, DType::U8, Unit::Mask));
    }
    let bitwise = if op == Binary::And {
        Binary::BitAnd
    } else {
        Binary::BitOr
    };
    let dtype = match (a.is_integer(), b.is_integer(), a.number.or(b.number)) {
        (true, true, _) => common_integer(a.dtype, b.dtype),
        (true, false, Some(number)) | (false, true, Some(number)) => {
            let dtype = if a.is_integer() { a.dtype } else { b.dtype };
            let holds = |(low, high): (f64, f64)| number.fract() == 0.0 && (low..=high).contains(&number);
            if !dtype.integer_range().is_some_and(holds) {
                return Err(Error::argument(
                    "a number beside a band of bits",
                    format!("one that {dtype} holds"),
                    number,
                ));
            }
            Some(dtype)
        }
        _ => None,
    };
    let dtype = dtype.ok_or_else(|| {
        Error::argument(
            format!("the sides of `{}`", Element::Binary(op).name()),
            format!(
                "two masks, or bands of integers, whose bits are combined; {}",
                Remedy::Compare
            ),
            format!("{} and {}", a.named(), b.named()),
        )
    })?;
    Ok((bitwise, dtype, Unit::Unknown))
}

/// The smallest integer type that holds all values of both; none holds those of int64 and uint64.
fn common_integer(a: DType, b: DType) -> Option<DType> {
    use DType::*;
    let (low, high) = (a.integer_range()?, b.integer_range()?);
    [U8, I8, U16, I16, U32, I32, U64, I64].into_iter().find(|dtype| {
        let (least, most) = dtype.integer_range().unwrap_or_default();
        least <= low.0.min(high.0) && most >= low.1.max(high.1)
    })
}

/// `~`: of masks 1 where they are 0, of integers all bits the other way.
///
/// # Errors
/// Bands that are neither.
pub fn not(raster: &Raster) -> Result<Raster> {
    each(raster, |b| {
        let meaning = Meaning {
            dtype: b.dtype,
            unit: &b.unit,
            number: None,
        };
        if meaning.is_mask() {
            Ok((Unary::Not, DType::U8, Unit::Mask))
        } else if meaning.is_integer() {
            Ok((Unary::BitNot(b.dtype), b.dtype, Unit::Unknown))
        } else {
            Err(Error::argument(
                format!("band `{}`", b.name),
                format!("a mask, or of integers, for `~`; {}", Remedy::Compare),
                meaning.named(),
            ))
        }
    })
}

/// `<<` and, for negative `places`, `>>`. A left shift takes the type that holds its results, a right one keeps the type and the sign.
///
/// # Errors
/// Bands that are not of integers; results of more than 64 bits.
pub fn shift(raster: &Raster, places: i64) -> Result<Raster> {
    let by = u32::try_from(places.unsigned_abs()).unwrap_or(u32::MAX).min(64);
    each(raster, |b| {
        let signed = integer(b)?;
        if places <= 0 {
            return Ok((Unary::ShiftRight(by), b.dtype, Unit::Unknown));
        }
        let bits = 8 * b.dtype.bytes() as u32 + by;
        let dtype = type_of_bits(bits, signed).ok_or_else(|| {
            let most = 64 - 8 * b.dtype.bytes();
            Error::argument(
                "shift",
                format!("at most {most} of {} values: results have 64 bits", b.dtype),
                by,
            )
        })?;
        Ok((Unary::ShiftLeft(by), dtype, Unit::Unknown))
    })
}

/// The bits `first` to `last` (from 0, the least) as a number; a single bit as a mask.
///
/// # Errors
/// Bands that are not of integers; bits that their type does not have.
pub fn bits(raster: &Raster, first: u32, last: u32) -> Result<Raster> {
    each(raster, |b| {
        integer(b)?;
        let most = 8 * b.dtype.bytes() as u32 - 1;
        if first > last || last > most {
            let expected = format!(
                "first and last of 0 to {most}, as band `{}` of {} has them",
                b.name, b.dtype
            );
            return Err(Error::argument("bits", expected, format!("{first} and {last}")));
        }
        let width = last - first + 1;
        let dtype = type_of_bits(width, false).unwrap_or(DType::U64);
        let unit = if width == 1 { Unit::Mask } else { Unit::Unknown };
        Ok((Unary::Bits(first, width), dtype, unit))
    })
}

/// Whether the integers of a band are signed.
fn integer(b: &Band) -> Result<bool> {
    match b.dtype.integer_range() {
        Some((low, _)) => Ok(low < 0.0),
        None => Err(Error::argument(
            format!("band `{}`", b.name),
            format!("of integers, which have bits; {}", Remedy::Round),
            b.dtype,
        )),
    }
}

fn type_of_bits(bits: u32, signed: bool) -> Option<DType> {
    let unsigned = match bits {
        0..=8 => DType::U8,
        9..=16 => DType::U16,
        17..=32 => DType::U32,
        33..=64 => DType::U64,
        _ => return None,
    };
    Some(unsigned.with_sign(signed))
}

fn each(raster: &Raster, op: impl Fn(&Band) -> Result<(Unary, DType, Unit)>) -> Result<Raster> {
    let one = |b: &Band| {
        let (op, dtype, unit) = op(b)?;
        let to = |dtype: DType, port: Port| match port.kind() == kind_of(dtype) {
            true => port,
            false => Port::element(&raster.grid, Element::Unary(Unary::Cast(dtype)), vec![port]),
        };
        // Before the shift there is room for it.
        let wide = if matches!(op, Unary::ShiftLeft(_)) {
            dtype
        } else {
            b.dtype
        };
        let input = to(wide, b.port.clone());
        let port = to(
            dtype,
            Port::element(&raster.grid, Element::Unary(op), vec![input]),
        );
        Ok(Band {
            name: b.name.clone(),
            dtype,
            unit,
            nodata: None,
            port,
        })
    };
    let bands: Result<Vec<Band>> = raster.bands.iter().map(one).collect();
    Ok(raster.with_bands(bands?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_holds_the_values_of_both() {
        use DType::*;
        // As numpy.promote_types, but for (uint64, int64), which numpy makes float64.
        for (a, b, both) in [
            (U8, U16, Some(U16)),
            (U8, I8, Some(I16)),
            (U16, I16, Some(I32)),
            (U32, I8, Some(I64)),
            (U64, U8, Some(U64)),
            (U64, I8, None),
        ] {
            assert_eq!(common_integer(a, b), both, "{a} {b}");
        }
    }
}
