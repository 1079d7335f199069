//! Rows of images, computed ahead of those who go through them once from top to bottom, window by window.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ndarray::Array2;

use super::execute::Run;
use super::graph::Port;
use super::ring::Ring;
use super::{Pixels, Window};
use crate::error::{Error, Result};
use crate::{interrupt, panics, work};

/// How far the rows have come.
struct State {
    /// All rows above are there.
    there: isize,
    /// No row above is wanted any more.
    done: isize,
    /// Rows of tiles of which some are missing, by their first row: their height, and how many pixels are there.
    partial: BTreeMap<isize, (usize, usize)>,
    closed: bool,
}

/// See the module. Windows may reach outside the region: pixels there are masked.
pub struct Feed {
    region: Window,
    /// Of each image.
    rings: Vec<Ring<f32>>,
    rows: usize,
    state: Mutex<State>,
    changed: Condvar,
}

impl Feed {
    /// Computes `ports`, which lie on one grid, over `region`, while `read` goes through them. Windows that are asked for have at most `rows`
    /// rows, and lie in rows that `Feed::done` has not given up.
    ///
    /// # Errors
    /// What computing them fails with, and what `read` does; `Interrupted`.
    pub fn through<R>(
        ports: &[Port],
        region: Window,
        rows: usize,
        read: impl FnOnce(&Feed) -> Result<R>,
    ) -> Result<R> {
        let Some(first) = ports.first() else {
            return Err(Error::message("there is no image to go through"));
        };
        let grid = &first.node.grid;
        let region = region.intersect(&grid.window());
        let run = Run::prepare(grid, ports, region)?;
        // A tile that reaches into the wanted rows fits beside them.
        let rows = (rows + run.rows_at_once()).min(region.rows);
        let ring = |_: &Port| Ring::new(rows, region.col, region.cols);
        let feed = Feed {
            region,
            rings: ports.iter().map(ring).collect::<Result<_>>()?,
            rows,
            state: Mutex::new(State {
                there: region.row,
                done: region.row,
                partial: BTreeMap::new(),
                closed: false,
            }),
            changed: Condvar::new(),
        };
        let context = work::current();
        std::thread::scope(|scope| {
            let computing = scope.spawn(|| {
                let _entered = context.enter();
                let computed =
                    panics::caught(|| run.for_each_quietly(&|_, window, pixels| feed.add(window, pixels)));
                // Nobody waits for rows that will not come.
                if computed.is_err() {
                    feed.close();
                }
                computed
            });
            let answer = read(&feed);
            feed.close();
            let computed = computing.join().unwrap_or(Err(Error::Interrupted));
            match (answer, computed) {
                (Ok(answer), _) => Ok(answer),
                // Whoever failed first has closed it for the other, who was interrupted.
                (Err(Error::Interrupted), Err(e)) | (Err(e), _) => Err(e),
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nobody wait any more.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// # Errors
    /// `Interrupted`, also when it was closed.
    fn wait_until(&self, ready: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        loop {
            if ready(&state) {
                return Ok(state);
            }
            interrupt::check()?;
            if state.closed {
                return Err(Error::Interrupted);
            }
            // A stop wakes nobody.
            let waited = self.changed.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn add(&self, window: Window, pixels: Vec<Pixels>) -> Result<()> {
        drop(self.wait_until(|state| window.row_end() <= state.done.saturating_add_unsigned(self.rows))?);
        for (ring, pixels) in self.rings.iter().zip(pixels) {
            ring.write(window, pixels.into_f32().view())?;
        }
        let mut state = self.state();
        // Tiles of one row have the same height, and rows of tiles follow one another.
        state.partial.entry(window.row).or_insert((window.rows, 0)).1 += window.len();
        while let Some((&row, &(rows, pixels))) = state.partial.first_key_value() {
            if row != state.there || pixels < rows * self.region.cols {
                break;
            }
            state.partial.remove(&row);
            state.there = row.saturating_add_unsigned(rows);
        }
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits for all rows above `end`, as far as there are.
    ///
    /// # Errors
    /// What computing them fails with is told by `through`; here it is `Interrupted`.
    pub fn wait(&self, end: isize) -> Result<()> {
        let end = end.min(self.region.row_end());
        self.wait_until(|state| state.there >= end).map(drop)
    }

    /// A window of an image, after `wait`.
    ///
    /// # Errors
    /// When a scratch file cannot be read.
    pub fn window(&self, image: usize, window: Window) -> Result<Array2<f32>> {
        let inside = window.intersect(&self.region);
        if inside.is_empty() {
            return Ok(Array2::from_elem((window.rows, window.cols), f32::NAN));
        }
        let read = Pixels::F32(self.rings[image].read(inside)?);
        match inside == window {
            true => Ok(read.into_f32()),
            false => Ok(read.view(inside, window).f32().into_owned()),
        }
    }

    /// Rows above `row` are not wanted any more.
    pub fn done(&self, row: isize) {
        let mut state = self.state();
        state.done = state.done.max(row);
        drop(state);
        self.changed.notify_all();
    }
}
