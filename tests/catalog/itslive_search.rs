//! ITS_LIVE: searches of both services, with recorded answers and answers that are wrong.

use geo::{LineString, Polygon};
use perilune::bytes::http::{parse_url, wait};
use perilune::catalog::item;
use perilune::catalog::items::Items;
use perilune::catalog::itslive::filter::entries_of_urls;
use perilune::catalog::itslive::{Area, Candidate, Granule, Query, Serialization, StacSearch, UrlSearch};
use perilune::catalog::pages::Search;
use perilune::error::Result;
use serde_json::{Value, json};

use super::common::{Answer, Asked, Server, client, shared};
use super::itslive_names::recorded;

// ---- the service of addresses

fn pine_island() -> Query {
    let ring = [
        [-101.1555, -74.7387],
        [-99.1172, -75.0879],
        [-99.8797, -75.46],
        [-102.425, -74.925],
        [-101.1555, -74.7387],
    ];
    Query {
        start: Some("1984-01-01T00:00:00Z".parse().unwrap()),
        end: Some("2020-01-01T23:59:59Z".parse().unwrap()),
        percent_valid_pixels: Some(30.0),
        min_separation: Some(6.0),
        max_separation: Some(120.0),
        ..Query::new(Area::polygon(&ring).unwrap())
    }
}

fn run(server: &Server, query: Query, form: Serialization) -> Result<Items> {
    let endpoint = parse_url("url", &server.url("/velocities/urls/")).unwrap();
    let http = client();
    let search = UrlSearch::new(query, endpoint, form)?;
    wait(search.all(&http))
}

/// Pairs of Landsat 8 sixteen days apart: `count` of them, from 2014 on.
fn pairs_of_landsat(count: usize) -> Vec<String> {
    let day = |n: usize| {
        jiff::civil::date(2014, 1, 1)
            .saturating_add(jiff::Span::new().days(n as i64))
            .strftime("%Y%m%d")
            .to_string()
    };
    (0..count)
        .map(|i| {
            let (a, b) = (day(3 * i), day(3 * i + 16));
            let scene = |d: &str| format!("LC08_L1GT_001113_{d}_20200911_02_T2");
            format!(
                "https://data.example/velocity_image_pair/landsatOLI/v02/S70W100/{}_X_{}_G0120V02_P{:03}.nc",
                scene(&a),
                scene(&b),
                30 + i % 70
            )
        })
        .collect()
}

fn value(asked: &Asked, name: &str) -> Option<String> {
    asked.query().into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
}

#[test]
fn the_seeds_question_is_asked_as_the_seed_asked_it() {
    let urls = pairs_of_landsat(600);
    let listed: Vec<Value> = urls
        .iter()
        .map(|u| json!({ "url": u, "browse_image": u.replace(".nc", ".png") }))
        .collect();
    let server = Server::start(move |asked| match asked.path() {
        "/velocities/urls/" => Answer::json(&json!(listed)),
        "/velocities/coverage/" => {
            Answer::json(&json!([{ "year": 2014, "count": 122 }, { "year": 2015, "count": 478 }]))
        }
        _ => Answer::new(404, "text/plain", ""),
    });
    let found = run(&server, pine_island(), Serialization::Json).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    // The query of the notebook, parameter by parameter.
    let expected = [
        (
            "polygon",
            "-101.1555,-74.7387,-99.1172,-75.0879,-99.8797,-75.46,-102.425,-74.925,-101.1555,-74.7387",
        ),
        ("start", "1984-01-01"),
        ("end", "2020-01-01"),
        ("percent_valid_pixels", "30"),
        ("min_interval", "6"),
        ("max_interval", "120"),
    ];
    let same: Vec<(String, String)> = expected
        .iter()
        .map(|(n, v)| (n.to_string(), v.to_string()))
        .collect();
    let counted = requests
        .iter()
        .find(|r| r.path() == "/velocities/coverage/")
        .unwrap();
    assert_eq!(counted.query(), same);
    let listed = requests.iter().find(|r| r.path() == "/velocities/urls/").unwrap();
    assert_eq!(
        listed.query(),
        [same, vec![("serialization".into(), "json".into())]].concat()
    );

    assert_eq!((found.len(), found.matched), (600, Some(600)));
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    for (i, (item, url)) in found.items.iter().map(Result::unwrap).zip(&urls).enumerate() {
        assert_eq!(&item.assets["data"].href, url);
        assert_eq!(item.assets["overview"].href, url.replace(".nc", ".png"));
        let is =
            |name: &str, expected: Value| assert_eq!(item::property(&item, name), Some(expected), "{name}");
        is("platform", json!("LC08"));
        is("date_dt", json!(16.0));
        is("percent_valid_pixels", json!(30 + i % 70));
        is("version", json!("002"));
        is("proj:code", json!("EPSG:3031"));
        is("scene_1_frame", json!("001113"));
        let span = item::span(&item).unwrap();
        assert_eq!(span.end.duration_since(span.start).as_hours(), 16 * 24);
        assert_eq!(
            item::property(&item, "mid_datetime").unwrap(),
            span.middle().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        );
    }
}

#[test]
fn recorded_answers_come_back_whole_in_every_form() {
    let Some(urls) = recorded() else { return };
    let recording =
        std::fs::read_to_string(shared("api/itslive_search/store_its_live_velocities_2022.json").unwrap())
            .unwrap();
    let text = urls.join("\n");
    let page = format!(
        "<html><body>{}</body></html>",
        urls.iter()
            .map(|u| format!("<a href=\"{u}\">{u}</a><br>"))
            .collect::<String>()
    );
    let server = Server::start(
        move |asked| match (asked.path(), value(asked, "serialization").as_deref()) {
            ("/velocities/urls/", Some("json")) => Answer::new(200, "application/json", recording.clone()),
            ("/velocities/urls/", Some("text")) => Answer::new(200, "text/plain", text.clone()),
            ("/velocities/urls/", Some("html")) => Answer::new(200, "text/html", page.clone()),
            _ => Answer::new(404, "text/plain", "no such service"),
        },
    );
    let query = Query {
        platforms: Vec::new(),
        ..Query::new(Area::bbox([-51.0, 70.2, -50.0, 70.6]).unwrap())
    };
    for form in [Serialization::Json, Serialization::Text, Serialization::Html] {
        let found = run(&server, query.clone(), form).unwrap();
        let all: Vec<_> = found.items.iter().map(Result::unwrap).collect();
        let hrefs: Vec<&String> = all.iter().map(|i| &i.assets["data"].href).collect();
        assert_eq!(hrefs, urls.iter().collect::<Vec<_>>());
        // This mirror has nothing that counts, which is no error.
        assert_eq!(found.matched, None);
        let orbits: Vec<_> = all
            .iter()
            .map(|i| item::property(i, "sat:relative_orbit"))
            .collect();
        assert!(
            orbits
                .iter()
                .all(|o| [11, 54, 68, 111].map(|n| Some(json!(n))).contains(o)),
            "{orbits:?}"
        );
    }
    assert_eq!(
        value(&server.requests()[0], "bbox").as_deref(),
        Some("-51,70.2,-50,70.6")
    );
}

#[test]
fn areas_over_the_dateline_and_several_platforms_are_asked_for_one_by_one() {
    let urls = pairs_of_landsat(5);
    let server = Server::start(move |_| Answer::json(&json!(urls)));
    let query = Query {
        platforms: vec!["LC08".into(), "LC09".into()],
        version: Some("002".into()),
        ..Query::new(Area::bbox([179.0, -79.0, -179.0, -78.0]).unwrap())
    };
    let found = run(&server, query, Serialization::Json).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 4, "two halves of the area, two platforms");
    for asked in &requests {
        let numbers: Vec<f64> = value(asked, "polygon")
            .unwrap()
            .split(',')
            .map(|n| n.parse().unwrap())
            .collect();
        assert!(
            numbers
                .chunks(2)
                .all(|c| c[0].abs() >= 179.0 && c[0].abs() <= 180.0),
            "{numbers:?}"
        );
        assert_eq!(value(asked, "version").as_deref(), Some("2"));
    }
    assert_eq!(found.len(), 5);
    assert!(
        found
            .notes
            .iter()
            .any(|n| n.starts_with("15 granules came more than once")),
        "{:?}",
        found.notes
    );
}

#[test]
fn an_answer_that_is_not_all_is_an_error_unless_asked_for() {
    let urls = pairs_of_landsat(40);
    let server = Server::start(move |asked| match asked.path() {
        "/velocities/urls/" => Answer::json(&json!(urls)),
        _ => Answer::json(&json!([{ "year": 2014, "count": 2246 }])),
    });
    let error = run(&server, pine_island(), Serialization::Json)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("counts 2246 granules but listed 40") && error.contains("partial = true"),
        "{error}"
    );
    let found = run(
        &server,
        Query {
            partial: true,
            ..pine_island()
        },
        Serialization::Json,
    )
    .unwrap();
    assert_eq!((found.len(), found.matched), (40, Some(2246)));
    assert!(found.notes[0].contains("counts 2246"), "{:?}", found.notes);
}

#[test]
fn granules_that_were_not_asked_for_are_left_out_and_told() {
    let mut urls = pairs_of_landsat(3);
    urls.push(urls[0].replace("20140117", "20150117"));
    urls.push(urls[0].replace("V02", "V01"));
    urls.push("https://data.example/strange_file.nc".to_string());
    let server = Server::start(move |_| Answer::json(&json!(urls)));
    let query = Query {
        version: Some("002".into()),
        ..pine_island()
    };
    let found = run(&server, query, Serialization::Json).unwrap();
    assert_eq!(found.len(), 4);
    assert!(
        found
            .notes
            .iter()
            .any(|n| n.starts_with("2 of 6 granules were left out")),
        "{:?}",
        found.notes
    );
    assert!(
        found
            .notes
            .iter()
            .any(|n| n.contains("1 names cannot be read") && n.contains("strange_file")),
        "{:?}",
        found.notes
    );
    assert_eq!(
        found.items.get(3).unwrap().assets["data"].href,
        "https://data.example/strange_file.nc"
    );
}

#[test]
fn a_search_that_finds_nothing_says_so_and_an_error_is_no_empty_list() {
    let empty = Server::start(|asked| match asked.path() {
        "/velocities/urls/" => Answer::json(&json!([])),
        _ => Answer::new(404, "text/plain", ""),
    });
    let found = run(&empty, pine_island(), Serialization::Json).unwrap();
    assert!(
        found.is_empty() && found.notes[0].contains("longitude comes before latitude"),
        "{:?}",
        found.notes
    );

    let answers = [
        (Answer::new(500, "text/plain", "out of order"), "500"),
        (
            Answer::new(200, "text/html", "<html><title>Earthdata Login</title></html>"),
            "Earthdata Login",
        ),
        (
            Answer::json(&json!({ "detail": "bad polygon" })),
            "not a list of addresses",
        ),
        (
            Answer::json(&json!([{ "href": "a" }])),
            "entry 1 of the answer has no url",
        ),
        (
            Answer::new(422, "application/json", r#"{"message":"polygon has 3 points"}"#),
            "polygon has 3 points",
        ),
    ];
    for (answer, says) in answers {
        let server = Server::start(move |_| answer.clone());
        let error = run(&server, pine_island(), Serialization::Json)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(says) && error.contains("/velocities/urls/"),
            "{error}"
        );
    }
    let server = Server::start(|_| Answer::new(200, "text/html", "<html>login</html>"));
    let error = run(&server, pine_island(), Serialization::Text)
        .unwrap_err()
        .to_string();
    assert!(error.contains("web page"), "{error}");
}

#[test]
fn what_the_service_cannot_do_is_said_before_it_is_asked() {
    let server = Server::start(|_| Answer::json(&json!([])));
    let ring = |w: f64, s: f64, e: f64, n: f64| LineString::from(vec![(w, s), (e, s), (e, n), (w, n)]);
    let hole = Polygon::new(ring(0.0, 60.0, 10.0, 70.0), vec![ring(4.0, 64.0, 6.0, 66.0)]);
    let point = geo::Point::new(-45.0, 70.0);
    let queries = [
        (Query::new(Area::of(hole.into()).unwrap()), "holes"),
        (Query::new(Area::of(point.into()).unwrap()), "at a point"),
        (
            Query {
                epsg: Some(3413),
                ..pine_island()
            },
            "projection",
        ),
        (
            Query {
                start: Some("2021-01-01T00:00:00Z".parse().unwrap()),
                ..pine_island()
            },
            "end must be at or after start",
        ),
    ];
    for (query, says) in queries {
        let error = run(&server, query, Serialization::Json).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(server.requests().is_empty());
}

// ---- the STAC service

/// A service that holds `items`, and answers every search with all of them in pages of the size that is asked for.
fn stac_server(items: Vec<Value>, matched: usize) -> Server {
    let unstarted = Server::bind();
    let root = unstarted.url("");
    unstarted.run(move |asked| match (asked.method.as_str(), asked.path()) {
        ("GET", "/") => Answer::json(&json!({
            "type": "Catalog", "stac_version": "1.0.0", "id": "itslive", "description": "ITS_LIVE",
            "conformsTo": [
                "https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search",
                "https://api.stacspec.org/v1.0.0/item-search#filter",
                "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json", "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2"
            ],
            "links": [
                { "rel": "search", "href": format!("{root}/search"), "method": "POST", "type": "application/geo+json" },
                { "rel": "self", "href": root }
            ]
        })),
        ("POST", "/search") => {
            let body = asked.json();
            let from = body["token"].as_u64().unwrap_or(0) as usize;
            let to = (from + body["limit"].as_u64().unwrap_or(10) as usize).min(items.len());
            let mut links = Vec::new();
            if to < items.len() {
                let mut next = body.clone();
                next["token"] = json!(to);
                links.push(json!({ "rel": "next", "href": format!("{root}/search"), "method": "POST", "body": next }));
            }
            Answer::json(&json!({ "type": "FeatureCollection", "numberMatched": matched, "features": items[from..to], "links": links }))
        }
        _ => Answer::new(404, "application/json", "{}"),
    })
}

/// As the archive's own generator of items makes them (nasa-itslive), for the pairs of `pairs_of_landsat`.
fn stac_items(count: usize) -> Vec<Value> {
    let made = |url: &String| {
        let granule = Granule::parse(url).unwrap();
        let time = |t: jiff::civil::DateTime| format!("{}Z", t.strftime("%Y-%m-%dT%H:%M:%S"));
        json!({
            "type": "Feature", "stac_version": "1.1.0", "id": granule.id, "collection": "itslive-granules",
            "geometry": { "type": "Polygon", "coordinates": [[[-101, -76], [-98, -76], [-98, -74], [-101, -74], [-101, -76]]] },
            "bbox": [-101, -76, -98, -74],
            "properties": {
                "datetime": time(granule.mid_date()), "mid_datetime": time(granule.mid_date()), "date_dt": 16.0,
                "start_datetime": time(granule.scenes[0].time), "end_datetime": time(granule.scenes[1].time),
                "platform": "LC08", "percent_valid_pixels": granule.percent_valid_pixels, "proj:code": "EPSG:3031", "version": "002"
            },
            "links": [],
            "assets": { "data": { "href": url, "type": "application/x-netcdf", "roles": ["data"] } }
        })
    };
    pairs_of_landsat(count).iter().map(made).collect()
}

fn run_stac(server: &Server, query: Query) -> Result<Items> {
    let http = client();
    let search = StacSearch::new(query, parse_url("url", &server.url("/")).unwrap(), 100)?;
    wait(search.all(&http))
}

#[test]
fn the_stac_service_is_asked_in_its_own_words() {
    let server = stac_server(stac_items(250), 250);
    let query = Query {
        platforms: vec!["LC08".into(), "LO08".into()],
        version: Some("002".into()),
        epsg: Some(3031),
        ..pine_island()
    };
    let found = run_stac(&server, query).unwrap();
    assert_eq!((found.len(), found.matched), (250, Some(250)));
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    let searches: Vec<Value> = server
        .requests()
        .iter()
        .filter(|r| r.method == "POST")
        .map(Asked::json)
        .collect();
    assert_eq!(searches.len(), 3, "pages of 100");
    let first = &searches[0];
    assert_eq!(first["collections"], json!(["itslive-granules"]));
    assert_eq!(first["datetime"], "1984-01-01T00:00:00Z/2020-01-01T23:59:59Z");
    assert_eq!(first["intersects"]["type"], "Polygon");
    assert_eq!(
        first["intersects"]["coordinates"][0][3],
        json!([-102.425, -74.925])
    );
    let property =
        |op: &str, name: &str, value: Value| json!({ "op": op, "args": [{ "property": name }, value] });
    assert_eq!(first["filter-lang"], "cql2-json");
    // As itslive-py builds it: conditions on the properties of the items, joined by `and`.
    let expected = json!({ "op": "and", "args": [
        property(">=", "percent_valid_pixels", json!(30.0)),
        property(">=", "date_dt", json!(6.0)),
        property("<=", "date_dt", json!(120.0)),
        property("in", "platform", json!(["LC08", "LO08"])),
        property("=", "proj:code", json!("EPSG:3031")),
        property("=", "version", json!("002")),
    ]});
    assert_eq!(first["filter"], expected);

    // What is found is filtered as what the other service finds is.
    let entries: Vec<Candidate> = found
        .items
        .iter()
        .map(|i| Candidate::of_item(&i.unwrap()).unwrap())
        .collect();
    assert_eq!(entries, entries_of_urls(&pairs_of_landsat(250)).unwrap());
}

#[test]
fn the_stac_service_that_gives_nothing_or_too_little_is_told() {
    let found = run_stac(&stac_server(Vec::new(), 0), pine_island()).unwrap();
    assert!(
        found.is_empty() && found.notes[0].contains("service = \"urls\""),
        "{:?}",
        found.notes
    );
    let error = run_stac(&stac_server(stac_items(120), 200), pine_island())
        .unwrap_err()
        .to_string();
    assert!(error.contains("counts 200 items but gave 120"), "{error}");
    let found = run_stac(
        &stac_server(stac_items(120), 200),
        Query {
            most: Some(30),
            ..pine_island()
        },
    )
    .unwrap();
    assert_eq!(found.len(), 30);
}

#[test]
fn searches_go_on_page_by_page() {
    let server = stac_server(stac_items(250), 250);
    let http = client();
    let search = StacSearch::new(pine_island(), parse_url("url", &server.url("/")).unwrap(), 100).unwrap();
    let mut stream = search.stream();
    assert_eq!(wait(stream.next(&http)).unwrap().unwrap().len(), 100);
    assert_eq!(stream.matched(), Some(250));
    assert_eq!(
        server.requests().iter().filter(|r| r.method == "POST").count(),
        1,
        "later pages are not asked for yet"
    );
    let mut rest = 0;
    while let Some(items) = wait(stream.next(&http)).unwrap() {
        rest += items.len();
    }
    assert_eq!(rest, 150);
    assert_eq!(wait(search.matched(&http)).unwrap(), Some(250));
}
