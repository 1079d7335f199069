//! What has come from servers, as progress shows it and scripts ask for it.

use std::sync::atomic::{AtomicU64, Ordering};

static REQUESTS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Requests that this process has sent to servers, and bytes of their answers that it has read, as they are stored and sent.
pub fn traffic() -> (u64, u64) {
    (REQUESTS.load(Ordering::Relaxed), BYTES.load(Ordering::Relaxed))
}

pub fn count_request() {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
}

pub fn count_bytes(bytes: u64) {
    BYTES.fetch_add(bytes, Ordering::Relaxed);
}
