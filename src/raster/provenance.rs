//! What an image is, for the record of the file that it becomes.

use std::path::Path;

use serde_json::Value as Json;

use super::plan::post_order;
use super::{Raster, exchange};
use crate::error::{Error, Result};
use crate::work::provenance;

/// Pixels of the largest array that is told by what it holds: an array is described by all of its numbers.
const LARGEST_ARRAY: usize = 1 << 20;

/// Names and texts for the file at `target` that `images` become, all on one grid: the record of how it was made among them.
pub fn tags(target: &Path, images: &[Raster]) -> Vec<(String, String)> {
    provenance::tags(target, || described(images))
}

fn described(images: &[Raster]) -> Result<Json> {
    let [first, ..] = images else {
        return Err(Error::message("no image"));
    };
    let bands = images.iter().flat_map(|image| image.bands.iter().cloned());
    let all = first.with_bands(bands.collect());
    let large = |rows: usize, cols: usize| rows.saturating_mul(cols) > LARGEST_ARRAY;
    let is_array = |name: &str| name == "array";
    for node in post_order(&all.ports()) {
        if is_array(&node.name()) && large(node.grid.rows, node.grid.cols) {
            return Err(Error::message("an array that is too large to be told"));
        }
    }
    exchange::raster_to_json(&all)
}
