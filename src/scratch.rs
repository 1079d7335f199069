//! The process's own folder for what need not last: scratch files of the engine and `fs.temporary`. Nobody else can enter it, so that
//! the system's temporary folder, in which everybody's files lie, is open to no script.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// What the name of the folder begins with.
pub const PREFIX: &str = "perilune-scratch-";

/// The folder, made at its first use. It lies in the system's temporary folder (`TMPDIR`).
///
/// # Errors
/// When it cannot be made.
pub fn folder() -> Result<PathBuf> {
    let mut made = FOLDER.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(folder) = made.as_ref() {
        return Ok(folder.clone());
    }
    let base = std::env::temp_dir();
    let base = base.canonicalize().map_err(|e| Error::io(&base, e))?;
    sweep(&base);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_nanos());
    let folder = base.join(format!("{PREFIX}{}-{now:x}", std::process::id()));
    // Fails where the name exists, whatever it leads to.
    DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(|e| Error::io(&folder, e))?;
    *made = Some(folder.clone());
    Ok(folder)
}

/// Removes the folder with all that is in it, at the end of the process. Takes no lock that something which hangs may hold.
pub fn remove() {
    if let Ok(mut made) = FOLDER.try_lock()
        && let Some(folder) = made.take()
    {
        // Nothing is left to tell it to; a folder that stays is swept by a later process.
        let _ = fs::remove_dir_all(folder);
    }
}

/// Removes what killed processes of this user have left.
fn sweep(base: &Path) {
    // SAFETY: geteuid has no preconditions.
    let user = unsafe { libc::geteuid() };
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        let Some(process) = process else { continue };
        let is_ours = entry
            .metadata()
            .is_ok_and(|data| data.is_dir() && data.uid() == user);
        if is_ours && !Path::new(&format!("/proc/{process}")).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_nobody_elses_and_what_dead_processes_left_goes() {
        let base = tempfile::tempdir().unwrap();
        // Process numbers end well below this.
        let dead = base.path().join(format!("{PREFIX}4294967295-1"));
        let alive = base.path().join(format!("{PREFIX}{}-1", std::process::id()));
        for folder in [&dead, &alive] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("x"), "x").unwrap();
        }
        sweep(base.path());
        assert!(!dead.exists() && alive.join("x").exists());
        let made = folder().unwrap();
        assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o700);
        assert_eq!(folder().unwrap(), made);
    }
}
