//! From logits to probabilities, likelihoods and classes, and back.

use crate::error::Result;
use crate::learning::torch::abi::api;
use crate::learning::torch::call::Argument::{Flag, Integer, SomeInteger, SomeTensor, Tensor as Given};
use crate::learning::torch::call::{call, one};
use crate::learning::torch::tensor::Tensor;

/// `sigmoid(Tensor self) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn sigmoid(input: &Tensor) -> Result<Tensor> {
    one(c"aten::sigmoid", c"", &[Given(input)])
}

/// `log_sigmoid_forward(Tensor self) -> (Tensor output, Tensor buffer)`
///
/// # Errors
/// libtorch's.
pub fn log_sigmoid(input: &Tensor) -> Result<Tensor> {
    let [output, _] = call(c"aten::log_sigmoid_forward", c"", &[Given(input)])?;
    Ok(output)
}

/// `_softmax(Tensor self, int dim, bool half_to_float) -> Tensor`: over the channels.
///
/// # Errors
/// libtorch's.
pub fn softmax(input: &Tensor) -> Result<Tensor> {
    one(c"aten::_softmax", c"", &[Given(input), Integer(1), Flag(false)])
}

/// `_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn softmax_backward(gradient: &Tensor, output: &Tensor) -> Result<Tensor> {
    one(
        c"aten::_softmax_backward_data",
        c"",
        &[Given(gradient), Given(output), Integer(1), Integer(float()?)],
    )
}

/// `_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor`: over the channels.
///
/// # Errors
/// libtorch's.
pub fn log_softmax(input: &Tensor) -> Result<Tensor> {
    one(
        c"aten::_log_softmax",
        c"",
        &[Given(input), Integer(1), Flag(false)],
    )
}

/// `_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn log_softmax_backward(gradient: &Tensor, output: &Tensor) -> Result<Tensor> {
    one(
        c"aten::_log_softmax_backward_data",
        c"",
        &[Given(gradient), Given(output), Integer(1), Integer(float()?)],
    )
}

/// The number of float32 among libtorch's kinds.
fn float() -> Result<i64> {
    // SAFETY: takes nothing and cannot fail.
    Ok(i64::from(unsafe { (api()?.aoti_torch_dtype_float32)() }))
}

/// Of the likelihoods' reductions, the sum.
const SUM: i64 = 2;

/// `nll_loss2d_forward(Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignore_index) -> (Tensor output, Tensor total_weight)`:
/// minus the sum of the weighted logarithms at the labels.
///
/// # Errors
/// libtorch's.
pub fn likelihood(
    logarithms: &Tensor,
    labels: &Tensor,
    weights: &Tensor,
    ignored: i64,
) -> Result<[Tensor; 2]> {
    call(
        c"aten::nll_loss2d_forward",
        c"",
        &[
            Given(logarithms),
            Given(labels),
            SomeTensor(weights),
            Integer(SUM),
            Integer(ignored),
        ],
    )
}

/// `nll_loss2d_backward(Tensor grad_output, Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignore_index,
/// Tensor total_weight) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn likelihood_backward(
    gradient: &Tensor,
    logarithms: &Tensor,
    labels: &Tensor,
    weights: &Tensor,
    ignored: i64,
    total: &Tensor,
) -> Result<Tensor> {
    one(
        c"aten::nll_loss2d_backward",
        c"",
        &[
            Given(gradient),
            Given(logarithms),
            Given(labels),
            SomeTensor(weights),
            Integer(SUM),
            Integer(ignored),
            Given(total),
        ],
    )
}

/// `argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor`: over the channels.
///
/// # Errors
/// libtorch's.
pub fn strongest(input: &Tensor) -> Result<Tensor> {
    one(c"aten::argmax", c"", &[Given(input), SomeInteger(1), Flag(false)])
}
