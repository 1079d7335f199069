//! Weights from files against what a network has: every name there, of the right shape, and none too many.

use std::path::Path;

use super::plan::{Parameter, Plan, Role};
use super::weights::{Array, Weights, read};
use crate::error::{Error, Result};

/// PyTorch counts the batches of a normalisation, which nothing here needs.
const COUNTER: &str = "num_batches_tracked";
/// The layer of torchvision's ResNets that names the 1000 classes of ImageNet.
const CLASSIFIER: &str = "fc.";
const ENCODER: &str = "encoder.";
const STEM: &str = "encoder.conv1.weight";
/// Red, green and blue.
const PHOTOGRAPH: usize = 3;
/// What names begin with in a state of training.
pub const OF_STATE: &str = "weights/";

/// All weights of a network, from a file of them. Where its names stand under others, as in `state_dict.encoder.conv1.weight` or
/// `module.encoder.conv1.weight`, those are left out.
///
/// # Errors
/// Those of the file; names that are missing or too many, and shapes that differ, all of them at once; numbers that no weight can be.
pub fn whole(plan: &Plan, path: &Path) -> Result<Weights> {
    let parameters = plan.parameters();
    let found = without_prefix(read_weights(path)?, &parameters, "");
    fitting(&parameters, found, &[]).map_err(|why| Error::file(path, why))
}

/// Puts the encoder of a file into `weights`: torchvision's ImageNet weights, or the encoder of a whole network.
///
/// The first convolution is fitted to other numbers of channels as segmentation_models_pytorch does: one channel gets the sum of the three;
/// n channels get the three in turn, times 3/n.
///
/// # Errors
/// As `whole`.
pub fn encoder(plan: &Plan, path: &Path, weights: &mut Weights) -> Result<()> {
    let of_encoder = |parameter: &Parameter| parameter.name.starts_with(ENCODER);
    let parameters: Vec<Parameter> = plan.parameters().into_iter().filter(of_encoder).collect();
    let found = read_weights(path)?;
    let is_whole = found.keys().any(|name| name.contains(STEM));
    let mut found = match is_whole {
        true => without_prefix(found, &parameters, ""),
        false => without_prefix(found, &parameters, ENCODER),
    };
    if is_whole {
        found.retain(|name, _| name.starts_with(ENCODER));
    }
    let is_of_photographs = |stem: &&mut Array| stem.shape.len() == 4 && stem.shape[1] == PHOTOGRAPH;
    if let Some(stem) = found.get_mut(STEM).filter(is_of_photographs)
        && plan.channels != PHOTOGRAPH
    {
        *stem = channels_fitted(stem, plan.channels);
    }
    let unused = format!("{ENCODER}{CLASSIFIER}");
    let found = fitting(&parameters, found, &[&unused]).map_err(|why| Error::file(path, why))?;
    weights.extend(found);
    Ok(())
}

/// As `read`, of a file that holds weights and nothing else.
///
/// # Errors
/// As `read`; of a state of training.
fn read_weights(path: &Path) -> Result<Weights> {
    let found = read(path)?;
    match found.keys().any(|name| name.starts_with(OF_STATE)) {
        true => Err(Error::file(
            path,
            "is the state of a training, not weights alone; take best.safetensors, which lies beside it",
        )),
        false => Ok(found),
    }
}

/// # Errors
/// In words, what no weight of this parameter can be: numbers that are NaN or infinite, variances below 0.
pub fn check_numbers(parameter: &Parameter, array: &Array) -> std::result::Result<(), String> {
    let is_wrong = |v: &&f32| !v.is_finite() || (parameter.role == Role::RunningVariance && **v < 0.0);
    match array.values.iter().find(is_wrong) {
        Some(value) => Err(format!(
            "{} holds {value}, which no network can be computed with: the training that wrote it has failed, or the file is damaged",
            parameter.name
        )),
        None => Ok(()),
    }
}

/// The names without what stands before all of them, and with `added` in its place.
fn without_prefix(found: Weights, parameters: &[Parameter], added: &str) -> Weights {
    let first = parameters.first().map_or("", |parameter| parameter.name.as_str());
    let first = first.strip_prefix(added).unwrap_or(first);
    // Other names may end the same way; those are longer.
    let holder = found
        .keys()
        .filter(|name| ends_in(name, first))
        .min_by_key(|name| name.len());
    let prefix = holder.map_or(String::new(), |name| name[..name.len() - first.len()].to_string());
    let named =
        |(name, array): (String, Array)| Some((format!("{added}{}", name.strip_prefix(&prefix)?), array));
    found.into_iter().filter_map(named).collect()
}

fn ends_in(name: &str, end: &str) -> bool {
    name.strip_suffix(end)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn channels_fitted(stem: &Array, channels: usize) -> Array {
    let [outputs, inputs, rows, cols] = stem.shape[..] else {
        return stem.clone();
    };
    let area = rows * cols;
    let at =
        |output: usize, input: usize, pixel: usize| stem.values[(output * inputs + input) * area + pixel];
    let factor = inputs as f32 / channels as f32;
    let mut values = Vec::with_capacity(outputs * channels * area);
    for output in 0..outputs {
        for channel in 0..channels {
            values.extend((0..area).map(|pixel| match channels {
                1 => (0..inputs).map(|input| at(output, input, pixel)).sum(),
                _ => at(output, channel % inputs, pixel) * factor,
            }));
        }
    }
    Array {
        shape: vec![outputs, channels, rows, cols],
        values,
    }
}

/// What fits, or all that does not in words.
fn fitting(
    parameters: &[Parameter],
    mut found: Weights,
    unused: &[&str],
) -> std::result::Result<Weights, String> {
    let (mut fitting, mut missing, mut misshapen) = (Weights::new(), Vec::new(), Vec::new());
    let mut damaged = None;
    for parameter in parameters {
        match found.remove(&parameter.name) {
            None => missing.push(parameter.name.clone()),
            Some(array) if array.shape != parameter.shape => misshapen.push(format!(
                "{} {:?} where the network has {:?}",
                parameter.name, array.shape, parameter.shape
            )),
            Some(array) => {
                damaged = damaged.or(check_numbers(parameter, &array).err());
                fitting.insert(parameter.name.clone(), array);
            }
        }
    }
    found.retain(|name, _| !name.ends_with(COUNTER) && !unused.iter().any(|start| name.starts_with(start)));
    let unexpected: Vec<String> = found.into_keys().collect();
    let mut wrong = Vec::new();
    for (what, names) in [
        ("missing", missing),
        ("unexpected", unexpected),
        ("of another shape", misshapen),
    ] {
        if !names.is_empty() {
            wrong.push(format!("{what}: {}", shortened(&names)));
        }
    }
    match damaged {
        _ if !wrong.is_empty() => {}
        Some(damaged) => return Err(format!("{damaged}; take earlier weights")),
        None => return Ok(fitting),
    }
    Err(format!(
        "these are the weights of another network ({}); name its encoder, channels and classes",
        wrong.join("; ")
    ))
}

/// The first few, and how many more.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
