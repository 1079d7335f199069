//! How windows come about: each once, in any order of tiles, threads and batches; what stops them, and where they go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array2, Array4};
use perilune::error::Error;
use perilune::inference::{Blend, Product, Settings};
use perilune::raster::Window;
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::file::write::{WriteOptions, write};
use perilune::work;

use crate::common::*;
use crate::networks::*;

#[test]
fn tiles_threads_regions_and_batches_do_not_matter_and_windows_come_once() {
    let (rows, cols) = (150, 131);
    let image = image(&utm_grid(rows, cols), noise(5, rows, cols));
    for blend in [Blend::Hann, Blend::Crop, Blend::Max] {
        let made = applied(&convolution(), &image, &settings(32, 9, blend)).unwrap();
        assert_tiling_does_not_matter(&made, &format!("{blend:?}"));
        let right = values(&made);
        for threads in [1, 2, 7] {
            for batch in [1, 3, 100] {
                let network = convolution();
                let settings = Settings {
                    batch,
                    ..settings(32, 9, blend)
                };
                let made = applied(&network, &image, &settings).unwrap();
                // The window of zeros that shows its output.
                assert_eq!(network.counted(), 1);
                let context = work::Context::new().with_threads(threads);
                let _entered = context.enter();
                for (found, right) in computed(&made, made.grid.window(), (17, 23)).iter().zip(&right) {
                    assert_same(
                        found,
                        right,
                        &format!("{blend:?}, {threads} threads, batches of {batch}"),
                    );
                }
                // Every 23 pixels, until the image ends: 7 rows and 6 columns.
                assert_eq!(network.counted(), 7 * 6);
                // What was made is kept.
                values(&made.select(&[made.bands[0].name.clone()]).unwrap());
                assert_eq!(network.counted(), 0);
            }
        }
        // Each in a graph of its own.
        for window in [
            Window::new(0, 0, 1, 1),
            Window::new(40, 50, 20, 30),
            Window::new(149, 130, 1, 1),
            Window::new(0, 60, 150, 3),
        ] {
            let network = convolution();
            let made = applied(&network, &image, &settings(32, 9, blend)).unwrap();
            network.counted();
            let (r, c) = (window.row as usize, window.col as usize);
            for (found, right) in computed(&made, window, (16, 16)).iter().zip(&right) {
                let part = right.slice(ndarray::s![r..r + window.rows, c..c + window.cols]);
                assert_same(found, &part.to_owned(), &format!("{blend:?}, {window}"));
            }
            assert!(network.counted() <= 16, "{window}");
        }
    }
}

#[test]
fn windows_without_a_valid_pixel_are_not_computed() {
    let (rows, cols) = (128, 128);
    let pixels = Array2::from_shape_fn((rows, cols), |(r, c)| match (r, c) {
        (70, 100) => 2.0,
        _ => f32::NAN,
    });
    let image = image(&utm_grid(rows, cols), pixels);
    let network = convolution();
    let made = applied(&network, &image, &settings(32, 0, Blend::Hann)).unwrap();
    network.counted();
    let found = values(&made).swap_remove(1);
    assert_eq!(network.counted(), 1);
    assert_eq!(found.iter().filter(|v| !v.is_nan()).count(), 1);
    assert_eq!(found[(70, 100)], 2.0);
}

#[test]
fn a_batch_that_has_no_room_is_halved() {
    let mut small = convolution();
    Arc::get_mut(&mut small).unwrap().room = 2;
    let (rows, cols) = (40, 200);
    let image = image(&utm_grid(rows, cols), noise(12, rows, cols));
    let settings = Settings {
        batch: 8,
        ..settings(32, 8, Blend::Hann)
    };
    let recorder = Arc::new(work::Recorder::new(&[]));
    let context = work::Context::new().with_output(recorder.clone());
    let _entered = context.enter();
    let made = values(&applied(&small, &image, &settings).unwrap());
    let right = values(&applied(&convolution(), &image, &settings).unwrap());
    assert_same(&made[0], &right[0], "halved");
    let told = recorder.text(work::Stream::Stderr);
    assert!(
        told.contains("no room for a batch of 8 windows; it goes on with 4"),
        "{told}"
    );
    assert!(small.batches.lock().unwrap().iter().all(|n| *n <= 2));
    Arc::get_mut(&mut small).unwrap().room = 0;
    let error = applied(&small, &image, &settings).err().unwrap().to_string();
    assert!(error.contains("take a smaller one"), "{error}");
}

#[test]
fn errors_and_stops_of_networks_come_out_and_leave_nobody_waiting() {
    let (rows, cols) = (300, 300);
    let image = image(&utm_grid(rows, cols), noise(13, rows, cols));
    let broken = network(&[ANY], |inputs| {
        inputs[0].mapv(|v| if v > 2.0 { f32::NAN } else { v }).into_dyn()
    });
    let made = applied(&broken, &image, &settings(32, 0, Blend::Hann)).unwrap();
    let error = made.read(made.grid.window()).unwrap_err().to_string();
    assert!(
        error.contains("gives NaN in channel 0 of the window at rows"),
        "{error}"
    );
    let panics = network(&[ANY], |inputs| {
        assert!(inputs[0].iter().all(|v| *v < 2.0), "two");
        inputs[0].clone().into_dyn()
    });
    let made = applied(&panics, &image, &settings(32, 0, Blend::Hann)).unwrap();
    let error = made.read(made.grid.window()).unwrap_err().to_string();
    assert!(error.contains("internal error"), "{error}");
    // A stop while the network is at work.
    let context = work::Context::new();
    let stop = context.stop().clone();
    let slow = network(&[ANY], |inputs| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        inputs[0].clone().into_dyn()
    });
    let made = applied(&slow, &image, &settings(16, 0, Blend::Hann)).unwrap();
    let _entered = context.enter();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            stop.request(perilune::interrupt::Reason::Signal);
        });
        let start = std::time::Instant::now();
        assert!(matches!(made.read(made.grid.window()), Err(Error::Interrupted)));
        assert!(start.elapsed().as_secs_f64() < 1.0);
    });
}

#[test]
fn a_write_that_was_stopped_goes_on_where_it_was() {
    let (rows, cols) = (400, 90);
    let image = image(&utm_grid(rows, cols), noise(16, rows, cols));
    let settings = Settings {
        products: vec![Product::Classes, Product::Values],
        ..settings(32, 8, Blend::Hann)
    };
    let folder = tempfile::tempdir().unwrap();
    let resumed = WriteOptions {
        resume: true,
        ..WriteOptions::default()
    };
    let path = |name: &str| folder.path().join(name);
    // 17 rows of windows, and 4 columns.
    let all = 17 * 4;
    let whole = convolution();
    let made = applied(&whole, &image, &settings).unwrap();
    write(&made, &path("whole.tif"), &resumed).unwrap();
    assert_eq!(whole.counted(), 1 + all);
    let left = Arc::new(AtomicUsize::new(40));
    let mut stopped = convolution();
    let network = Arc::get_mut(&mut stopped).unwrap();
    let compute = std::mem::replace(
        &mut network.compute,
        Box::new(|inputs: &[Array4<f32>]| inputs[0].clone().into_dyn()),
    );
    let count = left.clone();
    network.compute = Box::new(move |inputs| {
        let before = count.fetch_sub(1, Ordering::Relaxed);
        assert!(before > 0 && before <= all, "stopped");
        compute(inputs)
    });
    let made = applied(&stopped, &image, &settings).unwrap();
    let error = write(&made, &path("resumed.tif"), &resumed)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("stopped") && !path("resumed.tif").exists(),
        "{error}"
    );
    let own = std::fs::read_dir(path(".perilune")).unwrap();
    assert_eq!(own.count(), 4);
    // Another graph does not go on with it.
    let other = applied(
        &convolution(),
        &image,
        &Settings {
            overlap: Some(9),
            ..settings.clone()
        },
    )
    .unwrap();
    let other_values = values(&other);
    write(&other, &path("other.tif"), &resumed).unwrap();
    assert_same(
        &values(&open(&path("other.tif").to_string_lossy(), &OpenOptions::default()).unwrap())[2],
        &other_values[2],
        "other",
    );
    left.store(all, Ordering::Relaxed);
    stopped.counted();
    let made = applied(&stopped, &image, &settings).unwrap();
    write(&made, &path("resumed.tif"), &resumed).unwrap();
    // Of the first 39 or so, 8 or 9 rows were done.
    let counted = stopped.counted() - 1;
    assert!((all - 40..all - 24).contains(&counted), "{counted} of {all}");
    assert_eq!(
        std::fs::read(path("resumed.tif")).unwrap(),
        std::fs::read(path("whole.tif")).unwrap()
    );
    assert!(!path(".perilune").exists());
}

#[test]
fn a_model_on_a_model_computes_each_window_once() {
    let (rows, cols) = (140, 90);
    let pixels = noise(14, rows, cols);
    let image = image(&utm_grid(rows, cols), pixels.clone());
    let (first, second) = (convolution(), convolution());
    let between = applied(&first, &image, &settings(32, 8, Blend::Crop)).unwrap();
    let between = between.select(&[between.bands[0].name.clone()]).unwrap();
    let made = applied(&second, &between, &settings(40, 8, Blend::Crop)).unwrap();
    first.counted();
    second.counted();
    let found = values(&made);
    assert_eq!((first.counted(), second.counted()), (6 * 4, 5 * 3));
    let once = convolved(&filled(&pixels), &kernel);
    let masked = Array2::from_shape_fn((rows, cols), |at| match pixels[at].is_nan() {
        true => 0.0,
        false => once[at],
    });
    assert_near(&found[0], &convolved(&masked, &kernel), &pixels, "twice");
}
