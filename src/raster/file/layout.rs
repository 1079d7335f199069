//! Arrays of containers as images: which axes are columns and rows, and which way they run.
//!
//! GDAL's image of an array takes its last two axes for rows and columns, and netCDF's for bottom-up where it does not know
//! them. Where that does not fit what the axes say, the image is made of a view of the array instead, with the columns
//! eastward and row 0 in the north.

use std::ffi::{CStr, CString};
use std::path::Path;

use gdal::{Dataset, Metadata};
use serde::{Deserialize, Serialize};

use super::arrays::{self, Container};
use super::axes::{Along, Axes, Axis};
use super::hdf5_read::Side;
use super::steps::Steps;
use super::truncated::container_of;
use super::{last_message, reset_message};
use crate::error::{Error, Result};
use crate::raster::{Affine, Crs};

/// How an image is made of an array otherwise than GDAL does it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// GDAL's image, but for the turning round of rows of whose place nothing is known.
    AsStored,
    View(View),
}

/// An array as an image: every step of the other axes is a band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    array: String,
    /// Positions among the array's axes.
    x: usize,
    y: usize,
    /// Against the array's own order.
    flip_x: bool,
    flip_y: bool,
}

/// What the axes of an image's array say of it.
pub struct Arranged {
    pub axes: Axes,
    /// Where GDAL's own image will not do.
    pub layout: Option<Layout>,
    /// Where the pixels lie, unless GDAL's image says it.
    pub place: Option<Spacing>,
    /// Why its coordinates say no place, where they should.
    pub fault: Option<String>,
}

/// Where coordinates say that pixels lie, columns eastward and row 0 in the north.
pub enum Spacing {
    Even(Affine),
    Uneven(Steps),
}

impl Arranged {
    /// What the container of an open image says; None for images that are no arrays.
    ///
    /// # Errors
    /// When the container cannot be read.
    pub fn of(name: &str, dataset: &Dataset) -> Result<Option<Arranged>> {
        let driver = driver_of(dataset);
        if !matches!(driver.as_str(), "netCDF" | "HDF5" | "HDF5Image" | "Zarr") {
            return Ok(None);
        }
        let container = container_of(name);
        let array = match array_of(name, dataset) {
            Some(array) => array,
            None => match only_image(container)? {
                Some(array) => array,
                None => return Ok(None),
            },
        };
        let axes = Axes::read(container, &array, stated_crs(dataset))?;
        let stated = dataset.geo_transform().ok().map(Affine::from_gdal);
        Ok(axes.and_then(|axes| arrange(axes, stated, driver == "netCDF")))
    }

    /// What an array of a container says of an image that is a view of it.
    ///
    /// # Errors
    /// When the container cannot be read.
    pub fn of_array(container: &str, array: &str) -> Result<Option<Arranged>> {
        let axes = Axes::read(container, &format!("/{array}"), None)?;
        Ok(axes.and_then(Arranged::of_axes))
    }

    /// What axes say of an image that is a view of their array; None where they are fewer than two.
    pub fn of_axes(axes: Axes) -> Option<Arranged> {
        arrange(axes, None, false).map(|arranged| match &arranged.layout {
            Some(_) => arranged,
            None => {
                let (x, y) = arranged.image_axes();
                let view = View {
                    array: arranged.axes.array.clone(),
                    x,
                    y,
                    flip_x: false,
                    flip_y: false,
                };
                Arranged {
                    layout: Some(Layout::View(view)),
                    ..arranged
                }
            }
        })
    }

    /// Of a view, the axes of its rows and columns, and whether these run against the array's order.
    pub fn frame(&self) -> (usize, usize, bool, bool) {
        let (x, y) = self.image_axes();
        match &self.layout {
            Some(Layout::View(view)) => (y, x, view.flip_y, view.flip_x),
            _ => (y, x, false, false),
        }
    }

    /// The axis along something whose steps are bands: neither columns nor rows.
    pub fn band_axis(&self, along: Along) -> Option<usize> {
        self.band_axes().find(|&i| self.axes.list[i].along == along)
    }

    /// How rows and columns of GDAL's image of an array lie in it; None where only GDAL knows.
    pub fn stored_sides(&self, dataset: &Dataset) -> Option<(Side, Side)> {
        let side = |axis, is_turned| Side { axis, is_turned };
        let (x, y) = self.image_axes();
        let is_netcdf = driver_of(dataset) == "netCDF";
        match &self.layout {
            Some(Layout::View(view)) => Some((side(y, view.flip_y), side(x, view.flip_x))),
            Some(Layout::AsStored) => Some((side(y, false), side(x, false))),
            // GDAL turns images of netCDF over whose rows go north.
            None if is_netcdf => {
                let [_, dx, tilt, _, shear, dy] = dataset.geo_transform().ok()?;
                let steps = self.axes.list[y].steps.as_deref()?;
                let (first, last) = (steps.first()?, steps.last()?);
                (dx > 0.0 && dy < 0.0 && tilt == 0.0 && shear == 0.0 && first != last)
                    .then(|| (side(y, first < last), side(x, false)))
            }
            None => match dataset.geo_transform() {
                Ok(_) => None,
                Err(_) => Some((side(y, false), side(x, false))),
            },
        }
    }

    /// The indices along such an axis of bands, which count from 0.
    pub fn steps_of_bands(&self, axis: usize, bands: impl Iterator<Item = usize>) -> Vec<usize> {
        let inner = self
            .band_axes()
            .filter(|i| *i > axis)
            .map(|i| self.axes.list[i].size);
        let inner = inner.fold(1usize, usize::saturating_mul).max(1);
        let size = self.axes.list[axis].size.max(1);
        bands.map(|band| band / inner % size).collect()
    }

    /// What tells a band from the others of its time: its coordinates along the other axes, or its indices, from 1.
    pub fn label(&self, band: usize) -> String {
        let axes = self
            .band_axes()
            .filter(|&i| self.axes.list[i].along != Along::Time);
        let one = |i: usize| {
            let step = self.steps_of_bands(i, std::iter::once(band))[0];
            let stated = self.axes.list[i].steps.as_ref().and_then(|steps| steps.get(step));
            stated.map_or_else(|| (step + 1).to_string(), f64::to_string)
        };
        axes.map(one).collect::<Vec<_>>().join("_")
    }

    fn band_axes(&self) -> impl Iterator<Item = usize> {
        let (x, y) = self.image_axes();
        (0..self.axes.list.len()).filter(move |i| *i != x && *i != y)
    }

    /// For a grid that somebody else gives: rows and columns run as GDAL has them, where they are rows and columns.
    pub fn keep_order(&mut self) {
        let last = self.axes.list.len() - 1;
        self.layout = self.layout.take().filter(|layout| match layout {
            Layout::AsStored => true,
            Layout::View(view) => (view.x, view.y) != (last, last - 1),
        });
    }

    /// Of a view, the order of rows and columns as it is stored, which is nowhere.
    pub fn turn_back(&mut self) {
        if let Some(Layout::View(view)) = &mut self.layout {
            (view.flip_x, view.flip_y) = (false, false);
        }
        self.place = None;
        self.fault = None;
    }

    fn image_axes(&self) -> (usize, usize) {
        match &self.layout {
            Some(Layout::View(view)) => (view.x, view.y),
            _ => (self.axes.list.len() - 1, self.axes.list.len() - 2),
        }
    }
}

fn arrange(axes: Axes, stated: Option<Affine>, is_netcdf: bool) -> Option<Arranged> {
    let last = axes.list.len().checked_sub(1).filter(|last| *last > 0)?;
    let (x, y) = match (axes.position(Along::X), axes.position(Along::Y)) {
        (Some(x), Some(y)) => (x, y),
        _ => (last, last - 1),
    };
    let in_place = (x, y) == (last, last - 1);
    let place = placed(&axes.list[x], &axes.list[y], axes.crs.as_ref());
    let is_image = axes.list[x].along == Along::X && axes.list[y].along == Along::Y;
    // GDAL compares a few steps of an axis alone.
    let fault = [x, y]
        .into_iter()
        .filter(|_| is_image)
        .find_map(|i| axes.list[i].fault());
    let falling = |axis: &Axis| axis.steps.as_deref().is_some_and(|s| s.first() > s.last());
    let rising = |axis: &Axis| axis.steps.as_deref().is_some_and(|s| s.first() < s.last());
    let flips = (falling(&axes.list[x]), rising(&axes.list[y]));
    let upright =
        stated.is_some_and(|stated| stated.dx > 0.0 && stated.dy < 0.0 || !stated.is_axis_aligned());
    let layout = match (&place, in_place, stated) {
        // GDAL knew the axes, and turned them as it should. It takes slightly uneven ones for even.
        (Some(Spacing::Even(_)), true, _) if upright => None,
        (Some(_), true, None) if !is_netcdf && flips == (false, false) => None,
        (None, true, None) => is_netcdf.then_some(Layout::AsStored),
        // Of a place that is known better to GDAL, as angles of view are.
        (None, true, Some(_)) => None,
        _ => Some(Layout::View(View {
            array: axes.array.clone(),
            x,
            y,
            flip_x: flips.0,
            flip_y: flips.1,
        })),
    };
    let place = match (&layout, stated) {
        (None, Some(_)) => None,
        _ => place,
    };
    Some(Arranged {
        axes,
        layout,
        place,
        fault,
    })
}

fn placed(x: &Axis, y: &Axis, crs: Option<&Crs>) -> Option<Spacing> {
    let upward = |axis: &Axis| {
        let mut steps = coordinates(axis, crs)?;
        if steps.first() > steps.last() {
            steps.reverse();
        }
        steps.windows(2).all(|pair| pair[0] < pair[1]).then_some(steps)
    };
    let (x, mut y) = (upward(x)?, upward(y)?);
    let (columns, rows) = match (regular(&x), regular(&y)) {
        // A single row or column is as high or wide as the others are wide or high.
        (None, Some((y0, dy))) if x.len() == 1 => ((x[0] - dy / 2.0, dy), (y0, dy)),
        (Some((x0, dx)), None) if y.len() == 1 => ((x0, dx), (y[0] - dx / 2.0, dx)),
        (Some(columns), Some(rows)) => (columns, rows),
        _ if x.len() < 2 || y.len() < 2 => return None,
        _ => {
            y.reverse();
            // Without a CRS there is no map that uneven steps would lead to.
            return Some(Spacing::Uneven(Steps::new(crs?.clone(), x, y)));
        }
    };
    let top = rows.0 + rows.1 * y.len() as f64;
    Some(Spacing::Even(Affine::north_up(columns.0, top, columns.1, rows.1)))
}

/// The steps of an axis in units of the CRS; None where they are something else.
fn coordinates(axis: &Axis, crs: Option<&Crs>) -> Option<Vec<f64>> {
    let factor = match (axis.units.as_str(), crs.and_then(Crs::metres_per_unit)) {
        ("km" | "kilometer" | "kilometers" | "kilometre" | "kilometres", Some(metres)) => 1000.0 / metres,
        ("m" | "meter" | "meters" | "metre" | "metres", Some(metres)) => 1.0 / metres,
        // Angles of view, as of geostationary satellites, are no coordinates of the projection.
        ("rad" | "radian" | "radians" | "microradian", _) => return None,
        (_, Some(_)) if axis.units.starts_with("deg") => return None,
        _ => 1.0,
    };
    let steps = axis.steps.as_deref()?;
    Some(steps.iter().map(|v| v * factor).collect())
}

/// The lower edge and the size of rising steps; None for such as differ by more than a fiftieth of one from even ones.
fn regular(steps: &[f64]) -> Option<(f64, f64)> {
    let (first, last) = (steps.first()?, steps.last().filter(|_| steps.len() > 1)?);
    let size = (last - first) / (steps.len() - 1) as f64;
    let even = |(i, v): (usize, &f64)| (first + size * i as f64 - v).abs() <= 0.02 * size;
    let is_even = size.is_finite() && steps.iter().enumerate().all(even);
    is_even.then_some((first - size / 2.0, size))
}

/// The CRS that GDAL has of an image.
pub fn stated_crs(dataset: &Dataset) -> Option<Crs> {
    let wkt = dataset.projection();
    (!wkt.is_empty()).then(|| Crs::from_wkt(&wkt).ok()).flatten()
}

/// The full name of an image's array, where GDAL's name or its metadata say it.
fn array_of(name: &str, dataset: &Dataset) -> Option<String> {
    let quoted = name
        .split_once(":\"")
        .and_then(|(_, rest)| rest.split_once("\":"));
    let array = match quoted {
        Some((_, array)) => array.to_string(),
        None => dataset.rasterband(1).ok()?.metadata_item("NETCDF_VARNAME", "")?,
    };
    Some(format!("/{}", array.trim_matches(['/', '"'])))
}

/// The only array of a container with rows and columns.
pub fn only_image(container: &str) -> Result<Option<String>> {
    let listed = Container::open(container)?.list()?;
    let mut images = listed.into_iter().filter(|array| array.shape.len() >= 2);
    Ok(images
        .next()
        .filter(|_| images.next().is_none())
        .map(|array| array.name))
}

/// The short name of a dataset's driver; empty for views, which have none.
pub fn driver_of(dataset: &Dataset) -> String {
    // SAFETY: the dataset is open; a driver's name lives as long as the process.
    unsafe {
        let driver = gdal_sys::GDALGetDatasetDriver(dataset.c_dataset());
        if driver.is_null() {
            return String::new();
        }
        CStr::from_ptr(gdal_sys::GDALGetDriverShortName(driver))
            .to_string_lossy()
            .into_owned()
    }
}

/// Has netCDF files that this thread opens meanwhile keep the order of their rows.
pub fn as_stored<R>(layout: Option<&Layout>, open: impl FnOnce() -> R) -> R {
    const TURNING: &str = "GDAL_NETCDF_BOTTOMUP";
    if layout != Some(&Layout::AsStored) {
        return open();
    }
    let _ = gdal::config::set_thread_local_config_option(TURNING, "NO");
    let opened = open();
    let _ = gdal::config::clear_thread_local_config_option(TURNING);
    opened
}

/// The image of a view of an array. `name` is GDAL's name of an image of its container.
///
/// # Errors
/// When the container has lost the array, or GDAL cannot make the view.
pub fn open(path: &str, name: &str, view: &View) -> Result<Dataset> {
    let container = arrays::open(container_of(name))?;
    let failed = || {
        Error::file(
            Path::new(path),
            format!("{} cannot be read as an image: {}", view.array, last_message()),
        )
    };
    let array = CString::new(view.array.as_str()).map_err(|_| failed())?;
    reset_message();
    // SAFETY: the container's dataset is open; every handle is released once, after its last use. The image keeps what it needs
    // of the array, and the array of the file, so that it outlives the container.
    unsafe {
        let root = gdal_sys::GDALDatasetGetRootGroup(container.c_dataset());
        if root.is_null() {
            return Err(failed());
        }
        let whole = gdal_sys::GDALGroupOpenMDArrayFromFullname(root, array.as_ptr(), std::ptr::null_mut());
        gdal_sys::GDALGroupRelease(root);
        if whole.is_null() {
            return Err(failed());
        }
        let axes = gdal_sys::GDALMDArrayGetDimensionCount(whole);
        let ranges: Vec<&str> = (0..axes)
            .map(
                |i| match (i == view.x && view.flip_x) || (i == view.y && view.flip_y) {
                    true => "::-1",
                    false => ":",
                },
            )
            .collect();
        let turned = match CString::new(format!("[{}]", ranges.join(","))) {
            Ok(ranges) if view.flip_x || view.flip_y => gdal_sys::GDALMDArrayGetView(whole, ranges.as_ptr()),
            _ => whole,
        };
        let made = match turned.is_null() {
            true => std::ptr::null_mut(),
            false => gdal_sys::GDALMDArrayAsClassicDataset(turned, view.x, view.y),
        };
        if turned != whole && !turned.is_null() {
            gdal_sys::GDALMDArrayRelease(turned);
        }
        gdal_sys::GDALMDArrayRelease(whole);
        if made.is_null() {
            return Err(failed());
        }
        Ok(Dataset::from_c_dataset(made))
    }
}
