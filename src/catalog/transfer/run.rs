//! The whole download: who is fetched when, what happens to failures, and what is reported.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinSet, spawn_blocking};

use super::fetch::{Arrived, Fetch, Trouble};
use super::ledger::Ledger;
use super::progress::{Event, Observer};
use super::report::{Report, Row, Status};
use super::settle::{self, Present, Settled};
use super::source::Sources;
use super::wanted::Job;
use crate::bytes::http::redacted;
use crate::error::{Error, Result, free_space, shown_bytes};
use crate::gate::Folder;

#[derive(Debug, Clone)]
pub struct DownloadOptions {
    pub dir: PathBuf,
    /// Files fetched at once from one host, and from all.
    pub per_host: usize,
    pub at_once: usize,
    /// Fetch also what is there already, in its place.
    pub overwrite: bool,
    /// Hold the published size and checksum against what comes.
    pub verify: bool,
    /// How long to wait for a server that is still making a file.
    pub patience: Duration,
    /// Bytes between two records of the ledger: what a killed run may have to fetch again of each file.
    pub record_after: u64,
    /// (bytes a second, over this long) under which a connection is given up and made anew.
    pub slowest: (f64, Duration),
    /// Tries of a connection that breaks in the middle of a file without bringing it forward, and the first wait between.
    pub attempts: usize,
    pub shortest_wait: Duration,
}

impl DownloadOptions {
    pub fn new(dir: impl Into<PathBuf>) -> DownloadOptions {
        DownloadOptions {
            dir: dir.into(),
            per_host: 4,
            at_once: 16,
            overwrite: false,
            verify: true,
            patience: Duration::from_secs(3600),
            record_after: 8 << 20,
            slowest: (1024.0, Duration::from_secs(60)),
            attempts: 6,
            shortest_wait: Duration::from_millis(500),
        }
    }
}

/// What all files of one download share.
pub struct Shared {
    pub options: DownloadOptions,
    pub sources: Sources,
    pub ledger: Arc<Ledger>,
    pub observer: Arc<dyn Observer>,
    root: PathBuf,
    queue: Mutex<Queue>,
    /// Told when a host has room again.
    room: Notify,
    /// Files whose last bytes are being synced.
    ends: Arc<Semaphore>,
    changed: Mutex<BTreeSet<PathBuf>>,
}

#[derive(Default)]
struct Queue {
    /// Files that wait, by host, and how many of the host are under way.
    hosts: BTreeMap<String, (VecDeque<usize>, usize)>,
    /// The host that was served last: they take turns.
    last: String,
    /// Why nothing more is begun at all, and from single hosts.
    stopped: Option<String>,
    refused: BTreeMap<String, String>,
}

enum Next {
    Job(usize),
    Wait,
    End,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Next {
        let mut queue = self.queue();
        let most = self.options.per_host;
        let free = |(_, (waiting, under_way)): &(&String, &(VecDeque<usize>, usize))| {
            !waiting.is_empty() && *under_way < most
        };
        let name = queue
            .hosts
            .range::<str, _>((
                std::ops::Bound::Excluded(queue.last.as_str()),
                std::ops::Bound::Unbounded,
            ))
            .find(free)
            .or_else(|| queue.hosts.iter().find(free))
            .map(|(name, _)| name.clone());
        if let Some(name) = name
            && let Some((waiting, under_way)) = queue.hosts.get_mut(&name)
            && let Some(index) = waiting.pop_front()
        {
            *under_way += 1;
            queue.last = name;
            return Next::Job(index);
        }
        match queue.hosts.values().any(|(waiting, _)| !waiting.is_empty()) {
            true => Next::Wait,
            false => Next::End,
        }
    }

    /// A file of `host` has left the network.
    fn leave(&self, host: &str) {
        if let Some((_, under_way)) = self.queue().hosts.get_mut(host) {
            *under_way = under_way.saturating_sub(1);
        }
        self.room.notify_waiters();
    }

    /// Why nothing more is to be begun from `host`.
    fn halted(&self, host: &str) -> Option<String> {
        let queue = self.queue();
        queue.stopped.clone().or_else(|| queue.refused.get(host).cloned())
    }

    /// Makes `folder`, which lies below the root, and opens it.
    ///
    /// # Errors
    /// When it cannot be made, or a link is on the way.
    pub fn make_folder(&self, folder: &Path) -> Result<Folder> {
        let below = folder.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let mut at = Folder::open(&self.root)?;
        for part in below.components() {
            let (next, made) = at
                .enter_or_make(part.as_os_str())
                .map_err(|e| Error::io(at.shown().join(part), e))?;
            if made {
                self.changed().insert(at.shown().to_path_buf());
            }
            at = next;
        }
        self.changed().insert(at.shown().to_path_buf());
        Ok(at)
    }

    fn changed(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// When the disk has not room for `bytes` more bytes.
    pub fn check_space(&self, bytes: u64) -> Result<()> {
        let Some(free) = free_space(&self.root) else {
            return Ok(());
        };
        if bytes <= free {
            return Ok(());
        }
        Err(Error::file(
            &self.root,
            format!(
                "the disk has {} free, and {} are still to come: {} are missing; make room, or choose another folder",
                shown_bytes(free),
                shown_bytes(bytes),
                shown_bytes(bytes - free)
            ),
        ))
    }
}

/// Fetches the files of `jobs` into the folder of `options`. A file that fails does not stop the others.
///
/// # Errors
/// When the folder cannot be used at all, or the disk has not room enough. Failures of files are in the report.
pub async fn download(
    sources: Sources,
    jobs: Vec<Job>,
    options: DownloadOptions,
    observer: Arc<dyn Observer>,
) -> Result<Report> {
    let started = Instant::now();
    let root = Folder::make(&options.dir)?.shown().to_path_buf();
    let ledger = Arc::new(Ledger::open(&root)?);
    let mut queue = Queue::default();
    for (index, job) in jobs.iter().enumerate() {
        sources.of(&job.url)?;
        queue.hosts.entry(host(job)).or_default().0.push_back(index);
    }
    let workers = options.at_once.max(1).min(jobs.len().max(1));
    let shared = Arc::new(Shared {
        ends: Arc::new(Semaphore::new(2 * workers)),
        options,
        sources,
        ledger,
        observer,
        root,
        queue: Mutex::new(queue),
        room: Notify::new(),
        changed: Mutex::default(),
    });
    let missing: u64 = jobs.iter().map(|job| still_to_come(&shared, job)).sum();
    shared.check_space(missing)?;
    shared
        .observer
        .planned(jobs.len(), jobs.iter().filter_map(|job| job.size).sum());
    let jobs: Arc<Vec<Job>> = Arc::new(jobs);
    let rows: Arc<Mutex<Vec<Option<Row>>>> = Arc::new(Mutex::new(vec![None; jobs.len()]));
    // Dropping the set, when the user interrupts, drops every connection.
    let mut set = JoinSet::new();
    for _ in 0..workers {
        set.spawn(work(shared.clone(), jobs.clone(), rows.clone()));
    }
    while let Some(ended) = set.join_next().await {
        ended.map_err(|e| Error::message(format!("a transfer ended by a fault of the program: {e}")))?;
    }
    for folder in std::mem::take(&mut *shared.changed()) {
        // Renames are durable once their folder is; a file system that cannot sync folders has the files all the same.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    // On a full disk the ledger stays as it is, which is as good.
    let _ = shared.ledger.compact();
    let rows = std::mem::take(&mut *rows.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Report {
        rows: rows.into_iter().flatten().collect(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Bytes of `job` that are known to be still missing here.
fn still_to_come(shared: &Shared, job: &Job) -> u64 {
    let Some(size) = job.size else { return 0 };
    if fs::metadata(shared.root.join(&job.name)).is_ok_and(|meta| meta.len() == size) {
        return 0;
    }
    match shared.ledger.state(&job.name) {
        Some(super::ledger::State::Part { bytes, .. }) => size.saturating_sub(bytes),
        _ => size,
    }
}

fn host(job: &Job) -> String {
    format!(
        "{}:{}",
        job.url.host_str().unwrap_or(""),
        job.url.port_or_known_default().unwrap_or(0)
    )
}

/// One of the workers: takes files until none is left. A file whose bytes are here is checked and synced beside the next.
async fn work(shared: Arc<Shared>, jobs: Arc<Vec<Job>>, rows: Arc<Mutex<Vec<Option<Row>>>>) {
    let mut ends = JoinSet::new();
    loop {
        let notified = shared.room.notified();
        tokio::pin!(notified);
        // From here on: what happens between the look and the wait is not missed.
        notified.as_mut().enable();
        let index = match shared.next() {
            Next::Job(index) => index,
            Next::Wait => {
                notified.await;
                continue;
            }
            Next::End => break,
        };
        let one = One {
            shared: shared.clone(),
            jobs: jobs.clone(),
            rows: rows.clone(),
            index,
        };
        if let Some(arrived) = one.network().await
            && let Ok(permit) = shared.ends.clone().acquire_owned().await
        {
            ends.spawn(async move {
                one.end(arrived).await;
                drop(permit);
            });
            while ends.try_join_next().is_some() {}
        }
    }
    while ends.join_next().await.is_some() {}
}

/// One file in the hands of a worker.
struct One {
    shared: Arc<Shared>,
    jobs: Arc<Vec<Job>>,
    rows: Arc<Mutex<Vec<Option<Row>>>>,
    index: usize,
}

impl One {
    fn job(&self) -> &Job {
        &self.jobs[self.index]
    }

    fn target(&self) -> PathBuf {
        self.shared.root.join(&self.job().name)
    }

    /// All of a file that needs the network; what remains is local.
    async fn network(&self) -> Option<Arrived> {
        let host = host(self.job());
        let arrived = self.bring(&host).await;
        self.shared.leave(&host);
        arrived
    }

    async fn bring(&self, host: &str) -> Option<Arrived> {
        if !self.shared.options.overwrite && self.is_there().await {
            return None;
        }
        if let Some(reason) = self.shared.halted(host) {
            self.failed(0, format!("not begun: {reason}"));
            return None;
        }
        let mut fetch = Fetch::new(&self.shared, self.job(), self.index);
        match fetch.run().await {
            Ok(arrived) => Some(arrived),
            Err(trouble) => {
                self.troubled(fetch.received, trouble);
                None
            }
        }
    }

    /// Looks for the file; true where its row is written.
    async fn is_there(&self) -> bool {
        let (shared, jobs, index, target) =
            (self.shared.clone(), self.jobs.clone(), self.index, self.target());
        let look = move || settle::present(&shared, &jobs[index], &target);
        let found = match spawn_blocking(look).await {
            Ok(Ok(found)) => found,
            Ok(Err(e)) => {
                self.failed(0, Error::io(self.target(), e).to_string());
                return true;
            }
            Err(e) => {
                self.failed(0, e.to_string());
                return true;
            }
        };
        let found = match found {
            Present::Unknown(bytes) => match self.size_at_server().await {
                Ok(Some(size)) if size == bytes => Present::Yes {
                    bytes,
                    verified: false,
                    how: "size".into(),
                },
                Ok(Some(size)) => Present::Other(format!(
                    "the file that is there has {bytes} bytes, the server's has {size}"
                )),
                Ok(None) => Present::Other("nothing tells whether the file that is there is complete".into()),
                Err(trouble) => {
                    self.troubled(0, trouble);
                    return true;
                }
            },
            other => other,
        };
        match found {
            Present::No | Present::Unknown(_) => false,
            Present::Other(text) => {
                self.failed(
                    0,
                    format!("{text}; move it away, or fetch it anew with `overwrite = true`"),
                );
                true
            }
            Present::Yes { bytes, verified, how } => {
                self.shared.observer.tell(self.index, Event::Present(bytes));
                self.write(Row {
                    bytes: Some(bytes),
                    status: Status::Present,
                    verified,
                    how,
                    ..self.row(0)
                });
                true
            }
        }
    }

    async fn size_at_server(&self) -> Result<Option<u64>, Trouble> {
        let source = self.shared.sources.of(&self.job().url).map_err(Trouble::Other)?;
        let url = match &self.shared.sources.signer {
            Some(signer) => signer.sign(&self.job().url, false).await?,
            None => self.job().url.clone(),
        };
        Ok(source.probe(&url).await?)
    }

    /// Checks, syncs and names what has arrived; what is wrong is fetched once more.
    async fn end(&self, arrived: Arrived) {
        let mut arrived = arrived;
        let mut again = false;
        loop {
            let (received, bytes) = (arrived.received, arrived.part.bytes());
            let (shared, jobs, index, target) =
                (self.shared.clone(), self.jobs.clone(), self.index, self.target());
            let settle = move || settle::settle(&shared, &jobs[index], &arrived, &target);
            let differs = match spawn_blocking(settle).await {
                Ok(Ok((bytes, verified, how))) => {
                    self.write(Row {
                        bytes: Some(bytes),
                        status: Status::Fetched,
                        verified,
                        how,
                        ..self.row(received)
                    });
                    return;
                }
                Ok(Err(Settled::Trouble(trouble))) => return self.troubled(received, trouble),
                Ok(Err(Settled::Differs(text))) => text,
                Err(e) => return self.failed(received, e.to_string()),
            };
            settle::discard(&self.shared, self.job());
            if again {
                return self.failed(
                    received,
                    format!(
                        "{}: {differs}, twice; nothing of it was kept",
                        redacted(&self.job().url)
                    ),
                );
            }
            again = true;
            self.shared.observer.tell(self.index, Event::Restarted(bytes));
            let mut fetch = Fetch::new(&self.shared, self.job(), self.index);
            match fetch.run().await {
                Ok(mut next) => {
                    next.received += received;
                    arrived = next;
                }
                Err(trouble) => return self.troubled(received + fetch.received, trouble),
            }
        }
    }

    fn troubled(&self, received: u64, trouble: Trouble) {
        match &trouble {
            Trouble::Disk(_, e) if is_everybodys(e) => {
                let reason = format!("{}: {e}", self.shared.options.dir.display());
                self.shared.queue().stopped.get_or_insert(reason);
            }
            // A login that is refused is not tried again for every file: archives lock accounts for that.
            Trouble::Request(failure) if failure.status() == Some(401) => {
                let reason = format!(
                    "{} refused the login for {}",
                    self.job().url.host_str().unwrap_or(""),
                    self.job().name
                );
                self.shared
                    .queue()
                    .refused
                    .entry(host(self.job()))
                    .or_insert(reason);
            }
            _ => {}
        }
        self.failed(received, Error::from(trouble).to_string());
    }

    fn failed(&self, received: u64, error: String) {
        self.write(Row {
            error: Some(error),
            ..self.row(received)
        });
    }

    fn row(&self, received: u64) -> Row {
        let job = self.job();
        Row {
            name: job.name.clone(),
            path: self.shared.options.dir.join(&job.name),
            url: redacted(&job.url),
            bytes: None,
            received,
            status: Status::Failed,
            verified: false,
            how: String::new(),
            error: None,
        }
    }

    fn write(&self, row: Row) {
        let failed = row.status == Status::Failed;
        if let Some(place) = self
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(self.index)
        {
            *place = Some(row);
        }
        self.shared.observer.tell(self.index, Event::Ended { failed });
    }
}

/// True where the next file would fail as well: a full disk, one that cannot be written, a quota.
fn is_everybodys(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::PermissionDenied
    )
}
