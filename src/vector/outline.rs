//! Polygons whose coordinates are made as they are written: one that spans an image has too many to be held.

use std::io::{self, Write};

use geo::{Coord, Geometry as Shape, LineString, MultiPolygon, Polygon};

use crate::error::{Error, Result, counted};
use crate::raster::Bounds;
use crate::work::{self, Held};

/// What comes of polygons, in this order: each polygon, each of its rings, the outer one first, and the points of the ring, which
/// is closed, in portions.
pub enum Piece<'a> {
    Polygon { rings: usize },
    Ring { points: usize },
    Points(&'a [Coord]),
}

/// Of polygons.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Size {
    pub polygons: usize,
    pub rings: usize,
    pub points: usize,
}

/// Of WKB: order of bytes, type and count.
const HEAD: usize = 9;

impl Size {
    /// Well-known binary: two coordinates of 8 bytes a point, a count for each ring, and a head for each polygon and for all.
    pub fn wkb_bytes(&self, is_multi: bool) -> usize {
        let around = if is_multi { HEAD } else { 0 };
        around + self.polygons * HEAD + self.rings * 4 + self.points * 16
    }

    /// As a shape in memory: beside its points a ring has a list, and what the allocator puts before it.
    pub fn shape_bytes(&self) -> usize {
        self.points * size_of::<Coord>() + self.rings * (size_of::<LineString>() + 16)
    }

    /// Notes bytes that one polygon takes in the ledger.
    ///
    /// # Errors
    /// More than memory leaves.
    pub fn hold(&self, bytes: usize, way_out: &str) -> Result<Held> {
        Held::within(bytes, work::memory()).ok_or_else(|| Error::Memory {
            what: format!(
                "a polygon of {} in {}",
                counted(self.points, "point"),
                counted(self.rings, "ring")
            ),
            needed_mib: (bytes >> 20) as u64 + 1,
            limit_mib: (work::memory() >> 20) as u64,
            way_out: format!("sieve or filter the classes first, leave its class out, {way_out}"),
        })
    }
}

/// The ways out of too little memory; the second where a library of another format holds all of a polygon.
pub const MORE_MEMORY: &str = "or give perilune more (--memory)";
pub const INSTEAD: &str =
    "write GeoParquet (.parquet), which holds none of it, or give perilune more (--memory)";

/// Polygons that can be gone through.
pub trait Outline: Send {
    /// Has to be called before the others.
    ///
    /// # Errors
    /// Finding the rings takes more than memory leaves.
    fn size(&mut self) -> Result<Size>;

    /// Hands on all pieces.
    ///
    /// # Errors
    /// Those of `to`; `Interrupted`.
    fn pieces(&mut self, to: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<()>;
}

/// As little-endian WKB, a MultiPolygon of so many, or one Polygon; the bounds of all points.
///
/// # Errors
/// Those of `out`; `Interrupted`.
pub fn write_wkb(
    outline: &mut dyn Outline,
    multi: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<Option<Bounds>> {
    const LITTLE_ENDIAN: u8 = 1;
    const POLYGON: u32 = 3;
    const MULTI_POLYGON: u32 = 6;
    let head = |out: &mut dyn Write, kind: u32, count: usize| {
        let mut bytes = [LITTLE_ENDIAN; HEAD];
        bytes[1..5].copy_from_slice(&kind.to_le_bytes());
        bytes[5..].copy_from_slice(&(count as u32).to_le_bytes());
        out.write_all(&bytes)
    };
    if let Some(polygons) = multi {
        head(out, MULTI_POLYGON, polygons)?;
    }
    let (mut bounds, mut bytes, mut failure) = (None, Vec::new(), None);
    let done = outline.pieces(&mut |piece| {
        let written = match piece {
            Piece::Polygon { rings } => head(out, POLYGON, rings),
            Piece::Ring { points } => out.write_all(&(points as u32).to_le_bytes()),
            Piece::Points(points) => {
                bytes.clear();
                for point in points {
                    bytes.extend_from_slice(&point.x.to_le_bytes());
                    bytes.extend_from_slice(&point.y.to_le_bytes());
                }
                let here = Bounds::around(points.iter().map(|p| (p.x, p.y)));
                bounds = match (bounds, here) {
                    (Some(all), Some(here)) => Some(Bounds::union(&all, &here)),
                    (all, here) => all.or(here),
                };
                out.write_all(&bytes)
            }
        };
        written.map_err(|e| {
            failure = Some(e);
            Error::Interrupted
        })
    });
    match failure {
        Some(e) => Err(e),
        None => done.map(|()| bounds).map_err(io::Error::other),
    }
}

/// In memory: a Polygon, or a MultiPolygon where there are several.
///
/// # Errors
/// `Interrupted`.
pub fn shape(outline: &mut dyn Outline) -> Result<Shape<f64>> {
    let mut polygons: Vec<Vec<LineString>> = Vec::new();
    outline.pieces(&mut |piece| {
        let rings = polygons.last_mut();
        match (piece, rings) {
            (Piece::Polygon { rings }, _) => polygons.push(Vec::with_capacity(rings)),
            (Piece::Ring { points }, Some(rings)) => rings.push(LineString::new(Vec::with_capacity(points))),
            (Piece::Points(points), Some(rings)) => {
                if let Some(ring) = rings.last_mut() {
                    ring.0.extend_from_slice(points);
                }
            }
            (_, None) => {}
        }
        Ok(())
    })?;
    let polygon = |mut rings: Vec<LineString>| {
        let outer = match rings.is_empty() {
            true => LineString::new(Vec::new()),
            false => rings.remove(0),
        };
        Polygon::new(outer, rings)
    };
    let mut polygons: Vec<Polygon> = polygons.into_iter().map(polygon).collect();
    Ok(match polygons.len() {
        1 => polygons.swap_remove(0).into(),
        _ => MultiPolygon::new(polygons).into(),
    })
}
