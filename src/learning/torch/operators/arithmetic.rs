//! Number by number, and sums.

use std::ptr::null_mut;

use crate::error::Result;
use crate::learning::torch::abi::{api, checked};
use crate::learning::torch::call::Argument::{Flag, None as Absent, SomeIntegers, Tensor as Given};
use crate::learning::torch::call::one;
use crate::learning::torch::tensor::Tensor;

/// `gt.Tensor(Tensor self, Tensor other) -> Tensor`: what is greater, as booleans.
///
/// # Errors
/// libtorch's.
pub fn greater(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    one(c"aten::gt", c"Tensor", &[Given(left), Given(right)])
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

/// `clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor`
///
/// # Errors
/// libtorch's.
pub fn copy(input: &Tensor) -> Result<Tensor> {
    one(c"aten::clone", c"", &[Given(input), Absent])
}
