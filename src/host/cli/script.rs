//! `perilune run` and `perilune -e`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlua::Lua;

use super::dry_run;
use super::{DONE, Global, INTERRUPTED, READER_GONE, SCRIPT_ERROR, USAGE};
use crate::bounds;
use crate::console;
use crate::error::{Error, Result, nearest};
use crate::host::report::{Report, interruption};
use crate::host::{Runtime, loader, params, sandbox};
use crate::interrupt::{self, Reason};
use crate::work::{self, Context, Rehearsal};

/// A script that was found.
pub struct Script {
    pub name: String,
    pub text: String,
    /// What errors call it.
    pub chunk: String,
    /// Where it lies, for `require`; none for what ships.
    pub folder: Option<PathBuf>,
}

impl Script {
    /// A file, or else a workflow of that name.
    pub fn find(name: &str) -> Result<Script> {
        let mut path = PathBuf::from(name);
        if !path.is_file() && path.extension().is_none() && path.with_extension("lua").is_file() {
            path.set_extension("lua");
        }
        if path.is_file() {
            let bytes = bounds::read_file(&path, 1, "a script is not that long")?;
            return Ok(Script {
                name: path.display().to_string(),
                text: text_of(bytes, &path)?,
                chunk: format!("@{}", path.display()),
                folder: path.parent().map(Path::to_path_buf),
            });
        }
        let plain = name.strip_suffix(".lua").unwrap_or(name);
        if let Some(text) = loader::library_file(&format!("workflows/{plain}.lua")) {
            return Ok(Script {
                name: plain.to_string(),
                text,
                chunk: format!("@workflows/{plain}.lua"),
                folder: None,
            });
        }
        let looked_in = std::env::current_dir().unwrap_or_default();
        let known = loader::library_names("workflows");
        let mut near: Vec<String> = known.clone();
        near.extend(lua_files(
            path.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        ));
        let hint = match nearest(name, near.iter().map(String::as_str)) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => format!("; the workflows are: {}", known.join(", ")),
        };
        Err(Error::message(format!(
            "no script `{name}`: no such file (looked in {}), and no workflow of that name{hint}",
            looked_in.display()
        )))
    }
}

/// A script's text. Bytecode is refused here already, with its own words.
fn text_of(bytes: Vec<u8>, path: &Path) -> Result<String> {
    if bytes.starts_with(b"\x1bLua") {
        return Err(Error::file(
            path,
            "this is compiled Lua; only the text of scripts is run",
        ));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| Error::file(path, "not a Lua script: its text is not UTF-8"))?;
    // A first line `#!/usr/bin/env …` is for the shell.
    Ok(if text.starts_with('#') {
        format!("--{text}")
    } else {
        text
    })
}

fn lua_files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "lua"))
        .map(|path| path.strip_prefix(".").unwrap_or(&path).display().to_string())
        .collect()
}

/// `--dry-run` may stand among the arguments, too.
pub fn run(name: &str, arguments: &[String], dry_run: bool, global: &Global) -> Result<u8> {
    let script = Script::find(name)?;
    // A script with a parameter of that name gets it.
    let is_flag = |a: &String| a == "--dry-run" && !mentions(&script.text, "dry_run");
    let (flags, arguments): (Vec<_>, Vec<_>) = arguments.iter().cloned().partition(is_flag);
    let rehearsal = (dry_run || !flags.is_empty()).then(|| Arc::new(Rehearsal::default()));
    let context = Context::clone(&work::current()).with_rehearsal(rehearsal.clone());
    let _entered = context.enter();
    let help = arguments.iter().any(|a| a == "--help" || a == "-h");
    let given = if help {
        Vec::new()
    } else {
        params::split_arguments(&arguments)?
    };
    if !given.is_empty() && !mentions(&script.text, "params") {
        return Err(Error::message(format!(
            "{} declares no parameters, so it cannot take --{}",
            script.name, given[0].0
        )));
    }

    let runtime = Runtime::new(global.limits(), global.confined(&given)?)?;
    let lua = runtime.lua();
    sandbox::strict(lua, false)?;
    params::install(lua, false)?;
    params::give(lua, &script.name, given, help);
    work::set_provenance(params::provenance(&script.name, &serde_json::Map::new()));
    if let Some(folder) = &script.folder {
        loader::add_folder(lua, folder);
    }
    let code = match (
        &rehearsal,
        call(&runtime, &script.text, &script.chunk).map_err(|e| Report::new(&e)),
    ) {
        (Some(rehearsal), Ok(())) if !help => dry_run::tell(rehearsal, None),
        (Some(rehearsal), Err(report)) if !report.interrupted && rehearsal.wanted().is_some() => {
            dry_run::tell(rehearsal, Some(&report))
        }
        (_, Ok(())) => DONE,
        (_, Err(report)) => code_of(lua, &report),
    };
    if help && (code == DONE || interrupt::reason() == Some(Reason::HelpShown)) {
        let specs = params::with(lua, |p| {
            p.declared.as_ref().map(|d| d.specs.clone()).unwrap_or_default()
        });
        let description = params::description(&script.text);
        let text = params::help_text(&script.name, &description, &specs, console::width());
        let _ = std::io::stdout().write_all(text.as_bytes());
        return Ok(DONE);
    }
    Ok(close(runtime, code))
}

/// Whether a script has this name anywhere in its code.
fn mentions(text: &str, name: &str) -> bool {
    crate::host::lexer::tokens(text)
        .iter()
        .any(|token| token.is(name))
}

pub fn run_code(code: &str, global: &Global) -> Result<u8> {
    let runtime = Runtime::new(global.limits(), global.confined(&[])?)?;
    let lua = runtime.lua();
    sandbox::strict(lua, true)?;
    params::install(lua, true)?;
    work::set_provenance(params::version_tag());
    let code = execute(&runtime, code, "=(command line)");
    Ok(close(runtime, code))
}

/// Runs a chunk, reports what goes wrong, and answers with the exit code.
fn execute(runtime: &Runtime, text: &str, chunk: &str) -> u8 {
    match call(runtime, text, chunk) {
        Ok(()) => DONE,
        Err(error) => code_of(runtime.lua(), &Report::new(&error)),
    }
}

fn call(runtime: &Runtime, text: &str, chunk: &str) -> mlua::Result<()> {
    runtime.watchdog("").stay();
    let result = runtime
        .load(text, chunk, None)
        .and_then(|function| runtime.call(&function));
    console::reset();
    result.map(drop)
}

/// Tells an error, and answers with its exit code.
fn code_of(lua: &Lua, report: &Report) -> u8 {
    if report.interrupted {
        return match interrupt::reason() {
            Some(Reason::HelpShown) => DONE,
            Some(Reason::ReaderGone) => READER_GONE,
            Some(Reason::TimeLimit | Reason::Memory) => {
                crate::complain!("{}", report.render(lua, coloured()));
                SCRIPT_ERROR
            }
            _ => {
                crate::complain!("{}", report.render(lua, coloured()));
                INTERRUPTED
            }
        };
    }
    if let Some(usage) = params::with(lua, |p| p.usage.clone()) {
        crate::complain!("error: {usage}");
        return USAGE;
    }
    crate::complain!("{}", report.render(lua, coloured()));
    SCRIPT_ERROR
}

/// Runs the finalisers that are left. A script that was stopped in them was stopped all the same.
fn close(runtime: Runtime, code: u8) -> u8 {
    drop(runtime);
    let stopped = match interrupt::reason() {
        Some(Reason::Signal) => INTERRUPTED,
        Some(Reason::TimeLimit | Reason::Memory) => SCRIPT_ERROR,
        _ => return code,
    };
    if code == DONE {
        console::message(&format!("error: {}", interruption()));
        return stopped;
    }
    code
}

fn coloured() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
