//! Which pixels of a grid a shape covers.
//!
//! All arithmetic is in pixel coordinates of the whole grid, so what a window gets is what the whole grid would get there.
//!
//! - Polygon: the pixels whose centre it encloses, by the even-odd rule, ring by ring within one polygon; a centre exactly
//!   on an edge belongs to the polygon on the right of or below it (rows grow downwards), so polygons that share an edge
//!   share no pixel and leave none out.
//! - Line: one pixel a step along the longer axis between the pixels of its vertices (J. E. Bresenham, Algorithm for computer
//!   control of a digital plotter, IBM Systems Journal 4, 1965, doi:10.1147/sj.41.0025).
//! - Point: the pixel that holds it; corners at whole numbers belong to the pixel right and below.
//! - With `all_touched`: polygons and lines take every pixel whose inside their area or line passes through; of a line that runs
//!   exactly between two columns or rows the right or lower ones.
//!
//! The rules are those of GDAL's rasterizer, except for centres exactly on an edge, where GDAL's answer depends on the
//! direction in which the ring is written.

use geo::{Coord, CoordsIter, Geometry as Shape, LineString};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::geometry::{Part, for_each_part, shape_bounds};
use crate::raster::extent::turns;
use crate::raster::{Affine, Grid, Window};

/// A shape in pixel coordinates (col, row).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Burnable {
    /// The rings of one polygon each.
    polygons: Vec<Vec<Vec<(f64, f64)>>>,
    lines: Vec<Vec<(f64, f64)>>,
    points: Vec<(f64, f64)>,
    /// Smallest and largest (col, row); None for an empty shape.
    extent: Option<((f64, f64), (f64, f64))>,
}

impl Burnable {
    /// The shape must be in the grid's CRS, in which longitudes come back after `turn`.
    pub(super) fn new(shape: &Shape<f64>, grid: &Grid, turn: Option<f64>) -> Burnable {
        let mut out = Burnable::default();
        // Grid::new admits invertible transforms only.
        let (Some(inverse), Some(bounds)) = (grid.transform.invert(), shape_bounds(shape)) else {
            return out;
        };
        let around = grid.bounds();
        let meets = |offset: f64| {
            let (west, east) = (bounds.min_x + offset, bounds.max_x + offset);
            east > around.min_x && west < around.max_x || west == east && west == around.min_x
        };
        // Elsewhere the shape covers nothing, however longitudes are counted; it keeps its place.
        let mut offsets: Vec<f64> = turns(turn).filter(|&offset| meets(offset)).collect();
        if offsets.is_empty() {
            offsets.push(0.0);
        }
        for offset in offsets {
            out.add(shape, offset, &inverse);
        }
        out
    }

    /// The shape, moved along x.
    fn add(&mut self, shape: &Shape<f64>, offset: f64, inverse: &Affine) {
        let pixel = |c: Coord| inverse.apply(c.x + offset, c.y);
        let to_pixel = |line: &LineString| -> Vec<(f64, f64)> { line.coords().map(|c| pixel(*c)).collect() };
        for_each_part(shape, &mut |part| match part {
            Part::Point(p) => self.points.push(pixel(p.0)),
            Part::Line(line) => self.lines.push(to_pixel(&line)),
            Part::Polygon(p) => {
                self.polygons.push(
                    std::iter::once(p.exterior())
                        .chain(p.interiors())
                        .map(to_pixel)
                        .collect(),
                );
            }
        });
        for c in shape.coords_iter() {
            let (x, y) = pixel(c);
            let ((x0, y0), (x1, y1)) = self.extent.unwrap_or(((x, y), (x, y)));
            self.extent = Some(((x0.min(x), y0.min(y)), (x1.max(x), y1.max(y))));
        }
    }

    /// The part of the window in which the shape can cover pixels.
    pub(super) fn reach(&self, window: Window) -> Window {
        let Some(((x0, y0), (x1, y1))) = self.extent else {
            return Window::EMPTY;
        };
        let span = |low: f64, high: f64, first: isize, end: isize| {
            (
                clamp_floor(low, first, end),
                clamp_floor(high, first - 1, end - 1) + 1,
            )
        };
        let (row, row_end) = span(y0, y1, window.row, window.row_end());
        let (col, col_end) = span(x0, x1, window.col, window.col_end());
        if row >= row_end || col >= col_end {
            return Window::EMPTY;
        }
        Window::new(row, col, (row_end - row) as usize, (col_end - col) as usize)
    }

    /// True for the pixels of `window` that the shape covers.
    pub(super) fn mask(&self, window: Window, all_touched: bool) -> Array2<bool> {
        let mut out = Array2::from_elem((window.rows, window.cols), false);
        self.spans(window, all_touched, &mut |row, first, last| {
            let row = (row - window.row) as usize;
            let (first, last) = ((first - window.col) as usize, (last - window.col) as usize);
            out.row_mut(row).slice_mut(ndarray::s![first..=last]).fill(true);
        });
        out
    }

    /// Calls `visit` with (row, first column, last column) for runs of covered pixels within `window`; runs may overlap.
    pub(super) fn spans(
        &self,
        window: Window,
        all_touched: bool,
        visit: &mut dyn FnMut(isize, isize, isize),
    ) {
        let window = self.reach(window);
        if window.is_empty() {
            return;
        }
        for rings in &self.polygons {
            fill(rings, window, visit);
            if all_touched {
                for edge in rings.iter().flat_map(|ring| ring.windows(2)) {
                    touch(edge[0], edge[1], window, false, visit);
                }
            }
        }
        for line in &self.lines {
            for edge in line.windows(2) {
                match all_touched {
                    true => touch(edge[0], edge[1], window, true, visit),
                    false => step(edge[0], edge[1], window, visit),
                }
            }
            if all_touched || line.len() == 1 {
                line.iter().for_each(|&vertex| dot(vertex, window, visit));
            }
        }
        self.points.iter().for_each(|&point| dot(point, window, visit));
    }
}

/// floor(x) within [low, high].
fn clamp_floor(x: f64, low: isize, high: isize) -> isize {
    // The cast saturates, NaN never comes here.
    (x.floor() as isize).clamp(low, high.max(low))
}

/// Rows whose centres lie in [y0, y1), within the window.
fn centre_rows(y0: f64, y1: f64, window: Window) -> std::ops::Range<isize> {
    let bound = |y: f64| ((y - 0.5).ceil() as isize).clamp(window.row, window.row_end());
    bound(y0)..bound(y1)
}

fn fill(rings: &[Vec<(f64, f64)>], window: Window, visit: &mut dyn FnMut(isize, isize, isize)) {
    let mut crossings: Vec<(isize, f64)> = Vec::new();
    for edge in rings.iter().flat_map(|ring| ring.windows(2)) {
        // Upper end first, so that two polygons see the same crossing on the edge that they share.
        let ((x0, y0), (x1, y1)) = if edge[0].1 <= edge[1].1 {
            (edge[0], edge[1])
        } else {
            (edge[1], edge[0])
        };
        for row in centre_rows(y0, y1, window) {
            let y = row as f64 + 0.5;
            crossings.push((row, (y - y0) * (x1 - x0) / (y1 - y0) + x0));
        }
    }
    crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    for pair in crossings.chunks_exact(2) {
        let ((row, left), (_, right)) = (pair[0], pair[1]);
        // Centres c + 0.5 in (left, right].
        let bound = |x: f64| ((x + 0.5).floor() as isize).clamp(window.col, window.col_end());
        let (first, end) = (bound(left), bound(right));
        if first < end {
            visit(row, first, end - 1);
        }
    }
}

fn dot((x, y): (f64, f64), window: Window, visit: &mut dyn FnMut(isize, isize, isize)) {
    let (col, row) = (x.floor() as isize, y.floor() as isize);
    if row >= window.row && row < window.row_end() && col >= window.col && col < window.col_end() {
        visit(row, col, col);
    }
}

/// Bresenham's line. Step k along the longer axis (length d) makes (2·k·e + d) div 2·d steps along the other one
/// (length e), so that a window can begin anywhere.
fn step(
    (x0, y0): (f64, f64),
    (x1, y1): (f64, f64),
    window: Window,
    visit: &mut dyn FnMut(isize, isize, isize),
) {
    let floor = |v: f64| v.floor() as i64 as i128;
    let (c0, r0, c1, r1) = (floor(x0), floor(y0), floor(x1), floor(y1));
    let (cols, rows) = ((c1 - c0).abs(), (r1 - r0).abs());
    let (toward_col, toward_row) = ((c1 - c0).signum(), (r1 - r0).signum());
    let by_col = cols >= rows;
    let (long, short) = if by_col { (cols, rows) } else { (rows, cols) };
    let (start, toward, low, high) = match by_col {
        true => (c0, toward_col, window.col as i128, window.col_end() as i128 - 1),
        false => (r0, toward_row, window.row as i128, window.row_end() as i128 - 1),
    };
    let (first, last) = match toward {
        0 => (0, 0),
        1 => (low - start, high - start),
        _ => (start - high, start - low),
    };
    for k in first.max(0)..=last.min(long) {
        let aside = if long == 0 {
            0
        } else {
            (2 * k * short + long).div_euclid(2 * long).max(0)
        };
        let (col, row) = match by_col {
            true => (c0 + toward_col * k, r0 + toward_row * aside),
            false => (c0 + toward_col * aside, r0 + toward_row * k),
        };
        let inside = row >= window.row as i128
            && row < window.row_end() as i128
            && col >= window.col as i128
            && col < window.col_end() as i128;
        if inside {
            visit(row as isize, col as isize, col as isize);
        }
    }
}

/// The pixels whose inside a straight edge passes through. One that runs exactly between pixels passes through none,
/// unless `between` gives it the right or lower ones.
fn touch(
    a: (f64, f64),
    b: (f64, f64),
    window: Window,
    between: bool,
    visit: &mut dyn FnMut(isize, isize, isize),
) {
    let ((x0, y0), (x1, y1)) = if a.1 <= b.1 { (a, b) } else { (b, a) };
    let on_line = |v: f64| v.fract() == 0.0;
    if y0 == y1 && on_line(y0) && !between {
        return;
    }
    let at = |y: f64| {
        if y <= y0 {
            x0
        } else if y >= y1 {
            x1
        } else {
            (y - y0) * (x1 - x0) / (y1 - y0) + x0
        }
    };
    // Rows that [y0, y1] shares more than an end with.
    let first = clamp_floor(y0, window.row, window.row_end());
    let last = if y0 == y1 {
        y1.floor() as isize
    } else {
        (y1.ceil() as isize).saturating_sub(1)
    };
    for row in first..=last.min(window.row_end() - 1) {
        let (xa, xb) = match y0 == y1 {
            true => (x0, x1),
            false => (at(row as f64), at(row as f64 + 1.0)),
        };
        let (left, right) = (xa.min(xb), xa.max(xb));
        if left == right && on_line(left) && !between {
            continue;
        }
        let low = clamp_floor(left, window.col, window.col_end());
        let high = if left == right {
            left.floor() as isize
        } else {
            (right.ceil() as isize).saturating_sub(1)
        };
        let high = high.min(window.col_end() - 1);
        if low <= high {
            visit(row, low, high);
        }
    }
}
