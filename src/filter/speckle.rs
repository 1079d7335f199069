//! What the speckle filters share: checks of their parameters and of the units of their input.

use crate::error::{Error, Result};
use crate::raster::{Band, Raster, Unit};

/// The largest window, in pixels: keeps the halo of a tile, and with it the memory of one, within reason.
pub const MAX_SIZE: usize = 101;

/// A window that filters of this folder accept: an odd number of pixels from 3 to `MAX_SIZE`.
pub fn check_size(size: usize) -> Result<usize> {
    if size % 2 == 1 && (3..=MAX_SIZE).contains(&size) {
        return Ok(size);
    }
    let expected = format!("an odd number of pixels from 3 to {MAX_SIZE}");
    Err(Error::argument("size", expected, size))
}

/// The equivalent number of looks of the input: any number above 0.
pub fn check_looks(looks: f64) -> Result<f64> {
    if looks > 0.0 && looks.is_finite() {
        return Ok(looks);
    }
    Err(Error::argument("looks", "a number above 0", looks))
}

/// Speckle filters rest on the statistics of power: decibels, amplitudes and complex pixels are errors that name the
/// way to power. Bands of unknown or another unit are taken at their word.
pub fn check_power(raster: &Raster) -> Result<()> {
    raster.bands.iter().try_for_each(check_band)
}

fn check_band(band: &Band) -> Result<()> {
    let name = &band.name;
    if band.dtype.is_complex() {
        return Err(Error::Unit {
            message: format!(
                "band `{name}` is complex, and this filter works on power; make power of it first: `r:power()`"
            ),
        });
    }
    match band.unit {
        Unit::Decibel => Err(Error::Unit {
            message: format!(
                "band `{name}` is in dB, and this filter works on power; convert it first: `r:to_power()`, \
                 and back with `:to_db()`"
            ),
        }),
        Unit::Amplitude => Err(Error::Unit {
            message: format!(
                "band `{name}` is an amplitude, and this filter works on power; convert it first: `r:to_power()`"
            ),
        }),
        Unit::Power | Unit::Unknown | Unit::Other(_) => Ok(()),
    }
}
