//! Operations that compute all of a small output from images of any size: a grid of nodes from a pair of images. They run
//! once before the tiles, read windows of their inputs as they need them, and tiles read from what they made.

use std::sync::{Arc, OnceLock};

use ndarray::Array2;

use super::describe::{Description, of_port};
use super::execute::Run;
use super::graph::Port;
use super::store::Store;
use super::{Grid, Kind, Pixels, Raster, Window};
use crate::error::{Error, Result};
use crate::work::budget::{self, Held};

/// See the module. Its inputs may lie on any grids; its outputs, f32, are made in memory, and kept there where they fit.
pub trait WholeOperation: Send + Sync {
    fn name(&self) -> String;

    /// What it is, as data.
    ///
    /// # Errors
    /// Parameters that JSON cannot hold; a file that it reads and that is gone.
    fn describe(&self) -> Result<Description>;

    /// How many bands it makes.
    fn outputs(&self) -> usize;

    /// The same on a part of its grid, for one that has values for nodes all over its inputs; None for one that makes a few values of all that
    /// it reads.
    fn on_part(&self, _grid: &Arc<Grid>) -> Option<Arc<dyn WholeOperation>> {
        None
    }

    /// Computes every output, (rows, cols) of its grid. It may use `Inputs::memory` bytes beside them.
    ///
    /// # Errors
    /// What reading the inputs fails with; `Interrupted`; inputs that it makes no sense of.
    fn run(&self, inputs: &Inputs<'_>) -> Result<Vec<Array2<f32>>>;
}

/// The inputs of a `WholeOperation`.
pub struct Inputs<'a> {
    ports: &'a [Port],
    memory: usize,
}

impl Inputs<'_> {
    pub fn len(&self) -> usize {
        self.ports.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    pub fn grid(&self, index: usize) -> &Arc<Grid> {
        &self.ports[index].node.grid
    }

    pub fn kind(&self, index: usize) -> Kind {
        self.ports[index].kind()
    }

    /// A window of an input, within its grid.
    ///
    /// # Errors
    /// What computing the input fails with; a memory that the smallest tile does not fit; `Interrupted`.
    pub fn read(&self, index: usize, window: Window) -> Result<Pixels> {
        let port = &self.ports[index];
        let run = Run::prepare(&port.node.grid, std::slice::from_ref(port), window)?;
        Ok(run.collect_quietly()?.swap_remove(0))
    }

    /// A window of all inputs, which must lie on one grid: what they share is computed once.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_together(&self, window: Window) -> Result<Vec<Pixels>> {
        let Some(first) = self.ports.first() else {
            return Ok(Vec::new());
        };
        Run::prepare(&first.node.grid, self.ports, window)?.collect_quietly()
    }

    /// Rows of an input that are worth reading at once, given a share of the memory.
    pub fn strip_rows(&self, index: usize) -> usize {
        let grid = self.grid(index);
        let row = grid.cols * self.kind(index).bytes();
        (budget::left() / 16 / row.max(1)).clamp(1, 512).min(grid.rows)
    }

    pub fn memory(&self) -> usize {
        self.memory
    }

    /// An input as an image of one band.
    pub fn raster(&self, index: usize) -> Raster {
        of_port(&self.ports[index])
    }
}

/// The operation in the graph, and what it made.
pub struct WholeNode {
    pub operation: Arc<dyn WholeOperation>,
    kept: OnceLock<Vec<Store<f32>>>,
}

impl WholeNode {
    pub fn new(operation: Arc<dyn WholeOperation>) -> WholeNode {
        WholeNode {
            operation,
            kept: OnceLock::new(),
        }
    }

    pub fn is_ready(&self) -> bool {
        self.kept.get().is_some()
    }

    /// # Errors
    /// Those of the operation, with its name; a scratch file that cannot be made or written.
    pub(super) fn prepare(&self, ports: &[Port]) -> Result<()> {
        if self.is_ready() {
            return Ok(());
        }
        // The inputs are computed in what is left beside it.
        let memory = budget::left() / 2;
        let working = Held::hold(memory);
        let made = self
            .operation
            .run(&Inputs { ports, memory })
            .map_err(|e| match e {
                Error::Interrupted | Error::Node { .. } => e,
                other => Error::Node {
                    node: self.operation.name(),
                    source: Box::new(other),
                },
            })?;
        // Another thread cannot be here: these are prepared before the tiles are shared out.
        drop(working);
        let mut kept = Vec::with_capacity(made.len());
        for array in made {
            let mut store = Store::kept(array.dim())?;
            let array = array.as_standard_layout();
            store.write(0, array.as_slice().unwrap_or_default())?;
            kept.push(store);
        }
        let _ = self.kept.set(kept);
        Ok(())
    }

    /// # Errors
    /// When it was not prepared, or its scratch file cannot be read.
    pub(super) fn read(&self, window: Window) -> Result<Vec<Pixels>> {
        let Some(kept) = self.kept.get() else {
            return Err(Error::message(format!(
                "{}: its result was read before it was made",
                self.operation.name()
            )));
        };
        kept.iter()
            .map(|store| store.window(window).map(Pixels::F32))
            .collect()
    }
}
