//! Positions of a window's pixels in the source, along parts of its rows.

use super::{Leaf, Mapping, Position};
use crate::raster::{Affine, Bounds, Window};

/// Called with a row and a column of a target window, counted from its corner, and what lies from there on.
pub type Centres<'a> = dyn FnMut(usize, usize, &[f64], &[f64]) + 'a;
pub type Footprints<'a> = dyn FnMut(usize, usize, &Rectangles) + 'a;

/// Rectangles along a part of a row; NaN where there is none.
#[derive(Debug, Clone, Default)]
pub struct Rectangles {
    min_x: Vec<f64>,
    min_y: Vec<f64>,
    max_x: Vec<f64>,
    max_y: Vec<f64>,
}

impl Rectangles {
    pub fn len(&self) -> usize {
        self.min_x.len()
    }

    pub fn is_empty(&self) -> bool {
        self.min_x.is_empty()
    }

    pub fn get(&self, i: usize) -> Option<Bounds> {
        let around = Bounds {
            min_x: self.min_x[i],
            min_y: self.min_y[i],
            max_x: self.max_x[i],
            max_y: self.max_y[i],
        };
        (!around.min_x.is_nan()).then_some(around)
    }

    /// Least and greatest: west, north, east and south in pixels.
    pub fn sides(&self) -> [&[f64]; 4] {
        [&self.min_x, &self.min_y, &self.max_x, &self.max_y]
    }

    pub fn of(list: &[Option<Bounds>]) -> Rectangles {
        let side = |of: fn(&Bounds) -> f64| list.iter().map(|b| b.as_ref().map_or(f64::NAN, of)).collect();
        Rectangles {
            min_x: side(|b| b.min_x),
            min_y: side(|b| b.min_y),
            max_x: side(|b| b.max_x),
            max_y: side(|b| b.max_y),
        }
    }

    /// Around the pixels between the corners of two rows.
    fn between(&mut self, above: &Line, below: &Line) {
        fn fill(side: &mut Vec<f64>, above: &[f64], below: &[f64], of: impl Fn(f64, f64) -> f64) {
            let (a, b) = (above.iter().zip(&above[1..]), below.iter().zip(&below[1..]));
            side.clear();
            side.extend(a.zip(b).map(|((a, b), (c, d))| of(of(*a, *b), of(*c, *d))));
        }
        // Positions between those that are there are none of them NaN.
        let (least, most) = (|a, b| if a < b { a } else { b }, |a, b| if a > b { a } else { b });
        fill(&mut self.min_x, &above.xs, &below.xs, least);
        fill(&mut self.min_y, &above.ys, &below.ys, least);
        fill(&mut self.max_x, &above.xs, &below.xs, most);
        fill(&mut self.max_y, &above.ys, &below.ys, most);
    }
}

impl Mapping {
    /// Visits the positions (xs, ys) of the centres of the pixels of a target window, in no order, each once. Those of pixels that have no
    /// image are NaN, or are not visited.
    pub fn centres(&self, out: Window, visit: &mut Centres<'_>) {
        let mut line = Line::default();
        if let Some(affine) = &self.affine {
            let mut along = Along::affine(affine, &out, 0.5, out.cols);
            for row in 0..out.rows {
                along.fill((out.row + row as isize) as f64 + 0.5, &mut line);
                visit(row, 0, &line.xs, &line.ys);
            }
            return;
        }
        self.leaves(out, &mut |leaf| match leaf {
            Leaf::Between(cell, corners) => {
                let part = cell.intersect(&out);
                let (row, col) = offset(&part, &out);
                let mut along = Along::between(cell, &corners, &part, 0.5, part.cols);
                for i in 0..part.rows {
                    along.fill((part.row + i as isize) as f64 + 0.5, &mut line);
                    visit(row + i, col, &line.xs, &line.ys);
                }
            }
            Leaf::Exact(part) => {
                let (xs, ys): (Vec<f64>, Vec<f64>) = self.exact_points(part, false).into_iter().unzip();
                let (row, col) = offset(&part, &out);
                let lines = xs.chunks(part.cols.max(1)).zip(ys.chunks(part.cols.max(1)));
                for (i, (xs, ys)) in lines.enumerate() {
                    visit(row + i, col, xs, ys);
                }
            }
        });
    }

    /// Visits the rectangles in the source around the pixels of a target window, as `centres` does; None where the centre of a pixel has no
    /// image.
    pub fn footprints(&self, out: Window, visit: &mut Footprints<'_>) {
        if let Some(affine) = &self.affine {
            let mut along = Along::affine(affine, &out, 0.0, out.cols + 1);
            along.footprints(&out, (0, 0), visit);
            return;
        }
        self.leaves(out, &mut |leaf| match leaf {
            Leaf::Between(cell, corners) => {
                let part = cell.intersect(&out);
                let mut along = Along::between(cell, &corners, &part, 0.0, part.cols + 1);
                along.footprints(&part, offset(&part, &out), visit);
            }
            Leaf::Exact(part) => {
                let (row, col) = offset(&part, &out);
                let around = self.exact_footprints(part);
                for (i, line) in around.chunks(part.cols.max(1)).enumerate() {
                    visit(row + i, col, &Rectangles::of(line));
                }
            }
        });
    }

    fn exact_footprints(&self, part: Window) -> Vec<Option<Bounds>> {
        // Centres first, then the corners, row by row.
        let points = self.exact_points(part, true);
        let (centres, corners) = points.split_at(part.len());
        let around = |(i, &centre): (usize, &Position)| {
            if centre.0.is_nan() {
                return None;
            }
            let around = corners_of(i, part.cols)
                .map(|k| (self.beside(corners[k].0, centre.0), corners[k].1))
                .into_iter()
                .filter(|(x, _)| !x.is_nan())
                .chain([centre]);
            Bounds::around(around)
        };
        centres.iter().enumerate().map(around).collect()
    }
}

/// Where a part of a window begins in it.
fn offset(part: &Window, out: &Window) -> (usize, usize) {
    match part.is_empty() {
        true => (0, 0),
        false => ((part.row - out.row) as usize, (part.col - out.col) as usize),
    }
}

/// Where the corners of pixel `i` are, in a list of the corners of a window of `cols` columns.
fn corners_of(i: usize, cols: usize) -> [usize; 4] {
    let first = i / cols * (cols + 1) + i % cols;
    [first, first + 1, first + cols + 1, first + cols + 2]
}

/// Positions along a row.
#[derive(Default)]
struct Line {
    xs: Vec<f64>,
    ys: Vec<f64>,
}

/// Positions of some columns in any row: between those on the upper and on the lower side of a cell, or by a transform.
enum Along<'a> {
    Between {
        cell: Window,
        upper: Vec<Position>,
        lower: Vec<Position>,
    },
    Affine {
        affine: &'a Affine,
        cols: Vec<f64>,
    },
}

impl<'a> Along<'a> {
    /// Of `count` columns, the first at `within` its pixel.
    fn affine(affine: &'a Affine, out: &Window, within: f64, count: usize) -> Along<'a> {
        let first = out.col as f64 + within;
        Along::Affine {
            affine,
            cols: (0..count).map(|c| first + c as f64).collect(),
        }
    }

    fn between(cell: Window, corners: &[Position; 4], part: &Window, within: f64, count: usize) -> Along<'a> {
        let side = |p: Position, q: Position| -> Vec<Position> {
            let at = |c: usize| {
                let t = ((part.col + c as isize) as f64 + within - cell.col as f64) / cell.cols as f64;
                (p.0 + (q.0 - p.0) * t, p.1 + (q.1 - p.1) * t)
            };
            (0..count).map(at).collect()
        };
        Along::Between {
            cell,
            upper: side(corners[0], corners[1]),
            lower: side(corners[2], corners[3]),
        }
    }

    fn fill(&mut self, row: f64, line: &mut Line) {
        line.xs.clear();
        line.ys.clear();
        match self {
            Along::Affine { affine, cols } => {
                line.xs.extend(cols.iter().map(|&col| affine.apply(col, row).0));
                line.ys.extend(cols.iter().map(|&col| affine.apply(col, row).1));
            }
            Along::Between { cell, upper, lower } => {
                let t = (row - cell.row as f64) / cell.rows as f64;
                let sides = || upper.iter().zip(&*lower);
                line.xs.extend(sides().map(|(p, q)| p.0 + (q.0 - p.0) * t));
                line.ys.extend(sides().map(|(p, q)| p.1 + (q.1 - p.1) * t));
            }
        }
    }

    /// The rectangles around the pixels of `part` whose corners these are.
    fn footprints(&mut self, part: &Window, (row, col): (usize, usize), visit: &mut Footprints<'_>) {
        let (mut above, mut below) = (Line::default(), Line::default());
        let mut found = Rectangles::default();
        self.fill(part.row as f64, &mut above);
        for i in 0..part.rows {
            self.fill((part.row + i as isize + 1) as f64, &mut below);
            found.between(&above, &below);
            visit(row + i, col, &found);
            std::mem::swap(&mut above, &mut below);
        }
    }
}
