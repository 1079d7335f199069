//! What the program asks of a STAC item: when, how large, checked by what.

use jiff::Timestamp;
use serde_json::Value;
use stac::Asset;
pub use stac::Item;

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
