//! Parts of the calendar by which images are grouped, in UTC.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::error::{Choice, Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Year,
    /// Of the meteorologists: December to February, which is of the year of its January, March to May and so on.
    Season,
    Month,
    /// Of ISO 8601, from Monday.
    Week,
    Day,
    /// The same of all years.
    MonthOfYear,
    SeasonOfYear,
    DayOfYear,
}

impl Choice for Period {
    const ALL: &'static [(&'static str, Self)] = &[
        ("year", Period::Year),
        ("season", Period::Season),
        ("month", Period::Month),
        ("week", Period::Week),
        ("day", Period::Day),
        ("month_of_year", Period::MonthOfYear),
        ("season_of_year", Period::SeasonOfYear),
        ("day_of_year", Period::DayOfYear),
    ];
}

const SEASONS: [&str; 4] = ["DJF", "MAM", "JJA", "SON"];

/// Which of the seasons, and the year that it is of.
fn season(date: Date) -> (usize, i16) {
    let of_next = i16::from(date.month() == 12);
    (
        (date.month() % 12 / 3) as usize,
        date.year().saturating_add(of_next),
    )
}

impl Period {
    /// True where it comes again each year.
    pub fn is_cycle(self) -> bool {
        matches!(
            self,
            Period::MonthOfYear | Period::SeasonOfYear | Period::DayOfYear
        )
    }

    /// What the period that holds `time` is called, and a number by which periods are put in order.
    pub fn of(self, time: Timestamp) -> (i32, String) {
        let date = date(time);
        let (s, year) = season(date);
        match self {
            Period::Year => (i32::from(date.year()), format!("{:04}", date.year())),
            Period::Season => (
                i32::from(year) * 4 + s as i32,
                format!("{year:04}-{}", SEASONS[s]),
            ),
            Period::Month => (
                i32::from(date.year()) * 12 + i32::from(date.month()),
                date.strftime("%Y-%m").to_string(),
            ),
            Period::Week => {
                let week = date.iso_week_date();
                (
                    i32::from(week.year()) * 54 + i32::from(week.week()),
                    format!("{:04}-W{:02}", week.year(), week.week()),
                )
            }
            Period::Day => (
                i32::from(date.year()) * 366 + i32::from(date.day_of_year()),
                date.strftime("%Y-%m-%d").to_string(),
            ),
            Period::MonthOfYear => (i32::from(date.month()), format!("{:02}", date.month())),
            Period::SeasonOfYear => (s as i32, SEASONS[s].into()),
            Period::DayOfYear => (
                i32::from(date.day_of_year()),
                format!("{:03}", date.day_of_year()),
            ),
        }
    }

    /// When the period that holds `time` begins.
    ///
    /// # Errors
    /// A part of the year, which begins each year; a beginning before the calendar's.
    pub fn start(self, time: Timestamp) -> Result<Timestamp> {
        let day = date(time);
        let first = day.first_of_month();
        let begun = match self {
            Period::Year => Ok(day.first_of_year()),
            Period::Season => first.checked_sub(i64::from(day.month() % 3).months()),
            Period::Month => Ok(first),
            Period::Week => day.checked_sub(i64::from(day.weekday().since(Weekday::Monday)).days()),
            Period::Day => Ok(day),
            Period::MonthOfYear | Period::SeasonOfYear | Period::DayOfYear => {
                return Err(Error::argument(
                    "period",
                    "`year`, `season`, `month`, `week` or `day`",
                    format!("`{}`, which comes again each year", self.name()),
                ));
            }
        };
        let begun = begun.and_then(|date| date.to_zoned(TimeZone::UTC));
        begun
            .map(|zoned| zoned.timestamp())
            .map_err(|e| Error::message(e.to_string()))
    }
}

fn date(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}
