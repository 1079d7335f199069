//! The part of an image in an area.

use std::sync::Arc;

use super::align::align;
use super::extent::turns;
use super::image::Raster;
use super::reframe::crop;
use super::warp::Resampling;
use super::{Bounds, Window};
use crate::error::{Error, Result};

/// Bounds written with rounded coordinates must not drag in a row of pixels by a hair.
const HAIR: f64 = 1e-6;

/// The pixels that bounds (in the raster's CRS) touch. Longitudes may be counted otherwise than the image counts them; an area
/// across the image's own seam gives an image on the area's longitudes.
///
/// # Errors
/// When the bounds do not overlap the image.
pub fn clip(raster: &Raster, bounds: &Bounds) -> Result<Raster> {
    let grid = &raster.grid;
    let no_overlap = || {
        Error::argument(
            "bounds",
            format!("an area that overlaps the image ({})", grid.bounds()),
            bounds,
        )
    };
    let corners = [
        (bounds.min_x, bounds.min_y),
        (bounds.max_x, bounds.min_y),
        (bounds.min_x, bounds.max_y),
        (bounds.max_x, bounds.max_y),
    ];
    let pixels = Bounds::around(corners.map(|(x, y)| grid.to_pixel(x, y))).ok_or_else(no_overlap)?;
    let (rows, cols) = (grid.rows as f64, grid.cols as f64);
    let within = |low: f64, high: f64, size: f64| {
        let (first, end) = ((low + HAIR).floor().max(0.0), (high - HAIR).ceil().min(size));
        (first < end).then_some((first, end))
    };
    let (row, row_end) = within(pixels.min_y, pixels.max_y, rows).ok_or_else(no_overlap)?;
    // The columns of each count of longitudes in which the area meets the image, and where that count begins.
    let pieces: Vec<(f64, (f64, f64))> = turns(grid.turn())
        .filter_map(|offset| {
            within(pixels.min_x + offset, pixels.max_x + offset, cols).map(|piece| (offset, piece))
        })
        .collect();
    let window = |col: f64, col_end: f64| {
        Window::new(
            row as isize,
            col as isize,
            (row_end - row) as usize,
            (col_end - col) as usize,
        )
    };
    let whole = pieces.iter().find(|(_, piece)| *piece == (0.0, cols));
    match (pieces.as_slice(), whole) {
        ([], _) => Err(no_overlap()),
        (_, Some((_, (col, col_end)))) | ([(_, (col, col_end))], None) => {
            crop(raster, window(*col, *col_end))
        }
        _ => {
            let low = pieces
                .iter()
                .map(|(o, p)| p.0 - o)
                .fold(f64::MAX, f64::min)
                .floor();
            let high = pieces
                .iter()
                .map(|(o, p)| p.1 - o)
                .fold(f64::MIN, f64::max)
                .ceil();
            let turn = grid.turn().map_or(cols, f64::round);
            let target = Arc::new(grid.subgrid(&window(low, high.min(low + turn))));
            align(raster, &target, Resampling::Nearest)
        }
    }
}
