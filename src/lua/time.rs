//! Times and dates, in UTC. Scripts hold them as ISO 8601 text, which sorts as time does.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned, fmt};
use mlua::{Lua, Table, Value};

use super::options::OptionTable;
use super::{Args, Module, Options, describe};
use crate::error::{Choice, Domain, Error, Result};
use crate::options;
use crate::table::format_time;
use crate::time::Stretch;

pub fn define(m: &mut Module) -> Result<()> {
    m.table::<Amount>();
    m.function("now()", |_, _| Ok(Timestamp::now().round(jiff::Unit::Second).unwrap_or(Timestamp::now()).to_string()))?;
    m.function("today()", |_, _| Ok(utc(Timestamp::now()).date().to_string()))?;
    m.function("parse(text, format?)", parse)?;
    m.function("format(time, format?)", format)?;
    m.function("add(time, amount)", add)?;
    m.function("difference(later, earlier, unit?)", difference)?;
    m.function("range(first, last, step)", range)?;
    m.function("parts(time)", parts)?;
    m.function("ends(text)", |_, args| {
        let named: Stretch = args.get("text")?;
        Ok((format_time(named.first), named.last.to_string()))
    })?;
    m.function("seconds(time)", |_, args| Ok(args.get::<Timestamp>("time")?.as_nanosecond() as f64 / 1e9))?;
    Ok(())
}

fn utc(time: Timestamp) -> Zoned {
    time.to_zoned(TimeZone::UTC)
}

fn failed(error: jiff::Error) -> Error {
    Error::message(error.to_string())
}

/// Without a format: everything that a time can be elsewhere, and the compact forms of file names.
fn parse(_: &Lua, args: &Args) -> Result<String> {
    let text: String = args.get("text")?;
    let Some(format) = args.get::<Option<String>>("format")? else {
        if let Some(time) = compact(&text) {
            return Ok(format_time(time));
        }
        return args.get::<Timestamp>("text").map(format_time);
    };
    let parsed = fmt::strtime::parse(&format, &text)
        .map_err(|e| Error::message(format!("{text:?} is not a time of the form {format:?}: {e}")))?;
    let time = match parsed.to_timestamp() {
        Ok(time) => time,
        Err(_) => {
            let civil: DateTime = match parsed.to_datetime() {
                Ok(civil) => civil,
                Err(_) => parsed.to_date().map_err(failed)?.at(0, 0, 0, 0),
            };
            civil.to_zoned(TimeZone::UTC).map_err(failed)?.timestamp()
        }
    };
    Ok(format_time(time))
}

/// `20200105` and `20200105T101530`, with or without Z.
fn compact(text: &str) -> Option<Timestamp> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let text = text.trim().trim_end_matches(['Z', 'z']);
    let (date, time) = text.split_once(['T', 't', '_']).unwrap_or((text, "000000"));
    if date.len() != 8 || time.len() != 6 || !digits(date) || !digits(time) {
        return None;
    }
    let civil = DateTime::strptime("%Y%m%d%H%M%S", format!("{date}{time}")).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn format(_: &Lua, args: &Args) -> Result<String> {
    let time: Timestamp = args.get("time")?;
    let format: Option<String> = args.get("format")?;
    let format = format.as_deref().unwrap_or("%Y%m%d");
    fmt::strtime::format(format, &utc(time))
        .map_err(|e| Error::argument("format", "a format such as \"%Y-%m-%d\"", format!("{format:?} ({e})")))
}

fn add(_: &Lua, args: &Args) -> Result<String> {
    let time: Timestamp = args.get("time")?;
    let span = span(&args.get("amount")?, "amount")?;
    Ok(format_time(utc(time).checked_add(span).map_err(failed)?.timestamp()))
}

options! {
    struct Amount("time.Amount") {
        /// Calendar years.
        years: i64 = 0,
        /// Calendar months; from the 31st to a shorter month is its last day.
        months: i64 = 0,
        /// Seven days each.
        weeks: i64 = 0,
        /// Of 24 hours.
        days: i64 = 0,
        /// With fractions.
        hours: f64 = 0.0; Domain::FINITE,
        /// With fractions.
        minutes: f64 = 0.0; Domain::FINITE,
        /// With fractions.
        seconds: f64 = 0.0; Domain::FINITE,
    }
}

impl Amount {
    fn span(self) -> Result<Span> {
        let nanoseconds = |number: f64, unit: f64| (number * unit) as i64;
        let below_days = nanoseconds(self.hours, 3600e9)
            .saturating_add(nanoseconds(self.minutes, 60e9))
            .saturating_add(nanoseconds(self.seconds, 1e9));
        Span::new()
            .try_nanoseconds(below_days)
            .and_then(|s| s.try_days(self.days))
            .and_then(|s| s.try_weeks(self.weeks))
            .and_then(|s| s.try_months(self.months))
            .and_then(|s| s.try_years(self.years))
            .map_err(failed)
    }
}

/// `{ months = 1, days = -3 }`, or a number of days.
fn span(value: &Value, name: &str) -> Result<Span> {
    match value {
        Value::Integer(days) => Span::new().try_days(*days).map_err(failed),
        Value::Number(days) if days.is_finite() => {
            Span::new().try_nanoseconds((days * 86_400e9) as i64).map_err(failed)
        }
        Value::Table(_) => Options::read(value, name, Amount::read)?.span(),
        other => Err(Error::argument(
            name,
            "a number of days or a table such as { months = 1, days = 12 }",
            describe(other),
        )),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Days,
    Hours,
    Minutes,
    Seconds,
}

impl Choice for Unit {
    const ALL: &'static [(&'static str, Self)] = &[
        ("days", Unit::Days),
        ("hours", Unit::Hours),
        ("minutes", Unit::Minutes),
        ("seconds", Unit::Seconds),
    ];
}

fn difference(_: &Lua, args: &Args) -> Result<f64> {
    let later: Timestamp = args.get("later")?;
    let earlier: Timestamp = args.get("earlier")?;
    let seconds = (later.as_nanosecond() - earlier.as_nanosecond()) as f64 / 1e9;
    Ok(match args.get::<Option<Unit>>("unit")?.unwrap_or(Unit::Days) {
        Unit::Days => seconds / 86_400.0,
        Unit::Hours => seconds / 3600.0,
        Unit::Minutes => seconds / 60.0,
        Unit::Seconds => seconds,
    })
}

/// From `first`, which may be after `last` if the step is negative; months are counted from `first`, so that a range
/// from the 31st does not drift.
fn range(_: &Lua, args: &Args) -> Result<Vec<String>> {
    const MOST: usize = 1_000_000;
    let first = utc(args.get("first")?);
    let last = utc(args.get("last")?);
    let step = span(&args.get("step")?, "step")?;
    let next = first.checked_add(step).map_err(failed)?;
    if next == first {
        return Err(Error::argument("step", "a step that leads on", "nothing"));
    }
    let forward = next > first;
    let (mut times, mut at) = (Vec::new(), first.clone());
    while if forward { at <= last } else { at >= last } {
        if times.len() >= MOST {
            return Err(Error::message(format!("the range has more than {MOST} times; take a longer step")));
        }
        times.push(format_time(at.timestamp()));
        let count = times.len() as i64;
        at = first.checked_add(step.checked_mul(count).map_err(failed)?).map_err(failed)?;
    }
    Ok(times)
}

fn parts(lua: &Lua, args: &Args) -> Result<Table> {
    let time = utc(args.get("time")?);
    let table = lua.create_table()?;
    table.raw_set("year", time.year())?;
    table.raw_set("month", time.month())?;
    table.raw_set("day", time.day())?;
    table.raw_set("hour", time.hour())?;
    table.raw_set("minute", time.minute())?;
    table.raw_set("second", f64::from(time.second()) + f64::from(time.subsec_nanosecond()) / 1e9)?;
    table.raw_set("weekday", time.weekday().to_monday_one_offset())?;
    table.raw_set("day_of_year", time.day_of_year())?;
    Ok(table)
}
