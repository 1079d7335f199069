//! Two searches matched here rather than by one search of the second archive for each result of the first.

use geo::{BoundingRect, Geometry, Intersects};
use jiff::tz::TimeZone;
use rstar::{AABB, RTree, RTreeObject};

use super::footprint;
use super::item::Span;
use super::list::List;
use crate::error::{Error, Result};

#[derive(Debug, Clone)]
pub struct JoinOptions {
    /// The most seconds between the two acquisitions.
    pub within_s: f64,
    /// Times are compared as UTC calendar days: `within_s` of one day then means the day before, the same, the day after.
    pub by_day: bool,
    /// The least share of the left footprint that one right footprint covers, 0..1. 0 takes all that touch.
    pub overlap: f64,
    /// The least share of the left footprint that the right ones cover together, 0..1.
    pub coverage: f64,
    /// Of the right items only those of the day (UTC) that is nearest in time.
    pub nearest: bool,
}

impl Default for JoinOptions {
    fn default() -> Self {
        JoinOptions {
            within_s: 86_400.0,
            by_day: false,
            overlap: 0.0,
            coverage: 0.0,
            nearest: false,
        }
    }
}

/// One left item with what was found for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    pub left: usize,
    /// Indices into the right items, in their order.
    pub right: Vec<usize>,
    /// The least of the times between the two, in seconds (or whole days of 86,400 s).
    pub seconds: f64,
    /// The share of the left footprint that the right ones cover together.
    pub coverage: f64,
}

/// What a join gives: the matches in the order of the left items, and those that could not take part.
#[derive(Debug, Default)]
pub struct Joined {
    pub matches: Vec<Match>,
    /// Ids of items without a footprint or a time.
    pub left_out: Vec<String>,
}

struct Entry {
    index: usize,
    envelope: AABB<[f64; 3]>,
}

impl RTreeObject for Entry {
    type Envelope = AABB<[f64; 3]>;

    fn envelope(&self) -> Self::Envelope {
        self.envelope
    }
}

struct Side<'a> {
    items: &'a List,
    shapes: Vec<Option<Geometry>>,
    spans: Vec<Option<Span>>,
}

impl<'a> Side<'a> {
    fn new(items: &'a List) -> Result<Side<'a>> {
        let shapes = items.iter().map(|item| footprint::of(&*item?));
        Ok(Side {
            items,
            shapes: shapes.collect::<Result<_>>()?,
            spans: (0..items.len()).map(|i| items.span(i)).collect(),
        })
    }

    fn get(&self, index: usize) -> Option<(&Geometry, Span)> {
        Some((self.shapes[index].as_ref()?, self.spans[index]?))
    }

    fn missing(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.items.len())
            .filter(|&i| self.get(i).is_none())
            .map(|i| self.items.id(i).to_string())
    }
}

const DAY_S: f64 = 86_400.0;

/// For every left item the right items that lie over it and near it in time. Longitude, latitude and time are the three axes
/// of one R-tree over the right items, so the work grows with what is found, not with the product of both.
///
/// Left items without a match have no entry.
///
/// # Errors
/// When a footprint is no longitudes and latitudes, or an option is out of its range.
pub fn join(left: &List, right: &List, options: &JoinOptions) -> Result<Joined> {
    for (name, value) in [("overlap", options.overlap), ("coverage", options.coverage)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(Error::argument(name, "a share from 0 to 1", value));
        }
    }
    if !(options.within_s >= 0.0 && options.within_s.is_finite()) {
        return Err(Error::argument(
            "within",
            "a time of at least 0",
            format!("{} s", options.within_s),
        ));
    }
    let (left, right) = (Side::new(left)?, Side::new(right)?);
    let mut entries = Vec::new();
    for index in 0..right.items.len() {
        let Some((shape, span)) = right.get(index) else {
            continue;
        };
        let (start, end) = seconds(span, options.by_day);
        for part in parts(shape) {
            entries.push(Entry {
                index,
                envelope: envelope(part, start, end),
            });
        }
    }
    let tree = RTree::bulk_load(entries);
    let mut out = Joined {
        left_out: left.missing().chain(right.missing()).collect(),
        ..Joined::default()
    };
    for index in 0..left.items.len() {
        if let Some(found) = matches_of(index, &left, &right, &tree, options) {
            out.matches.push(found);
        }
    }
    Ok(out)
}

fn matches_of(
    index: usize,
    left: &Side,
    right: &Side,
    tree: &RTree<Entry>,
    options: &JoinOptions,
) -> Option<Match> {
    let (shape, span) = left.get(index)?;
    let (start, end) = seconds(span, options.by_day);
    let mut near: Vec<usize> = parts(shape)
        .iter()
        .flat_map(|part| {
            let around = envelope(part.clone(), start - options.within_s, end + options.within_s);
            tree.locate_in_envelope_intersecting(&around)
                .map(|e| e.index)
                .collect::<Vec<_>>()
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.retain(|&r| {
        right.shapes[r].as_ref().is_some_and(|other| {
            shape.intersects(other)
                && (options.overlap == 0.0 || footprint::share(shape, [other].into_iter()) >= options.overlap)
        })
    });
    let gap = |r: usize| right.spans[r].map_or(f64::INFINITY, |other| distance(span, other, options.by_day));
    let nearest = near.iter().copied().min_by(|&a, &b| {
        let exact = |r: usize| right.spans[r].map_or(f64::INFINITY, |other| distance(span, other, false));
        (gap(a), exact(a))
            .partial_cmp(&(gap(b), exact(b)))
            .unwrap_or(std::cmp::Ordering::Equal)
    })?;
    if options.nearest {
        let day = right.spans[nearest].map(day_of);
        near.retain(|&r| right.spans[r].map(day_of) == day);
    }
    let coverage = footprint::share(shape, near.iter().filter_map(|&r| right.shapes[r].as_ref()));
    (coverage >= options.coverage).then(|| Match {
        left: index,
        seconds: gap(nearest),
        coverage,
        right: near,
    })
}

/// The stretch on the time axis, in seconds; whole days where days count.
fn seconds(span: Span, by_day: bool) -> (f64, f64) {
    let (start, end) = (
        span.start.as_microsecond() as f64 / 1e6,
        span.end.as_microsecond() as f64 / 1e6,
    );
    match by_day {
        true => ((start / DAY_S).floor() * DAY_S, (end / DAY_S).floor() * DAY_S),
        false => (start, end),
    }
}

fn distance(a: Span, b: Span, by_day: bool) -> f64 {
    let ((a0, a1), (b0, b1)) = (seconds(a, by_day), seconds(b, by_day));
    (b0 - a1).max(a0 - b1).max(0.0)
}

fn day_of(span: Span) -> jiff::civil::Date {
    span.start.to_zoned(TimeZone::UTC).date()
}

/// The parts get boxes of their own: one box around both sides of the antimeridian would be the whole Earth.
fn parts(shape: &Geometry) -> Vec<Geometry> {
    match shape {
        Geometry::MultiPolygon(m) => m.0.iter().cloned().map(Geometry::Polygon).collect(),
        Geometry::GeometryCollection(c) => c.0.iter().flat_map(parts).collect(),
        other => vec![other.clone()],
    }
}

fn envelope(part: Geometry, start: f64, end: f64) -> AABB<[f64; 3]> {
    let (min, max) = part
        .bounding_rect()
        .map_or(((0.0, 0.0), (0.0, 0.0)), |b| (b.min().x_y(), b.max().x_y()));
    AABB::from_corners([min.0, min.1, start], [max.0, max.1, end])
}
