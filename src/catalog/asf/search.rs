//! A search of ASF's archive by CMR: its requests side by side, put together again, checked.

use std::collections::VecDeque;
use std::sync::Arc;

use geo::{Geometry, Intersects};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use url::Url;

use super::granule;
use super::options::AsfOptions;
use super::request::{self, Fields, Query};
use crate::bytes::http::{Failure, Http, Request, parse_url};
use crate::catalog::footprint;
use crate::catalog::items::Items;
use crate::catalog::list::List;
use crate::catalog::pages::{Answer, Ask, Limits, Page, Pages, Search, Source, Stream, address};
use crate::error::{Error, Result};

/// The live service.
pub const CMR: &str = "https://cmr.earthdata.nasa.gov/search/granules.umm_json";
/// Requests of one search under way at a time.
const SIDE_BY_SIDE: usize = 4;
/// Spans longer than this are counted first, and cut if there is much.
const LONG_SPAN_DAYS: f64 = 366.0;
const MOST_SLICES: usize = 32;

#[derive(Clone)]
pub struct AsfSearch {
    url: Url,
    options: AsfOptions,
    queries: Vec<Query>,
}

impl AsfSearch {
    /// `url` is another CMR than the live one, where given.
    ///
    /// # Errors
    /// When an option is wrong, or `url` is no web address.
    pub fn new(options: AsfOptions, url: Option<&str>) -> Result<AsfSearch> {
        Ok(AsfSearch {
            url: parse_url("url", url.unwrap_or(CMR))?,
            queries: request::queries(&options)?,
            options,
        })
    }

    /// Every request of the search with its times, page size apart.
    fn parts(&self, start: Option<Timestamp>, end: Option<Timestamp>) -> Vec<(Fields, bool)> {
        let times = request::temporal(start, end, self.options.season);
        let mut parts = Vec::new();
        for query in &self.queries {
            for time in &times {
                let mut fields = query.fields.clone();
                fields.extend(time.iter().map(|t| ("temporal".to_string(), t.clone())));
                parts.push((fields, query.exact));
            }
        }
        parts
    }

    fn source(&self, fields: &Fields) -> CmrSource {
        CmrSource {
            url: self.url.clone(),
            fields: fields.clone(),
            search_after: None,
            received: 0,
        }
    }

    async fn count(&self, http: &Http) -> Result<u64> {
        let mut total = 0;
        for (fields, _) in self.parts(self.options.start, self.options.end) {
            let mut fields = fields;
            fields.push(("page_size".into(), "0".into()));
            fields.extend(request::closing());
            let request = Request::form(self.url.clone(), &fields);
            let answer = http.send(&request).await?;
            total += hits(&answer).ok_or_else(|| Failure::wrong(&self.url, NO_HITS))?;
        }
        Ok(total)
    }

    /// The time slices to search side by side: one, or more where the span is long and holds much.
    async fn slices(&self, http: &Http) -> Result<(Vec<[Option<Timestamp>; 2]>, Option<u64>)> {
        let whole = [self.options.start, self.options.end];
        let (Some(start), None, None) = (self.options.start, self.options.season, self.options.max_results)
        else {
            return Ok((vec![whole], None));
        };
        let end = self.options.end.unwrap_or_else(Timestamp::now);
        let seconds = end.duration_since(start).as_secs_f64();
        if seconds / 86_400.0 <= LONG_SPAN_DAYS {
            return Ok((vec![whole], None));
        }
        let count = self.count(http).await?;
        let pages = count.div_ceil(self.options.page as u64) as usize;
        if pages < 3 {
            return Ok((vec![whole], Some(count)));
        }
        let n = pages.min(MOST_SLICES);
        let step = (seconds / n as f64) as i64;
        let cut = |i: usize| {
            start
                .checked_add(jiff::SignedDuration::from_secs(step * i as i64))
                .unwrap_or(end)
        };
        let slices = (0..n).map(|i| {
            let last = if i + 1 == n {
                self.options.end
            } else {
                Some(cut(i + 1))
            };
            [Some(cut(i)), last]
        });
        Ok((slices.collect(), Some(count)))
    }

    async fn run(&self, http: &Http) -> Result<Items> {
        let (slices, counted) = self.slices(http).await?;
        let sliced = slices.len() > 1;
        let gate = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        let mut out = Items {
            request: self.describe(),
            retrieved: Some(Timestamp::now()),
            matched: Some(0),
            ..Items::default()
        };
        let parts: Vec<(Fields, bool)> = slices
            .iter()
            .flat_map(|[start, end]| self.parts(*start, *end))
            .collect();
        let limits = Limits {
            page: self.options.page,
            most: self.options.max_results,
            partial: self.options.partial,
        };
        let work = parts.iter().map(|(fields, _)| {
            let gate = gate.clone();
            async move {
                let _turn = gate.acquire().await;
                Pages::new(self.source(fields), limits)
                    .all(http, Value::Null)
                    .await
            }
        });
        let found = futures_util::future::try_join_all(work).await?;
        for (part, (_, exact)) in found.into_iter().zip(&parts) {
            out.matched = out.matched.zip(part.matched).map(|(a, b)| a + b);
            out.notes.extend(part.notes);
            out.items.append(match (exact, &self.options.intersects_with) {
                (false, Some(area)) => inside(&part.items, area)?,
                _ => part.items,
            });
        }
        // What lies on the border of two slices or two areas comes from both.
        let repeated = out.drop_repeated();
        if sliced {
            out.matched = counted;
        }
        self.check(&mut out, repeated, parts.iter().all(|(_, exact)| *exact))?;
        let ends = out.items.iter().map(|item| Ok(item?.properties.end_datetime));
        let ends: Vec<_> = ends.collect::<Result<_>>()?;
        let mut order: Vec<usize> = (0..ends.len()).collect();
        order.sort_by(|&a, &b| {
            let by_id = || out.items.id(a).cmp(out.items.id(b));
            ends[b].cmp(&ends[a]).then_with(by_id)
        });
        out.items = out.items.take(&order);
        if let Some(most) = self.options.max_results {
            out.items.truncate(most);
        }
        Ok(out)
    }

    fn check(&self, out: &mut Items, repeated: usize, exact: bool) -> Result<()> {
        let Some(matched) = out.matched else {
            return Ok(());
        };
        let unique = out.items.len() as u64;
        if self.options.max_results.is_some() || !exact || self.queries.len() > 1 {
            out.notes.extend((repeated > 0).then(|| {
                format!("{repeated} granules answer more than one of the requests, and are counted once")
            }));
            return Ok(());
        }
        if unique < matched {
            let text = format!("CMR counts {matched} granules but gave {unique} of them");
            if !self.options.partial {
                return Err(Error::message(format!(
                    "{}: {text}; search again, or take what there is with `partial = true`",
                    address(&self.url)
                )));
            }
            out.notes.push(text);
        }
        Ok(())
    }
}

/// Those whose footprint meets the area that was really asked for. One without a footprint is kept: nothing speaks against it.
fn inside(items: &List, area: &Geometry) -> Result<List> {
    let area = footprint::settle_area(area)?;
    let mut kept = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if footprint::of(&*item?)?.is_none_or(|shape| shape.intersects(&area)) {
            kept.push(index);
        }
    }
    Ok(items.take(&kept))
}

impl Search for AsfSearch {
    fn describe(&self) -> Value {
        let requests: Vec<Fields> = self
            .parts(self.options.start, self.options.end)
            .into_iter()
            .map(|(f, _)| f)
            .collect();
        json!({
            "service": "asf",
            "url": address(&self.url),
            "requests": requests,
            "max_results": self.options.max_results,
        })
    }

    fn all<'a>(&'a self, http: &'a Http) -> Answer<'a, Items> {
        Box::pin(self.run(http))
    }

    fn matched<'a>(&'a self, http: &'a Http) -> Answer<'a, Option<u64>> {
        Box::pin(async move { self.count(http).await.map(Some) })
    }

    fn stream(&self) -> Box<dyn Stream> {
        let limits = Limits {
            page: self.options.page,
            most: self.options.max_results,
            partial: self.options.partial,
        };
        let pages = self
            .parts(self.options.start, self.options.end)
            .into_iter()
            .map(|(fields, exact)| (Pages::new(self.source(&fields), limits), exact));
        Box::new(AsfStream {
            pages: pages.collect(),
            area: self.options.intersects_with.clone(),
            left: self.options.max_results.unwrap_or(usize::MAX),
            seen: Default::default(),
        })
    }
}

/// One request after the other, page by page.
struct AsfStream {
    pages: VecDeque<(Pages<CmrSource>, bool)>,
    area: Option<Geometry>,
    left: usize,
    seen: std::collections::HashSet<String>,
}

impl Stream for AsfStream {
    fn next<'a>(&'a mut self, http: &'a Http) -> Answer<'a, Option<List>> {
        Box::pin(async move {
            while let Some((pages, exact)) = self.pages.front_mut() {
                let Some(items) = pages.next(http).await? else {
                    self.pages.pop_front();
                    continue;
                };
                let mut items = List::new(items)?;
                if let (false, Some(area)) = (*exact, &self.area) {
                    items = inside(&items, area)?;
                }
                let is_new = |&i: &usize| self.seen.insert(items.id(i).to_string());
                let new: Vec<usize> = (0..items.len()).filter(is_new).collect();
                items = items.take(&new);
                items.truncate(self.left);
                self.left -= items.len();
                if self.left == 0 {
                    self.pages.clear();
                }
                if !items.is_empty() {
                    return Ok(Some(items));
                }
            }
            Ok(None)
        })
    }

    fn matched(&self) -> Option<u64> {
        self.pages.front().and_then(|(pages, _)| pages.matched())
    }
}

const NO_HITS: &str = "the answer has no header CMR-Hits, so it is not CMR's";

/// One request of CMR, page by page: the header CMR-Search-After says where the next one begins, and is absent after the last.
struct CmrSource {
    url: Url,
    fields: Fields,
    search_after: Option<String>,
    received: u64,
}

impl Source for CmrSource {
    async fn page(&mut self, http: &Http, ask: Ask) -> Result<Page, Failure> {
        let mut fields = self.fields.clone();
        fields.push(("page_size".into(), ask.size.to_string()));
        fields.extend(request::closing());
        let mut request = Request::form(self.url.clone(), &fields);
        request.attempts = ask.attempts;
        if let Some(after) = &self.search_after {
            let value = after
                .parse()
                .map_err(|_| Failure::wrong(&self.url, "its CMR-Search-After cannot be sent back"))?;
            request.headers.insert("cmr-search-after", value);
        }
        let answer = http.send(&request).await?;
        let matched = hits(&answer);
        let after = answer.header("cmr-search-after").map(str::to_string);
        let mut body: Value = answer.json(http.settings.largest_answer).await?;
        let matched = matched.or(body["hits"].as_u64());
        let Value::Array(entries) = body["items"].take() else {
            return Err(Failure::wrong(
                &self.url,
                "the answer has no `items`, so it is not CMR's",
            ));
        };
        let items = entries
            .iter()
            .map(|entry| {
                granule::item(entry).ok_or_else(|| {
                    let id = entry["meta"]["native-id"].as_str().unwrap_or("without a name");
                    Failure::wrong(&self.url, format!("the entry {id} is no granule"))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        self.received += items.len() as u64;
        let more = after.is_some() && !items.is_empty() && matched.is_none_or(|m| self.received < m);
        self.search_after = after;
        Ok(Page {
            items,
            left_out: Vec::new(),
            matched,
            more,
        })
    }

    fn address(&self) -> String {
        address(&self.url)
    }
}

fn hits(answer: &crate::bytes::http::Response) -> Option<u64> {
    answer.header("cmr-hits")?.trim().parse().ok()
}
