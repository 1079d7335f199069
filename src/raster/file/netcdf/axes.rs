//! Dimensions of a netCDF file that is being written, and their coordinates.

use std::ptr::null_mut;

use gdal_sys::GDALDataType as Gdt;
use jiff::Timestamp;

use super::Attribute;
use super::file::{File, Handle, Owner, release_dimension, text};
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
        let unit = match grid.crs.as_ref().and_then(Crs::metres_per_unit) {
            Some(1.0) => "m",
            Some(1000.0) => "km",
            // Feet have many names; no unit is better than a wrong one.
            _ => "",
        };
        let one = |axis: &str, name: &str, values: Vec<f64>| -> Result<Handle> {
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
            let list: Vec<_> = list.into_iter().filter(|(_, text)| !text.is_empty()).collect();
            self.axis(name, Gdt::GDT_Float64, &list, &values)
        };
        let rows = (0..grid.rows).map(|r| grid.pixel_centre(r as isize, 0).1);
        let cols = (0..grid.cols).map(|c| grid.pixel_centre(0, c as isize).0);
        Ok([one("Y", y, rows.collect())?, one("X", x, cols.collect())?])
    }

    /// The dimension of times: in whole seconds where they are whole.
    pub(super) fn times(&self, times: &[Timestamp]) -> Result<Handle> {
        let whole = times.iter().all(|time| time.subsec_nanosecond() == 0);
        let (units, values): (&str, Vec<i64>) = match whole {
            true => (
                "seconds since 1970-01-01 00:00:00",
                times.iter().map(|t| t.as_second()).collect(),
            ),
            false => (
                "microseconds since 1970-01-01 00:00:00",
                times.iter().map(|t| t.as_microsecond()).collect(),
            ),
        };
        let list = [
            ("standard_name", "time"),
            ("axis", "T"),
            ("calendar", "proleptic_gregorian"),
            ("units", units),
        ];
        self.axis("time", Gdt::GDT_Int64, &list, &values)
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
    fn axis<T>(
        &self,
        name: &str,
        gdal: Gdt::Type,
        attributes: &[(&str, &str)],
        values: &[T],
    ) -> Result<Handle> {
        let dimension = self.dimension(name, values.len())?;
        let dtype = self.number_type(gdal)?;
        let array = self.array(name, &[&dimension], &dtype, &[])?;
        let list: Vec<_> = attributes
            .iter()
            .map(|(k, v)| (k.to_string(), Attribute::Text(v.to_string())))
            .collect();
        self.attributes(&Owner::Array(array.pointer.cast()), None, &list)?;
        self.put(&array, &dtype, &[0], &[values.len()], values)?;
        Ok(dimension)
    }
}

/// What the dimensions of rows and of columns are called.
pub(super) fn axes_of(grid: &Grid) -> [&'static str; 2] {
    match &grid.crs {
        Some(crs) if crs.is_geographic() => ["lat", "lon"],
        _ => ["y", "x"],
    }
}

/// True for images in pixel coordinates, which are nobody's projection.
pub(super) fn is_unplaced(grid: &Grid) -> bool {
    grid.crs.is_none() && grid.transform == Affine::PIXELS
}
