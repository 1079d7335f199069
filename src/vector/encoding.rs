//! The bytes of text in Shapefiles, whose table says its encoding in a file beside it (`.cpg`), in its head, or nowhere.

use std::ffi::{CStr, CString};

use gdal::vector::{LayerAccess, OGRFieldType};
use gdal::{Dataset, Metadata};

use super::overlay::quietly;
use crate::error::{Error, Result};

pub(super) const SHAPEFILE: &str = "ESRI Shapefile";

/// What Shapefiles were written in before there was another way, and what GDAL takes since 3.7 where nothing is said.
const OLD: &str = "ISO-8859-1";

/// # Errors
/// When no encoding has this name.
pub(super) fn check(encoding: &str) -> Result<()> {
    match recode(c"a", encoding, "UTF-8") {
        Some(text) if text.as_c_str() == c"a" => Ok(()),
        _ => Err(Error::argument(
            "encoding",
            "the name of an encoding, such as \"UTF-8\", \"ISO-8859-1\" or \"CP1252\"",
            format!("{encoding:?}"),
        )),
    }
}

/// The encoding of a Shapefile that says none: UTF-8 where all of its text is that, else ISO-8859-1. `None` where it says one.
pub(super) fn guess(dataset: &Dataset, open: impl Fn(&str) -> Option<Dataset>) -> Option<&'static str> {
    let said = |name| {
        dataset
            .layer(0)
            .ok()
            .and_then(|layer| layer.metadata_item(name, "SHAPEFILE"))
    };
    if said("ENCODING_FROM_CPG").is_some() || said("ENCODING_FROM_LDID").is_some() {
        return None;
    }
    // With no encoding at all the bytes come as they are.
    let raw = open("")?;
    let mut layer = raw.layer(0).ok()?;
    let fields: Vec<i32> = layer
        .defn()
        .fields()
        .enumerate()
        .filter(|(_, field)| field.field_type() == OGRFieldType::OFTString)
        .filter_map(|(index, _)| i32::try_from(index).ok())
        .collect();
    for feature in layer.features() {
        for &index in &fields {
            // SAFETY: the feature is alive, the index is of one of its fields; the text is its own and is read before the next call.
            let text =
                unsafe { CStr::from_ptr(gdal_sys::OGR_F_GetFieldAsString(feature.c_feature(), index)) };
            if text.to_str().is_err() {
                return Some(OLD);
            }
        }
    }
    Some("UTF-8")
}

/// True where `text` comes back unaltered from `encoding`.
pub(super) fn holds(encoding: &str, text: &str) -> bool {
    let Ok(text) = CString::new(text) else {
        return true;
    };
    recode(&text, "UTF-8", encoding)
        .and_then(|there| recode(&there, encoding, "UTF-8"))
        .is_some_and(|back| back == text)
}

/// `None` where GDAL says that it cannot.
fn recode(text: &CStr, from: &str, to: &str) -> Option<CString> {
    let (from, to) = (CString::new(from).ok()?, CString::new(to).ok()?);
    quietly(|| {
        // SAFETY: the three texts outlive the call, which returns a new one, to be copied and freed; the other two calls
        // touch this thread's last error only.
        unsafe {
            gdal_sys::CPLErrorReset();
            let made = gdal_sys::CPLRecode(text.as_ptr(), from.as_ptr(), to.as_ptr());
            if made.is_null() {
                return None;
            }
            let out = CStr::from_ptr(made).to_owned();
            gdal_sys::VSIFree(made.cast());
            (gdal_sys::CPLGetLastErrorType() == gdal_sys::CPLErr::CE_None).then_some(out)
        }
    })
}
