//! `perilune test`: the tests of a project.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use mlua::Lua;

use super::project::{Fetch, around};
use super::{DONE, Global, INTERRUPTED, SCRIPT_ERROR};
use crate::error::{Error, Result, counted};
use crate::host::loader;
use crate::host::testing::{self, Bench, Job, Outcome};
use crate::host::watchdog::Watchdog;
use crate::interrupt::{self, Reason};
use crate::lua::Access;
use crate::{scratch, work};

/// What is asked for.
#[derive(Args)]
pub struct Wanted {
    /// Files of tests, and folders of such; the folder tests of the project unless given
    paths: Vec<PathBuf>,
    /// Only tests whose names, `tests/file.lua: what holds`, have TEXT in them; may be given several times
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
}

/// # Errors
/// When there is nothing to run.
pub fn run(wanted: &Wanted, global: &Global) -> Result<u8> {
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let project = around(&working, Fetch::Yes)?;
    let root = project
        .as_ref()
        .map_or(working.clone(), |project| project.root.clone());
    let jobs = jobs(&wanted.paths, &root, &working)?;
    let scratch = scratch::folder()?;
    let mut access = Access::new(&scratch);
    for folder in &global.permissions.allow_write {
        access.allow(folder);
    }
    let count = work::threads();
    global.hold(access, None, None)?;
    let _watchdog = Watchdog::start(global.time_limit, "");
    let prepare = |lua: &Lua| -> Result<()> {
        loader::add_folder(lua, &root);
        loader::surround(lua, project.clone());
        Ok(())
    };
    let begun = Instant::now();
    let tried = testing::run(
        &jobs,
        &Bench {
            scratch,
            fixtures: root.join("tests/fixtures"),
            limits: global.limits(),
            threads: count,
            filters: wanted.filter.clone(),
            prepare: &prepare,
        },
    );
    let (mut passed, mut skipped, mut failed) = (0, 0, 0);
    for test in &tried {
        match &test.outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(reason) => {
                skipped += 1;
                crate::say!("skipped: {reason}: {}", test.name);
            }
            Outcome::Failed(message) => {
                failed += 1;
                crate::say!("FAILED {}\n  {}\n", test.name, message.replace('\n', "\n  "));
            }
        }
    }
    if interrupt::requested() {
        crate::complain!("error: stopped; {} had been tried", counted(tried.len(), "test"));
        return Ok(match interrupt::reason() {
            Some(Reason::Signal) => INTERRUPTED,
            _ => SCRIPT_ERROR,
        });
    }
    if tried.is_empty() {
        return Err(Error::message(format!(
            "no test has {} in its name",
            wanted
                .filter
                .iter()
                .map(|text| format!("`{text}`"))
                .collect::<Vec<_>>()
                .join(" or ")
        )));
    }
    crate::say!(
        "{passed} passed, {failed} failed, {skipped} skipped, in {} in {:.1} s",
        counted(jobs.len(), "file"),
        begun.elapsed().as_secs_f64()
    );
    Ok(if failed > 0 { SCRIPT_ERROR } else { DONE })
}

/// The files, as they are called from the working folder.
fn jobs(paths: &[PathBuf], root: &Path, working: &Path) -> Result<Vec<Job>> {
    let folder = root.join("tests");
    let named = match paths.is_empty() {
        true => vec![folder.clone()],
        false => paths.to_vec(),
    };
    let mut jobs = Vec::new();
    for path in &named {
        let files = match path.is_dir() {
            true => testing::files_in(path),
            false if path.is_file() => vec![path.clone()],
            false if paths.is_empty() => Vec::new(),
            false => {
                return Err(Error::NoSuchFile {
                    path: path.clone(),
                    looked_in: working.to_path_buf(),
                });
            }
        };
        for file in files {
            let name = file.strip_prefix(working).unwrap_or(&file).display().to_string();
            let bytes = crate::bounds::read_file(&file, 1, "a file of tests is not that long")?;
            let text = String::from_utf8(bytes).map_err(|_| Error::file(&file, "its text is not UTF-8"))?;
            jobs.push(Job {
                chunk: format!("@{name}"),
                name,
                text,
                is_example: false,
            });
        }
    }
    match jobs.is_empty() {
        false => Ok(jobs),
        true => Err(Error::message(format!(
            "there are no tests: no files .lua in {}; one begins with\n  local check = require \"check\"\n  test(\"one is one\", function() check.equal(1, 1) end)",
            named
                .iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ))),
    }
}
