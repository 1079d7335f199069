//! The operators that networks and their training need, each as its schema in PyTorch 2.13 says (native_functions.yaml).
//!
//! Images are (samples, channels, rows, columns). Nothing is computed in place unless the name ends in `_in_place`.

mod adam;
mod arithmetic;
mod layers;
mod losses;

pub use self::adam::{AdamStep, Moments, adam_in_place};
pub use self::arithmetic::{
    add, copy, divide, greater, maximum, multiply, power, subtract, sum, sum_of_channels,
};
pub use self::layers::{
    ConvolutionGradients, Convolved, NORMALISATION_EPSILON, Normalisation, Normalised, concatenate,
    convolution, convolution_backward, double, double_backward, max_pool, max_pool_backward, narrow,
    normalise_backward, normalise_by_batch, normalise_by_running, relu_in_place,
};
pub use self::losses::{
    likelihood, likelihood_backward, log_sigmoid, log_softmax, log_softmax_backward, sigmoid, softmax,
    softmax_backward, strongest,
};
