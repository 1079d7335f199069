//! Items of an invented archive, and the answers to searches in it by looking at every item.

use geo::{BoundingRect, Geometry, Intersects};
use jiff::Timestamp;
use serde_json::{Value, json};

pub const COUNT: usize = 2_400;

pub struct World {
    pub items: Vec<Value>,
}

/// A repeatable stream of numbers in 0..1 (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        // Few digits, so that text, JSON and binary agree.
        ((low + (high - low) * self.next()) * 1e4).round() / 1e4
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }
}

pub const COLLECTIONS: [&str; 3] = ["landsat", "radar", "weird/id?x=1"];
const PLATFORMS: [&str; 4] = ["landsat-8", "landsat-9", "Größe O'Neill", "sentinel-1a"];

pub fn collections() -> Vec<Value> {
    let boxes = [
        [-180.0, -90.0, 180.0, 90.0],
        [0.0, -80.0, 60.0, 80.0],
        [-180.0, -90.0, 180.0, 90.0],
    ];
    let ends = [json!("2020-12-31T23:59:59Z"), Value::Null, Value::Null];
    (0..3)
        .map(|i| {
            json!({ "type": "Collection", "stac_version": "1.0.0", "id": COLLECTIONS[i], "links": [], "license": "other",
                    "title": format!("Collection number {i}"), "description": (["optical", "microwave radar", "strange"][i]),
                    "extent": { "spatial": { "bbox": [boxes[i]] }, "temporal": { "interval": [["2019-01-01T00:00:00Z", ends[i]]] } } })
        })
        .collect()
}

pub fn queryables() -> Value {
    json!({ "$schema": "https://json-schema.org/draft/2019-09/schema", "type": "object", "properties": {
        "eo:cloud_cover": { "type": "number" }, "gsd": { "type": "number" }, "sat:relative_orbit": { "type": "integer" },
        "platform": { "type": "string" },
    } })
}

impl World {
    pub fn generate() -> World {
        let mut random = Random(20_260_101);
        World {
            items: (0..COUNT).map(|i| item(i, &mut random)).collect(),
        }
    }

    /// The ids of the items that fit, sorted.
    pub fn ids(&self, fits: impl Fn(&Value) -> bool) -> Vec<String> {
        let mut ids: Vec<String> = self.items.iter().filter(|item| fits(item)).map(id).collect();
        ids.sort();
        ids
    }
}

pub fn id(item: &Value) -> String {
    item["id"].as_str().unwrap().to_string()
}

fn item(i: usize, random: &mut Random) -> Value {
    let (x, y) = (random.between(-175.0, 173.0), random.between(-80.0, 76.0));
    let mut corner = |dx: f64, dy: f64| {
        let (a, b) = (random.between(0.0, 0.4), random.between(0.0, 0.4));
        json!([round(x + dx + a), round(y + dy + b)])
    };
    let quad = {
        let first = corner(0.0, 0.0);
        json!([[first, corner(1.5, 0.0), corner(1.5, 1.5), corner(0.0, 1.5), first]])
    };
    let geometry = match i % 7 {
        0 => json!({ "type": "Point", "coordinates": [x, y] }),
        1 => json!({ "type": "LineString", "coordinates": [[x, y], corner(1.0, 2.0), corner(1.5, 0.5)] }),
        2 => {
            let second = {
                let first = corner(0.5, 2.2);
                json!([[first, corner(1.2, 2.2), corner(0.8, 3.0), first]])
            };
            json!({ "type": "MultiPolygon", "coordinates": [quad, second] })
        }
        _ => json!({ "type": "Polygon", "coordinates": quad }),
    };
    let bounds = shape(&geometry).bounding_rect().unwrap();
    // 2019-01-01 to 2022-12-31, every ninth item in the last half second of a day.
    let day = random.below(1461) as i64;
    let second = if i % 9 == 4 {
        86_399.5
    } else {
        random.below(86_400) as f64
    };
    let time = |seconds: f64| {
        let start: Timestamp = "2019-01-01T00:00:00Z".parse().unwrap();
        let millis = (day as f64 * 86_400.0 + seconds) * 1000.0;
        start
            .checked_add(jiff::SignedDuration::from_millis(millis as i64))
            .unwrap()
            .to_string()
    };
    let mut properties = match i % 11 == 5 {
        true => {
            json!({ "datetime": null, "start_datetime": time(second), "end_datetime": time(second + 200_000.0) })
        }
        false => json!({ "datetime": time(second) }),
    };
    if i % 5 != 3 {
        properties["eo:cloud_cover"] = json!(random.between(0.0, 100.0));
    }
    properties["gsd"] = json!(([10, 15, 30, 100][random.below(4)]));
    properties["platform"] = json!(PLATFORMS[random.below(4)]);
    properties["sat:relative_orbit"] = json!(1 + random.below(175));
    properties["tags"] = json!(["a", "b", "c"][..random.below(4)]);
    json!({
        "type": "Feature", "stac_version": "1.0.0", "id": format!("item-{i:05}"), "collection": COLLECTIONS[random.below(100) / 40],
        "geometry": geometry, "bbox": [bounds.min().x, bounds.min().y, bounds.max().x, bounds.max().y],
        "properties": properties, "links": [],
        "assets": { "data": { "href": format!("https://data.example/{i}.tif"), "type": "image/tiff", "roles": ["data"],
                              "alternate": { "s3": { "href": format!("s3://bucket/{i}.tif") } } },
                    "thumbnail": { "href": format!("https://data.example/{i}.png"), "nodata": "nan" } },
    })
}

fn round(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}

pub fn shape(geometry: &Value) -> Geometry {
    let read: geojson::Geometry = serde_json::from_value(geometry.clone()).unwrap();
    Geometry::try_from(read).unwrap()
}

pub fn touches(item: &Value, area: &Geometry) -> bool {
    shape(&item["geometry"]).intersects(area)
}

/// Whether the item's time, an instant or a stretch, has some of `start` to `end`, both included.
pub fn during(item: &Value, start: Option<&str>, end: Option<&str>) -> bool {
    let p = &item["properties"];
    let read = |name: &str| {
        p[name]
            .as_str()
            .or(p["datetime"].as_str())
            .unwrap()
            .parse::<Timestamp>()
            .unwrap()
    };
    let (first, last) = (read("start_datetime"), read("end_datetime"));
    let bound = |text: &str| text.parse::<Timestamp>().unwrap();
    start.is_none_or(|s| last >= bound(s)) && end.is_none_or(|e| first <= bound(e))
}

/// A number among the properties.
pub fn number(item: &Value, name: &str) -> Option<f64> {
    item["properties"][name].as_f64()
}
