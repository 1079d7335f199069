//! A STAC API service: what it is, what it can do, what it holds.

use serde_json::Value;
use stac::Item;
use url::Url;

use super::conformance::{Conformance, Feature};
use super::query::Query;
use super::search::{Endpoint, ItemSearch};
use crate::bytes::http::{Failure, Http, Request, parse_url, redacted};
use crate::catalog::item;
use crate::catalog::pages::Limits;
use crate::earth::antimeridian::ranges;
use crate::error::{Error, Remedy, Result};
use crate::time::Stretch;

/// A service whose landing page has been read.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where the landing page came from, with a slash at its end, so that names can be joined to it.
    root: Url,
    pub landing: Value,
    pub conformance: Conformance,
}

impl Client {
    /// Reads the landing page at `url`.
    ///
    /// # Errors
    /// When `url` is no web address, nobody answers there, or the answer is no STAC catalogue.
    pub async fn open(http: &Http, url: &str) -> Result<Client> {
        let url = parse_url("url", url)?;
        let (from, landing) = get(http, url.clone()).await?;
        let kind = landing["type"].as_str().unwrap_or("");
        let is_catalog =
            landing["links"].is_array() && (landing["stac_version"].is_string() || kind == "Catalog");
        if !is_catalog || matches!(kind, "Feature" | "FeatureCollection") {
            let what = match kind {
                "Feature" | "FeatureCollection" => format!("a {kind}; {}", Remedy::OpenCatalogue),
                _ => "JSON, but not that of a STAC catalogue (it has no `stac_version` and `links`)"
                    .to_string(),
            };
            return Err(Failure::wrong(
                &url,
                format!("the answer is {what}; the address of a service is that of its landing page"),
            )
            .into());
        }
        let mut root = from;
        root.set_query(None);
        root.set_fragment(None);
        let mut client = Client {
            root,
            conformance: Conformance::of(&landing),
            landing,
        };
        if client.conformance.classes.is_empty()
            && let Some(link) = client.link(&["conformance"])
        {
            let (_, answer) = get(http, link).await?;
            client.conformance = Conformance::of(&answer);
        }
        Ok(client)
    }

    /// The address, for messages.
    pub fn address(&self) -> String {
        redacted(&self.root)
    }

    pub fn title(&self) -> Option<&str> {
        self.landing["title"].as_str().or(self.landing["id"].as_str())
    }

    fn link(&self, rels: &[&str]) -> Option<Url> {
        let mut links = self.landing["links"].as_array()?.iter();
        let found = links.find(|link| rels.iter().any(|rel| link["rel"] == *rel))?;
        web(&self.root, found["href"].as_str()?)
    }

    /// The address below the landing page, as the STAC API lays them out.
    fn below(&self, names: &[&str]) -> Result<Url> {
        let mut url = self
            .link(&["data"])
            .filter(|_| names[0] == "collections")
            .unwrap_or_else(|| self.root.clone());
        let from_data = url != self.root;
        url.set_query(None);
        let unusable = || Error::message(format!("{}: nothing can lie below this address", self.address()));
        let mut path = url.path_segments_mut().map_err(|()| unusable())?;
        path.pop_if_empty();
        // Each name is one segment: a slash or a question mark in an id is encoded.
        path.extend(if from_data { &names[1..] } else { names });
        drop(path);
        Ok(url)
    }

    /// Where items are searched for.
    ///
    /// # Errors
    /// When the catalogue has no search.
    pub fn endpoint(&self) -> Result<Endpoint> {
        let links = self.landing["links"].as_array().into_iter().flatten();
        let searches: Vec<(Url, Option<String>)> = links
            .filter(|link| link["rel"] == "search")
            .filter_map(|link| {
                Some((
                    web(&self.root, link["href"].as_str()?)?,
                    link["method"].as_str().map(str::to_ascii_uppercase),
                ))
            })
            .collect();
        if let Some((url, _)) = searches.first() {
            let by = |method: &str| searches.iter().any(|(_, m)| m.as_deref() == Some(method));
            // Links without a method are from before there was one; then POST is tried and GET follows.
            let unsaid = searches.iter().any(|(_, m)| m.is_none()) && !by("POST");
            let chosen = searches
                .iter()
                .find(|(_, m)| m.as_deref() == Some("POST"))
                .map_or(url, |(url, _)| url);
            return Ok(Endpoint {
                url: chosen.clone(),
                post: by("POST") || unsaid,
                get: by("GET") || unsaid,
            });
        }
        if self.conformance.has(Feature::Search) {
            return Ok(Endpoint {
                url: self.below(&["search"])?,
                post: true,
                get: true,
            });
        }
        Err(Error::message(format!(
            "{} has no item search: it is a catalogue of files; {}",
            self.address(),
            Remedy::OpenCatalogue
        )))
    }

    /// A search for what `query` says.
    ///
    /// # Errors
    /// When the service has no search or does not know one of the parameters.
    pub fn search(&self, query: &Query, limits: Limits) -> Result<ItemSearch> {
        let endpoint = self.endpoint()?;
        query.check(&self.conformance, &self.address())?;
        ItemSearch::new(&endpoint, &self.conformance, query, limits, &self.address())
    }

    /// As `search`, by GET although the service takes POST too.
    ///
    /// # Errors
    /// As `search`.
    pub fn search_by_get(&self, query: &Query, limits: Limits) -> Result<ItemSearch> {
        let endpoint = Endpoint {
            post: false,
            get: true,
            ..self.endpoint()?
        };
        query.check(&self.conformance, &self.address())?;
        ItemSearch::new(&endpoint, &self.conformance, query, limits, &self.address())
    }

    /// All collections, as JSON objects, or those that `query` is about.
    ///
    /// # Errors
    /// Those of the requests; when the answer holds no collections.
    pub async fn collections(&self, http: &Http, query: &CollectionQuery) -> Result<Vec<Value>> {
        let mut url = self.below(&["collections"])?;
        let searched = self.conformance.has(Feature::CollectionSearch);
        let texts_searched = searched && self.conformance.has(Feature::FreeText);
        if searched {
            let parameters = query.parameters(texts_searched);
            if !parameters.is_empty() {
                url.query_pairs_mut().extend_pairs(parameters);
            }
        }
        let mut out: Vec<Value> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut next = Some(url);
        while let Some(url) = next.take() {
            if !seen.insert(url.clone()) {
                return Err(Failure::wrong(&url, "the pages of the collections go in a circle").into());
            }
            let (from, mut answer) = get(http, url.clone()).await?;
            let Some(Value::Array(list)) = answer.get_mut("collections").map(Value::take) else {
                return Err(Failure::wrong(&url, "the answer has no list of `collections`").into());
            };
            out.extend(list);
            let links = answer["links"].as_array();
            let link = links.into_iter().flatten().find(|link| link["rel"] == "next");
            next = link.and_then(|link| web(&from, link["href"].as_str()?));
        }
        out.retain(|collection| query.finds(collection, !texts_searched, !searched));
        Ok(out)
    }

    /// One collection.
    ///
    /// # Errors
    /// When there is none of this id; the nearest ids are named.
    pub async fn collection(&self, http: &Http, id: &str) -> Result<Value> {
        let url = self.below(&["collections", named("collection", id)?])?;
        match get(http, url).await {
            Ok((_, value)) => Ok(value),
            Err(failure) if failure.status() == Some(404) => {
                let all = self.collections(http, &CollectionQuery::default()).await?;
                let ids = all.iter().filter_map(|c| c["id"].as_str());
                Err(Error::not_found("collection", id, ids))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// The properties that filters can use, as a JSON Schema: of one collection, or of all.
    ///
    /// # Errors
    /// When the service has none.
    pub async fn queryables(&self, http: &Http, collection: Option<&str>) -> Result<Value> {
        const REL: &[&str] = &["http://www.opengis.net/def/rel/ogc/1.0/queryables", "queryables"];
        let url = match collection {
            Some(id) => self.below(&["collections", named("collection", id)?, "queryables"])?,
            None => match self.link(REL) {
                Some(url) => url,
                None => self.below(&["queryables"])?,
            },
        };
        match get(http, url).await {
            Ok((_, value)) => Ok(value),
            Err(failure) if failure.status() == Some(404) && !self.conformance.has(Feature::Filter) => {
                Err(Error::message(format!(
                    "{} has no queryables, since it does not filter; the properties are those of its items",
                    self.address()
                )))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// One item.
    ///
    /// # Errors
    /// When there is none of this id in the collection.
    pub async fn item(&self, http: &Http, collection: &str, id: &str) -> Result<Item> {
        let url = self.below(&[
            "collections",
            named("collection", collection)?,
            "items",
            named("id", id)?,
        ])?;
        match get(http, url.clone()).await {
            Ok((_, value)) => {
                Ok(item::read(value).map_err(|text| Failure::wrong(&url, format!("the answer {text}")))?)
            }
            Err(failure) if failure.status() == Some(404) => {
                let text = failure.to_string();
                Err(Error::message(format!(
                    "no item `{id}` in the collection `{collection}` ({text})"
                )))
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

/// Which collections are wanted.
#[derive(Debug, Clone, Default)]
pub struct CollectionQuery {
    /// Words in the id, the title, the description or the keywords.
    pub text: Option<String>,
    /// West, south, east, north.
    pub bbox: Option<[f64; 4]>,
    pub datetime: Option<super::Interval>,
}

impl CollectionQuery {
    fn parameters(&self, with_text: bool) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        if let (Some(text), true) = (&self.text, with_text) {
            out.push(("q", text.clone()));
        }
        if let Some(bbox) = self.bbox {
            out.push(("bbox", bbox.map(|x| x.to_string()).join(",")));
        }
        if let Some(datetime) = &self.datetime {
            out.push(("datetime", datetime.to_string()));
        }
        out
    }

    /// What the service could not search for is looked for here.
    fn finds(&self, collection: &Value, texts: bool, extents: bool) -> bool {
        if let (Some(text), true) = (&self.text, texts) {
            let said: Vec<&Value> = ["id", "title", "description", "keywords"]
                .iter()
                .map(|name| &collection[*name])
                .collect();
            let said = said
                .iter()
                .map(|v| v.to_string().to_lowercase())
                .collect::<Vec<_>>()
                .join(" ");
            if !text
                .to_lowercase()
                .split_whitespace()
                .all(|word| said.contains(word))
            {
                return false;
            }
        }
        if !extents {
            return true;
        }
        // The first of several extents is the hull of the others.
        let extent = &collection["extent"];
        let numbers = |v: &Value| -> Option<Vec<f64>> { v.as_array()?.iter().map(Value::as_f64).collect() };
        let theirs = numbers(&extent["spatial"]["bbox"][0]).and_then(|b| match b[..] {
            [w, s, e, n] | [w, s, _, e, n, _] => Some([w, s, e, n]),
            _ => None,
        });
        if let (Some(a), Some(b)) = (self.bbox, theirs)
            && (a[1] > b[3] || b[1] > a[3] || !meet((a[0], a[2]), (b[0], b[2])))
        {
            return false;
        }
        let interval = &extent["temporal"]["interval"][0];
        let named = |v: &Value| v.as_str().and_then(Stretch::parse);
        let (first, last) = (named(&interval[0]), named(&interval[1]));
        self.datetime
            .is_none_or(|d| d.meets(first.map(|s| s.first), last.map(|s| s.last)))
    }
}

/// Whether two ranges of longitudes meet, either of which may lie over the antimeridian.
fn meet(a: (f64, f64), b: (f64, f64)) -> bool {
    let theirs = ranges(b.0, b.1);
    ranges(a.0, a.1)
        .iter()
        .any(|a| theirs.iter().any(|b| a.0 <= b.1 && b.0 <= a.1))
}

fn named<'a>(what: &'static str, id: &'a str) -> Result<&'a str> {
    match id.trim().is_empty() || matches!(id, "." | "..") {
        true => Err(Error::argument(what, "an id", format!("`{id}`"))),
        false => Ok(id),
    }
}

/// `href` as it lies to `base`; only addresses of the web.
fn web(base: &Url, href: &str) -> Option<Url> {
    let mut folder = base.clone();
    if !folder.path().ends_with('/') && !href.contains("://") && !folder.path().ends_with(".json") {
        folder.set_path(&format!("{}/", base.path()));
    }
    let url = folder.join(href).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// JSON from `url`, and where it came from after redirects.
pub(super) async fn get(http: &Http, url: Url) -> Result<(Url, Value), Failure> {
    let request = Request::get(url).accept("application/json, application/geo+json");
    let response = http.send(&request).await?;
    let from = response.url().clone();
    let value: Value = response.json(http.settings.largest_answer).await?;
    Ok((from, value))
}
