//! Every operator once on the CPU, against PyTorch's own answers: a wrong number or kind of arguments shows here.

use serde_json::Value;

use super::operators::{self as op, AdamStep, Convolved, Moments, Normalisation};
use super::{Device, Tensor, is_out_of_memory};
use crate::learning::fixtures::{assert_close, fixture, floats, tensor};

fn x() -> Tensor {
    tensor(1, &[2, 3, 4, 4])
}

fn y() -> Tensor {
    tensor(5, &[2, 3, 4, 4])
}

fn check(recorded: &Value, name: &str, found: &[&Tensor]) {
    let expected = recorded[name]
        .as_array()
        .unwrap_or_else(|| panic!("{name} was not recorded"));
    assert_eq!(expected.len(), found.len(), "{name}");
    for (i, (expected, found)) in expected.iter().zip(found).enumerate() {
        assert_close(
            &format!("{name} {i}"),
            &found.to_floats().unwrap(),
            &floats(expected),
            2e-6,
        );
    }
}

fn opened() -> Value {
    super::open(Device::Cpu).unwrap();
    fixture("operators")
}

const HOW: Convolved = Convolved {
    stride: 2,
    padding: 1,
};

#[test]
fn convolutions_are_pytorchs() {
    let recorded = opened();
    let (w, b) = (tensor(2, &[4, 3, 3, 3]), tensor(3, &[4]));
    check(
        &recorded,
        "convolution",
        &[&op::convolution(&x(), &w, Some(&b), HOW).unwrap()],
    );
    let g = tensor(4, &[2, 4, 2, 2]);
    let back = op::convolution_backward(&g, &x(), &w, HOW, true, true).unwrap();
    let (input, bias) = (back.input.unwrap(), back.bias.unwrap());
    check(&recorded, "convolution_backward", &[&input, &back.weight, &bias]);
    let part = op::convolution_backward(&g, &x(), &w, HOW, false, false).unwrap();
    assert!(part.input.is_none() && part.bias.is_none());
    assert_eq!(part.weight.to_floats().unwrap(), back.weight.to_floats().unwrap());
}

#[test]
fn normalisations_are_pytorchs() {
    let recorded = opened();
    let spread: Vec<f32> = tensor(9, &[3])
        .to_floats()
        .unwrap()
        .iter()
        .map(|v| v + 1.5)
        .collect();
    let by = Normalisation {
        weight: &tensor(6, &[3]),
        bias: &tensor(7, &[3]),
        running_mean: &tensor(8, &[3]),
        running_variance: &Tensor::floats(&spread, &[3], Device::Cpu).unwrap(),
    };
    check(
        &recorded,
        "normalise_by_running",
        &[&op::normalise_by_running(&x(), &by).unwrap()],
    );
    let (out, was) = op::normalise_by_batch(&x(), &by).unwrap();
    check(
        &recorded,
        "normalise_by_batch",
        &[&out, by.running_mean, by.running_variance],
    );
    let back = op::normalise_backward(&y(), &x(), &by, &was).unwrap();
    check(&recorded, "normalise_backward", &back.each_ref());
}

#[test]
fn steps_between_convolutions_are_pytorchs() {
    let recorded = opened();
    let zero = Tensor::full(0.0, &[], Device::Cpu).unwrap();
    let passes = op::greater(&x(), &zero).unwrap();
    check(
        &recorded,
        "greater_multiply",
        &[&op::multiply(&y(), &passes).unwrap()],
    );
    let original = x();
    let inside = op::relu_in_place(&original).unwrap();
    check(&recorded, "relu_in_place", &[&inside]);
    check(&recorded, "relu_in_place", &[&original]);
    let [pooled, places] = op::max_pool(&x()).unwrap();
    check(&recorded, "max_pool", &[&pooled]);
    let g = tensor(10, &[2, 3, 2, 2]);
    check(
        &recorded,
        "max_pool_backward",
        &[&op::max_pool_backward(&g, &x(), &places).unwrap()],
    );
    check(&recorded, "double", &[&op::double(&g).unwrap()]);
    check(
        &recorded,
        "double_backward",
        &[&op::double_backward(&x()).unwrap()],
    );
    let both = op::concatenate(&[x(), y()]).unwrap();
    check(
        &recorded,
        "concatenate_narrow",
        &[&op::narrow(&both, 1, 2, 2).unwrap()],
    );
}

#[test]
fn arithmetic_is_pytorchs() {
    let recorded = opened();
    check(&recorded, "add", &[&op::add(&x(), &y()).unwrap()]);
    check(&recorded, "subtract", &[&op::subtract(&x(), &y()).unwrap()]);
    check(&recorded, "multiply", &[&op::multiply(&x(), &y()).unwrap()]);
    check(&recorded, "divide", &[&op::divide(&x(), &y()).unwrap()]);
    check(&recorded, "maximum", &[&op::maximum(&x(), &y()).unwrap()]);
    let one = Tensor::full(1.0, &[], Device::Cpu).unwrap();
    let exponent = Tensor::full(1.5, &[], Device::Cpu).unwrap();
    let base = op::add(&x(), &one).unwrap();
    check(&recorded, "power", &[&op::power(&base, &exponent).unwrap()]);
    check(
        &recorded,
        "sum_of_channels",
        &[&op::sum_of_channels(&x()).unwrap()],
    );
    check(&recorded, "sum", &[&op::sum(&x()).unwrap()]);
    check(&recorded, "sigmoid", &[&op::sigmoid(&x()).unwrap()]);
    check(&recorded, "log_sigmoid", &[&op::log_sigmoid(&x()).unwrap()]);
    let copy = op::copy(&x()).unwrap();
    copy.fill(2.0).unwrap();
    assert_ne!(copy.to_floats().unwrap(), x().to_floats().unwrap());
}

#[test]
fn likelihoods_are_pytorchs() {
    let recorded = opened();
    let soft = op::softmax(&x()).unwrap();
    check(
        &recorded,
        "softmax",
        &[&soft, &op::softmax_backward(&y(), &soft).unwrap()],
    );
    let logs = op::log_softmax(&x()).unwrap();
    check(
        &recorded,
        "log_softmax",
        &[&logs, &op::log_softmax_backward(&y(), &logs).unwrap()],
    );
    let labels: Vec<i64> = [[0, 1, 2, 255], [2, 2, 255, 1]]
        .iter()
        .flat_map(|row| row.repeat(4))
        .collect();
    let labels = Tensor::integers(&labels, &[2, 4, 4], Device::Cpu).unwrap();
    let weights = tensor(6, &[3]);
    let [loss, total] = op::likelihood(&x(), &labels, &weights, 255).unwrap();
    let one = Tensor::full(1.0, &[], Device::Cpu).unwrap();
    let back = op::likelihood_backward(&one, &x(), &labels, &weights, 255, &total).unwrap();
    check(&recorded, "likelihood", &[&loss, &back]);
    let strongest = op::strongest(&x()).unwrap().to_integers().unwrap();
    let expected: Vec<i64> = floats(&recorded["strongest"][0])
        .iter()
        .map(|v| *v as i64)
        .collect();
    assert_eq!(strongest, expected);
}

#[test]
fn adam_steps_as_pytorchs() {
    let recorded = opened();
    for (name, is_decoupled) in [("adam", false), ("adamw", true)] {
        let parameters = [tensor(2, &[4, 3, 3, 3])];
        let zeros = || [Tensor::full(0.0, &[4, 3, 3, 3], Device::Cpu).unwrap()];
        let (means, squares) = (zeros(), zeros());
        let how = AdamStep {
            learning_rate: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.1,
            is_decoupled,
        };
        for (step, seed) in [(1.0, 11), (2.0, 12)] {
            let moments = Moments {
                parameters: &parameters,
                means: &means,
                squares: &squares,
                steps: &[Tensor::full(step, &[], Device::Cpu).unwrap()],
            };
            op::adam_in_place(&moments, &[tensor(seed, &[4, 3, 3, 3])], &how).unwrap();
        }
        check(&recorded, name, &[&parameters[0]]);
    }
}

#[test]
fn what_libtorch_refuses_is_an_error_in_words() {
    opened();
    let wrong = op::convolution(&x(), &tensor(2, &[4, 5, 3, 3]), None, HOW).unwrap_err();
    let text = wrong.to_string();
    assert!(
        text.starts_with("libtorch: aten::convolution: ") && text.contains("channels"),
        "{text}"
    );
    assert!(!is_out_of_memory(&wrong));
    // 4 EiB, more than any machine has addresses for.
    let large = Tensor::full(0.0, &[1 << 30, 1 << 30], Device::Cpu).unwrap_err();
    assert!(is_out_of_memory(&large), "{large}");
    let absent = super::open(Device::Cuda(0)).unwrap_err().to_string();
    assert!(
        absent.contains("perilune setup torch --cuda") || absent.contains("cuda:0 cannot be used"),
        "{absent}"
    );
    assert!(Tensor::floats(&[1.0], &[2], Device::Cpu).is_err());
    assert!(x().to_integers().is_err() && x().number().is_err());
}

#[test]
fn another_thread_computes_the_same_with_another_number_of_threads() {
    opened();
    let w = tensor(2, &[4, 3, 3, 3]);
    let here = op::convolution(&x(), &w, None, HOW).unwrap().to_floats().unwrap();
    let there = std::thread::spawn(|| {
        super::enter(1).unwrap();
        assert_eq!(super::threads().unwrap(), 1);
        super::enter(2).unwrap();
        assert_eq!(super::threads().unwrap(), 2);
        op::convolution(&x(), &tensor(2, &[4, 3, 3, 3]), None, HOW)
            .unwrap()
            .to_floats()
            .unwrap()
    });
    assert_close("other thread", &there.join().unwrap(), &here, 1e-6);
}
