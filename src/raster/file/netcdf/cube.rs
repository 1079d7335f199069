//! Images of several times in a netCDF file that is being written, in chunks that hold several times.
//!
//! # Source
//! Rew, R. (2013): Chunking Data: Choosing Shapes. Unidata, for as many chunks along a series as over a map

use std::sync::{Mutex, PoisonError};

use super::file::{File, Handle};
use super::image::{CHUNK, Layer};
use super::{NetCdf, Storage};
use crate::error::{Error, Result};
use crate::raster::Grid;
use crate::raster::file::slabs::Slabs;

/// Bytes that netCDF's library keeps of chunks for a reader, less what is about them: where those of a tile are more, each is inflated again at every step.
const KEPT: usize = 12 << 20;
/// Rows and columns of such a tile, at most.
const TILE: (usize, usize) = (256, 1024);

/// Before the file that they belong to: fields are dropped in their order.
struct Open {
    layers: Vec<Layer>,
    file: File,
}

/// Writes all variables by whole chunks, and answers the file.
pub(super) fn fill(
    file: File,
    dimensions: &[Handle],
    contents: &NetCdf,
    grid: &Grid,
    times: usize,
) -> Result<File> {
    let widest = contents.variables.iter().map(|v| v.what.dtype.bytes()).max();
    let chunk = match (contents.chunks, contents.chunk_rows) {
        (Some(asked), _) => asked,
        (None, Some(rows)) => [1, rows, grid.cols],
        (None, None) => balanced(times, grid, CHUNK / widest.unwrap_or(8)),
    };
    let chunk = [
        chunk[0].clamp(1, times.max(1)),
        chunk[1].clamp(1, grid.rows),
        chunk[2].clamp(1, grid.cols),
    ];
    let bytes = chunk
        .iter()
        .product::<usize>()
        .saturating_mul(widest.unwrap_or(8));
    if u32::try_from(bytes).is_err() {
        return Err(Error::argument(
            "chunks",
            "chunks of less than 4 GiB, which are the largest that HDF5 has",
            format!("{chunk:?} (times, rows, columns)"),
        ));
    }
    let mapping = grid.crs.as_ref().map(|_| contents.header.mapping.as_str());
    let storage = Storage {
        depth: chunk[0],
        chunk: (chunk[1], chunk[2]),
        level: Some(contents.level),
    };
    let layers = contents
        .variables
        .iter()
        .map(|variable| file.layer(&variable.what, dimensions, mapping, storage));
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let path = file.path.clone();
    let open = Mutex::new(Open { layers, file });
    let slabs = Slabs::fitting(&path, chunk, grid, &contents.variables);
    slabs.each(&contents.variables, &|variable, steps, window, planes| {
        let bytes = planes
            .iter()
            .map(|plane| plane.bytes())
            .collect::<Vec<_>>()
            .concat();
        let name = &variable.what.name;
        let place = contents.variables.iter().position(|v| v.what.name == *name);
        let open = open.lock().unwrap_or_else(PoisonError::into_inner);
        match place.and_then(|place| open.layers.get(place)) {
            Some(layer) => open.file.put_steps(layer, steps, window, &bytes),
            None => Ok(()),
        }
    })?;
    let Open { layers, file } = open.into_inner().unwrap_or_else(PoisonError::into_inner);
    drop(layers);
    Ok(file)
}

/// Times, rows and columns of chunks of about so many elements, of which a map has as many as a series.
fn balanced(times: usize, grid: &Grid, elements: usize) -> [usize; 3] {
    let times = times.max(1);
    let area = (grid.rows as f64) * (grid.cols as f64);
    let depth = (times as f64 * elements as f64 / area).sqrt().round() as usize;
    let deepest = KEPT / (CHUNK / elements * grid.rows.min(TILE.0) * grid.cols.min(TILE.1)).max(1);
    let depth = depth.clamp(1, times.min(deepest.max(1)));
    let plane = (elements / depth).max(1);
    let side = plane.isqrt().max(1);
    let cols = side.max(plane / grid.rows).min(grid.cols);
    let rows = (plane / cols).clamp(1, grid.rows);
    // Of about one size, instead of a narrow one at the end.
    let even = |size: usize, part: usize| size.div_ceil(size.div_ceil(part));
    [even(times, depth), even(grid.rows, rows), even(grid.cols, cols)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Affine;

    #[test]
    fn chunks_cover_as_much_of_a_series_as_of_a_map() {
        for (times, rows, cols) in [
            (24, 1000, 1000),
            (24, 500, 500),
            (365, 500, 700),
            (1, 3000, 40),
            (4000, 160, 160),
            (3, 5, 7),
        ] {
            let grid = Grid::new(None, Affine::PIXELS, rows, cols).unwrap();
            let [depth, height, width] = balanced(times, &grid, 1 << 18);
            assert!(depth <= times && height <= rows && width <= cols);
            assert!(depth * height * width <= 1 << 19, "{depth} {height} {width}");
            let series = times.div_ceil(depth) as f64;
            let map = (rows.div_ceil(height) * cols.div_ceil(width)) as f64;
            if rows * cols <= TILE.0 * TILE.1 && depth < times {
                assert!(
                    (0.3..3.0).contains(&(series / map)),
                    "{series} and {map} of {times} × {rows} × {cols}"
                );
            }
        }
    }
}
