//! Phase correlation of one window: the offset is the slope of the phase of the cross-spectrum.

use std::f64::consts::TAU;

use num_complex::{Complex32, Complex64};

use super::fft::Fft2;
use super::fine::Fine;
use super::matching::{Chips, Match, WindowMatcher};
use super::plane::{Plane, Rule, Signal};
use super::quality::{self, Covariance};
use super::reason::Reason;
use super::settings::{Extent, Search};
use super::surface::Surface;

/// Matches windows by the phases of their spectra. Complex images are oversampled by two before their magnitudes are taken,
/// which have twice their bandwidth. The window of the secondary is cut
/// again where the peak at whole pixels is, so that what is matched between pixels is the same ground.
///
/// # Source
/// Kuglin & Hines 1975, The phase correlation image alignment method. Slope of the phase with weights: Leprince et al. 2007,
/// IEEE Trans. Geosci. Remote Sens. 45(6), doi:10.1109/TGRS.2006.888937.
pub struct PhaseMatcher {
    settings: Search,
    rule: Rule,
    factor: usize,
    /// `factor` times the window.
    fine: Extent,
    fft: Fft2,
    taper: Vec<f32>,
    reference: Fine,
    secondary: Fine,
    spectrum: Vec<Complex32>,
    cross: Vec<Complex32>,
    inverse: Vec<Complex32>,
    weights: Vec<f64>,
    surface: Surface,
}

/// Times that the window of the secondary is cut anew at most.
const CUTS: usize = 4;

impl PhaseMatcher {
    pub fn new(settings: &Search, signal: Signal) -> PhaseMatcher {
        let factor = if signal == Signal::Complex { 2 } else { 1 };
        let (rows, cols) = (settings.window.rows * factor, settings.window.cols * factor);
        let hann = |i: usize, n: usize| 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / n as f64).cos();
        let taper = (0..rows * cols)
            .map(|i| (hann(i / cols, rows) * hann(i % cols, cols)) as f32)
            .collect();
        PhaseMatcher {
            settings: settings.clone(),
            rule: Rule::of(signal),
            factor,
            fine: Extent::new(rows, cols),
            fft: Fft2::new(rows, cols),
            taper,
            reference: Fine::new(settings.window, factor),
            secondary: Fine::new(settings.window, factor),
            spectrum: Vec::new(),
            cross: Vec::new(),
            inverse: Vec::new(),
            weights: Vec::new(),
            surface: Surface::default(),
        }
    }

    fn find(&mut self, chips: Chips<'_>) -> Result<Match, Reason> {
        let (window, search) = (self.settings.window, self.settings.search);
        let (chip, rule, factor) = (self.settings.chip(), self.rule, self.factor);
        let least = self.settings.min_valid * window.len() as f64;
        if (self
            .reference
            .run(chips.reference.chunks_exact(window.cols), rule, true, true) as f64)
            < least
        {
            return Err(Reason::Nodata);
        }
        if !tapered(&self.reference.plane, &self.taper, &mut self.spectrum) {
            return Err(Reason::LowSignal);
        }
        self.fft.forward(&mut self.spectrum);
        let (mut row, mut col) = (search.rows, search.cols);
        for _ in 0..CUTS {
            let lines = chips
                .secondary
                .chunks_exact(chip.cols)
                .skip(row)
                .take(window.rows);
            let part = lines.map(|line| &line[col..col + window.cols]);
            if (self.secondary.run(part, rule, true, true) as f64) < least {
                return Err(Reason::Nodata);
            }
            if !tapered(&self.secondary.plane, &self.taper, &mut self.cross) {
                return Err(Reason::LowSignal);
            }
            self.fft.forward(&mut self.cross);
            self.normalise();
            self.correlate(row, col);
            let peak = self.surface.clear_peak()?;
            let nearest = |fine: usize| (fine + factor / 2) / factor;
            if (nearest(peak.row), nearest(peak.col)) != (row, col) {
                (row, col) = (nearest(peak.row), nearest(peak.col));
                continue;
            }
            let from = |fine: usize, cut: usize| fine as f64 - (cut * factor) as f64;
            let slope = self.slope(from(peak.col, col), from(peak.row, row));
            let (x, y) = slope.ok_or(Reason::NoPeak)?;
            let all = (self.surface.rows, self.surface.cols);
            let reach = self.settings.statistics_reach * factor;
            let snr = quality::snr(&self.surface, &peak, reach, all);
            let (value, covariance) = self.residuals(x, y).ok_or(Reason::Flat)?;
            let step = 1.0 / factor as f64;
            return Ok(Match {
                dx: x * step + col as f64 - search.cols as f64,
                dy: y * step + row as f64 - search.rows as f64,
                snr,
                cov_xx: covariance.xx * step * step,
                cov_yy: covariance.yy * step * step,
                cov_xy: covariance.xy * step * step,
                peak: value,
                reason: Reason::Ok,
            });
        }
        // The peak went on from place to place.
        Err(Reason::NoPeak)
    }

    /// Turns `cross` from the spectrum of the secondary into the weighted phases of the cross-spectrum. A weight is near 1
    /// where the product of the amplitudes is far above its mean, and near 0 where there is nothing but noise.
    fn normalise(&mut self) {
        let Extent { rows, cols } = self.fine;
        for (b, a) in self.cross.iter_mut().zip(&self.spectrum) {
            *b *= a.conj();
        }
        let mean = self.cross.iter().map(|z| f64::from(z.norm())).sum::<f64>() / self.cross.len() as f64;
        self.weights.clear();
        for (i, z) in self.cross.iter_mut().enumerate() {
            let (u, v) = (i / cols, i % cols);
            let power = f64::from(z.norm());
            // The mean says nothing, and a Nyquist frequency has no sign.
            let mute = (u, v) == (0, 0) || 2 * u == rows || 2 * v == cols || power == 0.0;
            let weight = if mute { 0.0 } else { power / (power + mean) };
            *z = if mute {
                Complex32::ZERO
            } else {
                *z * (weight / power) as f32
            };
            self.weights.push(weight);
        }
    }

    /// The correlation at whole samples over the search range, where the window was cut at (row, col) of it. Shifts of half a
    /// window and more have no value.
    fn correlate(&mut self, row: usize, col: usize) {
        let Extent { rows, cols } = self.fine;
        let (search, factor) = (self.settings.search, self.factor);
        self.inverse.clone_from(&self.cross);
        self.fft.inverse(&mut self.inverse);
        let total: f64 = self.weights.iter().sum();
        self.surface
            .reset(2 * factor * search.rows + 1, 2 * factor * search.cols + 1);
        for r in 0..self.surface.rows {
            for c in 0..self.surface.cols {
                let (y, x) = (
                    r as isize - (row * factor) as isize,
                    c as isize - (col * factor) as isize,
                );
                if 2 * y.unsigned_abs() < rows && 2 * x.unsigned_abs() < cols {
                    let at =
                        y.rem_euclid(rows as isize) as usize * cols + x.rem_euclid(cols as isize) as usize;
                    self.surface.values[r * self.surface.cols + c] = f64::from(self.inverse[at].re) / total;
                }
            }
        }
    }

    /// Calls `visit` with the weighted phase turned back by the offset (x, y), its frequency in radians a pixel, and its weight.
    fn turned(&self, x: f64, y: f64, mut visit: impl FnMut(Complex64, (f64, f64), f64)) {
        let Extent { rows, cols } = self.fine;
        let axis = |n: usize, offset: f64| -> Vec<(f64, Complex64)> {
            let signed = |k: usize| if 2 * k < n { k as f64 } else { k as f64 - n as f64 };
            let one = |k: usize| {
                (
                    TAU * signed(k) / n as f64,
                    Complex64::cis(TAU * signed(k) / n as f64 * offset),
                )
            };
            (0..n).map(one).collect()
        };
        let (across, down) = (axis(cols, x), axis(rows, y));
        let lines = self.cross.chunks_exact(cols).zip(self.weights.chunks_exact(cols));
        for ((line, weights), (ky, turn_y)) in lines.zip(&down) {
            for ((z, &weight), (kx, turn_x)) in line.iter().zip(weights).zip(&across) {
                if weight > 0.0 {
                    let z = Complex64::new(z.re.into(), z.im.into());
                    visit(z * turn_x * turn_y, (*kx, *ky), weight);
                }
            }
        }
    }

    /// The offset within a sample of (x, y) at which the phases agree best: the maximum of Σ w cos(φ + k · d), by Newton's
    /// method.
    fn slope(&self, mut x: f64, mut y: f64) -> Option<(f64, f64)> {
        let start = (x, y);
        for _ in 0..12 {
            let (mut gx, mut gy) = (0.0, 0.0);
            let (mut hxx, mut hyy, mut hxy) = (0.0, 0.0, 0.0);
            self.turned(x, y, |z, (kx, ky), _| {
                gx -= z.im * kx;
                gy -= z.im * ky;
                hxx -= z.re * kx * kx;
                hyy -= z.re * ky * ky;
                hxy -= z.re * kx * ky;
            });
            let determinant = hxx * hyy - hxy * hxy;
            if !(determinant > 0.0 && hxx < 0.0) {
                return None;
            }
            let (dx, dy) = (
                (hxy * gy - hyy * gx) / determinant,
                (hxy * gx - hxx * gy) / determinant,
            );
            x += dx.clamp(-0.25, 0.25);
            y += dy.clamp(-0.25, 0.25);
            if (x - start.0).abs().max((y - start.1).abs()) > 1.0 {
                return None;
            }
            if dx.abs().max(dy.abs()) < 1e-7 {
                break;
            }
        }
        Some((x, y))
    }

    /// How well the phases agree at the offset (x, y), −1 to 1, and the covariance that their residuals give. None where the
    /// frequencies do not determine it.
    fn residuals(&self, x: f64, y: f64) -> Option<(f64, Covariance)> {
        let (mut agreement, mut total) = (0.0, 0.0);
        let (mut h, mut g) = ([0.0; 3], [0.0; 3]);
        self.turned(x, y, |z, (kx, ky), weight| {
            let residual = z.arg();
            agreement += z.re;
            total += weight;
            for (i, k) in [kx * kx, ky * ky, kx * ky].into_iter().enumerate() {
                h[i] += weight * k;
                g[i] += (weight * residual).powi(2) * k;
            }
        });
        let determinant = h[0] * h[1] - h[2] * h[2];
        if determinant <= 0.0 || total <= 0.0 {
            return None;
        }
        let (a, b, c) = (h[1] / determinant, h[0] / determinant, -h[2] / determinant);
        // Of a real image one half of the spectrum mirrors the other, and the taper makes neighbours alike: 1.5 in each
        // direction is the noise bandwidth of Hann's window (Harris 1978).
        let scale = 2.0 * 1.5 * 1.5;
        let sandwich = |p: (f64, f64), q: (f64, f64)| {
            scale * (p.0 * q.0 * g[0] + p.1 * q.1 * g[1] + (p.0 * q.1 + p.1 * q.0) * g[2])
        };
        let covariance = Covariance {
            xx: sandwich((a, c), (a, c)),
            yy: sandwich((c, b), (c, b)),
            xy: sandwich((a, c), (c, b)),
        };
        Some((agreement / total, covariance))
    }
}

impl WindowMatcher for PhaseMatcher {
    fn run(&mut self, chips: Chips<'_>) -> Match {
        match self.find(chips) {
            Ok(found) => self.settings.refuse(found),
            Err(reason) => Match::failed(reason),
        }
    }
}

/// The pixels less their mean under the taper, masked ones 0; false where they are constant.
fn tapered(plane: &Plane, taper: &[f32], out: &mut Vec<Complex32>) -> bool {
    let weight = |i: usize| f64::from(plane.valid.get(i).copied().unwrap_or(1.0) * taper[i]);
    let (mut sum, mut squares, mut total) = (0.0, 0.0, 0.0);
    for (i, &v) in plane.values.iter().enumerate() {
        let (v, w) = (f64::from(v), weight(i));
        sum += w * v;
        squares += w * v * v;
        total += w;
    }
    let mean = sum / total;
    out.clear();
    let value = |(i, &v): (usize, &f32)| Complex32::new((weight(i) * (f64::from(v) - mean)) as f32, 0.0);
    out.extend(plane.values.iter().enumerate().map(value));
    squares / total - mean * mean > 1e-9 * mean * mean
}
