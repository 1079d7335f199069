//! Bundles as RO-Crates in zips.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::bundle::{done, handed_on, ran};
use super::{assert_holds, finish, of_setup};

/// The members of a zip, unpacked by another program than ours.
fn unpacked(here: &Path, zip: &str, folder: &str) -> Option<PathBuf> {
    let to = here.join(folder);
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nz.extractall(sys.argv[2])";
    let done = Command::new("python3")
        .args(["-c", script])
        .arg(here.join(zip))
        .arg(&to)
        .output();
    match done {
        Err(_) => {
            println!("skipped: needs python3");
            None
        }
        Ok(done) => {
            assert!(done.status.success(), "{done:?}");
            Some(to)
        }
    }
}

#[test]
fn a_bundle_is_exported_with_its_data_and_results() {
    let here = handed_on(&[
        "--author",
        "Ada Example <https://orcid.org/0000-0002-1825-0097>",
        "--license",
        "CC-BY-4.0",
        "--citation",
        "Example 2026",
    ]);
    let here = here.path();
    let told = done(
        here,
        "author",
        &["bundle", "export", "water.bundle.lua", "--date", "2026-11-30"],
    );
    assert_holds(
        &told,
        "water.zip: water.bundle.lua with 1 file of data and 2 results",
    );
    // The same files are the same bytes.
    done(
        here,
        "author",
        &[
            "bundle",
            "export",
            "water.bundle.lua",
            "-o",
            "again.zip",
            "--date",
            "2026-11-30",
            "--results",
            "out",
        ],
    );
    assert!(
        fs::read(here.join("author/water.zip")).unwrap() == fs::read(here.join("author/again.zip")).unwrap()
    );
    let Some(to) = unpacked(here, "author/water.zip", "crate") else {
        return;
    };
    for name in [
        "water.bundle.lua",
        "data/a.tif",
        "out/bright.tif",
        "out/scene.png",
    ] {
        assert!(
            fs::read(to.join(name)).unwrap() == fs::read(here.join("author").join(name)).unwrap(),
            "{name}"
        );
    }
    let text = fs::read_to_string(to.join("ro-crate-metadata.json")).unwrap();
    assert!(!text.contains(&here.display().to_string()), "{text}");
    let json: Json = serde_json::from_str(&text).unwrap();
    let entities = json["@graph"].as_array().unwrap();
    let of = |id: &str| entities.iter().find(|entity| entity["@id"] == id).unwrap();
    assert_eq!(of("./")["datePublished"], "2026-11-30");
    assert_eq!(of("./")["license"]["@id"], "https://spdx.org/licenses/CC-BY-4.0");
    assert_eq!(
        of("./")["author"][0]["@id"],
        "https://orcid.org/0000-0002-1825-0097"
    );
    assert_holds(
        of("./")["description"].as_str().unwrap(),
        "Brightens an image.\nTo be cited as: Example 2026",
    );
    assert_eq!(of("#run")["instrument"]["@id"], "water.bundle.lua");
    assert_eq!(of("#parameter-factor")["value"], "3");
    assert_eq!(of("out/bright.tif")["wasGeneratedBy"]["@id"], "#run");
    // It runs where it was unpacked, and makes the same.
    fs::remove_dir_all(to.join("out")).unwrap();
    let told = done(here, "crate", &["--allow-all", "verify", "water.bundle.lua"]);
    assert_holds(&told, "2 of 2 results are the same");
}

#[test]
fn what_is_large_is_named_and_what_is_not_as_stated_is_refused() {
    let here = handed_on(&[]);
    let here = here.path();
    let told = done(
        here,
        "author",
        &["bundle", "export", "water.bundle.lua", "--largest", "1000"],
    );
    assert_holds(&told, "with 0 files of data");
    assert_holds(&told, "not in it, and named: data/a.tif");
    fs::write(here.join("author/out/bright.tif"), "another").unwrap();
    fs::remove_file(here.join("author/water.zip")).unwrap();
    for (arguments, said) in [
        (
            &["bundle", "export", "water.bundle.lua"] as &[&str],
            "out/bright.tif is not what the bundle says that it makes",
        ),
        (&["bundle", "export", "water.lua"], "is no bundle"),
        (
            &["bundle", "export", "water.bundle.lua", "--results", "nowhere"],
            "no such file",
        ),
        (
            &[
                "bundle",
                "export",
                "water.bundle.lua",
                "--results",
                "out/scene.png",
                "--date",
                "soon",
            ],
            "a day such as",
        ),
    ] {
        let refused = ran(here, "author", arguments);
        assert_eq!(refused.code, 2, "{arguments:?}: {refused:?}");
        assert_holds(&refused.err, said);
    }
    fs::write(here.join("author/data/a.tif"), "another").unwrap();
    let refused = ran(here, "author", &["bundle", "export", "water.bundle.lua"]);
    assert_holds(&refused.err, "data/a.tif has changed");
    assert!(!here.join("author/water.zip").exists());
}

/// By PyPI's roc-validator, which nobody here wrote; see tests/reference/crates.py.
#[test]
fn the_zip_is_a_crate_by_its_profiles() {
    let Some(python) = of_setup("ro-crate/bin/python") else {
        return;
    };
    let here = handed_on(&["--author", "Ada Example", "--license", "MIT"]);
    let here = here.path();
    for (i, more) in [
        &[] as &[&str],
        &["--largest", "1000", "--results", "out/scene.png"],
    ]
    .into_iter()
    .enumerate()
    {
        let zip = format!("{i}.zip");
        let mut arguments = vec!["bundle", "export", "water.bundle.lua", "-o", &zip];
        arguments.extend(more);
        done(here, "author", &arguments);
        let Some(to) = unpacked(here, &format!("author/{zip}"), &format!("crate{i}")) else {
            return;
        };
        let root =
            std::env::var_os("PERILUNE_TEST_ROOT").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let mut command = Command::new(&python);
        command
            .arg(Path::new(&root).join("tests/reference/crates.py"))
            .arg(to);
        let done = finish(command);
        assert_eq!(done.code, 0, "{more:?}: {}{}", done.out, done.err);
    }
}
