//! Stops. Ctrl-C and the end of the process ask all work of it to stop; a context's own stop asks only its own. The Lua virtual machine and the
//! engine look often, and end with `Error::Interrupted`.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

/// Why work should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Signal = 1,
    TimeLimit = 2,
    /// Nobody reads standard output any more.
    ReaderGone = 3,
    /// The process holds more memory than it may.
    Memory = 4,
}

/// Asks work to stop, and says why.
#[derive(Debug, Default)]
pub struct Stop(AtomicU8);

impl Stop {
    /// Only touches an atomic, so a signal handler may call it.
    pub fn request(&self, reason: Reason) {
        self.0.store(reason as u8, Ordering::Relaxed);
    }

    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub fn reason(&self) -> Option<Reason> {
        match self.0.load(Ordering::Relaxed) {
            1 => Some(Reason::Signal),
            2 => Some(Reason::TimeLimit),
            3 => Some(Reason::ReaderGone),
            4 => Some(Reason::Memory),
            _ => None,
        }
    }
}

/// Of all work of the process.
static ALL: Stop = Stop(AtomicU8::new(0));

thread_local! {
    /// Of the contexts that this thread has entered, the innermost last.
    static OWN: RefCell<Vec<Arc<Stop>>> = const { RefCell::new(Vec::new()) };
}

/// The stop is this thread's for as long as this lives.
pub struct Entered(());

/// Makes a stop this thread's.
#[must_use]
pub fn enter(stop: Arc<Stop>) -> Entered {
    OWN.with_borrow_mut(|entered| entered.push(stop));
    Entered(())
}

impl Drop for Entered {
    fn drop(&mut self) {
        OWN.with_borrow_mut(|entered| entered.pop());
    }
}

/// Asks all work of the process to stop. Only touches an atomic, so a signal handler may call it.
pub fn request(reason: Reason) {
    ALL.request(reason);
}

/// Asks the work of this thread's context to stop.
pub fn request_own(reason: Reason) {
    OWN.with_borrow(|entered| match entered.last() {
        Some(stop) => stop.request(reason),
        None => request(reason),
    });
}

/// Forgets requests, before new work is started.
pub fn clear() {
    ALL.clear();
    OWN.with_borrow(|entered| entered.iter().for_each(|stop| stop.clear()));
}

pub fn reason() -> Option<Reason> {
    ALL.reason()
        .or_else(|| OWN.with_borrow(|entered| entered.iter().find_map(|stop| stop.reason())))
}

pub fn requested() -> bool {
    reason().is_some()
}

/// Long loops call it between pieces of work.
///
/// # Errors
/// `Interrupted`, once a stop was asked for.
pub fn check() -> Result<()> {
    if requested() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}
