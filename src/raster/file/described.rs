//! What a GeoTIFF says beside its pixels: place, names, units, classes, tags, what marks masked pixels, statistics.

use std::ffi::CString;
use std::path::Path;
use std::sync::Mutex;

use gdal::{Dataset, Metadata};

use super::creation::fill_of;
use super::options::{Packing, WriteOptions};
use super::{classes, has_signed_bytes, located, message_of};
use crate::error::{Error, Result};
use crate::raster::stats::TileMoments;
use crate::raster::{Band, DType, Raster, Unit, provenance};
use crate::work;

/// The dataset while tiles are written to it. One that is given up is closed without ado.
#[derive(Default)]
pub struct Open(pub Option<Dataset>);

impl Drop for Open {
    fn drop(&mut self) {
        let Some(dataset) = &mut self.0 else { return };
        // GDAL fills blocks that were never written when it closes a file: with nodata by writing every one of them, many
        // seconds of a large image; without nodata by making the file longer.
        for i in 1..=dataset.raster_count() {
            if let Ok(mut band) = dataset.rasterband(i) {
                let _ = band.set_no_data_value(None);
            }
        }
    }
}

/// A band of a file that is being made.
pub struct StagedBand {
    pub name: String,
    pub dtype: DType,
    /// What masked pixels are written as.
    pub fill: f64,
    /// True where `fill` was asked for, or is NaN; otherwise it counts as nodata only if a pixel was masked.
    pub declared: bool,
    pub moments: TileMoments,
    pub seen: Mutex<Seen>,
}

/// What came by of a band.
#[derive(Default, Clone, Copy)]
pub struct Seen {
    pub masked: bool,
    /// Valid pixels that have the value of `fill`.
    pub clashes: u64,
}

impl Seen {
    pub fn add(&mut self, other: Seen) {
        self.masked |= other.masked;
        self.clashes += other.clashes;
    }
}

impl StagedBand {
    /// Adds what was seen of a part.
    pub fn saw(&self, part: Seen) {
        if part.masked || part.clashes > 0 {
            self.seen.lock().unwrap_or_else(|e| e.into_inner()).add(part);
        }
    }

    pub fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// The options with the way in which overviews are made of such bands.
pub fn resampled(bands: &[Band], dtype: DType, options: &WriteOptions) -> WriteOptions {
    let mut options = options.clone();
    if dtype == DType::I8 && !has_signed_bytes() && !options.resampling().eq_ignore_ascii_case("mode") {
        // Before 3.7, GDAL averages signed bytes as unsigned ones: of −10 and 10 it makes −128.
        options.overview_resampling = Some("nearest".into());
    } else if bands.iter().all(|band| matches!(band.unit, Unit::Class(_))) {
        // The mean of two classes is a third one.
        options.overview_resampling.get_or_insert_with(|| "mode".into());
    }
    options
}

/// Georeference, names, units, tags.
///
/// # Errors
/// What GDAL cannot hold or write.
pub fn describe(
    dataset: &mut Dataset,
    raster: &Raster,
    (path, driver): (&Path, &str),
    options: &WriteOptions,
    bands: &[StagedBand],
) -> Result<()> {
    let fail = |e: gdal::errors::GdalError| Error::file(path, message_of(&e));
    match &raster.grid.crs {
        Some(crs) if crs.locator().is_some() => {
            let kept = located::write(dataset, &raster.grid).map_err(fail)?;
            if !(kept && matches!(driver, "GTiff" | "COG")) {
                // The CRS's words on how the image has its place, and on the way out.
                let reason = crs.spatial_ref().err().map_or(String::new(), |e| e.to_string());
                work::warn(&format!(
                    "{} is written in pixel coordinates, without its place on the map: {reason}",
                    path.display()
                ));
            }
        }
        crs => {
            if let Some(crs) = crs {
                dataset.set_spatial_ref(&crs.spatial_ref()?).map_err(fail)?;
            }
            dataset
                .set_geo_transform(&raster.grid.transform.to_gdal())
                .map_err(fail)?;
        }
    }
    // A tag of an image that this one was made of does not stand for its own.
    let own = provenance::tags(path, std::slice::from_ref(raster));
    let tags = options.tags.iter().cloned().chain(own);
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
        let is_alone = raster.bands.len() == 1;
        classes::write(
            &mut target,
            band.unit.classes(),
            (bands[i].dtype, is_alone),
            options,
            path,
        )?;
        if let Some(Packing { scale, offset }) = options.packing {
            // SAFETY: the handle lives as long as `dataset`; plain numbers.
            unsafe {
                gdal_sys::GDALSetRasterScale(target.c_rasterband(), scale);
                gdal_sys::GDALSetRasterOffset(target.c_rasterband(), offset);
            }
        }
        let declared = &bands[i];
        if declared.declared && !declared.dtype.is_complex() {
            set_nodata(&mut target, declared.dtype, declared.fill).map_err(fail)?;
        }
    }
    Ok(())
}

/// What is known when all pixels are there: what marks masked ones, and statistics.
///
/// # Errors
/// Valid pixels that would come back as masked ones; what GDAL cannot write.
pub fn complete(dataset: &Dataset, bands: &[StagedBand], options: &WriteOptions, path: &Path) -> Result<()> {
    let gdal_fail =
        |e: gdal::errors::GdalError| Error::file(path, format!("cannot be written: {}", message_of(&e)));
    for (i, band) in bands.iter().enumerate() {
        let seen = band.seen();
        if seen.masked && seen.clashes > 0 {
            return Err(Error::file(
                path,
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
        let m = band.moments.total();
        if options.statistics && m.count() > 0 {
            for (key, value) in [
                ("STATISTICS_MINIMUM", m.min()),
                ("STATISTICS_MAXIMUM", m.max()),
                ("STATISTICS_MEAN", m.mean()),
                ("STATISTICS_STDDEV", m.std()),
            ] {
                target
                    .set_metadata_item(key, &format!("{value}"), "")
                    .map_err(gdal_fail)?;
            }
        }
    }
    Ok(())
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

/// What is written for each band. A GeoTIFF holds one value of nodata for all of them, so where theirs differ it is that of the type.
///
/// # Errors
/// A value of nodata that the type does not hold.
pub fn staged_bands(bands: &[Band], dtype: DType, options: &WriteOptions) -> Result<Vec<StagedBand>> {
    let fills: Vec<(f64, bool)> = bands
        .iter()
        .map(|band| fill_of(band.nodata, dtype, options))
        .collect::<Result<_>>()?;
    let same = |(fill, _): &(f64, bool)| {
        fills
            .first()
            .is_some_and(|(first, _)| first.total_cmp(fill).is_eq())
    };
    let common = match fills.iter().all(same) {
        true => None,
        false => Some(fill_of(None, dtype, options)?),
    };
    let staged = bands.iter().zip(fills).map(|(band, own)| {
        let (fill, declared) = common.unwrap_or(own);
        StagedBand {
            name: band.name.clone(),
            dtype,
            fill,
            declared,
            moments: TileMoments::default(),
            seen: Mutex::default(),
        }
    });
    Ok(staged.collect())
}
