//! ZIP archives: what is in them, and out of them beneath one folder only.
//!
//! An archive is judged as a whole before the first byte is written (`names`): links, names that lead out of the folder,
//! names that come twice, entries that overlap and sizes beyond all measure refuse it. Members are written in a hidden
//! folder beside their place and renamed, so that a killed run leaves nothing under a final name (`extract`). Of an
//! archive on a server, only the directory and the members asked for are fetched.

mod extract;
pub(crate) mod names;

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use url::Url;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::bytes::http::{Http, redacted};
use crate::bytes::ranged::{self, First, Reader};
use crate::error::{Error, Result};
use crate::gate::{self, FolderEntry};

pub use extract::{Extracted, UnzipOptions};

/// What an archive may hold. The defaults are far above what archives of the field have, and far below what harms.
#[derive(Debug, Clone)]
pub struct Limits {
    pub members: usize,
    /// Unpacked, all members together.
    pub bytes: u64,
    /// Unpacked to packed, of archives that unpack to more than a gigabyte. DEFLATE reaches 1032 on nothing but zeros.
    pub ratio: f64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            members: 100_000,
            bytes: 500_000_000_000,
            ratio: 250.0,
        }
    }
}

/// One member of an archive, by its directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub name: String,
    /// Unpacked.
    pub bytes: u64,
    pub packed: u64,
    pub crc32: u32,
    pub folder: bool,
}

/// The members of the archive at `path`, in the order of its directory.
///
/// # Errors
/// When the file is no ZIP archive or not a whole one.
pub fn members(path: &Path) -> Result<Vec<Member>> {
    let mut archive = open(path)?;
    list(&mut archive, &path.display().to_string())
}

/// The members of an archive on a server: only its directory is fetched.
///
/// # Errors
/// As `members`; when the server does not serve parts of files.
pub fn remote_members(http: &Http, url: &Url) -> Result<Vec<Member>> {
    let mut archive = open_remote(http, url)?;
    list(&mut archive, &redacted(url))
}

/// Unpacks the archive at `path`.
///
/// # Errors
/// When it holds what must not be unpacked, is damaged, or would replace files; then nothing has been written.
pub fn unzip(path: &Path, options: &UnzipOptions) -> Result<Vec<Extracted>> {
    let packed = std::fs::metadata(path).map_err(|e| Error::io(path, e))?.len();
    let mut archive = open(path)?;
    let out = extract::extract(
        &mut archive,
        &path.display().to_string(),
        packed,
        options,
        &mut |_| (),
    )?;
    if options.delete {
        std::fs::remove_file(FolderEntry::of(path)?.path()).map_err(|e| Error::io(path, e))?;
    }
    Ok(out)
}

/// Unpacks members of an archive on a server, fetching no more than these.
///
/// # Errors
/// As `unzip` and `remote_members`.
pub fn remote_unzip(http: &Http, url: &Url, options: &UnzipOptions) -> Result<Vec<Extracted>> {
    let reader = reader(http, url)?;
    let (packed, hint) = (reader.remote().size(), reader.hint());
    let mut archive = of_reader(reader, &redacted(url))?;
    extract::extract(&mut archive, &redacted(url), packed, options, &mut |end| {
        hint.set(end)
    })
}

fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    let file = gate::open(path).map_err(|e| Error::io(path, e))?;
    of_reader(BufReader::new(file), &path.display().to_string())
}

fn open_remote<'a>(http: &'a Http, url: &Url) -> Result<ZipArchive<Reader<'a>>> {
    of_reader(reader(http, url)?, &redacted(url))
}

fn reader<'a>(http: &'a Http, url: &Url) -> Result<Reader<'a>> {
    let remote = ranged::open(http, url, First::Tail)?;
    Ok(Reader::new(Arc::new(remote)))
}

pub(crate) fn of_reader<R: Read + Seek>(reader: R, what: &str) -> Result<ZipArchive<R>> {
    ZipArchive::new(reader).map_err(|e| wrong(what, None, e))
}

pub(crate) fn list<R: Read + Seek>(archive: &mut ZipArchive<R>, what: &str) -> Result<Vec<Member>> {
    let mut out = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(|e| wrong(what, None, e))?;
        out.push(Member {
            name: entry.name().map_err(|e| wrong(what, None, e))?.into_owned(),
            bytes: entry.size(),
            packed: entry.compressed_size(),
            crc32: entry.crc32(),
            folder: entry.is_dir(),
        });
    }
    Ok(out)
}

/// What is wrong with an archive, with its name and that of the member.
fn wrong(what: &str, member: Option<&str>, error: ZipError) -> Error {
    let place = match member {
        Some(member) => format!("{what}, member `{member}`"),
        None => what.to_string(),
    };
    if crate::interrupt::requested() {
        return Error::Interrupted;
    }
    match error {
        ZipError::Io(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::message(format!("{place}: the archive is not whole; fetch it again"))
        }
        ZipError::Io(e) => Error::message(format!("{place}: {e}")),
        ZipError::InvalidArchive(text) => Error::message(format!(
            "{place}: no usable ZIP archive: {text}; fetch it again, or check what it is"
        )),
        ZipError::UnsupportedArchive(text) if text.contains("assword") => Error::message(format!(
            "{place}: it is encrypted; unpack it with a tool that asks for its password"
        )),
        ZipError::UnsupportedArchive(text) => {
            Error::message(format!("{place}: {text}; unpack it with another tool"))
        }
        other => Error::message(format!("{place}: {other}")),
    }
}
