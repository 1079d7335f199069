//! The offset of one window by amplitude correlation, as ROI_PAC's and ISCE2's ampcor find it: a first correlation of
//! amplitudes at whole pixels, a second one of both chips oversampled, and its peak between samples.
//!
//! # Source
//! Algorithm: ISCE2 components/mroipac/ampcor (after ROI_PAC). Joughin 2002, Ice-sheet velocity mapping: a combined
//! interferometric and speckle-tracking approach, Ann. Glaciol. 34, doi:10.3189/172756402781817978.

use super::fine::Fine;
use super::matching::{Chips, Match, WindowMatcher};
use super::ncc::Ncc;
use super::plane::{Plane, Rule, Signal};
use super::quality;
use super::reason::Reason;
use super::settings::AmpcorSettings;
use super::sinc::{SubsamplePeak, continuous_peak};
use super::surface::{Peak, Surface};

/// Matches windows with one set of parameters. Buffers and plans are made once.
pub struct Matcher {
    stages: Stages,
}

impl Matcher {
    /// `settings` must have been checked.
    pub fn new(settings: &AmpcorSettings, signal: Signal) -> Matcher {
        Matcher {
            stages: Stages::new(settings, Rule::of(signal)),
        }
    }

    /// The correlation of amplitudes at whole pixels.
    fn first(&mut self, chips: &Chips<'_>) -> Result<First, Reason> {
        let stages = &mut self.stages;
        stages.amplitudes(chips)?;
        let (a, b, least) = (&stages.reference, &stages.secondary, stages.settings.min_valid);
        if !stages.ncc.planes(a, b, least, &mut stages.surface) {
            return Err(Reason::LowSignal);
        }
        stages.first(|surface| (surface.rows, surface.cols))
    }

    fn second(&mut self, chips: &Chips<'_>, first: &First) -> Result<SubsamplePeak, Reason> {
        let stages = &mut self.stages;
        let peak = stages.second(chips, first)?;
        match stages.surface.is_border(&peak) {
            true => Err(Reason::Edge),
            false => Ok(stages.pixels(&peak, continuous_peak(&stages.surface, &peak))),
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
                let mut found = first.moved(&second);
                found.peak = second.value.min(1.0);
                let s = &self.stages.settings;
                found.held_to(s.snr_threshold, s.covariance_threshold)
            }
            Err(reason) => first.found.without_offset(reason),
        }
    }
}

/// The two correlations of a window, with what they work in. How a surface becomes a match is its caller's.
pub(super) struct Stages {
    pub settings: AmpcorSettings,
    rule: Rule,
    pub ncc: Ncc,
    /// Of the last correlation.
    pub surface: Surface,
    pub reference: Plane,
    pub secondary: Plane,
    fine_reference: Fine,
    fine_secondary: Fine,
}

/// What the first correlation finds.
pub(super) struct First {
    pub found: Match,
    /// The place of its peak in pixels of the search range.
    row: usize,
    col: usize,
}

impl First {
    /// The match with what the second correlation adds to it.
    pub fn moved(&self, second: &SubsamplePeak) -> Match {
        Match {
            dx: self.found.dx + second.x,
            dy: self.found.dy + second.y,
            ..self.found
        }
    }
}

impl Stages {
    pub fn new(settings: &AmpcorSettings, rule: Rule) -> Stages {
        let factor = settings.raw_oversampling;
        Stages {
            rule,
            ncc: Ncc::default(),
            surface: Surface::default(),
            reference: Plane::default(),
            secondary: Plane::default(),
            fine_reference: Fine::new(settings.window, factor),
            fine_secondary: Fine::new(settings.refined(), factor),
            settings: settings.clone(),
        }
    }

    /// Fills `reference` and `secondary` with what the first correlation takes: the window, and the search range.
    ///
    /// # Errors
    /// `Nodata` where too few pixels are valid.
    pub fn amplitudes(&mut self, chips: &Chips<'_>) -> Result<(), Reason> {
        let (s, rule) = (&self.settings, self.rule);
        let (window, margin, looks) = (s.window, s.refinement(), s.looks);
        let range = window.grow(s.search);
        let reference = chips.reference.chunks_exact(window.cols);
        let secondary = chips
            .secondary
            .chunks_exact(s.chip().cols)
            .skip(margin)
            .take(range.rows)
            .map(|row| &row[margin..margin + range.cols]);
        let counts = [
            (rule.fill(reference, window, &mut self.reference), window),
            (rule.fill(secondary, range, &mut self.secondary), range),
        ];
        for (count, extent) in counts {
            if (count as f64) < s.min_valid * extent.len() as f64 {
                return Err(Reason::Nodata);
            }
        }
        if looks.len() > 1 {
            self.reference.average(looks);
            self.secondary.average(looks);
        }
        Ok(())
    }

    /// What the surface of the amplitudes says; `last` tells how many of its rows and columns count as noise.
    ///
    /// # Errors
    /// As `Surface::clear_peak`; `Flat` where its peak does not curve.
    pub fn first(&self, last: impl Fn(&Surface) -> (usize, usize)) -> Result<First, Reason> {
        let (s, surface) = (&self.settings, &self.surface);
        let peak = surface.clear_peak()?;
        let pixels = self.reference.extent.len() as f64;
        let covariance = quality::covariance(surface, &peak, pixels).ok_or(Reason::Flat)?;
        let (lx, ly) = (s.looks.cols as f64, s.looks.rows as f64);
        let found = Match {
            dx: peak.col as f64 * lx - s.search.cols as f64,
            dy: peak.row as f64 * ly - s.search.rows as f64,
            snr: quality::snr(surface, &peak, s.statistics_reach, last(surface)),
            cov_xx: covariance.xx * lx * lx,
            cov_yy: covariance.yy * ly * ly,
            cov_xy: covariance.xy * lx * ly,
            peak: peak.value,
            reason: Reason::Ok,
        };
        Ok(First {
            found,
            row: peak.row * s.looks.rows,
            col: peak.col * s.looks.cols,
        })
    }

    /// The peak of the correlation of the oversampled chips around that of the first one.
    ///
    /// # Errors
    /// `LowSignal` where nothing is defined.
    pub fn second(&mut self, chips: &Chips<'_>, first: &First) -> Result<Peak, Reason> {
        let (s, rule) = (&self.settings, self.rule);
        let (chip, around) = (s.chip(), s.refined());
        let reference = chips.reference.chunks_exact(s.window.cols);
        self.fine_reference.run(reference, rule, s.deramp, true);
        let secondary = chips
            .secondary
            .chunks_exact(chip.cols)
            .skip(first.row)
            .take(around.rows)
            .map(|row| &row[first.col..first.col + around.cols]);
        self.fine_secondary.run(secondary, rule, s.deramp, true);
        let (a, b) = (&self.fine_reference.plane, &self.fine_secondary.plane);
        if !self.ncc.planes(a, b, s.min_valid, &mut self.surface) {
            return Err(Reason::LowSignal);
        }
        self.surface.peak().ok_or(Reason::LowSignal)
    }

    /// A peak of the second surface as pixels from the first peak.
    pub fn pixels(&self, peak: &Peak, between: SubsamplePeak) -> SubsamplePeak {
        let (factor, margin) = (
            self.settings.raw_oversampling as f64,
            self.settings.refinement() as f64,
        );
        let pixels = |at: usize, between: f64| (at as f64 + between) / factor - margin;
        SubsamplePeak {
            x: pixels(peak.col, between.x),
            y: pixels(peak.row, between.y),
            value: between.value,
        }
    }
}
