//! Tests in Lua, each file in a virtual machine of its own: perilune's own in tests/lua, and those of projects.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mlua::{Function, Lua, Table};

use super::report::Report;
use super::{Limits, Runtime, params, sandbox};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::lua::Access;
use crate::panics;
use crate::work::{self, Context, Recorder, Stream};

const HARNESS: &str = include_str!("harness.lua");

/// A text to run in a virtual machine of its own.
#[derive(Debug, Clone)]
pub struct Job {
    pub name: String,
    /// What errors call it.
    pub chunk: String,
    pub text: String,
    /// One piece of code that has to run to its end, with no tests in it.
    pub is_example: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// And why.
    Skipped(String),
    /// What was raised where, and what the file had printed.
    Failed(String),
}

/// One test, by the name of its file and its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub name: String,
    pub outcome: Outcome,
}

/// What tests run in.
pub struct Bench<'a> {
    /// Where the empty folders of the files are made.
    pub scratch: PathBuf,
    /// What `fixture` counts from.
    pub fixtures: PathBuf,
    pub limits: Limits,
    /// At a time.
    pub threads: usize,
    /// Tests whose names hold none of these are left out; none leaves out none.
    pub filters: Vec<String>,
    /// What else a machine is given before a file runs.
    pub prepare: &'a (dyn Fn(&Lua) -> Result<()> + Sync),
}

/// Runs all, several at a time, and answers in the order in which they are given.
pub fn run(jobs: &[Job], bench: &Bench) -> Vec<Tried> {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let stop = work::current().stop().clone();
    let threads = work::threads();
    std::thread::scope(|scope| {
        for _ in 0..bench.threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { return };
                    // What they print is shown where they fail; bars of several at a time would show nothing.
                    let printed = Arc::new(Recorder::new(&[]));
                    let context = Context::new()
                        .with_threads(threads)
                        .with_stop(stop.clone())
                        .with_output(printed.clone());
                    let _entered = context.enter();
                    if interrupt::requested() {
                        return;
                    }
                    let tried = panics::caught(|| tried(job, number, bench))
                        .unwrap_or_else(|error| vec![failed(&job.name, error.to_string())]);
                    let text = printed.text(Stream::Stdout) + &printed.text(Stream::Stderr);
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push((number, with_printed(tried, &text)));
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().flat_map(|(_, tried)| tried).collect()
}

/// With what the file has printed behind the first failure.
fn with_printed(mut tried: Vec<Tried>, text: &str) -> Vec<Tried> {
    let first = tried.iter_mut().find_map(|tried| match &mut tried.outcome {
        Outcome::Failed(message) => Some(message),
        _ => None,
    });
    if let (Some(message), false) = (first, text.trim().is_empty()) {
        message.push_str(&format!("\nthe file has printed:\n{}", text.trim_end()));
    }
    tried
}

fn failed(name: &str, message: impl Into<String>) -> Tried {
    Tried {
        name: name.to_string(),
        outcome: Outcome::Failed(message.into()),
    }
}

fn tried(job: &Job, number: usize, bench: &Bench) -> Result<Vec<Tried>> {
    let folder = bench.scratch.join(format!("test-{number}"));
    fs::create_dir(&folder).map_err(|e| Error::io(&folder, e))?;
    let tried = in_folder(job, &folder, bench);
    // What stays goes with the scratch folder.
    let _ = fs::remove_dir_all(&folder);
    match tried {
        Ok(tried) if tried.is_empty() && bench.filters.is_empty() => {
            Ok(vec![failed(&job.name, "the file defines no test")])
        }
        Ok(tried) => Ok(tried),
        Err(error) => Ok(vec![failed(&job.name, Report::new(&error).message)]),
    }
}

fn in_folder(job: &Job, folder: &Path, bench: &Bench) -> mlua::Result<Vec<Tried>> {
    let mut access = Access::new(folder);
    // For `fs`, which stays in such folders. Where the process is held to its scratch folder, nothing is written there.
    access.allow(&bench.fixtures);
    let runtime = Runtime::new(bench.limits.clone(), access).map_err(mlua::Error::external)?;
    let lua = runtime.lua();
    let (guard, tests): (Function, Table) = lua
        .load(HARNESS)
        .set_name("=perilune")
        .call(bench.fixtures.display().to_string())?;
    lua.globals().set("folder", folder.display().to_string())?;
    (bench.prepare)(lua).map_err(mlua::Error::external)?;
    params::install(lua, false).map_err(mlua::Error::external)?;
    sandbox::strict(lua, false).map_err(mlua::Error::external)?;
    let body = runtime.load(&job.text, &job.chunk, None)?;
    let try_it = |body: Function| -> mlua::Result<Outcome> {
        let text: String = guard.call(body)?;
        Ok(match text.strip_prefix("skipped: ") {
            _ if text == "ok" => Outcome::Passed,
            Some(reason) => Outcome::Skipped(reason.to_string()),
            None => Outcome::Failed(text),
        })
    };
    let whole = try_it(body)?;
    if job.is_example {
        return Ok(vec![Tried {
            name: job.name.clone(),
            outcome: whole,
        }]);
    }
    let mut all = Vec::new();
    if whole != Outcome::Passed {
        all.push(Tried {
            name: format!("{} (the file itself)", job.name),
            outcome: whole,
        });
    }
    for test in tests.sequence_values::<Table>() {
        let test = test?;
        let name = format!("{}: {}", job.name, test.get::<String>("name")?);
        let is_wanted = |filter: &String| name.contains(filter.as_str());
        if bench.filters.is_empty() || bench.filters.iter().any(is_wanted) {
            let outcome = try_it(test.get("body")?)?;
            all.push(Tried { name, outcome });
        }
    }
    Ok(all)
}

/// The files of Lua below a folder, sorted, but those of its fixtures.
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        match path.is_dir() {
            true if path.ends_with("fixtures") => {}
            true => files.extend(files_in(&path)),
            false if path.extension().is_some_and(|e| e == "lua") => files.push(path),
            false => {}
        }
    }
    files
}
