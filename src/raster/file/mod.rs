//! Files, through GDAL: reading by windows, writing whole files or none.

mod alike;
pub mod arrays;
pub mod attributes;
mod axes;
mod blocks;
mod classes;
mod creation;
pub mod cube;
mod described;
mod drivers;
pub(super) mod encoding;
mod finish;
mod floating;
mod geotiff;
pub mod hdf5;
mod hdf5_read;
mod kept;
mod layout;
mod located;
pub mod netcdf;
pub mod open;
pub mod options;
mod place;
mod plain;
pub mod pool;
pub mod probe;
pub mod read;
mod remote;
mod settled;
mod sink;
mod slabs;
mod staged;
mod steps;
pub mod texts;
mod tiff;
mod transfer;
pub(crate) mod truncated;
mod unsigned;
mod whole;
pub mod write;
pub mod zarr;
pub mod zarr_write;

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};

use gdal_sys::GDALDataType as Gdt;

pub use drivers::refused_in;
pub use remote::{gdal_name, is_special, reach, why};

use super::DType;
use crate::work;
use crate::work::budget;
use crate::{bytes, files};

/// A variable or image inside a container file.
#[derive(Debug, Clone)]
pub struct Subdataset {
    /// The variable's own name: the last part of GDAL's.
    pub name: String,
    /// What GDAL opens it by.
    pub gdal_name: String,
    pub description: String,
}

/// Done once, before the first use of GDAL: its messages go into our errors instead of the terminal, and its block
/// cache stays a small part of the memory ceiling, in which it is counted.
pub fn initialise() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Tiles are whole blocks, so the cache only has to carry halos and the rows of tiles in flight.
        let cache = (work::memory() / 16).clamp(16 << 20, 64 << 20);
        // SAFETY: the calls take plain values and are made once, before any dataset is open.
        unsafe {
            gdal_sys::CPLSetErrorHandler(Some(gdal_sys::CPLQuietErrorHandler));
            if std::env::var_os("GDAL_CACHEMAX").is_none() {
                gdal_sys::GDALSetCacheMax64(cache as i64);
            }
            let cache = usize::try_from(gdal_sys::GDALGetCacheMax64()).unwrap_or(0);
            budget::share(cache);
        }
        // No file of GDAL's own configuration counts: it could name drivers, programs and hosts, and it lies where scripts write when
        // the working folder is the home folder. Code in virtual rasters is not run.
        for (key, value) in [
            ("GDAL_CONFIG_FILE", ""),
            ("GDAL_VRT_ENABLE_PYTHON", "NO"),
            ("OGR_SQLITE_LOAD_EXTENSIONS", ""),
            // GeoPackages too are opened by our own file system.
            ("SQLITE_USE_OGR_VFS", "YES"),
            // Its virtual tables open files themselves: `USING VirtualText('/home/me/.netrc', …)`.
            ("SPATIALITE_LOAD", "NO"),
            // GeoPackages state when they were written; the same features are the same file, whenever that is.
            ("OGR_CURRENT_DATE", "1970-01-01T00:00:00.000Z"),
            // netCDF would read servers by way of page faults, where an error is a crash.
            ("CPL_ENABLE_USERFAULTFD", "NO"),
        ] {
            let _ = gdal::config::set_config_option(key, value);
        }
        bytes::install();
        end_without_hdf5();
        drivers::register();
        drivers::close_file_systems();
        if std::env::var_os("GDAL_INGESTED_BYTES_AT_OPEN").is_none() {
            let _ = gdal::config::set_config_option("GDAL_INGESTED_BYTES_AT_OPEN", "32768");
        }
    });
}

/// HDF5 would close at the end of the process what could not be closed before, and crash on it. Told before anything else.
fn end_without_hdf5() {
    type DontAtExit = unsafe extern "C" fn() -> c_int;
    // SAFETY: looked up in the libraries that GDAL brought along, and called as HDF5 declares it in all versions.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"H5dont_atexit".as_ptr());
        if !found.is_null() {
            let dont_atexit: DontAtExit = std::mem::transmute(found);
            dont_atexit();
        }
    }
}

/// HDF5 prints what fails inside it to the terminal, unless it is told otherwise, and much of that is no failure: netCDF asks
/// for attributes that need not be there. Where HDF5 was built for one thread, it is told once, before
/// anything is read: calling it beside another thread that reads would corrupt its memory. Else each thread tells it.
pub fn quieten_hdf5() {
    type SetAuto = unsafe extern "C" fn(i64, *const c_void, *const c_void) -> c_int;
    type IsSafe = unsafe extern "C" fn(*mut bool) -> c_int;
    thread_local!(static DONE: Cell<bool> = const { Cell::new(false) });
    static FOR_THREADS: OnceLock<bool> = OnceLock::new();
    let tell = || {
        // SAFETY: the symbol is looked up in the libraries that GDAL brought along, and called as HDF5 declares it since
        // version 1.10 (a 64-bit stack identifier, 0 for the thread's own; null for no printing).
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"H5Eset_auto2".as_ptr());
            if !found.is_null() {
                let set_auto: SetAuto = std::mem::transmute(found);
                set_auto(0, std::ptr::null(), std::ptr::null());
            }
        }
    };
    if DONE.replace(true) {
        return;
    }
    let mut first = false;
    let for_threads = *FOR_THREADS.get_or_init(|| {
        first = true;
        tell();
        // SAFETY: as above; the function writes one C bool.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"H5is_library_threadsafe".as_ptr());
            if found.is_null() {
                return false;
            }
            let is_safe: IsSafe = std::mem::transmute(found);
            let mut safe = false;
            is_safe(&mut safe) >= 0 && safe
        }
    });
    if for_threads && !first {
        tell();
    }
}

/// What GDAL last complained of on this thread.
pub fn last_message() -> String {
    // SAFETY: GDAL returns a NUL-terminated string that lives until the next error on this thread; it is copied here.
    let text = unsafe { CStr::from_ptr(gdal_sys::CPLGetLastErrorMsg()) }
        .to_string_lossy()
        .into_owned();
    if text.is_empty() {
        "GDAL gives no reason".into()
    } else {
        files::shown(&text)
    }
}

pub fn reset_message() {
    // SAFETY: no preconditions.
    unsafe { gdal_sys::CPLErrorReset() }
}

/// The text of an error of the gdal crate without the crate's own framing.
pub fn message_of(error: &gdal::errors::GdalError) -> String {
    match error {
        gdal::errors::GdalError::CplError { msg, .. } if !msg.is_empty() => files::shown(msg),
        gdal::errors::GdalError::NullPointer { msg, .. } if !msg.is_empty() => files::shown(msg),
        other => other.to_string(),
    }
}

/// GDAL's number for a type. Before 3.7, signed bytes are bytes that a GeoTIFF's creation option says to be signed.
pub fn gdal_type(dtype: DType) -> Gdt::Type {
    match dtype {
        DType::I8 if has_signed_bytes() => SIGNED_BYTE,
        DType::U8 | DType::I8 => Gdt::GDT_Byte,
        DType::U16 => Gdt::GDT_UInt16,
        DType::I16 => Gdt::GDT_Int16,
        DType::U32 => Gdt::GDT_UInt32,
        DType::I32 => Gdt::GDT_Int32,
        DType::U64 => Gdt::GDT_UInt64,
        DType::I64 => Gdt::GDT_Int64,
        DType::F32 => Gdt::GDT_Float32,
        DType::F64 => Gdt::GDT_Float64,
        DType::C32 => Gdt::GDT_CFloat32,
        DType::C64 => Gdt::GDT_CFloat64,
    }
}

/// GDAL 3.7 and later; its bindings for older versions do not name it.
const SIGNED_BYTE: Gdt::Type = 14;

pub fn has_signed_bytes() -> bool {
    // SAFETY: the name is NUL-terminated; no other preconditions.
    unsafe { gdal_sys::GDALGetDataTypeByName(c"Int8".as_ptr()) == SIGNED_BYTE }
}

pub fn dtype_of(gdal: Gdt::Type) -> Option<DType> {
    Some(match gdal {
        Gdt::GDT_Byte => DType::U8,
        Gdt::GDT_UInt16 => DType::U16,
        Gdt::GDT_Int16 => DType::I16,
        Gdt::GDT_UInt32 => DType::U32,
        Gdt::GDT_Int32 => DType::I32,
        Gdt::GDT_UInt64 => DType::U64,
        Gdt::GDT_Int64 => DType::I64,
        Gdt::GDT_Float32 => DType::F32,
        Gdt::GDT_Float64 => DType::F64,
        Gdt::GDT_CInt16 | Gdt::GDT_CFloat32 => DType::C32,
        Gdt::GDT_CInt32 | Gdt::GDT_CFloat64 => DType::C64,
        SIGNED_BYTE => DType::I8,
        _ => return None,
    })
}

pub fn current_dir() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| Path::new(".").to_path_buf())
}
