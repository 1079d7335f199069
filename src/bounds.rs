//! What a script or a file asks for is measured against the memory ceiling before the memory is taken: an allocation that fails ends
//! the process, an error does not.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::{gate, settings};

/// Says no where `count` pieces of `bytes` each are more than the memory ceiling allows.
///
/// # Errors
/// Names `what` needs the memory, how much, the ceiling, and the `way_out`.
pub fn fits(what: impl Into<String>, count: usize, bytes: usize, way_out: &str) -> Result<()> {
    let needed = count as u128 * bytes as u128;
    let limit = settings::memory();
    if needed <= limit as u128 {
        return Ok(());
    }
    Err(Error::Memory {
        what: what.into(),
        needed_mib: u64::try_from((needed >> 20) + 1).unwrap_or(u64::MAX),
        limit_mib: (limit >> 20) as u64,
        way_out: format!("{way_out}, or raise the limit with --memory"),
    })
}

/// The bytes of a file that becomes `expansion` times its size once it is understood.
///
/// # Errors
/// As [`gate::open`], or when it is too large for the memory ceiling.
pub fn read_file(path: &Path, expansion: usize, way_out: &str) -> Result<Vec<u8>> {
    let failed = |e| Error::io(path, e);
    let file = gate::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let what = || format!("reading {}", path.display());
    fits(what(), size, expansion, way_out)?;
    // A file may grow while it is read.
    let most = settings::memory() / expansion.max(1);
    let mut bytes = Vec::with_capacity(size);
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    fits(what(), bytes.len(), expansion, way_out)?;
    Ok(bytes)
}
