//! Vector features as layers: areas and lines as outlines, points as marks.

use geo::{CoordsIter, Geometry, LineString, Polygon};

use super::layer::{Layer, Polygons, Scatter};
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

/// One layer for the areas, one for the lines, one for the points, of those that there are; each with the looks of
/// `areas` or `points`. The first carries the label.
pub fn layers(features: &Features, areas: &Polygons, points: &Scatter) -> Vec<Layer> {
    let mut parts = Parts::default();
    features
        .features
        .iter()
        .filter_map(|f| f.shape())
        .for_each(|shape| parts.add(shape));
    let mut out = Vec::new();
    for (polygons, open) in [(parts.areas, false), (parts.lines, true)] {
        if !polygons.is_empty() {
            out.push(Layer::Polygons(Polygons {
                polygons,
                open,
                label: if out.is_empty() {
                    areas.label.clone()
                } else {
                    String::new()
                },
                ..areas.clone()
            }));
        }
    }
    if !parts.points.is_empty() {
        let (x, y) = parts.points.into_iter().unzip();
        out.push(Layer::Scatter(Scatter {
            x,
            y,
            label: if out.is_empty() {
                points.label.clone()
            } else {
                String::new()
            },
            ..points.clone()
        }));
    }
    out
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
        let layers = layers(&features, &looks, &Scatter::new(Vec::new(), Vec::new()));
        let [
            Layer::Polygons(areas),
            Layer::Polygons(lines),
            Layer::Scatter(points),
        ] = layers.as_slice()
        else {
            panic!("{layers:?}");
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
