//! Shapes on the earth, from how files and services write them.

mod geojson;
pub mod wkb;

pub use geojson::shape as geojson_shape;
