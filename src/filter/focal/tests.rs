//! Every reducer against a double loop over the footprint's formula, its own tiles, and a recorded output.

use std::path::Path;

use ndarray::{Array2, s};

use super::*;

/// Pixels that cover the cases: speckle, ties, constants, gaps, infinities.
#[derive(Clone, Copy, Debug)]
enum Image {
    Speckle,
    Classes,
    Constant,
    Sparse,
    Empty,
}

const IMAGES: [Image; 5] = [
    Image::Speckle,
    Image::Classes,
    Image::Constant,
    Image::Sparse,
    Image::Empty,
];

fn image(kind: Image, rows: usize, cols: usize) -> Array2<f32> {
    let mut state = 0x2545_f491_4f6c_dd1du64 ^ (rows * 1009 + cols) as u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    Array2::from_shape_fn((rows, cols), |(y, x)| {
        let (a, b) = (random(), random());
        match kind {
            Image::Speckle if a < 0.03 => f32::NAN,
            Image::Speckle => -(b + 1e-6).ln() * (1.0 + (x as f32 / 9.0).sin()) - 0.2,
            Image::Classes if a < 0.1 => f32::INFINITY,
            Image::Classes => ((b * 4.0).floor() - 1.0) * (y % 3) as f32,
            Image::Constant => 7.25,
            Image::Sparse if a < 0.97 => f32::NAN,
            Image::Sparse => b,
            Image::Empty => f32::NAN,
        }
    })
}

/// `image` with NaN around it.
fn pad(image: &Array2<f32>, (hy, hx): (usize, usize)) -> Array2<f32> {
    let mut padded = Array2::from_elem((image.nrows() + 2 * hy, image.ncols() + 2 * hx), f32::NAN);
    padded
        .slice_mut(s![hy..hy + image.nrows(), hx..hx + image.ncols()])
        .assign(image);
    padded
}

type Statistic = Box<dyn Fn(&[f32]) -> f64>;
type Filter = Box<dyn Fn(ArrayView2<f32>, &FocalKernel) -> Array2<f32>>;

/// Name, the filter, its definition on the sorted valid pixels, and whether it must be met exactly.
fn filters() -> Vec<(&'static str, Filter, Statistic, bool)> {
    fn percentile(sorted: &[f32], percent: f64) -> f64 {
        let position = percent / 100.0 * (sorted.len() - 1) as f64;
        let low = f64::from(sorted[position.floor() as usize]);
        let high = f64::from(sorted[position.ceil() as usize]);
        (low + (high - low) * position.fract()) as f32 as f64
    }
    fn mean(values: &[f32]) -> f64 {
        values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64
    }
    let at = |percent: f64| -> (Filter, Statistic) {
        (
            Box::new(move |padded, kernel| focal_percentile(padded, kernel, percent)),
            Box::new(move |sorted| percentile(sorted, percent)),
        )
    };
    let mut all: Vec<(&'static str, Filter, Statistic, bool)> = vec![
        (
            "median",
            Box::new(focal_median),
            Box::new(|v| percentile(v, 50.0)),
            true,
        ),
        ("min", Box::new(focal_min), Box::new(|v| f64::from(v[0])), true),
        (
            "max",
            Box::new(focal_max),
            Box::new(|v| f64::from(v[v.len() - 1])),
            true,
        ),
        ("mean", Box::new(focal_mean), Box::new(mean), false),
        (
            "std",
            Box::new(focal_std),
            Box::new(|v| {
                let mean = mean(v);
                let squares: f64 = v.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
                (squares / v.len() as f64).sqrt()
            }),
            false,
        ),
        (
            "mode",
            Box::new(focal_mode),
            Box::new(|v| {
                let count = |value: f32| v.iter().filter(|&&other| other == value).count();
                let best = v.iter().map(|&value| count(value)).max().unwrap();
                f64::from(*v.iter().find(|&&value| count(value) == best).unwrap())
            }),
            true,
        ),
    ];
    for (name, percent) in [("p0", 0.0), ("p100", 100.0), ("p25", 25.0), ("p90.5", 90.5)] {
        let (filter, statistic) = at(percent);
        all.push((name, filter, statistic, true));
    }
    all
}

fn kernels() -> Vec<FocalKernel> {
    let new = |shape, rx, ry| FocalKernel::new(shape, rx, ry).unwrap();
    vec![
        FocalKernel::circle(0.0).unwrap(),
        FocalKernel::circle(1.0).unwrap(),
        FocalKernel::circle(3.6).unwrap(),
        FocalKernel::circle(10.0).unwrap(),
        FocalKernel::square(1.0).unwrap(),
        FocalKernel::square(4.9).unwrap(),
        FocalKernel::boxcar(7).unwrap(),
        new(KernelShape::Circle, 2.5, 6.0),
        new(KernelShape::Circle, 9.0, 1.2),
        new(KernelShape::Square, 0.0, 5.0),
    ]
}

/// The footprint by its formula, not by the kernel's tables.
fn inside(kernel: &FocalKernel, dy: i64, dx: i64) -> bool {
    let (rx, ry) = kernel.radii();
    let ratio = |d: i64, r: f64| if d == 0 { 0.0 } else { d as f64 / r };
    let (a, b) = (ratio(dx, rx), ratio(dy, ry));
    match kernel.shape() {
        KernelShape::Circle => a * a + b * b <= 1.0 + 1e-12,
        KernelShape::Square => a.abs() <= 1.0 && b.abs() <= 1.0,
    }
}

fn slow(image: &Array2<f32>, kernel: &FocalKernel, statistics: &[&Statistic]) -> Vec<Array2<f64>> {
    let (hy, hx) = kernel.halo();
    let mut out = vec![Array2::from_elem(image.dim(), f64::NAN); statistics.len()];
    for ((y, x), centre) in image.indexed_iter() {
        if !centre.is_finite() {
            continue;
        }
        let mut values = Vec::new();
        for v in y.saturating_sub(hy + 1)..(y + hy + 2).min(image.nrows()) {
            for u in x.saturating_sub(hx + 1)..(x + hx + 2).min(image.ncols()) {
                let value = image[[v, u]];
                if value.is_finite() && inside(kernel, v as i64 - y as i64, u as i64 - x as i64) {
                    values.push(value);
                }
            }
        }
        values.sort_by(f32::total_cmp);
        for (out, statistic) in out.iter_mut().zip(statistics) {
            out[[y, x]] = statistic(&values);
        }
    }
    out
}

fn check(image: &Array2<f32>, kernel: &FocalKernel, what: &str) {
    let filters = filters();
    let statistics: Vec<&Statistic> = filters.iter().map(|f| &f.2).collect();
    let expected = slow(image, kernel, &statistics);
    let padded = pad(image, kernel.halo());
    for ((name, filter, _, exact), expected) in filters.iter().zip(expected) {
        let got = filter(padded.view(), kernel);
        assert_eq!(got.dim(), image.dim());
        for ((place, &got), &expected) in got.indexed_iter().zip(&expected) {
            let near = (f64::from(got) - expected).abs() <= 2e-7 * expected.abs().max(1e-3);
            assert!(
                (got.is_nan() && expected.is_nan()) || f64::from(got) == expected || (!exact && near),
                "{name} of {what} with {kernel} at {place:?}: {got}, expected {expected}"
            );
        }
    }
}

#[test]
fn all_filters_match_a_double_loop() {
    for kind in IMAGES {
        for kernel in kernels() {
            check(&image(kind, 23, 37), &kernel, &format!("{kind:?}"));
        }
    }
}

#[test]
fn images_smaller_than_the_kernel_or_of_one_row() {
    for (rows, cols) in [(1, 1), (1, 9), (9, 1), (2, 3), (1, 70), (70, 1)] {
        for kind in IMAGES {
            for kernel in [
                FocalKernel::circle(10.0).unwrap(),
                FocalKernel::square(2.0).unwrap(),
            ] {
                check(
                    &image(kind, rows, cols),
                    &kernel,
                    &format!("{kind:?} {rows} × {cols}"),
                );
            }
        }
    }
}

#[test]
fn images_larger_than_a_block() {
    let image = image(Image::Speckle, 70, 131);
    check(&image, &FocalKernel::circle(4.0).unwrap(), "speckle 70 × 131");
}

#[test]
fn kernels_that_need_wide_integers() {
    // 96 columns of halo on each side do not fit into bytes, nor do 33489 pixels into 16 bits.
    let image = image(Image::Speckle, 20, 30);
    check(
        &image,
        &FocalKernel::new(KernelShape::Circle, 96.0, 2.0).unwrap(),
        "speckle 20 × 30",
    );
    check(&image, &FocalKernel::square(91.0).unwrap(), "speckle 20 × 30");
}

/// Any tiling gives the same bits: computes the image in tiles of every size and compares with the whole.
#[test]
fn tiles_make_the_whole() {
    for kind in [Image::Speckle, Image::Classes] {
        let image = image(kind, 61, 83);
        for kernel in [
            FocalKernel::circle(3.6).unwrap(),
            FocalKernel::square(2.0).unwrap(),
        ] {
            let (hy, hx) = kernel.halo();
            let padded = pad(&image, (hy, hx));
            for (name, filter, ..) in filters() {
                let whole = filter(padded.view(), &kernel);
                for (rows, cols) in [(1, 83), (61, 1), (7, 5), (16, 16), (33, 64), (60, 82)] {
                    for y in (0..61).step_by(rows) {
                        for x in (0..83).step_by(cols) {
                            let (y_end, x_end) = ((y + rows).min(61), (x + cols).min(83));
                            let tile =
                                filter(padded.slice(s![y..y_end + 2 * hy, x..x_end + 2 * hx]), &kernel);
                            for ((place, a), b) in
                                tile.indexed_iter().zip(whole.slice(s![y..y_end, x..x_end]))
                            {
                                assert_eq!(
                                    a.to_bits(),
                                    b.to_bits(),
                                    "{name} of {kind:?}, {kernel}, tiles {rows} × {cols} at ({y}, {x}), pixel {place:?}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_portable_code_gives_the_same_medians() {
    let mut cases = Vec::new();
    for kind in IMAGES {
        for kernel in kernels() {
            cases.push((image(kind, 40, 71), kernel));
        }
    }
    // More pixels than there are buckets for at their smallest size.
    cases.push((image(Image::Speckle, 300, 140), FocalKernel::circle(3.6).unwrap()));
    for (image, kernel) in cases {
        let padded = pad(&image, kernel.halo());
        for quantile in [0.5, 0.9] {
            let fast = rank::quantile(padded.view(), &kernel, quantile);
            for portable in rank::quantile_portable(padded.view(), &kernel, quantile) {
                assert!(
                    fast.iter()
                        .zip(&portable)
                        .all(|(a, b)| a.to_bits() == b.to_bits()),
                    "{kernel}"
                );
            }
        }
    }
}

/// A spread of a few units in the last place of the mean.
#[test]
fn std_survives_cancellation() {
    let base = 3000.0f32;
    let step = f32::from_bits(base.to_bits() + 1) - base;
    let image = Array2::from_shape_fn((9, 9), |(y, x)| base + step * ((y * 3 + x * x) % 2) as f32);
    check(
        &image,
        &FocalKernel::circle(3.0).unwrap(),
        "two neighbouring numbers",
    );
    let got = focal_std(pad(&image, (3, 3)).view(), &FocalKernel::circle(3.0).unwrap());
    assert!(got.iter().all(|&v| v > 0.3 * step && v <= 0.5 * step), "{got}");
    // Large and small numbers in one window.
    let mixed = Array2::from_shape_fn((9, 9), |(y, x)| {
        if (x + y) % 5 == 0 {
            1e18
        } else {
            1e-18 * (x + 1) as f32
        }
    });
    check(
        &mixed,
        &FocalKernel::square(2.0).unwrap(),
        "numbers of very different size",
    );
}

#[test]
fn std_of_equal_pixels_is_zero() {
    for value in [0.1f32, -1234.567, 1e30, 1e-30, 0.0] {
        let image = Array2::from_elem((12, 12), value);
        let got = focal_std(pad(&image, (4, 4)).view(), &FocalKernel::circle(4.0).unwrap());
        assert!(got.iter().all(|&v| v == 0.0), "{value}: {got}");
    }
}

#[test]
fn mode_of_many_values_prefers_the_smallest() {
    // More different values than are counted one by one.
    let image = Array2::from_shape_fn((30, 40), |(y, x)| ((x * 31 + y * 17) % 400) as f32 - 200.0);
    check(&image, &FocalKernel::circle(5.0).unwrap(), "400 values");
}

#[test]
fn too_small_an_array_gives_nothing() {
    let kernel = FocalKernel::circle(4.0).unwrap();
    for (_, filter, ..) in filters() {
        assert_eq!(filter(Array2::zeros((8, 20)).view(), &kernel).dim(), (0, 12));
        assert_eq!(filter(Array2::zeros((3, 3)).view(), &kernel).dim(), (0, 0));
    }
}

/// ../shared/data/oracles/filters: an independent slow implementation's float64 output for a disk of radius
/// 10.
#[test]
fn median_matches_the_recorded_output() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.exists() {
        println!("skipped: needs ../shared/data");
        return;
    }
    let read = |name: &str| {
        let bytes = std::fs::read(data.join("oracles/filters").join(name)).unwrap();
        // A .npy of 256 × 256 little-endian f64 in C order, behind its header.
        let pixels = &bytes[bytes.len() - 256 * 256 * 8..];
        let values = pixels
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().unwrap()));
        Array2::from_shape_vec((256, 256), values.collect()).unwrap()
    };
    let input = read("focal_median_r10_in.npy").mapv(|v| v as f32);
    let expected = read("focal_median_r10.npy").mapv(|v| v as f32);
    let kernel = FocalKernel::circle(10.0).unwrap();
    assert_eq!(focal_median(pad(&input, kernel.halo()).view(), &kernel), expected);
}
