//! The peak of a correlation surface, to a fraction of a pixel by a Gaussian pyramid.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

/// Side of the patch around the peak that is refined.
pub const PATCH: usize = 5;

/// A patch of 5 × 5 samples of a correlation surface upsampled by a power of 2, and its highest sample.
///
/// Upsampling by 2 is that of a Gaussian pyramid: even samples `d[2i] = (s[i − 1] + 6 s[i] + s[i + 1]) / 8`, odd
/// samples `d[2i + 1] = (s[i] + s[i + 1]) / 2`, along both axes; past the low end stands `s[1]`, past the high end the last sample.
/// All levels together are one linear map an axis, which is made once.
///
/// # Source
/// P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Transactions on Communications
/// 31(4), 1983, doi:10.1109/TCOM.1983.1095851; the ends as in OpenCV's `pyrUp`.
pub struct Pyramid {
    factor: usize,
    /// (PATCH · factor) × PATCH, row by row.
    weights: Vec<[f32; PATCH]>,
    /// PATCH rows of PATCH · factor.
    across: [Vec<f32>; PATCH],
    row: Vec<f32>,
}

impl Pyramid {
    /// `factor` is a power of 2.
    pub fn new(factor: usize) -> Pyramid {
        let factor = factor.next_power_of_two();
        let size = PATCH * factor;
        let mut weights = vec![[0.0; PATCH]; size];
        for i in 0..PATCH {
            let mut unit = vec![0.0; PATCH];
            unit[i] = 1.0;
            for _ in 0..factor.ilog2() {
                unit = upsample(&unit);
            }
            for (w, &v) in weights.iter_mut().zip(&unit) {
                w[i] = v as f32;
            }
        }
        Pyramid {
            factor,
            weights,
            across: std::array::from_fn(|_| vec![0.0; size]),
            row: vec![0.0; size],
        }
    }

    /// (row, col) of the highest sample of the upsampled patch, in samples of the patch; the first in row order.
    pub fn peak(&mut self, patch: &[[f32; PATCH]; PATCH]) -> (f32, f32) {
        for (across, row) in self.across.iter_mut().zip(patch) {
            for (o, w) in across.iter_mut().zip(&self.weights) {
                *o = w.iter().zip(row).map(|(w, v)| w * v).sum();
            }
        }
        let mut best = (f32::NEG_INFINITY, 0, 0);
        for (r, weights) in self.weights.iter().enumerate() {
            let highest = combine(weights, &self.across, &mut self.row);
            if highest > best.0 {
                let col = self.row.iter().position(|&v| v == highest).unwrap_or(0);
                best = (highest, r, col);
            }
        }
        let scale = self.factor as f32;
        (best.1 as f32 / scale, best.2 as f32 / scale)
    }

    /// The distance of two samples of the upsampled patch, in samples of the patch.
    pub fn step(&self) -> f64 {
        1.0 / self.factor as f64
    }

    /// The upsampled patch, row by row.
    pub fn surface(&mut self, patch: &[[f32; PATCH]; PATCH]) -> Vec<f32> {
        self.peak(patch);
        let mut out = Vec::new();
        for weights in &self.weights {
            combine(weights, &self.across, &mut self.row);
            out.extend_from_slice(&self.row);
        }
        out
    }
}

/// One step of the pyramid along one axis.
fn upsample(s: &[f64]) -> Vec<f64> {
    let n = s.len();
    let at = |i: isize| match i {
        -1 => s[1.min(n - 1)],
        i => s[(i as usize).min(n - 1)],
    };
    (0..2 * n as isize)
        .map(|k| {
            let i = k / 2;
            if k % 2 == 0 {
                (at(i - 1) + 6.0 * at(i) + at(i + 1)) / 8.0
            } else {
                (at(i) + at(i + 1)) / 2.0
            }
        })
        .collect()
}

/// out = Σ weights[i] · rows[i]; returns its highest value.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn combine(weights: &[f32; PATCH], rows: &[Vec<f32>; PATCH], out: &mut [f32]) -> f32 {
    const LANES: usize = 16;
    let n = out.len();
    let [a, b, c, d, e] = rows.each_ref().map(|r| &r[..n]);
    const FMA: bool = target_cfg_f!(target_feature = "fma");
    let add = |w: f32, v: f32, sum: f32| if FMA { w.mul_add(v, sum) } else { w * v + sum };
    for i in 0..n {
        let sum = add(weights[1], b[i], weights[0] * a[i]);
        out[i] = add(
            weights[4],
            e[i],
            add(weights[3], d[i], add(weights[2], c[i], sum)),
        );
    }
    let mut highest = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = out.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            highest[l] = if chunk[l] > highest[l] {
                chunk[l]
            } else {
                highest[l]
            };
        }
    }
    highest
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max)
}
