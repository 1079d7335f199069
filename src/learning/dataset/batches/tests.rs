use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;

use super::*;
use crate::learning::classes::Classes;
use crate::learning::dataset::augment::ChannelDrop;
use crate::learning::dataset::{Part, Scene, Settings, Split};
use crate::raster::describe::Description;
use crate::raster::memory::from_arrays;
use crate::raster::operation::{Scene as Rows, SceneOperation};
use crate::raster::{Affine, Grid, Pixels, Raster, Unit};
use crate::work::Context;

/// Adds 1 to every pixel, and counts how often it runs.
struct Counted(Arc<AtomicUsize>);

impl SceneOperation for Counted {
    fn name(&self) -> String {
        "counted".into()
    }
    fn describe(&self) -> Result<Description> {
        Err(Error::message("a test's"))
    }
    fn run(&self, scene: &mut dyn Rows) -> Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let (rows, cols) = scene.shape();
        let mut row = vec![0.0; cols];
        for r in 0..rows {
            scene.read_row(r, &mut row)?;
            row.iter_mut().for_each(|v| *v += 1.0);
            scene.write_row(r, &row)?;
        }
        Ok(())
    }
}

const SIDE: usize = 40;

/// Bands `vv` (power, a few pixels masked) and `dem`, and labels of two classes and none; the whole scene's operation counts its runs.
fn scene(number: usize, runs: &Arc<AtomicUsize>) -> Scene {
    let at = Affine::north_up(1000.0 * number as f64, 0.0, 1.0, 1.0);
    let grid = Arc::new(Grid::new(None, at, SIDE, SIDE).unwrap());
    let value = |r: usize, c: usize| (number * 10_000 + r * 100 + c) as f32;
    let vv = Array2::from_shape_fn((SIDE, SIDE), |(r, c)| {
        if (r + c) % 13 == 0 { f32::NAN } else { value(r, c) }
    });
    let dem = Array2::from_shape_fn((SIDE, SIDE), |(r, c)| value(r, c) / 7.0);
    let labels = Array2::from_shape_fn((SIDE, SIDE), |(r, c)| ((r / 3 + c / 5 + number) % 3) as f32);
    let image = from_arrays(
        grid.clone(),
        vec![
            ("vv".into(), Pixels::F32(vv), Unit::Power),
            ("dem".into(), Pixels::F32(dem), Unit::Unknown),
        ],
    );
    let image: Raster = image
        .unwrap()
        .map_scenes(|_| Ok(Arc::new(Counted(runs.clone()))))
        .unwrap();
    Scene {
        image,
        labels: from_arrays(grid, vec![("labels".into(), Pixels::F32(labels), Unit::Unknown)]).unwrap(),
        group: format!("scene {number}"),
        properties: Default::default(),
    }
}

fn dataset(runs: &Arc<AtomicUsize>, balance: bool) -> Arc<Dataset> {
    let settings = Settings {
        chip: 10,
        step: None,
        minimum_labelled: 0.1,
        classes: Classes::new([(0, "land".into()), (1, "water".into())]).unwrap(),
        split: Split {
            validation: Part::Share(0.25),
            test: Part::Share(0.0),
            ..Split::default()
        },
        balance,
    };
    Arc::new(Dataset::new((0..4).map(|n| scene(n, runs)).collect(), settings).unwrap())
}

fn settings(dataset: &Dataset) -> BatchSettings {
    BatchSettings {
        side: Side::Training,
        size: 5,
        shuffle: true,
        seed: 3,
        epoch: 0,
        augment: Augment {
            flips: true,
            turns: true,
            drop: Some(ChannelDrop {
                bands: vec!["dem".into()],
                probability: 0.5,
                draws: 1,
            }),
            speckle: Some(super::super::augment::Speckle {
                bands: vec!["vv".into()],
                looks: 4.0,
            }),
        },
        normalisation: dataset.normalisation().unwrap(),
        fill: 0.0,
    }
}

fn all(dataset: &Arc<Dataset>, settings: &BatchSettings) -> Vec<Batch> {
    let mut batches = dataset.batches(settings).unwrap();
    let mut out = Vec::new();
    while let Some(batch) = batches.next_batch().unwrap() {
        out.push(batch);
    }
    assert_eq!(out.len(), batches.count());
    out
}

#[test]
fn operations_on_scenes_run_once_whatever_the_chips_epochs_and_threads() {
    for threads in [1, 8] {
        let runs = Arc::new(AtomicUsize::new(0));
        let context = Context::new().with_threads(threads);
        let _entered = context.enter();
        let dataset = dataset(&runs, false);
        assert_eq!(
            runs.load(Ordering::Relaxed),
            0,
            "labels are counted without the images"
        );
        let mut settings = settings(&dataset);
        for epoch in 0..3 {
            settings.epoch = epoch;
            all(&dataset, &settings);
        }
        // Of two bands of the three scenes that train.
        assert_eq!(runs.load(Ordering::Relaxed), 6);
        settings.side = Side::Validation;
        all(&dataset, &settings);
        assert_eq!(runs.load(Ordering::Relaxed), 8);
    }
}

#[test]
fn batches_are_the_same_whatever_the_threads_and_others_in_each_epoch() {
    let made = |threads, epoch| {
        let context = Context::new().with_threads(threads);
        let _entered = context.enter();
        let dataset = dataset(&Arc::default(), false);
        let settings = BatchSettings {
            epoch,
            ..settings(&dataset)
        };
        all(&dataset, &settings)
    };
    let first = made(1, 0);
    assert_eq!(first, made(7, 0));
    assert_ne!(first, made(1, 1));
    // 3 scenes of 16 chips, 5 a batch.
    let sizes: Vec<usize> = first.iter().map(|batch| batch.labels.len_of(Axis(0))).collect();
    assert_eq!(sizes, [5, 5, 5, 5, 5, 5, 5, 5, 5, 3]);
}

#[test]
fn plain_batches_are_the_chips_normalised_and_filled() {
    let dataset = dataset(&Arc::default(), false);
    let plain = BatchSettings {
        shuffle: false,
        augment: Augment::default(),
        fill: -9.0,
        ..settings(&dataset)
    };
    let normalisation = dataset.normalisation().unwrap();
    // A slow loop over the training scenes: the operation added 1.
    let training: Vec<usize> = dataset.of(Side::Training);
    let mut values: [Vec<f64>; 2] = Default::default();
    for &chip in &training {
        let (scene, window) = (&dataset.chips[chip].scene, dataset.chips[chip].window);
        for r in window.row as usize..window.row as usize + 10 {
            for c in window.col as usize..window.col as usize + 10 {
                let v = (scene * 10_000 + r * 100 + c) as f32;
                if (r + c) % 13 != 0 {
                    values[0].push(f64::from(v + 1.0));
                }
                values[1].push(f64::from(v / 7.0 + 1.0));
            }
        }
    }
    for (n, values) in normalisation.iter().zip(&values) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
        assert!(
            (n.mean - mean).abs() < 1e-6 * mean && (n.std - std).abs() < 1e-6 * std,
            "{n:?} {mean} {std}"
        );
    }
    let batches = all(&dataset, &plain);
    for (i, &chip) in training.iter().enumerate() {
        let batch = &batches[i / 5];
        let (image, labels) = (
            batch.images.index_axis(Axis(0), i % 5),
            batch.labels.index_axis(Axis(0), i % 5),
        );
        let (scene, window) = (dataset.chips[chip].scene, dataset.chips[chip].window);
        for r in 0..10 {
            for c in 0..10 {
                let (y, x) = (window.row as usize + r, window.col as usize + c);
                let v = (scene * 10_000 + y * 100 + x) as f32 + 1.0;
                let masked = (y + x) % 13 == 0;
                let expected = match masked {
                    true => -9.0,
                    false => ((f64::from(v) - normalisation[0].mean) / normalisation[0].std) as f32,
                };
                assert_eq!(image[[0, r, c]], expected);
                let class = (y / 3 + x / 5 + scene) % 3;
                let label = if masked || class == 2 {
                    IGNORED
                } else {
                    class as u8
                };
                assert_eq!(labels[[r, c]], label);
            }
        }
    }
}

#[test]
fn balance_draws_rare_classes_more_often_and_only_in_training() {
    let runs = Arc::default();
    let mut dataset = Arc::into_inner(dataset(&runs, true)).unwrap();
    // Water is on one chip in eight, and there it is all.
    for (i, chip) in dataset.chips.iter_mut().enumerate() {
        chip.counts = if i % 8 == 0 { vec![0, 90] } else { vec![90, 0] };
    }
    let dataset = Arc::new(dataset);
    let mut settings = BatchSettings {
        augment: Augment::default(),
        ..settings(&dataset)
    };
    let (mut wet, mut drawn) = (0, 0);
    for epoch in 0..50 {
        settings.epoch = epoch;
        let order = dataset.order(&settings).unwrap();
        assert_eq!(order.len(), 48);
        drawn += order.len();
        wet += order.iter().filter(|chip| *chip % 8 == 0).count();
    }
    assert!((wet as f64 / drawn as f64 - 0.5).abs() < 0.03, "{wet} of {drawn}");
    settings.side = Side::Validation;
    let mut order = dataset.order(&settings).unwrap();
    order.sort_unstable();
    assert_eq!(order, dataset.of(Side::Validation));
}

#[test]
fn who_stops_early_or_asks_for_what_is_not_there_is_told() {
    let dataset = dataset(&Arc::default(), false);
    let good = settings(&dataset);
    let mut batches = dataset.batches(&good).unwrap();
    let first = batches.next_batch().unwrap().unwrap();
    assert_eq!(first.images.shape(), [5, 2, 10, 10]);
    drop(batches);
    let error = |settings: &BatchSettings| dataset.batches(settings).err().unwrap().to_string();
    let test = BatchSettings {
        side: Side::Test,
        ..good.clone()
    };
    assert!(error(&test).contains("no chip is on the test side"));
    let mut speckled = good.clone();
    speckled.augment.speckle = Some(super::super::augment::Speckle {
        bands: vec!["dem".into()],
        looks: 1.0,
    });
    assert!(error(&speckled).contains("must be bands in power or dB"));
    let mut dropped = good;
    dropped.augment.drop = Some(ChannelDrop {
        bands: vec!["red".into()],
        probability: 0.5,
        draws: 1,
    });
    assert!(error(&dropped).contains("no band `red`"));
}
