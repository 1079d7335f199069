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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Failed(Failure),
    Interrupted,
    /// Nobody reads the output.
    ReaderGone,
    Quit,
}

/// Why an input did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong, with the place in front where there is one.
    pub message: String,
    /// As a terminal shows it: the message, the line that it speaks of, the calls that led there.
    pub text: String,
    /// It is no Lua, and nothing of it has run.
    pub syntax: bool,
}

impl Outcome {
    fn failed(message: impl ToString) -> Outcome {
        let message = message.to_string();
        Outcome::Failed(Failure {
            text: format!("error: {message}"),
            message,
            syntax: false,
        })
    }

    /// Another way was told instead.
    fn advised(advice: String) -> Outcome {
        Outcome::Failed(Failure {
            text: advice.clone(),
            message: advice,
            syntax: false,
        })
    }
}

/// Of what the inputs of a session are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Prompt,
    Notebook,
}

impl Of {
    /// What follows the reason when an input does not stop and the process has to be ended.
    fn farewell(self) -> &'static str {
        match self {
            Of::Prompt => {
                " (the input did not stop, so the prompt ends; the history of inputs and what :save wrote are kept)"
            }
            Of::Notebook => {
                " (the cell did not stop, so the kernel ends; files that it had written are whole, variables are gone)"
            }
        }
    }
}

/// Where an input stands, for errors.
struct Place {
    name: String,
    /// All of what it is a part of, and how many lines of that stand above it.
    source: String,
    above: usize,
}

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
    of: Of,
    runtime: Runtime,
    /// The inputs that worked, for `:save`.
    kept: Vec<Kept>,
    last: Last,
    /// Whether the last input gave a value, which is `_` then.
    shown: bool,
    count: usize,
    /// Of the input that runs, where that is a part of a cell.
    place: Option<Place>,
    /// Whether values are to be shown: in a cell that of its last input alone.
    shows: bool,
}

impl Session {
    pub fn new(of: Of, limits: Limits, access: Access) -> Result<Self> {
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
            of,
            runtime,
            kept: Vec::new(),
            last: Last::Nothing,
            shown: false,
            count: 0,
            place: None,
            shows: true,
        })
    }

    /// Closes the machine, which runs the finalisers that are left.
    pub fn close(self) {
        self.runtime.close();
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
            interrupt::clear();
            let watchdog = self.runtime.watchdog(self.of.farewell());
            let outcome = self.answer(text);
            drop(watchdog);
            // Completion and hints call natives too.
            interrupt::clear();
            match &outcome {
                Outcome::Failed(failure) => work::tell(&failure.text),
                Outcome::Interrupted => work::tell("interrupted"),
                Outcome::Done | Outcome::ReaderGone | Outcome::Quit => {}
            }
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

    /// A cell of a notebook: Lua, or inputs as at the prompt. Its last value is shown. Nothing of a cell runs that is no Lua somewhere.
    pub fn cell(&mut self, text: &str, number: usize) -> Outcome {
        let _entered = self.runtime.enter();
        interrupt::clear();
        let _watchdog = self.runtime.watchdog(self.of.farewell());
        let name = format!("=cell {number}");
        let text = text.trim_end();
        sources::remember(self.runtime.lua(), &name, text);
        let inputs = blocks::inputs(self.runtime.lua(), text);
        let outcome = match inputs.as_slice() {
            [] => Outcome::Done,
            [.., (last, input)] if blocks::follows(input).is_none() && !blocks::asks(input) => {
                match input::compile_cell(self.runtime.lua(), text, *last, &name) {
                    Ok(chunk) => self.run_cell(text, *last, &chunk),
                    Err(_) => self.run_inputs(text, &name, &inputs),
                }
            }
            inputs => self.run_inputs(text, &name, inputs),
        };
        interrupt::clear();
        outcome
    }

    fn run_cell(&mut self, text: &str, last: usize, chunk: &Chunk) -> Outcome {
        if let Some(advice) = self.advice(text) {
            return Outcome::advised(advice);
        }
        self.refresh();
        self.last = Last::Nothing;
        let outcome = self.call(chunk);
        if outcome == Outcome::Done {
            // A value alone is no statement of a script.
            let (above, last) = text.split_at(if chunk.statement { text.len() } else { last });
            let last = if chunk.expression { last } else { "" };
            for (text, expression) in [(above.trim_end(), false), (last, true)] {
                if !text.is_empty() {
                    self.kept.push(Kept {
                        text: text.to_string(),
                        expression,
                    });
                }
            }
        }
        outcome
    }

    /// What is no Lua as a whole: commands, questions and values stand in it.
    fn run_inputs(&mut self, text: &str, name: &str, inputs: &[(usize, &str)]) -> Outcome {
        let place = |start: usize| Place {
            name: name.to_string(),
            source: text.to_string(),
            above: text[..start].matches('\n').count(),
        };
        for (start, input) in inputs.iter().filter(|(_, input)| !blocks::asks(input)) {
            let place = place(*start);
            if let Err(error) = input::compile(self.runtime.lua(), &blocks::linked(input), &place.name) {
                // Once more where it stands, so that the error has its line.
                let there = format!("{}{input}", "\n".repeat(place.above));
                let error = input::compile(self.runtime.lua(), &there, &place.name)
                    .err()
                    .unwrap_or(error);
                return match self.advice(input) {
                    Some(advice) => Outcome::advised(advice),
                    None => self.report(&error),
                };
            }
        }
        for (i, (start, input)) in inputs.iter().enumerate() {
            self.place = Some(place(*start));
            self.shows = i + 1 == inputs.len();
            let outcome = self.answer(input);
            (self.place, self.shows) = (None, true);
            if outcome != Outcome::Done {
                return outcome;
            }
        }
        Outcome::Done
    }

    fn answer(&mut self, text: &str) -> Outcome {
        let trimmed = text.trim();
        let answer = if trimmed.is_empty() {
            return Outcome::Done;
        } else if commands::is_command(trimmed) {
            commands::run(self, trimmed)
        } else if let Some(name) = trimmed.strip_prefix('?') {
            let name = name.trim();
            commands::doc_or_help(self, name)
        } else if let Some(advice) = self.advice(trimmed) {
            return Outcome::advised(advice);
        } else {
            Ok(self.evaluate(text))
        };
        answer.unwrap_or_else(Outcome::failed)
    }

    /// What to type in place of `text`, where it is meant for another program or can only be meant otherwise.
    fn advice(&self, text: &str) -> Option<String> {
        let elsewhere = advice::of_prompt(text, |name| self.knows(name));
        elsewhere.or_else(|| resolve::compared(self.runtime.lua(), &tokens(text)))
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
            return Outcome::failed(format!(
                "`{}` goes on with the input before it, of which nothing is at hand to go on with; write both in one input: a line \
                 goes on where it ends with an operator, a comma or an open bracket",
                text.trim()
            ));
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
        let (name, above) = match &self.place {
            Some(place) => (place.name.clone(), place.above),
            None => {
                self.count += 1;
                (format!("=input {}", self.count), 0)
            }
        };
        let chunk = input::compile(
            self.runtime.lua(),
            &format!("{}{text}", "\n".repeat(above)),
            &name,
        );
        // Errors show what was typed, not what was compiled.
        let source = self.place.as_ref().map_or(text, |place| &place.source);
        sources::remember(self.runtime.lua(), &name, source);
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
            if chunk.expression || chunk.statement {
                self.kept.push(Kept {
                    text: text.to_string(),
                    expression: chunk.expression && !chunk.statement,
                });
            }
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
        for value in values.iter().filter(|_| self.shows) {
            let display = show::display(&lua, value, output.columns());
            let bundle = display.bundle(output.forms());
            // Pictures and sums of an object are computed while it is shown.
            if interrupt::requested() {
                return self.stopped();
            }
            let shown = match bundle {
                Ok(bundle) => output.show_result(bundle),
                Err(error) => output.display(&Display::new(format!("({error})"))),
            };
            if let Err(error) = shown
                && !matches!(error, Error::Interrupted)
            {
                return Outcome::failed(error);
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
            Some(usage) => Outcome::failed(usage),
            None => Outcome::Failed(Failure {
                text: report.render(self.runtime.lua(), work::output().colours()),
                message: report.message,
                syntax: report.syntax,
            }),
        }
    }

    fn stopped(&self) -> Outcome {
        match interrupt::reason() {
            Some(Reason::ReaderGone) => Outcome::ReaderGone,
            reason @ Some(Reason::TimeLimit | Reason::Memory) => {
                if reason == Some(Reason::Memory) {
                    let _ = self.runtime.lua().gc_collect();
                    process::trim();
                }
                Outcome::failed(interruption())
            }
            _ => Outcome::Interrupted,
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
