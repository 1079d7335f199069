//! Geometries from one CRS to another.

use std::cell::Cell;

use geo::{
    Coord, CoordsIter, Densify, Euclidean, Geometry as Shape, GeometryCollection, Length, LineString,
    MapCoords, MultiLineString, MultiPolygon, Polygon,
};

use super::overlay::quietly;
use super::{Geometry, antimeridian};
use crate::bounds;
use crate::error::{Domain, Error, Remedy, Result};
use crate::raster::follow::follow;
use crate::raster::{Crs, Transformer};

impl Geometry {
    /// Of `densify`.
    pub const LONGEST_EDGES: Domain = Domain::above(0.0).in_unit("units of the present CRS");

    /// The geometry in another CRS, vertex by vertex. Straight edges stay straight, although their images are curves:
    /// `densify` (the longest edge to leave whole, in units of the present CRS) adds vertices first.
    ///
    /// Into longitude and latitude, shapes that cross the antimeridian are cut there, and polygons around a pole
    /// get an edge along it (RFC 7946 section 3.1.9).
    ///
    /// # Errors
    /// When the geometry has no CRS, or one of its points has no image.
    pub fn to_crs(&self, to: &Crs, densify: Option<f64>) -> Result<Geometry> {
        let Some(from) = &self.crs else {
            return Err(Error::message(format!(
                "the geometry has no CRS to transform from; {}",
                Remedy::GeometryCrs
            )));
        };
        let shape = Projection::new(from, to)?.transform(&self.shape, densify)?;
        Ok(Geometry {
            shape,
            crs: Some(to.clone()),
        })
    }
}

/// Edges are followed to this part of a shape's size where no grid says how well.
const FINE: f64 = 1e-5;

impl Geometry {
    /// The geometry in another CRS, edges followed to a hundred-thousandth of its size.
    pub(super) fn follow_to_crs(&self, to: &Crs) -> Result<Geometry> {
        let plain = self.to_crs(to, None)?;
        let (Some(from), Some(b)) = (&self.crs, plain.bounds()) else {
            return Ok(plain);
        };
        let shape = Projection::new(from, to)?.follow(&self.shape, FINE * b.width().max(b.height()))?;
        Ok(Geometry { shape, ..plain })
    }
}

/// A transformer with what is asked about its ends for each of many shapes.
pub(super) struct Projection<'a> {
    from: &'a Crs,
    to: &'a Crs,
    transformer: Transformer,
    is_identity: bool,
    /// A full turn of longitude in the CRS that it comes from.
    turn: Option<f64>,
    pub(super) from_lonlat: bool,
    to_lonlat: bool,
}

impl<'a> Projection<'a> {
    pub(super) fn new(from: &'a Crs, to: &'a Crs) -> Result<Projection<'a>> {
        Ok(Projection {
            from,
            to,
            transformer: Transformer::new(from, to)?,
            is_identity: from == to,
            turn: from.turn(),
            from_lonlat: from.is_geographic(),
            to_lonlat: to.is_geographic(),
        })
    }

    /// As `Geometry::to_crs`.
    pub(super) fn transform(&self, shape: &Shape<f64>, densify: Option<f64>) -> Result<Shape<f64>> {
        let dense = densify.map(|step| self::densify(shape, step)).transpose()?;
        let shape = dense.as_ref().unwrap_or(shape);
        match (self.is_identity, self.to_lonlat) {
            (true, _) => Ok(shape.clone()),
            (_, true) => antimeridian::to_lonlat(shape, self),
            _ => self.vertices(shape),
        }
    }

    /// As `transform`, with edges followed within `tolerance`, in units of the CRS that is come into.
    pub(super) fn follow(&self, shape: &Shape<f64>, tolerance: f64) -> Result<Shape<f64>> {
        if self.is_identity {
            return Ok(shape.clone());
        }
        let dense = quietly(|| self.followed(shape, tolerance))?;
        self.transform(&dense, None)
    }

    fn followed(&self, shape: &Shape<f64>, tolerance: f64) -> Result<Shape<f64>> {
        let line = |l: &LineString| -> Result<LineString> {
            let places: Vec<(f64, f64)> = l.coords().map(|c| (c.x, c.y)).collect();
            Ok(LineString::from(follow(&places, &self.transformer, tolerance)?))
        };
        let polygon = |p: &Polygon| -> Result<Polygon> {
            let holes: Result<_> = p.interiors().iter().map(line).collect();
            Ok(Polygon::new(line(p.exterior())?, holes?))
        };
        Ok(match shape {
            Shape::LineString(l) => Shape::LineString(line(l)?),
            Shape::MultiLineString(m) => {
                Shape::MultiLineString(MultiLineString(m.iter().map(line).collect::<Result<_>>()?))
            }
            Shape::Polygon(p) => Shape::Polygon(polygon(p)?),
            Shape::MultiPolygon(m) => {
                Shape::MultiPolygon(MultiPolygon(m.iter().map(polygon).collect::<Result<_>>()?))
            }
            Shape::GeometryCollection(c) => {
                let members: Result<_> = c.iter().map(|g| self.followed(g, tolerance)).collect();
                Shape::GeometryCollection(GeometryCollection(members?))
            }
            points => points.clone(),
        })
    }

    /// Vertex by vertex, whatever lies between.
    pub(super) fn vertices(&self, shape: &Shape<f64>) -> Result<Shape<f64>> {
        // One call for all vertices: a call a vertex costs more than the transform.
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = shape.coords_iter().map(|c| (c.x, c.y)).unzip();
        quietly(|| self.transformer.apply(&mut xs, &mut ys));
        self.join_turns(shape, &mut xs, &mut ys);
        let finite = |(x, y): (&f64, &f64)| x.is_finite() && y.is_finite();
        if let Some(bad) = xs.iter().zip(&ys).position(|at| !finite(at)) {
            return Err(self.no_image(shape.coords_iter().nth(bad).unwrap_or_default()));
        }
        // Both walk the vertices in the same order.
        let next = Cell::new(0);
        Ok(shape.map_coords(|_| {
            let i = next.replace(next.get() + 1);
            Coord { x: xs[i], y: ys[i] }
        }))
    }

    /// One image for longitudes a turn apart, where the projection has one but for rounding: the two ends of a parallel meet, and
    /// between the edges that lead to them lies nothing.
    fn join_turns(&self, shape: &Shape<f64>, xs: &mut [f64], ys: &mut [f64]) {
        let Some(turn) = self.turn.filter(|_| !self.to_lonlat) else {
            return;
        };
        let half = turn / 2.0;
        let beyond = |c: &Coord| !(-half..half).contains(&c.x);
        let ends: Vec<(usize, Coord)> = shape
            .coords_iter()
            .enumerate()
            .filter(|(_, c)| beyond(c))
            .collect();
        let first = |c: &Coord| c.x - turn * ((c.x + half) / turn).floor();
        let (mut ex, mut ey): (Vec<f64>, Vec<f64>) = ends.iter().map(|(_, c)| (first(c), c.y)).unzip();
        quietly(|| self.transformer.apply(&mut ex, &mut ey));
        for (k, (i, _)) in ends.into_iter().enumerate() {
            let slack = 1e-12 * xs[i].abs().max(ys[i].abs()) + 1e-6;
            if (xs[i] - ex[k]).abs() < slack && (ys[i] - ey[k]).abs() < slack {
                (xs[i], ys[i]) = (ex[k], ey[k]);
            }
        }
    }

    pub(super) fn position(&self, c: Coord) -> Result<Coord> {
        let (mut x, mut y) = ([c.x], [c.y]);
        quietly(|| self.transformer.apply(&mut x, &mut y));
        match x[0].is_finite() && y[0].is_finite() {
            true => Ok(Coord { x: x[0], y: y[0] }),
            false => Err(self.no_image(c)),
        }
    }

    fn no_image(&self, c: Coord) -> Error {
        Error::message(format!(
            "the point ({}, {}) of {} has no image in {}; cut the geometry to the area of that CRS first",
            c.x, c.y, self.from, self.to
        ))
    }
}

/// A vertex while its geometry is transformed: as it was, as it becomes, and room to grow.
const HELD_PER_VERTEX: usize = 4 * size_of::<Coord>();

/// Of all edges together.
fn length(shape: &Shape<f64>) -> f64 {
    let rings = |p: &Polygon| -> f64 {
        Euclidean.length(p.exterior())
            + p.interiors()
                .iter()
                .map(|ring| Euclidean.length(ring))
                .sum::<f64>()
    };
    match shape {
        Shape::LineString(l) => Euclidean.length(l),
        Shape::MultiLineString(m) => Euclidean.length(m),
        Shape::Polygon(p) => rings(p),
        Shape::MultiPolygon(m) => m.iter().map(rings).sum(),
        Shape::GeometryCollection(c) => c.iter().map(length).sum(),
        _ => 0.0,
    }
}

fn densify(shape: &Shape<f64>, step: f64) -> Result<Shape<f64>> {
    Geometry::LONGEST_EDGES.check("densify", step)?;
    // Checked as a whole: the parts of a collection add up.
    bounds::fits(
        format!("a geometry with a vertex every {step} units"),
        (length(shape) / step) as usize,
        HELD_PER_VERTEX,
        "take a longer step, or cut the geometry first",
    )?;
    let line = |l: &LineString| Euclidean.densify(l, step);
    Ok(match shape {
        Shape::LineString(l) => Shape::LineString(line(l)),
        Shape::MultiLineString(m) => Shape::MultiLineString(Euclidean.densify(m, step)),
        Shape::Polygon(p) => Shape::Polygon(Euclidean.densify(p, step)),
        Shape::MultiPolygon(m) => Shape::MultiPolygon(Euclidean.densify(m, step)),
        Shape::GeometryCollection(c) => {
            Shape::GeometryCollection(c.iter().map(|g| densify(g, step)).collect::<Result<_>>()?)
        }
        points => points.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crs(text: &str) -> Crs {
        Crs::parse(text).unwrap()
    }

    fn g(epsg: &str, text: &str) -> Geometry {
        Geometry {
            crs: Some(crs(epsg)),
            ..Geometry::from_wkt(text).unwrap()
        }
    }

    #[test]
    fn a_known_point() {
        let p = g("EPSG:4326", "POINT (9 48)")
            .to_crs(&crs("EPSG:32632"), None)
            .unwrap();
        let Shape::Point(xy) = p.shape else { panic!() };
        assert!((xy.x() - 500_000.0).abs() < 1e-6);
        // 0.9996 of the meridian arc from the equator to 48° N on WGS 84, integrated numerically: 5 318 427.5955 m.
        assert!((xy.y() - 0.9996 * 5_318_427.595_49).abs() < 1e-3, "{}", xy.y());
        let back = p.to_crs(&crs("EPSG:4326"), None).unwrap();
        let Shape::Point(lonlat) = back.shape else {
            panic!()
        };
        assert!((lonlat.x() - 9.0).abs() < 1e-9 && (lonlat.y() - 48.0).abs() < 1e-9);
    }

    #[test]
    fn densified_edges_bend() {
        let edge = g("EPSG:4326", "LINESTRING (0 60, 20 60)");
        let plain = edge.to_crs(&crs("EPSG:3035"), None).unwrap();
        let dense = edge.to_crs(&crs("EPSG:3035"), Some(0.5)).unwrap();
        assert_eq!((plain.vertex_count(), dense.vertex_count()), (2, 41));
        // L²/(8·R)·tan(60°) for L = 1113 km: the parallel hangs some 42 km below its chord.
        let sag = plain.bounds().unwrap().min_y - dense.bounds().unwrap().min_y;
        assert!((sag - 42_000.0).abs() < 3000.0, "{sag}");
        assert!(edge.to_crs(&crs("EPSG:3035"), Some(0.0)).is_err());
    }

    #[test]
    fn failures_name_the_point_and_the_missing_crs() {
        let error = g("EPSG:4326", "LINESTRING (0 0, 0 -90)").to_crs(&crs("EPSG:3857"), None);
        // Mercator has no image of the pole; PROJ may give a huge number instead of failing.
        if let Err(error) = error {
            assert!(error.to_string().contains("(0, -90)"));
        }
        let error = g("EPSG:4326", "POINT (0 95)")
            .to_crs(&crs("EPSG:32632"), None)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "the point (0, 95) of EPSG:4326 has no image in EPSG:32632; cut the geometry to the area of that CRS first"
        );
        let none = Geometry::from_wkt("POINT (1 1)").unwrap();
        assert!(
            none.to_crs(&crs("EPSG:4326"), None)
                .unwrap_err()
                .to_string()
                .contains("say which CRS the geometry is in")
        );
    }
}
