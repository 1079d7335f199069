//! One file: from what is there to a checked file under its own name.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use url::Url;

use super::checksum::Checksum;
use super::coding::{Meaning, Unzipped};
use super::format::{self, Format};
use super::part::Part;
use super::progress::Event;
use super::run::Shared;
use super::source::{Answer, Body, Opened, Validator};
use super::wanted::Job;
use super::web::polling_wait;
use crate::bytes::http::{Failure, FailureKind};
use crate::error::Error;

/// A file that is complete but not yet under its own name.
pub struct Arrived {
    pub part: Part,
    pub received: u64,
    /// The published checksum, by whom it was published, and that of the bytes.
    pub checksum: Option<(Checksum, &'static str, Checksum)>,
    pub format: Option<Format>,
    /// False where nobody has said how large the file is.
    pub size_known: bool,
}

/// Why a file did not come.
pub enum Trouble {
    Request(Failure),
    /// This machine's disk.
    Disk(PathBuf, io::Error),
    Other(Error),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Request(failure)
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Error {
        match trouble {
            Trouble::Request(failure) => failure.into(),
            Trouble::Disk(path, source) => Error::io(path, source),
            Trouble::Other(error) => error,
        }
    }
}

/// Bytes after which a broken connection counts as one that worked.
const PROGRESS: u64 = 1 << 20;
/// Times that a file may begin anew: each time, what had come was void.
const RESTARTS: usize = 4;

pub struct Fetch<'a> {
    pub shared: &'a Shared,
    pub job: &'a Job,
    pub index: usize,
    pub received: u64,
    url: Url,
    checksum: Option<(Checksum, &'static str)>,
    format: Option<Format>,
    /// The first bytes were seen to be those of such a file.
    judged: bool,
    /// The server has answered ranges wrongly: none are asked for any more.
    no_ranges: bool,
    restarts: usize,
}

impl<'a> Fetch<'a> {
    pub fn new(shared: &'a Shared, job: &'a Job, index: usize) -> Fetch<'a> {
        let checksum = job.checksum.clone().filter(|_| shared.options.verify);
        Fetch {
            shared,
            job,
            index,
            received: 0,
            url: job.url.clone(),
            checksum: checksum.map(|c| (c, "the catalogue")),
            format: None,
            judged: false,
            no_ranges: false,
            restarts: 0,
        }
    }

    fn tell(&self, event: Event<'_>) {
        self.shared.observer.tell(self.index, event);
    }

    fn waits(&self, reason: &str, time: Duration) {
        self.tell(Event::Waits {
            name: &self.job.name,
            reason,
            time,
        });
    }

    /// Brings all bytes of the file into its part.
    ///
    /// # Errors
    /// What went wrong last. What has arrived is recorded, so that a later run goes on from there.
    pub async fn run(&mut self) -> Result<Arrived, Trouble> {
        let ledger = self.shared.ledger.clone();
        let path = ledger.part_shown(&self.job.name);
        let disk = |e| Trouble::Disk(path.clone(), e);
        let mut part = Part::open(
            ledger,
            &self.job.name,
            &self.job.source,
            self.shared.options.record_after,
        )
        .await
        .map_err(disk)?;
        if self.stale(&part) {
            part.begin(None, Default::default()).await.map_err(disk)?;
        }
        self.tell(Event::Started {
            name: &self.job.name,
            from: part.bytes(),
            size: part.size.or(self.job.size),
        });
        let result = self.fill(&mut part).await;
        if let Err(trouble) = result {
            // The first failure is the one to tell.
            let _ = part.keep().await;
            return Err(trouble);
        }
        let found = part.end().await.map_err(disk)?;
        let checksum = match (self.checksum.take(), found) {
            (Some((published, by)), Some(found)) => Some((published, by, found)),
            _ => None,
        };
        let size_known = part
            .size
            .or(self.job.size.filter(|_| self.shared.options.verify))
            .is_some();
        Ok(Arrived {
            part,
            received: self.received,
            checksum,
            format: self.format,
            size_known,
        })
    }

    /// A part that must not be continued: nothing tells its version, or it is not of the published size.
    fn stale(&self, part: &Part) -> bool {
        let size = self.job.size.filter(|_| self.shared.options.verify);
        let other_size = size.is_some() && part.size.is_some() && part.size != size;
        part.bytes() > 0 && ((part.validator.is_empty() && self.checksum.is_none()) || other_size)
    }

    async fn fill(&mut self, part: &mut Part) -> Result<(), Trouble> {
        let settings = &self.shared.options;
        let mut tries = 0;
        let mut best = part.bytes();
        let mut signed_at = None;
        let mut polling = (Instant::now(), 0);
        loop {
            if part.size.is_some_and(|size| part.bytes() == size && size > 0) {
                return self.check_head_on_disk(part).await;
            }
            let failure = match self.once(part).await {
                Ok(Step::Complete) => return self.check_head_on_disk(part).await,
                Ok(Step::Again) => continue,
                Ok(Step::Wait(asked)) => {
                    let wait = polling_wait(asked, polling.1);
                    if polling.0.elapsed() + wait > settings.patience {
                        let text = format!(
                            "the server is still making this file after {:.0?} (status 202); run the same again later",
                            polling.0.elapsed()
                        );
                        return Err(Failure::wrong(&self.job.url, text).into());
                    }
                    polling.1 += 1;
                    self.waits("the server is making the file", wait);
                    tokio::time::sleep(wait).await;
                    continue;
                }
                Err(Trouble::Request(failure)) => failure,
                Err(other) => return Err(other),
            };
            let progressed = part.bytes() >= best + PROGRESS
                || (part.bytes() > best && part.size.is_some_and(|s| s < PROGRESS));
            if progressed {
                best = part.bytes();
                tries = 0;
            }
            if matches!(failure.status(), Some(400 | 401 | 403)) && signed_at != Some(part.bytes()) {
                // A signature or token may have expired since the file was begun: once more with a fresh one.
                signed_at = Some(part.bytes());
                let fresh = match &self.shared.sources.signer {
                    Some(signer) => {
                        Some(signer.sign(&self.job.url, true).await?).filter(|fresh| *fresh != self.url)
                    }
                    None => None,
                };
                if fresh.is_some() || self.received > 0 {
                    self.url = fresh.unwrap_or_else(|| self.job.url.clone());
                    continue;
                }
            }
            if matches!(failure.kind, FailureKind::Wrong(_)) && part.bytes() > 0 && !self.no_ranges {
                self.no_ranges = true;
                self.restart(part).await?;
                continue;
            }
            // What fails before the first byte was tried often enough by the client.
            let in_body = matches!(failure.kind, FailureKind::Cut(_) | FailureKind::Stalled(_));
            tries += 1;
            if !in_body || tries >= settings.attempts {
                let tries = if in_body { tries } else { failure.tries };
                return Err(failure.after(tries).into());
            }
            let wait = settings.shortest_wait * 2_u32.pow(tries.min(6) as u32 - 1);
            self.waits("the connection broke", wait);
            tokio::time::sleep(wait).await;
        }
    }

    /// One request and its body.
    async fn once(&mut self, part: &mut Part) -> Result<Step, Trouble> {
        let source = self.shared.sources.of(&self.url).map_err(Trouble::Other)?.clone();
        if let Some(signer) = &self.shared.sources.signer
            && self.url == self.job.url
        {
            self.url = signer.sign(&self.job.url, false).await?;
        }
        if (self.no_ranges && part.bytes() > 0) || self.stale(part) {
            self.restart(part).await?;
        }
        let opened = match source.open(&self.url, part.bytes(), &part.validator).await {
            Ok(Answer::Opened(opened)) => opened,
            Ok(Answer::NotReady(wait)) => return Ok(Step::Wait(wait)),
            Ok(Answer::Beyond(size)) => {
                if size == Some(part.bytes()) {
                    part.size = size;
                    return Ok(Step::Again);
                }
                self.restart(part).await?;
                return Ok(Step::Again);
            }
            Ok(Answer::Changed) => {
                self.restart(part).await?;
                return Ok(Step::Again);
            }
            Err(failure) => return Err(self.in_user_words(failure).into()),
        };
        self.body(part, opened).await
    }

    async fn body(&mut self, part: &mut Part, mut opened: Opened) -> Result<Step, Trouble> {
        let path = part.shown.clone();
        let disk = |e| Trouble::Disk(path.clone(), e);
        let mut expected = self.job.size.filter(|_| self.shared.options.verify);
        let mut first = Vec::new();
        if opened.from == 0 {
            // Judged before anything is thrown away: a login page must not cost what has arrived.
            first = head(&mut opened.body).await?;
            if let Some(coding) = opened.coding.take() {
                let meaning = coding.meaning(&self.job.name, &first);
                let meaning = meaning.map_err(|text| Failure::wrong(&self.job.url, text))?;
                if meaning == Meaning::Gzip {
                    if expected.is_some() && expected == opened.size {
                        // What the catalogue publishes is what the store keeps, not the file.
                        (expected, self.checksum) = (None, None);
                    }
                    // All that the server says is of the compressed bytes; a part of the file cannot be continued with them.
                    (opened.size, opened.checksum, opened.validator) = (None, None, Validator::default());
                    opened.body = Body::Other(Box::new(Unzipped::new(&self.job.url, first, opened.body)));
                    first = head(&mut opened.body).await?;
                }
            }
            self.judge(&first[..first.len().min(format::HEAD)])?;
        }
        if let (Some(expected), Some(size)) = (expected, opened.size)
            && expected != size
        {
            let text = format!(
                "the catalogue says that the file has {expected} bytes, the server says {size}; `checksum = false` takes the server's word"
            );
            return Err(Trouble::Other(Failure::wrong(&self.job.url, text).into()));
        }
        if opened.from == 0 {
            if part.bytes() > 0 {
                self.count_restart()?;
                self.tell(Event::Restarted(part.bytes()));
            }
            if let (None, Some(size)) = (part.size.or(self.job.size), opened.size) {
                self.tell(Event::Sized {
                    name: &self.job.name,
                    size,
                });
            }
            part.begin(opened.size, opened.validator.clone())
                .await
                .map_err(disk)?;
        } else if part.size.is_none() {
            part.size = opened.size;
        } else if opened.size.is_some() && opened.size != part.size {
            self.restart(part).await?;
            return Ok(Step::Again);
        }
        if let Some(size) = opened.size {
            self.shared
                .check_space(size - part.bytes().min(size))
                .map_err(Trouble::Other)?;
        }
        if self.checksum.is_none() && self.shared.options.verify {
            self.checksum = opened.checksum.take().map(|c| (c, "the server"));
        }
        part.hash(self.checksum.as_ref().map(|(c, _)| c.algorithm))
            .await
            .map_err(disk)?;
        let size = part.size.or(expected);
        let mut pace = Pace::new(self.shared.options.slowest);
        let mut next = Some(bytes::Bytes::from(first));
        while let Some(bytes) = next.take() {
            if size.is_some_and(|size| part.bytes() + bytes.len() as u64 > size) {
                let text = format!(
                    "the server sends more than the {} bytes of the file",
                    size.unwrap_or(0)
                );
                return Err(Failure::wrong(&self.job.url, text).into());
            }
            self.received += bytes.len() as u64;
            part.put(&bytes).await.map_err(disk)?;
            part.tick().await.map_err(disk)?;
            self.tell(Event::Arrived(bytes.len() as u64));
            let asked = Instant::now();
            next = match opened.body.chunk().await {
                Ok(next) => next,
                Err(failure) => {
                    part.flush().await.map_err(disk)?;
                    return Err(failure.into());
                }
            };
            if let Some(rate) = pace.too_slow(asked.elapsed(), next.as_ref().map_or(0, |b| b.len() as u64)) {
                part.flush().await.map_err(disk)?;
                let text = format!("only {rate:.0} bytes a second came");
                return Err(Failure::new(&self.job.url, FailureKind::Cut(text)).into());
            }
        }
        match size {
            Some(size) if part.bytes() < size => {
                part.flush().await.map_err(disk)?;
                let text = format!("{} of {size} bytes came", part.bytes());
                Err(Failure::new(&self.job.url, FailureKind::Cut(text)).into())
            }
            _ => Ok(Step::Complete),
        }
    }

    fn judge(&mut self, head: &[u8]) -> Result<(), Trouble> {
        match format::check_head(&self.job.name, head) {
            Ok(format) => {
                (self.format, self.judged) = (format, true);
                Ok(())
            }
            Err(text) => {
                let failure = Failure::new(&self.job.url, FailureKind::NotTheFile(text));
                Err(Trouble::Other(failure.into()))
            }
        }
    }

    /// The first bytes of a file that came in an earlier run.
    async fn check_head_on_disk(&mut self, part: &mut Part) -> Result<(), Trouble> {
        let path = part.shown.clone();
        let disk = |e| Trouble::Disk(path.clone(), e);
        part.hash(self.checksum.as_ref().map(|(c, _)| c.algorithm))
            .await
            .map_err(disk)?;
        if !self.judged {
            let file = part.file().map_err(disk)?;
            let read = move || {
                let mut head = vec![0; format::HEAD];
                let n = std::os::unix::fs::FileExt::read_at(&*file, &mut head, 0)?;
                head.truncate(n);
                Ok::<_, io::Error>(head)
            };
            let head = spawn_blocking(read)
                .await
                .map_err(|e| disk(e.into()))?
                .map_err(disk)?;
            self.judge(&head)?;
        }
        Ok(())
    }

    fn count_restart(&mut self) -> Result<(), Trouble> {
        self.restarts += 1;
        if self.restarts > RESTARTS {
            let text = format!(
                "the file began anew {RESTARTS} times: the server cannot continue it, or it keeps changing"
            );
            return Err(Trouble::Other(Failure::wrong(&self.job.url, text).into()));
        }
        Ok(())
    }

    async fn restart(&mut self, part: &mut Part) -> Result<(), Trouble> {
        self.count_restart()?;
        self.tell(Event::Restarted(part.bytes()));
        self.judged = false;
        let path = part.shown.clone();
        part.begin(None, Default::default())
            .await
            .map_err(|e| Trouble::Disk(path, e))
    }

    /// Says of a refused signed address that its time is over.
    fn in_user_words(&self, mut failure: Failure) -> Failure {
        let signed = self.job.url.query_pairs().any(|(name, _)| {
            matches!(
                name.to_ascii_lowercase().as_str(),
                "x-amz-signature" | "signature" | "sig" | "x-goog-signature"
            )
        });
        if signed && matches!(failure.status(), Some(400 | 401 | 403)) {
            // A login does not help an address that carries its own.
            failure.advice =
                Some("the address is signed, and its time may be over: search again for a fresh one".into());
        }
        failure
    }
}

/// Enough bytes to judge a file by, or all that it has.
async fn head(body: &mut Body) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::new();
    while head.len() < format::HEAD
        && let Some(bytes) = body.chunk().await?
    {
        head.extend_from_slice(&bytes);
    }
    Ok(head)
}

enum Step {
    Complete,
    Again,
    Wait(Option<Duration>),
}

/// Watches for a server that keeps a connection alive with drops. Only the time spent waiting for the network counts.
struct Pace {
    /// (bytes a second, over this long).
    slowest: (f64, Duration),
    waited: Duration,
    bytes: u64,
}

impl Pace {
    fn new(slowest: (f64, Duration)) -> Pace {
        Pace {
            slowest,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// The rate of a window that was too slow.
    fn too_slow(&mut self, waited: Duration, bytes: u64) -> Option<f64> {
        self.waited += waited;
        self.bytes += bytes;
        if self.waited < self.slowest.1 {
            return None;
        }
        let rate = self.bytes as f64 / self.waited.as_secs_f64();
        (self.waited, self.bytes) = (Duration::ZERO, 0);
        (rate < self.slowest.0).then_some(rate)
    }
}
