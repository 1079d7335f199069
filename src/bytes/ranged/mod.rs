//! Files on servers, read by ranges: the one way to their bytes for GDAL and for members of archives.
//!
//! Bytes come in blocks, which are kept for the next reader (`cache`). What is missing is fetched in as few ranges as it takes, near ones as
//! one, several at a time, no block twice at the same time. Every range goes by the one client: credentials bound to hosts, redirects hop by
//! hop, one policy of trying again, and a stop at once. A file has to stay the same while it is read.

mod cache;
mod known;
mod range;
mod reader;

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use url::Url;

use self::cache::BLOCK;
use super::http::{Failure, Http, Request, wait};
use super::s3::S3;
use crate::error::Result;
use crate::interrupt;
use crate::work;

pub use known::{Found, find, known, open};
pub use range::{ContentRange, Range, Validator, Wanted, range};
pub use reader::{Hint, Reader};

/// What is fetched of a file when it is opened: most headers fit.
const FIRST: u64 = 2 * BLOCK;
/// The end of an archive, where its directory is. Most directories fit.
const TAIL: u64 = 4 * BLOCK;
/// A file of a server that gives no parts comes whole up to this size.
const WHOLE: u64 = 16 << 20;
/// Ranges that are not further apart, in blocks, are fetched as one.
const NEAR: u64 = 2;
/// Blocks of one range.
const LONGEST: u64 = (8 << 20) / BLOCK;
/// Ranges of one read that are on their way at the same time.
const AT_ONCE: usize = 4;

/// How a file is asked for.
#[derive(Clone)]
pub enum Way {
    Web,
    Bucket(Arc<S3>),
}

/// Which bytes are fetched first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    Head,
    Tail,
}

/// Bytes that are wanted, which lie in the file.
pub struct Part<'o> {
    pub start: u64,
    pub out: &'o mut [u8],
}

/// A file on a server.
pub struct Remote<'a> {
    http: &'a Http,
    way: Way,
    address: Url,
    /// Its number in the cache.
    number: u64,
    size: u64,
    validator: Validator,
    state: Mutex<State>,
    /// Tells those who wait for blocks that others fetch.
    arrived: Condvar,
}

struct State {
    /// Where redirects have led to, on another host: asked directly as long as that works, which saves a redirect for each range.
    place: Option<Url>,
    /// Blocks that are on their way.
    busy: HashSet<u64>,
    seen: Instant,
}

impl<'a> Remote<'a> {
    /// Opens the file and fetches its first or last bytes.
    ///
    /// # Errors
    /// When there is none, it may not be read, or the server does not serve parts of a large file.
    pub fn open(http: &'a Http, way: Way, address: &Url, first: First) -> Result<Remote<'a>, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let request = request_at(&way, address)?;
        let wanted = match first {
            First::Head => (Some(0), FIRST),
            First::Tail => (None, TAIL),
        };
        let wanted = Wanted {
            start: wanted.0,
            length: wanted.1,
            whole: whole(),
        };
        let front = request.url.clone();
        let got = wait::<_, Error>(async {
            let none = Validator::default();
            Ok(range(http, request, wanted, &none).await)
        });
        let got = got.map_err(Error::Other)??;
        let remote = Remote {
            http,
            way,
            address: address.clone(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            size: got.size,
            validator: got.validator.clone(),
            state: Mutex::new(State {
                place: None,
                busy: HashSet::new(),
                seen: Instant::now(),
            }),
            arrived: Condvar::new(),
        };
        remote.learn_place(&front, &got.from);
        remote.keep(got.start, &got.bytes);
        Ok(remote)
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its entity tag, or the time of its last change, as the server states them.
    pub fn version(&self) -> Option<&str> {
        self.validator.if_range()
    }

    /// How long it is since the server was seen to have it.
    fn age(&self) -> Duration {
        self.state().seen.elapsed()
    }

    /// Whether the other one is certainly the same version of the same file.
    fn is_same(&self, other: &Remote<'_>) -> bool {
        let version = &self.validator;
        self.size == other.size && !version.is_empty() && *version == other.validator
    }

    fn touch(&self) {
        self.state().seen = Instant::now();
    }

    /// Reads the parts, and fetches as far as `until` where something has to be fetched; true where it was.
    ///
    /// # Errors
    /// Those of the server; when a stop is asked for.
    pub fn read(&self, parts: &mut [Part<'_>], until: u64) -> Result<bool> {
        let mut fetched = false;
        loop {
            interrupt::check()?;
            let mut missing = self.fill_from_cache(parts);
            let Some(&last) = missing.last() else {
                return Ok(fetched);
            };
            let end = until.min(self.size).div_ceil(BLOCK);
            let ahead = last + 1..end.min(last + 1 + LONGEST);
            let needed = missing.len();
            cache::with(|cache| missing.extend(ahead.filter(|&block| !cache.has(self.number, block))));
            let claim = self.claim(missing.iter().copied());
            let Some(claim) = claim else {
                let state = self.state();
                // What has arrived meanwhile is in the cache.
                if missing.iter().any(|block| state.busy.contains(block)) {
                    let _ = self.arrived.wait_timeout(state, Duration::from_millis(50));
                }
                continue;
            };
            for got in self.fetch(&claim.blocks)? {
                self.keep(got.start, &got.bytes);
                for part in parts.iter_mut() {
                    part.take(got.start, &got.bytes);
                }
            }
            fetched = true;
            let all_mine = missing
                .iter()
                .take(needed)
                .all(|block| claim.blocks.contains(block));
            drop(claim);
            if all_mine {
                return Ok(true);
            }
        }
    }

    /// Fills the parts with what is in the cache, and names the blocks that are not.
    fn fill_from_cache(&self, parts: &mut [Part<'_>]) -> BTreeSet<u64> {
        cache::with(|cache| {
            let mut missing = BTreeSet::new();
            for part in parts {
                for block in part.blocks() {
                    match cache.get(self.number, block) {
                        Some(bytes) => part.take(block * BLOCK, bytes),
                        None => _ = missing.insert(block),
                    }
                }
            }
            missing
        })
    }

    /// Those of the blocks that nobody else fetches, or has fetched since they were missed, which this thread now does.
    fn claim(&self, blocks: impl Iterator<Item = u64>) -> Option<Claim<'_, 'a>> {
        let mut state = self.state();
        // Blocks are in the cache before their claim ends.
        let blocks: Vec<u64> = cache::with(|cache| {
            blocks
                .filter(|&block| !cache.has(self.number, block) && state.busy.insert(block))
                .collect()
        });
        // A claim looks at the state when it ends.
        drop(state);
        match blocks.is_empty() {
            true => None,
            false => Some(Claim { remote: self, blocks }),
        }
    }

    fn fetch(&self, blocks: &[u64]) -> Result<Vec<Range>> {
        let runs = runs(blocks);
        let fetched = wait(async {
            let one = |(first, end): (u64, u64)| self.once(first * BLOCK, (end * BLOCK).min(self.size));
            stream::iter(runs)
                .map(one)
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await
        });
        // Whoever shows how far it is may show what has come.
        work::progress().advance(0);
        fetched.inspect_err(|_| known::doubt(self.number))
    }

    async fn once(&self, start: u64, end: u64) -> Result<Range, Failure> {
        let wanted = Wanted {
            start: Some(start),
            length: end - start,
            whole: whole(),
        };
        let front = request_at(&self.way, &self.address)?;
        let place = self.state().place.clone();
        let mut got = None;
        if let Some(place) = place {
            let request = Request {
                asked: Some(self.address.clone()),
                ..Request::file(place)
            };
            match range(self.http, request, wanted, &self.validator).await {
                // What let the reader in there has run out: in by the front again.
                Err(failure)
                    if failure
                        .status()
                        .is_some_and(|status| (400..500).contains(&status)) =>
                {
                    self.state().place = None;
                }
                other => got = Some(other?),
            }
        }
        let got = match got {
            Some(got) => got,
            None => {
                let url = front.url.clone();
                let got = range(self.http, front, wanted, &self.validator).await?;
                self.learn_place(&url, &got.from);
                got
            }
        };
        if got.size != self.size {
            return Err(range::has_changed(&self.address));
        }
        self.touch();
        Ok(got)
    }

    fn learn_place(&self, front: &Url, from: &Url) {
        let elsewhere = matches!(self.way, Way::Web) && front.origin() != from.origin();
        self.state().place = elsewhere.then(|| from.clone());
    }

    /// Into the cache, what of it are whole blocks.
    fn keep(&self, start: u64, bytes: &[u8]) {
        let end = start + bytes.len() as u64;
        cache::with(|cache| {
            for block in start.div_ceil(BLOCK)..end.div_ceil(BLOCK) {
                let (from, to) = (block * BLOCK, ((block + 1) * BLOCK).min(self.size));
                if to <= end {
                    cache.put(
                        self.number,
                        block,
                        &bytes[(from - start) as usize..(to - start) as usize],
                    );
                }
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Remote<'_> {
    fn drop(&mut self) {
        cache::with(|cache| cache.forget(self.number));
    }
}

/// Blocks that one thread fetches. Whatever comes of it, others may then.
struct Claim<'r, 'a> {
    remote: &'r Remote<'a>,
    blocks: Vec<u64>,
}

impl Drop for Claim<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.remote.state();
        for block in &self.blocks {
            state.busy.remove(block);
        }
        self.remote.arrived.notify_all();
    }
}

impl Part<'_> {
    fn blocks(&self) -> std::ops::Range<u64> {
        self.start / BLOCK..(self.start + self.out.len() as u64).div_ceil(BLOCK)
    }

    /// What of the bytes of the file from `start` on belongs here.
    fn take(&mut self, start: u64, bytes: &[u8]) {
        let end = (start + bytes.len() as u64).min(self.start + self.out.len() as u64);
        let begin = start.max(self.start);
        if begin < end {
            let from = &bytes[(begin - start) as usize..(end - start) as usize];
            self.out[(begin - self.start) as usize..(end - self.start) as usize].copy_from_slice(from);
        }
    }
}

/// Blocks in rising order as ranges (first, end), near ones together.
fn runs(blocks: &[u64]) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &block in blocks {
        match runs.last_mut() {
            Some((first, end)) if block <= *end + NEAR && block - *first < LONGEST => *end = block + 1,
            _ => runs.push((block, block + 1)),
        }
    }
    runs
}

/// It has to stay in the cache while its blocks are read.
fn whole() -> u64 {
    WHOLE.min(cache::capacity() as u64 / 2)
}

fn request_at(way: &Way, address: &Url) -> Result<Request, Failure> {
    match way {
        Way::Web => Ok(Request::file(address.clone())),
        Way::Bucket(s3) => s3.request(address),
    }
}

/// Why a file could not be opened.
pub enum Error {
    Request(Failure),
    /// A stop, or this machine.
    Other(crate::error::Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error::Request(failure)
    }
}

impl From<crate::error::Error> for Error {
    fn from(error: crate::error::Error) -> Error {
        Error::Other(error)
    }
}

impl From<Error> for crate::error::Error {
    fn from(error: Error) -> crate::error::Error {
        match error {
            Error::Request(failure) => failure.into(),
            Error::Other(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_blocks_are_one_range() {
        assert_eq!(runs(&[0, 1, 3, 4, 8, 20]), [(0, 5), (8, 9), (20, 21)]);
        let many: Vec<u64> = (0..LONGEST + 3).collect();
        assert_eq!(runs(&many), [(0, LONGEST), (LONGEST, LONGEST + 3)]);
        assert!(runs(&[]).is_empty());
    }

    #[test]
    fn parts_take_what_is_theirs() {
        let mut out = [0; 5];
        let mut part = Part {
            start: 10,
            out: &mut out,
        };
        part.take(8, &[8, 9, 10, 11]);
        part.take(13, &[13, 14, 15]);
        part.take(100, &[1]);
        assert_eq!(part.blocks(), 0..1);
        assert_eq!(out, [10, 11, 0, 13, 14]);
    }
}
