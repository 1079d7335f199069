//! Where the text, the values and the pictures of a run go.

use std::io::{self, Write};

use super::display::{Bundle, Display, Form};
use crate::error::{Error, Result};
use crate::interrupt::{self, Reason};

/// The two streams of text that a script has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What it prints.
    Stdout,
    /// Messages beside that: its log, warnings, errors.
    Stderr,
}

/// A terminal, a report, a notebook: whoever shows what a run has to say. It belongs to a context, and is asked from any thread.
pub trait Output: Send + Sync {
    /// The forms that it can show beside plain text. No others are made for it.
    fn forms(&self) -> &[Form];

    /// Takes text as it comes, in whole lines or in parts of them.
    ///
    /// # Errors
    /// `Interrupted` where nobody reads any more; else where it cannot be written.
    fn write(&self, stream: Stream, text: &[u8]) -> Result<()>;

    /// Shows a value, in the forms that it asked for as far as there are such.
    ///
    /// # Errors
    /// As `write`.
    fn show(&self, bundle: Bundle) -> Result<()>;

    /// Shows the value that an input gave, where that is told apart from what is shown on the way.
    ///
    /// # Errors
    /// As `write`.
    fn show_result(&self, bundle: Bundle) -> Result<()> {
        self.show(bundle)
    }

    /// Characters that fit on a line.
    fn columns(&self) -> usize {
        100
    }

    /// Whether messages may have colours, by escape sequences.
    fn colours(&self) -> bool {
        false
    }
}

impl dyn Output {
    /// Has what it can show of a value made, and shows it.
    ///
    /// # Errors
    /// What goes wrong in making a form, and as `write`.
    pub fn display(&self, display: &Display) -> Result<()> {
        self.show(display.bundle(self.forms())?)
    }
}

/// The streams of the process, for contexts that were given no other output: plain text.
pub(super) struct Streams;

impl Output for Streams {
    fn forms(&self) -> &[Form] {
        &[]
    }

    fn write(&self, stream: Stream, text: &[u8]) -> Result<()> {
        write_to_process(stream, text)
    }

    fn show(&self, bundle: Bundle) -> Result<()> {
        write_to_process(Stream::Stdout, format!("{}\n", bundle.for_terminal()).as_bytes())
    }
}

/// Writes to a stream of the process. A reader of standard output that has gone, as in `| head`, ends the run without a word; a closed
/// standard error is no reason to fail.
///
/// # Errors
/// `Interrupted` where the reader has gone; where standard output cannot be written.
pub fn write_to_process(stream: Stream, text: &[u8]) -> Result<()> {
    let written = match stream {
        Stream::Stdout => io::stdout().lock().write_all(text),
        Stream::Stderr => {
            let _ = io::stderr().lock().write_all(text);
            return Ok(());
        }
    };
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
            interrupt::request_own(Reason::ReaderGone);
            Err(Error::Interrupted)
        }
        Err(e) => Err(Error::io("standard output", e)),
        Ok(()) => Ok(()),
    }
}
