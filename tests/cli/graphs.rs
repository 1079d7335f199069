//! Graphs as data: every operation is described, made again of its description, and computes the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use perilune::raster::Window;
use perilune::raster::describe::constructors;
use perilune::raster::exchange::raster_from_json;
use perilune::raster::execute::Run;
use perilune::work::Context;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{assert_holds, folder, run};

const GRAPHS: &str = include_str!("graphs.lua");

/// A folder with a description of every operation, and the names of those.
fn described() -> (TempDir, String) {
    let here = folder(&[("graphs.lua", GRAPHS)]);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/located");
    fs::create_dir(here.path().join("described")).unwrap();
    fs::create_dir(here.path().join("located")).unwrap();
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, here.path().join("located").join(path.file_name().unwrap())).unwrap();
    }
    let done = run(here.path(), &["run", "-q", "graphs.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    (here, done.out)
}

#[test]
fn every_operation_is_made_again_of_its_description() {
    let (_here, met) = described();
    let met: BTreeSet<&str> = met.lines().collect();
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

/// What implements a trait of the engine's has a constructor, or refuses to be described: else its graphs could be written and never read.
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
                "LatticeOperation",
                "Locator",
                "Filter",
            ]
            .contains(&traits)
            {
                let name = name.trim_end_matches([' ', '{']);
                let body = code.split(line).nth(1).unwrap_or_default();
                let body = body.split("\n}\n").next().unwrap_or_default();
                let refuses = body.contains("fn describe(&self) -> Result<Description> {\n        Err(");
                if refuses {
                    continue;
                }
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

/// What somebody might make of a value.
fn edits(value: &Json) -> Vec<Json> {
    match value {
        Json::Number(_) => vec![
            json!(-1),
            json!(0),
            json!(1),
            json!(2),
            json!(0.5),
            json!(4_000_000_000u64),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(-1e300),
            json!({ "not finite": "NaN" }),
            Json::Null,
        ],
        Json::String(_) => vec![json!("x"), json!(""), json!(1)],
        Json::Bool(v) => vec![json!(!v)],
        Json::Null => vec![json!(1), json!(-0.5)],
        Json::Array(list) => {
            let (mut shorter, mut longer) = (list.clone(), list.clone());
            shorter.pop();
            longer.extend(list.last().cloned());
            vec![Json::Array(shorter), Json::Array(longer), json!([]), json!({})]
        }
        Json::Object(map) => {
            let without = |key: &String| {
                let mut fewer = map.clone();
                fewer.remove(key);
                Json::Object(fewer)
            };
            map.keys()
                .map(without)
                .chain([json!([]), json!("none")])
                .collect()
        }
    }
}

/// The places of all values below one, as JSON pointers. Of long lists of numbers the ends are enough.
fn places(value: &Json, at: &str, found: &mut Vec<String>) {
    found.push(at.to_string());
    match value {
        Json::Array(list) => {
            for (i, item) in list
                .iter()
                .enumerate()
                .filter(|(i, _)| *i < 3 || i + 1 == list.len())
            {
                places(item, &format!("{at}/{i}"), found);
            }
        }
        Json::Object(map) => {
            for (key, item) in map {
                places(item, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// Computes some pixels of every band.
fn compute(graph: &Json) -> perilune::error::Result<()> {
    let image = raster_from_json(graph, &|path| Ok(path.to_string()))?;
    let (rows, cols) = (image.grid.rows.min(9), image.grid.cols.min(9));
    for port in image.ports() {
        let window = Window::new(
            image.grid.rows as isize / 2,
            image.grid.cols as isize / 2,
            rows,
            cols,
        );
        let window = window.intersect(&image.grid.window());
        Run::prepare(&image.grid, std::slice::from_ref(&port), window)?.collect_quietly()?;
    }
    Ok(())
}

/// A description may have been edited: what it says then is computed, or an error names what cannot be.
#[test]
fn edited_descriptions_are_images_or_errors() {
    let (here, _) = described();
    let _entered = Context::new().with_threads(1).with_memory(1 << 28).enter();
    let mut files: Vec<_> = fs::read_dir(here.path().join("described"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let (mut tried, mut computed, mut wrong) = (0, 0, Vec::new());
    // The same value of the same operation in other graphs is not edited again and again.
    let mut seen: HashMap<String, usize> = HashMap::new();
    for file in files {
        let whole: Json = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        compute(&whole).unwrap();
        let mut found = Vec::new();
        places(&whole, "", &mut found);
        for place in found {
            let mut names = place.split('/');
            let node = match (names.nth(2), names.next()) {
                (Some("nodes"), Some(number)) => whole.pointer(&format!("/graph/nodes/{number}/operation")),
                _ => None,
            };
            let digits = |c: char| if c.is_ascii_digit() { '#' } else { c };
            let key = format!("{node:?} {}", place.chars().map(digits).collect::<String>());
            let times = seen.entry(key).or_default();
            *times += 1;
            if *times > 2 {
                continue;
            }
            for edit in edits(whole.pointer(&place).unwrap()) {
                let mut edited = whole.clone();
                *edited.pointer_mut(&place).unwrap() = edit.clone();
                tried += 1;
                let told = match catch_unwind(AssertUnwindSafe(|| compute(&edited))) {
                    Ok(Ok(())) => {
                        computed += 1;
                        continue;
                    }
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "a panic: internal error".to_string(),
                };
                if told.contains("internal error") {
                    let name = file.file_stem().unwrap_or_default().to_string_lossy();
                    wrong.push(format!("{name}: {place} = {edit}: {told}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(computed > 300 && tried > 3000, "{computed} of {tried}");
}
