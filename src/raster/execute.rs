//! Runs plans: chooses tiles, shares them over threads, holds the memory ceiling, stops when asked.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use ndarray::{Array2, s};

use super::graph::{Port, Work};
use super::order::{Line, Order, Task};
use super::plan::Plan;
use super::{Grid, Pixels, Window};
use crate::bounds;
use crate::error::{Error, Result};
use crate::work::{Room, budget};
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
    sharing: Sharing,
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
        let (tile, sharing) = tiling(&plan, region)?;
        Ok(Run {
            plan,
            region,
            tile,
            sharing,
        })
    }

    /// The same run in tiles of another size. Speed and memory change, pixels must not.
    pub fn with_tile(self, rows: usize, cols: usize) -> Run {
        let tile = (rows.max(1), cols.max(1));
        let sharing = shared(&self.plan, self.region, tile).unwrap_or(Sharing::NONE);
        Run {
            tile,
            sharing,
            ..self
        }
    }

    pub fn tile(&self) -> (usize, usize) {
        self.tile
    }

    /// The tiles in their order. They are aligned to the grid, not to the region, so that files are read and written by whole
    /// blocks.
    fn order(&self) -> Order {
        let line = |first: isize, end: isize, tile: usize, group: usize| {
            let (first, end) = (first as usize / tile, (end as usize).div_ceil(tile));
            Line {
                tiles: end - first,
                group,
                before: first % group,
            }
        };
        let (region, (rows, cols), sharing) = (self.region, self.tile, self.sharing);
        Order {
            down: line(region.row, region.row_end(), rows, sharing.group.0),
            across: line(region.col, region.col_end(), cols, sharing.group.1),
            ahead: sharing.ahead,
        }
    }

    /// The window of tiles in these rows and columns of tiles.
    fn window_of(&self, rows: &Range<usize>, cols: &Range<usize>) -> Window {
        let (height, width) = (self.tile.0, self.tile.1);
        let first = |start: isize, tile: usize| start as usize / tile * tile;
        let (row, col) = (first(self.region.row, height), first(self.region.col, width));
        Window::new(
            (row + rows.start * height) as isize,
            (col + cols.start * width) as isize,
            rows.len() * height,
            cols.len() * width,
        )
        .intersect(&self.region)
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
        let done = self.tiles_in_parallel(wanted, &|index, window, pixels| {
            if let Some(pixels) = pixels {
                consume(index, window, pixels)?;
            }
            progress.advance(window.len() as u64);
            Ok(())
        });
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
        self.for_each_quietly(&|_, window, pixels| {
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
        self.tiles_in_parallel(&|_| true, &|index, window, pixels| match pixels {
            Some(pixels) => consume(index, window, pixels),
            None => Ok(()),
        })
    }

    /// Computes the tiles that are `wanted`; of the others there are no pixels.
    fn tiles_in_parallel(
        &self,
        wanted: &(dyn Fn(Window) -> bool + Sync),
        consume: &(dyn Fn(usize, Window, Option<Vec<Pixels>>) -> Result<()> + Sync),
    ) -> Result<()> {
        let order = self.order();
        let _room = (self.sharing.room > 0).then(|| Room::of(self.sharing.room));
        workers::for_each(
            work::threads(),
            order.tasks(),
            || (),
            |(), index| match order.task(index) {
                Task::Ahead { rows, cols, task } => {
                    let tiles = rows
                        .clone()
                        .flat_map(|row| cols.clone().map(move |col| (row, col)));
                    let mut windows =
                        tiles.map(|(row, col)| self.window_of(&(row..row + 1), &(col..col + 1)));
                    match windows.any(wanted) {
                        true => self.plan.decode(task, self.window_of(&rows, &cols)),
                        false => Ok(()),
                    }
                }
                Task::Tile { row, col } => {
                    let window = self.window_of(&(row..row + 1), &(col..col + 1));
                    let pixels = match wanted(window) {
                        true => Some(self.plan.compute(window)?),
                        false => None,
                    };
                    consume(row * order.across.tiles + col, window, pixels)
                }
            },
        )
    }
}

/// How the tiles of a run share what is decoded of files.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sharing {
    /// Rows and columns of tiles that are computed one after the other.
    group: (usize, usize),
    /// Sources whose blocks are decoded before the tiles of a group, on all threads.
    ahead: usize,
    /// Bytes of blocks that are kept meanwhile.
    room: usize,
}

impl Sharing {
    const NONE: Sharing = Sharing {
        group: (1, 1),
        ahead: 0,
        room: 0,
    };
}

/// How tiles of this size share blocks, where so many bytes are left beside them; not at all where no block is in two tiles.
///
/// # Errors
/// The bytes that would be needed, where there are fewer and smaller tiles could leave them.
fn sharing(
    plan: &Plan,
    region: Window,
    (rows, cols): (usize, usize),
    spare: usize,
) -> Result<Sharing, usize> {
    if region.rows <= rows && region.cols <= cols {
        return Ok(Sharing::NONE);
    }
    let grid = &plan.grid;
    let tiles = |size: usize, tile: usize, block: usize| block.min(size).div_ceil(tile).max(1);
    let group = plan.blocks().fold((1, 1), |(down, across), block| {
        (
            down.max(tiles(grid.rows, rows, block.0)),
            across.max(tiles(grid.cols, cols, block.1)),
        )
    });
    let (height, width) = (group.0 * rows, group.1 * cols);
    // A group in the middle of the region, and its neighbours.
    let at = |first: isize, size: usize, step: usize| (first as usize + size / 2) / step * step;
    let (row, col) = (
        at(region.row, region.rows, height),
        at(region.col, region.cols, width),
    );
    let around = |down: usize, across: usize| {
        let window = Window::new(
            (row + down * height) as isize,
            (col + across * width) as isize,
            height,
            width,
        );
        plan.decoded(window.intersect(&grid.window()))
    };
    let (own, below, right) = (around(0, 0), around(1, 0), around(0, 1));
    let bytes = |decoded: &[(Window, usize)]| {
        decoded
            .iter()
            .fold(0_usize, |sum, (_, bytes)| sum.saturating_add(*bytes))
    };
    let overlap = own
        .iter()
        .zip(below.iter().zip(&right))
        .any(|((own, _), ((below, _), (right, _)))| {
            !own.intersect(below).is_empty() || !own.intersect(right).is_empty()
        });
    match (overlap, group) {
        (false, (1, 1)) => Ok(Sharing::NONE),
        // Of two groups, so that threads can begin the next while others finish one; of one where there is no more.
        (false, _) => {
            let once = bytes(&own);
            let room = if once.saturating_mul(2) <= spare {
                once * 2
            } else {
                once
            };
            match room <= spare {
                true => Ok(Sharing {
                    group,
                    ahead: own.len(),
                    room,
                }),
                false => Err(room),
            }
        }
        // What a row of groups has decoded is wanted by the next one.
        (true, _) => {
            let line = Window::new(row as isize, region.col, height, region.cols);
            let line = bytes(&plan.decoded(line.intersect(&grid.window())));
            let ahead = bytes(&own).saturating_mul(work::threads().div_ceil(4));
            let room = line.saturating_add(ahead);
            match room <= spare {
                true => Ok(Sharing {
                    group,
                    ahead: 0,
                    room,
                }),
                // Smaller tiles read still more twice.
                false => Ok(Sharing::NONE),
            }
        }
    }
}

/// How tiles of this size share blocks.
///
/// # Errors
/// As `sharing`.
fn shared(plan: &Plan, region: Window, tile: (usize, usize)) -> Result<Sharing, usize> {
    let memory = budget::left();
    let needed = work::threads().saturating_mul(plan.peak_bytes(centre(&plan.grid, tile)));
    // An eighth for those who take the tiles.
    sharing(
        plan,
        region,
        tile,
        memory.saturating_sub(needed).saturating_sub(memory / 8),
    )
}

/// The tiles of a run and how they share blocks: somewhat smaller ones than fit, where that makes room for blocks that would be
/// decoded again and again.
fn tiling(plan: &Plan, region: Window) -> Result<((usize, usize), Sharing)> {
    let tile = largest_tile(plan, region)?;
    let mut smaller = tile;
    for _ in 0..3 {
        if let Ok(sharing) = shared(plan, region, smaller) {
            return Ok((smaller, sharing));
        }
        smaller = (
            (smaller.0 / 2).max(SMALLEST_TILE),
            (smaller.1 / 2).max(SMALLEST_TILE).next_multiple_of(16),
        );
    }
    Ok((tile, Sharing::NONE))
}

/// Rows and columns of the tiles of a run.
pub(super) fn tile_size(plan: &Plan, region: Window) -> Result<(usize, usize)> {
    tiling(plan, region).map(|(tile, _)| tile)
}

/// A tile in the middle of a grid.
fn centre(grid: &Grid, (rows, cols): (usize, usize)) -> Window {
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
}

/// Rows and columns of a tile: whole blocks of the files, within the memory ceiling, enough tiles for every core.
fn largest_tile(plan: &Plan, region: Window) -> Result<(usize, usize)> {
    let (grid, threads, mut memory) = (&plan.grid, work::threads(), budget::left());
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
    let count = |rows: usize, cols: usize| region.rows.div_ceil(rows) * region.cols.div_ceil(cols);
    loop {
        let needed = threads.saturating_mul(plan.peak_bytes(centre(grid, (rows, cols))));
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
            // Results that are kept can be read from scratch.
            if budget::give_way() {
                memory = budget::left();
                continue;
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
