//! Networks against segmentation_models_pytorch's.

use std::collections::BTreeMap;

use super::*;
use crate::error::Choice as _;
use crate::learning::fixtures::{self, assert_close, fixture, floats};
use crate::learning::torch::{self, Device};

fn net(unet: UNet) -> Net {
    torch::open(Device::Cpu).unwrap();
    let plan = unet.plan();
    let state = on_device(&fixtures::weights(&plan.parameters()), Device::Cpu).unwrap();
    Net::new(plan, state, Device::Cpu).unwrap()
}

fn recorded() -> [(UNet, serde_json::Value); 3] {
    let of = |encoder: Encoder, channels, classes| {
        (
            UNet {
                encoder,
                channels,
                classes,
            },
            fixture(encoder.name()),
        )
    };
    [
        of(Encoder::ResNet18, 4, 2),
        of(Encoder::ResNet34, 3, 2),
        of(Encoder::ResNet50, 2, 3),
    ]
}

#[test]
fn names_and_shapes_are_smps() {
    for (unet, recorded) in recorded() {
        let ours: BTreeMap<String, Vec<usize>> = unet
            .plan()
            .parameters()
            .into_iter()
            .map(|p| (p.name, p.shape))
            .collect();
        let theirs: BTreeMap<String, Vec<usize>> =
            serde_json::from_value(recorded["shapes"].clone()).unwrap();
        assert_eq!(ours, theirs, "{unet}");
    }
}

#[test]
fn evaluation_is_smps() {
    for (unet, recorded) in recorded() {
        let images = fixtures::tensor(31, &[2, unet.channels, 64, 64]);
        let logits = net(unet).evaluate(&images).unwrap();
        assert_eq!(logits.size().unwrap(), [2, unet.classes, 64, 64]);
        let sampled: Vec<f32> = logits.to_floats().unwrap().into_iter().step_by(101).collect();
        assert_close(&format!("{unet}"), &sampled, &floats(&recorded["eval"]), 1e-5);
    }
}

/// Sizes that the encoder cannot halve five times do not meet their skips.
#[test]
fn sizes_that_are_no_multiple_of_32_are_an_error() {
    let (unet, _) = &recorded()[0];
    let why = net(*unet)
        .evaluate(&fixtures::tensor(1, &[1, 4, 40, 64]))
        .unwrap_err();
    assert!(why.to_string().contains("multiple of 32"), "{why}");
    let why = net(*unet)
        .evaluate(&fixtures::tensor(1, &[1, 3, 64, 64]))
        .unwrap_err();
    assert!(why.to_string().contains("4 channels"), "{why}");
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn weights_come_back_from_safetensors() {
    let folder = scratch();
    let path = folder.path().join("w.safetensors");
    let (unet, _) = recorded()[0].clone();
    let weights = fixtures::weights(&unet.plan().parameters());
    let texts = BTreeMap::from([("a".to_string(), "b".to_string())]);
    write_safetensors(&path, &weights, &texts).unwrap();
    assert_eq!(whole(&unet.plan(), &path).unwrap(), weights);
    assert_eq!(read_safetensors(&path).unwrap().1, texts);
    let other = UNet { channels: 3, ..unet };
    let why = whole(&other.plan(), &path).unwrap_err().to_string();
    assert!(
        why.contains(
            "of another shape: encoder.conv1.weight [64, 4, 7, 7] where the network has [64, 3, 7, 7]"
        ),
        "{why}"
    );
    let deeper = UNet {
        encoder: Encoder::ResNet34,
        ..unet
    };
    let why = whole(&deeper.plan(), &path).unwrap_err().to_string();
    assert!(
        why.contains("missing: encoder.layer1.2.conv1.weight") && why.contains("and 76 more"),
        "{why}"
    );
    // Cut short.
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(
        whole(&unet.plan(), &path)
            .unwrap_err()
            .to_string()
            .contains("no whole safetensors file")
    );
}

/// By segmentation_models_pytorch's patch_first_conv: each channel takes red, green, blue in turn, times 3/n.
#[test]
fn encoders_of_photographs_fit_other_channels() {
    let folder = scratch();
    let path = folder.path().join("resnet18.safetensors");
    let photograph = UNet {
        encoder: Encoder::ResNet18,
        channels: 3,
        classes: 2,
    };
    // As torchvision names them, with its classifier.
    let mut of_encoder = Weights::new();
    for (name, array) in fixtures::weights(&photograph.plan().parameters()) {
        if let Some(name) = name.strip_prefix("encoder.") {
            of_encoder.insert(name.to_string(), array);
        }
    }
    let stem = of_encoder["conv1.weight"].values.clone();
    let classifier = Array {
        shape: vec![2],
        values: vec![0.0; 2],
    };
    of_encoder.insert("fc.bias".into(), classifier);
    write_safetensors(&path, &of_encoder, &BTreeMap::new()).unwrap();
    for channels in [1, 2, 3, 5] {
        let unet = UNet {
            channels,
            ..photograph
        };
        let mut weights = start(&unet.plan(), 1);
        encoder(&unet.plan(), &path, &mut weights).unwrap();
        assert_eq!(
            weights["encoder.layer1.0.conv1.weight"],
            of_encoder["layer1.0.conv1.weight"]
        );
        let fitted = &weights["encoder.conv1.weight"];
        assert_eq!(fitted.shape, [64, channels, 7, 7]);
        for output in [0, 63] {
            for channel in 0..channels {
                let is = fitted.values[(output * channels + channel) * 49 + 24];
                let rgb = |c: usize| stem[(output * 3 + c) * 49 + 24];
                let should = match channels {
                    1 => rgb(0) + rgb(1) + rgb(2),
                    n => rgb(channel % 3) * 3.0 / n as f32,
                };
                assert!(
                    (is - should).abs() < 1e-6,
                    "{channels} {output} {channel}: {is} {should}"
                );
            }
        }
    }
    let unet = UNet {
        encoder: Encoder::ResNet50,
        ..photograph
    };
    let mut weights = start(&unet.plan(), 1);
    let before = weights.clone();
    let why = encoder(&unet.plan(), &path, &mut weights)
        .unwrap_err()
        .to_string();
    assert!(why.contains("another network"), "{why}");
    assert_eq!(weights, before);
}

/// A state dict below a key, as torch.save wrote it (record.py), with half, bfloat16 and double floats, a transposed view and an integer.
#[test]
fn state_dicts_of_pytorch_are_read_without_running_them() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/learning/state.pt");
    let found = read(&path).unwrap();
    let recorded = fixture("state");
    assert_eq!(found.len(), recorded.as_object().unwrap().len());
    for (name, values) in recorded.as_object().unwrap() {
        assert_eq!(
            found[&format!("state_dict.{name}")].values,
            floats(values),
            "{name}"
        );
    }
    assert_eq!(found["state_dict.turned"].shape, [2, 3]);
    // Below a key or not, names are those of the network.
    let plan = recorded_plan();
    let why = whole(&plan, &path).unwrap_err().to_string();
    assert!(
        why.contains("unexpected: brain, double, half, turned")
            && why.contains("encoder.conv1.weight [2, 3, 1, 1]"),
        "{why}"
    );
    let folder = scratch();
    let damaged = folder.path().join("damaged.pt");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let why = read(&damaged).unwrap_err().to_string();
    assert!(
        why.contains("damaged.pt") && why.contains("cannot be read as weights of PyTorch"),
        "{why}"
    );
    assert!(
        read(&folder.path().join("weights.h5"))
            .unwrap_err()
            .to_string()
            .contains(".safetensors")
    );
}

/// A convolution and its normalisation, the least that is a network.
fn least() -> Plan {
    let mut plan = Plan::new(2);
    let convolution = Step::Convolution {
        name: "a".into(),
        kernel: 1,
        stride: 1,
        has_bias: true,
    };
    let value = plan.push(convolution, &[0], 1);
    plan.push(Step::Normalisation { name: "b".into() }, &[value], 1);
    plan
}

#[test]
fn weights_that_are_no_numbers_are_refused_before_a_training_starts_from_them() {
    let folder = scratch();
    let path = folder.path().join("w.safetensors");
    let plan = least();
    let right = start(&plan, 1);
    let refused = |name: &str, value: f32| {
        let mut weights = right.clone();
        *weights.get_mut(name).unwrap().values.last_mut().unwrap() = value;
        write_safetensors(&path, &weights, &BTreeMap::new()).unwrap();
        whole(&plan, &path).unwrap_err().to_string()
    };
    for (name, value) in [
        ("a.weight", f32::NAN),
        ("a.bias", f32::INFINITY),
        ("b.running_mean", f32::NEG_INFINITY),
        // Of which the square root is none.
        ("b.running_var", -0.25),
    ] {
        let why = refused(name, value);
        assert!(
            why.contains(&format!("w.safetensors: {name} holds {value},"))
                && why.contains("take earlier weights"),
            "{why}"
        );
    }
    // 1 / 0 and 0 themselves can be computed with: the normalisation adds to the variance.
    write_safetensors(&path, &right, &BTreeMap::new()).unwrap();
    assert_eq!(whole(&plan, &path).unwrap(), right);
    // What torch.save wrote (record.py).
    let mut alone = Plan::new(2);
    alone.push(plan.nodes[0].step.clone(), &[0], 1);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/learning/broken.pt");
    let why = whole(&alone, &path).unwrap_err().to_string();
    assert!(why.contains("broken.pt: a.weight holds NaN,"), "{why}");

    // An encoder with a NaN in its stem, which is fitted to other channels.
    let photograph = UNet {
        encoder: Encoder::ResNet18,
        channels: 3,
        classes: 2,
    };
    let mut weights = fixtures::weights(&photograph.plan().parameters());
    weights.get_mut("encoder.conv1.weight").unwrap().values[7] = f32::NAN;
    let path = folder.path().join("encoder.safetensors");
    write_safetensors(&path, &weights, &BTreeMap::new()).unwrap();
    let plan = UNet {
        channels: 4,
        ..photograph
    }
    .plan();
    let mut into = start(&plan, 1);
    let why = encoder(&plan, &path, &mut into).unwrap_err().to_string();
    assert!(why.contains("encoder.conv1.weight holds NaN"), "{why}");
}

fn recorded_plan() -> Plan {
    recorded()[1].0.plan()
}
