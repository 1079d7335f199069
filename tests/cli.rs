//! The program as its users meet it: commands, exit codes, limits, the prompt on a terminal.

#[path = "cli/alos_dswe.rs"]
mod alos_dswe;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/bounds.rs"]
mod bounds;
#[path = "cli/bounds_attempts.rs"]
mod bounds_attempts;
#[path = "cli/bounds_files.rs"]
mod bounds_files;
#[path = "cli/bundle.rs"]
mod bundle;
#[path = "cli/bundle_bad.rs"]
mod bundle_bad;
#[path = "cli/bundle_export.rs"]
mod bundle_export;
#[path = "cli/bundle_signed.rs"]
mod bundle_signed;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/confine.rs"]
mod confine;
#[path = "cli/convert.rs"]
mod convert;
#[path = "cli/credentials.rs"]
mod credentials;
#[path = "cli/cslc.rs"]
mod cslc;
#[path = "cli/cubes.rs"]
mod cubes;
#[path = "cli/damaged.rs"]
mod damaged;
#[path = "cli/documentation.rs"]
mod documentation;
#[path = "cli/download.rs"]
mod download;
#[path = "cli/dry_run.rs"]
mod dry_run;
#[path = "cli/editor.rs"]
mod editor;
#[path = "cli/escape.rs"]
mod escape;
#[path = "cli/fetched.rs"]
mod fetched;
#[path = "cli/footprints.rs"]
mod footprints;
// Made for the tests of the archives, which use all of it.
#[allow(dead_code)]
#[path = "catalog/faults.rs"]
mod faults;
#[path = "cli/glacier.rs"]
mod glacier;
#[path = "cli/graphs.rs"]
mod graphs;
#[path = "cli/injected.rs"]
mod injected;
#[path = "cli/itslive.rs"]
mod itslive;
#[path = "cli/itslive_cube.rs"]
mod itslive_cube;
#[path = "cli/jupyter.rs"]
mod jupyter;
#[path = "cli/limits.rs"]
mod limits;
#[path = "cli/lint.rs"]
mod lint;
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/models.rs"]
mod models;
#[path = "cli/modules.rs"]
mod modules;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/package.rs"]
mod package;
#[path = "cli/parameters.rs"]
mod parameters;
#[path = "cli/paste.rs"]
mod paste;
#[path = "cli/permissions.rs"]
mod permissions;
#[path = "cli/permissions_question.rs"]
mod permissions_question;
#[path = "cli/project.rs"]
mod project;
#[path = "cli/project_test.rs"]
mod project_test;
#[path = "cli/prompt.rs"]
mod prompt;
#[path = "cli/provenance.rs"]
mod provenance;
#[path = "cli/pty.rs"]
mod pty;
#[path = "cli/ranged.rs"]
mod ranged;
#[path = "cli/remote.rs"]
mod remote;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/rle.rs"]
mod rle;
#[path = "catalog/common.rs"]
mod servers;
#[path = "cli/setup.rs"]
mod setup;
#[path = "catalog/standin.rs"]
mod standin;
#[path = "cli/stopping.rs"]
mod stopping;
#[path = "cli/tally.rs"]
mod tally;
#[path = "cli/training.rs"]
mod training;
#[path = "cli/units.rs"]
mod units;
#[path = "cli/water.rs"]
mod water;
#[path = "cli/water_network.rs"]
mod water_network;
#[path = "cli/workflows.rs"]
mod workflows;
#[path = "cli/writing.rs"]
mod writing;
#[path = "cli/zarr_served.rs"]
mod zarr_served;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a finished run left.
#[derive(Debug)]
struct Run {
    code: i32,
    out: String,
    err: String,
}

fn perilune(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perilune"));
    command
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

fn finish(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = perilune(folder);
    command.args(arguments);
    finish(command)
}

/// Runs the prompt on text from a pipe.
fn piped(folder: &Path, input: &str) -> Run {
    let mut child = perilune(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may leave before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A program that `scripts/setup --test` has put into its cache; None, and said, where it was not run.
fn of_setup(program: &str) -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let caches =
        || folder("XDG_CACHE_HOME").unwrap_or_else(|| folder("HOME").unwrap_or_default().join(".cache"));
    let cache = folder("PERILUNE_CACHE").unwrap_or_else(|| caches().join("perilune"));
    let found = Some(cache.join(program)).filter(|program| program.exists());
    if found.is_none() {
        println!("skipped: needs scripts/setup --test");
    }
    found
}

/// A folder with the given files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[track_caller]
fn assert_holds(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in:\n{text}");
}
