//! Where to search: boxes and geometries, checked before a server sees them.

use geo::{CoordsIter, Geometry, Validation};
use serde_json::{Value, json};

use crate::catalog::footprint;
use crate::earth::geojson_shape;
use crate::error::{Error, Result};

/// The place of a search.
#[derive(Debug, Clone, PartialEq)]
pub enum Area {
    Bbox(Vec<f64>),
    /// A GeoJSON geometry.
    Intersects(Value),
}

impl Area {
    /// West, south, east, north in degrees, or the six numbers with heights in metres between. Where west > east the
    /// box lies over the antimeridian; it is sent as the two boxes on its sides, since not every server knows the rule.
    ///
    /// # Errors
    /// When it is no box on the Earth.
    pub fn bbox(numbers: &[f64]) -> Result<Area> {
        let (flat, heights) = match *numbers {
            [west, south, east, north] => ([west, south, east, north], None),
            [west, south, low, east, north, high] => ([west, south, east, north], Some((low, high))),
            _ => {
                let expected = "west, south, east, north in degrees (or six numbers, with heights)";
                return Err(Error::argument(
                    "bbox",
                    expected,
                    format!("{} numbers", numbers.len()),
                ));
            }
        };
        let shape = footprint::from_bbox(flat)?;
        if let Some((low, high)) = heights {
            // Also false for NaN.
            let rising = low <= high;
            if !rising || flat[0] > flat[2] {
                let expected =
                    "six numbers with rising heights, not over the antimeridian; leave the heights out";
                return Err(Error::argument("bbox", expected, format!("{numbers:?}")));
            }
        }
        match shape {
            Geometry::MultiPolygon(_) => Ok(Area::Intersects(geojson(&shape)?)),
            _ => Ok(Area::Bbox(numbers.to_vec())),
        }
    }

    /// As `intersects`, of a shape in longitude and latitude.
    ///
    /// # Errors
    /// As `intersects`.
    pub fn shape(shape: &Geometry) -> Result<Area> {
        Area::intersects(&geojson(shape)?)
    }

    /// A GeoJSON geometry, or the geometry of a Feature. Polygons with longitudes beyond ±180° are cut at the antimeridian.
    ///
    /// # Errors
    /// When it is no geometry, or one that crosses itself: servers disagree on what lies inside.
    pub fn intersects(value: &Value) -> Result<Area> {
        let expected = "a GeoJSON geometry";
        let value = match value["type"].as_str() {
            Some("Feature") => &value["geometry"],
            _ => value,
        };
        let wrong = |got: String| Error::argument("intersects", expected, got);
        let parsed: geojson::Geometry =
            serde_json::from_value(value.clone()).map_err(|e| wrong(format!("`{}` ({e})", short(value))))?;
        closed(value)?;
        let shape: Geometry =
            geojson_shape(&parsed).map_err(|e| wrong(format!("`{}` ({e})", short(value))))?;
        if shape.coords_count() == 0 {
            return Err(wrong("one without positions".into()));
        }
        if let Some(bad) = shape
            .coords_iter()
            .find(|c| !(c.x.abs() <= 360.0 && c.y.abs() <= 90.0))
        {
            let expected = "a GeoJSON geometry in degrees of longitude and latitude";
            return Err(Error::argument(
                "intersects",
                expected,
                format!("a position ({}, {})", bad.x, bad.y),
            ));
        }
        if let Err(reason) = shape.check_validation() {
            let expected =
                "a valid geometry (make it valid, for instance by a buffer of 0, or search its bounding box)";
            return Err(Error::argument(
                "intersects",
                expected,
                format!("one where {reason}"),
            ));
        }
        // Within ±180° an edge goes where GeoJSON says, however long it is; as it came: not a digit is changed.
        if shape.coords_iter().all(|c| c.x.abs() <= 180.0) {
            return Ok(Area::Intersects(value.clone()));
        }
        let expected =
            "polygons, or longitudes of at most 180°, with edges beyond the antimeridian of at most 180°";
        let edges = edges(&shape).ok_or_else(|| {
            Error::argument(
                "intersects",
                expected,
                "another geometry with longitudes beyond 180°",
            )
        })?;
        if let Some(edge) = edges.iter().find(|edge| edge.delta().x.abs() > 180.0) {
            let got = format!(
                "an edge from longitude {} to {}; put corners between",
                edge.start.x, edge.end.x
            );
            return Err(Error::argument("intersects", expected, got));
        }
        Ok(Area::Intersects(geojson(&footprint::settle(&shape)?)?))
    }
}

/// The edges of polygons; `None` for all else.
fn edges(shape: &Geometry) -> Option<Vec<geo::Line>> {
    let polygons = match shape {
        Geometry::Polygon(polygon) => std::slice::from_ref(polygon),
        Geometry::MultiPolygon(several) => &several.0,
        _ => return None,
    };
    let rings = polygons
        .iter()
        .flat_map(|p| std::iter::once(p.exterior()).chain(p.interiors()));
    Some(rings.flat_map(|ring| ring.lines()).collect())
}

/// A ring that is not closed is a mistake that the geometry library would mend in silence.
fn closed(geometry: &Value) -> Result<()> {
    let rings: Vec<&Value> = match geometry["type"].as_str() {
        Some("Polygon") => geometry["coordinates"].as_array().into_iter().flatten().collect(),
        Some("MultiPolygon") => {
            let polygons = geometry["coordinates"].as_array().into_iter().flatten();
            polygons.filter_map(Value::as_array).flatten().collect()
        }
        _ => return Ok(()),
    };
    for ring in rings.into_iter().filter_map(Value::as_array) {
        if ring.len() < 4 || ring.first() != ring.last() {
            let expected = "a polygon whose rings have at least four positions, the last like the first";
            return Err(Error::argument(
                "intersects",
                expected,
                format!("a ring of {}", short(&json!(ring))),
            ));
        }
    }
    Ok(())
}

fn geojson(shape: &Geometry) -> Result<Value> {
    serde_json::to_value(geojson::Geometry::from(shape))
        .map_err(|e| Error::message(format!("the area cannot be sent: {e}")))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(value: Value) -> String {
        Area::intersects(&value).unwrap_err().to_string()
    }

    #[test]
    fn boxes_are_checked() {
        assert_eq!(
            Area::bbox(&[1.0, 2.0, 3.0, 4.0]).unwrap(),
            Area::Bbox(vec![1.0, 2.0, 3.0, 4.0])
        );
        assert_eq!(
            Area::bbox(&[1.0, 2.0, 0.0, 3.0, 4.0, 9.0]).unwrap(),
            Area::Bbox(vec![1.0, 2.0, 0.0, 3.0, 4.0, 9.0])
        );
        for bad in [
            vec![],
            vec![1.0, 2.0, 3.0],
            vec![1.0, 5.0, 3.0, 4.0],
            vec![170.0, 0.0, 190.0, 1.0],
            vec![0.0, -91.0, 1.0, 0.0],
            vec![f64::NAN, 0.0, 1.0, 1.0],
            vec![0.0, 0.0, 9.0, 1.0, 1.0, 8.0],
            vec![170.0, 0.0, 0.0, -170.0, 1.0, 1.0],
        ] {
            let text = Area::bbox(&bad).unwrap_err().to_string();
            assert!(text.starts_with("bbox must be"), "{text}");
        }
    }

    #[test]
    fn a_box_over_the_antimeridian_is_two() {
        let Area::Intersects(two) = Area::bbox(&[170.0, -10.0, -170.0, 10.0]).unwrap() else {
            panic!()
        };
        assert_eq!(two["type"], "MultiPolygon");
        let mut wests: Vec<f64> = two["coordinates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                p[0].as_array()
                    .unwrap()
                    .iter()
                    .map(|c| c[0].as_f64().unwrap())
                    .fold(f64::MAX, f64::min)
            })
            .collect();
        wests.sort_by(f64::total_cmp);
        assert_eq!(wests, [-180.0, 170.0]);
    }

    #[test]
    fn geometries_are_checked_and_sent_as_they_came() {
        let square =
            json!({ "type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1.25], [0, 1], [0, 0]]] });
        assert_eq!(
            Area::intersects(&square).unwrap(),
            Area::Intersects(square.clone())
        );
        let feature = json!({ "type": "Feature", "properties": {}, "geometry": square });
        assert_eq!(Area::intersects(&feature).unwrap(), Area::Intersects(square));
        let point = json!({ "type": "Point", "coordinates": [5.5, 50] });
        assert_eq!(Area::intersects(&point).unwrap(), Area::Intersects(point));

        assert!(
            error(json!({ "type": "Circle", "coordinates": [0, 0] })).contains("must be a GeoJSON geometry")
        );
        assert!(
            error(json!({ "type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]] }))
                .contains("the last like the first")
        );
        assert!(error(json!({ "type": "Polygon", "coordinates": [] })).contains("without positions"));
        assert!(
            error(json!({ "type": "Point", "coordinates": [500_000, 4_000_000] }))
                .contains("(500000, 4000000)")
        );
        let bow_tie = json!({ "type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]] });
        assert!(error(bow_tie).contains("valid geometry"));
    }

    #[test]
    fn a_polygon_beyond_180_degrees_is_cut() {
        let over =
            json!({ "type": "Polygon", "coordinates": [[[170, 0], [190, 0], [190, 5], [170, 5], [170, 0]]] });
        let Area::Intersects(cut) = Area::intersects(&over).unwrap() else {
            panic!()
        };
        assert_eq!(cut["type"], "MultiPolygon");
        assert!(!cut.to_string().contains("190"), "{cut}");
        // Wide is wide: two thirds of the Earth, not the other third.
        let wide = json!({ "type": "Polygon", "coordinates": [[[-120, -50], [120, -50], [120, 60], [-120, 60], [-120, -50]]] });
        assert_eq!(Area::intersects(&wide).unwrap(), Area::Intersects(wide));
        let both =
            json!({ "type": "Polygon", "coordinates": [[[-10, 0], [190, 0], [190, 5], [-10, 5], [-10, 0]]] });
        assert!(error(both).contains("an edge from longitude -10 to 190"));
    }
}
