//! Windows become rows of an image: they are weighted and added in their order, whoever computed them, and rows that no later window
//! touches go on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut2, Axis as Dimension, Zip, s, stack};

use super::lattice::{Axis, Blend, Share};
use super::products::Product;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::raster::lattice::Rows;
use crate::raster::ring::Ring;
use crate::raster::{Class, Window};

/// What the network gave for a window.
pub struct Answer {
    /// Planes × rows × cols of cells: probabilities, numbers, or first these and then those.
    pub planes: Array3<f32>,
    /// 1 for cells that are not masked.
    pub valid: Array2<u8>,
}

/// The planes of answers that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planes {
    pub channels: usize,
    pub probabilities: bool,
    pub values: bool,
}

impl Planes {
    pub fn of(products: &[Product], channels: usize) -> Planes {
        Planes {
            channels,
            probabilities: products.iter().any(|product| product.of_probabilities()),
            values: products.iter().any(|product| !product.of_probabilities()),
        }
    }

    pub fn count(self) -> usize {
        self.channels * (usize::from(self.probabilities) + usize::from(self.values))
    }

    /// Those that a product is made of.
    fn range(self, product: Product) -> Range<usize> {
        let first = match product.of_probabilities() || !self.probabilities {
            true => 0,
            false => self.channels,
        };
        first..first + self.channels
    }
}

struct State {
    /// The next batch whose turn it is.
    next: usize,
    /// Later ones that are ready, and the windows of each: (row, col) of the lattice.
    ready: BTreeMap<usize, Batch>,
    /// All rows of cells above have gone on.
    done: usize,
    failed: bool,
}

pub type Batch = Vec<((usize, usize), Option<Answer>)>;

/// See the module.
pub struct Gather<'a> {
    blend: Blend,
    products: &'a [Product],
    /// What the classes are called in a map, in their order.
    classes: &'a [Class],
    planes: Planes,
    /// Of the rows and columns of the lattice that are wanted.
    shares: (Vec<Share>, Vec<Share>),
    /// The first cell of each.
    first: (Vec<usize>, Vec<usize>),
    /// Cells that are wanted.
    region: Window,
    /// The first row of cells that windows below a row of the lattice touch, for each that is wanted.
    finished: Vec<usize>,
    /// Rows and columns of the lattice that are wanted.
    windows: (Range<usize>, Range<usize>),
    sums: Vec<Ring<f32>>,
    valid: Ring<u8>,
    /// Batches that may be ready before their turn.
    ahead: usize,
    state: Mutex<State>,
    changed: Condvar,
    rows: &'a Rows<'a>,
}

impl<'a> Gather<'a> {
    /// Room for the windows in `windows` of the lattice. It fails where a scratch file cannot be made.
    pub fn new(
        axes: (&Axis, &Axis),
        blend: Blend,
        (products, classes): (&'a [Product], &'a [Class]),
        channels: usize,
        (region, windows): (Window, (Range<usize>, Range<usize>)),
        ahead: usize,
        rows: &'a Rows<'a>,
    ) -> Result<Gather<'a>> {
        let planes = Planes::of(products, channels);
        let end = region.row_end() as usize;
        let finished = windows
            .0
            .clone()
            .map(|row| match row + 1 < windows.0.end {
                true => axes.0.covers(row + 1).start.min(end),
                false => end,
            })
            .collect();
        let height = windows
            .0
            .clone()
            .map(|row| axes.0.covers(row).len())
            .max()
            .unwrap_or(0);
        let height = height.min(region.rows).max(1);
        let shares = |axis: &Axis, wanted: &Range<usize>| -> Vec<Share> {
            wanted.clone().map(|index| axis.share(index, blend)).collect()
        };
        let first = |axis: &Axis, wanted: &Range<usize>| -> Vec<usize> {
            wanted.clone().map(|index| axis.covers(index).start).collect()
        };
        let sums = (0..planes.count()).map(|_| Ring::new(height, region.col, region.cols));
        Ok(Gather {
            blend,
            products,
            classes,
            planes,
            shares: (shares(axes.0, &windows.0), shares(axes.1, &windows.1)),
            first: (first(axes.0, &windows.0), first(axes.1, &windows.1)),
            region,
            finished,
            windows,
            sums: sums.collect::<Result<_>>()?,
            valid: Ring::new(height, region.col, region.cols)?,
            ahead,
            state: Mutex::new(State {
                next: 0,
                ready: BTreeMap::new(),
                done: region.row as usize,
                failed: false,
            }),
            changed: Condvar::new(),
            rows,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nobody wait any more.
    pub fn close(&self) {
        self.state().failed = true;
        self.changed.notify_all();
    }

    /// Takes the windows of batch `number`, and adds those whose turn it is. Waits where too many are ready before their turn.
    ///
    /// # Errors
    /// What the rows that go on fail with; scratch files that cannot be read or written; `Interrupted`.
    pub fn take(&self, number: usize, batch: Batch) -> Result<()> {
        let mut state = self.state();
        while number > state.next + self.ahead {
            interrupt::check()?;
            if state.failed {
                return Err(Error::Interrupted);
            }
            let waited = self.changed.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.ready.insert(number, batch);
        let next = state.next;
        while let Some(batch) = {
            let turn = state.next;
            state.ready.remove(&turn)
        } {
            for ((row, col), answer) in batch {
                if let Some(answer) = answer {
                    self.add(row, col, &answer)?;
                }
                if col + 1 == self.windows.1.end {
                    let end = self.finished[row - self.windows.0.start];
                    self.finish(state.done..end)?;
                    state.done = state.done.max(end);
                }
            }
            state.next += 1;
        }
        if state.next != next {
            self.changed.notify_all();
        }
        Ok(())
    }

    fn add(&self, row: usize, col: usize, answer: &Answer) -> Result<()> {
        let (row, col) = (row - self.windows.0.start, col - self.windows.1.start);
        let (down, across) = (&self.shares.0[row], &self.shares.1[col]);
        let own = |share: &Share| (share.first as isize, share.weights.len());
        let ((r, rows), (c, cols)) = (own(down), own(across));
        let part = Window::new(r, c, rows, cols).intersect(&self.region);
        if part.is_empty() {
            return Ok(());
        }
        // Where the part begins in the window's own cells, and in the weights.
        let (first_row, first_col) = (self.first.0[row], self.first.1[col]);
        let at = |first: isize, of: usize, count: usize| {
            let start = (first - of as isize) as usize;
            start..start + count
        };
        let (rows, cols) = (
            at(part.row, first_row, part.rows),
            at(part.col, first_col, part.cols),
        );
        let down = &down.weights[at(part.row, down.first, part.rows)];
        let across = &across.weights[at(part.col, across.first, part.cols)];
        let valid = answer.valid.slice(s![rows.clone(), cols.clone()]);
        let mut known = self.valid.read(part)?;
        for (plane, ring) in answer.planes.outer_iter().zip(&self.sums) {
            let mut sums = ring.read(part)?;
            let pixels = plane.slice(s![rows.clone(), cols.clone()]);
            self.merge(
                &mut sums.view_mut(),
                pixels,
                (valid, known.view()),
                (down, across),
            );
            ring.write(part, sums.view())?;
        }
        known |= &valid;
        self.valid.write(part, known.view())
    }

    /// Adds one plane of a window to what is there of those before it.
    fn merge(
        &self,
        sums: &mut ArrayViewMut2<'_, f32>,
        pixels: ArrayView2<'_, f32>,
        (valid, known): (ArrayView2<'_, u8>, ArrayView2<'_, u8>),
        (down, across): (&[f32], &[f32]),
    ) {
        let is_max = self.blend == Blend::Max;
        let rows = sums
            .outer_iter_mut()
            .zip(pixels.outer_iter())
            .zip(valid.outer_iter().zip(known.outer_iter()));
        for (((mut sums, pixels), (valid, known)), &down) in rows.zip(down) {
            let mut col = across.iter();
            Zip::from(&mut sums)
                .and(&pixels)
                .and(&valid)
                .and(&known)
                .for_each(|sum, &v, &valid, &known| {
                    let weight = down * col.next().copied().unwrap_or(0.0);
                    if valid == 0 {
                        return;
                    }
                    *sum = match (known, is_max) {
                        (0, _) => weight * v,
                        (_, true) => sum.max(v),
                        (_, false) => *sum + weight * v,
                    };
                });
        }
    }

    /// Hands rows of cells on.
    fn finish(&self, rows: Range<usize>) -> Result<()> {
        /// Rows that are handed on at a time.
        const ROWS: usize = 64;
        for first in rows.clone().step_by(ROWS) {
            let part = Window::new(
                first as isize,
                self.region.col,
                ROWS.min(rows.end - first),
                self.region.cols,
            );
            let valid = self.valid.read(part)?;
            let planes = self
                .sums
                .iter()
                .map(|ring| ring.read(part))
                .collect::<Result<Vec<_>>>()?;
            let views: Vec<ArrayView2<f32>> = planes.iter().map(|plane| plane.view()).collect();
            let planes = stack(Dimension(0), &views).map_err(|e| Error::message(e.to_string()))?;
            let mut output = 0;
            for product in self.products {
                let channels = planes.slice(s![self.planes.range(*product), .., ..]);
                for band in 0..product.bands(self.planes.channels) {
                    let mut pixels = product.band(band, channels);
                    if *product == Product::Classes {
                        pixels.mapv_inplace(|class| {
                            self.classes
                                .get(class as usize)
                                .map_or(class, |known| known.value as f32)
                        });
                    }
                    Zip::from(&mut pixels).and(&valid).for_each(|v, &valid| {
                        if valid == 0 {
                            *v = f32::NAN;
                        }
                    });
                    (self.rows)(output, part.row, pixels.view())?;
                    output += 1;
                }
            }
            self.valid
                .write(part, Array2::zeros((part.rows, part.cols)).view())?;
        }
        Ok(())
    }
}
