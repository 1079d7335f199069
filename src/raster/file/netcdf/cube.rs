//! Images of several times in a netCDF file that is being written, in chunks that hold several times.
//!
//! # Source
//! Rew, R. (2013): Chunking Data: Choosing Shapes. Unidata, for as many chunks along a series as over a map

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::code::Stored;
use super::file::{File, Handle};
use super::image::CHUNK;
use super::{NetCdf, Storage};
use crate::error::{Error, Result};
use crate::raster::file::blocks::{Encoder, Packed, Place, unwritten};
use crate::raster::file::slabs::Slabs;
use crate::raster::{Grid, Window};

/// Bytes that netCDF's library keeps of chunks for a reader, less what is about them: where those of a tile are more, each is inflated again at every step.
const KEPT: usize = 12 << 20;
/// Rows and columns of such a tile, at most.
const TILE: (usize, usize) = (256, 1024);

/// Chunks of a variable that have come, in the order of the file.
struct Waiting {
    encoder: Encoder,
    places: Mutex<Vec<Place>>,
}

/// Writes all variables by whole chunks, and answers the file. They are compressed on the threads that compute them.
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
    let size = [times.max(1), grid.rows, grid.cols];
    let chunk = [0, 1, 2].map(|axis| chunk[axis].clamp(1, size[axis]));
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
    for variable in &contents.variables {
        file.layer(&variable.what, dimensions, mapping, storage)?;
    }
    let chunks = Chunks { size, chunk };
    let failed = |e| unwritten(&file.path, &e);
    let packed =
        Packed::new(tempfile::tempfile_in(file.draft.parent().unwrap_or(Path::new("."))).map_err(failed)?);
    let waiting = contents.variables.iter().map(|variable| {
        let what = &variable.what;
        let (codec, predictor) = file.encoding(&what.name, contents.level)?;
        Ok(Waiting {
            encoder: Encoder::new(codec, predictor, what.dtype.bytes(), 1, 1),
            places: Mutex::new(vec![Place { start: 0, bytes: 0 }; chunks.count()]),
        })
    });
    let waiting = waiting.collect::<io::Result<Vec<Waiting>>>().map_err(failed)?;
    let slabs = Slabs::fitting(&file.path, chunk, grid, &contents.variables);
    slabs.each(&contents.variables, &|variable, steps, window, planes| {
        let name = &variable.what.name;
        let place = contents.variables.iter().position(|v| v.what.name == *name);
        match place.and_then(|place| waiting.get(place)) {
            Some(waiting) => waiting
                .take(&chunks, steps.start, window, &planes, &packed)
                .map_err(failed),
            None => Ok(()),
        }
    })?;
    for (variable, waiting) in contents.variables.iter().zip(&waiting) {
        let places = waiting
            .places
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let all = places
            .into_iter()
            .enumerate()
            .map(|(i, place)| (chunks.start(i), place));
        file.put_chunks(&variable.what.name, true, &packed, all)?;
    }
    Ok(file)
}

/// How times, rows and columns are cut.
struct Chunks {
    size: [usize; 3],
    chunk: [usize; 3],
}

impl Chunks {
    /// How many there are along each axis.
    fn counts(&self) -> [usize; 3] {
        [0, 1, 2].map(|axis| self.size[axis].div_ceil(self.chunk[axis]))
    }

    fn count(&self) -> usize {
        self.counts().iter().product()
    }

    fn number(&self, start: [usize; 3]) -> usize {
        let counts = self.counts();
        (0..3).fold(0, |all, axis| all * counts[axis] + start[axis] / self.chunk[axis])
    }

    fn start(&self, number: usize) -> [usize; 3] {
        let [_, down, across] = self.counts();
        let at = [number / across / down, number / across % down, number % across];
        [0, 1, 2].map(|axis| at[axis] * self.chunk[axis])
    }
}

impl Waiting {
    /// Takes a window of whole chunks, plane after plane of all times of a chunk.
    fn take(
        &self,
        chunks: &Chunks,
        first: usize,
        window: Window,
        planes: &[Stored],
        packed: &Packed,
    ) -> io::Result<()> {
        let [depth, rows, cols] = chunks.chunk;
        let width = planes
            .first()
            .map_or(0, |plane| plane.bytes().len() / window.len().max(1));
        let (mut block, mut out) = (Vec::new(), Vec::new());
        for top in (0..window.rows).step_by(rows) {
            for left in (0..window.cols).step_by(cols) {
                // What is beyond the image, or the last time, stays 0.
                block.clear();
                block.resize(depth * rows * cols * width, 0);
                let part = cols.min(window.cols - left) * width;
                for (plane, lines) in planes.iter().zip(block.chunks_exact_mut(rows * cols * width)) {
                    let from = plane.bytes().chunks_exact(window.cols * width).skip(top);
                    for (line, from) in lines.chunks_exact_mut(cols * width).zip(from) {
                        line[..part].copy_from_slice(&from[left * width..][..part]);
                    }
                }
                let encoded = self
                    .encoder
                    .encode_whole(&mut block, &mut out)
                    .map_err(io::Error::other)?;
                let place = packed.add(encoded)?;
                let start = [first, window.row as usize + top, window.col as usize + left];
                self.places.lock().unwrap_or_else(PoisonError::into_inner)[chunks.number(start)] = place;
            }
        }
        Ok(())
    }
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
