//! Runs every tests/lua/<module>/*.lua, and every example of the documentation, in a fresh virtual machine and an
//! empty folder. `cargo test --test lua -- NAME` runs those whose path or name holds NAME. A file calls `test("what holds", function() … end)`; a failure names the file and line.
//!
//! Beside Lua's own functions a file has `assert_error(fn, pattern)`, `assert_close(a, b, tolerance?)`, `folder`
//! (an empty folder of its own, the working folder), `shared(path)` (a path in ../shared/data; without that folder
//! the test is skipped) and `fixture(path)` (a path in tests/fixtures).

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlua::{Function, Table};
use perilune::host::{Limits, Runtime, documentation, params, sandbox};
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
    files.sort();
    let mut jobs: Vec<Job> = files.into_iter().map(|file| Job::file(&root, file)).collect();
    jobs.extend(examples());
    jobs.retain(|job| filters.is_empty() || filters.iter().any(|x| job.name.contains(x.as_str())));
    if std::env::args().any(|a| a == "--list") {
        jobs.iter().for_each(|job| println!("{}: test", job.name));
        return ExitCode::SUCCESS;
    }
    assert!(!jobs.is_empty() || !filters.is_empty(), "no Lua tests found");

    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcomes = run(job, &root);
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
    // As the other tests say it, for scripts/tally.
    println!(
        "test result: {}. {passed} passed; {failed} failed; {skipped} ignored; in {} files and examples",
        if failed == 0 { "ok" } else { "FAILED" },
        jobs.len()
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

/// Something to run in a virtual machine of its own.
struct Job {
    name: String,
    /// What errors call it.
    chunk: String,
    source: Source,
}

enum Source {
    File(PathBuf),
    /// A block of code, with blank lines before it so that its lines have the numbers of the file that it is from.
    Example(String),
}

impl Job {
    fn file(root: &Path, file: PathBuf) -> Job {
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        Job {
            chunk: format!("@{shown}"),
            name: shown,
            source: Source::File(file),
        }
    }
}

/// The examples of the documentation.
fn examples() -> Vec<Job> {
    let mut jobs = Vec::new();
    for file in documentation::files() {
        for entry in documentation::parse(&file.module, &file.text) {
            for example in &entry.examples {
                jobs.push(Job {
                    name: format!("stdlib/{}:{}: example of {}", file.path, example.line, entry.name),
                    chunk: format!("@stdlib/{}", file.path),
                    source: Source::Example("\n".repeat(example.line - 1) + &example.code),
                });
            }
        }
    }
    jobs
}

fn run(job: &Job, root: &Path) -> Vec<(String, Outcome)> {
    match run_tests(job, root) {
        Ok(outcomes) if outcomes.is_empty() => {
            let message = "the file defines no test".to_string();
            vec![(job.name.clone(), Outcome::Failed(message))]
        }
        Ok(outcomes) => outcomes,
        Err(error) => vec![(job.name.clone(), Outcome::Failed(error.to_string()))],
    }
}

fn run_tests(job: &Job, root: &Path) -> mlua::Result<Vec<(String, Outcome)>> {
    let folder = tempfile::tempdir()?;
    let access = Access::new(folder.path());
    let runtime = Runtime::new(Limits::default(), access).map_err(mlua::Error::external)?;
    let lua = runtime.lua();
    let shared = root.join("../shared/data");
    let shared = shared.is_dir().then(|| shared.display().to_string());
    let (guard, tests): (Function, Table) = lua
        .load(HARNESS)
        .set_name("=harness")
        .call((root.display().to_string(), shared))?;
    lua.globals().set("folder", folder.path().display().to_string())?;
    params::install(lua, false).map_err(mlua::Error::external)?;
    sandbox::strict(lua, false).map_err(mlua::Error::external)?;

    let source = match &job.source {
        Source::File(file) => std::fs::read_to_string(file)?,
        Source::Example(code) => code.clone(),
    };
    let body = runtime.load(&source, &job.chunk, None)?;
    let outcome = |text: String| match text.as_str() {
        "ok" => Outcome::Passed,
        "skipped" => Outcome::Skipped,
        _ => Outcome::Failed(text),
    };
    let whole = outcome(guard.call(body)?);
    if let Source::Example(_) = job.source {
        return Ok(vec![(job.name.clone(), whole)]);
    }
    let mut outcomes = Vec::new();
    if !matches!(whole, Outcome::Passed) {
        outcomes.push((format!("{} (the file itself)", job.name), whole));
    }
    for test in tests.sequence_values::<Table>() {
        let test = test?;
        let name = format!("{}: {}", job.name, test.get::<String>("name")?);
        outcomes.push((name, outcome(guard.call(test.get::<Function>("body")?)?)));
    }
    Ok(outcomes)
}
