//! Rasters onto other grids: align, reproject, resample, and the grids that these make.

use std::sync::Arc;

use super::image::{Band, Raster, float_of};
use super::operation::Operation;
use super::reframe;
use super::warp::{Resampling, Warp};
use super::{Affine, Bounds, Crs, Grid, Port, Transformer, Window};
use crate::error::{Error, Result};

/// The raster on another grid. Where only whole pixels move, no value changes.
pub fn align(raster: &Raster, target: &Arc<Grid>, method: Resampling) -> Result<Raster> {
    if raster.grid.matches(target) {
        return Ok(raster.clone());
    }
    if let Some((rows, cols)) = whole_pixels(&raster.grid, target) {
        return Ok(reframe::moved(raster, target.clone(), rows, cols));
    }
    let warp: Arc<dyn Operation> = Arc::new(Warp::new(&raster.grid, target, method)?);
    let keeps_values = method.keeps_values();
    let one = |b: &Band| {
        let port = Port::tiles(target, warp.clone(), vec![b.port.clone()]).swap_remove(0);
        let dtype = if keeps_values {
            b.dtype
        } else {
            float_of(port.kind())
        };
        let nodata = b.nodata.filter(|_| keeps_values);
        Band {
            dtype,
            nodata,
            port,
            ..b.clone()
        }
    };
    Ok(raster.with_grid(target.clone(), raster.bands.iter().map(one).collect()))
}

/// Rows and columns by which `target` is displaced on the lattice of `source`, where both share one.
pub fn whole_pixels(source: &Grid, target: &Grid) -> Option<(isize, isize)> {
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
    (steady && near(cols, cols.round()) && near(rows, rows.round()))
        .then(|| (rows.round() as isize, cols.round() as isize))
}

/// Bounds of an area given in one CRS, in another: its edges are followed, since straight lines become curves.
pub fn transform_bounds(bounds: &Bounds, from: &Crs, to: &Crs) -> Result<Bounds> {
    if from == to {
        return Ok(*bounds);
    }
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    const STEPS: usize = 32;
    for i in 0..=STEPS {
        let t = i as f64 / STEPS as f64;
        let (x, y) = (
            bounds.min_x + bounds.width() * t,
            bounds.min_y + bounds.height() * t,
        );
        xs.extend([x, x, bounds.min_x, bounds.max_x, x]);
        ys.extend([
            bounds.min_y,
            bounds.max_y,
            y,
            y,
            bounds.min_y + bounds.height() / 2.0,
        ]);
    }
    Transformer::new(from, to)?.apply(&mut xs, &mut ys);
    let points = xs
        .into_iter()
        .zip(ys)
        .filter(|(x, y)| x.is_finite() && y.is_finite());
    Bounds::around(points).ok_or_else(|| {
        Error::argument(
            "bounds",
            format!("an area that {to} covers"),
            format!("{bounds} in {from}"),
        )
    })
}

/// A north-up grid over bounds. The upper left corner is kept; the lower right one grows to whole pixels.
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
/// in pixels unless a resolution is given. Its corner is a multiple of the resolution, so that neighbours match.
pub fn reprojected_grid(grid: &Grid, crs: &Crs, resolution: Option<(f64, f64)>) -> Result<Grid> {
    let from = grid
        .crs
        .as_ref()
        .ok_or_else(|| Error::message("the image has no CRS; give it one with `:set_crs(\"EPSG:…\")`"))?;
    let bounds = transform_bounds(&grid.bounds(), from, crs)?;
    let (dx, dy) = resolution.unwrap_or_else(|| {
        let pixels = (grid.rows as f64).hypot(grid.cols as f64);
        let size = bounds.width().hypot(bounds.height()) / pixels;
        (size, size)
    });
    let snapped = Bounds {
        min_x: (bounds.min_x / dx).floor() * dx,
        min_y: (bounds.min_y / dy).floor() * dy,
        max_x: (bounds.max_x / dx).ceil() * dx,
        max_y: (bounds.max_y / dy).ceil() * dy,
    };
    grid_over(Some(crs.clone()), &snapped, (dx, dy))
}

/// The same area with other pixels.
pub fn resampled_grid(grid: &Grid, resolution: (f64, f64)) -> Result<Grid> {
    if !grid.transform.is_axis_aligned() {
        return Err(Error::message(
            "a rotated image cannot be resampled in place; `:align(grid)` it to a north-up grid",
        ));
    }
    grid_over(grid.crs.clone(), &grid.bounds(), resolution)
}

/// The window of `target` that `source` touches: where a mosaic needs it.
pub fn footprint(source: &Grid, target: &Grid) -> Result<Window> {
    let bounds = match (&source.crs, &target.crs) {
        (Some(a), Some(b)) => transform_bounds(&source.bounds(), a, b)?,
        _ => source.bounds(),
    };
    let corners = [
        (bounds.min_x, bounds.min_y),
        (bounds.max_x, bounds.min_y),
        (bounds.min_x, bounds.max_y),
        (bounds.max_x, bounds.max_y),
    ];
    let Some(b) = Bounds::around(corners.map(|(x, y)| target.to_pixel(x, y))) else {
        return Ok(target.window());
    };
    // One pixel of slack for the edges' curvature between the points that were followed.
    let limit = |v: f64| v.clamp(-1e12, 1e12) as isize;
    let (row, col) = (limit(b.min_y.floor()) - 1, limit(b.min_x.floor()) - 1);
    let (row_end, col_end) = (limit(b.max_y.ceil()) + 1, limit(b.max_x.ceil()) + 1);
    let window = Window::new(
        row,
        col,
        (row_end - row).max(0) as usize,
        (col_end - col).max(0) as usize,
    );
    Ok(window.intersect(&target.window()))
}
