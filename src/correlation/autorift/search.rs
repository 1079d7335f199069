//! The search: the match of a chip at every node of a grid.

use std::ops::Range;
use std::sync::Mutex;

use ndarray::Array2;

use super::matcher::{Matcher, Sample};
use super::peak::{self, Match};
use super::pyramid::Pyramid;
use crate::correlation::dot::Shape;
use crate::correlation::reason::Reason;
use crate::error::Result;
use crate::interrupt;
use crate::work::workers;

/// Which image of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Reference,
    Secondary,
}

/// Two images of one size, filtered and of the samples that are compared; rows are read as they are needed.
pub trait Pair<S>: Sync {
    /// (rows, cols)
    fn shape(&self) -> (usize, usize);
    /// Replaces `out` by whole rows of an image, `rows` within it.
    ///
    /// # Errors
    /// When the image or its scratch file cannot be read.
    fn read(&self, which: Which, rows: Range<usize>, out: &mut Vec<S>) -> Result<()>;
    /// Replaces `out` by 1 for every pixel of these rows that has a value and 0 for others. False, with `out` as it was,
    /// where the whole image has values.
    ///
    /// # Errors
    /// As `read`.
    fn read_valid(&self, which: Which, rows: Range<usize>, out: &mut Vec<u8>) -> Result<bool>;
}

/// The nodes of one grid, (rows, cols). A node (x, y) is the corner between the pixels x − 1 and x, y − 1 and y: where
/// a chip of an even size has its centre. Offsets are of the secondary image, right and down.
#[derive(Debug, Clone)]
pub struct Nodes {
    pub x: Array2<i32>,
    pub y: Array2<i32>,
    /// Shifts −limit … limit − 1 are tried; nodes with 0 in either are not searched.
    pub limit_x: Array2<i32>,
    pub limit_y: Array2<i32>,
    /// The offset that the search is centred on, whole pixels.
    pub prior_x: Array2<i32>,
    pub prior_y: Array2<i32>,
}

/// How a search is done.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// (rows, cols) of the chip.
    pub chip: (usize, usize),
    /// Steps a pixel of the refinement; none for whole shifts.
    pub oversampling: Option<usize>,
    /// Share of a chip's pixels that must have a value, in both images.
    pub valid_share: f64,
    pub threads: usize,
}

/// What a search found; NaN at nodes without a match, for a reason.
#[derive(Debug, Clone)]
pub struct Found {
    pub dx: Array2<f32>,
    pub dy: Array2<f32>,
    pub correlation: Array2<f32>,
    pub snr: Array2<f32>,
    pub dx_std: Array2<f32>,
    pub dy_std: Array2<f32>,
    pub reason: Array2<Reason>,
}

impl Found {
    pub fn nothing(shape: (usize, usize)) -> Found {
        let nothing = Array2::from_elem(shape, f32::NAN);
        Found {
            dx: nothing.clone(),
            dy: nothing.clone(),
            correlation: nothing.clone(),
            snr: nothing.clone(),
            dx_std: nothing.clone(),
            dy_std: nothing,
            reason: Array2::from_elem(shape, Reason::NotSearched),
        }
    }

    fn set(&mut self, at: (usize, usize), m: &Match) {
        self.dx[at] = m.dx;
        self.dy[at] = m.dy;
        self.correlation[at] = m.correlation;
        self.snr[at] = m.snr;
        self.dx_std[at] = m.dx_std;
        self.dy_std[at] = m.dy_std;
        self.reason[at] = Reason::Ok;
    }
}

/// Searches every node that has a search limit. The chip is cut from the reference image, displaced backwards by the prior
/// offset, and compared with the secondary image around the node. Outside an image, and where it has no value,
/// stands `Sample::NEUTRAL`. Calls `done` with the nodes of each finished row.
///
/// # Nodata
/// A node is NaN where its chip, or what it matched, has too few values, and where the chip or the search window is constant.
///
/// # Errors
/// `Interrupted`; what reading the images fails with.
pub fn search<S: Sample>(
    pair: &dyn Pair<S>,
    nodes: &Nodes,
    how: &Search,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Found> {
    let (rows, cols) = nodes.x.dim();
    let found = Mutex::new(Found::nothing((rows, cols)));
    let worker = || (Worker::<S>::new(pair, how), vec![Err(Reason::NotSearched); cols]);
    workers::for_each(how.threads, rows, worker, |(worker, matches), row| {
        worker.row(nodes, row, matches)?;
        let mut found = found.lock().unwrap_or_else(|e| e.into_inner());
        for (col, m) in matches.iter().enumerate() {
            match m {
                Ok(m) => found.set((row, col), m),
                Err(reason) => found.reason[(row, col)] = *reason,
            }
        }
        done(cols);
        Ok(())
    })?;
    Ok(found.into_inner().unwrap_or_else(|e| e.into_inner()))
}

/// Whole rows of one image, and which pixels of them have values.
struct Strip<S> {
    first: isize,
    rows: usize,
    cols: usize,
    samples: Vec<S>,
    valid: Vec<u8>,
    complete: bool,
}

impl<S: Sample> Strip<S> {
    fn new(cols: usize) -> Strip<S> {
        Strip {
            first: 0,
            rows: 0,
            cols,
            samples: Vec::new(),
            valid: Vec::new(),
            complete: true,
        }
    }

    /// Reads the rows of `wanted` that the image has.
    fn read(&mut self, pair: &dyn Pair<S>, which: Which, wanted: Range<isize>) -> Result<()> {
        let height = pair.shape().0 as isize;
        let (start, end) = (wanted.start.clamp(0, height), wanted.end.clamp(0, height));
        let range = start as usize..end.max(start) as usize;
        self.first = start;
        self.rows = range.len();
        self.samples.clear();
        if !range.is_empty() {
            pair.read(which, range.clone(), &mut self.samples)?;
            self.complete = !pair.read_valid(which, range, &mut self.valid)?;
        }
        Ok(())
    }

    /// The part of `cols`, starting at column `left`, that the image has: (place in the window, place in the image, length).
    fn overlap(&self, left: isize, cols: usize) -> (usize, usize, usize) {
        let start = left.clamp(0, self.cols as isize);
        let end = (left + cols as isize).clamp(start, self.cols as isize);
        (
            (start - left).max(0) as usize,
            start as usize,
            (end - start) as usize,
        )
    }

    /// Copies a window of (`rows`, `cols`) whose first pixel is (top, left) of the image.
    fn cut(&self, (top, left): (isize, isize), (rows, cols): (usize, usize), out: &mut Vec<S>) {
        out.clear();
        out.resize(rows * cols, S::NEUTRAL);
        let (at, from, n) = self.overlap(left, cols);
        if n == 0 {
            return;
        }
        for (r, out) in out.chunks_exact_mut(cols).enumerate() {
            let row = top + r as isize - self.first;
            if (0..self.rows as isize).contains(&row) {
                let row = row as usize * self.cols + from;
                out[at..at + n].copy_from_slice(&self.samples[row..row + n]);
            }
        }
    }

    /// The share of the pixels of a window that have values.
    fn share(&self, (top, left): (isize, isize), (rows, cols): (usize, usize)) -> f64 {
        let (_, from, n) = self.overlap(left, cols);
        let inside =
            (top..top + rows as isize).filter(|r| (0..self.rows as isize).contains(&(r - self.first)));
        let count: usize = if self.complete {
            inside.count() * n
        } else {
            inside
                .map(|r| {
                    let row = (r - self.first) as usize * self.cols + from;
                    self.valid[row..row + n]
                        .iter()
                        .map(|&v| usize::from(v))
                        .sum::<usize>()
                })
                .sum()
        };
        count as f64 / (rows * cols) as f64
    }
}

/// One thread's buffers.
struct Worker<'a, S: Sample> {
    pair: &'a dyn Pair<S>,
    how: &'a Search,
    matcher: S::Matcher,
    pyramid: Option<Pyramid>,
    reference: Strip<S>,
    secondary: Strip<S>,
    chip: Vec<S>,
    window: Vec<S>,
    surface: Vec<f32>,
}

impl<'a, S: Sample> Worker<'a, S> {
    fn new(pair: &'a dyn Pair<S>, how: &'a Search) -> Worker<'a, S> {
        let cols = pair.shape().1;
        Worker {
            pair,
            how,
            matcher: S::Matcher::default(),
            pyramid: how.oversampling.map(Pyramid::new),
            reference: Strip::new(cols),
            secondary: Strip::new(cols),
            chip: Vec::new(),
            window: Vec::new(),
            surface: Vec::new(),
        }
    }

    fn row(&mut self, nodes: &Nodes, row: usize, out: &mut [Result<Match, Reason>]) -> Result<()> {
        out.fill(Err(Reason::NotSearched));
        let searched = |col: &usize| nodes.limit_x[[row, *col]] > 0 && nodes.limit_y[[row, *col]] > 0;
        let half = (self.how.chip.0 / 2) as isize;
        let hull = |reach: &dyn Fn(usize) -> Range<isize>| {
            let ranges = (0..out.len()).filter(searched).map(reach);
            ranges.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
        };
        let y = |col: usize| nodes.y[[row, col]] as isize;
        let of_chip = |col: usize| {
            let y = y(col) - nodes.prior_y[[row, col]] as isize;
            y - half..y + half
        };
        let of_search = |col: usize| {
            let reach = half + nodes.limit_y[[row, col]] as isize;
            y(col) - reach..y(col) + reach
        };
        let (Some(chips), Some(searches)) = (hull(&of_chip), hull(&of_search)) else {
            return Ok(());
        };
        self.reference.read(self.pair, Which::Reference, chips)?;
        self.secondary.read(self.pair, Which::Secondary, searches)?;
        for col in (0..out.len()).filter(searched) {
            interrupt::check()?;
            let at = [row, col];
            let node = Node {
                at: (nodes.y[at] as isize, nodes.x[at] as isize),
                limit: (nodes.limit_y[at] as usize, nodes.limit_x[at] as usize),
                prior: (nodes.prior_y[at] as isize, nodes.prior_x[at] as isize),
            };
            out[col] = self.node(&node);
        }
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Result<Match, Reason> {
        let (rows, cols) = self.how.chip;
        let (half_rows, half_cols) = (rows as isize / 2, cols as isize / 2);
        let shape = Shape {
            chip: self.how.chip,
            shifts: (2 * node.limit.0, 2 * node.limit.1),
        };
        let corner = (
            node.at.0 - half_rows - node.prior.0,
            node.at.1 - half_cols - node.prior.1,
        );
        let share = self.reference.share(corner, shape.chip);
        if share < self.how.valid_share {
            return Err(Reason::Nodata);
        }
        let window = (
            node.at.0 - half_rows - node.limit.0 as isize,
            node.at.1 - half_cols - node.limit.1 as isize,
        );
        self.reference.cut(corner, shape.chip, &mut self.chip);
        self.secondary.cut(window, shape.search(), &mut self.window);
        self.surface.resize(shape.shifts.0 * shape.shifts.1, 0.0);
        if !self
            .matcher
            .surface(shape, &self.chip, &self.window, &mut self.surface)
        {
            // Masked pixels are as constant as any.
            let known = self.secondary.share(window, shape.search());
            return Err(match known < self.how.valid_share {
                true => Reason::Nodata,
                false => Reason::LowSignal,
            });
        }
        let samples = share * shape.area() as f64 * S::COMPONENTS;
        let mut found = peak::read(&self.surface, shape.shifts, samples, self.pyramid.as_mut());
        let matched = (
            window.0 + found.dy.round() as isize,
            window.1 + found.dx.round() as isize,
        );
        if self.secondary.share(matched, shape.chip) < self.how.valid_share {
            return Err(Reason::Nodata);
        }
        found.dx += (node.prior.1 - node.limit.1 as isize) as f32;
        found.dy += (node.prior.0 - node.limit.0 as isize) as f32;
        Ok(found)
    }
}

/// One node; pairs are (rows, cols).
struct Node {
    at: (isize, isize),
    limit: (usize, usize),
    prior: (isize, isize),
}
