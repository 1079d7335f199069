//! Fewer granules: of some months, and at most so many a year.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use stac::Item;

use super::names::{Granule, id_of};
use crate::catalog::item;
use crate::error::{Choice, Error, Result};

/// What the filter asks of a granule.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What tells granules apart, and breaks ties: the id.
    pub id: String,
    /// Half way between the acquisitions, UTC.
    pub mid_date: DateTime,
    /// Valid pixels, percent.
    pub percent_valid_pixels: f64,
}

/// Which granules of a year are kept when there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preference {
    /// Those with the most valid pixels; of equals the earlier one. Does not depend on the order of the list.
    #[default]
    Valid,
    /// Those that come first in the list, as itslive-explorer's `filter_urls` does.
    First,
    /// Those nearest to the middles of as many equal parts of the year. Does not depend on the order of the list.
    Spread,
}

impl Choice for Preference {
    const ALL: &'static [(&'static str, Self)] = &[
        ("valid", Preference::Valid),
        ("first", Preference::First),
        ("spread", Preference::Spread),
    ];
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// `None` for all.
    pub most_per_year: Option<usize>,
    /// Months of the mid-date, 1 to 12; empty for all.
    pub months: Vec<i8>,
    /// Years of the mid-date; empty for all.
    pub years: Vec<i16>,
    pub choice: Preference,
}

impl Candidate {
    /// # Errors
    /// When the name at the end of the address is not a granule's.
    pub fn of_url(address: &str) -> Result<Candidate> {
        let granule = Granule::parse(address)?;
        Ok(Candidate {
            mid_date: granule.mid_date(),
            percent_valid_pixels: f64::from(granule.percent_valid_pixels),
            id: granule.id,
        })
    }

    /// By its properties; what they lack, by its id.
    ///
    /// # Errors
    /// When neither tells the time.
    pub fn of_item(item: &Item) -> Result<Candidate> {
        let named = Granule::parse(&item.id);
        let time = item::property(item, "mid_datetime")
            .and_then(|v| v.as_str()?.parse::<jiff::Timestamp>().ok())
            .or_else(|| item::span(item).map(item::Span::middle))
            .map(|t| t.to_zoned(TimeZone::UTC).datetime());
        let valid = item::property(item, "percent_valid_pixels").and_then(|v| v.as_f64());
        match (time, named) {
            (Some(mid_date), named) => Ok(Candidate {
                id: item.id.clone(),
                mid_date,
                percent_valid_pixels: valid
                    .or_else(|| Some(f64::from(named.ok()?.percent_valid_pixels)))
                    .unwrap_or(0.0),
            }),
            (None, Ok(granule)) => Candidate::of_url(&granule.id),
            (None, Err(error)) => Err(Error::message(format!(
                "the item has no time of its own, and {error}"
            ))),
        }
    }
}

impl Filter {
    /// The positions of those to keep, in the order of the list. What comes again under the same id is left out.
    pub fn apply(&self, entries: &[Candidate]) -> Vec<usize> {
        let mut seen = HashSet::new();
        let mut years: BTreeMap<i16, Vec<usize>> = BTreeMap::new();
        for (i, entry) in entries.iter().enumerate() {
            let (year, month) = (entry.mid_date.year(), entry.mid_date.month());
            let wanted = (self.months.is_empty() || self.months.contains(&month))
                && (self.years.is_empty() || self.years.contains(&year));
            if wanted && seen.insert(&entry.id) {
                years.entry(entry.mid_date.year()).or_default().push(i);
            }
        }
        let mut kept: Vec<usize> = years
            .into_values()
            .flat_map(|year| match self.most_per_year {
                Some(most) if most < year.len() => self.choose(entries, year, most),
                _ => year,
            })
            .collect();
        kept.sort_unstable();
        kept
    }

    fn choose(&self, entries: &[Candidate], mut year: Vec<usize>, most: usize) -> Vec<usize> {
        let best = |a: &usize, b: &usize| {
            let (a, b) = (&entries[*a], &entries[*b]);
            b.percent_valid_pixels
                .total_cmp(&a.percent_valid_pixels)
                .then_with(|| a.mid_date.cmp(&b.mid_date))
                .then_with(|| a.id.cmp(&b.id))
        };
        match self.choice {
            Preference::First => {}
            Preference::Valid => year.sort_by(best),
            Preference::Spread => return spread(entries, year, most),
        }
        year.truncate(most);
        year
    }
}

/// One after the other, the granule nearest to the middle of each of `most` equal parts of the year.
fn spread(entries: &[Candidate], mut year: Vec<usize>, most: usize) -> Vec<usize> {
    let position = |i: usize| {
        let date = entries[i].mid_date;
        (f64::from(date.day_of_year()) - 0.5) / f64::from(date.days_in_year())
    };
    year.sort_by(|&a, &b| {
        entries[a]
            .mid_date
            .cmp(&entries[b].mid_date)
            .then_with(|| entries[a].id.cmp(&entries[b].id))
    });
    let mut kept = Vec::with_capacity(most);
    for part in 0..most {
        let middle = (part as f64 + 0.5) / most as f64;
        let nearest = year
            .iter()
            .enumerate()
            .min_by(|(_, a), (_, b)| {
                (position(**a) - middle)
                    .abs()
                    .total_cmp(&(position(**b) - middle).abs())
            })
            .map(|(at, _)| at);
        if let Some(at) = nearest {
            kept.push(year.remove(at));
        }
    }
    kept
}

/// How many granules each year has by its mid-dates, earliest year first.
pub fn by_year(entries: &[Candidate]) -> BTreeMap<i16, Vec<usize>> {
    let mut years: BTreeMap<i16, Vec<usize>> = BTreeMap::new();
    for (i, entry) in entries.iter().enumerate() {
        years.entry(entry.mid_date.year()).or_default().push(i);
    }
    years
}

/// A month by number, or by its English name, whole or of three letters.
///
/// # Errors
/// When it is no month.
pub fn month(text: &str) -> Result<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let lower = text.trim().to_lowercase();
    if let Ok(number @ 1..=12) = lower.parse::<i8>() {
        return Ok(number);
    }
    let found = MONTHS
        .iter()
        .position(|m| *m == lower || (lower.len() == 3 && m.starts_with(&lower)));
    match found {
        Some(at) => Ok(at as i8 + 1),
        None => Err(Error::argument(
            "months",
            "months by number or English name",
            format!("`{text}`"),
        )),
    }
}

/// The granules of a list by their addresses.
///
/// # Errors
/// For the first that is not named as one, with its place in the list.
pub fn entries_of_urls(urls: &[String]) -> Result<Vec<Candidate>> {
    let read = |(i, url): (usize, &String)| {
        Candidate::of_url(url).map_err(|e| Error::message(format!("urls[{}]: {e}", i + 1)))
    };
    urls.iter().enumerate().map(read).collect()
}

/// The name of the file that an address or item id stands for.
pub fn file_name(address: &str) -> String {
    format!("{}.nc", id_of(address))
}
