//! Catalogues of files: from document to document by their links.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use serde_json::Value;

use super::open::{Document, documents, read_bytes};
use crate::bytes::http::{Http, parse_json};
use crate::catalog::item::Invalid;
use crate::catalog::items::Items;
use crate::error::{Error, Remedy, Result};
use crate::interrupt;

/// Documents that are fetched side by side.
const AT_ONCE: usize = 8;

/// A catalogue of more documents than this is one for a service with a search.
const MOST_DOCUMENTS: usize = 500_000;

/// All items below the catalogue or collection `value`, which lies at `start`, to the end of `out`: breadth first, in the order of
/// the links.
///
/// # Errors
/// When a document cannot be read or is not STAC, named with the document that links to it.
pub async fn walk(
    http: &Http,
    start: Document,
    value: Value,
    invalid: Invalid,
    out: &mut Items,
) -> Result<()> {
    if links(&value).any(|link| link["rel"] == "search") {
        return Err(start.error(format!(
            "is a service with a search, not a catalogue of files; {}",
            Remedy::SearchService
        )));
    }
    let folder = match &start {
        Document::Disk(path) => path.parent().map(Path::to_path_buf),
        Document::Web(_) => None,
    };
    let mut seen = HashSet::from([start.clone()]);
    let mut waiting = VecDeque::new();
    next_documents(&start, &value, folder.as_deref(), &mut seen, &mut waiting)?;
    while !waiting.is_empty() {
        interrupt::check()?;
        let now: Vec<(Document, Document)> = waiting.drain(..waiting.len().min(AT_ONCE)).collect();
        let read = join_all(now.iter().map(|(place, _)| json(http, place))).await;
        for ((place, from), value) in now.into_iter().zip(read) {
            let value = value.map_err(|e| Error::message(format!("{e} (linked to by {from})")))?;
            match value["type"].as_str() {
                Some("Catalog" | "Collection") => {}
                _ if value["features"].is_array() || value["type"] == "Feature" => {
                    documents(&place, value.clone(), invalid, out)?
                }
                // Catalogues before STAC 1.0 had no type.
                None if value["stac_version"].is_string() && value["links"].is_array() => {}
                _ => return Err(place.error(format!("is no STAC document (linked to by {from})"))),
            }
            next_documents(&place, &value, folder.as_deref(), &mut seen, &mut waiting)?;
        }
        if seen.len() > MOST_DOCUMENTS {
            return Err(start.error(format!(
                "links to more than {MOST_DOCUMENTS} documents; open one of the catalogues below it"
            )));
        }
    }
    Ok(())
}

fn links(value: &Value) -> impl Iterator<Item = &Value> {
    value["links"].as_array().into_iter().flatten()
}

/// Puts what the document at `place` links to in the queue, each once.
fn next_documents(
    place: &Document,
    value: &Value,
    folder: Option<&Path>,
    seen: &mut HashSet<Document>,
    waiting: &mut VecDeque<(Document, Document)>,
) -> Result<()> {
    let is_page = value["features"].is_array();
    for link in links(value) {
        let rel = link["rel"].as_str().unwrap_or("");
        let down = matches!(rel, "child" | "item" | "items") && value["type"] != "Feature";
        let next_page = is_page && rel == "next";
        if !(down || next_page) {
            continue;
        }
        let href = link["href"].as_str().unwrap_or("");
        let target = place.join(href).filter(|_| !href.is_empty());
        let target = target.ok_or_else(|| {
            place.error(format!(
                "has a link `{rel}` to `{href}`, where no document can be"
            ))
        })?;
        if let (Document::Disk(path), Some(folder)) = (&target, folder)
            && !beneath(path, folder)
        {
            return Err(place.error(format!(
                "links to {target}, outside the folder of the catalogue that was opened ({}); open the catalogue above it",
                folder.display()
            )));
        }
        if seen.insert(target.clone()) {
            waiting.push_back((target, place.clone()));
        }
    }
    Ok(())
}

/// A catalogue from elsewhere must not lead to any file of this machine.
fn beneath(path: &Path, folder: &Path) -> bool {
    let real = |p: &Path| -> PathBuf {
        let p = if p.as_os_str().is_empty() {
            Path::new(".")
        } else {
            p
        };
        p.canonicalize()
            .unwrap_or_else(|_| std::path::absolute(p).unwrap_or_else(|_| p.to_path_buf()))
    };
    real(path).starts_with(real(folder))
}

async fn json(http: &Http, place: &Document) -> Result<Value> {
    let bytes = read_bytes(http, place).await?;
    match place {
        Document::Web(url) => Ok(parse_json(url, &bytes)?),
        Document::Disk(path) => {
            serde_json::from_slice(&bytes).map_err(|e| Error::file(path, format!("not JSON: {e}")))
        }
    }
}
