//! Items in files: catalogues of files from disk and from the web, ItemCollections, stac-geoparquet, saved searches.

use std::fs;
use std::path::Path;

use perilune::bytes::http::wait;
use perilune::catalog::item::Invalid;
use perilune::catalog::items::Items;
use perilune::catalog::snapshot;
use perilune::catalog::stac;
use serde_json::{Value, json};

use super::common::{Answer, Server, client, shared};

fn open(text: &str) -> Result<Items, String> {
    let http = client();
    wait(stac::open(&http, text, Invalid::Refuse)).map_err(|e| e.to_string())
}

fn at(path: &Path) -> Result<Items, String> {
    open(path.to_str().unwrap())
}

fn item(id: &str) -> Value {
    json!({ "type": "Feature", "stac_version": "1.0.0", "id": id, "geometry": { "type": "Point", "coordinates": [0, 0] },
            "bbox": [0, 0, 0, 0], "properties": { "datetime": "2020-01-01T00:00:00Z" },
            "links": [{ "rel": "collection", "href": "../collection.json" }],
            "assets": { "near": { "href": "./b04.tif" }, "far": { "href": "https://data.example/b04.tif" } } })
}

type Documents = Vec<(&'static str, Value)>;

/// A catalogue of one collection with two items, one item of its own, and links that lead up again.
fn documents() -> Documents {
    let root = json!({ "rel": "root", "href": "../catalog.json" });
    vec![
        (
            "catalog.json",
            json!({ "type": "Catalog", "stac_version": "1.0.0", "id": "root", "description": "", "links": [
            { "rel": "self", "href": "catalog.json" }, { "rel": "child", "href": "./s2/collection.json" }, { "rel": "item", "href": "lone/lone.json" } ] }),
        ),
        (
            "s2/collection.json",
            json!({ "type": "Collection", "stac_version": "1.0.0", "id": "s2", "description": "", "license": "other", "extent": {},
            "links": [root, { "rel": "item", "href": "a/a.json" }, { "rel": "item", "href": "./b/b.json" }, { "rel": "item", "href": "../s2/a/a.json" }] }),
        ),
        ("s2/a/a.json", item("a")),
        ("s2/b/b.json", item("b")),
        ("lone/lone.json", item("lone")),
    ]
}

fn write(folder: &Path, documents: &[(&str, Value)]) {
    for (name, value) in documents {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), value.to_string()).unwrap();
    }
}

fn ids(items: &Items) -> Vec<&str> {
    items.items.ids().collect()
}

#[test]
fn catalogues_are_walked_on_disk_and_on_the_web() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &documents());
    let items = at(&folder.path().join("catalog.json")).unwrap();
    assert_eq!(ids(&items), ["lone", "a", "b"]);
    let near = folder.path().join("s2/a/b04.tif");
    assert_eq!(
        items.items.get(1).unwrap().assets["near"].href,
        near.to_str().unwrap()
    );
    assert_eq!(
        items.items.get(1).unwrap().assets["far"].href,
        "https://data.example/b04.tif"
    );
    // A collection is one too.
    assert_eq!(
        ids(&at(&folder.path().join("s2/collection.json")).unwrap()),
        ["a", "b"]
    );

    let all = documents();
    let server = Server::start(move |asked| {
        match all
            .iter()
            .find(|(name, _)| asked.path() == format!("/cat/{name}"))
        {
            Some((_, value)) => Answer::json(value),
            None => Answer::new(404, "text/plain", "no"),
        }
    });
    let items = open(&server.url("/cat/catalog.json")).unwrap();
    assert_eq!(ids(&items), ["lone", "a", "b"]);
    assert_eq!(
        items.items.get(1).unwrap().assets["near"].href,
        server.url("/cat/s2/a/b04.tif")
    );
    // Every document is fetched once.
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn a_catalogue_with_a_fault_is_an_error_and_not_a_part_of_itself() {
    let broken = |change: &dyn Fn(&mut Documents)| {
        let folder = tempfile::tempdir().unwrap();
        let mut all = documents();
        change(&mut all);
        write(folder.path(), &all);
        at(&folder.path().join("catalog.json")).unwrap_err()
    };
    let missing = broken(&|all| {
        all.remove(3);
    });
    assert!(
        missing.contains("no such file")
            && missing.contains("b/b.json")
            && missing.contains("linked to by")
            && missing.contains("collection.json"),
        "{missing}"
    );
    let other = broken(&|all| all[3].1 = json!({ "hello": 1 }));
    assert!(other.contains("b.json: is no STAC document"), "{other}");
    let time = broken(&|all| all[3].1["properties"]["datetime"] = json!("noon"));
    assert!(
        time.contains("b.json") && time.contains("(`b`) is no STAC item"),
        "{time}"
    );
    let nameless = broken(&|all| {
        all[3].1.as_object_mut().unwrap().remove("id");
    });
    assert!(
        nameless.contains("b.json") && nameless.contains("no `id`"),
        "{nameless}"
    );
    let outside = broken(&|all| all[1].1["links"][1]["href"] = json!("../../../../etc/hosts"));
    assert!(
        outside.contains("outside the folder of the catalogue"),
        "{outside}"
    );
    let nowhere = broken(&|all| all[1].1["links"][1]["href"] = json!("mailto:me@example.org"));
    assert!(nowhere.contains("a link `item` to `mailto:"), "{nowhere}");

    // From the web no link leads to a file of this machine.
    let server = Server::start(|_| {
        Answer::json(
            &json!({ "type": "Catalog", "stac_version": "1.0.0", "id": "x", "links": [{ "rel": "item", "href": "file:///etc/hosts" }] }),
        )
    });
    let file = open(&server.url("/catalog.json")).unwrap_err();
    assert!(
        file.contains("file:///etc/hosts") && file.contains("where no document can be"),
        "{file}"
    );
    let service = Server::start(|_| {
        Answer::json(
            &json!({ "type": "Catalog", "stac_version": "1.0.0", "id": "x", "links": [{ "rel": "search", "href": "/search" }] }),
        )
    });
    let error = open(&service.url("/")).unwrap_err();
    assert!(error.contains("search it as a service"), "{error}");
    let page = Server::start(|_| Answer::new(200, "text/html", "<title>Hello</title>"));
    let error = open(&page.url("/catalog.json")).unwrap_err();
    assert!(error.contains("web page") && error.contains("Hello"), "{error}");
}

#[test]
fn files_of_items_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        at(&folder.path().join(name))
    };
    let collection =
        json!({ "type": "FeatureCollection", "features": [item("a"), item("b"), item("a")] }).to_string();
    let items = file("items.json", &collection).unwrap();
    assert_eq!(ids(&items), ["a", "b"]);
    assert!(
        items.notes[0].contains("1 items came more than once"),
        "{:?}",
        items.notes
    );
    assert_eq!(
        items.items.get(0).unwrap().assets["near"].href,
        folder.path().join("b04.tif").to_str().unwrap()
    );
    assert_eq!(ids(&file("one.json", &item("x").to_string()).unwrap()), ["x"]);
    assert_eq!(
        ids(&file("list.json", &json!([item("x"), item("y")]).to_string()).unwrap()),
        ["x", "y"]
    );
    for (name, text, words) in [
        ("table.csv", "a,b\n1,2\n", "neither JSON"),
        ("number.json", "7", "not STAC"),
        (
            "object.json",
            "{\"type\": \"Topology\"}",
            "is a Topology, not STAC",
        ),
        ("half.parquet", "PAR1abc", "cannot be read as stac-geoparquet"),
        ("empty.json", "", "neither JSON"),
    ] {
        let error = file(name, text).unwrap_err();
        assert!(error.contains(name) && error.contains(words), "{error}");
    }
    let error = at(&folder.path().join("nothing.json")).unwrap_err();
    assert!(error.contains("no such file"), "{error}");
}

/// The file was written by stac-geoparquet 0.8.3 (tests/reference/geoparquet_items.py) from the items beside it.
#[test]
fn stac_geoparquet_gives_the_items_that_went_in() {
    let root = std::env::var_os("PERILUNE_TEST_ROOT").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let folder = Path::new(&root).join("tests/fixtures/stac");
    let items = at(&folder.join("items.parquet")).unwrap();
    let source: Value = serde_json::from_slice(&fs::read(folder.join("items.json")).unwrap()).unwrap();
    let source = source["features"].as_array().unwrap();
    assert_eq!(items.len(), source.len());
    for (item, source) in items.items.iter().map(Result::unwrap).zip(source) {
        let read = serde_json::to_value(&*item).unwrap();
        assert_eq!(read["geometry"], source["geometry"], "{}", item.id);
        for name in ["id", "collection", "bbox"] {
            assert_eq!(read[name], source[name], "{name} of {}", item.id);
        }
        for (name, value) in source["properties"].as_object().unwrap() {
            match name.ends_with("datetime") {
                true => {
                    let time = |v: &Value| v.as_str().map(|t| t.parse::<jiff::Timestamp>().unwrap());
                    assert_eq!(
                        time(&read["properties"][name]),
                        time(value),
                        "{name} of {}",
                        item.id
                    );
                }
                false => assert_eq!(&read["properties"][name], value, "{name} of {}", item.id),
            }
        }
        assert_eq!(
            read["assets"]["visual"]["href"],
            source["assets"]["visual"]["href"]
        );
    }
}

#[test]
fn a_saved_search_comes_back_as_it_was() {
    let Some(path) = shared("api/stac/pc_naip_intersects_42items.json") else {
        return;
    };
    let recorded = super::replay::recording(&path);
    let features = recorded["interactions"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|i| i["response"]["body"]["features"].as_array());
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("raw.json");
    fs::write(
        &raw,
        json!({ "type": "FeatureCollection", "features": features }).to_string(),
    )
    .unwrap();
    let mut items = at(&raw).unwrap();
    assert_eq!(items.len(), 42);
    items.request = json!({ "service": "stac", "url": "https://host/stac" });
    items.matched = Some(42);
    let saved = folder.path().join("saved.json");
    snapshot::save(&items, &saved).unwrap();
    let back = at(&saved).unwrap();
    let all = |items: &Items| items.items.iter().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(all(&back), all(&items));
    assert_eq!((back.matched, &back.request), (Some(42), &items.request));
    let changed = fs::read_to_string(&saved).unwrap().replacen("2011", "2012", 1);
    fs::write(&saved, changed).unwrap();
    assert!(at(&saved).unwrap_err().contains("not those that were saved"));
}
