//! What an amplitude correlation is asked to do, checked.

use serde::{Deserialize, Serialize};

use super::matching::Match;
use crate::error::{Choice, Domain, Error, Result};

/// Pixels down and across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Extent {
    pub rows: usize,
    pub cols: usize,
}

impl Extent {
    pub fn new(rows: usize, cols: usize) -> Extent {
        Extent { rows, cols }
    }

    pub fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// With `by` more on every side.
    pub fn grow(&self, by: Extent) -> Extent {
        Extent::new(self.rows + 2 * by.rows, self.cols + 2 * by.cols)
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0 || self.cols == 0
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.rows == self.cols {
            true => write!(f, "{}", self.rows),
            false => write!(f, "{{ {}, {} }}", self.rows, self.cols),
        }
    }
}

/// What the simpler ways of matching are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Of the reference, in pixels; even.
    pub window: Extent,
    /// How far the offset may lie from the gross offset, in pixels in each direction; even.
    pub search: Extent,
    /// Share of the pixels that must be valid.
    pub min_valid: f64,
    /// How far from its peak the surface counts in the signal-to-noise ratio, in pixels.
    pub statistics_reach: usize,
    pub snr_threshold: f64,
    /// In squared pixels.
    pub covariance_threshold: f64,
}

impl Search {
    pub fn new(window: Extent, search: Extent) -> Search {
        Search {
            window,
            search,
            min_valid: 0.9,
            statistics_reach: 10,
            snr_threshold: 0.0,
            covariance_threshold: f64::INFINITY,
        }
    }

    /// What is read of the secondary image for one window.
    pub fn chip(&self) -> Extent {
        self.window.grow(self.search)
    }

    /// # Errors
    /// The first parameter that cannot be used, with what it must be.
    pub fn check(&self) -> Result<()> {
        AmpcorSettings {
            min_valid: self.min_valid,
            statistics_reach: self.statistics_reach,
            snr_threshold: self.snr_threshold,
            covariance_threshold: self.covariance_threshold,
            ..AmpcorSettings::new(self.window, self.search)
        }
        .check()
    }

    /// `found`, without its offset where a threshold refuses it.
    pub(super) fn refuse(&self, found: Match) -> Match {
        found.held_to(self.snr_threshold, self.covariance_threshold)
    }
}

/// Whose numbers are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// Ours: the method of ampcor without its accidents.
    None,
    /// Those of ISCE2's ampcor, accidents included.
    Isce2,
}

/// Nothing names `None`: it is what is left out.
impl Choice for Parity {
    const ALL: &'static [(&'static str, Self)] = &[("isce2", Parity::Isce2)];
}

/// The parameters of `ampcor`. `check` says whether they can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AmpcorSettings {
    pub parity: Parity,
    /// Of the reference, in pixels; even.
    pub window: Extent,
    /// How far the offset may lie from the gross offset, in pixels in each direction; even.
    pub search: Extent,
    /// How much finer the second correlation is than the pixels; a power of 2.
    pub raw_oversampling: usize,
    /// Steps a sample at which ISCE2 interpolates the second surface; a power of 2.
    pub oversampling: usize,
    /// Side of the part of the second surface that ISCE2 interpolates, in its samples; a power of 2.
    pub zoom: usize,
    /// How far from its peak the first surface counts in the signal-to-noise ratio, in pixels.
    pub statistics_reach: usize,
    /// Whether the phase ramp of complex chips is removed before they are oversampled.
    pub deramp: bool,
    /// Pixels averaged before the first correlation.
    pub looks: Extent,
    /// Share of the pixels of both windows that must be valid.
    pub min_valid: f64,
    pub snr_threshold: f64,
    /// In squared pixels.
    pub covariance_threshold: f64,
}

impl AmpcorSettings {
    pub fn new(window: Extent, search: Extent) -> AmpcorSettings {
        AmpcorSettings {
            parity: Parity::None,
            window,
            search,
            raw_oversampling: 2,
            oversampling: 16,
            zoom: 8,
            statistics_reach: 10,
            deramp: true,
            looks: Extent::new(1, 1),
            min_valid: 0.9,
            snr_threshold: 0.0,
            covariance_threshold: f64::INFINITY,
        }
    }

    /// How far the second correlation reaches around the peak of the first, in pixels.
    pub fn refinement(&self) -> usize {
        self.search.rows.min(self.search.cols).min(4)
    }

    /// The part of the secondary image that the second correlation takes.
    pub fn refined(&self) -> Extent {
        let margin = self.refinement();
        self.window.grow(Extent::new(margin, margin))
    }

    /// What is read of the secondary image for one window: the search range and, for the second correlation, as much
    /// again as `refinement` on every side.
    pub fn chip(&self) -> Extent {
        self.refined().grow(self.search)
    }

    /// # Errors
    /// The first parameter that cannot be used, with what it must be.
    pub fn check(&self) -> Result<()> {
        let demand = |holds: bool, name: &str, expected: &str, got: &dyn std::fmt::Display| match holds {
            true => Ok(()),
            false => Err(Error::argument(name, expected, got)),
        };
        WINDOW.check_extent("window", self.window)?;
        SEARCH.check_extent("search", self.search)?;
        RAW_OVERSAMPLING.check_count("raw_oversampling", self.raw_oversampling)?;
        OVERSAMPLING.check_count("oversampling", self.oversampling)?;
        ZOOM.check_count("zoom", self.zoom)?;
        let statistics_window = self.statistics_reach.saturating_mul(2).saturating_add(1);
        STATISTICS_WINDOW.check_count("statistics_window", statistics_window)?;
        LOOKS.check_extent("looks", self.looks)?;
        let divides =
            |e: Extent| e.rows.is_multiple_of(self.looks.rows) && e.cols.is_multiple_of(self.looks.cols);
        demand(
            divides(self.window) && divides(self.search),
            "looks",
            "a divisor of the window and of the search",
            &self.looks,
        )?;
        MIN_VALID.check("min_valid", self.min_valid)?;
        SNR_THRESHOLD.check("snr_threshold", self.snr_threshold)?;
        // Infinity is none.
        match self.covariance_threshold == f64::INFINITY {
            true => Ok(()),
            false => COVARIANCE_THRESHOLD
                .check("covariance_threshold", self.covariance_threshold)
                .map(drop),
        }
    }
}

pub const WINDOW: Domain = Domain::within(8.0, 4096.0).even().in_unit("pixels");
pub const SEARCH: Domain = Domain::within(2.0, 1024.0).even().in_unit("pixels");
pub const RAW_OVERSAMPLING: Domain = Domain::within(1.0, 8.0).power_of_two();
pub const OVERSAMPLING: Domain = Domain::within(2.0, 1024.0).power_of_two();
pub const ZOOM: Domain = Domain::within(8.0, 64.0).power_of_two();
pub const STATISTICS_WINDOW: Domain = Domain::within(3.0, 2049.0).odd().in_unit("pixels");
pub const LOOKS: Domain = Domain::within(1.0, 4.0);
pub const MIN_VALID: Domain = Domain::above(0.0).up_to(1.0);
pub const SNR_THRESHOLD: Domain = Domain::at_least(0.0);
pub const COVARIANCE_THRESHOLD: Domain = Domain::above(0.0).in_unit("squared pixels");

impl Domain {
    /// Both sides of an extent.
    fn check_extent(&self, name: &str, extent: Extent) -> Result<()> {
        match self.admit(extent.rows as f64) && self.admit(extent.cols as f64) {
            true => Ok(()),
            false => Err(Error::argument(name, self.expected("integer"), extent)),
        }
    }
}
