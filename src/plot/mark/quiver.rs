//! Arrows over a map.

use super::field::{BySpeed, Field, shows_field};
use super::look::Marker;
use super::{Ink, Mark, Page};
use crate::error::{Choice, Domain};
use crate::plot::arrow::arrow;
use crate::plot::bitmap::sampled;
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles};
use crate::plot::scene::{Item, Path, Stroke};
use crate::plot::symbols::symbols;
use crate::plot::ticks;

/// How lengths of arrows follow speeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lengths {
    #[default]
    Linear,
    /// By the square root, which shows slow and fast at once.
    Sqrt,
}

impl Choice for Lengths {
    const ALL: &'static [(&'static str, Self)] = &[("linear", Lengths::Linear), ("sqrt", Lengths::Sqrt)];
}

/// A vector field as arrows, thinned to a distance on the page: each is the mean of what is valid around its middle, and is drawn where that is half.
#[derive(Debug, Clone)]
pub struct Quiver {
    pub field: Field,
    /// Between arrows, in points; never less than a pixel.
    pub spacing: f64,
    /// Points of an arrow as fast as the 98th percentile.
    pub longest: f64,
    pub lengths: Lengths,
    /// Points.
    pub width: f64,
    pub color: Color,
    /// Beneath the arrows and a little wider, so that they show on any ground.
    pub halo: Option<Color>,
    pub by_speed: Option<BySpeed>,
    /// The speed of the arrow in the legend; None takes a round one, 0 shows none.
    pub key: Option<f64>,
    /// Behind the number in the legend.
    pub unit: String,
    /// 98th percentile.
    fast: Option<f64>,
}

/// Middle on the page, vector and speed.
type Arrow = ((f64, f64), (f64, f64), f64);

impl Quiver {
    pub const SPACING: f64 = 16.0;
    pub const WIDTH: f64 = 0.9;
    pub const KEYS: Domain = Domain::at_least(0.0);

    pub fn new(field: Field) -> Quiver {
        let fast = field.speed(98.0);
        Quiver {
            field,
            spacing: Quiver::SPACING,
            longest: Quiver::SPACING,
            lengths: Lengths::Linear,
            width: Quiver::WIDTH,
            color: Color::BLACK,
            halo: None,
            by_speed: None,
            key: None,
            unit: String::new(),
            fast,
        }
    }

    /// Points of an arrow of this speed.
    fn length(&self, speed: f64) -> f64 {
        let share = self.fast.map_or(0.0, |fast| speed / fast);
        match self.lengths {
            Lengths::Linear => self.longest * share,
            Lengths::Sqrt => self.longest * share.sqrt(),
        }
    }

    fn arrows(&self, frame: &Frame) -> Vec<Arrow> {
        let rect = frame.rect;
        let pixel =
            |step: Option<f64>, span: f64, length: f64| step.unwrap_or(1.0).abs() / span.abs() * length;
        let transform = self.field.transform();
        let across = pixel(transform.map(|t| t.dx), frame.x.end - frame.x.start, rect.width);
        let down = pixel(transform.map(|t| t.dy), frame.y.end - frame.y.start, rect.height);
        let count =
            |length: f64, pixel: f64| ((length / self.spacing.max(pixel)).round() as usize).clamp(1, 5000);
        let cells = (count(rect.width, across), count(rect.height, down));
        let (xs, shares) = sampled(&self.field.x, transform, frame, cells, true);
        let (ys, _) = sampled(&self.field.y, transform, frame, cells, true);
        let mut out = Vec::new();
        for ((row, col), share) in shares.indexed_iter() {
            if *share < 0.5 {
                continue;
            }
            let middle = (
                rect.x + (col as f64 + 0.5) / cells.0 as f64 * rect.width,
                rect.y + (row as f64 + 0.5) / cells.1 as f64 * rect.height,
            );
            let (x, y) = (f64::from(xs[(row, col)]), f64::from(ys[(row, col)]));
            out.push((middle, Field::on_page(frame, (x, y)), x.hypot(y)));
        }
        out
    }

    /// The speed that the legend shows.
    fn key_speed(&self) -> Option<f64> {
        let speed = match self.key {
            Some(given) => given,
            None => ticks::round_below(self.fast?),
        };
        Some(speed).filter(|speed| *speed > 0.0 && self.fast.is_some())
    }
}

impl Mark for Quiver {
    shows_field!();

    fn entries(&self, _: &Ink) -> Vec<LegendEntry> {
        let Some(speed) = self.key_speed() else {
            return Vec::new();
        };
        let number = ticks::plain(speed, ticks::decimals(speed));
        let key = Key::Arrow {
            color: match self.by_speed {
                Some(_) => Color::BLACK,
                None => self.color,
            },
            length: self.length(speed),
            width: self.width,
            halo: self.halo,
        };
        LegendEntry::labelled(format!("{number} {}", self.unit).trim_end(), key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        let middles: Vec<_> = self
            .arrows(frame)
            .into_iter()
            .map(|(middle, ..)| middle)
            .collect();
        out.points(&middles, frame);
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let color_of = |speed: f64| match (&self.by_speed, ink.limits.first()) {
            (Some(by), Some(limits)) => by.colormap.color(limits.position(speed)),
            _ => self.color,
        };
        let (mut halos, mut items) = (Vec::new(), Vec::new());
        let (mut still, mut fills) = (Vec::new(), Vec::new());
        for (middle, (x, y), speed) in self.arrows(frame) {
            let length = self.length(speed);
            if length < self.width {
                still.push(middle);
                fills.push(color_of(speed));
                continue;
            }
            let (dx, dy) = (x / speed * length / 2.0, y / speed * length / 2.0);
            let tail = (middle.0 - dx, middle.1 - dy);
            let path = arrow(tail, (middle.0 + dx, middle.1 + dy), self.width);
            // A halo as wide as usual would hide a short arrow.
            let around = (0.15 * length).clamp(0.3, 1.0);
            halos.extend(self.halo.map(|color| outline(&path, color, around)));
            items.push(Item::Path {
                path,
                fill: color_of(speed),
                stroke: None,
            });
        }
        // What hardly moves is a dot: measured, and still.
        if !still.is_empty() {
            items.push(symbols(Marker::Circle, self.width, still, fills, None));
        }
        halos.extend(items);
        halos
    }
}

/// What lies beneath an arrow.
fn outline(path: &Path, color: Color, width: f64) -> Item {
    Item::Path {
        path: path.clone(),
        fill: Color::TRANSPARENT,
        stroke: Some(Stroke::solid(color, width)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::{PathStep, Rect};
    use crate::plot::span::Span;
    use crate::plot::style::Style;
    use ndarray::Array2;

    fn frame() -> Frame {
        Frame {
            rect: Rect::new(0.0, 0.0, 160.0, 80.0),
            x: Span::linear(0.0, 80.0),
            y: Span::linear(40.0, 0.0),
        }
    }

    #[test]
    fn arrows_are_means_a_distance_apart_and_leave_out_what_is_masked() {
        let mut x = Array2::from_shape_fn((40, 80), |(_, c)| c as f32);
        // A column of the lattice is half masked, the next one wholly.
        x.slice_mut(ndarray::s![.., 4..16]).fill(f32::NAN);
        let quiver = Quiver::new(Field::new(x, Array2::zeros((40, 80)), None));
        let arrows = quiver.arrows(&frame());
        assert_eq!(arrows.len(), 9 * 5);
        let first: Vec<_> = arrows.iter().take(3).collect();
        assert_eq!((first[0].0, first[0].2), ((8.0, 8.0), 1.5));
        assert_eq!((first[1].0, first[1].2), ((40.0, 8.0), 19.5));
        assert_eq!(first[2].1, (27.5, 0.0));
    }

    #[test]
    fn lengths_follow_speeds() {
        let speeds = Array2::from_elem((40, 80), 4.0);
        let mut quiver = Quiver::new(Field::new(Array2::zeros((40, 80)), speeds, None));
        let lengths = |quiver: &Quiver| quiver.length(1.0) / quiver.length(4.0);
        assert_eq!((lengths(&quiver), quiver.length(4.0)), (0.25, Quiver::SPACING));
        quiver.lengths = Lengths::Sqrt;
        assert_eq!(lengths(&quiver), 0.5);
        let entries = quiver.entries(&Ink::default());
        assert_eq!(entries[0].label, "2");
        quiver.unit = "m/yr".into();
        quiver.key = Some(0.25);
        assert_eq!(quiver.entries(&Ink::default())[0].label, "0.25 m/yr");
        quiver.key = Some(0.0);
        assert!(quiver.entries(&Ink::default()).is_empty());
    }

    #[test]
    fn without_a_grid_the_second_component_points_down_the_rows() {
        let quiver = Quiver::new(Field::new(Array2::zeros((40, 80)), Array2::ones((40, 80)), None));
        let page = Page {
            cells: (160, 80),
            style: &Style::new(9.0),
        };
        let items = quiver.draw(&Ink::default(), &frame(), &page);
        let Item::Path { path, .. } = &items[0] else {
            panic!("{items:?}");
        };
        let (PathStep::Move(_, tail), PathStep::Line(_, tip)) = (path.0[0], path.0[3]) else {
            panic!("{path:?}");
        };
        assert!((tip - tail - Quiver::SPACING).abs() < 1e-9);
    }
}
