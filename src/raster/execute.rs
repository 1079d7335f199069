//! Runs plans: chooses tiles, shares them over threads, holds the memory ceiling, stops when asked.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use ndarray::s;

use super::graph::{Port, Work};
use super::order::{Groups, Line, Order, Task};
use super::plan::Plan;
use super::tiling::{self, Sharing, shared, tiling};
use super::{Grid, Pixels, Window};
use crate::bounds;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::work::{Room, budget};
use crate::{work, work::workers};

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
        let plan = Plan::new(grid, roots);
        match work::rehearsal() {
            None => Run::ready(plan, region),
            Some(rehearsal) => {
                let name = name_of(&plan);
                if plan.reads_remote() {
                    return Err(rehearsal.wants(name));
                }
                let ready = rehearsal.allow(|| Run::ready(plan, region))?;
                ready.ok_or_else(|| rehearsal.wants(name))
            }
        }
    }

    fn ready(mut plan: Plan, region: Window) -> Result<Run> {
        for (node, wanted) in plan.unprepared(region) {
            if let Work::Lattice(lattice) = &node.work {
                let kept = lattice.prepare(&node.inputs, wanted)?;
                plan.keep(&node, &kept);
            }
            if let Work::Whole(whole) = &node.work {
                whole.prepare(&node.inputs)?;
            }
            if let Work::Tiles(operation) = &node.work {
                operation.prepare(&node.inputs)?;
            }
            if let Work::Scene(scene) = &node.work {
                let input = node.inputs[0].clone();
                let (rows, cols) = (input.node.grid.rows, input.node.grid.cols);
                let strip_rows = (budget::left() / 16 / (4 * cols))
                    .clamp(1, tiling::TILE)
                    .min(rows);
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
        let sharing = shared(&self.plan, self.region, tile).unwrap_or_else(|spilled| spilled);
        Run {
            tile,
            sharing,
            ..self
        }
    }

    pub fn tile(&self) -> (usize, usize) {
        self.tile
    }

    /// The most rows of the tiles that are computed in one go: all of them come before the first of those below.
    pub(super) fn rows_at_once(&self) -> usize {
        self.tile.0 * self.sharing.group.0
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
    ///
    /// # Errors
    /// What an operation or reading a file fails with; those of `consume`; `Interrupted`.
    pub fn for_each(&self, label: &str, consume: &Consume<'_>) -> Result<()> {
        self.for_each_where(label, &|_| true, consume)
    }

    /// As `for_each`, of the tiles that are `wanted` alone.
    ///
    /// # Errors
    /// As `for_each`.
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
    ///
    /// # Errors
    /// What an operation or reading a file fails with; `Interrupted`.
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
    ///
    /// # Errors
    /// As `for_each`.
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
        match work::rehearsal() {
            None => self.all_tiles(wanted, consume),
            Some(rehearsal) => {
                let done = rehearsal.allow(|| self.all_tiles(wanted, consume))?;
                done.ok_or_else(|| rehearsal.wants(name_of(&self.plan)))
            }
        }
    }

    fn all_tiles(
        &self,
        wanted: &(dyn Fn(Window) -> bool + Sync),
        consume: &(dyn Fn(usize, Window, Option<Vec<Pixels>>) -> Result<()> + Sync),
    ) -> Result<()> {
        let order = self.order();
        let _room = self
            .sharing
            .has_room()
            .then(|| Room::of(self.sharing.room, self.sharing.scratch));
        let groups = Groups::new(self.sharing.at_once, self.sharing.ahead);
        let tile_at = |row: usize, col: usize| self.window_of(&(row..row + 1), &(col..col + 1));
        workers::for_each(
            work::threads(),
            order.tasks(),
            || (),
            |(), index| {
                let (group, task) = order.task(index);
                let window = self.window_of(&group.rows, &group.cols);
                let last = || {
                    if self.sharing.ahead > 0 {
                        self.plan.forget(window);
                    }
                };
                let _done = groups.task(&group, &last);
                groups.wait(&group)?;
                match task {
                    Task::Ahead(source) => {
                        let cols = || group.cols.clone();
                        let mut tiles = group
                            .rows
                            .clone()
                            .flat_map(|row| cols().map(move |col| (row, col)));
                        match tiles.any(|(row, col)| wanted(tile_at(row, col))) {
                            true => self.plan.decode(source, window),
                            false => Ok(()),
                        }
                    }
                    Task::Tile { row, col } => {
                        let window = tile_at(row, col);
                        let pixels = match wanted(window) {
                            true => Some(self.plan.compute(window)?),
                            false => None,
                        };
                        consume(row * order.across.tiles + col, window, pixels)
                    }
                }
            },
        )
    }
}

/// What a dry run says that it wants where it gets no further.
fn name_of(plan: &Plan) -> String {
    let names = plan.root_names();
    format!(
        "the pixels of {}",
        names.first().map_or("an image", String::as_str)
    )
}

/// One array per root over a region; an error if they do not fit the memory ceiling.
///
/// # Errors
/// Arrays that do not fit the memory ceiling; what `Run::prepare` and `Run::collect_quietly` fail with.
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
    match few(grid, roots, region)? {
        Some(pixels) => Ok(pixels),
        None => Run::prepare(grid, roots, region)?.collect_quietly(),
    }
}

/// Some pixels of sources alone, for which a plan would take longer than reading them.
fn few(grid: &Arc<Grid>, roots: &[Port], region: Window) -> Result<Option<Vec<Pixels>>> {
    const FEW: usize = 64;
    if region.is_empty() || region.len() > FEW || work::rehearsal().is_some() {
        return Ok(None);
    }
    let mut read = Vec::with_capacity(roots.len());
    for port in roots {
        match &port.node.work {
            Work::Tiles(operation)
                if port.node.inputs.is_empty()
                    && port.output == 0
                    && operation.chunks().is_some()
                    && port.node.grid.as_ref() == grid.as_ref() =>
            {
                read.extend(operation.compute(region, &[])?.into_iter().take(1));
            }
            _ => return Ok(None),
        }
    }
    interrupt::check()?;
    Ok(Some(read))
}
