//! What each epoch has brought.

use serde::{Deserialize, Serialize};

use crate::learning::confusion::Confusion;

/// One pass over the training chips, and what the network then made of the validation chips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    pub learning_rate: f64,
    /// Mean over the labelled pixels of all batches, as they came.
    pub training_loss: f64,
    pub validation_loss: f64,
    /// Validation pixels by class of the label, and in each by predicted class.
    pub counts: Vec<Vec<u64>>,
}

impl Epoch {
    pub fn confusion(&self) -> Confusion {
        let mut confusion = Confusion::new(self.counts.len());
        for (label, row) in self.counts.iter().enumerate() {
            for (prediction, pixels) in row.iter().enumerate() {
                confusion.add(label, prediction, *pixels);
            }
        }
        confusion
    }

    /// Rows as `counts` has them.
    pub fn rows(confusion: &Confusion) -> Vec<Vec<u64>> {
        let classes = || 0..confusion.classes();
        classes()
            .map(|label| classes().map(|p| confusion.get(label, p)).collect())
            .collect()
    }
}

/// How the time of an epoch went.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    pub seconds: f64,
    /// Of them, those in which the device waited for chips.
    pub waited: f64,
    pub samples: usize,
}

impl Pace {
    pub fn add(&mut self, other: Pace) {
        self.seconds += other.seconds;
        self.waited += other.waited;
        self.samples += other.samples;
    }
}
