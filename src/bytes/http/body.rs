//! The body of an answer, with a limit on its silence and on its size.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;
use url::Url;

use super::failure::{Failure, FailureKind};

pub struct Response {
    inner: reqwest::Response,
    /// What was asked, before redirects: what the user knows.
    asked: Url,
    stall: Duration,
}

impl Response {
    pub fn new(inner: reqwest::Response, asked: &Url, stall: Duration) -> Response {
        Response {
            inner,
            asked: asked.clone(),
            stall,
        }
    }

    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name).and_then(|v| v.to_str().ok())
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &Url {
        self.inner.url()
    }

    pub fn asked(&self) -> &Url {
        &self.asked
    }

    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length").and_then(|v| v.trim().parse().ok())
    }

    /// How the body is compressed, by its header. Stores keep other words there too (`aws-chunked`, `utf-8`), which say nothing of the bytes.
    pub fn codings(&self) -> Vec<String> {
        let told = self.header("content-encoding").unwrap_or("").to_ascii_lowercase();
        let known = told.split(',').map(str::trim).filter(|name| {
            matches!(
                *name,
                "gzip" | "x-gzip" | "deflate" | "br" | "zstd" | "compress" | "x-compress"
            )
        });
        known
            .map(|name| name.trim_start_matches("x-").to_string())
            .collect()
    }

    /// The type without its parameters, in small letters: `text/html`.
    pub fn media_type(&self) -> Option<String> {
        let value = self.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        Some(value.split(';').next()?.trim().to_ascii_lowercase())
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the server falls silent for too long, or the connection ends before the answer does.
    pub async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, Failure> {
        match tokio::time::timeout(self.stall, self.inner.chunk()).await {
            Ok(Ok(bytes)) => {
                let length = bytes.as_ref().map_or(0, bytes::Bytes::len);
                crate::work::count_bytes(length as u64);
                Ok(bytes)
            }
            Ok(Err(error)) => Err(Failure::of_body(&self.asked, &error)),
            Err(_) => Err(Failure::new(&self.asked, FailureKind::Stalled(self.stall))),
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// Also when it is larger than `limit` bytes.
    pub async fn bytes(mut self, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(bytes) = self.chunk().await? {
            if all.len() + bytes.len() > limit {
                return Err(Failure::new(&self.asked, FailureKind::TooLarge(limit)));
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none; a web page in its place, such as that of a login, is named as such.
    pub async fn json<T: DeserializeOwned>(self, limit: usize) -> Result<T, Failure> {
        let asked = self.asked.clone();
        let bytes = self.bytes(limit).await?;
        parse_json(&asked, &bytes)
    }

    /// The beginning of the body, for messages. Never fails: a broken body has nothing to say.
    pub async fn beginning(mut self) -> String {
        let mut all = Vec::new();
        while all.len() < 4096 {
            match self.chunk().await {
                Ok(Some(bytes)) => all.extend_from_slice(&bytes),
                _ => break,
            }
        }
        all.truncate(4096);
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// # Errors
/// Bytes that are no JSON or not of this shape; of a web page, what it says.
pub fn parse_json<T: DeserializeOwned>(asked: &Url, bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        let start: Vec<u8> = bytes.iter().copied().take(4096).collect();
        let text = String::from_utf8_lossy(&start);
        let kind = if text.trim_start().starts_with('<') {
            FailureKind::Page(super::failure::said(&text))
        } else {
            FailureKind::NotJson(format!("{error}"))
        };
        Failure::new(asked, kind)
    })
}
