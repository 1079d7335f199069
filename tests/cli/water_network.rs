//! A network from made scenes to a map: training that goes on after kill −9, a map without seams, and how good it is against the truth.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{assert_holds, finish, folder, perilune, run};

#[track_caller]
fn succeed(here: &Path, arguments: &[&str]) -> super::Run {
    let done = run(here, arguments);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    done
}

fn made(root: &Path, scenes: &str, size: &str) {
    let arguments = [
        "--quiet",
        "run",
        "make_water_scenes",
        "--scenes",
        scenes,
        "--size",
        size,
        "--out",
        "scenes",
    ];
    succeed(root, &arguments);
    let arguments = [
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
    succeed(root, &arguments);
}

/// The arguments of a training into a folder.
fn training(out: &str, epochs: &'static str) -> Vec<String> {
    let text = format!(
        "--quiet run water_train --scenes training/scenes.csv --bands HH,HV,DEM,HAND --model {out}/water.onnx --chip 64 --step 48 --batch 8 \
         --learning_rate 0.001 --epochs {epochs} --validation 0.3 --test 0.3"
    );
    text.split(' ')
        .filter(|part| !part.is_empty())
        .map(String::from)
        .collect()
}

#[test]
fn a_trained_network_maps_the_water_of_a_scene_that_it_never_saw() {
    let here = folder(&[]);
    let root = here.path();
    made(root, "3", "320");
    let arguments = training("model", "6");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = succeed(root, &arguments);
    assert_holds(&done.out, "On 1 scenes that training never saw (AP_");
    for file in [
        "water.onnx",
        "water_history.csv",
        "water_history.png",
        "water_chips.png",
        "water_test.csv",
        "water_test.png",
    ] {
        assert!(root.join("model").join(file).is_file(), "{file}");
    }
    // What the model says of itself is what it was trained on.
    let code = "local m = require('inference').open('model/water.onnx')
        local names = {}
        for i, band in ipairs(m.bands) do names[i] = band.name .. ' ' .. band.unit end
        print(table.concat(names, ', '), m.classes[2].name, m.metadata.training.DENOISED, m.metadata.stride)";
    assert_eq!(
        succeed(root, &["--quiet", "-e", code]).out,
        "HH dB, HV dB, DEM m, HAND m\twater\ttv_bregman 0.35\t32\n"
    );
    // The scene that the test side had.
    let code = "local t = tables.read_csv('model/water_test.csv')
        for i = 1, #t do if t[i].class == 'water' then print(t[i].iou > 0.4 or t[i].iou) end end";
    assert_eq!(succeed(root, &["--quiet", "-e", code]).out, "true\n");

    let map = |out: &str, more: &[&str]| {
        let scene = "scenes/AP_10001_FBD_F0010_RT1";
        let fixed = [
            "--quiet",
            "run",
            "water_map",
            "--model",
            "model/water.onnx",
            "--scene",
            scene,
            "--hand",
            "scene",
            "--device",
            "cpu",
            "--out",
            out,
        ];
        succeed(root, &[&fixed, more].concat())
    };
    let done = map(
        "map/water.tif",
        &[
            "--tile",
            "128",
            "--overlap",
            "32",
            "--polygons",
            "map/water.gpkg",
            "--minimum_area",
            "2000",
        ],
    );
    assert_holds(&done.out, "of the valid pixels are water");
    assert!(root.join("map/water.png").is_file() && root.join("map/water_confidence.tif").is_file());
    // A window as large as the scene has no seams to hide. What a window of 128 does not see of it makes the difference: of seams there would be more.
    let parquet = ["--polygons", "map/whole.parquet", "--simplify", "25"];
    map(
        "map/whole.tif",
        &[&["--tile", "320", "--figures", "false"], parquet.as_slice()].concat(),
    );
    let code = "
        local map, whole = raster.open('map/water.tif'), raster.open('map/whole.tif')
        local truth = raster.open('scenes/AP_10001_FBD_F0010_RT1/truth.tif')
        local function n(mask) return mask:cast('float32'):rename('n'):stats().n.mean end
        print(map.grid:matches(truth.grid), n(map:ne(whole)) < 0.05 or n(map:ne(whole)))
        local water = geometry.read('map/water.gpkg')
        local area = 0
        for i = 1, #water do
          assert(water[i].properties.class_name == 'water' and water[i].properties.area_m2 >= 2000)
          assert(water[i].properties.confidence_mean > 0.5 and water[i].properties.confidence_mean <= 1)
          area = area + water[i].properties.area_m2
        end
        local pixels = n(map:eq(1)) * map.rows * map.cols * 12.5 ^ 2
        print(#water >= 1, area <= pixels and area > 0.9 * pixels)
        local all = geometry.read('map/whole.parquet')
        print(#all >= #water, all.crs == whole.crs, all[1].properties.class_name)";
    assert_eq!(
        succeed(root, &["--quiet", "-e", code]).out,
        "true\ttrue\ntrue\ttrue\ntrue\ttrue\twater\n"
    );

    // A scene without a channel that the model wants, and without a way to it.
    fs::remove_file(root.join("scenes/AP_10002_FBD_F0020_RT1/hand.tif")).unwrap();
    let arguments = [
        "--quiet",
        "run",
        "water_map",
        "--model",
        "model/water.onnx",
        "--scene",
        "scenes/AP_10002_FBD_F0020_RT1",
        "--hand",
        "scene",
    ];
    let failed = run(root, &arguments);
    assert_eq!(failed.code, 1);
    assert_holds(&failed.err, "has no hand.tif beside it");
}

#[test]
fn a_training_that_is_killed_goes_on_to_the_same_model() {
    let here = folder(&[]);
    let root = here.path();
    made(root, "3", "160");
    let words = training("whole", "5");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    succeed(root, &[&words[..], &["--figures", "false"]].concat());

    let words = training("killed", "5");
    let mut command = perilune(root);
    command.args(&words).args(["--figures", "false"]);
    let mut child = command.spawn().unwrap();
    let state = root.join("killed/water_state/last.safetensors");
    let begun = Instant::now();
    while !state.exists() {
        assert!(begun.elapsed() < Duration::from_secs(300), "no state was written");
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut command = perilune(root);
    command.args(&words).args(["--figures", "false"]);
    let again = finish(command);
    assert_eq!(again.code, 0, "{again:?}");
    for file in ["water.onnx", "water_history.csv"] {
        let read = |folder: &str| fs::read(root.join(folder).join(file)).unwrap();
        assert!(read("whole") == read("killed"), "{file}");
    }
}

/// A side on which a class hardly occurs says little of it; nobody should find out after the training.
#[test]
fn classes_that_hardly_occur_on_a_side_are_said() {
    let here = folder(&[]);
    let code = |rare: &str| {
        format!(
            "local scenes = {{}} for i = 1, 3 do \
             local grid = raster.grid {{ crs = 'EPSG:32611', origin = {{ 400000 + 4000 * i, 3860000 }}, resolution = 10, rows = 64, cols = 64 }} \
             local image = raster.random(grid, {{ seed = i }}):rename 'HH' \
             scenes[i] = {{ image = image, labels = image:gt(i == 3 and {rare} or 0.5), group = 'scene ' .. i }} end \
             learning.dataset {{ scenes = scenes, classes = {{ [0] = 'land', [1] = 'water' }}, chip = 32, split = {{ validation = {{ 'scene 3' }}, test = 0 }} }}"
        )
    };
    let done = run(here.path(), &["-e", &code("0.9995")]);
    assert_eq!(done.code, 0, "{}", done.err);
    let said = "labelled pixels of the validation side are `water`";
    assert!(done.err.contains(said), "{}", done.err);
    assert!(!done.err.contains("of the training side"), "{}", done.err);
    let done = run(here.path(), &["-e", &code("0.9")]);
    assert!(done.code == 0 && !done.err.contains(said), "{}", done.err);
}
