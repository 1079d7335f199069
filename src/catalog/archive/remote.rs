//! An archive on a server as a reader: bytes come in ranges, and only those that are read.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use url::Url;

use crate::bytes::http::{Failure, Http, wait};
use crate::catalog::transfer::{Validator, range};
use crate::error::Result;

/// The end of an archive, where its directory is. Most directories fit.
const TAIL: u64 = 64 << 10;
const SMALLEST: u64 = 16 << 10;
const LARGEST: u64 = 8 << 20;

pub struct Remote<'a> {
    http: &'a Http,
    url: Url,
    size: u64,
    validator: Validator,
    position: u64,
    /// Bytes that were fetched last, and the end of the archive.
    window: (u64, Vec<u8>),
    tail: (u64, Vec<u8>),
    hint: Hint,
}

/// Where the bytes end that will be read next: ranges are not longer than that.
#[derive(Clone, Default)]
pub struct Hint(Rc<Cell<u64>>);

impl Hint {
    pub fn set(&self, end: u64) {
        self.0.set(end);
    }
}

impl<'a> Remote<'a> {
    /// # Errors
    /// When the server does not answer, or does not serve parts of files.
    pub fn open(http: &'a Http, url: &Url) -> Result<Remote<'a>> {
        let tail = wait(range(http, url, None, TAIL, &Validator::default()))?;
        Ok(Remote {
            http,
            url: url.clone(),
            size: tail.size,
            validator: tail.validator,
            position: 0,
            window: (0, Vec::new()),
            tail: (tail.start, tail.bytes),
            hint: Hint::default(),
        })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn hint(&self) -> Hint {
        self.hint.clone()
    }

    fn fetch(&mut self, wanted: usize) -> Result<()> {
        let start = self.position;
        // Up to the end of the member at once, else no more than is asked for and a little.
        let end = match self.hint.0.get() {
            end if end > start => end.min(start + LARGEST),
            _ => start + (wanted as u64).clamp(SMALLEST, LARGEST),
        };
        let length = end.min(self.size) - start;
        let got = wait(range(self.http, &self.url, Some(start), length, &self.validator))?;
        if got.size != self.size {
            let text = "the archive has changed while it was read; run the same again";
            return Err(Failure::wrong(&self.url, text).into());
        }
        self.window = (start, got.bytes);
        Ok(())
    }
}

impl Read for Remote<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || out.is_empty() {
            return Ok(0);
        }
        let holds =
            |(start, bytes): &(u64, Vec<u8>), at: u64| at >= *start && at < start + bytes.len() as u64;
        if !holds(&self.window, self.position) && !holds(&self.tail, self.position) {
            // Not of the kind `Interrupted`, after which readers try again.
            self.fetch(out.len())
                .map_err(|e| io::Error::other(e.to_string()))?;
        }
        let (start, bytes) = if holds(&self.window, self.position) {
            &self.window
        } else {
            &self.tail
        };
        let from = usize::try_from(self.position - start).unwrap_or(usize::MAX);
        let n = out.len().min(bytes.len().saturating_sub(from));
        out[..n].copy_from_slice(&bytes[from..from + n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for Remote<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
