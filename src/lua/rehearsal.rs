//! What bindings do in a dry run in place of writing: they tell it, and keep what was written so that a script may open it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use mlua::Lua;

use crate::error::Result;
use crate::lua::access;
use crate::raster::Raster;
use crate::raster::forecast::{Forecast, Reading, forecast, prepare};
use crate::table::{CsvOptions, Table};
use crate::work::{self, PlannedStep, Rehearsal};

/// In app data: what the run would have written by now.
#[derive(Default)]
struct Written(HashMap<PathBuf, Content>);

/// Of a file.
enum Content {
    Image(Raster),
    /// As it would stand in a CSV file.
    Table(Table, CsvOptions),
}

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
        let found = tried(&rehearsal, image)?;
        step.reads = step.reads.zip(bytes_read(&found)).map(|(all, one)| all + one);
        step.writes = step.writes.map(|all| all + found.result);
        step.seconds = step
            .seconds
            .zip(seconds(&rehearsal, image, &found))
            .map(|(all, one)| all + one);
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
    let all = first.with_bands(bands);
    let found = tried(&rehearsal, &all)?;
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
            (step.reads, step.seconds) = (bytes_read(&found), seconds(&rehearsal, &all, &found));
            step.memory = Some(found.memory as u64);
        }
        rehearsal.tell(step);
        keep(lua, path, images);
    }
    Ok(true)
}

/// The image's forecast. What comes before its tiles is then computed where there is time for it: the script may ask for more of it.
fn tried(rehearsal: &Rehearsal, image: &Raster) -> Result<Forecast> {
    rehearsal.trying(|| {
        let found = forecast(image, true)?;
        let before: Option<f64> = found.before.iter().map(|one| one.seconds).sum();
        if before.is_some_and(|seconds| seconds > 0.0 && seconds < rehearsal.left().as_secs_f64()) {
            prepare(image)?;
        }
        Ok(found)
    })
}

/// What the image adds to the time that has been told.
fn seconds(rehearsal: &Rehearsal, image: &Raster, found: &Forecast) -> Option<f64> {
    let new = found.before.iter().filter(|one| rehearsal.is_first(one.id));
    let before: Option<f64> = new.map(|one| one.seconds).sum();
    image.ports().iter().for_each(|port| {
        rehearsal.is_first(port.node.id);
    });
    found
        .tiles_seconds
        .zip(before)
        .map(|(tiles, before)| tiles + before)
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
    let one = |file: &Reading| match (file.size, file.chunks) {
        (Some(size), _) => Some((size as f64 * file.share) as u64),
        // Before compression, since nobody says what comes of it.
        (None, chunks) => chunks.map(|(_, bytes)| bytes),
    };
    found.files.iter().map(one).sum()
}

/// Keeps the image of a file that has one for those who open it.
fn keep(lua: &Lua, path: &Path, images: &[Raster]) {
    if let Some(rehearsal) = work::rehearsal() {
        rehearsal.promise(path);
    }
    if let [image] = images {
        keep_as(lua, path, Content::Image(image.clone()));
    }
}

fn keep_as(lua: &Lua, path: &Path, content: Content) {
    let mut written = lua.remove_app_data::<Written>().unwrap_or_default();
    written.0.insert(path.to_path_buf(), content);
    lua.set_app_data(written);
}

/// As `is_told`, of a table that would be written as CSV and may be read again.
pub fn table_is_told(lua: &Lua, path: &Path, table: &Table, options: &CsvOptions) -> bool {
    let told = is_told(lua, "write", path);
    if told {
        keep_as(lua, path, Content::Table(table.clone(), options.clone()));
    }
    told
}

/// The image of a file that a dry run would have written.
pub fn written(lua: &Lua, path: &Path) -> Option<Raster> {
    work::rehearsal()?;
    match lua.app_data_ref::<Written>()?.0.get(path)? {
        Content::Image(image) => Some(image.clone()),
        Content::Table(..) => None,
    }
}

/// The text of a table's file that a dry run would have written.
///
/// # Errors
/// A table that no CSV file can hold.
pub fn written_csv(lua: &Lua, path: &Path) -> Result<Option<String>> {
    if work::rehearsal().is_none() {
        return Ok(None);
    }
    let written = lua.app_data_ref::<Written>();
    match written.as_ref().and_then(|written| written.0.get(path)) {
        Some(Content::Table(table, options)) => table.to_csv(options).map(Some),
        _ => Ok(None),
    }
}
