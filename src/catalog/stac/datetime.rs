//! Times and stretches of time as scientists write them, made into what a STAC search takes.

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::time::Stretch;

const EXPECTED: &str =
    "a time, a date, a month, a year, or two of them as \"start/end\" where \"..\" leaves an end open";

/// A stretch of time; `None` is an open end. Equal ends are one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}

impl Interval {
    /// Reads whatever [`Stretch::parse`] does, and two of them with a `/` between, of which one may be `..` or empty.
    ///
    /// # Errors
    /// When it is none of these, or ends before it starts.
    pub fn parse(text: &str) -> Result<Interval> {
        let wrong = |why: &str| Error::argument("datetime", EXPECTED, format!("`{text}`{why}"));
        let ends: Vec<&str> = text.split('/').map(str::trim).collect();
        let interval = match ends[..] {
            [one] if !open(one) => {
                let all = Stretch::parse(one).ok_or_else(|| wrong(""))?;
                Interval {
                    start: Some(all.first),
                    end: Some(all.last),
                }
            }
            [start, end] if !(open(start) && open(end)) => {
                let read = |part: &str| match open(part) {
                    true => Ok(None),
                    false => Stretch::parse(part).map(Some).ok_or_else(|| wrong("")),
                };
                Interval {
                    start: read(start)?.map(|all| all.first),
                    end: read(end)?.map(|all| all.last),
                }
            }
            _ => return Err(wrong("")),
        };
        match (interval.start, interval.end) {
            (Some(start), Some(end)) if start > end => Err(wrong(", which ends before it starts")),
            _ => Ok(interval),
        }
    }

    /// True where some of `start` to `end` (`None`: open) lies in it.
    pub fn meets(&self, start: Option<Timestamp>, end: Option<Timestamp>) -> bool {
        let before =
            |a: Option<Timestamp>, b: Option<Timestamp>| matches!((a, b), (Some(a), Some(b)) if a < b);
        !before(end, self.start) && !before(self.end, start)
    }
}

/// As a request has it: RFC 3339 in UTC.
impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = |time: Option<Timestamp>| time.map_or("..".to_string(), |t| t.to_string());
        match self.start == self.end {
            true => write!(f, "{}", end(self.start)),
            false => write!(f, "{}/{}", end(self.start), end(self.end)),
        }
    }
}

fn open(text: &str) -> bool {
    text.is_empty() || text == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected texts are those of pystac-client 0.9 (`ItemSearch._format_datetime`), but for the last second of a
    /// stretch, which it drops.
    #[test]
    fn all_forms_are_read() {
        for (text, expected) in [
            ("2017", "2017-01-01T00:00:00Z/2017-12-31T23:59:59.999999Z"),
            ("2017-06", "2017-06-01T00:00:00Z/2017-06-30T23:59:59.999999Z"),
            ("2020-02", "2020-02-01T00:00:00Z/2020-02-29T23:59:59.999999Z"),
            ("2017-06-10", "2017-06-10T00:00:00Z/2017-06-10T23:59:59.999999Z"),
            ("2017-06-10T10:30:00Z", "2017-06-10T10:30:00Z"),
            ("2017-06-10T10:30:00+02:00", "2017-06-10T08:30:00Z"),
            ("2017-06-10T10:30:00", "2017-06-10T10:30:00Z"),
            ("2017-06-10T10:30:00.25Z", "2017-06-10T10:30:00.25Z"),
            ("2017/2018", "2017-01-01T00:00:00Z/2018-12-31T23:59:59.999999Z"),
            (
                "2017-06-10/2017-06-11",
                "2017-06-10T00:00:00Z/2017-06-11T23:59:59.999999Z",
            ),
            ("2017-06-10T00:00:00Z/..", "2017-06-10T00:00:00Z/.."),
            ("../2017-06-10", "../2017-06-10T23:59:59.999999Z"),
            ("2017-06-10/", "2017-06-10T00:00:00Z/.."),
            ("/2017", "../2017-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(Interval::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "..",
            "../..",
            "/",
            "2017-13",
            "2017-02-30",
            "17",
            "yesterday",
            "2017/2018/2019",
            "2017-6-1",
            "2017-06-10T25:00:00Z",
            "2018/2017",
            "2017-06-10T10:00:00Z/2017-06-10T09:59:59Z",
        ] {
            let error = Interval::parse(text).unwrap_err().to_string();
            assert!(
                error.contains("datetime must be") && error.contains(text),
                "{error}"
            );
        }
    }

    #[test]
    fn stretches_meet_at_their_ends() {
        let june = Interval::parse("2017-06").unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        assert!(june.meets(at("2017-06-30T23:59:59.9Z"), None));
        assert!(!june.meets(at("2017-07-01T00:00:00Z"), None));
        assert!(june.meets(None, at("2017-06-01T00:00:00Z")));
        assert!(!june.meets(None, at("2017-05-31T23:59:59Z")));
    }
}
