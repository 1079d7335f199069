//! Networks over images, against the same network on the whole image, by slow and obvious loops.

use ndarray::{Array2, Array4};
use perilune::inference::{Augment, Blend, Expected, Known, Product, Settings, apply_known};
use perilune::raster::{Class, Pixels, Raster, Unit, memory};

use crate::common::*;
use crate::networks::*;

#[test]
fn crop_equals_the_whole_image_at_once_and_weights_have_the_sum_one() {
    for (rows, cols) in SIZES {
        let pixels = noise(3, rows, cols);
        let image = image(&utm_grid(rows, cols), pixels.clone());
        let whole = convolved(&filled(&pixels), &kernel);
        // Its receptive field is 5 pixels.
        for (overlap, blend) in [
            (4, Blend::Crop),
            (5, Blend::Crop),
            (16, Blend::Crop),
            (29, Blend::Crop),
        ] {
            let made = applied(&convolution(), &image, &settings(32, overlap, blend)).unwrap();
            let what = format!("{rows} × {cols}, overlap {overlap}");
            assert_near(&values(&made)[0], &whole, &pixels, &what);
        }
        for blend in [Blend::Hann, Blend::Mean, Blend::Max, Blend::Crop] {
            for overlap in [0, 7, 16, 24] {
                let made = applied(&convolution(), &image, &settings(32, overlap, blend)).unwrap();
                let what = format!("{rows} × {cols}, {blend:?}, overlap {overlap}");
                assert_near(&values(&made)[1], &filled(&pixels), &pixels, &what);
            }
        }
    }
}

#[test]
fn the_linear_network_is_blended_as_a_slow_loop_does() {
    let (rows, cols, tile, step) = (70, 61, 32, 20);
    let pixels = noise(4, rows, cols);
    let origins = |size: usize| {
        let mut origins: Vec<usize> = (0..)
            .map(|i| i * step)
            .take_while(|at| at + tile < size)
            .collect();
        origins.push(size - tile);
        origins
    };
    let hann = |i: usize| {
        (std::f64::consts::PI * (i as f64 + 0.5) / tile as f64)
            .sin()
            .powi(2)
    };
    let (mut hann_sum, mut mean_sum) = (
        Array2::<f64>::zeros((rows, cols)),
        Array2::<f64>::zeros((rows, cols)),
    );
    let (mut hann_weight, mut count) = (hann_sum.clone(), hann_sum.clone());
    let mut most = Array2::from_elem((rows, cols), f64::NEG_INFINITY);
    for &row in &origins(rows) {
        for &col in &origins(cols) {
            let window = filled(&pixels)
                .slice(ndarray::s![row..row + tile, col..col + tile])
                .to_owned();
            for ((r, c), v) in convolved(&window, &kernel).indexed_iter() {
                let at = (row + r, col + c);
                hann_sum[at] += hann(r) * hann(c) * v;
                hann_weight[at] += hann(r) * hann(c);
                mean_sum[at] += v;
                count[at] += 1.0;
                most[at] = most[at].max(*v);
            }
        }
    }
    let image = image(&utm_grid(rows, cols), pixels.clone());
    for (blend, right) in [
        (Blend::Hann, hann_sum / hann_weight),
        (Blend::Mean, mean_sum / count),
        (Blend::Max, most),
    ] {
        let made = applied(&convolution(), &image, &settings(tile, tile - step, blend)).unwrap();
        assert_near(&values(&made)[0], &right, &pixels, &format!("{blend:?}"));
    }
}

/// Bands of one image, in units.
fn bands(names: &[(&str, Unit)], arrays: Vec<Array2<f32>>) -> Raster {
    let (rows, cols) = arrays[0].dim();
    let bands = names.iter().zip(arrays);
    memory::from_arrays(
        utm_grid(rows, cols),
        bands
            .map(|((name, unit), array)| (name.to_string(), Pixels::F32(array), unit.clone()))
            .collect(),
    )
    .unwrap()
}

#[test]
fn bands_are_found_normalised_and_filled_and_wrong_ones_refused() {
    // It gives the second band of what it is shown.
    let second = network(&[[Some(2), None, None]], |inputs| {
        inputs[0]
            .slice(ndarray::s![.., 1..2, .., ..])
            .to_owned()
            .into_dyn()
    });
    let named = |name: &str, unit: Unit| Expected {
        name: Some(name.into()),
        unit,
        ..Expected::default()
    };
    let expected = [vec![
        Expected {
            clip: Some((-20.0, 0.0)),
            scale: 0.2,
            offset: 2.0,
            fill: 7.0,
            ..named("vh", Unit::Decibel)
        },
        named("vv", Unit::Power),
    ]];
    let image = bands(
        &[("vv", Unit::Decibel), ("vh", Unit::Power)],
        vec![
            ndarray::array![[10.0, 0.0], [f32::NAN, -10.0]],
            ndarray::array![[1.0, 1e-4], [1.0, 0.1]],
        ],
    );
    let settings = settings(2, 0, Blend::Crop);
    let run = |expected: &[Vec<Expected>], image: &Raster| {
        let known = Known {
            expected: expected.to_vec(),
            ..Known::nothing_of(second.clone(), &[])
        };
        apply_known(&known, std::slice::from_ref(image), &settings).map(|made| values(&made).swap_remove(0))
    };
    let vv = run(&expected, &image).unwrap();
    assert!((vv[(0, 0)] - 10.0).abs() < 1e-5 && (vv[(1, 1)] - 0.1).abs() < 1e-7 && vv[(1, 0)].is_nan());
    // −40 dB is limited to −20, two deviations below the mean; 0 dB is two above.
    let other = [vec![expected[0][1].clone(), expected[0][0].clone()]];
    let vh = run(&other, &image).unwrap();
    assert!((vh[(0, 1)] + 2.0).abs() < 1e-6 && (vh[(0, 0)] - 2.0).abs() < 1e-6 && vh[(1, 1)].abs() < 1e-6);
    let refused = |expected: &[Vec<Expected>], image: &Raster, parts: &[&str]| {
        let error = run(expected, image).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    let renamed = image.rename(&["hh".to_string(), "hv".to_string()]).unwrap();
    refused(&expected, &renamed, &["vh [dB], vv [power]", "hh, hv"]);
    let one = image.select(&["vh".to_string()]).unwrap();
    refused(&expected, &one, &["the 2 of the model", "1 (vh)"]);
    refused(
        &expected,
        &image.with_unit(&Unit::Unknown),
        &["`vh` states no unit", "takes dB"],
    );
    refused(
        &expected,
        &image.with_unit(&Unit::parse("m")),
        &["`vh` is in m", "takes dB"],
    );
    refused(
        &[expected[0][..1].to_vec()],
        &one,
        &["2, which the network takes", "1"],
    );
}

#[test]
fn several_inputs_lie_on_one_grid() {
    let sum = network(&[ANY, ANY], |inputs| {
        let first = inputs[0].sum_axis(ndarray::Axis(1));
        (first - inputs[1].sum_axis(ndarray::Axis(1))).into_dyn()
    });
    let (a, b) = (noise(6, 40, 50), noise(7, 40, 50));
    let grid = utm_grid(40, 50);
    let images = [image(&grid, a.clone()), image(&grid, b.clone())];
    let sum = Known::nothing_of(sum, &[1, 1]);
    let settings = settings(16, 4, Blend::Mean);
    let made = apply_known(&sum, &images, &settings).unwrap();
    assert_near(
        &values(&made)[0],
        &(filled(&a) - filled(&b)),
        &(&a + &b),
        "two inputs",
    );
    let elsewhere = image(&utm_grid(41, 50), noise(1, 41, 50));
    let error = apply_known(&sum, &[images[0].clone(), elsewhere], &settings)
        .err()
        .unwrap();
    assert!(error.to_string().contains("the grids differ"), "{error}");
    let error = apply_known(&sum, &images[..1], &settings).err().unwrap();
    assert!(
        error.to_string().contains("one for each of the 2 inputs"),
        "{error}"
    );
}

/// Means of cells of `scale` pixels.
fn cells(pixels: &Array2<f64>, scale: usize) -> Array2<f64> {
    let (rows, cols) = (pixels.nrows().div_ceil(scale), pixels.ncols().div_ceil(scale));
    Array2::from_shape_fn((rows, cols), |(r, c)| {
        let mut sum = 0.0;
        for i in 0..scale {
            for j in 0..scale {
                sum += pixels.get((r * scale + i, c * scale + j)).copied().unwrap_or(0.0);
            }
        }
        sum / (scale * scale) as f64
    })
}

#[test]
fn a_strided_network_makes_a_coarser_image() {
    let pooling = || {
        network(&[ANY], |inputs| {
            let (n, _, rows, cols) = inputs[0].dim();
            let mut out = Array4::zeros((n, 1, rows / 4, cols / 4));
            for (one, mut made) in inputs[0].outer_iter().zip(out.outer_iter_mut()) {
                let whole = ndarray::s![0, ..rows / 4 * 4, ..cols / 4 * 4];
                let band = one.slice(whole).mapv(f64::from);
                made.index_axis_mut(ndarray::Axis(0), 0)
                    .assign(&cells(&band, 4).mapv(|v| v as f32));
            }
            out.into_dyn()
        })
    };
    for (rows, cols) in SIZES {
        let pixels = noise(8, rows, cols);
        let image = image(&utm_grid(rows, cols), pixels.clone());
        let made = applied(&pooling(), &image, &settings(32, 12, Blend::Hann)).unwrap();
        let right = cells(&filled(&pixels), 4);
        assert_eq!((made.grid.rows, made.grid.cols), right.dim());
        assert_eq!(made.grid.resolution(), (40.0, 40.0));
        let corner = |raster: &Raster| raster.grid.transform.apply(0.0, 0.0);
        assert_eq!(corner(&made), corner(&image));
        let valid = cells(&pixels.mapv(|v| f64::from(u8::from(!v.is_nan()))), 4);
        let mask = valid.mapv(|share| if share == 0.0 { f32::NAN } else { 1.0 });
        assert_near(&values(&made)[0], &right, &mask, &format!("{rows} × {cols}"));
    }
    let error = applied(
        &pooling(),
        &image(&utm_grid(40, 40), noise(1, 40, 40)),
        &settings(30, 0, Blend::Hann),
    );
    assert!(error.err().unwrap().to_string().contains("tile"));
}

#[test]
fn a_network_that_uses_up_its_margin_covers_the_image() {
    // Valid convolutions only: the output is four pixels smaller.
    let valid = network(&[ANY], |inputs| {
        let (n, _, rows, cols) = inputs[0].dim();
        let mut out = Array4::zeros((n, 1, rows - 4, cols - 4));
        for (one, mut made) in inputs[0].outer_iter().zip(out.outer_iter_mut()) {
            let band = one.index_axis(ndarray::Axis(0), 0).mapv(f64::from);
            let inner = convolved(&band, &kernel)
                .slice(ndarray::s![2..rows - 2, 2..cols - 2])
                .mapv(|v| v as f32);
            made.index_axis_mut(ndarray::Axis(0), 0).assign(&inner);
        }
        out.into_dyn()
    });
    for (rows, cols) in [(1, 1), (33, 64), (61, 47)] {
        let pixels = noise(9, rows, cols);
        let image = image(&utm_grid(rows, cols), pixels.clone());
        for blend in [Blend::Crop, Blend::Hann] {
            let made = applied(&valid, &image, &settings(31, 4, blend)).unwrap();
            let right = convolved(&filled(&pixels), &kernel);
            assert_near(
                &values(&made)[0],
                &right,
                &pixels,
                &format!("{rows} × {cols} {blend:?}"),
            );
        }
    }
}

#[test]
fn one_vector_a_window_is_a_pixel() {
    let classifier = network(&[ANY], |inputs| {
        let n = inputs[0].dim().0;
        let mut out = Array2::zeros((n, 3));
        for (one, mut made) in inputs[0].outer_iter().zip(out.outer_iter_mut()) {
            made[0] = one.mean().unwrap();
            made[1] = one[(0, 0, 0)];
            made[2] = 1.0;
        }
        out.into_dyn()
    });
    let pixels = noise(10, 40, 30);
    let image = image(&utm_grid(40, 30), pixels.clone());
    let made = applied(&classifier, &image, &settings(16, 8, Blend::Hann)).unwrap();
    // A window every 8 pixels: at rows 0, 8, 16, 24 and columns 0, 8, 16, the last of which reaches beyond the image.
    assert_eq!((made.grid.rows, made.grid.cols), (4, 3));
    assert_eq!(made.grid.resolution(), (80.0, 80.0));
    // The middle of the first pixel is that of the first window.
    assert_eq!(made.grid.pixel_centre(0, 0), image.grid.transform.apply(8.0, 8.0));
    let found = values(&made);
    for ((r, c), first) in found[1].indexed_iter() {
        let value = filled(&pixels)[(8 * r, 8 * c)];
        assert!((first - value).abs() < 1e-6, "{r} {c}");
        let mut sum = 0.0;
        for i in 0..16 {
            for j in 0..16 {
                sum += filled(&pixels)
                    .get((8 * r + i, 8 * c + j))
                    .copied()
                    .unwrap_or(0.0);
            }
        }
        assert!((found[0][(r, c)] - sum / 256.0).abs() < 1e-5);
    }
}

#[test]
fn classes_and_probabilities_of_what_was_blended() {
    let network = network(&[ANY], |inputs| {
        let x = &inputs[0];
        let zero = x.mapv(|_| 0.0);
        ndarray::concatenate(ndarray::Axis(1), &[x.view(), zero.view(), (-x).view()])
            .unwrap()
            .into_dyn()
    });
    let pixels = Array2::from_shape_fn((20, 20), |(r, c)| match (r * 20 + c) % 9 {
        0 => f32::NAN,
        _ => ((r * 31 + c * 17) % 13) as f32 / 3.0 - 2.0,
    });
    let settings = Settings {
        products: vec![
            Product::Classes,
            Product::Confidence,
            Product::Probabilities,
            Product::Values,
        ],
        ..settings(8, 2, Blend::Hann)
    };
    // What the classes are called in maps.
    let called = [7.0, 0.0, 255.0];
    let known = Known {
        classes: ["low", "none", "high"]
            .into_iter()
            .zip(called)
            .map(|(name, value)| Class {
                value: value as i64,
                name: name.into(),
                color: None,
            })
            .collect(),
        nodata: 9,
        ..Known::nothing_of(network, &[1])
    };
    let made = apply_known(&known, &[image(&utm_grid(20, 20), pixels.clone())], &settings).unwrap();
    assert_eq!(
        made.band_names(),
        [
            "class",
            "confidence",
            "low",
            "none",
            "high",
            "low_value",
            "none_value",
            "high_value"
        ]
    );
    let band = &made.bands[0];
    assert_eq!(
        (band.dtype.name(), band.unit.symbol(), band.nodata),
        ("uint8", "class", Some(9.0))
    );
    let found = values(&made);
    for (at, &v) in pixels.indexed_iter() {
        if v.is_nan() {
            assert!(found.iter().all(|band| band[at].is_nan()));
            continue;
        }
        let x = f64::from(v);
        let sum = x.exp() + 1.0 + (-x).exp();
        let right = [x.exp() / sum, 1.0 / sum, (-x).exp() / sum];
        let class = if x > 0.0 {
            0
        } else if x == 0.0 {
            called.iter().position(|value| *value == found[0][at]).unwrap()
        } else {
            2
        };
        assert_eq!(found[0][at], called[class], "{at:?} {x}");
        assert!((found[1][at] - right[class]).abs() < 1e-6);
        for (band, right) in found[2..5].iter().zip(right) {
            assert!((band[at] - right).abs() < 1e-6);
        }
        assert!((found[5][at] - x).abs() < 1e-5 && found[6][at] == 0.0);
    }
}

#[test]
fn turns_average_the_kernel_over_its_positions() {
    let (rows, cols) = (50, 43);
    let pixels = noise(11, rows, cols);
    let image = image(&utm_grid(rows, cols), pixels.clone());
    let flips = |r: usize, c: usize| {
        let four = [
            kernel(r, c),
            kernel(4 - r, c),
            kernel(r, 4 - c),
            kernel(4 - r, 4 - c),
        ];
        four.iter().sum::<f32>() / 4.0
    };
    let dihedral = |r: usize, c: usize| (flips(r, c) + flips(c, r)) / 2.0;
    for (augment, kernel) in [
        (Augment::Flips, &flips as &dyn Fn(usize, usize) -> f32),
        (Augment::Dihedral, &dihedral),
    ] {
        let settings = Settings {
            augment,
            ..settings(32, 6, Blend::Crop)
        };
        let made = applied(&convolution(), &image, &settings).unwrap();
        assert_near(
            &values(&made)[0],
            &convolved(&filled(&pixels), kernel),
            &pixels,
            &format!("{augment:?}"),
        );
    }
}

#[test]
fn fixed_sizes_are_kept() {
    let fixed = network(&[[Some(1), Some(24), Some(32)]], |inputs| {
        assert_eq!(inputs[0].dim().2, 24);
        assert_eq!(inputs[0].dim().3, 32);
        inputs[0].clone().into_dyn()
    });
    for (rows, cols) in SIZES {
        let pixels = noise(15, rows, cols);
        let image = image(&utm_grid(rows, cols), pixels.clone());
        let settings = Settings {
            tile: None,
            overlap: None,
            ..settings(1, 0, Blend::Hann)
        };
        let made = applied(&fixed, &image, &settings).unwrap();
        assert_near(&values(&made)[0], &filled(&pixels), &pixels, "fixed");
    }
    let image = image(&utm_grid(30, 30), noise(1, 30, 30));
    let error = applied(&fixed, &image, &settings(16, 0, Blend::Hann))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("24 × 32, the only size"), "{error}");
}

#[test]
fn outputs_that_are_no_image_are_errors_that_name_them_and_say_what_would_be() {
    let image = image(&utm_grid(64, 64), noise(1, 64, 64));
    let refused = |shape: &'static [usize], parts: &[&str]| {
        let network = network(&[ANY], move |_| ndarray::ArrayD::zeros(shape));
        let error = applied(&network, &image, &settings(32, 0, Blend::Crop))
            .err()
            .unwrap()
            .to_string();
        assert!(
            parts.iter().all(|part| error.contains(part)),
            "{shape:?}: {error}"
        );
    };
    let ranks = "batch × classes × rows × cols, batch × rows × cols, batch × classes, or batch";
    refused(
        &[1, 2, 32, 32, 3],
        &[
            "the output `scores`",
            "the shape 1 × 2 × 32 × 32 × 3 for one window of 32 × 32",
            ranks,
            "`head`",
        ],
    );
    refused(&[], &["the shape of a single number for one window", ranks]);
    // The first axis is the batch, and its window is one.
    refused(&[2, 32, 32], &["the shape 2 × 32 × 32", ranks]);
    refused(&[1, 0, 32, 32], &["the shape 1 × 0 × 32 × 32", "choose a tile"]);
    refused(
        &[1, 2, 13, 32],
        &[
            "the shape 1 × 2 × 13 × 32",
            "lie evenly on the window",
            "choose a tile",
        ],
    );
}

/// What is fixed to one window at a time is given one, and told so where somebody wants more.
#[test]
fn a_network_of_a_fixed_batch_is_given_no_other() {
    let image = image(&utm_grid(64, 64), noise(1, 64, 64));
    let of = |count: usize| {
        let mut network = convolution();
        std::sync::Arc::get_mut(&mut network).unwrap().inputs[0].shape[0] = Some(count);
        network
    };
    let batches = |batch: usize| Settings {
        batch,
        ..settings(32, 0, Blend::Crop)
    };
    assert!(applied(&of(1), &image, &batches(1)).is_ok());
    let error = applied(&of(1), &image, &batches(2)).err().unwrap().to_string();
    assert!(
        error.contains("batch must be 1, which is all that the network takes") && error.contains("got 2"),
        "{error}"
    );
    let error = applied(&of(8), &image, &batches(8)).err().unwrap().to_string();
    assert!(
        error.contains("`input_0` of the model takes 8 windows at a time")
            && error.contains("free first axis"),
        "{error}"
    );
}
