//! Options of what training does to chips.

use crate::error::Result;
use crate::learning::dataset::augment::{Augment, ChannelDrop, Speckle};
use crate::learning::dataset::{Dataset, normalise::Normalisation};
use crate::lua::options::Nested;
use crate::options;

options! {
    pub struct DropOptions("learning.ChannelDrop") {
        /// What may be dropped.
        bands: Vec<String>,
        /// How often a chip is touched at all.
        probability: f64 = ChannelDrop::PROBABILITY; ChannelDrop::PROBABILITIES,
        /// Draws among the bands, with replacement.
        draws: usize = ChannelDrop::DRAWS; ChannelDrop::COUNTS,
    }
}

options! {
    pub struct SpeckleOptions("learning.Speckle") {
        /// In power or dB.
        bands: Vec<String>,
        /// The number of looks of the noise: its variance is 1 / looks.
        looks: f64; Speckle::LOOKS,
    }
}

options! {
    pub struct AugmentOptions("learning.AugmentOptions") {
        /// Left and right, and up and down, each in half of the cases.
        flips: bool = false,
        /// None to three quarter turns, each as often.
        turns: bool = false,
        /// Sets bands to 0, after normalisation.
        drop: Option<Nested<DropOptions>>,
        /// Multiplies power by gamma-distributed noise of mean 1, before normalisation; adds its logarithm to decibels.
        speckle: Option<Nested<SpeckleOptions>>,
    }
}

impl From<AugmentOptions> for Augment {
    fn from(o: AugmentOptions) -> Augment {
        Augment {
            flips: o.flips,
            turns: o.turns,
            drop: o.drop.map(|Nested(o)| ChannelDrop {
                bands: o.bands,
                probability: o.probability,
                draws: o.draws,
            }),
            speckle: o.speckle.map(|Nested(o)| Speckle {
                bands: o.bands,
                looks: o.looks,
            }),
        }
    }
}

options! {
    pub struct SampleOptions("learning.SampleOptions") {
        ..augment: AugmentOptions,
        /// Whether bands are brought to mean 0 and standard deviation 1 of the training chips.
        normalise: bool = true,
        /// Of the draws.
        seed: usize = 1,
        /// Of the draws.
        epoch: usize = 0,
    }
}

/// What bands are normalised by.
pub fn normalisation(dataset: &Dataset, is_wanted: bool) -> Result<Vec<Normalisation>> {
    match is_wanted {
        true => dataset.normalisation(),
        false => Ok(Vec::new()),
    }
}
