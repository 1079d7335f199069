//! The prompt.

mod commands;
mod complete;
mod input;
mod line;
mod session;
mod show;

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use super::Limits;
use super::cli::{DONE, INTERRUPTED, READER_GONE, SCRIPT_ERROR};
use crate::error::{Error, Result};
use crate::lua::Access;
use session::{Outcome, Session};

/// Reads inputs until the end, from a terminal or from a pipe; answers with the exit code.
pub fn start(limits: Limits, access: Access) -> Result<u8> {
    let session = Session::new(limits, access)?;
    if std::io::stdin().is_terminal() {
        line::interactive(session)
    } else {
        piped(session)
    }
}

/// Inputs from a pipe, without prompts. The first that fails ends it, as in a script.
fn piped(mut session: Session) -> Result<u8> {
    let mut pending = String::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|e| Error::io("standard input", e))?;
        pending.push_str(&line);
        pending.push('\n');
        if is_complete(&session, &pending)
            && let Some(code) = finished(session.input(&std::mem::take(&mut pending)))
        {
            return Ok(code);
        }
    }
    // What is left is incomplete; evaluating it says how.
    if pending.trim().is_empty() {
        return Ok(DONE);
    }
    Ok(finished(session.input(&pending)).unwrap_or(DONE))
}

fn finished(outcome: Outcome) -> Option<u8> {
    match outcome {
        Outcome::Done => None,
        Outcome::Quit => Some(DONE),
        Outcome::Failed => Some(SCRIPT_ERROR),
        Outcome::Interrupted => Some(INTERRUPTED),
        Outcome::ReaderGone => Some(READER_GONE),
    }
}

/// Commands end with their line; Lua may go on.
fn is_complete(session: &Session, text: &str) -> bool {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['?', ':']) && !trimmed.starts_with("::") {
        return true;
    }
    match input::compile(&session.lua(), text, "=input") {
        Ok(_) => true,
        Err(error) => !input::is_incomplete(&error),
    }
}

/// Where the history of inputs is kept; none where there is no home.
pub fn history_path() -> Option<PathBuf> {
    let state = match std::env::var_os("XDG_STATE_HOME").filter(|v| !v.is_empty()) {
        Some(state) => PathBuf::from(state),
        None => std::env::home_dir()?.join(".local/state"),
    };
    Some(state.join("perilune/history"))
}
