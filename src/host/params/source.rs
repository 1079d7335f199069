//! What a Lua table forgets about a `params { … }` call: the order of its entries and the comments beside them.

use crate::host::lexer::{TokenKind, tokens};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// The comment behind the entry, or the lines of comment right above it.
    pub comment: String,
}

/// The entries of the call of `params` that starts on `line` (from 1) of `source`, in order.
pub fn fields(source: &str, line: usize) -> Vec<Field> {
    let tokens = tokens(source);
    let call = tokens.iter().position(|t| t.line >= line && t.is("params"));
    let Some(start) = call.and_then(|call| tokens[call..].iter().position(|t| t.is("{")).map(|i| call + i))
    else {
        return Vec::new();
    };
    let (mut fields, mut depth, mut above) = (Vec::<Field>::new(), 0usize, Vec::<(usize, String)>::new());
    let (mut fresh, mut last_line) = (false, 0);
    for (i, token) in tokens.iter().enumerate().skip(start) {
        if token.kind == TokenKind::Comment {
            let text = comment_text(token.text);
            if token.line == last_line && !fields.is_empty() {
                // Behind an entry; what stood above it gives way.
                if let Some(field) = fields.last_mut() {
                    field.comment = text;
                }
            } else {
                if above.last().is_some_and(|(line, _)| line + 1 != token.line) {
                    above.clear();
                }
                above.push((token.line, text));
            }
            continue;
        }
        match token.text {
            "{" | "(" | "[" if token.kind == TokenKind::Symbol => depth += 1,
            "}" | ")" | "]" if token.kind == TokenKind::Symbol => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        let entry = depth == 1
            && fresh
            && token.kind == TokenKind::Name
            && tokens.get(i + 1).is_some_and(|next| next.is("="));
        if entry {
            let adjacent = above.last().is_some_and(|(line, _)| line + 1 == token.line);
            let lines: Vec<String> = above.drain(..).map(|(_, text)| text).collect();
            fields.push(Field {
                name: token.text.to_string(),
                comment: if adjacent { lines.join(" ") } else { String::new() },
            });
        }
        fresh = depth == 1 && matches!(token.text, "{" | "," | ";");
        last_line = token.line;
    }
    fields
}

fn comment_text(comment: &str) -> String {
    let text = comment.trim_start_matches('-');
    let text = text
        .strip_prefix("[[")
        .and_then(|t| t.strip_suffix("]]"))
        .unwrap_or(text);
    text.trim().to_string()
}

/// The comment at the top of a script: its description. A first line `#!…` is passed over.
pub fn description(source: &str) -> String {
    // As its file has it, and as it is run.
    let shell = source.strip_prefix("#!").or_else(|| source.strip_prefix("--#!"));
    let body = match shell {
        Some(rest) => rest.split_once('\n').map_or("", |(_, rest)| rest),
        None => source,
    };
    let lines = body
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| {
            line.trim_start().starts_with("--") && !line.starts_with("---@") && !line.starts_with("--%%")
        });
    let text: Vec<&str> = lines
        .map(|line| line.trim_start().trim_start_matches('-').trim())
        .collect();
    text.join("\n").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_comments_are_found() {
        let source = "local x = 1\nlocal p = params {\n  folder = 'a', -- where they lie\n  -- in metres\n  -- or pixels\n  \
            radius = { 100, unit = 'm', choices = { a = 1 } },\n\n  -- a heading\n\n  out = f(1, { b = 2 }),\n  last = 1\n}\n";
        let found: Vec<(String, String)> = fields(source, 2)
            .into_iter()
            .map(|f| (f.name, f.comment))
            .collect();
        let expected = [
            ("folder", "where they lie"),
            ("radius", "in metres or pixels"),
            ("out", ""),
            ("last", ""),
        ];
        assert_eq!(found, expected.map(|(a, b)| (a.to_string(), b.to_string())));
    }

    #[test]
    fn a_comment_after_a_table_belongs_to_it() {
        let source = "params({ a = { 1,\n unit = 'm' }, -- first\n b = 2, -- second\n})";
        let comments: Vec<String> = fields(source, 1).into_iter().map(|f| f.comment).collect();
        assert_eq!(comments, ["first", "second"]);
    }

    #[test]
    fn the_top_comment_is_the_description() {
        assert_eq!(
            description("#!/usr/bin/env perilune\n--- Maps water.\n--- Twice.\nlocal x"),
            "Maps water.\nTwice."
        );
        assert_eq!(
            description("--#!/usr/bin/env perilune\n-- Maps water.\nlocal x"),
            "Maps water."
        );
        assert_eq!(description("local x -- no"), "");
    }
}
