//! Files behind a login, for readers that must not be told one: where their bytes can be read without it.

use crate::bytes::http::header::{HeaderValue, RANGE};
use url::Url;

use crate::bytes::http::{Failure, Http, Kind, Request, wait};
use crate::error::Result;

/// The address, signed by the archive for an hour or so, at which the file at `address` can be read by ranges without
/// the user's login; `None` where no login of hers concerns the host.
///
/// # Errors
/// Those of the login; when the archive hands out the file itself, and only to whoever is logged in.
pub fn without_login(address: &str) -> Result<Option<String>> {
    let Ok(url) = Url::parse(address) else {
        return Ok(None);
    };
    let http = Http::shared()?;
    if !http.vault.may_open(&url) {
        return Ok(None);
    }
    wait(resolve(http, &url)).map(Some)
}

/// As [`without_login`], by this client, whoever's host it is.
///
/// # Errors
/// As there.
pub async fn resolve(http: &Http, url: &Url) -> Result<String, Failure> {
    let mut request = Request::file(url.clone());
    request
        .headers
        .insert(RANGE, HeaderValue::from_static("bytes=0-0"));
    let answer = http.send(&request).await?;
    let found = answer.url().clone();
    if http.vault.authorization(&found).is_some() || http.has_cookies(&found) {
        let text =
            "this host sends its files only together with a login, which is not handed to GDAL".to_string();
        let mut failure = Failure::new(url, Kind::Wrong(text));
        failure.advice = Some("fetch the file with catalog.download and open it from disk".into());
        return Err(failure);
    }
    Ok(found.to_string())
}
