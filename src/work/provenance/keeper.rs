//! What a run tells of itself while it goes on, and who makes of it the record that files carry of their making.

use std::path::Path;

use serde_json::{Map, Value as Json};

use crate::error::Result;

/// What the record is called in files that keep texts by names.
pub const RECORD: &str = "PERILUNE_PROVENANCE";
/// What files keep beside it, for those who read no JSON.
pub const TAGS: [&str; 3] = ["PERILUNE_VERSION", "PERILUNE_SCRIPT", "PERILUNE_PARAMETERS"];

/// Something that has happened in a run.
#[derive(Debug, Clone, Copy)]
pub enum Note<'a> {
    /// The script names a file or an address that it reads, or one that it writes, and where that is.
    Named {
        name: &'a str,
        path: &'a Path,
        is_read: bool,
    },
    /// The parameters of the script, and which of them are paths.
    Parameters {
        script: &'a str,
        values: &'a Map<String, Json>,
        paths: &'a [String],
    },
    /// A module of Lua; no path for one that ships.
    Module {
        name: &'a str,
        text: &'a str,
        path: Option<&'a Path>,
    },
    /// A library that was opened for the run, whose version tells on numbers.
    Library { name: &'a str, version: &'a str },
    /// Where the maps are in a picture that was written, as `Form::Places` has it.
    Maps { path: &'a Path, places: &'a str },
    /// The line of the script that it has come to.
    Line(usize),
}

/// Keeps notes of a run, and makes records of them.
pub trait Provenance: Send + Sync {
    fn note(&self, note: Note<'_>);

    /// Names and texts for a file that will be at `target`, the record among them; `graph` describes its pixels.
    fn tags(&self, target: &Path, graph: Option<&Json>) -> Vec<(String, String)>;

    /// The record alone, for files without pixels; none where no script runs.
    fn record(&self, target: &Path) -> Option<String>;

    /// Writes the record beside a file of a format that has no room for it; nothing where no script runs.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write_beside(&self, target: &Path) -> Result<()>;
}
