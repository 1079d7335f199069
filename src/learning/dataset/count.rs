//! One pass over the labels of a scene: pixels of each class in each chip.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::lattice::{Axis, Counts};
use super::{IGNORED, Scene};
use crate::error::Result;
use crate::learning::classes::{Classes, code_of};
use crate::raster::execute::Run;

pub struct Found {
    pub counts: Counts,
    /// Pixels by code, of codes that are no class.
    pub strangers: BTreeMap<i64, u64>,
}

/// Class rasters hold one code for many pixels on end; those of a tile are put into the cells together.
struct OnEnd {
    row: usize,
    col: usize,
    pixels: usize,
    class: usize,
}

pub fn count(scene: &Scene, chip: usize, step: usize, classes: &Classes) -> Result<Found> {
    let labels = &scene.labels;
    let grid = &labels.grid;
    let axis = |size| Axis { size, chip, step };
    let found = Mutex::new(Found {
        counts: Counts::new(axis(grid.rows), axis(grid.cols), classes.len())?,
        strangers: BTreeMap::new(),
    });
    let what = format!("the labels of {}", scene.group);
    let run = Run::prepare(grid, &labels.ports(), grid.window())?;
    run.for_each(&format!("labels of {}", scene.group), &|_, window, mut pixels| {
        let codes = pixels.swap_remove(0).into_f64();
        let mut runs = Vec::new();
        let mut strangers: BTreeMap<i64, u64> = BTreeMap::new();
        for (r, codes) in codes.rows().into_iter().enumerate() {
            let mut codes = codes.iter().enumerate().peekable();
            while let Some((col, &code)) = codes.next() {
                let mut pixels = 1;
                while codes.next_if(|(_, next)| **next == code).is_some() {
                    pixels += 1;
                }
                if code.is_nan() {
                    continue;
                }
                let code = code_of(code, &what)?;
                match classes.of(code) {
                    Some(class) => runs.push(OnEnd {
                        row: window.row as usize + r,
                        col: window.col as usize + col,
                        pixels,
                        class,
                    }),
                    None => *strangers.entry(code).or_default() += pixels as u64,
                }
            }
        }
        let mut found = found.lock().unwrap_or_else(|e| e.into_inner());
        for run in runs {
            found.counts.add(run.row, run.col, run.pixels, run.class);
        }
        for (code, pixels) in strangers {
            *found.strangers.entry(code).or_default() += pixels;
        }
        Ok(())
    })?;
    let mut found = found.into_inner().unwrap_or_else(|e| e.into_inner());
    // The usual mark of no label is nothing to be told of.
    found.strangers.remove(&i64::from(IGNORED));
    Ok(found)
}
