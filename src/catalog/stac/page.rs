//! One page of a search's answer: its items, its count, and where the next page is.

use crate::bytes::http::Method;
use crate::bytes::http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stac::Item;
use url::Url;

use crate::bytes::http::{Failure, Request, parse_json};
use crate::catalog::item::{self, Invalid};

/// The request of one page.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub method: Method,
    pub url: Url,
    /// Of a POST request.
    pub body: Map<String, Value>,
    /// What a link to a next page wants to be sent with it.
    pub headers: HeaderMap,
}

pub struct Answer {
    pub items: Vec<Item>,
    /// What is said of entries that are no items.
    pub left_out: Vec<String>,
    pub matched: Option<u64>,
    pub next: Option<Call>,
}

/// An ItemCollection as services write it. Links stay JSON: one that nobody needs must not spoil the page.
#[derive(Deserialize)]
struct Collection {
    features: Vec<Value>,
    #[serde(default)]
    links: Option<Vec<Value>>,
    #[serde(rename = "numberMatched", default)]
    matched: Option<Value>,
    /// The same count in STAC API 1.0.0-beta and in Earth Search.
    #[serde(default)]
    context: Option<Value>,
}

/// Parameters that count items or pages: with another page size they mean another place.
const COUNTING: &[&str] = &["page", "offset", "startindex", "start_index", "skip", "from"];

impl Call {
    pub fn request(&self) -> Request {
        let mut request = match self.method == Method::POST {
            true => Request::json(self.url.clone(), &Value::Object(self.body.clone())),
            false => Request::get(self.url.clone()),
        };
        for (name, value) in &self.headers {
            request.headers.insert(name.clone(), value.clone());
            // They were said by this host and are for it alone.
            request.bound.push(name.clone());
        }
        request.accept("application/geo+json, application/json")
    }

    /// The same page with another number of items, where that leaves its beginning in place.
    pub fn sized(&self, size: usize) -> Call {
        let mut call = self.clone();
        let counts = |name: &str| COUNTING.contains(&name.to_ascii_lowercase().as_str());
        if self.method == Method::POST {
            if !self.body.keys().any(|name| counts(name)) {
                call.body.insert("limit".into(), json!(size));
            }
            return call;
        }
        if self.url.query_pairs().any(|(name, _)| counts(&name)) {
            return call;
        }
        let others: Vec<(String, String)> = self
            .url
            .query_pairs()
            .filter(|(name, _)| name != "limit")
            .map(|(a, b)| (a.into(), b.into()))
            .collect();
        call.url
            .query_pairs_mut()
            .clear()
            .extend_pairs(&others)
            .append_pair("limit", &size.to_string());
        call
    }
}

/// Reads the answer to `call`, which came from `from`.
///
/// # Errors
/// When it is no ItemCollection, or one of its items is no STAC item and `invalid` refuses it: the message names it.
pub fn read(call: &Call, from: &Url, bytes: &[u8], invalid: Invalid) -> Result<Answer, Failure> {
    let page = collection(call, bytes)?;
    let (items, left_out) = item::read_all(page.features, invalid)
        .map_err(|text| Failure::wrong(&call.url, format!("in the answer, {text}")))?;
    let count = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let matched = page.matched.as_ref().and_then(count);
    let matched = matched.or_else(|| count(page.context.as_ref()?.get("matched")?));
    let next = match page.links.iter().flatten().find(|link| link["rel"] == "next") {
        Some(link) => Some(follow(call, from, link)?),
        None => None,
    };
    if next.as_ref() == Some(call) {
        return Err(Failure::wrong(
            &call.url,
            "the server names this page as its own next page; the search would never end",
        ));
    }
    Ok(Answer {
        items,
        left_out,
        matched,
        next,
    })
}

/// The page, with its items as they are written.
fn collection(call: &Call, bytes: &[u8]) -> Result<Collection, Failure> {
    let whole: Value = parse_json(&call.url, bytes)?;
    let kind = whole["type"].as_str().unwrap_or("").to_string();
    let said = ["description", "detail", "message", "error"]
        .iter()
        .find_map(|name| whole[*name].as_str())
        .map(str::to_string);
    serde_json::from_value(whole).map_err(|_| {
        let text = match (kind.as_str(), said) {
            ("", Some(text)) => format!("the answer is no list of STAC items; it says: {text}"),
            ("", None) => "the answer is JSON but no list of STAC items (no `features`)".to_string(),
            _ => format!("the answer is a {kind} without a list of `features`, no list of STAC items"),
        };
        Failure::wrong(&call.url, text)
    })
}

/// The request that a link `next` stands for (STAC API, Item Search, Paging).
pub fn follow(call: &Call, from: &Url, link: &Value) -> Result<Call, Failure> {
    let wrong = |text: String| Failure::wrong(&call.url, format!("the link to the next page {text}"));
    let href = link["href"]
        .as_str()
        .ok_or_else(|| wrong("has no address".into()))?;
    let url = from
        .join(href)
        .map_err(|e| wrong(format!("has an unusable address `{href}` ({e})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("is no web address: `{href}`")));
    }
    let method = match link["method"]
        .as_str()
        .unwrap_or("GET")
        .to_ascii_uppercase()
        .as_str()
    {
        "GET" => Method::GET,
        "POST" => Method::POST,
        other => return Err(wrong(format!("wants the method {other}"))),
    };
    let mut body = Map::new();
    if method == Method::POST {
        // With `merge` the link's body is laid over the one before; without a body at all only the address differs.
        let given = link["body"].as_object();
        if link["merge"].as_bool() == Some(true) || given.is_none() {
            body = call.body.clone();
        }
        body.extend(given.cloned().into_iter().flatten());
    }
    let mut headers = HeaderMap::new();
    for (name, value) in link["headers"].as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(text)) {
            // The length, the type and the credentials of a request are its sender's business.
            let ours = [
                "authorization",
                "cookie",
                "content-length",
                "content-type",
                "host",
                "transfer-encoding",
                "connection",
            ];
            if !ours.contains(&name.as_str()) {
                headers.insert(name, value);
            }
        }
    }
    Ok(Call {
        method,
        url,
        body,
        headers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        let Value::Object(body) = json!({ "collections": ["a"], "limit": 10 }) else {
            panic!()
        };
        Call {
            method: Method::POST,
            url: Url::parse("https://h/v1/search").unwrap(),
            body,
            headers: HeaderMap::new(),
        }
    }

    fn next(link: Value) -> Call {
        let bytes = json!({ "type": "FeatureCollection", "features": [], "links": [link] }).to_string();
        read(&call(), &call().url, bytes.as_bytes(), Invalid::Refuse)
            .unwrap()
            .next
            .unwrap()
    }

    #[test]
    fn next_links_are_followed_in_all_their_forms() {
        let body = |call: Call| Value::Object(call.body);
        let whole = next(
            json!({ "rel": "next", "href": "https://h/v1/search", "method": "POST", "body": { "token": "t" } }),
        );
        assert_eq!(body(whole), json!({ "token": "t" }));
        let merged = next(
            json!({ "rel": "next", "href": "search", "method": "post", "merge": true, "body": { "token": "t" } }),
        );
        assert_eq!(merged.url.as_str(), "https://h/v1/search");
        assert_eq!(
            body(merged),
            json!({ "collections": ["a"], "limit": 10, "token": "t" })
        );
        let bare = next(json!({ "rel": "next", "href": "?token=t", "method": "POST" }));
        assert_eq!(bare.url.as_str(), "https://h/v1/search?token=t");
        assert_eq!(body(bare), json!({ "collections": ["a"], "limit": 10 }));
        let get = next(
            json!({ "rel": "next", "href": "/v1/search?token=t", "headers": { "X-Page": 2, "Authorization": "x" } }),
        );
        assert_eq!((get.method.clone(), body(get.clone())), (Method::GET, json!({})));
        assert_eq!(get.headers.len(), 1);
        assert_eq!(get.headers["x-page"], "2");
    }

    #[test]
    fn sizes_change_where_the_place_stays() {
        assert_eq!(call().sized(5).body["limit"], 5);
        let get = |text: &str| Call {
            method: Method::GET,
            url: Url::parse(text).unwrap(),
            ..call()
        };
        assert_eq!(
            get("https://h/s?limit=10&token=a%2Fb").sized(5).url.as_str(),
            "https://h/s?token=a%2Fb&limit=5"
        );
        assert_eq!(
            get("https://h/s?limit=10&page=3").sized(5).url.as_str(),
            "https://h/s?limit=10&page=3"
        );
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let error = |text: &str| {
            read(&call(), &call().url, text.as_bytes(), Invalid::Refuse)
                .err()
                .unwrap()
                .to_string()
        };
        assert!(error("<html><title>Sign in</title>").contains("web page"));
        assert!(error("{\"features\": [").contains("not JSON"));
        assert!(error(r#"{"description": "no such index"}"#).contains("no such index"));
        assert!(error(r#"{"type": "Catalog", "links": []}"#).contains("a Catalog without"));
        assert!(error("[1, 2]").contains("no list of STAC items"));
        assert!(
            error(r#"{"features": [{"type": "Feature", "properties": {}}]}"#)
                .contains("in the answer, item 1 has no `id`")
        );
        let bad = r#"{"features": [{"id": "x", "type": "Feature", "geometry": null, "properties": {"datetime": "noon"}}]}"#;
        assert!(
            error(bad).contains("in the answer, item 1 (`x`)"),
            "{}",
            error(bad)
        );
        let own = json!({ "features": [], "links": [{ "rel": "next", "href": "https://h/v1/search", "method": "POST", "body": call().body }] });
        assert!(error(&own.to_string()).contains("would never end"));
    }

    #[test]
    fn items_without_geometry_or_time_and_with_loose_nodata_are_items() {
        let text = json!({ "type": "FeatureCollection", "numberMatched": "3", "features": [
            { "id": "a", "type": "Feature", "geometry": null, "properties": {}, "assets": { "x": { "href": "x.tif", "nodata": "nan" } } },
            { "id": "b", "type": "Feature", "properties": { "datetime": null }, "links": [], "assets": {} },
        ] });
        let answer = read(&call(), &call().url, text.to_string().as_bytes(), Invalid::Refuse).unwrap();
        assert_eq!(answer.matched, Some(3));
        assert!(answer.items[0].assets["x"].nodata.unwrap().is_nan());
        assert!(answer.items[1].geometry.is_none() && answer.items[1].properties.datetime.is_none());
    }
}
