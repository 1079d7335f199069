//! Items that lie in files: ItemCollections, single items, stac-geoparquet, saved searches, and catalogues of files,
//! from disk and from the web.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;
use stac::Item;
use url::Url;

use super::{geoparquet, walk};
use crate::bounds;
use crate::bytes::http::{Failure, Http, Request, parse_json, parse_url, redacted};
use crate::catalog::item::{self, Invalid};
use crate::catalog::items::Items;
use crate::catalog::snapshot;
use crate::error::{Error, Result};

/// Where a document lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Document {
    Disk(PathBuf),
    Web(Url),
}

impl Document {
    /// # Errors
    /// When `text` looks like a web address but is none.
    pub fn parse(text: &str) -> Result<Document> {
        match text.contains("://") {
            true => parse_url("path", text).map(Document::Web),
            false => Ok(Document::Disk(PathBuf::from(text))),
        }
    }

    /// Where `href`, written in the document that lies here, leads. `None` where a document of the web names a
    /// file of this machine, or something that is neither.
    pub fn join(&self, href: &str) -> Option<Document> {
        match (self, Url::parse(href)) {
            (_, Ok(url)) if matches!(url.scheme(), "http" | "https") => Some(Document::Web(url)),
            (Document::Disk(_), Ok(url)) if url.scheme() == "file" => {
                url.to_file_path().ok().map(Document::Disk)
            }
            (_, Ok(_)) => None,
            (Document::Web(base), Err(_)) => base.join(href).ok().map(Document::Web),
            (Document::Disk(path), Err(_)) => Some(Document::Disk(tidy(&path.parent()?.join(href)))),
        }
    }

    pub fn error(&self, text: impl std::fmt::Display) -> Error {
        match self {
            Document::Disk(path) => Error::file(path, text.to_string()),
            Document::Web(url) => Failure::wrong(url, text.to_string()).into(),
        }
    }
}

impl std::fmt::Display for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Document::Disk(path) => write!(f, "{}", path.display()),
            Document::Web(url) => f.write_str(&redacted(url)),
        }
    }
}

/// Without `.` and with `..` taken at its word, so that one file has one name.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The items at `text`, a path or a web address: of an ItemCollection, a saved search, a stac-geoparquet file, a
/// single item, or of all the catalogues, collections and items that a catalogue of files links to. Relative
/// addresses of assets become whole ones.
///
/// # Errors
/// When something cannot be read or is not STAC (one of many items, unless `invalid` leaves it out); when the address is that of a service with a search.
pub async fn open(http: &Http, text: &str, invalid: Invalid) -> Result<Items> {
    let place = Document::parse(text)?;
    let bytes = read_bytes(http, &place).await?;
    if bytes.starts_with(b"PAR1") {
        return read_geoparquet(&place, bytes, invalid);
    }
    let value: Value = match &place {
        Document::Web(url) => parse_json(url, &bytes)?,
        Document::Disk(path) => serde_json::from_slice(&bytes).map_err(|e| {
            Error::file(
                path,
                format!("neither JSON ({e}) nor Parquet; STAC is in files of these two kinds"),
            )
        })?,
    };
    if let (Document::Disk(path), true) = (&place, value["perilune"].is_object())
        && let Some(items) = snapshot::load(path)?
    {
        return Ok(items);
    }
    let mut out = Items::default();
    match value["type"].as_str() {
        Some("Catalog" | "Collection") => walk::walk(http, place, value, invalid, &mut out).await?,
        _ if value["features"].is_array() || value.is_array() || value["type"] == "Feature" => {
            documents(&place, value, invalid, &mut out)?
        }
        other => {
            let what = other.map_or("JSON without a `type`".to_string(), |name| format!("a {name}"));
            return Err(place.error(format!(
                "is {what}, not STAC: no Catalog, Collection, Feature or FeatureCollection"
            )));
        }
    };
    let repeated = out.drop_repeated();
    if repeated > 0 {
        out.notes.push(format!(
            "{repeated} items came more than once and are counted once"
        ));
    }
    Ok(out)
}

/// The items of one document, to the end of `out`.
pub(super) fn documents(place: &Document, value: Value, invalid: Invalid, out: &mut Items) -> Result<()> {
    let features = match value {
        Value::Array(list) => list,
        Value::Object(mut map) => match map.get_mut("features").map(Value::take) {
            Some(Value::Array(list)) => list,
            _ => vec![Value::Object(map)],
        },
        other => vec![other],
    };
    let (mut items, left_out) = item::read_all(features, invalid).map_err(|text| place.error(text))?;
    for item in &mut items {
        whole_addresses(place, item);
    }
    out.items.extend(items)?;
    out.notes
        .extend(left_out.iter().map(|text| format!("{place}: {text}")));
    Ok(())
}

/// Addresses of assets are relative to the document that names them; elsewhere they would lead nowhere.
fn whole_addresses(place: &Document, item: &mut Item) {
    for asset in item.assets.values_mut() {
        if !asset.href.contains("://") && !asset.href.starts_with("/vsi") && !asset.href.starts_with("s3:") {
            match place.join(&asset.href) {
                Some(Document::Disk(path)) => asset.href = path.display().to_string(),
                Some(Document::Web(url)) => asset.href = url.to_string(),
                None => {}
            }
        }
    }
}

/// # Errors
/// When it is not there, or, on the web, larger than an answer may be.
pub async fn read_bytes(http: &Http, place: &Document) -> Result<Bytes> {
    match place {
        Document::Disk(path) => {
            bounds::read_file(path, 1, "split it into files of fewer items").map(Bytes::from)
        }
        Document::Web(url) => {
            let response = http.send(&Request::get(url.clone())).await?;
            Ok(response.bytes(http.settings.largest_answer).await?.into())
        }
    }
}

/// The items of a stac-geoparquet file.
///
/// # Errors
/// When it is no Parquet, or its columns are not those of STAC items.
pub fn read_geoparquet(place: &Document, bytes: Bytes, invalid: Invalid) -> Result<Items> {
    let features = geoparquet::features(bytes)
        .map_err(|text| place.error(format!("cannot be read as stac-geoparquet: {text}")))?;
    let mut out = Items::default();
    documents(place, Value::Array(features), invalid, &mut out)?;
    Ok(out)
}
