//! Checksums as catalogues and servers publish them.

use std::fs::File;
use std::io::{self, Read};

use base64::Engine;
use md5::Digest;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    const ALL: [Algorithm; 4] = [
        Algorithm::Md5,
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::Sha512,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha1 => "SHA-1",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512 => "SHA-512",
        }
    }

    fn length(self) -> usize {
        match self {
            Algorithm::Md5 => 16,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        }
    }

    /// What a multihash starts with: the code as a varint, then the length (the multicodec table; multiformats.io).
    fn prefix(self) -> &'static [u8] {
        match self {
            Algorithm::Md5 => &[0xd5, 0x01, 0x10],
            Algorithm::Sha1 => &[0x11, 0x14],
            Algorithm::Sha256 => &[0x12, 0x20],
            Algorithm::Sha512 => &[0x13, 0x40],
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Checksum {
    pub algorithm: Algorithm,
    pub digest: Vec<u8>,
}

impl Checksum {
    /// A checksum from text: hexadecimal digits, whose number tells the algorithm; `md5:…`, `sha256:…`, `sha-512:…`; or
    /// a multihash in hexadecimal digits, as `file:checksum` of STAC has it.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Checksum> {
        let wrong = || {
            Error::argument(
                "checksum",
                "an MD5, SHA-1, SHA-256 or SHA-512 in hexadecimal digits, or a multihash",
                format!("`{text}`"),
            )
        };
        let (named, digits) = match text.trim().split_once(':') {
            Some((name, digits)) => (
                Some(name.to_ascii_uppercase().replace(['-', '_'], "")),
                digits.trim(),
            ),
            None => (None, text.trim()),
        };
        let bytes = from_hex(digits).ok_or_else(wrong)?;
        for algorithm in Algorithm::ALL {
            if let Some(name) = &named
                && *name != algorithm.name().replace('-', "")
            {
                continue;
            }
            if bytes.len() == algorithm.length() {
                return Ok(Checksum {
                    algorithm,
                    digest: bytes,
                });
            }
            if let Some(digest) = bytes.strip_prefix(algorithm.prefix())
                && digest.len() == algorithm.length()
            {
                return Ok(Checksum {
                    algorithm,
                    digest: digest.to_vec(),
                });
            }
        }
        Err(wrong())
    }

    /// From the base64 of a header such as `x-goog-hash` or `Repr-Digest`.
    pub fn from_base64(algorithm: Algorithm, text: &str) -> Option<Checksum> {
        let digest = base64::engine::general_purpose::STANDARD
            .decode(text.trim())
            .ok()?;
        (digest.len() == algorithm.length()).then_some(Checksum { algorithm, digest })
    }

    pub fn hex(&self) -> String {
        to_hex(&self.digest)
    }
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.algorithm.name(), self.hex())
    }
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// A checksum in the making.
#[derive(Clone)]
pub enum Hasher {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    pub fn new(algorithm: Algorithm) -> Hasher {
        match algorithm {
            Algorithm::Md5 => Hasher::Md5(Digest::new()),
            Algorithm::Sha1 => Hasher::Sha1(Digest::new()),
            Algorithm::Sha256 => Hasher::Sha256(Digest::new()),
            Algorithm::Sha512 => Hasher::Sha512(Digest::new()),
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            Hasher::Md5(_) => Algorithm::Md5,
            Hasher::Sha1(_) => Algorithm::Sha1,
            Hasher::Sha256(_) => Algorithm::Sha256,
            Hasher::Sha512(_) => Algorithm::Sha512,
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Md5(h) => h.update(bytes),
            Hasher::Sha1(h) => h.update(bytes),
            Hasher::Sha256(h) => h.update(bytes),
            Hasher::Sha512(h) => h.update(bytes),
        }
    }

    pub fn finish(self) -> Checksum {
        let algorithm = self.algorithm();
        let digest = match self {
            Hasher::Md5(h) => h.finalize().to_vec(),
            Hasher::Sha1(h) => h.finalize().to_vec(),
            Hasher::Sha256(h) => h.finalize().to_vec(),
            Hasher::Sha512(h) => h.finalize().to_vec(),
        };
        Checksum { algorithm, digest }
    }

    /// Takes in the first `bytes` bytes of a file.
    pub fn read(&mut self, file: &mut File, bytes: u64) -> io::Result<()> {
        let mut block = vec![0; 1 << 20];
        let mut left = bytes;
        while left > 0 {
            let most = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let n = file.read(&mut block[..most])?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.update(&block[..n]);
            left -= n as u64;
        }
        Ok(())
    }
}

/// Whether the file at `path` has this checksum.
pub fn holds(path: &std::path::Path, checksum: &Checksum) -> io::Result<bool> {
    let mut file = crate::gate::open(path)?;
    let bytes = file.metadata()?.len();
    let mut hasher = Hasher::new(checksum.algorithm);
    hasher.read(&mut file, bytes)?;
    Ok(hasher.finish() == *checksum)
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1321 (appendix A.5), RFC 3174, FIPS 180-4: the digests of "abc".
    const ABC: [(Algorithm, &str); 4] = [
        (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            Algorithm::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            Algorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ];

    #[test]
    fn digests_are_those_of_the_standards() {
        for (algorithm, hex) in ABC {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"a");
            hasher.update(b"bc");
            assert_eq!(hasher.finish().hex(), hex);
        }
    }

    #[test]
    fn every_way_of_writing_is_read() {
        for (algorithm, hex) in ABC {
            let expected = Checksum::parse(hex).unwrap();
            assert_eq!((expected.algorithm, expected.hex().as_str()), (algorithm, hex));
            let named = format!("{}:{}", algorithm.name().to_lowercase(), hex.to_uppercase());
            assert_eq!(Checksum::parse(&named).unwrap(), expected);
            let multihash = format!("{}{hex}", to_hex(algorithm.prefix()));
            assert_eq!(Checksum::parse(&multihash).unwrap(), expected);
        }
        // The example of the file extension of STAC.
        let stac =
            Checksum::parse("1220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").unwrap();
        assert_eq!(stac, Hasher::new(Algorithm::Sha256).finish());
        assert_eq!(
            Checksum::from_base64(Algorithm::Md5, "kAFQmDzST7DWlj99KOF/cg==").unwrap(),
            Checksum::parse(ABC[0].1).unwrap()
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "abc",
            "zz0150983cd24fb0d6963f7d28e17f72",
            "md5:ba78",
            "sha256:900150983cd24fb0d6963f7d28e17f72",
            "ünï",
        ] {
            let error = Checksum::parse(text).unwrap_err().to_string();
            assert!(
                error.contains("checksum must be") && error.contains(text),
                "{error}"
            );
        }
    }
}
