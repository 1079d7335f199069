//! Files that a file names: a virtual raster, or a label beside raw pixels, can have any file of the machine read as pixels. Whether the
//! script may read those is asked as for the ones that it names itself.

use std::ffi::CStr;
use std::io::Read;
use std::sync::OnceLock;

use gdal::{Dataset, Metadata};

use crate::error::Result;

/// An error where a script may not read the file of this name.
pub type Guard = fn(&str) -> Result<()>;

static GUARD: OnceLock<Guard> = OnceLock::new();

/// Has the files that files name looked at by `guard`; the first one stays.
pub fn set_guard(guard: Guard) {
    let _ = GUARD.set(guard);
}

/// Formats that hold their pixels themselves, or in files of names that follow from their own. Asking for the files of one on a server
/// would cost a request a name.
const WHOLE: &[&str] = &[
    "GTiff",
    "COG",
    "HDF5",
    "HDF5Image",
    "netCDF",
    "Zarr",
    "GRIB",
    "PNG",
    "JPEG",
    "JP2OpenJPEG",
    "SAFE",
    "SENTINEL2",
];

/// Virtual files that name virtual files are followed this far.
const DEEPEST: usize = 8;

/// # Errors
/// When `dataset` reads from a file that the script may not read.
pub(super) fn check(dataset: &Dataset) -> Result<()> {
    let Some(guard) = GUARD.get() else { return Ok(()) };
    if WHOLE.contains(&dataset.driver().short_name().as_str()) {
        return Ok(());
    }
    follow(dataset, *guard, 0)
}

fn follow(dataset: &Dataset, guard: Guard, depth: usize) -> Result<()> {
    let own = dataset.description().unwrap_or_default();
    for name in files(dataset) {
        guard(&name)?;
        // GDAL lists the absolute name of raw pixels behind the folder of the file that names them.
        for (at, _) in name.match_indices("//") {
            guard(&name[at + 1..])?;
        }
        if depth < DEEPEST
            && name != own
            && is_virtual(&name)
            && let Ok(inner) = Dataset::open(&name)
        {
            follow(&inner, guard, depth + 1)?;
        }
    }
    Ok(())
}

fn files(dataset: &Dataset) -> Vec<String> {
    // SAFETY: the dataset is open; the list is null or ends with a null pointer, its strings end with a null byte, and all is
    // copied before the list is freed.
    unsafe {
        let list = gdal_sys::GDALGetFileList(dataset.c_dataset());
        let mut names = Vec::new();
        if !list.is_null() {
            let mut next = list;
            while !(*next).is_null() {
                names.push(CStr::from_ptr(*next).to_string_lossy().into_owned());
                next = next.add(1);
            }
            gdal_sys::CSLDestroy(list);
        }
        names
    }
}

/// Whether the file is a virtual raster; those on servers are taken as such by their names.
fn is_virtual(name: &str) -> bool {
    if name.starts_with("/vsi") {
        return name.to_lowercase().ends_with(".vrt");
    }
    let mut head = Vec::new();
    let read = crate::gate::open(Path::new(name)).and_then(|file| file.take(4096).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains("<VRTDataset")
}
