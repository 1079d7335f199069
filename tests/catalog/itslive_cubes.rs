//! ITS_LIVE: its catalogue of cubes, against the catalogue's own corners and slow obvious loops.

use std::collections::BTreeMap;
use std::io::Read;

use geo::{Area as _, BooleanOps, BoundingRect, Intersects, LineString, Polygon};
use perilune::catalog::itslive::{Area, Cube, Cubes};
use serde_json::{Value, json};

use super::common::{Answer, Server, client, shared};

/// The catalogue's features, read here again by themselves.
fn catalogue() -> Option<(Cubes, Vec<Value>)> {
    let path = shared("api/itslive_search/catalog_v02.json.gz")?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    Some((
        Cubes::open(&path).unwrap(),
        value["features"].as_array().unwrap().clone(),
    ))
}

fn outline(feature: &Value) -> Polygon<f64> {
    let ring = feature["geometry"]["coordinates"][0].as_array().unwrap();
    let point = |c: &Value| (c[0].as_f64().unwrap(), c[1].as_f64().unwrap());
    Polygon::new(
        LineString::from(ring.iter().map(point).collect::<Vec<_>>()),
        vec![],
    )
}

fn url(feature: &Value) -> &str {
    feature["properties"]["zarr_url"].as_str().unwrap()
}

#[test]
fn cubes_are_found_at_their_corners_and_middles() {
    let Some((cubes, features)) = catalogue() else {
        return;
    };
    assert_eq!(cubes.cubes.len(), 3086);
    for feature in &features {
        // The catalogue gives each corner in longitude and latitude to a millionth of a degree: a tenth of a metre.
        // A little inside, the cube must be found, a little outside it must not: that is the projection's own proof.
        let ring = outline(feature);
        let bounds = ring.bounding_rect().unwrap();
        let middle = ring.exterior().0[..4]
            .iter()
            .fold((0.0, 0.0), |m, c| (m.0 + c.x / 4.0, m.1 + c.y / 4.0));
        assert!(
            bounds.width() < 90.0,
            "no cube of this catalogue lies over the dateline"
        );
        for corner in &ring.exterior().0[..4] {
            for (step, inside) in [(1e-4, true), (-1e-4, false)] {
                let lon = corner.x + step * (middle.0 - corner.x);
                let lat = corner.y + step * (middle.1 - corner.y);
                let found = cubes.at(lon, lat).unwrap();
                assert_eq!(
                    found.iter().any(|c| c.zarr_url == url(feature)),
                    inside,
                    "{lon} {lat} {}",
                    url(feature)
                );
            }
        }
    }
}

/// Points everywhere near cubes: the catalogue's outlines, walked through one after the other, tell the same.
#[test]
fn points_find_the_cubes_that_a_slow_loop_finds() {
    let Some((cubes, features)) = catalogue() else {
        return;
    };
    let outlines: Vec<Polygon<f64>> = features.iter().map(outline).collect();
    let mut state = 99_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut compared, mut hits) = (0, 0);
    for _ in 0..3000 {
        let near = &outlines[(random() * outlines.len() as f64) as usize];
        let b = near.bounding_rect().unwrap();
        let lon = b.min().x - 1.0 + random() * (b.width() + 2.0);
        let lat = (b.min().y - 0.5 + random() * (b.height() + 1.0)).clamp(-89.9, 89.9);
        // The outlines have straight edges where those of the cubes bend, so near an edge they decide nothing.
        let point = geo::Point::new(lon, lat);
        let doubtful = |o: &Polygon<f64>| {
            let b = o.bounding_rect().unwrap();
            let bend = 0.02 * b.width().max(b.height()) + 0.05;
            let box_around = geo::Rect::new((lon - bend, lat - bend), (lon + bend, lat + bend));
            o.exterior().intersects(&box_around)
        };
        if !(-180.0..=180.0).contains(&lon) || outlines.iter().any(doubtful) {
            continue;
        }
        compared += 1;
        let expected: Vec<&str> = features
            .iter()
            .zip(&outlines)
            .filter(|(_, o)| o.intersects(&point))
            .map(|(f, _)| url(f))
            .collect();
        let found: Vec<&str> = cubes
            .at(lon, lat)
            .unwrap()
            .iter()
            .map(|c| c.zarr_url.as_str())
            .collect();
        assert_eq!(found, expected, "{lon} {lat}");
        hits += expected.len();
    }
    assert!(
        compared > 500 && hits > 250,
        "{compared} points were compared, {hits} cubes found"
    );
}

#[test]
fn areas_find_the_cubes_that_a_slow_loop_finds() {
    let Some((cubes, features)) = catalogue() else {
        return;
    };
    let outlines: Vec<Polygon<f64>> = features.iter().map(outline).collect();
    for bbox in [
        [-102.5, -75.5, -99.0, -74.7], // Pine Island
        [-51.0, 68.5, -48.0, 69.6],    // Jakobshavn
        [-147.5, 60.8, -146.0, 61.5],  // Columbia, UTM and polar
        [75.0, 35.0, 78.0, 37.0],      // Karakoram, two zones
        [-75.0, -51.0, -72.0, -46.0],  // Patagonia
        [-180.0, -90.0, 180.0, -60.0], // all of Antarctica
        [-60.0, 0.0, -40.0, 20.0],     // nothing
    ] {
        let area = Area::bbox(bbox).unwrap();
        let found: BTreeMap<&str, f64> = cubes
            .intersecting(&area)
            .iter()
            .map(|f| (f.cube.zarr_url.as_str(), f.share))
            .collect();
        let rect = geo::Rect::new((bbox[0], bbox[1]), (bbox[2], bbox[3])).to_polygon();
        for (feature, outline) in features.iter().zip(&outlines) {
            let common = outline.intersection(&rect).unsigned_area() / outline.unsigned_area();
            let share = found.get(url(feature)).copied().unwrap_or(0.0);
            // Shares in degrees and in metres differ a little, more so near the poles where the outlines are coarse.
            assert!(
                (common - share).abs() < 0.06,
                "{bbox:?} {}: {share} against {common}",
                url(feature)
            );
        }
    }
    let everything = cubes.intersecting(&Area::bbox([-180.0, -90.0, 180.0, 90.0]).unwrap());
    assert_eq!(everything.len(), 3086);
    assert!(
        everything.iter().all(|f| f.share > 0.999_999),
        "the whole world covers all cubes wholly"
    );
}

/// Cubes over the dateline and over the pole, which the catalogue of 2023 left out.
#[test]
fn cubes_at_the_dateline_and_at_the_poles_are_found() {
    let cube = |epsg: u32, x: i64, y: i64| {
        let (w, s, e, n) = (x - 50_000, y - 50_000, x + 50_000, y + 50_000);
        json!({ "type": "Feature", "geometry": null, "properties": {
            "zarr_url": format!("EPSG{epsg}_X{x}_Y{y}.zarr"), "epsg": epsg, "datacube_exist": 1,
            "geometry_epsg": { "type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] } } })
    };
    // At the south pole; on the 180° meridian in the Ross Sea (x = 0, y < 0 in EPSG:3031); at the north pole; in zone 1 over 180° W.
    let collection = json!({ "type": "FeatureCollection", "features": [
        cube(3031, 0, 0), cube(3031, 0, -1_300_000), cube(3413, 0, 0), cube(32601, 300_000, 6_000_000) ] });
    let cubes = Cubes::parse(collection.to_string().as_bytes()).unwrap();
    let names = |list: Vec<&Cube>| list.iter().map(|c| c.zarr_url.clone()).collect::<Vec<_>>();
    for lon in [-180.0, -90.0, 0.0, 17.0, 180.0] {
        assert_eq!(
            names(cubes.at(lon, -89.9).unwrap()),
            ["EPSG3031_X0_Y0.zarr"],
            "{lon}"
        );
        assert_eq!(
            names(cubes.at(lon, 89.9).unwrap()),
            ["EPSG3413_X0_Y0.zarr"],
            "{lon}"
        );
    }
    for lon in [-180.0, 180.0, 179.5, -179.5] {
        assert_eq!(
            names(cubes.at(lon, -78.05).unwrap()),
            ["EPSG3031_X0_Y-1300000.zarr"],
            "{lon}"
        );
    }
    // 54.1° N: 6 000 km on the meridian are 54.15°; 300 km east of the zone's 177° W are 180°.
    for lon in [179.7, 180.0, -179.8] {
        assert_eq!(
            names(cubes.at(lon, 54.1).unwrap()),
            ["EPSG32601_X300000_Y6000000.zarr"],
            "{lon}"
        );
    }
    let ross = Area::bbox([178.0, -79.0, -178.0, -77.0]).unwrap();
    let found = cubes.intersecting(&ross);
    assert_eq!(found.len(), 1);
    // Meridians are straight there: a wedge of ±2° around x = 0, from 1250 to 1350 km off the pole, in a square of 100 km.
    assert!(
        (found[0].share - 26.0 * 2_f64.to_radians().tan()).abs() < 1e-5,
        "{}",
        found[0].share
    );
    let ring = [[-180.0, -85.0], [-90.0, -85.0], [0.0, -85.0], [90.0, -85.0]];
    let around = cubes.intersecting(&Area::polygon(&ring).unwrap());
    assert_eq!(around.len(), 1);
    assert!((around[0].share - 1.0).abs() < 1e-9, "{}", around[0].share);
    assert!(cubes.at(0.0, 91.0).is_err());
}

#[test]
fn what_is_no_catalogue_is_an_error() {
    for (text, says) in [
        ("{}", "not a catalogue"),
        ("<html>", "not a catalogue"),
        (
            r#"{"features":[{"properties":{"zarr_url":"a"}}]}"#,
            "not a catalogue",
        ),
        (
            r#"{"features":[{"properties":{"zarr_url":"a","epsg":4326,"geometry_epsg":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}}]}"#,
            "EPSG:4326",
        ),
        (
            r#"{"features":[{"properties":{"zarr_url":"a","epsg":3031,"geometry_epsg":{"type":"Point","coordinates":[0,0]}}}]}"#,
            "cube 1: its geometry_epsg has no area",
        ),
        ("\u{1f}", "not a catalogue"),
    ] {
        let error = Cubes::parse(text.as_bytes()).err().unwrap().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(
        Cubes::parse(&[0x1f, 0x8b, 0, 1])
            .err()
            .unwrap()
            .to_string()
            .contains("gzip")
    );
}

#[test]
fn catalogues_are_fetched() {
    let Some(path) = shared("api/itslive_search/catalog_v02.json.gz") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let server = Server::start(move |asked| match asked.path() {
        "/catalog_v02.json" => {
            Answer::new(200, "application/json", bytes.clone()).header("content-encoding", "gzip")
        }
        "/catalog_v02.json.gz" => Answer::new(200, "application/gzip", bytes.clone()),
        _ => Answer::new(404, "text/plain", "nothing here"),
    });
    for path in ["/catalog_v02.json", "/catalog_v02.json.gz"] {
        assert_eq!(
            Cubes::fetch(&client(), &server.url(path)).unwrap().cubes.len(),
            3086
        );
    }
    assert!(
        Cubes::fetch(&client(), &server.url("/else"))
            .err()
            .unwrap()
            .to_string()
            .contains("404")
    );
}
