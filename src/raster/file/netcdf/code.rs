//! Pixels as a file keeps them.

use super::file::encoded;
use super::{Definition, Fill};
pub(in crate::raster::file) use crate::raster::file::described::Seen;
use crate::raster::tile::{MASKED_INTEGER, f64_to_integer, integer_to_f64};
use crate::raster::{DType, Pixels};

impl Seen {
    /// Whether a valid pixel would be read as a masked one that nobody wants to be masked.
    pub fn is_lost(self, fill: Fill) -> bool {
        match fill {
            Fill::Given(_) => false,
            Fill::Default(_) => self.clashes > 0,
            Fill::Spare(_) => self.masked && self.clashes > 0,
        }
    }
}

/// In the variable's type, row by row.
pub(in crate::raster::file) enum Stored {
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// Whole numbers.
    Bytes(Vec<u8>),
}

impl Stored {
    /// As they lie in memory.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Stored::F32(list) => bytemuck::cast_slice(list),
            Stored::F64(list) => bytemuck::cast_slice(list),
            Stored::Bytes(bytes) => bytes,
        }
    }
}

/// Encodes pixels of real numbers.
pub(in crate::raster::file) fn stored(what: &Definition, pixels: Pixels) -> (Stored, Seen) {
    let mut seen = Seen::default();
    let fill = what.fill.value();
    let stored = match (pixels, what.dtype) {
        (Pixels::F32(a), DType::F32) => {
            let fill = fill as f32;
            let filled = a.into_iter().map(|v| filled(v, fill, &mut seen));
            Stored::F32(filled.collect())
        }
        (pixels, DType::F32) => {
            let fill = fill as f32;
            let a = pixels.into_f64();
            Stored::F32(a.into_iter().map(|v| filled(v as f32, fill, &mut seen)).collect())
        }
        (pixels, DType::F64) => {
            let a = pixels.into_f64();
            Stored::F64(a.into_iter().map(|v| filled(v, fill, &mut seen)).collect())
        }
        (Pixels::I128(a), DType::I64) => Stored::Bytes(wide(
            a.iter().copied(),
            (i64::MIN.into(), i64::MAX.into()),
            fill,
            &mut seen,
        )),
        (Pixels::I128(a), DType::U64) => {
            Stored::Bytes(wide(a.iter().copied(), (0, u64::MAX.into()), fill, &mut seen))
        }
        (Pixels::I128(a), dtype) => Stored::Bytes(rounded(
            a.iter().map(|&v| integer_to_f64(v)),
            dtype,
            fill,
            &mut seen,
        )),
        (Pixels::F32(a), dtype) => {
            Stored::Bytes(rounded(a.iter().map(|&v| f64::from(v)), dtype, fill, &mut seen))
        }
        (pixels, dtype) => {
            let a = pixels.into_f64();
            Stored::Bytes(rounded(a.iter().copied(), dtype, fill, &mut seen))
        }
    };
    (stored, seen)
}

fn filled<T: num_traits::Float>(v: T, fill: T, seen: &mut Seen) -> T {
    if v.is_nan() {
        seen.masked = true;
        return fill;
    }
    seen.clashes += u64::from(v == fill);
    v
}

fn rounded(values: impl Iterator<Item = f64>, dtype: DType, fill: f64, seen: &mut Seen) -> Vec<u8> {
    let (low, high) = dtype.integer_range().unwrap_or((f64::MIN, f64::MAX));
    encoded(
        dtype,
        values.map(|v| {
            if v.is_nan() {
                seen.masked = true;
                return fill;
            }
            let stored = v.round().clamp(low, high);
            seen.clashes += u64::from(stored == fill);
            stored
        }),
    )
}

/// 64-bit integers, exactly.
fn wide(
    pixels: impl Iterator<Item = i128>,
    (low, high): (i128, i128),
    fill: f64,
    seen: &mut Seen,
) -> Vec<u8> {
    // The end of the range is no float; it is meant by the one next to it.
    let fill = f64_to_integer(fill).clamp(low, high);
    let mut bytes = Vec::with_capacity(pixels.size_hint().0 * size_of::<u64>());
    for v in pixels {
        let stored = match v {
            MASKED_INTEGER => {
                seen.masked = true;
                fill
            }
            v => {
                let stored = v.clamp(low, high);
                seen.clashes += u64::from(stored == fill);
                stored
            }
        };
        // Two's complement: the lower half is the number in either type.
        bytes.extend_from_slice(&(stored as u64).to_ne_bytes());
    }
    bytes
}
