//! A GeoTIFF that is being made tile by tile by GDAL, which becomes a file of another format when it is complete.

use std::ffi::{c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use gdal::Dataset;
use gdal_sys::{GDALDataType as Gdt, GDALRWFlag};

use super::blocks::suited;
use super::creation::{check_signed_bytes, check_space, common_dtype, create, creation_options, level_of};
use super::described::{Open, Seen, StagedBand, complete, describe, resampled, staged_bands};
use super::finish::{build_overviews, close, copy, flush, stopped_or};
use super::options::WriteOptions;
use super::transfer::{Part, transfer};
use super::{gdal_type, has_signed_bytes, message_of, settled, whole};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::interrupt;
use crate::raster::stats::Moments;
use crate::raster::tile::{MASKED_INTEGER, f64_to_integer};
use crate::raster::{DType, Pixels, Raster, Window};

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

impl Staged {
    pub fn create(raster: &Raster, path: &Path, driver: String, options: &WriteOptions) -> Result<Staged> {
        let draft = DraftFolder::new(path)?;
        let (rows, cols) = (raster.grid.rows, raster.grid.cols);
        let dtype = common_dtype(&raster.bands, options)?;
        check_signed_bytes(dtype, &driver)?;
        let options = &resampled(&raster.bands, dtype, options);
        let bytes = rows as u64 * cols as u64 * raster.bands.len() as u64 * dtype.bytes() as u64;
        check_space(path, bytes, options)?;
        level_of(options)?;
        // The final driver's own writing needs the whole image; what is written by tiles is always a GeoTIFF.
        let staged = driver != "GTiff";
        let creation = creation_options(options, dtype, (rows, cols), staged, bytes)?;
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
        let sink = Staged {
            path: path.to_path_buf(),
            draft,
            driver,
            options: options.clone(),
            bands: bands?,
            dataset: Mutex::default(),
        };
        let mut dataset = dataset;
        let described = describe(
            &mut dataset,
            raster,
            (&sink.path, &sink.driver),
            options,
            &sink.bands,
        );
        sink.opened().0 = Some(dataset);
        sink.draft.checked(described)?;
        Ok(sink)
    }

    fn opened(&self) -> MutexGuard<'_, Open> {
        self.dataset.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    pub fn write(&self, window: Window, band: usize, pixels: Pixels) -> Result<()> {
        let target = &self.bands[band];
        let (data, buffer) = (&target.moments, pixels);
        let mut seen = Seen::default();
        if self.options.statistics {
            data.add(&Moments::of(&buffer));
        }
        let mut buffer = suited(buffer, target.dtype);
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
        target.saw(seen);
        let guard = self.opened();
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
            let settled = settled::settle(self.draft.path()).map_err(|e| {
                interrupt::check()
                    .err()
                    .unwrap_or_else(|| Error::io(&self.path, e))
            });
            self.draft.checked(settled)?;
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
        let mut dataset = self
            .opened()
            .0
            .take()
            .ok_or_else(|| fail("it was closed".into()))?;
        complete(&dataset, &self.bands, &self.options, &self.path)?;
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
        if self.driver == "GTiff" {
            settled::blank_edges(&dataset).map_err(&fail)?;
            flush(&mut dataset).map_err(&fail)?;
        }
        Ok(dataset)
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
