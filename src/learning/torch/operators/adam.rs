//! Steps of Adam over all parameters at once.

use crate::error::Result;
use crate::learning::torch::call::Argument::{Flag, None as Absent, Number, Tensors};
use crate::learning::torch::call::call;
use crate::learning::torch::tensor::Tensor;

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
