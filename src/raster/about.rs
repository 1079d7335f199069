//! What the GDAL library that was loaded can do.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::OnceLock;

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

/// Of the libraries that images go through, by their names.
pub fn versions() -> Vec<(&'static str, String)> {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: three places to write a number to.
    unsafe { gdal_sys::OSRGetPROJVersion(&mut major, &mut minor, &mut patch) };
    let proj = (major > 0).then(|| format!("{major}.{minor}.{patch}"));
    let mut all = vec![("GDAL", VersionInfo::release_name())];
    all.extend(proj.map(|version| ("PROJ", version)));
    // Looking it up opens a database.
    static DEFINITIONS: OnceLock<Option<String>> = OnceLock::new();
    let found = DEFINITIONS.get_or_init(definitions).clone();
    all.extend(found.map(|version| ("EPSG", version)));
    all
}

/// The release of EPSG's definitions in PROJ's database, such as `v10.076`: coordinates may come out otherwise by another.
fn definitions() -> Option<String> {
    type Create = unsafe extern "C" fn() -> *mut c_void;
    type Destroy = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
    type Search = unsafe extern "C" fn(*mut c_void, c_int, *const *const c_char);
    type Metadata = unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_char;
    let symbol = |name: &CStr| {
        // SAFETY: the name is terminated.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    };
    let create = symbol(c"proj_context_create")?;
    let destroy = symbol(c"proj_context_destroy")?;
    let search = symbol(c"proj_context_set_search_paths")?;
    let metadata = symbol(c"proj_context_get_database_metadata")?;
    // SAFETY: these are PROJ's functions, as it declares them since version 6; the context is this call's own, the lists are terminated, and the text is
    // copied while the context is there.
    unsafe {
        let create: Create = std::mem::transmute(create);
        let destroy: Destroy = std::mem::transmute(destroy);
        let search: Search = std::mem::transmute(search);
        let metadata: Metadata = std::mem::transmute(metadata);
        let context = create();
        if context.is_null() {
            return None;
        }
        let folders = gdal_sys::OSRGetPROJSearchPaths();
        let count = gdal_sys::CSLCount(folders);
        if count > 0 {
            search(context, count, folders.cast_const().cast());
        }
        gdal_sys::CSLDestroy(folders);
        let text = metadata(context, c"EPSG.VERSION".as_ptr());
        let version = (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned());
        let _: *mut c_void = destroy(context);
        version
    }
}
