//! Offsets between images. Kernels are pure functions on slices and ndarray views; NaN is masked.

pub mod autorift;
pub mod velocity;
