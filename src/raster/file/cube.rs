//! Several arrays of a container at once, and their time axes: every step an image with its time.

use super::axes::{Along, Axis};
use super::layout::Arranged;
use super::open::{OpenOptions, Opened, opened, subdatasets};
use super::zarr;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::raster::calendar::Moment;
use crate::raster::image::{Property, Raster};
use crate::raster::{Grid, reframe};

/// The property that names a calendar which the sky does not keep.
pub const CALENDAR: &str = "calendar";

/// Every step of a file's time axis as an image with its time, bands named by their arrays; of other files the one image.
///
/// Without `variables`, and where the file holds several images, those with a time axis are taken. Named variables without one
/// are part of every image.
///
/// # Errors
/// As `open`; and images on different grids or of different times; times that cannot be told.
pub fn slices(path: &str, options: &OpenOptions, variables: &[String]) -> Result<Vec<Raster>> {
    if zarr::is_zarr(path) && options.bands.is_none() {
        return zarr::slices(path, options, variables);
    }
    let unnamed = OpenOptions {
        names: None,
        ..options.clone()
    };
    let mut found = match variables {
        [] => match opened(path, &unnamed) {
            Ok(one) => vec![one],
            Err(several) => with_times(path, &unnamed)?.ok_or(several)?,
        },
        names => all_of(path, options, names)?,
    };
    let Some(times) = common_times(path, &found)? else {
        let several = found.len() > 1;
        let images = found.drain(..).map(|opened| alone(opened, several)).collect();
        return Ok(vec![renamed(merged(path, images)?, options)?]);
    };
    times
        .iter()
        .enumerate()
        .map(|(step, time)| {
            interrupt::check()?;
            let images = found.iter().map(|opened| at_step(opened, step)).collect();
            let mut image = renamed(merged(path, images)?, options)?;
            if let Some(moment) = time {
                date(&mut image, moment);
            }
            Ok(image)
        })
        .collect()
}

/// Says when an image is of, as its file's axis does.
pub(super) fn date(image: &mut Raster, moment: &Moment) {
    image.time = moment.time;
    if moment.time.is_none() {
        image
            .properties
            .insert("date".into(), Property::Text(moment.date.clone()));
    }
    if let Some(calendar) = moment.calendar {
        image
            .properties
            .insert(CALENDAR.into(), Property::Text(calendar.into()));
    }
}

/// The images of a file that have a time axis; None where there is none.
fn with_times(path: &str, options: &OpenOptions) -> Result<Option<Vec<Opened>>> {
    let listed: Vec<String> = subdatasets(path)?.into_iter().map(|s| s.name).collect();
    let mut found = all_of(path, options, &listed)?;
    found.retain(|opened| time_of(opened).is_some());
    Ok(Some(found).filter(|found| !found.is_empty()))
}

/// The bands of several arrays as one image, those of arrays of several bands named by both.
///
/// # Errors
/// As `open`; and when they lie on different grids.
pub fn together(path: &str, options: &OpenOptions, variables: &[String]) -> Result<Raster> {
    let images = all_of(path, options, variables)?.into_iter();
    renamed(
        merged(path, images.map(|opened| alone(opened, true)).collect())?,
        options,
    )
}

fn all_of(path: &str, options: &OpenOptions, variables: &[String]) -> Result<Vec<Opened>> {
    let one = |name: &String| {
        interrupt::check()?;
        opened(
            path,
            &OpenOptions {
                subdataset: Some(name.clone()),
                names: None,
                ..options.clone()
            },
        )
    };
    variables.iter().map(one).collect()
}

fn renamed(image: Raster, options: &OpenOptions) -> Result<Raster> {
    match &options.names {
        Some(names) => image.rename(names),
        None => Ok(image),
    }
}

/// The image of an array with names that tell it from other arrays.
fn alone(opened: Opened, among_others: bool) -> Raster {
    let mut image = opened.raster;
    if let (Some(variable), true) = (&opened.variable, among_others && image.bands.len() > 1) {
        for band in &mut image.bands {
            band.name = format!("{variable}_{}", band.name);
        }
    }
    image
}

fn merged(path: &str, images: Vec<Raster>) -> Result<Raster> {
    let placed = images
        .iter()
        .map(|image| image.grid.clone())
        .find(|grid| grid.crs.is_some());
    let mut images = images.into_iter().map(|image| match &placed {
        Some(grid) if lies_there(&image.grid, grid) => reframe::onto(&image, grid.clone()),
        _ => Ok(image),
    });
    let first = images
        .next()
        .ok_or_else(|| Error::file(path, "has no image bands"))??;
    images.try_fold(first, |all, image| {
        let image = image?;
        let both = |image: &Raster| image.band_names().join(", ");
        all.check_grid(&image)
            .map_err(|e| on_other_grids(path, &both(&all), &both(&image), &e))?;
        all.add_bands(&image)
    })
}

/// A variable that names no grid mapping lies where those beside it lie, if its coordinates are theirs.
pub(super) fn lies_there(own: &Grid, other: &Grid) -> bool {
    let pixels = |grid: &Grid| (grid.rows, grid.cols, grid.transform);
    own.crs.is_none() && pixels(own) == pixels(other)
}

pub(super) fn on_other_grids(path: &str, left: &str, right: &str, e: &Error) -> Error {
    Error::file(
        path,
        format!(
            "{left} and {right} are not images of one grid; name those of one with {{ subdataset = {{ … }} }}: {e}"
        ),
    )
}

/// The time axis of an array, and its position.
fn time_of(opened: &Opened) -> Option<(usize, &Arranged, &Axis)> {
    let arranged = opened.arranged.as_ref()?;
    let position = arranged.band_axis(Along::Time)?;
    Some((position, arranged, &arranged.axes.list[position]))
}

/// The steps that all arrays with a time axis have; None where none has one.
fn common_times(path: &str, found: &[Opened]) -> Result<Option<Vec<Option<Moment>>>> {
    common_times_of(path, found.iter().filter_map(time_of).map(|(_, _, axis)| axis))
}

/// The same of these time axes.
///
/// # Errors
/// Axes of different times; times that cannot be told.
pub(super) fn common_times_of<'a>(
    path: &str,
    axes: impl Iterator<Item = &'a Axis>,
) -> Result<Option<Vec<Option<Moment>>>> {
    let mut common: Option<(Vec<Option<Moment>>, &Axis)> = None;
    for axis in axes {
        let own = axis.times(path)?;
        match &common {
            None => common = Some((own, axis)),
            Some((times, _)) if *times == own => {}
            Some((times, first)) => {
                return Err(Error::file(
                    path,
                    format!(
                        "its images have different times: {} steps of {} and {} of {}; name those of one axis with \
                         {{ subdataset = {{ … }} }}",
                        times.len(),
                        first.name,
                        own.len(),
                        axis.name
                    ),
                ));
            }
        }
    }
    Ok(common.map(|(times, _)| times))
}

/// The bands of one step of time, or all of an array that has no time.
fn at_step(opened: &Opened, step: usize) -> Raster {
    let Some((time, arranged, _)) = time_of(opened) else {
        return alone_at(opened, |_| true);
    };
    let steps = arranged.steps_of_bands(time, opened.indices.iter().copied());
    alone_at(opened, |i| steps[i] == step)
}

fn alone_at(opened: &Opened, keep: impl Fn(usize) -> bool) -> Raster {
    let image = &opened.raster;
    let kept: Vec<usize> = (0..image.bands.len()).filter(|i| keep(*i)).collect();
    let bands = kept.iter().map(|&i| {
        let mut band = image.bands[i].clone();
        if let (Some(variable), Some(arranged)) = (&opened.variable, &opened.arranged) {
            band.name = match kept.len() {
                1 => variable.clone(),
                _ => format!("{variable}_{}", arranged.label(opened.indices[i])),
            };
        }
        band
    });
    let mut part = image.with_bands(bands.collect());
    // Lists of all steps, which every image would hold.
    part.properties.retain(|name, _| !name.starts_with("NETCDF_DIM_"));
    part
}
