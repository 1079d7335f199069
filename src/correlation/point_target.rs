//! Point targets: where a corner reflector lies in a complex image, and how well it is focused.

use std::f64::consts::PI;

use ndarray::{Array2, ArrayView2};
use num_complex::{Complex32, Complex64};

use crate::error::{Domain, Error, Result};

/// How a target is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Analysis {
    /// Samples a pixel of the cuts through the peak, from which widths and sidelobes are taken.
    pub oversampling: usize,
    /// How far from the peak sidelobes count, in widths of the main lobe at half power.
    pub sidelobes: f64,
    /// Half of the cross around the peak that does not count as clutter, in pixels.
    pub guard: usize,
}

/// Sides of the chip around a target.
pub const CHIP: Domain = Domain::within(16.0, 1024.0).even().in_unit("pixels");
pub const OVERSAMPLING: Domain = Domain::within(4.0, 256.0);
pub const SIDELOBES: Domain = Domain::above(0.0);

impl Default for Analysis {
    fn default() -> Self {
        Analysis {
            oversampling: 32,
            sidelobes: 10.0,
            guard: 8,
        }
    }
}

/// One cut through the peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Of the main lobe at half power, in pixels.
    pub width: f64,
    /// Largest sidelobe over the peak, dB.
    pub pslr_db: f64,
    /// Energy of the sidelobes over that of the main lobe (null to null), dB.
    pub islr_db: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointTarget {
    /// Of the peak, in pixels of the chip: whole numbers are centres of pixels.
    pub x: f64,
    pub y: f64,
    pub amplitude: f64,
    /// At the peak, radians, −π…π.
    pub phase: f64,
    /// Along a row.
    pub across: Cut,
    /// Along a column.
    pub down: Cut,
    /// Power of the peak over the mean power of the clutter around it, dB.
    pub scr_db: f64,
}

/// Why there is no measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A pixel of the chip is masked.
    Nodata,
    /// No power above 0, or the same everywhere.
    LowSignal,
    /// The largest amplitude lies on the border of the place where it was searched.
    Edge,
    /// The main lobe does not fall to half its power inside the chip.
    NoWidth,
}

impl Failure {
    pub fn name(self) -> &'static str {
        match self {
            Failure::Nodata => "nodata",
            Failure::LowSignal => "low_signal",
            Failure::Edge => "edge",
            Failure::NoWidth => "no_width",
        }
    }
}

/// Measures the target whose largest pixel is at (`row`, `col`) of `chip`: an even number of rows and of columns, complex.
///
/// The chip is shifted in frequency so that its spectrum is centred, and interpolated by the zero-padded Fourier transform
/// (evaluated as the sum of its Dirichlet kernels, so at any place): the peak to 1/30000 pixel, then one cut along the
/// row and one along the column through it.
///
/// # Errors
/// A chip that is odd or smaller than 16 × 16; (`row`, `col`) outside; an oversampling below 4.
/// The inner result says why a target cannot be measured.
///
/// # Source
/// Resolution at −3 dB, PSLR and ISLR within ten resolution cells: Martínez and Marchand 1993, SAR image quality assessment,
/// Revista de Teledetección 2. Interpolation by padding the spectrum with zeros: Cumming and Wong 2005, Digital Processing of
/// Synthetic Aperture Radar Data.
pub fn measure(
    chip: ArrayView2<'_, Complex32>,
    (row, col): (usize, usize),
    analysis: &Analysis,
) -> Result<Result<PointTarget, Failure>> {
    let (rows, cols) = chip.dim();
    if rows < 16 || cols < 16 || rows % 2 == 1 || cols % 2 == 1 {
        let expected = "an even number of rows and of columns, at least 16";
        return Err(Error::argument("the chip", expected, format!("{rows} × {cols}")));
    }
    if row >= rows || col >= cols {
        let got = format!("row {row}, col {col} of {rows} × {cols}");
        return Err(Error::argument("the place of the target", "inside the chip", got));
    }
    OVERSAMPLING.check_count("oversampling", analysis.oversampling)?;
    if chip.iter().any(|z| !z.is_finite()) {
        return Ok(Err(Failure::Nodata));
    }
    let powers = chip.iter().map(|z| f64::from(z.norm_sqr()));
    let (low, high) = powers.fold((f64::INFINITY, 0.0), |(l, h): (f64, f64), p| (l.min(p), h.max(p)));
    if high <= 0.0 || low == high {
        return Ok(Err(Failure::LowSignal));
    }
    let signal = Signal::new(chip);
    let (y, x) = signal.peak(row as f64, col as f64);
    let at_peak = signal.at(y, x);
    let peak = at_peak.norm_sqr();
    let step = 1.0 / analysis.oversampling as f64;
    let cut = |line: Vec<Complex64>, centre: f64| {
        let n = line.len() as f64;
        // From one end of the chip to the other, the peak on a sample.
        let (before, after) = (
            (centre / step).floor() as usize,
            ((n - 1.0 - centre) / step).floor() as usize,
        );
        let power = |i: isize| interpolate(&line, centre + i as f64 * step).norm_sqr();
        let side: [Vec<f64>; 2] = [
            (0..=before as isize).map(|i| power(-i)).collect(),
            (0..=after as isize).map(power).collect(),
        ];
        lobes(&side, peak, step, analysis.sidelobes)
    };
    let (Some(across), Some(down)) = (cut(signal.row_at(y), x), cut(signal.column_at(x), y)) else {
        return Ok(Err(Failure::NoWidth));
    };
    let clutter = clutter(chip, y, x, analysis.guard);
    Ok(Ok(PointTarget {
        x,
        y,
        amplitude: peak.sqrt(),
        phase: (at_peak * signal.carrier(y, x)).arg(),
        across,
        down,
        scr_db: 10.0 * (peak / clutter).log10(),
    }))
}

/// The chip with its spectrum centred.
struct Signal {
    pixels: Array2<Complex64>,
    /// Mean frequency down and across, cycles a pixel.
    frequency: (f64, f64),
}

impl Signal {
    fn new(chip: ArrayView2<'_, Complex32>) -> Signal {
        let wide = chip.mapv(|z| Complex64::new(z.re.into(), z.im.into()));
        let (rows, cols) = wide.dim();
        let mut sums = (Complex64::ZERO, Complex64::ZERO);
        for r in 0..rows {
            for c in 0..cols {
                let z = wide[(r, c)].conj();
                if r + 1 < rows {
                    sums.0 += wide[(r + 1, c)] * z;
                }
                if c + 1 < cols {
                    sums.1 += wide[(r, c + 1)] * z;
                }
            }
        }
        let frequency = (sums.0.arg() / (2.0 * PI), sums.1.arg() / (2.0 * PI));
        let mut signal = Signal {
            pixels: wide,
            frequency,
        };
        for r in 0..rows {
            for c in 0..cols {
                let carrier = signal.carrier(r as f64, c as f64).conj();
                signal.pixels[(r, c)] *= carrier;
            }
        }
        signal
    }

    fn carrier(&self, y: f64, x: f64) -> Complex64 {
        Complex64::from_polar(1.0, 2.0 * PI * (self.frequency.0 * y + self.frequency.1 * x))
    }

    /// The pixels of the row at `y`, between two rows of the chip.
    fn row_at(&self, y: f64) -> Vec<Complex64> {
        let weights = kernel(self.pixels.nrows(), y);
        let column = |c: usize| {
            self.pixels
                .column(c)
                .iter()
                .zip(&weights)
                .map(|(z, w)| z * w)
                .sum()
        };
        (0..self.pixels.ncols()).map(column).collect()
    }

    fn column_at(&self, x: f64) -> Vec<Complex64> {
        let weights = kernel(self.pixels.ncols(), x);
        let row = |r: usize| self.pixels.row(r).iter().zip(&weights).map(|(z, w)| z * w).sum();
        (0..self.pixels.nrows()).map(row).collect()
    }

    fn at(&self, y: f64, x: f64) -> Complex64 {
        interpolate(&self.row_at(y), x)
    }

    /// Place of the largest power within a pixel of (`y`, `x`), by looking ever closer.
    fn peak(&self, y: f64, x: f64) -> (f64, f64) {
        let (mut best, mut reach) = ((y, x), 1.0);
        while reach > 2e-5 {
            const STEPS: i32 = 8;
            let centre = best;
            let mut most = -1.0;
            for i in -STEPS..=STEPS {
                let y = centre.0 + reach * f64::from(i) / f64::from(STEPS);
                let line = self.row_at(y);
                for j in -STEPS..=STEPS {
                    let x = centre.1 + reach * f64::from(j) / f64::from(STEPS);
                    let power = interpolate(&line, x).norm_sqr();
                    if power > most {
                        (most, best) = (power, (y, x));
                    }
                }
            }
            reach /= f64::from(STEPS) / 2.0;
        }
        best
    }
}

/// Weights of `n` samples (even) for the value at `t`, as zero-padding of the spectrum gives it: the Dirichlet kernel
/// sin(πu)/(n·tan(πu/n)), u = t − i.
fn kernel(n: usize, t: f64) -> Vec<f64> {
    let weight = |i: usize| {
        let u = t - i as f64;
        let turned = (PI * u / n as f64).tan();
        if turned.abs() < 1e-12 {
            1.0
        } else {
            (PI * u).sin() / (n as f64 * turned)
        }
    };
    (0..n).map(weight).collect()
}

fn interpolate(line: &[Complex64], t: f64) -> Complex64 {
    kernel(line.len(), t).iter().zip(line).map(|(w, z)| z * w).sum()
}

/// Width and sidelobes of a cut whose two halves start at the peak and go outward. None where the power does not fall to a half.
fn lobes(sides: &[Vec<f64>; 2], peak: f64, step: f64, sidelobes: f64) -> Option<Cut> {
    let half_width = |side: &[f64]| {
        let i = side.iter().position(|&p| p < 0.5 * peak)?;
        let (above, below) = (side[i - 1], side[i]);
        Some(step * ((i - 1) as f64 + (above - 0.5 * peak) / (above - below)))
    };
    let width = half_width(&sides[0])? + half_width(&sides[1])?;
    let reach = (sidelobes * width / step).round() as usize;
    let (mut main, mut outside, mut largest) = (-peak, 0.0, 0.0f64);
    for side in sides {
        let end = side.len().min(reach.saturating_add(1));
        // The first null: where the power stops falling.
        let null = (1..end)
            .find(|&i| i + 1 >= end || side[i + 1] > side[i])
            .unwrap_or(end);
        main += side[..null.min(end)].iter().sum::<f64>();
        outside += side[null.min(end)..end].iter().sum::<f64>();
        largest = side[null.min(end)..end].iter().fold(largest, |m, &p| m.max(p));
    }
    Some(Cut {
        width,
        pslr_db: 10.0 * (largest / peak).log10(),
        islr_db: 10.0 * (outside / main).log10(),
    })
}

/// Mean power of the pixels outside the cross of the target's sidelobes; NaN if there are none.
fn clutter(chip: ArrayView2<'_, Complex32>, y: f64, x: f64, guard: usize) -> f64 {
    let guard = guard as f64;
    let (mut sum, mut count) = (0.0, 0usize);
    for ((r, c), z) in chip.indexed_iter() {
        if (r as f64 - y).abs() > guard && (c as f64 - x).abs() > guard {
            sum += f64::from(z.norm_sqr());
            count += 1;
        }
    }
    if count > 0 { sum / count as f64 } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sinc(x: f64) -> f64 {
        if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
    }

    /// An ideal target: the product of two sincs of bandwidths `by`, `bx`, on a carrier, over clutter of given amplitude.
    fn target(
        n: usize,
        (y, x): (f64, f64),
        (by, bx): (f64, f64),
        (fy, fx): (f64, f64),
        noise: f64,
    ) -> Array2<Complex32> {
        let mut state = 11u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5
        };
        Array2::from_shape_fn((n, n), |(r, c)| {
            let (v, u) = (r as f64 - y, c as f64 - x);
            let z = Complex64::from_polar(
                100.0 * sinc(by * v) * sinc(bx * u),
                0.7 + 2.0 * PI * (fy * v + fx * u),
            ) + Complex64::new(uniform(), uniform()) * noise * 6f64.sqrt();
            Complex32::new(z.re as f32, z.im as f32)
        })
    }

    #[test]
    fn finds_places_between_pixels() {
        for (y, x) in [(32.0, 32.0), (31.62, 32.37), (32.49, 31.51)] {
            for carrier in [(0.0, 0.0), (0.21, -0.4)] {
                let chip = target(64, (y, x), (0.7, 0.83), carrier, 0.0);
                let (row, col) = (y.round() as usize, x.round() as usize);
                let found = measure(chip.view(), (row, col), &Analysis::default())
                    .unwrap()
                    .unwrap();
                assert!(
                    (found.x - x).abs() < 2e-3 && (found.y - y).abs() < 2e-3,
                    "{found:?}"
                );
                assert!(
                    (found.amplitude - 100.0).abs() < 1.0 && (found.phase - 0.7).abs() < 0.02,
                    "{found:?}"
                );
            }
        }
    }

    /// A sinc has −13.26 dB, and a width at half power of 0.886/B.
    #[test]
    fn an_ideal_target_has_the_values_of_theory() {
        let (by, bx) = (0.6, 0.8);
        let chip = target(128, (64.2, 63.7), (by, bx), (0.0, 0.0), 0.0);
        let found = measure(chip.view(), (64, 64), &Analysis::default())
            .unwrap()
            .unwrap();
        for (cut, b) in [(found.down, by), (found.across, bx)] {
            assert!((cut.width - 0.8859 / b).abs() < 0.005, "{cut:?}");
            assert!((cut.pslr_db + 13.26).abs() < 0.1, "{cut:?}");
            // Energy by a slow sum of sinc² to the first null and to 10 widths.
            let energy = |from: f64, to: f64| {
                let steps = 200_000;
                let dt = (to - from) / steps as f64;
                (0..steps)
                    .map(|i| sinc(from + (i as f64 + 0.5) * dt).powi(2) * dt)
                    .sum::<f64>()
            };
            let islr = 10.0 * (energy(1.0, 10.0 * 0.8859) / energy(0.0, 1.0)).log10();
            assert!((cut.islr_db - islr).abs() < 0.1, "{cut:?} {islr}");
        }
    }

    #[test]
    fn clutter_is_measured_beside_the_cross() {
        // Clutter of power 1 (uniform parts of variance 1/12·6 each); the target's own power beside the cross is far lower.
        let chip = target(64, (32.0, 32.0), (0.8, 0.8), (0.0, 0.0), 1.0);
        let found = measure(chip.view(), (32, 32), &Analysis::default())
            .unwrap()
            .unwrap();
        assert!((found.scr_db - 40.0).abs() < 0.5, "{found:?}");
        // Bound of a peak in clutter: σ = √(3/(2·SCR))/(π·B) pixels, here 0.005.
        assert!(
            (found.x - 32.0).abs() < 0.02 && (found.y - 32.0).abs() < 0.02,
            "{found:?}"
        );
    }

    #[test]
    fn what_cannot_be_measured_says_why() {
        let mut chip = target(32, (16.0, 16.0), (0.8, 0.8), (0.0, 0.0), 0.0);
        let run = |chip: &Array2<Complex32>| measure(chip.view(), (16, 16), &Analysis::default()).unwrap();
        assert!(run(&chip).is_ok());
        chip[(3, 4)] = Complex32::new(f32::NAN, 0.0);
        assert_eq!(run(&chip), Err(Failure::Nodata));
        assert_eq!(
            run(&Array2::from_elem((32, 32), Complex32::ZERO)),
            Err(Failure::LowSignal)
        );
        assert_eq!(
            run(&Array2::from_elem((32, 32), Complex32::ONE)),
            Err(Failure::LowSignal)
        );
        let broad = Array2::from_shape_fn((32, 32), |(r, _)| {
            Complex32::new(10.0 - (r as f32 - 16.0).abs() * 0.1, 0.0)
        });
        assert_eq!(run(&broad), Err(Failure::NoWidth));
        for (rows, cols, at) in [(31, 32, (16, 16)), (8, 8, (4, 4)), (32, 32, (32, 0))] {
            let chip = Array2::from_elem((rows, cols), Complex32::ONE);
            assert!(measure(chip.view(), at, &Analysis::default()).is_err());
        }
    }
}
