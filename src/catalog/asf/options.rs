//! What can be asked of ASF, in the words of its own search.

use geo::Geometry;
use jiff::Timestamp;

use crate::error::{Error, Result};

/// A value or a stretch of values, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub first: i64,
    pub last: i64,
}

impl Range {
    pub fn one(value: i64) -> Range {
        Range {
            first: value,
            last: value,
        }
    }

    /// `87`, or `80-90`.
    ///
    /// # Errors
    /// When `text` is neither, or runs backwards.
    pub fn parse(name: &str, text: &str) -> Result<Range> {
        let wrong = || {
            Error::argument(
                name,
                "a whole number or a range such as `80-90`",
                format!("`{text}`"),
            )
        };
        let number = |t: &str| t.trim().parse::<i64>().map_err(|_| wrong());
        let range = match text.trim().split_once('-') {
            Some((a, b)) if !a.trim().is_empty() => Range {
                first: number(a)?,
                last: number(b)?,
            },
            _ => Range::one(number(text)?),
        };
        if range.first > range.last {
            return Err(wrong());
        }
        Ok(range)
    }
}

/// Each list holds alternatives; different options must all hold. Empty lists and `None` ask for nothing.
#[derive(Debug, Clone, Default)]
pub struct AsfOptions {
    pub dataset: Vec<String>,
    pub platform: Vec<String>,
    pub instrument: Vec<String>,
    pub processing_level: Vec<String>,
    pub beam_mode: Vec<String>,
    pub beam_swath: Vec<String>,
    pub polarization: Vec<String>,
    pub flight_direction: Vec<String>,
    pub look_direction: Vec<String>,
    pub relative_orbit: Vec<Range>,
    pub absolute_orbit: Vec<Range>,
    pub frame: Vec<Range>,
    pub off_nadir_angle: Vec<f64>,
    pub intersects_with: Option<Geometry>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    /// First and last day of the year; the first may be the later, over the turn of the year.
    pub season: Option<[u16; 2]>,
    pub granule_list: Vec<String>,
    pub product_list: Vec<String>,
    pub group_id: Vec<String>,
    pub campaign: Vec<String>,
    pub relative_burst_id: Vec<i64>,
    pub absolute_burst_id: Vec<i64>,
    pub full_burst_id: Vec<String>,
    pub opera_burst_id: Vec<String>,
    /// CMR concept ids such as `C2803501758-ASF`.
    pub collections: Vec<String>,
    pub short_name: Vec<String>,
    /// The search stops here; `None` for all.
    pub max_results: Option<usize>,
    /// Granules a request, at most 2000.
    pub page: usize,
    /// An answer with fewer granules than CMR counts is given with a note.
    pub partial: bool,
}

/// CMR takes up to 2000; 1000 granules are some 10 MB of JSON.
pub const PAGE: usize = 1000;
pub const LARGEST_PAGE: usize = 2000;

impl AsfOptions {
    pub fn new() -> AsfOptions {
        AsfOptions {
            page: PAGE,
            ..AsfOptions::default()
        }
    }

    /// # Errors
    /// When the end is before the start, a day is not in the year, or nothing at all is asked.
    pub fn check(&self) -> Result<()> {
        if let (Some(start), Some(end)) = (self.start, self.end)
            && end < start
        {
            return Err(Error::argument(
                "end",
                format!("a time after the start, {start}"),
                end,
            ));
        }
        if let Some([first, last]) = self.season
            && (!(1..=366).contains(&first) || !(1..=366).contains(&last))
        {
            return Err(Error::argument(
                "season",
                "two days of the year, 1 to 366",
                format!("{first}, {last}"),
            ));
        }
        if !(1..=LARGEST_PAGE).contains(&self.page) {
            return Err(Error::argument(
                "page",
                format!("an integer from 1 to {LARGEST_PAGE}"),
                self.page,
            ));
        }
        Ok(())
    }
}
