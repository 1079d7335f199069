//! What a run may use, and whom it tells: threads, memory, progress, provenance.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

/// Told how far a run has come, from any thread.
pub trait Progress: Send + Sync {
    fn start(&self, total: u64, label: &str);
    fn advance(&self, n: u64);
    fn finish(&self);
    /// Says something once, beside the work.
    fn note(&self, _text: &str) {}
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _: u64, _: &str) {}
    fn advance(&self, _: u64) {}
    fn finish(&self) {}
}

static THREADS: AtomicUsize = AtomicUsize::new(0);
static MEMORY: AtomicUsize = AtomicUsize::new(0);
/// Key and value of tags that every file written gets: the script, its parameters, the version.
static PROVENANCE: RwLock<Vec<(String, String)>> = RwLock::new(Vec::new());
static PROGRESS: OnceLock<RwLock<Arc<dyn Progress>>> = OnceLock::new();

/// Threads that a run uses; all cores unless set.
pub fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => cores(),
        n => n,
    }
}

/// That this process may use. To find out the system reads a dozen files, and every small run asks.
pub fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// 0 means all cores.
pub fn set_threads(n: usize) {
    THREADS.store(n, Ordering::Relaxed);
}

/// Ceiling in bytes for the pixels that a run holds: a quarter of RAM unless set.
pub fn memory() -> usize {
    match MEMORY.load(Ordering::Relaxed) {
        0 => physical_memory() / 4,
        n => n,
    }
}

/// 0 means a quarter of RAM.
pub fn set_memory(bytes: usize) {
    MEMORY.store(bytes, Ordering::Relaxed);
}

/// RAM of this machine in bytes.
pub fn physical_memory() -> usize {
    // SAFETY: sysconf has no preconditions; it answers -1 for what it does not know.
    let (pages, size) = unsafe {
        (
            libc::sysconf(libc::_SC_PHYS_PAGES),
            libc::sysconf(libc::_SC_PAGESIZE),
        )
    };
    if pages > 0 && size > 0 {
        pages as usize * size as usize
    } else {
        4 << 30
    }
}

pub fn set_progress(progress: Arc<dyn Progress>) {
    let cell = PROGRESS.get_or_init(|| RwLock::new(Arc::new(Silent)));
    *cell.write().unwrap_or_else(|e| e.into_inner()) = progress;
}

pub fn progress() -> Arc<dyn Progress> {
    let cell = PROGRESS.get_or_init(|| RwLock::new(Arc::new(Silent)));
    cell.read().unwrap_or_else(|e| e.into_inner()).clone()
}

pub fn set_provenance(tags: Vec<(String, String)>) {
    *PROVENANCE.write().unwrap_or_else(|e| e.into_inner()) = tags;
}

pub fn provenance() -> Vec<(String, String)> {
    PROVENANCE.read().unwrap_or_else(|e| e.into_inner()).clone()
}
