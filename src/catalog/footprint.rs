//! Footprints in longitude and latitude, made fit for plane geometry: rings that cross the antimeridian are cut there, rings
//! around a pole are closed along it, so that areas and intersections mean what they say.

use geo::{
    BooleanOps, BoundingRect, ChamberlainDuquetteArea, Coord, CoordsIter, Geometry, LineString, MultiPolygon,
    Polygon, Rect, Translate, Validation,
};
use stac::{Bbox, Item};

use crate::earth::antimeridian::{self, Continuous};
use crate::earth::geojson_shape;
use crate::error::{Error, Result};

/// The footprint of an item: its geometry, else its bounding box; `None` where it has neither.
///
/// # Errors
/// When the geometry has coordinates that are no longitudes and latitudes, or too few of them.
pub fn of(item: &Item) -> Result<Option<Geometry>> {
    let named = |error: Error| Error::message(format!("the footprint of {}: {error}", item.id));
    if let Some(geometry) = &item.geometry {
        let shape = geojson_shape(geometry).map_err(|e| named(Error::message(e)))?;
        return settle(&shape).map(Some).map_err(named);
    }
    match item.bbox {
        Some(Bbox::TwoDimensional([west, south, east, north]))
        | Some(Bbox::ThreeDimensional([west, south, _, east, north, _])) => {
            from_bbox([west, south, east, north]).map(Some).map_err(named)
        }
        None => Ok(None),
    }
}

/// A box of west, south, east, north; west of the antimeridian to east of it where west > east (RFC 7946, section 5.2).
///
/// # Errors
/// When it lies outside the Earth's longitudes and latitudes, or south is north of north.
pub fn from_bbox([west, south, east, north]: [f64; 4]) -> Result<Geometry> {
    let text = format!("{west}, {south}, {east}, {north}");
    let inside = |x: f64, y: f64| (-180.0..=180.0).contains(&x) && (-90.0..=90.0).contains(&y);
    if !inside(west, south) || !inside(east, north) || south > north {
        return Err(Error::argument(
            "bbox",
            "west, south, east, north in degrees",
            text,
        ));
    }
    let rect =
        |(w, e): (f64, f64)| Rect::new(Coord { x: w, y: south }, Coord { x: e, y: north }).to_polygon();
    let mut parts: Vec<Polygon> = antimeridian::ranges(west, east).into_iter().map(rect).collect();
    Ok(match parts.len() {
        1 => Geometry::Polygon(parts.remove(0)),
        _ => Geometry::MultiPolygon(MultiPolygon::new(parts)),
    })
}

/// # Errors
/// Names the first position that is no longitude and latitude.
fn on_earth(shape: &Geometry) -> Result<()> {
    match shape
        .coords_iter()
        .find(|c| !(c.x.abs() <= 360.0 && c.y.abs() <= 90.0))
    {
        Some(bad) => Err(Error::message(format!(
            "({}, {}) is no longitude and latitude in degrees",
            bad.x, bad.y
        ))),
        None => Ok(()),
    }
}

/// `shape` cut at the antimeridian and closed at the poles; self-crossing rings are resolved. Shapes that need
/// nothing come back as they are. An edge longer than 180° is taken to go the short way around.
///
/// # Errors
/// When a coordinate is no longitude and latitude.
pub fn settle(shape: &Geometry) -> Result<Geometry> {
    on_earth(shape)?;
    let mut polygons = Vec::new();
    match shape {
        Geometry::Polygon(p) => polygons.push(p.clone()),
        Geometry::MultiPolygon(m) => polygons.extend(m.0.iter().cloned()),
        Geometry::Rect(r) => polygons.push(r.to_polygon()),
        other => return Ok(other.clone()),
    }
    let mut changed = false;
    let mut out: Vec<Polygon> = Vec::new();
    for polygon in &polygons {
        if polygon.exterior().0.len() < 4 {
            return Err(Error::message("a polygon needs at least three corners"));
        }
        match settled(polygon) {
            Some(pieces) => {
                changed = true;
                out.extend(pieces);
            }
            None => out.push(polygon.clone()),
        }
    }
    if !changed {
        return Ok(shape.clone());
    }
    Ok(match out.len() {
        1 => Geometry::Polygon(out.remove(0)),
        _ => Geometry::MultiPolygon(MultiPolygon::new(out)),
    })
}

/// An area that the user drew: as `settle`, but longitudes within ±180° are taken at their word, however long an edge is. A box from −170° to
/// 170° is wide, where a footprint with such corners would lie over the antimeridian.
///
/// # Errors
/// As `settle`.
pub fn settle_area(shape: &Geometry) -> Result<Geometry> {
    // Before edges are cut into pieces of degrees: there would be no end of them.
    on_earth(shape)?;
    if shape.coords_iter().any(|c| c.x.abs() > 180.0) {
        return settle(shape);
    }
    match shape {
        Geometry::Polygon(_) | Geometry::MultiPolygon(_) | Geometry::Rect(_) => {
            // Edges of less than 90° are never taken for crossings.
            use geo::{Densify, Euclidean};
            let fine = match shape {
                Geometry::Polygon(p) => Geometry::Polygon(Euclidean.densify(p, 60.0)),
                Geometry::MultiPolygon(m) => Geometry::MultiPolygon(Euclidean.densify(m, 60.0)),
                Geometry::Rect(r) => Geometry::Polygon(Euclidean.densify(&r.to_polygon(), 60.0)),
                other => other.clone(),
            };
            let settled = settle(&fine)?;
            // What needed nothing stays as it was drawn.
            Ok(if settled == fine { shape.clone() } else { settled })
        }
        other => settle(other),
    }
}

/// The pieces of a polygon that cannot stay as it is.
fn settled(polygon: &Polygon) -> Option<Vec<Polygon>> {
    let (exterior, around) = unwrap(polygon.exterior());
    let inside = |ring: &LineString| ring.0.iter().all(|c| c.x.abs() <= 180.0);
    if !around && exterior == *polygon.exterior() && inside(&exterior) {
        // Plane geometry asks for rings that do not cross themselves.
        return match polygon.is_valid() {
            true => None,
            false => Some(resolved(&MultiPolygon::new(vec![polygon.clone()])).0),
        };
    }
    let middle = exterior.bounding_rect().map_or(0.0, |b| b.center().x);
    let interiors = polygon
        .interiors()
        .iter()
        .map(|ring| near(unwrap(ring).0, middle))
        .collect();
    let whole = MultiPolygon::new(vec![Polygon::new(exterior, interiors)]);
    let mut pieces = Vec::new();
    let bounds = whole.bounding_rect()?;
    for (offset, map) in antimeridian::maps(bounds.min().x, bounds.max().x) {
        let piece = whole.intersection(&MultiPolygon::new(vec![map.to_polygon()]));
        pieces.extend(piece.translate(-offset, 0.0).0);
    }
    Some(pieces)
}

/// A polygon whose rings cross themselves, as the areas that they go around.
fn resolved(shape: &MultiPolygon) -> MultiPolygon {
    shape.union(&MultiPolygon::new(Vec::new()))
}

/// The ring without jumps of more than 180°, and whether it goes around a pole (it is then closed along that pole).
fn unwrap(ring: &LineString) -> (LineString, bool) {
    let mut longitude = Continuous::default();
    let followed = ring.0.iter().map(|c| Coord {
        x: longitude.next_on_map(c.x),
        y: c.y,
    });
    antimeridian::closed(followed.collect())
}

/// A hole on the same turn as its polygon.
fn near(ring: LineString, middle: f64) -> LineString {
    let centre = ring.bounding_rect().map_or(middle, |b| b.center().x);
    let turns = ((middle - centre) / 360.0).round() * 360.0;
    ring.translate(turns, 0.0)
}

/// The area of the polygons of a shape on the sphere, in m² (Chamberlain & Duquette 2007); 0 for points and lines.
pub fn area(shape: &Geometry) -> f64 {
    polygons(shape).chamberlain_duquette_unsigned_area()
}

/// The share of `shape` that `others` cover together, 0..1. A shape without an area is covered or not.
pub fn share<'a>(shape: &Geometry, others: impl Iterator<Item = &'a Geometry>) -> f64 {
    use geo::Intersects;
    let whole = area(shape);
    let others: Vec<&Geometry> = others.collect();
    if whole <= 0.0 {
        return if others.iter().any(|o| o.intersects(shape)) {
            1.0
        } else {
            0.0
        };
    }
    let own = polygons(shape);
    let mut covered = MultiPolygon::new(Vec::new());
    for other in others {
        covered = covered.union(&own.intersection(&polygons(other)));
    }
    (covered.chamberlain_duquette_unsigned_area() / whole).clamp(0.0, 1.0)
}

fn polygons(shape: &Geometry) -> MultiPolygon {
    match shape {
        Geometry::Polygon(p) => MultiPolygon::new(vec![p.clone()]),
        Geometry::MultiPolygon(m) => m.clone(),
        Geometry::Rect(r) => MultiPolygon::new(vec![r.to_polygon()]),
        Geometry::GeometryCollection(c) => {
            c.0.iter()
                .fold(MultiPolygon::new(Vec::new()), |all, g| all.union(&polygons(g)))
        }
        _ => MultiPolygon::new(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use geo::{Contains, Intersects, Point, polygon};

    use super::*;

    fn at(shape: &Geometry, x: f64, y: f64) -> bool {
        shape.intersects(&Point::new(x, y))
    }

    #[test]
    fn a_footprint_over_the_antimeridian_is_cut() {
        // As Sentinel-1 frames over Fiji are listed: +179, then −179.
        let ring = polygon![(x: 178.0, y: -18.0), (x: -179.0, y: -18.0), (x: -179.0, y: -16.0), (x: 178.0, y: -16.0)];
        let shape = settle(&Geometry::Polygon(ring)).unwrap();
        assert!(at(&shape, 179.0, -17.0) && at(&shape, -179.5, -17.0));
        assert!(!at(&shape, 0.0, -17.0) && !at(&shape, -178.0, -17.0));
        let plain = polygon![(x: 0.0, y: -18.0), (x: 3.0, y: -18.0), (x: 3.0, y: -16.0), (x: 0.0, y: -16.0)];
        let ratio = area(&shape) / area(&Geometry::Polygon(plain));
        assert!((ratio - 1.0).abs() < 1e-9, "{ratio}");
        assert_eq!(
            from_bbox([178.0, -18.0, -179.0, -16.0])
                .map(|b| share(&b, [&shape].into_iter()))
                .unwrap(),
            1.0
        );
        // Beyond 180 as some archives write it.
        let beyond =
            polygon![(x: 178.0, y: -18.0), (x: 181.0, y: -18.0), (x: 181.0, y: -16.0), (x: 178.0, y: -16.0)];
        let beyond = settle(&Geometry::Polygon(beyond)).unwrap();
        assert!((share(&shape, [&beyond].into_iter()) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_footprint_around_a_pole_holds_the_pole() {
        let ring: Vec<(f64, f64)> = (0..12)
            .map(|i| (-180.0 + 30.0 * f64::from(i) + 7.0, -80.0))
            .collect();
        let shape = settle(&Geometry::Polygon(Polygon::new(ring.into(), vec![]))).unwrap();
        for x in [-179.0, -60.0, 0.0, 90.0, 179.0] {
            assert!(at(&shape, x, -85.0), "{x}");
            assert!(!at(&shape, x, -75.0) && !at(&shape, x, 85.0), "{x}");
        }
        // The cap south of 80° S: 2πR²(1 − sin 80°), R as the area formula has it.
        let cap = 2.0 * std::f64::consts::PI * 6_378_137.0f64.powi(2) * (1.0 - 80f64.to_radians().sin());
        assert!((area(&shape) / cap - 1.0).abs() < 0.01, "{}", area(&shape) / cap);
    }

    #[test]
    fn the_whole_world_stays() {
        let world = from_bbox([-180.0, -90.0, 180.0, 90.0]).unwrap();
        let settled = settle(&world).unwrap();
        assert_eq!(world, settled);
        assert!(settled.contains(&Point::new(0.0, 0.0)));
    }

    #[test]
    fn areas_beyond_the_earth_are_refused_before_they_are_cut() {
        for (x, y) in [(0.0, 1e21), (1e21, 0.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            let line = LineString::from(vec![(0.0, 0.0), (1.0, 0.0), (x, y), (0.0, 0.0)]);
            let area = Geometry::Polygon(Polygon::new(line, Vec::new()));
            let refused = settle_area(&area).unwrap_err().to_string();
            assert!(refused.contains("no longitude and latitude"), "{refused}");
        }
    }

    #[test]
    fn an_area_that_the_user_drew_is_as_wide_as_drawn() {
        let wide = from_bbox([-170.0, -10.0, 170.0, 10.0]).unwrap();
        let area = settle_area(&wide).unwrap();
        assert!(at(&area, 0.0, 0.0) && !at(&area, 175.0, 0.0));
        assert_eq!(area, wide);
        let over = polygon![(x: 170.0, y: 0.0), (x: 190.0, y: 0.0), (x: 190.0, y: 5.0), (x: 170.0, y: 5.0)];
        let area = settle_area(&Geometry::Polygon(over)).unwrap();
        assert!(at(&area, -175.0, 2.0) && !at(&area, 0.0, 2.0));
    }

    #[test]
    fn a_bow_tie_is_two_triangles() {
        let bow = polygon![(x: 0.0, y: 0.0), (x: 2.0, y: 2.0), (x: 2.0, y: 0.0), (x: 0.0, y: 2.0)];
        let shape = settle(&Geometry::Polygon(bow)).unwrap();
        let triangle = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 1.0), (x: 0.0, y: 2.0)];
        let ratio = area(&shape) / area(&Geometry::Polygon(triangle));
        assert!((ratio - 2.0).abs() < 1e-3, "{ratio}");
    }

    #[test]
    fn what_is_not_on_the_earth_is_refused() {
        let far = polygon![(x: 500_000.0, y: 4e6), (x: 500_010.0, y: 4e6), (x: 500_010.0, y: 4.1e6)];
        let error = settle(&Geometry::Polygon(far)).unwrap_err().to_string();
        assert!(error.contains("no longitude and latitude"), "{error}");
        assert!(from_bbox([0.0, 5.0, 1.0, 4.0]).is_err());
    }
}
