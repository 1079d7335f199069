//! `perilune run` and `perilune -e`.

use std::path::Path;
use std::sync::Arc;

use mlua::{Function, Lua};

use super::project::{self, Fetch};
use super::reported::{self, Reported};
use super::scripts::Script;
use super::{DONE, Global, INTERRUPTED, READER_GONE, SCRIPT_ERROR, USAGE};
use super::{bundled, dry_run, inspect, untrusted};
use crate::error::{Error, Result};
use crate::host::report::{Report, interruption};
use crate::host::{Runtime, loader, needs, params, sandbox};
use crate::interrupt::{self, Reason};
use crate::share::provenance::Run;
use crate::work::{self, Context, Rehearsal, Stream};

/// What is asked of a run.
#[derive(Clone, Copy)]
pub struct How {
    pub dry_run: bool,
    pub as_locked: bool,
}

/// `--dry-run`, `--as-locked`, `--report` and what grants and denies may stand among the arguments, too.
pub fn run(name: &str, arguments: &[String], how: How, global: &Global) -> Result<u8> {
    let script = Script::find(name)?;
    let (permissions, arguments) = global.permissions.taken(arguments)?;
    let is_untrusted = permissions.untrusted || script.is_foreign();
    // A script with a parameter of that name gets it.
    let is_flag = |a: &String| a == "--dry-run" && !mentions(&script.text, "dry_run");
    let (flags, arguments): (Vec<_>, Vec<_>) = arguments.into_iter().partition(is_flag);
    let is_lock = |a: &String| a == "--as-locked" && !mentions(&script.text, "as_locked");
    let (locks, arguments): (Vec<_>, Vec<_>) = arguments.into_iter().partition(is_lock);
    let (target, arguments) = reported::taken(&script, arguments)?;
    let global = &Global {
        report: target.or_else(|| global.report.clone()),
        permissions,
        ..global.clone()
    };
    let rehearsal =
        (how.dry_run || !flags.is_empty()).then(|| Arc::new(Rehearsal::new(Rehearsal::ALLOWANCE)));
    let context = Context::clone(&work::current()).with_rehearsal(rehearsal.clone());
    let _entered = context.enter();
    let help = arguments.iter().any(|a| a == "--help" || a == "-h");
    if help && is_untrusted {
        // The help of others' scripts is told from their text.
        return inspect::run(name, false);
    }
    let target = global.report.as_ref().filter(|_| !help);
    if let Some(target) = target {
        if rehearsal.is_some() {
            return Err(Error::message(
                "a dry run makes nothing, and no report; leave out --report or --dry-run",
            ));
        }
        reported::check(target)?;
    }
    let report = target.map(|target| Reported::new(target.clone(), &script));
    let context = match &report {
        Some(report) => Context::clone(&work::current()).with_output(report.output()),
        None => Context::clone(&work::current()),
    };
    let _entered = context.enter();
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

    if !help {
        match bundled::check(&script, how.as_locked || !locks.is_empty()) {
            Err(Error::Interrupted) => return Ok(INTERRUPTED),
            checked => checked?,
        }
    }
    let all = match help {
        true => Vec::new(),
        false => script.with_bundled(&given),
    };
    let surroundings = match is_untrusted {
        false => script.surroundings(Fetch::Yes)?,
        true => None,
    };
    let (access, foreign) = match is_untrusted {
        false => (global.confined(&all)?, None),
        true => match untrusted::settle(&script, &given, global)? {
            Some((access, foreign)) => (access, Some(foreign)),
            None if interrupt::requested() => return Ok(INTERRUPTED),
            None => return Ok(SCRIPT_ERROR),
        },
    };
    let (working, aside) = (
        access.working().to_path_buf(),
        access.aside().map(Path::to_path_buf),
    );
    let runtime = Runtime::new(global.limits(), access)?;
    let lua = runtime.lua();
    sandbox::strict(lua, false)?;
    params::install(lua, false)?;
    match (foreign, &script.bundle) {
        (Some(untrusted::Foreign { locals, needs }), _) => {
            loader::fix(lua, locals);
            needs::hold(lua, needs);
        }
        (None, Some(packed)) => loader::fix(lua, packed.modules.clone()),
        (None, None) => loader::surround(lua, surroundings),
    }
    let names: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
    params::give(lua, &script.name, all);
    let notes = Arc::new(Run::new(Some(script.origin()), &working, aside.as_deref()));
    work::set_provenance(match &report {
        Some(report) => report.notes(notes.clone()),
        None => notes.clone(),
    });
    if let Some(folder) = &script.folder {
        loader::add_folder(lua, folder);
    }
    if help {
        return tell_parameters(runtime, &script);
    }
    if let Some(report) = &report {
        report.follow(&runtime, &script)?;
    }
    let ended = execute(&runtime, &script.text, &script.chunk).map_err(|e| Report::new(&e));
    let page = report.map(|report| {
        report.be_deaf(true);
        let failure = ended.as_ref().err().map(|e| report.failure(e, lua, &script));
        let parameters = Reported::parameters(lua, &notes, report.target(), &names);
        (report, failure, parameters)
    });
    let code = match (&rehearsal, ended) {
        (Some(rehearsal), Ok(())) => dry_run::tell(rehearsal, None),
        (Some(rehearsal), Err(report)) if !report.interrupted && rehearsal.wanted().is_some() => {
            dry_run::tell(rehearsal, Some(&report))
        }
        (_, Ok(())) => DONE,
        (_, Err(report)) => code_of(lua, &report),
    };
    if let Some((report, ..)) = &page {
        report.be_deaf(false);
    }
    let code = close(runtime, code);
    let Some((report, failure, parameters)) = page else {
        return Ok(code);
    };
    let target = report.target().to_path_buf();
    match report.write(&script, &notes, &working, parameters, failure) {
        Ok(()) => work::tell(&format!("report: {}", target.display())),
        Err(error) => {
            work::tell(&format!("error: the report was not written: {error}"));
            return Ok(if code == DONE { SCRIPT_ERROR } else { code });
        }
    }
    Ok(code)
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
    let surroundings = project::around(Path::new("."), Fetch::Yes)?;
    let access = global.confined(&[])?;
    let (working, aside) = (
        access.working().to_path_buf(),
        access.aside().map(Path::to_path_buf),
    );
    let runtime = Runtime::new(global.limits(), access)?;
    let lua = runtime.lua();
    loader::surround(lua, surroundings);
    sandbox::strict(lua, true)?;
    params::install(lua, true)?;
    work::set_provenance(Arc::new(Run::new(None, &working, aside.as_deref())));
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
