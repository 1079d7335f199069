//! Zarr as images: which of its arrays are, and where their axes say that they lie.

mod coordinates;
pub mod place;
mod slices;
mod values;

use std::sync::Arc;

use serde_json::Value as Json;

use self::coordinates::{Coordinates, check_rising, crs_of};
pub use self::place::{is_zarr, open_store};
pub use self::slices::slices;
use self::values::value_of;
pub use self::values::{numbers_of, read};
use super::Subdataset;
use super::arrays::ArrayInfo;
use super::axes::{Along, Axes, Axis, EAST, NORTH};
use super::encoding::{Encoding, Stated};
use super::layout::Arranged;
use super::open::{OpenOptions, Opened, band_index, named};
use super::place::{geolocated, grid_by_axes};
use crate::bounds;
use crate::error::{Error, Result};
use crate::raster::image::{Band, Properties, Property, Raster};
use crate::raster::zarr::array::Array;
use crate::raster::zarr::step::{Frame, Step};
use crate::raster::zarr::store::Zarr;
use crate::raster::{Crs, Grid, Port, Unit};

/// All arrays of a Zarr.
///
/// # Errors
/// What is no Zarr, or cannot be read.
pub fn list(path: &str) -> Result<Vec<ArrayInfo>> {
    listed(open_store(path)?.as_ref())
}

fn listed(zarr: &Zarr) -> Result<Vec<ArrayInfo>> {
    let mut list = Vec::new();
    for name in zarr.names()? {
        // One that makes no sense does not hide the others.
        let info = match zarr.array(&name) {
            Ok(Some(array)) => (array.metadata.shape.clone(), array.metadata.element.name()),
            Ok(None) => continue,
            Err(_) => (Vec::new(), "unknown".to_string()),
        };
        list.push(ArrayInfo {
            name: format!("/{}", zarr.shown(&name)),
            shape: info.0,
            dtype: info.1,
        });
    }
    Ok(list)
}

/// The arrays that are images: of two axes at least, and of numbers.
///
/// # Errors
/// What is no Zarr, or cannot be read.
pub fn images(path: &str) -> Result<Vec<Subdataset>> {
    images_of(open_store(path)?.as_ref(), path)
}

fn images_of(zarr: &Zarr, path: &str) -> Result<Vec<Subdataset>> {
    let is_image =
        |array: &ArrayInfo| array.shape.len() > 1 && !["string", "unknown"].contains(&array.dtype.as_str());
    let subdataset = |array: ArrayInfo| Subdataset {
        gdal_name: format!("ZARR:\"{path}\":{}", array.name),
        description: format!("{:?} {}", array.shape, array.dtype),
        name: array.name.trim_start_matches('/').to_string(),
    };
    Ok(listed(zarr)?
        .into_iter()
        .filter(is_image)
        .map(subdataset)
        .collect())
}

/// The array that is wanted, by its full name, or by the last part of it where that is the only one.
fn array_of(zarr: &Zarr, path: &str, wanted: &str) -> Result<Arc<Array>> {
    if let Some(array) = zarr.array(wanted)? {
        return Ok(array);
    }
    let images = match images_of(zarr, path) {
        Ok(images) => images,
        Err(_) if zarr.is_remote() => return Err(Error::not_found("subdataset", wanted, [] as [&str; 0])),
        Err(other) => return Err(other),
    };
    let found = named(&images, wanted)?;
    let gone = || Error::file(path, format!("holds no array {wanted} that can be read"));
    zarr.array(&found.name)?.ok_or_else(gone)
}

/// An array as images.
struct Variable {
    array: Arc<Array>,
    name: String,
    arranged: Arranged,
    frame: Frame,
    encoding: Arc<Encoding>,
    unit: Unit,
    grid: Arc<Grid>,
}

impl Variable {
    /// The axes whose steps are bands, outermost first.
    fn others(&self) -> Vec<usize> {
        let axes = 0..self.array.metadata.shape.len();
        axes.filter(|axis| *axis != self.frame.y && *axis != self.frame.x)
            .collect()
    }

    /// How many bands all steps of all other axes make.
    fn bands(&self) -> usize {
        let shape = &self.array.metadata.shape;
        let sizes = self.others().into_iter().map(|axis| shape[axis]);
        sizes.fold(1, usize::saturating_mul)
    }

    fn band(&self, number: usize, name: String) -> Band {
        let shape = &self.array.metadata.shape;
        let mut left = number;
        let mut index: Vec<usize> = Vec::new();
        for axis in self.others().into_iter().rev() {
            index.push(left % shape[axis].max(1));
            left /= shape[axis].max(1);
        }
        index.reverse();
        let step = Step::new(&self.array, self.frame, index, &self.encoding);
        Band {
            name,
            dtype: self.encoding.value_type(),
            unit: self.unit.clone(),
            nodata: self.encoding.nodata(),
            port: Port::tiles(&self.grid, Arc::new(step), Vec::new()).swap_remove(0),
        }
    }

    /// What its attributes say beside what they are read for.
    fn properties(&self, path: &str) -> Properties {
        const READ: [&str; 16] = [
            "_ARRAY_DIMENSIONS",
            "_FillValue",
            "_Unsigned",
            "_CRS",
            "_NCZARR_ARRAY",
            "add_offset",
            "coordinates",
            "grid_mapping",
            "missing_value",
            "scale_factor",
            "units",
            "valid_max",
            "valid_min",
            "valid_range",
            "calendar",
            "_nczarr_array",
        ];
        let mut properties = Properties::new();
        for (name, value) in &self.array.metadata.attributes {
            let text = match value {
                _ if READ.contains(&name.as_str()) => continue,
                Json::String(text) => text.clone(),
                Json::Number(_) | Json::Bool(_) => value.to_string(),
                _ => continue,
            };
            properties.insert(name.clone(), Property::Text(text));
        }
        properties.insert("path".into(), Property::Text(path.to_string()));
        properties
    }
}

/// Opens an image of a Zarr: every step of its other axes is a band.
///
/// # Errors
/// As `open`.
pub fn open(path: &str, options: &OpenOptions) -> Result<Opened> {
    let zarr = open_store(path)?;
    let array = match &options.subdataset {
        Some(wanted) => array_of(&zarr, path, wanted)?,
        None => match images_of(&zarr, path)?.as_slice() {
            [only] => array_of(&zarr, path, &only.name)?,
            several => return Err(super::open::name_one(path, several)),
        },
    };
    let variable = variables(&zarr, path, vec![array], options)?.swap_remove(0);
    let count = variable.bands();
    let names: Vec<String> = match count {
        1 => vec![variable.name.clone()],
        _ => (1..=count).map(|i| format!("b{i}")).collect(),
    };
    let wanted: Vec<usize> = match &options.bands {
        None => (0..count).collect(),
        Some(list) => list
            .iter()
            .map(|want| band_index(want, &names).map(|i| i - 1))
            .collect::<Result<_>>()?,
    };
    let given = |position: usize, band: usize| match &options.names {
        Some(new) => new.get(position).cloned().unwrap_or_default(),
        None => names[band].clone(),
    };
    if let Some(new) = &options.names
        && new.len() != wanted.len()
    {
        let expected = format!("one name per band ({})", wanted.len());
        return Err(Error::argument("names", expected, new.len()));
    }
    let bands = wanted
        .iter()
        .enumerate()
        .map(|(position, &band)| variable.band(band, given(position, band)));
    let mut raster = Raster::new(variable.grid.clone(), bands.collect());
    raster.properties = variable.properties(path);
    if let Some(axis) = variable
        .arranged
        .band_axis(Along::Time)
        .map(|i| &variable.arranged.axes.list[i])
        && let (1, Ok(times)) = (axis.size, axis.times(path))
    {
        raster.time = times.into_iter().flatten().next().and_then(|moment| moment.time);
    }
    Ok(Opened {
        raster,
        indices: wanted,
        variable: Some(variable.name.clone()),
        arranged: Some(variable.arranged),
    })
}

fn variables(
    zarr: &Zarr,
    path: &str,
    arrays: Vec<Arc<Array>>,
    options: &OpenOptions,
) -> Result<Vec<Variable>> {
    let coordinates = Coordinates::read(zarr, &arrays)?;
    arrays
        .into_iter()
        .map(|array| variable(zarr, path, array, &coordinates, options))
        .collect()
}

fn variable(
    zarr: &Zarr,
    path: &str,
    array: Arc<Array>,
    coordinates: &Coordinates,
    options: &OpenOptions,
) -> Result<Variable> {
    let metadata = &array.metadata;
    let full = zarr.shown(&array.name).to_string();
    let name = full.rsplit('/').next().unwrap_or(&full).to_string();
    array.check_readable()?;
    let Some(dtype) = metadata.element.dtype().filter(|_| metadata.shape.len() > 1) else {
        return Err(Error::file(
            path,
            format!(
                "{name} is no image: it is an array of {} axes and of the type {}",
                metadata.shape.len(),
                metadata.element.name()
            ),
        ));
    };
    if metadata.shape.contains(&0) {
        return Err(Error::file(
            path,
            format!("{name} has no elements: its shape is {:?}", metadata.shape),
        ));
    }
    let list = coordinates.axes_of(&array);
    let stated = crs_of(zarr, &array, coordinates)?;
    let in_degrees = |along, units: &[&str]| {
        list.iter()
            .any(|axis: &Axis| axis.along == along && units.contains(&axis.units.as_str()))
    };
    let is_stated = stated.is_some();
    let crs = match stated {
        Some(crs) => Some(crs),
        None if in_degrees(Along::X, EAST) && in_degrees(Along::Y, NORTH) => Some(Crs::wgs84()?),
        None => None,
    };
    let axes = Axes {
        array: format!("/{full}"),
        list,
        crs,
        is_stated,
    };
    let placed_otherwise = options.grid.is_some() || options.geolocation.is_some();
    let mut arranged = Arranged::of_axes(axes)
        .ok_or_else(|| Error::file(path, format!("{name} has no rows and columns")))?;
    let frame = arranged.frame();
    if placed_otherwise {
        arranged.turn_back();
    } else {
        for axis in [frame.0, frame.1] {
            check_rising(path, &arranged.axes.list[axis])?;
        }
    }
    let (y, x, flip_y, flip_x) = arranged.frame();
    let (rows, cols) = (metadata.shape[y], metadata.shape[x]);
    let grid = match (&options.grid, &options.geolocation) {
        (Some(grid), _) if (grid.rows, grid.cols) == (rows, cols) => grid.clone(),
        (Some(grid), _) => {
            let expected = format!("a grid of {rows} × {cols} (rows × cols), as {path}");
            return Err(Error::argument("grid", expected, grid));
        }
        (None, Some(places)) => Arc::new(geolocated(places, (rows, cols), path)?),
        (None, None) => Arc::new(grid_by_axes(path, &arranged, (rows, cols))?),
    };
    let fill = metadata.fill.as_deref().filter(|_| metadata.fill_is_missing);
    let fill = fill.and_then(|bytes| value_of(&metadata.element, bytes));
    let encoding = Encoding::of_stated(
        &Stated {
            dtype,
            fill,
            attributes: &metadata.attributes,
        },
        options,
    );
    let unit = match (
        &options.unit,
        metadata.attributes.get("units").and_then(Json::as_str),
    ) {
        (Some(unit), _) => unit.clone(),
        (None, Some(text)) => Unit::parse(text),
        (None, None) => Unit::Unknown,
    };
    let variable = Variable {
        name,
        frame: Frame { y, x, flip_y, flip_x },
        arranged,
        encoding: Arc::new(encoding),
        unit,
        grid,
        array,
    };
    let count = variable.bands();
    bounds::fits(
        format!("the list of the {count} images of {} of {path}", variable.name),
        count,
        1024,
        "open a part of it",
    )?;
    Ok(variable)
}
