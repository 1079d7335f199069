//! Confidence intervals: the groups are the sample, not their pixels, which resemble their neighbours.

use super::Settings;
use crate::bounds;
use crate::error::Result;
use crate::interrupt;
use crate::learning::confusion::{ClassMeasures, Confusion, OverallMeasures};
use crate::statistics::percentile;
use crate::statistics::random::Random;

/// (low, high) of every measure.
#[derive(Debug, Clone)]
pub struct Intervals {
    pub confidence: f64,
    pub resamples: usize,
    pub seed: u64,
    pub classes: Vec<[(f64, f64); 4]>,
    pub overall: [(f64, f64); 4],
}

/// In the order of the tables.
pub fn of_class(m: ClassMeasures) -> [f64; 4] {
    [m.precision, m.recall, m.f1, m.iou]
}

pub fn of_all(m: OverallMeasures) -> [f64; 4] {
    [m.accuracy, m.kappa, m.mean_f1, m.mean_iou]
}

/// Percentile bootstrap: as many groups as there are, drawn with replacement, their counts added and measured, `resamples` times; the
/// interval holds the middle share of the values. Resamples in which a measure is undefined do not count for it. None of a single group.
///
/// # Source
/// Efron & Tibshirani 1993, An introduction to the bootstrap, ch. 13; of whole clusters: Davison & Hinkley 1997, ch. 3.8.
pub fn bootstrap(groups: &[&Confusion], settings: &Settings) -> Result<Option<Intervals>> {
    let Some(first) = groups.first().filter(|_| groups.len() > 1) else {
        return Ok(None);
    };
    let classes = first.classes();
    let measures = 4 * (classes + 1);
    let what = format!(
        "intervals by {} resamples of {classes} classes",
        settings.resamples
    );
    bounds::fits(
        what,
        settings.resamples * measures,
        size_of::<f64>(),
        "ask for fewer resamples",
    )?;
    let mut values = vec![Vec::with_capacity(settings.resamples); measures];
    let mut random = Random::new(settings.seed);
    for _ in 0..settings.resamples {
        interrupt::check()?;
        let mut sum = Confusion::new(classes);
        for _ in groups {
            sum.merge(groups[random.below(groups.len())]);
        }
        let of_classes = (0..classes).flat_map(|class| of_class(sum.class(class)));
        for (values, value) in values.iter_mut().zip(of_classes.chain(of_all(sum.overall()))) {
            if !value.is_nan() {
                values.push(value);
            }
        }
    }
    let tail = 50.0 * (1.0 - settings.confidence);
    let ends: Vec<(f64, f64)> = values
        .iter_mut()
        .map(|values| (percentile(values, tail), percentile(values, 100.0 - tail)))
        .collect();
    let (of_classes, overall) = ends.as_chunks::<4>().0.split_at(classes);
    Ok(Some(Intervals {
        confidence: settings.confidence,
        resamples: settings.resamples,
        seed: settings.seed,
        classes: of_classes.to_vec(),
        overall: overall[0],
    }))
}
