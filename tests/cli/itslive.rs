//! The workflow `itslive_download`, run as a user runs it, against a server with real granules.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::jupyter::run_notebooks;
use super::servers::{Answer, Asked, Server, shared};
use super::{assert_holds, folder, run};

const FULL: &str =
    "LE07_L1GT_001113_20121118_20161127_01_T2_X_LE07_L1GT_232113_20121104_20161127_01_T2_G0240V01_P059.nc";
const EMPTY: &str =
    "LT05_L1GS_219121_19841206_20200918_02_T2_X_LT05_L1GS_226120_19850124_20200918_02_T2_G0120V02_P000.nc";
const POLYGON: &str =
    "-101.1555,-74.7387,-99.1172,-75.0879,-99.8797,-75.46,-102.425,-74.925,-101.1555,-74.7387";

/// Two real granules, and the first under three more names: two in 2013, one in the Antarctic winter.
fn archive() -> Option<Vec<(String, Vec<u8>)>> {
    let full = std::fs::read(shared(&format!("itslive/{FULL}"))?).unwrap();
    let empty = std::fs::read(shared(&format!("itslive/{EMPTY}"))?).unwrap();
    let named = |later: &str, earlier: &str, percent: &str| {
        FULL.replace("20121118", later)
            .replace("20121104", earlier)
            .replace("P059", percent)
    };
    Some(vec![
        (FULL.to_string(), full.clone()),
        (EMPTY.to_string(), empty),
        (named("20130120", "20130104", "P040"), full.clone()),
        (named("20131220", "20131204", "P041"), full.clone()),
        (named("20130620", "20130604", "P099"), full),
    ])
}

fn server(files: Vec<(String, Vec<u8>)>) -> Server {
    let unstarted = Server::bind();
    let root = unstarted.url("/velocity_image_pair/S70W100/");
    unstarted.run(move |asked: &Asked| match asked.path() {
        "/velocities/urls/" => {
            let urls: Vec<Value> = files
                .iter()
                .map(|(name, _)| json!({ "url": format!("{root}{name}") }))
                .collect();
            Answer::json(&json!(urls))
        }
        "/velocities/coverage/" => Answer::json(&json!([{ "year": 2012, "count": files.len() }])),
        path => match files.iter().find(|(name, _)| path.ends_with(name.as_str())) {
            Some((_, bytes)) => Answer::new(200, "application/netcdf", bytes.clone()).header("etag", "\"1\""),
            None => Answer::new(404, "text/plain", "nothing here"),
        },
    })
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap());
    entries.filter(|n| !n.starts_with('.')).collect()
}

fn arguments<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let polygon = concat!(
        "--polygon=",
        "-101.1555,-74.7387,-99.1172,-75.0879,-99.8797,-75.46,-102.425,-74.925,-101.1555,-74.7387"
    );
    let mut all = vec![
        "--quiet",
        "run",
        "itslive_download",
        polygon,
        "--start",
        "1984-01-01",
        "--end",
        "2020-01-01",
        "--percent-valid-pixels",
        "0",
        "--service",
        "urls",
        "--url",
        url,
        "--folder",
        "pine",
    ];
    all.extend(more);
    all
}

#[test]
fn granules_are_searched_counted_filtered_and_brought_beside_their_parameters() {
    let Some(files) = archive() else { return };
    let server = server(files.clone());
    let url = server.url("/velocities/urls/");
    let here = folder(&[]);
    let pine = here.path().join("pine");
    let season = ["--months", "November,12,January", "--most-per-year", "1"];

    // What it would bring: nothing is fetched.
    let planned = run(
        here.path(),
        &arguments(&url, &[&season[..], &["--dry-run"]].concat()),
    );
    assert_eq!(planned.code, 0, "{}\n{}", planned.out, planned.err);
    assert!(
        names(&pine).iter().all(|n| !n.ends_with(".nc")),
        "{:?}",
        names(&pine)
    );
    // What asks for one byte asks for the size.
    let counts = |r: &&Asked, part: &str| {
        r.method == "GET" && r.path().contains(part) && r.header("range") != Some("bytes=0-0")
    };
    let gets = |part: &str| server.requests().iter().filter(|r| counts(r, part)).count();
    assert_eq!((gets("/velocities/urls/"), gets(".nc")), (1, 0));

    let done = run(here.path(), &arguments(&url, &season));
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    assert_holds(&done.out, "5 granules found");
    assert_holds(&done.out, "3 of 5 granules kept");
    // Of the two of 2013 in the season the one with more valid pixels; not the one of June.
    let expected = [&files[0], &files[1], &files[3]];
    let mut wanted: BTreeSet<String> = expected.iter().map(|(name, _)| name.clone()).collect();
    wanted.extend(["search.json", "granules.csv", "parameters.json"].map(str::to_string));
    assert_eq!(names(&pine), wanted);
    for (name, bytes) in expected {
        assert!(std::fs::read(pine.join(name)).unwrap() == *bytes, "{name}");
    }
    let rows: Vec<Vec<String>> = done
        .out
        .lines()
        .map(|l| l.split_whitespace().map(str::to_string).collect())
        .collect();
    for row in [["1984", "1", "1"], ["2012", "1", "1"], ["2013", "3", "1"]] {
        assert!(
            rows.iter()
                .any(|r| r.iter().map(String::as_str).filter(|w| *w != "│").eq(row)),
            "{row:?} in\n{}",
            done.out
        );
    }
    // The search of the dry run was taken again.
    assert_eq!((gets("/velocities/urls/"), gets(".nc")), (1, 3));

    // What was asked lies beside the data.
    let text = std::fs::read_to_string(pine.join("parameters.json")).unwrap();
    let kept: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(kept["request"]["polygon"], POLYGON);
    assert_eq!(kept["request"]["max_interval"], "120");
    assert_eq!((&kept["found"], &kept["kept"]), (&json!(5), &json!(3)));
    assert_eq!(kept["filter"]["months"], json!(["November", "12", "January"]));
    let table = std::fs::read_to_string(pine.join("granules.csv")).unwrap();
    assert_eq!(table.lines().count(), 4, "{table}");
    assert_holds(&table, &format!("{FULL},2012-11-11"));

    // Again: nothing is asked and nothing is fetched.
    let again = run(here.path(), &arguments(&url, &season));
    assert_eq!(again.code, 0, "{}\n{}", again.out, again.err);
    assert_eq!((gets("/velocities/urls/"), gets(".nc")), (1, 3));

    // A file that went missing is fetched again, and it alone.
    std::fs::remove_file(pine.join(FULL)).unwrap();
    assert_eq!(run(here.path(), &arguments(&url, &season)).code, 0);
    assert_eq!(gets(".nc"), 4);
    assert!(std::fs::read(pine.join(FULL)).unwrap() == files[0].1);

    // Another question is not answered with the old answer.
    let other = run(here.path(), &arguments(&url, &["--max-separation", "30"]));
    assert_eq!(other.code, 1, "{}", other.out);
    assert_holds(&other.err, "search.json");
    assert_holds(&other.err, "max_interval");
}

#[test]
fn what_is_asked_wrongly_is_said_before_anything_is_asked() {
    let here = folder(&[]);
    let server = Server::start(|_| Answer::new(500, "text/plain", ""));
    let url = server.url("/velocities/urls/");
    for (more, says) in [
        (vec!["--bbox", "1,2,3,4"], "--polygon and --bbox"),
        (vec!["--months", "Janember"], "months[1]"),
        (vec!["--platform", "Landsat 80"], "platform"),
        (vec!["--start", "2021-01-01"], "end must be at or after start"),
        (vec!["--min-separation", "500"], "max_separation"),
    ] {
        let all = arguments(&url, &more);
        let failed = run(here.path(), &all);
        assert_eq!(failed.code, 1, "{more:?} {}", failed.out);
        assert_holds(&failed.err, says);
    }
    let none = run(here.path(), &["run", "itslive_download"]);
    assert_holds(&none.err, "give one of --polygon, --bbox and --area");
    assert!(
        server
            .requests()
            .iter()
            .all(|r| !r.path().contains("/velocities/urls/") || r.method == "GET")
    );
}

#[test]
fn its_notebook_runs() {
    let Some(files) = archive() else { return };
    let server = server(files);
    let here = folder(&[]);
    let parameters = format!(
        "polygon={POLYGON} start=1984-01-01 end=2020-01-01 percent_valid_pixels=0 service=urls url={} folder=pine most_per_year=1",
        server.url("/velocities/urls/")
    );
    if run_notebooks(here.path(), &[("itslive_download", &parameters)]).is_some() {
        assert!(
            names(&here.path().join("pine"))
                .iter()
                .any(|name| name.ends_with(".nc"))
        );
    }
}
