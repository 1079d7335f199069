//! How large the tiles of a run are, and how they share what is decoded of files.

mod chunks;

use super::plan::Plan;
use super::store::has_scratch;
use super::{Grid, Window};
use crate::error::{Error, Result};
use crate::work;
use crate::work::budget;

/// Side of a usual tile: three f32 arrays of it fit a second-level cache of 2 MiB with its halo to spare.
pub(super) const TILE: usize = 512;
const SMALLEST_TILE: usize = 16;
/// As many files stay open between tiles: enough for a long stack on many threads, far below the usual limit of 1024.
pub const KEPT_OPEN: usize = 192;

/// How the tiles of a run share what is decoded of files.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sharing {
    /// Rows and columns of tiles that are computed one after the other.
    pub group: (usize, usize),
    /// Sources whose blocks are decoded before the tiles of a group, on all threads.
    pub ahead: usize,
    /// Groups that are worked on at a time.
    pub at_once: usize,
    /// Bytes of blocks that are kept meanwhile, in memory and in scratch.
    pub room: usize,
    pub scratch: usize,
}

impl Sharing {
    pub const NONE: Sharing = Sharing {
        group: (1, 1),
        ahead: 0,
        at_once: usize::MAX,
        room: 0,
        scratch: 0,
    };

    pub fn has_room(&self) -> bool {
        self.room > 0 || self.scratch > 0
    }

    /// The same with what is more than `spare` in scratch; none where that has no room for it either.
    fn spilled(self, spare: usize) -> Sharing {
        let room = self.room.min(spare);
        let scratch = self.room - room;
        match scratch == 0 || has_scratch(scratch) {
            true => Sharing {
                room,
                scratch,
                ..self
            },
            false => Sharing::NONE,
        }
    }
}

/// How tiles of this size share blocks, where so many bytes are left beside them; not at all where no block is in two tiles.
///
/// # Errors
/// How they share them with a part of the blocks in scratch, where fewer bytes are left and smaller tiles could leave them.
fn sharing(
    plan: &Plan,
    region: Window,
    (rows, cols): (usize, usize),
    spare: usize,
) -> Result<Sharing, Sharing> {
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
            let at_once = if once.saturating_mul(2) <= spare { 2 } else { 1 };
            let sharing = Sharing {
                group,
                ahead: own.len(),
                at_once,
                room: once.saturating_mul(at_once),
                scratch: 0,
            };
            match once <= spare {
                true => Ok(sharing),
                false => Err(sharing.spilled(spare)),
            }
        }
        // What a row of groups has decoded is wanted by the next one.
        (true, _) => {
            let line = Window::new(row as isize, region.col, height, region.cols);
            let line = bytes(&plan.decoded(line.intersect(&grid.window())));
            let ahead = bytes(&own).saturating_mul(work::threads().div_ceil(4));
            let sharing = Sharing {
                group,
                ahead: 0,
                at_once: usize::MAX,
                room: line.saturating_add(ahead),
                scratch: 0,
            };
            // Smaller tiles would read still more twice.
            Ok(sharing.spilled(spare))
        }
    }
}

/// How tiles of this size share blocks.
///
/// # Errors
/// As `sharing`.
pub(super) fn shared(plan: &Plan, region: Window, tile: (usize, usize)) -> Result<Sharing, Sharing> {
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
pub(super) fn tiling(plan: &Plan, region: Window) -> Result<((usize, usize), Sharing)> {
    let tile = largest_tile(plan, region)?;
    let (mut smaller, mut spilled) = (tile, None);
    for _ in 0..3 {
        match shared(plan, region, smaller) {
            Ok(sharing) => return Ok((smaller, sharing)),
            Err(sharing) => spilled = spilled.or(Some(sharing)),
        }
        smaller = (
            (smaller.0 / 2).max(SMALLEST_TILE),
            (smaller.1 / 2).max(SMALLEST_TILE).next_multiple_of(16),
        );
    }
    Ok((tile, spilled.unwrap_or(Sharing::NONE)))
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
    let of_chunks = chunks::tile(plan, region);
    let (mut rows, mut cols) = of_chunks.unwrap_or((TILE, TILE));
    // Each tile opens its files again, and decodes their blocks again.
    let reopened = plan.blocks().count() > KEPT_OPEN || of_chunks.is_some();
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
