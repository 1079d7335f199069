//! A file on a server with a place in it.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::{BLOCK, capacity};
use super::{Part, Remote};
use crate::error::Result;

/// The most that is fetched ahead of small reads that follow one another.
const MOST_AHEAD: u64 = 1 << 20;
const MOST_AT_ONCE: u64 = 8 << 20;

/// Where the bytes end that will be read next: up to there they are fetched at once.
#[derive(Clone, Default)]
pub struct Hint(Arc<AtomicU64>);

impl Hint {
    pub fn set(&self, end: u64) {
        self.0.store(end, Ordering::Relaxed);
    }
}

pub struct Reader<'a> {
    remote: Arc<Remote<'a>>,
    position: u64,
    /// Where the last read ended.
    expected: u64,
    /// What is fetched beyond what is read, since reads have followed one another.
    ahead: u64,
    hint: Hint,
    /// The last read met the end, and the place has not been set since.
    pub ended: bool,
}

impl<'a> Reader<'a> {
    pub fn new(remote: Arc<Remote<'a>>) -> Reader<'a> {
        Reader {
            remote,
            position: 0,
            expected: u64::MAX,
            ahead: 0,
            hint: Hint::default(),
            ended: false,
        }
    }

    pub fn remote(&self) -> &Remote<'a> {
        &self.remote
    }

    pub fn hint(&self) -> Hint {
        self.hint.clone()
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn set_position(&mut self, position: u64) {
        self.position = position;
        self.ended = false;
    }

    /// Fills `out` as far as the file goes, and answers how far that was.
    ///
    /// # Errors
    /// Those of the server; when a stop is asked for.
    pub fn fill(&mut self, out: &mut [u8]) -> Result<usize> {
        let left = self.remote.size().saturating_sub(self.position);
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        self.ended = n < out.len();
        if n == 0 {
            return Ok(0);
        }
        let (start, end) = (self.position, self.position + n as u64);
        let follows = self.expected == start;
        if !follows {
            self.ahead = 0;
        }
        let at_once = MOST_AT_ONCE.min(capacity() as u64 / 4);
        let until = match self.hint.0.load(Ordering::Relaxed) {
            hint if hint > end => hint.min(start + at_once),
            _ => end + self.ahead,
        };
        let part = Part {
            start,
            out: &mut out[..n],
        };
        let fetched = self.remote.read(&mut [part], until)?;
        if fetched && follows && (n as u64) < BLOCK {
            self.ahead = (2 * self.ahead).clamp(BLOCK, MOST_AHEAD);
        }
        self.position = end;
        self.expected = end;
        Ok(n)
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // Not of the kind `Interrupted`, after which readers try again.
        self.fill(out).map_err(|e| io::Error::other(e.to_string()))
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.remote.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.set_position(position.ok_or(io::ErrorKind::InvalidInput)?);
        Ok(self.position)
    }
}
