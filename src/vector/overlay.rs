//! Set operations and buffers, by GEOS as it comes with GDAL. (The overlay of the geo crate moves vertices onto an
//! integer lattice, by some 3e-10 of the extent; GEOS leaves untouched vertices as they are and takes lines and points.)

use geo::{Densify, Euclidean, Geometry as Shape, MultiPolygon};

use super::Geometry;
use super::measure::geodesic_distance;
use super::transform::Projection;
use crate::earth::wkb;
use crate::error::{Domain, Error, Remedy, Result};
use crate::raster::Crs;
use crate::raster::file::initialise;

/// How far from its centre a part in longitude and latitude may reach to be buffered in a local plane: there the
/// scale is wrong by 0.4 %.
const MAX_REACH_M: f64 = 1.0e6;
/// Edges in longitude and latitude are not straight in the local plane; pieces this long are, within metres.
const BUFFER_STEP_DEG: f64 = 0.1;

impl Geometry {
    /// Straight pieces a quarter circle, of `buffer`.
    pub const SEGMENTS: Domain = Domain::within(1.0, 1000.0);

    /// What both cover.
    ///
    /// # Errors
    /// When the CRSs differ, or a geometry is invalid; as for the following three.
    pub fn intersection(&self, other: &Geometry) -> Result<Geometry> {
        self.overlay(other, "intersection", |a, b| a.intersection(b))
    }

    /// What at least one covers.
    ///
    /// # Errors
    /// As `intersection`.
    pub fn union(&self, other: &Geometry) -> Result<Geometry> {
        self.overlay(other, "union", |a, b| a.union(b))
    }

    /// What this one covers and the other does not.
    ///
    /// # Errors
    /// As `intersection`.
    pub fn difference(&self, other: &Geometry) -> Result<Geometry> {
        self.overlay(other, "difference", |a, b| a.difference(b))
    }

    /// What exactly one covers.
    ///
    /// # Errors
    /// As `intersection`.
    pub fn symmetric_difference(&self, other: &Geometry) -> Result<Geometry> {
        self.union(other)?.difference(&self.intersection(other)?)
    }

    /// The union of many, in about n·log n.
    ///
    /// # Errors
    /// As `intersection`.
    pub(super) fn union_all(geometries: &[Geometry]) -> Result<Geometry> {
        match geometries {
            [] => Ok(Geometry::new(MultiPolygon::new(Vec::new()), None)),
            [one] => one.union(one),
            [one, other] => one.union(other),
            many => {
                // Neighbours in the list tend to be neighbours on the map, so pairs stay small.
                let (left, right) = many.split_at(many.len() / 2);
                Geometry::union_all(left)?.union(&Geometry::union_all(right)?)
            }
        }
    }

    /// A geometry that covers the same and is valid: crossing rings are cut at their crossings, areas covered an even
    /// number of times by them become holes.
    ///
    /// # Errors
    /// When GEOS cannot repair it.
    pub fn make_valid(&self) -> Result<Geometry> {
        let what = "make_valid";
        let ours = to_gdal(&self.shape, what)?;
        let valid = quietly(|| ours.make_valid(&gdal::cpl::CslStringList::new()));
        Ok(self.with_shape(from_gdal(&valid.map_err(|e| failed(what, e.to_string()))?, what)?))
    }

    /// Everything within `distance` of the geometry; a negative distance shrinks polygons. Arcs are drawn with
    /// `quarter_segments` straight pieces a quarter circle (16: the radius is right within 0.1 %, never too large).
    ///
    /// The distance is in CRS units; in longitude and latitude in metres, each part in an azimuthal equidistant
    /// plane around its own centre, and the result is cut at the antimeridian where it crosses it.
    ///
    /// # Errors
    /// When the distance is not finite, the geometry is invalid, or it is in longitude and latitude and one of its
    /// parts, buffered, reaches farther than 1000 km from its centre (the plane's scale would be wrong by more than 0.4 %).
    pub fn buffer(&self, distance: f64, quarter_segments: u32) -> Result<Geometry> {
        Domain::FINITE.check("distance", distance)?;
        Geometry::SEGMENTS.check_count("segments", quarter_segments as usize)?;
        let Some(crs) = self.crs.as_ref().filter(|_| self.is_geographic()) else {
            return Ok(self.with_shape(planar_buffer(&self.shape, distance, quarter_segments)?));
        };
        let mut buffered = Vec::new();
        for part in self.parts().into_iter().filter(|p| !p.is_empty()) {
            buffered.push(part.geodesic_buffer(crs, distance, quarter_segments)?);
        }
        match buffered.as_slice() {
            [] => Ok(self.with_shape(MultiPolygon::new(Vec::new()))),
            [one] => Ok(one.clone()),
            many => Geometry::union_all(many),
        }
    }

    fn geodesic_buffer(&self, crs: &Crs, distance: f64, quarter_segments: u32) -> Result<Geometry> {
        let Some(bounds) = self.bounds() else {
            return Ok(self.clone());
        };
        let centre = (
            (bounds.min_x + bounds.max_x) / 2.0,
            (bounds.min_y + bounds.max_y) / 2.0,
        );
        let farthest = geo::CoordsIter::coords_iter(&self.shape)
            .map(|c| geodesic_distance(centre, (c.x, c.y)))
            .fold(0.0, f64::max);
        if farthest + distance.max(0.0) > MAX_REACH_M {
            return Err(Error::message(format!(
                "a buffer in longitude and latitude may reach 1000 km from the centre of a part, this one reaches {:.0} km; \
                 bring the geometry into a projected CRS first: `g:to_crs(\"EPSG:…\")`",
                (farthest + distance.max(0.0)) / 1000.0
            )));
        }
        let plane = Crs::parse(&format!(
            "+proj=aeqd +lat_0={} +lon_0={} +datum=WGS84 +units=m",
            centre.1, centre.0
        ))?;
        let dense = match &self.shape {
            Shape::LineString(l) => Shape::LineString(Euclidean.densify(l, BUFFER_STEP_DEG)),
            Shape::Polygon(p) => Shape::Polygon(Euclidean.densify(p, BUFFER_STEP_DEG)),
            other => other.clone(),
        };
        let local = Projection::new(crs, &plane)?.vertices(&dense)?;
        let buffered = planar_buffer(&local, distance, quarter_segments)?;
        let back = Projection::new(&plane, crs)?.transform(&buffered, None)?;
        Ok(self.with_shape(back))
    }

    fn overlay(
        &self,
        other: &Geometry,
        what: &'static str,
        operation: impl Fn(&gdal::vector::Geometry, &gdal::vector::Geometry) -> Option<gdal::vector::Geometry>,
    ) -> Result<Geometry> {
        let crs = self.common_crs(other)?;
        let shape = overlay(&self.shape, &other.shape, what, operation)?;
        Ok(Geometry { shape, crs })
    }
}

pub(super) fn overlay(
    a: &Shape<f64>,
    b: &Shape<f64>,
    what: &'static str,
    operation: impl Fn(&gdal::vector::Geometry, &gdal::vector::Geometry) -> Option<gdal::vector::Geometry>,
) -> Result<Shape<f64>> {
    let (ours, theirs) = (to_gdal(a, what)?, to_gdal(b, what)?);
    match quietly(|| operation(&ours, &theirs)) {
        Some(result) => from_gdal(&result, what),
        None => {
            let reason = [a, b]
                .iter()
                .find_map(|s| Geometry::new((*s).clone(), None).validity());
            Err(failed(what, reason.unwrap_or_else(last_message)))
        }
    }
}

/// Shortest distance in the plane. (That of the geo crate panics on lines of one vertex.)
pub(super) fn distance(a: &Shape<f64>, b: &Shape<f64>) -> Result<f64> {
    let (ours, theirs) = (to_gdal(a, "distance")?, to_gdal(b, "distance")?);
    // SAFETY: both geometries are alive and owned here.
    let distance = quietly(|| unsafe { gdal_sys::OGR_G_Distance(ours.c_geometry(), theirs.c_geometry()) });
    match distance >= 0.0 {
        true => Ok(distance),
        false => Err(failed("distance", last_message())),
    }
}

fn planar_buffer(shape: &Shape<f64>, distance: f64, quarter_segments: u32) -> Result<Shape<f64>> {
    let what = "buffer";
    let ours = to_gdal(shape, what)?;
    let buffered = quietly(|| ours.buffer(distance, quarter_segments));
    from_gdal(&buffered.map_err(|e| failed(what, e.to_string()))?, what)
}

pub(super) fn to_gdal(shape: &Shape<f64>, what: &str) -> Result<gdal::vector::Geometry> {
    of_wkb(&wkb::encode(shape), what)
}

pub(super) fn of_wkb(bytes: &[u8], what: &str) -> Result<gdal::vector::Geometry> {
    gdal::vector::Geometry::from_wkb(bytes).map_err(|e| failed(what, e.to_string()))
}

pub(super) fn from_gdal(geometry: &gdal::vector::Geometry, what: &str) -> Result<Shape<f64>> {
    wkb::decode(&geometry.iso_wkb().map_err(|e| failed(what, e.to_string()))?)
}

fn failed(what: &str, reason: String) -> Error {
    Error::message(format!("{what}: {reason}; {}", Remedy::Validity))
}

/// GDAL's last message of this thread; empty where there is none.
pub(super) fn last_message() -> String {
    // SAFETY: GDAL returns a pointer to a C string of this thread, never null, valid until its next error.
    let message = unsafe { std::ffi::CStr::from_ptr(gdal_sys::CPLGetLastErrorMsg()) };
    let message = message.to_string_lossy();
    if message.is_empty() {
        "GEOS gave no result".into()
    } else {
        message.into_owned()
    }
}

/// Runs `f` without GDAL printing its errors; they are reported by return value.
pub(super) fn quietly<T>(f: impl FnOnce() -> T) -> T {
    struct Pop;
    impl Drop for Pop {
        fn drop(&mut self) {
            // SAFETY: takes back the handler pushed below, on this thread.
            unsafe { gdal_sys::CPLPopErrorHandler() }
        }
    }
    initialise();
    // SAFETY: the handler is a function of GDAL's own; the stack of handlers is per thread.
    unsafe { gdal_sys::CPLPushErrorHandler(Some(gdal_sys::CPLQuietErrorHandler)) };
    let _pop = Pop;
    f()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Bounds;

    fn g(text: &str) -> Geometry {
        Geometry::from_wkt(text).unwrap()
    }

    #[test]
    fn set_operations_keep_vertices_exactly() {
        let a = g("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))");
        let b = g("POLYGON ((3.3 -1, 20.1 -1, 20.1 5.7, 3.3 5.7, 3.3 -1))");
        let both = a.intersection(&b).unwrap();
        assert_eq!(
            both.bounds(),
            Some(Bounds {
                min_x: 3.3,
                min_y: 0.0,
                max_x: 10.0,
                max_y: 5.7
            })
        );
        assert!((both.area() - 6.7 * 5.7).abs() < 1e-12);
        let (union, difference) = (a.union(&b).unwrap(), a.difference(&b).unwrap());
        assert!((union.area() - (a.area() + b.area() - both.area())).abs() < 1e-12);
        assert!((difference.area() - (a.area() - both.area())).abs() < 1e-12);
        let either = a.symmetric_difference(&b).unwrap();
        assert!((either.area() - (union.area() - both.area())).abs() < 1e-12);
        let line = g("LINESTRING (-5 5, 15 5)").intersection(&a).unwrap();
        assert_eq!(line.to_wkt(), "LINESTRING (0 5, 10 5)");
        assert!(a.intersection(&g("POINT (50 50)")).unwrap().is_empty());
        assert!(a.intersection(&g("POLYGON EMPTY")).unwrap().is_empty());
    }

    #[test]
    fn union_of_many() {
        let squares: Vec<Geometry> = (0..50)
            .map(|i| {
                g(&format!(
                    "POLYGON (({i} 0, {} 0, {} 1, {i} 1, {i} 0))",
                    i + 1,
                    i + 1
                ))
            })
            .collect();
        let all = Geometry::union_all(&squares).unwrap();
        assert_eq!(
            (all.type_name(), all.area(), all.length()),
            ("Polygon", 50.0, 102.0)
        );
        assert!(Geometry::union_all(&[]).unwrap().is_empty());
    }

    #[test]
    fn invalid_input_is_named_and_can_be_repaired() {
        let bow_tie = g("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))");
        let square = g("POLYGON ((0 0, 2 0, 2 1, 0 1, 0 0))");
        if let Err(error) = bow_tie.intersection(&square) {
            assert!(
                error.to_string().contains("self-intersection")
                    && error.to_string().contains("make it valid")
            );
        }
        let valid = bow_tie.make_valid().unwrap();
        assert_eq!((valid.validity(), valid.area()), (None, 2.0));
        assert!(valid.intersection(&square).is_ok());
    }

    #[test]
    fn planar_buffers() {
        let disk = g("POINT (5 5)").buffer(2.0, 16).unwrap();
        // A 64-gon in the circle: n/2·r²·sin(2π/n).
        let expected = 32.0 * 4.0 * (std::f64::consts::TAU / 64.0).sin();
        assert!((disk.area() - expected).abs() < 1e-9, "{}", disk.area());
        let smaller = g("POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))")
            .buffer(-1.0, 16)
            .unwrap();
        assert_eq!(smaller.area(), 64.0);
        assert!(
            g("POLYGON ((0 0, 1 0, 1 1, 0 0))")
                .buffer(-5.0, 16)
                .unwrap()
                .is_empty()
        );
        assert!(g("POINT (0 0)").buffer(f64::INFINITY, 16).is_err());
        assert!(g("POINT (0 0)").buffer(1.0, 0).is_err());
    }

    #[test]
    fn buffers_in_longitude_and_latitude_are_in_metres() {
        let at = |text: &str| Geometry {
            crs: Some(Crs::wgs84().unwrap()),
            ..g(text)
        };
        let circle = 32.0 * 1e10 * (std::f64::consts::TAU / 64.0).sin();
        // 100 km around a point: at 60° N, over the antimeridian, over the pole.
        for (text, parts) in [
            ("POINT (10 60)", 1),
            ("POINT (179.9 -10)", 2),
            ("POINT (30 89.95)", 1),
        ] {
            let disk = at(text).buffer(1e5, 16).unwrap();
            assert_eq!(disk.validity(), None, "{text}");
            assert_eq!(disk.parts().len(), parts, "{text} {}", disk.to_wkt());
            assert!(
                (disk.area() / circle - 1.0).abs() < 2e-3,
                "{text} {} {circle}",
                disk.area()
            );
            let b = disk.bounds().unwrap();
            assert!(b.min_x >= -180.0 && b.max_x <= 180.0 && b.max_y <= 90.0);
        }
        let pole = at("POINT (30 89.95)").buffer(1e5, 16).unwrap();
        assert!(pole.contains(&at("POINT (-120 89.99)")).unwrap());
        let strip = at("LINESTRING (0 60, 5 60)").buffer(1000.0, 16).unwrap();
        // The line follows the parallel, 278.5 km long at 60°.
        let expected = 2000.0 * 278_468.0 + std::f64::consts::PI * 1e6;
        assert!(
            (strip.area() / expected - 1.0).abs() < 2e-3,
            "{} {expected}",
            strip.area()
        );
        let error = at("LINESTRING (0 0, 50 0)")
            .buffer(10.0, 16)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("reaches 27") && error.contains("to_crs"),
            "{error}"
        );
    }
}
