//! A file on its way in: blocks are written and hashed beside the network, and recorded once they are on the disk.

use std::fs::File;
use std::io::{self, Seek};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, spawn_blocking};

use super::checksum::{Algorithm, Checksum, Hasher};
use super::ledger::{Ledger, State};
use super::source::Validator;

/// The most bytes that are written at once. Smaller where records come more often.
const LARGEST_BLOCK: u64 = 1 << 20;
/// Bytes that arrive slowly are recorded this often.
const RECORD_EVERY: Duration = Duration::from_secs(3);

/// What the writer gives back: the disk, the buffer, and whether it worked.
type Written = (Disk, Vec<u8>, io::Result<()>);

pub struct Part {
    pub name: String,
    /// Through the ledger's open folder.
    pub path: PathBuf,
    /// The same for errors.
    pub shown: PathBuf,
    pub source: String,
    pub size: Option<u64>,
    pub validator: Validator,
    ledger: Arc<Ledger>,
    /// The most bytes that a killed run has to fetch again: those that are filling a block, being written, or not recorded.
    record_after: u64,
    block: usize,
    /// With the writer while a block is being written.
    disk: Option<Disk>,
    writing: Option<JoinHandle<Written>>,
    filling: Vec<u8>,
    spare: Vec<u8>,
    /// Bytes taken in, those that wait to be written included.
    taken: u64,
    syncing: Option<JoinHandle<io::Result<()>>>,
    sync_asked: u64,
    sync_at: Instant,
}

struct Disk {
    file: Arc<File>,
    written: u64,
    hasher: Option<Hasher>,
}

impl Disk {
    fn write(&mut self, block: &[u8]) -> io::Result<()> {
        self.file.write_all_at(block, self.written)?;
        self.written += block.len() as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(block);
        }
        Ok(())
    }
}

impl Part {
    /// The part of `name`, continued where the ledger knows one of the same source, else empty.
    pub async fn open(ledger: Arc<Ledger>, name: &str, source: &str, record_after: u64) -> io::Result<Part> {
        let (path, shown) = (ledger.part_path(name), ledger.part_shown(name));
        let (name, source) = (name.to_string(), source.to_string());
        let open = move || -> io::Result<Part> {
            let file = ledger.open_part(&name)?;
            let length = file.metadata()?.len();
            let known = match ledger.state(&name) {
                Some(State::Part {
                    source: known,
                    size,
                    validator,
                    bytes,
                }) if known == source && bytes <= length => Some((size, validator, bytes)),
                _ => None,
            };
            let (size, validator, bytes) = known.unwrap_or_default();
            // What lies behind the last record may never have reached the disk.
            file.set_len(bytes)?;
            Ok(Part {
                name,
                path,
                shown,
                source,
                size,
                validator,
                ledger,
                record_after,
                block: usize::try_from((record_after / 8).clamp(4096, LARGEST_BLOCK)).unwrap_or(1 << 20),
                disk: Some(Disk {
                    file: Arc::new(file),
                    written: bytes,
                    hasher: None,
                }),
                writing: None,
                filling: Vec::new(),
                spare: Vec::new(),
                taken: bytes,
                syncing: None,
                sync_asked: bytes,
                sync_at: Instant::now(),
            })
        };
        spawn_blocking(open).await?
    }

    /// Bytes that have arrived.
    pub fn bytes(&self) -> u64 {
        self.taken
    }

    /// Begins anew at byte 0 with another version of the file.
    pub async fn begin(&mut self, size: Option<u64>, validator: Validator) -> io::Result<()> {
        self.settle().await?;
        // A sync of the old version must not speak after the new one has begun.
        self.await_sync().await?;
        self.filling.clear();
        (self.size, self.validator) = (size, validator.clone());
        let state = State::Part {
            source: self.source.clone(),
            size,
            validator,
            bytes: 0,
        };
        let replaces = self.taken > 0
            || matches!(
                self.ledger.state(&self.name),
                Some(State::Part { bytes: 1.., .. })
            );
        (self.taken, self.sync_asked, self.sync_at) = (0, 0, Instant::now());
        let Some(mut disk) = self.disk.take() else {
            return Err(lost());
        };
        let (ledger, name) = (self.ledger.clone(), self.name.clone());
        let begin = move || {
            let result = ledger
                .set(&name, state, replaces)
                .and_then(|()| disk.file.set_len(0));
            (disk.written, disk.hasher) = (0, None);
            (disk, result)
        };
        let (disk, result) = spawn_blocking(begin).await?;
        self.disk = Some(disk);
        result
    }

    /// Prepares for a checksum: what is there already is read again, unless it was hashed as it came.
    pub async fn hash(&mut self, algorithm: Option<Algorithm>) -> io::Result<()> {
        self.flush().await?;
        let Some(mut disk) = self.disk.take() else {
            return Err(lost());
        };
        if disk.hasher.as_ref().map(Hasher::algorithm) == algorithm {
            self.disk = Some(disk);
            return Ok(());
        }
        let read = move || {
            disk.hasher = algorithm.map(Hasher::new);
            let result = match &mut disk.hasher {
                Some(hasher) if disk.written > 0 => (|| {
                    let mut file = disk.file.try_clone()?;
                    file.rewind()?;
                    hasher.read(&mut file, disk.written)
                })(),
                _ => Ok(()),
            };
            (disk, result)
        };
        let (disk, result) = spawn_blocking(read).await?;
        self.disk = Some(disk);
        result
    }

    pub async fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = self.block - self.filling.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.filling.extend_from_slice(now);
            self.taken += now.len() as u64;
            bytes = later;
            if self.filling.len() == self.block {
                self.hand_over().await?;
            }
        }
        Ok(())
    }

    /// Writes all that has come.
    pub async fn flush(&mut self) -> io::Result<()> {
        if !self.filling.is_empty() {
            self.hand_over().await?;
        }
        self.settle().await
    }

    /// Writes and records all that has come, so that a later run can go on from here.
    pub async fn keep(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.await_sync().await?;
        if self.taken > self.sync_asked {
            self.sync_to(self.taken)?;
        }
        self.await_sync().await
    }

    /// Starts to write the full block while the next one fills.
    async fn hand_over(&mut self) -> io::Result<()> {
        self.settle().await?;
        let written = self.disk.as_ref().map_or(0, |disk| disk.written);
        self.record_if_due(written).await?;
        let Some(mut disk) = self.disk.take() else {
            return Err(lost());
        };
        let block = std::mem::replace(&mut self.filling, std::mem::take(&mut self.spare));
        self.writing = Some(spawn_blocking(move || {
            let result = disk.write(&block);
            (disk, block, result)
        }));
        Ok(())
    }

    /// Waits for the block that is being written.
    async fn settle(&mut self) -> io::Result<()> {
        if let Some(writing) = self.writing.take() {
            let (disk, mut block, result) = writing.await?;
            block.clear();
            self.spare = block;
            if result.is_err() {
                // What could not be written has not arrived.
                self.taken = disk.written;
                self.filling.clear();
            }
            self.disk = Some(disk);
            result?;
        }
        Ok(())
    }

    async fn record_if_due(&mut self, written: u64) -> io::Result<()> {
        let bytes = written - self.sync_asked.min(written);
        let due = bytes >= self.record_after / 4 * 3 || (bytes > 0 && self.sync_at.elapsed() >= RECORD_EVERY);
        let free = self.syncing.as_ref().is_none_or(JoinHandle::is_finished);
        // A disk that lags by many records holds the network back: what is not recorded might have to come again.
        if due && (free || bytes >= 4 * self.record_after) {
            self.await_sync().await?;
            self.sync_to(written)?;
        }
        Ok(())
    }

    /// Called when time has passed without a full block: a slow server's bytes are recorded too.
    pub async fn tick(&mut self) -> io::Result<()> {
        if self.taken > self.sync_asked && self.sync_at.elapsed() >= RECORD_EVERY {
            self.flush().await?;
            self.record_if_due(self.taken).await?;
        }
        Ok(())
    }

    /// Starts to sync what is written; called while no block is being written.
    fn sync_to(&mut self, written: u64) -> io::Result<()> {
        let file = self.file()?;
        (self.sync_asked, self.sync_at) = (written, Instant::now());
        let (ledger, name) = (self.ledger.clone(), self.name.clone());
        self.syncing = Some(spawn_blocking(move || {
            file.sync_data()?;
            ledger.arrived(&name, written)
        }));
        Ok(())
    }

    async fn await_sync(&mut self) -> io::Result<()> {
        match self.syncing.take() {
            Some(syncing) => syncing.await?,
            None => Ok(()),
        }
    }

    /// All bytes are here: writes the last of them and gives the checksum, if one was asked for. Syncing is left to the caller.
    pub async fn end(&mut self) -> io::Result<Option<Checksum>> {
        self.flush().await?;
        self.await_sync().await?;
        (self.filling, self.spare) = (Vec::new(), Vec::new());
        match &mut self.disk {
            Some(disk) => Ok(disk.hasher.take().map(Hasher::finish)),
            None => Err(lost()),
        }
    }

    /// The open file, after `end`.
    pub fn file(&self) -> io::Result<Arc<File>> {
        self.disk.as_ref().map(|disk| disk.file.clone()).ok_or_else(lost)
    }
}

/// A writer that panicked took the file with it.
fn lost() -> io::Error {
    io::Error::other("the writer of this file has ended")
}
