//! What the GDAL library that was loaded can do.

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
        drivers,
    }
}

/// Of GDAL and of PROJ, where this GDAL can say it.
pub fn versions() -> (String, Option<String>) {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: three places to write a number to.
    unsafe { gdal_sys::OSRGetPROJVersion(&mut major, &mut minor, &mut patch) };
    let proj = (major > 0).then(|| format!("{major}.{minor}.{patch}"));
    (VersionInfo::release_name(), proj)
}
