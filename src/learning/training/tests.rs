//! Training against PyTorch's, and against itself when it is interrupted.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array3, Array4, s};

use super::*;
use crate::error::Choice as _;
use crate::error::{Error, Result};
use crate::learning::fixtures::{self, assert_close, fixture, floats, numbers};
use crate::learning::network::{Encoder, Net, UNet, Weights, in_memory, on_device, start};
use crate::learning::torch::{self, Device, Tensor};

const SMALL: UNet = UNet {
    encoder: Encoder::ResNet18,
    channels: 2,
    classes: 2,
};

/// As record.py: an optimiser step on two chips of 64 × 64 pixels with weights 1, 2, …, a part of the pixels without a label.
fn steps_as_smp(unet: UNet) {
    torch::open(Device::Cpu).unwrap();
    torch::enter(2).unwrap();
    let recorded = fixture(unet.encoder.name());
    let plan = unet.plan();
    let state = on_device(&fixtures::weights(&plan.parameters()), Device::Cpu).unwrap();
    let net = Net::new(plan, state, Device::Cpu).unwrap();
    let mut optimiser = Optimiser::new(&net, Kind::Adam, 0.0).unwrap();
    let images = fixtures::tensor(31, &[2, unet.channels, 64, 64]);
    let labels: Vec<u8> = numbers(32, 2 * 64 * 64)
        .into_iter()
        .map(|n| ((n + 1.0) / 2.0 * (unet.classes as f64 + 0.5)) as u8)
        .map(|label| {
            if usize::from(label) == unet.classes {
                UNLABELLED
            } else {
                label
            }
        })
        .collect();
    let labels = Array3::from_shape_vec((2, 64, 64), labels).unwrap();
    let weights = (1..=unet.classes).map(|w| w as f32).collect();
    let loss = Loss::CrossEntropy {
        weights: Some(weights),
    };
    let whole = loss.share(labels.view());

    let (logits, tape) = net.train(&images).unwrap();
    let sampled: Vec<f32> = logits.to_floats().unwrap().into_iter().step_by(101).collect();
    // PyTorch itself gives up to 3.7e-5 other numbers, and norms of gradients up to 0.5 %, on a processor with AVX2 alone than where these were recorded.
    assert_close("training forward", &sampled, &floats(&recorded["train"]), 1e-4);
    let scored = loss.score(&logits, labels.view(), whole, Device::Cpu).unwrap();
    let number = |name: &str| recorded[name].as_f64().unwrap() as f32;
    assert_close("loss", &[scored.value.number().unwrap()], &[number("loss")], 1e-5);

    let gradients = net.backward(tape, scored.gradient).unwrap();
    let norms: BTreeMap<String, f64> = serde_json::from_value(recorded["gradients"].clone()).unwrap();
    assert_eq!(norms.len(), gradients.len());
    for (name, expected) in &norms {
        let values = gradients[name].to_floats().unwrap();
        let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        assert!(
            (norm / expected - 1.0).abs() < 0.01,
            "gradient of {name}: {norm} {expected}"
        );
    }
    optimiser.step(gradients, 1e-4).unwrap();
    let after: BTreeMap<String, Vec<f64>> = serde_json::from_value(recorded["after"].clone()).unwrap();
    let (mut off, mut size) = (0.0, 0.0);
    for (name, array) in in_memory(net.state()).unwrap() {
        let every = (array.values.len() / 5).max(1);
        let sampled = array.values.into_iter().step_by(every);
        for (is, should) in sampled.zip(&after[&name]) {
            off += (f64::from(is) - should).powi(2);
            size += should.powi(2);
        }
    }
    assert!(
        (off / size).sqrt() < 1e-4,
        "{unet}: parameters after a step differ by {}",
        (off / size).sqrt()
    );
    let (logits, _) = net.train(&images).unwrap();
    let again = loss.score(&logits, labels.view(), whole, Device::Cpu).unwrap();
    assert_close(
        "loss after a step",
        &[again.value.number().unwrap()],
        &[number("loss after")],
        1e-3,
    );
}

#[test]
fn resnet18_steps_as_smps() {
    steps_as_smp(UNet {
        encoder: Encoder::ResNet18,
        channels: 4,
        classes: 2,
    });
}

#[test]
fn resnet34_steps_as_smps() {
    steps_as_smp(UNet {
        encoder: Encoder::ResNet34,
        channels: 3,
        classes: 2,
    });
}

#[test]
fn resnet50_steps_as_smps() {
    steps_as_smp(UNet {
        encoder: Encoder::ResNet50,
        channels: 2,
        classes: 3,
    });
}

/// Chips of 32 × 32 pixels whose class is the sign of the first channel, a sixteenth of them without a label.
struct Made {
    chips: usize,
    /// Turns a chip of this epoch into NaN.
    broken: Option<usize>,
}

struct Pass {
    left: Vec<u32>,
    is_broken: bool,
}

impl Batches for Pass {
    fn next(&mut self) -> Result<Option<Batch>> {
        let Some(seed) = self.left.pop() else {
            return Ok(None);
        };
        let values = fixtures::array(seed, 2 * 2 * 32 * 32);
        let mut images = Array4::from_shape_vec((2, 2, 32, 32), values).unwrap();
        // Smooth enough for a network that sees 32 pixels as one.
        for mut plane in images.outer_iter_mut() {
            let level = plane[[0, 0, 0]];
            plane.slice_mut(s![0, .., ..16]).fill(level);
            plane.slice_mut(s![0, .., 16..]).fill(-level);
        }
        let mut labels = images.slice(s![.., 0, .., ..]).mapv(|v| u8::from(v > 0.0));
        labels.slice_mut(s![.., ..8, ..8]).fill(UNLABELLED);
        if self.is_broken {
            images[[0, 0, 0, 0]] = f32::NAN;
        }
        Ok(Some(Batch { images, labels }))
    }
}

impl Source for Made {
    fn training(&self, epoch: usize) -> Result<Box<dyn Batches + '_>> {
        let seeds = (0..self.chips as u32).map(|chip| chip * 7 + epoch as u32 * 100);
        Ok(Box::new(Pass {
            left: seeds.collect(),
            is_broken: self.broken == Some(epoch),
        }))
    }

    fn validation(&self) -> Result<Box<dyn Batches + '_>> {
        Ok(Box::new(Pass {
            left: vec![5000, 5001],
            is_broken: false,
        }))
    }

    fn count(&self) -> usize {
        self.chips
    }
}

fn settings(epochs: usize) -> Settings {
    Settings {
        made: super::Made {
            network: SMALL,
            bands: vec!["HH".into(), "HV".into()],
            classes: vec!["land".into(), "water".into()],
            loss: Loss::CrossEntropy { weights: None },
            optimiser: Kind::AdamW,
            learning_rate: 1e-3,
            weight_decay: 0.01,
            accumulate: 2,
            seed: 3,
        },
        epochs,
        patience: Patience {
            halving: 1,
            least_learning_rate: 1e-5,
            stop: 100,
        },
        best: Best::Iou,
        device: Device::Cpu,
    }
}

fn run(folder: &Path, settings: Settings, source: &Made) -> Result<Trained> {
    train(
        settings,
        source,
        folder,
        || Ok(start(&SMALL.plan(), 3)),
        |_, _, _| Ok(()),
    )
}

fn state(folder: &Path) -> Checkpoint {
    Checkpoint::read(&last(folder), &settings(1).made).unwrap()
}

#[test]
fn a_network_learns_and_goes_on_bit_for_bit_where_it_was_ended() {
    let source = Made {
        chips: 5,
        broken: None,
    };
    let whole = tempfile::tempdir().unwrap();
    let trained = run(whole.path(), settings(4), &source).unwrap();
    assert_eq!(trained.epochs.len(), 4);
    let measures: Vec<f64> = trained
        .epochs
        .iter()
        .map(|e| e.confusion().overall().mean_iou)
        .collect();
    assert!(measures[trained.best - 1] > 0.6, "{measures:?}");
    assert_eq!(trained.epochs[0].confusion().pixels(), 4 * (32 * 32 - 64));
    // 3 steps an epoch: two of two batches and one of the last.
    assert_eq!(state(whole.path()).header.steps, 12);

    let parts = tempfile::tempdir().unwrap();
    run(parts.path(), settings(2), &source).unwrap();
    assert_eq!(state(parts.path()).header.epochs.len(), 2);
    // Ended in the middle of an epoch, as by a kill: what has happened since the last state is done again.
    let failing = Made {
        chips: 5,
        broken: Some(3),
    };
    run(parts.path(), settings(4), &failing).err().unwrap();
    let again = run(parts.path(), settings(4), &source).unwrap();
    assert_eq!(again.epochs, trained.epochs);
    assert_eq!(again.weights, trained.weights);
    assert_eq!(state(parts.path()), state(whole.path()));
}

#[test]
fn a_loss_that_is_no_number_names_its_place_and_keeps_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let source = Made {
        chips: 2,
        broken: Some(2),
    };
    let why = run(folder.path(), settings(3), &source)
        .err()
        .unwrap()
        .to_string();
    assert!(
        why.contains("the loss is NaN (epoch 2, batch 2)") && why.contains("learning_rate"),
        "{why}"
    );
    assert_eq!(state(folder.path()).header.epochs.len(), 1);
    assert!(best(folder.path()).exists());
}

#[test]
fn a_state_of_another_training_is_an_error_that_names_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let source = Made {
        chips: 1,
        broken: None,
    };
    run(folder.path(), settings(1), &source).unwrap();
    let other = |change: &dyn Fn(&mut super::Made)| {
        let mut settings = settings(1);
        change(&mut settings.made);
        run(folder.path(), settings, &source).err().unwrap().to_string()
    };
    let why = other(&|made| made.network.encoder = Encoder::ResNet34);
    assert!(
        why.contains("U-Net with resnet18, 2 channels, 2 classes there, U-Net with resnet34"),
        "{why}"
    );
    for (network, said) in [
        (
            UNet { channels: 3, ..SMALL },
            "2 channels, 2 classes there, U-Net with resnet18, 3 channels, 2 classes here",
        ),
        (
            UNet { classes: 4, ..SMALL },
            "2 channels, 2 classes there, U-Net with resnet18, 2 channels, 4 classes here",
        ),
    ] {
        let why = other(&|made| made.network = network);
        assert!(
            why.contains(said) && why.contains("choose another folder, or remove it"),
            "{why}"
        );
    }
    let why = other(&|made| made.learning_rate = 0.5);
    assert!(why.contains("learning_rate 0.001 there, 0.5 here"), "{why}");
    let why = other(&|made| made.bands.swap(0, 1));
    assert!(why.contains("bands HH, HV there, HV, HH here"), "{why}");
    let why = other(&|made| made.loss = Loss::Dice);
    assert!(why.contains("loss CrossEntropy"), "{why}");
    let path = last(folder.path());
    std::fs::copy(best(folder.path()), &path).unwrap();
    let why = Checkpoint::read(&path, &settings(1).made)
        .unwrap_err()
        .to_string();
    assert!(why.contains("is no checkpoint of training"), "{why}");
}

/// Whatever is wrong with a state, the error says what may be saved.
#[test]
fn a_state_that_is_damaged_says_so_and_leads_to_the_best_weights() {
    let folder = tempfile::tempdir().unwrap();
    let source = Made {
        chips: 1,
        broken: None,
    };
    run(folder.path(), settings(1), &source).unwrap();
    let right = state(folder.path());
    let path = last(folder.path());
    let bytes = std::fs::read(&path).unwrap();
    let refused = |said: &str| {
        let why = run(folder.path(), settings(2), &source)
            .err()
            .unwrap()
            .to_string();
        for part in [said, "last.safetensors", "best.safetensors beside it"] {
            assert!(why.contains(part), "{said}: {why}");
        }
    };
    for end in [5, 2000, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..end]).unwrap();
        refused("no whole safetensors file");
    }
    let name = "encoder.layer1.0.conv1.weight";
    let with = |change: &dyn Fn(&mut Checkpoint)| {
        let mut changed = right.clone();
        change(&mut changed);
        changed.write(&path).unwrap();
    };
    with(&|state| state.weights.get_mut(name).unwrap().values[3] = f32::NAN);
    refused("encoder.layer1.0.conv1.weight holds NaN");
    with(&|state| state.memory[1].get_mut(name).unwrap().values[3] = f32::INFINITY);
    refused("encoder.layer1.0.conv1.weight holds inf");
    with(&|state| drop(state.memory[0].remove(name)));
    refused("without encoder.layer1.0.conv1.weight");
    // What counts and numbers of epochs cannot be.
    with(&|state| state.header.best = Some(0));
    refused("whose history cannot be");
    with(&|state| state.header.best = Some(2));
    refused("whose history cannot be");
    with(&|state| state.header.epochs[0].counts[1].push(3));
    refused("whose history cannot be");
    with(&|state| state.header.epochs[0].counts = vec![vec![u64::MAX, 1], vec![0, 0]]);
    refused("whose history cannot be");
    with(&|state| state.header.schedule.learning_rate = -1.0);
    refused("whose history cannot be");
    // It is no file of weights either, and the best weights are.
    right.write(&path).unwrap();
    let plan = SMALL.plan();
    let why = crate::learning::network::whole(&plan, &path)
        .unwrap_err()
        .to_string();
    assert!(
        why.contains("is the state of a training") && why.contains("best.safetensors"),
        "{why}"
    );
    assert_eq!(
        crate::learning::network::whole(&plan, &best(folder.path())).unwrap(),
        right.weights
    );
}

#[test]
fn batches_that_are_not_for_the_network_are_errors() {
    let mut trainer = Trainer::start(settings(1), &start(&SMALL.plan(), 1)).unwrap();
    let batch = |channels, label| Batch {
        images: Array4::zeros((1, channels, 32, 32)),
        labels: Array3::from_elem((1, 32, 32), label),
    };
    let why = trainer.step(&[batch(3, 0)]).unwrap_err().to_string();
    assert!(why.contains("takes 2 channels"), "{why}");
    let why = trainer.step(&[batch(2, 2)]).unwrap_err().to_string();
    assert!(why.contains("label 2") && why.contains("2 classes"), "{why}");
    let before = trainer.weights().unwrap();
    assert!(trainer.step(&[batch(2, UNLABELLED)]).unwrap().is_none());
    assert_eq!(trainer.weights().unwrap(), before);
}

/// What the network is computed in parts of: as the sum of the parts by hand.
#[test]
fn gradients_of_parts_are_summed() {
    torch::open(Device::Cpu).unwrap();
    torch::enter(2).unwrap();
    let plan = SMALL.plan();
    let loss = Loss::CrossEntropy { weights: None };
    let make = || {
        Net::new(
            plan.clone(),
            on_device(&start(&plan, 1), Device::Cpu).unwrap(),
            Device::Cpu,
        )
        .unwrap()
    };
    let mut pass = Pass {
        left: vec![9, 8],
        is_broken: false,
    };
    let batches = [pass.next().unwrap().unwrap(), pass.next().unwrap().unwrap()];
    let whole: f64 = batches.iter().map(|b| loss.share(b.labels.view())).sum();
    let of = |most: &mut usize| {
        let found = super::step::gradients(&make(), &loss, &batches, whole, most).unwrap();
        (found.loss.number().unwrap(), in_memory(&found.of).unwrap())
    };
    let parts: (f32, Weights) = of(&mut 1);
    let (mut sum, mut gradients) = (0.0, BTreeMap::<String, Vec<f32>>::new());
    for batch in &batches {
        for sample in 0..2 {
            let net = make();
            let images = batch.tensor(sample..sample + 1, Device::Cpu).unwrap();
            let (logits, tape) = net.train(&images).unwrap();
            let labels = batch.labels.slice(s![sample..=sample, .., ..]);
            let scored = loss.score(&logits, labels, whole, Device::Cpu).unwrap();
            sum += scored.value.number().unwrap();
            for (name, array) in in_memory(&net.backward(tape, scored.gradient).unwrap()).unwrap() {
                let total = gradients
                    .entry(name)
                    .or_insert_with(|| vec![0.0; array.values.len()]);
                total.iter_mut().zip(array.values).for_each(|(t, v)| *t += v);
            }
        }
    }
    assert_close("loss", &[parts.0], &[sum], 1e-6);
    for (name, expected) in gradients {
        assert_close(&name, &parts.1[&name].values, &expected, 1e-5);
    }
}

/// Measured with PyTorch's own network (../shared/reference/learning.md): 104 MB a chip of 4 × 256² for ResNet-18, 202 MB for ResNet-50.
#[test]
fn the_memory_of_a_chip_is_known_before() {
    for (encoder, measured) in [(Encoder::ResNet18, 104e6), (Encoder::ResNet50, 202e6)] {
        let unet = UNet { encoder, ..SMALL };
        let estimate = unet.plan().bytes_in_training(256, 256) as f64;
        assert!(
            (0.9..1.6).contains(&(estimate / measured)),
            "{encoder:?}: {estimate}"
        );
    }
}

struct Failing;

impl Batches for Failing {
    fn next(&mut self) -> Result<Option<Batch>> {
        Err(Error::message("chip 7 cannot be read"))
    }
}

#[test]
fn chips_come_from_another_thread_with_their_errors() {
    let failed = ahead(Box::new(Failing), |chips| chips.next_batch().map(drop));
    assert_eq!(failed.unwrap_err().to_string(), "chip 7 cannot be read");
    let slow = Pass {
        left: vec![1, 2, 3, 4, 5, 6],
        is_broken: false,
    };
    // Who stops early does not wait for the rest.
    ahead(Box::new(slow), |chips| {
        assert!(chips.next_batch()?.is_some());
        Ok(())
    })
    .unwrap();
    let all = Pass {
        left: vec![1, 2, 3],
        is_broken: false,
    };
    let count = ahead(Box::new(all), |chips| {
        let mut count = 0;
        while chips.next_batch()?.is_some() {
            count += 1;
        }
        Ok(count)
    });
    assert_eq!(count.unwrap(), 3);
}

#[test]
fn tensors_of_a_batch_are_its_samples() {
    torch::open(Device::Cpu).unwrap();
    let batch = Pass {
        left: vec![4],
        is_broken: false,
    }
    .next()
    .unwrap()
    .unwrap();
    let tensor: Tensor = batch.tensor(1..2, Device::Cpu).unwrap();
    assert_eq!(tensor.size().unwrap(), [1, 2, 32, 32]);
    let expected: Vec<f32> = batch.images.slice(s![1..2, .., .., ..]).iter().copied().collect();
    assert_eq!(tensor.to_floats().unwrap(), expected);
}

/// CPU seconds of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, in hundredths on every Linux that we run on.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[test]
#[ignore = "a benchmark, which scripts/bench_peers/training_step.py runs beside PyTorch"]
fn a_step_of_four_chips_is_timed() {
    for encoder in [Encoder::ResNet18, Encoder::ResNet50] {
        let mut settings = settings(1);
        settings.made.network = UNet {
            encoder,
            channels: 4,
            classes: 2,
        };
        let plan = settings.made.network.plan();
        let _two = crate::work::Context::new().with_threads(2).enter();
        let mut trainer = Trainer::start(settings, &start(&plan, 0)).unwrap();
        let images = Array4::from_shape_fn((4, 4, 256, 256), |(n, c, i, j)| {
            ((n * 7 + c * 3 + i * 13 + j * 5) % 17) as f32 / 8.0 - 1.0
        });
        let labels = Array3::from_shape_fn((4, 256, 256), |(_, i, j)| ((i / 32 + j / 32) % 2) as u8);
        let batch = [Batch { images, labels }];
        let (mut least, mut wall) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..6 {
            let (begun, before) = (std::time::Instant::now(), cpu_seconds());
            let (loss, _) = trainer.step(&batch).unwrap().unwrap();
            loss.number().unwrap();
            least = least.min(cpu_seconds() - before);
            wall = wall.min(begun.elapsed().as_secs_f64());
        }
        println!("perilune {encoder:?}: {least:.2} CPU s, {wall:.2} s a step");
    }
}
