//! From filtered samples to 8 bits.

/// Mean and sample standard deviation, gathered over rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds the valid samples of a row, NaN left out.
    pub fn add(&mut self, row: &[f32]) {
        let (mut n, mut sum) = (0u64, 0f64);
        for &v in row.iter().filter(|v| !v.is_nan()) {
            n += 1;
            sum += f64::from(v);
        }
        if n == 0 {
            return;
        }
        let mean = sum / n as f64;
        let squares: f64 = row
            .iter()
            .filter(|v| !v.is_nan())
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum();
        // Chan's way to join the moments of two samples.
        let total = self.n + n;
        let apart = mean - self.mean;
        self.squares += squares + apart * apart * (self.n as f64 * n as f64 / total as f64);
        self.mean += apart * n as f64 / total as f64;
        self.n = total;
    }

    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// NaN for fewer than two samples.
    pub fn deviation(&self) -> f64 {
        if self.n < 2 {
            f64::NAN
        } else {
            (self.squares / (self.n as f64 - 1.0)).sqrt()
        }
    }
}

/// Three standard deviations around the mean onto 0 … 255: autoRIFT's rule.
#[derive(Debug, Clone, Copy)]
pub struct Quantiser {
    low: f32,
    scale: f32,
}

impl Quantiser {
    pub fn new(moments: &Moments) -> Quantiser {
        let deviation = moments.deviation();
        // A constant image is 128 throughout, which no chip can be found in.
        let usable = deviation > 0.0;
        Quantiser {
            low: (moments.mean - 3.0 * deviation) as f32,
            scale: if usable {
                (256.0 / (6.0 * deviation)) as f32
            } else {
                f32::NAN
            },
        }
    }

    /// v ↦ (v − (mean − 3 σ)) / (6 σ) · 256, rounded half to even, within 0 … 255. NaN is the mean, 128.
    pub fn apply(&self, row: &[f32], out: &mut [u8]) {
        for (o, &v) in out.iter_mut().zip(row) {
            let level = (v - self.low) * self.scale;
            *o = if level.is_nan() {
                128
            } else {
                level.clamp(0.0, 255.0).round_ties_even() as u8
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_deviations_become_eight_bits() {
        // Mean 10, sample variance 4: 7 deviations below is 0, the mean 128.
        let row = [8.0, 12.0, 8.0, 12.0, f32::NAN, 10.0];
        let mut moments = Moments::default();
        moments.add(&row[..3]);
        moments.add(&row[3..]);
        assert!((moments.deviation() - 2.0).abs() < 1e-12);
        let mut out = [0u8; 5];
        Quantiser::new(&moments).apply(&[10.0, f32::NAN, -4.0, 16.1, 12.0], &mut out);
        assert_eq!(out, [128, 128, 0, 255, 171]);
    }
}
