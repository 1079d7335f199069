//! Unsigned bytes in netCDF-4 files whose type is the signed byte (`_Unsigned = "true"`).
//!
//! GDAL asks netCDF for them as unsigned ones, which netCDF refuses: −1 is no unsigned byte. The same file read as HDF5, which it is,
//! gives the bytes as they are.

use std::sync::Arc;

use gdal::Dataset;

use super::encoding::{Attributes, container_and_variable};
use super::layout::driver_of;
use super::{arrays, pool::SourceFile};
use crate::error::Result;
use crate::raster::DType;

/// The source to read instead, and whether its rows run the other way; None where GDAL reads the band.
pub fn source(
    file: &Arc<SourceFile>,
    dataset: &Dataset,
    reported: DType,
    attributes: &Attributes,
) -> Result<Option<(Arc<SourceFile>, bool)>> {
    let said = attributes
        .text("_Unsigned")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if driver_of(dataset) != "netCDF" || reported != DType::U8 || !said {
        return Ok(None);
    }
    let (container, variable) = container_and_variable(file, attributes);
    let name = format!("HDF5:\"{container}\"://{}", variable.trim_start_matches('/'));
    // Files in the classic format are no HDF5, and GDAL reads their bytes.
    let Ok((raw, lent)) = SourceFile::open(&file.path, &name) else {
        return Ok(None);
    };
    let same = (raw.rows, raw.cols) == (file.rows, file.cols)
        && lent.dataset()?.raster_count() == dataset.raster_count();
    // GDAL turns images over whose y grows from row to row, so that north is up.
    let upward = arrays::grows_with_rows(&container, &variable);
    Ok(same.then_some((raw, upward)))
}
