//! Whether a file that was written and closed can be read to its end: closing does not report all that has gone wrong.

use std::ffi::{OsStr, OsString, c_int};
use std::path::Path;

use gdal::cpl::CslStringList;
use gdal::raster::RasterBand;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use gdal_sys::CPLErr;

use super::{last_message, message_of, reset_message};
use crate::error::Error;
use crate::files;

pub fn error(path: &Path, reason: &str) -> Error {
    Error::file(
        path,
        format!("is not whole ({}); nothing was written", files::shown(reason)),
    )
}

/// What GDAL keeps beside an old file (statistics, overviews, masks), which would be wrong for a new one.
pub fn stale_beside(path: &Path) -> [OsString; 3] {
    let name = path.file_name().unwrap_or_default();
    [".aux.xml", ".ovr", ".msk"].map(|end| [name, OsStr::new(end)].into_iter().collect())
}

fn open(path: &Path, driver: &str, kind: GdalOpenFlags) -> Result<Dataset, String> {
    // What some drivers make is read by another.
    let drivers: &[&str] = match driver {
        "COG" => &["GTiff"],
        "HDF4Image" => &["HDF4Image", "HDF4"],
        driver => &[driver],
    };
    let options = DatasetOptions {
        open_flags: kind,
        allowed_drivers: Some(drivers),
        ..Default::default()
    };
    Dataset::open_ex(path, options).map_err(|e| message_of(&e))
}

/// Reads the last block of each band and of its overviews.
///
/// # Errors
/// What is not as it was written.
pub fn image(path: &Path, driver: &str, (size, bands): ((usize, usize), usize)) -> Result<(), String> {
    let dataset = open(path, driver, GdalOpenFlags::GDAL_OF_RASTER)?;
    let found = (dataset.raster_size(), dataset.raster_count());
    if found != (size, bands) {
        let shown = |((cols, rows), bands): ((usize, usize), usize)| {
            format!("{rows} × {cols} pixels in {bands} bands")
        };
        return Err(format!(
            "{} were written, {} are there",
            shown((size, bands)),
            shown(found)
        ));
    }
    for i in 1..=bands {
        let band = dataset.rasterband(i).map_err(|e| message_of(&e))?;
        last_block(&band)?;
        for overview in 0..band.overview_count().map_err(|e| message_of(&e))?.max(0) {
            last_block(&band.overview(overview as usize).map_err(|e| message_of(&e))?)?;
        }
    }
    Ok(())
}

fn last_block(band: &RasterBand) -> Result<(), String> {
    let ((cols, rows), (across, down)) = (band.size(), band.block_size());
    let last = |size: usize, block: usize| (size.saturating_sub(1) / block.max(1)) as c_int;
    // SAFETY: the band is alive; no preconditions on the type.
    let bytes =
        unsafe { gdal_sys::GDALGetDataTypeSizeBytes(gdal_sys::GDALGetRasterDataType(band.c_rasterband())) };
    let mut block = vec![0u8; across * down * bytes.max(0) as usize];
    reset_message();
    // SAFETY: the band is alive; the buffer holds a block of its size and type.
    let status = unsafe {
        gdal_sys::GDALReadBlock(
            band.c_rasterband(),
            last(cols, across),
            last(rows, down),
            block.as_mut_ptr().cast(),
        )
    };
    match status {
        CPLErr::CE_None => Ok(()),
        _ => Err(last_message()),
    }
}

/// Reads the last element of each of these arrays of numbers.
///
/// # Errors
/// What is not there or cannot be read.
pub fn arrays(path: &Path, driver: &str, names: &[&str]) -> Result<(), String> {
    let dataset = open(path, driver, GdalOpenFlags::GDAL_OF_MULTIDIM_RASTER)?;
    let root = dataset.root_group().map_err(|e| message_of(&e))?;
    for name in names {
        let failed = |e| format!("{name}: {}", message_of(&e));
        let array = root.open_md_array(name, CslStringList::new()).map_err(failed)?;
        let last: Vec<u64> = array
            .dimensions()
            .map_err(failed)?
            .iter()
            .map(|dimension| dimension.size().saturating_sub(1) as u64)
            .collect();
        let count = vec![1; last.len()];
        array.read_into_slice(&mut [0f64], last, count).map_err(failed)?;
    }
    Ok(())
}
