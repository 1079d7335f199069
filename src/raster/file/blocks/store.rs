//! Pixels as numbers of the type that a file holds.

use std::borrow::Cow;

use multiversion::multiversion;
use ndarray::{ArrayView1, s};

use super::reduce::Sample;
use crate::raster;
use crate::raster::file::described::Seen;
use crate::raster::tile::MASKED_INTEGER;

/// Stores a band's pixels, from this row and column on, as one of so many numbers of each pixel of `lines`.
pub fn store<'a, T: Sample>(
    pixels: &raster::Pixels,
    (row, col, cols): (usize, usize, usize),
    place: (usize, usize),
    fill: T,
    lines: impl Iterator<Item = &'a mut [T]>,
    seen: &mut Seen,
) {
    let fill_number = fill.number();
    for (i, line) in lines.enumerate() {
        let from = s![row + i, col..col + cols];
        match pixels {
            raster::Pixels::F32(a) => {
                let fill_value = fill_number as f32;
                store_line(a.slice(from), line, place, seen, |v: f32| match v.is_nan() {
                    true => (fill, true, false),
                    false => (T::of_f32(v), false, v == fill_value),
                });
            }
            raster::Pixels::F64(a) => {
                store_line(a.slice(from), line, place, seen, |v: f64| match v.is_nan() {
                    true => (fill, true, false),
                    false => (T::of(v), false, v == fill_number),
                })
            }
            raster::Pixels::I128(a) => store_line(a.slice(from), line, place, seen, |v: i128| {
                let stored = T::of_integer(v);
                match v == MASKED_INTEGER {
                    true => (fill, true, false),
                    false => (stored, false, stored == fill),
                }
            }),
            // Their files are made otherwise.
            raster::Pixels::C32(_) => {}
        }
    }
}

/// `convert` says what is stored, whether the pixel is masked, and whether a valid one looks like a masked one.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx512dq",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn store_line<S: Copy, T: Sample, F: Fn(S) -> (T, bool, bool)>(
    from: ArrayView1<'_, S>,
    to: &mut [T],
    place: (usize, usize),
    seen: &mut Seen,
    convert: F,
) {
    let (band, bands) = place;
    let from = from
        .as_slice()
        .map_or_else(|| Cow::Owned(from.to_vec()), Cow::Borrowed);
    let (mut any, mut clashes) = (false, 0);
    let mut one = |to: &mut T, v: S| {
        let (stored, masked, clash) = convert(v);
        *to = stored;
        any |= masked;
        clashes += u64::from(clash);
    };
    match bands {
        1 => to.iter_mut().zip(from.iter()).for_each(|(to, v)| one(to, *v)),
        _ => to
            .iter_mut()
            .skip(band)
            .step_by(bands)
            .zip(from.iter())
            .for_each(|(to, v)| one(to, *v)),
    }
    seen.masked |= any;
    seen.clashes += clashes;
}
