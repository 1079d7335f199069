//! What is told of values over time: waves, trends. Series lie side by side in planes, one a time, as rows of images do.

mod harmonics;
#[cfg(test)]
mod tests;
mod trend;

pub use harmonics::Harmonics;
pub use trend::{MannKendall, TheilSen, mann_kendall, theil_sen};

/// Series handled at a time: value `i` of a plane is that of series `i`; NaN is no value.
pub const LANES: usize = 64;
