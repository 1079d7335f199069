//! Images in a netCDF file that is being written.

use std::path::Path;

use super::code::{Seen, Stored, stored};
use super::file::{File, Handle, Owner, encoded};
use super::{Attribute, Definition, Fill, NetCdf, Storage, Variable, library};
use crate::error::{Error, Result};
use crate::raster::execute::Run;
use crate::raster::file::{gdal_type, has_signed_bytes};
use crate::raster::{DType, Raster, Window};
use crate::work;

/// Bytes of the largest chunk, unless its rows are given.
pub(super) const CHUNK: usize = 1 << 20;

/// A variable of an open file.
pub(super) struct Layer {
    array: Handle,
    /// Of other numbers than the array's own GDAL writes one at a time.
    number: Handle,
}

impl File {
    /// A variable without pixels, placed by the grid mapping of this name.
    pub(super) fn layer(
        &self,
        what: &Definition,
        dimensions: &[Handle],
        mapping: Option<&str>,
        storage: Storage,
    ) -> Result<Layer> {
        let gdal = gdal_type(what.dtype);
        // Before GDAL 3.7: what it takes for an unsigned byte is stored as a signed one.
        let as_bytes = what.dtype == DType::I8 && !has_signed_bytes();
        let (rows, cols) = storage.chunk;
        let mut options = vec![
            format!("NC_TYPE={}", if as_bytes { "NC_BYTE" } else { "AUTO" }),
            match dimensions.len() {
                0..=2 => format!("BLOCKSIZE={rows},{cols}"),
                _ => format!("BLOCKSIZE={},{rows},{cols}", storage.depth),
            },
        ];
        if let Some(level) = storage.level {
            options.extend(["COMPRESS=DEFLATE".to_string(), format!("ZLEVEL={level}")]);
        }
        let dimensions: Vec<&Handle> = dimensions.iter().collect();
        let array = self.array(&what.name, &dimensions, &self.number_type(gdal)?, &options)?;
        // Chunks are written whole, and once.
        library::without_cache(&self.draft, &what.name)
            .map_err(|e| Error::file(&self.path, format!("cannot be written: {e}")))?;
        if let Fill::Given(fill) | Fill::Default(fill) = what.fill {
            let fill = encoded(what.dtype, std::iter::once(fill));
            // SAFETY: the bytes are one element of the array's type.
            let ok =
                unsafe { gdal_sys::GDALMDArraySetRawNoDataValue(array.pointer.cast(), fill.as_ptr().cast()) };
            self.check(ok)?;
        }
        let owner = Owner::Array(array.pointer.cast());
        self.attributes(&owner, Some(what.dtype), &what.attributes)?;
        if let Some(mapping) = mapping
            && !what.attributes.iter().any(|(name, _)| name == "grid_mapping")
        {
            let mapping = ("grid_mapping".to_string(), Attribute::Text(mapping.to_string()));
            self.attributes(&owner, None, &[mapping])?;
        }
        let number = self.number_type(gdal)?;
        Ok(Layer { array, number })
    }

    /// Writes a part of a variable that has no times.
    fn put_window(&self, layer: &Layer, window: Window, pixels: &Stored) -> Result<()> {
        let start = [window.row as u64, window.col as u64];
        let count = [window.rows, window.cols];
        let (array, number) = (&layer.array, &layer.number);
        match pixels {
            Stored::F32(values) => self.put(array, number, &start, &count, values),
            Stored::F64(values) => self.put(array, number, &start, &count, values),
            Stored::Bytes(values) => self.put(array, number, &start, &count, values),
        }
    }

    /// What is known of a variable when all its pixels are there.
    pub(super) fn add_attributes(
        &self,
        layer: &Layer,
        dtype: DType,
        attributes: &[(String, Attribute)],
    ) -> Result<()> {
        self.attributes(&Owner::Array(layer.array.pointer.cast()), Some(dtype), attributes)
    }

    /// Writes a variable that has no times.
    pub(super) fn image(&self, variable: &Variable, dimensions: &[Handle], contents: &NetCdf) -> Result<()> {
        let Variable { what, images, .. } = variable;
        let Some(grid) = images.first().map(|image| &image.grid) else {
            return Ok(());
        };
        let row = grid.cols.saturating_mul(what.dtype.bytes());
        let chunk_rows = contents
            .chunk_rows
            .unwrap_or((CHUNK / row).min(512))
            .clamp(1, grid.rows);
        let mapping = grid.crs.as_ref().map(|_| contents.header.mapping.as_str());
        let storage = Storage {
            depth: 1,
            chunk: (chunk_rows, grid.cols),
            level: Some(contents.level),
        };
        let layer = self.layer(what, dimensions, mapping, storage)?;
        let target = Target {
            file: self,
            layer,
            what,
            chunk_rows,
        };
        images
            .iter()
            .try_for_each(|image| target.image(image, &format!("writing {}", what.name)))
    }
}

/// A variable that images are written to.
struct Target<'a> {
    file: &'a File,
    layer: Layer,
    what: &'a Definition,
    chunk_rows: usize,
}

impl Target<'_> {
    /// Writes one image by whole chunks.
    fn image(&self, image: &Raster, label: &str) -> Result<()> {
        let (grid, ports) = (&image.grid, image.ports());
        let progress = work::progress();
        progress.start(grid.window().len() as u64, label);
        for first in (0..grid.rows).step_by(self.chunk_rows) {
            let rows = self.chunk_rows.min(grid.rows - first);
            let window = Window::new(first as isize, 0, rows, grid.cols);
            let pixels = Run::prepare(grid, &ports, window)?
                .collect_quietly()?
                .swap_remove(0);
            let (values, seen) = stored(self.what, pixels);
            if seen.is_lost(self.what.fill) {
                return Err(clash(&self.file.path, self.what, seen, "fill"));
            }
            self.file.put_window(&self.layer, window, &values)?;
            progress.advance(window.len() as u64);
        }
        progress.finish();
        Ok(())
    }
}

/// A valid pixel would be read as a masked one; `option` is what asks for another value.
pub(in crate::raster::file) fn clash(path: &Path, what: &Definition, seen: Seen, option: &str) -> Error {
    let (name, fill) = (&what.name, what.fill.value());
    Error::file(
        path,
        format!(
            "cannot be written: {} valid pixels of `{name}` have the value {fill}, which stands for masked ones; give another \
             {{ {option} = … }}, or a {{ dtype = … }} that holds more values; nothing was written",
            seen.clashes
        ),
    )
}
