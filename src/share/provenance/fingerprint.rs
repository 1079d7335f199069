//! What a file holds, told in little time: files of up to 16 MiB by the SHA-256 of all their bytes, longer ones by that of their length and of
//! sixteen pieces of 64 KiB, evenly spread from the first byte to the last. That finds other products, other versions, and files that are cut off,
//! at the price of one mebibyte however long the file is; a change of single bytes in the middle of a long file shows when it is computed again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::gate;

/// Bytes of the longest file that is read whole.
const WHOLE: u64 = 16 << 20;
const PIECES: u64 = 16;
const PIECE: u64 = 64 << 10;
/// What a Zarr says of itself at its root.
const DOCUMENTS: [&str; 4] = ["zarr.json", ".zmetadata", ".zgroup", ".zattrs"];

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fingerprint {
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
    pub sha256_of_pieces: Option<String>,
}

/// Of a file, or of the metadata of a Zarr; None of other folders.
///
/// # Errors
/// When it cannot be read.
pub fn of(path: &Path) -> io::Result<Option<Fingerprint>> {
    if path.is_dir() {
        return of_folder(path);
    }
    let file = gate::open(path)?;
    let bytes = file.metadata()?.len();
    let (sha256, pieces) = match bytes <= WHOLE {
        true => (Some(of_reader(file)?), None),
        false => (None, Some(of_pieces(&file, bytes)?)),
    };
    Ok(Some(Fingerprint {
        bytes: Some(bytes),
        sha256,
        sha256_of_pieces: pieces,
    }))
}

fn of_folder(path: &Path) -> io::Result<Option<Fingerprint>> {
    let mut found = BTreeMap::new();
    for name in DOCUMENTS {
        match fs::read(path.join(name)) {
            Ok(bytes) => found.insert(name, bytes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
    }
    let mut digest = Sha256::new();
    for (name, bytes) in &found {
        digest.update(name);
        digest.update(bytes);
    }
    let known = !found.is_empty();
    Ok(known.then(|| Fingerprint {
        sha256_of_pieces: Some(hex(&digest.finalize())),
        ..Fingerprint::default()
    }))
}

/// Of all bytes.
///
/// # Errors
/// When they cannot be read.
pub fn whole(path: &Path) -> io::Result<String> {
    of_reader(gate::open(path)?)
}

/// Of all that comes.
///
/// # Errors
/// When it cannot be read.
pub fn of_reader(mut file: impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

fn of_pieces(file: &File, bytes: u64) -> io::Result<String> {
    let mut digest = Sha256::new();
    digest.update(bytes.to_le_bytes());
    let mut buffer = vec![0; PIECE as usize];
    for piece in 0..PIECES {
        let at = u128::from(bytes - PIECE) * u128::from(piece) / u128::from(PIECES - 1);
        file.read_exact_at(&mut buffer, at as u64)?;
        digest.update(&buffer);
    }
    Ok(hex(&digest.finalize()))
}

/// The SHA-256 of a text or of bytes.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_files_are_hashed_whole_and_long_ones_by_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let short = of(&path).unwrap().unwrap();
        assert_eq!((short.bytes, short.sha256.as_deref()), (Some(3), Some(known)));
        let mut long = vec![7; WHOLE as usize + 1];
        fs::write(&path, &long).unwrap();
        let first = of(&path).unwrap().unwrap();
        assert!(first.sha256.is_none());
        let last = long.len() - 1;
        long[last] = 8;
        fs::write(&path, &long).unwrap();
        let second = of(&path).unwrap().unwrap();
        assert_ne!(first, second);
        long.pop();
        fs::write(&path, &long).unwrap();
        assert!(of(&path).unwrap().unwrap().sha256.is_some());
        assert_eq!(of(folder.path()).unwrap(), None);
    }
}
