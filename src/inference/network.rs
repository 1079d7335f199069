//! What the lattice of windows asks of a network, whoever computes it.

use ndarray::ArrayD;

use crate::error::{Error, Result};

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

/// # Errors
/// Where there are not as many inputs as the network takes.
pub fn check_count(takes: &[Port], inputs: &[ArrayD<f32>]) -> Result<()> {
    match inputs.len() == takes.len() {
        true => Ok(()),
        false => Err(Error::message(format!(
            "the model takes {} inputs, not {}",
            takes.len(),
            inputs.len()
        ))),
    }
}

/// The numbers of the input `name`, rounded, for a network that takes whole ones.
///
/// # Errors
/// For a number that is none of theirs.
pub fn whole<'a, T: num_traits::NumCast>(
    name: &str,
    numbers: impl IntoIterator<Item = &'a f32>,
) -> Result<Vec<T>> {
    let one = |x: &f32| {
        num_traits::cast(x.round_ties_even()).ok_or_else(|| {
            Error::message(format!(
                "the number {x} is beyond the whole numbers that the model's input `{name}` takes"
            ))
        })
    };
    numbers.into_iter().map(one).collect()
}
