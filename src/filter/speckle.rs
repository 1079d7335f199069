//! What the speckle filters share: checks of their parameters and of the units of their input, and their place in the
//! engine.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::error::{Domain, Error, Remedy, Result};
use crate::raster::describe::{Described, Description, Site};
use crate::raster::doubt;
use crate::raster::{Band, Operation, Pixels, Raster, Unit, View, Window};

/// Sides of a window. The largest keeps the halo of a tile, and with it the memory of one, within reason.
pub const SIZE: Domain = Domain::within(3.0, 101.0).odd().in_unit("pixels");

/// The equivalent number of looks of the input.
pub const LOOKS: Domain = Domain::above(0.0);

/// # Errors
/// When a window has no such side.
pub fn check_size(size: usize) -> Result<usize> {
    SIZE.check_count("size", size)
}

/// # Errors
/// When an image has no such number of looks.
pub fn check_looks(looks: f64) -> Result<f64> {
    LOOKS.check("looks", looks)
}

/// Speckle filters rest on the statistics of power: decibels, amplitudes and complex pixels are errors that name the
/// way to power. Bands of unknown or another unit are taken at their word.
///
/// # Errors
/// The first band that is in dB, an amplitude or complex.
pub(super) fn check_power(raster: &Raster) -> Result<()> {
    raster.bands.iter().try_for_each(check_band)
}

fn check_band(band: &Band) -> Result<()> {
    let name = &band.name;
    if band.dtype.is_complex() {
        return Err(Error::Unit {
            message: format!(
                "band `{name}` is complex, and this filter works on power; {}",
                Remedy::Power
            ),
        });
    }
    match band.unit {
        Unit::Decibel => Err(Error::Unit {
            message: format!(
                "band `{name}` is in dB, and this filter works on power; {}",
                Remedy::DecibelsToPower
            ),
        }),
        Unit::Amplitude => Err(Error::Unit {
            message: format!(
                "band `{name}` is an amplitude, and this filter works on power; {}",
                Remedy::AmplitudeToPower
            ),
        }),
        Unit::Power | Unit::Unknown | Unit::Mask | Unit::Class(_) | Unit::Other(_) => Ok(()),
    }
}

/// A filter of neighbourhoods: one band of power in, one out.
pub trait Filter: Described + Send + Sync + 'static {
    /// With its parameters: `filter.lee(size 7, looks 4)`.
    fn label(&self) -> String;

    /// # Errors
    /// Parameters that are out of range.
    fn check(&self) -> Result<()>;

    /// How far it looks, in pixels, on every side.
    fn halo(&self) -> usize;

    /// Maps a tile grown by the halo to the tile.
    fn filter(&self, padded: ArrayView2<'_, f32>) -> Array2<f32>;
}

impl<F: Filter> Operation for F {
    fn name(&self) -> String {
        self.label()
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn needs(&self, _index: usize, out: Window) -> Window {
        out.grow(self.halo(), self.halo())
    }

    fn compute(&self, _out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        Ok(vec![Pixels::F32(self.filter(inputs[0].f32().view()))])
    }
}

/// What filters hold to, wherever they are made.
///
/// # Errors
/// Another number of inputs than one, an input on another grid, a complex one; parameters that the filter refuses.
pub(super) fn check_filter<F: Filter>(filter: &F, site: &Site) -> Result<()> {
    site.takes(1)?.on_grid()?.real()?;
    Filter::check(filter)
}

/// Every band of an image in power through one filter.
///
/// # Errors
/// Parameters that the filter refuses; bands in dB, amplitude or complex.
pub fn filter_bands(raster: &Raster, filter: impl Filter) -> Result<Raster> {
    Filter::check(&filter)?;
    check_power(raster)?;
    let operation: Arc<dyn Operation> = Arc::new(filter);
    let name = operation.name();
    let by = name.split('(').next().unwrap_or(&name);
    doubt::bands_as_power(raster, by).map_tiles(|_| Ok(operation.clone()))
}
