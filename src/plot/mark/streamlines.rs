//! Lines along a vector field.

use super::field::{BySpeed, Field, shows_field};
use super::look::Dash;
use super::{Ink, Mark, Page};
use crate::plot::arrow::{Measured, head};
use crate::plot::color::Color;
use crate::plot::key::{Key, LegendEntry};
use crate::plot::place::{Frame, Obstacles, stroked};
use crate::plot::scene::{Item, Path, Stroke};
use crate::plot::streams::streamlines;
use crate::plot::style::HALO;

/// A vector field as evenly spaced lines along it, with heads that say which way.
#[derive(Debug, Clone)]
pub struct Streamlines {
    pub field: Field,
    /// Between lines, in points.
    pub spacing: f64,
    /// Points.
    pub width: f64,
    pub color: Color,
    /// Beneath the lines and a little wider, so that they show on any ground.
    pub halo: Option<Color>,
    pub by_speed: Option<BySpeed>,
    pub label: String,
}

/// From one arrow head to the next on a line, in points.
const HEADS: f64 = 110.0;
/// Steps of colour along lines.
const SHADES: f64 = 32.0;

impl Streamlines {
    pub const SPACING: f64 = 12.0;
    pub const WIDTH: f64 = 0.8;

    pub fn new(field: Field) -> Streamlines {
        Streamlines {
            field,
            spacing: Streamlines::SPACING,
            width: Streamlines::WIDTH,
            color: Color::BLACK,
            halo: None,
            by_speed: None,
            label: String::new(),
        }
    }

    /// A place of the page in pixels of the field (col, row).
    fn pixel(&self, frame: &Frame) -> impl Fn((f64, f64)) -> Option<(f64, f64)> {
        let (inverse, plain) = match self.field.transform() {
            Some(transform) => (transform.invert(), false),
            None => (None, true),
        };
        let frame = *frame;
        move |(x, y)| {
            let rect = frame.rect;
            let place = (
                frame.x.value((x - rect.x) / rect.width),
                frame.y.value((rect.bottom() - y) / rect.height),
            );
            match &inverse {
                Some(inverse) => Some(inverse.apply(place.0, place.1)),
                None => plain.then_some(place),
            }
        }
    }

    /// On the page.
    fn lines(&self, frame: &Frame) -> Vec<Vec<(f64, f64)>> {
        let rect = frame.rect;
        let pixel = self.pixel(frame);
        let field = |(x, y): (f64, f64)| {
            let vector = self.field.at(pixel((rect.x + x, rect.y + y))?)?;
            Some(Field::on_page(frame, vector))
        };
        let mut lines = streamlines((rect.width, rect.height), self.spacing, field);
        for point in lines.iter_mut().flatten() {
            *point = (rect.x + point.0, rect.y + point.1);
        }
        lines
    }

    /// Which step of colour the speed at a place of the page has.
    fn shade(&self, ink: &Ink, at: Option<(f64, f64)>) -> i64 {
        let speed = at.and_then(|at| self.field.at(at)).map(|(x, y)| x.hypot(y));
        let position = speed
            .zip(ink.limits.first())
            .map(|(speed, limits)| limits.position(speed));
        position.map_or(0, |p| (p * SHADES).floor().clamp(0.0, SHADES - 1.0) as i64)
    }
}

impl Mark for Streamlines {
    shows_field!();

    fn entries(&self, _: &Ink) -> Vec<LegendEntry> {
        let key = Key::Line {
            color: self
                .by_speed
                .as_ref()
                .map_or(self.color, |by| by.colormap.color(0.5)),
            width: self.width,
            dash: Dash::Solid,
            marker: None,
            halo: self.halo,
        };
        LegendEntry::labelled(&self.label, key)
    }

    fn obstacles(&self, frame: &Frame, out: &mut Obstacles) {
        self.lines(frame).iter().for_each(|line| out.points(line, frame));
    }

    fn draw(&self, ink: &Ink, frame: &Frame, _: &Page) -> Vec<Item> {
        let lines = self.lines(frame);
        let pixel = self.pixel(frame);
        let color_of = |shade: i64| match &self.by_speed {
            Some(by) => by.colormap.color((shade as f64 + 0.5) / SHADES),
            None => self.color,
        };
        let (mut halos, mut strokes, mut heads) = (Vec::new(), Vec::new(), Vec::new());
        let size = 4.5 * self.width + 1.5;
        for line in &lines {
            let path = Path::polyline(line.iter().copied());
            halos.extend(
                self.halo
                    .and_then(|c| stroked(path.clone(), Stroke::solid(c, self.width + HALO))),
            );
            match &self.by_speed {
                None => strokes.extend(stroked(path, Stroke::solid(self.color, self.width))),
                Some(_) => {
                    let shades: Vec<i64> = line.iter().map(|p| self.shade(ink, pixel(*p))).collect();
                    let mut start = 0;
                    for i in 1..line.len() {
                        if shades[i] != shades[start] || i + 1 == line.len() {
                            let run = Path::polyline(line[start..=i].iter().copied());
                            let stroke = Stroke::solid(color_of(shades[start]), self.width);
                            strokes.extend(stroked(run, stroke));
                            start = i;
                        }
                    }
                }
            }
            let measured = Measured::new(line);
            let count = (measured.length() / HEADS).round().max(1.0);
            for i in 0..count as usize {
                let at = (i as f64 + 0.5) / count * measured.length();
                let (before, middle, after) = (measured.at(at - 1.0), measured.at(at), measured.at(at + 1.0));
                let path = head(middle, (after.0 - before.0, after.1 - before.1), size);
                halos.extend(self.halo.map(|color| Item::Path {
                    path: path.clone(),
                    fill: Color::TRANSPARENT,
                    stroke: Some(Stroke::solid(color, HALO)),
                }));
                heads.push(Item::Path {
                    path,
                    fill: color_of(self.shade(ink, pixel(middle))),
                    stroke: None,
                });
            }
        }
        halos.into_iter().chain(strokes).chain(heads).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::Rect;
    use crate::plot::span::Span;
    use crate::raster::{Affine, Grid};
    use ndarray::Array2;

    #[test]
    fn lines_follow_the_field_on_the_page() {
        // North-east on a map is to the right and up on the page.
        let grid = Grid::new(None, Affine::north_up(100.0, 900.0, 10.0, 10.0), 40, 60).unwrap();
        let (x, y) = (Array2::from_elem((40, 60), 2.0), Array2::from_elem((40, 60), 1.0));
        let streamlines = Streamlines::new(Field::new(x, y, Some(grid)));
        let frame = Frame {
            rect: Rect::new(5.0, 7.0, 300.0, 200.0),
            x: Span::linear(100.0, 700.0),
            y: Span::linear(500.0, 900.0),
        };
        let lines = streamlines.lines(&frame);
        assert!(lines.len() > 10);
        for line in &lines {
            let (a, b) = (line[0], line[line.len() - 1]);
            assert!(
                b.0 > a.0 && ((b.1 - a.1) / (b.0 - a.0) + 0.5).abs() < 1e-6,
                "{a:?} {b:?}"
            );
        }
    }
}
