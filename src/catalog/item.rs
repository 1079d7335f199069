//! STAC items: read as they are written, and what the program asks of one: when, which files, how large, checked by what.

use jiff::Timestamp;
use serde_json::Value;
use stac::Asset;
pub use stac::Item;

use crate::error::Error;
use crate::time;

/// A STAC item from JSON, with what is known to be written loosely put right: times in any form of ISO 8601 (as pystac
/// reads them; a leap second is the second before it), and a `nodata` that is text ("nan", "-9999").
///
/// # Errors
/// What is wrong with it, to be put after its name.
pub fn read(mut value: Value) -> Result<Item, String> {
    let id = match value["id"].as_str() {
        Some("") | None => return Err("has no `id`, so it is no STAC item".into()),
        Some(id) => id.to_string(),
    };
    for name in ["datetime", "start_datetime", "end_datetime"] {
        // Not by `[name]`, which would put what is not there.
        let Some(Value::String(text)) = value.get_mut("properties").and_then(|p| p.get_mut(name)) else {
            continue;
        };
        *text = time::parse(text)
            .ok_or_else(|| {
                format!("(`{id}`) is no STAC item: its {name} is `{text}`, which is no time of ISO 8601")
            })?
            .to_string();
    }
    let mut numbers = Vec::new();
    for (key, asset) in value
        .get_mut("assets")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        let text = asset.get("nodata").and_then(Value::as_str);
        if let Some(number) = text.and_then(|text| text.to_ascii_lowercase().parse::<f64>().ok()) {
            numbers.push((key.clone(), number));
            asset["nodata"] = Value::Null;
        }
    }
    let mut item: Item =
        serde_json::from_value(value).map_err(|e| format!("(`{id}`) is no STAC item: {e}"))?;
    for (key, number) in numbers {
        if let Some(asset) = item.assets.get_mut(&key) {
            asset.nodata = Some(number);
        }
    }
    Ok(item)
}

/// What to do with a list's entries that are no STAC items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Invalid {
    #[default]
    Refuse,
    /// Leave them out, and name them.
    Skip,
}

/// The items of a list, and what is said of those that were left out.
///
/// # Errors
/// What is wrong with the first that is none, unless they are to be left out.
pub fn read_all(list: Vec<Value>, invalid: Invalid) -> Result<(Vec<Item>, Vec<String>), String> {
    let (mut items, mut left_out) = (Vec::with_capacity(list.len()), Vec::new());
    for (at, value) in list.into_iter().enumerate() {
        match read(value) {
            Ok(item) => items.push(item),
            Err(text) if invalid == Invalid::Skip => {
                left_out.push(format!("item {} {text}; it was left out", at + 1))
            }
            Err(text) => {
                return Err(format!(
                    "item {} {text}; `skip_invalid = true` leaves it out",
                    at + 1
                ));
            }
        }
    }
    Ok((items, left_out))
}

/// The files that an item is for: its assets with the role `data`, that called `data` first; where no asset has the role, the one
/// that is called so, or the only one. Empty where the item does not say.
pub fn data_assets(item: &Item) -> Vec<&str> {
    let mut names: Vec<&str> = item
        .assets
        .iter()
        .filter(|(_, asset)| asset.roles.iter().any(|role| role == "data"))
        .map(|(name, _)| name.as_str())
        .collect();
    // Stable: the others stay in the archive's order.
    names.sort_by_key(|name| *name != "data");
    if names.is_empty() {
        let only = item.assets.len() == 1;
        names.extend(
            item.assets
                .keys()
                .map(String::as_str)
                .find(|name| only || *name == "data"),
        );
    }
    names
}

/// The error where a file of an item is wanted, and which one is neither said by the item nor by the script, which can do so `how`.
pub fn without_data(item: &Item, how: &str) -> Error {
    let names: Vec<&str> = item.assets.keys().map(String::as_str).collect();
    Error::message(match names.is_empty() {
        true => format!("the item {} has no assets", item.id),
        false => format!(
            "the item {} says of none of its assets that it is data; name one {how}; there are: {}",
            item.id,
            names.join(", ")
        ),
    })
}

/// A stretch of time, both ends included; equal for an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Span {
    pub fn middle(self) -> Timestamp {
        let half = self.end.duration_since(self.start) / 2;
        self.start.checked_add(half).unwrap_or(self.start)
    }

    /// The seconds between two stretches; 0 where they touch or overlap.
    pub fn gap(self, other: Span) -> f64 {
        let after = other.start.duration_since(self.end).as_secs_f64();
        let before = self.start.duration_since(other.end).as_secs_f64();
        after.max(before).max(0.0)
    }
}

/// The time of an item: `start_datetime` to `end_datetime`, or its `datetime`. `None` where it has neither.
pub fn span(item: &Item) -> Option<Span> {
    let p = &item.properties;
    let at = p.datetime.and_then(timestamp);
    let start = p.start_datetime.and_then(timestamp).or(at)?;
    let end = p.end_datetime.and_then(timestamp).or(at).unwrap_or(start);
    Some(Span {
        start: start.min(end),
        end: start.max(end),
    })
}

fn timestamp(time: chrono::DateTime<chrono::Utc>) -> Option<Timestamp> {
    Timestamp::new(time.timestamp(), time.timestamp_subsec_nanos() as i32).ok()
}

/// The same moment as the STAC types hold it.
pub fn datetime(time: Timestamp) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp(time.as_second(), time.subsec_nanosecond().unsigned_abs())
}

/// A property by name, also those that the STAC types keep apart (`datetime`, `title`, …) and `id`, `collection`.
pub fn property(item: &Item, name: &str) -> Option<Value> {
    if let Some(value) = item.properties.additional_fields.get(name) {
        return Some(value.clone());
    }
    match name {
        "id" => Some(Value::from(item.id.clone())),
        "collection" => item.collection.clone().map(Value::from),
        _ => serde_json::to_value(&item.properties).ok()?.get(name).cloned(),
    }
    .filter(|v| !v.is_null())
}

/// The size of an asset in bytes (file extension, `file:size`), where the archive says it.
pub fn size(asset: &Asset) -> Option<u64> {
    asset.additional_fields.get("file:size")?.as_u64()
}

/// The published checksum as (`md5`, `sha1`, `sha256`, `sha512`; hexadecimal digits), from the file extension's multihash.
pub fn checksum(asset: &Asset) -> Option<(&'static str, String)> {
    let text = asset
        .additional_fields
        .get("file:checksum")?
        .as_str()?
        .to_ascii_lowercase();
    from_multihash(&text)
}

/// (code, length in bytes, name) of the hashes that archives publish: the multicodec table of the multiformats project.
const HASHES: &[(&str, usize, &str)] = &[
    ("d50110", 16, "md5"),
    ("1114", 20, "sha1"),
    ("1220", 32, "sha256"),
    ("1340", 64, "sha512"),
];

fn from_multihash(text: &str) -> Option<(&'static str, String)> {
    HASHES.iter().find_map(|(prefix, length, name)| {
        let digits = text.strip_prefix(prefix)?;
        (digits.len() == 2 * length && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .then(|| (*name, digits.to_string()))
    })
}

/// A checksum as the file extension writes it.
pub fn multihash(name: &str, digits: &str) -> Option<String> {
    let (prefix, length, _) = HASHES
        .iter()
        .find(|(_, _, known)| known.eq_ignore_ascii_case(&name.replace('-', "")))?;
    (digits.len() == 2 * length).then(|| format!("{prefix}{}", digits.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multihashes_come_back() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        let text = multihash("MD5", md5).unwrap();
        assert_eq!(from_multihash(&text), Some(("md5", md5.to_string())));
        assert_eq!(multihash("sha-256", "ab"), None);
        assert_eq!(from_multihash("1220ff"), None);
    }

    #[test]
    fn gaps_are_between_the_nearest_ends() {
        let span = |a: i64, b: i64| Span {
            start: Timestamp::from_second(a).unwrap(),
            end: Timestamp::from_second(b).unwrap(),
        };
        assert_eq!(span(0, 10).gap(span(15, 20)), 5.0);
        assert_eq!(span(15, 20).gap(span(0, 10)), 5.0);
        assert_eq!(span(0, 10).gap(span(5, 20)), 0.0);
        assert_eq!(span(0, 10).middle(), Timestamp::from_second(5).unwrap());
    }
}
