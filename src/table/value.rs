//! One value of a table cell or of a feature's property.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::time;

/// A number that is NaN counts as missing everywhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Missing,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// An instant. Dates are midnight, UTC.
    Time(Timestamp),
    /// A list or an object, as GeoJSON properties may hold. In a table it becomes the text of its JSON.
    Nested(serde_json::Value),
}

impl Value {
    pub fn is_missing(&self) -> bool {
        match self {
            Value::Missing => true,
            Value::Float(x) => x.is_nan(),
            _ => false,
        }
    }

    /// Numbers as f64; anything else None.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Value::Integer(i) => Some(i as f64),
            Value::Float(x) if !x.is_nan() => Some(x),
            _ => None,
        }
    }

    /// What it is, in words for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Missing => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Text(_) => "a string",
            Value::Time(_) => "a time",
            Value::Nested(_) => "a list or object",
        }
    }

    /// JSON has no times: they become strings as `format_time` writes them. Numbers that JSON cannot hold (NaN,
    /// infinities) become null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Missing => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Integer(i) => Json::from(*i),
            Value::Float(x) => Json::from(*x),
            Value::Text(s) => Json::String(s.clone()),
            Value::Time(t) => Json::String(format_time(*t)),
            Value::Nested(v) => v.clone(),
        }
    }

    /// Whole numbers beyond 64 bits become floats; strings stay strings, also where they look like times.
    pub fn from_json(json: serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Missing,
            Json::Bool(b) => Value::Bool(b),
            Json::Number(n) => match n.as_i64() {
                Some(i) => Value::Integer(i),
                None => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(s) => Value::Text(s),
            nested => Value::Nested(nested),
        }
    }
}

impl fmt::Display for Value {
    /// As CSV holds it: numbers in the shortest form that reads back the same, nothing for missing values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Missing => Ok(()),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Integer(i) => write!(f, "{i}"),
            Value::Float(x) if x.is_nan() => Ok(()),
            Value::Float(x) => write!(f, "{x:?}"),
            Value::Text(s) => f.write_str(s),
            Value::Time(t) => f.write_str(&format_time(*t)),
            Value::Nested(v) => write!(f, "{v}"),
        }
    }
}

/// ISO 8601 with a whole date in front: a date (`2020-01-05`, midnight UTC), or a date and a time of day with `T` or a
/// blank between them (`2020-01-05T10:30`, seconds and fractions optional), with `Z` or an offset (`+02:00`), else UTC.
/// What may be a number too (`2020`, `20200105`) or something else is None.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(i, b)| {
            if i == 4 || i == 7 {
                *b == b'-'
            } else {
                b.is_ascii_digit()
            }
        });
    if !shape {
        return None;
    }
    time::parse(text)
}

/// `2020-01-05` for midnight UTC, else `2020-01-05T10:30:00Z` with the fraction of a second where there is one.
pub fn format_time(time: Timestamp) -> String {
    match is_midnight(time) {
        true => time.strftime("%Y-%m-%d").to_string(),
        false => time.to_string(),
    }
}

/// As `format_time` where it is one of `dates`, else with the time of day also at midnight.
pub(super) fn write_time(text: &mut Vec<u8>, time: Timestamp, dates: bool) {
    let civil = Offset::UTC.to_datetime(time);
    let Ok(year @ 0..=9999) = u16::try_from(civil.year()) else {
        let shown = if dates {
            format_time(time)
        } else {
            time.to_string()
        };
        text.extend_from_slice(shown.as_bytes());
        return;
    };
    let two = |number: i8| [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
    let (century, of_century) = ((year / 100) as i8, (year % 100) as i8);
    let [a, b] = two(century);
    let [c, d] = two(of_century);
    let ([e, f], [g, h]) = (two(civil.month()), two(civil.day()));
    text.extend_from_slice(&[a, b, c, d, b'-', e, f, b'-', g, h]);
    if dates {
        return;
    }
    let ([a, b], [c, d], [e, f]) = (two(civil.hour()), two(civil.minute()), two(civil.second()));
    text.extend_from_slice(&[b'T', a, b, b':', c, d, b':', e, f]);
    let fraction = civil.subsec_nanosecond();
    if fraction > 0 {
        let digits = format!("{fraction:09}");
        text.push(b'.');
        text.extend_from_slice(digits.trim_end_matches('0').as_bytes());
    }
    text.push(b'Z');
}

fn is_midnight(time: Timestamp) -> bool {
    time.as_nanosecond().rem_euclid(86_400_000_000_000) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_are_written_as_jiff_shows_them(second in -377705023201i64..253402207200, fraction in prop_oneof![Just(0), 0..1_000_000_000, Just(500_000_000)]) {
            let time = Timestamp::new(second, fraction).unwrap();
            let written = |time, dates| {
                let mut text = Vec::new();
                write_time(&mut text, time, dates);
                String::from_utf8(text).unwrap()
            };
            prop_assert_eq!(written(time, false), time.to_string());
            let midnight = Timestamp::from_second(second.div_euclid(86400) * 86400).unwrap();
            prop_assert_eq!(written(midnight, true), format_time(midnight));
        }
    }
}
