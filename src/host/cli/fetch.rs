//! Scripts and libraries from servers. They are fetched by a process of its own, since the one that runs a script is held before its second thread
//! starts, and asking servers takes threads.

use std::process::{Command, Stdio};

use url::Url;

use super::DONE;
use crate::bytes::http::{parse_url, redacted};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::share::project::{Store, is_hash};

/// Whether the name of a script is an address.
pub fn is_address(name: &str) -> bool {
    name.starts_with("https://") || name.starts_with("http://")
}

/// An address, and the hash that is named behind it: `https://…/x.lua#sha256=…`.
///
/// # Errors
/// When it is none, or has something else behind it.
pub fn parts(text: &str) -> Result<(Url, Option<String>)> {
    let mut address = parse_url("address", text)?;
    let hash = match address.fragment() {
        None => None,
        Some(fragment) => match fragment.strip_prefix("sha256=").filter(|hash| is_hash(hash)) {
            Some(hash) => Some(hash.to_string()),
            None => {
                return Err(Error::message(format!(
                    "{}#{fragment}: behind an address stands the hash of what it has to be, #sha256= with 64 hexadecimal digits in lower case, or nothing",
                    redacted(&address)
                )));
            }
        },
    };
    address.set_fragment(None);
    Ok((address, hash))
}

/// What lies at an address, and its hash: out of the store where its hash is named and it is there.
///
/// # Errors
/// As `Store::fetch`.
pub fn bytes(address: &Url, expected: Option<&str>) -> Result<(Vec<u8>, String)> {
    let store = Store::of_user()?;
    if let Some(hash) = expected
        && let Some(bytes) = store.get(hash)?
    {
        return Ok((bytes, hash.to_string()));
    }
    let failed = |e| Error::message(format!("perilune cannot be started again, to fetch: {e}"));
    let own = std::env::current_exe().map_err(|e| Error::message(format!("this program's own file: {e}")))?;
    let mut command = Command::new(own);
    command
        .args(["--quiet", "fetch"])
        .arg(address.as_str())
        .args(expected);
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .map_err(failed)?;
    if interrupt::requested() {
        return Err(Error::Interrupted);
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        return Err(Error::message(said.strip_prefix("error: ").unwrap_or(said)));
    }
    let hash = String::from_utf8_lossy(&output.stdout).trim().to_string();
    match store.get(&hash)? {
        Some(bytes) => Ok((bytes, hash)),
        None => Err(Error::message(format!(
            "{} was fetched, and is not in {} any more",
            redacted(address),
            store.path(&hash).display()
        ))),
    }
}

/// Of the process that fetches: says the hash of what it has put into the store.
///
/// # Errors
/// As `Store::fetch`.
pub fn run(address: &str, expected: Option<&str>) -> Result<u8> {
    let hash = Store::of_user()?.fetch(&parse_url("address", address)?, expected)?;
    crate::say!("{hash}");
    Ok(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_stand_behind_addresses() {
        let hash = "a".repeat(64);
        let (address, found) = parts(&format!("https://example.org/x.lua?a=1#sha256={hash}")).unwrap();
        assert_eq!(
            (address.as_str(), found),
            ("https://example.org/x.lua?a=1", Some(hash))
        );
        assert_eq!(parts("https://example.org/x.lua").unwrap().1, None);
        for wrong in [
            "https://example.org/x.lua#top",
            "https://example.org/x.lua#sha256=12",
            "https://",
        ] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }
}
