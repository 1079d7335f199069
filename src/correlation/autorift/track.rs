//! The whole algorithm: chip sizes one after the other, each searched sparsely first, filtered, filled, and merged.

use ndarray::{Array2, ArrayView2, Zip, s};

use super::field;
use super::fill::fill;
use super::matcher::Sample;
use super::ndc::coherent;
use super::parameters::Parameters;
use super::search::{Found, Nodes, Pair, Search, search};
use crate::correlation::reason::Reason;
use crate::error::Result;

/// Where a pair is tracked, and how far: (rows, cols) of nodes.
#[derive(Debug, Clone)]
pub struct Field {
    /// The nodes; see `Nodes`.
    pub x: Array2<i32>,
    pub y: Array2<i32>,
    /// Half the search window in pixels; 0 or NaN where nothing is to be searched.
    pub limit_x: Array2<f32>,
    pub limit_y: Array2<f32>,
    /// Offsets known before, right and down, in pixels. They are rounded.
    pub prior_x: Array2<f32>,
    pub prior_y: Array2<f32>,
    /// The chip widths that a node admits.
    pub chip_min: Array2<f32>,
    pub chip_max: Array2<f32>,
}

/// The tracked field, (rows, cols) of nodes, NaN where there is no reliable offset.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// Offsets of the secondary image, right and down, in pixels.
    pub dx: Array2<f32>,
    pub dy: Array2<f32>,
    /// True where the offset is a median of others.
    pub interpolated: Array2<bool>,
    /// Width of the chip that found the offset, 0 where none did.
    pub chip_size_x: Array2<f32>,
    pub chip_size_y: Array2<f32>,
    /// Of the chip's own match; NaN where the offset is interpolated.
    pub correlation: Array2<f32>,
    pub snr: Array2<f32>,
    pub dx_std: Array2<f32>,
    pub dy_std: Array2<f32>,
    /// Why there is no offset: of the size of chip that came farthest, of equal ones the largest.
    pub reason: Array2<Reason>,
}

/// Told how far the searches have come, from any thread.
pub trait Watch: Sync {
    /// A search of so many nodes by chips of this width begins.
    fn start(&self, chip: usize, nodes: usize);
    fn advance(&self, nodes: usize);
    fn finish(&self);
}

/// Tells nobody.
pub struct Silent;

impl Watch for Silent {
    fn start(&self, _: usize, _: usize) {}
    fn advance(&self, _: usize) {}
    fn finish(&self) {}
}

/// Tracks a pair. The grid's size need not be a multiple of anything: a larger chip is searched on cells of nodes,
/// and nodes that do not fill a cell have the smallest chips only.
///
/// For each chip size: every n-th node is searched for whole shifts and filtered; nodes near what is left are searched to
/// a fraction of a pixel and filtered; small holes among them are filled by medians. The smallest chips' result is taken as
/// it is; larger chips are searched only where smaller ones left holes, on cells of nodes, and interpolated to the nodes.
///
/// # Errors
/// `Interrupted`; what reading the images fails with.
///
/// # Source
/// Y. Lei, A. Gardner, P. Agram, "Autonomous Repeat Image Feature Tracking (autoRIFT) and its application for
/// tracking ice displacement", Remote Sensing 13(4), 2021, doi:10.3390/rs13040749; A. S. Gardner et al., The Cryosphere 12,
/// 2018, doi:10.5194/tc-12-521-2018.
pub fn track<S: Sample>(
    pair: &dyn Pair<S>,
    at: &Field,
    parameters: &Parameters,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Tracked> {
    let shape = at.x.dim();
    let nothing = Array2::from_elem(shape, f32::NAN);
    let mut out = Tracked {
        dx: nothing.clone(),
        dy: nothing.clone(),
        interpolated: Array2::from_elem(shape, false),
        chip_size_x: Array2::zeros(shape),
        chip_size_y: Array2::zeros(shape),
        correlation: nothing.clone(),
        snr: nothing.clone(),
        dx_std: nothing.clone(),
        dy_std: nothing,
        reason: Array2::from_elem(shape, Reason::NotSearched),
    };
    for (scale, chip) in parameters.chips() {
        let Some(nodes) = level(at, &out, parameters, scale, chip) else {
            continue;
        };
        let one = Level {
            pair,
            parameters,
            nodes,
            scale,
            chip: (parameters.height(chip), chip),
            threads,
            watch,
        };
        merge(&mut out, one.run()?, scale, chip);
    }
    let high = |&w: &f32| parameters.height(w as usize) as f32;
    out.chip_size_y = out.chip_size_x.map(high);
    Ok(out)
}

/// The nodes that a chip size is searched at; none where it has nothing to do.
fn level(at: &Field, sofar: &Tracked, parameters: &Parameters, scale: usize, chip: usize) -> Option<Nodes> {
    let whole = |v: f32| if v.is_finite() { v.round() as i32 } else { 0 };
    let limit = |v: f32| {
        if v > 0.0 {
            (v.ceil() as i32).max(parameters.search_min as i32)
        } else {
            0
        }
    };
    let admits = Zip::from(&at.chip_min)
        .and(&at.chip_max)
        .map_collect(|&min, &max| min <= chip as f32 && chip as f32 <= max);
    let mut nodes = if scale == 1 {
        Nodes {
            x: at.x.clone(),
            y: at.y.clone(),
            limit_x: at.limit_x.map(|&v| limit(v.round())),
            limit_y: at.limit_y.map(|&v| limit(v.round())),
            prior_x: at.prior_x.map(|&v| whole(v)),
            prior_y: at.prior_y.map(|&v| whole(v)),
        }
    } else {
        // Nodes still without an offset, and the cells near them.
        let open = Zip::from(&sofar.chip_size_x)
            .and(&admits)
            .map_collect(|&size, &admits| f32::from(u8::from(size == 0.0 && admits)));
        let near = field::maximum(open.view(), 6 * scale - 1);
        let largest = |v: &[f32]| v.iter().copied().fold(f32::NAN, f32::max);
        let range = |v: &[f32]| {
            let low = v.iter().copied().fold(f32::NAN, f32::min);
            largest(v) - low
        };
        let cells = |field: &Array2<f32>| field::cells(field.view(), scale, field::mean_of);
        let limits = |limits: &Array2<f32>, prior: &Array2<f32>| {
            let widest = field::cells(limits.view(), scale, largest);
            // What the prior varies by within a cell must be searched too.
            let spread = field::cells(prior.view(), scale, range).map(|v| if v.is_nan() { 0.0 } else { *v });
            Zip::from(&widest)
                .and(&spread)
                .map_collect(|&w, &s| if w > 0.0 { limit(w + s) } else { 0 })
        };
        let near = field::cells(near.view(), scale, largest);
        let float = |field: &Array2<i32>| field.map(|&v| v as f32);
        let mut nodes = Nodes {
            x: cells(&float(&at.x)).map(|&v| whole(v)),
            y: cells(&float(&at.y)).map(|&v| whole(v)),
            limit_x: limits(&at.limit_x, &at.prior_x),
            limit_y: limits(&at.limit_y, &at.prior_y),
            prior_x: cells(&at.prior_x).map(|&v| whole(v)),
            prior_y: cells(&at.prior_y).map(|&v| whole(v)),
        };
        Zip::from(&mut nodes.limit_x)
            .and(&near)
            .for_each(|l, &near| *l = if near == 1.0 { *l } else { 0 });
        nodes
    };
    if scale == 1 {
        Zip::from(&mut nodes.limit_x)
            .and(&admits)
            .for_each(|l, &admits| *l = if admits { *l } else { 0 });
    }
    Zip::from(&mut nodes.limit_x)
        .and(&mut nodes.limit_y)
        .for_each(|x, y| {
            if *x == 0 || *y == 0 {
                (*x, *y) = (0, 0);
            }
        });
    nodes.limit_x.iter().any(|&l| l > 0).then_some(nodes)
}

/// One chip size.
struct Level<'a, S: Sample> {
    pair: &'a dyn Pair<S>,
    parameters: &'a Parameters,
    nodes: Nodes,
    scale: usize,
    /// (rows, cols)
    chip: (usize, usize),
    threads: usize,
    watch: &'a dyn Watch,
}

/// What one chip size found on its own nodes.
struct Outcome {
    found: Found,
    kept: Array2<bool>,
    filled: Array2<bool>,
}

impl<S: Sample> Level<'_, S> {
    fn run(mut self) -> Result<Outcome> {
        let left_out = self.leave_out_the_far()?;
        let oversampling = Some(self.parameters.oversampling(self.scale));
        let mut found = match self.nodes.limit_x.iter().any(|&l| l > 0) {
            true => self.search(&self.nodes, oversampling)?,
            false => Found::nothing(self.nodes.x.dim()),
        };
        if let Some(left_out) = left_out {
            Zip::from(&mut found.reason)
                .and(&left_out)
                .for_each(|reason, &why| {
                    if let Some(why) = why {
                        *reason = why;
                    }
                });
        }
        let kept = self.coherent(&found, &self.nodes, false);
        forget(&mut found, &kept);
        let filled = fill(&mut found.dx, &mut found.dy, &kept, self.parameters.fill_width);
        Ok(Outcome { found, kept, filled })
    }

    /// The sparse search: sets the limits of nodes to 0 that are far from everything it finds, of all where that is too
    /// little, and says why. A grid too small for it keeps all its nodes.
    fn leave_out_the_far(&mut self) -> Result<Option<Array2<Option<Reason>>>> {
        let step = self.parameters.sparse * self.parameters.density();
        let (rows, cols) = self.nodes.x.dim();
        if rows.min(cols) < 5 * step + 2 {
            return Ok(None);
        }
        let every = s![step - 1..;step, step - 1..;step];
        let widest = |limit: &Array2<i32>| {
            let around = field::maximum(limit.map(|&v| v as f32).view(), step + 1 - step % 2);
            around.slice(every).map(|&v| v as i32)
        };
        let sparse = Nodes {
            x: self.nodes.x.slice(every).to_owned(),
            y: self.nodes.y.slice(every).to_owned(),
            limit_x: widest(&self.nodes.limit_x),
            limit_y: widest(&self.nodes.limit_y),
            prior_x: self.nodes.prior_x.slice(every).to_owned(),
            prior_y: self.nodes.prior_y.slice(every).to_owned(),
        };
        let found = self.search(&sparse, None)?;
        let kept = self.coherent(&found, &sparse, true);
        let matched = found.dx.iter().filter(|v| !v.is_nan()).count();
        let good = kept.iter().filter(|&&k| k).count();
        let enough = good > 0 && good as f64 >= self.parameters.sparse_share * matched as f64;
        let near = match enough {
            true => field::dilate(kept.view(), self.parameters.sparse_reach as f32),
            false => Array2::from_elem(kept.dim(), false),
        };
        // Where its own chip there had nothing to match, neither had those around it.
        let why = Zip::from(&near)
            .and(&found.reason)
            .map_collect(|&near, &reason| match (near, reason) {
                (true, _) => None,
                (false, Reason::Nodata | Reason::LowSignal) => Some(reason),
                (false, _) => Some(Reason::Coarse),
            });
        let mut left_out = field::nearest(why.view(), step, (rows, cols));
        Zip::from(&mut self.nodes.limit_x)
            .and(&mut self.nodes.limit_y)
            .and(&mut left_out)
            .for_each(|x, y, left_out| match left_out {
                Some(_) if *x > 0 => (*x, *y) = (0, 0),
                // What was not to be searched is not left out.
                _ => *left_out = None,
            });
        Ok(Some(left_out))
    }

    fn search(&self, nodes: &Nodes, oversampling: Option<usize>) -> Result<Found> {
        let how = Search {
            chip: self.chip,
            oversampling,
            valid_share: self.parameters.valid_share,
            threads: self.threads,
        };
        self.watch.start(self.chip.1, nodes.x.len());
        let found = search(self.pair, nodes, &how, &|n| self.watch.advance(n));
        self.watch.finish();
        found
    }

    fn coherent(&self, found: &Found, nodes: &Nodes, sparse: bool) -> Array2<bool> {
        let float = |field: &Array2<i32>| field.map(|&v| v as f32);
        let (limit_x, limit_y) = (float(&nodes.limit_x), float(&nodes.limit_y));
        let filter = self.parameters.coherence(sparse, self.scale);
        coherent(
            (found.dx.view(), found.dy.view()),
            (limit_x.view(), limit_y.view()),
            &filter,
        )
    }
}

/// Makes everything NaN at nodes that are not kept.
fn forget(found: &mut Found, kept: &Array2<bool>) {
    Zip::from(&mut found.reason).and(kept).for_each(|reason, &kept| {
        if !kept && *reason == Reason::Ok {
            *reason = Reason::Incoherent;
        }
    });
    for field in [
        &mut found.dx,
        &mut found.dy,
        &mut found.correlation,
        &mut found.snr,
        &mut found.dx_std,
        &mut found.dy_std,
    ] {
        Zip::from(field).and(kept).for_each(|v, &k| {
            if !k {
                *v = f32::NAN;
            }
        });
    }
}

/// Takes what a chip size found into the nodes that have no offset yet.
fn merge(out: &mut Tracked, level: Outcome, scale: usize, chip: usize) {
    let shape = out.dx.dim();
    let Outcome {
        mut found,
        kept,
        filled,
    } = level;
    if scale > 1 {
        found.dx = to_nodes(found.dx, out.dx.view(), scale);
        found.dy = to_nodes(found.dy, out.dy.view(), scale);
    }
    for r in 0..shape.0 {
        for c in 0..shape.1 {
            let (at, cell) = ([r, c], [r / scale, c / scale]);
            // Nodes that fill no cell.
            if cell[0] >= kept.nrows() || cell[1] >= kept.ncols() {
                continue;
            }
            if out.chip_size_x[at] != 0.0 {
                continue;
            }
            if !(kept[cell] || filled[cell]) || found.dx[at].is_nan() {
                out.reason[at] = farther(out.reason[at], found.reason[cell]);
                continue;
            }
            out.reason[at] = match filled[cell] {
                true => Reason::Interpolated,
                false => Reason::Ok,
            };
            out.chip_size_x[at] = chip as f32;
            out.dx[at] = found.dx[at];
            out.dy[at] = found.dy[at];
            out.interpolated[at] = filled[cell];
            out.correlation[at] = found.correlation[cell];
            out.snr[at] = found.snr[cell];
            out.dx_std[at] = found.dx_std[cell];
            out.dy_std[at] = found.dy_std[cell];
        }
    }
}

/// The reason of that size of chip which came farther; of two that came as far, that of the second, which is larger.
fn farther(first: Reason, second: Reason) -> Reason {
    let stage = |reason| match reason {
        Reason::NotSearched => 0,
        Reason::Coarse => 1,
        Reason::Incoherent => 3,
        _ => 2,
    };
    match stage(second) >= stage(first) {
        true => second,
        false => first,
    }
}

/// One component of the offsets of cells at the nodes, by cubic convolution over what is known around: the cells' own
/// offsets, else the smaller chips' averaged, else the median of the cells around.
fn to_nodes(cells: Array2<f32>, smaller: ArrayView2<f32>, scale: usize) -> Array2<f32> {
    let averaged = field::mean(smaller, scale + 1 - scale % 2);
    let averaged = field::cells(averaged.view(), scale, field::mean_of);
    let medians = field::median(cells.view(), 5);
    let complete = Zip::from(&cells)
        .and(&averaged)
        .and(&medians)
        .map_collect(|&own, &averaged, &median| {
            [own, averaged, median]
                .into_iter()
                .find(|v| !v.is_nan())
                .unwrap_or(f32::NAN)
        });
    field::cubic(complete.view(), scale, smaller.dim())
}
