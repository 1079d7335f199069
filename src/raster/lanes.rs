//! What is computed of each pixel's values in many images, for as many pixels of a row at a time as processors and caches like.

use ndarray::{Array2, ArrayView1, Zip, s};

use super::{Kind, Pixels, View, Window};
use crate::interrupt;
use crate::statistics::series::LANES;

/// Results of `out` in `kind`, a float. `one` fills results from the inputs' values at the same pixels, where NaN is no value; what it
/// leaves infinite is masked.
pub fn over_lanes(
    out: Window,
    inputs: &[View<'_>],
    results: usize,
    kind: Kind,
    mut one: impl FnMut(&[[f64; LANES]], &mut [[f64; LANES]]),
) -> Vec<Pixels> {
    let mut made: Vec<Pixels> = (0..results)
        .map(|_| match kind {
            Kind::F64 => Pixels::F64(Array2::from_elem((out.rows, out.cols), f64::NAN)),
            _ => Pixels::F32(Array2::from_elem((out.rows, out.cols), f32::NAN)),
        })
        .collect();
    let mut planes = vec![[f64::NAN; LANES]; inputs.len()];
    let mut found = vec![[f64::NAN; LANES]; results];
    let arrays: Vec<Values<'_>> = inputs.iter().map(Values::of).collect();
    for row in 0..out.rows {
        if interrupt::requested() {
            break;
        }
        for start in (0..out.cols).step_by(LANES) {
            let n = LANES.min(out.cols - start);
            for (plane, values) in planes.iter_mut().zip(&arrays) {
                values.copy(row, start, &mut plane[..n]);
                plane[n..].fill(f64::NAN);
            }
            one(&planes, &mut found);
            for (pixels, plane) in made.iter_mut().zip(&found) {
                put(pixels, row, start, &plane[..n]);
            }
        }
    }
    made
}

/// An input's pixels, of which f32 are widened only where they are used.
enum Values<'a> {
    F32(ndarray::CowArray<'a, f32, ndarray::Ix2>),
    F64(ndarray::CowArray<'a, f64, ndarray::Ix2>),
}

impl Values<'_> {
    fn of<'a>(view: &'a View<'_>) -> Values<'a> {
        match view.kind() {
            Kind::F32 => Values::F32(view.f32()),
            _ => Values::F64(view.f64()),
        }
    }

    fn copy(&self, row: usize, start: usize, out: &mut [f64]) {
        /// By slices where there are any: an iterator over an array asks at each step where it is.
        fn each<T: Copy>(row: ArrayView1<'_, T>, out: &mut [f64], wide: impl Fn(T) -> f64) {
            match row.to_slice() {
                Some(row) => out.iter_mut().zip(row).for_each(|(to, v)| *to = wide(*v)),
                None => out.iter_mut().zip(row).for_each(|(to, v)| *to = wide(*v)),
            }
        }
        let part = s![row, start..start + out.len()];
        match self {
            Values::F32(a) => each(a.slice(part), out, f64::from),
            Values::F64(a) => each(a.slice(part), out, |v| v),
        }
    }
}

/// What cannot be, such as the error of an amplitude of 0, is masked.
fn put(pixels: &mut Pixels, row: usize, start: usize, values: &[f64]) {
    let finite = |v: &f64| if v.is_finite() { *v } else { f64::NAN };
    let part = s![row, start..start + values.len()];
    match pixels {
        Pixels::F32(a) => Zip::from(a.slice_mut(part))
            .and(ArrayView1::from(values))
            .for_each(|to, v| *to = finite(v) as f32),
        Pixels::F64(a) => Zip::from(a.slice_mut(part))
            .and(ArrayView1::from(values))
            .for_each(|to, v| *to = finite(v)),
        _ => {}
    }
}
