//! Which pixels of an image its reduced copies are made of.
//!
//! An overview has half the rows and columns of what it is made of, rounded up. Of an odd number the last row is not alone: all rows of the overview
//! are as high, a little less than two, so that each is made of parts of up to three.

use std::ops::Range;

use crate::raster::Window;

/// Rows and columns of a block of a Cloud Optimised GeoTIFF: what GDAL's own driver uses.
pub const SIDE: usize = 512;

/// Rows and columns of the image and of its overviews: the last is the first that fits a block of 512², or nearly, as by GDAL's driver.
pub fn sizes((rows, cols): (usize, usize)) -> Vec<(usize, usize)> {
    let factors = (1..31)
        .map(|power| 1usize << power)
        .take_while(|factor| rows.max(cols) / (factor / 2) > SIDE);
    let reduced = factors.map(|factor| (rows.div_ceil(factor), cols.div_ceil(factor)));
    std::iter::once((rows, cols)).chain(reduced).collect()
}

/// The blocks of this side that a window of an image has pixels of, row by row, with the part of each.
pub fn blocks(window: Window, side: usize) -> impl Iterator<Item = ((usize, usize), Window)> {
    let places = move |first: isize, end: isize| first as usize / side..(end as usize).div_ceil(side);
    let down = places(window.row, window.row_end());
    let across = places(window.col, window.col_end());
    down.flat_map(move |y| across.clone().map(move |x| (y, x)))
        .map(move |(y, x)| ((y, x), block((y, x), side).intersect(&window)))
}

/// The window of a block, which may reach beyond the image.
pub fn block((y, x): (usize, usize), side: usize) -> Window {
    Window::new((y * side) as isize, (x * side) as isize, side, side)
}

/// The rows, or columns, of the source that one of an overview is made of, and how much of the first and the last: those between count whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub first: usize,
    pub end: usize,
    pub head: f64,
    pub tail: f64,
}

impl Span {
    pub fn weight(&self, at: usize) -> f64 {
        match at {
            _ if at == self.first => self.head,
            _ if at + 1 == self.end => self.tail,
            _ => 1.0,
        }
    }

    pub fn is_pair(&self) -> bool {
        self.end == self.first + 2 && self.head == 1.0 && self.tail == 1.0
    }
}

/// The rows or the columns of an overview.
pub struct Axis {
    pub spans: Vec<Span>,
    ratio: f64,
    source: usize,
}

impl Axis {
    /// Of `size` that are made of `source`.
    pub fn new(source: usize, size: usize) -> Axis {
        // What touches a pixel by a rounding error has no part of it.
        const EPSILON: f64 = 1e-8;
        let ratio = source as f64 / size as f64;
        let span = |i: usize| {
            let (from, to) = (i as f64 * ratio, (i + 1) as f64 * ratio);
            let first = (from + EPSILON) as usize;
            let end = ((to - EPSILON).ceil() as usize).clamp(first + 1, source.max(first + 1));
            Span {
                first,
                end,
                head: if end == first + 1 {
                    1.0
                } else {
                    1.0 - (from - first as f64)
                },
                tail: 1.0 - (end as f64 - to),
            }
        };
        Axis {
            spans: (0..size).map(span).collect(),
            ratio,
            source,
        }
    }

    /// The one of the source that stands for one of the overview where nothing is averaged.
    pub fn nearest(&self, i: usize) -> usize {
        ((0.5 + i as f64 * self.ratio) as usize).min(self.source - 1)
    }

    /// Those that are made of these of the source alone.
    pub fn within(&self, source: &Range<usize>) -> Range<usize> {
        let first = self.spans.partition_point(|span| span.first < source.start);
        let end = self.spans.partition_point(|span| span.end <= source.end);
        first..end.max(first)
    }

    /// Those whose nearest is among these of the source.
    pub fn nearest_within(&self, source: &Range<usize>) -> Range<usize> {
        let (mut first, mut end) = (0, self.spans.len());
        // Nearest ones grow with what they stand for; the quotient is off by one at most.
        let guess = |at: usize| ((at as f64 / self.ratio) as usize).saturating_sub(2);
        first = first.max(guess(source.start));
        while first < end && self.nearest(first) < source.start {
            first += 1;
        }
        end = end.min(guess(source.end) + 6);
        while end > first && self.nearest(end - 1) >= source.end {
            end -= 1;
        }
        first..end
    }

    /// What these are made of.
    pub fn source_of(&self, these: &Range<usize>) -> Range<usize> {
        match these.is_empty() {
            true => 0..0,
            false => self.spans[these.start].first..self.spans[these.end - 1].end,
        }
    }

    /// Those that are made of several blocks of the source, of this side, with the first row or column of the second of these.
    pub fn across_blocks(&self, side: usize) -> Vec<(usize, usize)> {
        let between = |(i, span): (usize, &Span)| {
            let edge = span.end.saturating_sub(1) / side * side;
            (edge > span.first).then_some((i, edge))
        };
        self.spans.iter().enumerate().filter_map(between).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overviews_end_with_a_small_one() {
        assert_eq!(sizes((1025, 100)), [(1025, 100), (513, 50)]);
        assert_eq!(sizes((1, 1)), [(1, 1)]);
        assert_eq!(sizes((512, 100)), [(512, 100)]);
        assert_eq!(sizes((513, 1)), [(513, 1), (257, 1)]);
        assert_eq!(sizes((1501, 1300)), [(1501, 1300), (751, 650), (376, 325)]);
        assert_eq!(sizes((8192, 8192)).len(), 5);
    }

    #[test]
    fn what_overviews_are_made_of_covers_the_source() {
        for (source, size) in [
            (1, 1),
            (2, 1),
            (1024, 512),
            (1501, 751),
            (513, 257),
            (4099, 2050),
            (4099, 65),
        ] {
            let axis = Axis::new(source, size);
            assert_eq!(axis.spans[0].first, 0);
            assert_eq!(axis.spans[size - 1].end, source);
            let ratio = source as f64 / size as f64;
            for (i, span) in axis.spans.iter().enumerate() {
                let sum: f64 = (span.first..span.end).map(|at| span.weight(at)).sum();
                assert!((sum - ratio).abs() < 1e-6 || ratio == 1.0, "{source} {i}: {sum}");
                assert!(
                    i == 0 || span.first + 1 >= axis.spans[i - 1].end && span.first <= axis.spans[i - 1].end
                );
            }
            // Every one is within a block or across two of them, and stands for one of them.
            let mut seen = vec![0; size];
            let side = SIDE / (1 + source % 2);
            let (mut nearest, blocks) = (0, source.div_ceil(side));
            for y in 0..blocks {
                let block = y * side..((y + 1) * side).min(source);
                axis.within(&block).for_each(|i| seen[i] += 1);
                let found = axis.nearest_within(&block);
                assert_eq!(found.start, nearest);
                nearest = found.end;
            }
            assert_eq!(nearest, size);
            for (i, edge) in axis.across_blocks(side) {
                assert!(axis.spans[i].first < edge && edge < axis.spans[i].end);
                seen[i] += 1;
            }
            if ratio <= 2.0 {
                assert!(seen.iter().all(|n| *n == 1), "{source}");
            }
        }
    }

    #[test]
    fn pairs_are_whole() {
        assert!(Axis::new(1024, 512).spans.iter().all(Span::is_pair));
        assert!(!Axis::new(1025, 513).spans[5].is_pair());
    }
}
