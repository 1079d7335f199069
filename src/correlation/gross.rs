//! Gross offsets: where the search is centred, known beforehand.

use serde::{Deserialize, Serialize};

use super::images::ImagePair;
use super::points::Point;
use crate::error::{Error, Result, counted};
use crate::raster::sample::sample;
use crate::raster::warp::Resampling;
use crate::raster::{Grid, Raster};
use crate::table::{Column, Table};

/// Whole pixels added to the position in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gross {
    pub dx: i64,
    pub dy: i64,
}

impl Gross {
    /// # Errors
    /// Offsets that are absurd.
    pub fn check(self) -> Result<()> {
        match Gross::nearest(self.dx as f64, self.dy as f64) {
            Some(_) => Ok(()),
            None => Err(Error::argument(
                "gross offsets",
                format!("below {FARTHEST} px"),
                format!("{} and {}", self.dx, self.dy),
            )),
        }
    }

    /// The nearest whole pixels; None for what is not a number or absurd.
    pub fn nearest(dx: f64, dy: f64) -> Option<Gross> {
        let fits = |v: f64| v.abs() < FARTHEST;
        (fits(dx) && fits(dy)).then(|| Gross {
            dx: dx.round() as i64,
            dy: dy.round() as i64,
        })
    }
}

/// What is farther is absurd, in pixels.
const FARTHEST: f64 = 1e9;

/// What is known of the offsets.
#[derive(Clone)]
pub enum GrossOffsets {
    Constant(Gross),
    /// Columns `dx_px` and `dy_px`, a row for each point; for the nodes of dense fields also `x` and `y`, and the nearest row
    /// with numbers counts.
    Table(Table),
    /// Bands `dx_px` and `dy_px`, on any grid in the CRS of the images: the nearest pixel counts.
    Raster(Raster),
}

impl GrossOffsets {
    /// One for all points, or one each; None where it is missing or masked, so that the window fails for want of data.
    ///
    /// # Errors
    /// Missing columns or bands; a table of another length than the points.
    pub fn at_points(&self, pair: &ImagePair, points: &[Point]) -> Result<Vec<Option<Gross>>> {
        match self {
            GrossOffsets::Constant(gross) => Ok(vec![Some(*gross)]),
            GrossOffsets::Table(table) => {
                if table.rows() != points.len() {
                    return Err(Error::argument(
                        "gross",
                        format!("a table of {}, one for each point", counted(points.len(), "row")),
                        counted(table.rows(), "row"),
                    ));
                }
                let number = |row: usize, name: &str| -> Result<f64> {
                    Ok(table.value(row, name)?.as_f64().unwrap_or(f64::NAN))
                };
                (0..table.rows())
                    .map(|row| Ok(Gross::nearest(number(row, "dx_px")?, number(row, "dy_px")?)))
                    .collect()
            }
            GrossOffsets::Raster(raster) => {
                let grid = &pair.reference.grid;
                let centre = |p: &Point| grid.pixel_centre(p.y as isize, p.x as isize);
                let places: Vec<_> = points.iter().map(centre).collect();
                at_places(&bands_of(raster, pair)?, &places)
            }
        }
    }
}

/// For nodes (x, y) of a dense field, in pixels of the reference, the nearest row with numbers.
///
/// # Errors
/// Missing columns; no row with numbers.
pub(super) fn nearest_rows(table: &Table, nodes: &[(i64, i64)]) -> Result<Vec<Option<Gross>>> {
    let column = |name: &str| table.column(name);
    let (xs, ys) = (column("x")?, column("y")?);
    let (dxs, dys) = (column("dx_px")?, column("dy_px")?);
    let row = |i: usize| {
        let number = |column: &Column| column.get(i).as_f64();
        let gross = Gross::nearest(number(dxs)?, number(dys)?)?;
        Some((number(xs)?, number(ys)?, gross))
    };
    let known: Vec<(f64, f64, Gross)> = (0..table.rows()).filter_map(row).collect();
    if known.is_empty() {
        return Err(Error::argument(
            "gross",
            "a table with at least one offset",
            "none",
        ));
    }
    let nearest = |&(x, y): &(i64, i64)| {
        let far = |k: &(f64, f64, Gross)| (k.0 - x as f64).hypot(k.1 - y as f64);
        known.iter().min_by(|a, b| far(a).total_cmp(&far(b))).map(|k| k.2)
    };
    Ok(nodes.iter().map(nearest).collect())
}

/// # Errors
/// Another CRS than that of the images.
pub(super) fn check_crs(grid: &Grid, pair: &ImagePair) -> Result<()> {
    match grid.crs == pair.reference.grid.crs {
        true => Ok(()),
        false => Err(Error::GridMismatch {
            left: pair.reference.grid.to_string(),
            right: grid.to_string(),
        }),
    }
}

/// The bands of an image of gross offsets.
///
/// # Errors
/// Another CRS than that of the images; missing bands.
pub(super) fn bands_of(raster: &Raster, pair: &ImagePair) -> Result<Raster> {
    check_crs(&raster.grid, pair)?;
    raster.select(&["dx_px".to_string(), "dy_px".to_string()])
}

/// The gross offsets at positions on the map, of `bands_of` an image.
pub(super) fn at_places(bands: &Raster, places: &[(f64, f64)]) -> Result<Vec<Option<Gross>>> {
    let values = sample(bands, places, Resampling::Nearest)?;
    Ok(values
        .iter()
        .map(|v| Gross::nearest(v[0].number(), v[1].number()))
        .collect())
}
