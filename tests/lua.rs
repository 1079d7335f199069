//! Runs every tests/lua/<module>/*.lua, and every example of the documentation, by the runner that `perilune test` is: each in a fresh virtual
//! machine and an empty folder. `cargo test --test lua -- NAME` runs those whose path or name holds NAME.
//!
//! Beside what every file of tests has (`test`, `folder`, `fixture(path)`, a path in tests/fixtures) these have `shared(path)`, a path in
//! ../shared/data, without which the test is skipped, and `check.error` and `check.close` as `assert_error` and `assert_close`.

use std::path::PathBuf;
use std::process::ExitCode;

use mlua::Lua;
use perilune::error::{Error, Result};
use perilune::host::testing::{self, Bench, Job, Outcome};
use perilune::host::{Limits, documentation};

const OURS: &str = r#"
local check, root = require "check", ...
assert_error, assert_close = check.error, check.close

function shared(path)
  if not root then check.skip "needs ../shared/data" end
  return root .. "/" .. path
end
"#;

fn main() -> ExitCode {
    let filters: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut jobs: Vec<Job> = testing::files_in(&root.join("tests/lua"))
        .into_iter()
        .map(|file| {
            let name = file.strip_prefix(&root).unwrap().display().to_string();
            Job {
                chunk: format!("@{name}"),
                name,
                text: std::fs::read_to_string(&file).unwrap(),
                is_example: false,
            }
        })
        .collect();
    jobs.extend(examples());
    jobs.retain(|job| {
        let within =
            |x: &String| job.name.contains(x.as_str()) || (!job.is_example && job.text.contains(x.as_str()));
        filters.is_empty() || filters.iter().any(within)
    });
    if std::env::args().any(|a| a == "--list") {
        jobs.iter().for_each(|job| println!("{}: test", job.name));
        return ExitCode::SUCCESS;
    }
    assert!(!jobs.is_empty() || !filters.is_empty(), "no Lua tests found");

    let scratch = tempfile::tempdir().unwrap();
    let shared = root.join("../shared/data");
    let shared = shared.is_dir().then(|| shared.display().to_string());
    let prepare = |lua: &Lua| -> Result<()> {
        lua.load(OURS)
            .set_name("=tests")
            .call::<()>(shared.clone())
            .map_err(Error::from)
    };
    let tried = testing::run(
        &jobs,
        &Bench {
            scratch: scratch.path().to_path_buf(),
            fixtures: root.join("tests/fixtures"),
            limits: Limits::default(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            filters,
            prepare: &prepare,
        },
    );
    let (mut passed, mut skipped, mut failed) = (0, 0, 0);
    for test in tried {
        match test.outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(reason) => {
                skipped += 1;
                println!("skipped: {reason}: {}", test.name);
            }
            Outcome::Failed(message) => {
                failed += 1;
                println!("FAILED {}\n  {}\n", test.name, message.replace('\n', "\n  "));
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

/// The examples of the documentation, with blank lines before them so that their lines have the numbers of the file that they are from.
fn examples() -> Vec<Job> {
    let mut jobs = Vec::new();
    for file in documentation::files() {
        for entry in documentation::parse(&file.module, &file.text) {
            for example in &entry.examples {
                jobs.push(Job {
                    name: format!("stdlib/{}:{}: example of {}", file.path, example.line, entry.name),
                    chunk: format!("@stdlib/{}", file.path),
                    text: "\n".repeat(example.line - 1) + &example.code,
                    is_example: true,
                });
            }
        }
    }
    jobs
}
