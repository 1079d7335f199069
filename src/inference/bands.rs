//! What a network expects of its bands, and which bands of an image they are.

use ndarray::Array2;

use super::metadata;
use crate::error::{Error, Remedy, Result};
use crate::raster::{Band, Kind, Raster, Unit, math};

/// One channel of an input: what it is called and measured in, and how it becomes a number of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Of the band; None where the model does not name its bands, which are then taken in their order.
    pub name: Option<String>,
    /// `Unknown` where the model does not say.
    pub unit: Unit,
    /// Values are limited to this range first, in the unit.
    pub clip: Option<(f32, f32)>,
    /// Then value · scale + offset.
    pub scale: f32,
    pub offset: f32,
    /// What stands for masked pixels, after that.
    pub fill: f32,
}

impl Default for Expected {
    fn default() -> Expected {
        Expected {
            name: None,
            unit: Unit::Unknown,
            clip: None,
            scale: 1.0,
            offset: 0.0,
            fill: 0.0,
        }
    }
}

impl Expected {
    /// What metadata, which were checked, say of a band.
    pub fn of(band: &metadata::Band) -> Expected {
        let (scale, offset) = band.scale_and_offset();
        Expected {
            name: Some(band.name.clone()),
            unit: band.unit.as_deref().map_or(Unit::Unknown, Unit::parse),
            clip: band.clip.map(|[low, high]| (low as f32, high as f32)),
            scale: scale as f32,
            offset: offset as f32,
            fill: band.fill.unwrap_or(0.0) as f32,
        }
    }

    /// Pixels as the network takes them: limited, normalised, filled.
    pub fn normalised(&self, pixels: &Array2<f32>) -> Array2<f32> {
        let one = |&v: &f32| {
            if v.is_nan() {
                return self.fill;
            }
            let v = self.clip.map_or(v, |(low, high)| v.clamp(low, high));
            v * self.scale + self.offset
        };
        pixels.map(one)
    }

    fn shown(&self) -> String {
        let name = self.name.as_deref().unwrap_or("(any)");
        match &self.unit {
            Unit::Unknown => name.to_string(),
            unit => format!("{name} [{unit}]"),
        }
    }
}

/// The bands of `image` that an input of the model takes, in its order and units. Bands that it names are found by their names; others are
/// taken in their order.
///
/// # Errors
/// Another number of bands, or other names; bands in another unit, unless they are decibels, amplitude or power and the model wants
/// decibels or power; complex bands. All name both sides.
pub fn taken(image: &Raster, expected: &[Expected], input: &str) -> Result<Vec<Band>> {
    let both = |what: String| {
        let takes: Vec<String> = expected.iter().map(Expected::shown).collect();
        Err(Error::argument(
            format!("bands for `{input}`"),
            format!("{} ({})", what, takes.join(", ")),
            format!("{} ({})", image.bands.len(), image.band_names().join(", ")),
        ))
    };
    if image.bands.len() != expected.len() {
        return both(format!("the {} of the model", expected.len()));
    }
    let mut bands = Vec::with_capacity(expected.len());
    for (index, wanted) in expected.iter().enumerate() {
        let band = match &wanted.name {
            None => &image.bands[index],
            Some(name) => match image.bands.iter().find(|band| band.name == *name) {
                Some(band) => band,
                None => return both("those that the model names; see Raster:rename".to_string()),
            },
        };
        bands.push(in_unit(image, band, wanted, input)?);
    }
    Ok(bands)
}

fn in_unit(image: &Raster, band: &Band, wanted: &Expected, input: &str) -> Result<Band> {
    if band.kind() == Kind::C32 {
        return Err(Error::Unit {
            message: format!("band `{}` for `{input}` is complex; {}", band.name, Remedy::Power),
        });
    }
    if wanted.unit == Unit::Unknown || wanted.unit == band.unit.plain() {
        return Ok(band.clone());
    }
    let alone = image.with_bands(vec![band.clone()]);
    let converted = match (&band.unit, &wanted.unit) {
        (Unit::Power | Unit::Amplitude, Unit::Decibel) => math::to_db(&alone)?,
        (Unit::Decibel | Unit::Amplitude, Unit::Power) => math::to_power(&alone)?,
        (Unit::Unknown, _) => {
            return Err(Error::Unit {
                message: format!(
                    "band `{}` states no unit, and `{input}` takes {}; {}",
                    band.name,
                    wanted.unit,
                    Remedy::SayUnit
                ),
            });
        }
        _ => {
            return Err(Error::Unit {
                message: format!(
                    "band `{}` is in {}, and `{input}` takes {}",
                    band.name, band.unit, wanted.unit
                ),
            });
        }
    };
    converted
        .bands
        .into_iter()
        .next()
        .ok_or_else(|| Error::message("a band was lost on its way to a model"))
}
