//! Datasets: places where images and labels meet, as chips that are read when they are wanted.

pub mod augment;
pub mod batches;
mod count;
mod figure;
mod folder;
mod ground;
mod kept;
mod lattice;
pub mod normalise;
mod split;
mod tables;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ndarray::{Array2, Array3};

use super::classes::{Classes, code_of};
use crate::error::{Choice, Domain, Error, Result, counted};
use crate::raster::reframe::moved;
use crate::raster::{Pixels, Raster, Window};
use crate::work;

pub use self::figure::PageSettings;
pub use self::folder::read_chips;
pub use self::split::{By, Part, Split};

/// The label of pixels that say nothing: masked, of no class, or without an image.
pub const IGNORED: u8 = 255;

/// An image and the labels of its pixels.
#[derive(Clone)]
pub struct Scene {
    pub image: Raster,
    pub labels: Raster,
    /// Scenes of one group are never divided between sides.
    pub group: String,
    /// What `By::Column` divides by.
    pub properties: BTreeMap<String, String>,
}

/// What a chip is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Fits the weights.
    Training,
    /// Chooses among models and says when to stop.
    Validation,
    /// Judges, once.
    Test,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Side::Training => "training",
            Side::Validation => "validation",
            Side::Test => "test",
        }
    }
}

impl Choice for Side {
    const ALL: &'static [(&'static str, Self)] = &[
        ("training", Side::Training),
        ("validation", Side::Validation),
        ("test", Side::Test),
    ];
}

#[derive(Debug, Clone, PartialEq)]
pub struct Chip {
    /// The number of its scene.
    pub scene: usize,
    /// Pixels of the scene; of a scene smaller than a chip it reaches beyond the end.
    pub window: Window,
    /// Labelled pixels of each class.
    pub counts: Vec<u64>,
    pub side: Side,
}

impl Chip {
    pub fn labelled(&self) -> u64 {
        self.counts.iter().sum()
    }
}

pub struct Settings {
    /// Pixels along a side.
    pub chip: usize,
    /// Pixels from one chip to the next; a chip's side without it.
    pub step: Option<usize>,
    /// A chip counts from this share of labelled pixels on.
    pub minimum_labelled: f64,
    pub classes: Classes,
    pub split: Split,
    /// Whether training draws chips so that classes come about as often as each other.
    pub balance: bool,
}

impl Settings {
    pub const CHIPS: Domain = Domain::within(1.0, 16_384.0).in_unit("pixels");
    pub const SHARES: Domain = Domain::within(0.0, 1.0);
}

/// Chips of scenes, each on one side, no ground on two.
pub struct Dataset {
    pub scenes: Vec<Scene>,
    pub classes: Classes,
    pub chip: usize,
    pub step: usize,
    pub minimum_labelled: f64,
    pub balance: bool,
    pub split: Split,
    /// Those that count, in the order of scenes, rows and columns.
    pub chips: Vec<Chip>,
    /// Chips with too few labels.
    pub too_few: usize,
    /// Chips that share ground with another side.
    pub dropped: usize,
    /// Pixels of labels by code, of those that are no class.
    pub strangers: BTreeMap<i64, u64>,
    /// Groups, or values of a column, that are one because they share ground.
    pub joined: Vec<Vec<String>>,
    kept: kept::Kept,
    normalisation: Mutex<Option<Vec<normalise::Normalisation>>>,
}

impl Dataset {
    /// Goes over the labels of each scene once, all cores on one scene, and deals out the chips. Images are not read.
    ///
    /// # Errors
    /// No scene; labels of several bands, off the grid of their image, or with values that are no whole numbers; images with other bands than
    /// the first; no chip with enough labels; what `split` refuses; a class that no training chip has.
    pub fn new(scenes: Vec<Scene>, settings: Settings) -> Result<Dataset> {
        let Settings {
            chip,
            step,
            minimum_labelled,
            classes,
            split,
            balance,
        } = settings;
        let step = step.unwrap_or(chip);
        lattice::check(chip, step)?;
        check(&scenes)?;
        let mut chips = Vec::new();
        let mut strangers: BTreeMap<i64, u64> = BTreeMap::new();
        let mut too_few = 0;
        for (number, scene) in scenes.iter().enumerate() {
            let found = count::count(scene, chip, step, &classes)?;
            for (code, pixels) in found.strangers {
                *strangers.entry(code).or_default() += pixels;
            }
            found.counts.chips(|row, col, counts| {
                let enough = minimum_labelled * (chip * chip) as f64;
                let labelled: u64 = counts.iter().sum();
                if labelled == 0 || (labelled as f64) < enough {
                    too_few += 1;
                    return;
                }
                chips.push(Chip {
                    scene: number,
                    window: Window::new(row as isize, col as isize, chip, chip),
                    counts,
                    side: Side::Training,
                });
            })?;
        }
        if chips.is_empty() {
            return Err(Error::message(format!(
                "no chip of {chip} × {chip} pixels has labels in at least {} % of its pixels: {} have fewer; labels hold {} that are no class; \
                 take a smaller chip or minimum_labelled, or name the codes in classes",
                100.0 * minimum_labelled,
                too_few,
                codes_text(&strangers)
            )));
        }
        let dealt = split::split(&scenes, &mut chips, &split)?;
        let dataset = Dataset {
            scenes,
            classes,
            chip,
            step,
            minimum_labelled,
            balance,
            split,
            chips,
            too_few,
            dropped: dealt.dropped,
            strangers,
            joined: dealt.joined,
            kept: kept::Kept::default(),
            normalisation: Mutex::default(),
        };
        dataset.check_classes()?;
        dataset.warn_of_rare_classes();
        dataset.tell();
        Ok(dataset)
    }

    /// The numbers of the chips of a side.
    pub fn of(&self, side: Side) -> Vec<usize> {
        let chips = self.chips.iter().enumerate();
        chips
            .filter(|(_, chip)| chip.side == side)
            .map(|(i, _)| i)
            .collect()
    }

    /// Labelled pixels of each class on a side.
    pub fn counts(&self, side: Side) -> Vec<u64> {
        let mut sums = vec![0; self.classes.len()];
        for chip in self.chips.iter().filter(|chip| chip.side == side) {
            sums.iter_mut().zip(&chip.counts).for_each(|(sum, n)| *sum += n);
        }
        sums
    }

    /// Measures of a class that hardly occurs hang on a few pixels, and with them the choice of the best weights.
    fn warn_of_rare_classes(&self) {
        const LEAST: f64 = 1e-3;
        for (name, side) in Side::ALL {
            let counts = self.counts(*side);
            let labelled: u64 = counts.iter().sum();
            for (class, n) in self.classes.names().iter().zip(&counts) {
                if labelled > 0 && (*n as f64) < LEAST * labelled as f64 {
                    work::warn(&format!(
                        "learning.dataset: only {n} of {labelled} labelled pixels of the {name} side are `{class}`: what is measured of it there says little; \
                         another seed or other shares of `split`, or scenes by name for that side, deal it out otherwise"
                    ));
                }
            }
        }
    }

    fn check_classes(&self) -> Result<()> {
        let counts = self.counts(Side::Training);
        let Some(missing) = counts.iter().position(|n| *n == 0) else {
            return Ok(());
        };
        let elsewhere: u64 = self.chips.iter().map(|chip| chip.counts[missing]).sum();
        let names = self.classes.names();
        let has: Vec<String> = names
            .iter()
            .zip(&counts)
            .map(|(name, n)| format!("{name} {n}"))
            .collect();
        Err(Error::message(format!(
            "the training side has no pixel of the class `{}` (pixels: {}); {}",
            names[missing],
            has.join(", "),
            match elsewhere {
                0 => format!(
                    "no chip has: labels hold {} that are no class; give scenes that show it, or leave it out of classes",
                    codes_text(&self.strangers)
                ),
                n => format!(
                    "{n} lie on the other sides; choose another seed, other shares, or name the scenes of validation and test"
                ),
            }
        )))
    }

    /// What a split did that nobody asked for.
    fn tell(&self) {
        for names in &self.joined {
            work::tell(&format!(
                "learning.dataset: {} share ground and are kept on one side",
                names.join(", ")
            ));
        }
        if self.dropped > 0 {
            work::tell(&format!(
                "learning.dataset: {} dropped, because they share ground with a chip of another side",
                counted(self.dropped, "chip")
            ));
        }
        if self.split.by == By::Chip {
            work::tell(
                "learning.dataset: split by chip: neighbours of one scene are on several sides, and measures of validation and test will look better \
                 than those of new scenes",
            );
        }
        let without = self
            .scenes
            .iter()
            .filter(|scene| scene.image.grid.crs.is_none())
            .count();
        if without > 0 && self.scenes.len() > 1 {
            work::tell(&format!(
                "learning.dataset: {} no CRS: whether they share ground with others is not known",
                match without {
                    1 => "1 scene has".to_string(),
                    n => format!("{n} scenes have"),
                }
            ));
        }
        for side in [Side::Validation, Side::Test] {
            let counts = self.counts(side);
            if counts.iter().all(|n| *n == 0) {
                continue;
            }
            let names = self.classes.names().iter().zip(&counts);
            let missing: Vec<&str> = names
                .filter(|(_, n)| **n == 0)
                .map(|(name, _)| name.as_str())
                .collect();
            if !missing.is_empty() {
                work::warn(&format!(
                    "learning.dataset: the {} side has no pixel of {}: its measures say nothing of it",
                    side.name(),
                    missing.join(", ")
                ));
            }
        }
    }

    /// A chip's part of an image, on its own grid.
    fn part(&self, raster: &Raster, window: Window) -> Raster {
        moved(
            raster,
            Arc::new(raster.grid.subgrid(&window)),
            window.row,
            window.col,
        )
    }

    /// The image of a chip, lazily; masked beyond the end of the scene.
    pub fn image(&self, chip: usize) -> Raster {
        let chip = &self.chips[chip];
        self.part(&self.scenes[chip.scene].image, chip.window)
    }

    /// (bands, rows, cols), masked pixels NaN.
    ///
    /// # Errors
    /// What computing the image fails with.
    pub fn read_image(&self, chip: usize) -> Result<Array3<f32>> {
        let image = self.image(chip);
        let mut out = Array3::from_elem((image.bands.len(), self.chip, self.chip), f32::NAN);
        for (mut band, pixels) in out.outer_iter_mut().zip(image.read(image.grid.window())?) {
            band.assign(&pixels.into_f32());
        }
        Ok(out)
    }

    /// Classes, counted from 0, and `IGNORED`.
    ///
    /// # Errors
    /// What computing the labels fails with; values that are no whole numbers.
    pub fn read_labels(&self, chip: usize) -> Result<Array2<u8>> {
        let Chip { scene, window, .. } = &self.chips[chip];
        let scene = &self.scenes[*scene];
        let labels = self.part(&scene.labels, *window);
        let pixels = labels.read(labels.grid.window())?.swap_remove(0);
        classes_of(pixels, &self.classes, &scene.group)
    }
}

/// The class of each pixel.
fn classes_of(pixels: Pixels, classes: &Classes, group: &str) -> Result<Array2<u8>> {
    let codes = pixels.into_f64();
    let mut out = Array2::from_elem(codes.dim(), IGNORED);
    let (mut last, mut class) = (f64::NAN, IGNORED);
    for (out, &code) in out.iter_mut().zip(&codes) {
        if code.is_nan() {
            continue;
        }
        if code != last {
            let found = classes.of(code_of(code, &format!("the labels of {group}"))?);
            (last, class) = (code, found.map_or(IGNORED, |class| class as u8));
        }
        *out = class;
    }
    Ok(out)
}

fn codes_text(codes: &BTreeMap<i64, u64>) -> String {
    let each: Vec<String> = codes
        .iter()
        .take(12)
        .map(|(code, pixels)| format!("{code} ({pixels} pixels)"))
        .collect();
    match codes.len() {
        0 => "no codes".to_string(),
        _ => format!(
            "codes {}{}",
            each.join(", "),
            if codes.len() > 12 { ", …" } else { "" }
        ),
    }
}

fn check(scenes: &[Scene]) -> Result<()> {
    let Some(first) = scenes.first() else {
        return Err(Error::argument(
            "scenes",
            "a list of at least one scene",
            "an empty one",
        ));
    };
    for scene in scenes {
        scene
            .labels
            .only_band(&format!("the labels of {}", scene.group))?;
        scene.image.check_grid(&scene.labels).map_err(|error| {
            Error::message(format!(
                "the labels of {} are off the grid of their image: {error}",
                scene.group
            ))
        })?;
        let (bands, expected) = (scene.image.band_names(), first.image.band_names());
        if bands != expected {
            return Err(Error::argument(
                format!("the bands of {}", scene.group),
                format!("those of {} ({})", first.group, expected.join(", ")),
                bands.join(", "),
            ));
        }
        let units = |scene: &Scene| -> Vec<String> {
            scene
                .image
                .bands
                .iter()
                .map(|b| b.unit.symbol().to_string())
                .collect()
        };
        if units(scene) != units(first) {
            return Err(Error::argument(
                format!("the units of the bands of {}", scene.group),
                format!("those of {} ({})", first.group, units(first).join(", ")),
                units(scene).join(", "),
            ));
        }
    }
    Ok(())
}
