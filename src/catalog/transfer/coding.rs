//! Files that a store keeps compressed, and sends so although it is asked not to: the header Content-Encoding (RFC 9110, section 8.4).

use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use url::Url;

use super::format::{self, Format};
use super::source::{Body, Chunks, Later};
use crate::bytes::http::{Failure, Response};

/// How the bytes of an answer are compressed, by its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coding(pub String);

/// What a body is to be taken for, its header and its first bytes being known.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The bytes are the file.
    File,
    /// They are the file compressed by gzip.
    Gzip,
}

impl Coding {
    /// `None` without compression.
    ///
    /// # Errors
    /// When the bytes are compressed more than once.
    pub fn of(response: &Response) -> Result<Option<Coding>, Failure> {
        let mut told = response.codings();
        match told.len() {
            0 | 1 => Ok(told.pop().map(Coding)),
            _ => Err(Failure::wrong(
                response.asked(),
                format!(
                    "the server sends the file compressed more than once ({}), though it was asked not to",
                    told.join(", ")
                ),
            )),
        }
    }

    /// Judged by `head`, the first bytes: headers say `gzip` of files that are gzip by themselves (`.tar.gz`), and of files that are not
    /// compressed at all.
    ///
    /// # Errors
    /// When the bytes are compressed in a way that is not read: what to say of the server.
    pub fn meaning(&self, name: &str, head: &[u8]) -> Result<Meaning, String> {
        match format::of_head(head) {
            Some(Format::Gzip) if self.0 == "gzip" && !format::is_gzip_by_name(name) => Ok(Meaning::Gzip),
            Some(_) => Ok(Meaning::File),
            None if format::is_gzip_by_name(name) => Ok(Meaning::File),
            None if self.0 == "gzip" => Ok(Meaning::File),
            None => Err(format!(
                "the server sends the file compressed ({}), though it was asked not to",
                self.0
            )),
        }
    }
}

/// A body of gzip, as the bytes of the file.
pub struct Unzipped {
    url: Url,
    /// Bytes of the body that were read to look at them.
    head: Vec<u8>,
    body: Body,
    decoder: MultiGzDecoder<Vec<u8>>,
    ended: bool,
}

impl Unzipped {
    pub fn new(url: &Url, head: Vec<u8>, body: Body) -> Unzipped {
        Unzipped {
            url: url.clone(),
            head,
            body,
            decoder: MultiGzDecoder::new(Vec::new()),
            ended: false,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let damaged =
            |url: &Url, e: std::io::Error| Failure::wrong(url, format!("the server's gzip is damaged: {e}"));
        while !self.ended {
            let packed = match std::mem::take(&mut self.head) {
                head if !head.is_empty() => Some(Bytes::from(head)),
                _ => self.body.chunk().await?,
            };
            let step = match &packed {
                Some(bytes) => self.decoder.write_all(bytes),
                None => self.decoder.try_finish(),
            };
            step.map_err(|e| damaged(&self.url, e))?;
            self.ended = packed.is_none();
            let out = std::mem::take(self.decoder.get_mut());
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
        Ok(None)
    }
}

impl Chunks for Unzipped {
    fn chunk(&mut self) -> Later<'_, Result<Option<Bytes>, Failure>> {
        Box::pin(self.next())
    }
}
