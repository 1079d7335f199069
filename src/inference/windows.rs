//! The windows of a lattice, on their way through a network: read in batches, computed on all threads, gathered in their order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ndarray::{Array2, Array3, ArrayD, ArrayView3, Axis as Dimension, Ix2, Ix3, Ix4, s};

use super::apply::{Apply, Settings};
use super::gather::{Answer, Batch, Gather, Planes};
use super::lattice::Reach;
use super::products::{self, Product};
use crate::described;
use crate::error::{Error, Result};
use crate::raster::describe::Description;
use crate::raster::feed::Feed;
use crate::raster::lattice::{LatticeOperation, Rows};
use crate::raster::{Port, Window};
use crate::work::{self, Held, budget, workers};

described!(Apply, Lattice);

impl LatticeOperation for Apply {
    fn name(&self) -> String {
        let Settings { tile, overlap, .. } = &self.settings;
        let (rows, cols) = tile.unwrap_or_default();
        format!(
            "inference.apply(tile {rows} × {cols}, overlap {})",
            overlap.unwrap_or_default()
        )
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn outputs(&self) -> usize {
        let bands = |product: &Product| product.bands(self.shape.channels);
        self.settings.products.iter().map(bands).sum()
    }

    fn is_byte(&self, output: usize) -> bool {
        // 255 is that of masked pixels there.
        let fits = self.known.classes.iter().all(|class| class.value != 255) && self.shape.channels < 255;
        let mut products = self
            .settings
            .products
            .iter()
            .flat_map(|product| std::iter::repeat_n(*product, product.bands(self.shape.channels)));
        fits && products.nth(output) == Some(Product::Classes)
    }

    fn needs(&self, out: Window) -> Window {
        let (rows, cols) = self.touching(out);
        match (rows.is_empty(), cols.is_empty()) {
            (false, false) => {
                let first = self.window(rows.start, cols.start);
                first.hull(&self.window(rows.end - 1, cols.end - 1))
            }
            _ => Window::EMPTY,
        }
    }

    fn run(&self, inputs: &[Port], region: Window, rows: &Rows) -> Result<()> {
        run(self, inputs, region, rows)
    }
}

/// Computes `region` of the output.
///
/// # Errors
/// What reading fails with; what the network does, and numbers of it that are not finite; `Interrupted`.
pub(super) fn run(apply: &Apply, inputs: &[Port], region: Window, rows: &Rows) -> Result<()> {
    let (down, across) = apply.touching(region);
    let chunks = across.len().div_ceil(apply.settings.batch);
    let threads = work::threads().max(2);
    let gather = Gather::new(
        (&apply.axes.0, &apply.axes.1),
        apply.settings.blend,
        (&apply.settings.products, &apply.known.classes),
        apply.shape.channels,
        (region, (down.clone(), across.clone())),
        2 * threads,
        rows,
    )?;
    let needed = apply.needs(region);
    let _held = Held::hold(bytes(apply).saturating_mul(threads).min(budget::left() / 2));
    let progress = work::progress();
    progress.start((down.len() * across.len()) as u64, "inference");
    let done = Feed::through(inputs, needed, apply.axes.0.window, |feed| {
        let pass = Pass {
            apply,
            feed,
            batch: AtomicUsize::new(apply.settings.batch),
            read: Mutex::new((down.start, BTreeMap::new())),
        };
        workers::for_each(
            threads,
            down.len() * chunks,
            || (),
            |(), number| {
                let row = down.start + number / chunks;
                let first = across.start + number % chunks * apply.settings.batch;
                let cols = first..(first + apply.settings.batch).min(across.end);
                let windows: Vec<(usize, usize)> = cols.map(|col| (row, col)).collect();
                let count = windows.len();
                let done = pass
                    .batch(row, windows, chunks)
                    .and_then(|batch| gather.take(number, batch));
                match done {
                    Ok(()) => progress.advance(count as u64),
                    // Nobody waits for what will not come.
                    Err(_) => {
                        gather.close();
                        feed.close();
                    }
                }
                done
            },
        )
    });
    apply.known.network.rest();
    progress.finish();
    done
}

/// Bytes of a batch, in, out and in the network.
fn bytes(apply: &Apply) -> usize {
    let Apply {
        axes, known, shape, ..
    } = apply;
    let bands: usize = known.expected.iter().map(Vec::len).sum();
    let pixels = axes.0.window.saturating_mul(axes.1.window);
    let each = pixels
        .saturating_mul(2 * bands + 3 * shape.channels)
        .saturating_mul(size_of::<f32>());
    each.saturating_add(shape.arena)
        .saturating_mul(apply.settings.batch)
}

struct Pass<'a> {
    apply: &'a Apply,
    feed: &'a Feed,
    /// Windows that go into the network at a time.
    batch: AtomicUsize,
    /// The first row of the lattice whose windows are not all read, and how many batches of it and of later ones are.
    read: Mutex<(usize, BTreeMap<usize, usize>)>,
}

/// A window that goes into the network: for each input bands × rows × cols, and the cells that are not masked.
struct Ready {
    at: (usize, usize),
    inputs: Vec<Array3<f32>>,
    valid: Array2<u8>,
}

impl Pass<'_> {
    /// Reads windows of one row of the lattice and computes them.
    fn batch(&self, row: usize, windows: Vec<(usize, usize)>, chunks: usize) -> Result<Batch> {
        self.feed.wait(self.apply.window(row, 0).row_end())?;
        let mut ready = Vec::with_capacity(windows.len());
        for &(row, col) in &windows {
            ready.extend(self.read((row, col))?);
        }
        self.was_read(row, chunks);
        let mut answers: BTreeMap<(usize, usize), Answer> = BTreeMap::new();
        let mut rest = ready.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.batch.load(Ordering::Relaxed).clamp(1, rest.len()));
            match self.compute(now) {
                Ok(made) => {
                    answers.extend(now.iter().map(|ready| ready.at).zip(made));
                    rest = later;
                }
                // The device has no room for as many.
                Err(Error::DeviceMemory { .. }) if now.len() > 1 => {
                    let half = now.len() / 2;
                    self.batch.fetch_min(half, Ordering::Relaxed);
                    let count = now.len();
                    work::warn_once(
                        &format!("{}, batch {count}", self.apply.known.network.identity()),
                        || {
                            format!(
                                "the network has no room for a batch of {count} windows; it goes on with {half}"
                            )
                        },
                    );
                }
                Err(e) => return Err(e),
            }
        }
        Ok(windows.into_iter().map(|at| (at, answers.remove(&at))).collect())
    }

    /// Lets go of rows that no window needs any more.
    fn was_read(&self, row: usize, chunks: usize) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, batches) = &mut *read;
        *batches.entry(row).or_default() += 1;
        while batches.get(first) == Some(&chunks) {
            batches.remove(first);
            *first += 1;
        }
        let next = (*first).min(self.apply.axes.0.count - 1);
        self.feed.done(self.apply.axes.0.origin(next));
    }

    /// A window; None where no cell of it is valid.
    fn read(&self, at: (usize, usize)) -> Result<Option<Ready>> {
        let window = self.apply.window(at.0, at.1);
        let (mut inputs, mut image) = (Vec::with_capacity(self.apply.known.expected.len()), 0);
        let mut masked = Array2::from_elem((window.rows, window.cols), false);
        for expected in &self.apply.known.expected {
            let mut input = Array3::zeros((expected.len(), window.rows, window.cols));
            for (mut band, expected) in input.outer_iter_mut().zip(expected) {
                let pixels = self.feed.window(image, window)?;
                image += 1;
                masked.zip_mut_with(&pixels, |masked, v| *masked |= v.is_nan());
                band.assign(&expected.normalised(&pixels));
            }
            inputs.push(input);
        }
        let valid = self.valid(&masked);
        let ready = Ready { at, inputs, valid };
        Ok(ready.valid.iter().any(|valid| *valid == 1).then_some(ready))
    }

    /// The cells of which a pixel is not masked.
    fn valid(&self, masked: &Array2<bool>) -> Array2<u8> {
        let (rows, cols) = masked.dim();
        let part = |reach: Reach, size: usize| match reach {
            Reach::One => (1, size, 0),
            Reach::Pixels { scale, margin } => ((size - 2 * margin) / scale, scale, margin),
        };
        let ((down, height, top), (across, width, left)) = (
            part(self.apply.shape.reach.0, rows),
            part(self.apply.shape.reach.1, cols),
        );
        if (height, width) == (1, 1) {
            let inner = masked.slice(s![top..rows - top, left..cols - left]);
            return inner.map(|masked| u8::from(!masked));
        }
        Array2::from_shape_fn((down, across), |(r, c)| {
            let (r, c) = (top + r * height, left + c * width);
            let cell = masked.slice(s![r..r + height, c..c + width]);
            u8::from(cell.iter().any(|masked| !masked))
        })
    }

    /// Runs the network on a batch, in every position that is wanted, and averages.
    fn compute(&self, batch: &[Ready]) -> Result<Vec<Answer>> {
        let settings = &self.apply.settings;
        let turns = settings.augment.turns();
        let planes = Planes::of(&settings.products, self.apply.shape.channels);
        let mut sums: Vec<Option<Array3<f32>>> = batch.iter().map(|_| None).collect();
        for turn in &turns {
            let tensors: Vec<ArrayD<f32>> = (0..self.apply.known.expected.len())
                .map(|input| {
                    let shown: Vec<ArrayView3<f32>> = batch
                        .iter()
                        .map(|ready| turn.there(ready.inputs[input].view()))
                        .collect();
                    ndarray::stack(Dimension(0), &shown)
                        .map(|stacked| stacked.as_standard_layout().into_owned().into_dyn())
                })
                .collect::<Result<_, _>>()
                .map_err(|e| Error::message(e.to_string()))?;
            let outputs = self.apply.known.network.run(&tensors)?;
            let numbers = self.numbers(outputs, batch.len())?;
            for ((numbers, ready), sum) in numbers.into_iter().zip(batch).zip(&mut sums) {
                let numbers = turn.back(numbers.view());
                self.check_finite(&numbers, ready)?;
                let mut parts = Vec::with_capacity(2);
                if planes.probabilities {
                    let mut probabilities = numbers.clone();
                    products::probabilities(self.apply.known.activation, &mut probabilities);
                    parts.push(probabilities);
                }
                if planes.values {
                    parts.push(numbers);
                }
                let views: Vec<ArrayView3<f32>> = parts.iter().map(|part| part.view()).collect();
                let made =
                    ndarray::concatenate(Dimension(0), &views).map_err(|e| Error::message(e.to_string()))?;
                *sum = Some(match sum.take() {
                    Some(before) => before + made,
                    None => made,
                });
            }
        }
        let share = 1.0 / turns.len() as f32;
        let answer = |(ready, sum): (&Ready, Option<Array3<f32>>)| {
            let mut planes = sum.unwrap_or_default();
            if turns.len() > 1 {
                planes *= share;
            }
            Answer {
                planes,
                valid: ready.valid.clone(),
            }
        };
        Ok(batch.iter().zip(sums).map(answer).collect())
    }

    /// The output that is wanted, for each window channels × rows × cols of cells.
    fn numbers(&self, outputs: Vec<ArrayD<f32>>, count: usize) -> Result<Vec<Array3<f32>>> {
        let output = outputs.into_iter().nth(self.apply.output).unwrap_or_default();
        let found = output.shape().to_vec();
        let cells = self.cells();
        let wanted = (count, self.apply.shape.channels, cells.0, cells.1);
        let four = match output.ndim() {
            4 => output.into_dimensionality::<Ix4>().ok(),
            3 => output
                .into_dimensionality::<Ix3>()
                .ok()
                .map(|a| a.insert_axis(Dimension(1))),
            2 => output
                .into_dimensionality::<Ix2>()
                .ok()
                .map(|a| a.insert_axis(Dimension(2)).insert_axis(Dimension(3))),
            1 => output.into_shape_with_order((found[0], 1, 1, 1)).ok(),
            _ => None,
        };
        match four.filter(|four| four.dim() == wanted) {
            Some(four) => Ok(four.outer_iter().map(|one| one.to_owned()).collect()),
            None => Err(Error::message(format!(
                "the network gave {found:?} for a batch of {count} windows, where {wanted:?} was expected"
            ))),
        }
    }

    /// Cells that the network gives for a window.
    fn cells(&self) -> (usize, usize) {
        let cells = |reach: Reach, window: usize| match reach {
            Reach::One => 1,
            Reach::Pixels { scale, margin } => (window - 2 * margin) / scale,
        };
        let (down, across) = (&self.apply.axes.0, &self.apply.axes.1);
        (
            cells(self.apply.shape.reach.0, down.window),
            cells(self.apply.shape.reach.1, across.window),
        )
    }

    fn check_finite(&self, numbers: &Array3<f32>, ready: &Ready) -> Result<()> {
        let valid = |(_, r, c): (usize, usize, usize)| ready.valid[(r, c)] == 1;
        match numbers
            .indexed_iter()
            .find(|(at, v)| !v.is_finite() && valid(*at))
        {
            None => Ok(()),
            Some(((channel, ..), v)) => Err(Error::message(format!(
                "the network gives {v} in channel {channel} of the window at {}, where its inputs are finite: its weights are damaged, \
                 or the inputs far from those that it was trained on",
                self.apply.window(ready.at.0, ready.at.1)
            ))),
        }
    }
}
