//! Which driver, pixel type and creation options a file gets, and whether it fits the disk.

use std::ffi::{CString, c_int};
use std::path::Path;

use gdal::raster::RasterCreationOptions;
use gdal::{Dataset, Driver, DriverManager};
use gdal_sys::GDALDataType as Gdt;

use super::options::WriteOptions;
use super::{has_signed_bytes, last_message, message_of, reset_message};
use crate::error::{Error, Result, free_space};
use crate::raster::{Band, DType, Kind};
use crate::work;

/// One file has one type: that of the bands where they agree, else the float that holds all.
pub fn common_dtype(bands: &[Band], options: &WriteOptions) -> Result<DType> {
    let first = bands
        .first()
        .ok_or_else(|| Error::argument("raster", "an image with bands", "one without any"))?;
    let dtype = match options.dtype {
        Some(dtype) => dtype,
        None if bands.iter().all(|b| b.dtype == first.dtype) => first.dtype,
        None if bands.iter().any(|b| b.dtype.is_complex()) => DType::C32,
        None if bands
            .iter()
            .all(|b| b.dtype.bytes() <= 2 || b.dtype == DType::F32) =>
        {
            DType::F32
        }
        None => DType::F64,
    };
    let complex = bands.iter().any(|b| b.kind() == Kind::C32);
    if complex && !dtype.is_complex() {
        return Err(Error::argument(
            "dtype",
            "complex64 or complex128 for complex bands (or take `:abs()` first)",
            dtype,
        ));
    }
    Ok(dtype)
}

pub fn driver_for(path: &Path, options: &WriteOptions) -> Result<String> {
    let available = |name: &str| DriverManager::get_driver_by_name(name).is_ok();
    if let Some(format) = &options.format {
        let known = if format.eq_ignore_ascii_case("geotiff") {
            "GTiff"
        } else {
            format
        };
        if known.eq_ignore_ascii_case("VRT") {
            return Err(Error::argument(
                "format",
                "one that holds pixels of its own; a VRT only names files that do",
                format!("\"{format}\""),
            ));
        }
        if available(known) {
            return Ok(DriverManager::get_driver_by_name(known).map_or(known.into(), |d| d.short_name()));
        }
        return Err(Error::not_found(
            "file format",
            format,
            ["GTiff", "COG", "netCDF", "PNG", "JP2OpenJPEG"],
        ));
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("tif" | "tiff") => Ok("GTiff".into()),
        Some("nc") => Ok("netCDF".into()),
        Some("png") => Ok("PNG".into()),
        Some("jp2") => Ok("JP2OpenJPEG".into()),
        _ => Err(Error::argument(
            "path",
            "a file name that ends in .tif, .nc, .png or .jp2 (or say { format = \"…\" })",
            format!("`{}`", path.display()),
        )),
    }
}

/// Formats without signed bytes would hold −1 as 255.
pub fn check_signed_bytes(dtype: DType, driver: &str) -> Result<()> {
    if dtype != DType::I8 || has_signed_bytes() || matches!(driver, "GTiff" | "COG" | "netCDF") {
        return Ok(());
    }
    let expected = format!("a type that {driver} files hold here (GeoTIFF, COG and netCDF hold int8)");
    Err(Error::argument("dtype", expected, dtype))
}

/// Whether neighbours are differenced before they are compressed.
pub fn has_predictor(options: &WriteOptions, dtype: DType) -> bool {
    let predictable = matches!(
        options.compress.to_lowercase().as_str(),
        "deflate" | "lzw" | "zstd"
    );
    predictable && !dtype.is_complex() && options.predictor.unwrap_or(dtype.bytes() > 1)
}

/// GDAL's option of the level of compression that is asked for.
///
/// # Errors
/// A level that the compression does not have.
pub fn level_of(options: &WriteOptions) -> Result<Option<(String, String)>> {
    let Some(level) = options.level else {
        return Ok(None);
    };
    let (key, most) = match options.compress.to_lowercase().as_str() {
        "deflate" => ("ZLEVEL", 9),
        "zstd" => ("ZSTD_LEVEL", 22),
        "lzma" => ("LZMA_PRESET", 9),
        other => {
            let expected = "none for this compression; deflate, zstd and lzma have levels";
            return Err(Error::argument(
                "level",
                expected,
                format!("{level} of `{other}`"),
            ));
        }
    };
    match (1..=most).contains(&level) {
        true => Ok(Some((key.into(), level.to_string()))),
        false => Err(Error::argument(
            "level",
            format!("from 1 to {most} of {}", options.compress),
            level,
        )),
    }
}

pub fn creation_options(
    options: &WriteOptions,
    dtype: DType,
    (rows, cols): (usize, usize),
    staged: bool,
    bytes: u64,
) -> Result<RasterCreationOptions> {
    let mut list = Vec::new();
    let compress = options.compress.to_lowercase();
    let known = [
        "none",
        "deflate",
        "lzw",
        "zstd",
        "lzma",
        "packbits",
        "lerc",
        "lerc_deflate",
        "lerc_zstd",
        "jpeg",
        "webp",
    ];
    if !known.contains(&compress.as_str()) {
        return Err(Error::not_found("compression", &options.compress, known));
    }
    if !staged && compress != "none" {
        list.push(("COMPRESS".into(), compress.to_uppercase()));
        if let Some(level) = level_of(options)? {
            list.push(level);
        }
        if has_predictor(options, dtype) {
            list.push((
                "PREDICTOR".into(),
                if dtype.is_float() { "3" } else { "2" }.to_string(),
            ));
        }
        list.push(("NUM_THREADS".to_string(), work::threads().to_string()));
    }
    if dtype == DType::I8 && !has_signed_bytes() {
        list.push(("PIXELTYPE".into(), "SIGNEDBYTE".into()));
    }
    let block = block_side((rows, cols));
    list.push(("TILED".into(), "YES".into()));
    list.push(("BLOCKXSIZE".into(), block.to_string()));
    list.push(("BLOCKYSIZE".into(), block.to_string()));
    list.push((
        "BIGTIFF".into(),
        if bytes > 3_900_000_000 { "YES" } else { "IF_SAFER" }.into(),
    ));
    // Bands one after the other, so that a tile of one band is one block.
    list.push(("INTERLEAVE".into(), "BAND".into()));
    Ok(RasterCreationOptions::from_iter(
        list.into_iter()
            .map(|(k, v): (String, String)| format!("{k}={v}")),
    ))
}

/// Rows and columns of the blocks of a plain GeoTIFF. By the image alone: the tiles depend on the memory that there is, the file does not. Most tiles are
/// whole blocks of this size.
pub fn block_side((rows, cols): (usize, usize)) -> usize {
    let side = |size: usize| match size {
        512.. => 512,
        256.. => 256,
        _ => size.next_multiple_of(16),
    };
    side(rows).min(side(cols))
}

pub fn create(
    path: &Path,
    (cols, rows): (c_int, c_int),
    bands: usize,
    dtype: Gdt::Type,
    options: &RasterCreationOptions,
) -> Result<Dataset, String> {
    let driver: Driver = DriverManager::get_driver_by_name("GTiff").map_err(|e| message_of(&e))?;
    let name = CString::new(path.to_string_lossy().as_bytes())
        .map_err(|_| "the path holds a NUL byte".to_string())?;
    reset_message();
    // SAFETY: the driver handle is valid for the life of the process; GDAL copies name and options; a null answer is
    // checked; the new handle is owned by the Dataset alone.
    unsafe {
        let handle = gdal_sys::GDALCreate(
            driver.c_driver(),
            name.as_ptr(),
            cols,
            rows,
            bands as c_int,
            dtype,
            options.as_ptr().cast(),
        );
        if handle.is_null() {
            Err(last_message())
        } else {
            Ok(Dataset::from_c_dataset(handle))
        }
    }
}

/// An image that cannot fit is refused before hours of work, not after. Compression may save it, so only what is
/// written uncompressed is refused outright; compressed images are refused at sixteen times the free space.
pub fn check_space(path: &Path, bytes: u64, options: &WriteOptions) -> Result<()> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Of file systems that count none, creating the file tells more.
    let Some(free) = free_space(folder) else {
        return Ok(());
    };
    let likely = if options.compress.eq_ignore_ascii_case("none") {
        bytes
    } else {
        bytes / 16
    };
    if likely <= free {
        return Ok(());
    }
    Err(Error::file(
        path,
        format!(
            "would take {} MiB uncompressed; the disk has {} MiB free",
            bytes >> 20,
            free >> 20
        ),
    ))
}

/// What masked pixels of a band are written as, and whether a file is to say so though no pixel may be masked: where it was
/// asked for, or is NaN.
///
/// # Errors
/// A value that was asked for and that the type does not hold.
pub fn fill_of(nodata: Option<f64>, dtype: DType, options: &WriteOptions) -> Result<(f64, bool)> {
    let holds = |v: &f64| match dtype.integer_range() {
        Some((low, high)) => (low..=high).contains(v) && v.fract() == 0.0,
        None => true,
    };
    if let (Some((low, high)), Some(nodata)) = (dtype.integer_range(), options.nodata.filter(|v| !holds(v))) {
        return Err(Error::argument(
            "nodata",
            format!("a whole number that {dtype} holds ({low}…{high})"),
            nodata,
        ));
    }
    // The band's own is a value, not what a value is stored as.
    let own = nodata.filter(|v| options.packing.is_none() && holds(v));
    let given = options.nodata.or(own);
    // Without a word from the user: NaN for floats, the lowest value of signed and the highest of unsigned integers.
    let fallback = match dtype.integer_range() {
        None => f64::NAN,
        // u64::MAX itself is no f64.
        Some(_) if dtype == DType::U64 => (1u64 << 63) as f64,
        Some((0.0, high)) => high,
        Some((low, _)) => low,
    };
    Ok((given.unwrap_or(fallback), given.is_some() || fallback.is_nan()))
}
