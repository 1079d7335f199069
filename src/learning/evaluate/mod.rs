//! How well class rasters agree with labels: one pass over each pair, tile by tile.

mod figure;
mod interval;
mod tables;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use super::classes::Classes;
use super::confusion::Confusion;
use crate::error::{Domain, Error, Result};
use crate::raster::Raster;

/// A prediction and the labels of the same pixels.
pub struct Pair {
    pub prediction: Raster,
    pub labels: Raster,
    /// Pairs of one group are one sample for the intervals: the same scene, site or flight.
    pub group: String,
}

/// What counts, and how sure the answer is to be.
pub struct Settings {
    /// Names by code; without them every code is a class of its own.
    pub classes: Option<Classes>,
    /// Codes of labels or predictions whose pixels are left out.
    pub ignore: Vec<i64>,
    /// The share of intervals that hold the truth.
    pub confidence: f64,
    /// How often the groups are drawn anew.
    pub resamples: usize,
    pub seed: u64,
}

impl Settings {
    pub const CONFIDENCES: Domain = Domain::within(0.5, 0.999);
    pub const RESAMPLES: Domain = Domain::within(100.0, 100_000.0);
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            classes: None,
            ignore: Vec::new(),
            confidence: 0.95,
            resamples: 2000,
            seed: 1,
        }
    }
}

/// Pixels that say nothing of the agreement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The label is masked.
    pub unlabelled: u64,
    /// Labelled, but the prediction is masked.
    pub unpredicted: u64,
    /// One of the two is a code to ignore.
    pub ignored: u64,
}

#[derive(Debug, Clone)]
pub struct Evaluation {
    pub classes: Classes,
    /// In the order in which they were given.
    pub groups: Vec<(String, Confusion)>,
    /// By code of the stratum, where an image of strata was given.
    pub strata: Vec<(i64, Confusion)>,
    pub total: Confusion,
    pub left_out: LeftOut,
    /// Where there are several groups.
    pub intervals: Option<interval::Intervals>,
}

/// Compares predictions with labels. Pixels without either are left out and counted; so are those with a code to ignore.
///
/// `strata` divides the one pair by the codes of a third raster, such as land cover or classes of slope.
///
/// # Errors
/// Rasters of several bands; `GridMismatch`; values that are no whole numbers; codes that are neither a class nor ignored; more than 255
/// codes; not one pixel to compare; what computing the rasters fails with.
pub fn evaluate(pairs: &[Pair], strata: Option<&Raster>, settings: &Settings) -> Result<Evaluation> {
    let mut found: Vec<(String, tally::Tally)> = Vec::new();
    for pair in pairs {
        let tally = tally::count(pair, strata)?;
        match found.iter_mut().find(|(group, _)| *group == pair.group) {
            Some((_, sum)) => sum.merge(&tally),
            None => found.push((pair.group.clone(), tally)),
        }
    }
    let classes = match &settings.classes {
        Some(classes) => classes.clone(),
        None => every_code(&found, &settings.ignore)?,
    };
    let mut left_out = LeftOut::default();
    let mut total = Confusion::new(classes.len());
    let mut by_stratum: BTreeMap<i64, Confusion> = BTreeMap::new();
    let mut groups = Vec::new();
    for (group, tally) in found {
        left_out.unlabelled += tally.unlabelled;
        left_out.unpredicted += tally.unpredicted;
        let mut confusion = Confusion::new(classes.len());
        for (&(stratum, label, prediction), &pixels) in &tally.counts {
            if [label, prediction]
                .iter()
                .any(|code| settings.ignore.contains(code))
            {
                left_out.ignored += pixels;
                continue;
            }
            let class = |code: i64, of: &'static str| {
                classes
                    .of(code)
                    .ok_or_else(|| stranger(code, of, &tally, &group, &classes))
            };
            let (label, prediction) = (class(label, "labels")?, class(prediction, "prediction")?);
            confusion.add(label, prediction, pixels);
            if let Some(stratum) = stratum {
                let of = by_stratum
                    .entry(stratum)
                    .or_insert_with(|| Confusion::new(classes.len()));
                of.add(label, prediction, pixels);
            }
        }
        total.merge(&confusion);
        groups.push((group, confusion));
    }
    if total.pixels() == 0 {
        return Err(Error::message(format!(
            "no pixel has both a label and a prediction: {} have no label, {} of the others no prediction, {} are ignored",
            left_out.unlabelled, left_out.unpredicted, left_out.ignored
        )));
    }
    let matrices: Vec<&Confusion> = groups.iter().map(|(_, confusion)| confusion).collect();
    Ok(Evaluation {
        intervals: interval::bootstrap(&matrices, settings)?,
        strata: by_stratum.into_iter().collect(),
        classes,
        groups,
        total,
        left_out,
    })
}

/// Every code that was met as a class of its own, named as it is written.
fn every_code(found: &[(String, tally::Tally)], ignore: &[i64]) -> Result<Classes> {
    let pairs = found.iter().flat_map(|(_, tally)| tally.counts.keys());
    let codes: BTreeSet<i64> = pairs
        .filter(|(_, label, prediction)| !ignore.contains(label) && !ignore.contains(prediction))
        .flat_map(|&(_, label, prediction)| [label, prediction])
        .collect();
    match codes.len() {
        0 => Classes::new([(0, "0".to_string())]),
        n if n > Classes::MOST => Err(Error::message(format!(
            "labels and prediction hold {n} codes, from {} to {}, more than the {} classes that can be told apart; are they class rasters? Name the \
             codes that count with {{ classes = … }}",
            codes.first().copied().unwrap_or_default(),
            codes.last().copied().unwrap_or_default(),
            Classes::MOST
        ))),
        _ => Classes::new(codes.into_iter().map(|code| (code, code.to_string()))),
    }
}

fn stranger(code: i64, of: &str, tally: &tally::Tally, group: &str, classes: &Classes) -> Error {
    let holds = |(_, label, prediction): &(Option<i64>, i64, i64)| {
        code == if of == "labels" { *label } else { *prediction }
    };
    let counts = tally.counts.iter().filter(|(codes, _)| holds(codes));
    let pixels: u64 = counts.map(|(_, pixels)| pixels).sum();
    let known: Vec<String> = classes
        .codes()
        .map(|(code, class)| format!("{code} ({})", classes.names()[class]))
        .collect();
    Error::message(format!(
        "the {of} of {group} hold the code {code} ({pixels} pixels), which is none of the classes {}; name it in {{ classes = … }}, or leave it \
         out with {{ ignore = {{ {code} }} }}",
        known.join(", ")
    ))
}
