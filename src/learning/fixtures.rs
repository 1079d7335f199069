//! What PyTorch answered (tests/fixtures/learning, made by scripts/network_oracles/record.py), and the numbers that both sides make by a formula.

use std::path::Path;

use serde_json::Value;

use super::network::{Array, Parameter, Role, Weights};
use super::torch::{Device, Tensor};

pub fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/learning/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a fixture of the tests"))
        .expect("a fixture of the tests")
}

pub fn floats(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().expect("a fixture of the tests").iter();
    numbers
        .map(|v| v.as_f64().expect("a fixture of the tests") as f32)
        .collect()
}

/// In −1 ≤ x < 1, as formula.py.
pub fn numbers(seed: u32, count: usize) -> Vec<f64> {
    (0..count as u32)
        .map(|i| {
            let mut z = i.wrapping_mul(2_654_435_761).wrapping_add(seed);
            for _ in 0..2 {
                z ^= z >> 16;
                z = z.wrapping_mul(0x45D_9F3B);
            }
            z ^= z >> 16;
            f64::from(z) / f64::from(1u32 << 31) - 1.0
        })
        .collect()
}

pub fn array(seed: u32, count: usize) -> Vec<f32> {
    numbers(seed, count).into_iter().map(|v| v as f32).collect()
}

pub fn tensor(seed: u32, size: &[usize]) -> Tensor {
    Tensor::floats(&array(seed, size.iter().product()), size, Device::Cpu).expect("a fixture of the tests")
}

/// Every parameter from its name.
pub fn weights(parameters: &[Parameter]) -> Weights {
    let made = |parameter: &Parameter| {
        let shape = parameter.shape.clone();
        let numbers = numbers(crc32fast::hash(parameter.name.as_bytes()), shape.iter().product());
        let values = numbers.into_iter().map(|n| {
            (match parameter.role {
                Role::Kernel => n * (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt(),
                Role::RunningVariance => 1.0 + 0.2 * n,
                Role::Scale => 1.0 + 0.1 * n,
                Role::Bias | Role::RunningMean => 0.1 * n,
            }) as f32
        });
        let values = values.collect();
        (parameter.name.clone(), Array { shape, values })
    };
    parameters.iter().map(made).collect()
}

/// Whether `is` differs by at most `tolerance` of the largest of `should`.
pub fn assert_close(what: &str, is: &[f32], should: &[f32], tolerance: f32) {
    assert_eq!(is.len(), should.len(), "{what}: the number of values");
    let largest = should.iter().fold(0f32, |most, v| most.max(v.abs()));
    let worst = is.iter().zip(should).fold(0f32, |most, (a, b)| {
        let off = (a - b).abs();
        if off.is_nan() {
            f32::INFINITY
        } else {
            most.max(off)
        }
    });
    assert!(
        worst <= tolerance * largest,
        "{what}: differs by {worst} where the largest is {largest}"
    );
}
