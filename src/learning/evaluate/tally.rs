//! Counting pixels by stratum, label and prediction.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use super::Pair;
use crate::error::{Error, Result};
use crate::learning::classes::code_of;
use crate::raster::execute::Run;
use crate::raster::{Pixels, Raster};

/// Of one pair of rasters.
#[derive(Default)]
pub struct Tally {
    /// Pixels by (stratum, label, prediction).
    pub counts: BTreeMap<(Option<i64>, i64, i64), u64>,
    pub unlabelled: u64,
    pub unpredicted: u64,
}

impl Tally {
    pub fn merge(&mut self, other: &Tally) {
        self.unlabelled += other.unlabelled;
        self.unpredicted += other.unpredicted;
        for (codes, pixels) in &other.counts {
            *self.counts.entry(*codes).or_default() += pixels;
        }
    }
}

/// Combinations of codes that class rasters stay far below, and float rasters pass at once.
const MOST: usize = 1 << 16;

/// One pass over the pair, on all cores, a tile at a time.
pub fn count(pair: &Pair, strata: Option<&Raster>) -> Result<Tally> {
    let (prediction, labels) = (&pair.prediction, &pair.labels);
    let mut ports = vec![
        labels.only_band("labels")?.port.clone(),
        prediction.only_band("prediction")?.port.clone(),
    ];
    prediction.check_grid(labels)?;
    if let Some(strata) = strata {
        prediction.check_grid(strata)?;
        ports.push(strata.only_band("by")?.port.clone());
    }
    let grid = &prediction.grid;
    let run = Run::prepare(grid, &ports, grid.window())?;
    let total = Mutex::new(Tally::default());
    run.for_each("evaluation", &|_, _, pixels| {
        let tile = tile(pixels, &pair.group)?;
        let mut total = total.lock().unwrap_or_else(|e| e.into_inner());
        total.merge(&tile);
        match total.counts.len() > MOST {
            true => Err(too_many(&pair.group)),
            false => Ok(()),
        }
    })?;
    Ok(total.into_inner().unwrap_or_else(|e| e.into_inner()))
}

fn too_many(group: &str) -> Error {
    Error::message(format!(
        "labels and prediction of {group} hold more than {MOST} combinations of codes; are they class rasters?"
    ))
}

/// Class rasters hold the same codes for many pixels on end, so that few of them are looked up.
fn tile(pixels: Vec<Pixels>, group: &str) -> Result<Tally> {
    let arrays: Vec<_> = pixels.into_iter().map(Pixels::into_f64).collect();
    let mut out = Tally::default();
    let mut counts: HashMap<[u64; 3], u64> = HashMap::new();
    let (mut last, mut on_end) = ([0.0f64; 3], 0u64);
    let mut flush = |codes: [f64; 3], pixels: u64| {
        if pixels > 0 {
            *counts.entry(codes.map(f64::to_bits)).or_default() += pixels;
        }
        match counts.len() > MOST {
            true => Err(too_many(group)),
            false => Ok(()),
        }
    };
    let (labels, predictions) = (&arrays[0], &arrays[1]);
    let mut strata = arrays.get(2).map(|strata| strata.iter());
    for (&label, &prediction) in labels.iter().zip(predictions) {
        let stratum = strata
            .as_mut()
            .and_then(Iterator::next)
            .copied()
            .unwrap_or(f64::NAN);
        if label.is_nan() {
            out.unlabelled += 1;
        } else if prediction.is_nan() {
            out.unpredicted += 1;
        } else {
            let here = [stratum, label, prediction];
            if here.map(f64::to_bits) != last.map(f64::to_bits) {
                flush(last, on_end)?;
                (last, on_end) = (here, 0);
            }
            on_end += 1;
        }
    }
    flush(last, on_end)?;
    for (bits, pixels) in counts {
        let [stratum, label, prediction] = bits.map(f64::from_bits);
        let stratum = match stratum.is_nan() {
            true => None,
            false => Some(code_of(stratum, &format!("the strata of {group}"))?),
        };
        let label = code_of(label, &format!("the labels of {group}"))?;
        let prediction = code_of(prediction, &format!("the prediction of {group}"))?;
        *out.counts.entry((stratum, label, prediction)).or_default() += pixels;
    }
    Ok(out)
}
