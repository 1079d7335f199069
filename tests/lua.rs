//! Runs every tests/lua/<module>/*.lua in a fresh virtual machine. `cargo test --test lua -- NAME` runs those whose
//! path holds NAME. A file calls `test("what holds", function() … end)`; a failure names the file and line.
//!
//! Beside Lua's own functions a file has `assert_error(fn, pattern)`, `assert_close(a, b, tolerance?)`, `folder`
//! (an empty folder of its own, the working folder), `shared(path)` (a path in ../shared/data; without that folder
//! the test is skipped) and `fixture(path)` (a path in tests/fixtures).

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlua::{Function, Table};
use perilune::host::{Limits, Runtime};
use perilune::lua::Access;

const HARNESS: &str = r#"
local tests, root, shared_root = {}, ...
local SKIP = {}

function test(name, body)
  tests[#tests + 1] = { name = name, body = body }
end

function assert_error(body, pattern)
  local ok, message = pcall(body)
  if ok then error("expected an error like `" .. pattern .. "`, but the call succeeded", 2) end
  if type(message) ~= "string" then error("expected a string as error, got " .. type(message), 2) end
  if not message:find(pattern) then
    error("expected an error like `" .. pattern .. "`, got: " .. message, 2)
  end
  return message
end

function assert_close(actual, expected, tolerance)
  tolerance = tolerance or 1e-6
  if type(actual) ~= "number" or not (math.abs(actual - expected) <= tolerance) then
    error(("expected %.9g ± %.3g, got %s"):format(expected, tolerance, tostring(actual)), 2)
  end
end

function shared(path)
  if not shared_root then error(SKIP, 0) end
  return shared_root .. "/" .. path
end

function fixture(path)
  return root .. "/tests/fixtures/" .. path
end

return function(body)
  local ok, message = xpcall(body, function(message)
    return message == SKIP and SKIP or debug.traceback(tostring(message), 2)
  end)
  return ok and "ok" or message == SKIP and "skipped" or message
end, tests
"#;

enum Outcome {
    Passed,
    Skipped,
    Failed(String),
}

fn main() -> ExitCode {
    let filters: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    find(&root.join("tests/lua"), &mut files);
    files.retain(|f| filters.is_empty() || filters.iter().any(|x| f.to_string_lossy().contains(x.as_str())));
    files.sort();
    if std::env::args().any(|a| a == "--list") {
        files.iter().for_each(|f| println!("{}: test", f.display()));
        return ExitCode::SUCCESS;
    }
    assert!(!files.is_empty() || !filters.is_empty(), "no Lua tests found");

    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcomes = run(file, &root);
                    results.lock().unwrap().extend(outcomes);
                }
            });
        }
    });

    let mut results = results.into_inner().unwrap();
    results.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut passed, mut skipped, mut failed) = (0, 0, 0);
    for (name, outcome) in results {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped => {
                skipped += 1;
                println!("skipped: needs ../shared/data: {name}");
            }
            Outcome::Failed(message) => {
                failed += 1;
                println!("FAILED {name}\n  {}\n", message.replace('\n', "\n  "));
            }
        }
    }
    println!(
        "{} files: {passed} passed, {failed} failed, {skipped} skipped",
        files.len()
    );
    if failed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|e| e == "lua") {
            files.push(path);
        }
    }
}

fn run(file: &Path, root: &Path) -> Vec<(String, Outcome)> {
    let shown = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let failed = |error: mlua::Error| vec![(shown.clone(), Outcome::Failed(error.to_string()))];
    match run_tests(file, root, &shown) {
        Ok(outcomes) if outcomes.is_empty() => {
            vec![(shown, Outcome::Failed("the file defines no test".to_string()))]
        }
        Ok(outcomes) => outcomes,
        Err(error) => failed(error),
    }
}

fn run_tests(file: &Path, root: &Path, shown: &str) -> mlua::Result<Vec<(String, Outcome)>> {
    let folder = tempfile::tempdir()?;
    let runtime =
        Runtime::new(Limits::default(), Access::new(folder.path())).map_err(mlua::Error::external)?;
    let lua = runtime.lua();
    let shared = root.join("../shared/data");
    let shared = shared.is_dir().then(|| shared.display().to_string());
    let (guard, tests): (Function, Table) = lua
        .load(HARNESS)
        .set_name("=harness")
        .call((root.display().to_string(), shared))?;
    lua.globals().set("folder", folder.path().display().to_string())?;

    let source = std::fs::read_to_string(file)?;
    let body = runtime.load(&source, &format!("@{shown}"), None)?;
    let mut outcomes = Vec::new();
    let outcome = |text: String| match text.as_str() {
        "ok" => Outcome::Passed,
        "skipped" => Outcome::Skipped,
        _ => Outcome::Failed(text),
    };
    match outcome(guard.call(body)?) {
        Outcome::Passed => {}
        other => outcomes.push((format!("{shown} (the file itself)"), other)),
    }
    for test in tests.sequence_values::<Table>() {
        let test = test?;
        let name = format!("{shown}: {}", test.get::<String>("name")?);
        outcomes.push((name, outcome(guard.call(test.get::<Function>("body")?)?)));
    }
    Ok(outcomes)
}
