//! Places on the page: where the values of a panel lie, and what of a line or an area is near it.

use super::color::Color;
use super::scene::{Item, Path, Rect, Stroke};
use super::span::Span;

/// A panel's place on the page and the values along its sides.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub rect: Rect,
    pub x: Span,
    pub y: Span,
}

/// Points farther than this outside a panel are cut off; coordinates stay small enough for single precision.
const FAR: f64 = 5000.0;

impl Frame {
    /// Page coordinates of a point; NaN where it has none.
    pub fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let px = self.rect.x + self.x.position(x) * self.rect.width;
        let py = self.rect.bottom() - self.y.position(y) * self.rect.height;
        if px.is_finite() && py.is_finite() {
            (px, py)
        } else {
            (f64::NAN, f64::NAN)
        }
    }

    /// As `place`, but what lies far outside is brought near, and what a logarithm cannot show lies far below.
    pub fn clamped(&self, x: f64, y: f64) -> (f64, f64) {
        let px = self.rect.x + self.x.position(x) * self.rect.width;
        let py = match self.y.position(y) {
            p if p.is_nan() && y <= 0.0 => FAR,
            p => self.rect.bottom() - p * self.rect.height,
        };
        (
            px.clamp(self.rect.x - FAR, self.rect.right() + FAR),
            py.clamp(self.rect.y - FAR, self.rect.bottom() + FAR),
        )
    }

    pub fn points(&self, xs: &[f64], ys: &[f64]) -> Vec<(f64, f64)> {
        xs.iter().zip(ys).map(|(x, y)| self.place(*x, *y)).collect()
    }

    /// Those of the points that show or whose marks may.
    pub fn visible(&self, points: &[(f64, f64)], margin: f64) -> Vec<(f64, f64)> {
        let near = self.rect.grown(margin);
        points
            .iter()
            .copied()
            .filter(|(x, y)| near.contains(*x, *y))
            .collect()
    }

    /// A line through points, in pieces where it leaves the panel's surroundings or meets a NaN.
    pub fn line(&self, points: &[(f64, f64)], closed: bool) -> Path {
        let near = self.rect.grown(50.0);
        let mut pieces = Vec::new();
        let mut end: Option<(f64, f64)> = None;
        let closing = closed.then(|| points.first().copied()).flatten();
        let all: Vec<(f64, f64)> = points.iter().copied().chain(closing).collect();
        for pair in all.windows(2) {
            let Some((a, b)) = clip_segment(pair[0], pair[1], &near) else {
                end = None;
                continue;
            };
            if end != Some(a) {
                if !pieces.is_empty() {
                    pieces.push((f64::NAN, f64::NAN));
                }
                pieces.push(a);
            }
            pieces.push(b);
            end = Some(b);
        }
        Path::polyline(pieces)
    }
}

/// The part of a segment within a rectangle (Liang & Barsky 1984, doi:10.1145/357332.357333).
pub fn clip_segment(a: (f64, f64), b: (f64, f64), rect: &Rect) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    if !(dx.is_finite() && dy.is_finite()) {
        return None;
    }
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (p, q) in [
        (-dx, a.0 - rect.x),
        (dx, rect.right() - a.0),
        (-dy, a.1 - rect.y),
        (dy, rect.bottom() - a.1),
    ] {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            enter = enter.max(q / p);
        } else {
            leave = leave.min(q / p);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |t: f64| match t {
        0.0 => a,
        1.0 => b,
        t => (a.0 + t * dx, a.1 + t * dy),
    };
    Some((at(enter), at(leave)))
}

/// A path as a line; nothing where it has no length.
pub fn stroked(path: Path, stroke: Stroke) -> Option<Item> {
    (!path.is_empty()).then_some(Item::Path {
        path,
        fill: Color::TRANSPARENT,
        stroke: Some(stroke),
    })
}

/// The part of a polygon within a rectangle (Sutherland & Hodgman 1974, doi:10.1145/360767.360802).
pub fn clip_polygon(ring: &[(f64, f64)], rect: &Rect) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = ring
        .iter()
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let sides: [(bool, f64, f64); 4] = [
        (true, 1.0, rect.x),
        (true, -1.0, rect.right()),
        (false, 1.0, rect.y),
        (false, -1.0, rect.bottom()),
    ];
    for (along_x, sign, limit) in sides {
        let depth = |p: (f64, f64)| sign * ((if along_x { p.0 } else { p.1 }) - limit);
        let input = std::mem::take(&mut out);
        for (i, &b) in input.iter().enumerate() {
            let a = input[(i + input.len() - 1) % input.len()];
            let (da, db) = (depth(a), depth(b));
            if (da < 0.0) != (db < 0.0) {
                let t = da / (da - db);
                out.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
            }
            if db >= 0.0 {
                out.push(b);
            }
        }
    }
    out
}

/// Points that stand for what marks cover, for finding an empty corner.
#[derive(Default)]
pub struct Obstacles(pub Vec<(f64, f64)>);

impl Obstacles {
    /// A line on the page through the points, as far as it is within the panel.
    pub fn path(&mut self, points: &[(f64, f64)], frame: &Frame) {
        const STEP: f64 = 3.0;
        for pair in points.windows(2) {
            if let Some((a, b)) = clip_segment(pair[0], pair[1], &frame.rect) {
                let parts = ((b.0 - a.0).hypot(b.1 - a.1) / STEP).ceil().max(1.0) as usize;
                self.0.extend((0..=parts).map(|i| {
                    let t = i as f64 / parts as f64;
                    (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
                }));
            }
        }
    }

    /// Points on the page.
    pub fn points(&mut self, points: &[(f64, f64)], frame: &Frame) {
        points.iter().for_each(|p| self.path(&[*p, *p], frame));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::PathStep;

    fn frame() -> Frame {
        Frame {
            rect: Rect::new(10.0, 10.0, 100.0, 50.0),
            x: Span::linear(0.0, 10.0),
            y: Span::linear(0.0, 5.0),
        }
    }

    #[test]
    fn points_land_where_the_axes_say() {
        assert_eq!(frame().place(0.0, 0.0), (10.0, 60.0));
        assert_eq!(frame().place(10.0, 5.0), (110.0, 10.0));
        assert!(frame().place(f64::NAN, 1.0).0.is_nan());
    }

    #[test]
    fn huge_coordinates_are_cut_before_drawing() {
        let points = [(-1e12, 30.0), (1e12, 30.0)];
        let path = frame().line(&points, false);
        for step in &path.0 {
            if let PathStep::Move(x, _) | PathStep::Line(x, _) = step {
                assert!((-40.0..=160.0).contains(x));
            }
        }
        assert_eq!(path.0.len(), 2);
    }

    #[test]
    fn a_gap_breaks_a_line() {
        let points = [
            (20.0, 20.0),
            (30.0, 20.0),
            (f64::NAN, 20.0),
            (40.0, 20.0),
            (50.0, 20.0),
        ];
        let path = frame().line(&points, false);
        assert_eq!(
            path.0.iter().filter(|s| matches!(s, PathStep::Move(..))).count(),
            2
        );
    }

    #[test]
    fn polygons_around_the_panel_fill_it() {
        let rect = Rect::new(0.0, 0.0, 10.0, 10.0);
        let around = [(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)];
        let clipped = clip_polygon(&around, &rect);
        let area: f64 = (0..clipped.len())
            .map(|i| {
                let (a, b) = (clipped[i], clipped[(i + 1) % clipped.len()]);
                (a.0 * b.1 - b.0 * a.1) / 2.0
            })
            .sum();
        assert!((area.abs() - 100.0).abs() < 1e-3);
        assert!(clip_polygon(&[(20.0, 20.0), (30.0, 20.0), (30.0, 30.0)], &rect).is_empty());
    }
}
