//! Marks of time axes: round dates and hours, in UTC. Times are seconds since 1970-01-01T00:00:00Z.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::TimeZone;

use super::ticks::{Tick, Ticks};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Seconds(i64),
    /// Days of the month 1, 1 + n, 1 + 2n…
    Days(i8),
    Months(i8),
    Years(i16),
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

const STEPS: [Step; 37] = [
    Step::Seconds(1),
    Step::Seconds(2),
    Step::Seconds(5),
    Step::Seconds(10),
    Step::Seconds(15),
    Step::Seconds(30),
    Step::Seconds(MINUTE),
    Step::Seconds(2 * MINUTE),
    Step::Seconds(5 * MINUTE),
    Step::Seconds(10 * MINUTE),
    Step::Seconds(15 * MINUTE),
    Step::Seconds(30 * MINUTE),
    Step::Seconds(HOUR),
    Step::Seconds(2 * HOUR),
    Step::Seconds(3 * HOUR),
    Step::Seconds(6 * HOUR),
    Step::Seconds(12 * HOUR),
    Step::Days(1),
    Step::Days(2),
    Step::Days(5),
    Step::Days(7),
    Step::Days(10),
    Step::Days(15),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(4),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
    Step::Years(10),
    Step::Years(20),
    Step::Years(50),
    Step::Years(100),
    Step::Years(200),
    Step::Years(500),
];

impl Step {
    fn seconds(self) -> f64 {
        match self {
            Step::Seconds(n) => n as f64,
            Step::Days(n) => f64::from(n) * DAY as f64,
            Step::Months(n) => f64::from(n) * 30.44 * DAY as f64,
            Step::Years(n) => f64::from(n) * 365.2425 * DAY as f64,
        }
    }
}

/// Candidates for a time axis, finest first. Times outside the years −9999 to 9999 get none.
pub fn candidates(low: f64, high: f64, most: usize) -> Vec<Ticks> {
    let (Some(start), Some(end)) = (civil(low), civil(high)) else {
        return Vec::new();
    };
    let raw = (high - low) / most.max(1) as f64;
    STEPS
        .iter()
        .filter(|step| step.seconds() >= raw * 0.99)
        .map(|&step| {
            let times = match step {
                Step::Seconds(n) => whole_seconds(low, high, n),
                Step::Days(n) => days(start, end, n),
                Step::Months(n) => months(start, end, n),
                Step::Years(n) => years(start, end, n),
            };
            label(&times, step, low, high)
        })
        .collect()
}

fn civil(seconds: f64) -> Option<DateTime> {
    let time = Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()?;
    seconds.is_finite().then(|| TimeZone::UTC.to_datetime(time))
}

fn seconds_of(time: DateTime) -> Option<f64> {
    let zoned = time.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second() as f64)
}

fn whole_seconds(low: f64, high: f64, step: i64) -> Vec<DateTime> {
    let first = (low / step as f64).ceil() as i64;
    let last = (high / step as f64).floor() as i64;
    (first..=last.min(first + 1000))
        .filter_map(|i| civil((i * step) as f64))
        .collect()
}

fn days(start: DateTime, end: DateTime, step: i8) -> Vec<DateTime> {
    let mut out = Vec::new();
    let mut month = start.date().first_of_month();
    while month <= end.date() && out.len() < 1000 {
        let length = month.days_in_month();
        // A mark on the 31st would crowd the next month's first.
        let last = if step == 1 { length } else { length - step / 2 };
        out.extend(
            (1..=last)
                .step_by(step as usize)
                .filter_map(|day| Date::new(month.year(), month.month(), day).ok())
                .map(|d| d.to_datetime(Time::midnight())),
        );
        let Ok(next) = month.checked_add(jiff::Span::new().months(1)) else {
            break;
        };
        month = next;
    }
    out
}

fn months(start: DateTime, end: DateTime, step: i8) -> Vec<DateTime> {
    (start.year()..=end.year())
        .take(400)
        .flat_map(|year| (1..=12).step_by(step as usize).map(move |m| (year, m)))
        .map(|(year, month)| date(year, month, 1).to_datetime(Time::midnight()))
        .collect()
}

fn years(start: DateTime, end: DateTime, step: i16) -> Vec<DateTime> {
    (start.year().div_euclid(step)..=end.year().div_euclid(step) + 1)
        .filter_map(|i| Date::new(i.checked_mul(step)?, 1, 1).ok())
        .map(|d| d.to_datetime(Time::midnight()))
        .collect()
}

/// The part that changes from mark to mark on the first line; what it belongs to on a second line, where that is new.
fn label(times: &[DateTime], step: Step, low: f64, high: f64) -> Ticks {
    let mut previous: Option<String> = None;
    let major = times
        .iter()
        .filter_map(|t| seconds_of(*t).map(|at| (at, t)))
        .filter(|(at, _)| *at >= low && *at <= high)
        .map(|(at, t)| {
            let (fine, context) = match step {
                Step::Seconds(n) if n < MINUTE => (t.strftime("%H:%M:%S"), Some(t.strftime("%-d %b %Y"))),
                Step::Seconds(_) => (t.strftime("%H:%M"), Some(t.strftime("%-d %b %Y"))),
                Step::Days(_) => (t.strftime("%-d"), Some(t.strftime("%b %Y"))),
                Step::Months(_) => (t.strftime("%b"), Some(t.strftime("%Y"))),
                Step::Years(_) => (t.strftime("%Y"), None),
            };
            let context = context.map(|c| c.to_string());
            let label = match &context {
                Some(c) if previous.as_ref() != Some(c) => format!("{fine}\n{c}"),
                _ => fine.to_string(),
            };
            previous = context;
            Tick { at, label }
        })
        .collect();
    Ticks {
        major,
        ..Ticks::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> f64 {
        text.parse::<Timestamp>().unwrap().as_second() as f64
    }

    fn labels(from: &str, to: &str, most: usize) -> Vec<String> {
        candidates(at(from), at(to), most)
            .remove(0)
            .major
            .into_iter()
            .map(|t| t.label)
            .collect()
    }

    #[test]
    fn years_and_months() {
        assert_eq!(
            labels("2015-03-01T00:00:00Z", "2019-06-01T00:00:00Z", 5),
            ["2016", "2017", "2018", "2019"]
        );
        assert_eq!(
            labels("2020-09-15T00:00:00Z", "2021-04-02T00:00:00Z", 8),
            ["Oct\n2020", "Nov", "Dec", "Jan\n2021", "Feb", "Mar", "Apr"]
        );
    }

    #[test]
    fn days_and_hours() {
        assert_eq!(
            labels("2021-01-25T00:00:00Z", "2021-02-20T00:00:00Z", 6),
            ["26\nJan 2021", "1\nFeb 2021", "6", "11", "16"]
        );
        assert_eq!(
            labels("2021-01-31T20:00:00Z", "2021-02-01T05:00:00Z", 4),
            ["21:00\n31 Jan 2021", "00:00\n1 Feb 2021", "03:00"]
        );
    }

    #[test]
    fn positions_are_exact_and_before_1970_too() {
        let ticks = candidates(at("1960-01-01T00:00:00Z"), at("1972-01-01T00:00:00Z"), 4).remove(0);
        let positions: Vec<f64> = ticks.major.iter().map(|t| t.at).collect();
        assert_eq!(
            positions,
            [
                at("1960-01-01T00:00:00Z"),
                at("1965-01-01T00:00:00Z"),
                at("1970-01-01T00:00:00Z")
            ]
        );
    }

    #[test]
    fn senseless_times_give_no_marks() {
        assert!(candidates(f64::NAN, 0.0, 5).is_empty());
        assert!(candidates(0.0, 1e300, 5).is_empty());
    }
}
