//! What all fields of offsets say alike, whatever method made them: the bands `dx_px`, `dy_px`, `dx_std_px`, `dy_std_px`, `correlation`, `snr` and
//! `reason`, and of what images they are.

use crate::raster::{Band, DType, Port, Property, Raster, Unit};

/// The band of this name, with the unit and the type that it has in every field.
pub fn band(name: &str, port: Port) -> Band {
    let unit = match name {
        "dx_px" | "dy_px" | "dx_std_px" | "dy_std_px" | "chip_size_x" | "chip_size_y" => "px",
        "dx_m" | "dy_m" => "m",
        "cov_xx" | "cov_yy" | "cov_xy" => "px²",
        "reason" => "class",
        _ => "1",
    };
    Band {
        name: name.into(),
        dtype: match name {
            "reason" => DType::U8,
            _ => DType::F32,
        },
        unit: Unit::parse(unit),
        nodata: None,
        port,
    }
}

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
