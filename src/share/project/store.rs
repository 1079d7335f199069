//! Files of Lua that were fetched, kept by the hash of their bytes in the user's cache.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

use crate::bytes::credentials::Vault;
use crate::bytes::http::{FailureKind, Http, Request, Settings, is_loopback, redacted, wait};
use crate::error::{Error, Result};
use crate::files::write_whole;
use crate::share::bundle::{LONGEST, beside};
use crate::share::provenance::sha256;

/// Bytes of a signature, which is no longer.
const LONGEST_SIGNATURE: usize = 64 << 10;

/// Whether a text is a SHA-256 as files of perilune have them.
pub fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    pub fn at(folder: impl Into<PathBuf>) -> Store {
        Store {
            folder: folder.into(),
        }
    }

    /// `perilune/fetched` in the user's cache.
    ///
    /// # Errors
    /// Where there is no home folder.
    pub fn of_user() -> Result<Store> {
        let set = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty());
        let cache = set
            .map(PathBuf::from)
            .or_else(|| Some(std::env::home_dir()?.join(".cache")));
        match cache {
            Some(cache) => Ok(Store::at(cache.join("perilune/fetched"))),
            None => Err(Error::message(
                "there is no home folder to keep in what is fetched; name a folder in XDG_CACHE_HOME",
            )),
        }
    }

    /// Where the file of this hash lies, or would lie.
    pub fn path(&self, hash: &str) -> PathBuf {
        self.folder.join(format!("{hash}.lua"))
    }

    /// The bytes of this hash, where they are here. What has another hash by now counts as not there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn get(&self, hash: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(hash);
        match fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(&path, e)),
            Ok(data) if data.len() > LONGEST => return Ok(None),
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(|e| Error::io(&path, e))?;
        Ok((sha256(&bytes) == hash).then_some(bytes))
    }

    /// Fetches what lies at `address`, with the signature beside it, where there is one, keeps both, and answers with the hash. Starts threads: not in a
    /// process that runs a script later.
    ///
    /// # Errors
    /// What the server says; bytes of another hash than the one that is `expected`; more than a script or bundle has; an address that anybody on the way can
    /// answer in place of the server, where no hash is expected.
    pub fn fetch(&self, address: &Url, expected: Option<&str>) -> Result<String> {
        if address.scheme() == "http" && expected.is_none() && !is_loopback(address) {
            return Err(Error::message(format!(
                "{} is not protected on its way (http): use https, or name the hash of what it has to be, #sha256=…",
                redacted(address)
            )));
        }
        // Not the client of the process, whose logins are those of a script.
        let http = Http::new(Settings::default(), Vault::of_user()?.into())?;
        let bytes = get(&http, address, LONGEST as usize)?;
        let hash = sha256(&bytes);
        if let Some(expected) = expected.filter(|expected| *expected != hash) {
            return Err(Error::message(format!(
                "{} has another hash than it must have: sha256 {hash}, and expected is {expected}; nothing of it was run or kept",
                redacted(address)
            )));
        }
        let mut signed = address.clone();
        signed.set_path(&format!("{}.sig", address.path()));
        let signature = match get(&http, &signed, LONGEST_SIGNATURE) {
            Ok(signature) => Some(signature),
            // Stores say "forbidden" of what is not there.
            Err(Error::Request {
                status: Some(401 | 403 | 404 | 410),
                ..
            }) => None,
            Err(error) => return Err(error),
        };
        fs::create_dir_all(&self.folder).map_err(|e| Error::io(&self.folder, e))?;
        let path = self.path(&hash);
        let lies = beside(&path);
        match signature.filter(|text| is_signature(text)) {
            Some(signature) => write_whole(&lies, &signature)?,
            None => remove(&lies)?,
        }
        write_whole(&path, &bytes)?;
        Ok(hash)
    }
}

/// A page that a server has for everything is no signature, and none is there.
fn is_signature(text: &[u8]) -> bool {
    text.starts_with(b"-----BEGIN SSH SIGNATURE-----")
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

fn get(http: &Http, address: &Url, most: usize) -> Result<Vec<u8>> {
    let request = Request::file(address.clone());
    wait(async {
        http.fetch(&request, |answer| answer.bytes(most))
            .await
            .map_err(|failure| match failure.kind {
                FailureKind::TooLarge(_) => Error::message(format!(
                    "{} is longer than a script or a bundle, which has at most {} MiB",
                    redacted(address),
                    LONGEST >> 20
                )),
                _ => failure.into(),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        let hash = sha256(b"return {}");
        assert_eq!(store.get(&hash).unwrap(), None);
        fs::write(store.path(&hash), "return {}").unwrap();
        assert_eq!(
            store.get(&hash).unwrap().as_deref(),
            Some(b"return {}".as_slice())
        );
        fs::write(store.path(&hash), "return 1").unwrap();
        assert_eq!(store.get(&hash).unwrap(), None);
    }

    #[test]
    fn unprotected_addresses_need_a_hash() {
        let store = Store::at("nowhere");
        let error = store
            .fetch(&Url::parse("http://example.org/a.lua").unwrap(), None)
            .unwrap_err();
        assert!(error.to_string().contains("#sha256="), "{error}");
    }
}
