//! Small arrays inside container files (HDF5, netCDF, Zarr): scalars, text, coordinates. Images are opened lazily instead.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gdal::cpl::CslStringList;
use gdal::raster::{Group, MDArray};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};

use super::open::check_local;
use super::pool;
use super::probe::{Use, try_out};
use super::remote::{drivers_for, reach, why};
use super::truncated::with_reason;
use super::{dtype_of, gdal_name, initialise, message_of, quieten_hdf5, zarr};
use crate::bytes;
use crate::bytes::stamp::Stamp;
use crate::error::{Error, Result};
use crate::raster::DType;

/// An array as a listing shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayInfo {
    /// Full name, with the groups that it lies in: `/data/x_coordinates`.
    pub name: String,
    /// Empty for a scalar.
    pub shape: Vec<usize>,
    /// `float64`, `complex64`, `string`…; `unknown` for what cannot be read here.
    pub dtype: String,
}

/// The elements of an array, the last dimension varying fastest.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ArrayValues {
    pub shape: Vec<usize>,
    pub elements: Elements,
}

/// Asked before memory is taken, with a name and a number of elements.
pub type Reserve<'a> = dyn FnMut(&str, usize) -> Result<()> + 'a;

/// All arrays of a file, group by group, in the file's order.
///
/// # Errors
/// When the file is missing, truncated, or no container of arrays.
pub fn list(path: &str) -> Result<Vec<ArrayInfo>> {
    if zarr::is_zarr(path) {
        return zarr::list(path);
    }
    Container::open(path)?.list()
}

/// The arrays of these full names; None for those that the file does not hold. `reserve` is asked before
/// memory is taken.
///
/// # Errors
/// As `list`; for complex and compound arrays; and when an array that is there cannot be read.
pub fn read(path: &str, names: &[String], reserve: &mut Reserve<'_>) -> Result<Vec<Option<ArrayValues>>> {
    if zarr::is_zarr(path) {
        return zarr::read(path, names, reserve);
    }
    let container = Container::open(path)?;
    names
        .iter()
        .map(|name| container.with(name, &mut |array| values(path, name, array, reserve)))
        .collect()
}

/// The type of an attribute of an array; None where there is none, or it cannot be told.
pub(super) fn attribute_type(path: &str, array: &str, attribute: &str) -> Option<DType> {
    with_array(path, array, &mut |_, array| {
        let attribute = array.attribute(attribute).ok()?;
        dtype_of(attribute.datatype().numeric_datatype())
    })
}

/// The number that an attribute of an array is, to its last digit.
pub(super) fn attribute_number(path: &str, array: &str, attribute: &str) -> Option<f64> {
    with_array(path, array, &mut |_, array| {
        let attribute = array.attribute(attribute).ok()?;
        attribute
            .datatype()
            .class()
            .is_numeric()
            .then(|| attribute.read_as_f64())
    })
}

/// True where the coordinates of an image's rows grow from one to the next. Rows without coordinates have none.
pub(super) fn grows_with_rows(path: &str, array: &str) -> bool {
    let grows = with_array(path, array, &mut |group, array| {
        let dimensions = array.dimensions().ok()?;
        let rows = &dimensions[dimensions.len().checked_sub(2)?];
        let last = rows.size().checked_sub(1)?;
        let coordinates = group.open_md_array(&rows.name(), none()).ok()?;
        let at = |index: usize| {
            coordinates
                .read_as::<f64>(vec![index as u64], vec![1])
                .ok()?
                .first()
                .copied()
        };
        Some(at(0)? < at(last)?)
    });
    grows == Some(true)
}

/// What `answer` makes of an array and the group that it lies in.
fn with_array<R>(
    path: &str,
    array: &str,
    answer: &mut dyn FnMut(&Group<'_>, &MDArray<'_>) -> Option<R>,
) -> Option<R> {
    fn walk<R>(
        group: &Group<'_>,
        groups: &[&str],
        last: &str,
        answer: &mut dyn FnMut(&Group<'_>, &MDArray<'_>) -> Option<R>,
    ) -> Option<R> {
        match groups.split_first() {
            Some((next, rest)) => walk(&group.open_group(next, none()).ok()?, rest, last, answer),
            None => answer(group, &group.open_md_array(last, none()).ok()?),
        }
    }
    let container = Container::open(path).ok()?;
    let root = container.root().ok()?;
    let parts: Vec<&str> = array.split('/').filter(|part| !part.is_empty()).collect();
    let (last, groups) = parts.split_last()?;
    walk(&root, groups, last, answer)
}

/// Files that are asked for one array after the other stay open in between.
const IDLE: usize = 2;
static POOL: Mutex<Vec<Idle>> = Mutex::new(Vec::new());

/// A file by its name, as it was when it was opened: netCDF's library goes by names.
type Idle = (String, Stamp, Dataset);

fn pool() -> MutexGuard<'static, Vec<Idle>> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes idle datasets of a file that is not what it was.
pub(super) fn close_changed(path: &str) {
    let now = Stamp::of_file(path);
    let changed: Vec<_> = pool()
        .extract_if(.., |(name, of, _)| name == path && Some(&*of) != now.as_ref())
        .collect();
    // Closed outside the lock: closing can take long.
    drop(changed);
}

/// A file of arrays, open.
pub(super) struct Container {
    path: String,
    stamp: Option<Stamp>,
    dataset: Option<Dataset>,
}

impl Container {
    /// # Errors
    /// As `list`.
    pub(super) fn open(path: &str) -> Result<Container> {
        let stamp = Stamp::of_file(path);
        let idle = stamp.as_ref().and_then(|stamp| {
            let mut pool = pool();
            let place = pool
                .iter()
                .position(|(name, of, _)| name == path && of == stamp)?;
            Some(pool.swap_remove(place).2)
        });
        quieten_hdf5();
        let dataset = match idle {
            Some(dataset) => dataset,
            None => open(path)?,
        };
        Ok(Container {
            path: path.to_string(),
            stamp,
            dataset: Some(dataset),
        })
    }

    pub(super) fn root(&self) -> Result<Group<'_>> {
        let lost = || Error::file(&self.path, "was closed");
        let dataset = self.dataset.as_ref().ok_or_else(lost)?;
        dataset
            .root_group()
            .map_err(|e| Error::file(&self.path, message_of(&e)))
    }

    pub(super) fn list(&self) -> Result<Vec<ArrayInfo>> {
        let mut found = Vec::new();
        list_group(&self.path, &self.root()?, "", 0, &mut found)?;
        Ok(found)
    }

    /// What `use_array` makes of the array with this full name; None where there is none.
    pub(super) fn with<R>(
        &self,
        name: &str,
        use_array: &mut dyn FnMut(&MDArray<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
        match parts.split_last() {
            Some((last, groups)) => find(&self.root()?, groups, last, use_array),
            None => Ok(None),
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let (Some(stamp), Some(dataset)) = (self.stamp.take(), self.dataset.take()) {
            let evicted = {
                let mut pool = pool();
                pool.insert(0, (self.path.clone(), stamp, dataset));
                if pool.len() > IDLE { pool.pop() } else { None }
            };
            // Closed outside the lock: closing can take long.
            drop(evicted);
        }
    }
}

/// A dataset that nothing else uses.
///
/// # Errors
/// As `list`.
pub(super) fn open(path: &str) -> Result<Dataset> {
    open_by(path, None)
}

/// By one of these drivers only, where they are named.
///
/// # Errors
/// As `list`.
pub(super) fn open_by(path: &str, only: Option<&[&'static str]>) -> Result<Dataset> {
    check_local(path)?;
    initialise();
    quieten_hdf5();
    let name = gdal_name(path);
    let drivers = only.map(<[_]>::to_vec).or_else(|| drivers_for(&name));
    let options = DatasetOptions {
        allowed_drivers: drivers.as_deref(),
        open_flags: GdalOpenFlags::GDAL_OF_MULTIDIM_RASTER
            | GdalOpenFlags::GDAL_OF_READONLY
            | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR,
        ..Default::default()
    };
    pool::close_changed(&name);
    reach(&name)?;
    try_out(&name, Use::Arrays)?;
    bytes::forget_refusals();
    let opened = Dataset::open_ex(&name, options);
    if let (Ok(_), Some(broken)) = (&opened, bytes::broken()) {
        return Err(broken);
    }
    opened.map_err(|e| {
        if let Some(reason) = why(&name) {
            return reason;
        }
        with_reason(path, || {
            format!(
                "holds no arrays that can be read (HDF5, netCDF, Zarr): {}",
                message_of(&e)
            )
        })
    })
}

fn none() -> CslStringList {
    CslStringList::new()
}

/// Deeper than any product nests its groups, and far from the end of the stack.
const DEEPEST: usize = 64;

pub(super) fn list_group(
    path: &str,
    group: &Group<'_>,
    prefix: &str,
    depth: usize,
    found: &mut Vec<ArrayInfo>,
) -> Result<()> {
    if depth > DEEPEST {
        return Err(Error::file(
            path,
            format!("has groups nested more than {DEEPEST} deep"),
        ));
    }
    for name in group.array_names(none()) {
        let full = format!("{prefix}/{name}");
        // What GDAL has no type for is listed all the same.
        let (shape, dtype) = match group.open_md_array(&name, none()) {
            Ok(array) => (shape_of(&array).unwrap_or_default(), type_name(&array)),
            Err(_) => (Vec::new(), "unknown".to_string()),
        };
        found.push(ArrayInfo {
            name: full,
            shape,
            dtype,
        });
    }
    for name in group.group_names(none()) {
        if let Ok(inner) = group.open_group(&name, none()) {
            list_group(path, &inner, &format!("{prefix}/{name}"), depth + 1, found)?;
        }
    }
    Ok(())
}

/// Walks down the groups and hands the array on, if all are there.
fn find<R>(
    group: &Group<'_>,
    groups: &[&str],
    last: &str,
    use_array: &mut dyn FnMut(&MDArray<'_>) -> Result<R>,
) -> Result<Option<R>> {
    if let Some((next, rest)) = groups.split_first() {
        return match group.open_group(next, none()) {
            Ok(inner) => find(&inner, rest, last, use_array),
            Err(_) => Ok(None),
        };
    }
    if !group.array_names(none()).iter().any(|name| name == last) {
        return Ok(None);
    }
    let array = group
        .open_md_array(last, none())
        .map_err(|e| Error::message(format!("/{last} cannot be read: {}", message_of(&e))))?;
    use_array(&array).map(Some)
}

pub(super) fn shape_of(array: &MDArray<'_>) -> gdal::errors::Result<Vec<usize>> {
    Ok(array.dimensions()?.iter().map(|d| d.size()).collect())
}

fn type_name(array: &MDArray<'_>) -> String {
    let datatype = array.datatype();
    if datatype.class().is_string() {
        return "string".into();
    }
    match dtype_of(datatype.numeric_datatype()) {
        Some(dtype) if datatype.class().is_numeric() => dtype.name().into(),
        _ => "unknown".into(),
    }
}

fn values(path: &str, name: &str, array: &MDArray<'_>, reserve: &mut Reserve<'_>) -> Result<ArrayValues> {
    let fail =
        |e: gdal::errors::GdalError| Error::file(path, format!("cannot read {name}: {}", message_of(&e)));
    let shape = shape_of(array).map_err(fail)?;
    let datatype = array.datatype();
    let elements = shape.iter().fold(1, |n: usize, size| n.saturating_mul(*size));
    reserve(name, elements)?;
    if datatype.class().is_string() {
        let texts = array.read_as_string_array().map_err(fail)?;
        let texts = texts.into_iter().map(|t| t.trim_end_matches('\0').to_string());
        let texts: Vec<String> = texts.collect();
        // The crate leaves out null pointers, which would shift the rest.
        if texts.len() != elements {
            return Err(Error::file(
                path,
                format!("cannot read {name}: some of its texts are missing"),
            ));
        }
        return Ok(ArrayValues {
            shape,
            elements: Elements::Texts(texts),
        });
    }
    let dtype = match dtype_of(datatype.numeric_datatype()) {
        Some(dtype) if datatype.class().is_numeric() && !dtype.is_complex() => dtype,
        _ => {
            return Err(Error::file(
                path,
                format!(
                    "{name} is an array of type {}, which cannot be read as numbers; images are opened with \
                     raster.open(path, {{ subdataset = \"{name}\" }})",
                    type_name(array)
                ),
            ));
        }
    };
    let start = vec![0; shape.len()];
    let elements = if dtype.is_float() {
        Elements::Numbers(array.read_as::<f64>(start, shape.clone()).map_err(fail)?)
    } else {
        Elements::Integers(array.read_as::<i64>(start, shape.clone()).map_err(fail)?)
    };
    Ok(ArrayValues { shape, elements })
}
