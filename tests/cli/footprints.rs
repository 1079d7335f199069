//! The workflow `footprints`, run as a user runs it.

use std::path::Path;

use serde_json::{Value, json};

use super::{assert_holds, folder, run};

fn square(west: f64, south: f64, platform: &str, percent: u32) -> Value {
    let turned = |lon: f64| (lon + 180.0).rem_euclid(360.0) - 180.0;
    let corners = [(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
    let ring: Vec<[f64; 2]> = corners
        .iter()
        .map(|(x, y)| [turned(west + x), south + y])
        .collect();
    json!({ "type": "Feature", "id": format!("{west} {south}"), "geometry": { "type": "Polygon", "coordinates": [ring] },
        "properties": { "platform": platform, "percent_valid_pixels": percent, "datetime": "2019-01-01T00:00:00Z" } })
}

/// Pixels of about this colour in a picture.
fn pixels_of(path: &Path, color: [u8; 3]) -> usize {
    let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let samples = info.color_type.samples();
    let near = |pixel: &&[u8]| pixel.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 12);
    bytes[..info.buffer_size()].chunks(samples).filter(near).count()
}

#[test]
fn footprints_are_drawn_also_over_the_dateline() {
    let around: Vec<Value> = (0..8)
        .map(|i| {
            square(
                175.0 + f64::from(i),
                -78.0 + f64::from(i % 3),
                if i < 4 { "S2A" } else { "LC08" },
                10 * i as u32,
            )
        })
        .collect();
    let items = json!({ "type": "FeatureCollection", "features": around }).to_string();
    let land = json!({ "type": "FeatureCollection", "features": [
        { "type": "Feature", "properties": {}, "geometry": { "type": "Polygon",
            "coordinates": [[[-180, -90], [180, -90], [180, -77.5], [-180, -77.5], [-180, -90]]] } }] })
    .to_string();
    let here = folder(&[("items.json", &items), ("land.geojson", &land)]);
    let call = [
        "run",
        "footprints",
        "--items",
        "items.json",
        "--dpi",
        "200",
        "--color-by",
        "platform",
    ];
    let done = run(
        here.path(),
        &[&call[..], &["--borders", "land.geojson", "--out", "out/map.png"]].concat(),
    );
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    // The middle of 175° to 184° at 76.5° S, not the middle of −176° and 175°.
    let middle: Vec<f64> = done
        .out
        .split(&[' ', '°', ','][..])
        .filter_map(|w| w.parse().ok())
        .collect();
    assert_eq!(middle[0], 8.0);
    assert!(
        (middle[1].rem_euclid(360.0) - 179.5).abs() < 0.3 && (middle[2] + 76.5).abs() < 0.3,
        "{}",
        done.out
    );
    let map = here.path().join("out/map.png");
    for color in [[0x1f, 0x77, 0xb4], [0xff, 0x7f, 0x0e]] {
        assert!(pixels_of(&map, color) > 200, "the outlines of both platforms");
    }
    assert!(pixels_of(&map, [0xf5, 0xf1, 0xe6]) > 2000, "the land");

    // Without borders, as SVG, in another projection, by a number, with labels.
    let plain = run(
        here.path(),
        &[
            "run",
            "footprints",
            "--items",
            "items.json",
            "--out",
            "map.svg",
            "--crs",
            "EPSG:3031",
            "--color-by",
            "year",
            "--label",
            "platform",
        ],
    );
    assert_eq!(plain.code, 0, "{}", plain.err);
    assert_holds(
        &std::fs::read_to_string(here.path().join("map.svg")).unwrap(),
        "<svg",
    );
}

#[test]
fn footprints_that_are_not_there_are_said() {
    let item = json!({ "type": "Feature", "geometry": null, "properties": { "a": 1 } });
    let items = json!({ "type": "FeatureCollection", "features": [item] }).to_string();
    let square = json!({ "type": "FeatureCollection", "features": [square(0.0, 0.0, "S2A", 1)] }).to_string();
    let here = folder(&[("none.json", &items), ("one.json", &square)]);
    let none = run(here.path(), &["run", "footprints", "--items", "none.json"]);
    assert_eq!(none.code, 1);
    assert_holds(&none.err, "1 entries, none with a footprint");
    let wrong = run(
        here.path(),
        &[
            "run",
            "footprints",
            "--items",
            "one.json",
            "--color-by",
            "mission",
        ],
    );
    assert_eq!(wrong.code, 1);
    assert_holds(
        &wrong.err,
        "no entry of one.json has the property mission; there are: id, platform",
    );
}
