//! Rasters onto other grids: align, reproject, resample, and the grids that these make.

use std::sync::Arc;

use super::cyclic::{as_vectors, cycle_of};
use super::extent::{transform_bounds, turns};
use super::image::{Band, Raster, float_of};
use super::operation::Operation;
use super::reframe;
use super::warp::{Resampling, Warp};
use super::{Affine, Bounds, Crs, Grid, Port};
use crate::error::{Error, Remedy, Result};

/// The raster on another grid. Where only whole pixels move, no value changes. Bands whose values run in a circle are
/// interpolated and averaged as unit vectors.
///
/// # Errors
/// An image or a grid with a CRS where the other has none; CRSs that PROJ has no way between; the median of bands whose values
/// run in a circle.
pub fn align(raster: &Raster, target: &Arc<Grid>, method: Resampling) -> Result<Raster> {
    if raster.grid.matches(target) {
        return Ok(raster.clone());
    }
    let mut method = method;
    match whole_pixels(&raster.grid, target) {
        Some((rows, cols, false)) => return Ok(reframe::moved(raster, target.clone(), rows, cols)),
        Some((_, _, true)) => method = Resampling::Nearest,
        None => {}
    }
    let warp: Arc<dyn Operation> = Arc::new(Warp::new(&raster.grid, target, method)?);
    let keeps_values = method.keeps_values();
    let one = |b: &Band| -> Result<Band> {
        let port = match cycle_of(&b.port) {
            Some(_) if method == Resampling::Median => {
                return Err(Error::argument(
                    "resampling",
                    format!(
                        "\"average\" or another for band `{}`, whose values run in a circle",
                        b.name
                    ),
                    "\"median\"",
                ));
            }
            Some(cycle) if !keeps_values => as_vectors(&b.port, &raster.grid, cycle, target, warp.clone()),
            _ => Port::tiles(target, warp.clone(), vec![b.port.clone()]).swap_remove(0),
        };
        let dtype = if keeps_values {
            b.dtype
        } else {
            float_of(port.kind())
        };
        let nodata = b.nodata.filter(|_| keeps_values);
        Ok(Band {
            dtype,
            nodata,
            port,
            ..b.clone()
        })
    };
    let bands: Result<Vec<Band>> = raster.bands.iter().map(one).collect();
    Ok(raster.with_grid(target.clone(), bands?))
}

/// Rows and columns by which `target` is displaced on the lattice of `source`, where both share one, and whether it meets
/// the source on both sides of its seam, where longitudes run around.
fn whole_pixels(source: &Grid, target: &Grid) -> Option<(isize, isize, bool)> {
    let same_crs = match (&source.crs, &target.crs) {
        (Some(a), Some(b)) => a == b,
        (None, None) => true,
        _ => false,
    };
    if !same_crs {
        return None;
    }
    let corner = |c: f64, r: f64| {
        let (x, y) = target.transform.apply(c, r);
        let (col, row) = source.to_pixel(x, y);
        (col - c, row - r)
    };
    let (w, h) = (target.cols as f64, target.rows as f64);
    let (cols, rows) = corner(0.0, 0.0);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-3;
    let steady = [(w, 0.0), (0.0, h), (w, h)].iter().all(|&(c, r)| {
        let (dc, dr) = corner(c, r);
        near(dc, cols) && near(dr, rows)
    });
    if !(steady && near(rows, rows.round())) {
        return None;
    }
    // Where the source meets the target: columns of the source that are whole turns apart are the same.
    let meets = |first: f64| first < source.cols as f64 - 0.5 && first + w > 0.5;
    let met: Vec<f64> = turns(source.turn())
        .map(|offset| cols + offset)
        .filter(|&c| meets(c))
        .collect();
    let cols = met.first().copied().unwrap_or(cols);
    let whole = |c: f64| near(c, c.round());
    (whole(cols) && met.iter().all(|&c| whole(c)))
        .then(|| (rows.round() as isize, cols.round() as isize, met.len() > 1))
}

/// A north-up grid over bounds. The upper left corner is kept; the lower right one grows to whole pixels.
///
/// # Errors
/// Pixel sizes that are not positive and finite; bounds without an area; a grid of a billion pixels or more a side.
pub fn grid_over(crs: Option<Crs>, bounds: &Bounds, resolution: (f64, f64)) -> Result<Grid> {
    let (dx, dy) = resolution;
    if !(dx > 0.0 && dy > 0.0 && dx.is_finite() && dy.is_finite()) {
        return Err(Error::argument(
            "resolution",
            "a positive pixel size",
            format!("{dx} × {dy}"),
        ));
    }
    if !(bounds.width() > 0.0 && bounds.height() > 0.0) {
        return Err(Error::argument(
            "bounds",
            "{ min_x, min_y, max_x, max_y } with min < max",
            bounds,
        ));
    }
    // Bounds that are whole pixels up to rounding must not gain a sliver of a row.
    let count = |length: f64, pixel: f64| ((length / pixel) - 1e-6).ceil().max(1.0);
    let (cols, rows) = (count(bounds.width(), dx), count(bounds.height(), dy));
    if cols > 1e9 || rows > 1e9 {
        return Err(Error::argument(
            "resolution",
            "coarse enough for a grid below a billion pixels a side",
            format!("{dx} × {dy}"),
        ));
    }
    Grid::new(
        crs,
        Affine::north_up(bounds.min_x, bounds.max_y, dx, dy),
        rows as usize,
        cols as usize,
    )
}

/// The grid that `reproject` makes: the image's area in the new CRS, with pixels that keep the diagonal's length
/// in pixels unless a resolution is given. Its corner is a multiple of the resolution, so that neighbours match. In longitude and
/// latitude it ends at the poles and goes around once at most.
///
/// # Errors
/// A grid without a CRS; an area of which nothing has an image in `crs`; what `grid_over` refuses.
pub fn reprojected_grid(grid: &Grid, crs: &Crs, resolution: Option<(f64, f64)>) -> Result<Grid> {
    let from = grid.crs()?;
    let bounds = transform_bounds(&grid.bounds(), from, crs)?;
    let turn = crs.turn();
    // Degrees of latitude from the equator to the poles, and whether the area goes all around.
    let pole = turn.map(|turn| turn / 4.0);
    let is_round = turn.is_some_and(|turn| bounds.width() > turn * (1.0 - 1e-9));
    let (dx, dy) = resolution.unwrap_or_else(|| {
        let pixels = (grid.rows as f64).hypot(grid.cols as f64);
        let size = bounds.width().hypot(bounds.height()) / pixels;
        // Whole pixels to the pole and around the globe.
        let size = match pole {
            Some(pole) if is_round => pole / (pole / size).round().max(1.0),
            _ => size,
        };
        (size, size)
    });
    let mut snapped = Bounds {
        min_x: (bounds.min_x / dx).floor() * dx,
        min_y: (bounds.min_y / dy).floor() * dy,
        max_x: (bounds.max_x / dx).ceil() * dx,
        max_y: (bounds.max_y / dy).ceil() * dy,
    };
    if let (Some(turn), Some(pole)) = (turn, pole) {
        // Beyond the poles there is nothing; of pixels that would reach beyond them none is made.
        let last = (pole / dy + 1e-9).floor() * dy;
        if last > 0.0 {
            snapped.min_y = snapped.min_y.max(-last);
            snapped.max_y = snapped.max_y.min(last);
        }
        if is_round {
            snapped.min_x = (bounds.min_x / dx + 1e-9).floor() * dx;
            snapped.max_x = snapped.min_x + ((turn / dx + 1e-9).floor() * dx).max(dx);
        }
    }
    grid_over(Some(crs.clone()), &snapped, (dx, dy))
}

/// The same area with other pixels.
///
/// # Errors
/// A rotated grid; what `grid_over` refuses.
pub fn resampled_grid(grid: &Grid, resolution: (f64, f64)) -> Result<Grid> {
    if !grid.transform.is_axis_aligned() {
        return Err(Error::message(format!(
            "a rotated image cannot be resampled in place; {}",
            Remedy::NorthUp
        )));
    }
    grid_over(grid.crs.clone(), &grid.bounds(), resolution)
}
