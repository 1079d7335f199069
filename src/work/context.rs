//! What a run may use, and whom it tells.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use super::decoded::Decoded;
use super::ledger::Budget;
use super::output::{Output, Streams};
use super::progress::{Progress, Silent};
use super::provenance::Provenance;
use super::rehearsal::Rehearsal;
use super::resumption::Resumption;
use crate::interrupt::{self, Stop};

/// Threads, a ceiling of memory with its ledger, a stop, a listener, an output, and what files are told of their making.
#[derive(Clone)]
pub struct Context {
    threads: usize,
    budget: Arc<Budget>,
    decoded: Arc<Decoded>,
    stop: Arc<Stop>,
    progress: Arc<dyn Progress>,
    output: Arc<dyn Output>,
    /// Of what it has been warned, where once is enough.
    warned: Arc<Mutex<HashSet<String>>>,
    /// Who keeps notes of the run, for what files are told of their making.
    provenance: Arc<RwLock<Option<Arc<dyn Provenance>>>>,
    /// Where nothing is to be computed or written, what would be.
    rehearsal: Option<Arc<Rehearsal>>,
    /// Where a run goes on where an earlier one was stopped.
    resumption: Option<Arc<Resumption>>,
}

impl Default for Context {
    fn default() -> Context {
        Context::new()
    }
}

impl Context {
    /// All cores, a quarter of RAM, nobody who listens, and the streams of the process for text.
    pub fn new() -> Context {
        Context {
            threads: cores(),
            budget: Arc::new(Budget::new(physical_memory() / 4)),
            decoded: Arc::default(),
            stop: Arc::new(Stop::default()),
            progress: Arc::new(Silent),
            output: Arc::new(Streams),
            warned: Arc::default(),
            provenance: Arc::default(),
            rehearsal: None,
            resumption: None,
        }
    }

    #[must_use]
    pub fn with_threads(self, threads: usize) -> Context {
        Context {
            threads: threads.max(1),
            ..self
        }
    }

    /// With a ceiling, in bytes, of the pixels that runs hold, and an empty ledger.
    #[must_use]
    pub fn with_memory(self, bytes: usize) -> Context {
        Context {
            budget: Arc::new(Budget::new(bytes)),
            decoded: Arc::default(),
            ..self
        }
    }

    #[must_use]
    pub fn with_progress(self, progress: Arc<dyn Progress>) -> Context {
        Context { progress, ..self }
    }

    #[must_use]
    pub fn with_output(self, output: Arc<dyn Output>) -> Context {
        Context {
            output,
            warned: Arc::default(),
            ..self
        }
    }

    /// That tells what it would do in place of doing it, or not.
    #[must_use]
    pub fn with_rehearsal(self, rehearsal: Option<Arc<Rehearsal>>) -> Context {
        Context { rehearsal, ..self }
    }

    /// That goes on where an earlier run was stopped.
    #[must_use]
    pub fn with_resumption(self, resumption: Resumption) -> Context {
        Context {
            resumption: Some(Arc::new(resumption)),
            ..self
        }
    }

    /// With a stop of its own, beside those of the contexts around it.
    #[must_use]
    pub fn with_stop(self, stop: Arc<Stop>) -> Context {
        Context { stop, ..self }
    }

    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// What its runs have decoded of files.
    pub fn decoded(&self) -> &Arc<Decoded> {
        &self.decoded
    }

    pub(super) fn provenance(&self) -> Option<Arc<dyn Provenance>> {
        self.provenance.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Ends the work of this context, and of no other.
    pub fn stop(&self) -> &Arc<Stop> {
        &self.stop
    }

    /// Whether nobody was warned about this before.
    pub(super) fn is_first_about(&self, what: &str) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(|e| e.into_inner());
        warned.insert(what.to_string())
    }

    /// Makes it this thread's, until what is returned is dropped.
    #[must_use]
    pub fn enter(&self) -> Entered {
        CURRENT.with_borrow_mut(|entered| entered.push(Arc::new(self.clone())));
        Entered(interrupt::enter(self.stop.clone()))
    }
}

/// The context that was entered stays this thread's for as long as this lives.
pub struct Entered(#[allow(dead_code)] interrupt::Entered);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|entered| entered.pop());
    }
}

thread_local! {
    /// The innermost last.
    static CURRENT: RefCell<Vec<Arc<Context>>> = const { RefCell::new(Vec::new()) };
}

/// This thread's context: what was entered last, or the usual one.
pub fn current() -> Arc<Context> {
    static USUAL: OnceLock<Arc<Context>> = OnceLock::new();
    let entered = CURRENT.with_borrow(|entered| entered.last().cloned());
    entered.unwrap_or_else(|| USUAL.get_or_init(|| Arc::new(Context::new())).clone())
}

/// That this process may use. To find out the system reads a dozen files, and every small run asks.
pub fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Threads that a run uses.
pub fn threads() -> usize {
    current().threads
}

/// Ceiling in bytes for the pixels that a run holds.
pub fn memory() -> usize {
    current().budget.ceiling()
}

pub fn progress() -> Arc<dyn Progress> {
    current().progress.clone()
}

/// Where text, values and pictures of this thread's context go.
pub fn output() -> Arc<dyn Output> {
    current().output.clone()
}

/// Where a dry run tells what it would do; None in others.
pub fn resumption() -> Option<Arc<Resumption>> {
    current().resumption.clone()
}

pub fn rehearsal() -> Option<Arc<Rehearsal>> {
    current().rehearsal.clone()
}

/// From now on `provenance` keeps notes of what this thread's context runs.
pub fn set_provenance(provenance: Arc<dyn Provenance>) {
    let context = current();
    *context.provenance.write().unwrap_or_else(|e| e.into_inner()) = Some(provenance);
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
