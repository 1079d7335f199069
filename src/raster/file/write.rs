//! Writing: tiles go to a temporary file beside the target; only a whole file takes the target's name.

use std::ffi::{CString, c_int, c_void};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use gdal::cpl::CslStringList;
use gdal::raster::RasterCreationOptions;
use gdal::{Dataset, Driver, DriverManager, Metadata};
use gdal_sys::{CPLErr, GDALDataType as Gdt, GDALRWFlag};

use super::{gdal_type, initialise, last_message, message_of, reset_message};
use crate::error::{Error, Result};
use crate::raster::execute::Run;
use crate::raster::image::{Band, Raster};
use crate::raster::stats::{Moments, TileMoments};
use crate::raster::{DType, Pixels, Window, settings};

/// How to write a file.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// GDAL driver: `GTiff`, `COG`…; by the extension when absent.
    pub format: Option<String>,
    /// `none`, `deflate`, `lzw`, `zstd`, `lerc`…
    pub compress: String,
    /// Floating-point or horizontal differencing before compression.
    pub predictor: bool,
    /// Reduced-resolution copies inside the file (a COG has them always).
    pub overviews: bool,
    /// How overviews are made: `average`, `nearest`, `mode`…
    pub overview_resampling: String,
    /// Minimum, maximum, mean and standard deviation in the file's metadata.
    pub statistics: bool,
    pub dtype: Option<DType>,
    pub nodata: Option<f64>,
    pub tags: Vec<(String, String)>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        WriteOptions {
            format: None,
            compress: "deflate".into(),
            predictor: true,
            overviews: false,
            overview_resampling: "average".into(),
            statistics: true,
            dtype: None,
            nodata: None,
            tags: Vec::new(),
        }
    }
}

/// Writes one file.
pub fn write(raster: &Raster, path: &Path, options: &WriteOptions) -> Result<()> {
    write_all(&[(raster.clone(), path.to_path_buf(), options.clone())])
}

/// Writes several files in one pass: what they share is computed once. All must lie on one grid.
pub fn write_all(jobs: &[(Raster, PathBuf, WriteOptions)]) -> Result<()> {
    let Some((first, _, _)) = jobs.first() else {
        return Ok(());
    };
    for (other, _, _) in &jobs[1..] {
        first.check_grid(other)?;
    }
    for (i, (_, path, _)) in jobs.iter().enumerate() {
        if jobs[..i].iter().any(|(_, other, _)| other == path) {
            return Err(Error::argument(
                "paths",
                "different files",
                format!("{} twice", path.display()),
            ));
        }
    }
    let ports: Vec<_> = jobs.iter().flat_map(|(raster, _, _)| raster.ports()).collect();
    let run = Run::new(&first.grid, &ports, first.grid.window())?;
    let mut sinks = Vec::with_capacity(jobs.len());
    for (raster, path, options) in jobs {
        sinks.push(Sink::create(raster, path, options, run.tile())?);
    }
    let label = jobs
        .iter()
        .map(|(_, p, _)| p.file_name().unwrap_or_default().to_string_lossy())
        .collect::<Vec<_>>();
    run.for_each(&label.join(", "), &|index, window, pixels| {
        let mut pixels = pixels.into_iter();
        for sink in &sinks {
            for band in 0..sink.bands.len() {
                if let Some(band_pixels) = pixels.next() {
                    sink.write(index, window, band, band_pixels)?;
                }
            }
        }
        Ok(())
    })?;
    sinks.into_iter().try_for_each(Sink::finish)
}

/// A file that is being made.
struct Sink {
    path: PathBuf,
    temporary: Temporary,
    driver: String,
    options: WriteOptions,
    bands: Vec<SinkBand>,
    dataset: Mutex<Option<Dataset>>,
}

struct SinkBand {
    name: String,
    dtype: DType,
    /// What masked pixels are written as.
    fill: f64,
    /// True where `fill` was asked for, or is NaN; otherwise it counts as nodata only if a pixel was masked.
    declared: bool,
    moments: TileMoments,
    seen: Mutex<Seen>,
}

#[derive(Default, Clone, Copy)]
struct Seen {
    masked: bool,
    /// Valid pixels that have the value of `fill`.
    clashes: u64,
}

/// A file that is deleted when it is dropped, unless it was given its final name.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Temporary {
    fn beside(path: &Path, extension: &str) -> Temporary {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Temporary(path.with_file_name(format!(".{name}.{}-{n}.tmp.{extension}", std::process::id())))
    }

    /// Removes what killed runs left of the same file.
    fn sweep(path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}.");
        let Ok(entries) = std::fs::read_dir(folder_of(path)) else {
            return;
        };
        for entry in entries.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            let pid = file
                .strip_prefix(&prefix)
                .filter(|rest| rest.contains(".tmp."))
                .and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
            if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

impl Sink {
    fn create(raster: &Raster, path: &Path, options: &WriteOptions, tile: (usize, usize)) -> Result<Sink> {
        initialise();
        let folder = folder_of(path);
        if !folder.is_dir() {
            return Err(Error::file(
                path,
                format!("the folder {} does not exist", folder.display()),
            ));
        }
        if path.is_dir() {
            return Err(Error::file(path, "is a folder"));
        }
        let driver = driver_for(path, options)?;
        let (rows, cols) = (raster.grid.rows, raster.grid.cols);
        let dtype = common_dtype(&raster.bands, options)?;
        let gdal = gdal_type(dtype).ok_or_else(|| {
            Error::argument("dtype", "a type that this GDAL can write (int8 needs 3.7)", dtype)
        })?;
        let bytes = rows as u64 * cols as u64 * raster.bands.len() as u64 * dtype.bytes() as u64;
        check_space(path, folder, bytes, options)?;
        Temporary::sweep(path);
        let temporary = Temporary::beside(path, "tif");
        // The final driver's own writing needs the whole image; what is written by tiles is always a GeoTIFF.
        let staged = driver != "GTiff";
        let creation = creation_options(options, dtype, tile, (rows, cols), staged, bytes)?;
        let size_error = || {
            Error::file(
                path,
                format!("an image of {rows} × {cols} pixels is too large for GDAL"),
            )
        };
        let (c_cols, c_rows) = (
            c_int::try_from(cols).map_err(|_| size_error())?,
            c_int::try_from(rows).map_err(|_| size_error())?,
        );
        let dataset = create(
            &temporary.0,
            (c_cols, c_rows),
            raster.bands.len(),
            gdal,
            &creation,
        )
        .map_err(|text| Error::file(path, format!("cannot be created: {text}")))?;
        let mut sink = Sink {
            path: path.to_path_buf(),
            temporary,
            driver,
            options: options.clone(),
            bands: raster
                .bands
                .iter()
                .map(|b| sink_band(b, dtype, options))
                .collect(),
            dataset: Mutex::new(None),
        };
        sink.describe(raster, dataset)?;
        Ok(sink)
    }

    /// Georeference, names, units, tags.
    fn describe(&mut self, raster: &Raster, mut dataset: Dataset) -> Result<()> {
        let fail = |e: gdal::errors::GdalError| Error::file(&self.path, message_of(&e));
        if let Some(crs) = &raster.grid.crs {
            dataset.set_spatial_ref(&crs.spatial_ref()?).map_err(fail)?;
        }
        dataset
            .set_geo_transform(&raster.grid.transform.to_gdal())
            .map_err(fail)?;
        let tags = settings::provenance()
            .into_iter()
            .chain(self.options.tags.iter().cloned());
        for (key, value) in tags {
            dataset.set_metadata_item(&key, &value, "").map_err(fail)?;
        }
        if let Some(time) = raster.time {
            dataset
                .set_metadata_item("TIME", &time.to_string(), "")
                .map_err(fail)?;
        }
        for (i, band) in raster.bands.iter().enumerate() {
            let mut target = dataset.rasterband(i + 1).map_err(fail)?;
            target.set_description(&band.name).map_err(fail)?;
            if let (false, Ok(unit)) = (band.unit.symbol().is_empty(), CString::new(band.unit.symbol())) {
                // SAFETY: the handle lives as long as `dataset`; GDAL copies the string.
                unsafe { gdal_sys::GDALSetRasterUnitType(target.c_rasterband(), unit.as_ptr()) };
            }
            let declared = &self.bands[i];
            if declared.declared && !declared.dtype.is_complex() {
                set_nodata(&mut target, declared.dtype, declared.fill).map_err(fail)?;
            }
        }
        *self.dataset.lock().unwrap_or_else(|e| e.into_inner()) = Some(dataset);
        Ok(())
    }

    fn write(&self, index: usize, window: Window, band: usize, pixels: Pixels) -> Result<()> {
        let target = &self.bands[band];
        let (data, mut buffer) = (&target.moments, pixels);
        let mut seen = Seen::default();
        if self.options.statistics {
            data.add(index, Moments::of(&buffer));
        }
        let (gdal, pointer) = match &mut buffer {
            Pixels::F32(a) => {
                let fill = target.fill as f32;
                if fill.is_nan() {
                    // Masked pixels are what they should be already.
                } else {
                    a.mapv_inplace(|v| fill_one(v, fill, &mut seen));
                }
                (Gdt::GDT_Float32, a.as_mut_ptr().cast::<c_void>())
            }
            Pixels::F64(a) => {
                let fill = target.fill;
                if !fill.is_nan() {
                    a.mapv_inplace(|v| fill_one(v, fill, &mut seen));
                }
                (Gdt::GDT_Float64, a.as_mut_ptr().cast::<c_void>())
            }
            Pixels::C32(a) => (Gdt::GDT_CFloat32, a.as_mut_ptr().cast::<c_void>()),
        };
        if seen.masked || seen.clashes > 0 {
            let mut all = target.seen.lock().unwrap_or_else(|e| e.into_inner());
            all.masked |= seen.masked;
            all.clashes += seen.clashes;
        }
        let guard = self.dataset.lock().unwrap_or_else(|e| e.into_inner());
        let dataset = guard
            .as_ref()
            .ok_or_else(|| Error::file(&self.path, "was closed while it was written"))?;
        let fail = |text: String| Error::file(&self.path, format!("cannot be written: {text}"));
        let band = dataset.rasterband(band + 1).map_err(|e| fail(message_of(&e)))?;
        reset_message();
        // SAFETY: the buffer holds window.rows × window.cols values of the given type in standard layout; the window
        // is a tile of the image's own grid; the dataset is locked.
        let status = unsafe {
            gdal_sys::GDALRasterIO(
                band.c_rasterband(),
                GDALRWFlag::GF_Write,
                window.col as c_int,
                window.row as c_int,
                window.cols as c_int,
                window.rows as c_int,
                pointer,
                window.cols as c_int,
                window.rows as c_int,
                gdal,
                0,
                0,
            )
        };
        if status == CPLErr::CE_None {
            Ok(())
        } else {
            Err(fail(last_message()))
        }
    }

    /// Statistics, overviews, the final format, and the final name.
    fn finish(self) -> Result<()> {
        settings::check_interrupt()?;
        let fail = |text: String| Error::file(&self.path, format!("cannot be written: {text}"));
        let gdal_fail = |e: gdal::errors::GdalError| fail(message_of(&e));
        let mut dataset = self
            .dataset
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .take()
            .ok_or_else(|| fail("it was closed".into()))?;
        for (i, band) in self.bands.iter().enumerate() {
            let seen = *band.seen.lock().unwrap_or_else(|e| e.into_inner());
            if seen.masked && seen.clashes > 0 {
                return Err(Error::file(
                    &self.path,
                    format!(
                        "band `{}`: {} valid pixels have the value {} that is to mark masked ones; \
                         choose another with {{ nodata = … }} or a wider {{ dtype = … }}; nothing was written",
                        band.name, seen.clashes, band.fill
                    ),
                ));
            }
            let mut target = dataset.rasterband(i + 1).map_err(gdal_fail)?;
            if seen.masked && !band.declared {
                set_nodata(&mut target, band.dtype, band.fill).map_err(gdal_fail)?;
            }
            if let Some(m) = band
                .moments
                .total()
                .filter(|m| self.options.statistics && m.count > 0)
            {
                for (key, value) in [
                    ("STATISTICS_MINIMUM", m.min),
                    ("STATISTICS_MAXIMUM", m.max),
                    ("STATISTICS_MEAN", m.mean),
                    ("STATISTICS_STDDEV", m.std()),
                ] {
                    target
                        .set_metadata_item(key, &format!("{value}"), "")
                        .map_err(gdal_fail)?;
                }
            }
        }
        if self.options.overviews && self.driver == "GTiff" {
            flush(&mut dataset).map_err(&fail)?;
            let (cols, rows) = dataset.raster_size();
            let factors: Vec<i32> = (1..31)
                .map(|p| 1 << p)
                .take_while(|f| rows.max(cols) / (*f as usize / 2) > 512)
                .collect();
            let method = self.options.overview_resampling.to_uppercase();
            if !factors.is_empty() {
                dataset
                    .build_overviews(&method, &factors, &[])
                    .map_err(gdal_fail)?;
            }
        }
        flush(&mut dataset).map_err(&fail)?;
        let done = if self.driver == "GTiff" {
            close(dataset).map_err(&fail)?;
            None
        } else {
            Some(self.copy(dataset).map_err(&fail)?)
        };
        let whole = done.as_ref().unwrap_or(&self.temporary);
        let io = |e| Error::io(&self.path, e);
        File::open(&whole.0).and_then(|f| f.sync_all()).map_err(io)?;
        std::fs::rename(&whole.0, &self.path).map_err(io)?;
        // What GDAL keeps beside the old file (statistics, overviews, masks) would be wrong for the new one.
        for suffix in [".aux.xml", ".ovr", ".msk"] {
            let mut side = self.path.clone().into_os_string();
            side.push(suffix);
            let _ = std::fs::remove_file(side);
        }
        let _ = File::open(folder_of(&self.path)).and_then(|f| f.sync_all());
        Ok(())
    }

    /// The staged GeoTIFF in the final format.
    fn copy(&self, staged: Dataset) -> Result<Temporary, String> {
        let extension = self
            .path
            .extension()
            .map_or("dat".into(), |e| e.to_string_lossy().into_owned());
        let target = Temporary::beside(&self.path, &extension);
        let driver = DriverManager::get_driver_by_name(&self.driver).map_err(|e| message_of(&e))?;
        let mut list = CslStringList::new();
        let mut set = |key: &str, value: &str| list.set_name_value(key, value).map_err(|e| message_of(&e));
        if self.driver == "COG" {
            set("COMPRESS", &self.options.compress.to_uppercase())?;
            if self.options.predictor && predictable(&self.options.compress) {
                set("PREDICTOR", "YES")?;
            }
            set(
                "OVERVIEW_RESAMPLING",
                &self.options.overview_resampling.to_uppercase(),
            )?;
            set("NUM_THREADS", &settings::threads().to_string())?;
            set("BIGTIFF", "IF_SAFER")?;
        }
        reset_message();
        let copied = staged
            .create_copy(&driver, &target.0, &list)
            .map_err(|e| message_of(&e))?;
        close(copied)?;
        Ok(target)
    }
}

/// 64-bit integers have functions of their own, since not all of them fit an f64.
fn set_nodata(
    band: &mut gdal::raster::RasterBand,
    dtype: DType,
    value: f64,
) -> Result<(), gdal::errors::GdalError> {
    match dtype {
        DType::I64 => band.set_no_data_value_i64(Some(value as i64)),
        DType::U64 => band.set_no_data_value_u64(Some(value as u64)),
        _ => band.set_no_data_value(Some(value)),
    }
}

fn fill_one<T: num_traits::Float>(v: T, fill: T, seen: &mut Seen) -> T {
    if v.is_nan() {
        seen.masked = true;
        fill
    } else {
        seen.clashes += u64::from(v == fill);
        v
    }
}

fn sink_band(band: &Band, dtype: DType, options: &WriteOptions) -> SinkBand {
    let given = options
        .nodata
        .or(band.nodata.filter(|v| match dtype.integer_range() {
            Some((lo, hi)) => (lo..=hi).contains(v) && v.fract() == 0.0,
            None => true,
        }));
    // Without a word from the user: NaN for floats, the lowest value of signed and the highest of unsigned integers.
    let fallback = match dtype.integer_range() {
        None => f64::NAN,
        // u64::MAX itself is no f64.
        Some(_) if dtype == DType::U64 => (1u64 << 63) as f64,
        Some((0.0, high)) => high,
        Some((low, _)) => low,
    };
    SinkBand {
        name: band.name.clone(),
        dtype,
        fill: given.unwrap_or(fallback),
        declared: given.is_some() || fallback.is_nan(),
        moments: TileMoments::default(),
        seen: Mutex::default(),
    }
}

/// One file has one type: that of the bands where they agree, else the float that holds all.
fn common_dtype(bands: &[Band], options: &WriteOptions) -> Result<DType> {
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
    let complex = bands.iter().any(|b| b.kind() == crate::raster::Kind::C32);
    if complex && !dtype.is_complex() {
        return Err(Error::argument(
            "dtype",
            "complex64 or complex128 for complex bands (or take `:abs()` first)",
            dtype,
        ));
    }
    if let (Some((lo, hi)), Some(nodata)) = (dtype.integer_range(), options.nodata)
        && !((lo..=hi).contains(&nodata) && nodata.fract() == 0.0)
    {
        return Err(Error::argument(
            "nodata",
            format!("a whole number that {dtype} holds ({lo}…{hi})"),
            nodata,
        ));
    }
    Ok(dtype)
}

fn driver_for(path: &Path, options: &WriteOptions) -> Result<String> {
    let available = |name: &str| DriverManager::get_driver_by_name(name).is_ok();
    if let Some(format) = &options.format {
        let known = if format.eq_ignore_ascii_case("geotiff") {
            "GTiff"
        } else {
            format
        };
        if available(known) {
            return Ok(DriverManager::get_driver_by_name(known).map_or(known.into(), |d| d.short_name()));
        }
        return Err(Error::not_found(
            "file format",
            format,
            ["GTiff", "COG", "netCDF", "PNG", "JP2OpenJPEG", "VRT"],
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

fn predictable(compress: &str) -> bool {
    matches!(compress.to_lowercase().as_str(), "deflate" | "lzw" | "zstd")
}

fn creation_options(
    options: &WriteOptions,
    dtype: DType,
    tile: (usize, usize),
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
        if options.predictor && predictable(&compress) && !dtype.is_complex() {
            list.push((
                "PREDICTOR".into(),
                if dtype.is_float() { "3" } else { "2" }.to_string(),
            ));
        }
        list.push(("NUM_THREADS".to_string(), settings::threads().to_string()));
    }
    // Blocks that divide the tiles are written whole, once.
    let side = |tile: usize, size: usize| match tile.min(size) {
        t if t >= 512 && t % 512 == 0 => 512,
        t if t >= 256 && t % 256 == 0 => 256,
        _ if size >= 256 => 256,
        _ => size.next_multiple_of(16).min(256),
    };
    let block = side(tile.0, rows).min(side(tile.1, cols));
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

fn create(
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

fn flush(dataset: &mut Dataset) -> Result<(), String> {
    reset_message();
    dataset.flush_cache().map_err(|e| message_of(&e))?;
    failed_quietly()
}

/// Closing writes what is left; GDAL reports failures of that only as a message.
fn close(dataset: Dataset) -> Result<(), String> {
    reset_message();
    dataset.close().map_err(|e| message_of(&e))?;
    failed_quietly()
}

fn failed_quietly() -> Result<(), String> {
    // SAFETY: no preconditions.
    let class = unsafe { gdal_sys::CPLGetLastErrorType() };
    if class >= CPLErr::CE_Failure {
        Err(last_message())
    } else {
        Ok(())
    }
}

/// An image that cannot fit is refused before hours of work, not after. Compression may save it, so only what is
/// written uncompressed is refused outright; compressed images are refused at sixteen times the free space.
fn check_space(path: &Path, folder: &Path, bytes: u64, options: &WriteOptions) -> Result<()> {
    let Ok(name) = CString::new(folder.to_string_lossy().as_bytes()) else {
        return Ok(());
    };
    // SAFETY: `info` is plain data that statvfs fills; it is read only when the call succeeded.
    let free = unsafe {
        let mut info: libc::statvfs = std::mem::zeroed();
        if libc::statvfs(name.as_ptr(), &mut info) != 0 {
            return Ok(());
        }
        info.f_bavail * info.f_frsize
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
