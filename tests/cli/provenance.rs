//! Records of how files were made, in every format; told, and tried again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::{assert_holds, folder, of_setup, run};

/// Writes a file of every format, out of an image and a table.
const SCRIPT: &str = r#"
local raster, filter, plot, tables, geometry = require "raster", require "filter", require "plot", require "tables", require "geometry"
local fs, own = require "fs", require "own"
local p = params {
  image = { type = "path", required = true },
  out = { "out", type = "path" },
  looks = { 4, min = 1 },
  token = "nothing",
}

--%% Read

fs.mkdir(p.out)
local points = tables.read("points.csv")
local image = raster.open(p.image)

--%% Filter and write

local smooth = filter.lee(image, { looks = p.looks })
smooth:write(p.out .. "/a.tif")
smooth:write(p.out .. "/b.tif", { format = "COG" })
smooth:write(p.out .. "/c.nc")

raster.write_netcdf(p.out .. "/e.nc", { { name = "v", image = smooth } })
raster.write_hdf5(p.out .. "/f.h5", { ["/v"] = smooth })
local stack = raster.stack { smooth:set_time "2024-01-01", (smooth + 1):set_time "2024-02-01" }
stack:write(p.out .. "/g.zarr")
stack:write(p.out .. "/h.nc")

--%% Draw

for _, ending in ipairs { "png", "svg", "pdf" } do plot.map(smooth):write(p.out .. "/map." .. ending) end
plot.animate(stack, p.out .. "/i.gif")
plot.animate(stack, p.out .. "/i.apng")

--%% Tables and features

local counted = own.count(points)
counted:write_csv(p.out .. "/t.csv")
counted:write(p.out .. "/t.parquet")
local features = geometry.features { geometry.point(11, 48), geometry.point(12, 49) }
for _, ending in ipairs { "geojson", "gpkg", "parquet", "shp", "fgb" } do features:write(p.out .. "/v." .. ending) end
"#;

const OWN: &str = "local M = {}\nfunction M.count(t) return t end\nreturn M\n";

const FILES: [&str; 18] = [
    "a.tif",
    "b.tif",
    "c.nc",
    "e.nc",
    "f.h5",
    "g.zarr",
    "h.nc",
    "map.png",
    "map.svg",
    "map.pdf",
    "i.gif",
    "i.apng",
    "t.csv",
    "t.parquet",
    "v.geojson",
    "v.gpkg",
    "v.parquet",
    "v.shp",
];

fn workplace() -> tempfile::TempDir {
    let here = folder(&[
        ("work/made.lua", SCRIPT),
        ("work/own.lua", OWN),
        ("work/points.csv", "name,value\na,1\nb,2\n"),
    ]);
    let make = "local raster = require 'raster' raster.random(raster.grid { crs = 'EPSG:32632', transform = { 500000, 10, 0, 5300000, 0, -10 }, \
                rows = 120, cols = 150 }, { distribution = 'speckle' }):write 'in.tif'";
    let made = run(&here.path().join("work"), &["-q", "-e", make]);
    assert_eq!(made.code, 0, "{}", made.err);
    here
}

fn make(work: &Path, more: &[&str]) {
    let mut arguments = vec![
        "-q",
        "run",
        "made.lua",
        "--image",
        "in.tif",
        "--token",
        "swordfish",
    ];
    arguments.extend(more);
    let done = run(work, &arguments);
    assert_eq!(done.code, 0, "{}", done.err);
}

fn record(work: &Path, file: &str) -> Json {
    let told = run(work, &["provenance", "--json", file]);
    assert_eq!(told.code, 0, "{file}: {}", told.err);
    let json: Json = serde_json::from_str(&told.out).unwrap();
    json["record"].clone()
}

fn sha256(path: &Path) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(fs::read(path).unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn every_format_carries_how_it_was_made() {
    let here = workplace();
    let work = &here.path().join("work");
    make(work, &[]);
    for file in FILES {
        let record = record(work, &format!("out/{file}"));
        assert_eq!(record["file"], file);
        assert_eq!(record["script"]["path"], "../made.lua", "{file}");
        assert_eq!(
            record["script"]["sha256"],
            sha256(&work.join("made.lua")),
            "{file}"
        );
        assert_eq!(record["parameters"]["image"], "../in.tif", "{file}");
        assert_eq!(record["parameters"]["looks"], 4, "{file}");
        assert_eq!(record["parameters"]["token"], "…", "{file}");
        assert_eq!(
            record["path_parameters"],
            serde_json::json!(["image", "out"]),
            "{file}"
        );
        // The table is named by the script, by a path from where it runs.
        assert_eq!(record["working_folder"], "..", "{file}");
        assert_eq!(
            record["modules"][0]["sha256"],
            sha256(&work.join("own.lua")),
            "{file}"
        );
        let inputs = record["inputs"].as_array().unwrap();
        let of = |path: &str| {
            inputs
                .iter()
                .find(|input| input["path"] == path)
                .unwrap_or_else(|| panic!("{file}: {record}"))
        };
        assert_eq!(of("../in.tif")["sha256"], sha256(&work.join("in.tif")), "{file}");
        assert_eq!(
            of("../points.csv")["sha256"],
            sha256(&work.join("points.csv")),
            "{file}"
        );
        assert!(!record.to_string().contains("swordfish"), "{file}");
        for library in ["GDAL", "PROJ", "EPSG", "perilune"] {
            assert!(record["versions"][library].is_string(), "{file}");
        }
    }
    let image = record(work, "out/a.tif");
    assert_eq!(image["script"]["step"], "Filter and write");
    assert_eq!(image["inputs"][0]["use"], "pixels");
    assert_eq!(image["inputs"][1]["use"], "read");
    let operations: Vec<&str> = image["image"]["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| operation["name"].as_str().unwrap())
        .collect();
    assert!(
        operations.contains(&"raster.open") && operations.contains(&"filter.lee"),
        "{operations:?}"
    );
    assert_eq!(image["image"]["grid"]["crs"], "EPSG:32632");
    assert_eq!(record(work, "out/map.svg")["script"]["step"], "Draw");
    // Where others look for it.
    let svg = fs::read_to_string(work.join("out/map.svg")).unwrap();
    assert_holds(&svg, "<metadata id=\"PERILUNE_PROVENANCE\">{&quot;");
    assert!(work.join("out/.t.csv.provenance.json").is_file());
    let geojson: Json =
        serde_json::from_str(&fs::read_to_string(work.join("out/v.geojson")).unwrap()).unwrap();
    assert_eq!(geojson["PERILUNE_PROVENANCE"]["file"], "v.geojson");
}

/// The identity is of what is computed of which content: not of names, and not of parameters that nothing depends on.
#[test]
fn the_identity_tells_one_computation_from_another() {
    let here = workplace();
    let work = &here.path().join("work");
    let identity = |more: &[&str]| {
        make(work, more);
        record(work, "out/a.tif")["image"]["identity"]
            .as_str()
            .unwrap()
            .to_string()
    };
    let first = identity(&[]);
    assert_eq!(identity(&["--token", "other"]), first);
    assert_ne!(identity(&["--looks", "3"]), first);
    fs::rename(work.join("in.tif"), work.join("renamed.tif")).unwrap();
    assert_eq!(identity(&["--image", "renamed.tif"]), first);
    let make = "local raster = require 'raster'; (raster.open 'renamed.tif' * 2):write 'other.tif'";
    assert_eq!(run(work, &["-q", "-e", make]).code, 0);
    assert_ne!(identity(&["--image", "other.tif"]), first);
}

fn bytes_of(folder: &Path, out: &mut BTreeMap<String, String>, below: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => bytes_of(&entry.path(), out, &format!("{name}/")),
            false => drop(out.insert(name, sha256(&entry.path()))),
        }
    }
}

#[test]
fn another_folder_other_threads_and_less_memory_give_the_same_bytes() {
    let here = workplace();
    let work = here.path().join("work");
    let other = here.path().join("else/where");
    fs::create_dir_all(&other).unwrap();
    for file in ["made.lua", "own.lua", "points.csv", "in.tif"] {
        fs::copy(work.join(file), other.join(file)).unwrap();
    }
    make(&work, &["--out", "out"]);
    // By whole paths, and with a slash that says nothing.
    let (image, out) = (other.join("in.tif"), other.join("./out/"));
    let options = [
        "--threads",
        "1",
        "--memory",
        "24MiB",
        "-q",
        "run",
        "made.lua",
        "--token",
        "swordfish",
    ];
    let paths = ["--image", image.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let done = run(&other, &[options.as_slice(), &paths].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    bytes_of(&work.join("out"), &mut first, "");
    bytes_of(&other.join("out"), &mut second, "");
    assert!(first.len() > 20, "{first:?}");
    for (name, hash) in &first {
        assert_eq!(second.get(name), Some(hash), "{name}");
    }
    assert_eq!(first.len(), second.len());
}

/// Images of many blocks, which threads write in the order in which they come.
#[test]
fn blocks_lie_in_one_order_however_they_came() {
    const MANY: &str = "local raster, filter = require 'raster', require 'filter'\n\
        local g = raster.grid { crs = 'EPSG:32632', transform = { 500000, 10, 0, 5300000, 0, -10 }, rows = 1500, cols = 1700 }\n\
        local image = filter.focal_mean(raster.random(g, { seed = 3 }), { radius = 2 })\n\
        image:write 'strips.tif'\nimage:write('reduced.tif', { overviews = true, compress = 'zstd' })\nimage:write('cloud.tif', { format = 'COG' })\n\
        image:write('plain.tif', { compress = 'none', dtype = 'float64' })\n\
        raster.bands(image:rename('a'), (image * 200):rename('b')):write('image.nc')\n\
        local dates = {}\nfor i = 1, 6 do dates[i] = (image * i):set_time(('2020-0%d-01'):format(i)) end\n\
        raster.stack(dates):write('cube.nc')\n";
    let here = folder(&[("a/many.lua", MANY), ("b/many.lua", MANY), ("c/many.lua", MANY)]);
    for (at, threads, memory) in [("a", "1", "256MiB"), ("b", "5", "256MiB"), ("c", "3", "24MiB")] {
        let done = run(
            &here.path().join(at),
            &["-q", "--threads", threads, "--memory", memory, "run", "many.lua"],
        );
        assert_eq!(done.code, 0, "{}", done.err);
    }
    for name in [
        "strips.tif",
        "reduced.tif",
        "cloud.tif",
        "plain.tif",
        "image.nc",
        "cube.nc",
    ] {
        let of = |at: &str| sha256(&here.path().join(at).join(name));
        assert_eq!(of("a"), of("b"), "{name}");
        assert_eq!(of("a"), of("c"), "{name}");
    }
}

/// Workflows that ship, on scenes made there: in another folder, called from elsewhere by whole paths, by one thread in little memory.
#[test]
fn workflows_give_the_same_bytes_wherever_they_run() {
    const STEPS: [&str; 12] = [
        "make_s1_scenes --size 128 --dates 2 --out @scenes",
        "s1_vv_vh --folder @scenes --out @s1/vv_vh.tif --points 9.805,47.757",
        "make_water_scenes --out @palsar --sensor palsar --scenes 1 --size 300",
        "water_threshold --scene @palsar/AP_10001_FBD_F0010_RT1 --out @water/w.tif --bands HH",
        "make_itslive_granules --count 10 --interval 20 --size 24 --out @granules",
        "itslive_cube --granules @granules --dpi 60 --out @cube",
        "water_compare --map @water/w.tif --reference @palsar/AP_10001_FBD_F0010_RT1/truth.tif --out @compared/c",
        "water_training_data --folder @palsar --optical scene --hand scene --out @training --chips 64",
        "make_cslc_stack --out @cslc --rows 200 --cols 300 --dates 3",
        "rle --folder @cslc --out @rle --points 6 --window 64 --neighbours 1",
        "glacier_velocity --reference @pair/a.tif --secondary @pair/b.tif --reference-time 2023-01-05 --secondary-time 2023-02-10 \
         --chip 16 --search 6 --netcdf --out @velocity/v.tif",
        "footprints --items @scenes/places.geojson --out @places/p.png --dpi 60",
    ];
    /// Two images of ground that has moved by 3 columns and 2 rows.
    const PAIR: &str = "local g = raster.grid { crs = 'EPSG:32632', transform = { 500000, 10, 0, 5300000, 0, -10 }, rows = 200, cols = 200 }
        local all = raster.random(g, { distribution = 'smooth', scale = 6, seed = 4 })
        local first = all:crop { row = 10, col = 10, rows = 160, cols = 160 }
        first:write 'pair/a.tif'
        all:crop { row = 12, col = 13, rows = 160, cols = 160 }:write 'pair/moved.tif'
        raster.open('pair/moved.tif', { grid = first.grid }):write 'pair/b.tif'";
    let here = folder(&[
        ("one/here/pair/.keep", ""),
        ("other/pair/.keep", ""),
        ("from/.keep", ""),
    ]);
    let (one, other) = (here.path().join("one/here"), here.path().join("other"));
    for root in [&one, &other] {
        let made = run(root, &["-q", "-e", PAIR]);
        assert_eq!(made.code, 0, "{}", made.err);
    }
    for step in STEPS {
        for (root, at, before, options) in [
            (&one, &one, String::new(), ["--threads", "4", "--memory", "1GiB"]),
            (
                &other,
                &here.path().join("from"),
                format!("{}/", other.display()),
                ["--threads", "1", "--memory", "96MiB"],
            ),
        ] {
            let words = step.replace('@', &before);
            let mut arguments = vec!["-q"];
            arguments.extend(options);
            if root == &other {
                arguments.extend(["--allow-write", other.to_str().unwrap()]);
            }
            arguments.push("run");
            arguments.extend(words.split(' '));
            let done = run(at, &arguments);
            assert_eq!(done.code, 0, "{step}: {}", done.err);
        }
    }
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    bytes_of(&one, &mut first, "");
    bytes_of(&other, &mut second, "");
    assert!(first.len() > 50, "{first:?}");
    let differing: Vec<&String> = first
        .keys()
        .filter(|name| first.get(*name) != second.get(*name))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert_eq!(first.len(), second.len());
    // What holds nothing is the same in any case.
    let moved = run(
        &one,
        &[
            "-q",
            "-e",
            "print(raster.open('velocity/v.tif'):stats().vx.count > 300)",
        ],
    );
    assert_eq!(moved.out, "true\n", "{}", moved.err);
    let told = run(&one, &["verify", "s1", "water"]);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
}

#[test]
fn the_tree_leads_back_to_the_inputs() {
    let here = workplace();
    let work = &here.path().join("work");
    make(work, &[]);
    fs::write(work.join("points.csv"), "name,value\n").unwrap();
    let told = run(work, &["provenance", "out/a.tif"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out
            .starts_with("out/a.tif\n├─ made by ../made.lua, SHA-256 "),
        "{}",
        told.out
    );
    assert_holds(&told.out, "at its step “Filter and write”");
    assert_holds(&told.out, "filter.lee (looks = 4");
    assert_holds(&told.out, "../in.tif, ");
    // How the input was made, below it.
    assert_holds(&told.out, "made at the prompt");
    assert_holds(&told.out, "raster.random");
    assert_holds(&told.out, "(HAS CHANGED SINCE)");
    assert_eq!(told.out.matches("HAS CHANGED").count(), 1, "{}", told.out);
    let none = run(work, &["provenance", "points.csv"]);
    assert_eq!(none.code, 1);
    assert_holds(&none.err, "points.csv: carries no record of how it was made");
    fs::write(work.join("out/t.csv"), "name\nc\n").unwrap();
    let changed = run(work, &["provenance", "out/t.csv"]);
    assert_eq!(changed.code, 1);
    assert_holds(&changed.err, "was changed or replaced after it was made");
}

#[test]
fn a_paragraph_with_its_literature() {
    let here = workplace();
    let work = &here.path().join("work");
    make(work, &[]);
    let told = run(work, &["provenance", "--methods", "out/a.tif"]);
    assert_eq!(told.code, 0, "{}", told.err);
    let text = told.out.replace('\n', " ");
    assert_holds(&text, "The file a.tif was made with perilune ");
    assert_holds(&text, "by the script made.lua (SHA-256 ");
    assert_holds(&text, "Its pixels come from in.tif.");
    assert_holds(&text, "(filter.lee; Lee 1980");
    assert_holds(&told.out, "@article{lee1980,\n  author = {Lee},\n");
    assert_holds(&told.out, "  doi = {10.1109/TPAMI.1980.4766994},\n");
}

#[test]
fn what_is_the_same_is_said_to_be() {
    let here = workplace();
    let work = &here.path().join("work");
    make(work, &[]);
    // Its record does not tell the token.
    let told = run(work, &["verify", "out/a.tif"]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    assert_holds(&told.out, "is not run again");
    let script = fs::read_to_string(work.join("made.lua")).unwrap();
    fs::write(
        work.join("made.lua"),
        script.replace("  token = \"nothing\",\n", ""),
    )
    .unwrap();
    let done = run(
        work,
        &["-q", "run", "made.lua", "--image", "in.tif", "--out", "out"],
    );
    assert_eq!(done.code, 0, "{}", done.err);
    let mut before = BTreeMap::new();
    bytes_of(work, &mut before, "");
    // From elsewhere, and whole folders.
    for (at, path) in [
        (work.as_path(), "out/b.tif"),
        (here.path(), "work/out/t.csv"),
        (here.path(), "work/out"),
    ] {
        let told = run(at, &["verify", path]);
        assert_eq!(told.code, 0, "{path}: {}{}", told.out, told.err);
        assert_holds(&told.out, "made.lua: 2 inputs are unchanged");
        assert_holds(&told.out, ": the same, byte for byte");
    }
    let mut after = BTreeMap::new();
    bytes_of(work, &mut after, "");
    assert_eq!(before, after);
}

#[test]
fn what_differs_is_told_and_why_it_may() {
    let here = folder(&[(
        "a.lua",
        "local raster = require 'raster'\nlocal p = params { image = { type = 'path', required = true }, out = { 'out.tif', type = 'path' }, \
         add = 1 }\nlocal sum = raster.open(p.image) + p.add\nsum:write(p.out)\n",
    )]);
    let make = |value: &str| {
        let code = format!(
            "local raster = require 'raster' raster.constant(raster.grid {{ rows = 9, cols = 9 }}, {value}):write 'in.tif'"
        );
        let made = run(here.path(), &["-q", "-e", &code]);
        assert_eq!(made.code, 0, "{}", made.err);
    };
    make("5");
    let done = run(here.path(), &["-q", "run", "a.lua", "--image", "in.tif"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(run(here.path(), &["verify", "out.tif"]).code, 0);
    make("7.5");
    let told = run(here.path(), &["verify", "out.tif"]);
    assert_eq!(told.code, 1, "{}", told.err);
    assert_holds(&told.out, "in.tif has changed since");
    assert_holds(&told.out, "out.tif: other pixels: constant by up to 2.5;");
    make("5");
    let script = fs::read_to_string(here.path().join("a.lua")).unwrap();
    fs::write(here.path().join("a.lua"), script.replace("+ p.add", "- p.add")).unwrap();
    let told = run(here.path(), &["verify", "out.tif"]);
    assert_eq!(told.code, 1, "{}", told.err);
    assert_holds(&told.out, "a.lua has changed since");
    assert_holds(&told.out, "other pixels: constant by up to 2;");
    assert_eq!(run(here.path(), &["verify", "--no-run", "out.tif"]).code, 1);
    fs::remove_file(here.path().join("a.lua")).unwrap();
    let told = run(here.path(), &["verify", "out.tif"]);
    assert_eq!(told.code, 1, "{}", told.err);
    assert_holds(&told.out, "is not there any more");
}

#[test]
fn a_crate_holds_the_file_its_script_and_what_is_said_of_them() {
    let here = workplace();
    let work = &here.path().join("work");
    make(work, &[]);
    let told = run(work, &["provenance", "out/a.tif", "--ro-crate", "published"]);
    assert_eq!(told.code, 0, "{}", told.err);
    let at = |name: &str| work.join("published").join(name);
    assert_eq!(sha256(&at("a.tif")), sha256(&work.join("out/a.tif")));
    assert_eq!(sha256(&at("made.lua")), sha256(&work.join("made.lua")));
    let json: Json =
        serde_json::from_str(&fs::read_to_string(at("ro-crate-metadata.json")).unwrap()).unwrap();
    let entities = json["@graph"].as_array().unwrap();
    let of = |id: &str| entities.iter().find(|entity| entity["@id"] == id).unwrap();
    assert_eq!(of("#run")["result"]["@id"], "a.tif");
    assert_eq!(of("#run")["instrument"]["@id"], "made.lua");
    assert_eq!(of("a.tif")["wasGeneratedBy"]["@id"], "#run");
    let again = run(work, &["provenance", "out/a.tif", "--ro-crate", "published"]);
    assert_eq!(again.code, 1, "{}", again.err);
    assert_holds(&again.err, "holds an RO-Crate already");
}

/// By PyPI's roc-validator, which nobody here wrote; see tests/reference/crates.py.
#[test]
fn the_crate_is_one_by_its_profiles() {
    let Some(python) = of_setup("ro-crate/bin/python") else {
        return;
    };
    let here = workplace();
    let work = &here.path().join("work");
    make(work, &[]);
    for (i, file) in ["a.tif", "g.zarr", "t.csv"].into_iter().enumerate() {
        let crate_ = format!("published{i}");
        let told = run(
            work,
            &["provenance", &format!("out/{file}"), "--ro-crate", &crate_],
        );
        assert_eq!(told.code, 0, "{}", told.err);
        let root =
            std::env::var_os("PERILUNE_TEST_ROOT").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let mut command = std::process::Command::new(&python);
        command
            .arg(Path::new(&root).join("tests/reference/crates.py"))
            .arg(work.join(&crate_));
        let done = super::finish(command);
        assert_eq!(done.code, 0, "{file}: {}{}", done.out, done.err);
    }
}
