//! The steps of networks, forward and back.

use std::ptr::null_mut;

use crate::error::Result;
use crate::learning::torch::abi::{api, checked};
use crate::learning::torch::call::Argument::{
    Flag, Flags, Integer, Integers, None as Absent, Number, SomeIntegers, SomeTensor, Tensor as Given,
    Tensors,
};
use crate::learning::torch::call::{call, one, optional};
use crate::learning::torch::tensor::Tensor;

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
