//! When the learning rate falls, and when training ends.

use serde::{Deserialize, Serialize};

/// How the schedule reacts to epochs that bring nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Patience {
    /// Epochs without a better loss after which the learning rate is halved.
    pub halving: usize,
    /// Never below this.
    pub least_learning_rate: f64,
    /// Epochs without a better loss after which training ends.
    pub stop: usize,
}

/// Where training stands: PyTorch's `ReduceLROnPlateau(mode="min", factor=0.5, threshold=1e-4, threshold_mode="rel")`, and early stopping by
/// the same rule of what is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    pub learning_rate: f64,
    /// The lowest validation loss that was better than those before; none before the first.
    best: Option<f64>,
    /// Epochs since the rate was halved or the loss was better.
    waiting: usize,
    /// Epochs since the loss was better.
    stagnant: usize,
}

/// Better is less by more than this share.
const THRESHOLD: f64 = 1e-4;

impl Schedule {
    pub fn new(learning_rate: f64) -> Schedule {
        Schedule {
            learning_rate,
            best: None,
            waiting: 0,
            stagnant: 0,
        }
    }

    /// Takes the validation loss of an epoch; whether training should go on.
    pub fn goes_on(&mut self, loss: f64, patience: &Patience) -> bool {
        let is_better = self.best.is_none_or(|best| loss < best - best.abs() * THRESHOLD);
        if is_better {
            self.best = Some(loss);
            (self.waiting, self.stagnant) = (0, 0);
        } else {
            self.waiting += 1;
            self.stagnant += 1;
        }
        if self.waiting > patience.halving {
            self.learning_rate = (self.learning_rate / 2.0).max(patience.least_learning_rate);
            self.waiting = 0;
        }
        self.stagnant < patience.stop
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::fixtures::fixture;

    #[test]
    fn rates_fall_as_pytorchs() {
        let recorded = fixture("plateau");
        let patience = Patience {
            halving: 2,
            least_learning_rate: 1e-4,
            stop: usize::MAX,
        };
        let mut schedule = Schedule::new(1e-3);
        let (losses, rates) = (&recorded["losses"], &recorded["rates"]);
        for (loss, rate) in losses.as_array().unwrap().iter().zip(rates.as_array().unwrap()) {
            assert!(schedule.goes_on(loss.as_f64().unwrap(), &patience));
            assert_eq!(schedule.learning_rate, rate.as_f64().unwrap());
        }
        assert_eq!(schedule.learning_rate, 1e-4);
    }

    #[test]
    fn training_ends_after_so_many_epochs_without_a_better_loss() {
        let patience = Patience {
            halving: 100,
            least_learning_rate: 0.0,
            stop: 3,
        };
        let mut schedule = Schedule::new(1.0);
        let goes_on: Vec<bool> = [3.0, 2.0, 2.0, 1.0, 1.0, 1.5, 0.99999]
            .map(|loss| schedule.goes_on(loss, &patience))
            .to_vec();
        assert_eq!(goes_on, [true, true, true, true, true, true, false]);
    }
}
