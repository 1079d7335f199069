//! One grid for images that lie on several.

use std::sync::Arc;

use super::align::{grid_over, reprojected_grid, resampled_grid};
use super::mosaic::grown_over;
use super::{Bounds, Crs, Grid};
use crate::error::{Error, Remedy, Result};

/// The bounds of an area on a grid.
pub type AreaOn<'a> = dyn Fn(&Grid) -> Result<Bounds> + 'a;

/// The grid of images of one search: the CRS that most of them have (of equals the first), or `crs`; the finest pixels that those have, or `resolution`;
/// over the area of all, or over what `area` says its bounds on such a grid are, outward to whole pixels.
///
/// Where neither CRS nor resolution is another than the images', pixels of the grid are pixels of images, so that those are not resampled.
///
/// # Errors
/// No image; rotated ones; what has no place in the CRS; an area that no image reaches into.
pub fn common_grid(
    grids: &[Arc<Grid>],
    crs: Option<&Crs>,
    resolution: Option<(f64, f64)>,
    area: Option<&AreaOn>,
) -> Result<Grid> {
    let count = |one: &Grid| grids.iter().filter(|other| other.crs == one.crs).count();
    // Of equals `max_by_key` takes the last.
    let usual = grids.iter().rev().max_by_key(|grid| count(grid));
    let usual = usual.ok_or_else(|| Error::argument("images", "at least one image", "none"))?;
    let alike = grids.iter().filter(|grid| grid.crs == usual.crs);
    let size = |grid: &Grid| grid.resolution().0 * grid.resolution().1;
    let finest = alike.min_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(usual);
    if !finest.transform.is_axis_aligned() {
        return Err(Error::message(format!(
            "an image is rotated; {}",
            Remedy::MosaicGrid
        )));
    }
    let lattice = match (crs, resolution) {
        (Some(crs), _) if finest.crs.as_ref() != Some(crs) => reprojected_grid(finest, crs, resolution)?,
        (_, Some(resolution)) => on_multiples(finest, resolution)?,
        _ => finest.as_ref().clone(),
    };
    let Some(area) = area else {
        return grown_over(&lattice, grids);
    };
    let whole = grown_over(&lattice, grids)?;
    let wanted = area(&whole)?;
    if !wanted.intersects(&whole.bounds()) {
        return Err(Error::argument(
            "bounds",
            format!(
                "an area that images reach into; they lie within {}",
                whole.bounds()
            ),
            wanted,
        ));
    }
    let (dx, dy) = whole.resolution();
    let own = whole.bounds();
    // What is whole up to rounding stays.
    let before = |length: f64, pixel: f64| (length / pixel + 1e-6).floor() * pixel;
    let after = |length: f64, pixel: f64| (length / pixel - 1e-6).ceil() * pixel;
    let snapped = Bounds {
        min_x: own.min_x + before(wanted.min_x - own.min_x, dx),
        max_x: own.min_x + after(wanted.max_x - own.min_x, dx),
        min_y: own.max_y - after(own.max_y - wanted.min_y, dy),
        max_y: own.max_y - before(own.max_y - wanted.max_y, dy),
    };
    grid_over(whole.crs.clone(), &snapped, (dx, dy))
}

/// The grid with other pixels, whose corners are multiples of their size, so that those of neighbours match.
fn on_multiples(grid: &Grid, (dx, dy): (f64, f64)) -> Result<Grid> {
    if grid.resolution() == (dx, dy) {
        return Ok(grid.clone());
    }
    let bounds = grid.bounds();
    let snapped = Bounds {
        min_x: (bounds.min_x / dx + 1e-6).floor() * dx,
        min_y: (bounds.min_y / dy + 1e-6).floor() * dy,
        max_x: (bounds.max_x / dx - 1e-6).ceil() * dx,
        max_y: (bounds.max_y / dy - 1e-6).ceil() * dy,
    };
    resampled_grid(&grid_over(grid.crs.clone(), &snapped, (dx, dy))?, (dx, dy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Affine;

    fn grid(epsg: u32, x: f64, y: f64, pixel: f64, size: usize) -> Arc<Grid> {
        let crs = Crs::parse(&format!("EPSG:{epsg}")).unwrap();
        Arc::new(Grid::new(Some(crs), Affine::north_up(x, y, pixel, pixel), size, size).unwrap())
    }

    #[test]
    fn most_images_say_the_crs_and_the_finest_the_pixels() {
        let grids = [
            grid(32633, 300_000.0, 5_000_000.0, 10.0, 30),
            grid(32632, 500_000.0, 5_000_000.0, 20.0, 50),
            grid(32632, 500_300.0, 5_000_600.0, 10.0, 100),
        ];
        let found = common_grid(&grids[1..], None, None, None).unwrap();
        assert_eq!(found.crs, grids[1].crs);
        // From 500000 to 501300 and from 4999000 to 5000600.
        assert_eq!(
            found.bounds().to_string(),
            Bounds {
                min_x: 500_000.0,
                min_y: 4_999_000.0,
                max_x: 501_300.0,
                max_y: 5_000_600.0
            }
            .to_string()
        );
        assert_eq!((found.rows, found.cols), (160, 130));
        assert_eq!(common_grid(&grids, None, None, None).unwrap().crs, grids[1].crs);
        // Of equals the first.
        assert_eq!(
            common_grid(&grids[..2], None, None, None).unwrap().crs,
            grids[0].crs
        );
    }

    #[test]
    fn areas_and_resolutions_fall_on_whole_pixels() {
        let grids = [grid(32632, 500_005.0, 5_000_005.0, 10.0, 100)];
        let area = |_: &Grid| {
            Ok(Bounds {
                min_x: 500_112.0,
                min_y: 4_999_500.0,
                max_x: 500_209.0,
                max_y: 4_999_608.0,
            })
        };
        let found = common_grid(&grids, None, None, Some(&area)).unwrap();
        assert_eq!(
            (found.transform.x0, found.transform.y0, found.rows, found.cols),
            (500_105.0, 4_999_615.0, 12, 11)
        );
        let coarse = common_grid(&grids, None, Some((30.0, 30.0)), None).unwrap();
        assert_eq!(
            (coarse.transform.x0 % 30.0, coarse.transform.y0 % 30.0),
            (0.0, 0.0)
        );
        assert!(coarse.bounds().min_x <= 500_005.0 && coarse.bounds().max_y >= 5_000_005.0);
        let away = |_: &Grid| {
            Ok(Bounds {
                min_x: 0.0,
                min_y: 0.0,
                max_x: 1.0,
                max_y: 1.0,
            })
        };
        assert!(
            common_grid(&grids, None, None, Some(&away))
                .unwrap_err()
                .to_string()
                .contains("that images reach into")
        );
    }
}
