//! Writing netCDF-4 by the CF conventions: images of one grid as variables of their own, text variables that only carry
//! attributes, coordinates, and a grid mapping. Whole images come as `Variable`s, pixels tile by tile to `Tiles`.
//!
//! # Source
//! CF conventions 1.11, <https://cfconventions.org>

mod append;
pub(super) mod axes;
mod chunks;
pub(super) mod code;
mod cube;
pub(super) mod file;
pub(super) mod image;
mod library;
pub(super) mod mapping;
mod tiles;

use std::path::Path;

use jiff::Timestamp;

pub use self::append::append;
pub(super) use self::tiles::Tiles;

use self::axes::{axes_of, is_unplaced};
use self::file::{File, Handle, Owner};
use super::options::Packing;
use super::{initialise, quieten_hdf5, whole};
use crate::bounds;
use crate::error::{Error, Result};
use crate::files::DraftFolder;
use crate::interrupt;
use crate::raster::{Band, DType, Grid, Raster};

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Text(String),
    Number(f64),
    Numbers(Vec<f64>),
    Integer(i64),
    /// Whole numbers of the variable's own type, as flag values are.
    Flags(Vec<i64>),
    /// A whole number of the variable's own type.
    Own(f64),
}

pub type Attributes = Vec<(String, Attribute)>;

/// The version that files which say nothing else are written by.
pub const CONVENTIONS: &str = "CF-1.11";

/// What stands for masked pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    /// Asked for, or NaN: valid pixels that have it are masked ones.
    Given(f64),
    /// Nobody has asked for it, so that a valid pixel that has it is an error.
    Default(f64),
    /// The same, but the file says it only where a pixel is masked.
    Spare(f64),
}

impl Fill {
    pub(super) fn value(self) -> f64 {
        match self {
            Fill::Given(v) | Fill::Default(v) | Fill::Spare(v) => v,
        }
    }
}

/// What a variable is. Values are rounded for types of whole numbers, halves away from zero as everywhere here, and limited to what they hold.
#[derive(Clone)]
pub struct Definition {
    pub name: String,
    pub dtype: DType,
    /// Of stored numbers, where they are packed.
    pub fill: Fill,
    /// How its images are packed, which its attributes say.
    pub packing: Option<Packing>,
    pub attributes: Attributes,
}

/// A variable of whole images.
#[derive(Clone)]
pub struct Variable {
    pub what: Definition,
    /// Of one band each, as many as there are times, or one.
    pub images: Vec<Raster>,
    /// So many of them, the first, hold stored numbers already: they are not packed again.
    pub stored: usize,
}

/// What a file says beside its variables.
pub struct Header {
    /// The steps of a time axis, in order, that all variables have; none for images of no time.
    pub times: Option<Vec<Timestamp>>,
    /// Text variables without dimensions, of one attribute at least.
    pub records: Vec<(String, Attributes)>,
    /// Attributes of the file.
    pub attributes: Attributes,
    /// The name of the grid mapping.
    pub mapping: String,
}

/// How pixels are kept.
#[derive(Clone, Copy)]
struct Storage {
    /// Times of a chunk.
    depth: usize,
    /// Rows and columns of a chunk.
    chunk: (usize, usize),
    /// Of deflate, 1 to 9; none for pixels as they are.
    level: Option<u32>,
}

pub struct NetCdf {
    /// All on one grid.
    pub variables: Vec<Variable>,
    pub header: Header,
    /// Rows of a chunk, which are as wide as the image; None for 512, or fewer where such a chunk would have more than 1 MiB.
    pub chunk_rows: Option<usize>,
    /// Of images of several times, times, rows and columns of a chunk; None for as many chunks along a series as over a map.
    pub chunks: Option<[usize; 3]>,
    /// Of deflate, 1 to 9.
    pub level: u32,
}

/// The level of deflate where nobody asks for one: more takes much longer and saves little.
pub const LEVEL: u32 = 2;

/// Writes a file: what stands under `path` is whole or as it was.
///
/// # Errors
/// No variable; images of several bands, of complex values, or on several grids; turned grids; two of one name; times that do not
/// rise; what GDAL's netCDF driver and the file system say.
pub fn write(path: &Path, contents: &NetCdf) -> Result<()> {
    let Some(first) = contents.variables.iter().flat_map(|v| &v.images).next() else {
        return Err(Error::argument("variables", "at least one image", "none"));
    };
    let grid = first.grid.clone();
    for variable in &contents.variables {
        for image in &variable.images {
            check_real(image.only_band(&variable.what.name)?, variable.what.dtype)?;
            first.check_grid(image)?;
        }
    }
    let definitions: Vec<&Definition> = contents.variables.iter().map(|v| &v.what).collect();
    check(&grid, &contents.header, &definitions)?;
    let draft = DraftFolder::new(path)?;
    draft.checked(fill(path, draft.path(), contents, &grid))?;
    draft.publish(&whole::stale_beside(path))
}

fn fill(path: &Path, draft: &Path, contents: &NetCdf, grid: &Grid) -> Result<()> {
    let (mut file, dimensions) = begin(path, draft, grid, &contents.header)?;
    match &contents.header.times {
        Some(times) => file = cube::fill(file, &dimensions, contents, grid, times.len())?,
        None => {
            for variable in &contents.variables {
                interrupt::check()?;
                file.image(variable, &dimensions, contents)?;
            }
        }
    }
    drop(dimensions);
    file.finish()?;
    let names = contents.variables.iter().map(|v| v.what.name.as_str());
    check_whole(path, draft, grid, names)
}

pub(super) fn check_real(band: &Band, dtype: DType) -> Result<()> {
    match band.dtype.is_complex() || dtype.is_complex() {
        true => Err(Error::argument(
            &*band.name,
            "an image of real numbers, which are all that netCDF holds (write `:real()` and `:imag()`, or a GeoTIFF or HDF5 file)",
            "a complex one",
        )),
        false => Ok(()),
    }
}

/// What no netCDF file can say.
pub(super) fn check(grid: &Grid, header: &Header, definitions: &[&Definition]) -> Result<()> {
    let times = header.times.as_deref().unwrap_or_default();
    if let Some(pair) = times.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(Error::argument(
            "times",
            "times that rise from image to image; `:sort()` the stack, and make one image of those of one time: `:group_by` and a \
             reducer or `:mosaic()`",
            format!("{} before {}", pair[0], pair[1]),
        ));
    }
    if let Some(crs) = &grid.crs {
        // Pixels that are placed by control points and the like have no coordinates to write.
        crs.spatial_ref()?;
    }
    if !grid.transform.is_axis_aligned() {
        return Err(Error::message(
            "the grid is turned against its CRS, which x and y coordinates cannot say; reproject the images first",
        ));
    }
    let [y, x] = axes_of(grid);
    let own = [x, y, "time", &header.mapping];
    let mut names: Vec<&str> = definitions.iter().map(|what| what.name.as_str()).collect();
    names.extend(header.records.iter().map(|(name, _)| name.as_str()));
    for name in &names {
        if own.contains(name) {
            return Err(Error::argument(
                "variables",
                "names that the coordinates and the grid mapping do not have; rename the band",
                format!("`{name}`"),
            ));
        }
        let starts = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        if !name.starts_with(starts)
            || name.ends_with(' ')
            || name.contains(|c: char| c == '/' || c.is_control())
        {
            return Err(Error::argument(
                "variables",
                "names that begin with a letter, a digit or `_`, and hold no `/`, as netCDF wants them; rename the band",
                format!("`{name}`"),
            ));
        }
    }
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|p| p[0] == p[1]) {
        return Err(Error::argument(
            "variables",
            "names that differ",
            format!("two called `{}`", pair[0]),
        ));
    }
    bounds::fits(
        format!("the coordinates of {} rows and columns", grid.rows.max(grid.cols)),
        grid.rows.max(grid.cols),
        size_of::<f64>(),
        "resample to a coarser grid first",
    )
}

/// A file with all but its variables, and the dimensions that these have.
fn begin(path: &Path, draft: &Path, grid: &Grid, header: &Header) -> Result<(File, Vec<Handle>)> {
    initialise();
    quieten_hdf5();
    let file = File::create(path, draft)?;
    file.attributes(&Owner::Group(file.root), None, &header.attributes)?;
    for (name, attributes) in &header.records {
        file.record(name, attributes)?;
    }
    if let Some(crs) = &grid.crs {
        file.record(&header.mapping, &mapping::of(crs, grid))?;
    }
    let mut dimensions = Vec::new();
    if let Some(times) = &header.times {
        dimensions.push(file.times(times)?);
    }
    dimensions.extend(file.coordinates(grid)?);
    Ok((file, dimensions))
}

/// A file that was closed can be read to its end.
fn check_whole<'a>(
    path: &Path,
    draft: &Path,
    grid: &Grid,
    variables: impl Iterator<Item = &'a str>,
) -> Result<()> {
    interrupt::check()?;
    let mut names = if is_unplaced(grid) {
        Vec::new()
    } else {
        axes_of(grid).to_vec()
    };
    names.extend(variables);
    whole::arrays(draft, "netCDF", &names).map_err(|reason| whole::error(path, &reason))
}
