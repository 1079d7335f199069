//! The little of Markdown that comments are written in: paragraphs, lists, indented and fenced code; `code`, **strong**, *emphasis*, links.

use std::fmt::Write;

use super::text::{escaped, public};

/// Blocks for a page's body.
pub fn html(text: &str) -> String {
    let text = public(text);
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        if let Some(fence) = line
            .trim_start()
            .get(..3)
            .filter(|start| matches!(*start, "```" | "~~~"))
        {
            let mut inside: Vec<&str> = Vec::new();
            for line in lines.by_ref() {
                if line.trim_start().starts_with(fence) {
                    break;
                }
                inside.push(line);
            }
            let _ = writeln!(out, "<pre>{}</pre>", escaped(&inside.join("\n")));
        } else if let Some(first) = line.strip_prefix("    ") {
            let mut inside = vec![first];
            while let Some(next) = lines.next_if(|line| line.starts_with("    ") || line.trim().is_empty()) {
                inside.push(next.get(4..).unwrap_or_default());
            }
            let _ = writeln!(out, "<pre>{}</pre>", escaped(inside.join("\n").trim_end()));
        } else if let Some((is_numbered, first)) = item(line) {
            let mut items = vec![first.to_string()];
            while let Some(next) = lines.next_if(|line| !line.trim().is_empty()) {
                match (item(next), items.last_mut()) {
                    (Some((_, text)), _) => items.push(text.to_string()),
                    (None, Some(last)) => {
                        last.push(' ');
                        last.push_str(next.trim());
                    }
                    (None, None) => {}
                }
            }
            let tag = if is_numbered { "ol" } else { "ul" };
            let items: String = items
                .iter()
                .map(|item| format!("<li>{}</li>", inline(item)))
                .collect();
            let _ = writeln!(out, "<{tag}>{items}</{tag}>");
        } else {
            let mut words = vec![line.trim()];
            let goes_on = |line: &&str| {
                !line.trim().is_empty() && item(line).is_none() && !line.trim_start().starts_with("```")
            };
            while let Some(next) = lines.next_if(goes_on) {
                words.push(next.trim());
            }
            let text = words.join(" ");
            // A heading of its own, as notebooks have.
            let _ = match text.strip_prefix('#') {
                Some(rest) => writeln!(out, "<h3>{}</h3>", inline(rest.trim_start_matches('#').trim())),
                None => writeln!(out, "<p>{}</p>", inline(&text)),
            };
        }
    }
    out
}

/// Whether a line is an item of a numbered list, and its text; none of others.
fn item(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start();
    if let Some(text) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some((false, text));
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let text = line.get(digits..)?.strip_prefix(". ")?;
    (1..4).contains(&digits).then_some((true, text))
}

/// The words of a line; what is opened and never closed stands as it is.
pub fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let made = match c {
            '`' => between(rest, "`")
                .map(|(inside, length)| (format!("<code>{}</code>", escaped(inside)), length)),
            '*' if rest.starts_with("**") => between(rest, "**")
                .map(|(inside, length)| (format!("<strong>{}</strong>", inline(inside)), length)),
            '*' => {
                between(rest, "*").map(|(inside, length)| (format!("<em>{}</em>", inline(inside)), length))
            }
            '_' if !before.is_alphanumeric() => between(rest, "_")
                .filter(|(_, length)| !rest[*length..].starts_with(char::is_alphanumeric))
                .map(|(inside, length)| (format!("<em>{}</em>", inline(inside)), length)),
            '[' => link(rest),
            _ => None,
        };
        let length = match made {
            Some((markup, length)) => {
                out.push_str(&markup);
                length
            }
            None => {
                out.push_str(&escaped(&rest[..c.len_utf8()]));
                c.len_utf8()
            }
        };
        before = c;
        rest = &rest[length..];
    }
    out
}

/// What stands between two marks, with its whole length; nothing that begins or ends with a blank, as in `2 * 3 * 4`.
fn between<'a>(text: &'a str, mark: &str) -> Option<(&'a str, usize)> {
    let inside = text.strip_prefix(mark)?;
    let end = inside.find(mark)?;
    let inside = &inside[..end];
    let is_tight = !inside.is_empty() && (mark == "`" || inside.trim() == inside);
    is_tight.then(|| (inside, end + 2 * mark.len()))
}

/// `[words](address)` of a page in the web.
fn link(text: &str) -> Option<(String, usize)> {
    let end = text.find("](")?;
    let (words, rest) = (&text[1..end], &text[end + 2..]);
    let close = rest.find(')')?;
    let address = &rest[..close];
    let is_page = ["https://", "http://"]
        .iter()
        .any(|scheme| address.starts_with(scheme));
    let is_one = is_page && !words.contains('[') && !address.contains(char::is_whitespace);
    is_one.then(|| {
        let markup = format!(
            "<a href=\"{}\" rel=\"noreferrer\">{}</a>",
            escaped(address),
            escaped(words)
        );
        (markup, end + 2 + close + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_words() {
        for (text, expected) in [
            ("a\nb\n\nc", "<p>a b</p>\n<p>c</p>\n"),
            (
                "- a\n  b\n- `c`\n\nd",
                "<ul><li>a b</li><li><code>c</code></li></ul>\n<p>d</p>\n",
            ),
            ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>\n"),
            ("    x < 1\n\n      y", "<pre>x &lt; 1\n\n  y</pre>\n"),
            ("```lua\na\n  b\n```\nc", "<pre>a\n  b</pre>\n<p>c</p>\n"),
            ("## A *b*", "<h3>A <em>b</em></h3>\n"),
            ("2 * 3 * 4, a_b_c, **x", "<p>2 * 3 * 4, a_b_c, **x</p>\n"),
            (
                "_a_ **b *c* d**",
                "<p><em>a</em> <strong>b <em>c</em> d</strong></p>\n",
            ),
            (
                "[x](https://h/?a=1&b=2) [y](javascript:z)",
                "<p><a href=\"https://h/?a=1&amp;b=2\" rel=\"noreferrer\">x</a> [y](javascript:z)</p>\n",
            ),
            ("<script>`<b>`", "<p>&lt;script&gt;<code>&lt;b&gt;</code></p>\n"),
        ] {
            assert_eq!(html(text), expected, "{text}");
        }
    }
}
