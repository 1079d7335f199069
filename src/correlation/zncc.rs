//! Plain normalised cross-correlation of one window, and its peak between pixels.

use super::fine::Fine;
use super::matching::{Chips, Match, WindowMatcher};
use super::ncc::Ncc;
use super::plane::{Rule, Signal};
use super::quality;
use super::reason::Reason;
use super::settings::{Extent, Search};
use super::sinc::{SubsamplePeak, continuous_peak};
use super::surface::{Peak, Surface};
use crate::error::Choice;
use serde::{Deserialize, Serialize};

/// How the peak is found between pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeakFit {
    /// Parabolas through three pixels across and down.
    Parabola,
    /// The maximum of the windowed-sinc interpolation.
    Sinc,
}

impl Choice for PeakFit {
    const ALL: &'static [(&'static str, Self)] = &[("sinc", PeakFit::Sinc), ("parabola", PeakFit::Parabola)];
}

/// The parameters of `ncc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NccSettings {
    pub common: Search,
    /// Whether the means are removed under every shift (ZNCC), which makes the correlation blind to brightness.
    pub zero_mean: bool,
    pub peak: PeakFit,
}

impl NccSettings {
    /// How far shifts are correlated: the sinc needs four more than are searched, on every side.
    fn reach(&self) -> Extent {
        let margin = if self.peak == PeakFit::Sinc { 4 } else { 0 };
        let search = self.common.search;
        Extent::new(search.rows + margin, search.cols + margin)
    }

    /// What is read of the secondary image for one window.
    pub fn chip(&self) -> Extent {
        self.common.window.grow(self.reach())
    }
}

/// Matches windows by one correlation at whole pixels. Complex images are oversampled by two before their magnitudes are
/// taken, which have twice their bandwidth, and correlated at half pixels.
pub struct NccMatcher {
    settings: NccSettings,
    rule: Rule,
    factor: usize,
    ncc: Ncc,
    surface: Surface,
    reference: Fine,
    secondary: Fine,
}

impl NccMatcher {
    pub fn new(settings: &NccSettings, signal: Signal) -> NccMatcher {
        let factor = if signal == Signal::Complex { 2 } else { 1 };
        NccMatcher {
            rule: Rule::of(signal),
            factor,
            ncc: Ncc::default(),
            surface: Surface::default(),
            reference: Fine::new(settings.common.window, factor),
            secondary: Fine::new(settings.chip(), factor),
            settings: settings.clone(),
        }
    }

    fn find(&mut self, chips: Chips<'_>) -> Result<Match, Reason> {
        let (s, rule) = (&self.settings.common, self.rule);
        let centred = self.settings.zero_mean;
        let counts = [
            (
                self.reference
                    .run(std::iter::once(chips.reference), rule, true, centred),
                s.window,
            ),
            (
                self.secondary
                    .run(std::iter::once(chips.secondary), rule, true, centred),
                self.settings.chip(),
            ),
        ];
        if counts
            .iter()
            .any(|(n, extent)| (*n as f64) < s.min_valid * extent.len() as f64)
        {
            return Err(Reason::Nodata);
        }
        let (a, b) = (&self.reference.plane, &self.secondary.plane);
        let defined = match centred {
            true => self.ncc.planes(a, b, s.min_valid, &mut self.surface),
            false => self.ncc.with_means(a, b, s.min_valid, &mut self.surface),
        };
        if !defined {
            return Err(Reason::LowSignal);
        }
        let surface = &self.surface;
        let peak = surface.clear_peak()?;
        let reach = self.settings.reach();
        let within =
            |at: usize, reach: usize, search: usize| at.abs_diff(reach * self.factor) < search * self.factor;
        if !within(peak.row, reach.rows, s.search.rows) || !within(peak.col, reach.cols, s.search.cols) {
            return Err(Reason::Edge);
        }
        let between = match self.settings.peak {
            PeakFit::Parabola => parabola(surface, &peak),
            PeakFit::Sinc => continuous_peak(surface, &peak),
        };
        let (step, all) = (1.0 / self.factor as f64, (surface.rows, surface.cols));
        let pixels = s.window.len() as f64;
        let covariance = quality::covariance(surface, &peak, pixels).ok_or(Reason::Flat)?;
        let around = s.statistics_reach * self.factor;
        Ok(Match {
            dx: (peak.col as f64 + between.x) * step - reach.cols as f64,
            dy: (peak.row as f64 + between.y) * step - reach.rows as f64,
            snr: quality::snr(surface, &peak, around, all),
            cov_xx: covariance.xx * step * step,
            cov_yy: covariance.yy * step * step,
            cov_xy: covariance.xy * step * step,
            peak: between.value.min(1.0),
            reason: Reason::Ok,
        })
    }
}

impl WindowMatcher for NccMatcher {
    fn run(&mut self, chips: Chips<'_>) -> Match {
        match self.find(chips) {
            Ok(found) => self.settings.common.refuse(found),
            Err(reason) => Match::failed(reason),
        }
    }
}

/// The tops of the parabolas through the peak and its two neighbours, across and down. The peak must not lie on the border.
fn parabola(surface: &Surface, peak: &Peak) -> SubsamplePeak {
    let top = |before: f64, at: f64, after: f64| {
        let bend = before - 2.0 * at + after;
        match bend < 0.0 {
            true => (
                (before - after) / (2.0 * bend),
                -(after - before).powi(2) / (8.0 * bend),
            ),
            false => (0.0, 0.0),
        }
    };
    let (row, col, c) = (peak.row, peak.col, peak.value);
    let (x, above_x) = top(surface.at(row, col - 1), c, surface.at(row, col + 1));
    let (y, above_y) = top(surface.at(row - 1, col), c, surface.at(row + 1, col));
    SubsamplePeak {
        x,
        y,
        value: c + above_x + above_y,
    }
}
