//! The functions that GDAL calls in place of its own file systems.

mod local;

pub use local::install;
