//! What one host may be asked, and when.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

pub struct Host {
    budget: DefaultDirectRateLimiter,
    /// Nothing is sent before this, because the host said so.
    not_before: Mutex<Option<Instant>>,
}

impl Host {
    pub fn new(per_minute: u32) -> Host {
        let rate = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        // A quarter of a minute's budget may be spent at once: a search of a few pages is not slowed.
        let burst = NonZeroU32::new(per_minute / 4).unwrap_or(NonZeroU32::MIN);
        Host {
            budget: RateLimiter::direct(Quota::per_minute(rate).allow_burst(burst)),
            not_before: Mutex::new(None),
        }
    }

    /// Waits for the host's turn; `counted` requests use its budget.
    pub async fn wait(&self, counted: bool) {
        loop {
            let until = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => break,
            }
        }
        if counted {
            self.budget.until_ready().await;
        }
    }

    pub fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = Some(not_before.map_or(until, |old| old.max(until)));
    }
}

/// The header Retry-After, in seconds or as a date (RFC 9110, section 10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let time: SystemTime = date.timestamp().into();
    Some(time.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(100);
        let text = soon
            .to_zoned(jiff::tz::TimeZone::UTC)
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        let wait = of(&text).unwrap().as_secs();
        assert!((97..=100).contains(&wait), "{wait}");
        assert_eq!(of("soon"), None);
    }
}
