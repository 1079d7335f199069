//! The driver of every search: asks for page after page, for smaller ones where the server cannot give large ones,
//! and knows at the end whether all came.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use serde_json::Value;
use stac::Item;

use super::items::Items;
use super::list::List;
use crate::bytes::http::{Failure, Http, redacted};
use crate::error::{Error, Result};

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A search that can be run, as often as wanted, and says what it asks.
pub trait Search: Send + Sync {
    /// The request, without secrets: service, address, parameters. Two searches with equal descriptions ask the same.
    fn describe(&self) -> Value;

    /// All that it finds.
    fn all<'a>(&'a self, http: &'a Http) -> Answer<'a, Items>;

    /// How many it would find, by the server's count; `None` where the server does not count.
    fn matched<'a>(&'a self, http: &'a Http) -> Answer<'a, Option<u64>>;

    /// The same, page by page.
    fn stream(&self) -> Box<dyn Stream>;
}

/// The pages of a running search.
pub trait Stream: Send {
    /// The next items; `None` after the last.
    fn next<'a>(&'a mut self, http: &'a Http) -> Answer<'a, Option<List>>;
    fn matched(&self) -> Option<u64>;
}

/// How the next page is to be asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// The most items that the page should have.
    pub size: usize,
    /// For `Request::attempts`: once where a smaller page is the better second try.
    pub attempts: Option<usize>,
}

pub struct Page {
    pub items: Vec<Item>,
    /// What is said of what the server gave as an item and was left out.
    pub left_out: Vec<String>,
    pub matched: Option<u64>,
    /// False on the last page.
    pub more: bool,
}

/// A protocol: one request, one page. A page that fails leaves the place in the results as it was.
pub trait Source: Send {
    /// # Errors
    /// What the server or the way to it fails with; an answer that is no page of items.
    fn page(&mut self, http: &Http, ask: Ask) -> impl Future<Output = Result<Page, Failure>> + Send;
    /// What errors call the search: the address of its service.
    fn address(&self) -> String;
}

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Items a page to begin with.
    pub page: usize,
    /// The search stops here, complete or not; `None` for all.
    pub most: Option<usize>,
    /// Also give an answer that has fewer items than the server counted, with a note, in place of an error.
    pub partial: bool,
}

/// Below this a page is not made smaller.
const SMALLEST_PAGE: usize = 10;

pub struct Pages<S> {
    source: S,
    limits: Limits,
    size: usize,
    given: usize,
    received: usize,
    left_out: Vec<String>,
    matched: Option<u64>,
    finished: bool,
    empty_pages: usize,
}

impl<S: Source> Pages<S> {
    pub fn new(source: S, limits: Limits) -> Pages<S> {
        Pages {
            source,
            size: limits.page.max(1),
            limits,
            given: 0,
            received: 0,
            left_out: Vec::new(),
            matched: None,
            finished: limits.most == Some(0),
            empty_pages: 0,
        }
    }

    pub fn matched(&self) -> Option<u64> {
        self.matched
    }

    /// The next items, never an empty list; `None` after the last.
    ///
    /// # Errors
    /// Those of the request; when the server ends before it gave what it counted.
    pub async fn next(&mut self, http: &Http) -> Result<Option<Vec<Item>>> {
        while !self.finished {
            let page = self.ask(http).await?;
            self.matched = page.matched.or(self.matched);
            self.received += page.items.len() + page.left_out.len();
            self.left_out.extend(page.left_out);
            self.finished = !page.more;
            let mut items = page.items;
            if let Some(most) = self.limits.most
                && self.given + items.len() >= most
            {
                items.truncate(most - self.given);
                self.finished = true;
            } else if self.finished {
                self.check()?;
            }
            self.given += items.len();
            if !items.is_empty() {
                self.empty_pages = 0;
                return Ok(Some(items));
            }
            self.empty_pages += 1;
            if self.empty_pages > 20 && !self.finished {
                return Err(Error::message(format!(
                    "{}: the server sends one empty page after the other; the search has an end that it does not reach",
                    self.source.address()
                )));
            }
        }
        Ok(None)
    }

    async fn ask(&mut self, http: &Http) -> Result<Page> {
        loop {
            let wanted = match self.limits.most {
                Some(most) => self.size.min(most - self.given).max(1),
                None => self.size,
            };
            let smaller = wanted > SMALLEST_PAGE;
            let ask = Ask {
                size: wanted,
                attempts: smaller.then_some(1),
            };
            let failure = match self.source.page(http, ask).await {
                Ok(page) => return Ok(page),
                Err(failure) => failure,
            };
            if smaller && failure.too_much() {
                self.size = (wanted / 2).max(SMALLEST_PAGE);
                continue;
            }
            if !smaller || !failure.may_pass() {
                return Err(failure.into());
            }
            let ask = Ask {
                size: wanted,
                attempts: None,
            };
            match self.source.page(http, ask).await {
                Ok(page) => return Ok(page),
                Err(failure) if failure.too_much() => self.size = (wanted / 2).max(SMALLEST_PAGE),
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// At the end of all pages: did the server give what it counted?
    fn check(&self) -> Result<()> {
        match self.shortfall() {
            Some(text) if !self.limits.partial => Err(Error::message(format!(
                "{}: {text}; search again, or take what there is with `partial = true`",
                self.source.address()
            ))),
            _ => Ok(()),
        }
    }

    fn shortfall(&self) -> Option<String> {
        let matched = self.matched?;
        ((self.received as u64) < matched).then(|| {
            format!(
                "the server counts {matched} items but gave {} of them",
                self.received
            )
        })
    }

    /// All pages. `request` is what the answer remembers of its question.
    ///
    /// # Errors
    /// As `next`.
    pub async fn all(mut self, http: &Http, request: Value) -> Result<Items> {
        let mut out = Items {
            request,
            retrieved: Some(Timestamp::now()),
            ..Items::default()
        };
        while let Some(items) = self.next(http).await? {
            out.items.extend(items)?;
        }
        out.matched = self.matched;
        let stopped = self.limits.most.is_some_and(|most| self.given >= most);
        if !stopped {
            out.notes.extend(self.shortfall());
        }
        let repeated = out.drop_repeated();
        if repeated > 0 {
            let text = format!("{repeated} items came more than once and are counted once");
            let unique = (out.items.len() + self.left_out.len()) as u64;
            // A server that pages badly repeats some items and leaves others out.
            if !stopped && !self.limits.partial && out.matched.is_some_and(|m| unique < m) {
                return Err(Error::message(format!(
                    "{}: {text}, so that only {unique} of {} came; sort the search by something unique, or take what there is with `partial = true`",
                    self.source.address(),
                    out.matched.unwrap_or(0)
                )));
            }
            out.notes.push(text);
        }
        out.notes.append(&mut self.left_out);
        Ok(out)
    }
}

impl<S: Source> Stream for Pages<S> {
    fn next<'a>(&'a mut self, http: &'a Http) -> Answer<'a, Option<List>> {
        Box::pin(async {
            let items = Pages::next(self, http).await?;
            items.map(List::new).transpose()
        })
    }

    fn matched(&self) -> Option<u64> {
        self.matched
    }
}

/// The address of a service, for `Source::address`.
pub fn address(url: &url::Url) -> String {
    redacted(url)
}
