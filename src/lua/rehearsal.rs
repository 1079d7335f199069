//! What bindings do in a dry run in place of writing: they tell it, and keep images so that a script may open what it wrote.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use mlua::Lua;

use crate::error::Result;
use crate::lua::access;
use crate::raster::Raster;
use crate::raster::forecast::{Forecast, Reading, forecast};
use crate::work::{self, PlannedStep};

/// In app data: images that the run would have written by now.
#[derive(Default)]
struct Written(HashMap<PathBuf, Raster>);

/// True in a dry run, which has been told of the file and must not write it.
pub fn is_told(lua: &Lua, does: &'static str, path: &Path) -> bool {
    let Some(rehearsal) = work::rehearsal() else {
        return false;
    };
    rehearsal.tell(PlannedStep {
        does,
        path: access(lua).shown(path).display().to_string(),
        ..PlannedStep::default()
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
    let mut step = step_of(lua, path, images);
    (step.reads, step.writes, step.seconds) = (Some(0), Some(0), Some(0.0));
    for image in images {
        let found = forecast(image, true)?;
        step.reads = step.reads.zip(bytes_read(&found)).map(|(all, one)| all + one);
        step.writes = step.writes.map(|all| all + found.result);
        step.seconds = step.seconds.zip(found.seconds).map(|(all, one)| all + one);
        step.memory = step.memory.max(Some(found.memory as u64));
    }
    rehearsal.tell(step);
    keep(lua, path, images);
    Ok(true)
}

/// The same of several files that are written in one pass: the first one's row says what they take together.
///
/// # Errors
/// Images that cannot be computed, or lie on several grids.
pub fn pass_is_told(lua: &Lua, files: &[(&Raster, &Path)]) -> Result<bool> {
    let (Some(rehearsal), Some((first, _))) = (work::rehearsal(), files.first()) else {
        return Ok(false);
    };
    files.iter().try_for_each(|(other, _)| first.check_grid(other))?;
    let bands = files.iter().flat_map(|(image, _)| image.bands.clone()).collect();
    let found = forecast(&first.with_bands(bands), true)?;
    for (number, (image, path)) in files.iter().enumerate() {
        let images = std::slice::from_ref(*image);
        let pixels = image.grid.window().len() as u64;
        let mut step = step_of(lua, path, images);
        step.writes = Some(
            image
                .bands
                .iter()
                .map(|band| pixels * band.dtype.bytes() as u64)
                .sum(),
        );
        step.seconds = Some(0.0);
        if number == 0 {
            (step.reads, step.seconds) = (bytes_read(&found), found.seconds);
            step.memory = Some(found.memory as u64);
        }
        rehearsal.tell(step);
        keep(lua, path, images);
    }
    Ok(true)
}

fn step_of(lua: &Lua, path: &Path, images: &[Raster]) -> PlannedStep {
    let what = images.first().map_or(String::new(), |image| {
        let (grid, bands) = (&image.grid, image.bands.len());
        let size = format!("{} × {} × {bands}", grid.rows, grid.cols);
        match images.len() {
            1 => size,
            n => format!("{n} × {size}"),
        }
    });
    PlannedStep {
        does: "write",
        path: access(lua).shown(path).display().to_string(),
        what,
        ..PlannedStep::default()
    }
}

fn bytes_read(found: &Forecast) -> Option<u64> {
    let one = |file: &Reading| Some((file.size? as f64 * file.share) as u64);
    found.files.iter().map(one).sum()
}

/// Keeps the image of a file that has one for those who open it.
fn keep(lua: &Lua, path: &Path, images: &[Raster]) {
    if let Some(rehearsal) = work::rehearsal() {
        rehearsal.promise(path);
    }
    if let [image] = images {
        let mut written = lua.remove_app_data::<Written>().unwrap_or_default();
        written.0.insert(path.to_path_buf(), image.clone());
        lua.set_app_data(written);
    }
}

/// The image of a file that a dry run would have written.
pub fn written(lua: &Lua, path: &Path) -> Option<Raster> {
    work::rehearsal()?;
    lua.app_data_ref::<Written>()?.0.get(path).cloned()
}
