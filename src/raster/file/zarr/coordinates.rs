//! The axes of the arrays of a Zarr: their coordinates, and the CRS that these are in.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::super::axes::{self, Axis};
use super::values::numbers_of;
use crate::bounds;
use crate::error::{Error, Result};
use crate::raster::zarr::array::{Array, load};
use crate::raster::zarr::metadata::{Attributes, Element, number};
use crate::raster::zarr::store::Zarr;
use crate::raster::{Crs, DType};

/// The coordinates of the axes of some arrays, by the full names of their arrays, and what is said of grid mappings.
pub(super) struct Coordinates {
    known: HashMap<String, Axis>,
    mappings: HashMap<String, Attributes>,
}

/// The names of an axis's array from the array's own group up.
fn candidates(array: &str, name: &str) -> Vec<String> {
    let mut group = array;
    let mut out = Vec::new();
    loop {
        group = group.rsplit_once('/').map_or("", |(above, _)| above);
        out.push(match group {
            "" => name.to_string(),
            group => format!("{group}/{name}"),
        });
        if group.is_empty() {
            return out;
        }
    }
}

impl Coordinates {
    /// Read together, since each is a request.
    pub(super) fn read(zarr: &Zarr, arrays: &[Arc<Array>]) -> Result<Coordinates> {
        let mut wanted: Vec<(String, Arc<Array>)> = Vec::new();
        let mut mappings = HashMap::new();
        for array in arrays {
            let metadata = &array.metadata;
            for (name, size) in metadata.dimensions.iter().zip(&metadata.shape) {
                let Some(name) = name else { continue };
                for full in candidates(&array.name, name) {
                    if wanted.iter().any(|(known, _)| *known == full) {
                        break;
                    }
                    if let Some(found) = zarr.array(&full)?
                        && found.metadata.shape == [*size]
                        && found.metadata.element.dtype().is_some()
                    {
                        wanted.push((full, found));
                        break;
                    }
                }
            }
            let mapping = metadata.attributes.get("grid_mapping").and_then(Json::as_str);
            // `crs: x y` says also which coordinates it is of.
            let mapping = mapping
                .and_then(|text| text.split([':', ' ']).next())
                .unwrap_or("spatial_ref");
            for full in candidates(&array.name, mapping) {
                if mappings.contains_key(&full) {
                    break;
                }
                if let Some(found) = zarr.array(&full)? {
                    mappings.insert(full, found.metadata.attributes.clone());
                    break;
                }
            }
        }
        let mut chunks = Vec::new();
        for (_, array) in &wanted {
            array.check_readable()?;
            bounds::fits(
                format!(
                    "the coordinates of the {:?} steps of the axis {}",
                    array.metadata.shape, array.name
                ),
                array.metadata.shape.iter().product(),
                size_of::<f64>(),
                "open a part of the file",
            )?;
            chunks.extend((0..array.grid()[0] as u64).map(|number| (array.clone(), number)));
        }
        // They stay until each is read in its turn.
        let loaded = load(&chunks)?;
        let mut known = HashMap::new();
        for (full, array) in wanted {
            known.insert(full, axis(&array)?);
        }
        drop(loaded);
        Ok(Coordinates { known, mappings })
    }

    pub(super) fn axes_of(&self, array: &Array) -> Vec<Axis> {
        let metadata = &array.metadata;
        let one = |(i, (name, size)): (usize, (&Option<String>, &usize))| {
            let name = name.clone().unwrap_or_else(|| format!("dim_{i}"));
            let known = candidates(&array.name, &name)
                .into_iter()
                .find_map(|full| self.known.get(&full));
            match known.filter(|axis| axis.size == *size) {
                Some(axis) => axis.clone(),
                None => Axis {
                    along: axes::along(&name, "", "", ""),
                    name,
                    size: *size,
                    steps: None,
                    units: String::new(),
                    calendar: String::new(),
                },
            }
        };
        metadata
            .dimensions
            .iter()
            .zip(&metadata.shape)
            .enumerate()
            .map(one)
            .collect()
    }
}

/// An axis by the array of its coordinates.
fn axis(array: &Arc<Array>) -> Result<Axis> {
    let metadata = &array.metadata;
    let said = |name: &str| {
        metadata
            .attributes
            .get(name)
            .and_then(Json::as_str)
            .unwrap_or("")
            .trim()
            .to_string()
    };
    let mut steps = numbers_of(&metadata.element, &array.whole()?).unwrap_or_default();
    let mut units = said("units");
    match &metadata.element {
        Element::Time {
            since,
            unit,
            steps: each,
        } => {
            let unit = match unit.as_str() {
                "ns" => "nanoseconds",
                "us" => "microseconds",
                "ms" => "milliseconds",
                "s" => "seconds",
                "m" => "minutes",
                "h" => "hours",
                "D" => "days",
                "W" => "weeks",
                other => other,
            };
            units = match since {
                true => format!("{unit} since 1970-01-01"),
                false => unit.to_string(),
            };
            let not_a_time = i64::MIN as f64;
            steps.iter_mut().for_each(|v| {
                *v = if *v == not_a_time {
                    f64::NAN
                } else {
                    *v * *each as f64
                }
            });
        }
        // Coordinates such as 10.05 are meant as they are written, not as the nearest float32.
        Element::Number(DType::F32) => {
            steps
                .iter_mut()
                .for_each(|v| *v = (*v as f32).to_string().parse().unwrap_or(*v));
        }
        _ => {}
    }
    let scale = metadata.attributes.get("scale_factor").and_then(number);
    let offset = metadata.attributes.get("add_offset").and_then(number);
    if scale.is_some() || offset.is_some() {
        let (scale, offset) = (scale.unwrap_or(1.0), offset.unwrap_or(0.0));
        steps.iter_mut().for_each(|v| *v = *v * scale + offset);
    }
    let name = array.name.rsplit('/').next().unwrap_or(&array.name).to_string();
    Ok(Axis {
        along: axes::along(&name, &units, &said("standard_name"), &said("axis")),
        name,
        size: steps.len(),
        steps: Some(steps),
        units,
        calendar: said("calendar"),
    })
}

/// The CRS of an array: of its grid mapping, or GDAL's own word for it.
pub(super) fn crs_of(zarr: &Zarr, array: &Array, coordinates: &Coordinates) -> Result<Option<Crs>> {
    let own = array
        .metadata
        .attributes
        .get("_CRS")
        .and_then(|crs| crs.get("wkt"))
        .and_then(Json::as_str);
    if let Some(crs) = own.and_then(|wkt| Crs::from_wkt(wkt).ok()) {
        return Ok(Some(crs));
    }
    let named = array
        .metadata
        .attributes
        .get("grid_mapping")
        .and_then(Json::as_str);
    let mapping = named
        .and_then(|text| text.split([':', ' ']).next())
        .unwrap_or("spatial_ref");
    let found = candidates(&array.name, mapping)
        .into_iter()
        .find_map(|full| coordinates.mappings.get(&full));
    let Some(attributes) = found else {
        return match named {
            Some(name) => Err(Error::file(
                &zarr.path,
                format!("{} names the grid mapping {name}, which is not there", array.name),
            )),
            None => Ok(None),
        };
    };
    let text = |name: &str| match attributes.get(name) {
        Some(Json::String(text)) => Some(text.clone()),
        Some(Json::Number(code)) => Some(code.to_string()),
        _ => None,
    };
    let wkt = ["crs_wkt", "spatial_ref"]
        .into_iter()
        .filter_map(text)
        .find_map(|wkt| Crs::from_wkt(&wkt).ok());
    let code = || {
        ["epsg_code", "spatial_epsg"]
            .into_iter()
            .filter_map(text)
            .find_map(|code| Crs::parse(&code).ok())
    };
    Ok(wkt.or_else(code))
}

/// Coordinates that turn back lead nowhere.
pub(super) fn check_rising(path: &str, axis: &Axis) -> Result<()> {
    let Some(steps) = axis.steps.as_deref().filter(|steps| steps.len() > 1) else {
        return Ok(());
    };
    let falls = steps.first() > steps.last();
    let turned = steps.windows(2).position(|pair| match falls {
        true => pair[0].partial_cmp(&pair[1]) != Some(std::cmp::Ordering::Greater),
        false => pair[0].partial_cmp(&pair[1]) != Some(std::cmp::Ordering::Less),
    });
    match turned {
        None => Ok(()),
        Some(at) => Err(Error::file(
            path,
            format!(
                "the coordinates of its axis {} neither rise nor fall all the way: {} comes after {} at step {}; say where it \
                 lies by the option `grid`",
                axis.name,
                steps[at + 1],
                steps[at],
                at + 2
            ),
        )),
    }
}
