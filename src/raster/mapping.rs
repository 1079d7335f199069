//! Where a target pixel lies in a source image: affine in one CRS, else the projection.
//!
//! The projection is evaluated at the corners of cells of the target and interpolated between them where nine points of the cell
//! show that this is right; cells where it is not (at limbs, poles, seams, at the edge of the source) are quartered, down to
//! pixels that are evaluated one by one. Cells are fixed to the target grid, so the answer does not depend on the tile.
//! A place that does not come back from the source's CRS to where it was has no image there: the inverses of many projections
//! answer beyond their limbs, too, with a place elsewhere on the globe.

mod lines;

pub use lines::Rectangles;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::extent::{Columns, turns};
use super::{Affine, Bounds, Crs, Grid, Transformer, Window};
use crate::error::{Error, Result};

/// Interpolated positions may be off by this much, in source pixels.
const TOLERANCE: f64 = 0.02;
/// Sides of the largest and the smallest cells, in target pixels.
const LARGEST_CELL: usize = 128;
const SMALLEST_CELL: usize = 8;
/// Cells are small against the whole target, whose projection may bend anywhere: at most this part of its side.
const CELLS_A_SIDE: f64 = 32.0;
/// As many windows are remembered with what they need: those of the tiles under work.
const REMEMBERED: usize = 64;

/// A position in a source, in its pixels (col, row), corners at whole numbers; NaN where there is none.
type Position = (f64, f64);

pub struct Mapping {
    source: Arc<Grid>,
    target: Arc<Grid>,
    /// Target pixel to source pixel, where both have one CRS.
    affine: Option<Affine>,
    columns: Columns,
    /// A full turn of longitude in units of the target's CRS.
    target_turn: Option<f64>,
    /// Whether places are followed back: not where the source's projection has no inverse.
    goes_back: bool,
    /// Side of the largest cells in target pixels; below `SMALLEST_CELL` every pixel is evaluated.
    cell: usize,
    needed: Mutex<HashMap<Window, Window>>,
    /// The parts of as many windows, which are asked for their source first and for their pixels then.
    found: Mutex<HashMap<Window, Arc<Vec<Leaf>>>>,
}

/// Windows of more parts than these are not remembered.
const MOST_PARTS: usize = 4096;

/// A part of a target window and how positions in it are found.
#[derive(Clone, Copy)]
enum Leaf {
    /// Between the corners of a cell: upper left and right, lower left and right.
    Between(Window, [Position; 4]),
    Exact(Window),
}

impl Mapping {
    /// # Errors
    /// When only one of them has a CRS, or PROJ knows no way between the two.
    pub fn new(source: &Arc<Grid>, target: &Arc<Grid>) -> Result<Mapping> {
        let same = match (&source.crs, &target.crs) {
            (Some(a), Some(b)) => a == b,
            (None, None) => true,
            (a, b) => {
                let name = |c: &Option<Crs>| c.as_ref().map_or("none".to_string(), |c| c.to_string());
                return Err(Error::message(format!(
                    "cannot bring an image onto a grid when only one of them has a CRS (image: {}, grid: {}); \
                     `:set_crs(\"EPSG:…\")` gives it one",
                    name(a),
                    name(b)
                )));
            }
        };
        let side = (target.rows as f64 * target.cols as f64).sqrt() / CELLS_A_SIDE;
        let mut cell = LARGEST_CELL;
        while cell as f64 > side {
            cell /= 2;
        }
        let mut mapping = Mapping {
            source: source.clone(),
            target: target.clone(),
            affine: None,
            columns: Columns::new(source),
            target_turn: target.crs.as_ref().and_then(Crs::turn),
            goes_back: false,
            cell,
            needed: Mutex::default(),
            found: Mutex::default(),
        };
        if same {
            mapping.affine = source
                .transform
                .invert()
                .map(|inverse| compose(&target.transform, &inverse));
            return Ok(mapping);
        }
        if let (Some(from), Some(to)) = (&target.crs, &source.crs) {
            Transformer::new(from, to)?;
            mapping.goes_back = mapping.has_way_back();
        }
        Ok(mapping)
    }

    pub fn source_window(&self) -> Window {
        self.source.window()
    }

    /// Source pixels per target pixel (cols, rows), at the centre of the target grid, or where it first has an image.
    pub fn scale(&self) -> (f64, f64) {
        let (rows, cols) = (self.target.rows as f64, self.target.cols as f64);
        let mut at = vec![(0.5, 0.5)];
        at.extend((0..25).map(|i| (f64::from(i % 5) / 4.0, f64::from(i / 5) / 4.0)));
        for (fx, fy) in at {
            let (c, r) = (fx * cols, fy * rows);
            let (mut xs, mut ys) = (vec![c - 0.5, c + 0.5, c, c], vec![r, r, r - 0.5, r + 0.5]);
            self.exact(&mut xs, &mut ys);
            if xs.iter().chain(&ys).all(|v| v.is_finite()) {
                // Along source columns and rows, whichever way the target is turned.
                let across = |a: f64, b: f64| (self.beside(b, a) - a).abs();
                let (ax, ay) = (across(xs[0], xs[1]), (ys[1] - ys[0]).abs());
                let (bx, by) = (across(xs[2], xs[3]), (ys[3] - ys[2]).abs());
                return (ax.hypot(bx), ay.hypot(by));
            }
        }
        (1.0, 1.0)
    }

    /// The source's columns, which may run around the globe.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    fn wrapped(&self, x: f64) -> f64 {
        self.columns.wrapped(x)
    }

    fn beside(&self, x: f64, other: f64) -> f64 {
        self.columns.beside(x, other)
    }

    /// The window of the source that the pixels of `out` lie in, with `reach` pixels (cols, rows) around them.
    pub fn source_window_of(&self, out: Window, reach: (f64, f64), footprints: bool) -> Window {
        if let Some(found) = self.needed.lock().unwrap_or_else(|e| e.into_inner()).get(&out) {
            return *found;
        }
        let found = self.find_source_window(out, reach, footprints);
        // What was broken off is wrong.
        if crate::interrupt::requested() {
            return found;
        }
        let mut needed = self.needed.lock().unwrap_or_else(|e| e.into_inner());
        if needed.len() >= REMEMBERED {
            needed.clear();
        }
        needed.insert(out, found);
        found
    }

    fn find_source_window(&self, out: Window, reach: (f64, f64), footprints: bool) -> Window {
        // Where longitudes run around, the shorter of two: that cut opposite to the middle of the source, and at it.
        let middle = self.source.cols as f64 / 2.0;
        let mut hulls: [Option<Bounds>; 2] = [None, None];
        self.leaves(out, &mut |leaf| {
            let points: Vec<Position> = match leaf {
                Leaf::Between(cell, corners) => {
                    let part = cell.intersect(&out);
                    let (r, c) = (part.row as f64, part.col as f64);
                    let (h, w) = (part.rows as f64, part.cols as f64);
                    [(r, c), (r, c + w), (r + h, c), (r + h, c + w)]
                        .map(|(r, c)| between(&cell, &corners, r, c))
                        .to_vec()
                }
                Leaf::Exact(part) => self.exact_points(part, footprints),
            };
            // Points of a cell keep together.
            let together = matches!(leaf, Leaf::Between(..)).then(|| points[0].0);
            for (x, y) in points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()) {
                let first = together.unwrap_or(x);
                let near = x + self.wrapped(first) - first;
                let other = match self.columns.turn {
                    Some(turn) if self.wrapped(first) < middle => near + turn,
                    _ => near,
                };
                for (hull, x) in hulls.iter_mut().zip([near, other]) {
                    *hull = grown(*hull, (x, y));
                }
            }
        });
        let [Some(a), Some(b)] = hulls else {
            return Window::EMPTY;
        };
        let hull = if b.width() < a.width() { b } else { a };
        // Far outside the source nothing is needed; the limit also keeps the numbers within isize.
        let limit = 1e15;
        let low = |v: f64, reach: f64| (v - reach).floor().clamp(-limit, limit) as isize;
        let high = |v: f64, reach: f64| (v + reach).ceil().clamp(-limit, limit) as isize;
        let (row, row_end) = (low(hull.min_y, reach.1), high(hull.max_y, reach.1));
        let around = self.source_window().grow(4, 4);
        let mut wanted = Window::EMPTY;
        for offset in turns(self.columns.turn) {
            let (col, col_end) = (
                low(hull.min_x - offset, reach.0),
                high(hull.max_x - offset, reach.0),
            );
            let window = Window::new(row, col, (row_end - row) as usize, (col_end - col) as usize);
            if !window.intersect(&self.source_window()).is_empty() {
                wanted = wanted.hull(&window.intersect(&around));
            }
        }
        wanted
    }

    /// Exact positions of the centres of a window's pixels, row by row, and then of all corners, where they are wanted.
    fn exact_points(&self, part: Window, corners: bool) -> Vec<Position> {
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = pixels(part)
            .map(|(r, c)| (c as f64 + 0.5, r as f64 + 0.5))
            .unzip();
        if corners {
            let all = Window::new(part.row, part.col, part.rows + 1, part.cols + 1);
            for (r, c) in pixels(all) {
                xs.push(c as f64);
                ys.push(r as f64);
            }
        }
        self.exact(&mut xs, &mut ys);
        xs.into_iter().zip(ys).collect()
    }

    /// Visits the parts of a target window. Parts that are interpolated may reach beyond it.
    fn leaves(&self, out: Window, visit: &mut dyn FnMut(Leaf)) {
        if self.affine.is_some() {
            let (r, c) = (out.row as f64, out.col as f64);
            let (h, w) = (out.rows as f64, out.cols as f64);
            let (mut xs, mut ys) = ([c, c + w, c, c + w], [r, r, r + h, r + h]);
            self.exact(&mut xs, &mut ys);
            visit(Leaf::Between(out, std::array::from_fn(|i| (xs[i], ys[i]))));
            return;
        }
        if self.cell < SMALLEST_CELL {
            visit(Leaf::Exact(out));
            return;
        }
        let found = || self.found.lock().unwrap_or_else(|e| e.into_inner());
        let known = found().get(&out).cloned();
        let parts = known.unwrap_or_else(|| {
            let parts = Arc::new(self.parts(out));
            // What was broken off is not all.
            if parts.len() <= MOST_PARTS && !crate::interrupt::requested() {
                let mut found = found();
                if found.len() >= REMEMBERED {
                    found.clear();
                }
                found.insert(out, Arc::clone(&parts));
            }
            parts
        });
        parts.iter().for_each(|&part| visit(part));
    }

    /// The parts of a window in which the projection bends.
    fn parts(&self, out: Window) -> Vec<Leaf> {
        let mut parts = Vec::new();
        let mut size = self.cell as isize;
        let cells = |within: Window, size: isize| -> Vec<Window> {
            let starts = |first: isize, end: isize| {
                (first.div_euclid(size)..=(end - 1).div_euclid(size)).map(move |i| i * size)
            };
            let one = |(row, col)| Window::new(row, col, size as usize, size as usize);
            starts(within.row, within.row_end())
                .flat_map(|row| starts(within.col, within.col_end()).map(move |col| (row, col)))
                .map(one)
                // Beyond the target there may be nothing to evaluate.
                .map(|cell| cell.intersect(&self.target.window()))
                .collect()
        };
        let mut level = cells(out, size);
        while !level.is_empty() && !crate::interrupt::requested() {
            let finer = size / 2;
            let mut next = Vec::new();
            for (cell, nodes) in level.iter().zip(self.nodes(&level)) {
                match self.between_nodes(&nodes) {
                    Some(corners) => parts.push(Leaf::Between(*cell, corners)),
                    None if finer < SMALLEST_CELL as isize => parts.push(Leaf::Exact(cell.intersect(&out))),
                    None => next.extend(cells(cell.intersect(&out), finer)),
                }
            }
            (level, size) = (next, finer);
        }
        parts
    }

    /// Positions at the corners, the middles of the sides and the centre of each cell, row by row.
    fn nodes(&self, cells: &[Window]) -> Vec<[Position; 9]> {
        // Neighbours share them.
        let (mut xs, mut ys, mut places) = (Vec::new(), Vec::new(), Vec::with_capacity(9 * cells.len()));
        let mut known: HashMap<(u64, u64), usize> = HashMap::with_capacity(5 * cells.len());
        for cell in cells {
            for i in 0..9 {
                let x = cell.col as f64 + cell.cols as f64 * f64::from(i % 3) / 2.0;
                let y = cell.row as f64 + cell.rows as f64 * f64::from(i / 3) / 2.0;
                let place = *known.entry((x.to_bits(), y.to_bits())).or_insert_with(|| {
                    xs.push(x);
                    ys.push(y);
                    xs.len() - 1
                });
                places.push(place);
            }
        }
        self.exact(&mut xs, &mut ys);
        places
            .chunks_exact(9)
            .map(|nine| std::array::from_fn(|i| (self.beside(xs[nine[i]], xs[nine[0]]), ys[nine[i]])))
            .collect()
    }

    /// The corners of a cell, where positions between them can be interpolated.
    fn between_nodes(&self, nodes: &[Position; 9]) -> Option<[Position; 4]> {
        let hull = Bounds::around(nodes.iter().copied())?;
        let corners = [nodes[0], nodes[2], nodes[6], nodes[8]];
        let unit = Window::new(0, 0, 2, 2);
        let right = (0..9).all(|i| {
            let (x, y) = between(&unit, &corners, (i / 3) as f64, (i % 3) as f64);
            (x - nodes[i].0).abs() < TOLERANCE && (y - nodes[i].1).abs() < TOLERANCE
        });
        let (width, height) = (hull.width(), hull.height());
        let margin = 2.0 * TOLERANCE;
        // Apart from the edge of the source, where a hair decides on a pixel.
        let clear = |low: f64, high: f64, size: f64| {
            (low > margin && high < size - margin) || high < -margin || low > size + margin
        };
        // So far outside that the cell has nothing of the source, however it bends.
        let far = |low: f64, high: f64, size: f64, wide: f64| high + wide < 0.0 || low - wide > size;
        let (cols, rows) = (self.source.cols as f64, self.source.rows as f64);
        let low = self.wrapped(hull.min_x);
        let high = low + width;
        let runs_around = self.columns.turn.is_some_and(|turn| cols > turn - margin);
        let far_across = self.columns.turn.is_none() && far(low, high, cols, width);
        if far_across || far(hull.min_y, hull.max_y, rows, height) {
            return Some(corners);
        }
        let turn = self.columns.turn.unwrap_or(0.0);
        let clear_across = runs_around || (clear(low, high, cols) && clear(low - turn, high - turn, cols));
        (right && clear_across && clear(hull.min_y, hull.max_y, rows)).then_some(corners)
    }

    /// Target pixel coordinates to source pixel coordinates, in place; NaN where the projection has no image.
    pub fn exact(&self, xs: &mut [f64], ys: &mut [f64]) {
        if let Some(affine) = &self.affine {
            for (x, y) in xs.iter_mut().zip(ys) {
                (*x, *y) = affine.apply(*x, *y);
            }
            return;
        }
        for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
            (*x, *y) = self.target.transform.apply(*x, *y);
        }
        let places: Vec<Position> = xs.iter().copied().zip(ys.iter().copied()).collect();
        transform(&self.target.crs, &self.source.crs, xs, ys);
        if self.goes_back {
            let lost = self.lost(&places, xs, ys);
            // A place on a seam comes back on its other side; a hair beside the seam it does not.
            let hair = 1e-3 * self.target.resolution().0;
            let beside: Vec<Position> = lost
                .iter()
                .flat_map(|&i| {
                    [
                        (places[i].0 - hair, places[i].1),
                        (places[i].0 + hair, places[i].1),
                    ]
                })
                .collect();
            let (mut bx, mut by): (Vec<f64>, Vec<f64>) = beside.iter().copied().unzip();
            transform(&self.target.crs, &self.source.crs, &mut bx, &mut by);
            let mut gone = vec![false; beside.len()];
            self.lost(&beside, &bx, &by)
                .into_iter()
                .for_each(|i| gone[i] = true);
            for (k, &i) in lost.iter().enumerate() {
                let on_seam = (2 * k..2 * k + 2).any(|j| !gone[j] && bx[j].is_finite());
                if !on_seam {
                    (xs[i], ys[i]) = (f64::NAN, f64::NAN);
                }
            }
        }
        let inverse = self.source.transform.invert();
        for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
            (*x, *y) = inverse.map_or((f64::NAN, f64::NAN), |i| i.apply(*x, *y));
            *x = self.wrapped(*x);
        }
    }

    /// The positions in the list of places whose images, (xs, ys) in the source's CRS, do not lead back to them.
    fn lost(&self, places: &[Position], xs: &[f64], ys: &[f64]) -> Vec<usize> {
        let seen: Vec<usize> = (0..places.len()).filter(|&i| xs[i].is_finite()).collect();
        let (mut bx, mut by): (Vec<f64>, Vec<f64>) = seen.iter().map(|&i| (xs[i], ys[i])).unzip();
        transform(&self.source.crs, &self.target.crs, &mut bx, &mut by);
        let (width, height) = self.target.resolution();
        let comes_back = |(x, y): Position, (bx, by): Position| {
            let slack = 1e-6 * x.abs().max(y.abs());
            let (mut dx, dy) = (bx - x, by - y);
            if let Some(turn) = self.target_turn {
                // Meridians meet at the poles.
                let quarter = turn / 4.0;
                dx = (dx - turn * (dx / turn).round()) * (y / quarter * std::f64::consts::FRAC_PI_2).cos();
            }
            dx.abs() < width + slack && dy.abs() < height + slack
        };
        let found = seen.into_iter().zip(bx.into_iter().zip(by));
        found
            .filter(|&(i, at)| !comes_back(places[i], at))
            .map(|(i, _)| i)
            .collect()
    }

    /// Whether any place of the target that has an image in the source's CRS comes back from there.
    fn has_way_back(&self) -> bool {
        let (rows, cols) = (self.target.rows as f64, self.target.cols as f64);
        let places: Vec<Position> = (0..25)
            .map(|i| (f64::from(i % 5) + 0.5, f64::from(i / 5) + 0.5))
            .map(|(x, y)| self.target.transform.apply(x / 5.0 * cols, y / 5.0 * rows))
            .collect();
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
        transform(&self.target.crs, &self.source.crs, &mut xs, &mut ys);
        let with_image = xs.iter().any(|x| x.is_finite());
        transform(&self.source.crs, &self.target.crs, &mut xs, &mut ys);
        !with_image || xs.iter().any(|x| x.is_finite())
    }
}

/// The pixels of a window, row by row.
fn pixels(w: Window) -> impl Iterator<Item = (isize, isize)> {
    (w.row..w.row_end()).flat_map(move |r| (w.col..w.col_end()).map(move |c| (r, c)))
}

/// The position at (row, col) of the target, between those of a cell's corners.
fn between(cell: &Window, corners: &[Position; 4], row: f64, col: f64) -> Position {
    let fx = (col - cell.col as f64) / cell.cols as f64;
    let fy = (row - cell.row as f64) / cell.rows as f64;
    let mix = |p: Position, q: Position, t: f64| (p.0 + (q.0 - p.0) * t, p.1 + (q.1 - p.1) * t);
    mix(
        mix(corners[0], corners[1], fx),
        mix(corners[2], corners[3], fx),
        fy,
    )
}

fn grown(hull: Option<Bounds>, at: Position) -> Option<Bounds> {
    let point = Bounds::around([at])?;
    Some(hull.map_or(point, |hull| hull.union(&point)))
}

/// `second` after `first`.
fn compose(first: &Affine, second: &Affine) -> Affine {
    let (x0, y0) = second.apply(first.x0, first.y0);
    Affine {
        x0,
        dx: second.dx * first.dx + second.rx * first.ry,
        rx: second.dx * first.rx + second.rx * first.dy,
        y0,
        ry: second.ry * first.dx + second.dy * first.ry,
        dy: second.ry * first.rx + second.dy * first.dy,
    }
}

type Ends = (String, String);
/// That one thread keeps.
const MOST_TRANSFORMERS: usize = 64;

thread_local! {
    /// PROJ's objects belong to one thread and are costly to make.
    static TRANSFORMERS: RefCell<HashMap<Ends, Option<Transformer>>> = RefCell::new(HashMap::new());
}

/// In place, by this thread's own objects; (NaN, NaN) where there is no way. Nothing happens where one side has no CRS.
pub(super) fn transform(from: &Option<Crs>, to: &Option<Crs>, xs: &mut [f64], ys: &mut [f64]) {
    let (Some(from), Some(to)) = (from, to) else {
        return;
    };
    TRANSFORMERS.with_borrow_mut(|cache| {
        // Images that are placed by locators have CRSs of their own, which would add up.
        if cache.len() >= MOST_TRANSFORMERS {
            cache.clear();
        }
        let key = (from.wkt().to_string(), to.wkt().to_string());
        match cache
            .entry(key)
            .or_insert_with(|| Transformer::new(from, to).ok())
        {
            Some(transformer) => transformer.apply(xs, ys),
            None => xs.iter_mut().chain(ys).for_each(|v| *v = f64::NAN),
        }
    });
}
