//! The workflows that ship, run as a user runs them, against records made elsewhere and against plain loops.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use perilune::raster::Raster;
use perilune::raster::file::open::{OpenOptions, open};

use super::{Run, assert_holds, folder, piped, run};

pub fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !path.is_dir() {
        println!("skipped: needs ../shared/data");
        return None;
    }
    Some(path.canonicalize().unwrap())
}

fn record(name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn succeed(here: &Path, arguments: &[&str]) -> Run {
    let done = run(here, arguments);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    done
}

/// Rows of one band, and where the image lies.
struct Pixels {
    raster: Raster,
    rows: Vec<Vec<f64>>,
}

impl Pixels {
    #[track_caller]
    fn read(path: &Path, band: usize) -> Pixels {
        let raster = open(&path.to_string_lossy(), &OpenOptions::default()).unwrap();
        let window = raster.grid.window();
        let array = raster.read(window).unwrap().swap_remove(band).into_f64();
        let rows = array.rows().into_iter().map(|r| r.to_vec()).collect();
        Pixels { raster, rows }
    }

    fn valid(&self) -> Vec<f64> {
        self.rows
            .iter()
            .flatten()
            .copied()
            .filter(|v| v.is_finite())
            .collect()
    }

    fn mean(&self) -> f64 {
        let valid = self.valid();
        valid.iter().sum::<f64>() / valid.len() as f64
    }
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    let equal = (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= tolerance;
    assert!(equal, "{what}: found {found}, expected {expected} ± {tolerance}");
}

/// What tests/reference/s1_vv_vh.py recorded, of the median and the standard deviation of every burst.
#[test]
fn composites_of_real_scenes_are_those_of_an_independent_computation() {
    let Some(data) = shared() else { return };
    let scenes = data.join("sentinel1/opera_rtc_10SGD_T137/raw");
    let record = record("sentinel1/s1_vv_vh.json");
    let pixels: Vec<(usize, usize)> = serde_json::from_value(record["pixels"].clone()).unwrap();
    // Relative tolerance in single precision; the second number is that of quantities near 0.
    let cases = [
        ("ratio_db", "focal", 2e-5),
        ("ratio", "focal", 2e-5),
        ("difference", "focal", 1e-7),
        ("notebook", "focal", 1e-6),
        ("ratio_db", "none", 2e-5),
        ("ratio_db", "refined_lee", 2e-3),
    ];
    for (quantity, speckle, tolerance) in cases {
        let here = folder(&[]);
        let scenes = scenes.to_string_lossy();
        let arguments = [
            "--quiet", "run", "s1_vv_vh", "--folder", &scenes, "--out", "out.tif", "--bursts", "each",
        ];
        let choices = ["--quantity", quantity, "--speckle", speckle, "--no-figures"];
        succeed(here.path(), &[&arguments[..], &choices[..]].concat());
        for burst in ["T137-292318-IW2", "T137-292319-IW2", "T137-292324-IW2"] {
            let expected = &record["cases"][format!("{burst}/{quantity}/{speckle}")];
            let path = |suffix: &str| here.path().join(format!("out_{burst}{suffix}.tif"));
            for (statistic, suffix) in [("median", ""), ("std", "_std")] {
                let found = Pixels::read(&path(suffix), 0);
                let what = format!("{burst} {quantity} {speckle} {statistic}");
                assert_eq!(
                    found.valid().len() as u64,
                    expected["valid"].as_u64().unwrap(),
                    "{what}"
                );
                let mean = expected[format!("{statistic}_mean")].as_f64().unwrap();
                assert_near(found.mean(), mean, tolerance, &what);
                for (&(row, col), value) in pixels.iter().zip(expected[statistic].as_array().unwrap()) {
                    let value = value.as_f64().unwrap_or(f64::NAN);
                    assert_near(
                        found.rows[row][col],
                        value,
                        tolerance,
                        &format!("{what} at ({row}, {col})"),
                    );
                }
            }
        }
    }
}

/// One run with everything on: mosaic, series, single images, figures, tags.
#[test]
fn everything_on_real_scenes() {
    let Some(data) = shared() else { return };
    let scenes = data.join("sentinel1/opera_rtc_10SGD_T137/raw");
    let here = folder(&[]);
    let record = record("sentinel1/s1_vv_vh.json");
    let scenes = scenes.to_string_lossy();
    // The pixel (50, 50) of burst 292324: its middle in longitude and latitude.
    let image = Pixels::read(&first_file(&Path::new(&*scenes).join("T137-292324-IW2")), 0);
    let (x, y) = image.raster.grid.transform.apply(50.5, 50.5);
    let arguments = [
        "run",
        "s1_vv_vh",
        "--folder",
        &scenes,
        "--out",
        "maps/vv_vh.tif",
        "--orbit",
        "137",
        "--start",
        "2021-11-01",
        "--stop",
        "2025-02-01",
        "--points",
        "points.geojson",
        "--per-image",
        "--prefix",
        "ratio",
        "--first",
        "2",
        "--max-images",
        "3",
    ];
    let points = serde_json::json!({
        "type": "FeatureCollection",
        "crs": { "type": "name", "properties": { "name": "urn:ogc:def:crs:EPSG::32611" } },
        "features": [{ "type": "Feature", "properties": { "name": "field" }, "geometry": { "type": "Point", "coordinates": [x, y] } }],
    });
    std::fs::write(here.path().join("points.geojson"), points.to_string()).unwrap();
    let done = succeed(here.path(), &arguments);
    for part in [
        "137",
        "S1A S1B",
        "2021-11-19",
        "2025-01-02",
        "maps/vv_vh.tif",
        "maps/vv_vh_std.tif",
        "maps/vv_vh_series.csv",
    ] {
        assert_holds(&done.out, part);
    }
    let made: Vec<String> = names(&here.path().join("maps"));
    let expected = [
        "vv_vh.png",
        "vv_vh.tif",
        "vv_vh_backscatter.tif",
        "vv_vh_count.tif",
        "vv_vh_images",
        "vv_vh_rgb.png",
        "vv_vh_series.csv",
        "vv_vh_series.png",
        "vv_vh_std.png",
        "vv_vh_std.tif",
    ];
    assert_eq!(made, expected);
    let images = names(&here.path().join("maps/vv_vh_images"));
    assert_eq!(
        images,
        [
            "ratio_20211125_30m.tif",
            "ratio_20211201_30m.tif",
            "ratio_20211207_30m.tif"
        ]
    );

    let median = Pixels::read(&here.path().join("maps/vv_vh.tif"), 0);
    assert_eq!(median.raster.band_names(), ["VVdVH_dB"]);
    assert_eq!(median.raster.bands[0].unit.symbol(), "dB");
    let tag = |name: &str| {
        median
            .raster
            .properties
            .get(name)
            .map(|p| p.to_string())
            .unwrap_or_default()
    };
    assert_holds(&tag("PERILUNE_PARAMETERS"), "\"radius\":100");
    // In the mosaic every burst is what it is alone.
    for burst in ["T137-292318-IW2", "T137-292319-IW2", "T137-292324-IW2"] {
        let own = Pixels::read(&first_file(&Path::new(&*scenes).join(burst)), 0);
        let expected = &record["cases"][format!("{burst}/ratio_db/focal")];
        let (x, y) = own.raster.grid.transform.apply(0.5, 0.5);
        let (col, row) = median.raster.grid.to_pixel(x, y);
        let pixels: Vec<(usize, usize)> = serde_json::from_value(record["pixels"].clone()).unwrap();
        for (&(r, c), value) in pixels.iter().zip(expected["median"].as_array().unwrap()) {
            let found = median.rows[row.floor() as usize + r][col.floor() as usize + c];
            assert_near(
                found,
                value.as_f64().unwrap(),
                2e-5,
                &format!("{burst} at ({r}, {c})"),
            );
        }
    }
    assert_eq!(median.valid().len(), 30_000);
    let count = Pixels::read(&here.path().join("maps/vv_vh_count.tif"), 0);
    assert_eq!(count.valid().iter().copied().fold(0.0, f64::max), 21.0);

    let series = std::fs::read_to_string(here.path().join("maps/vv_vh_series.csv")).unwrap();
    let mut lines = series.lines();
    assert_eq!(lines.next(), Some("time,point,lon,lat,VVdVH_dB,VV,VH"));
    let values: Vec<f64> = lines
        .map(|l| l.split(',').nth(4).unwrap().parse().unwrap())
        .collect();
    let expected = record["cases"]["T137-292324-IW2/ratio_db/focal"]["series"]
        .as_array()
        .unwrap();
    assert_eq!(values.len(), expected.len());
    for (found, expected) in values.iter().zip(expected) {
        assert_near(*found, expected.as_f64().unwrap(), 2e-5, "series");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

fn first_file(folder: &Path) -> PathBuf {
    folder.join(&names(folder)[0])
}

/// Small scenes that the program makes, and what they are called.
fn scenes(here: &Path, more: &[&str]) -> Vec<String> {
    let arguments = [
        "--quiet",
        "run",
        "make_s1_scenes",
        "--out",
        "scenes",
        "--size",
        "96",
        "--pixel",
        "30",
        "--near-angle",
        "30.6",
    ];
    succeed(here, &[&arguments[..], more].concat());
    let mut files = names(&here.join("scenes"));
    files.retain(|n| n.ends_with(".tif"));
    files
}

/// Median, population standard deviation and count of the values at one place.
fn statistics(mut values: Vec<f64>) -> [f64; 3] {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 {
        return [f64::NAN, f64::NAN, 0.0];
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64;
    [
        (values[(n - 1) / 2] + values[n / 2]) / 2.0,
        variance.sqrt(),
        n as f64,
    ]
}

#[test]
fn without_a_filter_the_composites_are_those_of_a_plain_loop() {
    let here = folder(&[]);
    let files = scenes(here.path(), &["--dates", "4", "--bursts", "2"]);
    // Each burst: four dates of VV and VH, and two static angles.
    assert_eq!(files.len(), 2 * (4 * 2 + 2));
    assert_holds(
        &files[0],
        "OPERA_L2_RTC-S1-STATIC_T117-249421-IW2_20140403_S1A_30_v1.0_incidence_angle.tif",
    );
    assert_holds(
        &files[4],
        "OPERA_L2_RTC-S1_T117-249421-IW2_20230105T170624Z_20230106T170624Z_S1A_30_v1.0_VH.tif",
    );
    let arguments = [
        "--quiet",
        "run",
        "s1_vv_vh",
        "--folder",
        "scenes",
        "--out",
        "out.tif",
        "--speckle",
        "none",
        "--no-figures",
    ];
    succeed(
        here.path(),
        &[
            &arguments[..],
            &["--min", "-2", "--max", "14", "--pass", "ASCENDING"],
        ]
        .concat(),
    );

    // By time and place: the first burst that has a value counts.
    let mut values: BTreeMap<(i64, i64), BTreeMap<String, f64>> = BTreeMap::new();
    for burst in ["T117-249421-IW2", "T117-249422-IW2"] {
        let angle = Pixels::read(
            &here.path().join(format!(
                "scenes/OPERA_L2_RTC-S1-STATIC_{burst}_20140403_S1A_30_v1.0_incidence_angle.tif"
            )),
            0,
        );
        for vv_name in files
            .iter()
            .filter(|n| n.contains(burst) && n.ends_with("_VV.tif"))
        {
            let vv = Pixels::read(&here.path().join("scenes").join(vv_name), 0);
            let vh = Pixels::read(&here.path().join("scenes").join(vv_name.replace("_VV", "_VH")), 0);
            for r in 0..vv.rows.len() {
                for c in 0..vv.rows[0].len() {
                    let (a, b, angle) = (vv.rows[r][c], vh.rows[r][c], angle.rows[r][c]);
                    if !a.is_finite() || !b.is_finite() {
                        continue;
                    }
                    let ratio = 10.0 * (a / b).log10();
                    let kept = angle > 30.63993 && angle < 45.53993 && ratio > -2.0 && ratio < 14.0;
                    let (x, y) = vv.raster.grid.pixel_centre(r as isize, c as isize);
                    let day = vv_name.split('_').nth(4).unwrap()[..8].to_string();
                    let place = values.entry((x as i64, y as i64)).or_default();
                    place.entry(day).or_insert(if kept { ratio } else { f64::NAN });
                }
            }
        }
    }
    let found =
        ["out.tif", "out_std.tif", "out_count.tif"].map(|name| Pixels::read(&here.path().join(name), 0));
    let (mut compared, mut masked) = (0, 0);
    for r in 0..found[0].rows.len() {
        for c in 0..found[0].rows[0].len() {
            let (x, y) = found[0].raster.grid.pixel_centre(r as isize, c as isize);
            let here = values.get(&(x as i64, y as i64));
            let expected = statistics(here.map(|v| v.values().copied().collect()).unwrap_or_default());
            for (file, expected) in found.iter().zip(expected) {
                assert_near(file.rows[r][c], expected, 2e-5, &format!("({r}, {c})"));
            }
            compared += usize::from(expected[2] > 0.0);
            masked += usize::from(here.is_some() && expected[2] == 0.0);
        }
    }
    // Neither mask leaves nothing to do.
    assert!(compared > 4000 && masked > 50, "{compared} {masked}");
}

#[test]
fn both_layouts_of_scenes_give_the_same_composite() {
    let here = folder(&[]);
    scenes(here.path(), &["--dates", "3", "--bursts", "1"]);
    std::fs::rename(here.path().join("scenes"), here.path().join("opera")).unwrap();
    let files = scenes(
        here.path(),
        &["--dates", "3", "--bursts", "1", "--layout", "earth_engine"],
    );
    assert_eq!(files.len(), 3);
    assert_holds(&files[0], "S1A_IW_GRDH_1SDV_20230105T170624_20230105T170627_");
    for (scenes, out) in [("opera", "a.tif"), ("scenes", "b.tif")] {
        // The relative orbit comes from the track of the one and from the absolute orbit of the other.
        let arguments = [
            "--quiet", "run", "s1_vv_vh", "--folder", scenes, "--out", out, "--orbit", "117", "--radius",
            "60",
        ];
        succeed(here.path(), &[&arguments[..], &["--no-figures"]].concat());
    }
    let [a, b] = ["a.tif", "b.tif"].map(|name| Pixels::read(&here.path().join(name), 0));
    assert_eq!(a.valid().len(), b.valid().len());
    for (x, y) in a.rows.iter().flatten().zip(b.rows.iter().flatten()) {
        assert_near(*x, *y, 1e-4, "dB");
    }
}

#[test]
fn speckle_and_levels_of_the_scenes_are_those_asked_for() {
    let here = folder(&[]);
    let arguments = [
        "--quiet",
        "run",
        "make_s1_scenes",
        "--out",
        "scenes",
        "--size",
        "400",
        "--dates",
        "2",
        "--bursts",
        "1",
    ];
    succeed(here.path(), &arguments);
    let scenes = here.path().join("scenes");
    let files = names(&scenes);
    let read = |end: &str, n: usize| {
        let name = files.iter().filter(|f| f.ends_with(end)).nth(n).unwrap();
        Pixels::read(&scenes.join(name), 0)
    };
    let db = |v: f64| 10.0 * v.log10();
    // In the middle of the lake (0.66, 0.72 of the scene) the level hardly changes within 12 × 12 pixels.
    let (mut looks, mut levels) = (Vec::new(), Vec::new());
    let image = read("_VH.tif", 0);
    for r in (280..316).step_by(12) {
        for c in (225..273).step_by(12) {
            let block: Vec<f64> = (r..r + 12)
                .flat_map(|r| image.rows[r][c..c + 12].to_vec())
                .collect();
            let mean = block.iter().sum::<f64>() / 144.0;
            let variance = block.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 143.0;
            looks.push(mean * mean / variance);
            levels.push(db(mean));
        }
    }
    let mean_looks = looks.iter().sum::<f64>() / looks.len() as f64;
    assert_near(mean_looks, 4.4, 0.6, "equivalent number of looks");
    let water = levels.iter().sum::<f64>() / levels.len() as f64;
    assert!((-29.5..-25.5).contains(&water), "VH of water {water} dB");
    // VV lies above VH by what land has, and the mask cuts corners off.
    let (vv, vh) = (read("_VV.tif", 0), read("_VH.tif", 0));
    let level = |image: &Pixels| {
        let mut all = image.valid();
        all.sort_by(f64::total_cmp);
        db(all[all.len() / 2])
    };
    assert!((-13.5..-7.0).contains(&level(&vv)), "{}", level(&vv));
    assert!(
        (5.0..8.5).contains(&(level(&vv) - level(&vh))),
        "{}",
        level(&vv) - level(&vh)
    );
    assert!(
        (level(&vv) - db(vv.valid().iter().copied().fold(0.0, f64::max))) < -10.0,
        "a city has bright points"
    );
    let filled = vv.valid().len() as f64 / (vv.rows.len() * vv.rows[0].len()) as f64;
    assert!((0.7..0.97).contains(&filled), "{filled}");
    // Another date is another day: most pixels differ.
    let other = read("_VV.tif", 1);
    let same = vv
        .rows
        .iter()
        .flatten()
        .zip(other.rows.iter().flatten())
        .filter(|(a, b)| a == b)
        .count();
    assert!(same < 100, "{same}");
}

#[test]
fn another_grid_is_asked_for_and_never_given_silently() {
    let here = folder(&[]);
    scenes(here.path(), &["--dates", "2", "--bursts", "1"]);
    let arguments = ["--quiet", "run", "s1_vv_vh", "--folder", "scenes", "--no-figures"];
    succeed(here.path(), &[&arguments[..], &["--out", "own.tif"]].concat());
    succeed(
        here.path(),
        &[
            &arguments[..],
            &["--out", "geo.tif", "--crs", "EPSG:4326", "--scale", "0.0003"],
        ]
        .concat(),
    );
    succeed(
        here.path(),
        &[
            &arguments[..],
            &["--out", "part.tif", "--bounds", "9.81,47.74,9.82,47.75"],
        ]
        .concat(),
    );
    let [own, geo, part] =
        ["own.tif", "geo.tif", "part.tif"].map(|name| Pixels::read(&here.path().join(name), 0));
    assert_eq!(own.raster.grid.resolution(), (30.0, 30.0));
    assert_near(geo.raster.grid.resolution().0, 0.0003, 1e-12, "scale");
    assert_eq!(geo.raster.grid.crs.as_ref().unwrap().name(), "EPSG:4326");
    assert_near(geo.mean(), own.mean(), 0.2, "mean ratio in dB");
    // The area asked for, in whole pixels of the images.
    assert!(
        (25..=27).contains(&part.raster.grid.cols) && (37..=40).contains(&part.raster.grid.rows),
        "{}",
        part.raster.grid
    );
    let (x, y) = part.raster.grid.pixel_centre(10, 10);
    let (col, row) = own.raster.grid.to_pixel(x, y);
    assert_near(
        part.rows[10][10],
        own.rows[row as usize][col as usize],
        1e-5,
        "a pixel of the part",
    );
}

#[test]
fn mistakes_are_explained() {
    let here = folder(&[("empty/readme.txt", "nothing")]);
    let fail = |arguments: &[&str], code: i32, parts: &[&str]| {
        let done = run(
            here.path(),
            &[&["--quiet", "run", "s1_vv_vh"], arguments].concat(),
        );
        assert_eq!(done.code, code, "{}", done.err);
        for part in parts {
            assert_holds(&done.err, part);
        }
    };
    fail(&[], 2, &["parameter folder is missing", "--folder PATH"]);
    fail(
        &["--folder", "nowhere"],
        1,
        &["raster.find: nowhere: no such folder"],
    );
    fail(
        &["--folder", "empty"],
        1,
        &["sentinel1.open_stack: no raster files (.tif, .tiff, .vrt, .img) in empty"],
    );
    fail(
        &["--folder", "empty", "--orbits", "5"],
        2,
        &["unknown parameter `orbits`; did you mean `orbit`?"],
    );
    fail(
        &["--folder", "empty", "--speckle", "lee"],
        2,
        &["parameter speckle must be"],
    );
    scenes(here.path(), &["--dates", "2", "--bursts", "1"]);
    fail(
        &["--folder", "scenes", "--orbit", "58"],
        1,
        &["relative_orbit = 58 removed the last 2, which have 117 (2 images)"],
    );
    fail(
        &["--folder", "scenes", "--pass", "DESCENDING"],
        1,
        &["pass = DESCENDING removed the last 2, which have ASCENDING"],
    );
    fail(
        &["--folder", "scenes", "--points", "nothing here"],
        1,
        &["nothing here"],
    );
    let vh = names(&here.path().join("scenes"))
        .into_iter()
        .find(|n| n.ends_with("_VH.tif"))
        .unwrap();
    std::fs::remove_file(here.path().join("scenes").join(vh)).unwrap();
    fail(
        &["--folder", "scenes"],
        1,
        &[
            "1 of 2 images lack a polarisation",
            "has VV but no VH",
            "incomplete",
        ],
    );
    // Nothing of the failed runs is left.
    let mut left = names(here.path());
    left.retain(|n| n != "state");
    assert_eq!(left, ["empty", "scenes"]);
}

/// The Lua blocks of the guide, typed at the prompt in the folder that it speaks of.
#[test]
fn every_line_of_the_guide_runs() {
    let here = folder(&[]);
    let arguments = [
        "--quiet",
        "run",
        "make_s1_scenes",
        "--out",
        "demo/scenes",
        "--size",
        "200",
        "--dates",
        "3",
    ];
    succeed(here.path(), &arguments);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/s1_vv_vh.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks: Vec<&str> = text
        .split("```lua\n")
        .skip(1)
        .map(|b| b.split("```").next().unwrap())
        .collect();
    assert!(blocks.len() > 8, "{}", blocks.len());
    let done = piped(here.path(), &blocks.concat());
    assert!(
        !done.out.contains("error:") && !done.err.contains("error:"),
        "{}\n{}",
        done.out,
        done.err
    );
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "relative_orbit = 58 removed the last 6",
        "dividing dB and dB makes no sense",
        "VVdVH_dB_median",
    ] {
        assert_holds(&done.out, part);
    }
    for file in ["vv_vh.tif", "vv_vh_std.tif", "vv_vh.png", "series.png"] {
        assert!(here.path().join(file).is_file(), "{file} is missing");
    }
}
