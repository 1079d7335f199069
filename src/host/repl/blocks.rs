//! What is typed or pasted, cut into inputs: commands, questions and statements of Lua, each of which runs and prints
//! what it gives before the next.

use std::borrow::Cow;

use mlua::Lua;

use super::{commands, input};
use crate::host::advice;
use crate::host::lexer::{Token, TokenKind, tokens};

/// The inputs of `text` that are whole, and what is left of one that is not.
pub fn cut<'a>(lua: &Lua, text: &'a str) -> (Vec<&'a str>, &'a str) {
    let mut whole = Vec::new();
    let mut start = 0;
    let mut end = 0;
    while end < text.len() {
        end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
        let part = &text[start..end];
        if part.trim().is_empty() {
            start = end;
        } else if is_whole(lua, part) && !goes_on(part, &text[end..]) {
            whole.push(part);
            start = end;
        }
    }
    (whole, &text[start..])
}

/// The inputs of a cell and where each begins, comments alone left out. The last may be one that is not whole.
pub fn inputs<'a>(lua: &Lua, text: &'a str) -> Vec<(usize, &'a str)> {
    let (whole, rest) = cut(lua, text);
    let has_code = |input: &str| tokens(input).iter().any(|token| token.kind != TokenKind::Comment);
    let mut from = 0;
    let mut found = Vec::new();
    for input in whole.into_iter().chain([rest]) {
        // Between two of them are blank lines alone.
        let start = text[from..].find(input).map_or(from, |at| from + at);
        from = start + input.len();
        if has_code(input) {
            found.push((start, input));
        }
    }
    found
}

/// What a text is that may be a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Whole,
    GoesOn,
    Wrong,
}

/// Whether `text` can run as it stands.
pub fn state(lua: &Lua, text: &str) -> State {
    let (whole, rest) = cut(lua, text);
    let is_wrong = |input: &&&str| !asks(input) && input::compile(lua, &linked(input), "=input").is_err();
    match whole.iter().find(is_wrong) {
        Some(_) => State::Wrong,
        None if rest.trim().is_empty() => State::Whole,
        None => State::GoesOn,
    }
}

/// An input with what it goes on with.
pub fn linked(text: &str) -> Cow<'_, str> {
    match follows(text) {
        Some(Link::Member | Link::Operator) => format!("_ {text}").into(),
        None => text.into(),
    }
}

/// Whether `text` can run as it stands, or is wrong whatever follows.
fn is_whole(lua: &Lua, text: &str) -> bool {
    if asks(text) {
        return true;
    }
    match input::compile(lua, &linked(text), "=input") {
        Ok(_) => true,
        Err(error) => !input::is_incomplete(&error),
    }
}

/// A command or a question, which end with their line.
pub fn asks(text: &str) -> bool {
    text.trim_start().starts_with('?') || advice::foreign(text).is_some() || commands::is_command(text)
}

/// How a line goes on with the expression before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// `:name(…)`, `.name`
    Member,
    /// An operator that nothing starts with: `+ x`, `and x`.
    Operator,
}

/// Whether `text` can only be meant to go on with what stands before it.
pub fn follows(text: &str) -> Option<Link> {
    if asks(text) {
        return None;
    }
    let line = tokens(text.trim_start().lines().next()?);
    let [first, rest @ ..] = line.as_slice() else {
        return None;
    };
    let name_next = rest
        .first()
        .is_some_and(|t| t.kind == TokenKind::Name && t.start == 1);
    match first.text {
        "." | ":" if name_next => Some(Link::Member),
        "+" | "*" | "/" | "//" | "%" | "^" | ".." | "==" | "~=" | "<" | ">" | "<=" | ">=" | "&" | "|"
        | "<<" | ">>" | "and" | "or"
            if first.kind != TokenKind::String && !rest.is_empty() =>
        {
            Some(Link::Operator)
        }
        _ => None,
    }
}

/// Whether the first line of `rest` belongs to the input before it.
fn goes_on(part: &str, rest: &str) -> bool {
    let next = rest.lines().find(|line| {
        let text = line.trim_start();
        !text.is_empty() && !text.starts_with("--")
    });
    let Some(next) = next.filter(|_| !asks(part)) else {
        return false;
    };
    // A minus may also start an expression; further in than the line before, it goes on with that.
    let indent = |line: &str| line.len() - line.trim_start().len();
    let deeper = part
        .lines()
        .find(|l| !l.trim().is_empty())
        .is_some_and(|first| indent(next) > indent(first));
    follows(next).is_some() || deeper && next.trim_start().starts_with(['-', '~', '='])
}

/// What a line that goes on later goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Last {
    /// The value of the last input, an expression.
    Value,
    /// The variable to which the last input assigned.
    Variable(String),
    /// Neither; an operator or method would bind to a part of the last input.
    Nothing,
}

impl Last {
    /// Of `text`, which has run. Only where its expression is one chain of names, calls and indices does what goes on
    /// with its text go on with its value.
    pub fn of(text: &str, expression: bool) -> Last {
        let all: Vec<Token> = tokens(text)
            .into_iter()
            .filter(|t| t.kind != TokenKind::Comment)
            .collect();
        if expression {
            return if is_chain(&all) {
                Last::Value
            } else {
                Last::Nothing
            };
        }
        let all = match all.as_slice() {
            [local, rest @ ..] if local.is("local") => rest,
            all => all,
        };
        let Some(equals) = all.iter().position(|t| t.is("=")) else {
            return Last::Nothing;
        };
        let (target, value) = (&all[..equals], &all[equals + 1..]);
        let plain = target.iter().enumerate().all(|(i, t)| match i % 2 {
            0 => t.kind == TokenKind::Name,
            _ => t.is("."),
        });
        match (
            plain && target.len() % 2 == 1 && is_chain(value),
            target.first(),
            target.last(),
        ) {
            (true, Some(first), Some(last)) => Last::Variable(text[first.start..last.end()].to_string()),
            _ => Last::Nothing,
        }
    }

    /// The input that `text` makes together with the last one.
    pub fn with(&self, text: &str) -> Option<String> {
        match self {
            Last::Value => Some(format!("_{}{text}", space(text))),
            Last::Variable(name) => Some(format!("{name} = {name}{}{text}", space(text))),
            Last::Nothing => None,
        }
    }
}

fn space(text: &str) -> &str {
    if follows(text) == Some(Link::Member) {
        ""
    } else {
        " "
    }
}

/// `a.b:c(…)[1]`: nothing outside brackets but names, dots, colons and arguments.
fn is_chain(all: &[Token]) -> bool {
    let mut depth = 0usize;
    let starts = all
        .first()
        .is_some_and(|t| t.kind == TokenKind::Name || t.is("("));
    // Whether an operand has just ended, after which a name starts another statement.
    let mut ended = false;
    for token in all {
        let symbol = token.kind == TokenKind::Symbol;
        match token.text {
            "(" | "{" | "[" if symbol => depth += 1,
            ")" | "}" | "]" if symbol => {
                depth = depth.saturating_sub(1);
                ended = true;
            }
            _ if depth > 0 => {}
            "." | ":" if symbol => ended = false,
            _ if token.kind == TokenKind::Name && !ended => ended = true,
            _ if token.kind == TokenKind::String && ended => {}
            _ => return false,
        }
    }
    starts && depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_cut_where_lua_would_end_a_statement() {
        let lua = Lua::new();
        for (text, expected, left) in [
            (
                "a1=1\na2=2\nprint(a1,a2)\n",
                &["a1=1\n", "a2=2\n", "print(a1,a2)\n"][..],
                "",
            ),
            ("x\ny", &["x\n", "y"], ""),
            (
                "for i = 1, 2 do\n\n  f(i)\nend\nx\n",
                &["for i = 1, 2 do\n\n  f(i)\nend\n", "x\n"],
                "",
            ),
            (
                "r = open(p)\n  :filter(f)\n\n  -- why\n  :map(g)\nr",
                &["r = open(p)\n  :filter(f)\n\n  -- why\n  :map(g)\n", "r"],
                "",
            ),
            ("r = a\n  - b\n- c\n", &["r = a\n  - b\n", "- c\n"], ""),
            (
                "x\n:save a.lua\n?x\n:help\n",
                &["x\n", ":save a.lua\n", "?x\n", ":help\n"],
                "",
            ),
            (
                "f:write 'a'\n  :load 'b'\n",
                &["f:write 'a'\n", "  :load 'b'\n"],
                "",
            ),
            ("x = 1\nif x then\n", &["x = 1\n"], "if x then\n"),
            (
                "local s = [[\n:help\n\n]]\ns",
                &["local s = [[\n:help\n\n]]\n", "s"],
                "",
            ),
            ("x = = 1\ny", &["x = = 1\n", "y"], ""),
            (
                ":filter(function(i)\n  return i\nend)",
                &[":filter(function(i)\n  return i\nend)"],
                "",
            ),
            ("", &[], ""),
            ("\n\n", &[], ""),
        ] {
            let (whole, rest) = cut(&lua, text);
            assert_eq!((whole.as_slice(), rest), (expected, left), "{text}");
        }
    }

    #[test]
    fn a_cell_is_cut_into_inputs_that_have_their_places() {
        let lua = Lua::new();
        for (text, expected) in [
            (
                "x = 1\n\n-- why\nx\n  :f() -- it",
                &["x = 1\n", "x\n  :f() -- it"][..],
            ),
            ("x\nx\n?x\nx", &["x\n", "x\n", "?x\n", "x"]),
            ("x = 1\nif x then", &["x = 1\n", "if x then"]),
            ("-- only this", &[]),
            ("", &[]),
        ] {
            let found = inputs(&lua, text);
            let only: Vec<&str> = found.iter().map(|(_, input)| *input).collect();
            assert_eq!(only, expected, "{text}");
            assert!(
                found
                    .iter()
                    .all(|(start, input)| text[*start..].starts_with(input)),
                "{text}"
            );
            assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0), "{text}");
        }
    }

    #[test]
    fn a_text_is_whole_or_goes_on_or_is_wrong() {
        let lua = Lua::new();
        for (text, expected) in [
            ("", State::Whole),
            ("x = 1\nx", State::Whole),
            ("?x\n:help", State::Whole),
            ("x = 1\nfor i = 1, 2 do", State::GoesOn),
            ("f(1,", State::GoesOn),
            ("x = = 1\nfor i = 1, 2 do", State::Wrong),
            ("x = 1\nend", State::Wrong),
        ] {
            assert_eq!(state(&lua, text), expected, "{text}");
        }
    }

    #[test]
    fn a_line_goes_on_with_a_chain_only() {
        for (text, expression, expected) in [
            ("s1.open('a')", true, Last::Value),
            ("(a + b):stats()[1]", true, Last::Value),
            ("f 'a' { b = -1 }", true, Last::Value),
            ("a + b", true, Last::Nothing),
            ("-a", true, Last::Nothing),
            ("a, b", true, Last::Nothing),
            ("'text'", true, Last::Nothing),
            (
                "local x = open(function() return 1 + 1 end) -- why",
                false,
                Last::Variable("x".into()),
            ),
            ("x.y = a.b", false, Last::Variable("x.y".into())),
            ("x = a + b", false, Last::Nothing),
            ("x, y = a", false, Last::Nothing),
            ("x = a y = b", false, Last::Nothing),
            ("for i = 1, 2 do end", false, Last::Nothing),
        ] {
            assert_eq!(Last::of(text, expression), expected, "{text}");
        }
        assert_eq!(Last::Value.with(":stats()"), Some("_:stats()".into()));
        assert_eq!(
            Last::Variable("x".into()).with("  + 1"),
            Some("x = x   + 1".into())
        );
    }
}
