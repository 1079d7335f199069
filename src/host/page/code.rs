//! Lua with its words coloured, by classes alone.

use std::fmt::Write;

use super::text::{escaped, public};
use crate::host::lexer::{self, TokenKind};

/// The lines from `first` to `last` of `source`, each a span with its number; below the line of `mark`, if it is among them, its words.
pub fn html(source: &str, (first, last): (usize, usize), mark: Option<(usize, &str)>) -> String {
    let tokens = lexer::tokens(source);
    let mut starts = vec![0];
    starts.extend(source.match_indices('\n').map(|(at, _)| at + 1));
    let from = starts.get(first - 1).copied().unwrap_or(source.len());
    let end = starts.get(last).map_or(source.len(), |next| next - 1);
    let mut lines = vec![String::new()];
    let mut put = |class: &str, text: &str| {
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                lines.push(String::new());
            }
            let Some(out) = lines.last_mut().filter(|_| !line.is_empty()) else {
                continue;
            };
            match class {
                "" => out.push_str(&escaped(line)),
                class => {
                    let _ = write!(out, "<span class=\"{class}\">{}</span>", escaped(&public(line)));
                }
            }
        }
    };
    let mut at = from;
    for (i, token) in tokens.iter().enumerate() {
        let (start, stop) = (token.start.max(from), token.end().min(end));
        if start >= stop {
            continue;
        }
        put("", &source[at..start]);
        let is_called = || {
            tokens
                .get(i + 1)
                .is_some_and(|next| matches!(next.text, "(" | "{"))
        };
        let class = match token.kind {
            TokenKind::Keyword if matches!(token.text, "true" | "false" | "nil") => "n",
            TokenKind::Keyword => "k",
            TokenKind::String => "s",
            TokenKind::Number => "n",
            TokenKind::Comment => "c",
            TokenKind::Name if is_called() => "f",
            TokenKind::Name | TokenKind::Symbol => "",
        };
        put(class, &source[start..stop]);
        at = stop;
    }
    put("", &source[at.min(end)..end]);
    let mut out = String::new();
    for (number, line) in (first..).zip(lines) {
        let marked = mark.filter(|(at, _)| *at == number);
        let class = if marked.is_some() { "l bad" } else { "l" };
        // The mark is an anchor for the words of the error further down.
        let id = if marked.is_some() { " id=\"place\"" } else { "" };
        let _ = write!(
            out,
            "<span class=\"{class}\"{id} data-n=\"{number}\">{line}\n</span>"
        );
        if let Some((_, words)) = marked {
            let _ = write!(out, "<span class=\"why\">{}\n</span>", escaped(&public(words)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_classes_and_nothing_is_lost() {
        let source = "local a = f('<b>', 1)\n--[[ x\ny ]] return nil\nz = a";
        let page = html(source, (1, 3), Some((2, "why <i>")));
        assert_eq!(
            page,
            "<span class=\"l\" data-n=\"1\"><span class=\"k\">local</span> a = <span class=\"f\">f</span>(<span class=\"s\">'&lt;b&gt;'</span>, \
             <span class=\"n\">1</span>)\n</span><span class=\"l bad\" id=\"place\" data-n=\"2\"><span class=\"c\">--[[ x</span>\n</span>\
             <span class=\"why\">why &lt;i&gt;\n</span><span class=\"l\" data-n=\"3\"><span class=\"c\">y ]]</span> <span class=\"k\">return</span> \
             <span class=\"n\">nil</span>\n</span>"
        );
        assert_eq!(
            html(source, (4, 4), None),
            "<span class=\"l\" data-n=\"4\">z = a\n</span>"
        );
        // From the middle of a comment.
        assert!(
            html(source, (3, 3), None)
                .starts_with("<span class=\"l\" data-n=\"3\"><span class=\"c\">y ]]</span>")
        );
    }

    #[test]
    fn what_opens_servers_is_not_shown() {
        let page = html("x = 'https://h/a.tif?X-Amz-Signature=abc'", (1, 1), None);
        assert!(
            page.contains("'https://h/a.tif'") && !page.contains("abc"),
            "{page}"
        );
    }
}
