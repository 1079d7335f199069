//! Symmetric positive definite systems with a narrow band, as neighbouring dates make them.

use crate::error::{Error, Result};

/// A symmetric matrix of `n` rows whose entries further than `width` from the diagonal are zero; after `factor` its
/// Cholesky factor L, with A = L·Lᵀ. Row i holds columns i − width…i.
pub struct Band {
    n: usize,
    width: usize,
    rows: Vec<f64>,
}

impl Band {
    pub fn zeros(n: usize, width: usize) -> Band {
        Band {
            n,
            width,
            rows: vec![0.0; n * (width + 1)],
        }
    }

    /// `col` ≤ `row` ≤ `col` + width.
    pub fn add(&mut self, row: usize, col: usize, value: f64) {
        let (row, col) = (row.max(col), row.min(col));
        self.rows[row * (self.width + 1) + self.width - (row - col)] += value;
    }

    fn first(&self, row: usize) -> usize {
        row.saturating_sub(self.width)
    }

    /// Entries of `row` from column `from` to `to`, without the last.
    fn part(&self, row: usize, from: usize, to: usize) -> &[f64] {
        let start = row * (self.width + 1) + self.width + from - row;
        &self.rows[start..start + to - from]
    }

    /// Turns the matrix into its Cholesky factor.
    ///
    /// # Errors
    /// When it is not positive definite: some unknown is not determined.
    pub fn factor(mut self) -> Result<Cholesky> {
        for row in 0..self.n {
            for col in self.first(row)..=row {
                let from = self.first(row).max(self.first(col));
                let dot: f64 = self
                    .part(row, from, col)
                    .iter()
                    .zip(self.part(col, from, col))
                    .map(|(a, b)| a * b)
                    .sum();
                let at = row * (self.width + 1) + self.width - (row - col);
                let rest = self.rows[at] - dot;
                self.rows[at] = if row != col {
                    rest / self.rows[col * (self.width + 1) + self.width]
                } else if rest > 1e-13 * self.rows[at].abs() {
                    rest.sqrt()
                } else {
                    return Err(Error::message(format!(
                        "the equations do not determine unknown {row} of {}",
                        self.n
                    )));
                };
            }
        }
        Ok(Cholesky { factor: self })
    }
}

pub struct Cholesky {
    factor: Band,
}

impl Cholesky {
    /// Solves A·x = b in place.
    pub fn solve(&self, x: &mut [f64]) {
        let l = &self.factor;
        for row in 0..l.n {
            let first = l.first(row);
            let dot: f64 = l
                .part(row, first, row)
                .iter()
                .zip(&x[first..row])
                .map(|(a, b)| a * b)
                .sum();
            x[row] = (x[row] - dot) / l.part(row, row, row + 1)[0];
        }
        for row in (0..l.n).rev() {
            x[row] /= l.part(row, row, row + 1)[0];
            let (first, value) = (l.first(row), x[row]);
            for (target, a) in x[first..row].iter_mut().zip(l.part(row, first, row)) {
                *target -= a * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_what_it_multiplies() {
        let (n, width) = (23, 4);
        let entry = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 9.0 + i as f64,
            d if d <= width => ((i * j + i + j) % 7) as f64 / 5.0,
            _ => 0.0,
        };
        let mut matrix = Band::zeros(n, width);
        for i in 0..n {
            for j in i.saturating_sub(width)..=i {
                matrix.add(i, j, entry(i, j));
            }
        }
        let x: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
        let mut b: Vec<f64> = (0..n).map(|i| (0..n).map(|j| entry(i, j) * x[j]).sum()).collect();
        matrix.factor().unwrap().solve(&mut b);
        for (a, b) in x.iter().zip(&b) {
            assert!((a - b).abs() < 1e-13, "{a} {b}");
        }
    }

    #[test]
    fn a_singular_matrix_is_refused() {
        let mut matrix = Band::zeros(2, 1);
        for (i, j, v) in [(0, 0, 1.0), (1, 0, 1.0), (1, 1, 1.0)] {
            matrix.add(i, j, v);
        }
        assert!(matrix.factor().is_err());
    }
}
