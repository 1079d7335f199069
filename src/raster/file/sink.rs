//! A file that takes an image tile by tile.

use std::path::{Path, PathBuf};

use super::creation::driver_for;
use super::geotiff::GeoTiff;
use super::netcdf::Tiles;
use super::options::{Packing, WriteOptions};
use super::staged::Staged;
use super::{initialise, whole};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::interrupt;
use crate::raster::{Pixels, Raster, Window};

/// A file that is being made.
pub struct Sink {
    path: PathBuf,
    format: Format,
    packing: Option<Packing>,
}

enum Format {
    /// Through a GeoTIFF, by GDAL.
    Staged(Box<Staged>),
    GeoTiff(Box<GeoTiff>),
    NetCdf(Box<Tiles>),
}

impl Sink {
    /// A file of the format that the options or the extension say.
    ///
    /// # Errors
    /// What the format cannot hold, options that it does not know, and what the file system says.
    pub fn create(raster: &Raster, path: &Path, options: &WriteOptions) -> Result<Sink> {
        initialise();
        let driver = driver_for(path, options)?;
        if options.packing.is_some() {
            check_packing(raster, &driver, options)?;
        }
        let format = match driver.as_str() {
            "netCDF" => Format::NetCdf(Box::new(Tiles::create(raster, path, options)?)),
            _ => match GeoTiff::create(raster, path, &driver, options)? {
                Some(file) => Format::GeoTiff(Box::new(file)),
                None => Format::Staged(Box::new(Staged::create(raster, path, driver, options)?)),
            },
        };
        Ok(Sink {
            path: path.to_path_buf(),
            format,
            packing: options.packing,
        })
    }

    pub fn bands(&self) -> usize {
        match &self.format {
            Format::Staged(staged) => staged.bands(),
            Format::GeoTiff(file) => file.bands(),
            Format::NetCdf(tiles) => tiles.bands(),
        }
    }

    /// Takes the pixels of all bands in a tile, from any thread.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn write(&self, window: Window, bands: Vec<Pixels>) -> Result<()> {
        let packed = |pixels: Pixels| match self.packing {
            Some(Packing { scale, offset }) => {
                Pixels::F64(pixels.into_f64().mapv_into(|v| (v - offset) / scale))
            }
            None => pixels,
        };
        let bands = bands.into_iter().map(packed);
        match &self.format {
            Format::GeoTiff(file) => file.write(window, bands.collect()),
            Format::Staged(staged) => bands
                .enumerate()
                .try_for_each(|(band, pixels)| staged.write(window, band, pixels)),
            Format::NetCdf(tiles) => bands
                .enumerate()
                .try_for_each(|(band, pixels)| tiles.write(window, band, pixels)),
        }
    }

    /// Whether overviews or another format are made when all pixels are there.
    pub fn has_second_step(&self) -> bool {
        match &self.format {
            Format::Staged(staged) => staged.has_second_step(),
            Format::GeoTiff(file) => file.has_second_step(),
            Format::NetCdf(_) => false,
        }
    }

    /// All that is made of the pixels; the answer has everything but its name.
    ///
    /// # Errors
    /// Pixels that would come back as others, and what cannot be written.
    pub fn finish(self) -> Result<Whole> {
        interrupt::check()?;
        let draft = match self.format {
            Format::Staged(staged) => staged.finish()?,
            Format::GeoTiff(file) => file.finish()?,
            Format::NetCdf(tiles) => tiles.finish()?,
        };
        Ok(Whole {
            draft,
            path: self.path,
        })
    }
}

/// A finished file, with what its format keeps beside it, that has not got its name yet.
pub struct Whole {
    draft: DraftFolder,
    path: PathBuf,
}

impl Whole {
    /// # Errors
    /// As a draft's.
    pub fn publish(self) -> Result<()> {
        self.draft.publish(&whole::stale_beside(&self.path))
    }
}

/// Packed values are whole numbers, in formats that say how to read them.
fn check_packing(raster: &Raster, driver: &str, options: &WriteOptions) -> Result<()> {
    if !matches!(driver, "GTiff" | "COG" | "netCDF") {
        let expected = format!(
            "left out: only GeoTIFF, COG and netCDF say how stored numbers are read, {driver} does not"
        );
        return Err(Error::argument("scale", expected, "given"));
    }
    for band in &raster.bands {
        let dtype = options.dtype.unwrap_or(band.dtype);
        if dtype.integer_range().is_none() || band.dtype.is_complex() {
            return Err(Error::argument(
                "dtype",
                "one of whole numbers, as int16, where values are packed by a scale and an offset",
                dtype,
            ));
        }
    }
    Ok(())
}
