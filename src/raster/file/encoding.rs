//! How the values of a band are stored: the type of its numbers, which of them mark missing pixels, which are valid, and what
//! turns the others into values.
//!
//! # Source
//! CF conventions 1.11, sections 2.5.1 (`_FillValue`, `missing_value`, `valid_range`, `valid_min`, `valid_max`) and 8.1 (`scale_factor`,
//! `add_offset`); NetCDF Users' Guide, appendix A (`_Unsigned`; a range in another type than the stored one is one of unpacked
//! values); HDF4: `divided`, below.

mod stated;

use gdal::raster::RasterBand;
use gdal::{Dataset, Metadata};
use serde::{Deserialize, Serialize};

use super::layout::{Layout, driver_of, only_image};
use super::open::OpenOptions;
use super::pool::SourceFile;
use super::truncated::container_of;
use super::{arrays, dtype_of, gdal_name, message_of};
use crate::error::{Error, Result};
use crate::raster::element::{Real, kind_of};
use crate::raster::integer::{is_wide, whole};
use crate::raster::tile::MASKED_INTEGER;
use crate::raster::{DType, Kind};

pub use stated::Stated;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// The type of the stored numbers. GDAL may hand them on as the other one of the same width, signed or unsigned.
    pub dtype: DType,
    wrapped: bool,
    /// Stored numbers that stand for no value.
    missing: Vec<f64>,
    /// The same of 64-bit integers, which no float holds.
    missing_integers: Vec<i128>,
    /// Least and largest stored number that is a value.
    valid: Option<(f64, f64)>,
    scale_offset: Option<(f64, f64)>,
}

impl Encoding {
    /// The type of its values.
    pub fn value_type(&self) -> DType {
        match self.is_scaled() && !self.dtype.is_float() {
            false => self.dtype,
            // A 16-bit integer times a scale needs no more than f32; wider ones were read as f64 already.
            true if kind_of(self.dtype) == Kind::F32 => DType::F32,
            true => DType::F64,
        }
    }

    /// What its values are computed in.
    pub fn kind(&self) -> Kind {
        match self.value_type() {
            DType::F64 => Kind::F64,
            _ => kind_of(self.dtype),
        }
    }
}

/// What a file says of one variable beside its pixels, and what the values of its attributes are.
pub struct Attributes {
    items: Vec<(String, String)>,
    /// The variable's full name, where neither the name of the image nor its attributes say it.
    variable: Option<String>,
}

impl Attributes {
    /// GDAL gives those of netCDF with the band, of HDF5 with the band under the full name of the variable
    /// (`science_grids_height_scale_factor`), of HDF4 with the dataset.
    ///
    /// # Errors
    /// When the container of the only image of a file cannot be listed.
    pub fn of(file: &SourceFile, dataset: &Dataset, band: &RasterBand) -> Result<Attributes> {
        let mut only = None;
        let (items, prefix) = match driver_of(dataset).as_str() {
            // A view carries its variable's attributes.
            _ if matches!(file.layout, Some(Layout::View(_))) => (dataset.metadata_domain(""), String::new()),
            "netCDF" => (band.metadata_domain(""), String::new()),
            "HDF5Image" => {
                let named = file
                    .name
                    .rsplit_once("://")
                    .filter(|_| file.name.starts_with("HDF5:"));
                // The only image of a file has a name that GDAL does not tell.
                let variable = match named {
                    Some((_, variable)) => variable,
                    None => only
                        .insert(only_image(container_of(&file.name))?.unwrap_or_default())
                        .as_str(),
                };
                let prefix = variable.trim_start_matches('/').replace(['/', ' '], "_");
                (band.metadata_domain(""), format!("{prefix}_"))
            }
            "HDF4Image" => (dataset.metadata_domain(""), String::new()),
            // Elsewhere GDAL's own fields say it all.
            _ => (None, String::new()),
        };
        let one = |item: String| {
            let (key, value) = item.split_once('=')?;
            Some((key.strip_prefix(&prefix)?.to_string(), value.trim().to_string()))
        };
        let items = items.unwrap_or_default().into_iter().filter_map(one).collect();
        Ok(Attributes {
            items,
            variable: only,
        })
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.items.iter().find(|(key, _)| key == name)?;
        Some(found.1.as_str())
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers(name).first().copied()
    }

    /// Lists come as `{0,-2}`, `0 -2` and `0, -2`.
    fn numbers(&self, name: &str) -> Vec<f64> {
        self.parsed(name)
    }

    fn integers(&self, name: &str) -> Vec<i128> {
        self.parsed(name)
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Vec<T> {
        let text = self.text(name).unwrap_or_default().trim_matches(['{', '}']);
        let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
        parts.map_while(|part| part.parse().ok()).collect()
    }
}

impl Encoding {
    /// Of one band, with the type that GDAL reports.
    pub fn of(
        file: &SourceFile,
        dataset: &Dataset,
        band: &RasterBand,
        reported: DType,
        attributes: &Attributes,
        options: &OpenOptions,
    ) -> Result<Encoding> {
        let dtype = true_type(file, dataset, band, reported, attributes)?;
        let wrapped = dtype != reported;
        // Attributes have the type that netCDF stores, whatever sign is meant.
        let respelt = wrapped || attributes.text("_Unsigned").is_some();
        let own = |v: f64| if respelt { wrap(v, dtype) } else { v };
        let missing: Vec<f64> = match options.nodata {
            Some(nodata) => vec![nodata],
            None => {
                let listed = ["_FillValue", "missing_value"].map(|name| match dtype {
                    // GDAL gives 15 digits of a float64, which has 17.
                    DType::F64
                        if attributes
                            .text(name)
                            .is_some_and(|text| text.len() > 15 && !text.contains([' ', ','])) =>
                    {
                        let (container, variable) = container_and_variable(file, attributes);
                        arrays::attribute_number(&container, &variable, name)
                            .into_iter()
                            .collect()
                    }
                    _ => attributes.numbers(name),
                });
                nodata_of(band, reported)
                    .into_iter()
                    .chain(listed.into_iter().flatten())
                    .map(own)
                    .collect()
            }
        };
        let missing_integers = match options.nodata {
            _ if !is_wide(dtype) => Vec::new(),
            Some(nodata) => whole(nodata).into_iter().collect(),
            None => {
                let listed = ["_FillValue", "missing_value"].map(|name| attributes.integers(name));
                let own = |v: i128| if respelt { wrap_integer(v, dtype) } else { v };
                nodata_integer_of(band, reported)
                    .into_iter()
                    .chain(listed.into_iter().flatten())
                    .map(own)
                    .collect()
            }
        };
        let mut scale = band
            .scale()
            .or_else(|| attributes.number("scale_factor"))
            .unwrap_or(1.0);
        let mut offset = band
            .offset()
            .or_else(|| attributes.number("add_offset"))
            .unwrap_or(0.0);
        if !dtype.is_float() && is_hdf_eos(file, dataset) {
            (scale, offset) = divided(scale, offset);
        }
        let scaled = scale.is_finite() && scale != 0.0 && offset.is_finite();
        let scale_offset =
            (scaled && !dtype.is_complex() && (scale, offset) != (1.0, 0.0)).then_some((scale, offset));
        let valid = match range(attributes) {
            Some(range) if scale_offset.is_some() && is_unpacked(file, attributes, dtype) => {
                Some(packed(range, scale, offset, dtype))
            }
            Some((low, high)) => Some((own(low), own(high))),
            None => None,
        };
        Ok(Encoding {
            dtype,
            wrapped,
            missing,
            missing_integers,
            valid,
            scale_offset: scale_offset.filter(|_| !options.raw),
        })
    }

    /// The number that marks missing pixels in a copy of the file.
    pub fn nodata(&self) -> Option<f64> {
        // The values of a scaled band are no longer the file's numbers.
        self.missing
            .first()
            .copied()
            .filter(|_| self.scale_offset.is_none())
    }

    pub fn is_scaled(&self) -> bool {
        self.scale_offset.is_some()
    }

    /// Stored numbers to values, in place.
    pub fn decode<T: Real + Into<f64>>(&self, pixels: &mut ndarray::Array2<T>) {
        if self.wrapped {
            pixels.mapv_inplace(|v| T::of(wrap(v.into(), self.dtype)));
        }
        // A float's nodata was stored in its own precision, so it compares equal after the same rounding.
        let missing: Vec<T> = self.missing.iter().map(|&v| T::of(v)).collect();
        let first = missing.first().copied().unwrap_or(T::nan());
        let rest = missing.get(1..).unwrap_or_default();
        pixels.mapv_inplace(|v| if v == first || !v.is_finite() { T::nan() } else { v });
        if !rest.is_empty() {
            pixels.mapv_inplace(|v| if rest.contains(&v) { T::nan() } else { v });
        }
        if let Some((low, high)) = self.valid {
            let (low, high) = (T::of(low), T::of(high));
            pixels.mapv_inplace(|v| if v >= low && v <= high { v } else { T::nan() });
        }
        if let Some((scale, offset)) = self.scale_offset {
            pixels.mapv_inplace(|v| T::of(v.into() * scale + offset));
        }
    }

    /// As GDAL hands 64-bit integers on.
    pub fn is_unsigned_in_file(&self) -> bool {
        (self.dtype == DType::U64) != self.wrapped
    }

    /// Stored 64-bit integers, some of them masked: all that `decode` does but the scale.
    pub fn decode_integer(&self, v: i128) -> i128 {
        let v = if self.wrapped {
            wrap_integer(v, self.dtype)
        } else {
            v
        };
        let outside = self
            .valid
            .is_some_and(|(low, high)| (v as f64) < low || v as f64 > high);
        if outside || self.missing_integers.contains(&v) {
            MASKED_INTEGER
        } else {
            v
        }
    }

    /// The value of a stored number that is not masked.
    pub fn scaled(&self, v: f64) -> f64 {
        self.scale_offset.map_or(v, |(scale, offset)| v * scale + offset)
    }

    /// Of complex numbers the missing one is real, or has it in both parts.
    pub fn is_missing(&self, z: num_complex::Complex32) -> bool {
        let missing = |v: f32| self.missing.iter().any(|&m| m as f32 == v);
        !z.is_finite() || (missing(z.re) && (z.im == z.re || z.im == 0.0))
    }
}

fn nodata_of(band: &RasterBand, reported: DType) -> Option<f64> {
    match reported {
        DType::I64 => band.no_data_value_i64().map(|v| v as f64),
        DType::U64 => band.no_data_value_u64().map(|v| v as f64),
        _ => band.no_data_value(),
    }
}

/// The type that the numbers have where GDAL has no name for it (signed bytes, before 3.7) or does not heed what the file says.
fn true_type(
    file: &SourceFile,
    dataset: &Dataset,
    band: &RasterBand,
    reported: DType,
    attributes: &Attributes,
) -> Result<DType> {
    let said = attributes.text("_Unsigned").map(str::to_lowercase);
    let signed = match said.as_deref() {
        Some("true") => false,
        Some("false") => true,
        _ if reported != DType::U8 => return Ok(reported),
        _ if band.metadata_item("PIXELTYPE", "IMAGE_STRUCTURE").as_deref() == Some("SIGNEDBYTE") => true,
        _ if matches!(driver_of(dataset).as_str(), "HDF5Image" | "HDF4Image") => is_listed_as_signed(file)?,
        _ => false,
    };
    Ok(reported.with_sign(signed))
}

/// GDAL before 3.7 tells signed bytes of HDF apart only in the list of what the file holds.
fn is_listed_as_signed(file: &SourceFile) -> Result<bool> {
    let container = match file.name.split('"').nth(1) {
        Some(quoted) => quoted,
        None => match file
            .name
            .split_once(':')
            .and_then(|(_, rest)| rest.split_once("://"))
        {
            Some((container, _)) => container,
            None => return Ok(false),
        },
    };
    let (_, lent) = SourceFile::open(&file.path, container)?;
    let entries = lent.dataset()?.metadata_domain("SUBDATASETS").unwrap_or_default();
    let same = |name: &str| name.replace('"', "") == file.name.replace('"', "");
    let description = entries.iter().find_map(|entry| {
        let (key, name) = entry.split_once("_NAME=")?;
        let wanted = format!("{key}_DESC=");
        entries
            .iter()
            .find_map(|e| e.strip_prefix(&wanted))
            .filter(|_| same(name))
    });
    let signed = [
        "(8-bit character)",
        "(8-bit signed character)",
        "(8-bit integer)",
        "(8-bit signed integer)",
    ];
    Ok(description.is_some_and(|text| signed.iter().any(|kind| text.ends_with(kind))))
}

/// The number of `dtype` that has the same bits.
fn wrap(v: f64, dtype: DType) -> f64 {
    let span = 2f64.powi(8 * dtype.bytes() as i32);
    match dtype.integer_range() {
        Some((_, high)) if v > high => v - span,
        Some((low, _)) if v < low => v + span,
        _ => v,
    }
}

fn wrap_integer(v: i128, dtype: DType) -> i128 {
    match dtype {
        DType::U64 if v < 0 => v + (1 << 64),
        DType::I64 if v > i64::MAX.into() => v - (1 << 64),
        _ => v,
    }
}

fn nodata_integer_of(band: &RasterBand, reported: DType) -> Option<i128> {
    match reported {
        DType::I64 => band.no_data_value_i64().map(i128::from),
        DType::U64 => band.no_data_value_u64().map(i128::from),
        _ => None,
    }
}

fn range(attributes: &Attributes) -> Option<(f64, f64)> {
    if let [low, high] = attributes.numbers("valid_range")[..] {
        return Some((low, high));
    }
    match (attributes.number("valid_min"), attributes.number("valid_max")) {
        (None, None) => None,
        (low, high) => Some((low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))),
    }
}

/// True where the range is one of values, not of stored numbers: numbers of a float type beside stored integers.
fn is_unpacked(file: &SourceFile, attributes: &Attributes, dtype: DType) -> bool {
    if dtype.is_float() {
        return false;
    }
    let names = ["valid_range", "valid_min", "valid_max"];
    let given: Vec<&str> = names
        .into_iter()
        .filter(|name| attributes.text(name).is_some())
        .collect();
    if given
        .iter()
        .any(|name| attributes.numbers(name).iter().any(|v| v.fract() != 0.0))
    {
        return true;
    }
    // Whole numbers in the text may be floats in the file.
    let (container, variable) = container_and_variable(file, attributes);
    given.iter().any(|name| {
        let found = arrays::attribute_type(&container, &variable, name);
        found.is_some_and(|dtype| dtype.is_float())
    })
}

/// The container file of a variable, as GDAL calls it, and the variable's full name.
pub fn container_and_variable(file: &SourceFile, attributes: &Attributes) -> (String, String) {
    let quoted = file.name.split('"').nth(1);
    let container = quoted.map_or_else(|| gdal_name(&file.path), str::to_string);
    let last = file.name.rsplit(':').next().filter(|_| quoted.is_some());
    let known = attributes
        .text("NETCDF_VARNAME")
        .or(attributes.variable.as_deref());
    let variable = last.or(known).unwrap_or_default();
    (container, variable.to_string())
}

/// The range in stored numbers. What is whole up to rounding is whole: −0.2 / 0.0001.
fn packed((low, high): (f64, f64), scale: f64, offset: f64, dtype: DType) -> (f64, f64) {
    let stored = |v: f64| {
        let stored = (v - offset) / scale;
        let whole = stored.round();
        // As exact as a float32 attribute says it.
        let near = (stored - whole).abs() <= 1e-6 * whole.abs().max(1.0);
        if near && !dtype.is_float() { whole } else { stored }
    };
    let (a, b) = (stored(low), stored(high));
    (a.min(b), a.max(b))
}

fn is_hdf_eos(file: &SourceFile, dataset: &Dataset) -> bool {
    driver_of(dataset) == "HDF4Image" || file.name.contains("/HDFEOS/GRIDS/")
}

/// Scale and offset of a product of HDF-EOS as CF means them: value = stored · scale + offset.
///
/// Those of MODIS and VIIRS come in three forms. MOD09, MOD13, VNP13: value = (stored − offset) / scale, with scales of
/// 10000 and the like. HDF4's own `SDsetcal`, in the atmosphere's products (MOD04, MOD06): value = scale · (stored − offset), with an offset in
/// stored numbers, which are whole. The emissivities of MOD11: value = stored · scale + offset, with an offset of 0.49.
///
/// # Source
/// MODIS Surface Reflectance User's Guide, Collection 6, table 11 (valid range −100…16000, scale factor 0.0001; the attribute
/// says 10000); HDF4 reference manual, SDgetcal; MODIS atmosphere file specifications; MOD11 User's Guide, table 9.
fn divided(scale: f64, offset: f64) -> (f64, f64) {
    if scale.abs() > 1.0 {
        (1.0 / scale, -offset / scale)
    } else if offset.fract() == 0.0 {
        (scale, -offset * scale)
    } else {
        (scale, offset)
    }
}

/// What GDAL reports of a band's type.
pub fn reported_type(file: &SourceFile, band: &RasterBand, index: usize) -> Result<DType> {
    // SAFETY: the handle lives as long as `band`.
    let number = unsafe { gdal_sys::GDALGetRasterDataType(band.c_rasterband()) };
    dtype_of(number).ok_or_else(|| {
        Error::file(
            &file.path,
            format!("band {index} has a pixel type that is not known here ({number})"),
        )
    })
}

/// Where it stands which pixels are valid, beside the pixels themselves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    None,
    /// The band's own mask, or that of all bands.
    Own,
    /// The band of this number holds opacity: what is wholly transparent (0) is masked.
    Alpha(usize),
}

impl Mask {
    pub fn of(file: &SourceFile, dataset: &Dataset, band: &RasterBand, index: usize) -> Result<Mask> {
        const ALL_VALID: i32 = 1;
        const PER_DATASET: i32 = 2;
        const ALPHA: i32 = 4;
        const NODATA: i32 = 8;
        // SAFETY: the handle lives as long as `band`.
        let flags = unsafe { gdal_sys::GDALGetMaskFlags(band.c_rasterband()) };
        // Without any flag the band has a mask for itself. Nodata of single bands is looked at elsewhere.
        let own = flags & ALL_VALID == 0 && (flags & NODATA == 0 || flags & PER_DATASET != 0);
        if own && flags & ALPHA == 0 {
            return Ok(Mask::Own);
        }
        // GDAL takes opacity for a mask only as the second of two and the last of four bands.
        for other in 1..=dataset.raster_count() {
            let other_band = dataset
                .rasterband(other)
                .map_err(|e| Error::file(&file.path, message_of(&e)))?;
            if other_band.color_interpretation() == gdal::raster::ColorInterpretation::AlphaBand {
                return Ok(if other == index {
                    Mask::None
                } else {
                    Mask::Alpha(other)
                });
            }
        }
        Ok(Mask::None)
    }
}
