//! Where the pixels of a file lie, by what the file says.

use std::sync::Arc;

use gdal::Dataset;

use super::layout::{Arranged, Place, stated_crs};
use super::located;
use super::pool::SourceFile;
use crate::error::{Error, Result};
use crate::raster::grid::LARGEST_SIDE;
use crate::raster::swath::{Nodes, Swath};
use crate::raster::{Affine, Crs, Grid, Pixels, Raster};

/// The grid of an open image. Images that are placed by control points, rational polynomials or geolocation arrays lie in pixel
/// coordinates, with a CRS that leads to the map; those that state no place, too, without one.
///
/// # Errors
/// A CRS without a place in it: pixels are never taken for its coordinates.
pub fn grid_of(dataset: &Dataset, file: &Arc<SourceFile>, arranged: Option<&Arranged>) -> Result<Grid> {
    // GDAL wraps what it cannot count to negative numbers.
    if file.rows.max(file.cols) > LARGEST_SIDE {
        return Err(Error::file(
            &file.path,
            format!("claims more than {LARGEST_SIDE} rows or columns"),
        ));
    }
    let crs = match arranged {
        Some(arranged) => arranged.axes.crs.clone(),
        None => stated_crs(dataset),
    };
    let (transform, uneven) = match arranged.and_then(|arranged| arranged.place.as_ref()) {
        Some(Place::Even(transform)) => (Some(*transform), None),
        Some(Place::Uneven(steps)) => (None, Some(Crs::of_pixels(Arc::new(steps.clone())))),
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
        (Some(crs), None) => {
            return Err(Error::file(
                &file.path,
                format!(
                    "states a CRS ({crs}) but not where its pixels lie in it: there is no transform, nor are there coordinates, control points or \
                     the like. Say where: {{ grid = raster.grid {{ … }} }} of {} × {} pixels (rows × cols); or \
                     {{ grid = raster.grid {{ rows = {}, cols = {} }} }} to read it in pixel coordinates",
                    file.rows, file.cols, file.rows, file.cols
                ),
            ));
        }
    };
    Grid::new(crs, transform, file.rows, file.cols).map_err(|e| Error::file(&file.path, e.to_string()))
}

/// The grid of an image whose pixels have the longitudes and latitudes of another one's two bands, read here.
///
/// # Errors
/// Bands that are not two, or of another size than the image.
pub fn geolocated(places: &Raster, file: &SourceFile) -> Result<Grid> {
    let size = (file.rows, file.cols);
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
    Swath::check_size(file.rows, file.cols)?;
    let mut arrays = places
        .read(places.grid.window())?
        .into_iter()
        .map(Pixels::into_f64);
    let (Some(mut lon), Some(mut lat)) = (arrays.next(), arrays.next()) else {
        return Err(Error::file(&file.path, "its geolocation could not be read"));
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
