//! The host: virtual machine, sandbox, scripts and their parameters, help, prompt.

pub mod loader;
pub mod runtime;
mod sandbox;

pub use runtime::{Limits, Runtime};
