//! Offsets between images. Kernels are pure functions on slices; around them, operations of the engine.

pub mod network;
pub mod point_target;
pub mod target_in_image;
