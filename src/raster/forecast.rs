//! What computing an image will take, from its graph alone: files and bytes, tiles, memory; and, where one tile may be tried, time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::execute::Run;
use super::graph::{Node, Port, Work};
use super::operation::ReadFile;
use super::plan::Plan;
use super::tiling::tiling;
pub use super::trial::Before;
use super::trial::{Trial, try_before};
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
    /// Of a cube the chunks that are read, and their bytes when they are decoded: more than come, as a rule.
    pub chunks: Option<(u64, u64)>,
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
    /// What is computed once, of whole images, before the tiles; its times by a part of each that was tried.
    pub before: Vec<Before>,
    /// Of all tiles, by one that was tried; None where none was.
    pub tiles_seconds: Option<f64>,
}

impl Forecast {
    /// Of the tiles and all that comes before them; None where part of it was not tried.
    pub fn seconds(&self) -> Option<f64> {
        let before: Option<f64> = self.before.iter().map(|one| one.seconds).sum();
        self.tiles_seconds
            .zip(before)
            .map(|(tiles, before)| tiles + before)
    }
}

/// Looks at the graph. With `measure` a part of each whole scene that comes before the tiles is computed, and one tile in the middle, twice, of which
/// the second time counts.
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
    let mut cubes: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut add = |plan: &Plan, region: Window| {
        for reading in plan.cube_readings(region) {
            let (chunks, bytes) = cubes.entry(reading.path).or_default();
            *chunks += reading.chunks;
            *bytes = bytes.saturating_add(reading.bytes);
        }
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
    let files = read.into_iter().map(|(path, (file, shares))| Reading {
        size: file.size,
        share: shares.iter().copied().fold(0.0, f64::max),
        chunks: cubes.get(&path).copied(),
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
    // What lies on servers would be fetched for a trial.
    let trial = match measure && (work::rehearsal().is_none() || !plan.reads_remote()) {
        true => try_before(&ports)?,
        false => Trial::not_made(&unprepared),
    };
    let tiles_seconds = match &trial.roots {
        Some(roots) => {
            let group = middle(grid, group);
            let times = grid.window().len() as f64 / group.len().max(1) as f64;
            Some(tried(grid, roots, group, tile)? * times / threads as f64)
        }
        None => None,
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
        before: trial.before,
        tiles_seconds,
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

/// True where pixels come from a server.
pub fn reads_remote(raster: &Raster) -> bool {
    Plan::new(&raster.grid, &raster.ports()).reads_remote()
}

/// Computes now what comes before the tiles, also in a dry run.
///
/// # Errors
/// What `Run::prepare` fails with.
pub fn prepare(raster: &Raster) -> Result<()> {
    let _entered = work::Context::clone(&work::current())
        .with_rehearsal(None)
        .enter();
    let corner = Window::new(0, 0, 1, 1);
    Run::prepare(&raster.grid, &raster.ports(), corner).map(drop)
}

/// The file that a node reads.
fn source_of(node: &Node) -> Option<ReadFile> {
    match &node.work {
        Work::Tiles(operation) => operation.file(),
        _ => None,
    }
}
