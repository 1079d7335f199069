//! Training of networks: what they are fed, how wrong they are, how they change, and what of it is kept.

mod batch;
mod checkpoint;
mod chips;
mod history;
mod loss;
mod optimiser;
mod report;
mod run;
mod schedule;
mod step;
mod trainer;

#[cfg(test)]
mod tests;

pub use self::batch::{Ahead, Batch, Batches, Source, UNLABELLED, ahead};
pub use self::checkpoint::{Checkpoint, Header, Made};
pub use self::chips::{About, Chips};
pub use self::history::{Epoch, Pace};
pub use self::loss::{Loss, Scored};
pub use self::optimiser::{Kind, Optimiser};
pub use self::report::Report;
pub use self::run::{Trained, best, last, train};
pub use self::schedule::{Patience, Schedule};
pub use self::trainer::{Best, Settings, Trainer};
