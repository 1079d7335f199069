//! The normalised cross-correlation of a chip with a search window: of 8-bit, real and complex samples.

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

use super::sums::WindowSums;
use crate::correlation::cross::{CrossCorrelator, Image};
use crate::correlation::dot::{DotU8, Shape};
use crate::correlation::ncc::{BoxSums, Ncc};
use crate::correlation::surface::Surface;

/// A sample of an image that can be tracked.
pub trait Sample: Copy + Default + Send + Sync + 'static {
    /// The working memory of its correlation, which the next node uses again.
    type Matcher: Matcher<Self>;
    /// What stands where an image has no value: the middle of the range, so that nothing is made of its edge.
    const NEUTRAL: Self;
    /// Independent real numbers in one sample.
    const COMPONENTS: f64;
}

/// The normalised cross-correlation.
pub trait Matcher<S>: Default {
    /// Fills `out`, (rows, cols) of shifts, with the correlation −1 … 1 of the chip with the search window at each
    /// shift. `chip` and `search` are row by row, of the sizes of `shape`. A shift at which the window has no variance
    /// gets 0. False, with `out` undefined, where the chip or the whole search window has none.
    fn surface(&mut self, shape: Shape, chip: &[S], search: &[S], out: &mut [f32]) -> bool;
}

impl Sample for u8 {
    type Matcher = MatcherU8;
    const NEUTRAL: u8 = 128;
    const COMPONENTS: f64 = 1.0;
}

impl Sample for f32 {
    type Matcher = MatcherF32;
    const NEUTRAL: f32 = 0.0;
    const COMPONENTS: f64 = 1.0;
}

impl Sample for Complex32 {
    type Matcher = MatcherC32;
    const NEUTRAL: Complex32 = Complex32::new(0.0, 0.0);
    const COMPONENTS: f64 = 2.0;
}

/// Zero-mean normalised cross-correlation Σ(a − ā)(b − b̄) / √(Σ(a − ā)² Σ(b − b̄)²), its sums in integers.
#[derive(Default)]
pub struct MatcherU8 {
    dot: DotU8,
    dots: Vec<i32>,
    boxes: WindowSums,
    sums: Vec<u32>,
    squares: Vec<u32>,
}

impl Matcher<u8> for MatcherU8 {
    fn surface(&mut self, shape: Shape, chip: &[u8], search: &[u8], out: &mut [f32]) -> bool {
        let n = shape.area() as f64;
        let (mut chip_sum, mut chip_squares) = (0i64, 0i64);
        for &v in chip {
            let v = i64::from(v) - 128;
            chip_sum += v;
            chip_squares += v * v;
        }
        let chip_sum = chip_sum as f64;
        let chip_variance = n * chip_squares as f64 - chip_sum * chip_sum;
        if chip_variance <= 0.0 {
            return false;
        }
        for buffer in [&mut self.sums, &mut self.squares] {
            buffer.resize(out.len(), 0);
        }
        self.dots.resize(out.len(), 0);
        self.boxes
            .compute(shape, |values| widen(search, values), &mut self.sums);
        self.boxes
            .compute(shape, |values| square(search, values), &mut self.squares);
        let origin = f64::from(self.dot.compute(shape, chip, search, &mut self.dots));
        normalise(
            [n, chip_sum, origin, chip_variance.sqrt()],
            &self.dots,
            &self.sums,
            &self.squares,
            out,
        )
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn widen(row: &[u8], out: &mut [u32]) {
    for (o, &v) in out.iter_mut().zip(row) {
        *o = u32::from(v);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn square(row: &[u8], out: &mut [u32]) {
    for (o, &v) in out.iter_mut().zip(row) {
        *o = u32::from(v) * u32::from(v);
    }
}

/// True where some window has variance. Every intermediate but the last is an integer below 2⁵³.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn normalise(
    [n, chip_sum, origin, chip_norm]: [f64; 4],
    dots: &[i32],
    sums: &[u32],
    squares: &[u32],
    out: &mut [f32],
) -> bool {
    let length = out.len();
    let (dots, sums, squares) = (&dots[..length], &sums[..length], &squares[..length]);
    let chip_norm = chip_norm as f32;
    let mut any = 0f32;
    for i in 0..length {
        let (sum, square) = (f64::from(sums[i]), f64::from(squares[i]));
        let covariance = (n * f64::from(dots[i]) - chip_sum * (sum - n * origin)) as f32;
        let variance = (n * square - sum * sum) as f32;
        let value = covariance / (chip_norm * variance.sqrt());
        out[i] = if variance > 0.0 {
            value.clamp(-1.0, 1.0)
        } else {
            0.0
        };
        any = any.max(variance);
    }
    any > 0.0
}

/// The same of real samples.
#[derive(Default)]
pub struct MatcherF32 {
    ncc: Ncc,
    surface: Surface,
}

impl Matcher<f32> for MatcherF32 {
    fn surface(&mut self, shape: Shape, chip: &[f32], search: &[f32], out: &mut [f32]) -> bool {
        let (template, search) = (image(shape.chip, chip), image(shape.search(), search));
        if !self.ncc.surface(template, search, &mut self.surface) {
            return false;
        }
        let mut any = false;
        for (o, &c) in out.iter_mut().zip(&self.surface.values) {
            any |= c != 0.0;
            *o = c.clamp(-1.0, 1.0) as f32;
        }
        any
    }
}

fn image((rows, cols): (usize, usize), values: &[f32]) -> Image<'_> {
    Image::new(rows, cols, values)
}

/// |Σ a* b| / √(Σ|a|² Σ|b|²): the coherence of single-look complex images at each shift.
#[derive(Default)]
pub struct MatcherC32 {
    correlator: CrossCorrelator,
    /// Real and imaginary parts.
    chip: [Vec<f32>; 2],
    search: [Vec<f32>; 2],
    /// Σ a* b
    products: Vec<Complex64>,
    boxes: BoxSums,
    powers: Vec<f64>,
}

impl Matcher<Complex32> for MatcherC32 {
    fn surface(&mut self, shape: Shape, chip: &[Complex32], search: &[Complex32], out: &mut [f32]) -> bool {
        fn split(samples: &[Complex32], [re, im]: &mut [Vec<f32>; 2]) {
            re.clear();
            im.clear();
            re.extend(samples.iter().map(|v| v.re));
            im.extend(samples.iter().map(|v| v.im));
        }
        let power = |v: &Complex32| f64::from(v.re) * f64::from(v.re) + f64::from(v.im) * f64::from(v.im);
        let chip_power: f64 = chip.iter().map(power).sum();
        if chip_power <= 0.0 {
            return false;
        }
        split(chip, &mut self.chip);
        split(search, &mut self.search);
        let chip = self.chip.each_ref().map(|part| image(shape.chip, part));
        let search = self.search.each_ref().map(|part| image(shape.search(), part));
        self.products.clear();
        self.products.resize(out.len(), Complex64::ZERO);
        let one = Complex64::ONE;
        let parts = [
            (0, 0, one),
            (1, 1, one),
            (0, 1, Complex64::I),
            (1, 0, -Complex64::I),
        ];
        for (a, b, unit) in parts {
            let part = self.correlator.correlate(chip[a], search[b]);
            for (product, &part) in self.products.iter_mut().zip(part) {
                *product += unit * part;
            }
        }
        self.powers.clear();
        self.powers.resize(out.len(), 0.0);
        for part in search {
            self.boxes.run(part, shape.chip.0, shape.chip.1);
            for (power, squares) in self.powers.iter_mut().zip(&self.boxes.squares) {
                *power += squares;
            }
        }
        let largest = self.powers.iter().copied().fold(0.0, f64::max);
        for ((o, product), &power) in out.iter_mut().zip(&self.products).zip(&self.powers) {
            let value = product.norm() / (chip_power * power).sqrt();
            // Below that it is what running sums leave of nothing.
            let empty = power <= 1e-10 * largest;
            *o = if empty { 0.0 } else { value.clamp(0.0, 1.0) as f32 };
        }
        largest > 0.0
    }
}
