//! A pair of images ready to be compared: filtered, in the samples that are compared, in memory or in scratch files.

use std::ops::Range;

use bytemuck::Pod;
use ndarray::Array2;
use num_complex::Complex32;

use super::prefilter::Prefilter;
use super::quantise::{Moments, Quantiser};
use super::search::{Pair, Which};
use crate::error::Result;
use crate::interrupt;
use crate::raster::store::Store;
use crate::raster::whole::Inputs;
use crate::raster::{Pixels, Window};

/// One image.
pub struct Prepared<S> {
    samples: Store<S>,
    /// 1 where there is a value; none where there is everywhere.
    valid: Option<Store<u8>>,
}

/// Both images, of one size.
pub struct PreparedPair<S> {
    pub reference: Prepared<S>,
    pub secondary: Prepared<S>,
}

impl<S: Pod + Send + Sync> Pair<S> for PreparedPair<S> {
    fn shape(&self) -> (usize, usize) {
        self.reference.samples.shape()
    }

    fn read(&self, which: Which, rows: Range<usize>, out: &mut Vec<S>) -> Result<()> {
        self.of(which).samples.read(rows, out)
    }

    fn read_valid(&self, which: Which, rows: Range<usize>, out: &mut Vec<u8>) -> Result<bool> {
        match &self.of(which).valid {
            Some(valid) => valid.read(rows, out).map(|()| true),
            None => Ok(false),
        }
    }
}

impl<S> PreparedPair<S> {
    fn of(&self, which: Which) -> &Prepared<S> {
        match which {
            Which::Reference => &self.reference,
            Which::Secondary => &self.secondary,
        }
    }
}

/// Where an image has no value; a store is made when the first such pixel comes.
struct Validity {
    shape: (usize, usize),
    memory: usize,
    store: Option<Store<u8>>,
}

impl Validity {
    /// Notes rows from `first` on, the first not noted yet.
    fn add(&mut self, first: usize, valid: impl Iterator<Item = bool>) -> Result<()> {
        let flags: Vec<u8> = valid.map(u8::from).collect();
        if self.store.is_none() && flags.contains(&0) {
            let mut store = Store::new(self.shape, self.memory)?;
            let row = vec![1u8; self.shape.1];
            for r in 0..first {
                store.write(r, &row)?;
            }
            self.store = Some(store);
        }
        match &mut self.store {
            Some(store) => store.write(first, &flags),
            None => Ok(()),
        }
    }
}

/// Runs an image through a filter, strip by strip: `take(first row, filtered rows)`.
fn filter_rows(
    inputs: &Inputs<'_>,
    index: usize,
    filter: &Prefilter,
    mut take: impl FnMut(usize, &Array2<f32>) -> Result<()>,
) -> Result<()> {
    let (rows, cols) = (inputs.grid(index).rows, inputs.grid(index).cols);
    let halo = filter.halo();
    let step = inputs.strip_rows(index).max(halo);
    for first in (0..rows).step_by(step) {
        interrupt::check()?;
        let end = (first + step).min(rows);
        let (start, stop) = (first.saturating_sub(halo), (end + halo).min(rows));
        let window = Window::new(start as isize, 0, stop - start, cols);
        let strip = inputs.read(index, window)?.into_f32();
        let missing = (halo - (first - start), halo - (stop - end));
        take(first, &filter.apply(strip.view(), missing, first))?;
    }
    Ok(())
}

/// The filtered image, its moments, and where it has values.
fn filtered(
    inputs: &Inputs<'_>,
    index: usize,
    filter: &Prefilter,
    memory: usize,
) -> Result<(Store<f32>, Moments, Option<Store<u8>>)> {
    let shape = (inputs.grid(index).rows, inputs.grid(index).cols);
    let mut store = Store::new(shape, memory)?;
    let mut moments = Moments::default();
    let mut validity = Validity {
        shape,
        memory,
        store: None,
    };
    filter_rows(inputs, index, filter, |first, rows| {
        let rows = rows.as_standard_layout();
        let all = rows.as_slice().unwrap_or_default();
        for row in all.chunks_exact(shape.1) {
            moments.add(row);
        }
        validity.add(first, all.iter().map(|v| !v.is_nan()))?;
        store.write(first, all)
    })?;
    Ok((store, moments, validity.store))
}

/// Every row of `from` through `convert` into a new store.
fn converted<S: Pod>(
    from: &Store<f32>,
    memory: usize,
    convert: impl Fn(&[f32], &mut [S]),
) -> Result<Store<S>> {
    let (rows, cols) = from.shape();
    let mut out = Store::new((rows, cols), memory)?;
    let (mut floats, mut samples) = (Vec::new(), vec![S::zeroed(); cols]);
    for r in 0..rows {
        from.read(r..r + 1, &mut floats)?;
        convert(&floats, &mut samples);
        out.write(r, &samples)?;
    }
    Ok(out)
}

/// Filtered and in 8 bits; masked pixels are 128, the mean.
///
/// # Errors
/// What reading the image fails with; a scratch file that cannot be made, written or read; `Interrupted`.
pub fn in_bytes(
    inputs: &Inputs<'_>,
    index: usize,
    filter: &Prefilter,
    memory: usize,
) -> Result<Prepared<u8>> {
    let (store, moments, valid) = filtered(inputs, index, filter, memory)?;
    let quantiser = Quantiser::new(&moments);
    let samples = converted(&store, memory, |row, out| quantiser.apply(row, out))?;
    Ok(Prepared { samples, valid })
}

/// Filtered and less the mean; masked pixels are 0.
///
/// # Errors
/// As `in_bytes`.
pub fn in_floats(
    inputs: &Inputs<'_>,
    index: usize,
    filter: &Prefilter,
    memory: usize,
) -> Result<Prepared<f32>> {
    let (store, moments, valid) = filtered(inputs, index, filter, memory)?;
    let mean = moments.mean() as f32;
    let samples = converted(&store, memory, |row, out| {
        for (o, &v) in out.iter_mut().zip(row) {
            *o = if v.is_nan() { 0.0 } else { v - mean };
        }
    })?;
    Ok(Prepared { samples, valid })
}

/// As it is; masked pixels are 0.
///
/// # Errors
/// As `in_bytes`.
pub fn in_complex(inputs: &Inputs<'_>, index: usize, memory: usize) -> Result<Prepared<Complex32>> {
    let (rows, cols) = (inputs.grid(index).rows, inputs.grid(index).cols);
    let mut samples = Store::new((rows, cols), memory)?;
    let mut validity = Validity {
        shape: (rows, cols),
        memory,
        store: None,
    };
    let step = inputs.strip_rows(index);
    for first in (0..rows).step_by(step) {
        interrupt::check()?;
        let window = Window::new(first as isize, 0, step.min(rows - first), cols);
        let pixels = match inputs.read(index, window)? {
            Pixels::C32(pixels) => pixels,
            other => other.into_c32(),
        };
        validity.add(first, pixels.iter().map(|v| !v.re.is_nan()))?;
        let zeroed: Vec<Complex32> = pixels
            .iter()
            .map(|v| {
                if v.re.is_nan() {
                    Complex32::new(0.0, 0.0)
                } else {
                    *v
                }
            })
            .collect();
        samples.write(first, &zeroed)?;
    }
    Ok(Prepared {
        samples,
        valid: validity.store,
    })
}
