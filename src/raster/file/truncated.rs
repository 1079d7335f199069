//! What is wrong with an HDF5 file that libraries refuse without saying why: most often a download that broke off.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::Error;

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The error of a file that cannot be opened: that it is shorter than its own header says, else `otherwise`.
pub fn with_reason(path: &str, otherwise: impl FnOnce() -> String) -> Error {
    let file = container_of(path);
    match lengths(file) {
        Some((stated, actual)) if actual < stated => Error::file(
            file,
            format!(
                "is truncated: {actual} bytes of the {stated} that its HDF5 header states, as after a broken download or \
                 copy; get it again"
            ),
        ),
        _ => Error::file(path, otherwise()),
    }
}

/// The file in a name such as `HDF5:"a.h5"://data/VV`.
fn container_of(name: &str) -> &str {
    match name.split_once(":\"").and_then(|(_, rest)| rest.split_once('"')) {
        Some((file, _)) => file,
        None => name,
    }
}

/// End of the file as its superblock states it, and its length on disk.
///
/// # Source
/// HDF5 File Format Specification 3.0, II.A: superblocks 0 and 1 hold four addresses (base, free space, end of file,
/// driver) at byte 24 or 28; superblocks 2 and 3 three (base, extension, end of file) at byte 12.
fn lengths(path: &str) -> Option<(u64, u64)> {
    let mut file = File::open(Path::new(path)).ok()?;
    let actual = file.metadata().ok()?.len();
    let mut head = [0u8; 64];
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]).ok()? {
            0 => break,
            n => filled += n,
        }
    }
    if !head[..filled].starts_with(SIGNATURE) {
        return None;
    }
    let (size_of_addresses, first) = match head[8] {
        0 => (head[13], 24),
        1 => (head[13], 28),
        2 | 3 => (head[9], 12),
        _ => return None,
    };
    if size_of_addresses != 8 {
        return None;
    }
    let address = |index: usize| {
        let bytes = head.get(first + 8 * index..first + 8 * index + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    if filled < first + 24 {
        // Even the header is cut; what it would have stated is at least this much.
        return Some((first as u64 + 24, actual));
    }
    let (base, end) = (address(0)?, address(2)?);
    Some((base.checked_add(end)?, actual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_in_a_subdataset_name() {
        assert_eq!(container_of("HDF5:\"/a b/c.h5\"://data/VV"), "/a b/c.h5");
        assert_eq!(container_of("/a b/c.h5"), "/a b/c.h5");
    }

    #[test]
    fn a_cut_file_says_how_much_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.h5");
        // Superblock 2: version, sizes, flags, base 0, no extension, end of file at 5000.
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([2, 8, 8, 0]);
        for address in [0u64, u64::MAX, 5000] {
            bytes.extend(address.to_le_bytes());
        }
        bytes.resize(1234, 0);
        std::fs::write(&path, &bytes).unwrap();
        let name = path.to_str().unwrap();
        let error = with_reason(name, || "other".into()).to_string();
        assert!(error.contains("is truncated: 1234 bytes of the 5000"), "{error}");
        bytes.resize(5000, 0);
        std::fs::write(&path, &bytes).unwrap();
        assert!(
            with_reason(name, || "other".into())
                .to_string()
                .ends_with(": other")
        );
    }
}
