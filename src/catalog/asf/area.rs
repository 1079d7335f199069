//! The area of a search as CMR takes it: a point, a line, a box or one simple polygon of few corners. What the request
//! cannot say exactly is asked for more widely, and checked afterwards.

use geo::{Area, BoundingRect, ConvexHull, Coord, CoordsIter, Geometry, LineString, MultiPolygon, Polygon};

use crate::catalog::footprint;
use crate::error::{Error, Result};

/// CMR times out on polygons with many corners; asf_search stays below 300, which is slow already.
const MOST_CORNERS: usize = 100;

/// One request's area. `exact` is false where it is wider than what the user asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub fields: Vec<(String, String)>,
    pub exact: bool,
}

/// The areas to ask for one after the other: two where the area lies on both sides of the antimeridian.
///
/// # Errors
/// When the area is empty or no longitudes and latitudes.
pub fn requests(area: &Geometry) -> Result<Vec<Asked>> {
    if area.coords_count() == 0 {
        return Err(Error::argument("intersectsWith", "an area", "an empty geometry"));
    }
    let settled = footprint::settle_area(area).map_err(|e| Error::message(format!("intersectsWith: {e}")))?;
    Ok(match &settled {
        Geometry::Point(p) => vec![exact("point", format!("{},{}", p.x(), p.y()))],
        Geometry::MultiPoint(m) if m.0.len() == 1 => {
            vec![exact("point", format!("{},{}", m.0[0].x(), m.0[0].y()))]
        }
        Geometry::LineString(line) if line.0.len() <= MOST_CORNERS => vec![exact("line", corners(line))],
        Geometry::Polygon(p) => vec![ring(p)],
        Geometry::MultiPolygon(m) => sides(m),
        other => {
            let hull = other.convex_hull();
            let mut asked = ring(&hull);
            asked.exact = false;
            vec![asked]
        }
    })
}

fn exact(name: &str, value: String) -> Asked {
    Asked {
        fields: vec![(name.to_string(), value)],
        exact: true,
    }
}

/// A box is asked for as a box; holes and fine corners are left to the check.
fn ring(p: &Polygon) -> Asked {
    if let Some(b) = p.bounding_rect()
        && (b.to_polygon().unsigned_area() - p.unsigned_area()).abs()
            <= 1e-12 * b.to_polygon().unsigned_area()
        && p.interiors().is_empty()
    {
        let text = format!("{},{},{},{}", b.min().x, b.min().y, b.max().x, b.max().y);
        return exact("bounding_box", text);
    }
    let outer = Polygon::new(p.exterior().clone(), Vec::new());
    let simple = wider(&outer);
    let same = simple == outer && p.interiors().is_empty();
    // CMR wants corners against the clock.
    use geo::orient::{Direction, Orient};
    let ring = simple.orient(Direction::Default);
    Asked {
        fields: vec![("polygon".to_string(), corners(ring.exterior()))],
        exact: same,
    }
}

/// A polygon of at most `MOST_CORNERS` that holds all of `p`: dents are filled, smallest first; where that is not enough, the convex hull
/// is taken, and its shortest sides are cut off by drawing their neighbours out until they meet.
fn wider(p: &Polygon) -> Polygon {
    if p.exterior().0.len() <= MOST_CORNERS {
        return p.clone();
    }
    let hull = p.convex_hull();
    let filled = outward(p, &hull);
    match filled.exterior().0.len() <= MOST_CORNERS {
        true => filled,
        false => around(&hull),
    }
}

/// A convex polygon of few corners around a convex polygon.
fn around(hull: &Polygon) -> Polygon {
    let mut corners: Vec<Coord> = hull.exterior().0.clone();
    corners.pop();
    while corners.len() >= MOST_CORNERS {
        let n = corners.len();
        // Without the side from i to i+1, its two neighbours meet at the tip of a triangle over it.
        let tip = |i: usize| -> Option<(f64, Coord)> {
            let [a, b, c, d] = [(i + n - 1) % n, i, (i + 1) % n, (i + 2) % n].map(|k| corners[k]);
            let (u, v) = (b - a, c - d);
            let across = u.x * v.y - u.y * v.x;
            let t = ((c.x - b.x) * v.y - (c.y - b.y) * v.x) / across;
            let tip = b + u * t;
            let area = ((c.x - b.x) * (tip.y - b.y) - (c.y - b.y) * (tip.x - b.x)).abs();
            (t.is_finite() && t >= 0.0 && tip.y.abs() <= 90.0 && tip.x.abs() <= 180.0).then_some((area, tip))
        };
        let best = (0..n)
            .filter_map(|i| tip(i).map(|(area, tip)| (area, i, tip)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, i, tip)) = best else {
            return hull
                .bounding_rect()
                .map_or_else(|| hull.clone(), |b| b.to_polygon());
        };
        corners[i] = tip;
        corners.remove((i + 1) % n);
    }
    Polygon::new(LineString::new(corners), Vec::new())
}

/// Drops the corners that dent inwards, smallest first, until few are left: every drop only adds area.
fn outward(p: &Polygon, hull: &Polygon) -> Polygon {
    use geo::orient::{Direction, Orient};
    let ring = p.orient(Direction::Default);
    let mut corners: Vec<geo::Coord> = ring.exterior().0.clone();
    corners.pop();
    while corners.len() >= MOST_CORNERS {
        let n = corners.len();
        // Against the clock, a dent turns right: the triangle over it is outside and may be added.
        let dent = |i: usize| {
            let (a, b, c) = (corners[(i + n - 1) % n], corners[i], corners[(i + 1) % n]);
            (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
        };
        let best = (0..n)
            .filter(|&i| dent(i) <= 0.0)
            .max_by(|&a, &b| dent(a).total_cmp(&dent(b)));
        let Some(best) = best else {
            return hull.clone();
        };
        corners.remove(best);
    }
    let out = Polygon::new(LineString::new(corners), Vec::new());
    // Dropping may have made the outline cross itself, where dents face each other.
    match geo::Validation::is_valid(&out) {
        true => out,
        false => hull.clone(),
    }
}

/// Many polygons: one request for each side of the antimeridian, for the hull of what lies there; one polygon a side stays itself.
fn sides(m: &MultiPolygon) -> Vec<Asked> {
    let (west, east): (Vec<&Polygon>, Vec<&Polygon>) =
        m.0.iter()
            .partition(|p| p.bounding_rect().is_some_and(|b| b.center().x < 0.0));
    let touches = |side: &[&Polygon], x: f64| {
        side.iter()
            .any(|p| p.exterior().0.iter().any(|c| (c.x - x).abs() < 1e-9))
    };
    let groups = match touches(&west, -180.0) && touches(&east, 180.0) {
        true => vec![west, east],
        false => vec![m.0.iter().collect()],
    };
    groups
        .into_iter()
        .filter(|g| !g.is_empty())
        .map(|group| match group.as_slice() {
            [one] => ring(one),
            many => {
                let all = MultiPolygon::new(many.iter().map(|p| (*p).clone()).collect());
                let mut asked = ring(&wider(&all.convex_hull()));
                asked.exact = false;
                asked
            }
        })
        .collect()
}

fn corners(line: &LineString) -> String {
    let text: Vec<String> = line.0.iter().map(|c| format!("{},{}", c.x, c.y)).collect();
    text.join(",")
}

#[cfg(test)]
mod tests {
    use geo::{Contains, Relate};

    use super::*;

    /// A star with `n` points, seen from which every kind of corner occurs.
    fn star(n: usize) -> Polygon {
        let ring: Vec<Coord> = (0..2 * n)
            .map(|i| {
                let (r, a) = (
                    if i % 2 == 0 { 10.0 } else { 9.0 },
                    std::f64::consts::PI * i as f64 / n as f64,
                );
                Coord {
                    x: -100.0 + r * a.cos(),
                    y: 40.0 + r * a.sin(),
                }
            })
            .collect();
        Polygon::new(LineString::new(ring), Vec::new())
    }

    #[test]
    fn boxes_points_and_small_polygons_are_asked_exactly() {
        let area = footprint::from_bbox([-118.1, 34.7, -118.0, 34.9]).unwrap();
        let asked = requests(&area).unwrap();
        assert_eq!(asked, vec![exact("bounding_box", "-118.1,34.7,-118,34.9".into())]);
        let asked = requests(&Geometry::Point((-118.05, 34.8).into())).unwrap();
        assert_eq!(
            asked[0].fields[0],
            ("point".to_string(), "-118.05,34.8".to_string())
        );
        let clockwise = Polygon::new(vec![(0.0, 0.0), (0.0, 2.0), (3.0, 0.0)].into(), Vec::new());
        let asked = requests(&Geometry::Polygon(clockwise)).unwrap();
        assert!(asked[0].exact);
        assert_eq!(asked[0].fields[0].1.split(',').count(), 8);
        assert!(asked[0].fields[0].1.starts_with("0,0,3,0,0,2"), "{asked:?}");
    }

    #[test]
    fn a_wider_area_holds_the_whole() {
        for n in [40, 60, 200, 1000] {
            let star = star(n);
            let wide = wider(&star);
            assert!(
                wide.exterior().0.len() <= MOST_CORNERS + 1,
                "{n}: {}",
                wide.exterior().0.len()
            );
            assert!(
                star.exterior()
                    .0
                    .iter()
                    .all(|c| wide.relate(&geo::Point::from(*c)).is_intersects()
                        || geo::Distance::distance(&geo::Euclidean, &wide, &geo::Point::from(*c)) < 1e-9),
                "{n}"
            );
            assert!(wide.unsigned_area() < 1.35 * star.unsigned_area(), "{n}");
            assert!(wide.contains(&geo::Point::new(-100.0, 40.0)));
        }
        assert!(!requests(&Geometry::Polygon(star(200))).unwrap()[0].exact);
    }

    #[test]
    fn an_area_over_the_antimeridian_is_asked_for_in_two() {
        let area = footprint::from_bbox([177.0, -20.0, -178.0, -15.0]).unwrap();
        let asked = requests(&area).unwrap();
        let mut boxes: Vec<&str> = asked.iter().map(|a| a.fields[0].1.as_str()).collect();
        boxes.sort_unstable();
        assert_eq!(boxes, ["-180,-20,-178,-15", "177,-20,180,-15"]);
    }
}
