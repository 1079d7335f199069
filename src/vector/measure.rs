//! Sizes and derived shapes: area, length, distance, centroid, hull, simplification.
//!
//! In longitude and latitude areas and lengths are geodesic, on the WGS 84 ellipsoid, in m² and m; in other CRSs (and
//! without one) planar, in the CRS's units.
//!
//! Source of the geodesic ones: C. F. F. Karney, Algorithms for geodesics, Journal of Geodesy 87, 2013,
//! doi:10.1007/s00190-012-0578-z.

use geo::{
    Area, Centroid, ConvexHull, Distance, Euclidean, Geodesic, GeodesicArea, Geometry as Shape,
    InteriorPoint, Length, LineString, Point, Polygon, Simplify,
};

use super::geometry::{Part, for_each_part};
use super::{Geometry, overlay};
use crate::error::{Error, Result};

impl Geometry {
    /// Area of the polygons, holes left out; 0 for points and lines. The winding of rings does not matter. In longitude and
    /// latitude a ring may not enclose more than half of the Earth.
    pub fn area(&self) -> f64 {
        let geographic = self.is_geographic();
        let mut sum = 0.0;
        for_each_part(&self.shape, &mut |part| {
            if let Part::Polygon(polygon) = part {
                sum += match geographic {
                    true => geodesic_area(&polygon),
                    false => polygon.unsigned_area(),
                };
            }
        });
        sum
    }

    /// Length of lines and perimeter of polygons, holes included; 0 for points.
    pub fn length(&self) -> f64 {
        let geographic = self.is_geographic();
        let of = |line: &LineString| match geographic {
            true => Geodesic.length(line),
            false => Euclidean.length(line),
        };
        let mut sum = 0.0;
        for_each_part(&self.shape, &mut |part| match part {
            Part::Point(_) => {}
            Part::Line(line) => sum += of(&line),
            Part::Polygon(p) => sum += of(p.exterior()) + p.interiors().iter().map(of).sum::<f64>(),
        });
        sum
    }

    /// The shortest distance between two geometries, 0 where they meet.
    ///
    /// # Errors
    /// When the CRSs differ, one geometry is empty or not even that (a line of one vertex), or they are in longitude and
    /// latitude and not both points.
    pub fn distance(&self, other: &Geometry) -> Result<f64> {
        let crs = self.common_crs(other)?;
        if self.is_empty() || other.is_empty() {
            return Err(Error::argument(
                "geometry",
                "one that is not empty",
                "an empty one",
            ));
        }
        if !crs.is_some_and(|crs| crs.is_geographic()) {
            return overlay::distance(&self.shape, &other.shape);
        }
        match (&self.shape, &other.shape) {
            (Shape::Point(a), Shape::Point(b)) => Ok(Geodesic.distance(*a, *b)),
            _ => Err(Error::message(
                "distances in longitude and latitude are between points only; \
                 bring both geometries into a projected CRS first: `g:to_crs(\"EPSG:…\")`",
            )),
        }
    }

    /// Centre of mass of the parts of the highest dimension, in the plane of the coordinates; None for an empty geometry.
    pub fn centroid(&self) -> Option<Geometry> {
        self.shape.centroid().map(|p| self.with_shape(p))
    }

    /// A point that surely lies in the geometry, also where the centroid does not; None for an empty geometry.
    pub fn interior_point(&self) -> Option<Geometry> {
        self.shape.interior_point().map(|p| self.with_shape(p))
    }

    /// The smallest convex polygon around all vertices, in the plane of the coordinates.
    pub fn convex_hull(&self) -> Geometry {
        self.with_shape(self.shape.convex_hull())
    }

    /// Lines and rings with fewer vertices, none of the removed ones farther than `tolerance` (CRS units; degrees in longitude
    /// and latitude) from the new line. Rings keep at least a triangle. The result of a polygon may cross itself where
    /// the tolerance is coarser than its shape: see `validity`.
    ///
    /// Source: D. H. Douglas and T. K. Peucker, Cartographica 10, 1973, doi:10.3138/FM57-6770-U75U-7727.
    ///
    /// # Errors
    /// When the tolerance is negative or not finite.
    pub fn simplify(&self, tolerance: f64) -> Result<Geometry> {
        if !(tolerance.is_finite() && tolerance >= 0.0) {
            return Err(Error::argument(
                "tolerance",
                "a number of at least 0, in CRS units",
                tolerance,
            ));
        }
        Ok(self.with_shape(simplify(&self.shape, tolerance)))
    }

    pub(super) fn with_shape(&self, shape: impl Into<Shape<f64>>) -> Geometry {
        Geometry {
            shape: shape.into(),
            crs: self.crs.clone(),
        }
    }
}

/// Each ring by itself, because files do not agree on the winding of holes.
fn geodesic_area(polygon: &Polygon) -> f64 {
    let of = |ring: &LineString| {
        Polygon::new(ring.clone(), Vec::new())
            .geodesic_area_signed()
            .abs()
    };
    of(polygon.exterior()) - polygon.interiors().iter().map(of).sum::<f64>()
}

fn simplify(shape: &Shape<f64>, tolerance: f64) -> Shape<f64> {
    match shape {
        Shape::LineString(l) => Shape::LineString(l.simplify(tolerance)),
        Shape::MultiLineString(l) => Shape::MultiLineString(l.simplify(tolerance)),
        Shape::Polygon(p) => Shape::Polygon(p.simplify(tolerance)),
        Shape::MultiPolygon(p) => Shape::MultiPolygon(p.simplify(tolerance)),
        Shape::GeometryCollection(c) => {
            Shape::GeometryCollection(c.iter().map(|g| simplify(g, tolerance)).collect())
        }
        other => other.clone(),
    }
}

/// Geodesic distance in metres between two positions in degrees.
pub(super) fn geodesic_distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    Geodesic.distance(Point::from(a), Point::from(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Crs;

    fn lonlat(text: &str) -> Geometry {
        Geometry {
            crs: Some(Crs::wgs84().unwrap()),
            ..Geometry::from_wkt(text).unwrap()
        }
    }

    #[test]
    fn planar_sizes() {
        let g =
            Geometry::from_wkt("POLYGON ((0 0, 0 10, 10 10, 10 0, 0 0), (2 2, 4 2, 4 4, 2 4, 2 2))").unwrap();
        assert_eq!((g.area(), g.length()), (96.0, 48.0));
        // (100·(5, 5) − 4·(3, 3)) / 96
        let c = g.centroid().unwrap();
        assert!(
            matches!(c.shape, Shape::Point(p) if (p.x() - 488.0 / 96.0).abs() < 1e-12 && (p.y() - p.x()).abs() < 1e-12)
        );
        let far = Geometry::from_wkt("POINT (13 14)").unwrap();
        assert_eq!(g.distance(&far).unwrap(), 5.0);
        // In the hole: the distance to its edge.
        assert_eq!(
            g.distance(&Geometry::from_wkt("POINT (3 3)").unwrap()).unwrap(),
            1.0
        );
        assert!(g.distance(&Geometry::from_wkt("POINT EMPTY").unwrap()).is_err());
        assert!(Geometry::from_wkt("POLYGON EMPTY").unwrap().centroid().is_none());
        assert_eq!(Geometry::from_wkt("POINT (1 2)").unwrap().area(), 0.0);
    }

    #[test]
    fn geodesic_sizes() {
        // The hemisphere north of the equator, as four quarters: half of the ellipsoid's surface (5.10065621724089e14 m², Karney 2013).
        let quarter = lonlat("POLYGON ((0 0, 90 0, 0 90, 0 0))").area();
        assert!(
            (quarter * 8.0 / 5.10065621724089e14 - 1.0).abs() < 1e-12,
            "{quarter}"
        );
        // The equator's length is 2π·6378137 m, the meridian quadrant 10001965.7293 m.
        let equator = lonlat("LINESTRING (0 0, 90 0, 180 0)").length();
        assert!((equator - std::f64::consts::PI * 6378137.0).abs() < 1e-3);
        let meridian = lonlat("POINT (5 0)").distance(&lonlat("POINT (5 90)")).unwrap();
        assert!((meridian - 10001965.7293).abs() < 1e-3);
        // Winding of rings does not matter, holes count.
        let ring = "(0 0, 1 0, 1 1, 0 1, 0 0)";
        let reversed = "(0 0, 0 1, 1 1, 1 0, 0 0)";
        let hole = "(0.2 0.2, 0.4 0.2, 0.4 0.4, 0.2 0.4, 0.2 0.2)";
        let area = lonlat(&format!("POLYGON ({ring})")).area();
        assert_eq!(area, lonlat(&format!("POLYGON ({reversed})")).area());
        let with_hole = lonlat(&format!("POLYGON ({ring}, {hole})")).area();
        assert!((area - with_hole - lonlat(&format!("POLYGON ({hole})")).area()).abs() < 1.0);
        let error = lonlat("LINESTRING (0 0, 1 1)")
            .distance(&lonlat("POINT (5 90)"))
            .unwrap_err();
        assert!(error.to_string().contains("to_crs"));
    }

    #[test]
    fn antarctica_encloses_its_pole() {
        let quarter =
            lonlat("POLYGON ((-180 -60, -90 -60, 0 -60, 90 -60, 180 -60, 180 -90, -180 -90, -180 -60))");
        // Geodesics between these four points run south of the parallel: less than the cap's area, more than that south of 75°.
        let cap =
            |lat: f64| 2.0 * std::f64::consts::PI * 6371007.2f64.powi(2) * (1.0 - lat.to_radians().sin());
        assert!(
            quarter.area() < cap(60.0) && quarter.area() > cap(75.0),
            "{}",
            quarter.area()
        );
    }

    #[test]
    fn simplified_within_the_tolerance() {
        let g = Geometry::from_wkt("LINESTRING (0 0, 1 0.1, 2 -0.1, 3 5, 4 6, 5 7, 6 8.1, 7 9, 8 9, 9 9)")
            .unwrap();
        assert_eq!(
            g.simplify(1.0).unwrap().to_wkt(),
            "LINESTRING (0 0, 2 -0.1, 3 5, 7 9, 9 9)"
        );
        assert_eq!(g.simplify(0.0).unwrap(), g);
        assert!(g.simplify(f64::NAN).is_err());
    }

    #[test]
    fn hull_and_interior_point() {
        let g = Geometry::from_wkt("MULTIPOINT (0 0, 4 0, 2 1, 4 4, 0 4)").unwrap();
        assert_eq!(g.convex_hull().area(), 16.0);
        let u = Geometry::from_wkt("POLYGON ((0 0, 9 0, 9 9, 8 9, 8 1, 1 1, 1 9, 0 9, 0 0))").unwrap();
        assert!(!u.contains(&u.centroid().unwrap()).unwrap());
        assert!(u.contains(&u.interior_point().unwrap()).unwrap());
    }
}
