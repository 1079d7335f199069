//! Files of S3 as a source of downloads.

use std::collections::HashSet;
use std::sync::OnceLock;

use url::Url;

use super::source::{Answer, Body, Chunks, Later, Opened, Source, Validator};
use crate::bytes::http::Failure;
use crate::bytes::s3::{Access, Object, S3};
use crate::error::Result;

type Opener = Box<dyn Fn(Access) -> Result<S3> + Send + Sync>;

/// Buckets, asked as anybody, but for those whose readers pay.
pub struct Buckets {
    paid: HashSet<String>,
    opener: Opener,
    public: OnceLock<S3>,
    paying: OnceLock<S3>,
}

impl Buckets {
    /// With the user's keys where they are needed. `paid`: names of the buckets whose readers pay.
    pub fn of_user(paid: HashSet<String>) -> Buckets {
        Buckets::new(paid, Box::new(S3::of_user))
    }

    pub fn new(paid: HashSet<String>, opener: Opener) -> Buckets {
        Buckets {
            paid,
            opener,
            public: OnceLock::new(),
            paying: OnceLock::new(),
        }
    }

    fn store(&self, url: &Url) -> Result<&S3, Failure> {
        let paid = self.paid.contains(url.host_str().unwrap_or(""));
        let (store, access) = match paid {
            true => (&self.paying, Access::RequesterPays),
            false => (&self.public, Access::Anonymous),
        };
        if let Some(store) = store.get() {
            return Ok(store);
        }
        let opened = (self.opener)(access).map_err(|e| Failure::wrong(url, e.to_string()))?;
        Ok(store.get_or_init(|| opened))
    }
}

impl Source for Buckets {
    fn open<'a>(
        &'a self,
        url: &'a Url,
        from: u64,
        validator: &'a Validator,
    ) -> Later<'a, Result<Answer, Failure>> {
        Box::pin(async move {
            let store = self.store(url)?;
            let tag = validator.etag.as_deref().filter(|_| from > 0);
            let object = match store.open(url, from, tag).await {
                Ok(object) => object,
                // Another version by now: all of it comes again.
                Err(failure) if failure.status() == Some(412) => store.open(url, 0, None).await?,
                Err(failure) if from > 0 && failure.status().is_none() => {
                    let size = store.head(url).await?.size;
                    match size <= from {
                        true => return Ok(Answer::Beyond(Some(size))),
                        false => return Err(failure),
                    }
                }
                Err(failure) => return Err(failure),
            };
            Ok(Answer::Opened(Opened {
                from: object.from,
                size: Some(object.meta.size),
                validator: Validator {
                    etag: object.meta.etag.clone(),
                    modified: None,
                },
                // The tag of an object is its MD5 only where it was put in one piece and not encrypted, which it does not say.
                checksum: None,
                coding: None,
                body: Body::Other(Box::new(object)),
            }))
        })
    }

    fn probe<'a>(&'a self, url: &'a Url) -> Later<'a, Result<Option<u64>, Failure>> {
        Box::pin(async move { Ok(Some(self.store(url)?.head(url).await?.size)) })
    }
}

impl Chunks for Object {
    fn chunk(&mut self) -> Later<'_, Result<Option<bytes::Bytes>, Failure>> {
        Box::pin(Object::chunk(self))
    }
}
