//! The plan of the house, held: who leans on whom, which room names which library, how long files get.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, extension, out);
        } else if path.extension().is_some_and(|e| e == extension) {
            out.push(path);
        }
    }
}

/// (room, path, code without tests and comments) of every source file; the room is the first folder or file name.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files(&src, "rs", &mut paths);
    // What calls the parsers of all rooms is of no room, and of no binary.
    paths
        .into_iter()
        .filter(|path| !path.ends_with("src/fuzzing.rs"))
        .map(|path| {
            let relative = path.strip_prefix(&src).unwrap();
            let first = relative.iter().next().unwrap().to_string_lossy();
            let room = first.trim_end_matches(".rs").to_string();
            let text = fs::read_to_string(&path).unwrap();
            // Long test modules are files of their own.
            let text = if path.ends_with("tests.rs") {
                String::new()
            } else {
                text
            };
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code: Vec<&str> = code
                .lines()
                .filter(|l| !l.trim_start().starts_with("//"))
                .collect();
            (room, relative.to_path_buf(), code.join("\n"))
        })
        .collect()
}

#[test]
fn rooms_lean_only_on_those_before_them() {
    let share = "error time gate work bounds bytes scratch files interrupt raster filter correlation vector table plot catalog inference learning";
    let share: Vec<&str> = share.split(' ').collect();
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("error", [].as_slice()),
        ("interrupt", &["error"]),
        ("gate", &["error"]),
        ("files", &["error", "gate"]),
        ("scratch", &["error"]),
        ("bounds", &["error", "interrupt", "work", "gate"]),
        ("package", &[]),
        ("panics", &["error"]),
        ("work", &["error", "interrupt", "panics"]),
        ("earth", &["error"]),
        ("statistics", &["error"]),
        ("time", &[]),
        (
            "bytes",
            &["error", "gate", "files", "interrupt", "package", "work", "bounds"],
        ),
        (
            "raster",
            &[
                "earth",
                "statistics",
                "error",
                "gate",
                "files",
                "interrupt",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "panics",
            ],
        ),
        (
            "filter",
            &[
                "earth",
                "error",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "interrupt",
                "raster",
            ],
        ),
        (
            "correlation",
            &[
                "earth",
                "statistics",
                "error",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "interrupt",
                "raster",
                "table",
            ],
        ),
        (
            "vector",
            &[
                "statistics",
                "error",
                "gate",
                "interrupt",
                "panics",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "files",
                "raster",
                "table",
                "earth",
            ],
        ),
        (
            "table",
            &[
                "statistics",
                "error",
                "time",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "files",
                "interrupt",
                "panics",
            ],
        ),
        (
            "plot",
            &[
                "earth",
                "statistics",
                "error",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "files",
                "raster",
                "table",
                "vector",
            ],
        ),
        (
            "catalog",
            &[
                "error",
                "gate",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "files",
                "interrupt",
                "earth",
                "time",
                "panics",
            ],
        ),
        ("libraries", &["error", "gate", "interrupt"]),
        (
            "inference",
            &[
                "libraries",
                "statistics",
                "error",
                "gate",
                "interrupt",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "files",
                "panics",
                "raster",
            ],
        ),
        (
            "learning",
            &[
                "libraries",
                "earth",
                "statistics",
                "error",
                "gate",
                "interrupt",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "files",
                "panics",
                "raster",
                "filter",
                "vector",
                "table",
                "plot",
                "inference",
            ],
        ),
        ("share", share.as_slice()),
        ("console", &["error", "work"]),
        (
            "lua",
            &[
                "share",
                "error",
                "time",
                "gate",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "files",
                "interrupt",
                "raster",
                "filter",
                "correlation",
                "vector",
                "table",
                "plot",
                "catalog",
                "inference",
                "learning",
                "panics",
            ],
        ),
        (
            "host",
            &[
                "share",
                "error",
                "time",
                "gate",
                "work",
                "bounds",
                "bytes",
                "scratch",
                "files",
                "interrupt",
                "console",
                "raster",
                "filter",
                "correlation",
                "vector",
                "table",
                "plot",
                "catalog",
                "inference",
                "libraries",
                "learning",
                "share",
                "lua",
                "package",
                "panics",
            ],
        ),
    ]);
    let mut wrong = Vec::new();
    for (room, path, code) in sources() {
        if room == "lib" || room == "main" {
            continue;
        }
        let may = allowed
            .get(room.as_str())
            .unwrap_or_else(|| panic!("{} is in a room without rules", path.display()));
        for line in code.lines() {
            for part in line.split("crate::").skip(1) {
                let used: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let is_room = allowed.contains_key(used.as_str());
                if is_room && used != room && !may.contains(&used.as_str()) {
                    wrong.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these lean the wrong way:\n{}",
        wrong.join("\n")
    );
}

/// The names of a `use` with its braces opened: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn opened(text: &str) -> Vec<String> {
    let Some(brace) = text.find('{') else {
        return vec![text.split(" as ").next().unwrap_or_default().trim().to_string()];
    };
    let inside = text[brace + 1..].trim_end().trim_end_matches('}');
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (i, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts
        .flat_map(|part| opened(&format!("{}{}", &text[..brace], part.trim())))
        .collect()
}

/// Files of one room that lean on each other in a circle, each circle by the names of its modules. A module that only gathers those in its folder
/// leans on nothing.
fn circles() -> Vec<Vec<String>> {
    let mut leans: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, path, code) in sources() {
        let gathers = path.ends_with("mod.rs") || path.ends_with("lib.rs") || path.ends_with("main.rs");
        let path = path.with_extension("");
        let module = path.to_string_lossy().trim_end_matches("/mod").replace('/', "::");
        // What `super` is.
        let above = match module.rsplit_once("::") {
            Some((above, _)) => above.to_string(),
            None => String::new(),
        };
        let mut uses = Vec::new();
        let text = code.replace('\n', " ");
        for part in text.split("use ").skip(1).filter(|_| !gathers) {
            for name in opened(part.split(';').next().unwrap_or_default()) {
                let name = match name.strip_prefix("super::") {
                    Some(rest) if rest.starts_with("super::") => continue,
                    Some(rest) if above.is_empty() => rest.to_string(),
                    Some(rest) => format!("{above}::{rest}"),
                    None => match name.strip_prefix("crate::") {
                        Some(rest) => rest.to_string(),
                        None => continue,
                    },
                };
                uses.push(name);
            }
        }
        leans.insert(module, uses);
    }
    let room = |module: &str| module.split("::").next().unwrap_or_default().to_string();
    let modules: Vec<String> = leans.keys().cloned().collect();
    let edges: BTreeMap<&str, Vec<&str>> = leans
        .iter()
        .map(|(module, uses)| {
            // The file that a name is in: the longest module that begins it.
            let file = |name: &String| {
                let within = |m: &&String| name == *m || name.starts_with(&format!("{m}::"));
                modules.iter().filter(within).max_by_key(|m| m.len())
            };
            let there = uses
                .iter()
                .filter_map(file)
                .filter(|m| *m != module && room(m) == room(module));
            (module.as_str(), there.map(String::as_str).collect())
        })
        .collect();
    let reached = |from: &str| {
        let (mut seen, mut left) = (std::collections::BTreeSet::new(), vec![from.to_string()]);
        while let Some(module) = left.pop() {
            for next in edges.get(module.as_str()).into_iter().flatten() {
                if seen.insert(next.to_string()) {
                    left.push(next.to_string());
                }
            }
        }
        seen
    };
    let all: BTreeMap<&str, _> = edges.keys().map(|module| (*module, reached(module))).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    for (module, reach) in &all {
        let circle: Vec<String> = reach
            .iter()
            .filter(|other| all.get(other.as_str()).is_some_and(|back| back.contains(*module)))
            .cloned()
            .collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

#[test]
fn circles_inside_rooms_do_not_grow() {
    // Files in circles today. Fewer is better: lower the number with them.
    const MOST: usize = 67;
    let found = circles();
    let files: usize = found.iter().map(Vec::len).sum();
    let shown: Vec<String> = found.iter().map(|circle| circle.join(" ↔ ")).collect();
    assert!(
        files <= MOST,
        "{files} files lean on each other in circles, more than {MOST}:\n{}",
        shown.join("\n")
    );
}

#[test]
fn names_of_a_use_are_opened() {
    assert_eq!(opened("a::{b, c::{d, e as f}}"), ["a::b", "a::c::d", "a::c::e"]);
    assert_eq!(opened("super::pool"), ["super::pool"]);
}

#[test]
fn libraries_stay_in_their_rooms() {
    let homes: [(&str, &[&str]); 39] = [
        ("gdal", &["raster", "vector"]),
        ("gdal_sys", &["bytes", "raster", "vector"]),
        ("landlock", &["host"]),
        ("seccompiler", &["host"]),
        ("rust_hdf5", &["raster"]),
        ("toml", &["share"]),
        ("toml_edit", &["share"]),
        ("ssh_key", &["share"]),
        ("ring", &["share", "host"]),
        ("similar", &["host", "share"]),
        ("mlua", &["lua", "host", "main"]),
        ("rustfft", &["correlation"]),
        ("tiny_skia", &["plot"]),
        ("ttf_parser", &["plot"]),
        ("icy_sixel", &["plot"]),
        ("pdf_writer", &["plot"]),
        ("subsetter", &["plot"]),
        ("gif", &["plot"]),
        ("plotters", &["plot"]),
        ("plotters_backend", &["plot"]),
        ("rustyline", &["host"]),
        ("clap", &["host", "main"]),
        ("reqwest", &["bytes"]),
        ("tokio", &["bytes", "catalog", "host"]),
        ("zeromq", &["host"]),
        ("stac", &["catalog"]),
        ("object_store", &["bytes"]),
        ("zip", &["catalog", "share"]),
        ("parquet", &["catalog", "table", "vector"]),
        ("arrow_array", &["table", "vector"]),
        ("arrow_buffer", &["table", "vector"]),
        ("arrow_schema", &["table", "vector"]),
        ("arrow_select", &["table"]),
        ("ort", &["inference"]),
        ("rten", &["inference"]),
        ("rten_tensor", &["inference"]),
        ("libloading", &["inference", "learning", "libraries"]),
        ("safetensors", &["learning"]),
        ("pytorch_reader", &["learning"]),
    ];
    let mut wrong = Vec::new();
    for (room, path, code) in sources() {
        for (library, rooms) in homes {
            let named = code.lines().any(|l| {
                let l = l.trim_start();
                l.starts_with(&format!("use {library}::"))
                    || l.contains(&format!(" {library}::"))
                    || l.contains(&format!("({library}::"))
            });
            if named && !rooms.contains(&room.as_str()) {
                wrong.push(format!(
                    "{} names {library}, which belongs to {}",
                    path.display(),
                    rooms.join(", ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn kernels_know_no_files_and_no_clock() {
    for (room, path, code) in sources() {
        if room == "filter" || room == "correlation" {
            for banned in ["std::fs", "std::time", "std::env", "std::net"] {
                assert!(!code.contains(banned), "{} uses {banned}", path.display());
            }
        }
    }
}

#[test]
fn nothing_that_a_user_causes_can_panic() {
    let mut wrong = Vec::new();
    for (_, path, code) in sources() {
        for line in code.lines() {
            if line.contains(".unwrap()") || line.contains("todo!(") || line.contains("unimplemented!(") {
                wrong.push(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_states_its_invariant() {
    let src = root().join("src");
    let mut paths = Vec::new();
    files(&src, "rs", &mut paths);
    let mut wrong = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("unsafe {") || code.contains("unsafe impl") {
                let above = &lines[i.saturating_sub(6)..=i];
                if !above.iter().any(|l| l.contains("SAFETY")) {
                    wrong.push(format!("{}:{}", path.display(), i + 1));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "unsafe without a SAFETY comment above it:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn files_hold_one_thing() {
    let mut long = Vec::new();
    for folder in ["src", "stdlib", "tests"] {
        for extension in ["rs", "lua"] {
            let mut paths = Vec::new();
            files(&root().join(folder), extension, &mut paths);
            for path in paths {
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                // The stubs are one file a module, however much a module holds.
                if lines > 650 && !path.to_string_lossy().contains("_meta") {
                    long.push(format!("{} has {lines} lines", path.display()));
                }
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// Of Cargo.toml's tables of dependencies.
fn direct_dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || line == "[dev-dependencies]";
        } else if let (true, Some((name, _))) = (inside, line.split_once('=')) {
            names.push(name.trim().to_string());
        }
    }
    names
}

#[test]
fn each_direct_dependency_has_its_reason_in_the_design() {
    let design = fs::read_to_string(root().join("docs/design.md")).unwrap();
    let section = design
        .split("\n## Dependencies\n")
        .nth(1)
        .expect("a section of dependencies");
    let section = section.split("\n## ").next().unwrap();
    let named: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let wanted = direct_dependencies();
    assert!(wanted.len() > 50, "{wanted:?}");
    for name in &wanted {
        assert!(
            named.contains(&name.as_str()),
            "docs/design.md does not say why `{name}` is depended on"
        );
    }
    for name in named {
        assert!(
            wanted.iter().any(|w| w == name),
            "docs/design.md names `{name}`, which Cargo.toml does not"
        );
    }
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let mut paths = Vec::new();
    for (folder, extension) in [("src", "rs"), ("stdlib", "lua"), ("docs", "md")] {
        files(&root().join(folder), extension, &mut paths);
    }
    paths.push(root().join("README.md"));
    for path in paths.into_iter().filter(|p| !p.ends_with("tests.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        for banned in ["../shared", "/work/", "/tmp/target", "TODO", "FIXME"] {
            assert!(!text.contains(banned), "{} mentions {banned}", path.display());
        }
    }
}

/// Texts of the core rooms are for any caller: calls and options of scripts are added by `lua::remedies`, where the words of `error::Remedy`
/// stand. Those left name options of files.
#[test]
fn texts_of_the_core_speak_no_lua() {
    // Fewer is better: lower the number with them.
    const MOST: usize = 8;
    let literal = regex::Regex::new(r#""(?:[^"\\]|\\.)*""#).unwrap();
    let lua = regex::Regex::new(concat!(
        r"[`\s(][a-z]*:[a-z_]+\(|\{+ ?[a-z_]+ ?= |",
        r"`(?:raster|filter|geometry|catalog|plot|fs|tables|correlation|items)[.:][a-z_]+"
    ))
    .unwrap();
    let mut found = Vec::new();
    for (room, path, code) in sources() {
        if matches!(room.as_str(), "lua" | "host") {
            continue;
        }
        for line in code.lines() {
            let texts = literal.find_iter(line).filter(|text| lua.is_match(text.as_str()));
            found.extend(texts.map(|text| format!("{}: {}", path.display(), text.as_str())));
        }
    }
    assert!(
        found.len() <= MOST,
        "{} texts speak Lua, more than {MOST}:\n{}",
        found.len(),
        found.join("\n")
    );
}
