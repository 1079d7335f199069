//! Images in a netCDF file that is being written.

use std::sync::Mutex;

use gdal_sys::GDALDataType as Gdt;

use super::file::{File, Handle, Owner, encoded};
use super::{Attribute, NetCdf, Variable};
use crate::error::{Error, Result};
use crate::raster::Raster;
use crate::raster::execute::Run;
use crate::raster::file::gdal_type;

impl File {
    pub(super) fn image(&self, variable: &Variable, dimensions: &[Handle], contents: &NetCdf) -> Result<()> {
        let Some(grid) = variable.images.first().map(|image| &image.grid) else {
            return Ok(());
        };
        let gdal = gdal_type(variable.dtype).ok_or_else(|| {
            Error::argument(
                &*variable.name,
                "a data type that netCDF has here",
                variable.dtype,
            )
        })?;
        let options = [
            format!(
                "BLOCKSIZE={}{},{}",
                if contents.times.is_some() { "1," } else { "" },
                contents.chunk_rows.clamp(1, grid.rows),
                grid.cols
            ),
            "COMPRESS=DEFLATE".to_string(),
            format!("ZLEVEL={}", contents.level),
        ];
        let dimensions: Vec<&Handle> = dimensions.iter().collect();
        let array = self.array(&variable.name, &dimensions, &self.number_type(gdal)?, &options)?;
        let fill = encoded(variable.dtype, variable.fill);
        // SAFETY: the bytes are one element of the array's type.
        let ok =
            unsafe { gdal_sys::GDALMDArraySetRawNoDataValue(array.pointer.cast(), fill.as_ptr().cast()) };
        self.check(ok)?;
        let owner = Owner::Array(array.pointer.cast());
        self.attributes(&owner, Some(variable.dtype), &variable.attributes)?;
        if grid.crs.is_some() && !variable.attributes.iter().any(|(name, _)| name == "grid_mapping") {
            let mapping = (
                "grid_mapping".to_string(),
                Attribute::Text(contents.mapping.clone()),
            );
            self.attributes(&owner, None, &[mapping])?;
        }
        let shared = Shared {
            file: self,
            array: &array,
            dtype: self.number_type(Gdt::GDT_Float64)?,
        };
        for (step, image) in variable.images.iter().enumerate() {
            let at = contents.times.is_some().then_some(step as u64);
            let label = match &contents.times {
                Some(times) => format!("writing {} {}", variable.name, times[step]),
                None => format!("writing {}", variable.name),
            };
            shared.image(image, variable, at, &label)?;
        }
        Ok(())
    }
}

/// An array that the tiles of an image are written to, one at a time.
struct Shared<'a> {
    file: &'a File,
    array: &'a Handle,
    dtype: Handle,
}

// SAFETY: `put` is called under a lock only, so that GDAL sees one thread at a time.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    /// A valid pixel would be read as a masked one.
    fn clash(&self, variable: &Variable) -> Error {
        Error::file(
            &self.file.path,
            format!(
                "cannot be written: valid pixels of `{}` have the value {}, which stands for masked ones; give another {{ fill = … }}, or a \
                 {{ dtype = … }} that holds more values",
                variable.name, variable.fill
            ),
        )
    }

    /// Writes one image, at a step of time where the array has times.
    fn image(&self, image: &Raster, variable: &Variable, step: Option<u64>, label: &str) -> Result<()> {
        let run = Run::new(&image.grid, &image.ports(), image.grid.window())?;
        let lock = Mutex::new(());
        let range = variable.dtype.integer_range();
        run.for_each(label, &|_, window, mut pixels| {
            let values: Vec<f64> = pixels
                .swap_remove(0)
                .into_f64()
                .iter()
                .map(|&v| match range {
                    _ if v.is_nan() => Ok(variable.fill),
                    Some((low, high)) => match v.round_ties_even().clamp(low, high) {
                        stored if variable.is_default_fill && stored == variable.fill => {
                            Err(self.clash(variable))
                        }
                        stored => Ok(stored),
                    },
                    None => Ok(v),
                })
                .collect::<Result<_>>()?;
            let (mut start, mut count) = (
                vec![window.row as u64, window.col as u64],
                vec![window.rows, window.cols],
            );
            if let Some(step) = step {
                start.insert(0, step);
                count.insert(0, 1);
            }
            let _one_at_a_time = lock.lock().unwrap_or_else(|e| e.into_inner());
            self.file.put(self.array, &self.dtype, &start, &count, &values)
        })
    }
}
