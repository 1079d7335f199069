//! Resampling onto another grid, in the same CRS or another.
//!
//! Bilinear and cubic (Keys 1981, a = −1/2) widen their kernels when the target's pixels are larger than the
//! source's, so that nothing aliases. Average, mode, minimum, maximum and median look at every source pixel that the
//! target pixel covers; average and mode weight them by the covered share. Masked source pixels drop out and the other
//! weights are rescaled; where less than half of the weight is left, the result is masked.

use std::cmp::Ordering;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::describe::{Described, Description, Site, from_json, to_json};
use super::mapping::Mapping;
use super::operation::Operation;
use super::tile::{MASKED_COMPLEX, MASKED_INTEGER, f64_to_integer};
use super::{Bounds, Grid, Kind, Pixels, PixelsView, View, Window};
use crate::described;
use crate::error::{Error, Result};
use serde_json::Value as Json;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resampling {
    Nearest,
    Bilinear,
    Cubic,
    Average,
    Mode,
    Minimum,
    Maximum,
    Median,
}

impl Resampling {
    pub const NAMES: [&'static str; 8] = [
        "nearest", "bilinear", "cubic", "average", "mode", "min", "max", "median",
    ];

    pub fn parse(name: &str) -> Result<Resampling> {
        use Resampling::*;
        let all = [Nearest, Bilinear, Cubic, Average, Mode, Minimum, Maximum, Median];
        let index = Self::NAMES.iter().position(|n| *n == name);
        index
            .map(|i| all[i])
            .ok_or_else(|| Error::not_found("resampling method", name, Self::NAMES))
    }

    /// Whether its results are values of the image, never something between them.
    pub fn keeps_values(self) -> bool {
        use Resampling::*;
        matches!(self, Nearest | Mode | Minimum | Maximum)
    }

    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

pub struct Warp {
    method: Resampling,
    mapping: Mapping,
    /// Source pixels per target pixel, at least 1: how far the kernels are widened (cols, rows).
    stretch: (f64, f64),
}

impl Warp {
    pub fn new(source: &Arc<Grid>, target: &Arc<Grid>, method: Resampling) -> Result<Warp> {
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
        let source = site.only_input(Self::NAME)?;
        Warp::new(&source.node.grid, site.grid, from_json(Self::NAME, parameters)?)
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

    fn scratch_bytes(&self, out: Window) -> usize {
        let position = match self.takes_footprints() {
            true => size_of::<Option<Bounds>>(),
            false => size_of::<(f64, f64)>(),
        };
        out.len().saturating_mul(position)
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let source = &inputs[0];
        Ok(vec![match &source.pixels {
            PixelsView::I128(a) if self.method.keeps_values() => {
                Pixels::I128(self.warp(out, source.window, a.view()))
            }
            PixelsView::I128(_) => Pixels::F64(self.warp(out, source.window, source.f64().view())),
            PixelsView::F32(a) => Pixels::F32(self.warp(out, source.window, a.view())),
            PixelsView::F64(a) => Pixels::F64(self.warp(out, source.window, a.view())),
            PixelsView::C32(a) => Pixels::C32(self.warp(out, source.window, a.view())),
        }])
    }
}

impl Warp {
    fn warp<T: Sample>(&self, out: Window, window: Window, source: ArrayView2<T>) -> Array2<T> {
        let mut result = Array2::from_elem((out.rows, out.cols), T::MASKED);
        if window.is_empty() {
            return result;
        }
        if self.takes_footprints() {
            let mut values: Vec<(T, f64)> = Vec::new();
            let footprints = self.mapping.footprints(out);
            for (pixel, footprint) in result.iter_mut().zip(&footprints) {
                if let Some(b) = footprint {
                    *pixel = self.covered(*b, window, &source, &mut values);
                }
            }
        } else {
            for (pixel, &(x, y)) in result.iter_mut().zip(&self.mapping.centres(out)) {
                if !x.is_nan() {
                    *pixel = self.interpolated(self.mapping.columns().inside(x), y, window, &source);
                }
            }
        }
        result
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
        let hair = 1e-9;
        let (r0, r1) = (
            (b.min_y + hair).floor() as isize,
            (b.max_y - hair).ceil() as isize,
        );
        let (c0, c1) = (
            (b.min_x + hair).floor() as isize,
            (b.max_x - hair).ceil() as isize,
        );
        let mut full = 0.0;
        let share = |low: f64, high: f64, i: isize| (high.min((i + 1) as f64) - low.max(i as f64)).max(0.0);
        for row in r0..r1.max(r0 + 1) {
            for col in c0..c1.max(c0 + 1) {
                let w = share(b.min_y, b.max_y, row) * share(b.min_x, b.max_x, col);
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
                    if w > best_weight + hair {
                        (best, best_weight) = (group[0].0, w);
                    }
                }
                best
            }
        }
    }
}

/// The value at pixel coordinates (x, y), corners at whole numbers, by `nearest`, `bilinear` or `cubic`, of pixels that `at` gives by
/// (row, col); kernels are widened by `stretch` (cols, rows).
pub fn interpolate<T: Sample>(
    method: Resampling,
    (x, y): (f64, f64),
    stretch: (f64, f64),
    at: impl Fn(isize, isize) -> T,
) -> T {
    let (kernel, half): (fn(f64) -> f64, f64) = match method {
        Resampling::Bilinear => (triangle, 1.0),
        Resampling::Cubic => (keys, 2.0),
        _ => return at(y.floor() as isize, x.floor() as isize),
    };
    let taps = |centre: f64, stretch: f64| {
        let (first, last) = (
            (centre - 0.5 - half * stretch).ceil(),
            (centre - 0.5 + half * stretch).floor(),
        );
        (first as isize, last as isize)
    };
    let (c0, c1) = taps(x, stretch.0);
    let (r0, r1) = taps(y, stretch.1);
    let (mut sum, mut weight, mut full) = (T::Sum::default(), 0.0, 0.0);
    for row in r0..=r1 {
        let wy = kernel((row as f64 + 0.5 - y) / stretch.1);
        if wy == 0.0 {
            continue;
        }
        for col in c0..=c1 {
            let w = wy * kernel((col as f64 + 0.5 - x) / stretch.0);
            full += w;
            let value = at(row, col);
            if w != 0.0 && !value.is_masked() {
                value.add_to(&mut sum, w);
                weight += w;
            }
        }
    }
    if weight < 0.5 * full || weight <= 0.0 {
        T::MASKED
    } else {
        T::of_sum(&sum, weight)
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

fn triangle(t: f64) -> f64 {
    (1.0 - t.abs()).max(0.0)
}

/// Cubic convolution with a = −1/2 (Keys 1981, doi:10.1109/TASSP.1981.1163711, equation 15).
fn keys(t: f64) -> f64 {
    let t = t.abs();
    if t <= 1.0 {
        (1.5 * t - 2.5) * t * t + 1.0
    } else if t < 2.0 {
        ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    } else {
        0.0
    }
}

/// A pixel that can be averaged.
pub trait Sample: Copy {
    const MASKED: Self;
    type Sum: Default;
    fn is_masked(self) -> bool;
    fn add_to(self, sum: &mut Self::Sum, weight: f64);
    fn of_sum(sum: &Self::Sum, weight: f64) -> Self;
    /// By the value, of complex ones by the magnitude.
    fn order(&self, other: &Self) -> Ordering;
}

macro_rules! real_sample {
    ($t:ty) => {
        impl Sample for $t {
            const MASKED: $t = <$t>::NAN;
            type Sum = f64;
            fn is_masked(self) -> bool {
                self.is_nan()
            }
            fn add_to(self, sum: &mut f64, weight: f64) {
                *sum += f64::from(self) * weight;
            }
            fn of_sum(sum: &f64, weight: f64) -> $t {
                (*sum / weight) as $t
            }
            fn order(&self, other: &$t) -> Ordering {
                // −0 and 0 are one value.
                self.partial_cmp(other).unwrap_or(Ordering::Equal)
            }
        }
    };
}
real_sample!(f32);
real_sample!(f64);

impl Sample for Complex32 {
    const MASKED: Complex32 = MASKED_COMPLEX;
    type Sum = (f64, f64);
    fn is_masked(self) -> bool {
        self.re.is_nan()
    }
    fn add_to(self, sum: &mut (f64, f64), weight: f64) {
        sum.0 += f64::from(self.re) * weight;
        sum.1 += f64::from(self.im) * weight;
    }
    fn of_sum(sum: &(f64, f64), weight: f64) -> Complex32 {
        Complex32::new((sum.0 / weight) as f32, (sum.1 / weight) as f32)
    }
    fn order(&self, other: &Complex32) -> Ordering {
        self.norm().total_cmp(&other.norm())
    }
}

/// Taken by the methods that choose; sums are for those that do not.
impl Sample for i128 {
    const MASKED: i128 = MASKED_INTEGER;
    type Sum = f64;
    fn is_masked(self) -> bool {
        self == MASKED_INTEGER
    }
    fn add_to(self, sum: &mut f64, weight: f64) {
        *sum += self as f64 * weight;
    }
    fn of_sum(sum: &f64, weight: f64) -> i128 {
        f64_to_integer(sum / weight)
    }
    fn order(&self, other: &i128) -> Ordering {
        self.cmp(other)
    }
}
