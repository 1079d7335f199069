//! What is told of values over time: waves, trends, changes. Series lie side by side in planes, one a time, as rows of images do.

mod cusum;
mod geomedian;
mod harmonics;
mod omnibus;
#[cfg(test)]
mod tests;
mod trend;

pub use cusum::Cusum;
pub use geomedian::Geomedian;
pub use harmonics::Harmonics;
pub use omnibus::{Change, Omnibus, Scratch};
pub use trend::{MannKendall, TheilSen, mann_kendall, theil_sen};

/// Series handled at a time: value `i` of a plane is that of series `i`; NaN is no value.
pub const LANES: usize = 64;
