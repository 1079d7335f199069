//! Speckle and focal filters, one a file. Kernels are pure functions on ndarray views; NaN is masked.

mod moments;
mod padded;
pub mod speckle;
#[cfg(test)]
mod testing;

pub mod focal;
pub mod frost;
pub mod gamma_map;
pub mod impulse_response;
pub mod kuan;
pub mod lee;
pub mod lee_sigma;
pub mod quegan;
pub mod refined_lee;
pub mod sigma_range;
pub mod tv_bregman;
