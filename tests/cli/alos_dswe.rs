//! The workflows of ALOS PALSAR and surface water against a server that stands in for ASF, USGS and their files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::jupyter::run_notebooks;
use super::servers::{Answer, Asked, Server};
use super::{finish, perilune};

/// Lower left corner of a scene's footprint; it is a square of this many degrees.
const SIDE: f64 = 0.04;

struct Scene {
    orbit: &'static str,
    time: &'static str,
    corner: (f64, f64),
}

const SCENES: &[Scene] = &[
    // Half water, over two tiles.
    Scene {
        orbit: "11104",
        time: "2008-02-24T07:13:21Z",
        corner: (-90.50, 30.00),
    },
    // Clouds.
    Scene {
        orbit: "11200",
        time: "2008-02-25T07:13:21Z",
        corner: (-90.30, 30.00),
    },
    // Dry.
    Scene {
        orbit: "11300",
        time: "2008-03-03T07:13:21Z",
        corner: (-90.10, 30.00),
    },
    // Tiles of another week alone.
    Scene {
        orbit: "11400",
        time: "2008-03-20T07:13:21Z",
        corner: (-90.50, 30.00),
    },
];

/// (tile, scene it lies over, time, cloud cover).
const TILES: &[(&str, usize, &str, f64)] = &[
    (
        "LT05_CU_018016_20080223_20210421_02",
        0,
        "2008-02-23T16:20:00Z",
        10.0,
    ),
    (
        "LT05_CU_019016_20080223_20210421_02",
        0,
        "2008-02-23T16:20:10Z",
        12.0,
    ),
    (
        "LE07_CU_018016_20080225_20210421_02",
        0,
        "2008-02-25T23:30:00Z",
        12.0,
    ),
    (
        "LT05_CU_020016_20080225_20210421_02",
        1,
        "2008-02-25T16:20:00Z",
        25.0,
    ),
    (
        "LT05_CU_021016_20080304_20210421_02",
        2,
        "2008-03-04T16:20:00Z",
        3.0,
    ),
    (
        "LT05_CU_022016_20080303_20210421_02",
        2,
        "2008-03-03T16:20:00Z",
        80.0,
    ),
    (
        "LT05_CU_018016_20080327_20210421_02",
        3,
        "2008-03-27T16:20:00Z",
        0.0,
    ),
];

impl Scene {
    fn name(&self) -> String {
        format!("AP_{}_FBD_F0590_RT1", self.orbit)
    }

    fn granule(&self) -> String {
        format!("ALPSRP{}0590", self.orbit)
    }

    fn ring(&self) -> Vec<[f64; 2]> {
        let (x, y) = self.corner;
        vec![[x, y], [x + SIDE, y], [x + SIDE, y + SIDE], [x, y + SIDE], [x, y]]
    }

    fn zip(&self) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let stored =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for part in ["HH", "HV"] {
            out.start_file(format!("{0}/{0}_{part}.tif", self.name()), stored)
                .unwrap();
            let text = format!("{} {part} ", self.name());
            out.write_all(text.repeat(20_000).as_bytes()).unwrap();
        }
        out.finish().unwrap().into_inner()
    }

    fn umm(&self, server: &str) -> Value {
        let zip = self.zip();
        let points: Vec<Value> = self
            .ring()
            .iter()
            .map(|[x, y]| json!({ "Longitude": x, "Latitude": y }))
            .collect();
        let md5: String = Md5::digest(&zip).iter().map(|b| format!("{b:02x}")).collect();
        json!({ "meta": { "concept-id": self.orbit }, "umm": {
            "GranuleUR": format!("{}-RTC_HI_RES", self.granule()),
            "TemporalExtent": { "RangeDateTime": { "BeginningDateTime": self.time, "EndingDateTime": self.time } },
            "SpatialExtent": { "HorizontalSpatialDomain": { "Geometry": { "GPolygons": [{ "Boundary": { "Points": points } }] } } },
            "CollectionReference": { "ShortName": "ALOS_PSR_RTC_HIGH" },
            "AdditionalAttributes": [
                { "Name": "MD5SUM", "Values": [md5] },
                { "Name": "BYTES", "Values": [zip.len().to_string()] },
            ],
            "RelatedUrls": [{ "Type": "GET DATA", "URL": format!("{server}/zips/{}.zip", self.name()) }],
        }})
    }
}

fn tile_item(tile: &(&str, usize, &str, f64), server: &str) -> Value {
    let (name, scene, time, cloud) = tile;
    let (x, y) = SCENES[*scene].corner;
    // The first two halves meet in the middle of the scene.
    let (west, east) = match *name {
        "LT05_CU_018016_20080223_20210421_02" => (x - 0.1, x + SIDE / 2.0),
        "LT05_CU_019016_20080223_20210421_02" => (x + SIDE / 2.0, x + 0.1),
        _ => (x - 0.1, x + 0.1),
    };
    let ring = [
        [west, y - 0.1],
        [east, y - 0.1],
        [east, y + 0.1],
        [west, y + 0.1],
        [west, y - 0.1],
    ];
    json!({
        "type": "Feature", "stac_version": "1.0.0", "id": format!("{name}_DSWE"), "collection": "landsat-c2l3-dswe",
        "geometry": { "type": "Polygon", "coordinates": [ring] }, "bbox": [west, y - 0.1, east, y + 0.1],
        "properties": { "datetime": time, "eo:cloud_cover": cloud }, "links": [],
        "assets": { "inwam": { "href": format!("{server}/tiles/{name}_INWAM.TIF"), "type": "image/tiff" } },
    })
}

/// Tiles as DSWE has them, on its Albers grid: 1 in the west half of the scene, 0 in the east; clouds; dry.
const MAKE_TILES: &str = r#"
local raster, geometry = require "raster", require "geometry"
local function write(name, west, south, east, north, class)
  local b = geometry.bbox(west, south, east, north):to_crs("EPSG:5070"):bounds()
  local x0, y1 = math.floor(b[1] / 30) * 30, math.ceil(b[4] / 30) * 30
  local cols, rows = math.ceil((b[3] - x0) / 30), math.ceil((y1 - b[2]) / 30)
  local values = {}
  for r = 1, rows do
    values[r] = {}
    for c = 1, cols do values[r][c] = class(c / cols, r / rows) end
  end
  local grid = raster.grid { crs = "EPSG:5070", origin = { x0, y1 }, resolution = 30, rows = rows, cols = cols }
  raster.from_table(grid, values):cast("uint8"):write(name .. "_INWAM.TIF", { nodata = 255 })
end
local s = 0.04
local function over(corner, margin) return corner - margin, 30 - margin, corner + s + margin, 30 + s + margin end
write("LT05_CU_018016_20080223_20210421_02", -90.50 - 0.01, 29.99, -90.50 + s / 2, 30 + s + 0.01, function() return 1 end)
write("LT05_CU_019016_20080223_20210421_02", -90.50 + s / 2, 29.99, -90.50 + s + 0.01, 30 + s + 0.01, function() return 0 end)
local w, so, e, n = over(-90.30, 0.01)
write("LT05_CU_020016_20080225_20210421_02", w, so, e, n, function(x) return x < 0.8 and 9 or 1 end)
w, so, e, n = over(-90.10, 0.01)
write("LT05_CU_021016_20080304_20210421_02", w, so, e, n, function(x, y) return (x < 0.1 and y < 0.1) and 1 or 0 end)
"#;

struct Archive {
    server: Server,
    /// Zips end half way, and their other halves are not there.
    cut: Arc<Mutex<bool>>,
}

fn start(tiles: BTreeMap<String, Vec<u8>>) -> Archive {
    let unstarted = Server::bind();
    let own = unstarted.url("");
    let cut = Arc::new(Mutex::new(false));
    let left = cut.clone();
    let server = unstarted.run(move |asked| answer(asked, &own, &tiles, &left));
    Archive { server, cut }
}

fn answer(asked: &Asked, own: &str, tiles: &BTreeMap<String, Vec<u8>>, cut: &Mutex<bool>) -> Answer {
    match asked.path() {
        "/cmr" => {
            let names: Vec<String> = asked
                .form()
                .into_iter()
                .filter(|(n, _)| n == "readable_granule_name[]")
                .map(|(_, v)| v)
                .collect();
            let found: Vec<Value> = SCENES
                .iter()
                .filter(|s| names.is_empty() || names.contains(&s.granule()))
                .map(|s| s.umm(own))
                .collect();
            Answer::json(&json!({ "hits": found.len(), "items": found }))
                .header("CMR-Hits", &found.len().to_string())
        }
        "/stac" | "/stac/" => Answer::json(&json!({
            "type": "Catalog", "id": "usgs", "description": "", "stac_version": "1.0.0",
            "conformsTo": ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search",
                "https://api.stacspec.org/v1.0.0/item-search#query"],
            "links": [{ "rel": "self", "href": format!("{own}/stac") }, { "rel": "root", "href": format!("{own}/stac") },
                { "rel": "search", "type": "application/geo+json", "href": format!("{own}/stac/search"), "method": "POST" }],
        })),
        "/stac/search" => {
            let body = asked.json();
            let mut found: Vec<&(&str, usize, &str, f64)> = TILES.iter().collect();
            if let Some(ids) = body["ids"].as_array() {
                found.retain(|t| ids.contains(&json!(format!("{}_DSWE", t.0))));
            }
            if let Some(times) = body["datetime"].as_str() {
                let (first, last) = times.split_once('/').unwrap();
                found.retain(|t| t.2 >= first && t.2 <= last);
            }
            if let Some(cloud) = body["query"]["eo:cloud_cover"]["lt"].as_f64() {
                found.retain(|t| t.3 < cloud);
            }
            let features: Vec<Value> = found.iter().map(|t| tile_item(t, own)).collect();
            Answer::new(
                200,
                "application/geo+json",
                json!({ "type": "FeatureCollection", "features": features, "numberMatched": features.len() })
                    .to_string(),
            )
        }
        path => {
            let name = path.rsplit('/').next().unwrap();
            if let Some(bytes) = tiles.get(name) {
                return Answer::new(200, "image/tiff", bytes.clone()).header("etag", "\"t\"");
            }
            let Some(scene) = SCENES.iter().find(|s| format!("{}.zip", s.name()) == name) else {
                return Answer::new(404, "text/plain", "no such file");
            };
            file(asked, &scene.zip(), cut)
        }
    }
}

/// A file by ranges; while `cut` holds its second half does not come.
fn file(asked: &Asked, bytes: &[u8], cut: &Mutex<bool>) -> Answer {
    let from = asked
        .header("range")
        .and_then(|r| r.strip_prefix("bytes=")?.split('-').next()?.parse::<usize>().ok())
        .unwrap_or(0);
    let left = cut.lock().unwrap();
    let whole = bytes.len();
    let mut answer = if asked.header("range").is_some() {
        Answer::new(206, "application/zip", &bytes[from..])
            .header("content-range", &format!("bytes {from}-{}/{whole}", whole - 1))
    } else {
        Answer::new(200, "application/zip", bytes)
    };
    answer = answer.header("etag", "\"z\"").header("accept-ranges", "bytes");
    if *left && from > 0 {
        return Answer::new(404, "text/plain", "gone for a while");
    }
    if *left {
        let length = answer.body.len();
        answer.body.truncate(length / 2);
        // Announced whole, sent half: the connection ends too early.
        return answer
            .header("content-length", &length.to_string())
            .header("connection", "close");
    }
    answer
}

fn make_tiles(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("make.lua"), MAKE_TILES).unwrap();
    let mut command = perilune(folder);
    command.args(["run", "make.lua"]);
    let run = finish(command);
    assert_eq!(run.code, 0, "{}", run.err);
    fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "TIF"))
        .map(|p| {
            (
                p.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&p).unwrap(),
            )
        })
        .collect()
}

fn workflow(folder: &Path, archive: &Archive, name: &str, more: &[&str]) -> super::Run {
    let mut command = perilune(folder);
    command
        .env("NETRC", folder.join("none"))
        .args(["run", name])
        .args([
            "--asf_url",
            &archive.server.url("/cmr"),
            "--stac_url",
            &archive.server.url("/stac"),
        ]);
    command.args(more);
    finish(command)
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn pairs_are_found_screened_downloaded_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let archive = start(make_tiles(&folder.join("make")));
    let area = ["--bounds", "-91,29.5,-89.5,30.5"];

    let run = workflow(
        folder,
        &archive,
        "alos_dswe_pairs",
        &[&area[..], &["--dry_run"]].concat(),
    );
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(
        run.out.contains("3 of 4 scenes have tiles within 1 days"),
        "{}",
        run.out
    );
    assert!(!folder.join("data/scenes").exists());
    let pairs = fs::read_to_string(folder.join("data/pairs.csv")).unwrap();
    // The nearest day of two: the day before at 16:20 beats the day after at 23:30.
    let first = pairs.lines().find(|l| l.starts_with("AP_11104")).unwrap();
    assert!(
        first.contains("20080223") && !first.contains("20080225"),
        "{first}"
    );

    // The zip breaks off, and the rest cannot be had.
    *archive.cut.lock().unwrap() = true;
    let run = workflow(folder, &archive, "alos_dswe_pairs", &area);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    assert!(run.err.contains("1 of 3 scenes failed"), "{}{}", run.out, run.err);
    assert!(
        run.out.contains("AP_11200_FBD_F0590_RT1: rejected, "),
        "{}",
        run.out
    );
    let searches = archive
        .server
        .requests()
        .iter()
        .filter(|r| r.path() == "/cmr" || r.path() == "/stac/search")
        .count();

    *archive.cut.lock().unwrap() = false;
    let before = archive.server.requests().len();
    let run = workflow(folder, &archive, "alos_dswe_pairs", &area);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let again = archive.server.requests();
    let later: Vec<&Asked> = again[before..].iter().collect();
    assert!(
        later
            .iter()
            .all(|r| r.path() != "/cmr" && r.path() != "/stac/search"),
        "the searches were kept"
    );
    // Six years are counted before they are asked for.
    assert_eq!(searches, 2 + 2, "one search of ASF, one a month of USGS");
    let zip = later.iter().find(|r| r.path().starts_with("/zips")).unwrap();
    let from: usize = zip
        .header("range")
        .unwrap()
        .trim_start_matches("bytes=")
        .trim_end_matches('-')
        .parse()
        .unwrap();
    assert!(from > 0, "the half that had come was kept");

    let scene = folder.join("data/scenes/AP_11104_FBD_F0590_RT1");
    assert_eq!(
        files(&scene.join("usgs_dswe")),
        [
            "LT05_CU_018016_20080223_20210421_02_INWAM.TIF",
            "LT05_CU_019016_20080223_20210421_02_INWAM.TIF"
        ]
    );
    let text = fs::read_to_string(scene.join("AP_11104_FBD_F0590_RT1_HH.tif")).unwrap();
    assert_eq!(text, "AP_11104_FBD_F0590_RT1 HH ".repeat(20_000));
    assert_eq!(
        files(&folder.join("data/scenes/.incoming/zips"))
            .iter()
            .filter(|n| n.ends_with(".zip"))
            .count(),
        0
    );
    let list = fs::read_to_string(folder.join("data/alos_dswe_database.csv")).unwrap();
    assert_eq!(
        list,
        "ALOS_scene,DSWE_tiles\nAP_11104_FBD_F0590_RT1,LT05_CU_018016_20080223_20210421_02_INWAM.TIF LT05_CU_019016_20080223_20210421_02_INWAM.TIF\n"
    );
    // Half the scene is water and some more, since the western tile is upright on a grid that the meridian crosses at 3°: up to 0.06 of
    // the width. Clouds hide most of the second scene; the third is dry.
    let screening = fs::read_to_string(folder.join("data/screening.csv")).unwrap();
    let share = |scene: &str, column: usize| -> f64 {
        screening
            .lines()
            .find(|l| l.starts_with(scene))
            .unwrap()
            .split(',')
            .nth(column)
            .unwrap()
            .parse()
            .unwrap()
    };
    assert!(
        (share("AP_11104", 1) - 1.0).abs() < 0.01 && (0.5..0.5 + 0.06).contains(&share("AP_11104", 2)),
        "{screening}"
    );
    assert!(share("AP_11200", 1) < 0.5, "{screening}");
    assert!(
        share("AP_11300", 1) > 0.99 && share("AP_11300", 2) < 0.05,
        "{screening}"
    );

    // A third run has nothing to do.
    let before = archive.server.requests().len();
    let run = workflow(folder, &archive, "alos_dswe_pairs", &area);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(
        archive.server.requests()[before..]
            .iter()
            .all(|r| !r.path().starts_with("/zips"))
    );

    // Another question in the same folder is refused by name, and loses nothing.
    let run = workflow(
        folder,
        &archive,
        "alos_dswe_pairs",
        &["--bounds", "-91,29.5,-89,30.5"],
    );
    assert_ne!(run.code, 0);
    assert!(
        run.err.contains("holds the answer to another search"),
        "{}",
        run.err
    );

    // The list alone brings the same scene.
    fs::copy(
        folder.join("data/alos_dswe_database.csv"),
        folder.join("list.csv"),
    )
    .unwrap();
    let run = workflow(
        folder,
        &archive,
        "alos_dswe_from_list",
        &["--list", "list.csv", "--out", "second"],
    );
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let second = folder.join("second/scenes/AP_11104_FBD_F0590_RT1");
    assert_eq!(files(&second.join("usgs_dswe")), files(&scene.join("usgs_dswe")));
    assert_eq!(
        fs::read(second.join("AP_11104_FBD_F0590_RT1_HV.tif")).unwrap(),
        fs::read(scene.join("AP_11104_FBD_F0590_RT1_HV.tif")).unwrap()
    );

    // What an archive does not have is named; the rest comes.
    let more = "AP_99999_FBD_F0590_RT1,LT05_CU_018016_20080223_20210421_02_INWAM.TIF\n";
    fs::write(folder.join("list.csv"), list + more).unwrap();
    let run = workflow(
        folder,
        &archive,
        "alos_dswe_from_list",
        &["--list", "list.csv", "--out", "third"],
    );
    assert_eq!(run.code, 1);
    assert!(
        run.out
            .contains("the archive does not have AP_99999_FBD_F0590_RT1 (ASF)"),
        "{}",
        run.out
    );
    assert!(
        folder
            .join("third/scenes/AP_11104_FBD_F0590_RT1/usgs_dswe")
            .is_dir()
    );
}

#[test]
fn their_notebooks_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let archive = start(make_tiles(&folder.join("make")));
    let servers = format!(
        "asf_url={} stac_url={}",
        archive.server.url("/cmr"),
        archive.server.url("/stac")
    );
    let pairs = format!("{servers} bounds=-91,29.5,-89.5,30.5 out=data");
    let list = format!("{servers} list=data/alos_dswe_database.csv out=second");
    let notebooks = [
        ("alos_dswe_pairs", pairs.as_str()),
        ("alos_dswe_from_list", list.as_str()),
    ];
    if run_notebooks(folder, &notebooks).is_some() {
        for made in ["data/pairs.csv", "second/scenes/AP_11104_FBD_F0590_RT1/usgs_dswe"] {
            assert!(folder.join(made).exists(), "{made}");
        }
    }
}
