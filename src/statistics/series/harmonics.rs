//! A line and waves of given periods through a series, by least squares.

use multiversion::multiversion;

use super::LANES;

/// The columns of the model at each time, and what turns its coefficients into what people read.
///
/// y(t) = offset + slope · (t − first) + Σ amplitude_p · cos(2π t / p − phase_p), least squares over the valid values of a series, whose errors
/// are taken as independent and of one variance: s² = Σ r² / (n − k), covariance s² (XᵀX)⁻¹ (Draper & Smith 1998, doi:10.1002/9781118625590,
/// chapter 5). Those of amplitude and phase follow to first order from those of the cosine and the sine.
pub struct Harmonics {
    /// In the unit of the times.
    periods: Vec<f64>,
    /// One row a time: 1, the line, and a cosine and a sine of each period.
    design: Vec<Vec<f64>>,
    /// Of each row with itself, and their sum XᵀX over all times: lower triangles, by rows.
    products: Vec<Vec<f64>>,
    normal: Vec<f64>,
    /// What the line's column is: (t − middle) / span.
    span: f64,
    /// Of the first time.
    first: f64,
}

/// Of one series.
struct Estimate {
    value: f64,
    std_error: f64,
}

impl Harmonics {
    /// How many results a series has, in their order: offset (the line at the first time), slope, and of each period the amplitude and the time after a
    /// multiple of the period at which the wave is at its maximum, each followed by its standard error; then the root mean square of what is left.
    pub fn results(periods: usize) -> usize {
        2 * (2 + 2 * periods) + 1
    }

    /// `times` and `periods` in one unit.
    pub fn new(times: &[f64], periods: &[f64]) -> Harmonics {
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        let most = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (middle, span) = (
            (least + most) / 2.0,
            ((most - least) / 2.0).max(f64::MIN_POSITIVE),
        );
        let row = |t: &f64| {
            let mut row = vec![1.0, (t - middle) / span];
            for period in periods {
                let (sin, cos) = (std::f64::consts::TAU * (t / period)).sin_cos();
                row.extend([cos, sin]);
            }
            row
        };
        let design: Vec<Vec<f64>> = times.iter().map(row).collect();
        let k = 2 + 2 * periods.len();
        let products: Vec<Vec<f64>> = design
            .iter()
            .map(|row| {
                (0..k)
                    .flat_map(|a| (0..=a).map(move |b| row[a] * row[b]))
                    .collect()
            })
            .collect();
        let normal = (0..triangle(k, 0))
            .map(|at| products.iter().map(|p| p[at]).sum())
            .collect();
        Harmonics {
            periods: periods.to_vec(),
            design,
            products,
            normal,
            span,
            first: (least - middle) / span,
        }
    }

    /// Of each of the planes' series; NaN is no value. Series of too few values, or that do not tell the terms apart, have NaN for all.
    pub fn fit(&self, planes: &[[f64; LANES]], out: &mut [[f64; LANES]]) {
        let k = 2 + 2 * self.periods.len();
        let (mut count, mut sum) = ([0.0; LANES], [0.0; LANES]);
        total(planes, &mut count, &mut sum);
        // About its mean a series loses no digits to its level.
        let mut mean = [0.0; LANES];
        for i in 0..LANES {
            mean[i] = sum[i] / count[i].max(1.0);
        }
        let mut right = vec![[0.0; LANES]; k];
        project(planes, &mean, &self.design, &mut right);
        let mut normal = vec![[0.0; LANES]; self.normal.len()];
        let mut own = vec![0.0; self.normal.len()];
        for i in 0..LANES {
            self.normal_of(planes, i, count[i] as usize, &mut own);
            for (all, one) in normal.iter_mut().zip(&own) {
                all[i] = *one;
            }
        }
        let mut inverse = vec![[0.0; LANES]; self.normal.len()];
        invert(&mut normal, &mut inverse, k);
        let mut solution = vec![[0.0; LANES]; k];
        for a in 0..k {
            for b in 0..k {
                let part = &inverse[triangle(a.max(b), a.min(b))];
                for i in 0..LANES {
                    solution[a][i] += part[i] * right[b][i];
                }
            }
        }
        let mut squares = [0.0; LANES];
        residuals(planes, &mean, &self.design, &solution, &mut squares);
        for i in 0..LANES {
            if count[i] as usize <= k {
                solution[0][i] = f64::NAN;
            }
            self.one(i, &solution, &inverse, mean[i], squares[i], count[i], out);
        }
    }

    /// XᵀX of the times at which series `i` has a value: of all, less those at which it has none, or the sum, whichever is shorter.
    fn normal_of(&self, planes: &[[f64; LANES]], i: usize, count: usize, normal: &mut [f64]) {
        let all = planes.len();
        if count == all {
            normal.copy_from_slice(&self.normal);
            return;
        }
        let taken_off = 2 * count >= all;
        if taken_off {
            normal.copy_from_slice(&self.normal);
        } else {
            normal.fill(0.0);
        }
        for (plane, products) in planes.iter().zip(&self.products) {
            if plane[i].is_nan() == taken_off {
                let sign = if taken_off { -1.0 } else { 1.0 };
                for (n, p) in normal.iter_mut().zip(products) {
                    *n += sign * p;
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn one(
        &self,
        i: usize,
        solution: &[[f64; LANES]],
        inverse: &[[f64; LANES]],
        mean: f64,
        squares: f64,
        count: f64,
        out: &mut [[f64; LANES]],
    ) {
        let k = solution.len();
        if solution[0][i].is_nan() {
            out.iter_mut().for_each(|plane| plane[i] = f64::NAN);
            return;
        }
        let mut put = |at: usize, e: Estimate| {
            out[2 * at][i] = e.value;
            out[2 * at + 1][i] = e.std_error;
        };
        let variance = squares / (count - k as f64);
        let of = |a: usize, b: usize| variance * inverse[triangle(a.max(b), a.min(b))][i];
        let (offset, slope) = (solution[0][i], solution[1][i]);
        put(
            0,
            Estimate {
                value: mean + offset + slope * self.first,
                std_error: (of(0, 0) + 2.0 * self.first * of(0, 1) + self.first * self.first * of(1, 1))
                    .sqrt(),
            },
        );
        put(
            1,
            Estimate {
                value: slope / self.span,
                std_error: of(1, 1).sqrt() / self.span,
            },
        );
        for (p, period) in self.periods.iter().enumerate() {
            let at = 2 + 2 * p;
            let (c, s) = (solution[at][i], solution[at + 1][i]);
            let (cc, ss, cs) = (of(at, at), of(at + 1, at + 1), of(at, at + 1));
            let amplitude = c.hypot(s);
            let turn = period / std::f64::consts::TAU;
            put(
                at,
                Estimate {
                    value: amplitude,
                    std_error: ((c * c * cc + s * s * ss + 2.0 * c * s * cs).max(0.0)).sqrt() / amplitude,
                },
            );
            put(
                at + 1,
                Estimate {
                    value: (s.atan2(c) * turn).rem_euclid(*period),
                    std_error: ((s * s * cc + c * c * ss - 2.0 * c * s * cs).max(0.0)).sqrt()
                        / (amplitude * amplitude)
                        * turn,
                },
            );
        }
        out[2 * k][i] = (squares / count).sqrt();
    }
}

/// Where row `a` and column `b` ≤ `a` of a symmetric matrix lie.
fn triangle(a: usize, b: usize) -> usize {
    a * (a + 1) / 2 + b
}

/// The inverses of symmetric matrices by Cholesky's decomposition (which takes the place of the matrices); NaN where there is none, to the digits of
/// an f64.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn invert(matrix: &mut [[f64; LANES]], inverse: &mut [[f64; LANES]], k: usize) {
    const LEAST: f64 = 1e-10;
    for a in 0..k {
        for b in 0..=a {
            let mut left = matrix[triangle(a, b)];
            let whole = left;
            for c in 0..b {
                let (x, y) = (&matrix[triangle(a, c)], &matrix[triangle(b, c)]);
                for i in 0..LANES {
                    left[i] -= x[i] * y[i];
                }
            }
            if a == b {
                for i in 0..LANES {
                    left[i] = if left[i] > LEAST * whole[i] {
                        left[i].sqrt()
                    } else {
                        f64::NAN
                    };
                }
            } else {
                let diagonal = &matrix[triangle(b, b)];
                for i in 0..LANES {
                    left[i] /= diagonal[i];
                }
            }
            matrix[triangle(a, b)] = left;
        }
    }
    let mut y = vec![[0.0; LANES]; k];
    for column in 0..k {
        for a in column..k {
            let mut left = [f64::from(u8::from(a == column)); LANES];
            for c in column..a {
                let x = &matrix[triangle(a, c)];
                for i in 0..LANES {
                    left[i] -= x[i] * y[c][i];
                }
            }
            let diagonal = &matrix[triangle(a, a)];
            for i in 0..LANES {
                y[a][i] = left[i] / diagonal[i];
            }
        }
        for a in (column..k).rev() {
            let mut left = y[a];
            for c in a + 1..k {
                let (x, z) = (&matrix[triangle(c, a)], &inverse[triangle(c, column)]);
                for i in 0..LANES {
                    left[i] -= x[i] * z[i];
                }
            }
            let diagonal = &matrix[triangle(a, a)];
            for i in 0..LANES {
                inverse[triangle(a, column)][i] = left[i] / diagonal[i];
            }
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn total(planes: &[[f64; LANES]], count: &mut [f64; LANES], sum: &mut [f64; LANES]) {
    for plane in planes {
        for i in 0..LANES {
            let valid = !plane[i].is_nan();
            count[i] += if valid { 1.0 } else { 0.0 };
            sum[i] += if valid { plane[i] } else { 0.0 };
        }
    }
}

/// Xᵀ (y − mean) over the valid values.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn project(planes: &[[f64; LANES]], mean: &[f64; LANES], design: &[Vec<f64>], right: &mut [[f64; LANES]]) {
    for (plane, row) in planes.iter().zip(design) {
        let mut y = [0.0; LANES];
        for i in 0..LANES {
            y[i] = if plane[i].is_nan() {
                0.0
            } else {
                plane[i] - mean[i]
            };
        }
        for (sum, x) in right.iter_mut().zip(row) {
            for i in 0..LANES {
                sum[i] += x * y[i];
            }
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn residuals(
    planes: &[[f64; LANES]],
    mean: &[f64; LANES],
    design: &[Vec<f64>],
    solution: &[[f64; LANES]],
    squares: &mut [f64; LANES],
) {
    for (plane, row) in planes.iter().zip(design) {
        let mut left = [0.0; LANES];
        for i in 0..LANES {
            left[i] = plane[i] - mean[i];
        }
        for (b, x) in solution.iter().zip(row) {
            for i in 0..LANES {
                left[i] -= x * b[i];
            }
        }
        for i in 0..LANES {
            squares[i] += if plane[i].is_nan() { 0.0 } else { left[i] * left[i] };
        }
    }
}
