//! Layers of tiles on a server, and the workflows of water maps.

use std::fs;
use std::io::Write as _;

use super::standin::{Answer, StandIn};
use super::{assert_holds, folder, run};

const GRID: &str =
    "local grid = raster.grid { crs = 4326, bounds = { 12.6, 45.4, 13.4, 45.6 }, resolution = 0.005 }\n";

#[test]
fn tiles_are_read_by_windows_and_the_sea_has_none() {
    let here = folder(&[]);
    let code = r#"
        local grid = raster.grid { crs = 4326, bounds = { 12, 45, 13, 46 }, resolution = 1 / 1024 }
        local at = raster.coordinates(grid)
        local plane = (at.x * 100 + at.y):cast("float32")
        plane:write("tile.tif", { format = "COG", compress = "none" })
    "#;
    let done = run(here.path(), &["--quiet", "-e", code]);
    assert_eq!(done.code, 0, "{}", done.err);
    let bytes = fs::read(here.path().join("tile.tif")).unwrap();
    let size = bytes.len();
    let store = StandIn::start("127.0.0.2", move |got| match got.path() {
        "/Copernicus_DSM_COG_10_N45_00_E012_00_HAND.tif" => {
            Answer::new(200, bytes.clone()).with("ETag", "\"1\"")
        }
        "/refused/Copernicus_DSM_COG_10_N45_00_E012_00_HAND.tif" => Answer::new(403, "no"),
        _ => Answer::new(404, "no such key"),
    });
    let code = format!(
        r#"{GRID}
        local image = require("hand").on(grid, {{ base = "{}" }})
        local at = raster.coordinates(grid)
        local land = (image - (at.x * 100 + at.y):set_unit "m"):abs():mask(at.x:lt(12.99)):rename "d":stats().d
        local sea = image:mask(at.x:gt(13.01)):stats().HAND
        print(land.count > 3100, land.max < 0.01, sea.max == 0, image.tiles == 2, image.tiles_absent == 1)"#,
        store.url("")
    );
    let done = run(here.path(), &["--quiet", "-e", &code]);
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, "true\ttrue\ttrue\ttrue\ttrue\n"),
        "{}",
        done.err
    );
    assert_holds(
        &done.err,
        "warning: hand.on: 1 of 2 tiles do not exist (Copernicus_DSM_COG_10_N45_00_E013_00_HAND.tif); their pixels are 0",
    );
    // The eastern half, in whole blocks of 512².
    let fetched: usize = store
        .log()
        .iter()
        .filter(|got| got.path().contains("E012"))
        .filter_map(|got| {
            let (first, last) = got.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
            Some(last.parse::<usize>().ok()?.min(size - 1) + 1 - first.parse::<usize>().ok()?)
        })
        .sum();
    assert!(fetched < size, "{fetched} of {size}");

    let code = format!(
        "{GRID} require('hand').on(grid, {{ base = '{}' }})",
        store.url("/refused")
    );
    let done = run(here.path(), &["--quiet", "-e", &code]);
    assert_eq!(done.code, 1);
    assert_holds(&done.err, "403");
}

#[track_caller]
fn succeed(here: &std::path::Path, arguments: &[&str]) -> super::Run {
    let done = run(here, arguments);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    done
}

#[test]
fn the_baseline_finds_the_water_of_a_made_scene() {
    let here = folder(&[]);
    let root = here.path();
    for (sensor, scene, bands) in [
        ("palsar", "AP_10001_FBD_F0010_RT1", "HH"),
        ("sentinel1", "S1_01", "VV"),
    ] {
        let made = [
            "--quiet",
            "run",
            "make_water_scenes",
            "--out",
            sensor,
            "--sensor",
            sensor,
            "--scenes",
            "1",
            "--size",
            "400",
        ];
        succeed(root, &made);
        let scene = format!("{sensor}/{scene}");
        let out = format!("{sensor}.tif");
        let done = succeed(
            root,
            &[
                "--quiet",
                "run",
                "water_threshold",
                "--scene",
                &scene,
                "--out",
                &out,
                "--bands",
                bands,
            ],
        );
        assert_holds(&done.out, &format!("{bands}: threshold -"));
        let code = format!(
            "local map, truth = raster.open('{out}'), raster.open('{scene}/truth.tif') \
             local function n(mask) return mask:cast('float32'):rename('n'):stats().n.mean end \
             local iou = n(map:eq(1) & truth:eq(1)) / n(map:eq(1) | truth:eq(1)) \
             print(iou > 0.8 or iou)"
        );
        assert_eq!(succeed(root, &["--quiet", "-e", &code]).out, "true\n", "{sensor}");
        for suffix in [".png", "_histogram.png"] {
            assert!(root.join(format!("{sensor}{suffix}")).is_file());
        }
    }
    // The zip that ASF sends is the folder in one file.
    let folder = root.join("palsar/AP_10001_FBD_F0010_RT1");
    let mut zip =
        zip::ZipWriter::new(std::fs::File::create(root.join("AP_10001_FBD_F0010_RT1.zip")).unwrap());
    let deflated =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Labels lie in a folder of their own.
        if !path.is_file() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        zip.start_file(format!("AP_10001_FBD_F0010_RT1/{name}"), deflated)
            .unwrap();
        zip.write_all(&std::fs::read(&path).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    // What lies beside a folder does not lie beside a zip.
    let scenes = [
        ("palsar/AP_10001_FBD_F0010_RT1", "alone.tif"),
        ("AP_10001_FBD_F0010_RT1.zip", "zipped.tif"),
    ];
    for (scene, out) in scenes {
        let bare = ["--bands", "HH", "--hand", "none", "--figures", "false"];
        let run = [
            "--quiet",
            "run",
            "water_threshold",
            "--scene",
            scene,
            "--out",
            out,
        ];
        succeed(root, &[run.as_slice(), &bare].concat());
    }
    let code = "local found = raster.open('zipped.tif'):ne(raster.open('alone.tif')):cast('float32'):rename('a'):stats().a
        print(found.count > 1e5, found.max)";
    assert_eq!(succeed(root, &["--quiet", "-e", code]).out, "true\t0.0\n");

    let again = [
        "--quiet",
        "run",
        "make_water_scenes",
        "--out",
        "again",
        "--scenes",
        "1",
        "--size",
        "400",
    ];
    succeed(root, &again);
    for file in ["truth.tif", "AP_10001_FBD_F0010_RT1_HH.tif"] {
        let code = format!(
            "local function open(f) return raster.open(f .. '/AP_10001_FBD_F0010_RT1/{file}'):cast('float32'):rename('a') end \
             print((open 'palsar' - open 'again'):abs():stats().a.max)"
        );
        assert_eq!(succeed(root, &["--quiet", "-e", &code]).out, "0.0\n");
    }
}

#[test]
fn training_data_are_images_and_labels_on_one_grid() {
    let here = folder(&[]);
    let root = here.path();
    let made = [
        "--quiet",
        "run",
        "make_water_scenes",
        "--out",
        "scenes",
        "--scenes",
        "2",
        "--size",
        "200",
    ];
    succeed(root, &made);
    let work = [
        "--quiet",
        "run",
        "water_training_data",
        "--folder",
        "scenes",
        "--optical",
        "scene",
        "--hand",
        "scene",
        "--out",
        "training",
    ];
    let done = succeed(root, &work);
    assert_holds(&done.out, "2 scenes in training/scenes.csv");
    let code = "
        local list = tables.read_csv('training/scenes.csv')
        for i = 1, #list do
          local image, labels = raster.open('training/' .. list[i].image), raster.open('training/' .. list[i].labels)
          assert(image.grid:matches(labels.grid))
          assert(table.concat(image.bands, ' ') == 'HH HV red NIR SWIR1 SWIR2 DEM HAND', table.concat(image.bands, ' '))
          assert(image.units.HH == 'dB' and labels.dtypes[labels.bands[1]] == 'uint8')
          -- A label is the truth, but for shores, where pixels of Landsat mix; marsh and clouds have none.
          local truth = raster.open('scenes/' .. list[i].scene .. '/truth.tif')
          local wrong = labels:ne(truth):cast('float32'):rename('wrong'):stats().wrong
          assert(wrong.mean < 0.03 and wrong.count < truth.rows * truth.cols, wrong.mean)
          assert(math.abs(wrong.count / (truth.rows * truth.cols) - list[i].known_share) < 1e-6)
        end
        print(#list)";
    assert_eq!(succeed(root, &["--quiet", "-e", code]).out, "2\n");
    let chips = [&work[..], &["--chips", "64"][..]].concat();
    assert_holds(
        &succeed(root, &chips).out,
        "chips of 64 × 64 pixels in training/chips",
    );
    for channel in [
        "hh", "hv", "red", "nir", "swir1", "swir2", "dem", "hand", "labels",
    ] {
        assert!(root.join("training/chips").join(channel).is_dir(), "{channel}");
    }
    // Scenes that are there are passed over.
    let before = fs::metadata(root.join("training/AP_10001_FBD_F0010_RT1/image.tif"))
        .unwrap()
        .modified()
        .unwrap();
    succeed(root, &work);
    let after = fs::metadata(root.join("training/AP_10001_FBD_F0010_RT1/image.tif"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(before, after);
    let done = run(
        root,
        &["--quiet", "run", "water_training_data", "--folder", "training"],
    );
    assert_eq!(done.code, 1);
    assert_holds(&done.err, "training holds no scene with a folder usgs_dswe");
}

#[test]
fn two_maps_are_compared_pixel_by_pixel() {
    let here = folder(&[]);
    let root = here.path();
    // 80 pixels are water in both, 20 only in the map, 10 only in the reference, 40 have no label; the reference has pixels of half the size.
    let code = "
        local grid = raster.grid { crs = 32615, origin = { 500000, 3400000 }, resolution = 10, rows = 20, cols = 20 }
        local at = raster.coordinates(grid)
        local row, col = ((3400000 - at.y) / 10):floor(), ((at.x - 500000) / 10):floor()
        local map = (row:lt(10) & col:lt(10)):cast('uint8'):rename('water')
        local reference = (row:ge(2) & row:lt(11) & col:lt(10)):cast('uint8'):rename('truth')
        map:write('map.tif', { nodata = 255 })
        local fine = raster.grid { like = grid, resolution = 5 }
        reference:mask(row:lt(18)):align(fine):write('reference.tif', { nodata = 255 })";
    succeed(root, &["--quiet", "-e", code]);
    let done = succeed(
        root,
        &[
            "--quiet",
            "run",
            "water_compare",
            "--map",
            "map.tif",
            "--reference",
            "reference.tif",
            "--out",
            "c",
        ],
    );
    assert_holds(&done.out, "c_difference.png");
    let code = "
        local classes = tables.read_csv('c_classes.csv')
        local water = classes:filter(function(row) return row.class == 'water' end)[1]
        print(('%.9f %.9f %.9f %.9f'):format(water.iou, water.precision, water.recall, water.f1))
        local n = raster.open('c_difference.tif'):histogram { bins = 4, min = -0.5, max = 3.5 }
        print(table.concat(n.counts, ' '))";
    let expected = format!(
        "{:.9} {:.9} {:.9} {:.9}\n250 80 20 10\n",
        80.0 / 110.0,
        80.0 / 100.0,
        80.0 / 90.0,
        160.0 / 190.0
    );
    assert_eq!(succeed(root, &["--quiet", "-e", code]).out, expected);
}
