//! `perilune run --dry-run`: what would be done is told, and nothing is.

use std::fs;

use super::{assert_holds, folder, run};

const SCRIPT: &str = r#"
local raster, filter, fs = require "raster", require "filter", require "fs"
local image = raster.open "in.tif"
fs.mkdir "out"
filter.refined_lee(image):rename("smooth"):write("out/smooth.tif")
-- What it wrote can be opened.
local again = raster.open "out/smooth.tif"
assert(again.bands[1] == "smooth" and again.rows == 600)
raster.write_all { { again * 2, "out/a.tif" }, { again:to_db(), "out/b.tif" } }
raster.write_netcdf("out/c.nc", { { name = "p", image = again } })
fs.write("out/notes.txt", "done")
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
    for arguments in [["run", "--dry-run", "a.lua"], ["run", "a.lua", "--dry-run"]] {
        let done = run(here.path(), &arguments);
        assert_eq!(done.code, 0, "{}", done.err);
        for told in [
            "told",
            "out/smooth.tif",
            "out/a.tif",
            "out/b.tif",
            "out/c.nc",
            "out/notes.txt",
            "600 × 500 × 1",
        ] {
            assert_holds(&done.out, told);
        }
        // 600 × 500 pixels of 4 bytes are 1.14 MiB, written four times; in six whole blocks of 256 × 256 1.5 MiB, read four times.
        assert_holds(
            &done.out,
            "5 files would be written, images of 4.6 MiB before compression out of 6.0 MiB",
        );
        assert_holds(&done.out, "about ");
        assert!(!here.path().join("out").exists());
    }
    let real = run(here.path(), &["run", "-q", "a.lua"]);
    assert_eq!((real.code, real.out.as_str()), (0, "told\n"), "{}", real.err);
    assert!(here.path().join("out/c.nc").exists());
}

#[test]
fn it_ends_where_pixels_are_wanted() {
    let text = "local raster = require 'raster'\n\
                local image = raster.open 'in.tif'\n\
                image:write 'one.tif'\n\
                print(image:stats())\n\
                image:write 'two.tif'\n";
    let here = folder(&[("a.lua", text)]);
    input(here.path());
    let done = run(here.path(), &["run", "--dry-run", "a.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_holds(&done.out, "one.tif");
    assert_holds(
        &done.out,
        "It ends at a.lua:4, where the script wants the pixels of ",
    );
    assert_holds(&done.out, "in.tif band 1: what comes after");
    assert!(!done.out.contains("two.tif"));
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 2);
    // An error of the script's own stays one.
    fs::write(here.path().join("b.lua"), "require('raster').open 'none.tif'").unwrap();
    let wrong = run(here.path(), &["run", "--dry-run", "b.lua"]);
    assert_eq!(wrong.code, 1);
    assert_holds(&wrong.err, "no such file");
}
