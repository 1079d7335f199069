//! What GeoJSON holds, checked before it becomes a shape.

use geo::Geometry as Shape;

/// The one way from what a GeoJSON file holds to a shape: the crate takes it for granted that a position has two numbers.
///
/// # Errors
/// Names a position with fewer than two numbers.
pub fn shape(geometry: &::geojson::Geometry) -> Result<Shape<f64>, String> {
    check(&geometry.value)?;
    Shape::try_from(geometry).map_err(|e| e.to_string())
}

fn check(value: &::geojson::GeometryValue) -> Result<(), String> {
    use ::geojson::GeometryValue as Value;
    let position = |p: &::geojson::Position| match p.as_slice() {
        [_, _, ..] => Ok(()),
        few => Err(format!(
            "a position is a longitude and a latitude, {few:?} is not"
        )),
    };
    match value {
        Value::Point { coordinates } => position(coordinates),
        Value::MultiPoint { coordinates } | Value::LineString { coordinates } => {
            coordinates.iter().try_for_each(position)
        }
        Value::MultiLineString { coordinates } | Value::Polygon { coordinates } => {
            coordinates.iter().flatten().try_for_each(position)
        }
        Value::MultiPolygon { coordinates } => coordinates.iter().flatten().flatten().try_for_each(position),
        Value::GeometryCollection { geometries } => geometries.iter().try_for_each(|g| check(&g.value)),
    }
}
