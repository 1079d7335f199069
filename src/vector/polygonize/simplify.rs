//! Fewer corners, the same topology.
//!
//! Corners whose triangle with their neighbours is smallest go first (M. Visvalingam and J. D. Whyatt, Cartographic Journal 30,
//! 1993, doi:10.1179/000870493786962263), but none goes over whose triangle another corner of the image lies on or in. So
//! every new edge can be drawn out of the old ones without passing over a corner that any arc keeps, and arcs that did not cross
//! or touch do not afterwards (as in M. de Berg, M. van Kreveld and S. Schirra, Cartography and Geographic Information
//! Systems 25, 1998, doi:10.1559/152304098782383007).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};

use super::Corner;

/// The corners of all arcs in the rows that arcs being followed have come through, as bits.
pub struct Corners {
    cols: usize,
    first_row: u32,
    rows: VecDeque<Vec<u64>>,
}

impl Corners {
    pub fn new(cols: usize) -> Corners {
        Corners {
            cols,
            first_row: 0,
            rows: VecDeque::new(),
        }
    }

    pub fn bytes(&self) -> usize {
        self.rows.len() * self.cols.div_ceil(64) * size_of::<u64>()
    }

    pub fn begin_row(&mut self) {
        self.rows.push_back(vec![0; self.cols.div_ceil(64)]);
    }

    /// In the last row begun.
    pub fn add(&mut self, col: u32) {
        if let Some(row) = self.rows.back_mut() {
            row[col as usize / 64] |= 1 << (col % 64);
        }
    }

    /// Rows before this one are not asked for any more.
    pub fn forget(&mut self, before: u32) {
        while self.first_row < before && !self.rows.is_empty() {
            self.rows.pop_front();
            self.first_row += 1;
        }
    }

    /// True where `found` is for one of the corners of a row between two columns, both included.
    fn any(&self, row: u32, from: u32, to: u32, mut found: impl FnMut(Corner) -> bool) -> bool {
        let Some(bits) = row
            .checked_sub(self.first_row)
            .and_then(|row| self.rows.get(row as usize))
        else {
            return false;
        };
        let last = (bits.len() as u32 * 64 - 1).min(to);
        for word in from / 64..=last / 64 {
            let mut left = bits[word as usize];
            while left != 0 {
                let col = word * 64 + left.trailing_zeros();
                left &= left - 1;
                if (from..=to).contains(&col) && found((row, col)) {
                    return true;
                }
            }
        }
        false
    }
}

/// Takes corners out of an arc while a triangle has less area than `area`, in pixels. Ends of arcs between nodes stay, and of what
/// is between them at least one corner, two where both ends are one node; rings keep three.
pub fn simplify(corners: &mut Vec<Corner>, is_ring: bool, area: f64, all: &Corners) {
    let count = corners.len();
    let least = match is_ring {
        false if corners.first() == corners.last() => 4,
        _ => 3,
    };
    if count <= least {
        return;
    }
    let mut line = Line::new(corners, is_ring);
    let mut queue: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    let small = |line: &Line<'_>, i: usize| {
        let size = line.doubled_area(i)?;
        (size as f64 <= 2.0 * area).then_some(Reverse((size, i)))
    };
    queue.extend((0..count).filter_map(|i| small(&line, i)));
    while line.left > least
        && let Some(Reverse((size, i))) = queue.pop()
    {
        // Of one whose neighbours have changed since there is a later entry.
        if line.doubled_area(i) == Some(size) && !line.is_obstructed(i, all) {
            let (before, after) = line.take_out(i);
            queue.extend([before, after].into_iter().filter_map(|i| small(&line, i)));
        }
    }
    let is_gone = line.is_gone;
    let mut gone = is_gone.iter();
    corners.retain(|_| gone.next() == Some(&false));
}

/// An arc that loses corners.
struct Line<'a> {
    corners: &'a [Corner],
    is_ring: bool,
    before: Vec<usize>,
    after: Vec<usize>,
    is_gone: Vec<bool>,
    left: usize,
    /// Those that are gone: nothing of this arc is there any more. To other arcs they are as before.
    gone: HashSet<Corner>,
}

impl Line<'_> {
    fn new(corners: &[Corner], is_ring: bool) -> Line<'_> {
        let count = corners.len();
        Line {
            corners,
            is_ring,
            before: (0..count).map(|i| (i + count - 1) % count).collect(),
            after: (0..count).map(|i| (i + 1) % count).collect(),
            is_gone: vec![false; count],
            left: count,
            gone: HashSet::new(),
        }
    }

    /// A corner between its neighbours; None for ends, and for what is gone.
    fn triangle(&self, i: usize) -> Option<[Corner; 3]> {
        let is_end = !self.is_ring && (i == 0 || i + 1 == self.corners.len());
        (!is_end && !self.is_gone[i]).then(|| [self.before[i], i, self.after[i]].map(|i| self.corners[i]))
    }

    /// Of the triangle of a corner.
    fn doubled_area(&self, i: usize) -> Option<i64> {
        let [a, b, c] = self.triangle(i)?;
        Some(turn(a, b, c).abs())
    }

    /// Whether a corner of any arc lies in the triangle of one of this, or on its sides.
    fn is_obstructed(&self, i: usize, all: &Corners) -> bool {
        let Some([a, b, c]) = self.triangle(i) else {
            return true;
        };
        let (top, bottom) = (a.0.min(b.0).min(c.0), a.0.max(b.0).max(c.0));
        (top..=bottom).any(|row| {
            let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
            for (p, q) in [(a, b), (b, c), (c, a)] {
                if (p.0.min(q.0)..=p.0.max(q.0)).contains(&row) {
                    let at = |row: u32| {
                        let (p0, q0) = (f64::from(p.0), f64::from(q.0));
                        let part = if p0 == q0 {
                            0.0
                        } else {
                            (f64::from(row) - p0) / (q0 - p0)
                        };
                        f64::from(p.1) + part * (f64::from(q.1) - f64::from(p.1))
                    };
                    let ends = if p.0 == q.0 {
                        [p.1, q.1].map(f64::from)
                    } else {
                        [at(row); 2]
                    };
                    from = from.min(ends[0]).min(ends[1]);
                    to = to.max(ends[0]).max(ends[1]);
                }
            }
            // A little more on both sides, because of rounding; what it brings is looked at exactly.
            let (from, to) = ((from - 0.5).floor().max(0.0) as u32, (to + 0.5).ceil() as u32);
            all.any(row, from, to, |corner| {
                let [ab, bc, ca] = [turn(a, b, corner), turn(b, c, corner), turn(c, a, corner)];
                let is_outside = ab.min(bc).min(ca) < 0 && ab.max(bc).max(ca) > 0;
                // Where all three lie on a line, only what is between them.
                let is_between = ab != 0
                    || bc != 0
                    || ca != 0
                    || (a.0.min(c.0)..=a.0.max(c.0)).contains(&corner.0)
                        && (a.1.min(c.1)..=a.1.max(c.1)).contains(&corner.1);
                !is_outside && is_between && ![a, b, c].contains(&corner) && !self.gone.contains(&corner)
            })
        })
    }

    fn take_out(&mut self, i: usize) -> (usize, usize) {
        let (before, after) = (self.before[i], self.after[i]);
        (self.after[before], self.before[after]) = (after, before);
        self.is_gone[i] = true;
        self.left -= 1;
        self.gone.insert(self.corners[i]);
        (before, after)
    }
}

/// Twice the signed area of a triangle.
fn turn(a: Corner, b: Corner, c: Corner) -> i64 {
    let step = |p: Corner| (i64::from(p.0) - i64::from(a.0), i64::from(p.1) - i64::from(a.1));
    let ((b0, b1), (c0, c1)) = (step(b), step(c));
    b0 * c1 - b1 * c0
}
