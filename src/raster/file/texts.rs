//! Texts that an image carries by names.

use super::pool::SourceFile;
use crate::error::Result;

/// The text of this name; None where there is none.
///
/// # Errors
/// When the file is missing or is no image.
pub fn text_of(path: &str, name: &str) -> Result<Option<String>> {
    use gdal::Metadata;
    let (_, lent) = SourceFile::open(path, path)?;
    Ok(lent.dataset()?.metadata_item(name, ""))
}
