//! What a plan reads of cubes: chunks that many of its steps share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Plan, Step, Work};
use crate::error::Result;
use crate::raster::Window;
use crate::raster::operation::Chunks;
use crate::raster::zarr::array::{Chunk, Wanted};
use crate::raster::zarr::recent::Tile;
use crate::work::{self, budget};

/// What is read of an array of a cube.
#[derive(Debug, Clone, PartialEq)]
pub struct CubeReading {
    /// Of the cube.
    pub path: String,
    pub array: String,
    pub chunks: u64,
    /// Of the chunks, decoded. They are stored in fewer, as a rule, and nobody says in how many before they come.
    pub bytes: u64,
}

impl Plan {
    /// The chunks that a region is read of, each once whatever shares it.
    pub fn cube_readings(&self, region: Window) -> Vec<CubeReading> {
        let mut wanted = Wanted::default();
        for (node, window) in self.sources(region) {
            if let Work::Tiles(operation) = &node.work {
                operation.want(window, &mut wanted);
            }
        }
        // Of one place along the other axes, the rows and columns that its readers want together.
        let mut places = HashMap::new();
        for block in wanted.blocks() {
            let place = places
                .entry((block.array.id(), block.first))
                .or_insert_with(|| block.clone());
            place.rows = place.rows.start.min(block.rows.start)..place.rows.end.max(block.rows.end);
            place.cols = place.cols.start.min(block.cols.start)..place.cols.end.max(block.cols.end);
        }
        let mut found: BTreeMap<(String, String), CubeReading> = BTreeMap::new();
        for block in places.into_values() {
            let array = &block.array;
            let of = found
                .entry((array.path.clone(), array.name.clone()))
                .or_insert_with(|| CubeReading {
                    path: array.path.clone(),
                    array: array.name.clone(),
                    chunks: 0,
                    bytes: 0,
                });
            let chunks = block.rows.len() as u64 * block.cols.len() as u64;
            of.chunks += chunks;
            of.bytes = of
                .bytes
                .saturating_add(chunks.saturating_mul(array.largest_part() as u64));
        }
        found.into_values().collect()
    }

    /// The chunks of cubes on this plan's own grid, once for all steps that share them.
    pub fn chunks(&self) -> Vec<Chunks> {
        let mut seen = HashSet::new();
        let on_grid = |s: &&Step| s.node.grid.as_ref() == self.grid.as_ref();
        let chunks = self
            .steps
            .iter()
            .filter(on_grid)
            .filter_map(|s| match &s.node.work {
                Work::Tiles(operation) => operation.chunks(),
                _ => None,
            });
        chunks.filter(|chunks| seen.insert(chunks.shared_by)).collect()
    }

    /// Loads what a tile reads of cubes, all of it at the same time; it stays as long as what is answered.
    pub(super) fn load(&self, windows: &[Window]) -> Result<Option<(Tile, Vec<Arc<Chunk>>)>> {
        let mut wanted = Wanted::default();
        for (step, window) in self.steps.iter().zip(windows) {
            if let Work::Tiles(operation) = &step.node.work
                && !window.is_empty()
            {
                operation.want(*window, &mut wanted);
            }
        }
        if wanted.is_empty() {
            return Ok(None);
        }
        let tile = Tile::begin();
        let loaded = wanted.load(budget::left() / (2 * work::threads()))?;
        Ok(Some((tile, loaded)))
    }
}
