//! Operations on the whole scene: run once before the tiles, kept in a store, read by tiles.

use std::sync::{Arc, OnceLock};

use ndarray::Array2;

use super::operation::{Scene, SceneOperation};
use super::store::Store;
use super::{Pixels, Window};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::work::budget::{self, Held};

pub struct SceneNode {
    pub operation: Arc<dyn SceneOperation>,
    kept: OnceLock<Store<f32>>,
}

impl SceneNode {
    pub fn new(operation: Arc<dyn SceneOperation>) -> SceneNode {
        SceneNode {
            operation,
            kept: OnceLock::new(),
        }
    }

    pub fn is_ready(&self) -> bool {
        self.kept.get().is_some()
    }

    /// Runs the operation. `strip` evaluates rows of the input. The result goes to a scratch file where it, or all that is kept with it,
    /// would take too much of the ceiling.
    ///
    /// # Errors
    /// Those of the operation and of `strip`; a scratch file that cannot be made or written; `Interrupted`.
    pub(super) fn prepare(
        &self,
        (rows, cols): (usize, usize),
        strip_rows: usize,
        strip: &mut dyn FnMut(Window) -> Result<Array2<f32>>,
    ) -> Result<()> {
        if self.is_ready() {
            return Ok(());
        }
        let target = Store::kept((rows, cols))?;
        // The input is computed in what is left beside it.
        let work_memory = budget::left() / 2;
        let _working = Held::hold(work_memory);
        let mut run = Run {
            rows,
            cols,
            strip_rows,
            strip,
            held: None,
            target,
            memory: work_memory,
        };
        self.operation.run(&mut run)?;
        // Another thread cannot be here: scenes are prepared before the tiles are shared out.
        let _ = self.kept.set(run.target);
        Ok(())
    }

    /// # Errors
    /// When it was not prepared, or its scratch file cannot be read.
    pub(super) fn read(&self, window: Window) -> Result<Pixels> {
        match self.kept.get() {
            Some(store) => store.window(window).map(Pixels::F32),
            None => Err(Error::message(format!(
                "{}: the scene was read before it was made",
                self.operation.name()
            ))),
        }
    }
}

struct Run<'a> {
    rows: usize,
    cols: usize,
    strip_rows: usize,
    strip: &'a mut dyn FnMut(Window) -> Result<Array2<f32>>,
    held: Option<(usize, Array2<f32>)>,
    target: Store<f32>,
    memory: usize,
}

impl Scene for Run<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn read_row(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
        let within = |held: &(usize, Array2<f32>)| (held.0..held.0 + held.1.nrows()).contains(&row);
        if !self.held.as_ref().is_some_and(within) {
            interrupt::check()?;
            let first = row - row % self.strip_rows;
            let window = Window::new(
                first as isize,
                0,
                self.strip_rows.min(self.rows - first),
                self.cols,
            );
            self.held = None;
            self.held = Some((first, (self.strip)(window)?));
        }
        if let Some((first, strip)) = &self.held {
            for (o, &v) in out.iter_mut().zip(strip.row(row - first)) {
                *o = v;
            }
        }
        Ok(())
    }

    fn write_row(&mut self, row: usize, pixels: &[f32]) -> Result<()> {
        if row.is_multiple_of(64) {
            interrupt::check()?;
        }
        self.target.write(row, pixels)
    }

    fn memory(&self) -> usize {
        self.memory
    }
}
