//! Groups of values as boxes and whiskers.

use super::bars::{between, spacing};
use super::look::Marker;
use super::{Ink, Mark, Page, same_length};
use crate::error::{Domain, Result};
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, stroked};
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Path, Stroke};
use crate::plot::style::FRAME;
use crate::plot::symbols::symbols;
use crate::statistics;

/// What a box shows of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxSummary {
    /// First quartile, median, third quartile.
    pub quartiles: [f64; 3],
    /// The outermost values that are no outliers.
    pub whiskers: (f64, f64),
    /// Ascending.
    pub outliers: Vec<f64>,
    pub count: usize,
}

impl BoxSummary {
    /// Quartiles are linear between the sorted values (definition 7 of Hyndman and Fan 1996, doi:10.1080/00031305.1996.10473566). Whiskers
    /// end at the outermost values within `reach` times the distance of the quartiles from them, never inside the box; values beyond are
    /// outliers. NaN and infinities do not count; None without any that does.
    ///
    /// Source: J. W. Tukey, Exploratory Data Analysis, 1977 (`reach` 1.5).
    pub fn of(values: &[f64], reach: f64) -> Option<BoxSummary> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        if sorted.is_empty() {
            return None;
        }
        let quartiles = [25.0, 50.0, 75.0].map(|p| statistics::percentile(&mut sorted, p));
        sorted.sort_by(f64::total_cmp);
        let room = reach * (quartiles[2] - quartiles[0]);
        let (low, high) = (quartiles[0] - room, quartiles[2] + room);
        let inside = |v: &&f64| **v >= low && **v <= high;
        let least = sorted.iter().find(inside).copied().unwrap_or(quartiles[0]);
        let most = sorted.iter().rev().find(inside).copied().unwrap_or(quartiles[2]);
        Some(BoxSummary {
            quartiles,
            whiskers: (least.min(quartiles[0]), most.max(quartiles[2])),
            outliers: sorted.iter().copied().filter(|v| *v < low || *v > high).collect(),
            count: sorted.len(),
        })
    }
}

/// A box for each group.
#[derive(Debug, Clone)]
pub struct Boxes {
    /// Middles of the boxes.
    pub at: Vec<f64>,
    /// None where a group has no values.
    pub groups: Vec<Option<BoxSummary>>,
    /// As a share of the distance to the next.
    pub width: f64,
    /// To the right rather than upwards.
    pub horizontal: bool,
    pub outliers: bool,
    pub color: Option<Color>,
    pub label: String,
}

impl Boxes {
    pub const REACHES: Domain = Domain::at_least(0.0);
    pub const REACH: f64 = 1.5;
    pub const WIDTH: f64 = 0.5;

    pub fn new(at: Vec<f64>, groups: Vec<Option<BoxSummary>>) -> Boxes {
        Boxes {
            at,
            groups,
            width: Boxes::WIDTH,
            horizontal: false,
            outliers: true,
            color: None,
            label: String::new(),
        }
    }

    fn corner(&self, frame: &Frame, along: f64, value: f64) -> (f64, f64) {
        match self.horizontal {
            true => frame.clamped(value, along),
            false => frame.clamped(along, value),
        }
    }

    fn there_are(&self) -> impl Iterator<Item = (f64, &BoxSummary)> {
        let placed = self.at.iter().copied().zip(&self.groups);
        placed.filter_map(|(at, group)| Some((at, group.as_ref()?)))
    }
}

impl Mark for Boxes {
    fn check(&self) -> Result<()> {
        same_length("groups", self.at.len(), self.groups.len())
    }

    fn reach(&self, extent: &mut Extent) {
        let (along, values) = match self.horizontal {
            true => (&mut extent.y, &mut extent.x),
            false => (&mut extent.x, &mut extent.y),
        };
        let half = spacing(&self.at) / 2.0;
        for at in &self.at {
            along.points(&[at - half, at + half]);
        }
        for (_, group) in self.there_are() {
            values.points(&[group.whiskers.0, group.whiskers.1]);
            if self.outliers {
                values.points(&group.outliers);
            }
        }
    }

    fn colors(&self) -> Vec<Option<Color>> {
        vec![self.color]
    }

    fn entries(&self, ink: &Ink) -> Vec<LegendEntry> {
        let key = Key::Patch {
            fill: ink.color().with_opacity(0.35),
            outline: Some(FRAME),
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        let half = self.width * spacing(&self.at) / 2.0;
        for (at, group) in self.there_are() {
            let ends = |along| {
                [
                    self.corner(frame, along, group.whiskers.0),
                    self.corner(frame, along, group.whiskers.1),
                ]
            };
            for along in [at - half, at, at + half] {
                out.path(&ends(along), frame);
            }
            if self.outliers {
                let places: Vec<_> = group
                    .outliers
                    .iter()
                    .map(|v| self.corner(frame, at, *v))
                    .collect();
                out.points(&places, frame);
            }
        }
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let half = self.width * spacing(&self.at) / 2.0;
        let line = |points: &[(f64, f64)]| Path::polyline(points.iter().copied()).0;
        let (mut items, mut thin, mut medians, mut outliers) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (at, group) in self.there_are() {
            let [first, median, third] = group.quartiles;
            let place = |along: f64, value: f64| self.corner(frame, along, value);
            items.push(Item::Box {
                rect: between(place(at - half, first), place(at + half, third)),
                fill: ink.color().with_opacity(0.35),
                stroke: Some(Stroke::solid(FRAME, 0.8)),
            });
            medians.extend(line(&[place(at - half, median), place(at + half, median)]));
            for (from, to) in [(first, group.whiskers.0), (third, group.whiskers.1)] {
                if from != to {
                    thin.extend(line(&[place(at, from), place(at, to)]));
                }
                thin.extend(line(&[place(at - half / 2.0, to), place(at + half / 2.0, to)]));
            }
            if self.outliers {
                let places: Vec<_> = group.outliers.iter().map(|v| place(at, *v)).collect();
                outliers.extend(frame.visible(&places, 4.0));
            }
        }
        items.extend(stroked(Path(thin), Stroke::solid(FRAME, 0.8)));
        items.extend(stroked(Path(medians), Stroke::solid(FRAME, 1.6)));
        if !outliers.is_empty() {
            let fills = vec![ink.color().with_opacity(0.35)];
            items.push(symbols(Marker::Circle, 3.2, outliers, fills, Some(FRAME)));
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of matplotlib's boxplot_stats: tests/reference/plots.py.
    #[test]
    fn summaries_are_those_of_matplotlib() {
        let mut compared = 0;
        for line in include_str!("../../../tests/fixtures/plots/boxes.txt").lines() {
            if line.starts_with('#') {
                continue;
            }
            let (expected, values) = line.split_once('|').unwrap();
            let numbers =
                |text: &str| -> Vec<f64> { text.split_whitespace().map(|n| n.parse().unwrap()).collect() };
            let (expected, values) = (numbers(expected), numbers(values));
            let found = BoxSummary::of(&values, 1.5).unwrap();
            let mut all = found.quartiles.to_vec();
            all.extend([found.whiskers.0, found.whiskers.1]);
            all.extend(&found.outliers);
            assert_eq!(all.len(), expected.len(), "{line}: {all:?}");
            for (a, b) in all.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-8, "{line}: {all:?}");
            }
            assert_eq!(found.count, values.len());
            compared += 1;
        }
        assert_eq!(compared, 6);
    }

    #[test]
    fn what_is_no_number_does_not_count() {
        let with = BoxSummary::of(&[f64::NAN, 1.0, 2.0, f64::INFINITY, 3.0], 1.5);
        assert_eq!(with, BoxSummary::of(&[1.0, 2.0, 3.0], 1.5));
        assert_eq!(BoxSummary::of(&[f64::NAN], 1.5), None);
        // Without reach the whiskers end at the box.
        let bare = BoxSummary::of(&[1.0, 2.0, 3.0, 9.0], 0.0).unwrap();
        assert_eq!(bare.whiskers, (bare.quartiles[0], bare.quartiles[2]));
    }
}
