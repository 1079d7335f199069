//! Chips as a device wants them: in batches, normalised, changed at random.

use std::sync::{Arc, Mutex, PoisonError};

use ndarray::{Array3, Array4, Axis};

use super::augment::{Augment, Ready};
use super::kept::Sample;
use super::normalise::{Normalisation, apply};
use super::{Dataset, IGNORED, Side};
use crate::error::{Domain, Error, Result};
use crate::interrupt;
use crate::statistics::random::Random;
use crate::work::{self, Held, workers};

/// How the chips of a side become batches.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    pub side: Side,
    /// Chips in a batch; the last may have fewer.
    pub size: usize,
    /// In an order drawn by seed and epoch; else in theirs.
    pub shuffle: bool,
    pub seed: u64,
    pub epoch: u64,
    pub augment: Augment,
    /// Of each band; none leaves the values as they are.
    pub normalisation: Vec<Normalisation>,
    /// What masked pixels become, after normalisation.
    pub fill: f32,
}

impl BatchSettings {
    pub const SIZES: Domain = Domain::within(1.0, 4096.0);
}

/// Images (chips, bands, rows, cols) and labels (chips, rows, cols): classes from 0, `IGNORED` where there is none or a band is masked.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub images: Array4<f32>,
    pub labels: Array3<u8>,
}

/// Batches that are in memory at a time: the one that is made, those that wait, and the one that is computed with.
const AT_ONCE: usize = 4;

/// The batches of one epoch, each made when it is asked for, on all threads.
pub struct Batches {
    dataset: Arc<Dataset>,
    order: Vec<usize>,
    done: usize,
    ready: Ready,
    settings: BatchSettings,
    _held: Held,
}

impl Batches {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.order.len().div_ceil(self.settings.size)
    }

    /// The next one; None after the last.
    ///
    /// # Errors
    /// What reading chips fails with; `Interrupted`.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        let first = self.done;
        let end = (first + self.settings.size).min(self.order.len());
        if first == end {
            return Ok(None);
        }
        self.done = end;
        let chips = &self.order[first..end];
        self.dataset
            .batch(first, chips, &self.ready, &self.settings)
            .map(Some)
    }
}

impl Dataset {
    /// The batches of an epoch. They depend on the settings alone, not on threads or on when they are taken.
    ///
    /// # Errors
    /// A side without chips; augmentations of bands that are not there; more batches than memory holds.
    pub fn batches(self: &Arc<Self>, settings: &BatchSettings) -> Result<Batches> {
        let size = BatchSettings::SIZES.check_count("batch", settings.size)?;
        let order = self.order(settings)?;
        let bands = &self.scenes[0].image.bands;
        let bytes = size.min(order.len()) * self.chip * self.chip * (bands.len() * size_of::<f32>() + 1);
        let what = format!("{AT_ONCE} batches of {size} chips");
        crate::bounds::fits(what, AT_ONCE, bytes, "take a smaller batch or chip")?;
        Ok(Batches {
            dataset: self.clone(),
            order,
            done: 0,
            ready: Ready::new(&settings.augment, bands)?,
            settings: settings.clone(),
            _held: Held::hold(AT_ONCE * bytes),
        })
    }

    /// The chips of an epoch in their order. With `balance`, training draws as many as it has, with replacement: a chip is the likelier the more
    /// it holds of classes that are rare, its weight the sum over classes of its share divided by that of the whole side.
    fn order(&self, settings: &BatchSettings) -> Result<Vec<usize>> {
        let mut chips = self.of(settings.side);
        if chips.is_empty() {
            return Err(Error::message(format!(
                "no chip is on the {} side; give it a share in split",
                settings.side.name()
            )));
        }
        let mut random = Random::of(&[settings.seed, settings.epoch, 0]);
        if !settings.shuffle {
            return Ok(chips);
        }
        if !self.balance || settings.side != Side::Training {
            random.shuffle(&mut chips);
            return Ok(chips);
        }
        let counts = self.counts(settings.side);
        let all: u64 = counts.iter().sum();
        let weight = |chip: &usize| {
            let chip = &self.chips[*chip];
            let (pixels, counted) = (chip.labelled() as f64, chip.counts.iter().zip(&counts));
            let shares = counted.filter(|(_, all)| **all > 0);
            shares
                .map(|(n, of)| *n as f64 / pixels * (all as f64 / *of as f64))
                .sum::<f64>()
        };
        let mut ends = Vec::with_capacity(chips.len());
        let mut sum = 0.0;
        for chip in &chips {
            sum += weight(chip);
            ends.push(sum);
        }
        let draw = |_: usize| {
            let at = random.uniform() * sum;
            chips[ends.partition_point(|end| *end <= at).min(chips.len() - 1)]
        };
        Ok((0..chips.len()).map(draw).collect())
    }

    /// Chips that stand in the epoch's order from `first` on.
    fn batch(&self, first: usize, chips: &[usize], ready: &Ready, settings: &BatchSettings) -> Result<Batch> {
        let made: Vec<Mutex<Option<Sample>>> = chips.iter().map(|_| Default::default()).collect();
        workers::for_each(
            work::threads(),
            chips.len(),
            || (),
            |(), i| {
                let sample = self.sample(chips[i], (first + i) as u64, ready, settings)?;
                *made[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(sample);
                Ok(())
            },
        )?;
        let bands = self.scenes[0].image.bands.len();
        let mut batch = Batch {
            images: Array4::zeros((chips.len(), bands, self.chip, self.chip)),
            labels: Array3::from_elem((chips.len(), self.chip, self.chip), IGNORED),
        };
        for (i, made) in made.into_iter().enumerate() {
            if let Some((image, labels)) = made.into_inner().unwrap_or_else(PoisonError::into_inner) {
                batch.images.index_axis_mut(Axis(0), i).assign(&image);
                batch.labels.index_axis_mut(Axis(0), i).assign(&labels);
            }
        }
        Ok(batch)
    }

    /// One chip as training sees it, with its labels.
    ///
    /// # Errors
    /// Augmentations of bands that are not there; what reading the chip fails with.
    pub fn one(&self, chip: usize, settings: &BatchSettings) -> Result<Sample> {
        let ready = Ready::new(&settings.augment, &self.scenes[0].image.bands)?;
        self.sample(chip, chip as u64, &ready, settings)
    }

    /// One chip as training sees it at a place of the epoch's order.
    fn sample(&self, chip: usize, place: u64, ready: &Ready, settings: &BatchSettings) -> Result<Sample> {
        interrupt::check()?;
        let mut random = Random::of(&[settings.seed, settings.epoch, 1 + place]);
        let (mut image, labels) = self.kept(chip)?;
        ready.speckle(&mut image.view_mut(), &mut random);
        apply(&settings.normalisation, &mut image.view_mut());
        image.mapv_inplace(|v| if v.is_nan() { settings.fill } else { v });
        ready.drop(&mut image.view_mut(), &mut random);
        Ok(ready.turn(image, labels, &mut random))
    }
}

#[cfg(test)]
mod tests;
