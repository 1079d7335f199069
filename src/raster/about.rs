//! What the GDAL library that was loaded can do.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use gdal::spatial_ref::SpatialRef;
use gdal::version::VersionInfo;
use gdal::{Driver, DriverManager};

/// GDAL as this process sees it.
#[derive(Debug, Clone)]
pub struct Gdal {
    /// "GDAL 3.6.2, released 2023/01/02"
    pub version: String,
    /// Short names of the drivers.
    pub drivers: Vec<String>,
    /// Coordinate systems can be looked up.
    pub projections: bool,
    /// Where GDAL was told to look for its data; else it looks where it was installed.
    pub data: Option<String>,
    /// Where PROJ found its coordinate systems.
    pub proj_data: Option<PathBuf>,
}

pub fn gdal() -> Gdal {
    super::file::initialise();
    let drivers: Vec<String> = (0..DriverManager::count())
        .filter_map(|i| DriverManager::get_driver(i).ok())
        .map(|driver: Driver| driver.short_name())
        .collect();
    Gdal {
        version: VersionInfo::version_summary(),
        projections: SpatialRef::from_epsg(4326).is_ok(),
        data: gdal::config::get_config_option("GDAL_DATA", "")
            .ok()
            .filter(|folder| !folder.is_empty()),
        proj_data: proj_folders()
            .into_iter()
            .find(|folder| folder.join("proj.db").exists()),
        drivers,
    }
}

/// Where PROJ looks, first things first.
fn proj_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    // SAFETY: GDAL gives a list of texts that ends with a null, or a null for none; it is read before it is freed, once.
    unsafe {
        let list = gdal_sys::OSRGetPROJSearchPaths();
        let mut next = list;
        while !next.is_null() && !(*next).is_null() {
            let folder = CStr::from_ptr(*next).to_bytes();
            folders.push(PathBuf::from(OsStr::from_bytes(folder)));
            next = next.add(1);
        }
        gdal_sys::CSLDestroy(list);
    }
    folders
}

/// Of GDAL and of PROJ, where this GDAL can say it.
pub fn versions() -> (String, Option<String>) {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: three places to write a number to.
    unsafe { gdal_sys::OSRGetPROJVersion(&mut major, &mut minor, &mut patch) };
    let proj = (major > 0).then(|| format!("{major}.{minor}.{patch}"));
    (VersionInfo::release_name(), proj)
}
