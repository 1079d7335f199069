//! `perilune run --report`: a page about the run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use mlua::Lua;
use serde_json::Value as Json;

use super::Script;
use crate::bounds::process;
use crate::error::{Error, Result};
use crate::files::{Draft, write_whole};
use crate::gate;
use crate::host::lexer;
use crate::host::page::{self, Failure, Listener, Made, Outline, Page, Parameter};
use crate::host::report::Report;
use crate::host::sources::shown_name;
use crate::host::{Runtime, params};
use crate::lua::spec::plain;
use crate::share::provenance::{Input, Run, SECRET, is_secret, stable};
use crate::work::provenance::{Note, Provenance};
use crate::work::{self, Output};

const FLAG: &str = "--report";
/// Bytes of the longest picture that a page shows of the files that were written, and of all of them.
const LARGEST_PICTURE: u64 = 8 << 20;
const MOST_PICTURES: u64 = 64 << 20;
/// Clocks of file systems may lag.
const LAG: Duration = Duration::from_millis(50);

/// Takes `--report FILE` out of the arguments of a script, unless that has such a parameter itself.
///
/// # Errors
/// When no file follows.
pub fn taken(script: &Script, arguments: Vec<String>) -> Result<(Option<PathBuf>, Vec<String>)> {
    if declares_report(&script.text) {
        return Ok((None, arguments));
    }
    let (mut target, mut left) = (None, Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == FLAG {
            let next = arguments.next().filter(|next| !next.starts_with("--"));
            let next = next.ok_or_else(|| Error::message("--report needs a file: --report out.html"))?;
            target = Some(PathBuf::from(next));
        } else if let Some(file) = argument
            .strip_prefix(FLAG)
            .and_then(|rest| rest.strip_prefix('='))
        {
            target = Some(PathBuf::from(file));
        } else {
            left.push(argument);
        }
    }
    Ok((target, left))
}

fn declares_report(text: &str) -> bool {
    match params::stated(text) {
        Ok(specs) => specs.unwrap_or_default().iter().any(|spec| spec.name == "report"),
        // One that is computed may have it.
        Err(_) => lexer::tokens(text).iter().any(|token| token.is("report")),
    }
}

/// Looks, before anything runs, whether a page can be written there.
///
/// # Errors
/// A name that is none of a page; a folder that is not there or cannot be written.
pub fn check(target: &Path) -> Result<()> {
    let extension = target.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !matches!(extension.to_ascii_lowercase().as_str(), "html" | "htm") {
        return Err(Error::argument(
            "the report",
            "the name of a page, such as out.html",
            format!("`{}`", target.display()),
        ));
    }
    // It goes when it is dropped.
    Draft::new(target).map(drop)
}

/// A run that is reported on.
pub struct Reported {
    target: PathBuf,
    listener: Arc<Listener>,
    started: Timestamp,
    clock: Instant,
    begun: SystemTime,
}

impl Reported {
    pub fn new(target: PathBuf, script: &Script) -> Reported {
        let listener = Listener::new(Outline::of(&script.text), work::output());
        Reported {
            target,
            listener: Arc::new(listener),
            started: Timestamp::now(),
            clock: Instant::now(),
            begun: SystemTime::now(),
        }
    }

    /// Where the run is to say what it has to say.
    pub fn output(&self) -> Arc<dyn Output> {
        self.listener.clone()
    }

    pub fn notes(&self, run: Arc<Run>) -> Arc<dyn Provenance> {
        Arc::new(Notes {
            run,
            listener: self.listener.clone(),
        })
    }

    /// Has the machine tell where its script is.
    ///
    /// # Errors
    /// When Lua is out of memory.
    pub fn follow(&self, runtime: &Runtime, script: &Script) -> Result<()> {
        // What a coroutine calls does not tell where the script is.
        let every_call = lexer::tokens(&script.text)
            .iter()
            .any(|token| token.is("coroutine"));
        let listener = self.listener.clone();
        runtime.follow(&script.chunk, every_call, move |line| listener.at(line))
    }

    /// Passes what is said to the terminal alone, or to the page too.
    pub fn be_deaf(&self, deaf: bool) {
        self.listener.be_deaf(deaf);
    }

    /// What a page tells of an error.
    pub fn failure(&self, report: &Report, lua: &Lua, script: &Script) -> Failure {
        let name = shown_name(&script.chunk);
        let usage = params::with(lua, |p| p.usage.clone());
        let own = report.place.as_ref().filter(|(file, _)| file == name);
        let line_in = |call: &String| -> Option<usize> {
            let rest = call.strip_prefix(name)?.strip_prefix(':')?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        // Where it came up in a module, the script has called that.
        let line = own
            .map(|(_, line)| *line)
            .or_else(|| report.calls.iter().find_map(line_in));
        // The outermost call is the script's own, in the step that was running.
        let main = report.calls.iter().rev().find_map(line_in).or(line);
        if let Some(main) = main {
            self.listener.at(main);
        }
        let place = own
            .map(|(file, line)| format!("{file}:{line}: "))
            .unwrap_or_default();
        Failure {
            text: match usage {
                Some(usage) => format!("error: {usage}"),
                None => report.render(lua, false),
            },
            message: report
                .message
                .strip_prefix(&place)
                .unwrap_or(&report.message)
                .to_string(),
            line,
        }
    }

    /// The parameters as the script got them. Values come from the record, which knows what is nobody's to know.
    pub fn parameters(
        lua: &Lua,
        run: &Run,
        target: &Path,
        given: &[String],
    ) -> (Vec<Parameter>, Vec<String>) {
        let record = run.record_of(target);
        let specs = params::declared(lua).unwrap_or_default();
        let of = |spec: crate::lua::spec::Spec| {
            let value = record.parameters.get(&spec.name);
            let value = value.filter(|value| !value.is_null());
            Parameter {
                value: value.map_or_else(|| page::NONE.to_string(), plain),
                is_given: given.contains(&spec.name),
                name: spec.name,
                unit: spec.unit,
                help: spec.help,
            }
        };
        let values = params::with(lua, |p| {
            p.declared.as_ref().map(|declared| declared.values.clone())
        });
        let secrets = values
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(name, value)| match value {
                Json::String(text) if is_secret(&name) => Some(text),
                _ => None,
            });
        (specs.into_iter().map(of).collect(), secrets.collect())
    }

    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Writes the page.
    ///
    /// # Errors
    /// When it cannot be written any more.
    pub fn write(
        self,
        script: &Script,
        run: &Run,
        working: &Path,
        (parameters, secrets): (Vec<Parameter>, Vec<String>),
        failure: Option<Failure>,
    ) -> Result<()> {
        let took = self.clock.elapsed();
        let target = working.join(&self.target);
        let made = self.made(run);
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let page = Page {
            script: &script.text,
            name: &script.name,
            listener: &self.listener,
            record: run.record_of(&self.target),
            parameters,
            made,
            command: command(&arguments),
            folder: stable(working, &target),
            started: self.started,
            took,
            peak: process::peak(),
            failure,
            secrets,
        };
        write_whole(&target, page.html().as_bytes())
    }

    /// The files that the run has made, each once, and those that the page shows.
    fn made(&self, run: &Run) -> Vec<Made> {
        let since = self.begun.checked_sub(LAG).unwrap_or(self.begun);
        let mut room = MOST_PICTURES;
        let mut made = Vec::new();
        for (path, step) in self.listener.written() {
            let is_new = path
                .metadata()
                .and_then(|found| found.modified())
                .is_ok_and(|at| at >= since);
            let Some(file) = is_new.then(|| run.file_of(&path, &self.target)).flatten() else {
                continue;
            };
            let picture = self.picture(&path, &file, &mut room);
            let places = self.listener.maps_in(&path).filter(|_| picture.is_some());
            made.push(Made {
                step,
                file,
                picture,
                places,
            });
        }
        made.sort_by(|a, b| a.step.cmp(&b.step).then_with(|| a.file.path.cmp(&b.file.path)));
        made
    }

    /// None of what is no picture, is too large, or was shown already.
    fn picture(&self, path: &Path, file: &Input, room: &mut u64) -> Option<(&'static str, Vec<u8>)> {
        let mime = page::picture_type(path)?;
        let bytes = file
            .bytes
            .filter(|bytes| *bytes <= LARGEST_PICTURE && bytes <= room)?;
        let content = gate::read(path).ok()?;
        if self.listener.has_shown(&content) {
            return None;
        }
        *room -= bytes;
        Some((mime, content))
    }
}

/// The command line as one would type it, without what lets others in.
fn command(arguments: &[String]) -> String {
    let mut out = "perilune".to_string();
    let mut is_hidden = false;
    let home = std::env::home_dir().filter(|home| home.components().count() > 1);
    for argument in arguments {
        let name = argument
            .strip_prefix("--")
            .map(|rest| rest.split('=').next().unwrap_or(rest));
        let is_secret = |name: &str| is_secret(&name.replace('-', "_"));
        let word = match (name, argument.split_once('=')) {
            (None, _) if is_hidden => SECRET.to_string(),
            (Some(name), Some((before, _))) if is_secret(name) => format!("{before}={SECRET}"),
            _ => page::quoted(&page::public(argument)),
        };
        is_hidden = name.is_some_and(is_secret) && !argument.contains('=');
        let in_home = home
            .as_ref()
            .and_then(|home| Path::new(&word).strip_prefix(home).ok());
        out.push(' ');
        match in_home {
            Some(rest) => out.push_str(&format!("~/{}", rest.display())),
            None => out.push_str(&word),
        }
    }
    out
}

/// Notes of a run, of which the page hears what is written.
struct Notes {
    run: Arc<Run>,
    listener: Arc<Listener>,
}

impl Provenance for Notes {
    fn note(&self, note: Note<'_>) {
        match note {
            Note::Named {
                path, is_read: false, ..
            } => self.listener.writes(path),
            Note::Maps { path, places } => self.listener.has_maps(path, places),
            _ => {}
        }
        self.run.note(note);
    }

    fn tags(&self, target: &Path, graph: Option<&Json>) -> Vec<(String, String)> {
        self.run.tags(target, graph)
    }

    fn record(&self, target: &Path) -> Option<String> {
        self.run.record(target)
    }

    fn write_beside(&self, target: &Path) -> Result<()> {
        self.run.write_beside(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_told_without_secrets() {
        let told = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_string()).collect();
            command(&arguments)
        };
        assert_eq!(
            told(&[
                "run",
                "a b.lua",
                "--token",
                "abc",
                "--n",
                "3",
                "--api-key=x",
                "--from",
                "https://u:p@h/a"
            ]),
            "perilune run 'a b.lua' --token … --n 3 --api-key=… --from https://h/a"
        );
        let home = std::env::home_dir().unwrap();
        let inside = home.join("a.lua").display().to_string();
        assert_eq!(told(&["run", &inside, "--x"]), "perilune run ~/a.lua --x");
    }
}
