//! The axes of an array in a container (netCDF, HDF5, Zarr): which of them run along x, y and time, and where their steps lie.
//!
//! # Source
//! CF conventions 1.11, chapter 4 (coordinate types) and section 5.6 (grid mappings), <https://cfconventions.org>

use gdal::raster::MDArray;

use super::arrays::{self, Container};
use crate::bounds;
use crate::error::{Error, Result};
use crate::raster::Crs;
use crate::raster::calendar::{Moment, TimeUnits};

/// What the steps of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    X,
    Y,
    Time,
    Other,
}

#[derive(Debug, Clone)]
pub struct Axis {
    pub name: String,
    pub size: usize,
    pub along: Along,
    /// Its coordinates, one a step; none where the file has no variable of the axis's name.
    pub steps: Option<Vec<f64>>,
    pub units: String,
    /// As the file calls it; empty where it does not.
    pub calendar: String,
}

impl Axis {
    /// The times of its steps; None for steps without one. `path` is for the error.
    ///
    /// # Errors
    /// Units or a calendar that do not say when; more steps than the memory holds.
    pub fn times(&self, path: &str) -> Result<Vec<Option<Moment>>> {
        bounds::fits(
            format!(
                "the times of the {} steps of the axis {} of {path}",
                self.size, self.name
            ),
            self.size,
            size_of::<Option<Moment>>(),
            "open a part of the file",
        )?;
        let Some(steps) = self.steps.as_ref().filter(|_| !self.units.is_empty()) else {
            return Ok(vec![None; self.size]);
        };
        let units = TimeUnits::parse(&self.units, &self.calendar).map_err(|e| {
            Error::file(
                path,
                format!(
                    "the times of its axis {} cannot be told: {e}; raster.open gives its steps as bands",
                    self.name
                ),
            )
        })?;
        Ok(steps.iter().map(|&step| units.at(step)).collect())
    }
}

/// The axes of one array, in its order.
#[derive(Debug, Clone)]
pub struct Axes {
    /// The array's full name in the container.
    pub array: String,
    pub list: Vec<Axis>,
    /// The image's own, or what its grid mapping says, or WGS 84 for degrees east and north without one.
    pub crs: Option<Crs>,
    /// False for that of degrees.
    pub is_stated: bool,
}

impl Axes {
    /// The axes of the array with this full name; None where the container has no such array. `stated` is the CRS of GDAL's image
    /// of it.
    ///
    /// # Errors
    /// When the container cannot be opened, or coordinates that are there cannot be read.
    pub fn read(container: &str, array: &str, stated: Option<Crs>) -> Result<Option<Axes>> {
        let container = Container::open(container)?;
        let Some((dimensions, mapping)) = container.with(array, &mut |array| {
            let dimensions = array.dimensions().map_err(|e| Error::message(e.to_string()))?;
            let dimensions: Vec<(String, usize)> = dimensions.iter().map(|d| (d.name(), d.size())).collect();
            Ok((dimensions, text(array, "grid_mapping")))
        })?
        else {
            return Ok(None);
        };
        let list: Vec<Axis> = dimensions
            .into_iter()
            .map(|(name, size)| axis(&container, array, name, size))
            .collect::<Result<_>>()?;
        let stated = match stated {
            Some(crs) => Some(crs),
            None => mapped(&container, array, &mapping)?,
        };
        let in_degrees = |along, units: &[&str]| {
            let mut axes = list.iter().filter(|axis: &&Axis| axis.along == along);
            axes.any(|axis| units.contains(&axis.units.as_str()))
        };
        let is_stated = stated.is_some();
        let crs = match stated {
            Some(crs) => Some(crs),
            None if in_degrees(Along::X, EAST) && in_degrees(Along::Y, NORTH) => Some(Crs::wgs84()?),
            None => None,
        };
        Ok(Some(Axes {
            array: array.to_string(),
            list,
            crs,
            is_stated,
        }))
    }

    /// The position of the last axis along something.
    pub fn position(&self, along: Along) -> Option<usize> {
        self.list.iter().rposition(|axis| axis.along == along)
    }
}

impl Axis {
    /// Why these are no coordinates of an image's side, where the file has some: none lies twice, and all follow one direction.
    pub fn fault(&self) -> Option<String> {
        let steps = self.steps.as_deref().filter(|steps| steps.len() > 1)?;
        let rises = steps.last() > steps.first();
        let follows = |pair: &[f64]| match rises {
            true => pair[0] < pair[1],
            false => pair[0] > pair[1],
        };
        let first = steps.windows(2).position(|pair| !follows(pair))?;
        Some(format!(
            "the coordinates of its axis {} neither rise nor fall all along: {} is followed by {} (steps {} and {} of {})",
            self.name,
            steps[first],
            steps[first + 1],
            first + 1,
            first + 2,
            steps.len()
        ))
    }
}

/// Longitudes that go on beyond 180° where the file begins anew at −180°, or beyond 360° at 0°.
fn unwrap(longitudes: &mut [f64]) {
    let mut turns = 0.0;
    for i in 1..longitudes.len() {
        let step = longitudes[i] + turns - longitudes[i - 1];
        if step < -180.0 {
            turns += 360.0;
        } else if step > 180.0 {
            turns -= 360.0;
        }
        longitudes[i] += turns;
    }
}

pub(super) const EAST: &[&str] = &[
    "degrees_east",
    "degree_east",
    "degree_E",
    "degrees_E",
    "degreeE",
    "degreesE",
];
pub(super) const NORTH: &[&str] = &[
    "degrees_north",
    "degree_north",
    "degree_N",
    "degrees_N",
    "degreeN",
    "degreesN",
];

/// The variable of an axis's name lies in the array's group or in one above.
fn axis(container: &Container, array: &str, name: String, size: usize) -> Result<Axis> {
    bounds::fits(
        format!("the coordinates of the {size} steps of the axis {name}"),
        size,
        size_of::<f64>(),
        "open a part of the file",
    )?;
    let mut group = array;
    while let Some((above, _)) = group.rsplit_once('/') {
        group = above;
        let found = container.with(&format!("{group}/{name}"), &mut |variable| {
            if arrays::shape_of(variable).ok().as_deref() != Some(&[size]) {
                return Ok(None);
            }
            let said = |attribute: &str| text(variable, attribute);
            let units = said("units");
            let units = if units.is_empty() { variable.unit() } else { units };
            let along = along(&name, &units, &said("standard_name"), &said("axis"));
            let mut steps = steps(variable, size);
            if along == Along::X && EAST.contains(&units.as_str()) {
                steps.as_deref_mut().map(unwrap);
            }
            Ok(Some(Axis {
                name: name.clone(),
                size,
                along,
                steps,
                units,
                calendar: said("calendar"),
            }))
        })?;
        if let Some(axis) = found.flatten() {
            return Ok(axis);
        }
    }
    Ok(Axis {
        along: along(&name, "", "", ""),
        name,
        size,
        steps: None,
        units: String::new(),
        calendar: String::new(),
    })
}

/// What is not a list of numbers has no steps.
fn steps(variable: &MDArray<'_>, size: usize) -> Option<Vec<f64>> {
    let datatype = variable.datatype();
    if !datatype.class().is_numeric() {
        return None;
    }
    let values = variable.read_as::<f64>(vec![0], vec![size]).ok()?;
    let is_single = datatype.numeric_datatype() == gdal_sys::GDALDataType::GDT_Float32;
    // Coordinates such as 10.05 are meant as they are written, not as the nearest float32.
    let meant = |v: f64| {
        if is_single {
            (v as f32).to_string().parse().unwrap_or(v)
        } else {
            v
        }
    };
    Some(values.into_iter().map(meant).collect())
}

pub(super) fn along(name: &str, units: &str, standard_name: &str, axis: &str) -> Along {
    match axis {
        "X" => return Along::X,
        "Y" => return Along::Y,
        "T" => return Along::Time,
        "Z" => return Along::Other,
        _ => {}
    }
    match standard_name {
        "longitude" | "projection_x_coordinate" | "grid_longitude" => return Along::X,
        "latitude" | "projection_y_coordinate" | "grid_latitude" => return Along::Y,
        "time" => return Along::Time,
        _ => {}
    }
    if EAST.contains(&units) {
        return Along::X;
    }
    if NORTH.contains(&units) {
        return Along::Y;
    }
    if units.contains(" since ") {
        return Along::Time;
    }
    let name = name.to_lowercase();
    match name.split(':').next().unwrap_or(&name) {
        "x" | "lon" | "longitude" | "rlon" | "easting" | "xc" | "xdim" | "west_east" => Along::X,
        "y" | "lat" | "latitude" | "rlat" | "northing" | "yc" | "ydim" | "south_north" => Along::Y,
        "time" => Along::Time,
        _ => Along::Other,
    }
}

/// The CRS of a grid mapping that GDAL does not heed, as in HDF5: its WKT or EPSG code.
fn mapped(container: &Container, array: &str, mapping: &str) -> Result<Option<Crs>> {
    let group = array.rsplit_once('/').map_or("", |(group, _)| group);
    if mapping.is_empty() {
        return Ok(None);
    }
    let found = container.with(&format!("{group}/{mapping}"), &mut |variable| {
        let wkt = ["crs_wkt", "spatial_ref"].map(|name| text(variable, name));
        let code = ["epsg_code", "spatial_epsg"].map(|name| text(variable, name));
        Ok((wkt, code))
    })?;
    Ok(found.and_then(|(wkt, code)| {
        let wkt = wkt.into_iter().find_map(|wkt| Crs::from_wkt(&wkt).ok());
        wkt.or_else(|| code.into_iter().find_map(|code| Crs::parse(&code).ok()))
    }))
}

/// An attribute as text; empty where there is none.
fn text(array: &MDArray<'_>, name: &str) -> String {
    let text = array.attribute(name).map(|attribute| attribute.read_as_string());
    text.unwrap_or_default().trim_end_matches('\0').trim().to_string()
}
