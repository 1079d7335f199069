//! The earth: its ellipsoid, its antimeridian, and shapes on it from how files and services write them.

pub mod antimeridian;
pub mod ellipsoid;
mod geojson;
pub mod wkb;

pub use geojson::shape as geojson_shape;
