//! Where the windows of a lattice lie along one axis of an image.
//!
//! Windows are anchored at the first pixel of the image and lie `step` pixels apart. The last one is moved back so that it ends where the
//! image does, or where the next whole stride does: beyond the image, and in images smaller than a window, pixels count as masked ones.

use std::ops::Range;

use crate::error::{Choice, Error, Result};

/// What a network makes of a window along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A pixel for every `scale` pixels, but for `margin` pixels at either end, which it uses up.
    Pixels { scale: usize, margin: usize },
    /// One value for the whole window.
    One,
}

/// What windows along an axis are asked to be, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spacing {
    pub window: usize,
    pub overlap: usize,
    /// Windows begin at multiples of it.
    pub stride: usize,
    /// False where a network takes windows of this size alone: else images that are smaller are one window.
    pub can_shrink: bool,
}

/// See the module. Cells are the pixels of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of a window.
    pub window: usize,
    /// Pixels of the image for a cell.
    pub scale: usize,
    /// Cells of the output.
    pub cells: usize,
    /// Windows.
    pub count: usize,
    margin: usize,
    /// Cells that a window gives.
    inner: usize,
    /// Pixels from one window to the next.
    step: usize,
    /// Where the last one begins, counted from its first cell.
    last: usize,
}

impl Axis {
    /// # Errors
    /// A window that is no multiple of the stride; an overlap that leaves no step, or less than the network uses up.
    pub fn new(size: usize, spacing: Spacing, reach: Reach) -> Result<Axis> {
        let Spacing {
            window,
            overlap,
            stride,
            can_shrink,
        } = spacing;
        let (scale, margin) = match reach {
            Reach::Pixels { scale, margin } => (scale, margin),
            Reach::One => (1, 0),
        };
        let stride = least_common_multiple(stride.max(1), scale.max(1));
        let wrong = |expected: String| {
            Err(Error::argument(
                "tile and overlap",
                expected,
                format!("{window} and {overlap}"),
            ))
        };
        if window <= 2 * margin || !(window - 2 * margin).is_multiple_of(stride) {
            return wrong(match margin {
                0 => format!("a tile that is a multiple of the network's stride of {stride} pixels"),
                _ => format!(
                    "a tile that is {} pixels and a multiple of {stride} more",
                    2 * margin
                ),
            });
        }
        if overlap < 2 * margin {
            return wrong(format!(
                "an overlap of at least {} pixels, since the network uses up {margin} at each side",
                2 * margin
            ));
        }
        let step = window.saturating_sub(overlap) / stride * stride;
        if step == 0 {
            return wrong(format!(
                "an overlap that is at least {stride} pixels smaller than the tile"
            ));
        }
        if reach == Reach::One {
            let count = 1 + size.saturating_sub(window).div_ceil(step);
            return Ok(Axis {
                window,
                scale: step,
                cells: count,
                count,
                margin: 0,
                inner: 1,
                step,
                last: (count - 1) * step,
            });
        }
        let padded = size.next_multiple_of(stride);
        let inner = match can_shrink {
            true => (window - 2 * margin).min(padded),
            false => window - 2 * margin,
        };
        let last = padded.saturating_sub(inner);
        Ok(Axis {
            window: inner + 2 * margin,
            scale,
            cells: size.div_ceil(scale),
            count: 1 + last.div_ceil(step),
            margin,
            inner: inner / scale,
            step,
            last,
        })
    }

    fn start(&self, index: usize) -> usize {
        (index * self.step).min(self.last)
    }

    /// The first pixel of a window; some may lie before the image, where the network uses up a margin.
    pub fn origin(&self, index: usize) -> isize {
        self.start(index) as isize - self.margin as isize
    }

    /// The cells that a window gives, without those beyond the image. The first of them is the first that the network gives.
    pub fn covers(&self, index: usize) -> Range<usize> {
        let first = self.start(index) / self.scale;
        first..(first + self.inner).min(self.cells)
    }

    /// Cells from the middle of the window to that of the image's first cell, doubled to be whole.
    fn centre(&self, index: usize) -> usize {
        2 * (self.start(index) / self.scale) + self.inner
    }

    /// The windows that give one of these cells.
    pub fn touching(&self, cells: &Range<usize>) -> Range<usize> {
        // Counted, never listed: an image may have 2⁵⁰ of them.
        let first = self.first_where(|index| self.covers(index).end > cells.start);
        let end = self.first_where(|index| self.covers(index).start >= cells.end);
        first..end.max(first)
    }

    /// The first window of which this is true, as of all after it.
    fn first_where(&self, is_true: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match is_true(middle) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        low
    }

    /// How much of each cell is made of a window; the weights of a cell have the sum 1 over all windows, but for `max`.
    pub fn share(&self, index: usize, blend: Blend) -> Share {
        let own = self.covers(index);
        let others = self.touching(&own);
        let weight = |index: usize, cell: usize| match blend {
            Blend::Hann => {
                let at = (cell - self.covers(index).start) as f64 + 0.5;
                (std::f64::consts::PI * at / self.inner as f64).sin().powi(2)
            }
            Blend::Mean | Blend::Max => 1.0,
            Blend::Crop => f64::from(u8::from(self.owner(cell) == index)),
        };
        let part = |cell: usize| {
            let of_all = || {
                let covering = others.clone().filter(|other| self.covers(*other).contains(&cell));
                covering.map(|other| weight(other, cell)).sum::<f64>()
            };
            let all = if blend == Blend::Max { 1.0 } else { of_all() };
            (cell, (weight(index, cell) / all) as f32)
        };
        let parts: Vec<(usize, f32)> = own.map(part).filter(|(_, weight)| *weight > 0.0).collect();
        Share {
            first: parts.first().map_or(0, |(cell, _)| *cell),
            weights: parts.into_iter().map(|(_, weight)| weight).collect(),
        }
    }

    /// The window whose middle is nearest to that of a cell, of two the earlier.
    fn owner(&self, cell: usize) -> usize {
        let near = (cell * self.scale / self.step).min(self.count - 1);
        let reach = self.inner * self.scale / self.step + 1;
        let first = near.saturating_sub(reach);
        let last = (near + 1).min(self.count - 1);
        let distance = |index: &usize| (2 * cell + 1).abs_diff(self.centre(*index));
        (first..=last).min_by_key(distance).unwrap_or(0)
    }
}

/// How windows that overlap become one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blend {
    /// Weighted by a Hann window, sin²(π (i + ½) / n), so that windows fade into one another.
    Hann,
    /// Each pixel from the window whose middle is nearest.
    Crop,
    /// All windows weigh the same.
    Mean,
    /// The largest of each class.
    Max,
}

impl Choice for Blend {
    const ALL: &'static [(&'static str, Self)] = &[
        ("hann", Blend::Hann),
        ("crop", Blend::Crop),
        ("mean", Blend::Mean),
        ("max", Blend::Max),
    ];
}

/// The cells that a window has a share of, one after the other, and their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub first: usize,
    pub weights: Vec<f32>,
}

#[cfg(test)]
impl Share {
    fn cells(&self) -> Range<usize> {
        self.first..self.first + self.weights.len()
    }
}

fn least_common_multiple(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spacing(window: usize, overlap: usize, stride: usize, can_shrink: bool) -> Spacing {
        Spacing {
            window,
            overlap,
            stride,
            can_shrink,
        }
    }

    /// Axes of all kinds.
    fn axes() -> Vec<Axis> {
        let mut axes = Vec::new();
        for size in [1, 2, 7, 31, 32, 33, 64, 100, 257] {
            for (window, overlap) in [(32, 0), (32, 8), (32, 16), (32, 28), (64, 24)] {
                for (stride, scale, margin) in
                    [(1, 1, 0), (4, 1, 0), (4, 4, 0), (8, 2, 0), (1, 1, 4), (4, 2, 4)]
                {
                    for can_shrink in [true, false] {
                        let spacing = spacing(window, overlap, stride, can_shrink);
                        let reach = Reach::Pixels { scale, margin };
                        match Axis::new(size, spacing, reach) {
                            Ok(axis) => axes.push(axis),
                            Err(_) => assert!(overlap < 2 * margin || window - overlap < stride),
                        }
                    }
                }
            }
        }
        axes
    }

    #[test]
    fn windows_cover_every_cell_and_no_more_than_they_need() {
        for axis in axes() {
            let mut covered = vec![0; axis.cells];
            for index in 0..axis.count {
                axis.covers(index).for_each(|cell| covered[cell] += 1);
            }
            assert!(covered.iter().all(|n| *n > 0), "{axis:?}");
            // The last begins before the image ends, and later than the one before it.
            for index in 1..axis.count {
                assert!(axis.origin(index) > axis.origin(index - 1), "{axis:?}");
                assert!(axis.covers(index - 1).end < axis.cells, "{axis:?}");
            }
            for first in 0..axis.cells {
                let end = (first + 5).min(axis.cells);
                let slowly: Vec<usize> = (0..axis.count)
                    .filter(|index| axis.covers(*index).any(|cell| (first..end).contains(&cell)))
                    .collect();
                assert_eq!(axis.touching(&(first..end)).collect::<Vec<_>>(), slowly);
            }
        }
    }

    #[test]
    fn the_weights_of_every_cell_have_the_sum_one() {
        for axis in axes() {
            for blend in [Blend::Hann, Blend::Mean, Blend::Crop] {
                let mut sums = vec![0.0; axis.cells];
                for share in (0..axis.count).map(|index| axis.share(index, blend)) {
                    for (cell, weight) in share.cells().zip(&share.weights) {
                        sums[cell] += f64::from(*weight);
                    }
                }
                let right = |sum: &f64| (sum - 1.0).abs() < 3e-7;
                assert!(sums.iter().all(right), "{axis:?} {blend:?} {sums:?}");
            }
        }
    }

    #[test]
    fn crop_takes_each_cell_from_the_nearest_middle() {
        for axis in axes() {
            let shares: Vec<Share> = (0..axis.count)
                .map(|index| axis.share(index, Blend::Crop))
                .collect();
            for cell in 0..axis.cells {
                let middle = |index: usize| {
                    let first = axis.start(index) as f64 / axis.scale as f64;
                    first + axis.inner as f64 / 2.0
                };
                let mut nearest = 0;
                for index in 0..axis.count {
                    let distance = |index: usize| (middle(index) - (cell as f64 + 0.5)).abs();
                    if distance(index) < distance(nearest) {
                        nearest = index;
                    }
                }
                for (index, share) in shares.iter().enumerate() {
                    assert_eq!(share.cells().contains(&cell), index == nearest, "{axis:?} {cell}");
                }
            }
        }
    }

    #[test]
    fn one_value_a_window_lies_on_a_regular_grid() {
        let axis = Axis::new(100, spacing(32, 8, 1, false), Reach::One).unwrap();
        assert_eq!((axis.count, axis.cells, axis.scale), (4, 4, 24));
        assert_eq!((axis.origin(3), axis.covers(3)), (72, 3..4));
        assert_eq!(
            Axis::new(5, spacing(32, 8, 1, false), Reach::One).unwrap().count,
            1
        );
    }

    #[test]
    fn what_cannot_be_says_so() {
        let error = |window: usize, overlap: usize, stride: usize, margin: usize| {
            let reach = Reach::Pixels { scale: 1, margin };
            Axis::new(100, spacing(window, overlap, stride, true), reach)
                .unwrap_err()
                .to_string()
        };
        assert!(error(30, 4, 4, 0).contains("multiple of the network's stride of 4"));
        assert!(error(32, 30, 4, 0).contains("at least 4 pixels smaller"));
        assert!(error(32, 4, 1, 4).contains("at least 8 pixels"));
        assert!(error(8, 4, 1, 4).contains("8 pixels and a multiple of 1 more"));
    }
}
