//! All iterations of the split Bregman method in one pass over the rows of an image, each where it is ready: the
//! order of work of `tv_bregman`.
//!
//! Iteration k on row r needs iteration k on row r − 1 and iteration k − 1 on row r + 1, no more. So as rows come in,
//! iteration k works k rows behind the newest, and a band of as many rows as there are iterations is all that is held.

use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{ScopedJoinHandle, scope};

use super::row::{BORDER, Line, Scratch, Step, sweep};
use crate::error::{Error, Result};

/// Where the rows of a pass come from and where its results go.
pub(super) trait Rows {
    /// (rows, cols)
    fn shape(&self) -> (usize, usize);
    /// Rows are asked for once each, in order.
    fn read(&mut self, row: usize, out: &mut [f32]) -> Result<()>;
    /// The solution of an iteration (from 1) on a row; for each iteration, rows come in order.
    fn take(&mut self, iteration: usize, row: usize, pixels: &[f32]) -> Result<()>;
}

/// Sums of squared changes, by iteration, and the number of pixels that they are of.
pub(super) struct Changes {
    pub squares: Vec<f64>,
    pub pixels: usize,
}

impl Changes {
    /// The first iteration (from 1) whose root mean square change is not above `tolerance`.
    pub fn stop(&self, tolerance: f64) -> Option<usize> {
        let pixels = self.pixels.max(1) as f64;
        let still = |squares: &f64| (squares / pixels).sqrt() <= tolerance;
        self.squares.iter().position(still).map(|i| i + 1)
    }
}

/// Runs `iterations` (at least 1) in one pass. The last `keep` of them are handed to `rows`. The result does not depend
/// on `threads`.
pub(super) fn pass(
    rows: &mut dyn Rows,
    step: &Step,
    iterations: usize,
    keep: usize,
    threads: usize,
) -> Result<Changes> {
    let (_, cols) = rows.shape();
    // Narrow rows are done before another thread wakes up.
    let threads = if cols < 256 {
        1
    } else {
        threads.clamp(1, iterations.div_ceil(4))
    };
    let share = |i: usize| iterations * (i + 1) / threads - iterations * i / threads;
    let mut last = Segment::new(step, share(threads - 1), cols);
    let before = iterations - share(threads - 1);
    scope(|scope| {
        let mut workers = Vec::new();
        let mut link: Option<(SyncSender<Line>, Receiver<Line>)> = None;
        for i in 0..threads - 1 {
            let segment = Segment::new(step, share(i), cols);
            // Bounded but for the way back to this thread, which takes all there is whenever it sends.
            let (out, next) = if i + 2 == threads {
                let (sender, receiver) = channel();
                (Out::Last(sender), receiver)
            } else {
                let (sender, receiver) = sync_channel(QUEUE);
                (Out::Inner(sender), receiver)
            };
            let (first, input) = match link.take() {
                Some((first, input)) => (first, input),
                None => sync_channel(QUEUE),
            };
            workers.push(scope.spawn(move || segment.work(input, out)));
            link = Some((first, next));
        }
        let mut sink = Sink {
            rows,
            before,
            keep_from: iterations + 1 - keep,
            idle: Vec::new(),
        };
        let pixels = sink.feed(&mut last, link)?;
        let mut squares = Vec::with_capacity(iterations);
        for worker in workers {
            squares.extend(join(worker)?);
        }
        squares.append(&mut last.squares);
        Ok(Changes { squares, pixels })
    })
}

/// Rows that wait between two threads.
const QUEUE: usize = 4;

enum Out {
    Inner(SyncSender<Line>),
    Last(std::sync::mpsc::Sender<Line>),
}

fn join(worker: ScopedJoinHandle<'_, Vec<f64>>) -> Result<Vec<f64>> {
    worker
        .join()
        .map_err(|_| Error::message("filter.tv_bregman: a worker thread failed"))
}

/// Some consecutive iterations, and the band of rows that they work on. Rows are numbered from the upper border, which
/// is row 0; borders have nothing to sweep.
struct Segment<'a> {
    step: &'a Step,
    lines: Vec<Line>,
    /// Number of the oldest row held.
    oldest: usize,
    /// Number of the row that comes next.
    time: usize,
    scratch: Scratch,
    squares: Vec<f64>,
}

type After<'a> = &'a mut dyn FnMut(usize, usize, &Line) -> Result<()>;

impl<'a> Segment<'a> {
    fn new(step: &'a Step, iterations: usize, cols: usize) -> Segment<'a> {
        Segment {
            step,
            lines: Vec::with_capacity(iterations + 2),
            oldest: 0,
            time: 0,
            scratch: Scratch::new(cols),
            squares: vec![0.0; iterations],
        }
    }

    /// Takes the next row; returns the one that all iterations have left behind, if there is one.
    /// `after` sees each row after each iteration: the iteration, from 0, and the row's number.
    fn push(&mut self, line: Line, after: After<'_>) -> Result<Option<Line>> {
        self.lines.push(line);
        self.advance(after)
    }

    fn advance(&mut self, after: After<'_>) -> Result<Option<Line>> {
        for (i, squares) in self.squares.iter_mut().enumerate() {
            // Its position in the band; the oldest row is a border or done, and no row has come below the newest.
            let Some(position) = self.time.checked_sub(i + 1 + self.oldest).filter(|p| *p > 0) else {
                break;
            };
            if position >= self.lines.len() {
                continue;
            }
            let (above, rest) = self.lines.split_at_mut(position);
            if let (Some(above), [line, below, ..]) = (above.last(), rest) {
                *squares += sweep(above, line, below, self.step, &mut self.scratch);
                after(i, self.oldest + position, line)?;
            }
        }
        let leaves = self.time > self.oldest + self.squares.len();
        self.time += 1;
        Ok(leaves.then(|| {
            self.oldest += 1;
            self.lines.remove(0)
        }))
    }

    /// Once no more rows come: as `push`, until None.
    fn drain(&mut self, after: After<'_>) -> Result<Option<Line>> {
        while !self.lines.is_empty() {
            if let Some(line) = self.advance(after)? {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn work(mut self, input: Receiver<Line>, out: Out) -> Vec<f64> {
        let mut nothing = |_: usize, _: usize, _: &Line| Ok(());
        // A failing send means that the reader gave up, for a reason that it reports itself.
        let send = |line: Option<Line>| match (line, &out) {
            (None, _) => true,
            (Some(line), Out::Inner(out)) => out.send(line).is_ok(),
            (Some(line), Out::Last(out)) => out.send(line).is_ok(),
        };
        for line in input {
            if !self.push(line, &mut nothing).is_ok_and(&send) {
                return self.squares;
            }
        }
        while let Ok(Some(line)) = self.drain(&mut nothing) {
            if !send(Some(line)) {
                break;
            }
        }
        self.squares
    }
}

/// The caller's side of a pass.
struct Sink<'a> {
    rows: &'a mut dyn Rows,
    /// Iterations that other threads do.
    before: usize,
    /// The first iteration that is handed on.
    keep_from: usize,
    idle: Vec<Line>,
}

impl Sink<'_> {
    /// Reads all rows, sends them through the other threads' iterations and those of `last`. Returns how many valid
    /// pixels there were.
    fn feed(
        &mut self,
        last: &mut Segment<'_>,
        link: Option<(SyncSender<Line>, Receiver<Line>)>,
    ) -> Result<usize> {
        let (rows, cols) = self.rows.shape();
        let mut pixels = vec![0f32; cols];
        let mut count = 0;
        let (sender, receiver) = link.unzip();
        let gave_up = || Error::message("filter.tv_bregman: a worker thread failed");
        let mut pass_on = |this: &mut Self, line: Line| match (&sender, &receiver) {
            (Some(sender), Some(receiver)) => {
                sender.send(line).map_err(|_| gave_up())?;
                receiver.try_iter().try_for_each(|line| this.push(last, line))
            }
            _ => this.push(last, line),
        };
        // The border above is the second row as it came, the border below the last.
        let mut held = Vec::new();
        for row in 0..rows {
            self.rows.read(row, &mut pixels)?;
            let mut line = self.idle.pop().unwrap_or_else(|| Line::new(cols));
            line.load(&pixels);
            count += line.count();
            if row == 0 {
                held.push(line);
                continue;
            }
            if row == 1 {
                pass_on(self, Line::border(&line.noisy[BORDER..BORDER + cols]))?;
            }
            held.push(line);
            for line in held.drain(..) {
                pass_on(self, line)?;
            }
        }
        if let [_] = held.as_slice() {
            pass_on(self, Line::new(cols))?;
        }
        for line in held.drain(..) {
            pass_on(self, line)?;
        }
        pass_on(self, Line::border(&pixels))?;
        drop(sender);
        if let Some(receiver) = receiver {
            for line in receiver {
                self.push(last, line)?;
            }
        }
        let (rows, before, keep_from) = (&mut *self.rows, self.before, self.keep_from);
        let mut after = after(rows, before, keep_from, cols);
        while last.drain(&mut after)?.is_some() {}
        Ok(count)
    }

    fn push(&mut self, last: &mut Segment<'_>, line: Line) -> Result<()> {
        let (_, cols) = self.rows.shape();
        let mut after = after(&mut *self.rows, self.before, self.keep_from, cols);
        if let Some(line) = last.push(line, &mut after)? {
            self.idle.push(line);
        }
        Ok(())
    }
}

/// Hands the solutions of the last iterations on.
fn after(
    rows: &mut dyn Rows,
    before: usize,
    keep_from: usize,
    cols: usize,
) -> impl FnMut(usize, usize, &Line) -> Result<()> {
    move |i, row, line| {
        let iteration = before + i + 1;
        if iteration < keep_from {
            return Ok(());
        }
        rows.take(iteration, row - 1, &line.u[BORDER..BORDER + cols])
    }
}
