//! libtorch, opened at run time through its stable C functions: the one place that calls it, behind typed operators.
//!
//! Without it everything but training works. No gradient is kept by libtorch: networks here know their own way back, which lets go of what
//! it has used. While OpenMP's threads wait they spin unless `OMP_WAIT_POLICY=PASSIVE` stands in the environment before the library is
//! opened; the program sets it at its start (src/main.rs), where nobody has said otherwise.

mod abi;
mod call;
pub mod operators;
mod probe;
mod tensor;

#[cfg(test)]
mod tests;

pub use self::abi::{enter, threads, version};
pub use self::probe::{choose, open};
pub use self::tensor::Tensor;
pub use crate::libraries::Device;

use crate::error::Error;

/// Whether `error` says that the device has no memory for what was asked.
pub fn is_out_of_memory(error: &Error) -> bool {
    let Error::Message(text) = error else { return false };
    text.starts_with("libtorch: ")
        && (text.contains("out of memory") || text.contains("can't allocate memory"))
}
