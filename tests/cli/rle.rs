//! The workflow `rle` on stacks whose shifts are known, as a user runs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Run, assert_holds, folder, perilune, run};

#[track_caller]
fn succeed(here: &Path, arguments: &[&str]) -> Run {
    let done = run(here, arguments);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    done
}

/// Rows of a CSV file by column.
fn csv(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text
        .lines()
        .map(|line| line.split(',').map(str::to_string).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    lines
        .map(|row| names.iter().cloned().zip(row).collect())
        .collect()
}

fn number(row: &BTreeMap<String, String>, name: &str) -> f64 {
    row[name].parse().unwrap_or(f64::NAN)
}

fn make_stack(here: &Path, more: &[&str]) {
    let mut arguments = vec![
        "--quiet",
        "run",
        "make_cslc_stack",
        "--rows",
        "240",
        "--cols",
        "400",
    ];
    arguments.extend(more);
    succeed(here, &arguments);
}

const RLE: [&str; 9] = [
    "--quiet", "run", "rle", "--folder", "cslc", "--points", "6", "--window", "64",
];

fn rle<'a>(figures: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = RLE.to_vec();
    if figures == "false" {
        arguments.push("--no-figures");
    }
    arguments.extend(more);
    arguments
}

/// Name and bytes of every CSV below a folder.
fn tables(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for part in ["", "pairs"] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap().flatten() {
            if entry.path().extension().is_some_and(|e| e == "csv") {
                let name = format!("{part}/{}", entry.file_name().to_string_lossy());
                found.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

#[test]
fn planted_shifts_come_back() {
    let here = folder(&[]);
    let here = here.path();
    make_stack(here, &["--dates", "5", "--coherence", "0.9"]);
    let done = succeed(here, &rle("true", &[]));
    assert_holds(&done.out, "mean RLE in range");
    assert_holds(&done.out, "mean RLE in azimuth");
    let truth: BTreeMap<String, (f64, f64)> = csv(&here.join("cslc/shifts.csv"))
        .iter()
        .map(|row| (row["date"].clone(), (number(row, "dx_m"), number(row, "dy_m"))))
        .collect();
    let offsets = csv(&here.join("rle/offsets.csv"));
    // 5 dates with 3 neighbours: 9 pairs of 6 points.
    assert_eq!(offsets.len(), 54);
    let (mut squares, mut sums) = ([0.0; 2], [0.0; 2]);
    for row in &offsets {
        assert_eq!(row["reason"], "ok");
        let (a, b) = (truth[&row["reference"]], truth[&row["secondary"]]);
        for (axis, error) in [
            number(row, "dx_m") - (b.0 - a.0),
            number(row, "dy_m") - (b.1 - a.1),
        ]
        .into_iter()
        .enumerate()
        {
            squares[axis] += error * error / 54.0;
            sums[axis] += error / 54.0;
        }
    }
    // Speckle of coherence 0.9 in 64 × 64 pixels: a few hundredths of a pixel of 5 m × 10 m; no bias.
    for (axis, pixel) in [5.0, 10.0].into_iter().enumerate() {
        assert!(
            squares[axis].sqrt() < 0.02 * pixel,
            "{axis}: standard deviation {} m",
            squares[axis].sqrt()
        );
        assert!(sums[axis].abs() < 0.006 * pixel, "{axis}: bias {} m", sums[axis]);
    }
    // The summary is that of the offsets, and the series that of the truth.
    let summary = csv(&here.join("rle/summary.csv"));
    for (row, name) in summary.iter().zip(["dx_m", "dy_m"]) {
        let values: Vec<f64> = offsets.iter().map(|o| number(o, name)).collect();
        let mean = values.iter().sum::<f64>() / 54.0;
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 54.0).sqrt();
        assert!((number(row, "mean_m") - mean).abs() < 1e-9 && (number(row, "std_m") - std).abs() < 1e-9);
        assert_eq!(row["offsets"], "54");
    }
    let first = truth.values().next().unwrap();
    for (row, (_, shift)) in csv(&here.join("rle/series.csv")).iter().zip(&truth) {
        assert!(
            (number(row, "rg_avg") - (shift.0 - first.0)).abs() < 0.05,
            "{row:?}"
        );
        assert!(
            (number(row, "az_avg") - (shift.1 - first.1)).abs() < 0.1,
            "{row:?}"
        );
    }
    for figure in ["rle", "map", "amplitude", "network", "series"] {
        let size = std::fs::metadata(here.join(format!("rle/{figure}.png")))
            .unwrap()
            .len();
        assert!(size > 5000, "{figure}: {size}");
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_the_same() {
    let here = folder(&[]);
    let here = here.path();
    make_stack(here, &["--dates", "6", "--reflectors", "0"]);
    succeed(here, &rle("false", &["--out", "whole"]));
    // Killed after its first pair.
    let mut child = perilune(here)
        .args(rle("false", &["--out", "again"]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let pairs = || {
        std::fs::read_dir(here.join("again/pairs")).map_or(0, |d| {
            d.flatten()
                .filter(|e| !e.file_name().to_string_lossy().starts_with('.'))
                .count()
        })
    };
    while pairs() < 1 && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let done_before = pairs();
    assert!(
        (1..12).contains(&done_before),
        "{done_before} pairs when it was killed"
    );
    // One of the files is damaged as well.
    let damaged = std::fs::read_dir(here.join("again/pairs"))
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "csv"))
        .unwrap();
    let text = std::fs::read_to_string(&damaged).unwrap();
    std::fs::write(&damaged, &text[..text.len() / 2]).unwrap();
    let done = succeed(here, &rle("false", &["--out", "again"]));
    if done_before > 1 {
        assert_holds(
            &done.out,
            &format!("{} of 12 pairs are there already", done_before - 1),
        );
    }
    assert_eq!(tables(&here.join("whole")), tables(&here.join("again")));
    // A third run matches nothing, and changes nothing.
    let done = succeed(here, &rle("false", &["--out", "again"]));
    assert_holds(&done.out, "12 of 12 pairs are there already");
    assert_eq!(tables(&here.join("whole")), tables(&here.join("again")));
}

#[test]
fn mistakes_are_explained() {
    let here = folder(&[]);
    let here = here.path();
    make_stack(here, &["--dates", "2", "--reflectors", "0"]);
    let fails = |more: &[&str], expected: &str| {
        let done = run(here, &rle("false", more));
        assert_ne!(done.code, 0, "{}", done.out);
        assert_holds(&done.err, expected);
    };
    fails(&["--window", "100"], "--window must be a power of 2, got 100");
    fails(&["--search", "5"], "--search must be even, got 5");
    fails(
        &["--oversampling", "65"],
        "--oversampling must be a power of 2, got 65",
    );
    fails(
        &["--window", "256"],
        "the images are 240 × 400 pixels, smaller than the window and its search range, 272",
    );
    fails(
        &["--bounds", "10,50,11,51"],
        "no point of the area 10,50,11,51 has a window of 80 pixels inside",
    );
    fails(
        &["--bounds", "11,50,10,51"],
        "--bounds must be west,south,east,north",
    );
    fails(
        &["--start", "2015-01-01"],
        "one date of the burst (20150102); a pair needs two",
    );
    fails(
        &["--burst", "t001_000001_iw1"],
        "there are those of t064_135523_iw2",
    );
    fails(&["--max_days", "5"], "no pair of the 2 dates");
    succeed(here, &rle("false", &[]));
    fails(
        &["--search", "6"],
        "rle holds results made with other settings or points",
    );
    fails(&["--seed", "2"], "choose another --out, or remove it");
}
