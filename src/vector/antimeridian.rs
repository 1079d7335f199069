//! Shapes that come into longitude and latitude from a CRS in which the antimeridian and the poles are nothing
//! special (polar stereographic, UTM at zone 1 and 60): rings are followed continuously across ±180°, closed
//! along the pole where they run around it, and cut at the antimeridian.

use geo::{Coord, Geometry as Shape, GeometryCollection, LineString, MultiLineString, MultiPolygon, Polygon};

use super::geometry::{Part, for_each_part, shape_bounds};
use super::overlay::overlay;
use super::transform::Projection;
use crate::earth::antimeridian::{Continuous, closed, maps};
use crate::error::Result;

/// An edge that seems to jump over 180° is looked at in this many pieces, to tell a long edge from a crossing.
const PIECES: usize = 32;
const WHAT: &str = "cutting at the antimeridian";

/// The image of `shape` by a projection to longitude and latitude, cut at the antimeridian.
pub(super) fn to_lonlat(shape: &Shape<f64>, projection: &Projection<'_>) -> Result<Shape<f64>> {
    // Longitudes that are longitudes already do not wrap.
    let plain = projection.vertices(shape)?;
    let mut crossing = false;
    for_each_part(&plain, &mut |part| match part {
        Part::Point(_) => {}
        Part::Line(line) => crossing |= jumps(&line),
        Part::Polygon(p) => crossing |= jumps(p.exterior()) || p.interiors().iter().any(jumps),
    });
    if !crossing || projection.from_lonlat {
        return Ok(plain);
    }
    let unwrap = |line: &LineString| unwrap(line, projection);
    let mut polygons: Vec<Polygon> = Vec::new();
    let mut lines: Vec<LineString> = Vec::new();
    let mut points = Vec::new();
    let mut error = None;
    for_each_part(shape, &mut |part| {
        let result = match part {
            Part::Point(p) => projection.vertices(&Shape::Point(p)).map(|p| points.push(p)),
            Part::Line(line) => unwrap(&line)
                .and_then(|l| cut(&Shape::LineString(l)))
                .map(|s| collect_lines(&s, &mut lines)),
            Part::Polygon(p) => polygon(&p, &unwrap).map(|p| polygons.extend(p)),
        };
        if let Err(e) = result {
            error.get_or_insert(e);
        }
    });
    if let Some(error) = error {
        return Err(error);
    }
    let kinds = [!polygons.is_empty(), !lines.is_empty(), !points.is_empty()]
        .iter()
        .filter(|k| **k)
        .count();
    let mut members = points;
    if !lines.is_empty() {
        members.push(Shape::MultiLineString(MultiLineString::new(lines)));
    }
    if !polygons.is_empty() {
        members.push(match polygons.len() {
            1 => Shape::Polygon(polygons.remove(0)),
            _ => Shape::MultiPolygon(MultiPolygon::new(polygons)),
        });
    }
    Ok(match (kinds, members.len()) {
        (1, 1) => members.remove(0),
        _ => Shape::GeometryCollection(GeometryCollection::new_from(members)),
    })
}

fn jumps(line: &LineString) -> bool {
    line.lines().any(|edge| (edge.end.x - edge.start.x).abs() > 180.0)
}

/// The image of a line, continuous: longitudes run on beyond ±180° where it crosses the antimeridian.
fn unwrap(line: &LineString, projection: &Projection<'_>) -> Result<LineString> {
    let image = |c: Coord| projection.position(c);
    let mut out: Vec<Coord> = Vec::new();
    let mut longitude = Continuous::default();
    let mut previous: Option<(Coord, Coord)> = None;
    for &source in line.coords() {
        let target = image(source)?;
        let mut steps = vec![target];
        if let Some((source_before, target_before)) = previous
            && (target.x - target_before.x).abs() > 180.0
        {
            let between = |i: usize| {
                let t = i as f64 / PIECES as f64;
                source_before + (source - source_before) * t
            };
            steps = (1..PIECES).map(|i| image(between(i))).collect::<Result<_>>()?;
            steps.push(target);
        }
        out.extend(steps.into_iter().map(|step| Coord {
            x: longitude.next(step.x),
            y: step.y,
        }));
        previous = Some((source, target));
    }
    Ok(LineString::new(out))
}

/// The pieces of a polygon between −180° and 180°.
fn polygon(polygon: &Polygon, unwrap: &impl Fn(&LineString) -> Result<LineString>) -> Result<Vec<Polygon>> {
    let mut whole = ring(unwrap(polygon.exterior())?)?;
    for hole in polygon.interiors() {
        whole = overlay(&whole, &ring(unwrap(hole)?)?, WHAT, |a, b| a.difference(b))?;
    }
    let mut out = Vec::new();
    for_each_part(&whole, &mut |part| {
        if let Part::Polygon(p) = part {
            out.push(p.into_owned());
        }
    });
    Ok(out)
}

/// What a continuous ring encloses. One that ends 360° from where it began runs around a pole: the one on whose side
/// it lies.
fn ring(ring: LineString) -> Result<Shape<f64>> {
    if ring.0.is_empty() {
        return Ok(Shape::MultiPolygon(MultiPolygon::new(Vec::new())));
    }
    let (ring, around) = closed(ring.0);
    let pieces = cut(&Shape::Polygon(Polygon::new(ring, Vec::new())))?;
    if !around {
        return Ok(pieces);
    }
    // The pieces meet where the ring began, which is nothing special: unite them there.
    let Shape::MultiPolygon(pieces) = pieces else {
        return Ok(pieces);
    };
    let mut whole = Shape::MultiPolygon(MultiPolygon::new(Vec::new()));
    for piece in pieces {
        whole = overlay(&whole, &Shape::Polygon(piece), WHAT, |a, b| a.union(b))?;
    }
    Ok(whole)
}

/// The parts of a continuous shape in each turn of 360°, moved to between −180° and 180°.
fn cut(shape: &Shape<f64>) -> Result<Shape<f64>> {
    let Some(bounds) = shape_bounds(shape) else {
        return Ok(shape.clone());
    };
    let mut members = Vec::new();
    for (offset, map) in maps(bounds.min_x, bounds.max_x) {
        let piece = overlay(shape, &Shape::Polygon(map.to_polygon()), WHAT, |a, b| {
            a.intersection(b)
        })?;
        let moved = geo::MapCoords::map_coords(&piece, |c| Coord {
            x: c.x - offset,
            y: c.y,
        });
        if geo::CoordsIter::coords_count(&moved) > 0 {
            members.push(moved);
        }
    }
    match members.len() {
        1 => Ok(members.remove(0)),
        _ => {
            // Pieces touch at most at the antimeridian, where they are to stay apart: collect, do not unite.
            let (mut polygons, mut lines) = (Vec::new(), Vec::new());
            for member in &members {
                collect_lines(member, &mut lines);
                for_each_part(member, &mut |part| {
                    if let Part::Polygon(p) = part {
                        polygons.push(p.into_owned());
                    }
                });
            }
            Ok(match polygons.is_empty() {
                false => Shape::MultiPolygon(MultiPolygon::new(polygons)),
                true => Shape::MultiLineString(MultiLineString::new(lines)),
            })
        }
    }
}

fn collect_lines(shape: &Shape<f64>, out: &mut Vec<LineString>) {
    for_each_part(shape, &mut |part| {
        if let Part::Line(line) = part {
            out.push(line.into_owned());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::Geometry;
    use crate::raster::Crs;

    fn from(epsg: &str, text: &str) -> Geometry {
        let g = Geometry {
            crs: Some(Crs::parse(epsg).unwrap()),
            ..Geometry::from_wkt(text).unwrap()
        };
        g.to_crs(&Crs::wgs84().unwrap(), None).unwrap()
    }

    fn point(x: f64, y: f64) -> Geometry {
        Geometry::point(x, y, Some(Crs::wgs84().unwrap())).unwrap()
    }

    #[test]
    fn a_square_around_the_south_pole() {
        let square =
            "(-1000000 -1000000, 1000000 -1000000, 1000000 1000000, -1000000 1000000, -1000000 -1000000)";
        let g = from("EPSG:3031", &format!("POLYGON ({square})"));
        assert_eq!(g.validity(), None);
        for lon in [-179.0, -90.0, 0.5, 100.0, 179.5] {
            assert!(g.contains(&point(lon, -89.0)).unwrap(), "{lon} {}", g.to_wkt());
            assert!(!g.contains(&point(lon, -70.0)).unwrap());
        }
        assert_eq!(g.bounds().unwrap().min_y, -90.0);
        // With a hole at the pole it is a ring.
        let hole = "(-100000 -100000, 100000 -100000, 100000 100000, -100000 100000, -100000 -100000)";
        let ring = from("EPSG:3031", &format!("POLYGON ({square}, {hole})"));
        assert!(
            ring.contains(&point(100.0, -85.0)).unwrap() && !ring.contains(&point(100.0, -89.9)).unwrap()
        );
    }

    #[test]
    fn a_square_on_the_antimeridian_is_cut() {
        // x = −y·… in EPSG:3031 longitude 180 is the negative y axis.
        let g = from(
            "EPSG:3031",
            "POLYGON ((-200000 -900000, 200000 -900000, 200000 -500000, -200000 -500000, -200000 -900000))",
        );
        assert_eq!(
            (g.type_name(), g.parts().len(), g.validity()),
            ("MultiPolygon", 2, None)
        );
        assert!(g.contains(&point(179.0, -83.5)).unwrap() && g.contains(&point(-179.0, -83.5)).unwrap());
        assert!(!g.contains(&point(0.0, -83.5)).unwrap());
        let line = from("EPSG:3031", "LINESTRING (-200000 -700000, 200000 -700000)");
        assert_eq!(line.type_name(), "MultiLineString");
        assert!(
            line.parts().iter().all(|p| p.bounds().unwrap().width() < 20.0),
            "{}",
            line.to_wkt()
        );
    }

    #[test]
    fn the_whole_world_is_not_a_crossing() {
        let e = 20037508.342789244;
        let g = from(
            "EPSG:3857",
            &format!("POLYGON ((-{e} -5000000, {e} -5000000, {e} 5000000, -{e} 5000000, -{e} -5000000))"),
        );
        assert!(
            g.contains(&point(0.0, 0.0)).unwrap() && g.contains(&point(-170.0, 10.0)).unwrap(),
            "{}",
            g.to_wkt()
        );
        assert!(g.bounds().unwrap().width() > 359.999);
    }

    #[test]
    fn shapes_far_from_it_keep_their_type() {
        let g = from("EPSG:32632", "MULTIPOINT (500000 5000000, 510000 5000000)");
        assert_eq!(g.type_name(), "MultiPoint");
    }
}
