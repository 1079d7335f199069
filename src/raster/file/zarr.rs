//! Zarr: folders that are containers of arrays. GDAL opens an array of more than two axes slice by slice only, so cubes are opened as
//! views.

use std::path::Path;
use std::sync::Arc;

use super::arrays::{ArrayInfo, Container};
use super::layout::Arranged;
use super::pool::{Lent, SourceFile};
use crate::error::{Error, Result};

/// True for a folder that is a Zarr, of version 2 or 3.
pub fn is_zarr(folder: &Path) -> bool {
    let marks = [".zgroup", ".zarray", ".zmetadata", "zarr.json"];
    folder.is_dir() && marks.iter().any(|mark| folder.join(mark).is_file())
}

/// The arrays that are images: coordinates, of one axis, are not among them.
///
/// # Errors
/// When the folder cannot be read.
pub fn images(path: &str) -> Result<Vec<ArrayInfo>> {
    let mut listed = Container::open(path)?.list()?;
    listed.retain(|array| array.shape.len() > 1);
    Ok(listed)
}

/// Opens the array of this name, which GDAL knows by another, as a view where it has to be one. `as_stored`: whatever its coordinates
/// say of the order of rows and columns.
///
/// # Errors
/// As those of any file.
pub fn open(
    path: &str,
    array: &str,
    gdal_name: &str,
    as_stored: bool,
) -> Result<(Arc<SourceFile>, Lent, Option<Arranged>)> {
    let gone = || Error::file(path, format!("holds no array {array} that can be read"));
    let mut arranged = Arranged::of_array(path, array)?.ok_or_else(gone)?;
    if arranged.axes.list.len() == 2 {
        let (file, lent) = SourceFile::open(path, gdal_name)?;
        return Ok((file, lent, None));
    }
    if as_stored {
        arranged.turn_back();
    }
    let (file, lent) = SourceFile::laid_out(path, path, arranged.layout.clone())?;
    Ok((file, lent, Some(arranged)))
}
