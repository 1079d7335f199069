//! Bars side by side, with errors.

use super::{Ink, Mark, Page, same_length};
use crate::error::{Domain, Result};
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, clip_segment, stroked};
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Path, Rect, Stroke};
use crate::plot::style::FRAME;

/// The bars of one colour.
#[derive(Debug, Clone, Default)]
pub struct BarSeries {
    /// One for each place; NaN has no bar.
    pub values: Vec<f64>,
    /// Lengths below and above.
    pub errors: Option<(Vec<f64>, Vec<f64>)>,
    pub label: String,
    pub color: Option<Color>,
}

/// Groups of bars on zero, or on the frame where the axis is logarithmic: at each place one of every series.
#[derive(Debug, Clone)]
pub struct Bars {
    /// Middles of the groups.
    pub at: Vec<f64>,
    pub series: Vec<BarSeries>,
    /// Of a group, as a share of the distance to the next.
    pub width: f64,
    /// To the right rather than upwards.
    pub horizontal: bool,
    pub opacity: f64,
}

impl Bars {
    pub const WIDTHS: Domain = Domain::above(0.0).up_to(1.0);
    pub const WIDTH: f64 = 0.8;

    pub fn new(at: Vec<f64>, series: Vec<BarSeries>) -> Bars {
        Bars {
            at,
            series,
            width: Bars::WIDTH,
            horizontal: false,
            opacity: 1.0,
        }
    }

    /// Start and end of a bar along the axis of the groups.
    fn ends(&self, place: usize, series: usize) -> (f64, f64) {
        let group = self.width * spacing(&self.at);
        let one = group / self.series.len().max(1) as f64;
        let start = self.at[place] - group / 2.0 + one * series as f64;
        (start, start + one)
    }

    /// On the page: along the groups, and the value.
    fn corner(&self, frame: &Frame, along: f64, value: f64) -> (f64, f64) {
        match self.horizontal {
            true => frame.clamped(value, along),
            false => frame.clamped(along, value),
        }
    }
}

/// The smallest distance of neighbours; 1 for a single place.
pub(super) fn spacing(at: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = at.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let steps = sorted.windows(2).map(|p| p[1] - p[0]).filter(|step| *step > 0.0);
    steps.reduce(f64::min).unwrap_or(1.0)
}

impl Mark for Bars {
    fn check(&self) -> Result<()> {
        for series in &self.series {
            same_length("values", self.at.len(), series.values.len())?;
            for errors in series.errors.iter().flat_map(|(below, above)| [below, above]) {
                same_length("errors", self.at.len(), errors.len())?;
            }
        }
        Ok(())
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
        values.floor(0.0);
        for series in &self.series {
            values.with_errors(&series.values, series.errors.as_ref());
        }
    }

    fn colors(&self) -> Vec<Option<Color>> {
        self.series.iter().map(|series| series.color).collect()
    }

    fn entries(&self, ink: &Ink) -> Vec<LegendEntry> {
        let entry = |(series, color): (&BarSeries, &Color)| {
            let key = Key::Patch {
                fill: color.with_opacity(self.opacity),
                outline: None,
            };
            LegendEntry::labelled(&series.label, key)
        };
        self.series.iter().zip(&ink.colors).flat_map(entry).collect()
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        for (s, series) in self.series.iter().enumerate() {
            for (i, value) in series.values.iter().enumerate() {
                let (a, b) = self.ends(i, s);
                let above = series.errors.as_ref().map_or(0.0, |(_, above)| above[i]);
                for along in [a, (a + b) / 2.0, b] {
                    let ends = [
                        self.corner(frame, along, 0.0),
                        self.corner(frame, along, value + above),
                    ];
                    out.path(&ends, frame);
                }
            }
        }
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let (mut bars, mut whiskers) = (Vec::new(), Vec::new());
        let near = frame.rect.grown(20.0);
        for ((s, series), color) in self.series.iter().enumerate().zip(&ink.colors) {
            for (i, &value) in series.values.iter().enumerate() {
                if !value.is_finite() || !self.at[i].is_finite() {
                    continue;
                }
                let (start, end) = self.ends(i, s);
                let (a, b) = (self.corner(frame, start, 0.0), self.corner(frame, end, value));
                bars.push(Item::Box {
                    rect: between(a, b),
                    fill: color.with_opacity(self.opacity),
                    stroke: None,
                });
                let Some((below, above)) = &series.errors else {
                    continue;
                };
                let middle = (start + end) / 2.0;
                let ends = [value - below[i], value + above[i]].map(|v| self.corner(frame, middle, v));
                let thick = match self.horizontal {
                    true => (b.1 - a.1).abs(),
                    false => (b.0 - a.0).abs(),
                };
                let half = (0.25 * thick).min(2.5);
                let across = if self.horizontal { (0.0, half) } else { (half, 0.0) };
                let cap =
                    |p: (f64, f64)| ((p.0 - across.0, p.1 - across.1), (p.0 + across.0, p.1 + across.1));
                for (from, to) in [(ends[0], ends[1]), cap(ends[0]), cap(ends[1])] {
                    if let Some((from, to)) = clip_segment(from, to, &near).filter(|(a, b)| a != b) {
                        whiskers.extend(Path::polyline([from, to]).0);
                    }
                }
            }
        }
        bars.extend(stroked(Path(whiskers), Stroke::solid(FRAME, 0.9)));
        bars
    }
}

/// The rectangle between two corners.
pub(super) fn between(a: (f64, f64), b: (f64, f64)) -> Rect {
    Rect::new(a.0.min(b.0), a.1.min(b.1), (b.0 - a.0).abs(), (b.1 - a.1).abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::axis::Scale;
    use crate::plot::span::Span;
    use crate::plot::style::Style;

    fn two() -> Bars {
        let series = |values: &[f64]| BarSeries {
            values: values.to_vec(),
            ..BarSeries::default()
        };
        Bars::new(
            vec![1.0, 2.0, 3.0],
            vec![series(&[1.0, 2.0, f64::NAN]), series(&[3.0, -1.0, 2.0])],
        )
    }

    #[test]
    fn groups_share_their_width_and_stand_on_zero() {
        let bars = two();
        let frame = Frame {
            rect: Rect::new(0.0, 0.0, 300.0, 100.0),
            x: Span::linear(0.5, 3.5),
            y: Span::linear(-2.0, 3.0),
        };
        let ink = Ink {
            colors: vec![Color::BLACK, Color::WHITE],
            limits: Vec::new(),
        };
        let page = Page {
            cells: (300, 100),
            style: &Style::new(9.0),
        };
        let boxes: Vec<Rect> = bars
            .draw(&ink, &frame, &page)
            .iter()
            .filter_map(|item| match item {
                Item::Box { rect, .. } => Some(*rect),
                _ => None,
            })
            .collect();
        assert_eq!(boxes.len(), 5);
        let near = |rect: Rect, x: f64, y: f64, width: f64, height: f64| {
            let off = [rect.x - x, rect.y - y, rect.width - width, rect.height - height];
            assert!(off.iter().all(|d| d.abs() < 1e-9), "{rect:?}");
        };
        near(boxes[0], 10.0, 40.0, 40.0, 20.0);
        // The second of the second group hangs below zero.
        near(boxes[3], 150.0, 60.0, 40.0, 20.0);
    }

    #[test]
    fn axes_hold_bars_and_their_errors() {
        let mut bars = two();
        bars.series[1].errors = Some((vec![0.5; 3], vec![1.5; 3]));
        let mut extent = Extent::new(Scale::Linear, Scale::Linear);
        bars.reach(&mut extent);
        assert_eq!(extent.x.extent(), Some((0.5, 3.5)));
        assert_eq!(extent.y.extent(), Some((-1.5, 4.5)));
        bars.horizontal = true;
        let mut turned = Extent::new(Scale::Linear, Scale::Linear);
        bars.reach(&mut turned);
        assert_eq!(turned.y.extent(), Some((0.5, 3.5)));
        bars.series[0].values.pop();
        assert!(bars.check().is_err());
    }
}
