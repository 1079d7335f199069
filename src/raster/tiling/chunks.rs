//! Tiles of cubes: whole chunks, so that none is decoded for two tiles.

use super::{SMALLEST_TILE, TILE, centre};
use crate::raster::Window;
use crate::raster::operation::Chunks;
use crate::raster::plan::Plan;
use crate::work;
use crate::work::budget;

/// Tiles for each thread, so that the last ones to end are not waited for too long.
const TILES_A_THREAD: usize = 2;

/// Rows and columns of the tiles of a plan that reads cubes: whole chunks, as wide as the image where they can be, that fit the memory with
/// the chunks that each thread has at a time; None where no cube is read. Where not even one chunk fits, the largest part of one that does.
pub fn tile(plan: &Plan, region: Window) -> Option<(usize, usize)> {
    let chunks = plan.chunks();
    let (grid, threads, memory) = (&plan.grid, work::threads(), budget::left());
    let side =
        |of: fn(&Chunks) -> usize, size: usize| chunks.iter().map(of).max().map(|side| side.clamp(1, size));
    let (chunk_rows, chunk_cols) = (side(|c| c.rows, grid.rows)?, side(|c| c.cols, grid.cols)?);
    // Step follows step, and array array: those of two at a time.
    let deepest = chunks
        .iter()
        .map(|c| c.bytes.div_ceil((c.rows * c.cols).max(1)))
        .max()
        .unwrap_or(0);
    let whole = |least: usize, chunk: usize, size: usize| {
        least
            .div_ceil(chunk)
            .max(1)
            .saturating_mul(chunk)
            .min(size.next_multiple_of(chunk))
    };
    let (mut rows, mut cols) = (
        whole(TILE, chunk_rows, grid.rows),
        whole(4 * TILE, chunk_cols, grid.cols),
    );
    let fits = |rows: usize, cols: usize, share: usize| {
        let held = rows
            .saturating_mul(cols)
            .saturating_mul(deepest)
            .saturating_mul(2);
        let pixels = plan.peak_bytes(centre(grid, (rows, cols)));
        threads.saturating_mul(pixels.saturating_add(held)) <= memory / share
    };
    let count = |rows: usize, cols: usize| region.rows.div_ceil(rows) * region.cols.div_ceil(cols);
    // A tile of few pixels is not worth being split.
    const FEW: usize = 64 * 64;
    loop {
        let too_few = count(rows, cols) < TILES_A_THREAD * threads && region.len() > FEW;
        if !too_few && fits(rows, cols, 2) {
            return Some((rows, cols));
        }
        if rows > chunk_rows {
            rows = whole(rows / 2, chunk_rows, grid.rows).min(rows - chunk_rows);
        } else if cols > chunk_cols {
            cols = whole(cols / 2, chunk_cols, grid.cols).min(cols - chunk_cols);
        } else {
            break;
        }
    }
    while !fits(rows, cols, 2) && rows.max(cols) > SMALLEST_TILE {
        match cols >= rows {
            true => cols = (cols / 2).max(SMALLEST_TILE),
            false => rows = (rows / 2).max(SMALLEST_TILE),
        }
    }
    Some((rows, cols))
}
