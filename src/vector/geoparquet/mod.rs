//! GeoParquet 1.1 (<https://geoparquet.org/releases/v1.1.0/>): Parquet whose metadata `geo` says which columns are geometries. GDAL has
//! a driver of it only where it was built with Arrow, so it is read and written here.

mod nested;
mod read;
mod shapes;
mod write;

pub use self::read::read;
pub use self::write::{kind_of, kind_of_column, write};

/// How names of such files end.
pub const EXTENSIONS: [&str; 2] = ["parquet", "geoparquet"];

/// Of the file's metadata that it has on geometries.
const METADATA: &str = "geo";

/// Members of a box, as columns have them; west to north.
const CORNERS: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];
