//! Every step of the time axis of a Zarr as an image of its own.

use std::sync::Arc;

use super::super::axes::{Along, Axis};
use super::super::cube;
use super::super::open::{self, OpenOptions};
use super::coordinates::Coordinates;
use super::place::open_store;
use super::{Variable, array_of, images_of, variables};
use crate::bounds;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::raster::image::Raster;
use crate::raster::zarr::array::Array;

/// Every step of the time axis of a Zarr as an image with its time; of arrays without one, the one image.
///
/// # Errors
/// As `cube::slices`.
pub fn slices(path: &str, options: &OpenOptions, names: &[String]) -> Result<Vec<Raster>> {
    let zarr = open_store(path)?;
    let arrays: Vec<Arc<Array>> = match names {
        [] => {
            let images = images_of(&zarr, path)?;
            let all: Vec<Arc<Array>> = images
                .iter()
                .map(|image| array_of(&zarr, path, &image.name))
                .collect::<Result<_>>()?;
            match all.len() {
                0 | 1 => all,
                // Those with a time axis, where there are several.
                _ => {
                    let coordinates = Coordinates::read(&zarr, &all)?;
                    let timed: Vec<_> = all
                        .into_iter()
                        .filter(|array| {
                            coordinates
                                .axes_of(array)
                                .iter()
                                .any(|axis| axis.along == Along::Time)
                        })
                        .collect();
                    if timed.is_empty() {
                        return Err(open::name_one(path, &images));
                    }
                    timed
                }
            }
        }
        names => names
            .iter()
            .map(|name| array_of(&zarr, path, name))
            .collect::<Result<_>>()?,
    };
    let Some(first) = arrays.first() else {
        return Err(Error::file(path, "has no image bands"));
    };
    first.check_readable()?;
    let mut variables = variables(&zarr, path, arrays, options)?;
    let placed = variables
        .iter()
        .map(|v| v.grid.clone())
        .find(|grid| grid.crs.is_some());
    for variable in &mut variables {
        if let Some(grid) = placed
            .as_ref()
            .filter(|grid| cube::lies_there(&variable.grid, grid))
        {
            variable.grid = grid.clone();
        }
    }
    let first = &variables[0];
    for other in &variables[1..] {
        if !first.grid.matches(&other.grid) {
            let differ = Error::GridMismatch {
                left: first.grid.to_string(),
                right: other.grid.to_string(),
            };
            return Err(cube::on_other_grids(path, &first.name, &other.name, &differ));
        }
    }
    let times = cube::common_times_of(path, variables.iter().filter_map(|v| v.time_axis()))?;
    let (steps, several) = (times.as_ref().map_or(1, Vec::len), variables.len() > 1);
    bounds::fits(
        format!("the list of the {steps} images of {path}"),
        steps,
        variables.len() * 1024,
        "open a part of it",
    )?;
    let shared = first.properties(path);
    let layers: Vec<Layers> = variables
        .iter()
        .map(|v| v.layers(times.is_some(), several))
        .collect();
    let mut images = Vec::with_capacity(steps);
    for step in 0..steps {
        interrupt::check()?;
        let mut bands = Vec::new();
        for (variable, layers) in variables.iter().zip(&layers) {
            for (label, base) in &layers.names {
                bands.push(variable.band(base + layers.stride * step % layers.span.max(1), label.clone()));
            }
        }
        let mut image = Raster::new(first.grid.clone(), bands);
        image.properties = shared.clone();
        if let Some(moment) = times.as_ref().and_then(|times| times[step].as_ref()) {
            cube::date(&mut image, moment);
        }
        images.push(match &options.names {
            Some(names) => image.rename(names)?,
            None => image,
        });
    }
    Ok(images)
}

/// The bands that a variable has at each step of time.
struct Layers {
    /// Their names, and their numbers at the first step.
    names: Vec<(String, usize)>,
    /// From step to step.
    stride: usize,
    /// 1 for what has no time, so that each step is the same.
    span: usize,
}

impl Variable {
    fn time_axis(&self) -> Option<&Axis> {
        let position = self.arranged.band_axis(Along::Time)?;
        Some(&self.arranged.axes.list[position])
    }

    fn layers(&self, timed: bool, several: bool) -> Layers {
        let shape = &self.array.metadata.shape;
        let time = self.arranged.band_axis(Along::Time).filter(|_| timed);
        let count = self.bands();
        let (stride, span) = match time {
            Some(time) => {
                let inner: usize = self
                    .others()
                    .iter()
                    .filter(|axis| **axis > time)
                    .map(|axis| shape[*axis])
                    .product();
                (inner, inner.saturating_mul(shape[time]))
            }
            None => (0, 1),
        };
        let first: Vec<usize> = match time {
            Some(time) => {
                let steps = self.arranged.steps_of_bands(time, 0..count);
                (0..count).filter(|band| steps[*band] == 0).collect()
            }
            None => (0..count).collect(),
        };
        let alone = first.len() == 1;
        let label = |band: usize| match (alone, time.is_some(), several) {
            (true, ..) => self.name.clone(),
            (_, true, _) => format!("{}_{}", self.name, self.arranged.label(band)),
            (_, false, true) => format!("{}_b{}", self.name, band + 1),
            (_, false, false) => format!("b{}", band + 1),
        };
        Layers {
            names: first.into_iter().map(|band| (label(band), band)).collect(),
            stride,
            span,
        }
    }
}
