//! ampcor with the numbers of ISCE2's, its accidents included: what they are is known here alone.
//!
//! # Source
//! ISCE2 components/mroipac/ampcor; recorded runs of it are in the tests.

mod lattice;
mod surface;

use num_complex::Complex32;

use super::ampcor::{First, Stages};
use super::matching::{Chips, Match, WindowMatcher};
use super::plane::{Rule, Signal};
use super::reason::Reason;
use super::settings::{AmpcorSettings, Extent};
use super::sinc::SubsamplePeak;
use crate::error::{Error, Result};
use lattice::LatticePeak;

/// What else is asked of settings than `AmpcorSettings::check` does.
///
/// # Errors
/// A parameter that ISCE2 does not have.
pub fn check(settings: &AmpcorSettings) -> Result<()> {
    if settings.raw_oversampling != 2 {
        return Err(Error::argument(
            "raw_oversampling",
            "2 with parity = \"isce2\"",
            settings.raw_oversampling,
        ));
    }
    match settings.looks == Extent::new(1, 1) && settings.deramp && settings.statistics_reach == 10 {
        true => Ok(()),
        false => Err(Error::argument(
            "looks, deramp and statistics_window",
            "left as they are with parity = \"isce2\"",
            format!(
                "{}, {} and {}",
                settings.looks,
                settings.deramp,
                settings.statistics_reach.saturating_mul(2).saturating_add(1)
            ),
        )),
    }
}

/// Matches windows with one set of parameters. Buffers and plans are made once.
pub struct Matcher {
    stages: Stages,
    lattice: LatticePeak,
    /// The search range between columns that the lanes of the first correlation may read.
    padded: Vec<f32>,
    /// The secondary as the second correlation sees it.
    known: Vec<Complex32>,
}

impl Matcher {
    /// `settings` must have been checked.
    pub fn new(settings: &AmpcorSettings, signal: Signal) -> Matcher {
        // Magnitudes of all images, and empty pixels take part as zeros.
        let rule = Rule {
            signal,
            is_magnitude: true,
            masks: false,
        };
        Matcher {
            stages: Stages::new(settings, rule),
            lattice: LatticePeak::new(settings.oversampling, settings.zoom),
            padded: Vec::new(),
            known: Vec::new(),
        }
    }

    fn first(&mut self, chips: &Chips<'_>) -> Result<First, Reason> {
        let stages = &mut self.stages;
        stages.amplitudes(chips)?;
        let (a, b) = (stages.reference.image(), stages.secondary.image());
        let sums = &mut stages.ncc.box_sums;
        if !surface::surface(a, b, sums, &mut self.padded, &mut stages.surface) {
            return Err(Reason::LowSignal);
        }
        // The last shifts are no noise.
        stages.first(|surface| (surface.rows - 1, surface.cols - 1))
    }

    fn second(&mut self, chips: &Chips<'_>, first: &First) -> Result<SubsamplePeak, Reason> {
        self.keep_known(chips);
        let (stages, secondary) = (&mut self.stages, &self.known);
        // Pixels that are 0 are left out of the reference's mean. Here there are none: what the transforms make of empty
        // pixels is all but 0, and counts.
        let peak = stages.second(&Chips { secondary, ..*chips }, first)?;
        let (x, y) = self.lattice.refine(&stages.surface, &peak);
        let value = peak.value;
        Ok(stages.pixels(&peak, SubsamplePeak { x, y, value }))
    }

    /// No rows are kept beyond the search range, and the last column of the image counts as empty.
    fn keep_known(&mut self, chips: &Chips<'_>) {
        let s = &self.stages.settings;
        let (chip, margin) = (s.chip(), s.refinement());
        let rows = margin..margin + s.window.rows + 2 * s.search.rows;
        let last = chips.image.cols as isize - 1 - chips.place.col;
        let cols = usize::try_from(last).map_or(chip.cols, |last| last.min(chip.cols));
        self.known.clear();
        self.known.extend_from_slice(chips.secondary);
        for (r, row) in self.known.chunks_exact_mut(chip.cols).enumerate() {
            let from = if rows.contains(&r) { cols } else { 0 };
            row[from..].fill(Complex32::ZERO);
        }
    }
}

impl WindowMatcher for Matcher {
    fn run(&mut self, chips: Chips<'_>) -> Match {
        let first = match self.first(&chips) {
            Ok(first) => first,
            Err(reason) => return Match::failed(reason),
        };
        match self.second(&chips, &first) {
            Ok(second) => {
                let found = first.moved(&second);
                let s = &self.stages.settings;
                // The ratio of the second correlation is compared too, and always 10.
                let snr = found.snr;
                let held = Match {
                    snr: snr.min(10.0),
                    ..found
                }
                .held_to(s.snr_threshold, s.covariance_threshold);
                Match { snr, ..held }
            }
            Err(reason) => first.found.without_offset(reason),
        }
    }
}
