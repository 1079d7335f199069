//! Learning: labelled places as chips, networks, their training, and measures of what they map.

pub mod classes;
pub mod confusion;
pub mod dataset;
pub mod evaluate;
#[cfg(test)]
mod fixtures;
pub mod network;
pub mod onnx;
mod protobuf;
pub mod torch;
pub mod training;
