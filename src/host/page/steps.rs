//! A script in its parts: what its first comment says, and the steps that begin at lines `--%%`.

use crate::host::lexer::{self, Token, TokenKind};

/// What a line begins with at which a step does.
pub const HEADING: &str = "--%%";
/// What a heading may have before its title, where a step is words alone.
pub const WORDS_ALONE: &str = "[markdown]";
/// A longer first sentence is no title.
const LONGEST_TITLE: usize = 140;

/// The parts of a script, which are all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// The first sentence of the comment at its top.
    pub title: Option<String>,
    /// The rest of that comment, in Markdown.
    pub description: String,
    /// The first is what comes before any heading.
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// None of what comes before any heading, and of a heading without words.
    pub title: Option<String>,
    /// The line of the heading, from 1.
    pub line: usize,
    /// The comment at its head, in Markdown.
    pub prose: String,
    /// First and last line of its code; none where there is none.
    pub code: Option<(usize, usize)>,
}

impl Outline {
    pub fn of(text: &str) -> Outline {
        let tokens = lexer::tokens(text);
        let lines: Vec<&str> = text.lines().collect();
        let (top, after) = top(&tokens);
        let (title, description) = title_of(&top);
        let mut starts = vec![(1, None, after)];
        for token in &tokens {
            if let Some(title) = heading(token, text) {
                starts.push((token.line, title, token.line + 1));
            }
        }
        let ends: Vec<usize> = starts.iter().skip(1).map(|(line, ..)| line - 1).collect();
        let ends = ends.into_iter().chain([lines.len()]);
        let steps = starts.into_iter().zip(ends).enumerate();
        let steps = steps.map(|(i, ((line, title, from), end))| {
            let (prose, from) = match i {
                0 => (String::new(), from),
                _ => prose(&tokens, &lines, from, end),
            };
            let has_code = |line: &usize| lines.get(line - 1).is_some_and(|line| !line.trim().is_empty());
            let (first, last) = ((from..=end).find(has_code), (from..=end).rev().find(has_code));
            Step {
                title,
                line,
                prose,
                code: first.zip(last),
            }
        });
        Outline {
            title,
            description,
            steps: steps.collect(),
        }
    }

    /// The step that a line is in, from 0.
    pub fn step_at(&self, line: usize) -> usize {
        self.steps.partition_point(|step| step.line <= line).max(1) - 1
    }
}

/// The title of a comment that is a heading: `Some(None)` where it has none.
fn heading(token: &Token, text: &str) -> Option<Option<String>> {
    let at_start = token.start == 0 || text.as_bytes().get(token.start - 1) == Some(&b'\n');
    let title = token.text.strip_prefix(HEADING).filter(|_| at_start)?.trim();
    let title = title.strip_prefix(WORDS_ALONE).unwrap_or(title).trim();
    Some((!title.is_empty()).then(|| title.to_string()))
}

/// The words of a comment, line by line, without its dashes.
fn words(token: &Token) -> Vec<String> {
    let text = token.text.trim_start_matches('-');
    let inside = text.strip_prefix('[').map(|rest| rest.trim_start_matches('='));
    let level = inside.map(|rest| text.len() - 1 - rest.len());
    if let (Some(level), Some(inside)) = (level, inside.and_then(|rest| rest.strip_prefix('[')))
        && token.text.starts_with("--[")
    {
        let close = format!("]{}]", "=".repeat(level));
        let inside = inside.strip_suffix(&close).unwrap_or(inside);
        let depth = |line: &&str| line.len() - line.trim_start().len();
        let filled = inside.lines().skip(1).filter(|line| !line.trim().is_empty());
        let margin = filled.map(|line| depth(&line)).min().unwrap_or(0);
        let mut lines = inside.lines();
        let first = lines.next().unwrap_or_default().trim().to_string();
        let rest = lines.map(|line| line.get(margin..).unwrap_or_default().trim_end().to_string());
        return std::iter::once(first).chain(rest).collect();
    }
    vec![text.strip_prefix(' ').unwrap_or(text).trim_end().to_string()]
}

/// The comment at the top, and the line behind it. A first line for the shell and the block at the head of a bundle are none.
fn top(tokens: &[Token]) -> (Vec<String>, usize) {
    let (mut found, mut next) = (Vec::new(), 0);
    for token in tokens {
        let is_words = token.kind == TokenKind::Comment
            && !token.text.starts_with(HEADING)
            && !token.text.starts_with("---@")
            && (found.is_empty() || token.line == next);
        if !is_words {
            break;
        }
        let lines = words(token);
        let is_for_programs =
            token.text.starts_with("--#!") || lines.iter().any(|line| line.starts_with("perilune-bundle"));
        next = token.line + token.text.matches('\n').count() + 1;
        if !is_for_programs {
            found.extend(lines);
        }
    }
    (found, next.max(1))
}

fn title_of(lines: &[String]) -> (Option<String>, String) {
    let text = lines.join("\n");
    let text = text.trim_matches('\n');
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let end = paragraph.find(". ").or_else(|| paragraph.find(".\n"));
    let sentence = end.map_or(paragraph, |end| &paragraph[..=end]);
    let is_title = !sentence.trim().is_empty() && sentence.chars().count() <= LONGEST_TITLE;
    if !is_title || sentence.starts_with("    ") {
        return (None, text.to_string());
    }
    let title: Vec<&str> = sentence.split_whitespace().collect();
    let title = title.join(" ");
    // What is indented on a line of its own stays so.
    let rest = text[sentence.len()..]
        .trim_start_matches(' ')
        .trim_start_matches('\n');
    (Some(title.trim_end_matches('.').to_string()), rest.to_string())
}

/// The comment that a step begins with, and the line behind it. One of three dashes is about the function below it.
fn prose(tokens: &[Token], lines: &[&str], from: usize, end: usize) -> (String, usize) {
    let is_blank = |line: &usize| lines.get(line - 1).is_none_or(|line| line.trim().is_empty());
    let first = (from..=end).find(|line| !is_blank(line)).unwrap_or(from);
    let (mut found, mut next) = (Vec::new(), first);
    for token in tokens.iter().skip_while(|token| token.line < first) {
        let is_prose = token.kind == TokenKind::Comment
            && token.line == next
            && next <= end
            && !token.text.starts_with("---");
        if !is_prose {
            break;
        }
        found.extend(words(token));
        next += token.text.matches('\n').count() + 1;
    }
    // A comment behind code on the line after a long comment's end is none of it.
    match found.is_empty() {
        true => (String::new(), from),
        false => (found.join("\n").trim_matches('\n').to_string(), next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "--#!/usr/bin/env perilune\n--- Water of a lake: its level. By year.\n---\n---     perilune run lake\n\nlocal p = 1\n\n\
        --%% Open the images\n\n-- All that there are,\n-- *in order*.\nlocal a = [[\n--%% no heading\n]]\n  --%% none either\n\n--%%\n\n\
        --- A function.\nlocal function f() end\n--%% [markdown] What it means\n--[[ Much.\n     - one\n]]\n";

    #[test]
    fn a_script_is_parted_at_its_headings() {
        let outline = Outline::of(SCRIPT);
        assert_eq!(outline.title.as_deref(), Some("Water of a lake: its level"));
        assert_eq!(outline.description, "By year.\n\n    perilune run lake");
        let steps: Vec<_> = outline
            .steps
            .iter()
            .map(|step| (step.title.as_deref(), step.line, step.prose.as_str(), step.code))
            .collect();
        assert_eq!(
            steps,
            [
                (None, 1, "", Some((6, 6))),
                (
                    Some("Open the images"),
                    8,
                    "All that there are,\n*in order*.",
                    Some((12, 15))
                ),
                (None, 17, "", Some((19, 20))),
                (Some("What it means"), 21, "Much.\n- one", None),
            ]
        );
        for (line, step) in [(0, 0), (1, 0), (7, 0), (8, 1), (16, 1), (17, 2), (99, 3)] {
            assert_eq!(outline.step_at(line), step, "{line}");
        }
    }

    #[test]
    fn scripts_without_comments_or_headings_have_one_step() {
        for (text, code) in [("", None), ("\n\n", None), ("x = 1", Some((1, 1)))] {
            let outline = Outline::of(text);
            assert_eq!((outline.title, outline.steps.len()), (None, 1), "{text:?}");
            assert_eq!(outline.steps[0].code, code, "{text:?}");
        }
        let outline = Outline::of("--%% First\nprint(1)");
        assert_eq!((outline.steps[0].code, outline.steps[1].line), (None, 1));
        assert_eq!(outline.step_at(1), 1);
    }

    #[test]
    fn a_long_first_sentence_is_description() {
        let outline = Outline::of(&format!("-- {}\nprint(1)", "word ".repeat(60)));
        assert_eq!(outline.title, None);
        assert!(outline.description.starts_with("word word"));
        assert_eq!(outline.steps[0].code, Some((2, 2)));
    }
}
