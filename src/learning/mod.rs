//! Learning: labelled places as chips, networks, their training, and measures of what they map.

pub mod confusion;
#[cfg(test)]
mod fixtures;
pub mod network;
pub mod onnx;
mod protobuf;
pub mod random;
pub mod torch;
pub mod training;
