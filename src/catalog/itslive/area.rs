//! The area of a search: what the user gave, settled so that its polygons say plainly what lies inside, also over the
//! dateline and around a pole.

use geo::{Coord, Geometry, LineString, MultiPolygon, Polygon};
use serde_json::{Value, json};

use crate::catalog::footprint;
use crate::error::{Error, Result};

/// Polygons and points in longitude and latitude, degrees, WGS 84.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Within ±180°: cut at the dateline, closed along a pole.
    pub polygons: MultiPolygon<f64>,
    pub points: Vec<Coord<f64>>,
    /// West, south, east, north, where that is what the user gave.
    bbox: Option<[f64; 4]>,
}

impl Area {
    /// A box of west, south, east, north. West is east of east where the box lies over the dateline.
    ///
    /// # Errors
    /// When it reaches beyond ±180, ±90, or has no area.
    pub fn bbox(bbox: [f64; 4]) -> Result<Area> {
        let wrong = |why: String| {
            Error::argument(
                "bbox",
                "west, south, east, north in degrees",
                format!("{bbox:?}{why}"),
            )
        };
        let swapped = bbox[1].abs() > 90.0 && bbox[0].abs() <= 90.0;
        let hint = if swapped { " (longitude comes first)" } else { "" };
        let shape = footprint::from_bbox(bbox).map_err(|_| wrong(hint.to_string()))?;
        if bbox[0] == bbox[2] || bbox[1] == bbox[3] {
            return Err(wrong(" (it has no area)".to_string()));
        }
        let mut area = Area::empty();
        area.add_shape("bbox", shape)?;
        area.bbox = Some(bbox);
        Ok(area)
    }

    /// A ring of (longitude, latitude), closed or not. An edge of more than 180° of longitude is taken to cross the
    /// dateline; a ring that runs around the world encloses the pole of its hemisphere.
    ///
    /// # Errors
    /// When it has fewer than three corners, or a corner that is no place.
    pub fn polygon(corners: &[[f64; 2]]) -> Result<Area> {
        let mut ring: Vec<Coord<f64>> = corners.iter().map(|c| Coord { x: c[0], y: c[1] }).collect();
        ring.dedup();
        if ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
        if ring.len() < 3 {
            let got = format!("{} different ones", ring.len());
            return Err(Error::argument(
                "polygon",
                "three corners (longitude, latitude) or more",
                got,
            ));
        }
        let mut area = Area::empty();
        // Polygon closes its rings.
        area.add_shape("polygon", Polygon::new(LineString::new(ring), Vec::new()).into())?;
        Ok(area)
    }

    /// Polygons or points in longitude and latitude, as an option or a file gave them.
    ///
    /// # Errors
    /// When it has lines, nothing, or a coordinate that is no place.
    pub fn of(shape: Geometry<f64>) -> Result<Area> {
        let mut area = Area::empty();
        area.add_shape("intersects", shape)?;
        match area.polygons.0.is_empty() && area.points.is_empty() {
            true => Err(Error::message(
                "intersects has no geometry in it; give a polygon or a point",
            )),
            false => Ok(area),
        }
    }

    fn empty() -> Area {
        Area {
            polygons: MultiPolygon::new(Vec::new()),
            points: Vec::new(),
            bbox: None,
        }
    }

    fn add_shape(&mut self, name: &str, shape: Geometry<f64>) -> Result<()> {
        let wrong = |e: String| Error::argument(name, "polygons or points (longitude, latitude)", e);
        match footprint::settle(&shape).map_err(|e| wrong(e.to_string()))? {
            Geometry::Polygon(p) => self.polygons.0.push(p),
            Geometry::MultiPolygon(m) => self.polygons.0.extend(m),
            Geometry::Point(p) => self.points.push(p.0),
            Geometry::MultiPoint(m) => self.points.extend(m.iter().map(|p| p.0)),
            Geometry::GeometryCollection(c) => {
                return c.into_iter().try_for_each(|part| self.add_shape(name, part));
            }
            _ => {
                return Err(wrong(
                    "lines; buffer them first, or give their bounding box".to_string(),
                ));
            }
        }
        Ok(())
    }

    /// As GeoJSON for a STAC search.
    pub fn to_geojson(&self) -> Value {
        let mut shapes: Vec<Value> = Vec::new();
        match self.polygons.0.as_slice() {
            [] => {}
            [one] => shapes.push(json!({ "type": "Polygon", "coordinates": rings(one) })),
            more => shapes.push(json!({
                "type": "MultiPolygon",
                "coordinates": more.iter().map(rings).collect::<Vec<_>>(),
            })),
        }
        match self.points.as_slice() {
            [] => {}
            [one] => shapes.push(json!({ "type": "Point", "coordinates": [one.x, one.y] })),
            more => shapes.push(json!({
                "type": "MultiPoint",
                "coordinates": more.iter().map(|p| [p.x, p.y]).collect::<Vec<_>>(),
            })),
        }
        match shapes.len() {
            1 => shapes.remove(0),
            _ => json!({ "type": "GeometryCollection", "geometries": shapes }),
        }
    }

    /// The box that the user gave, if it does not lie over the dateline.
    pub fn plain_bbox(&self) -> Option<[f64; 4]> {
        self.bbox.filter(|[west, _, east, _]| west < east)
    }
}

fn rings(polygon: &Polygon<f64>) -> Vec<Vec<[f64; 2]>> {
    std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .map(|ring| ring.coords().map(|c| [c.x, c.y]).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use geo::{Area as _, Contains, Point};

    use super::*;

    fn corners(list: &[(f64, f64)]) -> Vec<[f64; 2]> {
        list.iter().map(|c| [c.0, c.1]).collect()
    }

    #[test]
    fn areas_over_the_dateline_are_cut_there() {
        let by_box = Area::bbox([170.0, -80.0, -170.0, -70.0]).unwrap();
        let ring = corners(&[(170.0, -80.0), (-170.0, -80.0), (-170.0, -70.0), (170.0, -70.0)]);
        for area in [by_box.clone(), Area::polygon(&ring).unwrap()] {
            assert_eq!(area.polygons.0.len(), 2);
            assert!((area.polygons.unsigned_area() - 200.0).abs() < 1e-9);
            assert!(area.polygons.contains(&Point::new(-175.0, -75.0)));
            assert!(!area.polygons.contains(&Point::new(0.0, -75.0)));
            assert_eq!(area.to_geojson()["type"], "MultiPolygon");
        }
        assert_eq!(by_box.plain_bbox(), None);
    }

    #[test]
    fn a_ring_around_the_world_encloses_its_pole() {
        let ring = corners(&[(-180.0, -70.0), (-90.0, -72.0), (0.0, -70.0), (90.0, -72.0)]);
        let area = Area::polygon(&ring).unwrap();
        assert!(area.polygons.contains(&Point::new(10.0, -89.0)));
        assert!(!area.polygons.contains(&Point::new(10.0, -60.0)));
    }

    #[test]
    fn what_is_no_area_is_an_error() {
        for (bbox, text) in [
            ([0.0, 10.0, 5.0, 10.0], "no area"),
            ([0.0, -91.0, 5.0, 10.0], "west, south, east, north"),
            ([0.0, f64::NAN, 5.0, 10.0], "west, south, east, north"),
            ([-75.0, -101.0, -74.0, -99.0], "longitude comes first"),
        ] {
            let error = Area::bbox(bbox).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
        assert!(Area::polygon(&corners(&[(0.0, 0.0), (1.0, 1.0), (0.0, 0.0)])).is_err());
        assert!(Area::polygon(&corners(&[(0.0, 0.0), (1.0, 1.0), (0.0, 95.0)])).is_err());
        let line = Geometry::from(LineString::from(vec![(0.0, 0.0), (1.0, 1.0)]));
        assert!(Area::of(line).unwrap_err().to_string().contains("buffer"));
        assert!(Area::of(Geometry::MultiPolygon(MultiPolygon::new(Vec::new()))).is_err());
        assert!(Area::of(Point::new(0.0, 91.0).into()).is_err());
    }
}
