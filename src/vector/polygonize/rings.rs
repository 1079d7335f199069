//! Rings of a part from the arcs around it.

use std::ops::Range;

use super::Corner;
use super::arcs::Heading;
use super::code::Reader;

/// The rings of a part: the outer one, then those of its holes. Of holes there may be millions, so that all are in one list.
#[derive(Debug, Clone, PartialEq)]
pub struct Rings {
    corners: Vec<Corner>,
    places: Vec<Range<usize>>,
}

impl Rings {
    /// Corners of a ring, the first not repeated at the end.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[Corner]> {
        self.places.iter().map(|place| &self.corners[place.clone()])
    }
}

/// An arc from node to node, with the part at its left.
struct Step {
    from: Corner,
    to: Corner,
    first: Heading,
    last: Heading,
    /// Its corners but the last, with which the next arc begins.
    corners: Range<usize>,
    is_used: bool,
}

/// The outer ring, then those of the holes by their first corners; each begins with its first corner in the order of rows.
/// `is_straight_kept` leaves nodes in straight edges, where other regions have corners.
pub fn rings(arcs: &[u8], is_straight_kept: bool) -> Rings {
    let (mut corners, mut between) = (Vec::new(), Vec::new());
    let (mut places, mut steps) = (Vec::new(), Vec::new());
    let mut reader = Reader::new(arcs);
    let (mut ring, mut step) = (0, 0);
    while let Some(headings) = reader.next(&mut corners, &mut between) {
        match headings {
            None => places.push(ring..corners.len()),
            Some((first, last)) => steps.push(Step {
                from: between[step],
                to: between[between.len() - 1],
                first,
                last,
                corners: step..between.len() - 1,
                is_used: false,
            }),
        }
        (ring, step) = (corners.len(), between.len());
    }
    steps.sort_unstable_by_key(|step| (step.from, step.first as u8));
    for start in 0..steps.len() {
        let first = corners.len();
        let mut at = start;
        while !steps[at].is_used {
            let step = &mut steps[at];
            step.is_used = true;
            corners.extend_from_slice(&between[step.corners.clone()]);
            let (to, last) = (step.to, step.last);
            at = steps.partition_point(|step| step.from < to);
            // Where the part meets itself in a corner two arcs go on. That around the pixel at the right leaves the hole, or the
            // outside, that it has come along on one ring, and what is across the corner on another.
            if steps[at].first != last.turned_right()
                && steps.get(at + 1).is_some_and(|next| next.from == to)
                && steps[at + 1].first == last.turned_right()
            {
                at += 1;
            }
        }
        if corners.len() > first {
            places.push(first..corners.len());
        }
    }
    for place in &mut places {
        let ring = &mut corners[place.clone()];
        if !is_straight_kept {
            place.end = place.start + drop_straight(ring);
        }
        let ring = &mut corners[place.clone()];
        let first = (0..ring.len()).min_by_key(|&i| ring[i]).unwrap_or(0);
        ring.rotate_left(first);
    }
    places.sort_unstable_by_key(|place| corners[place.start]);
    // All but always the one that begins first: a hole that touches it there may come before.
    if let Some(outer) = places.iter().position(|place| is_outer(&corners[place.clone()])) {
        places[..=outer].rotate_right(1);
    }
    Rings { corners, places }
}

/// Without the corners in the middle of straight edges along rows and columns; how many there are left, which come first.
fn drop_straight(ring: &mut [Corner]) -> usize {
    let (Some(&first), Some(&last)) = (ring.first(), ring.last()) else {
        return 0;
    };
    let (mut before, mut kept) = (last, 0);
    for i in 0..ring.len() {
        let corner = ring[i];
        let after = ring.get(i + 1).copied().unwrap_or(first);
        let is_straight =
            (before.0 == corner.0 && corner.0 == after.0) || (before.1 == corner.1 && corner.1 == after.1);
        if !is_straight {
            ring[kept] = corner;
            kept += 1;
        }
        before = corner;
    }
    kept
}

/// Anticlockwise, with rows downward.
fn is_outer(ring: &[Corner]) -> bool {
    doubled_area(ring) > 0
}

fn doubled_area(ring: &[Corner]) -> i64 {
    let Some(&last) = ring.last() else { return 0 };
    let mut before = last;
    let mut sum = 0;
    for &corner in ring {
        sum += i64::from(before.0) * i64::from(corner.1) - i64::from(before.1) * i64::from(corner.0);
        before = corner;
    }
    sum
}
