//! What computing an image will take, from its graph alone: files and bytes, tiles, memory; and, where one tile may be tried, time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::execute::Run;
use super::graph::{Node, Port, Work};
use super::operation::ReadFile;
use super::plan::Plan;
use super::tiling::tiling;
use super::{Grid, Raster, Window};
use crate::error::Result;
use crate::work;

/// A file that is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub path: String,
    /// Bytes of the file; None where nobody says.
    pub size: Option<u64>,
    /// Share of its pixels that is wanted, over all of its bands that are.
    pub share: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    pub files: Vec<Reading>,
    /// (rows, cols)
    pub tile: (usize, usize),
    pub tiles: usize,
    pub threads: usize,
    /// Bytes of pixels at the worst moment of the tiles.
    pub memory: usize,
    /// Bytes of the result in its own types, before compression.
    pub result: u64,
    /// What is computed once, of whole images, before the tiles.
    pub before: Vec<String>,
    /// Of all tiles, by one that was tried; None where none was, or something comes before.
    pub seconds: Option<f64>,
}

/// Looks at the graph. With `measure` one tile in the middle is computed, twice, and the second time counts.
///
/// # Errors
/// When not even the smallest tile fits the memory, or the tile cannot be computed.
pub fn forecast(raster: &Raster, measure: bool) -> Result<Forecast> {
    let (grid, ports) = (&raster.grid, raster.ports());
    let plan = Plan::new(grid, &ports);
    let unprepared: Vec<Arc<Node>> = plan
        .unprepared(grid.window())
        .into_iter()
        .map(|(node, _)| node)
        .collect();
    let mut read: BTreeMap<String, (ReadFile, Vec<f64>)> = BTreeMap::new();
    let mut add = |plan: &Plan, region: Window| {
        for (node, window) in plan.sources(region) {
            let Some(file) = source_of(&node) else {
                continue;
            };
            let share = window.len() as f64 / node.grid.window().len().max(1) as f64;
            let one = read.entry(file.path.clone()).or_insert((file, Vec::new()));
            one.1.push(share);
        }
    };
    add(&plan, grid.window());
    // These read all of their inputs.
    for input in unprepared.iter().flat_map(|node| &node.inputs) {
        let below = Plan::new(&input.node.grid, std::slice::from_ref(input));
        add(&below, input.node.grid.window());
    }
    // What lies on servers would be fetched for a trial.
    let here = read.values().all(|(file, _)| !file.is_remote);
    let files = read.into_iter().map(|(path, (file, shares))| Reading {
        size: file.size,
        share: shares.iter().copied().fold(0.0, f64::max),
        path,
    });
    let ((rows, cols), sharing) = tiling(&plan, grid.window())?;
    let tile = (rows.min(grid.rows), cols.min(grid.cols));
    let tiles = grid.rows.div_ceil(tile.0) * grid.cols.div_ceil(tile.1);
    let threads = work::threads().min(tiles);
    // Tiles that share blocks are tried together.
    let group = (
        (rows * sharing.group.0).min(grid.rows),
        (cols * sharing.group.1).min(grid.cols),
    );
    let seconds = match measure && unprepared.is_empty() && (here || work::rehearsal().is_none()) {
        true => {
            let group = middle(grid, group);
            let times = grid.window().len() as f64 / group.len().max(1) as f64;
            Some(tried(grid, &ports, group, tile)? * times / threads as f64)
        }
        false => None,
    };
    Ok(Forecast {
        files: files.collect(),
        tile,
        tiles,
        threads,
        memory: plan
            .peak_bytes(middle(grid, tile))
            .saturating_mul(threads)
            .saturating_add(sharing.room),
        result: raster
            .bands
            .iter()
            .map(|b| grid.window().len() as u64 * b.dtype.bytes() as u64)
            .sum(),
        before: unprepared.iter().map(|node| node.name()).collect(),
        seconds,
    })
}

/// A tile away from the border.
fn middle(grid: &Grid, (rows, cols): (usize, usize)) -> Window {
    let at = |size: usize, tile: usize| (size / 2 / tile * tile) as isize;
    Window::new(at(grid.rows, rows), at(grid.cols, cols), rows, cols).intersect(&grid.window())
}

/// Seconds of a group of tiles on one thread, once their files are open.
fn tried(grid: &Arc<Grid>, ports: &[Port], group: Window, tile: (usize, usize)) -> Result<f64> {
    // Also in a dry run, which computes nothing else.
    let _entered = work::Context::clone(&work::current())
        .with_rehearsal(None)
        .with_threads(1)
        .enter();
    let run = Run::prepare(grid, ports, group)?.with_tile(tile.0, tile.1);
    run.collect_quietly()?;
    let start = Instant::now();
    run.collect_quietly()?;
    Ok(start.elapsed().as_secs_f64())
}

/// The file that a node reads.
fn source_of(node: &Node) -> Option<ReadFile> {
    match &node.work {
        Work::Tiles(operation) => operation.file(),
        _ => None,
    }
}
