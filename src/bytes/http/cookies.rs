//! The cookies of the process: what hosts know the user by after a login, so as well kept as the login.

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::HeaderValue;
use url::Url;

use crate::bytes::credentials::protected;

/// Cookies by host, as browsers keep them, in memory only. None is taken from or sent over a way that others can read,
/// whatever the cookie itself allows.
#[derive(Debug, Default)]
pub struct Cookies(Jar);

impl Cookies {
    pub fn has(&self, url: &Url, name: &str) -> bool {
        let Some(all) = self.cookies(url) else {
            return false;
        };
        let text = all.to_str().unwrap_or("");
        text.split(';')
            .any(|one| one.trim().split('=').next() == Some(name))
    }
}

impl CookieStore for Cookies {
    fn set_cookies(&self, headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        if protected(url) {
            self.0.set_cookies(headers, url);
        }
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        if !protected(url) {
            return None;
        }
        let mut value = self.0.cookies(url)?;
        value.set_sensitive(true);
        Some(value)
    }
}
