//! Writing cubes as Zarr, of version 3 in shards or of version 2: a variable (time, y, x) for each band, its coordinates and a grid mapping by the
//! CF conventions. Steps of time can be added to a Zarr that was written here.
//!
//! # Source
//! Zarr core specification, version 3.0, with its codecs sharding_indexed, bytes, zstd and crc32c; Zarr storage specification, version 2; CF
//! conventions 1.11; xarray's Zarr encoding for names of axes and fill values, <https://docs.xarray.dev/en/stable/internals/zarr-encoding-spec.html>

mod append;
mod document;

use std::fs;
use std::path::Path;

use super::netcdf::axes::{dated, is_unplaced, placed};
use super::netcdf::code::Stored;
use super::netcdf::file::encoded;
use super::netcdf::{self, Definition, NetCdf, Variable, mapping};
use super::slabs::{Slabs, whole_chunks};
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::raster::zarr::codec::{Codec, Codecs};
use crate::raster::{DType, Grid, Window};
use document::{Array, Documents, TIMES};

/// How a Zarr is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZarrOptions {
    /// 2 or 3.
    pub version: u8,
    /// Times, rows and columns of a chunk.
    pub chunks: Option<[usize; 3]>,
    /// Adds later times to the Zarr that is there.
    pub append: bool,
}

/// Times of a chunk: enough for a series in few reads, few enough for a map in not many more than it needs.
const DEPTH: std::ops::RangeInclusive<usize> = 16..=128;

/// Chunks and shards of an array.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Layout {
    version: u8,
    chunk: [usize; 3],
    /// What is computed at once, and of version 3 a file: whole chunks.
    shard: [usize; 3],
}

impl Layout {
    fn of(options: &ZarrOptions, times: usize, grid: &Grid) -> Layout {
        let side = if options.version == 3 { 32 } else { 64 };
        let chunk = options.chunks.unwrap_or([
            times.clamp(*DEPTH.start(), *DEPTH.end()),
            side.min(grid.rows),
            side.min(grid.cols),
        ]);
        Layout::in_chunks(options.version, chunk, grid)
    }

    fn in_chunks(version: u8, chunk: [usize; 3], grid: &Grid) -> Layout {
        Layout {
            version,
            chunk,
            shard: whole_chunks(chunk, grid),
        }
    }
}

/// Writes a Zarr: what stands under `path` is whole or as it was.
///
/// # Errors
/// What a netCDF file is refused for; a folder that is no Zarr under that name; chunks that do not fit the memory; what the file system says.
/// With `append`, as there.
pub fn write(path: &Path, contents: &NetCdf, options: &ZarrOptions) -> Result<()> {
    let Some(first) = contents.variables.iter().flat_map(|v| &v.images).next() else {
        return Err(Error::argument("variables", "at least one image", "none"));
    };
    let grid = first.grid.clone();
    for variable in &contents.variables {
        for image in &variable.images {
            netcdf::check_real(image.only_band(&variable.what.name)?, variable.what.dtype)?;
            first.check_grid(image)?;
        }
    }
    let definitions: Vec<&Definition> = contents.variables.iter().map(|v| &v.what).collect();
    netcdf::check(&grid, &contents.header, &definitions)?;
    let is_there = super::zarr::is_zarr(&path.to_string_lossy());
    if options.append && is_there {
        return append::append(path, contents, options, &grid);
    }
    if path.is_dir() && !is_there {
        return Err(Error::file(
            path,
            "is a folder that is no Zarr: it is not replaced",
        ));
    }
    let times = contents.header.times.as_deref().unwrap_or_default();
    let layout = Layout::of(options, times.len(), &grid);
    let draft = DraftFolder::of_folder(path)?;
    let written = fill(path, draft.path(), contents, &grid, layout);
    draft.checked(written)?;
    draft.publish_folder()
}

fn fill(path: &Path, draft: &Path, contents: &NetCdf, grid: &Grid, layout: Layout) -> Result<()> {
    fs::create_dir(draft).map_err(|e| Error::io(path, e))?;
    let times = contents.header.times.as_deref().unwrap_or_default();
    let mut documents = Documents::new(layout.version, &contents.header.attributes);
    for (name, attributes) in &contents.header.records {
        documents.add(Array::record(name, attributes));
    }
    if let Some(crs) = &grid.crs {
        documents.add(Array::record(&contents.header.mapping, &mapping::of(crs, grid)));
    }
    let (attributes, seconds) = dated(times);
    let seconds: Vec<u8> = seconds.iter().flat_map(|v| v.to_ne_bytes()).collect();
    let time = Array::axis("time", DType::I64, times.len(), TIMES, &attributes);
    write_axis(path, draft, layout.version, &time, &seconds)?;
    documents.add(time);
    if !is_unplaced(grid) {
        for axis in placed(grid) {
            let count = axis.values.len();
            let array = Array::axis(axis.name, DType::F64, count, count.max(1), &axis.attributes);
            let bytes: Vec<u8> = axis.values.iter().flat_map(|v| v.to_ne_bytes()).collect();
            write_axis(path, draft, layout.version, &array, &bytes)?;
            documents.add(array);
        }
    }
    let mapping = grid.crs.as_ref().map(|_| contents.header.mapping.as_str());
    for variable in &contents.variables {
        documents.add(Array::variable(
            &variable.what,
            grid,
            times.len(),
            layout,
            contents.level,
            mapping,
        ));
    }
    let target = Target {
        path,
        draft,
        layout,
        level: contents.level,
    };
    target.pixels(&contents.variables, 0)?;
    documents.write(draft).map_err(|e| Error::io(path, e))
}

/// The chunks of an axis, each of its full length.
fn write_axis(path: &Path, draft: &Path, version: u8, array: &Array, bytes: &[u8]) -> Result<()> {
    let length = array.chunk[0] * array.dtype.bytes();
    for (number, chunk) in bytes.chunks(length).enumerate() {
        let key = if version == 3 {
            format!("c/{number}")
        } else {
            number.to_string()
        };
        let mut chunk = chunk.to_vec();
        chunk.resize(length, 0);
        put(path, &draft.join(&array.name).join(key), &chunk)?;
    }
    Ok(())
}

fn put(path: &Path, file: &Path, bytes: &[u8]) -> Result<()> {
    let made = match file.parent() {
        Some(folder) => fs::create_dir_all(folder),
        None => Ok(()),
    };
    made.and_then(|()| fs::write(file, bytes))
        .map_err(|e| Error::io(path, e))
}

/// Where chunks go.
struct Target<'a> {
    path: &'a Path,
    draft: &'a Path,
    layout: Layout,
    level: u32,
}

impl Target<'_> {
    /// Writes the pixels of the variables, whose images begin at a step that begins chunks.
    fn pixels(&self, variables: &[Variable], first: usize) -> Result<()> {
        let slabs = Slabs {
            path: self.path,
            shape: self.layout.shard,
        };
        let depth = self.layout.shard[0];
        slabs.each(variables, &|variable, steps, window, planes| {
            let planes: Vec<&[u8]> = planes.iter().map(Stored::bytes).collect();
            self.shard(&variable.what, (first + steps.start) / depth, window, &planes)
        })
    }

    /// A shard, or the chunks that it would be of.
    fn shard(&self, what: &Definition, place: usize, window: Window, planes: &[&[u8]]) -> Result<()> {
        let Layout {
            version,
            chunk,
            shard,
        } = self.layout;
        let width = what.dtype.bytes();
        let fill = encoded(what.dtype, std::iter::once(what.fill.value()));
        let codecs = Codecs {
            bytes: vec![Codec::Zstd(self.level as i32)],
            ..Codecs::default()
        };
        let fail = |reason: String| Error::file(self.path, format!("cannot be written: {reason}"));
        let (across, down) = (shard[2] / chunk[2], shard[1] / chunk[1]);
        let folder = self.draft.join(&what.name);
        let (mut bytes, mut index) = (Vec::new(), Vec::new());
        for row in 0..down {
            for col in 0..across {
                let (top, left) = (row * chunk[1], col * chunk[2]);
                let plain = gathered(planes, window, (top, left), chunk, &fill);
                let is_empty = plain.chunks_exact(width).all(|element| element == fill);
                if is_empty {
                    index.extend_from_slice(&[0xff; 16]);
                    continue;
                }
                let coded = codecs.encode(plain).map_err(fail)?;
                if version == 2 {
                    let place = [
                        place,
                        window.row as usize / chunk[1] + row,
                        window.col as usize / chunk[2] + col,
                    ];
                    put(
                        self.path,
                        &folder.join(place.map(|n| n.to_string()).join(".")),
                        &coded,
                    )?;
                    continue;
                }
                index.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                index.extend_from_slice(&(coded.len() as u64).to_le_bytes());
                bytes.extend_from_slice(&coded);
            }
        }
        if version == 2 || bytes.is_empty() {
            return Ok(());
        }
        let sums = Codecs {
            bytes: vec![Codec::Crc32c],
            ..Codecs::default()
        };
        bytes.extend(sums.encode(index).map_err(fail)?);
        let place = [
            place,
            window.row as usize / shard[1],
            window.col as usize / shard[2],
        ];
        put(
            self.path,
            &folder.join("c").join(place.map(|n| n.to_string()).join("/")),
            &bytes,
        )
    }
}

/// The elements of a chunk, those beyond the window and the last step filled up.
fn gathered(
    planes: &[&[u8]],
    window: Window,
    (top, left): (usize, usize),
    chunk: [usize; 3],
    fill: &[u8],
) -> Vec<u8> {
    let width = fill.len();
    let mut out = fill.repeat(chunk.iter().product());
    let rows = window.rows.saturating_sub(top).min(chunk[1]);
    let cols = window.cols.saturating_sub(left).min(chunk[2]);
    if cols == 0 {
        return out;
    }
    for (step, plane) in planes.iter().enumerate() {
        for row in 0..rows {
            let from = ((top + row) * window.cols + left) * width;
            let to = ((step * chunk[1] + row) * chunk[2]) * width;
            out[to..to + cols * width].copy_from_slice(&plane[from..from + cols * width]);
        }
    }
    out
}
