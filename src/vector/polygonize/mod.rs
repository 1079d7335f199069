//! Outlines of the connected regions of an image of classes, from one pass over its rows.
//!
//! What is kept between rows: the runs of the last row, the arcs that cross it, and the borders of regions that go on. A region
//! leaves as soon as a row has none of its pixels.
//!
//! Borders are made of arcs: chains of lattice corners that separate the same two labels from one node, where three or more
//! regions meet, to the next. Every arc is followed, and simplified, once, for the regions on both of its sides.

mod arcs;
mod code;
mod image;
mod labels;
mod regions;
mod rings;
mod scan;
mod simplify;
#[cfg(test)]
mod tests;

use std::ops::Range;

use self::rings::Rings;
use crate::error::Result;

pub use self::image::{PolygonizeOptions, polygonize, write_polygons};

/// Of masked pixels, and of what lies outside the image. Such pixels belong to no region.
const NO_LABEL: u32 = 0;

/// A corner of pixels: (row, col) of the pixel at its lower right.
type Corner = (u32, u32);

/// What is summed over the pixels of a region.
trait Tally: Default {
    /// Takes in what was summed over others.
    fn merge(&mut self, other: Self);
}

/// Who wants to know of the regions.
trait Visit<T> {
    /// Takes pixels of the row that is passed over into the sums of their region.
    fn add(&mut self, tally: &mut T, cols: Range<usize>);

    /// Whether a region that has ended is to be outlined; `bytes` are those of its borders, packed.
    ///
    /// # Errors
    /// A region that is too large.
    fn is_wanted(&mut self, label: u32, tally: &T, bytes: usize) -> Result<bool>;

    /// # Errors
    /// What goes wrong with it.
    fn take(&mut self, region: Region<T>) -> Result<()>;
}

/// A connected region.
#[derive(Debug, Clone, PartialEq)]
struct Region<T> {
    label: u32,
    /// (row, col) of its first pixel, in the order of rows.
    first: (u32, u32),
    tally: T,
    /// Its parts, which meet in corners at most: of each the outer ring, then those of its holes. Seen with rows
    /// downward outer rings run anticlockwise, holes clockwise.
    parts: Vec<Rings>,
}
