//! GeoJSON text (RFC 7946), with the `crs` member of its 2008 predecessor where a file has one.

use std::path::Path;

use geo::{Geometry as Shape, MapCoords, Orient};
use geojson::feature::Id;
use serde_json::{Value as Json, json};

use super::{Feature, Features, Geometry, Properties};
use crate::earth::geojson_shape;
use crate::error::{Domain, Error, Result};
use crate::files;
use crate::raster::Crs;
use crate::table::Value;
use crate::work::provenance::{self, RECORD};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeoJsonOptions {
    /// Coordinates rounded to this many decimals; None writes them so that they read back the same.
    pub decimals: Option<u32>,
    /// Leave the coordinates in their CRS and name it in a `crs` member, as GeoJSON did in 2008 and GDAL still reads. Otherwise
    /// they are transformed to longitude and latitude on WGS 84, as RFC 7946 wants.
    pub keep_crs: bool,
}

impl GeoJsonOptions {
    pub const DECIMALS: Domain = Domain::within(0.0, 15.0);
}

impl Features {
    /// Reads a FeatureCollection, a Feature, or a geometry (which becomes one feature). Without a `crs` member
    /// coordinates are longitude and latitude on WGS 84. Altitudes are dropped; text that looks like a time stays text.
    ///
    /// # Errors
    /// Names the line and column of text that is not JSON or not GeoJSON, or the feature whose geometry is unusable.
    pub fn from_geojson(text: &str) -> Result<Features> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let bad = |message: String| Error::message(format!("GeoJSON: {message}"));
        let json: Json = serde_json::from_str(text).map_err(|e| bad(e.to_string()))?;
        let crs = crs_of(&json)?;
        let features = match json {
            Json::Object(mut object)
                if object.get("type").and_then(Json::as_str) == Some("FeatureCollection") =>
            {
                // One by one, so that a message can name the feature.
                let Some(Json::Array(members)) = object.remove("features") else {
                    return Err(bad("a FeatureCollection without a list of `features`".into()));
                };
                let numbered = members.into_iter().enumerate();
                numbered
                    .map(|(i, json)| feature(json).map_err(|e| bad(format!("feature {}: {e}", i + 1))))
                    .collect::<Result<Vec<_>>>()?
            }
            json => vec![feature(json).map_err(bad)?],
        };
        Ok(Features {
            features,
            crs: Some(crs),
        })
    }

    /// A FeatureCollection, one feature a line, outer rings counter-clockwise. Times become ISO 8601 strings.
    ///
    /// # Errors
    /// When the features have a CRS from which a point has no image in longitude and latitude.
    pub fn to_geojson(&self, options: &GeoJsonOptions) -> Result<String> {
        self.collection(options, None)
    }

    fn collection(&self, options: &GeoJsonOptions, record: Option<&str>) -> Result<String> {
        let (features, crs) = self.for_geojson(options)?;
        let mut out = head(crs.as_ref(), record);
        for (i, f) in features.features.iter().enumerate() {
            out.push_str(if i == 0 { "\n" } else { ",\n" });
            out.push_str(&feature_text(f, options));
        }
        out.push_str(TAIL);
        Ok(out)
    }

    /// Writes `to_geojson`'s text to a file, atomically.
    ///
    /// # Errors
    /// As `to_geojson`; a folder that is not there or cannot be written; a full disk.
    pub fn write_geojson(&self, path: &Path, options: &GeoJsonOptions) -> Result<()> {
        let text = self.collection(options, provenance::record(path).as_deref())?;
        files::write_whole(path, text.as_bytes())
    }

    /// The features in the CRS in which they are to be written, and the `crs` member to name it.
    fn for_geojson(&self, options: &GeoJsonOptions) -> Result<(Features, Option<Json>)> {
        let (to, member) = options.target(self.crs.as_ref())?;
        let features = match to {
            Some(to) => self.to_crs(&to, None)?,
            None => self.clone(),
        };
        Ok((features, member))
    }
}

impl GeoJsonOptions {
    /// The CRS into which coordinates are to be brought, where not theirs, and the `crs` member to name theirs.
    ///
    /// # Errors
    /// Too many decimals; where it is to be kept, a CRS without an EPSG code.
    pub(super) fn target(&self, crs: Option<&Crs>) -> Result<(Option<Crs>, Option<Json>)> {
        let decimals = self.decimals.map(|count| count as usize);
        decimals
            .map(|count| GeoJsonOptions::DECIMALS.check_count("decimals", count))
            .transpose()?;
        let wgs84 = Crs::wgs84()?;
        Ok(match crs.filter(|crs| **crs != wgs84) {
            Some(crs) if self.keep_crs => (None, Some(crs_member(crs)?)),
            Some(_) => (Some(wgs84), None),
            None => (None, None),
        })
    }
}

impl Geometry {
    /// Reads a GeoJSON geometry, or the geometries of a Feature or FeatureCollection, several as a GeometryCollection.
    ///
    /// # Errors
    /// As `Features::from_geojson`; text without a geometry.
    pub fn from_geojson(text: &str) -> Result<Geometry> {
        let features = Features::from_geojson(text)?;
        let mut shapes: Vec<Shape<f64>> = features.features.into_iter().filter_map(|f| f.shape).collect();
        let shape = match shapes.len() {
            0 => return Err(Error::message("GeoJSON: no geometry in it")),
            1 => shapes.remove(0),
            _ => Shape::GeometryCollection(geo::GeometryCollection::new_from(shapes)),
        };
        Ok(Geometry {
            shape,
            crs: features.crs,
        })
    }

    /// The GeoJSON geometry, in longitude and latitude unless the options say otherwise.
    ///
    /// # Errors
    /// As `Features::to_geojson`; where its CRS is to be kept, one without an EPSG code.
    pub fn to_geojson(&self, options: &GeoJsonOptions) -> Result<String> {
        let (features, crs) = Features::from_geometry(self.clone()).for_geojson(options)?;
        let mut json = features.features[0]
            .shape
            .as_ref()
            .map_or(Json::Null, |s| geometry_json(s, options));
        if let (Some(crs), Json::Object(object)) = (crs, &mut json) {
            object.insert("crs".into(), crs);
        }
        Ok(json.to_string())
    }
}

/// What stands before the features of a FeatureCollection.
pub(super) fn head(crs: Option<&Json>, record: Option<&str>) -> String {
    let crs = crs.map_or(String::new(), |crs| format!("\"crs\":{crs},"));
    let record = record.map_or(String::new(), |record| format!("\"{RECORD}\":{record},"));
    format!("{{\"type\":\"FeatureCollection\",{crs}{record}\"features\":[")
}

/// What stands after them.
pub(super) const TAIL: &str = "\n]}\n";

/// A feature whose coordinates are those to be written.
pub(super) fn feature_text(feature: &Feature, options: &GeoJsonOptions) -> String {
    let mut object = serde_json::Map::new();
    object.insert("type".into(), json!("Feature"));
    if let Some(id) = &feature.id {
        object.insert("id".into(), id.to_json());
    }
    let properties = feature
        .properties
        .iter()
        .map(|(n, v)| (n.to_string(), v.to_json()))
        .collect();
    object.insert("properties".into(), Json::Object(properties));
    let shape = feature.shape.as_ref();
    let geometry = shape.map_or(Json::Null, |s| geometry_json(s, options));
    object.insert("geometry".into(), geometry);
    Json::Object(object).to_string()
}

fn crs_of(json: &Json) -> Result<Crs> {
    let Some(crs) = json.get("crs").filter(|c| !c.is_null()) else {
        return Crs::wgs84();
    };
    let name = crs
        .get("properties")
        .and_then(|p| p.get("name"))
        .and_then(Json::as_str);
    let name = name.ok_or_else(|| Error::message(format!("GeoJSON: cannot use the `crs` member {crs}")))?;
    // `urn:ogc:def:crs:OGC:1.3:CRS84` and `urn:ogc:def:crs:EPSG::32611`, as files of the 2008 form have them.
    let parts: Vec<&str> = name.split(':').collect();
    match parts.as_slice() {
        [.., "CRS84"] => Crs::wgs84(),
        ["urn", "ogc", "def", "crs", authority, _, code] => Crs::parse(&format!("{authority}:{code}")),
        _ => Crs::parse(name),
    }
}

fn crs_member(crs: &Crs) -> Result<Json> {
    let epsg = crs.epsg().ok_or_else(|| {
        Error::argument(
            "CRS",
            "one with an EPSG code, which is how GeoJSON names a CRS",
            format!("`{crs}`"),
        )
    })?;
    Ok(json!({ "type": "name", "properties": { "name": format!("urn:ogc:def:crs:EPSG::{epsg}") } }))
}

/// A feature of a Feature or a geometry object.
fn feature(json: Json) -> Result<Feature, String> {
    let kind = json.get("type").and_then(Json::as_str).map(str::to_string);
    let kind = kind.ok_or("an object of GeoJSON has a `type`, this has none")?;
    match kind.as_str() {
        "Feature" => {
            let f: geojson::Feature = serde_json::from_value(json).map_err(|e| e.to_string())?;
            let shape = f.geometry.map(|g| geojson_shape(&g)).transpose()?;
            let properties = f.properties.unwrap_or_default().into_iter();
            let properties = properties
                .map(|(name, value)| (name, Value::from_json(value)))
                .collect();
            let id = f.id.map(|id| match id {
                Id::String(s) => Value::Text(s),
                Id::Number(n) => Value::from_json(Json::Number(n)),
            });
            Ok(Feature {
                shape,
                properties,
                id,
            })
        }
        "FeatureCollection" => Err("a FeatureCollection within a FeatureCollection".into()),
        _ => {
            let g: geojson::Geometry = serde_json::from_value(json).map_err(|e| e.to_string())?;
            Ok(Feature::new(Some(geojson_shape(&g)?), Properties::new()))
        }
    }
}

fn geometry_json(shape: &Shape<f64>, options: &GeoJsonOptions) -> Json {
    let rounded;
    let shape = match options.decimals {
        None => shape,
        Some(decimals) => {
            let scale = 10f64.powi(decimals as i32);
            let round = |v: f64| (v * scale).round() / scale;
            rounded = shape.map_coords(|c| geo::Coord {
                x: round(c.x),
                y: round(c.y),
            });
            &rounded
        }
    };
    let oriented = orient(shape);
    serde_json::to_value(geojson::Geometry::from(&oriented)).unwrap_or(Json::Null)
}

/// Outer rings counter-clockwise, holes clockwise (RFC 7946 section 3.1.6).
fn orient(shape: &Shape<f64>) -> Shape<f64> {
    let direction = geo::orient::Direction::Default;
    match shape {
        Shape::Polygon(p) => Shape::Polygon(p.orient(direction)),
        Shape::MultiPolygon(p) => Shape::MultiPolygon(p.orient(direction)),
        Shape::GeometryCollection(c) => Shape::GeometryCollection(c.iter().map(orient).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_keep_their_types_and_order() {
        let text = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","id":7,"properties":{"z":1,"a":2.5,"s":"2020-01-05","b":true,"n":null,"l":[1,{"x":2}],"big":18446744073709551615},
             "geometry":{"type":"Point","coordinates":[11.5,48.25,600]}},
            {"type":"Feature","id":"x","properties":null,"geometry":null}]}"#;
        let f = Features::from_geojson(text).unwrap();
        assert_eq!(f.crs.as_ref().unwrap().name(), "EPSG:4326");
        let p = &f.features[0].properties;
        assert_eq!(
            p.names().collect::<Vec<_>>(),
            ["z", "a", "s", "b", "n", "l", "big"]
        );
        assert_eq!(p.get("z"), Some(&Value::Integer(1)));
        assert_eq!(p.get("s"), Some(&Value::Text("2020-01-05".into())));
        assert_eq!(p.get("big"), Some(&Value::Float(18446744073709551615.0)));
        assert_eq!(f.features[1].id, Some(Value::Text("x".into())));
        assert_eq!(f.geometry(0).unwrap().to_wkt(), "POINT (11.5 48.25)");
        assert_eq!(f.geometry(1), None);
        let again = Features::from_geojson(&f.to_geojson(&GeoJsonOptions::default()).unwrap()).unwrap();
        assert_eq!(again.features[0], f.features[0]);
        let table = f.to_table().unwrap();
        assert_eq!(
            table.names().collect::<Vec<_>>(),
            ["id", "z", "a", "s", "b", "n", "l", "big"]
        );
        assert_eq!(table.value(0, "l").unwrap(), Value::Text(r#"[1,{"x":2}]"#.into()));
        assert_eq!(table.value(1, "z").unwrap(), Value::Missing);
    }

    #[test]
    fn geometries_and_features_alone() {
        let f = Features::from_geojson(
            r#"{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}}"#,
        );
        assert_eq!(f.unwrap().len(), 1);
        let f = Features::from_geojson(
            r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}"#,
        );
        assert_eq!(
            f.unwrap().geometry(0).unwrap().to_wkt(),
            "GEOMETRYCOLLECTION (POINT (1 2))"
        );
        let g = Geometry::from_geojson(r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}"#)
            .unwrap();
        assert_eq!(g.area() > 0.0, g.crs.unwrap().is_geographic());
    }

    #[test]
    fn errors_name_the_place() {
        let error = |text: &str| Features::from_geojson(text).unwrap_err().to_string();
        assert_eq!(
            error("{\n\"type\": ?}"),
            "GeoJSON: expected value at line 2 column 9"
        );
        assert!(error("").contains("line 1 column 0"));
        assert!(error("[1]").contains("has a `type`"));
        assert!(error(r#"{"type":"FeatureCollection"}"#).contains("without a list"));
        let point = |c: &str| {
            format!(
                r#"{{"type":"Feature","properties":{{}},"geometry":{{"type":"Point","coordinates":{c}}}}}"#
            )
        };
        let collection = format!(
            r#"{{"type":"FeatureCollection","features":[{},{}]}}"#,
            point("[1,2]"),
            point("[1]")
        );
        assert!(
            error(&collection).starts_with("GeoJSON: feature 2: "),
            "{}",
            error(&collection)
        );
        assert!(error(r#"{"type":"Pont","coordinates":[1,2]}"#).contains("Pont"));
        assert!(error(r#"{"type":"Polygon","coordinates":[1,2]}"#).starts_with("GeoJSON: "));
    }

    #[test]
    fn written_in_longitude_and_latitude_or_with_its_crs() {
        let clockwise = Geometry {
            crs: Some(Crs::parse("EPSG:32632").unwrap()),
            ..Geometry::from_wkt("POLYGON ((500000 0, 500000 1000, 501000 1000, 500000 0))").unwrap()
        };
        let f = Features::from_geometry(clockwise);
        let options = GeoJsonOptions {
            decimals: Some(3),
            ..Default::default()
        };
        assert_eq!(
            f.to_geojson(&options).unwrap(),
            "{\"type\":\"FeatureCollection\",\"features\":[\n{\"type\":\"Feature\",\"properties\":{},\"geometry\":\
             {\"type\":\"Polygon\",\"coordinates\":[[[9.0,0.0],[9.009,0.009],[9.0,0.009],[9.0,0.0]]]}}\n]}\n"
        );
        let kept = f
            .to_geojson(&GeoJsonOptions {
                keep_crs: true,
                ..Default::default()
            })
            .unwrap();
        assert!(kept.contains("urn:ogc:def:crs:EPSG::32632") && kept.contains("[501000.0,1000.0]"));
        let back = Features::from_geojson(&kept).unwrap();
        assert_eq!(
            (back.crs.clone().unwrap().name(), back.bounds()),
            ("EPSG:32632", f.bounds())
        );
        let crs84 = r#"{"type":"Point","coordinates":[1,2],"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}}}"#;
        assert_eq!(
            Features::from_geojson(crs84).unwrap().crs.unwrap().name(),
            "EPSG:4326"
        );
    }
}
