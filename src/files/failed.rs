//! What went wrong in writing drafts below those who write them: libraries say little of it, whoever publishes the draft says it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Files whose writing failed, and the system's number of the first error.
static FAILED: Mutex<Vec<(PathBuf, i32)>> = Mutex::new(Vec::new());
/// Spares the lock where nothing has failed, which is always.
static ANY: AtomicBool = AtomicBool::new(false);

/// Keeps the first error in writing the file `name`.
pub fn remember(name: &Path, error: &io::Error) {
    let mut failed = FAILED.lock().unwrap_or_else(|e| e.into_inner());
    if !failed.iter().any(|(known, _)| known == name) {
        failed.push((name.to_path_buf(), error.raw_os_error().unwrap_or(libc::EIO)));
    }
    ANY.store(true, Ordering::Release);
}

/// The first error in writing the file `draft`, those beside it whose names begin with its name, and, where it is a folder, those in it.
/// It is told once.
pub fn failure(draft: &Path) -> Option<io::Error> {
    if !ANY.load(Ordering::Acquire) {
        return None;
    }
    let mut failed = FAILED.lock().unwrap_or_else(|e| e.into_inner());
    let first = failed
        .iter()
        .find(|(name, _)| belongs(name, draft))
        .map(|(_, code)| *code);
    failed.retain(|(name, _)| !belongs(name, draft));
    ANY.store(!failed.is_empty(), Ordering::Release);
    first.map(io::Error::from_raw_os_error)
}

/// Whether `failure` has something to tell.
pub fn has_failed(draft: &Path) -> bool {
    ANY.load(Ordering::Acquire) && {
        let failed = FAILED.lock().unwrap_or_else(|e| e.into_inner());
        failed.iter().any(|(name, _)| belongs(name, draft))
    }
}

fn belongs(name: &Path, draft: &Path) -> bool {
    let start = draft.as_os_str().as_encoded_bytes();
    name.as_os_str().as_encoded_bytes().starts_with(start)
}
