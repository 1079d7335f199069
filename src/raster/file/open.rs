//! Opening: what a file holds, without reading a pixel.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gdal::{Dataset, Metadata};

use super::axes::{Along, EAST};
use super::classes;
use super::encoding::{Attributes, Encoding, Mask, reported_type};
use super::hdf5_read::StoredImage;
use super::layout::{Arranged, driver_of};
use super::place::{Told, geolocated, grid_of};
use super::pool::{Lent, SourceFile};
use super::read::FileBand;
use super::truncated::container_of;
use super::{Subdataset, current_dir, gdal_name, is_special, message_of, refused_in, unsigned, zarr};
use crate::bounds;
use crate::bytes::stamp::Stamp;
use crate::error::{Error, Result};
use crate::raster::image::{Band, Properties, Property, Raster};
use crate::raster::{DType, Grid, Port, Unit};
use crate::work::provenance::RECORD;

/// How to open a file.
#[derive(Clone, Default)]
pub struct OpenOptions {
    /// Names or 1-based numbers of the bands wanted; all when absent.
    pub bands: Option<Vec<String>>,
    /// New names for the bands, in order.
    pub names: Option<Vec<String>>,
    /// Variable or subdataset of a container (netCDF, HDF5, Zarr).
    pub subdataset: Option<String>,
    /// Unit of all bands, where the file does not say it or says it wrongly.
    pub unit: Option<Unit>,
    /// Nodata value of all bands, instead of the file's.
    pub nodata: Option<f64>,
    /// Leaves scale and offset unapplied.
    pub raw: bool,
    /// Where the pixels lie, for files that do not carry it; rows and columns must be the file's.
    pub grid: Option<Arc<Grid>>,
    /// The longitude and latitude of every pixel, where another file carries them.
    pub geolocation: Option<Raster>,
}

/// An image, and what its container says of its axes.
pub struct Opened {
    pub raster: Raster,
    /// Of each of its bands the position in the file, from 0.
    pub indices: Vec<usize>,
    /// The array's name, without its groups.
    pub variable: Option<String>,
    pub arranged: Option<Arranged>,
}

/// Opens a file, URL or GDAL connection string as a lazy raster.
///
/// # Errors
/// A file that is missing, damaged, or of a format that is not read; an address that cannot be reached or asks for a login; a
/// container of several images of which none is named; a subdataset or band that it does not have; options that do not fit the
/// image.
pub fn open(path: &str, options: &OpenOptions) -> Result<Raster> {
    opened(path, options).map(|opened| opened.raster)
}

/// # Errors
/// As `open`.
pub fn opened(path: &str, options: &OpenOptions) -> Result<Opened> {
    check_local(path)?;
    let name = gdal_name(path);
    if zarr::is_zarr(path) {
        return zarr::open(path, options);
    }
    if let Some(wanted) = &options.subdataset
        && let Some(direct) = hdf5_subdataset(path, &name, wanted)
        && let Ok((file, lent)) = SourceFile::open(path, &direct)
    {
        return describe(file, lent, options, Some(wanted));
    }
    let stamp = Stamp::of_file(path);
    if let (Some(wanted), Some(_)) = (&options.subdataset, &stamp)
        && let Some(direct) = netcdf_variable(path, &name, wanted)
        && let Ok((file, lent)) = SourceFile::open(path, &direct)
        && let Ok(opened) = describe(file, lent, options, Some(wanted))
        // GDAL opens all that has a name, but lists images alone.
        && opened.arranged.as_ref().is_some_and(|arranged| arranged.axes.list.len() > 1)
    {
        return Ok(opened);
    }
    if let (Some(wanted), Some(stamp)) = (&options.subdataset, &stamp)
        && let Some(listed) = listed_before(path, stamp)
    {
        let found = named(&listed, wanted)?;
        let (file, lent) = SourceFile::open(path, &found.gdal_name)?;
        return describe(file, lent, options, Some(&found.name));
    }
    let (file, lent) = SourceFile::open(path, &name)?;
    let listed = subdatasets_of(lent.dataset()?);
    if let (Some(stamp), false) = (stamp, listed.is_empty()) {
        *LISTED.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((path.to_string(), stamp, Arc::new(listed.clone())));
    }
    if let Some(wanted) = &options.subdataset {
        if listed.is_empty() && lent.dataset()?.raster_count() > 0 {
            // The only image of a file is not listed, but has a name all the same.
            let only = describe(file, lent, options, None)?;
            let plain = wanted.trim_start_matches('/');
            let array = only
                .arranged
                .as_ref()
                .map(|a| a.axes.array.trim_start_matches('/').to_string());
            return match array {
                Some(array) if array == plain || array.ends_with(&format!("/{plain}")) => Ok(only),
                other => Err(Error::not_found("subdataset", wanted, other)),
            };
        }
        let found = named(&listed, wanted)?;
        let (sub_file, sub_lent) = SourceFile::open(path, &found.gdal_name)?;
        return describe(sub_file, sub_lent, options, Some(&found.name));
    }
    if lent.dataset()?.raster_count() == 0 {
        return Err(name_one(path, &listed));
    }
    describe(file, lent, options, None)
}

/// What the file that was opened last holds: many are asked for one variable after the other.
static LISTED: Mutex<Option<Listed>> = Mutex::new(None);

/// Name and state of a file, and its subdatasets.
type Listed = (String, Stamp, Arc<Vec<Subdataset>>);

fn listed_before(path: &str, stamp: &Stamp) -> Option<Arc<Vec<Subdataset>>> {
    let listed = LISTED.lock().unwrap_or_else(PoisonError::into_inner);
    let (name, of, listed) = listed.as_ref()?;
    (name == path && of == stamp).then(|| Arc::clone(listed))
}

/// The one of several images that is wanted.
pub(super) fn named<'a>(listed: &'a [Subdataset], wanted: &str) -> Result<&'a Subdataset> {
    let plain = wanted.trim_start_matches('/');
    let same = |s: &&Subdataset| {
        s.name == plain || s.gdal_name == wanted || s.gdal_name.ends_with(&format!(":{wanted}"))
    };
    // `/science/grids/height` may be called `height` as long as it is the only one.
    let short = || {
        let mut found = listed.iter().filter(|s| s.name.ends_with(&format!("/{wanted}")));
        found.next().filter(|_| found.next().is_none())
    };
    let found = listed.iter().find(same).or_else(short);
    found.ok_or_else(|| Error::not_found("subdataset", wanted, listed.iter().map(|s| s.name.as_str())))
}

pub(super) fn name_one(path: &str, listed: &[Subdataset]) -> Error {
    let Some(first) = listed.first() else {
        return Error::file(path, "has no image bands");
    };
    let names: Vec<&str> = listed.iter().map(|s| s.name.as_str()).collect();
    Error::file(
        path,
        format!(
            "holds several images; name one with {{ subdataset = \"{}\" }}; there are: {}",
            first.name,
            names.join(", ")
        ),
    )
}

/// GDAL's name of a variable of a netCDF file, where its own is such that no other can be meant. It saves opening the file once more, to list what it holds.
fn netcdf_variable(path: &str, name: &str, wanted: &str) -> Option<String> {
    let extension = Path::new(path).extension()?.to_string_lossy().to_lowercase();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_netcdf = matches!(extension.as_str(), "nc" | "nc4");
    (is_netcdf && !wanted.is_empty() && wanted.chars().all(is_plain) && !name.contains('"'))
        .then(|| format!("NETCDF:\"{name}\":{wanted}"))
}

/// GDAL's name of a dataset of an HDF5 file that is given by its full name. It saves listing all that the file holds, which
/// over a network is many requests.
fn hdf5_subdataset(path: &str, name: &str, wanted: &str) -> Option<String> {
    let extension = Path::new(path).extension()?.to_string_lossy().to_lowercase();
    let is_hdf5 = matches!(extension.as_str(), "h5" | "hdf5" | "he5");
    (is_hdf5 && wanted.starts_with('/') && !name.contains('"')).then(|| format!("HDF5:\"{name}\":/{wanted}"))
}

/// The images inside a container file; empty for plain images.
///
/// # Errors
/// A file that is missing, damaged, or of a format that is not read.
pub fn subdatasets(path: &str) -> Result<Vec<Subdataset>> {
    check_local(path)?;
    if zarr::is_zarr(path) {
        return zarr::images(path);
    }
    let stamp = Stamp::of_file(path);
    if let Some(listed) = stamp.and_then(|stamp| listed_before(path, &stamp)) {
        return Ok(listed.to_vec());
    }
    let (_, lent) = SourceFile::open(path, &gdal_name(path))?;
    Ok(subdatasets_of(lent.dataset()?))
}

/// Says what is wrong with a local path before GDAL words it worse.
pub(super) fn check_local(path: &str) -> Result<()> {
    if is_special(path) && !Path::new(path).exists() {
        return match refused_in(path) {
            Some(driver) => Err(Error::file(
                path,
                format!(
                    "asks for the driver {driver}, which perilune does not use: formats that reach databases, services or memory are \
                     closed; open a file, or get the data by the module catalog"
                ),
            )),
            None => Ok(()),
        };
    }
    let data = match std::fs::metadata(path) {
        Ok(data) => data,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NoSuchFile {
                path: path.into(),
                looked_in: current_dir(),
            });
        }
        Err(e) => return Err(Error::io(path, e)),
    };
    if data.is_file() && data.len() == 0 {
        return Err(Error::file(path, "is empty (0 bytes)"));
    }
    Ok(())
}

fn subdatasets_of(dataset: &Dataset) -> Vec<Subdataset> {
    let entries = dataset.metadata_domain("SUBDATASETS").unwrap_or_default();
    let value = |key: &str| {
        entries
            .iter()
            .find_map(|e| e.strip_prefix(key)?.strip_prefix('=').map(str::to_string))
    };
    (1..)
        .map_while(|i| {
            let gdal_name = value(&format!("SUBDATASET_{i}_NAME"))?;
            let description = value(&format!("SUBDATASET_{i}_DESC")).unwrap_or_default();
            let last = gdal_name.rsplit(':').next().unwrap_or(&gdal_name);
            let name = last.trim_matches('"').trim_start_matches('/').to_string();
            Some(Subdataset {
                name,
                gdal_name,
                description,
            })
        })
        .collect()
}

/// The same image, opened otherwise where its axes want it.
fn arranged_by_axes(
    file: Arc<SourceFile>,
    lent: Lent,
    options: &OpenOptions,
) -> Result<(Arc<SourceFile>, Lent, Option<Arranged>)> {
    let mut arranged = Arranged::of(&file.name, lent.dataset()?)?;
    if let Some(arranged) = &mut arranged
        && (options.grid.is_some() || options.geolocation.is_some())
    {
        arranged.keep_order();
    }
    let layout = arranged.as_ref().and_then(|arranged| arranged.layout.clone());
    let (file, lent) = match layout {
        None => (file, lent),
        layout => SourceFile::laid_out(&file.path, &file.name, layout)?,
    };
    Ok((file, lent, arranged))
}

fn describe(
    file: Arc<SourceFile>,
    lent: Lent,
    options: &OpenOptions,
    variable: Option<&str>,
) -> Result<Opened> {
    let (file, lent, arranged) = arranged_by_axes(file, lent, options)?;
    let dataset = lent.dataset()?;
    let told = Told::of(dataset, &file);
    let grid = match (&options.grid, &options.geolocation) {
        (None, Some(places)) => Arc::new(geolocated(places, (file.rows, file.cols), &file.path)?),
        (None, None) => Arc::new(grid_of(dataset, &file, arranged.as_ref(), told.as_ref())?),
        (Some(grid), _) if (grid.rows, grid.cols) == (file.rows, file.cols) => grid.clone(),
        (Some(grid), _) => {
            let expected = format!(
                "a grid of {} × {} (rows × cols), as {}",
                file.rows, file.cols, file.path
            );
            return Err(Error::argument("grid", expected, grid));
        }
    };
    let count = dataset.raster_count();
    let mut names = Vec::with_capacity(count);
    let array = arranged.as_ref().map(|arranged| arranged.axes.array.clone());
    let named = variable.or(array.as_deref());
    for i in 1..=count {
        names.push(band_name(dataset, i, count, named, &names)?);
    }
    let wanted: Vec<usize> = match &options.bands {
        None => (1..=count).collect(),
        Some(list) => list
            .iter()
            .map(|want| band_index(want, &names))
            .collect::<Result<_>>()?,
    };
    if let Some(new) = &options.names
        && new.len() != wanted.len()
    {
        return Err(Error::argument(
            "names",
            format!("one name per band ({})", wanted.len()),
            new.len(),
        ));
    }
    let mut bands = Vec::with_capacity(wanted.len());
    for (position, &index) in wanted.iter().enumerate() {
        let mut band = describe_band(&file, dataset, index, &grid, told.as_ref(), options)?;
        band.name = match &options.names {
            Some(new) => new[position].clone(),
            None => names[index - 1].clone(),
        };
        bands.push(band);
    }
    if let (Some(arranged), None, None) = (&arranged, &options.grid, &options.geolocation)
        && let Some(stored) = stored_image(&file, dataset, arranged)
    {
        // Of a file that was opened just now nobody else has set it.
        let _ = file.stored.set(stored);
    }
    let mut raster = Raster::new(grid, bands);
    raster.properties = properties_of(dataset);
    // As `write` puts it there.
    if let Some(Property::Text(time)) = raster.properties.get("TIME")
        && let Ok(time) = time.parse()
    {
        raster.time = Some(time);
        raster.properties.remove("TIME");
    }
    // An axis of one time says it of the whole image.
    if let Some(arranged) = &arranged
        && let Some(axis) = arranged.band_axis(Along::Time).map(|i| &arranged.axes.list[i])
        && let (1, Ok(times)) = (axis.size, axis.times(&file.path))
    {
        raster.time = raster.time.or_else(|| times.into_iter().flatten().next()?.time);
    }
    raster
        .properties
        .insert("path".into(), Property::Text(file.path.clone()));
    let array = array.as_deref().or(variable);
    Ok(Opened {
        raster,
        indices: wanted.into_iter().map(|index| index - 1).collect(),
        variable: array.map(|name| name.rsplit('/').next().unwrap_or(name).to_string()),
        arranged,
    })
}

/// The image as it is read without GDAL.
fn stored_image(file: &SourceFile, dataset: &Dataset, arranged: &Arranged) -> Option<StoredImage> {
    let (rows, cols) = arranged.stored_sides(dataset)?;
    // GDAL takes 360 from degrees east above 180.
    let units = dataset.rasterband(1).ok()?.unit();
    if EAST.contains(&units.as_str()) {
        return None;
    }
    let stored = StoredImage::of(container_of(&file.name), &arranged.axes.array, rows, cols)?;
    (stored.holds().1 == (file.rows, file.cols)).then_some(stored)
}

fn band_name(
    dataset: &Dataset,
    index: usize,
    count: usize,
    variable: Option<&str>,
    taken: &[String],
) -> Result<String> {
    let band = dataset
        .rasterband(index)
        .map_err(|e| Error::message(message_of(&e)))?;
    let description = band.description().unwrap_or_default();
    let name = if !description.is_empty() {
        description
    } else if let (Some(variable), 1) = (variable, count) {
        variable.rsplit('/').next().unwrap_or(variable).to_string()
    } else {
        format!("b{index}")
    };
    Ok(if taken.contains(&name) {
        format!("{name}_{index}")
    } else {
        name
    })
}

/// The 1-based number of a band given by name or number.
pub(super) fn band_index(wanted: &str, names: &[String]) -> Result<usize> {
    if let Some(i) = names.iter().position(|n| n == wanted) {
        return Ok(i + 1);
    }
    match wanted.parse::<usize>() {
        Ok(n) if (1..=names.len()).contains(&n) => Ok(n),
        _ => Err(Error::not_found("band", wanted, names)),
    }
}

fn describe_band(
    file: &Arc<SourceFile>,
    dataset: &Dataset,
    index: usize,
    grid: &Arc<Grid>,
    told: Option<&Told>,
    options: &OpenOptions,
) -> Result<Band> {
    let fail = |e: gdal::errors::GdalError| Error::file(&file.path, message_of(&e));
    let band = dataset.rasterband(index).map_err(fail)?;
    let reported = reported_type(file, &band, index)?;
    let attributes = Attributes::of(file, dataset, &band)?;
    let encoding = Encoding::of(file, dataset, &band, reported, &attributes, options)?;
    let (dtype, kind) = (encoding.value_type(), encoding.kind());
    let (block_cols, block_rows) = band.block_size();
    check_blocks(file, dataset, (block_rows, block_cols), reported.bytes())?;
    let (source, upward) =
        unsigned::source(file, dataset, reported, &attributes)?.unwrap_or((file.clone(), false));
    let source = FileBand {
        file: source,
        band: index,
        kind,
        mask: Mask::of(file, dataset, &band, index)?,
        upward,
        block: (block_rows, block_cols),
        encoding,
    };
    let stated = match told.is_none_or(|told| told.has_units) {
        true => band.unit(),
        false => String::new(),
    };
    let unit = match (&options.unit, stated) {
        (Some(unit), _) => unit.clone(),
        (None, text) if text.is_empty() => attributes.text("units").map_or(Unit::Unknown, Unit::parse),
        // As `write` leaves masks.
        (None, text) if text == "1" && dtype == DType::U8 && driver_of(dataset) == "GTiff" => Unit::Mask,
        (None, text) => Unit::parse(&text),
    };
    let nodata = source.encoding.nodata();
    let unit = match (unit, classes::read(&band, dtype, nodata)) {
        (Unit::Unknown | Unit::Class(_), classes) if !classes.is_empty() => Unit::Class(classes),
        (unit, _) => unit,
    };
    let port = Port::tiles(grid, Arc::new(source), Vec::new()).swap_remove(0);
    Ok(Band {
        name: String::new(),
        dtype,
        unit,
        nodata,
        port,
    })
}

/// What GDAL holds of a file for a single pixel already: the whole block around it, and of a TIFF the places of all blocks.
fn check_blocks(
    file: &SourceFile,
    dataset: &Dataset,
    (rows, cols): (usize, usize),
    bytes: usize,
) -> Result<()> {
    let driver = driver_of(dataset);
    // A virtual raster has blocks in name only.
    if driver == "VRT" {
        return Ok(());
    }
    let interleave = dataset.metadata_item("INTERLEAVE", "IMAGE_STRUCTURE");
    let together = interleave.as_deref() == Some("PIXEL");
    let (in_block, apart) = match dataset.raster_count() {
        bands if together => (bands, 1),
        bands => (1, bands),
    };
    let way_out = "write it anew in smaller blocks, as `gdal_translate -co TILED=YES` does";
    bounds::fits(
        format!("a block of {rows} × {cols} pixels (rows × cols) of {}", file.path),
        rows.saturating_mul(cols),
        bytes.saturating_mul(in_block),
        way_out,
    )?;
    if driver != "GTiff" {
        return Ok(());
    }
    let blocks = file.rows.div_ceil(rows.max(1)) * file.cols.div_ceil(cols.max(1));
    bounds::fits(
        format!("the list of the {blocks} blocks of {}", file.path),
        blocks.saturating_mul(apart),
        2 * size_of::<u64>(),
        way_out,
    )
}

/// The file's own metadata items.
fn properties_of(dataset: &Dataset) -> Properties {
    let items = dataset.metadata_domain("").unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.split_once('='))
        // Long, and of the file, not of what is made of it.
        .filter(|(key, _)| !key.ends_with(RECORD))
        .map(|(key, value)| (key.to_string(), Property::Text(value.to_string())))
        .collect()
}
