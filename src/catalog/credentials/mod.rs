//! Who the user is, told to the hosts that she has it from and to nobody else.

use reqwest::header::HeaderValue;
use url::Url;

use super::http::is_loopback;
use crate::error::Result;

/// A text that no message, log or dump shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// All credentials of the user, each bound to the names of its hosts.
#[derive(Debug, Default)]
pub struct Vault {}

impl Vault {
    /// Nobody's: for public archives and tests.
    pub fn empty() -> Vault {
        Vault::default()
    }

    /// What netrc, the environment and `perilune login` hold.
    ///
    /// # Errors
    /// When one of the files cannot be read as what it should be.
    pub fn of_user() -> Result<Vault> {
        Ok(Vault::default())
    }

    /// The header Authorization for a request to `url`, if the user has one for its host. Only https, and this
    /// machine's own addresses, get any.
    pub fn authorization(&self, url: &Url) -> Option<HeaderValue> {
        if url.scheme() != "https" && !is_loopback(url) {
            return None;
        }
        None
    }

    /// What to do about an answer of status 401 or 403 from `url`.
    pub fn advice(&self, _url: &Url, _status: u16, _text: &str) -> Option<String> {
        None
    }
}
