//! Where the pixels of a file lie, by what the file says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gdal::Dataset;

use super::layout::{Arranged, Spacing, driver_of, stated_crs};
use super::located;
use super::pool::SourceFile;
use super::tiff::{Said, said};
use crate::error::{Error, Result};
use crate::gate;
use crate::raster::grid::LARGEST_SIDE;
use crate::raster::swath::{Nodes, Swath};
use crate::raster::{Affine, Crs, Grid, Pixels, Raster};

/// The grid of an open image. Images that are placed by control points, rational polynomials or geolocation arrays lie in pixel
/// coordinates, with a CRS that leads to the map; those that state no place, too, without one.
///
/// # Errors
/// A CRS without a place in it: pixels are never taken for its coordinates.
pub fn grid_of(
    dataset: &Dataset,
    file: &Arc<SourceFile>,
    arranged: Option<&Arranged>,
    told: Option<&Told>,
) -> Result<Grid> {
    // GDAL wraps what it cannot count to negative numbers.
    if file.rows.max(file.cols) > LARGEST_SIDE {
        return Err(Error::file(
            &file.path,
            format!("claims more than {LARGEST_SIDE} rows or columns"),
        ));
    }
    if let Some(fault) = arranged.and_then(|arranged| arranged.fault.as_ref()) {
        return Err(misplaced(&file.path, fault, (file.rows, file.cols)));
    }
    let crs = match arranged {
        Some(arranged) => arranged.axes.crs.clone(),
        None => told.map_or_else(|| stated_crs(dataset), |told| Some(told.crs.clone())),
    };
    let (transform, uneven) = match arranged.and_then(|arranged| arranged.place.as_ref()) {
        Some(Spacing::Even(transform)) => (Some(*transform), None),
        Some(Spacing::Uneven(steps)) => (None, Some(Crs::of_pixels(Arc::new(steps.clone())))),
        None => (dataset.geo_transform().ok().map(Affine::from_gdal), None),
    };
    let located = match (transform, uneven) {
        (Some(_), _) => None,
        (None, Some(uneven)) => Some(uneven),
        (None, None) => located::of(dataset, file)?.map(Crs::of_pixels),
    };
    let (crs, transform) = match (located.or(crs), transform) {
        (crs, Some(transform)) => (crs, transform),
        (Some(located), None) if located.locator().is_some() => (Some(located), Affine::PIXELS),
        (None, None) => (None, Affine::PIXELS),
        // Degrees alone say no CRS that would be missed.
        (Some(_), None) if arranged.is_some_and(|arranged| !arranged.axes.is_stated) => {
            (None, Affine::PIXELS)
        }
        (Some(crs), None) => return Err(without_place(&file.path, &crs, (file.rows, file.cols))),
    };
    Grid::new(crs, transform, file.rows, file.cols).map_err(|e| Error::file(&file.path, e.to_string()))
}

fn misplaced(path: &str, fault: &str, size: (usize, usize)) -> Error {
    Error::file(path, format!("{fault}. {}", say_where(size)))
}

fn say_where((rows, cols): (usize, usize)) -> String {
    format!(
        "Say where its pixels lie: {{ grid = raster.grid {{ … }} }} of {rows} × {cols} pixels (rows × cols); or \
         {{ grid = raster.grid {{ rows = {rows}, cols = {cols} }} }} to read it in pixel coordinates"
    )
}

fn without_place(path: &str, crs: &Crs, size: (usize, usize)) -> Error {
    let way_out = say_where(size);
    Error::file(
        path,
        format!(
            "states a CRS ({crs}) but not where its pixels lie in it: there is no transform, nor are there coordinates, control points or \
             the like. {way_out}"
        ),
    )
}

/// The grid of an array by its axes alone.
///
/// # Errors
/// As `grid_of`.
pub fn grid_by_axes(path: &str, arranged: &Arranged, (rows, cols): (usize, usize)) -> Result<Grid> {
    if rows.max(cols) > LARGEST_SIDE {
        return Err(Error::file(
            path,
            format!("claims more than {LARGEST_SIDE} rows or columns"),
        ));
    }
    if let Some(fault) = &arranged.fault {
        return Err(misplaced(path, fault, (rows, cols)));
    }
    let crs = arranged.axes.crs.clone();
    let (crs, transform) = match (&arranged.place, crs) {
        (Some(Spacing::Even(transform)), crs) => (crs, *transform),
        (Some(Spacing::Uneven(steps)), _) => (Some(Crs::of_pixels(Arc::new(steps.clone()))), Affine::PIXELS),
        (None, Some(crs)) if arranged.axes.is_stated => return Err(without_place(path, &crs, (rows, cols))),
        // Degrees alone say no CRS that would be missed.
        (None, _) => (None, Affine::PIXELS),
    };
    Grid::new(crs, transform, rows, cols).map_err(|e| Error::file(path, e.to_string()))
}

/// What a GeoTIFF says that takes GDAL long to tell, for it makes a CRS of the file's keys each time: most of what opening one takes.
pub struct Told {
    pub crs: Crs,
    /// Whether its bands may have units: their own, or those of heights that the CRS has.
    pub has_units: bool,
}

impl Told {
    /// Of an open image; None where only GDAL knows. What keys mean is found out once for all files that have the same.
    pub fn of(dataset: &Dataset, file: &SourceFile) -> Option<Told> {
        static KNOWN: Mutex<BTreeMap<Vec<u8>, Crs>> = Mutex::new(BTreeMap::new());
        const MOST_KNOWN: usize = 1000;
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        // A file beside it that states something else is believed.
        let overrides = || Path::new(&format!("{}.aux.xml", file.name)).exists();
        if driver_of(dataset) != "GTiff" || overrides() {
            return None;
        }
        let Said { keys, has_units } = said(&gate::open(Path::new(&file.name)).ok()?)?;
        let told = |crs: Crs| Told {
            // `VERT_CS`, `VERTCRS`, whatever the version of WKT.
            has_units: has_units || crs.wkt().contains("VERT"),
            crs,
        };
        if let Some(crs) = known().get(&keys) {
            return Some(told(crs.clone()));
        }
        let crs = stated_crs(dataset)?;
        let mut known = known();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(keys, crs.clone());
        Some(told(crs))
    }
}

/// The grid of an image whose pixels have the longitudes and latitudes of another one's two bands, read here.
///
/// # Errors
/// Bands that are not two, or of another size than the image.
pub fn geolocated(places: &Raster, size: (usize, usize), path: &str) -> Result<Grid> {
    if places.bands.len() != 2 || (places.grid.rows, places.grid.cols) != size {
        return Err(Error::argument(
            "geolocation",
            format!(
                "an image of 2 bands, longitude and latitude, of {} × {} pixels (rows × cols)",
                size.0, size.1
            ),
            format!(
                "{} bands of {} × {}",
                places.bands.len(),
                places.grid.rows,
                places.grid.cols
            ),
        ));
    }
    Swath::check_size(size.0, size.1)?;
    let mut arrays = places
        .read(places.grid.window())?
        .into_iter()
        .map(Pixels::into_f64);
    let (Some(mut lon), Some(mut lat)) = (arrays.next(), arrays.next()) else {
        return Err(Error::file(path, "its geolocation could not be read"));
    };
    if places.bands[0].name.to_lowercase().starts_with("lat") {
        std::mem::swap(&mut lon, &mut lat);
    }
    let swath = Swath::new(lon, lat, Nodes::CENTRES, size)?;
    Grid::new(
        Some(Crs::of_pixels(Arc::new(swath))),
        Affine::PIXELS,
        size.0,
        size.1,
    )
}
