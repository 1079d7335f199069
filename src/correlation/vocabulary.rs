//! What all fields of offsets say alike, whatever method made them: the bands `dx_px`, `dy_px`, `dx_std_px`, `dy_std_px`, `correlation` and `snr`,
//! and of what images they are.

use crate::raster::{Property, Raster};

/// The standard deviation of an offset, px, of its variance in squared pixels; NaN where that is not known.
pub fn deviation(variance: f64) -> f64 {
    variance.sqrt()
}

/// Notes on a field how large the pixels of its images are, in units of their CRS, and when they were taken, where that is known:
/// `x_pixel_size`, `y_pixel_size`, `reference_time`, `secondary_time`.
pub fn note_images(field: &mut Raster, reference: &Raster, secondary: &Raster) {
    field.time = reference.time;
    let transform = reference.grid.transform;
    for (name, size) in [("x_pixel_size", transform.dx), ("y_pixel_size", transform.dy)] {
        field.properties.insert(name.into(), Property::Number(size));
    }
    for (name, time) in [
        ("reference_time", reference.time),
        ("secondary_time", secondary.time),
    ] {
        if let Some(time) = time {
            field
                .properties
                .insert(name.into(), Property::Text(time.to_string()));
        }
    }
}
