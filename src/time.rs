//! Times as people and archives write them: ISO 8601 in all its forms, whole or down to a year. In UTC where no zone is said.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};
use regex::{Captures, Regex};

/// What a text names: an instant, or all of a day, a week, a month or a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub first: Timestamp,
    /// The last microsecond; equal to `first` for an instant.
    pub last: Timestamp,
}

impl Stretch {
    /// Reads `2020`, `2020-06`, `2020-06-01`, `2020-W23`, `2020-W23-1` (week and day), `2020-153` (day of the year), and
    /// days with a time of day after a `T`, a blank or a `_`: `10`, `10:11`, `10:11:12`, `10:11:12.5`, `24:00`, with `Z`,
    /// `+02`, `+02:00` or nothing behind it. Dates, times and zones without their hyphens and colons are read too, but
    /// for `202006`, which could be a day. A leap second is the second before it, as in POSIX time.
    ///
    /// `None` where it is none of these, or there is no such day or time.
    pub fn parse(text: &str) -> Option<Stretch> {
        static FORM: LazyLock<Regex> = LazyLock::new(|| {
            let date = r"(?<year>\d{4})(?:-?W(?<week>\d\d)(?:-?(?<weekday>\d))?|-?(?<ordinal>\d{3})|-(?<month>\d\d)(?:-(?<day>\d\d))?|(?<month_>\d\d)(?<day_>\d\d))?";
            let time = r"(?<hour>\d\d)(?::?(?<minute>\d\d)(?::?(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?)?";
            let zone = r"(?:[Zz]|(?<sign>[+-])(?<ahead>\d\d)(?::?(?<minutes>\d\d))?)?";
            let form = format!("^{date}(?:[Tt _]{time}{zone})?$");
            Regex::new(&form).unwrap_or_else(|e| unreachable!("the pattern is a constant: {e}"))
        });
        let text = text.trim();
        let Some(found) = FORM.captures(text) else {
            // Its rarer relatives: years of six digits, RFC 9557's names of zones.
            let time = text.parse().ok().or_else(|| in_utc(text.parse().ok()?))?;
            return Some(Stretch::instant(time));
        };
        let (day, length) = date(&found)?;
        if found.name("hour").is_some() {
            return Some(Stretch::instant(instant(&found, day, length)?));
        }
        let first = in_utc(day.at(0, 0, 0, 0))?;
        // The year 9999 has no next one.
        let next = day.checked_add(length).unwrap_or(Date::MAX);
        let last = in_utc(next.at(0, 0, 0, 0))?
            .checked_sub(Span::new().microseconds(1))
            .ok()?;
        Some(Stretch {
            first,
            last: last.max(first),
        })
    }

    pub fn instant(time: Timestamp) -> Stretch {
        Stretch {
            first: time,
            last: time,
        }
    }
}

/// The instant that `text` names, the first of those of a day, a month or a year: what pystac takes for the time of an item.
pub fn parse(text: &str) -> Option<Timestamp> {
    usual(text.trim().as_bytes()).or_else(|| Stretch::parse(text).map(|stretch| stretch.first))
}

/// The forms that columns of tables are full of, without the pattern: `2020-06-01`, and that with `T` or a blank, `10:11:12`, a
/// fraction or none, and `Z` or nothing. None for all others, among them what is no time.
fn usual(text: &[u8]) -> Option<Timestamp> {
    fn digits(text: &[u8]) -> Option<i32> {
        let digit = |number: i32, byte: &u8| {
            byte.is_ascii_digit()
                .then(|| number * 10 + i32::from(byte - b'0'))
        };
        text.iter().try_fold(0, digit)
    }
    let small = |text| digits(text).and_then(|number| i8::try_from(number).ok());
    let (date, time) = text.split_at_checked(10)?;
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let year = i16::try_from(digits(&date[..4])?).ok()?;
    let day = Date::new(year, small(&date[5..7])?, small(&date[8..])?).ok()?;
    let time = time.strip_suffix(b"Z").unwrap_or(time);
    let clock = match time {
        [] if text.len() == 10 => Time::midnight(),
        [b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2, fraction @ ..] => {
            let nanosecond = match fraction {
                [] => 0,
                [b'.', fraction @ ..] if (1..=9).contains(&fraction.len()) => {
                    digits(fraction)? * 10i32.pow(9 - fraction.len() as u32)
                }
                _ => return None,
            };
            Time::new(
                small(&[*h1, *h2])?,
                small(&[*m1, *m2])?,
                small(&[*s1, *s2])?,
                nanosecond,
            )
            .ok()?
        }
        _ => return None,
    };
    Offset::UTC.to_timestamp(day.to_datetime(clock)).ok()
}

fn in_utc(time: DateTime) -> Option<Timestamp> {
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn number(found: &Captures, name: &str) -> Option<i16> {
    found.name(name)?.as_str().parse().ok()
}

fn small(found: &Captures, name: &str) -> Option<i8> {
    number(found, name).and_then(|n| i8::try_from(n).ok())
}

/// The first day, and how long what is named lasts.
fn date(found: &Captures) -> Option<(Date, Span)> {
    let year = number(found, "year")?;
    if let Some(week) = small(found, "week") {
        let day = small(found, "weekday");
        let weekday = Weekday::from_monday_one_offset(day.unwrap_or(1)).ok()?;
        let length = if day.is_some() {
            Span::new().days(1)
        } else {
            Span::new().weeks(1)
        };
        return Some((ISOWeekDate::new(year, week, weekday).ok()?.date(), length));
    }
    if let Some(ordinal) = number(found, "ordinal") {
        let day = Date::new(year, 1, 1)
            .ok()?
            .with()
            .day_of_year(ordinal)
            .build()
            .ok()?;
        return Some((day, Span::new().days(1)));
    }
    let month = small(found, "month").or(small(found, "month_"));
    let day = small(found, "day").or(small(found, "day_"));
    let length = match (month, day) {
        (_, Some(_)) => Span::new().days(1),
        (Some(_), None) => Span::new().months(1),
        (None, None) => Span::new().years(1),
    };
    Some((
        Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?,
        length,
    ))
}

fn instant(found: &Captures, day: Date, length: Span) -> Option<Timestamp> {
    // A time of day belongs to a day.
    if length.get_days() != 1 {
        return None;
    }
    let part = |name| small(found, name).unwrap_or(0);
    let (mut day, mut hour) = (day, small(found, "hour")?);
    let (minute, second) = (part("minute"), part("second"));
    // Nine digits are nanoseconds, which is as fine as a time is here.
    let digits = found.name("fraction").map_or("", |f| f.as_str());
    let nanosecond: i32 = format!("{digits:0<9}")[..9].parse().ok()?;
    if (hour, minute, second, nanosecond) == (24, 0, 0, 0) {
        (day, hour) = (day.tomorrow().ok()?, 0);
    }
    let (second, nanosecond) = if second == 60 {
        (59, 0)
    } else {
        (second, nanosecond)
    };
    let time = day.to_datetime(Time::new(hour, minute, second, nanosecond).ok()?);
    let minutes = part("minutes");
    if minutes > 59 {
        return None;
    }
    let ahead = i32::from(part("ahead")) * 3600 + i32::from(minutes) * 60;
    let ahead = if found.name("sign").is_some_and(|s| s.as_str() == "-") {
        -ahead
    } else {
        ahead
    };
    Offset::from_seconds(ahead).ok()?.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `pystac.utils.str_to_datetime` of pystac 1.15.2 reads them (python-dateutil's `isoparse`; UTC where it gives no
    /// zone), but for the digits behind microseconds, which it cuts off.
    #[test]
    fn times_are_those_of_pystac() {
        for (text, expected) in [
            ("2020-06-01", "2020-06-01T00:00:00Z"),
            ("2020-06", "2020-06-01T00:00:00Z"),
            ("2020", "2020-01-01T00:00:00Z"),
            ("2020-06-01T10:11Z", "2020-06-01T10:11:00Z"),
            ("2020-06-01T10:11", "2020-06-01T10:11:00Z"),
            ("2020-06-01 10:11:12", "2020-06-01T10:11:12Z"),
            ("20200601", "2020-06-01T00:00:00Z"),
            ("20200601T101112Z", "2020-06-01T10:11:12Z"),
            ("2020-W23", "2020-06-01T00:00:00Z"),
            ("2020-W23-1", "2020-06-01T00:00:00Z"),
            ("2020-06-01T10", "2020-06-01T10:00:00Z"),
            ("2020-06-01T10:11:12.123456789Z", "2020-06-01T10:11:12.123456789Z"),
            ("2020-06-01T10:11:12,5Z", "2020-06-01T10:11:12.5Z"),
            ("2020-06-01T24:00:00Z", "2020-06-02T00:00:00Z"),
            ("2020-06-01T10:11:12+02", "2020-06-01T08:11:12Z"),
            ("2020-06-01T10:11:12+0230", "2020-06-01T07:41:12Z"),
            ("2020-06-01T10:11:12-02:30", "2020-06-01T12:41:12Z"),
            ("2020-06-01t10:11:12z", "2020-06-01T10:11:12Z"),
            ("2020-06-01_10:11:12", "2020-06-01T10:11:12Z"),
            ("2020-153", "2020-06-01T00:00:00Z"),
            ("2020153", "2020-06-01T00:00:00Z"),
            ("2020-06-01T101112", "2020-06-01T10:11:12Z"),
            ("2020-06-01T1011", "2020-06-01T10:11:00Z"),
            ("2020-06-01T10:11:12+14:00", "2020-05-31T20:11:12Z"),
        ] {
            assert_eq!(
                parse(text).map(|t| t.to_string()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in [
            "202006",
            "June 1 2020",
            "2020-6-1",
            "noon",
            "2020/06/01",
            "",
            "2020-06-01T10:11:12 UTC",
            "01/06/2020",
            "2020-06-01T10:11:12.Z",
            "2020-02-30",
            "2020-06-01T25:00",
            "2020-366T00:00:61",
            "2019-366",
            "2020-06T10:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_usual_forms_are_read_as_by_the_pattern() {
        for text in [
            "2020-06-01",
            "2020-06-01Z",
            "2020-02-30",
            "2020-06-01T10:11:12Z",
            "2020-06-01 10:11:12",
            "2020-06-01T10:11:12.000000001",
            "2020-06-01T10:11:12.5Z",
            "2020-06-01T10:11:12.1234567899Z",
            "2020-06-01T10:11:12.Z",
            "2020-06-01T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2020-06-01T10:11:12ZZ",
            "2020-06-01t10:11:12",
            "2020-06-01T1O:11:12",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
        ] {
            assert_eq!(parse(text), Stretch::parse(text).map(|s| s.first), "{text}");
        }
    }

    /// pystac refuses them; POSIX time repeats the second before.
    #[test]
    fn leap_seconds_are_the_second_before() {
        for text in ["2016-12-31T23:59:60Z", "2017-01-01 00:59:60.7+01:00"] {
            assert_eq!(parse(text).unwrap().to_string(), "2016-12-31T23:59:59Z");
        }
    }

    #[test]
    fn stretches_last_to_their_end() {
        for (text, last) in [
            ("2020", "2020-12-31T23:59:59.999999Z"),
            ("2020-02", "2020-02-29T23:59:59.999999Z"),
            ("2020-W53", "2021-01-03T23:59:59.999999Z"),
            ("2020-366", "2020-12-31T23:59:59.999999Z"),
            ("2020-06-30T10:00", "2020-06-30T10:00:00Z"),
        ] {
            assert_eq!(Stretch::parse(text).unwrap().last.to_string(), last, "{text}");
        }
    }
}
