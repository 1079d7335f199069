//! Cubes that `Stack:write` writes and adds to, as h5py reads them.

use super::cslc::reference;
use super::{assert_holds, folder, run};

#[test]
fn netcdf_cubes_hold_what_h5py_computes_again() {
    let here = folder(&[]);
    let path = here.path();
    let Some(script) = reference("cubes.py", &["script"]) else {
        return;
    };
    std::fs::write(path.join("a.lua"), script).unwrap();
    let done = run(path, &["run", "a.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let told = reference("cubes.py", &["h5py", path.to_str().unwrap()]).unwrap();
    assert_holds(&told, "chunks.nc (4, 50, 64)");
    // Nothing is left of what was written on the way.
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "a.lua",
            "chunks.nc",
            "cube.nc",
            "packed.nc",
            "packed.zarr",
            "packed2.zarr",
            "three.zarr",
            "two.zarr"
        ]
    );
}

#[test]
fn cubes_name_the_script_that_made_them_and_who_added_to_them() {
    let here = folder(&[]);
    let path = here.path();
    let script = r#"
        local raster = require "raster"
        local p = params { first = 1, last = 2 }
        local grid = raster.grid { crs = 32633, origin = { 500000, 5000000 }, resolution = 10, rows = 3, cols = 4 }
        local images = {}
        for day = p.first, p.last do images[#images + 1] = { raster.constant(grid, day):rename "v", time = ("2024-01-%02d"):format(day) } end
        for _, name in ipairs { "a.nc", "three.zarr", "two.zarr" } do
          raster.stack(images):write(name, { append = true, version = name == "two.zarr" and 2 or 3 })
        end
    "#;
    std::fs::write(path.join("made.lua"), script).unwrap();
    std::fs::write(path.join("added.lua"), script).unwrap();
    for arguments in [
        ["run", "made.lua", "--first", "1", "--last", "2"],
        ["run", "added.lua", "--first", "3", "--last", "3"],
        ["run", "added.lua", "--first", "4", "--last", "6"],
    ] {
        let done = run(path, &arguments);
        assert_eq!(done.code, 0, "{}", done.err);
    }
    for name in ["a.nc", "three.zarr", "two.zarr"] {
        let code = format!(
            "local raster = require 'raster' for _, what in ipairs {{ 'PERILUNE_SCRIPT', 'PERILUNE_PARAMETERS', 'history' }} do \
             print(raster.read_attribute('{name}', '#' .. what)) end print(#raster.stack('{name}'), raster.stack('{name}')[6]:stats().v.mean)"
        );
        let told = run(path, &["-e", &code]);
        assert_eq!(told.code, 0, "{}", told.err);
        assert_holds(&told.out, "added.lua\n{\"first\":4,\"last\":6}\n");
        assert_holds(&told.out, "first 2 steps of time: ");
        assert_holds(
            &told.out,
            "PERILUNE_SCRIPT=made.lua PERILUNE_PARAMETERS={\"first\":1,\"last\":2}\n",
        );
        assert_holds(&told.out, "first 3 steps of time: ");
        assert_holds(&told.out, "6\t6");
    }
}
