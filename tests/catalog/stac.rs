//! The STAC client against answers of real services, and against services that do wrong.

use std::collections::BTreeSet;

use geo::{Geometry, Intersects};
use perilune::bytes::http::{Http, wait};
use perilune::catalog::items::Items;
use perilune::catalog::pages::{Limits, Search};
use perilune::catalog::stac::{
    Area, Client, CollectionQuery, Conformance, Feature, Fields, Filter, Interval, Query, query_text,
};
use serde_json::{Value, json};

use super::common::{Answer, Asked, Server, client, shared};
use super::replay::{Replay, recording};

/// The landing page of the Planetary Computer, which not every recording holds.
const PC: &str = "stac/pc_landing.json";

pub fn most(items: usize) -> Limits {
    Limits {
        page: 100,
        most: Some(items),
        partial: false,
    }
}

pub fn all() -> Limits {
    Limits {
        page: 100,
        most: None,
        partial: false,
    }
}

fn open(http: &Http, replay: &Replay) -> Client {
    wait(Client::open(http, replay.root().as_str())).unwrap()
}

fn run(http: &Http, client: &Client, query: &Query, limits: Limits) -> perilune::error::Result<Items> {
    let search = client.search(query, limits)?;
    wait(search.all(http))
}

/// The ids in the recorded answers, in their order.
fn recorded_ids(name: &str) -> Vec<String> {
    let value = recording(&shared(&format!("api/{name}")).unwrap());
    let interactions = value["interactions"].as_array().unwrap();
    let features = interactions
        .iter()
        .filter_map(|i| i["response"]["body"]["features"].as_array())
        .flatten();
    features.map(|f| f["id"].as_str().unwrap().to_string()).collect()
}

fn ids(items: &Items) -> Vec<String> {
    items.items.ids().map(str::to_string).collect()
}

#[test]
fn the_planetary_computer_says_what_it_can() {
    let Some(replay) = Replay::of("stac/pc_landing.json") else {
        return;
    };
    let client = open(&client(), &replay);
    for feature in [
        Feature::Search,
        Feature::Filter,
        Feature::Query,
        Feature::Sort,
        Feature::Fields,
    ] {
        assert!(client.conformance.has(feature), "{feature:?}");
    }
    assert_eq!(client.title(), Some("Microsoft Planetary Computer STAC API"));
    let endpoint = client.endpoint().unwrap();
    assert_eq!(endpoint.url.path(), "/api/stac/v1/search");
    assert!(endpoint.post && endpoint.get);
    replay.assert_all_asked("/");
}

#[test]
fn an_area_finds_what_the_planetary_computer_found() {
    const NAME: &str = "stac/pc_naip_intersects_42items.json";
    let Some(replay) = Replay::joined(&[PC, NAME], &["limit"]) else {
        return;
    };
    let area = json!({ "type": "Polygon", "coordinates":
        [[[-73.21, 43.99], [-73.21, 44.05], [-73.12, 44.05], [-73.12, 43.99], [-73.21, 43.99]]] });
    let query = Query {
        collections: vec!["naip".into()],
        area: Some(Area::intersects(&area).unwrap()),
        ..Query::default()
    };
    let http = client();
    let items = run(&http, &open(&http, &replay), &query, all()).unwrap();
    replay.assert_all_asked("/search");
    assert_eq!(items.len(), 42);
    assert_eq!(ids(&items), recorded_ids(NAME));
    let shape =
        Geometry::<f64>::try_from(serde_json::from_value::<geojson::Geometry>(area).unwrap()).unwrap();
    for item in items.items.iter().map(Result::unwrap) {
        let footprint = perilune::catalog::footprint::of(&item).unwrap().unwrap();
        assert!(footprint.intersects(&shape), "{}", item.id);
        assert!(
            item.assets["image"]
                .href
                .starts_with("https://naipeuwest.blob.core.windows.net/")
        );
    }
}

#[test]
fn a_query_is_sent_as_pystac_client_sends_it() {
    const NAME: &str = "stac/pc_naip_query_json.json";
    let Some(replay) = Replay::joined(&[PC, NAME], &["limit"]) else {
        return;
    };
    let mut query = Query {
        collections: vec!["naip".into()],
        area: Some(Area::bbox(&[-73.21, 43.99, -73.12, 44.05]).unwrap()),
        ..Query::default()
    };
    query_text("gsd>=0", &mut query.query).unwrap();
    query_text("gsd<=1", &mut query.query).unwrap();
    let http = client();
    let items = run(&http, &open(&http, &replay), &query, all()).unwrap();
    replay.assert_all_asked("/search");
    assert_eq!(ids(&items), recorded_ids(NAME));
}

#[test]
fn tokens_lead_from_page_to_page() {
    const NAME: &str = "stac/pc_naip_token_paging.json";
    let Some(replay) = Replay::joined(&[PC, NAME], &[]) else {
        return;
    };
    let query = Query {
        collections: vec!["naip".into()],
        area: Some(Area::bbox(&[-73.21, 43.99, -73.12, 44.05]).unwrap()),
        ..Query::default()
    };
    let http = client();
    let limits = Limits { page: 10, ..most(20) };
    let search = open(&http, &replay).search(&query, limits).unwrap();
    let items = wait(search.all(&http)).unwrap();
    replay.assert_all_asked("/search");
    assert_eq!(ids(&items), recorded_ids(NAME));

    // The same lazily: the second page is asked for when the first is used up.
    let replay = Replay::joined(&[PC, NAME], &[]).unwrap();
    let search = open(&http, &replay).search(&query, limits).unwrap();
    let mut pages = search.stream();
    let first = wait(pages.next(&http)).unwrap().unwrap();
    assert_eq!((first.len(), replay.requests().len()), (10, 2));
    assert_eq!(wait(pages.next(&http)).unwrap().unwrap().len(), 10);
    assert!(wait(pages.next(&http)).unwrap().is_none());
}

#[test]
fn a_filter_that_the_service_would_ignore_is_refused() {
    const NAME: &str = "stac/es_v1_filter_cql2_next.json";
    let http = client();
    for filter in [
        Filter::text("eo:cloud_cover <= 40").unwrap(),
        Filter::json(json!({ "op": "lte", "args": [{ "property": "eo:cloud_cover" }, 40] })).unwrap(),
    ] {
        // The recorded client wrote `lte`, which is CQL2 of an early draft; the text becomes `<=`.
        let early = matches!(filter, Filter::Json(..));
        let ignored: &[&str] = if early { &["limit"] } else { &["limit", "filter"] };
        let Some(replay) = Replay::ignoring(NAME, ignored) else {
            return;
        };
        let query = Query {
            filter: Some(filter),
            ..Query::default()
        };
        let mut service = open(&http, &replay);
        let refused = run(&http, &service, &query, most(20)).unwrap_err().to_string();
        assert!(
            refused.contains("does not offer the search parameter `filter`"),
            "{refused}"
        );
        // And rightly so: in the recorded answer the filter has no effect. Asked all the same:
        service.conformance = Conformance::default();
        let items = run(&http, &service, &query, most(20)).unwrap();
        replay.assert_all_asked("/search");
        assert_eq!(ids(&items), recorded_ids(NAME));
        assert_eq!(items.matched, Some(115_912_758));
        assert!(
            items
                .items
                .iter()
                .map(Result::unwrap)
                .any(|item| !item.properties.additional_fields.contains_key("eo:cloud_cover"))
        );
        let sent: Vec<Value> = replay
            .requests()
            .iter()
            .map(Asked::json)
            .filter(|b| b["filter"].is_object())
            .collect();
        let op = if early { "lte" } else { "<=" };
        assert_eq!(
            sent[0]["filter"],
            json!({ "op": op, "args": [{ "property": "eo:cloud_cover" }, 40] })
        );
    }
}

#[test]
fn fields_leave_parts_of_the_items_out() {
    let Some(replay) = Replay::ignoring("stac/es_v1_fields.json", &["limit"]) else {
        return;
    };
    let query = Query {
        collections: vec!["cop-dem-glo-30".into()],
        fields: Some(Fields::parse(&["-geometry".into(), "-assets".into()]).unwrap()),
        ..Query::default()
    };
    let http = client();
    let items = run(&http, &open(&http, &replay), &query, most(10)).unwrap();
    replay.assert_all_asked("/search");
    assert_eq!(items.len(), 10);
    assert_eq!(items.matched, Some(26_450));
    assert!(
        items
            .items
            .iter()
            .map(Result::unwrap)
            .all(|item| item.geometry.is_none() && item.assets.is_empty() && item.bbox.is_some())
    );
}

#[test]
fn a_page_of_landsat_scenes_is_read_whole() {
    const NAME: &str = "stac/pc_landsat_intersects_page1of_n_250items.json.gz";
    let Some(replay) = Replay::ignoring(NAME, &["limit"]) else {
        return;
    };
    let value = recording(&shared(&format!("api/{NAME}")).unwrap());
    let recorded = value["interactions"].as_array().unwrap().last().unwrap();
    let query = Query {
        collections: vec!["landsat-8-c2-l2".into()],
        area: Some(Area::intersects(&recorded["request"]["body"]["intersects"]).unwrap()),
        ..Query::default()
    };
    let http = client();
    let items = run(&http, &open(&http, &replay), &query, most(250)).unwrap();
    replay.assert_all_asked("/search");
    // Nothing is lost between the answer and the items: written again they are the recorded JSON.
    let features = recorded["response"]["body"]["features"].as_array().unwrap();
    assert_eq!(features.len(), 250);
    for (item, feature) in items.items.iter().map(Result::unwrap).zip(features) {
        let written = serde_json::to_value(&*item).unwrap();
        for name in ["id", "geometry", "bbox", "collection"] {
            assert_eq!(written[name], feature[name], "{name} of {}", item.id);
        }
        let names = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        for name in ["properties", "assets"] {
            assert_eq!(
                names(&written[name]),
                names(&feature[name]),
                "{name} of {}",
                item.id
            );
        }
        assert_eq!(
            written["properties"]["eo:cloud_cover"],
            feature["properties"]["eo:cloud_cover"]
        );
    }
}

#[test]
fn items_and_queryables_come_by_their_names() {
    let http = client();
    let Some(replay) = Replay::of("stac/pc_get_item_and_404.json") else {
        return;
    };
    let service = open(&http, &replay);
    let id = "AST_L1T_00312272006020322_20150518201805";
    let item = wait(service.item(&http, "aster-l1t", id)).unwrap();
    assert_eq!(item.id, id);
    assert_eq!(
        item.properties.datetime.unwrap().to_rfc3339(),
        "2006-12-27T02:03:22.718+00:00"
    );
    let error = wait(service.item(&http, "aster-l1t", "for-sure-not-a-real-id"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no item `for-sure-not-a-real-id` in the collection `aster-l1t`"),
        "{error}"
    );
    assert_eq!(
        wait(service.collection(&http, "aster-l1t")).unwrap()["id"],
        "aster-l1t"
    );
    replay.assert_as_recorded();

    let replay = Replay::of("stac/pc_queryables.json").unwrap();
    let service = open(&http, &replay);
    let properties = wait(service.queryables(&http, Some("3dep-seamless"))).unwrap()["properties"].clone();
    assert!(
        properties.as_object().unwrap().contains_key("gsd"),
        "{properties}"
    );
    replay.assert_as_recorded();
}

#[test]
fn collections_are_listed_and_searched() {
    let Some(replay) = Replay::of("stac/es_v1_collections.json") else {
        return;
    };
    let http = client();
    let service = open(&http, &replay);
    let found = |query: CollectionQuery| -> BTreeSet<String> {
        let list = wait(service.collections(&http, &query)).unwrap();
        list.iter()
            .map(|c| c["id"].as_str().unwrap().to_string())
            .collect()
    };
    let set = |ids: &[&str]| ids.iter().map(|id| id.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(found(CollectionQuery::default()).len(), 9);
    let text = |text: &str| CollectionQuery {
        text: Some(text.into()),
        ..CollectionQuery::default()
    };
    assert_eq!(
        found(text("Copernicus DEM")),
        set(&["cop-dem-glo-30", "cop-dem-glo-90"])
    );
    let naip = CollectionQuery {
        bbox: Some([-100.0, 40.0, -99.0, 41.0]),
        ..text("naip")
    };
    assert_eq!(found(naip.clone()), set(&["naip"]));
    assert_eq!(
        found(CollectionQuery {
            bbox: Some([10.0, 40.0, 11.0, 41.0]),
            ..naip
        }),
        set(&[])
    );
    let sentinel_1_before = CollectionQuery {
        datetime: Some(Interval::parse("../2010").unwrap()),
        ..text("sentinel-1")
    };
    assert_eq!(found(sentinel_1_before), set(&[]));
    replay.assert_as_recorded();
}

/// A landing page with the classes and search methods given, at `root`.
pub fn landing(root: &str, classes: &[&str], methods: &[Option<&str>]) -> Value {
    let link = |method: &Option<&str>| {
        let mut link =
            json!({ "rel": "search", "href": format!("{root}/search"), "type": "application/geo+json" });
        if let Some(method) = method {
            link["method"] = json!(method);
        }
        link
    };
    json!({ "type": "Catalog", "id": "test", "stac_version": "1.0.0", "description": "",
            "conformsTo": classes, "links": methods.iter().map(link).collect::<Vec<_>>() })
}

const SEARCH: &str = "https://api.stacspec.org/v1.0.0/item-search";

fn item(id: &str) -> Value {
    json!({ "type": "Feature", "stac_version": "1.0.0", "id": id, "geometry": { "type": "Point", "coordinates": [0, 0] },
            "bbox": [0, 0, 0, 0], "properties": { "datetime": "2020-01-01T00:00:00Z" }, "links": [], "assets": {} })
}

/// A service of `answer` below a landing page with both methods.
fn service(
    classes: &[&str],
    methods: &[Option<&'static str>],
    answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> Server {
    let unstarted = Server::bind();
    let landing = landing(&unstarted.url(""), classes, methods);
    unstarted.run(move |asked| match asked.path() {
        "/" => Answer::json(&landing),
        _ => answer(asked),
    })
}

fn all_of(server: &Server, query: &Query, limits: Limits) -> Result<Items, String> {
    let http = client();
    let client = wait(Client::open(&http, &server.url("/"))).map_err(|e| e.to_string())?;
    run(&http, &client, query, limits).map_err(|e| e.to_string())
}

#[test]
fn what_is_no_service_is_named() {
    let http = client();
    let opened = |text: &str| {
        wait(Client::open(&http, text))
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    for text in [
        "landsatlook.usgs.gov/stac-server",
        "ftp://host/stac",
        "http://",
        "",
        "http://h:99999/",
        "https:// h/",
    ] {
        let error = opened(text);
        assert!(
            error.contains("url must be a web address") && error.contains(text.trim()),
            "{error}"
        );
    }
    for (body, words) in [
        (
            "<!doctype html><title>Welcome</title>",
            &["web page", "Welcome"][..],
        ),
        ("{\"type\": \"Catalog\"", &["not JSON"]),
        ("{\"hello\": 1}", &["no `stac_version`", "landing page"]),
        ("[1]", &["not that of a STAC catalogue"]),
        (
            "{\"type\": \"FeatureCollection\", \"features\": [], \"links\": [], \"stac_version\": \"1.0.0\"}",
            &["open it as a catalogue of files"],
        ),
    ] {
        let server = Server::start(move |_| Answer::new(200, "text/html", body));
        let error = opened(&server.url("/stac"));
        assert!(
            error.contains("/stac") && words.iter().all(|word| error.contains(word)),
            "{error}"
        );
    }
}

#[test]
fn parameters_that_a_service_lacks_are_refused_with_a_way_out() {
    let server = service(
        &[SEARCH, "https://api.stacspec.org/v1.0.0/item-search#query"],
        &[Some("POST")],
        |_| Answer::json(&json!({ "type": "FeatureCollection", "features": [] })),
    );
    let filtered = Query {
        filter: Some(Filter::text("a = 1").unwrap()),
        ..Query::default()
    };
    let error = all_of(&server, &filtered, all()).unwrap_err();
    assert!(
        error.contains("does not offer the search parameter `filter`") && error.contains("as `query`"),
        "{error}"
    );
    let sorted = Query {
        sortby: vec![perilune::catalog::stac::SortKey::parse("a").unwrap()],
        ..Query::default()
    };
    let error = all_of(&server, &sorted, all()).unwrap_err();
    assert!(
        error.contains("`sortby`") && error.contains("sort the items afterwards"),
        "{error}"
    );
    // One that says nothing of itself is asked all the same.
    let silent = service(&[], &[Some("POST")], |_| {
        Answer::json(&json!({ "type": "FeatureCollection", "features": [] }))
    });
    assert_eq!(all_of(&silent, &filtered, all()).unwrap().len(), 0);
    // And one without a search is a catalogue of files.
    let files = service(&["https://api.stacspec.org/v1.0.0/core"], &[], |_| {
        Answer::new(404, "text/plain", "")
    });
    let error = all_of(&files, &Query::default(), all()).unwrap_err();
    assert!(
        error.contains("no item search") && error.contains("open it as a catalogue of files"),
        "{error}"
    );
}

#[test]
fn get_is_used_where_post_is_not_to_be_had() {
    let pages = |asked: &Asked| {
        if asked.method != "GET" {
            return Answer::new(405, "application/json", "{\"detail\": \"Method Not Allowed\"}");
        }
        let place: usize = asked
            .query()
            .iter()
            .find(|(n, _)| n == "token")
            .map_or(0, |(_, v)| v.parse().unwrap());
        let mut answer =
            json!({ "type": "FeatureCollection", "features": [item(&format!("i{place}"))], "links": [] });
        if place < 2 {
            answer["links"] = json!([{ "rel": "next", "href": format!("search?token={}", place + 1) }]);
        }
        Answer::json(&answer)
    };
    let query = Query {
        collections: vec!["a".into(), "b".into()],
        datetime: Some(Interval::parse("2020/..").unwrap()),
        ..Query::default()
    };
    // Without a method, with GET alone, and with a POST that is refused.
    for methods in [vec![None], vec![Some("GET")], vec![Some("GET"), Some("POST")]] {
        let posts = methods != [Some("GET")];
        let server = service(&[SEARCH], &methods, pages);
        let items = all_of(&server, &query, all()).unwrap();
        assert_eq!(ids(&items), ["i0", "i1", "i2"]);
        let asked = server.requests();
        assert_eq!(asked[1].method == "POST", posts);
        let first = asked
            .iter()
            .find(|a| a.path() == "/search" && a.method == "GET")
            .unwrap();
        let expected = [
            ("collections", "a,b"),
            ("datetime", "2020-01-01T00:00:00Z/.."),
            ("limit", "100"),
        ];
        assert_eq!(
            first.query(),
            expected.map(|(a, b)| (a.to_string(), b.to_string()))
        );
    }
}

#[test]
fn wrong_answers_are_errors_and_never_an_empty_list() {
    let error = |answer: fn(&Asked) -> Answer| {
        all_of(
            &service(&[SEARCH], &[Some("POST")], answer),
            &Query::default(),
            all(),
        )
        .unwrap_err()
    };
    let page = error(|_| Answer::new(200, "text/html", "<html><title>Log in</title></html>"));
    assert!(
        page.contains("/search") && page.contains("web page") && page.contains("Log in"),
        "{page}"
    );
    let text = error(|_| Answer::new(200, "application/json", "{\"description\": \"index missing\"}"));
    assert!(
        text.contains("no list of STAC items") && text.contains("index missing"),
        "{text}"
    );
    let huge = error(|_| Answer::new(200, "application/json", "x").header("content-length", "99999999999"));
    assert!(huge.contains("/search"), "{huge}");
    let short = error(|_| Answer::json(&json!({ "features": [item("a")], "numberMatched": 5 })));
    assert!(
        short.contains("counts 5 items but gave 1") && short.contains("partial = true"),
        "{short}"
    );
    let circle = error(|asked| {
        Answer::json(&json!({ "features": [item("a")], "links": [
            { "rel": "next", "href": "/search", "method": "POST", "body": asked.json() } ] }))
    });
    assert!(circle.contains("never end"), "{circle}");
    let refused = error(|_| Answer::new(400, "application/json", "{\"detail\": \"datetime is odd\"}"));
    assert!(
        refused.contains("400") && refused.contains("datetime is odd"),
        "{refused}"
    );
    let status = error(|_| Answer::new(503, "text/plain", "busy"));
    assert!(status.contains("503") && status.contains("tries"), "{status}");
}

#[test]
fn an_answer_larger_than_is_sensible_is_not_read() {
    let server = service(&[SEARCH], &[Some("POST")], |_| {
        let many: Vec<Value> = (0..20_000).map(|i| item(&format!("i{i}"))).collect();
        Answer::json(&json!({ "features": many }))
    });
    let mut http = client();
    let service = wait(Client::open(&http, &server.url("/"))).unwrap();
    http.settings.largest_answer = 1 << 20;
    let error = run(&http, &service, &Query::default(), all())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("larger than 1 MiB") && error.contains("ask for less"),
        "{error}"
    );
}

#[test]
fn pages_shrink_where_the_server_gives_up_on_large_ones() {
    let server = service(&[SEARCH], &[Some("POST")], |asked| {
        let body = asked.json();
        let (size, from) = (
            body["limit"].as_u64().unwrap(),
            body["token"].as_u64().unwrap_or(0),
        );
        if size > 30 {
            return Answer::new(502, "text/html", "<title>Bad Gateway</title>");
        }
        let items: Vec<Value> = (from..(from + size).min(95))
            .map(|i| item(&format!("i{i}")))
            .collect();
        let mut answer = json!({ "features": items, "numberMatched": 95, "links": [] });
        if from + size < 95 {
            answer["links"] = json!([{ "rel": "next", "href": "/search", "method": "POST", "merge": true, "body": { "token": from + size } }]);
        }
        Answer::json(&answer)
    });
    let items = all_of(&server, &Query::default(), all()).unwrap();
    assert_eq!(ids(&items), (0..95).map(|i| format!("i{i}")).collect::<Vec<_>>());
    let sizes: Vec<u64> = server
        .requests()
        .iter()
        .filter_map(|a| a.json()["limit"].as_u64())
        .collect();
    assert_eq!(sizes, [100, 50, 25, 25, 25, 25]);
}
