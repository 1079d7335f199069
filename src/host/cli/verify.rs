//! `perilune verify`: makes files again in a folder that goes, and compares.
//!
//! This process reads no file but its own programs' words: records are read, scripts run and pixels compared by children, each held as a script is.

mod bundle;
mod compare;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::Value as Json;

use super::provenance::script_of;
use super::{DONE, Global, SCRIPT_ERROR};
use crate::error::{Error, Result, counted};
use crate::scratch;
use crate::share::provenance::{self, Record, SECRET, State};
use compare::{Difference, compare};

/// In the folder of what is written aside: the files that are not to be seen, one a line.
const HIDDEN: &str = ".hidden";

/// The files that are not to be seen by a run that writes into `folder`.
///
/// # Errors
/// When their list cannot be read.
pub fn hidden_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = folder.join(HIDDEN);
    match fs::read_to_string(&list) {
        Ok(text) => Ok(text.lines().map(PathBuf::from).collect()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::io(&list, e)),
    }
}

/// A file, by its whole path, and its record.
#[derive(Clone)]
pub struct Made {
    pub shown: PathBuf,
    pub path: PathBuf,
    pub record: Record,
}

/// What one run has made.
pub struct Run {
    script: String,
    pub working: PathBuf,
    /// Name and text, as on the command line.
    pub parameters: BTreeMap<String, String>,
    pub files: Vec<Made>,
}

pub fn run(paths: &[PathBuf], no_run: bool, global: &Global) -> Result<u8> {
    let mut code = DONE;
    let files = files_in(paths)?;
    let is_named = |file: &Path| paths.iter().any(|path| path == file);
    // One that lies in a folder is not run for that.
    let (bundles, files): (Vec<PathBuf>, Vec<PathBuf>) = files
        .into_iter()
        .partition(|file| is_named(file) && bundle::is_one(file));
    for path in &bundles {
        if bundle::verify(path, no_run, global)? > 0 {
            code = SCRIPT_ERROR;
        }
    }
    if !bundles.is_empty() && files.is_empty() {
        return Ok(code);
    }
    let (made, without) = records(&files)?;
    for (file, why) in &without {
        if is_named(file) {
            crate::complain!("error: {why}");
            code = SCRIPT_ERROR;
        }
    }
    if made.is_empty() && code == DONE {
        return Err(Error::message(
            "there is no file with a record of how it was made",
        ));
    }
    let mut differing = 0;
    let mut count = 0;
    for run in runs(made)? {
        count += run.files.len();
        differing += verify(&run, no_run, global)?;
    }
    if count > 1 {
        let same = count - differing;
        crate::say!("{same} of {count} files are the same");
    }
    Ok(if differing > 0 { SCRIPT_ERROR } else { code })
}

/// Files, and those in folders; a Zarr is one.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files_in(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        match path.is_dir() && !is_zarr(path) {
            false => files.push(path.clone()),
            true => walk(path, &mut files)?,
        }
    }
    Ok(files)
}

fn is_zarr(path: &Path) -> bool {
    ["zarr.json", ".zgroup", ".zmetadata"]
        .iter()
        .any(|name| path.join(name).is_file())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let mut found = Vec::new();
    for entry in entries {
        found.push(entry.map_err(|e| Error::io(folder, e))?.path());
    }
    found.sort();
    for path in found {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        match () {
            () if hidden || path.is_symlink() || provenance::is_beside(&path) => {}
            () if path.is_dir() && !is_zarr(&path) => walk(&path, files)?,
            () => files.push(path),
        }
    }
    Ok(())
}

fn program() -> Result<Command> {
    let own = std::env::current_exe().map_err(|e| Error::message(format!("this program's own file: {e}")))?;
    let mut command = Command::new(own);
    command.stdin(Stdio::null()).arg("--quiet");
    Ok(command)
}

fn failed(e: std::io::Error) -> Error {
    Error::message(format!("perilune cannot be started again: {e}"))
}

/// A file without a record, and why.
type Without = (PathBuf, String);

/// The records of files, and why others have none.
///
/// # Errors
/// When they cannot be looked for.
pub fn records(files: &[PathBuf]) -> Result<(Vec<Made>, Vec<Without>)> {
    // So many names fit on a command line.
    const AT_ONCE: usize = 200;
    let here = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    let (mut made, mut without) = (Vec::new(), Vec::new());
    for some in files.chunks(AT_ONCE) {
        let told = program()?
            .args(["provenance", "--json", "--"])
            .args(some)
            .output()
            .map_err(failed)?;
        let mut found: BTreeMap<PathBuf, Record> = BTreeMap::new();
        for line in String::from_utf8_lossy(&told.stdout).lines() {
            let json: Json = serde_json::from_str(line).map_err(|e| Error::message(e.to_string()))?;
            let path = PathBuf::from(json["path"].as_str().unwrap_or_default());
            found.insert(path, Record::from_json(&json["record"].to_string())?);
        }
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        for file in some {
            match found.remove(file) {
                Some(record) => made.push(Made {
                    shown: file.clone(),
                    path: here.join(file).canonicalize().map_err(|e| Error::io(file, e))?,
                    record,
                }),
                None => {
                    let shown = file.display().to_string();
                    let why = said.lines().find(|line| line.contains(&shown));
                    let why = why.map_or(format!("{shown}: its record cannot be read"), |line| {
                        line.trim_start_matches("error: ").to_string()
                    });
                    without.push((file.clone(), why));
                }
            }
        }
    }
    Ok((made, without))
}

/// Files by the runs that have made them.
///
/// # Errors
/// None today.
pub fn runs(files: Vec<Made>) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for made in files {
        let folder = made.path.parent().map(Path::to_path_buf).unwrap_or_default();
        let at = |stated: &str| {
            provenance::found(stated, &made.path)
                .map_or_else(|| stated.to_string(), |p| p.display().to_string())
        };
        let record = &made.record;
        let script = match &record.script {
            Some(script) => script
                .path
                .as_ref()
                .map_or_else(|| script.name.clone(), |path| at(path)),
            None => String::new(),
        };
        let working = record
            .working_folder
            .as_ref()
            .map(|stated| PathBuf::from(at(stated)));
        let mut parameters = BTreeMap::new();
        for (name, value) in &record.parameters {
            let is_path = record.path_parameters.contains(name);
            // As from where the script ran, so that what it makes of them begins there, too.
            let from = |path: String| match &working {
                Some(working) => provenance::stable(Path::new(&path), &working.join("_")),
                None => path,
            };
            let one = |value: &Json| match value {
                Json::String(text) if is_path => from(at(text)),
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            let text = match value {
                Json::Null => continue,
                Json::Array(list) => list.iter().map(one).collect::<Vec<_>>().join(","),
                other => one(other),
            };
            parameters.insert(name.clone(), text);
        }
        let same = |run: &&mut Run| {
            run.script == script
                && run.parameters == parameters
                && working.as_ref().is_none_or(|working| *working == run.working)
        };
        match runs.iter_mut().find(same).filter(|_| !script.is_empty()) {
            Some(run) => run.files.push(made),
            None => runs.push(Run {
                script,
                working: working.unwrap_or(folder),
                parameters,
                files: vec![made],
            }),
        }
    }
    Ok(runs)
}

/// Tells of the files of a run, and how many of them are not the same.
fn verify(run: &Run, no_run: bool, global: &Global) -> Result<usize> {
    let mut reasons = Vec::new();
    let Some(first) = run.files.first() else {
        return Ok(0);
    };
    let all = run.files.len();
    let Some(script) = &first.record.script else {
        for made in &run.files {
            crate::say!(
                "{}: was made at the prompt or by perilune -e: there is no script to run again",
                made.shown.display()
            );
        }
        return Ok(all);
    };
    let found = script_of(&first.path, &first.record);
    if found.is_none() {
        let there = script.path.is_none() || Path::new(&run.script).is_file();
        reasons.push(match (there, &script.path) {
            (false, _) => format!("the script {} is not there any more", run.script),
            (true, Some(_)) => format!("the script {} has changed since", run.script),
            (true, None) => format!(
                "the workflow {} is another in this perilune {} than in that of {}",
                script.name,
                env!("CARGO_PKG_VERSION"),
                first.record.versions.get("perilune").map_or("?", String::as_str)
            ),
        });
        if !there {
            crate::say!("{}: {}", script.name, reasons[0]);
            return Ok(all);
        }
    }
    let (mut unchanged, mut unknown) = (0, 0);
    let mut seen = std::collections::BTreeSet::new();
    for made in &run.files {
        for input in &made.record.inputs {
            let Some(path) = provenance::found(&input.path, &made.path) else {
                unknown += usize::from(seen.insert(PathBuf::from(&input.path)));
                continue;
            };
            // What the run itself has made is made again.
            if run.files.iter().any(|other| other.path == path) || !seen.insert(path.clone()) {
                continue;
            }
            match provenance::state(input, &made.path) {
                State::Same => unchanged += 1,
                State::Unknown => unknown += 1,
                State::Changed => reasons.push(format!("{} has changed since", path.display())),
                State::Gone => reasons.push(format!("{} is not there any more", path.display())),
            }
        }
    }
    reasons.extend(other_versions(&first.record));
    let unknown = match unknown {
        0 => String::new(),
        n => format!(", {} cannot be told", counted(n, "more")),
    };
    crate::say!("{}: {} unchanged{unknown}", script.name, inputs(unchanged));
    for reason in &reasons {
        crate::say!("  {reason}");
    }
    if no_run {
        let changed = reasons
            .iter()
            .any(|reason| reason.contains("since") || reason.contains("any more"));
        return Ok(if changed { all } else { 0 });
    }
    if run.parameters.values().any(|text| text == SECRET) {
        crate::say!("  is not run again: its record does not tell parameters that let others in");
        return Ok(all);
    }
    // Of a script that came in a bundle, the bundle, which gets what it is granted.
    let (script, granted) = match &found {
        Some(found) if found.is_foreign() => (found.name.clone(), global.of_permissions()),
        Some(found) if found.bundle.is_some() => (found.name.clone(), Vec::new()),
        _ => (run.script.clone(), Vec::new()),
    };
    let mut command = program()?;
    command.args(granted);
    in_scratch(|folder| again_in(folder, run, command, &script, &reasons))
}

fn inputs(count: usize) -> String {
    match count {
        1 => "1 input is".to_string(),
        n => format!("{n} inputs are"),
    }
}

/// Versions and instructions that are others here.
fn other_versions(record: &Record) -> Vec<String> {
    let now = Record::of_this_program();
    let mut out = Vec::new();
    for (name, then) in &record.versions {
        match now.versions.get(name) {
            Some(here) if here != then => out.push(format!("{name} is {here} here and was {then}")),
            _ => {}
        }
    }
    if now.instructions != record.instructions {
        out.push(format!(
            "this processor has {}, that one had {}",
            now.instructions, record.instructions
        ));
    }
    out
}

/// With a folder that goes.
fn in_scratch<T>(run: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let folder = scratch::folder()?.join(format!("verify-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir(&folder).map_err(|e| Error::io(&folder, e))?;
    let done = run(&folder);
    let _ = fs::remove_dir_all(&folder);
    done
}

/// Has a run that writes into `folder` not see these files.
fn hide(folder: &Path, files: impl Iterator<Item = PathBuf>) -> Result<()> {
    let list = folder.join(HIDDEN);
    let hidden: String = files.map(|file| format!("{}\n", file.display())).collect();
    fs::write(&list, hidden).map_err(|e| Error::io(&list, e))
}

fn again_in(folder: &Path, run: &Run, command: Command, script: &str, reasons: &[String]) -> Result<usize> {
    let all = run.files.len();
    hide(folder, run.files.iter().map(|made| made.path.clone()))?;
    let start = Instant::now();
    let mut command = command;
    command.arg("--aside").arg(folder).arg("run").arg(script);
    command.args(
        run.parameters
            .iter()
            .map(|(name, text)| format!("--{name}={text}")),
    );
    command.current_dir(&run.working).stdout(Stdio::null());
    let done = command.output().map_err(failed)?;
    if !done.status.success() {
        crate::say!("  cannot be run again:");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        said.lines().for_each(|line| crate::say!("    {line}"));
        return Ok(all);
    }
    crate::say!("  run again in {:.1} s", start.elapsed().as_secs_f64());
    let mut differing = 0;
    for made in &run.files {
        let below = made.path.strip_prefix("/").unwrap_or(&made.path);
        let now = folder.join(below);
        let shown = made.shown.display();
        match compare(&made.path, &now, &|| program())? {
            None => crate::say!("  {shown}: the same, byte for byte"),
            Some(difference) => {
                differing += 1;
                crate::say!("  {shown}: {difference}");
                let why = match (&difference, reasons.is_empty(), made.record.added_after) {
                    (Difference::Missing, ..) => continue,
                    (_, _, Some(steps)) => format!("it held {steps} steps of time before this run added to it"),
                    (_, false, _) => "see above for what has changed".to_string(),
                    (_, true, _) if made.record.more_inputs > 0 => "inputs that the record does not list may have changed".to_string(),
                    _ => "nothing that the record tells has changed; a long file may have changed between the pieces that were compared, or the \
                          script asks what no record tells, such as the time or a server"
                        .to_string(),
                };
                crate::say!("    {why}");
            }
        }
    }
    Ok(differing)
}
