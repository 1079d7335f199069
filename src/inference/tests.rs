//! Models of known numbers, by ONNX Runtime where it is set up and by rten; files that are no models.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ndarray::{Array4, ArrayD, IxDyn};

use super::metadata::Metadata;
use super::model::{Model, Opening};
use super::network::Network;
use super::onnx::Onnx;
use super::toy::{self, FLOAT, Message, header, ints, node, port};
use super::{Device, Wanted, fallback, session};
use crate::interrupt::Reason;
use crate::libraries;
use crate::work::Context;

/// Every way of computing that this machine has.
fn ways(bytes: &[u8]) -> Vec<Box<dyn Network>> {
    let onnx = Onnx::of(Path::new("toy.onnx"), bytes).unwrap();
    let (plain, _) = fallback::open(bytes.to_vec(), &onnx, "").unwrap();
    let mut ways: Vec<Box<dyn Network>> = vec![Box::new(plain)];
    match libraries::onnx_runtime() {
        Ok(Some(_)) => ways.push(Box::new(
            session::open(bytes, &onnx, "", &on(Device::Cpu)).unwrap().0,
        )),
        other => eprintln!("skipped: {other:?} as ONNX Runtime"),
    }
    ways
}

fn on(device: Device) -> Opening {
    Opening {
        device: Wanted::On(device),
        ..Opening::default()
    }
}

fn image(batch: usize, rows: usize, cols: usize) -> Array4<f32> {
    Array4::from_shape_fn((batch, 2, rows, cols), |(n, c, i, j)| {
        ((n * 7 + c * 5 + i * 3 + j * 11) % 13) as f32 - 6.0
    })
}

/// The convolution by a loop over every pixel.
fn slow(image: &Array4<f32>, kernels: &[f32; 18], bias: f32) -> Array4<f32> {
    let (batch, _, rows, cols) = image.dim();
    Array4::from_shape_fn((batch, 1, rows, cols), |(n, _, i, j)| {
        let mut sum = bias;
        for c in 0..2 {
            for a in 0..3 {
                for b in 0..3 {
                    let (y, x) = ((i + a).wrapping_sub(1), (j + b).wrapping_sub(1));
                    if y < rows && x < cols {
                        sum += kernels[c * 9 + a * 3 + b] * image[[n, c, y, x]];
                    }
                }
            }
        }
        sum
    })
}

fn kernels() -> [f32; 18] {
    std::array::from_fn(|i| (i as f32 - 8.0) / 4.0)
}

#[test]
fn a_convolution_is_what_a_slow_loop_gives() {
    let kernels = kernels();
    for network in ways(&toy::convolution(&kernels, 0.5, &[])) {
        assert_eq!(network.inputs()[0].name, "image");
        assert_eq!(network.inputs()[0].shape, [None, Some(2), None, None]);
        assert_eq!(network.outputs()[0].shape, [None, Some(1), None, None]);
        for (batch, rows, cols) in [(1, 5, 7), (3, 8, 4), (1, 1, 1)] {
            let image = image(batch, rows, cols);
            let out = network.run(&[image.clone().into_dyn()]).unwrap();
            // Sums of products of small multiples of a quarter are exact in any order.
            assert_eq!(out, [slow(&image, &kernels, 0.5).into_dyn()]);
        }
    }
}

#[test]
fn numbers_of_any_type_go_in_and_come_out() {
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 3]), vec![-3.0, 2.4, 100.0]).unwrap();
    let Ok(Some(_)) = libraries::onnx_runtime() else {
        return eprintln!("skipped: ONNX Runtime is not set up");
    };
    let run = |kind: i64, x: &ArrayD<f32>| {
        let bytes = toy::plus_one(kind);
        let onnx = Onnx::of(Path::new("toy.onnx"), &bytes).unwrap();
        let (network, _) = session::open(&bytes, &onnx, "", &on(Device::Cpu)).unwrap();
        network
            .run(std::slice::from_ref(x))
            .map(|out| out[0].as_slice().unwrap().to_vec())
    };
    // float64, int32, int64, int8: whole numbers are rounded.
    assert_eq!(run(11, &x).unwrap(), [-2.0, 3.4, 101.0]);
    for kind in [6, 7, 3] {
        assert_eq!(run(kind, &x).unwrap(), [-2.0, 3.0, 101.0], "{kind}");
    }
    // IEEE 754 half precision has 10 bits of fraction: 2.4 is 2.400390625 there, and 3.4 is 3.400390625.
    assert_eq!(run(10, &x).unwrap(), [-2.0, 3.400_390_6, 101.0]);
    let error = run(2, &x).unwrap_err().to_string();
    assert!(
        error.contains("the number -3") && error.contains("`x`"),
        "{error}"
    );
    let one = ArrayD::from_shape_vec(IxDyn(&[1, 3]), vec![0.0, f32::NAN, 1.0]).unwrap();
    assert!(run(6, &one).unwrap_err().to_string().contains("NaN"));
}

#[test]
fn wrong_shapes_are_errors() {
    for network in ways(&toy::convolution(&kernels(), 0.0, &[])) {
        let three = ArrayD::zeros(IxDyn(&[1, 3, 4, 4]));
        let error = network.run(&[three]).unwrap_err().to_string();
        assert!(!error.contains('\u{1b}') && !error.contains(".cc"), "{error}");
        assert!(
            network
                .run(&[])
                .unwrap_err()
                .to_string()
                .contains("takes 1 inputs, not 0")
        );
    }
}

#[test]
fn a_stop_reaches_a_network_at_work() {
    let x = ArrayD::from_shape_fn(IxDyn(&[1024, 1024]), |i| ((i[0] * 3 + i[1]) % 5) as f32 / 1e4);
    // By itself it takes half a minute or more.
    for network in ways(&toy::long(1000)) {
        let context = Context::new();
        let stop = context.stop().clone();
        let asks = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            stop.request(Reason::Signal);
        });
        let _entered = context.enter();
        let started = Instant::now();
        let ended = network.run(std::slice::from_ref(&x));
        assert!(
            matches!(ended, Err(crate::error::Error::Interrupted)),
            "{ended:?}"
        );
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "{:?}",
            started.elapsed()
        );
        asks.join().unwrap();
    }
}

#[test]
fn a_long_chain_of_steps_is_no_overflow() {
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 1]), vec![1.0]).unwrap();
    for network in ways(&toy::long(20_000)) {
        assert_eq!(
            network.run(std::slice::from_ref(&x)).unwrap(),
            std::slice::from_ref(&x)
        );
    }
}

/// A file in a folder of its own.
fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("toy.onnx");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn refused(bytes: &[u8]) -> String {
    let (_folder, path) = file(bytes);
    match Model::open(&path, Opening::default()) {
        Ok(model) => panic!("{model} was opened"),
        Err(error) => {
            let error = error.to_string();
            assert!(error.starts_with(&path.display().to_string()), "{error}");
            error
        }
    }
}

#[track_caller]
fn assert_holds(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in: {text}");
}

#[test]
fn what_is_no_model_is_refused() {
    assert_holds(&refused(b""), "an empty file");
    assert_holds(
        &refused(b"PK\x03\x04rest"),
        "PyTorch's .pt; export the model to ONNX",
    );
    assert_holds(&refused(b"\x89HDF\r\n"), "HDF5");
    assert_holds(&refused(b"\x02\0\0\0\0\0\0\0{}"), "safetensors");
    assert_holds(
        &refused(b"version https://git-lfs.github.com/spec/v1\n"),
        "was not fetched",
    );
    assert_holds(
        &refused(b"a text of some length that means nothing"),
        "is no model in ONNX",
    );
    assert_holds(&refused(&Message::default().int(1, 8).0), "holds no graph");
    let whole = toy::convolution(&kernels(), 0.0, &[]);
    for end in [4, 20, whole.len() / 2, whole.len() - 3] {
        assert_holds(&refused(&whole[..end]), "cut short");
    }
}

#[test]
fn graphs_within_graphs_are_bounded() {
    // A node with an attribute that is a graph with such a node.
    let nested = (0..5000).fold(Message::default(), |graph, _| {
        let attribute = Message::default().message(6, &graph);
        Message::default().message(1, &Message::default().message(5, &attribute))
    });
    let model = Message::default().int(1, 8).message(7, &nested);
    assert_holds(&refused(&model.0), "deeper than 64");
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let mut bad = kernels();
    bad[7] = f32::NAN;
    assert_holds(
        &refused(&toy::convolution(&bad, 0.0, &[])),
        "the weights `kernels` hold numbers that are NaN",
    );
    bad[7] = f32::NEG_INFINITY;
    assert_holds(
        &refused(&toy::convolution(&bad, 0.0, &[])),
        "`kernels` hold numbers that are infinite",
    );
    let half = |bits: u16| {
        let tensor = header("k", &[2], 10).bytes(9, &[0, 0, bits.to_le_bytes()[0], bits.to_le_bytes()[1]]);
        let io = [Err("n"), Ok(2)];
        toy::model(
            &[
                (1, node("Add", &["x", "k"], "y", &[])),
                (5, tensor),
                (11, port("x", 10, &io)),
                (12, port("y", 10, &io)),
            ],
            17,
            &[],
        )
    };
    assert_holds(&refused(&half(0x7e00)), "`k` hold numbers that are NaN");
    assert_holds(&refused(&half(0xfc00)), "`k` hold numbers that are infinite");
}

/// Weights need be neither initializers nor bytes: old exporters make them steps, and halves may be whole numbers, packed or each for itself.
#[test]
fn weights_that_are_no_numbers_are_refused_wherever_the_file_keeps_them() {
    let io = [Err("n"), Ok(2)];
    let with = |parts: Vec<(u64, Message)>, kind: i64| {
        let ports = [(11, port("x", kind, &io)), (12, port("y", kind, &io))];
        toy::model(&[parts, ports.to_vec()].concat(), 17, &[])
    };
    let add = || (1, node("Add", &["x", "k"], "y", &[]));
    let constant = |values: [f32; 2]| {
        let value = Message::default()
            .text(1, "value")
            .message(5, &toy::weights("", &[2], &values))
            .int(20, 4);
        with(vec![(1, node("Constant", &[], "k", &[value])), add()], FLOAT)
    };
    let (_folder, path) = file(&constant([1.0, 2.0]));
    let network = Model::open(&path, Opening::default()).unwrap();
    let one = ArrayD::from_elem(vec![1, 2], 1.0);
    assert_eq!(
        network.network().run(&[one]).unwrap()[0].as_slice().unwrap(),
        [2.0, 3.0]
    );
    assert_holds(
        &refused(&constant([1.0, f32::NAN])),
        "the weights of a step hold numbers that are NaN",
    );

    let floats = header("k", &[2], FLOAT).bytes(4, &[0, 0, 0, 0, 0, 0, 192, 127]);
    assert_holds(
        &refused(&with(vec![add(), (5, floats)], FLOAT)),
        "`k` hold numbers that are NaN",
    );
    // 0x7e00 as a varint of seven bits each.
    let packed = header("k", &[2], 10).bytes(5, &[0, 0x80, 0xfc, 0x01]);
    assert_holds(
        &refused(&with(vec![add(), (5, packed)], 10)),
        "`k` hold numbers that are NaN",
    );
    let each = header("k", &[2], 16).int(5, 0).int(5, 0x7f81);
    assert_holds(
        &refused(&with(vec![add(), (5, each)], 16)),
        "`k` hold numbers that are NaN",
    );
}

#[test]
fn weights_in_another_file_are_read_beside_the_model() {
    let entry = |key: &str, value: &str| Message::default().text(1, key).text(2, value);
    let with = |location: &str, length: &str| {
        let tensor = header("k", &[1, 2, 1, 1], FLOAT)
            .message(13, &entry("location", location))
            .message(13, &entry("offset", "4"))
            .message(13, &entry("length", length))
            .int(14, 1);
        toy::model(
            &[
                (
                    1,
                    node("Conv", &["x", "k"], "y", &[ints("kernel_shape", &[1, 1])]),
                ),
                (5, tensor),
                (11, port("x", FLOAT, &[Err("n"), Ok(2), Err("h"), Err("w")])),
                (12, port("y", FLOAT, &[Err("n"), Ok(1), Err("h"), Err("w")])),
            ],
            17,
            &[],
        )
    };
    assert_holds(
        &refused(&with("toy.data", "8")),
        "toy.data, which is not beside it",
    );
    assert_holds(&refused(&with("../toy.data", "8")), "outside of its folder");
    assert_holds(&refused(&with("/etc/hostname", "8")), "outside of its folder");
    let data: Vec<u8> = [9.0_f32, 2.0, -3.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let (folder, path) = file(&with("toy.data", "8"));
    fs::write(folder.path().join("toy.data"), &data[..8]).unwrap();
    let error = Model::open(&path, Opening::default()).err().unwrap().to_string();
    assert_holds(&error, "bytes 4 to 12 of toy.data, which has 8 bytes");
    fs::write(folder.path().join("toy.data"), &data).unwrap();
    let bytes = fs::read(&path).unwrap();
    let onnx = Onnx::of(&path, &bytes).unwrap();
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 2, 1, 2]), vec![1.0, 10.0, 2.0, 1.0]).unwrap();
    let mut ways: Vec<Box<dyn Network>> = vec![Box::new(fallback::open(bytes.clone(), &onnx, "").unwrap().0)];
    if matches!(libraries::onnx_runtime(), Ok(Some(_))) {
        ways.push(Box::new(
            session::open(&bytes, &onnx, "", &on(Device::Cpu)).unwrap().0,
        ));
    }
    for network in ways {
        let out = network.run(std::slice::from_ref(&x)).unwrap();
        // 2·1 − 3·2 and 2·10 − 3·1.
        assert_eq!(out[0].as_slice().unwrap(), [-4.0, 17.0]);
    }
    let first = Model::open(&path, Opening::default()).unwrap();
    fs::write(
        folder.path().join("toy.data"),
        [&data[..4], &data[8..], &data[8..]].concat(),
    )
    .unwrap();
    let second = Model::open(&path, Opening::default()).unwrap();
    assert_ne!(first.network().identity(), second.network().identity());
}

#[test]
fn unknown_operators_and_versions_are_named() {
    let io = [Err("n"), Ok(2)];
    let with = |operator: &str, opset: i64| {
        toy::model(
            &[
                (1, node(operator, &["x"], "y", &[])),
                (11, port("x", FLOAT, &io)),
                (12, port("y", FLOAT, &io)),
            ],
            opset,
            &[],
        )
    };
    assert_holds(&refused(&with("Frobnicate", 17)), "Frobnicate");
    assert_holds(
        &refused(&with("Relu", 29)),
        "is of ONNX's opset 29, and up to 28 is computed here",
    );
    let (_folder, path) = file(&with("Relu", 17));
    assert!(Model::open(&path, Opening::default()).is_ok());
    if matches!(libraries::onnx_runtime(), Ok(Some(_))) {
        let why = refused(&with("Frobnicate", 17));
        assert_holds(&why, "does not know its operator `Frobnicate`; export it");
        // Nothing of the places in its source.
        assert!(!why.contains("onnxruntime_src"), "{why}");
    }
}

#[test]
fn metadata_must_fit_the_network() {
    let with = |json: &str| toy::convolution(&kernels(), 0.0, &[("perilune", json)]);
    assert_holds(
        &refused(&with(r#"{"version":1,"bands":[{"name":"HH"}]}"#)),
        "its input `image` takes 2 bands, and its metadata name 1: HH",
    );
    assert_holds(
        &refused(&with(
            r#"{"bands":[{"name":"HH","input":"picture"},{"name":"HV"}]}"#,
        )),
        "no input `picture`; there are: image",
    );
    assert_holds(
        &refused(&with(r#"{"classes":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#)),
        "its output `scores` is of 1 classes, and its metadata name 3",
    );
    assert_holds(&refused(&with(r#"{"bandz":[]}"#)), "unknown key `bandz`");
}

#[test]
fn a_model_says_what_it_is() {
    let json = concat!(
        r#"{"version":1,"bands":[{"name":"HH","unit":"dB"},{"name":"angle","unit":"deg"}],"#,
        r#""classes":[{"name":"land"},{"name":"water"}],"stride":32,"licence":"CC-BY-4.0","training":{"epochs":12,"network":"U-Net"}}"#
    );
    let bytes = toy::convolution(&kernels(), 0.5, &[("perilune", json)]);
    let (_folder, path) = file(&bytes);
    let model = Model::open(&path, Opening::default()).unwrap();
    let shown = model.to_string();
    for line in [
        "kB, 19 weights)",
        "\n  input     image float32 (n, 2, h, w)",
        "\n  output    scores float32 (n, 1, h, w)",
        "\n  bands     HH (dB), angle (deg)",
        "\n  classes   0 land, 1 water",
        "\n  stride    32 pixels",
        "\n  ONNX      opset 17, by toy",
        "\n  device    cpu by ",
        "\n  licence   CC-BY-4.0",
        "\n  training  epochs 12, network U-Net",
    ] {
        assert_holds(&shown, line);
    }
    // What is given takes the place of what the file says.
    let given = Metadata::from_json(r#"{"bands":[{"name":"a"},{"name":"b"}]}"#).unwrap();
    let other = Model::open(
        &path,
        Opening {
            given,
            ..Opening::default()
        },
    )
    .unwrap();
    assert_holds(&other.to_string(), "bands     a, b\n");
    assert_eq!(other.metadata().classes.len(), 2);
    assert_eq!(other.network().identity(), model.network().identity());
}

#[test]
fn a_gpu_that_is_not_there_is_an_error_only_where_it_was_asked_for() {
    if libraries::driver().is_ok() {
        return eprintln!("skipped: there is a GPU");
    }
    let (_folder, path) = file(&toy::convolution(&kernels(), 0.0, &[]));
    let open = |device| {
        Model::open(
            &path,
            Opening {
                device,
                ..Opening::default()
            },
        )
    };
    assert!(open(Wanted::Auto).is_ok());
    let error = open(Wanted::On(Device::Cuda(0))).err().unwrap().to_string();
    assert!(
        error.contains("perilune setup onnxruntime --cuda")
            || error.contains("libcuda.so.1")
            || error.contains("perilune setup onnxruntime`"),
        "{error}"
    );
    let cpu = open(Wanted::On(Device::Cpu)).unwrap();
    assert!(cpu.on(Some(Wanted::On(Device::Cuda(1))), None).is_err());
    assert_eq!(
        cpu.on(Some(Wanted::On(Device::Cpu)), None)
            .unwrap()
            .network()
            .identity(),
        cpu.network().identity()
    );
    for (text, device) in [
        ("auto", Wanted::Auto),
        ("cpu", Wanted::On(Device::Cpu)),
        ("cuda", Wanted::On(Device::Cuda(0))),
        ("cuda:3", Wanted::On(Device::Cuda(3))),
    ] {
        assert_eq!(Wanted::named(text).unwrap(), device);
    }
    for text in ["gpu", "cuda:300", "cuda:", ""] {
        assert_holds(&Wanted::named(text).unwrap_err().to_string(), "\"cuda:1\"");
    }
}

/// Of the largest output: convolutions of GPUs keep ten bits of the fraction of what they multiply (TF32).
const TOLERANCE: f32 = 2e-3;

fn tiles_per_second(network: &dyn Network, batch: &ArrayD<f32>) -> f64 {
    // The first run chooses algorithms and takes memory.
    network.run(std::slice::from_ref(batch)).unwrap();
    let (started, mut tiles) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(5) {
        network.run(std::slice::from_ref(batch)).unwrap();
        tiles += batch.shape()[0];
    }
    tiles as f64 / started.elapsed().as_secs_f64()
}

#[test]
#[ignore = "needs a GPU: scripts/check_gpu runs it"]
fn the_gpu_gives_what_the_cpu_gives() {
    match libraries::driver() {
        Ok(version) => println!("driver: CUDA {version}"),
        Err(why) => return println!("NOT CHECKED: {why}"),
    }
    let bytes = toy::deep(12, 64);
    let onnx = Onnx::of(Path::new("toy.onnx"), &bytes).unwrap();
    let (cpu, cpu_name) = session::open(&bytes, &onnx, "", &on(Device::Cpu)).unwrap();
    let (gpu, gpu_name) = session::open(&bytes, &onnx, "", &on(Device::Cuda(0))).unwrap();
    for (batch, rows, cols) in [(1, 64, 64), (3, 96, 160), (8, 256, 256)] {
        let image = Array4::from_shape_fn((batch, 2, rows, cols), |(n, c, i, j)| {
            ((n * 7 + c * 5 + i * 3 + j * 11) % 13) as f32 / 6.0 - 1.0
        })
        .into_dyn();
        let by = |network: &dyn Network| network.run(std::slice::from_ref(&image)).unwrap().remove(0);
        let (expected, found) = (by(&cpu), by(&gpu));
        let largest = expected.iter().fold(0_f32, |most, x| most.max(x.abs()));
        let error = expected
            .iter()
            .zip(&found)
            .fold(0_f32, |most, (a, b)| most.max((a - b).abs()));
        println!("{batch} tiles of {rows} x {cols}: differ by {error:.2e} of {largest:.2e} at most");
        assert!(error <= TOLERANCE * largest, "{error} of {largest}");
    }
    let tile = ArrayD::from_elem(vec![8, 2, 512, 512], 0.5);
    println!(
        "{cpu_name}: {:.1} tiles of 512 x 512 a second",
        tiles_per_second(&cpu, &tile)
    );
    println!(
        "{gpu_name}: {:.1} tiles of 512 x 512 a second",
        tiles_per_second(&gpu, &tile)
    );
}
