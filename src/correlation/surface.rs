//! Correlation surfaces: a value for every shift of the template over the search image.

use super::reason::Reason;

/// Correlation at shifts 0..rows down and 0..cols across, row-major. NaN where it is not defined.
#[derive(Debug, Clone, Default)]
pub struct Surface {
    pub rows: usize,
    pub cols: usize,
    pub values: Vec<f64>,
}

/// The largest value of a surface and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    pub row: usize,
    pub col: usize,
    pub value: f64,
}

impl Surface {
    /// All values NaN.
    pub fn reset(&mut self, rows: usize, cols: usize) {
        (self.rows, self.cols) = (rows, cols);
        self.values.clear();
        self.values.resize(rows * cols, f64::NAN);
    }

    pub fn at(&self, row: usize, col: usize) -> f64 {
        self.values[row * self.cols + col]
    }

    /// The value at a place that may lie outside.
    pub fn get(&self, row: isize, col: isize) -> Option<f64> {
        let inside = row >= 0 && col >= 0 && (row as usize) < self.rows && (col as usize) < self.cols;
        inside.then(|| self.at(row as usize, col as usize))
    }

    /// The largest value; of equal ones the first, columns before rows. None where all are NaN.
    pub fn peak(&self) -> Option<Peak> {
        let mut peak: Option<Peak> = None;
        for col in 0..self.cols {
            for row in 0..self.rows {
                let value = self.at(row, col);
                if value.is_finite() && peak.is_none_or(|p| value > p.value) {
                    peak = Some(Peak { row, col, value });
                }
            }
        }
        peak
    }

    /// The peak, where it says something.
    ///
    /// # Errors
    /// `LowSignal` where no value is defined or all are 0, `NoPeak` where none is above 0, `Edge` for a peak on the border.
    pub fn clear_peak(&self) -> Result<Peak, Reason> {
        let peak = self.peak().ok_or(Reason::LowSignal)?;
        if peak.value <= 0.0 {
            let flat = self.values.iter().all(|c| *c == 0.0 || c.is_nan());
            return Err(if flat { Reason::LowSignal } else { Reason::NoPeak });
        }
        match self.is_border(&peak) {
            true => Err(Reason::Edge),
            false => Ok(peak),
        }
    }

    pub fn is_border(&self, peak: &Peak) -> bool {
        peak.row == 0 || peak.col == 0 || peak.row + 1 == self.rows || peak.col + 1 == self.cols
    }
}
