//! Vector things: geometries with a CRS, features with properties, files that GDAL reads and writes, GeoJSON, burning
//! features into pixels, statistics of pixels by zone, and pixel values at points.

mod antimeridian;
mod features;
mod geojson;
mod geometry;
mod measure;
mod overlay;
mod read;
mod relate;
mod transform;
mod wkb;
mod wkt;
mod write;

pub use self::features::{Feature, Features, Properties};
pub use self::geojson::GeoJsonOptions;
pub use self::geometry::Geometry;
pub use self::read::ReadOptions;
pub use self::write::WriteOptions;
