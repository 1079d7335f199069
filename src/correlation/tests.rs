//! The kernels beside slow and obvious loops.

use std::f64::consts::TAU;

use num_complex::{Complex32, Complex64};

use super::cross::{CrossCorrelator, Image};
use super::matching::{Chips, Match};
use super::method::Method;
use super::ncc::Ncc;
use super::oversample::{Measure, Oversampler, deramp};
use super::plane::Signal;
use super::reason::Reason;
use super::settings::{AmpcorSettings, Extent, Parity};
use super::sinc::continuous_peak;
use super::surface::Surface;
use crate::raster::Window;

/// Uniform numbers in 0..1.
fn uniforms(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut uniform = uniforms(seed);
    (0..n).map(|_| (uniform() * 3.0 + 5.0) as f32).collect()
}

/// The correlation of all valid pairs of pixels at one shift, two passes in double precision.
fn slow(a: (&[f32], &[f32], usize, usize), b: (&[f32], &[f32], usize), n: usize, m: usize) -> (f64, f64) {
    let (template, a_valid, rows, cols) = a;
    let (search, b_valid, wide) = b;
    let mut pairs = Vec::new();
    for i in 0..rows {
        for j in 0..cols {
            let (p, q) = (i * cols + j, (i + n) * wide + j + m);
            if a_valid[p] > 0.0 && b_valid[q] > 0.0 {
                pairs.push((f64::from(template[p]), f64::from(search[q])));
            }
        }
    }
    let count = pairs.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (p, q) in &pairs {
        xy += (p - x) * (q - y);
        xx += (p - x).powi(2);
        yy += (q - y).powi(2);
    }
    (xy / (xx * yy).sqrt(), count)
}

#[test]
fn sums_of_products_are_those_of_a_double_loop() {
    // Shapes that are no multiple of any vector, strip or block of shifts.
    for (rows, cols, down, across) in [(1, 1, 1, 1), (3, 5, 2, 9), (17, 33, 7, 4), (70, 130, 5, 19)] {
        let (height, width) = (rows + down - 1, cols + across - 1);
        let (a, b) = (noise(rows * cols, 1), noise(height * width, 2));
        let mut correlator = CrossCorrelator::default();
        let sums = correlator.correlate(Image::new(rows, cols, &a), Image::new(height, width, &b));
        assert_eq!(sums.len(), down * across);
        for (i, sum) in sums.iter().enumerate() {
            let (n, m) = (i / across, i % across);
            let mut expected = 0.0;
            for r in 0..rows {
                for c in 0..cols {
                    expected += f64::from(a[r * cols + c]) * f64::from(b[(r + n) * width + c + m]);
                }
            }
            assert!(
                (sum / expected - 1.0).abs() < 1e-6,
                "{n} {m}: {sum} and {expected}"
            );
        }
    }
}

#[test]
fn correlations_are_those_of_two_passes() {
    let (rows, cols, height, width) = (21, 34, 29, 41);
    let (a, b) = (noise(rows * cols, 3), noise(height * width, 4));
    let (ones_a, ones_b) = (vec![1.0; a.len()], vec![1.0; b.len()]);
    let mut surface = Surface::default();
    let (template, search) = (Image::new(rows, cols, &a), Image::new(height, width, &b));
    assert!(Ncc::default().surface(template, search, &mut surface));
    assert_eq!((surface.rows, surface.cols), (9, 8));
    for n in 0..surface.rows {
        for m in 0..surface.cols {
            let (expected, _) = slow((&a, &ones_a, rows, cols), (&b, &ones_b, width), n, m);
            assert!((surface.at(n, m) - expected).abs() < 1e-6);
        }
    }
}

#[test]
fn masked_correlations_are_over_the_common_pixels() {
    let (rows, cols, height, width) = (19, 26, 24, 33);
    let (a, b) = (noise(rows * cols, 5), noise(height * width, 6));
    let mut uniform = uniforms(7);
    let mut mask = |n: usize, share: f64| -> Vec<f32> {
        (0..n).map(|_| f32::from(u8::from(uniform() < share))).collect()
    };
    let (a_valid, mut b_valid) = (mask(a.len(), 0.8), mask(b.len(), 0.7));
    b_valid[..width * 12].fill(0.0);
    let (mut surface, least) = (Surface::default(), 150.0);
    Ncc::default().masked_surface(
        Image::new(rows, cols, &a),
        &a_valid,
        Image::new(height, width, &b),
        &b_valid,
        least,
        &mut surface,
    );
    let mut undefined = 0;
    for n in 0..surface.rows {
        for m in 0..surface.cols {
            let (expected, count) = slow((&a, &a_valid, rows, cols), (&b, &b_valid, width), n, m);
            let got = surface.at(n, m);
            if count < least {
                assert!(got.is_nan());
                undefined += 1;
            } else {
                assert!((got - expected).abs() < 1e-5, "{n} {m}: {got} and {expected}");
            }
        }
    }
    assert!(undefined > 0 && undefined < surface.values.len());
}

#[test]
fn correlation_does_not_see_gain_and_offset() {
    let (rows, height) = (16, 20);
    let b = noise(height * height, 8);
    // A piece of the search image, brighter and with another contrast.
    let a: Vec<f32> = (0..rows * rows)
        .map(|i| 7.0 - 0.5 + 2.5 * b[(i / rows + 3) * height + i % rows + 1])
        .collect();
    let mut surface = Surface::default();
    let (template, search) = (Image::new(rows, rows, &a), Image::new(height, height, &b));
    assert!(Ncc::default().surface(template, search, &mut surface));
    let peak = surface.peak().unwrap();
    assert_eq!((peak.row, peak.col), (3, 1));
    assert!((peak.value - 1.0).abs() < 1e-6);
}

#[test]
fn oversampling_is_the_fourier_series_between_the_pixels() {
    let (rows, cols) = (6, 11);
    let mut uniform = uniforms(9);
    let chip: Vec<Complex32> = (0..rows * cols)
        .map(|_| Complex32::new(uniform() as f32 - 0.5, uniform() as f32 - 0.5))
        .collect();
    let (high, wide) = (8usize, 16usize);
    for factor in [1, 2, 4] {
        let mut out = Vec::new();
        Oversampler::new(rows, cols, factor).run(&chip, Measure::Magnitude, &mut out);
        assert_eq!(out.len(), rows * cols * factor * factor);
        let signed = |k: usize, n: usize| if k < n / 2 { k as f64 } else { k as f64 - n as f64 };
        for (at, got) in out.iter().enumerate() {
            let (r, c) = (at / (cols * factor), at % (cols * factor));
            let (y, x) = (r as f64 / factor as f64, c as f64 / factor as f64);
            let mut sum = Complex64::ZERO;
            for u in 0..high {
                for v in 0..wide {
                    let mut spectrum = Complex64::ZERO;
                    for i in 0..rows {
                        for j in 0..cols {
                            let z = chip[i * cols + j];
                            let angle = -TAU * ((u * i) as f64 / high as f64 + (v * j) as f64 / wide as f64);
                            spectrum += Complex64::new(z.re.into(), z.im.into()) * Complex64::cis(angle);
                        }
                    }
                    let angle = TAU * (signed(u, high) * y / high as f64 + signed(v, wide) * x / wide as f64);
                    sum += spectrum * Complex64::cis(angle);
                }
            }
            let expected = sum.norm() / (high * wide) as f64;
            assert!(
                (f64::from(*got) - expected).abs() < 1e-5,
                "{factor}: {got} and {expected} at {at}"
            );
        }
    }
}

#[test]
fn ramps_are_removed() {
    let cols = 24;
    let mut chip: Vec<Complex32> = (0..cols * 17)
        .map(|i| {
            let angle = 1.3 * (i % cols) as f64 - 0.7 * (i / cols) as f64;
            let z = Complex64::from_polar(2.0, angle);
            Complex32::new(z.re as f32, z.im as f32)
        })
        .collect();
    deramp(&mut chip, cols);
    assert!(
        chip.iter()
            .all(|z| (z - chip[0]).norm() < 1e-4 && (z.norm() - 2.0).abs() < 1e-4)
    );
}

/// Of the correlation of band-limited speckle (sinc²) and of smooth images (Gaussians).
#[test]
fn the_continuous_peak_of_a_symmetric_surface_is_its_centre() {
    let sinc2 = |d: f64| {
        let u = 0.4 * d * std::f64::consts::PI;
        if u == 0.0 { 1.0 } else { (u.sin() / u).powi(2) }
    };
    let gaussian = |d: f64| (-d * d / 8.0).exp();
    let shapes: [(&dyn Fn(f64) -> f64, f64); 2] = [(&sinc2, 3e-3), (&gaussian, 6e-3)];
    for (shape, tolerance) in shapes {
        for (x, y) in [(0.0, 0.0), (0.37, -0.21), (-0.49, 0.45), (0.123456, 0.4)] {
            let (row, col) = (8.0 + y, 9.0 + x);
            let mut surface = Surface::default();
            surface.reset(17, 19);
            for r in 0..17 {
                for c in 0..19 {
                    surface.values[r * 19 + c] = 0.9 * shape(r as f64 - row) * shape(c as f64 - col);
                }
            }
            let peak = surface.peak().unwrap();
            let found = continuous_peak(&surface, &peak);
            let (fx, fy) = (peak.col as f64 + found.x, peak.row as f64 + found.y);
            assert!(
                (fx - col).abs() < tolerance && (fy - row).abs() < tolerance,
                "{fx} {fy} for {col} {row}"
            );
        }
    }
}

/// A smooth image, the same one displaced, as chips.
fn moved(settings: &AmpcorSettings, dx: f64, dy: f64) -> (Vec<Complex32>, Vec<Complex32>) {
    let value = |x: f64, y: f64| {
        let mut sum = 3.0;
        for k in 0..24 {
            let k = f64::from(k);
            let (fx, fy) = ((0.37 * k).sin() * 0.9, (0.71 * k + 1.0).cos() * 0.9);
            sum += (fx * x + fy * y + 2.1 * k).sin();
        }
        Complex32::new(sum as f32, 0.0)
    };
    let (window, chip) = (settings.window, settings.chip());
    let margin = ((chip.rows - window.rows) / 2, (chip.cols - window.cols) / 2);
    let a = (0..window.len()).map(|i| value((i % window.cols) as f64, (i / window.cols) as f64));
    let b = (0..chip.len()).map(|i| {
        let (r, c) = (i / chip.cols, i % chip.cols);
        value(c as f64 - margin.1 as f64 - dx, r as f64 - margin.0 as f64 - dy)
    });
    (a.collect(), b.collect())
}

/// Chips from the middle of an image.
fn inside<'a>(reference: &'a [Complex32], secondary: &'a [Complex32], chip: Extent) -> Chips<'a> {
    Chips {
        reference,
        secondary,
        place: Window::new(100, 100, chip.rows, chip.cols),
        image: Extent::new(1000, 1000),
    }
}

fn run(settings: &AmpcorSettings, a: &[Complex32], b: &[Complex32], signal: Signal) -> Match {
    Method::Ampcor(settings.clone())
        .matcher(signal)
        .run(inside(a, b, settings.chip()))
}

fn small() -> AmpcorSettings {
    AmpcorSettings::new(Extent::new(32, 40), Extent::new(4, 6))
}

#[test]
fn displacements_between_pixels_are_found() {
    for (dx, dy) in [(0.0, 0.0), (2.25, -1.6), (-4.4, 2.9), (0.03, 0.5)] {
        let (a, b) = moved(&small(), dx, dy);
        let found = run(&small(), &a, &b, Signal::Real);
        assert_eq!(found.reason, Reason::Ok);
        assert!(
            (found.dx - dx).abs() < 0.01 && (found.dy - dy).abs() < 0.01,
            "{found:?} for {dx} {dy}"
        );
        assert!(found.peak > 0.99 && found.cov_xx >= 0.0 && found.cov_yy >= 0.0);
    }
}

#[test]
fn looks_and_other_oversamplings_find_the_same() {
    let (a, b) = moved(&small(), 2.25, -1.6);
    for (looks, raw) in [((2, 2), 2), ((1, 2), 1), ((1, 1), 4)] {
        let settings = AmpcorSettings {
            looks: Extent::new(looks.0, looks.1),
            raw_oversampling: raw,
            ..small()
        };
        settings.check().unwrap();
        let found = run(&settings, &a, &b, Signal::Real);
        assert_eq!(found.reason, Reason::Ok);
        let tolerance = if raw == 1 { 0.05 } else { 0.02 };
        assert!(
            (found.dx - 2.25).abs() < tolerance && (found.dy + 1.6).abs() < tolerance,
            "{found:?}"
        );
    }
}

#[test]
fn windows_that_cannot_be_matched_say_why() {
    let settings = small();
    let (a, b) = moved(&settings, 1.0, 1.0);
    let masked = Complex32::new(f32::NAN, f32::NAN);
    let constant = |n: usize| vec![Complex32::new(3.7, 0.0); n];
    let reason = |a: &[Complex32], b: &[Complex32], signal| {
        let found = run(&settings, a, b, signal);
        assert!(found.reason == Reason::Ok || (found.dx.is_nan() && found.dy.is_nan()));
        found.reason
    };
    assert_eq!(reason(&constant(a.len()), &b, Signal::Real), Reason::LowSignal);
    assert_eq!(reason(&a, &constant(b.len()), Signal::Real), Reason::LowSignal);
    assert_eq!(reason(&a, &vec![masked; b.len()], Signal::Real), Reason::Nodata);
    let zeros = vec![Complex32::ZERO; a.len()];
    assert_eq!(reason(&zeros, &b, Signal::Complex), Reason::Nodata);
    assert_eq!(reason(&zeros, &b, Signal::Real), Reason::LowSignal);
    let negative = moved(&settings, 20.0, -17.0).1;
    assert_ne!(reason(&a, &negative, Signal::Real), Reason::Ok);
    let (a, b) = moved(&settings, 6.3, 0.0);
    assert_eq!(reason(&a, &b, Signal::Real), Reason::Edge);
}

/// An island of masked pixels must not pull the offset: it stands still while the ground moves.
#[test]
fn masked_islands_do_not_pull() {
    let settings = AmpcorSettings {
        min_valid: 0.7,
        ..small()
    };
    let (mut a, mut b) = moved(&settings, 2.25, -1.6);
    let masked = Complex32::new(f32::NAN, f32::NAN);
    let (window, chip) = (settings.window, settings.chip());
    for r in 5..15 {
        for c in 8..20 {
            a[r * window.cols + c] = masked;
            b[(r + (chip.rows - window.rows) / 2) * chip.cols + c + (chip.cols - window.cols) / 2] = masked;
        }
    }
    let found = run(&settings, &a, &b, Signal::Real);
    assert_eq!(found.reason, Reason::Ok);
    assert!(
        (found.dx - 2.25).abs() < 0.03 && (found.dy + 1.6).abs() < 0.03,
        "{found:?}"
    );
    // As zeros they would.
    let zero = |z: &Complex32| if z.re.is_nan() { Complex32::ZERO } else { *z };
    let (a, b): (Vec<_>, Vec<_>) = (a.iter().map(zero).collect(), b.iter().map(zero).collect());
    let pulled = run(&settings, &a, &b, Signal::Real);
    assert!(
        (pulled.dx - 2.25).abs() > 0.03 || pulled.reason != Reason::Ok,
        "{pulled:?}"
    );
}

#[test]
fn parameters_that_cannot_be_used_are_named() {
    let error = |change: fn(&mut AmpcorSettings)| {
        let mut settings = small();
        change(&mut settings);
        Method::Ampcor(settings).check().unwrap_err().to_string()
    };
    small().check().unwrap();
    for (message, expected) in [
        (
            error(|s| s.window.rows = 33),
            "window must be an even number of pixels from 8 to 4096",
        ),
        (
            error(|s| s.search.cols = 3),
            "search must be an even number of pixels from 2 to 1024",
        ),
        (
            error(|s| s.oversampling = 48),
            "oversampling must be a power of 2 from 2 to 1024, got 48",
        ),
        (
            error(|s| s.raw_oversampling = 3),
            "raw_oversampling must be a power of 2 from 1 to 8, got 3",
        ),
        (
            error(|s| s.zoom = 10),
            "zoom must be a power of 2 from 8 to 64, got 10",
        ),
        (
            error(|s| s.looks.cols = 3),
            "looks must be a divisor of the window and of the search",
        ),
        (
            error(|s| s.min_valid = 0.0),
            "min_valid must be a number above 0 and at most 1, got 0",
        ),
        (
            error(|s| s.snr_threshold = f64::NAN),
            "snr_threshold must be a number of at least 0, got NaN",
        ),
        (
            error(|s| s.covariance_threshold = -1.0),
            "covariance_threshold must be a number of squared pixels above 0",
        ),
        (
            error(|s| (s.parity, s.raw_oversampling) = (Parity::Isce2, 4)),
            "raw_oversampling must be 2 with parity = \"isce2\", got 4",
        ),
    ] {
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn thresholds_refuse_but_keep_the_figures() {
    let (a, b) = moved(&small(), 1.2, 0.4);
    let with = |change: fn(&mut AmpcorSettings)| {
        let mut settings = small();
        change(&mut settings);
        run(&settings, &a, &b, Signal::Real)
    };
    let low = with(|s| s.snr_threshold = 1e5);
    assert_eq!(low.reason, Reason::LowSnr);
    assert!(low.dx.is_nan() && low.snr.is_finite() && low.peak > 0.9);
    assert_eq!(
        with(|s| s.covariance_threshold = 1e-12).reason,
        Reason::HighCovariance
    );
    // ISCE2's second ratio is always 10.
    let parity = with(|s| (s.parity, s.snr_threshold) = (Parity::Isce2, 10.0));
    assert_eq!(parity.reason, Reason::LowSnr);
}

#[test]
fn the_simpler_methods_find_displacements_too() {
    use super::settings::Search;
    use super::zncc::{NccSettings, PeakFit};
    let ncc = |zero_mean, peak| {
        Method::Ncc(NccSettings {
            common: Search::new(small().window, small().search),
            zero_mean,
            peak,
        })
    };
    let methods = [
        (ncc(true, PeakFit::Sinc), 0.04),
        (ncc(false, PeakFit::Sinc), 0.04),
        // Parabolas pull towards whole pixels.
        (ncc(true, PeakFit::Parabola), 0.2),
        (Method::Phase(Search::new(small().window, small().search)), 0.05),
    ];
    for (method, tolerance) in methods {
        method.check().unwrap();
        for (dx, dy) in [(0.0, 0.0), (2.25, -1.6), (-3.4, 2.9)] {
            // Chips are cut from a larger one, for methods want different margins.
            let large = AmpcorSettings::new(small().window, Extent::new(10, 10));
            let (a, wide) = moved(&large, dx, dy);
            let (from, chip) = (large.chip(), method.chip());
            let margin = ((from.rows - chip.rows) / 2, (from.cols - chip.cols) / 2);
            let at = |i: usize| (i / chip.cols + margin.0) * from.cols + i % chip.cols + margin.1;
            let b: Vec<Complex32> = (0..chip.len()).map(|i| wide[at(i)]).collect();
            let found = method.matcher(Signal::Real).run(inside(&a, &b, chip));
            assert_eq!(found.reason, Reason::Ok, "{method:?}");
            let near = (found.dx - dx).abs() < tolerance && (found.dy - dy).abs() < tolerance;
            assert!(near, "{method:?}: {found:?} for {dx} {dy}");
        }
        let masked = vec![Complex32::new(f32::NAN, f32::NAN); method.chip().len()];
        let (a, _) = moved(&small(), 0.0, 0.0);
        let found = method
            .matcher(Signal::Real)
            .run(inside(&a, &masked, method.chip()));
        assert!(found.reason == Reason::Nodata && found.dx.is_nan());
    }
    let wide = Method::Phase(Search::new(Extent::new(32, 32), Extent::new(16, 8)));
    assert_eq!(
        wide.check().unwrap_err().to_string(),
        "search must be below half the window, 16, got { 16, 8 }"
    );
}
