//! `perilune convert`: scripts and notebooks, there and back.

use std::path::{Path, PathBuf};

use super::{assert_holds, folder, run};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn lua_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            lua_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "lua") {
            found.push(path);
        }
    }
}

/// Every script that is here comes back byte for byte, and its notebook is what nbformat's schema asks for.
#[test]
fn every_script_of_ours_comes_back() {
    let here = folder(&[
        ("shell.lua", "#!/usr/bin/env -S perilune run\n-- One.\nprint(1)"),
        ("dos.lua", "-- One.\r\n\r\n--%% Two\r\nprint(2)\r\n"),
        ("empty.lua", ""),
    ]);
    let mut files: Vec<PathBuf> = ["shell.lua", "dos.lua", "empty.lua"]
        .map(|name| here.path().join(name))
        .to_vec();
    lua_files(&root().join("stdlib/workflows"), &mut files);
    assert!(files.len() > 15);
    for file in files {
        let name = file.display().to_string();
        let done = run(here.path(), &["convert", &name, "a.ipynb", "--force"]);
        assert_eq!(done.code, 0, "{name}: {}", done.err);
        let notebook = std::fs::read_to_string(here.path().join("a.ipynb")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&notebook).unwrap();
        assert_eq!(
            (json["nbformat"].as_u64(), json["nbformat_minor"].as_u64()),
            (Some(4), Some(5))
        );
        for cell in json["cells"].as_array().unwrap() {
            let keys: Vec<&str> = cell.as_object().unwrap().keys().map(String::as_str).collect();
            match cell["cell_type"].as_str() {
                Some("code") => assert_eq!(
                    keys,
                    [
                        "cell_type",
                        "execution_count",
                        "id",
                        "metadata",
                        "outputs",
                        "source"
                    ]
                ),
                Some("markdown") => assert_eq!(keys, ["cell_type", "id", "metadata", "source"]),
                other => panic!("{other:?}"),
            }
        }
        let done = run(here.path(), &["convert", "a.ipynb", "b.lua", "--force"]);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{name}");
        assert!(
            std::fs::read(here.path().join("b.lua")).unwrap() == std::fs::read(&file).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn steps_are_cells_of_words_and_code() {
    let here = folder(&[]);
    let done = run(here.path(), &["convert", "s1_vv_vh", "a.ipynb"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(here.path().join("a.ipynb")).unwrap()).unwrap();
    let source = |i: usize| -> String {
        let lines = json["cells"][i]["source"].as_array().unwrap();
        lines.iter().map(|line| line.as_str().unwrap()).collect()
    };
    assert!(source(0).starts_with("VV/VH ratio of a stack of Sentinel-1 images"));
    assert!(source(1).starts_with("local raster, fs, geometry, plot = require"));
    assert_eq!(source(2), "## Open the images");
    assert_eq!(json["cells"][3]["cell_type"], "code");
    assert!(json["cells"][3]["metadata"].as_object().unwrap().is_empty());
}

/// One that Jupyter's own library wrote (tests/reference/notebook.py).
#[test]
fn a_notebook_of_jupyter_becomes_a_script() {
    let here = folder(&[]);
    let from = root()
        .join("tests/fixtures/notebook/written.ipynb")
        .display()
        .to_string();
    let done = run(here.path(), &["convert", &from, "a.lua"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_holds(&done.err, "has 1 cell with outputs, which a script does not hold");
    assert_holds(&done.err, "has 1 cell of raw text, which are words now");
    let script = std::fs::read_to_string(here.path().join("a.lua")).unwrap();
    assert_eq!(
        script,
        "-- # Levels\n--\n-- Of a lake, *by year*.\n\nlocal tables = require \"tables\"\n\n--%% Read\n-- As measured:\n--\n-- - in metres\n\n\
         local n = 1\n\nn = n + 1\n\n--%%\nprint(n)\n\n--%% [markdown]\n-- That was all.\n\n--%% [markdown]\n-- raw\n"
    );
    let ran = run(here.path(), &["run", "a.lua"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "2\n"), "{}", ran.err);
    // And back: the same cells.
    let done = run(here.path(), &["convert", "a.lua", "b.ipynb"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let sources = |path: &Path| -> Vec<String> {
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cells = json["cells"].as_array().unwrap().iter();
        cells
            .map(|cell| match &cell["source"] {
                serde_json::Value::String(text) => text.clone(),
                lines => lines
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|line| line.as_str().unwrap())
                    .collect(),
            })
            .collect()
    };
    assert_eq!(sources(&here.path().join("b.ipynb")), sources(Path::new(&from)));
}

#[test]
fn what_cannot_be_converted_says_why() {
    let python =
        r#"{"nbformat":4,"nbformat_minor":5,"metadata":{"kernelspec":{"language":"python"}},"cells":[]}"#;
    let here = folder(&[
        ("python.ipynb", python),
        ("old.ipynb", r#"{"nbformat":3,"worksheets":[]}"#),
        ("none.ipynb", "{}"),
        ("cut.ipynb", "{\"nbformat\":"),
        (
            "cell.ipynb",
            r#"{"nbformat":4,"cells":[{"cell_type":"code","source":[1]}]}"#,
        ),
        ("a.lua", "print(1)"),
        ("taken.ipynb", "mine"),
    ]);
    for (from, to, reason) in [
        (
            "python.ipynb",
            "x.lua",
            "python.ipynb: its cells are python, not Lua",
        ),
        ("old.ipynb", "x.lua", "nbformat 3"),
        ("none.ipynb", "x.lua", "it is no notebook"),
        ("cut.ipynb", "x.lua", "it is no JSON"),
        ("cell.ipynb", "x.lua", "its cell 1 has no text"),
        ("a.lua", "taken.ipynb", "exists already; --force replaces it"),
        ("a.lua", "b.lua", "one is a script and the other a notebook"),
        ("a.lua", "none/b.ipynb", "does not exist"),
        ("no.lua", "b.ipynb", "no script `no.lua`"),
    ] {
        let done = run(here.path(), &["convert", from, to]);
        assert_eq!(done.code, 2, "{from}: {}", done.err);
        assert_holds(&done.err, reason);
    }
    assert_eq!(
        std::fs::read_to_string(here.path().join("taken.ipynb")).unwrap(),
        "mine"
    );
    assert!(!here.path().join("x.lua").exists());
}
