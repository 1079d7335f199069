//! What the lattice of windows asks of a network, whoever computes it.

use ndarray::ArrayD;

use crate::error::Result;

/// One tensor that a network takes or gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    pub name: String,
    /// Its axes, first the batch where there is one; `None` where any size is taken.
    pub shape: Vec<Option<usize>>,
}

/// A network, opened and ready. Numbers go in and come out as float32, whatever it computes in.
pub trait Network: Send + Sync {
    fn inputs(&self) -> &[Port];

    fn outputs(&self) -> &[Port];

    /// What tells this network from every other: the SHA-256 of its file, in hexadecimal digits.
    fn identity(&self) -> &str;

    /// The outputs for one batch, in the order of `outputs`. Ends within a second of a stop (`crate::interrupt`).
    ///
    /// # Errors
    /// Where the network fails, or the run is stopped.
    fn run(&self, inputs: &[ArrayD<f32>]) -> Result<Vec<ArrayD<f32>>>;

    /// Gives back the memory that it keeps from one batch to the next.
    fn rest(&self) {}
}
