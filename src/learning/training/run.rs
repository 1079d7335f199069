//! A whole training, with what it leaves in its folder: `last.safetensors`, from which it goes on after whatever has ended it, and
//! `best.safetensors`, the weights of the best epoch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::batch::Source;
use super::checkpoint::Checkpoint;
use super::history::{Epoch, Pace};
use super::trainer::{Settings, Trainer};
use crate::error::Result;
use crate::learning::network::{Weights, read_safetensors, write_safetensors};

/// The newest state.
pub fn last(folder: &Path) -> PathBuf {
    folder.join("last.safetensors")
}

/// The weights of the best epoch.
pub fn best(folder: &Path) -> PathBuf {
    folder.join("best.safetensors")
}

/// What a training has come to.
pub struct Trained {
    pub epochs: Vec<Epoch>,
    /// The number of the best epoch, from 1 on.
    pub best: usize,
    /// Of the best epoch.
    pub weights: Weights,
}

/// Trains until it is over, from the state in `folder` where there is one, else from what `start` gives. `each` is told of every epoch.
///
/// # Errors
/// Those of the chips, of libtorch and of the disk; a state of another training. Whatever ends it, the last state and the best weights stay.
pub fn train(
    settings: Settings,
    source: &dyn Source,
    folder: &Path,
    start: impl FnOnce() -> Result<Weights>,
    mut each: impl FnMut(&Trainer, &Epoch, Pace) -> Result<()>,
) -> Result<Trained> {
    let mut trainer = match last(folder).exists() {
        true => {
            let checkpoint = Checkpoint::read(&last(folder), &settings.made)?;
            Trainer::resume(settings, checkpoint)?
        }
        false => Trainer::start(settings, &start()?)?,
    };
    while !trainer.is_over() || trainer.epochs().is_empty() {
        let pace = trainer.epoch(source)?;
        let number = trainer.epochs().len();
        // First the best, which the state names: killed in between, the epoch is done again and gives the same.
        if trainer.best() == Some(number) {
            write_safetensors(&best(folder), &trainer.weights()?, &BTreeMap::new())?;
        }
        trainer.checkpoint()?.write(&last(folder))?;
        if let Some(epoch) = trainer.epochs().last() {
            each(&trainer, epoch, pace)?;
        }
    }
    Ok(Trained {
        epochs: trainer.epochs().to_vec(),
        best: trainer.best().unwrap_or(1),
        weights: read_safetensors(&best(folder))?.0,
    })
}
