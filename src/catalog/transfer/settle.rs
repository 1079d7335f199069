//! Before and after the network: whether a file is there already, and how one that has arrived gets its name.

use std::io;
use std::path::Path;

use super::fetch::{Arrived, Trouble};
use super::format;
use super::ledger::State;
use super::run::Shared;
use super::wanted::Job;

/// What can be said of a file that is there already.
pub enum Present {
    /// It is the file: verified or not, and by what.
    Yes {
        bytes: u64,
        verified: bool,
        how: String,
    },
    /// Something is there that is not the file.
    Other(String),
    /// Something is there, and nothing but the server can tell.
    Unknown(u64),
    No,
}

/// Whether the file of `job` is at `path` already. Blocks.
pub fn present(shared: &Shared, job: &Job, path: &Path) -> io::Result<Present> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Present::No),
        Err(e) => return Err(e),
    };
    if meta.is_dir() {
        return Ok(Present::Other("a folder of this name is there".into()));
    }
    let bytes = std::fs::metadata(path)?.len();
    let (size, checksum) = match shared.options.verify {
        true => (job.size, job.checksum.as_ref()),
        false => (None, None),
    };
    if let Some(State::Done {
        source,
        bytes: done,
        modified: at,
        verified,
        how,
    }) = shared.ledger.state(&job.name)
        && source == job.source
        && done == bytes
        && at == modified(&meta)
        && (size.is_none() || size == Some(bytes))
        && (verified || checksum.is_none())
    {
        return Ok(Present::Yes { bytes, verified, how });
    }
    if let Some(size) = size
        && size != bytes
    {
        return Ok(Present::Other(format!(
            "the file that is there has {bytes} bytes, not {size}"
        )));
    }
    if let Some(checksum) = checksum {
        return Ok(match super::checksum::holds(path, checksum)? {
            true => Present::Yes {
                bytes,
                verified: true,
                how: format!("{} of the catalogue", checksum.algorithm.name()),
            },
            false => Present::Other(format!(
                "the file that is there does not have the published {checksum}"
            )),
        });
    }
    Ok(match size {
        Some(_) => Present::Yes {
            bytes,
            verified: false,
            how: "size".into(),
        },
        None => Present::Unknown(bytes),
    })
}

/// Nanoseconds since 1970.
pub fn modified(meta: &std::fs::Metadata) -> i64 {
    use std::os::unix::fs::MetadataExt;
    meta.mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(meta.mtime_nsec())
}

/// Checks a file that has arrived and gives it its name. Blocks; nothing of it is on the network's path.
pub fn settle(
    shared: &Shared,
    job: &Job,
    arrived: &Arrived,
    target: &Path,
) -> Result<(u64, bool, String), Settled> {
    let disk = |e| Settled::Trouble(Trouble::Disk(target.to_path_buf(), e));
    let bytes = arrived.part.bytes();
    if let Some((published, by, found)) = &arrived.checksum
        && published != found
    {
        return Err(Settled::Differs(format!(
            "what came has the {found}, {by} says {}",
            published.hex()
        )));
    }
    if let Some(format) = arrived.format
        && let Err(text) = format::check_whole(&arrived.part.path, format).map_err(disk)?
    {
        return Err(Settled::Differs(text));
    }
    let (verified, how) = match (&arrived.checksum, arrived.size_known, arrived.format) {
        (Some((published, by, _)), ..) => (true, format!("{} of {by}", published.algorithm.name())),
        (None, true, Some(format)) => (false, format!("size and format ({})", format.name())),
        (None, true, None) => (false, "size".into()),
        (None, false, Some(format)) => (false, format!("format ({})", format.name())),
        (None, false, None) => (false, "nothing".into()),
    };
    let file = arrived.part.file().map_err(disk)?;
    file.sync_all().map_err(disk)?;
    let length = file.metadata().map_err(disk)?.len();
    if length != bytes {
        return Err(Settled::Differs(format!(
            "the disk holds {length} of its {bytes} bytes"
        )));
    }
    let folder = shared
        .make_folder(target.parent().unwrap_or(Path::new("/")))
        .map_err(|e| Settled::Trouble(Trouble::Other(e)))?;
    let place = folder
        .place(target.file_name().unwrap_or_default())
        .map_err(disk)?;
    std::fs::rename(&arrived.part.path, place).map_err(disk)?;
    let meta = file.metadata().map_err(disk)?;
    let state = State::Done {
        source: job.source.clone(),
        bytes,
        modified: modified(&meta),
        verified,
        how: how.clone(),
    };
    // The file is there whether or not the ledger can say so.
    let _ = shared.ledger.set(&job.name, state, false);
    Ok((bytes, verified, how))
}

pub enum Settled {
    Trouble(Trouble),
    /// The bytes are not those of the file.
    Differs(String),
}

/// Forgets a part whose bytes are wrong.
pub fn discard(shared: &Shared, job: &Job) {
    let _ = shared.ledger.forget(&job.name);
    let _ = std::fs::remove_file(shared.ledger.part_path(&job.name));
}
