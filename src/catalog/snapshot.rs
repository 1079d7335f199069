//! A search with its answer in a file, to be opened again without the archive.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::item::{self, Invalid};
use super::items::Items;
use super::list::List;
use crate::bounds;
use crate::error::{Error, Result};
use crate::files::write_atomically;

const FORMAT: &str = "perilune search 1";

/// Writes the answer with its request, the time, and the SHA-256 of the items. The file is a GeoJSON FeatureCollection
/// too, for other programs.
///
/// # Errors
/// When the file cannot be written.
pub fn save(items: &Items, path: &Path) -> Result<()> {
    // Item by item, so that they need not be in memory together; an item that cannot be read ends the file before it has its name.
    let mut failed = None;
    let written = write_atomically(path, |out| {
        let mut hash = Sha256::new();
        out.write_all(br#"{"type":"FeatureCollection","features":"#)?;
        for (index, item) in items.items.iter().enumerate() {
            let unwritable = |e| Error::message(format!("the items cannot be written as JSON: {e}"));
            let value = item.and_then(|item| serde_json::to_value(&*item).map_err(unwritable));
            let value = match value {
                Ok(value) => value,
                Err(e) => {
                    failed = Some(e);
                    return Err(std::io::Error::other("an item cannot be written"));
                }
            };
            let text = format!("{}{value}", if index == 0 { "[" } else { "," });
            hash.update(&text);
            out.write_all(text.as_bytes())?;
        }
        let end = if items.is_empty() { "[]" } else { "]" };
        hash.update(end);
        out.write_all(end.as_bytes())?;
        let about = json!({
            "format": FORMAT,
            "request": items.request,
            "retrieved": items.retrieved.map(|t| t.to_string()),
            "notes": items.notes,
            "sha256": hexadecimal(hash),
        });
        if let Some(matched) = items.matched {
            write!(out, r#","numberMatched":{matched}"#)?;
        }
        write!(out, r#","perilune":{about}}}"#)
    });
    match failed {
        Some(e) => Err(e),
        None => written,
    }
}

/// Reads what `save` wrote; `None` where the file is JSON of another kind.
///
/// # Errors
/// When it cannot be read, or its items are not those that were written.
pub fn load(path: &Path) -> Result<Option<Items>> {
    let text = bounds::read_file(path, 1, "search for less at a time")?;
    let mut whole: Value =
        serde_json::from_slice(&text).map_err(|e| Error::file(path, format!("not JSON: {e}")))?;
    let about = whole["perilune"].take();
    match about["format"].as_str() {
        None => return Ok(None),
        Some(FORMAT) => {}
        Some(other) => {
            return Err(Error::file(
                path,
                format!("is of the format “{other}”, which a newer perilune wrote"),
            ));
        }
    }
    let features = whole["features"].take();
    if about["sha256"].as_str() != Some(&hash(&features)) {
        return Err(Error::file(
            path,
            "the items are not those that were saved: the file was changed; search again",
        ));
    }
    let Value::Array(features) = features else {
        return Err(Error::file(path, "has no list of `features`"));
    };
    let (items, _) = item::read_all(features, Invalid::Refuse).map_err(|text| Error::file(path, text))?;
    let notes = about["notes"].as_array().map(|notes| {
        notes
            .iter()
            .filter_map(|n| n.as_str().map(str::to_string))
            .collect()
    });
    Ok(Some(Items {
        items: List::new(items)?,
        matched: whole["numberMatched"].as_u64(),
        notes: notes.unwrap_or_default(),
        request: about["request"].clone(),
        retrieved: about["retrieved"].as_str().and_then(|t| t.parse().ok()),
    }))
}

/// The answer of an earlier run from `path` if it is there, else `None`.
///
/// # Errors
/// When the file answers another question than `request`.
pub fn replay(path: &Path, request: &Value) -> Result<Option<Items>> {
    if !path.exists() {
        return Ok(None);
    }
    let Some(items) = load(path)? else {
        return Err(Error::file(
            path,
            "is there already and is no saved search; choose another name",
        ));
    };
    if items.request != *request {
        let (old, new) = first_difference(&items.request, request, "");
        return Err(Error::file(
            path,
            format!(
                "holds the answer to another search ({old}, now {new}); choose another name, or delete it"
            ),
        ));
    }
    Ok(Some(items))
}

fn first_difference(a: &Value, b: &Value, name: &str) -> (String, String) {
    if let (Value::Object(x), Value::Object(y)) = (a, b) {
        let keys = x.keys().chain(y.keys());
        for key in keys {
            let (u, v) = (
                x.get(key).unwrap_or(&Value::Null),
                y.get(key).unwrap_or(&Value::Null),
            );
            if u != v {
                return first_difference(u, v, key);
            }
        }
    }
    let shown = |v: &Value| match v {
        Value::Null => "nothing".to_string(),
        other => other.to_string().chars().take(120).collect(),
    };
    (format!("{name} was {}", shown(a)), shown(b))
}

fn hash(features: &Value) -> String {
    hexadecimal(Sha256::new().chain_update(features.to_string()))
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Items {
        let item: stac::Item = serde_json::from_value(json!({
            "type": "Feature", "stac_version": "1.0.0", "id": "a", "geometry": { "type": "Point", "coordinates": [1.1, 2.0] },
            "bbox": [1.1, 2.0, 1.1, 2.0],
            "properties": { "datetime": "2020-01-01T00:00:00Z", "eo:cloud_cover": 12.5 }, "links": [], "assets": {}
        }))
        .unwrap();
        Items {
            request: json!({ "service": "stac", "collections": ["x"] }),
            matched: Some(1),
            ..Items::new(vec![item]).unwrap()
        }
    }

    #[test]
    fn a_search_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        save(&items(), &path).unwrap();
        let back = replay(&path, &items().request).unwrap().unwrap();
        assert_eq!(back.items.get(0).unwrap(), items().items.get(0).unwrap());
        let none = Items::default();
        save(&none, &folder.path().join("none.json")).unwrap();
        assert!(
            load(&folder.path().join("none.json"))
                .unwrap()
                .unwrap()
                .is_empty()
        );
        assert_eq!(back.matched, Some(1));
        assert!(
            replay(&folder.path().join("b.json"), &Value::Null)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn another_question_and_a_changed_answer_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        save(&items(), &path).unwrap();
        let other = json!({ "service": "stac", "collections": ["y"] });
        let error = replay(&path, &other).unwrap_err().to_string();
        assert!(error.contains(r#"collections was ["x"], now ["y"]"#), "{error}");
        let text = std::fs::read_to_string(&path).unwrap().replace("12.5", "2.5");
        std::fs::write(&path, text).unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(error.contains("was changed"), "{error}");
    }
}
