//! The prompt on a terminal: editing, history, completion, hints.

use std::borrow::Cow;

use mlua::Lua;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::session::{Outcome, Session};
use super::{complete, history_path, input};
use crate::error::{Error, Result};
use crate::host::cli::{DONE, READER_GONE};
use crate::host::lexer::{Kind, tokens};

const PROMPT: &str = "> ";

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
    loop {
        match editor.readline(PROMPT) {
            Ok(text) => {
                if !text.trim().is_empty() {
                    let _ = editor.add_history_entry(text.as_str());
                    if let Some(path) = &history {
                        let _ = editor.append_history(path);
                    }
                }
                match session.input(&text) {
                    Outcome::Quit => return Ok(DONE),
                    Outcome::ReaderGone => return Ok(READER_GONE),
                    Outcome::Done | Outcome::Failed | Outcome::Interrupted => {}
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(DONE),
            Err(error) => return Err(failed(error)),
        }
    }
}

/// What rustyline asks while a line is edited.
struct Assistant {
    lua: Lua,
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
        let (start, found) = complete::complete(&self.lua, &line[..position]);
        let pairs = found.into_iter().map(|name| Pair {
            display: name.trim_end_matches([' ', '=']).to_string(),
            replacement: name,
        });
        Ok((start, pairs.collect()))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let trimmed = text.trim_start();
        if trimmed.starts_with(['?', ':']) && !trimmed.starts_with("::") {
            return Ok(ValidationResult::Valid(None));
        }
        // An empty last line ends what would go on.
        let given_up = text.ends_with("\n\n");
        Ok(match input::compile(&self.lua, text, "=input") {
            Err(error) if input::is_incomplete(&error) && !given_up => ValidationResult::Incomplete,
            _ => ValidationResult::Valid(None),
        })
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<String> {
        if position < line.len() {
            None
        } else {
            complete::hint(line)
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
                Kind::Keyword => "35",
                Kind::String => "32",
                Kind::Number => "36",
                Kind::Comment => "90",
                Kind::Name | Kind::Symbol => {
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
