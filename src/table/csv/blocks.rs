//! A text in pieces of whole records.

use std::io::Read;

use memchr::memchr_iter;

use super::records::last_end;
use crate::error::{Error, Result};
use crate::{bounds, interrupt, work};

/// What is read at a time; a record that is longer makes its piece longer.
pub(super) const BLOCK: usize = 1 << 20;

/// Records, the first of which begins on this line.
pub(super) struct Block {
    pub line: u64,
    pub bytes: Vec<u8>,
    /// Bytes of the text before it.
    pub before: u64,
}

pub(super) struct Blocks<'a> {
    text: Box<dyn Read + Send + 'a>,
    delimiter: u8,
    error: &'a (dyn Fn(String) -> Error + Sync),
    /// What was read and belongs to the next piece.
    rest: Vec<u8>,
    line: u64,
    before: u64,
    ended: bool,
}

impl<'a> Blocks<'a> {
    pub fn new(
        text: Box<dyn Read + Send + 'a>,
        delimiter: u8,
        error: &'a (dyn Fn(String) -> Error + Sync),
    ) -> Blocks<'a> {
        Blocks {
            text,
            delimiter,
            error,
            rest: Vec::new(),
            line: 1,
            before: 0,
            ended: false,
        }
    }

    /// None at the end of the text.
    pub fn next(&mut self) -> Result<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.rest);
        let end = loop {
            interrupt::check()?;
            // A record is held up to three times.
            if bytes.len() > work::memory() / 4 {
                let what = format!(
                    "line {}, or a quoted cell that begins there and never ends,",
                    self.line
                );
                bounds::fits(what, work::memory(), 2, "look whether it is a CSV file")?;
            }
            let wanted = bytes.len().max(BLOCK);
            bytes.reserve(wanted);
            let read = (&mut self.text).take(wanted as u64).read_to_end(&mut bytes);
            self.ended = read.map_err(|e| (self.error)(e.to_string()))? < wanted;
            if self.before == 0 && bytes.starts_with("\u{feff}".as_bytes()) {
                bytes.drain(..3);
            }
            if self.ended {
                break bytes.len();
            }
            if let Some(end) = last_end(&bytes, self.delimiter) {
                break end;
            }
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        self.rest.extend_from_slice(&bytes[end..]);
        bytes.truncate(end);
        let (line, before) = (self.line, self.before);
        self.line += memchr_iter(b'\n', &bytes).count() as u64;
        self.before += bytes.len() as u64;
        Ok(Some(Block { line, bytes, before }))
    }
}

impl Block {
    /// # Errors
    /// Names the line that is not UTF-8.
    pub fn text(&self, error: &dyn Fn(String) -> Error) -> Result<&str> {
        std::str::from_utf8(&self.bytes).map_err(|e| {
            let before = memchr_iter(b'\n', &self.bytes[..e.valid_up_to()]).count() as u64;
            error(format!(
                "line {} is not UTF-8; convert it, for instance with `iconv -f latin1 -t utf-8`",
                self.line + before
            ))
        })
    }
}
