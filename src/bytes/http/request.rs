//! What is asked for.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::bytes::s3::Bucket;
use crate::error::{Error, Result};

/// A request that can be sent again. Credentials are not in it: every host gets its own when it is asked.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    /// Bytes of a file: no rate budget, no compression; 304, 412 and 416 are answers.
    pub transfer: bool,
    /// Tries, where the settings of the client do not fit: 1 for logins and for callers that change the request.
    pub attempts: Option<usize>,
    /// The wait for the head of the answer, where the client's does not fit.
    pub first_byte: Option<Duration>,
    /// Headers that are for the first host alone and do not follow a redirect elsewhere.
    pub bound: Vec<HeaderName>,
    /// What the user calls it, where that is another address: what messages name.
    pub(in crate::bytes) asked: Option<Url>,
    /// What signs it, for a file of S3.
    pub(in crate::bytes) bucket: Option<Bucket>,
    /// Part of a login itself: a refusal of it is final.
    pub(in crate::bytes) login: bool,
}

impl Request {
    pub fn get(url: Url) -> Request {
        Request {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            transfer: false,
            attempts: None,
            first_byte: None,
            bound: Vec::new(),
            asked: None,
            bucket: None,
            login: false,
        }
    }

    /// A file, or a part of it.
    pub fn file(url: Url) -> Request {
        Request {
            transfer: true,
            ..Request::get(url)
        }
    }

    /// The address that the user knows it by.
    pub fn asked(&self) -> &Url {
        self.asked.as_ref().unwrap_or(&self.url)
    }

    pub fn json(url: Url, body: &serde_json::Value) -> Request {
        let mut request = Request::get(url);
        request.method = Method::POST;
        request.body = Some(body.to_string().into_bytes());
        request
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    pub fn form(url: Url, fields: &[(impl AsRef<str>, impl AsRef<str>)]) -> Request {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(fields);
        let mut request = Request::get(url);
        request.method = Method::POST;
        request.body = Some(text.finish().into_bytes());
        request.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        request
    }

    pub fn accept(mut self, types: &'static str) -> Request {
        self.headers.insert(ACCEPT, HeaderValue::from_static(types));
        self
    }

    /// A step of a login, which is tried once.
    pub(in crate::bytes) fn login(mut self) -> Request {
        self.login = true;
        self.once()
    }

    pub fn once(mut self) -> Request {
        self.attempts = Some(1);
        self
    }

    /// # Errors
    /// When `value` holds characters that no header may have.
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Request> {
        let value = HeaderValue::from_str(value)
            .map_err(|_| Error::argument(name.as_str(), "plain text on one line", format!("`{value}`")))?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// As `header`, with a value that stays with this host and out of every message.
    ///
    /// # Errors
    /// When `value` holds characters that no header may have; the message does not show it.
    pub fn secret(self, name: HeaderName, value: &str) -> Result<Request> {
        let mut request = self;
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::message(format!(
                "the secret for the header {name} has characters that cannot be sent"
            ))
        })?;
        value.set_sensitive(true);
        request.bound.push(name.clone());
        request.headers.insert(name, value);
        Ok(request)
    }
}

impl Request {
    /// Whether it carries what only its host may see.
    pub fn has_secrets(&self) -> bool {
        let headers = &self.headers;
        headers.values().any(HeaderValue::is_sensitive)
            || headers.contains_key(AUTHORIZATION)
            || headers.contains_key(COOKIE)
            || self.bucket.is_some()
            || self.bound.iter().any(|name| headers.contains_key(name))
    }
}

/// Without what it carries: a body may be that of a login.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &super::redacted(&self.url))
            .field("headers", &names)
            .field("body_bytes", &self.body.as_ref().map(Vec::len))
            .field("transfer", &self.transfer)
            .finish()
    }
}

/// An address that can be asked, from what the user wrote.
///
/// # Errors
/// When it is none, or not one of the web.
pub fn parse_url(name: &str, text: &str) -> Result<Url> {
    let expected = "a web address such as https://host/path";
    let url =
        Url::parse(text.trim()).map_err(|e| Error::argument(name, expected, format!("`{text}` ({e})")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(Error::argument(name, expected, format!("`{text}`")));
    }
    Ok(url)
}
