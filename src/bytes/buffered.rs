//! An open file with a place in it and a buffer: GDAL reads and writes some formats a few bytes at a time. It takes whatever is written:
//! what the disk does not take is kept beside it, so that the file reads as if it had.

use std::fs::File;
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::lost::Lost;
use crate::files::failed;

/// Larger pieces go past the buffer.
const BUFFER: usize = 32 << 10;

pub struct Buffered {
    pub name: PathBuf,
    file: File,
    position: u64,
    /// Every write goes to the end.
    appends: bool,
    /// Bytes of the file from `start` on; they still have to be written where `dirty`.
    buffer: Vec<u8>,
    start: u64,
    dirty: bool,
    /// The last read met the end, and the place has not been set since.
    pub ended: bool,
    /// What the file would be, once a write has failed: nothing more of it is written.
    lost: Option<Lost>,
}

impl Buffered {
    pub fn new(name: PathBuf, file: File, appends: bool) -> Buffered {
        Buffered {
            name,
            file,
            position: 0,
            appends,
            buffer: Vec::new(),
            start: 0,
            dirty: false,
            ended: false,
            lost: None,
        }
    }

    /// A file that the disk has nothing of; `empty` stands for it.
    pub fn lost(name: PathBuf, empty: File) -> Buffered {
        let lost = Some(Lost::new(&empty));
        Buffered {
            lost,
            ..Buffered::new(name, empty, false)
        }
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn set_position(&mut self, position: u64) {
        self.position = position;
        self.ended = false;
    }

    /// With what is still in the buffer.
    pub fn length(&self) -> io::Result<u64> {
        let length = match &self.lost {
            Some(lost) => lost.length(),
            None => self.file.metadata()?.len(),
        };
        let end = self.start + self.buffer.len() as u64;
        Ok(if self.dirty { length.max(end) } else { length })
    }

    /// Fills `out` as far as the file goes, and answers how far that was.
    pub fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.flush();
        self.ended = false;
        let mut done = 0;
        while done < out.len() {
            let rest = &mut out[done..];
            let inside = self
                .position
                .checked_sub(self.start)
                .and_then(|offset| usize::try_from(offset).ok())
                .filter(|offset| *offset < self.buffer.len());
            let taken = if let Some(offset) = inside {
                let held = &self.buffer[offset..];
                let taken = held.len().min(rest.len());
                rest[..taken].copy_from_slice(&held[..taken]);
                taken
            } else if rest.len() >= BUFFER {
                self.read_at(rest, self.position)?
            } else {
                self.start = self.position;
                let mut buffer = std::mem::take(&mut self.buffer);
                buffer.resize(BUFFER, 0);
                let filled = self.read_at(&mut buffer, self.position)?;
                buffer.truncate(filled);
                self.buffer = buffer;
                if filled > 0 {
                    continue;
                }
                0
            };
            if taken == 0 {
                self.ended = true;
                break;
            }
            self.position += taken as u64;
            done += taken;
        }
        Ok(done)
    }

    fn read_at(&self, out: &mut [u8], position: u64) -> io::Result<usize> {
        match &self.lost {
            Some(lost) => lost.read(&self.file, out, position),
            None => read_at(&self.file, out, position),
        }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.appends {
            self.position = self.length()?;
        }
        let follows = self.dirty && self.position == self.start + self.buffer.len() as u64;
        if !follows || self.buffer.len() + bytes.len() > BUFFER {
            self.flush();
            self.buffer.clear();
            self.start = self.position;
        }
        if bytes.len() >= BUFFER {
            self.put(bytes, self.position);
            self.start = 0;
        } else {
            self.buffer.extend_from_slice(bytes);
            self.dirty = true;
        }
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Writes what is in the buffer.
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.dirty) {
            let buffer = std::mem::take(&mut self.buffer);
            self.put(&buffer, self.start);
        }
    }

    fn put(&mut self, bytes: &[u8], position: u64) {
        if self.lost.is_none()
            && let Err(error) = self.file.write_all_at(bytes, position)
        {
            self.lose(&error);
        }
        if let Some(lost) = &mut self.lost {
            lost.write(&self.file, bytes, position);
        }
    }

    pub fn truncate(&mut self, length: u64) {
        self.flush();
        self.buffer.clear();
        if self.lost.is_none()
            && let Err(error) = self.file.set_len(length)
        {
            self.lose(&error);
        }
        if let Some(lost) = &mut self.lost {
            lost.truncate(length);
        }
    }

    fn lose(&mut self, error: &io::Error) {
        failed::remember(&self.name, error);
        self.lost = Some(Lost::new(&self.file));
    }

    /// Some file systems tell only here that a write has failed.
    pub fn close(mut self) {
        self.flush();
        let descriptor = self.file.into_raw_fd();
        // SAFETY: the descriptor is open and was given up by the file just now.
        if unsafe { libc::close(descriptor) } != 0 {
            failed::remember(&self.name, &io::Error::last_os_error());
        }
    }
}

/// As much of `out` as the file has from `position` on.
pub(super) fn read_at(file: &File, out: &mut [u8], position: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < out.len() {
        match file.read_at(&mut out[done..], position + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Seek(u64),
        Read(usize),
        Write(Vec<u8>),
        Truncate(u64),
        Flush,
    }

    fn step() -> impl Strategy<Value = Step> {
        let size = prop_oneof![0..50usize, BUFFER - 2..BUFFER + 2, 0..3 * BUFFER];
        let place = prop_oneof![0..100u64, 0..4 * BUFFER as u64];
        prop_oneof![
            place.clone().prop_map(Step::Seek),
            size.clone().prop_map(Step::Read),
            (size, any::<u8>())
                .prop_map(|(n, byte)| Step::Write((0..n).map(|i| byte.wrapping_add(i as u8)).collect())),
            place.prop_map(Step::Truncate),
            Just(Step::Flush),
        ]
    }

    /// Whatever is done in whatever order, the file is what a plain list of bytes would be.
    fn is_a_list_of_bytes(mut real: Buffered, steps: Vec<Step>) -> Result<Vec<u8>, TestCaseError> {
        let (mut bytes, mut at): (Vec<u8>, usize) = (Vec::new(), 0);
        for step in steps {
            match step {
                Step::Seek(to) => {
                    real.set_position(to);
                    at = to as usize;
                }
                Step::Read(n) => {
                    let mut out = vec![0; n];
                    let got = real.read(&mut out).unwrap();
                    let here = bytes.get(at..).unwrap_or_default();
                    prop_assert_eq!(&out[..got], &here[..here.len().min(n)]);
                    prop_assert_eq!(real.ended, got < n);
                    at += got;
                }
                Step::Write(new) => {
                    real.write(&new).unwrap();
                    if !new.is_empty() {
                        bytes.resize(bytes.len().max(at + new.len()), 0);
                        bytes[at..at + new.len()].copy_from_slice(&new);
                    }
                    at += new.len();
                }
                Step::Truncate(n) => {
                    real.truncate(n);
                    bytes.resize(n as usize, 0);
                }
                Step::Flush => real.flush(),
            }
            prop_assert_eq!(real.position(), at as u64);
            prop_assert_eq!(real.length().unwrap(), bytes.len() as u64);
        }
        real.close();
        Ok(bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn it_is_a_list_of_bytes(steps in prop::collection::vec(step(), 1..40)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x");
            let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
            let bytes = is_a_list_of_bytes(Buffered::new(path.clone(), file, false), steps)?;
            prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
            prop_assert!(failed::failure(&path).is_none());
        }

        /// A file that takes nothing more is still one to its reader.
        #[test]
        fn a_lost_one_is_a_list_of_bytes(
            before in prop::collection::vec(step(), 0..10),
            after in prop::collection::vec(step(), 1..40),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x");
            let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
            let mut real = Buffered::new(path.clone(), file, false);
            // Some of it is on the disk before the disk fails, which a descriptor for reading stands for.
            let writes = before.iter().filter_map(|step| match step {
                Step::Write(new) => Some(new.as_slice()),
                _ => None,
            });
            let whole: Vec<u8> = writes.flatten().copied().collect();
            real.write(&whole).unwrap();
            real.flush();
            real.file = File::open(&path).unwrap();
            real.truncate(0);
            real.set_position(0);
            is_a_list_of_bytes(real, after)?;
            prop_assert!(failed::failure(&path).is_some());
            prop_assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
    }
}
