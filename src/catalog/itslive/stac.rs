//! The STAC service, with the collection `itslive-granules`.

use serde_json::{Value, json};
use url::Url;

use super::GRANULES;
use super::query::Query;
use crate::bytes::http::{Http, redacted};
use crate::catalog::items::Items;
use crate::catalog::list::List;
use crate::catalog::pages::{Answer, Limits, Search, Stream};
use crate::catalog::stac::{self as service, Client, Filter, Interval, ItemSearch};
use crate::error::Result;

pub use crate::catalog::stac::PAGE;

pub const ENDPOINT: &str = "https://stac.itslive.cloud";

#[derive(Debug, Clone)]
pub struct StacSearch {
    query: Query,
    endpoint: Url,
    page: usize,
}

impl StacSearch {
    /// `page`: granules an answer to begin with.
    ///
    /// # Errors
    /// When the query excludes everything.
    pub fn new(query: Query, endpoint: Url, page: usize) -> Result<StacSearch> {
        query.check()?;
        Ok(StacSearch {
            query,
            endpoint,
            page,
        })
    }

    fn limits(&self) -> Limits {
        Limits {
            page: self.page,
            most: self.query.most,
            partial: self.query.partial,
        }
    }

    /// The service has to be asked what it can do before it can be searched.
    async fn open(&self, http: &Http) -> Result<ItemSearch> {
        let query = service::Query {
            collections: vec![GRANULES.to_string()],
            area: Some(service::Area::intersects(&self.query.area.to_geojson())?),
            datetime: self
                .query
                .datetime()
                .map(|text| Interval::parse(&text))
                .transpose()?,
            filter: self.query.filter().map(Filter::json).transpose()?,
            ..service::Query::default()
        };
        Client::open(http, self.endpoint.as_str())
            .await?
            .search(&query, self.limits())
    }

    async fn find(&self, http: &Http) -> Result<Items> {
        let mut found = self.open(http).await?.all(http).await?;
        found.request = self.describe();
        if found.is_empty() && self.query.most != Some(0) {
            found.notes.push(super::nothing_found("stac"));
        }
        Ok(found)
    }
}

impl Search for StacSearch {
    fn describe(&self) -> Value {
        json!({
            "service": "itslive-stac",
            "url": redacted(&self.endpoint),
            "collections": [GRANULES],
            "intersects": self.query.area.to_geojson(),
            "datetime": self.query.datetime(),
            "filter": self.query.filter(),
            "max_items": self.query.most,
        })
    }

    fn all<'a>(&'a self, http: &'a Http) -> Answer<'a, Items> {
        Box::pin(self.find(http))
    }

    fn matched<'a>(&'a self, http: &'a Http) -> Answer<'a, Option<u64>> {
        Box::pin(async { self.open(http).await?.matched(http).await })
    }

    fn stream(&self) -> Box<dyn Stream> {
        Box::new(Opening {
            search: self.clone(),
            pages: None,
        })
    }
}

/// The pages, once the service has been opened.
struct Opening {
    search: StacSearch,
    pages: Option<Box<dyn Stream>>,
}

impl Stream for Opening {
    fn next<'a>(&'a mut self, http: &'a Http) -> Answer<'a, Option<List>> {
        Box::pin(async {
            if self.pages.is_none() {
                self.pages = Some(self.search.open(http).await?.stream());
            }
            match &mut self.pages {
                Some(pages) => pages.next(http).await,
                None => Ok(None),
            }
        })
    }

    fn matched(&self) -> Option<u64> {
        self.pages.as_ref()?.matched()
    }
}
