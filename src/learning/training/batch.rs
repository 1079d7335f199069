//! What a trainer is fed, and how it is made ready beside the device.

use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use ndarray::Axis;

use crate::error::{Error, Result};
pub use crate::learning::dataset::IGNORED as UNLABELLED;
pub use crate::learning::dataset::batches::Batch;
use crate::learning::torch::{Device, Tensor};
use crate::{panics, work};

/// One pass over chips.
pub trait Batches: Send {
    /// # Errors
    /// Where a chip cannot be read.
    fn next(&mut self) -> Result<Option<Batch>>;
}

/// Where batches come from.
pub trait Source: Sync {
    /// All training chips in the order of this epoch, which is the same whenever it is asked for.
    ///
    /// # Errors
    /// Where the chips cannot be had.
    fn training(&self, epoch: usize) -> Result<Box<dyn Batches + '_>>;

    /// All validation chips.
    ///
    /// # Errors
    /// Where the chips cannot be had.
    fn validation(&self) -> Result<Box<dyn Batches + '_>>;

    /// Batches of a training epoch.
    fn count(&self) -> usize;
}

impl Batch {
    /// # Errors
    /// Where images and labels do not belong together, or a label is of no class.
    pub fn check(&self, channels: usize, classes: usize) -> Result<()> {
        let ((samples, given, rows, cols), labels) = (self.images.dim(), self.labels.dim());
        if given != channels || labels != (samples, rows, cols) {
            return Err(Error::message(format!(
                "a batch has images of {:?} (samples, channels, rows, columns) and labels of {labels:?}, where the network takes {channels} channels",
                self.images.dim()
            )));
        }
        let wrong = |label: &&u8| **label != UNLABELLED && usize::from(**label) >= classes;
        match self.labels.iter().find(wrong) {
            Some(label) => Err(Error::message(format!(
                "a chip has label {label}, where the network has {classes} classes (0 to {}) and {UNLABELLED} is no label",
                classes - 1
            ))),
            None => Ok(()),
        }
    }

    pub fn samples(&self) -> usize {
        self.images.len_of(Axis(0))
    }

    /// The images of some samples on a device.
    ///
    /// # Errors
    /// Where it has no memory for them.
    pub fn tensor(&self, samples: Range<usize>, device: Device) -> Result<Tensor> {
        let part = self.images.slice_axis(Axis(0), samples.into());
        let part = part.as_standard_layout();
        match part.as_slice() {
            Some(values) => Tensor::floats(values, part.shape(), device),
            None => Err(Error::message("the images of a batch are not in order")),
        }
    }
}

/// Batches that another thread makes ready, two ahead of whoever takes them.
pub struct Ahead {
    made: Receiver<Result<Batch>>,
    waited: Duration,
}

const DEPTH: usize = 2;

impl Ahead {
    /// # Errors
    /// That of the thread that makes them.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        let begun = Instant::now();
        let batch = self.made.recv();
        self.waited += begun.elapsed();
        batch.ok().transpose()
    }

    /// How long `next_batch` has waited.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

/// Runs `work` on batches that come from a thread of their own.
///
/// # Errors
/// Those of `work`.
pub fn ahead<R>(batches: Box<dyn Batches + '_>, work: impl FnOnce(&mut Ahead) -> Result<R>) -> Result<R> {
    let context = work::current();
    std::thread::scope(|scope| {
        let (give, made) = sync_channel(DEPTH);
        let mut batches = batches;
        scope.spawn(move || {
            let _entered = context.enter();
            while let Some(batch) = panics::caught(|| batches.next()).transpose() {
                let is_last = batch.is_err();
                // Nobody takes any more where the work has ended early.
                if give.send(batch).is_err() || is_last {
                    break;
                }
            }
        });
        work(&mut Ahead {
            made,
            waited: Duration::ZERO,
        })
    })
}
