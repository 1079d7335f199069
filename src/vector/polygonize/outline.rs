//! Regions as polygons on the ground.

use std::convert::Infallible;

use geo::{Coord, Geometry as Shape, LineString, MultiPolygon, Polygon};

use super::rings::{self, Tracer, tracer_bytes};
use super::{Corner, Region};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::raster::Grid;
use crate::vector::outline::{MORE_MEMORY, Outline, Piece, Size};
use crate::work::Held;

/// Where corners of pixels are.
#[derive(Clone)]
pub struct Placement {
    grid: Grid,
    /// Rows go down on most maps: there the rings run as they should.
    is_mirrored: bool,
    /// Nodes in straight edges stay: other regions have corners there.
    is_straight_kept: bool,
}

impl Placement {
    pub fn new(grid: &Grid, is_simplified: bool) -> Placement {
        let t = &grid.transform;
        Placement {
            grid: grid.clone(),
            is_mirrored: t.dx * t.dy - t.rx * t.ry > 0.0,
            is_straight_kept: is_simplified,
        }
    }

    /// A point of a closed ring, of which the last is the first.
    fn point(&self, ring: &[Corner], i: usize) -> Coord {
        let i = if i == ring.len() { 0 } else { i };
        // Mirrored, it begins with the last corner.
        let (row, col) = match self.is_mirrored {
            true => ring[ring.len() - 1 - i],
            false => ring[i],
        };
        Coord::from(self.grid.transform.apply(col.into(), row.into()))
    }

    /// A part, and what it takes in memory.
    fn polygon(&self, arcs: &[u8], tracer: &mut Tracer) -> (Polygon, usize) {
        let size = tracer.trace(arcs, self.is_straight_kept);
        let (mut outer, mut inner) = (None, Vec::with_capacity(size.rings.saturating_sub(1)));
        let done: std::result::Result<(), Infallible> = tracer.rings(arcs, |ring| {
            let line = LineString::new((0..=ring.len()).map(|i| self.point(ring, i)).collect());
            match outer {
                None => outer = Some(line),
                Some(_) => inner.push(line),
            }
            Ok(())
        });
        let Ok(()) = done;
        let outer = outer.unwrap_or_else(|| LineString::new(Vec::new()));
        (Polygon::new(outer, inner), shape_bytes(size))
    }

    /// In memory: a Polygon, or a MultiPolygon where there are several parts; what it takes there.
    pub fn shape<T>(&self, region: &Region<T>, tracer: &mut Tracer) -> (Shape<f64>, usize) {
        if region.others.is_empty() {
            let (polygon, bytes) = self.polygon(&region.borders, tracer);
            return (polygon.into(), bytes);
        }
        let mut bytes = 0;
        let parts = region.parts().map(|arcs| {
            let (polygon, more) = self.polygon(arcs, tracer);
            bytes += more;
            polygon
        });
        let shape = MultiPolygon::new(parts.collect()).into();
        (shape, bytes)
    }

    /// What the large parts of a region take as a shape; nothing where none is.
    pub fn large_bytes<T>(&self, region: &Region<T>, tracer: &mut Tracer) -> usize {
        let large = region.parts().filter(|arcs| arcs.len() > MUCH);
        large
            .map(|arcs| shape_bytes(tracer.trace(arcs, self.is_straight_kept)))
            .sum()
    }
}

fn shape_bytes(size: rings::Size) -> usize {
    Size {
        polygons: 1,
        rings: size.rings,
        points: size.corners + size.rings,
    }
    .shape_bytes()
}

/// A region that is drawn where it is written.
pub struct Drawing<'a, T> {
    pub region: Region<T>,
    placement: &'a Placement,
    tracer: Tracer,
    /// For what finding the rings takes, where that is much.
    held: Option<Held>,
    size: Size,
}

/// Of arcs, which are noted in the ledger.
const MUCH: usize = 1 << 20;
/// Points that are handed on at a time.
const PORTION: usize = 4096;

impl<T> Drawing<'_, T> {
    pub fn new(region: Region<T>, placement: &Placement) -> Drawing<'_, T> {
        let bytes: usize = region.parts().map(<[u8]>::len).sum();
        Drawing {
            region,
            placement,
            tracer: Tracer::default(),
            held: (bytes > MUCH).then(|| Held::hold(bytes)),
            size: Size::default(),
        }
    }
}

impl<T: Send> Outline for Drawing<'_, T> {
    fn size(&mut self) -> Result<Size> {
        let mut size = Size::default();
        let large = self.region.parts().filter(|arcs| arcs.len() > MUCH);
        let finding = large.map(tracer_bytes).max().unwrap_or(0);
        if let Some(held) = self.held.take() {
            let what = Size {
                rings: 0,
                ..Size::default()
            };
            self.held = Some(what.hold(held.bytes() + finding, MORE_MEMORY)?);
        }
        for arcs in std::iter::once(&self.region.borders).chain(&self.region.others) {
            let traced = self.tracer.trace(arcs, self.placement.is_straight_kept);
            size.polygons += 1;
            size.rings += traced.rings;
            size.points += traced.corners + traced.rings;
        }
        self.size = size;
        Ok(size)
    }

    fn pieces(&mut self, to: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
        let (tracer, placement) = (&mut self.tracer, self.placement);
        let mut portion = Vec::with_capacity(16);
        let mut passed = 0;
        for arcs in std::iter::once(&self.region.borders).chain(&self.region.others) {
            // Of one part it is known already.
            let rings = match self.size.polygons {
                1 => self.size.rings,
                _ => tracer.trace(arcs, placement.is_straight_kept).rings,
            };
            to(Piece::Polygon { rings })?;
            tracer.rings(arcs, |ring| {
                let points = ring.len() + 1;
                to(Piece::Ring { points })?;
                for first in (0..points).step_by(PORTION) {
                    portion.clear();
                    let here = first..points.min(first + PORTION);
                    portion.extend(here.map(|i| placement.point(ring, i)));
                    to(Piece::Points(&portion))?;
                    passed += portion.len();
                    if passed > 1 << 20 {
                        passed = 0;
                        interrupt::check()?;
                    }
                }
                Ok::<(), Error>(())
            })?;
        }
        Ok(())
    }
}
