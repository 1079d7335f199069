//! Networks of image pairs: from what was measured between pairs to one value a date.

mod band;
pub mod invert;

pub use invert::{Inversion, Pair, Robust, TUNING, invert};
