//! Objects in a folder, of this machine or of a server: many small files of which some are read, whole or in parts, many at a time.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};
use url::Url;

use super::http::{Failure, Http, Request, redacted, wait};
use super::ranged::{Validator, Wanted, Way, range};
use super::s3::S3;
use crate::error::{Error, Result};
use crate::gate;
use crate::work::{current, workers};

/// What of an object is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    From {
        start: u64,
        length: u64,
    },
    /// Its last bytes.
    Tail(u64),
}

/// A part of an object.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Its name below the folder, with `/` between folders.
    pub key: String,
    pub part: Part,
    /// What it may have of bytes.
    pub largest: usize,
}

impl Piece {
    pub fn whole(key: impl Into<String>, largest: usize) -> Piece {
        Piece {
            key: key.into(),
            part: Part::Whole,
            largest,
        }
    }
}

/// Takes the bytes of a piece by its number; none of an object that is not there.
pub type Take<'a> = dyn Fn(usize, Option<Vec<u8>>) -> Result<()> + Sync + 'a;

/// A folder of objects.
pub struct Objects {
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Server {
        base: Url,
        /// How it is asked, once that is known.
        way: Mutex<Option<Way>>,
    },
}

impl Objects {
    pub fn in_folder(folder: &Path) -> Objects {
        Objects {
            place: Place::Folder(folder.to_path_buf()),
        }
    }

    pub fn on_server(base: &Url) -> Objects {
        let way = (base.scheme() != "s3").then_some(Way::Web);
        Objects {
            place: Place::Server {
                base: base.clone(),
                way: Mutex::new(way),
            },
        }
    }

    /// The folder, where it is one of this machine.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            Place::Server { .. } => None,
        }
    }

    pub fn is_remote(&self) -> bool {
        self.folder().is_none()
    }

    /// What an object is called in messages.
    pub fn called(&self, key: &str) -> String {
        match &self.place {
            Place::Folder(folder) => folder.join(key).display().to_string(),
            Place::Server { base, .. } => redacted(&below(base, key)),
        }
    }

    /// Whole objects of these names that may be there, of at most so many bytes each. Of buckets, this finds out how they are asked.
    ///
    /// # Errors
    /// A server that does not answer, or refuses all of them.
    pub fn probe(&self, keys: &[&str], largest: usize) -> Result<Vec<Option<Vec<u8>>>> {
        let pieces: Vec<Piece> = keys.iter().map(|key| Piece::whole(*key, largest)).collect();
        let Place::Server { base, way } = &self.place else {
            return pieces.iter().map(|piece| self.read(piece)).collect();
        };
        let http = Http::shared()?;
        let known = way.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ways = match known {
            Some(way) => vec![way],
            None => {
                let ways = S3::ways_of_user()?.into_iter();
                ways.map(|s3| Way::Bucket(Arc::new(s3))).collect()
            }
        };
        let mut refused = None;
        for one in ways {
            let got: Vec<Result<Option<Vec<u8>>, Failure>> = wait::<_, Error>(async {
                let fetched = pieces.iter().map(|piece| fetch(http, &one, base, piece));
                Ok(futures_util::future::join_all(fetched).await)
            })?;
            let is_refusal = |failure: &Failure| matches!(failure.status(), Some(401 | 403));
            let mut found = Vec::with_capacity(got.len());
            let mut refusals = 0;
            for result in got {
                match result {
                    Ok(bytes) => found.push(bytes),
                    // Of a bucket that does not list its objects, one that is not there is refused.
                    Err(failure) if is_refusal(&failure) => {
                        refusals += 1;
                        refused = refused.or(Some(failure));
                        found.push(None);
                    }
                    Err(failure) => return Err(failure.into()),
                }
            }
            if refusals < found.len() {
                *way.lock().unwrap_or_else(PoisonError::into_inner) = Some(one);
                return Ok(found);
            }
        }
        Err(refused.map_or_else(|| Error::message("no way to ask buckets is known"), Error::from))
    }

    /// Hands every piece on as it comes, from several threads, with at most `at_once` requests to a server under way.
    ///
    /// # Errors
    /// An object that cannot be read or is too large; those of `take`; `Interrupted`.
    pub fn each(&self, pieces: &[Piece], at_once: usize, threads: usize, take: &Take<'_>) -> Result<()> {
        let Place::Server { base, way } = &self.place else {
            return workers::for_each(
                threads,
                pieces.len(),
                || (),
                |(), i| take(i, self.read(&pieces[i])?),
            );
        };
        let known = way.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(way) = known else {
            return Err(Error::message(format!(
                "{}: it is not known how to ask for it",
                redacted(base)
            )));
        };
        let http = Http::shared()?;
        let (sender, receiver) = tokio::sync::mpsc::channel(at_once.max(1));
        let receiver = Mutex::new(receiver);
        let context = current();
        std::thread::scope(|scope| {
            let way = &way;
            let fetching = scope.spawn(move || {
                let _entered = context.enter();
                wait::<_, Error>(async {
                    let one = |i: usize| async move {
                        Ok::<_, Error>((i, fetch(http, way, base, &pieces[i]).await?))
                    };
                    let sender = &sender;
                    stream::iter(0..pieces.len())
                        .map(one)
                        .buffer_unordered(at_once.max(1))
                        .try_for_each(|got| async move {
                            // Nobody listens any more where one that takes them has failed.
                            sender.send(got).await.map_err(|_| Error::Interrupted)
                        })
                        .await
                })
            });
            let taken = workers::for_each(
                threads,
                pieces.len(),
                || (),
                |(), _| {
                    let next = receiver
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .blocking_recv();
                    match next {
                        Some((i, bytes)) => take(i, bytes),
                        None => Ok(()),
                    }
                },
            );
            receiver.lock().unwrap_or_else(PoisonError::into_inner).close();
            let fetched = fetching
                .join()
                .unwrap_or_else(|_| Err(Error::message("the thread that fetches has ended")));
            taken.and(fetched)
        })
    }

    /// A piece of a file of this machine.
    fn read(&self, piece: &Piece) -> Result<Option<Vec<u8>>> {
        let Place::Folder(folder) = &self.place else {
            return Ok(None);
        };
        let path = folder.join(&piece.key);
        let fail = |e: io::Error| Error::io(&path, e);
        let file = match gate::open(&path) {
            Ok(file) => file,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(e) => return Err(fail(e)),
        };
        let size = file.metadata().map_err(fail)?.len();
        let (start, length) = match piece.part {
            Part::Whole => (0, size),
            Part::Tail(length) => (size.saturating_sub(length), length.min(size)),
            Part::From { start, length } => (start, length),
        };
        if start.saturating_add(length) > size {
            return Err(Error::file(
                path,
                format!("is truncated: it has {size} bytes, and {length} from {start} on are wanted"),
            ));
        }
        if length > piece.largest as u64 {
            return Err(too_large(&path.display().to_string(), length, piece.largest));
        }
        read_at(&file, start, length as usize).map(Some).map_err(fail)
    }
}

fn read_at(file: &File, start: u64, length: usize) -> io::Result<Vec<u8>> {
    if start == 0 {
        let mut bytes = Vec::with_capacity(length);
        file.take(length as u64).read_to_end(&mut bytes)?;
        // It may have become shorter since.
        return match bytes.len() == length {
            true => Ok(bytes),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        };
    }
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes)
}

fn too_large(name: &str, bytes: u64, largest: usize) -> Error {
    Error::message(format!(
        "{name}: has {bytes} bytes, more than the {largest} that it can have"
    ))
}

fn below(base: &Url, key: &str) -> Url {
    let mut address = base.clone();
    address.set_path(&format!("{}/{key}", base.path().trim_end_matches('/')));
    address
}

async fn fetch(http: &Http, way: &Way, base: &Url, piece: &Piece) -> Result<Option<Vec<u8>>, Failure> {
    let address = below(base, &piece.key);
    let request = match way {
        Way::Web => Request::file(address),
        Way::Bucket(s3) => s3.request(&address)?,
    };
    let (start, length) = match piece.part {
        Part::Whole => {
            let got = http.fetch(&request, |answer| answer.bytes(piece.largest)).await;
            return absent(got);
        }
        Part::From { start, length } => (Some(start), length),
        Part::Tail(length) => (None, length),
    };
    let wanted = Wanted {
        start,
        length,
        whole: piece.largest as u64,
    };
    let none = Validator::default();
    let asked = request.asked().clone();
    let Some(got) = absent(range(http, request, wanted, &none).await)? else {
        return Ok(None);
    };
    // A server without parts sends all of it.
    let start = start.unwrap_or_else(|| got.size.saturating_sub(length));
    let end = match piece.part {
        Part::Tail(_) => got.size,
        _ => start.saturating_add(length),
    };
    let part = (start.checked_sub(got.start).zip(end.checked_sub(got.start))).and_then(|(first, end)| {
        got.bytes
            .get(usize::try_from(first).ok()?..usize::try_from(end).ok()?)
    });
    match part {
        Some(part) => Ok(Some(part.to_vec())),
        None => Err(Failure::wrong(
            &asked,
            format!(
                "is truncated: it has {} bytes, and those from {start} to {end} are wanted",
                got.size
            ),
        )),
    }
}

fn absent<T>(got: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match got {
        Ok(got) => Ok(Some(got)),
        Err(failure) if matches!(failure.status(), Some(404 | 410)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
