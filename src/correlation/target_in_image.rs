//! Finding and measuring a point target in an image: reads the chip around it, and no more.

use super::point_target::{Analysis, Failure, PointTarget, measure};
use crate::error::{Error, Result};
use crate::raster::chips::chips;
use crate::raster::{Pixels, Raster};

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Where the target is expected, in pixels: whole numbers are centres of pixels.
    pub x: f64,
    pub y: f64,
    /// How far from there its brightest pixel may lie.
    pub search: usize,
    /// Side of the square that is measured, even.
    pub chip: usize,
}

/// Measures the brightest target within `search` pixels of a place; `x` and `y` of the result are pixels of the image.
///
/// # Errors
/// An image of several bands or a real one; a place that is not finite; and as `measure`. The inner result says why a target
/// cannot be measured: `Edge` where the brightest pixel lies on the border of the search.
pub fn point_target(
    raster: &Raster,
    place: &Expected,
    analysis: &Analysis,
) -> Result<Result<PointTarget, Failure>> {
    let band = raster.only_band("slc")?;
    if !band.dtype.is_complex() {
        return Err(Error::argument(
            "slc",
            "a complex image",
            format!("band `{}` of type {}", band.name, band.dtype),
        ));
    }
    for (name, value) in [("x", place.x), ("y", place.y)] {
        if value.is_nan() || value.abs() > 1e9 {
            return Err(Error::argument(name, "a place in pixels", value));
        }
    }
    let centre = (place.y.round() as isize, place.x.round() as isize);
    // With a rim, to tell a peak on the border from one that goes on beyond it.
    let reach = place.search as isize;
    let side = 2 * place.search + 1;
    let searched = read(raster, (centre.0 - reach, centre.1 - reach), side)?;
    let brightest = searched.indexed_iter().filter(|(_, z)| z.is_finite());
    let Some((at, _)) = brightest.max_by(|a, b| a.1.norm_sqr().total_cmp(&b.1.norm_sqr())) else {
        return Ok(Err(Failure::Nodata));
    };
    let (row, col) = (centre.0 - reach + at.0 as isize, centre.1 - reach + at.1 as isize);
    let half = (place.chip / 2) as isize;
    let corner = (row - half, col - half);
    let chip = read(raster, corner, place.chip)?;
    let found = measure(chip.view(), (place.chip / 2, place.chip / 2), analysis)?;
    let on_border = place.search > 0 && (at.0 == 0 || at.1 == 0 || at.0 == side - 1 || at.1 == side - 1);
    Ok(match found {
        Ok(_) if on_border => Err(Failure::Edge),
        Ok(target) => Ok(PointTarget {
            x: target.x + corner.1 as f64,
            y: target.y + corner.0 as f64,
            ..target
        }),
        Err(failure) => Err(failure),
    })
}

fn read(
    raster: &Raster,
    corner: (isize, isize),
    side: usize,
) -> Result<ndarray::Array2<num_complex::Complex32>> {
    let strip = chips(raster, &[corner], side, side)?;
    match strip.read(strip.grid.window())?.into_iter().next() {
        Some(Pixels::C32(pixels)) => Ok(pixels),
        _ => Err(Error::message("the chip is not complex")),
    }
}
