//! Images that have their place by arrays of the longitude and latitude of their pixels, as swaths of satellites do.
//!
//! Between the nodes of the arrays, places are bilinear on the unit sphere, so that nothing happens at poles and at the date line.
//! The way back looks for the cell of four nodes that holds a place, among blocks of cells whose bounding spheres do; where swaths
//! overlap themselves, as those of MODIS between scans, the first cell counts.

use super::describe::{Described, Description, Site, from_json, to_json};
use super::stored::Stored;
use crate::described;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Crs;
use super::crs::Locator;
use crate::bounds;
use crate::error::{Error, Result};
use crate::interrupt;

/// Cells along a side of a block, and blocks along a side of a group.
const SIDE: usize = 16;

/// Where the nodes of the arrays lie among the pixels, by columns and by rows: position = offset + step × index, edges at whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Nodes {
    pub offset: (f64, f64),
    pub step: (f64, f64),
}

impl Nodes {
    /// One at every pixel centre.
    pub const CENTRES: Nodes = Nodes {
        offset: (0.5, 0.5),
        step: (1.0, 1.0),
    };
}

type Vector = [f64; 3];

/// A ball around the nodes of a block or group.
#[derive(Clone, Copy)]
struct Ball {
    centre: Vector,
    radius: f64,
}

pub struct Swath {
    crs: Crs,
    lon: Array2<f64>,
    lat: Array2<f64>,
    nodes: Nodes,
    /// (rows, cols) of the image.
    size: (usize, usize),
    /// The indices (col, row) that the image reaches beyond the first and the last node.
    reach: [(f64, f64); 2],
    blocks: Array2<Option<Ball>>,
    groups: Array2<Option<Ball>>,
}

impl Swath {
    /// `lon` and `lat`: (rows, cols) in degrees on WGS 84, NaN where nothing is known; of an image of `size` (rows, cols).
    ///
    /// # Errors
    /// Arrays of different sizes, of fewer than two rows or columns, or without a single place.
    pub fn new(lon: Array2<f64>, lat: Array2<f64>, nodes: Nodes, size: (usize, usize)) -> Result<Swath> {
        let (rows, cols) = lon.dim();
        if lat.dim() != (rows, cols) || rows < 2 || cols < 2 {
            return Err(Error::argument(
                "the geolocation arrays",
                "longitudes and latitudes of one size, of at least 2 rows and columns",
                format!(
                    "{rows} × {cols} and {} × {} (rows × cols)",
                    lat.nrows(),
                    lat.ncols()
                ),
            ));
        }
        if !(nodes.step.0 > 0.0 && nodes.step.1 > 0.0) {
            return Err(Error::argument(
                "the step of geolocation arrays",
                "positive numbers of pixels",
                format!("{} × {}", nodes.step.0, nodes.step.1),
            ));
        }
        let edge = |at: f64, offset: f64, step: f64| (at - offset) / step;
        let mut swath = Swath {
            crs: Crs::wgs84()?,
            reach: [
                (
                    edge(0.0, nodes.offset.0, nodes.step.0),
                    edge(0.0, nodes.offset.1, nodes.step.1),
                ),
                (
                    edge(size.1 as f64, nodes.offset.0, nodes.step.0),
                    edge(size.0 as f64, nodes.offset.1, nodes.step.1),
                ),
            ],
            lon,
            lat,
            nodes,
            size,
            blocks: Array2::from_elem((0, 0), None),
            groups: Array2::from_elem((0, 0), None),
        };
        let cells = (rows - 1, cols - 1);
        let parts = |cells: (usize, usize)| (cells.0.div_ceil(SIDE), cells.1.div_ceil(SIDE));
        let mut blocks = Array2::from_elem(parts(cells), None);
        for ((r, c), ball) in blocks.indexed_iter_mut() {
            if c == 0 {
                interrupt::check()?;
            }
            *ball = swath.ball(
                r * SIDE..((r + 1) * SIDE).min(cells.0),
                c * SIDE..((c + 1) * SIDE).min(cells.1),
            );
        }
        let mut groups = Array2::from_elem(parts(blocks.dim()), None);
        for ((r, c), ball) in groups.indexed_iter_mut() {
            let within = |(at, _): &((usize, usize), &Option<Ball>)| at.0 / SIDE == r && at.1 / SIDE == c;
            let inside = window(&blocks, r, c).filter(within).filter_map(|(_, ball)| *ball);
            *ball = around(&inside.collect::<Vec<_>>());
        }
        if groups.iter().all(Option::is_none) {
            return Err(Error::message("the geolocation arrays hold no place"));
        }
        (swath.blocks, swath.groups) = (blocks, groups);
        Ok(swath)
    }

    /// Asks for the memory of arrays of this size.
    ///
    /// # Errors
    /// When it is more than the ceiling.
    pub fn check_size(rows: usize, cols: usize) -> Result<()> {
        bounds::fits(
            format!("the geolocation arrays of {rows} × {cols} places"),
            rows.saturating_mul(cols),
            2 * size_of::<f64>(),
            "open a part of the image",
        )
    }

    /// NaN where nothing is known.
    fn node(&self, row: usize, col: usize) -> Vector {
        unit(self.lon[(row, col)], self.lat[(row, col)])
    }

    /// Around the cells of some rows and columns, and what they reach beyond the last nodes.
    fn ball(&self, rows: std::ops::Range<usize>, cols: std::ops::Range<usize>) -> Option<Ball> {
        let (mut balls, mut largest) = (Vec::new(), 0f64);
        for row in rows.start..=rows.end {
            for col in cols.start..=cols.end {
                let here = self.node(row, col);
                if here[0].is_nan() {
                    continue;
                }
                for (r, c) in [(row + 1, col), (row, col + 1)] {
                    if r <= rows.end && c <= cols.end {
                        let there = self.node(r, c);
                        if !there[0].is_nan() {
                            largest = largest.max(distance(here, there));
                        }
                    }
                }
                balls.push(Ball {
                    centre: here,
                    radius: 0.0,
                });
            }
        }
        let (last_row, last_col) = (self.lon.nrows() - 1, self.lon.ncols() - 1);
        let beyond = [
            if cols.start == 0 { -self.reach[0].0 } else { 0.0 },
            if rows.start == 0 { -self.reach[0].1 } else { 0.0 },
            if cols.end == last_col {
                self.reach[1].0 - last_col as f64
            } else {
                0.0
            },
            if rows.end == last_row {
                self.reach[1].1 - last_row as f64
            } else {
                0.0
            },
        ];
        let beyond = beyond.into_iter().fold(0.0, f64::max);
        // Cells bulge a little from the chords between their nodes.
        around(&balls).map(|ball| Ball {
            radius: ball.radius + largest * (0.1 + 2.0 * beyond),
            ..ball
        })
    }

    /// The position among the nodes (col, row) of a place.
    fn find(&self, lon: f64, lat: f64) -> Option<(f64, f64)> {
        let place = unit(lon, lat);
        let holds =
            |ball: &&Option<Ball>| ball.is_some_and(|ball| distance(ball.centre, place) <= ball.radius);
        for ((gr, gc), _) in self.groups.indexed_iter().filter(|(_, ball)| holds(ball)) {
            for ((br, bc), _) in window(&self.blocks, gr, gc).filter(|(_, ball)| holds(ball)) {
                for row in br * SIDE..((br + 1) * SIDE).min(self.lon.nrows() - 1) {
                    for col in bc * SIDE..((bc + 1) * SIDE).min(self.lon.ncols() - 1) {
                        if let Some(found) = self.in_cell(row, col, place, (lon, lat)) {
                            return Some(found);
                        }
                    }
                }
            }
        }
        None
    }

    /// The position of a place in a cell; None where it lies outside. Cells at the edges reach as far as the image does.
    fn in_cell(&self, row: usize, col: usize, place: Vector, (lon, lat): (f64, f64)) -> Option<(f64, f64)> {
        let (sin_lon, cos_lon) = lon.to_radians().sin_cos();
        let (sin_lat, cos_lat) = lat.to_radians().sin_cos();
        let east = [-sin_lon, cos_lon, 0.0];
        let north = [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat];
        // In the plane that touches the sphere at the place, which is its origin.
        let flat = |r: usize, c: usize| {
            let node = self.node(r, c);
            let from: Vector = std::array::from_fn(|k| node[k] - place[k]);
            (dot(from, east), dot(from, north))
        };
        let (a, b, c, d) = (
            flat(row, col),
            flat(row, col + 1),
            flat(row + 1, col),
            flat(row + 1, col + 1),
        );
        // The other side of the earth lies in the same plane.
        let is_far = dot(self.node(row, col), place) <= 0.0;
        if is_far || a.0.is_nan() || b.0.is_nan() || c.0.is_nan() || d.0.is_nan() {
            return None;
        }
        let side = |first: bool, last: bool, reach: (f64, f64), at: usize| {
            let low = if first { reach.0 } else { 0.0 };
            let high = if last { reach.1 - at as f64 } else { 1.0 };
            (low.min(0.0) - 1e-9, high.max(1.0) + 1e-9)
        };
        let s_range = side(
            col == 0,
            col + 2 == self.lon.ncols(),
            (self.reach[0].0, self.reach[1].0),
            col,
        );
        let t_range = side(
            row == 0,
            row + 2 == self.lon.nrows(),
            (self.reach[0].1, self.reach[1].1),
            row,
        );
        let (mut s, mut t) = (0.5, 0.5);
        for _ in 0..8 {
            let mix =
                |p: f64, q: f64, r: f64, z: f64| p + (q - p) * s + (r - p) * t + (p - q - r + z) * s * t;
            let (x, y) = (mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1));
            let ds = |p: f64, q: f64, r: f64, z: f64| (q - p) + (p - q - r + z) * t;
            let dt = |p: f64, q: f64, r: f64, z: f64| (r - p) + (p - q - r + z) * s;
            let (xs, ys) = (ds(a.0, b.0, c.0, d.0), ds(a.1, b.1, c.1, d.1));
            let (xt, yt) = (dt(a.0, b.0, c.0, d.0), dt(a.1, b.1, c.1, d.1));
            let determinant = xs * yt - xt * ys;
            if determinant == 0.0 {
                return None;
            }
            let (step_s, step_t) = ((x * yt - xt * y) / determinant, (xs * y - x * ys) / determinant);
            (s, t) = (s - step_s, t - step_t);
            // Far outside already: no cell of a swath is that crooked.
            if !(s.abs() < 50.0 && t.abs() < 50.0) {
                return None;
            }
            if step_s.abs() < 1e-10 && step_t.abs() < 1e-10 {
                break;
            }
        }
        let inside = (s_range.0..=s_range.1).contains(&s) && (t_range.0..=t_range.1).contains(&t);
        inside.then_some((col as f64 + s, row as f64 + t))
    }

    /// The place at a position among the nodes (col, row).
    fn place(&self, col: f64, row: f64) -> Option<(f64, f64)> {
        let inside = |at: f64, low: f64, high: f64| at >= low - 1e-6 && at <= high + 1e-6;
        if !inside(col, self.reach[0].0.min(0.0), self.reach[1].0)
            || !inside(row, self.reach[0].1.min(0.0), self.reach[1].1)
        {
            return None;
        }
        let cell = |at: f64, nodes: usize| (at.floor().max(0.0) as usize).min(nodes - 2);
        let (c, r) = (cell(col, self.lon.ncols()), cell(row, self.lon.nrows()));
        let (s, t) = (col - c as f64, row - r as f64);
        let (a, b) = (self.node(r, c), self.node(r, c + 1));
        let (e, d) = (self.node(r + 1, c), self.node(r + 1, c + 1));
        let v: Vector = std::array::from_fn(|k| {
            a[k] * (1.0 - s) * (1.0 - t) + b[k] * s * (1.0 - t) + e[k] * (1.0 - s) * t + d[k] * s * t
        });
        let lon = v[1].atan2(v[0]).to_degrees();
        let lat = v[2].atan2(v[0].hypot(v[1])).to_degrees();
        (lon.is_finite() && lat.is_finite()).then_some((lon, lat))
    }
}

/// The blocks of a group, with their positions.
fn window(
    blocks: &Array2<Option<Ball>>,
    row: usize,
    col: usize,
) -> impl Iterator<Item = ((usize, usize), &Option<Ball>)> {
    let rows = row * SIDE..((row + 1) * SIDE).min(blocks.nrows());
    let cols = col * SIDE..((col + 1) * SIDE).min(blocks.ncols());
    rows.flat_map(move |r| cols.clone().map(move |c| ((r, c), &blocks[(r, c)])))
}

/// A ball around balls; None around none.
fn around(balls: &[Ball]) -> Option<Ball> {
    if balls.is_empty() {
        return None;
    }
    let centre: Vector =
        std::array::from_fn(|k| balls.iter().map(|b| b.centre[k]).sum::<f64>() / balls.len() as f64);
    let radius = balls
        .iter()
        .map(|b| distance(b.centre, centre) + b.radius)
        .fold(0.0, f64::max);
    Some(Ball { centre, radius })
}

fn unit(lon: f64, lat: f64) -> Vector {
    let (sin_lon, cos_lon) = lon.to_radians().sin_cos();
    let (sin_lat, cos_lat) = lat.to_radians().sin_cos();
    [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn distance(a: Vector, b: Vector) -> f64 {
    let d: Vector = std::array::from_fn(|k| a[k] - b[k]);
    dot(d, d).sqrt()
}

#[derive(Serialize, Deserialize)]
struct Arrays {
    longitude: Stored,
    latitude: Stored,
    nodes: Nodes,
    size: (usize, usize),
}

impl Described for Swath {
    const NAME: &'static str = "raster.geolocation";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Arrays {
            longitude: Stored::of_doubles(&self.lon),
            latitude: Stored::of_doubles(&self.lat),
            nodes: self.nodes,
            size: self.size,
        })
    }

    fn again(parameters: &Json, _: &Site) -> Result<Swath> {
        let a: Arrays = from_json(Self::NAME, parameters)?;
        Swath::new(a.longitude.doubles()?, a.latitude.doubles()?, a.nodes, a.size)
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(0).map(drop)
    }
}

described!(Swath, Locator);

impl Locator for Swath {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn means(&self) -> String {
        "geolocation arrays".into()
    }

    fn crs(&self) -> &Crs {
        &self.crs
    }

    fn apply(&self, to_map: bool, xs: &mut [f64], ys: &mut [f64]) {
        let Nodes { offset, step } = self.nodes;
        for (x, y) in xs.iter_mut().zip(ys) {
            let found = match to_map {
                _ if !(x.is_finite() && y.is_finite()) => None,
                true => self.place((*x - offset.0) / step.0, (*y - offset.1) / step.1),
                false => self
                    .find(*x, *y)
                    .map(|(col, row)| (offset.0 + step.0 * col, offset.1 + step.1 * row)),
            };
            (*x, *y) = found.unwrap_or((f64::NAN, f64::NAN));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A swath across the date line and near the pole, of which every third pixel is known.
    #[test]
    fn there_and_back_over_the_pole_and_the_date_line() {
        for (lon0, lat0) in [(179.0, 10.0), (-60.0, 88.0), (10.0, -45.0)] {
            let nodes = Nodes {
                offset: (1.5, 1.5),
                step: (3.0, 3.0),
            };
            let (tilt, turn) = (f64::to_radians(lat0), f64::to_radians(lon0));
            // A curved swath about the origin of longitude and latitude, turned to where it belongs.
            let at = |r: usize, c: usize| {
                let (x, y) = (c as f64 * 0.03, r as f64 * 0.02 + 0.0001 * (c * c) as f64);
                let [a, b, z] = unit(x, y);
                let (a, z) = (a * tilt.cos() - z * tilt.sin(), a * tilt.sin() + z * tilt.cos());
                let (a, b) = (a * turn.cos() - b * turn.sin(), a * turn.sin() + b * turn.cos());
                (b.atan2(a).to_degrees(), z.asin().to_degrees())
            };
            let lon = Array2::from_shape_fn((70, 90), |(r, c)| at(r, c).0);
            let lat = Array2::from_shape_fn((70, 90), |(r, c)| at(r, c).1);
            let swath = Swath::new(lon, lat, nodes, (210, 270)).unwrap();
            // Every position, edges of the image among them, by a slow and obvious way: forward, then back.
            for r in 0..=42 {
                for c in 0..=54 {
                    let (col, row) = (c as f64 * 5.0, r as f64 * 5.0);
                    let (mut x, mut y) = ([col], [row]);
                    swath.apply(true, &mut x, &mut y);
                    assert!(x[0].is_finite(), "{lon0} {lat0}: {col} {row}");
                    swath.apply(false, &mut x, &mut y);
                    assert!(
                        (x[0] - col).abs() < 1e-4 && (y[0] - row).abs() < 1e-4,
                        "{lon0} {lat0}: {col} {row} {x:?} {y:?}"
                    );
                }
            }
            let (mut x, mut y) = ([lon0 + 100.0], [-lat0]);
            swath.apply(false, &mut x, &mut y);
            assert!(x[0].is_nan());
        }
    }

    #[test]
    fn arrays_that_place_nothing_are_refused() {
        let none = Array2::from_elem((3, 3), f64::NAN);
        let error = Swath::new(none.clone(), none.clone(), Nodes::CENTRES, (3, 3))
            .err()
            .unwrap();
        assert!(error.to_string().contains("hold no place"));
        let one = Array2::from_elem((1, 3), 0.0);
        let error = Swath::new(one.clone(), one, Nodes::CENTRES, (1, 3))
            .err()
            .unwrap();
        assert!(error.to_string().contains("at least 2 rows and columns"));
    }
}
