//! Streamlines that keep an even distance from each other.

use crate::error::Domain;

type Point = (f64, f64);

/// Distances of streamlines and arrows, in points of the page.
pub const SPACINGS: Domain = Domain::within(2.0, 500.0).in_unit("points");

/// How near a line may come to another before it ends, as a share of the distance at which lines begin.
const NEAREST: f64 = 0.5;
/// Length of a step, as a share of that distance.
const STEP: f64 = 0.125;
/// Lines shorter than this many distances are left out: specks.
const SHORTEST: f64 = 1.5;

/// Lines along `field` within a rectangle from (0, 0) to `size`, about `distance` apart. The field gives a vector in the units of the rectangle, of any
/// length, and nothing where it has none.
///
/// A line ends where it leaves the rectangle or the field, comes nearer than half the distance to another or to itself. New ones
/// begin at the distance on both sides of those that there are, and where nothing is near.
///
/// Source: B. Jobard and W. Lefer, Creating evenly-spaced streamlines of arbitrary density, 1997,
/// doi:10.1007/978-3-7091-6876-9_5.
pub fn streamlines(size: Point, distance: f64, field: impl Fn(Point) -> Option<Point>) -> Vec<Vec<Point>> {
    let mut tracer = Tracer {
        size,
        distance,
        field,
        taken: Cells::new(size, distance),
    };
    let mut lines: Vec<Vec<Point>> = Vec::new();
    let mut asked = 0;
    // From the middle outwards, so that the first line is a long one.
    let mut seeds = lattice(size, distance);
    seeds.sort_by(|a, b| {
        let off = |p: &Point| (p.0 - size.0 / 2.0).hypot(p.1 - size.1 / 2.0);
        off(a).total_cmp(&off(b))
    });
    for seed in seeds {
        lines.extend(tracer.grown(seed));
        while asked < lines.len() {
            let line = lines[asked].clone();
            asked += 1;
            for pair in line.windows(2) {
                let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
                let length = dx.hypot(dy);
                if length == 0.0 {
                    continue;
                }
                let across = (-dy / length * distance, dx / length * distance);
                for sign in [1.0, -1.0] {
                    let beside = (pair[0].0 + sign * across.0, pair[0].1 + sign * across.1);
                    lines.extend(tracer.grown(beside));
                }
            }
        }
    }
    lines
}

/// Points of a lattice at twice the distance.
fn lattice(size: Point, distance: f64) -> Vec<Point> {
    let count = |length: f64| ((length / distance).ceil() as usize).clamp(1, 2000);
    let (across, down) = (count(size.0), count(size.1));
    let at = |i: usize, of: usize, length: f64| (i as f64 + 0.5) / of as f64 * length;
    (0..down)
        .flat_map(|j| (0..across).map(move |i| (at(i, across, size.0), at(j, down, size.1))))
        .collect()
}

struct Tracer<F> {
    size: Point,
    distance: f64,
    field: F,
    taken: Cells,
}

impl<F: Fn(Point) -> Option<Point>> Tracer<F> {
    /// The line through a point, which is then taken; nothing where it would be too near to others or too short.
    fn grown(&mut self, seed: Point) -> Option<Vec<Point>> {
        if !self.contains(seed) || self.taken.any_within(seed, 0.999 * self.distance) {
            return None;
        }
        let ahead = self.traced(seed, 1.0, &[]);
        let mut line: Vec<Point> = self.traced(seed, -1.0, &ahead);
        line.reverse();
        line.push(seed);
        line.extend(ahead);
        let length: f64 = line
            .windows(2)
            .map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1))
            .sum();
        if length < SHORTEST * self.distance {
            return None;
        }
        line.iter().for_each(|p| self.taken.add(*p));
        Some(line)
    }

    /// From a point with the field (`sign` 1) or against it; `other` is the half that was traced before.
    fn traced(&self, seed: Point, sign: f64, other: &[Point]) -> Vec<Point> {
        let step = STEP * self.distance;
        let near = NEAREST * self.distance;
        // What was traced a moment ago is near by nature.
        let recent = (3.0 * NEAREST / STEP).ceil() as usize;
        let mut own = Cells::new(self.size, self.distance);
        other.iter().skip(recent).for_each(|p| own.add(*p));
        let mut line: Vec<Point> = Vec::new();
        let mut at = seed;
        let most = (40.0 * (self.size.0 + self.size.1) / step) as usize;
        while line.len() < most {
            let Some(next) = self.stepped(at, sign * step) else {
                break;
            };
            let back = line.len() >= recent && distance(next, seed) < near;
            let taken = self.taken.any_within(next, near) || own.any_within(next, near);
            if !self.contains(next) || back || taken {
                break;
            }
            line.push(next);
            if line.len() > recent {
                own.add(line[line.len() - 1 - recent]);
            }
            at = next;
        }
        line
    }

    /// The point one step on, by the classical method of Runge and Kutta on the direction of the field.
    fn stepped(&self, at: Point, step: f64) -> Option<Point> {
        let moved = |by: Point, share: f64| (at.0 + share * step * by.0, at.1 + share * step * by.1);
        let k1 = self.direction(at)?;
        let k2 = self.direction(moved(k1, 0.5))?;
        let k3 = self.direction(moved(k2, 0.5))?;
        let k4 = self.direction(moved(k3, 1.0))?;
        let mean = |get: fn(&Point) -> f64| (get(&k1) + 2.0 * get(&k2) + 2.0 * get(&k3) + get(&k4)) / 6.0;
        Some((at.0 + step * mean(|k| k.0), at.1 + step * mean(|k| k.1)))
    }

    fn direction(&self, at: Point) -> Option<Point> {
        let (x, y) = (self.field)(at)?;
        let length = x.hypot(y);
        (length.is_finite() && length > 0.0).then(|| (x / length, y / length))
    }

    fn contains(&self, (x, y): Point) -> bool {
        (0.0..=self.size.0).contains(&x) && (0.0..=self.size.1).contains(&y)
    }
}

fn distance(a: Point, b: Point) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// Points in square cells a distance wide, so that the near ones are in nine of them.
struct Cells {
    side: f64,
    columns: usize,
    points: Vec<Vec<Point>>,
}

impl Cells {
    fn new(size: Point, side: f64) -> Cells {
        let count = |length: f64| (length / side) as usize + 1;
        Cells {
            side,
            columns: count(size.0),
            points: vec![Vec::new(); count(size.0) * count(size.1)],
        }
    }

    fn cell(&self, (x, y): Point) -> (usize, usize) {
        let rows = self.points.len() / self.columns;
        (
            ((x / self.side) as usize).min(self.columns - 1),
            ((y / self.side) as usize).min(rows - 1),
        )
    }

    fn add(&mut self, point: Point) {
        let (column, row) = self.cell(point);
        self.points[row * self.columns + column].push(point);
    }

    /// Whether a point is nearer than `reach`, which is at most a cell.
    fn any_within(&self, point: Point, reach: f64) -> bool {
        let (column, row) = self.cell(point);
        let rows = self.points.len() / self.columns;
        (row.saturating_sub(1)..=(row + 1).min(rows - 1)).any(|row| {
            (column.saturating_sub(1)..=(column + 1).min(self.columns - 1)).any(|column| {
                let cell = &self.points[row * self.columns + column];
                cell.iter().any(|p| distance(*p, point) < reach)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(point: Point, lines: &[Vec<Point>]) -> f64 {
        let all = lines.iter().flatten().map(|p| distance(*p, point));
        all.fold(f64::INFINITY, f64::min)
    }

    /// A field with a vortex, a saddle and a hole.
    fn field((x, y): Point) -> Option<Point> {
        if distance((x, y), (150.0, 60.0)) < 20.0 {
            return None;
        }
        Some(((y / 25.0).sin() + 0.3, (x / 40.0).cos()))
    }

    #[test]
    fn lines_keep_their_distance_and_leave_no_gaps() {
        let (size, apart) = ((300.0, 200.0), 12.0);
        let lines = streamlines(size, apart, field);
        assert!(lines.len() > 10);
        for (i, line) in lines.iter().enumerate() {
            for other in &lines[i + 1..] {
                for p in line {
                    let d = other
                        .iter()
                        .map(|q| distance(*p, *q))
                        .fold(f64::INFINITY, f64::min);
                    assert!(d >= 0.5 * apart - 1e-9, "{d}");
                }
            }
        }
        let (mut far, mut count) = (0, 0);
        for y in 0..100 {
            for x in 0..150 {
                let p = (2.0 * f64::from(x), 2.0 * f64::from(y));
                if field(p).is_some() {
                    count += 1;
                    far += usize::from(nearest(p, &lines) > 1.5 * apart);
                }
            }
        }
        assert!(far * 50 < count, "{far} of {count}");
        assert!(lines.iter().flatten().all(|p| field(*p).is_some()));
    }

    #[test]
    fn a_vortex_has_circles_that_close_once() {
        let lines = streamlines((200.0, 200.0), 20.0, |(x, y)| Some((-(y - 100.0), x - 100.0)));
        let whole: Vec<_> = lines
            .iter()
            .filter(|l| l.iter().all(|p| distance(*p, (100.0, 100.0)) < 90.0))
            .collect();
        assert!(whole.len() >= 3, "{}", whole.len());
        for line in whole {
            let radii = line.iter().map(|p| distance(*p, (100.0, 100.0)));
            let (low, high) = radii.fold((f64::MAX, f64::MIN), |(a, b), r| (a.min(r), b.max(r)));
            assert!(high - low < 0.02 * high, "{low} to {high}");
            let length: f64 = line.windows(2).map(|p| distance(p[0], p[1])).sum();
            let round = length / (std::f64::consts::PI * (low + high));
            assert!((0.5..1.02).contains(&round), "{round} turns");
        }
    }

    #[test]
    fn nothing_moves_nothing() {
        assert!(streamlines((100.0, 100.0), 10.0, |_| None).is_empty());
        assert!(streamlines((100.0, 100.0), 10.0, |_| Some((0.0, 0.0))).is_empty());
        assert!(streamlines((100.0, 100.0), 10.0, |_| Some((f64::NAN, 1.0))).is_empty());
    }
}
