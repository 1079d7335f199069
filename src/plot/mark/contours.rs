//! Lines of equal value over a map.

use std::collections::HashMap;

use ndarray::Array2;

use super::look::Dash;
use super::{Ink, Mark, Page, fits_grid};
use crate::error::{Error, Result};
use crate::plot::arrow::Measured;
use crate::plot::color::Color;
use crate::plot::font::{self, Weight};
use crate::plot::isolines::{self, isolines};
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, stroked};
use crate::plot::reach::Extent;
use crate::plot::scene::{Anchor, Item, Level, Rect, Stroke, Text};
use crate::plot::style::HALO;
use crate::plot::ticks;
use crate::raster::Grid;

/// Contour lines, labelled where they are long enough. Masked pixels leave gaps.
#[derive(Debug, Clone)]
pub struct Contours {
    pub values: Array2<f32>,
    pub grid: Option<Grid>,
    /// Ascending.
    pub levels: Vec<f64>,
    pub labels: bool,
    pub color: Color,
    /// Points.
    pub width: f64,
    pub dash: Dash,
    /// Beneath lines and labels and a little wider, so that they show on any ground.
    pub halo: Option<Color>,
    /// Shorter lines, in points, are left out: specks of noise.
    pub shortest: f64,
    /// In the legend.
    pub label: String,
}

type Point = (f64, f64);

/// From one label to the next on a line, in points.
const APART: f64 = 230.0;
/// How much shorter than its line a label may be, as a share; of the first label of a line.
const BEND: f64 = 0.04;
const FIRST_BEND: f64 = 0.25;

impl Contours {
    pub const WIDTH: f64 = 0.8;
    pub const COUNT: usize = 8;
    pub const SHORTEST: f64 = 8.0;

    pub fn new(values: Array2<f32>, grid: Option<Grid>, levels: Vec<f64>) -> Contours {
        Contours {
            values,
            grid,
            levels,
            labels: true,
            color: Color::BLACK,
            width: Contours::WIDTH,
            dash: Dash::Solid,
            halo: None,
            shortest: Contours::SHORTEST,
            label: String::new(),
        }
    }

    /// At most `count` round levels between the smallest and the largest value.
    pub fn round_levels(values: &Array2<f32>, count: usize) -> Vec<f64> {
        let finite = values.iter().map(|v| f64::from(*v)).filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        isolines::levels(low, high, count)
    }

    /// The lines on the page, each with its level, the longest first.
    fn lines(&self, frame: &Frame) -> Vec<(f64, Vec<Point>)> {
        let place = |(col, row): Point| {
            let (col, row) = (col + 0.5, row + 0.5);
            let (x, y) = match &self.grid {
                Some(grid) => grid.transform.apply(col, row),
                None => (col, row),
            };
            frame.place(x, y)
        };
        let mut out: Vec<(f64, Vec<Point>)> = Vec::new();
        for &level in &self.levels {
            let found = isolines(self.values.view(), level);
            out.extend(
                found
                    .into_iter()
                    .map(|line| (level, line.into_iter().map(place).collect())),
            );
        }
        let mut measured: Vec<(f64, (f64, Vec<Point>))> = out
            .into_iter()
            .map(|line| {
                let length = Measured::new(&line.1).length();
                (length, line)
            })
            .filter(|(length, _)| *length >= self.shortest)
            .collect();
        measured.sort_by(|a, b| b.0.total_cmp(&a.0));
        measured.into_iter().map(|(_, line)| line).collect()
    }

    /// Decimals that tell all levels apart from what they are.
    fn decimals(&self) -> usize {
        let own = |v: &f64| if *v == 0.0 { 0 } else { ticks::decimals(v.abs()) };
        self.levels.iter().map(own).max().unwrap_or(0).min(6)
    }
}

impl Mark for Contours {
    fn check(&self) -> Result<()> {
        if let Some(level) = self.levels.iter().find(|level| !level.is_finite()) {
            return Err(Error::argument("levels", "finite numbers", level));
        }
        fits_grid(self.grid.as_ref(), self.values.dim())
    }

    fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    fn reach(&self, extent: &mut Extent) {
        extent.image(self.grid.as_ref(), self.values.dim());
    }

    fn entries(&self, _: &Ink) -> Vec<LegendEntry> {
        let key = Key::Line {
            color: self.color,
            width: self.width,
            dash: self.dash,
            marker: None,
            halo: self.halo,
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        self.lines(frame)
            .iter()
            .for_each(|(_, line)| out.path(line, frame));
    }

    fn draw(&self, _: &Ink, frame: &Frame, page: &Page) -> Vec<Item> {
        let size = 0.85 * page.style.tick;
        let decimals = self.decimals();
        let found = self.lines(frame);
        let mut labels = Labels {
            rect: frame.rect,
            placed: Vec::new(),
            near: Near::new(&found),
        };
        let (mut halos, mut lines, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (level, line)) in found.iter().enumerate() {
            let level = *level;
            let measured = Measured::new(line);
            let written = ticks::plain(level, decimals);
            let room = font::width(&written, size, Weight::Regular) + 0.7 * size;
            let gaps = match self.labels {
                true => labels.place(number, &measured, room, size),
                false => Vec::new(),
            };
            let mut start = 0.0;
            for end in gaps.iter().map(|gap| gap.0).chain([measured.length()]) {
                let part = frame.line(&measured.part(start, end), false);
                let stroke = |color, width| Stroke {
                    color,
                    width,
                    dash: self.dash.pattern(self.width),
                };
                halos.extend(
                    self.halo
                        .and_then(|color| stroked(part.clone(), Stroke::solid(color, self.width + HALO))),
                );
                lines.extend(stroked(part, stroke(self.color, self.width)));
                start = end + room;
            }
            for (_, middle, degrees) in gaps {
                let mut text =
                    Text::new(&written, middle.0, middle.1, size).anchored(Anchor::Middle, Level::Middle);
                (text.rotation, text.color) = (degrees, self.color);
                text.halo = self.halo.map(|color| (color, 0.14 * size));
                texts.push(Item::Text(text));
            }
        }
        halos.into_iter().chain(lines).chain(texts).collect()
    }
}

/// Where a label begins along its line, its middle on the page, and its turn in degrees.
type Gap = (f64, Point, f64);

/// The labels of all lines of a panel.
struct Labels {
    rect: Rect,
    /// Middles and half widths.
    placed: Vec<(Point, f64)>,
    near: Near,
}

/// All lines, point by point, in square cells.
struct Near {
    cells: HashMap<(i64, i64), Vec<Passing>>,
}

/// A place that a line passes: which line, and how far from its start.
struct Passing {
    at: Point,
    line: usize,
    along: f64,
}

impl Near {
    const CELL: f64 = 12.0;
    /// Between points of a line: shorter than letters are high.
    const STEP: f64 = 2.0;

    fn new(lines: &[(f64, Vec<Point>)]) -> Near {
        let mut cells: HashMap<(i64, i64), Vec<Passing>> = HashMap::new();
        for (line, (_, points)) in lines.iter().enumerate() {
            let measured = Measured::new(points);
            let count = (measured.length() / Near::STEP).ceil() as usize;
            for i in 0..=count {
                let along = (i as f64 * Near::STEP).min(measured.length());
                let at = measured.at(along);
                cells
                    .entry(Near::cell(at))
                    .or_default()
                    .push(Passing { at, line, along });
            }
        }
        Near { cells }
    }

    fn cell((x, y): Point) -> (i64, i64) {
        ((x / Near::CELL).floor() as i64, (y / Near::CELL).floor() as i64)
    }

    /// Whether a line passes the box of a label that takes the place of line `own` from `start` on: `room` long in the direction of `chord`,
    /// `size` high.
    fn passes(&self, own: usize, start: f64, middle: Point, chord: Point, room: f64, size: f64) -> bool {
        let length = chord.0.hypot(chord.1);
        let (ux, uy) = (chord.0 / length, chord.1 / length);
        let (left, top) = Near::cell((middle.0 - 0.6 * room, middle.1 - 0.6 * room));
        let (right, bottom) = Near::cell((middle.0 + 0.6 * room, middle.1 + 0.6 * room));
        let inside = |p: &Passing| {
            let (dx, dy) = (p.at.0 - middle.0, p.at.1 - middle.1);
            let (along, across) = (dx * ux + dy * uy, dy * ux - dx * uy);
            let replaced = p.line == own && p.along > start - 1.0 && p.along < start + room + 1.0;
            !replaced && along.abs() < 0.5 * room - 0.2 * size && across.abs() < 0.6 * size
        };
        (left..=right).any(|i| {
            (top..=bottom).any(|j| {
                self.cells
                    .get(&(i, j))
                    .is_some_and(|cell| cell.iter().any(inside))
            })
        })
    }
}

impl Labels {
    /// The straightest places of a line for labels that take `room` of it, near its middle rather than its ends, off the frame, other
    /// labels and other lines, in their order. The first label of a line may stand where it bends. A line of less than three times the room
    /// has none.
    fn place(&mut self, own: usize, line: &Measured, room: f64, size: f64) -> Vec<Gap> {
        let length = line.length();
        let mut gaps: Vec<Gap> = Vec::new();
        if length < 3.0 * room {
            return gaps;
        }
        let inside = self.rect.grown(-0.5 * room - 0.4 * size);
        let count = ((length - room) / (0.5 * room)) as usize;
        loop {
            let mut best: Option<(f64, Gap)> = None;
            for i in 0..=count {
                let start = (i as f64 * 0.5 * room).min(length - room);
                let (a, b) = (line.at(start), line.at(start + room));
                let middle = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
                let chord = (b.0 - a.0).hypot(b.1 - a.1);
                let bent = 1.0 - chord / room;
                let near_own = gaps.iter().any(|gap| (gap.0 - start).abs() < APART);
                let near_others = self
                    .placed
                    .iter()
                    .any(|(at, half)| (at.0 - middle.0).hypot(at.1 - middle.1) < half + 0.5 * room + size);
                let most = if gaps.is_empty() { FIRST_BEND } else { BEND };
                if bent > most || !inside.contains(middle.0, middle.1) || near_own || near_others {
                    continue;
                }
                if self
                    .near
                    .passes(own, start, middle, (b.0 - a.0, b.1 - a.1), room, size)
                {
                    continue;
                }
                let off = ((start + 0.5 * room) / length - 0.5).abs();
                let cost = bent + 0.02 * off;
                if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    // Text reads from left to right.
                    let (dx, dy) = if b.0 < a.0 {
                        (a.0 - b.0, a.1 - b.1)
                    } else {
                        (b.0 - a.0, b.1 - a.1)
                    };
                    best = Some((cost, (start, middle, (-dy).atan2(dx).to_degrees())));
                }
            }
            let Some((_, gap)) = best else {
                break;
            };
            self.placed.push((gap.1, 0.5 * room));
            gaps.push(gap);
        }
        gaps.sort_by(|a, b| a.0.total_cmp(&b.0));
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::span::Span;
    use crate::plot::style::Style;

    fn bowl() -> (Contours, Frame) {
        let values = Array2::from_shape_fn((60, 80), |(r, c)| {
            ((r as f64 - 30.0).powi(2) + (c as f64 - 40.0).powi(2)) as f32
        });
        let levels = Contours::round_levels(&values, 8);
        let frame = Frame {
            rect: Rect::new(0.0, 0.0, 320.0, 240.0),
            x: Span::linear(0.0, 80.0),
            y: Span::linear(60.0, 0.0),
        };
        (Contours::new(values, None, levels), frame)
    }

    #[test]
    fn lines_lie_on_the_middles_of_pixels() {
        let (contours, frame) = bowl();
        assert_eq!(contours.levels, [500.0, 1000.0, 1500.0, 2000.0]);
        let (_, line) = contours
            .lines(&frame)
            .into_iter()
            .find(|(level, _)| *level == 500.0)
            .unwrap();
        for (x, y) in line {
            // Four points a pixel; the middle of pixel (30, 40) is half a pixel on.
            let radius = (x / 4.0 - 40.5).hypot(y / 4.0 - 30.5);
            assert!((radius - 500f64.sqrt()).abs() < 0.02, "{radius}");
        }
    }

    #[test]
    fn labels_keep_off_each_other_and_off_their_lines() {
        let (contours, frame) = bowl();
        let page = Page {
            cells: (320, 240),
            style: &Style::new(9.0),
        };
        let items = contours.draw(&Ink::default(), &frame, &page);
        let texts: Vec<&Text> = items
            .iter()
            .filter_map(|item| match item {
                Item::Text(text) => Some(text),
                _ => None,
            })
            .collect();
        assert!(texts.len() >= 3, "{}", texts.len());
        for (i, a) in texts.iter().enumerate() {
            assert!((-90.0..=90.0).contains(&a.rotation));
            assert!(frame.rect.contains(a.x, a.y));
            for b in &texts[i + 1..] {
                assert!((a.x - b.x).hypot(a.y - b.y) > font::width(&a.text, a.size, Weight::Regular));
            }
            for item in &items {
                let Item::Path { path, .. } = item else { continue };
                for step in &path.0 {
                    if let crate::plot::scene::PathStep::Line(x, y)
                    | crate::plot::scene::PathStep::Move(x, y) = step
                    {
                        assert!(
                            (a.x - x).hypot(a.y - y) > 0.4 * font::width(&a.text, a.size, Weight::Regular)
                        );
                    }
                }
            }
        }
        let mut bare = contours.clone();
        bare.labels = false;
        let paths = bare.draw(&Ink::default(), &frame, &page);
        assert!(paths.iter().all(|item| matches!(item, Item::Path { .. })));
    }

    #[test]
    fn labels_keep_off_other_lines() {
        // Upright lines over 320 points, at so many levels.
        let labelled = |count: usize| {
            let values = Array2::from_shape_fn((60, 80), |(_, c)| c as f32);
            let levels = (1..=count)
                .map(|i| 80.0 * i as f64 / (count + 1) as f64)
                .collect();
            let (_, frame) = bowl();
            let page = Page {
                cells: (320, 240),
                style: &Style::new(9.0),
            };
            let items = Contours::new(values, None, levels).draw(&Ink::default(), &frame, &page);
            items.iter().filter(|item| matches!(item, Item::Text(_))).count()
        };
        assert_eq!(labelled(9), 9);
        // Closer than letters are high.
        assert_eq!(labelled(79), 0);
    }

    #[test]
    fn a_line_without_a_straight_place_is_labelled_all_the_same() {
        // Waves as long as a label.
        let values = Array2::from_shape_fn((60, 80), |(r, c)| {
            (r as f64 + 0.7 * (c as f64 * 1.1).sin()) as f32
        });
        let (_, frame) = bowl();
        let page = Page {
            cells: (320, 240),
            style: &Style::new(9.0),
        };
        let mut contours = Contours::new(values, None, vec![30.0]);
        let items = contours.draw(&Ink::default(), &frame, &page);
        assert_eq!(
            items.iter().filter(|item| matches!(item, Item::Text(_))).count(),
            1
        );
        contours.labels = false;
        assert!(
            contours
                .draw(&Ink::default(), &frame, &page)
                .iter()
                .all(|item| !matches!(item, Item::Text(_)))
        );
    }
}
