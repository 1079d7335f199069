//! Writing netCDF-4 by the CF conventions: images of one grid as variables of their own, text variables that only carry
//! attributes, coordinates, and a grid mapping.

mod file;
mod image;
mod library;
mod mapping;

use std::path::Path;

use jiff::Timestamp;

use self::file::{File, Owner, is_unplaced};
use super::{initialise, quieten_hdf5, whole};
use crate::bounds;
use crate::error::{Error, Result};
use crate::files::Draft;
use crate::interrupt;
use crate::raster::{DType, Grid, Raster};

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Text(String),
    Number(f64),
    Integer(i64),
    /// Whole numbers of the variable's own type, as flag values are.
    Flags(Vec<i64>),
}

pub type Attributes = Vec<(String, Attribute)>;

/// One variable of a file.
#[derive(Clone)]
pub struct Variable {
    pub name: String,
    /// Of one band each, as many as there are times, or one; values are rounded for types of whole numbers, and limited to what
    /// they hold.
    pub images: Vec<Raster>,
    pub dtype: DType,
    /// What stands for masked pixels.
    pub fill: f64,
    /// Nobody has asked for this value, so that whole numbers that have it are no masked pixels.
    pub is_default_fill: bool,
    pub attributes: Attributes,
}

pub struct NetCdf {
    /// All on one grid.
    pub variables: Vec<Variable>,
    /// The steps of a time axis, in order, that all variables have; none for images of no time.
    pub times: Option<Vec<Timestamp>>,
    /// Text variables without dimensions, of one attribute at least.
    pub records: Vec<(String, Attributes)>,
    /// Attributes of the file.
    pub attributes: Attributes,
    /// The name of the grid mapping.
    pub mapping: String,
    /// Rows of a chunk, which are as wide as the image; None for 512, or fewer where such a chunk would have more than 1 MiB.
    pub chunk_rows: Option<usize>,
    /// Of deflate, 1 to 9.
    pub level: u32,
}

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
            let band = image.only_band(&variable.name)?;
            first.check_grid(image)?;
            if band.dtype.is_complex() || variable.dtype.is_complex() {
                return Err(Error::argument(
                    &*variable.name,
                    "an image of real numbers",
                    "a complex one",
                ));
            }
        }
    }
    let times = contents.times.as_deref().unwrap_or_default();
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
    let mut names: Vec<&str> = vec!["x", "y", "time", &contents.mapping];
    names.extend(contents.variables.iter().map(|v| v.name.as_str()));
    names.extend(contents.records.iter().map(|(name, _)| name.as_str()));
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
    )?;
    initialise();
    quieten_hdf5();
    let draft = Draft::new(path)?;
    draft.checked(fill(path, draft.path(), contents, &grid))?;
    draft.publish()
}

fn fill(path: &Path, draft: &Path, contents: &NetCdf, grid: &Grid) -> Result<()> {
    let mut file = File::create(path, draft)?;
    file.attributes(&Owner::Group(file.root), None, &contents.attributes)?;
    for (name, attributes) in &contents.records {
        file.record(name, attributes)?;
    }
    if let Some(crs) = &grid.crs {
        file.record(&contents.mapping, &mapping::of(crs, grid))?;
    }
    let mut dimensions = Vec::new();
    if let Some(times) = &contents.times {
        dimensions.push(file.times(times)?);
    }
    dimensions.extend(file.coordinates(grid)?);
    for variable in &contents.variables {
        interrupt::check()?;
        file.image(variable, &dimensions, contents)?;
    }
    drop(dimensions);
    file.finish()?;
    interrupt::check()?;
    let mut names = if is_unplaced(grid) {
        Vec::new()
    } else {
        vec!["y", "x"]
    };
    names.extend(contents.variables.iter().map(|v| v.name.as_str()));
    whole::arrays(draft, "netCDF", &names).map_err(|reason| whole::error(path, &reason))
}
