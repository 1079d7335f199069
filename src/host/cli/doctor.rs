//! `perilune doctor`: what this machine and this build offer, and what is missing.

use super::DONE;
use crate::error::Result;
use crate::host::loader;
use crate::raster::{about, settings};

/// Formats that the guide and the workflows use, and the Debian package that brings each where it is not in libgdal.
const WANTED: &[(&str, &str)] = &[
    ("GTiff", "GeoTIFF"),
    ("COG", "cloud-optimised GeoTIFF"),
    ("VRT", "virtual mosaics"),
    ("netCDF", "netCDF"),
    ("HDF5", "HDF5 products such as NISAR and OPERA"),
    ("Zarr", "Zarr"),
    ("JP2OpenJPEG", "Sentinel-2's JPEG 2000"),
    ("SAFE", "Sentinel-1 SAFE folders"),
    ("SENTINEL2", "Sentinel-2 SAFE folders"),
    ("GRIB", "weather models"),
    ("GeoJSON", "GeoJSON"),
    ("GPKG", "GeoPackage"),
    ("ESRI Shapefile", "shapefiles"),
];

pub fn run() -> Result<u8> {
    let mut missing = Vec::new();
    println!(
        "perilune   {} ({})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH
    );
    println!("Lua        5.4, built in");
    let gdal = about::gdal();
    println!("GDAL       {}", gdal.version);
    println!(
        "cores      {} ({} used)",
        std::thread::available_parallelism().map_or(1, usize::from),
        settings::threads()
    );
    println!(
        "memory     {} ({} for pixels; --memory changes it)",
        size(settings::physical_memory()),
        size(settings::memory())
    );
    let (columns, rows) = crate::console::terminal_size();
    println!(
        "terminal   {columns} × {rows}, {}",
        std::env::var("TERM").unwrap_or_else(|_| "TERM not set".into())
    );
    println!("modules    {}", loader::module_names().join(", "));
    println!("workflows  {}", loader::library_names("workflows").join(", "));
    println!(
        "history    {}",
        crate::host::repl::history_path().map_or("none".into(), |p| p.display().to_string())
    );
    match super::login::lines() {
        Ok(lines) if lines.is_empty() => println!("logins     none; `perilune login HOST` stores one"),
        Ok(lines) => {
            println!("\nlogins");
            lines.iter().for_each(|line| println!("  {line}"));
        }
        Err(error) => missing.push(error.to_string()),
    }
    println!(
        "\nformats    {} drivers; of those that matter here:",
        gdal.drivers.len()
    );
    for (driver, what) in WANTED {
        let present = gdal.drivers.iter().any(|d| d == driver);
        println!("  {} {driver:<15} {what}", if present { "yes" } else { "NO " });
        if !present {
            missing.push(format!(
                "{what} cannot be read: this GDAL has no driver {driver}; Debian's libgdal has it"
            ));
        }
    }
    if !gdal.projections {
        missing.push(
            "PROJ finds no proj.db, so coordinate systems do not work: apt-get install proj-data".to_string(),
        );
    }
    if !gdal.network {
        missing.push("this GDAL was built without curl, so https:// and s3:// cannot be read".to_string());
    }
    if missing.is_empty() {
        println!("\nNothing is missing.");
    } else {
        println!("\nMissing:");
        missing.iter().for_each(|line| println!("  {line}"));
    }
    Ok(DONE)
}

fn size(bytes: usize) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}
