//! Chips that were computed once: filters of scenes and warps of labels are expensive, and epochs are many.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use ndarray::{Array2, Array3};

use super::{Dataset, IGNORED};
use crate::error::{Error, Result};
use crate::raster::Window;
use crate::raster::store::{Store, has_scratch};

/// Chips below each other, bands in a row: in memory where the ledger has room for them, else in scratch.
#[derive(Default)]
pub struct Kept {
    chips: OnceLock<Option<Chips>>,
    /// Of each scene, whether its operations on the whole scene have run: they run once, not in every thread that comes by.
    scenes: OnceLock<Vec<Mutex<bool>>>,
}

struct Chips {
    images: RwLock<Store<f32>>,
    labels: RwLock<Store<u8>>,
    is_there: Vec<AtomicBool>,
}

/// (bands, rows, cols), masked pixels NaN, and classes; those of pixels that are masked in any band are `IGNORED`.
pub type Sample = (Array3<f32>, Array2<u8>);

impl Dataset {
    /// A chip, of what was computed before where there is room to keep it. Threads may call it side by side.
    ///
    /// # Errors
    /// What reading image and labels fails with; a scratch file that cannot be made, written or read.
    pub fn kept(&self, chip: usize) -> Result<Sample> {
        let bands = self.scenes[self.chips[chip].scene].image.bands.len();
        let Some(kept) = self.kept_chips(bands)? else {
            return self.first(chip);
        };
        let side = self.chip;
        let rows = bands * side;
        let window = |rows: usize| Window::new((chip * rows) as isize, 0, rows, side);
        if kept.is_there[chip].load(Ordering::Acquire) {
            let image = kept
                .images
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .window(window(rows))?;
            let labels = kept
                .labels
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .window(window(side))?;
            let image = image.into_shape_with_order((bands, side, side));
            return Ok((image.map_err(|e| Error::message(e.to_string()))?, labels));
        }
        let (image, labels) = self.first(chip)?;
        if let (Some(samples), Some(classes)) = (image.as_slice(), labels.as_slice()) {
            let mut images = kept.images.write().unwrap_or_else(PoisonError::into_inner);
            images.write(chip * rows, samples)?;
            let mut labels = kept.labels.write().unwrap_or_else(PoisonError::into_inner);
            labels.write(chip * side, classes)?;
            kept.is_there[chip].store(true, Ordering::Release);
        }
        Ok((image, labels))
    }

    /// None where neither memory nor scratch has room: every chip is then computed whenever it is wanted.
    fn kept_chips(&self, bands: usize) -> Result<Option<&Chips>> {
        if let Some(kept) = self.kept.chips.get() {
            return Ok(kept.as_ref());
        }
        let rows = self.chips.len().saturating_mul(self.chip);
        let bytes = rows
            .saturating_mul(self.chip)
            .saturating_mul(bands * size_of::<f32>() + 1);
        let made = match has_scratch(bytes) {
            true => Some(Chips {
                images: RwLock::new(Store::kept((rows * bands, self.chip))?),
                labels: RwLock::new(Store::kept((rows, self.chip))?),
                is_there: self.chips.iter().map(|_| AtomicBool::new(false)).collect(),
            }),
            false => None,
        };
        Ok(self.kept.chips.get_or_init(|| made).as_ref())
    }

    /// Reads a chip; the first one of a scene while all others of it wait.
    fn first(&self, chip: usize) -> Result<Sample> {
        let scenes = self
            .kept
            .scenes
            .get_or_init(|| self.scenes.iter().map(|_| Mutex::new(false)).collect());
        let mut is_ready = scenes[self.chips[chip].scene]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *is_ready {
            drop(is_ready);
            return self.sample_of(chip);
        }
        let sample = self.sample_of(chip)?;
        *is_ready = true;
        Ok(sample)
    }

    fn sample_of(&self, chip: usize) -> Result<Sample> {
        let (image, mut labels) = (self.read_image(chip)?, self.read_labels(chip)?);
        for band in image.outer_iter() {
            for (label, _) in labels.iter_mut().zip(&band).filter(|(_, v)| v.is_nan()) {
                *label = IGNORED;
            }
        }
        Ok((image, labels))
    }
}
