//! Vector features as marks: areas and lines as outlines, points as marks.

use geo::{CoordsIter, Geometry, LineString, Polygon};

use super::mark::{Polygons, Scatter};
use crate::vector::Features;

type Ring = Vec<(f64, f64)>;

/// Parts of shapes by how they are drawn.
#[derive(Default)]
struct Parts {
    areas: Vec<Vec<Ring>>,
    lines: Vec<Vec<Ring>>,
    points: Ring,
}

impl Parts {
    fn add(&mut self, shape: &Geometry<f64>) {
        let ring = |line: &LineString<f64>| -> Ring { line.coords().map(|c| (c.x, c.y)).collect() };
        let area = |polygon: &Polygon<f64>| -> Vec<Ring> {
            std::iter::once(polygon.exterior())
                .chain(polygon.interiors())
                .map(ring)
                .collect()
        };
        match shape {
            Geometry::Polygon(p) => self.areas.push(area(p)),
            Geometry::MultiPolygon(m) => self.areas.extend(m.iter().map(area)),
            Geometry::Rect(r) => self.areas.push(area(&r.to_polygon())),
            Geometry::Triangle(t) => self.areas.push(area(&t.to_polygon())),
            Geometry::LineString(l) => self.lines.push(vec![ring(l)]),
            Geometry::MultiLineString(m) => self.lines.extend(m.iter().map(|l| vec![ring(l)])),
            Geometry::Line(l) => self
                .lines
                .push(vec![vec![(l.start.x, l.start.y), (l.end.x, l.end.y)]]),
            Geometry::Point(_) | Geometry::MultiPoint(_) => {
                self.points.extend(shape.coords_iter().map(|c| (c.x, c.y)));
            }
            Geometry::GeometryCollection(all) => all.iter().for_each(|g| self.add(g)),
        }
    }
}

/// The marks of features, of those kinds that there are.
#[derive(Debug, Default)]
pub struct Outlines {
    pub areas: Option<Polygons>,
    pub lines: Option<Polygons>,
    pub points: Option<Scatter>,
}

impl Outlines {
    /// Each with the looks of `areas` or `points`. The first carries the label.
    pub fn of(features: &Features, areas: &Polygons, points: &Scatter) -> Outlines {
        let mut parts = Parts::default();
        features
            .features
            .iter()
            .filter_map(|f| f.shape())
            .for_each(|shape| parts.add(shape));
        let mut label = Some(areas.label.clone());
        let mut outline = |polygons: Vec<Vec<Ring>>, open: bool| {
            (!polygons.is_empty()).then(|| Polygons {
                polygons,
                open,
                label: label.take().unwrap_or_default(),
                ..areas.clone()
            })
        };
        let (areas, lines) = (outline(parts.areas, false), outline(parts.lines, true));
        let points = (!parts.points.is_empty()).then(|| {
            let (x, y) = parts.points.into_iter().unzip();
            let label = match areas.is_none() && lines.is_none() {
                true => points.label.clone(),
                false => String::new(),
            };
            Scatter {
                x,
                y,
                label,
                ..points.clone()
            }
        });
        Outlines { areas, lines, points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_sorted_by_how_they_are_drawn() {
        let features = Features::from_geojson(
            r#"{"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}},
            {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}},
            {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPolygon", "coordinates":
                [[[[0, 0], [4, 0], [4, 4], [0, 0]], [[1, 0.5], [2, 0.5], [2, 1], [1, 0.5]]], [[[9, 9], [10, 9], [10, 10], [9, 9]]]]}}]}"#,
        )
        .unwrap();
        let mut looks = Polygons::new(Vec::new());
        looks.label = "all".into();
        let found = Outlines::of(&features, &looks, &Scatter::new(Vec::new(), Vec::new()));
        let Outlines {
            areas: Some(areas),
            lines: Some(lines),
            points: Some(points),
        } = found
        else {
            panic!("{found:?}");
        };
        assert_eq!(areas.polygons.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert!(!areas.open && lines.open && lines.polygons.len() == 1);
        assert_eq!(
            (points.x.as_slice(), points.y.as_slice()),
            ([1.0].as_slice(), [2.0].as_slice())
        );
        assert_eq!((areas.label.as_str(), lines.label.as_str()), ("all", ""));
    }
}
