//! Parameters of the tracker, with the values of autoRIFT.

use serde::{Deserialize, Serialize};

use super::ndc::Coherence;
use crate::error::{Choice, Domain, Error, Result};

/// Widest chip: sums of products of larger ones would not fit 32 bits.
pub const LARGEST_CHIP: usize = 256;

/// What the coherence filter asks of nodes closer than a chip at the border of the grid and of what has values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// No more than of nodes a chip apart in the corner of a grid, so that a field that agrees with itself is kept whole.
    #[default]
    Kept,
    /// As many nodes as in the middle, as autoRIFT does: the denser the nodes, the wider the border that goes. (Chips of neighbours
    /// overlap and agree by themselves, so it asks for a larger share; nodes outside the grid never agree.)
    Autorift,
}

impl Choice for Border {
    const ALL: &'static [(&'static str, Self)] = &[("kept", Border::Kept), ("autorift", Border::Autorift)];
}

/// How a pair is tracked. Lengths are in pixels of the images unless they say nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// Distance of neighbouring nodes.
    pub spacing: usize,
    /// Smallest chip, and the unit of the larger ones: 1, 2, 4, … times this wide.
    pub chip: usize,
    /// Widest chip that is tried where narrower ones find nothing.
    pub chip_max: usize,
    /// Height of a chip over its width.
    pub chip_aspect: f64,
    /// Search limits above 0 are raised to this.
    pub search_min: usize,
    /// A first search visits every n-th chip's node each way; nodes far from what it finds are left out.
    pub sparse: usize,
    /// Less than this share of the sparse nodes found: a chip size is not tried any further.
    pub sparse_share: f64,
    /// Nodes of the sparse grid that may lie between what it found and a node that is searched.
    pub sparse_reach: f64,
    /// The coherence filter, for nodes a chip's width apart: side of its window, share that must agree, how much
    /// they may differ in search limits, iterations, median absolute deviations.
    pub filter_width: usize,
    pub filter_valid_share: f64,
    pub filter_search_share: f64,
    pub filter_iterations: usize,
    pub filter_deviations: f64,
    pub filter_border: Border,
    /// Side of the window of the medians that fill small holes, in nodes.
    pub fill_width: usize,
    /// Steps a pixel of the refinement, for each chip size from the smallest; the last holds for all further ones.
    pub oversampling: Vec<usize>,
    /// Share of a chip's pixels that must have a value, in both images.
    pub valid_share: f64,
}

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters {
            spacing: 32,
            chip: 32,
            chip_max: 64,
            chip_aspect: 1.0,
            search_min: 6,
            sparse: 4,
            sparse_share: 0.01,
            sparse_reach: 8.0,
            filter_width: 5,
            filter_valid_share: 8.0 / 25.0,
            filter_search_share: 0.2,
            filter_iterations: 3,
            filter_deviations: 4.0,
            filter_border: Border::Kept,
            fill_width: 3,
            oversampling: vec![16, 32, 64, 64],
            valid_share: 0.5,
        }
    }
}

pub const SPACING: Domain = Domain::at_least(2.0).even().in_unit("pixels");
pub const CHIP: Domain = Domain::within(4.0, LARGEST_CHIP as f64).multiple_of(4);
pub const CHIP_ASPECT: Domain = Domain::above(0.0).up_to(8.0);
pub const SEARCH_MIN: Domain = Domain::within(3.0, 1000.0);
pub const SPARSE: Domain = Domain::within(1.0, 64.0);
pub const SPARSE_SHARE: Domain = Domain::within(0.0, 1.0);
pub const SPARSE_REACH: Domain = Domain::above(0.0).up_to(1e4);
/// Sides of windows of nodes.
pub const NODES: Domain = Domain::within(3.0, 99.0).odd().in_unit("nodes");
pub const SHARE: Domain = Domain::above(0.0).up_to(1.0);
pub const FILTER_SEARCH_SHARE: Domain = Domain::above(0.0).up_to(2.0);
pub const FILTER_ITERATIONS: Domain = Domain::within(1.0, 100.0);
pub const FILTER_DEVIATIONS: Domain = Domain::above(0.0).up_to(1e6);
pub const OVERSAMPLING: Domain = Domain::within(1.0, 128.0).power_of_two();

impl Parameters {
    /// # Errors
    /// Sizes that do not fit each other, each with what would.
    pub fn check(&self) -> Result<()> {
        CHIP.check_count("chip", self.chip)?;
        SPACING.check_count("spacing", self.spacing)?;
        let times = self.chip_max / self.chip;
        if !self.chip_max.is_multiple_of(self.chip)
            || !times.is_power_of_two()
            || self.chip_max > LARGEST_CHIP
        {
            let sizes: Vec<String> = (0..7)
                .map(|k| self.chip << k)
                .filter(|&c| c <= LARGEST_CHIP)
                .map(|c| c.to_string())
                .collect();
            let expected = format!("one of {}: the smallest chip doubled", sizes.join(", "));
            return Err(Error::argument("chip_max", expected, self.chip_max));
        }
        if self.spacing < self.chip && !self.chip.is_multiple_of(self.spacing) {
            let expected = format!("a divisor of the chip, {} px, or at least that", self.chip);
            return Err(Error::argument("spacing", expected, self.spacing));
        }
        CHIP_ASPECT.check("chip_aspect", self.chip_aspect)?;
        let tallest = self.height(self.chip_max);
        if self.height(self.chip) < 4 || tallest > LARGEST_CHIP {
            let expected = format!("a ratio with chips of 4 to {LARGEST_CHIP} px high");
            return Err(Error::argument("chip_aspect", expected, self.chip_aspect));
        }
        SHARE.check("min_valid", self.valid_share)?;
        SHARE.check("filter_valid_share", self.filter_valid_share)?;
        FILTER_SEARCH_SHARE.check("filter_search_share", self.filter_search_share)?;
        FILTER_DEVIATIONS.check("filter_deviations", self.filter_deviations)?;
        SPARSE_SHARE.check("sparse_share", self.sparse_share)?;
        SPARSE_REACH.check("sparse_reach", self.sparse_reach)?;
        NODES.check_count("filter_width", self.filter_width)?;
        NODES.check_count("fill_width", self.fill_width)?;
        SEARCH_MIN.check_count("search_min", self.search_min)?;
        SPARSE.check_count("sparse", self.sparse)?;
        FILTER_ITERATIONS.check_count("filter_iterations", self.filter_iterations)?;
        if self.oversampling.is_empty() {
            return Err(Error::argument("oversampling", "at least one number", "none"));
        }
        for &value in &self.oversampling {
            OVERSAMPLING.check_count("oversampling", value)?;
        }
        Ok(())
    }

    /// The widest chip that a chip of this width grows to.
    pub fn largest(chip: usize) -> usize {
        let mut widest = chip.max(1);
        while 2 * widest <= LARGEST_CHIP {
            widest *= 2;
        }
        widest
    }

    /// Height of a chip of this width: even.
    pub fn height(&self, width: usize) -> usize {
        2 * (width as f64 * self.chip_aspect / 2.0).round() as usize
    }

    /// Nodes in the width of the smallest chip.
    pub fn density(&self) -> usize {
        (self.chip / self.spacing).max(1)
    }

    /// The widths of chips, from the smallest: the chip's times 1, 2, 4, …
    pub fn chips(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..)
            .map(|k| (1usize << k, self.chip << k))
            .take_while(|&(_, chip)| chip <= self.chip_max)
    }

    /// Steps a pixel for the chip `scale` times the smallest.
    pub fn oversampling(&self, scale: usize) -> usize {
        let level = scale.ilog2() as usize;
        let last = self.oversampling.last().copied().unwrap_or(1);
        self.oversampling.get(level).copied().unwrap_or(last)
    }

    /// The coherence filter on the sparse nodes, or on all of them.
    pub fn coherence(&self, sparse: bool, scale: usize) -> Coherence {
        let kept = self.filter_border == Border::Kept;
        // Sparse nodes are chips apart, however dense the others are.
        let nodes = if sparse && kept { 1 } else { self.density() };
        let density = nodes as f64;
        let overlap = if sparse {
            (1.0 - self.sparse as f64 / density).max(0.0)
        } else {
            1.0 - 1.0 / density
        };
        let iterations = if sparse {
            self.filter_iterations.saturating_sub(1)
        } else {
            self.filter_iterations
        };
        let width = (self.filter_width - 1) * nodes + 1;
        let valid_share = (self.filter_valid_share * (1.0 - overlap) + overlap * overlap) as f32;
        // Of the nodes of a window in the corner of the grid, as many as of nodes a chip apart.
        let corner = |width: usize| (width.div_ceil(2) * width.div_ceil(2)) as f64;
        let asked = self.filter_valid_share * (self.filter_width * self.filter_width) as f64;
        let share = (asked / corner(self.filter_width)).min(1.0);
        Coherence {
            width,
            enough: valid_share * (width * width) as f32,
            of_matched: kept.then_some((share as f32, (share * corner(width)) as f32)),
            search_share: self.filter_search_share as f32,
            iterations,
            deviations: self.filter_deviations as f32,
            step: 1.0 / self.oversampling(scale) as f32,
        }
    }
}
