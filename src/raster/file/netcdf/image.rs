//! Images in a netCDF file that is being written.

use super::file::{File, Handle, Owner, encoded};
use super::{Attribute, NetCdf, Variable};
use crate::error::{Error, Result};
use crate::raster::execute::Run;
use crate::raster::file::{gdal_type, has_signed_bytes};
use crate::raster::tile::{MASKED_INTEGER, f64_to_integer, integer_to_f64};
use crate::raster::{DType, Pixels, Raster, Window};
use crate::work;

/// Bytes of the largest chunk, unless its rows are given.
const CHUNK: usize = 1 << 20;

impl File {
    pub(super) fn image(&self, variable: &Variable, dimensions: &[Handle], contents: &NetCdf) -> Result<()> {
        let Some(grid) = variable.images.first().map(|image| &image.grid) else {
            return Ok(());
        };
        let gdal = gdal_type(variable.dtype);
        // Before GDAL 3.7: what it takes for an unsigned byte is stored as a signed one.
        let as_bytes = variable.dtype == DType::I8 && !has_signed_bytes();
        let row = grid.cols.saturating_mul(variable.dtype.bytes());
        let chunk_rows = contents
            .chunk_rows
            .unwrap_or((CHUNK / row).min(512))
            .clamp(1, grid.rows);
        let options = [
            format!("NC_TYPE={}", if as_bytes { "NC_BYTE" } else { "AUTO" }),
            format!(
                "BLOCKSIZE={}{chunk_rows},{}",
                if contents.times.is_some() { "1," } else { "" },
                grid.cols
            ),
            "COMPRESS=DEFLATE".to_string(),
            format!("ZLEVEL={}", contents.level),
        ];
        let dimensions: Vec<&Handle> = dimensions.iter().collect();
        let array = self.array(&variable.name, &dimensions, &self.number_type(gdal)?, &options)?;
        let fill = encoded(variable.dtype, std::iter::once(variable.fill));
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
        let target = Target {
            file: self,
            array: &array,
            // Of other numbers than the array's own GDAL writes one at a time.
            dtype: self.number_type(gdal)?,
            variable,
            chunk_rows,
        };
        for (step, image) in variable.images.iter().enumerate() {
            let at = contents.times.is_some().then_some(step as u64);
            let label = match &contents.times {
                Some(times) => format!("writing {} {}", variable.name, times[step]),
                None => format!("writing {}", variable.name),
            };
            target.image(image, at, &label)?;
        }
        Ok(())
    }
}

/// An array that images are written to.
struct Target<'a> {
    file: &'a File,
    array: &'a Handle,
    dtype: Handle,
    variable: &'a Variable,
    chunk_rows: usize,
}

impl Target<'_> {
    /// A valid pixel would be read as a masked one.
    fn clash(&self) -> Error {
        let Variable { name, fill, .. } = self.variable;
        Error::file(
            &self.file.path,
            format!(
                "cannot be written: valid pixels of `{name}` have the value {fill}, which stands for masked ones; give another {{ fill = … }}, \
                 or a {{ dtype = … }} that holds more values"
            ),
        )
    }

    /// Writes one image by whole chunks, at a step of time where the array has times.
    fn image(&self, image: &Raster, step: Option<u64>, label: &str) -> Result<()> {
        let (grid, ports) = (&image.grid, image.ports());
        let progress = work::progress();
        progress.start(grid.window().len() as u64, label);
        for first in (0..grid.rows).step_by(self.chunk_rows) {
            let rows = self.chunk_rows.min(grid.rows - first);
            let window = Window::new(first as isize, 0, rows, grid.cols);
            let pixels = Run::prepare(grid, &ports, window)?
                .collect_quietly()?
                .swap_remove(0);
            let bytes = match &pixels {
                Pixels::I128(a) => self.whole(a.iter().copied())?,
                Pixels::F32(a) => self.stored(a.iter().map(|&v| f64::from(v)))?,
                Pixels::F64(a) => self.stored(a.iter().copied())?,
                // Refused before.
                Pixels::C32(a) => self.stored(a.iter().map(|v| f64::from(v.re)))?,
            };
            let (mut start, mut count) = (vec![first as u64, 0], vec![rows, grid.cols]);
            if let Some(step) = step {
                start.insert(0, step);
                count.insert(0, 1);
            }
            self.file.put(self.array, &self.dtype, &start, &count, &bytes)?;
            progress.advance(window.len() as u64);
        }
        progress.finish();
        Ok(())
    }

    /// 64-bit integers as the file keeps them: exact where it holds whole numbers.
    fn whole(&self, pixels: impl Iterator<Item = i128>) -> Result<Vec<u8>> {
        let Variable { fill, dtype, .. } = *self.variable;
        let (low, high) = match dtype {
            DType::I64 => (i64::MIN.into(), i64::MAX.into()),
            DType::U64 => (0, u64::MAX.into()),
            _ => return self.stored(pixels.map(integer_to_f64)),
        };
        // The end of the range is no float; it is meant by the one next to it.
        let fill = f64_to_integer(fill).clamp(low, high);
        let (mut bytes, mut clashes) = (Vec::new(), false);
        for v in pixels {
            let stored = if v == MASKED_INTEGER {
                fill
            } else {
                v.clamp(low, high)
            };
            clashes |= v != MASKED_INTEGER && stored == fill;
            // Two's complement: the lower half is the number in either type.
            bytes.extend_from_slice(&(stored as u64).to_ne_bytes());
        }
        match clashes && self.variable.is_default_fill {
            true => Err(self.clash()),
            false => Ok(bytes),
        }
    }

    /// Pixels as the file keeps them.
    fn stored(&self, pixels: impl Iterator<Item = f64>) -> Result<Vec<u8>> {
        let Variable { fill, dtype, .. } = *self.variable;
        let (range, mut clashes) = (dtype.integer_range(), false);
        let values = pixels.map(|v| match range {
            _ if v.is_nan() => fill,
            Some((low, high)) => {
                let stored = v.round_ties_even().clamp(low, high);
                clashes |= stored == fill;
                stored
            }
            None => v,
        });
        let bytes = encoded(dtype, values);
        match clashes && self.variable.is_default_fill {
            true => Err(self.clash()),
            false => Ok(bytes),
        }
    }
}
