//! Chips on a finer lattice, ready to be correlated.

use num_complex::Complex32;

use super::oversample::{Oversampler, deramp};
use super::plane::{Plane, Rule, Signal};
use super::settings::Extent;

/// Oversamples chips of one shape; plans and buffers are made once.
pub(super) struct Fine {
    oversampler: Oversampler,
    extent: Extent,
    factor: usize,
    chip: Vec<Complex32>,
    /// The last chip, `factor` times as fine.
    pub plane: Plane,
}

impl Fine {
    /// For chips that are `extent` large.
    pub fn new(extent: Extent, factor: usize) -> Fine {
        Fine {
            oversampler: Oversampler::new(extent.rows, extent.cols, factor),
            extent,
            factor,
            chip: Vec::new(),
            plane: Plane::default(),
        }
    }

    /// Fills `plane` from the rows of a chip and counts the valid ones; of complex chips with `ramped` the phase
    /// ramp is removed first, of real chips with `centred` the mean.
    pub fn run<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a [Complex32]>,
        rule: Rule,
        ramped: bool,
        centred: bool,
    ) -> usize {
        let (extent, factor) = (self.extent, self.factor);
        self.chip.clear();
        rows.for_each(|row| self.chip.extend_from_slice(row));
        let count = rule.count(&self.chip);
        let mut valid = Vec::new();
        if count < extent.len() {
            valid.extend(self.chip.iter().map(|z| rule.is_valid(*z)));
        }
        if centred && !rule.is_magnitude {
            // Without their mean, real chips do not end in a step that rings.
            let known = self.chip.iter().filter(|z| rule.is_valid(**z));
            let (sum, n) = known.fold((0f64, 0u32), |(sum, n), z| (sum + f64::from(z.re), n + 1));
            let mean = (sum / f64::from(n.max(1))) as f32;
            self.chip.iter_mut().for_each(|z| z.re -= mean);
        }
        for (z, _) in self.chip.iter_mut().zip(&valid).filter(|(_, valid)| !**valid) {
            *z = Complex32::ZERO;
        }
        if ramped && rule.signal == Signal::Complex {
            deramp(&mut self.chip, extent.cols);
        }
        self.plane.extent = Extent::new(extent.rows * factor, extent.cols * factor);
        self.oversampler
            .run(&self.chip, rule.measure(), &mut self.plane.values);
        self.plane.valid.clear();
        if !valid.is_empty() && rule.masks {
            self.plane.refine_mask(&valid, extent.cols, factor);
        }
        count
    }
}
