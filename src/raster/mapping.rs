//! Where a target pixel lies in a source image: affine in one CRS, else the projection, evaluated on a lattice and
//! interpolated. The lattice is fixed to the target grid, so the answer does not depend on the tile.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Affine, Bounds, Crs, Grid, Transformer, Window};
use crate::error::{Error, Result};

/// Interpolated positions may be off by this much, in source pixels.
const TOLERANCE: f64 = 0.02;

pub struct Mapping {
    source: Arc<Grid>,
    target: Arc<Grid>,
    /// Target pixel to source pixel, where both have one CRS.
    affine: Option<Affine>,
    /// Lattice spacing in target pixels, otherwise.
    step: usize,
}

impl Mapping {
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
        let mut mapping = Mapping {
            source: source.clone(),
            target: target.clone(),
            affine: None,
            step: 0,
        };
        if same {
            mapping.affine = source
                .transform
                .invert()
                .map(|inverse| compose(&target.transform, &inverse));
            return Ok(mapping);
        }
        let (Some(from), Some(to)) = (&target.crs, &source.crs) else {
            return Ok(mapping);
        };
        Transformer::new(from, to)?;
        mapping.step = [32, 16, 8, 4, 2]
            .into_iter()
            .find(|&s| mapping.lattice_error(s) < TOLERANCE)
            .unwrap_or(1);
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
                let (ax, ay) = ((xs[1] - xs[0]).abs(), (ys[1] - ys[0]).abs());
                let (bx, by) = ((xs[3] - xs[2]).abs(), (ys[3] - ys[2]).abs());
                return (ax.hypot(bx), ay.hypot(by));
            }
        }
        (1.0, 1.0)
    }

    /// Source pixel coordinates around the target window; None where no part of it has an image.
    pub fn source_bounds(&self, out: Window) -> Option<Bounds> {
        let mut lattice = Vec::new();
        if self.affine.is_some() {
            for (r, c) in [
                (out.row, out.col),
                (out.row, out.col_end()),
                (out.row_end(), out.col),
                (out.row_end(), out.col_end()),
            ] {
                lattice.push(self.at(c as f64, r as f64));
            }
        } else {
            let step = self.step as isize;
            let rows = nodes(out.row, out.row_end(), step);
            let cols = nodes(out.col, out.col_end(), step);
            for &r in &rows {
                let (mut xs, mut ys): (Vec<f64>, Vec<f64>) =
                    cols.iter().map(|&c| (c as f64, r as f64)).unzip();
                self.exact(&mut xs, &mut ys);
                lattice.extend(xs.into_iter().zip(ys));
            }
        }
        Bounds::around(
            lattice
                .into_iter()
                .filter(|(x, y)| x.is_finite() && y.is_finite()),
        )
    }

    fn at(&self, col: f64, row: f64) -> (f64, f64) {
        match &self.affine {
            Some(affine) => affine.apply(col, row),
            None => {
                let (mut xs, mut ys) = ([col], [row]);
                self.exact(&mut xs, &mut ys);
                (xs[0], ys[0])
            }
        }
    }

    /// Target pixel coordinates to source pixel coordinates, in place; NaN where the projection has no image.
    fn exact(&self, xs: &mut [f64], ys: &mut [f64]) {
        if let Some(affine) = &self.affine {
            for (x, y) in xs.iter_mut().zip(ys) {
                (*x, *y) = affine.apply(*x, *y);
            }
            return;
        }
        for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
            (*x, *y) = self.target.transform.apply(*x, *y);
        }
        transform(&self.target.crs, &self.source.crs, xs, ys);
        let inverse = self.source.transform.invert();
        for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
            (*x, *y) = inverse.map_or((f64::NAN, f64::NAN), |i| i.apply(*x, *y));
        }
    }

    /// The largest error of bilinear interpolation between lattice nodes, sampled over the whole target.
    fn lattice_error(&self, step: usize) -> f64 {
        let s = step as f64;
        let mut worst: f64 = 0.0;
        for i in 0..9 {
            for j in 0..9 {
                let snap = |size: usize, k: i32| (size as f64 * f64::from(k) / 8.0 / s).floor() * s;
                let (c, r) = (snap(self.target.cols, i), snap(self.target.rows, j));
                let mut xs = [c, c + s, c, c + s, c + s / 2.0, c + s / 2.0, c];
                let mut ys = [r, r, r + s, r + s, r + s / 2.0, r, r + s / 2.0];
                self.exact(&mut xs, &mut ys);
                if xs.iter().chain(&ys).any(|v| !v.is_finite()) {
                    continue;
                }
                for v in [&xs, &ys] {
                    let middle = (v[0] + v[1] + v[2] + v[3]) / 4.0 - v[4];
                    let (top, left) = ((v[0] + v[1]) / 2.0 - v[5], (v[0] + v[2]) / 2.0 - v[6]);
                    worst = worst.max(middle.abs()).max(top.abs()).max(left.abs());
                }
            }
        }
        worst
    }

    /// Walks the rows of a target window.
    pub fn lines(&self, out: Window, footprints: bool) -> Lines<'_> {
        Lines {
            mapping: self,
            out,
            next: 0,
            footprints,
            centres: Vec::new(),
            top: Vec::new(),
            bottom: Vec::new(),
            lattice: HashMap::new(),
        }
    }
}

/// Positions of one target row after the other.
pub struct Lines<'a> {
    mapping: &'a Mapping,
    out: Window,
    next: usize,
    footprints: bool,
    centres: Vec<(f64, f64)>,
    /// Pixel corners along the upper and lower edge of the row.
    top: Vec<(f64, f64)>,
    bottom: Vec<(f64, f64)>,
    /// Exact positions along lattice rows.
    lattice: HashMap<isize, Vec<(f64, f64)>>,
}

impl Lines<'_> {
    pub fn advance(&mut self) {
        let row = self.out.row + self.next as isize;
        self.next += 1;
        if self.footprints {
            self.top = if self.bottom.is_empty() {
                self.positions(row as f64, 0.0, self.out.cols + 1)
            } else {
                std::mem::take(&mut self.bottom)
            };
            self.bottom = self.positions((row + 1) as f64, 0.0, self.out.cols + 1);
        } else {
            self.centres = self.positions(row as f64 + 0.5, 0.5, self.out.cols);
        }
    }

    /// Source position of the centre of column `c` of the window.
    pub fn centre(&self, c: usize) -> (f64, f64) {
        self.centres[c]
    }

    /// Rectangle in the source around the pixel in column `c` of the window.
    pub fn footprint(&self, c: usize) -> Option<Bounds> {
        Bounds::around([self.top[c], self.top[c + 1], self.bottom[c], self.bottom[c + 1]])
    }

    /// Positions at (row, first column + offset), one a column.
    fn positions(&mut self, row: f64, offset: f64, count: usize) -> Vec<(f64, f64)> {
        let first = self.out.col as f64 + offset;
        if let Some(affine) = &self.mapping.affine {
            return (0..count).map(|i| affine.apply(first + i as f64, row)).collect();
        }
        let step = self.mapping.step as isize;
        let upper = (row as isize).div_euclid(step) * step;
        let fy = (row - upper as f64) / step as f64;
        let start = self.out.col.div_euclid(step) * step;
        let nodes = ((self.out.col_end() - start) / step + 2) as usize;
        self.lattice.retain(|r, _| *r >= upper);
        for r in [upper, upper + step] {
            let mapping = self.mapping;
            self.lattice.entry(r).or_insert_with(|| {
                let mut xs: Vec<f64> = (0..nodes).map(|i| (start + i as isize * step) as f64).collect();
                let mut ys = vec![r as f64; nodes];
                mapping.exact(&mut xs, &mut ys);
                xs.into_iter().zip(ys).collect()
            });
        }
        let (a, b) = (&self.lattice[&upper], &self.lattice[&(upper + step)]);
        let mix = |p: (f64, f64), q: (f64, f64), t: f64| (p.0 + (q.0 - p.0) * t, p.1 + (q.1 - p.1) * t);
        (0..count)
            .map(|i| {
                let along = (first + i as f64 - start as f64) / step as f64;
                let cell = (along.floor() as usize).min(nodes - 2);
                let fx = along - cell as f64;
                mix(mix(a[cell], a[cell + 1], fx), mix(b[cell], b[cell + 1], fx), fy)
            })
            .collect()
    }
}

fn nodes(from: isize, to: isize, step: isize) -> Vec<isize> {
    let first = from.div_euclid(step) * step;
    (0..)
        .map(|i| first + i * step)
        .take_while(|n| *n < to + step)
        .collect()
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

/// That one thread keeps.
const MOST_TRANSFORMERS: usize = 64;

thread_local! {
    /// PROJ's objects belong to one thread and are costly to make.
    static TRANSFORMERS: RefCell<HashMap<(String, String), Option<Transformer>>> = RefCell::new(HashMap::new());
}

fn transform(from: &Option<Crs>, to: &Option<Crs>, xs: &mut [f64], ys: &mut [f64]) {
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
