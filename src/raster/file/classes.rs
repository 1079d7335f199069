//! What the numbers of an image of classes mean, as files hold it: GDAL's names of categories, and a table of colours.

use std::ffi::CStr;
use std::path::Path;

use gdal::cpl::CslStringList;
use gdal::raster::{ColorEntry, ColorTable, RasterBand, RgbaEntry};

use super::message_of;
use super::options::WriteOptions;
use crate::error::{Error, Result};
use crate::raster::{Class, DType};
use crate::work;

/// Lists are as long as their greatest value.
const LARGEST: i64 = 65_535;

/// What a band's numbers mean; empty where the file does not say it. Without names a colour is a class by its number, but for black, with which tables
/// are filled up.
pub fn read(band: &RasterBand, dtype: DType, nodata: Option<f64>) -> Vec<Class> {
    if !matches!(
        dtype,
        DType::U8 | DType::U16 | DType::I16 | DType::U32 | DType::I32
    ) {
        return Vec::new();
    }
    let colors = band.color_table();
    let color = |value: usize| {
        let RgbaEntry { r, g, b, a } = colors.as_ref()?.entry_as_rgb(value)?;
        (a > 0).then_some([r as u8, g as u8, b as u8])
    };
    let names = names_of(band);
    if names.iter().any(|name| !name.is_empty()) {
        let named = names.into_iter().enumerate().filter(|(_, name)| !name.is_empty());
        let class = |(value, name): (usize, String)| Class {
            value: value as i64,
            name,
            color: color(value),
        };
        return named.map(class).collect();
    }
    let count = colors.as_ref().map_or(0, ColorTable::entry_count);
    let numbers = (0..count).filter(|value| nodata != Some(*value as f64));
    numbers
        .filter_map(|value| {
            let color = color(value).filter(|rgb| *rgb != [0; 3])?;
            Some(Class {
                value: value as i64,
                name: value.to_string(),
                color: Some(color),
            })
        })
        .collect()
}

fn names_of(band: &RasterBand) -> Vec<String> {
    // SAFETY: the list belongs to the band, which outlives this; it ends with a null, and each of its strings with a NUL.
    unsafe {
        let list = gdal_sys::GDALGetRasterCategoryNames(band.c_rasterband());
        if list.is_null() {
            return Vec::new();
        }
        (0..=LARGEST as usize)
            .map(|i| *list.add(i))
            .take_while(|name| !name.is_null())
            .map(|name| CStr::from_ptr(name).to_string_lossy().into_owned())
            .collect()
    }
}

/// Writes names, and where the file can hold them colours. What it cannot hold is told.
///
/// # Errors
/// What cannot be written.
pub fn write(
    band: &mut RasterBand,
    classes: &[Class],
    (dtype, is_alone): (DType, bool),
    options: &WriteOptions,
    path: &Path,
) -> Result<()> {
    let held = |class: &&Class| (0..=LARGEST).contains(&class.value);
    if let Some(class) = classes.iter().find(|class| !held(class)) {
        work::warn(&format!(
            "{}: the name of class {} ({}) is not written: files hold names of the classes 0 to {LARGEST}",
            path.display(),
            class.value,
            class.name
        ));
    }
    let classes: Vec<&Class> = classes.iter().filter(held).collect();
    let Some(last) = classes.iter().map(|class| class.value as usize).max() else {
        return Ok(());
    };
    let fail = |e: gdal::errors::GdalError| Error::file(path, message_of(&e));
    let mut names = vec![""; last + 1];
    for class in &classes {
        names[class.value as usize] = &class.name;
    }
    let mut list = CslStringList::new();
    for name in names {
        list.add_string(name).map_err(fail)?;
    }
    // SAFETY: the band is alive; GDAL copies the list.
    let answer = unsafe { gdal_sys::GDALSetRasterCategoryNames(band.c_rasterband(), list.as_ptr()) };
    if answer != gdal_sys::CPLErr::CE_None {
        return Err(Error::file(path, "cannot take the names of classes"));
    }
    // The formats' own rules: tables of colours belong to one band of 8 or 16 bits that is not compressed as a picture.
    let is_picture = matches!(options.compress.to_lowercase().as_str(), "jpeg" | "webp");
    if is_alone && matches!(dtype, DType::U8 | DType::U16) && !is_picture {
        let mut table = ColorTable::default();
        for class in &classes {
            if let (Some([r, g, b]), Ok(value)) = (class.color, u16::try_from(class.value)) {
                let entry = ColorEntry::rgba(r.into(), g.into(), b.into(), 255);
                table.set_color_entry(value, &entry);
            }
        }
        if table.entry_count() > 0 {
            band.set_color_table(&table);
        }
    }
    Ok(())
}
