//! What a network makes of a window, found out by giving it one.

use ndarray::ArrayD;

use super::known::Known;
use super::lattice::Reach;
use super::onnx::{self, Tensor};
use crate::bounds::process;
use crate::error::{Error, Result};

/// Side of the window on which a network is tried whose file says that its output is as large as its input.
const TRIAL: usize = 128;

/// What the network makes of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub channels: usize,
    /// Down and across.
    pub reach: (Reach, Reach),
    /// Bytes that the process grew by when it was found out, for the pixels of a whole window: about what the network keeps for itself, for
    /// one window at a time.
    pub arena: usize,
}

/// What the network makes of a window. Where its file says that the output is as large as the input, a small window shows whether that is so.
pub fn probe(known: &Known, tile: (usize, usize), output: usize) -> Result<Shape> {
    let side = TRIAL.next_multiple_of(known.stride.max(1));
    let small = (tile.0.min(side), tile.1.min(side));
    if small != tile && is_said_as_large(known, output) {
        let as_large = Reach::Pixels { scale: 1, margin: 0 };
        match tried(known, small, output) {
            Ok(shape) if shape.reach == (as_large, as_large) => {
                let more = (tile.0 * tile.1).div_ceil(small.0 * small.1);
                return Ok(Shape {
                    arena: shape.arena.saturating_mul(more),
                    ..shape
                });
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            // The file is wrong, or the network takes no window as small: its own size shows it.
            _ => {}
        }
    }
    tried(known, tile, output)
}

/// Whether the file calls rows and columns of the output as it calls those of all inputs.
fn is_said_as_large(known: &Known, output: usize) -> bool {
    let (Some(model), Some(port)) = (&known.model, known.network.outputs().get(output)) else {
        return false;
    };
    let called = |tensor: &Tensor| match tensor.axes.as_deref() {
        Some([_, _, onnx::Axis::Any(rows), onnx::Axis::Any(cols)])
            if !rows.is_empty() && !cols.is_empty() =>
        {
            Some((rows.clone(), cols.clone()))
        }
        _ => None,
    };
    let onnx = model.onnx();
    let found = onnx
        .outputs
        .iter()
        .find(|tensor| tensor.name == port.name)
        .and_then(called);
    found.is_some() && onnx.inputs.iter().all(|input| called(input) == found)
}

/// What the network makes of a window of zeros.
fn tried(known: &Known, tile: (usize, usize), output: usize) -> Result<Shape> {
    let zeros: Vec<ArrayD<f32>> = known
        .expected
        .iter()
        .map(|bands| ArrayD::zeros(vec![1, bands.len(), tile.0, tile.1]))
        .collect();
    let before = process::resident();
    let found = known.network.run(&zeros)?;
    let arena = process::resident().saturating_sub(before);
    known.network.rest();
    let sizes = found
        .get(output)
        .map(|output| output.shape().to_vec())
        .unwrap_or_default();
    let reach = |window: usize, cells: usize| {
        if cells > 0 && window.is_multiple_of(cells) {
            return Some(Reach::Pixels {
                scale: window / cells,
                margin: 0,
            });
        }
        let margin = window.checked_sub(cells).filter(|used| used.is_multiple_of(2))? / 2;
        (cells > 0).then_some(Reach::Pixels { scale: 1, margin })
    };
    let shape = match *sizes.as_slice() {
        [1] => Some((1, Some(Reach::One), Some(Reach::One))),
        [1, channels] => Some((channels, Some(Reach::One), Some(Reach::One))),
        [1, rows, cols] => Some((1, reach(tile.0, rows), reach(tile.1, cols))),
        [1, channels, rows, cols] => Some((channels, reach(tile.0, rows), reach(tile.1, cols))),
        _ => None,
    };
    match shape {
        Some((channels, Some(down), Some(across))) if channels > 0 => Ok(Shape {
            channels,
            reach: (down, across),
            arena,
        }),
        found => {
            let name = known
                .network
                .outputs()
                .get(output)
                .map_or("", |port| port.name.as_str());
            let way_out = match found {
                Some(_) => {
                    "it has no pixels that lie evenly on the window; choose a tile that is a multiple of its stride"
                }
                None => {
                    "an image is made of batch × classes × rows × cols, batch × rows × cols, batch × classes, or batch; choose another output (`head`), \
                     or export the model with one of these"
                }
            };
            Err(Error::message(format!(
                "the output `{name}` of the model has the shape {} for one window of {} × {}: {way_out}",
                match sizes.as_slice() {
                    [] => "of a single number".to_string(),
                    sizes => sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" × "),
                },
                tile.0,
                tile.1
            )))
        }
    }
}
