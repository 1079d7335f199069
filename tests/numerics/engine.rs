//! The graph: elementwise programs against plain loops, and every operation against its own tiling.

use std::sync::Arc;

use ndarray::Array2;
use perilune::error::Choice;
use perilune::raster::element::{Binary, Unary};
use perilune::raster::math::{self, Operand};
use perilune::raster::mosaic::{Overlap, mosaic};
use perilune::raster::reduce::{Reducer, reduce};
use perilune::raster::sample::sample;
use perilune::raster::warp::Resampling;
use perilune::raster::{Affine, Crs, DType, Grid, Pixels, Raster, Unit, align, clip, memory, reframe, stats};

use crate::common::*;

const ROWS: usize = 61;
const COLS: usize = 47;

fn pair() -> (Raster, Raster, Array2<f32>, Array2<f32>) {
    let grid = utm_grid(ROWS, COLS);
    let (a, b) = (noise(1, ROWS, COLS), noise(2, ROWS, COLS));
    (image(&grid, a.clone()), image(&grid, b.clone()), a, b)
}

fn op(a: &Raster, binary: Binary, b: &Raster) -> Raster {
    math::binary(
        &Operand::Raster(a.clone()),
        binary,
        &Operand::Raster(b.clone()),
        false,
    )
    .unwrap()
}

fn with(a: &Raster, binary: Binary, b: f64) -> Raster {
    math::binary(&Operand::Raster(a.clone()), binary, &Operand::Number(b), false).unwrap()
}

fn whole(raster: &Raster) -> Array2<f64> {
    computed(raster, raster.grid.window(), (16, 16)).swap_remove(0)
}

/// Applies `f` pixel by pixel in f32, masked where an operand is or the result is not finite.
fn loop2(a: &Array2<f32>, b: &Array2<f32>, f: impl Fn(f32, f32) -> f32) -> Array2<f64> {
    let mut out = Array2::from_elem(a.dim(), f64::NAN);
    for ((at, &x), &y) in a.indexed_iter().zip(b) {
        let v = f(x, y);
        if !x.is_nan() && !y.is_nan() && v.is_finite() {
            out[at] = f64::from(v);
        }
    }
    out
}

#[test]
fn binary_operations_equal_a_plain_loop() {
    let (a, b, x, y) = pair();
    let truth = |t: bool| f32::from(u8::from(t));
    type Case = (Binary, fn(f32, f32) -> f32);
    let cases: [Case; 9] = [
        (Binary::Add, |p, q| p + q),
        (Binary::Subtract, |p, q| p - q),
        (Binary::Multiply, |p, q| p * q),
        (Binary::Divide, |p, q| p / q),
        (Binary::Power, f32::powf),
        (Binary::Minimum, f32::min),
        (Binary::Maximum, f32::max),
        (Binary::Atan2, f32::atan2),
        (Binary::Modulo, |p, q| p - (p / q).floor() * q),
    ];
    for (binary, f) in cases {
        assert_same(
            &whole(&op(&a, binary, &b)),
            &loop2(&x, &y, f),
            &format!("{binary:?}"),
        );
    }
    assert_same(
        &whole(&op(&a, Binary::Less, &b)),
        &loop2(&x, &y, |p, q| truth(p < q)),
        "lt",
    );
    assert_same(
        &whole(&op(&a, Binary::GreaterEqual, &b)),
        &loop2(&x, &y, |p, q| truth(p >= q)),
        "ge",
    );
}

#[test]
fn division_by_zero_and_logarithms_of_zero_are_masked() {
    let grid = utm_grid(1, 4);
    let a = image(
        &grid,
        Array2::from_shape_vec((1, 4), vec![0.0, 1.0, -1.0, f32::INFINITY]).unwrap(),
    );
    let inverse = math::binary(
        &Operand::Number(1.0),
        Binary::Divide,
        &Operand::Raster(a.clone()),
        false,
    )
    .unwrap();
    let values = whole(&inverse);
    assert!(values[(0, 0)].is_nan() && values[(0, 3)].is_nan());
    assert_eq!((values[(0, 1)], values[(0, 2)]), (1.0, -1.0));
    let logs = whole(&math::unary(&a, Unary::Log).unwrap());
    assert!(logs[(0, 0)].is_nan() && logs[(0, 2)].is_nan() && logs[(0, 1)] == 0.0);
}

#[test]
fn masks_hide_and_unmask_fills() {
    let (a, b, x, y) = pair();
    let mask = with(&b, Binary::Greater, 1.0);
    let masked = whole(&op(&a, Binary::Mask, &mask));
    for ((at, &p), &q) in x.indexed_iter().zip(&y) {
        let expected = if q > 1.0 { f64::from(p) } else { f64::NAN };
        assert!(
            masked[at] == expected || (masked[at].is_nan() && expected.is_nan()),
            "{at:?}"
        );
    }
    let filled = whole(&math::unary(&a, Unary::Unmask(-3.0)).unwrap());
    for (at, &p) in x.indexed_iter() {
        assert_eq!(filled[at], if p.is_nan() { -3.0 } else { f64::from(p) });
    }
}

#[test]
fn decibels_follow_their_definition_and_come_back() {
    let (a, _, x, _) = pair();
    let a = a.with_unit(&Unit::Power);
    let db = math::to_db(&a).unwrap();
    assert_eq!(db.bands[0].unit, Unit::Decibel);
    let values = whole(&db);
    for (at, &p) in x.indexed_iter() {
        let expected = 10.0 * f64::from(p).log10();
        assert!(
            (values[at] - expected).abs() < 2e-6 * expected.abs().max(1.0) || p.is_nan(),
            "{at:?}"
        );
    }
    let back = whole(&math::to_power(&db).unwrap());
    for (at, &p) in x.indexed_iter() {
        assert!((back[at] / f64::from(p) - 1.0).abs() < 1e-5 || p.is_nan());
    }
}

#[test]
fn units_are_guarded() {
    let (a, b, ..) = pair();
    let (db, power) = (a.with_unit(&Unit::Decibel), b.with_unit(&Unit::Power));
    let other = Operand::Raster(b.with_unit(&Unit::Decibel));
    let ratio = math::binary(&Operand::Raster(db.clone()), Binary::Divide, &other, false);
    let message = ratio.err().unwrap().to_string();
    assert!(
        message.contains("the difference of their decibels")
            && message.contains("it can be done all the same"),
        "{message}"
    );
    let mixed = math::binary(
        &Operand::Raster(db.clone()),
        Binary::Add,
        &Operand::Raster(power.clone()),
        false,
    );
    assert!(mixed.err().unwrap().to_string().contains("dB and power"));
    let forced = math::binary(&Operand::Raster(db.clone()), Binary::Divide, &other, true).unwrap();
    assert_eq!(forced.bands[0].unit, Unit::Other("1".into()));
    let difference = math::binary(&Operand::Raster(db), Binary::Subtract, &other, false).unwrap();
    assert_eq!(difference.bands[0].unit, Unit::Decibel);
    let one = math::binary(
        &Operand::Raster(power.clone()),
        Binary::Divide,
        &Operand::Raster(power),
        false,
    )
    .unwrap();
    assert_eq!(one.bands[0].unit, Unit::Other("1".into()));
}

#[test]
fn grids_that_differ_are_named() {
    let (a, ..) = pair();
    let other = Arc::new(Grid {
        transform: Affine::north_up(0.0, 0.0, 30.0, 30.0),
        ..a.grid.as_ref().clone()
    });
    let b = image(&other, noise(3, ROWS, COLS));
    let message = math::binary(&Operand::Raster(a), Binary::Add, &Operand::Raster(b), false)
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("pixel 10")
            && message.contains("pixel 30")
            && message.contains("bring one onto the other first"),
        "{message}"
    );
}

#[test]
fn a_long_chain_shares_its_parts_and_fuses() {
    let (a, b, x, y) = pair();
    let sum = op(&a, Binary::Add, &b);
    // sum is read three times, once by another program.
    let ratio = op(&op(&a, Binary::Subtract, &b), Binary::Divide, &sum);
    let mut long = op(&ratio, Binary::Multiply, &sum);
    for i in 0..300 {
        long = with(
            &long,
            if i % 2 == 0 { Binary::Add } else { Binary::Subtract },
            0.25,
        );
    }
    let mut expected = loop2(&x, &y, |p, q| {
        let mut v = (p - q) / (p + q) * (p + q);
        for i in 0..300 {
            v = if i % 2 == 0 { v + 0.25 } else { v - 0.25 };
        }
        v
    });
    assert_same(&whole(&long), &expected, "chain");
    let both = long.add_bands(&sum.rename(&["sum".into()]).unwrap()).unwrap();
    assert_tiling_does_not_matter(&both, "chain and sum");
    expected.fill(0.0);
}

#[test]
fn a_very_long_chain_neither_overflows_nor_takes_more_registers() {
    let grid = utm_grid(3, 3);
    let mut chain = image(&grid, Array2::from_elem((3, 3), 1.0));
    for _ in 0..50_000 {
        chain = with(&chain, Binary::Add, 1.0);
    }
    assert_eq!(whole(&chain)[(1, 1)], 50_001.0);
}

#[test]
fn integers_beyond_f32_are_kept() {
    let grid = utm_grid(1, 2);
    let wide = Array2::from_shape_vec((1, 2), vec![16_777_217.0, 4_294_967_295.0]).unwrap();
    let a = memory::from_arrays(grid, vec![("v".into(), Pixels::F64(wide), Unit::Unknown)]).unwrap();
    let plus = with(&a, Binary::Add, 1.0).cast(DType::U32).unwrap();
    assert_eq!(whole(&plus).as_slice().unwrap(), [16_777_218.0, 4_294_967_295.0]);
}

#[test]
fn reducers_equal_a_slow_sort() {
    let grid = utm_grid(19, 23);
    for count in [1, 2, 3, 8, 21] {
        let arrays: Vec<Array2<f32>> = (0..count).map(|i| noise(i as u64 + 10, 19, 23)).collect();
        let images: Vec<Raster> = arrays.iter().map(|a| image(&grid, a.clone())).collect();
        let names = [
            "median", "mean", "std", "min", "max", "sum", "count", "p90", "first", "last",
        ];
        let reducers: Vec<Reducer> = names.iter().map(|n| Reducer::parse(n).unwrap()).collect();
        let reduced = reduce(&images, &reducers).unwrap();
        let results = computed(&reduced, grid.window(), (8, 8));
        for r in 0..19 {
            for c in 0..23 {
                let valid: Vec<f64> = arrays
                    .iter()
                    .map(|a| f64::from(a[(r, c)]))
                    .filter(|v| !v.is_nan())
                    .collect();
                let mut sorted = valid.clone();
                sorted.sort_by(f64::total_cmp);
                let n = valid.len();
                let at = |p: f64| {
                    let i = p * (n - 1) as f64;
                    let low = i.floor() as usize;
                    sorted[low] + (sorted[(low + 1).min(n - 1)] - sorted[low]) * (i - low as f64)
                };
                let mean = valid.iter().sum::<f64>() / n as f64;
                let std = (valid.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
                let expected = if n == 0 {
                    [
                        f64::NAN,
                        f64::NAN,
                        f64::NAN,
                        f64::NAN,
                        f64::NAN,
                        f64::NAN,
                        0.0,
                        f64::NAN,
                        f64::NAN,
                        f64::NAN,
                    ]
                } else {
                    let sum = valid.iter().sum::<f64>();
                    [
                        at(0.5),
                        mean,
                        std,
                        sorted[0],
                        sorted[n - 1],
                        sum,
                        n as f64,
                        at(0.9),
                        valid[0],
                        valid[n - 1],
                    ]
                };
                for ((name, result), want) in names.iter().zip(&results).zip(expected) {
                    let got = result[(r, c)];
                    let near =
                        (got - want).abs() <= 1e-6 * want.abs().max(1.0) || (got.is_nan() && want.is_nan());
                    assert!(near, "{name} of {count} at {r}, {c}: {got}, not {want}");
                }
            }
        }
        assert_tiling_does_not_matter(&reduced, "reducers");
    }
}

#[test]
fn mosaics_follow_their_rule_and_skip_what_is_far() {
    let grid = utm_grid(20, 20);
    let moved = Arc::new(Grid {
        transform: grid.transform.moved(12.0, 8.0),
        ..grid.as_ref().clone()
    });
    let (x, y) = (noise(5, 20, 20), noise(6, 20, 20));
    let images = [image(&grid, x.clone()), image(&moved, y.clone())];
    for (overlap, pick) in [
        (Overlap::First, (|a, _| a) as fn(f32, f32) -> f32),
        (Overlap::Last, |_, b| b),
        (Overlap::Minimum, f32::min),
        (Overlap::Maximum, f32::max),
        (Overlap::Mean, |a, b| (a + b) / 2.0),
    ] {
        let merged = mosaic(&images, overlap, None, Resampling::Nearest).unwrap();
        assert_eq!((merged.grid.rows, merged.grid.cols), (28, 32));
        let values = whole(&merged);
        for r in 0..28usize {
            for c in 0..32usize {
                let a = x.get((r, c)).copied().unwrap_or(f32::NAN);
                let b = r
                    .checked_sub(8)
                    .zip(c.checked_sub(12))
                    .and_then(|at| y.get(at))
                    .copied()
                    .unwrap_or(f32::NAN);
                let want = if a.is_nan() {
                    b
                } else if b.is_nan() {
                    a
                } else {
                    pick(a, b)
                };
                let got = values[(r, c)];
                assert!(
                    got == f64::from(want) || (got.is_nan() && want.is_nan()),
                    "{overlap:?} at {r}, {c}"
                );
            }
        }
        assert_tiling_does_not_matter(&merged, "mosaic");
    }
}

#[test]
fn clip_crop_and_shift_move_whole_pixels() {
    let (a, _, x, _) = pair();
    let b = a.grid.window_bounds(&perilune::raster::Window::new(5, 7, 11, 13));
    let clipped = clip::clip(&a, &b).unwrap();
    assert_eq!((clipped.grid.rows, clipped.grid.cols), (11, 13));
    assert_same(
        &whole(&clipped),
        &x.slice(ndarray::s![5..16, 7..20]).mapv(f64::from),
        "clip",
    );
    let shifted = whole(&reframe::shift(&a, 3, -2));
    for r in 0..ROWS {
        for c in 0..COLS {
            let want = r
                .checked_sub(3)
                .and_then(|r| x.get((r, c + 2)))
                .map_or(f64::NAN, |v| f64::from(*v));
            assert!(shifted[(r, c)] == want || (shifted[(r, c)].is_nan() && want.is_nan()));
        }
    }
    assert_tiling_does_not_matter(&reframe::shift(&clipped, -1, 4), "shift");
    let far = perilune::raster::Bounds {
        min_x: 0.0,
        min_y: 0.0,
        max_x: 1.0,
        max_y: 1.0,
    };
    assert!(
        clip::clip(&a, &far)
            .err()
            .unwrap()
            .to_string()
            .contains("overlaps the image")
    );
}

#[test]
fn every_resampling_is_seamless() {
    let (a, ..) = pair();
    let targets = [
        // Half a pixel off, coarser, finer, another projection.
        Grid::new(
            a.grid.crs.clone(),
            Affine::north_up(500_003.0, 4_999_996.0, 10.0, 10.0),
            40,
            50,
        )
        .unwrap(),
        Grid::new(
            a.grid.crs.clone(),
            Affine::north_up(500_000.0, 5_000_000.0, 27.0, 35.0),
            25,
            25,
        )
        .unwrap(),
        Grid::new(
            a.grid.crs.clone(),
            Affine::north_up(500_050.0, 4_999_950.0, 4.0, 4.0),
            60,
            60,
        )
        .unwrap(),
        align::reprojected_grid(&a.grid, &Crs::parse("EPSG:3035").unwrap(), None).unwrap(),
    ];
    for target in targets {
        let target = Arc::new(target);
        for &(name, method) in Resampling::ALL {
            let aligned = align::align(&a, &target, method).unwrap();
            assert_tiling_does_not_matter(&aligned, &format!("{name} onto {target}"));
        }
    }
}

#[test]
fn statistics_histogram_and_percentiles_equal_a_sort() {
    let (a, _, x, _) = pair();
    let mut sorted: Vec<f64> = x.iter().filter(|v| !v.is_nan()).map(|v| f64::from(*v)).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let m = stats::stats(&a).unwrap()[0];
    let mean = sorted.iter().sum::<f64>() / n;
    let std = (sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    assert_eq!(
        (m.count() as usize, m.min(), m.max()),
        (sorted.len(), sorted[0], *sorted.last().unwrap())
    );
    assert!((m.mean() - mean).abs() < 1e-12 && (m.std() - std).abs() < 1e-12);
    let wanted = [0.0, 2.0, 50.0, 98.0, 99.99, 100.0];
    for (p, got) in wanted.iter().zip(stats::percentiles(&a, &wanted).unwrap()) {
        let i = p / 100.0 * (n - 1.0);
        let low = i.floor() as usize;
        let want = sorted[low] + (sorted[(low + 1).min(sorted.len() - 1)] - sorted[low]) * (i - low as f64);
        assert!((got - want).abs() < 1e-12, "p{p}: {got}, not {want}");
    }
    let h = stats::histogram(&a, 10, Some((0.5, 1.5))).unwrap();
    for (bin, &count) in h.counts.iter().enumerate() {
        let (low, high) = (0.5 + bin as f64 * 0.1, 0.6 + bin as f64 * 0.1);
        let want = sorted
            .iter()
            .filter(|v| **v >= low && (**v < high || (bin == 9 && **v <= 1.5)))
            .count() as i64;
        // Values within rounding of an edge may fall on either side.
        assert!((count as i64 - want).abs() <= 1, "bin {bin}: {count}, not {want}");
    }
    let inside: u64 = h.counts.iter().sum();
    assert_eq!(inside + h.below + h.above, sorted.len() as u64);
}

#[test]
fn negative_numbers_have_percentiles_too() {
    let grid = utm_grid(1, 5);
    let a = image(
        &grid,
        Array2::from_shape_vec((1, 5), vec![-2.0, 3.0, -1.0, 0.0, f32::NAN]).unwrap(),
    );
    assert_eq!(
        stats::percentiles(&a, &[0.0, 50.0, 100.0]).unwrap(),
        [-2.0, -0.5, 3.0]
    );
}

#[test]
fn an_image_that_is_masked_everywhere_has_no_statistics() {
    let grid = utm_grid(2, 2);
    let a = image(&grid, Array2::from_elem((2, 2), f32::NAN));
    assert_eq!(stats::stats(&a).unwrap()[0].count(), 0);
    assert!(
        stats::percentiles(&a, &[50.0])
            .err()
            .unwrap()
            .to_string()
            .contains("every pixel is masked")
    );
}

#[test]
fn points_are_sampled_where_they_fall() {
    let (a, _, x, _) = pair();
    let (px, py) = a.grid.pixel_centre(10, 20);
    let values = sample(
        &a,
        &[(px, py), (px + 4.9, py - 4.9), (0.0, 0.0), (f64::NAN, 0.0)],
        Resampling::Nearest,
    )
    .unwrap();
    assert!(values[0][0].number() == f64::from(x[(10, 20)]) || x[(10, 20)].is_nan());
    assert_eq!(values[0][0].number().to_bits(), values[1][0].number().to_bits());
    assert!(values[2][0].number().is_nan() && values[3][0].number().is_nan());
}

#[test]
fn random_images_have_their_moments_and_no_seams() {
    use perilune::raster::synthetic::{Distribution, coordinates, random};
    let grid = utm_grid(400, 500);
    // Mean and variance of each, from the definitions; the tolerance is five standard errors.
    for (distribution, mean, variance) in [
        (Distribution::Uniform, 0.5, 1.0 / 12.0),
        (Distribution::Normal, 0.0, 1.0),
        (Distribution::Speckle { looks: 1.0 }, 1.0, 1.0),
        (Distribution::Speckle { looks: 4.4 }, 1.0, 1.0 / 4.4),
        (Distribution::Speckle { looks: 0.5 }, 1.0, 2.0),
    ] {
        let m = stats::stats(&random(grid.clone(), distribution, 7).unwrap()).unwrap()[0];
        let n = m.count() as f64;
        assert!(
            (m.mean() - mean).abs() < 5.0 * (variance / n).sqrt(),
            "{distribution:?}: mean {}",
            m.mean()
        );
        assert!(
            (m.std().powi(2) / variance - 1.0).abs() < 0.05,
            "{distribution:?}: variance {}",
            m.std().powi(2)
        );
    }
    let small = utm_grid(40, 50);
    let smooth = random(
        small.clone(),
        Distribution::Smooth {
            scale: 12.0,
            octaves: 3,
        },
        1,
    )
    .unwrap();
    assert_tiling_does_not_matter(&smooth, "smooth noise");
    let xy = coordinates(small.clone());
    assert_tiling_does_not_matter(&xy, "coordinates");
    let values = computed(&xy, small.window(), (16, 16));
    assert_eq!((values[0][(3, 4)], values[1][(3, 4)]), small.pixel_centre(3, 4));
}
