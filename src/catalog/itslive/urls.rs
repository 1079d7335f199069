//! The older service, which answers with addresses of files: NSIDC's `itslive-search`, and mirrors of it.
//!
//! `GET …/velocities/urls/?polygon=…&start=…&end=…&percent_valid_pixels=…&min_interval=…&max_interval=…`, with
//! `…/velocities/coverage/` beside it, which counts what the same question finds year by year.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};
use stac::{Asset, Item};
use url::Url;

use super::area::Area;
use super::names::{self, Acquisition, Frame, Granule, id_of, projection_of, stamp};
use super::query::Query;
use crate::bytes::http::{Failure, Http, Request, redacted};
use crate::catalog::items::Items;
use crate::catalog::list::List;
use crate::catalog::pages::{Answer, Search, Stream};
use crate::error::{Choice, Error, Result};

pub const ENDPOINT: &str = "https://nsidc.org/apps/itslive-search/velocities/urls/";

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Serialization {
    #[default]
    Json,
    Text,
    Html,
}

impl Choice for Serialization {
    const ALL: &'static [(&'static str, Self)] = &[
        ("json", Serialization::Json),
        ("text", Serialization::Text),
        ("html", Serialization::Html),
    ];
}

#[derive(Debug, Clone)]
pub struct UrlSearch {
    query: Query,
    endpoint: Url,
    serialization: Serialization,
}

impl UrlSearch {
    /// # Errors
    /// When the query asks for what this service cannot: a place that is a point, polygons with holes, a projection.
    pub fn new(query: Query, endpoint: Url, serialization: Serialization) -> Result<UrlSearch> {
        query.check()?;
        let instead = "service = \"stac\" can";
        if !query.area.points.is_empty() || query.area.polygons.0.is_empty() {
            return Err(Error::message(format!(
                "the service of addresses cannot search at a point; {instead}"
            )));
        }
        if query.area.polygons.iter().any(|p| !p.interiors().is_empty()) {
            return Err(Error::message(format!(
                "the service of addresses cannot search polygons with holes; {instead}"
            )));
        }
        if query.epsg.is_some() {
            return Err(Error::message(format!(
                "the service of addresses cannot search by projection; {instead}"
            )));
        }
        Ok(UrlSearch {
            query,
            endpoint,
            serialization,
        })
    }

    /// The parameters of each request: one for every polygon and platform.
    fn questions(&self) -> Vec<Vec<(&'static str, String)>> {
        let mut out = Vec::new();
        let places = places(&self.query.area);
        let (start, end) = self.query.days();
        let missions: Vec<Option<&String>> = match self.query.platforms.as_slice() {
            [] => vec![None],
            some => some.iter().map(Some).collect(),
        };
        for place in &places {
            for mission in &missions {
                let q = &self.query;
                let mut fields = vec![place.clone()];
                let mut put =
                    |name: &'static str, value: Option<String>| fields.extend(value.map(|v| (name, v)));
                put("start", start.map(|d| d.to_string()));
                put("end", end.map(|d| d.to_string()));
                put(
                    "percent_valid_pixels",
                    q.percent_valid_pixels.map(|p| p.to_string()),
                );
                put("min_interval", q.min_separation.map(|d| d.to_string()));
                put("max_interval", q.max_separation.map(|d| d.to_string()));
                put("mission", mission.cloned());
                put(
                    "version",
                    q.version.as_ref().map(|v| v.trim_start_matches('0').to_string()),
                );
                out.push(fields);
            }
        }
        out
    }

    async fn find(&self, http: &Http) -> Result<Items> {
        let questions = self.questions();
        let mut urls: Vec<(String, Option<String>)> = Vec::new();
        for fields in &questions {
            urls.extend(self.ask(http, fields).await?);
        }
        let mut out = Items {
            request: self.describe(),
            retrieved: Some(jiff::Timestamp::now()),
            ..Items::default()
        };
        // A granule that two polygons reach is counted by both, so that only single questions can be checked.
        if let [fields] = questions.as_slice() {
            match self.count(http, fields).await {
                Ok(count) => out.matched = count,
                Err(failure) => out
                    .notes
                    .push(format!("the service did not say how many there are: {failure}")),
            }
        }
        self.check(&mut out, urls.len() as u64)?;
        let mut strangers = Vec::new();
        let (mut refused, mut items) = (0, Vec::new());
        for (url, browse) in &urls {
            match Granule::parse(url) {
                Ok(granule) if self.query.admits(&granule) => {
                    items.push(item(url, browse.as_deref(), Some(&granule))?)
                }
                Ok(_) => refused += 1,
                Err(error) => {
                    strangers.push(error);
                    items.push(item(url, browse.as_deref(), None)?);
                }
            }
        }
        out.items.extend(items)?;
        if refused > 0 {
            out.notes.push(format!("{refused} of {} granules were left out: the service sent them although they are not what was asked for", urls.len()));
        }
        if let Some(first) = strangers.first() {
            out.notes.push(format!(
                "{} names cannot be read; the first: {first}",
                strangers.len()
            ));
        }
        let repeated = out.drop_repeated();
        if repeated > 0 {
            out.notes.push(format!(
                "{repeated} granules came more than once and are counted once"
            ));
        }
        if let Some(most) = self.query.most {
            out.items.truncate(most);
        }
        if out.is_empty() {
            out.notes.push(super::nothing_found("urls"));
        }
        Ok(out)
    }

    /// Fewer than counted is an error, or a note where the user wants what there is.
    fn check(&self, out: &mut Items, received: u64) -> Result<()> {
        let Some(counted) = out.matched.filter(|m| *m != received) else {
            return Ok(());
        };
        let text = format!("the service counts {counted} granules but listed {received}");
        if received < counted && !self.query.partial {
            return Err(Error::message(format!(
                "{}: {text}; search again, or take what there is with `partial = true`",
                redacted(&self.endpoint)
            )));
        }
        out.notes.push(text);
        Ok(())
    }

    /// Addresses of granules with those of their pictures.
    async fn ask(
        &self,
        http: &Http,
        fields: &[(&'static str, String)],
    ) -> Result<Vec<(String, Option<String>)>, Failure> {
        let mut url = self.endpoint.clone();
        url.query_pairs_mut()
            .extend_pairs(fields)
            .append_pair("serialization", self.serialization.name());
        let limit = http.settings.largest_answer;
        let answer = http.send(&Request::get(url.clone())).await?;
        match self.serialization {
            Serialization::Json => {
                listed(answer.json::<Value>(limit).await?).map_err(|e| Failure::wrong(&url, e))
            }
            other => {
                let page = answer.media_type().is_some_and(|t| t == "text/html");
                let bytes = answer.bytes(limit).await?;
                let text = String::from_utf8_lossy(&bytes);
                match other {
                    Serialization::Html => Ok(links(&text)),
                    // A page of a login or an error in place of the list.
                    _ if page || text.trim_start().starts_with('<') => Err(Failure::wrong(
                        &url,
                        "the service sent a web page in place of a list of addresses",
                    )),
                    _ => lines(&text).map_err(|e| Failure::wrong(&url, e)),
                }
            }
        }
    }

    /// The sum of the years. `None` where the service has nothing beside its list that counts.
    async fn count(&self, http: &Http, fields: &[(&'static str, String)]) -> Result<Option<u64>, Failure> {
        let Some(mut url) = self.sibling() else {
            return Ok(None);
        };
        url.query_pairs_mut().extend_pairs(fields);
        let answer = match http.send(&Request::get(url.clone()).once()).await {
            Err(failure) if matches!(failure.status(), Some(404 | 405 | 410)) => return Ok(None),
            other => other?,
        };
        let years: Value = answer.json(http.settings.largest_answer).await?;
        let counts = years
            .as_array()
            .map(|list| list.iter().map(|year| year["count"].as_u64()));
        match counts.and_then(|c| c.sum::<Option<u64>>()) {
            Some(sum) => Ok(Some(sum)),
            None => Err(Failure::wrong(
                &url,
                "the answer is not a list of years with counts",
            )),
        }
    }

    /// `…/velocities/coverage/` beside `…/velocities/urls/`.
    fn sibling(&self) -> Option<Url> {
        let path = self.endpoint.path().trim_end_matches('/').strip_suffix("/urls")?;
        let mut url = self.endpoint.clone();
        url.set_path(&format!("{path}/coverage/"));
        Some(url)
    }
}

impl Search for UrlSearch {
    /// Each parameter once, with the list of its values where the requests differ in it.
    fn describe(&self) -> Value {
        let mut out = json!({ "service": "itslive-urls", "url": redacted(&self.endpoint) });
        for (name, value) in self.questions().into_iter().flatten() {
            match &mut out[name] {
                known @ Value::Null => *known = Value::from(value),
                Value::Array(values) if !values.contains(&Value::from(value.as_str())) => {
                    values.push(Value::from(value))
                }
                Value::String(first) if *first != value => out[name] = json!([first, value]),
                _ => {}
            }
        }
        out
    }

    fn all<'a>(&'a self, http: &'a Http) -> Answer<'a, Items> {
        Box::pin(self.find(http))
    }

    fn matched<'a>(&'a self, http: &'a Http) -> Answer<'a, Option<u64>> {
        Box::pin(async {
            match self.questions().as_slice() {
                [fields] => Ok(self.count(http, fields).await?),
                _ => Ok(None),
            }
        })
    }

    fn stream(&self) -> Box<dyn Stream> {
        Box::new(Once {
            search: Some(self.clone()),
            matched: None,
        })
    }
}

/// The service has no pages: all comes at once.
struct Once {
    search: Option<UrlSearch>,
    matched: Option<u64>,
}

impl Stream for Once {
    fn next<'a>(&'a mut self, http: &'a Http) -> Answer<'a, Option<List>> {
        Box::pin(async {
            let Some(search) = &self.search else {
                return Ok(None);
            };
            let found = search.find(http).await?;
            self.search = None;
            self.matched = found.matched;
            Ok((!found.is_empty()).then_some(found.items))
        })
    }

    fn matched(&self) -> Option<u64> {
        self.matched
    }
}

fn places(area: &Area) -> Vec<(&'static str, String)> {
    let join =
        |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    if let Some(bbox) = area.plain_bbox() {
        return vec![("bbox", join(&mut bbox.into_iter()))];
    }
    area.polygons
        .iter()
        .map(|p| {
            (
                "polygon",
                join(&mut p.exterior().coords().flat_map(|c| [c.x, c.y])),
            )
        })
        .collect()
}

/// `[{"url": …, "browse_image": …}]`, or the addresses alone.
fn listed(answer: Value) -> Result<Vec<(String, Option<String>)>, String> {
    let Value::Array(list) = answer else {
        return Err("the answer is not a list of addresses".to_string());
    };
    let read = |(i, entry): (usize, Value)| {
        let text = |value: &Value| value.as_str().map(str::to_string);
        let url = text(&entry).or_else(|| text(&entry["url"]));
        let url = url.ok_or_else(|| format!("entry {} of the answer has no url", i + 1))?;
        Ok((url, text(&entry["browse_image"])))
    };
    list.into_iter().enumerate().map(read).collect()
}

fn lines(text: &str) -> Result<Vec<(String, Option<String>)>, String> {
    let read = |line: &str| match Url::parse(line) {
        Ok(_) => Ok((line.to_string(), None)),
        Err(e) => Err(format!(
            "`{}` is no address ({e})",
            line.chars().take(80).collect::<String>()
        )),
    };
    text.split_whitespace().map(read).collect()
}

/// The links of a page to NetCDF files.
fn links(page: &str) -> Vec<(String, Option<String>)> {
    static LINK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)href\s*=\s*["']?([^"'\s>]+\.nc(?:\?[^"'\s>]*)?)["'\s>]"#).ok());
    let found = LINK
        .as_ref()
        .into_iter()
        .flat_map(|pattern| pattern.captures_iter(page));
    found
        .map(|parts| (parts[1].replace("&amp;", "&"), None))
        .collect()
}

/// An item with the properties that those of the STAC service have, as far as the name tells them. The name tells no
/// footprint.
///
/// # Errors
/// When the parts make no item (never, for names that were read).
pub fn item(url: &str, browse: Option<&str>, granule: Option<&Granule>) -> Result<Item> {
    let mut properties = json!({ "datetime": null });
    let mut data = Asset::new(url);
    data.r#type = Some("application/netcdf".to_string());
    data.roles = vec!["data".to_string()];
    if let Some(granule) = granule {
        properties = described(granule);
        data.additional_fields
            .insert("raster:spatial_resolution".into(), json!(granule.spacing_m));
    }
    if let Some(code) = projection_of(url) {
        properties["proj:code"] = json!(code);
    }
    let mut item: Item = serde_json::from_value(json!({
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [
            "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
            "https://stac-extensions.github.io/version/v1.2.0/schema.json",
            "https://stac-extensions.github.io/sat/v1.1.0/schema.json",
            "https://stac-extensions.github.io/raster/v2.0.0/schema.json"
        ],
        "id": id_of(url),
        "collection": super::GRANULES,
        "geometry": null,
        "properties": properties,
        "links": [],
        "assets": {},
    }))
    .map_err(|e| Error::message(format!("{url}: {e}")))?;
    item.assets.insert("data".to_string(), data);
    if let Some(picture) = browse {
        let mut overview = Asset::new(picture);
        overview.r#type = Some("image/png".to_string());
        overview.roles = vec!["overview".to_string()];
        item.assets.insert("overview".to_string(), overview);
    }
    Ok(item)
}

fn described(granule: &Granule) -> Value {
    let mid = stamp(granule.mid_date());
    let [first, second] = &granule.scenes;
    let mut out = json!({
        "datetime": mid,
        "mid_datetime": mid,
        "start_datetime": stamp(granule.earlier().time),
        "end_datetime": stamp(granule.later().time),
        "date_dt": granule.separation_days().round(),
        "platform": first.platform,
        "percent_valid_pixels": granule.percent_valid_pixels,
        "version": granule.version,
        "scene_1_id": first.id,
        "scene_2_id": second.id,
    });
    for (name, scene) in [("scene_1_frame", first), ("scene_2_frame", second)] {
        if let Some(frame) = frame(scene) {
            out[name] = json!(frame);
        }
    }
    if let (Some(a), Some(b)) = (names::orbit(first), names::orbit(second))
        && a == b
    {
        out["sat:relative_orbit"] = json!(a);
    }
    out
}

/// As the archive's items name the place of a scene; Sentinel-1's frame is not in its id.
fn frame(scene: &Acquisition) -> Option<String> {
    match &scene.place {
        Frame::PathRow { path, row } => Some(format!("{path:03}{row:03}")),
        Frame::Tile { tile, .. } => Some(format!("T{tile}")),
        Frame::TrackFrame { track, frame } => Some(format!("{track:03}_{frame:03}")),
        Frame::Orbit { .. } | Frame::Burst { .. } => None,
    }
}
