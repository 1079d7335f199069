//! The names in a folder. GDAL asks for them with every file that it opens, to find the files beside it, and in a folder of a thousand
//! images reading it would take longer than opening one.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::stamp::Stamp;

/// Two changes of a folder within this time may leave one and the same date on it: dates of some file systems count by two seconds.
const UNCERTAIN: Duration = Duration::from_millis(2500);
/// Folders whose names are kept.
const KEPT: usize = 8;

type Names = Arc<Vec<CString>>;
static LISTINGS: Mutex<Vec<(Stamp, Names)>> = Mutex::new(Vec::new());

/// The names in `folder`, in no order, as they are now: those of an earlier call where the folder has not changed since.
///
/// # Errors
/// When it cannot be read.
pub fn names_in(folder: &Path) -> io::Result<Names> {
    let stamp = Stamp::of(folder)?;
    let listings = || LISTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, names)) = listings().iter().find(|(of, _)| *of == stamp) {
        return Ok(names.clone());
    }
    // Looked at before the folder is: what changes meanwhile makes it too young to be kept.
    let is_old = stamp.age().is_some_and(|age| age > UNCERTAIN);
    let entries = fs::read_dir(folder)?.flatten();
    let names = entries.filter_map(|entry| CString::new(entry.file_name().into_vec()).ok());
    let names = Arc::new(names.collect());
    if is_old {
        let mut listings = listings();
        listings.retain(|(of, _)| !of.is_same(&stamp));
        listings.truncate(KEPT - 1);
        listings.insert(0, (stamp, Arc::clone(&names)));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use std::time::SystemTime;

    use super::*;

    fn shown(folder: &Path) -> Vec<String> {
        let names = names_in(folder).unwrap();
        let mut shown: Vec<String> = names
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        shown.sort();
        shown
    }

    #[test]
    fn a_folder_that_changes_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let add = |name: &str| drop(File::create(folder.path().join(name)).unwrap());
        // Changes that follow each other at once are all seen.
        for (i, name) in ["a", "b", "c"].iter().enumerate() {
            add(name);
            assert_eq!(shown(folder.path()).len(), i + 1);
        }
        // Of a folder that has long been as it is the names are kept, until it changes.
        let date = |seconds| {
            let old = SystemTime::now() - Duration::from_secs(seconds);
            File::open(folder.path()).unwrap().set_modified(old).unwrap();
        };
        date(60);
        let kept = names_in(folder.path()).unwrap();
        assert!(Arc::ptr_eq(&kept, &names_in(folder.path()).unwrap()));
        add("d");
        assert_eq!(shown(folder.path()), ["a", "b", "c", "d"]);
        date(30);
        fs::remove_file(folder.path().join("a")).unwrap();
        assert_eq!(shown(folder.path()), ["b", "c", "d"]);
        assert!(names_in(&folder.path().join("d")).is_err());
    }
}
