//! Bundles: what an author hands on, what her colleague sees, runs and gets.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use super::{Run, assert_holds, finish, folder, perilune};

const SCRIPT: &str = "#!/usr/bin/env -S perilune run\n-- Brightens an image.\nneeds { read = { '--scene' }, write = { 'out' } }\n\
    local p = params { scene = { 'none.tif', type = 'path', help = 'An image.' }, factor = 2, bands = { { 'b1' }, type = 'list', of = 'string' } }\n\
    local raster, edges = require 'raster', require 'tools.edges'\nrequire('fs').mkdir 'out'\n--%% Write\n\
    edges.bright(raster.open(p.scene), p.factor):write 'out/bright.tif'\n\
    raster.open(p.scene):plot { title = 'scene' }:write 'out/scene.png'\nprint('factor', p.factor)";
const MODULE: &str =
    "local M = {}\nfunction M.bright(image, factor) return image * factor end\nreturn M -- ]==] end";

pub fn at(here: &Path, working: &str) -> Command {
    let mut command = perilune(&here.join(working));
    command
        .env("HOME", here.join("home"))
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_CACHE_HOME");
    command
}

#[track_caller]
pub fn ran(here: &Path, working: &str, arguments: &[&str]) -> Run {
    let mut command = at(here, working);
    command.args(["-q"]).args(arguments);
    finish(command)
}

#[track_caller]
pub fn done(here: &Path, working: &str, arguments: &[&str]) -> String {
    let run = ran(here, working, arguments);
    assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
    run.out
}

/// An author's folder with script, module and image, and that of her colleague with the image alone.
pub fn place() -> tempfile::TempDir {
    let here = folder(&[
        ("home/.keep", ""),
        ("author/water.lua", SCRIPT),
        ("author/tools/edges.lua", MODULE),
        ("author/data/.keep", ""),
        ("colleague/data/.keep", ""),
        ("elsewhere/.keep", ""),
    ]);
    let make = "local raster = require 'raster' raster.random(raster.grid { crs = 'EPSG:32632', transform = { 500000, 10, 0, 5300000, 0, -10 }, \
                rows = 40, cols = 50 }, { distribution = 'speckle' }):write 'data/a.tif'";
    done(here.path(), "author", &["-e", make]);
    fs::copy(
        here.path().join("author/data/a.tif"),
        here.path().join("colleague/data/a.tif"),
    )
    .unwrap();
    here
}

/// The bundle, in the colleague's folder, of a run of the author's.
pub fn handed_on(more: &[&str]) -> tempfile::TempDir {
    let here = place();
    done(
        here.path(),
        "author",
        &["run", "water.lua", "--scene", "data/a.tif", "--factor", "3"],
    );
    let mut arguments = vec!["bundle", "water.lua", "--outputs", "out"];
    arguments.extend(more);
    done(here.path(), "author", &arguments);
    for name in ["water.bundle.lua", "water.bundle.lua.sig"] {
        let from = here.path().join("author").join(name);
        if from.is_file() {
            fs::copy(from, here.path().join("colleague").join(name)).unwrap();
        }
    }
    here
}

#[test]
fn a_colleague_gets_the_same_bytes() {
    let here = handed_on(&[
        "--author",
        "Ada Example",
        "--license",
        "CC-BY-4.0",
        "--citation",
        "Example 2026",
    ]);
    let here = here.path();
    let text = fs::read_to_string(here.join("author/water.bundle.lua")).unwrap();
    for part in [
        "factor = 3\n",
        "scene = \"data/a.tif\"",
        MODULE,
        "path = \"data/a.tif\"",
        "name = \"tools.edges\"",
        "Ada Example",
    ] {
        assert_holds(&text, part);
    }
    assert!(!text.contains(&here.display().to_string()), "{text}");

    let told = done(here, "colleague", &["inspect", "water.bundle.lua"]);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Brightens an image.",
        "signed by nobody",
        "bundle of water.lua, form 1",
        "authors Ada Example",
        "licence CC-BY-4.0",
        "to be cited Example 2026",
        "versions here are the same",
        "--factor 3",
        "data/a.tif",
        "(here, the same)",
        "makes out/bright.tif",
        "tools.edges (water.bundle.lua/tools/edges.lua, with it)",
        "all in the folder",
    ] {
        assert_holds(&told, part);
    }
    let told: Json = serde_json::from_str(&done(
        here,
        "colleague",
        &["inspect", "water.bundle.lua", "--json"],
    ))
    .unwrap();
    assert_eq!(told["bundle"]["manifest"]["parameters"]["factor"], 3);
    assert_eq!(told["bundle"]["data"], json!(["same"]));
    assert_eq!(told["needs"]["write"], json!(["out"]));
    assert_eq!(told["signed_by"], Json::Null);
    let sum = Command::new("sha256sum")
        .arg(here.join("colleague/water.bundle.lua"))
        .output()
        .unwrap();
    assert!(
        String::from_utf8(sum.stdout)
            .unwrap()
            .starts_with(told["sha256"].as_str().unwrap())
    );

    // Nobody is asked, so nothing runs.
    let refused = ran(here, "colleague", &["run", "water.bundle.lua"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert_holds(&refused.err, "there is no terminal to ask you at");
    assert!(!here.join("colleague/out").exists());
    let made = done(here, "colleague", &["--allow-all", "run", "water.bundle.lua"]);
    assert_eq!(made, "factor\t3\n");
    for name in ["out/bright.tif", "out/scene.png"] {
        let (one, other) = (here.join("author").join(name), here.join("colleague").join(name));
        assert!(
            fs::read(one).unwrap() == fs::read(other).unwrap(),
            "{name} has other bytes"
        );
    }
    // Her own parameters come first.
    let made = done(
        here,
        "colleague",
        &["--allow-all", "run", "water.bundle.lua", "--factor", "5"],
    );
    assert_eq!(made, "factor\t5\n");
}

#[test]
fn a_bundle_makes_again_what_it_says() {
    let here = handed_on(&[]);
    let here = here.path();
    let told = done(here, "colleague", &["--allow-all", "verify", "water.bundle.lua"]);
    for part in [
        "script and modules are what they were",
        "1 file of data unchanged",
        "out/bright.tif: the same, byte for byte",
        "2 of 2 results are the same",
    ] {
        assert_holds(&told, part);
    }
    assert!(
        !here.join("colleague/out").exists(),
        "verifying has written into her folder"
    );
    assert_holds(
        &done(here, "colleague", &["verify", "--no-run", "water.bundle.lua"]),
        "1 file of data unchanged",
    );
    // What nobody lets it do it does not do here either.
    let refused = ran(here, "colleague", &["verify", "water.bundle.lua"]);
    assert_eq!(refused.code, 1);
    assert_holds(&refused.err, "there is no terminal");
    // A file that the bundle has made is verified by it, too.
    done(here, "colleague", &["--allow-all", "run", "water.bundle.lua"]);
    let told = ran(here, "colleague", &["verify", "--no-run", "out/bright.tif"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert_holds(&told.out, "1 input is unchanged");
    assert!(!told.out.contains("not there"), "{told:?}");
    let told = done(here, "colleague", &["--allow-all", "verify", "out/bright.tif"]);
    assert_holds(&told, "out/bright.tif: the same, byte for byte");
    // A folder is looked through for files that were made; a bundle in it is not run for that.
    let told = ran(here, "colleague", &["verify", "--no-run", "."]).out;
    assert_holds(&told, "2 of 3 files are the same");
    assert!(!told.contains("script and modules are what they were"), "{told}");
    // Another result is told, by its pixels where the author's file is there.
    let bundle = here.join("author/water.bundle.lua");
    fs::write(
        here.join("author/tools/edges.lua"),
        MODULE.replace("* factor", "* factor + 1"),
    )
    .unwrap();
    let text = fs::read_to_string(&bundle).unwrap();
    let expected = text
        .split("[[expect]]")
        .nth(1)
        .unwrap()
        .lines()
        .nth(3)
        .unwrap()
        .to_string();
    done(
        here,
        "author",
        &[
            "bundle",
            "water.lua",
            "-p",
            "scene=data/a.tif",
            "-p",
            "factor=3",
            "-o",
            "other.lua",
        ],
    );
    let changed = fs::read_to_string(here.join("author/other.lua")).unwrap();
    let length = fs::metadata(here.join("author/out/bright.tif")).unwrap().len();
    let entry = format!("\n[[expect]]\npath = \"out/bright.tif\"\nbytes = {length}\n{expected}\n]==]");
    fs::write(here.join("author/other.lua"), changed.replacen("]==]", &entry, 1)).unwrap();
    let told = ran(here, "author", &["--allow-all", "verify", "other.lua"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_holds(&told.out, "other pixels: ");
}

#[test]
fn data_are_what_they_were_or_nothing_runs() {
    let here = handed_on(&[]);
    let here = here.path();
    let image = here.join("colleague/data/a.tif");
    let refused = |said: &str| {
        for arguments in [
            ["--allow-all", "run", "water.bundle.lua"],
            ["--allow-all", "verify", "water.bundle.lua"],
        ] {
            let run = ran(here, "colleague", &arguments);
            assert!(run.code != 0, "{run:?}");
            assert_holds(&format!("{}{}", run.out, run.err), said);
            assert!(!here.join("colleague/out").exists());
        }
    };
    let whole = fs::read(&image).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&image, &changed).unwrap();
    refused("data/a.tif has changed: its hash is");
    fs::write(&image, &whole[1..]).unwrap();
    refused("data/a.tif has changed: it has");
    fs::remove_file(&image).unwrap();
    refused("data/a.tif is not there");
    symlink(here.join("author/data/a.tif"), &image).unwrap();
    refused("is reached by the link");
    fs::remove_file(&image).unwrap();
    fs::remove_file(here.join("colleague/data/.keep")).unwrap();
    fs::remove_dir(here.join("colleague/data")).unwrap();
    symlink(here.join("author/data"), here.join("colleague/data")).unwrap();
    refused("is reached by the link");
}

#[test]
fn other_versions_are_told_and_refused_where_they_are_locked() {
    let here = handed_on(&[]);
    let here = here.path();
    let path = here.join("colleague/water.bundle.lua");
    done(
        here,
        "colleague",
        &["--allow-all", "run", "--as-locked", "water.bundle.lua"],
    );
    let text = fs::read_to_string(&path).unwrap();
    let version = format!("perilune = \"{}\"", env!("CARGO_PKG_VERSION"));
    assert_holds(&text, &version);
    fs::write(&path, text.replace(&version, "perilune = \"0.0.9\"")).unwrap();
    let run = ran(here, "colleague", &["--allow-all", "run", "water.bundle.lua"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_holds(&run.err, "note: perilune is");
    assert_holds(&run.err, "and was 0.0.9");
    let run = ran(
        here,
        "colleague",
        &["--allow-all", "run", "water.bundle.lua", "--as-locked"],
    );
    assert_eq!(run.code, 2, "{run:?}");
    assert_holds(
        &run.err,
        "--as-locked is given and it was made with other versions: perilune is",
    );
    let run = ran(here, "author", &["run", "--as-locked", "water.lua"]);
    assert_holds(&run.err, "is no bundle");
}

#[test]
fn unpacked_files_are_those_that_were_bundled() {
    let here = handed_on(&[]);
    let here = here.path();
    let told = done(here, "colleague", &["unpack", "water.bundle.lua"]);
    assert_holds(&told, "perilune run --untrusted water/water.lua");
    assert_eq!(
        fs::read_to_string(here.join("colleague/water/water.lua")).unwrap(),
        SCRIPT
    );
    assert_eq!(
        fs::read_to_string(here.join("colleague/water/tools/edges.lua")).unwrap(),
        MODULE
    );
    let again = ran(here, "colleague", &["unpack", "water.bundle.lua"]);
    assert_eq!(again.code, 2);
    assert_holds(&again.err, "is there already, and nothing is written over files");
    // A link in the place of a folder leads nowhere.
    fs::create_dir(here.join("colleague/new")).unwrap();
    symlink(here.join("elsewhere"), here.join("colleague/new/tools")).unwrap();
    let linked = ran(here, "colleague", &["unpack", "water.bundle.lua", "new"]);
    assert!(linked.code != 0, "{linked:?}");
    assert!(!here.join("elsewhere/edges.lua").exists());
    let none = ran(here, "author", &["unpack", "water.lua"]);
    assert_holds(&none.err, "is no bundle");
}

#[test]
fn two_bundles_are_compared() {
    let here = handed_on(&[]);
    let here = here.path();
    assert_eq!(
        done(
            here,
            "author",
            &["diff", "water.bundle.lua", "../colleague/water.bundle.lua"]
        ),
        "the same\n"
    );
    fs::write(
        here.join("author/water.lua"),
        SCRIPT.replace("'scene'", "'Scene'"),
    )
    .unwrap();
    done(
        here,
        "author",
        &[
            "bundle",
            "water.lua",
            "-p",
            "factor=4",
            "-p",
            "scene=data/a.tif",
            "-o",
            "new.lua",
        ],
    );
    let told = ran(here, "author", &["diff", "water.bundle.lua", "new.lua"]);
    assert_eq!(told.code, 1, "{told:?}");
    for part in [
        "parameters\n  bands: b1 → none\n  factor: 3 → 4\n",
        "expect\n  out/bright.tif: ",
        "→ none",
        "water.lua\n",
        "  -raster.open(p.scene):plot { title = 'scene' }",
        "  +raster.open",
    ] {
        assert_holds(&told.out, part);
    }
}

#[test]
fn what_means_nothing_elsewhere_is_not_bundled() {
    let here = place();
    let here = here.path();
    let refused = |arguments: &[&str], said: &str| {
        let mut all = vec!["bundle", "water.lua"];
        all.extend(arguments);
        let run = ran(here, "author", &all);
        assert_eq!(run.code, 2, "{run:?}");
        assert_holds(&run.err, said);
        assert!(!here.join("author/water.bundle.lua").exists());
    };
    let image = here.join("author/data/a.tif").display().to_string();
    refused(&["-p", &format!("scene={image}")], "the parameter scene: ");
    refused(&["-p", "scene=../elsewhere/.keep"], "lies outside of");
    refused(&["--data", "../elsewhere"], "lies outside of");
    refused(&["--data", "gone"], "no such file: gone");
    refused(&["-p", "facter=2"], "did you mean `factor`?");
    refused(&["-p", "factor"], "NAME=VALUE");
    fs::write(here.join("author/token.lua"), "params { token = '' }").unwrap();
    let run = ran(here, "author", &["bundle", "token.lua", "-p", "token=swordfish"]);
    assert_holds(&run.err, "lets others in");
    assert!(!here.join("author/token.bundle.lua").exists());
    refused(&["--outputs", "gone.tif"], "no such file: gone.tif");
    symlink("a.tif", here.join("author/data/link.tif")).unwrap();
    refused(&["--data", "data"], "is a link");
    fs::write(
        here.join("author/tools/edges.lua"),
        format!("{MODULE}\n-- {}/home/notes", here.display()),
    )
    .unwrap();
    refused(&[], "tools/edges.lua:4: -- ");
    fs::write(here.join("author/tools/edges.lua"), MODULE).unwrap();
    fs::write(
        here.join("author/water.lua"),
        format!("{SCRIPT}\nlocal a = 'x' .. '/home/ada/b.tif'"),
    )
    .unwrap();
    refused(&[], "water.lua:11: /home/ada/b.tif\nMake them parameters");
    fs::write(
        here.join("author/water.lua"),
        format!("{SCRIPT} require 'nowhere'"),
    )
    .unwrap();
    refused(&[], "requires the module `nowhere`");
    fs::write(here.join("author/water.lua"), "if").unwrap();
    refused(&[], "water.lua is no Lua");
    fs::write(here.join("author/water.lua"), SCRIPT).unwrap();
    // What was made by another text, or with other parameters, is not its result.
    done(here, "author", &["run", "water.lua", "--scene", "data/a.tif"]);
    refused(
        &["--outputs", "out/bright.tif", "-p", "factor=9"],
        "were made with factor=2",
    );
    fs::write(here.join("author/water.lua"), format!("{SCRIPT}\n")).unwrap();
    refused(
        &["--outputs", "out/bright.tif"],
        "was not made by water.lua as it is now",
    );
    fs::write(here.join("author/water.lua"), SCRIPT).unwrap();
    let run = ran(here, "author", &["bundle", "water.lua", "-o", "tools/edges.lua"]);
    assert_holds(&run.err, "nothing is written over it");
    assert_eq!(
        fs::read_to_string(here.join("author/tools/edges.lua")).unwrap(),
        MODULE
    );
    assert_holds(
        &ran(here, "author", &["bundle", "s1_vv_vh"]).err,
        "perilune workflows copy",
    );
}

#[test]
fn a_script_that_states_nothing_asks_for_its_data_and_results() {
    let here = place();
    let here = here.path();
    let script = "local raster = require 'raster' require('fs').mkdir 'made'\nraster.open 'data/a.tif':write 'made/b.tif'";
    fs::write(here.join("author/plain.lua"), script).unwrap();
    done(here, "author", &["run", "plain.lua"]);
    done(
        here,
        "author",
        &["bundle", "plain.lua", "--outputs", "made/b.tif"],
    );
    fs::copy(
        here.join("author/plain.bundle.lua"),
        here.join("colleague/plain.lua"),
    )
    .unwrap();
    let told: Json =
        serde_json::from_str(&done(here, "colleague", &["inspect", "--json", "plain.lua"])).unwrap();
    assert_eq!(told["needs"]["read"], json!(["data/a.tif"]));
    assert_eq!(told["needs"]["write"], json!(["made"]));
    done(here, "colleague", &["--allow-all", "verify", "plain.lua"]);
    // One that does more than it says is held.
    fs::write(
        here.join("author/plain.lua"),
        format!("{script}\nrequire('fs').write('more.txt', 'x')"),
    )
    .unwrap();
    done(here, "author", &["run", "plain.lua"]);
    done(
        here,
        "author",
        &["bundle", "plain.lua", "--outputs", "made/b.tif"],
    );
    fs::copy(
        here.join("author/plain.bundle.lua"),
        here.join("colleague/plain.lua"),
    )
    .unwrap();
    let run = ran(here, "colleague", &["--allow-all", "run", "plain.lua"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_holds(&run.err, "plain.lua/plain.lua:3: ");
    assert!(!here.join("colleague/more.txt").exists());
}
