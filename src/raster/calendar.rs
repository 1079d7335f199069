//! Times of a time axis: numbers of units since a date of one of the calendars of the CF conventions.
//!
//! # Source
//! CF conventions 1.11, section 4.4, <https://cfconventions.org>. Days of the Julian and the Gregorian calendar: Richards 2013,
//! in Urban and Seidelmann (editors), Explanatory Supplement to the Astronomical Almanac, 3rd edition, section 15.11.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::error::{Error, Result};

/// How days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// Julian until 4 October 1582, Gregorian from the next day, which is the 15th.
    Standard,
    ProlepticGregorian,
    Julian,
    /// No 29 February.
    NoLeap,
    /// A 29 February every year.
    AllLeap,
    /// Twelve months of 30 days.
    Days360,
}

/// The Julian day number of 15 October 1582.
const REFORM: i64 = 2_299_161;
const DAY_NS: i128 = 86_400 * 1_000_000_000;
const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

impl Calendar {
    pub const NAMES: [&'static str; 10] = [
        "standard",
        "gregorian",
        "proleptic_gregorian",
        "julian",
        "noleap",
        "365_day",
        "all_leap",
        "366_day",
        "360_day",
        "none",
    ];

    /// # Errors
    /// `none`, which has no dates; a name that CF does not have.
    fn parse(name: &str) -> Result<Calendar> {
        Ok(match name.to_lowercase().as_str() {
            "" | "standard" | "gregorian" => Calendar::Standard,
            "proleptic_gregorian" => Calendar::ProlepticGregorian,
            "julian" => Calendar::Julian,
            "noleap" | "365_day" => Calendar::NoLeap,
            "all_leap" | "366_day" => Calendar::AllLeap,
            "360_day" => Calendar::Days360,
            "none" => {
                return Err(Error::message(
                    "the calendar `none` has no dates: all of the times are of one day of the year",
                ));
            }
            _ => return Err(Error::not_found("calendar", name, Calendar::NAMES)),
        })
    }

    /// Its name, where the sky does not keep it.
    fn of_models(self) -> Option<&'static str> {
        match self {
            Calendar::Standard | Calendar::ProlepticGregorian | Calendar::Julian => None,
            Calendar::NoLeap => Some("noleap"),
            Calendar::AllLeap => Some("all_leap"),
            Calendar::Days360 => Some("360_day"),
        }
    }

    /// The number of a day; of the calendars that the sky keeps, its Julian day number.
    fn day(self, year: i64, month: i64, day: i64) -> i64 {
        let months = |leap: i64| BEFORE[(month - 1) as usize] + if month > 2 { leap } else { 0 };
        match self {
            Calendar::Days360 => year * 360 + (month - 1) * 30 + day - 1,
            Calendar::NoLeap => year * 365 + months(0) + day - 1,
            Calendar::AllLeap => year * 366 + months(1) + day - 1,
            Calendar::ProlepticGregorian => gregorian_day(year, month, day),
            Calendar::Julian => julian_day(year, month, day),
            Calendar::Standard => match julian_day(year, month, day) {
                old if old < REFORM => old,
                _ => gregorian_day(year, month, day),
            },
        }
    }

    /// Year, month and day as the Gregorian calendar has them: of the day itself where the sky keeps the calendar, else of the
    /// same name.
    fn date(self, number: i64) -> (i64, i64, i64) {
        let named = |year: i64, rest: i64, leap: i64| {
            let starts = |m: usize| BEFORE[m] + if m > 1 { leap } else { 0 };
            let month = (0..12).rev().find(|&m| starts(m) <= rest).unwrap_or(0);
            (year, month as i64 + 1, rest - starts(month) + 1)
        };
        match self {
            Calendar::Days360 => {
                let (year, rest) = (number.div_euclid(360), number.rem_euclid(360));
                (year, rest / 30 + 1, rest % 30 + 1)
            }
            Calendar::NoLeap => named(number.div_euclid(365), number.rem_euclid(365), 0),
            Calendar::AllLeap => named(number.div_euclid(366), number.rem_euclid(366), 1),
            Calendar::Standard | Calendar::ProlepticGregorian | Calendar::Julian => gregorian_date(number),
        }
    }

    /// Days of a month, for what a reference date may be.
    fn has(self, year: i64, month: i64, day: i64) -> bool {
        if !(1..=12).contains(&month) || day < 1 {
            return false;
        }
        let next = match month {
            12 => self.day(year + 1, 1, 1),
            _ => self.day(year, month + 1, 1),
        };
        self.day(year, month, day) < next
    }
}

fn gregorian_day(year: i64, month: i64, day: i64) -> i64 {
    let a = (14 - month) / 12;
    let (y, m) = (year + 4800 - a, month + 12 * a - 3);
    day + (153 * m + 2) / 5 + 365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) - 32045
}

fn julian_day(year: i64, month: i64, day: i64) -> i64 {
    let a = (14 - month) / 12;
    let (y, m) = (year + 4800 - a, month + 12 * a - 3);
    day + (153 * m + 2) / 5 + 365 * y + y.div_euclid(4) - 32083
}

fn gregorian_date(number: i64) -> (i64, i64, i64) {
    let a = number + 32044;
    let b = (4 * a + 3).div_euclid(146_097);
    let c = a - (146_097 * b).div_euclid(4);
    let d = (4 * c + 3).div_euclid(1461);
    let e = c - (1461 * d).div_euclid(4);
    let m = (5 * e + 2) / 153;
    (
        100 * b + d - 4800 + m / 10,
        m + 3 - 12 * (m / 10),
        e - (153 * m + 2) / 5 + 1,
    )
}

/// `days since 2020-01-01`, understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeUnits {
    calendar: Calendar,
    /// Nanoseconds of a unit.
    unit: f64,
    /// Nanoseconds since day 0 of the calendar.
    origin: i128,
}

/// A time of an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// None for dates that the Gregorian calendar has not, as 30 February, and for years beyond ±9999.
    pub time: Option<Timestamp>,
    /// `2000-02-30T12:00:00`, in the axis's own calendar but for Julian dates.
    pub date: String,
    /// The calendar's name, where its days are not those of the sky: dates are called alike, days between them differ.
    pub calendar: Option<&'static str>,
}

impl TimeUnits {
    /// # Errors
    /// Units of no fixed length (months, years; but those of `360_day` have one), dates that the calendar has not, unknown calendars.
    pub fn parse(units: &str, calendar: &str) -> Result<TimeUnits> {
        let calendar = Calendar::parse(calendar)?;
        let bad = |why: &str| {
            Error::argument(
                "units of time",
                "such as `days since 1970-01-01` (microseconds to weeks)",
                format!("`{units}`: {why}"),
            )
        };
        let (unit, since) = units.split_once(" since ").ok_or_else(|| bad("no `since`"))?;
        let second = 1e9;
        let unit = match unit.trim().to_lowercase().as_str() {
            "nanoseconds" | "nanosecond" | "nanosec" | "nsec" | "ns" => 1.0,
            "microseconds" | "microsecond" | "microsec" | "microsecs" | "us" => 1e3,
            "milliseconds" | "millisecond" | "millisec" | "millisecs" | "msec" | "msecs" | "ms" => 1e6,
            "seconds" | "second" | "secs" | "sec" | "s" => second,
            "minutes" | "minute" | "mins" | "min" => 60.0 * second,
            "hours" | "hour" | "hrs" | "hr" | "h" => 3600.0 * second,
            "days" | "day" | "d" => 86_400.0 * second,
            "weeks" | "week" => 7.0 * 86_400.0 * second,
            "months" | "month" if calendar == Calendar::Days360 => 30.0 * 86_400.0 * second,
            "years" | "year" if calendar == Calendar::Days360 => 360.0 * 86_400.0 * second,
            _ => return Err(bad("the unit has no fixed length, or is not known")),
        };
        let (date, clock) = moment(since.trim()).ok_or_else(|| bad("no date that can be read"))?;
        let (year, month, day) = date;
        if !calendar.has(year, month, day) {
            return Err(bad("the calendar has no such day"));
        }
        Ok(TimeUnits {
            calendar,
            unit,
            origin: i128::from(calendar.day(year, month, day)) * DAY_NS + clock,
        })
    }

    /// The time that a value of the axis stands for, rounded to what a float64 of its size can tell; None for NaN and infinities.
    pub fn at(&self, value: f64) -> Option<Moment> {
        let offset = value * self.unit;
        if !offset.is_finite() || offset.abs() > 1e24 {
            return None;
        }
        // Hours are seldom whole binary fractions of a day: below this step there is only rounding.
        let precision = (offset.abs() * 2.0 * f64::EPSILON).max(1.0);
        let step = 10f64.powi(precision.log10().ceil() as i32) as i128;
        let whole = offset.round() as i128;
        let rounded = (whole + step / 2).div_euclid(step) * step;
        let total = self.origin + rounded;
        let (number, clock) = (total.div_euclid(DAY_NS) as i64, total.rem_euclid(DAY_NS));
        let (year, month, day) = self.calendar.date(number);
        let (seconds, nanos) = ((clock / 1_000_000_000) as i64, (clock % 1_000_000_000) as i32);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let civil = || {
            let year = i16::try_from(year).ok()?;
            let (month, day) = (month as i8, day as i8);
            let civil =
                DateTime::new(year, month, day, hour as i8, minute as i8, second as i8, nanos).ok()?;
            Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
        };
        Some(Moment {
            time: civil(),
            date: format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
            calendar: self.calendar.of_models(),
        })
    }
}

/// Date and nanoseconds of the day: `1900-1-1`, `1992-10-8 15:15:42.5 -6:00`, `1970-01-01T00:00:00Z`, `1900-01-01 00:00:0.0 UTC`.
fn moment(text: &str) -> Option<((i64, i64, i64), i128)> {
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(i) => (&text[..i], text[i + 1..].trim()),
        None => (text, ""),
    };
    let (negative, date) = match date.strip_prefix('-') {
        Some(date) => (true, date),
        None => (false, date),
    };
    let mut parts = date
        .split('-')
        .map(|part| part.parse::<u32>().ok().map(i64::from));
    let year = parts.next()??;
    let (month, day) = (parts.next().unwrap_or(Some(1))?, parts.next().unwrap_or(Some(1))?);
    if parts.next().is_some() || year > 1_000_000 {
        return None;
    }
    let year = if negative { -year } else { year };
    let rest = rest
        .trim_end_matches("UTC")
        .trim_end_matches("GMT")
        .trim_end_matches(['Z', 'z'])
        .trim();
    let zone = rest.find(['+', '-']);
    let (clock, zone) = match zone {
        Some(i) => (rest[..i].trim(), &rest[i..]),
        None => (rest, ""),
    };
    let clock = if clock.is_empty() { 0 } else { nanoseconds(clock)? };
    let zone = match zone.split_at_checked(1) {
        None => 0,
        Some((sign, zone)) => {
            let zone = match zone.trim() {
                // `0530`
                digits if digits.len() == 4 && !digits.contains(':') => {
                    format!("{}:{}", digits.get(..2)?, digits.get(2..)?)
                }
                other => other.to_string(),
            };
            nanoseconds(&zone)? * if sign == "-" { -1 } else { 1 }
        }
    };
    Some(((year, month, day), clock - zone))
}

/// Of `15:15:42.5`, `15:15` or `15`.
fn nanoseconds(clock: &str) -> Option<i128> {
    let mut parts = clock.split(':');
    let hours = parts.next()?.parse::<u32>().ok()?;
    let minutes = parts.next().map_or(Some(0), |part| part.parse::<u32>().ok())?;
    let seconds = parts.next().map_or(Some(0.0), |part| part.parse::<f64>().ok())?;
    if parts.next().is_some() || hours > 24 || minutes > 59 || !(0.0..61.0).contains(&seconds) {
        return None;
    }
    Some(i128::from(hours * 3600 + minutes * 60) * 1_000_000_000 + (seconds * 1e9).round() as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values, units and calendars, and what cftime 1.6 makes of them: tests/reference/calendars.py.
    const KNOWN: &str = include_str!("../../tests/reference/calendars.txt");

    #[test]
    fn dates_are_those_of_cftime() {
        let mut seen = 0;
        for line in KNOWN.lines().filter(|line| !line.starts_with('#')) {
            let [value, units, calendar, date] = line.split('|').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let found = TimeUnits::parse(units, calendar)
                .unwrap()
                .at(value.parse().unwrap())
                .unwrap();
            assert_eq!(found.date, date, "{line}");
            // What the Gregorian calendar has not, has no time.
            let exists = date.parse::<DateTime>().is_ok();
            assert_eq!(found.time.is_some(), exists, "{line}");
            if let Some(time) = found.time {
                assert_eq!(time.to_string(), format!("{date}Z"), "{line}");
            }
            seen += 1;
        }
        assert!(seen > 200, "{seen}");
    }

    #[test]
    fn time_zones_are_west_of_utc_where_negative() {
        // The example of the CF conventions, section 4.4: Mountain Daylight Time.
        for zone in ["-6:00", "-06:00", "-0600", "-6"] {
            let units = format!("seconds since 1992-10-8 15:15:42.5 {zone}");
            let found = TimeUnits::parse(&units, "").unwrap().at(0.0).unwrap();
            assert_eq!(
                found.time.unwrap().to_string(),
                "1992-10-08T21:15:42.5Z",
                "{zone}"
            );
        }
    }

    #[test]
    fn units_that_mean_nothing_fixed_are_refused() {
        for (units, calendar, part) in [
            ("months since 1850-01-01", "standard", "no fixed length"),
            ("days since 2001-02-29", "noleap", "no such day"),
            ("days since 2001-02-30", "standard", "no such day"),
            ("days since yesterday", "standard", "no date"),
            ("K", "standard", "no `since`"),
            ("days since 2000-01-01", "noleep", "did you mean `noleap`"),
            ("days since 2000-01-01", "none", "has no dates"),
        ] {
            let error = TimeUnits::parse(units, calendar).unwrap_err().to_string();
            assert!(error.contains(part), "{units}: {error}");
        }
        assert_eq!(
            TimeUnits::parse("days since 2000-01-01", "")
                .unwrap()
                .at(f64::NAN),
            None
        );
    }
}
