//! autoRIFT: dense offsets by repeat-image feature tracking.

pub mod field;
pub mod fill;
pub mod gaps;
pub mod matcher;
pub mod ndc;
pub mod operation;
pub mod pair;
pub mod parameters;
pub mod peak;
pub mod prefilter;
pub mod pyramid;
pub mod quantise;
pub mod search;
pub mod sums;
pub mod track;

#[cfg(test)]
mod tests;
