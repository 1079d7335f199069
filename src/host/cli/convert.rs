//! `perilune convert`: a script as a notebook, a notebook as a script.

use std::path::Path;

use super::{DONE, Script};
use crate::bounds;
use crate::error::{Error, Result};
use crate::files::write_whole;
use crate::host::notebook;

/// Times its size that a notebook takes while it is read.
const EXPANSION: usize = 6;

pub fn run(from: &Path, to: &Path, force: bool) -> Result<u8> {
    let is = |path: &Path, what: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(what));
    let name = from.display().to_string();
    // What is written may hold someone's edits.
    if to.symlink_metadata().is_ok() && !force {
        return Err(Error::file(to, "exists already; --force replaces it"));
    }
    let text = match (is(from, "ipynb"), is(to, "ipynb")) {
        (true, false) if is(to, "lua") => {
            let bytes = bounds::read_file(from, EXPANSION, "clear its outputs")?;
            let found = notebook::read(&utf8(from, bytes)?).map_err(|e| Error::file(from, e.to_string()))?;
            for lost in &found.lost {
                crate::complain!("note: {name} has {lost}");
            }
            let script = notebook::script(&found.cells);
            let of = |cells: &[notebook::Cell]| -> Vec<_> {
                cells
                    .iter()
                    .map(|cell| (cell.kind, cell.source.clone()))
                    .collect()
            };
            if of(&notebook::cells(&script)) != of(&found.cells) {
                crate::complain!(
                    "note: the cells of {name} come back otherwise parted: one holds a line that begins with --%%, or is empty"
                );
            }
            script
        }
        (false, true) => {
            let text = match from.is_file() {
                true => utf8(from, bounds::read_file(from, 1, "a script is not that long")?)?,
                // Workflows have names alone.
                false => Script::find(&name)?.text,
            };
            notebook::written(&notebook::cells(&text))
        }
        _ => {
            return Err(Error::message(
                "one is a script and the other a notebook: perilune convert a.lua a.ipynb, or perilune convert a.ipynb a.lua",
            ));
        }
    };
    write_whole(to, text.as_bytes())?;
    crate::say!("{}", to.display());
    Ok(DONE)
}

fn utf8(path: &Path, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::file(path, "its text is not UTF-8"))
}
