//! What has arrived: an append-only file beside the files, which a killed process or a power cut leaves readable.
//!
//! One JSON record a line, each with a checksum of its own, so that a torn line is known and passed over. A record of a
//! block is written only after the block is on the disk (fdatasync): the ledger may know less than the disk holds,
//! never more.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use md5::Digest;
use serde::{Deserialize, Serialize};

use super::checksum::to_hex;
use super::source::Validator;
use crate::error::{Error, Result};
use crate::gate::Folder;

/// The folder for the ledger and unfinished files, in the folder of the files.
pub const FOLDER: &str = ".perilune";
const NAME: &str = "downloads.jsonl";

/// What is known of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Under way: the first `bytes` bytes are on the disk.
    Part {
        /// The address, less what signing adds ([`super::names::identity`]).
        source: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
        #[serde(default, skip_serializing_if = "Validator::is_empty")]
        validator: Validator,
        bytes: u64,
    },
    Done {
        source: String,
        bytes: u64,
        /// The time of the last change, in nanoseconds since 1970: a file that was changed since is not trusted.
        modified: i64,
        verified: bool,
        how: String,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    State(State),
    /// Bytes on the disk, of a part that was begun before.
    Bytes(u64),
    Forget,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    file: String,
    event: Event,
}

pub struct Ledger {
    /// The ledger's own folder, and that of the unfinished files in it.
    own: Folder,
    parts: Folder,
    inner: Mutex<Inner>,
    /// Held for as long as the ledger lives: another process is told to wait.
    _lock: File,
}

struct Inner {
    file: File,
    /// The last line may be torn: the next one starts anew.
    torn: bool,
    states: BTreeMap<String, State>,
}

impl Ledger {
    /// The ledger of the folder `root`, which is made where it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made or written, and when another process is downloading into it.
    pub fn open(root: &Path) -> Result<Ledger> {
        let own = Folder::make(root)?
            .enter_or_make(FOLDER.as_ref())
            .map_err(|e| Error::io(root.join(FOLDER), e))?
            .0;
        let parts = own
            .enter_or_make("parts".as_ref())
            .map_err(|e| Error::io(own.shown().join("parts"), e))?
            .0;
        let lock = lock(root, &own)?;
        let failed = |e| Error::io(own.shown().join(NAME), e);
        let mut states = BTreeMap::new();
        let mut torn = false;
        match own.open_own(NAME, File::options().read(true)) {
            Ok(file) => {
                let mut reader = BufReader::new(file);
                let mut line = Vec::new();
                while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
                    torn = line.last() != Some(&b'\n');
                    if let Some(record) = parse(&line) {
                        apply(&mut states, record);
                    }
                    line.clear();
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        let file = own
            .open_own(NAME, File::options().create(true).append(true))
            .map_err(failed)?;
        Ok(Ledger {
            own,
            parts,
            inner: Mutex::new(Inner { file, torn, states }),
            _lock: lock,
        })
    }

    /// Where the unfinished file of this name lies: a path through the open folder, for as long as the ledger lives.
    pub fn part_path(&self, name: &str) -> PathBuf {
        self.parts.path().join(part_name(name))
    }

    /// The same for errors.
    pub fn part_shown(&self, name: &str) -> PathBuf {
        self.parts.shown().join(part_name(name))
    }

    /// # Errors
    /// When it cannot be made, or something of its name is not the ledger's own.
    pub fn open_part(&self, name: &str) -> io::Result<File> {
        let mut options = File::options();
        options.create(true).truncate(false).read(true).write(true);
        self.parts.open_own(&part_name(name), &mut options)
    }

    pub fn state(&self, name: &str) -> Option<State> {
        self.inner().states.get(name).cloned()
    }

    /// `durable`: before the record is on the disk, nothing may happen that it speaks of.
    pub fn set(&self, name: &str, state: State, durable: bool) -> io::Result<()> {
        self.append(name, Event::State(state), durable)
    }

    pub fn arrived(&self, name: &str, bytes: u64) -> io::Result<()> {
        self.append(name, Event::Bytes(bytes), false)
    }

    pub fn forget(&self, name: &str) -> io::Result<()> {
        self.append(name, Event::Forget, true)
    }

    fn append(&self, name: &str, event: Event, durable: bool) -> io::Result<()> {
        let record = Record {
            file: name.to_string(),
            event,
        };
        let mut line = render(&record)?;
        let mut inner = self.inner();
        if inner.torn {
            line.insert(0, '\n');
        }
        inner.torn = true;
        inner.file.write_all(line.as_bytes())?;
        inner.torn = false;
        if durable {
            inner.file.sync_data()?;
        }
        apply(&mut inner.states, record);
        Ok(())
    }

    /// Writes the ledger anew with one line a file, and removes unfinished files that it does not know.
    ///
    /// # Errors
    /// When the folder cannot be written; the old ledger stays.
    pub fn compact(&self) -> Result<()> {
        let path = self.own.shown().join(NAME);
        let mut inner = self.inner();
        crate::files::write_atomically(&path, |out| {
            for (name, state) in &inner.states {
                let record = Record {
                    file: name.clone(),
                    event: Event::State(state.clone()),
                };
                out.write_all(render(&record)?.as_bytes())?;
            }
            Ok(())
        })?;
        inner.file = self
            .own
            .open_own(NAME, File::options().append(true))
            .map_err(|e| Error::io(self.own.shown().join(NAME), e))?;
        inner.torn = false;
        let known: Vec<String> = inner
            .states
            .iter()
            .filter(|(_, state)| matches!(state, State::Part { .. }))
            .map(|(name, _)| part_name(name))
            .collect();
        for entry in fs::read_dir(self.parts.path()).into_iter().flatten().flatten() {
            if !known.iter().any(|name| entry.file_name() == name.as_str()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn part_name(name: &str) -> String {
    let digest = to_hex(&sha2::Sha256::digest(name.as_bytes()));
    let last: String = name.rsplit('/').next().unwrap_or(name).chars().take(40).collect();
    format!("{}-{last}", &digest[..16])
}

fn lock(root: &Path, own: &Folder) -> Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    let mut file = own
        .open_own("lock", &mut options)
        .map_err(|e| Error::io(root, e))?;
    // A transfer of this process that was interrupted lets go within moments.
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if started.elapsed() < Duration::from_secs(1) => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = match holder.trim() {
                    "" => String::new(),
                    id => format!(" (process {id})"),
                };
                return Err(Error::file(
                    root,
                    format!(
                        "another download into this folder is under way{holder}; wait for it, or choose another folder"
                    ),
                ));
            }
            // File systems without locks exist; they are used at the user's own care.
            Err(TryLockError::Error(_)) => break,
        }
    }
    let _ = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}

fn render(record: &Record) -> io::Result<String> {
    let mut text = serde_json::to_string(record)?;
    let sum = checksum(&text);
    text.pop();
    Ok(format!("{text},\"sum\":\"{sum}\"}}\n"))
}

pub(crate) fn parse(line: &[u8]) -> Option<Record> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let (text, sum) = line.strip_suffix("\"}")?.rsplit_once(",\"sum\":\"")?;
    let text = format!("{text}}}");
    if checksum(&text) != sum {
        return None;
    }
    serde_json::from_str(&text).ok()
}

fn checksum(text: &str) -> String {
    to_hex(&sha2::Sha256::digest(text.as_bytes())[..8])
}

fn apply(states: &mut BTreeMap<String, State>, record: Record) {
    match record.event {
        Event::State(state) => {
            states.insert(record.file, state);
        }
        Event::Bytes(arrived) => {
            if let Some(State::Part { bytes, .. }) = states.get_mut(&record.file) {
                *bytes = arrived;
            }
        }
        Event::Forget => {
            states.remove(&record.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(bytes: u64) -> State {
        State::Part {
            source: "https://h/a".into(),
            size: Some(100),
            validator: Validator::default(),
            bytes,
        }
    }

    /// Cut at every byte: what is read is a state that was once written, never a mixture.
    #[test]
    fn a_torn_ledger_is_an_earlier_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FOLDER).join(NAME);
        let ledger = Ledger::open(folder.path()).unwrap();
        ledger.set("a", part(0), false).unwrap();
        for bytes in [10, 20, 30] {
            ledger.arrived("a", bytes).unwrap();
        }
        drop(ledger);
        let whole = fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let ledger = Ledger::open(folder.path()).unwrap();
            let lines = whole[..cut].iter().filter(|b| **b == b'\n').count();
            // A record that lacks nothing but the end of its line counts.
            let whole_lines = lines + usize::from(whole.get(cut) == Some(&b'\n'));
            let expected = [None, Some(0), Some(10), Some(20), Some(30)][whole_lines.min(4)];
            assert_eq!(ledger.state("a"), expected.map(part), "cut at {cut}");
            ledger.arrived("a", 99).unwrap();
            drop(ledger);
            let again = Ledger::open(folder.path()).unwrap().state("a");
            assert_eq!(again, expected.map(|_| part(99)), "after a cut at {cut}");
        }
    }

    #[test]
    fn garbled_lines_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FOLDER).join(NAME);
        let ledger = Ledger::open(folder.path()).unwrap();
        ledger.set("a", part(5), false).unwrap();
        ledger.set("b", part(6), false).unwrap();
        drop(ledger);
        let text = fs::read_to_string(&path)
            .unwrap()
            .replacen("\"bytes\":5", "\"bytes\":7", 1);
        fs::write(&path, text).unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        assert_eq!(ledger.state("a"), None);
        assert_eq!(ledger.state("b"), Some(part(6)));
    }

    #[test]
    fn compacting_keeps_states_and_removes_what_nobody_knows() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        for i in 0..50 {
            ledger.set("a/b.tif", part(i), false).unwrap();
        }
        ledger.set("gone", part(0), false).unwrap();
        ledger.forget("gone").unwrap();
        fs::write(ledger.part_path("a/b.tif"), b"x").unwrap();
        fs::write(ledger.part_path("gone"), b"x").unwrap();
        ledger.compact().unwrap();
        ledger.arrived("a/b.tif", 77).unwrap();
        assert!(ledger.part_path("a/b.tif").exists() && !ledger.part_path("gone").exists());
        drop(ledger);
        let text = fs::read_to_string(folder.path().join(FOLDER).join(NAME)).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert_eq!(
            Ledger::open(folder.path()).unwrap().state("a/b.tif"),
            Some(part(77))
        );
    }

    #[test]
    fn two_at_once_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Ledger::open(folder.path()).unwrap();
        let error = match Ledger::open(folder.path()) {
            Ok(_) => panic!("two ledgers of one folder"),
            Err(error) => error.to_string(),
        };
        assert!(
            error.contains("under way") && error.contains(&std::process::id().to_string()),
            "{error}"
        );
    }
}
