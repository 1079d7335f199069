//! The cells of a script.

use super::to_script::{script, takes_code};
use super::{Cell, Kind, WORDS_ALONE, titled, usual_end};
use crate::host::lexer::{self, TokenKind};
use crate::host::page::HEADING;

/// Cells of which `script` makes the same text again.
pub fn cells(text: &str) -> Vec<Cell> {
    let parts = parts(text);
    let mut made: Vec<Cell> = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let usual = usual_end(i + 1 == parts.len());
        let (body, end) = match part.strip_suffix(usual) {
            Some(body) => (body, usual),
            None => {
                let body = part.trim_end_matches('\n');
                (body, &part[body.len()..])
            }
        };
        let is_top = i == 0 && !body.starts_with(HEADING);
        let apart = match (is_top, bare(body)) {
            (true, _) => top(body),
            // Below words that have no code it would become theirs.
            (false, Some(cell)) => made
                .last()
                .filter(|above| !takes_code(above, made.len() == 1))
                .map(|_| vec![cell]),
            (false, None) => step(body),
        };
        let mut cells = apart
            .filter(|cells| is_kept(cells, body, is_top))
            .unwrap_or_else(|| vec![Cell::new(Kind::Code, body)]);
        if let Some(last) = cells.last_mut() {
            last.note("end", end, usual);
        }
        made.extend(cells);
    }
    if script(&made) == text {
        return made;
    }
    // Each as it stands is always the same text.
    let plain = |(i, part): (usize, &&str)| {
        let body = part.trim_end_matches('\n');
        let mut cell = Cell::new(Kind::Code, body);
        cell.note("end", &part[body.len()..], usual_end(i + 1 == parts.len()));
        cell
    };
    parts.iter().enumerate().map(plain).collect()
}

/// Whether the cells of a part give it again.
fn is_kept(cells: &[Cell], body: &str, is_top: bool) -> bool {
    // The first cell of a notebook may be read otherwise than others.
    let (mut before, head) = match is_top {
        true => (Vec::new(), ""),
        false => (vec![Cell::new(Kind::Code, "x")], "x\n\n"),
    };
    before.extend(cells.iter().cloned());
    script(&before) == format!("{head}{body}\n")
}

/// What is above the first heading, unless it is nothing, and what each heading begins.
fn parts(text: &str) -> Vec<&str> {
    let is_start = |at: usize| at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
    let tokens = lexer::tokens(text);
    let headings = tokens.iter().filter(|token| {
        token.kind == TokenKind::Comment && token.text.starts_with(HEADING) && is_start(token.start)
    });
    let mut starts: Vec<usize> = headings.map(|token| token.start).collect();
    if starts.first() != Some(&0) && !text.is_empty() {
        starts.insert(0, 0);
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| &text[start..end])
        .collect()
}

/// The comment at the top as words, and the code below it.
fn top(body: &str) -> Option<Vec<Cell>> {
    let dashes = if body.starts_with("---") { "---" } else { "--" };
    let (words, rest) = uncommented(body, dashes)?;
    let mut above = Cell::new(Kind::Words, words);
    above.note("dashes", dashes, "--");
    Some(with_code(above, rest))
}

/// The code below a heading without a title.
fn bare(body: &str) -> Option<Cell> {
    let code = body.strip_prefix(HEADING)?.strip_prefix('\n')?;
    let cell = Cell::new(Kind::Code, code);
    cell.is_below_words().then_some(cell)
}

/// A step that has a title, or one of words alone.
fn step(body: &str) -> Option<Vec<Cell>> {
    let (heading, rest) = body.split_once('\n').unwrap_or((body, ""));
    if heading == WORDS_ALONE {
        let (words, rest) = uncommented(rest, "--")?;
        return rest.is_empty().then(|| vec![Cell::new(Kind::Words, words)]);
    }
    let title = heading.strip_prefix(HEADING)?.strip_prefix(' ')?;
    let code = rest.trim_start_matches('\n');
    let gap = &rest[..rest.len() - code.len()];
    let (words, above, rest) = match uncommented(code, "--").filter(|_| !code.starts_with("---")) {
        Some((prose, rest)) => (format!("## {title}\n\n{prose}"), gap, rest),
        None => (format!("## {title}"), "", rest),
    };
    titled(&words)?;
    let mut cell = Cell::new(Kind::Words, words);
    cell.note("above", above, "");
    Some(with_code(cell, rest))
}

fn with_code(words: Cell, rest: &str) -> Vec<Cell> {
    let code = rest.trim_start_matches('\n');
    let mut words = words;
    if code.is_empty() {
        return vec![words];
    }
    words.note("below", &rest[..rest.len() - code.len()], "\n");
    vec![words, Cell::new(Kind::Code, code)]
}

/// The words of the lines of comment that `text` begins with, if any, and what is behind the last of them.
fn uncommented<'a>(text: &'a str, dashes: &str) -> Option<(String, &'a str)> {
    let (mut words, mut rest) = (Vec::new(), text);
    loop {
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        let word = match line.strip_prefix(dashes) {
            Some("") => "",
            Some(word) if word.starts_with(' ') && word.len() > 1 => &word[1..],
            _ => break,
        };
        words.push(word);
        rest = behind;
    }
    let words = (!words.is_empty()).then(|| words.join("\n"))?;
    Some((words, rest))
}
