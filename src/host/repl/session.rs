//! A session at the prompt: evaluates inputs one after the other, prints their values and errors, keeps what worked.

use std::io::{IsTerminal, Write};

use mlua::{Lua, MultiValue, Value};

use super::commands;
use super::input::{self, Chunk};
use super::show::show;
use crate::bounds::process;
use crate::console;
use crate::error::Result;
use crate::host::report::{Report, interruption};
use crate::host::{Limits, Runtime, cli, params, sandbox, sources};
use crate::interrupt::{self, Reason};
use crate::lua::Access;
use crate::settings;

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

pub struct Session {
    runtime: Runtime,
    /// The inputs that worked, for `:save`.
    kept: Vec<String>,
    count: usize,
    colour: bool,
}

impl Session {
    pub fn new(limits: Limits, access: Access) -> Result<Self> {
        let runtime = Runtime::new(limits, access)?;
        sandbox::strict(runtime.lua(), true)?;
        params::install(runtime.lua(), true)?;
        settings::set_provenance(params::version_tag());
        Ok(Session {
            runtime,
            kept: Vec::new(),
            count: 0,
            colour: std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        })
    }

    pub fn lua(&self) -> Lua {
        self.runtime.lua().clone()
    }

    pub fn kept(&self) -> &[String] {
        &self.kept
    }

    pub fn width(&self) -> usize {
        cli::width()
    }

    /// An input: a command, a question or Lua.
    pub fn input(&mut self, text: &str) -> Outcome {
        let outcome = self.answer(text);
        // Completion and hints call natives too.
        interrupt::clear();
        outcome
    }

    fn answer(&mut self, text: &str) -> Outcome {
        interrupt::clear();
        let trimmed = text.trim();
        let _watchdog = self.runtime.watchdog(FAREWELL);
        let answer = if trimmed.is_empty() {
            return Outcome::Done;
        } else if trimmed.starts_with(':') && !trimmed.starts_with("::") {
            commands::run(self, trimmed)
        } else if let Some(name) = trimmed.strip_prefix('?') {
            let name = name.trim();
            commands::doc_or_help(self, name)
        } else {
            Ok(self.evaluate(text))
        };
        answer.unwrap_or_else(|error| {
            crate::complain!("error: {error}");
            Outcome::Failed
        })
    }

    /// Runs Lua and prints what it gives.
    pub fn evaluate(&mut self, text: &str) -> Outcome {
        self.count += 1;
        let text = text.trim_end();
        let name = format!("=input {}", self.count);
        let chunk = input::compile(self.runtime.lua(), text, &name);
        // Errors show what was typed, not what was compiled.
        sources::remember(self.runtime.lua(), &name, text);
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => return self.report(&error),
        };
        let outcome = self.call(&chunk);
        if outcome == Outcome::Done {
            self.keep(text, &chunk);
        }
        outcome
    }

    /// Runs a whole script, and keeps its outermost variables.
    pub fn run_script(&mut self, text: &str, chunk_name: &str) -> Outcome {
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
                    self.kept.push(text.trim_end().to_string());
                }
                outcome
            }
            Err(error) => self.report(&error),
        }
    }

    fn call(&mut self, chunk: &Chunk) -> Outcome {
        let result = self.runtime.call(&chunk.function);
        console::reset();
        match result {
            Ok(values) if chunk.expression => self.print_values(&values),
            Ok(_) => Outcome::Done,
            Err(error) => self.report(&error),
        }
    }

    fn print_values(&mut self, values: &MultiValue) -> Outcome {
        let lua = self.lua();
        for value in values {
            let text = show(&lua, value, self.width());
            // Pictures and sums of an object are computed while it is shown.
            if interrupt::requested() {
                return self.stopped();
            }
            self.print(&text);
        }
        if let Some(value) = values.front().filter(|v| !matches!(v, Value::Nil)) {
            // The last value shown can be used again.
            let _ = lua.globals().raw_set("_", value);
        }
        Outcome::Done
    }

    fn keep(&mut self, text: &str, chunk: &Chunk) {
        let expression = chunk.expression && !chunk.statement;
        self.kept.push(if expression {
            format!("print({})", text.trim())
        } else {
            text.to_string()
        });
    }

    fn report(&self, error: &mlua::Error) -> Outcome {
        let report = Report::new(error);
        if report.interrupted {
            return self.stopped();
        }
        match params::take_usage(self.runtime.lua()) {
            Some(usage) => crate::complain!("error: {usage}"),
            None => crate::complain!("{}", report.render(self.runtime.lua(), self.colour)),
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
                crate::complain!("error: {}", interruption());
                Outcome::Failed
            }
            _ => {
                crate::complain!("interrupted");
                Outcome::Interrupted
            }
        }
    }

    pub fn print(&mut self, text: &str) {
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        if written.is_err() {
            interrupt::request(Reason::ReaderGone);
        }
    }
}
