use std::borrow::Cow;

use super::layer::promoted;
use super::*;
use crate::raster::Bounds;
use crate::table::parse_time;
use crate::vector::{Properties, ReadOptions};

fn features(shapes: &[&str]) -> Features {
    let feature = |(i, wkt): (usize, &&str)| {
        let time = parse_time(["2020-02-29T10:30:15.250Z", "1999-12-31T23:59:59Z"][i % 2]).unwrap();
        let properties: Properties = [
            (
                "name",
                if i == 1 {
                    Value::Missing
                } else {
                    Value::Text(format!("Åre \"{i}\""))
                },
            ),
            ("count", Value::Integer(i as i64 + (1 << 40))),
            ("height", Value::Float(0.1 * i as f64)),
            ("flag", Value::Bool(i % 2 == 0)),
            ("seen", Value::Time(time)),
            ("day", Value::Time(parse_time("2020-02-29").unwrap())),
            ("list", Value::Nested(serde_json::json!([1, "a"]))),
        ]
        .map(|(n, v)| (n.to_string(), v))
        .into_iter()
        .collect();
        let shape = crate::vector::Geometry::from_wkt(wkt).unwrap().shape;
        Feature {
            shape: Some(shape),
            properties,
            id: Some(Value::Integer(10 + i as i64)),
        }
    };
    Features::new(
        shapes.iter().enumerate().map(feature).collect(),
        Some(Crs::parse("EPSG:32632").unwrap()),
    )
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn formats_read_back_what_was_written() {
    let polygons = [
        "POLYGON ((500000 0, 501000 0, 501000 1000, 500000 0))",
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
    ];
    let points = ["POINT (500000.125 4000000.25)", "POINT (1 2)"];
    for extension in ["gpkg", "fgb", "gml"] {
        for shapes in [polygons, points] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(format!("a.{extension}"));
            let written = features(&shapes);
            written.write(&path, &WriteOptions::default()).unwrap();
            let read = Features::read(&path, &ReadOptions::default()).unwrap();
            assert_eq!(read.crs, written.crs, "{extension}");
            assert_eq!(read.len(), 2);
            let mut rows: Vec<&Feature> = read.features.iter().collect();
            // A FlatGeobuf is in the order of its spatial index.
            rows.sort_by_key(|f| {
                f.properties
                    .get("count")
                    .and_then(Value::as_f64)
                    .map(|x| x as i64)
            });
            for (i, (a, b)) in written.features.iter().zip(rows).enumerate() {
                let shape = promoted(
                    Cow::Borrowed(a.shape.as_ref().unwrap()),
                    layer_type(&written.features),
                );
                let reversed = |s: &Shape<f64>| crate::vector::Geometry::new(s.clone(), None);
                assert_eq!(
                    reversed(&shape).bounds(),
                    reversed(b.shape.as_ref().unwrap()).bounds(),
                    "{extension}"
                );
                assert_eq!(
                    reversed(&shape).area(),
                    reversed(b.shape.as_ref().unwrap()).area(),
                    "{extension}"
                );
                for (name, value) in a.properties.iter() {
                    let expected = match value {
                        Value::Nested(v) => Value::Text(v.to_string()),
                        other => other.clone(),
                    };
                    assert_eq!(b.properties.get(name), Some(&expected), "{extension} {name}");
                }
                if extension == "gpkg" {
                    assert_eq!(b.id, Some(Value::Integer(10 + i as i64)));
                }
            }
        }
    }
}

#[test]
fn a_shapefile_is_all_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roads.shp");
    let lines = features(&["LINESTRING (0 0, 1 1)", "LINESTRING (5 5, 6 6, 7 5)"]);
    lines.write(&path, &WriteOptions::default()).unwrap();
    assert_eq!(
        names(folder.path()),
        ["roads.cpg", "roads.dbf", "roads.prj", "roads.shp", "roads.shx"]
    );
    let read = Features::read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(read.geometry(1).unwrap().to_wkt(), "LINESTRING (5 5, 6 6, 7 5)");
    assert_eq!(
        read.features[0].properties.get("name"),
        Some(&Value::Text("Åre \"0\"".into()))
    );
    assert_eq!(
        read.features[0].properties.get("day"),
        Some(&Value::Time(parse_time("2020-02-29").unwrap()))
    );
    assert_eq!(read.crs.unwrap().epsg(), Some(32632));
    let mixed = features(&["POINT (1 2)", "LINESTRING (0 0, 1 1)"]);
    let error = mixed
        .write(&path, &WriteOptions::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("these are LineString, Point"), "{error}");
    // The old one is still there, and nothing else.
    assert_eq!(names(folder.path()).len(), 5);
    assert_eq!(Features::read(&path, &ReadOptions::default()).unwrap().len(), 2);
}

#[test]
fn layers_filters_and_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gpkg");
    let points = features(&["POINT (1 2)", "POINT (10 20)", "POINT (100 200)"]);
    points
        .write(
            &path,
            &WriteOptions {
                layer: Some("places".into()),
                ..Default::default()
            },
        )
        .unwrap();
    let read = |options: &ReadOptions| {
        Features::read(&path, options)
            .map(|f| f.len())
            .map_err(|e| e.to_string())
    };
    let all = ReadOptions::default();
    assert_eq!(read(&all), Ok(3));
    assert_eq!(
        read(&ReadOptions {
            layer: Some("places".into()),
            ..all.clone()
        }),
        Ok(3)
    );
    let error = read(&ReadOptions {
        layer: Some("place".into()),
        ..all.clone()
    })
    .unwrap_err();
    assert_eq!(error, "no layer `place`; did you mean `places`?");
    assert_eq!(
        read(&ReadOptions {
            filter: Some("height > 0.05 AND flag = 1".into()),
            ..all.clone()
        }),
        Ok(1)
    );
    let error = read(&ReadOptions {
        filter: Some("height >".into()),
        ..all.clone()
    })
    .unwrap_err();
    assert!(
        error.contains("attributes name, count, height") && error.contains("`height >`"),
        "{error}"
    );
    let bounds = Bounds {
        min_x: 5.0,
        min_y: 5.0,
        max_x: 50.0,
        max_y: 50.0,
    };
    assert_eq!(
        read(&ReadOptions {
            bounds: Some(bounds),
            ..all
        }),
        Ok(1)
    );
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        Features::read(&folder.path().join(name), &ReadOptions::default())
            .unwrap_err()
            .to_string()
    };
    assert!(read("no.gpkg").starts_with("no such file"));
    for (name, bytes) in [
        ("empty.gpkg", &b""[..]),
        ("cut.geojson", b"{\"type\": \"FeatureColl"),
        ("text.shp", b"hello"),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        assert!(
            read(name).contains("cannot be read as a vector file"),
            "{}",
            read(name)
        );
    }
    let points = features(&["POINT (1 2)"]);
    let write = |name: &str| {
        points
            .write(&folder.path().join(name), &WriteOptions::default())
            .unwrap_err()
            .to_string()
    };
    assert!(write("a.xyz").contains("ends in one of .geojson, .parquet, .geoparquet, .gpkg, .shp"));
    assert!(write("no/a.gpkg").contains("does not exist; create it first"));
    assert_eq!(names(folder.path()), ["cut.geojson", "empty.gpkg", "text.shp"]);
    // Columns of the format's own and properties of the same name.
    let mut clash = points.clone();
    clash.features[0].properties.set("fid", Value::Text("x".into()));
    clash.features[0].properties.set("geom", Value::Integer(5));
    let path = folder.path().join("clash.gpkg");
    clash.write(&path, &WriteOptions::default()).unwrap();
    let read = Features::read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(
        read.features[0].properties.get("fid"),
        Some(&Value::Text("x".into()))
    );
    assert_eq!(read.geometry(0).unwrap().to_wkt(), "POINT (1 2)");
}

#[test]
fn features_without_geometry_and_empty_collections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gpkg");
    let mut some = features(&["POINT (1 2)", "POINT (3 4)"]);
    some.features[0].shape = None;
    some.write(&path, &WriteOptions::default()).unwrap();
    let read = Features::read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(
        (read.geometry(0), read.geometry(1).unwrap().to_wkt().as_str()),
        (None, "POINT (3 4)")
    );
    Features::new(Vec::new(), some.crs.clone())
        .write(&path, &WriteOptions::default())
        .unwrap();
    assert!(Features::read(&path, &ReadOptions::default()).unwrap().is_empty());
}
