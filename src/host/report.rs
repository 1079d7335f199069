//! How an error of a script reads: message, the line with its place underlined, and the calls that led there.

use mlua::Lua;

use super::lexer::{self, TokenKind};
use super::{advice, sources};
use crate::bounds::process;
use crate::error::Error;
use crate::interrupt;
use crate::lua::native::{OUT_OF_MEMORY, is_interrupted, place, without_traceback};

/// What went wrong, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// With the place in front where it is known: `s1.lua:12: raster.open: …`.
    pub message: String,
    /// File and line of the script.
    pub place: Option<(String, usize)>,
    /// The calls on the way there, innermost first: "s1.lua:30, in function `smooth`".
    pub calls: Vec<String>,
    /// The script was stopped from outside.
    pub interrupted: bool,
    /// It is no Lua.
    pub syntax: bool,
    /// The text may go on: at the prompt another line is asked for.
    pub incomplete: bool,
}

impl Report {
    pub fn new(error: &mlua::Error) -> Self {
        // A native that was stopped raises a string, and a script may have wrapped it in words of its own.
        if is_interrupted(error) || interrupt::requested() {
            let traceback = match error {
                mlua::Error::CallbackError { traceback, .. } => traceback.as_str(),
                mlua::Error::RuntimeError(text) => &text[without_traceback(text).len()..],
                _ => "",
            };
            return Report {
                message: interruption(),
                place: None,
                calls: calls(traceback),
                interrupted: true,
                syntax: false,
                incomplete: false,
            };
        }
        let (text, incomplete) = match error {
            mlua::Error::RuntimeError(text) => (text.clone(), false),
            mlua::Error::SyntaxError {
                message,
                incomplete_input,
            } => (message.clone(), *incomplete_input),
            mlua::Error::CallbackError { traceback, cause } => {
                (format!("{}\n{traceback}", Error::from((**cause).clone())), false)
            }
            other => (Error::from(other.clone()).to_string(), false),
        };
        let message = without_traceback(&text);
        let traceback = &text[message.len()..];
        let place = place(message);
        let mut calls = calls(traceback);
        if let Some((file, line)) = &place
            && calls
                .first()
                .is_some_and(|call| call.starts_with(&format!("{file}:{line}")))
        {
            calls.remove(0);
        }
        let message = match message {
            "not enough memory" => OUT_OF_MEMORY.to_string(),
            message => message.to_string(),
        };
        Report {
            message,
            place,
            calls,
            interrupted: false,
            syntax: matches!(error, mlua::Error::SyntaxError { .. }),
            incomplete,
        }
    }

    /// The whole text for a terminal, with the source line where it is known.
    pub fn render(&self, lua: &Lua, colour: bool) -> String {
        let (red, bold, plain) = if colour {
            ("\x1b[31m", "\x1b[1m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        let mut text = format!("{red}error:{plain} {bold}{}{plain}", self.message);
        if let Some((file, line)) = &self.place
            && let Some(source) = sources::text(lua, file)
            && let Some(code) = source.lines().nth(line - 1)
        {
            if let Some(advice) = self.syntax.then(|| advice::of_syntax(code)).flatten() {
                text.push_str(&format!("\n{bold}{advice}{plain}"));
            }
            let (start, length) = suspect(code, &self.message);
            let code = code.replace('\t', " ");
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            text.push_str(&format!("\n  {number} | {code}\n  {margin} | "));
            text.push_str(&" ".repeat(code[..start].chars().count()));
            text.push_str(&format!("{red}{}{plain}", "^".repeat(length)));
        }
        for call in &self.calls {
            text.push_str(&format!("\n  called from {call}"));
        }
        text
    }
}

pub fn interruption() -> String {
    match interrupt::reason() {
        Some(interrupt::Reason::TimeLimit) => "stopped: the time limit is over".to_string(),
        Some(interrupt::Reason::Memory) => format!(
            "stopped: it took more memory than the {} MiB that the process may hold; work on less at a time, or raise the limit with --memory",
            process::ceiling() >> 20
        ),
        _ => "interrupted".to_string(),
    }
}

/// The lines of a traceback that are in scripts.
fn calls(traceback: &str) -> Vec<String> {
    let mut calls = Vec::new();
    for line in traceback.lines().map(str::trim) {
        let Some((at, what)) = line.split_once(": in ") else {
            continue;
        };
        let in_script = place(&format!("{at}:")).is_some();
        if !in_script || at.starts_with("[C]") || at.starts_with("perilune:") || at.starts_with("[string \"=")
        {
            continue;
        }
        let what = what.replace('\'', "`");
        let text = match what.as_str() {
            "main chunk" => at.to_string(),
            what if what.contains('<') => format!("{at}, in a function"),
            what => format!("{at}, in {what}"),
        };
        if calls.last() != Some(&text) {
            calls.push(text);
        }
    }
    const MOST: usize = 12;
    if calls.len() > MOST {
        let left_out = calls.len() - MOST;
        calls.splice(MOST / 2..MOST / 2 + left_out, [format!("… ({left_out} more)")]);
    }
    calls
}

/// Start and length of what to underline: the part of the line that the message speaks of, or all of it.
fn suspect(code: &str, message: &str) -> (usize, usize) {
    let tokens = lexer::tokens(code);
    let message = match place(message) {
        Some((file, line)) => message.get(format!("{file}:{line}: ").len()..).unwrap_or(""),
        None => message,
    };
    let named = quoted(message);
    let function = message.split(": ").find(|part| is_function_name(part));
    // An option or value that the message quotes says more than the function that rejects it.
    for name in named.iter().rev().map(String::as_str).chain(function) {
        let name = name.rsplit(':').next().unwrap_or(name);
        if let Some(at) = whole(code, name) {
            return (at, name.chars().count());
        }
        let last = name.rsplit(['.', ':']).next().unwrap_or(name);
        if let Some(token) = tokens
            .iter()
            .find(|t| matches!(t.kind, TokenKind::Name | TokenKind::String) && t.text == last)
        {
            return (token.start, last.chars().count());
        }
    }
    let trimmed = code.trim();
    let body = match tokens.iter().find(|t| t.kind == TokenKind::Comment) {
        Some(comment) if comment.start > 0 => code[..comment.start].trim(),
        _ => trimmed,
    };
    (code.len() - code.trim_start().len(), body.chars().count().max(1))
}

/// The words in backquotes, quotes or Lua's own quotes, but not the suggestion after "did you mean".
fn quoted(message: &str) -> Vec<String> {
    let message = message.split("did you mean").next().unwrap_or(message);
    let mut words = Vec::new();
    for quote in ['`', '\'', '"'] {
        words.extend(message.split(quote).skip(1).step_by(2).map(str::to_string));
    }
    words.retain(|word| !word.is_empty() && !word.contains('\n'));
    words
}

fn is_function_name(text: &str) -> bool {
    !text.is_empty()
        && text.contains(['.', ':'])
        && text.chars().all(|c| c.is_alphanumeric() || "._:".contains(c))
}

/// Where `name` stands in `code` with no letter on either side.
fn whole(code: &str, name: &str) -> Option<usize> {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).map(|(at, _)| at).find(|&at| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        let edge = |inner: Option<char>, outer: Option<char>| {
            !(inner.is_some_and(letter) && outer.is_some_and(letter))
        };
        !name.is_empty() && edge(name.chars().next(), before) && edge(name.chars().next_back(), after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underlined(code: &str, message: &str) -> String {
        let (start, length) = suspect(code, message);
        code[start..].chars().take(length).collect()
    }

    #[test]
    fn places_are_found() {
        assert_eq!(place("a.lua:12: x: y"), Some(("a.lua".into(), 12)));
        assert_eq!(place("C:/x.lua:3: x"), Some(("C:/x.lua".into(), 3)));
        assert_eq!(place("no place: at 12:30: x"), None);
        assert_eq!(place("nothing"), None);
    }

    #[test]
    fn what_the_message_names_is_underlined() {
        for (code, message, expected) in [
            (
                "local v = filter.lee(img, { looks = -5 })",
                "a.lua:1: filter.lee: looks must be a positive number",
                "filter.lee",
            ),
            (
                "filter.lee(img, { loks = 5 })",
                "a.lua:1: filter.lee: unknown option `loks`; did you mean `looks`?",
                "loks",
            ),
            (
                "  x = img.VV + 1",
                "a.lua:1: attempt to index a nil value (global 'img')",
                "img",
            ),
            (
                "r:clmp(1)",
                "a.lua:1: a Raster has no field or method `clmp`",
                "clmp",
            ),
            (
                "r:clamp('a')",
                "a.lua:1: Raster:clamp: low must be a number, got \"a\" (string)",
                "a",
            ),
            ("  error('mine') -- why", "a.lua:1: mine", "error('mine')"),
        ] {
            assert_eq!(underlined(code, message), expected, "{message}");
        }
    }

    #[test]
    fn tracebacks_lose_what_is_not_the_scripts() {
        let traceback = "\nstack traceback:\n\t[C]: in ?\n\ta.lua:3: in local 'f'\n\ta.lua:9: in function <a.lua:8>\n\ta.lua:12: in main chunk\n\t[C]: in ?";
        assert_eq!(
            calls(traceback),
            ["a.lua:3, in local `f`", "a.lua:9, in a function", "a.lua:12"]
        );
    }
}
