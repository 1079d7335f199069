//! The one stop flag of the process. Ctrl-C and the time limit set it; the Lua virtual machine and the engine look
//! at it often and end with `Error::Interrupted`.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

/// Why work should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Signal = 1,
    TimeLimit = 2,
    /// Nobody reads standard output any more.
    ReaderGone = 3,
    /// Only a script's help was wanted, and it has been shown.
    HelpShown = 4,
    /// The process holds more memory than it may.
    Memory = 5,
}

static STOP: AtomicU8 = AtomicU8::new(0);

/// Asks all work to stop. Only touches an atomic, so a signal handler may call it.
pub fn request(reason: Reason) {
    STOP.store(reason as u8, Ordering::Relaxed);
}

/// Forgets a request, before new work is started.
pub fn clear() {
    STOP.store(0, Ordering::Relaxed);
}

pub fn reason() -> Option<Reason> {
    match STOP.load(Ordering::Relaxed) {
        1 => Some(Reason::Signal),
        2 => Some(Reason::TimeLimit),
        3 => Some(Reason::ReaderGone),
        4 => Some(Reason::HelpShown),
        5 => Some(Reason::Memory),
        _ => None,
    }
}

pub fn requested() -> bool {
    STOP.load(Ordering::Relaxed) != 0
}

/// `Err(Interrupted)` once a stop was asked for: long loops call it between pieces of work.
pub fn check() -> Result<()> {
    if requested() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}
