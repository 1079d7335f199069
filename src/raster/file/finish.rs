//! What GDAL makes of a GeoTIFF whose pixels are all there: overviews, another format, the last of its bytes.

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use gdal::cpl::CslStringList;
use gdal::{Dataset, DriverManager};
use gdal_sys::CPLErr;

use super::creation::{has_predictor, level_of};
use super::options::WriteOptions;
use super::{last_message, message_of, reset_message};
use crate::error::Error;
use crate::files::{self, DraftFolder};
use crate::interrupt;
use crate::raster::DType;
use crate::work;

/// The staged GeoTIFF in the final format.
pub fn copy(
    staged: Dataset,
    target: &DraftFolder,
    driver: &str,
    options: &WriteOptions,
    dtype: DType,
) -> Result<(), String> {
    let found = DriverManager::get_driver_by_name(driver).map_err(|e| message_of(&e))?;
    let mut list = CslStringList::new();
    let mut set = |key: &str, value: &str| list.set_name_value(key, value).map_err(|e| message_of(&e));
    if driver == "COG" {
        set("COMPRESS", &options.compress.to_uppercase())?;
        if let Some((_, level)) = level_of(options).map_err(|e| e.to_string())? {
            set("LEVEL", &level)?;
        }
        if has_predictor(options, dtype) {
            set("PREDICTOR", "YES")?;
        }
        set("OVERVIEW_RESAMPLING", &options.resampling().to_uppercase())?;
        set("NUM_THREADS", &work::threads().to_string())?;
        set("BIGTIFF", "IF_SAFER")?;
    }
    let name = CString::new(target.path().to_string_lossy().as_bytes())
        .map_err(|_| "the path holds a NUL byte".to_string())?;
    let watch = Watch::start(target.path(), "step 2 of 2");
    reset_message();
    // SAFETY: driver and dataset are alive; the call ends before `watch` does; GDAL copies name and options; a null answer is checked; the new handle is owned
    // by the Dataset alone.
    let copied = unsafe {
        let handle = gdal_sys::GDALCreateCopy(
            found.c_driver(),
            name.as_ptr(),
            staged.c_dataset(),
            0,
            list.as_ptr(),
            Some(go_on),
            (&raw const watch).cast_mut().cast(),
        );
        if handle.is_null() {
            return Err(last_message());
        }
        Dataset::from_c_dataset(handle)
    };
    close(copied)
}

pub fn build_overviews(
    dataset: &Dataset,
    method: &str,
    factors: &[c_int],
    draft: &Path,
) -> Result<(), String> {
    let method =
        CString::new(method).map_err(|_| "the name of the resampling holds a NUL byte".to_string())?;
    let watch = Watch::start(draft, "overviews");
    reset_message();
    // SAFETY: the dataset is alive; `factors` and `watch` are read during the call only; without bands, all are meant.
    let status = unsafe {
        gdal_sys::GDALBuildOverviews(
            dataset.c_dataset(),
            method.as_ptr(),
            factors.len() as c_int,
            factors.as_ptr(),
            0,
            std::ptr::null(),
            Some(go_on),
            (&raw const watch).cast_mut().cast(),
        )
    };
    match status {
        CPLErr::CE_None => Ok(()),
        _ => Err(last_message()),
    }
}

/// Tells the engine's progress how far GDAL has come with a file.
struct Watch<'a> {
    draft: &'a Path,
    done: AtomicU64,
}

impl Watch<'_> {
    const PARTS: u64 = 1000;

    fn start<'a>(draft: &'a Path, step: &str) -> Watch<'a> {
        let name = draft.file_name().unwrap_or_default().to_string_lossy();
        work::progress().start(Watch::PARTS, &format!("{name}, {step}"));
        Watch {
            draft,
            done: AtomicU64::new(0),
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        work::progress().finish();
    }
}

/// GDAL asks this from time to time, and gives up where the answer is 0. What is written to a disk that takes no more is of no use.
///
/// # Safety
/// `watch` is a pointer to a `Watch`.
unsafe extern "C" fn go_on(complete: f64, _: *const c_char, watch: *mut c_void) -> c_int {
    // SAFETY: as the caller promises.
    let watch = unsafe { &*watch.cast::<Watch>() };
    let now = (complete.clamp(0.0, 1.0) * Watch::PARTS as f64) as u64;
    let before = watch.done.fetch_max(now, Ordering::Relaxed);
    work::progress().advance(now.saturating_sub(before));
    c_int::from(!interrupt::requested() && !files::has_failed(watch.draft))
}

/// The error of GDAL's work on a whole file, which also ends when a stop was asked for.
pub fn stopped_or(fail: &impl Fn(String) -> Error) -> impl Fn(String) -> Error {
    move |text| interrupt::check().err().unwrap_or_else(|| fail(text))
}

pub fn flush(dataset: &mut Dataset) -> Result<(), String> {
    reset_message();
    dataset.flush_cache().map_err(|e| message_of(&e))?;
    failed_quietly()
}

/// Closing writes what is left; GDAL reports failures of that only as a message.
pub fn close(dataset: Dataset) -> Result<(), String> {
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
