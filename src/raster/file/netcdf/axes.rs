//! Dimensions of a netCDF file that is being written, and their coordinates.

use std::ptr::null_mut;

use gdal_sys::GDALDataType as Gdt;
use jiff::Timestamp;

use super::file::{File, Handle, Owner, release_dimension, text};
use super::{Attribute, Attributes};
use crate::error::Result;
use crate::raster::file::reset_message;
use crate::raster::{Affine, Crs, Grid};

impl File {
    /// The dimensions of rows and columns, with the coordinates of pixel centres unless those are pixel coordinates themselves.
    pub(super) fn coordinates(&self, grid: &Grid) -> Result<[Handle; 2]> {
        let [y, x] = axes_of(grid);
        if is_unplaced(grid) {
            return Ok([self.dimension(y, grid.rows)?, self.dimension(x, grid.cols)?]);
        }
        let [rows, cols] = placed(grid);
        let one = |axis: Placed| self.axis(axis.name, Gdt::GDT_Float64, &axis.attributes, &axis.values);
        Ok([one(rows)?, one(cols)?])
    }

    /// The dimension of times: in whole seconds where they are whole.
    pub(super) fn times(&self, times: &[Timestamp]) -> Result<Handle> {
        let (attributes, values) = dated(times);
        self.axis("time", Gdt::GDT_Int64, &attributes, &values)
    }

    fn dimension(&self, name: &str, steps: usize) -> Result<Handle> {
        let (cname, none) = (text(&self.path, name)?, text(&self.path, "")?);
        reset_message();
        // SAFETY: the group is open; names are terminated.
        let made = unsafe {
            gdal_sys::GDALGroupCreateDimension(
                self.root,
                cname.as_ptr(),
                none.as_ptr(),
                none.as_ptr(),
                steps as u64,
                null_mut(),
            )
        };
        self.held(made.cast(), release_dimension)
    }

    /// A dimension with its coordinates, which are of the type given.
    fn axis<T>(&self, name: &str, gdal: Gdt::Type, attributes: &Attributes, values: &[T]) -> Result<Handle> {
        let dimension = self.dimension(name, values.len())?;
        let dtype = self.number_type(gdal)?;
        let array = self.array(name, &[&dimension], &dtype, &[])?;
        self.attributes(&Owner::Array(array.pointer.cast()), None, attributes)?;
        self.put(&array, &dtype, &[0], &[values.len()], values)?;
        Ok(dimension)
    }
}

/// An axis of rows or columns.
pub(in crate::raster::file) struct Placed {
    pub name: &'static str,
    pub attributes: Attributes,
    /// Of pixel centres.
    pub values: Vec<f64>,
}

/// The axes of rows and of columns of a grid, by the CF conventions.
pub(in crate::raster::file) fn placed(grid: &Grid) -> [Placed; 2] {
    let [y, x] = axes_of(grid);
    let unit = match grid.crs.as_ref().and_then(Crs::metres_per_unit) {
        Some(1.0) => "m",
        Some(1000.0) => "km",
        // Feet have many names; no unit is better than a wrong one.
        _ => "",
    };
    let one = |axis: &str, name: &'static str, values: Vec<f64>| {
        let letter = axis.to_lowercase();
        let (standard, long, unit) = match (&grid.crs, axis) {
            (Some(crs), "X") if crs.is_geographic() => ("longitude", "longitude".into(), "degrees_east"),
            (Some(crs), _) if crs.is_geographic() => ("latitude", "latitude".into(), "degrees_north"),
            (Some(_), _) => (
                match axis {
                    "X" => "projection_x_coordinate",
                    _ => "projection_y_coordinate",
                },
                format!("{letter} coordinate of projection"),
                unit,
            ),
            (None, _) => ("", format!("{letter} coordinate"), ""),
        };
        let list = [
            ("standard_name", standard),
            ("long_name", long.as_str()),
            ("description", long.as_str()),
            ("units", unit),
            ("axis", axis),
        ];
        Placed {
            name,
            attributes: texts(&list),
            values,
        }
    };
    let rows = (0..grid.rows).map(|r| grid.pixel_centre(r as isize, 0).1);
    let cols = (0..grid.cols).map(|c| grid.pixel_centre(0, c as isize).0);
    [one("Y", y, rows.collect()), one("X", x, cols.collect())]
}

fn texts(list: &[(&str, &str)]) -> Attributes {
    let said = list.iter().filter(|(_, text)| !text.is_empty());
    said.map(|(name, text)| (name.to_string(), Attribute::Text(text.to_string())))
        .collect()
}

/// The axis of times: in whole seconds where they are whole.
pub(in crate::raster::file) fn dated(times: &[Timestamp]) -> (Attributes, Vec<i64>) {
    let whole = times.iter().all(|time| time.subsec_nanosecond() == 0);
    let (units, values): (&str, Vec<i64>) = match whole {
        true => (SECONDS, times.iter().map(|t| t.as_second()).collect()),
        false => (MICROSECONDS, times.iter().map(|t| t.as_microsecond()).collect()),
    };
    let list = [
        ("standard_name", "time"),
        ("axis", "T"),
        ("calendar", "proleptic_gregorian"),
        ("units", units),
    ];
    (texts(&list), values)
}

pub(in crate::raster::file) const SECONDS: &str = "seconds since 1970-01-01 00:00:00";
pub(in crate::raster::file) const MICROSECONDS: &str = "microseconds since 1970-01-01 00:00:00";

/// What the dimensions of rows and of columns are called.
pub(in crate::raster::file) fn axes_of(grid: &Grid) -> [&'static str; 2] {
    match &grid.crs {
        Some(crs) if crs.is_geographic() => ["lat", "lon"],
        _ => ["y", "x"],
    }
}

/// True for images in pixel coordinates, which are nobody's projection.
pub(in crate::raster::file) fn is_unplaced(grid: &Grid) -> bool {
    grid.crs.is_none() && grid.transform == Affine::PIXELS
}
