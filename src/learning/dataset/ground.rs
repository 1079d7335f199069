//! Which chips share ground, whatever the grids that they lie on.

use std::collections::HashMap;

use crate::earth::ellipsoid::SEMI_MAJOR;
use crate::error::Result;
use crate::interrupt;
use crate::raster::extent::{Columns, transform_bounds};
use crate::raster::{Bounds, Crs, Grid, Transformer, Window};

/// Points along each side of a chip that are followed into another CRS.
const STEPS: usize = 8;
/// Ground that is wider and higher than this is shared: neighbours touch within rounding.
const SHARED: f64 = 0.01;

/// A place where a chip lies, by the number of its grid.
pub struct Place {
    pub grid: usize,
    pub window: Window,
}

/// Calls `each` with every two places (by number) that share ground, of different grids or, with `within`, of one grid too. Grids without a CRS are
/// taken to share no ground with others.
///
/// # Errors
/// Coordinates that cannot be transformed; `Interrupted`.
pub fn shared(
    grids: &[&Grid],
    places: &[Place],
    within: bool,
    mut each: impl FnMut(usize, usize),
) -> Result<()> {
    let around = grids
        .iter()
        .map(|grid| lonlat(grid))
        .collect::<Result<Vec<_>>>()?;
    let mut of_grid: Vec<Vec<usize>> = vec![Vec::new(); grids.len()];
    for (i, place) in places.iter().enumerate() {
        of_grid[place.grid].push(i);
    }
    for a in 0..grids.len() {
        let mut buckets: Option<Buckets> = None;
        for b in a..grids.len() {
            interrupt::check()?;
            let near = match (a == b, &around[a], &around[b]) {
                (true, ..) => within,
                (false, Some(a), Some(b)) => touch(a, b),
                (false, ..) => false,
            };
            if !near {
                continue;
            }
            let buckets = buckets.get_or_insert_with(|| Buckets::new(places, &of_grid[a]));
            let outlines = Outlines::new(grids[b], grids[a])?;
            for &second in &of_grid[b] {
                let Some(outline) = outlines.of(&places[second].window) else {
                    continue;
                };
                for first in buckets.around(&outline) {
                    let is_new = a != b || first < second;
                    if is_new && meet(&outline, &places[first].window) {
                        each(first, second);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Bounds in longitude and latitude; None without a CRS.
fn lonlat(grid: &Grid) -> Result<Option<Bounds>> {
    match &grid.crs {
        Some(crs) => transform_bounds(&grid.bounds(), crs, &Crs::wgs84()?).map(Some),
        None => Ok(None),
    }
}

/// Whether two areas in degrees may meet, on whichever turn.
fn touch(a: &Bounds, b: &Bounds) -> bool {
    [-360.0, 0.0, 360.0].iter().any(|turn| {
        a.intersects(&Bounds {
            min_x: b.min_x + turn,
            max_x: b.max_x + turn,
            ..*b
        })
    })
}

/// Outlines of windows of one grid in pixels (col, row) of another.
struct Outlines<'a> {
    from: &'a Grid,
    to: &'a Grid,
    columns: Columns,
    /// None where both have one CRS, or none.
    transformer: Option<Transformer>,
}

impl Outlines<'_> {
    fn new<'a>(from: &'a Grid, to: &'a Grid) -> Result<Outlines<'a>> {
        let transformer = match (&from.crs, &to.crs) {
            (Some(a), Some(b)) if a != b => Some(Transformer::new(a, b)?),
            _ => None,
        };
        Ok(Outlines {
            from,
            to,
            columns: Columns::new(to),
            transformer,
        })
    }

    /// None where nothing of the window has a place there.
    fn of(&self, window: &Window) -> Option<Vec<(f64, f64)>> {
        let inside = window.intersect(&self.from.window());
        let (row, col) = (inside.row as f64, inside.col as f64);
        let (rows, cols) = (inside.rows as f64, inside.cols as f64);
        let corners = [
            (col, row),
            (col + cols, row),
            (col + cols, row + rows),
            (col, row + rows),
        ];
        let steps = if self.transformer.is_some() { STEPS } else { 1 };
        let mut outline: Vec<(f64, f64)> = Vec::with_capacity(4 * steps);
        for (side, &(c0, r0)) in corners.iter().enumerate() {
            let (c1, r1) = corners[(side + 1) % 4];
            for i in 0..steps {
                let t = i as f64 / steps as f64;
                outline.push(self.from.transform.apply(c0 + t * (c1 - c0), r0 + t * (r1 - r0)));
            }
        }
        if let Some(transformer) = &self.transformer {
            let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = outline.into_iter().unzip();
            transformer.apply(&mut xs, &mut ys);
            outline = xs.into_iter().zip(ys).collect();
        }
        outline.retain(|(x, y)| x.is_finite() && y.is_finite());
        let first = self.to.to_pixel(outline.first()?.0, outline.first()?.1).0;
        // All of it on one turn: that of the first point, which is the grid's own.
        let first = self.columns.wrapped(first);
        let in_pixels = outline.into_iter().map(|(x, y)| {
            let (col, row) = self.to.to_pixel(x, y);
            (self.columns.beside(col, first), row)
        });
        Some(in_pixels.collect())
    }
}

/// Places of one grid by where they lie.
struct Buckets<'a> {
    places: &'a [Place],
    side: f64,
    found: HashMap<(isize, isize), Vec<usize>>,
}

impl Buckets<'_> {
    fn new<'a>(places: &'a [Place], of_grid: &[usize]) -> Buckets<'a> {
        let side = of_grid
            .iter()
            .map(|&i| places[i].window.rows.max(places[i].window.cols))
            .max()
            .unwrap_or(1) as isize;
        let mut found: HashMap<(isize, isize), Vec<usize>> = HashMap::new();
        for &i in of_grid {
            let window = &places[i].window;
            found
                .entry((window.row.div_euclid(side), window.col.div_euclid(side)))
                .or_default()
                .push(i);
        }
        Buckets {
            places,
            side: side as f64,
            found,
        }
    }

    /// Those whose windows may meet an outline.
    fn around(&self, outline: &[(f64, f64)]) -> Vec<usize> {
        let Some(b) = Bounds::around(outline.iter().copied()) else {
            return Vec::new();
        };
        let meets = |&i: &usize| {
            let w = &self.places[i].window;
            b.min_x < w.col_end() as f64
                && w.col as f64 <= b.max_x
                && b.min_y < w.row_end() as f64
                && w.row as f64 <= b.max_y
        };
        let bucket = |v: f64| (v / self.side).floor() as isize;
        // A place begins in the bucket before, at the most.
        let (rows, cols) = (
            bucket(b.min_y) - 1..=bucket(b.max_y),
            bucket(b.min_x) - 1..=bucket(b.max_x),
        );
        let span =
            |range: &std::ops::RangeInclusive<isize>| (range.end() - range.start() + 1).max(0) as usize;
        let mut out: Vec<usize> = match span(&rows).saturating_mul(span(&cols)) > self.found.len() {
            // Pixels of another grid may be far larger.
            true => self.found.values().flatten().copied().filter(meets).collect(),
            false => {
                let keys = rows.flat_map(|r| cols.clone().map(move |c| (r, c)));
                let found = keys.filter_map(|key| self.found.get(&key));
                found.flatten().copied().filter(meets).collect()
            }
        };
        out.sort_unstable();
        out
    }
}

/// Whether an outline and a window share more than a sliver.
fn meet(outline: &[(f64, f64)], window: &Window) -> bool {
    let (left, right) = (window.col as f64, window.col_end() as f64);
    let (top, bottom) = (window.row as f64, window.row_end() as f64);
    // Sutherland & Hodgman: cut at each side of the window in turn.
    let cut = |ring: Vec<(f64, f64)>, inside: &dyn Fn((f64, f64)) -> f64| {
        let mut out = Vec::with_capacity(ring.len() + 4);
        for (i, &p) in ring.iter().enumerate() {
            let q = ring[(i + 1) % ring.len()];
            let (at_p, at_q) = (inside(p), inside(q));
            if at_p >= 0.0 {
                out.push(p);
            }
            if (at_p > 0.0 && at_q < 0.0) || (at_p < 0.0 && at_q > 0.0) {
                let t = at_p / (at_p - at_q);
                out.push((p.0 + t * (q.0 - p.0), p.1 + t * (q.1 - p.1)));
            }
        }
        out
    };
    let mut ring = outline.to_vec();
    ring = cut(ring, &|(x, _)| x - left);
    ring = cut(ring, &|(x, _)| right - x);
    ring = cut(ring, &|(_, y)| y - top);
    ring = cut(ring, &|(_, y)| bottom - y);
    Bounds::around(ring).is_some_and(|b| b.width() > SHARED && b.height() > SHARED)
}

/// The block of ground, `side` metres wide and high, that holds a place in degrees: by rows of latitude and, along each, columns of equal
/// width on a sphere. It depends on the place alone, not on the grid that it was met on.
pub fn block(lon: f64, lat: f64, side: f64) -> (i64, i64) {
    let metres = METRES_PER_DEGREE / side;
    let row = (lat * metres).floor();
    let middle = (row + 0.5) / metres;
    let around = (360.0 * metres * middle.clamp(-90.0, 90.0).to_radians().cos())
        .floor()
        .max(1.0);
    let col = ((lon + 180.0).rem_euclid(360.0) / 360.0 * around).floor();
    (row as i64, col as i64)
}

/// On a sphere: blocks are only about as large as they say.
const METRES_PER_DEGREE: f64 = SEMI_MAJOR * std::f64::consts::PI / 180.0;
