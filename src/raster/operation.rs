//! What an engine operation is: which input window an output window needs, and how to compute it.

use std::ops::Range;

use super::Window;
use super::describe::Description;
use super::graph::Port;
use super::tile::{Kind, Pixels, View};
use super::zarr::array::Wanted;
use crate::error::{Error, Result};

/// Some rows of a picture of the whole image in fewer pixels.
pub struct PicturePart {
    /// (rows, cols) of the whole picture.
    pub shape: (usize, usize),
    pub rows: Range<usize>,
}

/// A file that an operation reads.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadFile {
    pub path: String,
    /// Bytes, where somebody says.
    pub size: Option<u64>,
    pub is_remote: bool,
}

/// The chunks of a cube that steps of time share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    /// The same for all sources that read the same chunks.
    pub shared_by: (u64, u64),
    pub rows: usize,
    pub cols: usize,
    /// Of a decoded chunk, with all of its steps.
    pub bytes: usize,
}

/// A tile operation in the lazy graph. Implementations hold their parameters and no state; the engine calls them
/// from many threads at once, with any tiling, and the result must not depend on it.
pub trait Operation: Send + Sync {
    /// The name that users know it by, with its parameters where they help: `filter.focal_median(radius 10 px)`.
    fn name(&self) -> String;

    /// What it is, as data.
    ///
    /// # Errors
    /// Parameters that JSON cannot hold; a file that it reads and that is gone.
    fn describe(&self) -> Result<Description>;

    /// What its outputs are computed in, given the kinds of its inputs.
    fn kind(&self, _inputs: &[Kind]) -> Kind {
        Kind::F32
    }

    /// How many bands it makes.
    fn outputs(&self) -> usize {
        1
    }

    /// True where each output pixel depends on the same pixel of the inputs alone, so that a small picture of the result
    /// comes from small pictures of the inputs.
    fn is_pointwise(&self) -> bool {
        false
    }

    /// The ends of the circle in which its values run, which are one value; see `cyclic`.
    fn cycle(&self) -> Option<(f64, f64)> {
        None
    }

    /// True where its values are values of its first input, only elsewhere.
    fn keeps_values(&self) -> bool {
        false
    }

    /// True for sources that give a small picture of themselves without reading every pixel, by `reduced`.
    fn can_reduce(&self) -> bool {
        false
    }

    /// A small picture: of each of its pixels the one nearest to its centre.
    ///
    /// # Errors
    /// When the file cannot be read; without `can_reduce`, always.
    fn reduced(&self, _part: &PicturePart) -> Result<Vec<Pixels>> {
        Err(Error::message(format!("{} has no small picture", self.name())))
    }

    /// The file that it reads, for operations that read one.
    fn file(&self) -> Option<ReadFile> {
        None
    }

    /// Block size (rows, cols) of the file that it reads, for operations that read one.
    fn block(&self) -> Option<(usize, usize)> {
        None
    }

    /// The window of the whole blocks that a window is read of, and the pixels that are kept where these are kept for other windows;
    /// for operations that read a file by blocks.
    fn decoded(&self, _out: Window) -> Option<(Window, usize)> {
        None
    }

    /// Decodes and keeps what a window is read of, where there is room for it.
    ///
    /// # Errors
    /// When the file cannot be read or has changed.
    fn decode(&self, _out: Window) -> Result<()> {
        Ok(())
    }

    /// Lets go what was decoded for a window alone.
    fn forget(&self, _out: Window) {}

    /// The chunks that it reads its step of, for operations that read a cube.
    fn chunks(&self) -> Option<Chunks> {
        None
    }

    /// Says what of a cube a window is read of, so that all that a tile needs can be loaded together.
    fn want(&self, _out: Window, _wanted: &mut Wanted) {}

    /// The largest tile (rows, cols) worth computing at once, for operations whose every pixel takes long: small images of
    /// them must still keep all cores busy.
    fn tile(&self) -> Option<(usize, usize)> {
        None
    }

    /// False while something of its inputs must be known before their windows can be told.
    fn is_prepared(&self) -> bool {
        true
    }

    /// Finds that out, once, before the first tile.
    ///
    /// # Errors
    /// What computing the inputs fails with; inputs in which what is wanted cannot be found.
    fn prepare(&self, _inputs: &[Port]) -> Result<()> {
        Ok(())
    }

    /// The window of input `index` that `out` depends on; a guess before `prepare`. It may reach outside the input's grid: pixels there
    /// arrive masked. An empty window means that this input is not needed.
    fn needs(&self, index: usize, out: Window) -> Window;

    /// Bytes that `compute` allocates beyond its outputs and twice its largest input, for the memory ceiling.
    fn scratch_bytes(&self, _out: Window) -> usize {
        0
    }

    /// Computes `out`. `inputs[i].window` is exactly `needs(i, out)`. Returns one array of `out`'s shape per output.
    /// What takes long looks at `interrupt::requested` once a row or so and returns at once, with whatever pixels: the
    /// engine drops what was computed while a stop was asked for.
    ///
    /// # Errors
    /// When a file cannot be read or has changed, or what the inputs hold makes no sense.
    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>>;
}

/// An operation that no tiling can compute, because every pixel depends on the whole scene. It reads its one input
/// row by row, as often as it likes, in f32, and writes each row of its output once, in order. The engine
/// keeps the result (in memory where it fits the ceiling, else in a scratch file) and tiles read from that.
pub trait SceneOperation: Send + Sync {
    fn name(&self) -> String;

    /// What it is, as data.
    ///
    /// # Errors
    /// Parameters that JSON cannot hold.
    fn describe(&self) -> Result<Description>;

    /// # Errors
    /// Those of `read_row` and `write_row`; `Interrupted`; a scene that the operation makes no sense of.
    fn run(&self, scene: &mut dyn Scene) -> Result<()>;
}

/// The input and output of a `SceneOperation`.
pub trait Scene {
    /// (rows, cols)
    fn shape(&self) -> (usize, usize);
    /// Copies one row of the input into `out`, `cols` long; masked pixels are NaN. Reading in order is fast.
    ///
    /// # Errors
    /// What computing the input fails with; a scratch file that cannot be read.
    fn read_row(&mut self, row: usize, out: &mut [f32]) -> Result<()>;
    /// The rows of the output, in order from 0.
    ///
    /// # Errors
    /// When the scratch file cannot be written.
    fn write_row(&mut self, row: usize, pixels: &[f32]) -> Result<()>;
    /// Bytes that `run` may use for itself.
    fn memory(&self) -> usize;
}
