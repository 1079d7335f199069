//! Files on servers: how GDAL calls them, what it may tell them, and what to do about its complaints.
//!
//! GDAL itself is told no login. By default it would send the one in ~/.netrc also over http, and headers and cookies
//! of the user's to every host and on to wherever that redirects. Addresses that need a login are resolved by the
//! program's own client to where the bytes are, which is what GDAL then reads.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::error::{Error, Result};

/// The address at which a file that needs a login can be read without one; `None` where the address itself will do.
pub type Resolver = fn(&str) -> Result<Option<String>>;

static RESOLVER: OnceLock<Resolver> = OnceLock::new();

/// Where addresses were found to be, so that messages name what was asked for: those behind a login are signed.
static RESOLVED: Mutex<Option<HashMap<String, String>>> = Mutex::new(None);

/// Has addresses resolved by `resolver`; the first one stays.
pub fn set_resolver(resolver: Resolver) {
    let _ = RESOLVER.set(resolver);
}

/// GDAL's settings that would tell every host what is meant for one.
const TOLD_TO_ALL: &[&str] = &[
    "GDAL_HTTP_USERPWD",
    "GDAL_HTTP_BEARER",
    "GDAL_HTTP_AUTH",
    "GDAL_HTTP_HEADERS",
    "GDAL_HTTP_HEADER_FILE",
    "GDAL_HTTP_COOKIE",
    "GDAL_HTTP_COOKIEFILE",
    "GDAL_HTTP_COOKIEJAR",
];

/// The one of these settings that the user has made, in the environment or in GDAL's configuration file.
static MADE: OnceLock<Option<&'static str>> = OnceLock::new();

/// Takes from GDAL what it would tell hosts. Its configuration file has to be read before.
pub(super) fn forget_logins() {
    let _ = gdal::config::set_config_option("GDAL_HTTP_NETRC", "NO");
    let mut made = None;
    for name in TOLD_TO_ALL {
        let value = gdal::config::get_config_option(name, "").unwrap_or_default();
        if !value.is_empty() {
            made = made.or(Some(*name));
            let _ = gdal::config::set_config_option(name, "");
        }
    }
    let _ = MADE.set(made);
}

/// What GDAL has to open to read `name`.
///
/// # Errors
/// When a login is needed and there is none, or it is refused; when a setting of the user's would be told to all hosts.
pub(super) fn resolved(name: &str) -> Result<Cow<'_, str>> {
    let Some(start) = name.find("/vsicurl/http").map(|i| i + "/vsicurl/".len()) else {
        return Ok(Cow::Borrowed(name));
    };
    if let Some(setting) = MADE.get().copied().flatten() {
        return Err(Error::message(format!(
            "{setting} is set: GDAL would tell every host what is meant for one; unset it, and store the login with \
             `perilune login HOST`"
        )));
    }
    // In `HDF5:"/vsicurl/https://…"://data` the address ends at the quote.
    let end = name[start..].find('"').map_or(name.len(), |i| start + i);
    let Some(found) = RESOLVER
        .get()
        .map(|resolve| resolve(&name[start..end]))
        .transpose()?
        .flatten()
    else {
        return Ok(Cow::Borrowed(name));
    };
    let mut known = RESOLVED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    known.insert(found.clone(), name[start..end].to_string());
    Ok(Cow::Owned(format!("{}{found}{}", &name[..start], &name[end..])))
}

/// `message` with the addresses that were asked for in place of those that were found.
fn as_asked(message: &str) -> String {
    let known = RESOLVED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.iter().flatten();
    known.fold(message.to_string(), |text, (found, asked)| {
        text.replace(found, asked)
    })
}

/// GDAL's name for a path or URL: remote files go through its virtual file systems, which read by ranges.
pub fn gdal_name(path: &str) -> String {
    for (scheme, prefix) in [("s3://", "/vsis3/"), ("gs://", "/vsigs/"), ("az://", "/vsiaz/")] {
        if let Some(rest) = path.strip_prefix(scheme) {
            return format!("{prefix}{rest}");
        }
    }
    if path.starts_with("https://") || path.starts_with("http://") {
        return format!("/vsicurl/{path}");
    }
    path.to_string()
}

/// True for names that are not plain local paths: URLs, `/vsi…/`, and GDAL's `DRIVER:…` forms.
pub fn is_special(path: &str) -> bool {
    let driver_prefix = path.split_once(':').is_some_and(|(head, _)| {
        head.len() > 1
            && head
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    });
    path.contains("://") || path.starts_with("/vsi") || driver_prefix
}

/// GDAL's message about the file that it calls `name`, with a way out where the file is on a server.
pub fn explained(name: &str, message: &str) -> String {
    let message = as_asked(message);
    let message = message.as_str();
    const LATER: &str = "the server has a problem or is busy; try again later";
    const REFUSED: &str =
        "the server refuses: the file needs a login (`perilune login HOST`), or the address has run out";
    const NETWORK: &str = "check the address and the network; behind a proxy, set https_proxy";
    const BUCKET: &str =
        "check bucket and key, and the settings AWS_REGION, AWS_S3_ENDPOINT, AWS_REQUEST_PAYER";
    const KEYS: &str = "of a public bucket, set AWS_NO_SIGN_REQUEST=YES; else AWS_ACCESS_KEY_ID and \
                        AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials";
    let known = [
        (
            "response code: 404",
            "the server has no such file; check the address",
        ),
        ("response code: 401", REFUSED),
        ("response code: 403", REFUSED),
        ("response code: 429", LATER),
        ("response code: 5", LATER),
        (
            "Could not resolve host",
            "check the server's name, and the network",
        ),
        ("CURL error", NETWORK),
        (
            "Range downloading not supported",
            "this server sends whole files only; download the file first",
        ),
        ("AWS_NO_SIGN_REQUEST", KEYS),
        ("Access Denied", KEYS),
    ];
    let remote = ["/vsicurl/", "/vsis3/", "/vsigs/", "/vsiaz/"];
    if !remote.iter().any(|prefix| name.contains(prefix)) {
        return message.to_string();
    }
    let found = known.iter().find(|(part, _)| message.contains(part));
    match found.map(|(_, way_out)| *way_out) {
        Some(way_out) => format!("{message}; {way_out}"),
        None if name.contains("/vsis3/") => format!("{message}; {BUCKET}"),
        None => message.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_names_of_gdal() {
        for (path, name) in [
            ("s3://bucket/a.tif", "/vsis3/bucket/a.tif"),
            ("gs://bucket/a.tif", "/vsigs/bucket/a.tif"),
            ("https://host/a.tif", "/vsicurl/https://host/a.tif"),
            ("folder/a.tif", "folder/a.tif"),
        ] {
            assert_eq!(gdal_name(path), name);
        }
        assert!(is_special("NETCDF:\"a.nc\":v") && is_special("/vsizip/a.zip/a.tif"));
        assert!(!is_special("C:a.tif") && !is_special("a:b.tif"));
    }

    #[test]
    fn only_servers_get_advice() {
        let message = "HTTP response code: 403";
        assert_eq!(explained("a.tif", message), message);
        assert!(explained("/vsicurl/https://host/a.tif", message).contains("login"));
        assert!(explained("/vsis3/bucket/a.tif", "Invalid AWS response: no").contains("bucket and key"));
    }
}
