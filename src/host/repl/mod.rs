//! The prompt.

pub(super) mod blocks;
mod commands;
pub(super) mod complete;
mod input;
pub(super) mod inspect;
mod line;
mod resolve;
pub(super) mod session;

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use super::Limits;
use super::cli::{DONE, INTERRUPTED, READER_GONE, SCRIPT_ERROR};
use super::loader::{self, Surroundings};
use crate::error::{Error, Result};
use crate::lua::Access;
use session::{Of, Outcome, Session};

/// Reads inputs until the end, from a terminal or from a pipe; answers with the exit code.
pub fn start(limits: Limits, access: Access, project: Option<Surroundings>) -> Result<u8> {
    let session = Session::new(Of::Prompt, limits, access)?;
    loader::surround(&session.lua(), project);
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
        let (whole, rest) = blocks::cut(&session.lua(), &pending);
        if let Some(code) = finished(session.inputs(&whole)) {
            return Ok(code);
        }
        pending = rest.to_string();
    }
    // What is left is incomplete; evaluating it says how.
    if pending.trim().is_empty() {
        return Ok(DONE);
    }
    Ok(finished(session.inputs(&[&pending])).unwrap_or(DONE))
}

fn finished(outcome: Outcome) -> Option<u8> {
    match outcome {
        Outcome::Done => None,
        Outcome::Quit => Some(DONE),
        Outcome::Failed(_) => Some(SCRIPT_ERROR),
        Outcome::Interrupted => Some(INTERRUPTED),
        Outcome::ReaderGone => Some(READER_GONE),
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
