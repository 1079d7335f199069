//! Scripts as notebooks and notebooks as scripts: steps that begin at lines `--%%` are cells.
//!
//! A step is a cell of words, `## Title` and what its comment says, and a cell of code below it; the comment at the top of the script is a cell of words, too.
//! What would not come back to the same bytes so is a cell of code as it stands. What a notebook cannot say otherwise (how many blank lines there were) stands in the
//! metadata of a cell, under `perilune`.

mod file;
mod from_script;
mod to_script;

pub use file::{KERNEL, LANGUAGE, language, read, written};
pub use from_script::cells;
pub use to_script::script;

use serde_json::{Map, Value as Json};

/// What marks a step of words alone.
const WORDS_ALONE: &str = "--%% [markdown]";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Code,
    /// Markdown.
    Words,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub kind: Kind,
    pub source: String,
    /// How it stands in the script, where that is not as usual.
    pub how: Map<String, Json>,
}

impl Cell {
    fn new(kind: Kind, source: impl Into<String>) -> Cell {
        Cell {
            kind,
            source: source.into(),
            how: Map::new(),
        }
    }

    /// Remembers `value`, unless it is the usual one.
    fn note(&mut self, name: &str, value: &str, usual: &str) {
        if value != usual {
            self.how.insert(name.to_string(), value.into());
        }
    }

    /// What was noted, as far as nothing but line ends or dashes can come of it.
    fn noted<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        let found = self.how.get(name).and_then(Json::as_str);
        found
            .filter(|text| text.chars().all(|c| matches!(c, '\n' | '\r' | '-')))
            .unwrap_or(usual)
    }

    /// Code without a heading of its own, which belongs to the words above.
    fn is_below_words(&self) -> bool {
        self.kind == Kind::Code && !self.source.starts_with(super::page::HEADING)
    }
}

/// Between two steps, and at the end.
fn usual_end(is_last: bool) -> &'static str {
    if is_last { "\n" } else { "\n\n" }
}

/// Words as lines of comment.
fn commented(words: &str, dashes: &str) -> String {
    let line = |line: &str| match line.is_empty() {
        true => dashes.to_string(),
        false => format!("{dashes} {line}"),
    };
    words.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The title of words that a step begins with, and the words below it.
fn titled(words: &str) -> Option<(&str, Option<&str>)> {
    let rest = words.strip_prefix("## ")?;
    let (title, below) = match rest.split_once('\n') {
        None => (rest, None),
        Some((title, below)) => (title, Some(below.strip_prefix('\n')?)),
    };
    let is_title = !title.is_empty() && title.trim() == title && !title.starts_with('[');
    (is_title && below.is_none_or(|below| !below.is_empty())).then_some((title, below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(Kind, String)> {
        cells(text)
            .into_iter()
            .map(|cell| (cell.kind, cell.source))
            .collect()
    }

    #[test]
    fn a_script_is_words_and_code() {
        let text = "--- Water of a lake.\n---\n---     perilune run lake\n\nlocal a = 1\n\n--%% Open\n-- All *of* them.\n\nlocal b = 2\n\nlocal c = 3\n\n\
                    --%% [markdown]\n-- So it is.\n--\n-- - one\n\n--%% Close\n\nprint(a)\n";
        let cell = |kind, source: &str| (kind, source.to_string());
        assert_eq!(
            shown(text),
            [
                cell(Kind::Words, "Water of a lake.\n\n    perilune run lake"),
                cell(Kind::Code, "local a = 1"),
                cell(Kind::Words, "## Open\n\nAll *of* them."),
                cell(Kind::Code, "local b = 2\n\nlocal c = 3"),
                cell(Kind::Words, "So it is.\n\n- one"),
                cell(Kind::Words, "## Close"),
                cell(Kind::Code, "print(a)"),
            ]
        );
        assert_eq!(script(&cells(text)), text);
    }

    /// Whatever a script is, it comes back.
    #[test]
    fn every_script_comes_back() {
        let parts = [
            "",
            "\n",
            "--",
            "-- ",
            "--- a",
            "-- b\n",
            "--%%",
            "--%% T\n",
            "--%%  T \n",
            "--%% [markdown]\n",
            "--%% [markdown] T\n",
            "x = 1",
            "x = 1\n",
            "\n\n\n",
            "--[[\n--%% in a comment\n]]\n",
            "s = [[\n--%% in a string\n]]\n",
            "--%% T\r\n",
            "-- ## T\n",
            "-- a\r\n",
            "  -- in\n",
            "---@type x\n",
        ];
        let mut tried = 0;
        for a in parts {
            for b in parts {
                for c in parts {
                    for text in [format!("{a}{b}{c}"), format!("{a}\n{b}\n\n{c}\n")] {
                        let cells = cells(&text);
                        assert_eq!(script(&cells), text, "{cells:?}");
                        let read = read(&written(&cells)).unwrap().cells;
                        assert_eq!(read, cells, "{text:?}");
                        tried += 1;
                    }
                }
            }
        }
        assert_eq!(tried, 2 * 21 * 21 * 21);
    }

    #[test]
    fn notebooks_of_others_come_back_cell_by_cell() {
        let words = |source: &str| Cell::new(Kind::Words, source);
        let code = |source: &str| Cell::new(Kind::Code, source);
        for notebook in [
            vec![
                words("# Title\n\nWords."),
                code("x = 1"),
                code("y = 2"),
                words("between"),
                code("z = 3\n\nprint(z)"),
            ],
            vec![
                code("x = 1"),
                words("## Step\n\nWords"),
                code("y"),
                words("## Last"),
            ],
            vec![words("## Step"), code("x"), words("## Not a\nstep"), words("")],
            vec![code(""), code(""), words("a\n\n")],
            vec![],
        ] {
            let text = script(&notebook);
            let back: Vec<_> = cells(&text)
                .into_iter()
                .map(|cell| (cell.kind, cell.source))
                .collect();
            let expected: Vec<_> = notebook
                .into_iter()
                .map(|cell| (cell.kind, cell.source))
                .collect();
            assert_eq!(back, expected, "{text}");
        }
    }
}
