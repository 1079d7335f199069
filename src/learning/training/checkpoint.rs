//! All that training needs to go on as if it had never stopped, in one safetensors file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::history::Epoch;
use super::loss::Loss;
use super::optimiser::Kind;
use super::schedule::Schedule;
use crate::error::{Error, Result};
use crate::learning::network::{OF_STATE, UNet, Weights, check_numbers, read_safetensors, write_safetensors};

/// What has to be the same for a run to go on from a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    pub network: UNet,
    /// What the channels and the classes are called. Checkpoints of before 0.2 do not say it.
    #[serde(default)]
    pub bands: Vec<String>,
    #[serde(default)]
    pub classes: Vec<String>,
    pub loss: Loss,
    pub optimiser: Kind,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub accumulate: usize,
    pub seed: u64,
}

/// Beside the tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    version: u32,
    pub made: Made,
    /// Of the optimiser.
    pub steps: u64,
    pub schedule: Schedule,
    pub epochs: Vec<Epoch>,
    /// The epoch with the best model, from 1 on; none where no epoch has ended.
    pub best: Option<usize>,
    /// Whether training has come to its end.
    pub is_over: bool,
}

/// A state of training.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub header: Header,
    pub weights: Weights,
    /// Of the optimiser: means of gradients and of their squares.
    pub memory: [Weights; 2],
}

const VERSION: u32 = 1;
/// Of a state that is damaged.
const WAY_OUT: &str = "remove it to start anew, where you like from best.safetensors beside it (`weights`), which holds the best epoch so far";
const HEADER: &str = "perilune";
const MEMORY: [&str; 2] = ["mean/", "square/"];

impl Header {
    pub fn new(made: Made, schedule: Schedule) -> Header {
        Header {
            version: VERSION,
            made,
            steps: 0,
            schedule,
            epochs: Vec::new(),
            best: None,
            is_over: false,
        }
    }

    /// Whether it is what this network can have come to: a file may say anything.
    fn is_whole(&self) -> bool {
        let classes = self.made.network.classes;
        let is_right = |epoch: &Epoch| {
            let pixels = epoch.counts.iter().flatten();
            epoch.counts.len() == classes
                && epoch.counts.iter().all(|row| row.len() == classes)
                && pixels.copied().try_fold(0, u64::checked_add).is_some()
        };
        let has_best = self
            .best
            .is_none_or(|best| (1..=self.epochs.len()).contains(&best));
        let rate = self.schedule.learning_rate;
        has_best && rate.is_finite() && rate > 0.0 && self.epochs.iter().all(is_right)
    }
}

impl Checkpoint {
    /// Writes it through a draft: what stood there before stays until all of it is written.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let header = serde_json::to_string(&self.header).map_err(|e| Error::file(path, e.to_string()))?;
        let mut all = Weights::new();
        let parts = [(OF_STATE, &self.weights)].into_iter();
        for (prefix, weights) in parts.chain(MEMORY.into_iter().zip(&self.memory)) {
            all.extend(
                weights
                    .iter()
                    .map(|(name, array)| (format!("{prefix}{name}"), array.clone())),
            );
        }
        write_safetensors(path, &all, &BTreeMap::from([(HEADER.to_string(), header)]))
    }

    /// # Errors
    /// Where the file is no checkpoint, is damaged, holds numbers that are NaN or infinite, or was made with other settings than `made`: names each.
    pub fn read(path: &Path, made: &Made) -> Result<Checkpoint> {
        let (tensors, texts) = read_safetensors(path).map_err(|e| match e {
            Error::File { path, message } => Error::file(path, format!("{message}; {WAY_OUT}")),
            e => e,
        })?;
        let header = texts
            .get(HEADER)
            .ok_or_else(|| Error::file(path, "is no checkpoint of training; choose another folder"))?;
        let header: Header = serde_json::from_str(header).map_err(|e| {
            Error::file(
                path,
                format!("is a checkpoint that cannot be understood ({e}); choose another folder"),
            )
        })?;
        if header.version != VERSION {
            return Err(Error::file(
                path,
                format!(
                    "is a checkpoint of version {}, not {VERSION}; choose another folder",
                    header.version
                ),
            ));
        }
        let differences = differences(&header.made, made);
        if !differences.is_empty() {
            return Err(Error::file(
                path,
                format!(
                    "is a checkpoint of another training: {}; choose another folder, or remove it to start anew",
                    differences.join(", ")
                ),
            ));
        }
        if !header.is_whole() {
            return Err(Error::file(
                path,
                format!("is a checkpoint whose history cannot be; {WAY_OUT}"),
            ));
        }
        let mut parts: [Weights; 3] = Default::default();
        for (name, array) in tensors {
            let prefixes = [OF_STATE, MEMORY[0], MEMORY[1]];
            for (prefix, part) in prefixes.iter().zip(&mut parts) {
                if let Some(name) = name.strip_prefix(prefix) {
                    part.insert(name.to_string(), array.clone());
                }
            }
        }
        let [weights, means, squares] = parts;
        for parameter in header.made.network.plan().parameters() {
            let fits = |part: &Weights| {
                part.get(&parameter.name)
                    .is_some_and(|a| a.shape == parameter.shape)
            };
            let remembered = !parameter.role.is_trained() || (fits(&means) && fits(&squares));
            if !fits(&weights) || !remembered {
                return Err(Error::file(
                    path,
                    format!("is a checkpoint without {}; {WAY_OUT}", parameter.name),
                ));
            }
            for part in [&weights, &means, &squares] {
                if let Some(array) = part.get(&parameter.name) {
                    check_numbers(&parameter, array)
                        .map_err(|why| Error::file(path, format!("{why}; {WAY_OUT}")))?;
                }
            }
        }
        Ok(Checkpoint {
            header,
            weights,
            memory: [means, squares],
        })
    }
}

fn differences(there: &Made, here: &Made) -> Vec<String> {
    let words =
        |there: &dyn std::fmt::Debug, here: &dyn std::fmt::Debug| format!("{there:?} there, {here:?} here");
    let mut found = Vec::new();
    if there.network != here.network {
        found.push(format!("{} there, {} here", there.network, here.network));
    }
    for (what, there, here) in [
        ("bands", &there.bands, &here.bands),
        ("classes", &there.classes, &here.classes),
    ] {
        if there != here && !there.is_empty() {
            found.push(format!(
                "{what} {} there, {} here",
                there.join(", "),
                here.join(", ")
            ));
        }
    }
    if there.loss != here.loss {
        found.push(format!("loss {}", words(&there.loss, &here.loss)));
    }
    if there.optimiser != here.optimiser {
        found.push(format!("optimiser {}", words(&there.optimiser, &here.optimiser)));
    }
    for (what, there, here) in [
        ("learning_rate", there.learning_rate, here.learning_rate),
        ("weight_decay", there.weight_decay, here.weight_decay),
        ("accumulate", there.accumulate as f64, here.accumulate as f64),
        ("seed", there.seed as f64, here.seed as f64),
    ] {
        if there != here {
            found.push(format!("{what} {}", words(&there, &here)));
        }
    }
    found
}
