//! Which paths and addresses are those of a Zarr.

use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::super::gdal_name;
use crate::bytes;
use crate::error::Result;
use crate::raster::zarr::store::{MARKS, Zarr};

/// True for a folder that is a Zarr, of version 2 or 3; of addresses, for those whose name says it.
pub fn is_zarr(path: &str) -> bool {
    if let Some(address) = address_of(path) {
        return address.path().trim_end_matches('/').ends_with(".zarr");
    }
    let folder = Path::new(path);
    folder.is_dir() && MARKS.iter().any(|mark| folder.join(mark).is_file())
}

fn address_of(path: &str) -> Option<Url> {
    bytes::address(&gdal_name(path))?.ok()
}

/// # Errors
/// What is no Zarr, or cannot be read.
pub fn open_store(path: &str) -> Result<Arc<Zarr>> {
    Zarr::open(path, address_of(path).as_ref()).map(Arc::new)
}
