//! A shape in the plane with the CRS of its coordinates.

use std::fmt;

use geo::{BoundingRect, CoordsIter, Rect};

use crate::earth::antimeridian::ranges;
use crate::error::{Error, Result};
use crate::raster::{Bounds, Crs};

/// A geometry: x is easting or longitude, y northing or latitude. Z and M are not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// Never a Line, Rect or Triangle: these are a LineString and Polygons.
    pub(super) shape: geo::Geometry<f64>,
    /// None for coordinates of no stated CRS.
    pub crs: Option<Crs>,
}

impl Geometry {
    pub fn new(shape: impl Into<geo::Geometry<f64>>, crs: Option<Crs>) -> Geometry {
        Geometry {
            shape: plain(shape.into()),
            crs,
        }
    }

    /// The same coordinates, said to be in another CRS; nothing is transformed.
    pub fn with_crs(self, crs: Crs) -> Geometry {
        Geometry {
            crs: Some(crs),
            ..self
        }
    }

    pub fn shape(&self) -> &geo::Geometry<f64> {
        &self.shape
    }

    /// # Errors
    /// When a coordinate is not finite.
    pub fn point(x: f64, y: f64, crs: Option<Crs>) -> Result<Geometry> {
        if !(x.is_finite() && y.is_finite()) {
            return Err(Error::argument(
                "point",
                "two finite numbers (x, y)",
                format!("({x}, {y})"),
            ));
        }
        Ok(Geometry::new(geo::Point::new(x, y), crs))
    }

    /// A rectangle. In longitude and latitude one whose `min_x` is greater than its `max_x` crosses the antimeridian
    /// and becomes two, on either side of it (as in GeoJSON, RFC 7946 section 5.2).
    ///
    /// # Errors
    /// When a coordinate is not finite, min is not below max, or a longitude or latitude is beyond 180 or 90 degrees.
    pub fn bbox(bounds: Bounds, crs: Option<Crs>) -> Result<Geometry> {
        let Bounds {
            min_x,
            min_y,
            max_x,
            max_y,
        } = bounds;
        let geographic = crs.as_ref().is_some_and(Crs::is_geographic);
        let got = || format!("({min_x}, {min_y}, {max_x}, {max_y})");
        let finite = [min_x, min_y, max_x, max_y].iter().all(|v| v.is_finite());
        if !finite || min_y >= max_y || min_x == max_x || (min_x > max_x && !geographic) {
            return Err(Error::argument(
                "bounds",
                "(min x, min y, max x, max y), min below max",
                got(),
            ));
        }
        if geographic && (min_x.abs().max(max_x.abs()) > 180.0 || min_y.abs().max(max_y.abs()) > 90.0) {
            return Err(Error::argument(
                "bounds",
                "longitudes within ±180 and latitudes within ±90 (give the CRS if these are other coordinates)",
                got(),
            ));
        }
        let rectangle = |x0: f64, x1: f64| Rect::new((x0, min_y), (x1, max_y)).to_polygon();
        if min_x < max_x {
            return Ok(Geometry::new(rectangle(min_x, max_x), crs));
        }
        let parts = ranges(min_x, max_x);
        let parts = parts
            .iter()
            .filter(|(x0, x1)| x0 < x1)
            .map(|&(x0, x1)| rectangle(x0, x1))
            .collect();
        Ok(Geometry::new(geo::MultiPolygon::new(parts), crs))
    }

    /// `Point`, `LineString`, `Polygon`, `MultiPoint`, `MultiLineString`, `MultiPolygon` or `GeometryCollection`.
    pub fn type_name(&self) -> &'static str {
        type_name(&self.shape)
    }

    /// None for an empty geometry.
    pub fn bounds(&self) -> Option<Bounds> {
        shape_bounds(&self.shape)
    }

    pub fn vertex_count(&self) -> usize {
        self.shape.coords_count()
    }

    pub fn is_empty(&self) -> bool {
        self.vertex_count() == 0
    }

    /// The members of a multi-part geometry or collection, nested ones too; a simple geometry itself.
    pub fn parts(&self) -> Vec<Geometry> {
        let mut shapes = Vec::new();
        collect_parts(&self.shape, &mut shapes);
        shapes
            .into_iter()
            .map(|shape| Geometry {
                shape,
                crs: self.crs.clone(),
            })
            .collect()
    }

    /// The CRS of both, for operations on two geometries. A geometry without CRS goes with any.
    ///
    /// # Errors
    /// When both have one and they differ.
    pub(super) fn common_crs(&self, other: &Geometry) -> Result<Option<Crs>> {
        match (&self.crs, &other.crs) {
            (Some(a), Some(b)) if a != b => Err(Error::message(format!(
                "the geometries lie in different coordinate reference systems, {a} and {b}; \
                 bring one into the other first: `b:to_crs(a)`"
            ))),
            (a, b) => Ok(a.as_ref().or(b.as_ref()).cloned()),
        }
    }

    pub(super) fn is_geographic(&self) -> bool {
        self.crs.as_ref().is_some_and(Crs::is_geographic)
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name())?;
        match (&self.shape, self.bounds()) {
            (_, None) => f.write_str(", empty")?,
            (geo::Geometry::Point(p), _) => write!(f, " ({}, {})", p.x(), p.y())?,
            (_, Some(bounds)) => write!(f, " of {} vertices, {bounds}", self.vertex_count())?,
        }
        match &self.crs {
            Some(crs) => write!(f, ", {crs}"),
            None => f.write_str(", no CRS"),
        }
    }
}

/// The seven types of the standards instead of geo's ten.
pub(super) fn plain(shape: geo::Geometry<f64>) -> geo::Geometry<f64> {
    use geo::Geometry::*;
    match shape {
        Line(l) => LineString(l.into()),
        Rect(r) => Polygon(r.to_polygon()),
        Triangle(t) => Polygon(t.to_polygon()),
        GeometryCollection(c) => GeometryCollection(c.into_iter().map(plain).collect()),
        other => other,
    }
}

pub(super) fn shape_bounds(shape: &geo::Geometry<f64>) -> Option<Bounds> {
    shape.bounding_rect().map(|r| Bounds {
        min_x: r.min().x,
        min_y: r.min().y,
        max_x: r.max().x,
        max_y: r.max().y,
    })
}

pub(super) fn type_name(shape: &geo::Geometry<f64>) -> &'static str {
    use geo::Geometry::*;
    match shape {
        Point(_) => "Point",
        Line(_) | LineString(_) => "LineString",
        Polygon(_) | Rect(_) | Triangle(_) => "Polygon",
        MultiPoint(_) => "MultiPoint",
        MultiLineString(_) => "MultiLineString",
        MultiPolygon(_) => "MultiPolygon",
        GeometryCollection(_) => "GeometryCollection",
    }
}

pub(super) fn collect_parts(shape: &geo::Geometry<f64>, out: &mut Vec<geo::Geometry<f64>>) {
    use geo::Geometry::*;
    match shape {
        MultiPoint(m) => out.extend(m.iter().map(|p| Point(*p))),
        MultiLineString(m) => out.extend(m.iter().map(|l| LineString(l.clone()))),
        MultiPolygon(m) => out.extend(m.iter().map(|p| Polygon(p.clone()))),
        GeometryCollection(c) => c.iter().for_each(|g| collect_parts(g, out)),
        Line(l) => out.push(LineString((*l).into())),
        Rect(r) => out.push(Polygon(r.to_polygon())),
        Triangle(t) => out.push(Polygon(t.to_polygon())),
        simple => out.push(simple.clone()),
    }
}

/// Polygons, lines and points of a shape, borrowed where they are stored as such.
pub(super) enum Part<'a> {
    Point(geo::Point),
    Line(std::borrow::Cow<'a, geo::LineString>),
    Polygon(std::borrow::Cow<'a, geo::Polygon>),
}

pub(super) fn for_each_part<'a>(shape: &'a geo::Geometry<f64>, visit: &mut impl FnMut(Part<'a>)) {
    use geo::Geometry::*;
    use std::borrow::Cow::{Borrowed, Owned};
    match shape {
        Point(p) => visit(Part::Point(*p)),
        Line(l) => visit(Part::Line(Owned((*l).into()))),
        LineString(l) => visit(Part::Line(Borrowed(l))),
        Polygon(p) => visit(Part::Polygon(Borrowed(p))),
        Rect(r) => visit(Part::Polygon(Owned(r.to_polygon()))),
        Triangle(t) => visit(Part::Polygon(Owned(t.to_polygon()))),
        MultiPoint(m) => m.iter().for_each(|p| visit(Part::Point(*p))),
        MultiLineString(m) => m.iter().for_each(|l| visit(Part::Line(Borrowed(l)))),
        MultiPolygon(m) => m.iter().for_each(|p| visit(Part::Polygon(Borrowed(p)))),
        GeometryCollection(c) => c.iter().for_each(|g| for_each_part(g, visit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_over_the_antimeridian_is_two() {
        let bounds = Bounds {
            min_x: 170.0,
            min_y: -20.0,
            max_x: -175.0,
            max_y: 5.0,
        };
        let g = Geometry::bbox(bounds, Some(Crs::wgs84().unwrap())).unwrap();
        assert_eq!((g.type_name(), g.parts().len()), ("MultiPolygon", 2));
        assert_eq!(
            g.parts()[1].bounds(),
            Some(Bounds {
                min_x: -180.0,
                max_x: -175.0,
                ..bounds
            })
        );
        let error = Geometry::bbox(bounds, Some(Crs::parse("EPSG:32601").unwrap()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("min below max, got (170, -20, -175, 5)"),
            "{error}"
        );
        let far = Bounds {
            min_x: 500000.0,
            min_y: 0.0,
            max_x: 600000.0,
            max_y: 1.0,
        };
        assert!(
            Geometry::bbox(far, Some(Crs::wgs84().unwrap()))
                .unwrap_err()
                .to_string()
                .contains("give the CRS")
        );
        assert!(Geometry::bbox(far, None).is_ok());
        assert!(Geometry::point(f64::NAN, 0.0, None).is_err());
    }

    #[test]
    fn parts_are_flattened_and_text_is_short() {
        let g = Geometry::from_wkt(
            "GEOMETRYCOLLECTION (POINT (1 2), MULTILINESTRING ((0 0, 1 1), (2 2, 3 3, 4 4)))",
        )
        .unwrap();
        assert_eq!(
            g.parts().iter().map(Geometry::type_name).collect::<Vec<_>>(),
            ["Point", "LineString", "LineString"]
        );
        assert_eq!(
            g.to_string(),
            "GeometryCollection of 6 vertices, x 0..4, y 0..4, no CRS"
        );
        assert_eq!(g.parts()[0].to_string(), "Point (1, 2), no CRS");
        assert_eq!(
            Geometry::from_wkt("POLYGON EMPTY").unwrap().to_string(),
            "Polygon, empty, no CRS"
        );
    }
}
