//! Values of an image at points.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::extent::Columns;
use super::resample::{Resampling, interpolate};
use super::{Pixels, Raster, Window};
use crate::error::{Error, Result};
use crate::work::{self, workers};

/// Points of one neighbourhood, this many pixels a side, are read together.
const NEIGHBOURHOOD: f64 = 64.0;

/// A point: its place in the list, its column and its row.
type Wanted = (usize, f64, f64);

/// Whether a place, in the raster's CRS, lies in its pixels, however its longitude is counted.
pub fn is_inside(raster: &Raster, columns: &Columns, (x, y): (f64, f64)) -> bool {
    let (col, row) = raster.grid.to_pixel(x, y);
    let inside = |v: f64, size: usize| v >= 0.0 && v < size as f64;
    inside(columns.inside(col), raster.grid.cols) && inside(row, raster.grid.rows)
}

/// As `sample` of each of many images, `points` of which are given by its position: image by image, on all cores.
///
/// # Errors
/// As `sample`.
pub fn sample_all<'a>(
    images: &[Raster],
    points: impl Fn(usize) -> &'a [(f64, f64)] + Sync,
    method: Resampling,
) -> Result<Vec<Vec<Vec<f64>>>> {
    let found: Vec<OnceLock<Vec<Vec<f64>>>> = images.iter().map(|_| OnceLock::new()).collect();
    workers::for_each(
        work::threads(),
        images.len(),
        || (),
        |(), i| {
            let values = sample(&images[i], points(i), method)?;
            found[i].get_or_init(|| values);
            Ok(())
        },
    )?;
    Ok(found.into_iter().filter_map(OnceLock::into_inner).collect())
}

/// Values of every band at map points (x, y) in the raster's CRS: one row per point, NaN where masked or outside; of complex bands
/// the magnitude. `nearest` takes the pixel that holds the point; `bilinear` and `cubic` interpolate between pixel centres as
/// `Warp` does, with the same rule for masked pixels.
///
/// # Errors
/// When the method is none of these.
pub fn sample(raster: &Raster, points: &[(f64, f64)], method: Resampling) -> Result<Vec<Vec<f64>>> {
    let reach = match method {
        Resampling::Nearest => 0,
        Resampling::Bilinear => 1,
        Resampling::Cubic => 2,
        other => {
            let expected = "\"nearest\", \"bilinear\" or \"cubic\" at a point";
            return Err(Error::argument(
                "resampling",
                expected,
                format!("\"{}\"", other.name()),
            ));
        }
    };
    let columns = Columns::new(&raster.grid);
    let mut out = vec![vec![f64::NAN; raster.bands.len()]; points.len()];
    let mut near: BTreeMap<(isize, isize), Vec<Wanted>> = BTreeMap::new();
    for (i, &point) in points.iter().enumerate() {
        if is_inside(raster, &columns, point) {
            let (col, row) = raster.grid.to_pixel(point.0, point.1);
            let col = columns.inside(col);
            let place = |v: f64| (v / NEIGHBOURHOOD).floor() as isize;
            near.entry((place(row), place(col)))
                .or_default()
                .push((i, col, row));
        }
    }
    let whole = raster.grid.window();
    for points in near.values() {
        let held = |&(_, col, row): &Wanted| Window::new(row.floor() as isize, col.floor() as isize, 1, 1);
        let wanted = points
            .iter()
            .map(held)
            .reduce(|a, b| a.hull(&b))
            .unwrap_or(Window::EMPTY)
            .grow(reach, reach);
        // Its columns beyond the seam are at the other end of the image.
        let beyond = columns.turned(&wanted).map(|w| w.intersect(&whole));
        let windows = [Some(wanted.intersect(&whole)), beyond];
        let mut parts = Vec::new();
        for window in windows.into_iter().flatten().filter(|w| !w.is_empty()) {
            let bands: Vec<_> = raster.read(window)?.into_iter().map(Pixels::into_f64).collect();
            parts.push((window, bands));
        }
        for &(i, col, row) in points {
            for band in 0..raster.bands.len() {
                let at = |r: isize, c: isize| -> f64 {
                    let Some(c) = columns.column(c) else {
                        return f64::NAN;
                    };
                    let pixel = Window::new(r, c, 1, 1);
                    parts
                        .iter()
                        .find(|(w, _)| w.contains(&pixel))
                        .map_or(f64::NAN, |(w, bands)| {
                            bands[band][((r - w.row) as usize, (c - w.col) as usize)]
                        })
                };
                out[i][band] = interpolate(method, (col, row), (1.0, 1.0), at);
            }
        }
    }
    Ok(out)
}
