//! The offset of one window by amplitude correlation, as ROI_PAC's and ISCE2's ampcor find it: a first correlation of
//! amplitudes at whole pixels, a second one of both chips oversampled, and its peak between samples.
//!
//! # Source
//! Algorithm: ISCE2 components/mroipac/ampcor (after ROI_PAC). Joughin 2002, Ice-sheet velocity mapping: a combined
//! interferometric and speckle-tracking approach, Ann. Glaciol. 34, doi:10.3189/172756402781817978.

use num_complex::Complex32;

use super::fine::Fine;
use super::isce2;
use super::method::{Chips, Match, WindowMatcher};
use super::ncc::Ncc;
use super::plane::{Plane, Rule, Signal};
use super::quality;
use super::reason::Reason;
use super::settings::{AmpcorSettings, Parity};
use super::sinc::{LatticePeak, SubsamplePeak, continuous_peak};
use super::surface::Surface;

/// Matches windows with one set of parameters. Buffers and plans are made once.
pub struct Matcher {
    settings: AmpcorSettings,
    rule: Rule,
    ncc: Ncc,
    surface: Surface,
    reference: Plane,
    secondary: Plane,
    fine_reference: Fine,
    fine_secondary: Fine,
    lattice: Option<LatticePeak>,
}

impl Matcher {
    /// `settings` must have been checked.
    pub fn new(settings: &AmpcorSettings, signal: Signal) -> Matcher {
        let (window, factor) = (settings.window, settings.raw_oversampling);
        let isce2 = settings.parity == Parity::Isce2;
        Matcher {
            rule: Rule { signal, isce2 },
            ncc: Ncc::default(),
            surface: Surface::default(),
            reference: Plane::default(),
            secondary: Plane::default(),
            fine_reference: Fine::new(window, factor),
            fine_secondary: Fine::new(settings.refined(), factor),
            lattice: isce2.then(|| LatticePeak::new(settings.oversampling, settings.zoom)),
            settings: settings.clone(),
        }
    }

    fn find(&mut self, chips: Chips<'_>) -> Match {
        let (mut found, row, col) = match self.coarse(&chips) {
            Ok(coarse) => coarse,
            Err(reason) => return Match::failed(reason),
        };
        let refused = match self.fine(&chips, row, col) {
            Ok(fine) => {
                found.dx += fine.x;
                found.dy += fine.y;
                if !self.rule.isce2 {
                    found.peak = fine.value.min(1.0);
                }
                self.threshold(&found)
            }
            Err(reason) => Some(reason),
        };
        match refused {
            Some(reason) => found.without_offset(reason),
            None => found,
        }
    }

    /// Why a match is not good enough.
    fn threshold(&self, found: &Match) -> Option<Reason> {
        // ISCE2 compares the ratio of its second correlation too, which it fixes at 10.
        let snr = match self.rule.isce2 {
            true => found.snr.min(10.0),
            false => found.snr,
        };
        if snr <= self.settings.snr_threshold {
            return Some(Reason::LowSnr);
        }
        let limit = self.settings.covariance_threshold;
        (found.cov_xx >= limit || found.cov_yy >= limit).then_some(Reason::HighCovariance)
    }

    /// The correlation of amplitudes at whole pixels: the match so far, and the row and column of its peak in pixels of
    /// the search range.
    fn coarse(&mut self, chips: &Chips<'_>) -> Result<(Match, usize, usize), Reason> {
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
        let (a, b) = (&self.reference, &self.secondary);
        let defined = match rule.isce2 {
            true => isce2::surface(a.image(), b.image(), &mut self.ncc.box_sums, &mut self.surface),
            false => self.ncc.planes(a, b, s.min_valid, &mut self.surface),
        };
        if !defined {
            return Err(Reason::LowSignal);
        }
        let surface = &self.surface;
        let peak = surface.clear_peak()?;
        let last = match rule.isce2 {
            true => (surface.rows - 1, surface.cols - 1),
            false => (surface.rows, surface.cols),
        };
        let covariance = quality::covariance(surface, &peak, a.extent.len() as f64).ok_or(Reason::Flat)?;
        let (lx, ly) = (looks.cols as f64, looks.rows as f64);
        let found = Match {
            dx: peak.col as f64 * lx - s.search.cols as f64,
            dy: peak.row as f64 * ly - s.search.rows as f64,
            snr: quality::snr(surface, &peak, s.statistics_reach, last),
            cov_xx: covariance.xx * lx * lx,
            cov_yy: covariance.yy * ly * ly,
            cov_xy: covariance.xy * lx * ly,
            peak: peak.value,
            reason: Reason::Ok,
        };
        Ok((found, peak.row * looks.rows, peak.col * looks.cols))
    }

    /// The correlation of the oversampled chips around the first peak, at (row, col) of the search range: what it adds to
    /// the offset, in pixels.
    fn fine(&mut self, chips: &Chips<'_>, row: usize, col: usize) -> Result<SubsamplePeak, Reason> {
        let (s, rule) = (&self.settings, self.rule);
        let (window, margin, factor) = (s.window, s.refinement(), s.raw_oversampling);
        let (chip, around) = (s.chip(), s.refined());
        let reference = chips.reference.iter().copied();
        self.fine_reference.run(reference, rule, s.deramp, true);
        // ISCE2 keeps no rows beyond the search range, and takes the image's last column for empty.
        let (rows, cols) = match rule.isce2 {
            true => (
                margin..margin + window.rows + 2 * s.search.rows,
                0..chips.last_column.unwrap_or(chip.cols),
            ),
            false => (0..chip.rows, 0..chip.cols),
        };
        let secondary = (row..row + around.rows).flat_map(|r| {
            let (cols, known) = (cols.clone(), rows.contains(&r));
            (col..col + around.cols).map(move |c| match known && cols.contains(&c) {
                true => chips.secondary[r * chip.cols + c],
                false => Complex32::ZERO,
            })
        });
        self.fine_secondary.run(secondary, rule, s.deramp, true);
        let (a, b) = (&self.fine_reference.plane, &self.fine_secondary.plane);
        // ISCE2 leaves pixels that are 0 out of the reference's mean. Here there are none: what its transforms make of empty
        // pixels is all but 0, and counts.
        if !self.ncc.planes(a, b, s.min_valid, &mut self.surface) {
            return Err(Reason::LowSignal);
        }
        let peak = self.surface.peak().ok_or(Reason::LowSignal)?;
        if !rule.isce2 && self.surface.is_border(&peak) {
            return Err(Reason::Edge);
        }
        let between = match &mut self.lattice {
            Some(lattice) => {
                let (x, y) = lattice.refine(&self.surface, &peak);
                let value = peak.value;
                SubsamplePeak { x, y, value }
            }
            None => continuous_peak(&self.surface, &peak),
        };
        let pixels = |at: usize, between: f64| (at as f64 + between) / factor as f64 - margin as f64;
        Ok(SubsamplePeak {
            x: pixels(peak.col, between.x),
            y: pixels(peak.row, between.y),
            value: between.value,
        })
    }
}

impl WindowMatcher for Matcher {
    fn run(&mut self, chips: Chips<'_>) -> Match {
        self.find(chips)
    }
}
