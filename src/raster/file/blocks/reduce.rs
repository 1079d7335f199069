//! Pixels of reduced copies, of the pixels that they stand for: averages, the most frequent values, single ones.

use std::collections::HashMap;
use std::ops::Range;

use bytemuck::Pod;

use super::levels::{Axis, Span};

/// A number as a file holds it.
pub trait Sample: Pod + PartialEq + Send + Sync {
    fn number(self) -> f64;

    /// The nearest one that the type holds.
    fn of(v: f64) -> Self;

    fn of_f32(v: f32) -> Self {
        Self::of(f64::from(v))
    }

    fn of_integer(v: i128) -> Self;

    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }

    /// One that is not this one and as near to it as can be told apart: an average that happens to be the value of masked pixels is not masked.
    fn beside(self) -> Self;

    /// The same for equal numbers alone.
    fn bits(self) -> u64;
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            #[inline(always)]
            fn number(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn of(v: f64) -> Self {
                // Halves go away from zero; what is beyond the range is its end.
                v.round() as $type
            }
            fn of_f32(v: f32) -> Self {
                v.round() as $type
            }
            fn of_integer(v: i128) -> Self {
                v.clamp(<$type>::MIN.into(), <$type>::MAX.into()) as $type
            }
            #[inline(always)]
            fn beside(self) -> Self {
                if self == <$type>::MAX { self - 1 } else { self + 1 }
            }
            fn bits(self) -> u64 {
                self as u64
            }
        }
    )*};
}

integer!(u8, i8, u16, i16, u32, i32, u64, i64);

macro_rules! float {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            #[inline(always)]
            fn number(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn of(v: f64) -> Self {
                v as $type
            }
            fn of_integer(v: i128) -> Self {
                v as $type
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                <$type>::is_nan(self)
            }
            #[inline(always)]
            fn beside(self) -> Self {
                if self == 0.0 { <$type>::MIN_POSITIVE } else { self + self * 1e-7 }
            }
            fn bits(self) -> u64 {
                // Both zeros are one number.
                if self == 0.0 { 0 } else { self.to_bits().into() }
            }
        }
    )*};
}

float!(f32, f64);

/// What masked pixels of a band are stored as; none where no pixel is masked.
#[derive(Debug, Clone, Copy)]
pub struct Fill<T>(pub Option<T>);

impl<T: Sample> Fill<T> {
    #[inline(always)]
    fn masks(self, v: T) -> bool {
        v.is_nan() || self.0.is_some_and(|fill| fill == v)
    }

    /// Where all pixels are masked.
    fn masked(self) -> T {
        self.0.unwrap_or(T::of(0.0))
    }
}

/// Pixels of a window of an image, the bands of a pixel side by side.
pub struct Pixels<'a, T> {
    pub samples: &'a [T],
    /// Where the window begins.
    pub row: usize,
    pub col: usize,
    /// Pixels from one row to the next.
    pub stride: usize,
    pub bands: usize,
}

impl<T: Sample> Pixels<'_, T> {
    #[inline(always)]
    fn at(&self, row: usize, col: usize) -> usize {
        ((row - self.row) * self.stride + col - self.col) * self.bands
    }
}

/// Averages of valid pixels, by the part of each that belongs to the overview's pixel; integers are rounded.
///
/// The mean of a pixel without valid ones is masked.
pub fn average<T: Sample>(
    source: &Pixels<'_, T>,
    (down, across): (&Axis, &Axis),
    (rows, cols): (Range<usize>, Range<usize>),
    fills: &[Fill<T>],
    out: &mut Vec<T>,
) {
    let columns = &across.spans[cols];
    out.clear();
    out.resize(rows.len() * columns.len() * fills.len(), T::of(0.0));
    let (Some(left), Some(right)) = (columns.first(), columns.last()) else {
        return;
    };
    let is_halved = columns.iter().all(Span::is_pair);
    let lane = (right.end - left.first) * fills.len();
    let mut sums = Sums {
        values: vec![0.0; lane],
        weights: vec![0.0; lane],
    };
    for (row, out) in rows.zip(out.chunks_exact_mut(columns.len() * fills.len())) {
        let line = down.spans[row];
        match (fills, is_halved && line.is_pair()) {
            ([fill], true) => {
                let from = source.at(line.first, left.first);
                let (upper, lower) = source.samples[from..].split_at(source.stride);
                let (upper, lower) = (&upper[..lane], &lower[..lane]);
                match fill.0 {
                    Some(value) => average_pairs::<T, true>(upper, lower, value, out),
                    None => average_pairs::<T, false>(upper, lower, T::of(0.0), out),
                }
            }
            _ => {
                sums.clear();
                for at in line.first..line.end {
                    let from = source.at(at, left.first);
                    let row = &source.samples[from..from + lane];
                    let part = line.weight(at);
                    match fills {
                        [Fill(Some(value))] => sums.add::<T, true>(row, *value, part),
                        [Fill(None)] => sums.add::<T, false>(row, T::of(0.0), part),
                        _ => sums.add_bands(row, fills, part),
                    }
                }
                sums.means(columns, fills, out);
            }
        }
    }
}

/// One band, halved. Loops rather than iterators' own functions, which would be compiled for no particular processor.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn average_pairs<T: Sample, const MASKS: bool>(upper: &[T], lower: &[T], fill: T, out: &mut [T]) {
    let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
    for (out, ([a, b], [c, d])) in out.iter_mut().zip(pairs) {
        let (mut sum, mut count) = ([0.0; 4], [0.0; 4]);
        for (i, v) in [*a, *b, *c, *d].into_iter().enumerate() {
            let masked = v.is_nan() | (MASKS && v == fill);
            sum[i] = if masked { 0.0 } else { v.number() };
            count[i] = if masked { 0.0 } else { 1.0 };
        }
        let sum = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        let count: f64 = (count[0] + count[1]) + (count[2] + count[3]);
        *out = mean::<T, MASKS>(sum, count, fill);
    }
}

#[inline(always)]
fn mean<T: Sample, const MASKS: bool>(sum: f64, weight: f64, fill: T) -> T {
    let mean = T::of(sum / weight);
    let mean = if MASKS && mean == fill {
        mean.beside()
    } else {
        mean
    };
    if weight > 0.0 { mean } else { fill }
}

/// The sums of the columns of a few rows, with the weights of what is valid.
struct Sums {
    values: Vec<f64>,
    weights: Vec<f64>,
}

impl Sums {
    fn clear(&mut self) {
        self.values.fill(0.0);
        self.weights.fill(0.0);
    }

    fn add<T: Sample, const MASKS: bool>(&mut self, row: &[T], fill: T, part: f64) {
        add_row::<T, MASKS>(row, fill, part, &mut self.values, &mut self.weights);
    }

    fn add_bands<T: Sample>(&mut self, row: &[T], fills: &[Fill<T>], part: f64) {
        let bands = fills.len();
        let sums = self
            .values
            .chunks_exact_mut(bands)
            .zip(self.weights.chunks_exact_mut(bands));
        for (pixel, (values, weights)) in row.chunks_exact(bands).zip(sums) {
            for (band, fill) in fills.iter().enumerate() {
                if !fill.masks(pixel[band]) {
                    values[band] += pixel[band].number() * part;
                    weights[band] += part;
                }
            }
        }
    }

    /// Along each span of columns.
    fn means<T: Sample>(&self, columns: &[Span], fills: &[Fill<T>], out: &mut [T]) {
        let (bands, left) = (fills.len(), columns.first().map_or(0, |span| span.first));
        for (out, column) in out.chunks_exact_mut(bands).zip(columns) {
            for (band, (out, fill)) in out.iter_mut().zip(fills).enumerate() {
                let (mut sum, mut weight) = (0.0, 0.0);
                for col in column.first..column.end {
                    let (at, part) = ((col - left) * bands + band, column.weight(col));
                    sum += self.values[at] * part;
                    weight += self.weights[at] * part;
                }
                *out = match fill.0 {
                    Some(fill) => mean::<T, true>(sum, weight, fill),
                    None => mean::<T, false>(sum, weight, T::of(0.0)),
                };
            }
        }
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn add_row<T: Sample, const MASKS: bool>(
    row: &[T],
    fill: T,
    part: f64,
    values: &mut [f64],
    weights: &mut [f64],
) {
    for ((v, sum), weight) in row.iter().zip(values).zip(weights) {
        let masked = v.is_nan() | (MASKS && *v == fill);
        *sum += if masked { 0.0 } else { v.number() * part };
        *weight += if masked { 0.0 } else { part };
    }
}

/// The most frequent valid value of all pixels that a pixel has a part of; of those that are as frequent the one that is so first, row by row.
pub fn mode<T: Sample>(
    source: &Pixels<'_, T>,
    (down, across): (&Axis, &Axis),
    (rows, cols): (Range<usize>, Range<usize>),
    fills: &[Fill<T>],
    out: &mut Vec<T>,
) {
    out.clear();
    let mut counts = Counts::default();
    for line in &down.spans[rows] {
        for column in &across.spans[cols.clone()] {
            for (band, fill) in fills.iter().enumerate() {
                let first = source.samples[source.at(line.first, column.first) + band];
                let is_uniform = (line.first..line.end).all(|row| {
                    let of = |col: usize| source.samples[source.at(row, col) + band];
                    (column.first..column.end).all(|col| of(col) == first)
                });
                // Most classes lie beside their like.
                if is_uniform {
                    out.push(first);
                    continue;
                }
                let pixels = (line.end - line.first) * (column.end - column.first);
                counts.clear(size_of::<T>() == 1 && pixels > Counts::FEW);
                let mut best = (0, fill.masked());
                for row in line.first..line.end {
                    for col in column.first..column.end {
                        let v = source.samples[source.at(row, col) + band];
                        if fill.masks(v) {
                            continue;
                        }
                        let count = counts.one_more(v);
                        if count > best.0 {
                            best = (count, v);
                        }
                    }
                }
                out.push(best.1);
            }
        }
    }
}

/// How often values were seen: few of them one by one, many by their bits, bytes by themselves.
struct Counts {
    of_bytes: bool,
    few: Vec<(u64, usize)>,
    many: HashMap<u64, usize>,
    bytes: [usize; 256],
}

impl Default for Counts {
    fn default() -> Self {
        Counts {
            of_bytes: false,
            few: Vec::new(),
            many: HashMap::new(),
            bytes: [0; 256],
        }
    }
}

impl Counts {
    const FEW: usize = 16;

    fn clear(&mut self, of_bytes: bool) {
        self.of_bytes = of_bytes;
        match of_bytes {
            true => self.bytes.fill(0),
            false => self.few.clear(),
        }
        if !self.many.is_empty() {
            self.many.clear();
        }
    }

    #[inline(always)]
    fn one_more<T: Sample>(&mut self, v: T) -> usize {
        let bits = v.bits();
        if self.of_bytes {
            let count = &mut self.bytes[bits as usize & 255];
            *count += 1;
            return *count;
        }
        if let Some((_, count)) = self.few.iter_mut().find(|(known, _)| *known == bits) {
            *count += 1;
            return *count;
        }
        if self.few.len() < Counts::FEW {
            self.few.push((bits, 1));
            return 1;
        }
        let count = self.many.entry(bits).or_default();
        *count += 1;
        *count
    }
}

/// Single pixels.
pub fn nearest<T: Sample>(
    source: &Pixels<'_, T>,
    (down, across): (&Axis, &Axis),
    (rows, cols): (Range<usize>, Range<usize>),
    out: &mut Vec<T>,
) {
    out.clear();
    for row in rows {
        let row = down.nearest(row);
        for col in cols.clone() {
            let at = source.at(row, across.nearest(col));
            out.extend_from_slice(&source.samples[at..at + source.bands]);
        }
    }
}
