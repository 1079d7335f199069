//! Files of S3 as a source of downloads.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::OnceLock;

use url::Url;

use super::source::{Answer, Later, Source, Validator};
use super::web;
use crate::bytes::http::header::IF_MATCH;
use crate::bytes::http::{Failure, Http, Request};
use crate::bytes::s3::{Access, S3};
use crate::error::Result;

type Opener = Box<dyn Fn(Access) -> Result<S3> + Send + Sync>;

/// Buckets, asked as anybody, but for those whose readers pay.
pub struct Buckets<H> {
    http: H,
    paid: HashSet<String>,
    opener: Opener,
    public: OnceLock<S3>,
    paying: OnceLock<S3>,
}

impl<H: Deref<Target = Http> + Send + Sync> Buckets<H> {
    /// With the user's keys where they are needed. `paid`: names of the buckets whose readers pay.
    pub fn of_user(http: H, paid: HashSet<String>) -> Buckets<H> {
        Buckets::new(http, paid, Box::new(S3::of_user))
    }

    pub fn new(http: H, paid: HashSet<String>, opener: Opener) -> Buckets<H> {
        Buckets {
            http,
            paid,
            opener,
            public: OnceLock::new(),
            paying: OnceLock::new(),
        }
    }

    fn request(&self, url: &Url) -> Result<Request, Failure> {
        let paid = self.paid.contains(url.host_str().unwrap_or(""));
        let (store, access) = match paid {
            true => (&self.paying, Access::RequesterPays),
            false => (&self.public, Access::Anonymous),
        };
        if let Some(store) = store.get() {
            return store.request(url);
        }
        let opened = (self.opener)(access).map_err(|e| Failure::wrong(url, e.to_string()))?;
        store.get_or_init(|| opened).request(url)
    }
}

impl<H: Deref<Target = Http> + Send + Sync> Source for Buckets<H> {
    fn open<'a>(
        &'a self,
        url: &'a Url,
        from: u64,
        validator: &'a Validator,
    ) -> Later<'a, Result<Answer, Failure>> {
        Box::pin(async move {
            // S3 knows If-Match, which takes tags alone.
            let tag = Validator {
                etag: validator.etag.clone(),
                modified: None,
            };
            match web::open(&self.http, self.request(url)?, IF_MATCH, from, &tag).await? {
                Answer::Changed => {
                    let none = Validator::default();
                    web::open(&self.http, self.request(url)?, IF_MATCH, 0, &none).await
                }
                Answer::Beyond(None) => Ok(Answer::Beyond(self.probe(url).await?)),
                other => Ok(other),
            }
        })
    }

    fn probe<'a>(&'a self, url: &'a Url) -> Later<'a, Result<Option<u64>, Failure>> {
        Box::pin(async move { web::probe(&self.http, self.request(url)?).await })
    }
}
