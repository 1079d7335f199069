//! Vector things: geometries with a CRS, features with properties, files that GDAL reads and writes, GeoJSON, GeoParquet, burning
//! features into pixels, outlines of classes, statistics of pixels by zone, and pixel values at points.

mod antimeridian;
mod burn;
mod encoding;
mod features;
mod geojson;
mod geometry;
mod geoparquet;
mod measure;
mod outline;
mod overlay;
mod polygonize;
mod profile;
mod rasterize;
mod read;
mod relate;
mod stream;
mod transform;
mod wkt;
mod write;
mod zonal;
mod zone_values;

pub use self::features::{Feature, Features, Properties};
pub use self::geojson::GeoJsonOptions;
pub use self::geometry::Geometry;
pub use self::polygonize::{PolygonizeOptions, polygonize, write_polygons};
pub use self::profile::{Station, stations};
pub use self::rasterize::{BurnOptions, BurnValue, Rasterize, rasterize, rasterize_image};
pub use self::read::{ReadOptions, said_in_geopackage};
pub use self::write::WriteOptions;
pub use self::zonal::{ZonalAccumulator, ZonalOptions, zonal_statistics};
