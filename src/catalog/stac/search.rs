//! An item search at one service, page by page.

use crate::bytes::http::Method;
use crate::bytes::http::header::HeaderMap;
use serde_json::{Value, json};
use url::Url;

use super::conformance::Conformance;
use super::page::{self, Call};
use super::query::Query;
use crate::bytes::http::{Failure, FailureKind, Http};
use crate::catalog::item::Invalid;
use crate::catalog::items::Items;
use crate::catalog::pages::{self, Ask, Limits, Page, Pages, Source, Stream};
use crate::error::Result;

/// Items a page to begin with: some services fail above it.
pub const PAGE: usize = 250;

/// A search that is ready to be sent; made by `Client::search`.
#[derive(Debug, Clone)]
pub struct ItemSearch {
    first: Call,
    /// The same as GET, for a service that takes no POST although it does not say so.
    instead: Option<Call>,
    limits: Limits,
    invalid: Invalid,
    description: Value,
}

/// The address that is searched, and by which methods.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub url: Url,
    pub post: bool,
    pub get: bool,
}

impl ItemSearch {
    /// # Errors
    /// When the filter cannot be written as the service reads it.
    pub fn new(
        endpoint: &Endpoint,
        conformance: &Conformance,
        query: &Query,
        limits: Limits,
        address: &str,
    ) -> Result<ItemSearch> {
        let body = query.body(None, conformance)?;
        let post = Call {
            method: Method::POST,
            url: endpoint.url.clone(),
            body: body.clone(),
            headers: HeaderMap::new(),
        };
        let mut get = Call {
            method: Method::GET,
            body: serde_json::Map::new(),
            ..post.clone()
        };
        let parameters = query.parameters(None, conformance)?;
        if !parameters.is_empty() {
            get.url.query_pairs_mut().extend_pairs(parameters);
        }
        let (first, instead) = match (endpoint.post, endpoint.get) {
            (true, true) => (post, Some(get)),
            (true, false) => (post, None),
            _ => (get, None),
        };
        Ok(ItemSearch {
            first,
            instead,
            limits,
            invalid: query.invalid,
            description: json!({ "service": "stac", "url": address, "search": body, "max_items": limits.most }),
        })
    }

    fn pages(&self, limits: Limits) -> Pages<StacSource> {
        let source = StacSource {
            call: self.first.clone(),
            instead: self.instead.clone(),
            invalid: self.invalid,
            address: pages::address(&self.first.url),
        };
        Pages::new(source, limits)
    }
}

impl pages::Search for ItemSearch {
    fn describe(&self) -> Value {
        self.description.clone()
    }

    fn all<'a>(&'a self, http: &'a Http) -> pages::Answer<'a, Items> {
        Box::pin(self.pages(self.limits).all(http, self.describe()))
    }

    fn matched<'a>(&'a self, http: &'a Http) -> pages::Answer<'a, Option<u64>> {
        Box::pin(async move {
            let limits = Limits {
                page: 1,
                most: Some(1),
                partial: true,
            };
            let mut pages = self.pages(limits);
            pages.next(http).await?;
            Ok(pages.matched())
        })
    }

    fn stream(&self) -> Box<dyn Stream> {
        Box::new(self.pages(self.limits))
    }
}

struct StacSource {
    call: Call,
    instead: Option<Call>,
    invalid: Invalid,
    address: String,
}

impl Source for StacSource {
    async fn page(&mut self, http: &Http, ask: Ask) -> Result<Page, Failure> {
        let mut call = self.call.sized(ask.size);
        let mut request = call.request();
        request.attempts = ask.attempts;
        let response = match http.send(&request).await {
            Ok(response) => response,
            Err(failure) => match (&failure.kind, self.instead.take()) {
                (
                    FailureKind::Status {
                        status: 405 | 501, ..
                    },
                    Some(get),
                ) => {
                    call = get.sized(ask.size);
                    self.call = get;
                    let mut request = call.request();
                    request.attempts = ask.attempts;
                    http.send(&request).await?
                }
                (_, instead) => {
                    self.instead = instead;
                    return Err(failure);
                }
            },
        };
        let from = response.url().clone();
        let bytes = response.bytes(http.settings.largest_answer).await?;
        let answer = page::read(&call, &from, &bytes, self.invalid)?;
        let more = answer.next.is_some();
        if let Some(next) = answer.next {
            self.call = next;
            self.instead = None;
        }
        Ok(Page {
            items: answer.items,
            left_out: answer.left_out,
            matched: answer.matched,
            more,
        })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}
