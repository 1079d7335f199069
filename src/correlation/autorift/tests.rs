//! Matchers and filters against slow and obvious loops, and the whole tracker on images that are made here.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};
use num_complex::Complex32;

use super::matcher::{Matcher, Sample};
use super::parameters::Parameters;
use super::prefilter::{Method, Prefilter};
use super::search::{Nodes, Pair, Search, Which, search};
use super::track::{Field, Silent, track};
use crate::correlation::dot::Shape;
use crate::error::Choice;
use crate::error::Result;

/// Repeatable numbers in 0 … 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.next()).ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos()
    }
}

fn normal(seed: u64, shape: (usize, usize)) -> Array2<f64> {
    let mut random = Random(seed | 1 << 40);
    Array2::from_shape_simple_fn(shape, || random.normal())
}

/// Noise smoothed by a Gaussian of standard deviation `sigma` px, at (row, col) + `shift`, of variance 1. The same
/// surface for every shift.
fn texture(seed: u64, shape: (usize, usize), shift: (f64, f64), sigma: f64) -> Array2<f64> {
    let reach = 8;
    let noise = normal(seed, (shape.0 + 2 * reach, shape.1 + 2 * reach));
    let weight = |d: f64| (-d * d / (2.0 * sigma * sigma)).exp();
    let whole = (shift.0.round(), shift.1.round());
    let kernel = |part: f64| -> Vec<f64> { (-5isize..=5).map(|k| weight(k as f64 - part)).collect() };
    let (down, across) = (kernel(shift.0 - whole.0), kernel(shift.1 - whole.1));
    let at = |r: isize, c: isize| {
        let (r, c) = (r + reach as isize, c + reach as isize);
        noise.get((r as usize, c as usize)).copied().unwrap_or(0.0)
    };
    // Down first, then across.
    let middle = Array2::from_shape_fn((shape.0, shape.1 + 16), |(r, c)| {
        (-5isize..=5)
            .map(|k| down[(k + 5) as usize] * at(r as isize + whole.0 as isize + k, c as isize - 8))
            .sum::<f64>()
    });
    let norm: f64 = std::f64::consts::PI.sqrt() * sigma;
    Array2::from_shape_fn(shape, |(r, c)| {
        let sum: f64 = (-5isize..=5)
            .map(|k| {
                let c = c as isize + 8 + whole.1 as isize + k;
                across[(k + 5) as usize] * middle.get((r, c as usize)).copied().unwrap_or(0.0)
            })
            .sum();
        sum / norm
    })
}

struct InMemory<S> {
    images: [Array2<S>; 2],
    valid: Option<[Array2<u8>; 2]>,
}

impl<S: Sample> Pair<S> for InMemory<S> {
    fn shape(&self) -> (usize, usize) {
        self.images[0].dim()
    }

    fn read(&self, which: Which, rows: Range<usize>, out: &mut Vec<S>) -> Result<()> {
        out.clear();
        out.extend(self.images[which as usize].slice(s![rows, ..]));
        Ok(())
    }

    fn read_valid(&self, which: Which, rows: Range<usize>, out: &mut Vec<u8>) -> Result<bool> {
        let Some(valid) = &self.valid else {
            return Ok(false);
        };
        out.clear();
        out.extend(valid[which as usize].slice(s![rows, ..]));
        Ok(true)
    }
}

/// Σ(a − ā)(b − b̄) / √(Σ(a − ā)² Σ(b − b̄)²) by the definition.
fn zncc(chip: ArrayView2<f64>, window: ArrayView2<f64>) -> f64 {
    let (a, b) = (chip.mean().unwrap(), window.mean().unwrap());
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in chip.iter().zip(&window) {
        ab += (x - a) * (y - b);
        aa += (x - a) * (x - a);
        bb += (y - b) * (y - b);
    }
    if bb == 0.0 { 0.0 } else { ab / (aa * bb).sqrt() }
}

fn surfaces<S: Sample>(shape: Shape, chip: &Array2<S>, window: &Array2<S>) -> Vec<f32> {
    let mut out = vec![0.0; shape.shifts.0 * shape.shifts.1];
    let textured = S::Matcher::default().surface(
        shape,
        chip.as_slice().unwrap(),
        window.as_slice().unwrap(),
        &mut out,
    );
    assert!(textured);
    out
}

#[test]
fn correlations_are_those_of_the_definition() {
    for (chip, shifts) in [((12, 12), (12, 20)), ((32, 32), (12, 12)), ((8, 24), (13, 12))] {
        let shape = Shape { chip, shifts };
        let window = normal(3, shape.search()).map(|v| (128.0 + 40.0 * v).clamp(0.0, 255.0).round());
        let mut window = window;
        // A constant corner, larger than the chip in part.
        window.slice_mut(s![..9, ..9]).fill(77.0);
        let small = normal(4, chip).map(|v| (100.0 + 50.0 * v).clamp(0.0, 255.0).round());
        let bytes = surfaces::<u8>(shape, &small.map(|&v| v as u8), &window.map(|&v| v as u8));
        // A mean far above the deviations, as in 16-bit images.
        let floats = surfaces::<f32>(
            shape,
            &small.map(|&v| v as f32 + 20_000.0),
            &window.map(|&v| v as f32 + 20_000.0),
        );
        for dy in 0..shifts.0 {
            for dx in 0..shifts.1 {
                let under = window.slice(s![dy..dy + chip.0, dx..dx + chip.1]);
                let expected = zncc(small.view(), under);
                let i = dy * shifts.1 + dx;
                assert!(
                    (f64::from(bytes[i]) - expected).abs() < 2e-6,
                    "{shape:?} {dy} {dx}: {} {expected}",
                    bytes[i]
                );
                assert!(
                    (f64::from(floats[i]) - expected).abs() < 2e-5,
                    "{shape:?} {dy} {dx}: {} {expected}",
                    floats[i]
                );
            }
        }
    }
}

#[test]
fn complex_correlations_are_those_of_the_definition() {
    let shape = Shape {
        chip: (12, 16),
        shifts: (12, 14),
    };
    let complex = |seed: u64, shape: (usize, usize)| {
        let (re, im) = (normal(seed, shape), normal(seed + 1, shape));
        Array2::from_shape_fn(shape, |at| Complex32::new(re[at] as f32, im[at] as f32))
    };
    let window = complex(5, shape.search());
    let chip = complex(9, shape.chip);
    let out = surfaces::<Complex32>(shape, &chip, &window);
    for dy in 0..12 {
        for dx in 0..14 {
            let under = window.slice(s![dy..dy + 12, dx..dx + 16]);
            let product: Complex32 = chip.iter().zip(&under).map(|(a, b)| a.conj() * b).sum();
            let power = |v: ArrayView2<Complex32>| v.iter().map(|v| v.norm_sqr()).sum::<f32>();
            let expected = product.norm() / (power(chip.view()) * power(under)).sqrt();
            assert!((out[dy * 14 + dx] - expected).abs() < 1e-5);
        }
    }
}

#[test]
fn a_chip_without_texture_has_no_match() {
    let shape = Shape {
        chip: (8, 8),
        shifts: (12, 12),
    };
    let (rows, cols) = shape.search();
    let mut out = vec![0.0; 144];
    let window: Vec<u8> = (0..rows * cols).map(|i| (i * 37 % 251) as u8).collect();
    let mut matcher = <u8 as Sample>::Matcher::default();
    assert!(!matcher.surface(shape, &[9; 64], &window, &mut out));
    assert!(!matcher.surface(shape, &window[..64], &vec![9; rows * cols], &mut out));
    let mut matcher = <f32 as Sample>::Matcher::default();
    let float: Vec<f32> = window.iter().map(|&v| f32::from(v)).collect();
    assert!(!matcher.surface(shape, &[0.1; 64], &float, &mut out));
    assert!(!matcher.surface(shape, &float[..64], &vec![0.1; rows * cols], &mut out));
}

#[test]
fn filters_do_not_depend_on_strips() {
    let mut image = normal(11, (90, 40)).map(|&v| (200.0 + 30.0 * v) as f32);
    image[[20, 7]] = f32::NAN;
    image.slice_mut(s![40..44, ..]).fill(f32::NAN);
    for &(name, method) in Method::ALL {
        let filter = Prefilter::new(method, 5, 0.25).unwrap();
        let halo = filter.halo();
        let whole = filter.apply(image.view(), (halo, halo), 0);
        assert_eq!(whole.dim(), image.dim(), "{name}");
        for step in [7, 31] {
            for first in (0..90usize).step_by(step) {
                let end = (first + step).min(90);
                let (start, stop) = (first.saturating_sub(halo), (end + halo).min(90));
                let missing = (halo - (first - start), halo - (stop - end));
                let part = filter.apply(image.slice(s![start..stop, ..]), missing, first);
                for ((r, c), v) in part.indexed_iter() {
                    let expected = whole[[first + r, c]];
                    assert!(
                        v.to_bits() == expected.to_bits() || v.is_nan() && expected.is_nan(),
                        "{name} in strips of {step} at {} {c}: {v} {expected}",
                        first + r
                    );
                }
            }
        }
    }
}

#[test]
fn filters_are_those_of_the_obvious_loops() {
    let (rows, cols) = (14isize, 17isize);
    let image = normal(12, (14, 17)).map(|&v| (200.0 + 30.0 * v) as f32);
    let zero = |r: isize, c: isize| {
        let inside = (0..rows).contains(&r) && (0..cols).contains(&c);
        if inside {
            f64::from(image[[r as usize, c as usize]])
        } else {
            0.0
        }
    };
    let fold = |i: isize, n: isize| {
        if i < 0 {
            -1 - i
        } else if i >= n {
            2 * n - 1 - i
        } else {
            i
        }
    };
    let apply = |name: &str| {
        Prefilter::new(Method::named(name).unwrap(), 5, 0.25)
            .unwrap()
            .apply(image.view(), (2, 2), 0)
    };
    let (high, wallis, sobel) = (apply("high_pass"), apply("wallis"), apply("sobel"));
    // First derivative and smoothing of five pixels, as tabulated.
    let (d, s) = ([-1.0, -2.0, 0.0, 2.0, 1.0], [1.0, 4.0, 6.0, 4.0, 1.0]);
    for r in 0..rows {
        for c in 0..cols {
            let at = [r as usize, c as usize];
            let around = || (-2..=2).flat_map(move |i| (-2..=2).map(move |j| (i, j)));
            // Only what lies in the image counts.
            let inside =
                |&(i, j): &(isize, isize)| (0..rows).contains(&(r + i)) && (0..cols).contains(&(c + j));
            let n = around().filter(inside).count() as f64;
            let mean: f64 = around().map(|(i, j)| zero(r + i, c + j)).sum::<f64>() / n;
            let expected = f64::from(image[at]) - mean;
            assert!((f64::from(high[at]) - expected).abs() < 1e-3);
            let reflected: Vec<f64> = around()
                .map(|(i, j)| zero(fold(r + i, rows), fold(c + j, cols)))
                .collect();
            let m = reflected.iter().sum::<f64>() / 25.0;
            let std = (reflected.iter().map(|v| (v - m).powi(2)).sum::<f64>() / 24.0).sqrt();
            assert!((f64::from(wallis[at]) - expected / std).abs() < 1e-3);
            let gradient: f64 = around()
                .map(|(i, j)| {
                    let (i, j, v) = ((i + 2) as usize, (j + 2) as usize, zero(r + i, c + j));
                    (d[i] * s[j] + s[i] * d[j]) * v
                })
                .sum();
            assert!(
                (f64::from(sobel[at]) - gradient).abs() < 0.05,
                "{} {gradient}",
                sobel[at]
            );
        }
    }
}

#[test]
fn gaps_between_scan_lines_are_filled_with_noise_and_the_outside_is_not() {
    let mut image = normal(13, (200, 60)).map(|&v| (200.0 + 30.0 * v) as f32);
    image.slice_mut(s![50..56, ..]).fill(0.0);
    image.slice_mut(s![100.., ..]).fill(f32::NAN);
    let filter = Prefilter::new(Method::WallisFill, 5, 0.25).unwrap();
    let halo = filter.halo();
    let out = filter.apply(image.view(), (halo, halo), 0);
    let gap = out.slice(s![50..56, ..]);
    let n = gap.len() as f32;
    let mean = gap.sum() / n;
    let variance = gap.map(|v| (v - mean).powi(2)).sum() / n;
    assert!(
        mean.abs() < 0.2 && (0.7..1.3).contains(&variance),
        "{mean} {variance}"
    );
    assert!(out.slice(s![140.., ..]).iter().all(|v| v.is_nan()));
    assert!(out.slice(s![10..40, ..]).iter().all(|v| v.is_finite()));
}

fn one_size(nodes: (usize, usize), first: i32, step: i32, limit: i32) -> Nodes {
    let constant = |v: i32| Array2::from_elem(nodes, v);
    Nodes {
        x: Array2::from_shape_fn(nodes, |(_, c)| first + step * c as i32),
        y: Array2::from_shape_fn(nodes, |(r, _)| first + step * r as i32),
        limit_x: constant(limit),
        limit_y: constant(limit),
        prior_x: constant(0),
        prior_y: constant(0),
    }
}

const HOW: Search = Search {
    chip: (32, 32),
    oversampling: Some(32),
    valid_share: 0.5,
    threads: 2,
};

/// Offsets are right and down, errors small, and the stated deviation is what the errors really are.
#[test]
fn deviations_are_those_of_the_errors() {
    let shape = (400, 400);
    for (correlation, shift) in [(0.5f64, (1.3, -2.6)), (0.8, (-3.45, 0.2)), (0.95, (0.5, 2.0))] {
        let mix = |seed: u64, shift: (f64, f64)| {
            let (signal, noise) = (
                texture(1, shape, shift, 1.0),
                texture(seed, shape, (0.0, 0.0), 1.0),
            );
            (correlation.sqrt() * signal + (1.0 - correlation).sqrt() * noise).map(|&v| v as f32)
        };
        // What is at r in the reference is at r + offset in the secondary.
        let pair = InMemory {
            images: [mix(2, (0.0, 0.0)), mix(3, (-shift.0, -shift.1))],
            valid: None,
        };
        let nodes = one_size((11, 11), 40, 32, 8);
        let found = search(&pair, &nodes, &HOW, &|_| ()).unwrap();
        for (got, std, expected) in [
            (&found.dy, &found.dy_std, shift.0),
            (&found.dx, &found.dx_std, shift.1),
        ] {
            let n = got.len() as f64;
            let errors: Vec<f64> = got.iter().map(|&v| f64::from(v) - expected).collect();
            let mean = errors.iter().sum::<f64>() / n;
            let rms = (errors.iter().map(|e| e * e).sum::<f64>() / n).sqrt();
            let stated = (std.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n).sqrt();
            assert!(mean.abs() < 0.05, "bias {mean} at {correlation}");
            // Pixels of this texture are alike over 2 px, so that the bound is below the errors by up to that.
            assert!(
                (0.9..4.0).contains(&(rms / stated)),
                "errors {rms}, stated {stated} at {correlation}"
            );
        }
        let mean = found.correlation.mean().unwrap();
        assert!(
            (f64::from(mean) - correlation).abs() < 0.12,
            "{mean} {correlation}"
        );
    }
}

/// For independent pixels the stated deviation is that of the theory.
#[test]
fn the_deviation_of_speckle_is_bamlers() {
    // A peak ρ(1 − π²/6 d²) of N complex samples.
    let (coherence, n) = (0.6f64, 1024.0);
    let at = |d2: f64| (coherence * (1.0 - std::f64::consts::PI.powi(2) / 6.0 * d2)) as f32;
    let patch = std::array::from_fn(|r| {
        std::array::from_fn(|c| at((r as f64 - 2.0).powi(2) + (c as f64 - 2.0).powi(2)))
    });
    let (x, y) = super::peak::deviation(&patch, (2, 2), 2.0 * n, 0.0);
    let expected = (3.0f64 / (2.0 * n)).sqrt() * (1.0 - coherence * coherence).sqrt()
        / (std::f64::consts::PI * coherence);
    assert!((f64::from(x) / expected - 1.0).abs() < 1e-3 && (f64::from(y) / expected - 1.0).abs() < 1e-3);
}

#[test]
fn complex_speckle_is_tracked() {
    let shape = (160, 160);
    let part = |seed: u64, shift: (f64, f64)| texture(seed, shape, shift, 0.8);
    let image = |shift: (f64, f64)| {
        let (re, im) = (part(21, shift), part(22, shift));
        Array2::from_shape_fn(shape, |at| Complex32::new(re[at] as f32, im[at] as f32))
    };
    let pair = InMemory {
        images: [image((0.0, 0.0)), image((-2.25, 4.5))],
        valid: None,
    };
    let found = search(&pair, &one_size((3, 3), 40, 36, 8), &HOW, &|_| ()).unwrap();
    for (dx, dy) in found.dx.iter().zip(&found.dy) {
        assert!((dx + 4.5).abs() < 0.1 && (dy - 2.25).abs() < 0.1, "{dx} {dy}");
    }
}

#[test]
fn masked_pixels_make_no_matches() {
    let shape = (128, 128);
    let image = texture(31, shape, (0.0, 0.0), 1.0).map(|&v| v as f32);
    let mut valid = [Array2::ones(shape), Array2::ones(shape)];
    valid[0].slice_mut(s![..64, ..]).fill(0);
    valid[1].slice_mut(s![.., ..64]).fill(0);
    let mut pair = InMemory {
        images: [image.clone(), image],
        valid: Some(valid),
    };
    let masked = pair.valid.clone().unwrap();
    for (image, valid) in pair.images.iter_mut().zip(&masked) {
        image.zip_mut_with(valid, |v, &ok| *v = if ok == 1 { *v } else { 0.0 });
    }
    let found = search(&pair, &one_size((2, 2), 40, 48, 8), &HOW, &|_| ()).unwrap();
    assert_eq!(
        found.dx.map(|v| v.is_nan()),
        ndarray::array![[true, true], [true, false]]
    );
    assert_eq!((found.dx[[1, 1]], found.dy[[1, 1]]), (0.0, 0.0));
}

#[test]
fn priors_limits_and_chips_are_a_nodes_own() {
    let shape = (512, 512);
    let (dy, dx) = (12.0, -17.0);
    let reference = texture(41, shape, (0.0, 0.0), 1.0).map(|&v| v as f32);
    // Far shifts would leave the texture's noise: roll instead.
    let secondary = Array2::from_shape_fn(shape, |(r, c)| {
        let (r, c) = ((r + 512 - 12) % 512, (c + 17) % 512);
        reference[[r, c]]
    });
    let pair = InMemory {
        images: [reference, secondary],
        valid: None,
    };
    let n = (12, 12);
    let constant = |v: f32| Array2::from_elem(n, v);
    let mut field = Field {
        x: Array2::from_shape_fn(n, |(_, c)| 64 + 32 * c as i32),
        y: Array2::from_shape_fn(n, |(r, _)| 64 + 32 * r as i32),
        limit_x: constant(6.0),
        limit_y: constant(6.0),
        prior_x: constant(-15.4),
        prior_y: constant(10.0),
        chip_min: constant(32.0),
        chip_max: constant(64.0),
    };
    field.limit_x[[0, 0]] = 0.0;
    field.limit_y[[0, 11]] = f32::NAN;
    field.chip_min.slice_mut(s![6.., ..]).fill(64.0);
    let out = track(&pair, &field, &Parameters::default(), 2, &Silent).unwrap();
    for (at, &size) in out.chip_size_x.indexed_iter() {
        if at == (0, 0) || at == (0, 11) {
            continue;
        }
        assert_eq!(size, if at.0 < 6 { 32.0 } else { 64.0 }, "{at:?}");
        assert!(
            (f64::from(out.dx[at]) - dx).abs() < 0.07 && (f64::from(out.dy[at]) - dy).abs() < 0.07,
            "{at:?}"
        );
    }
}

#[test]
fn threads_do_not_change_the_result() {
    let shape = (300, 300);
    let pair = InMemory {
        images: [
            texture(51, shape, (0.0, 0.0), 1.0).map(|&v| (128.0 + 40.0 * v) as u8),
            texture(51, shape, (0.7, 1.2), 1.0).map(|&v| (128.0 + 40.0 * v) as u8),
        ],
        valid: None,
    };
    let nodes = one_size((15, 15), 32, 16, 10);
    let run = |threads| search(&pair, &nodes, &Search { threads, ..HOW }, &|_| ()).unwrap();
    let (one, four) = (run(1), run(4));
    for (a, b) in [
        (&one.dx, &four.dx),
        (&one.correlation, &four.correlation),
        (&one.snr, &four.snr),
    ] {
        assert!(a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}

#[test]
fn impossible_parameters_are_said() {
    let default = Parameters::default;
    let said = |parameters: Parameters, text: &str| {
        let error = parameters.check().unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    said(
        Parameters {
            chip: 30,
            ..default()
        },
        "chip must be a multiple of 4 from 4 to 256, got 30",
    );
    said(
        Parameters {
            chip_max: 96,
            ..default()
        },
        "chip_max must be one of 32, 64, 128, 256: the smallest chip doubled, got 96",
    );
    said(
        Parameters {
            spacing: 12,
            ..default()
        },
        "spacing must be a divisor of the chip, 32 px",
    );
    said(
        Parameters {
            spacing: 7,
            ..default()
        },
        "spacing must be an even number",
    );
    said(
        Parameters {
            oversampling: vec![10],
            ..default()
        },
        "oversampling must be a power of 2",
    );
    said(
        Parameters {
            filter_width: 4,
            ..default()
        },
        "filter_width must be an odd number",
    );
    said(
        Parameters {
            chip_aspect: 20.0,
            ..default()
        },
        "chip_aspect must be a number above 0 and at most 8",
    );
    assert!(default().check().is_ok());
}
