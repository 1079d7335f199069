//! A session at the prompt: evaluates inputs one after the other, prints their values and errors, keeps what worked.

use std::path::Path;
use std::sync::Arc;

use mlua::{Lua, MultiValue, Value};

use super::blocks::{self, Last};
use super::commands;
use super::input::{self, Chunk};
use super::resolve;
use crate::bounds::process;
use crate::error::{Error, Result, counted};
use crate::host::lexer::{TokenKind, tokens};
use crate::host::report::{Report, interruption};
use crate::host::show;
use crate::host::{Limits, Runtime, advice, loader, params, sandbox, sources};
use crate::interrupt::{self, Reason};
use crate::lua::Access;
use crate::share::provenance::Run;
use crate::work::{self, Display, Stream};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Failed,
    Interrupted,
    /// Nobody reads the output.
    ReaderGone,
    Quit,
}

/// What follows the reason when an input does not stop and the process has to be ended.
const FAREWELL: &str =
    " (the input did not stop, so the prompt ends; the history of inputs and what :save wrote are kept)";

/// An input that worked.
#[derive(Debug, Clone)]
pub struct Kept {
    pub text: String,
    /// It gave a value and is no statement, so that a script has to print it.
    pub expression: bool,
}

impl Kept {
    /// As a script has it.
    pub fn line(&self) -> String {
        match self.expression {
            true => format!("print({})", self.text.trim()),
            false => self.text.clone(),
        }
    }
}

pub struct Session {
    runtime: Runtime,
    /// The inputs that worked, for `:save`.
    kept: Vec<Kept>,
    last: Last,
    /// Whether the last input gave a value, which is `_` then.
    shown: bool,
    count: usize,
}

impl Session {
    pub fn new(limits: Limits, access: Access) -> Result<Self> {
        let (working, aside) = (
            access.working().to_path_buf(),
            access.aside().map(Path::to_path_buf),
        );
        let runtime = Runtime::new(limits, access)?;
        sandbox::strict(runtime.lua(), true)?;
        params::install(runtime.lua(), true)?;
        let run = Run::new(None, &working, aside.as_deref());
        work::set_provenance(Arc::new(run));
        Ok(Session {
            runtime,
            kept: Vec::new(),
            last: Last::Nothing,
            shown: false,
            count: 0,
        })
    }

    pub fn lua(&self) -> Lua {
        self.runtime.lua().clone()
    }

    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    pub fn width(&self) -> usize {
        work::output().columns()
    }

    /// Inputs in their order: commands, questions, statements. The first that does not work ends them.
    pub fn inputs(&mut self, inputs: &[&str]) -> Outcome {
        let _entered = self.runtime.enter();
        for (i, text) in inputs.iter().enumerate() {
            let outcome = self.answer(text);
            // Completion and hints call natives too.
            interrupt::clear();
            if outcome != Outcome::Done {
                let left = inputs[i + 1..]
                    .iter()
                    .filter(|text| !text.trim().is_empty())
                    .count();
                if left > 0 && outcome != Outcome::Quit {
                    work::tell(&format!("(not run: {} after this one)", counted(left, "input")));
                }
                return outcome;
            }
        }
        Outcome::Done
    }

    fn answer(&mut self, text: &str) -> Outcome {
        interrupt::clear();
        let trimmed = text.trim();
        let _watchdog = self.runtime.watchdog(FAREWELL);
        let answer = if trimmed.is_empty() {
            return Outcome::Done;
        } else if commands::is_command(trimmed) {
            commands::run(self, trimmed)
        } else if let Some(name) = trimmed.strip_prefix('?') {
            let name = name.trim();
            commands::doc_or_help(self, name)
        } else if let Some(advice) = advice::of_prompt(trimmed, |name| self.knows(name)) {
            work::tell(&advice);
            return Outcome::Failed;
        } else if let Some(advice) = resolve::compared(self.runtime.lua(), &tokens(text)) {
            work::tell(&advice);
            return Outcome::Failed;
        } else {
            Ok(self.evaluate(text))
        };
        answer.unwrap_or_else(|error| {
            work::tell(&format!("error: {error}"));
            Outcome::Failed
        })
    }

    fn knows(&self, name: &str) -> bool {
        let value = self.runtime.lua().globals().raw_get::<Value>(name);
        value.is_ok_and(|value| !value.is_nil()) || loader::module_names().iter().any(|module| module == name)
    }

    /// Runs Lua and prints what it gives. A line that can only go on with the one before, such as `:stats()`, does so.
    pub fn evaluate(&mut self, text: &str) -> Outcome {
        let text = text.trim_end();
        if blocks::follows(text).is_none() {
            return self.run(text);
        }
        let Some(joined) = self.last.with(text.trim_start()) else {
            work::tell(&format!(
                "error: `{}` goes on with the input before it, of which nothing is at hand to go on with; write both in one input: a line \
                 goes on where it ends with an operator, a comma or an open bracket",
                text.trim()
            ));
            return Outcome::Failed;
        };
        let outcome = self.run(&joined);
        // As it was typed, it is a part of the input before it.
        if outcome == Outcome::Done
            && let Some(Kept { expression, .. }) = self.kept.pop()
            && let Some(before) = self.kept.last_mut()
        {
            before.text = format!("{}\n{text}", before.text);
            before.expression = expression;
        }
        outcome
    }

    /// Takes in what has changed in the files of modules.
    fn refresh(&mut self) {
        match loader::refresh(self.runtime.lua()) {
            Ok(names) => {
                for name in names {
                    work::tell(&format!("(module {name} has changed, and was loaded again)"));
                }
            }
            Err(error) => work::tell(&format!(
                "error: a module has changed, and cannot be loaded again: {error}"
            )),
        }
    }

    fn run(&mut self, text: &str) -> Outcome {
        self.count += 1;
        let name = format!("=input {}", self.count);
        let chunk = input::compile(self.runtime.lua(), text, &name);
        // Errors show what was typed, not what was compiled.
        sources::remember(self.runtime.lua(), &name, text);
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                self.last = Last::Nothing;
                return self.report(&error);
            }
        };
        self.refresh();
        // What fails leaves nothing to go on with.
        let before = std::mem::replace(&mut self.last, Last::Nothing);
        let outcome = self.call(&chunk);
        if outcome == Outcome::Done {
            let code = tokens(text).iter().any(|token| token.kind != TokenKind::Comment);
            self.last = match (code, chunk.expression, &self.shown) {
                (false, _, _) => before,
                (true, true, false) => Last::Nothing,
                (true, expression, _) => Last::of(text, expression),
            };
            self.kept.push(Kept {
                text: text.to_string(),
                expression: chunk.expression && !chunk.statement,
            });
        }
        outcome
    }

    /// Runs a whole script, and keeps its outermost variables.
    pub fn run_script(&mut self, text: &str, chunk_name: &str) -> Outcome {
        self.last = Last::Nothing;
        self.refresh();
        let function = self.runtime.load(&input::keep_locals(text), chunk_name, None);
        sources::remember(self.runtime.lua(), chunk_name, text);
        match function {
            Ok(function) => {
                let chunk = Chunk {
                    function,
                    expression: false,
                    statement: true,
                };
                let outcome = self.call(&chunk);
                if outcome == Outcome::Done {
                    self.kept.push(Kept {
                        text: text.trim_end().to_string(),
                        expression: false,
                    });
                }
                outcome
            }
            Err(error) => self.report(&error),
        }
    }

    fn call(&mut self, chunk: &Chunk) -> Outcome {
        let result = self.runtime.call(&chunk.function);
        work::progress().reset();
        match result {
            Ok(values) if chunk.expression => self.print_values(&values),
            Ok(_) => Outcome::Done,
            Err(error) => self.report(&error),
        }
    }

    fn print_values(&mut self, values: &MultiValue) -> Outcome {
        let lua = self.lua();
        let output = work::output();
        for value in values {
            let display = show::display(&lua, value, output.columns());
            let bundle = display.bundle(output.forms());
            // Pictures and sums of an object are computed while it is shown.
            if interrupt::requested() {
                return self.stopped();
            }
            let shown = match bundle {
                Ok(bundle) => output.show(bundle),
                Err(error) => output.display(&Display::new(format!("({error})"))),
            };
            if let Err(error) = shown
                && !matches!(error, Error::Interrupted)
            {
                work::tell(&format!("error: {error}"));
                return Outcome::Failed;
            }
        }
        let first = values.front().filter(|v| !matches!(v, Value::Nil));
        self.shown = first.is_some();
        if let Some(value) = first {
            // The last value shown can be used again.
            let _ = lua.globals().raw_set("_", value);
        }
        Outcome::Done
    }

    fn report(&self, error: &mlua::Error) -> Outcome {
        let report = Report::new(error);
        if report.interrupted {
            return self.stopped();
        }
        match params::take_usage(self.runtime.lua()) {
            Some(usage) => work::tell(&format!("error: {usage}")),
            None => work::tell(&report.render(self.runtime.lua(), work::output().colours())),
        }
        Outcome::Failed
    }

    fn stopped(&self) -> Outcome {
        match interrupt::reason() {
            Some(Reason::ReaderGone) => Outcome::ReaderGone,
            reason @ Some(Reason::TimeLimit | Reason::Memory) => {
                if reason == Some(Reason::Memory) {
                    let _ = self.runtime.lua().gc_collect();
                    process::trim();
                }
                work::tell(&format!("error: {}", interruption()));
                Outcome::Failed
            }
            _ => {
                work::tell("interrupted");
                Outcome::Interrupted
            }
        }
    }

    /// An answer of the prompt itself.
    pub fn print(&mut self, text: &str) {
        match work::output().write(Stream::Stdout, format!("{text}\n").as_bytes()) {
            Ok(()) | Err(Error::Interrupted) => {}
            Err(error) => work::tell(&format!("error: {error}")),
        }
    }
}
