//! What the operating system may interrupt the program with.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::interrupt::{self, Reason};

/// When Ctrl-C was pressed last, in milliseconds of the monotonic clock; 0 for never.
static LAST: AtomicI64 = AtomicI64::new(0);

/// How long a stop may take before another Ctrl-C ends the process at once.
const PATIENCE_MS: i64 = 1000;

/// Ctrl-C sets the stop flag. A C function that no hook reaches (a pathological pattern) does not look at it, so
/// another Ctrl-C a second later ends the process.
extern "C" fn on_interrupt(_: libc::c_int) {
    let now = milliseconds();
    let last = LAST.swap(now, Ordering::Relaxed);
    if interrupt::requested() && last != 0 && now - last > PATIENCE_MS {
        // SAFETY: _exit may be called from a signal handler.
        unsafe { libc::_exit(130) }
    }
    interrupt::request(Reason::Signal);
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
