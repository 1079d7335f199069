//! A GeoTIFF that is being made tile by tile, which becomes a file of another format when it is complete.

use std::ffi::{CString, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use gdal::{Dataset, Metadata};
use gdal_sys::{GDALDataType as Gdt, GDALRWFlag};

use super::creation::{
    check_signed_bytes, check_space, common_dtype, create, creation_options, fill_of, level_of,
};
use super::finish::{build_overviews, close, copy, flush, stopped_or};
use super::options::{Packing, WriteOptions};
use super::transfer::{Part, transfer};
use super::{classes, gdal_type, has_signed_bytes, located, message_of, whole};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::interrupt;
use crate::raster::stats::{Moments, TileMoments};
use crate::raster::tile::{MASKED_INTEGER, f64_to_integer};
use crate::raster::{Band, DType, Kind, Pixels, Raster, Unit, Window};
use crate::work;

/// A file that is being made through GDAL.
pub struct Staged {
    path: PathBuf,
    // Before the draft: fields are dropped in their order, and closing writes.
    dataset: Mutex<Open>,
    draft: DraftFolder,
    driver: String,
    options: WriteOptions,
    bands: Vec<StagedBand>,
}

/// The dataset while tiles are written to it. One that is given up is closed without ado.
#[derive(Default)]
struct Open(Option<Dataset>);

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

struct StagedBand {
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

impl Staged {
    pub fn create(
        raster: &Raster,
        path: &Path,
        driver: String,
        options: &WriteOptions,
        tile: (usize, usize),
    ) -> Result<Staged> {
        let draft = DraftFolder::new(path)?;
        let (rows, cols) = (raster.grid.rows, raster.grid.cols);
        let dtype = common_dtype(&raster.bands, options)?;
        check_signed_bytes(dtype, &driver)?;
        let mut options = options.clone();
        if dtype == DType::I8 && !has_signed_bytes() && !options.resampling().eq_ignore_ascii_case("mode") {
            // Before 3.7, GDAL averages signed bytes as unsigned ones: of −10 and 10 it makes −128.
            options.overview_resampling = Some("nearest".into());
        } else if raster
            .bands
            .iter()
            .all(|band| matches!(band.unit, Unit::Class(_)))
        {
            // The mean of two classes is a third one.
            options.overview_resampling.get_or_insert_with(|| "mode".into());
        }
        let options = &options;
        let bytes = rows as u64 * cols as u64 * raster.bands.len() as u64 * dtype.bytes() as u64;
        check_space(path, bytes, options)?;
        level_of(options)?;
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
            draft.path(),
            (c_cols, c_rows),
            raster.bands.len(),
            gdal_type(dtype),
            &creation,
        )
        .map_err(|text| Error::file(path, format!("cannot be created: {text}")));
        let dataset = draft.checked(dataset)?;
        let bands = staged_bands(&raster.bands, dtype, options);
        let mut sink = Staged {
            path: path.to_path_buf(),
            draft,
            driver,
            options: options.clone(),
            bands: bands?,
            dataset: Mutex::default(),
        };
        let described = sink.describe(raster, dataset);
        sink.draft.checked(described)?;
        Ok(sink)
    }

    /// Georeference, names, units, tags.
    fn describe(&mut self, raster: &Raster, mut dataset: Dataset) -> Result<()> {
        let fail = |e: gdal::errors::GdalError| Error::file(&self.path, message_of(&e));
        match &raster.grid.crs {
            Some(crs) if crs.locator().is_some() => {
                let kept = located::write(&dataset, &raster.grid).map_err(fail)?;
                if !(kept && matches!(self.driver.as_str(), "GTiff" | "COG")) {
                    // The CRS's words on how the image has its place, and on the way out.
                    let reason = crs.spatial_ref().err().map_or(String::new(), |e| e.to_string());
                    work::warn(&format!(
                        "{} is written in pixel coordinates, without its place on the map: {reason}",
                        self.path.display()
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
        let tags = work::provenance()
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
            let is_alone = raster.bands.len() == 1;
            classes::write(
                &mut target,
                band.unit.classes(),
                (self.bands[i].dtype, is_alone),
                &self.options,
                &self.path,
            )?;
            if let Some(Packing { scale, offset }) = self.options.packing {
                // SAFETY: the handle lives as long as `dataset`; plain numbers.
                unsafe {
                    gdal_sys::GDALSetRasterScale(target.c_rasterband(), scale);
                    gdal_sys::GDALSetRasterOffset(target.c_rasterband(), offset);
                }
            }
            let declared = &self.bands[i];
            if declared.declared && !declared.dtype.is_complex() {
                set_nodata(&mut target, declared.dtype, declared.fill).map_err(fail)?;
            }
        }
        self.dataset.lock().unwrap_or_else(|e| e.into_inner()).0 = Some(dataset);
        Ok(())
    }

    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    pub fn write(&self, index: usize, window: Window, band: usize, pixels: Pixels) -> Result<()> {
        let target = &self.bands[band];
        let (data, mut buffer) = (&target.moments, pixels);
        let mut seen = Seen::default();
        if self.options.statistics {
            data.add(index, Moments::of(&buffer));
        }
        // 64-bit integers go into whole numbers as they are, into floats rounded.
        if buffer.kind() == Kind::I128 && target.dtype.integer_range().is_none() {
            buffer = Pixels::F64(buffer.into_f64());
        }
        let (mut signed, mut signed_64, mut unsigned_64) = (Vec::new(), Vec::new(), Vec::new());
        let (gdal, pointer) = match &mut buffer {
            Pixels::I128(a) => {
                let unsigned = target.dtype == DType::U64;
                // 2⁶³ − 1 is 2⁶³ as a float, and nodata is limited to the type when it is set.
                let fill = f64_to_integer(target.fill);
                let fill = if unsigned { fill } else { fill.min(i64::MAX.into()) };
                let filled = a.iter().map(|&v| fill_integer(v, fill, &mut seen));
                if unsigned {
                    unsigned_64
                        .extend(filled.map(|v| u64::try_from(v).unwrap_or(if v < 0 { 0 } else { u64::MAX })));
                    (Gdt::GDT_UInt64, unsigned_64.as_mut_ptr().cast::<c_void>())
                } else {
                    signed_64.extend(
                        filled.map(|v| i64::try_from(v).unwrap_or(if v < 0 { i64::MIN } else { i64::MAX })),
                    );
                    (Gdt::GDT_Int64, signed_64.as_mut_ptr().cast::<c_void>())
                }
            }
            Pixels::F32(a) if target.dtype == DType::I8 && !has_signed_bytes() => {
                let fill = target.fill as f32;
                signed.extend(a.iter().map(|&v| fill_one(v, fill, &mut seen).round() as i8));
                (Gdt::GDT_Byte, signed.as_mut_ptr().cast::<c_void>())
            }
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
            .0
            .as_ref()
            .ok_or_else(|| Error::file(&self.path, "was closed while it was written"))?;
        let fail = |text: String| Error::file(&self.path, format!("cannot be written: {text}"));
        let band = dataset.rasterband(band + 1).map_err(|e| fail(message_of(&e)))?;
        // SAFETY: the buffer holds window.rows × window.cols values of the given type in standard layout; the dataset is
        // locked.
        let written = unsafe {
            transfer(
                band.c_rasterband(),
                GDALRWFlag::GF_Write,
                &Part::all(window),
                gdal,
                pointer,
            )
        };
        self.draft.checked(written.map_err(fail))
    }

    /// Whether overviews or another format are made when all pixels are there.
    pub fn has_second_step(&self) -> bool {
        self.driver != "GTiff" || self.options.overviews
    }

    /// Statistics, overviews and the final format; the answer has everything but its name.
    pub fn finish(self) -> Result<DraftFolder> {
        interrupt::check()?;
        let fail = |text: String| Error::file(&self.path, format!("cannot be written: {text}"));
        let dataset = self.draft.checked(self.complete())?;
        let shape = (dataset.raster_size(), dataset.raster_count());
        let draft = if self.driver == "GTiff" {
            self.draft.checked(close(dataset).map_err(fail))?;
            self.draft
        } else {
            let copied = DraftFolder::new(&self.path)?;
            let dtype = self.bands[0].dtype;
            let done = copy(dataset, &copied, &self.driver, &self.options, dtype).map_err(stopped_or(&fail));
            self.draft.check()?;
            copied.checked(done)?;
            // A format that only names the staged file is not whole without it.
            drop(self.draft);
            copied
        };
        let read = whole::image(draft.path(), &self.driver, shape);
        draft.checked(read.map_err(|reason| whole::error(&self.path, &reason)))?;
        Ok(draft)
    }

    /// The staged file with all that goes into it.
    fn complete(&self) -> Result<Dataset> {
        let fail = |text: String| Error::file(&self.path, format!("cannot be written: {text}"));
        let gdal_fail = |e: gdal::errors::GdalError| fail(message_of(&e));
        let mut dataset = self
            .dataset
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .0
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
            let m = band.moments.total();
            if self.options.statistics && m.count > 0 {
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
        // GDAL's COG driver takes those that are there. Its own go through a copy of theirs that it compresses and decodes.
        if self.driver == "COG" || (self.options.overviews && self.driver == "GTiff") {
            flush(&mut dataset).map_err(&fail)?;
            let (cols, rows) = dataset.raster_size();
            let factors: Vec<i32> = (1..31)
                .map(|p| 1 << p)
                .take_while(|f| rows.max(cols) / (*f as usize / 2) > 512)
                .collect();
            let method = self.options.resampling().to_uppercase();
            if !factors.is_empty() {
                build_overviews(&dataset, &method, &factors, self.draft.path()).map_err(stopped_or(&fail))?;
            }
        }
        flush(&mut dataset).map_err(&fail)?;
        Ok(dataset)
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

fn fill_integer(v: i128, fill: i128, seen: &mut Seen) -> i128 {
    if v == MASKED_INTEGER {
        seen.masked = true;
        fill
    } else {
        seen.clashes += u64::from(v == fill);
        v
    }
}

/// What is written for each band. A GeoTIFF holds one value of nodata for all of them, so where theirs differ it is that of the type.
fn staged_bands(bands: &[Band], dtype: DType, options: &WriteOptions) -> Result<Vec<StagedBand>> {
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
