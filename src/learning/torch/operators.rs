//! The operators that networks and their training need, each as its schema in PyTorch 2.13 says (native_functions.yaml).
//!
//! Images are (samples, channels, rows, columns). Nothing is computed in place unless the name ends in `_in_place`.

use std::ptr::null_mut;

use super::abi::{api, checked};
use super::call::Argument::{
    Flag, Flags, Integer, Integers, None as Absent, Number, SomeIntegers, SomeTensor, Tensor as Given,
    Tensors,
};
use super::call::{call, one, optional};
use super::tensor::Tensor;
use crate::error::Result;

/// Of every convolution here: square kernels of odd size, padded so that a stride of 1 keeps the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolved {
    pub stride: usize,
    pub padding: usize,
}

impl Convolved {
    fn stride(self) -> [i64; 2] {
        [self.stride as i64; 2]
    }

    fn padding(self) -> [i64; 2] {
        [self.padding as i64; 2]
    }
}

/// `convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed,
/// SymInt[] output_padding, SymInt groups) -> Tensor`
///
/// # Errors
/// libtorch's: sizes that do not fit, no memory.
pub fn convolution(input: &Tensor, weight: &Tensor, bias: Option<&Tensor>, how: Convolved) -> Result<Tensor> {
    one(
        c"aten::convolution",
        c"",
        &[
            Given(input),
            Given(weight),
            optional(bias),
            Integers(&how.stride()),
            Integers(&how.padding()),
            Integers(&[1, 1]),
            Flag(false),
            Integers(&[0, 0]),
            Integer(1),
        ],
    )
}

/// What a convolution passes back.
pub struct ConvolutionGradients {
    /// None where it was not asked for.
    pub input: Option<Tensor>,
    pub weight: Tensor,
    /// None where there is no bias.
    pub bias: Option<Tensor>,
}

/// `convolution_backward(Tensor grad_output, Tensor input, Tensor weight, SymInt[]? bias_sizes, SymInt[] stride, SymInt[] padding,
/// SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool[3] output_mask) -> (Tensor, Tensor, Tensor)`
///
/// # Errors
/// libtorch's.
pub fn convolution_backward(
    gradient: &Tensor,
    input: &Tensor,
    weight: &Tensor,
    how: Convolved,
    wants_input: bool,
    has_bias: bool,
) -> Result<ConvolutionGradients> {
    let outputs = [weight.lengths()?.first().copied().unwrap_or(0)];
    let bias = match has_bias {
        true => SomeIntegers(&outputs),
        false => Absent,
    };
    let [of_input, weight, of_bias] = call(
        c"aten::convolution_backward",
        c"",
        &[
            Given(gradient),
            Given(input),
            Given(weight),
            bias,
            Integers(&how.stride()),
            Integers(&how.padding()),
            Integers(&[1, 1]),
            Flag(false),
            Integers(&[0, 0]),
            Integer(1),
            Flags(&[wants_input, true, has_bias]),
        ],
    )?;
    Ok(ConvolutionGradients {
        input: wants_input.then_some(of_input),
        weight,
        bias: has_bias.then_some(of_bias),
    })
}

/// The numbers of a batch normalisation, one a channel each.
pub struct Normalisation<'a> {
    pub weight: &'a Tensor,
    pub bias: &'a Tensor,
    pub running_mean: &'a Tensor,
    /// Unbiased.
    pub running_variance: &'a Tensor,
}

/// Added to the variance, as PyTorch does by default.
pub const NORMALISATION_EPSILON: f64 = 1e-5;
/// The weight of the newest batch in the running numbers, as PyTorch's default.
pub const NORMALISATION_MOMENTUM: f64 = 0.1;

/// What a batch was normalised by, for the way back.
pub struct Normalised {
    mean: Tensor,
    inverse: Tensor,
    reserve: Tensor,
}

/// `_batch_norm_with_update(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, float momentum,
/// float eps) -> (Tensor, Tensor, Tensor, Tensor)`: by the batch's own mean and variance, which enter the running ones.
///
/// # Errors
/// libtorch's.
pub fn normalise_by_batch(input: &Tensor, by: &Normalisation<'_>) -> Result<(Tensor, Normalised)> {
    let [output, mean, inverse, reserve] = call(
        c"aten::_batch_norm_with_update",
        c"",
        &[
            Given(input),
            SomeTensor(by.weight),
            SomeTensor(by.bias),
            Given(by.running_mean),
            Given(by.running_variance),
            Number(NORMALISATION_MOMENTUM),
            Number(NORMALISATION_EPSILON),
        ],
    )?;
    Ok((
        output,
        Normalised {
            mean,
            inverse,
            reserve,
        },
    ))
}

/// `native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum,
/// float eps) -> (Tensor, Tensor, Tensor)`: by the running mean and variance.
///
/// # Errors
/// libtorch's.
pub fn normalise_by_running(input: &Tensor, by: &Normalisation<'_>) -> Result<Tensor> {
    let [output, _, _] = call(
        c"aten::native_batch_norm",
        c"",
        &[
            Given(input),
            SomeTensor(by.weight),
            SomeTensor(by.bias),
            SomeTensor(by.running_mean),
            SomeTensor(by.running_variance),
            Flag(false),
            Number(NORMALISATION_MOMENTUM),
            Number(NORMALISATION_EPSILON),
        ],
    )?;
    Ok(output)
}

/// `batch_norm_backward(Tensor grad_out, Tensor input, Tensor weight, Tensor? running_mean, Tensor? running_var, Tensor? save_mean,
/// Tensor? save_var, bool update, float eps, bool[3] output_mask, Tensor reserve) -> (Tensor, Tensor, Tensor)`: of `normalise_by_batch`; the
/// gradients of input, weight and bias.
///
/// # Errors
/// libtorch's.
pub fn normalise_backward(
    gradient: &Tensor,
    input: &Tensor,
    by: &Normalisation<'_>,
    was: &Normalised,
) -> Result<[Tensor; 3]> {
    call(
        c"aten::batch_norm_backward",
        c"",
        &[
            Given(gradient),
            Given(input),
            Given(by.weight),
            SomeTensor(by.running_mean),
            SomeTensor(by.running_variance),
            SomeTensor(&was.mean),
            SomeTensor(&was.inverse),
            Flag(true),
            Number(NORMALISATION_EPSILON),
            Flags(&[true, true, true]),
            Given(&was.reserve),
        ],
    )
}

/// `relu_(Tensor(a!) self) -> Tensor(a!)`
///
/// # Errors
/// libtorch's.
pub fn relu_in_place(input: &Tensor) -> Result<Tensor> {
    one(c"aten::relu_", c"", &[Given(input)])
}

/// `gt.Tensor(Tensor self, Tensor other) -> Tensor`: what is greater, as booleans.
///
/// # Errors
/// libtorch's.
pub fn greater(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    one(c"aten::gt", c"Tensor", &[Given(left), Given(right)])
}

/// `max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False)
/// -> (Tensor, Tensor)`: of 3 × 3 pixels with a stride of 2, and where the maxima were.
///
/// # Errors
/// libtorch's.
pub fn max_pool(input: &Tensor) -> Result<[Tensor; 2]> {
    call(
        c"aten::max_pool2d_with_indices",
        c"",
        &[
            Given(input),
            Integers(&[3, 3]),
            Integers(&[2, 2]),
            Integers(&[1, 1]),
            Integers(&[1, 1]),
            Flag(false),
        ],
    )
}

/// `max_pool2d_with_indices_backward(Tensor grad_output, Tensor self, int[2] kernel_size, int[2] stride, int[2] padding, int[2] dilation,
/// bool ceil_mode, Tensor indices) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn max_pool_backward(gradient: &Tensor, input: &Tensor, places: &Tensor) -> Result<Tensor> {
    one(
        c"aten::max_pool2d_with_indices_backward",
        c"",
        &[
            Given(gradient),
            Given(input),
            Integers(&[3, 3]),
            Integers(&[2, 2]),
            Integers(&[1, 1]),
            Integers(&[1, 1]),
            Flag(false),
            Given(places),
        ],
    )
}

/// `upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor`: twice the rows and columns.
///
/// # Errors
/// libtorch's.
pub fn double(input: &Tensor) -> Result<Tensor> {
    let size = input.lengths()?;
    let double: Vec<i64> = size.iter().skip(2).map(|n| n * 2).collect();
    one(
        c"aten::upsample_nearest2d",
        c"",
        &[Given(input), Integers(&double), Absent, Absent],
    )
}

/// `upsample_nearest2d_backward(Tensor grad_output, SymInt[2] output_size, SymInt[4] input_size, float? scales_h=None, float? scales_w=None)
/// -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn double_backward(gradient: &Tensor) -> Result<Tensor> {
    let size = gradient.lengths()?;
    let input: Vec<i64> = size
        .iter()
        .enumerate()
        .map(|(axis, n)| if axis < 2 { *n } else { n / 2 })
        .collect();
    one(
        c"aten::upsample_nearest2d_backward",
        c"",
        &[
            Given(gradient),
            Integers(&size[size.len().min(2)..]),
            Integers(&input),
            Absent,
            Absent,
        ],
    )
}

/// `cat(Tensor[] tensors, int dim=0) -> Tensor`: along the channels.
///
/// # Errors
/// libtorch's.
pub fn concatenate(tensors: &[Tensor]) -> Result<Tensor> {
    one(c"aten::cat", c"", &[Tensors(tensors), Integer(1)])
}

/// `narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)`: a view.
///
/// # Errors
/// libtorch's.
pub fn narrow(input: &Tensor, axis: usize, start: usize, length: usize) -> Result<Tensor> {
    let api = api()?;
    let mut handle = null_mut();
    // SAFETY: the handle is alive and `handle` there to be written.
    let answer = unsafe {
        (api.aoti_torch_aten_narrow)(
            input.handle(),
            axis as i64,
            start as i64,
            length as i64,
            &mut handle,
        )
    };
    checked(api, "narrow", answer)?;
    Ok(Tensor::of(handle))
}

/// `sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`: left − factor · right.
fn less(left: &Tensor, right: &Tensor, factor: f64) -> Result<Tensor> {
    let api = api()?;
    let mut handle = null_mut();
    // SAFETY: both handles are alive and `handle` there to be written.
    let answer =
        unsafe { (api.aoti_torch_aten_subtract_Tensor)(left.handle(), right.handle(), factor, &mut handle) };
    checked(api, "sub", answer)?;
    Ok(Tensor::of(handle))
}

/// # Errors
/// libtorch's.
pub fn add(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    less(left, right, -1.0)
}

/// # Errors
/// libtorch's.
pub fn subtract(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    less(left, right, 1.0)
}

/// `mul.Tensor(Tensor self, Tensor other) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn multiply(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    one(c"aten::mul", c"Tensor", &[Given(left), Given(right)])
}

/// `div.Tensor(Tensor self, Tensor other) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn divide(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    one(c"aten::div", c"Tensor", &[Given(left), Given(right)])
}

/// `maximum(Tensor self, Tensor other) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn maximum(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    one(c"aten::maximum", c"", &[Given(left), Given(right)])
}

/// `pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn power(base: &Tensor, exponent: &Tensor) -> Result<Tensor> {
    one(c"aten::pow", c"Tensor_Tensor", &[Given(base), Given(exponent)])
}

/// `sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor`: over all axes but the second, which
/// stays, the others being of length 1.
///
/// # Errors
/// libtorch's.
pub fn sum_of_channels(input: &Tensor) -> Result<Tensor> {
    one(
        c"aten::sum",
        c"dim_IntList",
        &[Given(input), SomeIntegers(&[0, 2, 3]), Flag(true), Absent],
    )
}

/// `sum(Tensor self, *, ScalarType? dtype=None) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn sum(input: &Tensor) -> Result<Tensor> {
    one(c"aten::sum", c"", &[Given(input), Absent])
}

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
    one(
        c"aten::argmax",
        c"",
        &[Given(input), super::call::Argument::SomeInteger(1), Flag(false)],
    )
}

/// `clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn copy(input: &Tensor) -> Result<Tensor> {
    one(c"aten::clone", c"", &[Given(input), Absent])
}

/// How Adam steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
    /// The decay shrinks the weights themselves (AdamW) and does not enter the gradients (Adam).
    pub is_decoupled: bool,
}

/// What Adam changes, one of each for every parameter.
pub struct Moments<'a> {
    pub parameters: &'a [Tensor],
    pub means: &'a [Tensor],
    pub squares: &'a [Tensor],
    /// The number of the step, from 1 on.
    pub steps: &'a [Tensor],
}

/// `_fused_adam_(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] exp_avgs, Tensor(d!)[] exp_avg_sqs, Tensor(e!)[] max_exp_avg_sqs,
/// Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, bool maximize,
/// Tensor? grad_scale=None, Tensor? found_inf=None) -> ()`, and `_fused_adamw_` with the same.
///
/// # Errors
/// libtorch's.
pub fn adam_in_place(moments: &Moments<'_>, gradients: &[Tensor], how: &AdamStep) -> Result<()> {
    let operator = match how.is_decoupled {
        true => c"aten::_fused_adamw_",
        false => c"aten::_fused_adam_",
    };
    let [] = call(
        operator,
        c"",
        &[
            Tensors(moments.parameters),
            Tensors(gradients),
            Tensors(moments.means),
            Tensors(moments.squares),
            Tensors(&[]),
            Tensors(moments.steps),
            Number(how.learning_rate),
            Number(how.beta1),
            Number(how.beta2),
            Number(how.weight_decay),
            Number(how.epsilon),
            Flag(false),
            Flag(false),
            Absent,
            Absent,
        ],
    )?;
    Ok(())
}
