//! What the operating system may interrupt the program with.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::interrupt::{self, Reason};

/// When Ctrl-C was pressed last, in milliseconds of the monotonic clock; 0 for never.
static LAST: AtomicI64 = AtomicI64::new(0);

/// Whether a watchdog is there that ends the process with its drafts removed.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C was pressed again before the work had stopped.
static IMPATIENT: AtomicBool = AtomicBool::new(false);

/// Whether nothing runs that could be stopped, as in a kernel between two cells.
static IDLE: AtomicBool = AtomicBool::new(false);

/// Another Ctrl-C this much later ends the process; one that comes sooner is a key that bounced.
const PATIENCE_MS: i64 = 1000;

/// Ctrl-C sets the stop flag. Another a second later asks the watchdog to end the process at once, or ends it here where
/// there is none or it was asked before.
extern "C" fn on_interrupt(_: libc::c_int) {
    if is_idle() {
        return;
    }
    let now = milliseconds();
    let last = LAST.swap(now, Ordering::Relaxed);
    if interrupt::requested() && last != 0 && now - last > PATIENCE_MS {
        if !WATCHED.load(Ordering::Relaxed) || IMPATIENT.swap(true, Ordering::Relaxed) {
            // SAFETY: _exit may be called from a signal handler.
            unsafe { libc::_exit(130) }
        }
        return;
    }
    interrupt::request(Reason::Signal);
}

/// Says whether something runs; until then a stop is one of nothing, and is forgotten.
pub fn idle(idle: bool) {
    IDLE.store(idle, Ordering::Relaxed);
}

pub fn is_idle() -> bool {
    IDLE.load(Ordering::Relaxed)
}

/// Says whether a watchdog is there.
pub fn watched(there: bool) {
    IMPATIENT.store(false, Ordering::Relaxed);
    WATCHED.store(there, Ordering::Relaxed);
}

pub fn impatient() -> bool {
    IMPATIENT.load(Ordering::Relaxed)
}

/// The state of the terminal at standard input, to be restored when the process is ended; none where there is no terminal.
pub fn terminal() -> Option<libc::termios> {
    // SAFETY: a termios is plain numbers, which tcgetattr fills.
    let mut state: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: as above; a descriptor that is no terminal is an error that is returned.
    (unsafe { libc::tcgetattr(libc::STDIN_FILENO, &mut state) } == 0).then_some(state)
}

fn milliseconds() -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: clock_gettime may be called from a signal handler and writes to a valid timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000 + 1
}

pub fn install() {
    let handler = on_interrupt as extern "C" fn(libc::c_int);
    // SAFETY: the handler touches atomics and async-signal-safe functions only. Ignoring SIGXFSZ makes a write beyond
    // the file size limit an error that is reported, instead of the end of the process.
    unsafe {
        libc::signal(libc::SIGINT, handler as libc::sighandler_t);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}
