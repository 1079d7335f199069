//! What both services are asked for.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::area::Area;
use super::names::{Acquisition, Granule};
use crate::error::{Domain, Error, Result};

/// A search for velocity granules.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub area: Area,
    /// Pairs whose time between the acquisitions touches `start` to `end`, both included.
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    /// Days between the acquisitions.
    pub min_separation: Option<f64>,
    pub max_separation: Option<f64>,
    /// At least this much of the ice has a velocity, percent.
    pub percent_valid_pixels: Option<f64>,
    /// Of the scene that the granule names first; empty for all.
    pub platforms: Vec<String>,
    /// As items write it: `002`.
    pub version: Option<String>,
    pub epsg: Option<u32>,
    /// Stop after so many.
    pub most: Option<usize>,
    /// Take what there is, with a note, where the service gives fewer than it counts.
    pub partial: bool,
}

impl Query {
    pub fn new(area: Area) -> Query {
        Query {
            area,
            start: None,
            end: None,
            min_separation: None,
            max_separation: None,
            percent_valid_pixels: None,
            platforms: Vec::new(),
            version: None,
            epsg: None,
            most: None,
            partial: false,
        }
    }

    /// # Errors
    /// When two limits exclude everything, or a share is none.
    pub fn check(&self) -> Result<()> {
        if let (Some(start), Some(end)) = (self.start, self.end)
            && end < start
        {
            return Err(Error::argument(
                "end",
                format!("at or after start ({start})"),
                end,
            ));
        }
        for (name, value) in [
            ("min_separation", self.min_separation),
            ("max_separation", self.max_separation),
        ] {
            if let Some(days) = value.filter(|d| !(d.is_finite() && *d >= 0.0)) {
                return Err(Error::argument(name, "a number of days, 0 or more", days));
            }
        }
        if let (Some(low), Some(high)) = (self.min_separation, self.max_separation)
            && high < low
        {
            return Err(Error::argument(
                "max_separation",
                format!("at least min_separation ({low})"),
                high,
            ));
        }
        match self.percent_valid_pixels {
            Some(percent) => Domain::PERCENT.check("percent_valid_pixels", percent).map(drop),
            None => Ok(()),
        }
    }

    /// The conditions that are not space and time, in CQL2-JSON on the properties of the collection `itslive-granules`.
    pub fn filter(&self) -> Option<Value> {
        let compare =
            |op: &str, name: &str, value: Value| json!({ "op": op, "args": [{ "property": name }, value] });
        let mut all = Vec::new();
        all.extend(
            self.percent_valid_pixels
                .map(|p| compare(">=", "percent_valid_pixels", json!(p))),
        );
        all.extend(self.min_separation.map(|d| compare(">=", "date_dt", json!(d))));
        all.extend(self.max_separation.map(|d| compare("<=", "date_dt", json!(d))));
        match self.platforms.as_slice() {
            [] => {}
            [one] => all.push(compare("=", "platform", json!(one))),
            more => all.push(compare("in", "platform", json!(more))),
        }
        all.extend(
            self.epsg
                .map(|code| compare("=", "proj:code", json!(format!("EPSG:{code}")))),
        );
        all.extend(self.version.as_ref().map(|v| compare("=", "version", json!(v))));
        match all.len() {
            0 => None,
            1 => Some(all.remove(0)),
            _ => Some(json!({ "op": "and", "args": all })),
        }
    }

    /// Start and end as STAC writes an interval, `..` where it is open.
    pub fn datetime(&self) -> Option<String> {
        if self.start.is_none() && self.end.is_none() {
            return None;
        }
        let open = || "..".to_string();
        let stamp = |t: Timestamp| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let start = self.start.map_or_else(open, stamp);
        let end = self.end.map_or_else(open, stamp);
        Some(format!("{start}/{end}"))
    }

    /// The days of `start` and `end`, UTC, for a service that knows no time of day.
    pub fn days(&self) -> (Option<Date>, Option<Date>) {
        (self.start.map(|t| utc(t).date()), self.end.map(|t| utc(t).date()))
    }

    /// True where the granule's name does not speak against it: services that do not know a parameter ignore it.
    /// Names hold whole percents and, for Landsat, whole days; a match within one is a match.
    pub fn admits(&self, granule: &Granule) -> bool {
        let days = granule.separation_days();
        let valid = f64::from(granule.percent_valid_pixels);
        self.percent_valid_pixels.is_none_or(|p| valid + 1.0 > p)
            && self.min_separation.is_none_or(|d| days + 1.0 > d)
            && self.max_separation.is_none_or(|d| days - 1.0 < d)
            && (self.platforms.is_empty() || self.platforms.contains(&granule.scenes[0].platform))
            && self.version.as_ref().is_none_or(|v| *v == granule.version)
            && self
                .start
                .is_none_or(|start| latest(granule.later()) >= utc(start))
            && self.end.is_none_or(|end| granule.earlier().time <= utc(end))
    }
}

fn utc(time: Timestamp) -> DateTime {
    time.to_zoned(TimeZone::UTC).datetime()
}

/// A scene whose id holds the day alone may be of its last second.
fn latest(scene: &Acquisition) -> DateTime {
    match scene.to_the_second {
        true => scene.time,
        false => scene.time.date().at(23, 59, 59, 999_999_999),
    }
}

/// What users call the missions, and what the archive's items call their scenes.
const PLATFORMS: &[(&[&str], &[&str])] = &[
    (
        &["landsat", "landsatoli"],
        &[
            "LM04", "LT04", "LM05", "LT05", "LE07", "LC08", "LO08", "LC09", "LO09",
        ],
    ),
    (&["l4", "landsat4"], &["LM04", "LT04"]),
    (&["l5", "landsat5"], &["LM05", "LT05"]),
    (&["l7", "landsat7"], &["LE07"]),
    (&["l8", "landsat8"], &["LC08", "LO08"]),
    (&["l9", "landsat9"], &["LC09", "LO09"]),
    (&["s1", "sentinel1"], &["S1A", "S1B", "S1C", "S1D", "S1"]),
    (&["s2", "sentinel2"], &["S2A", "S2B", "S2C"]),
    (&["nisar"], &["NISAR"]),
];

/// The codes of `S2B`, `sentinel-2`, `Landsat 8`, `L8`, …
///
/// # Errors
/// When it is none that ITS_LIVE has.
pub fn platforms(name: &str) -> Result<Vec<String>> {
    let plain: String = name
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    if let Some((_, codes)) = PLATFORMS
        .iter()
        .find(|(names, _)| names.contains(&plain.as_str()))
    {
        return Ok(codes.iter().map(ToString::to_string).collect());
    }
    let code = match plain.strip_prefix("sentinel") {
        Some(rest) => format!("S{}", rest.to_uppercase()),
        None => plain.to_uppercase(),
    };
    if PLATFORMS.iter().any(|(_, codes)| codes.contains(&code.as_str())) {
        return Ok(vec![code]);
    }
    Err(Error::not_found(
        "platform",
        name,
        PLATFORMS.iter().flat_map(|(_, codes)| codes.iter().copied()),
    ))
}

/// `2`, `002`, `v02`, `2.1` as the archive's items write it.
///
/// # Errors
/// When it is no number.
pub fn version(text: &str) -> Result<String> {
    let bare = text.trim().trim_start_matches(['v', 'V']);
    let (whole, part) = bare.split_once('.').unwrap_or((bare, ""));
    let number: Option<u32> = whole.parse().ok().filter(|n| *n < 1000);
    match number {
        Some(n) if part.is_empty() || part.bytes().all(|b| b == b'0') => Ok(format!("{n:03}")),
        Some(n) if part.bytes().all(|b| b.is_ascii_digit()) => Ok(format!("{n:03}.{part}")),
        _ => Err(Error::argument(
            "version",
            "a version such as 2 or 2.1",
            format!("`{text}`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missions_and_versions_are_known_by_their_usual_names() {
        assert_eq!(platforms("Sentinel-2").unwrap(), ["S2A", "S2B", "S2C"]);
        assert_eq!(platforms("sentinel-1a").unwrap(), ["S1A"]);
        assert_eq!(platforms("LC08").unwrap(), ["LC08"]);
        assert_eq!(platforms("Landsat 9").unwrap(), ["LC09", "LO09"]);
        let error = platforms("LC80").unwrap_err().to_string();
        assert!(error.contains("did you mean `LC08`"), "{error}");
        for (given, item) in [
            ("2", "002"),
            ("v02", "002"),
            ("2.0", "002"),
            ("2.1", "002.1"),
            ("001", "001"),
        ] {
            assert_eq!(version(given).unwrap(), item);
        }
        assert!(version("two").is_err());
    }

    #[test]
    fn limits_that_exclude_everything_are_errors() {
        let base = Query::new(Area::bbox([-102.0, -75.0, -99.0, -74.0]).unwrap());
        let date = |text: &str| Some(format!("{text}T00:00:00Z").parse().unwrap());
        let cases = [
            Query {
                start: date("2020-01-02"),
                end: date("2020-01-01"),
                ..base.clone()
            },
            Query {
                min_separation: Some(30.0),
                max_separation: Some(10.0),
                ..base.clone()
            },
            Query {
                min_separation: Some(f64::NAN),
                ..base.clone()
            },
            Query {
                percent_valid_pixels: Some(101.0),
                ..base.clone()
            },
        ];
        for query in cases {
            assert!(query.check().is_err(), "{query:?}");
        }
        assert!(base.check().is_ok() && base.filter().is_none() && base.datetime().is_none());
    }
}
