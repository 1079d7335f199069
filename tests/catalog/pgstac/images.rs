//! Stacks of what a real service finds, whose images lie on a server: the pixels of the files themselves, for few requests.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::super::standin::{Answer, StandIn};
use super::service::serve;
use super::world::queryables;

const COUNT: usize = 6;
/// Its file is not there.
const GONE: usize = 4;

fn collection() -> Value {
    json!({ "type": "Collection", "stac_version": "1.0.0", "id": "cogs", "description": "", "license": "other", "links": [],
            "extent": { "spatial": { "bbox": [[-180, -90, 180, 90]] }, "temporal": { "interval": [["2024-01-01T00:00:00Z", null]] } } })
}

fn item(i: usize, server: &StandIn) -> Value {
    let name = if i == GONE {
        "gone".to_string()
    } else {
        format!("red_{i}")
    };
    let ring = [
        [14.999, 44.9],
        [15.31, 44.9],
        [15.31, 45.16],
        [14.999, 45.16],
        [14.999, 44.9],
    ];
    json!({ "type": "Feature", "stac_version": "1.0.0", "id": format!("item-{i}"), "collection": "cogs", "links": [],
            "bbox": [14.999, 44.9, 15.31, 45.16], "geometry": { "type": "Polygon", "coordinates": [ring] },
            "properties": { "datetime": format!("2024-01-{:02}T10:00:00Z", 3 * i) },
            "assets": { "red": { "href": server.url(&format!("/{name}.tif")), "roles": ["data"],
                                 "type": "image/tiff; application=geotiff; profile=cloud-optimized" } } })
}

/// `None` where this is built without the program.
fn run(folder: &Path, code: &str) -> Option<Output> {
    let mut command = Command::new(option_env!("CARGO_BIN_EXE_perilune")?);
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
    command
        .args(["-e", code])
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("NO_COLOR", "1");
    Some(command.output().unwrap())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn items_of_a_service_are_the_images_that_lie_on_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let make = format!(
        r#"
        local raster = require "raster"
        local grid = raster.grid {{ crs = 32633, origin = {{ 500000, 5000000 }}, resolution = 20, rows = 700, cols = 900 }}
        for i = 1, {COUNT} do
          local noise = raster.random(grid, {{ seed = i }});
          (noise * 3000 + 100):mask(noise:gt(0.2)):rename("red"):write(("red_%d.tif"):format(i), {{ format = "COG", dtype = "uint16", nodata = 0 }})
        end
        "#
    );
    let Some(made) = run(here, &make) else {
        return;
    };
    assert!(made.status.success(), "{}", text(&made.stderr));
    let served = here.to_path_buf();
    let server = StandIn::start("127.0.0.7", move |got| {
        match std::fs::read(served.join(got.path().trim_start_matches('/'))) {
            Ok(bytes) if got.path().ends_with(".tif") => Answer::of_file(got, &bytes).with("ETag", "\"1\""),
            _ => Answer::new(404, "there is none"),
        }
    });
    let items: Vec<Value> = (1..=COUNT).map(|i| item(i, &server)).collect();
    let Some((address, mut service)) = serve(&[collection()], &items, &queryables()) else {
        println!("skipped: needs scripts/setup --test");
        return;
    };
    let found = format!(
        r#"
        local raster, catalog = require "raster", require "catalog"
        local items = catalog.stac("{address}"):search({{ collections = "cogs", sortby = "datetime" }}):all()
        assert(#items == {COUNT})
        "#
    );
    // One file that is not there.
    let failed = run(
        here,
        &format!("{found} raster.stack(items, {{ assets = 'red' }})"),
    )
    .unwrap();
    let said = text(&failed.stderr);
    assert!(!failed.status.success());
    for part in [
        &format!("item-{GONE}"),
        "asset red",
        "/gone.tif",
        "404",
        "{ missing = \"skip\" } leaves such items out",
    ] {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
    let before = server.log().len();
    let compare = r#"
        local window = raster.grid { crs = 32633, origin = { 502000, 4998000 }, resolution = 20, rows = 500, cols = 600 }
        local there = raster.stack(items, { assets = "red", target = window, missing = "skip" })
        local files = {}
        for i = 1, #items do
          if items[i].id ~= "item-GONE" then files[#files + 1] = { raster.open(("red_%d.tif"):format(i)):align(window), time = items[i].datetime } end
        end
        local here = raster.stack(files)
        assert(#there == 5 and #here == 5)
        for i = 1, 5 do
          local a, b = there[i].red, here[i].red
          assert(there[i].time == ("2024-01-%02dT10:00:00Z"):format(3 * (i < GONE and i or i + 1)), there[i].time)
          assert(a:stats().red.count == b:stats().red.count and (a - b):abs():stats().red.max == 0)
        end
        assert((there:median() - here:median()):abs():stats().red.max == 0)
        print "the same"
        "#
    .replace("GONE", &GONE.to_string());
    let done = run(here, &format!("{found}{compare}")).unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout), "the same\n");
    let said = text(&done.stderr);
    assert!(said.contains(&format!("1 of {COUNT} items left out")), "{said}");
    assert!(said.contains("/gone.tif"), "{said}");
    let log = server.log();
    let asked = |name: &str| {
        let of = |got: &&super::super::standin::Got| got.path() == name;
        log[before..].iter().filter(of).count()
    };
    // The beginning, which tells where all else lies, and the four blocks that the window touches, each once.
    for i in (1..=COUNT).filter(|i| *i != GONE) {
        let count = asked(&format!("/red_{i}.tif"));
        assert!((1..=5).contains(&count), "{count} requests for red_{i}.tif");
    }
    assert_eq!(asked("/gone.tif"), 1);
    drop(service.stdin.take());
    let _ = service.wait();
}
