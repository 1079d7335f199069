//! Runs plans: chooses tiles, shares them over threads, holds the memory ceiling, stops when asked.

use std::sync::Arc;
use std::sync::Mutex;

use ndarray::{Array2, s};

use super::graph::{Port, Work};
use super::plan::Plan;
use super::{Grid, Pixels, Window};
use crate::bounds;
use crate::error::{Error, Result};
use crate::work::budget;
use crate::{work, work::workers};

/// Side of a usual tile: three f32 arrays of it fit a second-level cache of 2 MiB with its halo to spare.
const TILE: usize = 512;
const SMALLEST_TILE: usize = 16;
/// As many files stay open between tiles: enough for a long stack on many threads, far below the usual limit of 1024.
pub const KEPT_OPEN: usize = 192;

/// Called with the index of a tile, its window, and one array per root; from many threads, in no order.
pub type Consume<'a> = dyn Fn(usize, Window, Vec<Pixels>) -> Result<()> + Sync + 'a;

/// A run over a window of a grid.
pub struct Run {
    plan: Plan,
    region: Window,
    tile: (usize, usize),
}

impl Run {
    /// Ready to compute `roots`, all of which lie on `grid`, over `region`: what must be known before the first tile, such as the results of
    /// operations on whole scenes, is computed here and now. Graphs and plans compute nothing by themselves.
    ///
    /// # Errors
    /// A region outside the grid; what goes wrong with those operations; a memory that the smallest tile does not fit.
    pub fn prepare(grid: &Arc<Grid>, roots: &[Port], region: Window) -> Result<Run> {
        let region = region.intersect(&grid.window());
        if region.is_empty() {
            return Err(Error::argument(
                "window",
                format!("a window that overlaps the image ({grid})"),
                "an empty one",
            ));
        }
        if let Some(rehearsal) = work::rehearsal() {
            let names: Vec<String> = roots.iter().map(|port| port.node.name()).take(1).collect();
            return Err(rehearsal.wants(format!("the pixels of {}", names.join(", "))));
        }
        let plan = Plan::new(grid, roots);
        for node in plan.unprepared() {
            if let Work::Whole(whole) = &node.work {
                whole.prepare(&node.inputs)?;
            }
            if let Work::Tiles(operation) = &node.work {
                operation.prepare(&node.inputs)?;
            }
            if let Work::Scene(scene) = &node.work {
                let input = node.inputs[0].clone();
                let (rows, cols) = (input.node.grid.rows, input.node.grid.cols);
                let strip_rows = (budget::left() / 16 / (4 * cols)).clamp(1, TILE).min(rows);
                let mut strip = |window: Window| {
                    let strip = Run::prepare(&input.node.grid, std::slice::from_ref(&input), window)?;
                    Ok(strip.collect_quietly()?.swap_remove(0).into_f32())
                };
                scene.prepare((rows, cols), strip_rows, &mut strip)?;
            }
        }
        let tile = tile_size(&plan, region)?;
        Ok(Run { plan, region, tile })
    }

    /// The same run in tiles of another size. Speed and memory change, pixels must not.
    pub fn with_tile(self, rows: usize, cols: usize) -> Run {
        Run {
            tile: (rows.max(1), cols.max(1)),
            ..self
        }
    }

    pub fn tile(&self) -> (usize, usize) {
        self.tile
    }

    /// How many tiles there are, in rows and columns of tiles. They are counted, never listed: an image may have 2⁵⁰ of them.
    fn tile_counts(&self) -> (usize, usize) {
        let count = |first: isize, end: isize, size: usize| ((end - first) as usize).div_ceil(size);
        let (row, col) = self.first_tile();
        (
            count(row, self.region.row_end(), self.tile.0),
            count(col, self.region.col_end(), self.tile.1),
        )
    }

    /// Where the first tile would begin: tiles are aligned to the grid, not to the region, so that files are read and written by
    /// whole blocks.
    fn first_tile(&self) -> (isize, isize) {
        let ((rows, cols), region) = (self.tile, self.region);
        (
            region.row - region.row.rem_euclid(rows as isize),
            region.col - region.col.rem_euclid(cols as isize),
        )
    }

    /// The window of a tile, counted row by row.
    fn tile_at(&self, index: usize) -> Window {
        let ((rows, cols), (row, col)) = (self.tile, self.first_tile());
        let across = self.tile_counts().1;
        let (row, col) = (
            row + (index / across * rows) as isize,
            col + (index % across * cols) as isize,
        );
        Window::new(row, col, rows, cols).intersect(&self.region)
    }

    /// Computes every tile and hands it on, with progress under `label`.
    pub fn for_each(&self, label: &str, consume: &Consume<'_>) -> Result<()> {
        self.for_each_where(label, &|_| true, consume)
    }

    /// As `for_each`, of the tiles that are `wanted` alone.
    pub fn for_each_where(
        &self,
        label: &str,
        wanted: &(dyn Fn(Window) -> bool + Sync),
        consume: &Consume<'_>,
    ) -> Result<()> {
        let progress = work::progress();
        progress.start(self.region.len() as u64, label);
        let (down, across) = self.tile_counts();
        let done = workers::for_each(
            work::threads(),
            down * across,
            || (),
            |(), index| {
                let window = self.tile_at(index);
                if wanted(window) {
                    consume(index, window, self.plan.compute(window)?)?;
                }
                progress.advance(window.len() as u64);
                Ok(())
            },
        );
        progress.finish();
        done
    }

    /// The whole region as one array per root, without a word of progress.
    pub fn collect_quietly(&self) -> Result<Vec<Pixels>> {
        let (rows, cols) = (self.region.rows, self.region.cols);
        let kinds: Vec<_> = self.plan.root_kinds().collect();
        let out = Mutex::new(
            kinds
                .iter()
                .map(|&kind| Pixels::masked(kind, rows, cols))
                .collect::<Vec<_>>(),
        );
        self.tiles_in_parallel(&|_, window, pixels| {
            let (r, c) = (
                (window.row - self.region.row) as usize,
                (window.col - self.region.col) as usize,
            );
            let part = s![r..r + window.rows, c..c + window.cols];
            let mut out = out.lock().unwrap_or_else(|e| e.into_inner());
            for (whole, tile) in out.iter_mut().zip(pixels) {
                match (whole, tile) {
                    (Pixels::I128(a), tile) => a.slice_mut(part).assign(&tile.into_i128()),
                    (Pixels::F32(a), tile) => a.slice_mut(part).assign(&tile.into_f32()),
                    (Pixels::F64(a), tile) => a.slice_mut(part).assign(&tile.into_f64()),
                    (Pixels::C32(a), tile) => a.slice_mut(part).assign(&tile.into_c32()),
                }
            }
            Ok(())
        })?;
        Ok(out.into_inner().unwrap_or_else(|e| e.into_inner()))
    }

    /// As `for_each`, without a word of progress.
    pub fn for_each_quietly(&self, consume: &Consume<'_>) -> Result<()> {
        self.tiles_in_parallel(consume)
    }

    fn tiles_in_parallel(&self, consume: &Consume<'_>) -> Result<()> {
        let (down, across) = self.tile_counts();
        let tiles = down * across;
        workers::for_each(
            work::threads(),
            tiles,
            || (),
            |(), index| {
                let window = self.tile_at(index);
                consume(index, window, self.plan.compute(window)?)
            },
        )
    }
}

/// Rows and columns of a tile: whole blocks of the files, within the memory ceiling, enough tiles for every core.
pub(super) fn tile_size(plan: &Plan, region: Window) -> Result<(usize, usize)> {
    let (grid, threads, memory) = (&plan.grid, work::threads(), budget::left());
    let (mut rows, mut cols) = (TILE, TILE);
    // Each tile opens its files again, and decodes their blocks again.
    let reopened = plan.blocks().count() > KEPT_OPEN;
    for (block_rows, block_cols) in plan.blocks() {
        if block_cols >= grid.cols && block_rows < TILE / 2 && grid.cols > TILE {
            // Files in strips are read by whole strips, so that none is decoded twice.
            cols = grid.cols;
            rows = (TILE * TILE / cols)
                .max(SMALLEST_TILE)
                .next_multiple_of(block_rows);
        } else if block_cols < grid.cols && cols < grid.cols {
            rows = rows.max(block_rows.min(4 * TILE));
            cols = cols.max(block_cols.min(4 * TILE));
        }
    }
    if let Some(largest) = plan.largest_tile() {
        (rows, cols) = (rows.min(largest.0), cols.min(largest.1));
    }
    let centre = |rows: usize, cols: usize| {
        let (row, col) = (
            grid.rows.saturating_sub(rows) / 2,
            grid.cols.saturating_sub(cols) / 2,
        );
        Window::new(
            row as isize,
            col as isize,
            rows.min(grid.rows),
            cols.min(grid.cols),
        )
    };
    let count = |rows: usize, cols: usize| region.rows.div_ceil(rows) * region.cols.div_ceil(cols);
    loop {
        let needed = threads.saturating_mul(plan.peak_bytes(centre(rows, cols)));
        let too_few = !reopened
            && count(rows, cols) < 2 * threads
            && rows.min(cols) > TILE / 4
            && region.len() > TILE * TILE / 4;
        if needed <= memory / 2 && !too_few {
            return Ok((rows, cols));
        }
        if rows <= SMALLEST_TILE && cols <= SMALLEST_TILE {
            if needed <= memory {
                return Ok((rows, cols));
            }
            return Err(Error::Memory {
                what: "the smallest tile of this computation".into(),
                needed_mib: (needed >> 20) as u64 + 1,
                limit_mib: (work::memory() >> 20) as u64,
                way_out: "raise the limit with --memory, use fewer --threads, or smaller neighbourhoods"
                    .into(),
            });
        }
        if cols >= rows && cols > SMALLEST_TILE {
            cols = (cols / 2).max(SMALLEST_TILE).next_multiple_of(16)
        } else {
            rows = (rows / 2).max(SMALLEST_TILE)
        }
    }
}

/// One array per root over a region; an error if they do not fit the memory ceiling.
pub fn read(grid: &Arc<Grid>, roots: &[Port], region: Window) -> Result<Vec<Pixels>> {
    let region = region.intersect(&grid.window());
    bounds::fits(
        format!(
            "an array of {} × {} × {} (bands × rows × cols)",
            roots.len(),
            region.rows,
            region.cols
        ),
        region.len(),
        roots.iter().map(|p| p.kind().bytes()).sum(),
        "read a window, resample to a coarser grid first",
    )?;
    Run::prepare(grid, roots, region)?.collect_quietly()
}

/// As `read`, for one band, as f32.
pub fn read_f32(port: &Port, region: Window) -> Result<Array2<f32>> {
    Ok(read(&port.node.grid, std::slice::from_ref(port), region)?
        .swap_remove(0)
        .into_f32())
}
