//! What the parts of the program tell the run that they work for, and what they ask it for their files.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::keeper::{Note, Provenance};
use crate::error::Result;
use crate::work::context::current;

fn keeper() -> Option<Arc<dyn Provenance>> {
    current().provenance()
}

/// Whether anybody keeps notes.
pub fn is_kept() -> bool {
    keeper().is_some()
}

/// Tells the run that something has happened; nothing where nobody keeps notes.
pub fn note(note: Note<'_>) {
    if let Some(keeper) = keeper() {
        keeper.note(note);
    }
}

/// Names and texts that an image at `target` is to carry; `graph` describes its pixels.
pub fn tags(target: &Path, graph: impl FnOnce() -> Result<Json>) -> Vec<(String, String)> {
    // What cannot be described is written all the same, with a record that has no graph.
    keeper().map_or(Vec::new(), |keeper| keeper.tags(target, graph().ok().as_ref()))
}

/// The record that a file without pixels at `target` is to carry, where a script makes it.
pub fn record(target: &Path) -> Option<String> {
    keeper()?.record(target)
}

/// Writes the record beside a file that has no room for it, where a script has made it.
///
/// # Errors
/// When it cannot be written.
pub fn write_beside(target: &Path) -> Result<()> {
    keeper().map_or(Ok(()), |keeper| keeper.write_beside(target))
}
