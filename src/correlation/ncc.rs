//! Normalised cross-correlation of a template with a search image, with and without masked pixels.

use multiversion::multiversion;

use super::cross::{CrossCorrelator, Image};
use super::plane::Plane;
use super::surface::Surface;

/// Working memory, which the next call uses again.
#[derive(Debug, Default)]
pub struct Ncc {
    correlator: CrossCorrelator,
    template: Vec<f32>,
    search: Vec<f32>,
    squares: Vec<f32>,
    pub box_sums: BoxSums,
}

/// A window whose variance is below this share of its mean square is constant but for rounding.
const FLAT: f64 = 1e-9;

impl Ncc {
    /// The correlation of a template with a search image, masked where one of them is. At least the share `min_valid`² of
    /// the template's pixels must be valid in both, which is what two independent masks leave. False where the
    /// correlation is defined nowhere.
    pub(super) fn planes(
        &mut self,
        template: &Plane,
        search: &Plane,
        min_valid: f64,
        out: &mut Surface,
    ) -> bool {
        if template.valid.is_empty() && search.valid.is_empty() {
            return self.surface(template.image(), search.image(), out);
        }
        let (a, b) = (template.validity(), search.validity());
        let least = min_valid * min_valid * a.len() as f64;
        self.masked_surface(template.image(), &a, search.image(), &b, least, out);
        out.values.iter().any(|c| c.is_finite())
    }

    /// As `planes`, with the means left in: Σ ab / √(Σ a² Σ b²).
    pub(super) fn with_means(
        &mut self,
        template: &Plane,
        search: &Plane,
        min_valid: f64,
        out: &mut Surface,
    ) -> bool {
        let ((rows, cols), (high, wide)) = (
            (template.extent.rows, template.extent.cols),
            (search.extent.rows, search.extent.cols),
        );
        out.reset(high + 1 - rows, wide + 1 - cols);
        let square = |values: &[f32]| -> Vec<f32> { values.iter().map(|v| v * v).collect() };
        // Masked pixels are 0, so they add nothing to the products.
        let products = self
            .correlator
            .correlate(template.image(), search.image())
            .to_vec();
        let (a2, b2) = (square(&template.values), square(&search.values));
        let (a_valid, b_valid) = (template.validity(), search.validity());
        let template = |values| Image::new(rows, cols, values);
        let search = |values| Image::new(high, wide, values);
        let count = self
            .correlator
            .correlate(template(&a_valid), search(&b_valid))
            .to_vec();
        let energy_a = self
            .correlator
            .correlate(template(&a2), search(&b_valid))
            .to_vec();
        let energy_b = self.correlator.correlate(template(&a_valid), search(&b2));
        let least = min_valid * min_valid * a_valid.len() as f64;
        for (i, c) in out.values.iter_mut().enumerate() {
            let energy = energy_a[i] * energy_b[i];
            if count[i] > least - 0.5 && energy > 0.0 {
                *c = products[i] / energy.sqrt();
            }
        }
        out.values.iter().any(|c| c.is_finite())
    }

    /// c(n, m) = Σ (a − ā)(b − b̄) / (N σ_a σ_b) under the template a at shift (n, m); into `out`. A search window without
    /// variance gives 0. False, and NaN everywhere, where the template has no variance. No pixel may be NaN.
    ///
    /// # Source
    /// Lewis 1995, Fast normalized cross-correlation, Vision Interface 95, 120–123.
    pub fn surface(&mut self, template: Image<'_>, search: Image<'_>, out: &mut Surface) -> bool {
        out.reset(search.rows + 1 - template.rows, search.cols + 1 - template.cols);
        let Some((mean, deviation)) = mean_and_deviation(template.values) else {
            return false;
        };
        // Sums of differences from the mean keep the digits that sums of the values lose.
        let offset = mean_of(search.values);
        subtract(template.values, mean as f32, &mut self.template);
        subtract(search.values, offset, &mut self.search);
        let template = Image::new(template.rows, template.cols, &self.template);
        let search = Image::new(search.rows, search.cols, &self.search);
        let count = template.values.len() as f64;
        // Not 0 where the mean is of the non-zero pixels alone, or by the rounding of the mean.
        let rest = f64::from(offset) * sum(template.values)
            - (mean - f64::from(mean as f32)) * f64::from(offset) * count;
        let products = self.correlator.correlate(template, search);
        self.box_sums.run(search, template.rows, template.cols);
        let sums = self.box_sums.sums.iter().zip(&self.box_sums.squares);
        let low = mean - f64::from(mean as f32);
        for ((c, product), (&s, &s2)) in out.values.iter_mut().zip(products).zip(sums) {
            let variance = count * s2 - s * s;
            *c = if variance > FLAT * count * s2 {
                (product + rest - low * s) / (deviation * variance.sqrt())
            } else {
                0.0
            };
        }
        true
    }

    /// As `surface`, over the pixels that are valid in both images at each shift (`*_valid` holds 1 for a valid
    /// pixel and 0 for a masked one). NaN where fewer than `least` pixels are, or where one of the two has no variance.
    ///
    /// # Source
    /// Padfield 2012, Masked object registration in the Fourier domain, IEEE Trans. Image Process. 21(5), eqs. 30–36,
    /// doi:10.1109/TIP.2011.2181402.
    pub fn masked_surface(
        &mut self,
        template: Image<'_>,
        template_valid: &[f32],
        search: Image<'_>,
        search_valid: &[f32],
        least: f64,
        out: &mut Surface,
    ) {
        out.reset(search.rows + 1 - template.rows, search.cols + 1 - template.cols);
        centre(template.values, template_valid, &mut self.template);
        centre(search.values, search_valid, &mut self.search);
        let a = Image::new(template.rows, template.cols, &self.template);
        let b = Image::new(search.rows, search.cols, &self.search);
        let a_valid = Image::new(template.rows, template.cols, template_valid);
        let b_valid = Image::new(search.rows, search.cols, search_valid);
        let correlator = &mut self.correlator;
        let square = |image: Image<'_>, squares: &mut Vec<f32>| {
            squares.clear();
            squares.extend(image.values.iter().map(|v| v * v));
        };
        let count = correlator.correlate(a_valid, b_valid).to_vec();
        let ab = correlator.correlate(a, b).to_vec();
        let sum_a = correlator.correlate(a, b_valid).to_vec();
        let sum_b = correlator.correlate(a_valid, b).to_vec();
        square(a, &mut self.squares);
        let a2 = Image::new(template.rows, template.cols, &self.squares);
        let sum_a2 = correlator.correlate(a2, b_valid).to_vec();
        square(b, &mut self.squares);
        let b2 = Image::new(search.rows, search.cols, &self.squares);
        let sum_b2 = correlator.correlate(a_valid, b2);
        for (i, c) in out.values.iter_mut().enumerate() {
            let n = count[i];
            if n < least.max(2.0) - 0.5 {
                continue;
            }
            let var_a = sum_a2[i] - sum_a[i] * sum_a[i] / n;
            let var_b = sum_b2[i] - sum_b[i] * sum_b[i] / n;
            // Squares were rounded to single precision before they were summed.
            if var_a > 1e-6 * sum_a2[i] && var_b > 1e-6 * sum_b2[i] {
                *c = (ab[i] - sum_a[i] * sum_b[i] / n) / (var_a * var_b).sqrt();
            }
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn sum(values: &[f32]) -> f64 {
    let mut sums = [0f64; 16];
    let chunks = values.chunks_exact(16);
    let rest: f64 = chunks.remainder().iter().map(|&v| f64::from(v)).sum();
    for chunk in chunks {
        for (s, &v) in sums.iter_mut().zip(chunk) {
            *s += f64::from(v);
        }
    }
    sums.iter().sum::<f64>() + rest
}

fn mean_of(values: &[f32]) -> f32 {
    (sum(values) / values.len().max(1) as f64) as f32
}

fn subtract(values: &[f32], mean: f32, out: &mut Vec<f32>) {
    out.clear();
    out.extend(values.iter().map(|v| v - mean));
}

/// Valid pixels less their mean, masked ones 0.
fn centre(values: &[f32], valid: &[f32], out: &mut Vec<f32>) {
    let n = sum(valid).max(1.0);
    let total: f64 = values
        .iter()
        .zip(valid)
        .map(|(&v, &w)| if w > 0.0 { f64::from(v) } else { 0.0 })
        .sum();
    let mean = (total / n) as f32;
    out.clear();
    out.extend(
        values
            .iter()
            .zip(valid)
            .map(|(&v, &w)| if w > 0.0 { v - mean } else { 0.0 }),
    );
}

/// Of the population; None where there is no variance.
fn mean_and_deviation(values: &[f32]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = sum(values) / n;
    let variance = sum_of_squares(values, mean) / n;
    (variance > FLAT * mean * mean && variance.is_finite()).then(|| (mean, variance.sqrt()))
}

/// Of the differences from `mean`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn sum_of_squares(values: &[f32], mean: f64) -> f64 {
    let mut sums = [0f64; 16];
    let chunks = values.chunks_exact(16);
    let rest: f64 = chunks
        .remainder()
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum();
    for chunk in chunks {
        for (s, &v) in sums.iter_mut().zip(chunk) {
            let d = f64::from(v) - mean;
            *s += d * d;
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Sums of the values and of their squares under a window at every shift, in double precision.
#[derive(Debug, Default)]
pub struct BoxSums {
    pub sums: Vec<f64>,
    pub squares: Vec<f64>,
    columns: Vec<f64>,
    column_squares: Vec<f64>,
}

impl BoxSums {
    /// Of windows of `rows` × `cols`.
    pub fn run(&mut self, image: Image<'_>, rows: usize, cols: usize) {
        let row = |r: usize| &image.values[r * image.cols..][..image.cols];
        for v in [&mut self.columns, &mut self.column_squares] {
            v.clear();
            v.resize(image.cols, 0.0);
        }
        self.sums.clear();
        self.squares.clear();
        for r in 0..rows {
            add_row(row(r), None, &mut self.columns, &mut self.column_squares);
        }
        for n in 0..=image.rows - rows {
            if n > 0 {
                let (new, old) = (row(n + rows - 1), row(n - 1));
                add_row(new, Some(old), &mut self.columns, &mut self.column_squares);
            }
            for (columns, out) in [
                (&self.columns, &mut self.sums),
                (&self.column_squares, &mut self.squares),
            ] {
                let mut sum: f64 = columns[..cols].iter().sum();
                out.push(sum);
                for (new, old) in columns[cols..].iter().zip(columns.iter()) {
                    sum += new - old;
                    out.push(sum);
                }
            }
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_row(new: &[f32], old: Option<&[f32]>, sums: &mut [f64], squares: &mut [f64]) {
    match old {
        None => {
            for ((v, sum), square) in new.iter().zip(sums).zip(squares) {
                let v = f64::from(*v);
                *sum += v;
                *square += v * v;
            }
        }
        Some(old) => {
            for (((v, u), sum), square) in new.iter().zip(old).zip(sums).zip(squares) {
                let (v, u) = (f64::from(*v), f64::from(*u));
                *sum += v - u;
                *square += v * v - u * u;
            }
        }
    }
}
