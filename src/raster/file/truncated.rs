//! What is wrong with an HDF5 file or a TIFF that libraries refuse without saying why: most often a download that broke
//! off.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::Error;
use crate::gate;

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The error of a file that cannot be opened: that it is shorter than its own header says, else `otherwise`.
pub fn with_reason(path: &str, otherwise: impl FnOnce() -> String) -> Error {
    let file = container_of(path);
    match lengths(file) {
        Some((stated, actual)) if actual < stated => Error::file(
            file,
            format!(
                "is truncated: {actual} bytes of the {stated} or more that its header states, as after a broken download \
                 or copy; get it again"
            ),
        ),
        _ => Error::file(path, otherwise()),
    }
}

/// The file in a name such as `HDF5:"a.h5"://data/VV`.
pub(crate) fn container_of(name: &str) -> &str {
    match name.split_once(":\"").and_then(|(_, rest)| rest.split_once('"')) {
        Some((file, _)) => file,
        None => name,
    }
}

/// How long the file has to be by its header, and its length on disk.
fn lengths(path: &str) -> Option<(u64, u64)> {
    let mut file = gate::open(Path::new(path)).ok()?;
    let actual = file.metadata().ok()?.len();
    let mut head = [0u8; 64];
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]).ok()? {
            0 => break,
            n => filled += n,
        }
    }
    let stated = if head[..filled].starts_with(SIGNATURE) {
        end_of_hdf5(&head[..filled])
    } else {
        first_directory_of_tiff(&head[..filled], |offset, bytes| {
            file.seek(SeekFrom::Start(offset))
                .and_then(|_| file.read_exact(bytes))
                .is_ok()
        })
    };
    Some((stated?, actual))
}

/// End of the file as its superblock states it.
///
/// # Source
/// HDF5 File Format Specification 3.0, II.A: superblocks 0 and 1 hold four addresses (base, free space, end of file,
/// driver) at byte 24 or 28; superblocks 2 and 3 three (base, extension, end of file) at byte 12.
pub(crate) fn end_of_hdf5(head: &[u8]) -> Option<u64> {
    let (size_of_addresses, first) = match head.get(8)? {
        0 => (*head.get(13)?, 24),
        1 => (*head.get(13)?, 28),
        2 | 3 => (*head.get(9)?, 12),
        _ => return None,
    };
    if size_of_addresses != 8 {
        return None;
    }
    let address = |index: usize| {
        let bytes = head.get(first + 8 * index..first + 8 * index + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    match (address(0), address(2)) {
        (Some(base), Some(end)) => base.checked_add(end),
        // Even the header is cut; what it would have stated is at least this much.
        _ => Some(first as u64 + 24),
    }
}

/// Where the first directory ends.
///
/// # Source
/// TIFF 6.0, section 2: 42, the directory's 32-bit offset at byte 4, a 16-bit count and 12 bytes an entry; BigTIFF: 43, a
/// 64-bit offset at byte 8, a 64-bit count and 20 bytes an entry; all in the byte order that the first two bytes tell.
pub(crate) fn first_directory_of_tiff(
    head: &[u8],
    mut at: impl FnMut(u64, &mut [u8]) -> bool,
) -> Option<u64> {
    let little = match head.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let number = |digits: &[u8]| {
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        match little {
            true => digits.iter().rev().fold(0, add),
            false => digits.iter().fold(0, add),
        }
    };
    let (offset, count_bytes, entry_bytes) = match number(head.get(2..4)?) {
        42 => (number(head.get(4..8)?), 2, 12),
        43 => (number(head.get(8..16)?), 8, 20),
        _ => return None,
    };
    let entries = offset.checked_add(count_bytes)?;
    let mut count = [0u8; 8];
    let count = &mut count[..count_bytes as usize];
    match at(offset, count) {
        true => entries.checked_add(number(count).checked_mul(entry_bytes)?),
        false => Some(entries),
    }
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
        assert!(
            error.contains("is truncated: 1234 bytes of the 5000 or more"),
            "{error}"
        );
        bytes.resize(5000, 0);
        std::fs::write(&path, &bytes).unwrap();
        assert!(
            with_reason(name, || "other".into())
                .to_string()
                .ends_with(": other")
        );
    }

    #[test]
    fn a_tiff_whose_directory_is_missing_is_cut() {
        let without = |_: u64, _: &mut [u8]| false;
        let with_ten = |_: u64, count: &mut [u8]| {
            count[0] = 10;
            true
        };
        for (head, missing, cut) in [
            (
                &b"II*\0\x00\x10\0\0"[..],
                Some(4096 + 2),
                Some(4096 + 2 + 10 * 12),
            ),
            (
                b"II+\0\x08\0\0\0\x00\x00\x10\0\0\0\0\0",
                Some((1 << 20) + 8),
                Some((1 << 20) + 8 + 10 * 20),
            ),
            (b"II*\0\x00", None, None),
            (b"PNG", None, None),
        ] {
            assert_eq!(first_directory_of_tiff(head, without), missing);
            assert_eq!(first_directory_of_tiff(head, with_ten), cut);
        }
        assert_eq!(first_directory_of_tiff(b"MM\0*\0\0\x10\0", without), Some(4098));
    }
}
