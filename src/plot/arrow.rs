//! Arrows, and lines by their length.

use super::scene::Path;

type Point = (f64, f64);

/// An arrow from its tail to its tip, `width` wide; the head of a short one is smaller, so that it never is longer than two thirds.
pub fn arrow(tail: Point, tip: Point, width: f64) -> Path {
    let (dx, dy) = (tip.0 - tail.0, tip.1 - tail.1);
    let length = dx.hypot(dy);
    let (ux, uy) = (dx / length, dy / length);
    let head = (4.2 * width).min(length * 0.66);
    let wing = 0.42 * head;
    // A short arrow is a thin one.
    let half = (width / 2.0).min(wing * 0.45);
    let at = |along: f64, across: f64| {
        (
            tail.0 + ux * along - uy * across,
            tail.1 + uy * along + ux * across,
        )
    };
    let neck = length - 0.85 * head;
    Path::polygon([
        at(0.0, half),
        at(neck, half),
        at(length - head, wing),
        at(length, 0.0),
        at(length - head, -wing),
        at(neck, -half),
        at(0.0, -half),
    ])
}

/// The head of an arrow around `at`, pointing along `direction`.
pub fn head(at: Point, direction: Point, size: f64) -> Path {
    let length = direction.0.hypot(direction.1);
    let (ux, uy) = (direction.0 / length, direction.1 / length);
    let corner = |along: f64, across: f64| {
        (
            at.0 + (ux * along - uy * across) * size,
            at.1 + (uy * along + ux * across) * size,
        )
    };
    Path::polygon([
        corner(0.6, 0.0),
        corner(-0.4, 0.38),
        corner(-0.22, 0.0),
        corner(-0.4, -0.38),
    ])
}

/// A line with the length from its start at each of its points.
pub struct Measured<'a> {
    pub points: &'a [Point],
    pub lengths: Vec<f64>,
}

impl<'a> Measured<'a> {
    pub fn new(points: &'a [Point]) -> Measured<'a> {
        let mut lengths = vec![0.0; points.len()];
        for i in 1..points.len() {
            let (a, b) = (points[i - 1], points[i]);
            lengths[i] = lengths[i - 1] + (b.0 - a.0).hypot(b.1 - a.1);
        }
        Measured { points, lengths }
    }

    pub fn length(&self) -> f64 {
        self.lengths.last().copied().unwrap_or(0.0)
    }

    /// The point that far from the start.
    pub fn at(&self, length: f64) -> Point {
        let next = self.lengths.partition_point(|l| *l < length);
        if next == 0 || next >= self.points.len() {
            return self.points[next.min(self.points.len() - 1)];
        }
        let (a, b) = (self.points[next - 1], self.points[next]);
        let part = (length - self.lengths[next - 1]) / (self.lengths[next] - self.lengths[next - 1]);
        (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part)
    }

    /// The points from one length to another, both ends included.
    pub fn part(&self, from: f64, to: f64) -> Vec<Point> {
        let inside = |i: &usize| self.lengths[*i] > from && self.lengths[*i] < to;
        let middle = (0..self.points.len()).filter(inside).map(|i| self.points[i]);
        std::iter::once(self.at(from))
            .chain(middle)
            .chain([self.at(to)])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::PathStep;

    #[test]
    fn an_arrow_ends_at_its_tip() {
        for tip in [(30.0, 10.0), (1.0, 0.2), (-4.0, 7.0)] {
            let path = arrow((0.0, 0.0), tip, 1.0);
            let far = path.0.iter().filter_map(|step| match step {
                PathStep::Move(x, y) | PathStep::Line(x, y) => Some((*x, *y)),
                _ => None,
            });
            let along = |p: (f64, f64)| (p.0 * tip.0 + p.1 * tip.1) / tip.0.hypot(tip.1);
            let most = far.clone().map(along).fold(f64::MIN, f64::max);
            let least = far.map(along).fold(f64::MAX, f64::min);
            assert!((most - tip.0.hypot(tip.1)).abs() < 1e-9 && least.abs() < 1e-9);
        }
    }

    #[test]
    fn lines_are_cut_by_length() {
        let points = [(0.0, 0.0), (3.0, 4.0), (3.0, 14.0)];
        let line = Measured::new(&points);
        assert_eq!(line.length(), 15.0);
        assert_eq!(line.at(10.0), (3.0, 9.0));
        assert_eq!(line.part(2.5, 10.0), [(1.5, 2.0), (3.0, 4.0), (3.0, 9.0)]);
        assert_eq!(line.part(0.0, 15.0)[1..], points[1..]);
    }
}
