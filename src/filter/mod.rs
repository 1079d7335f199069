//! Speckle and focal filters, one a file. Kernels are pure functions on ndarray views; NaN is masked.

pub mod focal;
