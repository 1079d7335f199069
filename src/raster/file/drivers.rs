//! Which of GDAL's drivers there are: those for files that hold data, and none that reach further.
//!
//! A driver left out does at least one of these: it talks to a database or a service by a name or a file that a script can write,
//! loads a library or starts a program, reads the process's own memory (`MEM:::DATAPOINTER=…`), or opens any file as any
//! format (OGR VRT). Virtual rasters stay: what they name is opened by the drivers here alone.

use std::ffi::CStr;

use gdal::{Driver, DriverManager};

use crate::bytes;

/// Short names, rasters first.
pub(super) const ALLOWED: &[&str] = &[
    "GTiff",
    "COG",
    "VRT",
    "netCDF",
    "HDF5",
    "HDF5Image",
    "HDF4",
    "HDF4Image",
    "BAG",
    "Zarr",
    "JP2OpenJPEG",
    "GRIB",
    "SAFE",
    "SENTINEL2",
    "TSX",
    "COSAR",
    "RS2",
    "DIMAP",
    "SAR_CEOS",
    "CEOS",
    "JAXAPALSAR",
    "AirSAR",
    "ENVI",
    "ISCE",
    "ROI_PAC",
    "EHdr",
    "ERS",
    "HFA",
    "NITF",
    "PCIDSK",
    "PNG",
    "JPEG",
    "GIF",
    "BMP",
    "WEBP",
    "PNM",
    "AAIGrid",
    "AIG",
    "DTED",
    "SRTMHGT",
    "USGSDEM",
    "GTX",
    "NTv2",
    "SNODAS",
    "ISIS2",
    "ISIS3",
    "PDS",
    "VICAR",
    "GSAG",
    "GSBG",
    "GS7BG",
    "SAGA",
    "RRASTER",
    "LAN",
    "XYZ",
    "PCRaster",
    // Features.
    "ESRI Shapefile",
    "GPKG",
    "GeoJSON",
    "GeoJSONSeq",
    "TopoJSON",
    "FlatGeobuf",
    "KML",
    "LIBKML",
    "GML",
    "GPX",
    "CSV",
    "MapInfo File",
    "OpenFileGDB",
    "DXF",
];

/// GDAL's drivers, as they are before the others are taken away.
pub(super) fn register() {
    // The crate registers all drivers before its first look at them and never again; that time is now. Libraries of drivers beside
    // GDAL's own are not loaded.
    let _ = gdal::config::set_config_option("GDAL_DRIVER_PATH", "disable");
    let others: Vec<Driver> = (0..DriverManager::count())
        .filter_map(|index| DriverManager::get_driver(index).ok())
        .filter(|driver| !is_allowed(&driver.short_name()))
        .collect();
    for driver in &others {
        DriverManager::deregister_driver(driver);
    }
}

/// File systems of GDAL's that take what they read from a file that a script can write, or wait for a terminal. (Those on servers: `crate::bytes`.)
const CLOSED: &[&CStr] = &[
    c"/vsisparse/",
    c"/vsicrypt/",
    c"/vsistdin/",
    c"/vsistdin?",
    c"/vsistdout/",
    c"/vsistdout_redirect/",
];

/// Puts a file system in which there is no file in the place of those that are closed.
pub(super) fn close_file_systems() {
    bytes::close(CLOSED);
}

pub(super) fn is_allowed(driver: &str) -> bool {
    ALLOWED.iter().any(|name| name.eq_ignore_ascii_case(driver))
}

/// The driver that a name such as `ODBC:…` asks for, where it is none of ours.
pub fn refused_in(name: &str) -> Option<&str> {
    let (driver, _) = name.split_once(':')?;
    // Names of subdatasets begin with a driver, or with a form of its own.
    const FORMS: &[&str] = &[
        "GTIFF_DIR",
        "GTIFF_RAW",
        "HDF4_SDS",
        "HDF4_EOS",
        "HDF4_GR",
        "SENTINEL1_CALIB",
        "SENTINEL1_DS",
        "SENTINEL2_L1B",
        "SENTINEL2_L1B_WITH_GEOLOC",
        "SENTINEL2_L1C",
        "SENTINEL2_L1C_TILE",
        "SENTINEL2_L2A",
        "RADARSAT_2_CALIB",
        "NITF_IM",
        "PDS4",
    ];
    let is_driver = driver.len() > 1
        && !name.contains("://")
        && driver.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let known = is_allowed(driver) || FORMS.iter().any(|form| form.eq_ignore_ascii_case(driver));
    (is_driver && !known).then_some(driver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drivers_of_files_remain() {
        crate::raster::file::initialise();
        let left: Vec<String> = (0..DriverManager::count())
            .filter_map(|index| DriverManager::get_driver(index).ok())
            .map(|driver| driver.short_name())
            .collect();
        assert!(left.iter().all(|name| is_allowed(name)), "{left:?}");
        for needed in [
            "GTiff",
            "COG",
            "VRT",
            "netCDF",
            "HDF5",
            "PNG",
            "GPKG",
            "ESRI Shapefile",
        ] {
            assert!(left.iter().any(|name| name == needed), "{needed}: {left:?}");
        }
        let bytes = [7u8; 4];
        let memory = format!("MEM:::DATAPOINTER={:p},PIXELS=2,LINES=2", bytes.as_ptr());
        assert!(gdal::Dataset::open(&memory).is_err());
    }

    #[test]
    fn closed_file_systems_hold_nothing() {
        crate::raster::file::initialise();
        let folder = tempfile::tempdir().unwrap();
        let pixels = folder.path().join("pixels.tif");
        gdal::DriverManager::get_driver_by_name("GTiff")
            .and_then(|driver| driver.create(&pixels, 2, 2, 1))
            .and_then(gdal::Dataset::close)
            .unwrap();
        let length = std::fs::metadata(&pixels).unwrap().len();
        let sparse = folder.path().join("sparse.xml");
        let xml = format!(
            "<VSISparseFile><Length>{length}</Length><SubfileRegion><Filename>{}</Filename>\
             <DestinationOffset>0</DestinationOffset><SourceOffset>0</SourceOffset>\
             <RegionLength>{length}</RegionLength></SubfileRegion></VSISparseFile>",
            pixels.display()
        );
        std::fs::write(&sparse, xml).unwrap();
        assert!(gdal::Dataset::open(&pixels).is_ok());
        assert!(gdal::Dataset::open(format!("/vsisparse/{}", sparse.display())).is_err());
        assert!(gdal::Dataset::open("/vsistdin/").is_err());
    }

    #[test]
    fn names_of_other_drivers_are_told_from_files() {
        for (name, driver) in [
            ("ODBC:DRIVER=/tmp/x.so;", Some("ODBC")),
            ("MEM:::DATAPOINTER=0x1", Some("MEM")),
            ("PG:host=x", Some("PG")),
            ("NETCDF:\"a.nc\":v", None),
            ("HDF4_EOS:EOS_GRID:\"a.hdf\":g:v", None),
            ("https://host/a.tif", None),
            ("/data/a.tif", None),
            ("c:/a.tif", None),
        ] {
            assert_eq!(refused_in(name), driver, "{name}");
        }
    }
}
