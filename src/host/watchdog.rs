//! The last resort of stopping: ends the process when work that was asked to stop does not.
//!
//! The virtual machine, natives and kernels look at the stop flag. What cannot look, such as a finaliser (no hook runs in
//! one) or a library that waits for a server, is ended from a thread outside, a little later than work that looks ends by itself.

use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::cli::{INTERRUPTED, READER_GONE, SCRIPT_ERROR};
use super::{report, signals};
use crate::bounds::process;
use crate::files;
use crate::interrupt::{self, Reason};
use crate::{scratch, work};

/// How long work has to stop by itself, so that with the removal of drafts everything has ended two seconds after the request.
pub const PATIENCE: Duration = Duration::from_millis(1500);

/// How often the thread looks. It does nothing else, so that this costs nothing that could be measured.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Watches from `start` until it is dropped. A script's stays until the process ends: finalisers run when the virtual machine closes.
pub struct Watchdog {
    done: mpsc::Sender<()>,
}

impl Watchdog {
    /// Also sets the stop flag when `limit` is over, or the process holds more memory than it may. `farewell` follows the message when the process has to be ended.
    pub fn start(limit: Option<Duration>, farewell: &'static str) -> Watchdog {
        let (done, finished) = mpsc::channel::<()>();
        let terminal = signals::terminal();
        signals::watched(true);
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        // The stop of the work that is watched is this thread's, too.
        let context = work::current();
        let watch = move || {
            let _entered = context.enter();
            process::watch_from_here();
            let mut requested = None;
            loop {
                let now = Instant::now();
                let until = deadline.map_or(LOOK_EVERY, |at| at.saturating_duration_since(now));
                let wait = if until.is_zero() {
                    LOOK_EVERY
                } else {
                    until.min(LOOK_EVERY)
                };
                if !matches!(finished.recv_timeout(wait), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
                let now = Instant::now();
                if deadline.is_some_and(|at| now >= at) && !interrupt::requested() {
                    interrupt::request_own(Reason::TimeLimit);
                }
                let at_once = process::look() || signals::impatient();
                match interrupt::reason() {
                    None => requested = None,
                    Some(reason) => {
                        let since = *requested.get_or_insert(now);
                        if at_once || now - since >= PATIENCE {
                            end(reason, farewell, terminal);
                        }
                    }
                }
            }
        };
        // Without threads nothing else of the program works either; what looks at the flag still stops.
        let _ = std::thread::Builder::new()
            .name("watchdog".to_string())
            .spawn(watch);
        Watchdog { done }
    }

    /// Watches until the process has ended.
    pub fn stay(self) {
        std::mem::forget(self);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        signals::watched(false);
        // The thread may have ended already; then nobody listens and nothing is left to do.
        let _ = self.done.send(());
    }
}

/// Ends the process. Takes no lock that work which hangs may hold, and runs no destructor.
fn end(reason: Reason, farewell: &str, terminal: Option<libc::termios>) -> ! {
    files::abandon_drafts();
    scratch::remove();
    if let Some(terminal) = terminal {
        // SAFETY: the state was read from the same descriptor.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &terminal) };
    }
    let code = match reason {
        Reason::Signal => INTERRUPTED,
        Reason::TimeLimit | Reason::Memory => SCRIPT_ERROR,
        Reason::ReaderGone => READER_GONE,
    };
    if matches!(reason, Reason::Signal | Reason::TimeLimit | Reason::Memory) {
        // SAFETY: the descriptor stays open: the file is never dropped. Rust's own handle may be locked by what hangs.
        let mut stderr = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(libc::STDERR_FILENO) });
        let _ = stderr.write_all(format!("error: {}{farewell}\n", report::interruption()).as_bytes());
    }
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(i32::from(code)) }
}
