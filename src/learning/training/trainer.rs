//! Training: epochs of steps, a look at the validation chips after each, and the schedule that follows from it.

use std::time::Instant;

use super::batch::{Ahead, Batch, Source, UNLABELLED, ahead};
use super::checkpoint::{Checkpoint, Header, Made};
use super::history::{Epoch, Pace};
use super::optimiser::Optimiser;
use super::schedule::{Patience, Schedule};
use super::step::{gradients, no_room};
use crate::error::{Choice, Error, Result};
use crate::interrupt;
use crate::learning::confusion::Confusion;
use crate::learning::network::{Net, Weights, in_memory, on_device};
use crate::learning::torch::operators as op;
use crate::learning::torch::{self, Device, Tensor};
use crate::work::{self, Held};

/// What the best model is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Best {
    /// The lowest loss of the validation chips.
    #[default]
    Loss,
    /// Their highest mean intersection over union.
    Iou,
}

impl Choice for Best {
    const ALL: &'static [(&'static str, Self)] = &[("loss", Best::Loss), ("iou", Best::Iou)];
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub made: Made,
    pub epochs: usize,
    pub patience: Patience,
    pub best: Best,
    pub device: Device,
}

/// A network in training.
pub struct Trainer {
    settings: Settings,
    net: Net,
    optimiser: Optimiser,
    header: Header,
    /// Samples that go through the network at once.
    most: usize,
}

/// Losses on the device, each with its batch and share. To read one waits for the device.
struct Losses {
    pending: Vec<(usize, Tensor, f64)>,
    sum: f64,
    shares: f64,
}

impl Trainer {
    /// From `weights`, which fit the network.
    ///
    /// # Errors
    /// Settings that cannot be; where libtorch or the device is missing.
    pub fn start(settings: Settings, weights: &Weights) -> Result<Trainer> {
        let schedule = Schedule::new(settings.made.learning_rate);
        let header = Header::new(settings.made.clone(), schedule);
        Trainer::with(settings, weights, header)
    }

    /// From where a checkpoint was written.
    ///
    /// # Errors
    /// As `start`.
    pub fn resume(settings: Settings, checkpoint: Checkpoint) -> Result<Trainer> {
        let steps = checkpoint.header.steps;
        let mut trainer = Trainer::with(settings, &checkpoint.weights, checkpoint.header)?;
        trainer.optimiser.remember(checkpoint.memory, steps)?;
        Ok(trainer)
    }

    fn with(settings: Settings, weights: &Weights, header: Header) -> Result<Trainer> {
        let made = &settings.made;
        made.network.check()?;
        made.loss.check(made.network.classes)?;
        let positive = |name: &str, value: f64| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::argument(name, "above 0", value)),
        };
        positive("learning_rate", made.learning_rate)?;
        positive("accumulate", made.accumulate as f64)?;
        torch::open(settings.device)?;
        torch::enter(work::threads())?;
        let state = on_device(weights, settings.device)?;
        let net = Net::new(made.network.plan(), state, settings.device)?;
        let optimiser = Optimiser::new(&net, made.optimiser, made.weight_decay)?;
        Ok(Trainer {
            settings,
            net,
            optimiser,
            header,
            most: usize::MAX,
        })
    }

    pub fn epochs(&self) -> &[Epoch] {
        &self.header.epochs
    }

    /// The number of the epoch with the best model, from 1 on.
    pub fn best(&self) -> Option<usize> {
        self.header.best
    }

    /// Whether all epochs are over, or nothing has become better for too long.
    pub fn is_over(&self) -> bool {
        self.header.is_over || self.header.epochs.len() >= self.settings.epochs
    }

    /// # Errors
    /// Where what computes them has failed.
    pub fn weights(&self) -> Result<Weights> {
        in_memory(self.net.state())
    }

    /// # Errors
    /// As `weights`.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let mut header = self.header.clone();
        header.steps = self.optimiser.steps();
        Ok(Checkpoint {
            header,
            weights: self.weights()?,
            memory: self.optimiser.memory()?,
        })
    }

    /// Changes the weights once by `batches` together. Their loss on the device and its share; none where no pixel is labelled.
    ///
    /// # Errors
    /// Batches that are not for this network; libtorch's. `Interrupted` after a stop.
    pub fn step(&mut self, batches: &[Batch]) -> Result<Option<(Tensor, f64)>> {
        let made = &self.settings.made;
        for batch in batches {
            batch.check(made.network.channels, made.network.classes)?;
        }
        let whole: f64 = batches
            .iter()
            .map(|batch| made.loss.share(batch.labels.view()))
            .sum();
        if whole == 0.0 {
            return Ok(None);
        }
        self.most = self.most.min(self.samples_in_memory(batches)?);
        let _held = self.held(batches);
        let found = gradients(&self.net, &made.loss, batches, whole, &mut self.most)?;
        self.optimiser
            .step(found.of, self.header.schedule.learning_rate)?;
        Ok(Some((found.loss, whole)))
    }

    /// What a step takes of the ceiling, in its ledger for as long as it goes on.
    fn held(&self, batches: &[Batch]) -> Option<Held> {
        let batch = batches.first().filter(|_| self.settings.device == Device::Cpu)?;
        let (samples, _, rows, cols) = batch.images.dim();
        let one = self.net.plan().bytes_in_training(rows, cols);
        Some(Held::hold(one.saturating_mul(samples.min(self.most))))
    }

    /// How many samples the memory ceiling lets through the network at once: on the CPU the same memory is that of the images.
    fn samples_in_memory(&self, batches: &[Batch]) -> Result<usize> {
        let Some(batch) = batches.first().filter(|_| self.settings.device == Device::Cpu) else {
            return Ok(usize::MAX);
        };
        let (_, _, rows, cols) = batch.images.dim();
        let one = self.net.plan().bytes_in_training(rows, cols);
        let room = work::budget::left() / one.max(1);
        if room == 0 {
            return Err(Error::Memory {
                what: format!("training on a chip of {rows} × {cols} pixels"),
                needed_mib: (one >> 20) as u64 + 1,
                limit_mib: (work::memory() >> 20) as u64,
                way_out: "take smaller chips or a smaller encoder, or raise the limit with --memory".into(),
            });
        }
        let samples = batches.iter().map(Batch::samples).max().unwrap_or(0);
        if room < samples.min(self.most) {
            work::tell(&format!(
                "note: the memory limit has no room for {samples} chips in the network at once; they go through in parts of {room}, whose gradients are summed"
            ));
        }
        Ok(room)
    }

    /// One epoch: all training chips, then all validation chips.
    ///
    /// # Errors
    /// Those of the chips; a loss that is no number, with its epoch and batch. `Interrupted` after a stop.
    pub fn epoch(&mut self, source: &dyn Source) -> Result<Pace> {
        let begun = Instant::now();
        let number = self.header.epochs.len() + 1;
        let learning_rate = self.header.schedule.learning_rate;
        work::progress().start(source.count() as u64, &self.label(number));
        let (training_loss, samples, mut waited) = ahead(source.training(number)?, |chips| {
            self.training_chips(chips, number)
        })?;
        let (validation_loss, confusion) = ahead(source.validation()?, |chips| {
            let found = self.validate(chips, number);
            waited += chips.waited().as_secs_f64();
            found
        })?;
        work::progress().finish();
        self.header.epochs.push(Epoch {
            learning_rate,
            training_loss,
            validation_loss,
            counts: Epoch::rows(&confusion),
        });
        let goes_on = self
            .header
            .schedule
            .goes_on(validation_loss, &self.settings.patience);
        self.header.is_over = !goes_on;
        self.header.best = self.best_of_all();
        Ok(Pace {
            seconds: begun.elapsed().as_secs_f64(),
            waited,
            samples,
        })
    }

    fn label(&self, number: usize) -> String {
        let epochs = self.settings.epochs;
        match self.header.epochs.last() {
            Some(last) => format!(
                "epoch {number} of {epochs} (loss {:.4}, IoU {:.3})",
                last.validation_loss,
                last.confusion().overall().mean_iou
            ),
            None => format!("epoch {number} of {epochs}"),
        }
    }

    fn training_chips(&mut self, chips: &mut Ahead, epoch: usize) -> Result<(f64, usize, f64)> {
        // The steps that a graphics card may be ahead by before anybody looks at their losses.
        let ahead = match self.settings.device {
            Device::Cpu => 1,
            Device::Cuda(_) => 16,
        };
        let mut losses = Losses {
            pending: Vec::new(),
            sum: 0.0,
            shares: 0.0,
        };
        let (mut gathered, mut taken, mut samples) = (Vec::new(), 0, 0);
        loop {
            interrupt::check()?;
            let batch = chips.next_batch()?;
            let is_end = batch.is_none();
            if let Some(batch) = batch {
                taken += 1;
                samples += batch.samples();
                gathered.push(batch);
            }
            if !gathered.is_empty() && (is_end || gathered.len() >= self.settings.made.accumulate) {
                if let Some((loss, share)) = self.step(&gathered)? {
                    losses.pending.push((taken, loss, share));
                }
                work::progress().advance(gathered.len() as u64);
                gathered.clear();
            }
            if is_end || losses.pending.len() >= ahead {
                self.settle(&mut losses, epoch)?;
            }
            if is_end {
                break;
            }
        }
        if losses.shares == 0.0 {
            return Err(Error::message("no training chip has a labelled pixel"));
        }
        Ok((losses.sum / losses.shares, samples, chips.waited().as_secs_f64()))
    }

    fn settle(&self, losses: &mut Losses, epoch: usize) -> Result<()> {
        for (batch, loss, share) in losses.pending.drain(..) {
            let loss = f64::from(loss.number()?);
            if !loss.is_finite() {
                return Err(self.not_finite(loss, &format!("epoch {epoch}, batch {batch}")));
            }
            losses.sum += loss * share;
            losses.shares += share;
        }
        Ok(())
    }

    fn not_finite(&self, loss: f64, place: &str) -> Error {
        Error::message(format!(
            "the loss is {loss} ({place}): lower learning_rate ({}), and look for bands with very large values; what was best before is kept",
            self.header.schedule.learning_rate
        ))
    }

    /// Loss and confusion of chips by the running means and variances. Changes nothing.
    ///
    /// # Errors
    /// As `epoch`.
    pub fn validate(&self, chips: &mut Ahead, epoch: usize) -> Result<(f64, Confusion)> {
        let made = &self.settings.made;
        let mut confusion = Confusion::new(made.network.classes);
        let (mut sum, mut shares) = (0.0, 0.0);
        let mut taken = 0;
        while let Some(batch) = chips.next_batch()? {
            taken += 1;
            batch.check(made.network.channels, made.network.classes)?;
            let whole = made.loss.share(batch.labels.view());
            if whole == 0.0 {
                continue;
            }
            let (loss, classes) = self.look(&batch, whole)?;
            if !loss.is_finite() {
                return Err(self.not_finite(loss, &format!("epoch {epoch}, validation batch {taken}")));
            }
            sum += loss * whole;
            shares += whole;
            let pairs = batch.labels.iter().zip(classes);
            for (label, class) in pairs.filter(|(label, _)| **label != UNLABELLED) {
                confusion.add(usize::from(*label), class, 1);
            }
        }
        match shares > 0.0 {
            true => Ok((sum / shares, confusion)),
            false => Err(Error::message("no validation chip has a labelled pixel")),
        }
    }

    /// The loss of a batch and the class of each pixel, sample by sample: that takes the least memory and no longer.
    fn look(&self, batch: &Batch, whole: f64) -> Result<(f64, Vec<usize>)> {
        let made = &self.settings.made;
        let (mut sum, mut classes) = (0.0, Vec::with_capacity(batch.labels.len()));
        for sample in 0..batch.samples() {
            let labels = batch.labels.slice(ndarray::s![sample..=sample, .., ..]);
            let image = batch.tensor(sample..sample + 1, self.net.device());
            let logits = image
                .and_then(|image| self.net.evaluate(&image))
                .map_err(no_room)?;
            if made.loss.share(labels) > 0.0 {
                let scored = made.loss.score(&logits, labels, whole, self.net.device())?;
                sum += f64::from(scored.value.number()?);
            }
            let strongest = op::strongest(&logits)?.to_integers()?;
            classes.extend(
                strongest
                    .into_iter()
                    .map(|class| usize::try_from(class).unwrap_or(0)),
            );
        }
        Ok((sum, classes))
    }

    /// The first epoch that none is better than.
    fn best_of_all(&self) -> Option<usize> {
        let score = |epoch: &Epoch| match self.settings.best {
            Best::Loss => epoch.validation_loss,
            Best::Iou => -epoch.confusion().overall().mean_iou,
        };
        let epochs = self.header.epochs.iter().enumerate();
        let best = epochs.min_by(|(_, a), (_, b)| score(a).total_cmp(&score(b)));
        best.map(|(i, _)| i + 1)
    }
}
