//! `perilune run --dry-run`: what would be done is told, and nothing is.

use std::collections::BTreeSet;
use std::fs;

use super::{assert_holds, folder, run};

/// Everything that writes.
const SCRIPT: &str = r#"
local raster, filter, plot, fs = require "raster", require "filter", require "plot", require "fs"
local tables, geometry = require "tables", require "geometry"
local image = raster.open "in.tif"
fs.mkdir "out"
filter.refined_lee(image):rename("smooth"):write("out/smooth.tif")
-- What it wrote can be opened.
local again = raster.open "out/smooth.tif"
assert(again.bands[1] == "smooth" and again.rows == 600)
raster.write_all { { again * 2, "out/a.tif" }, { again:to_db(), "out/b.tif" } }
raster.write_netcdf("out/c.nc", { { name = "p", image = again } })
raster.write_hdf5("out/d.h5", { ["/p"] = again })
again:write "out/e.nc"
local stack = raster.stack { again:set_time "2024-01-01", (again + 1):set_time "2024-02-01" }
stack:export { folder = "out/stack", prefix = "s" }
stack:write "out/stack.nc"
local points = tables.new { x = { 1, 2 }, y = { 3, 4 } }
points:write_csv "out/points.csv"
points:write "out/points.parquet"
geometry.features({ geometry.point(11, 48) }):write "out/points.geojson"
plot.map(again):write "out/map.png"
fs.write("out/notes.txt", "done")
fs.append("out/notes.txt", ", and more")
fs.copy("in.tif", "out/copy.tif")
assert(fs.exists "out/notes.txt")
print "told"
"#;

fn input(here: &std::path::Path) {
    let make = "local raster = require 'raster' raster.random(raster.grid { rows = 600, cols = 500 }, \
                { distribution = 'speckle' }):write('in.tif', { compress = 'none' })";
    let made = run(here, &["-q", "-e", make]);
    assert_eq!(made.code, 0, "{}", made.err);
}

#[test]
fn nothing_is_written_and_all_of_it_is_told() {
    let here = folder(&[("a.lua", SCRIPT)]);
    input(here.path());
    let mut told = BTreeSet::new();
    for arguments in [["run", "--dry-run", "a.lua"], ["run", "a.lua", "--dry-run"]] {
        let done = run(here.path(), &arguments);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.out.starts_with("told\n"), "{}", done.out);
        assert_holds(&done.out, "600 × 500 × 1");
        assert_holds(&done.out, "about ");
        assert!(!here.path().join("out").exists());
        let rows = done
            .out
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        told = rows
            .filter(|row| ["write", "copy"].contains(&row[0]))
            .map(|row| row[1].to_string())
            .collect();
    }
    let real = run(here.path(), &["run", "-q", "a.lua"]);
    assert_eq!((real.code, real.out.as_str()), (0, "told\n"), "{}", real.err);
    let mut written = BTreeSet::new();
    for folder in ["out", "out/stack"] {
        for entry in fs::read_dir(here.path().join(folder)).unwrap() {
            let entry = entry.unwrap();
            // Records of how they were made lie hidden beside tables.
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().unwrap().is_file() && !name.starts_with('.') {
                written.insert(format!("{folder}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    assert_eq!(told, written);
}

#[test]
fn bytes_are_those_of_the_images() {
    let text = "local image = require('raster').open 'in.tif'\n\
                image:write 'one.tif'\n\
                image:crop({ row = 0, col = 0, rows = 256, cols = 256 }):write 'two.tif'\n";
    let here = folder(&[("a.lua", text)]);
    input(here.path());
    let done = run(here.path(), &["run", "--dry-run", "a.lua"]);
    // 600 × 500 pixels of 4 bytes are 1.14 MiB, 256 × 256 are 0.25; the file of six blocks of 256 × 256 has 1.50.
    assert_holds(
        &done.out,
        "2 files would be written, images of 1.4 MiB before compression out of 1.8 MiB",
    );
}

#[test]
fn it_ends_where_pixels_are_wanted() {
    // 10^12 pixels.
    let text = "local raster = require 'raster'\n\
                local image = raster.open 'in.tif'\n\
                image:write 'one.tif'\n\
                local large = raster.random(raster.grid { rows = 1000000, cols = 1000000 })\n\
                print(large:stats())\n\
                image:write 'two.tif'\n";
    let here = folder(&[("a.lua", text)]);
    input(here.path());
    let done = run(here.path(), &["run", "--dry-run", "a.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_holds(&done.out, "one.tif");
    assert_holds(
        &done.out,
        "It ends at a.lua:5, where the script wants the pixels of random(",
    );
    assert_holds(&done.out, ": what comes after");
    assert!(!done.out.contains("two.tif"));
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 2);
    // An error of the script's own stays one.
    fs::write(here.path().join("b.lua"), "require('raster').open 'none.tif'").unwrap();
    let wrong = run(here.path(), &["run", "--dry-run", "b.lua"]);
    assert_eq!(wrong.code, 1);
    assert_holds(&wrong.err, "no such file");
}

#[test]
fn it_goes_on_with_pixels_that_are_soon_there() {
    let text = "local raster, tables = require 'raster', require 'tables'\n\
                local image = raster.open 'in.tif'\n\
                local most = image:stats()[image.bands[1]].max\n\
                tables.new({ most = { most } }):write_csv 'most.csv'\n\
                assert(tables.read_csv('most.csv')[1].most == most)\n\
                if most > 0 then (image / most):write 'one.tif' end\n\
                require('plot').map(raster.open 'one.tif'):write 'map.png'\n";
    let here = folder(&[("a.lua", text)]);
    input(here.path());
    let done = run(here.path(), &["run", "--dry-run", "a.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_holds(&done.out, "3 files would be written");
    assert!(!done.out.contains("It ends"), "{}", done.out);
    assert!(!done.out.contains("not counting"), "{}", done.out);
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 2);
}

/// Seconds after a word.
fn seconds_after(text: &str, word: &str) -> f64 {
    let after = text
        .split(word)
        .nth(1)
        .unwrap_or_else(|| panic!("no `{word}` in {text}"));
    let number: String = after
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    number.parse().unwrap()
}

/// Denoising takes a whole scene at once, autorift a pair: neither was timed before.
#[test]
fn whole_scenes_are_timed_by_a_part() {
    let text = "local raster, filter, correlation = require 'raster', require 'filter', require 'correlation'\n\
                local grid = raster.grid { rows = 2600, cols = 2600 }\n\
                local image = raster.random(grid, { distribution = 'smooth', scale = 8 })\n\
                filter.tv_bregman(image, { weight = 0.1, max_iterations = 20, tolerance = 0 }):write 'still.tif'\n\
                filter.tv_bregman(image, { weight = 0.2, max_iterations = 200, tolerance = 0 }):write 'stiller.tif'\n\
                print(filter.tv_bregman(image, { weight = 0.1, max_iterations = 20, tolerance = 0 }):plan { measure = true })\n\
                local offsets = correlation.autorift(image, image:shift { rows = 1, cols = 2 }, { chip = 64, spacing = 64, search = 8 })\n\
                local twice = offsets:select 'dx_px' * 2\n\
                twice:write 'offsets.tif'\n";
    let here = folder(&[("a.lua", text)]);
    let done = run(here.path(), &["run", "--dry-run", "a.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!done.out.contains("not counting"), "{}", done.out);
    assert_holds(
        &done.out,
        "before    filter.tv_bregman(weight 0.1), of the whole image, about ",
    );
    assert!(seconds_after(&done.out, "about ") > 0.0);
    let row = |name: &str| -> f64 {
        let row = done.out.lines().find(|line| line.contains(name)).unwrap();
        row.split_whitespace().last().unwrap().parse().unwrap()
    };
    // Ten times the sweeps over the same scene.
    assert!(row(" stiller.tif") > 2.0 * row(" still.tif"), "{}", done.out);
    assert!(row("offsets.tif") > 0.0);
}
