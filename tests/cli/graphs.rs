//! Graphs as data: every operation is described, made again of its description, and computes the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use perilune::raster::describe::constructors;

use super::{assert_holds, folder, run};

const GRAPHS: &str = include_str!("graphs.lua");

#[test]
fn every_operation_is_made_again_of_its_description() {
    let here = folder(&[("graphs.lua", GRAPHS)]);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/located");
    fs::create_dir(here.path().join("located")).unwrap();
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, here.path().join("located").join(path.file_name().unwrap())).unwrap();
    }
    let done = run(here.path(), &["run", "-q", "graphs.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let met: BTreeSet<&str> = done.out.lines().collect();
    let missing: Vec<&str> = constructors()
        .map(|c| c.name)
        .filter(|name| !met.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "tests/cli/graphs.lua has no graph with {missing:?}"
    );
    assert!(met.len() > constructors().count() + 30, "{met:?}");
}

/// What implements a trait of the engine's has a constructor: else its graphs could be written and never read.
#[test]
fn every_operation_has_a_constructor() {
    let known: BTreeSet<&str> = constructors().map(|c| c.type_name).collect();
    let names: BTreeSet<&str> = constructors().map(|c| c.name).collect();
    assert_eq!(names.len(), constructors().count(), "two operations of one name");
    let mut found = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            folders.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines() {
            let Some((traits, name)) = line
                .strip_prefix("impl ")
                .and_then(|rest| rest.split_once(" for "))
            else {
                continue;
            };
            if [
                "Operation",
                "SceneOperation",
                "WholeOperation",
                "Locator",
                "Filter",
            ]
            .contains(&traits)
            {
                let name = name.trim_end_matches([' ', '{']);
                assert!(
                    known.contains(name),
                    "{}: {name} has no `described!`",
                    path.display()
                );
                found += 1;
            }
        }
    }
    assert!(
        found >= known.len(),
        "{found} implementations, {} constructors",
        known.len()
    );
}

#[test]
fn graphs_of_what_is_gone_or_unknown_or_closed_are_refused() {
    let here = folder(&[]);
    let make = "local g = raster.grid { rows = 2, cols = 2 } raster.constant(g, 1):write('a.tif') \
                fs.write('a.json', raster.open('a.tif'):to_json())";
    assert_eq!(run(here.path(), &["-q", "-e", make]).code, 0);
    let open = |text: &str| run(here.path(), &["-q", "-e", text]);
    let read = "print(raster.from_json(fs.read('a.json')):stats().constant.max)";
    assert_holds(&open(read).out, "1.0");
    let edited =
        |from: &str, to: &str| format!("raster.from_json((fs.read('a.json'):gsub('{from}', '{to}', 1)))");
    assert_holds(
        &open(&edited("raster%.open", "raster.opem")).err,
        "did you mean `raster.open`?",
    );
    assert_holds(
        &open(&edited("\"version\":1", "\"version\":2")).err,
        "is of version 2 there and of version 1",
    );
    assert_holds(
        &open(&edited("\"format\":1", "\"format\":9")).err,
        "in form 9, which this program does not know",
    );
    assert_holds(
        &open(&edited("\"band\":1", "\"band\":\"x\"")).err,
        "are not what it takes",
    );
    assert_holds(
        &open("raster.from_json('[')").err,
        "JSON that Raster:to_json gave",
    );
    // What `raster.open` must not open stays closed.
    let closed =
        "raster.from_json((fs.read('a.json'):gsub('\"name\":\"[^\"]*a.tif', '\"name\":\"/proc/self/maps')))";
    let allowed = open("raster.open('/proc/self/maps')").err;
    let reason = allowed
        .lines()
        .next()
        .unwrap()
        .split("maps")
        .nth(1)
        .unwrap()
        .to_string();
    assert_holds(&open(closed).err, &reason);
    let change = "raster.constant(raster.grid { rows = 2, cols = 2 }, 2):write('a.tif')";
    assert_eq!(open(change).code, 0);
    assert_holds(
        &open(read).err,
        "the file has changed since the graph was described",
    );
    fs::remove_file(here.path().join("a.tif")).unwrap();
    assert_holds(&open(read).err, "No such file or directory");
}
