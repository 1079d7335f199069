//! Where bytes come from: the web, or any other store that can give a file from a byte on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::checksum::Checksum;
use super::coding::Coding;
use crate::bytes::http::{Failure, Response};
pub use crate::bytes::ranged::Validator;
use crate::error::{Error, Result};

pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A file that starts to arrive.
pub struct Opened {
    /// The first byte of `body` in the file: what was asked for, or 0 where all of it comes again.
    pub from: u64,
    /// The size of the whole file, where it is said.
    pub size: Option<u64>,
    pub validator: Validator,
    /// A checksum of the whole file that came with it.
    pub checksum: Option<Checksum>,
    /// How `body` is said to be compressed.
    pub coding: Option<Coding>,
    pub body: Body,
}

// Few of them live at a time, and none is copied.
#[allow(clippy::large_enum_variant)]
pub enum Answer {
    Opened(Opened),
    /// The server is still making the file, and may say when to ask again.
    NotReady(Option<Duration>),
    /// It is another version by now, of which nothing was sent.
    Changed,
    /// There is nothing from that byte on; the size, where it is said.
    Beyond(Option<u64>),
}

#[allow(clippy::large_enum_variant)]
pub enum Body {
    Web(Response),
    Other(Box<dyn Chunks>),
}

/// A body that does not come over HTTP of this program.
pub trait Chunks: Send {
    fn chunk(&mut self) -> Later<'_, Result<Option<bytes::Bytes>, Failure>>;
}

impl Body {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the stream breaks or falls silent.
    pub async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, Failure> {
        match self {
            Body::Web(response) => response.chunk().await,
            Body::Other(chunks) => chunks.chunk().await,
        }
    }
}

pub trait Source: Send + Sync {
    /// Opens the file at `url` from byte `from` on, provided that it is still the version of `validator`; otherwise all of it.
    fn open<'a>(
        &'a self,
        url: &'a Url,
        from: u64,
        validator: &'a Validator,
    ) -> Later<'a, Result<Answer, Failure>>;

    /// The size of the file and whether parts of it can be had, without fetching it.
    fn probe<'a>(&'a self, url: &'a Url) -> Later<'a, Result<Option<u64>, Failure>>;
}

/// Gives addresses the signature without which their host does not serve them.
pub trait Signer: Send + Sync {
    /// `anew`: the signature given last is refused by now.
    fn sign<'a>(&'a self, url: &'a Url, anew: bool) -> Later<'a, Result<Url, Failure>>;
}

/// All stores that a download may draw on.
#[derive(Clone)]
pub struct Sources {
    pub web: Arc<dyn Source>,
    /// For `s3://bucket/key`.
    pub s3: Option<Arc<dyn Source>>,
    pub signer: Option<Arc<dyn Signer>>,
}

impl Sources {
    /// # Errors
    /// Addresses that are not https:, http: or s3:; s3: where no access to it is set up.
    pub fn of(&self, url: &Url) -> Result<&Arc<dyn Source>> {
        let none = |text: &str| Error::message(format!("{}: {text}", crate::bytes::http::redacted(url)));
        match url.scheme() {
            "http" | "https" => Ok(&self.web),
            "s3" => self
                .s3
                .as_ref()
                .ok_or_else(|| none("no access to S3 is set up here; use the file's https address")),
            other => Err(none(&format!(
                "files cannot be fetched by {other}:; addresses are https:, http: or s3:"
            ))),
        }
    }
}
