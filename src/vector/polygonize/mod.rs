//! Outlines of the connected regions of an image of classes, from one pass over its rows.
//!
//! What is kept between rows: the runs of the last row, the arcs that cross it, and the borders of regions that go on. A region
//! leaves as soon as a row has none of its pixels.
//!
//! Borders are made of arcs: chains of lattice corners that separate the same two labels from one node, where three or more
//! regions meet, to the next. Every arc is followed, and simplified, once, for the regions on both of its sides.
//!
//! What a corner takes on its way, in bytes, and what is added for a hole of one pixel, which has four:
//!
//! | stage | corner | such a hole |
//! |---|---|---|
//! | an arc that is followed (`arcs`) | 12 | 2 × 24 for its ends |
//! | packed, kept until the region ends (`code`) | 1 | 7 |
//! | its rings found (`rings`); arcs between nodes 25 each | – | – |
//! | one ring at a time unpacked (`rings`) | 8 | – |
//! | written, in portions of 4096 points (`outline`) | 16 | 4 + 16 for the point that closes it |
//! | as a feature in memory (`geo`) | 16 | 40 + 16 |
//! | as GDAL's geometry, ring by ring, for its drivers | 16 | 110 + 16 |
//!
//! So one that spans an image, with 2.8 million holes and 40 million corners, is 63 MiB packed, 41 more to find its rings, and 659 as WKB, which
//! GeoParquet gets through a buffer, 970 as GDAL's geometry, of which FlatGeobuf and GeoPackage then make copies of their own.

mod arcs;
mod code;
mod image;
mod labels;
mod outline;
mod regions;
mod rings;
mod scan;
mod simplify;
#[cfg(test)]
mod tests;

use std::ops::Range;

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

    /// Whether a region that has ended is to be outlined.
    fn is_wanted(&mut self, tally: &T) -> bool;

    /// # Errors
    /// What goes wrong with it.
    fn take(&mut self, region: Region<T>) -> Result<()>;
}

/// A connected region.
struct Region<T> {
    label: u32,
    /// (row, col) of its first pixel, in the order of rows.
    first: (u32, u32),
    tally: T,
    /// The arcs around its first part, and around others, which meet in corners at most; packed, as `Tracer` takes them.
    borders: Vec<u8>,
    others: Vec<Vec<u8>>,
}

impl<T> Region<T> {
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.borders)
            .chain(&self.others)
            .map(Vec::as_slice)
    }
}
