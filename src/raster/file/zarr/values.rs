//! Elements of the arrays of a Zarr as values.

use super::super::arrays::{ArrayValues, Elements, Reserve};
use super::place::open_store;
use crate::error::{Error, Result};
use crate::raster::DType;
use crate::raster::integer::whole;
use crate::raster::zarr::metadata::Element;

/// An element as a number, exactly where it is a whole one.
pub(super) fn value_of(element: &Element, bytes: &[u8]) -> Option<(f64, Option<i128>)> {
    let value = numbers_of(element, bytes)?.first().copied()?;
    let exact = match element.dtype()? {
        DType::I64 => Some(i128::from(i64::from_le_bytes(bytes.try_into().ok()?))),
        DType::U64 => Some(i128::from(u64::from_le_bytes(bytes.try_into().ok()?))),
        _ => whole(value),
    };
    Some((value, exact))
}

/// Elements as numbers; none of text.
pub fn numbers_of(element: &Element, bytes: &[u8]) -> Option<Vec<f64>> {
    fn all<const N: usize>(bytes: &[u8], of: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().map(|b| of(*b)).collect()
    }
    let dtype = match element {
        Element::Half => return Some(all(bytes, |b| half::f16::from_le_bytes(b).to_f64())),
        element => element.dtype()?,
    };
    Some(match dtype {
        DType::U8 => all(bytes, |b| f64::from(u8::from_le_bytes(b))),
        DType::I8 => all(bytes, |b| f64::from(i8::from_le_bytes(b))),
        DType::U16 => all(bytes, |b| f64::from(u16::from_le_bytes(b))),
        DType::I16 => all(bytes, |b| f64::from(i16::from_le_bytes(b))),
        DType::U32 => all(bytes, |b| f64::from(u32::from_le_bytes(b))),
        DType::I32 => all(bytes, |b| f64::from(i32::from_le_bytes(b))),
        DType::U64 => all(bytes, |b| u64::from_le_bytes(b) as f64),
        DType::I64 => all(bytes, |b| i64::from_le_bytes(b) as f64),
        DType::F32 => all(bytes, |b| f64::from(f32::from_le_bytes(b))),
        DType::F64 => all(bytes, f64::from_le_bytes),
        DType::C32 | DType::C64 => return None,
    })
}

/// The arrays of these full names as values; None for those that are not there. `reserve` is asked before memory is taken.
///
/// # Errors
/// What is no Zarr; complex arrays and types that are not known; an array that cannot be read.
pub fn read(path: &str, names: &[String], reserve: &mut Reserve<'_>) -> Result<Vec<Option<ArrayValues>>> {
    let zarr = open_store(path)?;
    let mut one = |name: &String| {
        let Some(array) = zarr.array(name)? else {
            return Ok(None);
        };
        let shape = array.metadata.shape.clone();
        let elements = shape.iter().fold(1, |n: usize, size| n.saturating_mul(*size));
        reserve(name, elements)?;
        let bytes = array.whole()?;
        let elements = elements_of(&array.metadata.element, &bytes).ok_or_else(|| {
            Error::file(
                path,
                format!(
                    "{name} is an array of type {}, which cannot be read as numbers; images are opened as such",
                    array.metadata.element.name()
                ),
            )
        })?;
        Ok(Some(ArrayValues { shape, elements }))
    };
    names.iter().map(&mut one).collect()
}

fn elements_of(element: &Element, bytes: &[u8]) -> Option<Elements> {
    let integers = |of: fn([u8; 8]) -> i64| bytes.as_chunks::<8>().0.iter().map(|b| of(*b)).collect();
    Some(match element {
        Element::Text { length: 0, .. } => Elements::Texts(Vec::new()),
        Element::Text { wide, length } => {
            let text = |bytes: &[u8]| match wide {
                true => {
                    let letters = bytes.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b));
                    letters
                        .take_while(|c| *c != 0)
                        .map(|c| char::from_u32(c).unwrap_or('\u{fffd}'))
                        .collect()
                }
                false => String::from_utf8_lossy(bytes).trim_end_matches('\0').to_string(),
            };
            let each = if *wide { 4 * length } else { *length };
            Elements::Texts(bytes.chunks_exact(each).map(text).collect())
        }
        Element::Time { .. } | Element::Number(DType::I64) => {
            Elements::Integers(integers(i64::from_le_bytes))
        }
        Element::Number(DType::U64) => Elements::Integers(integers(|b| {
            i64::try_from(u64::from_le_bytes(b)).unwrap_or(i64::MAX)
        })),
        Element::Number(dtype) if dtype.integer_range().is_some() => Elements::Integers(
            numbers_of(element, bytes)?
                .into_iter()
                .map(|v| v as i64)
                .collect(),
        ),
        _ => Elements::Numbers(numbers_of(element, bytes)?),
    })
}
