//! How far a download is, told while it runs.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What happens to a file. Files are numbered as planned.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// Bytes begin to arrive, after `from` bytes of earlier runs.
    Started {
        name: &'a str,
        from: u64,
        size: Option<u64>,
    },
    /// More bytes have arrived.
    Arrived(u64),
    /// How large the file is, where nobody knew before.
    Sized {
        name: &'a str,
        size: u64,
    },
    /// The file was there already, with so many bytes.
    Present(u64),
    /// So many bytes that had arrived are void: the file begins anew.
    Restarted(u64),
    /// The server needs time, or is asked again after a failure; the text says why.
    Waits {
        name: &'a str,
        reason: &'a str,
        time: Duration,
    },
    Ended {
        failed: bool,
    },
}

/// Told what happens, from any thread.
pub trait Observer: Send + Sync {
    /// `bytes`: the sum of the sizes that are known.
    fn planned(&self, _files: usize, _bytes: u64) {}
    fn tell(&self, file: usize, event: Event<'_>);
}

/// Tells nobody.
pub struct Silent;

impl Observer for Silent {
    fn tell(&self, _: usize, _: Event<'_>) {}
}

/// Bytes a second over the last moments, and what follows from it.
pub struct Meter {
    window: Duration,
    seen: Mutex<VecDeque<(Instant, u64)>>,
}

impl Meter {
    pub fn new(window: Duration) -> Meter {
        Meter {
            window,
            seen: Mutex::default(),
        }
    }

    pub fn count(&self, bytes: u64) {
        self.count_at(Instant::now(), bytes);
    }

    fn count_at(&self, now: Instant, bytes: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A tenth of a second is fine enough for people, and keeps the list short.
        match seen.back_mut() {
            Some((at, sum)) if now.duration_since(*at) < Duration::from_millis(100) => *sum += bytes,
            _ => seen.push_back((now, bytes)),
        }
        while seen.len() > 1
            && seen
                .front()
                .is_some_and(|(at, _)| now.duration_since(*at) > self.window)
        {
            seen.pop_front();
        }
    }

    /// Bytes a second.
    pub fn rate(&self) -> f64 {
        self.rate_at(Instant::now())
    }

    fn rate_at(&self, now: Instant) -> f64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((first, _)) = seen.front() else {
            return 0.0;
        };
        let seconds = now.duration_since(*first).as_secs_f64().max(0.1);
        seen.iter().map(|(_, bytes)| *bytes as f64).sum::<f64>() / seconds
    }

    /// Seconds until `left` more bytes are here, at the present rate.
    pub fn seconds_left(&self, left: u64) -> Option<f64> {
        let rate = self.rate();
        (rate > 0.0).then(|| left as f64 / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_moments() {
        let meter = Meter::new(Duration::from_secs(5));
        let start = Instant::now();
        for i in 0..100 {
            let megabytes = if i < 50 { 1 } else { 2 };
            meter.count_at(start + Duration::from_millis(200 * i), megabytes * 1_000_000);
        }
        let rate = meter.rate_at(start + Duration::from_millis(20_000)) / 1e6;
        assert!((rate - 10.0).abs() < 0.5, "{rate} MB/s");
    }
}
