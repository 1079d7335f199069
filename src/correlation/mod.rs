//! Offsets between images. Kernels are pure functions on slices and views, NaN is masked; around them, operations of the
//! engine.

pub mod autorift;
pub mod network;
pub mod point_target;
pub mod target_in_image;
pub mod velocity;
