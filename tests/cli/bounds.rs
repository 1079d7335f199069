//! Sizes, positions and files that would need more than the machine has: each is an error that says so, never a signal or a panic.

use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use super::{assert_holds, folder, perilune};

/// What is asked for, and words of the refusal.
const ATTEMPTS: &[(&str, &str)] = &[
    (
        "geometry.from_geojson('{\"type\":\"Point\",\"coordinates\":[]}')",
        "osition",
    ),
    (
        "geometry.from_geojson('{\"type\":\"LineString\",\"coordinates\":[[1,2],[3]]}')",
        "osition",
    ),
    (
        "geometry.from_geojson('{\"type\":\"Polygon\",\"coordinates\":[[[1,2],[],[3,4],[1,2]]]}')",
        "osition",
    ),
    (
        "geometry.from_geojson('{\"type\":\"GeometryCollection\",\"geometries\":[{\"type\":\"Point\",\"coordinates\":[1]}]}')",
        "osition",
    ),
    ("geometry.from_geojson(string.rep('[', 1e6))", "recursion limit"),
    ("geometry.from_wkt(string.rep('GEOMETRYCOLLECTION(', 1e5))", "WKT"),
    ("json.decode(string.rep('[', 1e6))", "recursion limit"),
    (
        "image():histogram{ bins = 1e12, min = 0, max = 1 }",
        "raise the limit with --memory",
    ),
    (
        "image():histogram{ bins = 1e8, min = 0, max = 1 }",
        "a histogram of 100000000 bins needs",
    ),
    (
        "image():histogram{ bins = 2^53, min = 0, max = 1 }",
        "raise the limit with --memory",
    ),
    ("tables.read_csv('/dev/zero')", "is a device or a pipe"),
    ("tables.read_csv('pipe')", "is a device or a pipe"),
    ("tables.read_csv('large.csv')", "raise the limit with --memory"),
    ("fs.read('/dev/zero')", "is a device or a pipe"),
    ("fs.read('pipe')", "is a device or a pipe"),
    ("many():join(many(), 'k')", "a join of 100000000 rows needs"),
    (
        "geometry.from_wkt('POINT (0 0)'):buffer(1, { segments = 1e9 })",
        "segments must be an integer from 1 to 1000",
    ),
];

const BEFORE: &str =
    "local raster, geometry, json, tables, fs = require 'raster', require 'geometry', require 'json', \
    require 'tables', require 'fs'
local function image()
  return raster.constant(raster.grid{ crs = 'EPSG:4326', bounds = { 0, 0, 1, 1 }, rows = 4, cols = 4 }, 1)
end
local function many()
  local keys = {}
  for i = 1, 10000 do keys[i] = 1 end
  return tables.new{ k = keys, v = keys }
end
";

#[test]
fn what_is_too_large_is_refused_before_memory_is_taken() {
    let here = folder(&[]);
    std::fs::File::create(here.path().join("large.csv"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(here.path().join("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    for (code, words) in ATTEMPTS {
        let mut command = perilune(here.path());
        command.args(["--memory", "256M", "-e", &format!("{BEFORE}{code}")]);
        // SAFETY: setrlimit is safe between fork and exec.
        unsafe {
            command.pre_exec(|| {
                let limit = libc::rlimit {
                    rlim_cur: 8 << 30,
                    rlim_max: 8 << 30,
                };
                libc::setrlimit(libc::RLIMIT_AS, &limit);
                Ok(())
            });
        }
        let started = Instant::now();
        let output = command.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{code}: {output:?}");
        assert!(
            !err.contains("internal error") && !err.contains("panicked"),
            "{code}: {err}"
        );
        assert_holds(&err, words);
        assert!(started.elapsed() < Duration::from_secs(20), "{code}");
    }
}
