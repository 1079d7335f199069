//! `itslive_cube` on granules whose velocities are known, as a user runs it.

use super::{Run, assert_holds, folder, run};
use std::path::Path;

#[track_caller]
fn succeed(here: &Path, arguments: &[&str]) -> Run {
    let done = run(here, arguments);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    done
}

/// Within the noise, of which every bound is made.
const COMPARE: &str = r#"
local raster, tables, itslive = require "raster", require "tables", require "itslive"
local truth = raster.open "granules/truth.tif"
-- Away from the edges, where granules of other lattices end.
truth = truth:crop { row = 4, col = 4, rows = truth.rows - 8, cols = truth.cols - 8 }
local function on(path, band) return raster.open(path):align(truth):select(band):set_unit "1" end
local function plain(band) return truth:select(band):set_unit "1" end
local function median(image) return image:percentile(50) end

-- Seasons: in units of their standard errors, and as a part of the amplitude.
local amplitude, sigma = on("cube/season.tif", "v_annual_amplitude"), on("cube/season.tif", "v_annual_amplitude_std_error")
local away = (amplitude - plain "annual_amplitude") / sigma
print("amplitude, in standard errors", median(away), away:stats().v_annual_amplitude.std)
assert(math.abs(median(away)) < 0.5 and away:stats().v_annual_amplitude.std < 2.5)
local large = plain "annual_amplitude":gt(200)
local share = (amplitude / plain "annual_amplitude"):mask(large)
print("amplitude, of the true one", median(share), share:stats().v_annual_amplitude.count)
assert(share:stats().v_annual_amplitude.count > 50 and math.abs(median(share) - 1) < 0.05)
local phase = on("cube/season.tif", "v_annual_phase"):mask(large)
print("phase", median(phase))
assert(math.abs(median(phase) - 200) < 4)

-- Trends: of all pairs, and of the yearly means.
local slope = (on("cube/season.tif", "v_slope") / plain "slope"):mask(plain "speed":gt(1500))
print("slope, of the true one", median(slope))
assert(math.abs(median(slope) - 1) < 0.1)
local sen = (on("cube/trend.tif", "v_slope") - plain "slope"):mask(plain "speed":gt(1500))
print("slope of the years less the true one, m/yr per year", median(sen))
assert(math.abs(median(sen)) < 40)

-- Years: against the field at the middle of the pairs, weighted as the workflow says, in a plain loop.
local function seconds(text) return require "time".seconds(text) end
local made = tables.read_csv "granules/granules.csv"
local n = 0
for year = 2015, 2018 do
  local from, to = seconds(year .. "-01-01"), seconds(year + 1 .. "-01-01")
  local w, season, drift = 0, 0, 0
  for i = 1, #made do
    local row = made[i]
    local first, last = seconds(row.reference), seconds(row.secondary)
    local f = math.max(0, math.min(last, to) - math.max(first, from)) / (last - first)
    local mid = ((first + last) / 2 - seconds "2000-01-01") / 86400
    local half = math.pi * row.date_dt / 365.25
    local weight = f / math.floor(row.error + 0.5) ^ 2
    w, season = w + weight, season + weight * math.sin(half) / half * math.cos(2 * math.pi * (mid - 200) / 365.25)
    drift = drift + weight * (mid - (seconds "2015-01-01" - seconds "2000-01-01") / 86400) / 365.25
  end
  local expected = plain "speed" + plain "annual_amplitude" * (season / w) + plain "slope" * (drift / w)
  local path = ("cube/velocity_%d.tif"):format(year)
  local share = (on(path, "v") / expected):mask(plain "speed":gt(1500))
  print(year, median(share), share:stats().v.std)
  -- Pixels of 240 m see a narrow trunk a little slower, and gaps sample the season otherwise.
  assert(math.abs(median(share) - 1) < 0.01, median(share))
  local error, scatter = median(on(path, "v_error")), median(on(path, "v_std_error"))
  assert(error > 5 and error < 40 and scatter > error / 2, ("%g %g"):format(error, scatter))
  local direction = (on(path, "vx") / on(path, "v") - plain "ux"):mask(plain "speed":gt(1500))
  assert(math.abs(median(direction)) < 0.01)
  n = n + 1
end
assert(n == 4)

local series = tables.read_csv "cube/series.csv"
assert(#series > 60 and series[1].name == "P1" and series:filter { point = 2 }[1].name == "P2")
local years = tables.read_csv "cube/years.csv"
assert(#years == 5 and years[1].year == 2015)
local listed = tables.read_csv "cube/granules.csv"
assert(#listed == 80 and listed[1].status == "kept")
local line = tables.read_csv "cube/flow_line.csv"
assert(#line > 20 and line[1].distance_m == 0)
"#;

#[test]
fn season_trend_and_yearly_means_are_those_of_the_known_field() {
    let here = folder(&[("compare.lua", COMPARE)]);
    let here = here.path();
    let make = [
        "--quiet",
        "run",
        "make_itslive_granules",
        "--count",
        "80",
        "--interval",
        "20",
        "--size",
        "36",
        "--gaps",
        "0.1",
    ];
    let made = succeed(here, &make);
    assert_holds(&made.out, "of version 1, EPSG:32622");
    let done = succeed(
        here,
        &[
            "--quiet",
            "run",
            "itslive_cube",
            "--granules",
            "granules",
            "--points=-49.31,69.15,-49.29,69.152",
            "--line=-49.27,69.15,-49.33,69.15",
            "--dpi",
            "100",
        ],
    );
    assert_holds(&done.out, "80 of 80 granules");
    for figure in [
        "histogram",
        "years",
        "map",
        "season",
        "trend",
        "series",
        "flow_line",
    ] {
        let png = std::fs::read(here.join(format!("cube/{figure}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.len() > 4_000, "{figure}");
    }
    let compared = succeed(here, &["--quiet", "run", "compare.lua"]);
    println!("{}", compared.out);
}

#[test]
fn what_cannot_be_analysed_is_said() {
    let here = folder(&[
        (
            "far.geojson",
            r#"{"type":"Polygon","coordinates":[[[10,60],[11,60],[11,61],[10,60]]]}"#,
        ),
        ("empty/readme.txt", "nothing here"),
    ]);
    let here = here.path();
    succeed(
        here,
        &[
            "--quiet",
            "run",
            "make_itslive_granules",
            "--count",
            "3",
            "--size",
            "12",
        ],
    );
    let said = |more: &[&str], text: &str| {
        let done = run(here, &[&["--quiet", "run", "itslive_cube"][..], more].concat());
        assert_ne!(done.code, 0, "{more:?}");
        assert!(done.err.contains(text), "{more:?}: {}", done.err);
    };
    said(&["--granules", "empty"], "no granules (.nc) in empty");
    said(&["--granules", "missing"], "missing");
    said(
        &["--granules", "granules", "--polygon", "far.geojson"],
        "3 beside the polygon",
    );
    said(
        &["--granules", "granules", "--points", "1,2,3"],
        "--points must be pairs",
    );
    said(&["--granules", "granules", "--line=1,2"], "--line must be pairs");
    said(
        &["--granules", "granules", "--least", "9"],
        "no pixel has 9 pairs in any year",
    );
    said(
        &["--granules", "granules", "--satellites", "S2"],
        "3 of other satellites",
    );
    // Half a file.
    let first = std::fs::read_dir(here.join("granules"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "nc"))
        .unwrap();
    let bytes = std::fs::read(&first).unwrap();
    std::fs::write(&first, &bytes[..bytes.len() / 2]).unwrap();
    let name = first.file_name().unwrap().to_string_lossy().into_owned();
    said(&["--granules", "granules"], &name);
    let done = succeed(
        here,
        &[
            "--quiet",
            "run",
            "itslive_cube",
            "--granules",
            "granules",
            "--unreadable",
            "skip",
            "--least",
            "1",
            "--no-figures",
        ],
    );
    assert_holds(&done.out, "2 of 3 granules");
    assert_holds(&done.out, "1 left out: unreadable");
}
