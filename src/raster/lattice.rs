//! Operations on lattices of windows, such as networks: whatever the tiles of the reader, each window is computed once, for the region that
//! is asked for, before the tiles, which read from what was made.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ndarray::{Array2, ArrayView2};

use super::describe::Description;
use super::graph::Port;
use super::journal::Journal;
use super::store::Store;
use super::{Pixels, Window};
use crate::error::{Error, Result};
use crate::work;

/// Takes rows of an output: its number, the first row, and pixels as wide as the region. Rows come once, from top to bottom; of the same
/// rows all outputs, in their order, before the next.
pub type Rows<'a> = dyn Fn(usize, isize, ArrayView2<'_, f32>) -> Result<()> + Sync + 'a;

/// See the module. It goes through its inputs from top to bottom (`Feed`) and gives its outputs, f32 with NaN where masked, in rows.
/// The same pixel must come out of every region that holds it.
pub trait LatticeOperation: Send + Sync {
    fn name(&self) -> String;

    /// What it is, as data.
    ///
    /// # Errors
    /// Parameters that JSON cannot hold; a file that it reads and that is gone.
    fn describe(&self) -> Result<Description>;

    /// How many bands it makes.
    fn outputs(&self) -> usize;

    /// True for an output of whole numbers from 0 to 254, which is kept in bytes.
    fn is_byte(&self, _output: usize) -> bool {
        false
    }

    /// The window of its inputs that `out` depends on: all windows that touch it.
    fn needs(&self, out: Window) -> Window;

    /// Computes every output over `region` of its grid.
    ///
    /// # Errors
    /// What reading the inputs fails with; `Interrupted`; inputs that it makes no sense of.
    fn run(&self, inputs: &[Port], region: Window, rows: &Rows) -> Result<()>;
}

/// Marks masked pixels in bytes.
const MASKED_BYTE: u8 = u8::MAX;

enum Output {
    Bytes(Store<u8>),
    Floats(Store<f32>),
}

impl Output {
    fn new(is_byte: bool, shape: (usize, usize)) -> Result<Output> {
        Ok(match is_byte {
            true => Output::Bytes(Store::kept(shape)?),
            false => Output::Floats(Store::kept(shape)?),
        })
    }

    fn write(&self, row: usize, pixels: ArrayView2<'_, f32>) -> Result<()> {
        let to_byte = |&v: &f32| if v.is_nan() { MASKED_BYTE } else { v as u8 };
        match self {
            Output::Bytes(store) => store.patch((row, 0), pixels.map(to_byte).view()),
            Output::Floats(store) => store.patch((row, 0), pixels),
        }
    }

    fn read(&self, window: Window) -> Result<Array2<f32>> {
        let from_byte = |v: u8| if v == MASKED_BYTE { f32::NAN } else { f32::from(v) };
        match self {
            Output::Bytes(store) => Ok(store.window(window)?.mapv(from_byte)),
            Output::Floats(store) => store.window(window),
        }
    }
}

/// What was made of a region.
pub struct Kept {
    region: Window,
    outputs: Vec<Output>,
}

impl Kept {
    /// # Errors
    /// When a scratch file cannot be read.
    pub(super) fn read(&self, window: Window) -> Result<Vec<Pixels>> {
        let inside = window.shifted(-self.region.row, -self.region.col);
        let read = |output: &Output| output.read(inside).map(Pixels::F32);
        self.outputs.iter().map(read).collect()
    }
}

/// Regions that are kept at a time: as many as somebody may look at in turn.
const REGIONS: usize = 64;

/// The operation in the graph, and what it made, of the regions that were asked for last.
pub struct LatticeNode {
    pub operation: Arc<dyn LatticeOperation>,
    kept: Mutex<Vec<Arc<Kept>>>,
}

impl LatticeNode {
    pub fn new(operation: Arc<dyn LatticeOperation>) -> LatticeNode {
        LatticeNode {
            operation,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Places for the outputs over `region`: files that stay where a run may go on with them.
    fn outputs(&self, region: Window, journal: Option<&Journal>) -> Result<Vec<Output>> {
        let shape = (region.rows, region.cols);
        let output = |number: usize| {
            let is_byte = self.operation.is_byte(number);
            let Some(journal) = journal else {
                return Output::new(is_byte, shape);
            };
            let (file, path) = &journal.data[number];
            let (file, path) = (file.try_clone().map_err(|e| Error::io(path, e))?, path.clone());
            Ok(match is_byte {
                true => Output::Bytes(Store::in_file(shape, file, path)?),
                false => Output::Floats(Store::in_file(shape, file, path)?),
            })
        };
        (0..self.operation.outputs()).map(output).collect()
    }

    /// What holds `region`, made now where nothing does.
    ///
    /// # Errors
    /// Those of the operation, with its name; a scratch file that cannot be made or written.
    pub(super) fn prepare(&self, inputs: &[Port], region: Window) -> Result<Arc<Kept>> {
        if let Some(known) = self.kept().iter().find(|kept| kept.region.contains(&region)) {
            return Ok(known.clone());
        }
        let journal =
            work::resumption().map(|resumption| Journal::open(&resumption, self.operation.outputs()));
        let journal = journal.transpose()?;
        let outputs = self.outputs(region, journal.as_ref())?;
        let rows = |output: usize, row: isize, pixels: ArrayView2<'_, f32>| {
            let first = (row - region.row) as usize;
            outputs[output].write(first, pixels)?;
            match &journal {
                Some(journal) if output + 1 == outputs.len() => journal.record(first + pixels.nrows()),
                _ => Ok(()),
            }
        };
        // The same pixel comes out of every region: what is missing is a region of its own.
        let there = journal
            .as_ref()
            .map_or(0, |journal| journal.rows)
            .min(region.rows);
        let first = region.row.saturating_add_unsigned(there);
        let missing = Window::new(first, region.col, region.rows - there, region.cols);
        let made = match missing.is_empty() {
            true => Ok(()),
            false => self.operation.run(inputs, missing, &rows),
        };
        made.map_err(|e| match e {
            Error::Interrupted | Error::Node { .. } => e,
            other => Error::Node {
                node: self.operation.name(),
                source: Box::new(other),
            },
        })?;
        let made = Arc::new(Kept { region, outputs });
        let mut kept = self.kept();
        kept.retain(|known| !region.contains(&known.region));
        if kept.len() == REGIONS {
            kept.remove(0);
        }
        kept.push(made.clone());
        Ok(made)
    }
}
