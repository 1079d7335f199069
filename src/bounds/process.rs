//! What the process holds as a whole: the catch beneath every check of a size, for what libraries take and what grows piece by piece.
//!
//! A thread outside the work (the watchdog) looks how much that is and stops the work where it is too much. An allocation that the
//! system refuses would end the process on the spot; it waits for that thread instead, which ends it in order.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use crate::interrupt::{self, Reason};
use crate::work;

/// The program itself, its libraries, GDAL's caches and the stacks of threads.
const BESIDE: usize = 512 << 20;

/// In bytes; 0 for none.
static CEILING: AtomicUsize = AtomicUsize::new(0);

/// The thread that ends the process in order; 0 for none.
static WATCHER: AtomicI32 = AtomicI32::new(0);

static REFUSED: AtomicBool = AtomicBool::new(false);

/// Sets the ceiling from the memory for pixels, which a run may need twice for a moment, and that of the script.
pub fn limit(script: usize) {
    let wanted = work::memory()
        .saturating_mul(2)
        .saturating_add(script)
        .saturating_add(BESIDE);
    // Beyond this the system starts to end processes by itself.
    let most = work::physical_memory() / 8 * 7;
    CEILING.store(wanted.min(most), Ordering::Relaxed);
    #[cfg(target_os = "linux")]
    super::arrays::keep_within(work::memory(), work::threads());
}

pub fn ceiling() -> usize {
    CEILING.load(Ordering::Relaxed)
}

/// The calling thread is the one that ends the process.
pub fn watch_from_here() {
    WATCHER.store(thread(), Ordering::Relaxed);
}

/// Asks all work to stop where the process holds more than the ceiling. True where that cannot wait: where the system has refused
/// memory, or will soon.
pub fn look() -> bool {
    let (held, ceiling) = (resident(), ceiling());
    if ceiling > 0 && held > ceiling && !interrupt::requested() {
        interrupt::request(Reason::Memory);
    }
    REFUSED.load(Ordering::Relaxed)
        || (interrupt::reason() == Some(Reason::Memory) && held > ceiling.saturating_add(ceiling / 2))
}

/// Gives what is free back to the system, so that work which was stopped does not count against what follows.
pub fn trim() {
    #[cfg(target_os = "linux")]
    super::arrays::trim();
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim has no preconditions.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The bytes of the process in RAM; 0 where the system does not say.
pub fn resident() -> usize {
    static STATM: OnceLock<Option<File>> = OnceLock::new();
    let file = STATM.get_or_init(|| File::open("/proc/self/statm").ok());
    let mut text = [0; 128];
    let read = file.as_ref().and_then(|f| f.read_at(&mut text, 0).ok());
    let text = std::str::from_utf8(&text[..read.unwrap_or(0)]).unwrap_or_default();
    let pages: usize = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    // SAFETY: sysconf has no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages * usize::try_from(page).unwrap_or(0)
}

/// The most that it ever was; 0 where the system does not say.
pub fn peak() -> usize {
    // SAFETY: `rusage` holds numbers alone, for which zeros are good values, and getrusage fills the one that it is given.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        match libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) {
            0 => usage,
            _ => return 0,
        }
    };
    // In KiB on Linux.
    usize::try_from(usage.ru_maxrss).unwrap_or(0) << 10
}

fn thread() -> i32 {
    // SAFETY: gettid has no preconditions.
    unsafe { libc::gettid() }
}

/// What an allocation ends in that the system refuses. Never returns where a watcher is there to end the process. Allocates nothing.
#[cold]
pub(super) fn refused() {
    let watcher = WATCHER.load(Ordering::Relaxed);
    if watcher == 0 || watcher == thread() {
        return;
    }
    interrupt::request(Reason::Memory);
    REFUSED.store(true, Ordering::Relaxed);
    loop {
        // SAFETY: pause has no preconditions.
        unsafe { libc::pause() };
    }
}
