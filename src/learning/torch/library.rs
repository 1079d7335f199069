//! Where the shared libraries lie that are opened at run time.

use std::path::PathBuf;

use crate::error::{Error, Result};

fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("PERILUNE_LIBRARIES") {
        return folder.into();
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    cache.join("perilune/libraries")
}

/// A library of libtorch.
///
/// # Errors
/// Where it is not there; says what brings it.
pub(super) fn find(name: &str) -> Result<PathBuf> {
    let path = folder().join(name);
    match path.exists() {
        true => Ok(path),
        false => Err(Error::file(path, "is not there: `perilune setup torch` brings it")),
    }
}

/// One of its CUDA part.
///
/// # Errors
/// As `find`.
pub(super) fn find_cuda(name: &str) -> Result<PathBuf> {
    let path = folder().join(name);
    match path.exists() {
        true => Ok(path),
        false => Err(Error::file(path, "is not there: `perilune setup torch --cuda` brings it")),
    }
}
