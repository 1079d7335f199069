//! TV-Bregman against its definition, and what must not matter to it.

use super::*;
use crate::filter::testing::*;

/// The definition, pixel by pixel in f64. Returns the solution and the number of sweeps.
fn slow(image: &Array2<f32>, parameters: &TvBregman) -> (Array2<f64>, usize) {
    let (rows, cols) = image.dim();
    let (w, lambda) = (parameters.weight, 2.0 * parameters.weight);
    let f = |r: usize, c: usize| f64::from(image[(r, c)]);
    // With a border of one pixel all around; NaN where nothing stands.
    let mut u = Array2::from_elem((rows + 2, cols + 2), f64::NAN);
    for r in 0..rows {
        for c in 0..cols {
            u[(r + 1, c + 1)] = f(r, c);
        }
        u[(r + 1, cols + 1)] = f(r, cols - 1);
        u[(r + 1, 0)] = if cols > 1 { f(r, 1) } else { f64::NAN };
    }
    for c in 0..cols {
        u[(rows + 1, c + 1)] = f(rows - 1, c);
        u[(0, c + 1)] = if rows > 1 { f(1, c) } else { f64::NAN };
    }
    let zeros = || Array2::<f64>::zeros((rows + 2, cols + 2));
    let (mut dx, mut dy, mut bx, mut by) = (zeros(), zeros(), zeros(), zeros());
    let pixels = image.iter().filter(|v| v.is_finite()).count().max(1);
    for sweep in 1..=parameters.max_iterations {
        let mut squares = 0.0;
        for r in 1..=rows {
            for c in 1..=cols {
                let old = u[(r, c)];
                if old.is_nan() {
                    continue;
                }
                let at = |r, c| if u[(r, c)].is_nan() { old } else { u[(r, c)] };
                let (ux, uy) = (at(r, c + 1) - old, at(r + 1, c) - old);
                let around = at(r + 1, c) + at(r - 1, c) + at(r, c + 1) + at(r, c - 1);
                let divergence = dx[(r, c - 1)] - dx[(r, c)] + dy[(r - 1, c)] - dy[(r, c)] - bx[(r, c - 1)]
                    + bx[(r, c)]
                    - by[(r - 1, c)]
                    + by[(r, c)];
                let new = (lambda * (around + divergence) + w * f(r - 1, c - 1)) / (w + 4.0 * lambda);
                u[(r, c)] = new;
                squares += (new - old).powi(2);
                let (sx, sy) = (ux + bx[(r, c)], uy + by[(r, c)]);
                if parameters.isotropic {
                    let s = sx.hypot(sy) * lambda;
                    (dx[(r, c)], dy[(r, c)]) = (s * sx / (s + 1.0), s * sy / (s + 1.0));
                } else {
                    let soft = |s: f64| s.signum() * (s.abs() - 1.0 / lambda).max(0.0);
                    (dx[(r, c)], dy[(r, c)]) = (soft(sx), soft(sy));
                }
                bx[(r, c)] += ux - dx[(r, c)];
                by[(r, c)] += uy - dy[(r, c)];
            }
        }
        if (squares / pixels as f64).sqrt() <= parameters.tolerance {
            return (u, sweep);
        }
    }
    (u, parameters.max_iterations)
}

fn decibels(image: Array2<f32>) -> Array2<f32> {
    image.mapv(|v| if v == 0.0 { -40.0 } else { 10.0 * v.log10() })
}

#[test]
fn equals_the_definition() {
    for (rows, cols) in SHAPES {
        let complete = decibels(scene(rows, cols, 2, 21));
        for image in [complete.clone(), with_holes(complete)] {
            for (weight, isotropic, iterations, tolerance) in [
                (0.35, true, 100, 1e-3),
                (0.2, true, 7, 0.0),
                (1.5, false, 100, 1e-3),
                (0.2, false, 2, 0.0),
            ] {
                let parameters = TvBregman::new(weight, iterations, tolerance, isotropic).unwrap();
                let out = denoise(image.view(), &parameters, usize::MAX).unwrap();
                let (want, _) = slow(&image, &parameters);
                for ((r, c), &got) in out.indexed_iter() {
                    let want = want[(r + 1, c + 1)];
                    assert!(
                        (f64::from(got) - want).abs() < 5e-5 || got.is_nan() && want.is_nan(),
                        "{parameters:?} on {rows} × {cols} at ({r}, {c}): {got}, not {want}"
                    );
                }
            }
        }
    }
}

fn same_bits(a: &Array2<f32>, b: &Array2<f32>) -> bool {
    a.iter()
        .zip(b)
        .all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
}

#[test]
fn memory_does_not_matter() {
    // Tall enough to be sampled beforehand, and one that is not; weights that need few and many sweeps.
    for (rows, cols, weight) in [
        (600, 24, 0.35),
        (600, 24, 3.0),
        (90, 40, 0.35),
        (90, 40, 3.0),
        (1, 30, 0.35),
    ] {
        let image = with_holes(decibels(scene(rows, cols, 3, 8)));
        let parameters = TvBregman::new(weight, 100, 1e-3, true).unwrap();
        let whole = denoise(image.view(), &parameters, usize::MAX).unwrap();
        for memory in [0, rows * cols * 4, rows * cols * 12] {
            assert!(
                same_bits(&whole, &denoise(image.view(), &parameters, memory).unwrap()),
                "{rows} {memory}"
            );
        }
    }
}

/// Rows of an array, and the solution of the last iteration.
struct Plain<'a>(&'a Array2<f32>, Array2<f32>);

impl Rows for Plain<'_> {
    fn shape(&self) -> (usize, usize) {
        self.0.dim()
    }

    fn read(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
        out.copy_from_slice(self.0.row(row).as_slice().unwrap());
        Ok(())
    }

    fn take(&mut self, _iteration: usize, row: usize, pixels: &[f32]) -> Result<()> {
        self.1
            .row_mut(row)
            .as_slice_mut()
            .unwrap()
            .copy_from_slice(pixels);
        Ok(())
    }
}

#[test]
fn threads_do_not_matter() {
    let image = with_holes(decibels(scene(45, 300, 3, 8)));
    let run = |iterations, threads| {
        let mut rows = Plain(&image, Array2::zeros(image.dim()));
        let changes = pass(&mut rows, &Step::new(0.3, true), iterations, 1, threads).unwrap();
        (rows.1, changes.squares, changes.pixels)
    };
    for iterations in [1, 5, 23, 60] {
        let one = run(iterations, 1);
        for threads in [2, 3, 7, 64] {
            let many = run(iterations, threads);
            assert!(
                same_bits(&one.0, &many.0),
                "{iterations} sweeps on {threads} threads"
            );
            assert_eq!((&one.1, one.2), (&many.1, many.2));
        }
    }
}

#[test]
fn errors_of_the_source_end_the_pass() {
    struct Broken(usize);
    impl Rows for Broken {
        fn shape(&self) -> (usize, usize) {
            (100, 400)
        }
        fn read(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
            out.fill(row as f32);
            if row == self.0 {
                Err(Error::Interrupted)
            } else {
                Ok(())
            }
        }
        fn take(&mut self, _: usize, row: usize, _: &[f32]) -> Result<()> {
            if row + 100 == self.0 {
                Err(Error::Interrupted)
            } else {
                Ok(())
            }
        }
    }
    for row in [0, 1, 50, 99, 101, 199] {
        for threads in [1, 2, 4] {
            let outcome = pass(&mut Broken(row), &Step::new(0.3, true), 20, 1, threads);
            assert!(
                matches!(outcome, Err(Error::Interrupted)),
                "row {row}, {threads} threads"
            );
        }
    }
}

#[test]
fn nothing_crosses_masked_pixels() {
    let mut image = decibels(scene(30, 41, 2, 5));
    image.column_mut(20).fill(f32::NAN);
    let parameters = TvBregman::new(0.3, 40, 0.0, true).unwrap();
    let before = denoise(image.view(), &parameters, usize::MAX).unwrap();
    image
        .slice_mut(ndarray::s![.., 21..])
        .mapv_inplace(|v| 3.0 * v + 7.0);
    let after = denoise(image.view(), &parameters, usize::MAX).unwrap();
    let left = ndarray::s![.., ..20];
    assert!(same_bits(
        &before.slice(left).to_owned(),
        &after.slice(left).to_owned()
    ));
    assert!(before.column(20).iter().all(|v| v.is_nan()));
    assert_ne!(before[(3, 30)], after[(3, 30)]);
}

#[test]
fn a_pixel_alone_and_a_constant_stay() {
    let mut image = Array2::from_elem((9, 9), f32::NAN);
    image[(4, 4)] = -17.3;
    let parameters = TvBregman::new(0.3, 100, 1e-3, true).unwrap();
    let out = denoise(image.view(), &parameters, usize::MAX).unwrap();
    assert!((out[(4, 4)] + 17.3).abs() < 1e-5);
    assert_eq!(out.iter().filter(|v| v.is_nan()).count(), 80);
    let constant = Array2::from_elem((20, 33), -12.5);
    let out = denoise(constant.view(), &parameters, usize::MAX).unwrap();
    assert!(out.iter().all(|v| (v + 12.5).abs() < 1e-5));
    let masked = Array2::from_elem((5, 6), f32::NAN);
    assert!(
        denoise(masked.view(), &parameters, 0)
            .unwrap()
            .iter()
            .all(|v| v.is_nan())
    );
}

#[test]
fn smooths_noise_and_keeps_an_edge() {
    let mut image = decibels(speckle(80, 80, 4, 3));
    image.slice_mut(ndarray::s![.., 40..]).mapv_inplace(|v| v + 12.0);
    let out = denoise(
        image.view(),
        &TvBregman::new(0.2, 100, 1e-3, true).unwrap(),
        usize::MAX,
    )
    .unwrap();
    let side = |a: &Array2<f32>, from: usize, to: usize| {
        mean_and_variance(
            a.slice(ndarray::s![10..70, from..to])
                .iter()
                .map(|&v| f64::from(v))
                .collect::<Vec<_>>()
                .into_iter(),
        )
    };
    assert!(side(&out, 5, 35).1 < 0.05 * side(&image, 5, 35).1);
    assert!(side(&out, 43, 75).0 - side(&out, 5, 37).0 > 11.5);
}

#[test]
fn refuses_what_means_nothing() {
    for (weight, iterations, tolerance) in [
        (0.0, 100, 1e-3),
        (-1.0, 100, 1e-3),
        (f64::NAN, 100, 1e-3),
        (1.0, 0, 1e-3),
        (1.0, 100, -1.0),
        (1.0, 100, f64::NAN),
    ] {
        assert!(TvBregman::new(weight, iterations, tolerance, true).is_err());
    }
}
