//! Resampling onto another grid, in the same CRS or another.
//!
//! Bilinear and cubic (Keys 1981, a = −1/2) widen their kernels when the target's pixels are larger than the
//! source's, so that nothing aliases. Average, mode, minimum, maximum and median look at every source pixel that the
//! target pixel covers; average and mode weight them by the covered share. Masked source pixels drop out and the other
//! weights are rescaled; where less than half of the weight is left, the result is masked.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, s};

use super::describe::{Described, Description, Site, from_json, to_json};
use super::mapping::{Mapping, Rectangles};
use super::operation::Operation;
pub use super::resample::Resampling;
use super::resample::{Blend, HAIR, Lines, Sample, interpolate, shares};
use super::{Bounds, Grid, Kind, Pixels, PixelsView, View, Window};
use crate::described;
use crate::error::{Choice, Result};
use serde_json::Value as Json;

pub struct Warp {
    method: Resampling,
    mapping: Mapping,
    /// Source pixels per target pixel, at least 1: how far the kernels are widened (cols, rows).
    stretch: (f64, f64),
}

impl Warp {
    /// # Errors
    /// As `Mapping::new`.
    pub(super) fn new(source: &Arc<Grid>, target: &Arc<Grid>, method: Resampling) -> Result<Warp> {
        let mapping = Mapping::new(source, target)?;
        let (cols, rows) = mapping.scale();
        // A hair above 1 is rounding, not downsampling.
        let widened = |s: f64| if s < 1.0 + 1e-6 { 1.0 } else { s };
        Ok(Warp {
            method,
            mapping,
            stretch: (widened(cols), widened(rows)),
        })
    }

    /// Whether the method looks at all that a target pixel covers.
    fn takes_footprints(&self) -> bool {
        !matches!(
            self.method,
            Resampling::Nearest | Resampling::Bilinear | Resampling::Cubic
        )
    }

    /// How far beyond the mapped window the kernel reaches, in source pixels (cols, rows).
    fn reach(&self) -> (f64, f64) {
        match self.method {
            Resampling::Nearest => (1.0, 1.0),
            Resampling::Bilinear => (self.stretch.0 + 1.0, self.stretch.1 + 1.0),
            Resampling::Cubic => (2.0 * self.stretch.0 + 1.0, 2.0 * self.stretch.1 + 1.0),
            _ => (1.0, 1.0),
        }
    }
}

impl Described for Warp {
    const NAME: &'static str = "raster.align";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&self.method)
    }

    fn again(parameters: &Json, site: &Site) -> Result<Warp> {
        let source = site.only_input()?;
        Warp::new(&source.node.grid, site.grid, from_json(Self::NAME, parameters)?)
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(1).map(drop)
    }
}

described!(Warp, Tiles);

impl Operation for Warp {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("align({})", self.method.name())
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        let kind = inputs.first().copied().unwrap_or(Kind::F32);
        // What is between whole numbers is none.
        if self.method.keeps_values() {
            kind
        } else {
            kind.floating()
        }
    }

    fn keeps_values(&self) -> bool {
        self.method.keeps_values()
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        self.mapping
            .source_window_of(out, self.reach(), self.takes_footprints())
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let source = &inputs[0];
        let window = source.window;
        Ok(vec![match &source.pixels {
            PixelsView::I128(a) if self.method.keeps_values() => {
                Pixels::I128(self.chosen(out, window, a.view()))
            }
            PixelsView::I128(_) => Pixels::F64(self.warp(out, window, source.f64().view())),
            PixelsView::F32(a) => Pixels::F32(self.warp(out, window, a.view())),
            PixelsView::F64(a) => Pixels::F64(self.warp(out, window, a.view())),
            PixelsView::C32(a) => Pixels::C32(self.warp(out, window, a.view())),
        }])
    }
}

impl Warp {
    fn warp<T: Blend>(&self, out: Window, window: Window, source: ArrayView2<T>) -> Array2<T> {
        let lines = Lines::new(window, &source);
        match self.method {
            Resampling::Average => {
                let mut result = Array2::from_elem((out.rows, out.cols), T::MASKED);
                let mut values = Vec::new();
                self.of_footprints(out, window, |row, col, rectangles| {
                    let mut part = result.slice_mut(s![row, col..col + rectangles.len()]);
                    let Some(part) = part.as_slice_mut() else { return };
                    lines.cover(rectangles, part);
                    for (i, pixel) in part.iter_mut().enumerate() {
                        if pixel.is_masked()
                            && let Some(b) = rectangles.get(i)
                        {
                            *pixel = self.covered(b, window, &source, &mut values);
                        }
                    }
                });
                result
            }
            Resampling::Bilinear | Resampling::Cubic => {
                let mut result = Array2::from_elem((out.rows, out.cols), T::MASKED);
                let mut inside = Vec::new();
                self.of_centres(out, window, |row, col, xs, ys| {
                    inside.clear();
                    inside.extend(xs.iter().map(|&x| self.mapping.columns().inside(x)));
                    let mut part = result.slice_mut(s![row, col..col + xs.len()]);
                    let Some(part) = part.as_slice_mut() else { return };
                    lines.interpolate(self.method, self.stretch, (&inside, ys), part);
                    for ((pixel, &x), &y) in part.iter_mut().zip(&inside).zip(ys) {
                        if pixel.is_masked() {
                            *pixel = self.interpolated(x, y, window, &source);
                        }
                    }
                });
                result
            }
            _ => self.chosen(out, window, source),
        }
    }

    /// By a method that asks no sums of its pixels.
    fn chosen<T: Sample>(&self, out: Window, window: Window, source: ArrayView2<T>) -> Array2<T> {
        let mut result = Array2::from_elem((out.rows, out.cols), T::MASKED);
        if self.takes_footprints() {
            let mut values = Vec::new();
            self.of_footprints(out, window, |row, col, rectangles| {
                for i in 0..rectangles.len() {
                    if let Some(b) = rectangles.get(i) {
                        result[(row, col + i)] = self.covered(b, window, &source, &mut values);
                    }
                }
            });
            return result;
        }
        self.of_centres(out, window, |row, col, xs, ys| {
            for (i, (&x, &y)) in xs.iter().zip(ys).enumerate() {
                let x = self.mapping.columns().inside(x);
                result[(row, col + i)] = self.interpolated(x, y, window, &source);
            }
        });
        result
    }

    /// Visits parts of the rows of `out`, with the positions of their pixels, where there is anything to see.
    fn of_centres(&self, out: Window, source: Window, mut visit: impl FnMut(usize, usize, &[f64], &[f64])) {
        if !source.is_empty() {
            self.mapping.centres(out, &mut visit);
        }
    }

    fn of_footprints(&self, out: Window, source: Window, mut visit: impl FnMut(usize, usize, &Rectangles)) {
        if !source.is_empty() {
            self.mapping.footprints(out, &mut visit);
        }
    }

    /// The pixel of the source at (row, col), on the other side of the seam where longitudes run around.
    fn pixel<T: Sample>(&self, row: isize, col: isize, window: Window, source: &ArrayView2<T>) -> T {
        let Some(col) = self.mapping.columns().column(col) else {
            return T::MASKED;
        };
        let (r, c) = (row - window.row, col - window.col);
        if r < 0 || c < 0 || r >= window.rows as isize || c >= window.cols as isize {
            T::MASKED
        } else {
            source[(r as usize, c as usize)]
        }
    }

    /// At source pixel coordinates (x, y), corners at whole numbers.
    fn interpolated<T: Sample>(&self, x: f64, y: f64, window: Window, source: &ArrayView2<T>) -> T {
        let at = |row: isize, col: isize| self.pixel(row, col, window, source);
        let within = self.mapping.source_window();
        // A centre outside the source image has no value, whatever its neighbours.
        if !(x >= 0.0 && y >= 0.0 && x < within.cols as f64 && y < within.rows as f64) {
            return T::MASKED;
        }
        interpolate(self.method, (x, y), self.stretch, at)
    }

    /// Over the source pixels that the rectangle `b` (in source pixel coordinates) covers.
    fn covered<T: Sample>(
        &self,
        b: Bounds,
        window: Window,
        source: &ArrayView2<T>,
        values: &mut Vec<(T, f64)>,
    ) -> T {
        values.clear();
        let mut full = 0.0;
        for (row, wy) in shares(b.min_y, b.max_y) {
            for (col, wx) in shares(b.min_x, b.max_x) {
                let w = wy * wx;
                full += w;
                let value = self.pixel(row, col, window, source);
                if !value.is_masked() {
                    values.push((value, w));
                }
            }
        }
        let weight: f64 = values.iter().map(|v| v.1).sum();
        if values.is_empty() || weight < 0.5 * full {
            return T::MASKED;
        }
        match self.method {
            Resampling::Average => {
                let mut sum = T::Sum::default();
                values.iter().for_each(|(v, w)| v.add_to(&mut sum, *w));
                T::of_sum(&sum, weight)
            }
            Resampling::Minimum => pick(values, |a, b| a.order(b).is_lt()),
            Resampling::Maximum => pick(values, |a, b| a.order(b).is_gt()),
            Resampling::Median => {
                values.sort_by(|a, b| a.0.order(&b.0));
                let (low, high) = (values[(values.len() - 1) / 2].0, values[values.len() / 2].0);
                let mut sum = T::Sum::default();
                low.add_to(&mut sum, 1.0);
                high.add_to(&mut sum, 1.0);
                T::of_sum(&sum, 2.0)
            }
            // Mode: the value that covers most; of equals the smallest.
            _ => {
                values.sort_by(|a, b| a.0.order(&b.0));
                let (mut best, mut best_weight) = (values[0].0, 0.0);
                for group in values.chunk_by(|a, b| a.0.order(&b.0).is_eq()) {
                    let w: f64 = group.iter().map(|v| v.1).sum();
                    if w > best_weight + HAIR {
                        (best, best_weight) = (group[0].0, w);
                    }
                }
                best
            }
        }
    }
}

fn pick<T: Sample>(values: &[(T, f64)], better: impl Fn(&T, &T) -> bool) -> T {
    let mut best = values[0].0;
    for (v, _) in &values[1..] {
        if better(v, &best) {
            best = *v;
        }
    }
    best
}
