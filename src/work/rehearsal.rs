//! A run that downloads and writes nothing, and tells what it would; it computes no more than it must to go on.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::context::{Context, current};
use crate::error::{Error, Result};
use crate::interrupt::{self, Reason, Stop};

/// Something that the run itself would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlannedStep {
    /// `write`, `download`.
    pub does: &'static str,
    pub path: String,
    /// What is written or downloaded: `1200 × 800 × 2`, `12 files`.
    pub what: String,
    /// Bytes that are read, downloaded, written before compression, and held at a time; None where they are not known.
    pub reads: Option<u64>,
    pub downloads: Option<u64>,
    pub writes: Option<u64>,
    pub memory: Option<u64>,
    pub seconds: Option<f64>,
    /// What requester-pays buckets take for it.
    pub cost_usd: Option<f64>,
}

/// What has been told so far.
pub struct Rehearsal {
    steps: Mutex<Vec<PlannedStep>>,
    /// Files that would be there by now.
    promised: Mutex<HashSet<PathBuf>>,
    /// What first could not be had without computing.
    wanted: Mutex<Option<String>>,
    /// What the script does whose time is not known.
    left_out: Mutex<BTreeSet<&'static str>>,
    /// Nodes whose time has been told.
    counted: Mutex<HashSet<u64>>,
    began: Instant,
    /// What the run itself would not do.
    trials: Mutex<Duration>,
    allowance: Duration,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rehearsal {
    /// What a script does beside writing images, and the pixels that it must see to go on, are computed for at most this long.
    pub const ALLOWANCE: Duration = Duration::from_secs(10);

    pub fn new(allowance: Duration) -> Rehearsal {
        Rehearsal {
            steps: Mutex::default(),
            promised: Mutex::default(),
            wanted: Mutex::default(),
            left_out: Mutex::default(),
            counted: Mutex::default(),
            began: Instant::now(),
            trials: Mutex::default(),
            allowance,
        }
    }

    pub fn tell(&self, step: PlannedStep) {
        lock(&self.steps).push(step);
    }

    pub fn steps(&self) -> Vec<PlannedStep> {
        lock(&self.steps).clone()
    }

    /// Says that the run would have made a file by now.
    pub fn promise(&self, path: &Path) {
        lock(&self.promised).insert(path.to_path_buf());
    }

    pub fn has_promised(&self, path: &Path) -> bool {
        lock(&self.promised).contains(path)
    }

    /// # Errors
    /// When the run itself would have made the file, which is read now.
    pub fn check(&self, path: &Path) -> Result<()> {
        match self.has_promised(path) {
            true => Err(self.wants(format!("the file {}", path.display()))),
            false => Ok(()),
        }
    }

    /// The error of what the run itself would have computed or made.
    pub fn wants(&self, what: String) -> Error {
        let error = Error::message(format!("the dry run ends here, for want of {what}"));
        lock(&self.wanted).get_or_insert(what);
        error
    }

    pub fn wanted(&self) -> Option<String> {
        lock(&self.wanted).clone()
    }

    /// Says that the script's time is told without this.
    pub fn leave_out(&self, what: &'static str) {
        lock(&self.left_out).insert(what);
    }

    pub fn left_out(&self) -> Vec<&'static str> {
        lock(&self.left_out).iter().copied().collect()
    }

    /// Whether the time of a node is told for the first time.
    pub fn is_first(&self, node: u64) -> bool {
        lock(&self.counted).insert(node)
    }

    /// Whether the time of a node has been told.
    pub fn has_told(&self, node: u64) -> bool {
        lock(&self.counted).contains(&node)
    }

    /// Does what the run itself would not: its time does not count as the script's.
    pub fn trying<T>(&self, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let done = work();
        *lock(&self.trials) += begin.elapsed();
        done
    }

    /// How long the script has taken without what was tried.
    pub fn taken(&self) -> Duration {
        self.began.elapsed().saturating_sub(*lock(&self.trials))
    }

    /// How long it may still compute.
    pub fn left(&self) -> Duration {
        self.allowance.saturating_sub(self.taken())
    }

    /// Computes as the run itself would, if that ends in time; else None.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn allow<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        let left = self.left();
        if left.is_zero() {
            return Ok(None);
        }
        let late = Arc::new(Stop::default());
        let context = Context::clone(&current())
            .with_rehearsal(None)
            .with_stop(late.clone());
        let (done, wait) = channel::<()>();
        let timer = std::thread::spawn({
            let late = late.clone();
            move || {
                if wait.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                    late.request(Reason::TimeLimit);
                }
            }
        });
        let result = {
            let _entered = context.enter();
            work()
        };
        drop(done);
        // It does nothing that could panic.
        let _ = timer.join();
        match result {
            Err(Error::Interrupted) if late.reason().is_some() && !interrupt::requested() => Ok(None),
            other => other.map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Until it is stopped.
    fn forever() -> Result<()> {
        loop {
            interrupt::check()?;
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_ends_in_time_is_computed_and_what_does_not_is_stopped() {
        let rehearsal = Rehearsal::new(Duration::from_millis(300));
        assert_eq!(rehearsal.allow(|| Ok(7)).unwrap(), Some(7));
        assert!(rehearsal.allow(|| Err::<(), _>(Error::message("no"))).is_err());
        assert_eq!(rehearsal.allow(forever).unwrap(), None);
        // Nothing is left, and the stop was of that work alone.
        assert_eq!(rehearsal.allow(|| Ok(7)).unwrap(), None);
        assert!(!interrupt::requested());
    }

    #[test]
    fn trials_are_not_the_scripts_time() {
        let rehearsal = Rehearsal::new(Duration::from_secs(60));
        rehearsal.trying(|| std::thread::sleep(Duration::from_millis(200)));
        assert!(rehearsal.taken() < rehearsal.began.elapsed() - Duration::from_millis(150));
    }
}
