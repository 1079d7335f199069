//! `perilune doctor`: what this machine and this build offer, and what is missing.

use std::ffi::CStr;
use std::sync::Arc;

use super::DONE;
use crate::bytes::credentials::Vault;
use crate::bytes::http::{Http, Settings};
use crate::error::Result;
use crate::host::loader;
use crate::raster::about;
use crate::{libraries, package, work};

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

pub fn run(global: &super::Global) -> Result<u8> {
    let mut missing = Vec::new();
    crate::say!(
        "perilune   {} ({})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH
    );
    crate::say!("Lua        5.4, built in");
    let gdal = about::gdal();
    let beside = |folder: &Option<String>| {
        folder
            .as_ref()
            .map_or(String::new(), |f| format!("; data in {f}"))
    };
    crate::say!("GDAL       {}{}", gdal.version, beside(&gdal.data));
    let proj_data = gdal.proj_data.map(|folder| folder.display().to_string());
    let of = |wanted: &str| {
        let versions = about::versions().into_iter();
        versions
            .filter(|(name, _)| *name == wanted)
            .map(|(_, version)| version)
            .next()
            .unwrap_or_default()
    };
    crate::say!(
        "PROJ       {}, EPSG {}{}",
        of("PROJ"),
        of("EPSG"),
        beside(&proj_data)
    );
    of_package(&mut missing);
    crate::say!("cores      {} ({} used)", work::cores(), work::threads());
    crate::say!(
        "memory     {} ({} for pixels; --memory changes it)",
        size(work::physical_memory()),
        size(work::memory())
    );
    let (columns, rows) = crate::console::terminal_size();
    crate::say!(
        "terminal   {columns} × {rows}, {}",
        std::env::var("TERM").unwrap_or_else(|_| "TERM not set".into())
    );
    crate::say!("modules    {}", loader::module_names().join(", "));
    crate::say!("workflows  {}", loader::library_names("workflows").join(", "));
    crate::say!(
        "history    {}",
        crate::host::repl::history_path().map_or("none".into(), |p| p.display().to_string())
    );
    match super::login::lines() {
        Ok(lines) if lines.is_empty() => crate::say!("logins     none; `perilune login HOST` stores one"),
        Ok(lines) => {
            crate::say!("\nlogins");
            lines.iter().for_each(|line| crate::say!("  {line}"));
        }
        Err(error) => missing.push(error.to_string()),
    }
    crate::say!(
        "\nformats    {} drivers; of those that matter here:",
        gdal.drivers.len()
    );
    for (driver, what) in WANTED {
        let present = gdal.drivers.iter().any(|d| d == driver);
        crate::say!("  {} {driver:<15} {what}", if present { "yes" } else { "NO " });
        if !present {
            missing.push(format!(
                "{what} cannot be read: this GDAL has no driver {driver}; Debian's libgdal has it"
            ));
        }
    }
    of_servers(&mut missing);
    of_libraries(&mut missing);
    if !gdal.projections {
        missing.push(format!(
            "PROJ finds no proj.db that it can read, so coordinate systems do not work: {}",
            way_to_projections()
        ));
    }
    // As a script's process, and last: this one is held from here on.
    let level = super::Global::level(global)?;
    let files = level.files.map(|version| format!("files by Landlock {version}"));
    let calls = level.calls.then(|| "programs by seccomp".to_string());
    let held: Vec<String> = files.into_iter().chain(calls).collect();
    crate::say!(
        "\nconfinement: the system holds scripts' {}",
        if held.is_empty() {
            "nothing".to_string()
        } else {
            held.join(", ")
        }
    );
    missing.extend(
        level
            .missing
            .iter()
            .map(|what| format!("confinement does not hold {what}")),
    );
    if missing.is_empty() {
        crate::say!("\nNothing is missing.");
    } else {
        crate::say!("\nMissing:");
        missing.iter().for_each(|line| crate::say!("  {line}"));
    }
    Ok(DONE)
}

/// How the program came here, and what the system's own part of it is.
fn of_package(missing: &mut Vec<String>) {
    // SAFETY: glibc answers with a text of its own that lasts.
    let glibc = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy();
    match package::own() {
        None => crate::say!("installed  with libraries and data of the system; glibc {glibc}"),
        Some(package) => {
            let oldest = package.glibc().map(|oldest| format!(" ({oldest} or later)"));
            crate::say!(
                "installed  with libraries and data of its own ({}); glibc {glibc}{}",
                package.folder.display(),
                oldest.unwrap_or_default()
            );
            missing.extend(package.missing());
        }
    }
}

fn way_to_projections() -> String {
    let set = |name: &&str| std::env::var_os(name).is_some();
    match ["PROJ_DATA", "PROJ_LIB"].iter().find(|name| set(name)) {
        _ if package::own().is_some() => "unpack the archive again".to_string(),
        Some(name) => format!("{name} names the data of another PROJ; unset it"),
        None => "apt-get install proj-data".to_string(),
    }
}

/// Whether https works, as far as it can be told without a server.
fn of_servers(missing: &mut Vec<String>) {
    match Http::new(Settings::default(), Arc::new(Vault::empty())) {
        Ok(http) => crate::say!("\nservers    are held to certificates {}", http.authorities),
        Err(error) => {
            crate::say!("\nservers    cannot be asked");
            missing.push(error.to_string());
        }
    }
}

/// What models are computed and trained with. Nothing is missing for CUDA where there is no driver of a GPU.
fn of_libraries(missing: &mut Vec<String>) {
    let folder = match libraries::folder() {
        Ok(folder) => folder,
        Err(error) => return missing.push(error.to_string()),
    };
    crate::say!("\nlibraries  {}", folder.display());
    let driver = libraries::driver();
    for library in libraries::ALL {
        let absent = library.missing(&folder);
        let title = format!("{} {}", library.title, library.version());
        crate::say!(
            "  {} {title:<29} {}",
            if absent.is_empty() { "yes" } else { "NO " },
            library.what
        );
        // The one for CUDA computes on the CPU too.
        let other = library.title == libraries::ONNX_RUNTIME.title
            && libraries::ONNX_RUNTIME_CUDA.missing(&folder).is_empty();
        if absent.is_empty() || other || (library.cuda && driver.is_err()) {
            continue;
        }
        // Of what is there for the most part, what is not.
        let lacks = match absent.len() < library.parts.len() {
            true => {
                let packages: Vec<&str> = absent.iter().map(|part| part.package).collect();
                format!(" (without {})", packages.join(", "))
            }
            false => String::new(),
        };
        missing.push(format!(
            "{title}{lacks} for {}: {}",
            library.what, library.command
        ));
    }
    match driver {
        Ok(version) => crate::say!("  yes {:<29} of the NVIDIA driver", format!("CUDA {version}")),
        Err(why) => crate::say!("  NO  {:<29} {why}", "CUDA"),
    }
}

fn size(bytes: usize) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}
