//! Lua's patterns with a step counter. The language, its oddities and its messages are those of Lua 5.4's own matcher, which
//! cannot be stopped: `("a"):rep(30000):find(".-.-.-.-b")` would run for years there.

use crate::error::{Error, Result};
use crate::interrupt;

const MOST_CAPTURES: usize = 32;

/// How deep the matcher goes into itself, as in Lua.
const MOST_DEPTH: u32 = 200;

/// Steps between two looks at the stop flag: about a tenth of a millisecond.
const LOOK_EVERY: u32 = 1 << 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Unfinished,
    Position,
    Known(usize),
}

/// A part of the subject that a match has captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// Counted from 1.
    Position(usize),
    /// From and to, counted from 0.
    Text(usize, usize),
}

pub struct Matcher<'a> {
    subject: &'a [u8],
    pattern: &'a [u8],
    depth: u32,
    steps: u32,
    level: usize,
    captures: [(usize, Length); MOST_CAPTURES],
}

impl<'a> Matcher<'a> {
    /// `pattern` without its anchor.
    pub fn new(subject: &'a [u8], pattern: &'a [u8]) -> Self {
        Matcher {
            subject,
            pattern,
            depth: 0,
            steps: 0,
            level: 0,
            captures: [(0, Length::Unfinished); MOST_CAPTURES],
        }
    }

    /// The end of the match that starts at `start`.
    ///
    /// # Errors
    /// A pattern that is malformed as far as it was used, and `Interrupted`.
    pub fn at(&mut self, start: usize) -> Result<Option<usize>> {
        self.depth = MOST_DEPTH;
        self.level = 0;
        self.run(start, 0)
    }

    /// The captures of the last match, or all of it where the pattern has none.
    pub fn captures(&self, start: usize, end: usize) -> Result<Vec<Capture>> {
        (0..self.level.max(1))
            .map(|i| self.capture(i, start, end))
            .collect()
    }

    pub fn has_captures(&self) -> bool {
        self.level > 0
    }

    /// Capture `index`, counted from 0.
    pub fn capture(&self, index: usize, start: usize, end: usize) -> Result<Capture> {
        if index >= self.level {
            return match index {
                0 => Ok(Capture::Text(start, end)),
                _ => Err(Error::message(format!("invalid capture index %{}", index + 1))),
            };
        }
        match self.captures[index] {
            (from, Length::Known(length)) => Ok(Capture::Text(from, from + length)),
            (from, Length::Position) => Ok(Capture::Position(from + 1)),
            (_, Length::Unfinished) => Err(Error::message("unfinished capture")),
        }
    }

    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps >= LOOK_EVERY {
            self.steps = 0;
            interrupt::check()?;
        }
        Ok(())
    }

    /// A byte of the pattern; a zero behind its end, as in C.
    fn byte(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    fn run(&mut self, mut s: usize, mut p: usize) -> Result<Option<usize>> {
        if self.depth == 0 {
            return Err(Error::message("pattern too complex"));
        }
        self.depth -= 1;
        let end = loop {
            self.step()?;
            if p == self.pattern.len() {
                break Some(s);
            }
            match (self.byte(p), self.byte(p + 1)) {
                (b'(', b')') => break self.start_capture(s, p + 2, Length::Position)?,
                (b'(', _) => break self.start_capture(s, p + 1, Length::Unfinished)?,
                (b')', _) => break self.end_capture(s, p + 1)?,
                (b'$', _) if p + 1 == self.pattern.len() => {
                    break (s == self.subject.len()).then_some(s);
                }
                (b'%', b'b') => match self.balance(s, p + 2)? {
                    Some(next) => (s, p) = (next, p + 4),
                    None => break None,
                },
                (b'%', b'f') => {
                    p += 2;
                    if self.byte(p) != b'[' {
                        return Err(Error::message("missing '[' after '%f' in pattern"));
                    }
                    let after = self.class_end(p)?;
                    let before = if s == 0 { 0 } else { self.subject[s - 1] };
                    let here = self.subject.get(s).copied().unwrap_or(0);
                    if self.in_set(before, p, after - 1) || !self.in_set(here, p, after - 1) {
                        break None;
                    }
                    p = after;
                }
                (b'%', digit @ b'0'..=b'9') => match self.repeated(s, digit)? {
                    Some(next) => (s, p) = (next, p + 2),
                    None => break None,
                },
                _ => {
                    let after = self.class_end(p)?;
                    let suffix = self.byte(after);
                    if !self.single(s, p, after) {
                        if !matches!(suffix, b'*' | b'?' | b'-') {
                            break None;
                        }
                        p = after + 1;
                        continue;
                    }
                    match suffix {
                        b'?' => match self.run(s + 1, after + 1)? {
                            Some(end) => break Some(end),
                            None => p = after + 1,
                        },
                        b'+' => break self.most(s + 1, p, after)?,
                        b'*' => break self.most(s, p, after)?,
                        b'-' => break self.least(s, p, after)?,
                        _ => (s, p) = (s + 1, after),
                    }
                }
            }
        };
        self.depth += 1;
        Ok(end)
    }

    /// Where the single character or the class that starts at `p` ends.
    fn class_end(&self, p: usize) -> Result<usize> {
        match self.byte(p) {
            b'%' if p + 1 >= self.pattern.len() => Err(Error::message("malformed pattern (ends with '%')")),
            b'%' => Ok(p + 2),
            b'[' => {
                let mut p = p + 1;
                if self.byte(p) == b'^' {
                    p += 1;
                }
                // The first character stands for itself, even a closing bracket.
                loop {
                    if p >= self.pattern.len() {
                        return Err(Error::message("malformed pattern (missing ']')"));
                    }
                    p += if self.byte(p) == b'%' && p + 1 < self.pattern.len() {
                        2
                    } else {
                        1
                    };
                    if self.byte(p) == b']' && p < self.pattern.len() {
                        return Ok(p + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    fn single(&self, s: usize, p: usize, after: usize) -> bool {
        let Some(&c) = self.subject.get(s) else {
            return false;
        };
        match self.byte(p) {
            b'.' => true,
            b'%' => in_class(c, self.byte(p + 1)),
            b'[' => self.in_set(c, p, after - 1),
            other => other == c,
        }
    }

    /// Whether `c` is in the set whose brackets are at `p` and `last`.
    fn in_set(&self, c: u8, mut p: usize, last: usize) -> bool {
        let positive = self.byte(p + 1) != b'^';
        if !positive {
            p += 1;
        }
        p += 1;
        while p < last {
            if self.byte(p) == b'%' {
                p += 1;
                if in_class(c, self.byte(p)) {
                    return positive;
                }
            } else if self.byte(p + 1) == b'-' && p + 2 < last {
                p += 2;
                if (self.byte(p - 2)..=self.byte(p)).contains(&c) {
                    return positive;
                }
            } else if self.byte(p) == c {
                return positive;
            }
            p += 1;
        }
        !positive
    }

    fn balance(&mut self, s: usize, p: usize) -> Result<Option<usize>> {
        if p + 1 >= self.pattern.len() {
            return Err(Error::message("malformed pattern (missing arguments to '%b')"));
        }
        let (open, close) = (self.byte(p), self.byte(p + 1));
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1;
        for at in s + 1..self.subject.len() {
            self.step()?;
            let c = self.subject[at];
            if c == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if c == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    fn most(&mut self, s: usize, p: usize, after: usize) -> Result<Option<usize>> {
        let mut count = 0;
        while self.single(s + count, p, after) {
            self.step()?;
            count += 1;
        }
        loop {
            let end = self.run(s + count, after + 1)?;
            if end.is_some() || count == 0 {
                return Ok(end);
            }
            count -= 1;
        }
    }

    fn least(&mut self, mut s: usize, p: usize, after: usize) -> Result<Option<usize>> {
        loop {
            let end = self.run(s, after + 1)?;
            if end.is_some() {
                return Ok(end);
            }
            if !self.single(s, p, after) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn start_capture(&mut self, s: usize, p: usize, what: Length) -> Result<Option<usize>> {
        if self.level >= MOST_CAPTURES {
            return Err(Error::message("too many captures"));
        }
        self.captures[self.level] = (s, what);
        self.level += 1;
        let end = self.run(s, p)?;
        if end.is_none() {
            self.level -= 1;
        }
        Ok(end)
    }

    fn end_capture(&mut self, s: usize, p: usize) -> Result<Option<usize>> {
        let open = self.captures[..self.level]
            .iter()
            .rposition(|(_, length)| *length == Length::Unfinished)
            .ok_or_else(|| Error::message("invalid pattern capture"))?;
        self.captures[open].1 = Length::Known(s - self.captures[open].0);
        let end = self.run(s, p)?;
        if end.is_none() {
            self.captures[open].1 = Length::Unfinished;
        }
        Ok(end)
    }

    /// What capture `digit` holds, once more.
    fn repeated(&self, s: usize, digit: u8) -> Result<Option<usize>> {
        let invalid = || Error::message(format!("invalid capture index %{}", digit - b'0'));
        let index = usize::from(digit)
            .checked_sub(usize::from(b'1'))
            .ok_or_else(invalid)?;
        match self.captures[..self.level].get(index) {
            None | Some((_, Length::Unfinished)) => Err(invalid()),
            Some((_, Length::Position)) => Ok(None),
            Some((from, Length::Known(length))) => {
                let captured = &self.subject[*from..from + length];
                Ok(self.subject[s..].starts_with(captured).then_some(s + length))
            }
        }
    }
}

fn in_class(c: u8, class: u8) -> bool {
    let inside = match class.to_ascii_lowercase() {
        b'a' => c.is_ascii_alphabetic(),
        b'c' => c.is_ascii_control(),
        b'd' => c.is_ascii_digit(),
        b'g' => c.is_ascii_graphic(),
        b'l' => c.is_ascii_lowercase(),
        b'p' => c.is_ascii_punctuation(),
        b's' => c.is_ascii_whitespace() || c == 0x0b,
        b'u' => c.is_ascii_uppercase(),
        b'w' => c.is_ascii_alphanumeric(),
        b'x' => c.is_ascii_hexdigit(),
        b'z' => c == 0,
        _ => return class == c,
    };
    inside == class.is_ascii_lowercase()
}
