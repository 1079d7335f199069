//! Searches at a real service, stac-fastapi-pgstac, compared with a look at every item that was put into it.

mod images;
mod service;
mod world;

use std::collections::BTreeSet;

use perilune::bytes::http::{Http, wait};
use perilune::catalog::items::Items;
use perilune::catalog::pages::{Limits, Search};
use perilune::catalog::stac::{
    Area, Client, CollectionQuery, Fields, Filter, Interval, Query, SortKey, query_json, query_text,
};
use serde_json::{Value, json};

use self::service::{Service, service};
use self::world::{COLLECTIONS, COUNT, during, id, number, shape, touches};
use super::common::client;

/// A client of the service with what a test needs.
struct Session {
    http: Http,
    client: Client,
    service: &'static Service,
}

fn session() -> Option<Session> {
    let service = service()?;
    let http = client();
    let client = wait(Client::open(&http, &service.address)).unwrap();
    Some(Session {
        http,
        client,
        service,
    })
}

const ALL: Limits = Limits {
    page: 1000,
    most: None,
    partial: false,
};

impl Session {
    fn all(&self, query: &Query, limits: Limits) -> Items {
        let search = self.client.search(query, limits).unwrap();
        wait(search.all(&self.http)).unwrap()
    }

    /// `query` by POST and by GET finds exactly the items that fit, and counts them.
    fn finds(&self, what: &str, query: &Query, fits: impl Fn(&Value) -> bool) {
        let expected = self.service.world.ids(fits);
        assert!(
            !expected.is_empty() && expected.len() < COUNT,
            "{what}: {} items prove nothing",
            expected.len()
        );
        for search in [
            self.client.search(query, ALL).unwrap(),
            self.client.search_by_get(query, ALL).unwrap(),
        ] {
            let items = wait(search.all(&self.http)).unwrap_or_else(|e| panic!("{what}: {e}"));
            let mut found = ids(&items);
            found.sort();
            assert_eq!(found, expected, "{what}");
            assert_eq!(items.matched, Some(expected.len() as u64), "{what}");
        }
    }
}

fn ids(items: &Items) -> Vec<String> {
    items.items.ids().map(str::to_string).collect()
}

#[test]
fn every_page_size_gives_every_item_once() {
    let Some(s) = session() else { return };
    let expected = s.service.world.ids(|_| true);
    for page in [250, 10_000] {
        for search in [
            s.client
                .search(&Query::default(), Limits { page, ..ALL })
                .unwrap(),
            s.client
                .search_by_get(&Query::default(), Limits { page, ..ALL })
                .unwrap(),
        ] {
            let items = wait(search.all(&s.http)).unwrap();
            assert_eq!(items.len(), COUNT, "pages of {page}");
            assert!(items.notes.is_empty(), "{:?}", items.notes);
            let mut found = ids(&items);
            found.sort();
            assert_eq!(found, expected, "pages of {page}");
        }
    }
    // What came is what was put in.
    let items = s.all(&Query::default(), ALL);
    for item in items.items.iter().map(Result::unwrap) {
        let at: usize = item.id["item-".len()..].parse().unwrap();
        let source = &s.service.world.items[at];
        let came = serde_json::to_value(&*item).unwrap();
        for name in ["geometry", "bbox", "collection"] {
            assert_eq!(came[name], source[name], "{name} of {}", item.id);
        }
        assert_eq!(came["assets"]["data"], source["assets"]["data"]);
        assert!(item.assets["thumbnail"].nodata.unwrap().is_nan());
        for (name, value) in source["properties"].as_object().unwrap() {
            if !name.ends_with("datetime") {
                assert_eq!(&came["properties"][name], value, "{name} of {}", item.id);
            }
        }
        assert!(
            during(source, came["properties"]["datetime"].as_str(), None),
            "{}",
            item.id
        );
    }
}

#[test]
fn the_first_items_are_the_first_of_all() {
    let Some(s) = session() else { return };
    let query = Query {
        sortby: vec![SortKey::parse("id").unwrap()],
        ..Query::default()
    };
    for (page, most) in [(100, 7), (100, 250), (30, 31)] {
        let items = s.all(
            &query,
            Limits {
                page,
                most: Some(most),
                partial: false,
            },
        );
        assert_eq!(ids(&items), s.service.world.ids(|_| true)[..most]);
        assert_eq!(items.matched, Some(COUNT as u64));
    }
}

#[test]
fn places_are_found() {
    let Some(s) = session() else { return };
    let with = |area: Area| Query {
        area: Some(area),
        ..Query::default()
    };
    for numbers in [
        [-10.0, -20.0, 30.5, 40.25],
        [100.0, 0.0, 100.5, 60.0],
        [-180.0, 60.0, 180.0, 90.0],
    ] {
        let [west, south, east, north] = numbers;
        let area = shape(&json!({ "type": "Polygon", "coordinates":
            [[[west, south], [east, south], [east, north], [west, north], [west, south]]] }));
        s.finds(
            &format!("box {numbers:?}"),
            &with(Area::bbox(&numbers).unwrap()),
            |item| touches(item, &area),
        );
    }
    let east = shape(
        &json!({ "type": "Polygon", "coordinates": [[[160, -60], [180, -60], [180, 60], [160, 60], [160, -60]]] }),
    );
    let west = shape(
        &json!({ "type": "Polygon", "coordinates": [[[-180, -60], [-165, -60], [-165, 60], [-180, 60], [-180, -60]]] }),
    );
    let over = with(Area::bbox(&[160.0, -60.0, -165.0, 60.0]).unwrap());
    s.finds("a box over the antimeridian", &over, |item| {
        touches(item, &east) || touches(item, &west)
    });
    for geometry in [
        json!({ "type": "Polygon", "coordinates": [[[0, 0], [40, 10], [30, 50], [-20, 30], [0, 0]], [[5, 10], [20, 12], [15, 25], [5, 10]]] }),
        json!({ "type": "LineString", "coordinates": [[-120, 50], [-60, -30], [20, 40], [140, -35]] }),
        json!({ "type": "MultiPolygon", "coordinates": [[[[-70, -40], [-60, -40], [-60, 0], [-70, -40]]], [[[70, 0], [90, 0], [80, 30], [70, 0]]]] }),
    ] {
        let area = shape(&geometry);
        s.finds(
            &geometry.to_string(),
            &with(Area::intersects(&geometry).unwrap()),
            |item| touches(item, &area),
        );
    }
}

#[test]
fn times_are_found() {
    let Some(s) = session() else { return };
    for (text, start, end) in [
        (
            "2020",
            Some("2020-01-01T00:00:00Z"),
            Some("2020-12-31T23:59:59.999999Z"),
        ),
        (
            "2020-02",
            Some("2020-02-01T00:00:00Z"),
            Some("2020-02-29T23:59:59.999999Z"),
        ),
        (
            "2020-06-01/2020-06-30",
            Some("2020-06-01T00:00:00Z"),
            Some("2020-06-30T23:59:59.999999Z"),
        ),
        ("2021/..", Some("2021-01-01T00:00:00Z"), None),
        ("../2019-03-15", None, Some("2019-03-15T23:59:59.999999Z")),
        (
            "2019-05-05T12:00:00Z/2019-07-01T00:00:00+02:00",
            Some("2019-05-05T12:00:00Z"),
            Some("2019-06-30T22:00:00Z"),
        ),
        (
            "2021-08",
            Some("2021-08-01T00:00:00Z"),
            Some("2021-08-31T23:59:59.999999Z"),
        ),
    ] {
        let query = Query {
            datetime: Some(Interval::parse(text).unwrap()),
            ..Query::default()
        };
        s.finds(text, &query, |item| during(item, start, end));
    }
    // A day whose last item was taken in its last second, and one instant.
    let late = s.service.world.items.iter().find(|item| {
        item["properties"]["datetime"]
            .as_str()
            .is_some_and(|t| t.ends_with("23:59:59.5Z"))
    });
    let time = late.unwrap()["properties"]["datetime"].as_str().unwrap();
    for (text, start, end) in [
        (
            &time[..10],
            format!("{}T00:00:00Z", &time[..10]),
            format!("{}T23:59:59.999999Z", &time[..10]),
        ),
        (time, time.to_string(), time.to_string()),
    ] {
        let query = Query {
            datetime: Some(Interval::parse(text).unwrap()),
            ..Query::default()
        };
        s.finds(text, &query, |item| during(item, Some(&start), Some(&end)));
        assert!(ids(&s.all(&query, ALL)).contains(&id(late.unwrap())), "{text}");
    }
}

#[test]
fn names_are_found() {
    let Some(s) = session() else { return };
    for collections in [vec![COLLECTIONS[0]], vec![COLLECTIONS[1], COLLECTIONS[2]]] {
        let query = Query {
            collections: collections.iter().map(|c| c.to_string()).collect(),
            ..Query::default()
        };
        s.finds(&format!("{collections:?}"), &query, |item| {
            collections.contains(&item["collection"].as_str().unwrap())
        });
    }
    let wanted = ["item-00007", "item-01234", "item-02399", "no-such-item"];
    let query = Query {
        ids: wanted.map(str::to_string).to_vec(),
        ..Query::default()
    };
    s.finds("ids", &query, |item| {
        wanted.contains(&item["id"].as_str().unwrap())
    });
    // Nothing found is an empty answer, and not an error.
    let nothing = s.all(
        &Query {
            ids: vec!["no-such-item".into()],
            ..Query::default()
        },
        ALL,
    );
    assert_eq!((nothing.len(), nothing.matched), (0, Some(0)));
}

type Fits = Box<dyn Fn(&Value) -> bool>;

#[test]
fn filters_find_what_they_say() {
    let Some(s) = session() else { return };
    let cover = |item: &Value| number(item, "eo:cloud_cover");
    let orbit = |item: &Value| number(item, "sat:relative_orbit").unwrap();
    let gsd = |item: &Value| number(item, "gsd").unwrap();
    let platform = |item: &Value, name: &str| item["properties"]["platform"] == name;
    let box_area =
        shape(&json!({ "type": "Polygon", "coordinates": [[[0, 0], [30, 0], [30, 40], [0, 40], [0, 0]]] }));
    let cases: Vec<(&str, Fits)> = vec![
        (
            "\"eo:cloud_cover\" < 30",
            Box::new(move |i| cover(i).is_some_and(|c| c < 30.0)),
        ),
        (
            "eo:cloud_cover BETWEEN 10 AND 20.5",
            Box::new(move |i| cover(i).is_some_and(|c| (10.0..=20.5).contains(&c))),
        ),
        (
            "gsd IN (10, 30) AND platform = 'landsat-8'",
            Box::new(move |i| [10.0, 30.0].contains(&gsd(i)) && platform(i, "landsat-8")),
        ),
        (
            "platform = 'Größe O''Neill'",
            Box::new(move |i| platform(i, "Größe O'Neill")),
        ),
        (
            "platform LIKE 'landsat-%' AND sat:relative_orbit > 100",
            Box::new(move |i| (platform(i, "landsat-8") || platform(i, "landsat-9")) && orbit(i) > 100.0),
        ),
        ("eo:cloud_cover IS NULL", Box::new(move |i| cover(i).is_none())),
        (
            "sat:relative_orbit <= 20 OR (gsd = 100 AND eo:cloud_cover >= 90)",
            Box::new(move |i| orbit(i) <= 20.0 || (gsd(i) == 100.0 && cover(i).is_some_and(|c| c >= 90.0))),
        ),
        (
            "NOT platform = 'sentinel-1a' AND collection = 'radar'",
            Box::new(move |i| !platform(i, "sentinel-1a") && i["collection"] == "radar"),
        ),
        (
            "S_INTERSECTS(geometry, POLYGON((0 0, 30 0, 30 40, 0 40, 0 0)))",
            Box::new(move |i| touches(i, &box_area)),
        ),
        (
            "datetime >= TIMESTAMP('2021-06-01T00:00:00Z') AND gsd = 15",
            Box::new(move |i| {
                let p = &i["properties"];
                let time = p["datetime"].as_str().or(p["start_datetime"].as_str()).unwrap();
                time >= "2021-06-01T00:00:00Z" && gsd(i) == 15.0
            }),
        ),
    ];
    for (text, fits) in cases {
        let query = Query {
            filter: Some(Filter::text(text).unwrap()),
            ..Query::default()
        };
        s.finds(text, &query, &fits);
        // The same as JSON, which goes back to text for GET; this time only counted.
        let json = query.filter.as_ref().unwrap().as_json().unwrap();
        let query = Query {
            filter: Some(Filter::json(json).unwrap()),
            ..Query::default()
        };
        let search = s.client.search_by_get(&query, ALL).unwrap();
        assert_eq!(
            wait(search.matched(&s.http)).unwrap(),
            Some(s.service.world.ids(&fits).len() as u64),
            "{text}"
        );
    }
}

#[test]
fn queries_find_what_they_say() {
    let Some(s) = session() else { return };
    let mut query = Query {
        collections: vec!["landsat".into()],
        ..Query::default()
    };
    query_text("eo:cloud_cover<25.5", &mut query.query).unwrap();
    query_text("gsd>=15", &mut query.query).unwrap();
    query_text("platform!=sentinel-1a", &mut query.query).unwrap();
    s.finds("query texts", &query, |item| {
        item["collection"] == "landsat"
            && number(item, "eo:cloud_cover").is_some_and(|c| c < 25.5)
            && number(item, "gsd").unwrap() >= 15.0
            && item["properties"]["platform"] != "sentinel-1a"
    });
    let table = query_json(json!({ "platform": "landsat-9", "sat:relative_orbit": { "gt": 10, "lte": 60 } }))
        .unwrap();
    s.finds(
        "a query table",
        &Query {
            query: table,
            ..Query::default()
        },
        |item| {
            let orbit = number(item, "sat:relative_orbit").unwrap();
            item["properties"]["platform"] == "landsat-9" && orbit > 10.0 && orbit <= 60.0
        },
    );
}

#[test]
fn all_parameters_together_narrow_the_search() {
    let Some(s) = session() else { return };
    let area = json!({ "type": "Polygon", "coordinates": [[[-120, -50], [120, -50], [120, 60], [-120, 60], [-120, -50]]] });
    let query = Query {
        collections: vec!["landsat".into(), "radar".into()],
        area: Some(Area::intersects(&area).unwrap()),
        datetime: Some(Interval::parse("2019-06/2021").unwrap()),
        filter: Some(Filter::text("eo:cloud_cover < 60").unwrap()),
        sortby: vec![SortKey::parse("-eo:cloud_cover").unwrap()],
        ..Query::default()
    };
    let outline = shape(&area);
    s.finds("all together", &query, |item| {
        item["collection"] != COLLECTIONS[2]
            && touches(item, &outline)
            && during(
                item,
                Some("2019-06-01T00:00:00Z"),
                Some("2021-12-31T23:59:59.999999Z"),
            )
            && number(item, "eo:cloud_cover").is_some_and(|c| c < 60.0)
    });
}

#[test]
fn items_come_in_the_order_asked_for() {
    let Some(s) = session() else { return };
    let clouds = Filter::text("eo:cloud_cover >= 0").unwrap();
    for (keys, by_page) in [
        (&["eo:cloud_cover", "id"][..], 150),
        (&["-gsd", "+platform", "-id"], 250),
        (&["-eo:cloud_cover", "-id"], 333),
    ] {
        let query = Query {
            filter: Some(clouds.clone()),
            sortby: keys.iter().map(|k| SortKey::parse(k).unwrap()).collect(),
            ..Query::default()
        };
        let mut expected: Vec<&Value> = s
            .service
            .world
            .items
            .iter()
            .filter(|i| number(i, "eo:cloud_cover").is_some())
            .collect();
        expected.sort_by(|a, b| {
            let mut order = std::cmp::Ordering::Equal;
            for key in &query.sortby {
                let value = |item: &Value| {
                    if key.field == "id" {
                        item["id"].clone()
                    } else {
                        item["properties"][&key.field].clone()
                    }
                };
                let (x, y) = (value(a), value(b));
                let compared = match (x.as_f64(), y.as_f64()) {
                    (Some(x), Some(y)) => x.total_cmp(&y),
                    _ => x.as_str().unwrap().cmp(y.as_str().unwrap()),
                };
                order = order.then(if key.descending {
                    compared.reverse()
                } else {
                    compared
                });
            }
            order
        });
        let expected: Vec<String> = expected.into_iter().map(id).collect();
        let limits = Limits { page: by_page, ..ALL };
        let get = s.client.search_by_get(&query, limits).unwrap();
        assert_eq!(ids(&s.all(&query, limits)), expected, "{keys:?} by POST");
        assert_eq!(ids(&wait(get.all(&s.http)).unwrap()), expected, "{keys:?} by GET");
    }
}

#[test]
fn only_the_fields_asked_for_come() {
    let Some(s) = session() else { return };
    let fields = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        Query {
            fields: Some(Fields::parse(&names).unwrap()),
            ..Query::default()
        }
    };
    let limits = Limits {
        page: 50,
        most: Some(120),
        partial: false,
    };
    let few = s.all(
        &fields(&["id", "collection", "properties.gsd", "properties.datetime"]),
        limits,
    );
    assert_eq!(few.len(), 120);
    for item in few.items.iter().map(Result::unwrap) {
        let names: BTreeSet<&str> = item
            .properties
            .additional_fields
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(names, BTreeSet::from(["gsd"]), "{}", item.id);
        assert!(item.assets.is_empty() && item.geometry.is_none());
    }
    let most = s.all(&fields(&["-assets", "-properties.platform"]), limits);
    for item in most.items.iter().map(Result::unwrap) {
        let names = &item.properties.additional_fields;
        assert!(
            names.contains_key("gsd") && !names.contains_key("platform"),
            "{}",
            item.id
        );
        assert!(item.assets.is_empty() && item.geometry.is_some());
    }
}

#[test]
fn single_things_come_by_their_names() {
    let Some(s) = session() else { return };
    for source in s.service.world.items.iter().step_by(400) {
        let collection = source["collection"].as_str().unwrap();
        if collection == COLLECTIONS[2] {
            // FastAPI decodes %2F before it chooses the route, so no client can reach it by its path.
            continue;
        }
        let item = wait(s.client.item(&s.http, collection, &id(source))).unwrap();
        assert_eq!(
            serde_json::to_value(&item).unwrap()["geometry"],
            source["geometry"]
        );
    }
    let error = wait(s.client.item(&s.http, "landsat", "nothing"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no item `nothing` in the collection `landsat`"),
        "{error}"
    );
    let error = wait(s.client.collection(&s.http, "landsatt"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no collection `landsatt`; did you mean `landsat`?"),
        "{error}"
    );
    let queryables = wait(s.client.queryables(&s.http, Some("radar"))).unwrap();
    assert!(
        queryables["properties"]["eo:cloud_cover"].is_object(),
        "{queryables}"
    );

    let names = |query: CollectionQuery| -> BTreeSet<String> {
        let found = wait(s.client.collections(&s.http, &query)).unwrap();
        found
            .iter()
            .map(|c| c["id"].as_str().unwrap().to_string())
            .collect()
    };
    let set = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(names(CollectionQuery::default()), set(&COLLECTIONS));
    let text = CollectionQuery {
        text: Some("radar".into()),
        ..CollectionQuery::default()
    };
    assert_eq!(names(text), set(&["radar"]));
    let bbox = CollectionQuery {
        bbox: Some([-100.0, 0.0, -90.0, 10.0]),
        ..CollectionQuery::default()
    };
    assert_eq!(names(bbox), set(&[COLLECTIONS[0], COLLECTIONS[2]]));
    let late = CollectionQuery {
        datetime: Some(Interval::parse("2022/..").unwrap()),
        ..CollectionQuery::default()
    };
    assert_eq!(names(late), set(&[COLLECTIONS[1], COLLECTIONS[2]]));
}

#[test]
fn what_the_service_refuses_is_told_in_its_words() {
    let Some(s) = session() else { return };
    // A filter on a function that it does not have.
    let query = Query {
        filter: Some(Filter::text("no_such_function(gsd) = 1").unwrap()),
        ..Query::default()
    };
    let search = s.client.search(&query, ALL).unwrap();
    let error = wait(search.all(&s.http)).unwrap_err().to_string();
    assert!(error.contains("/search: the server answers"), "{error}");
}
