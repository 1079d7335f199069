//! Lines of equal value through pixels: marching squares, and levels for them.

use std::collections::HashMap;

use ndarray::ArrayView2;

use super::ticks;
use crate::error::Domain;

/// A line of one level; the first point again at the end where it is closed. Points are (col, row), the middles of pixels whole numbers.
pub type Isoline = Vec<(f64, f64)>;

/// How many levels are chosen at most.
pub const COUNTS: Domain = Domain::within(1.0, 100.0);

/// Multiples of 1, 2 or 5 times a power of ten between the smallest and the largest value, at most `most` of them.
pub fn levels(low: f64, high: f64, most: usize) -> Vec<f64> {
    if !(low < high && low.is_finite() && high.is_finite()) {
        return Vec::new();
    }
    ticks::steps(high - low, most + 1)
        .map(|step| ticks::multiples(low, high, step))
        .map(|all| {
            all.into_iter()
                .filter(|v| *v > low && *v < high)
                .collect::<Vec<_>>()
        })
        .find(|inside| inside.len() <= most)
        .unwrap_or_default()
}

/// Where a line crosses the lattice of pixel middles: the pixel at the left or upper end, and whether the edge runs down from there.
type Edge = (usize, usize, bool);

/// The lines along which values, linear between the middles of pixels, equal `level`.
///
/// Squares of four pixels with a masked (NaN) one are left out, so that lines end there. Values that equal the level count as below it. Where two opposite
/// corners are above and two below, the mean of the four decides which are joined, as in contourpy.
///
/// Source: W. E. Lorensen and H. E. Cline, Marching cubes, SIGGRAPH 1987, doi:10.1145/37401.37422, in two dimensions.
pub fn isolines(values: ArrayView2<f32>, level: f64) -> Vec<Isoline> {
    let (rows, cols) = values.dim();
    let value = |r: usize, c: usize| f64::from(values[(r, c)]);
    // Every edge is met by one or two pieces.
    let mut neighbours: HashMap<Edge, [Option<Edge>; 2]> = HashMap::new();
    let mut order: Vec<Edge> = Vec::new();
    let mut join = |a: Edge, b: Edge| {
        for (from, to) in [(a, b), (b, a)] {
            let ends = neighbours.entry(from).or_insert_with(|| {
                order.push(from);
                [None, None]
            });
            match ends[0] {
                None => ends[0] = Some(to),
                Some(_) => ends[1] = Some(to),
            }
        }
    };
    for r in 0..rows.saturating_sub(1) {
        for c in 0..cols.saturating_sub(1) {
            let corners = [value(r, c), value(r, c + 1), value(r + 1, c + 1), value(r + 1, c)];
            if corners.iter().any(|v| !v.is_finite()) {
                continue;
            }
            let [upper_left, upper_right, lower_right, lower_left] = corners.map(|v| v > level);
            let (top, left) = ((r, c, false), (r, c, true));
            let (bottom, right) = ((r + 1, c, false), (r, c + 1, true));
            let crossed = |a: bool, b: bool, edge: Edge| (a != b).then_some(edge);
            let met: Vec<Edge> = [
                crossed(upper_left, upper_right, top),
                crossed(upper_right, lower_right, right),
                crossed(lower_right, lower_left, bottom),
                crossed(lower_left, upper_left, left),
            ]
            .into_iter()
            .flatten()
            .collect();
            match met.as_slice() {
                [a, b] => join(*a, *b),
                [..] if met.len() == 4 => {
                    let middle = corners.iter().sum::<f64>() / 4.0 > level;
                    // The corners that are like the middle are one area; the lines cut off the two others.
                    if middle == upper_left {
                        join(top, right);
                        join(bottom, left);
                    } else {
                        join(top, left);
                        join(bottom, right);
                    }
                }
                _ => {}
            }
        }
    }
    let place = |(r, c, down): Edge| {
        let (a, b) = match down {
            true => (value(r, c), value(r + 1, c)),
            false => (value(r, c), value(r, c + 1)),
        };
        let part = (level - a) / (b - a);
        match down {
            true => (c as f64, r as f64 + part),
            false => (c as f64 + part, r as f64),
        }
    };
    let mut out = Vec::new();
    let mut done: HashMap<Edge, ()> = HashMap::with_capacity(order.len());
    let open = |edge: &Edge| matches!(neighbours.get(edge), Some([_, None]));
    // Lines with ends first, then rings.
    for start in order
        .iter()
        .filter(|e| open(e))
        .chain(order.iter().filter(|e| !open(e)))
    {
        if done.contains_key(start) {
            continue;
        }
        let mut line = vec![place(*start)];
        done.insert(*start, ());
        let (mut at, mut previous) = (*start, None);
        loop {
            let ends = neighbours.get(&at).copied().unwrap_or_default();
            let next = ends.into_iter().flatten().find(|e| Some(*e) != previous);
            let Some(next) = next else {
                break;
            };
            line.push(place(next));
            if done.insert(next, ()).is_some() {
                break;
            }
            (previous, at) = (Some(at), next);
        }
        out.push(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn a_cone_has_circles() {
        let cone = Array2::from_shape_fn((81, 81), |(r, c)| (r as f64 - 40.0).hypot(c as f64 - 40.0) as f32);
        let lines = isolines(cone.view(), 25.5);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for (x, y) in &lines[0] {
            // Linear between pixels, a cone is this near to itself.
            assert!(((x - 40.0).hypot(y - 40.0) - 25.5).abs() < 0.01);
        }
        let length: f64 = lines[0]
            .windows(2)
            .map(|p| (p[0].0 - p[1].0).hypot(p[0].1 - p[1].1))
            .sum();
        assert!(
            (length - 2.0 * std::f64::consts::PI * 25.5).abs() < 0.2,
            "{length}"
        );
    }

    #[test]
    fn masked_pixels_leave_gaps() {
        let mut ramp = Array2::from_shape_fn((9, 5), |(_, c)| c as f32);
        assert_eq!(
            isolines(ramp.view(), 1.5),
            [(0..9).map(|r| (1.5, f64::from(r))).collect::<Vec<_>>()]
        );
        ramp[(4, 2)] = f32::NAN;
        let lines = isolines(ramp.view(), 1.5);
        let ends: Vec<_> = lines.iter().map(|l| (l.len(), l[0], l[l.len() - 1])).collect();
        assert_eq!(ends, [(4, (1.5, 0.0), (1.5, 3.0)), (4, (1.5, 5.0), (1.5, 8.0))]);
    }

    #[test]
    fn saddles_are_joined_by_their_mean() {
        // The two high corners are one area where the mean is above the level.
        let high = isolines(array![[3.0, 0.0], [0.0, 3.0]].view(), 1.0);
        assert_eq!(high.len(), 2);
        assert!(
            high.iter().all(|l| (l[0].0 - l[1].0) * (l[0].1 - l[1].1) > 0.0),
            "{high:?}"
        );
        let low = isolines(array![[3.0, 0.0], [0.0, 3.0]].view(), 2.0);
        assert!(
            low.iter().all(|l| (l[0].0 - l[1].0) * (l[0].1 - l[1].1) < 0.0),
            "{low:?}"
        );
    }

    #[test]
    fn levels_are_round_and_within() {
        assert_eq!(levels(0.0, 10.0, 8), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(
            levels(-0.3, 0.32, 8),
            [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3][1..].to_vec()
        );
        assert!(levels(4.0, 4.0, 8).is_empty() && levels(f64::NAN, 1.0, 8).is_empty());
        for most in 1..12 {
            assert!(levels(-1234.0, 987.0, most).len() <= most);
        }
    }

    /// Lines of contourpy 1.3 (serial, corner_mask off), as sorted vertices: tests/reference/plots.py.
    #[test]
    fn vertices_are_those_of_contourpy() {
        let recorded = include_str!("../../tests/fixtures/plots/contours.txt");
        let values = reference_field();
        let mut compared = 0;
        for line in recorded.lines().filter(|l| !l.starts_with('#')) {
            let mut numbers = line.split_whitespace().map(|n| n.parse::<f64>().unwrap());
            let (level, count) = (numbers.next().unwrap(), numbers.next().unwrap() as usize);
            let rest: Vec<f64> = numbers.collect();
            let mut expected: Vec<(f64, f64)> = rest.chunks(2).map(|p| (p[0], p[1])).collect();
            let found = isolines(values.view(), level);
            assert_eq!(found.len(), count, "lines at {level}");
            let mut found: Vec<(f64, f64)> = found.into_iter().flatten().collect();
            let by = |a: &(f64, f64), b: &(f64, f64)| {
                let key = |p: &(f64, f64)| ((p.0 * 1e4).round(), (p.1 * 1e4).round());
                key(a).partial_cmp(&key(b)).unwrap()
            };
            // Where a ring begins is each program's own.
            for list in [&mut expected, &mut found] {
                list.sort_by(by);
                list.dedup_by(|a, b| (a.0 - b.0).hypot(a.1 - b.1) < 1e-6);
            }
            assert_eq!(found.len(), expected.len(), "vertices at {level}");
            for (a, b) in found.iter().zip(&expected) {
                assert!((a.0 - b.0).hypot(a.1 - b.1) < 1e-4, "{level}: {a:?} {b:?}");
            }
            compared += found.len();
        }
        assert!(compared > 500, "{compared}");
    }

    /// As the recipe makes it.
    fn reference_field() -> Array2<f32> {
        Array2::from_shape_fn((40, 50), |(r, c)| {
            if (r as i64 - 20).pow(2) + (c as i64 - 33).pow(2) < 16 {
                return f32::NAN;
            }
            // Whole numbers, which every language computes alike.
            let hash = (r * 7919 + c * 104_729) % 97;
            (((r as f64 - 12.0).powi(2) - (c as f64 - 25.0).powi(2) * 0.5) / 8.0 + hash as f64 / 16.0) as f32
        })
    }
}
