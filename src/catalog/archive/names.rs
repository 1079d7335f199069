//! Whether an archive may be unpacked, judged before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;

use super::{Limits, wrong};
use crate::error::{Error, Result, shown_bytes};

/// A member that may be written, below the folder.
pub struct Planned {
    pub index: usize,
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
    pub crc32: u32,
    pub folder: bool,
    /// The end of its bytes in the archive, roughly: never before it.
    pub ends: u64,
}

/// All members of the archive, each with a place of its own beneath the folder.
///
/// # Errors
/// When one of them must not be unpacked: all of the archive is refused, since it is not what archives send.
pub fn plan<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    what: &str,
    packed: u64,
    limits: &Limits,
) -> Result<Vec<Planned>> {
    let refused = |text: String| Error::message(format!("{what}: {text}; nothing was unpacked"));
    if archive.has_duplicate_names() {
        return Err(refused("the archive has two members of one name".into()));
    }
    if archive.len() > limits.members {
        return Err(refused(format!(
            "the archive has {} members, more than the limit of {}",
            archive.len(),
            limits.members
        )));
    }
    let mut out = Vec::with_capacity(archive.len());
    let mut places: BTreeMap<PathBuf, bool> = BTreeMap::new();
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(|e| wrong(what, None, e))?;
        let name = entry.name().map_err(|e| wrong(what, None, e))?.into_owned();
        let path = place(&name).ok_or_else(|| {
            refused(format!(
                "the member `{}` would leave the folder or has an unusable name",
                name.escape_debug()
            ))
        })?;
        // The type in the upper bits of the Unix mode: regular files and folders, or no type at all.
        let kind = entry.unix_mode().map_or(0, |mode| mode & 0o170_000);
        if entry.is_symlink() || !matches!(kind, 0 | 0o100_000 | 0o040_000) {
            return Err(refused(format!(
                "the member `{name}` is a link or a device, not a file"
            )));
        }
        if entry.encrypted() {
            return Err(refused(format!("the member `{name}` is encrypted")));
        }
        let folder = entry.is_dir();
        total = total.saturating_add(entry.size());
        if folder {
            folders.insert(path.clone());
        } else if places.insert(path.clone(), false).is_some() {
            return Err(refused(format!(
                "two members would be the file `{}`",
                path.display()
            )));
        }
        for above in path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty()) {
            folders.insert(above.to_path_buf());
        }
        out.push(Planned {
            index,
            bytes: entry.size(),
            crc32: entry.crc32(),
            // The local header repeats the name and may have an extra field of its own.
            ends: entry.header_start() + 30 + name.len() as u64 + 4096 + entry.compressed_size(),
            name,
            path,
            folder,
        });
    }
    if let Some(both) = folders.iter().find(|folder| places.contains_key(*folder)) {
        return Err(refused(format!(
            "`{}` is a file and a folder in it",
            both.display()
        )));
    }
    if total > limits.bytes {
        return Err(refused(format!(
            "it would unpack to {}, more than the limit of {}",
            shown_bytes(total),
            shown_bytes(limits.bytes)
        )));
    }
    let ratio = total as f64 / packed.max(1) as f64;
    if total > 1_000_000_000 && ratio > limits.ratio {
        return Err(refused(format!(
            "it would unpack {} to {}, {ratio:.0} times its size and more than the limit of {:.0} times",
            shown_bytes(packed),
            shown_bytes(total),
            limits.ratio
        )));
    }
    Ok(out)
}

/// The place of a member below the folder; `None` for a name that leads elsewhere.
pub(crate) fn place(name: &str) -> Option<PathBuf> {
    if name.contains('\\') || name.chars().any(char::is_control) || name.len() > 1000 {
        return None;
    }
    let mut path = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) if part.len() <= 255 => path.push(part),
            Component::CurDir => {}
            _ => return None,
        }
    }
    // A drive letter, and what this program keeps for itself.
    let first = path.iter().next()?.to_string_lossy();
    let drive = first.len() == 2 && first.ends_with(':');
    (!drive && !first.to_lowercase().starts_with(".perilune")).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_beneath_the_folder() {
        assert_eq!(place("a/./b.tif"), Some("a/b.tif".into()));
        assert_eq!(place("a//b/"), Some("a/b".into()));
        for bad in [
            "",
            "/",
            "/etc/x",
            "../x",
            "a/../../x",
            "a/..",
            "C:/x",
            "..\\x",
            "a\0b",
            "a\nb",
            ".perilune/lock",
            ".Perilune/lock",
        ] {
            assert_eq!(place(bad), None, "{bad:?}");
        }
    }
}
