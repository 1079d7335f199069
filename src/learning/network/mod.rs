//! Networks: what they are made of, where their weights come from, and their passes on libtorch.

mod fit;
mod passes;
mod plan;
mod start;
mod unet;
mod weights;

#[cfg(test)]
mod tests;

pub use self::fit::{OF_STATE, check_numbers, encoder, whole};
pub use self::passes::{Net, State, Tape, in_memory, on_device};
pub use self::plan::{Node, Parameter, Plan, Role, Step};
pub use self::start::start;
pub use self::unet::{Encoder, STRIDE, UNet};
pub use self::weights::{Array, Weights, read, read_safetensors, write_safetensors};
