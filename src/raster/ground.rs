//! Lengths on the ground: how the units of a CRS measure on the ellipsoid.

use super::{Crs, Grid, Transformer};
use crate::earth::ellipsoid::from_centre;
use crate::error::Result;

/// What a step of one unit along each axis of a CRS is on the ground, at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ground {
    /// Metres for a unit along x and along y.
    pub x: f64,
    pub y: f64,
    /// The cosine of the angle between the axes: 0 for conformal projections.
    pub cosine: f64,
}

/// Measures at the pixel centres of one grid. Not Sync: make one per thread.
pub struct Measure {
    /// From the grid's CRS to longitude and latitude; None where they are its coordinates.
    to_lonlat: Option<Transformer>,
    grid: Grid,
}

impl Measure {
    /// # Errors
    /// When there is no way from the CRS to longitude and latitude.
    pub fn new(grid: &Grid, crs: &Crs) -> Result<Measure> {
        let to_lonlat = if crs.is_geographic() {
            None
        } else {
            Some(Transformer::new(crs, &Crs::wgs84()?)?)
        };
        Ok(Measure {
            to_lonlat,
            grid: grid.clone(),
        })
    }

    /// The pixels of a row from `col` on. By differences over one pixel, on the chords of the WGS 84 ellipsoid, so that
    /// nothing happens at poles and at the date line. NaN where the CRS has no such place.
    pub fn row(&self, row: isize, col: isize, cols: usize) -> Vec<Ground> {
        let (width, height) = self.grid.resolution();
        let steps = [(-0.5, 0.0), (0.5, 0.0), (0.0, -0.5), (0.0, 0.5)];
        let (mut xs, mut ys) = (Vec::with_capacity(4 * cols), Vec::with_capacity(4 * cols));
        for c in 0..cols as isize {
            let (x, y) = self.grid.pixel_centre(row, col + c);
            for (dx, dy) in steps {
                xs.push(x + dx * width);
                ys.push(y + dy * height);
            }
        }
        if let Some(transformer) = &self.to_lonlat {
            transformer.apply(&mut xs, &mut ys);
        }
        let point = |i: usize| from_centre(xs[i], ys[i]);
        (0..cols)
            .map(|c| {
                let [west, east, south, north] = std::array::from_fn(|k| point(4 * c + k));
                let along = |a: [f64; 3], b: [f64; 3], n: f64| std::array::from_fn(|k| (b[k] - a[k]) / n);
                let (x, y): ([f64; 3], [f64; 3]) = (along(west, east, width), along(south, north, height));
                let dot = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let (lx, ly) = (dot(&x, &x).sqrt(), dot(&y, &y).sqrt());
                Ground {
                    x: lx,
                    y: ly,
                    cosine: dot(&x, &y) / (lx * ly),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Affine;

    fn at(crs: &str, x: f64, y: f64, size: f64) -> Ground {
        let crs = Crs::parse(crs).unwrap();
        let transform = Affine::north_up(x - size / 2.0, y + size / 2.0, size, size);
        let grid = Grid::new(Some(crs.clone()), transform, 1, 1).unwrap();
        Measure::new(&grid, &crs).unwrap().row(0, 0, 1)[0]
    }

    #[test]
    fn degrees_are_those_of_the_tables() {
        // Lengths of a degree on WGS 84: at the equator 111 319.49 m and 110 574.28 m; at 60° 55 800 m and 111 412 m.
        let equator = at("EPSG:4326", 10.0, 0.0, 0.01);
        assert!(
            (equator.x - 111_319.49).abs() < 0.1 && (equator.y - 110_574.28).abs() < 0.1,
            "{equator:?}"
        );
        let north = at("EPSG:4326", 10.0, 60.0, 0.01);
        assert!(
            (north.x - 55_800.0).abs() < 1.0 && (north.y - 111_412.0).abs() < 1.0,
            "{north:?}"
        );
    }

    #[test]
    fn projections_have_their_known_scale() {
        // UTM: 0.9996 on its central meridian. A ground metre is 0.9996 map metres.
        let utm = at("EPSG:32633", 500_000.0, 5_000_000.0, 100.0);
        assert!(
            (1.0 / utm.x - 0.9996).abs() < 1e-6 && (1.0 / utm.y - 0.9996).abs() < 1e-6,
            "{utm:?}"
        );
        // Polar stereographic, true at 71° S: 0.9728 at the pole.
        let pole = at("EPSG:3031", 0.0, 0.0, 100.0);
        let scale = (1.0 + 71f64.to_radians().sin()) / 2.0;
        assert!(
            (1.0 / pole.x - scale).abs() < 3e-4 && pole.cosine.abs() < 1e-6,
            "{pole:?} {scale}"
        );
        let web = at("EPSG:3857", 0.0, 8_399_737.89, 10.0);
        // Web Mercator at 60° N stretches twofold.
        assert!((1.0 / web.x - 2.0).abs() < 0.01, "{web:?}");
    }
}
