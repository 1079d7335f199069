//! `perilune run` and `perilune -e`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlua::{Function, Lua};

use super::{DONE, Global, INTERRUPTED, READER_GONE, SCRIPT_ERROR, USAGE};
use super::{dry_run, inspect, untrusted};
use crate::bounds;
use crate::error::{Error, Result, nearest};
use crate::host::effects::sha256;
use crate::host::report::{Report, interruption};
use crate::host::{Runtime, loader, needs, params, sandbox};
use crate::interrupt::{self, Reason};
use crate::work::{self, Context, Rehearsal, Stream};

/// A script that was found.
pub struct Script {
    pub name: String,
    pub text: String,
    /// What errors call it.
    pub chunk: String,
    /// Where it lies, for `require`; none for what ships.
    pub folder: Option<PathBuf>,
    /// SHA-256 of the file.
    pub sha256: String,
}

impl Script {
    /// A file, or else a workflow of that name.
    ///
    /// # Errors
    /// When there is neither; a file that cannot be read, is not UTF-8, or is compiled Lua.
    pub fn find(name: &str) -> Result<Script> {
        let mut path = PathBuf::from(name);
        if !path.is_file() && path.extension().is_none() && path.with_extension("lua").is_file() {
            path.set_extension("lua");
        }
        if path.is_file() {
            let bytes = bounds::read_file(&path, 1, "a script is not that long")?;
            return Ok(Script {
                name: path.display().to_string(),
                sha256: sha256(&bytes),
                text: text_of(bytes, &path)?,
                chunk: format!("@{}", path.display()),
                folder: path.parent().map(Path::to_path_buf),
            });
        }
        let plain = name.strip_suffix(".lua").unwrap_or(name);
        if let Some(text) = loader::library_file(&format!("workflows/{plain}.lua")) {
            return Ok(Script {
                name: plain.to_string(),
                sha256: sha256(text.as_bytes()),
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

/// `--dry-run` and `--untrusted` may stand among the arguments, too.
pub fn run(name: &str, arguments: &[String], dry_run: bool, global: &Global) -> Result<u8> {
    let script = Script::find(name)?;
    // Never a parameter: a script that declares one of that name would be trusted by it.
    let (flags, arguments): (Vec<String>, Vec<String>) = arguments
        .iter()
        .cloned()
        .partition(|argument| argument == "--untrusted");
    let is_untrusted = global.permissions.untrusted || !flags.is_empty();
    // A script with a parameter of that name gets it.
    let is_flag = |a: &String| a == "--dry-run" && !mentions(&script.text, "dry_run");
    let (flags, arguments): (Vec<_>, Vec<_>) = arguments.into_iter().partition(is_flag);
    let rehearsal = (dry_run || !flags.is_empty()).then(|| Arc::new(Rehearsal::new(Rehearsal::ALLOWANCE)));
    let context = Context::clone(&work::current()).with_rehearsal(rehearsal.clone());
    let _entered = context.enter();
    let help = arguments.iter().any(|a| a == "--help" || a == "-h");
    if help && is_untrusted {
        // The help of others' scripts is told from their text.
        return inspect::run(name, false);
    }
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

    let (access, foreign) = match is_untrusted {
        false => (global.confined(&given)?, None),
        true => match untrusted::settle(&script, &given, global)? {
            Some((access, foreign)) => (access, Some(foreign)),
            None => return Ok(SCRIPT_ERROR),
        },
    };
    let runtime = Runtime::new(global.limits(), access)?;
    let lua = runtime.lua();
    sandbox::strict(lua, false)?;
    params::install(lua, false)?;
    if let Some(untrusted::Foreign { locals, needs }) = foreign {
        loader::fix(lua, locals);
        needs::hold(lua, needs);
    }
    params::give(lua, &script.name, given);
    work::set_provenance(params::provenance(&script.name, &serde_json::Map::new()));
    if let Some(folder) = &script.folder {
        loader::add_folder(lua, folder);
    }
    if help {
        return tell_parameters(runtime, &script);
    }
    let code = match (
        &rehearsal,
        execute(&runtime, &script.text, &script.chunk).map_err(|e| Report::new(&e)),
    ) {
        (Some(rehearsal), Ok(())) => dry_run::tell(rehearsal, None),
        (Some(rehearsal), Err(report)) if !report.interrupted && rehearsal.wanted().is_some() => {
            dry_run::tell(rehearsal, Some(&report))
        }
        (_, Ok(())) => DONE,
        (_, Err(report)) => code_of(lua, &report),
    };
    Ok(close(runtime, code))
}

/// Runs a script as far as its declaration, or to its end where it has none, and prints its help.
fn tell_parameters(runtime: Runtime, script: &Script) -> Result<u8> {
    params::declare_alone(runtime.lua())?;
    let begun = call(&runtime, &script.text, &script.chunk, Runtime::begin);
    let declared = params::declared(runtime.lua());
    if let Err(report) = begun.map_err(|e| Report::new(&e))
        && (declared.is_none() || report.interrupted)
    {
        let code = code_of(runtime.lua(), &report);
        return Ok(close(runtime, code));
    }
    let description = params::description(&script.text);
    let specs = declared.unwrap_or_default();
    let output = work::output();
    let text = params::help_text(&script.name, &description, &specs, output.columns());
    // Whoever asked may read a part of it.
    let _ = output.write(Stream::Stdout, text.as_bytes());
    Ok(DONE)
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
    let code = match execute(&runtime, code, "=(command line)") {
        Ok(()) => DONE,
        Err(error) => code_of(lua, &Report::new(&error)),
    };
    Ok(close(runtime, code))
}

fn execute(runtime: &Runtime, text: &str, chunk: &str) -> mlua::Result<()> {
    call(runtime, text, chunk, |runtime, function| {
        runtime.call(function).map(drop)
    })
}

/// Loads a chunk and runs it by `run`, watched.
fn call(
    runtime: &Runtime,
    text: &str,
    chunk: &str,
    run: impl FnOnce(&Runtime, &Function) -> mlua::Result<()>,
) -> mlua::Result<()> {
    runtime.watchdog("").stay();
    let loaded = runtime.load(text, chunk, None);
    let result = loaded.and_then(|function| run(runtime, &function));
    work::progress().reset();
    result
}

/// Tells an error, and answers with its exit code.
fn code_of(lua: &Lua, report: &Report) -> u8 {
    if report.interrupted {
        return match interrupt::reason() {
            Some(Reason::ReaderGone) => READER_GONE,
            Some(Reason::TimeLimit | Reason::Memory) => {
                work::tell(&report.render(lua, work::output().colours()));
                SCRIPT_ERROR
            }
            _ => {
                work::tell(&report.render(lua, work::output().colours()));
                INTERRUPTED
            }
        };
    }
    if let Some(usage) = params::with(lua, |p| p.usage.clone()) {
        work::tell(&format!("error: {usage}"));
        return USAGE;
    }
    work::tell(&report.render(lua, work::output().colours()));
    SCRIPT_ERROR
}

/// Runs the finalisers that are left. A script that was stopped in them was stopped all the same.
fn close(runtime: Runtime, code: u8) -> u8 {
    runtime.close();
    let stopped = match interrupt::reason() {
        Some(Reason::Signal) => INTERRUPTED,
        Some(Reason::TimeLimit | Reason::Memory) => SCRIPT_ERROR,
        _ => return code,
    };
    if code == DONE {
        work::tell(&format!("error: {}", interruption()));
        return stopped;
    }
    code
}
