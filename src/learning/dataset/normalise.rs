//! Bands brought to about the same size: (value − mean) / std.

use std::sync::{Mutex, PoisonError};

use ndarray::{ArrayViewMut3, Axis};

use super::{Dataset, Side};
use crate::error::{Error, Result};
use crate::raster::stats::Moments;
use crate::work::{self, workers};

/// Of one band.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalisation {
    pub band: String,
    pub mean: f64,
    /// 1 of a band that holds one value.
    pub std: f64,
}

impl Dataset {
    /// Mean and standard deviation (of the population) of the valid pixels of each band over the training chips: one pass, which also keeps
    /// the chips. The same whatever the threads.
    ///
    /// # Errors
    /// A band that is masked in all of them; what reading chips fails with; `Interrupted`.
    pub fn normalisation(&self) -> Result<Vec<Normalisation>> {
        let mut known = self.normalisation.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = &*known {
            return Ok(found.clone());
        }
        let chips = self.of(Side::Training);
        let moments: Vec<Mutex<Vec<Moments>>> = chips.iter().map(|_| Mutex::default()).collect();
        let progress = work::progress();
        progress.start(chips.len() as u64, "statistics of the training chips");
        let read = workers::for_each(
            work::threads(),
            chips.len(),
            || (),
            |(), i| {
                let (image, _) = self.kept(chips[i])?;
                let of_band = image
                    .outer_iter()
                    .map(|band| Moments::of_values(band.iter().copied()));
                *moments[i].lock().unwrap_or_else(PoisonError::into_inner) = of_band.collect();
                progress.advance(1);
                Ok(())
            },
        );
        progress.finish();
        read?;
        let bands = &self.scenes[0].image.bands;
        let mut sums = vec![Moments::default(); bands.len()];
        for of_chip in moments {
            let of_chip = of_chip.into_inner().unwrap_or_else(PoisonError::into_inner);
            for (sum, of_band) in sums.iter_mut().zip(of_chip) {
                sum.merge(&of_band);
            }
        }
        let found = bands.iter().zip(sums).map(|(band, sum)| match sum.count() {
            0 => Err(Error::message(format!(
                "the band `{}` is masked in all {} training chips; leave it out of the images, or give scenes that have it",
                band.name,
                chips.len()
            ))),
            _ => Ok(Normalisation {
                band: band.name.clone(),
                mean: sum.mean(),
                std: Some(sum.std()).filter(|std| *std > 0.0).unwrap_or(1.0),
            }),
        });
        let found = found.collect::<Result<Vec<_>>>()?;
        *known = Some(found.clone());
        Ok(found)
    }
}

/// Normalises (bands, rows, cols) in place; masked pixels stay NaN.
pub fn apply(normalisation: &[Normalisation], image: &mut ArrayViewMut3<f32>) {
    for (n, mut band) in normalisation.iter().zip(image.axis_iter_mut(Axis(0))) {
        band.mapv_inplace(|v| ((f64::from(v) - n.mean) / n.std) as f32);
    }
}
