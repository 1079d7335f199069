//! Scripts that search services, run by the program itself.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::common::{Answer, Asked, Server};
use super::replay::Replay;

/// Runs Lua in a folder of its own: what it printed, or its error. `None` where this is built without the program.
pub fn run_lua(code: &str) -> Option<Result<String, String>> {
    let program = option_env!("CARGO_BIN_EXE_perilune")?;
    let folder = tempfile::tempdir().unwrap();
    Some(run_in(program, folder.path(), code))
}

fn run_in(program: &str, folder: &Path, code: &str) -> Result<String, String> {
    let mut command = Command::new(program);
    for name in [
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    let done = command
        .args(["-e", code])
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match done.status.success() {
        true => Ok(text(done.stdout)),
        false => Err(text(done.stderr)),
    }
}

/// Five items on pages of two; the landing page, two collections, the queryables.
fn service() -> Server {
    let unstarted = Server::bind();
    let root = unstarted.url("");
    let classes = [
        "core",
        "item-search",
        "item-search#filter",
        "item-search#sort",
        "item-search#fields",
        "item-search#query",
    ];
    let landing = json!({ "type": "Catalog", "id": "test", "title": "A test", "stac_version": "1.0.0", "description": "",
        "conformsTo": classes.map(|c| format!("https://api.stacspec.org/v1.0.0/{c}")),
        "links": [{ "rel": "search", "href": format!("{root}/search"), "method": "POST" },
                  { "rel": "search", "href": format!("{root}/search"), "method": "GET" }] });
    let collection = |id: &str| json!({ "type": "Collection", "id": id, "description": "", "stac_version": "1.0.0", "links": [], "license": "other", "extent": {} });
    let item = |i: u64| {
        json!({ "type": "Feature", "stac_version": "1.0.0", "id": format!("i{i}"), "collection": "a",
        "geometry": { "type": "Point", "coordinates": [i, 48] }, "bbox": [i, 48, i, 48], "links": [],
        "properties": { "datetime": format!("2020-01-0{}T00:00:00Z", i + 1), "eo:cloud_cover": 10 * i }, "assets": {} })
    };
    unstarted.run(move |asked: &Asked| match asked.path() {
        "/" => Answer::json(&landing),
        "/collections" => Answer::json(&json!({ "collections": [collection("alpha"), collection("beta")], "links": [] })),
        "/collections/alpha" => Answer::json(&collection("alpha")),
        "/queryables" => Answer::json(&json!({ "type": "object", "properties": { "gsd": { "type": "number" } } })),
        "/collections/a/items/i3" => Answer::json(&item(3)),
        "/search" => {
            let token = asked.json()["token"].as_u64().or(asked.query().iter().find(|(n, _)| n == "token").and_then(|(_, v)| v.parse().ok()));
            let from = token.unwrap_or(0);
            let mut answer = json!({ "type": "FeatureCollection", "numberMatched": 5, "features": (from..(from + 2).min(5)).map(item).collect::<Vec<_>>() });
            if from + 2 < 5 {
                answer["links"] = match asked.method.as_str() {
                    "POST" => json!([{ "rel": "next", "href": "/search", "method": "POST", "merge": true, "body": { "token": from + 2 } }]),
                    _ => json!([{ "rel": "next", "href": format!("/search?token={}", from + 2) }]),
                };
            }
            Answer::json(&answer)
        }
        _ => Answer::new(404, "application/json", "{\"description\": \"not here\"}"),
    })
}

#[test]
fn a_script_searches_a_service() {
    let server = service();
    let code = format!(
        r#"
        local catalog = require "catalog"
        local service = catalog.stac("{}")
        print(service, service.title, service:conforms("filter"), service:conforms("collection_search"), #service:conforms())
        print(#service:collections(), service:collections({{ text = "BET" }})[1].id, service:collection("alpha").license)
        print(service:queryables().properties.gsd.type, service:item("a", "i3").id)
        local search = service:search {{
          collections = "a", bbox = {{ 170, -10, -170, 10 }}, datetime = {{ "2020-01", "2020-03" }}, filter = "eo:cloud_cover < 60",
          query = {{ "gsd>=10", "gsd<100" }}, sortby = {{ "-datetime", "id" }}, fields = {{ "-links" }}, limit = 3,
        }}
        local seen = {{}}
        for item in search:items() do
          seen[#seen + 1] = item.id
          if #seen == 3 then break end
        end
        print(table.concat(seen, " "), search:count())
        print(#search:all(), search:request().search["filter-lang"])
        print(#service:search({{ method = "GET", intersects = "POINT (9 48)", filter = {{ op = "<", args = {{ {{ property = "eo:cloud_cover" }}, 60 }} }} }}):all())
        print(#service:search({{ query = {{ gsd = {{ lt = 20 }} }}, max_items = 3 }}):all())
        "#,
        server.url("/")
    );
    let Some(done) = run_lua(&code) else { return };
    let out = done.unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[0],
        format!(
            "STAC service {} (A test)\tA test\ttrue\tfalse\t6",
            server.url("/")
        )
    );
    assert_eq!(
        lines[1..],
        [
            "2\tbeta\tother",
            "number\ti3",
            "i0 i1 i2\t5",
            "5\tcql2-json",
            "5",
            "3"
        ]
    );
    let asked = server.requests();
    let searches: Vec<&Asked> = asked.iter().filter(|a| a.path() == "/search").collect();
    let body = searches[0].json();
    assert_eq!(body["intersects"]["type"], "MultiPolygon");
    assert_eq!(
        body["datetime"],
        "2020-01-01T00:00:00Z/2020-03-31T23:59:59.999999Z"
    );
    assert_eq!(body["query"], json!({ "gsd": { "gte": 10, "lt": 100 } }));
    assert_eq!(
        body["filter"],
        json!({ "op": "<", "args": [{ "property": "eo:cloud_cover" }, 60] })
    );
    assert_eq!(
        body["sortby"],
        json!([{ "field": "datetime", "direction": "desc" }, { "field": "id", "direction": "asc" }])
    );
    assert_eq!(body["fields"], json!({ "include": [], "exclude": ["links"] }));
    assert_eq!((&body["limit"], &body["collections"]), (&json!(3), &json!(["a"])));
    // Lazily: three items are on two pages, and the third page is not asked for.
    assert_eq!(searches[1].json()["token"], 2);
    assert_eq!(searches[2].json()["token"], Value::Null);
    let get = searches.iter().find(|a| a.method == "GET").unwrap().query();
    let named = |name: &str| get.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(named("filter"), Some("eo:cloud_cover < 60"));
    assert_eq!(
        serde_json::from_str::<Value>(named("intersects").unwrap()).unwrap()["coordinates"],
        json!([9.0, 48.0])
    );
}

#[test]
fn wrong_options_of_a_script_are_named_with_their_line() {
    let server = service();
    for (options, words) in [
        (
            "colections = 'a'",
            "unknown option `colections`; did you mean `collections`?",
        ),
        ("ids = {}", "ids must be at least one name"),
        ("bbox = { 1, 2, 3 }", "bbox must be west, south, east, north"),
        (
            "bbox = { 1, 2, 3, 4 }, intersects = 'POINT (1 2)'",
            "a search has one area",
        ),
        (
            "intersects = 'POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))'",
            "intersects must be a valid geometry",
        ),
        ("datetime = '2020-13'", "datetime must be a time"),
        ("datetime = { '2021', '2020' }", "ends before it starts"),
        ("filter = 'cloudy'", "filter must be CQL2 text"),
        ("filter = { op = 1 }", "filter must be CQL2 JSON"),
        ("query = 'cloudy'", "query must be a comparison"),
        ("query = { gsd = { less = 1 } }", "no operator `less`"),
        ("fields = { '-id' }", "not without `id`"),
        ("sortby = '-'", "sortby must be names of fields"),
        ("limit = 0", "limit must be an integer from 1 to 10000"),
        ("max_items = 0", "max_items must be an integer of at least 1"),
        ("method = 'PUT'", "method must be"),
    ] {
        let code = format!(
            "local s = require('catalog').stac('{}')\ns:search {{ {options} }}",
            server.url("/")
        );
        let Some(done) = run_lua(&code) else { return };
        let error = done.unwrap_err();
        assert!(
            error.contains(words) && error.contains(":2: "),
            "{options}: {error}"
        );
    }
    let code = format!(
        "require('catalog').stac('{}'):collection('alpa')",
        server.url("/")
    );
    let error = run_lua(&code).unwrap().unwrap_err();
    assert!(
        error.contains("no collection `alpa`; did you mean `alpha`?"),
        "{error}"
    );
}

#[test]
fn a_recorded_search_gives_its_items_to_a_script() {
    let names = ["stac/pc_landing.json", "stac/pc_naip_query_json.json"];
    let Some(replay) = Replay::joined(&names, &["limit"]) else {
        return;
    };
    let code = format!(
        r#"
        local service = require("catalog").stac("{}")
        local items = service:search({{ collections = "naip", bbox = {{ -73.21, 43.99, -73.12, 44.05 }}, query = {{ gsd = {{ gte = 0, lte = 1 }} }} }}):all()
        print(#items, #items:filter({{ gsd = 1 }}), items[1].id, items[1]:asset("image").href:match("^https://[^/]+"))
        "#,
        replay.root()
    );
    let Some(done) = run_lua(&code) else { return };
    let out = done.unwrap();
    replay.assert_all_asked("/search");
    let features =
        super::replay::recording(&super::common::shared("api/stac/pc_naip_query_json.json").unwrap());
    let features = features["interactions"][0]["response"]["body"]["features"]
        .as_array()
        .unwrap()
        .clone();
    let metre = features.iter().filter(|f| f["properties"]["gsd"] == 1.0).count();
    let first = features[0]["id"].as_str().unwrap();
    assert_eq!(
        out.trim(),
        format!(
            "{}\t{metre}\t{first}\thttps://naipeuwest.blob.core.windows.net",
            features.len()
        )
    );
}
