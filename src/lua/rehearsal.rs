//! What bindings do in a dry run in place of writing: they tell it, and keep images so that a script may open what it wrote.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use mlua::Lua;

use crate::error::Result;
use crate::lua::access;
use crate::raster::Raster;
use crate::raster::forecast::forecast;
use crate::work::{self, Step};

/// In app data: images that the run would have written by now.
#[derive(Default)]
struct Written(HashMap<PathBuf, Raster>);

/// True in a dry run, which has been told of the file and must not write it.
pub fn is_told(lua: &Lua, does: &'static str, path: &Path) -> bool {
    let Some(rehearsal) = work::rehearsal() else {
        return false;
    };
    rehearsal.tell(Step {
        does,
        path: access(lua).shown(path).display().to_string(),
        ..Step::default()
    });
    rehearsal.promise(path);
    true
}

/// The same of a file that holds images, which may be opened again where it is one.
///
/// # Errors
/// Images that cannot be computed.
pub fn are_told(lua: &Lua, path: &Path, images: &[Raster]) -> Result<bool> {
    let Some(rehearsal) = work::rehearsal() else {
        return Ok(false);
    };
    let mut step = Step {
        does: "write",
        path: access(lua).shown(path).display().to_string(),
        reads: Some(0),
        writes: Some(0),
        seconds: Some(0.0),
        ..Step::default()
    };
    let add = |all: &mut Option<u64>, one: Option<u64>| *all = all.zip(one).map(|(all, one)| all + one);
    for image in images {
        let found = forecast(image, true)?;
        let read = |bytes: u64, share: f64| (bytes as f64 * share) as u64;
        let reads: Option<u64> = found.files.iter().map(|f| Some(read(f.size?, f.share))).sum();
        add(&mut step.reads, reads);
        add(&mut step.writes, Some(found.result));
        step.seconds = step.seconds.zip(found.seconds).map(|(all, one)| all + one);
        step.memory = step.memory.max(Some(found.memory as u64));
        let size = format!(
            "{} × {} × {}",
            image.grid.rows,
            image.grid.cols,
            image.bands.len()
        );
        step.what = match images.len() {
            1 => size,
            n => format!("{n} × {size}"),
        };
    }
    rehearsal.tell(step);
    rehearsal.promise(path);
    if let [image] = images {
        let mut written = lua.remove_app_data::<Written>().unwrap_or_default();
        written.0.insert(path.to_path_buf(), image.clone());
        lua.set_app_data(written);
    }
    Ok(true)
}

/// The image of a file that a dry run would have written.
pub fn written(lua: &Lua, path: &Path) -> Option<Raster> {
    work::rehearsal()?;
    lua.app_data_ref::<Written>()?.0.get(path).cloned()
}
