//! Chips of a dataset as what a trainer is fed, and what a model made of them has to say about itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::batch::{Batch, Batches, Source, UNLABELLED};
use crate::error::{Error, Result};
use crate::inference::{Activation, Band, Class, KEY, Metadata};
use crate::learning::dataset::augment::Augment;
use crate::learning::dataset::batches::{self, BatchSettings};
use crate::learning::dataset::{Dataset, Side};
use crate::learning::network::STRIDE;
use crate::raster::{self, Unit};

/// What nobody but the user knows of a model.
#[derive(Debug, Clone, Default)]
pub struct About {
    pub licence: Option<String>,
    pub source: Option<String>,
}

/// The training and validation sides of a dataset.
pub struct Chips {
    dataset: Arc<Dataset>,
    /// Of the training side. Validation has no order and no augmentation.
    settings: BatchSettings,
    batches: usize,
}

impl Batches for batches::Batches {
    fn next(&mut self) -> Result<Option<Batch>> {
        self.next_batch()
    }
}

impl Chips {
    /// # Errors
    /// Chips whose side is no multiple of what the network needs; a side without chips; augmentations of bands that are not there; batches
    /// that do not fit into memory.
    pub fn new(dataset: Arc<Dataset>, settings: BatchSettings) -> Result<Chips> {
        if !dataset.chip.is_multiple_of(STRIDE) {
            return Err(Error::argument(
                "chip of the dataset",
                format!("a multiple of {STRIDE} pixels, as the network halves it five times"),
                dataset.chip,
            ));
        }
        let mut chips = Chips {
            dataset,
            settings,
            batches: 0,
        };
        chips.batches = chips.pass(Side::Training, 1)?.count();
        chips.pass(Side::Validation, 0)?;
        Ok(chips)
    }

    fn pass(&self, side: Side, epoch: usize) -> Result<batches::Batches> {
        let is_training = side == Side::Training;
        self.dataset.batches(&BatchSettings {
            side,
            shuffle: is_training,
            epoch: epoch as u64,
            augment: match is_training {
                true => self.settings.augment.clone(),
                false => Augment::default(),
            },
            ..self.settings.clone()
        })
    }

    /// The texts of an ONNX file: the bands in their order and what they were turned into, the classes, `training`, and what it says `about` itself.
    pub fn metadata(&self, training: Map<String, Value>, about: &About) -> BTreeMap<String, String> {
        let bands = self
            .dataset
            .scenes
            .first()
            .map_or(&[][..], |scene| &scene.image.bands[..]);
        let band = |(i, band): (usize, &raster::Band)| {
            let by = self.settings.normalisation.get(i);
            Band {
                name: band.name.clone(),
                unit: (band.unit != Unit::Unknown).then(|| band.unit.to_string()),
                mean: by.map(|by| by.mean),
                std: by.map(|by| by.std),
                fill: Some(f64::from(self.settings.fill)),
                ..Band::default()
            }
        };
        let class = |(value, name): (usize, &String)| Class {
            value: u8::try_from(value).unwrap_or(UNLABELLED),
            name: name.clone(),
            color: None,
        };
        let metadata = Metadata {
            bands: bands.iter().enumerate().map(band).collect(),
            classes: self
                .dataset
                .classes
                .names()
                .iter()
                .enumerate()
                .map(class)
                .collect(),
            nodata: Some(UNLABELLED),
            activation: Some(Activation::Logits),
            stride: Some(STRIDE),
            licence: about.licence.clone(),
            source: about.source.clone(),
            training,
            ..Metadata::default()
        };
        BTreeMap::from([(KEY.to_string(), metadata.to_json())])
    }
}

impl Source for Chips {
    fn training(&self, epoch: usize) -> Result<Box<dyn Batches + '_>> {
        Ok(Box::new(self.pass(Side::Training, epoch)?))
    }

    fn validation(&self) -> Result<Box<dyn Batches + '_>> {
        Ok(Box::new(self.pass(Side::Validation, 0)?))
    }

    fn count(&self) -> usize {
        self.batches
    }
}
