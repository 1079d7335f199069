//! What a plan reads of cubes: chunks that many of its steps share.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Plan, Step, Work};
use crate::error::Result;
use crate::raster::Window;
use crate::raster::operation::Chunks;
use crate::raster::zarr::array::{Chunk, Wanted};
use crate::raster::zarr::recent::Tile;
use crate::work::{self, budget};

impl Plan {
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
