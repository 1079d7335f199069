//! ASF by CMR: requests as ASF's own client sends them, recorded answers, and a stand-in of CMR over generated granules.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use geo::{Geometry, Intersects};
use jiff::Timestamp;
use perilune::bytes::http::wait;
use perilune::catalog::asf::{AsfOptions, AsfSearch, Range};
use perilune::catalog::item::{checksum, property, size, span};
use perilune::catalog::items::Items;
use perilune::catalog::pages::Search;
use perilune::error::Result;
use serde_json::{Value, json};

use super::common::{Answer, Asked, Server, client, shared};
use super::replay::Replay;

fn run(options: AsfOptions, url: &str) -> Result<Items> {
    let search = AsfSearch::new(options, Some(url))?;
    wait(search.all(&client()))
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| s.to_string()).collect()
}

fn time(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

fn wkt(text: &str) -> Option<Geometry> {
    let shape: wkt::Wkt<f64> = text.parse().unwrap();
    Some(shape.try_into().unwrap())
}

/// The options of the recorded case, read as a script would give them.
fn recorded_options(options: &Value) -> AsfOptions {
    let list = |name: &str| options[name].as_str().map_or(vec![], |s| vec![s.to_string()]);
    let numbers = |name: &str| -> Vec<i64> {
        options[name]
            .as_str()
            .map_or(vec![], |s| serde_json::from_str(s).unwrap())
    };
    AsfOptions {
        dataset: list("dataset"),
        platform: list("platform"),
        instrument: list("instrument"),
        processing_level: list("processingLevel"),
        polarization: list("polarization"),
        beam_mode: list("beamMode"),
        flight_direction: list("flightDirection"),
        relative_orbit: numbers("relativeOrbit").into_iter().map(Range::one).collect(),
        relative_burst_id: numbers("relativeBurstID"),
        intersects_with: options["intersectsWith"].as_str().and_then(wkt),
        start: options["start"].as_str().and_then(time),
        end: options["end"].as_str().and_then(time),
        max_results: options["maxResults"].as_str().map(|s| s.parse().unwrap()),
        page: 250,
        ..AsfOptions::new()
    }
}

#[test]
fn requests_are_those_of_asfs_own_client() {
    let Some(path) = shared("api/asf_cmr/asf_search_wire_requests.json") else {
        return;
    };
    let cases: Value = serde_json::from_reader(std::fs::File::open(path).unwrap()).unwrap();
    let mut seen = 0;
    for (name, case) in cases.as_object().unwrap() {
        let server =
            Server::start(|_| Answer::json(&json!({ "hits": 0, "items": [] })).header("CMR-Hits", "0"));
        let found = run(
            recorded_options(&case["options"]),
            &server.url("/search/granules.umm_json"),
        )
        .unwrap();
        assert!(found.is_empty());
        let asked = server.requests();
        let recorded = case["requests"].as_array().unwrap();
        assert_eq!(asked.len(), recorded.len(), "{name}");
        for (asked, recorded) in asked.iter().zip(recorded) {
            assert_eq!(asked.method, recorded["method"].as_str().unwrap());
            assert_eq!(asked.header("content-type"), recorded["content_type"].as_str());
            let mut ours = asked.form();
            let mut theirs: Vec<(String, String)> = serde_json::from_value(recorded["body"].clone()).unwrap();
            // Numbers count, not their digits; one page holds no more than is wanted.
            let settle = |pairs: &mut Vec<(String, String)>| {
                pairs.retain(|(name, _)| name != "page_size");
                for (_, value) in pairs.iter_mut() {
                    let parts = value
                        .split(',')
                        .map(|p| p.parse::<f64>().map_or(p.to_string(), |n| format!("{n:.9}")));
                    *value = parts.collect::<Vec<_>>().join(",");
                }
                pairs.sort();
            };
            settle(&mut ours);
            settle(&mut theirs);
            assert_eq!(ours, theirs, "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn a_recorded_search_gives_all_its_granules() {
    let Some(replay) = Replay::of("asf_cmr/opera_cslc_burst_search_30hits.json") else {
        return;
    };
    for burst in ["t087_185683_iw2", "t087_185682_iw2"] {
        let options = AsfOptions {
            collections: texts(&[
                "C1259976861-ASF",
                "C1260721945-ASF",
                "C2777443834-ASF",
                "C2803501758-ASF",
            ]),
            opera_burst_id: texts(&[burst]),
            start: time("2022-10-01T00:00:00Z"),
            end: time("2023-03-29T00:00:00Z"),
            page: 250,
            ..AsfOptions::new()
        };
        let found = run(options, replay.url("/search/granules.umm_json").as_str()).unwrap();
        assert_eq!((found.len(), found.matched), (30, Some(30)));
        assert!(found.notes.is_empty(), "{:?}", found.notes);
        for item in found.items.iter().map(Result::unwrap) {
            let id = property(&item, "asf:opera_burst_id").unwrap();
            assert!(id.as_str().unwrap().eq_ignore_ascii_case(burst));
            // The name of the granule says the time, the satellite's burst the path.
            let stamp = item
                .id
                .split('_')
                .find(|p| p.len() == 16 && p.ends_with('Z'))
                .unwrap();
            let start = span(&item).unwrap().start.strftime("%Y%m%dT%H%M%SZ").to_string();
            assert_eq!(start, stamp);
            assert_eq!(property(&item, "sat:relative_orbit"), Some(json!(87)));
            assert!(item.assets["data"].href.ends_with(&format!("{}.h5", item.id)));
            assert!(
                item.assets["data"].additional_fields["alternate"]["s3"]["href"]
                    .as_str()
                    .unwrap()
                    .starts_with("s3://")
            );
        }
    }
    replay.assert_all_asked("/search");
}

/// What ASF's own client made of a granule against what is made of the same granule here.
#[test]
fn granules_say_what_asfs_own_products_say() {
    let Some(folder) = shared("api/asf_search") else {
        return;
    };
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yml") {
            continue;
        }
        let products: Vec<Value> = serde_yaml_ng::from_reader(std::fs::File::open(&path).unwrap()).unwrap();
        for product in products.iter().filter(|p| p["umm"].is_object()) {
            let item = perilune::catalog::asf::item(product).unwrap();
            let theirs = &product["properties"];
            let same = |ours: &str, name: &str| {
                let (a, b) = (property(&item, ours).unwrap_or(Value::Null), &theirs[name]);
                let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok());
                let text = |v: &Value| v.as_str().unwrap_or("").to_lowercase();
                let equal = match (number(&a), number(b)) {
                    (Some(a), Some(b)) => a == b,
                    _ => text(&a) == text(b),
                };
                assert!(equal, "{}: {ours} is {a}, {name} is {b}", item.id);
            };
            assert_eq!(item.id, theirs["fileID"].as_str().unwrap());
            same("sat:relative_orbit", "pathNumber");
            same("sat:absolute_orbit", "orbit");
            same("sat:orbit_state", "flightDirection");
            same("asf:frame", "frameNumber");
            same("sar:instrument_mode", "beamModeType");
            same("processing:level", "processingLevel");
            same("platform", "platform");
            same("view:off_nadir", "offNadirAngle");
            same("asf:faraday_rotation_deg", "faradayRotation");
            same("asf:scene_name", "sceneName");
            let span = span(&item).unwrap();
            assert_eq!(span.start, theirs["startTime"].as_str().unwrap().parse().unwrap());
            assert_eq!(span.end, theirs["stopTime"].as_str().unwrap().parse().unwrap());
            let asset = &item.assets["data"];
            assert_eq!(asset.href, theirs["url"].as_str().unwrap());
            assert_eq!(size(asset), theirs["bytes"].as_u64());
            assert_eq!(
                checksum(asset),
                Some(("md5", theirs["md5sum"].as_str().unwrap().to_string()))
            );
            let ours: Geometry = item.geometry.as_ref().unwrap().try_into().unwrap();
            let given: geojson::Geometry = serde_json::from_value(product["geometry"].clone()).unwrap();
            let theirs: Geometry = (&given).try_into().unwrap();
            use geo::{Area, BooleanOps};
            let (Geometry::Polygon(a), Geometry::Polygon(b)) = (&ours, &theirs) else {
                panic!("{ours:?}")
            };
            assert!(a.xor(b).unsigned_area() < 1e-9 * b.unsigned_area());
            compared += 1;
        }
    }
    assert!(compared >= 3, "{compared}");
}

/// A granule of the stand-in.
#[derive(Clone)]
struct Granule {
    id: String,
    start: Timestamp,
    corner: (f64, f64),
}

const SIDE: f64 = 0.7;

impl Granule {
    fn shape(&self) -> Geometry {
        let (x, y) = self.corner;
        Geometry::Rect(geo::Rect::new((x, y), (x + SIDE, y + SIDE)))
    }

    fn umm(&self) -> Value {
        let (x, y) = self.corner;
        let end = self.start + jiff::SignedDuration::from_secs(8);
        let points: Vec<Value> = [(x, y), (x + SIDE, y), (x + SIDE, y + SIDE), (x, y + SIDE), (x, y)]
            .iter()
            .map(|(x, y)| json!({ "Longitude": x, "Latitude": y }))
            .collect();
        json!({ "meta": { "concept-id": format!("G{}-ASF", self.id) }, "umm": {
            "GranuleUR": self.id,
            "TemporalExtent": { "RangeDateTime": { "BeginningDateTime": self.start.to_string(), "EndingDateTime": end.to_string() } },
            "SpatialExtent": { "HorizontalSpatialDomain": { "Geometry": { "GPolygons": [{ "Boundary": { "Points": points } }] } } },
            "CollectionReference": { "ShortName": "ALOS_PSR_RTC_HIGH" },
            "RelatedUrls": [{ "Type": "GET DATA", "URL": format!("https://datapool.asf.alaska.edu/{}.zip", self.id) }],
        }})
    }
}

/// Spread over five years and 40° × 20°, by a fixed sequence.
fn granules(n: usize) -> Vec<Granule> {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let start: Timestamp = "2006-01-01T00:00:00Z".parse().unwrap();
    let one = |i: usize| Granule {
        id: format!("ALPSRP{i:06}-RTC_HI_RES"),
        start: start + jiff::SignedDuration::from_secs((random() * 5.0 * 365.0 * 86_400.0) as i64),
        corner: (-120.0 + 40.0 * random(), 30.0 + 20.0 * random()),
    };
    (0..n).map(one).collect()
}

/// What CMR would do: filter by time and area, sort, give pages after the place that the header names.
struct Cmr {
    granules: Vec<Granule>,
    /// Pages larger than this end in 504, as CMR's do on complex requests.
    largest: usize,
    /// Granules that are counted but never given.
    hidden: usize,
    pages: AtomicUsize,
    areas: Mutex<Vec<String>>,
}

impl Cmr {
    fn start(granules: Vec<Granule>, largest: usize, hidden: usize) -> (Server, Arc<Cmr>) {
        let cmr = Arc::new(Cmr {
            granules,
            largest,
            hidden,
            pages: AtomicUsize::new(0),
            areas: Mutex::default(),
        });
        let own = cmr.clone();
        (Server::start(move |asked| own.answer(asked)), cmr)
    }

    fn answer(&self, asked: &Asked) -> Answer {
        let form = asked.form();
        let get = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let page: usize = get("page_size").unwrap().parse().unwrap();
        let mut found: Vec<&Granule> = self.granules.iter().collect();
        if let Some(times) = get("temporal") {
            let mut ends = times.split(',');
            let mut end = || {
                ends.next()
                    .filter(|t| !t.is_empty())
                    .map(|t| t.parse::<Timestamp>().unwrap())
            };
            let (first, last) = (end(), end());
            found.retain(|g| first.is_none_or(|t| g.start >= t) && last.is_none_or(|t| g.start <= t));
        }
        let numbers = |text: &str| {
            text.split(',')
                .map(|n| n.parse::<f64>().unwrap())
                .collect::<Vec<_>>()
        };
        if let Some(bbox) = get("bounding_box") {
            let b = numbers(bbox);
            let area = geo::Rect::new((b[0], b[1]), (b[2], b[3]));
            found.retain(|g| g.shape().intersects(&area));
        }
        if let Some(polygon) = get("polygon") {
            self.areas.lock().unwrap().push(polygon.to_string());
            let ring: Vec<(f64, f64)> = numbers(polygon).chunks(2).map(|p| (p[0], p[1])).collect();
            let area = geo::Polygon::new(ring.into(), vec![]);
            found.retain(|g| g.shape().intersects(&area));
        }
        found.sort_by(|a, b| b.start.cmp(&a.start).then(a.id.cmp(&b.id)));
        let hits = found.len().to_string();
        if page == 0 {
            return Answer::json(&json!({ "hits": found.len(), "items": [] })).header("CMR-Hits", &hits);
        }
        if page > self.largest {
            return Answer::new(
                504,
                "text/html",
                "<html><title>504 Gateway Time-out</title></html>",
            );
        }
        self.pages.fetch_add(1, Ordering::Relaxed);
        let from = match asked.header("cmr-search-after") {
            Some(after) => found.iter().position(|g| after.contains(&g.id)).unwrap() + 1,
            None => 0,
        };
        let given = found.len() - self.hidden.min(found.len());
        let part: Vec<&Granule> = found[..given].iter().skip(from).take(page).copied().collect();
        let items: Vec<Value> = part.iter().map(|g| g.umm()).collect();
        let mut answer =
            Answer::json(&json!({ "hits": found.len(), "items": items })).header("CMR-Hits", &hits);
        if let Some(last) = part.last() {
            answer = answer.header(
                "CMR-Search-After",
                &format!("[{},\"{}\"]", last.start.as_millisecond(), last.id),
            );
        }
        answer
    }
}

fn ids(items: &Items) -> Vec<&str> {
    let mut ids: Vec<&str> = items.items.ids().collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_long_search_is_cut_into_slices_and_complete() {
    let all = granules(5000);
    let (server, cmr) = Cmr::start(all.clone(), 2000, 0);
    let options = AsfOptions {
        start: time("2006-02-01T00:00:00Z"),
        end: time("2010-11-30T23:59:59Z"),
        page: 200,
        ..AsfOptions::new()
    };
    let found = run(options.clone(), &server.url("/search")).unwrap();
    let mut wanted: Vec<&str> = all
        .iter()
        .filter(|g| g.start >= options.start.unwrap() && g.start <= options.end.unwrap())
        .map(|g| g.id.as_str())
        .collect();
    wanted.sort_unstable();
    assert_eq!(ids(&found), wanted);
    assert_eq!(found.matched, Some(wanted.len() as u64));
    let times: Vec<Timestamp> = (0..found.len())
        .map(|i| found.items.span(i).unwrap().end)
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
    // Side by side, yet without more than a page a slice beyond the least.
    let pages = cmr.pages.load(Ordering::Relaxed);
    assert!(pages <= wanted.len() / 200 + 33, "{pages}");

    let stream = AsfSearch::new(options, Some(&server.url("/search"))).unwrap();
    let mut pages = stream.stream();
    let mut streamed = Items::default();
    while let Some(items) = wait(pages.next(&client())).unwrap() {
        streamed.items.append(items);
    }
    assert_eq!(ids(&streamed), wanted);
}

#[test]
fn pages_shrink_where_the_server_gives_up() {
    let all = granules(900);
    let (server, _) = Cmr::start(all, 130, 0);
    let found = run(
        AsfOptions {
            page: 1000,
            ..AsfOptions::new()
        },
        &server.url("/search"),
    )
    .unwrap();
    assert_eq!(found.len(), 900);
    let sizes: Vec<usize> = server
        .requests()
        .iter()
        .map(|r| {
            r.form()
                .iter()
                .find(|(n, _)| n == "page_size")
                .unwrap()
                .1
                .parse()
                .unwrap()
        })
        .collect();
    assert_eq!(&sizes[..4], &[1000, 500, 250, 125]);
    assert!(sizes[4..].iter().all(|s| *s == 125), "{sizes:?}");
}

#[test]
fn fewer_than_counted_is_an_error_unless_asked_for() {
    let (server, _) = Cmr::start(granules(300), 2000, 7);
    let options = AsfOptions {
        page: 100,
        ..AsfOptions::new()
    };
    let error = run(options.clone(), &server.url("/search"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("counts 300 items but gave 293") && error.contains("partial = true"),
        "{error}"
    );
    let found = run(
        AsfOptions {
            partial: true,
            ..options
        },
        &server.url("/search"),
    )
    .unwrap();
    assert_eq!(found.len(), 293);
    assert!(found.notes[0].contains("counts 300"), "{:?}", found.notes);
}

/// A coast line of 4000 corners: asked for with few, checked with all.
#[test]
fn a_complex_area_is_simplified_and_then_checked() {
    let ring: Vec<(f64, f64)> = (0..4000)
        .map(|i| {
            let a = std::f64::consts::TAU * f64::from(i) / 4000.0;
            let r = 6.0 + 2.0 * (5.0 * a).sin() + 0.4 * (90.0 * a).sin();
            (-100.0 + r * a.cos(), 40.0 + r * a.sin())
        })
        .collect();
    let area = Geometry::Polygon(geo::Polygon::new(ring.into(), vec![]));
    let all = granules(4000);
    let (server, cmr) = Cmr::start(all.clone(), 2000, 0);
    let options = AsfOptions {
        intersects_with: Some(area.clone()),
        ..AsfOptions::new()
    };
    let found = run(options, &server.url("/search")).unwrap();
    let mut wanted: Vec<&str> = all
        .iter()
        .filter(|g| g.shape().intersects(&area))
        .map(|g| g.id.as_str())
        .collect();
    wanted.sort_unstable();
    assert_eq!(ids(&found), wanted);
    let corners = cmr.areas.lock().unwrap()[0].split(',').count() / 2;
    assert!(corners <= 101, "{corners}");
    assert!(
        found.matched.unwrap() > wanted.len() as u64,
        "the request was as narrow as the area"
    );
}

#[test]
fn alternatives_that_cmr_would_all_demand_are_asked_one_by_one() {
    let server = Server::start(|_| Answer::json(&json!({ "hits": 0, "items": [] })).header("CMR-Hits", "0"));
    let options = AsfOptions {
        platform: texts(&["Sentinel-1"]),
        processing_level: texts(&["SLC"]),
        relative_orbit: vec![Range::one(64), Range::parse("", "80-82").unwrap()],
        frame: vec![Range::one(470), Range::one(475), Range::one(480)],
        season: Some([300, 60]),
        ..AsfOptions::new()
    };
    run(options, &server.url("/s")).unwrap();
    let asked = server.requests();
    assert_eq!(asked.len(), 2 * 3 * 2);
    for request in &asked {
        let form = request.form();
        let attributes: Vec<&str> = form
            .iter()
            .filter(|(n, _)| n == "attribute[]")
            .map(|(_, v)| v.as_str())
            .collect();
        assert_eq!(attributes.len(), 2, "{attributes:?}");
        assert!(attributes.contains(&"int,PATH_NUMBER,64") || attributes.contains(&"int,PATH_NUMBER,80,82"));
        let temporal = &form.iter().find(|(n, _)| n == "temporal").unwrap().1;
        assert!(
            temporal.ends_with(",300,366") || temporal.ends_with(",1,60"),
            "{temporal}"
        );
    }
}

#[test]
fn what_goes_wrong_is_said() {
    let error = |status: u16, kind: &str, body: &str| {
        let (kind, body) = (kind.to_string(), body.to_string());
        let server = Server::start(move |_| Answer::new(status, &kind, body.clone()));
        run(AsfOptions::new(), &server.url("/search/granules.umm_json"))
            .unwrap_err()
            .to_string()
    };
    let text = error(
        400,
        "application/json",
        r#"{"errors":["Parameter [polygon] was not recognized."]}"#,
    );
    assert!(
        text.contains("/search/granules.umm_json") && text.contains("was not recognized"),
        "{text}"
    );
    let text = error(
        200,
        "text/html",
        "<html><head><title>Scheduled outage</title></head></html>",
    );
    assert!(
        text.contains("web page") && text.contains("Scheduled outage"),
        "{text}"
    );
    let text = error(200, "application/json", r#"{"feed":{}}"#);
    assert!(text.contains("no `items`"), "{text}");
    let text = error(
        200,
        "application/json",
        r#"{"hits":1,"items":[{"meta":{"native-id":"X"}}]}"#,
    );
    assert!(text.contains("entry X is no granule"), "{text}");

    let wrong = |options: AsfOptions| AsfSearch::new(options, None).err().unwrap().to_string();
    let text = wrong(AsfOptions {
        start: time("2020-02-01T00:00:00Z"),
        end: time("2020-01-01T00:00:00Z"),
        ..AsfOptions::new()
    });
    assert!(
        text.contains("end must be a time after the start, 2020-02-01"),
        "{text}"
    );
    let text = wrong(AsfOptions {
        flight_direction: texts(&["north"]),
        ..AsfOptions::new()
    });
    assert!(
        text.contains("flightDirection must be ASCENDING or DESCENDING, got `north`"),
        "{text}"
    );
    let text = wrong(AsfOptions {
        dataset: texts(&["SLC-BURTS"]),
        ..AsfOptions::new()
    });
    assert!(text.contains("did you mean `SLC-BURST`"), "{text}");
    assert!(
        AsfSearch::new(AsfOptions::new(), Some("cmr.earthdata"))
            .err()
            .unwrap()
            .to_string()
            .contains("web address")
    );
}
