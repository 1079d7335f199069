//! The prompt on a terminal: editing, history, completion, hints.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use mlua::Lua;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::session::{Outcome, Session};
use super::{blocks, complete, history_path};
use crate::error::{Error, Result};
use crate::host::cli::{DONE, READER_GONE};
use crate::host::lexer::{TokenKind, tokens};

const PROMPT: &str = "> ";
/// While an input goes on.
const GOES_ON: &str = ">> ";

pub fn interactive(mut session: Session) -> Result<u8> {
    let failed = |e: ReadlineError| Error::message(format!("the terminal cannot be used: {e}"));
    let config = Config::builder()
        .max_history_size(10_000)
        .map_err(failed)?
        .history_ignore_dups(true)
        .map_err(failed)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Assistant {
        lua: session.lua(),
        before: String::new(),
        colour: std::env::var_os("NO_COLOR").is_none(),
    }));
    let history = history_path();
    if let Some(path) = &history {
        // The first session has none yet.
        let _ = path.parent().map(std::fs::create_dir_all);
        let _ = editor.load_history(path);
    }
    crate::say!(
        "perilune {}. :help lists commands and modules, ?NAME explains, Ctrl-D leaves.",
        env!("CARGO_PKG_VERSION")
    );
    // What was typed since the last input ended, and the part of it that has not run because it is not whole.
    let (mut typed, mut pending) = (String::new(), String::new());
    loop {
        if let Some(assistant) = editor.helper_mut() {
            assistant.before.clone_from(&pending);
        }
        let arrival = Arrival::begin();
        let line = match editor.readline(if pending.is_empty() { PROMPT } else { GOES_ON }) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                (typed, pending) = Default::default();
                continue;
            }
            Err(ReadlineError::Eof) => return Ok(DONE),
            Err(error) => return Err(failed(error)),
        };
        let leaves = !pending.is_empty() && line.trim().is_empty() && arrival.was_awaited();
        typed.push_str(&line);
        pending.push_str(&line);
        let mut outcome = Outcome::Done;
        if leaves {
            crate::complain!("(left: the input was not finished)");
            pending.clear();
        } else {
            let text = std::mem::take(&mut pending);
            let (whole, rest) = blocks::cut(&session.lua(), &text);
            outcome = session.inputs(&whole);
            if outcome == Outcome::Done && !rest.trim().is_empty() {
                pending = format!("{rest}\n");
                typed.push('\n');
                continue;
            }
        }
        let entry = std::mem::take(&mut typed);
        if !entry.trim().is_empty() {
            let _ = editor.add_history_entry(entry.trim_end());
            if let Some(path) = &history {
                let _ = editor.append_history(path);
            }
        }
        match outcome {
            Outcome::Quit => return Ok(DONE),
            Outcome::ReaderGone => return Ok(READER_GONE),
            Outcome::Done | Outcome::Failed(_) | Outcome::Interrupted => {}
        }
    }
}

/// Tells a line that somebody types from one that lay there already, as the lines of a paste do where the terminal does not
/// mark it: an empty line inside a pasted function does not leave it.
struct Arrival {
    started: Instant,
    waits: i64,
}

impl Arrival {
    /// Nobody presses Enter twice within this.
    const AT_ONCE: Duration = Duration::from_millis(30);

    fn begin() -> Arrival {
        Arrival {
            started: Instant::now(),
            waits: waits(),
        }
    }

    fn was_awaited(&self) -> bool {
        self.started.elapsed() > Arrival::AT_ONCE && waits() > self.waits
    }
}

/// How often this thread has waited for something.
fn waits() -> i64 {
    // SAFETY: all bytes zero are a valid rusage, which getrusage overwrites.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: getrusage writes to the rusage that it is given.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, &mut usage) };
    usage.ru_nvcsw
}

/// What rustyline asks while a line is edited.
struct Assistant {
    lua: Lua,
    /// The lines above of an input that goes on.
    before: String,
    colour: bool,
}

impl Helper for Assistant {}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let line = &line[..position];
        // A tab at the start of a line is an indent, most of all in what is pasted.
        if line.trim().is_empty() && !(line.is_empty() && self.before.is_empty()) {
            return Ok((position, vec![indent()]));
        }
        let text = format!("{}{line}", self.before);
        let (start, found) = complete::complete(&self.lua, &text);
        let start = start.saturating_sub(self.before.len());
        let pairs = found.into_iter().map(|name| Pair {
            display: name.trim_end_matches([' ', '=']).to_string(),
            replacement: name,
        });
        Ok((start, pairs.collect()))
    }
}

fn indent() -> Pair {
    Pair {
        display: "  ".to_string(),
        replacement: "  ".to_string(),
    }
}

/// Every line is taken; what is not finished goes on at the next prompt.
impl Validator for Assistant {}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<String> {
        if position < line.len() {
            None
        } else {
            complete::hint(&self.lua, &format!("{}{line}", self.before))
        }
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.colour || line.starts_with([':', '?']) {
            return Cow::Borrowed(line);
        }
        let mut out = String::with_capacity(line.len() * 2);
        let mut at = 0;
        for token in tokens(line) {
            out.push_str(&line[at..token.start]);
            at = token.end();
            let code = match token.kind {
                TokenKind::Keyword => "35",
                TokenKind::String => "32",
                TokenKind::Number => "36",
                TokenKind::Comment => "90",
                TokenKind::Name | TokenKind::Symbol => {
                    out.push_str(token.text);
                    continue;
                }
            };
            out.push_str(&format!("\x1b[{code}m{}\x1b[0m", token.text));
        }
        out.push_str(&line[at..]);
        Cow::Owned(out)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        if self.colour {
            Cow::Owned(format!("\x1b[1;34m{prompt}\x1b[0m"))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colour {
            Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
        } else {
            Cow::Borrowed(hint)
        }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.colour && kind != CmdKind::MoveCursor
    }
}
