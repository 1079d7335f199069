//! Chips of an image on a finer lattice, by Fourier interpolation.

use std::f64::consts::TAU;
use std::sync::Arc;

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};
use rustfft::{Fft, FftPlanner};

/// Columns that are transformed together, so that rows are read by whole cache lines.
const COLUMNS: usize = 8;

/// Oversamples chips of one shape. Plans and buffers are made once and used for every chip.
///
/// The chip is filled up with zeros to the next power of 2 in each direction, transformed, its spectrum is embedded
/// in one `factor` times as large with zeros between, and transformed back; of the result the part that covers
/// the chip is kept. The two directions are independent and so are the `factor` positions between two samples, so this
/// is done as `factor − 1` shifts by a fraction of a sample along rows and then along columns, which costs half of
/// the large transform; the samples themselves stay what they are. The Nyquist frequency goes wholly to the negative side.
pub struct Oversampler {
    rows: usize,
    cols: usize,
    factor: usize,
    along_rows: Axis,
    along_cols: Axis,
    /// The chip without its ramp, then its rows oversampled: (rows, cols · factor).
    wide: Vec<Complex32>,
    spectrum: Vec<Complex32>,
    shifted: Vec<Complex32>,
    /// What becomes of `shifted`.
    measured: Vec<f32>,
    scratch: Vec<Complex32>,
}

/// What becomes of an interpolated pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// |z|
    Magnitude,
    /// The real part, for images that are real.
    Real,
}

/// One direction: transforms of its padded length, and what a shift by q/factor samples does to each frequency.
struct Axis {
    length: usize,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    /// For q in 1..factor: exp(2πi k q / (factor · length)) / length.
    shifts: Vec<Vec<Complex32>>,
}

impl Axis {
    fn new(planner: &mut FftPlanner<f32>, size: usize, factor: usize) -> Axis {
        let length = size.next_power_of_two();
        let shift = |q: usize| {
            (0..length)
                .map(|k| {
                    let k = if k < length / 2 {
                        k as f64
                    } else {
                        k as f64 - length as f64
                    };
                    let angle = TAU * k * q as f64 / (factor * length) as f64;
                    let z = Complex64::from_polar(1.0 / length as f64, angle);
                    Complex32::new(z.re as f32, z.im as f32)
                })
                .collect()
        };
        Axis {
            length,
            forward: planner.plan_fft_forward(length),
            inverse: planner.plan_fft_inverse(length),
            shifts: (1..factor).map(shift).collect(),
        }
    }

    fn scratch(&self) -> usize {
        let forward = self.forward.get_inplace_scratch_len();
        forward.max(self.inverse.get_inplace_scratch_len())
    }

    /// The spectra of several lines times the shift by `q` samples of the fine lattice, transformed back.
    fn shift(&self, spectrum: &[Complex32], q: usize, out: &mut Vec<Complex32>, scratch: &mut [Complex32]) {
        out.resize(spectrum.len(), Complex32::ZERO);
        multiply(spectrum, &self.shifts[q - 1], out);
        self.inverse.process_with_scratch(out, scratch);
    }
}

impl Oversampler {
    /// For chips of `rows` × `cols`, onto a lattice `factor` times as fine; `factor` is at least 1.
    pub fn new(rows: usize, cols: usize, factor: usize) -> Oversampler {
        let mut planner = FftPlanner::new();
        let along_rows = Axis::new(&mut planner, cols, factor);
        let along_cols = Axis::new(&mut planner, rows, factor);
        let scratch = along_rows.scratch().max(along_cols.scratch());
        Oversampler {
            rows,
            cols,
            factor,
            along_rows,
            along_cols,
            wide: Vec::new(),
            spectrum: Vec::new(),
            shifted: Vec::new(),
            measured: Vec::new(),
            scratch: vec![Complex32::ZERO; scratch],
        }
    }

    /// Writes `chip` (rows × cols, no masked pixels) on the finer lattice into `out`: (rows · factor) × (cols · factor).
    pub fn run(&mut self, chip: &[Complex32], measure: Measure, out: &mut Vec<f32>) {
        let (rows, cols, factor) = (self.rows, self.cols, self.factor);
        let wide = cols * factor;
        // Every value is written: what was there before need not be cleared.
        out.resize(rows * factor * wide, 0.0);
        self.widen(chip);
        for (line, fine) in self
            .wide
            .chunks_exact(wide)
            .zip(out.chunks_exact_mut(wide * factor))
        {
            measure.apply(line, &mut fine[..wide]);
        }
        if factor == 1 {
            return;
        }
        let length = self.along_cols.length;
        for first in (0..wide).step_by(COLUMNS) {
            let count = COLUMNS.min(wide - first);
            self.spectrum.resize(count * length, Complex32::ZERO);
            turn(
                &self.wide[first..],
                wide,
                &mut self.spectrum,
                length,
                (rows, count),
            );
            for column in self.spectrum.chunks_exact_mut(length) {
                column[rows..].fill(Complex32::ZERO);
            }
            self.along_cols
                .forward
                .process_with_scratch(&mut self.spectrum, &mut self.scratch);
            for q in 1..factor {
                self.along_cols
                    .shift(&self.spectrum, q, &mut self.shifted, &mut self.scratch);
                self.measured.resize(count * length, 0.0);
                measure.apply(&self.shifted, &mut self.measured);
                let out = &mut out[q * wide + first..];
                turn(&self.measured, length, out, factor * wide, (count, rows));
            }
        }
    }

    /// The rows of the chip, oversampled, into `wide`.
    fn widen(&mut self, chip: &[Complex32]) {
        let (cols, factor, length) = (self.cols, self.factor, self.along_rows.length);
        let wide = cols * factor;
        self.wide.resize(self.rows * wide, Complex32::ZERO);
        self.spectrum.resize(self.rows * length, Complex32::ZERO);
        for (row, line) in chip.chunks_exact(cols).enumerate() {
            let (known, beyond) = self.spectrum[row * length..][..length].split_at_mut(cols);
            known.copy_from_slice(line);
            beyond.fill(Complex32::ZERO);
            for (to, &z) in self.wide[row * wide..].iter_mut().step_by(factor).zip(line) {
                *to = z;
            }
        }
        if factor == 1 {
            return;
        }
        self.along_rows
            .forward
            .process_with_scratch(&mut self.spectrum, &mut self.scratch);
        for q in 1..factor {
            self.along_rows
                .shift(&self.spectrum, q, &mut self.shifted, &mut self.scratch);
            for (row, line) in self.shifted.chunks_exact(length).enumerate() {
                for (to, &z) in self.wide[row * wide + q..]
                    .iter_mut()
                    .step_by(factor)
                    .zip(&line[..cols])
                {
                    *to = z;
                }
            }
        }
    }
}

impl Measure {
    pub(super) fn apply(self, pixels: &[Complex32], out: &mut [f32]) {
        match self {
            Measure::Magnitude => magnitudes(pixels, out),
            Measure::Real => out.iter_mut().zip(pixels).for_each(|(o, z)| *o = z.re),
        }
    }
}

/// |z| of each.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn magnitudes(pixels: &[Complex32], out: &mut [f32]) {
    for (o, z) in out.iter_mut().zip(pixels) {
        *o = z.norm_sqr().sqrt();
    }
}

/// Each line times the factors.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn multiply(lines: &[Complex32], factors: &[Complex32], out: &mut [Complex32]) {
    let n = factors.len();
    for (line, out) in lines.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        for i in 0..n {
            out[i] = line[i] * factors[i];
        }
    }
}

/// Rows become columns: `from` holds rows × cols values in rows `stride` apart, `to` takes cols × rows in rows `wide` apart. In blocks, so that
/// lines of the cache are used whole.
fn turn<T: Copy>(from: &[T], stride: usize, to: &mut [T], wide: usize, (rows, cols): (usize, usize)) {
    const BLOCK: usize = 8;
    for r in (0..rows).step_by(BLOCK) {
        let height = BLOCK.min(rows - r);
        for c in (0..cols).step_by(BLOCK) {
            let width = BLOCK.min(cols - c);
            for i in 0..width {
                let to = &mut to[(c + i) * wide + r..][..height];
                for (j, to) in to.iter_mut().enumerate() {
                    *to = from[(r + j) * stride + c + i];
                }
            }
        }
    }
}

/// Removes the linear phase ramp of a chip of `cols` columns, so that its spectrum is centred on zero frequency and
/// survives interpolation. The ramp is the phase of the mean product of neighbours, across and down; magnitudes stay.
///
/// # Source
/// Madsen 1989, Estimating the Doppler centroid of SAR data, IEEE Trans. Aerosp. Electron. Syst. 25(2),
/// doi:10.1109/7.18675 (the correlation Doppler estimator).
pub fn deramp(chip: &mut [Complex32], cols: usize) {
    let (mut across, mut down) = (Complex64::ZERO, Complex64::ZERO);
    for (row, line) in chip.chunks_exact(cols).enumerate() {
        across += product_sum(line, &line[1..]);
        if let Some(next) = chip.get((row + 1) * cols..(row + 2) * cols) {
            down += product_sum(line, next);
        }
    }
    let turn = |angle: f64, n: usize| {
        let z = Complex64::from_polar(1.0, angle * n as f64);
        Complex32::new(z.re as f32, z.im as f32)
    };
    let columns: Vec<Complex32> = (1..=cols).map(|n| turn(across.arg(), n)).collect();
    for (row, line) in chip.chunks_exact_mut(cols).enumerate() {
        let of_row = turn(down.arg(), row + 1);
        for (z, of_column) in line.iter_mut().zip(&columns) {
            *z *= of_row * of_column;
        }
    }
}

/// Σ a · conj(b), over as many pixels as both have.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn product_sum(a: &[Complex32], b: &[Complex32]) -> Complex64 {
    const LANES: usize = 8;
    let (mut re, mut im) = ([0f32; LANES], [0f32; LANES]);
    let mut add = |lane: usize, a: Complex32, b: Complex32| {
        re[lane] += a.re * b.re + a.im * b.im;
        im[lane] += a.im * b.re - a.re * b.im;
    };
    let n = a.len().min(b.len());
    let whole = n - n % LANES;
    for (a, b) in a[..whole].chunks_exact(LANES).zip(b[..whole].chunks_exact(LANES)) {
        for lane in 0..LANES {
            add(lane, a[lane], b[lane]);
        }
    }
    for (a, b) in a[whole..n].iter().zip(&b[whole..n]) {
        add(0, *a, *b);
    }
    let total = |lanes: [f32; LANES]| lanes.iter().map(|&v| f64::from(v)).sum();
    Complex64::new(total(re), total(im))
}
