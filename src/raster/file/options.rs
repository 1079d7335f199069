//! How a file is written.

use super::netcdf::Attribute;
use crate::raster::DType;

/// How to write a file.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// GDAL driver: `GTiff`, `COG`…; by the extension when absent.
    pub format: Option<String>,
    /// `none`, `deflate`, `lzw`, `zstd`, `lerc`…
    pub compress: String,
    /// How hard deflate, zstd or lzma try; GDAL's own level when absent.
    pub level: Option<u32>,
    /// Floating-point or horizontal differencing before compression; when absent, of all but bytes. Those are classes and masks more often
    /// than pictures, and differences of classes take more space than the classes.
    pub predictor: Option<bool>,
    /// Reduced-resolution copies inside the file (a COG has them always).
    pub overviews: bool,
    /// How overviews are made: `average` when absent, `nearest`, `mode`…
    pub overview_resampling: Option<String>,
    /// Minimum, maximum, mean and standard deviation in the file's metadata.
    pub statistics: bool,
    pub dtype: Option<DType>,
    /// Of whole numbers: a pixel is stored as (value − offset) / scale, and says so.
    pub packing: Option<Packing>,
    /// Of stored numbers, where they are packed.
    pub nodata: Option<f64>,
    pub tags: Vec<(String, String)>,
    /// Whether what networks have made is kept beside the file until it is whole, for a run that goes on where this one is stopped.
    pub resume: bool,
}

/// How values are kept as whole numbers: value = stored × scale + offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Packing {
    pub scale: f64,
    pub offset: f64,
}

impl Packing {
    /// What attributes of netCDF and Zarr say of it.
    pub fn said(self) -> [(String, Attribute); 2] {
        [("scale_factor", self.scale), ("add_offset", self.offset)]
            .map(|(name, value)| (name.to_string(), Attribute::Number(value)))
    }
}

impl Default for WriteOptions {
    fn default() -> Self {
        WriteOptions {
            format: None,
            compress: "deflate".into(),
            level: None,
            predictor: None,
            overviews: false,
            overview_resampling: None,
            statistics: true,
            dtype: None,
            packing: None,
            nodata: None,
            tags: Vec::new(),
            resume: false,
        }
    }
}

impl WriteOptions {
    pub fn resampling(&self) -> &str {
        self.overview_resampling.as_deref().unwrap_or("average")
    }
}
