//! A field of vectors on the pixels of an image: what arrows and streamlines show.

use ndarray::{Array2, Zip};

use super::{Valued, fits_grid};
use crate::error::{Error, Result};
use crate::plot::colormap::Colormap;
use crate::plot::place::Frame;
use crate::plot::reach::Extent;
use crate::plot::stretch::{Norm, Stretch};
use crate::raster::{Affine, Crs, Grid, Transformer};
use crate::statistics;

/// Components along the axes of the map, in units of their own. A pixel that is masked in one is masked in both.
#[derive(Debug, Clone)]
pub struct Field {
    /// (rows, cols), towards larger x.
    pub x: Array2<f32>,
    /// Towards larger y; without a grid, down the rows.
    pub y: Array2<f32>,
    pub grid: Option<Grid>,
    /// Their lengths.
    pub speeds: Array2<f32>,
}

/// The colours of what is shown by speed.
#[derive(Debug, Clone)]
pub struct BySpeed {
    pub colormap: Colormap,
    pub stretch: Stretch,
    pub norm: Norm,
}

/// What marks with a `field: Field` and `by_speed: Option<BySpeed>` have in common.
macro_rules! shows_field {
    () => {
        fn check(&self) -> crate::error::Result<()> {
            self.field.check()
        }

        fn grid(&self) -> Option<&crate::raster::Grid> {
            self.field.grid.as_ref()
        }

        fn reach(&self, extent: &mut crate::plot::reach::Extent) {
            self.field.reach(extent);
        }

        fn valued(&self) -> Option<crate::plot::mark::Valued<'_>> {
            self.field.valued(self.by_speed.as_ref()?)
        }
    };
}
pub(super) use shows_field;

impl Field {
    pub fn new(mut x: Array2<f32>, mut y: Array2<f32>, grid: Option<Grid>) -> Field {
        let mut speeds = Array2::from_elem(x.dim(), f32::NAN);
        if x.dim() == y.dim() {
            Zip::from(&mut x)
                .and(&mut y)
                .and(&mut speeds)
                .for_each(|x, y, speed| {
                    *speed = x.hypot(*y);
                    if !speed.is_finite() {
                        (*x, *y, *speed) = (f32::NAN, f32::NAN, f32::NAN);
                    }
                });
        }
        Field { x, y, grid, speeds }
    }

    /// From components towards east and north, turned at each pixel into those along the map's axes.
    ///
    /// # Errors
    /// When PROJ knows no way from the map to longitude and latitude.
    pub fn east_north(mut east: Array2<f32>, mut north: Array2<f32>, grid: Grid) -> Result<Field> {
        let projected = grid.crs.as_ref().filter(|crs| !crs.is_geographic());
        if let Some(crs) = projected.filter(|_| east.dim() == north.dim()) {
            let (there, back) = (
                Transformer::new(crs, &Crs::wgs84()?)?,
                Transformer::new(&Crs::wgs84()?, crs)?,
            );
            // A few metres: short against pixels, long against rounding.
            const STEP: f64 = 1e-4;
            for row in 0..grid.rows {
                let middles =
                    (0..grid.cols).map(|col| grid.transform.apply(col as f64 + 0.5, row as f64 + 0.5));
                let (mut lon, mut lat): (Vec<f64>, Vec<f64>) = middles.unzip();
                there.apply(&mut lon, &mut lat);
                let ends = |dlon: f64, dlat: f64| {
                    let step = |lat: f64| dlon / lat.to_radians().cos().max(1e-6);
                    let mut x: Vec<f64> = lon.iter().zip(&lat).map(|(v, lat)| v + step(*lat)).collect();
                    let mut y: Vec<f64> = lat.iter().map(|v| v + dlat).collect();
                    back.apply(&mut x, &mut y);
                    (x, y)
                };
                let (west, easter) = (ends(-STEP, 0.0), ends(STEP, 0.0));
                let (south, norther) = (ends(0.0, -STEP), ends(0.0, STEP));
                for col in 0..grid.cols {
                    let unit = |a: &(Vec<f64>, Vec<f64>), b: &(Vec<f64>, Vec<f64>)| {
                        let (dx, dy) = (b.0[col] - a.0[col], b.1[col] - a.1[col]);
                        let length = dx.hypot(dy);
                        (dx / length, dy / length)
                    };
                    let (e, n) = (unit(&west, &easter), unit(&south, &norther));
                    let at = (row, col);
                    let (u, v) = (f64::from(east[at]), f64::from(north[at]));
                    east[at] = (u * e.0 + v * n.0) as f32;
                    north[at] = (u * e.1 + v * n.1) as f32;
                }
            }
        }
        Ok(Field::new(east, north, Some(grid)))
    }

    /// # Errors
    /// Components of different sizes, or of another size than their grid.
    pub fn check(&self) -> Result<()> {
        if self.x.dim() != self.y.dim() {
            return Err(Error::argument(
                "components",
                "two of the same size",
                format!("{:?} and {:?}", self.x.dim(), self.y.dim()),
            ));
        }
        fits_grid(self.grid.as_ref(), self.x.dim())
    }

    pub fn valued<'a>(&'a self, by: &'a BySpeed) -> Option<Valued<'a>> {
        Some(Valued {
            values: Box::new(self.speeds.iter()),
            colormap: &by.colormap,
            stretch: by.stretch,
            norm: by.norm,
        })
    }

    pub fn reach(&self, extent: &mut Extent) {
        extent.image(self.grid.as_ref(), self.x.dim());
    }

    /// A percentile of the speeds; nothing where there are none, or all are 0.
    pub fn speed(&self, percent: f64) -> Option<f64> {
        let mut speeds: Vec<f32> = self.speeds.iter().copied().filter(|s| s.is_finite()).collect();
        Some(statistics::percentile(&mut speeds, percent)).filter(|speed| *speed > 0.0)
    }

    pub fn transform(&self) -> Option<&Affine> {
        self.grid.as_ref().map(|g| &g.transform)
    }

    /// Where a vector points on the page: axes may be turned round, and pages count downwards.
    pub fn on_page(frame: &Frame, (x, y): (f64, f64)) -> (f64, f64) {
        let sign = |start: f64, end: f64| if start <= end { 1.0 } else { -1.0 };
        (
            x * sign(frame.x.start, frame.x.end),
            -y * sign(frame.y.start, frame.y.end),
        )
    }

    /// The vector at a place (col, row) in pixels, linear between their middles; nothing outside and where a neighbour is masked.
    pub fn at(&self, (col, row): (f64, f64)) -> Option<(f64, f64)> {
        let (rows, cols) = self.x.dim();
        let inside = (0.0..=cols as f64).contains(&col) && (0.0..=rows as f64).contains(&row);
        if !inside {
            return None;
        }
        // Beyond the outermost middles they go on as they are.
        let along = |at: f64, count: usize| {
            let at = (at - 0.5).clamp(0.0, count as f64 - 1.0);
            let first = (at as usize).min(count.saturating_sub(2));
            (first, (first + 1).min(count - 1), at - first as f64)
        };
        let ((left, right, across), (top, bottom, down)) = (along(col, cols), along(row, rows));
        let mixed = |band: &Array2<f32>| {
            let v = |r: usize, c: usize| f64::from(band[(r, c)]);
            let upper = v(top, left) * (1.0 - across) + v(top, right) * across;
            let lower = v(bottom, left) * (1.0 - across) + v(bottom, right) * across;
            upper * (1.0 - down) + lower * down
        };
        let vector = (mixed(&self.x), mixed(&self.y));
        (vector.0.is_finite() && vector.1.is_finite()).then_some(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn what_is_masked_in_one_component_is_masked_in_both() {
        let field = Field::new(
            array![[3.0, f32::NAN, 1.0]],
            array![[4.0, 1.0, f32::INFINITY]],
            None,
        );
        assert_eq!(field.speeds[(0, 0)], 5.0);
        assert!(field.x[(0, 2)].is_nan() && field.y[(0, 1)].is_nan());
        assert_eq!(field.speed(50.0), Some(5.0));
        assert_eq!(Field::new(array![[0.0]], array![[0.0]], None).speed(98.0), None);
    }

    #[test]
    fn vectors_are_linear_between_pixels() {
        let field = Field::new(
            array![[0.0, 2.0], [4.0, 6.0]],
            array![[0.0, 0.0], [1.0, 1.0]],
            None,
        );
        assert_eq!(field.at((1.0, 1.0)), Some((3.0, 0.5)));
        assert_eq!(field.at((0.5, 0.5)), Some((0.0, 0.0)));
        assert_eq!(field.at((2.0, 2.0)), Some((6.0, 1.0)));
        assert_eq!(field.at((2.1, 1.0)), None);
        let masked = Field::new(array![[0.0, f32::NAN]], array![[0.0, 0.0]], None);
        assert_eq!(masked.at((1.0, 0.5)), None);
    }

    #[test]
    fn north_points_away_from_the_south_pole() {
        let crs = Crs::parse("EPSG:3031").unwrap();
        let grid = Grid::new(
            Some(crs),
            Affine::north_up(-1_600_000.0, -200_000.0, 1000.0, 1000.0),
            2,
            2,
        )
        .unwrap();
        let (zero, one) = (Array2::zeros((2, 2)), Array2::ones((2, 2)));
        let north = Field::east_north(zero.clone(), one.clone(), grid.clone()).unwrap();
        // From the pole in the origin outwards.
        let (x, y) = grid.transform.apply(0.5, 0.5);
        let out = (x / x.hypot(y), y / x.hypot(y));
        assert!((f64::from(north.x[(0, 0)]) - out.0).abs() < 1e-5);
        assert!((f64::from(north.y[(0, 0)]) - out.1).abs() < 1e-5);
        // East is clockwise of it, seen with the pole in the middle: longitudes grow from +y towards +x.
        let east = Field::east_north(one, zero, grid).unwrap();
        assert!((f64::from(east.x[(0, 0)]) - out.1).abs() < 1e-5);
        assert!((f64::from(east.y[(0, 0)]) + out.0).abs() < 1e-5);
    }
}
